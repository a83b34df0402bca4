"""APIMart's private avatars: several assets registered with one request, which is then polled like a task.

Source: APIMart, "Private avatar" (autumn 2026). Its id begins with ``task_avatar-``, which no task's id does. Real
avatars are people who prove before a camera that they agree, with a service of the vendor's: not offered here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from understudy.core.assets import ASSET_PREFIX, Asset, AssetLimits, AssetStatus, NewAsset, NewGroup
from understudy.core.content import ASSET
from understudy.core.errors import Rejected, Violation
from understudy.core.modality import Modality
from understudy.core.task import Warned
from understudy.dialects.advice import Advice, advice_of
from understudy.dialects.ark_assets import modality_of_type
from understudy.dialects.ark_request import ignored
from understudy.dialects.json_body import absent, convert, reject_value
from understudy.dialects.unread import unread_keys

PATH = "/v1/seedance2/private-avatar"
REAL_PATH = "/v1/seedance2/real-avatar"
TASK_PREFIX = "task_avatar-"
OBJECT = "seedance.avatar.asset.task"
MODEL = "seedance-2.0"
OK = 200
_BEGUN_PERCENT = 10


class AvatarGroup(msgspec.Struct):
    """A new group for the assets."""

    name: str | None = None
    description: str | None = None


class AvatarAsset(msgspec.Struct):
    """One asset."""

    url: str | None = None
    name: str | None = None


class AvatarWanted(msgspec.Struct):
    """The body: a new group or one that is there, and one asset or several."""

    group: AvatarGroup | None = None
    group_id: str | None = None
    project_name: str | None = None
    asset_type: str | None = None
    assets: list[AvatarAsset] | None = None
    url: str | None = None
    name: str | None = None


class UsableAsset(msgspec.Struct):
    """An asset that can be used. asset_url: how requests name it."""

    asset_id: str
    asset_url: str
    name: str
    asset_type: str


class FailedAsset(msgspec.Struct):
    """An asset that cannot be used, and why."""

    asset_id: str
    name: str
    code: str
    message: str


class AvatarResult(msgspec.Struct):
    """What became of the assets."""

    group_id: str
    usable_assets: list[UsableAsset]
    failed_assets: list[FailedAsset]


class AvatarFault(msgspec.Struct):
    """Why it failed."""

    code: int
    message: str
    type: str


class AvatarTask(msgspec.Struct, omit_defaults=True):
    """How far the assets are. progress: percent. warnings: our addition."""

    id: str
    object: str
    status: str
    progress: int
    model: str
    created: int
    completed: int | None = None
    result: AvatarResult | None = None
    error: AvatarFault | None = None
    warnings: list[Advice] = []


class AvatarAnswer(msgspec.Struct):
    """The answer to a request and to a poll."""

    code: int
    data: AvatarTask


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAvatar:
    """What is to be registered. group: a new one; None = that of ``group_id``. assets: without group and batch yet."""

    assets: tuple[NewAsset, ...]
    group_id: str = ""
    group: NewGroup | None = None


def decode_avatar(fields: Mapping[str, Any], limits: AssetLimits) -> tuple[NewAvatar, tuple[Warned, ...]]:
    """Read a request, and what in it means nothing.

    Raises: Rejected.
    """
    body = convert(fields, AvatarWanted, is_lenient=True)
    told = tuple(ignored(param) for param in unread_keys(fields, AvatarWanted))
    if body.project_name not in (None, "", "default"):
        told = (*told, ignored("project_name"))
    if body.group and body.group_id:
        reject_value("group_id", "it cannot be given together with `group`.")
    if not body.group and not body.group_id:
        absent("group_id")
    wanted = body.assets if body.assets is not None else [AvatarAsset(url=body.url, name=body.name)]
    if body.assets is not None and body.url:
        reject_value("url", "it cannot be given together with `assets`.")
    if not 1 <= len(wanted) <= limits.avatars_max:
        reject_value("assets", f"expected 1 to {limits.avatars_max} assets, {len(wanted)} were given.")
    modality = modality_of_type(body.asset_type or "Image", "asset_type")
    assets = tuple(
        NewAsset(group_id=body.group_id or "-", name=each.name or "", modality=modality, url=each.url or "")
        for each in wanted
    )
    group = None
    if body.group is not None:
        group = NewGroup(name=body.group.name or "", description=body.group.description or "")
    return NewAvatar(assets=assets, group_id=body.group_id or "", group=group), told


def names_of(index: int, count: int) -> dict[str, str]:
    """Return how the parameters of an asset are called in a request of so many."""
    before = f"assets[{index}]." if count > 1 else ""
    return {"URL": f"{before}url", "Name": f"{before}name", "GroupId": "group_id"}


def batch_of(wire_id: str) -> str | None:
    """Return the batch that an id of this kind is for, or None when it is a task's."""
    batch = wire_id.removeprefix(TASK_PREFIX)
    return batch if batch != wire_id and batch else None


def new_batch(asset_id: str) -> str:
    """Return the name of a batch from the id of its first asset."""
    return asset_id.removeprefix(ASSET_PREFIX)


def encode_avatar(batch: str, assets: Sequence[Asset], told: Sequence[Warned] = ()) -> bytes:
    """Say how far a batch is. assets: what is left of it, one at least."""
    ended = [asset for asset in assets if asset.status is not AssetStatus.PROCESSING]
    task = AvatarTask(
        id=TASK_PREFIX + batch,
        object=OBJECT,
        status="processing",
        progress=max(_BEGUN_PERCENT, 100 * len(ended) // len(assets)),
        model=MODEL,
        created=int(min(asset.created_at for asset in assets).timestamp()),
        warnings=advice_of(told),
    )
    if len(ended) == len(assets):
        task.completed = int(max(asset.updated_at for asset in assets).timestamp())
        task.result = _result(assets)
        task.status, task.progress = "completed", 100
        if task.result.failed_assets:
            task.status = "failed"
            first = task.result.failed_assets[0]
            task.error = AvatarFault(code=400, message=f"{first.code}: {first.message}", type="invalid_request_error")
    return msgspec.json.encode(AvatarAnswer(code=OK, data=task))


def real_avatar() -> Rejected:
    """Return the refusal of a real avatar."""
    message = (
        "Real avatars are not offered: the vendor's own service checks the face of a person before a camera. "
        f"Register pictures with POST {PATH} instead; this server asks for no such check."
    )
    return Rejected(Violation("InvalidParameter.UnsupportedParameter", "path", message))


def _result(assets: Sequence[Asset]) -> AvatarResult:
    usable = [
        UsableAsset(asset_id=asset.id, asset_url=ASSET + asset.id, name=asset.name, asset_type=_type_of(asset.modality))
        for asset in assets
        if asset.fault is None
    ]
    failed = [
        FailedAsset(asset_id=asset.id, name=asset.name, code=asset.fault.code, message=asset.fault.message)
        for asset in assets
        if asset.fault is not None
    ]
    return AvatarResult(group_id=assets[0].group_id, usable_assets=usable, failed_assets=failed)


def _type_of(modality: Modality) -> str:
    return modality.capitalize()
