"""`understudy assets`: media that are registered once, and named in requests as ``asset://`` and an id."""

import json
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from understudy.cli.endings import FAILED, errors_as_sentences, stop
from understudy.cli.server_flags import ApiKey, BaseUrl, open_client
from understudy.client.assets import Library
from understudy.client.uploads import Json, short_name

app = typer.Typer(help="Register media once and name them in requests.", no_args_is_help=True)

WEB = ("http://", "https://")

AssetId = Annotated[str, typer.Argument(help="The asset's id, or asset:// and its id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the server's own objects, one to a line.")]


@app.command("add")
def add(  # tidy: each parameter is one flag
    sources: Annotated[list[str], typer.Argument(help="Files, or web addresses.")],
    *,
    name: Annotated[str | None, typer.Option(help="A name, instead of the file's.")] = None,
    group: Annotated[str | None, typer.Option(help="Name or id of a group; made where there is none.")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="image, video or audio; a file tells by itself.")] = None,
    asset_id: Annotated[str | None, typer.Option("--id", help="An id of your own, such as asset_a.")] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until each can be used.")] = True,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
) -> None:
    """Register files and addresses; a file that was broken off goes on where it stopped."""
    said = {"group": group, "type": kind, "id": asset_id}
    failed = False
    with errors_as_sentences(), open_client(base_url, api_key) as client:
        library = Library(client)
        for source in sources:
            said["name"] = name or _name_of(source)
            is_address = source.startswith(WEB)
            asset = library.add_url(source, **said) if is_address else _send(library, Path(source), said)
            asset = library.wait(asset["id"]) if wait else asset
            failed |= asset["status"] == "failed"
            print("\t".join(_row(asset)))
            if "error" in asset:
                print(f"{source}: {asset['error']['message']} [{asset['error']['code']}]", file=sys.stderr)
    if failed:
        raise typer.Exit(FAILED)


@app.command("list")
def list_assets(  # tidy: each parameter is one flag
    *,
    name: Annotated[str | None, typer.Option(help="Only those with this in their name.")] = None,
    status: Annotated[str | None, typer.Option(help="Only processing, active or failed ones.")] = None,
    group: Annotated[str | None, typer.Option(help="Only those of the group with this name or id.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.")] = 100,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
    as_json: AsJson = False,
) -> None:
    """List assets, newest first."""
    with errors_as_sentences(), open_client(base_url, api_key) as client:
        library = Library(client)
        group_id = _group_id(library, group) if group else None
        page = library.list(name=name, status=status, group_id=group_id, limit=limit)
    for asset in page["data"]:
        print(json.dumps(asset, ensure_ascii=False) if as_json else "\t".join(_row(asset)))


@app.command("show")
def show(asset_id: AssetId, *, base_url: BaseUrl = None, api_key: ApiKey = None) -> None:
    """Show all that is known of an asset."""
    with errors_as_sentences(), open_client(base_url, api_key) as client:
        print(json.dumps(Library(client).get(asset_id), ensure_ascii=False, indent=2))


@app.command("rename")
def rename(
    asset_id: AssetId,
    name: Annotated[str, typer.Argument(help="The new name.")],
    *,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
) -> None:
    """Give an asset another name."""
    with errors_as_sentences(), open_client(base_url, api_key) as client:
        print("\t".join(_row(Library(client).rename(asset_id, name))))


@app.command("rm")
def remove(
    asset_ids: Annotated[list[str], typer.Argument(help="The assets' ids.")],
    *,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
) -> None:
    """Remove assets; tasks that use them keep what they need."""
    with errors_as_sentences(), open_client(base_url, api_key) as client:
        for asset_id in asset_ids:
            Library(client).remove(asset_id)
            print(f"{asset_id} is removed.")


@app.command("groups")
def groups(*, base_url: BaseUrl = None, api_key: ApiKey = None, as_json: AsJson = False) -> None:
    """List the groups, newest first."""
    with errors_as_sentences(), open_client(base_url, api_key) as client:
        page = Library(client).groups(limit=100)
    for group in page["data"]:
        line = "\t".join((group["id"], group["name"], group["description"]))
        print(json.dumps(group, ensure_ascii=False) if as_json else line)


@app.command("credentials")
def credentials(*, base_url: BaseUrl = None, api_key: ApiKey = None) -> None:
    """Print the key as access key and secret, for Volcengine's SDKs and other clients that sign requests."""
    with errors_as_sentences(), open_client(base_url, api_key) as client:
        found = Library(client).credentials()
    print(f"AccessKeyId\t{found['access_key_id']}\nSecretAccessKey\t{found['secret_access_key']}")


def _send(library: Library, path: Path, said: dict[str, str | None]) -> Json:
    """Send a file, with a bar on a terminal."""
    if not path.is_file():
        stop(f"{path}: there is no such file.", code=FAILED)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        line = bar.add_task(path.name, total=path.stat().st_size)
        return library.add_file(path, on_sent=lambda there, _: bar.update(line, completed=there), **said)


def _name_of(source: str) -> str | None:
    """Return what a file, or one from an address, is called, as long as names may be; None where there is none."""
    return short_name(unquote(urlsplit(source).path) if source.startswith(WEB) else source) or None


def _group_id(library: Library, group: str) -> str:
    """Return the id of the group with this name; what is no name is an id."""
    named = [each["id"] for each in library.groups(name=group)["data"] if each["name"] == group]
    return str(named[0]) if named else group


def _row(asset: Json) -> tuple[str, ...]:
    return (asset["asset_url"], asset["status"], asset["type"], asset["name"])
