"""Wild places to stand in, before a distance of true land: mountains, canyon, volcano, island, jungle, Mars, cave."""

import numpy as np

from understudy.engines.previz.pictures import ground, land
from understudy.engines.previz.pictures.boards import Pen, board_panel
from understudy.engines.previz.pictures.canvas import Bitmap, Rgb
from understudy.engines.previz.pictures.land import Spot
from understudy.engines.previz.pictures.layers import Layer, Panel
from understudy.engines.previz.pictures.light import dimmed, mix, recolour
from understudy.engines.previz.pictures.noise import layered_field, rolling_line, smoothstep
from understudy.engines.previz.pictures.plants import grass_strips
from understudy.engines.previz.pictures.scene import SceneSet, Stagehand
from understudy.engines.previz.pictures.sets_inside import Wall
from understudy.engines.previz.pictures.sets_land3d import LANDS, far_land
from understudy.engines.previz.pictures.sets_open import greens, lamp_glow, lay, near_far, trunks
from understudy.engines.previz.pictures.sets_water import beach
from understudy.engines.previz.pictures.sky import open_sky
from understudy.engines.previz.plan import SettingKind


def _boulders(stagehand: Stagehand, depth: float, *, colour: Rgb, tall: float, every: float) -> Panel:
    """A broken row of rocks, each with a lit side."""
    rng, side = stagehand.rng, float(np.sign(stagehand.look.sun_x) or 1)

    def draw(pen: Pen) -> None:
        for x in np.arange(np.floor(pen.low / every) * every, pen.high, every):
            middle, wide = x + every * rng.uniform(0.1, 0.9), tall * rng.uniform(0.5, 1.3)
            high = tall * rng.uniform(0.35, 0.98)
            crest = middle + wide * rng.uniform(-0.3, 0.3)
            left, right = (middle - wide, 0.0), (middle + wide, 0.0)
            shoulder = (middle - wide * 0.72, high * rng.uniform(0.45, 0.7))
            other = (middle + wide * 0.70, high * rng.uniform(0.4, 0.7))
            pen.poly([left, shoulder, (crest, high), other, right], dimmed(colour, rng.uniform(0.62, 0.75)))
            lit = [other, (crest, high), (crest + side * wide * 0.05, high * 0.5), (middle + wide * 0.35, 0.0), right]
            if side < 0:
                lit = [shoulder, (crest, high), (crest - wide * 0.05, high * 0.5), (middle - wide * 0.35, 0.0), left]
            pen.poly(lit, dimmed(colour, rng.uniform(0.95, 1.12)))

    return board_panel(stagehand, (depth, tall), draw)


def _barren(
    stagehand: Stagehand, kind: SettingKind, *, light: Rgb, dark: Rgb, rock: Rgb, hazy: bool = True
) -> SceneSet:
    """Bare ground with stones before a far land."""
    d = stagehand.distance
    shade = ground.sand(stagehand.rng, light=light, dark=dark, repeat=stagehand.repeat)
    surface, baked = lay(stagehand, shade, hazy=hazy)
    ground.specks(
        stagehand,
        baked,
        colours=(dimmed(rock, 0.7), dimmed(rock, 0.9), mix(rock, light, 0.4)),
        radius_units=0.03,
        depths=near_far(stagehand, 0.45, 4.5),
        count=110,
    )
    return SceneSet(
        layers=[
            *open_sky(stagehand, has_clouds=LANDS[kind].has_clouds),
            surface,
            far_land(stagehand, LANDS[kind], depth=19 * d),
            _boulders(stagehand, 7.5 * d, colour=rock, tall=1.1, every=3.2),
            _boulders(stagehand, 4.2 * d, colour=rock, tall=0.55, every=3.4),
        ],
        ground=baked,
        prop_depths=(1.3, 3.4),
    )


