"""The recipe in a film: what it tells, what it never tells, and how it is read again."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from understudy.cli import app
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.media import MediaFacts, Medium, Origin
from understudy.core.recipe import RECIPE_CHARS_MAX, RECIPE_TAG, NoRecipe, recipe_of, request_of
from understudy.core.request import GenerationRequest
from understudy.media.encode import FilmEncoder, FilmFormat
from understudy.media.probe import probe_film
from understudy.media.recipe import NoFilm, recipe_in, write_with_recipe
from unit.test_encode import ramp, write_film

DIGEST = "0123456789abcdef" * 4


def item(value: str = "https://media.example/a.png?signature=secret-signature") -> ContentItem:
    facts = MediaFacts(modality=Modality.IMAGE, container="png", media_type="image/png", size_bytes=1)
    medium = Medium(key=f"media/{DIGEST}.png", sha256=DIGEST, origin=Origin.WEB, facts=facts)
    return ContentItem(modality=Modality.IMAGE, value=value, role=Role.FIRST_FRAME, medium=medium)


def request(**changes: object) -> GenerationRequest:
    text = ContentItem(modality=Modality.TEXT, value='A café in 东京; "two" cats\nand rain = \\ #1')
    plain = GenerationRequest(
        model="doubao-seedance-2-0-260128",
        content=(text, item()),
        ratio="16:9",
        resolution="720p",
        duration_s=5,
        generate_audio=True,
        tools=("web_search",),
        execution_expires_after_s=172_800,
    )
    return replace(plain, **changes)


def test_a_recipe_restores_the_request():
    restored = request_of(recipe_of(request(), 7))
    image = ContentItem(modality=Modality.IMAGE, value=f"sha256:{DIGEST}", role=Role.FIRST_FRAME)
    expected = request(seed=7, execution_expires_after_s=None, content=(request().content[0], image))
    assert restored == expected


def test_a_recipe_tells_nothing_of_who_ordered_the_film_or_where_its_media_lay():
    told = request(
        callback_url="https://secret-callback.example",
        safety_identifier="secret-user",
        trace_id="secret-trace",
        draft_task_id="20261121120000-secre",
        remixed_from="20261121120000-secre",
        model_asked="secret-alias",
    )
    assert "secre" not in recipe_of(told, 7)


@pytest.mark.parametrize(
    "change",
    [
        {"priority": 9},
        {"service_tier": "flex"},
        {"execution_expires_after_s": 3600},
        {"callback_url": "https://b.example"},
        {"content": (request().content[0], item("https://elsewhere.example/the-same.png"))},
    ],
)
def test_requests_for_the_same_film_have_equal_recipes(change):
    assert recipe_of(request(**change), 7) == recipe_of(request(), 7)


@pytest.mark.parametrize(
    "change", [{"ratio": "1:1"}, {"watermark": True}, {"content": request().content[:1]}, {"frames": 29}]
)
def test_requests_for_other_films_have_other_recipes(change):
    assert recipe_of(request(**change), 7) != recipe_of(request(), 7)
    assert recipe_of(request(), 8) != recipe_of(request(), 7)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[" * 100_000,
        "{}",
        '{"recipe":2}',
        '{"recipe":1}',
        '{"recipe":1,"content":3,"model":"m"}',
        '{"recipe":1,"content":[{"type":"song"}],"model":"m"}',
        '{"recipe":1,"content":[]}',
        " " * (RECIPE_CHARS_MAX + 1),
    ],
)
def test_what_is_no_recipe_is_said_to_be_none(text):
    with pytest.raises(NoRecipe):
        request_of(text)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_a_film_carries_its_recipe_beside_its_title(tmp_path: Path, name: str):
    recipe = recipe_of(request(content=(replace(request().content[0], value="雨 " * 20_000),)), 7)
    tags = {"title": "A ramp", RECIPE_TAG: recipe}
    wanted = FilmFormat(width_px=64, height_px=64, fps=24, tags=tags, container=name[2:])
    with FilmEncoder(tmp_path / name, wanted) as encoder:
        encoder.add_frame(ramp(64, 64, 0))
    facts = probe_film(tmp_path / name)
    assert facts.metadata["title"] == "A ramp"
    assert facts.is_faststart
    assert recipe_in(tmp_path / name) == recipe


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_a_film_of_another_program_is_given_its_recipe_and_keeps_its_frames(tmp_path: Path, name: str):
    film = write_film(tmp_path / name)
    copy = tmp_path / f"copy{film.suffix}"
    write_with_recipe(film, "{}", copy)
    before, after = probe_film(film), probe_film(copy)
    assert recipe_in(copy) == "{}"
    assert replace(after, metadata={}) == replace(before, metadata={})
    assert after.metadata["title"] == "A ramp"


def test_a_film_without_a_recipe_has_none(tmp_path: Path):
    assert recipe_in(write_film(tmp_path / "a.mp4")) is None


@pytest.mark.parametrize("content", [b"", b"not a film", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"])
def test_what_is_no_film_is_said_to_be_none(tmp_path: Path, content: bytes):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(NoFilm):
        recipe_in(tmp_path / "a.mp4")


def understudy(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "understudy", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def film_of(tmp_path: Path, recipe: str) -> Path:
    film = tmp_path / "with.mp4"
    write_with_recipe(write_film(tmp_path / "a.mp4", num_frames=2), recipe, film)
    return film


def test_the_command_prints_the_recipe(tmp_path: Path):
    ended = understudy("recipe", str(film_of(tmp_path, recipe_of(request(), 7))))
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == json.loads(recipe_of(request(), 7))


def test_the_command_prints_a_request_that_can_be_sent(tmp_path: Path):
    ended = understudy("recipe", str(film_of(tmp_path, recipe_of(request(), 7))), "--to", "ark")
    assert ended.returncode == 0, ended.stderr
    body = json.loads(ended.stdout)
    assert (body["model"], body["seed"], body["ratio"]) == ("doubao-seedance-2-0-260128", 7, "16:9")
    assert body["content"][1]["image_url"]["url"] == f"sha256:{DIGEST}"
    assert "SHA-256" in ended.stderr


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("text.mp4", [], "cannot be read as an MP4"),
        ("a.mp4", [], "carries no recipe"),
        ("none.mp4", [], "none.mp4: No such file or directory."),
        ("with.mp4", [], "version"),
        ("with.mp4", ["--to", "esperanto"], "esperanto"),
    ],
)
def test_the_command_says_what_is_wrong_in_one_sentence(tmp_path: Path, name: str, options: list[str], sentence: str):
    (tmp_path / "text.mp4").write_text("no film")
    film_of(tmp_path, "{}")
    ended = CliRunner().invoke(app, ["recipe", str(tmp_path / name), *options])
    assert isinstance(ended.exception, SystemExit)
    assert ended.exit_code != 0
    assert sentence in ended.stderr
