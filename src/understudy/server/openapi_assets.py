"""The asset routes in the API's description: their bodies from the codecs' structs, their limits from the catalogue."""

from collections.abc import Mapping
from typing import Any

import msgspec

from understudy.catalog.load import load_catalogue
from understudy.dialects import apimart_assets as avatars
from understudy.dialects import ark_assets as ark
from understudy.dialects import plain_assets as plain
from understudy.dialects.octopus_assets import (
    PATH,
    AssetAnswer,
    AssetRefusal,
    CreateAsset,
    CreatedAnswer,
    CreateGroup,
    DoneAnswer,
    GetAsset,
)
from understudy.server.openapi_own import FILE_TYPES, JSON_TYPE, PARTS_OF_A_FILE, answer, parameter
from understudy.server.openapi_schemas import OWN, Schema, own_schemas, reference

ASSETS_TAG = {
    "name": "assets",
    "description": "Media that are registered once, and then named in requests as `asset://` and their id.",
}
ASSET_REQUESTS: tuple[type, ...] = (
    CreateGroup,
    CreateAsset,
    GetAsset,
    *dict.fromkeys(ark.ACTIONS.values()),
    avatars.AvatarWanted,
    plain.PlainNew,
    plain.PlainUploadNew,
    plain.PlainChange,
)
ASSET_ANSWERS: tuple[type, ...] = (
    CreatedAnswer,
    AssetAnswer,
    DoneAnswer,
    AssetRefusal,
    ark.ControlAnswer,
    avatars.AvatarAnswer,
    plain.PlainAssets,
    plain.PlainGroups,
    plain.PlainUpload,
    plain.PlainCredentials,
)
_ACTIONS: Mapping[str, tuple[str, type, type]] = {
    "CreateAssetGroup": ("Create a group of assets", CreateGroup, CreatedAnswer),
    "CreateAsset": ("Register an asset", CreateAsset, CreatedAnswer),
    "GetAsset": ("Get an asset, by its own id or by that of its import", GetAsset, AssetAnswer),
}
_DOES: Mapping[str, str] = {
    "CreateAssetGroup": "Create a group of assets",
    "GetAssetGroup": "Get a group",
    "ListAssetGroups": "List groups",
    "UpdateAssetGroup": "Change a group",
    "DeleteAssetGroup": "Delete a group with all its assets",
    "CreateAsset": "Register an asset",
    "GetAsset": "Get an asset",
    "ListAssets": "List assets",
    "UpdateAsset": "Rename an asset",
    "DeleteAsset": "Delete an asset",
}
_REQUIRED = {CreateGroup: ["Name"], CreateAsset: ["GroupId", "URL", "AssetType"]}
_ID = {"name": "id", "in": "path", "required": True, "description": "Its id.", "schema": {"type": "string"}}
_UPLOAD_OFFSET = parameter(
    "Upload-Offset", {"type": "integer", "minimum": 0}, "Where the piece begins.", place="header"
)
_ANY_OBJECT: Schema = {JSON_TYPE: {"schema": {"type": "object"}}}
_STRICT: Schema = {"$ref": "#/components/parameters/strict"}


def asset_paths() -> dict[str, Schema]:
    """Return the paths of the asset routes, below their dialects' mounts as well."""
    return {**_octopus_paths(), **_control_paths(), **_avatar_paths(), **_plain_paths()}


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
    asset["AssetType"]["enum"] = list(ark.TYPES)
    found[f"{OWN}.{avatars.AvatarWanted.__name__}"]["properties"]["assets"]["maxItems"] = limits.avatars_max
    return found


def _octopus_paths() -> dict[str, Schema]:
    found = {}
    for mount in ("", "/octopus"):
        for action, body in ark.ACTIONS.items():
            summary, asked, answered = _ACTIONS.get(action, (_DOES[action], body, DoneAnswer))
            name = f"post{mount.strip('/').capitalize()}{action}"
            found[f"{mount}{PATH}/{action}"] = {"post": _operation(name, summary, asked=asked, answered=answered)}
    return found


def _control_paths() -> dict[str, Schema]:
    """Describe the control plane: one path, whose query says what is wanted."""
    bodies = [reference(OWN, body) for body in dict.fromkeys(ark.ACTIONS.values())]
    refusal = {JSON_TYPE: {"schema": reference(OWN, ark.ControlAnswer)}}
    said = "; ".join(f"`{action}`: {summary.lower()}" for action, summary in _DOES.items())
    action = parameter("Action", {"type": "string", "enum": list(ark.ACTIONS)}, "What is wanted.")
    version = parameter("Version", {"type": "string", "const": ark.VERSION}, "The version of the action.")
    operation = {
        "tags": [ASSETS_TAG["name"]],
        "summary": "Ark's control plane, for an API key or a signed request",
        "description": f"{said}. A request may be signed with HMAC-SHA256, as Volcengine's SDKs do.",
        "parameters": [{**action, "required": True}, {**version, "required": True}, _STRICT],
        "requestBody": {"required": True, "content": {JSON_TYPE: {"schema": {"anyOf": bodies}}}},
        "responses": {
            "200": answer("It went well.", refusal, headers=("X-Understudy-Warnings",)),
            **{
                status: answer(says, refusal)
                for status, says in (
                    ("400", "The request is wrong; nothing was stored."),
                    ("401", "The key or the signature is wrong."),
                    ("404", "There is none of that id for this caller, or no such action."),
                    ("429", "Too much is being processed."),
                    ("503", "The server cannot store now."),
                )
            },
        },
    }
    return {"/ark": {"post": {**operation, "operationId": "postArkControlPlane"}}}


