"""What tells callers of changes: the sender of callbacks, its client behind a guard of its own, and the log."""

from dataclasses import dataclass

from understudy.catalog.callbacks import load_callback_facts
from understudy.core.errors import Violation
from understudy.core.ports import TaskStore
from understudy.net.guard import Guard
from understudy.net.http import HttpClient
from understudy.net.resolve import JoinedNames, SystemResolver
from understudy.net.webhooks import CallbackKeys, WebhookCourier, callback_refusal
from understudy.server.callbacks import CallbackBodies
from understudy.service.callback_log import CallbackLog
from understudy.service.callback_schedule import Schedule, later_gaps_s
from understudy.service.callbacks import CallbackSender, Outbox, Pace
from understudy.service.query import Queries
from understudy.settings import Settings, SettingsError

NAMES_BEYOND_S = 1.0
"""A post may take so much longer than its answer: what is left of the connection is closed in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Everything about callbacks."""

    sender: CallbackSender
    log: CallbackLog
    guard: Guard
    client: HttpClient
    names: SystemResolver
    store: TaskStore

    def refusal(self, url: str) -> Violation | None:
        """Say why nothing would ever be told to an address."""
        return callback_refusal(url, self.guard)

    async def start(self) -> None:
        """Tell what is due from now on, changes at once."""
        self.store.listen(self.sender.wake)
        await self.sender.start()

    async def close(self) -> None:
        """Tell no more; what is left is in the store."""
        await self.sender.close()
        await self.client.close()
        self.names.close()


def make_telling(settings: Settings, queries: Queries, bodies: CallbackBodies, *, signing: bytes) -> Telling:
    """Put it together. signing: the server's secret.

    Raises: SettingsError.
    """
    facts, keys, store, clock = load_callback_facts(), CallbackKeys(signing), queries.store, queries.clock
    try:
        guard = Guard.reading(settings.callback_networks, setting="callback_networks")
    except ValueError as error:
        raise SettingsError(f"The setting callback_networks cannot be read: {error}.") from error
    try:
        later_s = later_gaps_s(settings.callback_schedule_s)
    except ValueError as error:
        raise SettingsError(f"The setting callback_schedule_s cannot be read: {error}.") from error
    # Threads of its own: names that nobody answers for must not hold up those of media.
    names = SystemResolver()
    client = HttpClient(guard, JoinedNames(names))
    sender = CallbackSender(
        Outbox(
            store=store.callbacks,
            encode=bodies.encode,
            courier=WebhookCourier(client=client, keys=keys, timeout_s=facts.ark.answered_within_s),
            clock=clock,
        ),
        Pace(
            schedule=Schedule(retries=facts.ark.retries, later_s=later_s),
            post_s=facts.ark.answered_within_s + NAMES_BEYOND_S,
            at_once=settings.callbacks_at_once,
            poll_interval_s=settings.poll_interval_s,
            drain_s=settings.drain_s,
        ),
    )
    log = CallbackLog(store=store.callbacks, queries=queries, clock=clock, wake=sender.wake, secret=keys.secret)
    return Telling(sender=sender, log=log, guard=guard, client=client, names=names, store=store)
