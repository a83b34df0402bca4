"""One request in many dialects: what it means stays what it was, and what cannot be said is told."""

import json
from dataclasses import replace
from itertools import permutations

import pytest
from typer.testing import CliRunner

from understudy.catalog.load import load_catalogue
from understudy.cli import app
from understudy.core.content import Modality
from understudy.core.request import param_of
from understudy.core.resolve import resolve
from understudy.core.task import Status
from understudy.dialects.ark import ARK
from understudy.dialects.json_body import read_object
from understudy.dialects.registry import CODECS
from understudy.dialects.translate import translate
from understudy.testing.dialect_samples import SCENARIOS, SampleLinks, meaning, task_in

MODEL = "doubao-seedance-2-0-260128"
CATALOGUE = load_catalogue()
PAIRS = list(permutations(CODECS, 2))
CONTENT = [{"type": "text", "text": "A cat"}]

MINIMAL = {
    "ark": {"model": MODEL, "content": CONTENT},
    "apiyi": {"model": MODEL, "content": CONTENT},
    "amux-native": {"model": MODEL, "content": CONTENT},
    "amux": {"model": MODEL, "prompt": "A cat"},
    "newapi": {"model": MODEL, "prompt": "A cat"},
    "octopus": {"model": MODEL, "content": CONTENT},
    "apimart": {"model": MODEL, "prompt": "A cat"},
    "openai": {"model": MODEL, "prompt": "A cat"},
}
"""Dialect -> the least that a client can write."""

ARKS_OWN = {
    "ratio": "adaptive",
    "resolution": "720p",
    "duration_s": 5,
    "generate_audio": True,
    "watermark": False,
    "return_last_frame": False,
    "execution_expires_after_s": 172_800,
}
DEFAULTS = {
    # Seed 004, lines 48-55; seed 001's table is lost, its examples agree.
    "ark": ARKS_OWN,
    "apiyi": ARKS_OWN,
    # Seed 000's table is lost: what it passes on to Ark means what it means there.
    "amux-native": ARKS_OWN,
    "amux": ARKS_OWN,
    "newapi": ARKS_OWN,
    # Seed 003, "Body".
    "octopus": {**ARKS_OWN, "ratio": "16:9", "generate_audio": False, "watermark": True},
    # Seed 002, "Request Parameters"; it has no watermark, and so its films have none.
    "apimart": {**ARKS_OWN, "ratio": "16:9", "generate_audio": False},
    # OpenAI's SDK: "Defaults to 720x1280", "Defaults to 4 seconds".
    "openai": {**ARKS_OWN, "ratio": "9:16", "duration_s": 4},
}
"""Dialect -> what a request in it means that says nothing, as its document has it."""

SETTLED = {
    "resolution": "1080p",
    "ratio": "21:9",
    "duration": 7,
    "generate_audio": False,
    "watermark": False,
    "return_last_frame": True,
    "seed": 42,
}
IN_FULL = {
    "ark": {"model": MODEL, "content": CONTENT, **SETTLED},
    "apiyi": {"model": MODEL, "content": CONTENT, **SETTLED},
    "amux-native": {"model": MODEL, "content": CONTENT, **SETTLED},
    "amux": {"model": MODEL, "prompt": "A cat", "metadata": SETTLED},
    "newapi": {"model": MODEL, "prompt": "A cat", "metadata": json.dumps(SETTLED)},
    "octopus": {
        "model": MODEL,
        "content": CONTENT,
        "metadata": {**SETTLED, "camera_fixed": False, "draft": False, "service_tier": "default"},
    },
    "apimart": {
        "model": MODEL,
        "prompt": "A cat",
        "size": "21:9",
        **{key: SETTLED[key] for key in ("resolution", "duration", "generate_audio", "return_last_frame", "seed")},
    },
    "openai": {
        "model": MODEL,
        "prompt": "A cat",
        "seconds": "7",
        "size": "2206x946",
        "metadata": {key: SETTLED[key] for key in ("generate_audio", "watermark", "return_last_frame", "seed")},
    },
}
"""Dialect -> one request, every default of every dialect written out."""

