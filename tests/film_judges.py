"""Measures what a film shows and sounds like. Every judge gets a decoded clip and knows nothing of the prompt.

A judge is worth something only if it can refuse: `tests/e2e/test_films_read_the_prompt.py` runs each one on the
clip it should accept and on the swapped one.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import resvg_py
from numpy.typing import NDArray

from sync_judges import Sync, sync_of, voice_levels
from understudy.engines.previz.lettering.cards import card_of
from understudy.engines.previz.plan import TextKind

ANALYSIS_HEIGHT_PX = 248
SEARCH_HEIGHT_PX = 186
MEL_BANDS = 32
HOP_S = 0.02
IN_SYNC = 0.65
"""What moves with a voice is more like it than this."""

_PLACE_PX = 12
_SEEN_LEVELS = 1.5


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


def pictures(path: Path, indices: Sequence[int] | None = None) -> list[NDArray[np.uint8]]:
    """Decoded pictures as they are, (height_px, width_px, 3) RGB; those of the film that are asked for, in order.

    indices: negative ones count from the end; None = all, of which a long film has too many.
    """
    with av.open(str(path)) as container:
        count = container.streams.video[0].frames
        wanted = None if indices is None else {index % count for index in indices}
        found = {
            number: frame.reformat(format="rgb24", src_colorspace="ITU709", src_color_range="MPEG").to_ndarray()
            for number, frame in enumerate(container.decode(video=0))
            if wanted is None or number in wanted
        }
    return list(found.values()) if indices is None else [found[index % count] for index in indices]


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
def _outline(svg: str, height_px: int) -> NDArray[np.float32]:
    """The directions of the drawing's edges on a mid-grey ground, cropped to what is opaque: see `_edges`."""
    png = np.frombuffer(bytes(resvg_py.svg_to_bytes(svg_string=svg, height=256, width=256)), dtype=np.uint8)
    bgra = cv2.imdecode(png, cv2.IMREAD_UNCHANGED).astype(np.float32)
    rows, columns = np.nonzero(bgra[..., 3] > 128)
    bgra = bgra[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    bgra = cv2.resize(bgra, (max(8, round(bgra.shape[1] * height_px / bgra.shape[0])), height_px))
    alpha = bgra[..., 3:] / 255
    on_grey = bgra[..., 2::-1] * alpha + 128 * (1 - alpha)
    return _edges(cv2.copyMakeBorder(on_grey, 4, 4, 4, 4, cv2.BORDER_REPLICATE))


def _edges(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Edge directions, (h, w, 2) = strength x (cos, sin) of twice the angle, so that light and dark may swap sides.

    Strength saturates: a plain edge counts as much as a hard one, and a flat place counts nothing.
    """
    luma = cv2.GaussianBlur(picture @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32), (0, 0), 1)
    x, y = cv2.Sobel(luma, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(luma, cv2.CV_32F, 0, 1) / 8
    power = x**2 + y**2
    weight = power / (power + 4.0) / np.maximum(power, 1e-6)
    directions = np.dstack([(x**2 - y**2) * weight, 2 * x * y * weight]).astype(np.float32)
    # A bent body's edges lie a little beside the drawing's.
    return cv2.GaussianBlur(directions, (0, 0), 1)


def find_drawing(clip: Clip, svg: str) -> tuple[float, float]:
    """Look for the drawing's outline anywhere in the film, at any size and mirrored too.

    Returns: how well it is found, at most 1 (right drawings reach 0.49 and more, wrong ones 0.42, rarely 0.46), and how
    tall it stands there, as a part of the picture's height. Edge directions are compared, not colours, so that light,
    weather and tint do not matter.
    """
    best = (-1.0, 0.0)
    for index in (len(clip.frames) // 4, len(clip.frames) // 2):
        picture = clip.frames[index].astype(np.float32)
        scale = SEARCH_HEIGHT_PX / len(picture)
        seen = _edges(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
        for share in np.geomspace(0.24, 0.85, 17):
            sought = _outline(svg, round(float(share) * SEARCH_HEIGHT_PX))
            if sought.shape[0] >= seen.shape[0] or sought.shape[1] >= seen.shape[1]:
                continue
            # Mirroring negates the sine of the doubled angle.
            mirrored = np.ascontiguousarray(sought[:, ::-1] * np.array([1, -1], dtype=np.float32))
            best = max(best, *((_overlap(seen, either), float(share)) for either in (sought, mirrored)))
    return best


def _overlap(seen: NDArray[np.float32], sought: NDArray[np.float32]) -> float:
    """The best normalised correlation of the sought edges with the seen ones near them."""
    overlap = sum(cv2.matchTemplate(seen[..., part].copy(), sought[..., part].copy(), cv2.TM_CCORR) for part in (0, 1))
    energy = (sought**2).sum(axis=2)
    near = (cv2.dilate(energy, np.ones((5, 5))) > 0.02).astype(np.float32)
    around = cv2.matchTemplate((seen**2).sum(axis=2), near, cv2.TM_CCORR)
    # Where there is hardly an edge at all, chance agreement must not count as a find.
    norm = np.sqrt(np.maximum(around, 0.5 * around.max()) * energy.sum())
    return float((overlap / norm).max())


def where(image: NDArray[np.uint8], picture: NDArray[np.uint8]) -> tuple[int, float, float]:
    """How many details of an image lie in a picture as they do in it, and where its middle is, in parts of that.

    Images that are in it have 15 and more, others 5 at most.
    """
    finder = cv2.SIFT_create(4000, contrastThreshold=0.02)
    (places, words), (points, seen) = (
        finder.detectAndCompute(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), None) for one in (image, picture)
    )
    pairs = cv2.BFMatcher().knnMatch(words, seen, k=2)
    good = [one for one, other in pairs if one.distance < 0.78 * other.distance]
    if len(good) < 4:
        return len(good), 0.0, 0.0
    before, after = (
        np.array(list(ends), dtype=np.float32)
        for ends in ((places[one.queryIdx].pt for one in good), (points[one.trainIdx].pt for one in good))
    )
    matrix, inside = cv2.estimateAffinePartial2D(before, after, method=cv2.RANSAC, ransacReprojThreshold=6.0)
    if matrix is None:
        return 0, 0.0, 0.0
    x, y = matrix @ np.array([image.shape[1] / 2, image.shape[0] / 2, 1.0])
    return int(inside.sum()), float(x / picture.shape[1]), float(y / picture.shape[0])


def letters(picture: NDArray[np.uint8], text: str, kind: TextKind) -> float:
    """How well a text is found in a picture, at most 1: correlation of what its letters and their rims hide.

    A word that differs in one of six letters has 0.83 at most.
    """
    height_px, width_px = picture.shape[:2]
    drawn = card_of(text, kind, (width_px, height_px))
    assert drawn is not None
    sought, hides = drawn.card[..., :3].min(axis=2), drawn.card[..., 3] > 150
    likeness = cv2.matchTemplate(
        picture.min(axis=2).astype(np.float32),
        sought.astype(np.float32),
        cv2.TM_CCOEFF_NORMED,
        mask=hides.astype(np.float32),
    )
    return float(likeness[np.isfinite(likeness)].max(initial=-1.0))


# Pictures: motion.


def cuts(clip: Clip) -> list[int]:
    """The frames that begin a shot: nothing near them changes half as much as they do from the one before."""
    tiny = np.stack([cv2.resize(frame, (48, 27), interpolation=cv2.INTER_AREA) for frame in clip.frames])
    changes = np.abs(np.diff(tiny.astype(float), axis=0)).mean(axis=(1, 2, 3))
    found = []
    for place, change in enumerate(changes):
        beside = [*changes[max(0, place - 4) : place], *changes[place + 1 : place + 5]]
        if change > 6 and change > 2 * max(beside):
            found.append(place + 1)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """What of a picture moves most as the voice sounds. top: the highest place in sync, in parts of the frame."""

    sync: Sync
    top: float


def voice_mover(clip: Clip, *, late_frames: int = 0) -> Mover:
    """Look for a place of the picture that moves with the voice, wherever it is.

    late_frames: by so much the sound is held back first. As the best place is looked for then too, chance has no less
    of a part in it: in films where nobody speaks, or the sound is late, 0.55 is the most that was seen.
    """
    late = np.roll(clip.wave, round(late_frames / clip.fps * clip.sample_rate_hz))[:, None]
    levels = voice_levels(late, clip.sample_rate_hz, round(clip.fps))
    luma = luma_of(clip.frames)[: levels.size]
    height_px, width_px = luma.shape[1:]
    size = (width_px // _PLACE_PX, height_px // _PLACE_PX)
    # How unlike the film's beginning, at which a mouth is shut, a place is.
    moved = np.stack([cv2.resize(np.abs(one - luma[0]), size, interpolation=cv2.INTER_AREA) for one in luma])
    levels = levels[: len(moved)]
    apart, spread = moved - moved.mean(axis=0), moved.std(axis=0)
    heard = (levels - levels.mean()) / levels.std()
    likeness = (apart * heard[:, None, None]).mean(axis=0) / np.maximum(spread, 1e-6)
    likeness[spread < _SEEN_LEVELS] = -1
    row, column = np.unravel_index(int(likeness.argmax()), likeness.shape)
    sync = sync_of(moved[:, row, column], late, clip.sample_rate_hz, round(clip.fps))
    rows = np.flatnonzero((likeness > IN_SYNC).any(axis=1))
    return Mover(sync=sync, top=float((rows[0] if rows.size else row) / size[1]))


def flicker(clip: Clip) -> float:
    """What stands in one picture only: mean distance, in levels, of a picture from the median of it and its neighbours.

    Streaks and flakes that cross the view do that; bodies and cameras that move smoothly hardly do.
    """
    luma = luma_of(clip.frames)
    triples = np.stack([luma[:-2], luma[1:-1], luma[2:]])
    return float(np.abs(luma[1:-1] - np.median(triples, axis=0)).mean())


def moving_hue_share(clip: Clip, hues_deg: tuple[int, int]) -> float:
    """Among the pixels that something passes over, the share whose hue lies in the range (wrapping at 360)."""
    frames = clip.frames[::12]
    still = np.median(frames, axis=0)
    passing = np.concatenate([frame[np.abs(frame - still).max(axis=2) > 40] for frame in frames])
    return hue_share(passing[None], hues_deg, least_saturation=25)


def luma_of(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """BT.709 luma of (n, h, w, 3), 0..255."""
    return (frames @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)).astype(np.float32)


def flow(clip: Clip, gap: int = 4) -> NDArray[np.float32]:
    """Mean optical flow of the film, (h, w, 2) in pixels per second (x right, y down)."""
    finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    luma = luma_of(clip.frames).astype(np.uint8)
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
    luma = luma_of(clip.middle[None])[0]
    edges = np.abs(cv2.Sobel(luma, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(luma, cv2.CV_32F, 0, 1))
    return edges > np.quantile(edges, 0.6)


def bobbing(clip: Clip) -> float:
    """How much the subject's place in the picture changes from frame to frame: mean absolute flow in the centre."""
    finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    luma = luma_of(clip.frames).astype(np.uint8)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """Of a whole sound. peak_db: the true peak, against full scale; -inf = silence."""

    lufs: float
    peak_db: float
    channels: int


def loudness(path: Path) -> Loudness:
    """Measure the film's sound with FFmpeg's meter. Source: EBU R 128, ITU-R BS.1770."""
    told: dict[str, str] = {}
    with av.open(str(path)) as container:
        track = container.streams.audio[0]
        graph = av.filter.Graph()
        parts = [
            graph.add_abuffer(template=track),
            graph.add("ebur128", "metadata=1:peak=true"),
            graph.add("abuffersink"),
        ]
        graph.link_nodes(*parts).configure()
        for frame in itertools.chain(container.decode(audio=0), [None]):
            graph.push(frame)
            while True:
                try:
                    told = graph.pull().metadata or told
                except (av.BlockingIOError, av.EOFError):
                    break
        channels = track.codec_context.channels
    peak = float(told["lavfi.r128.true_peak"])
    return Loudness(
        lufs=float(told["lavfi.r128.I"]), peak_db=20 * np.log10(peak) if peak > 0 else -np.inf, channels=channels
    )


def onsets_s(clip: Clip, least_db: float = 12.0) -> list[float]:
    """The moments at which the sound above 2 kHz gets so much louder at once, at least 0.1 s apart."""
    level = loudness_over_time(clip, 2000, 12_000)
    rises = level[2:] - np.minimum(level[1:-1], level[:-2])
    found: list[float] = []
    for place in np.flatnonzero(rises > least_db):
        if not found or (place + 2) * HOP_S - found[-1] > 0.1:
            found.append(float(place + 2) * HOP_S)
    return found
