"""Larger pictures by a super-resolution network of the operator's own: any that spandrel knows, picture by picture.

A picture goes through in tiles, so that 4k needs no more memory than a small film. Neighbouring tiles overlap: what
lies at a tile's edge is thrown away, as the network saw only half of its surroundings there, and behind that one tile
fades into the next.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import understudy.engines.diffusion.torchvision_ops  # noqa: F401 - before anything that imports torchvision

# isort: split
import spandrel

from understudy.engines.diffusion.enlarger_file import check_enlarger
from understudy.engines.diffusion.finishing import Enlarger
from understudy.engines.diffusion.memory import give_back, reporting_lack
from understudy.engines.diffusion.order import OutOfMemory, Pixels

log = logging.getLogger(__name__)

CHANNELS = 3
"""Of pictures; networks for grey ones or with transparency enlarge something else."""

UNSEEN_PX = 16
"""What is thrown away at a tile's edge, in the small picture. Networks reach further, but what is far counts little."""

FADE_PX = 32
"""How far one tile fades into the next: what still differs becomes no line."""

OVERLAP_PX = 2 * UNSEEN_PX + FADE_PX

WHOLE_PX = 1 << 20
"""A tile larger than any picture."""

PROBE_PX = 48
PROBE_SEED = 0
SAME_WITHIN = 1 / 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiling:
    """How pictures are cut. side_px: of a tile, at most. at_once: how many tiles go through the network together."""

    side_px: int
    at_once: int


ON_A_GPU = (
    Tiling(side_px=512, at_once=4),
    Tiling(side_px=512, at_once=1),
    Tiling(side_px=384, at_once=1),
    Tiling(side_px=256, at_once=1),
    Tiling(side_px=160, at_once=1),
)
"""The largest first, smaller ones where memory runs out. Larger ones than the first gain a tenth of the time, and equal
films would depend on what else is on the GPU."""

ON_A_PROCESSOR = (Tiling(side_px=256, at_once=1),)
"""A host that runs out of memory does not say so."""


def load_enlarger(file: Path, device: str) -> Enlarger:
    """Load a super-resolution model from a .safetensors file onto a device.

    Equal pictures are enlarged equally by the same tiling; where memory ran out and tiles became smaller, values may
    differ by one in 255.

    Raises: ValueError with a sentence for the operator; OutOfMemory.
    """
    check_enlarger(file)
    with reporting_lack():
        network = _network_in(file, device)
        can_batch = _is_sound(network, device)
        if can_batch is None and network.dtype == torch.float16:
            log.warning("%s overflows in half precision, so it computes in single", file)
            network = network.float()
            can_batch = _is_sound(network, device)
    if can_batch is None:
        raise ValueError(f"The super-resolution model {file} makes no pictures: its weights are broken.")
    tilings = _tilings(network, device, can_batch=can_batch)
    # Hardly ever are the sizes of a canvas and of a film a whole factor apart.
    name = f"super-resolution ({network.architecture.name}, {network.scale} times) and resampling"
    return Enlarger(name=name, enlarged=SuperResolution(network, device, tilings).enlarged)


def _network_in(file: Path, device: str) -> Any:
    """Return spandrel's descriptor of the network, on the device, in half precision where that serves.

    Raises: ValueError for what is no network that makes larger pictures from pictures.
    """
    try:
        network = spandrel.ModelLoader(device=device).load_from_file(file)
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except spandrel.UnsupportedModelError as error:
        raise ValueError(f"The super-resolution model {file} is of no architecture that is known.") from error
    except Exception as error:  # boundary: each architecture has errors of its own for weights that do not fit
        reason = str(error).partition("\n")[0]
        raise ValueError(f"The super-resolution model {file} cannot be loaded: {reason}") from error
    kind = f"The model {file} ({network.architecture.name})"
    if not isinstance(network, spandrel.ImageModelDescriptor) or network.purpose != "SR":
        raise ValueError(f"{kind} is not made for making pictures larger.")
    if network.scale < 2:
        raise ValueError(f"{kind} leaves pictures as large as they are.")
    if (network.input_channels, network.output_channels) != (CHANNELS, CHANNELS):
        raise ValueError(f"{kind} is not made for pictures of three colours.")
    network.eval()
    # bfloat16 is no choice: its 8 bits would be seen as steps in soft gradients.
    return network.half() if torch.device(device).type == "cuda" and network.supports_half else network.float()


def _is_sound(network: Any, device: str) -> bool | None:
    """Try the network on noise: may several tiles go through together? None = it makes no pictures at all.

    spandrel promises single pictures only.
    """
    noise = torch.rand((2, CHANNELS, PROBE_PX, PROBE_PX), generator=torch.Generator().manual_seed(PROBE_SEED))
    noise = noise.to(device, network.dtype)
    single = torch.cat([network(each[None]).float() for each in noise])
    side_px = PROBE_PX * network.scale
    if tuple(single.shape) != (2, CHANNELS, side_px, side_px) or not bool(torch.isfinite(single).all()):
        return None
    try:
        both = network(noise).float()
    except RuntimeError:
        return False
    return both.shape == single.shape and bool((both - single).abs().max() <= SAME_WITHIN)


