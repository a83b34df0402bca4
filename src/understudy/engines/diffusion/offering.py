"""What the server is told of the diffusion engine: which of the operator's models serve what, and on which devices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from understudy.core.ports import EngineOffer
from understudy.engines.diffusion.devices import devices
from understudy.engines.diffusion.enlarger_file import check_enlarger
from understudy.engines.diffusion.families.ltx_files import workflows_available
from understudy.engines.diffusion.licences import refusal_of
from understudy.engines.diffusion.planning import ON_CPU, ON_CPU_INT8
from understudy.engines.diffusion.provenance import check_signer
from understudy.engines.diffusion.pulled import State, state_of
from understudy.engines.diffusion.recipe import Family, Option, Recipe, load_recipes
from understudy.engines.diffusion.routing import SCENARIO_OF, review

STOPS_WITHIN_S = 300.0
"""A step of the largest model at its largest size, offloaded, takes a minute or two; the decoding after it less."""

WARM_TIMEOUT_S = 3600.0
"""Some 200 GB are read from a disk; slow ones give 100 MB a second."""

PACKAGES = ("torch", "diffusers", "transformers", "accelerate")
"""Without which nothing starts; what some models or settings need besides is found when they are loaded."""

SILENCE_TIMEOUT_S = 1800.0
RENDER_TIMEOUT_S = 6 * 3600.0
"""50 steps of two minutes, and as much again for what goes before and after."""

TOGETHER: Mapping[str, str] = {"NCCL_SOCKET_IFNAME": "lo", "GLOO_SOCKET_IFNAME": "lo"}
"""Where the processes of several devices talk, which are all on this machine: both libraries would ask the name of the
host, which may lead nowhere or outside. Source: NCCL's and torch.distributed's documentation of these variables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The operator's settings of this engine, as the render process gets them; each as the server's setting says."""

    models_dir: str
    diffusion_models: str = ""
    diffusion_territory: str = ""
    diffusion_devices: str = ""
    diffusion_plan: str = ""
    diffusion_options: str = ""
    diffusion_recipes: str = ""
    diffusion_upscaler: str = ""
    diffusion_certificate: str = ""
    diffusion_private_key: str = ""

    def recipes(self) -> tuple[Recipe, ...]:
        """Return the recipes of the models, in the operator's order, with what their files can serve.

        Raises: ValueError with a sentence for the operator.
        """
        try:
            known = load_recipes(self.diffusion_recipes)
        except OSError as error:
            raise ValueError(f"The recipes of diffusion_recipes cannot be read: {error}.") from error
        wanted = list(dict.fromkeys(self.diffusion_models.replace(",", " ").split()))
        if not wanted:
            message = (
                "The diffusion engine needs the setting diffusion_models: `understudy models list` shows them. "
                f"There are {', '.join(known)}."
            )
            raise ValueError(message)
        unknown = [name for name in wanted if name not in known]
        if unknown:
            raise ValueError(f"There is no open model {unknown[0]!r}; there are {', '.join(known)}.")
        return tuple(_as_pulled(known[name], Path(self.models_dir)) for name in wanted)

    def options(self) -> tuple[Option, ...] | None:
        """Return the options, None = as each recipe says.

        Raises: ValueError.
        """
        named = self.diffusion_options.replace(",", " ").split()
        if not named:
            return None
        unknown = sorted(set(named) - {"none", *Option})
        if unknown:
            raise ValueError(f"There is no diffusion option {unknown[0]!r}; there are none, {', '.join(Option)}.")
        return tuple(Option(name) for name in named if name != "none")


def configured(settings: Mapping[str, object]) -> EngineOffer:
    """Return the offer of the operator's models.

    Raises: ValueError: what is not set, not known, not accepted or not there.
    """
    wanted = Wanted(**{name: str(value) for name, value in settings.items()})
    lacking = [name for name in PACKAGES if find_spec(name) is None]
    if lacking:
        message = f"The diffusion engine needs {', '.join(lacking)}: install torch for your GPU, then the extra with"
        raise ValueError(f'{message} `pip install "understudy[diffusion]"`.')
    recipes = wanted.recipes()
    wanted.options()
    plans = {plan.name for recipe in recipes for plan in recipe.plans} | {ON_CPU, ON_CPU_INT8}
    if wanted.diffusion_plan and wanted.diffusion_plan not in plans:
        raise ValueError(f"There is no diffusion plan {wanted.diffusion_plan!r}; there are {', '.join(sorted(plans))}.")
    for recipe in recipes:
        refusal = refusal_of(recipe, Path(wanted.models_dir), territory=wanted.diffusion_territory)
        if refusal:
            raise ValueError(refusal)
        state = state_of(recipe, Path(wanted.models_dir))
        if state is not State.HERE:
            raise ValueError(f"The weights of {recipe.id} are {state}: understudy models pull {recipe.id}.")
    if wanted.diffusion_upscaler:
        check_enlarger(Path(wanted.diffusion_upscaler))
    check_signer(wanted.diffusion_certificate, wanted.diffusion_private_key)
    served = frozenset(SCENARIO_OF[workflow] for recipe in recipes for workflow in recipe.workflows)
    return replace(
        OFFER,
        scenarios=served,
        review=partial(review, recipes),
        arguments=dict(settings),
        slots=slots_of(wanted.diffusion_devices),
        changes_videos=any("edit" in recipe.workflows for recipe in recipes),
    )


def _as_pulled(recipe: Recipe, models_dir: Path) -> Recipe:
    """Return the recipe with the workflows whose files are there; those of weights that were not pulled stay."""
    folder = models_dir / recipe.folder
    if recipe.family is not Family.LTX or not folder.is_dir():
        return recipe
    return replace(recipe, workflows=workflows_available(recipe, folder))


def slots_of(named: str) -> tuple[Mapping[str, str], ...]:
    """Return what each render process may see: one device or several, "0 1" or "0,1 2,3"; "" = each that there is.

    Raises: ValueError.
    """
    there = [str(device.index) for device in devices()]
    groups: Sequence[str] = named.split() or there
    for group in groups:
        if not all(part.isdecimal() for part in group.split(",")):
            raise ValueError(f"The setting diffusion_devices is {named!r}, but it has to be numbers as 0 1 or 0,1.")
        # A driver that cannot be asked knows of none; then torch finds out.
        absent = [part for part in group.split(",") if there and part not in there]
        if absent:
            raise ValueError(f"The setting diffusion_devices names {absent[0]}, but there are {', '.join(there)}.")
    return tuple(
        {
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
            "CUDA_VISIBLE_DEVICES": group,
            **(TOGETHER if "," in group else {}),
        }
        for group in groups
    )


def models_of(named: str) -> int:
    """Return how many times a model lies in this machine's memory: once for each device that is to be used.

    named: as for ``slots_of``. Without a device: once.
    """
    return max(1, sum(len(slot["CUDA_VISIBLE_DEVICES"].split(",")) for slot in slots_of(named)))


OFFER = EngineOffer(
    name="diffusion",
    reference="understudy.engines.diffusion.engine:DiffusionEngine",
    scenarios=frozenset(),
    ignored={
        "tools": "Web search has no effect: open models read the prompt only.",
    },
    configured=configured,
    stops_within_s=STOPS_WITHIN_S,
    warm_timeout_s=WARM_TIMEOUT_S,
    silence_timeout_s=SILENCE_TIMEOUT_S,
    render_timeout_s=RENDER_TIMEOUT_S,
)
"""The engine's entry in group `understudy.engines`; of no use before it is configured."""
