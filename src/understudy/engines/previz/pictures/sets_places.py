"""Built places under the sky: temple, castle, market, rooftop, stadium."""

from functools import partial

import numpy as np

from understudy.engines.previz.pictures import ground, land
from understudy.engines.previz.pictures.boards import Pen, board_panel
from understudy.engines.previz.pictures.canvas import Floats, Rgb
from understudy.engines.previz.pictures.land import Spot
from understudy.engines.previz.pictures.layers import Layer, Panel, Shade
from understudy.engines.previz.pictures.light import dimmed, mix
from understudy.engines.previz.pictures.scene import SceneSet, Stagehand
from understudy.engines.previz.pictures.sets_open import greens, lamp_glow, lay
from understudy.engines.previz.pictures.sky import open_sky

_RED: Rgb = (0.72, 0.20, 0.14)
_STONE: Rgb = (0.62, 0.60, 0.57)
_GOODS: tuple[Rgb, ...] = (
    (0.88, 0.26, 0.20), (0.96, 0.62, 0.18), (0.98, 0.84, 0.30), (0.48, 0.70, 0.26), (0.56, 0.26, 0.52),
    (0.92, 0.50, 0.42),
)  # fmt: skip


def temple(stagehand: Stagehand) -> SceneSet:
    """A hall with a curved roof and red columns at the end of a stone path, among pines."""
    d, rng, look = stagehand.distance, stagehand.rng, stagehand.look
    _light, dark, _dry = greens(stagehand)
    gravel = ground.plain(rng, light=(0.78, 0.75, 0.68), dark=(0.66, 0.62, 0.56), repeat=stagehand.repeat)
    slabs = ground.paving(rng, light=(0.70, 0.69, 0.67), dark=(0.52, 0.51, 0.50), tile=0.5, repeat=stagehand.repeat)
    path = (
        ground.band_along(gravel, slabs, low=d * 0.8, high=d * 1.3)
        if stagehand.is_passing
        else ground.lane_into(gravel, slabs, half=0.9)
    )
    surface, baked = lay(stagehand, path)
    layers: list[Layer] = [
        *open_sky(stagehand),
        surface,
        land.hills(stagehand, Spot(depth=20 * d, height=5.4), light=(0.50, 0.62, 0.62), dark=(0.36, 0.50, 0.54)),
        land.tree_line(stagehand, Spot(depth=8 * d, height=3.4), colour=dimmed(dark, 0.62), is_pine=True),
        board_panel(stagehand, (5.2 * d, 5.0), _hall, span=(-4.4, 4.4)),
    ]
    for side in (-1.0, 1.0):
        layers.append(_stone_lantern(stagehand, side * 1.7, depth=3.0 * d))
        if look.is_dark:
            layers.append(lamp_glow(stagehand, x=side * 1.7, y=0.86, depth=2.99 * d, across=1.4))
            layers.append(lamp_glow(stagehand, x=side * 1.1, y=1.5, depth=5.1 * d, across=2.6))
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.3, 2.8), prop_side=1.0)


def _hall(pen: Pen) -> None:
    """Steps, columns, doors and two roofs whose eaves turn up."""
    for step in range(4):
        pen.rect(
            (-3.4 + 0.12 * step, 0.14 * step, 3.4 - 0.12 * step, 0.14 * (step + 1)),
            dimmed(_STONE, 0.9 + 0.08 * (step % 2)),
        )
    pen.rect((-2.9, 0.56, 2.9, 2.2), (0.46, 0.18, 0.14))
    for x in np.arange(-2.45, 2.5, 0.7):
        pen.rect((x - 0.25, 0.62, x + 0.25, 1.85), (0.30, 0.14, 0.11))
        for bar in (-0.15, 0.0, 0.15):
            pen.rect((x + bar - 0.02, 0.66, x + bar + 0.02, 1.82), (0.80, 0.58, 0.30))
    for x in np.arange(-2.8, 2.9, 0.7):
        pen.rect((x - 0.09, 0.56, x + 0.09, 2.2), _RED)
        pen.rect((x - 0.09, 0.56, x - 0.04, 2.2), dimmed(_RED, 1.25))
    pen.rect((-3.0, 2.05, 3.0, 2.3), (0.20, 0.42, 0.44))
    for x in np.arange(-2.9, 3.0, 0.24):
        pen.rect((x - 0.05, 2.1, x + 0.05, 2.26), (0.90, 0.72, 0.30))
    _roof(pen, foot=2.25, half=4.1, top=3.35, ridge=1.9)
    pen.rect((-1.6, 3.3, 1.6, 3.75), _RED)
    _roof(pen, foot=3.7, half=2.5, top=4.65, ridge=0.9)


