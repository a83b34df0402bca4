"""The installed voices: real words in the line's language, by distinct voices, and what is owned up to."""

import numpy as np
import pytest

from understudy.engines.previz.plan import Line
from understudy.engines.previz.sound import espeak, kokoro
from understudy.engines.previz.sound.cast import Voice, cast_voices
from understudy.engines.previz.sound.kana import kana_of
from understudy.engines.previz.sound.reading import language_of_line
from understudy.engines.previz.sound.signals import VOICE_RATE_HZ
from understudy.engines.previz.sound.voices import saying_of
from unit.previz.listening import pitch_hz

LINES = {
    "zh": "你好，欢迎来到港口！",
    "ja": "今日はいい天気ですね。",
    "es": "Hola amigos, ¿dónde está la biblioteca?",
    "pt": "Olá, meus amigos, onde fica a biblioteca?",
    "id": "Halo teman-teman, di mana perpustakaannya?",
    "ko": "안녕하세요, 반갑습니다.",
    "fr": "Bonjour mes amis, comment allez-vous ?",
    "ar": "مرحبا يا صديقي العزيز",
}


def languages(*in_full: str) -> list[object]:
    """The languages of natural voices; those that are not named are for the longest form of the tests."""
    return [
        pytest.param(one, marks=pytest.mark.full if one in in_full else pytest.mark.long)
        for one in ("zh", "ja", "es", "pt")
    ]


def voice_of(kind: str, number: int = 0) -> Voice:
    lines = [Line(text="x", speaker=speaker, voice=kind) for speaker in range(number + 1)]
    return cast_voices(lines)[-1]


def said(text: str, language: str, voice: Voice, **changes: float):
    return saying_of(text, language, is_plain=True).in_voice(voice, **({"pace": 1.0, "seed": 1} | changes))


@pytest.mark.parametrize(
    ("text", "language", "note"),
    [
        ("Hello there, my friend.", "en", ""),
        (LINES["zh"], "zh", 'is said in Chinese by a plain synthetic voice; the extra "voices" has a natural one'),
        (LINES["zh"], "en", 'is said in Chinese by a plain synthetic voice; the extra "voices" has a natural one'),
        (LINES["ja"], "ja", 'is said in Japanese by a plain synthetic voice; the extra "voices" has a natural one'),
        (LINES["ko"], "ko", "is said in Korean by a plain synthetic voice"),
        (LINES["id"], "id", "is said in Indonesian by a plain synthetic voice"),
        (LINES["ar"], "ar", "is said in Arabic by a plain synthetic voice"),
        ("Qapla' wo' batlh", "qq", "is read as if it were English: no qq voice is installed"),
        ("ꦱꦸꦒꦼꦁ ꦫꦮꦸꦃ ꦏꦚ꧀ꦕ", "jv", "is voiced as a murmur: no jv voice is installed"),
    ],
)
def test_a_line_owns_up_to_a_voice_that_is_less_than_expected(text, language, note):
    assert saying_of(text, language, is_plain=True).note == note


@pytest.mark.parametrize("language", LINES)
def test_a_line_is_said_in_its_language_with_equal_bytes(language):
    first = said(LINES[language], language, voice_of("female"))
    # Another line between the two would change the second one if the library kept its state.
    said("Buenos días.", "es", voice_of("male"))
    second = said(LINES[language], language, voice_of("female"))
    assert first.size > VOICE_RATE_HZ
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("language", ["zh", "ja", "es", "pt", "id"])
def test_a_man_speaks_lower_and_a_child_higher_than_a_woman(language):
    low, middle, high = (
        pitch_hz(said(LINES[language], language, voice_of(kind)), VOICE_RATE_HZ) for kind in ("male", "female", "child")
    )
    assert 60 < low < 0.75 * middle
    assert middle < 0.9 * high < 500


@pytest.mark.parametrize("kind", ["female", "male", "child"])
def test_two_of_a_kind_sound_different(kind):
    first, second = (said(LINES["es"], "es", voice_of(kind, number)) for number in (0, 1))
    size = min(first.size, second.size)
    assert float(np.abs(first[:size] - second[:size]).max()) > 0.1


