"""The asset routes over HTTP: one envelope for all answers, one owner per asset, ids that requests may name."""

import json
from dataclasses import replace

import pytest

from asset_worker import PICTURE, take_in
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
    assert {**fields, "Id": created["Id"], "Status": "Processing", "Error": None}.items() <= shown.items()
    assert done(post(server, "GetAsset", {"Id": created["Id"]}, mount)) == shown


def test_an_asset_that_was_taken_in_is_shown_with_a_link_of_its_own(server, tmp_path):
    created = registered(server)
    take_in(server, tmp_path, {URL: PICTURE})
    shown = done(post(server, "GetAsset", {"task_id": created["task_id"]}))
    assert shown["Status"] == "Active"
    assert server.call("GET", shown["URL"].removeprefix(server.url), headers={"Authorization": ""}).body == PICTURE


def test_an_asset_that_failed_says_why(server, tmp_path):
    created = registered(server)
    take_in(server, tmp_path, {})
    shown = done(post(server, "GetAsset", {"Id": created["Id"]}))
    assert (shown["Status"], shown["Error"]["Code"]) == ("Failed", "DownloadFailed")


@pytest.mark.parametrize("mount", ["", "/octopus"])
def test_the_other_actions_are_arks_in_this_envelope(server, mount):
    created = registered(server)
    listed = done(post(server, "ListAssets", {"Filter": {"Statuses": ["Processing"]}}, mount))
    assert [each["Id"] for each in listed["Items"]] == [created["Id"]]
    assert done(post(server, "UpdateAsset", {"Id": created["Id"], "Name": "x", "Odd": 1}, mount))["warnings"]
    group_id = done(post(server, "GetAsset", {"Id": created["Id"]}, mount))["GroupId"]
    assert done(post(server, "UpdateAssetGroup", {"Id": group_id, "Description": "d"}, mount))["Id"] == group_id
    assert done(post(server, "GetAssetGroup", {"Id": group_id}, mount))["Description"] == "d"
    assert done(post(server, "ListAssetGroups", {}, mount))["TotalCount"] == 1
    assert done(post(server, "DeleteAsset", {"Id": created["Id"]}, mount)) == {}
    assert done(post(server, "DeleteAssetGroup", {"Id": group_id}, mount)) == {}
    assert refused(post(server, "GetAssetGroup", {"Id": group_id}, mount)) == (404, "NotFound.Asset", "Id")


def test_a_strict_caller_is_refused_before_anything_is_done(server):
    created = registered(server)
    body = json.dumps({"Id": created["Id"], "Odd": 1}).encode()
    answer = server.call("POST", f"{ROUTES}/DeleteAsset", body, {"X-Understudy-Strict": "true"})
    assert refused(answer) == (400, "InvalidParameter", "Odd")
    assert done(post(server, "GetAsset", {"Id": created["Id"]}))


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


def test_a_task_is_stored_with_the_medium_of_the_asset_it_names(tmp_path):
    with running_server(tmp_path, changes=serving_references) as server:
        address = f"asset://{registered(server)['Id']}"
        take_in(server, tmp_path, {URL: PICTURE})
        content = [
            {"type": "text", "text": "a cat"},
            {"type": "image_url", "image_url": {"url": address}, "role": "reference_image"},
        ]
        body = json.dumps({"model": "doubao-seedance-2-0-260128", "content": content}).encode()
        created = server.call("POST", "/api/v3/contents/generations/tasks", body)
        assert created.status == 200, created
        stored = server.task(created.json()["id"]).request.content
        assert [item.value for item in stored] == ["a cat", address]
        assert stored[1].medium.facts.width_px == 640


def test_an_asset_that_is_still_processed_cannot_be_used(server):
    content = [
        {"type": "text", "text": "a cat"},
        {"type": "image_url", "image_url": {"url": f"asset://{registered(server)['Id']}"}, "role": "reference_image"},
    ]
    body = json.dumps({"model": "doubao-seedance-2-0-260128", "content": content}).encode()
    answer = server.call("POST", "/api/v3/contents/generations/tasks/quote", body)
    assert "is not active, it is processing." in answer.body.decode()


