"""APIMart's create request: the wire struct and its translation, both ways.

Source: seed 002. Quirks, explained in docs/decisions: ``size`` is a ratio; one plain image alone is a first frame and
any other image of ``image_urls`` a reference; Seedance 1.5 Pro has no references and two parameters under other names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import msgspec

from understudy.catalog.load import load_catalogue
from understudy.core.content import ASSET, ContentItem, Modality, Role
from understudy.core.model_spec import Profile
from understudy.core.request import DURATION_CHOSEN_BY_ENGINE, GenerationRequest, param_of
from understudy.core.roles import REFERENCE_ROLE, with_roles
from understudy.core.scenario import Scenario
from understudy.core.task import Warned
from understudy.dialects.ark_content import MEDIA_KEY, Tool, decode_tools, encode_tools
from understudy.dialects.ark_request import ignored, joined_texts, with_defaults
from understudy.dialects.codec import Decoded, Encoded
from understudy.dialects.json_body import absent, convert, reject_value, shown
from understudy.dialects.naming import media_names
from understudy.dialects.unread import unread_keys


class RoledImage(msgspec.Struct):
    """One image with what it is for: `first_frame`, `last_frame` or `reference_image`."""

    url: str | None = None
    role: str | None = None


class Create(msgspec.Struct, omit_defaults=True):
    """The create request. `size` is an aspect ratio; `aspect_ratio` and `audio` are its names at Seedance 1.5 Pro."""

    model: str | None = None
    prompt: str | None = None
    duration: int | None = None
    size: str | None = None
    resolution: str | None = None
    seed: int | None = None
    generate_audio: bool | None = None
    return_last_frame: bool | None = None
    tools: list[Tool] | None = None
    image_urls: list[str] | None = None
    image_with_roles: list[RoledImage] | None = None
    video_urls: list[str] | None = None
    audio_urls: list[str] | None = None
    aspect_ratio: str | None = None
    audio: bool | None = None


_RATIO = "size"
"""What the dialect calls a ratio."""
_IMAGE_ROLES = tuple(str(role) for role in (Role.FIRST_FRAME, Role.LAST_FRAME, Role.REFERENCE_IMAGE))
_FRAMES = (Role.FIRST_FRAME, Role.LAST_FRAME)
_ORDER = (Modality.TEXT, Modality.IMAGE, Modality.VIDEO, Modality.AUDIO)
"""How the dialect groups what a request holds."""
_CARRIED = frozenset(
    {"model", "model_asked", "content", "ratio", "resolution", "duration_s", "seed", "generate_audio"}
    | {"return_last_frame", "tools"}
)
"""Fields of the request that the dialect has."""


def decode_create(given: Mapping[str, Any], profile: Profile) -> Decoded:
    """Read APIMart's request with the profile's defaults; numbers and booleans may be strings.

    Raises: Rejected.
    """
    known, told = _without_former_names(given, profile)
    wire = convert(known, Create, is_lenient=True)
    if not wire.model:
        absent("model")
    names = {"ratio": _RATIO}
    for former, today in profile.former_names.items():
        if getattr(wire, former) is not None:
            names["ratio" if today == _RATIO else today] = former
            setattr(wire, today, getattr(wire, former))
    content, media = _decode_content(wire, wire.model)
    values = {
        "ratio": wire.size,
        "resolution": wire.resolution,
        "duration_s": wire.duration,
        "seed": wire.seed,
        "generate_audio": wire.generate_audio,
        "return_last_frame": wire.return_last_frame,
    }
    request = GenerationRequest(
        model=wire.model, content=content, tools=decode_tools(wire.tools), **with_defaults(values, profile)
    )
    told += [ignored(key) for key in unread_keys(known, Create)]
    return Decoded(
        request=request,
        warnings=(*told, *_two_images_alone(wire, content), *_one_asset_of_two_kinds(wire)),
        names=names | media,
    )


def encode_create(request: GenerationRequest, profile: Profile) -> Encoded:
    """Write APIMart's request and tell what it cannot carry."""
    content, assumed = with_roles(request.content)
    moved = _lost_items(content)
    known = {warned.param for warned in moved}
    joined = [warned for warned in joined_texts(request) if warned.param not in known]
    lost = [*moved, *joined, *assumed, *_lost_fields(request, profile)]
    images = [item for item in content if item.modality is Modality.IMAGE]
    videos = [item.value for item in request.of(Modality.VIDEO)]
    audios = [item.value for item in request.of(Modality.AUDIO)]
    addresses = [image.value for image in images]
    meant = _plain_roles(addresses, request.model, is_alone=not videos and not audios)
    is_plain = meant == tuple(image.role for image in images)
    body = Create(
        model=request.model_shown,
        prompt=request.prompt or None,
        duration=request.duration_s,
        size=request.ratio,
        resolution=request.resolution,
        seed=request.seed,
        generate_audio=request.generate_audio,
        return_last_frame=request.return_last_frame,
        tools=encode_tools(request.tools),
        image_urls=addresses if is_plain and images else None,
        image_with_roles=None if is_plain else [RoledImage(image.value, str(image.role)) for image in images],
        video_urls=videos or None,
        audio_urls=audios or None,
    )
    if request.duration_s == DURATION_CHOSEN_BY_ENGINE and not profile.durations_choosable:
        body.duration = None
        default_s = profile.defaults["duration_s"]
        message = f"APIMart does not leave the duration to the model; its default of {default_s} s holds."
        lost.append(Warned(param="duration", message=message))
    if _has_former_names(request.model, profile):
        for former, today in profile.former_names.items():
            setattr(body, former, getattr(body, today))
            setattr(body, today, None)
    return Encoded(body=msgspec.json.encode(body), lost=tuple(lost))


