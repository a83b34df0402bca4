"""The vendor's own SDK, unmodified, against a real server: what works with Ark works here.

Every test runs with the blocking and with the asynchronous client; `Sdk` only hides the ``await``.
"""

import asyncio
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import volcenginesdkarkruntime as vendor
from volcenginesdkarkruntime import _exceptions as errors

from running_server import RunningServer, running_server
from understudy.core.errors import RateLimited, Violation
from understudy.server.house import House

MODEL = "doubao-seedance-2-0-260128"
FAST = "doubao-seedance-2-0-fast-260128"
MINI = "doubao-seedance-2-0-mini-260615"
TEXT = [{"type": "text", "text": "A cat yawning at the camera"}]
EVERY_PARAMETER = {
    "safety_identifier": "user-7",
    "callback_url": "https://example.com/hook",
    "return_last_frame": True,
    "service_tier": "default",
    "execution_expires_after": 7200,
    "priority": 3,
    "generate_audio": False,
    "draft": False,
    "camera_fixed": False,
    "watermark": True,
    "seed": 4_294_967_295,
    "resolution": "480p",
    "ratio": "9:16",
    "duration": 7,
    "tools": [{"type": "web_search"}],
    "output_format": "mp4",
}


class Sdk:
    """One of the vendor's two clients, called the same way."""

    def __init__(self, kind: str, url: str, api_key: str, **options: Any) -> None:
        make: Callable[..., Any] = vendor.Ark if kind == "Ark" else vendor.AsyncArk
        self._loop = asyncio.new_event_loop()
        self._client = make(base_url=url, api_key=api_key, **options)
        self._tasks = self._client.content_generation.tasks

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._tasks, name)

        def called(*args: Any, **kwargs: Any) -> Any:
            answer = method(*args, **kwargs)
            return self._loop.run_until_complete(answer) if inspect.isawaitable(answer) else answer

        return called

    def shut(self) -> None:
        closed = self._client.close()
        if inspect.isawaitable(closed):
            self._loop.run_until_complete(closed)
        self._loop.close()


