"""Which given media a prompt names, in all spellings, and what it says they are for.

"image 1", "@Image1", "[图1]", "images 1-3", "the second video", "gambar pertama": all count media of one modality in
the request's order. Source: seed 001, "When referencing multiple inputs, use ordinal references". Who is shown by an
image is left to `reading`, which knows the nouns around it; here are the uses that words beside it name.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

from understudy.core.content import Modality
from understudy.reading.lexicon import listed, table
from understudy.reading.meanings import ReferenceUse
from understudy.reading.spotting import Spot, any_of, level, number_of, spots, words_in

NUMBER_MAX = 99
"""More media than any request holds; a larger number belongs to something else, "image 1080"."""
LIST_MAX = 12
NAMINGS_MAX = 100
"""More than anyone writes; each is compared with the words around it."""

_NEAR = 60
_LONGEST_WORD = 40
FIRST_MARK = 0xE000
"""Private-use letters stand for the media in the text that is read, so that no word of theirs is taken for a noun."""

_CLAUSE_ENDS = re.compile(r"[.!?;。！？；\n\x00]|(?<=\D)[,，、]|[,，、](?=\D)")
_FROM = re.compile(r"(?:\bfrom|\bde la|\bde|\bda|\bdesde|\bdel|\bdari|从|由)\s*(?:the\s+)?$")
_TO = re.compile(
    r"^\s*(?:in)?to(?: the)?\s*$|^\s*(?:a la|a|hasta|para a?|ate|ke|hingga|sampai|menjadi)\s*$"
    r"|^\s*(?:过渡|变化|渐变|切换|转变|演变|变)?(?:到|至|成|为)\s*$|^\s*から\s*$"
)
_RANGE = r"\s*(?:-|–|—|~|〜|～|\bto\b|\bthrough\b|\bal?\b|\bate\b|\bsampai\b|\bhingga\b|到|至|から)\s*"
_AND = r"\s*(?:,\s*(?:and|y|e|dan)\b|,|，|、|\band\b|&|\+|\by\b|\be\b|\bdan\b|和|与|及|と)\s*"
_HAN_NUMBER = r"[一二三四五六七八九十](?![一二三四五六七八九十开个下起样直边段张只些定共切次点旦般同致种位条路转幅])"
_PLURALS = ("images", "pictures", "photos", "imagenes", "imagens", "fotos", "videos", "clips", "audios")


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """A place where the prompt names media. numbers: from 1. start, end: where. use: None = no word beside it says.

    opens: it stands in brackets or before a colon, so that the words after it describe it. is_sure: a medium is meant;
    "the video" may be the film itself.
    """

    modality: Modality
    numbers: tuple[int, ...]
    start: int
    end: int
    use: ReferenceUse | None = None
    opens: bool = False
    is_sure: bool = True

    @property
    def is_of_scene(self) -> bool:
        """Whether the nouns around it say what it shows."""
        return self.modality is Modality.IMAGE and self.use in (None, ReferenceUse.SETTING)

    @property
    def word(self) -> str:
        """A name for people: "image 1"."""
        return f"{self.modality.value} {self.numbers[0]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """How many media of each modality there are; None = not known, so every number may be meant."""

    images: int | None = None
    videos: int | None = None
    audios: int | None = None

    def of(self, modality: Modality) -> int | None:
        """The count of one modality."""
        return {Modality.IMAGE: self.images, Modality.VIDEO: self.videos, Modality.AUDIO: self.audios}[modality]


@cache
def _spellings() -> tuple[re.Pattern[str], Mapping[str, Modality]]:
    """The pattern of every numbered naming; and which modality each word means."""
    modalities = {level(word): Modality(row.value) for row in table("medium") for word in words_in("medium", row.value)}
    word = any_of(modalities)
    number = rf"(?:\d{{1,2}}(?!\d)|{_HAN_NUMBER}|(?:one|two|three|four|five|six|seven|eight|nine)\b)"
    # An item of a list: not "image 1, 2 dogs", "image 1-2s", "image 1, 2-4s".
    item = r"\d{1,2}(?!\d|[.:]\d|\s*(?:s|sec|seconds?|segundos?|detik|秒)(?![a-z])|\s*[-–~]\s*\d)"
    tail = rf"(?P<tail>(?:\s*[-–—~]\s*(?:{word})\s*{item})|(?:{_RANGE}{item})|(?:{_AND}{item})+)?"
    sign = r"(?:no\.?|nr\.?|number|numero|nomor|#|n[°º])?"
    return re.compile(
        rf"(?P<at>[@＠]\s*[\[<{{]?(?P<w1>{word.replace('(?![a-z0-9])', '')})[_\s]?#?(?P<n1>\d{{1,2}})(?!\d)[\]>}}]?)"
        rf"|(?P<bracket>[\[【〔<{{](?P<w2>{word.replace('(?![a-z0-9])', '')})[_\s]*#?(?P<n2>{number})\s*[\]】〕>}}])"
        rf"|(?P<short>[@＠](?P<n3>\d{{1,2}})(?![\d\w]))"
        rf"|(?P<bare>(?P<w4>{word.replace('(?![a-z0-9])', '')})[\s_]*{sign}\s*(?P<n4>{number}){tail})"
    ), modalities


@cache
def _ordinals() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns of "the first image", "第一张图"; and of "gambar pertama", where the ordinal comes after."""
    word, ordinal = any_of(words_in("medium")), any_of(words_in("ordinal"))
    counter = r"(?:张|个|段|幅|条|枚目の|つ目の|本目の|番目の)?\s*(?:reference\s+|input\s+|given\s+|uploaded\s+)?"
    before = re.compile(rf"(?:(?P<o>{ordinal})|第?(?P<d>\d{{1,2}})(?=[张个段幅条枚つ本番]))\s*{counter}(?P<w>{word})")
    id_words = any_of(word for row in table("medium") for word in row.words.get("id", ()))
    id_ordinal = any_of(word for row in table("ordinal") for word in row.words.get("id", ()))
    return before, re.compile(rf"(?P<w>{id_words})\s+(?:(?P<o>{id_ordinal})|ke-?(?P<d>\d{{1,2}}))")


