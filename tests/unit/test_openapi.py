"""The description of the API: it is whole, true to the codecs, and says something about every field."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from understudy.catalog.load import load_catalogue
from understudy.core.errors import CODES
from understudy.dialects.codec import Codec
from understudy.dialects.registry import CODECS
from understudy.dialects.select import MOUNTS, Operation, mounted_doors
from understudy.server.docs_page import described
from understudy.server.openapi_own import CHANGE_BODY, OWN_BODIES
from understudy.server.openapi_samples import sample_created, sample_error, sample_request, sample_task
from understudy.server.openapi_schemas import OWN, required_fields, schemas, undescribed, undescribed_fields

MODELS = list({model.id: model for model in load_catalogue().models.values()}.values())
DOORS = tuple(mounted_doors())
GOLDEN = Path(__file__).parent.parent / "golden"
each_dialect = pytest.mark.parametrize("codec", CODECS.values(), ids=lambda codec: codec.name)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return described(CODECS)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from nodes(each)
    elif isinstance(value, list):
        for each in value:
            yield from nodes(each)


def found_at(document: dict[str, Any], pointer: str) -> Any:
    value: Any = document
    for part in pointer.removeprefix("#/").split("/"):
        value = value[part]
    return value


@each_dialect
def test_every_field_of_every_body_has_a_sentence(codec: Codec) -> None:
    assert undescribed(codec) == []


def test_every_field_of_the_servers_own_bodies_has_a_sentence() -> None:
    assert undescribed_fields(OWN, [*OWN_BODIES, CHANGE_BODY]) == []


def test_a_field_without_a_sentence_is_found() -> None:
    class Strange(msgspec.Struct):
        unheard_of: int

    assert undescribed_fields("ark", [Strange]) == ["ark.Strange.unheard_of"]


def test_every_door_is_described(document: dict[str, Any]) -> None:
    said = {(path, method) for path, method, _ in operations(document)}
    assert {(door.path, door.method.lower()) for door in DOORS} - said == set()


def test_an_answer_that_several_dialects_give_names_each_code_once(document: dict[str, Any]) -> None:
    told = document["paths"]["/api/v3/contents/generations/tasks"]["post"]["responses"]["404"]["description"]
    assert told == "What is wrong: `InvalidEndpointOrModel.NotFound`, `NotFound.Asset`."


def test_the_same_code_gives_the_same_bytes() -> None:
    assert json.dumps(described(CODECS)) == json.dumps(described(CODECS))


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    pointers = {node["$ref"] for node in nodes(document) if isinstance(node.get("$ref"), str)}
    assert pointers
    for pointer in pointers:
        found_at(document, pointer)


def test_every_operation_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][A-Za-z0-9]+", name) for name in names)


def test_every_variable_of_a_path_is_described(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        parameters = [found_at(document, each["$ref"]) if "$ref" in each else each for each in operation["parameters"]]
        said = {each["name"] for each in parameters if each["in"] == "path"}
        assert said == set(re.findall(r"{(\w+)}", path)), path


def test_where_several_dialects_meet_a_request_is_any_of_theirs_and_a_header_names_one(
    document: dict[str, Any],
) -> None:
    create = document["paths"]["/v1/video/generations"]["post"]
    choices = create["requestBody"]["content"]["application/json"]["schema"]["anyOf"]
    assert [each["$ref"].rpartition("/")[2].partition(".")[0] for each in choices] == ["amux", "newapi", "octopus"]
    named = next(each for each in create["parameters"] if each.get("name") == "X-Understudy-Dialect")
    assert set(named["schema"]["enum"]) == {"amux", "newapi", "octopus"}


@pytest.mark.parametrize("mount", MOUNTS)
def test_below_a_mount_a_create_is_of_that_mount_alone(document: dict[str, Any], mount: str) -> None:
    for door in DOORS:
        if door.operation is Operation.CREATE and door.path.startswith(f"/{mount}/"):
            body = document["paths"][door.path]["post"]["requestBody"]["content"]["application/json"]
            assert set(body["examples"]) <= set(MOUNTS[mount]), door.path


@each_dialect
def test_what_a_request_requires_is_what_its_codec_misses(codec: Codec) -> None:
    shape = schemas(codec, MODELS)[f"{codec.name}.{codec.shapes.request.__name__}"]
    assert shape["required"] == list(required_fields(codec))
    if codec.name == "openai":
        assert shape["required"] == ["prompt"]
    else:
        assert shape["required"] in (["model", "content"], ["model", "prompt"])


@each_dialect
def test_the_example_of_a_request_is_one_that_its_codec_reads(codec: Codec) -> None:
    decoded = codec.decode_request(sample_request(codec, MODELS[0]))
    assert (decoded.request.duration_s, decoded.warnings) == (5, ())


@each_dialect
def test_the_examples_of_answers_have_the_shapes_that_are_described(codec: Codec) -> None:
    msgspec.convert(sample_created(codec, MODELS[0]), codec.shapes.created)
    msgspec.convert(sample_task(codec, MODELS[0]), codec.shapes.task)


@each_dialect
@pytest.mark.parametrize("code", CODES)
def test_every_error_has_one_of_the_shapes_that_are_described(codec: Codec, code: str) -> None:
    body = sample_error(codec, code)
    forms = [form for form in (codec.shapes.error, codec.shapes.other_error) if form is not None]
    fitting = [form for form in forms if set(body) <= set(form.__struct_fields__) and _is(body, form)]
    assert len(fitting) == 1, body


def _is(body: dict[str, Any], form: type) -> bool:
    try:
        msgspec.convert(body, form)
    except msgspec.ValidationError:
        return False
    return True


def test_limits_are_the_catalogues_and_the_dialects_own(document: dict[str, Any]) -> None:
    shapes = document["components"]["schemas"]
    ark, apiyi, apimart = (
        shapes[f"{name}.{CODECS[name].shapes.request.__name__}"] for name in ("ark", "apiyi", "apimart")
    )
    assert ark["properties"]["execution_expires_after"]["minimum"] == 3600
    assert "4k" in ark["properties"]["resolution"]["enum"]
    assert "4k" not in apiyi["properties"]["resolution"]["enum"]
    assert "frames" not in apiyi["properties"]
    assert apimart["properties"]["size"]["default"] == "16:9"
    assert {"const": -1, "description": "The engine chooses."} in ark["properties"]["duration"]["anyOf"]
    assert "anyOf" not in apimart["properties"]["duration"]


@pytest.mark.full
def test_the_document_is_openapi(document: dict[str, Any]) -> None:
    from openapi_spec_validator import validate

    validate(document)


def accepted_bodies() -> Iterator[tuple[str, str, str]]:
    """Yield the bodies that a seed prints; the other cases have numbers as text and the like, beyond what is said."""
    for path in sorted(GOLDEN.glob("*/[0-9][0-9][0-9]_*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        if case["method"] == "POST" and case["expect"].get("status") == 200 and path.parent.name in CODECS:
            yield f"{path.parent.name}/{path.stem}", path.parent.name, case["body"]


@pytest.mark.full
@pytest.mark.parametrize(("name", "dialect", "body"), tuple(accepted_bodies()))
def test_every_printed_example_that_is_accepted_fits_the_description(
    document: dict[str, Any], name: str, dialect: str, body: str
) -> None:
    from jsonschema import Draft202012Validator

    shape = CODECS[dialect].shapes.request.__name__
    schema = {"$ref": f"#/components/schemas/{dialect}.{shape}", "components": document["components"]}
    assert [error.message for error in Draft202012Validator(schema).iter_errors(json.loads(body))] == [], name
