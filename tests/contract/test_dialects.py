"""Every dialect passes the public suite, and the suite finds each planted bug."""

import inspect
import json
from dataclasses import replace
from types import MappingProxyType

import msgspec
import pytest

from understudy.catalog.load import load_catalogue
from understudy.core.errors import CODES, Rejected, Violation
from understudy.core.task import Status, TaskPage
from understudy.dialects.ark import ArkCodec, ErrorEnvelope
from understudy.dialects.ark_request import Create
from understudy.dialects.ark_task import PageBody, TaskBody
from understudy.dialects.codec import Encoded, ErrorAnswer, Shapes
from understudy.dialects.registry import CODECS
from understudy.dialects.universal_errors import NestedError
from understudy.testing.dialects import DialectConformance


class TestArk(DialectConformance):
    def make(self):
        return CODECS["ark"]


class TestApiyi(DialectConformance):
    # Source: seed 004, "Error Codes & Retries": rate limited / insufficient quota.
    odd_statuses = MappingProxyType({"InsufficientBalance": 429})

    def make(self):
        return CODECS["apiyi"]


class TestAmuxNative(DialectConformance):
    def make(self):
        return CODECS["amux-native"]


NESTED = frozenset(
    {
        "AuthenticationError",
        "AccessDenied",
        "InsufficientBalance",
        "InvalidEndpointOrModel.NotFound",
        "NotFound.Path",
        "NotFound.File",
        "InvalidAction.MethodNotAllowed",
        "InvalidAction.TaskNotCompleted",
    }
)
"""What new-api's middleware answers, with the request id; its task handlers have no place for one."""


class UniversalConformance(DialectConformance):
    nulls = frozenset({"data"})
    error_shapes = (NestedError,)
    without_request_id = frozenset(CODES) - NESTED
    # Source: new-api's relay and task handlers.
    odd_statuses = MappingProxyType(
        {"InsufficientBalance": 403, "InvalidEndpointOrModel.NotFound": 503, "NotFound.TaskId": 400}
    )


class TestAmux(UniversalConformance):
    not_carried = frozenset({"draft"})

    def make(self):
        return CODECS["amux"]


class TestNewapi(UniversalConformance):
    not_carried = frozenset({"draft"})

    def make(self):
        return CODECS["newapi"]


class TestOctopus(UniversalConformance):
    def make(self):
        return CODECS["octopus"]


class TestApimart(DialectConformance):
    not_carried = frozenset({"draft"})

    def make(self):
        return CODECS["apimart"]


class TestOpenai(DialectConformance):
    # Its request id travels in a header, its pages say only whether there are more, and a film has no tokens.
    without_request_id = frozenset(CODES)
    tells_total = False
    untold = frozenset({"completion_tokens"})
    nulls = frozenset({"param", "first_id", "last_id"})
    not_carried = frozenset({"draft"})

    def make(self):
        return CODECS["openai"]


def test_every_dialect_is_held_to_the_suite():
    suites = [TestArk, TestApiyi, TestAmuxNative, TestAmux, TestNewapi, TestOctopus, TestApimart, TestOpenai]
    assert {suite().make().name for suite in suites} == CODECS.keys() == load_catalogue().profiles.keys()


def edited(body, change):
    """Return a JSON body after a change of its object."""
    found = json.loads(body)
    change(found)
    return json.dumps(found).encode()


class DropsTheSeed(ArkCodec):
    def encode_request(self, request):
        return super().encode_request(replace(request, seed=None))


class ForgetsRoles(ArkCodec):
    def decode_request(self, fields):
        found = super().decode_request(fields)
        bare = tuple(replace(item, role=None) for item in found.request.content)
        return replace(found, request=replace(found.request, content=bare))


class TurnsTheMediaRound(ArkCodec):
    def encode_request(self, request):
        return super().encode_request(replace(request, content=request.content[::-1]))


class WritesTheServedModel(ArkCodec):
    def encode_request(self, request):
        return super().encode_request(replace(request, model_asked=None))


class LosesWhatWasNotGiven(ArkCodec):
    def encode_request(self, request):
        lost = super().encode_request(replace(request, draft_task_id=OTHER_ID)).lost
        return replace(super().encode_request(request), lost=lost)


class AssumesAWatermark(ArkCodec):
    def decode_request(self, fields):
        return super().decode_request({"watermark": True, **fields})


class IgnoresInSilence(ArkCodec):
    def decode_request(self, fields):
        return replace(super().decode_request(fields), warnings=())


class NamesWhatNobodyWrote(ArkCodec):
    def decode_request(self, fields):
        return replace(super().decode_request(fields), names={"ratio": "aspect_ratio"})


class WritesNulls(ArkCodec):
    def encode_request(self, request):
        found = super().encode_request(request)
        return Encoded(body=edited(found.body, lambda body: body.update(seed=None)), lost=found.lost)


class SaysMoreThanItsShape(ArkCodec):
    def encode_task(self, task, links):
        return edited(super().encode_task(task, links), lambda body: body.update(owner=task.owner))


class TellsExpiredAsRunning(ArkCodec):
    def encode_task(self, task, links):
        running = Status.RUNNING if task.status is Status.EXPIRED else task.status
        return super().encode_task(replace(task, status=running), links)


class KeepsWarningsToItself(ArkCodec):
    def encode_task(self, task, links):
        return super().encode_task(replace(task, warnings=()), links)


