"""The voices: which of the installed synthesizers says a line.

For each line the first that can say its language is taken: the English voice, natural voices of seven languages (the
extra ``voices``), the plain voices of eSpeak NG, and last the English voice that spells or murmurs. A saying tells
which it was where that is not what a viewer would expect.
"""

from collections.abc import Callable
from dataclasses import dataclass

from understudy.engines.previz.plan import Line
from understudy.engines.previz.sound import english, espeak, kokoro
from understudy.engines.previz.sound.cast import Voice, cast_voices
from understudy.engines.previz.sound.kana import kana_of
from understudy.engines.previz.sound.reading import Manner, Reading, language_name, language_of_line, read_line
from understudy.engines.previz.sound.signals import Mono


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """A line that was read. note: what a viewer should know of how it is said, after "line 1 (zh) "; or ""."""

    note: str
    _say: Callable[[Voice, float, int], Mono]

    def in_voice(self, voice: Voice, *, pace: float, seed: int) -> Mono:
        """Say it: mono float32 at ``VOICE_RATE_HZ``; the same bytes for the same arguments."""
        return self._say(voice, pace, seed)


def load_voice() -> None:
    """Load the English voice, its lexicons and the code paths once, so that the first line is as fast as the second."""
    (voice,) = cast_voices([Line(text="Ready.", voice="male")])
    saying_of("Ready.", "en").in_voice(voice, pace=1.0, seed=0)


def saying_of(text: str, language: str, *, is_plain: bool = False) -> Saying:
    """Read a line and choose what says it.

    language: BCP 47 tag; where the letters contradict it, the letters decide. is_plain: leave out the natural
    voices of the extra, as where it is not installed.
    """
    spoken = language_of_line(text, language)
    if not is_plain and kokoro.can_say(spoken):
        return _natural(text, spoken)
    if spoken not in ("", "en") and espeak.can_say(spoken):
        return _plain(text, spoken)
    return _english(read_line(text, language, read_english=english.phonemes_of))


def _natural(text: str, language: str) -> Saying:
    phrases = kokoro.phonemes_of(text, language)
    return Saying(note="", _say=lambda voice, pace, _seed: kokoro.say(phrases, language, voice, pace=pace))


def _plain(text: str, language: str) -> Saying:
    written = kana_of(text) if language == "ja" else text
    name = language_name(language)
    advice = '; the extra "voices" has a natural one' if kokoro.has_voices(language) else ""
    return Saying(
        note=f"is said in {name} by a plain synthetic voice{advice}",
        _say=lambda voice, pace, seed: espeak.say(written, language, voice, pace=pace, seed=seed),
    )


def _english(reading: Reading) -> Saying:
    return Saying(
        note=_note(reading),
        _say=lambda voice, pace, seed: english.synthesise(reading.phrases, voice, seed=seed, pace=pace),
    )


def _note(reading: Reading) -> str:
    name = reading.language_name
    if reading.manner is Manner.MURMURED:
        return f"is voiced as a murmur: no {name} voice is installed"
    if reading.manner is Manner.AS_IF_ENGLISH:
        return f"is read as if it were English: no {name} voice is installed"
    if reading.manner is Manner.SPELLED:
        murmur = ", with a murmur for letters it cannot read" if reading.is_mixed else ""
        return f"is read by an English voice from {name} spelling{murmur}: no {name} voice is installed"
    return ""
