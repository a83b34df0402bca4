"""Tasks as rows for tests of listings, what is asked of them, and what a look at every one of them shows."""

from datetime import UTC, datetime, timedelta

from understudy.core.task import Status, TaskFilter
from understudy.storage.rows import micros_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BOTH = (False, True)
REQUEST = b'{"model":"m","content":[]}'
FILM = (
    b'{"video_blob":"v","last_frame_blob":null,"ratio":"1:1","width_px":2,"height_px":2,"duration_s":5,"fps":24,'
    b'"num_frames":120,"has_sound":false}'
)
OUTCOMES = {
    Status.QUEUED: (0, None, None, None, None, None),
    Status.RUNNING: (1, 1, "w", None, None, None),
    Status.SUCCEEDED: (1, None, None, 5, None, FILM),
    Status.FAILED: (1, None, None, None, b'{"code":"c","message":"m"}', None),
    Status.EXPIRED: (0, None, None, None, None, None),
    Status.CANCELLED: (0, None, None, None, None, None),
}
INSERT = """
INSERT INTO task (id, owner, status, priority, created_at, updated_at, expires_at, model, service_tier, dialect, engine,
    seed, attempt, progress, lease_until, worker, completion_tokens, error, film, request, archived)
VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, 'ark', 'previz', 7, ?, 0.0, ?, ?, ?, ?, ?, ?, ?)
"""


def row_of(number, created_at, **changes):
    """Give the row of a task as it stands; created_at, updated_at: moments."""
    task = {"owner": "o", "status": Status.QUEUED, "updated_at": created_at, "model": "model-a", "tier": "default"}
    task |= {"archived": 0} | changes
    times = (micros_of(created_at), micros_of(task["updated_at"]), micros_of(created_at + timedelta(days=3)))
    ends = (*OUTCOMES[task["status"]], REQUEST, task["archived"])
    return (f"t{number:07d}", task["owner"], task["status"].value, *times, task["model"], task["tier"], *ends)


def rows_of(dice, number):
    """Give tasks of two owners, in heaps and far between, over ten days."""
    moments = [NOW - timedelta(days=10 * dice.random()) for _ in range(8)]
    for each in range(number):
        moment = dice.choice(moments) + timedelta(seconds=dice.choice((0, 0.1, 3, 100, 2000)) * dice.random())
        yield row_of(
            each,
            moment,
            owner=dice.choice("oooop"),
            status=dice.choice(list(Status)),
            updated_at=moment + timedelta(hours=dice.random() * 40),
            model=dice.choice(("model-a", "model-a", "model-b")),
            tier=dice.choice(("default", "flex", None)),
            archived=int(dice.random() < 0.1),
        )


COLUMNS = "id, created_at, updated_at, status, model, service_tier, archived"


def shown(rows, wanted):
    """Find the page by looking at every task: the same rules, one after the other. rows: of COLUMNS."""
    place = {row[0]: (row[1], row[0]) for row in rows}
    if wanted.after is not None and wanted.after not in place:
        return [], 0
    found = []
    for task_id, created_at, updated_at, status, model, tier, archived in rows:
        late = status == "cancelled" and updated_at < micros_of(wanted.cancelled_after)
        is_behind = wanted.after is None or (
            place[task_id] > place[wanted.after] if wanted.is_oldest_first else place[task_id] < place[wanted.after]
        )
        if (
            (archived or (created_at >= micros_of(wanted.created_after) and not late))
            and (wanted.status is None or wanted.status.value == status)
            and wanted.model in (None, model)
            and wanted.service_tier in (None, tier)
            and is_behind
        ):
            found.append((created_at, task_id))
    found.sort(reverse=not wanted.is_oldest_first)
    start = (wanted.page - 1) * wanted.page_size
    return [task_id for _, task_id in found[start : start + wanted.page_size]], len(found)


def a_listing(dice):
    """Give some question."""
    size = dice.choice((1, 3, 20, 500))
    return TaskFilter(
        page=dice.randint(1, 1 + 400 // size),
        page_size=size,
        created_after=dice.choice((NOW - timedelta(days=7 * dice.random()), datetime.min.replace(tzinfo=UTC))),
        cancelled_after=NOW - timedelta(days=dice.choice((0, 1, 5, 100))),
        status=dice.choice((None, None, *Status)),
        model=dice.choice((None, None, "model-a", "model-b", "model-c")),
        service_tier=dice.choice((None, None, "default", "flex", "")),
        after=dice.choice((None, f"t{dice.randrange(700):07d}")),
        is_oldest_first=dice.choice(BOTH),
    )
