"""`understudy models pull` and what `check` says then, against a hub on loopback that keeps and breaks its word."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub_server import COMMIT, Hub, HubRepository, running_hub, unused_url
from tiny_weights import FIRST, INDEX, RECIPES, SECOND, model_files, weights_of
from understudy.cli import app
from understudy.cli.endings import INTERRUPTED, USAGE

pytestmark = pytest.mark.full
hub_constants = pytest.importorskip("huggingface_hub.constants")

BROKEN_AFTER_BYTES = 11 << 20
"""The hub's library writes what comes in pieces of 10 MiB: what is short of one is lost with a connection."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


class Operator:
    """Who types commands: settings and weights of their own, and the address of the hub."""

    def __init__(self, tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "recipes.toml").write_text(RECIPES)
        self.folder = tmp_path / "models"
        self.own = {
            "UNDERSTUDY_MODELS_DIR": str(self.folder),
            "UNDERSTUDY_DIFFUSION_RECIPES": str(tmp_path / "recipes.toml"),
            "UNDERSTUDY_DATA_DIR": str(tmp_path / "data"),
        }
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("HF_", "UNDERSTUDY_"))},
            "HF_ENDPOINT": endpoint,
            "HF_HOME": str(tmp_path / "hub"),
            **self.own,
        }
        # The library reads its environment once, when it is loaded.
        template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(hub_constants, "ENDPOINT", endpoint)
        monkeypatch.setattr(hub_constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(hub_constants, "HF_HUB_CACHE", str(tmp_path / "hub"))

    def types(self, *arguments: str, **environ: str) -> Ended:
        """Run the command in this process."""
        found = CliRunner().invoke(app, ["models", *arguments], env={**self.own, **environ})
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return Ended(found.exit_code, found.stdout, found.stderr)

    def types_in_a_shell(self, *arguments: str, program: str = "", **environ: str) -> Ended:
        """Run it in one of its own, as operators do; program: Python that runs before it."""
        program += "\nimport sys; sys.argv[0] = 'understudy'; from understudy.cli import main; main()"
        ended = subprocess.run(
            [sys.executable, "-c", program, "models", *arguments],
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Traceback" not in ended.stderr
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def recipes_with(self, rows: str) -> str:
        """Return the path of recipes that have these rows as well."""
        path = self.folder.with_name("more.toml")
        path.write_text(RECIPES + textwrap.dedent(rows))
        return str(path)

    def has(self, path: str) -> bytes:
        return (self.folder / "tiny" / path).read_bytes()


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub({"acme/tiny": HubRepository(model_files())}) as running:
        yield running


@pytest.fixture
def operator(tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Operator:
    return Operator(tmp_path, hub.url, monkeypatch)


def repository_of(hub: Hub) -> HubRepository:
    return hub.repositories["acme/tiny"]


def left_unfinished(operator: Operator) -> list[Path]:
    return list(operator.folder.rglob("*.incomplete"))


def test_a_pull_brings_every_file_and_a_check_finds_them_whole(operator: Operator) -> None:
    ended = operator.types_in_a_shell("pull", "tiny")
    assert ended.returncode == 0, ended.stderr
    assert {path: operator.has(path) for path in model_files()} == model_files()
    found = json.loads(operator.types("check", "tiny", "--json").stdout)
    assert found["files"] == {"problems": [], "notes": []}
    assert json.loads(operator.types("show", "tiny", "--json").stdout)["state"] == "ready"


def test_a_pull_says_first_what_comes_from_where_and_whether_there_is_room(operator: Operator) -> None:
    said = operator.types("pull", "tiny").stdout
    assert f"into {operator.folder / 'tiny'}" in said
    assert "acme/tiny at cccccccccccc: 7 files, 6.8 kB" in said
    assert "Free on the disk" in said


def test_a_dry_run_downloads_nothing(operator: Operator, hub: Hub) -> None:
    ended = operator.types("pull", "tiny", "--dry-run")
    assert ended.returncode == 0, ended.stderr
    assert "To be downloaded: 6.8 kB of 6.8 kB." in ended.stdout
    assert not operator.folder.exists()
    assert not [path for method, path, _ in hub.asked if method == "GET" and "/resolve/" in path]


def test_what_is_here_whole_is_not_pulled_again(operator: Operator, hub: Hub) -> None:
    operator.types("pull", "tiny")
    hub.asked.clear()
    ended = operator.types("pull", "tiny")
    assert ended.returncode == 0
    assert "To be downloaded: 0 bytes" in ended.stdout
    assert not [path for method, path, _ in hub.asked if method == "GET" and "/resolve/" in path]


def test_programs_and_pickles_are_not_pulled(operator: Operator, hub: Hub) -> None:
    repository_of(hub).files.update({"pipeline.py": b"print()", "old/model.bin": b"\x80", "model.pt": b"\x80"})
    assert operator.types("pull", "tiny").returncode == 0
    assert {path.suffix for path in (operator.folder / "tiny").rglob("*.*")} & {".py", ".bin", ".pt"} == set()


def test_a_transfer_that_breaks_goes_on_where_it_broke(operator: Operator, hub: Hub) -> None:
    large = weights_of({"a": 3 * BROKEN_AFTER_BYTES // 8})
    repository_of(hub).files[FIRST] = large
    repository_of(hub).cut_after = {FIRST: [BROKEN_AFTER_BYTES]}
    ended = operator.types("pull", "tiny")
    assert ended.returncode == 0, ended.stderr
    assert hub.gets(FIRST) == ["", f"bytes={10 << 20}-"]
    assert operator.has(FIRST) == large


def test_ctrl_c_ends_at_once_and_the_next_pull_takes_what_lacks(operator: Operator, hub: Hub) -> None:
    never = threading.Event()
    repository_of(hub).waits_for = never
    command = [sys.executable, "-m", "understudy", "models", "pull", "tiny"]
    with subprocess.Popen(command, env=operator.environ, stderr=subprocess.PIPE, text=True) as running:
        assert hub.began.wait(timeout=60)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
    assert running.returncode == INTERRUPTED
    assert "the same command goes on" in said
    assert json.loads(operator.types("show", "tiny", "--json").stdout)["state"] == "pulled in part"
    repository_of(hub).waits_for = None
    never.set()
    assert operator.types("pull", "tiny").returncode == 0
    assert operator.has(SECOND) == model_files()[SECOND]
    assert left_unfinished(operator) == []


def test_files_that_came_before_a_failure_are_not_pulled_again(operator: Operator, hub: Hub) -> None:
    repository_of(hub).served = {SECOND: bytes(len(model_files()[SECOND]))}
    assert operator.types("pull", "tiny").returncode == 1
    hub.asked.clear()
    repository_of(hub).served = {}
    assert operator.types("pull", "tiny").returncode == 0
    assert (hub.gets(FIRST), hub.gets(SECOND)) == ([], [""])


def test_a_file_that_is_not_what_the_hub_says_is_told_and_removed(operator: Operator, hub: Hub) -> None:
    repository_of(hub).served = {FIRST: bytes(len(model_files()[FIRST]))}
    ended = operator.types("pull", "tiny")
    assert ended.returncode == 1
    assert "not what the hub says they are" in ended.stderr
    assert FIRST in ended.stderr
    assert not (operator.folder / "tiny" / FIRST).exists()


def test_a_small_file_that_is_not_what_the_hub_says_is_found_too(operator: Operator, hub: Hub) -> None:
    repository_of(hub).served = {"transformer/config.json": b"[]"}
    ended = operator.types("pull", "tiny")
    assert ended.returncode == 1
    assert "transformer/config.json" in ended.stderr


def test_a_file_that_rotted_is_found_and_pulled_again(operator: Operator, hub: Hub) -> None:
    operator.types("pull", "tiny")
    path = operator.folder / "tiny" / FIRST
    before = path.stat()
    path.write_bytes(path.read_bytes()[:-4] + b"rot!")
    # A disk that rots does not tell the time of it.
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    found = operator.types("check", "tiny")
    assert found.returncode == 1
    assert f"{FIRST} is not what the hub says: understudy models pull tiny." in found.stderr
    assert operator.types("check", "tiny", "--quick").stderr.count(FIRST) == 0
    hub.asked.clear()
    assert operator.types("pull", "tiny").returncode == 0
    assert operator.has(FIRST) == model_files()[FIRST]
    assert (len(hub.gets(FIRST)), len(hub.gets(SECOND))) == (1, 0)


def test_a_file_that_was_cut_or_lost_is_found_and_pulled_again(operator: Operator) -> None:
    operator.types("pull", "tiny")
    (operator.folder / "tiny" / FIRST).write_bytes(model_files()[FIRST][:-10])
    (operator.folder / "tiny" / SECOND).unlink()
    found = operator.types("check", "tiny", "--quick")
    assert found.returncode == 1
    assert "says of itself that it has" in found.stderr
    assert f"{FIRST}, {SECOND} are missing or not as long" in found.stderr
    assert operator.types("pull", "tiny").returncode == 0
    assert {path: operator.has(path) for path in model_files()} == model_files()


@pytest.mark.parametrize("path", ["../outside.json", "/tmp/outside.json", "a/../../outside", "C:\\outside", "a\\..\\b"])
def test_a_repository_cannot_write_outside_its_folder(operator: Operator, hub: Hub, path: str) -> None:
    repository_of(hub).files[path] = b"{}"
    ended = operator.types("pull", "tiny")
    assert ended.returncode == 1
    assert "would be written where it may not" in ended.stderr
    assert not operator.folder.exists()


@pytest.mark.parametrize("path", ["licence-accepted.toml", "pulled.json", ".cache/x.json", "Licence-Accepted.toml"])
def test_a_repository_cannot_accept_its_own_licence(operator: Operator, hub: Hub, path: str) -> None:
    repository_of(hub).files[path] = b"{}"
    ended = operator.types("pull", "tiny")
    assert ended.returncode == 1
    assert "would be written where it may not" in ended.stderr


def test_a_licence_comes_before_the_weights(operator: Operator, hub: Hub) -> None:
    ended = operator.types("pull", "bound")
    assert ended.returncode == 1
    assert "understudy models accept-licence bound" in ended.stderr
    assert hub.asked == []
    assert operator.types("accept-licence", "bound", "--yes").returncode == 0
    assert operator.types("pull", "bound").returncode == 0
    assert operator.types("accept-licence", "elsewhere", "--territory", "JP", "--yes").returncode == 0
    assert operator.types("pull", "elsewhere").returncode == 0
    assert operator.types("pull", "elsewhere", UNDERSTUDY_DIFFUSION_TERRITORY="US").returncode == 1


def test_pulling_leaves_the_acceptance_where_it_is(operator: Operator) -> None:
    operator.types("accept-licence", "bound", "--yes")
    operator.types("pull", "bound")
    assert json.loads(operator.types("show", "bound", "--json").stdout)["refusal"] == ""


@pytest.mark.parametrize("status", [401, 403])
def test_a_gated_repository_tells_what_to_do(operator: Operator, hub: Hub, status: int) -> None:
    repository_of(hub).asks = (status, "GatedRepo")
    ended = operator.types("pull", "tiny")
    assert ended.returncode == 1
    assert f"accept them at {hub.url}/acme/tiny" in ended.stderr
    assert "hf auth login" in ended.stderr
    assert not operator.folder.exists()


def test_a_repository_that_is_gone_is_told(operator: Operator, hub: Hub) -> None:
    hub.repositories.clear()
    ended = operator.types("pull", "tiny")
    assert ended.returncode == 1
    assert "There is no repository acme/tiny" in ended.stderr


def test_a_hub_that_is_down_for_a_while_is_told(operator: Operator, hub: Hub) -> None:
    repository_of(hub).asks = (418, "")
    assert "answers 418 for acme/tiny" in operator.types("pull", "tiny").stderr


def test_without_network_a_pull_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Operator(tmp_path, unused_url(), monkeypatch).types("pull", "tiny")
    assert ended.returncode == 1
    assert "cannot be reached" in ended.stderr
    assert "acme/tiny: about" in ended.stdout


def test_a_hub_that_is_to_stay_offline_is_told(operator: Operator) -> None:
    assert "unset HF_HUB_OFFLINE" in operator.types_in_a_shell("pull", "tiny", HF_HUB_OFFLINE="1").stderr


def test_a_disk_without_room_is_refused_before_anything_comes(operator: Operator, hub: Hub) -> None:
    full = "import shutil; shutil.disk_usage = lambda path: shutil._ntuple_diskusage(10**9, 10**9 - 5000, 5000)"
    ended = operator.types_in_a_shell("pull", "tiny", program=full)
    assert ended.returncode == 1
    assert "0.0 GB free" in ended.stderr
    assert hub.gets(FIRST) == []


def test_without_the_extra_the_command_that_installs_it_is_told(operator: Operator) -> None:
    without = "import sys; sys.modules['huggingface_hub'] = None"
    ended = operator.types_in_a_shell("pull", "tiny", program=without)
    assert ended.returncode == 1
    assert 'pip install "understudy[diffusion]"' in ended.stderr


def test_several_repositories_are_put_where_the_catalogue_says(operator: Operator, hub: Hub) -> None:
    adapter = weights_of({"down": 200})
    hub.repositories["acme/adapters"] = HubRepository({"fast[4].safetensors": adapter, "fast4.safetensors": b"other"})
    own = operator.recipes_with("""
        [models.two]
        like = "tiny"
        repositories = [
            { name = "acme/tiny", files = ["model_index.json", "transformer/*", "vae/*"] },
            { name = "acme/adapters", folder = "few-steps", files = ["fast[[]4].safetensors"] },
        ]
        [recipes.two]
        like = "tiny"
        model = "two"
        folder = "tiny"
        draft = { steps = 4, adapter = { file = "few-steps/fast[4].safetensors" } }
    """)
    ended = operator.types("pull", "two", UNDERSTUDY_DIFFUSION_RECIPES=own)
    assert ended.returncode == 0, ended.stderr
    assert "acme/tiny has nothing that matches vae/*" in ended.stdout
    assert operator.has("few-steps/fast[4].safetensors") == adapter
    there = {path.name for path in (operator.folder / "tiny").iterdir()}
    assert there == {".cache", "few-steps", "model_index.json", "pulled.json", "transformer"}
    found = json.loads(operator.types("check", "two", "--json", UNDERSTUDY_DIFFUSION_RECIPES=own).stdout)
    assert found["files"]["problems"] == []


def test_a_model_in_the_same_folder_loses_nothing_to_another(operator: Operator, hub: Hub) -> None:
    own = operator.recipes_with("""
        [models.small]
        like = "tiny"
        repositories = [{ name = "acme/tiny", files = ["model_index.json", "transformer/*"] }]
        [recipes.small]
        like = "tiny"
        model = "small"
        folder = "tiny"
    """)
    operator.types("pull", "tiny")
    hub.asked.clear()
    assert operator.types("pull", "small", UNDERSTUDY_DIFFUSION_RECIPES=own).returncode == 0
    assert hub.gets(FIRST) == []
    (operator.folder / "tiny" / "README.md").write_bytes(b"# Tony")
    assert "README.md is not what the hub says" in operator.types("check", "tiny").stderr


def test_repositories_that_would_overwrite_each_other_are_refused(operator: Operator, hub: Hub) -> None:
    hub.repositories["acme/other"] = HubRepository({"README.md": b"# Other"})
    own = operator.recipes_with("""
        [models.two]
        like = "tiny"
        repositories = [{ name = "acme/tiny" }, { name = "acme/other" }]
        [recipes.two]
        like = "tiny"
        model = "two"
    """)
    ended = operator.types("pull", "two", UNDERSTUDY_DIFFUSION_RECIPES=own)
    assert ended.returncode == 1
    assert "acme/tiny and acme/other both have README.md" in ended.stderr


def test_a_model_that_nobody_knows_is_told_with_those_there_are(operator: Operator) -> None:
    ended = operator.types("pull", "no-such")
    assert ended.returncode == USAGE
    assert "minimax-h3" in ended.stderr


def test_a_repository_keeps_its_commit_until_the_newest_is_asked_for(operator: Operator, hub: Hub) -> None:
    repository_of(hub).files["old/part.safetensors"] = weights_of({"old": 9})
    operator.types("pull", "tiny")
    newer = {**model_files(), "README.md": b"# Tinier", INDEX: model_files()[INDEX] + b" "}
    hub.repositories["acme/tiny"] = replace(repository_of(hub), files=newer, commit="d" * 40)
    hub.asked.clear()
    ended = operator.types("pull", "tiny", "--newest")
    assert ended.returncode == 0, ended.stderr
    assert "removed old/part.safetensors" in ended.stdout
    assert operator.has("README.md") == b"# Tinier"
    assert operator.has(INDEX) == newer[INDEX]
    assert not (operator.folder / "tiny" / "old" / "part.safetensors").exists()
    assert hub.gets(FIRST) == []


def test_a_pull_that_was_broken_off_goes_on_with_the_same_commit(operator: Operator, hub: Hub) -> None:
    repository_of(hub).served = {SECOND: bytes(len(model_files()[SECOND]))}
    assert operator.types("pull", "tiny").returncode == 1
    assert "acme/tiny at cccccccccccc" in operator.types("pull", "tiny", "--dry-run").stdout
    hub.repositories["acme/tiny"] = replace(repository_of(hub), commit="d" * 40, older=frozenset({COMMIT}))
    assert "acme/tiny at cccccccccccc" in operator.types("pull", "tiny", "--dry-run").stdout
    assert "acme/tiny at dddddddddddd" in operator.types("pull", "tiny", "--dry-run", "--newest").stdout


def test_a_commit_that_is_gone_is_told(operator: Operator, hub: Hub) -> None:
    operator.types("pull", "tiny")
    hub.repositories["acme/tiny"] = replace(repository_of(hub), commit="d" * 40)
    ended = operator.types("pull", "tiny")
    assert ended.returncode == 1
    assert "--newest" in ended.stderr
    assert operator.types("pull", "tiny", "--newest").returncode == 0


def test_what_the_hub_has_not_and_the_model_needs_is_told(operator: Operator, hub: Hub) -> None:
    del repository_of(hub).files["scheduler/scheduler_config.json"]
    ended = operator.types("pull", "tiny")
    assert ended.returncode == 1
    assert "scheduler is missing, which model_index.json names." in ended.stderr


def test_what_two_pulls_would_write_at_once_is_refused(operator: Operator) -> None:
    from filelock import FileLock

    lock = operator.folder / "tiny" / ".cache" / "pull.lock"
    lock.parent.mkdir(parents=True)
    with FileLock(lock):
        ended = operator.types("pull", "tiny")
    assert ended.returncode == 1
    assert "Another pull" in ended.stderr
