"""new-api's create request, both ways: a prompt and images on top, and the whole of Ark's request under ``metadata``.

Source: seed 000, "Path B"; new-api's ``TaskSubmitReq`` and its conversion for this model family. What is read becomes
Ark's request and goes the way of Ark's own; parameters in errors and warnings get their names here back.
"""

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import Any

import msgspec

from understudy.catalog.load import load_catalogue
from understudy.core.content import Modality
from understudy.core.errors import Rejected
from understudy.core.model_spec import Profile
from understudy.core.request import GenerationRequest
from understudy.core.task import Warned
from understudy.dialects.ark_content import encode_content
from understudy.dialects.ark_request import (
    Create,
    decode_create,
    drop_duration,
    encode_create,
    ignored,
    joined_texts,
    lost_fields,
)
from understudy.dialects.codec import Decoded, Encoded
from understudy.dialects.form import FormFields, read_json_text
from understudy.dialects.json_body import convert, reject, reject_value, unknown_keys
from understudy.dialects.naming import media_names, renamed_all, renamed_warnings
from understudy.dialects.sizes import can_be_size, named_by, nearest, read_size_px


class Submit(msgspec.Struct, omit_defaults=True):
    """The create request. metadata: Ark's request, or its JSON as text; its ``model`` does not count.

    image, images: addresses without roles. duration, seconds: the same; width and height, or size ("1280x720"): pixels,
    of which the nearest output size is taken; size may also name a ratio or a resolution. mode, user: without effect.
    """

    model: str | None = None
    prompt: str | None = None
    image: str | None = None
    images: list[str] | None = None
    input_reference: str | None = None
    duration: int | None = None
    seconds: int | None = None
    size: str | None = None
    width: int | None = None
    height: int | None = None
    fps: int | None = None
    seed: int | None = None
    n: int | None = None
    response_format: str | None = None
    mode: str | None = None
    user: str | None = None
    metadata: Create | str | None = None


_KEYS = frozenset(Submit.__struct_fields__)
_ARK_KEYS = tuple(key for key in Create.__struct_fields__ if key != "model")
_METADATA_NAMES = {key: f"metadata.{key}" for key in _ARK_KEYS}
_UNSET_WHEN_ZERO = ("duration", "seconds", "width", "height", "fps", "n")
"""Go clients write zero for what they leave out."""
LISTS = ("content", "tools")
"""Ark's fields that are lists; where a form or its metadata gives them, they may be the JSON text of one."""
_BARE = ("image", "images", "input_reference")


def decode_submit(fields: Mapping[str, Any], profile: Profile) -> Decoded:
    """Read the request; numbers and booleans may be strings.

    Raises: Rejected.
    """
    given = {key: value for key, value in fields.items() if not _is_unset(key, value)}
    metadata = read_metadata(given.pop("metadata", None))
    wire = convert(given, Submit, is_lenient=True)
    require_model(wire.model)
    if wire.prompt is None or not wire.prompt.strip():
        reject("MissingParameter", "prompt", "prompt is required")
    unknown = unknown_keys(given, _KEYS)
    # new-api puts a form's unknown fields into the metadata; in JSON they are dropped.
    loose = {key: given[key] for key in unknown if key in given} if isinstance(fields, FormFields) else {}
    reading = _Reading(wire, {**loose, **metadata}, loose.keys())
    reading.told += [misplaced(key) if key in _METADATA_NAMES else ignored(key) for key in unknown if key not in loose]
    return reading.decoded(profile)


def _is_unset(key: str, value: Any) -> bool:
    return value is None or value == "" or (key in _UNSET_WHEN_ZERO and str(value) == "0")


def require_model(model: str | None) -> None:
    """Raise new-api's error for a request without a model."""
    if not model:
        reject("MissingParameter", "model", "model field is required")


