"""What fills the air: rain, snow, fog, lightning, petals and their kin. Each particle has a depth of its own."""

from dataclasses import dataclass

import cv2
import numpy as np
import skia

from understudy.engines.previz.pictures.canvas import Bitmap, Rgb
from understudy.engines.previz.pictures.layers import Layer, Moving, Panel
from understudy.engines.previz.pictures.light import dimmed, mix, recolour, times
from understudy.engines.previz.pictures.noise import layered_field, smoothstep
from understudy.engines.previz.pictures.raster import Raster, drawing, image_of
from understudy.engines.previz.pictures.scene import Stagehand
from understudy.engines.previz.pictures.sprites import glow, has_art, resized, sprite
from understudy.engines.previz.pictures.view import View
from understudy.engines.previz.plan import Particle, SettingKind, Weather

_SIZES = 4
_TURNS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How a kind of particle moves, in units and seconds.

    fall: downward speed (negative rises). wander: sideways swing. spin: turns per second. blown: how much of the wind
    it takes. size: in units. count: for a medium frame.
    """

    fall: float
    wander: float
    spin: float
    blown: float
    size: float
    count: int


_DRIFTS = {
    Particle.PETALS: Drift(fall=0.30, wander=0.16, spin=0.35, blown=0.18, size=0.066, count=130),
    Particle.LEAVES: Drift(fall=0.38, wander=0.24, spin=0.45, blown=0.22, size=0.092, count=76),
    Particle.FIREFLIES: Drift(fall=-0.02, wander=0.30, spin=0.0, blown=0.0, size=0.085, count=64),
    Particle.SPARKS: Drift(fall=-0.75, wander=0.14, spin=0.0, blown=0.15, size=0.036, count=120),
    Particle.BUBBLES: Drift(fall=-0.42, wander=0.10, spin=0.0, blown=0.02, size=0.060, count=70),
    Particle.DUST: Drift(fall=0.03, wander=0.12, spin=0.0, blown=0.12, size=0.022, count=110),
    Particle.CONFETTI: Drift(fall=0.62, wander=0.18, spin=1.1, blown=0.10, size=0.052, count=150),
}
_SNOW = Drift(fall=0.46, wander=0.14, spin=0.0, blown=0.30, size=0.032, count=280)


class Flurry:
    """Many particles of one kind, between two depths, moving on closed courses through a box of air."""

    def __init__(
        self, stagehand: Stagehand, drift: Drift, bank: list[list[list[Bitmap]]], *, depths: tuple[float, float]
    ) -> None:
        """Bank: bitmaps by kind, size step and turn; the largest size first."""
        rng, staging = stagehand.rng, stagehand.staging
        self._drift, self._staging, self._wind = drift, staging, stagehand.wind
        self._images = [[[image_of(b) for b in turns] for turns in sizes] for sizes in bank]
        self._halves = [[turns[0].shape[0] / 2 for turns in sizes] for sizes in bank]
        self._full_px = float(bank[0][0][0].shape[0])
        area = staging.canvas.width_px * staging.canvas.height_px / staging.hero_px**2
        count = int(np.clip(drift.count * np.sqrt(area / 8.0), drift.count * 0.5, drift.count * 1.7))
        low, high = depths
        inverse = rng.uniform(0, 1, count)
        self._depth = staging.distance / (1 / high + inverse * (1 / low - 1 / high))
        self._start = rng.random((count, 2))
        self._phase = rng.uniform(0, 2 * np.pi, count)
        self._rate = rng.uniform(0.75, 1.3, count)
        self._kind = rng.integers(0, len(bank), count)
        self._blinks = drift is _DRIFTS[Particle.FIREFLIES]

    def draw(self, raster: Raster, view: View, *, is_near: bool) -> None:
        """Draw the particles behind the main subject, or those before it."""
        drift, staging = self._drift, self._staging
        chosen = (self._depth < staging.distance) == is_near
        away = self._depth[chosen] - view.z
        keep = away > 0.3
        index = np.flatnonzero(chosen)[keep]
        depth, phase, rate = self._depth[index], self._phase[index], self._rate[index]
        scale = view.focal_px / (depth - view.z)
        # The box of air at each depth is a little larger than the frame, and wraps around.
        wide = view.width_px / scale * 1.25
        tall = view.height_px / scale * 1.25
        time_s = view.time_s
        x = self._start[index, 0] * wide + drift.blown * self._wind * rate * time_s - view.x
        x += drift.wander * np.sin(1.1 * rate * time_s + phase)
        y = self._start[index, 1] * tall + drift.fall * rate * time_s + view.y
        y += 0.3 * drift.wander * np.sin(1.7 * rate * time_s + 2 * phase)
        shift_x = (view.centre_x_px - staging.centre_x_px) / scale
        shift_y = (view.horizon_px - staging.horizon_px) / scale
        left = ((x + shift_x) % wide - wide * 0.1) * scale
        top = ((y + shift_y) % tall - tall * 0.1) * scale
        size = np.clip(drift.size * scale * (0.75 + 0.5 * (rate - 0.75)), 0, self._full_px)
        steps = np.clip((self._full_px - size) / self._full_px * _SIZES, 0, _SIZES - 1).astype(int)
        turns = ((phase / (2 * np.pi) + drift.spin * rate * time_s) * _TURNS).astype(int)
        if self._blinks:
            lit = np.sin(2.2 * rate * time_s + 3 * phase)
            steps = np.where(lit < -0.2, -1, np.where(lit < 0.35, np.minimum(steps + 1, _SIZES - 1), steps))
        draw_image = raster.canvas.drawImage
        kinds = self._kind[index].tolist()
        # Numbers of Python: those of numpy cost more, one by one, than the drawing.
        for kind, step, turn, x_px, y_px in zip(
            kinds, steps.tolist(), turns.tolist(), left.tolist(), top.tolist(), strict=True
        ):
            if step < 0:
                continue
            images, half = self._images[kind][step], self._halves[kind][step]
            draw_image(images[turn % len(images)], round(x_px - half), round(y_px - half))


def _bank(bitmap: Bitmap, *, turns: int) -> list[list[Bitmap]]:
    """A particle's bitmap in falling sizes, each in several turns."""
    sizes = []
    full = bitmap.shape[0]
    for step in range(_SIZES):
        height = max(int(full * (1 - step / _SIZES)), 3)
        small = resized(bitmap, height)
        row = []
        side = int(np.ceil(np.hypot(*small.shape[:2]))) if turns > 1 else max(small.shape[:2])
        for turn in range(turns):
            # A turning petal also shows its edge.
            narrow = 0.45 + 0.55 * abs(np.cos(np.pi * turn / turns * 2)) if turns > 1 else 1.0
            matrix = cv2.getRotationMatrix2D((0.0, 0.0), 360 * turn / turns, 1.0)
            matrix[:, 0] = matrix[:, 0] * narrow
            centre = np.array([small.shape[1] / 2, small.shape[0] / 2])
            matrix[:, 2] = side / 2 - matrix[:, :2] @ centre
            row.append(cv2.warpAffine(small, matrix, (side, side), flags=cv2.INTER_LINEAR))
        sizes.append(row)
    return sizes


