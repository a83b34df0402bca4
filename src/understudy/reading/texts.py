"""Words that are seen in the picture: titles, captions, subtitles, speech bubbles, signs.

They stand in quotation marks like spoken lines do; the words beside them tell which is which. Seed 001 names text
overlays, subtitles and speech bubbles among what a prompt can ask for.
"""

import re
from collections.abc import Sequence

from understudy.reading.meanings import TextKind
from understudy.reading.quotations import Quotation, last_word_of
from understudy.reading.spotting import Spot, any_of, level, spots, words_in

TEXTS_MAX = 6
"""More cannot be read in a shot."""
LETTERS_MAX = 120

_BEFORE, _AFTER = 60, 50
# "A sign that says": between the thing written on and the words, a word of speech is no speech.
_SAYS_WITHIN = 34
_PLACES = ("top", "bottom", "left", "right", "centre")
_SENTENCE = re.compile(r"[.!?。！？\n;；\x00\"”」』»]")
_QUOTES = "\"“”「」『』«»'‘’"
_NEGATED = re.compile(
    r"(?:\bno|\bwithout|\bsin|\bsem|\btanpa|\bdon'?t (?:show|add)|\bavoid|不要|无|没有"
    r"|不带|不加|禁止|不需要)\s*(?:any\s+)?\w{0,4}\s*$"
)
_WITH_SUBTITLES = re.compile(
    r"\b(?:with|show|add|include|has|display|and|plus)\s+(?:\w+\s+){0,2}(?:subtitles|captions)\b|\bsubtitled\b"
    r"|(?:带|配|加|有|显示|配有|附|添加|出现)(?:上|有|着)?[\u4e00-\u9fff]{0,4}字幕"
    r"|字幕(?:付き|あり|を付|をつけ|を表示|入り|同步)"
    r"|\b(?:con|y|anade) subtitulos\b|\bsubtitulad[oa]\b|\bcom legendas?\b|\blegendad[oa]\b"
    r"|\bdengan (?:teks|subtitle|takarir)\b"
)
_APPEARS = re.compile(
    r"^[\s,]*(?:text|title|caption|slogan|logo|sign|word|words|lettering)?\s*(?:appears?"
    r"|shows? up|pops? up|flashes|fades in"
    r"|is (?:written|shown|displayed|painted|printed)|written|on (?:the )?screen|on a sign"
    r"|aparece|surge|en pantalla|na tela"
    r"|muncul|tertulis|di layar|出现|浮现|显示|的?(?:字样|字幕|文字|标题|招牌|牌子"
    r"|大字)|と書かれ|と表示|の文字|というテロップ|という看板"
    r"|の看板|の字幕|のテキスト|というテキスト|というタイトル|のタイトル|が表示)"
)
_UPPER = re.compile(
    r"\b(?:[Tt]ext|[Tt]itle|[Cc]aption|[Ww]ords?|[Ss]ign|[Ll]ogo|[Tt]exto|[Tt]eks|[Tt]ítulo"
    r"|[Jj]udul)(?: (?:reading|saying|that says|says))?\s+"
    r"(?P<text>[A-Z0-9ÁÉÍÓÚÑÃÕÇ][A-Z0-9ÁÉÍÓÚÑÃÕÇ!&'%+-]+(?: [A-Z0-9ÁÉÍÓÚÑÃÕÇ!&'%+-]+){0,5})(?![\w])"
)


def _colon() -> re.Pattern[str]:
    words = any_of((*words_in("text", "title"), *words_in("text", "subtitle"), *words_in("text", "bubble"),
                    "caption", "text overlay", "overlay text", "on-screen text", "text on screen", "texto en pantalla",
                    "texto na tela", "teks di layar", "文字", "テロップ", "テキスト"))  # fmt: skip
    return re.compile(
        rf"(?:{words})[^\n.:：。\x00]{{0,24}}[:：]\s*(?P<text>[^\s\n.。!！?？;；,，][^\n.。;；,，]{{0,{LETTERS_MAX}}})"
    )


_COLON = _colon()


def quoted_and_shown(prompt: str, quotations: Sequence[Quotation]) -> tuple[Quotation, ...]:
    """Return the quotations, and besides them the words that are to be seen but stand in no quotation marks."""
    found = list(quotations)
    leveled = level(prompt)
    for text, match in [
        *((leveled, match) for match in _COLON.finditer(leveled)),
        *((prompt, match) for match in _UPPER.finditer(prompt)),
    ]:
        start, end = match.span("text")
        said = prompt[start:end].strip()
        is_free = not any(start < other.end and other.start < end + 1 for other in found)
        if (
            is_free
            and said
            and not any(mark in said for mark in _QUOTES)
            and not _NEGATED.search(text[max(0, match.start() - _BEFORE) : match.start()])
        ):
            found.append(Quotation(text=said, start=start, end=end, is_spoken=False))
    return tuple(sorted(found, key=lambda quotation: quotation.start))


