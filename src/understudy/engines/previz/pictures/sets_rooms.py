"""Sets indoors with a purpose: restaurant, classroom, library, bedroom, train, spaceship."""

from dataclasses import replace

import cv2
import numpy as np

from understudy.engines.previz.pictures import ground
from understudy.engines.previz.pictures.boards import Pen, board_panel
from understudy.engines.previz.pictures.canvas import Rgb
from understudy.engines.previz.pictures.layers import Layer, Panel
from understudy.engines.previz.pictures.light import dimmed, mix
from understudy.engines.previz.pictures.scene import SceneSet, Stagehand
from understudy.engines.previz.pictures.sets_inside import Wall, outdoors, side_walls, sunbeam
from understudy.engines.previz.pictures.sets_open import lamp_glow, lay

_BOOKS: tuple[Rgb, ...] = (
    (0.62, 0.20, 0.18), (0.18, 0.32, 0.48), (0.80, 0.66, 0.34), (0.22, 0.42, 0.30), (0.44, 0.26, 0.42),
    (0.84, 0.78, 0.66), (0.30, 0.22, 0.18), (0.70, 0.42, 0.22),
)  # fmt: skip
_WOOD: Rgb = (0.46, 0.29, 0.18)
_TRAIN_SPEED = 9.0


def _placed(wall: Wall, step: float) -> list[float]:
    """Places along a wall at equal steps, one of them at half a step from its middle."""
    first = int(np.floor(wall.low / step))
    return [(index + 0.5) * step for index in range(first, int(np.ceil(wall.high / step)) + 1)]


def restaurant(stagehand: Stagehand) -> SceneSet:
    """Warm brick, tall windows on the town, a bar with bottles, laid tables and hanging lamps."""
    d, rng, look = stagehand.distance, stagehand.rng, stagehand.look
    brick: Rgb = (0.60, 0.33, 0.25)
    wall = Wall(stagehand, 2.15 * d, brick)
    for row, y in enumerate(np.arange(0.5, wall.top, 0.085)):
        for x in np.arange(np.floor(wall.low), wall.high, 0.22):
            left = float(x) + (0.11 if row % 2 else 0.0)
            wall.fill(
                (left, float(y), left + 0.205, float(y) + 0.072), dimmed((0.64, 0.36, 0.27), rng.uniform(0.82, 1.1))
            )
    wall.fill((wall.low, 0.0, wall.high, 0.52), (0.26, 0.17, 0.13))
    wall.fill((wall.low, 0.50, wall.high, 0.55), (0.50, 0.33, 0.20))
    side = -1.0 if rng.random() < 0.5 else 1.0
    bar = side * 1.55
    town = outdoors(look, rng, is_city=True)
    for x in _placed(wall, 1.5):
        if abs(x - bar) > 1.0:
            wall.window((x - 0.42, 0.62, x + 0.42, 1.95), (2, 3), view=town, frame=(0.16, 0.13, 0.12))
    wall.fill((bar - 0.85, 0.55, bar + 0.85, 1.95), (0.20, 0.13, 0.10))
    for shelf in (0.78, 1.12, 1.46):
        wall.fill((bar - 0.80, shelf, bar + 0.80, shelf + 0.03), (0.62, 0.44, 0.28))
        place = bar - 0.74
        while place < bar + 0.70:
            tone = ((0.30, 0.52, 0.34), (0.74, 0.46, 0.18), (0.80, 0.84, 0.86), (0.56, 0.16, 0.16))[
                int(rng.integers(4))
            ]
            tall = float(rng.uniform(0.17, 0.25))
            wall.fill((place, shelf + 0.03, place + 0.055, shelf + 0.03 + tall * 0.66), tone)
            wall.fill((place + 0.018, shelf + 0.03, place + 0.037, shelf + 0.03 + tall), dimmed(tone, 0.9))
            place += 0.085
    floor = ground.planks(rng, light=(0.50, 0.33, 0.21), dark=(0.36, 0.22, 0.14), board=0.2)
    surface, baked = lay(stagehand, floor)
    layers: list[Layer] = [surface, wall.panel(), *side_walls(stagehand, wall, brick, skirting=(0.26, 0.17, 0.13))]

    def tables(draw: Pen) -> None:
        for x in np.arange(np.floor(draw.low / 1.7) * 1.7 + 0.85, draw.high, 1.7):
            draw.rect((x - 0.05, 0.0, x + 0.05, 0.5), (0.18, 0.13, 0.11))
            draw.poly([(x - 0.55, 0.56), (x + 0.55, 0.56), (x + 0.48, 0.30), (x - 0.48, 0.30)], (0.90, 0.87, 0.82))
            draw.poly([(x - 0.58, 0.56), (x + 0.58, 0.56), (x + 0.52, 0.62), (x - 0.52, 0.62)], (0.98, 0.96, 0.92))
            draw.rect((x - 0.02, 0.60, x + 0.02, 0.74), (0.96, 0.93, 0.84))
            draw.disc((x, 0.77), 0.028, (1.0, 0.80, 0.36))
            for chair in (-0.72, 0.72):
                draw.rect((x + chair - 0.13, 0.02, x + chair + 0.13, 0.36), (0.30, 0.20, 0.14))
                draw.rect((x + chair - 0.13, 0.36, x + chair + 0.13, 0.72), (0.44, 0.30, 0.20))

    layers.append(board_panel(stagehand, (1.72 * d, 0.85), tables))
    for index, x in enumerate(_placed(wall, 1.3)):
        layers.append(_pendant(stagehand, x, depth=(1.5 + 0.2 * (index % 2)) * d))
        layers.append(lamp_glow(stagehand, x=x, y=1.62, depth=(1.49 + 0.2 * (index % 2)) * d, across=1.3))
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.70, 1.74), prop_side=1.0, table=(1.70, 0.60))