_PLAIN_WORDS = r"(?:reference|given|input|uploaded|provided|original|source|referensi|asli)"
_UNNUMBERED = re.compile(
    rf"\b(?:the |a |this |my )?{_PLAIN_WORDS} (?P<en>image|images|picture|photo|portrait|character image|video|clip"
    r"|footage|audio|voice|track|sound)\b|\b(?P<es>imagen|imagem|foto|video|audio) (?:de referencia|original)\b"
    r"|\b(?P<id>gambar|foto|video|audio) (?:referensi|asli)\b"
    r"|(?:参考|参照|原|给定)(?P<zh>图片|图像|图|视频|片段|音频|画像|動画|映像|音声)"
)
_THE_ONE = re.compile(
    r"\b(?:the|this|el|la|este|esta|o|a) (?P<en>image|imagen|imagem|picture|photo|foto|video|clip|footage|audio)\b"
    r"|(?P<zh>这张图片|这张图|图中|图片中|该视频|这段视频|视频中|视频里|视频|这段音频|音频|画像|動画|音声)"
    r"|\b(?P<id>gambar|video|audio)(?: ini| itu)\b"
)
_OF_UNNUMBERED = {
    Modality.VIDEO: ("video", "clip", "footage", "视频", "片段", "動画", "映像"),
    Modality.AUDIO: ("audio", "voice", "track", "sound", "音频", "音声"),
}


def _list_of(first: int, tail: str) -> tuple[int, ...]:
    further = [int(number) for number in re.findall(r"\d+", tail)]
    if not further:
        return (first,)
    if re.match(_RANGE, tail) and len(further) == 1 and not re.match(_AND, tail):
        return tuple(range(first, further[0] + 1))[:LIST_MAX] if further[0] > first else (first,)
    return tuple(dict.fromkeys((first, *further)))[:LIST_MAX]


