"""The offer of the diffusion engine: what the operator's settings make of it, and what they may not be."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from understudy.core.scenario import Scenario
from understudy.engines.diffusion import OFFER, offering
from understudy.engines.diffusion.licences import accept
from understudy.engines.diffusion.offering import models_of, slots_of
from understudy.engines.diffusion.recipe import load_recipes

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The packages of the extra as they are found; here they need not be installed."""
    there = set(offering.PACKAGES)
    monkeypatch.setattr(offering, "find_spec", lambda name: name if name in there else None)
    return there


def configured(folder: Path, models: str, **more: str):
    for name in models.split():
        if name in load_recipes():
            weights = folder / load_recipes()[name].folder / "transformer" / "model.safetensors"
            weights.parent.mkdir(parents=True, exist_ok=True)
            weights.touch()
    return OFFER.configured({"models_dir": str(folder), "diffusion_models": models, **more})


def test_the_scenarios_are_those_of_the_models(tmp_path: Path) -> None:
    assert configured(tmp_path, "wan-2-2-5b").scenarios < frozenset(Scenario)
    assert configured(tmp_path, "wan-2-2-5b wan-vace").scenarios == frozenset(Scenario)


def test_an_extra_that_is_not_installed_is_named_with_the_command(tmp_path: Path, installed: set[str]) -> None:
    installed -= {"torch", "diffusers"}
    with pytest.raises(ValueError, match=r"needs torch, diffusers: .*pip install .understudy\[diffusion\]"):
        configured(tmp_path, "wan-vace")


def test_a_model_has_to_be_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs the setting diffusion_models"):
        configured(tmp_path, "")


def test_an_unknown_model_is_named_beside_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no open model .sora.; there are .*minimax-h3"):
        configured(tmp_path, "sora")


def test_weights_that_are_not_here_have_to_be_pulled(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="understudy models pull wan-vace"):
        OFFER.configured({"models_dir": str(tmp_path), "diffusion_models": "wan-vace"})


def test_a_licence_that_restricts_is_accepted_before_the_server_starts(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="understudy models accept-licence minimax-h3"):
        configured(tmp_path, "minimax-h3", diffusion_territory="JP")
    accept(load_recipes()["minimax-h3"], tmp_path, territory="JP", now=NOW)
    assert configured(tmp_path, "minimax-h3", diffusion_territory="JP").scenarios


@pytest.mark.parametrize("territory", ["US", "de", "GB", "KR", "", "Japan"])
def test_a_licence_that_excludes_a_country_is_not_used_there(tmp_path: Path, territory: str) -> None:
    accept(load_recipes()["minimax-h3"], tmp_path, territory="JP", now=NOW)
    with pytest.raises(ValueError, match=r"licence|country"):
        configured(tmp_path, "minimax-h3", diffusion_territory=territory)


def test_an_unknown_option_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no diffusion option 'warp'"):
        configured(tmp_path, "wan-vace", diffusion_options="compile warp")


def test_a_model_that_is_named_twice_counts_once(tmp_path: Path) -> None:
    twice = configured(tmp_path, "wan-vace wan-vace")
    assert twice.review.args[0] == configured(tmp_path, "wan-vace").review.args[0]


def test_an_unknown_plan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no diffusion plan 'none'; there are cpu, .*resident"):
        configured(tmp_path, "wan-vace", diffusion_plan="none")


def test_each_group_of_devices_is_a_process_that_sees_no_other() -> None:
    assert [slot["CUDA_VISIBLE_DEVICES"] for slot in slots_of("0,1 2")] == ["0,1", "2"]
    with pytest.raises(ValueError, match="diffusion_devices"):
        slots_of("first")


def test_devices_that_work_together_talk_inside_the_machine() -> None:
    together, alone = slots_of("0,1 2")
    assert together["NCCL_SOCKET_IFNAME"] == together["GLOO_SOCKET_IFNAME"] == "lo"
    assert "NCCL_SOCKET_IFNAME" not in alone


def test_each_device_has_a_model_of_its_own() -> None:
    assert [models_of(named) for named in ("0", "0 1", "0,1", "0,1 2")] == [1, 2, 2, 3]


def test_the_server_never_imports_torch() -> None:
    look = (
        "import sys, understudy.bootstrap.building, understudy.cli, understudy.engines.diffusion;"
        "print(sorted(set(sys.modules) & {'torch', 'diffusers', 'transformers', 'accelerate', 'spandrel', 'c2pa'}))"
    )
    told = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
