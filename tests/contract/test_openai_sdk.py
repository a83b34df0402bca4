"""OpenAI's own SDK, unmodified, against a real server: what works with `/v1/videos` works here.

Every test runs with the blocking and with the asynchronous client; `Sdk` only hides the ``await``.
"""

import asyncio
import inspect
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import av
import httpx2
import numpy as np
import openai
import pytest
from openai.types import VideoModel

from running_server import LAST_FRAME, VIDEO, RunningServer, running_server
from understudy.core.errors import RateLimited, Violation
from understudy.core.scenario import Scenario
from understudy.engines.previz import OFFER
from understudy.server.house import House

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API is scheduled:DeprecationWarning")

GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01D\x00;"
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
NEVER = "video_20200101000000-aaaaa"


class Sdk:
    """One of the SDK's two clients, called the same way; it tries nothing twice.

    after: called after each answer with (method, path), on the test's behalf. No certificates are loaded: it is plain
    HTTP, and they would take longer than the tests.
    """

    def __init__(self, kind: str, server: RunningServer, **options: Any) -> None:
        self.after: Callable[[str, str], None] = lambda method, path: None
        self._loop = asyncio.new_event_loop()
        settings = {"base_url": f"{server.url}/v1", "api_key": server.api_key, "max_retries": 0, **options}
        self._client: Any
        if kind == "OpenAI":
            hooks: Any = {"response": [self._answered]}
            self._client = openai.OpenAI(http_client=httpx2.Client(event_hooks=hooks, verify=False), **settings)
        else:
            hooks = {"response": [self._answered_async]}
            http_client = httpx2.AsyncClient(event_hooks=hooks, verify=False)
            self._client = openai.AsyncOpenAI(http_client=http_client, **settings)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client.videos, name)
        return lambda *args, **kwargs: self._wait(method(*args, **kwargs))

    def all_of(self, **query: Any) -> list[Any]:
        """Return every video of a listing, as many pages as there are."""
        listing = self._client.videos.list(**query)
        if hasattr(listing, "__aiter__"):

            async def gathered() -> list[Any]:
                return [video async for video in listing]

            return self._loop.run_until_complete(gathered())
        return list(listing)

    def shut(self) -> None:
        self._wait(self._client.close())
        self._loop.close()

    def _wait(self, answer: Any) -> Any:
        return self._loop.run_until_complete(answer) if inspect.isawaitable(answer) else answer

    def _answered(self, response: httpx2.Response) -> None:
        self.after(response.request.method, response.request.url.path)

    async def _answered_async(self, response: httpx2.Response) -> None:
        self._answered(response)


