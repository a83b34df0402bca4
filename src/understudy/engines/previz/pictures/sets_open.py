"""Sets under the open sky on firm ground: meadow, garden, forest, mountains, desert, farm, snow, road."""

import cv2
import numpy as np

from understudy.engines.previz.pictures import ground, land
from understudy.engines.previz.pictures.barns import barn
from understudy.engines.previz.pictures.canvas import Bitmap, Rgb
from understudy.engines.previz.pictures.land import Spot
from understudy.engines.previz.pictures.layers import Baked, Layer, Panel, Shade, Surface, bake_surface, islands
from understudy.engines.previz.pictures.light import Look, dimmed, mix, recolour, times
from understudy.engines.previz.pictures.plants import grass_strips
from understudy.engines.previz.pictures.scene import SceneSet, Stagehand
from understudy.engines.previz.pictures.seasons import fallen, foliage, is_snowy, is_wet, season_of
from understudy.engines.previz.pictures.sky import open_sky
from understudy.engines.previz.pictures.sprites import glow
from understudy.engines.previz.plan import SettingKind

_SEASONS: dict[str, tuple[Rgb, Rgb, Rgb]] = {
    # light, dark, dry
    "autumn": ((0.78, 0.68, 0.30), (0.50, 0.44, 0.18), (0.86, 0.55, 0.22)),
    "winter": ((0.93, 0.96, 1.0), (0.70, 0.78, 0.88), (0.92, 0.95, 0.98)),
}
_GREENS: tuple[Rgb, Rgb, Rgb] = ((0.56, 0.80, 0.33), (0.27, 0.56, 0.21), (0.76, 0.83, 0.40))
_AFLOAT = frozenset({SettingKind.UNDERWATER, SettingKind.SEA, SettingKind.SPACE})
_FLOWERS: tuple[Rgb, ...] = ((1.0, 0.98, 0.94), (1.0, 0.84, 0.30), (0.98, 0.52, 0.66), (0.72, 0.60, 0.98))


def greens(stagehand: Stagehand) -> tuple[Rgb, Rgb, Rgb]:
    """Grass colours of the season: light, dark, dry."""
    return _SEASONS.get(season_of(stagehand.shot), _GREENS)


def lay(stagehand: Stagehand, shade: Shade, *, hazy: bool = True) -> tuple[Surface, Baked]:
    """Bake the ground under the film's light."""
    look = stagehand.look
    shot, is_firm = stagehand.shot, stagehand.setting not in _AFLOAT
    light = (1.0, 1.0, 1.0) if hazy else look.ambient
    if is_snowy(shot) and stagehand.setting is not SettingKind.SNOWFIELD:
        shade = ground.snow_over(shade, stagehand, light=light)
    elif is_wet(shot) and is_firm and hazy:
        shade = ground.wet(shade, stagehand)
    lit = ground.haze_over(shade, look, distance=stagehand.distance) if hazy else shade
    surface, baked = bake_surface(stagehand.reach, lit, detail=stagehand.detail, repeat=stagehand.repeat)
    if look.grade != Look.__dataclass_fields__["grade"].default:
        baked.bitmap[:] = recolour(baked.bitmap, np.array(look.grade))
    if hazy and is_firm and (colours := fallen(shot)):
        depths = near_far(stagehand, 0.45, 4.5)
        ground.specks(stagehand, baked, colours=colours, radius_units=0.024, depths=depths, count=190)
    return surface, baked


def near_far(stagehand: Stagehand, near: float, far: float) -> tuple[float, float]:
    """A depth range in parts of the subject's distance."""
    return near * stagehand.distance, far * stagehand.distance