def mountains(stagehand: Stagehand) -> SceneSet:
    """An alpine meadow with stones and pines before a range of peaks."""
    light, dark, _dry = greens(stagehand)
    d = stagehand.distance
    meadow = ground.grass(
        stagehand.rng,
        light=mix(light, (0.6, 0.66, 0.42), 0.4),
        dark=dark,
        dry=(0.66, 0.62, 0.5),
        repeat=stagehand.repeat,
    )
    surface, baked = lay(stagehand, meadow)
    ground.specks(
        stagehand,
        baked,
        colours=((0.62, 0.62, 0.64), (0.5, 0.5, 0.53)),
        radius_units=0.035,
        depths=near_far(stagehand, 0.5, 3.5),
        count=50,
    )
    return SceneSet(
        layers=[
            *open_sky(stagehand),
            surface,
            far_land(stagehand, LANDS[SettingKind.MOUNTAINS], depth=20 * d),
            land.tree_line(stagehand, Spot(depth=9 * d, height=1.0), colour=dimmed(dark, 0.7), is_pine=True),
            land.hills(stagehand, Spot(depth=8 * d, height=0.8), light=light, dark=dark, waves=2.4, rough=0.01),
            *grass_strips(stagehand, light=light, dark=dark, tall=0.11),
        ],
        ground=baked,
        prop_depths=(1.3, 3.8),
    )


def canyon(stagehand: Stagehand) -> SceneSet:
    """Red rock and the far walls of a canyon."""
    return _barren(
        stagehand, SettingKind.CANYON, light=(0.86, 0.56, 0.36), dark=(0.62, 0.34, 0.21), rock=(0.66, 0.36, 0.23)
    )


def volcano(stagehand: Stagehand) -> SceneSet:
    """Black ash before a cone that burns."""
    return _barren(
        stagehand, SettingKind.VOLCANO, light=(0.30, 0.26, 0.25), dark=(0.17, 0.15, 0.15), rock=(0.24, 0.20, 0.19)
    )


def mars(stagehand: Stagehand) -> SceneSet:
    """Red dust under a dusty sky, table mountains far off."""
    return _barren(
        stagehand, SettingKind.MARS, light=(0.84, 0.50, 0.31), dark=(0.60, 0.31, 0.19), rock=(0.52, 0.28, 0.19)
    )


def moon(stagehand: Stagehand) -> SceneSet:
    """Grey dust and craters under a black sky."""
    return _barren(
        stagehand,
        SettingKind.MOON,
        light=(0.80, 0.80, 0.79),
        dark=(0.52, 0.52, 0.52),
        rock=(0.9, 0.9, 0.89),
        hazy=False,
    )


def island(stagehand: Stagehand) -> SceneSet:
    """A beach on a bay, with green mountains across the water."""
    scene = beach(stagehand)
    d = stagehand.distance
    far = far_land(stagehand, LANDS[SettingKind.ISLAND], depth=13 * d)
    near = _palms(stagehand, 3.5 * d)
    return SceneSet(
        layers=[*scene.layers, far, near],
        ground=scene.ground,
        prop_depths=scene.prop_depths,
        prop_side=scene.prop_side,
        water_from=scene.water_from,
    )