def _pendant(stagehand: Stagehand, x: float, *, depth: float) -> Panel:
    """A lamp that hangs from the ceiling."""
    top = max(stagehand.reach.y_range(depth)[1] * 1.05, 1.9)

    def lamp(draw: Pen) -> None:
        draw.rect((x - 0.006, 1.72, x + 0.006, top), (0.12, 0.10, 0.10))
        draw.poly([(x - 0.15, 1.58), (x + 0.15, 1.58), (x + 0.05, 1.74), (x - 0.05, 1.74)], (0.20, 0.22, 0.22))
        draw.poly([(x - 0.14, 1.58), (x + 0.14, 1.58), (x + 0.10, 1.55), (x - 0.10, 1.55)], (1.0, 0.90, 0.62))

    return board_panel(stagehand, (depth, top), lamp, span=(x - 0.2, x + 0.2))


def classroom(stagehand: Stagehand) -> SceneSet:
    """A blackboard with chalk on it, a map, a clock, windows, and rows of desks."""
    d, rng, look = stagehand.distance, stagehand.rng, stagehand.look
    paint: Rgb = (0.93, 0.90, 0.78)
    wall = Wall(stagehand, 2.2 * d, paint)
    wall.fill((wall.low, 0.0, wall.high, 0.62), (0.62, 0.76, 0.70))
    wall.fill((wall.low, 0.61, wall.high, 0.64), (0.44, 0.56, 0.52))
    wall.fill((-1.42, 0.72, 1.42, 1.72), (0.62, 0.44, 0.28))
    wall.fill((-1.36, 0.78, 1.36, 1.66), (0.14, 0.31, 0.25))
    chalk: Rgb = (0.86, 0.90, 0.86)
    for row in range(4):
        x, y = -1.22 + 0.1 * float(rng.random()), 1.52 - 0.17 * row
        end = float(rng.uniform(-0.3, 0.1))
        while x < end:
            wide = float(rng.uniform(0.03, 0.12))
            wall.fill((x, y, x + wide, y + 0.035), mix((0.14, 0.31, 0.25), chalk, float(rng.uniform(0.55, 0.9))))
            x += wide + 0.035
    _chalk_triangle(wall, (0.75, 0.95), side=0.46, chalk=chalk)
    wall.fill((-1.36, 0.70, 1.36, 0.735), (0.74, 0.56, 0.36))
    side = -1.0 if look.sun_x > 0 else 1.0
    wall.fill((side * 2.0 - 0.36, 0.9, side * 2.0 + 0.36, 1.6), (0.84, 0.90, 0.94))
    for patch in range(7):
        x, y = side * 2.0 + float(rng.uniform(-0.26, 0.2)), float(rng.uniform(0.98, 1.46))
        wall.fill((x, y, x + 0.12, y + 0.09), ((0.56, 0.74, 0.42), (0.90, 0.78, 0.48), (0.86, 0.56, 0.46))[patch % 3])
    for x in _placed(wall, 1.5):
        if x * side < -1.7 or abs(x) > 2.6:
            wall.window(
                (x - 0.5, 0.78, x + 0.5, 1.86),
                (2, 2),
                view=outdoors(look, rng, is_city=False),
                frame=(0.97, 0.97, 0.95),
            )
    boards = ground.planks(rng, light=(0.80, 0.62, 0.42), dark=(0.66, 0.48, 0.31), board=0.18)
    surface, baked = lay(stagehand, boards)
    layers: list[Layer] = [surface, wall.panel(), *side_walls(stagehand, wall, paint, skirting=(0.62, 0.76, 0.70))]

    def desks(draw: Pen) -> None:
        for x in np.arange(np.floor(draw.low / 1.05) * 1.05 + 0.52, draw.high, 1.05):
            draw.rect((x - 0.36, 0.46, x + 0.36, 0.51), (0.86, 0.66, 0.42))
            draw.rect((x - 0.36, 0.38, x + 0.36, 0.46), (0.70, 0.50, 0.30))
            for leg in (-0.33, 0.30):
                draw.rect((x + leg, 0.0, x + leg + 0.03, 0.38), (0.36, 0.38, 0.42))
            draw.rect((x - 0.17, 0.20, x + 0.17, 0.24), (0.30, 0.46, 0.62))
            draw.rect((x - 0.17, 0.30, x + 0.17, 0.60), (0.34, 0.52, 0.70))

    layers.append(board_panel(stagehand, (1.62 * d, 0.62), desks))
    beam = sunbeam(stagehand, -side * 1.6, wall.depth)
    return SceneSet(
        layers=layers if beam is None else [*layers, beam],
        ground=baked,
        prop_depths=(1.60, 1.64),
        prop_side=0.9,
        table=(1.60, 0.50),
    )


