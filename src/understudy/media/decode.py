"""Read given images as engines want them: RGB as it is meant to be seen, cut to the size of the film.

Engines call this in the render process, on files that were measured before. Which reader a file gets is said by its
first bytes, as when it was measured, never by its name, and no reader is given a path: it can open nothing but the file
it was handed.
Videos and sounds are read in `decode_video` and `decode_sound`.
"""

import io
import math
import warnings
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from understudy.core.media import Unreadable
from understudy.media.inspect_kind import HEIC, PILLOW_FORMATS, kind_of

_DAMAGED = (OSError, SyntaxError, ValueError, ArithmeticError, LookupError, TypeError, EOFError, RuntimeError)
"""What Pillow and its plug-ins raise for a file that is cut off or not what it says."""

Picture = NDArray[np.uint8]
"""(height_px, width_px, 3) RGB, or 4 with alpha that is not premultiplied."""

PIXELS_MAX = 2**26
"""Of one picture. More than any model takes; decoded as RGBA it is a quarter of a gigabyte."""

GROUND = (255, 255, 255)
"""What is behind a transparent picture: white, as a page shows it."""


def read_image(path: Path) -> Picture:
    """Read a picture, the first one of an animation, as sRGB, upright; (height_px, width_px, 3), or 4 if it has alpha.

    The fourth channel is there only where something is really transparent. A profile that cannot be applied is
    ignored, as browsers do.

    Raises: Unreadable.
    """
    with path.open("rb") as file:
        return read_open_image(file)


def read_open_image(file: BinaryIO) -> Picture:
    """Read the picture in an open file, as `read_image` does.

    Raises: Unreadable.
    """
    try:
        return _read(file)
    except Image.DecompressionBombError as error:
        raise Unreadable(f"the image has too many pixels, at most {PIXELS_MAX} are decoded") from error
    except _DAMAGED as error:
        # What the libraries say names files of ours; it stays in the log.
        raise Unreadable("the image is damaged") from error


def _read(file: BinaryIO) -> Picture:
    kind = kind_of(file)
    if kind not in PILLOW_FORMATS:
        raise Unreadable("the file is not an image that is read here")
    if kind is HEIC:
        # Its library is loaded for the few who send such files.
        import pillow_heif

        pillow_heif.register_heif_opener()
    with warnings.catch_warnings():
        # Said below in our own words, and at our own bound.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        opened = Image.open(file, formats=(PILLOW_FORMATS[kind],))
    with opened as image:
        if image.width * image.height > PIXELS_MAX:
            count = image.width * image.height
            raise Unreadable(f"the image has {count} pixels, at most {PIXELS_MAX} are decoded")
        image.load()
        upright = ImageOps.exif_transpose(image)
    return _as_array(_in_srgb(upright))


def _in_srgb(image: Image.Image) -> Image.Image:
    """Turn any mode into RGB or RGBA in sRGB."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _from_deep_grey(image)
    has_alpha = image.has_transparency_data
    if image.mode in ("P", "PA", "1", "LA", "La", "RGBa", "RGBX"):
        image = image.convert("RGBA" if has_alpha else "RGB")
    wanted = "RGBA" if has_alpha else "RGB"
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            colours = ImageCms.profileToProfile(
                image, source, srgb, outputMode=wanted if image.mode == wanted else "RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
        else:
            assert colours is not None
            image = colours
    # A transparent colour of an RGB or grey file is kept beside it, and becomes alpha only here.
    return image.convert(wanted)


def _from_deep_grey(image: Image.Image) -> Image.Image:
    """Bring grey of 16 bits or of floats, which Pillow would clip, to 8."""
    values = np.asarray(image).astype(np.float64)
    if image.mode == "F":
        # Floats have no white of their own: 1 by convention, unless the picture goes beyond.
        top = max(1.0, float(values.max(initial=0.0)))
    else:
        top = 65535.0 if values.max(initial=0.0) > 255 or image.mode != "I" else 255.0
    levels = np.clip(np.nan_to_num(values) / top * 255.0 + 0.5, 0, 255).astype(np.uint8)
    return Image.fromarray(levels).convert("RGB")


def _as_array(image: Image.Image) -> Picture:
    picture = np.array(image, dtype=np.uint8)
    if picture.shape[2] == 4 and int(picture[:, :, 3].min()) == 255:
        return np.ascontiguousarray(picture[:, :, :3])
    return picture


def on_ground(picture: Picture) -> Picture:
    """Return the picture without alpha: what is transparent shows `GROUND`; (height_px, width_px, 3)."""
    if picture.shape[2] == 3:
        return picture
    alpha = picture[:, :, 3:].astype(np.uint16)
    ground = np.array(GROUND, dtype=np.uint16)
    return np.asarray((picture[:, :, :3] * alpha + ground * (255 - alpha) + 127) // 255, dtype=np.uint8)


def fitted(picture: Picture, width_px: int, height_px: int) -> Picture:
    """Cut the middle of the picture to the shape that is wanted, and bring it to the size.

    (height_px, width_px, 3) or with 4 channels as given; premultiply or remove alpha before. A picture that has the
    size is returned as it is. Source: the contract, "Crop is centred".
    """
    own_height_px, own_width_px = picture.shape[:2]
    if (own_width_px, own_height_px) == (width_px, height_px):
        return picture
    scale = max(width_px / own_width_px, height_px / own_height_px)
    cut_width_px = min(own_width_px, max(1, round(width_px / scale)))
    cut_height_px = min(own_height_px, max(1, round(height_px / scale)))
    left, top = (own_width_px - cut_width_px) // 2, (own_height_px - cut_height_px) // 2
    cut = np.ascontiguousarray(picture[top : top + cut_height_px, left : left + cut_width_px])
    if math.isclose(scale, 1.0) and cut.shape[:2] == (height_px, width_px):
        return cut
    # An average keeps fine detail from flickering when it is made smaller; Lanczos keeps edges when enlarged.
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LANCZOS4
    return np.asarray(cv2.resize(cut, (width_px, height_px), interpolation=how), dtype=np.uint8)
