"""Roles of media that came without one: what each dialect's examples mean by leaving them out."""

from dataclasses import replace

from understudy.core.content import ContentItem, Modality, Role
from understudy.core.task import Warned

REFERENCE_ROLE = {
    Modality.IMAGE: Role.REFERENCE_IMAGE,
    Modality.VIDEO: Role.REFERENCE_VIDEO,
    Modality.AUDIO: Role.REFERENCE_AUDIO,
}


def with_first_frame(content: tuple[ContentItem, ...]) -> tuple[ContentItem, ...]:
    """Give a lone image without a role the one every dialect means: first frame.

    Source: seed 001, "Image-to-Video (First Frame)": "or omit - it defaults to first frame with a single image".
    """
    media = [item for item in content if item.modality in REFERENCE_ROLE]
    if len(media) != 1 or media[0].modality is not Modality.IMAGE or media[0].role is not None:
        return content
    return tuple(replace(item, role=Role.FIRST_FRAME) if item is media[0] else item for item in content)


def with_roles(content: tuple[ContentItem, ...]) -> tuple[tuple[ContentItem, ...], tuple[Warned, ...]]:
    """Give every media item a role, and say which of them were inferred; parameter names are Ark's.

    A lone image is a first frame; whatever else has no role is a reference. Source: seed 000, "Video + Audio
    Multimodal Reference", whose video and audio have none; seed 002, case 9.
    """
    found: list[ContentItem] = []
    told: list[Warned] = []
    for index, item in enumerate(with_first_frame(content)):
        role = REFERENCE_ROLE.get(item.modality)
        if item.role is not None or role is None:
            found.append(item)
            continue
        found.append(replace(item, role=role))
        told.append(Warned(param=f"content[{index}].role", message=f"The role was left out; `{role}` was assumed."))
    return tuple(found), tuple(told)
