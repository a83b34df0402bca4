"""Forms: multipart/form-data and urlencoded bodies turned into the object that a JSON body would be.

All values stay text; codecs of dialects that take forms read numbers and booleans from it. A file becomes a data URL.
Brackets are read as clients of the field write them: ``metadata[watermark]=true``, ``image_urls[]=a``,
``content[0][type]=text``, and OpenAI's SDK, which groups the fields of a list of objects by key:
``content[][type]`` for every item, then ``content[][role]`` for those that have one. Which item a value belongs to is
then found from the ``type`` of the items, or the form is refused; a JSON string under the list's name is always exact.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from python_multipart.multipart import parse_options_header

from understudy.core.errors import Rejected
from understudy.core.first_bytes import media_type_of
from understudy.dialects.json_body import BODY, read_object, read_text, refuse_many_values, reject_value, shown
from understudy.dialects.json_spool import Spool
from understudy.dialects.multipart import FIELDS_MAX, MultipartForm, Pair, Upload, text_in
from understudy.dialects.naming import renamed_all

MULTIPART = b"multipart/form-data"
URLENCODED = b"application/x-www-form-urlencoded"
FORM_TYPES = frozenset({MULTIPART, URLENCODED})

# Our own bounds, far above any request that a model serves.
DEPTH_MAX = 8
NAME_CHARS_MAX = 8192
# Each costs the parser a list entry; a prompt of the greatest length, all of it Chinese, has fewer.
ESCAPES_MAX = 400_000

_NAME = re.compile(r"(?P<root>[^\[\]]+)(?P<parts>(?:\[[^\[\]]*\])*)")
_INDEX = re.compile(r"[0-9]{1,4}")
_PART = re.compile(r"\[([^\[\]]*)\]")
_OBJECTS = frozenset({"metadata", "content", "input_reference", "tools", "video", "image_with_roles"})
"""Fields that are objects or lists in JSON; as a form's text they hold JSON, where it looks like it."""
_ITEM_KINDS = frozenset({"text", "image_url", "video_url", "audio_url", "draft_task"})
"""Keys of a content item that only an item of the same type has."""


class FormFields(dict[str, Any]):
    """The object that a form stood for: new-api reads a form's fields otherwise than the same keys in JSON."""


def read_form(content_type: bytes, body: bytes) -> dict[str, Any]:
    """Return the object that a form stands for. A field left empty means absent, as null does in JSON.

    An urlencoded body that is JSON is read as JSON: curl says urlencoded of whatever it is given.

    Raises: Rejected.
    """
    kind, _ = parse_options_header(content_type)
    if kind == MULTIPART:
        form = open_multipart(content_type)
        try:
            form.feed(body)
            return object_of(form.end())
        finally:
            form.close()
    if body.lstrip().startswith(b"{"):
        return read_object(body)
    return object_of(_urlencoded(body))


def open_multipart(content_type: bytes, spool: Spool | None = None) -> MultipartForm:
    """Return the reader of a multipart form that is still on its way. spool: where its files go.

    Raises: Rejected.
    """
    _, options = parse_options_header(content_type)
    return MultipartForm(options.get(b"boundary", b""), spool, is_json=_may_be_json)


