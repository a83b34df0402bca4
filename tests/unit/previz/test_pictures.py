"""The painted frames show the shot: light, weather, subject, voice; and equal plans give equal frames."""

import subprocess
import sys
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from understudy.engines.previz.pictures import FilmPainter
from understudy.engines.previz.plan import (
    Action,
    CameraMove,
    Framing,
    Particle,
    SettingKind,
    TimeOfDay,
    Weather,
)
from unit.previz.watching import (
    FPS,
    Picture,
    blobs,
    canvas_of,
    changed_share,
    drift,
    frames_of,
    hue_share,
    luminance,
    middle,
    shot_of,
    spoken_line,
)

TESTS = Path(__file__).parents[2]
_HASH = """
import hashlib
from understudy.engines.previz.plan import CameraMove, Particle
from unit.previz.watching import frames_of, shot_of
shot = shot_of("dog", camera=CameraMove.ORBIT, particles=(Particle.PETALS,), props=("tulip",))
print(hashlib.sha256(b"".join(frame.tobytes() for frame in frames_of(shot, (0, 40)))).hexdigest())
"""


def test_the_same_film_has_the_same_bytes_in_two_processes() -> None:
    prints = [
        subprocess.run(
            [sys.executable, "-c", _HASH], capture_output=True, text=True, check=True, cwd=TESTS, timeout=120
        ).stdout
        for _ in range(2)
    ]
    assert prints[0] == prints[1]
    assert len(prints[0].strip()) == 64


@pytest.mark.parametrize("camera", [CameraMove.STATIC, CameraMove.PUSH_IN])
def test_a_frame_does_not_depend_on_the_frames_painted_before_it(camera: CameraMove) -> None:
    shot = shot_of("dog", camera=camera, particles=(Particle.PETALS,), props=("tulip", "deciduous-tree"))
    alone = frames_of(shot, (9,))[0]
    in_order = frames_of(shot, range(10))[9]
    assert np.array_equal(alone, in_order)


@pytest.mark.parametrize("camera", [CameraMove.PUSH_IN, CameraMove.CRANE_UP])
@pytest.mark.parametrize("setting", [SettingKind.COURTYARD, SettingKind.CITY, SettingKind.MOUNTAINS])
def test_what_is_hidden_behind_a_wall_is_not_seen_from_the_frame_before(
    setting: SettingKind, camera: CameraMove
) -> None:
    shot = shot_of("dog", setting=setting, camera=camera)
    painted_first = frames_of(shot, (FPS,))[0]
    painted_later = frames_of(shot, (0, FPS))[1]
    assert np.array_equal(painted_first, painted_later)


def test_another_seed_gives_another_picture() -> None:
    shot = shot_of(props=("deciduous-tree", "rock", "tulip"))
    first, second = frames_of(shot, (0,), seed=1)[0], frames_of(shot, (0,), seed=2)[0]
    assert changed_share(first, second) > 0.1


_EVERY_MEMBER = [
    *[{"setting": member} for member in SettingKind],
    *[{"time_of_day": member} for member in TimeOfDay],
    *[{"weather": member} for member in Weather],
    *[{"particles": (member,)} for member in Particle],
    *[{"camera": member} for member in CameraMove],
    *[{"framing": member} for member in Framing],
    *[{"action": member} for member in Action],
    *[{"action": member, "art": "girl"} for member in Action],
]


@pytest.mark.parametrize("change", _EVERY_MEMBER, ids=lambda change: "-".join(str(value) for value in change.values()))
def test_every_member_of_the_plan_paints_an_opaque_picture(change: dict[str, object]) -> None:
    values = dict(change)
    shot = shot_of(str(values.pop("art", "cat")), **values)
    for frame in frames_of(shot, (0, FPS), size_px=(192, 108)):
        assert frame.shape == (108, 192, 4)
        assert frame.dtype == np.uint8
        assert (frame[..., 3] == 255).all()
        assert frame[..., :3].std() > 8


@cache
def _setting_at(setting: SettingKind, time: TimeOfDay) -> Picture:
    """The first picture of a setting, small."""
    return frames_of(shot_of(setting=setting, time_of_day=time), (0,), size_px=(192, 108))[0]


_DARKENED = [kind for kind in SettingKind if kind not in (SettingKind.SPACE, SettingKind.STAGE, SettingKind.MOON)]


def test_night_is_clearly_darker_than_day_in_every_setting() -> None:
    shares = {
        setting: luminance(_setting_at(setting, TimeOfDay.NIGHT)) / luminance(_setting_at(setting, TimeOfDay.DAY))
        for setting in _DARKENED
    }
    assert {setting: share for setting, share in shares.items() if share >= 0.72} == {}


