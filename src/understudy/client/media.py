"""The media of a request, from the caller's files to content items; for both clients.

Addresses go as they are. Images and sounds go inside the request; videos, and what the request has no room for, are
sent to the library of assets first.
"""

import base64
import errno
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

from understudy.client.steps import Program
from understudy.client.uploads import registering
from understudy.core.content import ASSET, ContentItem, Modality, Role
from understudy.core.errors import NotFound, Rejected, Unavailable, Violation
from understudy.core.first_bytes import HEAD_BYTES, media_type_of
from understudy.core.media_types import MEDIA_TYPES
from understudy.core.model_spec import ModelSpec
from understudy.dialects.ark import ARK

Source = Path | str
"""A medium: a file as a `Path`; or as a text a web address, a data URL, or ``asset://`` and an id."""

OnFileSent = Callable[[Path, int, int], None]
"""Called with (file, bytes there, bytes in all) while a file is sent to the library."""


class MediaFields(TypedDict, total=False):
    """The media of a request.

    first_frame, end_frame: images that the film begins and ends with. images, videos, sounds: references.
    on_sent: is told how far the sending of a file is.
    """

    first_frame: Source
    end_frame: Source
    images: Sequence[Source]
    videos: Sequence[Source]
    sounds: Sequence[Source]
    on_sent: OnFileSent


ADDRESSES = ("http://", "https://", "data:", ASSET)

WORDS_BYTES = 1 << 20
"""Of the request's bytes, kept free for what is no medium: prompts have thousands of characters, addresses too."""

_ROLES = {
    "first_frame": (Modality.IMAGE, Role.FIRST_FRAME),
    "end_frame": (Modality.IMAGE, Role.LAST_FRAME),
    "images": (Modality.IMAGE, Role.REFERENCE_IMAGE),
    "videos": (Modality.VIDEO, Role.REFERENCE_VIDEO),
    "sounds": (Modality.AUDIO, Role.REFERENCE_AUDIO),
}
"""Field -> what its media are, in the order of the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One medium that was given. param: the field it was given in. media_type, size_bytes: of a file."""

    param: str
    modality: Modality
    role: Role
    source: Source = ""
    media_type: str = ""
    size_bytes: int = 0


def is_address(text: str) -> bool:
    """Say whether a text is an address that goes into a request as it is."""
    return text.lower().startswith(ADDRESSES)


def given_media(fields: MediaFields, model: ModelSpec | None) -> tuple[Given, ...]:
    """Return the media in the order of the request; of files it is seen first that they can be sent.

    model: whose limits count; None = only the server knows it.

    Raises: Rejected; OSError for a file that is not there or cannot be read.
    """
    found: list[Given] = []
    for param, (modality, role) in _ROLES.items():
        named: Source | Sequence[Source] = fields.get(param, ())  # type: ignore[assignment]  # the keys are of MediaFields
        # A text is a sequence of texts to Python; one medium by itself is what was meant.
        for source in (named,) if isinstance(named, Path | str) else named:
            found.append(_given(source, Given(param=param, modality=modality, role=role), model))
    return tuple(found)


def bringing(media: Sequence[Given], on_sent: OnFileSent | None) -> Program[tuple[ContentItem, ...]]:
    """Return the content items of media; what does not fit into the request becomes an asset.

    Raises: Rejected for a file that is refused as an asset; OSError.
    """
    items: list[ContentItem] = []
    left_bytes = ARK.profile.body_bytes_max - WORDS_BYTES
    for given in media:
        value = given.source
        if isinstance(value, Path):
            inline_bytes = (given.size_bytes + 2) // 3 * 4
            if given.modality is Modality.VIDEO or inline_bytes > left_bytes:
                value = yield from _registered(given, value, on_sent)
            else:
                left_bytes -= inline_bytes
                value = f"data:{given.media_type};base64,{base64.b64encode(value.read_bytes()).decode('ascii')}"
        items.append(ContentItem(modality=given.modality, value=value, role=given.role))
    return tuple(items)


def _registered(given: Given, path: Path, on_sent: OnFileSent | None) -> Program[str]:
    """Return the address of a file as an asset."""

    def tell(there: int, size_bytes: int) -> None:
        if on_sent is not None:
            on_sent(path, there, size_bytes)

    try:
        asset = yield from registering(path, given.modality, tell)
    except NotFound as error:
        reason = "the server has no library of assets to send it to; give a web address instead"
        raise Rejected(Violation("InvalidParameter", given.param, f"{path}: {reason}.")) from error
    if asset["status"] == "failed":
        fault = asset.get("error") or {"code": "Failed", "message": "it was not taken."}
        raise Rejected(Violation(str(fault["code"]), given.param, f"{path}: {fault['message']}"))
    if asset["status"] != "active":
        message = f"{path}: the server is still at it; it is {ASSET}{asset['id']} and can be used later."
        raise Unavailable(Violation("ServiceUnavailable", given.param, message))
    return f"{ASSET}{asset['id']}"


def _given(source: Source, field: Given, model: ModelSpec | None) -> Given:
    """Return a medium with what its file is, if it is a file."""
    if isinstance(source, Path):
        return _measured(source, field, model)
    if not is_address(source):
        # A text that came from somewhere else must never make this program read a file.
        expected = "an http(s) address, a data URL or asset://<id>; a file is given as a pathlib.Path"
        raise _refused(field.param, f"{source[:100]!r} is not {expected}")
    return replace(field, source=source)


def _measured(path: Path, field: Given, model: ModelSpec | None) -> Given:
    about = path.stat()
    if stat.S_ISDIR(about.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(about.st_mode):
        # Reading a pipe would wait for its other end, and could be done once only.
        raise _refused(field.param, f"{path} is no ordinary file")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise _refused(field.param, f"{path} is empty")
    media_type = media_type_of(head) or MEDIA_TYPES.get(path.suffix.lower().removeprefix("."), "")
    if media_type.partition("/")[0] != field.modality:
        seen = f"it looks like {media_type}" if media_type else "it looks like nothing that is known"
        raise _refused(field.param, f"{path} should be of the kind {field.modality}; {seen}")
    limits = model.media.get(field.modality) if model is not None else None
    if model is not None and limits is not None and about.st_size > limits.bytes_max:
        most = f"{model.name} takes {field.modality} files of at most {limits.bytes_max} bytes"
        raise _refused(field.param, f"{path} has {about.st_size} bytes; {most}")
    return replace(field, source=path, media_type=media_type, size_bytes=about.st_size)


def _refused(param: str, reason: str) -> Rejected:
    return Rejected(Violation("InvalidParameter", param, f"{reason}."))
