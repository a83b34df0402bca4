"""Media that a client names: which go inside a request, which become assets first, and what is refused before."""

import asyncio
import base64
import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from asset_worker import FILM, LONG_FILM, PICTURE, SOUND, take_in
from running_server import RunningServer, running_server
from understudy import AsyncClient, Client
from understudy.catalog.load import load_catalogue
from understudy.client import media as client_media
from understudy.client import uploads as client_uploads
from understudy.client.media import MediaFields, bringing, given_media
from understudy.client.programs import default_model
from understudy.core.content import Modality, Role
from understudy.core.errors import Rejected
from understudy.service.uploads import Uploads

URL = "https://example.com/a.png"


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("server")

    def changed(house):  # type: ignore[no-untyped-def]
        return replace(house, uploads=Uploads(folder / "uploads", house.assets, bytes_max=1 << 20))

    with running_server(folder, changes=changed) as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[Client]:
    with Client(server.url, server.api_key) as opened:
        yield opened


@pytest.fixture
def worker(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, int, int], None]:
    """Return what takes a file in at the server as soon as all of it is there."""
    folder = tmp_path_factory.mktemp("worker")

    def taken_in(path: Path, there: int, size_bytes: int) -> None:
        if there == size_bytes:
            take_in(server, folder, {})

    return taken_in


