"""`understudy tasks`: look at, fetch and remove the tasks of a server, through its API."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from understudy.cli.endings import FAILED, STILL_RUNNING, errors_as_sentences, stop
from understudy.cli.notes import notes_on
from understudy.cli.progress import open_reporter
from understudy.cli.server_flags import ApiKey, BaseUrl, open_client
from understudy.cli.watching import is_for_people, open_sights
from understudy.client import RemoteTask, StillRunning
from understudy.client.programs import Filter, failed
from understudy.core.task import ENDED, Status

WAIT_TIMEOUT_S = 1800.0

app = typer.Typer(help="Look at, fetch and remove tasks.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print the server's own objects, one to a line.")]


@app.command("list")
def list_tasks(  # tidy: each parameter is one flag
    *,
    status: Annotated[str | None, typer.Option(help="Only tasks in this status.")] = None,
    model: Annotated[str | None, typer.Option(help="Only tasks of this model.")] = None,
    page: Annotated[int, typer.Option(help="Which page, from 1.")] = 1,
    page_size: Annotated[int, typer.Option(help="Tasks to a page.")] = 20,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
    as_json: AsJson = False,
) -> None:
    """List tasks, newest first."""
    with errors_as_sentences(), open_client(base_url, api_key) as client:
        found = client.list(Filter(status=status, model=model, page=page, page_size=page_size))
    if as_json or not sys.stdout.isatty():
        for task in found.tasks:
            print(json.dumps(task.raw, ensure_ascii=False) if as_json else "\t".join(_row(task)))
        return
    table = Table("task", "status", "model", "created", "film", caption=f"{len(found.tasks)} of {found.total}")
    for task in found.tasks:
        table.add_row(*_row(task))
    Console().print(table)


@app.command("get")
def get_task(  # tidy: each parameter is one flag
    task_id: Annotated[str, typer.Argument(help="The task's id.")],
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Save its film here.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the task has ended.")] = False,
    timeout_s: Annotated[float, typer.Option("--timeout", help="Seconds to wait.")] = WAIT_TIMEOUT_S,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
    as_json: AsJson = False,
) -> None:
    """Show a task; with --wait until it has ended, with -o together with its film."""
    with errors_as_sentences(), open_client(base_url, api_key) as client:
        try:
            if wait:
                with open_reporter() as reporter:
                    task = client.wait(task_id, timeout_s=timeout_s, on_progress=reporter)
            else:
                task = client.get(task_id)
        except StillRunning as error:
            stop(f"{error}\nAsk again with the same command.", code=STILL_RUNNING)
        if output and task.status is Status.SUCCEEDED:
            client.download(task_id, output)
    print(json.dumps(task.raw, ensure_ascii=False) if as_json else _details(task, output))
    if output and task.status not in ENDED:
        stop(f"Task {task.id} is {task.status}: there is no film yet; --wait waits for it.", code=STILL_RUNNING)
    if output and task.status is not Status.SUCCEEDED:
        stop(failed(task).violation.message, code=FAILED)


@app.command("watch")
def watch_task(
    task_id: Annotated[str, typer.Argument(help="The task's id.")],
    *,
    timeout_s: Annotated[float, typer.Option("--timeout", help="Seconds to watch.")] = WAIT_TIMEOUT_S,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
) -> None:
    """Watch a task until it has ended: its place in the queue, its progress, the time left; JSON lines into a pipe."""
    is_live = is_for_people()
    with errors_as_sentences(), open_client(base_url, api_key) as client:
        try:
            with open_sights(is_live=is_live) as show:
                for seen in client.watch(task_id, timeout_s=timeout_s):
                    show(seen)
        except StillRunning as error:
            stop(f"{error}\nAsk again with the same command.", code=STILL_RUNNING)
    if is_live:
        print(_details(seen.task, None))
    if seen.task.status is not Status.SUCCEEDED:
        stop(failed(seen.task).violation.message, code=FAILED)


@app.command("delete")
def delete_task(
    task_id: Annotated[str, typer.Argument(help="The task's id.")], *, base_url: BaseUrl = None, api_key: ApiKey = None
) -> None:
    """Cancel a queued task, or remove an ended one with its files."""
    with errors_as_sentences(), open_client(base_url, api_key) as client:
        client.delete(task_id)
    print(f"{task_id} is cancelled or removed.")


def _row(task: RemoteTask) -> tuple[str, ...]:
    raw = task.raw
    made = datetime.fromtimestamp(raw.get("created_at", 0), tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    film = f"{raw.get('resolution') or '-'} {raw.get('ratio') or '-'} {raw.get('duration') or '-'} s"
    return (task.id, str(task.status), task.model, made, film)


def _details(task: RemoteTask, output: Path | None) -> str:
    lines = ["  ".join(_row(task)), f"seed {task.raw.get('seed')}"]
    if task.error:
        lines.append(f"failed: {task.error.message} [{task.error.code}]")
    lines += notes_on(task)
    if output and task.status is Status.SUCCEEDED:
        lines.append(f"saved {output}")
    elif task.video_url:
        lines.append(task.video_url)
    return "\n".join(lines)
