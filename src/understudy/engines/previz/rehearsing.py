"""previz as the render process makes it: the engine, and around it what the rehearsal words do to a render."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from understudy.core.errors import TaskFailed, Violation
from understudy.core.ports import OnProgress
from understudy.core.render import RenderJob, RenderResult
from understudy.engines.previz.engine import PrevizEngine
from understudy.engines.previz.rehearsal import Reading, read_words

HEAD_BYTES = 32
"""So much of a film is left when the rest is made garbage: it still begins as a film does."""


class RehearsingEngine(PrevizEngine):
    """Renders as previz does, unless the prompt has rehearsal words and the job heeds them."""

    def render(self, job: RenderJob, progress: OnProgress) -> RenderResult:
        """Render the film without the words, and do what they say.

        Raises: TaskFailed.
        """
        reading = read_words(job.request.content) if job.rehearses else None
        if reading is None:
            return super().render(job, progress)
        has_sound = job.request.generate_audio and not reading.says("silent")
        plain = replace(job, request=replace(job.request, content=reading.content, generate_audio=has_sound))
        result = super().render(plain, Hindered(reading, progress))
        if reading.says("refuse-output"):
            kind = str(reading.argument("refuse-output"))
            message = f"The request failed because the output {kind} may contain sensitive information."
            code = f"Output{kind.title()}SensitiveContentDetected"
            raise TaskFailed(Violation(code, "", message), is_retryable=False)
        if reading.says("corrupt"):
            corrupt(Path(job.output_dir) / result.video, str(reading.argument("corrupt")), seed=job.seed)
        return result


class Hindered:
    """Progress that the words hold up: it is told as it is, but later, or not to its end.

    stay: never returns, in a render.
    """

    def __init__(self, reading: Reading, progress: OnProgress, *, stay: Callable[[], object] | None = None) -> None:
        self._progress = progress
        self._stay = stay or threading.Event().wait
        self._slow_s = reading.seconds_or_percent("slow") or 0
        self._stuck_percent = reading.seconds_or_percent("stuck")
        self._fail_percent = reading.seconds_or_percent("fail")
        self._began_s = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Tell that ``done`` frames of ``total`` are finished, when it is time.

        Raises: TaskFailed.
        """
        due_s = self._began_s + self._slow_s * done / total
        time.sleep(max(0.0, due_s - time.monotonic()))
        self._progress(done, total)
        percent = 100 * done / total
        if self._fail_percent is not None and percent >= self._fail_percent:
            message = f"A rehearsal: the render failed at {self._fail_percent} %."
            raise TaskFailed(Violation("InternalServiceError", "", message), is_retryable=False)
        if self._stuck_percent is not None and percent >= self._stuck_percent:
            # Without an end here: what ends it, the task's expiry or render_timeout_s, is what is rehearsed.
            self._stay()


def corrupt(film: Path, how: str, *, seed: int) -> None:
    """Break a finished film. how: "truncated" = its second half is missing; "garbage" = only its head is left."""
    content = film.read_bytes()
    if how == "truncated":
        film.write_bytes(content[: len(content) // 2])
        return
    noise = random.Random(seed).randbytes(max(0, len(content) - HEAD_BYTES))  # noqa: S311
    film.write_bytes(content[:HEAD_BYTES] + noise)
