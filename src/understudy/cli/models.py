"""`understudy models`: the open models of the engine `diffusion`: what there is, licences, weights. Needs no server."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Column, Table

from understudy.cli import models_told as told
from understudy.cli.endings import FAILED, INTERRUPTED, USAGE, stop
from understudy.settings import PREFIX, Settings, SettingsError, about, load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from understudy.engines.diffusion.devices import Device
    from understudy.engines.diffusion.recipe import Recipe

# The engine's modules are imported in the commands: no other command needs them.
app = typer.Typer(
    help="Look at open models, accept their licences, pull and check their weights.", no_args_is_help=True
)

SHOW_CURSOR = "\x1b[?25h"

Name = Annotated[str, typer.Argument(metavar="NAME", help="The model, as `understudy models list` names it.")]
ModelsDir = Annotated[str | None, typer.Option(help=about("models_dir"), show_default=Settings().models_dir)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one line of JSON for each model.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the operator has: settings, recipes, and the machine. devices: those that the settings name."""

    settings: Settings
    recipes: "Mapping[str, Recipe]"
    models_dir: Path
    devices: "tuple[Device, ...]"
    host_bytes: int

    def recipe(self, name: str) -> "Recipe":
        """Return the recipe with this name, or end the command."""
        if name not in self.recipes:
            stop(f"There is no open model {name!r}; there are {', '.join(self.recipes)}.", code=USAGE)
        return self.recipes[name]


def _house(models_dir: str | None) -> House:
    from understudy.engines.diffusion.checking import chosen_devices
    from understudy.engines.diffusion.devices import devices, host_bytes
    from understudy.engines.diffusion.recipe import load_recipes

    try:
        settings = load_settings({"models_dir": models_dir}, os.environ)
        recipes = load_recipes(settings.diffusion_recipes)
    except SettingsError as error:
        stop(f"understudy: {error}", code=USAGE)
    except (ValueError, OSError) as error:
        stop(f"The recipes of diffusion_recipes cannot be read: {error}", code=USAGE)
    return House(
        settings=settings,
        recipes=recipes,
        models_dir=Path(settings.models_dir),
        devices=chosen_devices(devices(), settings.diffusion_devices),
        host_bytes=host_bytes(),
    )


@app.command("list")
def list_models(*, models_dir: ModelsDir = None, as_json: AsJson = False) -> None:
    """List the models: what each makes, its licence, its download, the plan that fits this machine, its state."""
    house = _house(models_dir)
    rows = [_row(house, recipe) for recipe in house.recipes.values()]
    if as_json:
        for row in rows:
            print(json.dumps(asdict(row), ensure_ascii=False))
        return
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(told.cells(row)))
        return
    first, *others = told.COLUMNS
    # A name is typed again, and has to be whole.
    columns: tuple[Column | str, ...] = (
        Column(first, no_wrap=True, min_width=max(len(row.id) for row in rows)),
        *others,
    )
    table = Table(*columns, caption=told.machine(house.devices, house.host_bytes), show_lines=True)
    for row in rows:
        table.add_row(*told.cells(row))
    Console().print(table)


@app.command("show")
def show(name: Name, *, models_dir: ModelsDir = None, as_json: AsJson = False) -> None:
    """Show all of a model: its licence's duties, what it makes, its plans, where it comes from."""
    house = _house(models_dir)
    recipe = house.recipe(name)
    row = _row(house, recipe)
    if as_json:
        print(json.dumps({**asdict(row), **told.details(recipe)}, ensure_ascii=False))
        return
    for line in told.shown(recipe, row, house.models_dir):
        print(line)


