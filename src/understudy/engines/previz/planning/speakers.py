"""Who says each quotation: whoever acts in its clause, a voice off screen, or somebody who is named after it."""

from understudy.engines.previz.planning.casting import Cast, Phrase
from understudy.engines.previz.planning.drafts import Draft
from understudy.reading.phrases import Piece


class Speakers:
    """Collects the speakers of the quotations in order. found: None = off screen, or nobody known: ``unclaimed``."""

    def __init__(self) -> None:
        self.found: list[Draft | None] = []
        self.unclaimed: set[int] = set()
        self._waiting: list[int] = []
        self.start_sentence()

    def start_sentence(self) -> None:
        """Nobody speaks yet."""
        self._waiting = []
        self._is_offscreen = self._is_outside = self._has_speech = False

    def note(self, piece: Piece, following: Piece | None, *, phrase: Phrase, cast: Cast) -> None:
        """Note a word of speech or of a voice."""
        voices = piece.meanings.get("voice", ())
        # "小さな声で言う" tells how somebody speaks.
        is_manner = following is not None and following.text in ("で", "の") and bool(cast.clause)
        is_free = phrase.role not in ("place", "with") and phrase.noun is None and not is_manner
        if "outside" in voices or ("offscreen" in voices and is_free):
            self._is_offscreen = True
            self._is_outside = self._is_outside or "outside" in voices
        if "speech" in voices:
            self._has_speech = True
            if self._waiting and cast.clause:
                self.assign(cast.clause[0])

    def quote(self, cast: Cast) -> None:
        """A quotation stands here."""
        living = [draft for draft in cast.clause if draft.kind.is_living]
        if self._is_offscreen:
            self.found.append(None)
        elif living:
            self.found.append(living[0])
        else:
            self.found.append(next(iter(cast.last_clause or cast.drafts), None))
            self._waiting.append(len(self.found) - 1)
            if self.found[-1] is None:
                self.unclaimed.add(len(self.found) - 1)

    def named(self, draft: Draft) -> None:
        """Somebody who acts is named: no voice off screen any more, unless it was said to be."""
        self._is_offscreen = self._is_outside
        self.assign(draft)

    def assign(self, draft: Draft) -> None:
        """A speaker that is named after the line: "Hello," says the man."""
        if self._has_speech:
            for place in self._waiting:
                self.found[place] = draft
                self.unclaimed.discard(place)
            self._waiting = []
