"""Which plan a machine can try for a model; and what is known of the machine."""

import subprocess
import sys
from dataclasses import replace

import pytest

from understudy.engines.diffusion.devices import Device, devices, host_bytes
from understudy.engines.diffusion.planning import plans_for, shortage
from understudy.engines.diffusion.recipe import Offload, Plan, Quantisation, Recipe, load_recipes

GB = 10**9


@pytest.fixture
def recipe() -> Recipe:
    plans = (
        Plan(name="all", device_bytes_min=80 * GB, host_bytes_min=60 * GB, source="estimate"),
        Plan(name="turns", device_bytes_min=40 * GB, host_bytes_min=80 * GB, offload=Offload.MODEL, source="estimate"),
        Plan(
            name="frugal",
            device_bytes_min=20 * GB,
            host_bytes_min=30 * GB,
            offload=Offload.GROUP,
            quantisation=Quantisation.INT8,
            source="estimate",
        ),
    )
    return replace(load_recipes()["ltx-2-5"], plans=plans)


def names(plans: tuple[Plan, ...]) -> list[str]:
    return [plan.name for plan in plans]


def test_plans_that_fit_go_from_the_fastest_to_the_most_frugal(recipe: Recipe) -> None:
    assert names(plans_for(recipe, 85 * GB, 100 * GB)) == ["all", "turns", "frugal"]
    assert names(plans_for(recipe, 48 * GB, 100 * GB)) == ["turns", "frugal"]
    assert names(plans_for(recipe, 20 * GB, 100 * GB)) == ["frugal"]


def test_a_plan_needs_the_hosts_memory_too(recipe: Recipe) -> None:
    assert names(plans_for(recipe, 85 * GB, 64 * GB)) == ["all", "frugal"]


def test_an_unknown_hosts_memory_is_taken_to_be_enough(recipe: Recipe) -> None:
    assert names(plans_for(recipe, 85 * GB, 0)) == ["all", "turns", "frugal"]


def test_no_plan_fits_a_machine_that_is_too_small_and_the_sentence_says_what_lacks(recipe: Recipe) -> None:
    assert plans_for(recipe, 8 * GB, 16 * GB) == ()
    said = shortage(recipe, 8 * GB, 16 * GB)
    assert "20 GB of a device's memory and 30 GB of the machine's" in said
    assert "8 GB on its device and 16 GB" in said


def test_devices_share_the_hosts_memory_where_weights_stay_in_it(recipe: Recipe) -> None:
    assert names(plans_for(recipe, 85 * GB, 100 * GB, models=2)) == ["all", "frugal"]
    assert names(plans_for(recipe, 48 * GB, 160 * GB, models=2)) == ["turns", "frugal"]
    assert "30 GB of the machine's for each device" in shortage(recipe, 20 * GB, 50 * GB, models=2)


def test_nothing_lacks_when_a_plan_fits(recipe: Recipe) -> None:
    assert shortage(recipe, 20 * GB, 30 * GB) == ""


def test_without_a_device_all_lies_in_the_hosts_memory(recipe: Recipe) -> None:
    whole, quantised = plans_for(recipe, 0, 64 * GB)
    assert (whole.name, whole.offload, whole.quantisation) == ("cpu", Offload.NONE, Quantisation.NONE)
    assert (quantised.name, quantised.offload, quantised.quantisation) == ("cpu-int8", Offload.NONE, Quantisation.INT8)


def test_without_a_device_the_weights_in_8_bits_may_still_fit(recipe: Recipe) -> None:
    assert names(plans_for(recipe, 0, 32 * GB)) == ["cpu-int8"]
    assert plans_for(recipe, 0, 16 * GB) == ()
    assert "no device" in shortage(recipe, 0, 16 * GB)


def test_a_plan_that_asks_for_no_device_is_taken_as_it_is(recipe: Recipe) -> None:
    small = Plan(name="small", device_bytes_min=0, host_bytes_min=GB, source="estimate")
    assert plans_for(replace(recipe, plans=(*recipe.plans, small)), 0, 2 * GB) == (small,)


def test_a_forced_plan_is_the_only_one_and_need_not_fit(recipe: Recipe) -> None:
    assert names(plans_for(recipe, 8 * GB, 16 * GB, forced="turns")) == ["turns"]


def test_a_forced_plan_that_is_not_there_is_refused_with_those_that_are(recipe: Recipe) -> None:
    with pytest.raises(ValueError, match="no plan 'quick' with a device; it has all, turns, frugal"):
        plans_for(recipe, 85 * GB, 100 * GB, forced="quick")
    with pytest.raises(ValueError, match="no plan 'all' without a device; it has cpu, cpu-int8"):
        plans_for(recipe, 0, 100 * GB, forced="all")


@pytest.mark.parametrize("key", load_recipes())
def test_every_shipped_recipe_goes_from_large_devices_to_small_ones(key: str) -> None:
    needs = [plan.device_bytes_min for plan in load_recipes()[key].plans]
    assert needs == sorted(needs, reverse=True)


def test_what_is_free_is_not_more_than_there_is() -> None:
    assert 0 < host_bytes(is_free=True) <= host_bytes() or host_bytes() == 0


def test_every_device_that_is_found_says_what_it_is() -> None:
    for device in devices():
        assert device.total_bytes >= device.free_bytes > 0
        assert device.capability > (0, 0)


def test_a_device_is_named_with_its_memory_and_its_capability() -> None:
    device = Device(index=0, name="NVIDIA H100", total_bytes=85 * GB, free_bytes=80 * GB, capability=(9, 0))
    assert str(device) == "NVIDIA H100 (85 GB, compute capability 9.0)"


def test_plans_and_devices_are_known_without_torch() -> None:
    program = (
        "import sys\n"
        "from understudy.engines.diffusion import devices, planning\n"
        "devices.devices()\n"
        "assert not {'torch', 'diffusers', 'transformers'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