def _flake(size_px: int, colour: Rgb, *, hardness: float = 0.35, opacity: float = 0.95) -> Bitmap:
    axis = (np.arange(size_px, dtype=np.float32) + 0.5) / size_px * 2 - 1
    radius = np.sqrt(axis[None, :] ** 2 + axis[:, None] ** 2)
    alpha = smoothstep(1.0, hardness, radius) * np.float32(opacity)
    result = np.empty((size_px, size_px, 4), np.float32)
    result[..., :3] = alpha[..., None] * np.array(colour, np.float32)
    result[..., 3] = alpha
    return (np.clip(result, 0, 1) * 255).astype(np.uint8)


def _bubble(size_px: int, colour: Rgb) -> Bitmap:
    bitmap = np.zeros((size_px, size_px, 4), np.uint8)
    with drawing(bitmap) as canvas:
        red, green, blue = (int(min(c, 1.0) * 255) for c in colour)
        ring = skia.Paint(
            Color=skia.Color(red, green, blue, 150),
            AntiAlias=True,
            Style=skia.Paint.kStroke_Style,
            StrokeWidth=max(size_px * 0.07, 1.0),
        )
        canvas.drawCircle(
            size_px / 2, size_px / 2, size_px * 0.42, skia.Paint(Color=skia.Color(red, green, blue, 34), AntiAlias=True)
        )
        canvas.drawCircle(size_px / 2, size_px / 2, size_px * 0.42, ring)
        canvas.drawCircle(
            size_px * 0.36,
            size_px * 0.34,
            size_px * 0.09,
            skia.Paint(Color=skia.Color(255, 255, 255, 220), AntiAlias=True),
        )
    return bitmap


