"""OpenAI's video requests, both ways: create, and what changes a film (remix, edit, extension).

Source: openai-python 3.54.0, types/video_*_params.py. Quirks: ``seconds`` is a string; the SDK sends forms, so every
value may be a string; fields of Ark's beside them, or in ``metadata`` as new-api's clients write them, are honoured,
and ``metadata`` is where they are written.
"""

import re
from collections.abc import Mapping
from mimetypes import MimeTypes
from typing import Any

import msgspec

from understudy.catalog.load import load_catalogue
from understudy.core.change import Change, ChangeKind
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.errors import NotFound, Rejected, Violation
from understudy.core.model_spec import ModelSpec, Profile
from understudy.core.request import GenerationRequest
from understudy.core.roles import with_roles
from understudy.core.task import Warned
from understudy.dialects.ark_content import MEDIA_KEY, Url, decode_content, decode_tools, idle_item_keys
from understudy.dialects.ark_request import Create, encode_create, ignored, joined_texts, lost_fields, with_defaults
from understudy.dialects.codec import Decoded, Encoded
from understudy.dialects.form import read_json_text
from understudy.dialects.ids import internal_id
from understudy.dialects.json_body import absent, convert, reject_value, shown, unknown_keys
from understudy.dialects.naming import media_names, renamed_all, renamed_warnings, spelled
from understudy.dialects.sizes import named_by, nearest, read_size_px
from understudy.dialects.universal_request import LISTS, read_metadata
from understudy.dialects.unread import unread_keys


class Reference(msgspec.Struct):
    """An image that guides the film. file_id: of OpenAI's file store, which this server does not have."""

    image_url: str | Url | None = None
    file_id: str | None = None


class VideoCreate(Create, omit_defaults=True):
    """The create request: OpenAI's five fields, then Ark's, which OpenAI does not have.

    seconds: whole seconds, as a string. size: ``"720x1280"``. input_reference: an image is the first frame, a video
    the reference. metadata: Ark's fields once more, as an object or its JSON string.
    """

    prompt: str | None = None
    seconds: str | int | None = None
    size: str | None = None
    input_reference: str | Reference | list[str | Reference] | None = None
    metadata: dict[str, Any] | str | None = None


class VideoChange(msgspec.Struct):
    """A remix, an edit or an extension. video: the id of one of our films, an address, or a file of the form."""

    prompt: str | None = None
    seconds: str | int | None = None
    video: "str | SourceVideo | None" = None


class SourceVideo(msgspec.Struct):
    """The object around the id of a film."""

    id: str | None = None


_KEYS = frozenset(VideoCreate.__struct_fields__)
_EXTRAS = frozenset(Create.__struct_fields__) - {"model"}
_MEDIA_TYPES = MimeTypes()
_CHANGES = {"remix": ChangeKind.REMIX, "edits": ChangeKind.EDIT, "extensions": ChangeKind.EXTEND}
_CHANGE_KEYS = {
    ChangeKind.REMIX: frozenset({"prompt"}),
    ChangeKind.EDIT: frozenset({"prompt", "video"}),
    ChangeKind.EXTEND: frozenset({"prompt", "video", "seconds"}),
}


def decode_create(fields: Mapping[str, Any], profile: Profile) -> Decoded:
    """Read a create request.

    Raises: Rejected.
    """
    metadata = read_metadata(fields.get("metadata"))
    merged, names, told = _merged(fields, metadata)
    try:
        wire = convert(merged, VideoCreate, is_lenient=True)
        if not wire.prompt:
            absent("prompt")
        told += tuple(ignored(spelled(key, names)) for key in unread_keys(merged, VideoCreate))
        content, more, found = _content(wire, merged, names)
        told += more
        request, shaped, warned = _request(wire, content, names, profile=profile)
    except Rejected as error:
        raise renamed_all(error, names) from None
    names = {**names, **found, **shaped}
    return Decoded(request=request, warnings=(*told, *warned), names=names)


def _merged(
    fields: Mapping[str, Any], metadata: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str], tuple[Warned, ...]]:
    """Return the fields with those of the metadata below them, how those are named, and what means nothing."""
    told = [ignored(key) for key in unknown_keys(fields, _KEYS)]
    told += [ignored(key) for key in unknown_keys(metadata, _EXTRAS, "metadata.")]
    merged = {key: value for key, value in fields.items() if key in _KEYS and key != "metadata"}
    names: dict[str, str] = {}
    for key in [key for key in metadata if key in _EXTRAS]:
        if key not in merged:
            merged[key] = metadata[key]
            names[key] = f"metadata.{key}"
        elif merged[key] != metadata[key]:
            told.append(Warned(param=f"metadata.{key}", message=f"`{key}` beside `metadata` was used instead."))
    for key in LISTS:
        if isinstance(merged.get(key), str):
            merged[key] = read_json_text(merged[key], key)
    return merged, names, tuple(told)


