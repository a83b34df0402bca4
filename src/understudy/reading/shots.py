"""Where one shot of a prompt ends and the next begins: time codes, lists of shots, words of cutting.

`cutting_of` finds the parts of a text, `laid_out` gives each its place in the film. What they show is read elsewhere.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate, pairwise

from understudy.reading.lexicon import table
from understudy.reading.meanings import Cut
from understudy.reading.spotting import any_of, level, number_of, spots, words_in

PARTS_MAX = 12
SHORTEST_S = 0.8
"""A shorter shot is over before anyone has seen what is in it."""
_LONGEST_CODE_S = 600.0
_BRACKETS = ("(", "（", "[", "【")
# "Storyboard 12 (" is a label before a time code; what is longer tells what happens then.
_LABEL_LETTERS_MAX = 16

_TIME = r"(?:\d{1,2}:\d{2}(?:[.:]\d{1,3})?|\d{1,3}(?:\.\d{1,2})?)"
_UNIT = r"(?:seconds?|secs?|segundos?|segs?|detik|秒钟?|秒|s)(?![a-z])"
_DASH = (
    r"(?:-|–|—|~|〜|～|->|→|\bto\b|\buntil\b|\ba\b|\bal\b|\bate\b|\bhasta\b|\bsampai\b"
    r"|\bhingga\b|到|至|から|\band\b|\by\b|\be\b|\bdan\b)"
)
_LEAD = (
    r"(?:(?:from|during|between|in|at|the|de|del|dos|das|desde|entre|durante|en|el"
    r"|los|las|na|no|nos|aos?|dari|pada|antara|di"
    r"|segundos?|seconds?|secs?|detik|ke-?|time|timecode|tiempo|tempo|waktu|t\s*=)\s+|ke-|第|在|从|于|时间|时段){0,4}"
)
_RANGE = re.compile(
    rf"(?P<lead>{_LEAD})(?<![0-9a-z_.:/])(?P<from>{_TIME})\s*(?P<u1>{_UNIT})?\s*{_DASH}\s*"
    rf"(?:第|ke-|(?:second|segundo|o|el|detik|the)\s+)?(?P<to>{_TIME})(?!\d|:\d|\.\d)\s*-?\s*(?P<u2>{_UNIT})?"
)
_POINT = re.compile(
    rf"(?P<lead>{_LEAD})(?<![0-9a-z_.:/])(?P<at>{_TIME})(?!\d|:\d|\.\d)\s*(?P<u>{_UNIT})?"
    r"(?P<after>\s*(?:目|时|の時点|のとき|处|后)?(?:で|に|は)?)"
)
_SECONDS_BEFORE = re.compile(r"segundo|second|detik|第|t\s*=|secs?\b")
# "For 2-4 seconds" says how long something lasts, not when.
_LASTING = re.compile(
    r"(?:\bfor|\babout|\baround|\blasting|\blasts?|\bevery|\bdurante|\bpor|\bselama"
    r"|\bwithin|\bduration:?|持续|时长|约|大约|約"
    r"|長さ|每隔?|\bover|\bafter|\bsekitar|\bduracion:?|\bduracao:?|\bdurasi:?)\s*$"
)
_AFTER_CODE = re.compile(
    r"\s*(?:(?:の間|の時点|目|时|处|内|間|まで|:|：|,|，|、|\)|）|\]|】|\||-|–|—|\*|の|は|に|、|里|期间)\s*)*"
)
_OPENING = r"[\s\[【(（*#•\->|]*"
_CLAUSE_START = re.compile(r"(?:^|[\n.!?;。！？；:：,，、\]】)）|\x00])[\s\[【(（*#•\->|«“\"]*$")
_SENTENCE_START = re.compile(r"(?:^|[\n.!?;。！？；\]】)）|\x00])[\s\[【(（*#•\->|]*$")
_THEN = re.compile(
    r"(?:\b(?:then|and|we|it|scene|film|camera|video|shot|picture|image|view|suddenly"
    r"|quickly|and then|slowly|luego|y|entonces"
    r"|e|depois|entao|lalu|kemudian|dan|la escena|a cena|adegan|se)|然后|接着|随后|再|突然|画面|镜头"
    r"|そして|次に)\s*$"
)
_WORDLESS = re.compile(r"[^\w\x00\uE000-\uF8FF]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stretch of the prompt that tells one shot. start, end: where. start_s, end_s: as its time code says."""

    start: int
    end: int
    start_s: float | None = None
    end_s: float | None = None
    cut: Cut = Cut.HARD


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutting:
    """parts: one or more. common: where the text stands that is said of all of them, (0, 0) for none.

    marks: (start, end) of the time codes, numbers and words of cutting, which name nothing that is seen.
    """

    parts: tuple[Part, ...]
    common: tuple[int, int] = (0, 0)
    marks: tuple[tuple[int, int], ...] = ()

    @property
    def has_time_codes(self) -> bool:
        """Whether the prompt says when a shot begins or ends."""
        return any(part.start_s is not None or part.end_s is not None for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """What begins a part. begins: where the part begins when that is before the mark (else its end)."""

    start: int
    end: int
    start_s: float | None = None
    end_s: float | None = None
    cut: Cut | None = None
    is_listed: bool = False
    begins: int | None = None


def _seconds(text: str) -> float:
    if ":" not in text:
        return float(text)
    minutes, seconds, *rest = re.split(r"[:.]", text)
    return int(minutes) * 60 + int(seconds) + (float(f"0.{rest[0]}") if rest else 0.0)


def _begins_clause(text: str, place: int) -> bool:
    before = text[max(0, place - 40) : place]
    return _CLAUSE_START.search(before) is not None or _THEN.search(before) is not None


def _clause_start(text: str, place: int) -> int:
    """Where the sentence that ``place`` stands in begins."""
    return max(text.rfind(mark, 0, place) for mark in "\n.!?;。！？；") + 1


def _codes(text: str) -> list[_Mark]:
    found: list[_Mark] = []
    for match in _RANGE.finditer(text):
        is_time = bool(match["u1"] or match["u2"] or ":" in match["from"] or _SECONDS_BEFORE.search(match["lead"]))
        start_s, end_s = _seconds(match["from"]), _seconds(match["to"])
        if (
            not is_time
            or not start_s < end_s <= _LONGEST_CODE_S
            or _LASTING.search(text[max(0, match.start() - 20) : match.start()])
        ):
            continue
        found += _placed(text, match.span(), start_s=start_s, end_s=end_s)
    taken = [(mark.start, mark.end) for mark in found]
    for match in _POINT.finditer(text):
        if any(start <= match.start("at") < end for start, end in taken):
            continue
        is_time = bool(match["u"] or re.match(r"\d+:\d\d", match["at"]) or _SECONDS_BEFORE.search(match["lead"]))
        # "3s" without a colon or an "at" may be anything: "5s video".
        after = text[match.end() : match.end() + 2].lstrip()
        says_when = (
            match["lead"].strip() or match["after"].strip() or after[:1] in (":", "：", ")", "]", "】", "）", ",")
        )
        at_s = _seconds(match["at"])
        before = text[max(0, match.start() - 40) : match.start()]
        if is_time and says_when and at_s <= _LONGEST_CODE_S and _is_heading(before, match["lead"], after):
            found += _placed(text, match.span(), start_s=at_s, end_s=None)
    return found


def _is_heading(before: str, lead: str, after: str) -> bool:
    if _LASTING.search(before[-20:]) or _SENTENCE_START.search(before[-12:]) is None:
        return False
    return bool(lead.strip()) or after[:1] in (":", "：", ")", "]", "】", "）", ",", "，", "")


def _placed(text: str, span: tuple[int, int], *, start_s: float, end_s: float | None) -> list[_Mark]:
    """The mark of a time code: at the start of a clause it heads what follows, in brackets at its end what was."""
    start, end = span
    bracket, follows = text[:start].rstrip()[-1:], text[end:].lstrip(" )）]】")[:1]
    if not (bracket in _BRACKETS or follows in (":", "：") or _begins_clause(text, start)):
        return []
    clause = _clause_start(text, start)
    is_after = bracket in _BRACKETS and follows in ("", ".", "。", ",", "，", ";", "\n")
    head = text[clause:start].strip()
    if is_after and len(head) > (_LABEL_LETTERS_MAX if head.isascii() else _LABEL_LETTERS_MAX // 2):
        return [_Mark(start=start, end=_end_after(text, end), start_s=start_s, end_s=end_s, begins=clause)]
    return [_Mark(start=start, end=_end_after(text, end), start_s=start_s, end_s=end_s)]


def _end_after(text: str, end: int) -> int:
    found = _AFTER_CODE.match(text, end)
    return found.end() if found else end


@cache
def _labels() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    word = any_of(words_in("shot_word")).replace("(?![a-z0-9])", "")
    number = r"(?:\d{1,2}(?!\d)|[一二三四五六七八九十]{1,2}|(?:one|two|three|four|five|six|seven|eight|nine)\b)"
    numbered = re.compile(
        rf"(?P<word>{word})\s*(?:no\.?\s*|#\s*)?(?P<n>{number})\s*(?P<mark>[:：.,，、)\]】）\-–—"
        rf"|*]+|(?=[(（\[【])|(?=\s)|$)"
    )
    ordinal = re.compile(
        rf"(?:in\s+the\s+|the\s+|in\s+|第)?(?:(?P<o>{any_of(words_in('ordinal'))}|next|finally)\s+"
        rf"|第?(?P<n>[一二三四五六七八九十\d]{{1,2}})\s*个?)"
        rf"(?P<word>{word})(?P<mark>\s*(?:[:：,，、)\]】）\-–—|*]+|(?=[(（\[【])))"
    )
    id_ordinal = any_of(word for row in table("ordinal") for word in row.words.get("id", ()))
    after = re.compile(rf"(?P<word>{word})\s+(?:{id_ordinal}|ke-?\d)(?P<mark>\s*[:：,)\]])")
    return numbered, ordinal, after


def _listed(text: str) -> list[_Mark]:
    found = []
    for pattern in _labels():
        for match in pattern.finditer(text):
            before = text[max(0, match.start() - 40) : match.start()]
            is_heading = match["mark"].strip()[:1] in (":", "：") and re.search(r"(?:^|\s)[\[【(（*#]*$", before)
            if not is_heading and _SENTENCE_START.search(before) is None:
                continue
            number = match.groupdict().get("n") or "1"
            # "镜头一转" turns the camera; "Scene 5 people" is a rare way to begin.
            is_bare = not match["mark"].strip() and not re.match(r"\s*[(（\[【]", text[match.end() :])
            if is_bare and (not number.isascii() or not number_of(number)):
                continue
            if is_bare and match.start() and not re.search(r"\n" + _OPENING + "$", before):
                continue
            found.append(_Mark(start=match.start(), end=_end_after(text, match.end()), is_listed=True))
    return found


def _cuts(text: str) -> list[_Mark]:
    found = []
    for spot in spots(text, "cut"):
        name, _, is_before = spot.value.partition("_")
        if name == "none":
            continue
        if is_before:
            begins = _clause_start(text, spot.start)
            if _WORDLESS.fullmatch(text[spot.end :]) is None or begins:
                found.append(_Mark(start=spot.start, end=spot.end, cut=Cut(name), begins=begins))
        elif _begins_clause(text, spot.start) or text[spot.start] > "\u2fff":
            found.append(_Mark(start=spot.start, end=_end_after(text, spot.end), cut=Cut(name)))
    return found


def _joined(text: str, marks: Sequence[_Mark]) -> list[_Mark]:
    """Marks with no word between them are one: "Shot 2 (2-4s): quick cut,"."""
    found: list[_Mark] = []
    for mark in sorted(marks, key=lambda mark: (mark.start, -mark.end)):
        last = found[-1] if found else None
        if last is not None and mark.start < last.end:
            continue
        if last is not None and mark.begins is None and last.begins is None and not _says(text[last.end : mark.start]):
            found[-1] = replace(
                last,
                end=mark.end,
                start_s=last.start_s if last.start_s is not None else mark.start_s,
                end_s=last.end_s if last.end_s is not None else mark.end_s,
                cut=mark.cut or last.cut,
                is_listed=last.is_listed or mark.is_listed,
            )
        elif mark.begins is not None and last is not None and mark.begins <= last.start:
            continue
        else:
            found.append(mark)
    return found


def _says(text: str) -> bool:
    """Whether a text between marks tells anything: small words of cutting do not."""
    return _WORDLESS.sub("", _THEN.sub("", text.strip() + " ").strip()) != ""


def cutting_of(plain: str) -> Cutting:
    """Return the parts of a prompt whose quotations are blanked. Without any mark the whole prompt is one part."""
    text = level(plain)
    marks = _joined(text, [*_codes(text), *_listed(text), *_cuts(text)])
    starts = [mark.end if mark.begins is None else mark.begins for mark in marks]
    ends = [mark.start if mark.begins is None else mark.begins for mark in marks[1:]]
    parts, common = [], (0, 0)
    if not marks:
        return Cutting(parts=(Part(start=0, end=len(plain)),))
    first = marks[0]
    opening = first.start if first.begins is None else first.begins
    if _says(text[:opening]):
        # Before a list of shots, or before one that begins with the film, stands what is said of all of them.
        if first.start_s == 0 or (first.is_listed and first.start_s is None):
            common = (0, opening)
        else:
            parts.append(Part(start=0, end=opening))
    for mark, start, end in zip(marks, starts, [*ends, len(text)], strict=True):
        stop = max(start, end)
        parts.append(Part(start=start, end=stop, start_s=mark.start_s, end_s=mark.end_s, cut=mark.cut or Cut.HARD))
    kept = _told(text, parts)
    return Cutting(
        parts=tuple(_at_most(kept, PARTS_MAX)) or (Part(start=0, end=len(plain)),),
        common=common if kept else (0, 0),
        marks=tuple((mark.start, mark.end) for mark in marks),
    )


def _told(text: str, parts: Sequence[Part]) -> list[Part]:
    """Only the parts that tell something; a fade with nothing after it belongs to the next."""
    kept: list[Part] = []
    waiting: Cut | None = None
    for part in parts:
        if not _says(text[part.start : part.end]) and part.start_s is None:
            waiting = part.cut if part.cut is not Cut.HARD else waiting
            continue
        kept.append(replace(part, cut=waiting) if waiting is not None and part.cut is Cut.HARD else part)
        waiting = None
    return [replace(kept[0], cut=Cut.HARD), *kept[1:]] if kept else []


def _at_most(parts: Sequence[Part], most: int) -> list[Part]:
    """The first parts; what is more is told by the last of them."""
    if len(parts) <= most:
        return list(parts)
    return [*parts[: most - 1], replace(parts[most - 1], end=parts[-1].end, end_s=parts[-1].end_s)]


def fitted(cutting: Cutting, duration_s: float) -> Cutting:
    """Return the cutting with no more parts than a film of this length can show."""
    most = min(PARTS_MAX, max(1, int(duration_s / SHORTEST_S)))
    return replace(cutting, parts=tuple(_at_most(cutting.parts, most)))


def laid_out(parts: Sequence[Part], *, duration_s: float, weights: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """Return (start_s, duration_s) of each part, without gaps and as long as the film together.

    Time codes hold as far as they rise; codes beyond the film's end are scaled down to it. Parts without codes share
    the time between their neighbours by weight. Each has at least `SHORTEST_S` where the film is long enough.
    """
    cuts = _boundaries(parts, duration_s, weights)
    least = min(SHORTEST_S, duration_s / len(parts))
    for place in range(1, len(cuts)):
        cuts[place] = max(cuts[place], cuts[place - 1] + least)
    cuts[-1] = duration_s
    for place in range(len(cuts) - 2, 0, -1):
        cuts[place] = min(cuts[place], cuts[place + 1] - least)
    cuts = [round(cut, 3) for cut in cuts]
    return tuple((start, round(end - start, 3)) for start, end in pairwise(cuts))


def _boundaries(parts: Sequence[Part], duration_s: float, weights: Sequence[float]) -> list[float]:
    """len(parts) + 1 rising times, the first 0 and the last the film's length."""
    known = _known_times(parts)
    latest = max((time for time in known if time is not None), default=0.0)
    # A code for the very end takes its part's whole stretch; a start there would leave it nothing.
    is_open = known[-1] is None and latest >= duration_s
    scale = duration_s / (latest + (SHORTEST_S if is_open else 0.0)) if latest > duration_s or is_open else 1.0
    times: list[float | None] = [None if time is None else time * scale for time in known]
    times[0], times[-1] = 0.0, duration_s
    place = 0
    while place < len(parts):
        after = next(index for index in range(place + 1, len(times)) if times[index] is not None)
        low, high = times[place] or 0.0, times[after] or 0.0
        total = sum(weights[place:after]) or 1.0
        shares = accumulate(weights[place : after - 1])
        for index, share in zip(range(place + 1, after), shares, strict=True):
            times[index] = low + (high - low) * share / total
        place = after
    return [time or 0.0 for time in times]


def _known_times(parts: Sequence[Part]) -> list[float | None]:
    """The times that codes give the boundaries, as far as they rise from one to the next."""
    known: list[float | None] = [None] * (len(parts) + 1)
    last = 0.0
    for place, part in enumerate(parts):
        for index, time in ((place, part.start_s), (place + 1, part.end_s)):
            if time is not None and time > last:
                known[index] = last = time
    return known


def without_marks(plain: str, cutting: Cutting) -> str:
    """Return the text with every mark of cutting blanked, same length, as the end of a sentence."""
    parts, place = [], 0
    for start, end in cutting.marks:
        parts += [plain[place:start], "\n", " " * (end - start - 1)]
        place = end
    return "".join((*parts, plain[place:]))
