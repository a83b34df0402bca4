"""The vendored drawings and the search for a drawing by its name."""

import hashlib
import re
import tomllib
import xml.etree.ElementTree as ET
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import chain

import pytest

from understudy.engines.previz import art
from understudy.engines.previz.kinds import kind_of, members_of, settings_by_art
from understudy.reading import nouns
from understudy.reading.lexicon import ENUMS, LexiconError, listed, table

ASSETS = files("understudy.engines.previz") / "assets" / "art"


def test_every_drawing_is_a_whole_svg_and_holds_no_link() -> None:
    for art_id in art.art_ids():
        text = art.svg(art_id)
        assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg", art_id
        assert "<image" not in text, art_id
        assert "<script" not in text, art_id


def test_an_unknown_drawing_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        art.svg("no-such-thing")


def test_ids_are_slugs() -> None:
    assert {"otter", "cherry-blossom", "house-with-garden", "cat", "man", "automobile"} <= art.art_ids()
    assert not [art_id for art_id in art.art_ids() if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", art_id)]


def test_signs_flags_and_smileys_are_left_out() -> None:
    unwanted = re.compile(r"keycap|^flag-|-button|-arrow|oclock|aries|-square$|grinning|japanese-symbol")
    assert not [art_id for art_id in art.art_ids() if unwanted.search(art_id)]


def test_every_drawing_has_a_name_in_six_languages() -> None:
    missing = [
        (art_id, language)
        for art_id in art.art_ids()
        for language in ("en", "zh", "ja", "es", "pt", "id")
        if not nouns.words_of(art_id, language)
    ]
    assert missing == []


def test_our_own_drawings_have_names() -> None:
    drawn = {entry.name.removesuffix(".svg") for entry in (files("understudy.engines.previz") / "drawings").iterdir()}
    assert drawn <= nouns.thing_ids()


@pytest.mark.parametrize("folder", [ASSETS, files("understudy.reading") / "names"])
def test_the_manifest_names_the_files_as_they_are(folder: Traversable) -> None:
    rows = tomllib.loads((folder / "MANIFEST.toml").read_text())["file"]
    assert rows
    for row in rows:
        assert hashlib.sha256((folder / row["name"]).read_bytes()).hexdigest() == row["sha256"]
        assert (folder / row["licence_file"]).read_text()
        assert all(len(source["package_sha256"]) == 64 for source in row["source"])


@pytest.mark.parametrize(
    ("words", "language", "expected"),
    [
        ("otter", "en", "otter"),
        ("Otters", "en", "otter"),
        ("a baby sea otter", "en", "otter"),
        ("cherry blossoms", "en", "cherry-blossom"),
        ("garden house", "en", "house-with-garden"),
        ("geese", "en", "goose"),
        ("wolves", "en", "wolf"),
        ("beret", "en", "womans-hat"),
        ("samurai", "en", "ninja"),
        ("seagulls", "en", "dove"),
        ("saturn", "en", "ringed-planet"),
        ("水獭", "zh", "otter"),
        ("可爱的小海獭", "zh", "otter"),
        ("宇航员", "zh", "astronaut"),
        ("カワウソ", "ja", "otter"),
        ("かわいい子猫", "ja", "cat"),
        ("nutrias", "es", "otter"),
        ("gatos negros", "es", "black-cat"),
        ("leões", "pt", "lion"),
        ("berang-berang", "id", "otter"),
        ("kucing lucu", "id", "cat"),
    ],
)
def test_a_noun_finds_its_drawing(words: str, language: str, expected: str) -> None:
    assert nouns.find_art(words, language) == expected


@pytest.mark.parametrize("words", ["", "   ", "grumblefoot", "the", "—", "animal"])
def test_a_word_without_a_drawing_finds_none(words: str) -> None:
    assert nouns.find_art(words, "en") is None


def test_a_name_beats_a_keyword() -> None:
    # "fish" is also a keyword of the fishing pole, "horse" of horse racing.
    assert nouns.find_art("fish", "en") == "fish"
    assert nouns.find_art("horse", "en") == "horse"


def test_an_emoji_names_its_drawing() -> None:
    assert nouns.emoji_art()["🦦"] == "otter"


def test_every_value_of_an_enumeration_has_words_in_english_and_chinese() -> None:
    for name, members in ENUMS.items():
        if name in ("camera_verb", "implied_setting"):
            continue
        rows = {row.value: row for row in table(name)}
        assert {str(member) for member in members} == set(rows), name
        assert all(row.words.get("en") and row.words.get("zh") for row in rows.values()), name


def test_every_drawing_that_the_lexicon_names_is_there() -> None:
    cells = chain(listed("setting", "props").values(), listed("setting", "implied_by").values())
    kinds = listed("kind", "members").values()
    named = {art_id for cell in chain(cells, kinds) for art_id in cell if not art_id.endswith("*")}
    assert named - art.art_ids() == set()
    assert nouns.curated("en")
    assert settings_by_art()["astronaut"] == "space"


def test_a_row_of_no_such_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENUMS, "season", ENUMS["weather"])  # type: ignore[index]
    table.cache_clear()
    with pytest.raises(LexiconError, match="spring is not one of"):
        table("season")
    monkeypatch.undo()
    table.cache_clear()


def test_kinds_tell_the_living_from_things() -> None:
    assert kind_of("otter").is_living
    assert kind_of("").is_living
    assert not kind_of("womans-hat").is_living
    assert "man-astronaut" in members_of(("man-*",))
