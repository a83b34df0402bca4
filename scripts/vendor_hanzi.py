"""Write the table of Chinese readings that the voice needs, from the wheel of pypinyin.

    pip download --no-deps --dest /tmp pypinyin==0.55.0
    uv run --no-project --with /tmp/pypinyin-0.55.0-py2.py3-none-any.whl scripts/vendor_hanzi.py WHEEL

Output: hanzi.txt, MANIFEST.toml and LICENSE.txt under src/understudy/engines/previz/assets/pinyin.
"""

import hashlib
import sys
import zipfile
from collections import defaultdict
from pathlib import Path

from pypinyin import Style, __version__, lazy_pinyin

TARGET = Path(__file__).resolve().parent.parent / "src/understudy/engines/previz/assets/pinyin"
HEAD = """\
# The commonest reading, without its tone, of Chinese characters: those of GB 2312 level 1 and Big5 level 1.
# One line for each syllable of Hanyu Pinyin (v stands for u with two dots), then the characters that are read so.
"""


def characters_of(codec: str, rows: range, cells: tuple[range, ...]) -> set[str]:
    """Return the characters that a double-byte codec has in these rows and cells."""
    found = set()
    for row in rows:
        for cell in (cell for part in cells for cell in part):
            try:
                found.add(bytes([row, cell]).decode(codec))
            except UnicodeDecodeError:
                continue
    return found


def main(wheel: Path) -> None:
    """Write the three files."""
    simplified = characters_of("gb2312", range(0xB0, 0xD8), (range(0xA1, 0xFF),))
    traditional = characters_of("big5", range(0xA4, 0xC6), (range(0x40, 0x7F), range(0xA1, 0xFF)))
    traditional |= characters_of("big5", range(0xC6, 0xC7), (range(0x40, 0x7F),))
    readings: dict[str, list[str]] = defaultdict(list)
    for char in sorted(simplified | traditional):
        readings[lazy_pinyin(char, style=Style.NORMAL, v_to_u=False)[0]].append(char)
    table = HEAD + "".join(f"{syllable} {''.join(chars)}\n" for syllable, chars in sorted(readings.items()))
    with zipfile.ZipFile(wheel) as package:
        name = next(name for name in package.namelist() if name.endswith("LICENSE.txt"))
        licence = package.read(name)
    manifest = f"""# Where the files of this folder come from; written by scripts/vendor_hanzi.py.
[[file]]
name = "hanzi.txt"
sha256 = "{hashlib.sha256(table.encode()).hexdigest()}"
content = "one reading each of {sum(map(len, readings.values()))} Chinese characters, without tones"
licence = "MIT"
licence_file = "LICENSE.txt"
pypi_package = "pypinyin"
version = "{__version__}"
package_sha256 = "{hashlib.sha256(wheel.read_bytes()).hexdigest()}"
"""
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / "hanzi.txt").write_text(table, encoding="utf-8")
    (TARGET / "LICENSE.txt").write_bytes(licence)
    (TARGET / "MANIFEST.toml").write_text(manifest, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
