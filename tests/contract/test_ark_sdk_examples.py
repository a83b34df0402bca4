"""The SDK examples of seed 001, call for call; only the base URL and the key are the test's.

The examples with media are refused, in words that say so, until the server fetches media.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from volcenginesdkarkruntime import Ark
from volcenginesdkarkruntime._exceptions import ArkBadRequestError

from running_server import RunningServer


@pytest.fixture
def client(server: RunningServer) -> Iterator[Ark]:
    with Ark(base_url=server.ark_url, api_key=server.api_key) as client:
        yield client


def test_the_chaining_example_gets_its_last_frame(client: Ark, server: RunningServer):
    """Seed 001, lines 256-265."""
    result1 = client.content_generation.tasks.create(
        model="doubao-seedance-2-0-260128",
        content=[{"type": "text", "text": "Scene 1 description..."}],
        return_last_frame=True,
        duration=5,
    )
    server.succeed(result1.id)
    task1 = client.content_generation.tasks.get(task_id=result1.id)
    last_frame_url = task1.content.last_frame_url
    assert last_frame_url.startswith(f"{server.url}/files/")


def test_the_polling_loop_example_ends_with_a_video_url(client: Ark, server: RunningServer):
    """Seed 001, lines 186-199, on a text task; instead of waiting, the test moves the task on; `say` is print."""
    result = client.content_generation.tasks.create(
        model="doubao-seedance-2-0-260128",
        content=[{"type": "text", "text": "A cat yawning at the camera"}],
        generate_audio=True,
        ratio="adaptive",
        duration=5,
        watermark=False,
    )
    task_id = result.id
    moves = iter([lambda: server.run_task(task_id), lambda: server.do(hand_back()), lambda: server.succeed(task_id)])

    async def hand_back() -> None:
        await server.store.hand_back_all(server.clock.now())

    said: list[str] = []
    say = said.append
    say(f"Task created: {task_id}")
    while True:
        task = client.content_generation.tasks.get(task_id=task_id)
        if task.status == "succeeded":
            say(f"Video URL: {task.content.video_url}")
            break
        if task.status == "failed":
            say(f"Failed: {task.error}")
            break
        say(f"Status: {task.status}, waiting...")
        next(moves)()
    assert len(said) == 5
    assert said[:4] == [
        f"Task created: {task_id}",
        "Status: queued, waiting...",
        "Status: running, waiting...",
        "Status: queued, waiting...",
    ]
    assert said[4].startswith(f"Video URL: {server.url}/files/")


def first_frame(client: Ark) -> Any:
    """Seed 001, lines 172-185."""
    return client.content_generation.tasks.create(
        model="doubao-seedance-2-0-260128",
        content=[
            {"type": "text", "text": "A cat yawning at the camera"},
            {
                "type": "image_url",
                "image_url": {"url": "https://example.com/cat.png"},
            },
        ],
        generate_audio=True,
        ratio="adaptive",
        duration=5,
        watermark=False,
    )


def multimodal_reference(client: Ark) -> Any:
    """Seed 001, lines 202-234."""
    return client.content_generation.tasks.create(
        model="doubao-seedance-2-0-260128",
        content=[
            {
                "type": "text",
                "text": "Use video 1's first-person perspective, use audio 1 as background music. "
                "A fruit tea commercial...",
            },
            {
                "type": "image_url",
                "image_url": {"url": "https://example.com/tea1.jpg"},
                "role": "reference_image",
            },
            {
                "type": "image_url",
                "image_url": {"url": "https://example.com/tea2.jpg"},
                "role": "reference_image",
            },
            {
                "type": "video_url",
                "video_url": {"url": "https://example.com/reference.mp4"},
                "role": "reference_video",
            },
            {
                "type": "audio_url",
                "audio_url": {"url": "https://example.com/bgm.mp3"},
                "role": "reference_audio",
            },
        ],
        generate_audio=True,
        ratio="16:9",
        duration=11,
        watermark=False,
    )


def video_extension(client: Ark) -> Any:
    """Seed 001, lines 237-251."""
    return client.content_generation.tasks.create(
        model="doubao-seedance-2-0-260128",
        content=[
            {"type": "text", "text": "Extend video 1 forward, the car drives into a desert oasis"},
            {
                "type": "video_url",
                "video_url": {"url": "https://example.com/clip.mp4"},
                "role": "reference_video",
            },
        ],
        generate_audio=True,
        ratio="16:9",
        duration=8,
        watermark=False,
    )


def chained_first_frame(client: Ark) -> Any:
    """Seed 001, lines 267-279."""
    return client.content_generation.tasks.create(
        model="doubao-seedance-2-0-260128",
        content=[
            {"type": "text", "text": "Scene 2 continues from where scene 1 left off..."},
            {
                "type": "image_url",
                "image_url": {"url": "https://example.com/last.png"},
                "role": "first_frame",
            },
        ],
        return_last_frame=True,
        duration=5,
    )


@pytest.mark.parametrize("example", [first_frame, multimodal_reference, video_extension, chained_first_frame])
def test_an_example_with_media_is_refused_in_plain_words(
    client: Ark, server: RunningServer, example: Callable[[Ark], Any]
):
    with pytest.raises(ArkBadRequestError) as refused:
        example(client)
    assert refused.value.param.startswith("content")
    assert "not" in refused.value.message
    assert server.stored() == ()
