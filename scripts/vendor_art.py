"""Pack the drawings and their names that previz makes films of, from three npm packages fetched by name.

    uv run --no-project scripts/vendor_art.py

Needs ``npm`` on the machine that packs, never on one that runs the product. Output, under
src/understudy/engines/previz/assets/art: art.zip (one SVG per art id); under src/understudy/reading/names:
names.json.gz (per art id the emoji, and its name and keywords in each language); licenses/ and MANIFEST.toml beside
each. Equal packages give equal bytes.
"""

import gzip
import hashlib
import io
import json
import re
import subprocess
import tarfile
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path

DRAWINGS = "@lobehub/fluent-emoji-modern@1.0.0"
NAMES = "cldr-annotations-full@48.2.0"
DERIVED_NAMES = "cldr-annotations-derived-full@48.2.0"
LANGUAGES = ("en", "zh", "ja", "es", "pt", "id")
PACKAGE = Path(__file__).resolve().parent.parent / "src/understudy"
TARGET = PACKAGE / "engines/previz/assets/art"
NAMED = PACKAGE / "reading/names"
EPOCH = (1980, 1, 1, 0, 0, 0)

SKIN_TONES = range(0x1F3FB, 0x1F3FF + 1)
VARIATION_SELECTOR = "\ufe0f"

# What can be neither a subject nor a thing in a film: signs, gestures, smileys, people in the middle of a gesture.
UNWANTED = re.compile(
    r"^(keycap|flag|family|kiss|couple with heart): ?|^(kiss|couple with heart)$|flag|button|arrow|o’clock"
    r"|-thirty|sign$|symbol$|\b(circle|square|diamond|mark|suit|selector|room|closet|loop|asterisk|triangle)$"
    r"|^(no|non)[ -]|zodiac|index point|backhand|gesturing|shrugging|facepalming|frowning|pouting|tipping hand"
    r"|wheelchair|white cane|deaf|hearing aid|(man|woman|person): curly hair$|evil monkey"
    r"|(medium|large|small) square|medal$|(wry|weary|crying|grinning|kissing|smiling|pouting) (cat|face)"
    r"|cat with|heart-eyes|pregnant|breast-feeding|steamy room|hand with|pushing hand|wards hand|facing fist"
    r"|pinch|fingers|call me hand|OK hand|gesture|raised back|victory hand|heart hands|oncoming fist"
    r"|thumbs down|writing hand|horns$|palms up together|palm down|busts? in"
    r"|^(copyright|registered|trade mark|plus|minus|multiply|divide|heavy equals sign|infinity|information|wavy dash)$"
    r"|^(aries|taurus|gemini|cancer|leo|virgo|libra|scorpio|sagittarius|capricorn|aquarius|pisces|ophiuchus)$"
    r"|^(prohibited|passport control|customs|baggage claim|left luggage|potable water|no entry|radioactive|biohazard)$"
    r"|^(wireless|antenna bars|vibration mode|mobile phone off|level slider|bar chart|chart (in|de)creasing.*|sparkle)$"
    r"|^(input .*|star-struck|dotted.*|male sign|female sign|part alternation mark|anger symbol|hundred points|zzz)$"
    r"|(blue|green|yellow|purple|black|white|brown|orange|grey|pink|light blue|broken|beating|two|sparkling"
    r"|growing|revolving|mending) hearts?$"
    r"|heart (exclamation|decoration|with)|speech|thought|collision|dizzy$|sweat droplets|cross$|star of David"
    r"|star and crescent|khanda|^om$|yin yang|wheel of dharma|menorah|atom|peace|fleur-de-lis|love hotel"
    r"|identification card|placard|low battery|love letter|restroom|infinity|men wrestling|women wrestling"
    r"|^(biting lip|exploding head|middle finger|rolling on the floor laughing|cyclone|eight-pointed star)$"
    r"|^(warning|link)$|ballot|check box|bubble$|circled|red triangle|high voltage|trident|with a dot|slash$"
    r"|Japanese symbol|vulcan",
    re.IGNORECASE,
)
KEPT_FACES = re.compile(
    r"^(mouse|cow|tiger|rabbit|cat|dragon|horse|monkey|dog|pig|clown|full moon|sun with) ?(hat )?face$"
)

MIT = """MIT License

Copyright (c) Microsoft Corporation
Copyright (c) 2023 LobeHub

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def fetched(package: str, folder: Path) -> bytes:
    """Return the tarball of an npm package.

    Raises: CalledProcessError: npm could not fetch it.
    """
    done = subprocess.run(["npm", "pack", "--json", package], cwd=folder, check=True, capture_output=True, text=True)
    return (folder / json.loads(done.stdout)[0]["filename"]).read_bytes()


def members(tarball: bytes, prefix: str) -> Iterator[tuple[str, bytes]]:
    """Yield (path below ``prefix``, content) of each file."""
    with tarfile.open(fileobj=io.BytesIO(tarball)) as package:
        for member in package:
            if member.isfile() and member.name.startswith(prefix):
                content = package.extractfile(member)
                yield member.name.removeprefix(prefix), content.read() if content else b""


def annotations(tarballs: tuple[bytes, ...]) -> dict[str, dict[str, list[str]]]:
    """Return language -> emoji without variation selectors -> [name, keywords ...]."""
    found: dict[str, dict[str, list[str]]] = {language: {} for language in LANGUAGES}
    for tarball in tarballs:
        for name, content in members(tarball, "package/annotations"):
            language = name.split("/")[1] if name.count("/") == 2 else ""
            if language not in found:
                continue
            (tree,) = json.loads(content).values()
            for emoji, row in tree["annotations"].items():
                if "tts" in row:
                    words = [row["tts"][0], *row.get("default", [])]
                    found[language].setdefault(emoji.replace(VARIATION_SELECTOR, ""), list(dict.fromkeys(words)))
    return found


def art_id(english_name: str) -> str:
    """Return the slug of a name: "house with garden" -> "house-with-garden", "piñata" -> "pinata"."""
    plain = unicodedata.normalize("NFKD", english_name.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def is_wanted(english_name: str) -> bool:
    """Whether a drawing of this name can appear in a film."""
    if english_name == "pirate flag" or KEPT_FACES.match(english_name):
        return True
    return not UNWANTED.search(english_name) and not re.search(r"\bface\b", english_name)


def drawings(tarball: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield (emoji without variation selectors, SVG), without skin tones; a few stray file names are left out."""
    for name, content in members(tarball, "package/assets/"):
        if not re.fullmatch(r"[0-9a-f]{4,6}(-[0-9a-f]{4,6})*\.svg", name):
            continue
        points = [int(part, 16) for part in name.removesuffix(".svg").split("-")]
        if not any(point in SKIN_TONES for point in points):
            yield "".join(map(chr, points)).replace(VARIATION_SELECTOR, ""), content


