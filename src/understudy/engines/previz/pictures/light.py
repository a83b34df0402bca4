"""The light of a film: what time of day, weather and style do to every colour.

Nothing here is done per frame: a `Look` is made once and baked into every layer and sprite. All of it is linear in
premultiplied colour, so that lighting, haze and grade are one 4x4 matrix.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from understudy.engines.previz.pictures.canvas import Bitmap, Floats, Rgb
from understudy.engines.previz.plan import INDOORS, SettingKind, TimeOfDay, Weather


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Colours 0..1 and factors that describe the light.

    sky: colours at zenith, middle and horizon. sun: colour of sun or moon; sun_x -1..1 across the frame (left to
    right), sun_y 0..1 up from the horizon. ambient: factor on painted surfaces. key: factor on subjects. haze: colour
    that depth fades to; haziness 0..1 at the horizon. shadow: darkness 0..1 of cast shadows, shadow_reach: their
    length in heights. rim: strength of the light edge. stars 0..1, glow 0..1 (lamps and windows lit).
    """

    sky: tuple[Rgb, Rgb, Rgb]
    sun: Rgb
    sun_x: float
    sun_y: float
    ambient: Rgb
    key: Rgb
    haze: Rgb
    haziness: float
    shadow: float
    shadow_reach: float
    rim: float
    stars: float = 0.0
    glow: float = 0.0
    overcast: float = 0.0
    grade: tuple[tuple[float, ...], ...] = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))

    @property
    def is_dark(self) -> bool:
        """Whether lamps and windows are lit."""
        return self.glow > 0.3

    def graded(self, bitmap: Bitmap) -> Bitmap:
        """Apply the style's grade to a premultiplied bitmap that is already lit."""
        return recolour(bitmap, np.array(self.grade))

    def ink(self, colour: Rgb) -> tuple[float, float, float, float]:
        """A colour under the grade, opaque, 0..255: for what is painted onto a finished layer."""
        matrix = np.array(self.grade)
        red, green, blue = np.clip(matrix[:3, :3] @ np.array(colour) + matrix[:3, 3], 0, 1) * 255
        return float(red), float(green), float(blue), 255.0

    def lit_matrix(self, *, gain: Rgb, haze: float) -> npt.NDArray[np.float64]:
        """Light, then haze, then grade, as one matrix on premultiplied RGBA."""
        light = np.diag([*gain, 1.0])
        fade = np.eye(4)
        fade[:3, :3] *= 1 - haze
        fade[:3, 3] = np.array(self.haze) * haze
        combined: npt.NDArray[np.float64] = np.array(self.grade) @ fade @ light
        return combined

    def haze_at(self, depth: float, distance: float) -> float:
        """How much of the haze colour a thing at a depth takes, 0..haziness."""
        beyond = max(depth / distance - 1.0, 0.0)
        return float(self.haziness * (1 - np.exp(-beyond / 9.0)))


_LOOKS = {
    TimeOfDay.DAWN: Look(
        sky=((0.36, 0.50, 0.76), (0.80, 0.70, 0.80), (1.00, 0.84, 0.70)),
        sun=(1.0, 0.90, 0.72),
        sun_x=-0.46,
        sun_y=0.16,
        ambient=(0.93, 0.84, 0.88),
        key=(1.02, 0.93, 0.90),
        haze=(0.98, 0.84, 0.80),
        haziness=0.72,
        shadow=0.34,
        shadow_reach=1.5,
        rim=0.42,
        stars=0.04,
    ),
    TimeOfDay.DAY: Look(
        sky=((0.20, 0.50, 0.90), (0.46, 0.73, 0.97), (0.84, 0.94, 1.00)),
        sun=(1.0, 0.98, 0.88),
        sun_x=0.52,
        sun_y=0.72,
        ambient=(1.0, 1.0, 0.98),
        key=(1.04, 1.03, 1.0),
        haze=(0.74, 0.87, 0.97),
        haziness=0.62,
        shadow=0.42,
        shadow_reach=0.55,
        rim=0.16,
    ),
    TimeOfDay.DUSK: Look(
        sky=((0.20, 0.18, 0.42), (0.72, 0.34, 0.46), (1.00, 0.62, 0.30)),
        sun=(1.0, 0.72, 0.36),
        sun_x=0.38,
        sun_y=0.10,
        ambient=(0.88, 0.62, 0.58),
        key=(1.0, 0.76, 0.68),
        haze=(0.96, 0.56, 0.40),
        haziness=0.66,
        shadow=0.40,
        shadow_reach=1.9,
        rim=0.75,
        stars=0.10,
        glow=0.55,
    ),
    TimeOfDay.NIGHT: Look(
        sky=((0.035, 0.060, 0.17), (0.08, 0.135, 0.29), (0.17, 0.26, 0.44)),
        sun=(0.86, 0.91, 1.0),
        sun_x=0.44,
        sun_y=0.70,
        ambient=(0.37, 0.47, 0.68),
        key=(0.62, 0.69, 0.92),
        haze=(0.16, 0.24, 0.41),
        haziness=0.72,
        shadow=0.40,
        shadow_reach=0.8,
        rim=0.55,
        stars=1.0,
        glow=1.0,
    ),
}

