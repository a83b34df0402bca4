"""The library of assets: media that a client registers once and then names in requests as ``asset://ID``.

Ids are the vendor's: ``group-20261121120000-0a1b2`` and ``asset-20261121120000-0a1b2``, or one that its owner chose, so
that ids which are in use elsewhere keep working. Parameter names are those of Ark's asset actions. Source: Ark's asset
library, actions CreateAssetGroup, CreateAsset, GetAsset and kin (autumn 2026).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

from understudy.core.case import invalid, missing
from understudy.core.content import ASSET, Modality
from understudy.core.errors import Violation
from understudy.core.media import Medium
from understudy.core.request import GenerationRequest

GROUP_PREFIX = "group-"
ASSET_PREFIX = "asset-"
_SHOWN_CHARS = 80
_CHOSEN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")


class AssetStatus(StrEnum):
    """Where an asset stands; only an active one can be used."""

    PROCESSING = "processing"
    ACTIVE = "active"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetGroup:
    """A named set of one owner's assets."""

    id: str
    owner: str
    name: str
    description: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGroup:
    """What a client says of a group."""

    name: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAsset:
    """What a client says of an asset. modality: image, video or audio.

    upload: the finished upload that holds the bytes, in place of a web address. chosen_id: "" = the server makes one.
    batch: what was registered together and is asked for together; "" = alone.
    """

    group_id: str
    name: str
    modality: Modality
    url: str = ""
    upload: str = ""
    chosen_id: str = ""
    batch: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFault:
    """Why an asset failed. code: a word of Ark's, such as "DownloadFailed"; message: a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A registered medium. url: where its owner said it is; upload: the upload that holds it until it is stored.

    medium: the stored bytes of an active one, and of no other. fault: why it failed, of a failed one alone.
    """

    id: str
    owner: str
    group_id: str
    name: str
    modality: Modality
    url: str
    status: AssetStatus
    created_at: datetime
    updated_at: datetime
    upload: str = ""
    batch: str = ""
    medium: Medium | None = None
    fault: AssetFault | None = None


class SortBy(StrEnum):
    """What a listing is in the order of."""

    CREATED = "created_at"
    UPDATED = "updated_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Which part of a listing. most: items to a page. skip: how many come before it.

    after: the moment and the id of the last item of the page before, which a page that goes on from it is asked with;
    then nothing is skipped. Items of one moment are in the order of their ids.
    """

    most: int
    skip: int = 0
    after: tuple[datetime, str] | None = None
    sort_by: SortBy = SortBy.CREATED
    is_ascending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFilter:
    """Which assets are wanted; an empty set or text asks for nothing. name: a part of it, letter by letter."""

    paging: Paging
    group_ids: frozenset[str] = frozenset()
    name: str = ""
    statuses: frozenset[AssetStatus] = frozenset()
    modality: Modality | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFilter:
    """Which groups are wanted, as with assets."""

    paging: Paging
    group_ids: frozenset[str] = frozenset()
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetPage:
    """A page of assets. total: how many match in all."""

    assets: tuple[Asset, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPage:
    """A page of groups. total: how many match in all."""

    groups: tuple[AssetGroup, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetLimits:
    """What may be registered and named; see `catalog/assets.toml`. references_max: different assets in one request.

    page_size, page_size_max: items to a page, unless the client says and at most. avatars_max: assets of one avatar
    request.
    """

    name_chars_max: int
    description_chars_max: int
    url_chars_max: int
    url_schemes: tuple[str, ...]
    references_max: int
    page_size: int
    page_size_max: int
    avatars_max: int


class AssetStore(Protocol):
    """The record of groups and assets. Every method is one transaction, durable when it returns.

    The id of a group is unique; the id of an asset is unique among those of its owner, who may have chosen it.
    """

    async def add_group(self, group: AssetGroup) -> None:
        """Store a new group.

        Raises: IdTaken.
        """
        ...

    async def add_asset(self, asset: Asset) -> bool:
        """Store a new asset; False, and nothing is written, when its owner has no such group.

        Raises: IdTaken.
        """
        ...

    async def assets(self, owner: str, asset_ids: Sequence[str]) -> Sequence[Asset]:
        """Return those of the owner's assets that have one of the ids, in any order."""
        ...

    async def list_assets(self, owner: str, wanted: AssetFilter) -> AssetPage:
        """Return one page of the owner's assets, newest first unless turned round."""
        ...

    async def list_groups(self, owner: str, wanted: GroupFilter) -> GroupPage:
        """Return one page of the owner's groups, newest first unless turned round."""
        ...

    async def change_asset(self, owner: str, asset_id: str, *, name: str, now: datetime) -> Asset | None:
        """Give the asset another name; return it as it is then, or None when there is none."""
        ...

    async def change_group(self, group: AssetGroup) -> bool:
        """Write name, description and moment of change of the group with this id and owner; False: there is none."""
        ...

    async def remove_asset(self, owner: str, asset_id: str) -> bool:
        """Remove the asset, and its use of its medium; False when there is none."""
        ...

    async def remove_group(self, owner: str, group_id: str) -> bool:
        """Remove the group with all its assets, and their uses; False when there is none."""
        ...

    async def settle(self, owner: str, asset_id: str, *, outcome: Medium | AssetFault, now: datetime) -> bool:
        """End the processing of an asset: active with its medium, which it uses from then on, or failed.

        False, and nothing is written, when it is gone or was settled before. Raises: Unavailable when the bytes of the
        medium were removed meanwhile.
        """
        ...

    async def processing(self, most_of_each: int) -> Sequence[Asset]:
        """Return assets that are being processed, of each owner no more than so many: those that wait longest, first.

        Of each owner, because what one has registered in thousands must not hide what another has.
        """
        ...

    async def batch(self, owner: str, batch: str) -> Sequence[Asset]:
        """Return the owner's assets that were registered together, in the order of their ids."""
        ...


