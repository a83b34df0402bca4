"""How a command ends: its exit codes, and errors as one plain sentence on standard error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from understudy.core.errors import Rejected, UnderstudyError

FAILED = 1
USAGE = 2
STILL_RUNNING = 3
INTERRUPTED = 130
"""What shells report for a command ended by Ctrl-C."""


def stop(sentence: str, *, code: int) -> NoReturn:
    """Say why on standard error and end with the exit code."""
    print(sentence, file=sys.stderr)
    raise typer.Exit(code)


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """End the command with the sentence of an error that the server or the network gave."""
    try:
        yield
    except Rejected as error:
        stop(_sentence(error), code=USAGE)
    except UnderstudyError as error:
        stop(_sentence(error), code=FAILED)
    except OSError as error:
        stop(f"{error.filename or 'File'}: {error.strerror or error}", code=FAILED)


def _sentence(error: UnderstudyError) -> str:
    return f"{error.violation.message} [{error.violation.code}]"