@app.command("accept-licence")
def accept_licence(
    name: Name,
    *,
    territory: Annotated[
        str | None, typer.Option(help="The country where films are made and shown, as ISO 3166 has it (JP).")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Accept without being asked.")] = False,
    models_dir: ModelsDir = None,
) -> None:
    """Accept the licence of a model, once, for a country where it has to be said."""
    from understudy.engines.diffusion.licences import TERRITORY_SETTING, accept, refused_territory

    house = _house(models_dir)
    recipe = house.recipe(name)
    licence = recipe.model.licence
    if licence.is_open:
        print(f"{recipe.model.name} is under the {licence.name}: nothing has to be accepted.")
        return
    where = house.settings.diffusion_territory if territory is None else territory
    refused = refused_territory(recipe, where)
    if refused:
        stop(refused, code=USAGE)
    for line in told.duties(recipe):
        print(line)
    if not yes:
        _ask(f"\nDo you accept it{f' for {where.upper()}' if where else ''}?")
    try:
        accept(recipe, house.models_dir, territory=where, now=datetime.now(UTC))
    except OSError as error:
        stop(f"{error.filename or house.models_dir}: {error.strerror or error}", code=FAILED)
    print(f"\nThe licence of {recipe.model.name} is accepted{f' for {where.upper()}' if where else ''}.")
    if where and house.settings.diffusion_territory.upper() != where.upper():
        print(f"The server has to know the country as well: export {PREFIX}{TERRITORY_SETTING.upper()}={where.upper()}")


@app.command("pull")
def pull_model(
    name: Name,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be downloaded, and stop.")] = False,
    newest: Annotated[
        bool, typer.Option("--newest", help="Take the newest files of repositories that no revision is known of.")
    ] = False,
    models_dir: ModelsDir = None,
) -> None:
    """Download the weights of a model. Called again, it goes on where it was broken off: files that are whole stay."""
    from understudy.engines.diffusion.checking import check_files
    from understudy.engines.diffusion.pulling import CannotPull, planned, pull

    house = _house(models_dir)
    recipe = house.recipe(name)
    for line in told.sources(recipe, house.models_dir):
        print(line, flush=True)
    refusal = _refusal(house, recipe, is_pulling=True)
    if refusal and not dry_run:
        stop(refusal, code=FAILED)
    with _ends_at_once("Broken off: files that are whole stay, and the same command goes on."):
        try:
            wanted = planned(recipe, house.models_dir, is_newest=newest)
            for line in told.to_download(wanted):
                print(line, flush=True)
            if dry_run:
                if refusal:
                    stop(refusal, code=FAILED)
                return
            removed = pull(wanted, is_quiet=not sys.stderr.isatty(), tell=partial(print, flush=True))
        except CannotPull as error:
            stop(str(error), code=FAILED)
        except OSError as error:
            stop(f"{error.filename or wanted.folder}: {error.strerror or error}", code=FAILED)
    for path in removed:
        print(f"removed {path}: the commit that was pulled has it no more")
    lacking = check_files(recipe, house.models_dir, is_quick=True, on_read=lambda _: None).problems
    if lacking:
        stop("\n".join(("What the hub has is here, and is not all that the model needs:", *lacking)), code=FAILED)
    print(f"{recipe.model.name} is here, whole: {wanted.folder}. Next: understudy models check {recipe.id}")


@app.command("check")
def check(
    name: Name,
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="By sizes and structure, without reading all of the weights.")
    ] = False,
    models_dir: ModelsDir = None,
    as_json: AsJson = False,
) -> None:
    """Check that a model can be served: its licence, its files, the packages, this machine. Ends with 1 if not."""
    from understudy.engines.diffusion.checking import check_files, check_machine, check_packages
    from understudy.engines.diffusion.pulled import Pulled, read_pulled

    house = _house(models_dir)
    recipe = house.recipe(name)
    refusal = _refusal(house, recipe)
    known = read_pulled(house.models_dir / recipe.folder) or Pulled()
    total_bytes = 0 if quick else sum(each.size_bytes for each in known.files())
    with _ends_at_once("Broken off."), _reading(total_bytes) as on_read:
        files = check_files(recipe, house.models_dir, is_quick=quick, on_read=on_read)
    packages = check_packages()
    forced = house.settings.diffusion_plan
    machine = check_machine(recipe, house.devices, house.host_bytes, forced=forced)
    parts = {"files": files, "packages": packages, "machine": machine}
    problems = [*([refusal] if refusal else []), *(line for part in parts.values() for line in part.problems)]
    if as_json:
        found = {part: asdict(each) for part, each in parts.items()}
        print(json.dumps({"id": recipe.id, "is_ready": not problems, "refusal": refusal, **found}, ensure_ascii=False))
        raise typer.Exit(FAILED if problems else 0)
    print(f"licence   {recipe.model.licence.name}")
    print(f"files     {' '.join(files.notes) or ('see below' if files.problems else 'whole')}")
    print(f"packages  {', '.join(packages.notes) or 'none'}")
    for line in machine.notes:
        print(f"machine   {line}")
    if problems:
        stop("\n".join(problems), code=FAILED)
    print(
        f"{recipe.model.name} can be served: {PREFIX}DIFFUSION_MODELS={recipe.id} understudy serve --engine diffusion"
    )


