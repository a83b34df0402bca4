"""Which noun of the prompt an image shows: "the girl from image 1", "image 1's girl", "[图1]中的女孩".

Only words beside the naming count; who acts in the sentence is left to the model that reads it.
"""

from collections.abc import Sequence

from understudy.reading.phrases import Piece
from understudy.reading.references import Naming, links
from understudy.reading.script import Script
from understudy.reading.spotting import level

_NEAR = 40


def noun_of(taken: Script, namings: Sequence[Naming]) -> str:
    """Return the noun beside the first naming that has one, as the prompt writes it, or ""."""
    return next((noun for naming in namings if (noun := _beside(taken, naming))), "")


def _beside(taken: Script, naming: Naming) -> str:
    before = [piece for piece in taken.pieces if naming.start - _NEAR <= piece.start and piece.end <= naming.start]
    for piece in reversed(before):
        if _is_noun(piece):
            if noun := _if_near(taken, piece, between=(piece.end, naming.start), row="shown"):
                return noun
            break
    after = [piece for piece in taken.pieces if naming.end <= piece.start < naming.end + _NEAR]
    for piece in after:
        if _is_noun(piece):
            return _if_near(taken, piece, between=(naming.end, piece.start), row="shows")
    return ""


def _is_noun(piece: Piece) -> bool:
    return "art" in piece.meanings and "thin" not in piece.meanings.get("role", ())


def _if_near(taken: Script, piece: Piece, *, between: tuple[int, int], row: str) -> str:
    gap = level(taken.text[between[0] : between[1]])
    is_near = links(row).fullmatch(gap.replace("[", " ").replace("]", " ")) is not None
    return taken.prompt[piece.start : piece.end] if is_near else ""