@pytest.fixture(params=["OpenAI", "AsyncOpenAI"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sdk(server: RunningServer, kind: str) -> Iterator[Sdk]:
    client = Sdk(kind, server)
    yield client
    client.shut()


@pytest.fixture(scope="module")
def shared_words_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    engine = replace(OFFER, scenarios=frozenset({Scenario.TEXT}))
    with running_server(tmp_path_factory.mktemp("words"), engine=engine) as running:
        yield running


@pytest.fixture
def words_only(shared_words_only: RunningServer) -> RunningServer:
    """Return a server whose engine takes no media, as somebody sees it who has no tasks yet."""
    return shared_words_only.to_a_new_caller()


@pytest.fixture
def words_sdk(words_only: RunningServer, kind: str) -> Iterator[Sdk]:
    client = Sdk(kind, words_only)
    yield client
    client.shut()


def create(sdk: Sdk, **parameters: Any) -> str:
    return str(sdk.create(prompt="A cat", **parameters).id)


def warned(video: Any) -> list[str]:
    return [warning["param"] for warning in getattr(video, "warnings", None) or []]


# Create


def test_a_prompt_is_enough_and_openais_defaults_hold(sdk, server):
    video = sdk.create(prompt="A cat on a piano")
    assert re.fullmatch(r"video_[0-9]{14}-[a-z0-9]{5}", video.id)
    assert (video.object, video.status, video.progress, video.model) == ("video", "queued", 0, "sora-2")
    assert (video.seconds, video.size, video.prompt) == ("4", "720x1280", "A cat on a piano")
    assert (video.error, video.completed_at, video.remixed_from_video_id, warned(video)) == (None, None, None, [])
    assert server.task(video.id).request.duration_s == 4


def test_every_parameter_is_honoured(sdk, server):
    video = sdk.create(
        prompt="She turns", model="sora-2-pro", seconds="12", size="1280x720", input_reference=("a.gif", GIF)
    )
    assert (video.model, video.seconds, video.size) == ("sora-2-pro", "12", "1280x720")
    stored = server.task(video.id).request
    assert stored.model == "doubao-seedance-2-0-260128"
    assert [str(item.role) for item in stored.content[1:]] == ["first_frame"]
    assert stored.content[1].value.startswith("data:image/gif;base64,R0lGODlh")


@pytest.mark.parametrize("model", get_args(get_args(VideoModel)[1]))
def test_every_model_that_the_sdk_names_is_served(sdk, model):
    assert sdk.create(prompt="A cat", model=model).model == model


def test_a_file_from_disk_is_the_first_frame(sdk, server, tmp_path):
    path = Path(tmp_path / "start.png")
    path.write_bytes(LAST_FRAME)
    stored = server.task(create(sdk, input_reference=path)).request
    assert stored.content[1].value.startswith("data:image/png;base64,")


def test_extra_fields_are_honoured_or_told(sdk, server):
    extra = {"seed": 7, "generate_audio": False, "metadata": {"watermark": True, "camera": "left"}}
    video = sdk.create(prompt="A cat", seconds="8", extra_body=extra)
    stored = server.task(video.id).request
    assert (stored.seed, stored.generate_audio, stored.watermark, stored.duration_s) == (7, False, True, 8)
    assert warned(video) == ["metadata.camera"]
    assert warned(sdk.retrieve(video.id)) == ["metadata.camera"]


def test_json_means_the_same_as_the_sdks_form(sdk, server):
    body = json.dumps({"prompt": "A cat", "seconds": "8", "size": "1280x720"}).encode()
    made = server.call("POST", "/v1/videos", body, headers={"Content-Type": "application/json"}).json()["id"]
    assert server.task(made).request == server.task(create(sdk, seconds="8", size="1280x720")).request


# Poll


def test_a_video_is_polled_from_queued_to_completed(sdk, server):
    video_id = create(sdk)
    assert sdk.retrieve(video_id).status == "queued"
    claim = server.run_task(video_id, progress=0.25)
    running = sdk.retrieve(video_id)
    assert (running.status, running.progress) == ("in_progress", 25)
    server.clock.advance(seconds=90)
    server.succeed(video_id, claim)
    done = sdk.retrieve(video_id)
    assert (done.status, done.progress, done.seconds, done.size) == ("completed", 100, "5", "1280x720")
    assert done.completed_at - done.created_at == 90
    assert done.expires_at > done.completed_at
    assert done.metadata["url"].startswith(server.url)
    assert done.error is None


def test_create_and_poll_returns_the_finished_video(sdk, server):
    claims: list[Any] = []

    def work(method: str, path: str) -> None:
        if method != "GET":
            return
        video_id = path.rpartition("/")[2]
        if not claims:
            claims.append(server.run_task(video_id, progress=0.5))
        elif len(claims) == 1:
            claims.append(server.succeed(video_id, claims[0]))

    sdk.after = work
    video = sdk.create_and_poll(prompt="A cat", poll_interval_ms=1)
    assert (video.status, video.progress) == ("completed", 100)
    polls = [seen for seen in server.requests if seen[0] == "GET"]
    assert [status for _, _, status in polls] == [200, 200, 200]


@pytest.mark.parametrize(("end", "code"), [("fail", "InternalServiceError"), ("expire", "expired")])
def test_polling_ends_where_there_will_be_no_film(sdk, server, end, code):
    video_id = create(sdk)
    getattr(server, end)(video_id)
    video = sdk.poll(video_id)
    assert (video.status, video.error.code) == ("failed", code)


def test_a_poll_is_told_how_long_to_wait_until_the_video_is_there(server):
    http_client = httpx2.Client(verify=False)
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=server.api_key, http_client=http_client) as client:
        video_id = client.videos.create(prompt="A cat").id
        assert client.videos.with_raw_response.retrieve(video_id).headers["openai-poll-after-ms"] == "1000"
        server.succeed(video_id)
        assert "openai-poll-after-ms" not in client.videos.with_raw_response.retrieve(video_id).headers


def test_a_task_of_another_dialect_is_read_and_shown_to_it(sdk, server):
    body = b'{"model": "doubao-seedance-2-0-260128", "content": [{"type": "text", "text": "A fox"}]}'
    path = "/api/v3/contents/generations/tasks"
    ark_id = server.call("POST", path, body).json()["id"]
    video = sdk.retrieve(ark_id)
    assert (video.id, video.prompt, video.size) == (ark_id.replace("cgt-", "video_"), "A fox", "adaptive")
    assert server.call("GET", f"{path}/{create(sdk)}").json()["ratio"] == "9:16"


# Content


def test_the_film_is_downloaded(sdk, server):
    video_id = create(sdk)
    server.succeed(video_id)
    assert sdk.download_content(video_id).content == VIDEO
    assert sdk.download_content(video_id, variant="video").content == VIDEO


def film(path: Path) -> None:
    """Write a film of ten grey frames."""
    with av.open(path, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for shade in range(10):
            grey = np.full((36, 64, 3), shade * 20, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, "rgb24")))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("variant", "signature", "media_type"),
    [("thumbnail", rb"RIFF....WEBP", "image/webp"), ("spritesheet", rb"\xff\xd8\xff", "image/jpeg")],
)
def test_a_picture_of_the_film_is_downloaded(sdk, server, variant, signature, media_type):
    video_id = create(sdk)
    path = server.blobs.local_path(server.succeed(video_id).film.video_blob)
    film(path)
    answer = sdk.download_content(video_id, variant=variant)
    assert re.match(signature, answer.content, re.DOTALL)
    assert answer.response.headers["content-type"] == media_type


