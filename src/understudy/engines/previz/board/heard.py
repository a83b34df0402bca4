"""The sound of given media: of videos where they are seen, of audio as `audio_uses` lays it out, beside the dialogue.

What was given takes the place of what previz would make up: a video's sound or a sound that of ambience and music, a
piece of music that of music, a voice that of its lines. Where a video is extended, its
sound goes on; where one becomes the next, so do their sounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from understudy.core.render import RenderJob
from understudy.engines.previz.board.audio_uses import lay_out
from understudy.engines.previz.board.given import Cut, Given, bridges_of, cuts_of
from understudy.engines.previz.board.lasting import carried_on, led_to
from understudy.engines.previz.plan import FilmPlan
from understudy.engines.previz.sound import MUSIC_BEHIND_SPEECH_LU, Soundtrack, compose_bed
from understudy.engines.previz.sound.dialogue import speak_lines
from understudy.engines.previz.sound.loudness import integrated_lufs
from understudy.engines.previz.sound.mix import FOREGROUND_LUFS, mix
from understudy.engines.previz.sound.rooms import room_of, with_room
from understudy.engines.previz.sound.signals import Span, Stereo, db, random_for
from understudy.media.decode_sound import Samples, read_sound

_STEREO = 2
_LIFTED_MOST_DB = 20.0
"""What is quieter than this below a voice was meant to be quiet, or is noise: it is not brought up any further."""

_VIDEO_BEHIND_AUDIO_LU = 6.0
"""Audio that was given beside a video with sound is what is to be heard; the video's own sound is around it."""

_JOINT_S = 0.01
_COMES_S = 0.8
"""So slowly sound that is carried on beyond its video comes, or goes, at the most."""


