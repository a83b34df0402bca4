"""Figures with drawn limbs: people under a head, beasts behind a face, and the plain figure of an unknown subject.

Every part is one small shaded bitmap, drawn once; a frame only turns and places them.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import skia

from understudy.engines.previz.pictures.canvas import Bitmap, Rgb
from understudy.engines.previz.pictures.light import Look, dimmed, mix
from understudy.engines.previz.pictures.motions import Motion
from understudy.engines.previz.pictures.raster import Raster, drawing
from understudy.engines.previz.pictures.sprites import lit


@dataclass(frozen=True, slots=True, kw_only=True)
class Limb:
    """A bitmap that turns about a pivot. pivot_px in the bitmap; length: pivot to next joint, in figure heights."""

    bitmap: Bitmap
    pivot_px: tuple[float, float]
    length: float
    density: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """A point of a figure in the frame, pixels, and the figure's height there."""

    x_px: float
    y_px: float
    height_px: float


def _colour(colour: Rgb) -> int:
    red, green, blue = (int(np.clip(c, 0, 1) * 255) for c in colour)
    return int(skia.Color(red, green, blue))


def shaded(colour: Rgb, start: tuple[float, float], end: tuple[float, float]) -> skia.Paint:
    """Paint with the soft light-to-dark gradient of the art library, warm to cool."""
    light = mix(colour, (1.0, 1.0, 1.0), 0.16)
    dark = mix(dimmed(colour, 0.66), (0.30, 0.16, 0.42), 0.14)
    shader = skia.GradientShader.MakeLinear(
        points=[skia.Point(*start), skia.Point(*end)],
        colors=[_colour(light), _colour(colour), _colour(dark)],
        positions=[0.0, 0.45, 1.0],
    )
    return skia.Paint(Shader=shader, AntiAlias=True)


def capsule(density: float, *, reach: float, thick: float, colour: Rgb, look: Look, thin: float = 0.8) -> Limb:
    """An upright limb: pivot in its upper round, tapering to ``thin`` of its thickness at the lower one."""
    reach, half = reach * density, thick * density / 2
    margin = 2.0
    width, height = int(half * 2 + margin * 2) + 1, int(reach + half * 2 + margin * 2) + 1
    bitmap = np.zeros((height, width, 4), np.uint8)
    middle, top = width / 2, margin + half
    with drawing(bitmap) as canvas:
        low = half * thin
        paint = shaded(colour, (middle - half * 1.1, top), (middle + half * 1.8, top + reach * 0.5))
        path = skia.Path()
        path.addPoly(
            [
                skia.Point(middle - half, top),
                skia.Point(middle - low, top + reach),
                skia.Point(middle + low, top + reach),
                skia.Point(middle + half, top),
            ],
            close=True,
        )
        # Three shapes rather than one path: overlapping parts of a path would cancel out.
        canvas.drawCircle(middle, top, half, paint)
        canvas.drawCircle(middle, top + reach, low, paint)
        canvas.drawPath(path, paint)
    return Limb(bitmap=lit(bitmap, look, form=0.5), pivot_px=(middle, top), length=reach / density, density=density)


