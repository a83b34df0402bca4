"""`understudy callbacks`: what was told of tasks, telling it again, and a receiver to develop with."""

import json
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from understudy.cli.callback_receiver import Received, Receiver, receiver_at
from understudy.cli.endings import USAGE, errors_as_sentences, stop
from understudy.cli.server_flags import ApiKey, BaseUrl, open_client
from understudy.client.callbacks import Callbacks
from understudy.client.uploads import Json
from understudy.dialects.webhook_signature import secret_key

LOOPBACK = "127.0.0.1"

app = typer.Typer(help="See and repeat what is told to the callback_url of tasks.", no_args_is_help=True)

TaskId = Annotated[str, typer.Argument(help="The task's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the server's own objects, one to a line.")]


@app.command("list")
def list_callbacks(
    task_id: TaskId, *, base_url: BaseUrl = None, api_key: ApiKey = None, as_json: AsJson = False
) -> None:
    """Show each change of a task that is told, and what became of the tries."""
    with errors_as_sentences(), open_client(base_url, api_key) as client:
        found = Callbacks(client).list(task_id)["data"]
    if as_json or not sys.stdout.isatty():
        for each in found:
            print(json.dumps(each, ensure_ascii=False) if as_json else "\t".join(_row(each)))
        return
    table = Table("number", "status", "state", "tries", "last", "next", "fault")
    for each in found:
        table.add_row(*_row(each))
    Console().print(table)


@app.command("resend")
def resend(
    task_id: TaskId,
    *,
    number: Annotated[int | None, typer.Option(help="Which change, by its number; without it the latest.")] = None,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
) -> None:
    """Have a change told again, also one that was given up or taken."""
    with errors_as_sentences(), open_client(base_url, api_key) as client:
        Callbacks(client).resend(task_id, number)
    print(f"{'The latest change' if number is None else f'Change {number}'} of {task_id} is told again.")


@app.command("secret")
def secret(*, base_url: BaseUrl = None, api_key: ApiKey = None) -> None:
    """Print the secret that checks the signatures of your callbacks."""
    with errors_as_sentences(), open_client(base_url, api_key) as client:
        print(Callbacks(client).secret())


@app.command("listen")
def listen(  # tidy: each parameter is one flag
    *,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 picks a free one.", min=0, max=65535)] = 0,
    forward_to: Annotated[
        str | None, typer.Option(help="Address that each callback is passed on to; what it answers is answered.")
    ] = None,
    checked_with: Annotated[
        str | None,
        typer.Option("--secret", envvar="UNDERSTUDY_CALLBACK_SECRET", help="Check signatures with this secret."),
    ] = None,
    answer: Annotated[int, typer.Option(help="Status to answer with, such as 500 to see retries.", min=200)] = 200,
    count: Annotated[int | None, typer.Option(help="Stop after so many callbacks.", min=1)] = None,
    as_json: AsJson = False,
) -> None:
    """Receive callbacks on this machine and print each as it comes; for developing."""
    try:
        key = None if checked_with is None else secret_key(checked_with)
        receiver = Receiver(key=key, forward_to=forward_to, status=answer)
    except ValueError as error:
        stop(f"{error}.", code=USAGE)
    is_json = as_json or not sys.stdout.isatty()
    with errors_as_sentences(), receiver_at(LOOPBACK, port, receiver) as url:
        print(f"Give {url} as callback_url.", file=sys.stderr)
        print("The server may contact it if its setting callback_networks has 127.0.0.1 in it.", file=sys.stderr)
        try:
            for number, each in enumerate(receiver.received(), 1):
                print(json.dumps(each.told(), ensure_ascii=False) if is_json else _line(each), flush=True)
                if number == count:
                    break
        except KeyboardInterrupt:
            return


def _row(delivery: Json) -> tuple[str, ...]:
    tries = delivery["tries"]
    last = _moment(tries[-1]["at"]) if tries else "-"
    following = _moment(delivery["next_try_at"]) if "next_try_at" in delivery else "-"
    fault = (tries[-1].get("fault") if tries else None) or "-"
    numbers = (str(delivery["number"]), delivery["status"], delivery["state"], str(delivery["tried"]))
    return (*numbers, last, following, fault)


def _line(received: Received) -> str:
    told = received.told()
    signed = {True: "genuine", False: f"NOT GENUINE: {received.fault}", None: "not checked"}[received.is_genuine]
    body = json.dumps(told["body"], ensure_ascii=False, indent=2)
    return f"{_moment(received.at_s)}  {received.id or '(no webhook-id)'}  {signed}  -> {received.status}\n{body}"


def _moment(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
