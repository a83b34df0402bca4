"""The recipe of a film: what its request asked for, as JSON that travels in the film's file.

It holds what decides what is seen and heard, and nothing else: no address, key, owner, id, time or callback, so that
equal requests give equal bytes and a film that is passed on tells nothing about who ordered it. Media are named by
their SHA-256. Writing it into files and reading it there is `media`'s work.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from understudy.core.content import ContentItem, Modality, Role
from understudy.core.request import GenerationRequest

RECIPE_TAG = "understudy_recipe"
"""The key in a film's metadata."""

VERSION = 1
RECIPE_CHARS_MAX = 2_000_000
"""Above any recipe that a request can make: the longest prompt, every character escaped, and all its media."""

NOT_OF_THE_FILM = frozenset(
    {
        "callback_url",
        "content",
        "draft_task_id",
        "execution_expires_after_s",
        "model_asked",
        "priority",
        "remixed_from",
        "safety_identifier",
        "service_tier",
        "trace_id",
    }
)
"""Fields of the request that say how, for whom or from which task it is made; the content is written item by item."""

FILM_FIELDS = tuple(each.name for each in fields(GenerationRequest) if each.name not in NOT_OF_THE_FILM)
SHA256_PREFIX = "sha256:"
"""Before the digest of a medium, as the address of an item whose bytes are not in the recipe."""


class NoRecipe(ValueError):
    """The text is no recipe that this program can read; the sentence says why."""


def recipe_of(request: GenerationRequest, seed: int) -> str:
    """Return the recipe of a resolved request, one line of ASCII. seed: the one used, 0..2^32-1."""
    said = {name: getattr(request, name) for name in FILM_FIELDS}
    recipe: dict[str, Any] = {name: value for name, value in said.items() if value not in (None, ())}
    recipe["seed"] = seed
    recipe["content"] = [_told(item) for item in request.content]
    recipe["recipe"] = VERSION
    return json.dumps(recipe, sort_keys=True, separators=(",", ":"))


def request_of(recipe: str) -> GenerationRequest:
    """Return the request that a recipe asks for; the address of a medium is ``sha256:`` and its digest.

    Raises: NoRecipe.
    """
    found = read_recipe(recipe)
    given = {name: value for name, value in found.items() if name in FILM_FIELDS}
    try:
        content = tuple(_item(item) for item in found["content"])
        if "tools" in given:
            given["tools"] = tuple(str(tool) for tool in given["tools"])
        return GenerationRequest(content=content, **given)
    except (KeyError, TypeError, ValueError) as error:
        raise NoRecipe("the recipe is not whole") from error


def read_recipe(recipe: str) -> Mapping[str, Any]:
    """Return the recipe as it is written.

    Raises: NoRecipe.
    """
    if len(recipe) > RECIPE_CHARS_MAX:
        raise NoRecipe(f"the recipe has more than {RECIPE_CHARS_MAX} characters")
    try:
        found = json.loads(recipe)
    except (ValueError, RecursionError) as error:
        raise NoRecipe("the recipe is no JSON") from error
    if not isinstance(found, dict) or found.get("recipe") != VERSION:
        raise NoRecipe(f"the recipe is not of version {VERSION}, the one that this program reads")
    return found


def _told(item: ContentItem) -> dict[str, str]:
    if item.modality is Modality.TEXT:
        return {"type": "text", "text": item.value}
    told = {"type": str(item.modality)}
    if item.role is not None:
        told["role"] = str(item.role)
    if item.medium is not None:
        told["sha256"] = item.medium.sha256
    return told


def _item(told: Mapping[str, str]) -> ContentItem:
    modality = Modality(told["type"])
    if modality is Modality.TEXT:
        return ContentItem(modality=modality, value=str(told["text"]))
    role = Role(told["role"]) if "role" in told else None
    return ContentItem(modality=modality, value=SHA256_PREFIX + str(told.get("sha256", "")), role=role)
