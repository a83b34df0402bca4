"""Ears for the tests of sound: levels of bands, envelopes, rhythm, pitch. Nothing here knows how a sound was made."""

import numpy as np
import numpy.typing as npt

from understudy.engines.previz.plan import (
    CameraMove,
    FilmPlan,
    Framing,
    SettingKind,
    Shot,
    Subject,
    TimeOfDay,
    Weather,
)

Samples = npt.NDArray[np.float32]

SPEECH_BAND_HZ = (300.0, 3400.0)


def plan_of(**changes: object) -> FilmPlan:
    """A quiet film of five seconds: an otter stands in a clear meadow by day."""
    film = {name: changes.pop(name) for name in ("lines", "duration_s") if name in changes}
    values: dict[str, object] = {
        "subjects": (Subject(art="otter", word="otter"),),
        "setting": SettingKind.MEADOW,
        "time_of_day": TimeOfDay.DAY,
        "weather": Weather.CLEAR,
        "particles": (),
        "camera": CameraMove.STATIC,
        "framing": Framing.MEDIUM,
    }
    shot = Shot(duration_s=film.get("duration_s", 5), **(values | changes))  # type: ignore[arg-type]
    return FilmPlan(**({"prompt": "", "shots": (shot,), "lines": (), "ratio": "16:9", "duration_s": 5} | film))  # type: ignore[arg-type]


def mono(samples: Samples) -> npt.NDArray[np.float64]:
    return samples.astype(np.float64).mean(axis=1)


def spectrum(signal: npt.NDArray[np.floating], rate_hz: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Power and frequencies of a whole mono signal."""
    power = np.abs(np.fft.rfft(signal * np.hanning(signal.size))) ** 2
    return power, np.fft.rfftfreq(signal.size, 1 / rate_hz)


def band_db(samples: Samples, rate_hz: int, low_hz: float, high_hz: float, window_s: tuple[float, float] | None = None):
    """Power in a band, in dB, over the film or a window (start, end) of it."""
    signal = mono(samples)
    if window_s is not None:
        signal = signal[round(window_s[0] * rate_hz) : round(window_s[1] * rate_hz)]
    power, hertz = spectrum(signal, rate_hz)
    inside = power[(hertz >= low_hz) & (hertz < high_hz)].sum()
    return 10 * np.log10(inside / signal.size**2 + 1e-20)


def band_share(samples: Samples, rate_hz: int, low_hz: float, high_hz: float) -> float:
    power, hertz = spectrum(mono(samples), rate_hz)
    return float(power[(hertz >= low_hz) & (hertz < high_hz)].sum() / power[hertz > 20].sum())


def envelope(samples: Samples, rate_hz: int, band_hz: tuple[float, float], per_s: int = 50) -> npt.NDArray[np.float64]:
    """Level of a band over time, ``per_s`` values a second."""
    signal = mono(samples)
    spectrum_ = np.fft.rfft(signal)
    hertz = np.fft.rfftfreq(signal.size, 1 / rate_hz)
    spectrum_[(hertz < band_hz[0]) | (hertz > band_hz[1])] = 0
    heard = np.fft.irfft(spectrum_, signal.size)
    step = rate_hz // per_s
    count = heard.size // step
    return np.sqrt((heard[: count * step].reshape(count, step) ** 2).mean(axis=1))


def modulation_share(level: npt.NDArray[np.float64], per_s: int, low_hz: float, high_hz: float) -> float:
    """How much of an envelope's movement has a rhythm between two frequencies, against its mean level."""
    moving = np.abs(np.fft.rfft((level - level.mean()) * np.hanning(level.size)))
    hertz = np.fft.rfftfreq(level.size, 1 / per_s)
    return float(np.sqrt((moving[(hertz >= low_hz) & (hertz < high_hz)] ** 2).sum()) / (level.mean() * level.size))


def onsets_s(level: npt.NDArray[np.float64], per_s: int, ratio: float = 3.0) -> list[float]:
    """Moments at which an envelope rises past ``ratio`` times its median, at least 0.12 s apart."""
    above = level > ratio * np.median(level)
    starts = np.flatnonzero(above & ~np.concatenate(([False], above[:-1]))) / per_s
    kept: list[float] = []
    for start in starts:
        if not kept or start - kept[-1] > 0.12:
            kept.append(float(start))
    return kept


def pitch_hz(signal: npt.NDArray[np.floating], rate_hz: int) -> float:
    """Median pitch of the voiced parts of a mono signal, by autocorrelation between 60 and 500 Hz."""
    size, step = round(0.05 * rate_hz), round(0.02 * rate_hz)
    found = []
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(signal, np.float64), size)[::step]
    loudest = (frames**2).mean(axis=1).max()
    for frame in frames:
        if (frame**2).mean() < 0.1 * loudest:
            continue
        power = np.abs(np.fft.rfft((frame - frame.mean()) * np.hanning(size), 4 * size)) ** 2
        likeness = np.fft.irfft(power)
        low, high = rate_hz // 500, rate_hz // 60
        # A window correlates with itself less the more it is shifted; dividing by its own shape undoes that.
        shape = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(size), 4 * size)) ** 2)
        likeness = likeness / np.maximum(shape, 1e-3 * shape[0])
        best = low + int(np.argmax(likeness[low:high]))
        if likeness[best] > 0.5 * likeness[0]:
            found.append(rate_hz / best)
    return float(np.median(found))