def _numbered(leveled: str) -> list[Naming]:
    pattern, modalities = _spellings()
    found = []
    for match in pattern.finditer(leveled):
        place = next(place for place in ("1", "2", "3", "4") if match[f"n{place}"])
        word = match[f"w{place}"] if place != "3" else "image"
        first = number_of(match[f"n{place}"])
        numbers: tuple[int, ...] = (first,)
        end = match.end()
        tail = (match["tail"] or "") if place == "4" else ""
        # "Image 1, 2 dogs": a mere comma makes a list only after a plural.
        is_list = word in _PLURALS or not re.fullmatch(r"\s*[,，]\s*\d+", tail)
        if tail and is_list:
            numbers = _list_of(first, tail)
        elif tail:
            end = match.start("tail")
        if word.isascii() and place == "4" and match.start() and leveled[match.start() - 1] in "0123456789_":
            continue
        if 0 < first <= NUMBER_MAX:
            opens = place == "2" or leveled[end : end + 2].lstrip()[:1] in (":", "：")
            found.append(Naming(modality=modalities[word], numbers=numbers, start=match.start(), end=end, opens=opens))
    return found


def _by_ordinal(leveled: str, given: Given) -> list[Naming]:
    _, modalities = _spellings()
    values = {level(word): row.value for row in table("ordinal") for word in words_in("ordinal", row.value)}
    found = []
    for pattern in _ordinals():
        for match in pattern.finditer(leveled):
            modality = modalities[match["w"]]
            said = match["d"] or values[match["o"]]
            number = given.of(modality) or 0 if said == "last" else int(said)
            if number:
                found.append(Naming(modality=modality, numbers=(number,), start=match.start(), end=match.end()))
    return found


def _unnumbered(leveled: str, given: Given, named: Sequence[Naming]) -> list[Naming]:
    """Take "the reference video" for video 1 when none is named by number; "the video" too, when there is one."""
    found = []
    for pattern, is_certain in ((_UNNUMBERED, True), (_THE_ONE, False)):
        for match in pattern.finditer(leveled):
            word = next(word for word in match.groups() if word)
            modality = next((one for one, words in _OF_UNNUMBERED.items() if any(w in word for w in words)), None)
            modality = modality or Modality.IMAGE
            count = given.of(modality)
            is_there = count is None or count > 0 if is_certain else bool(count)
            if is_there and not any(naming.modality is modality for naming in named):
                many = is_certain and word == "images" and count
                numbers = tuple(range(1, min(count or 1, LIST_MAX) + 1)) if many else (1,)
                found.append(
                    Naming(
                        modality=modality,
                        numbers=numbers,
                        start=match.start(),
                        end=match.end(),
                        is_sure=is_certain,
                    )
                )
    return found


def _apart(namings: Sequence[Naming]) -> list[Naming]:
    """In order, without those that overlap an earlier, longer one."""
    kept: list[Naming] = []
    for naming in sorted(namings, key=lambda naming: (naming.start, -naming.end)):
        if not kept or naming.start >= kept[-1].end:
            kept.append(naming)
    return kept


def namings_in(prompt: str, given: Given | None = None) -> tuple[Naming, ...]:
    """Return every place that names given media, in order, with the use that words beside it say.

    Numbers beyond what was given are left out. prompt: quotations may be blanked; the length must not matter.
    """
    given = given or Given()
    leveled = level(prompt)
    named = [*_numbered(leveled), *_by_ordinal(leveled, given)]
    named = _apart([*named, *_unnumbered(leveled, given, named)])
    return _with_uses(
        leveled, [naming for naming in (_known(naming, given) for naming in named[:NAMINGS_MAX]) if naming]
    )


def _known(naming: Naming, given: Given) -> Naming | None:
    count = given.of(naming.modality)
    numbers = tuple(number for number in naming.numbers if count is None or number <= count)
    return replace(naming, numbers=numbers) if numbers else None


