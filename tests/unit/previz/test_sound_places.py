"""Places, weather and named sounds: changing one word of the plan changes what that word sounds like."""

import numpy as np
import pytest

from understudy.engines.previz.plan import Action, SettingKind, SoundCue, Subject, TimeOfDay, Weather
from understudy.engines.previz.sound import compose_sound
from understudy.engines.previz.sound.cues import STEPS_PER_S
from unit.previz.listening import added_sound, band_db, band_share, envelope, modulation_share, onsets_s, plan_of

RATE_HZ = 32_000
SEEDS = (1, 2, 3)


def samples_of(seed: int = 1, **changes: object):
    return compose_sound(plan_of(**changes), sample_rate_hz=RATE_HZ, channels=2, seed=seed).samples


def share(low_hz: float, high_hz: float, **changes: object) -> float:
    """Median over seeds of the share of power in a band."""
    return float(np.median([band_share(samples_of(seed, **changes), RATE_HZ, low_hz, high_hz) for seed in SEEDS]))


@pytest.mark.parametrize("setting", [SettingKind.MEADOW, SettingKind.CITY, SettingKind.SEA, SettingKind.DESERT])
def test_rain_is_brighter_than_a_clear_sky(setting):
    wet, dry = (share(5000, 16000, setting=setting, weather=weather) for weather in (Weather.RAIN, Weather.CLEAR))
    assert wet > 3 * dry


def test_rain_outside_a_room_is_duller_than_rain_in_the_open():
    inside, outside = (
        share(5000, 16000, setting=s, weather=Weather.RAIN) for s in (SettingKind.ROOM, SettingKind.MEADOW)
    )
    assert inside < 0.5 * outside


def test_a_storm_has_more_low_power_than_rain():
    def low_db(weather: Weather) -> float:
        return float(np.median([band_db(samples_of(seed, weather=weather), RATE_HZ, 25, 200) for seed in SEEDS]))

    assert low_db(Weather.STORM) > low_db(Weather.RAIN) + 6


def test_fog_swallows_high_frequencies():
    assert share(3000, 16000, weather=Weather.FOG) < 0.5 * share(3000, 16000, weather=Weather.CLEAR)


def test_a_windy_day_swells_more_than_a_calm_one():
    def swell(weather: Weather) -> float:
        levels = [envelope(samples_of(seed, weather=weather), RATE_HZ, (200, 2000)) for seed in SEEDS]
        return float(np.median([modulation_share(level, 50, 0.1, 1.2) for level in levels]))

    assert swell(Weather.WIND) > 1.2 * swell(Weather.CLEAR)


def test_surf_comes_and_goes_slowly_and_room_tone_does_not():
    def slow(setting: SettingKind) -> float:
        return modulation_share(envelope(samples_of(setting=setting), RATE_HZ, (200, 6000)), 50, 0.1, 0.8)

    assert slow(SettingKind.BEACH) > 3 * slow(SettingKind.STUDIO)


def test_under_water_nothing_is_bright():
    assert share(2000, 16000, setting=SettingKind.UNDERWATER) < 0.01 * share(2000, 16000, setting=SettingKind.RIVER)


def test_crickets_sing_on_through_the_night_and_not_by_day():
    def steady(hour: TimeOfDay) -> float:
        # The median over time: a bird by day sings as high, but not all the time.
        levels = [
            envelope(samples_of(seed, setting=SettingKind.FARM, time_of_day=hour), RATE_HZ, (4000, 5000))
            for seed in SEEDS
        ]
        return float(np.median(levels))

    assert steady(TimeOfDay.NIGHT) > 2 * steady(TimeOfDay.DAY)


def test_animals_fall_silent_in_winter():
    night = {"setting": SettingKind.MEADOW, "time_of_day": TimeOfDay.NIGHT}
    assert share(4000, 5000, **night) > 3 * share(4000, 5000, **night, season="winter")


def test_weather_does_not_reach_space():
    clear, storm = (samples_of(setting=SettingKind.SPACE, weather=w) for w in (Weather.CLEAR, Weather.STORM))
    assert np.array_equal(clear, storm)


