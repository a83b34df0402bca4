"""How long previz takes, beside what encoding the very same pictures takes alone.

Per resolution, in one process: a first clip (cold), then a second one whole (warm, `PrevizEngine.render`), then the
same clip once more in its parts, then the same pictures, kept in memory as RGBA, through the same `FilmEncoder` with
the same settings (x264 veryfast, CRF 20; colour conversion, sound and muxing included). Warm figures are the best of
``--runs``: on a machine that does other work too, the smallest time is the one least disturbed. The ratio is given in
processor seconds too, which other work hardly changes.

    python benchmarks/render.py [--resolutions 480p 720p] [--ratio 16:9] [--prompt ...] [--duration-s 5] [--json]
"""

import argparse
import itertools
import json
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality
from understudy.core.render import RenderJob
from understudy.core.request import GenerationRequest
from understudy.engines.previz import engine as previz
from understudy.media.encode import FilmEncoder

MODEL = "doubao-seedance-2.0"
PROMPT = (
    "A cute baby sea otter wearing a beret stands in a spring courtyard among falling cherry blossoms, slow push in. "
    'The otter says: "Hello! Welcome to my little garden."'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Seconds, except where the name says otherwise; every figure but ``cold_s`` is of a warm process.

    drawing_and_encoding_s: painting and encoding overlapped, as the engine does. drawing_s: painting alone.
    ``_cpu_s``: processor seconds of all threads.
    """

    resolution: str
    width_px: int
    height_px: int
    num_frames: int
    cold_s: float
    whole_s: float
    planning_s: float
    sound_s: float
    setup_s: float
    drawing_and_encoding_s: float
    drawing_and_encoding_cpu_s: float
    drawing_s: float
    encoding_only_s: float
    encoding_only_cpu_s: float
    film_size_bytes: int

    @property
    def drawing_and_encoding_ratio(self) -> float:
        """Drawing + encoding over encode-only; aim: at most 2."""
        return self.drawing_and_encoding_s / self.encoding_only_s

    @property
    def drawing_and_encoding_cpu_ratio(self) -> float:
        """The same in processor seconds."""
        return self.drawing_and_encoding_cpu_s / self.encoding_only_cpu_s

    @property
    def whole_ratio(self) -> float:
        """The whole warm clip over encode-only; aim at 720p, 5 s: at most 3.5."""
        return self.whole_s / self.encoding_only_s


def open_job(wanted: argparse.Namespace, resolution: str, folder: Path) -> RenderJob:
    """Make the job that a request for this resolution leads to."""
    model = load_catalogue().models[MODEL]
    request = GenerationRequest(
        model=model.id,
        content=(ContentItem(modality=Modality.TEXT, value=wanted.prompt),),
        ratio=wanted.ratio,
        resolution=resolution,
        duration_s=wanted.duration_s,
        generate_audio=True,
        watermark=False,
        return_last_frame=False,
    )
    return RenderJob(
        request=request,
        seed=wanted.seed,
        sizes=model.sizes[resolution],
        duration_range_s=(model.duration_s.least, model.duration_s.most),
        fps=model.fps,
        audio_channels=model.audio_channels,
        output_dir=str(folder),
    )


def whole_s(engine: previz.PrevizEngine, job: RenderJob) -> float:
    """Time one whole clip."""
    started = time.perf_counter()
    engine.render(job, lambda done, total: None)
    return time.perf_counter() - started


def parts_s(engine: previz.PrevizEngine, job: RenderJob) -> dict[str, float]:
    """Time one clip in its parts, in the engine's order, then drawing alone, then encoding alone."""
    marks = [time.perf_counter()]
    plan = previz.plan_job(job)
    marks.append(time.perf_counter())
    soundtrack = previz.compose(plan, job)
    marks.append(time.perf_counter())
    painter, canvas = previz.open_painter(plan, job, soundtrack)
    marks.append(time.perf_counter())
    cpu_started = time.process_time()
    engine.draw(painter, canvas, job, soundtrack=soundtrack, progress=lambda done, total: None)
    marks.append(time.perf_counter())
    overlapped_cpu_s = time.process_time() - cpu_started
    spans = [later - sooner for sooner, later in itertools.pairwise(marks)]

    frames = np.empty((canvas.num_frames, canvas.height_px, canvas.width_px, 4), dtype=np.uint8)
    frames[...] = 0  # touches the pages, so that the next loop does not pay for them
    drawing_s = 0.0
    for index in range(canvas.num_frames):
        started = time.perf_counter()
        rgba = painter.paint(index)
        drawing_s += time.perf_counter() - started
        frames[index] = rgba
    started, cpu_started = time.perf_counter(), time.process_time()
    target = Path(job.output_dir) / "encoded.mp4"
    with FilmEncoder(target, previz.film_format(canvas), sound=previz.encoder_sound(soundtrack)) as encoder:
        for rgba in frames:
            encoder.add_frame(rgba)
    encoding_s, encoding_cpu_s = time.perf_counter() - started, time.process_time() - cpu_started
    names = ("planning_s", "sound_s", "setup_s", "drawing_and_encoding_s")
    return {
        **dict(zip(names, spans, strict=True)),
        "drawing_and_encoding_cpu_s": overlapped_cpu_s,
        "drawing_s": drawing_s,
        "encoding_only_s": encoding_s,
        "encoding_only_cpu_s": encoding_cpu_s,
    }


def measure(wanted: argparse.Namespace, resolution: str) -> Measured:
    """Measure one resolution."""
    engine = previz.PrevizEngine()
    engine.warm()
    with tempfile.TemporaryDirectory() as folder:
        job = open_job(wanted, resolution, Path(folder))
        cold = whole_s(engine, job)
        wholes = [whole_s(engine, job) for _ in range(wanted.runs)]
        parts = [parts_s(engine, job) for _ in range(wanted.runs)]
        film = Path(folder) / previz.FILM_NAME
        if film.read_bytes() != (Path(folder) / "encoded.mp4").read_bytes():
            raise SystemExit("the pictures encoded alone gave another film: the comparison would not be fair")
        size_bytes = film.stat().st_size
        width_px, height_px = job.sizes[wanted.ratio]
    best = {name: min(part[name] for part in parts) for name in parts[0]}
    return Measured(
        resolution=resolution,
        width_px=width_px,
        height_px=height_px,
        num_frames=wanted.duration_s * job.fps,
        cold_s=cold,
        whole_s=min(wholes),
        film_size_bytes=size_bytes,
        **best,
    )


def print_table(rows: Sequence[Measured]) -> None:
    """Print one line per resolution."""
    print(
        "resolution  size        first  whole   plan  sound  setup  draw+enc  enc only |",
        "draw+enc/enc  (cpu)  whole/enc |",
        "paint ms/frame  enc ms/frame   film kB",
    )
    for row in rows:
        seconds = (
            f"{row.resolution:10}  {row.width_px}x{row.height_px:<5}  {row.cold_s:6.2f} {row.whole_s:6.2f}"
            f" {row.planning_s:6.3f} {row.sound_s:6.2f} {row.setup_s:6.2f} {row.drawing_and_encoding_s:9.2f}"
            f" {row.encoding_only_s:9.2f}"
        )
        ratios = (
            f"{row.drawing_and_encoding_ratio:12.2f} {row.drawing_and_encoding_cpu_ratio:6.2f} {row.whole_ratio:10.2f}"
        )
        per_frame = f"{row.drawing_s / row.num_frames * 1e3:14.2f} {row.encoding_only_s / row.num_frames * 1e3:13.2f}"
        print(f"{seconds} | {ratios} | {per_frame} {row.film_size_bytes / 1e3:9.0f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolutions", nargs="+", default=["480p", "720p", "1080p"])
    parser.add_argument("--ratio", default="16:9")
    parser.add_argument("--prompt", default=PROMPT)
    parser.add_argument("--duration-s", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    rows = [measure(wanted, resolution) for resolution in wanted.resolutions]
    if wanted.json:
        ratios = ("drawing_and_encoding_ratio", "drawing_and_encoding_cpu_ratio", "whole_ratio")
        print(
            json.dumps(
                {
                    "machine": f"{platform.machine()}, {os.cpu_count()} cores",
                    "prompt": wanted.prompt,
                    "rows": [{**asdict(row), **{name: getattr(row, name) for name in ratios}} for row in rows],
                }
            )
        )
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores; {wanted.duration_s} s with sound, {wanted.ratio}; seconds")
    print_table(rows)


if __name__ == "__main__":
    main()
