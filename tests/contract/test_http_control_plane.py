"""Ark's control plane over HTTP: its actions in its envelope, for a key or a signature of the vendor's own signer."""

import hashlib
import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from volcenginesdkcore import signv4

from asset_worker import PICTURE, take_in
from manual_clock import START
from understudy.server.signatures import CLOCK_SKEW

URL = "https://example.com/reference.webp"
VERSION = "2024-01-01"


def ask(server, action, fields, path="/", version=VERSION, headers=None):
    query = urlencode({"Action": action, "Version": version})
    return server.call("POST", f"{path}?{query}", json.dumps(fields).encode(), headers or {})


def done(answer, action):
    envelope = answer.json()
    assert answer.status == 200, answer
    assert envelope["ResponseMetadata"] == {
        "RequestId": answer.headers["x-request-id"],
        "Action": action,
        "Version": VERSION,
        "Service": "ark",
        "Region": "cn-beijing",
    }
    return envelope["Result"]


def refused(answer):
    envelope = answer.json()
    assert envelope.keys() == {"ResponseMetadata"}, answer
    error = envelope["ResponseMetadata"]["Error"]
    assert error.keys() == {"Code", "Message"}
    return answer.status, error["Code"]


def result(server, action, fields):
    return done(ask(server, action, fields), action)


def group(server, name="people"):
    return result(server, "CreateAssetGroup", {"Name": name})["Id"]


def asset(server, group_id, **said):
    fields = {"GroupId": group_id, "URL": URL, "AssetType": "Image", "Name": "child", **said}
    return result(server, "CreateAsset", fields)["Id"]


@pytest.mark.parametrize("path", ["/", "/ark"])
def test_a_group_is_created_shown_changed_and_deleted(server, path):
    def step(action, fields):
        return done(ask(server, action, fields, path=path), action)

    group_id = step("CreateAssetGroup", {"Name": "people", "Description": "d", "GroupType": "AIGC"})["Id"]
    step("UpdateAssetGroup", {"Id": group_id, "Name": "others"})
    shown = step("GetAssetGroup", {"Id": group_id})
    assert (shown["Name"], shown["Description"], shown["GroupType"]) == ("others", "d", "AIGC")
    assert step("DeleteAssetGroup", {"Id": group_id}) == {}
    assert refused(ask(server, "GetAssetGroup", {"Id": group_id}, path=path)) == (404, "NotFound.Asset")


def test_an_asset_is_processed_then_active_then_renamed_and_deleted(server, tmp_path):
    asset_id = asset(server, group(server))
    shown = result(server, "GetAsset", {"Id": asset_id})
    assert (shown["Status"], shown["URL"], shown["ProjectName"]) == ("Processing", URL, "default")
    take_in(server, tmp_path, {URL: PICTURE})
    shown = result(server, "GetAsset", {"Id": asset_id})
    assert shown["Status"] == "Active"
    path = shown["URL"].removeprefix(server.url)
    assert server.call("GET", path, headers={"Authorization": ""}).body == PICTURE
    assert result(server, "UpdateAsset", {"Id": asset_id, "Name": "x"}) == {"Id": asset_id}
    assert result(server, "GetAsset", {"Id": asset_id})["Name"] == "x"
    assert result(server, "DeleteAsset", {"Id": asset_id}) == {}
    assert refused(ask(server, "DeleteAsset", {"Id": asset_id})) == (404, "NotFound.Asset")


def test_an_asset_that_failed_says_why(server, tmp_path):
    asset_id = asset(server, group(server))
    take_in(server, tmp_path, {})
    shown = result(server, "GetAsset", {"Id": asset_id})
    assert (shown["Status"], shown["Error"]["Code"]) == ("Failed", "DownloadFailed")


def test_assets_are_listed_by_page_number(server):
    group_id = group(server)
    made = [asset(server, group_id, Name=f"n{number}") for number in range(5)]
    page = result(server, "ListAssets", {"Filter": {"GroupType": "AIGC"}, "PageNumber": 2, "PageSize": 2})
    assert [each["Id"] for each in page["Items"]] == [made[2], made[1]]
    assert (page["TotalCount"], page["PageNumber"], page["PageSize"]) == (5, 2, 2)


def test_assets_are_listed_one_page_after_the_other(server):
    group_id = group(server)
    made = [asset(server, group_id) for _ in range(5)]
    seen, token = [], None
    while True:
        page = result(server, "ListAssets", {"MaxResults": 2, "SortOrder": "Asc", "NextToken": token})
        seen += [each["Id"] for each in page["Items"]]
        token = page.get("NextToken")
        if not token:
            break
    assert seen == made