def meadow(stagehand: Stagehand) -> SceneSet:
    """Hills behind a meadow with flowers."""
    light, dark, dry = greens(stagehand)
    d = stagehand.distance
    surface, baked = lay(
        stagehand, ground.grass(stagehand.rng, light=light, dark=dark, dry=dry, repeat=stagehand.repeat)
    )
    _flowering(stagehand, baked, colours=_FLOWERS, light=light, dark=dark)
    sky = open_sky(stagehand)
    blue: Rgb = (0.46, 0.62, 0.66)
    return SceneSet(
        layers=[
            *sky,
            surface,
            land.hills(stagehand, Spot(depth=24 * d, height=6.4), light=blue, dark=dimmed(blue, 0.8), waves=2.2),
            land.hills(stagehand, Spot(depth=15 * d, height=3.0), light=mix(light, blue, 0.45), dark=dark, waves=3),
            land.tree_line(stagehand, Spot(depth=9.4 * d, height=0.95), colour=dimmed(dark, 0.9), is_pine=False),
            land.hills(stagehand, Spot(depth=9 * d, height=1.25), light=light, dark=dark, waves=2.6, rough=0.012),
            *grass_strips(stagehand, light=light, dark=dark),
        ],
        ground=baked,
        prop_depths=(1.25, 4.2),
    )


def _flowering(stagehand: Stagehand, baked: Baked, *, colours: tuple[Rgb, ...], light: Rgb, dark: Rgb) -> None:
    _look, _rng = stagehand.look, stagehand.rng
    near, far = near_far(stagehand, 0.42, 4.5)
    if not stagehand.repeat:
        ground.tufts(
            stagehand,
            baked,
            colours=(mix(light, dark, 0.25), mix(light, dark, 0.5), mix(light, dark, 0.8)),
            depths=(near, far),
            count=170,
        )
    if season_of(stagehand.shot) not in ("autumn", "winter"):
        ground.specks(stagehand, baked, colours=colours, radius_units=0.016, depths=(near, far), count=170)


def garden(stagehand: Stagehand) -> SceneSet:
    """A lawn with a stone path, a flowering hedge and a picket fence."""
    light, dark, _dry = greens(stagehand)
    d = stagehand.distance
    lawn = ground.grass(stagehand.rng, light=light, dark=dark, dry=light, repeat=stagehand.repeat)
    stones = ground.paving(
        stagehand.rng, light=(0.86, 0.80, 0.72), dark=(0.68, 0.62, 0.55), tile=0.34, repeat=stagehand.repeat
    )
    shade = (
        ground.band_along(lawn, stones, low=d * 0.92, high=d * 1.12)
        if stagehand.is_passing
        else ground.lane_into(lawn, stones, half=0.42, bend=0.5)
    )
    surface, baked = lay(stagehand, shade)
    _flowering(stagehand, baked, colours=_FLOWERS, light=light, dark=dark)
    blooms: tuple[Rgb, ...] = ((1.0, 0.50, 0.62), (1.0, 0.86, 0.36), (0.98, 0.98, 0.98), (0.90, 0.36, 0.46))
    return SceneSet(
        layers=[
            *open_sky(stagehand),
            surface,
            land.hills(stagehand, Spot(depth=18 * d, height=3.6), light=mix(light, (0.5, 0.66, 0.7), 0.5), dark=dark),
            land.tree_line(stagehand, Spot(depth=7 * d, height=2.1), colour=dimmed(dark, 0.95), is_pine=False),
            land.hedge(stagehand, Spot(depth=3.9 * d, height=0.86), colour=dark, flowers=blooms),
            fence(stagehand, Spot(depth=3.4 * d, height=0.62)),
            *grass_strips(stagehand, light=light, dark=dark, tall=0.11)[1:],
        ],
        ground=baked,
        prop_depths=(1.2, 3.1),
    )


