"""A shot made from reference images: its scene with them in it, or the images themselves, one after the other."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from understudy.engines.previz.board.cast import ImageCast, Part, cast_images
from understudy.engines.previz.board.moves import FLIGHTS, MOVES, Beat, aimed, eased
from understudy.engines.previz.board.palette import Graded
from understudy.engines.previz.board.panels import fills, page
from understudy.engines.previz.board.parallax import Parallax
from understudy.engines.previz.board.parallax import Part as Stretch
from understudy.engines.previz.board.studies import Study, study_of
from understudy.engines.previz.camera_path import CameraPath
from understudy.engines.previz.film import Painter
from understudy.engines.previz.pictures import Canvas, FilmPainter
from understudy.engines.previz.pictures.canvas import Bitmap
from understudy.engines.previz.pictures.photographs import Framed, Likeness, Photographs, Thing
from understudy.engines.previz.plan import Action, CameraMove, FilmPlan, Shot
from understudy.engines.previz.speech_timing import Spoken
from understudy.media.decode import Picture, read_image

_TURN_S = 0.4
_LEAST_SEEN_S = 0.8
"""A framed picture is looked at for so long at least; more of them are seen at a time where the shot is short."""

_TOGETHER = 3
_STYLE_SEEN_PX = 480
_PHASES = 8


class ImageScenes:
    """The film of a plan with reference images: opens the painter of each shot.

    plan: the plan as it is with the images; its shots have as many subjects as are seen. notes: what was done with
    the images, for the caller. Raises: Unreadable.
    """

    def __init__(self, plan: FilmPlan, images: Sequence[Path], *, camera_path: CameraPath | None = None) -> None:
        """Look at the images.

        images: all that were given, in order; the first is image 1. camera_path: as of `FilmPainter`.
        """
        self._camera_path = camera_path
        self._paths = tuple(images)
        self._studies: Mapping[int, Study] = {
            number: study_of(path, number) for number, path in enumerate(self._paths, start=1)
        }
        self._cast = cast_images(plan, self._studies)

    @property
    def cast(self) -> ImageCast:
        """Which image is what in which shot."""
        return self._cast

    @property
    def shots(self) -> tuple[Shot, ...]:
        """The plan's shots, with those subjects that only images bring."""
        return self._cast.shots

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done with the images."""
        return self._cast.notes

    def open_shot(self, number: int, canvas: Canvas, said: Sequence[Spoken]) -> Painter:
        """Open the painter of a shot. Arguments: as of `film.OpenShot`."""
        shot, part = self._cast.shots[number], self._cast.parts[number]
        painter: Painter
        if part.whole:
            pictures = [self._paths[one - 1] for one in part.whole]
            painter = Slides(pictures, shot, canvas, said=said)
        else:
            painter = FilmPainter(
                shot,
                canvas,
                speech=said,
                photographs=self._photographs(shot, part, canvas),
                camera_path=self._camera_path,
            )
        if not part.style:
            return painter
        own = painter.paint(canvas.num_frames // 2)
        width = min(_STYLE_SEEN_PX, own.shape[1])
        size = (width, max(1, round(own.shape[0] * width / own.shape[1])))
        seen = np.asarray(cv2.resize(own, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        return Graded(painter, own=seen, picture=self._studies[part.style].rgb)

    def _photographs(self, shot: Shot, part: Part, canvas: Canvas) -> Photographs:
        likenesses: dict[int, Sequence[Likeness]] = {
            index: tuple(
                self._studies[one].card if one in part.carded else self._studies[one].likeness for one in views
            )
            for index, views in part.subjects.items()
        }
        things = tuple(Thing(likeness=self._studies[one].likeness, is_worn=worn) for one, worn in part.things)
        backdrop = nearness = None
        if part.setting:
            study = self._studies[part.setting]
            backdrop, nearness = study.place(is_emptied=self._is_in_the_way(study, shot, part))
        framed = framed_of([self._studies[one].rgb for one in part.framed], duration_s=canvas.duration_s)
        return Photographs(
            likenesses=likenesses,
            things=things,
            framed=framed,
            backdrop=backdrop,
            nearness=nearness,
            riding={
                index: subject.rides
                for index, subject in enumerate(shot.subjects)
                if index in likenesses and subject.rides is not None
            },
        )

    def _is_in_the_way(self, study: Study, shot: Shot, part: Part) -> bool:
        """Whether what a picture of a place shows as well is to go: people, and who is seen in the scene already."""
        if not shot.subjects or not study.cut.works:
            return False
        is_seen = any(study.number in views for views in part.subjects.values())
        return is_seen or study.is_person


def framed_of(pictures: Sequence[Picture], *, duration_s: float) -> tuple[Framed, ...]:
    """Share pictures that are shown whole out over a shot, so that each can be looked at."""
    if not pictures:
        return ()
    groups = min(-(-len(pictures) // _TOGETHER), max(int(duration_s / _LEAST_SEEN_S), 1))
    ends = [round(len(pictures) * (number + 1) / groups) for number in range(groups)]
    framed: list[Framed] = []
    for number, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        framed += [
            Framed(rgb=picture, start=number / groups, end=(number + 1) / groups, place=place, of=end - start)
            for place, picture in enumerate(pictures[start:end])
        ]
    return tuple(framed)


class Slides:
    """Pictures that fill the frame one after the other, each a scene in depth; the next one comes in softly."""

    def __init__(self, pictures: Sequence[Path], shot: Shot, canvas: Canvas, *, said: Sequence[Spoken]) -> None:
        self._canvas = canvas
        count = min(len(pictures), canvas.num_frames)
        self._paths = tuple(pictures[:count])
        self._starts = [round(canvas.num_frames * number / count) for number in range(count + 1)]
        self._shot, self._said = shot, said
        rng = np.random.default_rng([abs(canvas.seed), 12])
        self._phases = tuple(float(value) for value in rng.uniform(0, 2 * np.pi, _PHASES))
        self._rgba: Bitmap = np.full((canvas.height_px, canvas.width_px, 4), 255, dtype=np.uint8)
        # Two are seen at once while one becomes the other.
        self._slide = lru_cache(maxsize=2)(self._opened)

    def _opened(self, number: int) -> Callable[[int], Picture]:
        """Return what draws the frames of one picture: a scene in depth, or a page if it does not fill the frame."""
        canvas, shot = self._canvas, self._shot
        size = {"width_px": canvas.width_px, "height_px": canvas.height_px}
        picture = page([self._paths[number]], **size)
        num_frames = self._starts[number + 1] - self._starts[number]
        if not fills(read_image(self._paths[number]), **size):
            last = max(1, num_frames - 1)

            def moved(index: int) -> Picture:
                beat = Beat(eased=eased(index / last), time_s=index / canvas.fps, phases=self._phases)
                return aimed(picture, MOVES[CameraMove.STATIC](beat))

            return moved
        move = shot.camera
        if len(self._paths) > 1 and move is CameraMove.STATIC:
            # Pictures that follow each other are not all looked at in one way.
            move = CameraMove.PUSH_IN if number % 2 == 0 else CameraMove.TRACK
        flight = FLIGHTS[move]
        film = Parallax(
            picture,
            Stretch(
                num_frames=num_frames,
                fps=canvas.fps,
                flight=flight,
                phases=self._phases,
                action=shot.subjects[0].action if shot.subjects else Action.IDLE,
                spoken=self._said if len(self._paths) == 1 else (),
            ),
        )
        return film.picture

    def paint(self, index: int) -> Bitmap:
        """Draw a frame, as `film.Painter` says."""
        number = max(place for place, start in enumerate(self._starts[:-1]) if start <= index)
        own = index - self._starts[number]
        length = self._starts[number + 1] - self._starts[number]
        seen = self._slide(number)(own)
        turn = min(round(_TURN_S * self._canvas.fps), length // 2)
        if number and own < turn:
            before = self._slide(number - 1)(self._starts[number] - self._starts[number - 1] - 1)
            way = eased((own + 1) / (turn + 1))
            seen = np.asarray(cv2.addWeighted(before, 1 - way, seen, way, 0), dtype=np.uint8)
        cv2.cvtColor(seen, cv2.COLOR_RGB2RGBA, dst=self._rgba)
        return self._rgba

    def close(self) -> None:
        """Nothing is open."""
