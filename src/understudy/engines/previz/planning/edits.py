"""What a prompt wants changed in a given video, and whether it is to go on from one.

Everything an edit does not name stays as it is, so what is read here has to be said plainly: a verb of changing, what
it changes, what takes its place. The sentences are few; each language has its own order of words.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from understudy.core.content import Modality
from understudy.engines.previz.art import find_art
from understudy.engines.previz.plan import Edit, EditKind, Extension, ReferenceUse
from understudy.engines.previz.planning.phrases import Piece, Vocabulary, pieces_of
from understudy.engines.previz.planning.quotations import Quotation
from understudy.engines.previz.planning.references import FIRST_MARK, Naming
from understudy.engines.previz.planning.spotting import level, spots

EDITS_MAX = 8
CLAUSE_MAX = 300
"""What is longer is no order to change something; every way to read it would be tried."""
_WHOLE_MAX = 40

_MARK = r"[\uE000-\uF8FF]"
_IN_VIDEO = re.compile(
    rf"\s*(?:(?<![a-z0-9])(?:in|from|of|on|into|to|at|del|de la|de|en el|en|do|da|no|na|em|di|dari"
    rf"|pada|ke|dalam|在|从)\s+){{0,4}}(?:the\s+)?"
    rf"(?P<mark>{_MARK})\s*(?:里面|里|中|的|上|画面|から|の中|の|に|で)*"
)
_ARTICLES = re.compile(
    r"^(?:(?:the|a|an|some|el|la|los|las|un|una|unos|unas|al|o|os|as|um|uma|sebuah"
    r"|seekor|seorang|一个|一只|一匹|一辆|一位|一件|那个|这个"
    r"|them|it|this|that|its|his|her|their|su|seu|sua|todo|toda|all|entire|whole|整个"
    r"|所有)(?:\s+|(?=[\u3040-\u9fff])))+"
)
_TAIL = re.compile(
    r"\s*(?:please|instead|only|por favor|tolong|saja|的?效果|ください|下さい|してほしい"
    r"|吧|即可|一下|effect|look)?[\s.,，。!！]*$"
)

_TO_EN = r"(?:in)?to\s+(?:be\s+)?|with\s+|by\s+|for\s+"
_VERBS_EN = (
    r"replace|swap|substitute|exchange|change|turn|transform|convert|make|switch|recolou?r"
    r"|restyle|relight|set|modify|edit|remove|delete|erase|get rid of|take out|add"
    r"|insert|put|place"
)
_VERBS_ROMANCE = (
    r"reemplaz|sustitu|substitu|cambi|conviert|convert|transform|troqu|troca|mud[ea]"
    r"|alter|elimin|quit[ae]|borra|remov|apagu|retir"
    r"|exclu|anad|agreg|adicion|acrescent|insert|insir|coloqu|coloca|pon\b|pinta|pinte|haz|faca|deixe|torn"
)
_VERBS_ID = r"ganti|ubah|tukar|hapus|hilangkan|buang|tambah|sisipkan|masukkan|jadikan|buat"
_CLAUSE = re.compile(
    rf"[.!?;。！？；\n,，、]|(?<=[^\s]):\s|：|\s(?:and|then|y|e|dan|lalu|luego|depois)\s+(?:then\s+)?(?="
    rf"(?:{_VERBS_EN})\b|(?:{_VERBS_ROMANCE})|(?:{_VERBS_ID}))"
    r"|并且|并|然后|同时|再(?=把|将|加|添)"
)

_PATTERNS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("change", rf"\b(?:replace|swap|substitute|exchange)s?\s+(?:out\s+)?(?P<target>.+?)\s+(?:{_TO_EN})(?P<by>.+)"),
        ("change",
            (r"\b(?:change|turn|transform|convert|switch|recolou?r|restyle|set|modify|edit|repaint"
            r"|dye)s?\s+(?P<target>.+?)\s+(?:in)?to\s+(?:be\s+)?(?P<by>.+)")),
        ("change",
            (r"\b(?:make|turn|paint|dye|recolou?r|colou?r)s?\s+(?P<target>(?:the\s+|his\s+|her\s+"
            r"|its\s+)?(?:\w+\s+){0,3}?(?:\w+|[\uE000-\uF8FF]))\s+(?:look\s+(?:like\s+)?|into\s+)?(?P<by>\S.*)")),
        ("change", r"\bgive\s+(?P<target>.+?)\s+(?P<by>(?:an?|some)\s+.+)"),
        ("remove", r"\b(?:remove|delete|erase|get rid of|take out|take away)s?\s+(?P<target>.+)"),
        ("insert", r"\b(?:add|insert|put|place|include|introduce)s?\s+(?P<by>.+)"),
        ("change",
            (r"(?:把|将|使|让|用)?(?P<target>.+?)(?:都|全部|整体)?(?:替换成|替换为|更换为|更换成"
            r"|换成|换为|变换为|改成|改为|修改为|修改成|变成|变为|转换为|转换成|转为|转成|染成"
            r"|调成|调整为|替换)(?:了)?(?P<by>.+)")),
        ("change_from", r"用(?P<by>.+?)(?:替换|替代|代替|取代)(?:掉)?(?P<target>.+)"),
        ("remove", r"(?:去掉|去除|移除|删除|删掉|擦除|消除|抹去|抹掉)(?P<target>.+)"),
        ("remove", r"(?:把|将)(?P<target>.+?)(?:去掉|去除|移除|删除|删掉|擦除|消除|抹去|抹掉)"),
        ("insert", r"(?:添加|加上|增加|加入|插入|放上|新增|添上|放入|放置|加)(?:一些|了)?(?P<by>.+)"),
        ("insert_in", r"(?:给|为|在)(?P<where>.+?)(?:添加|加上|增加|加入|插入|放上|戴上|穿上|加)(?P<by>.+)"),
        ("change",
            (r"(?P<target>.+?)(?:を|は)(?P<by>.+?)(?:に|へ|と)(?:置き換え|置換|変え|変更|替え"
            r"|入れ替え|差し替え|変換|すり替え|塗り替え|して|する|変わ|染め)")),
        ("remove", r"(?P<target>.+?)を(?:削除|消し|消す|消去|取り除|除去|なくし)"),
        ("insert", r"(?P<by>.+?)を(?:追加|加え|入れ|足し|足す|挿入|合成|置い|配置)"),
        ("change_all", r"^(?P<by>[^をは]+?)に(?:して|する|変え|変更)"),
        ("change",
            (r"\b(?:reemplaz\w+|sustitu\w+|substitu\w+|troqu?\w+|cambi\w+)\s+(?P<target>.+?)\s+(?:por"
            r"|con|com)\s+(?P<by>.+)")),
        ("change",
            (r"\b(?:cambi\w+|conviert\w+|convert\w+|transform\w+|mud\w+|alter\w+|pint\w+|torn\w+"
            r"|deix\w+|haz|faca|pon)\s+(?P<target>.+?)\s+(?:a|al|en|em|para|de|num|numa)\s+(?P<by>.+)")),
        ("change_all",
            (r"\b(?:conviert\w+|convert\w+|transform\w+|haz|faca|deix\w+|mud\w+)(?:lo|la|e-o)?\s+(?:que\s+sea\s+"
            r"|em\s+|en\s+|para\s+|a\s+)(?P<by>.+)")),
        ("remove", r"\b(?:elimin\w+|quit[ae]\w*|borr[ae]\w*|remov\w+|apagu\w+|retir\w+|exclu\w+)\s+(?P<target>.+)"),
        ("insert",
            (r"\b(?:anad\w+|agreg\w+|adicion\w+|acrescent\w+|insert\w+|insir\w+|coloqu\w+|coloc\w+"
            r"|pon)\s+(?P<by>.+)")),
        ("change",
            (r"\b(?:ganti\w*|ubah\w*|tukar\w*|jadikan|buat)\s+(?P<target>.+?)\s+(?:dengan|menjadi"
            r"|jadi|ke)\s+(?P<by>.+)")),
        ("remove", r"\b(?:hapus\w*|hilangkan|buang|singkirkan)\s+(?P<target>.+)"),
        ("insert", r"\b(?:tambah\w*|sisipkan|masukkan|letakkan)\s+(?P<by>.+)"),
        ("change_all", r"\b(?:jadikan|buat)\s+(?P<by>.+)"),
    )
)  # fmt: skip
_BACKGROUND = re.compile(
    r"\b(?:background|backdrop|fondo|fundo|latar(?: belakang)?|sky|setting|scene|escenario|cenario)\b|背景|场景|天空"
)
_STYLE_WORD = re.compile(r"\b(?:style|estilo|gaya|look|aesthetic|filter)\b|风格|画风|スタイル|風|滤镜")
_TEXT_WORD = re.compile(
    r"\b(?:text|title|caption|subtitle|words?|slogan|texto|titulo|legenda|teks|judul"
    r"|tulisan)\b|文字|字幕|标题|テキスト|字样|テロップ"
)
_WHOLE = re.compile(
    rf"^(?:(?:the|whole|entire|all|el|la|o|a|todo|toda|整个|整段|it|everything|this"
    rf"|of|scene|footage|把|将|style|estilo|gaya|do|del|de|em|"
    rf"画面|整体|风格|スタイル|time of day|weather|lighting|天气|时间|light|clima|tempo"
    rf"|hora|cuaca|waktu|天候|時間|全体|の)\s*|{_MARK}|\s|的|video|clip|视频|動画)*$"
)
_RELATIVE = re.compile(
    r"\s+(?:to|in|into|on|onto|at|above|over|below|under|near|behind|beside|next to"
    r"|flying|standing|sitting|walking|running|from"
    r"|en|sobre|encima|arriba|abajo|volando|al|a la|na|no|em|voando|terbang|di|ke|pada|dari|yang|from|with)\s.*$"
)


@cache
def _script_of(pattern: re.Pattern[str]) -> str:
    """The language whose script a pattern is written in: "ja" by its kana, "zh" by its characters alone, else ""."""
    if re.search("[\u3040-\u30ff]", pattern.pattern):
        return "ja"
    return "zh" if re.search("[\u4e00-\u9fff]", pattern.pattern) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is wanted of given videos. edits: in the prompt's order. extension: None = not asked for."""

    edits: tuple[Edit, ...] = ()
    extension: Extension | None = None