def test_dusk_is_warmer_than_day() -> None:
    warmth = [
        float(np.subtract(*frames_of(shot_of(time_of_day=time), (0,))[0][..., :3:2].reshape(-1, 2).mean(axis=0)))
        for time in (TimeOfDay.DUSK, TimeOfDay.DAY)
    ]
    assert warmth[0] > warmth[1] + 20


def test_every_setting_looks_different_from_every_other() -> None:
    pictures = [_setting_at(kind, TimeOfDay.DAY) for kind in SettingKind]
    alike = [
        (a, b)
        for a in range(len(pictures))
        for b in range(a + 1, len(pictures))
        if changed_share(pictures[a], pictures[b]) < 0.2
    ]
    assert not alike


def unrest_above(**changes: Any) -> float:
    """How much of the upper third of the picture changes within four frames, behind a subject that hardly moves."""
    frames = frames_of(shot_of("rock", **changes), (10, 14))
    return changed_share(*[frame[: frame.shape[0] // 3] for frame in frames])


@pytest.mark.parametrize("weather", [Weather.RAIN, Weather.STORM, Weather.SNOW, Weather.WIND])
def test_weather_moves_through_the_air(weather: Weather) -> None:
    calm = unrest_above(setting=SettingKind.SNOWFIELD)
    assert unrest_above(setting=SettingKind.SNOWFIELD, weather=weather) > calm + 0.004


@pytest.mark.parametrize("weather", [Weather.RAIN, Weather.SNOW])
def test_it_does_not_rain_indoors(weather: Weather) -> None:
    assert unrest_above(setting=SettingKind.ROOM, weather=weather) < 0.002


@pytest.mark.parametrize("kind", [kind for kind in Particle if kind is not Particle.DUST])
def test_particles_move_through_the_air(kind: Particle) -> None:
    night = {"setting": SettingKind.STUDIO, "time_of_day": TimeOfDay.NIGHT}
    assert unrest_above(**night, particles=(kind,)) > unrest_above(**night) + 0.004


def test_snow_falls() -> None:
    frames = frames_of(shot_of(subjects=(), setting=SettingKind.ROAD, weather=Weather.SNOW), (10, 11))
    assert drift(frames, (0.0, 0.4))[1] > 0.4


def test_bubbles_rise() -> None:
    frames = frames_of(shot_of(subjects=(), setting=SettingKind.STUDIO, particles=(Particle.BUBBLES,)), (10, 11))
    assert drift([frame[: frame.shape[0] // 3, 110:210] for frame in frames])[1] < -0.4


def test_fog_takes_the_contrast_away() -> None:
    clear, fog = (
        frames_of(shot_of("rock", setting=SettingKind.FOREST, weather=weather), (0,))[0][..., :3].std()
        for weather in (Weather.CLEAR, Weather.FOG)
    )
    assert fog < 0.8 * clear


def test_a_storm_flashes() -> None:
    frames = frames_of(shot_of("rock", weather=Weather.STORM), range(0, FPS * 4, 2), size_px=(160, 90))
    levels = np.array([luminance(frame) for frame in frames])
    assert levels.max() > np.median(levels) + 12
    calm = frames_of(shot_of("rock", weather=Weather.RAIN), range(0, FPS * 4, 2), size_px=(160, 90))
    assert np.ptp([luminance(frame) for frame in calm]) < 6


def test_another_subject_changes_the_middle_of_the_picture() -> None:
    cat, otter = (frames_of(shot_of(art), (0,))[0] for art in ("cat", "otter"))
    assert changed_share(middle(cat), middle(otter)) > 0.2
    assert changed_share(cat[:30], otter[:30]) < 0.05


def test_a_closer_framing_shows_more_of_the_subject() -> None:
    shares = [
        hue_share(frames_of(shot_of("automobile", setting=SettingKind.SNOWFIELD, framing=framing), (0,))[0], (335, 12))
        for framing in (Framing.WIDE, Framing.MEDIUM, Framing.CLOSE_UP)
    ]
    assert shares[0] * 1.5 < shares[1]
    assert shares[1] * 1.2 < shares[2]


def test_a_tint_recolours_the_subject() -> None:
    red, blue = (
        middle(frames_of(shot_of("automobile", tint=tint, setting=SettingKind.SNOWFIELD), (0,))[0])
        for tint in ("red", "blue")
    )
    assert hue_share(red, (335, 12)) > 0.2
    assert hue_share(blue, (335, 12)) < 0.03


def test_as_many_subjects_are_seen_as_the_plan_counts() -> None:
    for count in (1, 2, 3):
        shot = shot_of("automobile", setting=SettingKind.SNOWFIELD, framing=Framing.WIDE, count=count)
        assert blobs(frames_of(shot, (0,), size_px=(640, 360))[0], (335, 12)) == count


def test_a_hat_sits_on_the_subject() -> None:
    bare = frames_of(shot_of("penguin", setting=SettingKind.STUDIO), (0,))[0]
    hatted = frames_of(shot_of("penguin", setting=SettingKind.STUDIO, wears=("top-hat",)), (0,))[0]
    # Shadows change with the outline too, so the hat is where most of the change is.
    changed = (np.abs(bare.astype(int) - hatted)[..., :3].max(axis=2) > 20).sum(axis=1)
    height = bare.shape[0]
    assert changed[: height // 2].sum() > 4 * changed[height // 2 :].sum()
    assert changed.sum() > 600


def test_an_unknown_subject_is_a_figure() -> None:
    empty = frames_of(shot_of(subjects=()), (0,))[0]
    unknown = frames_of(shot_of(""), (0,))[0]
    assert changed_share(middle(empty), middle(unknown)) > 0.12


@pytest.mark.parametrize("art", ["man", "cat", "fox", "detective", ""])
def test_the_speaker_moves_with_the_voice(art: str) -> None:
    loud, silent = spoken_line(1.0), spoken_line(0.0)
    shot = shot_of(art, Action.SPEAK, setting=SettingKind.STUDIO)
    quiet_then, loud_then = (frames_of(shot, (12, 48), speech=speech) for speech in (silent, loud))
    assert changed_share(quiet_then[1], loud_then[1]) > 0.008
    assert np.array_equal(quiet_then[0], loud_then[0])


def test_who_does_not_speak_does_not_move_with_the_voice() -> None:
    loud, silent = (tuple(replace(said, speaker=None) for said in spoken_line(level)) for level in (1.0, 0.0))
    shot = shot_of("man", Action.SPEAK, setting=SettingKind.STUDIO)
    voiced, unvoiced = (frames_of(shot, (48,), speech=speech)[0] for speech in (loud, silent))
    assert np.array_equal(voiced, unvoiced)


_LIVELY = [Action.WALK, Action.RUN, Action.JUMP, Action.FLY, Action.SWIM, Action.ROLL, Action.DANCE, Action.SPIN,
           Action.WAVE, Action.FALL, Action.RISE, Action.SHAKE, Action.YAWN, Action.FLOAT]  # fmt: skip


@pytest.mark.parametrize("action", _LIVELY)
def test_an_action_moves_more_than_standing_idle(action: Action) -> None:
    def unrest(what: Action) -> float:
        frames = frames_of(shot_of("dog", what, setting=SettingKind.STUDIO), range(0, 60, 6))
        return float(np.mean([changed_share(a, b) for a, b in pairwise(frames)]))

    assert unrest(action) > 1.25 * unrest(Action.IDLE)


# Colour is taken from the whole picture at the end, whatever the setting: every fifth of them tells.
@pytest.mark.parametrize(
    "setting",
    [pytest.param(kind, marks=[pytest.mark.long] * bool(place % 5)) for place, kind in enumerate(SettingKind)],
)
def test_noir_has_no_colour(setting: SettingKind) -> None:
    shot = shot_of(setting=setting, time_of_day=TimeOfDay.DUSK, weather=Weather.RAIN, style="noir",
                   particles=(Particle.PETALS,), props=("tulip",))  # fmt: skip
    frame = frames_of(shot, (5,), size_px=(192, 108))[0][..., :3]
    assert np.ptp(frame.astype(int), axis=2).max() <= 8


@pytest.mark.parametrize("size_px", [(372, 278), (490, 210), (166, 288), (180, 180), (208, 90)])
def test_any_shape_of_frame_is_filled(size_px: tuple[int, int]) -> None:
    for setting in (SettingKind.STREET, SettingKind.SEA, SettingKind.ROOM):
        frame = frames_of(shot_of("man", setting=setting, camera=CameraMove.ORBIT), (40,), size_px=size_px)[0]
        assert frame.shape == (size_px[1], size_px[0], 4)
        assert frame[..., :3].reshape(-1, 3).any(axis=1).mean() > 0.97


def test_the_frame_is_reused() -> None:
    painter = FilmPainter(shot_of(), canvas_of())
    assert painter.paint(0) is painter.paint(1)


@pytest.mark.full
def test_the_largest_frame_is_painted() -> None:
    shot = shot_of("otter", setting=SettingKind.HARBOR, camera=CameraMove.PUSH_IN, props=("sailboat",))
    frame = frames_of(shot, (0,), size_px=(3840, 2160))[0]
    assert frame.shape == (2160, 3840, 4)
    assert frame[..., :3].std() > 20