def _tilings(network: Any, device: str, *, can_batch: bool) -> Sequence[Tiling]:
    known: Sequence[Tiling] = ON_A_GPU if torch.device(device).type == "cuda" else ON_A_PROCESSOR
    if network.tiling is spandrel.ModelTiling.INTERNAL:
        known = ()
    if network.tiling is not spandrel.ModelTiling.SUPPORTED:
        # Such a network looks at the picture as a whole.
        known = (Tiling(side_px=WHOLE_PX, at_once=1), *known)
    return tuple(each for each in known if can_batch or each.at_once == 1)


class SuperResolution:
    """Enlarges pictures by a network's factor."""

    def __init__(self, network: Any, device: str, tilings: Sequence[Tiling]) -> None:
        """Take spandrel's descriptor of the network and the tilings to try, each when the one before lacked memory."""
        self._network = network
        self._device = device
        self._tilings = tilings

    def enlarged(self, pictures: Iterator[Pixels]) -> Iterator[Pixels]:
        """Yield each picture, (height_px, width_px, 3) uint8 RGB, larger by the factor.

        Raises: OutOfMemory when the smallest tiles do not fit either.
        """
        # What the generating model left in torch's own pool is room for tiles, and the other way round.
        give_back()
        tilings = self._tilings
        try:
            for picture in pictures:
                tilings, larger = self._by_first_that_fits(picture, tilings)
                yield larger
        finally:
            give_back()

    def _by_first_that_fits(self, picture: Pixels, tilings: Sequence[Tiling]) -> tuple[Sequence[Tiling], Pixels]:
        for index, tiling in enumerate(tilings):
            try:
                with reporting_lack():
                    return tilings[index:], self.picture(picture, tiling)
            except OutOfMemory:
                log.warning("tiles of %d px, %d at once, lack memory", tiling.side_px, tiling.at_once)
                if index == len(tilings) - 1:
                    raise
        raise ValueError("there is no tiling")

    def picture(self, picture: Pixels, tiling: Tiling) -> Pixels:
        """Return one picture larger by the factor.

        Raises: torch.OutOfMemoryError.
        """
        with torch.inference_mode():
            image = torch.tensor(picture, device=self._device).permute(2, 0, 1).to(self._network.dtype).div_(255)
            rows, columns = (spans_of(length_px, tiling.side_px) for length_px in image.shape[1:])
            if len(rows) == len(columns) == 1:
                larger = self._network(image[None])[0].float()
            else:
                larger = self._joined(image, rows, columns, at_once=tiling.at_once)
            values = larger.mul_(255).round_().clamp_(0, 255).to(torch.uint8)
            return np.asarray(values.permute(1, 2, 0).contiguous().cpu().numpy(), dtype=np.uint8)

    def _joined(
        self, image: torch.Tensor, rows: Sequence[slice], columns: Sequence[slice], *, at_once: int
    ) -> torch.Tensor:
        factor = self._network.scale
        _, height_px, width_px = image.shape
        total = torch.zeros((CHANNELS, height_px * factor, width_px * factor), device=self._device)
        weights = torch.zeros(total.shape[1:], device=self._device)
        tiles = [(row, column) for row in rows for column in columns]
        for group in (tiles[first : first + at_once] for first in range(0, len(tiles), at_once)):
            larger = self._network(torch.stack([image[:, row, column] for row, column in group]))
            for (row, column), tile in zip(group, larger, strict=True):
                down = _weights(row, height_px, factor).to(self._device)
                across = _weights(column, width_px, factor).to(self._device)
                weight = down[:, None] * across
                place = (
                    slice(row.start * factor, row.stop * factor),
                    slice(column.start * factor, column.stop * factor),
                )
                total[:, *place] += tile.float() * weight
                weights[place] += weight
        return total.div_(weights)


def spans_of(length_px: int, side_px: int) -> Sequence[slice]:
    """Cut a side into equal, overlapping spans of at most so many pixels that cover it evenly."""
    if length_px <= side_px:
        return (slice(0, length_px),)
    count = -(-(length_px - OVERLAP_PX) // (side_px - OVERLAP_PX))
    span_px = -(-(length_px + (count - 1) * OVERLAP_PX) // count)
    starts = [round(index * (length_px - span_px) / (count - 1)) for index in range(count)]
    return tuple(slice(start, start + span_px) for start in starts)


def _weights(span: slice, length_px: int, factor: int) -> torch.Tensor:
    """Return how much each enlarged pixel of a span counts: nothing at its edge, all in its middle."""
    moments = torch.arange((span.stop - span.start) * factor, dtype=torch.float32).add_(0.5).div_(factor)
    weights = torch.ones_like(moments)
    if span.start > 0:
        weights *= ((moments - UNSEEN_PX) / FADE_PX).clamp(0, 1)
    if span.stop < length_px:
        weights *= ((span.stop - span.start - moments - UNSEEN_PX) / FADE_PX).clamp(0, 1)
    return weights
