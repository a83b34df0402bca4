"""What was heard at the end of a sound, carried on: its quiet parts in grains that overlap where they fit best."""

import numpy as np

from understudy.engines.previz.sound.signals import Mono, Stereo

_TAIL_S = 2.5
_GRAIN_S = 0.32
_OVERLAP_S = 0.1
_CANDIDATES_S = 0.02
_SEARCH_S = 0.006
_QUIET_SHARE = 0.6
"""Of the places that a grain may be from, the quieter part: a word or a knock that comes again and again is a fault."""

_NOT_AGAIN = 4
_SHORTEST_S = 0.6
_SILENT = 1e-5


def carried_on(sound: Stereo, num_samples: int, *, sample_rate_hz: int, rng: np.random.Generator) -> Stereo:
    """Go on with the end of a sound, (2, samples), for so many samples; the first of them follows its last.

    What is shorter than half a second or silent goes on as silence.
    """
    made = np.zeros((2, num_samples), dtype=np.float32)
    tail = sound[:, -round(_TAIL_S * sample_rate_hz) :]
    if tail.shape[1] < _SHORTEST_S * sample_rate_hz or float(np.abs(tail).max(initial=0.0)) < _SILENT:
        return made
    grain, overlap, search = (round(length_s * sample_rate_hz) for length_s in (_GRAIN_S, _OVERLAP_S, _SEARCH_S))
    mono = np.asarray(tail.mean(axis=0), dtype=np.float32)
    places = _quiet_places(mono, grain + 2 * search, step=round(_CANDIDATES_S * sample_rate_hz)) + search
    ramp = np.sin(np.linspace(0, np.pi / 2, overlap, endpoint=False, dtype=np.float32)) ** 2
    # The grain before is the end of the sound itself, mirrored in time: it begins with the level that was heard last.
    ending = tail[:, : -overlap - 1 : -1].copy()
    used: list[int] = []
    at = 0
    while at < num_samples:
        free = [int(place) for place in places if int(place) not in used[-_NOT_AGAIN:]] or [int(places[0])]
        chosen = free[int(rng.integers(len(free)))]
        used.append(chosen)
        start = _fitted(mono, chosen, np.asarray(ending.mean(axis=0), dtype=np.float32), search=search)
        part = tail[:, start : start + grain].copy()
        part[:, :overlap] = part[:, :overlap] * ramp + ending * (1 - ramp)
        kept = part[:, : grain - overlap][:, : num_samples - at]
        made[:, at : at + kept.shape[1]] = kept
        ending = part[:, grain - overlap :]
        at += grain - overlap
    return made


def led_to(sound: Stereo, num_samples: int, *, sample_rate_hz: int, rng: np.random.Generator) -> Stereo:
    """Lead to the beginning of a sound, as `carried_on` goes on from its end."""
    head = sound[:, : round(_TAIL_S * sample_rate_hz)]
    # Turned round twice: the grains run forward, what is joined is their ends.
    return carried_on(head[:, ::-1], num_samples, sample_rate_hz=sample_rate_hz, rng=rng)[:, ::-1]


def _quiet_places(mono: Mono, num_samples: int, *, step: int) -> np.ndarray:
    """Where a stretch of so many samples is among the quieter ones."""
    places = np.arange(0, max(1, mono.size - num_samples), step)
    power = np.array([float(np.square(mono[place : place + num_samples]).mean()) for place in places])
    count = max(1, round(len(places) * _QUIET_SHARE))
    return np.sort(places[np.argsort(power, kind="stable")[:count]])


def _fitted(mono: Mono, place: int, ending: Mono, *, search: int) -> int:
    """Move a place a little, to where the sound runs as what it is to follow: tones then keep their phase."""
    begins = max(0, place - search)
    near = mono[begins : place + search + ending.size]
    if near.size <= ending.size:
        return place
    likeness = np.correlate(near, ending, mode="valid")
    return begins + int(np.argmax(likeness))
