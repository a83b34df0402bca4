"""The painter of given media: which of them is seen in each frame of the film."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numpy as np

from understudy.engines.previz.board.between import Transition
from understudy.engines.previz.board.camera_of import camera_path_of, flight_along
from understudy.engines.previz.board.edits import Editing
from understudy.engines.previz.board.extension import NO_DRIFT, Onward, drift_of, momentum_of
from understudy.engines.previz.board.footage import Player
from understudy.engines.previz.board.given import Cut, Given, cuts_of
from understudy.engines.previz.board.movers import ground_of
from understudy.engines.previz.board.moves import FLIGHT_AT_REST, FLIGHTS, MOVES, STILL, Beat, Move, Pose, aimed, eased
from understudy.engines.previz.board.nearer import seen_nearer
from understudy.engines.previz.board.panels import page, pages_of
from understudy.engines.previz.board.parallax import Drift, Parallax, Part
from understudy.engines.previz.pictures import Canvas
from understudy.engines.previz.plan import Action, CameraMove, Edit
from understudy.engines.previz.speech_timing import Spoken
from understudy.media.decode import Picture, fitted, on_ground, read_image

_TURN_S = 0.4
"""How long one page of panels takes to become the next."""

_PHASES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A stretch of the film. draw: the picture of a frame of the scene, (height_px, width_px, 3)."""

    num_frames: int
    draw: Callable[[int], Picture]