def _content(
    wire: VideoCreate, merged: Mapping[str, Any], given: Mapping[str, str]
) -> tuple[tuple[ContentItem, ...], tuple[Warned, ...], dict[str, str]]:
    """Return the prompt and the media, in this order, what was dropped or inferred, and the names of the items.

    given: the names of what came in ``metadata``.
    """
    assert wire.prompt is not None
    items = [ContentItem(modality=Modality.TEXT, value=wire.prompt)]
    names = {"content": "prompt", "content[0]": "prompt", "content[0].text": "prompt"}
    told: list[Warned] = []
    references = _references(wire)
    if wire.content:
        listed = decode_content(wire.content)
        told += [ignored(spelled(key, given)) for key in idle_item_keys(merged["content"])]
        names["content"] = spelled("content", given)
        told += [
            Warned(param=wire_name, message=f"`{names['content']}` was used instead.") for wire_name, _ in references
        ]
        for index, item in enumerate(listed):
            where = f"content[{index}]"
            if item.modality is Modality.DRAFT:
                reject_value(f"{where}.type", "a draft cannot be made final here; use Ark's path.")
            if item.modality is not Modality.TEXT:
                names[f"content[{len(items)}]"] = spelled(where, given)
                items.append(item)
            elif item.value != wire.prompt:
                told.append(Warned(param=spelled(where, given), message="The text is `prompt`; this item was ignored."))
    elif references:
        # What the rules say of the content as a whole is nearly always about its media.
        names["content"] = "input_reference"
        for wire_name, item in references:
            names.update(media_names(len(items), MEDIA_KEY[item.modality], wire_name))
            items.append(item)
    content, inferred = with_roles(tuple(items))
    return content, (*told, *renamed_warnings(inferred, names)), names


def _references(wire: VideoCreate) -> list[tuple[str, ContentItem]]:
    """Return the media of ``input_reference`` with their names; a video is a reference, a lone image a first frame."""
    given = wire.input_reference
    if given is None:
        return []
    is_list = isinstance(given, list)
    found: list[tuple[str, ContentItem]] = []
    for index, each in enumerate(given if isinstance(given, list) else [given]):
        name = f"input_reference[{index}]" if is_list else "input_reference"
        address = _address(each, name)
        modality = modality_of(address)
        if modality is None:
            reject_value(name, "the file is neither an image nor a video.")
        role = Role.REFERENCE_VIDEO if modality is Modality.VIDEO else None
        found.append((name, ContentItem(modality=modality, value=address, role=role)))
    return found


def _address(reference: str | Reference, name: str) -> str:
    if isinstance(reference, str):
        return reference
    if reference.file_id is not None:
        reject_value(f"{name}.file_id", "this server keeps no uploaded files; send `image_url` or the file itself.")
    url = reference.image_url.url if isinstance(reference.image_url, Url) else reference.image_url
    if url is None:
        absent(f"{name}.image_url")
    return url


def modality_of(address: str) -> Modality | None:
    """Tell by a data URL's type or an address's extension what it is; an image where neither says, None for others."""
    if address[:5].lower() == "data:":
        kind = address[5:20].lower().partition("/")[0]
        return {"image": Modality.IMAGE, "video": Modality.VIDEO, "audio": Modality.AUDIO}.get(kind)
    # Not urlsplit, which keeps what it was given last, were it megabytes.
    path = address.partition("#")[0].partition("?")[0]
    if "://" in path:
        path = path.partition("://")[2].partition("/")[2]
    kind = (_MEDIA_TYPES.guess_type(f"file{path[-20:]}")[0] or "").partition("/")[0]
    return {"video": Modality.VIDEO, "audio": Modality.AUDIO}.get(kind, Modality.IMAGE)