@cache
def links(row: str) -> re.Pattern[str]:
    """Return a pattern that matches a stretch of nothing but the link words of a row, spaces and quotation marks."""
    # Possessive, because one stretch can be parted into words in many ways.
    return re.compile(rf"(?>[\s'’=:：()（）\"“”「」《》]|{any_of(words_in('link', row))})*+")


@cache
def _uses_of() -> Mapping[str, tuple[str, ...]]:
    return listed("use", "of")


def _with_uses(leveled: str, namings: Sequence[Naming]) -> tuple[Naming, ...]:
    """Give each naming the nearest use that only link words part from it; a word serves the nearest naming alone."""
    uses = list(_ends_of_a_change(leveled, namings))
    pairs = []
    said = spots(leveled, "use")
    starts = [spot.start for spot in said]
    worked = _worked_on(leveled, namings)
    for place, naming in enumerate(namings):
        first = bisect_left(starts, naming.start - _NEAR - _LONGEST_WORD)
        for spot in said[first : bisect_right(starts, naming.end + _NEAR)]:
            is_near = abs(spot.start - naming.end) < _NEAR or abs(naming.start - spot.end) < _NEAR
            if worked[place] and spot.start >= naming.end:
                continue
            if is_near and uses[place] is None and naming.modality.value in _uses_of()[spot.value]:
                gap = _gap(leveled, naming, spot, others=namings)
                if gap is not None:
                    pairs.append((len(gap), spot.start, place, spot))
    taken: dict[int, int] = {}
    for _, start, place, spot in sorted(pairs, key=lambda pair: pair[:3]):
        # "Image 1 and image 2 in the style": each mention of a word is for one naming, or for all of one list.
        if uses[place] is None and taken.setdefault(start, place) == place:
            uses[place] = ReferenceUse(spot.value)
    clauses = _Clauses(leveled, said)
    return tuple(
        replace(naming, use=use or (ReferenceUse.SOURCE if is_worked else clauses.loose_use(naming)))
        for naming, use, is_worked in zip(namings, uses, worked, strict=True)
    )


def _gap(leveled: str, naming: Naming, spot: Spot, *, others: Sequence[Naming]) -> str | None:
    """The text between a naming and a word when it says nothing of its own, else None."""
    low, high = (spot.end, naming.start) if spot.end <= naming.start else (naming.end, spot.start)
    if low > high or any(low <= other.start < high for other in others if other is not naming):
        return None
    gap = leveled[low:high]
    # A word said in a neighbouring clause is not said of it; words of another use may stand between ("freezes on").
    if re.search(r"[.!?;,，。！？；\n]", gap):
        return None
    # "The logo of image 2 appears in the final frame" does not make it that frame.
    if spot.start >= naming.end and spot.value in _ENDS and _INSIDE.search(gap):
        return None
    if spot.start >= naming.end and spot.value in _MADE_OF and not _BELONGS.match(gap):
        return None
    return gap if links("link").fullmatch(_without_uses(gap)) else None


_ENDS = ("first_frame", "last_frame")
_INSIDE = re.compile(r"\b(?:in|en|em|na|no|di|dalam)\b|在|に")
_MADE_OF = ("style", "setting")
# "Video 1 in anime style" is changed into the style, "video 1's style" has it.
_BELONGS = re.compile(
    r"\s*(?:['’]s\b|的|の|as\b|is\b|for\b|como\b|es\b|e\b|sebagai\b|adalah\b|作|当"
    r"|为|是|を|は|で|使|用|be\b|will\b|should\b|serve|para\b|untuk\b|de fondo|$)"
)


@cache
def _use_words() -> re.Pattern[str]:
    return re.compile(any_of(words_in("use")))


def _without_uses(gap: str) -> str:
    return _use_words().sub(" ", gap) if len(gap) > 1 else gap


