"""Routing: which of the operator's models makes a film, what is told before, and the grid that it is made on."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.errors import Violation
from understudy.core.request import GenerationRequest
from understudy.core.resolve import resolve
from understudy.engines.diffusion.grid import canvas_for, frames_for
from understudy.engines.diffusion.order import Workflow
from understudy.engines.diffusion.recipe import Recipe, load_recipes, recipes_of
from understudy.engines.diffusion.routing import review, route, wish_in

MODEL = load_catalogue().default_model
RECIPES = load_recipes()
H3, WAN, VACE = RECIPES["minimax-h3"], RECIPES["wan-2-2"], RECIPES["wan-vace"]
MODALITIES = {
    Role.FIRST_FRAME: Modality.IMAGE,
    Role.LAST_FRAME: Modality.IMAGE,
    Role.REFERENCE_IMAGE: Modality.IMAGE,
    Role.REFERENCE_VIDEO: Modality.VIDEO,
    Role.REFERENCE_AUDIO: Modality.AUDIO,
}


def asked(prompt: str, *roles: Role, **fields: object) -> GenerationRequest:
    text = ContentItem(modality=Modality.TEXT, value=prompt)
    items = [ContentItem(modality=MODALITIES[role], value="https://a.example/b", role=role) for role in roles]
    request = GenerationRequest(model=MODEL.id, content=(text, *items), **fields)  # type: ignore[arg-type]
    return resolve(request, MODEL)


def chosen(request: GenerationRequest, *recipes: Recipe) -> str:
    found = route(recipes, request)
    return found.message if isinstance(found, Violation) else found.recipe.id


@pytest.mark.parametrize(
    ("prompt", "roles", "workflow"),
    [
        ("A cat.", (), Workflow.TEXT),
        ("A cat.", (Role.FIRST_FRAME,), Workflow.FIRST_FRAME),
        ("A cat.", (Role.FIRST_FRAME, Role.LAST_FRAME), Workflow.FIRST_LAST_FRAME),
        ("A cat.", (Role.LAST_FRAME,), Workflow.LAST_FRAME),
        ("The cat of image 1.", (Role.REFERENCE_IMAGE,), Workflow.REFERENCES),
        ("Replace the cat in video 1 with a dog.", (Role.REFERENCE_VIDEO,), Workflow.EDIT),
        ("Extend video 1: the cat leaves.", (Role.REFERENCE_VIDEO,), Workflow.EXTEND),
        ("The cat moves as in video 1.", (Role.REFERENCE_VIDEO,), Workflow.REFERENCES),
    ],
)
def test_what_is_given_and_said_tells_the_workflow(prompt: str, roles: tuple[Role, ...], workflow: Workflow) -> None:
    assert wish_in(asked(prompt, *roles)).workflow is workflow


def test_the_first_model_that_can_do_it_does_it() -> None:
    assert chosen(asked("A cat."), WAN, VACE, H3) == "wan-2-2"
    assert chosen(asked("The cat of image 1.", Role.REFERENCE_IMAGE), WAN, VACE, H3) == "wan-vace"
    heard = asked("The cat of image 1 to audio 1.", Role.REFERENCE_IMAGE, Role.REFERENCE_AUDIO)
    assert chosen(heard, WAN, VACE, H3) == "minimax-h3"


def test_every_model_says_what_it_lacks() -> None:
    heard = asked("The cat of image 1 to audio 1.", Role.REFERENCE_IMAGE, Role.REFERENCE_AUDIO)
    told = chosen(heard, WAN, VACE)
    assert f"{WAN.model.name} makes no film from references" in told
    assert f"{VACE.model.name} takes none as references (1 audio given)" in told


def test_the_parameter_at_fault_is_named() -> None:
    short = replace(H3, model=replace(H3.model, duration_s=(4, 10)))
    found = route([short], asked("A cat.", duration_s=12))
    assert isinstance(found, Violation)
    assert found.param == "duration"
    assert "films of 4 to 10 seconds" in found.message


def test_what_is_otherwise_than_asked_is_told_and_nothing_else() -> None:
    silent, large = review([WAN], asked("A cat."), MODEL), review([H3], asked("A cat.", resolution="1080p"), MODEL)
    assert [warned.param for warned in silent.warnings] == ["generate_audio"]
    assert [warned.param for warned in large.warnings] == ["resolution"]
    assert review([H3], asked("A cat."), MODEL).warnings == ()


def test_an_edited_video_keeps_its_sound_where_the_model_makes_none() -> None:
    editing = replace(WAN, workflows=(Workflow.EDIT,), model=replace(WAN.model, videos_max=1, references_max=1))
    request = asked("Replace the cat in video 1 with a dog.", Role.REFERENCE_VIDEO)
    (told,) = review([editing], request, MODEL).warnings
    assert "has the sound of the video that is edited" in told.message


# The grid.

SIZES = [(resolution, ratio, size) for resolution, table in MODEL.sizes.items() for ratio, size in table.items()]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_every_size_has_a_canvas_that_its_model_can_make(recipe: Recipe) -> None:
    for resolution, ratio, size in SIZES:
        if resolution not in recipe.short_edge_px:
            continue
        canvas = canvas_for(recipe, size, resolution)
        multiple = recipe.model.canvas_multiple
        assert canvas.width_px % multiple == 0 == canvas.height_px % multiple, (resolution, ratio)
        assert canvas.width_px * canvas.height_px <= recipe.model.canvas_pixels_max, (resolution, ratio)
        apart = math.log(canvas.width_px / canvas.height_px) - math.log(size[0] / size[1])
        assert abs(apart) < math.log(1.09), (resolution, ratio, canvas)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
@given(num_frames=some.integers(29, 361))
def test_a_model_makes_enough_frames_and_not_a_step_more(recipe: Recipe, num_frames: int) -> None:
    facts = recipe.model
    made = frames_for(recipe, num_frames=num_frames, fps=24)
    assert (made - facts.frames.first) % facts.frames.step == 0
    # The last picture of the film is not later than the last that was made.
    assert (made - 1) / facts.fps >= (num_frames - 1) / 24
    fewer = made - facts.frames.step
    assert (fewer - 1) / facts.fps < (num_frames - 1) / 24 or fewer / facts.fps < facts.duration_s[0]


def test_the_shortest_and_the_longest_film_of_h3() -> None:
    # Source: the model's own table of seconds and frames.
    assert [frames_for(H3, num_frames=24 * seconds, fps=24) for seconds in (4, 5, 10, 15)] == [107, 124, 243, 362]


def test_a_row_of_an_operators_own_takes_what_it_does_not_say_from_another() -> None:
    own = recipes_of({"recipes": {"mine": {"like": "wan-vace", "model": "wan-vace", "usual": {"steps": 7}}}})["mine"]
    assert own.usual.steps == 7
    assert (own.plans, own.model, own.folder) == (VACE.plans, VACE.model, "mine")


def test_a_broken_row_is_named() -> None:
    with pytest.raises(ValueError, match="The recipe 'mine' is broken"):
        recipes_of({"recipes": {"mine": {"like": "wan-vace", "model": "wan-vace", "family": "none such"}}})


# An operator's own recipes are read strictly: what is misspelt would else be run as it is shipped.


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"recipees": {}}, "There are no 'recipees' in recipes"),
        ({"recipes": 3}, "a table of tables"),
        ({"recipes": {"mine": 3}}, "a table of tables"),
        ({"models": []}, "a table of tables"),
        ({"recipes": {"mine": {"like": "nothing"}}}, "like 'nothing', which there is not"),
        ({"recipes": {"wan-2-2": {"stepps": 3}}}, "'stepps', which no recipe has"),
        ({"recipes": {"wan-2-2": {"usual": {"steps": 0}}}}, "at least one step"),
        ({"recipes": {"wan-2-2": {"plans": []}}}, "needs a plan"),
    ],
)
def test_recipes_of_ones_own_that_mean_nothing_are_refused(own: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        recipes_of(own)


@pytest.mark.parametrize("content", [b"[[[", b"\xff\xfe"])
def test_a_file_of_recipes_that_is_no_toml_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "recipes.toml"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"recipes\.toml cannot be used"):
        load_recipes(str(path))
