"""The library of assets: media that a client registers once and then names in requests as ``asset://ID``.

Ids are the vendor's: ``group-20261121120000-0a1b2`` and ``asset-20261121120000-0a1b2``. Parameter names are those of
Ark's asset actions. Source: Ark's asset library, actions CreateAssetGroup, CreateAsset, GetAsset (autumn 2026).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

from understudy.core.case import invalid, missing
from understudy.core.content import ASSET, Modality
from understudy.core.errors import Violation
from understudy.core.request import GenerationRequest

GROUP_PREFIX = "group-"
ASSET_PREFIX = "asset-"
_SHOWN_CHARS = 80


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
    """What a client says of an asset. modality: image, video or audio."""

    group_id: str
    name: str
    modality: Modality
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A registered medium. url: where its owner said it is."""

    id: str
    owner: str
    group_id: str
    name: str
    modality: Modality
    url: str
    status: AssetStatus
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetLimits:
    """What may be registered and named; see `catalog/assets.toml`. references_max: different assets in one request."""

    name_chars_max: int
    description_chars_max: int
    url_chars_max: int
    url_schemes: tuple[str, ...]
    references_max: int


class AssetStore(Protocol):
    """The record of groups and assets. Every method is one transaction, durable when it returns."""

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


def broken_by_group(new: NewGroup, limits: AssetLimits) -> Iterator[Violation]:
    """Yield what is wrong with a new group."""
    if not new.name:
        yield missing("Name")
    yield from _too_long("Name", new.name, limits.name_chars_max)
    yield from _too_long("Description", new.description, limits.description_chars_max)


def broken_by_asset(new: NewAsset, limits: AssetLimits) -> Iterator[Violation]:
    """Yield what is wrong with a new asset; whether its group exists is the store's to say."""
    if not new.group_id:
        yield missing("GroupId")
    if not new.url:
        yield missing("URL")
    elif len(new.url) > limits.url_chars_max:
        yield from _too_long("URL", new.url, limits.url_chars_max)
    elif not _is_web_address(new.url, limits.url_schemes):
        schemes = " or ".join(f"{scheme}://" for scheme in limits.url_schemes)
        yield invalid("URL", f"it must be a web address that begins with {schemes}; base64 is not supported.")
    yield from _too_long("Name", new.name, limits.name_chars_max)


def referenced_assets(request: GenerationRequest) -> dict[int, str]:
    """Return the asset ids that the content names: index of the item -> id."""
    return {
        index: item.value.removeprefix(ASSET)
        for index, item in enumerate(request.content)
        if item.value.startswith(ASSET) and item.modality in REFERABLE
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


def _too_long(param: str, text: str, chars_max: int) -> Iterator[Violation]:
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
