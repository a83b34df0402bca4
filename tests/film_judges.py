"""Measures what a film shows and sounds like. Every judge gets a decoded clip and knows nothing of the prompt.

A judge is worth something only if it can refuse: `tests/e2e/test_films_read_the_prompt.py` runs each one on the
clip it should accept and on the swapped one.
"""

import itertools
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import resvg_py
from numpy.typing import NDArray

ANALYSIS_HEIGHT_PX = 248
MEL_BANDS = 32
HOP_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A decoded film. frames: (n, h, w, 3) uint8 RGB at about half of 480p. wave: (m,) float32 mono."""

    frames: NDArray[np.uint8]
    fps: float
    wave: NDArray[np.float32]
    sample_rate_hz: int

    @property
    def middle(self) -> NDArray[np.uint8]:
        """The picture at half time."""
        return self.frames[len(self.frames) // 2]


@cache
def watch(path: Path, height_px: int = ANALYSIS_HEIGHT_PX) -> Clip:
    """Decode the film, pictures scaled to the given height."""
    frames: list[NDArray[np.uint8]] = []
    parts: list[NDArray[np.float32]] = []
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        width_px = round(video.codec_context.width * height_px / video.codec_context.height)
        streams = [video, *container.streams.audio[:1]]
        rate_hz = container.streams.audio[0].codec_context.sample_rate if container.streams.audio else 0
        for frame in container.decode(*streams):
            if isinstance(frame, av.VideoFrame):
                picture = frame.reformat(
                    width_px, height_px, "rgb24", src_colorspace="ITU709", src_color_range="MPEG", interpolation="AREA"
                )
                frames.append(picture.to_ndarray())
            else:
                parts.append(frame.to_ndarray().mean(axis=0))
        fps = float(video.average_rate or 0)
    wave = np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)
    return Clip(frames=np.stack(frames), fps=fps, wave=wave, sample_rate_hz=rate_hz)


# Pictures: light and colour.


def luminance(clip: Clip) -> float:
    """Mean BT.709 luma over the film, 0..255."""
    return float((clip.frames[::6] @ np.array([0.2126, 0.7152, 0.0722])).mean())


def warmth(clip: Clip) -> float:
    """Mean red minus mean blue over the film, in levels."""
    means = clip.frames[::6].reshape(-1, 3).mean(axis=0)
    return float(means[0] - means[2])


def hue_share(picture: NDArray[np.uint8], hues_deg: tuple[int, int], least_saturation: int = 60) -> float:
    """Share of the picture's pixels whose hue lies in the range (wrapping at 360) and which are plainly coloured."""
    hsv = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2HSV)
    hue = hsv[..., 0].astype(int) * 2
    first, last = hues_deg
    inside = (first <= hue) & (hue <= last) if first <= last else (first <= hue) | (hue <= last)
    return float((inside & (hsv[..., 1] >= least_saturation) & (hsv[..., 2] >= 50)).mean())


def centre(clip: Clip) -> NDArray[np.uint8]:
    """The middle of the picture at half time, where the subject stands."""
    height_px, width_px = clip.middle.shape[:2]
    return clip.middle[height_px // 5 : -height_px // 8, width_px // 4 : -width_px // 4]


def whiteness(picture: NDArray[np.uint8]) -> float:
    """Share of pixels that are bright and nearly grey."""
    hsv = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2HSV)
    return float(((hsv[..., 1] < 60) & (hsv[..., 2] > 190)).mean())


# Pictures: which drawing is in it.


