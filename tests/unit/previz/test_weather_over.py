"""Rain, snow and petals before a given frame: they fall, and the frame itself stays as it is given."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from understudy.engines.previz.board.weather_over import with_weather
from understudy.engines.previz.pictures import Canvas
from understudy.engines.previz.plan import Particle, SettingKind, Shot, Weather
from understudy.media.decode import fitted, read_image
from unit.previz.watching import Picture, changed_share

PICTURES = Path(__file__).parents[2] / "assets" / "pictures"
CANVAS = Canvas(width_px=640, height_px=360, fps=24, num_frames=48, seed=5)
END = CANVAS.num_frames - 1


class Still:
    """A film of one picture at rest."""

    def __init__(self, level: int | None = None) -> None:
        self.picture = np.full((360, 640, 4), 255, np.uint8)
        photograph = fitted(read_image(min(PICTURES.glob("*.jpg"))), 640, 360)
        self.picture[..., :3] = photograph if level is None else level
        self.is_open = True

    def paint(self, index: int) -> Picture:
        return self.picture

    def close(self) -> None:
        self.is_open = False


def shot(**changes: object) -> Shot:
    return Shot(duration_s=2, **changes)  # type: ignore[arg-type]


_AIRS = [
    *({"weather": member} for member in (Weather.RAIN, Weather.STORM, Weather.SNOW, Weather.FOG, Weather.WIND)),
    *({"particles": (member,)} for member in (Particle.PETALS, Particle.LEAVES, Particle.FIREFLIES)),
]


@pytest.mark.parametrize("air", _AIRS, ids=lambda air: str(next(iter(air.values()))))
def test_what_the_prompt_puts_into_the_air_is_seen_and_moves(air: dict[str, object]) -> None:
    still = Still(90)
    film = with_weather(still, shot(**air), CANVAS)
    first, later = film.paint(20).copy(), film.paint(44).copy()
    assert changed_share(first, still.picture) > 0.003
    assert changed_share(first, later) > 0.002
    assert (first[..., 3] == 255).all()


def test_a_given_first_frame_stays_to_the_byte_and_the_air_fills_after_it() -> None:
    still = Still()
    film = with_weather(still, shot(weather=Weather.SNOW), CANVAS)
    assert np.array_equal(film.paint(0), still.picture)
    little, much = (np.abs(film.paint(index).astype(int) - still.picture).mean() for index in (3, 24))
    assert 0 < little < 0.5 * much


def test_a_given_last_frame_is_seen_clear() -> None:
    still = Still()
    given, free = (
        with_weather(still, shot(weather=Weather.SNOW), CANVAS, ends_as_given=is_given).paint(END).copy()
        for is_given in (True, False)
    )
    assert np.array_equal(given, still.picture)
    assert not np.array_equal(free, still.picture)


def test_near_flakes_are_larger_than_far_ones() -> None:
    film = with_weather(Still(40), shot(weather=Weather.SNOW), CANVAS)
    flakes = (film.paint(30)[..., 0] > 110).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(flakes)
    sizes = np.sort(stats[1:, cv2.CC_STAT_AREA])
    assert len(sizes) > 20
    assert sizes[-3] > 3 * np.median(sizes)


def test_clear_weather_and_rain_outside_a_room_add_nothing() -> None:
    still = Still()
    assert with_weather(still, shot(), CANVAS) is still
    assert with_weather(still, shot(weather=Weather.RAIN, setting=SettingKind.ROOM), CANVAS) is still


def test_equal_seeds_fall_equally_in_whatever_order_frames_are_asked_for() -> None:
    films = [with_weather(Still(), shot(weather=Weather.RAIN), CANVAS) for _ in range(2)]
    films[0].paint(5)
    assert np.array_equal(films[0].paint(20), films[1].paint(20))


def test_closing_it_closes_what_is_behind_it() -> None:
    still = Still()
    with_weather(still, shot(weather=Weather.RAIN), CANVAS).close()
    assert not still.is_open
