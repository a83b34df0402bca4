"""Let torchvision be imported beside a torch that its compiled operators were not built for.

PyPI's torchvision is built for the CUDA torch. Beside a CPU torch its operators are missing, and its first import then
fails in the middle of declaring what they return; with it fails every import of transformers that wants an image
transform. Only then are they declared here, and never called: no model of ours detects boxes.
"""

import contextlib

import torch

_MISSING = ("nms", "qnms")

try:
    import torchvision  # noqa: F401
except ImportError:
    pass
except RuntimeError:
    LIBRARY = torch.library.Library("torchvision", "FRAGMENT")
    """Kept: what it declares is gone when it is."""
    for _name in _MISSING:
        with contextlib.suppress(RuntimeError):
            LIBRARY.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