def _chalk_triangle(wall: Wall, corner: tuple[float, float], *, side: float, chalk: Rgb) -> None:
    """A right triangle with its height, as on every blackboard."""

    def at(x: float, y: float) -> tuple[int, int]:
        return int((x - wall.low) * wall.density), int(wall.bitmap.shape[0] - y * wall.density)

    x, y = corner
    tone = (*(round(c * 235) for c in chalk), 255)
    thick = max(round(wall.density * 0.010), 1)
    for start, end in (((x - 0.3, y), (x + side, y)), ((x + side, y), (x, y + side)), ((x, y + side), (x - 0.3, y))):
        cv2.line(wall.bitmap, at(*start), at(*end), tone, thick, cv2.LINE_AA)
    cv2.line(wall.bitmap, at(x, y), at(x, y + side), tone, max(thick - 1, 1), cv2.LINE_AA)


def library(stagehand: Stagehand) -> SceneSet:
    """Shelves of books up to the ceiling, a ladder, lamps, old boards."""
    d, rng, look = stagehand.distance, stagehand.rng, stagehand.look
    wall = Wall(stagehand, 2.0 * d, (0.24, 0.15, 0.10))
    for case in _placed(wall, 1.25):
        left, right = case - 0.58, case + 0.58
        wall.fill((left, 0.08, right, wall.top), (0.15, 0.09, 0.06))
        for y in np.arange(0.12, wall.top, 0.345):
            _row_of_books(wall, (left + 0.02, float(y), right - 0.02, float(y) + 0.28), rng)
            wall.fill((left, float(y) - 0.035, right, float(y)), _WOOD)
        wall.fill((case + 0.56, 0.0, case + 0.69, wall.top), (0.38, 0.23, 0.14))
        wall.fill((case + 0.60, 0.0, case + 0.65, wall.top), (0.50, 0.32, 0.20))
    wall.fill((wall.low, 0.0, wall.high, 0.10), (0.34, 0.21, 0.13))
    floor = ground.planks(rng, light=(0.52, 0.34, 0.21), dark=(0.36, 0.23, 0.14), board=0.16)
    surface, baked = lay(stagehand, floor)
    layers: list[Layer] = [surface, wall.panel(), *side_walls(stagehand, wall, (0.36, 0.23, 0.15), skirting=_WOOD)]
    side = -1.0 if rng.random() < 0.5 else 1.0
    tall = wall.top * 0.9

    def ladder(draw: Pen) -> None:
        foot = side * 1.5
        for rail in (0.0, 0.34):
            draw.poly(
                [
                    (foot + rail, 0.0),
                    (foot + rail + 0.045, 0.0),
                    (foot + rail + 0.245, tall),
                    (foot + rail + 0.2, tall),
                ],
                (0.72, 0.52, 0.32),
            )
        for rung in np.arange(0.2, tall - 0.1, 0.22):
            lean = 0.2 * rung / tall
            draw.rect((foot + lean + 0.02, rung, foot + lean + 0.36, rung + 0.035), (0.62, 0.43, 0.26))

    layers.append(board_panel(stagehand, (1.88 * d, tall), ladder, span=(side * 1.5 - 0.1, side * 1.5 + 0.7)))
    for x in (-side * 1.3, side * 0.3):
        layers.append(lamp_glow(stagehand, x=x, y=1.75, depth=1.9 * d, across=2.6 if look.is_dark else 1.7))
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.35, 1.75), prop_side=0.95)


