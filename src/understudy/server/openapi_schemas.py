"""The schemas of one dialect's bodies: its wire structs, a sentence for every field, and the catalogue's hard limits.

The sentences stand in ``field_words.toml``; the limits are those of the dialect's profile over all models, so that a
value outside them is refused whatever the model is. What depends on the model is judged when the request comes.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from inspect import cleandoc
from typing import Any

import msgspec

from understudy.core.content import Modality, Role
from understudy.core.errors import Rejected
from understudy.core.model_spec import ModelSpec, Profile, Span
from understudy.core.request import DURATION_CHOSEN_BY_ENGINE, RATIO_CHOSEN_BY_ENGINE, field_of
from understudy.dialects.ark_content import MEDIA_KEY
from understudy.dialects.codec import Codec, Shapes
from understudy.dialects.struct_types import structs_of

Schema = dict[str, Any]
OWN = "server"
"""Stands where a dialect's name does, for what belongs to none."""
_NULL = {"type": "null"}
_TEXT = [{"type": "text", "text": "A cat"}]
# What a request is built of until a dialect takes it; which of these it misses is what it requires.
_ESSENTIALS: Mapping[str, Any] = {"model": "seedance-2.0", "prompt": "A cat", "content": _TEXT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is said of fields. fields: name, "Struct.name" or "dialect.name" -> sentence; the most particular wins.

    means: "dialect.name" -> the field of Ark's whose limits hold, where the dialect has another name for it.
    required: "Struct.name" of nested fields without which a request is refused.
    """

    fields: Mapping[str, str]
    means: Mapping[str, str]
    required: tuple[str, ...]

    def sentence(self, dialect: str, struct: type, name: str) -> str | None:
        """Return the sentence for a field, or None when there is none."""
        for key in (f"{dialect}.{struct.__name__}.{name}", f"{dialect}.{name}", f"{struct.__name__}.{name}", name):
            if key in self.fields:
                return self.fields[key]
        return None


@cache
def load_words() -> Words:
    """Return the sentences that ship with the package."""
    text = files("understudy.server").joinpath("field_words.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Words)


def reference(dialect: str, shape: type) -> Schema:
    """Return the schema that points to the component of a body."""
    return {"$ref": _template(dialect).format(name=shape.__name__)}


def schemas(codec: Codec, models: Sequence[ModelSpec]) -> dict[str, Schema]:
    """Return the components of a dialect, by name: "ark.Create" and kin."""
    shapes = codec.shapes
    asked = structs_of(shapes.request)
    answered = _answers(shapes)
    _, components = msgspec.json.schema_components([shapes.request, *answered], ref_template=_template(codec.name))
    found: dict[str, Schema] = {}
    for struct in _unique([*asked, *(each for shape in answered for each in structs_of(shape))]):
        schema = components[struct.__name__]
        _describe(schema, codec.name, struct, is_asked=struct in asked)
        if struct in asked:
            _limit(schema, codec, struct, models=models)
        if struct is shapes.request:
            schema["properties"]["model"].update(
                _any_of(name for model in models for name in (model.id, *model.aliases))
            )
            schema["required"] = list(required_fields(codec))
        if not schema.get("required"):
            schema.pop("required", None)
        schema["title"] = f"{codec.name}: {schema['title']}"
        found[f"{codec.name}.{struct.__name__}"] = schema
    return found


def own_schemas(bodies: Sequence[type], *, is_asked: bool = False) -> dict[str, Schema]:
    """Return the components of bodies that belong to no dialect, by name: "server.QuoteBody" and kin."""
    _, components = msgspec.json.schema_components(bodies, ref_template=_template(OWN))
    structs = _unique(struct for body in bodies for struct in structs_of(body))
    for struct in structs:
        _describe(components[struct.__name__], OWN, struct, is_asked=is_asked)
    return {f"{OWN}.{struct.__name__}": components[struct.__name__] for struct in structs}


def undescribed(codec: Codec) -> list[str]:
    """Return the fields of a dialect's shapes that no sentence is written for."""
    return undescribed_fields(codec.name, [codec.shapes.request, *_answers(codec.shapes)])


def undescribed_fields(dialect: str, bodies: Sequence[type]) -> list[str]:
    """Return the fields of some bodies that no sentence is written for."""
    words = load_words()
    return [
        f"{dialect}.{struct.__name__}.{field.encode_name}"
        for struct in _unique(struct for body in bodies for struct in structs_of(body))
        for field in msgspec.structs.fields(struct)
        if words.sentence(dialect, struct, field.encode_name) is None
    ]


def required_fields(codec: Codec) -> tuple[str, ...]:
    """Return what a request cannot do without, found by asking the codec: it names what it misses."""
    fields: dict[str, Any] = {}
    for _ in _ESSENTIALS:
        try:
            codec.decode_request(fields)
        except Rejected as error:
            missing = error.violation.param
            if missing not in _ESSENTIALS or missing in fields:
                break
            fields[missing] = _ESSENTIALS[missing]
    return tuple(fields)


def error_reference(codec: Codec) -> Schema:
    """Return the schema of a dialect's errors."""
    forms = [form for form in (codec.shapes.error, codec.shapes.other_error) if form is not None]
    return either([reference(codec.name, form) for form in forms])


def either(choices: Sequence[Schema]) -> Schema:
    """Return what is one of these. Not ``oneOf``: a body may fit two dialects, and the server tells them apart."""
    flat = [each for choice in choices for each in choice.get("anyOf", [choice])]
    unique = [choice for index, choice in enumerate(flat) if choice not in flat[:index]]
    return unique[0] if len(unique) == 1 else {"anyOf": unique}


def _answers(shapes: Shapes) -> list[type]:
    bodies = (shapes.created, shapes.task, shapes.page, shapes.error, shapes.other_error)
    return [body for body in bodies if body is not None]


def _template(dialect: str) -> str:
    return f"#/components/schemas/{dialect}.{{name}}"


def _unique(structs: Iterable[type]) -> tuple[type, ...]:
    return tuple(dict.fromkeys(structs))


def _describe(schema: Schema, dialect: str, struct: type, *, is_asked: bool) -> None:
    """Say what each field is, and leave null out where it means no more than an absent field."""
    schema["description"] = cleandoc(schema.get("description", "")).replace("``", "`")
    is_bare = is_asked or struct.__struct_config__.omit_defaults  # type: ignore[attr-defined]
    for name, found in schema["properties"].items():
        bare = _without_null(found) if is_bare else found
        if bare.get("default", ...) is None:
            bare.pop("default")
        sentence = load_words().sentence(dialect, struct, name)
        schema["properties"][name] = {**({"description": sentence} if sentence else {}), **bare}


def _without_null(schema: Schema) -> Schema:
    choices = [choice for choice in schema.get("anyOf", ()) if choice != _NULL]
    if not choices:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**rest, **choices[0]} if len(choices) == 1 else {**rest, "anyOf": choices}


