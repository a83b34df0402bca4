"""`understudy prompt` prints what an open model would be told."""

import pytest
import typer
from typer.testing import CliRunner, Result

from understudy.cli.prompt import print_prompt

APP = typer.Typer()
APP.command()(print_prompt)


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(APP, list(arguments), input=text)


def test_the_command_prints_the_models_form() -> None:
    printed = run("The girl of image 2 waves", "--model", "minimax-h3", "--images", "2")
    assert printed.exit_code == 0
    assert "[Shot 1] The girl of <Picture 2> waves." in printed.stdout


def test_the_command_reads_standard_input_and_tells_what_must_not_be_seen() -> None:
    printed = run("-", "--model", "wan-2-2", text="A cat sleeps")
    assert printed.stdout.startswith("A cat sleeps")
    assert "Not to be seen: " in printed.stdout


def test_the_command_aligns_frames() -> None:
    printed = run("A cat", "--model", "minimax-h3", "--first-frame", "--last-frame", "--duration", "8")
    assert "Picture 2 (from Shot 1) aligns with the 8.00-second mark" in printed.stdout


def test_the_command_tells_notes_apart_from_the_prompt() -> None:
    printed = run("The dog of image 3", "--model", "ltx-2-5", "--images", "1")
    assert "note: The prompt names image 3, which is not given" in printed.stderr
    assert "note:" not in printed.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["x", "--model", "nobody"], "there is no open model 'nobody'; there are minimax-h3"),
        (["x", "--model", "ltx-2-5", "--first-frame", "--images", "1"], "--first-frame and --last-frame stand alone"),
    ],
)
def test_the_command_refuses_what_cannot_be(arguments: list[str], told: str) -> None:
    printed = run(*arguments)
    assert printed.exit_code == 2
    assert told in printed.stderr
