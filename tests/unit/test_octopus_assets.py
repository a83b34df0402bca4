"""The asset routes' bytes: the vendor's printed bodies are read, its answers written, errors in both of its forms."""

import json
from datetime import UTC, datetime
from functools import partial

import pytest

from understudy.core.assets import AssetFault, AssetStatus, NewAsset, NewGroup
from understudy.core.content import Modality
from understudy.core.errors import CODES, Rejected, Violation
from understudy.core.task import Warned
from understudy.dialects.octopus_assets import (
    decode_asset,
    decode_group,
    decode_query,
    encode_asset,
    encode_asset_created,
    encode_asset_error,
    encode_group_created,
)
from understudy.testing.asset_stores import sample_asset, sample_group

IMAGE = {
    "GroupId": "group-20260415111540-w9pkb",
    "URL": "https://example.com/reference.webp",
    "AssetType": "Image",
    "Name": "child",
}
STEM = "20261121120000-00000"


def refusal(decode, fields):
    with pytest.raises(Rejected) as caught:
        decode(fields)
    (violation,) = caught.value.violations
    return violation.code, violation.param


def test_the_printed_group_is_read():
    told = decode_group({"Name": "test", "Description": "this is description"})
    assert told == (NewGroup(name="test", description="this is description"), ())


def test_a_group_needs_no_description():
    assert decode_group({"Name": "test"})[0].description == ""


def test_the_printed_asset_is_read():
    asset = NewAsset(group_id=IMAGE["GroupId"], name="child", modality=Modality.IMAGE, url=IMAGE["URL"])
    assert decode_asset(IMAGE) == (asset, ())


@pytest.mark.parametrize(
    ("word", "modality"), [("Image", Modality.IMAGE), ("Video", Modality.VIDEO), ("Audio", Modality.AUDIO)]
)
def test_each_type_of_asset_is_read_and_written(word, modality):
    assert decode_asset({**IMAGE, "AssetType": word})[0].modality is modality
    assert json.loads(encode_asset(sample_asset(modality=modality), (), url=""))["data"]["AssetType"] == word


@pytest.mark.parametrize("word", ["image", "Text", "Draft_task", "IMAGE"])
def test_another_type_of_asset_is_refused(word):
    assert refusal(decode_asset, {**IMAGE, "AssetType": word}) == ("InvalidParameter", "AssetType")


@pytest.mark.parametrize("fields", [{"AssetType": ""}, {"AssetType": None}])
def test_a_missing_type_is_named(fields):
    assert refusal(decode_asset, {**IMAGE, **fields}) == ("MissingParameter", "AssetType")


@pytest.mark.parametrize(
    ("decode", "fields", "param"),
    [
        (decode_group, {"Name": ["test"]}, "Name"),
        (decode_group, {"Name": "test", "Description": {}}, "Description"),
        (decode_asset, {**IMAGE, "URL": []}, "URL"),
        (decode_query, {"task_id": [1]}, "task_id"),
        (decode_query, {"Id": {}}, "Id"),
    ],
)
def test_a_wrong_type_names_the_parameter(decode, fields, param):
    assert refusal(decode, fields) == ("InvalidParameter", param)


@pytest.mark.parametrize(
    "fields",
    [
        {"task_id": f"task_{STEM}"},
        {"Id": f"asset-{STEM}"},
        {"Id": f"asset-{STEM}", "task_id": f"task_{STEM}"},
        {"Id": f"asset-{STEM}", "task_id": None},
    ],
)
def test_an_asset_is_asked_for_by_its_id_or_its_task(fields):
    assert decode_query(fields) == (f"asset-{STEM}", ())


def test_a_text_that_is_no_task_id_is_no_assets():
    assert decode_query({"task_id": "asset-1"}) == ("asset-1", ())
    assert decode_query({"task_id": "task_xxxx"}) == ("task_xxxx", ())


