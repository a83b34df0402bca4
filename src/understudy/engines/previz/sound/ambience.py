"""The sound of a place: which textures belong to a setting, an hour and a weather, and how loud each is.

Levels are decibels against the other textures of the same film; the mix sets the level of the whole.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from understudy.engines.previz.plan import INDOORS, SettingKind, Shot, TimeOfDay, Weather
from understudy.engines.previz.sound import air, creatures, things, water
from understudy.engines.previz.sound.signals import Span, Stereo, band, db, filtered, place, random_for, unit

Texture = Callable[[Span, np.random.Generator], Stereo]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One texture at a level. name seeds it; alive textures fall silent in bad weather and in winter."""

    name: str
    texture: Texture
    level_db: float
    is_alive: bool = False


def _event(sound: Callable[[int, np.random.Generator], np.ndarray], span: Span, rng: np.random.Generator) -> Stereo:
    """Turn a single call into a texture: it is heard once, somewhere in the middle of the film."""
    bus = span.silence()
    start_s = float(rng.uniform(0.1, 0.5)) * span.duration_s
    place(bus, sound(span.sample_rate_hz, rng), at=span.index(start_s), pan=float(rng.uniform(-0.6, 0.6)))
    return unit(bus)


def _crow(span: Span, rng: np.random.Generator) -> Stereo:
    return _event(lambda rate_hz, _: creatures.rooster(span), span, rng)


def _low(span: Span, rng: np.random.Generator) -> Stereo:
    return _event(lambda rate_hz, _: creatures.cow(span), span, rng)


def _car_horn(span: Span, rng: np.random.Generator) -> Stereo:
    return _event(lambda rate_hz, _: things.horn(rate_hz, base_hz=392.0, length_s=0.35), span, rng)


def _fog_horn(span: Span, rng: np.random.Generator) -> Stereo:
    return _event(lambda rate_hz, _: things.horn(rate_hz, base_hz=98.0, length_s=1.6), span, rng)


def _far_bell(span: Span, rng: np.random.Generator) -> Stereo:
    return _event(lambda rate_hz, _: things.bell(rate_hz, strike_hz=196.0), span, rng)


def _far_thunder(span: Span, rng: np.random.Generator) -> Stereo:
    return _event(lambda rate_hz, own: things.thunder(rate_hz, own, is_near=False), span, rng)


_BREEZE = Layer(name="breeze", texture=partial(air.wind, strength=0.15), level_db=-8)
_LEAVES = Layer(name="leaves", texture=air.leaves, level_db=-10)
_TONE = Layer(name="room tone", texture=air.room_tone, level_db=-6)

