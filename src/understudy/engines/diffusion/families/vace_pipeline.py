"""Wan VACE's pipeline of diffusers, with its frames given as bytes: what is known, and what is to be made up."""

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
    size_px: width and height of the film. ``video`` is bytes, shape (frames, height, width, 3), ``mask`` a truth per
    frame: whether it is wanted.
    """

    pictures: Pictures
    size_px: tuple[int, int]

    def preprocess_conditions(  # tidy: as diffusers calls it
        self,
        video: Pixels,
        mask: NDArray[np.bool_],
        reference_images: Any,
        batch_size: int,
        height: int,
        width: int,
        num_frames: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> tuple[Any, Any, list[list[torch.Tensor]]]:
        """Fit the references into the canvas as diffusers does, and pass the rest on."""
        # One frame, as it makes an empty film of what it is told.
        _, _, references = super().preprocess_conditions(
            None, None, reference_images, batch_size, height, width, 1, dtype, device
        )
        return video, mask, references

    def prepare_video_latents(
        self,
        video: Pixels,
        mask: NDArray[np.bool_],
        reference_images: list[list[torch.Tensor]],
        generator: Any = None,
        device: torch.device | None = None,
    ) -> torch.Tensor:
        """Encode what is known, nothing for what is wanted, and each reference as a frame before the first."""
        empty = self.pictures.empty(video.shape)
        known = empty if mask.all() else self.pictures.latents(video, wanted=mask)
        film = torch.cat([known, empty], dim=1)
        for image in reference_images[0]:
            still = self.pictures.encoded(image.to(self.pictures.vae.dtype)[None, :, None])
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
