"""Wan's autoencoder between films of bytes and latents; what is decoded leaves the device as it comes."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

from understudy.engines.diffusion.loading import load_component
from understudy.engines.diffusion.order import Pixels
from understudy.engines.diffusion.recipe import Plan, Recipe

EMPTY_KEPT = 8
"""Grey films that are kept encoded: 20 MB each at 81 frames of 1280 x 720."""


class Pictures:
    """The autoencoder of Wan's models."""

    def __init__(self, recipe: Recipe, folder: Path, plan: Plan, *, device: str) -> None:
        """Load it from a folder in diffusers' layout.

        Raises: OSError or ValueError for files that are not right.
        """
        dtype = str(recipe.settings.get("vae_dtype", recipe.dtype))
        self.vae = load_component(AutoencoderKLWan, folder, "vae", dtype=dtype)
        if plan.tiles:
            self.vae.enable_tiling()
        self.device = torch.device(device)
        self._empty: OrderedDict[tuple[int, ...], torch.Tensor] = OrderedDict()

    def empty(self, shape: tuple[int, ...]) -> torch.Tensor:
        """Encode a grey film of this shape: (frames, height, width, 3).

        Some are kept: they are small, and asked for with every film of their size.
        """
        found = self._empty.pop(shape, None)
        if found is None:
            frames, height_px, width_px, channels = shape
            grey = torch.zeros(1, channels, frames, height_px, width_px, dtype=self.vae.dtype, device=self.device)
            found = self.encoded(grey).to("cpu")
        self._empty[shape] = found
        while len(self._empty) > EMPTY_KEPT:
            self._empty.popitem(last=False)
        return found.to(self.device)

    def latents(self, film: Pixels, *, wanted: Any = None) -> torch.Tensor:
        """Encode a film: shape (1, channels, steps, height, width), normalised, 32 bits, on the device.

        wanted: per frame, whether it is to be made up: it is encoded as grey.
        """
        floats = torch.from_numpy(np.ascontiguousarray(film)).to(self.device).permute(3, 0, 1, 2)[None]
        floats = floats.to(self.vae.dtype).div_(127.5).sub_(1.0)
        if wanted is not None:
            floats[:, :, torch.from_numpy(wanted)] = 0.0
        return self.encoded(floats)

    def encoded(self, floats: torch.Tensor) -> torch.Tensor:
        """Encode a film that is numbers within -1..1 on the device already: shape (1, 3, frames, height, width)."""
        mean, deviation = self._norm()
        return (self.vae.encode(floats).latent_dist.mode().float() - mean) / deviation

    def frames(self, latents: torch.Tensor) -> Pixels:
        """Decode normalised latents: shape (1, channels, steps, height, width)."""
        mean, deviation = self._norm()
        plain = (latents.to(self.device, torch.float32) * deviation + mean).to(self.vae.dtype)
        if self.vae.use_tiling:
            return _bytes(self.vae.decode(plain, return_dict=False)[0])
        with self._as_they_come() as parts:
            self.vae.decode(plain, return_dict=False)
        return np.concatenate(parts)

    def _norm(self) -> tuple[torch.Tensor, torch.Tensor]:
        shape = (1, -1, 1, 1, 1)
        mean = torch.tensor(self.vae.config.latents_mean, device=self.device).view(shape)
        return mean, torch.tensor(self.vae.config.latents_std, device=self.device).view(shape)

    @contextmanager
    def _as_they_come(self) -> Iterator[list[Pixels]]:
        """Take the frames of each step out of the decoder, so that the film never lies on the device as a whole.

        diffusers joins the steps one by one, which holds the film twice in 32 bits and copies it as often as it has
        steps; a corner of each is what it gets to join.
        """
        parts: list[Pixels] = []
        patch = self.vae.config.patch_size or 1

        def taken(_module: torch.nn.Module, _args: tuple[Any, ...], made: torch.Tensor) -> torch.Tensor:
            parts.append(_bytes(unpatchify(made, patch)))
            return made[..., :patch, :patch]

        hook = self.vae.decoder.register_forward_hook(taken)
        try:
            yield parts
        finally:
            hook.remove()


def _bytes(floats: torch.Tensor) -> Pixels:
    """Return numbers within -1..1, shape (1, 3, frames, height, width), as a film on the host, frame by frame."""
    frames = floats[0].permute(1, 2, 3, 0)
    made = np.empty(tuple(frames.shape), dtype=np.uint8)
    for index, frame in enumerate(frames):
        made[index] = frame.float().clamp(-1.0, 1.0).add(1.0).mul(127.5).round().to(torch.uint8).cpu().numpy()
    return made
