"""Extract the outlines of the few letters that previz writes on pictures, so that no machine needs a font.

Input: the tarball of the npm package ``@fontsource/noto-sans-sc`` (``npm pack @fontsource/noto-sans-sc@5.3.0``).
Needs fonttools and brotli, which the product does not:

    uv run --no-project --with fonttools --with brotli scripts/vendor_glyphs.py noto-sans-sc.tgz

Output: glyphs.toml, MANIFEST.toml and LICENSE.txt under src/understudy/engines/previz/assets/glyphs.
"""

import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path

from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.ttLib import TTFont

TEXTS = ("AI 生成", "PREVIZ")
WEIGHT = 700
TARGET = Path(__file__).resolve().parent.parent / "src/understudy/engines/previz/assets/glyphs"


def subset_names(unicode_ranges: dict[str, str], characters: set[str]) -> dict[str, str]:
    """Return character -> name of the package's subset that holds it; "[118]" is spelled "118" in file names."""
    found: dict[str, str] = {}
    for name, ranges in unicode_ranges.items():
        for part in ranges.split(","):
            first, _, last = part.strip().removeprefix("U+").partition("-")
            covered = range(int(first, 16), int(last or first, 16) + 1)
            found.update({char: name.strip("[]") for char in characters if ord(char) in covered})
    return found


def outlines(package: tarfile.TarFile, characters: set[str]) -> tuple[int, dict[str, tuple[int, str]]]:
    """Return units per em and character -> (advance, SVG path, y up), in font units."""
    subsets = subset_names(json.load(package.extractfile("package/unicode.json")), characters)
    glyphs: dict[str, tuple[int, str]] = {}
    units_per_em = 0
    for char in sorted(characters):
        member = f"package/files/noto-sans-sc-{subsets[char]}-{WEIGHT}-normal.woff2"
        font = TTFont(io.BytesIO(package.extractfile(member).read()))
        units_per_em = font["head"].unitsPerEm
        name = font.getBestCmap()[ord(char)]
        shapes = font.getGlyphSet()
        pen = SVGPathPen(shapes, ntos=lambda value: f"{value:g}")
        shapes[name].draw(pen)
        glyphs[char] = (round(shapes[name].width), pen.getCommands())
    return units_per_em, glyphs


def main(tarball: Path) -> None:
    """Write the three files."""
    with tarfile.open(tarball) as package:
        about = json.load(package.extractfile("package/package.json"))
        licence = package.extractfile("package/LICENSE").read()
        units_per_em, glyphs = outlines(package, set("".join(TEXTS)))
    lines = [
        "# Outlines of single letters, y up, in font units; written by scripts/vendor_glyphs.py.",
        f"units_per_em = {units_per_em}",
    ]
    for char, (advance, path) in glyphs.items():
        lines += ["", "[[glyph]]", f'character = "{char}"', f"advance = {advance}", f'path = "{path}"']
    data = ("\n".join(lines) + "\n").encode()
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / "glyphs.toml").write_bytes(data)
    (TARGET / "LICENSE.txt").write_bytes(licence)
    (TARGET / "MANIFEST.toml").write_text(
        f"""# Where the files of this folder come from.
[[file]]
name = "glyphs.toml"
sha256 = "{hashlib.sha256(data).hexdigest()}"
content = "outlines of {len(glyphs)} letters of Noto Sans SC, weight {WEIGHT}, unchanged in shape"
licence = "{about["license"]}"
licence_file = "LICENSE.txt"
npm_package = "{about["name"]}"
version = "{about["version"]}"
package_sha256 = "{hashlib.sha256(tarball.read_bytes()).hexdigest()}"
"""
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