def kind_of_text(prompt: str, quotation: Quotation) -> TextKind | None:
    """Return how the words of a quotation are shown; None = they are spoken, or only name something."""
    before = _SENTENCE.split(level(prompt[max(0, quotation.start - _BEFORE) : quotation.start]))[-1]
    after = _SENTENCE.split(level(prompt[quotation.end : quotation.end + _AFTER]))[0]
    # Who speaks "off screen" writes on none.
    named = [spot for spot in spots(before, "text") if not re.search(r"\boff(?:[ -]the)?[ -]$", before[: spot.start])]
    if named and (kind := _said_before(before, named)) is not None:
        return kind
    if (appears := _APPEARS.match(after)) and last_word_of(before, "speech") < 0:
        beside = spots(after[: appears.end() + 12], "text")
        return TextKind(beside[0].value) if beside else TextKind.CAPTION
    return None


def _said_before(before: str, named: Sequence[Spot]) -> TextKind | None:
    """The kind of the last thing that words are seen in or on, unless somebody speaks after it."""
    speech = last_word_of(before, "speech")
    near = [spot for spot in named if len(before) - spot.end <= _BEFORE]
    last = near[-1]
    if speech > last.end and not _is_only_verb(before[last.end :]):
        return None
    if speech > last.end and _BESIDE.search(before[: last.start]) and not _THAT.search(before[last.end :]):
        return None
    # "A title in white letters": what it is matters more than what it is made of.
    for kind in (TextKind.BUBBLE, TextKind.SUBTITLE, TextKind.TITLE):
        if any(spot.value == kind for spot in near):
            return kind
    is_sign = any(spot.value == TextKind.SIGN for spot in near)
    is_caption = any(spot.value == TextKind.CAPTION for spot in near)
    written_on_screen = all(before[spot.start : spot.end] in _SCREENS for spot in near if spot.value == TextKind.SIGN)
    return TextKind.SIGN if is_sign and not (is_caption and written_on_screen) else TextKind.CAPTION


# "A man in front of a sign says": it is the man who says it.
_BESIDE = re.compile(
    r"(?:in front of|next to|near|beside|by|behind|under|below|junto a|frente a|ao lado de|di depan)"
    r"\s+(?:a|an|the|un|una|um|uma|o)?\s*(?:\w+\s+)?$"
)
_THAT = re.compile(r"\b(?:that|which|reading|saying|que|yang)\b")
_SCREENS = (
    "screen",
    "屏幕",
    "表示",
    "display",
    "displays",
    "tela",
    "layar",
    "pantalla",
    "written",
    "reads",
    "reading",
    "letters",
)
_ONLY_VERB = re.compile(
    r"[\s:：,，]*(?:(?:that|which|saying|says|said|reads|with|above|over|it|him|her"
    r"|of|in|the|a|pops up|appears|and|on|que|dice|diz|que diz"
    r"|berkata|yang|说|显示|里|上|中|写道|写着|道|と|で|に|your|his|head|my|its|next to"
    r"|near|neon|lights?|de|en|con|no|na)[\s:：,，]*)*$"
)


def _is_only_verb(between: str) -> bool:
    return len(between) <= _SAYS_WITHIN and _ONLY_VERB.match(between) is not None


def place_of_text(prompt: str, quotation: Quotation) -> str:
    """Return where words are to be seen, as the sentence around them says: "top", "bottom" ... or ""."""
    before = _SENTENCE.split(level(prompt[max(0, quotation.start - _BEFORE) : quotation.start]))[-1]
    after = _SENTENCE.split(level(prompt[quotation.end : quotation.end + _AFTER]))[0]
    found = [spot.value for part in (after, before) for spot in spots(part, "place") if spot.value in _PLACES]
    return found[0] if found else ""


def wants_subtitles(plain: str) -> bool:
    """Whether what is said is to be read as well: "with subtitles"."""
    leveled = level(plain)
    return any(
        not _NEGATED.search(leveled[max(0, found.start() - _BEFORE) : found.start()])
        for found in _WITH_SUBTITLES.finditer(leveled)
    )
