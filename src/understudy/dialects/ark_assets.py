"""Ark's library of assets on the wire: the bodies and results of its control plane's actions, in PascalCase.

Source: Volcengine Ark, asset library, version 2024-01-01 (autumn 2026). The gateways around it have the same actions in
envelopes of their own. Quirks: project names are kept by nobody here, there is one project for each key.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from understudy.core.assets import (
    Asset,
    AssetFilter,
    AssetGroup,
    AssetLimits,
    AssetStatus,
    GroupFilter,
    NewAsset,
    NewGroup,
    Paging,
    SortBy,
)
from understudy.core.content import Modality
from understudy.core.errors import CODES, Violation
from understudy.core.task import Warned
from understudy.dialects.ark_request import ignored
from understudy.dialects.codec import ErrorAnswer
from understudy.dialects.json_body import absent, convert, reject_value
from understudy.dialects.unread import unread_keys

VERSION = "2024-01-01"
TYPES = {"Image": Modality.IMAGE, "Video": Modality.VIDEO, "Audio": Modality.AUDIO}
"""The vendor's word for what an asset is -> what it can be used as."""
TYPE_OF = {modality: word for word, modality in TYPES.items()}
STATUSES = {status.capitalize(): status for status in AssetStatus}
PROJECT = "default"
GENERATED, LIVENESS = "AIGC", "LivenessFace"
"""Types of groups. Those of real people are made by a check of their faces, which this server does not offer."""
SORTS = {"CreateTime": SortBy.CREATED, "UpdateTime": SortBy.UPDATED}
ORDERS = {"Asc": True, "Desc": False}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGES_MAX = 1_000_000


class GroupWanted(msgspec.Struct, rename="pascal"):
    """The body of CreateAssetGroup."""

    name: str | None = None
    description: str | None = None
    group_type: str | None = None
    project_name: str | None = None


class GroupChanged(msgspec.Struct, rename="pascal"):
    """The body of UpdateAssetGroup; what is absent stays as it is."""

    id: str | None = None
    name: str | None = None
    description: str | None = None
    project_name: str | None = None


class AssetWanted(
    msgspec.Struct,
    rename={
        "group_id": "GroupId",
        "url": "URL",
        "asset_type": "AssetType",
        "name": "Name",
        "project_name": "ProjectName",
    },
):
    """The body of CreateAsset."""

    group_id: str | None = None
    url: str | None = None
    asset_type: str | None = None
    name: str | None = None
    project_name: str | None = None


class AssetChanged(msgspec.Struct, rename="pascal"):
    """The body of UpdateAsset."""

    id: str | None = None
    name: str | None = None
    project_name: str | None = None


class OneWanted(msgspec.Struct, rename="pascal"):
    """The body of the actions that get or delete one thing."""

    id: str | None = None
    project_name: str | None = None


class Filter(msgspec.Struct, rename="pascal"):
    """What a listing shows. Statuses are of assets alone."""

    group_type: str | None = None
    group_ids: list[str] | None = None
    name: str | None = None
    statuses: list[str] | None = None


class ListWanted(msgspec.Struct, rename="pascal"):
    """The body of ListAssets and ListAssetGroups: pages by number, or one after the other by token."""

    filter: Filter | None = None
    sort_by: str | None = None
    sort_order: str | None = None
    page_number: int | None = None
    page_size: int | None = None
    next_token: str | None = None
    max_results: int | None = None
    project_name: str | None = None


class Fault(msgspec.Struct, rename="pascal"):
    """Why an asset failed, or what is wrong with a request."""

    code: str
    message: str


class MadeResult(msgspec.Struct, rename="pascal"):
    """What was created or changed."""

    id: str


class GroupResult(msgspec.Struct, rename="pascal"):
    """A group."""

    id: str
    name: str
    description: str
    group_type: str
    project_name: str
    create_time: str
    update_time: str


class AssetResult(
    msgspec.Struct,
    omit_defaults=True,
    rename={
        "id": "Id",
        "name": "Name",
        "url": "URL",
        "asset_type": "AssetType",
        "group_id": "GroupId",
        "status": "Status",
        "project_name": "ProjectName",
        "create_time": "CreateTime",
        "update_time": "UpdateTime",
        "error": "Error",
    },
):
    """An asset. status: Processing, Active or Failed. error: why it failed."""

    id: str
    name: str
    url: str
    asset_type: str
    group_id: str
    status: str
    project_name: str
    create_time: str
    update_time: str
    error: Fault | None = None


