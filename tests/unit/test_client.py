"""Both clients against a real server on loopback: what they ask, what they return, what they raise."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from running_server import LAST_FRAME, VIDEO, RunningServer, running_server
from understudy import AsyncClient, Client
from understudy.client import RemoteTask
from understudy.client.programs import Filter, default_model
from understudy.core.errors import Conflict, NotFound, Rejected, TaskFailed, Unauthorized, Unavailable
from understudy.core.task import Status


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with running_server(tmp_path / "server") as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[Client]:
    with Client(server.url, server.api_key) as opened:
        yield opened


def test_a_created_task_is_queued_with_what_was_asked(server: RunningServer, client: Client) -> None:
    task = client.create("a fox", ratio="9:16", duration_s=4, seed=11, generate_audio=False, priority=3)
    stored = server.task(task.id).request
    assert task.status is Status.QUEUED
    assert (stored.prompt, stored.ratio, stored.duration_s, stored.seed) == ("a fox", "9:16", 4, 11)
    assert (stored.generate_audio, stored.priority, stored.model) == (False, 3, default_model().id)


def test_a_task_is_read_as_the_server_has_it(server: RunningServer, client: Client) -> None:
    created = client.create("a fox", model="doubao-seedance-2.0-fast")
    server.run_task(created.id, progress=0.5)
    task = client.get(created.id)
    assert (task.id, task.status, task.progress) == (created.id, Status.RUNNING, 0.5)
    assert task.model == "doubao-seedance-2.0-fast", "by the name it was asked for"


def test_a_listing_is_filtered_by_everything_it_can_be(server: RunningServer, client: Client) -> None:
    first, second, third = (client.create(f"fox {number}") for number in range(3))
    server.succeed(first.id)
    fast = client.create("a fast fox", model="doubao-seedance-2.0-fast")
    assert client.list().total == 4
    assert [task.id for task in client.list(Filter(status="succeeded")).tasks] == [first.id]
    assert [task.id for task in client.list(Filter(model="doubao-seedance-2.0-fast")).tasks] == [fast.id]
    assert {task.id for task in client.list(Filter(task_ids=(second.id, third.id))).tasks} == {second.id, third.id}
    page = client.list(Filter(page=2, page_size=3, service_tier="default"))
    assert (len(page.tasks), page.total) == (1, 4)


def test_deleting_a_queued_task_cancels_it(client: Client) -> None:
    task = client.create("a fox")
    client.delete(task.id)
    assert client.get(task.id).status is Status.CANCELLED


def test_deleting_a_running_task_is_a_conflict_asked_once(server: RunningServer, client: Client) -> None:
    task = client.create("a fox")
    server.run_task(task.id)
    with pytest.raises(Conflict, match="currently running"):
        client.delete(task.id)
    assert [method for method, _, _ in server.requests].count("DELETE") == 1


def test_waiting_returns_the_ended_task_and_shows_each_state(server: RunningServer, client: Client) -> None:
    task = client.create("a fox")
    server.succeed(task.id)
    seen: list[RemoteTask] = []
    ended = client.wait(task.id, on_progress=seen.append)
    assert ended.status is Status.SUCCEEDED
    assert seen == [ended]


def test_a_film_and_its_last_frame_are_made_and_saved(server: RunningServer, client: Client, tmp_path: Path) -> None:
    film, frame = tmp_path / "film.mp4", tmp_path / "frame.png"

    def finish(task: RemoteTask) -> None:
        if task.status is Status.QUEUED:
            server.succeed(task.id)

    task = client.generate("a fox", film, last_frame_path=frame, on_progress=finish)
    assert (film.read_bytes(), frame.read_bytes()) == (VIDEO, LAST_FRAME)
    assert task.completion_tokens == 108_900
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4", "frame.png", "server"]


def test_a_film_that_failed_raises_the_servers_reason(server: RunningServer, client: Client, tmp_path: Path) -> None:
    def fail(task: RemoteTask) -> None:
        if task.status is Status.QUEUED:
            server.fail(task.id)

    with pytest.raises(TaskFailed, match="The engine stopped") as caught:
        client.generate("a fox", tmp_path / "film.mp4", on_progress=fail)
    assert caught.value.violation.code == "InternalServiceError"
    assert not (tmp_path / "film.mp4").exists()


def test_a_broken_download_is_continued_where_it_stopped(server: RunningServer, client: Client, tmp_path: Path) -> None:
    task = client.create("a fox")
    server.succeed(task.id)
    (tmp_path / f".film.mp4.{task.id}-video.part").write_bytes(VIDEO[:1000])
    client.download(task.id, tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").read_bytes() == VIDEO
    assert [status for _, path, status in server.requests if path.startswith("/files/")] == [206]


def test_a_part_that_is_too_long_is_thrown_away(server: RunningServer, client: Client, tmp_path: Path) -> None:
    task = client.create("a fox")
    server.succeed(task.id)
    (tmp_path / f".film.mp4.{task.id}-video.part").write_bytes(VIDEO + b"more")
    client.download(task.id, tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").read_bytes() == VIDEO


def test_a_download_replaces_the_older_file_only_when_it_is_whole(
    server: RunningServer, client: Client, tmp_path: Path
) -> None:
    task = client.create("a fox")
    (tmp_path / "film.mp4").write_bytes(b"older")
    with pytest.raises(NotFound, match="is queued"):
        client.download(task.id, tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").read_bytes() == b"older"
    server.succeed(task.id)
    client.download(task.id, tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").read_bytes() == VIDEO


def test_a_wrong_key_is_unauthorized(server: RunningServer) -> None:
    with Client(server.url, "wrong") as client, pytest.raises(Unauthorized):
        client.create("a fox")


def test_a_rejected_request_names_the_parameter(client: Client) -> None:
    with pytest.raises(Rejected) as caught:
        client.create("a fox", ratio="2:1")
    assert caught.value.violation.param == "ratio"


def test_a_quote_tells_the_price_and_what_is_wrong_and_makes_nothing(server: RunningServer, client: Client) -> None:
    quote = client.quote("a fox", ratio="16:9", duration_s=5, tools=("web_search",))
    assert (quote.engine, quote.is_acceptable, quote.completion_tokens) == ("previz", True, 108_900)
    assert (quote.currency, quote.amount_micros) == ("CNY", 108_900 * 46)
    assert [warned.param for warned in quote.warnings] == ["tools"]
    assert quote.request is not None
    assert quote.request["resolution"] == "720p"
    bad = client.quote("a fox", duration_s=99)
    assert (bad.is_acceptable, bad.amount_micros) == (False, None)
    assert [violation.param for violation in bad.violations] == ["duration"]
    assert server.stored() == ()


def test_a_draft_is_finished_by_its_own_model(server: RunningServer, client: Client) -> None:
    draft = client.create("a fox", model="doubao-seedance-2-5-260628", draft=True, duration_s=5)
    assert server.task(draft.id).request.resolution == "480p"
    server.succeed(draft.id)
    final = server.task(client.finish(draft.id, return_last_frame=True).id).request
    assert (final.prompt, final.resolution, final.return_last_frame) == ("a fox", "1080p", True)


def test_an_unknown_task_is_not_found(client: Client) -> None:
    with pytest.raises(NotFound):
        client.get("cgt-20260101000000-abcde")


def test_an_id_with_a_slash_stays_one_segment(client: Client) -> None:
    with pytest.raises(NotFound):
        client.get("../../files")


def test_a_server_that_is_not_there_is_unavailable(server: RunningServer) -> None:
    with Client("http://127.0.0.1:1", "key") as client, pytest.raises(Unavailable, match="cannot be reached"):
        client.create("a fox")


def test_an_answer_of_another_program_is_unavailable() -> None:
    other = httpx2.MockTransport(lambda request: httpx2.Response(200, text="<html>Welcome</html>"))
    with Client("http://x.test", "key", transport=other) as client, pytest.raises(Unavailable, match="Welcome"):
        client.create("a fox")


@pytest.mark.parametrize("suffix", ["", "/", "/api/v3", "/api/v3/"])
def test_the_base_url_is_taken_with_or_without_arks_path(server: RunningServer, suffix: str) -> None:
    with Client(server.url + suffix, server.api_key) as client:
        assert client.list().total == 0


@pytest.mark.parametrize("base_url", ["", "127.0.0.1:8484", "ftp://x.test", "http://"])
def test_a_base_url_that_is_no_address_is_refused(base_url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        Client(base_url, "key")


def test_a_field_that_does_not_exist_is_refused_at_once(client: Client) -> None:
    with pytest.raises(TypeError, match="colour"):
        client.create("a fox", colour="red")  # type: ignore[call-arg]


def test_the_two_clients_have_the_same_methods() -> None:
    for name in ("create", "get", "list", "delete", "wait", "download", "generate", "close"):
        blocking, waiting = getattr(Client, name), getattr(AsyncClient, name)
        assert inspect.signature(blocking) == inspect.signature(waiting), name
        assert inspect.iscoroutinefunction(waiting)


async def test_the_asynchronous_client_does_the_same(server: RunningServer, tmp_path: Path) -> None:
    def finish(task: RemoteTask) -> None:
        if task.status is Status.QUEUED:
            server.succeed(task.id)

    async with AsyncClient(server.ark_url, server.api_key) as client:
        task = await client.generate("a fox", tmp_path / "film.mp4", on_progress=finish, seed=5)
        assert (await client.get(task.id)).raw["seed"] == 5
        assert (await client.list()).total == 1
        await client.delete(task.id)
        with pytest.raises(NotFound):
            await client.get(task.id)
    assert (tmp_path / "film.mp4").read_bytes() == VIDEO


async def test_the_asynchronous_client_continues_a_download(server: RunningServer, tmp_path: Path) -> None:
    async with AsyncClient(server.url, server.api_key) as client:
        task = await client.create("a fox")
        server.succeed(task.id)
        (tmp_path / f".film.mp4.{task.id}-video.part").write_bytes(VIDEO[:77])
        await client.download(task.id, tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").read_bytes() == VIDEO