def _ends_of_a_change(leveled: str, namings: Sequence[Naming]) -> list[ReferenceUse | None]:
    """In "transition from image 1 to image 2" the two are the first and the last frame."""
    uses: list[ReferenceUse | None] = [None] * len(namings)
    for place, (one, other) in enumerate(pairwise(namings)):
        both = one.modality is other.modality is Modality.IMAGE
        before, between = leveled[max(0, one.start - 20) : one.start], leveled[one.end : other.start]
        to = _TO.match(between)
        is_turned = both and to is not None and (_FROM.search(before) is not None or "から" in between)
        if is_turned:
            uses[place], uses[place + 1] = ReferenceUse.FIRST_FRAME, ReferenceUse.LAST_FRAME
    return uses


class _Clauses:
    """The clauses of a prompt with the words of use in them, found once for all namings."""

    def __init__(self, leveled: str, said: Sequence[Spot]) -> None:
        self._leveled, self._said = leveled, said
        self._starts = [0, *(found.end() for found in _CLAUSE_ENDS.finditer(leveled))]
        self._places = [spot.start for spot in said]

    def loose_use(self, naming: Naming) -> ReferenceUse | None:
        """A sound or a video whose use is said anywhere in its clause; images stand among nouns, which say more."""
        if naming.modality is Modality.IMAGE:
            return None
        place = bisect_right(self._starts, naming.start) - 1
        start = self._starts[place]
        stop = self._starts[place + 1] if place + 1 < len(self._starts) else len(self._leveled)
        low, high = bisect_left(self._places, start), bisect_left(self._places, stop)
        # Of many words in one clause those around the naming are the nearest.
        middle = bisect_left(self._places, naming.start)
        around = self._said[max(low, middle - _USES_AROUND) : min(high, middle + _USES_AROUND)]
        known = [spot for spot in around if naming.modality.value in _uses_of()[spot.value] and spot.end <= stop]
        if not known:
            return None
        nearest = min(known, key=lambda spot: min(abs(spot.start - naming.end), abs(naming.start - spot.end)))
        return ReferenceUse(nearest.value)


def _worked_on(leveled: str, namings: Sequence[Naming]) -> list[bool]:
    """Whether each naming is of a video that is extended, joined or edited; what is named beside such a one is too.

    "Extend video 1: the camera goes on" works on the video, whatever else is said of the camera.
    """
    found: list[bool] = []
    for place, naming in enumerate(namings):
        last = namings[place - 1] if place else None
        is_beside = last is not None and found[-1] and _BESIDE.fullmatch(leveled[last.end : naming.start]) is not None
        found.append(naming.modality is Modality.VIDEO and (is_beside or _has_verb(leveled, naming)))
    return found


def _has_verb(leveled: str, naming: Naming) -> bool:
    """Whether a verb of working stands before the video; in Chinese and Japanese it may stand after it."""
    before, after = leveled[max(0, naming.start - _NEAR) : naming.start], leveled[naming.end : naming.end + _NEAR]
    small = links("link")
    ahead = [spot for name in _WORK for spot in spots(before, name) if spot.value in _VERBS]
    behind = [spot for name in _WORK for spot in spots(after, name) if spot.value in _VERBS]
    return any(small.fullmatch(before[spot.end :]) for spot in ahead) or any(
        small.fullmatch(after[: spot.start]) for spot in behind if after[spot.start] > "\u2fff"
    )


_WORK = ("extension", "worked")
_VERBS = ("extend", "worked", "joined")
_BESIDE = re.compile(rf"{_AND}|{_RANGE}")
_USES_AROUND = 8


def is_mark(text: str) -> bool:
    """Whether a piece of text is the mark of a medium."""
    return "\ue000" <= text[:1] <= "\uf8ff"


def with_marks(prompt: str, namings: Sequence[Naming]) -> str:
    """Return the prompt with each naming as one private-use letter and blanks, same length."""
    parts, place = [], 0
    for index, naming in enumerate(namings):
        parts += [prompt[place : naming.start], chr(FIRST_MARK + index), " " * (naming.end - naming.start - 1)]
        place = naming.end
    return "".join((*parts, prompt[place:]))