def _roof(pen: Pen, *, foot: float, half: float, top: float, ridge: float) -> None:
    tile: Rgb = (0.22, 0.34, 0.32)
    outline = [(-half, foot + 0.26)]
    parts = np.linspace(0, 1, 14)
    left = [
        (-half + (half - ridge) * p, foot + 0.26 - 0.36 * p * (1 - p) * 2 + (top - foot - 0.26) * p**1.7) for p in parts
    ]
    outline = [*left, *[(-x, y) for x, y in reversed(left)], (half * 0.86, foot), (-half * 0.86, foot)]
    pen.poly(outline, tile)
    for x in np.arange(-half * 0.92, half * 0.93, 0.17):
        p = np.clip((half - abs(x)) / (half - ridge), 0, 1)
        y = foot + 0.26 - 0.72 * p * (1 - p) + (top - foot - 0.26) * p**1.7
        pen.line((x, foot + 0.05), (x * 0.96, y - 0.05), thick=0.03, colour=dimmed(tile, 1.45))
    pen.rect((-ridge - 0.1, top - 0.05, ridge + 0.1, top + 0.1), dimmed(tile, 0.7))
    for x in (-ridge - 0.1, ridge + 0.1):
        pen.disc((x, top + 0.1), 0.11, (0.86, 0.68, 0.30))


def _stone_lantern(stagehand: Stagehand, x: float, *, depth: float) -> Panel:
    is_lit = stagehand.look.is_dark

    def draw(pen: Pen) -> None:
        pen.rect((x - 0.20, 0.0, x + 0.20, 0.12), _STONE)
        pen.rect((x - 0.08, 0.12, x + 0.08, 0.66), dimmed(_STONE, 0.9))
        pen.rect((x - 0.20, 0.66, x + 0.20, 0.74), _STONE)
        pen.rect((x - 0.15, 0.74, x + 0.15, 1.0), dimmed(_STONE, 0.86))
        pen.rect((x - 0.08, 0.78, x + 0.08, 0.96), (3.0, 2.3, 1.2) if is_lit else (0.30, 0.28, 0.26))
        pen.poly([(x - 0.32, 0.98), (x + 0.32, 0.98), (x + 0.08, 1.18), (x - 0.08, 1.18)], dimmed(_STONE, 0.8))
        pen.disc((x, 1.22), 0.06, _STONE)

    return board_panel(stagehand, (depth, 1.3), draw, span=(x - 0.4, x + 0.4))


def castle(stagehand: Stagehand) -> SceneSet:
    """A cobbled yard before curtain walls, a gatehouse and towers with flags."""
    d, rng = stagehand.distance, stagehand.rng
    cobbles = ground.paving(rng, light=(0.60, 0.57, 0.53), dark=(0.42, 0.40, 0.38), tile=0.24, repeat=stagehand.repeat)
    surface, baked = lay(stagehand, cobbles)
    layers: list[Layer] = [
        *open_sky(stagehand),
        surface,
        land.hills(stagehand, Spot(depth=22 * d, height=4.6), light=(0.48, 0.62, 0.52), dark=(0.34, 0.48, 0.48)),
        board_panel(stagehand, (9.0 * d, 9.0), lambda pen: _keep(pen, rng, glow=stagehand.look.glow)),
        board_panel(stagehand, (5.6 * d, 4.8), lambda pen: _curtain_wall(pen, rng, glow=stagehand.look.glow)),
    ]
    if stagehand.look.is_dark:
        layers.extend(lamp_glow(stagehand, x=x, y=1.35, depth=5.5 * d, across=2.6) for x in (-1.35, 1.35))
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.3, 3.4), prop_side=0.9)


