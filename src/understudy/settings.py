"""Every setting of the server: its name with the unit, its default and one sentence. Read by bootstrap and cli only.

Later sources win: the defaults here, a TOML file (``UNDERSTUDY_CONFIG``, or ``understudy.toml`` in the data
directory), environment variables (``UNDERSTUDY_LEASE_S=20``), command-line flags.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import msgspec

PREFIX = "UNDERSTUDY_"
CONFIG_NAME = "understudy.toml"
MEMORY = ":memory:"


class SettingsError(ValueError):
    """A setting has a value it cannot have; the sentence names the setting and where it was set."""


def _setting(default: Any, about: str) -> Any:
    return field(default=default, metadata={"about": about})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings; ``about(name)`` gives each one's sentence."""

    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: int = _setting(8484, "Port to listen on; 0 picks a free one.")
    data_dir: str = _setting("understudy-data", "Where tasks, keys and films are kept.")
    engine: str = _setting("previz", "The engine that renders.")
    slots: int = _setting(1, "Films rendered at once, each in a process of its own.")
    public_url: str = _setting("", "Base of result links, where clients do not reach the server at the Host they name.")
    price_book: str = _setting("ark-list", "The price book tasks are rated with.")
    visible_label: bool = _setting(False, "Draw the word PREVIZ into the pictures of the previz engine.")
    access_log: bool = _setting(False, "Log one line per request.")
    log_level: str = _setting("INFO", "Least severe messages that are logged.")
    lease_s: float = _setting(15.0, "How long a claimed task is kept without a sign of life from its render.")
    poll_interval_s: float = _setting(1.0, "Longest wait between two looks at the queue.")
    reap_interval_s: float = _setting(2.0, "Wait between two rounds of expiring and removing old records.")
    attempts_max: int = _setting(3, "How often a task is tried before it fails.")
    render_timeout_s: float = _setting(1800.0, "Longest time one attempt may take.")
    warm_timeout_s: float = _setting(120.0, "Longest time a render process may take to get ready.")
    drain_s: float = _setting(5.0, "How long a stopping server lets renders finish before it hands them back.")
    body_timeout_s: float = _setting(60.0, "Longest wait for the whole body of a request.")
    large_body_bytes: int = _setting(1_048_576, "Bodies above this size are read a few at a time.")
    large_bodies_at_once: int = _setting(2, "How many large bodies are read at once.")


def about(name: str) -> str:
    """Return the sentence of a setting."""
    return str(next(each.metadata["about"] for each in fields(Settings) if each.name == name))


def load_settings(flags: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Merge the sources. flags: settings given on the command line; None means not given.

    Raises: SettingsError.
    """
    known = {each.name for each in fields(Settings)}
    given = {name: value for name, value in flags.items() if value is not None}
    from_env = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower() in known
    }
    data_dir = str(given.get("data_dir") or from_env.get("data_dir") or Settings().data_dir)
    merged: dict[str, Any] = {}
    for origin, values in (
        ("the configuration file", _from_file(environ.get(PREFIX + "CONFIG"), data_dir, known)),
        ("the environment", from_env),
        ("the command line", given),
    ):
        for name, value in values.items():
            merged[name] = _typed(name, value, origin)
    return Settings(**merged)


def _from_file(named: str | None, data_dir: str, known: set[str]) -> dict[str, Any]:
    path = Path(named) if named else Path(data_dir) / CONFIG_NAME
    if not named and not path.is_file():
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The configuration file {path} cannot be read: {error}") from error
    unknown = sorted(values.keys() - known)
    if unknown:
        raise SettingsError(f"The configuration file {path} has the unknown setting {unknown[0]!r}.")
    return values


def _typed(name: str, value: Any, origin: str) -> Any:
    wanted = type(getattr(Settings(), name))
    try:
        return msgspec.convert(value, wanted, strict=False)
    except msgspec.ValidationError as error:
        message = f"The setting {name} from {origin} has the value {value!r}, but {error}."
        raise SettingsError(message) from error


def as_flags(settings: Settings) -> dict[str, Any]:
    """Return the settings as a plain mapping, for printing."""
    return {each.name: getattr(settings, each.name) for each in fields(settings)}
