"""Cut the font of marks and texts out of a package of npm: a bare machine has none, least of all a Chinese one.

    npm pack @expo-google-fonts/noto-sans-sc@0.4.3
    uv run --no-project --with fonttools scripts/vendor_font.py expo-google-fonts-noto-sans-sc-0.4.3.tgz

Needs fonttools, which the product does not. Kept are the letters of the languages that prompts are read in: Latin with
all its accents, the kana, and the characters of GB 2312 and JIS X 0208. Output, under
src/understudy/media/assets/font: letters.ttf, LICENSE.txt and MANIFEST.toml.
"""

import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

MEMBER = "package/700Bold/NotoSansSC_700Bold.ttf"
LICENCE_MEMBERS = ("package/LICENSE_FONT", "package/LICENSE")
TARGET = Path(__file__).resolve().parent.parent / "src/understudy/media/assets/font"
LATIN = (range(0x20, 0x7F), range(0xA0, 0x250), range(0x1E00, 0x1F00), range(0x2010, 0x2060), range(0x20A0, 0x20C0))
MARKS = (
    range(0x2100, 0x2200),
    range(0x2190, 0x21A0),
    range(0x25A0, 0x2670),
    range(0x3000, 0x3100),
    range(0xFF00, 0xFFEF),
)


def of_double_bytes(codec: str) -> set[int]:
    """Return the characters that a codec of two bytes has."""
    found = set()
    for lead in range(0xA1, 0xFF):
        for trail in range(0xA1, 0xFF):
            try:
                found.update(map(ord, bytes((lead, trail)).decode(codec)))
            except UnicodeDecodeError:
                continue
    return found


def main(tarball: Path) -> None:
    """Write the three files."""
    with tarfile.open(tarball) as package:
        about = json.load(package.extractfile("package/package.json"))
        names = set(package.getnames())
        licences = [package.extractfile(name).read() for name in LICENCE_MEMBERS if name in names]
        font = TTFont(io.BytesIO(package.extractfile(MEMBER).read()), recalcTimestamp=False)
    wanted = of_double_bytes("gb2312") | of_double_bytes("euc_jp")
    for part in (*LATIN, *MARKS):
        wanted.update(part)
    options = subset.Options(layout_features=[], hinting=False, name_IDs=[0, 1, 2, 5, 13, 14], notdef_outline=True)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=wanted & set(font.getBestCmap()))
    cutter.subset(font)
    for table in ("GSUB", "GPOS", "GDEF", "vhea", "vmtx", "VORG", "BASE", "STAT"):
        if table in font:
            del font[table]
    TARGET.mkdir(parents=True, exist_ok=True)
    font.save(TARGET / "letters.ttf")
    (TARGET / "LICENSE.txt").write_bytes(b"\n\n".join(licences))
    data = (TARGET / "letters.ttf").read_bytes()
    rows = (
        "# Where the files of this folder come from; written by scripts/vendor_font.py.",
        "[[file]]",
        'name = "letters.ttf"',
        f'sha256 = "{hashlib.sha256(data).hexdigest()}"',
        f'content = "{len(font.getBestCmap())} letters of Noto Sans SC, weight 700, without hints and layout tables"',
        'licence = "OFL-1.1"',
        'licence_file = "LICENSE.txt"',
        f'npm_package = "{about["name"]}"',
        f'version = "{about["version"]}"',
        f'package_sha256 = "{hashlib.sha256(tarball.read_bytes()).hexdigest()}"',
    )
    (TARGET / "MANIFEST.toml").write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
