"""Who may be told something now: so many tries at once in all, and few for who is slow, so that nobody waits for them.

An origin is scheme, host and port of an address. One that lately answered at once may have a good share of the places.
One that is not known yet has few, and all that are slow or gave no answer share a part of them.
"""

from collections import Counter, OrderedDict

SHARES = 4
"""The places are enough for so many busy origins at once, and one such share is all that ailing ones have together."""

TAKEN_MOST = 4
"""Callbacks taken at a time: all of them can be for one origin that nobody knows, and would be its places."""

QUICK_S = 1.0
"""Who takes longer to answer is ailing: at the share of a good one, a few such would hold every place."""

REMEMBERED_MOST = 1000
"""Origins; the one that was told something longest ago is forgotten first, and is then as any other."""


class Places:
    """Counts what is under way, by origin. at_once: tries in all."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._share = max(1, at_once // SHARES)
        self.taken_most = min(TAKEN_MOST, self._share)
        self._under_way: Counter[str] = Counter()
        self._is_well: OrderedDict[str, bool] = OrderedDict()

    @property
    def free(self) -> int:
        """How many more tries may begin."""
        return self._at_once - self._under_way.total()

    @property
    def free_for_ailing(self) -> int:
        """How many more tries may begin for origins that ail."""
        taken = sum(count for origin, count in self._under_way.items() if self._is_well.get(origin) is False)
        return min(self.free, self._share - taken)

    @property
    def has_ailing(self) -> bool:
        """Whether some origin is known to ail."""
        return False in self._is_well.values()

    def busy(self, most: int, *, with_ailing: bool) -> frozenset[str]:
        """Return who has no room for so many more, which could all be for one. with_ailing: all who ail as well."""
        full = {origin for origin, count in self._under_way.items() if count + most > self._most(origin)}
        return frozenset(full | {origin for origin, is_well in self._is_well.items() if with_ailing and not is_well})

    def begin(self, origin: str) -> None:
        """Note that a try begins."""
        self._under_way[origin] += 1

    def end(self, origin: str, *, took_s: float | None) -> None:
        """Note that a try has ended. took_s: until the answer; None = there was none."""
        self._under_way[origin] -= 1
        if not self._under_way[origin]:
            del self._under_way[origin]
        self._is_well[origin] = took_s is not None and took_s <= QUICK_S
        self._is_well.move_to_end(origin)
        if len(self._is_well) > REMEMBERED_MOST:
            self._is_well.popitem(last=False)

    def _most(self, origin: str) -> int:
        return self._share if self._is_well.get(origin) else self.taken_most