def wanted_of(
    marked: str,
    namings: Sequence[Naming],
    quotations: Sequence[Quotation],
    *,
    vocabularies: Sequence[Vocabulary],
    videos: int | None,
) -> Wanted:
    """Read edits and extension. marked: quotations blanked, media as marks. videos: how many there are, None = unknown.

    Without a video that could be changed nothing is asked for: "add snow" is then said of the film itself.
    """
    sources = [naming for naming in namings if naming.modality is Modality.VIDEO and naming.use in _SOURCE_USES]
    named = any(naming.modality is Modality.VIDEO for naming in namings)
    if not sources and (named or not videos):
        return Wanted()
    number = sources[0].numbers[0] if sources else 1
    extension = _extension(level(marked), sources)
    reading = _Reading(namings, quotations, vocabularies, video=number)
    found = [] if extension is not None else reading.edits(marked)
    return Wanted(edits=tuple(found[:EDITS_MAX]), extension=extension)


_SOURCE_USES = (None, ReferenceUse.SOURCE, ReferenceUse.STYLE, ReferenceUse.SETTING)


def _extension(leveled: str, sources: Sequence[Naming]) -> Extension | None:
    said = {spot.value for spot in spots(leveled, "extension")}
    verbs = [spot for spot in spots(leveled, "extension") if spot.value == "extend"]
    places = [naming.start for naming in sources]
    # "Continue" is said of many things; of a video it stands close by.
    is_near = any(
        abs(spot.start - place) < _NEAR or abs(place - spot.end) < _NEAR for spot in verbs for place in places
    )
    if not verbs or (places and not is_near):
        return None
    first = next((spot.value for spot in spots(leveled, "extension") if spot.value != "extend"), "forward")
    return Extension.BACKWARD if "backward" in said and first == "backward" else Extension.FORWARD