AVATARS = "/v1/seedance2/private-avatar"


def ask_avatar(server, fields, path=AVATARS):
    return server.call("POST", path, json.dumps(fields).encode())


@pytest.mark.parametrize("path", [AVATARS, f"{AVATARS}/assets", f"/apimart{AVATARS}"])
def test_avatars_are_registered_together_and_polled_like_a_task(server, tmp_path, path):
    fields = {"group": {"name": "people"}, "assets": [{"url": URL, "name": "a"}, {"url": URL, "name": "b"}]}
    created = ask_avatar(server, fields, path).json()
    assert created["code"] == 200
    task = created["data"]
    assert (task["object"], task["status"], task["progress"]) == ("seedance.avatar.asset.task", "processing", 10)
    assert server.call("GET", f"/v1/tasks/{task['id']}").json()["data"]["status"] == "processing"
    take_in(server, tmp_path, {URL: PICTURE})
    polled = server.call("GET", f"/v1/tasks/{task['id']}").json()["data"]
    assert (polled["status"], polled["progress"], polled["result"]["failed_assets"]) == ("completed", 100, [])
    assert [each["name"] for each in polled["result"]["usable_assets"]] == ["a", "b"]
    assert all(each["asset_url"].startswith("asset://asset-") for each in polled["result"]["usable_assets"])


def test_avatars_of_which_one_fails_have_failed(server, tmp_path):
    group_id = group(server)
    fields = {"group_id": group_id, "assets": [{"url": URL}, {"url": f"{URL}x"}]}
    task = ask_avatar(server, fields).json()["data"]
    take_in(server, tmp_path, {URL: PICTURE})
    polled = server.call("GET", f"/v1/tasks/{task['id']}").json()["data"]
    assert (polled["status"], polled["error"]["code"]) == ("failed", 400)
    assert len(polled["result"]["usable_assets"]) == 1
    assert [each["code"] for each in polled["result"]["failed_assets"]] == ["DownloadFailed"]
    assert polled["result"]["group_id"] == group_id


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"assets": [{"url": URL}]}, "group_id"),
        ({"group": {"name": "x"}}, "url"),
        ({"group": {"name": "x"}, "assets": []}, "assets"),
        ({"group": {"name": "x"}, "assets": [{"url": URL}] * 21}, "assets"),
        ({"group": {"name": "x"}, "assets": [{"url": URL}, {"url": "x"}]}, "assets[1].url"),
        ({"group": {"name": "x"}, "group_id": "g", "url": URL}, "group_id"),
        ({"group": {"name": "x"}, "url": URL, "asset_type": "Text"}, "asset_type"),
        ({"group": {"name": ""}, "url": URL}, "Name"),
    ],
)
def test_avatars_that_cannot_be_are_refused_in_apimarts_words(server, fields, said):
    answer = ask_avatar(server, fields)
    assert (answer.status, answer.json()["error"]["code"]) == (400, 400)
    assert said in answer.body.decode()
    assert server.call("GET", "/v1/assets").json()["total"] == 0


def test_avatars_of_another_caller_are_not_found(server):
    task = ask_avatar(server, {"group": {"name": "x"}, "url": URL}).json()["data"]
    assert server.to_a_new_caller().call("GET", f"/v1/tasks/{task['id']}").status == 404
    assert server.call("GET", "/v1/tasks/task_avatar-20261121120000-zzzzz").status == 404


def test_real_avatars_are_refused_with_what_to_do_instead(server):
    answer = ask_avatar(server, {"callback_url": "https://x/"}, "/v1/seedance2/real-avatar")
    assert answer.status == 400
    assert AVATARS in answer.json()["error"]["message"]
