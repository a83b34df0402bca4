"""A language model that the operator lends writes the plan, and nothing that it answers can do harm."""

import json
import threading
from dataclasses import replace

import msgspec
import pytest

from chat_model import Answer, chat_model, saying
from film_studio import job_of
from understudy.bootstrap.rendering import _language_model
from understudy.core.render import LanguageModel, RenderJob
from understudy.engines.previz.art import art_ids
from understudy.engines.previz.engine import plan_job, planned
from understudy.engines.previz.plan import CameraMove, FilmPlan, Line, SettingKind, Subject
from understudy.engines.previz.planning.plan_rules import faults_of
from understudy.settings import Settings, SettingsError

PROMPT = "Something nobody has words for"
RANGE_S = (4, 15)


def job_with(url: str, *, timeout_s: float = 10.0, secret: str = "") -> RenderJob:
    model = LanguageModel(url=url, model="small", secret=secret, timeout_s=timeout_s)
    return replace(job_of(PROMPT, "unused"), language_model=model)


def drafted() -> FilmPlan:
    return plan_job(job_of(PROMPT, "unused"))


def better() -> FilmPlan:
    """A plan of the same film that no rule would write."""
    draft = drafted()
    shot = replace(
        draft.main, setting=SettingKind.SPACE, camera=CameraMove.ORBIT, subjects=(Subject(art="octopus", word="it"),)
    )
    return replace(draft, shots=(shot,), lines=(Line(text="Hello!", speaker=0),))


def text_of(plan: FilmPlan) -> str:
    return msgspec.json.encode(plan).decode()


def test_the_plan_of_the_language_model_is_taken() -> None:
    with chat_model(saying(text_of(better()))) as model:
        assert planned(job_with(model.url)) == (better(), ())


def test_words_and_fences_around_the_plan_do_no_harm() -> None:
    with chat_model(saying(f"Here you are:\n```json\n{text_of(better())}\n```\nEnjoy!")) as model:
        assert planned(job_with(model.url))[0] == better()


def test_the_model_is_asked_in_openais_words_with_the_operators_secret() -> None:
    with chat_model(saying(text_of(better()))) as model:
        planned(job_with(model.url, secret="sesame"))
    (asked,) = model.asked
    assert (asked["path"], asked["model"], asked["temperature"]) == ("/v1/chat/completions", "small", 0)
    assert PROMPT in asked["messages"][1]["content"]
    assert "octopus" in asked["messages"][0]["content"]
    assert model.headers[0]["Authorization"] == "Bearer sesame"


def test_nobody_is_asked_by_default() -> None:
    assert planned(job_of(PROMPT, "unused")) == (drafted(), ())


def test_a_fixed_camera_wins_over_the_model() -> None:
    with chat_model(saying(text_of(better()))) as model:
        job = job_with(model.url)
        plan, _ = planned(replace(job, request=replace(job.request, camera_fixed=True)))
    assert plan.main.camera is CameraMove.STATIC


def broken(change: dict[str, object]) -> Answer:
    """A plan with some fields of its JSON changed."""
    return saying(json.dumps({**json.loads(text_of(better())), **change}))


def with_shot(**change: object) -> Answer:
    plan = json.loads(text_of(better()))
    plan["shots"][0].update(change)
    return saying(json.dumps(plan))


BAD: dict[str, tuple[Answer, str]] = {
    "an error": (lambda _: (500, b"{}"), "HTTP 500"),
    "no JSON": (saying("I cannot do that."), "no JSON object"),
    "no completion": (lambda _: (200, b'{"error": "x"}'), "no chat completion"),
    "no choice": (lambda _: (200, b'{"choices": []}'), "empty"),
    "another object": (saying('{"plan": 1}'), "cannot be read"),
    "too much": (saying("{" + "x" * 2_000_000 + "}"), "has more than"),
    "another prompt": (broken({"prompt": "Buy now"}), "changed the prompt"),
    "another length": (broken({"duration_s": 15}), "changed the prompt"),
    "no shots": (broken({"shots": []}), "0 shots"),
    "a gap": (with_shot(duration_s=2.0), "the shots end at 2 s"),
    "a drawing that is none": (with_shot(props=["no-such-thing"]), "no drawing no-such-thing"),
    "a speaker that is none": (broken({"lines": [{"text": "Hi", "speaker": 7}]}), "speaker 7"),
    "a setting that is none": (with_shot(setting="atlantis"), "cannot be read"),
    "a crowd": (with_shot(subjects=[{"art": "cat", "word": "cat"}] * 10), "10 subjects"),
}


@pytest.mark.parametrize(("answer", "reason"), BAD.values(), ids=BAD)
def test_a_bad_answer_leaves_the_built_in_plan_and_says_so(answer: Answer, reason: str) -> None:
    with chat_model(answer) as model:
        plan, told = planned(job_with(model.url))
    assert plan == drafted()
    assert reason in told[0]


def test_a_model_that_does_not_answer_is_not_waited_for() -> None:
    let_go = threading.Event()
    with chat_model(lambda _: (200, bytes(let_go.wait(30)))) as model:
        plan, told = planned(job_with(model.url, timeout_s=0.2))
        let_go.set()
    assert plan == drafted()
    assert told


def test_nobody_there_leaves_the_built_in_plan() -> None:
    plan, told = planned(job_with("http://127.0.0.1:9/v1"))
    assert (plan, len(told)) == (drafted(), 1)


def test_a_sound_plan_has_no_faults() -> None:
    assert list(faults_of(better(), arts=art_ids(), ratios=("16:9",), duration_range_s=RANGE_S)) == []


def test_half_a_setting_is_refused_and_none_is_none() -> None:
    assert _language_model(Settings()) is None
    for half in (
        Settings(llm_url="http://127.0.0.1:1/v1"),
        Settings(llm_model="x"),
        Settings(llm_url="x", llm_model="y"),
    ):
        with pytest.raises(SettingsError, match="llm_url"):
            _language_model(half)


def test_the_secret_is_not_in_what_is_logged_of_a_job() -> None:
    assert "sesame" not in repr(job_with("http://127.0.0.1:1/v1", secret="sesame"))