def test_another_picture_is_refused_by_name(sdk, server):
    video_id = create(sdk)
    server.succeed(video_id)
    with pytest.raises(openai.BadRequestError) as refused:
        sdk.download_content(video_id, variant="poster")
    assert refused.value.param == "variant"


def test_a_film_that_is_not_there_yet_cannot_be_downloaded(sdk):
    video_id = create(sdk)
    for variant in ("video", "thumbnail"):
        with pytest.raises(openai.BadRequestError) as refused:
            sdk.download_content(video_id, variant=variant)
        assert "Task is not completed yet" in str(refused.value)


# List


def test_a_listing_is_read_to_its_end_page_by_page(sdk, server):
    made = [create(sdk) for _ in range(5)]
    assert [video.id for video in sdk.all_of(limit=2)] == made[::-1]
    assert [video.id for video in sdk.all_of(limit=2, order="asc")] == made
    assert len([seen for seen in server.requests if seen[:2] == ("GET", "/v1/videos")]) == 6


def test_a_listing_goes_on_after_a_video(sdk):
    made = [create(sdk) for _ in range(4)]
    page = sdk.list(after=made[2], limit=1)
    assert ([video.id for video in page.data], page.has_more, page.last_id) == ([made[1]], True, made[1])
    assert [video.id for video in sdk.all_of(after=made[1], order="asc")] == made[2:]


def test_an_empty_listing_has_no_videos(sdk):
    assert sdk.all_of() == []
    assert sdk.list().has_more is False


# Delete


def test_a_queued_video_is_cancelled_by_deleting_it(sdk, server):
    video_id = create(sdk)
    answer = sdk.delete(video_id)
    assert (answer.id, answer.deleted, answer.object) == (video_id, True, "video.deleted")
    assert str(server.task(video_id).status) == "cancelled"
    assert sdk.poll(video_id).error.code == "cancelled"


def test_a_finished_video_is_gone_when_deleted(sdk, server):
    video_id = create(sdk)
    server.succeed(video_id)
    assert sdk.delete(video_id).deleted is True
    with pytest.raises(openai.NotFoundError):
        sdk.retrieve(video_id)


def test_a_running_video_is_not_deleted(sdk, server):
    video_id = create(sdk)
    server.run_task(video_id)
    with pytest.raises(openai.ConflictError) as refused:
        sdk.delete(video_id)
    assert f"`{video_id}`" in str(refused.value)
    assert sdk.retrieve(video_id).status == "in_progress"


# Remix, edit, extend


def finished(sdk: Sdk, server: RunningServer, **parameters: Any) -> str:
    video_id = create(sdk, **parameters)
    server.succeed(video_id)
    return video_id


def test_a_remix_keeps_the_settings_of_its_source_and_names_it(sdk, server):
    source = finished(sdk, server, model="sora-2-pro", size="1280x720")
    remix = sdk.remix(source, prompt="Make it night")
    assert (remix.status, remix.prompt, remix.remixed_from_video_id) == ("queued", "Make it night", source)
    assert (remix.model, remix.size) == ("sora-2-pro", "1280x720")
    assert sdk.retrieve(remix.id).remixed_from_video_id == source


def test_an_engine_without_video_input_makes_the_remix_anew_and_says_so(words_sdk, words_only):
    source = finished(words_sdk, words_only)
    remix = words_sdk.remix(source, prompt="Make it night")
    assert remix.remixed_from_video_id == source
    assert warned(remix) == ["video"]
    assert words_only.task(remix.id).request.seed == words_only.task(source).seed


