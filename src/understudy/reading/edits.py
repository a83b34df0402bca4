"""What a prompt wants changed in a given video, and whether it is to go on from one.

Everything an edit does not name stays as it is, so what is read here has to be said plainly: a verb of changing, what
it changes, what takes its place. The sentences are few; each language has its own order of words.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from understudy.core.content import Modality
from understudy.reading.edit_words import (
    ARTICLES,
    BACKGROUND,
    CLAUSE,
    COLOUR_OF,
    IN_VIDEO,
    MARK,
    PATTERNS,
    RELATIVE,
    STYLE_WORD,
    TAIL,
    TEXT_WORD,
    WHOLE,
)
from understudy.reading.lexicon import listed
from understudy.reading.meanings import Edit, EditKind, Extension, ReferenceUse, TimeOfDay, Weather
from understudy.reading.nouns import find_art
from understudy.reading.phrases import Piece, Vocabulary, pieces_of
from understudy.reading.quotations import Quotation
from understudy.reading.references import FIRST_MARK, Naming
from understudy.reading.spotting import level, spots

EDITS_MAX = 8
CLAUSE_MAX = 300
"""What is longer is no order to change something; every way to read it would be tried."""
_WHOLE_MAX = 40
_KIND_OF_LOOK = {
    "style": EditKind.STYLE,
    "setting": EditKind.BACKGROUND,
    "weather": EditKind.WEATHER,
    "particles": EditKind.PARTICLES,
    "time": EditKind.TIME,
}
_OF_THE_AIR = (EditKind.WEATHER, EditKind.PARTICLES, EditKind.TIME)
_LOOKS = frozenset({*_KIND_OF_LOOK, "season"})
_AIR = frozenset({"time", "weather", "season", "particles"})
_IT = re.compile(r"\b(?:it|scene|footage|clip|everything)\b|画面|整体|全体|映像")
# "Remove everything except the car" takes away what nobody named.
_EXCEPT = re.compile(r"\b(?:except|but)\b|除了|以外")


_Part = tuple[str, int, int]
"""A piece of a clause, and where it starts and ends in the prompt."""
_GAP = re.compile(r"\s{2,}")


def _narrowed(clause: str) -> tuple[str, list[int]]:
    """Return the clause with one blank for each gap, and the old place of each letter: wide gaps take ages to match."""
    kept = [True] * len(clause)
    for gap in _GAP.finditer(clause):
        kept[gap.start() + 1 : gap.end()] = [False] * (gap.end() - gap.start() - 1)
    places = [place for place, is_kept in enumerate(kept) if is_kept]
    return "".join(clause[place] for place in places), places


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
        for end, after in [*((cut.start(), cut.end()) for cut in CLAUSE.finditer(leveled)), (len(leveled),) * 2]:
            clause = leveled[start : min(end, start + CLAUSE_MAX)]
            for naming in self._namings:
                if start <= naming.start < end and naming.modality is Modality.VIDEO:
                    self._video = naming.numbers[0]
            if clause.strip():
                found += [edit for edit in self._edits_of(clause, start) if edit not in found]
            start = after
        return found

    def _edits_of(self, clause: str, offset: int) -> list[Edit]:
        own = self._vocabularies[0].language
        clause, places = _narrowed(clause)
        for kind, pattern in PATTERNS:
            # A character of Chinese grammar is any character in Japanese.
            if own in ("zh", "ja") and _script_of(pattern) not in ("", own):
                continue
            match = pattern.search(clause)
            if match is None:
                continue
            parts = {
                name: (text, offset + places[match.start(name)], offset + places[match.end(name) - 1] + 1)
                for name, text in match.groupdict().items()
                if text
            }
            if edits := self._judged(kind, parts):
                return edits
        return self._by_its_look(clause)

    def _by_its_look(self, clause: str) -> list[Edit]:
        """An order that names nothing but how the picture is to look: "video 1, but at night", "let it snow"."""
        pieces = pieces_of(re.sub(MARK, " ", clause), self._vocabularies)
        names_things = any("art" in piece.meanings and not _LOOKS & piece.meanings.keys() for piece in pieces)
        is_order = bool(spots(clause, "change")) and (re.search(MARK, clause) is not None or _IT.search(clause))
        if names_things or not is_order:
            return []
        said = " ".join(piece.text for piece in pieces if _LOOKS & piece.meanings.keys())
        return self._looks(self._meanings(clause), said=said)

    def _looks(self, meanings: Mapping[str, tuple[str, ...]], *, said: str, image: int = 0) -> list[Edit]:
        """One edit for each way in which the whole picture is to look; a season brings its weather or its leaves."""
        values = {name: values[0] for name, values in meanings.items() if name in _LOOKS}
        if values.get("weather") == Weather.CLEAR and values.get("time") == TimeOfDay.DAY:
            # "Sunny" is both in one word.
            del values["time"]
        for name in ("weather", "particles"):
            brought = listed("season", name).get(values.get("season", ""), ())
            if brought and not values.keys() & {"weather", "particles"}:
                values[name] = brought[0]
        kinds = ((name, kind) for name, kind in _KIND_OF_LOOK.items() if name in values)
        return [Edit(kind=kind, video=self._video, value=values[name], by=said, image=image) for name, kind in kinds]

    def _judged(self, kind: str, parts: Mapping[str, _Part]) -> list[Edit]:
        target, by = parts.get("target", ("", 0, 0)), parts.get("by", ("", 0, 0))
        aim, place = self._aim(target[0]), self._place(target[0] + " " + by[0])
        if kind.startswith("remove"):
            is_thing = kind == "remove" or self._art(aim, self._meanings(target[0])) != ""
            is_left = _EXCEPT.search(target[0]) is not None
            gone = Edit(kind=EditKind.REMOVE, video=self._video, target=aim, place=place)
            return [gone] if aim and is_thing and not is_left else []
        is_added = kind.startswith("insert")
        meanings = self._meanings(RELATIVE.sub("", by[0]) if is_added else by[0]) or self._meanings(by[0])
        image = self._image(by)
        quoted = self._quoted(by) or (self._quoted(target) if is_added else "")
        said = self._said(RELATIVE.sub("", by[0]) or by[0])
        if quoted and (is_added or TEXT_WORD.search(target[0]) or "art" not in meanings):
            return [Edit(kind=EditKind.TEXT, video=self._video, target=aim, by=quoted, value=quoted, place=place)]
        is_whole = self._is_whole(target[0])
        if looks := self._whole_picture(target[0], by[0], meanings=meanings, is_whole=is_whole, is_added=is_added):
            return [replace(look, by=said, image=image) for look in looks]
        if not said and not image:
            return []
        if is_added and not image and "setting" in meanings and "art" not in meanings:
            return [Edit(kind=EditKind.BACKGROUND, video=self._video, by=said, value=meanings["setting"][0])]
        if is_added and not image and "art" not in meanings and not self._is_seen(said):
            return []
        if is_added or kind == "give":
            where = aim if kind == "give" else self._said(parts.get("where", ("", 0, 0))[0])
            thing = self._art(said, meanings)
            return [
                Edit(
                    kind=EditKind.INSERT, video=self._video, target=where, by=said, art=thing, image=image,
                    value=thing, place=place,
                )
            ]  # fmt: skip
        return self._exchanged(aim, said, meanings=meanings, image=image, place=place, is_whole=is_whole, of=target[0])

    def _exchanged(  # tidy: what is exchanged, for what, and where each was read
        self,
        aim: str,
        said: str,
        *,
        meanings: Mapping[str, tuple[str, ...]],
        image: int,
        place: str,
        is_whole: bool,
        of: str,
    ) -> list[Edit]:
        """Another colour, another background, or something else in its place."""
        if "colour" in meanings and aim and not image and (len(meanings) == 1 or self._is_colour(said)):
            return [Edit(kind=EditKind.RECOLOUR, video=self._video, target=aim, by=said, value=meanings["colour"][0])]
        if BACKGROUND.search(of) or (is_whole and "setting" in meanings and not image):
            value = meanings.get("setting", (said,))[0]
            behind = Edit(kind=EditKind.BACKGROUND, video=self._video, by=said, value=value, image=image)
            # What is only behind the subjects does not light them.
            looks = [] if BACKGROUND.search(of) else self._looks(meanings, said=said)
            return [behind, *(look for look in looks if look.kind in _OF_THE_AIR)]
        if self._says_nothing(said) and not image:
            return []
        if not aim or (is_whole and not image and "art" not in meanings):
            return []
        thing = self._art(said, meanings)
        return [
            Edit(
                kind=EditKind.REPLACE, video=self._video, target=aim, by=said, art=thing, image=image, place=place,
            )
        ]  # fmt: skip

    def _whole_picture(
        self, target: str, by: str, *, meanings: Mapping[str, tuple[str, ...]], is_whole: bool, is_added: bool
    ) -> list[Edit]:
        """A change of the whole picture: its style, time, weather or what drifts through it."""
        if "style" in meanings and (is_whole or STYLE_WORD.search(target + " " + by)):
            return [Edit(kind=EditKind.STYLE, video=self._video, value=meanings["style"][0])]
        if STYLE_WORD.search(by) and is_whole and not is_added:
            return [Edit(kind=EditKind.STYLE, video=self._video, value=self._said(by))]
        if not (is_added or (is_whole and ("art" not in meanings or meanings.keys() & {"time", "weather"}))):
            return []
        looks = [look for look in self._looks(meanings, said="") if look.kind in _OF_THE_AIR]
        if is_added and "art" in meanings:
            looks = [look for look in looks if look.kind is not EditKind.TIME]
        return looks

    def _is_whole(self, target: str) -> bool:
        """Whether the words mean the whole picture, or its light or weather: "the scene", "the day in video 1"."""
        if len(target) > _WHOLE_MAX:
            return False
        if WHOLE.match(target) is not None:
            return True
        pieces = [piece for piece in pieces_of(re.sub(MARK, " ", target), self._vocabularies) if piece.sort != "mark"]
        said = [piece for piece in pieces if "role" not in piece.meanings]
        return bool(said) and all(_AIR & piece.meanings.keys() for piece in said)

    def _aim(self, text: str) -> str:
        """What is changed, without "the colour of": that it is its colour, the new colour says."""
        return self._said(COLOUR_OF.sub("", text.strip()))

    def _meanings(self, text: str) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for piece in pieces_of(re.sub(MARK, " ", text), self._vocabularies):
            for name, values in _told_by(piece):
                found.setdefault(name, values)
        return found

    def _says_nothing(self, said: str) -> bool:
        """Whether only small words are left, "el": what comes in was not read."""
        return all("role" in piece.meanings for piece in pieces_of(said, self._vocabularies))

    def _is_seen(self, said: str) -> bool:
        """Whether words that name no drawing still mean a thing: in "add more tension" nothing is seen."""
        is_thin = any(piece.means("role", "thin") for piece in pieces_of(said, self._vocabularies))
        return not is_thin and self._art(said, {}) != ""

    def _is_colour(self, said: str) -> bool:
        pieces = pieces_of(said, self._vocabularies)
        return bool(pieces) and all("colour" in piece.meanings or not piece.meanings for piece in pieces)

    def _art(self, said: str, meanings: Mapping[str, tuple[str, ...]]) -> str:
        return meanings["art"][0] if "art" in meanings else find_art(said, self._vocabularies[0].language) or ""

    def _said(self, text: str) -> str:
        plain = IN_VIDEO.sub(self._blank_video, text.replace("\x00", " "))
        plain = re.sub(
            rf"\s*(?:(?:from|of|de la|del|da|do|dari|di|in)\s+|(?<=[\u3040-\u9fff])中?的)?{MARK}\s*(?:中的"
            rf"|里的|の中の|の|的)?",
            " ",
            plain,
        )
        plain = re.sub(r"\s+", " ", plain).strip(" :：\"'“”把将")
        return TAIL.sub("", ARTICLES.sub("", plain)).strip()

    def _blank_video(self, match: re.Match[str]) -> str:
        place = ord(match["mark"]) - FIRST_MARK
        is_video = place < len(self._namings) and self._namings[place].modality is Modality.VIDEO
        return " " if is_video else match[0]

    def _image(self, part: _Part) -> int:
        _, start, end = part
        return next(
            (
                naming.numbers[0]
                for naming in self._namings
                if naming.modality is Modality.IMAGE and start <= naming.start < end
            ),
            0,
        )

    def _quoted(self, part: _Part) -> str:
        _, start, end = part
        inside = (quotation for quotation in self._quotations if start <= quotation.start < end)
        return next((quotation.text for quotation in inside), "")

    @staticmethod
    def _place(text: str) -> str:
        return next((spot.value for spot in spots(text, "place")), "")


@cache
def _told() -> tuple[str, ...]:
    return ("setting", "time", "weather", "season", "particles", "style", "colour", "art")


def _told_by(piece: Piece) -> list[tuple[str, tuple[str, ...]]]:
    return [(name, values) for name, values in piece.meanings.items() if name in _told()]
