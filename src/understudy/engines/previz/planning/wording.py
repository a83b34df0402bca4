"""What a single word tells by its form: number, participle, the colour inside it."""

from collections.abc import Mapping
from functools import cache

from understudy.engines.previz.art import named
from understudy.engines.previz.kinds import kind_of
from understudy.engines.previz.lexicon import table
from understudy.engines.previz.lexicon.inflect import fold, singulars
from understudy.engines.previz.planning.phrases import Piece


def is_participle(piece: Piece) -> bool:
    """Return whether an English verb is in a form that describes a noun: "running", "broken"."""
    return piece.language == "en" and fold(piece.text).split()[0].endswith(("ing", "ed", "en"))


def is_clothing(piece: Piece) -> bool:
    """Return whether the word names something that is worn."""
    return any(kind_of(art_id).name == "worn" for art_id in piece.meanings.get("art", ()))


@cache
def _colour_letters() -> Mapping[str, str]:
    return {word: row.value for row in table("colour") for word in row.words.get("zh", ()) if len(word) == 1}


def tint_in(piece: Piece, *, is_worn: bool) -> str:
    """Return the colour that begins a Chinese name, 白马 or 红裙; of food and plants it is no colour, 黄瓜."""
    is_coloured = is_worn or kind_of(piece.meanings["art"][0]).name in ("animal", "bird", "vehicle")
    return _colour_letters().get(piece.text[:1], "") if is_coloured and len(piece.text) > 1 else ""


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