DRAFTED_IN = ("ark", "apiyi", "amux-native", "octopus")
"""Dialects that have words for the final film of a draft."""


def resolved(dialect, fields):
    """Return the request as it would be submitted."""
    request = CODECS[dialect].decode_request(fields).request
    return resolve(request, CATALOGUE.model(request.model))


def translated(fields, source, target):
    return translate(fields, source=CODECS[source], target=CODECS[target], catalogue=CATALOGUE)


def settings(request, names):
    return {name: getattr(request, name) for name in names}


def test_every_dialect_takes_part():
    assert MINIMAL.keys() == DEFAULTS.keys() == IN_FULL.keys() == CODECS.keys()


@pytest.mark.parametrize("dialect", CODECS)
def test_what_says_nothing_means_what_its_document_says(dialect):
    request = resolved(dialect, MINIMAL[dialect])
    assert settings(request, ARKS_OWN) == DEFAULTS[dialect]
    assert request.prompt == "A cat"


@pytest.mark.parametrize("dialect", CODECS)
def test_what_says_everything_means_the_same_in_every_dialect(dialect):
    names = [*ARKS_OWN, "seed", "model", "prompt", "tools", "service_tier", "priority"]
    request = resolved(dialect, IN_FULL[dialect])
    assert settings(request, names) == settings(resolved("ark", IN_FULL["ark"]), names)
    assert request.ratio == "21:9"
    assert request.seed == 42


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_what_was_left_out_keeps_its_own_dialects_default_in_another(source, target):
    found = translated(MINIMAL[source], source, target)
    lost = {warned.param for warned in found.lost}
    again = resolved(target, read_object(found.body))
    expected = {name: value for name, value in DEFAULTS[source].items() if param_of(name) not in lost}
    assert settings(again, expected) == expected
    assert lost <= {"watermark", "service_tier", "priority", "camera_fixed", "draft"}
    assert found.refused == ()


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_what_says_everything_arrives_in_another(source, target):
    found = translated(IN_FULL[source], source, target)
    lost = {warned.param for warned in found.lost}
    there, here = resolved(target, read_object(found.body)), resolved(source, IN_FULL[source])
    names = [name for name in (*ARKS_OWN, "seed") if param_of(name) not in lost]
    assert settings(there, names) == settings(here, names)
    assert not lost & {"ratio", "resolution", "duration", "generate_audio", "seed", "return_last_frame"}


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_means_the_same_in_another(source, target, name):
    if name == "draft" and source not in DRAFTED_IN:
        return
    written = CODECS[source].encode_request(SCENARIOS[name])
    assert not any(warned.param.startswith("content") for warned in written.lost)
    fields = read_object(written.body)
    found = translated(fields, source, target)
    if name == "draft" and any(warned.param.startswith("content") for warned in found.lost):
        return
    there = CODECS[target].decode_request(read_object(found.body)).request
    assert meaning(there) == meaning(CODECS[source].decode_request(fields).request)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_there_and_back_again_is_the_same_request(source, target):
    there = translated(IN_FULL[source], source, target)
    back = translated(read_object(there.body), target, source)
    lost = {warned.param for warned in (*there.lost, *back.lost)}
    before, after = resolved(source, IN_FULL[source]), resolved(source, read_object(back.body))
    names = [name for name in (*ARKS_OWN, "seed") if param_of(name) not in lost]
    assert settings(after, names) == settings(before, names)


@pytest.mark.parametrize("dialect", CODECS)
def test_a_task_read_in_ark_shows_the_defaults_of_the_dialect_it_was_made_in(dialect):
    task = task_in(Status.QUEUED, dialect=dialect, request=resolved(dialect, MINIMAL[dialect]))
    shown = json.loads(ARK.encode_task(task, SampleLinks()))
    defaults = DEFAULTS[dialect]
    assert {key: shown[key] for key in ("ratio", "resolution", "duration", "generate_audio")} == {
        "ratio": defaults["ratio"],
        "resolution": defaults["resolution"],
        "duration": defaults["duration_s"],
        "generate_audio": defaults["generate_audio"],
    }


