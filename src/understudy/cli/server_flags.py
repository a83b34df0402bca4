"""The flags that say which server a command talks to."""

from typing import Annotated

import typer

from understudy.cli.endings import USAGE, stop
from understudy.client import Client

BaseUrl = Annotated[
    str | None, typer.Option(envvar="UNDERSTUDY_BASE_URL", help="Address of the server, with or without /api/v3.")
]
ApiKey = Annotated[str | None, typer.Option(envvar="UNDERSTUDY_API_KEY", help="API key of the server.")]


def open_client(base_url: str | None, api_key: str | None) -> Client:
    """Return a client of the server that the flags name, or end the command saying what is missing."""
    if not base_url:
        stop("Which server? Give --base-url, or set UNDERSTUDY_BASE_URL.", code=USAGE)
    if not api_key:
        stop("Which key? Give --api-key, or set UNDERSTUDY_API_KEY; `understudy serve` prints it.", code=USAGE)
    try:
        return Client(base_url, api_key)
    except ValueError as error:
        stop(f"{error}.", code=USAGE)