@pytest.fixture(params=["Ark", "AsyncArk"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sdk(server: RunningServer, kind: str) -> Iterator[Sdk]:
    client = Sdk(kind, server.ark_url, server.api_key)
    yield client
    client.shut()


def create(sdk: Sdk, **parameters: Any) -> str:
    return str(sdk.create(model=parameters.pop("model", MODEL), content=TEXT, **parameters).id)


def ids(page: Any) -> list[str]:
    return [item.id for item in page.items]


# Create and poll


def test_a_create_answers_an_id_in_arks_spelling(sdk, server):
    created = sdk.create(model=MODEL, content=TEXT)
    assert re.fullmatch(r"cgt-[0-9]{14}-[a-z0-9]{5}", created.id)
    assert created.model_dump(exclude_none=True) == {"id": created.id}


def test_every_parameter_that_a_text_request_may_have_is_accepted_and_shown(sdk):
    created = sdk.create(model=MODEL, content=TEXT, **EVERY_PARAMETER)
    assert created.safety_identifier == "user-7"
    task = sdk.get(task_id=created.id)
    unshown = {"callback_url", "return_last_frame", "camera_fixed", "watermark", "tools", "output_format"}
    shown = EVERY_PARAMETER.keys() - unshown
    assert {name: getattr(task, name) for name in shown} == {name: EVERY_PARAMETER[name] for name in shown}
    assert task.tools[0].type == "web_search"
    assert task.model == MODEL


def test_what_is_left_out_arrives_as_null_and_means_the_default(sdk):
    task = sdk.get(task_id=create(sdk))
    assert (task.ratio, task.duration, task.resolution) == ("adaptive", 5, "720p")
    assert (task.generate_audio, task.service_tier, task.execution_expires_after) == (True, "default", 172800)
    assert task.seed == 7, "the seed the server chose is shown"


@pytest.mark.parametrize("model", [MODEL, FAST, MINI])
def test_all_three_models_are_served(sdk, model):
    assert sdk.get(task_id=create(sdk, model=model)).model == model


def test_a_key_of_extra_body_that_means_nothing_is_accepted_and_told(sdk):
    task = sdk.get(task_id=create(sdk, extra_body={"style": "x"}))
    assert [warned["param"] for warned in task.warnings] == ["style"]


def test_a_task_is_polled_from_queued_through_running_to_succeeded(sdk, server):
    task_id = create(sdk, return_last_frame=True)
    queued = sdk.get(task_id=task_id)
    assert queued.status == "queued"
    assert queued.content is None
    claim = server.run_task(task_id, progress=0.25)
    running = sdk.get(task_id=task_id)
    assert (running.status, running.progress) == ("running", 0.25)
    server.clock.advance(seconds=90)
    server.succeed(task_id, claim)
    done = sdk.get(task_id=task_id)
    assert done.status == "succeeded"
    assert done.content.video_url.startswith(server.url)
    assert done.content.last_frame_url.startswith(server.url)
    assert (done.ratio, done.framespersecond) == ("16:9", 24)
    assert (done.usage.completion_tokens, done.usage.total_tokens) == (108_900, 108_900)
    assert done.updated_at - done.created_at == 90
    assert done.error is None


def test_a_failed_task_says_why(sdk, server):
    task_id = create(sdk)
    server.fail(task_id)
    task = sdk.get(task_id=task_id)
    assert task.status == "failed"
    assert (task.error.code, task.error.message) == ("InternalServiceError", "The engine stopped.")
    assert task.content is None


def test_an_expired_task_is_shown_as_expired(sdk, server):
    task_id = create(sdk, execution_expires_after=3600)
    server.expire(task_id)
    assert sdk.get(task_id=task_id).status == "expired"


# List


def test_a_listing_shows_the_newest_first_and_counts_all(sdk):
    made = [create(sdk) for _ in range(3)]
    page = sdk.list()
    assert ids(page) == made[::-1]
    assert page.total == 3


def test_a_listing_is_paged(sdk):
    made = [create(sdk) for _ in range(5)]
    assert ids(sdk.list(page_num=2, page_size=2)) == [made[2], made[1]]
    assert sdk.list(page_num=2, page_size=2).total == 5
    assert ids(sdk.list(page_num=9, page_size=2)) == []


def test_a_listing_is_filtered_by_each_status(sdk, server):
    expired = create(sdk, execution_expires_after=3600)
    server.expire(expired)
    made = {name: create(sdk) for name in ("cancelled", "failed", "succeeded", "running", "queued")}
    sdk.delete(task_id=made["cancelled"])
    server.fail(made["failed"])
    server.succeed(made["succeeded"])
    server.run_task(made["running"])
    for status, task_id in [*made.items(), ("expired", expired)]:
        page = sdk.list(status=status)
        assert (ids(page), page.total) == ([task_id], 1), status


def test_a_listing_is_filtered_by_model_in_any_spelling(sdk):
    create(sdk)
    fast = create(sdk, model=FAST)
    assert ids(sdk.list(model=FAST)) == [fast]
    assert ids(sdk.list(model="doubao-seedance-2.0-fast")) == [fast]
    assert ids(sdk.list(model="no-such-model")) == []


def test_a_listing_is_filtered_by_several_ids_at_once(sdk):
    made = [create(sdk) for _ in range(4)]
    assert ids(sdk.list(task_ids=[made[0], made[2], "cgt-20200101000000-aaaaa"])) == [made[2], made[0]]
    assert ids(sdk.list(task_ids=made[1])) == [made[1]]


def test_a_listing_is_filtered_by_service_tier(sdk):
    made = create(sdk)
    assert ids(sdk.list(service_tier="default")) == [made]
    assert ids(sdk.list(service_tier="flex")) == []


def test_filters_add_up(sdk, server):
    first, second = create(sdk, model=FAST), create(sdk)
    server.fail(second)
    assert ids(sdk.list(status="failed", model=FAST)) == []
    assert ids(sdk.list(status="queued", model=FAST, task_ids=[first, second], page_num=1, page_size=500)) == [first]


def test_a_failed_item_carries_its_reason_under_both_names_that_clients_read(sdk, server):
    task_id = create(sdk)
    server.fail(task_id)
    item = sdk.list(status="failed").items[0]
    assert item.error.code == "InternalServiceError"
    assert item.failure_reason["code"] == "InternalServiceError"


# Delete, in every status


def test_deleting_a_queued_task_cancels_it(sdk):
    task_id = create(sdk)
    sdk.delete(task_id=task_id)
    assert sdk.get(task_id=task_id).status == "cancelled"


def test_deleting_a_running_task_is_refused_at_the_first_try(sdk, server):
    task_id = create(sdk)
    server.run_task(task_id)
    with pytest.raises(errors.ArkConflictError) as refused:
        sdk.delete(task_id=task_id)
    assert refused.value.code == "InvalidAction.RunningTaskDeletion"
    assert f"Cannot delete task `{task_id}` because it is currently running." in str(refused.value)
    assert [seen for seen in server.requests if seen[0] == "DELETE"] == [
        ("DELETE", f"/api/v3/contents/generations/tasks/{task_id}", 409)
    ]
    assert sdk.get(task_id=task_id).status == "running"


@pytest.mark.parametrize("end", ["succeed", "fail", "expire"])
def test_deleting_an_ended_task_removes_its_record(sdk, server, end):
    task_id = create(sdk)
    getattr(server, end)(task_id)
    sdk.delete(task_id=task_id)
    with pytest.raises(errors.ArkNotFoundError):
        sdk.get(task_id=task_id)
    assert sdk.list().total == 0


def test_deleting_a_cancelled_task_is_refused(sdk, server):
    task_id = create(sdk)
    sdk.delete(task_id=task_id)
    with pytest.raises(errors.ArkConflictError) as refused:
        sdk.delete(task_id=task_id)
    assert refused.value.code == "InvalidAction.CancelledTaskDeletion"
    assert len([seen for seen in server.requests if seen[0] == "DELETE"]) == 2


def test_deleting_an_unknown_task_is_not_found(sdk):
    with pytest.raises(errors.ArkNotFoundError) as missing:
        sdk.delete(task_id="cgt-20200101000000-aaaaa")
    assert missing.value.code == "NotFound.TaskId"


# Each error class


def test_a_wrong_value_is_a_bad_request_that_names_the_parameter(sdk):
    with pytest.raises(errors.ArkBadRequestError) as refused:
        create(sdk, model=FAST, resolution="1080p")
    error = refused.value
    assert (error.code, error.param, error.type) == ("InvalidParameter", "resolution", "BadRequest")
    assert "doubao-seedance-2-0-fast in t2v" in str(error)


def test_missing_content_is_told_in_arks_words(sdk):
    with pytest.raises(errors.ArkBadRequestError) as refused:
        sdk.create(model=MODEL, content=[])
    assert refused.value.code == "MissingParameter"
    assert "it is missing `content` parameter. Request id: 02" in refused.value.message


def test_a_wrong_key_is_an_authentication_error(server, kind):
    stranger = Sdk(kind, server.ark_url, "sk-nobody")
    with pytest.raises(errors.ArkAuthenticationError) as refused:
        create(stranger)
    stranger.shut()
    assert refused.value.code == "AuthenticationError"
    assert server.stored() == ()


def test_an_unknown_model_is_not_found(sdk):
    with pytest.raises(errors.ArkNotFoundError) as missing:
        create(sdk, model="doubao-seedance-9")
    assert missing.value.code == "InvalidEndpointOrModel.NotFound"
    assert "The model or endpoint doubao-seedance-9 does not exist or you do not have access to it." in str(
        missing.value
    )


def test_somebody_elses_task_does_not_exist(sdk, server, kind):
    task_id = create(sdk)
    other = Sdk(kind, server.ark_url, server.to_a_new_caller().api_key)
    for use in (lambda: other.get(task_id=task_id), lambda: other.delete(task_id=task_id)):
        with pytest.raises(errors.ArkNotFoundError):
            use()
    assert ids(other.list()) == []
    other.shut()
    assert sdk.get(task_id=task_id).status == "queued"


class Failing:
    """Stands where the submitter does and raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def submit(self, **_: Any) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "raised", "code"),
    [
        (
            RateLimited(Violation("QuotaExceeded", "", "Too many tasks wait.")),
            errors.ArkRateLimitError,
            "QuotaExceeded",
        ),
        (RuntimeError("a bug"), errors.ArkInternalServerError, "InternalServiceError"),
    ],
)
def test_what_may_pass_is_tried_again_and_then_raised(tmp_path, kind, error, raised, code):
    def broken(house: House) -> House:
        stub: Any = Failing(error)
        return replace(house, submitter=stub)

    with running_server(tmp_path, changes=broken) as server:
        client = Sdk(kind, server.ark_url, server.api_key, max_retries=1)
        with pytest.raises(raised) as met:
            create(client)
        client.shut()
        assert met.value.code == code
        assert "a bug" not in str(met.value)
        assert len(server.requests) == 2


def test_the_mount_of_its_own_answers_like_the_shared_path(server, kind):
    client = Sdk(kind, f"{server.url}/ark/api/v3", server.api_key)
    task_id = create(client)
    assert client.get(task_id=task_id).status == "queued"
    assert ids(client.list()) == [task_id]
    client.delete(task_id=task_id)
    client.shut()


def test_the_raw_response_of_a_create_carries_our_request_id(server):
    with vendor.Ark(base_url=server.ark_url, api_key=server.api_key) as client:
        raw = client.content_generation.tasks.with_raw_response.create(model=MODEL, content=TEXT)
    assert raw.headers["x-request-id"].startswith("02")
