"""Measure one file of a stranger, by its content: what the sandbox does for `probe`. It runs in `sandbox_child`."""

import os
from dataclasses import asdict
from typing import Any, BinaryIO

from understudy.core.media import MediaFacts, Unreadable
from understudy.core.modality import Modality
from understudy.media.inspect_container import prepare_containers
from understudy.media.inspect_film import inspect_film
from understudy.media.inspect_image import inspect_image, prepare_images
from understudy.media.inspect_kind import NOUNS, READ, kind_of
from understudy.media.inspect_sound import inspect_sound
from understudy.media.sandbox_operation import Operation


def prepare() -> Operation:
    """Load what is needed, and return the operation `probe`: an open file and what it is to be -> `MediaFacts`."""
    prepare_images()
    prepare_containers()
    return _probe


def _probe(file: BinaryIO, modality: Modality) -> Any:
    return asdict(inspect(file, modality))


def inspect(file: BinaryIO, modality: Modality) -> MediaFacts:
    """Measure an open file that is to be an image, a video or an audio.

    Raises: Unreadable: of another kind, damaged, or beyond our bounds; MemoryError.
    """
    kind = kind_of(file)
    if kind.modality is not modality:
        raise Unreadable(f"the file is not {NOUNS[modality]}, it is {kind.noun}")
    if not kind.is_read:
        read = ", ".join(each.name for each in READ if each.modality is modality)
        raise Unreadable(f"the file is {kind.noun}; {read} are read here")
    size_bytes = os.fstat(file.fileno()).st_size
    if modality is Modality.IMAGE:
        return inspect_image(file, kind, size_bytes=size_bytes)
    if modality is Modality.VIDEO:
        return inspect_film(file, kind, size_bytes=size_bytes)
    return inspect_sound(file, kind, size_bytes=size_bytes)
