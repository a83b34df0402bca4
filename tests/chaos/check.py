"""Read the history of a crash campaign and name every promise that was broken, task by task.

    python tests/chaos/check.py HISTORY

A program of its own: it imports nothing of the product and nothing of the campaign, so that no mistake of theirs is
its own. The end is 0 when all promises were kept, 1 when one was broken, 2 when the file is no whole history.

The history is JSON lines, each an event with its `kind` and `at`, seconds of the machine's monotonic clock. Those that
count here (`docs/guides/reliability.md` has them all):

    start     database, lease_s, slack_s, cap: what it ran on; cap = how many of one key may run, null = any number
    asked     act, key, promise, asks, callback: a request; asks = how it should end; promise = its Idempotency-Key
    acked     act, task: it was accepted        refused   act, status: it was not, for certain
    seen      task, state, since: an answer showed it that was asked for then
    film      task, sha256, final: its bytes were read; "" = they cannot be
    removing  task, way: somebody asked for its cancellation or removal, whatever the answer
    told      task, number, state, answered: a callback came in; answered = the status it was answered with, 0 = none
    render    edge (start, end), task, attempt, pid, sha256: the engine's own words
    shift     seconds: a clock was moved so far from the machine's
    journal   order, wall, task, before, after, attempt, lease_until, key: a change of a row, told by a trigger in the
              database; "" before the first and after the last
    kept      task, state, attempt, key, act, promise, expires, callback: a record in the end
    entry     task, entry, micros, currency: a line of the ledger in the end
    delivery  task, number, state, tried: what the outbox says in the end
    mistake   error: the campaign, or a caller in it, could not do what it was to do
    badly     name, returncode: a program that was asked to end did so with an error
    left      pid, command: a process was there after all programs had ended
    end       the history is whole
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ENDED = frozenset({"succeeded", "failed", "expired", "cancelled"})
CHANGES = {
    "": {"queued"},
    "queued": {"running", "expired", "cancelled"},
    "running": {"running", "queued", "succeeded", "failed", "expired", "cancelled"},
}
"""What may follow a state in the journal; "running" after itself is a heartbeat or a claim of a lapsed task."""

Event = dict[str, Any]


@dataclass(frozen=True)
class Flaw:
    """One broken promise. rule: its name. subject: the task, or the request."""

    rule: str
    subject: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject} {self.sentence}"


@dataclass
class History:
    """The events, by kind and by task. Times in `journal` are those of the database's machine."""

    by_kind: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    by_task: dict[str, dict[str, list[Event]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    @classmethod
    def of(cls, events: Iterable[Event]) -> "History":
        """Sort the events into their places, the journal by its own order and all else by its time."""
        history = cls()
        for event in sorted(events, key=lambda event: event["order"] if "order" in event else event["at"]):
            history.by_kind[event["kind"]].append(event)
            if "task" in event:
                history.by_task[event["task"]][event["kind"]].append(event)
        return history

    def of_task(self, task: str, kind: str) -> list[Event]:
        return self.by_task[task][kind] if task in self.by_task else []

    @property
    def start(self) -> Event:
        return self.by_kind["start"][0]

    @property
    def kept(self) -> dict[str, Event]:
        return {event["task"]: event for event in self.by_kind["kept"]}

    @property
    def acked(self) -> dict[str, list[Event]]:
        """Task -> the answers that accepted it."""
        found: dict[str, list[Event]] = defaultdict(list)
        for event in self.by_kind["acked"]:
            found[event["task"]].append(event)
        return found

    @property
    def asked(self) -> dict[str, Event]:
        return {event["act"]: event for event in self.by_kind["asked"]}

    def end_of(self, task: str) -> str:
        """Return the state in which the journal leaves a task, its removal aside; "" for a task it does not know."""
        states = [event["after"] for event in self.of_task(task, "journal") if event["after"]]
        return states[-1] if states else ""


def lost_tasks(history: History) -> Iterator[Flaw]:
    """An accepted task is in the record, unless somebody had it removed."""
    kept = history.kept
    for task in history.acked:
        if task in kept:
            continue
        if not history.of_task(task, "removing"):
            yield Flaw("lost task", task, "was accepted and is not in the record")
        elif not history.of_task(task, "journal"):
            yield Flaw("lost task", task, "was accepted, and the database never had it")


def ends(history: History) -> Iterator[Flaw]:
    """A task ends in one state, once, and its row goes from state to state as a task's may."""
    for task in {*history.kept, *history.acked}:
        changes = history.of_task(task, "journal")
        end_count = sum(event["after"] in ENDED and event["before"] not in ENDED for event in changes)
        if end_count != 1:
            yield Flaw("one end", task, f"ended {end_count} times; its last state is {history.end_of(task) or 'none'}")
        before = ""
        for event in changes:
            if event["before"] != before:
                yield Flaw("states", task, f"was {before or 'nowhere'} and went on as {event['before'] or 'new'}")
            before = event["after"]
            if event["after"] and event["before"] in ENDED and event["after"] != event["before"]:
                yield Flaw("end is final", task, f"went from {event['before']} to {event['after']}")
            elif event["after"] and event["before"] not in ENDED and event["after"] not in CHANGES[event["before"]]:
                yield Flaw("states", task, f"went from {event['before'] or 'nowhere'} to {event['after']}")
    for task, event in history.kept.items():
        if event["state"] != history.end_of(task):
            yield Flaw("states", task, f"is {event['state']}, and the journal left it {history.end_of(task)}")


def seen_ends(history: History) -> Iterator[Flaw]:
    """What ended, as a caller saw it or was told, stays as it was seen."""
    for task, events in history.by_task.items():
        end, end_at_s = "", 0.0
        for event in events["seen"]:
            # An answer that was asked for before the end came in may be of before it.
            if end and event["state"] != end and event["since"] >= end_at_s:
                yield Flaw("end is final", task, f"was seen {end}, then {event['state']}")
            if not end and event["state"] in ENDED:
                end, end_at_s = event["state"], event["at"]
        states = {event["state"] for kind in ("seen", "told") for event in events[kind]} & ENDED
        for state in states - {history.end_of(task)}:
            yield Flaw("end is final", task, f"was shown as {state}, and it is {history.end_of(task) or 'unknown'}")


def wanted_ends(history: History) -> Iterator[Flaw]:
    """A task ends as its request should: it fails and is cancelled for a reason only."""
    asked = history.asked
    for task, event in history.kept.items():
        state, asks = event["state"], asked.get(event["act"], {}).get("asks", "")
        if state == "cancelled" and not history.of_task(task, "removing"):
            yield Flaw("wanted end", task, "is cancelled, and nobody asked for that")
        # What should expire may be rendered where a clock went back before it did; see `expiries`.
        elif asks and state in ENDED - {"cancelled"} and state != asks and (asks, state) != ("expired", "succeeded"):
            yield Flaw("wanted end", task, f"is {state} and should be {asks}")


def expiries(history: History) -> Iterator[Flaw]:
    """No task expires before its time, and none is begun after it, by any of the clocks there were."""
    shifts_s = [0.0, *(event["seconds"] for event in history.by_kind["shift"])]
    for task, event in history.kept.items():
        attempt = 0
        for change in history.of_task(task, "journal"):
            early_s = event["expires"] - change["wall"] - max(shifts_s)
            late_s = change["wall"] + min(shifts_s) - event["expires"]
            if change["after"] == "expired" and early_s > 1:
                yield Flaw("expiry", task, f"expired {early_s:.0f} s before its time")
            if change["attempt"] != attempt and late_s > 1:
                yield Flaw("expiry", task, f"was begun {late_s:.0f} s after its time")
            attempt = change["attempt"]


def results(history: History) -> Iterator[Flaw]:
    """What succeeded has one film: the one of the attempt that ended it, with the same bytes whenever it is read."""
    for task, kept in history.kept.items():
        films = history.of_task(task, "film")
        if kept["state"] != "succeeded":
            if films:
                yield Flaw("one result", task, f"is {kept['state']} and delivered a film")
            continue
        final = [film for film in films if film.get("final")]
        if not final or not final[-1]["sha256"]:
            yield Flaw("lost result", task, "succeeded and has no film that can be read")
        digests = {film["sha256"] for film in films if film["sha256"]}
        if len(digests) > 1:
            yield Flaw("one result", task, f"delivered {len(digests)} different films")
        rendered = {
            render["sha256"]: render["attempt"] for render in history.of_task(task, "render") if render["edge"] == "end"
        }
        for digest in digests:
            if rendered.get(digest) != kept["attempt"]:
                made = f"attempt {rendered[digest]}" if digest in rendered else "nobody"
                yield Flaw("one result", task, f"ended in attempt {kept['attempt']} with a film made by {made}")


def charges(history: History) -> Iterator[Flaw]:
    """A task has one hold, which is settled once: posted for a film, voided else. Nothing else is charged."""
    known = {event["task"] for event in history.by_kind["journal"]} | history.kept.keys()
    for task in known | {event["task"] for event in history.by_kind["entry"]}:
        kinds = Counter(entry["entry"] for entry in history.of_task(task, "entry"))
        end = history.end_of(task)
        settlements = kinds["posted"] + kinds["voided"]
        if task not in known:
            yield Flaw("one charge", task, "is charged and was never there")
        if kinds["hold"] != 1:
            yield Flaw("one charge", task, f"has {kinds['hold']} holds")
        if settlements != (end in ENDED):
            yield Flaw("one charge", task, f"is {end or 'unknown'} and was settled {settlements} times")
        if kinds["posted"] and end != "succeeded":
            yield Flaw("one charge", task, f"is {end} and was charged")
        if kinds["voided"] and end == "succeeded":
            yield Flaw("one charge", task, "succeeded and was not charged")


def balance(history: History) -> Iterator[Flaw]:
    """Nothing is posted beyond its hold, what is voided is the whole hold, and both are in the hold's currency."""
    for task, events in history.by_task.items():
        held = [entry for entry in events["entry"] if entry["entry"] == "hold"]
        settled = [entry for entry in events["entry"] if entry["entry"] != "hold"]
        held_micros, settled_micros = (sum(entry["micros"] for entry in several) for several in (held, settled))
        if settled_micros > held_micros:
            yield Flaw("balance", task, f"has a hold of {held_micros}, of which {settled_micros} was settled")
        if any(entry["entry"] == "voided" for entry in settled) and settled_micros < held_micros:
            yield Flaw("balance", task, f"has a hold of {held_micros}, of which only {settled_micros} was voided")
        if len({entry["currency"] for entry in events["entry"]}) > 1:
            yield Flaw("balance", task, "is held and settled in two currencies")


def callbacks(history: History) -> Iterator[Flaw]:
    """Who asked to be told hears of the end at least once, and of nothing that was not."""
    wants = {event["task"]: event["callback"] for event in history.by_kind["kept"]}
    asked = history.asked
    for task, answers in history.acked.items():
        wants.setdefault(task, asked.get(answers[0]["act"], {}).get("callback", ""))
    for task in {*wants, *(event["task"] for event in history.by_kind["told"])}:
        told = history.of_task(task, "told")
        end = history.end_of(task)
        if told and not wants.get(task):
            yield Flaw("callbacks", task, "was told to somebody, and nobody asked")
        heard_states = {event["state"] for event in told if is_heard(event)}
        if wants.get(task) and end in ENDED - {"cancelled"} and end not in heard_states:
            yield Flaw("lost callback", task, f"is {end}, of which nobody was told")
        had = {event["after"] for event in history.of_task(task, "journal")}
        for state in {event["state"] for event in told} - (had - {"cancelled"}):
            yield Flaw("callbacks", task, f"was told to be {state}, which is not told or never was")


def turns(history: History) -> Iterator[Flaw]:
    """The changes of a task are told in their order, each as what it was, and none is said to be told that was not."""
    for task, events in history.by_task.items():
        first: dict[int, Event] = {}
        states: dict[int, set[str]] = defaultdict(set)
        for event in events["told"]:
            states[event["number"]].add(event["state"])
            if is_heard(event):
                first.setdefault(event["number"], event)
        if list(first) != sorted(first):
            yield Flaw("callbacks", task, f"was told out of order: {list(first)}")
        for number, several in states.items():
            if len(several) > 1:
                yield Flaw("callbacks", task, f"change {number} was told as {' and '.join(sorted(several))}")
        for row in events["delivery"]:
            if row["state"] == "delivered" and row["number"] not in first:
                yield Flaw("lost callback", task, f"change {row['number']} is said to be delivered, and nobody got it")


def is_heard(told: Event) -> bool:
    """Say whether a callback was acknowledged."""
    return bool(200 <= told["answered"] < 300)


def live_leases(history: History) -> Iterator[Flaw]:
    """A task is claimed anew only when it was handed back or its lease had lapsed; each claim renders once at most.

    A lease is live from the claim or heartbeat that set it, for as long as the campaign said leases are, by the
    database's time. A worker that was stopped for longer may compute on; what it makes does not count, see `results`.
    """
    lease_s, slack_s = history.start["lease_s"], history.start["slack_s"]
    claims: set[tuple[str, int]] = set()
    for task, events in history.by_task.items():
        attempt, extended_at = 0, 0.0
        for event in events["journal"]:
            if event["attempt"] != attempt and event["after"]:
                claims.add((task, event["attempt"]))
                if event["attempt"] != attempt + 1 or event["after"] != "running":
                    yield Flaw("claims", task, f"went from attempt {attempt} to {event['attempt']}, {event['after']}")
                left_s = extended_at + lease_s - event["wall"]
                if event["before"] == "running" and left_s > slack_s:
                    yield Flaw("double claim", task, f"was claimed while attempt {attempt} had {left_s:.2f} s left")
                attempt = event["attempt"]
            if event["after"] == "running":
                extended_at = event["wall"]
        starts = Counter(event["attempt"] for event in events["render"] if event["edge"] == "start")
        for number, count in starts.items():
            if count > 1:
                yield Flaw("double claim", task, f"was rendered {count} times by attempt {number}")
            if (task, number) not in claims:
                yield Flaw("claims", task, f"was rendered by attempt {number}, which nobody claimed")
        for kept in events["kept"]:
            if kept["attempt"] != attempt:
                yield Flaw("claims", task, f"is at attempt {kept['attempt']} after {attempt} claims")


def promises(history: History) -> Iterator[Flaw]:
    """One request makes one task, however often it is sent, and one task stands for one request."""
    tasks_of: dict[str, set[str]] = defaultdict(set)
    acts_of: dict[str, set[str]] = defaultdict(set)
    for event in (*history.by_kind["acked"], *history.by_kind["kept"]):
        if event["act"]:
            tasks_of[event["act"]].add(event["task"])
            acts_of[event["task"]].add(event["act"])
    for act, asked in history.asked.items():
        if asked["promise"] and len(tasks_of[act]) > 1:
            yield Flaw("replay", f"request {act}", f"made {len(tasks_of[act])} tasks: {sorted(tasks_of[act])}")
    for task, acts in acts_of.items():
        if len(acts) > 1:
            yield Flaw("replay", task, f"stands for {len(acts)} requests: {sorted(acts)}")
    refused = {event["act"] for event in history.by_kind["refused"]}
    for act in refused & tasks_of.keys():
        if tasks_of[act]:
            yield Flaw("replay", f"request {act}", f"was refused and made {sorted(tasks_of[act])}")
    unknown = {event["act"] for event in history.by_kind["kept"]} - history.asked.keys()
    for act in sorted(unknown):
        yield Flaw("replay", f"request {act or '(none)'}", "was never sent and has a task")


def caps(history: History) -> Iterator[Flaw]:
    """Of one key never more tasks run at once than it may."""
    cap = history.start["cap"]
    running: Counter[str] = Counter()
    for event in history.by_kind["journal"]:
        key = event["key"]
        running[key] += (event["after"] == "running") - (event["before"] == "running")
        if cap is not None and running[key] > cap and event["before"] != "running":
            yield Flaw("cap", event["task"], f"was begun as number {running[key]} of a key that may run {cap}")


def is_whole(history: History) -> Iterator[Flaw]:
    """The campaign came to its end, and what it started with is known."""
    for kind in ("start", "end", "journal", "kept", "asked", "acked"):
        if not history.by_kind[kind]:
            yield Flaw("history", "it", f"has no event {kind!r}")


def order(history: History) -> Iterator[Flaw]:
    """Programs end when they are asked to, leave nothing behind, and every caller comes to his end."""
    for event in history.by_kind["mistake"]:
        yield Flaw("order", "the campaign", f"went wrong: {event['error']}")
    for event in history.by_kind["badly"]:
        yield Flaw("order", event["name"], f"was asked to end and did so with {event['returncode']}")
    for event in history.by_kind["left"]:
        yield Flaw("order", f"process {event['pid']}", f"was left behind: {event['command']}")


RULES: tuple[Callable[[History], Iterator[Flaw]], ...] = (
    lost_tasks,
    ends,
    seen_ends,
    wanted_ends,
    expiries,
    results,
    charges,
    balance,
    callbacks,
    turns,
    live_leases,
    promises,
    caps,
    order,
)


def flaws_of(events: Iterable[Event]) -> list[Flaw]:
    """Return every broken promise; of a history that is not whole, only what it lacks."""
    history = History.of(events)
    return list(is_whole(history)) or [flaw for rule in RULES for flaw in rule(history)]


def _length(entries: Iterable[Event]) -> int:
    return sum(1 for _ in entries)


def _micros(entries: Iterable[Event]) -> int:
    return sum(entry["micros"] for entry in entries)


def figures_of(events: Iterable[Event]) -> dict[str, Any]:
    """Count what happened."""
    history = History.of(events)
    renders = history.by_kind["render"]
    began = {(event["task"], event["attempt"]): event["at"] for event in renders if event["edge"] == "start"}
    over = {(event["task"], event["attempt"]): event["at"] for event in renders if event["edge"] == "end"}
    overlaps = sum(
        began.get((task, attempt + 1), at_s) < at_s
        for (task, attempt), at_s in over.items()
        if (task, attempt) in began
    )
    return {
        "seconds": round(history.by_kind["end"][-1]["at"] - history.start["at"], 1) if history.by_kind["end"] else None,
        "faults": dict(sorted(Counter(event["what"] for event in history.by_kind["fault"]).items())),
        "kills": sum(event.get("kills", 0) for event in history.by_kind["fault"]),
        "requests": len(history.by_kind["asked"]),
        "accepted": len(history.acked),
        "refused": len(history.by_kind["refused"]),
        "fell by themselves": len(history.by_kind["fell"]),
        "unanswered": len(history.by_kind["unanswered"]),
        "ends": dict(sorted(Counter(history.end_of(task) or "none" for task in history.acked).items())),
        "attempts": sum(event["attempt"] for event in history.by_kind["kept"]),
        "renders": len(began),
        "renders finished": len(over),
        "finished after the next attempt began": overlaps,
        "answers seen": len(history.by_kind["seen"]),
        "films read": len(history.by_kind["film"]),
        "callbacks received": len(history.by_kind["told"]),
        "callbacks acknowledged": sum(200 <= event["answered"] < 300 for event in history.by_kind["told"]),
        "ledger": {
            f"{kind} {unit}": count(event for event in history.by_kind["entry"] if event["entry"] == kind)
            for kind in ("hold", "posted", "voided")
            for unit, count in (("entries", _length), ("micros", _micros))
        },
    }


def read(path: Path) -> list[Event]:
    """Return the events of a file.

    Raises: ValueError, KeyError, OSError.
    """
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main(arguments: list[str]) -> int:
    """Judge one file."""
    if len(arguments) != 1:
        say(__doc__ or "")
        return 2
    try:
        events = read(Path(arguments[0]))
        flaws = flaws_of(events)
        figures = figures_of(events)
    except (OSError, ValueError, KeyError, IndexError) as error:
        say(f"This is no whole history: {error!r}")
        return 2
    say(json.dumps(figures, indent=1))
    for flaw in flaws:
        say(str(flaw))
    say(f"{len(flaws)} promises were broken." if flaws else "Every promise was kept.")
    if flaws and flaws[0].rule == "history":
        return 2
    return 1 if flaws else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
