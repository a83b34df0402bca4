"""A prompt taken apart: what is quoted, what names given media, where shots begin, and the pieces of the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from understudy.reading.edits import Wanted, wanted_of
from understudy.reading.lexicon import LANGUAGES
from understudy.reading.meanings import TextKind
from understudy.reading.phrases import Piece, Vocabulary, pieces_of, vocabulary
from understudy.reading.quotations import Quotation, language_of, quotations_of, without_quotations
from understudy.reading.references import Given, Naming, namings_in, with_marks
from understudy.reading.shots import Cutting, cutting_of, without_marks
from understudy.reading.texts import kind_of_text, quoted_and_shown

LINES_MAX = 12
"""More than anyone can say in the longest film."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A prompt taken apart. text: without quotations, marks for media, cuts as line ends; places are the prompt's."""

    prompt: str
    quotations: tuple[Quotation, ...]
    kinds: tuple[TextKind | None, ...]
    namings: tuple[Naming, ...]
    cutting: Cutting
    text: str
    pieces: tuple[Piece, ...]
    wanted: Wanted

    def spoken(self) -> list[int]:
        """The indices of the quotations that are said aloud."""
        said = [index for index, quoted in enumerate(self.quotations) if quoted.is_spoken and self.kinds[index] is None]
        return said[:LINES_MAX]


@cache
def _order(language: str) -> tuple[Vocabulary, ...]:
    return tuple(vocabulary(name) for name in dict.fromkeys((language, "en")))


def _vocabularies(plain: str) -> tuple[Vocabulary, ...]:
    """The prompt's own languages, then English, which prompts of every language borrow from."""
    dense = language_of(plain, fallback="")
    if dense in ("zh", "ja"):
        return _order(dense)
    latin = tuple(language for language in LANGUAGES if language not in ("zh", "ja"))
    return _order(language_of(plain, candidates=latin) if dense in (*latin, "") or dense not in LANGUAGES else "en")


def taken_apart(prompt: str, given: Given) -> Script:
    """Find what is quoted, what names media and where shots begin; part the rest into pieces."""
    quotations = quoted_and_shown(prompt, quotations_of(prompt))
    kinds = tuple(kind_of_text(prompt, quotation) for quotation in quotations)
    plain = without_quotations(prompt, quotations)
    namings = namings_in(plain, given)
    marked = with_marks(_without_missing(plain, namings), namings)
    cutting = cutting_of(marked)
    known = _vocabularies(plain)
    text = without_marks(marked, cutting)
    return Script(
        prompt=prompt,
        quotations=quotations,
        kinds=kinds,
        namings=namings,
        cutting=cutting,
        text=text,
        pieces=tuple(pieces_of(text, known)),
        wanted=wanted_of(marked, namings, quotations, vocabularies=known, videos=given.videos),
    )


def _without_missing(plain: str, namings: Sequence[Naming]) -> str:
    """Blank what names media that are not there: "image 3" of two images is nobody."""
    places = {naming.start for naming in namings}
    for naming in namings_in(plain):
        if naming.start not in places:
            plain = plain[: naming.start] + " " * (naming.end - naming.start) + plain[naming.end :]
    return plain
