"""Engines and moderators that are installed: built-in ones are entry points like any other."""

from dataclasses import fields
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from understudy.core.moderation import Moderator
from understudy.core.ports import EngineOffer
from understudy.settings import Settings, SettingsError

ENGINE_GROUP = "understudy.engines"
MODERATOR_GROUP = "understudy.moderators"
MODELS_DIR = "models_dir"


def find_engine(name: str) -> EngineOffer:
    """Return the offer of an installed engine; built-in ones are entry points like any other.

    name: the entry point's, or ``"module:attribute"`` of an offer that has none.

    Raises: SettingsError.
    """
    if ":" in name:
        return _offer_of(EntryPoint(name=name, value=name, group=ENGINE_GROUP))
    found = {entry.name: entry for entry in entry_points(group=ENGINE_GROUP)}
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        raise SettingsError(f"There is no engine {name!r}; installed engines: {known}.")
    return _offer_of(found[name])


def _offer_of(entry: EntryPoint) -> EngineOffer:
    try:
        offer = entry.load()
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"The engine {entry.name!r} cannot be loaded: {error}.") from error
    if not isinstance(offer, EngineOffer):
        raise SettingsError(f"The engine {entry.name!r} is broken: its entry point is not an EngineOffer.")
    return offer


def configured(offer: EngineOffer, settings: Settings) -> EngineOffer:
    """Return the offer as the settings of its engine make it: those that begin with its name, and ``models_dir``.

    Raises: SettingsError.
    """
    if offer.configured is None:
        return offer
    its = {
        each.name: getattr(settings, each.name)
        for each in fields(settings)
        if each.name.startswith(f"{offer.name}_") or each.name == MODELS_DIR
    }
    try:
        return offer.configured(its)
    except ValueError as error:
        raise SettingsError(str(error)) from error


def find_moderator(name: str) -> Moderator:
    """Return the moderator of an installed package, made by calling its entry point without arguments.

    Raises: SettingsError.
    """
    found = {entry.name: entry for entry in entry_points(group=MODERATOR_GROUP)}
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        raise SettingsError(f"There is no moderator {name!r}; there are {known}. An address begins with http.")
    try:
        made: Any = found[name].load()()
    except Exception as error:  # boundary: a package of somebody else's may fail in any way, and is named then
        raise SettingsError(f"The moderator {name!r} cannot be loaded: {error!r}.") from error
    if not callable(getattr(made, "findings", None)):
        raise SettingsError(f"The moderator {name!r} is broken: it has no method findings.")
    moderator: Moderator = made
    return moderator