def test_a_video_that_is_not_finished_has_no_remix(sdk):
    with pytest.raises(openai.BadRequestError):
        sdk.remix(create(sdk), prompt="Make it night")


def test_a_film_of_ours_is_edited_and_extended_by_its_id(sdk, server):
    source = finished(sdk, server)
    by_id = {"video": openai.omit, "extra_body": {"video": {"id": source}}}
    edit = sdk.edit(prompt="Make it night", **by_id)
    assert (edit.status, edit.remixed_from_video_id) == ("queued", source)
    longer = sdk.extend(prompt="It goes on", seconds="8", **by_id)
    assert (longer.seconds, longer.remixed_from_video_id) == ("8", source)


def test_a_change_without_a_prompt_or_of_an_unknown_film_is_refused(sdk):
    with pytest.raises(openai.NotFoundError):
        sdk.remix(NEVER, prompt="Make it night")
    with pytest.raises(openai.BadRequestError) as refused:
        sdk.remix(NEVER, prompt="")
    assert (refused.value.param, refused.value.code) == ("prompt", "missing_required_parameter")
    with pytest.raises(openai.BadRequestError) as refused:
        sdk.edit(prompt="Make it night", video=("a.gif", GIF, "image/gif"))
    assert refused.value.param == "video"


# Errors


@pytest.mark.parametrize(
    ("parameters", "param", "code"),
    [
        ({"seconds": "99"}, "seconds", "invalid_value"),
        ({"seconds": "four"}, "seconds", "invalid_value"),
        ({"size": "1792x1024"}, "size", "invalid_value"),
        ({"extra_body": {"prompt": ""}}, "prompt", "missing_required_parameter"),
        ({"extra_body": {"metadata": "{"}}, "metadata", "invalid_value"),
        ({"input_reference": ("a.bin", b"???")}, "input_reference", "invalid_value"),
    ],
)
def test_a_bad_request_names_the_parameter_as_openai_calls_it(sdk, server, parameters, param, code):
    with pytest.raises(openai.BadRequestError) as refused:
        create(sdk, **parameters)
    error = refused.value
    assert (error.param, error.code, error.type) == (param, code, "invalid_request_error")
    assert f"`{param}`" in str(error)
    assert error.request_id.startswith("02")
    assert server.stored() == ()


def test_an_unknown_model_and_an_unknown_video_are_not_found(sdk):
    with pytest.raises(openai.NotFoundError) as missing:
        create(sdk, model="sora-9")
    assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
    for use in (sdk.retrieve, sdk.delete, sdk.download_content):
        with pytest.raises(openai.NotFoundError) as missing:
            use(NEVER)
        assert f"`{NEVER}`" in str(missing.value)


def test_somebody_elses_video_does_not_exist(sdk, server, kind):
    video_id = create(sdk)
    other = Sdk(kind, server.to_a_new_caller())
    for use in (other.retrieve, other.delete, other.download_content):
        with pytest.raises(openai.NotFoundError):
            use(video_id)
    assert other.all_of() == []
    other.shut()


def test_a_wrong_key_is_an_authentication_error(server, kind):
    stranger = Sdk(kind, server, api_key="sk-nobody")
    with pytest.raises(openai.AuthenticationError) as refused:
        create(stranger)
    stranger.shut()
    assert refused.value.code == "invalid_api_key"


class Failing:
    """Stands where the submitter does and raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def submit(self, **_: Any) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "raised", "kind_told"),
    [
        (RateLimited(Violation("QuotaExceeded", "", "Too many.")), openai.RateLimitError, "rate_limit_error"),
        (RuntimeError("a bug"), openai.InternalServerError, "server_error"),
    ],
)
def test_what_may_pass_is_told_as_such(tmp_path, kind, error, raised, kind_told):
    def broken(house: House) -> House:
        stub: Any = Failing(error)
        return replace(house, submitter=stub)

    with running_server(tmp_path, changes=broken) as server:
        client = Sdk(kind, server)
        with pytest.raises(raised) as met:
            create(client)
        client.shut()
    assert met.value.type == kind_told
    assert "a bug" not in str(met.value)


def test_the_mount_of_its_own_answers_like_the_shared_path(server, kind):
    client = Sdk(kind, server, base_url=f"{server.url}/openai/v1")
    video_id = create(client, extra_body={"metadata": {"seed": 7}})
    assert server.task(video_id).request.seed == 7
    assert server.task(video_id).dialect == "openai"
    assert client.retrieve(video_id).status == "queued"
    assert [video.id for video in client.all_of()] == [video_id]
    client.delete(video_id)
    client.shut()
