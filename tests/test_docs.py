"""The documents: their links lead somewhere, and the examples of the README run as they are printed."""

import json
import re
import shlex
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from http.server import HTTPServer
from pathlib import Path
from typing import Any

import pytest

from understudy.cli.private_server import Address, private_server
from understudy.core.modality import Modality
from understudy.core.moderation import Finding, Shown, Stage
from understudy.net.moderation import HttpModerator, moderator_client
from understudy.net.resolve import SystemResolver

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
PRINTED_URL = "http://127.0.0.1:8484"
PICTURE_BYTES_MAX = 200_000


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def curl_commands() -> list[list[str]]:
    block = next(block for block in blocks("sh") if "curl" in block)
    code = "\n".join(line for line in block.splitlines() if not line.startswith("#"))
    commands = re.split(r"(?m)^(?=curl )", code.replace("\\\n", " "))
    return [shlex.split(command) for command in commands if command.strip()]


def run_curl(words: list[str], url: str, api_key: str) -> dict[str, object]:
    """Send what curl would send: the flags that the README uses, -X, -H and -d, and one address."""
    method, headers, body, address = "GET", {}, None, ""
    arguments = iter(words[1:])
    for word in arguments:
        if word == "-X":
            method = next(arguments)
        elif word == "-H":
            name, _, value = next(arguments).partition(": ")
            headers[name] = value.replace("$ARK_API_KEY", api_key)
        elif word == "-d":
            body = next(arguments).encode()
        else:
            address = word.replace(PRINTED_URL, url)
    with urllib.request.urlopen(urllib.request.Request(address, body, headers, method=method), timeout=60) as answer:
        found: dict[str, object] = json.load(answer)
        return found


@pytest.fixture(scope="module")
def server() -> Iterator[Address]:
    with private_server() as address:
        yield address


def broken_links(document: Path, text: str) -> list[str]:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
    return [target for target in targets if "://" not in target and not (document.parent / target).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    assert broken_links(document, document.read_text(encoding="utf-8")) == []


def test_a_broken_link_is_found() -> None:
    assert broken_links(ROOT / "README.md", "[a](README.md) [b](docs/nowhere.md) [c](https://x.test/)") == [
        "docs/nowhere.md"
    ]


async def test_the_moderator_of_the_guide_finds_what_it_looks_for() -> None:
    guide = (ROOT / "docs/guides/moderation.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"^```python\n(.*?)^```", guide, re.DOTALL | re.MULTILINE)
    definitions, start, _ = program.partition("HTTPServer((")
    assert start
    found: dict[str, Any] = {}
    exec(definitions, found)
    with HTTPServer(("127.0.0.1", 0), found["Judge"]) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/judge"
        client = moderator_client(url, SystemResolver())
        moderator = HttpModerator(client=client, url=url, timeout_s=30)
        words = [Shown(index=0, modality=Modality.TEXT, media_type="text/plain", text="a cat")]
        words.append(replace(words[0], index=1, text="what is forbidden"))
        words.append(
            Shown(index=2, modality=Modality.IMAGE, media_type="image/jpeg", path=ROOT / "docs/images/frame.jpg")
        )
        assert await moderator.findings(Stage.INPUT, "o", words) == (Finding(index=1),)
        await client.close()
        server.shutdown()


def test_every_decision_is_listed() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    notes = {path.name for path in (ROOT / "docs/decisions").glob("*.md")} - {"README.md"}
    assert {name for name in notes if f"]({name})" not in index} == set()


def test_the_picture_is_small() -> None:
    assert (ROOT / "docs/images/frame.jpg").stat().st_size <= PICTURE_BYTES_MAX


def test_the_two_commands_are_make_targets() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in re.findall(r"^make (\S+)", blocks("sh")[0], re.MULTILINE):
        assert f"\n{command}:" in makefile, command


def test_every_shell_line_of_the_readme_is_a_command_that_exists() -> None:
    for line in "\n".join(blocks("sh")).splitlines():
        if line.startswith(".venv/bin/understudy "):
            command = shlex.split(line, comments=True)[1]
            done = subprocess.run([sys.executable, "-m", "understudy", command, "--help"], capture_output=True)
            assert done.returncode == 0, line


def test_the_curl_examples_create_and_poll_a_task(server: Address) -> None:
    create, poll = curl_commands()
    created = run_curl(create, server.url, server.api_key)
    assert list(created) == ["id"]
    poll = [word.replace("TASK_ID", str(created["id"])) for word in poll]
    task = run_curl(poll, server.url, server.api_key)
    assert (task["id"], task["model"]) == (created["id"], "doubao-seedance-2-0-260128")
    assert task["status"] in ("queued", "running", "succeeded")


@pytest.mark.full
def test_the_example_of_the_vendors_sdk_makes_a_film(server: Address) -> None:
    code = next(block for block in blocks("python") if "volcenginesdkarkruntime" in block)
    code = code.replace(PRINTED_URL, server.url).replace("time.sleep(30)", "time.sleep(1)")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"ARK_API_KEY": server.api_key}, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Task created: cgt-")
    assert re.search(rf"Video URL: {server.url}/files/\S+\.mp4\?expires=\d+&signature=[0-9a-f]+\n$", done.stdout)


def test_the_example_of_our_client_makes_a_film(server: Address, tmp_path: Path) -> None:
    code = next(block for block in blocks("python") if "from understudy import Client" in block)
    code = f"api_key = {server.api_key!r}\n" + code.replace(PRINTED_URL, server.url)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "lighthouse.mp4").read_bytes()[4:8] == b"ftyp"
