"""The judge of crash campaigns: it passes a clean history, and names each fault that is planted into one."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import chaos.check
from chaos.check import Flaw, flaws_of

Event = dict[str, Any]
LEASE_S = 4.0
KEY, FILMED, FAILED, CANCELLED = "key-a", "20261122000000-aaaaa", "20261122000000-bbbbb", "20261122000000-ccccc"
HOLD_MICROS, POSTED_MICROS = 100, 90


class Written:
    """A history as a campaign writes it. Moments count up by themselves, a tenth of a second each."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.order = 0
        self.add("start", database="sqlite", lease_s=LEASE_S, slack_s=0.5, cap=1)

    def add(self, kind: str, **fields: Any) -> None:
        self.events.append({"kind": kind, "at": len(self.events) / 10, **fields})

    def request(self, task: str, act: str, asks: str) -> None:
        promise, callback = f"promise-{act}", f"/hears/{act}"
        self.add("asked", act=act, key=KEY, promise=promise, asks=asks, callback=callback)
        self.row(task, "", "queued", attempt=0)
        self.add("acked", act=act, task=task)

    def row(self, task: str, before: str, after: str, attempt: int) -> None:
        self.order += 1
        wall = len(self.events) / 10
        key = {"task": task, "key": KEY, "lease_until": wall + LEASE_S}
        self.add("journal", order=self.order, wall=wall, before=before, after=after, attempt=attempt, **key)

    def told(self, task: str, *states: str) -> None:
        for number, state in enumerate(states, 1):
            self.add("told", task=task, number=number, state=state, answered=200)
            self.add("delivery", task=task, number=number, state="delivered", tried=1)

    def kept(self, task: str, act: str, state: str, attempt: int) -> None:
        about = {"act": act, "promise": f"promise-{act}", "callback": f"/hears/{act}", "expires": 1000.0}
        self.add("kept", task=task, state=state, attempt=attempt, key=KEY, **about)
        self.charged(task, "hold", HOLD_MICROS)
        if state == "succeeded":
            self.charged(task, "posted", POSTED_MICROS)
        else:
            self.charged(task, "voided", HOLD_MICROS)

    def charged(self, task: str, entry: str, micros: int) -> None:
        self.add("entry", task=task, entry=entry, micros=micros, currency="CNY")


def clean() -> list[Event]:
    """Return a history in which a film took two attempts, one task failed and one was cancelled."""
    written = Written()
    written.request(FILMED, "1", asks="succeeded")
    written.row(FILMED, "queued", "running", attempt=1)
    written.add("render", edge="start", task=FILMED, attempt=1, pid=10)
    written.add("fault", what="kill server", kills=1)
    written.row(FILMED, "running", "queued", attempt=1)
    written.row(FILMED, "queued", "running", attempt=2)
    written.add("render", edge="start", task=FILMED, attempt=2, pid=11)
    written.row(FILMED, "running", "running", attempt=2)
    written.add("render", edge="end", task=FILMED, attempt=2, pid=11, sha256="f2")
    written.row(FILMED, "running", "succeeded", attempt=2)
    written.add("seen", task=FILMED, state="succeeded", since=len(written.events) / 10)
    written.add("film", task=FILMED, sha256="f2")
    written.told(FILMED, "queued", "running", "queued", "running", "succeeded")
    written.request(FAILED, "2", asks="failed")
    written.row(FAILED, "queued", "running", attempt=1)
    written.add("render", edge="start", task=FAILED, attempt=1, pid=11)
    written.row(FAILED, "running", "failed", attempt=1)
    written.told(FAILED, "queued", "running", "failed")
    written.request(CANCELLED, "3", asks="succeeded")
    written.add("removing", task=CANCELLED, way="cancel")
    written.row(CANCELLED, "queued", "cancelled", attempt=0)
    written.kept(FILMED, "1", "succeeded", attempt=2)
    written.add("film", task=FILMED, sha256="f2", final=True)
    written.kept(FAILED, "2", "failed", attempt=1)
    written.kept(CANCELLED, "3", "cancelled", attempt=0)
    written.add("end")
    return written.events


def test_a_clean_history_passes() -> None:
    assert flaws_of(clean()) == []


def drop(events: list[Event], **fields: Any) -> None:
    """Remove the events that have these fields; there is at least one."""
    left = [event for event in events if any(event.get(name) != value for name, value in fields.items())]
    assert len(left) < len(events), fields
    events[:] = left


def alter(events: list[Event], changed: Event, **fields: Any) -> None:
    """Change the last event that has these fields."""
    found = [event for event in events if all(event.get(name) == value for name, value in fields.items())]
    found[-1].update(changed)


def add(events: list[Event], kind: str, **fields: Any) -> None:
    """Add an event of a moment before the end."""
    events.insert(-1, {"kind": kind, "at": events[-1]["at"] - 0.01, **fields})