class ForgetsTheLastFrame(ArkCodec):
    def encode_task(self, task, links):
        return edited(
            super().encode_task(task, links), lambda body: body.get("content", {}).pop("last_frame_url", None)
        )


class HidesTheReason(ArkCodec):
    def encode_task(self, task, links):
        return super().encode_task(replace(task, error=None), links)


class StandsStill(ArkCodec):
    def encode_task(self, task, links):
        return super().encode_task(replace(task, progress=0.0), links)


class CreatesUnderABareId(ArkCodec):
    def encode_created(self, task):
        return edited(super().encode_created(task), lambda body: body.update(id=task.id))


class TakesAnyId(ArkCodec):
    def task_id(self, wire_id):
        return wire_id.removeprefix(self.profile.wire_id_prefix)


class AnswersErrorsWithSuccess(ArkCodec):
    def encode_error(self, violation, request_id):
        return ErrorAnswer(status=200, body=super().encode_error(violation, request_id).body)


class TellsNoRequestId(ArkCodec):
    def encode_error(self, violation, request_id):
        return super().encode_error(violation, "")


class SpellsTasksTheCoresWay(ArkCodec):
    def encode_error(self, violation, request_id):
        told = super().encode_error(violation, request_id)
        return replace(told, body=told.body.replace(b"`" + self.profile.wire_id_prefix.encode(), b"`"))


class BlamesTheCaller(ArkCodec):
    def decode_error(self, status, body):
        return Rejected(super().decode_error(status, body).violation)


class TrustsTheAnswer(ArkCodec):
    def decode_error(self, status, body):
        return Rejected(Violation("InvalidParameter", "", json.loads(body)["error"]["message"]))


class CountsThePage(ArkCodec):
    def encode_page(self, page, links):
        return super().encode_page(TaskPage(tasks=page.tasks, total=len(page.tasks)), links)


class ShowsTheWrongTime(ArkCodec):
    def decode_filter(self, query, *, now):
        found = super().decode_filter(query, now=now)
        return replace(found, cancelled_after=found.created_after)


class Bare(msgspec.Struct):
    id: str


class SaysNothingOfItsShapes(ArkCodec):
    shapes = Shapes(request=Create, created=Bare, task=TaskBody, error=ErrorEnvelope, page=PageBody)


OTHER_ID = "20261121120001-00000"
BROKEN_CODECS = {
    DropsTheSeed: ("a_setting_is_carried_or_told_to_be_lost", "seed", 42),
    ForgetsRoles: ("a_scenario_survives_the_way_through_the_codec", "first and last frame"),
    TurnsTheMediaRound: ("a_scenario_survives_the_way_through_the_codec", "two reference images"),
    WritesTheServedModel: ("the_model_is_written_as_the_caller_knows_it",),
    LosesWhatWasNotGiven: ("a_setting_is_carried_or_told_to_be_lost", "seed", 42),
    AssumesAWatermark: ("what_is_left_out_has_the_dialects_default_and_no_other",),
    IgnoresInSilence: ("an_unknown_key_is_told_and_changes_nothing",),
    NamesWhatNobodyWrote: ("parameters_have_names_that_the_caller_wrote", "text"),
    WritesNulls: ("a_request_written_fits_its_shape_and_says_nothing_in_vain", "text"),
    SaysMoreThanItsShape: ("an_answer_fits_its_shape_and_leaves_out_what_is_not_there", "queued"),
    TellsExpiredAsRunning: ("a_task_reads_back_as_it_is", "expired"),
    KeepsWarningsToItself: ("a_task_reads_back_as_it_is", "cancelled with warnings"),
    ForgetsTheLastFrame: ("a_task_reads_back_as_it_is", "succeeded with last frame"),
    HidesTheReason: ("a_task_reads_back_as_it_is", "failed"),
    StandsStill: ("a_running_task_tells_its_progress", 0.5),
    CreatesUnderABareId: ("the_created_id_leads_back_to_the_task",),
    TakesAnyId: ("every_spelling_of_an_id_is_understood",),
    AnswersErrorsWithSuccess: ("an_error_reads_back_as_what_it_is", "InvalidParameter"),
    TellsNoRequestId: ("an_error_names_the_parameter_the_task_and_the_request", "InternalServiceError"),
    SpellsTasksTheCoresWay: ("an_error_names_the_parameter_the_task_and_the_request", "NotFound.TaskId"),
    BlamesTheCaller: ("an_error_reads_back_as_what_it_is", "ServiceUnavailable"),
    TrustsTheAnswer: ("an_answer_of_any_kind_is_read_as_an_error", 502, b"<html>"),
    CountsThePage: ("a_page_reads_back_as_it_is", 3),
    ShowsTheWrongTime: ("a_plain_listing_asks_for_what_the_profile_says",),
    SaysNothingOfItsShapes: ("the_shapes_say_what_they_are",),
}


@pytest.mark.parametrize("broken", BROKEN_CODECS, ids=lambda broken: broken.__name__)
def test_the_suite_fails_a_broken_codec(broken):
    name, *extra = BROKEN_CODECS[broken]
    step = getattr(TestArk(), f"test_{name}")
    assert len(inspect.signature(step).parameters) == 1 + len(extra)
    step(CODECS["ark"], *extra)
    with pytest.raises((AssertionError, ValueError)):
        step(broken(CODECS["ark"].profile), *extra)
