"""How one page of an owner's tasks is found among any number of them, and counted, without going through them.

Tasks are counted over stretches of time at three levels (`listing_tables`). A total is a sum of such counts; a page
that lies deep is found by going down from the widest stretch to the one it begins in. Only what lies at the ends of
what is asked for, parts of the narrowest stretches, is counted task by task. Nothing here reads: the steps ask, and
whoever has a database answers, in one snapshot.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from understudy.core.task import Status, TaskFilter
from understudy.storage.rows import Row, micros_of

LEVELS = (22, 28, 34)
"""Bits of a microsecond that a bucket spans: 4.2 s, 4.5 minutes, 4.8 hours.

Our own: each of a level holds 64 of the one below, so that a way down looks at few; at 1,000 new tasks a second the
narrowest still holds only as many tasks as are counted in about a millisecond.
"""

LOOKED_MOST = 500
"""Tasks of a stretch that are looked at one by one rather than asking for a narrower one: one question less is worth
about as much, also over a network."""

_BELOW = {wide: narrow for narrow, wide in pairwise(LEVELS)}
_LEAF = LEVELS[0]

LAST_MICROS = 2**62
"""No task is created at or after it; every task is created after its negative. An edge of every level."""

Place = tuple[int, str]
"""Where a task stands among its owner's: (microseconds since 1970, id). An empty id stands before all of its moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of an owner's tasks, without its ends. is_archive: only the archived of it are shown."""

    first: Place
    last: Place
    is_archive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """Buckets of one level that follow each other. last: the first one that is not among them."""

    level: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPlace:
    """Where does the owner's task stand? Answered with (created_at, id), or nothing."""

    task_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskOverdue:
    """When were those created that match, that were cancelled too long ago and are still there? Rows of (created_at).

    They are gone within moments, so there are few.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class AskTallies:
    """How many are in each bucket? Rows of (level, bucket, matching, all); a bucket can have several rows, or none."""

    buckets: tuple[Buckets, ...]
    is_archive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AskCount:
    """How many tasks of the span match? One row of (number)."""

    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AskTasks:
    """Which tasks match? Rows of tasks in the listing's order, from span to span; offset: of the first span."""

    spans: tuple[Span, ...]
    limit: int
    offset: int


Question = AskPlace | AskOverdue | AskTallies | AskCount | AskTasks