# Where the lamps are on at night.
_LAMPLIT = frozenset(
    {
        SettingKind.RESTAURANT,
        SettingKind.CLASSROOM,
        SettingKind.LIBRARY,
        SettingKind.TRAIN,
        SettingKind.SPACESHIP,
        SettingKind.OFFICE,
    }
)

# Where lamps light the open air at night, and by how much.
_FLOODLIT = {
    SettingKind.STADIUM: 1.4,
    SettingKind.MARKET: 1.3,
    SettingKind.ROOFTOP: 1.1,
    SettingKind.CASTLE: 1.1,
    SettingKind.TEMPLE: 1.1,
}
_NIGHT_STARS = 0.3

# Saturation, contrast, then a gain per channel.
_STYLES: dict[str, tuple[float, float, Rgb]] = {
    "noir": (0.0, 1.30, (1.16, 1.16, 1.16)),
    "monochrome": (0.0, 1.1, (1.0, 1.0, 1.0)),
    "black-and-white": (0.0, 1.2, (1.0, 1.0, 1.0)),
    "anime": (1.28, 1.08, (1.02, 1.0, 1.03)),
    "cartoon": (1.25, 1.06, (1.02, 1.01, 1.0)),
    "cinematic": (1.02, 1.12, (1.03, 1.0, 0.97)),
    "vintage": (0.62, 0.94, (1.08, 1.0, 0.82)),
    "retro": (0.7, 0.96, (1.08, 1.0, 0.84)),
    "sepia": (0.15, 1.0, (1.12, 0.98, 0.74)),
    "watercolor": (0.82, 0.86, (1.05, 1.05, 1.04)),
    "pastel": (0.75, 0.84, (1.06, 1.04, 1.05)),
    "cyberpunk": (1.30, 1.04, (1.08, 0.96, 1.20)),
    "neon": (1.25, 1.04, (1.06, 0.98, 1.14)),
    "documentary": (0.88, 1.03, (1.0, 1.0, 0.98)),
    "horror": (0.55, 1.2, (0.88, 1.0, 0.92)),
    "fantasy": (1.2, 1.04, (1.03, 0.99, 1.06)),
}

_MOODS: dict[str, tuple[float, float, Rgb]] = {
    "tense": (0.82, 1.1, (0.96, 1.0, 1.02)),
    "sad": (0.78, 0.97, (0.95, 0.99, 1.05)),
    "joyful": (1.1, 1.02, (1.03, 1.01, 0.99)),
    "romantic": (1.04, 0.98, (1.05, 0.98, 1.0)),
    "mysterious": (0.86, 1.06, (0.95, 0.98, 1.07)),
    "epic": (1.06, 1.1, (1.02, 1.0, 0.98)),
}

_LUMA = np.array([0.2126, 0.7152, 0.0722])


def mix(first: Rgb, second: Rgb, part: float) -> Rgb:
    """The colour ``part`` of the way from the first to the second."""
    return (
        first[0] + (second[0] - first[0]) * part,
        first[1] + (second[1] - first[1]) * part,
        first[2] + (second[2] - first[2]) * part,
    )


def dimmed(colour: Rgb, factor: float) -> Rgb:
    """A colour times a factor."""
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def times(first: Rgb, second: Rgb) -> Rgb:
    """Channel by channel product."""
    return first[0] * second[0], first[1] * second[1], first[2] * second[2]


def grade_matrix(style: str, mood: str) -> tuple[tuple[float, ...], ...]:
    """4x4 matrix on premultiplied RGBA for a style and a mood; unknown words change nothing."""
    matrix = np.eye(4)
    for row in (_STYLES.get(style.lower().replace(" ", "-")), _MOODS.get(mood.lower())):
        if row is None:
            continue
        saturation, contrast, gain = row
        step = np.eye(4)
        step[:3, :3] = saturation * np.eye(3) + (1 - saturation) * np.tile(_LUMA, (3, 1))
        step[:3, :3] *= contrast
        step[:3, 3] = 0.5 * (1 - contrast) + 0.02 * (contrast - 1)
        matrix = np.diag([*gain, 1.0]) @ step @ matrix
    return tuple(tuple(float(value) for value in line) for line in matrix)


