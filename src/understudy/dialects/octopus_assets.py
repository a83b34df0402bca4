"""The asset routes beside seed 003: CreateAssetGroup, CreateAsset, GetAsset and kin, POSTs answered in one envelope.

Source: docs.octopusx.ai, "Create Asset Group", "Upload Assets", "Query Asset" (autumn 2026). Quirks: an import has a
task id, which is the asset's own behind another prefix here; other gateways of the same routes ask for ``Id`` instead,
so both are read. Failures there come either as an error object under a 4xx or as ``state`` 0 in the envelope; here as
both at once.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from understudy.catalog.load import load_catalogue
from understudy.core.assets import ASSET_PREFIX, Asset, AssetGroup, NewAsset, NewGroup
from understudy.core.errors import CODES, Violation
from understudy.core.task import Warned
from understudy.dialects.advice import Advice, advice_of
from understudy.dialects.ark_assets import TYPE_OF, Fault, modality_of_type, spelled
from understudy.dialects.ark_request import ignored
from understudy.dialects.codec import ErrorAnswer
from understudy.dialects.ids import internal_id
from understudy.dialects.json_body import absent, convert, reject_value
from understudy.dialects.unread import unread_keys

PATH = "/v1/seedance/asset"
_TASK_PREFIX = load_catalogue().profiles["octopus"].wire_id_prefix
_DONE, _REFUSED = 1, 0


class CreateGroup(msgspec.Struct, rename="pascal"):
    """The body of CreateAssetGroup."""

    name: str | None = None
    description: str | None = None


class CreateAsset(
    msgspec.Struct, rename={"group_id": "GroupId", "url": "URL", "asset_type": "AssetType", "name": "Name"}
):
    """The body of CreateAsset."""

    group_id: str | None = None
    url: str | None = None
    asset_type: str | None = None
    name: str | None = None


class GetAsset(msgspec.Struct, rename={"id": "Id"}):
    """The body of GetAsset: one of the two."""

    task_id: str | None = None
    id: str | None = None


class AssetCreated(msgspec.Struct, rename={"id": "Id"}, omit_defaults=True):
    """What was created. task_id: of an asset's import. warnings: our addition."""

    id: str
    task_id: str | None = None
    warnings: list[Advice] = []


class AssetShown(
    msgspec.Struct,
    rename={
        "id": "Id",
        "name": "Name",
        "url": "URL",
        "asset_type": "AssetType",
        "group_id": "GroupId",
        "status": "Status",
        "create_time": "CreateTime",
        "update_time": "UpdateTime",
        "error": "Error",
    },
):
    """An asset. status: Processing, Active or Failed. error: why it failed. warnings: our addition."""

    id: str
    name: str
    url: str
    asset_type: str
    group_id: str
    status: str
    create_time: str
    update_time: str
    error: Fault | None
    warnings: list[Advice]


class AssetErrorDetail(msgspec.Struct):
    """What is wrong. type: the family of the HTTP status."""

    message: str
    type: str
    param: str
    code: str


class CreatedAnswer(msgspec.Struct):
    """The answer to CreateAssetGroup and CreateAsset. state: 1, it went well."""

    state: int
    data: AssetCreated
    error: None = None


class AssetAnswer(msgspec.Struct):
    """The answer to GetAsset. state: 1, it went well."""

    state: int
    data: AssetShown
    error: None = None


class DoneAnswer(msgspec.Struct):
    """The answer to the other actions, whose data are Ark's results. state: 1, it went well."""

    state: int
    data: dict[str, Any]
    error: None = None


class AssetRefusal(msgspec.Struct):
    """The answer when something is wrong. state: 0."""

    state: int
    data: None
    error: AssetErrorDetail


Told = tuple[Warned, ...]


def decode_group(fields: Mapping[str, Any]) -> tuple[NewGroup, Told]:
    """Read the body of CreateAssetGroup, and what in it means nothing.

    Raises: Rejected.
    """
    body = convert(fields, CreateGroup, is_lenient=True)
    return NewGroup(name=body.name or "", description=body.description or ""), _ignored(fields, CreateGroup)


def decode_asset(fields: Mapping[str, Any]) -> tuple[NewAsset, Told]:
    """Read the body of CreateAsset, and what in it means nothing.

    Raises: Rejected.
    """
    body = convert(fields, CreateAsset, is_lenient=True)
    modality = modality_of_type(body.asset_type)
    new = NewAsset(group_id=body.group_id or "", name=body.name or "", modality=modality, url=body.url or "")
    return new, _ignored(fields, CreateAsset)


def decode_query(fields: Mapping[str, Any]) -> tuple[str, Told]:
    """Read the body of GetAsset: the id of the asset, and what in the body means nothing.

    Raises: Rejected.
    """
    body = convert(fields, GetAsset, is_lenient=True)
    of_task = _asset_id(body.task_id) if body.task_id else None
    if not (body.id or of_task):
        absent("task_id")
    if body.id and of_task and body.id != of_task:
        reject_value("Id", "it is not the asset of the given `task_id`.")
    return body.id or of_task or "", _ignored(fields, GetAsset)


def encode_group_created(group: AssetGroup, told: Sequence[Warned]) -> bytes:
    """Write the answer to CreateAssetGroup."""
    return _created(AssetCreated(id=group.id, warnings=advice_of(told)))


def encode_asset_created(asset: Asset, told: Sequence[Warned]) -> bytes:
    """Write the answer to CreateAsset."""
    task_id = _TASK_PREFIX + asset.id.removeprefix(ASSET_PREFIX)
    return _created(AssetCreated(id=asset.id, task_id=task_id, warnings=advice_of(told)))


def encode_asset(asset: Asset, told: Sequence[Warned], *, url: str) -> bytes:
    """Write the answer to GetAsset. url: where its medium is."""
    shown = AssetShown(
        id=asset.id,
        name=asset.name,
        url=url,
        asset_type=TYPE_OF[asset.modality],
        group_id=asset.group_id,
        status=asset.status.capitalize(),
        create_time=spelled(asset.created_at),
        update_time=spelled(asset.updated_at),
        error=None if asset.fault is None else Fault(code=asset.fault.code, message=asset.fault.message),
        warnings=advice_of(told),
    )
    return msgspec.json.encode(AssetAnswer(state=_DONE, data=shown))


def encode_done(result: msgspec.Struct | None, told: Sequence[Warned]) -> bytes:
    """Write the answer to an action that these gateways have from Ark as it is."""
    data = {**msgspec.to_builtins(result), "warnings": msgspec.to_builtins(advice_of(told))} if result else {}
    return msgspec.json.encode(DoneAnswer(state=_DONE, data=data))


def encode_asset_error(violation: Violation, request_id: str) -> ErrorAnswer:
    """Write an error. Source of the request id's form: new-api, which these gateways are made of."""
    code = CODES[violation.code]
    message = f"{violation.message} (request id: {request_id})"
    detail = AssetErrorDetail(message=message, type=code.type, param=violation.param, code=violation.code)
    body = msgspec.json.encode(AssetRefusal(state=_REFUSED, data=None, error=detail))
    return ErrorAnswer(status=code.status, body=body)


def _asset_id(task_id: str) -> str:
    """Return the id of the asset that a task imported; a text that is no task id is nobody's."""
    stem = internal_id(task_id)
    return ASSET_PREFIX + stem if stem else task_id


def _ignored(fields: Mapping[str, Any], shape: type[msgspec.Struct]) -> Told:
    return tuple(ignored(param) for param in unread_keys(fields, shape))


def _created(data: AssetCreated) -> bytes:
    return msgspec.json.encode(CreatedAnswer(state=_DONE, data=data))
