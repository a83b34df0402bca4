"""Every kind of file broken off at many places, emptied in places, or given as another kind."""

from collections.abc import Callable

from hostile_media.kind import AUDIO, IMAGE, VIDEO, Hostile, Part
from odd_media import film, heic, picture, sound

_PART = Part()
TRUNCATED: dict[str, Hostile] = _PART.files

FASTSTART = (("movflags", "faststart"),)
IMAGES: dict[str, Callable[[], bytes]] = {
    **{kind: lambda kind=kind: picture(kind) for kind in ("png", "jpeg", "webp", "bmp", "tiff", "gif")},
    "progressive jpeg": lambda: picture("jpeg", progressive=True),
    "heic": heic,
}
FILMS: dict[str, Callable[[], bytes]] = {
    "mp4": film,
    "mp4, index first": lambda: film(options=FASTSTART),
    "mov": lambda: film(container="mov"),
    "hevc": lambda: film(codec="libx265"),
}
PARTS = (0.02, 0.1, 0.25, 0.75, 0.95)

for _modality, _kinds in ((IMAGE, IMAGES), (VIDEO, FILMS)):
    for _kind, _made in _kinds.items():
        for _part in PARTS:
            _PART.refused(
                f"{_part:.0%} of a {_kind}",
                _modality,
                lambda made=_made, part=_part: made()[: int(len(made()) * part)],
                reason="damaged | cut off | memory",
            )
for _part in PARTS:
    _PART.read(f"{_part:.0%} of a wav", AUDIO, lambda part=_part: sound()[: int(len(sound()) * part)], container="wav")
    _PART.read(
        f"{_part:.0%} of an mp3",
        AUDIO,
        lambda part=_part: sound("mp3")[: int(len(sound("mp3")) * part)],
        container="mp3",
    )
for _size_bytes in (1, 2, 3, 4, 8, 12, 16, 20, 30):
    for _modality, _kind, _made in (
        (IMAGE, "png", picture),
        (IMAGE, "jpeg", lambda: picture("jpeg")),
        (VIDEO, "mp4", film),
        (AUDIO, "wav", sound),
    ):
        _PART.refused(
            f"{_size_bytes} bytes of a {_kind}",
            _modality,
            lambda made=_made, size_bytes=_size_bytes: made()[:size_bytes],
            reason="no kind | damaged | a text",
        )
