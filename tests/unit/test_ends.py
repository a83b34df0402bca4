"""What is left of the frames that were made: the ends that were given are the film's."""

import numpy as np
import pytest

from understudy.engines.diffusion.ends import with_its_ends
from understudy.engines.diffusion.order import Made, Sound, Workflow
from understudy.media.retime import retimed

RATE_HZ = 32_000


def made(count: int, fps: float = 24, *, with_sound: bool = True) -> Made:
    """Frames that say their number, and a tone that rises from the first to the last."""
    frames = np.zeros((count, 4, 4, 3), dtype=np.uint8) + np.arange(count, dtype=np.uint8)[:, None, None, None]
    times = np.arange(int(count / fps * RATE_HZ)) / RATE_HZ
    tone = np.sin(2 * np.pi * 440 * times).astype(np.float32) * 0.5
    sound = Sound(samples=np.stack([tone, tone]), sample_rate_hz=RATE_HZ) if with_sound else None
    return Made(frames=frames, fps=fps, sound=sound)


def ended(workflow: Workflow, given: Made, num_frames: int, *, is_forward: bool = True) -> Made:
    return with_its_ends(given, workflow, is_forward=is_forward, num_frames=num_frames, fps=24)


def numbers(given: Made, num_frames: int) -> list[int]:
    """The numbers of the film's frames, as far as they are those of frames that were made."""
    seen = retimed(iter(given.frames), fps=given.fps, wanted_fps=24, num_frames=num_frames)
    return [int(picture.mean()) for picture in seen]


@pytest.mark.parametrize("workflow", [Workflow.TEXT, Workflow.FIRST_FRAME, Workflow.REFERENCES, Workflow.EDIT])
def test_a_film_that_begins_as_it_was_to_is_cut_at_its_end(workflow: Workflow) -> None:
    given = made(124)
    assert ended(workflow, given, 120) is given


def test_a_film_to_a_last_frame_is_cut_at_its_beginning() -> None:
    film = ended(Workflow.LAST_FRAME, made(124), 120)
    assert (film.frames[0].mean(), film.frames[-1].mean(), len(film.frames)) == (4, 123, 120)
    assert film.sound is not None
    assert abs(film.sound.samples.shape[1] - 120 / 24 * RATE_HZ) <= 1


def test_what_leads_to_a_video_is_cut_at_its_beginning_and_what_follows_at_its_end() -> None:
    backward = ended(Workflow.EXTEND, made(124), 120, is_forward=False)
    assert numbers(backward, 120)[-1] == 123
    assert numbers(ended(Workflow.EXTEND, made(124), 120), 120)[0] == 0


def test_one_frame_too_many_between_two_ends_is_left_out() -> None:
    film = ended(Workflow.FIRST_LAST_FRAME, made(121), 120)
    seen = numbers(film, 120)
    assert (seen[0], seen[-1], len(seen), film.notes) == (0, 120, 120, ())
    assert max(np.diff(seen)) == 2


@pytest.mark.parametrize("workflow", [Workflow.FIRST_LAST_FRAME, Workflow.JOIN])
def test_a_longer_film_between_two_ends_is_sped_up_with_its_sound(workflow: Workflow) -> None:
    film = ended(workflow, made(107), 96)
    assert (len(film.frames) - 1) / film.fps == pytest.approx(95 / 24)
    assert film.sound is not None
    faster = film.fps / 24
    assert film.sound.samples.shape[1] / RATE_HZ == pytest.approx(107 / 24 / faster, abs=0.02)
    assert "12% longer" in film.notes[0]


def test_a_faster_sound_keeps_its_pitch() -> None:
    film = ended(Workflow.FIRST_LAST_FRAME, made(107), 96)
    assert film.sound is not None
    middle = film.sound.samples[0, RATE_HZ : 3 * RATE_HZ]
    loudest = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))).argmax() * RATE_HZ / len(middle)
    assert loudest == pytest.approx(440, abs=3)


def test_at_another_rate_both_ends_are_seen() -> None:
    film = ended(Workflow.FIRST_LAST_FRAME, made(81, 16, with_sound=False), 120)
    assert (len(film.frames) - 1) / film.fps == pytest.approx(119 / 24)