def _petal(size_px: int, colour: Rgb) -> Bitmap:
    bitmap = np.zeros((size_px, size_px, 4), np.uint8)
    with drawing(bitmap) as canvas:
        light, dark = mix(colour, (1.0, 1.0, 1.0), 0.45), dimmed(colour, 0.9)
        shader = skia.GradientShader.MakeLinear(
            points=[skia.Point(0, 0), skia.Point(0, size_px)],
            colors=[int(skia.Color(*(int(min(c, 1) * 255) for c in tone))) for tone in (light, colour, dark)],
        )
        path = skia.Path()
        path.moveTo(size_px * 0.5, size_px * 0.98)
        path.cubicTo(size_px * 0.02, size_px * 0.70, size_px * 0.10, size_px * 0.10, size_px * 0.44, size_px * 0.04)
        path.lineTo(size_px * 0.5, size_px * 0.16)
        path.lineTo(size_px * 0.56, size_px * 0.04)
        path.cubicTo(size_px * 0.90, size_px * 0.10, size_px * 0.98, size_px * 0.70, size_px * 0.5, size_px * 0.98)
        canvas.drawPath(path, skia.Paint(Shader=shader, AntiAlias=True))
    return bitmap


def _slip(size_px: int, colour: Rgb) -> Bitmap:
    bitmap = np.zeros((size_px, size_px, 4), np.uint8)
    shade = tuple(min(c, 1.0) * 255 for c in colour)
    cv2.rectangle(
        bitmap, (int(size_px * 0.2), int(size_px * 0.3)), (int(size_px * 0.8), int(size_px * 0.7)), (*shade, 255), -1
    )
    return bitmap


def _particles(stagehand: Stagehand, kind: Particle) -> list[Layer]:
    look, staging = stagehand.look, stagehand.staging
    drift = _DRIFTS[kind]
    full = int(np.clip(drift.size * staging.hero_px * 1.9, 5, 120))
    matrix = look.lit_matrix(gain=look.key, haze=0.0)

    def lit(bitmap: Bitmap) -> Bitmap:
        return recolour(bitmap, matrix)

    bank: list[list[list[Bitmap]]]
    if kind is Particle.PETALS:
        tones: tuple[Rgb, ...] = ((1.0, 0.66, 0.76), (1.0, 0.76, 0.84), (0.98, 0.56, 0.70))
        bank = [_bank(lit(_petal(full, tone)), turns=_TURNS) for tone in tones]
        if has_art("cherry-blossom"):
            bank.append(_bank(lit(sprite("cherry-blossom", full * 1.15)), turns=_TURNS))
    elif kind is Particle.LEAVES:
        is_green = stagehand.shot.season.lower() in ("spring", "summer")
        names = ("leaf-fluttering-in-wind",) if is_green else ("maple-leaf", "fallen-leaf")
        bank = [_bank(lit(sprite(name, full)), turns=_TURNS) for name in names if has_art(name)]
        tone = (0.46, 0.70, 0.26) if is_green else (0.90, 0.52, 0.16)
        bank.append(_bank(lit(_petal(max(int(full * 0.8), 4), tone)), turns=_TURNS))
    elif kind is Particle.FIREFLIES:
        bank = [
            _bank(recolour(glow(full | 1, (1.0, 0.95, 0.42), strength=1.0, falloff=2.6), np.array(look.grade)), turns=1)
        ]
    elif kind is Particle.SPARKS:
        bank = [
            _bank(recolour(glow(full | 1, c, strength=1.0, falloff=1.5), np.array(look.grade)), turns=1)
            for c in ((1.0, 0.72, 0.24), (1.0, 0.50, 0.14))
        ]
    elif kind is Particle.BUBBLES:
        bank = [_bank(recolour(_bubble(full, (0.90, 0.98, 1.0)), np.array(look.grade)), turns=1)]
    elif kind is Particle.DUST:
        bank = [
            _bank(
                recolour(
                    _flake(full | 1, times(look.sun, (1.0, 0.96, 0.88)), hardness=0.0, opacity=0.55),
                    np.array(look.grade),
                ),
                turns=1,
            )
        ]
    else:
        colours: tuple[Rgb, ...] = (
            (0.96, 0.26, 0.34),
            (0.22, 0.60, 0.98),
            (1.0, 0.82, 0.22),
            (0.30, 0.80, 0.42),
            (0.80, 0.40, 0.94),
        )
        bank = [_bank(lit(_slip(full, tone)), turns=_TURNS) for tone in colours]
    return _both_sides(stagehand, Flurry(stagehand, drift, bank, depths=(0.45, 2.6)))


def _both_sides(stagehand: Stagehand, flurry: Flurry) -> list[Layer]:
    def behind(raster: Raster, view: View) -> None:
        flurry.draw(raster, view, is_near=False)

    def before(raster: Raster, view: View) -> None:
        flurry.draw(raster, view, is_near=True)

    return [Moving(depth=stagehand.distance * 1.02, paint=behind), Moving(depth=stagehand.distance * 0.5, paint=before)]


