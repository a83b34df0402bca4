"""What somebody asks who has only the address: the root, and the list of models."""

import openai
import pytest

from running_server import RunningServer
from understudy.catalog.load import load_catalogue


def test_the_root_tells_programs_where_everything_is(server: RunningServer) -> None:
    told = server.call("GET", "/", headers={"Authorization": ""}).json()
    assert told["name"] == "understudy"
    for name in ("docs", "openapi"):
        assert server.call("GET", told[name], headers={"Authorization": ""}).status == 200


def test_the_root_sends_people_to_the_page(server: RunningServer) -> None:
    answer = server.call("GET", "/", headers={"Accept": "text/html,*/*", "Authorization": ""})
    assert (answer.status, answer.headers["location"], answer.body) == (302, "docs", b"")


def test_openais_sdk_lists_every_name_of_every_model(server: RunningServer) -> None:
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key=server.api_key)
    listed = list(client.models.list())
    assert {model.id for model in listed} == load_catalogue().models.keys()
    assert all(model.object == "model" and model.created > 1_700_000_000 for model in listed)
    assert client.models.retrieve("sora-2").id == "sora-2"


@pytest.mark.parametrize("mount", ["", "/newapi", "/apimart", "/openai"])
def test_the_list_is_below_every_mount_and_asks_for_a_key(server: RunningServer, mount: str) -> None:
    assert server.call("GET", f"{mount}/v1/models").status == 200
    assert server.call("GET", f"{mount}/v1/models", headers={"Authorization": ""}).status == 401


def test_a_model_that_does_not_exist_is_named(server: RunningServer) -> None:
    answer = server.call("GET", "/v1/models/gpt-9")
    assert (answer.status, answer.json()["error"]["code"]) == (404, "model_not_found")
    assert "gpt-9" in answer.json()["error"]["message"]
