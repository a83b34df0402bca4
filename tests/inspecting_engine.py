"""An engine that writes down what it was given, opens every file of it, and makes a film; for tests of a whole server.

    UNDERSTUDY_ENGINE=inspecting_engine:OFFER PYTHONPATH=tests INSPECTED_DIR=... understudy serve

Each job leaves one JSON file in INSPECTED_DIR: what was asked for, and of each content item in its order what was said
of it and what is really in the file that the job names for it.
"""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import odd_media
from understudy.core.content import ContentItem, Modality
from understudy.core.ports import EngineOffer
from understudy.core.ratios import concrete_ratio
from understudy.core.render import RenderJob, RenderResult
from understudy.core.scenario import Scenario
from understudy.media.decode import read_image
from understudy.media.decode_sound import read_sound
from understudy.media.decode_video import VideoReader

INSPECTED_DIR = "INSPECTED_DIR"
NUM_FRAMES = 24
SAMPLE_RATE_HZ = 48_000

OFFER = EngineOffer(
    name="inspecting", reference="inspecting_engine:InspectingEngine", scenarios=frozenset(Scenario), ignored={}
)


class InspectingEngine:
    """Implements `core.ports.Engine`."""

    def warm(self) -> None:
        self._film()

    def render(self, job: RenderJob, progress: Callable[[int, int], None]) -> RenderResult:
        request, folder = job.request, Path(job.output_dir)
        ratio = concrete_ratio(request, job.sizes) or next(iter(job.sizes))
        told = {
            "ratio": request.ratio,
            "files_of": sorted(job.media),
            "items": [inspected(item, job.media.get(index)) for index, item in enumerate(request.content)],
        }
        report = Path(os.environ[INSPECTED_DIR]) / f"{folder.name}.json"
        report.write_text(json.dumps(told), "utf-8")
        (folder / "film.mp4").write_bytes(self._film())
        if request.return_last_frame:
            (folder / "last.png").write_bytes(odd_media.picture("png"))
        progress(NUM_FRAMES, NUM_FRAMES)
        width_px, height_px = job.sizes[ratio]
        return RenderResult(
            video="film.mp4",
            last_frame="last.png" if request.return_last_frame else None,
            ratio=ratio,
            width_px=width_px,
            height_px=height_px,
            duration_s=request.duration_s if request.duration_s in range(1, 61) else job.duration_range_s[0],
            num_frames=job.num_frames or NUM_FRAMES,
            has_sound=bool(request.generate_audio),
        )

    def _film(self) -> bytes:
        return odd_media.film(width_px=64, height_px=64, num_frames=NUM_FRAMES, sounds=0)


def inspected(item: ContentItem, path: str | None) -> dict[str, Any]:
    """What was said of one item, and what is in its file."""
    said = {"modality": item.modality, "value": item.value, "role": item.role}
    if path is None:
        return said
    assert item.medium is not None
    file = Path(path)
    assert file.is_absolute()
    content = file.read_bytes()
    return said | {
        "sha256": hashlib.sha256(content).hexdigest(),
        "said_sha256": item.medium.sha256,
        "origin": item.medium.origin,
        "facts": asdict(item.medium.facts),
        "size_bytes": len(content),
        "decoded": decoded(item.modality, file),
    }


def decoded(modality: Modality, file: Path) -> list[float]:
    """Open the file as engines do: width and height in pixels of a picture, or the seconds of a sound."""
    if modality is Modality.IMAGE:
        return [*reversed(read_image(file).shape[:2])]
    if modality is Modality.VIDEO:
        with VideoReader(file, 24) as reader:
            return [*reversed(next(iter(reader)).shape[:2])]
    samples = read_sound(file, SAMPLE_RATE_HZ, 1)
    assert samples is not None
    return [max(samples.shape) / SAMPLE_RATE_HZ]
