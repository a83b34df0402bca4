"""New tasks on PostgreSQL: what several requests submit together is one transaction, each told its own answer.

A task that is kept out leaves its neighbours alone, because what could keep it out is looked at, under lock, before
anything is written of it: its idempotency key, its media, its id, the room in its lane. All that is locked is locked in
the same order by everybody (keys, media, lanes, ids, and of each the smaller first), so nobody waits in a circle.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import asyncpg

from understudy.core.errors import Unavailable
from understudy.core.ports import IdTaken
from understudy.core.queueing import Admission, Idempotency, QueueFull, Replayed
from understudy.core.task import LedgerEntry, Task
from understudy.storage.lifecycle import is_storable, unavailable, unstorable
from understudy.storage.media_uses import gone, media_of, task_user
from understudy.storage.postgres_faults import AnswerLost
from understudy.storage.postgres_link import Link
from understudy.storage.rows import encode_part, encode_warnings, micros_of

USE_KEYS = """
INSERT INTO idempotency (owner, key, fingerprint, task_id, used_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::bigint[]) AS given (o, k, f, t, u)
ORDER BY o, k ON CONFLICT DO NOTHING RETURNING owner, key
"""

EARLIER = """
SELECT owner, key, fingerprint, task_id FROM idempotency
WHERE (owner, key) IN (SELECT * FROM unnest($1::text[], $2::text[]))
"""

GIVE_KEYS_BACK = """
DELETE FROM idempotency WHERE (owner, key) IN (SELECT * FROM unnest($1::text[], $2::text[]))
"""

NEW_LANES = """
INSERT INTO lane (key_id, engine, queued, running, turn)
SELECT k, e, 0, 0, 0 FROM unnest($1::text[], $2::text[]) AS given (k, e) ORDER BY k, e ON CONFLICT DO NOTHING
"""

LOCK_LANES = """
SELECT key_id, engine, queued FROM lane
WHERE (key_id, engine) IN (SELECT * FROM unnest($1::text[], $2::text[])) ORDER BY key_id, engine FOR UPDATE
"""

LOCK_MEDIA = """
SELECT sha256 FROM medium WHERE sha256 = ANY($1) AND state = 'whole' ORDER BY sha256 FOR UPDATE
"""

USE_MEDIA = """
INSERT INTO medium_use (sha256, used_by)
SELECT * FROM unnest($1::text[], $2::text[]) AS given (s, u) ORDER BY s, u
"""

TAKEN_IDS = "SELECT task_id FROM ledger WHERE task_id = ANY($1) AND kind = 'hold'"

INSERT = """
WITH given AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::bigint[], $6::bigint[], $7::bigint[],
        $8::text[], $9::text[], $10::text[], $11::text[], $12::bigint[], $13::text[], $14::text[], $15::boolean[],
        $16::text[], $17::bigint[], $18::bigint[])
    AS given (id, owner, key_id, priority, created_at, updated_at, expires_at, model, service_tier, dialect, engine,
        seed, warnings, request, has_callback, currency, amount_micros, completion_tokens)),
held AS (
    INSERT INTO ledger (task_id, kind, owner, written_at, currency, amount_micros, completion_tokens)
    SELECT id, 'hold', owner, created_at, currency, amount_micros, completion_tokens FROM given ORDER BY id
    ON CONFLICT DO NOTHING RETURNING task_id)
INSERT INTO task (id, owner, key_id, status, priority, created_at, updated_at, expires_at, model, service_tier, dialect,
    engine, seed, attempt, progress, warnings, request, has_callback)
SELECT id, owner, key_id, 'queued', priority, created_at, updated_at, expires_at, model, service_tier, dialect,
    engine, seed, 0, 0, warnings, request, has_callback
