"""The rules of content: roles, counts, what may stand together, and how media may be addressed.

They are asked only for requests that hold more than text. Wording: Ark's, as measured by others (2026-08); the
sentences are kept to the letter, because clients look for them.
"""

import re
from collections import Counter

from understudy.core.case import ADDRESS_CHARS_MAX, TASK_TYPE, UNSUPPORTED, WEB, Case, Rule, invalid, not_for_model
from understudy.core.content import ASSET, ContentItem, Modality, Role
from understudy.core.errors import Violation
from understudy.core.media import DAMAGED
from understudy.core.request import RATIO_CHOSEN_BY_ENGINE, is_film_of_task
from understudy.core.roles import REFERENCE_ROLE
from understudy.core.scenario import FRAME_ROLES, FRAME_SCENARIOS, SCENARIO_CODE, Scenario, scenario_of

_DATA = {
    Modality.IMAGE: re.compile(r"data:image/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]"),
    Modality.VIDEO: re.compile(r"data:video/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]"),
    Modality.AUDIO: re.compile(r"data:audio/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]"),
}
_DAMAGED = f";base64,{DAMAGED}"
NOT_BASE64 = "what follows `;base64,` is not valid base64."


def media_key(item: ContentItem) -> str:
    """Return Ark's key for the item's address: "image_url" and kin."""
    return f"{item.modality}_url"


def draft_task_stands_alone(case: Case) -> Violation | None:
    """Refuse a draft beside anything else. Source: seed 003, line 27: "it must be the only element in content"."""
    content = case.request.content
    for index, item in enumerate(content):
        if item.modality is Modality.DRAFT and len(content) > 1:
            return invalid(f"content[{index}]", "draft_task must be the only item of `content`.")
    return None


def every_image_has_a_role(case: Case) -> Violation | None:
    """Require roles of images; a lone image has been given one by its codec."""
    for _, item in case.media:
        if item.modality is Modality.IMAGE and item.role is None:
            return invalid("content", "role must be specified for image contents.")
    return None


def videos_and_audio_are_references(case: Case) -> Violation | None:
    """Require the reference role of videos and audio."""
    for _, item in case.media:
        if item.modality is not Modality.IMAGE and item.role is not REFERENCE_ROLE[item.modality]:
            kind, role = item.modality, REFERENCE_ROLE[item.modality]
            return invalid("content", f"reference media mode requires {kind} role to be {role}")
    return None


def frames_are_not_mixed_with_references(case: Case) -> Violation | None:
    """Keep first and last frames apart from references. Models without references say it in their own words."""
    roles = {item.role for _, item in case.media}
    if not roles & FRAME_ROLES or not roles - FRAME_ROLES - {None}:
        return None
    if Scenario.REFERENCE in case.model.scenarios:
        return invalid("content", "first/last frame content cannot be mixed with reference media content.")
    reason = "last frame image content cannot be mixed with first frame or reference image content"
    return invalid("content", reason)


def frames_come_once_and_first_before_last(case: Case) -> Violation | None:
    """Allow one first and one last frame, and the last only beside a first."""
    counts = Counter(item.role for _, item in case.media)
    for role, name in ((Role.FIRST_FRAME, "first"), (Role.LAST_FRAME, "last")):
        if counts[role] > 1:
            reason = f"expected at most one {name} frame image content but got {counts[role]} instead."
            return invalid("content", reason)
    if counts[Role.LAST_FRAME] and not counts[Role.FIRST_FRAME]:
        # The real service answers a lone last frame with this sentence; what follows the colon is ours.
        reason = "last frame image content cannot be mixed with first frame or reference image content"
        return invalid("content", f"{reason}: a last frame needs a first frame beside it.")
    return None


def references_are_not_too_many(case: Case) -> Violation | None:
    """Bound the number of references of each kind."""
    if case.scenario is not Scenario.REFERENCE or Scenario.REFERENCE not in case.model.scenarios:
        return None
    counts, model = Counter(item.modality for _, item in case.media), case.model
    images, videos, audios = counts[Modality.IMAGE], counts[Modality.VIDEO], counts[Modality.AUDIO]
    if images > model.reference_images_max:
        reason = f"expected at most {model.reference_images_max} reference images but got {images} instead."
        return invalid("content", reason)
    for kind, given, most in (
        ("video", videos, model.reference_videos_max),
        ("audio", audios, model.reference_audios_max),
    ):
        if given > most:
            return invalid("content", f"expected at most {most} {kind} contents but got {given} instead")
    return None


def audio_is_not_the_only_reference(case: Case) -> Violation | None:
    """Refuse audio alone, unless model or dialect allow it (2.5; seed 000, line 39)."""
    if case.model.audio_alone or case.profile.audio_alone or not case.media:
        return None
    if all(item.modality is Modality.AUDIO for _, item in case.media):
        return invalid("content", "reference_audio cannot be the only reference input")
    return None


