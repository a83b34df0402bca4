"""Where sound stands: a short synthetic reverberation for each kind of place."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from understudy.engines.previz.plan import FINER, SettingKind
from understudy.engines.previz.sound.signals import Span, Stereo, band, convolved, db, noise, random_for

_PRE_DELAY_S = 0.012


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A reverberation: decay_s to fall by 60 dB, wet_db against the dry sound, damping_hz above which it is dull."""

    decay_s: float
    wet_db: float
    damping_hz: float


HALL = Room(decay_s=1.7, wet_db=-11.0, damping_hz=5200.0)
_OPEN = Room(decay_s=0.25, wet_db=-26.0, damping_hz=3000.0)
_ROOMS: Mapping[SettingKind, Room] = {
    SettingKind.ROOM: Room(decay_s=0.35, wet_db=-17.0, damping_hz=5000.0),
    SettingKind.KITCHEN: Room(decay_s=0.45, wet_db=-15.0, damping_hz=7000.0),
    SettingKind.OFFICE: Room(decay_s=0.4, wet_db=-17.0, damping_hz=5000.0),
    SettingKind.STUDIO: Room(decay_s=0.2, wet_db=-22.0, damping_hz=5000.0),
    SettingKind.STAGE: Room(decay_s=1.3, wet_db=-15.0, damping_hz=4500.0),
    SettingKind.COURTYARD: Room(decay_s=0.7, wet_db=-18.0, damping_hz=4500.0),
    SettingKind.STREET: Room(decay_s=0.8, wet_db=-20.0, damping_hz=3500.0),
    SettingKind.CITY: Room(decay_s=0.9, wet_db=-21.0, damping_hz=3500.0),
    SettingKind.MOUNTAINS: Room(decay_s=1.6, wet_db=-22.0, damping_hz=2500.0),
    SettingKind.FOREST: Room(decay_s=0.6, wet_db=-22.0, damping_hz=2500.0),
    SettingKind.SPACE: Room(decay_s=1.8, wet_db=-18.0, damping_hz=4000.0),
    SettingKind.UNDERWATER: Room(decay_s=1.0, wet_db=-16.0, damping_hz=1500.0),
}


def room_of(setting: SettingKind) -> Room:
    """Give the reverberation of a setting; open land hardly has one."""
    return _ROOMS.get(setting) or _ROOMS.get(FINER.get(setting, setting), _OPEN)


def with_room(sound: Stereo, span: Span, room: Room) -> Stereo:
    """Add a room's answer to a dry sound. The room itself is always the same one, whatever the film's seed."""
    if not np.any(sound):
        return sound
    length_s = min(room.decay_s * 0.8, 1.4)
    short = Span(num_samples=max(8, round((length_s + _PRE_DELAY_S) * span.sample_rate_hz)),
                 sample_rate_hz=span.sample_rate_hz)  # fmt: skip
    times = short.times_s() - _PRE_DELAY_S
    level = np.where(times >= 0, np.exp(-6.9078 * np.maximum(times, 0.0) / room.decay_s), 0.0).astype(np.float32)
    response = noise(short, random_for(7, "room"), response=band(160.0, room.damping_hz, order=1)) * level
    response /= np.float32(np.sqrt(np.sum(np.square(response), axis=-1, keepdims=True, dtype=np.float64)))
    return sound + np.float32(db(room.wet_db)) * convolved(sound, response)