def test_a_model_has_the_name_that_the_other_dialects_document_uses():
    assert json.loads(translated(MINIMAL["ark"], "ark", "apimart").body)["model"] == "doubao-seedance-2.0"
    named = {**MINIMAL["apimart"], "model": "doubao-seedance-2.0"}
    assert json.loads(translated(named, "apimart", "ark").body)["model"] == MODEL


def test_what_the_other_dialect_refuses_is_told_and_still_translated():
    found = translated({**MINIMAL["ark"], "ratio": "21:9", "resolution": "4k"}, "ark", "octopus")
    assert {violation.param for violation in found.refused} == {"ratio", "resolution"}
    assert json.loads(found.body)["metadata"]["ratio"] == "21:9"


# The command.

runner = CliRunner()


def run(*words, given=None):
    return runner.invoke(app, ["translate", *words], input=given)


@pytest.fixture
def body(tmp_path):
    path = tmp_path / "body.json"
    path.write_text(json.dumps(MINIMAL["octopus"]), "utf-8")
    return str(path)


def test_the_command_prints_the_request_and_lists_what_is_lost(body):
    found = run("--from", "octopus", "--to", "apimart", body)
    assert found.exit_code == 0
    printed = json.loads(found.stdout)
    assert printed["size"] == "16:9"
    assert printed["generate_audio"] is False
    assert found.stderr.splitlines()[0].startswith("lost     watermark: ")


def test_the_command_reads_standard_input():
    found = run("--from", "ark", "--to", "openai", "-", given=json.dumps(MINIMAL["ark"]))
    assert found.exit_code == 0
    assert json.loads(found.stdout)["prompt"] == "A cat"


def test_the_command_lists_what_is_ignored_and_what_is_refused():
    given = {**MINIMAL["ark"], "resolution": "4k", "fps": 60}
    found = run("--from", "ark", "--to", "octopus", "-", given=json.dumps(given))
    told = found.stderr.splitlines()
    assert {"ignored  fps", "refused  resolution"} <= {line.split(":")[0] for line in told}
    assert not any("watermark" in line for line in told), "told to be lost, but carried"
    assert found.exit_code == 0


@pytest.mark.parametrize(("flag", "words"), [("--from", ("x", "ark")), ("--to", ("ark", "x"))])
def test_an_unknown_dialect_is_a_usage_error_that_names_the_known_ones(body, flag, words):
    found = run("--from", words[0], "--to", words[1], body)
    assert found.exit_code == 2
    assert found.stdout == ""
    assert found.stderr.startswith(f"{flag}: there is no dialect 'x'")
    assert all(name in found.stderr for name in CODECS)


@pytest.mark.parametrize("given", ["", "{", "[]", '{"model":7}', '{"model":"m"}', '{"a":1,"a":2}'])
def test_what_is_no_request_ends_with_a_sentence(given):
    found = run("--from", "ark", "--to", "apimart", "-", given=given)
    assert found.exit_code == 2
    assert found.stdout == ""
    assert len(found.stderr.splitlines()) == 1


def test_an_unknown_model_ends_with_a_sentence():
    found = run("--from", "ark", "--to", "apimart", "-", given=json.dumps({**MINIMAL["ark"], "model": "no-such"}))
    assert found.exit_code == 1
    assert "no-such" in found.stderr


def test_a_file_that_is_not_there_ends_with_a_sentence(tmp_path):
    found = run("--from", "ark", "--to", "apimart", str(tmp_path / "none.json"))
    assert found.exit_code == 1
    assert "none.json" in found.stderr


def test_a_dialect_that_forgets_its_defaults_would_be_seen():
    octopus = CODECS["octopus"]
    forgetful = type(octopus)(replace(octopus.profile, defaults=ARK.profile.defaults))
    request = forgetful.decode_request(MINIMAL["octopus"]).request
    assert settings(resolve(request, CATALOGUE.model(MODEL)), ARKS_OWN) != DEFAULTS["octopus"]
    assert request.of(Modality.TEXT)
