"""Neon signs stand in towns that are to be neon, after dark."""

import pytest

from understudy.engines.previz.plan import CameraMove, SettingKind, TimeOfDay
from unit.previz.watching import frames_of, hue_share, shot_of

MAGENTA, CYAN = (290, 345), (165, 200)


def brights(style: str, setting: SettingKind, hour: TimeOfDay, camera: CameraMove = CameraMove.STATIC) -> float:
    """Share of the picture that is plainly magenta or cyan."""
    shot = shot_of(subjects=(), setting=setting, time_of_day=hour, style=style, camera=camera)
    frame = frames_of(shot, (0,))[0]
    return hue_share(frame, MAGENTA) + hue_share(frame, CYAN)


@pytest.mark.parametrize("camera", [CameraMove.STATIC, CameraMove.TRACK])
def test_a_neon_street_has_signs_in_colours_that_a_plain_one_has_not(camera: CameraMove) -> None:
    neon, plain = (brights(style, SettingKind.STREET, TimeOfDay.NIGHT, camera) for style in ("neon", ""))
    assert neon > plain + 0.01


def test_a_neon_city_has_signs_too() -> None:
    neon, plain = (brights(style, SettingKind.CITY, TimeOfDay.NIGHT) for style in ("cyberpunk", ""))
    assert neon > plain + 0.004


def test_neon_is_off_by_day() -> None:
    assert brights("neon", SettingKind.STREET, TimeOfDay.DAY) < 0.005