def broken_by_group(new: NewGroup, limits: AssetLimits) -> Iterator[Violation]:
    """Yield what is wrong with a new group."""
    if not new.name:
        yield missing("Name")
    yield from too_long("Name", new.name, limits.name_chars_max)
    yield from too_long("Description", new.description, limits.description_chars_max)


def broken_by_asset(new: NewAsset, limits: AssetLimits) -> Iterator[Violation]:
    """Yield what is wrong with a new asset; whether its group exists is the store's to say."""
    if not new.group_id:
        yield missing("GroupId")
    if not new.upload:
        yield from _broken_by_url(new.url, limits)
    if new.chosen_id and not _CHOSEN_ID.fullmatch(new.chosen_id):
        yield invalid(
            "id", "it must begin with a letter or digit and hold 80 letters, digits, `_`, `.` or `-` at most."
        )
    yield from too_long("Name", new.name, limits.name_chars_max)


def _broken_by_url(url: str, limits: AssetLimits) -> Iterator[Violation]:
    if not url:
        yield missing("URL")
    elif len(url) > limits.url_chars_max:
        yield from too_long("URL", url, limits.url_chars_max)
    elif not _is_web_address(url, limits.url_schemes):
        schemes = " or ".join(f"{scheme}://" for scheme in limits.url_schemes)
        yield invalid("URL", f"it must be a web address that begins with {schemes}; base64 is not supported.")


def referenced_assets(request: GenerationRequest) -> dict[int, str]:
    """Return the asset ids that the content names, index of the item -> id; what a draft's had is settled already."""
    return {
        index: item.value.removeprefix(ASSET)
        for index, item in enumerate(request.content)
        if item.value.startswith(ASSET) and item.modality in REFERABLE and item.medium is None
    }


REFERABLE = frozenset({Modality.IMAGE, Modality.VIDEO, Modality.AUDIO})
"""What can be an asset: a text that begins with ``asset://`` is a text."""


def asset_cannot_be_used(index: int, modality: Modality, asset_id: str, *, asset: Asset | None) -> Violation | None:
    """Judge one item that names an asset. asset: None = there is none of that id.

    Source of the first two wordings: messages of the real service as measured by others (2026-08).
    """
    param = f"content[{index}].{modality}_url.url"
    if asset is None:
        return invalid(param, f"The specified asset {_shown(asset_id)} is not found.")
    if asset.modality is not modality:
        article = "a" if modality is Modality.VIDEO else "an"
        return invalid(param, f"the specified asset is not {article} {modality}.")
    if asset.status is not AssetStatus.ACTIVE:
        return invalid(param, f"The specified asset {_shown(asset_id)} is not active, it is {asset.status}.")
    return None


def too_many_assets(references_max: int) -> Violation:
    """Return the violation for a request that names more assets than are looked up."""
    return invalid("content", f"expected at most {references_max} different assets.")


def not_registered(param: str, kind: str, given: str) -> Violation:
    """Return the violation for an id that its caller has nothing under. kind: "asset" or "asset group"."""
    return Violation("NotFound.Asset", param, f"The specified {kind} {_shown(given)} is not found.")


def too_long(param: str, text: str, chars_max: int) -> Iterator[Violation]:
    """Yield a violation when a text is longer than it may be."""
    if len(text) > chars_max:
        yield invalid(param, f"it must have at most {chars_max} characters, it has {len(text)}.")


def _is_web_address(url: str, schemes: Sequence[str]) -> bool:
    # Looked at before it is split, because urlsplit drops line breaks in silence.
    if not url.isprintable() or any(character.isspace() for character in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname)
    except ValueError:
        return False


def _shown(asset_id: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in asset_id[:_SHOWN_CHARS])
