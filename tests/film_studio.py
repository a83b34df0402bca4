"""Renders films for the tests through the engine itself, each different film once per test process."""

import hashlib
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality
from understudy.core.render import RenderJob, RenderResult
from understudy.core.request import GenerationRequest
from understudy.engines.previz.engine import PrevizEngine, film_format, open_film, plan_job
from understudy.media.encode import FilmEncoder

MODEL = "doubao-seedance-2.0"
SHORTEST_S = 4
SEED = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """One rendered film. size: what the catalogue says; progress: the calls the engine made."""

    result: RenderResult
    video: Path
    last_frame: Path | None
    size: tuple[int, int]
    progress: tuple[tuple[int, int], ...]


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    # Held by the cache, and removed when the test process ends.
    return tempfile.TemporaryDirectory(prefix="films-")


@cache
def _engine() -> PrevizEngine:
    engine = PrevizEngine()
    engine.warm()
    return engine


def _fields(wants: dict[str, object]) -> dict[str, object]:
    """The model's defaults, but 480p, 16:9 and the shortest film, unless wanted otherwise."""
    small = {"ratio": "16:9", "resolution": "480p", "duration_s": SHORTEST_S, "seed": SEED}
    return {**load_catalogue().models[MODEL].defaults, **small, **wants}


def job_of(prompt: str, folder: str, **wants: object) -> RenderJob:
    """The job for a request. wants: fields of the request."""
    model = load_catalogue().models[MODEL]
    text = ContentItem(modality=Modality.TEXT, value=prompt)
    request = GenerationRequest(model=model.id, content=(text,), **_fields(wants))
    return RenderJob(
        request=request,
        seed=request.seed,
        sizes=model.sizes[request.resolution],
        duration_range_s=(model.duration_s.least, model.duration_s.most),
        fps=model.fps,
        num_frames=request.frames,
        audio_channels=model.audio_channels,
        output_dir=folder,
    )


def take(prompt: str, *, shows_label: bool = False, **wants: object) -> Take:
    """Render the prompt in this process, once however often it is asked for. wants: fields of the request."""
    return _take(prompt, shows_label, tuple(sorted(_fields(wants).items())))


@cache
def _take(prompt: str, shows_label: bool, fields: tuple[tuple[str, object], ...]) -> Take:
    folder = Path(tempfile.mkdtemp(dir=_folder().name))
    job = job_of(prompt, str(folder), **dict(fields))
    calls: list[tuple[int, int]] = []
    result = _engine().render(replace(job, shows_label=shows_label), lambda done, total: calls.append((done, total)))
    return Take(
        result=result,
        video=folder / result.video,
        last_frame=folder / result.last_frame if result.last_frame else None,
        size=job.sizes[result.ratio],
        progress=tuple(calls),
    )


def take_elsewhere(prompt: str, folder: Path, **wants: object) -> Path:
    """Render the prompt in a process of its own; the film's path."""
    words = json.dumps({"prompt": prompt, "folder": str(folder), **wants})
    subprocess.run([sys.executable, __file__, words], check=True, cwd=Path(__file__).parent)
    return folder / "film.mp4"


def digests_of_repeats(prompt: str, folder: Path, times: int) -> list[str]:
    """Paint the prompt's film once and encode it several times; the SHA-256 of each file."""
    job = job_of(prompt, str(folder))
    film = open_film(plan_job(job), job, None)
    painter, canvas = film.painter, film.canvas
    pictures = [painter.paint(index).copy() for index in range(canvas.num_frames)]
    digests = []
    for _ in range(times):
        with FilmEncoder(folder / "film.mp4", film_format(canvas)) as encoder:
            for picture in pictures:
                encoder.add_frame(picture)
        digests.append(hashlib.sha256((folder / "film.mp4").read_bytes()).hexdigest())
    return digests


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    PrevizEngine().render(job_of(asked.pop("prompt"), asked.pop("folder"), **asked), lambda done, total: None)