def fence(stagehand: Stagehand, spot: Spot, *, colour: Rgb = (0.97, 0.96, 0.93), is_rail: bool = False) -> Panel:
    """White pickets, or ranch rails."""
    look = stagehand.look

    def paint(width_px: int, height_px: int, density: float) -> Bitmap:
        bitmap = np.zeros((height_px, width_px, 4), np.uint8)
        face = tuple(c * 255 for c in colour)
        dark = tuple(c * 190 for c in colour)
        step = height_px * (1.5 if is_rail else 0.30)
        post = height_px * (0.11 if is_rail else 0.17)
        for level in (0.30, 0.62) if not is_rail else (0.18, 0.46, 0.74):
            cv2.rectangle(
                bitmap, (0, int(height_px * level)), (width_px, int(height_px * (level + 0.085))), (*dark, 255), -1
            )
        for index in range(int(width_px / step) + 1):
            left, right = index * step, index * step + post
            points = [
                (left, height_px),
                (left, height_px * 0.12),
                ((left + right) / 2, 0),
                (right, height_px * 0.12),
                (right, height_px),
            ]
            if is_rail:
                points = [(left, height_px), (left, 0), (right, 0), (right, height_px)]
            corners = np.array([[round(x * 8), round(y * 8)] for x, y in points], np.int32)
            cv2.fillPoly(bitmap, [corners], (*face, 255), cv2.LINE_AA, 3)
            edge = right if look.sun_x < 0 else left
            cv2.line(
                bitmap,
                (int(edge), int(height_px * 0.12)),
                (int(edge), height_px),
                (*dark, 255),
                max(int(post * 0.16), 1),
            )
        haze = look.haze_at(spot.depth, stagehand.distance)
        return recolour(bitmap, look.lit_matrix(gain=look.ambient, haze=haze))

    return land.upright(stagehand, spot, paint)


TRUNK_TOP = 0.14
"""Where trunks end among the leaves, as a share of the height of the wood."""


def forest(stagehand: Stagehand) -> SceneSet:
    """Trunks behind trunks in haze, a leafy roof, and shafts of light."""
    light, dark, dry = greens(stagehand)
    d = stagehand.distance
    floor = ground.grass(
        stagehand.rng,
        light=mix(light, (0.42, 0.50, 0.24), 0.5),
        dark=mix(dark, (0.26, 0.24, 0.12), 0.5),
        dry=(0.52, 0.42, 0.22),
        repeat=stagehand.repeat,
    )
    path = ground.plain(stagehand.rng, light=(0.66, 0.55, 0.38), dark=(0.50, 0.40, 0.27), repeat=stagehand.repeat)
    shade = (
        ground.band_along(floor, path, low=d * 0.86, high=d * 1.16, soft=0.12)
        if stagehand.is_passing
        else ground.lane_into(floor, path, half=0.55, bend=0.7, soft=0.16)
    )
    surface, baked = lay(stagehand, shade)
    near, far = near_far(stagehand, 0.42, 4.0)
    ground.specks(
        stagehand,
        baked,
        colours=((0.62, 0.46, 0.22), (0.74, 0.56, 0.26), dry),
        radius_units=0.02,
        depths=(near, far),
        count=120,
    )
    layers = [
        *open_sky(stagehand),
        surface,
        land.tree_line(
            stagehand,
            Spot(depth=9 * d, height=4.4),
            colour=mix(dark, (0.4, 0.6, 0.5), 0.15),
            is_pine=True,
            density_of_trees=1.3,
        ),
        *trunks(stagehand, Spot(depth=5.2 * d, height=5.9), colour=(0.38, 0.29, 0.23), leaf=dark, count=15),
        *trunks(
            stagehand, Spot(depth=3.4 * d, height=5.0), colour=(0.34, 0.25, 0.19), leaf=mix(dark, light, 0.3), count=9
        ),
    ]
    layers.extend(grass_strips(stagehand, light=mix(light, dark, 0.3), dark=dimmed(dark, 0.85), tall=0.2))
    if not stagehand.look.is_dark and stagehand.look.overcast < 0.6:
        layers.append(_shafts(stagehand, depth=6.0 * d))
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.3, 2.9), prop_side=0.85)


