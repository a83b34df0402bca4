"""What a figure wears, put onto its bitmap once, and where its face is."""

import cv2
import numpy as np

from understudy.engines.previz.pictures.canvas import Bitmap
from understudy.engines.previz.pictures.rigs import Body, Rig
from understudy.engines.previz.pictures.sprites import has_art, resized, sprite
from understudy.engines.previz.pictures.warp import Features

_HATS = ("hat", "cap", "crown", "helmet", "headphone")
_SPECTACLES = ("glasses", "sunglasses", "goggles", "mask")
_NECKWEAR = ("scarf", "necktie", "ribbon", "medal", "beads", "bow")


def features_of(body: Body, bitmap: Bitmap) -> Features:
    """Where eyes and mouth are on a face of the art library; whole figures have none that is known."""
    aspect = bitmap.shape[1] / bitmap.shape[0]
    if body is Body.PERSON_HEAD:
        return Features(eyes=(0.0, 0.475), mouth=(0.0, 0.245), size=0.19, has_face=True)
    if body in (Body.CREATURE_HEAD, Body.BEAST_HEAD):
        return Features(eyes=(0.0, 0.47), mouth=(0.0, 0.22), size=0.2 * min(aspect, 1.1), has_face=True)
    if body is Body.BUST:
        return Features(eyes=(0.0, 0.585), mouth=(0.0, 0.465), size=0.11, has_face=True)
    if body is Body.NONE:
        return Features(eyes=(0.0, 0.50), mouth=(0.0, 0.34), size=0.17, has_face=True)
    return Features()


def dressed(bitmap: Bitmap, rig: Rig, wears: tuple[str, ...]) -> tuple[Bitmap, float]:
    """Put things on a figure. Returns the larger bitmap and its height against the undressed one (1 or more)."""
    items = [art_id for art_id in wears if has_art(art_id)]
    if not items:
        return bitmap, 1.0
    height, width = bitmap.shape[:2]
    room = int(height * 0.38)
    sides = int(height * 0.22)
    field = cv2.copyMakeBorder(bitmap, room, 0, sides, sides, cv2.BORDER_CONSTANT, value=0)
    head_x, head_top, head_width = _head(bitmap, rig)
    for index, art_id in enumerate(items[:3]):
        if any(word in art_id for word in _HATS):
            hat = sprite(art_id, height * 0.3)
            hat = resized(hat, max(int(hat.shape[0] * head_width * height * 1.04 / hat.shape[1]), 4))
            sink = 0.24 if "crown" in art_id else 0.36
            _paste(field, hat, x=sides + head_x * height, y=room + head_top * height + hat.shape[0] * sink)
        elif any(word in art_id for word in _SPECTACLES):
            wide = head_width * height * (0.84 if rig.is_puppet else 0.9)
            lenses = sprite(art_id, height * 0.2)
            lenses = resized(lenses, max(int(lenses.shape[0] * wide / lenses.shape[1]), 4))
            row = room + height * _eye_row(rig, head_top, head_width) + lenses.shape[0] / 2
            _paste(field, lenses, x=sides + head_x * height, y=row)
        elif any(word in art_id for word in _NECKWEAR):
            size = head_width * height * 0.62
            row = height * (0.99 if rig.is_puppet and rig.body is not Body.BUST else head_top + head_width * 1.15)
            thing = sprite(art_id, size)
            column = head_x if rig.is_puppet else head_x - rig.faces * -0.06
            _paste(field, thing, x=sides + column * height, y=min(room + row + size * 0.5, field.shape[0]))
        else:
            thing = sprite(art_id, height * 0.34)
            side = (rig.faces or 1) * (0.28 + 0.06 * index)
            _paste(field, thing, x=sides + width / 2 + side * height, y=room + height * 0.86)
    field = _trimmed(field)
    return field, field.shape[0] / height


def _trimmed(field: Bitmap) -> Bitmap:
    """Cut clear rows above, and equal clear margins at both sides, so that middle and foot stay where they are."""
    seen = field[..., 3] > 0
    top = int(np.argmax(seen.any(axis=1)))
    columns = np.flatnonzero(seen.any(axis=0))
    side = min(int(columns[0]), field.shape[1] - 1 - int(columns[-1])) if len(columns) else 0
    return np.ascontiguousarray(field[max(top - 1, 0) :, max(side - 1, 0) : field.shape[1] - max(side - 1, 0)])


def _eye_row(rig: Rig, head_top: float, head_span: float) -> float:
    """Row of the eyes from the top, in heights."""
    if rig.body in (Body.PERSON_HEAD, Body.CREATURE_HEAD, Body.BEAST_HEAD):
        return 0.525
    if rig.body is Body.BUST:
        return 0.415
    return head_top + head_span * 0.42


def _head(bitmap: Bitmap, rig: Rig) -> tuple[float, float, float]:
    """Column of the head's middle, row of its top, and its width, all in heights of the bitmap."""
    height, width = bitmap.shape[:2]
    if rig.head:
        return rig.head[0], rig.head[1], rig.head[2]
    if rig.body is Body.BUST:
        return width / height / 2, 0.10, 0.46
    if rig.is_puppet:
        return width / height / 2, 0.05, 0.80 * width / height
    solid = bitmap[..., 3] > 128
    low, high = (0, width) if rig.faces == 0 else (0, int(width * 0.5)) if rig.faces < 0 else (int(width * 0.5), width)
    part = solid[:, low:high]
    rows = np.flatnonzero(part.sum(axis=1) > width * 0.03)
    top = int(rows[0]) if len(rows) else 0
    slab = part[top : top + max(int(height * 0.16), 1)]
    columns = np.flatnonzero(slab.any(axis=0))
    middle = (low + float(columns.mean())) if len(columns) else width / 2
    span = (float(columns[-1] - columns[0])) / height if len(columns) else 0.3
    return middle / height, top / height, float(np.clip(span * 1.05, 0.22, 0.55))


def _paste(field: Bitmap, thing: Bitmap, *, x: float, y: float) -> None:
    """Blend a thing onto the field, centred at column x, with its foot at row y."""
    height, width = thing.shape[:2]
    left = round(x - width / 2)
    top = round(y - height)
    cut_left, cut_top = max(-left, 0), max(-top, 0)
    right, bottom = min(left + width, field.shape[1]), min(top + height, field.shape[0])
    left, top = max(left, 0), max(top, 0)
    if right <= left or bottom <= top:
        return
    source = thing[cut_top : cut_top + bottom - top, cut_left : cut_left + right - left].astype(np.uint16)
    area = field[top:bottom, left:right]
    area[:] = source + area.astype(np.uint16) * (255 - source[..., 3:]) // 255
