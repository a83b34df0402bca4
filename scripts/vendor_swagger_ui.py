"""Pack the script and the style sheet of Swagger UI, which show the API's description at /docs, without any CDN.

    uv run --no-project scripts/vendor_swagger_ui.py

Needs ``npm`` on the machine that packs, never on one that runs the product. Output, under
src/understudy/studio/vendor/swagger-ui: the two files, compressed as they travel, LICENSE.txt (the licence, the notice
and the licences of what is bundled) and MANIFEST.toml. Equal packages give equal bytes.
"""

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "swagger-ui-dist@5.35.0"
WANTED = {
    "swagger-ui-bundle.js": "the program that shows an OpenAPI document, bundled by its makers",
    "swagger-ui.css": "its style sheet",
}
LICENCES = ("LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt")
TARGET = Path(__file__).resolve().parent.parent / "src/understudy/studio/vendor/swagger-ui"


def fetched(package: str) -> bytes:
    """Return the tarball of an npm package.

    Raises: CalledProcessError: npm could not fetch it.
    """
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["npm", "pack", "--json", package], cwd=folder, check=True, capture_output=True, text=True
        )
        return (Path(folder) / json.loads(done.stdout)[0]["filename"]).read_bytes()


def without_map(content: bytes) -> bytes:
    """Return the file without the comment that names its source map, which is not packed."""
    lines = content.splitlines(keepends=True)
    return b"".join(line for line in lines if b"# sourceMappingURL=" not in line[:64])


def manifest(files: dict[str, bytes], tarball: bytes) -> str:
    """Return MANIFEST.toml. files: name -> content."""
    name, _, version = PACKAGE.rpartition("@")
    lines = ["# Where the files of this folder come from; written by scripts/vendor_swagger_ui.py."]
    for file_name, content in files.items():
        says = WANTED[file_name.removesuffix(".gz")]
        lines += [
            "[[file]]",
            f'name = "{file_name}"',
            f'sha256 = "{hashlib.sha256(content).hexdigest()}"',
            f'content = "{says}; unchanged but for the name of its source map"',
            'licence = "Apache-2.0"',
            'licence_file = "LICENSE.txt"',
            f'npm_package = "{name}"',
            f'version = "{version}"',
            f'package_sha256 = "{hashlib.sha256(tarball).hexdigest()}"',
            "",
        ]
    return "\n".join(lines)


def main() -> None:
    """Fetch, compress and write."""
    tarball = fetched(PACKAGE)
    with tarfile.open(fileobj=io.BytesIO(tarball)) as package:
        members = {name: package.extractfile(f"package/{name}").read() for name in (*WANTED, *LICENCES)}
    TARGET.mkdir(parents=True, exist_ok=True)
    files = {f"{name}.gz": gzip.compress(without_map(members[name]), compresslevel=9, mtime=0) for name in WANTED}
    for name, content in files.items():
        (TARGET / name).write_bytes(content)
    (TARGET / "LICENSE.txt").write_bytes(b"\n".join(members[name].rstrip() + b"\n" for name in LICENCES))
    (TARGET / "MANIFEST.toml").write_text(manifest(files, tarball), encoding="utf-8")


if __name__ == "__main__":
    main()
