"""What draws a film: given frames and videos, given images in the prompt's scenes, or the scenes alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from understudy.core.render import RenderJob
from understudy.engines.previz.board.camera_of import camera_path_of
from understudy.engines.previz.board.given import Given, as_told, given_in
from understudy.engines.previz.board.nearer import CLOSER
from understudy.engines.previz.board.nominated import with_nominated
from understudy.engines.previz.board.notes import CAMERA, notes_on
from understudy.engines.previz.board.painter import Board
from understudy.engines.previz.board.scene_of_images import ImageScenes
from understudy.engines.previz.board.weather_over import with_weather
from understudy.engines.previz.film import Film, Lettered, Painter
from understudy.engines.previz.lettering import Lettering
from understudy.engines.previz.pictures import Canvas, FilmPainter
from understudy.engines.previz.plan import Action, FilmPlan
from understudy.engines.previz.speech_timing import Spoken


def given_for(plan: FilmPlan, job: RenderJob) -> Given:
    """Sort the job's media by what the plan makes of them.

    Raises: TaskFailed for an item without a file.
    """
    return as_told(with_nominated(given_in(job), plan), plan)


Notes = Callable[[], tuple[str, ...]]
"""Says what became of the media that are seen, and what did not; asked when all frames are painted."""


def direct(plan: FilmPlan, given: Given, canvas: Canvas, *, spoken: Sequence[Spoken]) -> tuple[Painter, Notes]:
    """Open what draws the film.

    Raises: Unreadable.
    """
    painter, notes = _opened(plan, given, canvas, spoken=spoken)
    if any(shot.texts for shot in plan.shots):
        painter = Lettered(painter, Lettering(plan, canvas, spoken=spoken))
    return painter, notes


def _opened(plan: FilmPlan, given: Given, canvas: Canvas, *, spoken: Sequence[Spoken]) -> tuple[Painter, Notes]:
    if given.first and len(plan.shots) > 1:
        return _shots_from(plan, given, canvas, spoken=spoken)
    if given.first or given.last or given.videos:
        # A voice off screen moves nobody's mouth.
        seen = tuple(line for line in spoken if line.speaker is not None or not plan.main.subjects)
        action = plan.main.subjects[0].action if plan.main.subjects else Action.IDLE
        board = Board(given, canvas, plan.main.camera, action=action, spoken=seen, edits=plan.edits)
        notes = notes_on(given, num_frames=canvas.num_frames, fps=canvas.fps, is_edited=bool(plan.edits))
        if given.videos:
            return board, lambda: (*notes, *board.notes)
        return with_weather(board, plan.main, canvas, ends_as_given=bool(given.last)), lambda: notes
    path = camera_path_of(given.camera.path, canvas.fps) if given.camera is not None else None
    borrowed = () if path is None else (CAMERA,)
    if given.images:
        scenes = ImageScenes(plan, given.images, camera_path=path)
        return Film(scenes.shots, canvas, scenes.open_shot, spoken=spoken), lambda: (*scenes.notes, *borrowed)

    def open_shot(number: int, own: Canvas, said: Sequence[Spoken]) -> FilmPainter:
        return FilmPainter(plan.shots[number], own, speech=said, camera_path=path)

    return Film(plan.shots, canvas, open_shot, spoken=spoken), lambda: borrowed


def _shots_from(plan: FilmPlan, given: Given, canvas: Canvas, *, spoken: Sequence[Spoken]) -> tuple[Painter, Notes]:
    """Open a film whose first shot begins with a given frame: its scene goes on in the later shots, from nearer by.

    A shot that plays elsewhere is drawn. The last shot leads to the last frame, if there is one.
    """
    end = len(plan.shots) - 1
    scenes = ImageScenes(plan, given.images) if given.images else None

    def open_shot(number: int, own: Canvas, said: Sequence[Spoken]) -> Painter:
        shot = plan.shots[number]
        last = given.last if number == end else None
        is_elsewhere = shot.setting is not plan.main.setting or any(subject.images for subject in shot.subjects)
        if number and is_elsewhere and last is None:
            return FilmPainter(shot, own, speech=said) if scenes is None else scenes.open_shot(number, own, said)
        seen = tuple(line for line in said if line.speaker is not None or not shot.subjects)
        action = shot.subjects[0].action if shot.subjects else Action.IDLE
        view = replace(given, last=last, closer=CLOSER[shot.framing] if number else 1.0)
        board = Board(view, own, shot.camera, action=action, spoken=seen)
        return with_weather(board, shot, own, ends_as_given=last is not None)

    notes = notes_on(given, num_frames=canvas.num_frames, fps=canvas.fps)
    seen_notes = scenes.notes if scenes is not None else ()
    return Film(plan.shots, canvas, open_shot, spoken=spoken), lambda: (*notes, *seen_notes)