def test_a_faster_pace_makes_a_line_shorter():
    usual, fast = (said(LINES["es"], "es", voice_of("female"), pace=pace) for pace in (1.0, 1.35))
    assert 0.65 < fast.size / usual.size < 0.85


def test_six_languages_of_the_contract_and_many_more_can_be_said():
    assert all(espeak.can_say(language) for language in ("en", "zh", "ja", "es", "pt", "id", "ko", "ru", "hi", "sw"))
    assert len(espeak.languages()) > 100
    assert not espeak.can_say("qq")


@pytest.mark.parametrize("text", ["", "🎉🎉", "\x00", "\ud800", "<speak>", "[[h@]]", "a" * 9000, "%s%n", "\u202e"])
def test_odd_texts_do_not_break_the_library(text):
    assert said(text, "es", voice_of("female")).dtype == np.float32


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Hello", "en", "en"),
        ("你好", "en", "zh"),
        ("你好", "ja", "ja"),
        ("こんにちは", "zh", "ja"),
        ("OK!", "zh", "en"),
        ("Привет", "en", "ru"),
        ("Привіт", "uk", "uk"),
        ("123", "es", "es"),
        ("!?", "en", ""),
        ("नमस्ते", "hi", "hi"),
    ],
)
def test_the_letters_decide_where_they_contradict_the_language(text, language, expected):
    assert language_of_line(text, language) == expected


@pytest.mark.parametrize(
    ("text", "kana"),
    [
        ("今日はとてもいい天気ですね。", "キョーワトテモイイテンキデスネ。"),
        ("一緒に海へ行きましょう。", "イッショニウミエイキマショウ。"),
        ("嵐が来ますよ", "アラシガキマスヨ"),
        ("大丈夫、心配しないで。", "ダイジョーブ、シンパイシナイデ。"),
        ("猫が屋根の上で眠っている。", "ネコガヤネノウエデネムッテイル。"),
        ("ロボットとcatだ", "ロボットトcatダ"),
        ("Hello", "Hello"),
        ("", ""),
    ],
)
def test_japanese_is_read_in_kana(text, kana):
    assert kana_of(text) == kana


def test_a_long_japanese_line_is_read_and_a_kanji_without_a_word_stays():
    assert len(kana_of("今日はいい天気ですね" * 200)) > 1000
    assert kana_of("𠀋") == "𠀋"


@pytest.mark.parametrize(
    ("text", "language", "phonemes"),
    [
        ("こんにちは。", "ja", ("koɴɲiʨiβa.",)),
        ("東京へ行こう！", "ja", ("toːkʲoːeikoɯ!",)),
        ("Hola, amigo.", "es", ("ˈola, amˈiɣo.",)),
    ],
)
def test_lines_are_read_into_the_phonemes_of_the_natural_voices(text, language, phonemes):
    assert kokoro.phonemes_of(text, language) == phonemes


def test_every_natural_voice_is_vendored_and_of_every_language_a_woman_can_speak():
    assert kokoro._rows().shape == (len(kokoro.voice_names()), len(kokoro.VOICE_LENGTHS), kokoro.VOICE_WIDTH)
    for language in ("zh", "ja", "es", "pt", "fr", "it", "hi"):
        assert kokoro._casting(language, voice_of("female"))[0] != kokoro._casting(language, voice_of("male"))


# Each natural language is read back in `test_sound_transcript.py`.
@pytest.mark.parametrize("language", languages("zh", "es"))
def test_a_natural_voice_says_a_line_with_equal_bytes_and_without_a_note(language):
    saying = saying_of(LINES[language], language)
    assert saying.note == ""
    first, second = (saying.in_voice(voice_of("female"), pace=1.0, seed=1) for _ in range(2))
    assert first.size > VOICE_RATE_HZ
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("language", languages("ja", "pt"))
def test_natural_men_speak_lower_and_children_higher_than_women(language):
    saying = saying_of(LINES[language], language)
    low, middle, high = (
        pitch_hz(saying.in_voice(voice_of(kind), pace=1.0, seed=1), VOICE_RATE_HZ)
        for kind in ("male", "female", "child")
    )
    assert low < 0.85 * middle
    assert middle < 0.95 * high
