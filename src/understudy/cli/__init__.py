"""The command line: `understudy serve`, `generate`, `tasks` and kin. Each command is one file; `main` starts."""

from importlib.metadata import version
from typing import Annotated

import typer

from understudy.cli import (
    archive,
    assets,
    callbacks,
    generate,
    models,
    plan,
    prompt,
    recipe,
    serve,
    tasks,
    translate,
    worker,
)

app = typer.Typer(
    name="understudy",
    help="A self-hosted, open implementation of the Seedance 2.0 video generation API.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(version("understudy"))
        raise typer.Exit


@app.callback()
def _root(
    *, show_version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False
) -> None:
    _show_version(wanted=show_version)


app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("generate")(generate.generate)
app.command("translate")(translate.translate_request)
app.command("plan")(plan.print_plan)
app.command("prompt")(prompt.print_prompt)
app.command("recipe")(recipe.print_recipe)
app.command("archive")(archive.archive)
app.add_typer(tasks.app, name="tasks")
app.add_typer(assets.app, name="assets")
app.add_typer(callbacks.app, name="callbacks")
app.add_typer(models.app, name="models")


def main() -> None:
    """Run the command line."""
    app()
