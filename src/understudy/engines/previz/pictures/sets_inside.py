"""Sets indoors where people live and work: room, kitchen, office; and the wall they share."""

import cv2
import numpy as np

from understudy.engines.previz.pictures import ground
from understudy.engines.previz.pictures.canvas import Bitmap, Floats, Rgb
from understudy.engines.previz.pictures.layers import Layer, Moving, Panel, Shade, crown_of, side_wall
from understudy.engines.previz.pictures.light import Look, dimmed, mix, recolour
from understudy.engines.previz.pictures.raster import Raster
from understudy.engines.previz.pictures.scene import SceneSet, Stagehand
from understudy.engines.previz.pictures.sets_open import lamp_glow, lay
from understudy.engines.previz.pictures.sky import dithered
from understudy.engines.previz.pictures.view import View

# Left, foot, right, top: units from the wall's middle and from the floor.
Box = tuple[float, float, float, float]


class Wall:
    """A back wall in units: x from its middle, y from the floor; everything painted on it is lit at the end."""

    def __init__(self, stagehand: Stagehand, depth: float, colour: Rgb) -> None:
        self._stagehand, self.depth = stagehand, depth
        reach = stagehand.reach
        low, high = reach.x_range(depth)
        self.top = max(reach.y_range(depth)[1] * 1.04, 1.5)
        self.low, self.high = low - 0.05, high + 0.05
        self.density = min(reach.finest_scale(depth) * stagehand.detail, 9000 / (self.high - self.low))
        width, height = int((self.high - self.low) * self.density), int(self.top * self.density)
        xs = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
        ys = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        pool = 1.08 - 0.30 * (xs * xs) - 0.16 * np.abs(ys - 0.45)
        self.bitmap = dithered(np.clip(pool[..., None] * np.array(colour, np.float32), 0, 1), stagehand.rng)
        self._keep: list[tuple[slice, slice, Bitmap]] = []

    def rows(self, y0: float, y1: float) -> slice:
        """Bitmap rows between two heights."""
        height = self.bitmap.shape[0]
        return slice(max(int(height - y1 * self.density), 0), max(int(height - y0 * self.density), 0))

    def columns(self, x0: float, x1: float) -> slice:
        """Bitmap columns between two places."""
        return slice(max(int((x0 - self.low) * self.density), 0), max(int((x1 - self.low) * self.density), 0))

    def fill(self, box: Box, colour: Rgb) -> None:
        """Paint a rectangle (left, foot, right, top) with a soft vertical shade."""
        x0, y0, x1, y1 = box
        area = self.bitmap[self.rows(y0, y1), self.columns(x0, x1)]
        if area.size:
            shade = np.linspace(1.05, 0.93, area.shape[0], dtype=np.float32)[:, None, None]
            area[..., :3] = np.clip(np.array(colour, np.float32) * 255 * shade, 0, 255)

    def window(self, box: Box, panes: tuple[int, int], *, view: Bitmap, frame: Rgb) -> None:
        """A window (left, foot, right, top) with what is outside; the outside keeps its own light."""
        x0, y0, x1, y1 = box
        edge = 0.035 * (y1 - y0) + 0.012
        self.fill((x0 - edge, y0 - edge, x1 + edge, y1 + edge), frame)
        rows, columns = self.rows(y0, y1), self.columns(x0, x1)
        size = (columns.stop - columns.start, rows.stop - rows.start)
        held = self.bitmap[rows, columns].shape[:2]
        if min(size) < 4 or min(held) == 0:
            return
        outside = cv2.resize(view, size, interpolation=cv2.INTER_AREA)
        bar = max(int(edge * 0.7 * self.density), 1)
        tone = (*(c * 255 for c in frame), 255)
        lit = recolour(np.array([[tone]], np.uint8), self._matrix())[0, 0]
        for k in range(1, panes[0]):
            x = size[0] * k // panes[0]
            outside[:, max(x - bar // 2, 0) : x + bar // 2 + 1] = lit
        for k in range(1, panes[1]):
            y = size[1] * k // panes[1]
            outside[max(y - bar // 2, 0) : y + bar // 2 + 1] = lit
        # A window may stand half outside the wall that is baked.
        self._keep.append((rows, columns, outside[: held[0], : held[1]]))
        self.fill((x0 - edge * 2, y0 - edge * 2.4, x1 + edge * 2, y0 - edge), mix(frame, (1.0, 1.0, 1.0), 0.4))

    def _matrix(self) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
        look = self._stagehand.look
        return look.lit_matrix(gain=look.ambient, haze=0.04)

    def panel(self) -> Panel:
        """The finished wall."""
        bitmap = recolour(self.bitmap, self._matrix())
        for rows, columns, outside in self._keep:
            bitmap[rows, columns] = outside
        return Panel(
            bitmap=bitmap, crown=crown_of(bitmap), left=self.low, top=self.top, depth=self.depth, density=self.density
        )


def outdoors(look: Look, rng: np.random.Generator, *, is_city: bool) -> Bitmap:
    """A small picture of what lies outside a window."""
    width, height = 480, 360
    rows = np.linspace(0, 1, height, dtype=np.float32)
    stops = (look.sky[0], look.sky[1], look.sky[2])
    column = np.stack([np.interp(rows, (0, 0.5, 0.85), [s[i] for s in stops]) for i in range(3)], axis=1)
    picture = np.repeat(column[:, None, :], width, axis=1).astype(np.float32)
    if look.stars > 0.3:
        for _ in range(60):
            picture[int(rng.integers(0, height * 2 // 3)), int(rng.integers(0, width))] += rng.uniform(0.2, 0.8)
    xs = np.arange(width, dtype=np.float32)[None, :]
    ys = np.arange(height, dtype=np.float32)[:, None]
    sun = np.exp(-np.sqrt((xs - width * 0.7) ** 2 + (ys - height * 0.28) ** 2) / 26) * (1 - look.overcast)
    picture += sun[..., None] * np.array(look.sun, np.float32) * np.float32(0.5 if look.stars > 0.3 else 0.9)
    if is_city:
        x = 0
        while x < width:
            wide, tall = int(rng.integers(28, 70)), int(height * rng.uniform(0.25, 0.7))
            tone = np.array(mix((0.34, 0.38, 0.46), look.haze, 0.45), np.float32) * np.array(look.ambient, np.float32)
            picture[height - tall :, x : x + wide] = tone * rng.uniform(0.8, 1.1)
            for y in range(height - tall + 8, height, 14):
                for column_x in range(x + 5, min(x + wide - 6, width), 11):
                    if rng.random() < 0.12 + 0.5 * look.glow:
                        picture[y : y + 7, column_x : column_x + 6] = (
                            (1.0, 0.84, 0.52) if look.is_dark else (0.8, 0.9, 0.96)
                        )
            x += wide
    else:
        crest = height * (0.74 + 0.06 * np.sin(xs / 70.0) + 0.03 * np.sin(xs / 23.0 + 1))
        hill = np.clip(ys - crest, 0, 1)[..., None]
        green = np.array(mix((0.34, 0.56, 0.28), look.haze, 0.25), np.float32) * np.array(look.ambient, np.float32)
        picture += hill * (green - picture)
    result = np.full((height, width, 4), 255, np.uint8)
    result[..., :3] = np.clip(picture, 0, 1) * 255
    return look.graded(result)


def side_walls(stagehand: Stagehand, wall: Wall, colour: Rgb, *, skirting: Rgb) -> list[Layer]:
    """Side walls in perspective, from the back wall to the camera."""
    if stagehand.repeat:
        return []
    low, high = stagehand.reach.x_range(stagehand.distance)
    wall_x = max(min(-low, high) * 1.42, 1.2)
    layers: list[Layer] = []
    near = 0.3 * stagehand.distance
    length, density = wall.depth - near, min(160.0, 600 / wall.top)
    height, width = max(int(wall.top * density), 8), max(int(length * density * 0.5), 8)
    for side in (-1.0, 1.0):
        lit = side * stagehand.look.sun_x < 0
        shade = np.linspace(0.94 if lit else 0.80, 0.72 if lit else 0.58, width, dtype=np.float32)[None, :, None]
        colours = np.broadcast_to(np.array(colour, np.float32) * shade, (height, width, 3)).copy()
        foot = int(height * (1 - 0.10 / wall.top * 1.2))
        colours[foot:] = np.array(skirting, np.float32) * shade
        look = stagehand.look
        bitmap = recolour(dithered(colours, stagehand.rng), look.lit_matrix(gain=look.ambient, haze=0.03))
        layers.append(side_wall(bitmap, wall_x=side * wall_x, near=near, depth=wall.depth, top=wall.top))
    return layers


def sunbeam(stagehand: Stagehand, baked_x: float, depth: float) -> Layer | None:
    """Window light as a slanting pool on the floor, by day."""
    look = stagehand.look
    if look.is_dark or look.overcast > 0.5:
        return None
    size = 160
    bitmap = np.zeros((size, size, 4), np.uint8)
    level = 0.34
    tone = tuple(int(c * 255 * level) for c in look.sun)
    for column in (0, 1):
        for row in (0, 1):
            corner = (int(size * (0.08 + 0.44 * column)), int(size * (0.08 + 0.44 * row)))
            cv2.rectangle(
                bitmap,
                corner,
                (corner[0] + int(size * 0.38), corner[1] + int(size * 0.38)),
                (*tone, int(90 * level)),
                -1,
            )
    bitmap = look.graded(cv2.GaussianBlur(bitmap, (0, 0), 3.0))
    slant = -0.9 * float(np.sign(look.sun_x) or 1)

    def paint(raster: Raster, view: View) -> None:
        near, far = depth * 0.62, depth * 0.9
        corners = []
        for z, shift in ((far, 0.0), (near, slant)):
            for x in (baked_x - 0.5, baked_x + 0.5):
                corners.append(view.project(x + shift, 0.0, z))
        source = np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float32)
        target = np.array(corners, np.float32)
        matrix = cv2.getPerspectiveTransform(source, target).astype(np.float64)
        left, top = np.floor(target.min(axis=0)).astype(int)
        right, bottom = np.ceil(target.max(axis=0)).astype(int)
        raster.stamp_plane(bitmap, matrix, (int(left), int(top), int(right), int(bottom)))

    return Moving(depth=depth * 0.95, paint=paint)


def room(stagehand: Stagehand) -> SceneSet:
    """A living room: papered wall, window, picture, shelf, boards and a rug."""
    d, rng, look = stagehand.distance, stagehand.rng, stagehand.look
    paper: Rgb = ((0.86, 0.78, 0.66), (0.66, 0.76, 0.74), (0.84, 0.70, 0.66))[int(rng.integers(3))]
    wall = Wall(stagehand, 1.95 * d, paper)
    for x in np.arange(np.floor(wall.low), wall.high, 0.24):
        wall.fill((float(x), 0.0, float(x) + 0.10, wall.top), mix(paper, (1.0, 1.0, 1.0), 0.16))
    wall.fill((wall.low, 0.0, wall.high, 0.16), (0.96, 0.94, 0.90))
    wall.fill((wall.low, 0.16, wall.high, 0.175), dimmed(paper, 0.66))
    side = -1.0 if rng.random() < 0.5 else 1.0
    reach = stagehand.staging.half_width * 1.95
    window_x = side * float(np.clip(reach * 0.40, 0.75, 1.7))
    wall.window(
        (window_x - 0.55, 0.78, window_x + 0.55, 1.86),
        (2, 2),
        view=outdoors(look, rng, is_city=False),
        frame=(0.97, 0.96, 0.93),
    )
    curtain = mix(paper, (0.80, 0.34, 0.32), 0.6)
    for edge in (-1, 1):
        for fold in range(5):
            x = window_x + edge * (0.60 + 0.055 * fold)
            wall.fill((x - 0.035, 0.45, x + 0.035, 2.02), dimmed(curtain, 0.85 + 0.15 * (fold % 2)))
    wall.fill((window_x - 0.95, 2.02, window_x + 0.95, 2.07), (0.46, 0.32, 0.22))
    picture_x = -window_x * 0.9
    wall.fill((picture_x - 0.36, 1.18, picture_x + 0.36, 1.74), (0.50, 0.34, 0.22))
    wall.fill((picture_x - 0.31, 1.23, picture_x + 0.31, 1.69), (0.70, 0.84, 0.92))
    wall.fill((picture_x - 0.31, 1.23, picture_x + 0.31, 1.40), (0.42, 0.62, 0.36))
    wall.fill((picture_x - 0.10, 1.40, picture_x + 0.14, 1.54), (0.90, 0.62, 0.34))
    _shelf(wall, picture_x * 1.02, rng)
    boards = ground.planks(rng, light=(0.80, 0.58, 0.38), dark=(0.62, 0.42, 0.26), board=0.22)
    rug = _rug(boards, d, colour=mix(curtain, (0.94, 0.88, 0.78), 0.4))
    surface, baked = lay(stagehand, rug)
    layers: list[Layer] = [surface, wall.panel(), *side_walls(stagehand, wall, paper, skirting=(0.96, 0.94, 0.90))]
    beam = sunbeam(stagehand, window_x, wall.depth)
    if beam is not None:
        layers.append(beam)
    if look.is_dark:
        layers.append(lamp_glow(stagehand, x=0.0, y=2.0, depth=wall.depth * 0.98, across=4.2))
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.40, 1.86), prop_side=1.0, wall_depth=wall.depth)


def _shelf(wall: Wall, x: float, rng: np.random.Generator) -> None:
    wall.fill((x - 0.62, 0.92, x + 0.62, 0.97), (0.54, 0.37, 0.24))
    wall.fill((x - 0.60, 0.90, x + 0.60, 0.92), (0.36, 0.24, 0.16))
    place = x - 0.55
    tones: tuple[Rgb, ...] = (
        (0.74, 0.26, 0.24),
        (0.24, 0.42, 0.62),
        (0.90, 0.76, 0.40),
        (0.32, 0.54, 0.40),
        (0.56, 0.36, 0.58),
    )
    while place < x + 0.30:
        wide = rng.uniform(0.035, 0.07)
        wall.fill((place, 0.97, place + wide, 0.97 + rng.uniform(0.13, 0.20)), tones[int(rng.integers(len(tones)))])
        place += wide + 0.006


def _rug(base: Shade, distance: float, *, colour: Rgb) -> Shade:
    tone = np.array(colour, np.float32)

    def shade(x: Floats, z: Floats, blur: Floats) -> Floats:
        radius = np.sqrt((x / 1.25) ** 2 + ((z - distance * 1.12) / (0.46 * distance)) ** 2)
        inside = np.clip((1 - radius) / np.maximum(blur * 0.5, 0.01) + 0.5, 0, 1)[..., None]
        ring = (np.abs(radius - 0.86) < 0.05) | (np.abs(radius - 0.5) < 0.03)
        weave = tone * np.where(ring, 1.22, 0.92)[..., None]
        return base(x, z, blur) * (1 - inside) + weave.astype(np.float32) * inside

    return shade


def kitchen(stagehand: Stagehand) -> SceneSet:
    """Tiles, hanging cupboards, a counter with a stove and a hood, a window over the sink."""
    d, rng, look = stagehand.distance, stagehand.rng, stagehand.look
    wall = Wall(stagehand, 1.8 * d, (0.94, 0.92, 0.86))
    front: Rgb = ((0.46, 0.62, 0.60), (0.90, 0.86, 0.78), (0.40, 0.52, 0.66))[int(rng.integers(3))]
    for row, y in enumerate(np.arange(0.78, 1.34, 0.093)):
        for x in np.arange(np.floor(wall.low), wall.high, 0.186):
            tone = rng.uniform(0.95, 1.03)
            left = float(x) + (0.093 if row % 2 else 0.0)
            wall.fill((left, float(y), left + 0.176, float(y) + 0.084), dimmed((0.97, 0.96, 0.93), tone))
    side = -1.0 if rng.random() < 0.5 else 1.0
    window_x = side * float(np.clip(stagehand.staging.half_width * 0.85, 0.75, 1.6))
    for x in np.arange(np.floor(wall.low), wall.high, 0.56):
        middle = float(x) + 0.28
        cupboard(wall, middle, low=0.05, high=0.66, colour=front)
        if abs(middle - window_x) > 0.75 and abs(middle + window_x) > 0.45:
            cupboard(wall, middle, low=1.36, high=2.0, colour=front)
    wall.fill((wall.low, 0.66, wall.high, 0.735), (0.88, 0.84, 0.80))
    wall.fill((wall.low, 0.645, wall.high, 0.66), (0.52, 0.48, 0.46))
    wall.fill((wall.low, 0.0, wall.high, 0.05), (0.30, 0.28, 0.30))
    wall.window(
        (window_x - 0.5, 0.98, window_x + 0.5, 1.86),
        (2, 1),
        view=outdoors(look, rng, is_city=False),
        frame=(0.97, 0.96, 0.94),
    )
    stove = -window_x
    wall.fill((stove - 0.30, 0.05, stove + 0.30, 0.72), (0.30, 0.31, 0.35))
    wall.fill((stove - 0.24, 0.14, stove + 0.24, 0.48), (0.16, 0.17, 0.20))
    wall.fill((stove - 0.22, 0.50, stove + 0.22, 0.525), (0.82, 0.83, 0.86))
    for knob in range(4):
        wall.fill((stove - 0.21 + knob * 0.13, 0.58, stove - 0.17 + knob * 0.13, 0.62), (0.86, 0.86, 0.88))
    wall.fill((stove - 0.34, 1.42, stove + 0.34, 1.54), (0.78, 0.79, 0.82))
    wall.fill((stove - 0.14, 1.54, stove + 0.14, wall.top), (0.70, 0.71, 0.75))
    floor = ground.paving(rng, light=(0.90, 0.87, 0.82), dark=(0.70, 0.66, 0.62), tile=0.42, repeat=stagehand.repeat)
    surface, baked = lay(stagehand, floor)
    layers: list[Layer] = [
        surface,
        wall.panel(),
        *side_walls(stagehand, wall, (0.94, 0.90, 0.82), skirting=(0.60, 0.56, 0.52)),
    ]
    beam = sunbeam(stagehand, window_x, wall.depth)
    if beam is not None:
        layers.append(beam)
    if look.is_dark:
        layers.append(lamp_glow(stagehand, x=0.0, y=1.9, depth=wall.depth * 0.97, across=3.6))
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.35, 1.72), prop_side=0.95, table=(1.78, 0.70))


def cupboard(wall: Wall, middle: float, *, low: float, high: float, colour: Rgb) -> None:
    """A cupboard door with a panel and a handle."""
    wall.fill((middle - 0.275, low, middle + 0.275, high), dimmed(colour, 0.80))
    wall.fill((middle - 0.265, low + 0.012, middle + 0.265, high - 0.012), colour)
    wall.fill((middle - 0.20, low + 0.07, middle + 0.20, high - 0.07), dimmed(colour, 0.92))
    wall.fill((middle - 0.19, low + 0.08, middle + 0.19, high - 0.08), mix(colour, (1.0, 1.0, 1.0), 0.12))
    knob = high - 0.05 if low < 0.5 else low + 0.03
    wall.fill((middle - 0.05, knob, middle + 0.05, knob + 0.014), (0.84, 0.78, 0.62))


def office(stagehand: Stagehand) -> SceneSet:
    """A glass front over the town, desks with screens, a carpet."""
    d, rng, look = stagehand.distance, stagehand.rng, stagehand.look
    wall = Wall(stagehand, 2.35 * d, (0.80, 0.82, 0.85))
    step = 1.5
    town = outdoors(look, rng, is_city=True)
    for index, x in enumerate(np.arange(np.floor(wall.low / step) * step, wall.high, step)):
        view = town if index % 2 else np.ascontiguousarray(town[:, ::-1])
        wall.window((float(x) + 0.08, 0.34, float(x) + step - 0.08, 2.0), (1, 2), view=view, frame=(0.30, 0.33, 0.38))
    for level in np.arange(2.2, max(wall.top, 2.3), 0.42):
        wall.fill((wall.low, float(level), wall.high, float(level) + 0.02), (0.66, 0.68, 0.72))
    for x in np.arange(np.floor(wall.low), wall.high, 1.3):
        wall.fill((float(x), 2.32, float(x) + 0.7, 2.38), (1.0, 1.0, 0.96))
    wall.fill((wall.low, 0.0, wall.high, 0.10), (0.36, 0.39, 0.44))
    carpet = ground.plain(rng, light=(0.50, 0.54, 0.60), dark=(0.40, 0.44, 0.50), repeat=stagehand.repeat)
    surface, baked = lay(stagehand, carpet)
    layers: list[Layer] = [
        surface,
        wall.panel(),
        *side_walls(stagehand, wall, (0.78, 0.80, 0.83), skirting=(0.36, 0.39, 0.44)),
        _desks(stagehand, 1.75 * d),
    ]
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.4, 1.7), prop_side=1.1, table=(1.745, 0.54))


