"""Flags at the end of a prompt, such as ``--ratio 16:9 --dur 5``: the older spelling of request fields.

Source: Ark documentation (tradition of Seedance 1.x, "weak validation"), and what others measured: only a wrong
duration or resolution is refused, all else is passed over. What is passed over is told here. See
docs/decisions/prompt-flags.md.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from understudy.core.case import invalid
from understudy.core.content import ContentItem, Modality
from understudy.core.errors import Rejected
from understudy.core.model_spec import ModelSpec, Plain
from understudy.core.request import param_of
from understudy.core.task import Warned

FLAG_FIELD = {
    "--rs": "resolution",
    "--resolution": "resolution",
    "--rt": "ratio",
    "--ratio": "ratio",
    "--dur": "duration_s",
    "--duration": "duration_s",
    "--frames": "frames",
    "--seed": "seed",
    "--cf": "camera_fixed",
    "--camerafixed": "camera_fixed",
    "--wm": "watermark",
    "--watermark": "watermark",
    "--fps": "",
}
"""Flag -> field of the request; the rate of frames is fixed, so ``--fps`` has none."""
_WORD = re.compile(r"\S+")
_FLAG = re.compile(r"--[A-Za-z]+")
# Written without a space behind a Chinese sentence: "体验--ratio 16:9".
_GLUED = re.compile(r"(?P<rest>.*[^\x00-\x7f])(?P<flag>--[A-Za-z]+)", re.DOTALL)
_WHOLE = re.compile(r"-?[0-9]{1,12}")
_TRUTH = {"true": True, "false": False}
# Flags fill no more than this; a longer run is prose, and a prompt of megabytes is not split into its words.
_TAIL_CHARS = 1000
# Far above any prompt that is accepted: thousands of texts are not searched for flags only to be refused afterwards.
_TEXT_CHARS_MAX = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One flag as it was written; value: the word behind it, empty when there is none."""

    name: str
    value: str

    @property
    def written(self) -> str:
        """The flag as it stood in the prompt."""
        return f"{self.name} {self.value}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the flags say. content: without them. values: field of the request -> value, where the request left it out.

    told: what was passed over.
    """

    content: tuple[ContentItem, ...]
    values: Mapping[str, Plain]
    told: tuple[Warned, ...] = ()


def take_flags(
    content: Sequence[ContentItem], said: Mapping[str, object], *, model: ModelSpec | None, model_name: str
) -> Given:
    """Read the flags of all texts. said: the request's own fields, which win. model: None if there is no such model.

    Raises: Rejected for a duration or resolution that the model does not have.
    """
    if sum(len(item.value) for item in content if item.modality is Modality.TEXT) > _TEXT_CHARS_MAX:
        return Given(content=tuple(content), values={})
    kept, values, told = list(content), dict[str, Plain](), list[Warned]()
    for place, item in enumerate(content):
        if item.modality is not Modality.TEXT:
            continue
        text, flags = split_flags(item.value)
        if not flags:
            continue
        kept[place] = replace(item, value=text)
        for flag in flags:
            field = FLAG_FIELD.get(flag.name.lower(), "")
            value = _typed(field, flag.value)
            why_not = _why_not(field, value, model)
            if why_not and field in ("duration_s", "resolution"):
                arks = param_of(field)
                reason = f"the specified {arks} is not supported for model {model.name if model else model_name}."
                raise Rejected(invalid(f"contents[{place}].text.{arks}", reason))
            if not why_not and said.get(field) not in (None, value):
                why_not = f"`{param_of(field)}` says something else and wins"
            if why_not:
                told.append(Warned(param=f"content[{place}].text", message=f"`{flag.written}` was ignored: {why_not}."))
            elif value is not None and said.get(field) is None:
                values[field] = value
    return Given(content=tuple(kept), values=values, told=tuple(told))


def _typed(field: str, word: str) -> Plain | None:
    """Return the flag's value in the field's type, None when it has none."""
    if field in ("duration_s", "frames", "seed"):
        return int(word) if _WHOLE.fullmatch(word) else None
    if field in ("camera_fixed", "watermark"):
        return _TRUTH.get(word.lower())
    return word.lower() or None


def _why_not(field: str, value: Plain | None, model: ModelSpec | None) -> str:
    """Return why a flag cannot be followed, "" when it can."""
    if not field:
        return "there is no such flag, or it has no effect"
    if value is None:
        return "its value cannot be read"
    if model is None:
        return ""
    if field in model.refused:
        return "" if value in model.refused[field] else f"{model.name} does not have it"
    fits = {
        "duration_s": lambda: model.takes_duration(int(value)),
        "frames": lambda: model.frames is None or model.frames.holds(int(value)),
        "seed": lambda: model.seed.holds(int(value)),
        "ratio": lambda: model.takes_ratio(str(value)),
        "resolution": lambda: value in model.resolutions,
    }
    return "" if field not in fits or fits[field]() else f"{model.name} does not have this value"


def split_flags(text: str) -> tuple[str, tuple[Flag, ...]]:
    """Return the prompt without the flags at its end, and these in the order they were written.

    A run of flags counts only if one of them is known; else it is the caller's prose and stays.
    """
    if "--" not in text:
        return text, ()
    tail = max(0, len(text) - _TAIL_CHARS)
    words = [(found.group(), found.start()) for found in _WORD.finditer(text, tail)]
    flags: list[Flag] = []
    end = len(text)
    while words:
        value = ""
        if len(words) > 1 and _flag_start(words[-1]) is None and _flag_start(words[-2]) is not None:
            value = words.pop()[0]
        name_at = _flag_start(words[-1])
        if name_at is None:
            break
        word, start = words.pop()
        flags.append(Flag(name=word[name_at:], value=value))
        end = start + name_at
        if name_at:
            words.append((word[:name_at], start))
    is_longer = tail > 0 and not words
    if is_longer or not any(flag.name.lower() in FLAG_FIELD for flag in flags):
        return text, ()
    return text[:end].rstrip(), tuple(reversed(flags))


def _flag_start(word: tuple[str, int]) -> int | None:
    """Return where in a word a flag begins, or None."""
    if _FLAG.fullmatch(word[0]):
        return 0
    glued = _GLUED.fullmatch(word[0])
    return glued.start("flag") if glued and glued["flag"].lower() in FLAG_FIELD else None
