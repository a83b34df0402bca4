"""From an order to what LTX is shown: frames at their places, references, sound that is held. Values without torch.

The model makes 8n+1 frames, the first of which is encoded alone and each further latent frame of 8: where given frames
take the beginning, what is new begins with a whole latent frame, and where they take the end, it ends with one.
Source: diffusers 0.42.1, pipelines/ltx2; Lightricks/LTX-2, ltx-core.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from understudy.engines.diffusion.order import Clip, Order, Pixels, Samples, Sound, Workflow
from understudy.media.fit import Fit

STRIDE = 8
"""Frames of one latent frame."""

SHEET_PANELS_MAX = 9
STILLS_OF_A_CLIP = 2
"""How many pictures of a reference video go onto the sheet: what it shows at its first and its last quarter."""

SOUNDS_HELD_IN = (
    Workflow.TEXT,
    Workflow.FIRST_FRAME,
    Workflow.LAST_FRAME,
    Workflow.FIRST_LAST_FRAME,
    Workflow.REFERENCES,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """Frames that the film has at a place. latent: index of its latent frame; -1 = the film's very last frame."""

    frames: Pixels
    latent: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """Sound that the film has from a second on."""

    sound: Sound
    from_s: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """What is generated.

    num_frames: in all, 8n+1. skip, keep: the frames that are returned begin after `skip` and are `keep`.
    beside: frames that an in-context adapter is shown, as many as num_frames. source: frames that are covered with
    noise instead of beginning with noise alone. track: sound that is the film's own, whole.
    """

    num_frames: int
    skip: int = 0
    keep: int
    shown: tuple[Shown, ...] = ()
    beside: Sequence[Pixels] = ()
    source: Sequence[Pixels] = ()
    held: tuple[Held, ...] = ()
    track: Sound | None = None
    notes: tuple[str, ...] = ()


def scene_of(order: Order, *, context_frames: int, reads_clips: bool) -> Scene:
    """Lay out what an order asks for. reads_clips: whether the adapter for edits is there.

    Raises: ValueError for an order without what its workflow is about.
    """
    if order.workflow is Workflow.EXTEND:
        return _extension(order, context_frames)
    if order.workflow is Workflow.JOIN:
        return _join(order, context_frames)
    if order.workflow is Workflow.EDIT:
        return _edit(order, reads_clips=reads_clips)
    shown = [Shown(frames=order.first[None], latent=0)] if order.first is not None else []
    if order.last is not None:
        shown.append(Shown(frames=order.last[None], latent=-1))
    track = order.sounds[0] if order.sounds and order.workflow in SOUNDS_HELD_IN else None
    sheet = _sheet_of(order) if order.workflow is Workflow.REFERENCES else None
    return Scene(
        num_frames=_on_grid(order.num_frames),
        keep=_on_grid(order.num_frames),
        shown=tuple(shown),
        beside=[sheet] * _on_grid(order.num_frames) if sheet is not None else (),
        held=(Held(sound=track, from_s=0.0),) if track is not None else (),
        track=track,
        notes=tuple(_notes(order)),
    )