_SETTINGS: Mapping[SettingKind, tuple[Layer, ...]] = {
    SettingKind.MEADOW: (_BREEZE, Layer(name="grass", texture=air.leaves, level_db=-14)),
    SettingKind.GARDEN: (_BREEZE, _LEAVES, Layer(name="bees", texture=creatures.bees, level_db=-20, is_alive=True)),
    SettingKind.COURTYARD: (_BREEZE, Layer(name="fountain", texture=water.stream, level_db=-12)),
    SettingKind.FOREST: (_LEAVES, Layer(name="trees", texture=partial(air.wind, strength=0.25), level_db=-6)),
    SettingKind.MOUNTAINS: (Layer(name="height", texture=partial(air.wind, strength=0.7), level_db=-2),),
    SettingKind.DESERT: (
        Layer(name="emptiness", texture=partial(air.wind, strength=0.5), level_db=-4),
        Layer(name="sand", texture=air.drifting_sand, level_db=-18),
    ),
    SettingKind.BEACH: (Layer(name="surf", texture=partial(water.waves, period_s=3.9), level_db=0), _BREEZE),
    SettingKind.SEA: (
        Layer(name="swell", texture=water.open_sea, level_db=0),
        Layer(name="sea wind", texture=partial(air.wind, strength=0.45), level_db=-6),
    ),
    SettingKind.UNDERWATER: (Layer(name="deep", texture=water.underwater, level_db=0),),
    SettingKind.HARBOR: (
        Layer(name="lapping", texture=water.lapping, level_db=-2),
        Layer(name="masts", texture=things.masts, level_db=-20),
        Layer(name="harbor gulls", texture=partial(creatures.gulls, per_s=0.5), level_db=-12, is_alive=True),
        _BREEZE,
    ),
    SettingKind.RIVER: (Layer(name="river", texture=water.stream, level_db=0), _LEAVES),
    SettingKind.CITY: (
        Layer(name="city", texture=air.city_rumble, level_db=0),
        Layer(name="far cars", texture=partial(air.traffic, every_s=2.8), level_db=-6),
        Layer(name="horn", texture=_car_horn, level_db=-15),
    ),
    SettingKind.STREET: (
        Layer(name="city", texture=air.city_rumble, level_db=-4),
        Layer(name="near cars", texture=partial(air.traffic, every_s=3.6), level_db=-2),
        Layer(name="passers-by", texture=creatures.crowd, level_db=-12),
    ),
    SettingKind.ROAD: (Layer(name="road", texture=partial(air.traffic, every_s=3.0), level_db=-1), _BREEZE),
    SettingKind.FARM: (
        _BREEZE,
        Layer(name="farm bees", texture=creatures.bees, level_db=-24, is_alive=True),
        Layer(name="cow", texture=_low, level_db=-10, is_alive=True),
    ),
    SettingKind.SNOWFIELD: (
        Layer(name="snowfield", texture=partial(air.wind, strength=0.4), level_db=-3),
        Layer(name="hush", texture=air.snow_hush, level_db=-6),
    ),
    SettingKind.ROOM: (_TONE, Layer(name="clock", texture=things.clock, level_db=-21)),
    SettingKind.KITCHEN: (
        _TONE,
        Layer(name="fridge", texture=partial(air.hum, base_hz=51.0), level_db=-10),
        Layer(name="kitchen clock", texture=things.clock, level_db=-24),
    ),
    SettingKind.OFFICE: (
        Layer(name="ventilation", texture=air.ventilation, level_db=-4),
        Layer(name="keyboard", texture=things.keyboard, level_db=-18),
    ),
    SettingKind.STAGE: (_TONE, Layer(name="audience", texture=creatures.crowd, level_db=-7)),
    SettingKind.STUDIO: (_TONE, Layer(name="studio air", texture=air.ventilation, level_db=-12)),
    SettingKind.SKY: (Layer(name="sky wind", texture=partial(air.wind, strength=0.6), level_db=0),),
    SettingKind.SPACE: (Layer(name="drone", texture=air.space_drone, level_db=0),),
    SettingKind.CANYON: (
        Layer(name="gorge", texture=partial(air.wind, strength=0.45), level_db=-3),
        Layer(name="far river", texture=water.stream, level_db=-14),
    ),
    SettingKind.VOLCANO: (
        Layer(name="deep rumble", texture=air.space_drone, level_db=0),
        Layer(name="hot wind", texture=partial(air.wind, strength=0.6), level_db=-5),
        Layer(name="embers", texture=things.fire, level_db=-9),
    ),
    SettingKind.ISLAND: (
        Layer(name="surf", texture=partial(water.waves, period_s=4.6), level_db=-2),
        Layer(name="palms", texture=air.leaves, level_db=-11),
    ),
    SettingKind.JUNGLE: (
        _LEAVES,
        Layer(name="jungle birds", texture=partial(creatures.birds, per_s=3.2), level_db=-6, is_alive=True),
        Layer(name="insects", texture=creatures.crickets, level_db=-10, is_alive=True),
    ),
    SettingKind.MARS: (
        Layer(name="thin wind", texture=partial(air.wind, strength=0.55), level_db=-2),
        Layer(name="dust", texture=air.drifting_sand, level_db=-14),
    ),
    # Nothing is heard in a vacuum but what a film puts there.
    SettingKind.MOON: (Layer(name="drone", texture=air.space_drone, level_db=-4),),
    SettingKind.CAVE: (
        Layer(name="hollow", texture=partial(air.wind, strength=0.1), level_db=-7),
        Layer(name="dripping", texture=water.lapping, level_db=-13),
    ),
    SettingKind.TEMPLE: (_BREEZE, _LEAVES, Layer(name="temple bell", texture=_far_bell, level_db=-9)),
    SettingKind.CASTLE: (Layer(name="battlements", texture=partial(air.wind, strength=0.4), level_db=-4), _BREEZE),
    SettingKind.MARKET: (
        Layer(name="crowd", texture=creatures.crowd, level_db=-1),
        Layer(name="city", texture=air.city_rumble, level_db=-12),
    ),
    SettingKind.ROOFTOP: (
        Layer(name="city", texture=air.city_rumble, level_db=-3),
        Layer(name="roof wind", texture=partial(air.wind, strength=0.4), level_db=-5),
        Layer(name="far cars", texture=partial(air.traffic, every_s=3.4), level_db=-12),
    ),
    SettingKind.STADIUM: (
        Layer(name="crowd", texture=creatures.crowd, level_db=2),
        Layer(name="arena", texture=air.city_rumble, level_db=-8),
    ),
    SettingKind.RESTAURANT: (_TONE, Layer(name="guests", texture=creatures.crowd, level_db=-4)),
    SettingKind.CLASSROOM: (_TONE, Layer(name="clock", texture=things.clock, level_db=-20)),
    SettingKind.LIBRARY: (_TONE, Layer(name="old clock", texture=things.clock, level_db=-23)),
    SettingKind.BEDROOM: (_TONE, Layer(name="bedside clock", texture=things.clock, level_db=-24)),
    SettingKind.TRAIN: (
        Layer(name="rails", texture=partial(air.hum, base_hz=43.0), level_db=-2),
        Layer(name="rush", texture=air.ventilation, level_db=-3),
    ),
    SettingKind.SPACESHIP: (
        Layer(name="engines", texture=partial(air.hum, base_hz=38.0), level_db=-3),
        Layer(name="life support", texture=air.ventilation, level_db=-6),
    ),
}

