"""Reads how callbacks are delivered and signed elsewhere."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivering:
    """answered_within_s: how soon a success answer must come. retries: how often it is tried again soon after."""

    answered_within_s: float
    retries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """gaps_s: between the tries that follow when the soon ones were in vain."""

    gaps_s: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """version, secret_prefix: as they are spelled. tolerance_s: how far a timestamp may be from the present."""

    version: str
    secret_prefix: str
    secret_bytes: int
    tolerance_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackFacts:
    """ark: Ark's own way. later: a schedule of days. signature: Standard Webhooks."""

    ark: Delivering
    later: Later
    signature: Signature


@cache
def load_callback_facts() -> CallbackFacts:
    """Return the rows that ship with the package.

    Raises: ValueError (msgspec.ValidationError included) for a malformed file.
    """
    text = files("understudy.catalog").joinpath("callbacks.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), CallbackFacts)