FROM given JOIN held ON held.task_id = given.id ORDER BY id
RETURNING id
"""
"""An id stays taken as long as its ledger remains, so the ledger decides which tasks are new."""

ADD_TARGETS = """
INSERT INTO callback_target (task_id, url, root, origin, owner, key_id, dialect, engine, seed, created_at, expires_at,
    request)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::bigint[], $10::bigint[], $11::bigint[], $12::text[]) ON CONFLICT DO NOTHING RETURNING task_id
"""

STORED = "SELECT id, owner, seed, created_at FROM task WHERE id = ANY($1)"

FIND_OUT_S = 5.0
"""A server that was killed is back within seconds where something restarts it; a client waits longer than that."""

FIND_OUT_PAUSE_S = 0.1

FORGET_TARGETS = "DELETE FROM callback_target WHERE task_id = ANY($1)"


@dataclass(frozen=True, slots=True, eq=False)
class Entrant:
    """A task that is to be stored, with what comes with it."""

    task: Task
    hold: LedgerEntry
    admission: Admission
    row: tuple[object, ...]
    media: tuple[str, ...] = ()

    @property
    def lane(self) -> tuple[str, str]:
        """The key and the engine that it waits in line of."""
        return self.task.key_id, self.task.engine

    @property
    def used_key(self) -> tuple[str, str] | None:
        """Its owner and its idempotency key, if it has one."""
        idempotency = self.admission.idempotency
        return None if idempotency is None else (self.task.owner, idempotency.key)


def entrant(task: Task, hold: LedgerEntry, admission: Admission) -> Entrant:
    """Encode a new task.

    Raises:
        Rejected: a text in it cannot be stored.
    """
    callback, idempotency = admission.callback, admission.idempotency
    if not is_storable(task.key_id):
        raise unstorable("key_id")
    if callback is not None and not (is_storable(callback.url) and is_storable(callback.root)):
        raise unstorable("callback_url")
    if idempotency is not None and not is_storable(idempotency.key):
        raise unstorable("Idempotency-Key")
    warnings = encode_warnings(task.warnings)
    row = (
        task.id,
        task.owner,
        task.key_id,
        task.request.priority or 0,
        micros_of(task.created_at),
        micros_of(task.updated_at),
        micros_of(task.expires_at),
        task.request.model,
        task.request.service_tier,
        task.dialect,
        task.engine,
        task.seed,
        None if warnings is None else warnings.decode(),
        encode_part(task.request, "content").decode(),
        callback is not None,
        hold.currency,
        hold.amount_micros,
        hold.completion_tokens,
    )
    return Entrant(task, hold, admission, row, media_of(task))


async def admit_all(link: Link, entrants: Sequence[Entrant]) -> list[BaseException | None]:
    """Store tasks, as if one came after the other; gives for each None, or why it was kept out.

    Raises:
        Unavailable: the database does not answer; `AnswerLost` when what became of them is unknown.
    """
    known = _Known()
    waiting = list(entrants)
    while waiting:
        together, waiting = _apart(waiting, known)
        if not together:
            continue
        if _is_plain(together):
            rows = await link.fetch(INSERT, *_columns(each.row for each in together))
            stored, refusals = {row[0] for row in rows}, {}
        else:
            async with link.transaction() as connection:
                batch = _Batch(connection, together)
                stored, refusals = await batch.admit(), batch.refusals
        for each in together:
            known.learn(each, None if each.task.id in stored else refusals.get(id(each)) or IdTaken(each.task.id))
    return [known.answers[id(each)] for each in entrants]


async def find_out(link: Link, entrants: Sequence[Entrant], lost: AnswerLost) -> list[BaseException | None]:
    """Say which tasks were stored when the answer was lost; gives for each None, or that it did not come.

    A client that is told of an error sends its order again, and pays twice if the first was stored. So the database
    has some seconds to come back and be asked.
    """
    ids = [each.task.id for each in entrants]
    stored: set[tuple[object, ...]] = set()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FIND_OUT_S):
            while True:
                try:
                    stored = {tuple(row) for row in await link.fetch(STORED, ids)}
                    break
                except Unavailable:
                    await asyncio.sleep(FIND_OUT_PAUSE_S)
    return [None if _likeness(each) in stored else lost for each in entrants]


def _likeness(each: Entrant) -> tuple[object, ...]:
    """Give what tells a task from another that drew the same id."""
    return each.task.id, each.task.owner, each.task.seed, micros_of(each.task.created_at)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of ids and keys of tasks that were submitted together. answers: by the identity of the entrant."""

    answers: dict[int, BaseException | None] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    keys: dict[tuple[str, str], Idempotency] = field(default_factory=dict)

    def learn(self, each: Entrant, answer: BaseException | None) -> None:
        """Keep an answer, and what follows from it for those behind."""
        self.answers[id(each)] = answer
        if answer is None or isinstance(answer, IdTaken):
            self.ids.add(each.task.id)
        key, idempotency = each.used_key, each.admission.idempotency
        if key is not None and idempotency is not None and answer is None:
            self.keys[key] = replace(idempotency, task_id=each.task.id)
        elif key is not None and isinstance(answer, Replayed):
            self.keys[key] = answer.earlier

    def tells(self, each: Entrant) -> bool:
        """Answer one of which enough is known; say whether it is."""
        key = each.used_key
        if key in self.keys:
            self.answers[id(each)] = Replayed(self.keys[key])
        elif key is None and each.task.id in self.ids:
            self.answers[id(each)] = IdTaken(each.task.id)
        else:
            return False
        return True