def shape(
    density: float,
    points: list[tuple[float, float]],
    *,
    colour: Rgb,
    look: Look,
    round_by: float,
    pivot: tuple[float, float],
) -> Limb:
    """A rounded polygon; points and pivot in figure heights, y upwards."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    margin = 2.0 + round_by * density * 0.2
    left, top = min(xs), max(ys)
    width = int((max(xs) - left) * density + margin * 2) + 1
    height = int((top - min(ys)) * density + margin * 2) + 1
    bitmap = np.zeros((height, width, 4), np.uint8)

    def at(x: float, y: float) -> tuple[float, float]:
        return (x - left) * density + margin, (top - y) * density + margin

    with drawing(bitmap) as canvas:
        path = skia.Path()
        path.addPoly([skia.Point(*at(x, y)) for x, y in points], close=True)
        paint = shaded(colour, (margin, margin), (width * 0.85, height - margin))
        paint.setPathEffect(skia.CornerPathEffect.Make(round_by * density))
        canvas.drawPath(path, paint)
    return Limb(bitmap=lit(bitmap, look, form=0.5), pivot_px=at(*pivot), length=0.0, density=density)


def ball(density: float, *, across: float, tall_units: float, colour: Rgb, look: Look) -> Limb:
    """An ellipse about its middle."""
    wide, tall = across * density, tall_units * density
    bitmap = np.zeros((int(tall) + 5, int(wide) + 5, 4), np.uint8)
    middle = (bitmap.shape[1] / 2, bitmap.shape[0] / 2)
    light, dark = mix(colour, (1.0, 1.0, 1.0), 0.2), mix(dimmed(colour, 0.62), (0.30, 0.16, 0.42), 0.15)
    with drawing(bitmap) as canvas:
        side = float(np.sign(look.sun_x) or 1)
        shader = skia.GradientShader.MakeRadial(
            center=skia.Point(middle[0] + side * wide * 0.16, middle[1] - tall * 0.26),
            radius=max(wide, tall) * 0.86,
            colors=[_colour(light), _colour(colour), _colour(dark)],
            positions=[0.0, 0.42, 1.0],
        )
        oval = skia.Rect.MakeXYWH(middle[0] - wide / 2, middle[1] - tall / 2, wide, tall)
        canvas.drawOval(oval, skia.Paint(Shader=shader, AntiAlias=True))
    return Limb(bitmap=lit(bitmap, look, form=0.4), pivot_px=middle, length=0.0, density=density)


def stamp_limb(
    raster: Raster, limb: Limb, joint: Joint, *, turn: float, stretch: float = 1.0, mirror: float = 1.0
) -> Joint:
    """Draw a limb from a joint, turned from hanging straight down; returns the joint at its end."""
    scale = joint.height_px / limb.density
    cosine, sine = np.cos(turn), np.sin(turn)
    x, y = limb.pivot_px
    matrix = np.array(
        [
            [scale * cosine * mirror, -scale * sine * stretch, 0.0],
            [scale * sine * mirror, scale * cosine * stretch, 0.0],
        ]
    )
    matrix[0, 2] = joint.x_px - matrix[0, 0] * x - matrix[0, 1] * y
    matrix[1, 2] = joint.y_px - matrix[1, 0] * x - matrix[1, 1] * y
    raster.stamp(limb.bitmap, matrix)
    reach = limb.length * joint.height_px * stretch
    return Joint(x_px=joint.x_px - sine * reach, y_px=joint.y_px + cosine * reach, height_px=joint.height_px)


_CLOTHES: tuple[tuple[Rgb, Rgb], ...] = (
    ((0.20, 0.52, 0.90), (0.24, 0.28, 0.46)),
    ((0.94, 0.40, 0.26), (0.28, 0.34, 0.52)),
    ((0.18, 0.64, 0.52), (0.36, 0.30, 0.44)),
    ((0.56, 0.36, 0.84), (0.26, 0.26, 0.40)),
    ((0.94, 0.66, 0.18), (0.26, 0.38, 0.58)),
    ((0.86, 0.28, 0.46), (0.30, 0.30, 0.42)),
)
CLOTH_TINTS: dict[str, Rgb] = {
    "red": (0.88, 0.16, 0.18),
    "crimson": (0.70, 0.08, 0.16),
    "orange": (0.96, 0.50, 0.14),
    "yellow": (0.98, 0.82, 0.20),
    "gold": (0.90, 0.70, 0.22),
    "golden": (0.90, 0.70, 0.22),
    "green": (0.22, 0.64, 0.30),
    "teal": (0.10, 0.56, 0.56),
    "cyan": (0.20, 0.76, 0.86),
    "blue": (0.16, 0.42, 0.90),
    "navy": (0.12, 0.18, 0.42),
    "purple": (0.50, 0.26, 0.76),
    "violet": (0.54, 0.34, 0.84),
    "pink": (0.98, 0.56, 0.72),
    "brown": (0.48, 0.31, 0.20),
    "beige": (0.88, 0.80, 0.66),
    "black": (0.13, 0.13, 0.16),
    "white": (0.95, 0.95, 0.96),
    "gray": (0.52, 0.54, 0.58),
    "grey": (0.52, 0.54, 0.58),
    "silver": (0.76, 0.78, 0.82),
    "turquoise": (0.20, 0.78, 0.76),
    "magenta": (0.86, 0.16, 0.62),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wardrobe:
    """Colours of a drawn body."""

    skin: Rgb
    top: Rgb
    trousers: Rgb
    shoes: Rgb = (0.22, 0.20, 0.28)
    has_skirt: bool = False


def wardrobe(skin: Rgb, *, tint: str, has_skirt: bool, rng: np.random.Generator) -> Wardrobe:
    """Clothes by seed, in the tint that the prompt names."""
    top, trousers = _CLOTHES[int(rng.integers(len(_CLOTHES)))]
    top = CLOTH_TINTS.get(tint.lower(), top)
    return Wardrobe(skin=skin, top=top, trousers=trousers, has_skirt=has_skirt)


def dominant_colour(bitmap: Bitmap, *, rows: tuple[float, float] = (0.2, 0.9)) -> Rgb:
    """The middle colour of a sprite's opaque pixels between two parts of its height, 0..1."""
    height = bitmap.shape[0]
    part = bitmap[int(rows[0] * height) : max(int(rows[1] * height), int(rows[0] * height) + 1)]
    pixels = part[part[..., 3] > 200]
    if len(pixels) == 0:
        return (0.6, 0.6, 0.62)
    small = pixels[:: max(len(pixels) // 4000, 1), :3]
    red, green, blue = np.median(small, axis=0) / 255
    return float(red), float(green), float(blue)


class Biped:
    """A standing body with arms and legs. Heights: hip 0.33, shoulder 0.60 of the figure."""

    hip = 0.315
    shoulder = 0.585
    neck = 0.60

    def __init__(
        self, density: float, wear: Wardrobe, look: Look, *, is_stocky: bool = False, has_arms: bool = True
    ) -> None:
        thick = 1.35 if is_stocky else 1.0
        far = Wardrobe(
            skin=dimmed(wear.skin, 0.8),
            top=dimmed(wear.top, 0.78),
            trousers=dimmed(wear.trousers, 0.76),
            shoes=dimmed(wear.shoes, 0.8),
        )
        self._has_arms = has_arms
        self._sides = []
        for colours in (far, wear):
            legs = colours.skin if wear.has_skirt else colours.trousers
            self._sides.append(
                (
                    capsule(density, reach=0.13, thick=0.088 * thick, colour=colours.top, look=look),
                    capsule(density, reach=0.115, thick=0.07 * thick, colour=colours.skin, look=look),
                    capsule(density, reach=0.14, thick=0.105 * thick, colour=legs, look=look, thin=0.86),
                    capsule(density, reach=0.125, thick=0.088 * thick, colour=legs, look=look, thin=0.84),
                    ball(density, across=0.15 * thick, tall_units=0.075, colour=colours.shoes, look=look),
                    ball(density, across=0.078 * thick, tall_units=0.078 * thick, colour=colours.skin, look=look),
                )
            )
        wide = 0.145 * thick
        torso = [
            (-wide * 0.86, 0.27),
            (-wide, 0.60),
            (-wide * 0.5, 0.655),
            (wide * 0.5, 0.655),
            (wide, 0.60),
            (wide * 0.86, 0.27),
        ]
        if not has_arms:
            torso = [(-0.155, 0.215), (-0.205, 0.46), (0.205, 0.46), (0.155, 0.215)]
        if wear.has_skirt:
            torso = [
                (-wide * 1.75, 0.165),
                (-wide * 0.82, 0.40),
                (-wide, 0.60),
                (-wide * 0.5, 0.655),
                (wide * 0.5, 0.655),
                (wide, 0.60),
                (wide * 0.82, 0.40),
                (wide * 1.75, 0.165),
            ]
        self._torso = shape(density, torso, colour=wear.top, look=look, round_by=0.06, pivot=(0.0, self.hip))

    def draw(self, raster: Raster, foot: Joint, motion: Motion, *, heading: float) -> Joint:
        """Draw the body; returns the neck, where the head goes. heading: -1 left, 1 right, 0 to the viewer."""
        scale = foot.height_px * motion.size
        squash = motion.stretch
        drop = (0.19 * motion.crouch) * scale
        hip = Joint(
            x_px=foot.x_px + motion.x * scale,
            height_px=scale,
            y_px=foot.y_px - (self.hip * squash + motion.lift) * scale + drop,
        )
        lean = motion.turn * 0.7 + motion.lean * 0.9 * (heading or 1.0)
        up = (np.sin(lean), np.cos(lean))
        length = (self.shoulder - self.hip) * scale * squash
        shoulder = Joint(x_px=hip.x_px + up[0] * length, y_px=hip.y_px - up[1] * length, height_px=scale)
        spread = 0.055 if heading == 0 else 0.035
        self._arm(raster, shoulder, motion, side=-1.0, heading=heading)
        for side, index in ((-1.0, 0), (1.0, 1)):
            joint = Joint(
                x_px=hip.x_px + side * spread * scale * (1 if heading >= 0 else -1), y_px=hip.y_px, height_px=scale
            )
            self._leg(raster, joint, motion, index=index, heading=heading)
        stamp_limb(raster, self._torso, hip, turn=lean, stretch=squash, mirror=motion.turned or 0.05)
        self._arm(raster, shoulder, motion, side=1.0, heading=heading)
        rise = (self.neck - self.hip) * scale * squash
        return Joint(x_px=hip.x_px + up[0] * rise, y_px=hip.y_px - up[1] * rise, height_px=scale)

    def _leg(self, raster: Raster, hip: Joint, motion: Motion, *, index: int, heading: float) -> None:
        _, _, thigh, shin, shoe, _ = self._sides[index]
        phase = motion.stride + (np.pi if index else 0.0)
        swing = 0.62 * motion.stride_reach * np.sin(phase)
        knee = 0.75 * motion.stride_reach * max(np.cos(phase), 0.0)
        direction = heading or 0.35
        # A positive turn carries the end of a limb to the left.
        outward = heading or (1.0 if index else -1.0)
        upper = -swing * direction - 1.25 * motion.crouch * outward
        lower = upper + knee * direction + (0.35 if heading else 1.0) * motion.crouch * outward
        joint = stamp_limb(raster, thigh, hip, turn=float(upper), stretch=1 - 0.3 * motion.crouch)
        ankle = stamp_limb(raster, shin, joint, turn=float(lower), stretch=1 - 0.35 * motion.crouch)
        toe = Joint(
            x_px=ankle.x_px + 0.025 * heading * hip.height_px,
            y_px=ankle.y_px + 0.018 * hip.height_px,
            height_px=hip.height_px,
        )
        stamp_limb(raster, shoe, toe, turn=float(lower * 0.5))

    def _arm(self, raster: Raster, shoulder: Joint, motion: Motion, *, side: float, heading: float) -> None:
        if not self._has_arms and motion.wave < 0.7:
            return
        upper_arm, forearm, _, _, _, hand = self._sides[0 if side < 0 else 1]
        reach = 0.115 * shoulder.height_px * (motion.turned if heading == 0 else 0.35)
        start = Joint(x_px=shoulder.x_px + side * reach, y_px=shoulder.y_px, height_px=shoulder.height_px)
        swing = 0.75 * motion.arm_swing * side * (heading or 0.3)
        outward = -0.16 * side if heading == 0 else 0.0
        raised = motion.wave if side > 0 or (motion.wave > 0.5 and motion.stride_reach > 0) else motion.wave * 0.3
        upper = swing + outward - side * raised * 2.35
        bend = -0.35 * (heading or 0.0) * (0.4 + 0.6 * motion.stride_reach) - side * raised * (
            0.55 - 0.5 * motion.arm_swing
        )
        elbow = stamp_limb(raster, upper_arm, start, turn=float(upper))
        wrist = stamp_limb(raster, forearm, elbow, turn=float(upper + bend))
        stamp_limb(raster, hand, wrist, turn=0.0)


class Quadruped:
    """A beast's body seen from the side behind its face; its head is drawn by the caller at the returned joint."""

    def __init__(self, density: float, fur: Rgb, look: Look) -> None:
        pale = mix(fur, (1.0, 0.97, 0.92), 0.30)
        self._body = ball(density, across=0.90, tall_units=0.47, colour=fur, look=look)
        self._belly = ball(density, across=0.56, tall_units=0.17, colour=pale, look=look)
        self._tip = ball(density, across=0.13, tall_units=0.17, colour=mix(fur, (1.0, 0.98, 0.95), 0.7), look=look)
        self._legs = [
            capsule(density, reach=0.25, thick=0.145, colour=dimmed(fur, tone), look=look, thin=0.80)
            for tone in (0.72, 0.95)
        ]
        self._tail = capsule(density, reach=0.30, thick=0.10, colour=dimmed(fur, 0.92), look=look, thin=1.35)

    def draw(self, raster: Raster, foot: Joint, motion: Motion, *, heading: float) -> Joint:
        """Draw the body; returns where the head's foot goes."""
        scale = foot.height_px * motion.size
        side = heading or -1.0
        x, y = foot.x_px + motion.x * scale, foot.y_px + (0.02 - motion.lift) * scale
        drop = 0.17 * motion.crouch * scale
        back = y - 0.47 * scale * motion.stretch + drop
        rocking = 0.05 * np.sin(motion.stride) * motion.stride_reach + motion.turn
        tail = Joint(x_px=x - side * 0.36 * scale, y_px=back - 0.06 * scale, height_px=scale)
        wag = 0.35 * np.sin(motion.ripple_phase + motion.stride + 5 * motion.bend)
        tip = stamp_limb(raster, self._tail, tail, turn=float(side * (2.1 + wag)))
        stamp_limb(raster, self._tip, tip, turn=float(side * (2.1 + wag)))
        for far, place, offset in ((0, 0.22, 0.0), (0, -0.24, np.pi), (1, 0.29, np.pi), (1, -0.31, 0.0)):
            if far == 1 and place == 0.29:
                stamp_limb(
                    raster,
                    self._body,
                    Joint(x_px=x, y_px=back, height_px=scale),
                    turn=float(rocking),
                    stretch=motion.stretch,
                )
            swing = 0.55 * motion.stride_reach * np.sin(motion.stride + offset)
            lifted = 0.05 * motion.stride_reach * max(np.cos(motion.stride + offset), 0) * scale
            joint = Joint(x_px=x + side * place * scale, y_px=y - 0.33 * scale - lifted + drop * 0.75, height_px=scale)
            stamp_limb(raster, self._legs[far], joint, turn=float(-swing * side + 0.9 * motion.crouch * side))
        stamp_limb(
            raster,
            self._belly,
            Joint(x_px=x + side * 0.04 * scale, y_px=back + 0.135 * scale, height_px=scale),
            turn=0.0,
        )
        return Joint(x_px=x + side * 0.36 * scale, y_px=back + (0.02 - 0.05 * rocking) * scale, height_px=scale)


def plain_head(density: float, look: Look, colour: Rgb) -> Bitmap:
    """A smooth head with two eyes: who it is, the prompt did not say."""
    size = int(0.40 * density)
    bitmap = np.zeros((size, size, 4), np.uint8)
    with drawing(bitmap) as canvas:
        paint = shaded(colour, (size * 0.2, size * 0.1), (size * 0.85, size * 0.95))
        canvas.drawOval(skia.Rect.MakeXYWH(size * 0.08, size * 0.03, size * 0.84, size * 0.94), paint)
        dark = skia.Paint(Color=skia.Color(58, 46, 66), AntiAlias=True)
        for x in (0.36, 0.64):
            canvas.drawOval(skia.Rect.MakeXYWH(size * (x - 0.035), size * 0.45, size * 0.07, size * 0.11), dark)
        smile = skia.Paint(
            Color=skia.Color(120, 70, 70),
            AntiAlias=True,
            Style=skia.Paint.kStroke_Style,
            StrokeWidth=size * 0.025,
            StrokeCap=skia.Paint.kRound_Cap,
        )
        canvas.drawArc(
            skia.Rect.MakeXYWH(size * 0.41, size * 0.58, size * 0.18, size * 0.12),
            20,
            140,
            useCenter=False,
            paint=smile,
        )
    return lit(bitmap, look, form=0.6)


def open_mouth(size_px: int, look: Look) -> Bitmap:
    """An open mouth with a tongue, for figures whose drawn mouth is too small to open."""
    bitmap = np.zeros((size_px, size_px, 4), np.uint8)
    with drawing(bitmap) as canvas:
        oval = skia.Rect.MakeXYWH(size_px * 0.06, size_px * 0.04, size_px * 0.88, size_px * 0.92)
        canvas.drawOval(oval, skia.Paint(Color=skia.Color(96, 20, 40), AntiAlias=True))
        path = skia.Path()
        path.addOval(oval)
        canvas.clipPath(path, doAntiAlias=True)
        tongue = skia.Rect.MakeXYWH(size_px * 0.18, size_px * 0.58, size_px * 0.64, size_px * 0.6)
        canvas.drawOval(tongue, skia.Paint(Color=skia.Color(240, 104, 120), AntiAlias=True))
    return lit(bitmap, look, form=0.0)


def soft_shadow(size_px: int) -> Bitmap:
    """A round black shadow that fades outwards, to be laid flat under a figure."""
    axis = (np.arange(size_px, dtype=np.float32) + 0.5) / size_px * 2 - 1
    radius = np.sqrt(axis[None, :] ** 2 + axis[:, None] ** 2)
    alpha = np.clip(1 - radius, 0, 1) ** 1.3
    bitmap = np.zeros((size_px, size_px, 4), np.uint8)
    bitmap[..., 3] = cv2.GaussianBlur((alpha * 255).astype(np.uint8), (0, 0), size_px * 0.03)
    return bitmap