def _desks(stagehand: Stagehand, depth: float) -> Panel:
    look = stagehand.look
    low, high = stagehand.reach.x_range(depth)
    density = stagehand.reach.finest_scale(depth)
    tall = 0.98
    width, height = int((high - low) * density), int(tall * density)
    bitmap = np.zeros((height, width, 4), np.uint8)

    def rect(box: Box, colour: Rgb) -> None:
        x0, y0, x1, y1 = box
        cv2.rectangle(
            bitmap,
            (int((x0 - low) * density), int((tall - y1) * density)),
            (int((x1 - low) * density), int((tall - y0) * density)),
            (*(c * 255 for c in colour), 255),
            -1,
        )

    for x in np.arange(np.floor(low), high, 1.5):
        left = float(x) + 0.75 - 0.55
        rect((left, 0.50, left + 1.1, 0.545), (0.86, 0.72, 0.54))
        rect((left, 0.49, left + 1.1, 0.505), (0.58, 0.46, 0.32))
        for leg in (0.04, 1.02):
            rect((left + leg, 0.0, left + leg + 0.035, 0.49), (0.34, 0.35, 0.39))
        rect((left + 0.34, 0.60, left + 0.78, 0.88), (0.14, 0.15, 0.18))
        rect((left + 0.36, 0.62, left + 0.76, 0.86), (0.50, 0.76, 0.94))
        rect((left + 0.40, 0.78, left + 0.60, 0.80), (0.92, 0.97, 1.0))
        rect((left + 0.40, 0.73, left + 0.68, 0.75), (0.82, 0.92, 1.0))
        rect((left + 0.53, 0.545, left + 0.59, 0.60), (0.22, 0.23, 0.26))
        rect((left + 0.86, 0.545, left + 0.96, 0.66), (0.92, 0.92, 0.94))
    lit = recolour(bitmap, look.lit_matrix(gain=look.ambient, haze=0.03))
    return Panel(bitmap=lit, left=low, top=tall, depth=depth, density=density)
