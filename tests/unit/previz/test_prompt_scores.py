"""The planner reads the prompts of `tests/prompts/` as well as its floors say, and the scorer refuses wrong plans."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from prompt_rows import (
    ANY_MOVE,
    HALVES,
    EditWanted,
    LineWanted,
    Prompt,
    ReferenceWanted,
    TextWanted,
    floors,
    prompts_of,
)
from prompt_scores import KINDS, Tally, judged, plain, tallied, total
from understudy.core.content import Modality
from understudy.engines.previz.art import art_ids
from understudy.engines.previz.plan import (
    Action,
    CameraMove,
    Edit,
    EditKind,
    Extension,
    FilmPlan,
    Framing,
    Line,
    Particle,
    Reference,
    ReferenceUse,
    ScreenText,
    SettingKind,
    Shot,
    SoundCue,
    Subject,
    TextKind,
    TimeOfDay,
    Weather,
)
from understudy.engines.previz.planning.planner import plan_film

RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
LANGUAGES = ("en", "zh", "ja", "es", "pt", "id")
PROMPTS_PER_LANGUAGE_MIN = 40
EVERY_PROMPT = [prompt for half in HALVES for prompt in prompts_of(half)]

WANTED = Prompt(
    id="en-00",
    language="en",
    text="",
    subjects=(frozenset({"woman"}), frozenset({"dog"})),
    actions=(frozenset({"walk"}), frozenset({"run"})),
    setting=(frozenset({"beach"}),),
    time=(frozenset({"dusk"}),),
    weather=(frozenset({"wind"}),),
    particles=(frozenset({"dust"}),),
    camera=(frozenset(), frozenset({"track"})),
    framing=(frozenset({"wide"}), frozenset({"close_up"})),
    sounds=(frozenset({"waves"}),),
    style=frozenset({"anime"}),
    mood=frozenset({"calm"}),
    season=frozenset({"summer"}),
    lines=(LineWanted(text="¿Vienes?", language="es", speaker=frozenset({"image 1"}), audio=2),),
    texts=(TextWanted(text="LEVEL 2", kind=frozenset({"caption"})),),
    shots=(2,),
    starts_s=(0, 3),
    references=(ReferenceWanted(modality="image", number=1, use=frozenset({"subject"})),),
    edits=(EditWanted(kind=frozenset({"replace"}), target="car", value=frozenset({"horse"})),),
    extension="forward",
    absent=("music",),
)

WOMAN = Subject(art="woman-walking", word="woman", action=Action.WALK, images=(1,))
DOG = Subject(art="dog", word="dog", action=Action.RUN)
OPENING = Shot(
    duration_s=3,
    subjects=(WOMAN, DOG),
    setting=SettingKind.BEACH,
    time_of_day=TimeOfDay.DUSK,
    weather=Weather.WIND,
    particles=(Particle.DUST,),
    framing=Framing.WIDE,
    sounds=(SoundCue.WAVES,),
    style="anime",
    mood="calm",
    season="summer",
    texts=(ScreenText(text="Level 2", kind=TextKind.CAPTION),),
)
CLOSING = Shot(start_s=3, duration_s=2, camera=CameraMove.TRACK, framing=Framing.CLOSE_UP)
RIGHT = FilmPlan(
    prompt="",
    shots=(OPENING, CLOSING),
    lines=(Line(text="¡¿Vienes?!", language="es", speaker=0, audio=2),),
    ratio="16:9",
    duration_s=5,
    references=(Reference(modality=Modality.IMAGE, number=1, use=ReferenceUse.SUBJECT),),
    edits=(Edit(kind=EditKind.REPLACE, target="the red car", by="a white horse"),),
    extension=Extension.FORWARD,
)


def opening(**changes: object) -> FilmPlan:
    return replace(RIGHT, shots=(replace(OPENING, **changes), CLOSING))  # type: ignore[arg-type]


def closing(**changes: object) -> FilmPlan:
    return replace(RIGHT, shots=(OPENING, replace(CLOSING, **changes)))  # type: ignore[arg-type]


STYLE_IMAGE = Reference(modality=Modality.IMAGE, number=1, use=ReferenceUse.STYLE)

WRONG_PLANS: list[tuple[str, str, FilmPlan]] = [
    ("a subject that is not there", "subjects", opening(subjects=(WOMAN,))),
    ("another subject", "subjects", opening(subjects=(WOMAN, replace(DOG, art="hot-dog")))),
    ("a film camera in the picture", "subjects", closing(subjects=(Subject(art="movie-camera", word="camera"),))),
    ("another action", "actions", opening(subjects=(WOMAN, replace(DOG, action=Action.SLEEP)))),
    ("another setting", "setting", opening(setting=SettingKind.ROOM)),
    ("another time of day", "time", opening(time_of_day=TimeOfDay.DAWN)),
    ("another weather", "weather", opening(weather=Weather.CLEAR)),
    ("no particles", "particles", opening(particles=())),
    ("another camera move", "camera", closing(camera=CameraMove.ORBIT)),
    ("a camera move that nobody asked for", "camera", opening(camera=CameraMove.PAN_LEFT)),
    ("another framing", "framing", closing(framing=Framing.MEDIUM)),
    ("no sound", "sounds", opening(sounds=())),
    ("another style", "style", opening(style="noir")),
    ("another mood", "mood", opening(mood="tense")),
    ("another season", "season", opening(season="winter")),
    ("a line in another language", "lines", replace(RIGHT, lines=(replace(RIGHT.lines[0], language="en"),))),
    ("a line that nobody asked for", "lines", replace(RIGHT, lines=(*RIGHT.lines, Line(text="LEVEL 2")))),
    ("another speaker", "speakers", replace(RIGHT, lines=(replace(RIGHT.lines[0], speaker=1),))),
    ("a voice off screen", "speakers", replace(RIGHT, lines=(replace(RIGHT.lines[0], speaker=None),))),
    ("another voice", "speakers", replace(RIGHT, lines=(replace(RIGHT.lines[0], audio=0),))),
    ("a text of another kind", "texts", opening(texts=(ScreenText(text="LEVEL 2", kind=TextKind.SIGN),))),
    ("a text that nobody asked for", "texts", closing(texts=(ScreenText(text="FIN", kind=TextKind.TITLE),))),
    ("a shot too many", "shots", replace(RIGHT, shots=(OPENING, CLOSING, Shot(start_s=5, duration_s=1)))),
    ("a late cut", "cut times", closing(start_s=3.5)),
    (
        "another use of an image",
        "references",
        replace(RIGHT, references=(STYLE_IMAGE,)),
    ),
    ("an image that was not named", "references", replace(RIGHT, references=())),
    (
        "a medium that nobody named",
        "references",
        replace(
            RIGHT,
            references=(*RIGHT.references, Reference(modality=Modality.AUDIO, number=1, use=ReferenceUse.MUSIC)),
        ),
    ),
    ("an image that shows nobody", "views", opening(subjects=(replace(WOMAN, images=()), DOG))),
    ("an image that shows two", "views", opening(subjects=(replace(WOMAN, images=(1, 2)), DOG))),
    ("an edit of another thing", "edits", replace(RIGHT, edits=(replace(RIGHT.edits[0], target="the tree"),))),
    ("an edit to another thing", "edits", replace(RIGHT, edits=(replace(RIGHT.edits[0], by="a cow"),))),
    ("an edit that nobody asked for", "edits", replace(RIGHT, edits=(*RIGHT.edits, Edit(kind=EditKind.TIME)))),
    ("an extension to the other side", "extension", replace(RIGHT, extension=Extension.BACKWARD)),
    ("what the prompt forbids", "negations", opening(sounds=(SoundCue.WAVES, SoundCue.MUSIC))),
]


@cache
def plan_of(text: str) -> FilmPlan:
    return plan_film(text, ratio="adaptive", duration_s=-1, ratios=RATIOS, duration_range_s=(4, 15))


@cache
def scores(half: str) -> dict[str, Tally]:
    return tallied(verdict for prompt in prompts_of(half) for verdict in judged(prompt, plan_of(prompt.text)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("half", HALVES)
def test_the_planner_reads_as_much_as_its_floor_says(half: str, kind: str) -> None:
    tally = scores(half)[kind]
    assert tally.percent >= floors()[half][kind], f"{kind} of {half}: {tally.right} of {tally.asked}"


@pytest.mark.parametrize("half", HALVES)
def test_every_kind_has_a_floor(half: str) -> None:
    assert set(floors()[half]) == set(KINDS)


@pytest.mark.parametrize("half", HALVES)
def test_the_plans_of_other_prompts_score_low(half: str) -> None:
    prompts = prompts_of(half)
    others = [*prompts[len(prompts) // 3 :], *prompts[: len(prompts) // 3]]
    swapped = tallied(
        verdict
        for prompt, other in zip(prompts, others, strict=True)
        for verdict in judged(prompt, plan_of(other.text))
    )
    assert total(swapped).percent < total(scores(half)).percent / 2


def test_a_plan_that_is_right_misses_nothing() -> None:
    assert [verdict for verdict in judged(WANTED, RIGHT) if not verdict.is_right] == []


def test_a_plan_that_is_right_is_asked_every_kind() -> None:
    assert set(tallied(judged(WANTED, RIGHT))) == set(KINDS)


@pytest.mark.parametrize(("kind", "plan"), [case[1:] for case in WRONG_PLANS], ids=[case[0] for case in WRONG_PLANS])
def test_a_plan_is_wrong_in_what_was_spoilt(kind: str, plan: FilmPlan) -> None:
    assert kind in {verdict.kind for verdict in judged(WANTED, plan) if not verdict.is_right}


def test_every_kind_is_spoilt_by_a_wrong_plan() -> None:
    assert {case[1] for case in WRONG_PLANS} == set(KINDS)


def test_one_subject_is_not_two() -> None:
    meeting = replace(WANTED, subjects=(frozenset({"man", "person"}), frozenset({"woman", "person"})), actions=())
    alone = opening(subjects=(Subject(art="person", word="someone"),))
    assert [verdict.is_right for verdict in judged(meeting, alone) if verdict.kind == "subjects"] == [True, False]


def test_a_subject_leaves_another_the_only_one_that_suits_it() -> None:
    meeting = replace(WANTED, subjects=(frozenset({"person", "man"}), frozenset({"person"})), actions=())
    two = opening(subjects=(Subject(art="person", word="someone"), Subject(art="man", word="man")))
    assert all(verdict.is_right for verdict in judged(meeting, two) if verdict.kind == "subjects")


def test_an_image_of_a_subject_shows_it_without_art() -> None:
    given = replace(WANTED, subjects=(frozenset({"lipstick"}),), actions=())
    shown = opening(subjects=(Subject(art="", word="image 1", images=(1,)),))
    assert all(verdict.is_right for verdict in judged(given, shown) if verdict.kind == "subjects")


def test_a_volcano_is_shown_by_its_backdrop() -> None:
    erupting = replace(WANTED, subjects=(frozenset({"volcano"}),), actions=())
    backdrop = replace(opening(subjects=(), setting=SettingKind.VOLCANO), lines=())
    assert all(verdict.is_right for verdict in judged(erupting, backdrop) if verdict.kind == "subjects")


def test_a_seat_in_a_train_does_not_show_the_train() -> None:
    passing = replace(WANTED, subjects=(frozenset({"train"}),), actions=())
    inside = replace(opening(subjects=(), setting=SettingKind.TRAIN), lines=())
    assert not all(verdict.is_right for verdict in judged(passing, inside) if verdict.kind == "subjects")


def test_a_bedroom_is_a_room() -> None:
    sleeping = replace(WANTED, setting=(frozenset({"room"}),))
    asleep = opening(setting=SettingKind.BEDROOM)
    assert all(verdict.is_right for verdict in judged(sleeping, asleep) if verdict.kind == "setting")


def test_a_room_need_not_be_a_bedroom() -> None:
    sleeping = replace(WANTED, setting=(frozenset({"bedroom"}),))
    asleep = opening(setting=SettingKind.ROOM)
    assert not all(verdict.is_right for verdict in judged(sleeping, asleep) if verdict.kind == "setting")


def test_what_is_only_worn_is_not_what_the_film_is_about() -> None:
    hat = replace(WANTED, subjects=(frozenset({"top-hat"}),), actions=())
    worn = opening(subjects=(replace(WOMAN, wears=("top-hat",)),))
    assert not all(verdict.is_right for verdict in judged(hat, worn) if verdict.kind == "subjects")


def test_a_second_subject_may_be_held() -> None:
    flying = replace(WANTED, subjects=(frozenset({"woman"}), frozenset({"kite"})), actions=())
    held = opening(subjects=(replace(WOMAN, wears=("kite",)),))
    assert all(verdict.is_right for verdict in judged(flying, held) if verdict.kind == "subjects")


def test_several_images_of_one_character_are_one_subject() -> None:
    turned = replace(WANTED, views=((1, 2, 3),))
    seen = opening(subjects=(replace(WOMAN, images=(3, 1, 2)), DOG))
    assert all(verdict.is_right for verdict in judged(turned, seen) if verdict.kind == "views")


def test_a_move_beside_the_one_asked_for_is_wrong() -> None:
    tracked = replace(WANTED, camera=(frozenset({"track"}),))
    restless = opening(camera=CameraMove.ORBIT)
    assert [verdict.is_right for verdict in judged(tracked, restless) if verdict.kind == "camera"] == [False]


def test_a_move_asked_for_the_film_may_be_in_any_shot() -> None:
    tracked = replace(WANTED, camera=(frozenset({"track"}),))
    assert [verdict.is_right for verdict in judged(tracked, RIGHT) if verdict.kind == "camera"] == [True]


def test_a_camera_that_is_left_open_is_not_judged() -> None:
    assert [verdict for verdict in judged(replace(WANTED, camera=(ANY_MOVE,)), RIGHT) if verdict.kind == "camera"] == []


def test_lines_are_compared_without_case_width_and_punctuation() -> None:
    assert plain("「Ｆｕｉｓｔｅ　tú…」") == plain("fuiste tú.")


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_prompts_enough(language: str) -> None:
    assert sum(prompt.language == language for prompt in EVERY_PROMPT) >= PROMPTS_PER_LANGUAGE_MIN


@pytest.mark.parametrize("half", HALVES)
def test_the_halves_are_split_by_their_rule(half: str) -> None:
    parities = {
        (int(prompt.id.partition("-")[2]) + LANGUAGES.index(prompt.language)) % 2 for prompt in prompts_of(half)
    }
    assert parities == {1 if half == "tuning" else 0}


def test_no_prompt_is_in_both_halves() -> None:
    counts = Counter(re.sub(r"\W", "", prompt.text) for prompt in EVERY_PROMPT)
    assert [text for text, count in counts.items() if count > 1] == []


def test_a_number_is_given_once() -> None:
    assert max(Counter(prompt.id for prompt in EVERY_PROMPT).values()) == 1


WORDS: list[tuple[str, type, Callable[[Prompt], list[frozenset[str]]]]] = [
    ("actions", Action, lambda prompt: list(prompt.actions)),
    ("settings", SettingKind, lambda prompt: list(prompt.setting)),
    ("times", TimeOfDay, lambda prompt: list(prompt.time)),
    ("weathers", Weather, lambda prompt: list(prompt.weather)),
    ("particles", Particle, lambda prompt: list(prompt.particles)),
    ("cameras", CameraMove, lambda prompt: [choice for choice in prompt.camera if choice != ANY_MOVE]),
    ("framings", Framing, lambda prompt: list(prompt.framing)),
    ("sounds", SoundCue, lambda prompt: list(prompt.sounds)),
    ("texts", TextKind, lambda prompt: [text.kind for text in prompt.texts]),
    ("uses", ReferenceUse, lambda prompt: [reference.use for reference in prompt.references]),
    ("edits", EditKind, lambda prompt: [edit.kind for edit in prompt.edits]),
]


@pytest.mark.parametrize(("words", "of"), [case[1:] for case in WORDS], ids=[case[0] for case in WORDS])
def test_expectations_are_in_the_words_of_the_plan(words: type, of: Callable[[Prompt], list[frozenset[str]]]) -> None:
    known = set(words)  # type: ignore[call-overload]
    assert [(prompt.id, choice - known) for prompt in EVERY_PROMPT for choice in of(prompt) if choice - known] == []


def test_every_subject_has_art_or_is_a_figure_that_the_prompt_names() -> None:
    arts = art_ids()
    nowhere = [
        (prompt.id, choice)
        for prompt in EVERY_PROMPT
        for choice in prompt.subjects
        if not any(art == word or art.startswith(f"{word}-") for word in choice for art in arts)
    ]
    assert nowhere == []


def test_every_quoted_word_stands_in_its_prompt() -> None:
    missing = [
        (prompt.id, wanted.text)
        for prompt in EVERY_PROMPT
        for wanted in (*prompt.lines, *prompt.texts)
        if wanted.text not in prompt.text
    ]
    assert missing == []
