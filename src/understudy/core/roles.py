"""Roles of media that came without one: what each dialect's examples mean by leaving them out."""

from dataclasses import replace

from understudy.core.content import ContentItem, Modality, Role
from understudy.core.task import Warned

REFERENCE_ROLE = {
    Modality.IMAGE: Role.REFERENCE_IMAGE,
    Modality.VIDEO: Role.REFERENCE_VIDEO,
    Modality.AUDIO: Role.REFERENCE_AUDIO,
}

Roled = tuple[tuple[ContentItem, ...], tuple[Warned, ...]]
"""Content with its roles, and which of them were assumed; parameter names are Ark's."""


def with_sole_roles(content: tuple[ContentItem, ...]) -> Roled:
    """Give media without a role the one that can be meant, where there is only one.

    A lone image is a first frame, which need not be told: seed 001, "Image-to-Video (First Frame)", "or omit - it
    defaults to first frame with a single image". Videos and audio have one role each: seed 000, "Video + Audio
    Multimodal Reference", leaves both out. Of several images nobody can say; they are left as they are.
    """
    return _assumed(_with_first_frame(content), (Modality.VIDEO, Modality.AUDIO))


def with_roles(content: tuple[ContentItem, ...]) -> Roled:
    """Give every medium a role: as `with_sole_roles`, and images that are not alone are references.

    Source: seed 002, case 9.
    """
    return _assumed(_with_first_frame(content), tuple(REFERENCE_ROLE))


def _with_first_frame(content: tuple[ContentItem, ...]) -> tuple[ContentItem, ...]:
    media = [item for item in content if item.modality in REFERENCE_ROLE]
    if len(media) != 1 or media[0].modality is not Modality.IMAGE or media[0].role is not None:
        return content
    return tuple(replace(item, role=Role.FIRST_FRAME) if item is media[0] else item for item in content)


def _assumed(content: tuple[ContentItem, ...], modalities: tuple[Modality, ...]) -> Roled:
    """Make references of the items of these kinds that have no role yet."""
    if all(item.role is not None or item.modality not in modalities for item in content):
        return content, ()
    found: list[ContentItem] = []
    told: list[Warned] = []
    for index, item in enumerate(content):
        if item.role is not None or item.modality not in modalities:
            found.append(item)
            continue
        role = REFERENCE_ROLE[item.modality]
        found.append(replace(item, role=role))
        told.append(Warned(param=f"content[{index}].role", message=f"The role was left out; `{role}` was assumed."))
    return tuple(found), tuple(told)