def _row_of_books(wall: Wall, box: tuple[float, float, float, float], rng: np.random.Generator) -> None:
    left, foot, right, top = box
    place = left
    while place < right - 0.03:
        if rng.random() < 0.06:
            place += float(rng.uniform(0.04, 0.12))
            continue
        wide = min(float(rng.uniform(0.028, 0.062)), right - place)
        tone = dimmed(_BOOKS[int(rng.integers(len(_BOOKS)))], float(rng.uniform(0.75, 1.1)))
        high = foot + (top - foot) * float(rng.uniform(0.68, 0.98))
        wall.fill((place, foot, place + wide - 0.004, high), tone)
        band = foot + (high - foot) * 0.72
        wall.fill((place, band, place + wide - 0.004, band + 0.014), mix(tone, (0.96, 0.84, 0.50), 0.6))
        place += wide


def bedroom(stagehand: Stagehand) -> SceneSet:
    """A bed with a quilt against the wall, a bedside lamp, a window with light curtains, a soft carpet."""
    d, rng, look = stagehand.distance, stagehand.rng, stagehand.look
    paint: Rgb = ((0.68, 0.74, 0.84), (0.86, 0.76, 0.78), (0.74, 0.80, 0.72))[int(rng.integers(3))]
    quilt: Rgb = ((0.34, 0.46, 0.66), (0.72, 0.42, 0.46), (0.42, 0.58, 0.46))[int(rng.integers(3))]
    wall = Wall(stagehand, 2.0 * d, paint)
    wall.fill((wall.low, 0.0, wall.high, 0.13), (0.97, 0.96, 0.94))
    side = -1.0 if rng.random() < 0.5 else 1.0
    window = -side * float(np.clip(stagehand.staging.half_width * 1.0, 0.9, 1.9))
    wall.window(
        (window - 0.5, 0.62, window + 0.5, 1.86),
        (2, 2),
        view=outdoors(look, rng, is_city=True),
        frame=(0.98, 0.97, 0.95),
    )
    for edge in (-1, 1):
        for fold in range(6):
            x = window + edge * (0.52 + 0.05 * fold)
            wall.fill((x - 0.03, 0.14, x + 0.03, 2.04), dimmed((0.96, 0.94, 0.90), 0.86 + 0.12 * (fold % 2)))
    bed = side * 1.15
    for x, tone in ((-0.42, (0.90, 0.72, 0.52)), (0.0, (0.62, 0.74, 0.78)), (0.42, (0.86, 0.60, 0.56))):
        wall.fill((bed + x - 0.16, 1.34, bed + x + 0.16, 1.72), (0.98, 0.97, 0.95))
        wall.fill((bed + x - 0.12, 1.38, bed + x + 0.12, 1.68), tone)
    carpet = ground.plain(
        rng,
        light=mix(paint, (0.92, 0.88, 0.84), 0.6),
        dark=mix(paint, (0.70, 0.66, 0.64), 0.7),
        repeat=stagehand.repeat,
    )
    surface, baked = lay(stagehand, carpet)
    layers: list[Layer] = [surface, wall.panel(), *side_walls(stagehand, wall, paint, skirting=(0.97, 0.96, 0.94))]

    def furniture(draw: Pen) -> None:
        draw.rect((bed - 0.98, 0.0, bed + 0.98, 1.08), _WOOD)
        draw.rect((bed - 0.92, 0.40, bed + 0.92, 1.02), mix(_WOOD, (0.86, 0.66, 0.46), 0.4))
        for pillow in (-0.46, 0.46):
            draw.round((bed + pillow - 0.36, 0.56, bed + pillow + 0.36, 0.84), 0.09, (0.97, 0.96, 0.95))
        draw.round((bed - 1.0, 0.12, bed + 1.0, 0.64), 0.10, quilt)
        draw.rect((bed - 1.0, 0.50, bed + 1.0, 0.56), mix(quilt, (1.0, 1.0, 1.0), 0.55))
        for stripe in np.arange(-0.8, 0.9, 0.4):
            draw.rect((bed + stripe - 0.03, 0.16, bed + stripe + 0.03, 0.50), mix(quilt, (1.0, 1.0, 1.0), 0.2))
        table = bed - side * 1.32
        draw.rect((table - 0.22, 0.0, table + 0.22, 0.52), mix(_WOOD, (0.8, 0.6, 0.4), 0.3))
        draw.rect((table - 0.18, 0.26, table + 0.18, 0.29), (0.30, 0.19, 0.12))
        draw.rect((table - 0.02, 0.52, table + 0.02, 0.74), (0.80, 0.72, 0.56))
        draw.poly(
            [(table - 0.17, 0.72), (table + 0.17, 0.72), (table + 0.10, 0.96), (table - 0.10, 0.96)], (1.0, 0.92, 0.72)
        )

    layers.append(board_panel(stagehand, (1.8 * d, 1.1), furniture, span=(bed - 1.7, bed + 1.7)))
    layers.append(
        lamp_glow(stagehand, x=bed - side * 1.32, y=0.86, depth=1.79 * d, across=2.6 if look.is_dark else 0.9)
    )
    beam = sunbeam(stagehand, window, wall.depth)
    return SceneSet(
        layers=layers if beam is None else [*layers, beam],
        ground=baked,
        prop_depths=(1.4, 1.7),
        prop_side=1.0,
        wall_depth=0.0,
    )