def change(events: list[Event], before: str, after: str, **fields: Any) -> None:
    """Add a line at the end of the journal."""
    last = max(event["order"] for event in events if event["kind"] == "journal")
    moment = {"order": last + 1, "wall": events[-1]["at"], "key": KEY, "lease_until": events[-1]["at"] + LEASE_S}
    add(events, "journal", before=before, after=after, **moment, **fields)


def lose_the_task(events: list[Event]) -> None:
    drop(events, kind="kept", task=FILMED)
    change(events, "succeeded", "", task=FILMED, attempt=2)


def never_store_the_task(events: list[Event]) -> None:
    for kind in ("kept", "journal", "entry"):
        drop(events, kind=kind, task=CANCELLED)


def claim_it_twice(events: list[Event]) -> None:
    alter(events, {"before": "running"}, kind="journal", task=FILMED, before="queued", attempt=2)
    drop(events, kind="journal", task=FILMED, after="queued", attempt=1)


def render_one_claim_twice(events: list[Event]) -> None:
    add(events, "render", edge="start", task=FILMED, attempt=2, pid=12)


def render_without_a_claim(events: list[Event]) -> None:
    add(events, "render", edge="start", task=FILMED, attempt=3, pid=12)


def post_twice(events: list[Event]) -> None:
    add(events, "entry", task=FILMED, entry="posted", micros=POSTED_MICROS, currency="CNY")


def post_and_void(events: list[Event]) -> None:
    add(events, "entry", task=FILMED, entry="voided", micros=0, currency="CNY")


def charge_a_failure(events: list[Event]) -> None:
    alter(events, {"entry": "posted"}, kind="entry", task=FAILED, entry="voided")


def charge_what_was_never_there(events: list[Event]) -> None:
    add(events, "entry", task="20261122000000-zzzzz", entry="hold", micros=1, currency="CNY")


def void_a_part(events: list[Event]) -> None:
    alter(events, {"micros": HOLD_MICROS - 1}, kind="entry", task=FAILED, entry="voided")


def post_more_than_was_held(events: list[Event]) -> None:
    alter(events, {"micros": HOLD_MICROS + 1}, kind="entry", task=FILMED, entry="posted")


def lose_the_film(events: list[Event]) -> None:
    alter(events, {"sha256": ""}, kind="film", task=FILMED, final=True)


def swap_the_film(events: list[Event]) -> None:
    alter(events, {"sha256": "f1"}, kind="film", task=FILMED, final=True)


def deliver_the_film_of_a_lost_claim(events: list[Event]) -> None:
    alter(events, {"attempt": 1}, kind="render", edge="end", task=FILMED)


def revive_the_task(events: list[Event]) -> None:
    change(events, "failed", "queued", task=FAILED, attempt=1)
    alter(events, {"state": "queued"}, kind="kept", task=FAILED)


def show_another_end(events: list[Event]) -> None:
    add(events, "seen", task=FILMED, state="running", since=events[-1]["at"] - 0.02)


def fail_it_without_a_reason(events: list[Event]) -> None:
    alter(events, {"asks": "succeeded"}, kind="asked", act="2")


def cancel_it_unasked(events: list[Event]) -> None:
    drop(events, kind="removing", task=CANCELLED)


def expire_it_early(events: list[Event]) -> None:
    alter(events, {"after": "expired"}, kind="journal", task=FAILED, after="failed")
    alter(events, {"state": "expired"}, kind="kept", task=FAILED)
    alter(events, {"asks": "expired"}, kind="asked", act="2")


def begin_it_late(events: list[Event]) -> None:
    alter(events, {"expires": -5.0}, kind="kept", task=FILMED)


def leave_it_open(events: list[Event]) -> None:
    drop(events, kind="journal", task=FAILED, after="failed")


def tell_nobody(events: list[Event]) -> None:
    drop(events, kind="told", task=FAILED, state="failed")


def tell_only_who_refuses(events: list[Event]) -> None:
    alter(events, {"answered": 500}, kind="told", task=FAILED, state="failed")


def say_it_was_delivered(events: list[Event]) -> None:
    drop(events, kind="told", task=FAILED, state="queued")


def tell_out_of_order(events: list[Event]) -> None:
    first = next(event for event in events if event["kind"] == "told" and event["task"] == FAILED)
    first["at"] = events[-1]["at"] - 0.01


def tell_what_never_was(events: list[Event]) -> None:
    add(events, "told", task=FAILED, number=4, state="succeeded", answered=200)


def tell_of_a_cancellation(events: list[Event]) -> None:
    add(events, "told", task=CANCELLED, number=2, state="cancelled", answered=200)