def _apart(entrants: list[Entrant], known: _Known) -> tuple[list[Entrant], list[Entrant]]:
    """Part those that can go together from the first that wants what one of them wants, and all behind it.

    Whether that one gets the id or the key is known after its transaction. Those of whom that is known are answered.
    """
    ids: set[str] = set()
    keys: set[tuple[str, str] | None] = set()
    together: list[Entrant] = []
    for place, each in enumerate(entrants):
        if known.tells(each):
            continue
        key = each.used_key
        if each.task.id in ids or (key is not None and key in keys):
            return together, entrants[place:]
        together.append(each)
        ids.add(each.task.id)
        keys.add(key)
    return together, []


def _is_plain(entrants: list[Entrant]) -> bool:
    """Say whether nothing can keep them out but their ids, so that one statement stores them."""
    return not any(
        each.media or each.admission.callback or each.admission.idempotency or each.admission.queued_most is not None
        for each in entrants
    )


def _columns(rows: Iterable[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    return zip(*rows, strict=True)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Tasks that are stored in one transaction.

    refusals: of those kept out, by the identity of the entrant. targets: ids for which a target was written.
    """

    connection: asyncpg.Connection
    entrants: list[Entrant]
    refusals: dict[int, BaseException] = field(default_factory=dict)
    targets: set[str] = field(default_factory=set)

    async def admit(self) -> set[str]:
        """Store those that nothing keeps out; gives their ids."""
        await self._use_keys()
        await self._find_media()
        await self._find_room()
        await self._add_targets()
        admitted = self._admitted()
        stored: set[str] = set()
        if admitted:
            rows = await self.connection.fetch(INSERT, *_columns(each.row for each in admitted))
            stored = {row[0] for row in rows}
        for each in admitted:
            if each.task.id not in stored:
                self._refuse(each, IdTaken(each.task.id))
        await self._use_media()
        await self._take_back()
        return stored

    def _admitted(self) -> list[Entrant]:
        return [each for each in self.entrants if id(each) not in self.refusals]

    def _refuse(self, refused: Entrant, error: BaseException) -> None:
        self.refusals[id(refused)] = error

    async def _use_keys(self) -> None:
        """Take the idempotency keys; who uses the same at this moment waits for us, or we for them."""
        keyed = {key: each for each in self.entrants if (key := each.used_key) is not None}
        if not keyed:
            return
        rows = [_use_of(each) for each in keyed.values()]
        used = {tuple(row) for row in await self.connection.fetch(USE_KEYS, *_columns(rows))}
        replayed = [key for key in keyed if key not in used]
        if not replayed:
            return
        for owner, key, fingerprint, task_id in await self.connection.fetch(EARLIER, *_columns(replayed)):
            earlier = Idempotency(key=key, fingerprint=fingerprint, task_id=task_id)
            self._refuse(keyed[owner, key], Replayed(earlier))
        for key in replayed:
            if id(keyed[key]) not in self.refusals:
                # It was there and is gone: somebody who used it was kept out, or it was forgotten this moment.
                self._refuse(keyed[key], unavailable("another request of the same Idempotency-Key was under way"))

    async def _find_media(self) -> None:
        wanted = sorted({sha256 for each in self._admitted() for sha256 in each.media})
        if not wanted:
            return
        whole = {row[0] for row in await self.connection.fetch(LOCK_MEDIA, wanted)}
        for each in self._admitted():
            if not whole.issuperset(each.media):
                self._refuse(each, gone())

    async def _find_room(self) -> None:
        """Keep out what finds its lane full. The lanes are ours until the end, so the bound holds exactly."""
        bounded = {each.lane for each in self._admitted() if each.admission.queued_most is not None}
        if not bounded:
            return
        lanes = sorted({each.lane for each in self._admitted()})
        queued = await self._lock(lanes)
        if len(queued) < len(lanes):
            await self.connection.execute(NEW_LANES, *_columns(lanes))
            queued = await self._lock(lanes)
        ids = [each.task.id for each in self._admitted()]
        taken = {row[0] for row in await self.connection.fetch(TAKEN_IDS, ids)}
        for each in self._admitted():
            most = each.admission.queued_most
            if each.task.id in taken:
                self._refuse(each, IdTaken(each.task.id))
            elif most is not None and queued[each.lane] >= most:
                self._refuse(each, QueueFull(most))
            else:
                queued[each.lane] += 1

    async def _lock(self, lanes: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
        rows = await self.connection.fetch(LOCK_LANES, *_columns(lanes))
        return {(row[0], row[1]): row[2] for row in rows}

    async def _add_targets(self) -> None:
        rows = [_target_of(each) for each in self._admitted() if each.admission.callback is not None]
        if rows:
            self.targets.update(row[0] for row in await self.connection.fetch(ADD_TARGETS, *_columns(rows)))

    async def _use_media(self) -> None:
        uses = [(sha256, task_user(each.task.id)) for each in self._admitted() for sha256 in each.media]
        if uses:
            await self.connection.execute(USE_MEDIA, *_columns(uses))

    async def _take_back(self) -> None:
        """Undo what was written before it turned out that a task is kept out."""
        refused = [each for each in self.entrants if id(each) in self.refusals]
        keys = [key for each in refused if (key := each.used_key) and not self._is_replay(each)]
        if keys:
            await self.connection.execute(GIVE_KEYS_BACK, *_columns(keys))
        told_to_nobody = [each.task.id for each in refused if each.task.id in self.targets]
        if told_to_nobody:
            await self.connection.execute(FORGET_TARGETS, told_to_nobody)

    def _is_replay(self, refused: Entrant) -> bool:
        return isinstance(self.refusals[id(refused)], Replayed)


def _use_of(each: Entrant) -> tuple[object, ...]:
    idempotency = each.admission.idempotency
    assert idempotency is not None
    return each.task.owner, idempotency.key, idempotency.fingerprint, each.task.id, micros_of(each.task.created_at)


def _target_of(each: Entrant) -> tuple[object, ...]:
    task, target = each.task, each.admission.callback
    assert target is not None
    return (
        task.id,
        target.url,
        target.root,
        target.origin,
        task.owner,
        task.key_id,
        task.dialect,
        task.engine,
        task.seed,
        micros_of(task.created_at),
        micros_of(task.expires_at),
        encode_part(task.request, "content").decode(),
    )
