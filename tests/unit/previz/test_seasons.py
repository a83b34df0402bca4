"""Snow lies, rain wets the ground, leaves turn and trees blossom, where the shot says so."""

from dataclasses import replace

import numpy as np
import pytest

from understudy.engines.previz.pictures.seasons import in_season, is_snowy, season_of, snowed
from understudy.engines.previz.plan import Particle, SettingKind, Weather
from unit.previz.watching import Picture, frames_of, hue_share, shot_of

GREEN = (70, 160)


def ground_of(**changes: object) -> Picture:
    """The lower part of a picture without a subject."""
    frame = frames_of(shot_of(subjects=(), **changes), (0,))[0]
    return frame[int(frame.shape[0] * 0.62) :, :, :3]


def whiteness(picture: Picture) -> float:
    """How bright a picture is, less how much colour it has, 0..255."""
    pixels = picture.astype(int)
    return float((pixels.min(axis=2) - np.ptp(pixels, axis=2)).mean())


@pytest.mark.parametrize("setting", [SettingKind.MEADOW, SettingKind.FOREST, SettingKind.FARM, SettingKind.STREET])
@pytest.mark.parametrize("cause", [{"weather": Weather.SNOW}, {"season": "winter"}], ids=["snow", "winter"])
def test_snow_whitens_the_ground(setting: SettingKind, cause: dict[str, object]) -> None:
    assert whiteness(ground_of(setting=setting, **cause)) > whiteness(ground_of(setting=setting)) + 12


def test_a_forest_under_snow_has_no_green_left() -> None:
    frames = [
        frames_of(shot_of(subjects=(), setting=SettingKind.FOREST, props=("evergreen-tree",), **cause), (0,))[0]
        for cause in ({}, {"weather": Weather.SNOW})
    ]
    before, after = (hue_share(frame, GREEN) for frame in frames)
    assert before > 0.15
    assert after < 0.2 * before


def test_snow_lies_on_upper_edges_and_not_on_walls() -> None:
    house = np.zeros((60, 40, 4), np.uint8)
    house[20:, 5:35] = (150, 60, 50, 255)
    cold = snowed(house, ambient=(1.0, 1.0, 1.0), thick_px=5)
    assert cold[21, 20, :3].min() > 200
    assert np.array_equal(cold[45, 20], house[45, 20])
    assert np.array_equal(cold[..., 3], house[..., 3])


def test_no_snow_lies_indoors_or_in_the_sea() -> None:
    assert is_snowy(shot_of(weather=Weather.SNOW))
    assert not is_snowy(shot_of(weather=Weather.SNOW, setting=SettingKind.KITCHEN))
    assert not is_snowy(shot_of(weather=Weather.SNOW, setting=SettingKind.SEA))


@pytest.mark.parametrize("setting", [SettingKind.STREET, SettingKind.ROAD])
def test_rain_darkens_the_ground_and_stands_in_puddles(setting: SettingKind) -> None:
    wet, dry = (ground_of(setting=setting, weather=weather).mean(axis=2) for weather in (Weather.RAIN, Weather.CLOUDY))
    dark, bright = np.percentile(wet / np.maximum(dry, 1), (20, 88))
    assert dark < 0.75
    assert bright > 1.02


def test_autumn_turns_the_leaves_of_a_forest() -> None:
    green, turned = (
        frames_of(shot_of(subjects=(), setting=SettingKind.FOREST, season=season), (0,))[0][:60]
        for season in ("summer", "autumn")
    )
    redness = [
        float(np.subtract(*frame[..., :2].reshape(-1, 2).astype(float).mean(axis=0))) for frame in (green, turned)
    ]
    assert redness[1] > redness[0] + 8


def test_falling_petals_mean_spring_and_snow_means_winter() -> None:
    shot = shot_of(particles=(Particle.PETALS,))
    assert season_of(shot) == "spring"
    assert season_of(replace(shot, season="autumn")) == "autumn"
    assert season_of(replace(shot, weather=Weather.SNOW)) == "winter"


def test_nothing_blooms_under_snow() -> None:
    props = ("tulip", "rock", "sunflower", "evergreen-tree")
    assert in_season(shot_of(season="winter"), props) == ["rock", "evergreen-tree"]
    assert in_season(shot_of(), props) == list(props)
