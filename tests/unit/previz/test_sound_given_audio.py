"""Given audio is what the prompt says it is: a voice in its line's place, music under the film, or a sound in turn."""

import numpy as np
import pytest

from understudy.core.content import Modality
from understudy.engines.previz.board.audio_uses import lay_out
from understudy.engines.previz.plan import FilmPlan, Line, Reference, ReferenceUse, Shot, Subject
from understudy.engines.previz.sound.cast import cast_voices
from understudy.engines.previz.sound.dialogue import speak_lines
from understudy.engines.previz.sound.english import phonemes_of, synthesise
from understudy.engines.previz.sound.signals import VOICE_RATE_HZ, Span
from understudy.engines.previz.sound.speech_found import is_speech, speech_span, voice_kind

RATE_HZ = VOICE_RATE_HZ
SPAN = Span(num_samples=8 * RATE_HZ, sample_rate_hz=RATE_HZ)
SAYING = "Hello, welcome to the harbor! The storm is coming."


def recording(text: str = SAYING, voice: str = "female", *, silence_s: float = 0.0) -> np.ndarray:
    """Somebody speaks, with silence before and after: ``(num_samples, 2)``."""
    (cast,) = cast_voices([Line(text=text, speaker=0, voice=voice)])
    said = synthesise(phonemes_of(text), cast, seed=1)
    return np.repeat(np.pad(said, round(silence_s * RATE_HZ))[:, None], 2, axis=1)


def tone(seconds: float, hertz: float = 440.0) -> np.ndarray:
    wave = 0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)
    return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)


def knocks(seconds: float = 6.0) -> np.ndarray:
    samples = np.zeros(round(seconds * RATE_HZ), np.float32)
    for at_s in np.arange(0.2, seconds - 0.1, 0.5):
        samples[round(at_s * RATE_HZ) : round(at_s * RATE_HZ) + 600] = np.hanning(600) * np.sin(np.arange(600) * 0.3)
    return np.repeat(samples[:, None], 2, axis=1)


def film(*lines: Line, uses: tuple[Reference, ...] = ()) -> FilmPlan:
    """Two shots of four seconds."""
    otter, fox = Subject(art="otter", word="otter"), Subject(art="fox", word="fox")
    shots = (Shot(duration_s=4, subjects=(otter, fox)), Shot(duration_s=4, start_s=4, subjects=(fox,)))
    return FilmPlan(prompt="", shots=shots, lines=lines, ratio="16:9", duration_s=8, references=uses)


def use(number: int, what: ReferenceUse, *, shot: int = 0) -> Reference:
    return Reference(modality=Modality.AUDIO, number=number, use=what, shot=shot)


def levels(stem: np.ndarray, *windows_s: tuple[float, float]) -> list[float]:
    return [
        float(np.sqrt((stem[:, round(start * RATE_HZ) : round(end * RATE_HZ)] ** 2).mean())) for start, end in windows_s
    ]


def test_a_named_voice_says_its_line_in_its_shot_and_nobody_else_says_it():
    line = Line(text=SAYING, speaker=0, shot=1, audio=1)
    uses = lay_out({1: recording(silence_s=1.5)}, film(line, uses=(use(1, ReferenceUse.VOICE),)), SPAN)
    dialogue = speak_lines(uses.plan, SPAN, seed=1, voices=uses.voices)
    (spoken,) = dialogue.spoken
    assert (spoken.line, spoken.shot, spoken.speaker) == (0, 1, 0)
    assert 4 < spoken.start_s < spoken.end_s < 8
    # The silence around the recording is not part of the speech.
    assert spoken.end_s - spoken.start_s < 3.6
    before, during = levels(dialogue.stem, (0, 4), (spoken.start_s, spoken.end_s))
    assert before == 0
    assert during > 0.02