def _stones(pen: Pen, rng: np.random.Generator, box: tuple[float, float, float, float], *, colour: Rgb) -> None:
    """A wall of blocks."""
    left, foot, right, top = box
    pen.rect(box, dimmed(colour, 0.9))
    for row, y in enumerate(np.arange(foot, top, 0.24)):
        for x in np.arange(left + (0.22 if row % 2 else 0.0), right - 0.05, 0.44):
            if rng.random() < 0.55:
                pen.rect(
                    (x + 0.015, y + 0.015, min(x + 0.425, right), min(y + 0.225, top)),
                    dimmed(colour, rng.uniform(0.84, 1.12)),
                )


def _tower(pen: Pen, rng: np.random.Generator, *, place: tuple[float, float, float], colour: Rgb, lit: bool) -> None:
    """A round tower with a pointed roof. place: its middle, half its width and its height."""
    x, half, top = place
    _stones(pen, rng, (x - half, 0.0, x + half, top), colour=colour)
    pen.rect((x - half, 0.0, x - half * 0.62, top), dimmed(colour, 0.72))
    pen.rect((x - half * 1.18, top - 0.1, x + half * 1.18, top + 0.18), dimmed(colour, 0.95))
    for merlon in np.linspace(-1.05, 1.05, 5):
        pen.rect((x + merlon * half - 0.12, top + 0.18, x + merlon * half + 0.12, top + 0.42), colour)
    pen.poly(
        [(x - half * 1.05, top + 0.2), (x + half * 1.05, top + 0.2), (x, top + 0.2 + 2.3 * half)], (0.30, 0.34, 0.46)
    )
    pen.poly([(x, top + 0.2), (x + half * 1.05, top + 0.2), (x, top + 0.2 + 2.3 * half)], (0.38, 0.42, 0.56))
    tip = top + 0.2 + 2.3 * half
    pen.line((x, tip), (x, tip + 0.5), thick=0.03, colour=(0.3, 0.26, 0.22))
    pen.poly([(x, tip + 0.5), (x + 0.5, tip + 0.38), (x, tip + 0.24)], (0.78, 0.16, 0.18))
    for y in (top * 0.45, top * 0.75):
        window: Rgb = (2.4, 1.8, 0.9) if lit else (0.16, 0.15, 0.17)
        pen.rect((x - 0.07, y, x + 0.07, y + 0.3), window)
        pen.disc((x, y + 0.3), 0.07, window)


def _keep(pen: Pen, rng: np.random.Generator, *, glow: float) -> None:
    stone: Rgb = (0.60, 0.59, 0.60)
    _stones(pen, rng, (-2.4, 0.0, 2.4, 4.6), colour=stone)
    for x in np.arange(-2.3, 2.4, 0.5):
        pen.rect((x - 0.13, 4.6, x + 0.13, 4.86), stone)
    for x, half, top in ((-2.6, 0.55, 5.4), (2.6, 0.55, 5.4), (0.5, 0.75, 6.0), (-5.2, 0.6, 3.8), (5.4, 0.6, 3.8)):
        _tower(pen, rng, place=(x, half, top), colour=stone, lit=glow > 0.3)


def _curtain_wall(pen: Pen, rng: np.random.Generator, *, glow: float) -> None:
    _stones(pen, rng, (pen.low, 0.0, pen.high, 2.3), colour=_STONE)
    for x in np.arange(np.floor(pen.low / 0.5) * 0.5, pen.high, 0.5):
        pen.rect((x, 2.3, x + 0.28, 2.56), _STONE)
    for x in (-1.15, 1.15):
        _tower(pen, rng, place=(x, 0.42, 2.9), colour=dimmed(_STONE, 1.06), lit=glow > 0.3)
    pen.rect((-0.6, 0.0, 0.6, 1.15), (0.20, 0.14, 0.10))
    pen.disc((0.0, 1.15), 0.6, (0.20, 0.14, 0.10))
    for x in np.arange(-0.5, 0.6, 0.2):
        pen.rect((x - 0.02, 0.0, x + 0.02, 1.6), (0.42, 0.40, 0.40))
    for y in np.arange(0.2, 1.6, 0.3):
        pen.rect((-0.58, y - 0.02, 0.58, y + 0.02), (0.42, 0.40, 0.40))
    for x in (-2.6, 2.6):
        pen.poly([(x - 0.26, 2.1), (x + 0.26, 2.1), (x + 0.26, 0.9), (x, 0.7), (x - 0.26, 0.9)], (0.66, 0.14, 0.17))
        pen.disc((x, 1.5), 0.13, (0.92, 0.76, 0.34))