_NEAR = 24


class _Reading:
    """Reads the clauses of a prompt about a video."""

    def __init__(
        self,
        namings: Sequence[Naming],
        quotations: Sequence[Quotation],
        vocabularies: Sequence[Vocabulary],
        *,
        video: int,
    ) -> None:
        self._namings, self._quotations, self._vocabularies = namings, quotations, vocabularies
        self._video = video

    def edits(self, marked: str) -> list[Edit]:
        leveled = level(marked)
        found: list[Edit] = []
        start = 0
        for end, after in [*((cut.start(), cut.end()) for cut in _CLAUSE.finditer(leveled)), (len(leveled),) * 2]:
            clause = leveled[start : min(end, start + CLAUSE_MAX)]
            for naming in self._namings:
                if start <= naming.start < end and naming.modality is Modality.VIDEO:
                    self._video = naming.numbers[0]
            edit = self._edit(clause, start)
            if edit is not None and edit not in found:
                found.append(edit)
            start = after
        return found

    def _edit(self, clause: str, offset: int) -> Edit | None:
        own = self._vocabularies[0].language
        for kind, pattern in _PATTERNS:
            # A character of Chinese grammar is any character in Japanese.
            if own in ("zh", "ja") and _script_of(pattern) not in ("", own):
                continue
            match = pattern.search(clause)
            if match is None:
                continue
            parts = {name: (text or "", offset + match.start(name)) for name, text in match.groupdict().items() if text}
            edit = self._judged(kind, parts)
            if edit is not None:
                return edit
        return None

    def _judged(self, kind: str, parts: Mapping[str, tuple[str, int]]) -> Edit | None:
        target, by = parts.get("target", ("", 0)), parts.get("by", ("", 0))
        aim, place = self._said(target[0]), self._place(target[0] + " " + by[0])
        if kind == "remove":
            return Edit(kind=EditKind.REMOVE, video=self._video, target=aim, place=place) if aim else None
        meanings = self._meanings(by[0])
        image = self._image(by)
        quoted = self._quoted(by) or (self._quoted(target) if kind.startswith("insert") else "")
        said = self._said(_RELATIVE.sub("", by[0]) or by[0])
        if quoted and (kind.startswith("insert") or _TEXT_WORD.search(target[0])):
            return Edit(kind=EditKind.TEXT, video=self._video, target=aim, by=quoted, value=quoted, place=place)
        is_whole = len(target[0]) <= _WHOLE_MAX and _WHOLE.match(target[0]) is not None
        whole = self._whole_picture(kind, target[0], by[0], meanings=meanings, is_whole=is_whole)
        if whole is not None:
            return Edit(kind=whole[0], video=self._video, value=whole[1], by=said, image=image)
        if not said and not image:
            return None
        if kind.startswith("insert"):
            return Edit(
                kind=EditKind.INSERT, video=self._video, target=self._said(parts.get("where", ("", 0))[0]), by=said,
                art=self._art(said, meanings), image=image, value=self._art(said, meanings), place=place,
            )  # fmt: skip
        if _BACKGROUND.search(target[0]):
            value = meanings.get("setting", (said,))[0]
            return Edit(kind=EditKind.BACKGROUND, video=self._video, by=said, value=value, image=image)
        if "colour" in meanings and aim and not image and (len(meanings) == 1 or self._is_colour(said)):
            return Edit(kind=EditKind.RECOLOUR, video=self._video, target=aim, by=said, value=meanings["colour"][0])
        if not aim or (is_whole and not image and "art" not in meanings):
            return None
        return Edit(
            kind=EditKind.REPLACE, video=self._video, target=aim, by=said, art=self._art(said, meanings), image=image,
            place=place,
        )  # fmt: skip

    def _whole_picture(
        self, kind: str, target: str, by: str, *, meanings: Mapping[str, tuple[str, ...]], is_whole: bool
    ) -> tuple[EditKind, str] | None:
        """A change of the whole picture: its style, time, weather or what drifts through it."""
        if "style" in meanings and (is_whole or _STYLE_WORD.search(target + " " + by)):
            return EditKind.STYLE, meanings["style"][0]
        if _STYLE_WORD.search(by) and is_whole and not kind.startswith("insert"):
            return EditKind.STYLE, self._said(by)
        is_added = kind.startswith("insert")
        if not (is_added or (is_whole and ("art" not in meanings or meanings.keys() & {"time", "weather"}))):
            return None
        for table, edit in (("weather", EditKind.WEATHER), ("particles", EditKind.PARTICLES), ("time", EditKind.TIME)):
            if table in meanings and not (is_added and "art" in meanings and table == "time"):
                return edit, meanings[table][0]
        return None

    def _meanings(self, text: str) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for piece in pieces_of(re.sub(_MARK, " ", text), self._vocabularies):
            for name, values in _told_by(piece):
                found.setdefault(name, values)
        return found

    def _is_colour(self, said: str) -> bool:
        pieces = pieces_of(said, self._vocabularies)
        return bool(pieces) and all("colour" in piece.meanings or not piece.meanings for piece in pieces)

    def _art(self, said: str, meanings: Mapping[str, tuple[str, ...]]) -> str:
        return meanings["art"][0] if "art" in meanings else find_art(said, self._vocabularies[0].language) or ""

    def _said(self, text: str) -> str:
        plain = _IN_VIDEO.sub(self._blank_video, text.replace("\x00", " "))
        plain = re.sub(
            rf"\s*(?:(?:from|of|de la|del|da|do|dari|di|in)\s+|(?<=[\u3040-\u9fff])中?的)?{_MARK}\s*(?:中的"
            rf"|里的|の中の|の|的)?",
            " ",
            plain,
        )
        plain = re.sub(r"\s+", " ", plain).strip(" :：\"'“”把将")
        return _TAIL.sub("", _ARTICLES.sub("", plain)).strip()

    def _blank_video(self, match: re.Match[str]) -> str:
        place = ord(match["mark"]) - FIRST_MARK
        is_video = place < len(self._namings) and self._namings[place].modality is Modality.VIDEO
        return " " if is_video else match[0]

    def _image(self, part: tuple[str, int]) -> int:
        text, offset = part
        return next(
            (
                naming.numbers[0]
                for naming in self._namings
                if naming.modality is Modality.IMAGE and offset <= naming.start < offset + len(text)
            ),
            0,
        )

    def _quoted(self, part: tuple[str, int]) -> str:
        text, offset = part
        inside = (quotation for quotation in self._quotations if offset <= quotation.start < offset + len(text))
        return next((quotation.text for quotation in inside), "")

    @staticmethod
    def _place(text: str) -> str:
        return next((spot.value for spot in spots(text, "place")), "")


@cache
def _told() -> tuple[str, ...]:
    return ("setting", "time", "weather", "particles", "style", "colour", "art")


def _told_by(piece: Piece) -> list[tuple[str, tuple[str, ...]]]:
    return [(name, values) for name, values in piece.meanings.items() if name in _told()]