_BIRDS_MORNING = Layer(name="birds", texture=partial(creatures.birds, per_s=2.2), level_db=-9, is_alive=True)
_BIRDS = Layer(name="birds", texture=partial(creatures.birds, per_s=1.3), level_db=-12, is_alive=True)
_BIRDS_EVENING = Layer(name="birds", texture=partial(creatures.birds, per_s=0.5), level_db=-15, is_alive=True)
_CRICKETS = Layer(name="crickets", texture=creatures.crickets, level_db=-8, is_alive=True)
_CRICKETS_FIRST = Layer(name="crickets", texture=creatures.crickets, level_db=-15, is_alive=True)
_OWL = Layer(name="owl", texture=creatures.owl, level_db=-12, is_alive=True)

_GREEN_HOURS: Mapping[TimeOfDay, tuple[Layer, ...]] = {
    TimeOfDay.DAWN: (_BIRDS_MORNING,),
    TimeOfDay.DAY: (_BIRDS,),
    TimeOfDay.DUSK: (_BIRDS_EVENING, _CRICKETS_FIRST),
    TimeOfDay.NIGHT: (_CRICKETS, _OWL),
}
_GREEN = frozenset(
    {
        SettingKind.MEADOW, SettingKind.GARDEN, SettingKind.COURTYARD, SettingKind.FOREST, SettingKind.FARM,
        SettingKind.RIVER, SettingKind.TEMPLE, SettingKind.ISLAND,
    }
)  # fmt: skip
_HOURS: Mapping[tuple[SettingKind, TimeOfDay], tuple[Layer, ...]] = {
    (SettingKind.FARM, TimeOfDay.DAWN): (Layer(name="rooster", texture=_crow, level_db=-6, is_alive=True),),
    (SettingKind.DESERT, TimeOfDay.NIGHT): (_CRICKETS_FIRST,),
    (SettingKind.ROAD, TimeOfDay.NIGHT): (_CRICKETS_FIRST,),
    (SettingKind.ROAD, TimeOfDay.DAY): (_BIRDS_EVENING,),
    (SettingKind.CITY, TimeOfDay.DAWN): (_BIRDS_EVENING,),
    (SettingKind.STREET, TimeOfDay.DAWN): (_BIRDS_EVENING,),
    (SettingKind.BEACH, TimeOfDay.DAY): (
        Layer(name="beach gulls", texture=partial(creatures.gulls, per_s=0.3), level_db=-15, is_alive=True),
    ),
}

