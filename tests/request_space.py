"""The space of create requests, dialect by dialect: good ones, nearly good ones, and what nobody would send."""

import json
from itertools import chain
from typing import Any

from hypothesis import strategies as st

from understudy.catalog.load import load_catalogue
from understudy.dialects.codec import Codec
from understudy.testing.dialect_samples import TASK_ID
from understudy.testing.dialect_shapes import keys_of

_CATALOGUE = load_catalogue()
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
_HUGE = (0, -1, 1, 2**31, 2**32 - 1, 2**32, -(2**63), 2**64, 10**400, 0.5, -0.0, 1e308, float("inf"))
_ODD_TEXT = (
    "",
    " ",
    "null",
    "-1",
    "1e9",
    "True",
    "0x10",
    "١٢",
    "５",
    "\u202e",
    "x" * 5000,
    "{",
    "[]",
    '{"a":1}',
    "a\nb",
)
_ODD: tuple[Any, ...] = (
    *(None, True, False, [], {}, [None], {"": ""}, {"a": None}, [[[[[]]]]], [{"type": "text"}], {"url": 7}, [7, "x"]),
    *_HUGE,
    *_ODD_TEXT,
    {"type": ["text"], "text": {"a": [1, 2, {"b": None}]}},
    [{"type": "image_url", "image_url": "https://media.example/a.png"}],
    {"role": "first_frame", "url": {"url": {"url": "x"}}},
    "k" * 300,
    {"k" * 300: 1},
)
WILD = st.one_of(st.sampled_from(_ODD), st.sampled_from(_ODD), _TEXT)
"""What stands where something else should, drawn quickly."""
_ANY = st.recursive(
    WILD, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXT, inner, max_size=3)), max_leaves=6
)
"""Any JSON value."""

_BOOLEANS = st.sampled_from((True, False, "true", "false", "1", 0, 1))
_ADDRESSES = (
    "https://media.example/a.png",
    "https://media.example/b.mp4?x=1",
    "http://127.0.0.1:1/c.mp3",
    "https://[::1",
    "asset://asset-20261121-abcde",
    "asset://",
    "data:image/png;base64,iVBORw0KGgo=",
    "data:video/mp4;base64,AAAA",
    "data:audio/wav;base64,UklGRg==",
    "data:;base64,!",
    "ftp://media.example/a.png",
    f"task://{TASK_ID}",
    "file:///etc/passwd",
    "",
)
_ADDRESS = st.sampled_from(_ADDRESSES)
_ROLES = ("first_frame", "last_frame", "reference_image", "reference_video", "reference_audio", "subject", "")
_ROLE = st.one_of(st.none(), st.sampled_from(_ROLES))
_KINDS = ("image_url", "video_url", "audio_url")


def _mostly(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 39).flatmap(lambda drawn: WILD if drawn == 0 else good)


def _media(kind: str) -> st.SearchStrategy[Any]:
    address = _mostly(st.fixed_dictionaries({"url": _ADDRESS}, optional={"detail": st.just("high")}))
    return st.fixed_dictionaries({"type": st.just(kind), kind: address}, optional={"role": _ROLE})


_PROMPTS = (
    "A cat",
    "猫",
    'A fox says "oui" --ratio 16:9 --dur 5 --seed 7',
    "--rs 4k --rt 9:16 --fps 24 --wm true --cf false",
    "x" * 4001,
    "[Image 1] and [Video 2]",
)
_PROMPT = st.one_of(st.sampled_from(_PROMPTS), _TEXT)
_ITEM = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "text": _mostly(_PROMPT)}, optional={"role": _ROLE}),
    *(_media(kind) for kind in _KINDS),
    st.fixed_dictionaries({"type": st.just("draft_task"), "draft_task": _mostly(st.just({"id": f"cgt-{TASK_ID}"}))}),
)
_WORDS = _PROMPT.map(lambda words: {"type": "text", "text": words})
_PLAIN_ADDRESS = "https://media.example/a"


def _plain(kind: str, role: str) -> dict[str, Any]:
    return {"type": kind, kind: {"url": _PLAIN_ADDRESS}, "role": role}


_COHERENT = (
    (),
    (_plain("image_url", "first_frame"),),
    (_plain("image_url", "first_frame"), _plain("image_url", "last_frame")),
    (_plain("image_url", "reference_image"), _plain("video_url", "reference_video")),
    (_plain("video_url", "reference_video"), _plain("audio_url", "reference_audio")),
    ({"type": "image_url", "image_url": {"url": _PLAIN_ADDRESS}},),
    ({"type": "video_url", "video_url": {"url": _PLAIN_ADDRESS}},),
)
_SCENARIO = st.builds(lambda words, media: [words, *media], _WORDS, st.sampled_from(_COHERENT))
_CONTENT = st.one_of(_SCENARIO, _SCENARIO, _SCENARIO, st.lists(_mostly(_ITEM), max_size=6))
_RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9", "adaptive", "2:1", "16：9")
_LIST_OF_ADDRESSES = st.lists(_mostly(_ADDRESS), max_size=4)
_ROLED = st.lists(_mostly(st.fixed_dictionaries({"url": _ADDRESS}, optional={"role": _ROLE})), max_size=4)
_TOOLS = st.lists(_mostly(st.fixed_dictionaries({"type": st.sampled_from(("web_search", "x", ""))})), max_size=2)
_MODELS = tuple(chain(_CATALOGUE.models, _CATALOGUE.models, ("doubao-seedance-9", "", "ep-20260101-abcde")))
_SIZES = (
    "1280x720",
    "720x1280",
    "1792x1024",
    "1024x1792",
    "16:9",
    "9:16",
    "adaptive",
    "0x0",
    "99999x1",
    "1280X720",
    "x",
)
_PIXELS = st.sampled_from((0, 1, 480, 720, 1080, 1280, 99999, "720", -5))
_SECONDS = st.sampled_from((-1, 0, 3, 4, 5, 8, 12, 15, 16, 30, "5", "4", "-1", 5.0, 5.5))

