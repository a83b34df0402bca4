"""Wan VACE's pipeline of diffusers, with its frames given as bytes: what is known, and what is to be made up."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from diffusers import WanVACEPipeline
from numpy.typing import NDArray

from understudy.engines.diffusion.families.wan_pictures import Pictures
from understudy.engines.diffusion.order import Pixels


class Pipeline(WanVACEPipeline):  # type: ignore[misc]  # diffusers is skipped by mypy
    """The pipeline without its own preparation of frames.

    That holds the film on the device four times in 32 bits, 11 GB for 15 seconds of 1280 x 720, and encodes an empty
    one twice. Frames are wanted or known as a whole here, so that only the known ones have to be there at all.
    size_px: width and height of the film. references: pictures of any size. ``video`` is bytes, shape (frames, height,
    width, 3), ``mask`` a truth per frame: whether it is wanted.
    """

    pictures: Pictures
    size_px: tuple[int, int]
    references: Sequence[Pixels] = ()

    def preprocess_conditions(  # tidy: as diffusers calls it
        self, video: Pixels, mask: NDArray[np.bool_], *_told: Any
    ) -> tuple[Pixels, NDArray[np.bool_], list[list[torch.Tensor]]]:
        """Pass the frames on, and lay the references on white as diffusers does."""
        return video, mask, [[_laid(each, self.size_px, self.pictures) for each in self.references]]

    def prepare_video_latents(
        self, video: Pixels, mask: NDArray[np.bool_], reference_images: list[list[torch.Tensor]], *_told: Any
    ) -> torch.Tensor:
        """Encode what is known, nothing for what is wanted, and each reference as a frame before the first."""
        empty = self.pictures.empty(video.shape)
        known = empty if mask.all() else self.pictures.latents(video, wanted=mask)
        film = torch.cat([known, empty], dim=1)
        for image in reference_images[0]:
            still = self.pictures.encoded(image)
            film = torch.cat([torch.cat([still, torch.zeros_like(still)], dim=1), film], dim=2)
        return film.to(self.vae.dtype)

    def prepare_masks(
        self,
        mask: NDArray[np.bool_],
        reference_images: list[list[torch.Tensor]],
        generator: Any = None,
    ) -> torch.Tensor:
        """Return the mask as the model has it: shape (1, pixels of a latent, steps, height, width)."""
        step, pixels = self.vae_scale_factor_temporal, self.vae_scale_factor_spatial
        steps = (len(mask) + step - 1) // step
        # Which frame speaks for a step of the latents is diffusers' choice, and the one that the model learned with.
        wanted = torch.nn.functional.interpolate(
            torch.from_numpy(mask).float()[None, None], size=steps, mode="nearest-exact"
        )
        wanted = torch.cat([wanted.new_zeros(1, 1, len(reference_images[0])), wanted], dim=2)
        height, width = self.size_px[1] // pixels, self.size_px[0] // pixels
        whole = wanted.view(1, 1, -1, 1, 1).expand(1, pixels * pixels, -1, height, width)
        return whole.to(self.pictures.device)


def _laid(picture: Pixels, size_px: tuple[int, int], pictures: Pictures) -> torch.Tensor:
    """Return a picture as large as it fits on white, as a film of one frame: shape (1, 3, 1, height, width)."""
    width_px, height_px = size_px
    floats = torch.from_numpy(np.ascontiguousarray(picture)).to(pictures.device).permute(2, 0, 1)[None]
    floats = floats.float().div_(127.5).sub_(1.0)
    scale = min(height_px / floats.shape[2], width_px / floats.shape[3])
    size = (max(1, int(floats.shape[2] * scale)), max(1, int(floats.shape[3] * scale)))
    if size != floats.shape[2:]:
        # Diffusers' way leaves the smoothing out, and large photographs flicker with what is between its points.
        floats = torch.nn.functional.interpolate(floats, size=size, mode="bilinear", antialias=True).clamp_(-1.0, 1.0)
    canvas = floats.new_ones(1, 3, 1, height_px, width_px)
    top, left = (height_px - size[0]) // 2, (width_px - size[1]) // 2
    canvas[:, :, 0, top : top + size[0], left : left + size[1]] = floats
    return canvas.to(pictures.vae.dtype)
