"""The campaign's engine: a tiny film after some fractions of a second, and a line in the history for each render.

Named to a server as ``chaos.engine:OFFER``. The words of a prompt, separated by blanks, are all optional:

    take:N     milliseconds that the film takes         fail     fail for good
    fail_once  fail once, so that it is tried again     expire   the task's time is over when it is created
    act:N      the request's number, for the history

Each film is a true MP4 that differs from any other: its task, attempt and process stand in a box of their own, which
players skip. What it writes to the history is in one piece and by the machine's monotonic clock, so that neither other
processes nor a clock that jumps can spoil it.
"""

import hashlib
import io
import json
import os
import struct
import time
from pathlib import Path

import av
import numpy as np

from understudy.core.errors import TaskFailed, Violation
from understudy.core.ports import EngineOffer, OnProgress
from understudy.core.rehearsal import Rehearsal
from understudy.core.render import RenderJob, RenderResult
from understudy.core.request import DURATION_CHOSEN_BY_ENGINE, RATIO_CHOSEN_BY_ENGINE, GenerationRequest
from understudy.core.scenario import Scenario

RENDERS_FILE = "CHAOS_RENDERS"
"""The environment variable that names the file of the history of renders."""
STEP_S = 0.02
FILM_PX = 64
FRAMES = 4


def words_of(prompt: str) -> dict[str, str]:
    """Return word -> what follows its colon, empty without one."""
    return {word.partition(":")[0]: word.partition(":")[2] for word in prompt.split()}


def rehearsed(request: GenerationRequest) -> Rehearsal | None:
    return Rehearsal(expires_at_once=True) if "expire" in words_of(request.prompt) else None


def note(edge: str, attempt_name: str, **more: object) -> None:
    """Append a line to the history of renders."""
    task, _, attempt = attempt_name.rpartition("-")
    event = {
        "kind": "render",
        "edge": edge,
        "at": time.clock_gettime(time.CLOCK_MONOTONIC),
        "task": task,
        "attempt": int(attempt),
        "pid": os.getpid(),
        "parent": os.getppid(),
        **more,
    }
    descriptor = os.open(os.environ[RENDERS_FILE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, json.dumps(event).encode() + b"\n")
    finally:
        os.close(descriptor)


def film() -> bytes:
    """Return a film of a few frames."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=24)
        stream.width = stream.height = FILM_PX
        stream.pix_fmt = "yuv420p"
        for shade in range(FRAMES):
            picture = np.full((FILM_PX, FILM_PX, 3), shade * 60, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    return file.getvalue()


def marked(content: bytes, mark: str) -> bytes:
    """Return the film with a box behind it that players skip. Source: ISO 14496-12, "Free Space Box"."""
    text = mark.encode()
    return content + struct.pack(">I4s", 8 + len(text), b"free") + text


class ChaosEngine:
    """Implements `core.ports.Engine`."""

    def warm(self) -> None:
        """Encode the film that all others are made from."""
        self._film = film()

    def render(self, job: RenderJob, progress: OnProgress) -> RenderResult:
        """Wait as long as the prompt says, and deliver.

        Raises: TaskFailed; RenderStopped.
        """
        words = words_of(job.request.prompt)
        directory = Path(job.output_dir)
        attempt_name = directory.parent.name
        note("start", attempt_name)
        steps = max(1, round(int(words.get("take", "50")) / 1000 / STEP_S))
        for done in range(1, steps + 1):
            time.sleep(STEP_S)
            progress(done, steps)
        if "fail" in words or ("fail_once" in words and attempt_name.endswith("-1")):
            raise TaskFailed(
                Violation("ServiceUnavailable", "", "it was asked to fail"), is_retryable="fail" not in words
            )
        content = marked(self._film, f"{attempt_name} {os.getpid()}")
        (directory / "film.mp4").write_bytes(content)
        note("end", attempt_name, sha256=hashlib.sha256(content).hexdigest())
        return described(job)


def described(job: RenderJob) -> RenderResult:
    """Say what was ordered: nobody looks at these films."""
    request = job.request
    ratio = request.ratio if request.ratio not in (None, RATIO_CHOSEN_BY_ENGINE) else next(iter(job.sizes))
    duration_s = request.duration_s if request.duration_s not in (None, DURATION_CHOSEN_BY_ENGINE) else None
    duration_s = duration_s or job.duration_range_s[0]
    width_px, height_px = job.sizes[ratio or ""]
    return RenderResult(
        video="film.mp4",
        last_frame=None,
        ratio=ratio or "",
        width_px=width_px,
        height_px=height_px,
        duration_s=duration_s,
        num_frames=job.num_frames or duration_s * job.fps,
        has_sound=bool(request.generate_audio),
    )


OFFER = EngineOffer(
    name="chaos",
    reference="chaos.engine:ChaosEngine",
    scenarios=frozenset(Scenario),
    ignored={},
    rehearse=rehearsed,
    stops_within_s=2.0,
)