def market(stagehand: Stagehand) -> SceneSet:
    """Stalls under striped awnings with heaped goods, strings of lights, house fronts behind."""
    d, rng, look = stagehand.distance, stagehand.rng, stagehand.look
    slabs = ground.paving(rng, light=(0.72, 0.66, 0.58), dark=(0.54, 0.49, 0.43), tile=0.36, repeat=stagehand.repeat)
    surface, baked = lay(stagehand, slabs)
    layers: list[Layer] = [*open_sky(stagehand), surface]
    layers.append(board_panel(stagehand, (6.2 * d, 5.2), lambda pen: _house_row(pen, rng, glow=look.glow)))
    for depth, every, aside in ((4.3, 2.3, 0.0), (2.9, 2.9, 0.72)):
        row = partial(_stalls, rng=rng, every=every, aside=aside * every)
        layers.append(board_panel(stagehand, (depth * d, 2.1), row))
    layers.append(_light_string(stagehand, depth=2.5 * d))
    if look.is_dark:
        low, high = stagehand.reach.x_range(2.9 * d)
        for x in np.arange(np.floor(low / 2.9) * 2.9 + 0.72 * 2.9, high, 2.9):
            layers.append(lamp_glow(stagehand, x=float(x), y=1.2, depth=2.85 * d, across=2.6))
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.3, 2.5), prop_side=1.0)


def _house_row(pen: Pen, rng: np.random.Generator, *, glow: float) -> None:
    place = pen.low - 0.5
    while place < pen.high:
        wide, tall = rng.uniform(1.6, 2.4), rng.uniform(3.2, 4.9)
        wall = ((0.86, 0.70, 0.52), (0.74, 0.54, 0.46), (0.80, 0.78, 0.70), (0.66, 0.66, 0.72))[int(rng.integers(4))]
        pen.rect((place, 0.0, place + wide, tall), wall)
        pen.rect((place - 0.04, tall - 0.14, place + wide + 0.04, tall), dimmed(wall, 0.7))
        for y in np.arange(1.3, tall - 0.6, 0.85):
            for x in np.arange(place + 0.3, place + wide - 0.3, 0.55):
                pane: Rgb = (2.2, 1.7, 0.9) if glow > 0.3 and rng.random() < 0.55 else (0.34, 0.42, 0.50)
                pen.rect((x - 0.04, y - 0.04, x + 0.30, y + 0.50), dimmed(wall, 1.15))
                pen.rect((x, y, x + 0.26, y + 0.46), pane)
        place += wide


