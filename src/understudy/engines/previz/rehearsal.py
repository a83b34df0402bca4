"""The rehearsal words of previz, ``[rehearse: slow 20s]``: the table of them, and how they are read in a prompt.

With them a client's own error paths can be tried at will. No other engine knows them. What happens before the engine
has the job is told to the server (`rehearse`), what happens in the render is `rehearsing`'s.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from understudy.core.case import invalid
from understudy.core.content import ContentItem, Modality
from understudy.core.errors import Violation
from understudy.core.moderation import Finding
from understudy.core.rehearsal import Refusal, Rehearsal
from understudy.core.request import GenerationRequest

_MARK = re.compile(r"\[\s*rehearse\b\s*:?([^\[\]]*)(\]?)", re.IGNORECASE)
_NUMBER = re.compile(r"([0-9]{1,4})\s*(%|s?)")
_SHOWN_CHARS = 60

REFUSALS: Mapping[str, tuple[str, str, int | None]] = MappingProxyType(
    {
        "402": ("InsufficientBalance", "the balance does not cover the task", None),
        "429": ("QuotaExceeded", "too much is under way", 1),
        "500": ("InternalServiceError", "the service met an error", None),
        "503": ("ServiceUnavailable", "the service is not available", 1),
    }
)
"""Word, which is the status -> code, sentence, and the seconds of the header Retry-After."""

FACE = "face"
_REAL_PERSON = "InputImageSensitiveContentDetected.PrivacyInformation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word. does: a sentence; {} = the argument, which is one of ``choices`` or of ``span`` in ``unit``.

    default: the argument where none is given; None = the word has no argument.
    """

    name: str
    does: str
    default: str | int | None = None
    choices: tuple[str, ...] = ()
    span: tuple[int, int] = (0, 0)
    unit: str = ""

    @property
    def allowed(self) -> str:
        """What the argument may be."""
        if self.choices:
            return ", ".join(f"`{choice}`" for choice in self.choices)
        return "none" if self.default is None else f"{self.span[0]} to {self.span[1]}{self._unit}"

    @property
    def usual(self) -> str:
        """The argument where none is given."""
        return "" if self.default is None else f"{self.default}{self._unit}"

    def sentence(self, argument: str | int | None) -> str:
        """Say what the word does with this argument."""
        return self.does.format(f"{argument}{self._unit}")

    def read(self, given: str) -> str | int | None:
        """Return the argument.

        Raises: ValueError for one that the word does not have.
        """
        if not given:
            return self.default
        if given.lower() in self.choices:
            return given.lower()
        found = _NUMBER.fullmatch(given.lower())
        least, most = self.span
        if found and most and found[2] in ("", self.unit) and least <= int(found[1]) <= most:
            return int(found[1])
        msg = f"the argument of `{self.name}` is {given[:_SHOWN_CHARS]!a}; allowed: {self.allowed}."
        raise ValueError(msg)

    @property
    def _unit(self) -> str:
        return f" {self.unit}" if self.unit else ""


def _refusal_word(name: str) -> Word:
    code, sentence, wait_s = REFUSALS[name]
    wait = f", with `Retry-After: {wait_s}`" if wait_s is not None else ""
    does = f"The first {{}} submissions of the prompt are answered {name} `{code}`: {sentence}{wait}."
    return Word(name=name, does=does, default=1, span=(1, 20))


_PERCENT = (1, 99)
WORDS: Mapping[str, Word] = MappingProxyType(
    {
        word.name: word
        for word in (
            *(_refusal_word(name) for name in REFUSALS),
            Word(
                name="refuse-input",
                does="The request is refused as moderation refuses the {} in it.",
                default="text",
                choices=("text", "image", "video", "audio", FACE),
            ),
            Word(name="expired", does="The task is accepted and expires before it is rendered."),
            # A render has half an hour by default (setting render_timeout_s); slow is not to be stuck.
            Word(name="slow", does="The render takes {} at least.", default=20, span=(1, 900), unit="s"),
            Word(
                name="stuck",
                does="The render stops at {} and never goes on, until it expires or its time is up.",
                default=50,
                span=_PERCENT,
                unit="%",
            ),
            Word(name="fail", does="The task fails when {} is rendered.", default=60, span=_PERCENT, unit="%"),
            Word(
                name="refuse-output",
                does="The task fails once all is rendered, as moderation refuses the {} of a film.",
                default="video",
                choices=("video", "audio"),
            ),
            Word(
                name="corrupt",
                does="The task succeeds and its film is broken: {}.",
                default="garbage",
                choices=("garbage", "truncated"),
            ),
            Word(name="silent", does="The film has no sound, whatever was asked for."),
        )
    }
)
"""Every word by its name, in the order of the guide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One word of a prompt. index: of the text in the content."""

    word: Word
    argument: str | int | None
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the prompt's texts say. content: without the words."""

    said: tuple[Said, ...]
    violations: tuple[Violation, ...]
    content: tuple[ContentItem, ...]

    def argument(self, name: str) -> str | int | None:
        """Return the argument of a word that was said, or None."""
        return next((each.argument for each in self.said if each.word.name == name), None)

    def seconds_or_percent(self, name: str) -> int | None:
        """Return the number behind a word that was said, or None."""
        argument = self.argument(name)
        return argument if isinstance(argument, int) else None

    def says(self, name: str) -> bool:
        """Say whether the word is there."""
        return any(each.word.name == name for each in self.said)