class Board:
    """Draws the frames of a film of given media; equal media, canvas and move give equal pictures.

    action: what the subject of a given frame does. spoken: the lines that are said, with times from the film's start.
    edits: what is changed in the videos.

    Raises: Unreadable, here and while painting.
    """

    def __init__(
        self,
        given: Given,
        canvas: Canvas,
        camera: CameraMove,
        *,
        action: Action = Action.IDLE,
        spoken: Sequence[Spoken] = (),
        edits: Sequence[Edit] = (),
    ) -> None:
        self._canvas, self._edits = canvas, edits
        self._size = (canvas.width_px, canvas.height_px)
        rng = np.random.default_rng([abs(canvas.seed), 11])
        self._phases = tuple(float(value) for value in rng.uniform(0, 2 * np.pi, _PHASES))
        self._move = STILL if given.is_still else MOVES[camera]
        self._flight = FLIGHT_AT_REST if given.is_still else FLIGHTS[camera]
        if given.camera is not None:
            path = camera_path_of(given.camera.path, canvas.fps)
            self._flight = flight_along(path, size_px=self._size, duration_s=canvas.duration_s)
        self._action, self._spoken = action, spoken
        self._player: Player | None = None
        self._editing: Editing | None = None
        self._scenes = self._frames_of(given, camera) if given.first or given.last else self._references_of(given)
        self._rgba = np.full((canvas.height_px, canvas.width_px, 4), 255, dtype=np.uint8)

    def paint(self, index: int) -> Picture:
        """Draw frame ``index``; (height_px, width_px, 4) uint8 RGBA, opaque; the buffer is reused by the next call."""
        for scene in self._scenes[:-1]:
            if index < scene.num_frames:
                break
            index -= scene.num_frames
        else:
            scene = self._scenes[-1]
        cv2.cvtColor(scene.draw(index), cv2.COLOR_RGB2RGBA, dst=self._rgba)
        return self._rgba

    def close(self) -> None:
        """Let go of the files that are being played."""
        if self._player is not None:
            self._player.close()

    def _frames_of(self, given: Given, camera: CameraMove) -> Sequence[Scene]:
        first, last = (
            fitted(on_ground(read_image(path)), *self._size) if path else None for path in (given.first, given.last)
        )
        first = first if first is None else seen_nearer(first, given.closer)
        num_frames = self._canvas.num_frames
        end = max(1, num_frames - 1)
        if first is not None and last is not None:
            way = Transition(first, last, camera=None if given.is_still else camera)
            return [Scene(num_frames=num_frames, draw=lambda index: way.picture(index / end))]
        if first is not None:
            return [self._in_depth(lambda: first, num_frames, spoken=self._spoken)]
        assert last is not None, "a film of frames has at least one"
        backwards = self._in_depth(lambda: last, num_frames)
        return [Scene(num_frames=num_frames, draw=lambda index: backwards.draw(end - index))]

    def _references_of(self, given: Given) -> Sequence[Scene]:
        cuts = cuts_of(given, num_frames=self._canvas.num_frames, fps=self._canvas.fps)
        scenes: list[Scene] = []
        left = self._canvas.num_frames
        if cuts:
            player = self._player = Player(
                given.videos,
                cuts,
                size_px=self._size,
                fps=self._canvas.fps,
                join=given.join,
                edited=self._editing_of(given, cuts),
            )
            first = player.starts_at
            scenes.append(Scene(num_frames=player.num_frames, draw=lambda index: player.picture(first + index)))
            left -= player.num_frames
            if left > 0 and (given.is_extension or not given.images):
                scenes.insert(0 if given.is_backward else 1, self._onward(given, cuts, player))
                left = 0
        return [*scenes, *self._panels_of(given, left)] if left > 0 else scenes

    def _editing_of(self, given: Given, cuts: Sequence[Cut]) -> Editing | None:
        """What the prompt changes in the videos; None if nothing, and then it costs nothing."""
        if self._edits:
            self._editing = Editing(given.videos, cuts, self._edits, canvas=self._canvas, images=given.images)
        return self._editing

    @property
    def notes(self) -> tuple[str, ...]:
        """What the edits could not do as they were said, once the frames are painted."""
        return self._editing.notes if self._editing is not None else ()

    def _onward(self, given: Given, cuts: Sequence[Cut], player: Player) -> Scene:
        """What comes after the videos, or before them: it has their motion, which fades into the camera's move."""
        num_frames, is_backward = self._canvas.num_frames - player.num_frames, given.is_backward
        cut = cuts[0] if is_backward else cuts[-1]
        at = cut.begins_with + (0 if is_backward else cut.num_frames - 1)
        nearest = player.starts_at if is_backward else player.ends_at - 1

        @cache
        def onward() -> Onward:
            momentum = momentum_of(
                given.videos[cut.video].path, self._canvas.fps, at=at, size_px=self._size, is_start=is_backward
            )
            last = player.picture(nearest).copy()
            ground = ground_of(last, momentum.movers)
            drift = drift_of(momentum, self._size)
            scene = self._in_depth(lambda: ground, num_frames, begins_after=True, drift=drift)
            return Onward(scene.draw, momentum, last, pose=pose, fps=self._canvas.fps)

        def pose(index: int) -> Pose:
            part = eased(min(1.0, (index + 1) / num_frames))
            return self._flight(Beat(eased=part, time_s=(index + 1) / self._canvas.fps, phases=self._phases))

        def draw(index: int) -> Picture:
            return onward().picture(num_frames - 1 - index if is_backward else index)

        return Scene(num_frames=num_frames, draw=draw)

    def _panels_of(self, given: Given, num_frames: int) -> Sequence[Scene]:
        pages = pages_of(given.images, time_s=num_frames / self._canvas.fps)
        ends = [round(num_frames * (number + 1) / len(pages)) for number in range(len(pages))]
        width_px, height_px = self._size

        # Two pages are seen at once while one becomes the other; a film has too many to keep them all.
        @lru_cache(maxsize=2)
        def drawn(number: int) -> Picture:
            return page(pages[number], width_px=width_px, height_px=height_px)

        # Panels are to be seen whole: whatever the camera does elsewhere, here it only comes a little nearer.
        move = STILL if self._move is STILL else MOVES[CameraMove.STATIC]
        scenes: list[Scene] = []
        for number, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
            own = self._moved(lambda number=number: drawn(number), end - start, move)  # type: ignore[misc]
            before = scenes[-1] if scenes else None
            scenes.append(self._turned_to(own, before) if before is not None else own)
        return scenes

    def _turned_to(self, scene: Scene, before: Scene) -> Scene:
        """Begin a scene with a short dissolve from the end of the one before it."""
        turn = min(round(_TURN_S * self._canvas.fps), scene.num_frames // 2, before.num_frames // 2)

        def draw(index: int) -> Picture:
            if index >= turn:
                return scene.draw(index)
            way = eased((index + 1) / (turn + 1))
            end = before.draw(before.num_frames - 1)
            return np.asarray(cv2.addWeighted(end, 1 - way, scene.draw(index), way, 0), dtype=np.uint8)

        return Scene(num_frames=scene.num_frames, draw=draw)

    def _moved(self, picture: Callable[[], Picture], num_frames: int, move: Move) -> Scene:
        """A camera move over a flat picture."""
        last = max(1, num_frames - 1)

        def draw(index: int) -> Picture:
            beat = Beat(eased=eased(index / last), time_s=index / self._canvas.fps, phases=self._phases)
            return aimed(picture(), move(beat))

        return Scene(num_frames=num_frames, draw=draw)

    def _in_depth(
        self,
        picture: Callable[[], Picture],
        num_frames: int,
        *,
        begins_after: bool = False,
        drift: Drift = NO_DRIFT,
        spoken: Sequence[Spoken] = (),
    ) -> Scene:
        """A camera move through a picture; it is taken apart when it is first seen. Arguments: as of `Part`."""
        part = Part(
            num_frames=num_frames,
            fps=self._canvas.fps,
            flight=self._flight,
            phases=self._phases,
            begins_after=begins_after,
            drift=drift,
            action=self._action,
            spoken=spoken,
        )
        film = cache(lambda: Parallax(picture(), part))
        return Scene(num_frames=num_frames, draw=lambda index: film().picture(index))
