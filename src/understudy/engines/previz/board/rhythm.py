"""Cuts on the beats of given music, where the prompt asks for them."""

import itertools
from dataclasses import replace

from understudy.core.content import Modality
from understudy.engines.previz.board.given import Given
from understudy.engines.previz.plan import CameraMove, FilmPlan, Framing, ReferenceUse, Shot
from understudy.engines.previz.sound.beats import beats_of, cut_times
from understudy.media.decode_sound import read_sound

_HEARD_RATE_HZ, _HEARD_CHANNELS = 24_000, 1
_SHOT_S = 1.3
"""About how long a view lasts where the prompt names one scene and asks for cuts."""

_SHOTS_MOST = 8
_FRAMINGS = (Framing.MEDIUM, Framing.CLOSE_UP, Framing.WIDE)
_MOVES = (CameraMove.PUSH_IN, CameraMove.STATIC, CameraMove.TRACK, CameraMove.PULL_OUT)


def cut_to_rhythm(plan: FilmPlan, given: Given) -> FilmPlan:
    """Move the plan's cuts onto the beats of the audio that it names for that; other plans stay as they are.

    A plan of one shot is cut into views of its scene. Time codes are the prompt's own, and win.

    Raises: Unreadable.
    """
    number = next(
        (one.number for one in plan.references if (one.modality, one.use) == (Modality.AUDIO, ReferenceUse.RHYTHM)), 0
    )
    if not 1 <= number <= len(given.sounds) or plan.has_time_codes:
        return plan
    heard = read_sound(given.sounds[number - 1], _HEARD_RATE_HZ, _HEARD_CHANNELS)
    beats_s = beats_of(heard, _HEARD_RATE_HZ) if heard is not None else ()
    if not beats_s:
        return plan
    shots = plan.shots if len(plan.shots) > 1 else _views_of(plan.main, plan.duration_s)
    edges_s = (0.0, *cut_times(beats_s, plan.duration_s, len(shots)), float(plan.duration_s))
    spans = itertools.pairwise(edges_s)
    cut = tuple(
        replace(shot, start_s=start_s, duration_s=end_s - start_s)
        for shot, (start_s, end_s) in zip(shots, spans, strict=True)
    )
    return replace(plan, shots=cut)


def _views_of(shot: Shot, duration_s: float) -> tuple[Shot, ...]:
    """Return one scene from several sides; its texts are read in the first of them."""
    count = min(max(2, round(duration_s / _SHOT_S)), _SHOTS_MOST)
    others = (
        replace(shot, framing=framing, camera=move, texts=())
        for framing, move in zip(itertools.cycle(_FRAMINGS[1:] + _FRAMINGS[:1]), itertools.cycle(_MOVES), strict=False)
    )
    return (shot, *itertools.islice(others, count - 1))