def _palms(stagehand: Stagehand, depth: float) -> Panel:
    """A spit of land with palms on one side of the bay."""
    rng = stagehand.rng
    low, high = stagehand.reach.x_range(depth)
    side = -1.0 if rng.random() < 0.5 else 1.0
    start, end = (low, low + 0.95 * (high - low)) if side < 0 else (high - 0.95 * (high - low), high)

    def draw(pen: Pen) -> None:
        tip = pen.high if side < 0 else pen.low
        base = pen.low if side < 0 else pen.high
        pen.poly([(base, 0.0), (base, 0.42), ((base + tip) / 2, 0.34), (tip, 0.02), (tip, 0.0)], (0.92, 0.83, 0.60))
        pen.poly(
            [(base, 0.36), (base, 0.95), ((base * 2 + tip) / 3, 0.66), ((base + tip) / 2, 0.33)], (0.16, 0.40, 0.16)
        )
        for index in range(9):
            foot = base + (tip - base) * (0.03 + 0.085 * index)
            tall = rng.uniform(1.7, 2.6) * (1 - 0.045 * index)
            lean = -side * rng.uniform(0.15, 0.5)
            for part in range(8):
                y0, y1 = tall * part / 8, tall * (part + 1) / 8
                pen.line(
                    (foot + lean * (part / 8) ** 2, y0 + 0.2), (foot + lean * ((part + 1) / 8) ** 2, y1 + 0.2),
                    thick=0.085 - 0.005 * part, colour=(0.46, 0.36, 0.25),
                )  # fmt: skip
            crown = (foot + lean, tall + 0.2)
            for turn in np.linspace(-0.3, 3.44, 9):
                reach = rng.uniform(0.55, 0.75)
                tip_x, tip_y = crown[0] + reach * np.cos(turn), crown[1] + reach * (0.55 * np.sin(turn) - 0.18)
                over = (crown[0] + 0.55 * reach * np.cos(turn), crown[1] + reach * (0.55 * np.sin(turn) + 0.20))
                pen.poly(
                    [crown, over, (tip_x, tip_y), (over[0], over[1] - 0.13)],
                    dimmed((0.22, 0.52, 0.20), rng.uniform(0.7, 1.15)),
                )

    return board_panel(stagehand, (depth, 3.5), draw, span=(start, end))


def jungle(stagehand: Stagehand) -> SceneSet:
    """Walls of leaves at many depths, hanging vines, broad leaves near by, and mist between."""
    d, rng = stagehand.distance, stagehand.rng
    floor = ground.grass(
        rng, light=(0.30, 0.46, 0.18), dark=(0.14, 0.27, 0.10), dry=(0.36, 0.34, 0.18), repeat=stagehand.repeat
    )
    surface, baked = lay(stagehand, floor)
    layers: list[Layer] = [*open_sky(stagehand, has_clouds=False), surface]
    for depth, height, tone in ((12.0, 15.0, 0.55), (8.0, 8.6, 0.40)):
        colour = mix((0.10, 0.30, 0.12), (0.62, 0.80, 0.56), tone)
        layers.append(
            land.tree_line(
                stagehand, Spot(depth=depth * d, height=height), colour=colour, is_pine=False, density_of_trees=1.5
            )
        )
    layers.extend(
        trunks(stagehand, Spot(depth=5.0 * d, height=5.4), colour=(0.30, 0.28, 0.20), leaf=(0.14, 0.36, 0.14), count=12)
    )
    layers.append(_undergrowth(stagehand, 3.4 * d, tall=1.5, colour=(0.12, 0.36, 0.14)))
    layers.append(_vines(stagehand, 3.1 * d))
    layers.append(_undergrowth(stagehand, 2.3 * d, tall=0.55, colour=(0.16, 0.44, 0.16)))
    layers.extend(grass_strips(stagehand, light=(0.26, 0.56, 0.22), dark=(0.08, 0.28, 0.10), tall=0.24))
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.3, 2.2), prop_side=0.9)


def _undergrowth(stagehand: Stagehand, depth: float, *, tall: float, colour: Rgb) -> Panel:
    """Bushes of long broad leaves."""
    rng = stagehand.rng

    def draw(pen: Pen) -> None:
        step = tall * 0.34
        for x in np.arange(np.floor(pen.low / step) * step, pen.high + step, step):
            foot, high = x + rng.uniform(-0.3, 0.3) * step, tall * rng.uniform(0.55, 0.95)
            for turn in np.linspace(0.35, 2.8, 7):
                reach = high * rng.uniform(0.7, 1.0)
                tip = (foot + 0.7 * reach * np.cos(turn), reach * (0.35 + 0.65 * np.sin(turn)))
                half = tall * 0.055
                middle = (foot + 0.42 * reach * np.cos(turn), reach * 0.62 * np.sin(turn) + 0.1 * reach)
                shade = dimmed(colour, rng.uniform(0.6, 1.35))
                pen.poly([(foot, 0.0), (middle[0] - half, middle[1]), tip, (middle[0] + half, middle[1])], shade)
                pen.line((foot, 0.0), tip, thick=0.008, colour=dimmed(shade, 1.4))
        pen.rect((pen.low, 0.0, pen.high, tall * 0.16), dimmed(colour, 0.55))

    return board_panel(stagehand, (depth, tall), draw)