def _row(house: House, recipe: "Recipe") -> told.Row:
    from understudy.engines.diffusion.checking import check_machine, plan_for
    from understudy.engines.diffusion.pulled import state_of

    machine = check_machine(recipe, house.devices, house.host_bytes)
    plan = plan_for(recipe, house.devices, house.host_bytes)
    licence = recipe.model.licence
    return told.Row(
        id=recipe.id,
        name=recipe.model.name,
        serves=recipe.workflows,
        has_sound=recipe.has_sound,
        licence=licence.name,
        is_open=licence.is_open,
        territories_excluded=licence.territories_excluded,
        download_bytes=recipe.model.download_bytes,
        plan="" if plan is None else plan.name,
        shortage="" if plan is not None else machine.problems[0],
        state=_hindrance(house, recipe) or str(state_of(recipe, house.models_dir)),
        refusal=_refusal(house, recipe),
    )


def _hindrance(house: House, recipe: "Recipe") -> str:
    """Return in a few words why the model may not be used, or ""."""
    from understudy.engines.diffusion.licences import refused_territory

    where = house.settings.diffusion_territory
    if not _refusal(house, recipe):
        return ""
    if refused_territory(recipe, where):
        return f"not allowed in {where}" if where else "country to be said"
    return "licence to be accepted"


def _refusal(house: House, recipe: "Recipe", *, is_pulling: bool = False) -> str:
    """Return why the model may not be used. To pull, the country that was said at its acceptance is enough."""
    from understudy.engines.diffusion.licences import accepted, refusal_of

    where = house.settings.diffusion_territory
    known = accepted(recipe, house.models_dir)
    if is_pulling and not where and known is not None:
        where = known.territory
    return refusal_of(recipe, house.models_dir, territory=where)


@contextmanager
def _reading(total_bytes: int) -> Iterator[Callable[[int], None]]:
    """Show how much of the files is read, on a terminal."""
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    is_hidden = not total_bytes or not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=is_hidden) as bar:
        line = bar.add_task("", total=total_bytes)
        yield lambda size_bytes: bar.advance(line, size_bytes)


@contextmanager
def _ends_at_once(sentence: str) -> Iterator[None]:
    """End the process at Ctrl-C: the hub's library would first finish the files under way, gigabytes each."""

    def end(_signal: int, _frame: Any) -> NoReturn:
        # A bar of progress hides the terminal's cursor.
        os.write(2, f"{SHOW_CURSOR if sys.stderr.isatty() else ''}\n{sentence}\n".encode())
        os._exit(INTERRUPTED)

    before = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        stop("Nobody can be asked here: --yes accepts it.", code=USAGE)
    if not typer.confirm(question):
        stop("It is not accepted.", code=FAILED)