def added_sound(with_it: Samples, without_it: Samples) -> Samples:
    """What one mix has that another lacks, when the rest is the same up to its level."""
    gain = float((with_it * without_it).sum() / (without_it * without_it).sum())
    return with_it - np.float32(gain) * without_it


def throat_ratio(signal: npt.NDArray[np.floating], other: npt.NDArray[np.floating], rate_hz: int) -> float:
    """By which factor one voice's formants lie higher than another's that says the same words.

    The mean spectra, smoothed past their harmonics and freed of their tilt, are shifted along a logarithmic axis until
    they match best.
    """
    step = 0.01
    grid_hz = np.exp(np.arange(np.log(500.0), np.log(6500.0), step))
    first, second = (_smooth_spectrum_db(np.asarray(one, np.float64), rate_hz, grid_hz) for one in (signal, other))

    def match(shift: int) -> float:
        size = grid_hz.size - abs(shift)
        pair = (_untilted(first[max(shift, 0) :][:size]), _untilted(second[max(-shift, 0) :][:size]))
        return float((pair[0] * pair[1]).sum() / np.sqrt((pair[0] ** 2).sum() * (pair[1] ** 2).sum()))

    return float(np.exp(step * max(range(-30, 31), key=match)))


def _smooth_spectrum_db(signal: npt.NDArray[np.float64], rate_hz: int, grid_hz: npt.NDArray[np.float64]):
    size = 2048
    frames = np.lib.stride_tricks.sliding_window_view(signal, size)[:: size // 4] * np.hanning(size)
    power = (np.abs(np.fft.rfft(frames, axis=1)) ** 2).mean(axis=0)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(size, 1 / rate_hz), 1.0))
    weights = np.exp(-0.5 * ((octaves[None, :] - np.log2(grid_hz)[:, None]) / 0.12) ** 2)
    return 10 * np.log10((weights * power).sum(axis=1) / weights.sum(axis=1))


def _untilted(curve: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    position = np.arange(curve.size)
    return curve - np.polyval(np.polyfit(position, curve, 1), position)


def sine(frequency_hz: float, *, seconds: float, rate_hz: int, peak: float = 1.0, channels: int = 1) -> Samples:
    """A tone of shape (channels, samples)."""
    wave = peak * np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * rate_hz)) / rate_hz)
    return np.repeat(wave[None, :], channels, axis=0).astype(np.float32)