_WEATHERS: Mapping[Weather, tuple[Layer, ...]] = {
    Weather.CLEAR: (),
    Weather.CLOUDY: (Layer(name="clouds", texture=partial(air.wind, strength=0.3), level_db=-7),),
    Weather.RAIN: (Layer(name="rain", texture=partial(water.rain, intensity=0.6), level_db=3),),
    Weather.STORM: (
        Layer(name="rain", texture=partial(water.rain, intensity=1.0), level_db=5),
        Layer(name="gale", texture=partial(air.wind, strength=1.0), level_db=4),
        Layer(name="far thunder", texture=_far_thunder, level_db=2),
    ),
    Weather.SNOW: (Layer(name="snowfall", texture=air.snow_hush, level_db=-3),),
    Weather.FOG: (Layer(name="damp", texture=partial(air.wind, strength=0.0), level_db=-6),),
    Weather.WIND: (Layer(name="gale", texture=partial(air.wind, strength=0.9), level_db=5),),
}
_FOG_HORN = Layer(name="fog horn", texture=_fog_horn, level_db=-4)
_LOUD = frozenset({Weather.RAIN, Weather.STORM, Weather.WIND})
_NO_ANIMALS = frozenset({Weather.RAIN, Weather.STORM, Weather.SNOW})

_BY_THE_WATER = frozenset({SettingKind.SEA, SettingKind.HARBOR, SettingKind.BEACH})
_SHELTERED = frozenset({SettingKind.UNDERWATER, SettingKind.SPACE, SettingKind.MOON})
_WINDOWED = frozenset({SettingKind.ROOM, SettingKind.KITCHEN, SettingKind.BEDROOM, SettingKind.CLASSROOM})
_THROUGH_A_WALL_DB, _THROUGH_WATER_DB = -3.0, -6.0


def is_loud(shot: Shot) -> bool:
    """Say whether the weather of the shot is heard at full strength where the film plays."""
    return shot.weather in _LOUD and shot.setting not in INDOORS | _SHELTERED


def ambience(shot: Shot, span: Span, *, seed: int) -> Stereo:
    """Compose the bed of the place, never silent; its overall level is left to the mix."""
    total = _sum(_place_layers(shot), span, seed=seed)
    outside = _outside_layers(shot)
    if outside:
        heard = _sum(outside, span, seed=seed)
        if shot.setting in INDOORS:
            heard = filtered(heard, span.sample_rate_hz, response=band(40.0, 1100.0, order=1)) * np.float32(
                db(_THROUGH_A_WALL_DB)
            )
        elif shot.setting is SettingKind.UNDERWATER:
            heard = filtered(heard, span.sample_rate_hz, response=band(40.0, 420.0)) * np.float32(db(_THROUGH_WATER_DB))
        total = total + heard
    if shot.weather is Weather.FOG and shot.setting not in INDOORS | _SHELTERED:
        total = filtered(total, span.sample_rate_hz, response=band(20.0, 1500.0, order=1))
    return total


def _sum(layers: tuple[Layer, ...], span: Span, *, seed: int) -> Stereo:
    total = span.silence()
    for layer in layers:
        total += layer.texture(span, random_for(seed, layer.name)) * np.float32(db(layer.level_db))
    return total


def _place_layers(shot: Shot) -> tuple[Layer, ...]:
    layers = _SETTINGS[shot.setting]
    if shot.setting in _GREEN:
        layers += _GREEN_HOURS[shot.time_of_day]
    layers += _HOURS.get((shot.setting, shot.time_of_day), ())
    if shot.weather is Weather.FOG and shot.setting in _BY_THE_WATER:
        layers += (_FOG_HORN,)
    if shot.weather in _NO_ANIMALS or shot.season == "winter":
        layers = tuple(layer for layer in layers if not layer.is_alive)
    return layers


def _outside_layers(shot: Shot) -> tuple[Layer, ...]:
    """Give the weather, and for a room with a window the hour outside it; nothing reaches space or a studio."""
    if shot.setting in (SettingKind.SPACE, SettingKind.MOON, SettingKind.SPACESHIP, SettingKind.STUDIO):
        return ()
    layers = _WEATHERS[shot.weather]
    if shot.setting in _WINDOWED and shot.weather not in _NO_ANIMALS:
        layers += _GREEN_HOURS[shot.time_of_day]
    return layers
