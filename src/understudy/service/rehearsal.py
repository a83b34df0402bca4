"""Rehearsing what can go wrong: refusals that a prompt asks for, and a clock that can be moved forward.

Which words ask for what is the engine's (`core.rehearsal`); an engine that has no such words is never asked.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from understudy.core.errors import CODES, InsufficientFunds, RateLimited, Unavailable, UnderstudyError, Violation
from understudy.core.ports import Clock, EngineOffer
from understudy.core.rehearsal import Refusal
from understudy.core.task import Warned, told_in_brief
from understudy.dialects.naming import renamed, renamed_warnings
from understudy.service.judge import Judged
from understudy.service.screen import refusal_of

REMEMBERED_MOST = 1000
"""Prompts whose refusals are counted; who rehearses more of them at once begins anew with the oldest."""

AHEAD_DAYS_MOST = 3650
"""How far the clock may go in all: beyond any retention, and far from the end of what dates can say."""

_KINDS: Mapping[int, type[UnderstudyError]] = {402: InsufficientFunds, 429: RateLimited}


def rehearsed(judged: Judged, engine: EngineOffer, names: Mapping[str, str]) -> Judged:
    """Return the judgement with what the engine's words in the prompt ask for. names: see `dialects.naming`."""
    rehearsal = None if engine.rehearse is None else engine.rehearse(judged.request)
    if rehearsal is None:
        return judged
    content = judged.request.content
    told = tuple(Warned(param=f"content[{index}].text", message=sentence) for index, sentence in rehearsal.told)
    broken = tuple(renamed(each, names) for each in rehearsal.violations)
    found = tuple(refusal_of(each, content[each.index].modality, names) for each in rehearsal.findings)
    return replace(
        judged,
        violations=judged.violations + broken + found,
        warnings=told_in_brief(judged.warnings + renamed_warnings(told, names)),
        rehearsal=rehearsal,
    )


class Rehearsals:
    """Counts how often the same prompt of the same owner was refused, for as many as `REMEMBERED_MOST`."""

    def __init__(self) -> None:
        self._given: OrderedDict[tuple[str, bytes, str], int] = OrderedDict()

    def turn_away(self, owner: str, judged: Judged) -> None:
        """Refuse the request as often as it asks for, then let it pass and forget it.

        Raises: InsufficientFunds, RateLimited, Unavailable.
        """
        refusals = () if judged.rehearsal is None else judged.rehearsal.refusals
        # Nothing but the prompt: what else a client sends again may be new each time, as the links to its media are.
        prompt = hashlib.sha256(judged.request.prompt.encode()).digest() if refusals else b""
        for refusal in refusals:
            key = (owner, prompt, refusal.violation.code)
            given = self._given.pop(key, 0)
            if given < refusal.times:
                self._given[key] = given + 1
                if len(self._given) > REMEMBERED_MOST:
                    self._given.popitem(last=False)
                raise _error_of(refusal)
            # Kept until the last of them has been given, so that the first is not given again before the second.
            self._given[key] = given
        for refusal in refusals:
            del self._given[owner, prompt, refusal.violation.code]


def _error_of(refusal: Refusal) -> UnderstudyError:
    kind = _KINDS.get(CODES[refusal.violation.code].status, Unavailable)
    return kind(refusal.violation, retry_after_s=refusal.retry_after_s)


class MovableClock:
    """Another clock that can be moved forward, so that what takes days can be seen at once; never back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Return the present moment as it was moved, aware, UTC."""
        return self._clock.now() + self._ahead

    @property
    def ahead_s(self) -> float:
        """By how much it is ahead of the other clock."""
        return self._ahead.total_seconds()

    def can_advance(self, seconds: float) -> bool:
        """Say whether so much more is forward, and not too far."""
        return 0 < seconds <= AHEAD_DAYS_MOST * 86_400 - self.ahead_s

    def advance(self, seconds: float) -> None:
        """Move it forward; `can_advance` must have said yes."""
        self._ahead += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockMover:
    """The clock and what must look at it once it was moved. settle: expires and removes what is over by then."""

    clock: MovableClock
    settle: Callable[[], Awaitable[None]]


def unmovable(seconds: object) -> Violation:
    """Say what the clock can be moved by."""
    most_s = AHEAD_DAYS_MOST * 86_400
    message = (
        f"The parameter `advance_s` is {str(seconds)[:40]!a}; the clock goes forward by a number of seconds above 0, "
        f"by {most_s} in all."
    )
    return Violation("InvalidParameter", "advance_s", message)
