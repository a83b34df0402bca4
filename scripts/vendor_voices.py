"""Take the voices of Kokoro-82M from the npm package kokoro-js, and write where they come from.

    .venv/bin/python scripts/vendor_voices.py

Needs ``npm`` on the machine that packs. A voice is one row of 256 numbers for each length of a phrase in phonemes, and
the rows of neighbouring lengths differ little: twenty of the 510 are kept, as half floats, and the engine interpolates.
Output, under src/understudy/engines/previz/assets/voices: voices.bin, LICENSE.txt and MANIFEST.toml. Equal packages
give equal bytes.
"""

import hashlib
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from understudy.engines.previz.sound.kokoro import VOICE_LENGTHS, VOICE_WIDTH, voice_names

NAME, VERSION = "kokoro-js", "1.2.1"
ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src/understudy/engines/previz/assets/voices"


def fetched() -> bytes:
    """Return the tarball.

    Raises: CalledProcessError: npm could not fetch it.
    """
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", f"{NAME}@{VERSION}"], cwd=folder, check=True)
        (tarball,) = Path(folder).glob("*.tgz")
        return tarball.read_bytes()


def main() -> None:
    """Fetch, thin out and write."""
    tarball = fetched()
    with tempfile.TemporaryFile() as file:
        file.write(tarball)
        file.seek(0)
        with tarfile.open(fileobj=file) as package:

            def member(name: str) -> bytes:
                taken = package.extractfile(f"package/{name}")
                assert taken is not None
                return taken.read()

            licence = member("LICENSE")
            rows = [
                np.frombuffer(member(f"voices/{name}.bin"), "<f4").reshape(-1, VOICE_WIDTH)[list(VOICE_LENGTHS)]
                for name in voice_names()
            ]
    packed = np.stack(rows).astype("<f2").tobytes()
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / "voices.bin").write_bytes(packed)
    (TARGET / "LICENSE.txt").write_bytes(licence)
    lines = (
        "# Where the files of this folder come from; written by scripts/vendor_voices.py.",
        "[[file]]",
        'name = "voices.bin"',
        f'sha256 = "{hashlib.sha256(packed).hexdigest()}"',
        f'content = "{len(rows)} voices of Kokoro-82M, {len(VOICE_LENGTHS)} rows of each, as half floats"',
        'licence = "Apache-2.0"',
        'licence_file = "LICENSE.txt"',
        f'npm_package = "{NAME}"',
        f'version = "{VERSION}"',
        f'package_sha256 = "{hashlib.sha256(tarball).hexdigest()}"',
    )
    (TARGET / "MANIFEST.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