def reference_audio_needs_sound(case: Case) -> Violation | None:
    """Require generate_audio beside reference audio where the dialect does. Source: seed 003, line 29."""
    if not case.profile.audio_needs_sound or case.request.generate_audio:
        return None
    if any(item.modality is Modality.AUDIO for _, item in case.media):
        return invalid("generate_audio", "it must be true when reference_audio is used.")
    return None


def scenario_is_of_the_model(case: Case) -> Violation | None:
    """Refuse a scenario the model does not have: references on 1.x, a last frame on 1.0 pro fast."""
    if case.scenario in case.model.scenarios:
        return None
    allowed = ", ".join(SCENARIO_CODE[scenario] for scenario in case.model.scenarios)
    return not_for_model(case, "content", f"it supports {allowed}")


def frames_leave_the_ratio_open(case: Case) -> Violation | None:
    """Require the adaptive ratio beside frames where the model does (2.5); the final of a draft has the draft's."""
    if not case.model.adaptive_only_with_frames or case.scenario not in FRAME_SCENARIOS or case.is_final:
        return None
    if case.request.ratio == RATIO_CHOSEN_BY_ENGINE:
        return None
    return not_for_model(case, "ratio", f"it must be `{RATIO_CHOSEN_BY_ENGINE}`", code=TASK_TYPE)


def fixed_camera_has_no_references(case: Case) -> Violation | None:
    """Refuse a fixed camera beside reference images. Source: Ark documentation, "camera_fixed"."""
    if not case.request.camera_fixed:
        return None
    if any(item.role is Role.REFERENCE_IMAGE for _, item in case.media):
        return not_for_model(case, "camera_fixed", "reference images do not allow it", code=UNSUPPORTED)
    return None


def addresses_can_be_read(case: Case) -> Violation | None:
    """Require web, asset or data addresses; videos are data only where the dialect's clients upload them.

    Source: seed 001, lines 71, 79 and 85.
    """
    for index, item in case.media:
        value = item.value
        is_video = item.modality is Modality.VIDEO
        # What has no scheme is no address that is too long: it is base64 whose sender left out what stands before it.
        if len(value) > ADDRESS_CHARS_MAX and value[:5].lower() != "data:" and "://" in value[:ADDRESS_CHARS_MAX]:
            return invalid(_address(index, item), f"an address has at most {ADDRESS_CHARS_MAX} characters.")
        # What was stored once, a draft's media for one, has left its address behind.
        if WEB.match(value) or is_film_of_task(item) or item.medium is not None:
            continue
        if value.startswith(ASSET):
            if value == ASSET:
                return invalid(_address(index, item), "asset:// must be followed by the id of an asset.")
            continue
        if _DATA[item.modality].match(value) and (case.profile.takes_uploaded_videos or not is_video):
            continue
        if value.endswith(_DAMAGED) and (case.profile.takes_uploaded_videos or not is_video):
            return invalid(_address(index, item), NOT_BASE64)
        if is_video:
            return invalid("content", "reference_video must be provided as a web url.")
        kinds = f"an http(s) address, data:{item.modality}/<format in lower case>;base64,<data> or asset://<id>"
        return invalid(_address(index, item), f"{kinds} is expected.")
    return None


def assets_are_of_the_model(case: Case) -> Violation | None:
    """Keep asset references to the models that take them here. Source: seed 002, lines 475-476."""
    models = case.profile.asset_models
    if models is None or case.model.id in models:
        return None
    for index, item in case.media:
        if item.value.startswith(ASSET):
            return invalid(_address(index, item), f"asset:// is not supported by the model {case.request.model_shown}.")
    return None


def media_is_served_by_the_engine(case: Case) -> Violation | None:
    """Refuse the first media item of a scenario that the engine cannot serve."""
    if scenario_of(case.request) in case.served and not case.request.of(Modality.DRAFT):
        return None
    for index, item in enumerate(case.request.content):
        if item.modality is not Modality.TEXT:
            return invalid(f"content[{index}]", _not_served(case, item))
    return None


def _not_served(case: Case, item: ContentItem) -> str:
    kind = str(item.modality) if item.modality is Modality.DRAFT else media_key(item)
    return f"this server does not serve `{kind}` content yet; its engine {case.engine} takes `text` content only."


def _address(index: int, item: ContentItem) -> str:
    return f"content[{index}].{media_key(item)}.url"


CONTENT_RULES: tuple[Rule, ...] = (
    draft_task_stands_alone,
    every_image_has_a_role,
    videos_and_audio_are_references,
    frames_are_not_mixed_with_references,
    frames_come_once_and_first_before_last,
    references_are_not_too_many,
    audio_is_not_the_only_reference,
    scenario_is_of_the_model,
    addresses_can_be_read,
    assets_are_of_the_model,
    reference_audio_needs_sound,
    frames_leave_the_ratio_open,
    fixed_camera_has_no_references,
)

SERVING_RULES: tuple[Rule, ...] = (media_is_served_by_the_engine,)
"""What is this server's own limit: judged last, so that what is wrong everywhere is said first."""