def smaller(svg: bytes) -> bytes:
    """Return the drawing with three decimals (of 32 units) and short ids; nobody can see the difference."""
    text = re.sub(r"\d+\.\d{4,}", lambda found: f"{float(found[0]):.3f}".rstrip("0").rstrip("."), svg.decode())
    short: dict[str, str] = {}
    for name in re.findall(r'\bid="([^"]+)"', text):
        short.setdefault(name, f"a{len(short)}")
    text = re.sub(r'\bid="([^"]+)"', lambda found: f'id="{short[found[1]]}"', text)
    text = re.sub(r"url\(#([^)]+)\)", lambda found: f"url(#{short.get(found[1], found[1])})", text)
    text = re.sub(r'href="#([^"]+)"', lambda found: f'href="#{short.get(found[1], found[1])}"', text)
    return re.sub(r">\s+<", "><", text).strip().encode()


def packed(files: dict[str, bytes]) -> bytes:
    """Return a zip whose bytes depend on the files alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, files[name], compresslevel=9)
    return buffer.getvalue()


def manifest(files: dict[str, tuple[bytes, str, str, str]], tarballs: dict[str, bytes]) -> str:
    """Return MANIFEST.toml. files: name -> (content, what it is, licence, licence file)."""
    sources = {"art.zip": (DRAWINGS,), "names.json.gz": (NAMES, DERIVED_NAMES)}
    lines = ["# Where the files of this folder come from; written by scripts/vendor_art.py."]
    for name, (content, says, licence, licence_file) in files.items():
        lines += [
            "[[file]]",
            f'name = "{name}"',
            f'sha256 = "{hashlib.sha256(content).hexdigest()}"',
            f'content = "{says}"',
            f'licence = "{licence}"',
            f'licence_file = "{licence_file}"',
        ]
        for package in sources[name]:
            title, _, version = package.rpartition("@")
            lines += [
                "[[file.source]]",
                f'npm_package = "{title}"',
                f'version = "{version}"',
                f'package_sha256 = "{hashlib.sha256(tarballs[package]).hexdigest()}"',
            ]
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Fetch, choose, pack and write."""
    with tempfile.TemporaryDirectory() as folder:
        tarballs = {package: fetched(package, Path(folder)) for package in (DRAWINGS, NAMES, DERIVED_NAMES)}
    words = annotations((tarballs[NAMES], tarballs[DERIVED_NAMES]))
    art: dict[str, bytes] = {}
    names: dict[str, dict[str, object]] = {}
    for emoji, svg in sorted(drawings(tarballs[DRAWINGS])):
        english = words["en"].get(emoji, [""])[0]
        if not english or not is_wanted(english):
            continue
        art[art_id(english) + ".svg"] = smaller(svg)
        spoken = {language: rows[emoji] for language, rows in words.items() if emoji in rows}
        names[art_id(english)] = {"emoji": emoji, **spoken}
    zipped = packed(art)
    listed = json.dumps(names, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    named = gzip.compress(listed, compresslevel=9, mtime=0)
    licences = dict(members(tarballs[NAMES], "package/LICENSE"))
    (TARGET / "licenses").mkdir(parents=True, exist_ok=True)
    (TARGET / "licenses/fluent-emoji.txt").write_text(MIT, encoding="utf-8")
    (NAMED / "licenses").mkdir(parents=True, exist_ok=True)
    (NAMED / "licenses/cldr.txt").write_bytes(licences[""])
    (TARGET / "art.zip").write_bytes(zipped)
    (NAMED / "names.json.gz").write_bytes(named)
    drawn = {
        "art.zip": (
            zipped,
            f"{len(art)} drawings of Microsoft Fluent Emoji as SVG; coordinates rounded, ids shortened",
            "MIT",
            "licenses/fluent-emoji.txt",
        )
    }
    spoken_names = {
        "names.json.gz": (
            named,
            f"names and keywords of the drawings in {', '.join(LANGUAGES)}, from CLDR, unchanged",
            "Unicode-3.0",
            "licenses/cldr.txt",
        )
    }
    (TARGET / "MANIFEST.toml").write_text(manifest(drawn, tarballs), encoding="utf-8")
    (NAMED / "MANIFEST.toml").write_text(manifest(spoken_names, tarballs), encoding="utf-8")
    print(f"{len(art)} drawings, {len(zipped)} bytes; names {len(named)} bytes")


if __name__ == "__main__":
    main()
