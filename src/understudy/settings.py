"""Every setting of the server: its name with the unit, its default and one sentence. Read by bootstrap and cli only.

Later sources win: the defaults here, a TOML file (``UNDERSTUDY_CONFIG``, or ``understudy.toml`` in the data
directory), environment variables (``UNDERSTUDY_LEASE_S=20``), command-line flags.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import msgspec

from understudy.catalog.callbacks import load_callback_facts

PREFIX = "UNDERSTUDY_"
CONFIG_NAME = "understudy.toml"
MEMORY = ":memory:"
ZERO_MEANS_SOMETHING = frozenset(
    {
        "port",
        "slots",
        "drain_s",
        "fetch_redirects_max",
        "link_lifetime_s",
        "record_retention_s",
        "concurrency_per_key",
        "queued_per_key",
        "ray_num_cpus",
        "ray_num_gpus",
    }
)
"""Any port, not at all, never, for good; each other number is a size, a count or a time that must not be nothing."""


class SettingsError(ValueError):
    """A setting has a value it cannot have; the sentence names the setting and where it was set."""


def _setting(about: str, *, default: Any) -> Any:
    return field(default=default, metadata={"about": about})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings; ``about(name)`` gives each one's sentence."""

    host: str = _setting("Address to listen on.", default="127.0.0.1")
    port: int = _setting("Port to listen on; 0 picks a free one.", default=8484)
    data_dir: str = _setting("Where tasks, keys and films are kept.", default="understudy-data")
    engine: str = _setting("The engine that renders.", default="previz")
    slots: int = _setting(
        "Films rendered at once, each in a process of its own; 0 = none here, workers of the same database render.",
        default=1,
    )
    database: str = _setting(
        "Where tasks are recorded: postgresql://user@host/name, which several servers and workers share; without it, "
        "in the data directory.",
        default="",
    )
    migrate: bool = _setting(
        "Bring the tables of that database up to date at start; without it, a server runs on older ones as far as it "
        "can.",
        default=True,
    )
    executor: str = _setting("Where engines run: local, or ray for the machines of a Ray cluster.", default="local")
    ray_address: str = _setting(
        "The Ray cluster that this machine is a node of, as host:6379; without it, the one that was started here.",
        default="",
    )
    ray_num_gpus: float = _setting("GPUs that a slot takes of the Ray cluster.", default=0.0)
    ray_num_cpus: float = _setting("CPUs that a slot takes of the Ray cluster.", default=1.0)
    ray_resources: str = _setting(
        "Other resources that a slot takes of the Ray cluster, as its nodes name them: render_node=1 vram_gb=40.",
        default="",
    )
    concurrency_per_key: int = _setting(
        "Tasks of one API key that run at a time, more of them wait; 0 = any number.", default=0
    )
    queued_per_key: int = _setting(
        "Tasks of one API key that may wait, more of them are refused with 429; 0 = any number.", default=10_000
    )
    idempotency_retention_s: float = _setting(
        "How long an Idempotency-Key stands for the task that it made.", default=86_400.0
    )
    first_api_key: str = _setting(
        "The first API key, of 20 characters or more; without it, one is made up and kept in the data directory.",
        default="",
    )
    public_url: str = _setting(
        "Base of result links, where clients do not reach the server at the Host they name.", default=""
    )
    price_book: str = _setting("The price book tasks are rated with.", default="ark-list")
    visible_label: bool = _setting("Draw the word PREVIZ into the pictures of the previz engine.", default=False)
    llm_url: str = _setting(
        "Base of an OpenAI-compatible API whose model reads prompts for the engine, such as http://127.0.0.1:11434/v1; "
        "the engine reads them itself by default, and whenever the model gives no good answer.",
        default="",
    )
    llm_model: str = _setting("The name of that model.", default="")
    llm_secret: str = _setting("Sent to it as the bearer token.", default="")
    llm_timeout_s: float = _setting("Longest wait for its answer.", default=30.0)
    models_dir: str = _setting("Where open-weight models are kept.", default="understudy-models")
    diffusion_models: str = _setting(
        "The open models that make films, the preferred one first, as minimax-h3 wan-vace; the licence of each has to "
        "be accepted and its weights pulled before. None by default.",
        default="",
    )
    diffusion_territory: str = _setting(
        "The country where films are made and shown, as ISO 3166 has it (JP); licences that exclude countries ask.",
        default="",
    )
    diffusion_devices: str = _setting(
        "GPUs by number, as 0 1 for a film on each, or 0,1 for both on one film; without it, a film on each there is.",
        default="",
    )
    diffusion_plan: str = _setting(
        "How models are fitted into memory: resident, offload, int8-offload or int8-stream; without it, the fastest "
        "that fits.",
        default="",
    )
    diffusion_options: str = _setting(
        "What makes models faster, as compile flash3 fp8, or none; without it, what each model's recipe says.",
        default="",
    )
    diffusion_recipes: str = _setting("A TOML file with recipes of your own.", default="")
    diffusion_upscaler: str = _setting(
        "A super-resolution model, a .safetensors file, for films that are larger than the model makes them; without "
        "it they are enlarged by Lanczos resampling.",
        default="",
    )
    diffusion_certificate: str = _setting(
        "A PEM file with the chain of certificates that films are signed with as C2PA has it; unsigned without it.",
        default="",
    )
    diffusion_private_key: str = _setting("The PEM file with its private key.", default="")
    dialect: str = _setting(
        "The dialect that is meant where a path leaves it open: ark, amux, newapi, octopus, apimart, apiyi or openai.",
        default="",
    )
    strict: bool = _setting("Refuse requests of which anything would be ignored or rewritten.", default=False)
    access_log: bool = _setting("Log one line per request.", default=False)
    log_level: str = _setting("Least severe messages that are logged.", default="INFO")
    lease_s: float = _setting("How long a claimed task is kept without a sign of life from its render.", default=15.0)
    poll_interval_s: float = _setting("Longest wait between two looks at the queue.", default=1.0)
    reap_interval_s: float = _setting("Wait between two rounds of expiring and removing old records.", default=2.0)
    attempts_max: int = _setting(
        "How often a task is begun, restarts of the server included, before it fails.", default=5
    )
    render_timeout_s: float = _setting("Longest time one attempt may take.", default=1800.0)
    warm_timeout_s: float = _setting("Longest time a render process may take to get ready.", default=120.0)
    drain_s: float = _setting("How long a stopping server lets renders finish before it hands them back.", default=5.0)
    body_timeout_s: float = _setting("Longest wait for the whole body of a request.", default=60.0)
    large_body_bytes: int = _setting(
        "Of bodies above this size the media are written to disk while they arrive.", default=1_048_576
    )
    large_bodies_at_once: int = _setting(
        "How many bodies whose text alone is above that size are decoded at once.", default=2
    )
    bodies_spooled_at_once: int = _setting(
        "How many bodies with media in them are written to disk at once; one key has half of them at most.", default=8
    )
    callback_networks: str = _setting(
        "Private networks that callbacks may be sent to, as 10.1.0.0/16 192.168.7.9 hooks.lan; none by default.",
        default="",
    )
    callback_schedule_s: str = _setting(
        "Gaps in seconds between further tries to tell how a task ended, after the first few in vain; empty = none.",
        default=" ".join(f"{gap_s:g}" for gap_s in load_callback_facts().later.gaps_s),
    )
    callbacks_at_once: int = _setting("How many callbacks are sent at once.", default=64)
    secret: str = _setting(
        "What result links and callbacks are signed with, 32 characters or more: the same on every server that shares "
        "a database or its films; without it each data directory has its own.",
        default="",
    )
    blobs: str = _setting(
        "Where films and media are kept: a URL such as s3://bucket/prefix, gs://bucket, az://container or, for a "
        "folder that all servers share, file:///folder; without it, in the data directory.",
        default="",
    )
    link_lifetime_s: int = _setting("How long a result link works; 0 = for ever.", default=86_400)
    record_retention_s: int = _setting("How long tasks and their films are kept; 0 = for good.", default=604_800)
    fetch_deadline_s: float = _setting("Longest time that all media of one request may take to arrive.", default=20.0)
    fetch_redirects_max: int = _setting("How many redirects a media address may lead over.", default=5)
    fetch_networks: str = _setting(
        "Private networks that media may be fetched from, as 10.1.0.0/16 192.168.7.9 media.lan; none by default.",
        default="",
    )
    probes_at_once: int = _setting("How many media files are measured at once, each in a process.", default=2)
    probe_timeout_s: float = _setting("Longest time that measuring one file may take.", default=10.0)
    upload_bytes_max: int = _setting("Largest file that can be uploaded to the library of assets.", default=1 << 30)
    refuse_faces: bool = _setting(
        "Refuse reference images and videos that show the face of a real person, as Ark does.", default=False
    )
    moderator: str = _setting(
        "Who judges prompts, media and films: the address of an HTTP endpoint, or the name of an entry point in the "
        "group understudy.moderators; nobody by default.",
        default="",
    )
    moderator_secret: str = _setting("Sent to the moderation endpoint as its bearer token.", default="")
    moderator_timeout_s: float = _setting("Longest wait for a moderator's judgement.", default=10.0)
    rehearsal: bool = _setting(
        "Heed the words with which prompts rehearse failures, such as [rehearse: 429]; only previz has such.",
        default=True,
    )
    rehearsal_clock: bool = _setting(
        "Let callers move the server's clock forward, with POST /understudy/v1/rehearsal/clock; for tests only.",
        default=False,
    )
    recipes: bool = _setting(
        "Keep the request, prompt included and addresses not, in the metadata of each film.", default=True
    )
    hevc: bool = _setting(
        "Encode films of the sizes that Ark sends as 10-bit HEVC the same way, instead of H.264.", default=False
    )


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
        typed = msgspec.convert(value, wanted, strict=False)
    except msgspec.ValidationError as error:
        message = f"The setting {name} from {origin} has the value {value!r}, but {error}."
        raise SettingsError(message) from error
    if wanted in (int, float) and not 0 < typed < math.inf and not (typed == 0 and name in ZERO_MEANS_SOMETHING):
        allowed = "must not be negative" if name in ZERO_MEANS_SOMETHING else "must be more than 0 and not without end"
        raise SettingsError(f"The setting {name} from {origin} is {typed}, but it {allowed}.")
    return typed