def _request(
    wire: VideoCreate, content: tuple[ContentItem, ...], given: Mapping[str, str], *, profile: Profile
) -> tuple[GenerationRequest, dict[str, str], tuple[Warned, ...]]:
    """Return the request, the names of what ``seconds`` and ``size`` stand for, and what they overrule.

    given: the names of what came in ``metadata``.
    """
    told: list[Warned] = []
    names: dict[str, str] = {}
    duration_s = wire.duration
    if wire.seconds is not None:
        duration_s = _seconds(wire.seconds)
        if wire.duration not in (None, duration_s):
            told.append(_overruled(spelled("duration", given), "seconds"))
    if wire.seconds is not None or wire.duration is None:
        names["duration"] = "seconds"
    wanted, warned = _pair_of(wire.size, wire.model, profile)
    told += warned
    shape: dict[str, str | None] = {"resolution": wire.resolution, "ratio": wire.ratio}
    for field, value in shape.items():
        if value is None:
            shape[field] = wanted.get(field)
            names[field] = "size"
        elif wanted.get(field) not in (None, value):
            told.append(_overruled("size", spelled(field, given)))
    kept = {name: getattr(wire, name) for name in _KEPT}
    values = with_defaults(
        {
            **kept,
            **shape,
            "model": wire.model,
            "duration_s": duration_s,
            "execution_expires_after_s": wire.execution_expires_after,
        },
        profile,
    )
    if wire.frames is not None and duration_s is None:
        # The default of a field that was not sent must not be told to have lost against the frames.
        values["duration_s"] = None
    request = GenerationRequest(content=content, tools=decode_tools(wire.tools), **values)
    return request, names, tuple(told)


_KEPT = tuple(sorted(_EXTRAS - {"content", "duration", "execution_expires_after", "tools", "resolution", "ratio"}))
"""Ark's fields that the request spells alike and that nothing of OpenAI's stands for."""


def _overruled(param: str, by: str) -> Warned:
    return Warned(param=param, message=f"`{by}` says otherwise and was used instead.")


def _seconds(given: str | int) -> int:
    text = str(given).strip()
    if not re.fullmatch(r"-?[0-9]{1,6}", text, re.ASCII):
        reject_value("seconds", 'it must be a whole number of seconds, such as "4".')
    return int(text)


def _pair_of(size_text: str | None, model_name: str | None, profile: Profile) -> tuple[dict[str, str], list[Warned]]:
    """Return the resolution and the ratio that a size stands for, and what was made of a size that is none."""
    if size_text is None:
        return {}, []
    text = size_text.strip().lower()
    model = _model(model_name, profile)
    named = named_by(model, text)
    if named:
        return named, []
    size_px = read_size_px(text)
    if size_px is None:
        reject_value("size", "it must be width x height in pixels, such as `1280x720`.")
    resolution, ratio = nearest(model, *size_px)
    if model.sizes[resolution][ratio] == size_px:
        return {"resolution": resolution, "ratio": ratio}, []
    written = f"{size_px[0]}x{size_px[1]}"
    resolution, ratio = profile.sizes.get(written, (resolution, ratio))
    message = f"{resolution} at {ratio} is made instead of {written}, which {model.name} does not have."
    return {"resolution": resolution, "ratio": ratio}, [Warned(param="size", message=message)]


def _model(name: str | None, profile: Profile) -> ModelSpec:
    """Return the model's row; of a model that is not known, the default one's: it is refused later, or relayed."""
    catalogue = load_catalogue()
    model = catalogue.model(name or "") or catalogue.model(str(profile.defaults["model"]))
    assert model is not None, "the catalogue has the dialect's default model"
    return model


def encode_request(request: GenerationRequest, profile: Profile) -> Encoded:
    """Write a create request. Ark's fields stand beside OpenAI's; with a list of media all of them go into `metadata`.

    A field that says what the dialect assumes is left out: a server of OpenAI's own refuses fields it does not know.
    """
    explicit = _explicit(request, profile)
    media = [item for item in request.content if item.modality not in (Modality.TEXT, Modality.DRAFT)]
    wire = encode_create(request)
    body = VideoCreate(model=request.model_shown, prompt=request.prompt)
    if explicit["duration_s"] is not None:
        body.seconds = str(explicit["duration_s"])
    shape = {name: explicit[name] for name in ("resolution", "ratio") if explicit[name] is not None}
    body.size = _size_text(shape, request, profile)
    extras = {key: value for key, value in msgspec.to_builtins(wire).items() if key not in _WRITTEN}
    if request.execution_expires_after_s == profile.defaults["execution_expires_after_s"]:
        extras.pop("execution_expires_after", None)
    is_listed = bool(media) and not (len(media) == 1 and _is_input_reference(media[0]))
    if is_listed or body.size is None:
        extras.update(shape)
    if is_listed:
        items = msgspec.to_builtins(wire.content)
        extras["content"] = [item for item in items if item["type"] not in ("text", "draft_task")]
        body.metadata = extras
    else:
        body.input_reference = media[0].value if media else None
        for key in extras:
            setattr(body, key, explicit[key] if key in shape else getattr(wire, key))
    return Encoded(body=msgspec.json.encode(body), lost=tuple(_lost(request)))