def train(stagehand: Stagehand) -> SceneSet:
    """A carriage with seats, poles and straps; the town runs past its windows."""
    d, rng = stagehand.distance, stagehand.rng
    wall = Wall(stagehand, 1.75 * d, (0.80, 0.83, 0.86))
    wall.fill((wall.low, 0.0, wall.high, 0.66), (0.66, 0.70, 0.74))
    wall.fill((wall.low, 1.66, wall.high, 1.72), (0.90, 0.52, 0.22))
    for x in np.arange(np.floor(wall.low), wall.high, 0.62):
        tone = ((0.86, 0.92, 0.96), (0.98, 0.86, 0.60), (0.76, 0.86, 0.74))[int(rng.integers(3))]
        wall.fill((float(x), 1.75, float(x) + 0.54, 1.98), tone)
        wall.fill((float(x) + 0.06, 1.84, float(x) + 0.36, 1.88), dimmed(tone, 0.6))
    windows = _placed(wall, 1.36)
    for x in windows:
        wall.fill((x - 0.60, 0.72, x + 0.60, 1.60), (0.34, 0.37, 0.41))
    panel = wall.panel()
    for x in windows:
        # A window is a hole in the wall: what runs past lies behind it.
        panel.bitmap[wall.rows(0.77, 1.55), wall.columns(x - 0.55, x + 0.55)] = 0
    floor = ground.plain(rng, light=(0.42, 0.44, 0.48), dark=(0.34, 0.36, 0.40), repeat=stagehand.repeat)
    surface, baked = lay(stagehand, floor)
    layers: list[Layer] = [_passing(stagehand, depth=2.6 * d), surface, replace(panel, crown=None)]

    def seats(draw: Pen) -> None:
        for x in np.arange(np.floor(draw.low / 0.5) * 0.5, draw.high, 0.5):
            if round(x / 0.5) % 6 == 0:
                continue
            draw.round((x + 0.01, 0.36, x + 0.47, 0.84), 0.06, (0.16, 0.36, 0.62))
            draw.round((x + 0.01, 0.26, x + 0.47, 0.42), 0.05, (0.22, 0.46, 0.74))
        draw.rect((draw.low, 0.0, draw.high, 0.26), (0.50, 0.53, 0.57))

    def poles(draw: Pen) -> None:
        draw.rect((draw.low, 1.74, draw.high, 1.775), (0.86, 0.87, 0.88))
        for x in np.arange(np.floor(draw.low / 1.6) * 1.6 + 0.8, draw.high, 1.6):
            draw.rect((x - 0.022, 0.0, x + 0.022, draw.top), (0.90, 0.78, 0.30))
        for x in np.arange(np.floor(draw.low / 0.4) * 0.4, draw.high, 0.4):
            draw.rect((x - 0.008, 1.58, x + 0.008, 1.75), (0.70, 0.72, 0.74))
            draw.poly([(x - 0.06, 1.46), (x + 0.06, 1.46), (x, 1.60)], (0.92, 0.93, 0.94))

    layers.append(board_panel(stagehand, (1.66 * d, 0.86), seats))
    layers.append(board_panel(stagehand, (1.42 * d, max(stagehand.reach.y_range(1.42 * d)[1] * 1.05, 2.2)), poles))
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.60, 1.64), prop_side=0.9, table=(1.60, 0.40))


