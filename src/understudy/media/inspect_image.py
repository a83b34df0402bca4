"""Measure an image by decoding it. What may be asked of a request is not decided here, only what can be read."""

import importlib
import re
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, TypeVar

import PIL.BmpImagePlugin
import PIL.ExifTags
import PIL.GifImagePlugin
import PIL.Image
import PIL.JpegImagePlugin
import PIL.MpoImagePlugin  # phones write several pictures into one JPEG; the first is the photograph
import PIL.PngImagePlugin
import PIL.TiffImagePlugin
import PIL.WebPImagePlugin
import pillow_heif

from understudy.core.media import MediaFacts, Unreadable
from understudy.core.modality import Modality
from understudy.media.inspect_kind import PILLOW_FORMATS, Kind

ANIMATED = {"gif", "webp", "png"}

TURNS_DEG = {1: 0, 2: 0, 3: 180, 4: 180, 5: 270, 6: 90, 7: 90, 8: 270}
"""Clockwise turn by EXIF orientation; 2, 4, 5 and 7 are mirrored besides. Source: EXIF 2.32, 4.6.4, Orientation."""

ON_ITS_SIDE = {5, 6, 7, 8}

TURNED_BY_READER = {"tiff", "heic"}
"""Of these Pillow's readers give the size as it is shown."""

MEGAPIXELS = 1_000_000

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBounds:
    """Our own bounds on the work that one image may make.

    pixels: of one picture; the largest sides that any service takes, 6000 by 6000, are this many. pictures: in a file.
    decoded_pixels: of all pictures together that are decoded; those of an animation behind them are counted only.
    """

    pixels: int = 36 * MEGAPIXELS
    pictures: int = 1000
    decoded_pixels: int = 200 * MEGAPIXELS


PILLOW_LOADS_LATE = ("ImageColor", "ImageFile", "ImageFilter", "ImageOps", "ImagePalette", "TiffTags")
"""Modules that Pillow's readers import when they meet a file that needs them, which is too late behind walls."""


def prepare_images() -> None:
    """Load all that reads images; HEIC on one thread."""
    for name in PILLOW_LOADS_LATE:
        importlib.import_module(f"PIL.{name}")
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
    PIL.Image.preinit()
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)


def inspect_image(file: BinaryIO, kind: Kind, *, size_bytes: int, bounds: ImageBounds | None = None) -> MediaFacts:
    """Decode the image and return its facts.

    Raises: Unreadable: damaged, or beyond the bounds; MemoryError.
    """
    bounds = bounds or ImageBounds()
    image = _opened(file, kind, bounds)
    with image:
        _check_pixels(*image.size, bounds)
        num_frames = _tried(lambda: int(getattr(image, "n_frames", 1)))
        if num_frames > bounds.pictures:
            raise Unreadable(f"the image has {num_frames} pictures, at most {bounds.pictures} are read")
        # A TIFF forgets how it lay when it is decoded; a PNG may say it behind its pixels.
        orientation = _orientation(image) if kind.name in TURNED_BY_READER else 1
        _tried(image.load)
        if kind.name not in TURNED_BY_READER:
            orientation = _orientation(image)
        has_alpha = image.has_transparency_data
        width_px, height_px = image.size
        _decode_others(image, num_frames, bounds)
    if orientation in ON_ITS_SIDE and kind.name not in TURNED_BY_READER:
        width_px, height_px = height_px, width_px
    is_animated = num_frames > 1 and kind.name in ANIMATED
    return MediaFacts(
        modality=Modality.IMAGE,
        container=kind.name,
        media_type=kind.media_type,
        size_bytes=size_bytes,
        width_px=width_px,
        height_px=height_px,
        num_frames=num_frames,
        has_alpha=has_alpha,
        is_animated=is_animated,
        rotation_deg=TURNS_DEG[orientation],
    )


def _opened(file: BinaryIO, kind: Kind, bounds: ImageBounds) -> PIL.Image.Image:
    if kind.name == "webp":
        # Pillow's decoder takes the memory for the canvas as soon as it is made.
        _check_pixels(*_webp_canvas(file), bounds)
    PIL.Image.MAX_IMAGE_PIXELS = bounds.pixels
    return _tried(lambda: PIL.Image.open(file, formats=(PILLOW_FORMATS[kind],)), bounds)


def _webp_canvas(file: BinaryIO) -> tuple[int, int]:
    """Return the canvas in pixels that an extended header claims. Source: developers.google.com/speed/webp, VP8X."""
    head = file.read(30)
    file.seek(0)
    if head[12:16] != b"VP8X" or len(head) < 30:
        return 1, 1
    width, height = (struct.unpack("<I", head[at : at + 3] + b"\0")[0] + 1 for at in (24, 27))
    return width, height


def _check_pixels(width_px: int, height_px: int, bounds: ImageBounds) -> None:
    if width_px * height_px > bounds.pixels:
        raise _too_many(width_px * height_px, bounds.pixels)
    if not width_px or not height_px:
        raise Unreadable("the image has no pixels")


def _too_many(pixels: int, most: int) -> Unreadable:
    return Unreadable(f"the image has {pixels} pixels, at most {most} are decoded")


def _decode_others(image: PIL.Image.Image, num_frames: int, bounds: ImageBounds) -> None:
    """Decode the pictures behind the first as far as the bounds allow, so that a file that breaks off is seen."""
    affordable = bounds.decoded_pixels // (image.width * image.height)
    for index in range(1, min(num_frames, affordable)):

        def decode(index: int = index) -> None:
            image.seek(index)
            _check_pixels(*image.size, bounds)
            image.load()

        _tried(decode, bounds)


def _orientation(image: PIL.Image.Image) -> int:
    """Return 1..8; an EXIF block that cannot be read turns nothing and is no reason to refuse a picture."""
    try:
        found = image.getexif().get(PIL.ExifTags.Base.Orientation, 1)
    except Exception:  # boundary: Pillow's readers of metadata raise nearly anything
        return 1
    return found if found in TURNS_DEG else 1


def _tried(act: Callable[[], Answer], bounds: ImageBounds | None = None) -> Answer:
    """Turn what Pillow's many plugins raise into one reason.

    Raises: Unreadable; MemoryError.
    """
    try:
        return act()
    except (MemoryError, Unreadable):
        raise
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as error:
        found = re.search(r"\((\d+) pixels\)", str(error))
        raise _too_many(int(found[1]) if found else 0, (bounds or ImageBounds()).pixels) from error
    except PIL.UnidentifiedImageError as error:
        raise Unreadable("the file is damaged: it begins like an image, but cannot be read as one") from error
    except Exception as error:  # boundary: Pillow's plugins raise nearly anything for a damaged file
        raise Unreadable(f"the file is damaged: {str(error) or type(error).__name__}") from error