def _has_former_names(model: object, profile: Profile) -> bool:
    spec = load_catalogue().model(model) if isinstance(model, str) else None
    return (spec.id if spec else model) in profile.former_names_models


def _without_former_names(given: Mapping[str, Any], profile: Profile) -> tuple[dict[str, Any], list[Warned]]:
    """Leave out the former names where they mean nothing: at other models, and beside today's name."""
    known, told = dict(given), []
    is_former = _has_former_names(given.get("model"), profile)
    for former, today in profile.former_names.items():
        if former not in given:
            continue
        if not is_former:
            message = f"`{former}` is not a parameter of this model and was ignored; it is called `{today}` here."
        elif given.get(today) is not None:
            message = f"`{former}` was ignored because `{today}` is given as well."
        else:
            continue
        del known[former]
        told.append(Warned(param=former, message=message))
    return known, told


def _plain_roles(addresses: Sequence[str], model: str, *, is_alone: bool) -> tuple[Role, ...]:
    """Say what the images of ``image_urls`` are for. is_alone: neither video nor audio stands beside them.

    Source: seed 002, cases 2 and 7 (first frame), 9, 10, 12 and 13 (references). Models without references, such as
    Seedance 1.5 Pro, can mean first and last frame only.
    """
    spec, count = load_catalogue().model(model), len(addresses)
    if is_alone and count <= len(_FRAMES) and spec and Scenario.REFERENCE not in spec.scenarios:
        return _FRAMES[:count]
    is_first_frame = is_alone and count == 1 and not addresses[0].startswith(ASSET)
    return (Role.FIRST_FRAME,) if is_first_frame else (Role.REFERENCE_IMAGE,) * count


def _decode_content(wire: Create, model: str) -> tuple[tuple[ContentItem, ...], dict[str, str]]:
    """Read prompt, images, videos and audios, in this order, and what they are called.

    Raises: Rejected.
    """
    text = [ContentItem(modality=Modality.TEXT, value=wire.prompt)] if wire.prompt else []
    placed = _images(wire, model)
    for modality, param in ((Modality.VIDEO, "video_urls"), (Modality.AUDIO, "audio_urls")):
        role = REFERENCE_ROLE[modality]
        for index, address in enumerate(getattr(wire, param) or ()):
            placed.append((ContentItem(modality=modality, value=address, role=role), f"{param}[{index}]"))
    if not text and not placed:
        absent("prompt")
    names = {"content": placed[0][1].partition("[")[0]} if placed else {"content": "prompt"}
    if text:
        names |= {"content[0]": "prompt", "content[0].text": "prompt"}
    for index, (item, param) in enumerate(placed, len(text)):
        names |= media_names(index, MEDIA_KEY[item.modality], param)
        if param.startswith("image_with_roles"):
            names[f"content[{index}].role"] = f"{param}.role"
            names[f"content[{index}].image_url"] = names[f"content[{index}].image_url.url"] = f"{param}.url"
    return (*text, *(item for item, _ in placed)), names


