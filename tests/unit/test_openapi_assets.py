"""The asset routes in the API's description: every field has a sentence, the limits are the catalogue's."""

import json
from importlib.metadata import version

import msgspec
import pytest

from understudy.catalog.load import load_catalogue
from understudy.core.errors import CODES, Violation
from understudy.dialects.octopus_assets import (
    AssetAnswer,
    AssetRefusal,
    CreatedAnswer,
    encode_asset,
    encode_asset_created,
    encode_asset_error,
    encode_group_created,
)
from understudy.dialects.registry import CODECS
from understudy.dialects.select import mounted_doors
from understudy.server.assets import asset_routes
from understudy.server.openapi import openapi
from understudy.server.openapi_assets import ASSET_ANSWERS, ASSET_REQUESTS, asset_components, asset_paths
from understudy.server.openapi_schemas import OWN, undescribed_fields
from understudy.testing.asset_stores import sample_asset, sample_group

ACTIONS = ("CreateAssetGroup", "CreateAsset", "GetAsset")


def test_every_field_has_a_sentence():
    assert undescribed_fields(OWN, [*ASSET_REQUESTS, *ASSET_ANSWERS]) == []


def test_every_asset_route_is_in_the_document():
    models = list({model.id: model for model in load_catalogue().models.values()}.values())
    document = openapi(tuple(mounted_doors()), CODECS, models=models, version=version("understudy"))
    seeds = {f"{mount}/v1/seedance/asset/{action}" for mount in ("", "/octopus") for action in ACTIONS}
    assert seeds <= set(asset_paths())
    assert set(asset_paths()) <= set(document["paths"])
    assert asset_components().keys() <= document["components"]["schemas"].keys()


def test_every_route_that_is_served_is_described():
    class Served:
        codecs = CODECS
        preferred_dialect = None

    served = {route.path: set(route.endpoint._handlers) for route in asset_routes(Served(), None, None)}
    described = {path: {method.upper() for method in methods} for path, methods in asset_paths().items()}
    refused = {"/v1/seedance2/real-avatar", "/apimart/v1/seedance2/real-avatar", "/"}
    assert served.keys() - refused == described.keys()
    assert all(served[path] - {"HEAD"} == methods for path, methods in described.items())


def test_limits_are_the_catalogues():
    limits, bodies = load_catalogue().assets, asset_components()
    group, asset = bodies["server.CreateGroup"], bodies["server.CreateAsset"]
    assert group["properties"]["Name"]["maxLength"] == limits.name_chars_max
    assert group["properties"]["Description"]["maxLength"] == limits.description_chars_max
    assert asset["properties"]["URL"]["maxLength"] == limits.url_chars_max
    assert asset["properties"]["AssetType"]["enum"] == ["Image", "Video", "Audio"]
    assert (group["required"], asset["required"]) == (["Name"], ["GroupId", "URL", "AssetType"])


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        (encode_group_created(sample_group(), ()), CreatedAnswer),
        (encode_asset_created(sample_asset(), ()), CreatedAnswer),
        (encode_asset(sample_asset(), (), url="https://x/"), AssetAnswer),
        *((encode_asset_error(Violation(code, "", "No."), "r").body, AssetRefusal) for code in CODES),
    ],
)
def test_every_answer_has_the_shape_that_is_described(body, shape):
    assert set(json.loads(body)) == set(shape.__struct_fields__)
    msgspec.json.decode(body, type=shape)