def trunks(stagehand: Stagehand, spot: Spot, *, colour: Rgb, leaf: Rgb, count: int) -> list[Layer]:
    """Trunks in a row under a roof of leaves, as pieces."""
    look, rng = stagehand.look, stagehand.rng

    def paint(width_px: int, height_px: int, density: float) -> Bitmap:
        bitmap = np.zeros((height_px, width_px, 4), np.uint8)
        side = float(np.sign(look.sun_x) or 1)
        total = max(int(count * width_px / (height_px * 1.8)), 4)
        leaves = foliage(stagehand.shot, leaf)
        for index in range(total):
            x = (index + rng.uniform(0.1, 0.9)) * width_px / total
            wide = height_px * rng.uniform(0.022, 0.042)
            lean = rng.uniform(-0.02, 0.02) * height_px
            tone = rng.uniform(0.8, 1.15)
            for part, shift, scale in ((0.72, 0.0, 1.0), (1.0, 0.22, 0.6), (1.3, 0.46, 0.22)):
                half = wide * scale / 2
                centre = x + side * shift * wide * 0.6
                points = [
                    (centre - half * 1.25, height_px),
                    (centre - half * 0.8 + lean, height_px * TRUNK_TOP),
                    (centre + half * 0.8 + lean, height_px * TRUNK_TOP),
                    (centre + half * 1.25, height_px),
                ]
                corners = np.array([[round(px * 8), round(py * 8)] for px, py in points], np.int32)
                shade = tuple(min(c * tone * part, 1.0) * 255 for c in colour)
                cv2.fillPoly(bitmap, [corners], (*shade, 255), cv2.LINE_AA, 3)
        for _ in range(int(total * 16)):
            # No leaf reaches the edge of the bitmap: a wide frame shows where the roof ends.
            x, y = rng.uniform(0, width_px), height_px * rng.uniform(0.08, 0.30)
            radius = height_px * rng.uniform(0.035, 0.085)
            tone = rng.uniform(0.62, 1.18)
            hue = leaves[int(rng.integers(len(leaves)))]
            shade = tuple(min(c * tone, 1.0) * 255 for c in hue)
            cv2.ellipse(
                bitmap,
                (int(x * 8), int(y * 8)),
                (int(radius * 10), int(radius * 7)),
                rng.uniform(-20, 20),
                0,
                360,
                (*shade, 255),
                -1,
                cv2.LINE_AA,
                3,
            )
        for _ in range(int(total * 8)):
            x, y = rng.uniform(0, width_px), height_px * (1 + rng.uniform(-0.03, 0.02))
            radius = height_px * rng.uniform(0.03, 0.06)
            shade = tuple(min(c * rng.uniform(0.6, 1.0), 1.0) * 255 for c in leaf)
            cv2.ellipse(
                bitmap,
                (int(x * 8), int(y * 8)),
                (int(radius * 12), int(radius * 8)),
                0,
                0,
                360,
                (*shade, 255),
                -1,
                cv2.LINE_AA,
                3,
            )
        haze = look.haze_at(spot.depth, stagehand.distance) + 0.12
        return recolour(bitmap, look.lit_matrix(gain=look.ambient, haze=haze))

    return islands(land.upright(stagehand, spot, paint))


