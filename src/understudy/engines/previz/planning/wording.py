"""What a single word tells by its form: number, participle, the colour inside it."""

from collections.abc import Mapping, Sequence
from functools import cache

from understudy.engines.previz.kinds import kind_of
from understudy.reading.lexicon import table
from understudy.reading.lexicon.inflect import fold, singulars
from understudy.reading.nouns import find_art, named
from understudy.reading.phrases import Piece

_COLOURED_LETTERS_MIN = 2


def is_participle(piece: Piece) -> bool:
    """Return whether an English verb is in a form that describes a noun: "running", "broken"."""
    return piece.language == "en" and fold(piece.text).split()[0].endswith(("ing", "ed", "en"))


# A Japanese verb right before a noun describes it, but not in the form that goes on to the next verb.
_JAPANESE_LINKS = ("て", "で", "り", "し", "ながら", "ば", "と")
_PLACE_OPENINGS = ("on ", "in ", "at ", "by ", "under ", "above ", "inside ", "among ", "beneath ")


def is_clause_before_noun(piece: Piece, following: Piece) -> bool:
    """Return whether a Chinese or Japanese verb only describes the noun after it: "奔跑的狗", "踊る猫"."""
    if piece.language == "zh":
        return following.means("role", "links_modifier")
    return "art" in following.meanings and not (piece.text.endswith(_JAPANESE_LINKS) or piece.sort == "mark")


def names_property(piece: Piece, following: Piece | None, *, is_first: bool) -> bool:
    """Return whether a word that is a thing and a property as well is meant as the property alone.

    is_first: nobody was named before it.
    """
    properties = set(piece.meanings)
    if properties & {"setting", "time", "weather", "particles", "framing"}:
        return piece.sort != "emoji" or kind_of(piece.meanings["art"][0]).name == "scenery"
    # A sound at the end of a list ("thunder, crickets") is heard; at the start of a prompt it may be who acts.
    acts = following is not None and "action" in following.meanings
    return "sound" in properties and not piece.means("sound", "gulls") and not is_first and not acts


def drawn_as(words: Sequence[Piece]) -> tuple[str, str]:
    """Return the noun of a phrase of unknown words, and the drawing that its keywords find, or ""."""
    is_dense = words[0].sort == "cjk"
    text = "".join(word.text for word in words) if is_dense else words[-1].text
    found = find_art(text, "zh" if is_dense else "en") or ""
    return text, "" if kind_of(found).name in ("body", "scenery") else found


def opens_place(piece: Piece) -> bool:
    """Return whether a phrase of a place brings its own preposition: "on Mars"."""
    return fold(piece.text).startswith(_PLACE_OPENINGS)


def is_clothing(piece: Piece) -> bool:
    """Return whether the word names something that is worn."""
    return any(kind_of(art_id).name == "worn" for art_id in piece.meanings.get("art", ()))


@cache
def _colour_letters() -> Mapping[str, str]:
    return {word: row.value for row in table("colour") for word in row.words.get("zh", ()) if len(word) == 1}


@cache
def _colour_words(language: str) -> Mapping[str, str]:
    return {fold(word): row.value for row in table("colour") for word in row.words.get(language, ())}


def tint_in(piece: Piece, *, is_worn: bool) -> str:
    """Return the colour inside a name, 白马, 红裙 or "white horse"; of food and plants it is no colour, 黄瓜."""
    is_coloured = is_worn or kind_of(piece.meanings["art"][0]).name in ("animal", "bird", "vehicle")
    if not is_coloured or len(piece.text) < _COLOURED_LETTERS_MIN:
        return ""
    if piece.sort == "cjk":
        return _colour_letters().get(piece.text[:1], "")
    first, *others = fold(piece.text).split()
    known = _colour_words(piece.language)
    return known.get(first) or next((known[word] for word in others if word in known), "") if others else ""


def is_finite(piece: Piece) -> bool:
    """Return whether a verb of a language with spaces tells what somebody does."""
    return piece.sort == "word" and not is_participle(piece)


def is_joined(pieces: Sequence[Piece]) -> bool:
    """Return whether "and" is among the words before a noun: "and his dog"."""
    return any(piece.means("role", "and") or fold(piece.text).startswith("and ") for piece in pieces)


def stands_between(before: Piece, piece: Piece, following: Piece | None) -> bool:
    """Return whether an English word stands between a noun and an article, as only a verb does: "hand picks an"."""
    is_noun_before = "art" in before.meanings and piece.language == "en"
    return is_noun_before and following is not None and following.means("role", "determiner")


def is_doubled(before: Piece | None, piece: Piece) -> bool:
    """Return whether an Indonesian noun is said twice, "burung-burung": there are several."""
    return before is not None and piece.language == "id" and fold(before.text) == fold(piece.text)


def is_plural(piece: Piece) -> bool:
    """Return whether the form of a noun says that there are several."""
    words = fold(piece.text).split()
    if piece.language == "id":
        first, _, second = piece.text.casefold().partition("-")
        return first == second
    if not words or piece.language not in ("en", "es", "pt"):
        return piece.text.endswith(("们", "たち", "群"))
    known, stem = named(piece.language), " ".join(words[:-1])
    return any(f"{stem} {form}".strip() in known for form in singulars(words[-1], piece.language)[1:])
