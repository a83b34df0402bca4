"""The vendored networks, each loaded once per process when it is first asked."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

Values = NDArray[np.float32]
Picture = NDArray[np.uint8]
"""(height_px, width_px, 3) uint8 RGB."""

IMAGENET_MEAN = np.array((0.485, 0.456, 0.406), dtype=np.float32)
IMAGENET_DEVIATION = np.array((0.229, 0.224, 0.225), dtype=np.float32)
_ERRORS_ONLY = 3


def answered(name: str, inputs: Mapping[str, NDArray[np.generic]]) -> NDArray[np.generic]:
    """Return the one output of a network. name: of its file, without the suffix."""
    options = onnxruntime.RunOptions()
    # Without it the process would hold on to the most that any one picture needed.
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    (answer,) = _session(name).run(None, dict(inputs), options)
    return np.asarray(answer)


def square_of(picture: Picture, side_px: int) -> Values:
    """Return the picture squeezed into a square of 0..1, (side_px, side_px, 3)."""
    way = cv2.INTER_AREA if min(picture.shape[:2]) >= side_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (side_px, side_px), interpolation=way), dtype=np.float32) / np.float32(255)


def as_batch(square: Values) -> Values:
    """Return (1, 3, side_px, side_px), as the networks take it."""
    return np.ascontiguousarray(square.transpose(2, 0, 1)[None], dtype=np.float32)


@cache
def _session(name: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # With one thread sums are added in one order: a task that is rendered again gives the same bytes. The encoder has
    # the other cores.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _ERRORS_ONLY
    model = (files(__package__) / "assets" / "seeing" / f"{name}.onnx").read_bytes()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
