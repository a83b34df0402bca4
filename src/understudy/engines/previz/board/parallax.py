"""A film of one given picture in depth: a camera moves through it, and its subject may act a little.

Each layer of the picture (`layers`) is drawn by asking, for each place of the frame, where in the layer it comes from:
so there are no holes, and a layer turns smoothly with its nearness. The camera's geometry is that of a pinhole:
sideways steps shift things in proportion to their nearness, a step forward enlarges the near more than the far.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.board.acting import ACTS, AT_REST, Bearing, bearing_at, voice_at
from understudy.engines.previz.board.layers import FAR, Layers, Margins, Subject, layers_of
from understudy.engines.previz.board.moves import Beat, Flight, Pose, eased
from understudy.engines.previz.board.sheets import Sheet, sheet_of, speak, with_cover
from understudy.engines.previz.plan import Action
from understudy.engines.previz.seeing.mouth import mouth_of
from understudy.engines.previz.seeing.speaking import Jaw, jaw_of
from understudy.engines.previz.speech_timing import Spoken
from understudy.media.decode import Picture

Values = NDArray[np.float32]

_SETTLED_S = 0.4
"""How long what the layers lack to the picture stays in view; by then the camera has hardly begun to move."""

_DRIFT_S = 0.5
"""A motion that the film comes with fades by this time constant."""

_MARGIN_MOST = 0.15
"""Of the picture's width; more is guesswork, and what lies farther out is mirrored."""

_MARGIN_SAMPLES = 48
_ROUNDS = 2
"""To find what is seen at a place one must know how near it is; nearness turns slowly, and two rounds are enough."""

_NODS = 0.4
"""How much less a subject nods whose mouth is seen to move."""