def _vines(stagehand: Stagehand, depth: float) -> Panel:
    """Stems that hang from above, with leaves."""
    rng, top = stagehand.rng, max(stagehand.reach.y_range(depth)[1] * 1.05, 2.2)

    def draw(pen: Pen) -> None:
        for x in np.arange(np.floor(pen.low), pen.high, 0.55):
            place, end, bow = x + rng.uniform(0, 0.5), top * rng.uniform(0.42, 0.75), rng.uniform(-0.2, 0.2)
            for part in np.linspace(0, 1, 16):
                at = (place + bow * np.sin(part * 3.1), top + (end - top) * part)
                pen.disc(at, 0.018, (0.16, 0.30, 0.12))
                for side in (-1, 1):
                    if rng.random() < 0.7:
                        leaf = (at[0] + side * 0.07, at[1] - 0.03)
                        pen.poly(
                            [
                                at,
                                (leaf[0], leaf[1] + 0.05),
                                (leaf[0] + side * 0.05, leaf[1] - 0.04),
                                (leaf[0], leaf[1] - 0.04),
                            ],
                            dimmed((0.18, 0.46, 0.18), rng.uniform(0.6, 1.2)),
                        )

    return board_panel(stagehand, (depth, top), draw)


def cave(stagehand: Stagehand) -> SceneSet:
    """A vault of rock with dripstones, an opening to the light, and crystals that glow."""
    d, rng, look = stagehand.distance, stagehand.rng, stagehand.look
    rock: Rgb = (0.34, 0.30, 0.30)
    wall = Wall(stagehand, 2.6 * d, rock)
    _rock_face(wall, rng, rock, day=mix(look.sky[1], look.sky[2], 0.5))
    floor = ground.sand(rng, light=(0.42, 0.37, 0.35), dark=(0.24, 0.21, 0.21), repeat=stagehand.repeat)
    surface, baked = lay(stagehand, floor)
    layers: list[Layer] = [surface, wall.panel()]
    for depth, tall, tone in ((2.2, 0.75, 0.80), (1.6, 0.45, 0.55), (0.62, 0.26, 0.22)):
        layers.append(_dripstones(stagehand, depth * d, tall=tall, colour=dimmed(rock, tone)))
    crystal: Rgb = ((0.36, 0.80, 1.0), (0.80, 0.46, 1.0), (0.40, 1.0, 0.70))[int(rng.integers(3))]
    for side in (-1.0, 1.0):
        x = side * float(rng.uniform(1.2, 1.7))
        layers.append(_crystals(stagehand, 2.0 * d, x=x, colour=crystal))
        layers.append(lamp_glow(stagehand, x=x, y=0.22, depth=1.99 * d, across=1.5, colour=dimmed(crystal, 0.7)))
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.3, 1.9), prop_side=0.9)