class GroupsResult(msgspec.Struct, omit_defaults=True, rename="pascal"):
    """A page of groups. next_token: of the page after it, where there is one."""

    items: list[GroupResult]
    total_count: int
    page_number: int | None = None
    page_size: int | None = None
    max_results: int | None = None
    next_token: str | None = None


class AssetsResult(msgspec.Struct, omit_defaults=True, rename="pascal"):
    """A page of assets. next_token: of the page after it, where there is one."""

    items: list[AssetResult]
    total_count: int
    page_number: int | None = None
    page_size: int | None = None
    max_results: int | None = None
    next_token: str | None = None


class Metadata(msgspec.Struct, omit_defaults=True, rename="pascal"):
    """What every answer of the control plane says of the request."""

    request_id: str
    action: str
    version: str
    service: str
    region: str
    error: Fault | None = None


class ControlAnswer(msgspec.Struct, omit_defaults=True, rename="pascal"):
    """The envelope of all answers of the control plane. result: what the action gives; of some, nothing."""

    response_metadata: Metadata
    result: dict[str, Any] | None = None


ACTIONS: Mapping[str, type[msgspec.Struct]] = {
    "CreateAssetGroup": GroupWanted,
    "GetAssetGroup": OneWanted,
    "ListAssetGroups": ListWanted,
    "UpdateAssetGroup": GroupChanged,
    "DeleteAssetGroup": OneWanted,
    "CreateAsset": AssetWanted,
    "GetAsset": OneWanted,
    "ListAssets": ListWanted,
    "UpdateAsset": AssetChanged,
    "DeleteAsset": OneWanted,
}
"""Action -> its body."""

NOT_OFFERED = ("CreateVisualValidateSession", "GetVisualValidateResult")
"""Actions that check the face of a real person before a camera, which takes Volcengine's own service."""


def decode_body(fields: Mapping[str, Any], action: str) -> tuple[Any, tuple[Warned, ...]]:
    """Read the body of an action, and what in it means nothing.

    Raises: Rejected.
    """
    shape = ACTIONS[action]
    body = convert(fields, shape, is_lenient=True)
    told = tuple(ignored(param) for param in unread_keys(fields, shape))
    project = getattr(body, "project_name", None)
    if project not in (None, "", PROJECT):
        told = (*told, ignored("ProjectName"))
    if "id" in shape.__struct_fields__ and not getattr(body, "id", None):
        absent("Id")
    return body, told


def new_group(body: GroupWanted) -> NewGroup:
    """Return the group that is wanted.

    Raises: Rejected.
    """
    if body.group_type not in (None, "", GENERATED):
        reject_value("GroupType", f"supported values are: `{GENERATED}`.")
    return NewGroup(name=body.name or "", description=body.description or "")


def new_asset(body: AssetWanted) -> NewAsset:
    """Return the asset that is wanted.

    Raises: Rejected.
    """
    modality = modality_of_type(body.asset_type)
    return NewAsset(group_id=body.group_id or "", name=body.name or "", modality=modality, url=body.url or "")


def modality_of_type(word: str | None, param: str = "AssetType") -> Modality:
    """Return what an asset of a type can be used as.

    Raises: Rejected.
    """
    if not word:
        absent(param)
    if word not in TYPES:
        reject_value(param, f"supported values are: {', '.join(f'`{each}`' for each in TYPES)}.")
    return TYPES[word]


def asset_filter(body: ListWanted, limits: AssetLimits) -> AssetFilter | None:
    """Return which assets are wanted; None: such as this server has none of.

    Raises: Rejected.
    """
    said = _said(body)
    statuses = frozenset(_word(word, STATUSES, "Filter.Statuses") for word in said.statuses or ())
    paging = _paging(body, limits)
    if said.group_type == LIVENESS:
        return None
    groups = frozenset(said.group_ids or ())
    return AssetFilter(paging=paging, group_ids=groups, name=said.name or "", statuses=statuses)


def group_filter(body: ListWanted, limits: AssetLimits) -> GroupFilter | None:
    """Return which groups are wanted; None: such as this server has none of.

    Raises: Rejected.
    """
    said, paging = _said(body), _paging(body, limits)
    if said.group_type == LIVENESS:
        return None
    return GroupFilter(paging=paging, group_ids=frozenset(said.group_ids or ()), name=said.name or "")


