"""Look for faces in strangers' files: what the sandbox does for `faces`, and who asks it to."""

from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from understudy.core.media import Unreadable
from understudy.core.modality import Modality
from understudy.media.decode import on_ground, read_open_image
from understudy.media.decode_video import VideoReader
from understudy.media.faces import INPUT_SIDE_PX, has_face
from understudy.media.inspect_container import prepare_containers
from understudy.media.inspect_image import prepare_images
from understudy.media.sandbox import Sandbox
from understudy.media.sandbox_operation import Operation

FACES = "faces"
FACES_OPERATION = "understudy.media.faces_in_files:prepare"

MOMENTS_PER_S = 1
MOMENTS_MAX = 30
"""Of a video that are looked at, evenly spread: one a second of the longest that any model takes."""

VIDEO_TILE_SHARES = (1.0,)
"""Of a picture of a video only the large squares are looked at: whoever is seen moves, and comes nearer."""


def prepare() -> Operation:
    """Load decoders and weights, and return the operation `faces`: an open file -> whether it shows a face."""
    prepare_images()
    prepare_containers()
    # The weights are read, and OpenCV has chosen its code, once something was looked at.
    has_face(np.zeros((INPUT_SIDE_PX, INPUT_SIDE_PX, 3), dtype=np.uint8))
    cv2.setNumThreads(1)
    return _faces


def _faces(file: BinaryIO, modality: Modality) -> bool:
    """Raises: Unreadable."""
    if modality is Modality.IMAGE:
        return has_face(on_ground(read_open_image(file)))
    with VideoReader(file, MOMENTS_PER_S) as video:
        for moment, picture in enumerate(video):
            if has_face(picture, VIDEO_TILE_SHARES):
                return True
            if moment + 1 == MOMENTS_MAX:
                break
    return False


class SandboxedFaceFinder:
    """Implements `core.moderation.FaceFinder` with the operation `faces` of a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def has_face(self, path: Path, modality: Modality) -> bool:
        """See the port.

        Raises: Unreadable; Unavailable.
        """
        found = await self._sandbox.ask(FACES, path, modality)
        if not isinstance(found, bool):
            raise Unreadable("the file cannot be looked at")
        return found