def _passing(stagehand: Stagehand, *, depth: float) -> Panel:
    """A long strip of town that runs past as long as the film lasts."""
    look, rng, reach = stagehand.look, stagehand.rng, stagehand.reach
    low, high = reach.x_range(depth)
    way = 1.0 if rng.random() < 0.5 else -1.0
    travel = _TRAIN_SPEED * stagehand.staging.canvas.duration_s
    width = high - low + travel
    tall = 2.6
    density = min(110.0, 14000 / width)
    picture = outdoors(look, rng, is_city=True)
    size = (max(int(3.4 * density), 8), max(int(tall * density), 8))
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    # Every second copy is mirrored, so that one meets the next.
    pair = np.concatenate([picture, picture[:, ::-1]], axis=1)
    strip = np.ascontiguousarray(np.tile(pair, (1, int(np.ceil(width * density / pair.shape[1])), 1)))
    left = low - (travel if way > 0 else 0.0)
    return Panel(bitmap=strip, left=left, top=tall, depth=depth, density=density, drift=way * _TRAIN_SPEED)


def spaceship(stagehand: Stagehand) -> SceneSet:
    """A bridge: ribbed metal, a wide window on the stars, consoles with lights."""
    d, rng, look = stagehand.distance, stagehand.rng, stagehand.look
    metal: Rgb = (0.42, 0.46, 0.54)
    wall = Wall(stagehand, 2.2 * d, metal)
    for x in _placed(wall, 0.7):
        wall.fill((x - 0.33, 0.0, x + 0.33, wall.top), dimmed(metal, float(rng.uniform(0.86, 1.06))))
        wall.fill((x + 0.33, 0.0, x + 0.37, wall.top), dimmed(metal, 0.5))
        wall.fill((x - 0.26, 0.16, x + 0.26, 0.44), dimmed(metal, 0.72))
        for light in range(5):
            tone = ((0.30, 0.95, 1.0), (1.0, 0.72, 0.26), (0.40, 1.0, 0.56), (0.18, 0.24, 0.30))[int(rng.integers(4))]
            wall.fill((x - 0.22 + 0.09 * light, 0.28, x - 0.17 + 0.09 * light, 0.33), tone)
    for y in (0.52, 1.98):
        wall.fill((wall.low, y, wall.high, y + 0.04), (0.36, 0.92, 1.0))
    window = (-1.7, 0.72, 1.7, 1.82)
    wall.window(window, (4, 1), view=look.graded(_stars(rng, sun_x=look.sun_x)), frame=(0.22, 0.25, 0.30))
    floor = ground.paving(rng, light=(0.36, 0.39, 0.45), dark=(0.22, 0.24, 0.29), tile=0.6, repeat=stagehand.repeat)
    surface, baked = lay(stagehand, floor)
    layers: list[Layer] = [surface, wall.panel(), *side_walls(stagehand, wall, metal, skirting=(0.20, 0.60, 0.70))]

    def consoles(draw: Pen) -> None:
        for x in np.arange(np.floor(draw.low / 1.5) * 1.5 + 0.75, draw.high, 1.5):
            draw.poly([(x - 0.60, 0.0), (x + 0.60, 0.0), (x + 0.52, 0.46), (x - 0.52, 0.46)], (0.26, 0.29, 0.35))
            draw.poly([(x - 0.62, 0.46), (x + 0.62, 0.46), (x + 0.50, 0.64), (x - 0.50, 0.64)], (0.36, 0.40, 0.47))
            draw.poly([(x - 0.40, 0.49), (x + 0.06, 0.49), (x + 0.04, 0.61), (x - 0.36, 0.61)], (0.16, 0.56, 0.68))
            for light in range(4):
                tone = ((1.0, 0.40, 0.30), (1.0, 0.80, 0.30), (0.40, 1.0, 0.60))[int(rng.integers(3))]
                draw.disc((x + 0.16 + 0.09 * light, 0.55), 0.022, tone)

    layers.append(board_panel(stagehand, (1.75 * d, 0.66), consoles))
    layers.append(lamp_glow(stagehand, x=0.0, y=1.2, depth=2.15 * d, across=4.6, colour=(0.36, 0.62, 0.90)))
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.72, 1.74), prop_side=1.0, table=(1.72, 0.62))