def saved(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def items_of(server: RunningServer, task_id: str) -> list[tuple[Modality, Role | None, str]]:
    return [(item.modality, item.role, item.value) for item in server.task(task_id).request.content]


def data_url(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def by_content(content: bytes) -> str:
    return f"asset://sha256-{hashlib.sha256(content).hexdigest()}"


def sent_to(server: RunningServer, method: str) -> list[str]:
    return [path for said, path, _ in server.requests if said == method and path.startswith("/v1/uploads")]


def items_without_a_server(fields: MediaFields) -> list[tuple[Role | None, str]]:
    """Return what is made of media that need no library."""
    program = bringing(given_media(fields, default_model()), None)
    with pytest.raises(StopIteration) as done:
        next(program)
    return [(item.role, item.value) for item in done.value.value]


def test_addresses_go_as_they_are_in_the_order_of_their_fields() -> None:
    data = data_url("image/png", PICTURE)
    fields: MediaFields = {
        "sounds": ["HTTPS://example.com/a.mp3"],
        "videos": ("asset://film",),
        "images": [data, URL],
        "end_frame": URL,
        "first_frame": "http://example.com/b.png",
    }
    assert items_without_a_server(fields) == [
        (Role.FIRST_FRAME, "http://example.com/b.png"),
        (Role.LAST_FRAME, URL),
        (Role.REFERENCE_IMAGE, data),
        (Role.REFERENCE_IMAGE, URL),
        (Role.REFERENCE_VIDEO, "asset://film"),
        (Role.REFERENCE_AUDIO, "HTTPS://example.com/a.mp3"),
    ]


def test_images_and_sounds_go_inside_the_request_by_what_they_are(tmp_path: Path) -> None:
    image, sound = saved(tmp_path / "named.jpg", PICTURE), saved(tmp_path / "sound", SOUND)
    assert items_without_a_server({"first_frame": image}) == [(Role.FIRST_FRAME, data_url("image/png", PICTURE))]
    assert items_without_a_server({"sounds": [sound]}) == [(Role.REFERENCE_AUDIO, data_url("audio/mpeg", SOUND))]


def test_a_file_whose_first_bytes_say_nothing_is_what_its_ending_says(tmp_path: Path) -> None:
    sound = saved(tmp_path / "a.MP3", b"\0" * 20)
    assert items_without_a_server({"sounds": [sound]}) == [(Role.REFERENCE_AUDIO, data_url("audio/mpeg", b"\0" * 20))]


def test_one_medium_needs_no_list(tmp_path: Path) -> None:
    assert items_without_a_server({"images": URL}) == [(Role.REFERENCE_IMAGE, URL)]
    assert len(items_without_a_server({"images": saved(tmp_path / "a.png", PICTURE)})) == 1  # type: ignore[typeddict-item]


def test_a_created_task_has_its_media_behind_its_words(server: RunningServer, client: Client) -> None:
    task = client.create("a fox", first_frame=URL, end_frame="https://example.com/b.png", duration_s=4)
    assert items_of(server, task.id) == [
        (Modality.TEXT, None, "a fox"),
        (Modality.IMAGE, Role.FIRST_FRAME, URL),
        (Modality.IMAGE, Role.LAST_FRAME, "https://example.com/b.png"),
    ]


def test_a_video_becomes_an_asset_and_is_named_by_it(
    server: RunningServer, client: Client, worker: Callable[[Path, int, int], None], tmp_path: Path
) -> None:
    film, told = saved(tmp_path / f"{'x' * 80}.mp4", FILM), []

    def tell(path: Path, there: int, size_bytes: int) -> None:
        told.append((path, there, size_bytes))
        worker(path, there, size_bytes)

    task = client.create("a fox", videos=[film], on_sent=tell)
    assert items_of(server, task.id)[1:] == [(Modality.VIDEO, Role.REFERENCE_VIDEO, by_content(FILM))]
    assert told == [(film, 0, len(FILM)), (film, len(FILM), len(FILM))]


def test_the_same_bytes_are_sent_once(
    server: RunningServer, client: Client, worker: Callable[[Path, int, int], None], tmp_path: Path
) -> None:
    client.create("a fox", videos=[saved(tmp_path / "a.mp4", FILM)], on_sent=worker)
    server.requests.clear()
    task = client.create("a cat", videos=[saved(tmp_path / "b.mp4", FILM)])
    assert items_of(server, task.id)[1:] == [(Modality.VIDEO, Role.REFERENCE_VIDEO, by_content(FILM))]
    assert sent_to(server, "POST") == sent_to(server, "PATCH") == []


def test_bytes_that_somebody_else_sends_at_the_same_time_are_not_refused(
    server: RunningServer, worker: Callable[[Path, int, int], None], tmp_path: Path
) -> None:
    film = saved(tmp_path / "a.mp4", FILM)

    class Late(httpx2.HTTPTransport):
        """Lets another client finish just before this one begins to send."""

        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            if request.method == "POST" and request.url.path == "/v1/uploads":
                with Client(server.url, server.api_key) as other:
                    other.create("a fox", videos=[film], on_sent=worker)
            return super().handle_request(request)

    with Client(server.url, server.api_key, transport=Late()) as client:
        task = client.create("a cat", videos=[film])
    assert items_of(server, task.id)[1:] == [(Modality.VIDEO, Role.REFERENCE_VIDEO, by_content(FILM))]


def test_an_asset_that_failed_is_told_with_its_reason_and_tried_again_the_next_time(
    server: RunningServer, client: Client, worker: Callable[[Path, int, int], None], tmp_path: Path
) -> None:
    film = saved(tmp_path / "a.mp4", LONG_FILM)
    for _ in range(2):
        server.requests.clear()
        with pytest.raises(Rejected, match=r"a\.mp4: .*duration") as caught:
            client.create("a fox", videos=[film], on_sent=worker)
        (asset,) = server.do(server.house.assets.store.assets(server.owner, [by_content(LONG_FILM)[8:]]))
        assert asset.fault is not None
        assert (caught.value.violation.code, caught.value.violation.param) == (asset.fault.code, "videos")
        assert sent_to(server, "PATCH")
    assert server.stored() == ()


def test_what_the_request_has_no_room_for_becomes_an_asset(
    server: RunningServer,
    client: Client,
    worker: Callable[[Path, int, int], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body_bytes_max = load_catalogue().profiles["ark"].body_bytes_max
    monkeypatch.setattr(client_media, "WORDS_BYTES", body_bytes_max - len(base64.b64encode(PICTURE)))
    pictures = [saved(tmp_path / "a.png", PICTURE), saved(tmp_path / "b.png", PICTURE)]
    task = client.create("a fox", images=pictures, on_sent=worker)
    values = [value for _, _, value in items_of(server, task.id)[1:]]
    assert values[0].startswith("data:image/png")
    assert values[1] == by_content(PICTURE)


def test_a_quote_is_of_the_media_too(server: RunningServer, client: Client) -> None:
    quote = client.quote("a fox", first_frame=URL, images=[URL], duration_s=5)
    assert [violation.param for violation in quote.violations] == ["content"]
    assert server.stored() == ()


async def test_the_asynchronous_client_does_the_same(
    server: RunningServer, worker: Callable[[Path, int, int], None], tmp_path: Path
) -> None:
    film = saved(tmp_path / "a.mp4", FILM)
    async with AsyncClient(server.url, server.api_key) as client:
        task = await client.create("a fox", images=[URL], videos=[film], on_sent=worker)
    assert items_of(server, task.id)[1:] == [
        (Modality.IMAGE, Role.REFERENCE_IMAGE, URL),
        (Modality.VIDEO, Role.REFERENCE_VIDEO, by_content(FILM)),
    ]


def test_a_piece_that_somebody_else_has_sent_is_not_sent_again(
    server: RunningServer, worker: Callable[[Path, int, int], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_uploads, "PAUSES_S", (0.0,))

    class Overtaken(httpx2.HTTPTransport):
        """Lets the first bytes come over another connection, just before this one sends them."""

        overtakes = True

        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            if request.method == "PATCH" and self.overtakes:
                self.overtakes = False
                headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
                assert server.call("PATCH", request.url.path, FILM[:3], headers).status < 300
            return super().handle_request(request)

    film = saved(tmp_path / "a.mp4", FILM)
    with Client(server.url, server.api_key, transport=Overtaken()) as client:
        task = client.create("a fox", videos=[film], on_sent=worker)
    assert items_of(server, task.id)[1:] == [(Modality.VIDEO, Role.REFERENCE_VIDEO, by_content(FILM))]
    assert [status for method, _, status in server.requests if method == "PATCH"] == [200, 409, 200]


async def test_many_films_of_one_video_at_once_all_have_it(
    server: RunningServer, worker: Callable[[Path, int, int], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_uploads, "PIECE_BYTES", 4)
    film = saved(tmp_path / "a.mp4", FILM)
    async with AsyncClient(server.url, server.api_key) as client:
        tasks = await asyncio.gather(*(client.create("a fox", videos=[film], on_sent=worker) for _ in range(5)))
    assert {items_of(server, task.id)[1][2] for task in tasks} == {by_content(FILM)}
    assert list(tmp_path.iterdir()) == [film]


def test_a_server_without_a_library_is_told_in_a_sentence(tmp_path: Path) -> None:
    other = httpx2.MockTransport(lambda request: httpx2.Response(404, text="no such page"))
    with (
        Client("http://x.test", "key", transport=other) as client,
        pytest.raises(Rejected, match=r"a\.mp4: the server has no library") as caught,
    ):
        client.create("a fox", videos=[saved(tmp_path / "a.mp4", FILM)])
    assert caught.value.violation.param == "videos"


def refusal(fields: MediaFields) -> tuple[str, str]:
    with pytest.raises(Rejected) as caught:
        given_media(fields, default_model())
    return caught.value.violation.param, caught.value.violation.message


def test_a_text_that_is_no_address_never_makes_the_client_read_a_file(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", PICTURE)
    param, message = refusal({"first_frame": str(path)})
    assert param == "first_frame"
    assert "pathlib.Path" in message


def test_a_file_of_another_kind_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    film = saved(tmp_path / "a.png", FILM)
    assert refusal({"images": [URL, film]}) == (
        "images",
        f"{film} should be of the kind image; it looks like video/mp4.",
    )
    text = saved(tmp_path / "a.txt", b"words, words, words")
    assert "nothing that is known" in refusal({"sounds": [text]})[1]


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", PICTURE)
    most = default_model().media[Modality.IMAGE].bytes_max
    os.truncate(path, most)
    assert given_media({"end_frame": path}, default_model())[0].size_bytes == most
    os.truncate(path, most + 1)
    param, message = refusal({"end_frame": path})
    assert param == "end_frame"
    assert message.startswith(f"{path} has {most + 1} bytes; ")
    assert message.endswith(f"image files of at most {most} bytes.")
    assert given_media({"end_frame": path}, None), "of a model that only the server knows, it says how much"


def test_an_empty_file_and_a_pipe_are_refused(tmp_path: Path) -> None:
    assert "is empty" in refusal({"images": [saved(tmp_path / "a.png", b"")]})[1]
    os.mkfifo(tmp_path / "pipe.png")
    assert "no ordinary file" in refusal({"images": [tmp_path / "pipe.png"]})[1]


def test_a_file_that_is_not_there_and_a_folder_are_errors_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        given_media({"images": [tmp_path / "a.png"]}, default_model())
    with pytest.raises(IsADirectoryError) as caught:
        given_media({"images": [tmp_path]}, default_model())
    assert (caught.value.errno, caught.value.filename) == (errno.EISDIR, str(tmp_path))


def test_nothing_is_sent_when_one_of_several_files_is_refused(
    server: RunningServer, client: Client, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        client.create("a fox", videos=[saved(tmp_path / "a.mp4", FILM)], sounds=[tmp_path / "a.mp3"])
    assert server.requests == []