def control_plane_at_the_root() -> Schema:
    """Return the operation for a POST of the root, beside the welcome that a GET is answered with."""
    found = dict(_control_paths()["/ark"]["post"])
    return {**found, "operationId": "postControlPlane"}


def _avatar_paths() -> dict[str, Schema]:
    found = {}
    for mount in ("", "/apimart"):
        for path, end in ((avatars.PATH, ""), (f"{avatars.PATH}/assets", "Assets")):
            name = f"post{mount.strip('/').capitalize()}PrivateAvatar{end}"
            summary = "Register several assets together; the answer's id is polled like a task"
            found[f"{mount}{path}"] = {
                "post": _operation(
                    name, summary, asked=avatars.AvatarWanted, answered=avatars.AvatarAnswer, dialect="apimart"
                )
            }
    return found


def _plain_paths() -> dict[str, Schema]:
    def at(name: str, summary: str, answered: type | None, **said: Any) -> Schema:
        return _operation(name, summary, answered=answered, dialect="openai", **said)

    paging = (
        parameter(
            "limit", {"type": "integer", "minimum": 1, "maximum": load_catalogue().assets.page_size_max}, "Items."
        ),
        parameter("after", {"type": "string"}, "What the page before gave as `next`."),
        parameter("name", {"type": "string"}, "Only those with this in their name."),
    )
    one, group, upload = plain.PlainAsset, plain.PlainGroup, plain.PlainUpload
    file = at("getAssetContent", "Get the file of an asset", None, parameters=(_ID,))
    del file["responses"]["204"]
    file["responses"].update({"200": answer("The file.", FILE_TYPES, headers=("Accept-Ranges",)), **PARTS_OF_A_FILE})
    append = at("appendUpload", "Send the next piece of a file", upload, parameters=(_ID, _UPLOAD_OFFSET), is_raw=True)
    append["responses"]["409"] = answer("The piece does not begin where the file ends.", _ANY_OBJECT)
    return {
        plain.ASSETS_PATH: {
            "get": at("listAssets", "List assets, newest first", plain.PlainAssets, parameters=paging),
            "post": at("createAsset", "Register an address or a file", one, asked=plain.PlainNew, takes_forms=True),
        },
        f"{plain.ASSETS_PATH}/{{id}}": {
            "get": at("getAsset", "Get an asset", one, parameters=(_ID,)),
            "patch": at("renameAsset", "Rename an asset", one, asked=plain.PlainChange, parameters=(_ID,)),
            "delete": at("deleteAsset", "Delete an asset", None, parameters=(_ID,)),
        },
        f"{plain.ASSETS_PATH}/{{id}}/content": {"get": file},
        plain.GROUPS_PATH: {
            "get": at("listGroups", "List groups, newest first", plain.PlainGroups, parameters=paging),
            "post": at("createGroup", "Create a group, or find that of the name", group, asked=plain.PlainChange),
        },
        f"{plain.GROUPS_PATH}/{{id}}": {
            "get": at("getGroup", "Get a group", group, parameters=(_ID,)),
            "patch": at("changeGroup", "Change a group", group, asked=plain.PlainChange, parameters=(_ID,)),
            "delete": at("deleteGroup", "Delete a group with all its assets", None, parameters=(_ID,)),
        },
        plain.UPLOADS_PATH: {
            "post": at("createUpload", "Announce a file", upload, asked=plain.PlainUploadNew, success="201"),
        },
        f"{plain.UPLOADS_PATH}/{{id}}": {
            "get": at("getUpload", "Say how much of a file is here", upload, parameters=(_ID,)),
            "patch": append,
            "delete": at("deleteUpload", "Discard an upload", None, parameters=(_ID,)),
        },
        plain.CREDENTIALS_PATH: {
            "get": at("getCredentials", "Show the key in the form that signs requests", plain.PlainCredentials)
        },
    }


def _operation(  # tidy: the parts of one description
    name: str,
    summary: str,
    *,
    asked: type[msgspec.Struct] | type | None = None,
    answered: type | None,
    dialect: str = "octopus",
    parameters: tuple[Schema, ...] = (),
    success: str = "200",
    is_raw: bool = False,
    takes_forms: bool = False,
) -> Schema:
    refusal: Schema = {"$ref": f"#/components/responses/{dialect}.400"}
    if dialect == "octopus":
        refusal = answer("What is wrong.", {JSON_TYPE: {"schema": reference(OWN, AssetRefusal)}})
    well = {"204": {"description": "It is done."}}
    if answered is not None:
        content = {JSON_TYPE: {"schema": reference(OWN, answered)}}
        well = {success: answer("It went well.", content, headers=("X-Understudy-Warnings",))}
    body: Schema = {}
    if asked is not None:
        kinds = (JSON_TYPE, "multipart/form-data") if takes_forms else (JSON_TYPE,)
        content = {kind: {"schema": reference(OWN, asked)} for kind in kinds}
        body = {"requestBody": {"required": True, "content": content}}
    if is_raw:
        raw = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        body = {"requestBody": {"required": True, "content": raw}}
    return {
        "tags": [ASSETS_TAG["name"]],
        "summary": summary,
        "operationId": name,
        "parameters": [*parameters, _STRICT] if asked is not None else list(parameters),
        **body,
        "responses": {
            **well,
            "400": refusal,
            "401": {"$ref": f"#/components/responses/{dialect}.401"},
            "404": refusal if dialect == "octopus" else {"$ref": f"#/components/responses/{dialect}.404"},
            "429": refusal if dialect == "octopus" else {"$ref": f"#/components/responses/{dialect}.429"},
            "500": {"$ref": f"#/components/responses/{dialect}.500"},
            "503": refusal if dialect == "octopus" else {"$ref": f"#/components/responses/{dialect}.503"},
        },
    }
