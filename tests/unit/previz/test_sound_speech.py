"""Speech: who says what, when and how loud, and what the engine owns up to when it cannot say it."""

from itertools import pairwise

import numpy as np
import pytest

from understudy.engines.previz.plan import Line, SettingKind, Weather
from understudy.engines.previz.sound import compose_sound
from understudy.engines.previz.sound.cast import cast_voices
from understudy.engines.previz.sound.cues import Scene, moments_s
from understudy.engines.previz.sound.dialogue import MAX_PACE, speak_lines
from understudy.engines.previz.sound.english import phonemes_of, synthesise
from understudy.engines.previz.sound.mix import SPEECH_ABOVE_BED_DB, ducking
from understudy.engines.previz.sound.signals import VOICE_RATE_HZ, Span, band, noise, random_for, rms
from understudy.engines.previz.speech_timing import ENVELOPE_RATE_HZ, Spoken
from unit.previz.listening import (
    SPEECH_BAND_HZ,
    envelope,
    modulation_share,
    mono,
    pitch_hz,
    plan_of,
    throat_ratio,
)

RATE_HZ = 24_000
TEXT = "Hello, welcome to the harbor! The storm is coming."


def track_of(*lines: Line, **changes: object):
    return compose_sound(plan_of(lines=lines, **changes), sample_rate_hz=RATE_HZ, channels=2, seed=5)


def voice_of(voice: str, text: str = TEXT):
    (cast,) = cast_voices([Line(text=text, speaker=0, voice=voice)])
    return synthesise(phonemes_of(text), cast, seed=1)


def test_a_film_without_lines_has_no_speech():
    assert track_of().spoken == ()


def test_a_quoted_line_has_the_rhythm_of_syllables_in_its_window_and_not_before_it():
    track = track_of(Line(text=TEXT, speaker=0), setting=SettingKind.STUDIO)
    (spoken,) = track.spoken
    level = envelope(track.samples, RATE_HZ, SPEECH_BAND_HZ)
    window = slice(round(spoken.start_s * 50), round(spoken.end_s * 50))
    assert modulation_share(level[window], 50, 2, 9) > 0.1
    assert level[window].mean() > 5 * level[3 : round(spoken.start_s * 50) - 3].mean()


