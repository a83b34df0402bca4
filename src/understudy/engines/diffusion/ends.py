"""Which of the frames that a model made are the film's: models make a few more than were ordered.

A film that ends on a given picture keeps its end, one that has both ends keeps both, and all others lose what is beyond
their last frame, which `finishing` cuts off.
"""

from collections.abc import Iterator
from dataclasses import replace

import av
import numpy as np

from understudy.engines.diffusion.order import Made, Samples, Sound, Workflow

ENDS_KEPT = frozenset({Workflow.FIRST_LAST_FRAME, Workflow.JOIN})
"""Workflows both of whose ends were given."""

LEFT_OUT_MOST = 0.02
"""The share of frames that may simply be left out, one here and one there: a step of twice the length is not seen where
there is one a second, and a sound that runs a tenth of a second ahead at the end is not heard to."""


def with_its_ends(made: Made, workflow: Workflow, *, is_forward: bool, num_frames: int, fps: int) -> Made:
    """Return what was made so that its first ``num_frames`` at ``fps`` begin and end as they were to.

    is_forward: of an extension.
    """
    if workflow is Workflow.LAST_FRAME or (workflow is Workflow.EXTEND and not is_forward):
        return _from_the_end(made, num_frames=num_frames, fps=fps)
    if workflow in ENDS_KEPT and num_frames > 1:
        return _between_its_ends(made, num_frames=num_frames, fps=fps)
    return made


def _from_the_end(made: Made, *, num_frames: int, fps: int) -> Made:
    """Cut off what is too much at the beginning, of the sound as well."""
    needed = num_frames if made.fps == fps else int((num_frames - 1) * made.fps / fps) + 1
    extra = len(made.frames) - needed
    if extra <= 0:
        return made
    sound = made.sound
    if sound is not None:
        start = round(extra / made.fps * sound.sample_rate_hz)
        sound = replace(sound, samples=sound.samples[:, start:])
    return replace(made, frames=made.frames[extra:], sound=sound)


def _between_its_ends(made: Made, *, num_frames: int, fps: int) -> Made:
    """Bring the last frame that was made to where the film's last one is."""
    count = len(made.frames)
    faster = (count - 1) * fps / ((num_frames - 1) * made.fps)
    if count < 2 or faster <= 1:
        return made
    if made.fps == fps and faster <= 1 + LEFT_OUT_MOST:
        kept = np.linspace(0, count - 1, num_frames).round().astype(int)
        return replace(made, frames=made.frames[kept])
    sound = None if made.sound is None else _faster(made.sound, faster)
    told = f"What was made is {faster - 1:.0%} longer than the film; it was sped up so that both ends are seen."
    return replace(made, fps=made.fps * faster, sped_up=faster, sound=sound, notes=(*made.notes, told))


def _faster(sound: Sound, factor: float) -> Sound:
    """Return the sound so many times faster, at its own pitch. factor: 0.5..2, what FFmpeg's atempo does at once."""
    channels, count = sound.samples.shape
    if not count:
        return sound
    layout = {1: "mono", 2: "stereo"}[channels]
    graph = av.filter.Graph()
    source = graph.add_abuffer(format="fltp", layout=layout, sample_rate=sound.sample_rate_hz)
    tempo = graph.add("atempo", f"{factor:.9f}")
    # atempo gives packed samples.
    planes = graph.add("aformat", f"sample_fmts=fltp:channel_layouts={layout}")
    sink = graph.add("abuffersink")
    source.link_to(tempo)
    tempo.link_to(planes)
    planes.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.samples), format="fltp", layout=layout)
    frame.sample_rate = sound.sample_rate_hz
    graph.push(frame)
    graph.push(None)
    parts = list(_pulled(graph))
    samples: Samples = np.concatenate(parts, axis=1) if parts else sound.samples[:, :0]
    return replace(sound, samples=np.clip(samples, -1, 1))


def _pulled(graph: av.filter.Graph) -> Iterator[Samples]:
    while True:
        try:
            yield graph.pull().to_ndarray().astype(np.float32, copy=False)
        except (av.EOFError, av.BlockingIOError):
            return