GOOD: dict[str, st.SearchStrategy[Any]] = {
    "model": st.sampled_from(_MODELS),
    "prompt": _PROMPT,
    "content": _CONTENT,
    "ratio": st.sampled_from(_RATIOS),
    "aspect_ratio": st.sampled_from(_RATIOS),
    "size": st.sampled_from(_SIZES),
    "resolution": st.sampled_from(("480p", "720p", "1080p", "4k", "4K", "2k")),
    "duration": _SECONDS,
    "seconds": _SECONDS,
    "frames": st.sampled_from((29, 57, 121, 360, 0, 30, "57")),
    "seed": st.sampled_from((-1, 0, 42, 2**31, 2**32 - 1, 2**32, "7")),
    "priority": st.sampled_from((0, 5, 9, 10, -1)),
    "service_tier": st.sampled_from(("default", "flex", "auto")),
    "execution_expires_after": st.sampled_from((3599, 3600, 172800, 259200, 259201)),
    "callback_url": _ADDRESS,
    "safety_identifier": st.sampled_from(("user-1", "é" * 64, "x" * 65)),
    "output_format": st.sampled_from(("mp4", "mov", "webm")),
    "omni_reference_task_type": st.sampled_from(("auto", "edit", "extend", "other")),
    "trace_id": _TEXT,
    "tools": _TOOLS,
    "image": _ADDRESS,
    "images": _LIST_OF_ADDRESSES,
    "image_urls": _LIST_OF_ADDRESSES,
    "video_urls": _LIST_OF_ADDRESSES,
    "audio_urls": _LIST_OF_ADDRESSES,
    "image_with_roles": _ROLED,
    "input_reference": st.one_of(
        _ADDRESS, st.fixed_dictionaries({}, optional={"image_url": _ADDRESS, "file_id": _TEXT})
    ),
    "width": _PIXELS,
    "height": _PIXELS,
    "fps": st.sampled_from((0, 24, 30, "24")),
    "n": st.sampled_from((0, 1, 2, "1")),
    "response_format": st.sampled_from(("url", "b64_json")),
    **dict.fromkeys(("generate_audio", "audio", "watermark", "return_last_frame", "camera_fixed", "draft"), _BOOLEANS),
}
"""Key -> what a client could well write there."""

_ARK_KEYS = (
    *("content", "ratio", "resolution", "duration", "frames", "seed", "generate_audio", "watermark", "tools"),
    *("return_last_frame", "camera_fixed", "draft", "service_tier", "priority", "execution_expires_after"),
    *("callback_url", "safety_identifier", "output_format", "omni_reference_task_type", "trace_id", "model", "prompt"),
)
_SETTINGS = st.fixed_dictionaries({}, optional={key: _mostly(GOOD[key]) for key in _ARK_KEYS})
_METADATA = st.one_of(_SETTINGS, _SETTINGS, _SETTINGS.map(json.dumps))
_ESSENTIAL = ("model", "prompt", "content")


def requests_of(codec: Codec) -> st.SearchStrategy[dict[str, Any]]:
    """Return the space of one dialect: what its shape has, mostly of the right kind, and what it has not."""
    keys = keys_of(codec.shapes.request)
    values = {key: _METADATA if key == "metadata" else GOOD.get(key, _TEXT) for key in keys}
    needed = {key: values[key] for key in _ESSENTIAL if key in values and not (key == "content" and "prompt" in values)}
    optional = {key: value for key, value in values.items() if key not in needed}
    few = st.lists(st.sampled_from(sorted(optional)), min_size=1, max_size=6, unique=True).flatmap(
        lambda chosen: st.fixed_dictionaries({**needed, **{key: optional[key] for key in chosen}})
    )
    whole = st.fixed_dictionaries(needed, optional=optional)
    wrong = st.builds(lambda good, key, value: {**good, key: value}, few, st.sampled_from(keys), WILD)
    strange = st.builds(lambda good, key, value: {key: value, **good}, few, _TEXT, _ANY)
    anything = st.dictionaries(st.one_of(st.sampled_from((*keys, *GOOD)), _TEXT), _ANY, max_size=6)
    return st.one_of(few, few, few, whole, wrong, strange, anything).map(_without_nulls)


def _without_nulls(fields: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is null on top, as the reader of bodies does before a codec sees them."""
    return {key: value for key, value in fields.items() if value is not None}
