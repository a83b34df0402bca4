"""`understudy archive`: keep tasks and their films for good, or let their time count again."""

from typing import Annotated

import typer

from understudy.cli.endings import FAILED, errors_as_sentences, stop
from understudy.cli.server_flags import ApiKey, BaseUrl, open_client
from understudy.core.errors import NotFound


def archive(
    task_ids: Annotated[list[str], typer.Argument(metavar="TASK_ID...", help="The tasks' ids.")],
    *,
    undo: Annotated[
        bool,
        typer.Option(
            "--undo", help="Let their time count again, from their creation: what is older than is kept goes at once."
        ),
    ] = False,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
) -> None:
    """Keep tasks and their files for good, whatever the server's retention says."""
    missing: list[str] = []
    with errors_as_sentences(), open_client(base_url, api_key) as client:
        change = client.unarchive if undo else client.archive
        # One that is gone, or not ours, is no reason to lose the others.
        for task_id in dict.fromkeys(task_ids):
            try:
                change(task_id)
            except NotFound as error:
                missing.append(error.violation.message)
            else:
                print(f"{task_id} is kept no longer than other tasks." if undo else f"{task_id} is archived.")
    if missing:
        stop("\n".join(missing), code=FAILED)