# Where most of the power of each sound lies.
BANDS = {
    SoundCue.THUNDER: (20, 300),
    SoundCue.WAVES: (60, 3000),
    SoundCue.GULLS: (700, 4000),
    SoundCue.BIRDS: (1900, 6500),
    SoundCue.CRICKETS: (4000, 7000),
    SoundCue.ENGINE: (15, 400),
    SoundCue.FOOTSTEPS: (50, 6000),
    SoundCue.BELL: (140, 2500),
    SoundCue.FIRE: (900, 13000),
    SoundCue.APPLAUSE: (500, 6000),
    SoundCue.BARK: (300, 3000),
    SoundCue.MEOW: (380, 4500),
    SoundCue.DRUMS: (40, 300),
    SoundCue.MUSIC: (50, 1500),
    SoundCue.SPLASH: (300, 9000),
    SoundCue.WIND: (40, 2000),
}


@pytest.mark.parametrize("cue", SoundCue)
def test_a_named_sound_is_added_in_its_own_band_and_can_be_heard(cue):
    quiet = samples_of(setting=SettingKind.STUDIO)
    named = samples_of(setting=SettingKind.STUDIO, sounds=(cue,))
    added = added_sound(named, quiet)
    assert band_share(added, RATE_HZ, *BANDS[cue]) > 0.75
    loudest = [float(np.quantile(envelope(samples, RATE_HZ, BANDS[cue]), 0.95)) for samples in (added, named - added)]
    assert loudest[0] > loudest[1]


def test_two_named_sounds_lie_in_different_bands():
    quiet = samples_of(setting=SettingKind.STUDIO)
    crickets = added_sound(samples_of(setting=SettingKind.STUDIO, sounds=(SoundCue.CRICKETS,)), quiet)
    assert band_share(crickets, RATE_HZ, *BANDS[SoundCue.THUNDER]) < 0.01


def test_thunder_is_a_low_burst_that_dies_away():
    level = envelope(samples_of(setting=SettingKind.STUDIO, sounds=(SoundCue.THUNDER,)), RATE_HZ, (25, 200))
    peak = int(np.argmax(level))
    assert level[peak] > 4 * np.median(level[: max(5, peak - 25)])
    assert level[min(len(level) - 10, peak + 75) :].mean() < 0.35 * level[peak]


@pytest.mark.parametrize(("action", "other"), [(Action.WALK, Action.RUN), (Action.RUN, Action.WALK)])
def test_footsteps_keep_the_rhythm_of_the_walker(action, other):
    subjects = (Subject(art="man", word="man", action=action),)
    samples = samples_of(setting=SettingKind.STUDIO, subjects=subjects, sounds=(SoundCue.FOOTSTEPS,))
    steps = len(onsets_s(envelope(samples, RATE_HZ, (700, 6000), per_s=100), 100))
    assert abs(steps - 5 * STEPS_PER_S[action]) < abs(steps - 5 * STEPS_PER_S[other])


def test_a_driven_motor_turns_faster_than_an_idle_one():
    def motor(action: Action) -> float:
        subjects = (Subject(art="automobile", word="car", action=action),)
        return share(20, 45, setting=SettingKind.STUDIO, sounds=(SoundCue.ENGINE,), subjects=subjects)

    assert motor(Action.DRIVE) < 0.5 * motor(Action.IDLE)


def test_a_walker_is_heard_softly_even_when_no_steps_are_named():
    still, walking = (
        samples_of(setting=SettingKind.STUDIO, subjects=(Subject(art="man", word="man", action=action),))
        for action in (Action.IDLE, Action.WALK)
    )
    levels = [np.quantile(envelope(samples, RATE_HZ, (700, 6000), per_s=100), 0.98) for samples in (still, walking)]
    assert levels[1] > 1.5 * levels[0]


def test_music_is_played_only_when_asked_for():
    def beat(mood: str) -> float:
        return share(60, 700, setting=SettingKind.RIVER, mood=mood)

    assert beat("joyful") > 3 * beat("")


def test_adding_a_sound_leaves_the_place_as_it_was():
    place = {"setting": SettingKind.BEACH}
    alone = samples_of(**place, sounds=(SoundCue.BELL,))
    both = samples_of(**place, sounds=(SoundCue.BELL, SoundCue.CRICKETS))
    # The surf lies below the crickets; up to the level of the mix it is the same surf.
    surf = [envelope(samples, RATE_HZ, (5200, 9000)) for samples in (alone, both)]
    assert float(np.corrcoef(surf[0], surf[1])[0, 1]) > 0.9