def _shafts(stagehand: Stagehand, *, depth: float) -> Panel:
    """Slanting beams of sun between the trees."""
    look, rng = stagehand.look, stagehand.rng

    def paint(width_px: int, height_px: int, density: float) -> Bitmap:
        small = (max(width_px // 4, 8), max(height_px // 4, 8))
        xs = np.arange(small[0], dtype=np.float32)[None, :]
        ys = np.arange(small[1], dtype=np.float32)[:, None]
        slant = xs + ys * np.float32(0.55 * np.sign(look.sun_x))
        total = np.zeros(small[::-1], np.float32)
        for _ in range(7):
            centre, half = rng.uniform(0, small[0]), small[1] * rng.uniform(0.04, 0.13)
            total += np.exp(-(((slant - centre) / half) ** 2)) * rng.uniform(0.5, 1.0)
        total *= np.linspace(1, 0.0, small[1], dtype=np.float32)[:, None] ** 0.8
        level = cv2.resize(np.clip(total, 0, 1), (width_px, height_px), interpolation=cv2.INTER_LINEAR) * np.float32(
            0.26
        )
        bitmap = np.empty((height_px, width_px, 4), np.float32)
        bitmap[..., :3] = level[..., None] * np.array(look.sun, np.float32)
        bitmap[..., 3] = level
        return recolour((bitmap * 255).astype(np.uint8), np.array(look.grade))

    return land.upright(stagehand, Spot(depth=depth, height=3.0), paint, detail=0.5)


def peaks(stagehand: Stagehand) -> SceneSet:
    """Two ranges of snow-capped peaks over pines and an alpine meadow."""
    light, dark, _dry = greens(stagehand)
    d = stagehand.distance
    surface, baked = lay(
        stagehand,
        ground.grass(
            stagehand.rng,
            light=mix(light, (0.6, 0.66, 0.42), 0.4),
            dark=dark,
            dry=(0.66, 0.62, 0.50),
            repeat=stagehand.repeat,
        ),
    )
    _flowering(stagehand, baked, colours=_FLOWERS, light=light, dark=dark)
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
            land.mountains(stagehand, Spot(depth=26 * d, height=12.5), rock=(0.46, 0.48, 0.60), snow_line=0.40),
            land.mountains(stagehand, Spot(depth=16 * d, height=5.6), rock=(0.40, 0.42, 0.48), snow_line=0.62, peaks=7),
            land.tree_line(stagehand, Spot(depth=9 * d, height=1.15), colour=dimmed(dark, 0.7), is_pine=True),
            land.hills(stagehand, Spot(depth=8 * d, height=0.9), light=light, dark=dark, waves=2.4, rough=0.01),
            *grass_strips(stagehand, light=light, dark=dark, tall=0.11),
        ],
        ground=baked,
        prop_depths=(1.3, 3.8),
    )


def desert(stagehand: Stagehand) -> SceneSet:
    """Dunes to the horizon."""
    d = stagehand.distance
    light: Rgb = (0.98, 0.80, 0.52)
    dark: Rgb = (0.78, 0.52, 0.28)
    surface, baked = lay(stagehand, ground.sand(stagehand.rng, light=light, dark=dark, repeat=stagehand.repeat))
    ground.specks(
        stagehand,
        baked,
        colours=((0.62, 0.44, 0.28), (0.72, 0.52, 0.34)),
        radius_units=0.018,
        depths=near_far(stagehand, 0.45, 4),
        count=70,
    )
    return SceneSet(
        layers=[
            *open_sky(stagehand),
            surface,
            land.mountains(stagehand, Spot(depth=26 * d, height=3.6), rock=(0.72, 0.52, 0.42), snow_line=2.0, peaks=6),
            land.dunes(stagehand, Spot(depth=16 * d, height=2.9), light=light, dark=dark, waves=2.6),
            land.dunes(stagehand, Spot(depth=9 * d, height=1.5), light=light, dark=dark, waves=2.0),
            land.dunes(stagehand, Spot(depth=5.4 * d, height=0.72), light=light, dark=dark, waves=1.6),
        ],
        ground=baked,
        prop_depths=(1.3, 3.4),
    )