def read_words(content: tuple[ContentItem, ...]) -> Reading | None:
    """Read the words of all texts; None where there are none, as in nearly every prompt."""
    if not any(item.modality is Modality.TEXT and _MARK.search(item.value) for item in content):
        return None
    said: dict[str, Said] = {}
    violations: list[Violation] = []
    kept = list(content)
    for index, item in enumerate(content):
        if item.modality is not Modality.TEXT:
            continue
        for mark in _MARK.finditer(item.value):
            try:
                each = _said(mark, index, said)
                said[each.word.name] = each
            except ValueError as error:
                violations.append(invalid(f"content[{index}].text", f"rehearsal words: {error}"))
        kept[index] = replace(item, value=_MARK.sub("", item.value).strip())
    return Reading(said=tuple(said.values()), violations=tuple(violations), content=tuple(kept))


def rehearse(request: GenerationRequest) -> Rehearsal | None:
    """Say what the server is to do with the request; None where nothing is rehearsed."""
    reading = read_words(request.content)
    if reading is None:
        return None
    violations = list(reading.violations)
    findings: list[Finding] = []
    refusals: list[Refusal] = []
    for each in reading.said:
        if each.word.name == "refuse-input":
            try:
                findings.append(_finding(each, request))
            except ValueError as error:
                violations.append(invalid(f"content[{each.index}].text", f"rehearsal words: {error}"))
        elif each.word.name in REFUSALS:
            refusals.append(_refusal(each))
    return Rehearsal(
        violations=tuple(violations),
        findings=tuple(findings),
        refusals=tuple(refusals),
        expires_at_once=reading.says("expired"),
        told=tuple((each.index, f"A rehearsal: {each.word.sentence(each.argument)}") for each in reading.said),
    )


def _said(mark: re.Match[str], index: int, before: Mapping[str, Said]) -> Said:
    """Read one pair of brackets.

    Raises: ValueError.
    """
    if not mark[2]:
        msg = "the bracket is not closed."
        raise ValueError(msg)
    name, _, argument = mark[1].strip().partition(" ")
    word = WORDS.get(name.lower())
    if word is None:
        msg = f"there is no word {name[:_SHOWN_CHARS]!a}; there are {', '.join(WORDS)}."
        raise ValueError(msg)
    if word.name in before:
        msg = f"`{word.name}` is there twice."
        raise ValueError(msg)
    return Said(word=word, argument=word.read(argument.strip()), index=index)


def _finding(said: Said, request: GenerationRequest) -> Finding:
    """Say what a moderator would have found.

    Raises: ValueError where the request has nothing of the kind.
    """
    if said.argument == "text":
        return Finding(index=said.index)
    kind = Modality.IMAGE if said.argument == FACE else Modality(str(said.argument))
    place = next((index for index, item in enumerate(request.content) if item.modality is kind), None)
    if place is None:
        msg = f"`{said.word.name} {said.argument}` needs an item of type {kind} in the request, and there is none."
        raise ValueError(msg)
    if said.argument != FACE:
        return Finding(index=place)
    return Finding(
        index=place, code=_REAL_PERSON, message="The request failed because the input image may contain real person."
    )


def _refusal(said: Said) -> Refusal:
    code, sentence, wait_s = REFUSALS[said.word.name]
    message = f"A rehearsal: {sentence}."
    return Refusal(violation=Violation(code, "", message), times=int(said.argument or 1), retry_after_s=wait_s)


def guide_table() -> Iterator[str]:
    """Yield the table of the guide, a line at a time (docs/guides/rehearsal.md)."""
    yield "| word | argument | without one | what happens |"
    yield "|---|---|---|---|"
    for word in WORDS.values():
        any_of = " or ".join([", ".join(word.choices[:-1]), word.choices[-1]]) if word.choices else "N"
        yield f"| `{word.name}` | {word.allowed} | {word.usual} | {word.sentence(any_of)} |"
