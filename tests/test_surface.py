"""The public surface: what `understudy` exports, and how little importing it costs."""

import subprocess
import sys

import pytest

import understudy

HEAVY = (
    "apsw",
    "av",
    "cv2",
    "hibari",
    "httpx2",
    "numpy",
    "onnxruntime",
    "rich",
    "skia",
    "starlette",
    "typer",
    "uvicorn",
)


def test_the_package_exports_the_two_clients_and_its_version() -> None:
    assert understudy.__all__ == ["AsyncClient", "Client", "__version__"]
    assert sorted(name for name in dir(understudy)) == understudy.__all__


def test_each_public_name_is_what_it_says() -> None:
    assert understudy.Client.__name__ == "Client"
    assert understudy.AsyncClient.__name__ == "AsyncClient"
    assert understudy.__version__.count(".") == 2


def test_an_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="Server"):
        _ = understudy.Server  # type: ignore[attr-defined]


def modules_after(code: str) -> set[str]:
    listed = f"{code}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert modules_after("import understudy") & set(HEAVY) == set()


def test_importing_the_client_loads_no_server_and_no_media() -> None:
    assert modules_after("from understudy import Client") & (set(HEAVY) - {"httpx2", "rich"}) == set()


def test_a_heavy_import_would_be_seen() -> None:
    assert "numpy" in modules_after("import understudy.media.probe, numpy")


def test_the_task_commands_start_without_the_server() -> None:
    loaded = modules_after("import understudy.cli")
    assert loaded & {"apsw", "av", "cv2", "hibari", "numpy", "skia", "starlette", "uvicorn"} == set()