def read_metadata(raw: Any) -> dict[str, Any]:
    """Return the object under ``metadata``, which may be a text that holds its JSON, and so may its lists.

    Raises: Rejected.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return {}
    found = read_json_text(raw, "metadata") if isinstance(raw, str) else raw
    if not isinstance(found, dict):
        reject_value("metadata", "an object is expected, or a text with the JSON of one.")
    told = {key: value for key, value in found.items() if value is not None}
    for key in LISTS:
        if isinstance(told.get(key), str):
            told[key] = read_json_text(told[key], f"metadata.{key}")
    return told


class _Reading:
    """One request on its way into Ark's words. told: what was dropped; names: Ark's parameter -> the caller's.

    loose: keys of the metadata that the caller wrote beside it.
    """

    def __init__(self, wire: Submit, metadata: Mapping[str, Any], loose: Set[str]) -> None:
        self.wire = wire
        self.metadata = metadata
        self.told: list[Warned] = []
        self.names: dict[str, str] = {**_METADATA_NAMES, **{key: key for key in loose}}
        self.ark: dict[str, Any] = {**metadata}

    def decoded(self, profile: Profile) -> Decoded:
        self.ark["model"] = self.wire.model
        self._read_seconds()
        self._read_seed()
        self._read_size()
        self._read_what_has_no_effect()
        self.ark["content"] = self._content()
        unknown = unknown_keys(self.ark, frozenset(Create.__struct_fields__))
        names = {**{key: f"metadata.{key}" for key in unknown}, **self.names}
        try:
            found = decode_create(self.ark, profile, is_lenient=True)
        except Rejected as error:
            raise renamed_all(error, names) from None
        told = (*self.told, *renamed_warnings(found.warnings, names))
        return Decoded(request=found.request, warnings=told, names={**found.names, **self.names})

    def _tell(self, param: str, message: str) -> None:
        self.told.append(Warned(param=param, message=message))

    def _read_seconds(self) -> None:
        """Let the top level's seconds count before those of the metadata. Source: new-api's conversion."""
        wire = self.wire
        if wire.duration is None and wire.seconds is None:
            return
        param = "duration" if wire.duration is not None else "seconds"
        chosen = wire.duration if wire.duration is not None else wire.seconds
        if wire.seconds is not None and wire.seconds != chosen:
            self._tell("seconds", f"`seconds` was ignored: `duration` says {chosen}.")
        inner = self.metadata.get("duration")
        if inner is not None and str(inner) != str(chosen):
            self._tell("metadata.duration", f"`metadata.duration` was ignored: `{param}` says {chosen}.")
        self.ark["duration"] = chosen
        self.names["duration"] = param

    def _read_seed(self) -> None:
        if self.wire.seed is None:
            return
        inner = self.metadata.get("seed")
        if inner is None:
            self.ark["seed"] = self.wire.seed
            self.names["seed"] = "seed"
        elif str(inner) != str(self.wire.seed):
            self._tell("seed", "`seed` was ignored: `metadata.seed` says something else.")

    def _read_size(self) -> None:
        """Take the output size that is nearest to the pixels asked for, where the metadata leaves it open."""
        wire = self.wire
        found = read_size_px(wire.size or "")
        if wire.size and not found:
            self._read_named_size(wire.size)
        if wire.width is not None and wire.height is not None:
            self._fit(wire.width, wire.height, param="width")
            if found:
                self._tell("size", "`size` was ignored: `width` and `height` say it.")
            return
        for param in ("width", "height"):
            if getattr(wire, param) is not None:
                self._tell(param, f"`{param}` was ignored: width and height work together.")
        if found:
            self._fit(*found, param="size")

    def _read_named_size(self, text: str) -> None:
        model = load_catalogue().model(self.wire.model or "")
        named = named_by(model, text) if model else {}
        if not named:
            self._tell("size", "`size` was ignored: it is neither pixels, such as 1280x720, nor a ratio or resolution.")
        for name, word in named.items():
            inner = self.ark.get(name)
            if inner is None:
                self.ark[name] = word
                self.names[name] = "size"
            elif inner != word:
                self._tell("size", f"`size` was ignored: `{self.names.get(name, name)}` says something else.")

    def _fit(self, width_px: int, height_px: int, *, param: str) -> None:
        model = load_catalogue().model(self.wire.model or "")
        if model is None or not can_be_size(width_px, height_px):
            self._tell(param, f"`{param}` was ignored: there is no film of {width_px}x{height_px}.")
            return
        found = nearest(model, width_px, height_px)
        for name, value in zip(("resolution", "ratio"), found, strict=True):
            if self.ark.get(name) is None:
                self.ark[name] = value
                self.names[name] = param
        settled = self.ark["resolution"], self.ark["ratio"]
        if settled != found or model.sizes[found[0]][found[1]] != (width_px, height_px):
            self._tell(param, f"{width_px}x{height_px} was read as {settled[0]} at {settled[1]}.")

    def _read_what_has_no_effect(self) -> None:
        wire = self.wire
        model = load_catalogue().model(wire.model or "")
        if wire.fps is not None and (model is None or wire.fps != model.fps):
            self._tell("fps", "`fps` was ignored: the model's films have their own frame rate.")
        if wire.n is not None and wire.n != 1:
            self._tell("n", "`n` was ignored: a request makes one film.")
        if wire.response_format not in (None, "url"):
            self._tell("response_format", "`response_format` was ignored: films are answered as a `url`.")
        self.told += [ignored(key) for key in ("mode", "user") if getattr(wire, key) is not None]
        if self.metadata.get("model") is not None:
            self._tell("metadata.model", "`metadata.model` was ignored: `model` counts.")

    def _content(self) -> list[Any]:
        """Return Ark's items: those of the metadata, else the bare images; the prompt last, as new-api has it."""
        listed, where = self.metadata.get("content") or [], self.names["content"]
        if not isinstance(listed, list):
            reject_value(where, "a list of content items is expected.")
        bare = self._bare_images(is_replaced=bool(listed))
        items = self._listed(listed, where) if listed else [_image(address) for address, _ in bare]
        for index, (_, wire_name) in enumerate([] if listed else bare):
            self.names |= media_names(index, "image_url", wire_name)
        if not listed:
            self.names["content"] = bare[0][1].partition("[")[0] if bare else "prompt"
        last = len(items)
        self.names |= {f"content[{last}]": "prompt", f"content[{last}].text": "prompt"}
        return [*items, {"type": "text", "text": self.wire.prompt}]

    def _listed(self, listed: list[Any], where: str) -> list[Any]:
        """Return the metadata's items without its texts, which the prompt replaces. where: what the caller calls it."""
        kept: list[Any] = []
        for index, item in enumerate(listed):
            if isinstance(item, dict) and item.get("type") == "text":
                if item.get("text") != self.wire.prompt:
                    self._tell(f"{where}[{index}]", "The text was ignored: `prompt` counts.")
                continue
            self.names[f"content[{len(kept)}]"] = f"{where}[{index}]"
            kept.append(item)
        return kept

    def _bare_images(self, *, is_replaced: bool) -> list[tuple[str, str]]:
        """Return the top level's images with the names they were given by; only the first kind of them counts."""
        wire = self.wire
        many = [(address, f"images[{index}]") for index, address in enumerate(wire.images or ())]
        one = [(address, name) for name in ("image", "input_reference") if (address := getattr(wire, name))]
        chosen = many or one[:1]
        counts = "metadata.content" if is_replaced else (chosen[0][1].partition("[")[0] if chosen else "")
        known = {address for address, _ in chosen}
        for name in _BARE:
            value = getattr(wire, name)
            if value and name != counts and (is_replaced or value not in known):
                self._tell(name, f"`{name}` was ignored: `{counts}` counts.")
        return [] if is_replaced else chosen


def _image(address: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": address}}


def misplaced(key: str) -> Warned:
    """Tell of a parameter of Ark's that stands beside ``metadata`` and not in it."""
    told = ignored(key)
    return replace(told, message=f"{told.message} Give it as `metadata.{key}`.")


def encode_submit(request: GenerationRequest, profile: Profile) -> Encoded:
    """Write the request: the texts joined as the prompt, all else under ``metadata``."""
    seconds = {"duration_s": request.duration_s}
    lost = [*drop_duration(seconds, request.content, profile), *joined_texts(request), *lost_fields(request)]
    payload = encode_create(request)
    payload.model, payload.duration = None, seconds["duration_s"]
    payload.content = encode_content([item for item in request.content if item.modality is not Modality.TEXT]) or None
    if not request.prompt.strip():
        lost.append(Warned(param="content", message="There is no text, and a prompt is required there."))
    if request.of(Modality.DRAFT):
        lost.append(Warned(param="content", message="There are no drafts there, and a prompt beside one is refused."))
    body = msgspec.json.encode(Submit(model=request.model_shown, prompt=request.prompt, metadata=payload))
    return Encoded(body=body, lost=tuple(lost))
