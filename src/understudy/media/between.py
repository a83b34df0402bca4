"""What lies in the middle between two pictures, by the network RIFE HDv3 (Huang et al., ECCV 2022).

The network moves no pictures here: it says where each point of the middle picture comes from. Where the weights come
from: assets/rife/MANIFEST.toml; ``scripts/vendor_rife.py`` packs them.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from understudy.media.decode import Picture
from understudy.media.networks import session_of

GRAIN_PX = 16
"""The network halves its pictures four times: sides are multiples of this."""

_MODEL = files(__package__) / "assets" / "rife" / "rife_hdv3.onnx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Middle:
    """The middle of two pictures.

    to_first, to_second: (height, width, 2) float32, from each point of the middle to where it is in the two, in pixels.
    first: (height, width) float32 0..1, how far the first is to be believed, against the second.
    """

    to_first: NDArray[np.float32]
    to_second: NDArray[np.float32]
    first: NDArray[np.float32]


def middle_of(first: Picture, second: Picture) -> Middle:
    """Find the middle of two pictures of one size, (height, width, 3) RGB, whose sides are multiples of `GRAIN_PX`."""
    height, width = first.shape[:2]
    pair = np.concatenate([first, second], axis=2).transpose(2, 0, 1)[None].astype(np.float32) / np.float32(255)
    grid, step = _places(width_px=width, height_px=height)
    # The session's own types leave open what a network answers.
    flow, mask = (np.asarray(one) for one in _session().run(None, {"pair": pair, "grid": grid, "step": step}))
    flows = np.ascontiguousarray(flow[0].transpose(1, 2, 0), dtype=np.float32)
    return Middle(
        to_first=np.ascontiguousarray(flows[..., :2]),
        to_second=np.ascontiguousarray(flows[..., 2:]),
        first=np.ascontiguousarray(mask[0, 0], dtype=np.float32),
    )


def _places(*, width_px: int, height_px: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The places of all pixels as -1..1, as the network wants them, and what one pixel is in these."""
    rows, columns = np.mgrid[0:height_px, 0:width_px].astype(np.float32)
    step = np.array([2 / (width_px - 1), 2 / (height_px - 1)], dtype=np.float32)
    grid = np.stack([columns, rows], axis=-1) * step - 1
    return grid[None].astype(np.float32), step.reshape(1, 1, 1, 2)


@cache
def _session() -> onnxruntime.InferenceSession:
    return session_of(_MODEL.read_bytes())