def farm(stagehand: Stagehand) -> SceneSet:
    """Crop rows, a red barn, a rail fence and soft hills."""
    light, dark, dry = greens(stagehand)
    d = stagehand.distance
    base = ground.grass(stagehand.rng, light=light, dark=dark, dry=dry, repeat=stagehand.repeat)
    shade = (
        base
        if stagehand.is_passing
        else ground.rows_of_crop(stagehand.rng, base, colour=(0.50, 0.66, 0.22), soil=(0.50, 0.36, 0.22))
    )
    surface, baked = lay(stagehand, shade)
    _flowering(stagehand, baked, colours=_FLOWERS, light=light, dark=dark)
    return SceneSet(
        layers=[
            *open_sky(stagehand),
            surface,
            land.hills(stagehand, Spot(depth=22 * d, height=4.2), light=(0.5, 0.66, 0.62), dark=(0.36, 0.52, 0.5)),
            land.hills(stagehand, Spot(depth=13 * d, height=1.9), light=mix(light, dry, 0.5), dark=dark, waves=2.5),
            land.tree_line(stagehand, Spot(depth=8 * d, height=0.9), colour=dark, is_pine=False),
            barn(stagehand, depth=5.0 * d),
            fence(stagehand, Spot(depth=3.5 * d, height=0.5), colour=(0.72, 0.56, 0.40), is_rail=True),
            *grass_strips(stagehand, light=mix(light, dry, 0.4), dark=dark, tall=0.13),
        ],
        ground=baked,
        prop_depths=(1.25, 3.1),
    )


def snowfield(stagehand: Stagehand) -> SceneSet:
    """White hills and snowy pines."""
    d = stagehand.distance
    surface, baked = lay(stagehand, ground.snow(stagehand.rng, repeat=stagehand.repeat))
    white: Rgb = (0.97, 0.98, 1.0)
    blue: Rgb = (0.66, 0.76, 0.92)
    return SceneSet(
        layers=[
            *open_sky(stagehand),
            surface,
            land.mountains(stagehand, Spot(depth=26 * d, height=7.5), rock=(0.56, 0.62, 0.74), snow_line=0.22),
            land.hills(stagehand, Spot(depth=15 * d, height=2.4), light=white, dark=blue),
            land.tree_line(stagehand, Spot(depth=9 * d, height=1.3), colour=(0.40, 0.54, 0.58), is_pine=True),
            land.hills(stagehand, Spot(depth=8.4 * d, height=0.9), light=white, dark=blue, waves=2.2),
        ],
        ground=baked,
        prop_depths=(1.3, 3.6),
    )


def road(stagehand: Stagehand) -> SceneSet:
    """A road through open land: into the depth, or along the frame when somebody drives."""
    light, dark, dry = greens(stagehand)
    d = stagehand.distance
    verge = ground.grass(
        stagehand.rng, light=mix(light, dry, 0.35), dark=dark, dry=(0.80, 0.70, 0.44), repeat=stagehand.repeat
    )
    asphalt = ground.marked_road(
        stagehand.rng, is_across=stagehand.is_passing, middle=d * 1.16, repeat=stagehand.repeat
    )
    shade = (
        ground.band_along(verge, asphalt, low=d * 0.80, high=d * 1.62)
        if stagehand.is_passing
        else ground.lane_into(verge, asphalt, half=1.05)
    )
    surface, baked = lay(stagehand, shade)
    blue: Rgb = (0.46, 0.60, 0.66)
    layers = [
        *open_sky(stagehand),
        surface,
        land.mountains(stagehand, Spot(depth=26 * d, height=5.2), rock=(0.48, 0.52, 0.62), snow_line=0.74),
        land.hills(stagehand, Spot(depth=15 * d, height=2.2), light=mix(light, blue, 0.4), dark=dark),
        land.tree_line(stagehand, Spot(depth=8.5 * d, height=0.8), colour=dark, is_pine=False),
    ]
    if stagehand.is_passing:
        layers.append(fence(stagehand, Spot(depth=2.15 * d, height=0.34), colour=(0.84, 0.85, 0.88), is_rail=True))
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.9, 3.6), prop_side=1.3)


def lamp_glow(
    stagehand: Stagehand, *, x: float, y: float, depth: float, across: float, colour: Rgb = (1.0, 0.78, 0.42)
) -> Panel:
    """The halo of a lamp."""
    density = max(96 / across, 4.0)
    bitmap = recolour(glow(96, times(colour, (1.0, 1.0, 1.0)), strength=0.85), np.array(stagehand.look.grade))
    return Panel(bitmap=bitmap, left=x - across / 2, top=y + across / 2, depth=depth, density=density)