def compose_given(
    given: Given, plan: FilmPlan, job: RenderJob, *, sample_rate_hz: int, num_frames: int
) -> Soundtrack | None:
    """Mix the sound of the media and the plan's lines; None where nothing that was given can be heard.

    Raises: Unreadable.
    """
    rate_hz, fps = sample_rate_hz, job.fps
    span = Span(num_samples=num_frames * rate_hz // fps, sample_rate_hz=rate_hz)
    videos = [read_sound(video.path, rate_hz, _STEREO) for video in given.videos]
    read = ((number, read_sound(path, rate_hz, _STEREO)) for number, path in enumerate(given.sounds, start=1))
    sounds = {number: heard for number, heard in read if heard is not None}
    if not sounds and all(heard is None for heard in videos):
        return None
    bed = span.silence()
    cuts = cuts_of(given, num_frames=num_frames, fps=fps)
    for number, cut in enumerate(cuts):
        heard = videos[cut.video]
        if heard is not None:
            _place_cut(
                bed,
                heard,
                cut,
                around=_Around(
                    rate_hz=rate_hz,
                    fps=fps,
                    seed=job.seed,
                    before=_over(given, cuts, number - 1, fps=fps) or (cut.starts_at if given.is_backward else 0),
                    after=_over(given, cuts, number, fps=fps)
                    or (num_frames - cut.starts_at - cut.num_frames if given.is_extension and cut is cuts[-1] else 0),
                ),
            )
    uses = lay_out(sounds, plan, span)
    dialogue = speak_lines(uses.plan, span, seed=job.seed, voices=uses.voices)
    behind_lu = _VIDEO_BEHIND_AUDIO_LU if uses.has_bed else 0.0
    music_behind_lu = MUSIC_BEHIND_SPEECH_LU if dialogue.spoken else 0.0
    bed = _levelled(bed, span, FOREGROUND_LUFS - behind_lu) + _levelled(uses.sounds, span, FOREGROUND_LUFS)
    bed += _levelled(uses.music, span, FOREGROUND_LUFS - music_behind_lu)
    if all(heard is None for heard in videos) and not np.any(uses.sounds):
        # Where a voice or music is all that was given, the place still sounds as it does, and nothing else plays.
        bed += compose_bed(plan, span, spoken=dialogue.spoken, seed=job.seed, has_music=not np.any(uses.music))
    # A recording brings its own room.
    room = room_of(plan.main.setting)
    stem = dialogue.stem if uses.voices else with_room(dialogue.stem, span, room)
    speech = _levelled(stem, span, FOREGROUND_LUFS)
    loudness = integrated_lufs(bed + speech, rate_hz)
    target_lufs = min(FOREGROUND_LUFS, loudness) if np.isfinite(loudness) else FOREGROUND_LUFS
    mixed = mix(bed, speech, span, spoken=dialogue.spoken, channels=job.audio_channels, target_lufs=target_lufs)
    return Soundtrack(
        samples=np.ascontiguousarray(mixed.samples.T, dtype=np.float32),
        sample_rate_hz=rate_hz,
        spoken=dialogue.spoken,
        notes=(*uses.notes, *dialogue.notes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
    """What a cut's sound is put into. before, after: the frames for which it is heard before and after it is seen."""

    rate_hz: int
    fps: int
    seed: int
    before: int = 0
    after: int = 0


def _over(given: Given, cuts: Sequence[Cut], number: int, *, fps: int) -> int:
    """The frames around the end of a cut in which its sound becomes the next one's, counted to one side; 0 = none."""
    if not 0 <= number < len(cuts) - 1:
        return 0
    bridges = bridges_of(cuts[number : number + 2], given.join, fps=fps)
    return bridges[0].num_frames // 2 if bridges else 0


def _place_cut(bed: Stereo, heard: Samples, cut: Cut, *, around: _Around) -> None:
    """Put a cut's sound where it is seen, carried on before and after; there it comes and goes slowly."""
    rate_hz, fps = around.rate_hz, around.fps
    begins, count = cut.begins_with * rate_hz // fps, cut.num_frames * rate_hz // fps
    own = np.ascontiguousarray(heard[begins : begins + count].T)
    before, after = around.before * rate_hz // fps, around.after * rate_hz // fps
    rng = random_for(around.seed, f"carried on {cut.video}")
    parts = [
        led_to(own, before, sample_rate_hz=rate_hz, rng=rng),
        own,
        # A video's sound may end a little before its pictures do.
        carried_on(own, after + count - own.shape[1] if after else 0, sample_rate_hz=rate_hz, rng=rng),
    ]
    for part, length in ((parts[0], before), (parts[2][:, ::-1], after)):
        fade = min(length, part.shape[1], round(_COMES_S * rate_hz))
        part[:, :fade] *= np.sin(np.linspace(0, np.pi / 2, fade, endpoint=False, dtype=np.float32))
    whole = np.concatenate(parts, axis=1)
    _place(bed, whole.T, at=cut.starts_at * rate_hz // fps - before, rate_hz=rate_hz)


def _place(stem: Stereo, heard: Samples, *, at: int, rate_hz: int) -> int:
    """Put samples into the stem, as far as it reaches, without clicks at their ends; return where they end."""
    part = heard[: max(0, stem.shape[1] - at)].T.copy()
    count = part.shape[1]
    fade = min(count // 2, round(_JOINT_S * rate_hz))
    ramp = np.linspace(0.0, 1.0, fade, endpoint=False, dtype=np.float32)
    part[:, :fade] *= ramp
    part[:, count - fade :] *= ramp[::-1]
    stem[:, at : at + count] += part
    return at + int(count)


def _levelled(stem: Stereo, span: Span, level_lufs: float) -> Stereo:
    """Bring a stem to a loudness; silence stays silent, and what is very quiet stays quieter."""
    loudness = integrated_lufs(stem, span.sample_rate_hz)
    if not np.isfinite(loudness):
        return stem
    return np.asarray(stem * np.float32(db(min(level_lufs - loudness, _LIFTED_MOST_DB))), dtype=np.float32)