def test_a_listing_shows_what_its_filter_says(server):
    one, two = group(server, "one"), group(server, "two")
    wanted = asset(server, two, Name="the child")
    asset(server, one, Name="the child")
    asset(server, two, Name="a dog")
    said = {"GroupType": "AIGC", "GroupIds": [two], "Name": "child", "Statuses": ["Processing"]}
    assert [each["Id"] for each in result(server, "ListAssets", {"Filter": said})["Items"]] == [wanted]
    assert result(server, "ListAssets", {"Filter": {"Statuses": ["Active"]}})["Items"] == []
    assert result(server, "ListAssets", {"Filter": {"GroupType": "LivenessFace"}})["TotalCount"] == 0
    groups = result(server, "ListAssetGroups", {"Filter": {"Name": "tw"}, "SortBy": "UpdateTime"})
    assert [each["Id"] for each in groups["Items"]] == [two]


@pytest.mark.parametrize(
    ("action", "fields", "refusal"),
    [
        ("CreateAssetGroup", {}, (400, "MissingParameter")),
        ("CreateAssetGroup", {"Name": "x" * 65}, (400, "InvalidParameter")),
        ("CreateAssetGroup", {"Name": "x", "GroupType": "LivenessFace"}, (400, "InvalidParameter")),
        ("CreateAsset", {"GroupId": "g", "URL": "data:,x", "AssetType": "Image"}, (400, "InvalidParameter")),
        ("CreateAsset", {"GroupId": "group-1", "URL": URL, "AssetType": "Text"}, (400, "InvalidParameter")),
        ("CreateAsset", {"GroupId": "group-1", "URL": URL, "AssetType": "Image"}, (404, "NotFound.Asset")),
        ("GetAsset", {}, (400, "MissingParameter")),
        ("ListAssets", {"MaxResults": 101}, (400, "InvalidParameter")),
        ("ListAssets", {"PageSize": 0, "PageNumber": 1}, (400, "InvalidParameter")),
        ("ListAssets", {"NextToken": "x"}, (400, "InvalidParameter")),
        ("ListAssets", {"SortBy": "Name"}, (400, "InvalidParameter")),
        ("ListAssets", {"Filter": {"Statuses": ["Done"]}}, (400, "InvalidParameter")),
        ("ListAssetGroups", {"Filter": {"GroupType": "Other"}}, (400, "InvalidParameter")),
        ("CreateVisualValidateSession", {}, (400, "InvalidParameter.UnsupportedParameter")),
        ("GetVisualValidateResult", {}, (400, "InvalidParameter.UnsupportedParameter")),
        ("DropTables", {}, (404, "NotFound.Path")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_the_envelope(server, action, fields, refusal):
    assert refused(ask(server, action, fields)) == refusal


def test_another_version_has_no_actions(server):
    assert refused(ask(server, "ListAssets", {}, version="2020-01-01")) == (404, "NotFound.Path")


def test_what_another_caller_has_is_not_found(server):
    group_id = group(server)
    asset_id = asset(server, group_id)
    stranger = server.to_a_new_caller()
    for action in ("GetAsset", "DeleteAsset", "UpdateAsset"):
        assert refused(ask(stranger, action, {"Id": asset_id, "Name": "x"}))[0] == 404
    for action in ("GetAssetGroup", "DeleteAssetGroup", "UpdateAssetGroup"):
        assert refused(ask(stranger, action, {"Id": group_id, "Name": "x"}))[0] == 404
    assert result(stranger, "ListAssets", {})["TotalCount"] == 0
    assert result(server, "ListAssets", {})["TotalCount"] == 1


def test_a_get_of_the_root_is_still_the_welcome(server):
    assert server.call("GET", "/").json()["name"] == "understudy"


def test_a_request_needs_a_key_or_a_signature(server):
    answer = ask(server, "ListAssets", {}, headers={"Authorization": ""})
    assert refused(answer) == (401, "AuthenticationError")


class AtTheServersTime(signv4.datetime.datetime):
    """The moment at which the vendor's signer signs: the test server's clock stands still."""

    moment = START

    @classmethod
    def utcnow(cls):
        return cls.moment


@pytest.fixture
def signed(server, monkeypatch):
    """Return a function that sends an action signed by the vendor's signer; ``changed`` alters what is then sent."""
    credentials = server.call("GET", "/v1/credentials").json()
    monkeypatch.setattr(signv4.datetime, "datetime", AtTheServersTime)

    def send(action, fields, *, changed=None, moment=None, sent_body=None, port="", **other):
        monkeypatch.setattr(AtTheServersTime, "moment", moment or server.clock.now())
        query, body = {"Action": action, "Version": VERSION}, json.dumps(fields)
        host = f"127.0.0.1{port or f':{server.port}'}"
        headers = {"Host": host, "Content-Type": "application/json"}
        said = {
            "ak": credentials["access_key_id"],
            "sk": credentials["secret_access_key"],
            "region": "cn-beijing",
            "service": "ark",
            **other,
        }
        signv4.SignerV4.sign("/", "POST", headers, body, None, query, **said)
        headers |= changed or {}
        return server.call("POST", f"/?{urlencode(query)}", (sent_body or body).encode(), headers)

    return send


def test_a_request_signed_by_the_vendors_signer_is_let_in(server, signed):
    group_id = group(server)
    assert done(signed("GetAssetGroup", {"Id": group_id}), "GetAssetGroup")["Name"] == "people"
    fields = {"GroupId": group_id, "URL": URL, "AssetType": "Image", "Name": "人 & «x»"}
    made = done(signed("CreateAsset", fields), "CreateAsset")["Id"]
    assert result(server, "GetAsset", {"Id": made})["Name"] == "人 & «x»"


def test_a_signature_is_its_owners_alone(server, signed):
    group_id = group(server.to_a_new_caller())
    assert refused(signed("GetAssetGroup", {"Id": group_id})) == (404, "NotFound.Asset")


def test_the_region_of_a_signature_is_repeated(signed):
    answer = signed("ListAssets", {}, region="ap-southeast-1")
    assert answer.json()["ResponseMetadata"]["Region"] == "ap-southeast-1"
    assert answer.status == 200


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"sk": "wrong"}, "SignatureDoesNotMatch"),
        ({"ak": "AKwrong"}, "InvalidAccessKey"),
        ({"service": "iam"}, "InvalidCredential"),
        ({"sent_body": '{"Id":"other"}'}, "SignatureDoesNotMatch"),
        ({"changed": {"X-Date": "20261121T115959Z"}}, "SignatureDoesNotMatch"),
        ({"changed": {"X-Date": "20261120T120000Z"}}, "InvalidCredential"),
        ({"changed": {"X-Date": "yesterday"}}, "InvalidTimestamp"),
        ({"changed": {"Content-Type": "text/plain"}}, "SignatureDoesNotMatch"),
        ({"changed": {"X-Content-Sha256": hashlib.sha256(b"x").hexdigest()}}, "SignatureDoesNotMatch"),
        ({"changed": {"Authorization": "HMAC-SHA256 Credential=AK"}}, "InvalidAuthorization"),
    ],
)
def test_a_signature_that_is_not_genuine_is_refused(signed, change, word):
    assert refused(signed("ListAssets", {}, **change)) == (401, word)


