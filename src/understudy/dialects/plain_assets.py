"""The library of assets as people and this project's own client use it: plain names, one file or address at a time."""

from collections.abc import Mapping, Sequence
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
    Paging,
)
from understudy.core.content import ASSET
from understudy.core.modality import Modality
from understudy.core.task import Warned
from understudy.dialects.advice import Advice
from understudy.dialects.ark_assets import place_of, token_after
from understudy.dialects.ark_request import ignored
from understudy.dialects.json_body import convert, reject_value
from understudy.dialects.unread import unread_keys

ASSETS_PATH, GROUPS_PATH, UPLOADS_PATH = "/v1/assets", "/v1/asset-groups", "/v1/uploads"
CREDENTIALS_PATH = "/v1/credentials"
DEFAULT_GROUP = "default"
TYPES = {"image": Modality.IMAGE, "video": Modality.VIDEO, "audio": Modality.AUDIO}
_SHA256_CHARS = 64


class PlainNew(msgspec.Struct):
    """A new asset: the address of a medium, or a file of a form.

    group: id or name of a group, which is made where there is none; without it, the group "default".
    """

    url: str | None = None
    file: str | None = None
    name: str | None = None
    group: str | None = None
    type: str | None = None
    id: str | None = None


class PlainUploadNew(msgspec.Struct):
    """A file that is going to be sent in pieces."""

    size_bytes: int
    name: str | None = None
    group: str | None = None
    type: str | None = None
    id: str | None = None
    sha256: str | None = None


class PlainChange(msgspec.Struct):
    """Another name; of a group, another description too."""

    name: str | None = None
    description: str | None = None


class PlainFault(msgspec.Struct):
    """Why an asset failed."""

    code: str
    message: str


class PlainAsset(msgspec.Struct, omit_defaults=True):
    """An asset. asset_url: how requests name it; url: where its medium is. What was measured is there once active."""

    id: str
    object: str
    asset_url: str
    name: str
    type: str
    status: str
    group_id: str
    created_at: int
    updated_at: int
    url: str | None = None
    size_bytes: int | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    error: PlainFault | None = None
    warnings: list[Advice] = []


class PlainGroup(msgspec.Struct):
    """A group of assets."""

    id: str
    object: str
    name: str
    description: str
    created_at: int
    updated_at: int


class PlainAssets(msgspec.Struct, omit_defaults=True):
    """A page of assets, newest first. next: what the page after it is asked for with."""

    object: str
    data: list[PlainAsset]
    total: int
    next: str | None = None


class PlainGroups(msgspec.Struct, omit_defaults=True):
    """A page of groups, newest first. next: what the page after it is asked for with."""

    object: str
    data: list[PlainGroup]
    total: int
    next: str | None = None


class PlainUpload(msgspec.Struct, omit_defaults=True):
    """A file on its way. offset: how many bytes of it are here. asset: what it became, once it is whole."""

    id: str
    object: str
    offset: int
    size_bytes: int
    asset: PlainAsset | None = None


class PlainCredentials(msgspec.Struct):
    """The API key as access key and secret, for clients that sign their requests."""

    access_key_id: str
    secret_access_key: str


Told = tuple[Warned, ...]


def decode_new(fields: Mapping[str, Any]) -> tuple[PlainNew, Told]:
    """Read a new asset, and what in it means nothing.

    Raises: Rejected.
    """
    body = convert(fields, PlainNew, is_lenient=True)
    if body.url and body.file:
        reject_value("file", "it cannot be given together with `url`.")
    return body, tuple(ignored(param) for param in unread_keys(fields, PlainNew))


def decode_upload(fields: Mapping[str, Any]) -> tuple[PlainUploadNew, Told]:
    """Read what is said of a file that will come, and what in it means nothing.

    Raises: Rejected.
    """
    body = convert(fields, PlainUploadNew, is_lenient=True)
    digest = body.sha256 or ""
    if digest and (len(digest) != _SHA256_CHARS or not all(each in "0123456789abcdef" for each in digest.lower())):
        reject_value("sha256", "it must be 64 hexadecimal digits.")
    return body, tuple(ignored(param) for param in unread_keys(fields, PlainUploadNew))