def _in_weather(look: Look, weather: Weather) -> Look:
    """The same hour under another sky."""
    grey = float(np.dot(look.sky[1], _LUMA))
    cover = {
        Weather.CLOUDY: (0.62, 0.92, 0.72),
        Weather.RAIN: (0.85, 0.70, 0.82),
        Weather.STORM: (0.95, 0.46, 0.86),
        Weather.SNOW: (0.80, 0.95, 0.88),
        Weather.FOG: (0.88, 0.97, 1.0),
        Weather.WIND: (0.18, 1.0, look.haziness),
    }.get(weather)
    if cover is None:
        return look
    overcast, bright, haziness = cover
    if look.stars > _NIGHT_STARS:
        # What clouds take from a night they take from little: it must still be seen who acts.
        bright = (1 + bright) / 2
    veil: Rgb = (grey * 0.96, grey, grey * 1.05)
    if weather is Weather.SNOW:
        veil = (grey * 1.02, grey * 1.06, grey * 1.12)
    sky = tuple(dimmed(mix(colour, veil, overcast * 0.8), bright) for colour in look.sky)
    haze = dimmed(mix(look.haze, veil, overcast * 0.7), (bright + 1) / 2)
    return replace(
        look,
        sky=(sky[0], sky[1], mix(sky[2], haze, 0.4)),
        ambient=dimmed(mix(look.ambient, dimmed(look.ambient, 0.86), overcast), 0.35 + 0.65 * bright),
        key=dimmed(look.key, 0.62 + 0.38 * bright),
        haze=haze,
        haziness=max(haziness, look.haziness),
        shadow=look.shadow * (1 - 0.62 * overcast),
        rim=look.rim * (1 - 0.7 * overcast),
        stars=look.stars * (1 - overcast),
        overcast=overcast,
    )


def _indoors(look: Look, setting: SettingKind, time_of_day: TimeOfDay) -> Look:
    """Inside, lamps or windows light the subject, and there is little haze."""
    warm: Rgb = (1.0, 0.93, 0.82)
    is_night = time_of_day is TimeOfDay.NIGHT
    if setting is SettingKind.STAGE:
        key: Rgb = (1.08, 1.0, 0.92)
        return replace(
            look,
            key=key,
            ambient=(0.52, 0.44, 0.50),
            haze=(0.10, 0.06, 0.12),
            haziness=0.2,
            rim=0.6,
            sun=(1.0, 0.93, 0.78),
            sun_x=0.1,
            sun_y=0.8,
            shadow=0.55,
            shadow_reach=0.35,
            glow=1.0,
            overcast=0.0,
        )
    level = 0.56 if is_night else 1.0
    ambient = mix(dimmed(warm, level), look.ambient, 0.35)
    key = mix(dimmed(warm, 0.86 if is_night else 1.04), look.key, 0.3)
    if is_night:
        if setting in _LAMPLIT:
            ambient, key = dimmed(warm, 0.57), dimmed(key, 0.90)
        else:
            ambient, key = mix(ambient, (0.36, 0.40, 0.58), 0.45), dimmed(key, 0.88)
    return replace(
        look,
        ambient=ambient,
        key=key,
        haze=dimmed(ambient, 0.8),
        haziness=0.12,
        shadow=0.36,
        shadow_reach=0.4,
        sun=mix(look.sun, warm, 0.5),
        rim=0.3,
    )