def object_of(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Return the object that the fields of a form spell, in their order.

    Raises: Rejected.
    """
    texts = [_data_url(name, value) if isinstance(value, Upload) else value for name, value in pairs]
    # Each of them alone may be within the bound of a body.
    refuse_many_values([text for text in texts if _looks_like_json(text)])
    root = _Branch()
    for (name, _), text in zip(pairs, texts, strict=True):
        path = _path(name)
        if text or "" in path:
            root.add(path, text)
    return FormFields({key: _whole(key, branch) for key, branch in root.children.items()})


def read_json_text(text: str, name: str) -> Any:
    """Return the JSON value that a text field holds, judged as a body would be. name: the field, for the refusal.

    Raises: Rejected.
    """
    try:
        found = read_text(f'{{"value":{text}}}')
    except Rejected as error:
        raise renamed_all(error, {"value": name, BODY: name}) from None
    if len(found) != 1:
        reject_value(name, "it is not valid JSON.")
    return found["value"]


class _Branch:
    """One level of bracket names. values: what was given at just this name, in order; order: each name as it came."""

    def __init__(self) -> None:
        self.values: list[str] = []
        self.children: dict[str, _Branch] = {}

    def add(self, path: tuple[str, ...], value: str) -> None:
        branch = self
        for key in path:
            branch = branch.children.setdefault(key, _Branch())
        branch.values.append(value)


def _path(name: str) -> tuple[str, ...]:
    """Split ``a[b][]`` into its keys; a name whose brackets do not match is one key."""
    if len(name) > NAME_CHARS_MAX:
        reject_value(shown(name), f"a form's names have at most {NAME_CHARS_MAX} characters.")
    found = _NAME.fullmatch(name)
    if not found:
        return (shown(name),)
    path = (found["root"], *_PART.findall(found["parts"]))
    if len(path) > DEPTH_MAX:
        reject_value(shown(name), f"a form's names have at most {DEPTH_MAX} levels; send a JSON string instead.")
    return path


def _whole(name: str, branch: _Branch) -> Any:
    """Return the value of one branch. name: its path as messages show it."""
    if branch.values and branch.children:
        reject_value(shown(name), "it is given both as a whole and in parts.")
    if not branch.children:
        return _leaf(name, branch.values)
    keys = branch.children.keys()
    if keys == {""}:
        return _list(name, branch.children[""])
    if "" in keys:
        reject_value(shown(name), "it is given both as a list and as an object.")
    if all(_INDEX.fullmatch(key) for key in keys):
        return _numbered(name, branch.children)
    return {key: _whole(f"{name}.{key}", child) for key, child in branch.children.items()}


def _leaf(name: str, values: list[str]) -> Any:
    read = [_maybe_json(value, name) for value in values] if _is_object(name) else values
    return read[0] if len(read) == 1 else list(read)


def _is_object(name: str) -> bool:
    return name.rpartition(".")[2] in _OBJECTS


def _may_be_json(name: str) -> bool:
    """Say whether `_leaf` or `_list` would read the field of this name as JSON."""
    keys = [key for key in re.split(r"[\[\]]+", name) if key]
    return bool(keys) and keys[-1] in _OBJECTS


def _maybe_json(text: str, name: str) -> Any:
    return read_json_text(text, shown(name)) if _looks_like_json(text) else text


def _looks_like_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[")


def _numbered(name: str, children: Mapping[str, _Branch]) -> list[Any]:
    order = sorted(children, key=int)
    if [int(key) for key in order] != list(range(len(order))):
        reject_value(shown(name), "its items must be numbered from 0 without a gap.")
    return [_whole(f"{name}[{key}]", children[key]) for key in order]


def _list(name: str, each: _Branch) -> list[Any]:
    """Return the items of ``name[]``: texts, or objects whose fields came grouped by key."""
    if not each.children:
        return [_maybe_json(value, name) for value in each.values] if _is_object(name) else list(each.values)
    if each.values or "" in each.children:
        reject_value(shown(name), "its items must be either texts or objects.")
    columns = {key: _column(name, key, branch) for key, branch in each.children.items()}
    count = len(columns.get("type", ())) or max(len(values) for values in columns.values())
    items: list[dict[str, Any]] = [{} for _ in range(count)]
    for key, values in columns.items():
        owners = _owners(name, key, len(values), columns=columns, count=count)
        for index, value in zip(owners, values, strict=True):
            if value != "":
                items[index][key] = value
    return items


def _column(name: str, key: str, branch: _Branch) -> list[Any]:
    """Return the values of one key in the order of the items that have it: texts, or objects of texts."""
    if not branch.children:
        return list(branch.values)
    columns = {inner: child.values for inner, child in branch.children.items()}
    sizes = {len(values) for values in columns.values()}
    if branch.values or len(sizes) != 1 or any(child.children for child in branch.children.values()):
        _ambiguous(name)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _owners(name: str, key: str, given: int, *, columns: Mapping[str, list[Any]], count: int) -> Sequence[int]:
    """Return which items the values of one key belong to: all, those whose type is the key, or all but the texts."""
    types = columns.get("type", ())
    named = [index for index, kind in enumerate(types) if kind == key]
    if named and given == len(named):
        return named
    if given == count and not (types and key in _ITEM_KINDS):
        return range(count)
    others = [index for index, kind in enumerate(types) if kind != "text"]
    if key != "role" or given != len(others):
        _ambiguous(name)
    return others


def _ambiguous(name: str) -> NoReturn:
    root = name.partition(".")[0].partition("[")[0]
    whole = f"send {root} as a JSON string" if root != name else "send it as a JSON string"
    reject_value(shown(name), f"the form does not say which of its items the fields belong to; {whole}.")


def _data_url(name: str, upload: Upload) -> str:
    """Return a file as a text, where it is one, else as a data URL of the type that its first bytes show."""
    if upload.is_text:
        return text_in(name, upload.content)
    if not upload.content and not upload.address:
        if upload.file_name:
            reject_value(shown(name), "the file is empty.")
        # So browsers send a form in which no file was chosen (HTML, "constructing the entry list").
        return ""
    # The first bytes first: OpenAI's SDK calls whatever is given as bytes application/octet-stream.
    kind = media_type_of(upload.content) or upload.media_type or "application/octet-stream"
    data = upload.address or base64.b64encode(upload.content).decode("ascii")
    return f"data:{kind};base64,{data}"


def _urlencoded(body: bytes) -> list[Pair]:
    if body.count(b"%") > ESCAPES_MAX:
        reason = f"an urlencoded form has at most {ESCAPES_MAX} escapes; send multipart/form-data or JSON."
        reject_value(BODY, reason)
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except UnicodeDecodeError:
        reject_value(BODY, "it is not a form of UTF-8 text.")
    except ValueError:
        reject_value(BODY, f"a form has at most {FIELDS_MAX} fields.")
    if not fields:
        reject_value(BODY, "it is empty, a form or a JSON object is expected.")
    for name, value in fields:
        if "\x00" in name or "\x00" in value:
            reject_value(shown(name), "the text holds a NUL character.")
    return list(fields)
