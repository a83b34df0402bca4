"""Ark's content items, which several dialects carry: the wire structs and their translation, both ways."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from understudy.core.content import ContentItem, Modality, Role
from understudy.core.roles import REFERENCE_ROLE
from understudy.dialects.json_body import absent, reject_value


class Url(msgspec.Struct):
    """The object around a media address."""

    url: str | None = None


class DraftId(msgspec.Struct):
    """The object around a draft task's id."""

    id: str | None = None


class Item(msgspec.Struct, omit_defaults=True):
    """One content item."""

    type: str | None = None
    text: str | None = None
    image_url: Url | None = None
    video_url: Url | None = None
    audio_url: Url | None = None
    draft_task: DraftId | None = None
    role: str | None = None


class Tool(msgspec.Struct):
    """One tool."""

    type: str | None = None


MEDIA_KEY = {Modality.IMAGE: "image_url", Modality.VIDEO: "video_url", Modality.AUDIO: "audio_url"}
_MODALITY = {key: modality for modality, key in MEDIA_KEY.items()}
_ITEM_TYPES = ("text", "image_url", "audio_url", "video_url", "draft_task")
_ROLES = {
    Modality.IMAGE: frozenset({Role.FIRST_FRAME, Role.LAST_FRAME, Role.REFERENCE_IMAGE}),
    Modality.VIDEO: frozenset({Role.REFERENCE_VIDEO}),
    Modality.AUDIO: frozenset({Role.REFERENCE_AUDIO}),
}
_ITEM_KEYS = frozenset(Item.__struct_fields__)
_KEYS_OF_TYPE = {
    kind: frozenset({"type", kind, "role"} if kind in _MODALITY else {"type", kind}) for kind in _ITEM_TYPES
}


def decode_content(items: Sequence[Item]) -> tuple[ContentItem, ...]:
    """Read the items in their order; roles are kept as given.

    Raises: Rejected.
    """
    return tuple([_decode_item(index, item) for index, item in enumerate(items)])


def encode_content(content: Sequence[ContentItem]) -> list[Item]:
    """Write the items in their order."""
    return [_encode_item(item) for item in content]


def decode_tools(tools: Sequence[Tool] | None) -> tuple[str, ...]:
    """Read the names of the tools.

    Raises: Rejected.
    """
    return tuple([_given(tool.type, f"tools[{index}].type") for index, tool in enumerate(tools or ())])


def encode_tools(tools: Sequence[str]) -> list[Tool] | None:
    """Write the names of the tools; none at all is left out."""
    return [Tool(type=tool) for tool in tools] or None


def idle_item_keys(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the paths of what items of another type have and these, as they came, cannot use."""
    return [
        f"content[{index}].{key}"
        for index, item in enumerate(items)
        if not item.keys() <= _KEYS_OF_TYPE[item["type"]]
        for key, value in item.items()
        if value and key in _ITEM_KEYS and key not in _KEYS_OF_TYPE[item["type"]]
    ]


def _decode_role(modality: Modality, role: str | None) -> Role | None:
    if not role:
        return None
    if role not in _ROLES[modality]:
        if modality is Modality.IMAGE:
            words = ", ".join(f"`{each}`" for each in sorted(_ROLES[modality]))
            reject_value("content", f"invalid role specified for image content, supported values are: {words}.")
        reject_value("content", f"reference media mode requires {modality} role to be {REFERENCE_ROLE[modality]}")
    return Role(role)


def _decode_item(index: int, item: Item) -> ContentItem:
    where = f"content[{index}]"
    if item.type is None:
        absent(f"{where}.type")
    if item.type not in _ITEM_TYPES:
        words = ", ".join(f"`{each}`" for each in _ITEM_TYPES)
        reject_value(f"{where}.type", f"supported values are: {words}.")
    if item.type == "text":
        return ContentItem(modality=Modality.TEXT, value=_given(item.text, f"{where}.text"))
    if item.type == "draft_task":
        draft = item.draft_task or DraftId()
        return ContentItem(modality=Modality.DRAFT, value=_given(draft.id, f"{where}.draft_task.id"))
    modality = _MODALITY[item.type]
    address: Url = getattr(item, item.type) or Url()
    value = _given(address.url, f"{where}.{item.type}.url")
    return ContentItem(modality=modality, value=value, role=_decode_role(modality, item.role))


def _given(value: str | None, param: str) -> str:
    if value is None:
        absent(param)
    return value


def _encode_item(item: ContentItem) -> Item:
    role = str(item.role) if item.role else None
    if item.modality is Modality.TEXT:
        return Item(type="text", text=item.value)
    if item.modality is Modality.DRAFT:
        return Item(type="draft_task", draft_task=DraftId(id=item.value))
    key = MEDIA_KEY[item.modality]
    encoded = Item(type=key, role=role)
    setattr(encoded, key, Url(url=item.value))
    return encoded