def _stars(rng: np.random.Generator, *, sun_x: float) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """What a ship's window shows: stars and the limb of a planet."""
    height, width = 420, 1300
    picture = np.zeros((height, width, 3), np.float32)
    picture[:] = (0.015, 0.018, 0.05)
    for _ in range(420):
        y, x = int(rng.integers(1, height - 1)), int(rng.integers(1, width - 1))
        picture[y, x] += float(rng.random()) ** 2
        if rng.random() < 0.12:
            picture[y - 1 : y + 2, x - 1 : x + 2] += 0.35
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    centre_x, centre_y, radius = width * (0.5 + 0.28 * np.sign(sun_x or 1)), height * 1.75, height * 1.25
    away = np.hypot(xs - centre_x, ys - centre_y) / radius
    inside = np.clip((1 - away) * radius, 0, 1)[..., None]
    bands = 0.5 + 0.5 * np.sin(ys / 14 + 3 * np.sin(xs / 160))
    face = np.array((0.16, 0.40, 0.66), np.float32) + bands[..., None] * np.array((0.30, 0.28, 0.18), np.float32)
    lit = np.clip(1.35 - away, 0, 1)[..., None] ** 0.4
    picture = picture * (1 - inside) + face * lit * inside
    picture += np.exp(-(((away - 1) * 24) ** 2))[..., None] * np.array((0.25, 0.5, 0.8), np.float32)
    result = np.full((height, width, 4), 255, np.uint8)
    result[..., :3] = np.clip(picture * 255, 0, 255)
    return result