def decode_change(fields: Mapping[str, Any]) -> tuple[PlainChange, Told]:
    """Read a change, and what in it means nothing.

    Raises: Rejected.
    """
    body = convert(fields, PlainChange, is_lenient=True)
    return body, tuple(ignored(param) for param in unread_keys(fields, PlainChange))


def modality_named(word: str | None) -> Modality | None:
    """Return what an asset shall be used as; None where nobody said.

    Raises: Rejected.
    """
    if not word:
        return None
    if word.lower() not in TYPES:
        reject_value("type", f"supported values are: {', '.join(f'`{each}`' for each in TYPES)}.")
    return TYPES[word.lower()]


def new_asset(body: PlainNew, group_id: str) -> NewAsset:
    """Return the asset at an address; an image where nobody said.

    Raises: Rejected.
    """
    modality = modality_named(body.type) or Modality.IMAGE
    return NewAsset(
        group_id=group_id, name=body.name or "", modality=modality, url=body.url or "", chosen_id=body.id or ""
    )


def asset_filter(query: Mapping[str, str], limits: AssetLimits) -> AssetFilter:
    """Read which assets are wanted.

    Raises: Rejected.
    """
    status, group = query.get("status", ""), query.get("group_id", "")
    known = {each.value: each for each in AssetStatus}
    if status and status not in known:
        reject_value("status", f"supported values are: {', '.join(f'`{word}`' for word in known)}.")
    return AssetFilter(
        paging=_paging(query, limits),
        group_ids=frozenset({group} - {""}),
        name=query.get("name", ""),
        statuses=frozenset({known[status]} if status else ()),
        modality=modality_named(query.get("type")),
    )


def group_filter(query: Mapping[str, str], limits: AssetLimits) -> GroupFilter:
    """Read which groups are wanted.

    Raises: Rejected.
    """
    return GroupFilter(paging=_paging(query, limits), name=query.get("name", ""))


def plain_asset(asset: Asset, url: str) -> PlainAsset:
    """Show an asset. url: where its medium is; "" = nowhere yet."""
    shown = PlainAsset(
        id=asset.id,
        object="asset",
        asset_url=ASSET + asset.id,
        name=asset.name,
        type=asset.modality.value,
        status=asset.status.value,
        group_id=asset.group_id,
        created_at=int(asset.created_at.timestamp()),
        updated_at=int(asset.updated_at.timestamp()),
        url=url or None,
    )
    if asset.medium is not None:
        facts = asset.medium.facts
        shown.size_bytes, shown.format = facts.size_bytes, facts.container
        shown.width, shown.height = facts.width_px or None, facts.height_px or None
        shown.duration = round(facts.duration_s, 3) or None
    if asset.fault is not None:
        shown.error = PlainFault(code=asset.fault.code, message=asset.fault.message)
    return shown


def plain_group(group: AssetGroup) -> PlainGroup:
    """Show a group."""
    return PlainGroup(
        id=group.id,
        object="asset_group",
        name=group.name,
        description=group.description,
        created_at=int(group.created_at.timestamp()),
        updated_at=int(group.updated_at.timestamp()),
    )


def next_of(items: Sequence[Asset | AssetGroup], paging: Paging) -> str | None:
    """Return what the page behind these items is asked for with; None where they are the last."""
    return token_after(items[-1], paging.sort_by) if items and len(items) == paging.most else None


def _paging(query: Mapping[str, str], limits: AssetLimits) -> Paging:
    given = query.get("limit") or str(limits.page_size)
    if not given.isascii() or not given.isdigit() or not 1 <= int(given[:9]) <= limits.page_size_max:
        reject_value("limit", f"it must be a whole number between 1 and {limits.page_size_max}.")
    after = query.get("after", "")
    return Paging(most=int(given), after=place_of(after, "after") if after else None)
