"""The asset routes in the API's description: their bodies from the codec's structs, their limits from the catalogue."""

from collections.abc import Mapping

from understudy.catalog.load import load_catalogue
from understudy.dialects.ark_assets import TYPES
from understudy.dialects.octopus_assets import (
    PATH,
    AssetAnswer,
    AssetRefusal,
    CreateAsset,
    CreatedAnswer,
    CreateGroup,
    GetAsset,
)
from understudy.server.openapi_own import JSON_TYPE, answer
from understudy.server.openapi_schemas import OWN, Schema, own_schemas, reference

ASSETS_TAG = {
    "name": "assets",
    "description": "Media that are registered once, and then named in requests as `asset://` and their id.",
}
ASSET_REQUESTS: tuple[type, ...] = (CreateGroup, CreateAsset, GetAsset)
ASSET_ANSWERS: tuple[type, ...] = (CreatedAnswer, AssetAnswer, AssetRefusal)
_ACTIONS: Mapping[str, tuple[str, type, type]] = {
    "CreateAssetGroup": ("Create a group of assets", CreateGroup, CreatedAnswer),
    "CreateAsset": ("Register an asset", CreateAsset, CreatedAnswer),
    "GetAsset": ("Get an asset, by its own id or by that of its import", GetAsset, AssetAnswer),
}
_REQUIRED = {CreateGroup: ["Name"], CreateAsset: ["GroupId", "URL", "AssetType"]}


def asset_paths() -> dict[str, Schema]:
    """Return the paths of the asset routes, below their dialect's mount as well."""
    return {
        f"{mount}{PATH}/{action}": {"post": _operation(action, mount)}
        for mount in ("", "/octopus")
        for action in _ACTIONS
    }


def asset_components() -> dict[str, Schema]:
    """Return the schemas of the bodies, by name: "server.CreateAsset" and kin."""
    limits = load_catalogue().assets
    found = own_schemas(ASSET_REQUESTS, is_asked=True) | own_schemas(ASSET_ANSWERS)
    for struct, required in _REQUIRED.items():
        properties = found[f"{OWN}.{struct.__name__}"]["properties"]
        found[f"{OWN}.{struct.__name__}"]["required"] = required
        properties["Name"]["maxLength"] = limits.name_chars_max
    found[f"{OWN}.{CreateGroup.__name__}"]["properties"]["Name"]["minLength"] = 1
    found[f"{OWN}.{CreateGroup.__name__}"]["properties"]["Description"]["maxLength"] = limits.description_chars_max
    asset = found[f"{OWN}.{CreateAsset.__name__}"]["properties"]
    asset["URL"].update(maxLength=limits.url_chars_max, pattern=f"^({'|'.join(limits.url_schemes)})://")
    asset["AssetType"]["enum"] = list(TYPES)
    return found


def _operation(action: str, mount: str) -> Schema:
    summary, asked, answered = _ACTIONS[action]
    refusal = {JSON_TYPE: {"schema": reference(OWN, AssetRefusal)}}
    missing = {} if asked is CreateGroup else {"404": answer("There is none of that id for this caller.", refusal)}
    return {
        "tags": [ASSETS_TAG["name"]],
        "summary": summary,
        "operationId": f"post{mount.strip('/').capitalize()}{action}",
        "parameters": [{"$ref": "#/components/parameters/strict"}],
        "requestBody": {"required": True, "content": {JSON_TYPE: {"schema": reference(OWN, asked)}}},
        "responses": {
            "200": answer(
                "It went well.",
                {JSON_TYPE: {"schema": reference(OWN, answered)}},
                headers=("X-Understudy-Warnings",),
            ),
            "400": answer("The request is wrong; nothing was stored.", refusal),
            "401": {"$ref": "#/components/responses/octopus.401"},
            **missing,
            "429": answer("The server is reading too many large requests.", refusal),
            "500": {"$ref": "#/components/responses/octopus.500"},
            "503": answer("The server cannot store now.", refusal),
        },
    }