def _stalls(pen: Pen, *, rng: np.random.Generator, every: float, aside: float) -> None:
    for middle in np.arange(np.floor(pen.low / every) * every + aside, pen.high + every, every):
        half, colour = (
            every * 0.40,
            ((0.82, 0.24, 0.20), (0.20, 0.48, 0.66), (0.28, 0.56, 0.34), (0.88, 0.56, 0.20))[int(rng.integers(4))],
        )
        pen.rect((middle - half, 0.0, middle + half, 1.5), (0.26, 0.20, 0.17))
        for post in (-half, half - 0.05):
            pen.rect((middle + post, 0.0, middle + post + 0.05, 1.55), (0.52, 0.38, 0.25))
        pen.rect((middle - half, 0.0, middle + half, 0.46), (0.60, 0.43, 0.27))
        pen.rect((middle - half, 0.40, middle + half, 0.47), (0.74, 0.55, 0.36))
        crates = 4
        for crate in range(crates):
            left = middle - half + 0.06 + crate * (2 * half - 0.12) / crates
            wide = (2 * half - 0.12) / crates - 0.05
            tone = _GOODS[int(rng.integers(len(_GOODS)))]
            for row in range(3):
                for x in np.linspace(left + 0.06, left + wide - 0.06, 5 - row):
                    pen.disc((x, 0.53 + 0.075 * row), 0.062, dimmed(tone, rng.uniform(0.78, 1.15)))
            pen.rect((left, 0.44, left + wide, 0.53), (0.48, 0.34, 0.22))
        for hung in np.linspace(middle - half + 0.2, middle + half - 0.2, 4):
            pen.line((hung, 1.5), (hung, 1.26), thick=0.012, colour=(0.2, 0.16, 0.14))
            pen.disc((hung, 1.2), 0.075, dimmed(_GOODS[int(rng.integers(len(_GOODS)))], 0.9))
        stripes = 8
        for stripe in range(stripes):
            x0, x1 = (middle - half * 1.15 + half * 2.3 * k / stripes for k in (stripe, stripe + 1))
            t0, t1 = (middle - half * 0.95 + half * 1.9 * k / stripes for k in (stripe, stripe + 1))
            tone = colour if stripe % 2 else (0.96, 0.94, 0.89)
            pen.poly([(x0, 1.50), (x1, 1.50), (t1, 1.95), (t0, 1.95)], tone)
            pen.disc(((x0 + x1) / 2, 1.50), (x1 - x0) / 2, dimmed(tone, 0.88))


def _light_string(stagehand: Stagehand, *, depth: float) -> Panel:
    """Bulbs on wires that sag from post to post."""
    is_lit = stagehand.look.is_dark

    def draw(pen: Pen) -> None:
        for start in np.arange(np.floor(pen.low / 2.4) * 2.4, pen.high, 2.4):
            for part in np.linspace(0, 1, 13):
                at = (start + 2.4 * part, 2.5 - 1.1 * part * (1 - part))
                after = min(part + 1 / 12, 1.0)
                pen.line(
                    at, (start + 2.4 * after, 2.5 - 1.1 * after * (1 - after)), thick=0.012, colour=(0.15, 0.14, 0.14)
                )
                pen.disc((at[0], at[1] - 0.05), 0.042, (3.2, 2.5, 1.3) if is_lit else (0.95, 0.88, 0.70))

    return board_panel(stagehand, (depth, 2.6), draw)


def rooftop(stagehand: Stagehand) -> SceneSet:
    """A flat roof with a parapet, tanks and vents, high among the towers of a town."""
    d, rng, look = stagehand.distance, stagehand.rng, stagehand.look
    concrete = ground.paving(rng, light=(0.60, 0.60, 0.60), dark=(0.47, 0.47, 0.48), tile=1.1, repeat=stagehand.repeat)
    surface, baked = lay(stagehand, concrete)
    layers: list[Layer] = [
        *open_sky(stagehand),
        surface,
        land.skyline(stagehand, Spot(depth=20 * d, height=7.4), colour=(0.58, 0.64, 0.76)),
        land.skyline(stagehand, Spot(depth=11 * d, height=2.9, sunk=0.0), colour=(0.50, 0.50, 0.56)),
        board_panel(stagehand, (3.5 * d, 0.62), _parapet),
    ]
    side = -1.0 if rng.random() < 0.5 else 1.0
    layers.append(
        board_panel(
            stagehand,
            (3.1 * d, 2.4),
            lambda pen: _water_tank(pen, side * 2.3),
            span=(side * 2.3 - 0.9, side * 2.3 + 0.9),
        )
    )
    layers.append(
        board_panel(
            stagehand, (2.8 * d, 0.8), lambda pen: _vents(pen, -side * 2.0), span=(-side * 2.0 - 0.8, -side * 2.0 + 0.8)
        )
    )
    if look.is_dark:
        layers.append(lamp_glow(stagehand, x=-side * 1.2, y=0.7, depth=3.4 * d, across=2.2))
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.3, 2.7), prop_side=1.0, largest=1.6)