@pytest.mark.parametrize("fields", [{}, {"task_id": ""}, {"Id": "", "task_id": None}])
def test_a_query_without_an_id_is_refused(fields):
    assert refusal(decode_query, fields) == ("MissingParameter", "task_id")


def test_a_query_for_two_assets_is_refused():
    fields = {"Id": "asset-20261121120000-00001", "task_id": f"task_{STEM}"}
    assert refusal(decode_query, fields) == ("InvalidParameter", "Id")


@pytest.mark.parametrize(
    ("decode", "fields"), [(decode_group, {"Name": "n"}), (decode_asset, IMAGE), (decode_query, {"Id": "asset-1"})]
)
def test_an_unknown_key_is_told(decode, fields):
    assert [each.param for each in decode({**fields, "ProjectName": "default"})[1]] == ["ProjectName"]


def test_a_created_group_is_answered_as_printed():
    answer = json.loads(encode_group_created(sample_group(id="group-20260412163933-zwxdc"), ()))
    assert answer == {"state": 1, "data": {"Id": "group-20260412163933-zwxdc"}, "error": None}


def test_a_created_asset_is_answered_with_its_task():
    answer = json.loads(encode_asset_created(sample_asset(), ()))
    assert answer == {"state": 1, "data": {"Id": f"asset-{STEM}", "task_id": f"task_{STEM}"}, "error": None}


def test_the_task_of_a_created_asset_leads_back_to_it():
    created = json.loads(encode_asset_created(sample_asset(), ()))["data"]
    assert decode_query({"task_id": created["task_id"]})[0] == created["Id"]


def test_an_asset_is_shown_as_printed():
    asset = sample_asset(
        name="child",
        status=AssetStatus.ACTIVE,
        group_id="group-20260415111540-w9pkb",
        created_at=datetime(2026, 4, 15, 11, 15, 40, 999_999, tzinfo=UTC),
        updated_at=datetime(2026, 4, 15, 11, 16, 2, tzinfo=UTC),
    )
    assert json.loads(encode_asset(asset, (), url="https://example.com/processed.webp")) == {
        "state": 1,
        "data": {
            "Id": asset.id,
            "Name": "child",
            "URL": "https://example.com/processed.webp",
            "AssetType": "Image",
            "GroupId": "group-20260415111540-w9pkb",
            "Status": "Active",
            "CreateTime": "2026-04-15T11:15:40Z",
            "UpdateTime": "2026-04-15T11:16:02Z",
            "Error": None,
            "warnings": [],
        },
        "error": None,
    }


@pytest.mark.parametrize("status", list(AssetStatus))
def test_each_status_has_the_vendors_word(status):
    words = {"processing": "Processing", "active": "Active", "failed": "Failed"}
    assert json.loads(encode_asset(sample_asset(status=status), (), url=""))["data"]["Status"] == words[status]


@pytest.mark.parametrize("encode", [partial(encode_asset, url=""), encode_asset_created])
def test_what_the_caller_must_know_is_in_the_answer(encode):
    told = (Warned(param="Status", message="Not checked."),)
    shown = json.loads(encode(sample_asset(), told))["data"]["warnings"]
    assert shown == [{"param": "Status", "message": "Not checked."}]


def test_a_failed_asset_says_why():
    asset = sample_asset(status=AssetStatus.FAILED, fault=AssetFault(code="DurationTooLong", message="Too long."))
    shown = json.loads(encode_asset(asset, (), url=""))["data"]
    assert (shown["Status"], shown["Error"]) == ("Failed", {"Code": "DurationTooLong", "Message": "Too long."})


@pytest.mark.parametrize("code", CODES)
def test_every_error_is_in_the_envelope_under_its_own_status(code):
    answer = encode_asset_error(Violation(code, "Name", "It is wrong."), "r-1")
    assert answer.status == CODES[code].status
    assert json.loads(answer.body) == {
        "state": 0,
        "data": None,
        "error": {"message": "It is wrong. (request id: r-1)", "type": CODES[code].type, "param": "Name", "code": code},
    }