Steps = Generator[Question, Sequence[Any], tuple[list[Row], int]]
"""Asks, is sent the answers, and returns the rows of the page and the total."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """A part of a span. level: of its bucket; 0 = a part of one, counted task by task.

    number: of tasks that match; none can. size: of tasks that have to be looked at to find them.
    """

    span: Span
    level: int
    number: int
    size: int

    @property
    def is_divided(self) -> bool:
        """Whether it is better taken apart than looked through."""
        return self.level > _LEAF and self.size > LOOKED_MOST


def page_steps(wanted: TaskFilter) -> Steps:
    """Find the page and count the total; ``wanted.task_ids`` are not looked at."""
    cursor: Place | None = None
    if wanted.after is not None:
        found = yield AskPlace(task_id=wanted.after)
        if not found:
            return [], 0
        cursor = (found[0][0], found[0][1])
    overdue: list[int] = []
    if wanted.status in (None, Status.CANCELLED):
        overdue = sorted(row[0] for row in (yield AskOverdue()))
    rows: list[Row] = []
    skipped, total = (wanted.page - 1) * wanted.page_size, 0
    for span in spans_of(wanted, cursor):
        stretches = yield from _stretches(span, () if span.is_archive else overdue)
        number = sum(stretch.number for stretch in stretches)
        offset = max(0, skipped - total)
        limit = min(wanted.page_size - len(rows), number - offset)
        total += number
        if limit > 0:
            ordered = stretches if wanted.is_oldest_first else stretches[::-1]
            rows += yield from _read(wanted, span, ordered, limit=limit, offset=offset, overdue=overdue)
    return rows, total


def spans_of(wanted: TaskFilter, cursor: Place | None) -> list[Span]:
    """Return the stretches that a listing goes through, in its order: those whose time counts, and the archive before.

    cursor: the place that the listing goes on from.
    """
    first, last = (-LAST_MICROS, ""), (LAST_MICROS, "")
    if cursor is not None:
        first, last = (cursor, last) if wanted.is_oldest_first else (first, cursor)
    kept = (micros_of(wanted.created_after), "")
    spans = [
        Span(first=max(first, kept), last=last, is_archive=False),
        # An id is never empty, so nothing lies at the border and neither is it shown twice.
        Span(first=first, last=min(last, kept), is_archive=True),
    ]
    spans = [span for span in spans if span.first < span.last]
    return spans[::-1] if wanted.is_oldest_first else spans


def divided(span: Span) -> tuple[tuple[Span, ...], tuple[Buckets, ...]]:
    """Divide a span into the parts of narrowest buckets at its ends, and whole buckets, as wide as they can be."""
    (since, _), (until, _) = span.first, span.last
    low, high = since >> _LEAF << _LEAF, until >> _LEAF << _LEAF
    if span.first > (low, ""):
        low += 1 << _LEAF
    if low > high:
        return (span,), ()
    ends = (
        Span(first=span.first, last=(low, ""), is_archive=span.is_archive),
        Span(first=(high, ""), last=span.last, is_archive=span.is_archive),
    )
    whole: list[Buckets] = []
    for level, above in pairwise(LEVELS):
        up, down = -(-low >> above) << above, high >> above << above
        if up >= down:
            whole.append(Buckets(level=level, first=low >> level, last=high >> level))
            low = high
            break
        whole.append(Buckets(level=level, first=low >> level, last=up >> level))
        whole.append(Buckets(level=level, first=down >> level, last=high >> level))
        low, high = up, down
    whole.append(Buckets(level=LEVELS[-1], first=low >> LEVELS[-1], last=high >> LEVELS[-1]))
    return (
        tuple(end for end in ends if end.first < end.last),
        tuple(some for some in whole if some.first < some.last),
    )


_Stretching = Generator[Question, Sequence[Any], list[_Stretch]]


def _stretches(span: Span, overdue: Sequence[int]) -> _Stretching:
    """Divide a span and count its parts, oldest first; parts without any task are left out."""
    ends, whole = divided(span)
    stretches: list[_Stretch] = []
    for end in ends:
        ((number,),) = yield AskCount(span=end)
        stretches.append(_Stretch(span=end, level=0, number=number, size=number))
    stretches += yield from _counted(whole, overdue, is_archive=span.is_archive)
    return sorted((each for each in stretches if each.size > 0), key=_first)


def _counted(buckets: tuple[Buckets, ...], overdue: Sequence[int], *, is_archive: bool) -> _Stretching:
    if not buckets:
        return []
    numbers: defaultdict[tuple[int, int], int] = defaultdict(int)
    of_all: defaultdict[tuple[int, int], int] = defaultdict(int)
    for level, bucket, number, size in (yield AskTallies(buckets=buckets, is_archive=is_archive)):
        numbers[level, bucket] += number
        of_all[level, bucket] += size
    counted = []
    for (level, bucket), size in of_all.items():
        since, until = bucket << level, (bucket + 1) << level
        number = numbers[level, bucket] - bisect_left(overdue, until) + bisect_left(overdue, since)
        span = Span(first=(since, ""), last=(until, ""), is_archive=is_archive)
        counted.append(_Stretch(span=span, level=level, number=number, size=size))
    return counted


def _first(stretch: _Stretch) -> Place:
    return stretch.span.first


def _read(
    wanted: TaskFilter,
    span: Span,
    ordered: list[_Stretch],
    *,
    limit: int,
    offset: int,
    overdue: Sequence[int],
) -> Generator[Question, Sequence[Any], Sequence[Row]]:
    """Read some tasks of a span. ordered: its stretches, in the listing's order."""
    is_narrow = span.is_archive or any(each is not None for each in (wanted.status, wanted.model, wanted.service_tier))
    if not is_narrow and not offset:
        return (yield AskTasks(spans=(span,), limit=limit, offset=0))
    # Where all match, what follows the first one follows from it; where few match, only where some are is looked.
    number = limit if is_narrow else 1
    some, offset = _reached(ordered, offset=offset, number=number)
    while any(each.number and each.is_divided for each in some):
        some = yield from _narrowed(some, () if span.is_archive else overdue, is_oldest_first=wanted.is_oldest_first)
        some, offset = _reached(some, offset=offset, number=number)
    if is_narrow:
        spans = _joined(some, is_oldest_first=wanted.is_oldest_first)
    else:
        edge = some[0].span
        rest = (edge.first, span.last) if wanted.is_oldest_first else (span.first, edge.last)
        spans = (Span(first=rest[0], last=rest[1], is_archive=False),)
    return (yield AskTasks(spans=spans, limit=limit, offset=offset))


def _reached(ordered: Iterable[_Stretch], *, offset: int, number: int) -> tuple[list[_Stretch], int]:
    """Return the stretches that hold so many tasks behind the offset, and the offset in the first of them."""
    reached: list[_Stretch] = []
    for stretch in ordered:
        if not reached and stretch.number <= offset:
            offset -= stretch.number
            continue
        if number <= 0:
            break
        number -= stretch.number - (0 if reached else offset)
        reached.append(stretch)
    return reached, offset


def _narrowed(some: list[_Stretch], overdue: Sequence[int], *, is_oldest_first: bool) -> _Stretching:
    """Replace each bucket that is better taken apart by those of the level below that make it up."""
    divisible = [each for each in some if each.number and each.is_divided]
    asked = tuple(
        Buckets(level=_BELOW[each.level], first=since >> _BELOW[each.level], last=until >> _BELOW[each.level])
        for each in divisible
        for since, until in ((each.span.first[0], each.span.last[0]),)
    )
    parts = yield from _counted(asked, overdue, is_archive=some[0].span.is_archive)
    kept = [each for each in some if not (each.number and each.is_divided)]
    return sorted(kept + parts, key=_first, reverse=not is_oldest_first)


def _joined(some: list[_Stretch], *, is_oldest_first: bool) -> tuple[Span, ...]:
    """Return as few spans as hold all that match, without many others. Between stretches there are no tasks."""
    runs: list[list[_Stretch]] = []
    size = LOOKED_MOST
    for stretch in some:
        size += stretch.size
        if size <= LOOKED_MOST:
            runs[-1].append(stretch)
        elif stretch.number:
            runs.append([stretch])
            size = stretch.size
    ends = [(run[0].span, run[-1].span) if is_oldest_first else (run[-1].span, run[0].span) for run in runs]
    return tuple(Span(first=low.first, last=high.last, is_archive=low.is_archive) for low, high in ends)
