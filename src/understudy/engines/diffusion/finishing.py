"""From what a model made to the film that was ordered: its rate, size, length, sound, marks and metadata, exactly.

No frame is held but those that the model made: each goes through rate, enlargement and size into the encoder by itself.
"""

import math
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.core.render import RenderJob, RenderResult
from understudy.engines.diffusion.given import in_channels
from understudy.engines.diffusion.grid import ENLARGED_FROM
from understudy.engines.diffusion.order import Made, Pixels, Sound
from understudy.media import encode
from understudy.media.film_files import (
    SAMPLE_RATE_HZ,
    FilmWriter,
    failures_told,
    film_name,
    format_of,
    last_frame_name,
)
from understudy.media.fit import Fit
from understudy.media.retime import retimed

RESAMPLING = "Lanczos resampling"
CUT_TOLD_FROM = 0.04
"""The part of a side that may be cut away untold: a canvas of whole blocks has seldom the very shape of the film."""

SHORT_TOLD_FROM_S = 0.1
"""Silence at the end that need not be told: nobody hears where a sound dies away so late."""

FADE_S = 0.02
"""How long a sound that ends before the pictures takes to die away, so that its end is no click."""

RESAMPLING_MARGIN_S = 0.1
"""What is resampled beyond the end, so that a sound that goes on sounds as if it did: longer than any filter is."""

SOUND_LAYOUTS = {1: "mono", 2: "stereo"}

TITLE = "Generated film"
GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
GENERATED_FROM_RECORDINGS = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""Source: IPTC NewsCodes, Digital Source Type; Video Metadata Hub."""

SOURCE_TYPE_TAG = "digital_source_type"

Enlarged = Callable[[Iterator[Pixels]], Iterator[Pixels]]
"""Yields each picture larger, in order, all of one size and shape; asked only for pictures that are needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enlarger:
    """A step of super-resolution, which may do too little or too much: what is left is resampled.

    name: completes "enlarged to 1920 x 1080 by ...".
    """

    name: str
    enlarged: Enlarged


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """What is wanted, and what the file says of its origin.

    ratio: one of the job's sizes. num_frames: exactly so many, at the job's rate. model: its name, for people.
    attribution: what its licence wants to be told. shows_recordings: whether stretches of given videos are seen in it.
    tags: further metadata, such as marks of origin.
    """

    ratio: str
    num_frames: int
    model: str
    attribution: str = ""
    shows_recordings: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)


def finish(
    made: Made,
    job: RenderJob,
    film: Film,
    *,
    enlarger: Enlarger | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> RenderResult:
    """Write the film, and its last frame if the request asks, into the job's output directory.

    enlarger: used only where the film is larger than what was made. progress: called with (frames written, frames in
    all); what it raises ends the writing. Equal arguments give equal bytes.

    Raises: TaskFailed: the film cannot be written; what progress and the enlarger raise.
    """
    size_px = job.sizes[film.ratio]
    own_px = (made.frames.shape[2], made.frames.shape[1])
    straight = Fit(own_px=own_px, wanted_px=size_px)
    enlarger = enlarger if straight.scale > ENLARGED_FROM else None
    num_samples = film.num_frames * SAMPLE_RATE_HZ // job.fps
    sound = _soundtrack(made, job, num_samples)
    with (
        failures_told(),
        FilmWriter(
            job,
            format_of(job, size_px, tags_of(film)),
            num_frames=film.num_frames,
            sound=sound,
            label=film.attribution or film.model,
        ) as writer,
        closing(_pictures(made, job, film, enlarger=enlarger)) as pictures,
    ):
        rgba = np.empty((size_px[1], size_px[0], 4), dtype=np.uint8)
        for index, picture in enumerate(pictures):
            cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA, dst=rgba)
            writer.add(rgba)
            progress(index + 1, film.num_frames)
    return RenderResult(
        video=film_name(job),
        last_frame=last_frame_name(job),
        ratio=film.ratio,
        width_px=size_px[0],
        height_px=size_px[1],
        duration_s=film.num_frames // job.fps,
        num_frames=film.num_frames,
        has_sound=sound is not None,
        notes=(*made.notes, *_notes(made, job, film, by=enlarger.name if enlarger else RESAMPLING)),
    )


def _pictures(made: Made, job: RenderJob, film: Film, *, enlarger: Enlarger | None) -> Generator[Pixels, None, None]:
    """Yield the film's frames, (height_px, width_px, 3) RGB, at its rate and size."""
    # Enlarged first: what lies between two pictures is drawn from the larger ones, and those are fewer.
    pictures: Iterator[Pixels] = iter(made.frames)
    if enlarger is not None:
        pictures = _at_most(enlarger.enlarged(pictures), job.sizes[film.ratio])
    timed = retimed(pictures, fps=made.fps, wanted_fps=job.fps, num_frames=film.num_frames)
    fit: Fit | None = None
    for picture in timed:
        if fit is None:
            fit = Fit(own_px=(picture.shape[1], picture.shape[0]), wanted_px=job.sizes[film.ratio])
        yield fit.picture(picture)