def _limit(schema: Schema, codec: Codec, struct: type, *, models: Sequence[ModelSpec]) -> None:
    """Add the hard limits and the dialect's own defaults; what the dialect has not is left out."""
    words, profile = load_words(), codec.profile
    for name in list(schema["properties"]):
        if name in profile.refuses:
            del schema["properties"][name]
            continue
        meaning = words.means.get(f"{codec.name}.{name}", name)
        limit = _LIMITS.get(f"{struct.__name__}.{meaning}") or _LIMITS.get(meaning)
        if limit is not None:
            schema["properties"][name].update(limit(profile, models))
        default = profile.defaults.get(field_of(meaning))
        if default is not None and schema["properties"][name].get("type") == _TYPE_OF[type(default)]:
            schema["properties"][name]["default"] = default
    required = [name for name in schema["properties"] if f"{struct.__name__}.{name}" in words.required]
    if required:
        schema["required"] = required


_TYPE_OF = {str: "string", int: "integer", bool: "boolean"}

Limit = Callable[[Profile, Sequence[ModelSpec]], Schema]


def _widest(spans: Iterable[Span]) -> Schema:
    spans = list(spans)
    return {"minimum": min(span.least for span in spans), "maximum": max(span.most for span in spans)}


def _any_of(values: Iterable[str]) -> Schema:
    return {"enum": list(dict.fromkeys(values))}


def _any_of_some(values: Iterable[str]) -> Schema:
    """Return the choice, or no limit where the catalogue names no value."""
    choice = _any_of(values)
    return choice if choice["enum"] else {}


def _resolutions(profile: Profile, models: Sequence[ModelSpec]) -> Schema:
    return _any_of(profile.resolutions or [each for model in models for each in model.resolutions])


def _ratios(profile: Profile, models: Sequence[ModelSpec]) -> Schema:
    return _any_of(profile.ratios or [*(each for model in models for each in model.ratios), RATIO_CHOSEN_BY_ENGINE])


def _durations(profile: Profile, models: Sequence[ModelSpec]) -> Schema:
    span = _widest(model.duration_s for model in models)
    if not profile.durations_choosable or not any(model.duration_choosable for model in models):
        return span
    return {"anyOf": [span, {"const": DURATION_CHOSEN_BY_ENGINE, "description": "The engine chooses."}]}


def _frames(profile: Profile, models: Sequence[ModelSpec]) -> Schema:
    if profile.frames is not None:
        return _widest([profile.frames])
    grids = [model.frames for model in models if model.frames is not None]
    return _widest([Span(least=grid.least, most=grid.most) for grid in grids]) if grids else {}


def _item_types(_profile: Profile, _models: Sequence[ModelSpec]) -> Schema:
    return _any_of([str(Modality.TEXT), *MEDIA_KEY.values(), str(Modality.DRAFT)])


_LIMITS: Mapping[str, Limit] = {
    "resolution": _resolutions,
    "ratio": _ratios,
    "duration": _durations,
    "seed": lambda _profile, models: _widest(model.seed for model in models),
    "priority": lambda _profile, models: _widest(model.priority for model in models),
    "frames": _frames,
    "service_tier": lambda _profile, models: _any_of(each for model in models for each in model.service_tiers),
    "execution_expires_after": lambda profile, _models: _widest([profile.execution_expires_after_s]),
    "output_format": lambda _profile, models: _any_of_some(each for model in models for each in model.output_formats),
    "omni_reference_task_type": lambda _profile, models: _any_of_some(
        each for model in models for each in model.task_types
    ),
    "safety_identifier": lambda profile, _models: {"maxLength": profile.safety_identifier_chars_max},
    "Tool.type": lambda _profile, models: _any_of(each for model in models for each in model.tools),
    "Item.type": _item_types,
    "Item.role": lambda _profile, _models: _any_of(map(str, Role)),
}
"""Field of Ark's, or "Struct.field" -> its limits. Sets and ranges are those of all models together."""
