"""What takes media in: the sandbox that measures them, the client that fetches them, the shelf, who screens them."""

from dataclasses import dataclass
from pathlib import Path

from understudy.bootstrap.plugins import find_moderator
from understudy.bootstrap.stores import Stores
from understudy.core.moderation import Moderator
from understudy.core.ports import Clock
from understudy.media.faces_in_files import FACES, FACES_OPERATION, SandboxedFaceFinder
from understudy.media.fetch import WebFetcher
from understudy.media.film_stills import FilmStills
from understudy.media.sandbox import PROBE, PROBE_OPERATION, Sandbox, SandboxedProber
from understudy.media.sandbox_process import SandboxLimits
from understudy.net.download import Downloader
from understudy.net.guard import Guard
from understudy.net.http import HttpClient
from understudy.net.moderation import HttpModerator, moderator_client
from understudy.net.resolve import SystemResolver
from understudy.server.links import LinkSigner
from understudy.service.screen import Screen
from understudy.service.shelf import Shelf
from understudy.service.sources import Sources
from understudy.service.turns import Turns
from understudy.settings import Settings, SettingsError

HTTP = ("http://", "https://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """Everything between a caller's media and the stores. clients: to be closed when the server stops."""

    sandbox: Sandbox
    shelf: Shelf
    sources: Sources
    screen: Screen
    stills: FilmStills
    work_dir: Path
    clients: tuple[HttpClient, ...]
    resolver: SystemResolver

    async def start(self) -> None:
        """Get ready to read files."""
        await self.sandbox.start()

    async def close(self) -> None:
        """Kill what reads files, and close every connection."""
        await self.sandbox.close()
        for client in self.clients:
            await client.close()
        self.resolver.close()


def make_incoming(settings: Settings, stores: Stores, links: LinkSigner, *, clock: Clock, work_dir: Path) -> Incoming:
    """Put it together.

    Raises: SettingsError.
    """
    operations = {PROBE: PROBE_OPERATION}
    if settings.refuse_faces:
        operations[FACES] = FACES_OPERATION
    limits = SandboxLimits(processes=settings.probes_at_once, timeout_s=settings.probe_timeout_s)
    sandbox = Sandbox(operations, limits)
    try:
        guard = Guard.reading(settings.fetch_networks)
    except ValueError as error:
        raise SettingsError(f"The setting fetch_networks cannot be read: {error}.") from error
    resolver = SystemResolver()
    client = HttpClient(guard, resolver)
    moderator, moderator_clients = make_moderator(settings, resolver)
    fetcher = WebFetcher(Downloader(client, redirects_max=settings.fetch_redirects_max))
    turns, stills = Turns(settings.probes_at_once), FilmStills(stores.blobs)
    return Incoming(
        sandbox=sandbox,
        shelf=Shelf(
            media=stores.media,
            blobs=stores.blobs,
            prober=SandboxedProber(sandbox),
            clock=clock,
            turns=turns,
            folder=stores.media_folder,
        ),
        sources=Sources(
            fetcher=fetcher,
            own_links=links,
            store=stores.tasks,
            blobs=stores.blobs,
            clock=clock,
            make=stills.make,
        ),
        stills=stills,
        screen=Screen(
            media=stores.media,
            turns=turns,
            faces=SandboxedFaceFinder(sandbox) if settings.refuse_faces else None,
            moderator=moderator,
        ),
        work_dir=work_dir,
        clients=(client, *moderator_clients),
        resolver=resolver,
    )


def make_moderator(settings: Settings, resolver: SystemResolver) -> tuple[Moderator | None, tuple[HttpClient, ...]]:
    """Return who judges, and the clients to be closed at the end.

    Raises: SettingsError.
    """
    if not settings.moderator:
        return None, ()
    if not settings.moderator.startswith(HTTP):
        return find_moderator(settings.moderator), ()
    try:
        client = moderator_client(settings.moderator, resolver)
    except ValueError as error:
        raise SettingsError(f"The setting moderator cannot be used: {error}.") from error
    moderator = HttpModerator(
        client=client,
        url=settings.moderator,
        timeout_s=settings.moderator_timeout_s,
        secret=settings.moderator_secret,
    )
    return moderator, (client,)