@cache
def _sprite(svg: str, height_px: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The drawing as (RGB, mask), cropped to what is opaque, at the given height."""
    png = np.frombuffer(bytes(resvg_py.svg_to_bytes(svg_string=svg, height=256, width=256)), dtype=np.uint8)
    bgra = cv2.imdecode(png, cv2.IMREAD_UNCHANGED)
    rows, columns = np.nonzero(bgra[..., 3] > 128)
    bgra = bgra[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    width_px = max(1, round(bgra.shape[1] * height_px / bgra.shape[0]))
    bgra = cv2.resize(bgra, (width_px, height_px), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGB), np.where(bgra[..., 3] > 128, 255, 0).astype(np.uint8)


def likeness(clip: Clip, svg: str) -> float:
    """How well the drawing is found anywhere in the film, at its best size and place; at most 1.

    Normalised cross-correlation of colours under the drawing's own mask, mirrored too, on four pictures.
    """
    best = -1.0
    for index in np.linspace(0, len(clip.frames) - 1, 6).astype(int)[1:-1]:
        picture = clip.frames[index]
        for height_px in (44, 56, 70, 88, 108, 132, 160, 190):
            rgb, mask = _sprite(svg, height_px)
            if rgb.shape[1] >= picture.shape[1] or height_px >= picture.shape[0]:
                continue
            for drawn, opaque in ((rgb, mask), (rgb[:, ::-1].copy(), mask[:, ::-1].copy())):
                found = cv2.matchTemplate(picture, drawn, cv2.TM_CCOEFF_NORMED, mask=opaque)
                best = max(best, float(found[np.isfinite(found)].max(initial=-1.0)))
    return best


# Pictures: motion.


def flicker(clip: Clip) -> float:
    """What stands in one picture only: mean distance, in levels, of a picture from the median of it and its neighbours.

    Streaks and flakes that cross the view do that; bodies and cameras that move smoothly hardly do.
    """
    luma = cv2_luma(clip.frames)
    triples = np.stack([luma[:-2], luma[1:-1], luma[2:]])
    return float(np.abs(luma[1:-1] - np.median(triples, axis=0)).mean())


def cv2_luma(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """BT.709 luma of (n, h, w, 3), 0..255."""
    return (frames @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)).astype(np.float32)


def flow(clip: Clip, gap: int = 4) -> NDArray[np.float32]:
    """Mean optical flow of the film, (h, w, 2) in pixels per second (x right, y down)."""
    finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    luma = cv2_luma(clip.frames).astype(np.uint8)
    starts = range(len(luma) // 4, 3 * len(luma) // 4, 8)
    flows = [finder.calc(luma[start], luma[start + gap], None) for start in starts]
    return np.median(np.stack(flows), axis=0) * clip.fps / gap


def drift(clip: Clip) -> tuple[float, float]:
    """How fast the whole picture moves: median flow (x, y) where there is texture, pixels per second."""
    moved = flow(clip)
    textured = _textured(clip)
    return float(np.median(moved[..., 0][textured])), float(np.median(moved[..., 1][textured]))


def expansion(clip: Clip) -> float:
    """How fast the picture grows from its centre: slope of radial flow over radius, per second; negative = shrinks."""
    moved = flow(clip)
    height_px, width_px = moved.shape[:2]
    y, x = np.mgrid[:height_px, :width_px].astype(np.float32)
    x, y = x - width_px / 2, y - height_px / 2
    textured = _textured(clip)
    along = (moved[..., 0] * x + moved[..., 1] * y)[textured]
    return float(along.sum() / (x**2 + y**2)[textured].sum())


def _textured(clip: Clip) -> NDArray[np.bool_]:
    luma = cv2_luma(clip.middle[None])[0]
    edges = np.abs(cv2.Sobel(luma, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(luma, cv2.CV_32F, 0, 1))
    return edges > np.quantile(edges, 0.6)


def bobbing(clip: Clip) -> float:
    """How much the subject's place in the picture changes from frame to frame: mean absolute flow in the centre."""
    finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    luma = cv2_luma(clip.frames).astype(np.uint8)
    height_px, width_px = luma.shape[1:]
    area = (slice(height_px // 4, None), slice(width_px // 4, -width_px // 4))
    return float(
        np.mean([np.abs(finder.calc(luma[i], luma[i + 2], None)[area]).mean() for i in range(0, len(luma) - 2, 6)])
    )


# Sound.


def spectrum(clip: Clip) -> NDArray[np.float64]:
    """Mean power per hertz bin of the whole sound, one row of rfft over 4096 samples, Hann window."""
    size = 4096
    window = np.hanning(size)
    starts = range(0, len(clip.wave) - size, size // 2)
    return np.mean([np.abs(np.fft.rfft(clip.wave[start : start + size] * window)) ** 2 for start in starts], axis=0)


def band_share(clip: Clip, low_hz: float, high_hz: float) -> float:
    """Share of the sound's power that lies in the band."""
    power = spectrum(clip)
    hertz = np.fft.rfftfreq(4096, 1 / clip.sample_rate_hz)
    return float(power[(hertz >= low_hz) & (hertz < high_hz)].sum() / power.sum())


def loudness_over_time(clip: Clip, low_hz: float = 200, high_hz: float = 4000) -> NDArray[np.float64]:
    """RMS in the band per `HOP_S`, in dB."""
    power = np.fft.rfft(clip.wave)
    hertz = np.fft.rfftfreq(len(clip.wave), 1 / clip.sample_rate_hz)
    power[(hertz < low_hz) | (hertz >= high_hz)] = 0
    band = np.fft.irfft(power, len(clip.wave))
    hop = int(HOP_S * clip.sample_rate_hz)
    rows = band[: len(band) // hop * hop].reshape(-1, hop)
    return 20 * np.log10(np.sqrt((rows**2).mean(axis=1)) + 1e-6)


def speech_s(clip: Clip) -> float:
    """Seconds in which the speech band stands at least 9 dB above the film's quietest quarter."""
    level = loudness_over_time(clip)
    return float((level > np.quantile(level, 0.25) + 9).sum() * HOP_S)


def mel(wave: NDArray[np.float32], sample_rate_hz: int) -> NDArray[np.float64]:
    """Log-mel spectrogram, (frames of `HOP_S`, MEL_BANDS) in dB, each band's mean removed."""
    size = 2048 if sample_rate_hz > 30_000 else 1024
    hop = int(HOP_S * sample_rate_hz)
    window = np.hanning(size)
    starts = range(0, max(len(wave) - size, 1), hop)
    power = np.array([np.abs(np.fft.rfft(np.resize(wave[s : s + size], size) * window)) ** 2 for s in starts])
    edges_hz = 700 * (10 ** (np.linspace(np.log10(1 + 120 / 700), np.log10(1 + 7000 / 700), MEL_BANDS + 1)) - 1)
    bins = np.searchsorted(np.fft.rfftfreq(size, 1 / sample_rate_hz), edges_hz)
    bands = [power[:, a : max(b, a + 1)].sum(axis=1) for a, b in itertools.pairwise(bins)]
    level = 10 * np.log10(np.array(bands).T + 1e-7)
    level = np.maximum(level, level.max() - 50)
    return level - level.mean(axis=0)


def hears(clip: Clip, wave: NDArray[np.float32], sample_rate_hz: int) -> float:
    """How well the given recording is found in the film's sound, at its best place; at most 1.

    Normalised correlation of log-mel spectrograms.
    """
    heard, sought = mel(clip.wave, clip.sample_rate_hz), mel(wave, sample_rate_hz)
    length = len(sought)
    best = -1.0
    for start in range(max(1, len(heard) - length + 1)):
        part = heard[start : start + length]
        both = sought[: len(part)]
        part, both = part - part.mean(axis=0), both - both.mean(axis=0)
        scale = np.linalg.norm(part) * np.linalg.norm(both)
        best = max(best, float((part * both).sum() / scale) if scale else -1.0)
    return best
