"""Which noun a reference image shows: "the girl from image 1", "image 1's girl", "[image 1] a girl in red".

The words that may stand between are ``lexicon/link.toml``; anything else means that the image stands for itself.
"""

import re
from collections.abc import Sequence
from enum import Enum
from functools import cache

from understudy.engines.previz.plan import ReferenceUse
from understudy.engines.previz.planning.casting import Cast, Phrase
from understudy.engines.previz.planning.drafts import Draft
from understudy.reading.phrases import Piece
from understudy.reading.references import Naming, is_mark
from understudy.reading.spotting import any_of, level, words_in

_WITHIN = 7
_UNKNOWN_WITHIN = 2
_VIEW_WITHIN = 10
_USES = {"wear": ReferenceUse.WORN, "hold": ReferenceUse.PROP, "with": ReferenceUse.PROP, "place": ReferenceUse.PROP}
# After these an image is no actor.
_STILL_ROLES = ("wear", "hold")
# "In image 2" is a place, "beside image 2" is somebody.
_INSIDE = frozenset(
    (
        "in", "at", "inside", "into", "through", "across", "around", "within", "en", "dentro", "por", "em", "no", "na",
        "di", "ke", "dalam", "在", "到", "来到", "走进", "进入", "位于", "穿过",
    )
)  # fmt: skip
_OWNING = ("'", "’", "的", "の", "中的", "里的", "中", "里", "里面的", "上的", "内的", "の中の", "里面", "上")
_FAINT = frozenset("'’\"“”()（）[]【】:：#*")


class After(Enum):
    """What stands after an image."""

    NOTHING = "nothing"
    OWNED = "owned"
    """A noun that belongs to it: "image 1's girl", "图1的女孩"."""
    TOLD = "told"
    """A noun that is said of it: "image 1 is a girl"."""
    PLACE = "place"
    """A place, in either way."""
    VIEW = "view"
    """A side of somebody: "image 1 is the front view"."""


class Shown:
    """What images were found to show. noun: (index, draft or None for a thing, "setting" for a place) of the last noun.

    waiting: images named right before the noun they show.
    """

    def __init__(self) -> None:
        self.uses: dict[int, ReferenceUse] = {}
        self.setting = 0
        self.waiting: tuple[int, ...] = ()
        self.noun: tuple[int, Draft | None, str] | None = None
        self._attached: tuple[int, Draft | None] = (-1, None)

    def show(self, draft: Draft | None, numbers: Sequence[int], role: str = "") -> None:
        """Note that images show a subject, or a thing that somebody wears or holds."""
        if draft is not None:
            draft.is_shown_by(numbers)
        for number in numbers:
            use = ReferenceUse.SUBJECT if draft is not None else _USES.get(role, ReferenceUse.PROP)
            if self.uses.get(number) is not ReferenceUse.SUBJECT:
                self.uses[number] = use

    def is_setting(self, numbers: Sequence[int]) -> None:
        """Note that images show where it happens."""
        self.setting = self.setting or numbers[0]
        for number in numbers:
            self.uses.setdefault(number, ReferenceUse.SETTING)

    def read(  # tidy: the image, what stands around it, and what was read before it
        self, pieces: Sequence[Piece], index: int, naming: Naming, *, cast: Cast, phrase: Phrase
    ) -> tuple[Phrase, list[Draft]]:
        """Find what an image shows. Returns the phrase that goes on after it, and those it stands for itself."""
        ahead = after_mark(pieces, index)
        noun = noun_before(pieces, index, self.noun)
        actors: list[Draft] = []
        if ahead in (After.OWNED, After.VIEW) or (ahead is After.TOLD and (naming.opens or noun is None)):
            self.waiting += naming.numbers
            if ahead is not After.OWNED:
                cast.begin_clause()
            phrase = Phrase(phrase.role)
        elif ahead is After.PLACE or naming.use is ReferenceUse.SETTING or (noun is not None and noun[1] == "setting"):
            self.is_setting(naming.numbers)
            phrase = Phrase()
        elif noun is not None:
            self.show(noun[0], naming.numbers, role=noun[1])
            self._attached = (index, noun[0])
        elif (like := self._same_again(pieces, index, cast)) is not None:
            self.show(like, naming.numbers)
            actors = [like]
            phrase = Phrase()
        elif phrase.role == "place" and is_inside(pieces, index) and not word_before(pieces, index):
            self.is_setting(naming.numbers)
            phrase = Phrase()
        elif phrase.role in _STILL_ROLES:
            self.show(None, naming.numbers, role=phrase.role)
            phrase = Phrase()
        else:
            actors = self._standing_in(naming.numbers, cast, phrase, word=word_before(pieces, index))
        self.noun = (index, phrase.noun, "")
        return phrase, actors

    def _same_again(self, pieces: Sequence[Piece], index: int, cast: Cast) -> Draft | None:
        """In "the dancers of image 1 and of image 2" the second image shows another dancer."""
        place, draft = self._attached
        between = pieces[place + 1 : index] if 0 <= place < index else []
        is_and = any(piece.means("role", "and") for piece in between)
        if (
            draft is None
            or not is_and
            or not all(piece.meanings.keys() <= {"role"} and piece.meanings for piece in between)
        ):
            return None
        other = Draft(draft.art, draft.word)
        cast.drafts.append(other)
        cast.join(other, Phrase(), role="")
        draft.count = 1
        return other

    def _standing_in(self, numbers: Sequence[int], cast: Cast, phrase: Phrase, *, word: str) -> list[Draft]:
        """In "@image1 and @image2 meet" the images themselves act; "the logo in image 1" is one of them."""
        actors: list[Draft] = []
        role = "" if word else phrase.role
        phrase.unknown = []
        for number in numbers:
            draft = cast.shown_by(number)
            phrase.role = role
            if draft is not None:
                cast.join(draft, phrase, role=role)
            else:
                draft = cast.place("", phrase, word=word or f"image {number}", many=False)
            if draft is not None:
                actors.append(draft)
                self.show(draft, (number,))
        phrase.role = ""
        return actors

    def noun_came(self, draft: Draft | None, *, role: str) -> None:
        """A noun came: it is what the images named right before it show. draft: None for what is worn or held."""
        if self.waiting:
            self.show(draft, self.waiting, role=role)
            self.waiting = ()

    def settle(self, cast: Cast) -> None:
        """Views that no noun came for show whoever is shown by other images, else the first who acts."""
        if not self.waiting:
            return
        living = [draft for draft in cast.drafts if draft.kind.is_living]
        whose = next((draft for draft in cast.drafts if draft.images), next(iter(living), None))
        if whose is None:
            whose = Draft("", f"image {self.waiting[0]}")
            cast.drafts.append(whose)
        self.show(whose, self.waiting)
        self.waiting = ()

    def place(self, index: int) -> None:
        """Note that a place was named; an image named right before it shows it."""
        self.noun = (index, None, "setting")
        if self.waiting:
            self.is_setting(self.waiting)
            self.waiting = ()


