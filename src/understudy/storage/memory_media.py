"""The record of media in plain dictionaries. No method awaits, so each is one transaction on the event loop."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from understudy.core.media import MediaFacts, Reservation, Reserved
from understudy.storage.media_uses import gone

_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """See the table `medium`: the states and what they mean are the same."""

    state: str
    record: int
    needed_until: datetime
    key: str | None = None
    facts: MediaFacts | None = None


class MemoryMediaStore:
    """`core.media.MediaStore` without files; everything is gone when the process ends."""

    def __init__(self) -> None:
        self._media: dict[str, _Record] = {}
        self._used_by: dict[str, frozenset[str]] = {}
        self._uses: Counter[str] = Counter()
        self._films: set[str] = set()
        self._records = 0

    async def reserve(self, sha256: str, until: datetime) -> Reserved:
        """See the port."""
        found = self._media.get(sha256) or self._new_record("arriving", until)
        if found.state in ("leaving", "returned"):
            return Reserved(what=Reservation.LEAVING)
        self._media[sha256] = replace(found, needed_until=max(found.needed_until, until))
        if found.state == "arriving":
            return Reserved(what=Reservation.NEW)
        return Reserved(what=Reservation.KNOWN, facts=found.facts)

    async def coming(self, sha256: str, key: str) -> int:
        """See the port; a key that was recorded before stays."""
        found = self._media.get(sha256)
        if found is None or found.state in ("leaving", "returned"):
            raise gone()
        self._media[sha256] = replace(found, key=found.key or key)
        return found.record

    async def arrived(self, sha256: str, key: str, facts: MediaFacts, *, record: int) -> None:
        """See the port; of bytes that are known already, what was recorded first stays."""
        found = self._media.get(sha256)
        if found is None:
            self._media[sha256] = self._new_record("leaving", _EVER, key)
        elif found.record != record:
            self._media[sha256] = replace(found, key=found.key or key)
        elif found.state == "arriving":
            self._media[sha256] = replace(found, state="whole", facts=facts)
        elif found.state == "leaving":
            self._media[sha256] = replace(found, state="returned")

    async def take_unused(self, now: datetime, most: int) -> Mapping[str, str]:
        """See the port; those that were taken longest ago come first, and what was never stored is only forgotten."""
        unused = [
            (found.needed_until, sha256)
            for sha256, found in self._media.items()
            if found.needed_until <= now and not self._uses[sha256]
        ]
        taken: dict[str, str] = {}
        for _, sha256 in sorted(unused)[:most]:
            found = self._media[sha256]
            if found.key is None:
                del self._media[sha256]
                del self._uses[sha256]
            else:
                self._media[sha256] = replace(found, state="leaving", needed_until=now)
                taken[sha256] = found.key
        return taken

    async def left(self, sha256: str) -> None:
        """See the port; bytes that came back meanwhile are still to be removed."""
        found = self._media.get(sha256)
        if found is not None and found.state == "leaving":
            del self._media[sha256]
            del self._uses[sha256]
        elif found is not None and found.state == "returned":
            self._media[sha256] = replace(found, state="leaving")

    async def remember_film(self, sha256: str) -> None:
        """See the port."""
        self._films.add(sha256)

    async def is_own_film(self, sha256: str) -> bool:
        """See the port."""
        return sha256 in self._films

    def use(self, sha256s: Iterable[str], user: str) -> None:
        """Record that somebody needs media: all of them or, when it raises, none; see `media_uses.use`.

        Raises: Unavailable.
        """
        wanted = frozenset(sha256s)
        if not all(map(self._is_whole, wanted)):
            raise gone()
        new = wanted - self._used_by.get(user, frozenset())
        self._uses.update(new)
        if new:
            self._used_by[user] = self._used_by.get(user, frozenset()) | new

    def unuse(self, user: str) -> None:
        """Record that somebody needs no medium any more."""
        self._uses.subtract(self._used_by.pop(user, frozenset()))

    def _new_record(self, state: str, needed_until: datetime, key: str | None = None) -> _Record:
        self._records += 1
        return _Record(state=state, record=self._records, needed_until=needed_until, key=key)

    def _is_whole(self, sha256: str) -> bool:
        found = self._media.get(sha256)
        return found is not None and found.state == "whole"
