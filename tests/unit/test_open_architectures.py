"""The networks of open models can be built from the catalogue, at the sizes that were published."""

import importlib
from typing import Any

import pytest

from understudy.catalog.open_architectures import Component, architectures_of, load_open_architectures
from understudy.catalog.open_models import load_open_models

COMPONENTS = {each.id: each for parts in load_open_architectures().values() for each in parts.values()}
MAY_DIFFER = 0.02
"""Published sizes are rounded, and files have a header."""


@pytest.fixture(scope="module")
def torch() -> Any:
    pytest.importorskip("diffusers")
    pytest.importorskip("transformers")
    importlib.import_module("understudy.engines.diffusion.torchvision_ops")
    return importlib.import_module("torch")


def named(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def parameters_of(component: Component, torch: Any) -> int:
    with torch.device("meta"):
        if component.config_path:
            network = named(component.class_path)(named(component.config_path)(**component.config))
        else:
            network = named(component.class_path)(**component.config)
    return sum(each.numel() for each in network.parameters())


@pytest.mark.full
@pytest.mark.parametrize("component", COMPONENTS.values(), ids=COMPONENTS)
def test_a_network_has_as_many_parameters_as_published(component: Component, torch: Any) -> None:
    count = parameters_of(component, torch)
    if component.parameters:
        assert count == pytest.approx(component.parameters, rel=MAY_DIFFER)


@pytest.mark.full
def test_a_config_that_is_not_the_released_one_is_found(torch: Any) -> None:
    wrong = Component(id="", class_path="diffusers.WanTransformer3DModel", parameters=0, source="", date="")
    published = COMPONENTS["wan-5b"].parameters
    assert parameters_of(wrong, torch) != pytest.approx(published, rel=MAY_DIFFER)


def test_every_model_of_the_catalogue_has_its_networks() -> None:
    known = load_open_architectures()
    lacking = [
        model
        for model in load_open_models().models
        if not any(key == model or key.startswith(f"{model}-") for key in known)
    ]
    assert lacking == []


def test_a_model_with_a_network_that_is_not_there_is_found() -> None:
    with pytest.raises(KeyError, match="missing"):
        architectures_of({"components": {}, "models": {"some": {"vae": "missing"}}})


def test_a_row_keeps_its_config_and_has_a_number_of_parameters() -> None:
    row = {"class": "a.B", "parameters": 1, "source": "s", "date": "d", "config": {"heads": 2}}
    found = architectures_of({"components": {"b": row}, "models": {"some": {"vae": "b"}}})
    assert found["some"]["vae"].config == {"heads": 2}
    with pytest.raises(ValueError, match="parameters"):
        architectures_of({"components": {"b": {**row, "parameters": "many"}}, "models": {}})