@cache
def _links(row: str) -> frozenset[str]:
    return frozenset(word for phrase in words_in("link", row) for word in (level(phrase), *level(phrase).split()))


def _is_link(piece: Piece, row: str) -> bool:
    text = level(piece.text)
    known = _links(row)
    if text in known or text in _FAINT:
        return True
    return text.isascii() and all(word in known for word in text.split())


def noun_before(
    pieces: Sequence[Piece], index: int, last: tuple[int, Draft | None, str] | None
) -> tuple[Draft | None, str] | None:
    """Return the last noun, (draft, role), when only link words part the image from it; else None."""
    if last is None:
        return None
    place, draft, role = last
    for between in range(index - 1, max(index - _WITHIN, -1), -1):
        if between == place:
            return draft, role
        piece = pieces[between]
        if is_mark(piece.text) or not (_is_link(piece, "shown") or piece.means("role", "determiner")):
            return None
    return None


def is_inside(pieces: Sequence[Piece], index: int) -> bool:
    """Whether the place word before an image says that something happens in what it shows."""
    for piece in reversed(pieces[max(0, index - 3) : index]):
        if piece.means("role", "place"):
            return level(piece.text).split()[0] in _INSIDE
    return False


def word_before(pieces: Sequence[Piece], index: int) -> str:
    """Return the noun without a drawing that an image shows, "the logo" of "the logo from image 2", or ""."""
    for place in range(index - 1, max(index - _WITHIN, -1), -1):
        piece = pieces[place]
        if piece.is_unknown or piece.means("role", "thin"):
            return piece.text if place < index - 1 else ""
        if is_mark(piece.text) or not _is_link(piece, "shown"):
            return ""
    return ""


def _is_joined(pieces: Sequence[Piece], index: int) -> int:
    """The index of the last image of "image 1, image 2 and image 3", or ``index``."""
    last = index
    place = index + 1
    while place < len(pieces) and place - last <= 2:
        if is_mark(pieces[place].text):
            last = place
        elif pieces[place].text not in (",", "，", "、") and not pieces[place].means("role", "and"):
            break
        place += 1
    return last


def after_mark(pieces: Sequence[Piece], index: int) -> After:
    """Return what the words after an image say of it."""
    start = _is_joined(pieces, index)
    if _begins_with_view(pieces, start):
        return After.VIEW
    is_owned, unknown = False, 0
    for place in range(start + 1, min(start + 1 + _WITHIN, len(pieces))):
        piece = pieces[place]
        text = level(piece.text)
        if place == start + 1 and (text in _OWNING or text.startswith(_OWNING[:4])):
            is_owned = True
            if text in _OWNING:
                continue
        if is_mark(piece.text):
            return After.NOTHING
        if "setting" in piece.meanings and "thin" not in piece.meanings.get("role", ()):
            return After.PLACE if is_owned else After.NOTHING
        if "art" in piece.meanings and "thin" not in piece.meanings.get("role", ()):
            # "画像1と画像2のダンサー" are two dancers: only the last of a list owns the noun.
            return After.TOLD if not is_owned else After.OWNED if start == index else After.NOTHING
        if piece.text == "s" or _is_link(piece, "shows") or piece.means("role", "determiner"):
            continue
        if piece.meanings.keys() & {"colour", "count"}:
            continue
        unknown += piece.is_unknown
        if not piece.is_unknown or unknown > _UNKNOWN_WITHIN:
            return After.NOTHING
    return After.NOTHING


@cache
def _view() -> re.Pattern[str]:
    """A side of somebody, with link words before it at most."""
    between = any_of(words_in("link", "shows"))
    return re.compile(rf"(?:[\s'’:：()（）]|{between}){{0,4}}?(?:{any_of(words_in('link', 'view'))})")


def _begins_with_view(pieces: Sequence[Piece], index: int) -> bool:
    following = []
    for piece in pieces[index + 1 : index + 1 + _VIEW_WITHIN]:
        if is_mark(piece.text) or piece.text in "、，,。.;；\n":
            break
        following.append(piece.text)
    is_dense = any(text > "\u2fff" for text in following)
    return _view().match(level(("" if is_dense else " ").join(following))) is not None
