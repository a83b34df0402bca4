"""The asset routes over HTTP: one envelope for all answers, one owner per asset, ids that requests may name."""

import json
from dataclasses import replace

import pytest

from running_server import running_server
from understudy.core.scenario import Scenario

ROUTES = "/v1/seedance/asset"
URL = "https://example.com/reference.webp"


def post(server, action, fields, mount=""):
    return server.call("POST", f"{mount}{ROUTES}/{action}", json.dumps(fields).encode())


def done(answer):
    """Return the data of an answer, having checked that it is a success in the routes' envelope."""
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json; charset=utf-8"), answer
    envelope = answer.json()
    assert (envelope["state"], envelope["error"]) == (1, None)
    return envelope["data"]


def refused(answer):
    """Return status, code and parameter of an answer, having checked that it is a failure in the routes' envelope."""
    envelope = answer.json()
    assert envelope.keys() == {"state", "data", "error"}, answer
    assert (envelope["state"], envelope["data"]) == (0, None)
    assert envelope["error"]["message"].endswith(f"(request id: {answer.headers['x-request-id']})")
    return answer.status, envelope["error"]["code"], envelope["error"]["param"]


def group(server):
    return done(post(server, "CreateAssetGroup", {"Name": "people"}))["Id"]


def registered(server, **said):
    fields = {"GroupId": said.pop("group_id", None) or group(server), "URL": URL, "AssetType": "Image", "Name": "child"}
    return done(post(server, "CreateAsset", {**fields, **said}))


@pytest.mark.parametrize("mount", ["", "/octopus"])
def test_an_asset_is_registered_and_shown(server, mount):
    group_id = done(post(server, "CreateAssetGroup", {"Name": "people", "Description": "of the film"}, mount))["Id"]
    fields = {"GroupId": group_id, "URL": URL, "AssetType": "Image", "Name": "child"}
    created = done(post(server, "CreateAsset", fields, mount))
    shown = done(post(server, "GetAsset", {"task_id": created["task_id"]}, mount))
    assert group_id.startswith("group-")
    assert {**fields, "Id": created["Id"], "Status": "Active", "Error": None}.items() <= shown.items()
    assert done(post(server, "GetAsset", {"Id": created["Id"]}, mount)) == shown


def test_the_answer_says_that_nothing_was_checked(server):
    answer = post(server, "GetAsset", {"Id": registered(server)["Id"]})
    told = done(answer)["warnings"]
    assert [each["param"] for each in told] == ["Status"]
    assert "neither fetched nor checked" in told[0]["message"]
    assert json.loads(answer.headers["x-understudy-warnings"]) == told


def test_an_unknown_key_is_told(server):
    answer = post(server, "CreateAssetGroup", {"Name": "people", "GroupType": "AIGC"})
    assert [each["param"] for each in done(answer)["warnings"]] == ["GroupType"]
    assert [each["param"] for each in json.loads(answer.headers["x-understudy-warnings"])] == ["GroupType"]


def test_a_strict_caller_is_refused_what_would_be_ignored_and_nothing_else(server):
    strict = {"X-Understudy-Strict": "true"}
    odd = json.dumps({"Name": "people", "GroupType": "AIGC"}).encode()
    assert refused(server.call("POST", f"{ROUTES}/CreateAssetGroup", odd, strict)) == (
        400,
        "InvalidParameter",
        "GroupType",
    )
    fields = {"GroupId": group(server), "URL": URL, "AssetType": "Image"}
    assert done(server.call("POST", f"{ROUTES}/CreateAsset", json.dumps(fields).encode(), strict))["Id"]


def test_an_asset_of_another_caller_is_not_found(server):
    created = registered(server)
    stranger = server.to_a_new_caller()
    for fields in ({"Id": created["Id"]}, {"task_id": created["task_id"]}):
        assert refused(post(stranger, "GetAsset", fields)) == (404, "NotFound.Asset", "Id")


def test_a_group_of_another_caller_is_not_found(server):
    fields = {"GroupId": group(server), "URL": URL, "AssetType": "Image"}
    assert refused(post(server.to_a_new_caller(), "CreateAsset", fields)) == (404, "NotFound.Asset", "GroupId")


@pytest.mark.parametrize(
    ("action", "fields", "code", "param"),
    [
        ("CreateAssetGroup", {}, "MissingParameter", "Name"),
        ("CreateAssetGroup", {"Name": "x" * 65}, "InvalidParameter", "Name"),
        ("CreateAsset", {"GroupId": "group-1", "URL": URL}, "MissingParameter", "AssetType"),
        ("CreateAsset", {"AssetType": "Image", "GroupId": "group-1", "URL": "x"}, "InvalidParameter", "URL"),
        ("CreateAsset", {"AssetType": "Image", "URL": URL}, "MissingParameter", "GroupId"),
        ("GetAsset", {}, "MissingParameter", "task_id"),
    ],
)
def test_what_is_wrong_is_named(server, action, fields, code, param):
    assert refused(post(server, action, fields)) == (400, code, param)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"Name": "\\u0000"}', b"\xff"])
def test_a_body_that_is_no_object_of_text_is_refused(server, body):
    assert refused(server.call("POST", f"{ROUTES}/CreateAssetGroup", body))[0] == 400


def test_the_routes_need_a_key(server):
    answer = server.call("POST", f"{ROUTES}/GetAsset", b"{}", {"Authorization": ""})
    assert answer.status == 401
    assert answer.json()["error"]


def test_the_routes_take_posts_only(server):
    assert server.call("GET", f"{ROUTES}/GetAsset").status == 405


def test_a_request_that_names_an_asset_of_nobody_is_refused_in_arks_words(server):
    content = [
        {"type": "text", "text": "a cat"},
        {"type": "image_url", "image_url": {"url": "asset://asset-20261121120000-00000"}, "role": "reference_image"},
    ]
    body = json.dumps({"model": "doubao-seedance-2-0-260128", "content": content}).encode()
    answer = server.call("POST", "/api/v3/contents/generations/tasks/quote", body)
    assert "The specified asset asset-20261121120000-00000 is not found." in answer.body.decode()


def serving_references(house):
    """Let the house's engine serve media, which the one of the tests does not."""
    examiner = house.submitter.examiner
    engine = replace(examiner.judge.engine, scenarios=frozenset(Scenario))
    examiner = replace(examiner, judge=replace(examiner.judge, engine=engine))
    return replace(house, submitter=replace(house.submitter, examiner=examiner))


def test_a_task_is_stored_with_the_address_of_the_asset_it_names(tmp_path):
    with running_server(tmp_path, changes=serving_references) as server:
        address = f"asset://{registered(server)['Id']}"
        content = [
            {"type": "text", "text": "a cat"},
            {"type": "image_url", "image_url": {"url": address}, "role": "reference_image"},
        ]
        body = json.dumps({"model": "doubao-seedance-2-0-260128", "content": content}).encode()
        created = server.call("POST", "/api/v3/contents/generations/tasks", body)
        assert created.status == 200, created
        assert [item.value for item in server.task(created.json()["id"]).request.content] == ["a cat", URL]