def _at_most(pictures: Iterator[Pixels], size_px: tuple[int, int]) -> Iterator[Pixels]:
    """Shrink what was enlarged beyond the film, before pictures are drawn between: networks know whole factors only."""
    for picture in pictures:
        fit = Fit(own_px=(picture.shape[1], picture.shape[0]), wanted_px=size_px)
        yield fit.picture(picture) if fit.scale < 1 else picture


def tags_of(film: Film) -> Mapping[str, str]:
    """Say what the film is; nothing here may vary between equal requests."""
    said = f"This film was generated by the AI model {film.model}, run by Understudy."
    if film.shows_recordings:
        said = f"Videos in this film were changed or continued by the AI model {film.model}, run by Understudy."
    return {
        "title": TITLE,
        "artist": f"Understudy diffusion, {film.model}",
        "comment": f"{said} {film.attribution}".strip(),
        SOURCE_TYPE_TAG: GENERATED_FROM_RECORDINGS if film.shows_recordings else GENERATED,
        **film.tags,
    }


def _soundtrack(made: Made, job: RenderJob, num_samples: int) -> encode.Sound | None:
    """Return the sound of the film; None where none was asked for or none was made."""
    if made.sound is None or not job.request.generate_audio:
        return None
    samples = track_of(made.sound, num_samples=num_samples, channels=job.audio_channels)
    return encode.Sound(samples=samples, sample_rate_hz=SAMPLE_RATE_HZ)


def track_of(sound: Sound, *, num_samples: int, channels: int) -> NDArray[np.float32]:
    """Return exactly so many samples at `SAMPLE_RATE_HZ`, (num_samples, channels) float32 within -1..1.

    As loud as it was: two channels become one by their mean, one becomes two by being both. What is missing at the end
    is silence, after a short fade. channels: 1 or 2.
    """
    needed = math.ceil((num_samples / SAMPLE_RATE_HZ + RESAMPLING_MARGIN_S) * sound.sample_rate_hz)
    own = np.asarray(np.nan_to_num(sound.samples[:, :needed], posinf=1.0, neginf=-1.0), dtype=np.float32)
    found = _resampled(in_channels(own, channels), sound.sample_rate_hz)[:, :num_samples]
    track = np.zeros((num_samples, channels), dtype=np.float32)
    track[: found.shape[1]] = found.T
    if found.shape[1] < num_samples:
        count = min(round(FADE_S * SAMPLE_RATE_HZ), found.shape[1])
        track[found.shape[1] - count : found.shape[1]] *= np.linspace(1, 0, count, dtype=np.float32)[:, None]
    return np.asarray(np.clip(track, -1, 1), dtype=np.float32)


def _resampled(samples: NDArray[np.float32], sample_rate_hz: int) -> NDArray[np.float32]:
    """Bring (channels, n) from one rate to `SAMPLE_RATE_HZ`; the first sample stays where it is."""
    if sample_rate_hz == SAMPLE_RATE_HZ or not samples.shape[1]:
        return samples
    layout = SOUND_LAYOUTS[len(samples)]
    resampler = av.AudioResampler(format="fltp", layout=layout, rate=SAMPLE_RATE_HZ)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
    frame.sample_rate = sample_rate_hz
    parts = [part.to_ndarray() for given in (frame, None) for part in resampler.resample(given)]
    empty = np.zeros((len(samples), 0), dtype=np.float32)
    return np.asarray(np.concatenate([empty, *parts], axis=1), dtype=np.float32)


def _notes(made: Made, job: RenderJob, film: Film, *, by: str) -> Iterator[str]:
    """Tell what was done to what the model made, as far as it is seen or heard. by: what it was enlarged by."""
    height_px, width_px = made.frames.shape[1:3]
    own, wanted = f"{width_px} x {height_px}", "{} x {}".format(*job.sizes[film.ratio])
    fit = Fit(own_px=(width_px, height_px), wanted_px=job.sizes[film.ratio])
    if fit.scale > ENLARGED_FROM:
        yield f"The film was made at {own} and enlarged to {wanted} by {by}."
    if fit.cut_share > CUT_TOLD_FROM:
        side = "width" if fit.kept_px[0] / width_px < fit.kept_px[1] / height_px else "height"
        yield f"The film was made at {own}; {fit.cut_share:.0%} of its {side} was cut away to make it {wanted}."
    own_fps = made.fps / made.sped_up
    if not math.isclose(own_fps, job.fps):
        rate = f"{own_fps:g} pictures per second"
        yield f"The film was made at {rate}; those between were computed from them to make it {job.fps}."
    missing_s = film.num_frames / job.fps - len(made.frames) / made.fps
    if missing_s > 1 / job.fps:
        yield f"The pictures that were made are {missing_s:.1f} s too short; the last one stays."
    if made.sound is not None and job.request.generate_audio:
        silent_s = film.num_frames / job.fps - made.sound.samples.shape[1] / made.sound.sample_rate_hz
        if silent_s > SHORT_TOLD_FROM_S:
            yield f"The sound that was made is {silent_s:.1f} s too short; silence follows it."
