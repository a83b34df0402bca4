"""A given picture as the place of a shot: it lies in depth behind who acts, and the scene takes on its light."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.pictures.canvas import Bitmap, Floats, Rgb
from understudy.engines.previz.pictures.light import Look, mix, times
from understudy.engines.previz.pictures.raster import Raster
from understudy.engines.previz.pictures.staging import Staging
from understudy.engines.previz.pictures.view import Reach, View
from understudy.engines.previz.plan import TimeOfDay

_STEP_PX = 8
_FAR = 0.16
"""How near the farthest places are, as a part of the subject's nearness: they move a little as well."""

_NEAREST = 1.25
_ROUNDS = 2
_SOFTNESS = 0.03
"""Of the width: nearness turns that slowly, so that nothing is folded."""

_WIDEST_VIEW = 1.35
"""A picture is shown no larger than by this, to have something beyond the frame's edges that the camera looks at."""

_DIM_FROM = 0.32
"""A picture that is darker than this on average was taken by night, and is not made darker."""

_TINT = {TimeOfDay.DAY: 0.0, TimeOfDay.DAWN: 0.55, TimeOfDay.DUSK: 0.7, TimeOfDay.NIGHT: 1.0}
_LUMA = np.array([0.2126, 0.7152, 0.0722])


class Backdrop:
    """A picture behind everything, each place of it as far away as it looks; opaque, and drawn first."""

    depth = 2e9

    def __init__(self, picture: Bitmap, nearness: NDArray[np.float32], *, staging: Staging, reach: Reach) -> None:
        """Lay the picture over the frame, somewhat larger where the camera moves.

        picture: (height_px, width_px, 4), opaque. nearness: 0..1 as it looks, over the whole picture.
        """
        canvas = staging.canvas
        self._staging = staging
        self._size = (canvas.width_px, canvas.height_px)
        middle = (staging.centre_x_px, staging.horizon_px)
        self._middle = np.array(middle, dtype=np.float32)
        zoom = self._zoom_for(reach)
        cover = max(canvas.width_px / picture.shape[1], canvas.height_px / picture.shape[0]) * zoom
        size = (round(picture.shape[1] * cover), round(picture.shape[0] * cover))
        how = cv2.INTER_AREA if cover < 1 else cv2.INTER_CUBIC
        laid = np.asarray(cv2.resize(picture, size, interpolation=how), dtype=np.uint8)
        # What can never be seen is not kept; a camera looks beyond the frame by a half at most.
        self._left = (size[0] - canvas.width_px) // 2
        self._top = round((size[1] - canvas.height_px) * 0.5)
        self._picture = np.ascontiguousarray(laid)
        self._nearness = self._grounded(nearness)

    def _zoom_for(self, reach: Reach) -> float:
        """How much larger than the frame the picture must be for the camera's move."""
        width, height = self._size
        corners = np.array([[[0, 0], [width, 0]], [[0, height], [width, height]]], dtype=np.float32)
        most = 1.0
        for view in reach.views:
            found = self._stepped(corners, view, np.float32(0.45)) + self._middle
            over_x = max(-float(found[..., 0].min()), float(found[..., 0].max()) - width, 0.0)
            over_y = max(-float(found[..., 1].min()), float(found[..., 1].max()) - height, 0.0)
            most = max(most, 1 + 2 * over_x / width, 1 + 2 * over_y / height)
        return min(most, _WIDEST_VIEW)

    def _grounded(self, nearness: NDArray[np.float32]) -> Floats:
        """Bring what was seen onto the laid picture's grid, its lower part as near as a ground to stand on is."""
        staging = self._staging
        rows, columns = self._picture.shape[0] // _STEP_PX + 1, self._picture.shape[1] // _STEP_PX + 1
        seen = np.asarray(cv2.resize(nearness, (columns, rows), interpolation=cv2.INTER_AREA), dtype=np.float32)
        frame_rows = np.arange(rows, dtype=np.float32) * _STEP_PX - np.float32(self._top)
        drop = max(staging.feet_px - staging.horizon_px, 0.05 * self._size[1])
        ground = np.clip((frame_rows - np.float32(staging.horizon_px)) / np.float32(drop), 0, _NEAREST)[:, None]
        share = np.clip(ground, 0, 1) ** 2
        mixed = (1 - share) * (np.float32(_FAR) + np.float32(0.6) * seen) + share * ground
        soft = cv2.GaussianBlur(mixed, (0, 0), max(_SOFTNESS * columns, 1.0), borderType=cv2.BORDER_REPLICATE)
        return np.asarray(np.clip(soft, _FAR, _NEAREST), dtype=np.float32)

    def _stepped(self, places: Floats, view: View, near: Floats | np.float32) -> Floats:
        """Where places of the frame lie in the frame of the camera at rest, from its vanishing point, in pixels."""
        staging = self._staging
        per_unit = np.float32(staging.hero_px)
        forward = 1 - np.float32(view.z / staging.distance) * near
        x = (places[..., 0] - np.float32(view.centre_x_px)) * forward + np.float32(view.x) * per_unit * near
        rise = np.float32(view.y - staging.eye)
        y = (places[..., 1] - np.float32(view.horizon_px)) * forward - rise * per_unit * near
        return np.dstack([x, y]).astype(np.float32)

    def draw(self, raster: Raster, view: View) -> None:
        """Fill the frame."""
        width, height = self._size
        step = _STEP_PX
        across = (np.arange(-(-width // step) + 2, dtype=np.float32) - 0.5) * step
        down = (np.arange(-(-height // step) + 2, dtype=np.float32) - 0.5) * step
        places = np.dstack(np.meshgrid(across, down)).astype(np.float32)
        corner = self._middle + np.array([self._left, self._top], dtype=np.float32)
        found = self._stepped(places, view, np.float32(0.5)) + corner
        for _ in range(_ROUNDS):
            at = found / np.float32(step)
            near = cv2.remap(self._nearness, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            found = self._stepped(places, view, np.asarray(near, dtype=np.float32)) + corner
        found -= np.float32(0.5)
        size = (found.shape[1] * step, found.shape[0] * step)
        whole = cv2.resize(found, size, interpolation=cv2.INTER_LINEAR)[step : step + height, step : step + width]
        cv2.remap(
            self._picture,
            whole,
            None,
            cv2.INTER_LINEAR,
            dst=raster.pixels,
            borderMode=cv2.BORDER_REFLECT_101,
        )  # type: ignore[call-overload]


def look_in(look: Look, picture: NDArray[np.uint8], time_of_day: TimeOfDay) -> tuple[Look, Bitmap]:
    """Return the light of a scene before a picture, and the picture in the film's grade, opaque RGBA.

    A picture taken by day is given the hour that the shot asks for; who stands before it takes on its colour.
    """
    mean = picture.reshape(-1, 3).mean(axis=0) / 255
    luma = float(mean @ _LUMA)
    is_lit = luma > _DIM_FROM
    part = _TINT[time_of_day] if is_lit else 0.0
    gain = mix((1.0, 1.0, 1.0), look.ambient, part)
    opaque = np.dstack([picture, np.full(picture.shape[:2], 255, dtype=np.uint8)])
    matrix = look.lit_matrix(gain=gain, haze=0.0)
    shown = np.asarray(cv2.transform(opaque, matrix), dtype=np.uint8)
    shown[..., 3] = 255
    chroma = mean / max(luma, 0.05)
    own: Rgb = (float(chroma[0]), float(chroma[1]), float(chroma[2]))
    level = float(np.clip(0.72 + 0.6 * luma, 0.6, 1.05))
    key = times(mix((1.0, 1.0, 1.0), own, 0.3), (level, level, level))
    red, green, blue = (float(value) for value in np.clip(mean * np.array(gain), 0, 1))
    return (
        replace(look, key=mix(key, times(key, gain), 0.8), haze=(red, green, blue), rim=look.rim * 0.5, glow=0.0),
        shown,
    )
