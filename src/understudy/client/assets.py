"""The library of assets for a client: files are sent in pieces, and go on where they stopped in another process."""

from pathlib import Path

from understudy.client.blocking import Client
from understudy.client.steps import Call
from understudy.client.uploads import Json, OnSent, asset_path, calling, encoded, sending, waiting
from understudy.dialects.plain_assets import ASSETS_PATH, CREDENTIALS_PATH, GROUPS_PATH


class Library:
    """The assets and groups of a client's key; answers are the server's own objects."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, **wanted: str | int | None) -> Json:
        """Return a page of assets, newest first. wanted: name, status, type, group_id, limit, after."""
        return self._ask("GET", ASSETS_PATH, query=wanted)

    def groups(self, **wanted: str | int | None) -> Json:
        """Return a page of groups, newest first. wanted: name, limit, after."""
        return self._ask("GET", GROUPS_PATH, query=wanted)

    def get(self, asset_id: str) -> Json:
        """Return an asset as it is now."""
        return self._ask("GET", asset_path(asset_id))

    def add_url(self, url: str, **said: str | None) -> Json:
        """Register the medium at an address. said: name, group, type, id."""
        return self._ask("POST", ASSETS_PATH, fields={"url": url, **said})

    def add_file(self, path: Path, *, on_sent: OnSent | None = None, **said: str | None) -> Json:
        """Send a file and register it; what an earlier, broken off call has sent is not sent again.

        Raises: OSError.
        """
        return self._client._run(sending(path, said, on_sent))

    def wait(self, asset_id: str) -> Json:
        """Return an asset once it is active or has failed, or as it is after ten minutes."""
        return self._client._run(waiting(asset_id))

    def rename(self, asset_id: str, name: str) -> Json:
        """Give an asset another name."""
        return self._ask("PATCH", asset_path(asset_id), fields={"name": name})

    def remove(self, asset_id: str) -> None:
        """Remove an asset."""
        self._ask("DELETE", asset_path(asset_id))

    def credentials(self) -> Json:
        """Return the key in the form that signs requests."""
        return self._ask("GET", CREDENTIALS_PATH)

    def _ask(self, method: str, path: str, *, query: Json | None = None, fields: Json | None = None) -> Json:
        given = tuple((name, str(value)) for name, value in (query or {}).items() if value is not None)
        call = Call(method=method, path=path, query=given, body=None if fields is None else encoded(fields))
        return self._client._run(calling(call))