def _rain(stagehand: Stagehand) -> list[Layer]:
    """Streaks in three depths; near ones are longer, faster and brighter."""
    rng, look, staging = stagehand.rng, stagehand.look, stagehand.staging
    is_storm = stagehand.shot.weather is Weather.STORM
    width, height = staging.canvas.width_px, staging.canvas.height_px
    lean = (0.34 if is_storm else 0.10) * float(np.sign(stagehand.wind))
    tone = np.clip(np.array(mix(look.haze, (1.0, 1.0, 1.0), 0.55)), 0, 1)
    grade = np.array(look.grade)
    tone = np.clip(grade[:3, :3] @ tone + grade[:3, 3], 0, 1)
    sheets = []
    for near, share in ((0.55, 0.16), (1.0, 0.34), (2.0, 0.5)):
        count = int((420 if is_storm else 320) * share * (width * height / 921600) ** 0.25)
        length = height * 0.085 / near**0.8
        paint = skia.Paint(
            Color=skia.Color(*(int(c * 255) for c in tone), int(175 / near**0.45)),
            AntiAlias=True,
            StrokeWidth=max(height / 720 * 1.7 / near**0.7, 0.7),
            StrokeCap=skia.Paint.kRound_Cap,
        )
        speed = height * 2.1 / near**0.55 * rng.uniform(0.9, 1.1, count)
        sheets.append((near, rng.random((count, 2)), speed, length, paint))

    def painter(*, is_near: bool) -> Layer:
        def paint_rain(raster: Raster, view: View) -> None:
            for near, start, speed, length, paint in sheets:
                if (near < 1.5) != is_near:
                    continue
                drop = (start[:, 1] * height * 1.3 + speed * view.time_s) % (height * 1.3) - height * 0.2
                shift = (view.centre_x_px - staging.centre_x_px) - view.x * view.scale(staging.distance * near)
                x = (start[:, 0] * width * 1.3 + shift + lean * speed * view.time_s) % (width * 1.3) - width * 0.15
                points = []
                for px, py in zip(x.tolist(), drop.tolist(), strict=True):
                    points.append(skia.Point(px, py))
                    points.append(skia.Point(px + lean * length, py + length))
                raster.canvas.drawPoints(skia.Canvas.kLines_PointMode, points, paint)

        return Moving(depth=stagehand.distance * (0.52 if is_near else 1.6), paint=paint_rain)

    return [painter(is_near=False), painter(is_near=True)]


def _splashes(stagehand: Stagehand) -> Layer:
    """Rings where drops meet the ground."""
    rng, staging, look = stagehand.rng, stagehand.staging, stagehand.look
    places = rng.random((46, 3))
    colour = [int(c) for c in look.ink(mix(look.haze, (1.0, 1.0, 1.0), 0.4))[:3]]
    near, far = staging.distance * 0.6, staging.distance * 3.0
    paint = skia.Paint(
        Color=skia.Color(*colour, 110),
        AntiAlias=True,
        Style=skia.Paint.kStroke_Style,
        StrokeWidth=max(staging.canvas.height_px / 720, 0.7),
    )

    def paint_rings(raster: Raster, view: View) -> None:
        for a, b, c in places:
            beat = (view.time_s * 2.2 + c * 7) % 1.0
            turn = int(view.time_s * 2.2 + c * 7)
            depth = 1 / (1 / far + ((b + 0.618 * turn) % 1.0) * (1 / near - 1 / far))
            x, y = view.project(0.0, 0.0, depth)
            x = ((a + 0.37 * turn) % 1.0) * view.width_px
            if y < view.horizon_px + 4:
                continue
            wide = view.scale(depth) * 0.05 * (0.3 + beat)
            raster.canvas.drawOval(skia.Rect.MakeXYWH(x - wide, y - wide * 0.25, wide * 2, wide * 0.5), paint)

    return Moving(depth=stagehand.distance * 1.01, paint=paint_rings)