def _parapet(pen: Pen) -> None:
    pen.rect((pen.low, 0.0, pen.high, 0.50), (0.62, 0.48, 0.42))
    for row, y in enumerate(np.arange(0.0, 0.48, 0.12)):
        for x in np.arange(np.floor(pen.low / 0.34) * 0.34 + (0.17 if row % 2 else 0), pen.high, 0.34):
            pen.rect(
                (x + 0.01, y + 0.01, x + 0.33, y + 0.11), dimmed((0.66, 0.44, 0.36), 0.9 + 0.2 * ((x * 7.3 + row) % 1))
            )
    pen.rect((pen.low, 0.48, pen.high, 0.58), (0.74, 0.73, 0.71))


def _water_tank(pen: Pen, x: float) -> None:
    for leg in (-0.5, -0.17, 0.17, 0.46):
        pen.rect((x + leg, 0.0, x + leg + 0.05, 0.9), (0.28, 0.27, 0.28))
    pen.line((x - 0.5, 0.1), (x + 0.5, 0.85), thick=0.03, colour=(0.28, 0.27, 0.28))
    pen.line((x + 0.5, 0.1), (x - 0.5, 0.85), thick=0.03, colour=(0.28, 0.27, 0.28))
    pen.rect((x - 0.6, 0.88, x + 0.6, 1.85), (0.46, 0.33, 0.24))
    for plank in np.arange(-0.58, 0.56, 0.13):
        pen.rect((x + plank, 0.9, x + plank + 0.11, 1.83), dimmed((0.52, 0.38, 0.27), 0.8 + 0.5 * (plank + 0.6) / 1.2))
    for hoop in (1.0, 1.35, 1.7):
        pen.rect((x - 0.61, hoop, x + 0.61, hoop + 0.03), (0.24, 0.22, 0.22))
    pen.poly([(x - 0.68, 1.83), (x + 0.68, 1.83), (x, 2.3)], (0.36, 0.34, 0.36))


def _vents(pen: Pen, x: float) -> None:
    pen.rect((x - 0.6, 0.0, x + 0.25, 0.52), (0.70, 0.71, 0.72))
    pen.rect((x - 0.6, 0.46, x + 0.25, 0.52), (0.84, 0.85, 0.86))
    for centre in (x - 0.40, x + 0.04):
        pen.disc((centre, 0.24), 0.17, (0.36, 0.37, 0.39))
        pen.disc((centre, 0.24), 0.05, (0.66, 0.67, 0.68))
    pen.rect((x + 0.42, 0.0, x + 0.54, 0.6), (0.60, 0.61, 0.63))
    pen.poly([(x + 0.34, 0.58), (x + 0.62, 0.58), (x + 0.56, 0.72), (x + 0.40, 0.72)], (0.72, 0.73, 0.75))


def stadium(stagehand: Stagehand) -> SceneSet:
    """A mown pitch with white lines, full stands, boards, and floodlights."""
    d, rng, look = stagehand.distance, stagehand.rng, stagehand.look
    turf = ground.grass(
        rng, light=(0.36, 0.66, 0.26), dark=(0.24, 0.52, 0.19), dry=(0.40, 0.68, 0.28), repeat=stagehand.repeat
    )
    surface, baked = lay(stagehand, _pitch(turf, d))
    layers: list[Layer] = [
        *open_sky(stagehand),
        surface,
        board_panel(stagehand, (9.5 * d, 9.0), lambda pen: _stands(pen, rng)),
        board_panel(stagehand, (6.4 * d, 0.62), lambda pen: _hoardings(pen, rng)),
        board_panel(stagehand, (6.0 * d, 1.75), _goal, span=(-2.2, 2.2)),
    ]
    low, high = stagehand.reach.x_range(9.4 * d)
    for part in (0.14, 0.5, 0.86):
        x = low + (high - low) * part
        layers.append(
            lamp_glow(
                stagehand, x=x, y=8.3, depth=9.3 * d, across=6.5 if look.is_dark else 2.6, colour=(0.95, 0.96, 1.0)
            )
        )
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.3, 3.2), prop_side=1.0)