def look_of(
    setting: SettingKind, time_of_day: TimeOfDay, weather: Weather, *, style: str = "", mood: str = "", side: int = 1
) -> Look:
    """The light of a film. side: +1 or -1 puts the sun right or left."""
    look = _LOOKS[time_of_day]
    look = replace(look, sun_x=look.sun_x * side, grade=grade_matrix(style, mood))
    if setting is SettingKind.UNDERWATER:
        depth = {TimeOfDay.NIGHT: 0.34, TimeOfDay.DUSK: 0.66, TimeOfDay.DAWN: 0.86}.get(time_of_day, 1.0)
        water: Rgb = (0.10, 0.52, 0.72)
        return replace(
            look,
            sky=(
                dimmed((0.30, 0.78, 0.90), depth),
                dimmed((0.08, 0.48, 0.70), depth),
                dimmed((0.03, 0.26, 0.46), depth),
            ),
            ambient=dimmed((0.62, 0.86, 0.98), depth),
            key=dimmed((0.86, 0.98, 1.06), max(depth, 0.55)),
            haze=dimmed(water, depth),
            haziness=0.86,
            shadow=0.22,
            shadow_reach=0.3,
            rim=0.4,
            sun=(0.75, 0.98, 1.0),
            sun_y=0.9,
            glow=0.0,
            stars=0.0,
        )
    if setting is SettingKind.SPACE:
        return replace(
            look,
            sky=((0.010, 0.012, 0.035), (0.03, 0.025, 0.075), (0.05, 0.03, 0.10)),
            stars=1.0,
            ambient=(0.80, 0.82, 0.92),
            key=(0.92, 0.94, 1.04),
            haze=(0.05, 0.05, 0.12),
            haziness=0.25,
            rim=0.85,
            sun=(1.0, 0.96, 0.88),
            shadow=0.5,
            glow=0.0,
        )
    if setting is SettingKind.MOON:
        black: Rgb = (0.012, 0.013, 0.02)
        return replace(
            look, sky=(black, black, black), stars=0.5, ambient=(0.34, 0.35, 0.40), key=(1.10, 1.08, 1.04), haze=black,
            haziness=0.0, rim=0.8, sun=(1.0, 0.98, 0.94), sun_y=0.5, shadow=0.7, shadow_reach=1.2, glow=0.0,
            overcast=0.0,
        )  # fmt: skip
    if setting is SettingKind.MARS:
        look = _dusty(look)
    look = _in_weather(look, weather)
    if look.is_dark and look.stars > _NIGHT_STARS:
        gain = _FLOODLIT.get(setting, 1.0)
        look = replace(
            look, ambient=_lamplit(look.ambient, gain), key=_lamplit(look.key, min(gain, 1.05 / max(look.key)))
        )
    if setting in INDOORS:
        return _indoors(look, setting, time_of_day)
    return look


def _dusty(look: Look) -> Look:
    """The same hour under a sky of red dust; the sun's own surroundings are paler, as pictures of Mars show them."""
    bright = max(float(np.dot(look.sky[1], _LUMA)), 0.05)
    level = min(bright * 1.25, 1.0)
    return replace(
        look,
        sky=(dimmed((0.66, 0.44, 0.32), level), dimmed((0.84, 0.60, 0.44), level), dimmed((0.95, 0.76, 0.58), level)),
        ambient=times(look.ambient, (1.0, 0.88, 0.80)),
        haze=dimmed((0.92, 0.68, 0.50), level),
        haziness=max(look.haziness, 0.75),
        sun=mix(look.sun, (0.92, 0.95, 1.0), 0.5),
    )


def _lamplit(colour: Rgb, gain: float) -> Rgb:
    """Brighter and warmer by lamps; gain 1 changes nothing."""
    brighter = dimmed(colour, gain)
    return mix(brighter, dimmed((1.0, 0.92, 0.80), max(brighter)), min(gain - 1.0, 0.6))


def recolour(bitmap: Bitmap, matrix: npt.NDArray[np.float64]) -> Bitmap:
    """Apply a 4x4 colour matrix to premultiplied RGBA; colour never exceeds alpha."""
    scaled = matrix.copy()
    if np.allclose(scaled, np.eye(4), atol=1e-6):
        return bitmap
    changed = cv2.transform(bitmap, scaled)
    alpha = cv2.merge([bitmap[..., 3]] * 4)
    return cv2.min(changed, alpha)


def modelled(bitmap: Bitmap, look: Look, *, strength: float = 1.0) -> Bitmap:
    """Give a flat sprite form: lighter on the sun's side and above, darker below, with a light edge.

    bitmap: premultiplied RGBA, in its own colours. strength 0..1.
    """
    height, width = bitmap.shape[:2]
    side = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * np.float32(np.sign(look.sun_x) or 1)
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    gain = 1 + strength * (0.07 * side + 0.05 - 0.17 * down * down)
    pixels = bitmap.astype(np.float32)
    pixels[..., :3] *= gain[..., None]
    if look.rim > 0:
        pixels[..., :3] += _rim(bitmap[..., 3], look)[..., None] * (np.array(look.sun, np.float32) * 255 * strength)
    pixels[..., :3] = np.minimum(pixels[..., :3], pixels[..., 3:])
    return pixels.astype(np.uint8)


def _rim(alpha: Bitmap, look: Look) -> Floats:
    """How much of the edge that faces the sun catches its light, 0..rim."""
    height, width = alpha.shape
    size = max(height, width)
    reach = max(size * 0.022, 1.0)
    shift = np.array([[1.0, 0, -np.sign(look.sun_x) * reach], [0, 1.0, reach * (0.4 + look.sun_y)]])
    inside = cv2.warpAffine(alpha, shift, (width, height))
    inside = cv2.GaussianBlur(inside, (0, 0), reach * 0.55)
    edge = np.clip(alpha.astype(np.float32) - inside, 0, 255) / 255
    result: Floats = edge.astype(np.float32) * np.float32(look.rim * 0.55)
    return result