def _images(wire: Create, model: str) -> list[tuple[ContentItem, str]]:
    """Read the images, each with its parameter.

    Raises: Rejected.
    """
    addresses, roled = wire.image_urls or [], wire.image_with_roles or []
    if addresses and roled:
        reject_value("image_with_roles", "it cannot be used together with `image_urls`.")
    meant = _plain_roles(addresses, model, is_alone=not wire.video_urls and not wire.audio_urls)
    found = [
        (ContentItem(modality=Modality.IMAGE, value=address, role=role), f"image_urls[{index}]")
        for index, (address, role) in enumerate(zip(addresses, meant, strict=True))
    ]
    for index, image in enumerate(roled):
        param = f"image_with_roles[{index}]"
        if image.url is None:
            absent(f"{param}.url")
        if not image.role:
            absent(f"{param}.role")
        if image.role not in _IMAGE_ROLES:
            reject_value(f"{param}.role", "supported values are: " + ", ".join(f"`{r}`" for r in _IMAGE_ROLES) + ".")
        found.append((ContentItem(modality=Modality.IMAGE, value=image.url, role=Role(image.role)), param))
    return found


def _two_images_alone(wire: Create, content: Sequence[ContentItem]) -> list[Warned]:
    """Tell that they are references, because elsewhere they would be the first and the last frame."""
    plain = wire.image_urls or []
    is_clear = len(plain) != len(_FRAMES) or any(address.startswith(ASSET) for address in plain)
    if is_clear or wire.video_urls or wire.audio_urls or content[-1].role is not Role.REFERENCE_IMAGE:
        return []
    message = "Both images were taken as references; `image_with_roles` tells a first from a last frame."
    return [Warned(param="image_urls", message=message)]


def _one_asset_of_two_kinds(wire: Create) -> list[Warned]:
    """Tell of an asset that is given as two kinds of media, as in seed 002, case 13; both are kept."""
    told: list[Warned] = []
    first: dict[str, str] = {}
    roled = [image.url or "" for image in wire.image_with_roles or ()]
    lists = {"image_urls": wire.image_urls, "image_with_roles": roled}
    lists |= {"video_urls": wire.video_urls, "audio_urls": wire.audio_urls}
    for param, addresses in lists.items():
        kind = param.partition("_")[0]
        for index, address in enumerate(addresses or ()):
            other = first.setdefault(address, kind)
            if address.startswith(ASSET) and other != kind:
                message = f"`{shown(address)}` is given as {other} and as {kind}, but an asset is of one kind only."
                told.append(Warned(param=f"{param}[{index}]", message=message))
    return told


def _lost_items(content: Sequence[ContentItem]) -> list[Warned]:
    """Tell of drafts, which the dialect does not have, and of items that its grouping moves."""
    lost: list[Warned] = []
    furthest = 0
    for index, item in enumerate(content):
        param = f"content[{index}]"
        if item.modality is Modality.DRAFT:
            lost.append(Warned(param=param, message="APIMart has no draft tasks; the item was left out."))
            continue
        place = _ORDER.index(item.modality)
        if place < furthest:
            message = f"APIMart groups prompt, images, videos and audios; this {item.modality} moves forward."
            lost.append(Warned(param=param, message=message))
        furthest = max(furthest, place)
    return lost


def _lost_fields(request: GenerationRequest, profile: Profile) -> list[Warned]:
    """Tell of the fields that the dialect does not have, unless they ask for what it assumes anyway."""
    lost: list[Warned] = []
    for name in (field.name for field in fields(GenerationRequest) if field.name not in _CARRIED):
        value = getattr(request, name)
        if value not in (None, ()) and value != profile.defaults.get(name):
            param = param_of(name)
            lost.append(Warned(param=param, message=f"APIMart has no `{param}`; it was left out."))
    return lost