def _pitch(turf: Shade, distance: float) -> Shade:
    """Bands of mowing across the view, a touch line, and the arc of the penalty area."""

    def shade(x: Floats, z: Floats, blur: Floats) -> Floats:
        band = 0.5 + 0.5 * np.sign(np.sin(z * np.float32(np.pi / (0.9 * distance))))
        colour = turf(x, z, blur) * (0.90 + 0.18 * band)[..., None].astype(np.float32)
        line = np.zeros_like(x)
        for mark in (1.35 * distance, 4.6 * distance):
            line = np.maximum(line, np.clip((0.07 - np.abs(z - mark)) / np.maximum(blur, 0.02) + 0.5, 0, 1))
        ring = np.abs(np.hypot(x / 1.6, (z - 1.35 * distance) / (0.55 * distance)) - 1)
        line = np.maximum(line, np.clip((0.035 - ring) / 0.03, 0, 1))
        white = np.float32(0.94)
        result: Floats = (colour + line[..., None] * (white - colour)).astype(np.float32)
        return result

    return shade


def _stands(pen: Pen, rng: np.random.Generator) -> None:
    """Two tiers of people under a roof."""
    crowd: tuple[Rgb, ...] = (
        (0.82, 0.22, 0.22), (0.92, 0.90, 0.86), (0.22, 0.34, 0.66), (0.90, 0.76, 0.30), (0.30, 0.30, 0.34),
        (0.86, 0.62, 0.50),
    )  # fmt: skip
    for foot, top in ((0.0, 3.1), (3.7, 7.0)):
        pen.rect((pen.low, foot, pen.high, top), (0.32, 0.34, 0.40))
        for row, y in enumerate(np.arange(foot + 0.35, top - 0.1, 0.27)):
            pen.rect((pen.low, y - 0.10, pen.high, y - 0.06), (0.46, 0.48, 0.54))
            for x in np.arange(pen.low + (0.13 if row % 2 else 0.0), pen.high, 0.27):
                if rng.random() < 0.86:
                    tone = dimmed(crowd[int(rng.integers(len(crowd)))], rng.uniform(0.6, 1.0))
                    pen.rect((x - 0.09, y - 0.10, x + 0.09, y + 0.06), tone)
                    pen.disc((x, y + 0.11), 0.062, dimmed((0.86, 0.66, 0.52), rng.uniform(0.6, 1.05)))
    pen.rect((pen.low, 3.1, pen.high, 3.7), (0.82, 0.84, 0.88))
    pen.rect((pen.low, 7.0, pen.high, 7.5), (0.70, 0.73, 0.78))
    pen.rect((pen.low, 7.4, pen.high, 7.8), (0.90, 0.91, 0.93))
    wide = pen.high - pen.low
    for part in (0.14, 0.5, 0.86):
        x = pen.low + wide * part
        pen.rect((x - 0.9, 7.9, x + 0.9, 8.7), (0.34, 0.36, 0.40))
        for lamp in np.linspace(-0.75, 0.75, 6):
            for y in (8.12, 8.48):
                pen.disc((x + lamp, y), 0.11, (3.0, 3.0, 2.9))


def _hoardings(pen: Pen, rng: np.random.Generator) -> None:
    for x in np.arange(np.floor(pen.low / 2.0) * 2.0, pen.high, 2.0):
        tone = ((0.14, 0.34, 0.62), (0.86, 0.88, 0.90), (0.78, 0.20, 0.20), (0.92, 0.76, 0.24))[int(rng.integers(4))]
        pen.rect((x, 0.0, x + 1.98, 0.56), tone)
        other = mix((1.0, 1.0, 1.0), (0.1, 0.1, 0.2), 1.0 if sum(tone) > 2 else 0.0)
        for bar in range(int(rng.integers(3, 6))):
            pen.rect((x + 0.25 + 0.26 * bar, 0.18, x + 0.42 + 0.26 * bar, 0.40), other)


def _goal(pen: Pen) -> None:
    for x in np.arange(-1.9, 1.95, 0.16):
        pen.line((x, 0.0), (x, 1.5), thick=0.010, colour=(0.80, 0.84, 0.84))
    for y in np.arange(0.0, 1.5, 0.16):
        pen.line((-1.9, y), (1.9, y), thick=0.010, colour=(0.80, 0.84, 0.84))
    for x in (-1.95, 1.9):
        pen.rect((x, 0.0, x + 0.07, 1.6), (0.98, 0.98, 0.98))
    pen.rect((-1.95, 1.53, 1.97, 1.6), (0.98, 0.98, 0.98))
