"""The sounds a prompt names, and those that a subject's motion makes: when they are heard, from where, how loud."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from understudy.engines.previz.plan import INDOORS, Action, SettingKind, Shot, SoundCue, Weather
from understudy.engines.previz.sound import air, creatures, things, water
from understudy.engines.previz.sound.loudness import loudest_lufs
from understudy.engines.previz.sound.signals import Mono, Span, Stereo, db, place, random_for
from understudy.engines.previz.speech_timing import Spoken

# The pace at which `pictures` sets down feet, two for each stride.
STEPS_PER_S: Mapping[Action, float] = {Action.WALK: 2.1, Action.RUN: 3.8, Action.DANCE: 1.9}

# The loudest 400 ms of each sound, in LUFS, where speech lies at -16.
_LEVELS_LUFS: Mapping[SoundCue, float] = {
    SoundCue.THUNDER: -13.0,
    SoundCue.WAVES: -19.0,
    SoundCue.GULLS: -20.0,
    SoundCue.BIRDS: -23.0,
    SoundCue.CRICKETS: -26.0,
    SoundCue.ENGINE: -19.0,
    SoundCue.FOOTSTEPS: -22.0,
    SoundCue.BELL: -18.0,
    SoundCue.FIRE: -21.0,
    SoundCue.APPLAUSE: -18.0,
    SoundCue.BARK: -16.0,
    SoundCue.MEOW: -17.0,
    SoundCue.SPLASH: -17.0,
    SoundCue.WIND: -20.0,
}
_MOTION_LEVEL_LUFS = -29.0
_SHORTEST_GAP_S = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the timing of a sound may depend on. span, spoken: of the shot, from its own beginning."""

    shot: Shot
    span: Span
    spoken: tuple[Spoken, ...]
    seed: int

    def random(self, name: str) -> np.random.Generator:
        """Give the generator of one named sound of this film."""
        return random_for(self.seed, name)


def named_sounds(scene: Scene) -> Stereo:
    """Sum the shot's sound cues (music and drums are `music`'s), each at its own level."""
    total = scene.span.silence()
    for cue in dict.fromkeys(scene.shot.sounds):
        maker = _MAKERS.get(cue)
        if maker is not None:
            total += _levelled(maker(scene), scene.span, _LEVELS_LUFS[cue])
    return total


def motion_sounds(scene: Scene) -> Stereo:
    """Sum what the subjects' actions sound like, softly: steps, a motor, water."""
    total = scene.span.silence()
    actions = {subject.action for subject in scene.shot.subjects}
    if scene.shot.setting in (SettingKind.SPACE, SettingKind.UNDERWATER, SettingKind.SKY):
        return total
    if actions & STEPS_PER_S.keys() and SoundCue.FOOTSTEPS not in scene.shot.sounds:
        total += _levelled(_footsteps(scene), scene.span, _MOTION_LEVEL_LUFS)
    if Action.DRIVE in actions and SoundCue.ENGINE not in scene.shot.sounds:
        total += _levelled(_engine(scene), scene.span, _MOTION_LEVEL_LUFS + 5)
    if Action.SWIM in actions and SoundCue.SPLASH not in scene.shot.sounds:
        total += _levelled(water.lapping(scene.span, scene.random("swim")), scene.span, _MOTION_LEVEL_LUFS + 3)
    return total


def _levelled(sound: Stereo, span: Span, level_lufs: float) -> Stereo:
    loudest = loudest_lufs(sound, span.sample_rate_hz)
    return sound * np.float32(db(level_lufs - loudest)) if np.isfinite(loudest) else sound


def moments_s(scene: Scene, *, length_s: float, every_s: float, rng: np.random.Generator) -> list[float]:
    """Choose when single events start: in the pauses of the speech if they fit there, else early in the film."""
    free = _pauses(scene.spoken, scene.span.duration_s)
    result: list[float] = []
    for start_s, stop_s in free:
        room_s = stop_s - start_s - min(length_s, _SHORTEST_GAP_S)
        if room_s <= 0:
            continue
        at_s = start_s + min(room_s, float(rng.uniform(0.1, 0.45)) * min(room_s, every_s))
        while at_s < stop_s - min(length_s, _SHORTEST_GAP_S) + 1e-6:
            if not result or at_s - result[-1] >= every_s * 0.7:
                result.append(at_s)
            at_s += every_s * float(rng.uniform(0.9, 1.1))
    if not result:
        widest = max(free, key=lambda pause: pause[1] - pause[0], default=(0.0, 0.0))
        result.append(max(0.0, widest[0]))
    return result


def _pauses(spoken: Sequence[Spoken], duration_s: float) -> list[tuple[float, float]]:
    edges = [0.0]
    for line in spoken:
        edges += [line.start_s, line.end_s]
    edges.append(duration_s)
    return [(start_s, stop_s) for start_s, stop_s in zip(edges[::2], edges[1::2], strict=True) if stop_s > start_s]


