"""Write docs/reference/compatibility.md: what becomes of each field of each dialect, found by asking the server's code.

    .venv/bin/python scripts/compatibility.py

Every field is sent through its dialect's codec and the judgement that a submission meets, once for each of a few
telling values, and the outcome is written down. Nothing in the table is written by hand; a test fails when it is stale.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import msgspec

from understudy.catalog.load import load_catalogue
from understudy.core.errors import Rejected
from understudy.core.ports import EngineOffer
from understudy.core.request import DURATION_CHOSEN_BY_ENGINE, RATIO_CHOSEN_BY_ENGINE
from understudy.core.scenario import Scenario
from understudy.dialects.codec import Codec
from understudy.dialects.registry import CODECS
from understudy.engines.previz import OFFER
from understudy.service.judge import Judge

TARGET = Path(__file__).resolve().parent.parent / "docs/reference/compatibility.md"
HONOURED, WARNED, REFUSED = "honoured", "warned", "refused"
NOT_SEEN = "SILENTLY IGNORED"

CATALOGUE = load_catalogue()
MODELS = list({model.id: model for model in CATALOGUE.models.values()}.values())
SHOWN = {"2.0": "seedance-2.0", "2.5": "seedance-2.5", "1.5 pro": "seedance-1.5-pro", "1.0 pro": "seedance-1.0-pro"}
EVERYTHING = replace(OFFER, name="any", scenarios=frozenset(Scenario), ignored={})

IMAGE, VIDEO, SOUND = (f"https://example.com/a.{ending}" for ending in ("png", "mp4", "mp3"))
TEXT = {"type": "text", "text": "A cat"}


def _image(role: str | None = None) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": IMAGE}, **({"role": role} if role else {})}


def _video(role: str | None = "reference_video") -> dict[str, Any]:
    return {"type": "video_url", "video_url": {"url": VIDEO}, **({"role": role} if role else {})}


def _sound(role: str | None = "reference_audio") -> dict[str, Any]:
    return {"type": "audio_url", "audio_url": {"url": SOUND}, **({"role": role} if role else {})}


CONTENTS: Mapping[str, list[dict[str, Any]]] = {
    "text": [{**TEXT, "text": "A dog"}],
    "text and text": [{**TEXT, "text": "A dog"}, TEXT],
    "image, first_frame": [_image("first_frame")],
    "image without role, alone": [_image()],
    "image, first_frame, and image, last_frame": [_image("first_frame"), _image("last_frame")],
    "image, last_frame, alone": [_image("last_frame")],
    "image, reference_image": [_image("reference_image")],
    "two images without role": [_image(), _image()],
    "video, reference_video": [_video()],
    "video without role": [_video(None)],
    "audio, reference_audio, with a reference_image": [_image("reference_image"), _sound()],
    "audio, reference_audio, alone": [_sound()],
    "audio without role, with a reference_image": [_image("reference_image"), _sound(None)],
    "first_frame with a reference_image": [_image("first_frame"), _image("reference_image")],
}
"""What a content can be made of; the text of the basic request stands before each but the first two."""


def _all(values: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _seconds() -> list[int]:
    spans = [model.duration_s for model in MODELS]
    return [DURATION_CHOSEN_BY_ENGINE, *sorted({end for span in spans for end in (span.least, span.most)})]


def _frames() -> list[int]:
    return sorted({end for model in MODELS if model.frames for end in (model.frames.least, model.frames.most)})


RATIOS = [*_all(ratio for model in MODELS for ratio in model.ratios), RATIO_CHOSEN_BY_ENGINE]
TASK_TYPES = _all(name for model in MODELS for name in model.task_types)
YES_AND_NO = [True, False]
VALUES: Mapping[str, Sequence[Any]] = {
    "callback_url": ["https://example.com/hook"],
    "return_last_frame": YES_AND_NO,
    "service_tier": _all(tier for model in MODELS for tier in model.service_tiers),
    "execution_expires_after": [7200],
    "generate_audio": YES_AND_NO,
    "draft": YES_AND_NO,
    "camera_fixed": YES_AND_NO,
    "watermark": YES_AND_NO,
    "seed": [7, -1],
    "resolution": _all(resolution for model in MODELS for resolution in model.resolutions),
    "ratio": RATIOS,
    "duration": _seconds(),
    "frames": _frames(),
    "priority": [1],
    "tools": [[{"type": "web_search"}]],
    "safety_identifier": ["user-1"],
    "output_format": _all(form for model in MODELS for form in model.output_formats),
    "omni_reference_task_type": TASK_TYPES,
    "trace_id": ["trace-1"],
    "aspect_ratio": RATIOS,
    "audio": YES_AND_NO,
    "image": [IMAGE],
    "images": [[IMAGE], [IMAGE, IMAGE]],
    "image_urls": [[IMAGE], [IMAGE, IMAGE]],
    "image_with_roles": [
        [{"url": IMAGE, "role": "first_frame"}],
        [{"url": IMAGE, "role": "first_frame"}, {"url": IMAGE, "role": "last_frame"}],
        [{"url": IMAGE, "role": "reference_image"}],
    ],
    "video_urls": [[VIDEO]],
    "audio_urls": [[SOUND]],
    "input_reference": [IMAGE, VIDEO],
    "seconds": [str(seconds) for seconds in _seconds() if seconds > 0],
    "size": ["1280x720", "720x1280"],
    "width": [960],
    "height": [960],
    "fps": [24, 30],
    "n": [1, 2],
    "response_format": ["url", "b64_json"],
    "mode": ["pro"],
    "user": ["user-1"],
    "prompt": ["A dog"],
    "model": ["another"],
}
"""Field -> values that tell what becomes of it; a field that is missing here stops the script."""
VALUES_OF = {"apimart.size": RATIOS, "openai.metadata": [{"watermark": True}]}
COMPANIONS: Mapping[str, Mapping[str, Any]] = {
    "width": {"height": 960},
    "height": {"width": 960},
    "audio_urls": {"image_urls": [IMAGE], "generate_audio": True},
    **{
        f"omni_reference_task_type={name}": {"content": [TEXT, _video()], "ratio": "adaptive", "duration": -1}
        for name in TASK_TYPES
        if name != "auto"
    },
}
"""Field, or field=value -> what it makes sense with only."""
NOT_PROBED = frozenset({"model"})
"""What every request has."""
STRANGER = "any other key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One thing that is sent. fields: what is laid over the basic request, ``metadata`` merged with its own."""

    value: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One field of a dialect, or one kind of content, and what is sent to learn of it."""

    name: str
    probes: tuple[Probe, ...]


def basic(codec: Codec) -> dict[str, Any]:
    """Return the least that a dialect takes: a text."""
    has_prompt = "prompt" in codec.shapes.request.__struct_fields__
    return {"prompt": "A cat"} if has_prompt else {"content": [TEXT]}


def rows(codec: Codec) -> Iterator[Row]:
    """Yield the rows of a dialect, in the order of its own fields."""
    yield from _rows_of(codec, codec.shapes.request, within=None)
    fields = codec.shapes.request.__struct_fields__
    strangers: dict[str, dict[str, Any]] = {STRANGER: {"unheard_of": 1}}
    if "content" in fields:
        strangers[f"{STRANGER} of an item of `content`"] = {"content": [{**TEXT, "unheard_of": 1}]}
    if "metadata" in fields:
        strangers[f"{STRANGER} of `metadata`"] = {"metadata": {"unheard_of": 1}}
    for name, sent in strangers.items():
        yield Row(name=name, probes=(Probe(value="", fields=sent),))


def _rows_of(codec: Codec, struct: type, *, within: str | None) -> Iterator[Row]:
    for field in msgspec.structs.fields(struct):
        name = field.encode_name
        path = f"{within}.{name}" if within else name
        inner = next((each for each in get_args(field.type) if hasattr(each, "__struct_fields__")), None)
        if name == "metadata" and inner is not None:
            yield from _rows_of(codec, inner, within=name)
        elif name == "content":
            yield from _content_rows(codec, path, within)
        elif within or name not in NOT_PROBED:
            values = VALUES_OF.get(f"{codec.name}.{path}") or VALUES[name]
            probes = [Probe(value=_shown(value), fields=_laid(within, name, value)) for value in values]
            yield Row(name=f"`{path}`", probes=tuple(probes))


def _content_rows(codec: Codec, path: str, within: str | None) -> Iterator[Row]:
    settings_apart = within is None and "generate_audio" not in codec.shapes.request.__struct_fields__
    for kind, items in CONTENTS.items():
        sound = {"generate_audio": True} if "audio" in kind else {}
        fields = {"content": items if kind.startswith("text") else [TEXT, *items]}
        fields |= {"metadata": sound} if settings_apart else sound
        laid = {within: fields} if within else fields
        yield Row(name=f"`{path}`: {kind}", probes=(Probe(value="", fields=laid),))


def _laid(within: str | None, name: str, value: Any) -> dict[str, Any]:
    fields = {name: value, **COMPANIONS.get(f"{name}={value}", COMPANIONS.get(name, {}))}
    return {within: fields} if within else fields


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(each.get("role", "") for each in value if isinstance(each, dict)) or f"{len(value)} of them"
    return str(value).removeprefix("https://example.com/")


def outcome(codec: Codec, judge: Judge, *, model: str, fields: Mapping[str, Any]) -> str | None:
    """Send one request and say what became of the fields; None when the dialect does not serve the model at all."""
    plain = {"model": model, **basic(codec)}
    try:
        before = judge.judge(codec.name, codec.decode_request(plain))
    except Rejected:
        return None
    if before.violations:
        return None
    try:
        decoded = codec.decode_request({**plain, **fields})
    except Rejected:
        return REFUSED
    after = judge.judge(codec.name, decoded)
    if after.violations:
        return REFUSED
    if len(after.warnings) > len(before.warnings):
        return WARNED
    return HONOURED if after.request != before.request else NOT_SEEN


def cell(codec: Codec, judge: Judge, *, model: str, row: Row) -> str:
    """Return what becomes of a field, over all its values."""
    found = [(probe.value, outcome(codec, judge, model=model, fields=probe.fields)) for probe in row.probes]
    if any(word in (HONOURED, WARNED, REFUSED) for _, word in found):
        # The value that is the default changes nothing and is honoured all the same, where another one is seen.
        found = [(value, HONOURED if word == NOT_SEEN else word) for value, word in found]
    words = [word for word in (HONOURED, WARNED, REFUSED, NOT_SEEN) if word in dict(found).values()]
    if len(words) < 2:
        return "".join(words) or "-"
    told = {word: [f"`{value}`" for value, each in found if each == word] for word in words}
    most = max(words, key=lambda word: len(told[word]))
    if 2 * len(told[most]) > len(found):
        told = {most: [], **{word: values for word, values in told.items() if word != most}}
    return "; ".join(word + (": " + ", ".join(values) if values else "") for word, values in told.items())


def judges() -> dict[str, tuple[Judge, str]]:
    """Return the columns: heading -> (who judges, the model's name)."""
    book_id = next(iter(CATALOGUE.books))

    def judge(engine: EngineOffer) -> Judge:
        return Judge(catalogue=CATALOGUE, engine=engine, book_id=book_id)

    found = {f"{OFFER.name}, 2.0": (judge(OFFER), SHOWN["2.0"])}
    return found | {heading: (judge(EVERYTHING), name) for heading, name in SHOWN.items()}


HEAD = f"""# Compatibility

What becomes of each field of each dialect. Written by `scripts/compatibility.py`, which sends every field through the
codec and the judgement of a submission; do not edit it by hand.

- **{HONOURED}**: taken as it is said.
- **{WARNED}**: accepted, and something about it is told in `warnings` and in the header `X-Understudy-Warnings`: it was
  ignored, it has no effect, or something was guessed. With `X-Understudy-Strict: true` it is refused.
- **{REFUSED}**: answered with an error that names the field.
- A word without values beside one with values stands for all others that were tried.
- `-`: the dialect's plain request is not one for this model.

The first column is the engine `{OFFER.name}`; the others are what the rules say of a model, whatever engine serves it.
`draft_task` is not in the tables, because it needs a task: see [drafts](../decisions/drafts.md).
"""


def table() -> str:
    """Return the whole document."""
    columns = judges()
    parts = [HEAD]
    for codec in CODECS.values():
        parts += [
            f"\n## {codec.name}\n",
            "| field | " + " | ".join(columns) + " |",
            "|---" * (len(columns) + 1) + "|",
        ]
        for row in rows(codec):
            cells = [cell(codec, judge, model=model, row=row) for judge, model in columns.values()]
            parts.append(f"| {row.name} | " + " | ".join(cells) + " |")
    return "\n".join(parts) + "\n"


def main() -> None:
    """Write the document."""
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(table(), encoding="utf-8")


if __name__ == "__main__":
    main()