def make_two_tasks_of_a_replay(events: list[Event]) -> None:
    add(events, "acked", act="1", task=FAILED)


def keep_the_task_of_a_refused_request(events: list[Event]) -> None:
    add(events, "refused", act="2", status=429)


def run_too_many(events: list[Event]) -> None:
    claim = next(event for event in events if event["kind"] == "journal" and event["task"] == FAILED)
    begun = copy.deepcopy(claim) | {"before": "queued", "after": "running", "attempt": 1}
    begun["order"] = claim["order"] = 2.1
    begun["order"] += 0.1
    drop(events, kind="journal", task=FAILED, after="running")
    events.insert(-1, begun)


def forget_a_claim(events: list[Event]) -> None:
    alter(events, {"attempt": 3}, kind="kept", task=FILMED)


def leave_a_process(events: list[Event]) -> None:
    add(events, "left", pid=7, command="render_process")


def end_with_an_error(events: list[Event]) -> None:
    add(events, "badly", name="server", returncode=1)


def go_wrong(events: list[Event]) -> None:
    add(events, "mistake", error="some callers did not see the end")


PLANTED: dict[Callable[[list[Event]], None], tuple[str, str]] = {
    lose_the_task: ("lost task", FILMED),
    never_store_the_task: ("lost task", CANCELLED),
    claim_it_twice: ("double claim", FILMED),
    render_one_claim_twice: ("double claim", FILMED),
    render_without_a_claim: ("claims", FILMED),
    forget_a_claim: ("claims", FILMED),
    post_twice: ("one charge", FILMED),
    post_and_void: ("one charge", FILMED),
    charge_a_failure: ("one charge", FAILED),
    charge_what_was_never_there: ("one charge", "20261122000000-zzzzz"),
    void_a_part: ("balance", FAILED),
    post_more_than_was_held: ("balance", FILMED),
    lose_the_film: ("lost result", FILMED),
    swap_the_film: ("one result", FILMED),
    deliver_the_film_of_a_lost_claim: ("one result", FILMED),
    revive_the_task: ("end is final", FAILED),
    show_another_end: ("end is final", FILMED),
    fail_it_without_a_reason: ("wanted end", FAILED),
    cancel_it_unasked: ("wanted end", CANCELLED),
    expire_it_early: ("expiry", FAILED),
    begin_it_late: ("expiry", FILMED),
    leave_it_open: ("one end", FAILED),
    tell_nobody: ("lost callback", FAILED),
    tell_only_who_refuses: ("lost callback", FAILED),
    say_it_was_delivered: ("lost callback", FAILED),
    tell_out_of_order: ("callbacks", FAILED),
    tell_what_never_was: ("callbacks", FAILED),
    tell_of_a_cancellation: ("callbacks", CANCELLED),
    make_two_tasks_of_a_replay: ("replay", "request 1"),
    keep_the_task_of_a_refused_request: ("replay", "request 2"),
    run_too_many: ("cap", FAILED),
    leave_a_process: ("order", "process 7"),
    end_with_an_error: ("order", "server"),
    go_wrong: ("order", "the campaign"),
}
"""What is done to a clean history -> the rule that names it, and whom it names."""


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_named(plant: Callable[[list[Event]], None]) -> None:
    events = clean()
    plant(events)
    assert PLANTED[plant] in {(flaw.rule, flaw.subject) for flaw in flaws_of(events)}


def test_a_lease_that_lapsed_may_be_claimed_anew() -> None:
    events = clean()
    claim_it_twice(events)
    again = next(event for event in events if event["kind"] == "journal" and event["attempt"] == 2)
    for event in events:
        if event["kind"] == "journal" and event["order"] >= again["order"]:
            event["wall"] += LEASE_S
    assert flaws_of(events) == []


def test_a_history_without_its_end_is_no_history() -> None:
    events = clean()
    drop(events, kind="end")
    assert [flaw.rule for flaw in flaws_of(events)] == ["history"]


def judged(path: Path, events: list[Event]) -> subprocess.CompletedProcess[str]:
    """Run the program as its users do, without anything that is installed beside Python itself."""
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    program = chaos.check.__file__
    return subprocess.run([sys.executable, "-I", "-S", program, path], capture_output=True, text=True)


def test_the_program_needs_nothing_but_python_and_tells_its_judgement_by_its_end(tmp_path: Path) -> None:
    whole = judged(tmp_path / "history", clean())
    assert (whole.returncode, whole.stderr) == (0, "")
    assert whole.stdout.endswith("Every promise was kept.\n")
    broken = clean()
    post_twice(broken)
    told = judged(tmp_path / "history", broken)
    assert told.returncode == 1
    assert str(Flaw("one charge", FILMED, "is succeeded and was settled 2 times")) in told.stdout.splitlines()
    assert judged(tmp_path / "history", []).returncode == 2