def _single(
    scene: Scene,
    name: str,
    *,
    sound: Callable[[int, np.random.Generator], Mono],
    length_s: float,
    every_s: float,
) -> Stereo:
    rng = scene.random(name)
    bus = scene.span.silence()
    for at_s in moments_s(scene, length_s=length_s, every_s=every_s, rng=rng):
        pan = float(rng.uniform(-0.4, 0.4))
        place(bus, sound(scene.span.sample_rate_hz, rng), at=scene.span.index(at_s), pan=pan)
    return bus


def _thunder(scene: Scene) -> Stereo:
    near = partial(things.thunder, is_near=True)
    return _single(scene, "thunder", sound=near, length_s=1.2, every_s=4.5)


def _bell(scene: Scene) -> Stereo:
    strike_hz = float(scene.random("bell pitch").choice([294.0, 330.0, 392.0]))
    return _single(
        scene, "bell", sound=lambda rate_hz, _: things.bell(rate_hz, strike_hz=strike_hz), length_s=0.8, every_s=1.9
    )


def _bark(scene: Scene) -> Stereo:
    return _single(scene, "bark", sound=creatures.bark, length_s=0.8, every_s=1.8)


def _meow(scene: Scene) -> Stereo:
    return _single(scene, "meow", sound=creatures.meow, length_s=0.8, every_s=2.6)


def _splash(scene: Scene) -> Stereo:
    return _single(
        scene, "splash", sound=lambda rate_hz, rng: water.splash(Span(num_samples=1, sample_rate_hz=rate_hz), rng),
        length_s=0.9, every_s=2.4,
    )  # fmt: skip


def _surface(shot: Shot) -> things.Surface:
    if shot.setting is SettingKind.SNOWFIELD or shot.weather is Weather.SNOW:
        return things.Surface.SNOW
    if shot.setting in (SettingKind.BEACH, SettingKind.DESERT):
        return things.Surface.SAND
    hard = {SettingKind.CITY, SettingKind.STREET, SettingKind.ROAD, SettingKind.HARBOR, SettingKind.COURTYARD}
    return things.Surface.HARD if shot.setting in INDOORS | hard else things.Surface.SOFT


def _footsteps(scene: Scene) -> Stereo:
    """Step in the rhythm of the fastest stepping subject; someone off screen walks where nobody on screen does."""
    rng = scene.random("footsteps")
    rates = [STEPS_PER_S[subject.action] for subject in scene.shot.subjects if subject.action in STEPS_PER_S]
    rate_per_s = max(rates, default=STEPS_PER_S[Action.WALK])
    surface = _surface(scene.shot)
    feet = [things.footstep(scene.span.sample_rate_hz, rng, surface=surface) for _ in range(6)]
    bus = scene.span.silence()
    for number in range(int(scene.span.duration_s * rate_per_s)):
        at_s = (number + 0.25) / rate_per_s + float(rng.normal(0.0, 0.008))
        place(
            bus,
            feet[int(rng.integers(0, len(feet)))],
            at=scene.span.index(at_s),
            gain=float(rng.uniform(0.75, 1.0)),
            pan=0.12 if number % 2 else -0.12,
        )
    return bus


def _engine(scene: Scene) -> Stereo:
    is_driving = any(subject.action is Action.DRIVE for subject in scene.shot.subjects)
    return things.engine(scene.span, scene.random("engine"), is_driving=is_driving)


def _texture(scene: Scene, *, name: str, texture: Callable[[Span, np.random.Generator], Stereo]) -> Stereo:
    return texture(scene.span, scene.random(name))


_MAKERS: Mapping[SoundCue, Callable[[Scene], Stereo]] = {
    SoundCue.THUNDER: _thunder,
    SoundCue.WAVES: partial(_texture, name="waves cue", texture=partial(water.waves, period_s=3.6)),
    SoundCue.GULLS: partial(_texture, name="gulls cue", texture=partial(creatures.gulls, per_s=0.9)),
    SoundCue.BIRDS: partial(_texture, name="birds cue", texture=partial(creatures.birds, per_s=3.0)),
    SoundCue.CRICKETS: partial(_texture, name="crickets cue", texture=creatures.crickets),
    SoundCue.ENGINE: _engine,
    SoundCue.FOOTSTEPS: _footsteps,
    SoundCue.BELL: _bell,
    SoundCue.FIRE: partial(_texture, name="fire cue", texture=things.fire),
    SoundCue.APPLAUSE: partial(_texture, name="applause cue", texture=things.applause),
    SoundCue.BARK: _bark,
    SoundCue.MEOW: _meow,
    SoundCue.SPLASH: _splash,
    SoundCue.WIND: partial(_texture, name="wind cue", texture=partial(air.wind, strength=0.85)),
}
