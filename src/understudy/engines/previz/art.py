"""The drawings: their ids and their SVG. Which noun means which of them: `understudy.reading.nouns`.

Where the drawings come from: assets/art/MANIFEST.toml; ``scripts/vendor_art.py`` packs them.
"""

import zipfile
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import as_file, files
from threading import Lock

from understudy.reading.nouns import thing_ids

_ASSETS = files(__package__) / "assets" / "art"
_DRAWN = files(__package__) / "drawings"
_CACHED_DRAWINGS = 128
_reading = Lock()


@cache
def _archive() -> zipfile.ZipFile:
    with as_file(_ASSETS / "art.zip") as path:
        return zipfile.ZipFile(path)


@cache
def art_ids() -> frozenset[str]:
    """Return the id of every drawing: slugs of English names, for example ``house-with-garden``."""
    return thing_ids()


@cache
def _drawn() -> Mapping[str, str]:
    """Return art id -> SVG of our own drawings: what people ask for and no emoji shows. ``art.toml`` names them."""
    drawings = (entry for entry in _DRAWN.iterdir() if entry.name.endswith(".svg"))
    return {entry.name.removesuffix(".svg"): entry.read_text(encoding="utf-8") for entry in drawings}


@lru_cache(maxsize=_CACHED_DRAWINGS)
def svg(art_id: str) -> str:
    """Return a drawing as SVG text, 32 x 32 units.

    Raises: KeyError: no such drawing.
    """
    if art_id not in art_ids():
        raise KeyError(art_id)
    if art_id in _drawn():
        return _drawn()[art_id]
    with _reading:
        return _archive().read(f"{art_id}.svg").decode()