def test_the_envelope_follows_the_voice_that_is_heard():
    track = track_of(Line(text=TEXT, speaker=0), setting=SettingKind.MEADOW)
    (spoken,) = track.spoken
    start, stop = round(spoken.start_s * RATE_HZ), round(spoken.end_s * RATE_HZ)
    said = mono(track.samples)[start:stop]
    step = RATE_HZ // ENVELOPE_RATE_HZ
    count = min(len(spoken.envelope), said.size // step)
    heard = np.sqrt((said[: count * step].reshape(count, step) ** 2).mean(axis=1))
    assert float(np.corrcoef(heard, spoken.envelope[:count])[0, 1]) > 0.9
    # The same envelope a third of a second off is a stranger: the match is in time, not in shape.
    assert float(np.corrcoef(heard[8:], spoken.envelope[: count - 8])[0, 1]) < 0.6


def test_an_envelope_has_24_values_a_second_between_0_and_1():
    (spoken,) = track_of(Line(text=TEXT, speaker=0)).spoken
    assert len(spoken.envelope) == pytest.approx((spoken.end_s - spoken.start_s) * ENVELOPE_RATE_HZ, abs=1)
    assert min(spoken.envelope) >= 0
    assert max(spoken.envelope) == 1


def test_a_man_speaks_lower_and_a_child_higher_than_a_woman():
    pitches = [pitch_hz(voice_of(voice), VOICE_RATE_HZ) for voice in ("male", "female", "child")]
    assert 80 < pitches[0] < 0.7 * pitches[1] < pitches[1] < 0.85 * pitches[2] < 330


def test_a_man_has_a_longer_throat_and_a_child_a_shorter_one():
    woman = voice_of("female")
    assert throat_ratio(voice_of("male"), woman, VOICE_RATE_HZ) == pytest.approx(0.87, abs=0.04)
    assert throat_ratio(voice_of("child"), woman, VOICE_RATE_HZ) == pytest.approx(1.15, abs=0.06)


def test_a_changed_voice_says_the_words_at_the_same_pace():
    assert voice_of("male").size == pytest.approx(voice_of("female").size, rel=0.03)


def test_two_speakers_have_two_voices_and_each_keeps_its_own():
    lines = [Line(text="One.", speaker=0), Line(text="Two.", speaker=1), Line(text="Three.", speaker=0)]
    first, second, third = cast_voices(lines)
    assert first != second
    assert first == third


def test_equal_lines_are_said_with_equal_bytes():
    assert voice_of("child").tobytes() == voice_of("child").tobytes()


def test_lines_follow_each_other_with_pauses_inside_the_film():
    lines = (Line(text="Who are you?", speaker=0), Line(text="I am the captain.", speaker=1), Line(text="Come in."))
    spoken = track_of(*lines, duration_s=8).spoken
    assert [one.line for one in spoken] == [0, 1, 2]
    assert spoken[0].start_s > 0.1
    assert all(after.start_s - before.end_s > 0.15 for before, after in pairwise(spoken))
    assert spoken[-1].end_s < 8


def test_a_line_that_is_a_little_too_long_is_said_faster_and_whole():
    text = "Good evening, my dear friends, and welcome to the show that never really wants to end, tonight."
    slow = track_of(Line(text=text), duration_s=10).spoken[0]
    track = track_of(Line(text=text), duration_s=5)
    assert slow.end_s - slow.start_s > 4.7
    assert track.spoken[0].end_s <= 5
    assert any("times as fast" in note for note in track.notes)
    assert not any("faded out" in note for note in track.notes)


def test_a_line_that_is_far_too_long_fades_out_with_the_film_and_says_so():
    track = track_of(Line(text="We walked along the river and talked of many things. " * 8), duration_s=4)
    assert track.spoken[0].end_s <= 4
    assert any("faded out" in note for note in track.notes)
    assert any(f"{MAX_PACE:.2f} times as fast" in note for note in track.notes)


def test_a_line_after_the_end_of_the_film_is_reported_as_not_heard():
    long = Line(text="We walked along the river and talked of many things until it was dark. " * 2)
    track = track_of(long, Line(text="And then?"), duration_s=4)
    assert [one.line for one in track.spoken] == [0]
    assert any("line 2 is not heard" in note for note in track.notes)


def test_a_novel_in_quotes_is_cut_before_it_is_read():
    track = track_of(Line(text="word " * 20_000), duration_s=4)
    assert any("longer than the film" in note for note in track.notes)


@pytest.mark.parametrize("text", ["", "   ", "!?…", "🎉🎉", "\x00", "\ud800", "[](/x/)", "々", "½", "١٢٣", "ᄀ"])
def test_a_line_of_odd_characters_never_breaks_a_film(text):
    track = track_of(Line(text=text))
    assert track.samples.shape == (5 * RATE_HZ, 2)
    assert len(track.spoken) + len(track.notes) >= 1


@pytest.mark.parametrize("text", ["", "!?…", "🎉🎉"])
def test_a_line_without_words_is_left_out_with_a_note(text):
    track = track_of(Line(text=text))
    assert track.spoken == ()
    assert track.notes == ("line 1 has no words to say",)


def test_speech_stands_above_everything_else_while_it_lasts():
    plan = plan_of(lines=(Line(text=TEXT, speaker=0),), weather=Weather.STORM)
    span = Span(num_samples=5 * RATE_HZ, sample_rate_hz=RATE_HZ)
    dialogue = speak_lines(plan, span, seed=1)
    speech = dialogue.stem / np.float32(rms(dialogue.stem)) * np.float32(0.1)
    bed = noise(span, random_for(1, "bed"), response=band(60, 9000)) * np.float32(0.2)
    gain = ducking(bed, speech, span, spoken=dialogue.spoken)
    (spoken,) = dialogue.spoken
    window = slice(span.index(spoken.start_s), span.index(spoken.end_s))
    above_db = 20 * np.log10(rms(speech[:, window]) / rms((bed * gain)[:, window]))
    before_db = 20 * np.log10(rms(speech[:, window]) / rms(bed[:, window]))
    assert before_db < 0
    assert above_db >= 9
    assert above_db == pytest.approx(SPEECH_ABOVE_BED_DB, abs=4)


def test_the_bed_comes_back_when_nobody_speaks():
    plan = plan_of(lines=(Line(text="Stop.", speaker=0),))
    span = Span(num_samples=5 * RATE_HZ, sample_rate_hz=RATE_HZ)
    dialogue = speak_lines(plan, span, seed=1)
    bed = noise(span, random_for(1, "bed"), response=band(60, 9000))
    gain = ducking(bed, dialogue.stem, span, spoken=dialogue.spoken)
    assert gain[-RATE_HZ // 2 :].min() > 0.99
    assert gain.min() < 0.5


def scene_with_speech(*windows_s: tuple[float, float]) -> Scene:
    spoken = tuple(
        Spoken(line=index, start_s=start_s, end_s=end_s, envelope=(1.0,))
        for index, (start_s, end_s) in enumerate(windows_s)
    )
    span = Span(num_samples=10 * RATE_HZ, sample_rate_hz=RATE_HZ)
    return Scene(shot=plan_of(duration_s=10).main, span=span, spoken=spoken, seed=1)


@pytest.mark.parametrize("seed", range(8))
def test_a_named_sound_waits_for_the_speaker_to_pause(seed):
    windows_s = ((0.2, 2.5), (4.0, 7.5))
    scene = scene_with_speech(*windows_s)
    starts_s = moments_s(scene, length_s=0.8, every_s=1.9, rng=random_for(seed, "bell"))
    assert starts_s
    assert not any(first <= start <= last for start in starts_s for first, last in windows_s)


def test_a_named_sound_is_heard_even_when_somebody_always_speaks():
    starts_s = moments_s(scene_with_speech((0.1, 9.9)), length_s=0.8, every_s=1.9, rng=random_for(1, "bell"))
    assert len(starts_s) == 1
