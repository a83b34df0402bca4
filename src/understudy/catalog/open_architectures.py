"""Reads the shapes of open models' networks, for trials at full size with random weights; needs no torch."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A network as it is released.

    class_path: of its class, with the module. config_path: of the class that takes the values of config, "" = the
    network takes them itself. config: what differs from the defaults. parameters: as published; 0 = not by itself.
    """

    id: str
    class_path: str
    parameters: int
    source: str
    date: str
    config_path: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)


def architectures_of(raw: Mapping[str, Any]) -> dict[str, dict[str, Component]]:
    """Return model -> name of the component in its repository -> component, of a parsed file.

    Raises: msgspec.ValidationError; KeyError for a component that is not there.
    """
    renamed = {"class": "class_path", "config_class": "config_path"}
    components = {}
    for key, row in raw["components"].items():
        plain = {renamed.get(name, name): value for name, value in row.items()}
        components[key] = msgspec.convert({"id": key, **plain}, Component)
    return {model: {name: components[key] for name, key in row.items()} for model, row in raw["models"].items()}


@cache
def load_open_architectures() -> Mapping[str, Mapping[str, Component]]:
    """Return the rows that ship with the package.

    Raises: ValueError (msgspec.ValidationError included), KeyError for a malformed row.
    """
    text = files("understudy.catalog").joinpath("open_architectures.toml").read_text(encoding="utf-8")
    return architectures_of(tomllib.loads(text))
