"""Who rides what and who stands where: read from the words between the nouns, once the nouns are known."""

import re
from collections.abc import Sequence

from understudy.engines.previz.kinds import kind_of
from understudy.engines.previz.planning.drafts import Draft
from understudy.reading.phrases import Piece
from understudy.reading.spotting import Spot, level, spots

_CARRIERS = ("vehicle", "boat", "aircraft")
_ANIMALS = ("animal", "creature", "bird", "swimmer")
_RIDERS = ("person", "figure", "animal", "creature", "musician")
_GAP_MAX = 26
# Who stands behind somebody needs somebody.
_RELATED_MIN = 2
_PRONOUN = re.compile(r"\s*(?:them|him|her|it|us|me|ellos|ellas|el|ella|eles|elas|ele|ela|mereka|dia|nya)\b")
_PLACE_GAP_MAX = 30
# "In front of the car" is not in the car.
_ELSEWHERE = frozenset(
    (
        "of", "front", "middle", "back", "background", "distance", "center", "centre", "frente", "fondo", "depan",
        "belakang", "detras", "atras", "前", "后", "旁", "边", "路",
    )
)  # fmt: skip
_NAMES = frozenset({"art", "setting", "action"})
_SIDES = ("left", "right", "centre", "front", "back")
_CUTS = frozenset(",.;:!?\n，。；：！？、")
_ENDS = frozenset(".。!！?？;；\n")


def _text_of(pieces: Sequence[Piece]) -> tuple[str, int]:
    """The text that the pieces were read from, with unread stretches as blanks; and where it starts."""
    if not pieces:
        return "", 0
    start = pieces[0].start
    parts, place = [], start
    for piece in pieces:
        parts += [" " * (piece.start - place), piece.text]
        place = piece.start + len(piece.text)
    return level("".join(parts)), start


class _Scene:
    """The text between the nouns. named: where other things are named. moves: where the camera's moves are."""

    def __init__(self, pieces: Sequence[Piece], drafts: Sequence[Draft]) -> None:
        self.text, self._offset = _text_of(pieces)
        self._drafts = sorted((draft for draft in drafts if draft.at >= 0), key=_at)
        self._named = [self._span(piece) for piece in pieces if piece.meanings.keys() & _NAMES]
        self._moves = [self._span(piece) for piece in pieces if "camera" in piece.meanings]

    def _span(self, piece: Piece) -> tuple[int, int]:
        return piece.start - self._offset, piece.end - self._offset

    def _at(self, draft: Draft) -> int:
        return draft.at - self._offset

    def _ends(self, draft: Draft) -> int:
        return draft.ends - self._offset

    def is_move(self, spot: Spot) -> bool:
        """Whether the words are about the camera: "pan to the left"."""
        return any(start <= spot.start and spot.end <= end for start, end in self._moves)

    def mount(self, spot: Spot) -> None:
        """Let the rider before the words ride what comes after them; in Japanese what is ridden comes before."""
        is_after = self.text[spot.start] in "にを"
        rider, ridden = self._pair_of_japanese(spot) if is_after else self._pair(spot)
        if ridden is None or rider is None or rider is ridden or rider.rides is not None or ridden.rides is rider:
            return
        kinds = (*_CARRIERS, *(() if spot.value == "into" else _ANIMALS))
        between = self.text[max(0, self._ends(rider)) : spot.start]
        if kind_of(ridden.art).name in kinds and (is_after or not _ENDS & set(between)):
            rider.rides = ridden

    def _pair(self, spot: Spot) -> tuple[Draft | None, Draft | None]:
        ridden = next((draft for draft in self._drafts if self._at(draft) >= spot.end), None)
        riders = [draft for draft in self._drafts if self._at(draft) < spot.start and draft.kind.name in _RIDERS]
        if ridden is None or not riders:
            return None, None
        stop = self._at(ridden)
        # "On a park bench feeding pigeons": something else is named first.
        is_other = any(spot.end <= start and end <= stop for start, end in self._named)
        return (riders[-1], ridden) if _is_near(self.text[spot.end : stop]) and not is_other else (None, None)

    def _pair_of_japanese(self, spot: Spot) -> tuple[Draft | None, Draft | None]:
        ridden = next((draft for draft in self._drafts if 0 <= spot.start - self._ends(draft) <= 1), None)
        riders = [draft for draft in self._drafts if draft is not ridden and draft.kind.name in _RIDERS]
        after = [draft for draft in riders if self._at(draft) > spot.start]
        return next(iter(after or reversed(riders)), None), ridden

    def relate(self, spot: Spot) -> bool:
        """Of two that are named around "behind" the one that is not its noun stands there; of "behind them" the next.

        Returns whether that was so. In Chinese and Japanese the noun stands before such a word: "男孩后面有一辆车".
        """
        before = [draft for draft in self._drafts if self._ends(draft) <= spot.start]
        after = [draft for draft in self._drafts if self._at(draft) >= spot.end]
        is_dense = self.text[spot.start] > "\u2fff"
        if is_dense:
            is_its_noun = bool(before) and self.text[self._ends(before[-1]) : spot.start].strip() in ("", "的")
            before = before[:-1] if is_its_noun else []
            after = after if is_its_noun else []
            placed, landmark = next(iter(before[-1:] or after[:1]), None), spot.start
        elif _PRONOUN.match(self.text, spot.end):
            placed, landmark = next(iter(after), None), spot.end
        else:
            is_near = bool(after) and _is_near(self.text[spot.end : self._at(after[0])])
            placed, landmark = next(iter(before[-1:] if is_near else []), None), spot.start
        if placed is None or placed.place or len(self._drafts) < _RELATED_MIN:
            return False
        low, high = sorted((landmark, self._ends(placed) if self._ends(placed) <= landmark else self._at(placed)))
        if high - low > _PLACE_GAP_MAX or _ENDS & set(self.text[low:high]):
            return False
        placed.place = spot.value
        return True

    def stand(self, spot: Spot) -> None:
        """A side belongs to the noun before it in its clause, else to the one after: "on the left, a cat"."""
        nearest = next((draft for draft in reversed(self._drafts) if self._ends(draft) <= spot.start), None)
        if nearest is not None and not nearest.place:
            gap = self.text[self._ends(nearest) : spot.start]
            if len(gap) <= _PLACE_GAP_MAX and not _CUTS & set(gap):
                nearest.place = spot.value
                return
        following = next((draft for draft in self._drafts if self._at(draft) >= spot.end), None)
        if following is not None and not following.place and self._at(following) - spot.end <= _PLACE_GAP_MAX:
            following.place = spot.value


def arrange(pieces: Sequence[Piece], drafts: Sequence[Draft]) -> None:
    """Write into the drafts whom they ride and where they stand."""
    scene = _Scene(pieces, drafts)
    for spot in spots(scene.text, "mount"):
        scene.mount(spot)
    related = [spot for spot in spots(scene.text, "relation") if not scene.is_move(spot) and scene.relate(spot)]
    for spot in spots(scene.text, "place"):
        if any(spot.start < other.end and other.start < spot.end for other in related):
            continue
        if spot.value in _SIDES and not scene.is_move(spot):
            scene.stand(spot)


def _at(draft: Draft) -> int:
    return draft.at


def _is_near(gap: str) -> bool:
    return len(gap) <= _GAP_MAX and not set(gap.split()) & _ELSEWHERE and not _CUTS & set(gap)
