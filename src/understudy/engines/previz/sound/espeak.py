"""The plain voices: eSpeak NG says real words in a hundred languages, by rules and formants.

The shared library and its data are in the wheel of ``espeakng-loader``; this module calls it by ctypes. The library
keeps the state of its oscillators between calls, so that a second line would differ from the same line said first; it
is therefore loaded anew for every line, which takes a few milliseconds, and let go of after it. Where a system never
unloads a library, a line is said as well, but no longer to the byte.
"""

import _ctypes
import ctypes
import functools
import re
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from understudy.engines.previz.sound.cast import Voice
from understudy.engines.previz.sound.signals import VOICE_RATE_HZ, Mono, resampled, trimmed

# From eSpeak NG's speak_lib.h, 1.52.
_SYNCHRONOUS, _NO_EXIT_ON_ERROR = 2, 0x8000
_UTF8 = 1
_IPA_TIED = 2 | 0x80 | (ord("^") << 8)
"""The phonetic alphabet, with a tie between the letters of one sound."""

_RATE, _PITCH, _RANGE = 1, 3, 4
_SLOWEST_WPM, _FASTEST_WPM = 80, 450

_WORDS_PER_MIN = 145
"""A little slower than eSpeak's own 175, which is the pace of a screen reader and not of an actor."""

_STYLES: dict[str, tuple[tuple[str, int, int], ...]] = {
    "female": (("f2", 50, 60), ("f5", 42, 60), ("steph", 52, 60), ("f3", 60, 65)),
    "male": (("m8", 42, 55), ("m2", 34, 50), ("m3", 48, 60), ("m5", 38, 50)),
    "zh male": (("m5", 40, 60), ("", 36, 70), ("m2", 44, 60)),
    "child": (("f5", 88, 75), ("f2", 80, 75), ("f4", 92, 80)),
}
"""Variant, pitch and range (eSpeak's, 0..99) of each kind of voice; chosen by how well a recogniser understood them."""

_SLOWER = {"zh": 0.82}
"""The pace of a language whose syllables run into each other at the usual one."""

_NAMES = {"zh": "cmn", "pt": "pt-br", "es": "es-419", "en": "en-us", "no": "nb", "tl": "fil"}
_LONGEST_TEXT = 4000

_SamplesTaker = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_one_at_a_time = threading.Lock()


@functools.cache
def _places() -> tuple[str, Path] | None:
    """Return where the library and its data are; None where the package is not installed for this machine."""
    try:
        import espeakng_loader
    except ImportError:
        return None
    library, data = Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path())
    return (str(library), data) if library.is_file() else None


@functools.cache
def languages() -> frozenset[str]:
    """Return the names of the voices that can be said, which are mostly BCP 47 tags in small letters."""
    places = _places()
    if places is None:
        return frozenset()
    names = set()
    for path in sorted((places[1] / "lang").rglob("*")):
        if path.is_file():
            named = re.search(r"^dictionary\s+(\w+)", path.read_text(encoding="utf-8", errors="replace"), re.M)
            words = named[1] if named else path.name.split("-")[0]
            # Of some languages the wheel has the sounds but not the words.
            if (places[1] / f"{words}_dict").is_file():
                names.add(path.name.lower())
    return frozenset(names)


def can_say(language: str) -> bool:
    """Tell whether a language, as a BCP 47 primary tag, can be said here."""
    return _NAMES.get(language, language) in languages()


def say(text: str, language: str, voice: Voice, *, pace: float = 1.0, seed: int = 0) -> Mono:
    """Say a text: mono float32 at ``VOICE_RATE_HZ``, trimmed; empty where there is nothing to say.

    language: one that `can_say` knows. pace: 1 = the voice's own.
    """
    styles = _STYLES.get(f"{language} {voice.kind}", _STYLES[voice.kind])
    variant, pitch, pitch_range = styles[voice.number % len(styles)]
    name = _NAMES.get(language, language) + (f"+{variant}" if variant else "")
    pieces: list[Mono] = []

    def take(samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: object) -> int:
        if samples and count > 0:
            pieces.append(np.ctypeslib.as_array(samples, shape=(count,)).astype(np.float32) / np.float32(32768))
        return 0

    with _library(seed) as (library, rate_hz):
        taker = _SamplesTaker(take)
        library.espeak_SetSynthCallback(taker)
        if library.espeak_SetVoiceByName(name.encode()) != 0:
            return np.zeros(0, np.float32)
        words_per_min = round(min(_FASTEST_WPM, max(_SLOWEST_WPM, _WORDS_PER_MIN * pace * _SLOWER.get(language, 1.0))))
        for parameter, value in ((_RATE, words_per_min), (_PITCH, pitch), (_RANGE, pitch_range)):
            library.espeak_SetParameter(parameter, value, 0)
        written = _sayable(text).encode() + b"\0"
        library.espeak_Synth(written, ctypes.c_size_t(len(written)), 0, 0, 0, _UTF8, None, None)
        library.espeak_Synchronize()
    if not pieces:
        return np.zeros(0, np.float32)
    return trimmed(resampled(np.concatenate(pieces), rate_hz, to_hz=VOICE_RATE_HZ), VOICE_RATE_HZ)


def phonemes_of(text: str, language: str) -> list[str]:
    """Read a text: the International Phonetic Alphabet, one string for each clause; "^" ties two letters to a sound."""
    clauses: list[str] = []
    with _library(0) as (library, _):
        if library.espeak_SetVoiceByName(_NAMES.get(language, language).encode()) != 0:
            return clauses
        library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        rest = ctypes.c_char_p(_sayable(text).encode())
        for _ in range(_LONGEST_TEXT):
            if not rest.value:
                break
            clause = library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA_TIED)
            if clause:
                clauses.append(re.sub(r"\([a-z-]+\)", "", clause.decode("utf-8", "ignore")))
    return clauses


@contextmanager
def _library(seed: int) -> Iterator[tuple[ctypes.CDLL, int]]:
    """Lend a library that has said nothing yet, and its sample rate."""
    places = _places()
    assert places is not None, "can_say was not asked"
    path, data = places
    with _one_at_a_time:
        library = ctypes.CDLL(path)
        try:
            rate_hz = library.espeak_Initialize(_SYNCHRONOUS, 0, str(data).encode(), _NO_EXIT_ON_ERROR)
            if rate_hz <= 0:
                raise OSError(f"eSpeak NG finds no data in {data}")
            library.espeak_ng_SetRandSeed(ctypes.c_long(seed % 2**31))
            yield library, rate_hz
            library.espeak_Terminate()
        finally:
            unload = getattr(_ctypes, "dlclose", None) or getattr(_ctypes, "FreeLibrary")  # noqa: B009
            unload(library._handle)


def _sayable(text: str) -> str:
    """Keep letters, marks, figures, punctuation and spaces: eSpeak would read the names of all other signs aloud."""
    kept = (letter if unicodedata.category(letter)[0] in "LMNPZ" else " " for letter in text[:_LONGEST_TEXT])
    return " ".join("".join(kept).split())