def test_the_envelope_of_a_given_voice_is_that_of_the_recording():
    line = Line(text=SAYING, speaker=0, audio=1)
    sound = recording()
    uses = lay_out({1: sound}, film(line, uses=(use(1, ReferenceUse.VOICE),)), SPAN)
    (spoken,) = speak_lines(uses.plan, SPAN, seed=1, voices=uses.voices).spoken
    own = uses.voices[0].sound.mean(axis=0)
    step = RATE_HZ // 24
    count = min(len(spoken.envelope), own.size // step)
    heard = np.sqrt((own[: count * step].reshape(count, step) ** 2).mean(axis=1))
    assert float(np.corrcoef(heard, spoken.envelope[:count])[0, 1]) > 0.99
    assert float(np.corrcoef(heard[8:], spoken.envelope[: count - 8])[0, 1]) < 0.6


def test_a_given_voice_and_a_line_take_turns():
    lines = (Line(text="Who are you?", speaker=1), Line(text=SAYING, speaker=0, audio=1))
    uses = lay_out({1: recording("I am the captain.")}, film(*lines, uses=(use(1, ReferenceUse.VOICE),)), SPAN)
    first, second = speak_lines(uses.plan, SPAN, seed=1, voices=uses.voices).spoken
    assert (first.line, second.line) == (0, 1)
    assert first.end_s < second.start_s


def test_a_voice_without_a_line_is_said_by_who_the_shot_is_about():
    uses = lay_out({1: recording()}, film(uses=(use(1, ReferenceUse.VOICE, shot=1),)), SPAN)
    (spoken,) = speak_lines(uses.plan, SPAN, seed=1, voices=uses.voices).spoken
    assert (spoken.line, spoken.shot, spoken.speaker) == (-1, 1, 0)
    assert spoken.start_s > 4


def test_a_recording_far_longer_than_its_line_is_a_sample_of_a_voice():
    line = Line(text="Come in.", speaker=0, audio=1)
    sample = recording(SAYING + " We walked along the river and talked of many things.", "male")
    uses = lay_out({1: sample}, film(line, uses=(use(1, ReferenceUse.VOICE),)), SPAN)
    assert uses.voices == ()
    assert uses.plan.lines[0].voice == "male"
    assert uses.notes == ("audio 1 is a sample of a voice: its lines are said by the nearest installed voice",)


def test_unnamed_speech_is_somebody_who_speaks_and_an_unnamed_tone_is_not():
    assert lay_out({1: recording()}, film(), SPAN).voices[0].speaker == 0
    uses = lay_out({1: tone(1.0)}, film(), SPAN)
    assert uses.voices == ()
    assert levels(uses.sounds, (0.1, 0.9))[0] > 0.1


@pytest.mark.parametrize("what", [ReferenceUse.MUSIC, ReferenceUse.RHYTHM])
def test_music_plays_to_the_end_of_the_film_and_goes_softly(what):
    music = lay_out({1: tone(3.0)}, film(uses=(use(1, what),)), SPAN).music
    one, two, three, end = levels(music, (0.5, 2.5), (3.5, 5.5), (6.2, 7.2), (7.95, 8))
    assert one == pytest.approx(two, rel=0.02)
    assert one == pytest.approx(three, rel=0.02)
    assert end < one / 5


def test_music_begins_with_the_shot_that_names_it():
    before, after = levels(
        lay_out({1: tone(3.0)}, film(uses=(use(1, ReferenceUse.MUSIC, shot=1),)), SPAN).music, (0, 3.9), (4.1, 7)
    )
    assert before == 0
    assert after > 0.1


def test_a_sound_is_heard_once_in_its_shot_and_two_follow_each_other():
    plan = film(uses=(use(1, ReferenceUse.SOUND, shot=1), use(2, ReferenceUse.SOUND, shot=1)))
    sounds = lay_out({1: tone(1.0), 2: tone(1.0, 880)}, plan, SPAN).sounds
    before, first, second, after = levels(sounds, (0, 3.9), (4.1, 4.9), (5.1, 5.9), (6.1, 8))
    assert (before, after) == (0, 0)
    assert min(first, second) > 0.1


@pytest.mark.parametrize("voice", ["female", "male", "child"])
def test_speech_is_known_as_speech_and_by_its_kind(voice):
    mono = recording(voice=voice)[:, 0]
    assert is_speech(mono, RATE_HZ)
    assert voice_kind(mono, RATE_HZ) == voice


@pytest.mark.parametrize(
    "sound",
    [
        tone(3.0)[:, 0],
        knocks()[:, 0],
        np.random.default_rng(1).standard_normal(4 * RATE_HZ).astype(np.float32) * 0.1,
        np.zeros(3 * RATE_HZ, np.float32),
        np.zeros(0, np.float32),
    ],
    ids=["a tone", "knocks", "noise", "silence", "nothing"],
)
def test_other_sounds_are_no_speech(sound):
    assert not is_speech(sound, RATE_HZ)


def test_the_silence_around_speech_is_found():
    first, last = speech_span(recording(silence_s=1.0)[:, 0], RATE_HZ)
    assert 0.85 < first / RATE_HZ < 1.1
    assert last < recording(silence_s=1.0).shape[0] - 0.75 * RATE_HZ