def group_result(group: AssetGroup) -> GroupResult:
    """Show a group."""
    return GroupResult(
        id=group.id,
        name=group.name,
        description=group.description,
        group_type=GENERATED,
        project_name=PROJECT,
        create_time=spelled(group.created_at),
        update_time=spelled(group.updated_at),
    )


def asset_result(asset: Asset, url: str) -> AssetResult:
    """Show an asset. url: where its medium is."""
    return AssetResult(
        id=asset.id,
        name=asset.name,
        url=url,
        asset_type=TYPE_OF[asset.modality],
        group_id=asset.group_id,
        status=asset.status.capitalize(),
        project_name=PROJECT,
        create_time=spelled(asset.created_at),
        update_time=spelled(asset.updated_at),
        error=None if asset.fault is None else Fault(code=asset.fault.code, message=asset.fault.message),
    )


def page_fields(
    body: ListWanted, items: Sequence[Asset | AssetGroup], *, total: int, limits: AssetLimits
) -> dict[str, Any]:
    """Return the fields of a page beside its items: numbered pages say their number, others lead to the next."""
    paging = _paging(body, limits)
    if body.page_number or body.page_size:
        return {"total_count": total, "page_number": body.page_number or 1, "page_size": paging.most}
    is_more = len(items) == paging.most and (total > len(items) or paging.after is not None)
    token = token_after(items[-1], paging.sort_by) if items and is_more else None
    return {"total_count": total, "max_results": paging.most, "next_token": token}


def encode_result(result: msgspec.Struct | None, metadata: Metadata) -> bytes:
    """Write the answer of an action that went well."""
    shown = {} if result is None else msgspec.to_builtins(result)
    return msgspec.json.encode(ControlAnswer(response_metadata=metadata, result=shown))


def encode_refusal(violation: Violation, metadata: Metadata, *, word: str = "") -> ErrorAnswer:
    """Write the answer of an action that did not. word: the code on the wire, where it is not the violation's own."""
    metadata.error = Fault(code=word or violation.code, message=violation.message)
    body = msgspec.json.encode(ControlAnswer(response_metadata=metadata))
    return ErrorAnswer(status=CODES[violation.code].status, body=body)


def token_after(item: Asset | AssetGroup, sort_by: SortBy) -> str:
    """Return the token of the page that begins behind an item."""
    micros = (getattr(item, sort_by.value) - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(f"{micros}:{item.id}".encode()).decode("ascii").rstrip("=")


def place_of(token: str, param: str = "NextToken") -> tuple[datetime, str]:
    """Return the place that a token stands for.

    Raises: Rejected.
    """
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        micros, _, item_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition(":")
        return _EPOCH + timedelta(microseconds=int(micros)), item_id
    except (ValueError, OverflowError, binascii.Error):
        reject_value(param, "it is none that this server gave.")


def spelled(moment: datetime) -> str:
    """Spell a moment as the library does."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _said(body: ListWanted) -> Filter:
    said = body.filter or Filter()
    if said.group_type not in (None, "", GENERATED, LIVENESS):
        reject_value("Filter.GroupType", f"supported values are: `{GENERATED}`, `{LIVENESS}`.")
    return said


def _paging(body: ListWanted, limits: AssetLimits) -> Paging:
    sort_by = _word(body.sort_by or "CreateTime", SORTS, "SortBy")
    is_ascending = _word(body.sort_order or "Desc", ORDERS, "SortOrder")
    if body.page_number or body.page_size:
        most = _within(body.page_size, "PageSize", limits.page_size_max, default=limits.page_size)
        number = _within(body.page_number, "PageNumber", _PAGES_MAX, default=1)
        return Paging(most=most, skip=(number - 1) * most, sort_by=sort_by, is_ascending=is_ascending)
    most = _within(body.max_results, "MaxResults", limits.page_size_max, default=limits.page_size)
    after = place_of(body.next_token) if body.next_token else None
    return Paging(most=most, after=after, sort_by=sort_by, is_ascending=is_ascending)


def _within(given: int | None, param: str, most: int, *, default: int) -> int:
    if given is None:
        return default
    if not 1 <= given <= most:
        reject_value(param, f"it must be between 1 and {most}, it is {given}.")
    return given


def _word(given: str, known: Mapping[str, Any], param: str) -> Any:
    if given not in known:
        reject_value(param, f"supported values are: {', '.join(f'`{word}`' for word in known)}.")
    return known[given]
