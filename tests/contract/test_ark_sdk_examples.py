"""The SDK examples of seed 001, call for call; only the base URL and the key are the test's.

The examples with media run for real in `tests/e2e/test_seed_programs.py`.
"""

from collections.abc import Iterator

import pytest
from volcenginesdkarkruntime import Ark

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