_HEAD = 0.62
"""From where on upwards, as a part of a subject's height, it nods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A motion that a film begins with, of what is seen and per frame: right, down (parts of the width), nearer."""

    x: float = 0.0
    y: float = 0.0
    zoom: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What happens in a film of one picture. phases: the seed's, 0..2 pi.

    begins_after: the picture was seen already, as the end of what came before; the film's first frame is the next one.
    drift: how it was moving there. action: what its subject does. spoken: the lines it says, from the film's start.
    """

    num_frames: int
    fps: int
    flight: Flight
    phases: tuple[float, ...]
    begins_after: bool = False
    drift: Drift = Drift()
    action: Action = Action.IDLE
    spoken: Sequence[Spoken] = ()


class Parallax:
    """Draws the frames of a film of one picture, (height_px, width_px, 3) uint8 RGB, already in the film's size.

    The first frame is the picture itself, to the byte.
    """

    def __init__(self, picture: Picture, part: Part) -> None:
        self._picture, self._part = picture, part
        self._height_px, self._width_px = picture.shape[:2]
        self._frame = np.empty_like(picture)
        self._rgba = np.empty((self._height_px, self._width_px, 4), dtype=np.uint8)
        self._voice = 0.0
        # The camera of some films stands, and so may what they show: those need no depth.
        self._moves = self._has_drift or any(self._pose(index) != Pose() for index in self._sampled())
        self._acts = bool(part.spoken) or part.action in ACTS

    def picture(self, index: int) -> Picture:
        """Draw frame ``index``; (height_px, width_px, 3) uint8 RGB; the buffer is reused by the next call."""
        now = index + self._part.begins_after
        if now == 0 or not (self._moves or (self._acts and self._is_acting(index))):
            return self._picture
        pose = self._pose(index)
        held = self._layers.subject.held if self._layers.subject is not None else 0.5
        seen = self._seen(pose, index, held=held)
        places = self._placed(seen, pose, self._layers.nearness)
        self._speak(voice_at(self._part.spoken, index / self._part.fps))
        self._plate.draw(self._enlarged(places * np.float32(self._plate.fineness), self._frame.shape), self._rgba)
        if self._layers.subject is not None:
            self._draw_subject(self._layers.subject, seen, pose=pose, bearing=self._bearing(index))
        cv2.cvtColor(self._rgba, cv2.COLOR_RGBA2RGB, dst=self._frame)
        self._settle(now)
        return self._frame

    @cached_property
    def _layers(self) -> Layers:
        return layers_of(self._picture, self._margins())

    @cached_property
    def _jaw(self) -> Jaw | None:
        return self._jaw_of(self._layers) if self._part.spoken else None

    @cached_property
    def _plate(self) -> Sheet:
        # What is looked at stays as sharp as it is; behind it half the memory is worth more.
        return sheet_of(self._layers.plate, None, is_fine=self._layers.subject is None)

    @cached_property
    def _figure(self) -> Sheet:
        assert self._layers.subject is not None, "only a subject is drawn before the plate"
        return sheet_of(self._layers.subject.colours, self._layers.subject.cover)

    @cached_property
    def _closed(self) -> Picture:
        """The layer that a mouth would be in, with the mouth closed."""
        subject = self._layers.subject
        return with_cover(self._layers.plate, None) if subject is None else with_cover(subject.colours, subject.cover)

    def _sampled(self) -> range:
        return range(0, self._part.num_frames, max(1, self._part.num_frames // _MARGIN_SAMPLES))

    def _beat(self, index: int) -> Beat:
        part = self._part
        now = index + part.begins_after
        last = max(1, part.num_frames - 1 + part.begins_after)
        return Beat(eased=eased(min(1.0, now / last)), time_s=now / part.fps, phases=part.phases)

    def _pose(self, index: int) -> Pose:
        return self._part.flight(self._beat(index))

    def _bearing(self, index: int) -> Bearing:
        voice = voice_at(self._part.spoken, index / self._part.fps)
        return bearing_at(self._beat(index), self._part.action, voice * (_NODS if self._jaw is not None else 1.0))

    def _is_acting(self, index: int) -> bool:
        return self._bearing(index) != AT_REST or voice_at(self._part.spoken, index / self._part.fps) > 0

    def _jaw_of(self, layers: Layers) -> Jaw | None:
        """Find the mouth that speaks, in pixels of the layer that it is in."""
        mouth = mouth_of(self._picture)
        if mouth is None:
            return None
        left, top, shape = -layers.margins.left_px, -layers.margins.top_px, layers.plate.shape
        if layers.subject is not None:
            left, top, shape = left + layers.subject.box[0], top + layers.subject.box[1], layers.subject.cover.shape
        return jaw_of(replace(mouth, x_px=mouth.x_px - left, y_px=mouth.y_px - top), shape)

    def _speak(self, voice: float) -> None:
        """Open the mouth in the layer that it is in, as far as the voice is loud."""
        if self._jaw is None or voice == self._voice:
            return
        self._voice = voice
        sheet = self._plate if self._layers.subject is None else self._figure
        speak(sheet, self._closed, self._jaw, voice=voice)

    @property
    def _has_drift(self) -> bool:
        return self._part.drift != Drift()

    def _drifted(self, index: int) -> tuple[float, float, float]:
        """Return how far the first motion has come: right and down in pixels, and how much nearer."""
        constant = _DRIFT_S * self._part.fps
        way = constant * (1 - float(np.exp(-(index + self._part.begins_after) / constant)))
        drift = self._part.drift
        return way * drift.x * self._width_px, way * drift.y * self._width_px, float(np.exp(way * drift.zoom))

    def _seen(self, pose: Pose, index: int, *, held: float, corners: Values | None = None) -> Values:
        """Return, for places of the frame, where they would lie in the picture if all in it were infinitely far.

        Both are in pixels from the middle, (2, rows, columns). corners: the places; without any, those of a grid.
        """
        places = self._grid if corners is None else corners
        right_px, down_px, nearer = self._drifted(index)
        angle, zoom = np.radians(pose.roll_deg), pose.zoom * nearer
        cos, sin = np.float32(np.cos(angle) / zoom), np.float32(np.sin(angle) / zoom)
        width_px = self._width_px
        x = cos * places[0] - sin * places[1]
        y = sin * places[0] + cos * places[1]
        x += np.float32((pose.yaw - pose.hold * pose.x * held) * width_px - right_px)
        y += np.float32((pose.pitch - pose.hold * pose.y * held) * width_px - down_px)
        return np.stack([x, y])

    @cached_property
    def _grid(self) -> Values:
        """The places of a grid over the frame and one step beyond it, in pixels from its middle."""
        step = self._layers.step_px
        columns = (np.arange(-(-self._width_px // step) + 2, dtype=np.float32) - 0.5) * step - self._width_px / 2
        rows = (np.arange(-(-self._height_px // step) + 2, dtype=np.float32) - 0.5) * step - self._height_px / 2
        x, y = np.meshgrid(columns, rows)
        return np.stack([x, y]).astype(np.float32)

    def _placed(self, seen: Values, pose: Pose, nearness: Values) -> Values:
        """Return where in the plate each place comes from, in pixels from its corner."""
        margins, plate = self._layers.margins, self._layers.plate
        right_px = np.float32(self._width_px / 2 + margins.left_px)
        down_px = np.float32(self._height_px / 2 + margins.top_px)
        per_x, per_y = nearness.shape[1] / plate.shape[1], nearness.shape[0] / plate.shape[0]
        found = seen
        for _ in range(_ROUNDS):
            at_x = (found[0] + right_px) * np.float32(per_x) - np.float32(0.5)
            at_y = (found[1] + down_px) * np.float32(per_y) - np.float32(0.5)
            near = cv2.remap(nearness, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            found = self._stepped(seen, pose, np.asarray(near, dtype=np.float32))
        found[0] += right_px - np.float32(0.5)
        found[1] += down_px - np.float32(0.5)
        return found

    def _stepped(self, seen: Values, pose: Pose, near: Values | float) -> Values:
        shrinks = 1 - np.float32(pose.z) * near
        x = seen[0] * shrinks + np.float32(pose.x * self._width_px) * near
        y = seen[1] * shrinks + np.float32(pose.y * self._width_px) * near
        return np.stack([x, y]).astype(np.float32, copy=False)

    def _enlarged(self, places: Values, shape: tuple[int, ...]) -> Values:
        """Return the places of all pixels, (height_px, width_px, 2).

        places: (2, rows, columns) of a grid that begins half a step before the first pixel.
        """
        step = self._layers.step_px
        size = (places.shape[2] * step, places.shape[1] * step)
        grid = cv2.merge((places[0], places[1]))
        whole = np.asarray(cv2.resize(grid, size, interpolation=cv2.INTER_LINEAR), dtype=np.float32)
        return whole[step : step + shape[0], step : step + shape[1]]

    def _draw_subject(self, subject: Subject, seen: Values, *, pose: Pose, bearing: Bearing) -> None:
        step = self._layers.step_px
        left, top, right, bottom = subject.box
        places = self._placed(seen, pose, subject.nearness)
        if bearing != AT_REST:
            places = _borne(places, subject, bearing, is_cut=bottom >= self._layers.plate.shape[0])
        x, y = places
        hit = (x > left - step) & (x < right + step) & (y > top - step) & (y < bottom + step)
        rows, columns = np.flatnonzero(hit.any(axis=1)), np.flatnonzero(hit.any(axis=0))
        if not rows.size:
            return
        # Node n of the grid lies half a step before pixel (n - 1) * step.
        first_row, last_row = max(1, int(rows[0])), min(places.shape[1] - 2, int(rows[-1]))
        first_column, last_column = max(1, int(columns[0])), min(places.shape[2] - 2, int(columns[-1]))
        part = places[:, first_row - 1 : last_row + 2, first_column - 1 : last_column + 2] - np.array(
            [[[left]], [[top]]], dtype=np.float32
        )
        y0, x0 = (first_row - 1) * step, (first_column - 1) * step
        target = self._rgba[y0 : min(self._height_px, last_row * step), x0 : min(self._width_px, last_column * step)]
        if not target.size:
            return
        figure = self._figure
        figure.draw_over(self._enlarged(part * np.float32(figure.fineness), target.shape), target)

    def _settle(self, now: int) -> None:
        """Add what the layers lack to the picture while the film begins, ever less of it."""
        # A camera that stands sees the picture all the while.
        share = 1 - now / (_SETTLED_S * self._part.fps) if self._moves else 1.0
        if share <= 0 or self._layers.difference is None or self._layers.subject is None:
            return
        margins = self._layers.margins
        left, top = self._layers.subject.box[0] - margins.left_px, self._layers.subject.box[1] - margins.top_px
        difference = self._layers.difference
        rows = slice(max(0, top), min(self._height_px, top + difference.shape[0]))
        columns = slice(max(0, left), min(self._width_px, left + difference.shape[1]))
        lacking = difference[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        target = self._frame[rows, columns]
        target[:] = np.clip(target + np.rint(lacking * np.float32(share)), 0, 255).astype(np.uint8)

    def _margins(self) -> Margins:
        """Return how far the camera looks beyond the picture's edges, at what is near and at what is far."""
        half = np.array([self._width_px / 2, self._height_px / 2], dtype=np.float32)
        signs = np.array([[[-1, 1], [-1, 1]], [[-1, -1], [1, 1]]], dtype=np.float32)
        corners = (signs * half[:, None, None]).astype(np.float32)
        low, high = -half, half
        for index in self._sampled():
            pose = self._pose(index)
            for held in (FAR, 1.0):
                seen = self._seen(pose, index, held=held, corners=corners)
                for near in (FAR, held):
                    found = self._stepped(seen, pose, near).reshape(2, -1)
                    low, high = np.minimum(low, found.min(axis=1)), np.maximum(high, found.max(axis=1))
        most = _MARGIN_MOST * self._width_px
        left, top = (int(np.ceil(min(most, value))) for value in -half - low)
        right, bottom = (int(np.ceil(min(most, value))) for value in high - half)
        return Margins(left_px=left, top_px=top, right_px=right, bottom_px=bottom)


def _borne(places: Values, subject: Subject, bearing: Bearing, *, is_cut: bool) -> Values:
    """Return the places of a subject that holds itself differently; its feet stay where they are, unless it lifts.

    is_cut: it goes on below the picture, and nothing of it may be lifted out of there.
    """
    _, top, _, bottom = subject.box
    height_px = np.float32(max(1, bottom - top))
    up = np.clip((np.float32(bottom) - places[1]) / height_px, 0, 1)
    head = np.clip((up - np.float32(_HEAD)) / np.float32(1 - _HEAD), 0, 1)
    lift = np.float32(0 if is_cut else bearing.lift)
    right = np.float32(bearing.sway) * up * np.sqrt(up)
    raised = lift + np.float32(bearing.stretch) * up - np.float32(bearing.nod) * head * head * (3 - 2 * head)
    return np.stack([places[0] - right * height_px, places[1] + raised * height_px])
