"""Renders films for the tests through the engine itself, each different film once per test process."""

import hashlib
import json
import subprocess
import sys
import tempfile
import wave
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.media import MediaFacts, Medium, Origin
from understudy.core.render import RenderJob, RenderResult
from understudy.core.request import GenerationRequest
from understudy.engines.previz.engine import TAGS, PrevizEngine, open_film, plan_job
from understudy.media.encode import FilmEncoder, FilmFormat, Sound
from understudy.media.film_files import format_of

MODEL = "doubao-seedance-2.0"
SHORTEST_S = 4
SEED = 11
FPS = 24
SIZE = (864, 496)
"""Of a usual film here: 480p, 16:9."""

PHOTOGRAPHS = Path(__file__).parent / "assets" / "pictures"
MODALITIES = {
    Role.FIRST_FRAME: Modality.IMAGE,
    Role.LAST_FRAME: Modality.IMAGE,
    Role.REFERENCE_IMAGE: Modality.IMAGE,
    Role.REFERENCE_VIDEO: Modality.VIDEO,
    Role.REFERENCE_AUDIO: Modality.AUDIO,
}

Picture = NDArray[np.uint8]
Given = tuple[Role, Path]
"""A medium of a request."""


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
    small = {"model": MODEL, "ratio": "16:9", "resolution": "480p", "duration_s": SHORTEST_S, "seed": SEED}
    return {**load_catalogue().models[str(wants.get("model", MODEL))].defaults, **small, **wants}


def job_of(prompt: str, folder: str, *, media: Sequence[Given] = (), **wants: object) -> RenderJob:
    """The job for a request. wants: fields of the request, and the model's name."""
    fields = _fields(wants)
    model = load_catalogue().models[str(fields.pop("model"))]
    content = (ContentItem(modality=Modality.TEXT, value=prompt), *(_item(role, path) for role, path in media))
    request = GenerationRequest(model=model.id, content=content, **fields)
    return RenderJob(
        request=request,
        seed=request.seed,
        sizes=model.sizes[request.resolution],
        duration_range_s=(model.duration_s.least, model.duration_s.most),
        fps=model.fps,
        num_frames=request.frames,
        audio_channels=model.audio_channels,
        output_dir=folder,
        media={number: str(path) for number, (_, path) in enumerate(media, start=1)},
    )


@cache
def _item(role: Role, path: Path) -> ContentItem:
    """A medium as an engine is given it, with what it asks of the file."""
    facts = MediaFacts(modality=MODALITIES[role], container="", media_type="", size_bytes=path.stat().st_size)
    if facts.modality is not Modality.IMAGE:
        with av.open(str(path)) as container:
            facts = replace(facts, duration_s=float(container.duration or 0) / av.time_base)
    medium = Medium(key=f"media/{path.name}", sha256="0", origin=Origin.WEB, facts=facts)
    return ContentItem(modality=facts.modality, value="", role=role, medium=medium)


def take(prompt: str, *media: Given, shows_label: bool = False, **wants: object) -> Take:
    """Render the prompt in this process, once however often it is asked for. wants: as of `job_of`."""
    return _take(prompt, media, shows_label, tuple(sorted(_fields(wants).items())))


@cache
def _take(prompt: str, media: tuple[Given, ...], shows_label: bool, fields: tuple[tuple[str, object], ...]) -> Take:
    folder = Path(tempfile.mkdtemp(dir=_folder().name))
    job = job_of(prompt, str(folder), media=media, **dict(fields))
    calls: list[tuple[int, int]] = []
    result = _engine().render(replace(job, shows_label=shows_label), lambda done, total: calls.append((done, total)))
    return Take(
        result=result,
        video=folder / result.video,
        last_frame=folder / result.last_frame if result.last_frame else None,
        size=job.sizes[result.ratio],
        progress=tuple(calls),
    )


# What requests bring, and films of other makes for judges to refuse.


@cache
def photograph(name: str, size_px: tuple[int, int] = SIZE) -> Picture:
    """A photograph of the tests, cut and enlarged to a size; (height_px, width_px, 3) RGB."""
    picture = cv2.cvtColor(cv2.imread(str(PHOTOGRAPHS / f"{name}.jpg")), cv2.COLOR_BGR2RGB)
    scale = max(size_px[0] / picture.shape[1], size_px[1] / picture.shape[0])
    large = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    top, left = (large.shape[0] - size_px[1]) // 2, (large.shape[1] - size_px[0]) // 2
    return np.ascontiguousarray(large[top : top + size_px[1], left : left + size_px[0]])


def image_file(picture: Picture) -> Path:
    """The picture as a file, the same one for equal pictures."""
    path = Path(_folder().name) / f"{hashlib.sha256(picture.tobytes()).hexdigest()[:16]}.png"
    if not path.exists():
        cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return path


def video_file(
    pictures: Iterable[Picture], samples: NDArray[np.float32] | None = None, *, rate_hz: int = 48_000
) -> Path:
    """Pictures, RGB and of one size, as a video. samples: ``(num_samples, channels)``."""
    path = Path(tempfile.mkdtemp(dir=_folder().name)) / "video.mp4"
    pictures = list(pictures)
    height_px, width_px = pictures[0].shape[:2]
    wanted = FilmFormat(width_px=width_px, height_px=height_px, fps=FPS)
    sound = None if samples is None else Sound(samples=samples, sample_rate_hz=rate_hz)
    with FilmEncoder(path, wanted, sound=sound) as encoder:
        for picture in pictures:
            encoder.add_frame(cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA))
    return path


def sound_file(samples: NDArray[np.float32], *, rate_hz: int = 48_000) -> Path:
    """Mono samples as a WAV file."""
    path = Path(tempfile.mkdtemp(dir=_folder().name)) / "sound.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def order_of(prompt: str, folder: Path, *media: Given, **wants: object) -> dict[str, object]:
    """A film to be rendered elsewhere, into a folder that is there and empty."""
    return {"prompt": prompt, "folder": str(folder), "media": [(role, str(path)) for role, path in media], **wants}


def take_elsewhere(*orders: dict[str, object]) -> list[Path]:
    """Render one film after the other in a process of its own; their paths."""
    subprocess.run([sys.executable, __file__, json.dumps(orders)], check=True, cwd=Path(__file__).parent)
    return [Path(str(order["folder"])) / "film.mp4" for order in orders]


def digests_of_repeats(prompt: str, folder: Path, times: int) -> list[str]:
    """Paint the prompt's film once and encode it several times; the SHA-256 of each file."""
    job = job_of(prompt, str(folder))
    film = open_film(plan_job(job), job, None)
    painter, canvas = film.painter, film.canvas
    pictures = [painter.paint(index).copy() for index in range(canvas.num_frames)]
    digests = []
    for _ in range(times):
        with FilmEncoder(folder / "film.mp4", format_of(job, (canvas.width_px, canvas.height_px), TAGS)) as encoder:
            for picture in pictures:
                encoder.add_frame(picture)
        digests.append(hashlib.sha256((folder / "film.mp4").read_bytes()).hexdigest())
    return digests


if __name__ == "__main__":
    for asked in json.loads(sys.argv[1]):
        asked["media"] = [(Role(role), Path(path)) for role, path in asked["media"]]
        PrevizEngine().render(job_of(asked.pop("prompt"), asked.pop("folder"), **asked), lambda done, total: None)