def _fog(stagehand: Stagehand) -> list[Layer]:
    """Banks of mist at several depths that drift past one another."""
    rng, look, reach, staging = stagehand.rng, stagehand.look, stagehand.reach, stagehand.staging
    layers: list[Layer] = []
    colour = np.array(mix(look.haze, (1.0, 1.0, 1.0), 0.12), np.float32)
    for factor, opacity, tall in ((4.6, 0.92, 2.6), (1.9, 0.82, 1.5), (0.72, 0.55, 0.62)):
        depth = staging.distance * factor
        low, high = reach.x_range(depth)
        span = (high - low) * 1.25
        density = max(reach.finest_scale(depth) * 0.25, 2.0)
        width, height = int(min(span * density, 3000)), max(int(tall * density), 6)
        field = layered_field((width, height), cells=(6, 2), octaves=3, rng=rng)
        rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        shape = smoothstep(0.0, 0.5, rows) * smoothstep(1.0, 0.72, rows)
        alpha = np.clip(shape * (0.35 + 0.75 * field), 0, 1) * np.float32(opacity)
        bitmap = np.empty((height, width, 4), np.float32)
        bitmap[..., :3] = alpha[..., None] * colour
        bitmap[..., 3] = alpha
        small = recolour((np.clip(bitmap, 0, 1) * 255).astype(np.uint8), np.array(look.grade))
        layers.append(
            Panel(
                bitmap=small,
                left=low - (high - low) * 0.12,
                top=tall * 0.74,
                depth=depth,
                density=width / span,
                drift=0.05 * factor * (1 if factor > 1 else -1),
            )
        )
    return layers


def _lightning(stagehand: Stagehand) -> Layer:
    """Two or three flashes, each a doubled flicker, with a bolt."""
    rng, staging = stagehand.rng, stagehand.staging
    duration = staging.canvas.duration_s
    times_s = sorted(rng.uniform(0.12, 0.92, max(int(duration / 2), 2)) * duration)
    bolts = []
    for _ in times_s:
        x, y = rng.uniform(0.15, 0.85) * staging.canvas.width_px, 0.0
        path = [(x, y)]
        while y < staging.horizon_px:
            x += rng.normal(0, staging.canvas.height_px * 0.035)
            y += staging.canvas.height_px * rng.uniform(0.03, 0.07)
            path.append((x, y))
        bolts.append(path)

    white_ink = [int(c) for c in stagehand.look.ink((0.94, 0.96, 1.0))[:3]]

    def paint(raster: Raster, view: View) -> None:
        for at, bolt in zip(times_s, bolts, strict=True):
            since = view.time_s - at
            if not 0 <= since < 0.42:
                continue
            level = np.exp(-since * 9) * (1.0 if int(since * 24) % 3 != 1 else 0.35)
            cv2.convertScaleAbs(raster.pixels, dst=raster.pixels, alpha=1 + 0.5 * float(level), beta=52 * float(level))
            raster.pixels[..., 3] = 255
            if since < 0.2:
                white = skia.Paint(
                    Color=skia.Color(*white_ink, int(255 * min(level * 1.4, 1))),
                    AntiAlias=True,
                    Style=skia.Paint.kStroke_Style,
                    StrokeWidth=max(view.height_px / 240, 1.2),
                )
                line = skia.Path()
                line.addPoly([skia.Point(px, py) for px, py in bolt], close=False)
                raster.canvas.drawPath(line, white)

    return Moving(depth=0.2, paint=paint)


def in_the_air(stagehand: Stagehand, *, is_indoors: bool, has_ground: bool = True) -> list[Layer]:
    """All that the shot's weather and particles put into the air. has_ground: whether it is known where drops land."""
    shot, layers = stagehand.shot, []
    weather = shot.weather
    is_dry = is_indoors or shot.setting in (SettingKind.UNDERWATER, SettingKind.SPACE, SettingKind.MOON)
    if not is_dry:
        if weather in (Weather.RAIN, Weather.STORM):
            layers.extend(_rain(stagehand))
            if has_ground:
                layers.append(_splashes(stagehand))
        if weather is Weather.STORM:
            layers.append(_lightning(stagehand))
        if weather is Weather.SNOW:
            full = int(np.clip(_SNOW.size * stagehand.staging.hero_px * 2.0, 5, 90))
            flake = recolour(
                _flake(full | 1, mix(stagehand.look.key, (1.0, 1.0, 1.0), 0.7)), np.array(stagehand.look.grade)
            )
            layers.extend(_both_sides(stagehand, Flurry(stagehand, _SNOW, [_bank(flake, turns=1)], depths=(0.4, 3.2))))
        if weather is Weather.FOG:
            layers.extend(_fog(stagehand))
    kinds = list(shot.particles)
    if weather is Weather.WIND and not kinds and not is_dry:
        kinds = [Particle.LEAVES]
    if shot.setting is SettingKind.UNDERWATER and Particle.BUBBLES not in kinds:
        kinds.append(Particle.BUBBLES)
    for kind in kinds:
        layers.extend(_particles(stagehand, kind))
    return layers
