"""Tests of this folder need a GPU. Torch is imported when one of them runs, not when they are collected."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True, scope="session")
def gpu() -> Any:
    """Torch, with a GPU; without one the test is skipped, and says so."""
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU here")
    return torch


@pytest.fixture(scope="session")
def wan_folder(gpu: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_models import wan

    path = tmp_path_factory.mktemp("wan")
    wan.save(path)
    return path


@pytest.fixture(scope="session")
def h3_folder(gpu: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_models import minimax_h3

    path = tmp_path_factory.mktemp("h3")
    minimax_h3.save(path)
    return path


@pytest.fixture(scope="session")
def ltx_folder(gpu: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_models import ltx

    path = tmp_path_factory.mktemp("ltx")
    ltx.save(path)
    return path
