"""Files that strangers might send, hostile and odd ones, each with what must become of it; made here from nothing.

    for name, hostile in CORPUS.items():
        hostile.content(Lure())   the bytes, the same each time
        hostile.modality          what the file is given as
        hostile.reason            refused with a reason that has these words in it; "" = it is read
        hostile.facts             of a file that is read: some fields of `core.media.MediaFacts`
        hostile.lures             whether the bytes name a local file or an address that must not be touched

`CORPUS` is `HOSTILE`, which is made in this folder, and the files of `odd_files`.
"""

from hostile_media.films import FILMS
from hostile_media.films_seen import FILMS_SEEN
from hostile_media.images import IMAGES
from hostile_media.images_tiff import TIFFS
from hostile_media.kind import Hostile, Lure
from hostile_media.polyglots import POLYGLOTS
from hostile_media.sounds import SOUNDS
from hostile_media.texts import TEXTS
from hostile_media.truncated import TRUNCATED
from odd_files import ODD

__all__ = ["CORPUS", "HOSTILE", "Hostile", "Lure"]

PARTS = (IMAGES, TIFFS, FILMS, FILMS_SEEN, SOUNDS, TEXTS, POLYGLOTS, TRUNCATED)

HOSTILE: dict[str, Hostile] = {}
for _part in PARTS:
    assert not HOSTILE.keys() & _part.keys(), sorted(HOSTILE.keys() & _part.keys())
    HOSTILE |= _part

CORPUS: dict[str, Hostile] = dict(HOSTILE)
for _name, _odd in ODD.items():
    assert _name not in CORPUS, _name
    CORPUS[_name] = Hostile(
        content=lambda _, odd=_odd: odd.content(),
        modality=_odd.modality,
        # Of some of those it is written only that they are refused, not why.
        reason=_odd.reason or ("" if _odd.facts else " "),
        facts=_odd.facts,
    )