_WRITTEN = frozenset({"model", "content", "duration", "resolution", "ratio"})


def _explicit(request: GenerationRequest, profile: Profile) -> dict[str, Any]:
    """Return the three fields that have defaults here with the model's own default where nothing was said.

    Left out, they would mean OpenAI's defaults to whoever reads the request.
    """
    model = load_catalogue().model(request.model)
    found: dict[str, Any] = {}
    for name in ("duration_s", "resolution", "ratio"):
        value = getattr(request, name)
        # Frames stand for a duration, and a draft has a resolution of its own.
        is_settled = {"duration_s": request.frames is not None, "resolution": bool(request.draft)}.get(name, False)
        if value is None and model is not None and not is_settled:
            value = model.defaults.get(name)
        found[name] = value
    return found


def _size_text(shape: Mapping[str, str], request: GenerationRequest, profile: Profile) -> str | None:
    """Spell a size in pixels, where reading it gives the same resolution and ratio again."""
    model = load_catalogue().model(request.model)
    if model is None:
        return None
    size_px = model.sizes.get(shape.get("resolution", ""), {}).get(shape.get("ratio", ""))
    if size_px is None:
        return None
    text = f"{size_px[0]}x{size_px[1]}"
    return text if _pair_of(text, request.model_shown, profile)[0] == shape else None


def _is_input_reference(item: ContentItem) -> bool:
    """Say whether the item is just what ``input_reference`` means."""
    role = {Modality.IMAGE: Role.FIRST_FRAME, Modality.VIDEO: Role.REFERENCE_VIDEO}.get(item.modality)
    return role is not None and item.role is role and modality_of(item.value) is item.modality


def _lost(request: GenerationRequest) -> list[Warned]:
    lost: list[Warned] = []
    if not request.prompt.strip("\n"):
        lost.append(Warned(param="content", message="A prompt is required here and the request has none."))
    lost += joined_texts(request)
    for index, item in enumerate(request.content):
        if item.modality is Modality.DRAFT:
            lost.append(Warned(param=f"content[{index}]", message="A draft cannot be made final here."))
    return [*lost, *lost_fields(request)]


def decode_change(kind: str, fields: Mapping[str, Any], *, source: str | None) -> tuple[Change, tuple[Warned, ...]]:
    """Read a request that changes a film. kind: the path's last word; source: the internal id in a remix's path.

    Raises: Rejected; NotFound for a video id that cannot be one of ours.
    """
    change = _CHANGES[kind]
    told = tuple(ignored(key) for key in unknown_keys(fields, _CHANGE_KEYS[change]))
    known = {key: value for key, value in fields.items() if key in _CHANGE_KEYS[change]}
    if isinstance(known.get("video"), str) and known["video"].lstrip().startswith("{"):
        known["video"] = read_json_text(known["video"], "video")
    wire = convert(known, VideoChange, is_lenient=True)
    if not wire.prompt:
        absent("prompt")
    address: str | None = None
    if change is not ChangeKind.REMIX:
        source, address = _source(wire.video)
    if change is ChangeKind.EXTEND and wire.seconds is None:
        absent("seconds")
    duration_s = None if wire.seconds is None else _seconds(wire.seconds)
    return Change(kind=change, prompt=wire.prompt, source=source, video=address, duration_s=duration_s), told


def _source(video: "str | SourceVideo | None") -> tuple[str | None, str | None]:
    """Return the internal id of the film that is changed, or the address of one that is not ours."""
    if not video:
        absent("video")
    if isinstance(video, str) and (video[:5].lower() == "data:" or "://" in video):
        if video[:5].lower() == "data:" and modality_of(video) is not Modality.VIDEO:
            reject_value("video", "the file is not a video.")
        return None, video
    wire_id = video if isinstance(video, str) else video.id
    if not wire_id:
        absent("video.id")
    source = internal_id(wire_id)
    if source is None:
        message = f"The specified task `{shown(wire_id)}` is not found."
        raise NotFound(Violation("NotFound.TaskId", "video", message))
    return source, None
