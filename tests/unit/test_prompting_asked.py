"""A language model may put a prompt into a model's form, and what it may not do is not taken."""

import json

import pytest

from chat_model import Answer, chat_model, saying
from prompting_orders import H3, LTX, adapted, frames, references
from understudy.core.content import Role
from understudy.core.render import LanguageModel
from understudy.engines.diffusion.prompting import Adapted, GivenMedium
from understudy.engines.diffusion.recipe import PromptForm

PROMPT = 'The girl of image 1 says: "Good morning." She walks away.'
BY_RULE = "The prompt was put into the model's form by rule: the language model gave none that could be used ("


def told(
    prompt: str, answer: Answer, *, form: PromptForm = H3, media: tuple[GivenMedium, ...] = ()
) -> tuple[Adapted, list[dict[str, object]]]:
    """What comes of a prompt when the language model gives this answer, and what it was asked."""
    with chat_model(answer) as model:
        lent = LanguageModel(url=model.url, model="small", timeout_s=10.0)
        return adapted(prompt, form, media=media, model=lent), model.asked


def answering(prompt: str) -> Answer:
    return saying(json.dumps({"prompt": prompt}))


def by_rule(**changes: str) -> str:
    """The form that the rules give, with words exchanged."""
    text = adapted(PROMPT, media=references(1)).prompt
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


def test_an_answer_that_keeps_everything_is_taken() -> None:
    better = by_rule(away="slowly away through a sunlit kitchen")
    result, _ = told(PROMPT, answering(better), media=references(1))
    assert (result.prompt, result.notes) == (better, ())


def test_the_model_is_shown_the_prompt_the_draft_and_the_form() -> None:
    _, asked = told(PROMPT, answering("x"), media=references(1))
    system, question = (str(message["content"]) for message in asked[0]["messages"])  # type: ignore[attr-defined]
    assert "non_diegetic_music" in system
    assert PROMPT in question
    assert by_rule() in question


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (by_rule().replace("<Picture 1>", "the picture"), "it leaves out <Picture 1>"),
        (by_rule().replace("She walks", "<Picture 2> walks"), "it names <Picture 2>, which is not there"),
        (by_rule().replace("Good morning.", "Good evening."), "it changes or leaves out the quotation 'Good morning.'"),
        (by_rule().replace("She walks", "<d>[English] Bye!</d> She walks"), "it lets somebody say 'Bye!'"),
        (by_rule().replace("<d>[English] Good morning.</d>", "Good morning."), "nobody says 'Good morning.'"),
        (by_rule().replace("summary:", "outline:"), "its fields are not subject_definitions, summary"),
        (by_rule().replace("[Shot 1] The", "The"), "its first shot is not [Shot 1] without a time"),
        (by_rule().replace("She walks", "\n[Shot 2] At 00:12.000, she walks"), "the times of its shots do not rise"),
        (by_rule() + " word" * 2000, "letters, more than 7000"),
        ("Good", "it is much shorter than the prompt"),
    ],
)
def test_an_answer_that_loses_or_makes_up_something_is_not_taken(answer: str, reason: str) -> None:
    result, _ = told(PROMPT, answering(answer), media=references(1))
    assert result.prompt == by_rule()
    assert len(result.notes) == 1
    assert result.notes[0].startswith(BY_RULE)
    assert reason in result.notes[0]


@pytest.mark.parametrize(
    "answer",
    [
        saying("I would rather not."),
        saying('{"prompt": 7}'),
        saying('{"prompt": "x", "mood": "y"}'),
        lambda _: (500, b"{}"),
        lambda _: (200, b"nonsense"),
    ],
)
def test_an_answer_that_cannot_be_read_leaves_the_rules_prompt(answer: Answer) -> None:
    result, _ = told(PROMPT, answer, media=references(1))
    assert result.prompt == by_rule()
    assert result.notes[0].startswith(BY_RULE)


def test_a_model_that_nobody_answers_for_leaves_the_rules_prompt() -> None:
    lent = LanguageModel(url="http://127.0.0.1:9/v1", model="small", timeout_s=5.0)
    result = adapted(PROMPT, media=references(1), model=lent)
    assert result.prompt == by_rule()
    assert result.notes[0].startswith(BY_RULE)


def test_the_line_that_aligns_frames_must_stay() -> None:
    media = frames(Role.FIRST_FRAME)
    drafted = adapted("A cat wakes up", media=media).prompt
    without = drafted.partition("\n\n")[2].replace("A cat", "The cat of <Picture 1>")
    result, _ = told("A cat wakes up", answering(without), media=media)
    assert "its first line does not say where the given frames stand" in result.notes[0]


def test_a_paragraph_for_ltx_is_taken_and_a_list_is_not() -> None:
    prompt = 'A man says: "Stop!"'
    paragraph = 'In a narrow street a man raises his hand and calls: "Stop!"'
    assert told(prompt, answering(paragraph), form=LTX)[0].prompt == paragraph
    listed, _ = told(prompt, answering(paragraph.replace("street", "street\n")), form=LTX)
    assert "it has more than one paragraph" in listed.notes[0]


def test_nobody_is_asked_where_no_model_is_lent() -> None:
    assert adapted(PROMPT, media=references(1)).notes == ()