def _rock_face(wall: Wall, rng: np.random.Generator, rock: Rgb, *, day: Rgb) -> None:
    """Paint rough rock on a wall, and the mouth of the cave with daylight in it."""
    height, width = wall.bitmap.shape[:2]
    field = layered_field((width, height), cells=(max(4 * width / height, 2), 4), octaves=5, rng=rng)
    shifted = np.roll(field, (max(height // 120, 1), max(height // 160, 1)), (0, 1))
    relief = np.clip(0.75 + (field - shifted) * 6.0 + (field - 0.5) * 0.7, 0.15, 1.6)
    colour = relief[..., None] * np.array(rock, np.float32)
    xs = (np.arange(width, dtype=np.float32) / wall.density + wall.low)[None, :]
    ys = ((height - np.arange(height, dtype=np.float32)) / wall.density)[:, None]
    edge = rolling_line(512, waves=9, octaves=4, rng=rng)
    angle = ((np.arctan2(ys - 0.55, xs + 0.35) / (2 * np.pi)) % 1.0 * 511).astype(int)
    away = np.hypot((xs + 0.35) / 0.95, (ys - 0.55) / 0.80) + 0.10 * edge[angle]
    mouth = smoothstep(0.86, 0.82, away)[..., None]
    light = np.exp(-np.clip(away - 0.8, 0, None) * 1.5)[..., None]
    colour = colour * (0.5 + 1.1 * light) + light * np.array(day, np.float32) * 0.16
    outside = np.array(day, np.float32) * np.clip(0.92 + 0.2 * (ys - 0.4), 0.6, 1.05)[..., None]
    green = (ys < 0.30 + 0.05 * np.sin(xs * 5))[..., None]
    outside = np.where(green, outside * np.array((0.42, 0.60, 0.34), np.float32), outside)
    colour += mouth * (outside - colour)
    wall.bitmap[..., :3] = np.clip(colour * 255, 0, 255)


def _dripstones(stagehand: Stagehand, depth: float, *, tall: float, colour: Rgb) -> Panel:
    """Stones that hang from the vault and others that grow from the floor."""
    rng, top = stagehand.rng, max(stagehand.reach.y_range(depth)[1] * 1.06, 1.5)

    def draw(pen: Pen) -> None:
        step = tall * 0.5
        for x in np.arange(np.floor(pen.low / step) * step, pen.high + step, step):
            middle, wide = x + rng.uniform(-0.3, 0.3) * step, step * rng.uniform(0.25, 0.5)
            down = tall * rng.uniform(0.4, 1.5)
            tone = dimmed(colour, rng.uniform(0.8, 1.15))
            pen.poly(
                [
                    (middle - wide, top),
                    (middle + wide, top),
                    (middle + wide * 0.2, top - down * 0.7),
                    (middle, top - down),
                ],
                tone,
            )
            pen.poly([(middle, top), (middle + wide, top), (middle + wide * 0.2, top - down * 0.7)], dimmed(tone, 1.2))
            if rng.random() < 0.45 and abs(middle) > 0.8:
                up = tall * rng.uniform(0.2, 0.75)
                pen.poly([(middle - wide, 0), (middle + wide, 0), (middle + wide * 0.15, up * 0.8), (middle, up)], tone)
                pen.poly([(middle, 0), (middle + wide, 0), (middle + wide * 0.15, up * 0.8)], dimmed(tone, 1.2))
        pen.rect((pen.low, top - tall * 0.16, pen.high, top), dimmed(colour, 0.8))

    return board_panel(stagehand, (depth, top), draw)


def _crystals(stagehand: Stagehand, depth: float, *, x: float, colour: Rgb) -> Panel:
    rng = stagehand.rng

    def draw(pen: Pen) -> None:
        for lean in (-0.5, 0.45, -0.2, 0.18, 0.0):
            high, half = 0.46 * (1 - 0.5 * abs(lean)) * rng.uniform(0.7, 1.0), 0.05
            tip = x + lean * high
            pen.poly([(x + lean * 0.1 - half, 0), (tip - half, high * 0.8), (tip, high), (x + lean * 0.1, 0)], colour)
            pen.poly(
                [(x + lean * 0.1, 0), (tip, high), (tip + half, high * 0.8), (x + lean * 0.1 + half, 0)],
                dimmed(colour, 0.66),
            )

    panel = board_panel(stagehand, (depth, 0.5), draw, span=(x - 0.4, x + 0.4))
    bright: Bitmap = recolour(panel.bitmap, np.diag([1.35, 1.35, 1.35, 1.0]))
    panel.bitmap[:] = bright
    return panel
