"""How long previz takes for each scenario, beside what encoding the very same pictures takes alone.

Each scenario and resolution has a process of its own: a first clip (cold), then a second one whole (warm,
`PrevizEngine.render`), the process's peak memory until then, then the same clip once more in its parts, then the same
pictures, kept in memory as RGBA, through the same `FilmEncoder` with the same settings (colour conversion, sound and
muxing included). A warm clip finds what the networks said of the same picture. Warm figures are the best of ``--runs``:
on a machine that does other work too, the smallest time is the one least disturbed. The ratio is given in processor
seconds too, which other work hardly changes.

    python benchmarks/render.py [--scenarios text landscape ...] [--resolutions 480p 720p 1080p 4k] [--runs 2] [--json]
"""

import argparse
import itertools
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from render_media import item, photo, video
from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.render import RenderJob
from understudy.core.request import GenerationRequest
from understudy.engines.previz import engine as previz
from understudy.media.encode import FilmEncoder
from understudy.media.film_files import film_name, format_of

MODEL = "doubao-seedance-2.0"
RSS_UNIT_BYTES = 1024 if sys.platform == "linux" else 1
SPOKEN = 'A voice says: "Hello! Welcome to my little garden."'


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A request. media: (role, maker of the file, photograph)."""

    prompt: str
    media: tuple[tuple[Role, Callable[[Path, str], Path], str], ...] = ()


IMAGES = tuple((Role.REFERENCE_IMAGE, photo, name) for name in ("astronaut", "chelsea"))
SCENARIOS = {
    "text": Scenario(
        prompt="A cute baby sea otter wearing a beret stands in a spring courtyard among falling cherry blossoms, slow "
        'push in. The otter says: "Hello! Welcome to my little garden."'
    ),
    "landscape": Scenario(prompt=f"Aerial shot flying over snowy mountains at dawn. {SPOKEN}"),
    "shots": Scenario(
        prompt="0-2s: a woman in a red coat walks through a rainy street at night. 2-5s: cut to a knight who rides a "
        f"horse across a desert. {SPOKEN}"
    ),
    "first": Scenario(
        prompt=f"Slow push in. {SPOKEN}",
        media=((Role.FIRST_FRAME, photo, "astronaut"),),
    ),
    "first+last": Scenario(
        prompt=f"The picture changes. {SPOKEN}",
        media=((Role.FIRST_FRAME, photo, "coffee"), (Role.LAST_FRAME, photo, "chelsea")),
    ),
    "images": Scenario(
        prompt=f"The woman from image 1 stands on a beach, the cat from image 2 sits on the right. {SPOKEN}",
        media=IMAGES,
    ),
    "edit": Scenario(
        prompt=f"Put a red balloon on the left of video 1. {SPOKEN}", media=((Role.REFERENCE_VIDEO, video, "chelsea"),)
    ),
    "night": Scenario(
        prompt=f"Make video 1 a snowy night. {SPOKEN}", media=((Role.REFERENCE_VIDEO, video, "chelsea"),)
    ),
    "extend": Scenario(prompt=f"Extend video 1. {SPOKEN}", media=((Role.REFERENCE_VIDEO, video, "coffee"),)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Seconds, except where the name says otherwise; every figure but ``cold_s`` is of a warm process.

    drawing_and_encoding_s: painting and encoding overlapped, as the engine does. drawing_s: painting alone.
    ``_cpu_s``: processor seconds of all threads.
    """

    scenario: str
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
    peak_bytes: int

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
    scenario = SCENARIOS[wanted.scenario]
    files = [(role, make(folder, name)) for role, make, name in scenario.media]
    request = GenerationRequest(
        model=model.id,
        content=(
            ContentItem(modality=Modality.TEXT, value=scenario.prompt),
            *(item(path, role) for role, path in files),
        ),
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
        media={number + 1: str(path) for number, (_, path) in enumerate(files)},
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
    film = previz.open_film(plan, job, soundtrack)
    painter, canvas = film.painter, film.canvas
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
    wanted = format_of(job, (canvas.width_px, canvas.height_px), previz.tags_of(job))
    with FilmEncoder(target, wanted, sound=previz.encoder_sound(soundtrack)) as encoder:
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
    """Measure one scenario at one resolution."""
    engine = previz.PrevizEngine()
    engine.warm()
    with tempfile.TemporaryDirectory() as folder:
        job = open_job(wanted, resolution, Path(folder))
        cold = whole_s(engine, job)
        wholes = [whole_s(engine, job) for _ in range(wanted.runs)]
        peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT_BYTES
        parts = [parts_s(engine, job) for _ in range(wanted.runs)]
        film = Path(folder) / film_name(job)
        if film.read_bytes() != (Path(folder) / "encoded.mp4").read_bytes():
            raise SystemExit("the pictures encoded alone gave another film: the comparison would not be fair")
        size_bytes = film.stat().st_size
        width_px, height_px = job.sizes[wanted.ratio]
    best = {name: min(part[name] for part in parts) for name in parts[0]}
    return Measured(
        scenario=wanted.scenario,
        resolution=resolution,
        width_px=width_px,
        height_px=height_px,
        num_frames=wanted.duration_s * job.fps,
        cold_s=cold,
        whole_s=min(wholes),
        film_size_bytes=size_bytes,
        peak_bytes=peak_bytes,
        **best,
    )


def measured_apart(wanted: argparse.Namespace, scenario: str, resolution: str) -> Measured:
    """Measure in a process of its own, so that the first clip is cold and the peak of memory this film's."""
    command = [sys.executable, __file__, "--one", scenario, resolution, "--runs", str(wanted.runs)]
    command += ["--ratio", wanted.ratio, "--duration-s", str(wanted.duration_s), "--seed", str(wanted.seed)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return Measured(**json.loads(answer.stdout))


def print_row(row: Measured) -> None:
    """Print one row of a table in Markdown."""
    cells = (
        *(row.scenario, row.resolution),
        *(f"{value:.2f}" for value in (row.cold_s, row.whole_s, row.sound_s, row.setup_s)),
        *(f"{value:.2f}" for value in (row.drawing_and_encoding_s, row.encoding_only_s)),
        *(f"{value:.2f}" for value in (row.drawing_and_encoding_ratio, row.drawing_and_encoding_cpu_ratio)),
        *(f"{row.whole_ratio:.2f}", f"{row.drawing_s / row.num_frames * 1e3:.1f}"),
        *(f"{row.whole_s / (row.num_frames * row.width_px * row.height_px) * 1e9:.0f}", f"{row.peak_bytes / 1e6:.0f}"),
    )
    print("| " + " | ".join(cells) + " |", flush=True)


COLUMNS = (
    "scenario", "size", "first clip", "warm clip", "sound", "setup", "draw + encode", "encode only",
    "draw + encode / encode only", "the same, CPU", "whole clip / encode only", "paint, ms a frame",
    "warm clip, ns a pixel", "peak MB",
)  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenarios", nargs="+", default=list(SCENARIOS), choices=SCENARIOS)
    parser.add_argument("--resolutions", nargs="+", default=["480p", "720p", "1080p", "4k"])
    parser.add_argument("--ratio", default="16:9")
    parser.add_argument("--duration-s", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.one is not None:
        wanted.scenario, resolution = wanted.one
        print(json.dumps(asdict(measure(wanted, resolution))))
        return
    rows = []
    if not wanted.json:
        print(f"{platform.machine()}, {os.cpu_count()} cores; {wanted.duration_s} s, {wanted.ratio}; seconds\n")
        print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for scenario, resolution in itertools.product(wanted.scenarios, wanted.resolutions):
        rows.append(measured_apart(wanted, scenario, resolution))
        if not wanted.json:
            print_row(rows[-1])
    if wanted.json:
        ratios = ("drawing_and_encoding_ratio", "drawing_and_encoding_cpu_ratio", "whole_ratio")
        print(
            json.dumps(
                {
                    "machine": f"{platform.machine()}, {os.cpu_count()} cores",
                    "rows": [{**asdict(row), **{name: getattr(row, name) for name in ratios}} for row in rows],
                }
            )
        )


if __name__ == "__main__":
    main()