def test_a_signature_needs_what_makes_it_safe_among_the_signed_headers(server, signed):
    signed("ListAssets", {})
    answer = ask(
        server,
        "ListAssets",
        {},
        headers={
            "Authorization": (
                f"HMAC-SHA256 Credential=AK{server.owner}/20261121/cn-beijing/ark/request, SignedHeaders=host, "
                f"Signature={'0' * 64}"
            ),
            "X-Date": "20261121T120000Z",
        },
    )
    assert refused(answer) == (401, "InvalidAuthorization")


@pytest.mark.parametrize("sign", [1, -1])
def test_clocks_may_be_a_quarter_of_an_hour_apart(server, signed, sign):
    near = server.clock.now() + sign * CLOCK_SKEW
    assert signed("ListAssets", {}, moment=near).status == 200
    far = near + sign * timedelta(seconds=1)
    assert refused(signed("ListAssets", {}, moment=far)) == (401, "InvalidTimestamp")


def test_a_signature_is_for_the_action_that_was_signed(server, signed, monkeypatch):
    call = type(server).call
    group_id = group(server)
    monkeypatch.setattr(
        type(server), "call", lambda self, method, path, *rest: call(self, method, path.replace("Get", "Delete"), *rest)
    )
    assert refused(signed("GetAssetGroup", {"Id": group_id})) == (401, "SignatureDoesNotMatch")


def test_credentials_are_the_same_each_time_and_differ_by_key(server):
    first = server.call("GET", "/v1/credentials")
    assert first.headers["cache-control"] == "no-store"
    assert server.call("GET", "/v1/credentials").json() == first.json()
    other = server.to_a_new_caller().call("GET", "/v1/credentials").json()
    assert {*first.json().values()}.isdisjoint(other.values())
