"""Which of a recipe's plans this machine can try, without torch: the server and the command line ask too."""

from dataclasses import replace

from understudy.engines.diffusion.recipe import Offload, Plan, Quantisation, Recipe

ON_CPU = "cpu"
ON_CPU_INT8 = "cpu-int8"


def plans_for(
    recipe: Recipe, device_bytes: int, host_bytes: int, *, forced: str = "", models: int = 1
) -> tuple[Plan, ...]:
    """Return the plans that fit the machine, from the fastest to the most frugal; none = it is too small for all.

    device_bytes: memory of the device, 0 = there is none and the host computes. host_bytes: 0 = not known, and enough.
    forced: the name of the one plan to be tried, whether it fits or not. models: how many devices have one each, and
    share the host's memory where the weights stay in it; those that only pass through are mapped from the same files.

    Raises: ValueError: the forced plan is none of those there are.
    """
    known = recipe.plans if device_bytes else _without_device(recipe)
    if forced:
        found = [plan for plan in known if plan.name == forced]
        if not found:
            where = "with" if device_bytes else "without"
            names = ", ".join(plan.name for plan in known)
            raise ValueError(f"{recipe.id} has no plan {forced!r} {where} a device; it has {names}.")
        return tuple(found)
    return tuple(plan for plan in known if _fits(plan, device_bytes, host_bytes, models=models))


def shortage(recipe: Recipe, device_bytes: int, host_bytes: int, *, models: int = 1) -> str:
    """Return what lacks when no plan fits, as a sentence for the operator; "" when one fits."""
    if plans_for(recipe, device_bytes, host_bytes, models=models):
        return ""
    known = recipe.plans if device_bytes else _without_device(recipe)
    least = min(known, key=lambda plan: (plan.device_bytes_min, plan.host_bytes_min))
    on_device = f"{_gigabytes(least.device_bytes_min)} of a device's memory and " if device_bytes else ""
    there = f"{_gigabytes(device_bytes)} on its device and " if device_bytes else "no device and "
    each = " for each device" if models > 1 else ""
    shared = f" for {models} devices" if models > 1 else ""
    return (
        f"{recipe.model.name} needs at least {on_device}{_gigabytes(least.host_bytes_min)} of the machine's{each}; "
        f"this one has {there}{_gigabytes(host_bytes)} of its own{shared}."
    )


def _fits(plan: Plan, device_bytes: int, host_bytes: int, *, models: int) -> bool:
    stays = plan.offload is not Offload.NONE
    share = host_bytes // models if stays else host_bytes
    return plan.device_bytes_min <= device_bytes and (not host_bytes or plan.host_bytes_min <= share)


def _without_device(recipe: Recipe) -> tuple[Plan, ...]:
    """Return the plans for a machine whose processor computes: what is offloaded elsewhere just lies there.

    The host's needs are those of the recipe's own plans: the weights are as large. A plan that asks for no device is
    taken as it is, and is then the only kind.
    """
    own = tuple(plan for plan in recipe.plans if not plan.device_bytes_min)
    if own:
        return own
    derived = []
    for name, quantisation in ((ON_CPU, Quantisation.NONE), (ON_CPU_INT8, Quantisation.INT8)):
        alike = [plan for plan in recipe.plans if plan.quantisation is quantisation]
        if alike:
            least = min(alike, key=lambda plan: plan.host_bytes_min)
            derived.append(replace(least, name=name, device_bytes_min=0, offload=Offload.NONE, tiles=True))
    return tuple(derived)


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.0f} GB" if size_bytes else "an unknown amount"