def _extension(order: Order, context_frames: int) -> Scene:
    clip = _clip(order, 0)
    if order.is_forward:
        tail = tail_of(clip, order.fps, context_frames)
        made = STRIDE * -(-order.num_frames // STRIDE)
        return Scene(
            num_frames=len(tail) + made,
            skip=len(tail),
            keep=made,
            shown=(Shown(frames=tail, latent=0),),
            held=_ending(clip, len(tail) / order.fps),
        )
    head = head_of(clip, order.fps, context_frames)
    made = _on_grid(order.num_frames)
    # The frame after the new ones begins a latent frame, and is the first of the given video.
    num_frames = _on_grid(made + len(head))
    return Scene(
        num_frames=num_frames,
        keep=made,
        shown=(Shown(frames=head, latent=(made - 1) // STRIDE + 1),),
        held=_beginning(clip, (num_frames - made) / order.fps, from_s=made / order.fps),
    )


def _join(order: Order, context_frames: int) -> Scene:
    before, after = _clip(order, 0), _clip(order, 1)
    tail, head = tail_of(before, order.fps, context_frames), head_of(after, order.fps, context_frames)
    made = STRIDE * -(-order.num_frames // STRIDE)
    num_frames = _on_grid(len(tail) + made + len(head))
    from_s = (len(tail) + made) / order.fps
    return Scene(
        num_frames=num_frames,
        skip=len(tail),
        keep=made,
        shown=(
            Shown(frames=tail, latent=0),
            Shown(frames=head, latent=(len(tail) + made - 1) // STRIDE + 1),
        ),
        held=(
            *_ending(before, len(tail) / order.fps),
            *_beginning(after, num_frames / order.fps - from_s, from_s=from_s),
        ),
    )


def _edit(order: Order, *, reads_clips: bool) -> Scene:
    clip = _clip(order, 0)
    num_frames = _on_grid(order.num_frames)
    frames = [clip.frames[at] for at in _places(len(clip.frames), clip.fps / order.fps, num_frames)]
    freely = "The video was changed by generating it anew from its outlines: small things in it may have changed too."
    return Scene(
        num_frames=num_frames,
        keep=num_frames,
        beside=frames if reads_clips else (),
        source=() if reads_clips else frames,
        held=(Held(sound=clip.sound, from_s=0.0),) if clip.sound is not None else (),
        track=clip.sound,
        notes=() if reads_clips else (freely,),
    )


def tail_of(clip: Clip, fps: float, most: int) -> Pixels:
    """Return the last frames of a clip at another rate, at most so many, 8n+1 of them."""
    places = _places(len(clip.frames), clip.fps / fps, most, is_bounded=True)
    count = _grid_below(len(places))
    return clip.frames[[len(clip.frames) - 1 - at for at in places[:count]][::-1]]


def head_of(clip: Clip, fps: float, most: int) -> Pixels:
    """Return the first frames of a clip at another rate, at most so many, 8n+1 of them."""
    places = _places(len(clip.frames), clip.fps / fps, most, is_bounded=True)
    return clip.frames[places[: _grid_below(len(places))]]


def _places(count: int, step: float, wanted: int, *, is_bounded: bool = False) -> list[int]:
    """Return the wanted indices, `step` apart; beyond the end the last again, or with is_bounded none."""
    places = [round(at * step) for at in range(wanted)]
    if is_bounded:
        return [at for at in places if at < count]
    return [min(at, count - 1) for at in places]


def _ending(clip: Clip, length_s: float) -> tuple[Held, ...]:
    if clip.sound is None:
        return ()
    end = round(len(clip.frames) / clip.fps * clip.sound.sample_rate_hz)
    whole = _padded(clip.sound.samples, end)
    count = min(end, round(length_s * clip.sound.sample_rate_hz))
    sound = Sound(samples=whole[:, end - count : end], sample_rate_hz=clip.sound.sample_rate_hz)
    return (Held(sound=sound, from_s=0.0),)


def _beginning(clip: Clip, length_s: float, *, from_s: float) -> tuple[Held, ...]:
    if clip.sound is None:
        return ()
    count = round(length_s * clip.sound.sample_rate_hz)
    sound = Sound(samples=clip.sound.samples[:, :count], sample_rate_hz=clip.sound.sample_rate_hz)
    return (Held(sound=sound, from_s=from_s),)


def _padded(samples: Samples, count: int) -> Samples:
    return np.pad(samples, ((0, 0), (0, max(0, count - samples.shape[1]))))


def _sheet_of(order: Order) -> Pixels | None:
    """Return the sheet of all references, or None where there are only sounds."""
    pictures = list(order.images)
    for clip in order.clips:
        count = len(clip.frames)
        pictures += [clip.frames[(2 * at + 1) * count // (2 * STILLS_OF_A_CLIP)] for at in range(STILLS_OF_A_CLIP)]
    if not pictures:
        if not order.sounds:
            raise ValueError("References are ordered, and none is given.")
        return None
    return sheet_of(pictures[:SHEET_PANELS_MAX], width_px=order.width_px, height_px=order.height_px)


def sheet_of(pictures: Sequence[Pixels], *, width_px: int, height_px: int) -> Pixels:
    """Lay pictures out on a black sheet, in rows, each as large as it can be without being cut.

    That is what the adapter was trained to read: panels on black, without words.
    Source: model card of Lightricks/LTX-2.5-22b-IC-LoRA-Ingredients.
    """
    columns = max(range(1, len(pictures) + 1), key=lambda count: _shown_px(pictures, count, (width_px, height_px)))
    rows = -(-len(pictures) // columns)
    panel_px = (width_px // columns, height_px // rows)
    sheet = np.zeros((height_px, width_px, 3), np.uint8)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        in_row = min(columns, len(pictures) - row * columns)
        scale = min(panel_px[0] / picture.shape[1], panel_px[1] / picture.shape[0])
        size_px = (max(1, int(picture.shape[1] * scale)), max(1, int(picture.shape[0] * scale)))
        left = (width_px - in_row * panel_px[0]) // 2 + column * panel_px[0] + (panel_px[0] - size_px[0]) // 2
        top = row * panel_px[1] + (panel_px[1] - size_px[1]) // 2
        sheet[top : top + size_px[1], left : left + size_px[0]] = fitted(picture, size_px)
    return sheet


def _shown_px(pictures: Sequence[Pixels], columns: int, size_px: tuple[int, int]) -> float:
    """Return how much of a sheet with so many columns the pictures cover."""
    rows = -(-len(pictures) // columns)
    covered = 0.0
    for picture in pictures:
        scale = min(size_px[0] / columns / picture.shape[1], size_px[1] / rows / picture.shape[0])
        covered += picture.shape[0] * picture.shape[1] * scale**2
    return covered


def fitted(picture: Pixels, size_px: tuple[int, int]) -> Pixels:
    """Scale a picture to cover the size, width and height, and cut what is over, evenly on both sides."""
    return Fit(own_px=(picture.shape[1], picture.shape[0]), wanted_px=size_px).picture(picture)


def framed(frames: Pixels, size_px: tuple[int, int], inner_px: tuple[int, int]) -> Pixels:
    """Fit frames to the canvas, and where what is made is larger than that, repeat their edges around them."""
    made = np.stack([fitted(frame, size_px) for frame in frames])
    (left, right), (top, bottom) = (margins(outer - side) for side, outer in zip(size_px, inner_px, strict=True))
    return np.pad(made, ((0, 0), (top, bottom), (left, right), (0, 0)), mode="edge")


def margins(over: int) -> tuple[int, int]:
    """Share what a side is too long between its two ends."""
    return over // 2, over - over // 2


def _notes(order: Order) -> list[str]:
    notes = []
    if order.sounds and order.workflow in SOUNDS_HELD_IN:
        notes.append("The given audio is the film's own sound: LTX cannot use it as an example of another.")
        if len(order.sounds) > 1:
            notes.append("Only the first of the given audio is used.")
    if order.workflow is Workflow.REFERENCES and order.clips:
        notes.append("Of the reference videos only single pictures are used, neither movement nor sound.")
    return notes


def _clip(order: Order, number: int) -> Clip:
    if len(order.clips) <= number or not len(order.clips[number].frames):
        raise ValueError(f"An order to {order.workflow} has {len(order.clips)} videos, which are too few.")
    return order.clips[number]


def _on_grid(count: int) -> int:
    return 1 + STRIDE * -(-(count - 1) // STRIDE)


def _grid_below(count: int) -> int:
    return 1 + STRIDE * ((count - 1) // STRIDE)
