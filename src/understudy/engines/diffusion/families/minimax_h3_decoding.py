"""From MiniMax-H3's latents to frames and sound, clip by clip: the whole film is never held as floats."""

from typing import Any

import numpy as np
import torch

from understudy.engines.diffusion.order import Pixels, Samples

LEVELS = 255


def decode_frames(vae: Any, latents: torch.Tensor, *, mean: tuple[float, ...], std: tuple[float, ...]) -> Pixels:
    """Decode latents of shape (1, channels, 5 n + 2, height, width) to 17 n + 5 frames.

    mean, std: of the pixels, by which the model's pictures are normalised. The model decodes clips of 17 frames, each
    with the first 5 of the next, and fades one into the other; done here one after the other, that is the same film as
    from one call.
    """
    clip_latents, shared_latents = vae.tokens_chunk_size, vae.token_overlap
    clip_frames, shared_frames = vae.config.clip_length, vae.frame_overlap
    count = (latents.shape[2] - shared_latents) // clip_latents
    latents = _scaled(latents, vae.config.latents_mean, vae.config.latents_std)
    ratio = vae.spatial_compression_ratio
    shape = (count * clip_frames + shared_frames, latents.shape[3] * ratio, latents.shape[4] * ratio, 3)
    frames: Pixels = np.empty(shape, dtype=np.uint8)
    ahead: torch.Tensor | None = None
    for clip in range(count):
        start = clip * clip_latents
        decoded = vae.decode(latents[:, :, start : start + clip_latents + shared_latents], return_dict=False)[0]
        if ahead is not None:
            decoded[:, :, :shared_frames] = _faded(ahead, decoded[:, :, :shared_frames])
        ahead = decoded[:, :, clip_frames:]
        at = clip * clip_frames
        frames[at : at + clip_frames] = _pixels(decoded[:, :, :clip_frames], mean, std)
    if ahead is not None:
        frames[count * clip_frames :] = _pixels(ahead, mean, std)
    return frames


def decode_sound(audio_vae: Any, latents: torch.Tensor) -> Samples:
    """Decode latents of shape (2, channels, n) to two channels of samples."""
    config = audio_vae.config
    mean = torch.tensor(config.latents_mean, device=latents.device).view(1, -1, 1)
    std = torch.tensor(config.latents_std, device=latents.device).view(1, -1, 1)
    decoded = audio_vae.decode(latents * std + mean, return_dict=False)[0]
    samples: Samples = decoded[:, 0].float().clamp(-1.0, 1.0).cpu().numpy()
    return samples


def _scaled(latents: torch.Tensor, mean: Any, std: Any) -> torch.Tensor:
    shape = (1, -1, 1, 1, 1)
    along = [torch.tensor(each, device=latents.device).view(shape) for each in (std, mean)]
    return latents * along[0] + along[1]


def _faded(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """Go over from one to the other along the frames, the first being all of the one before."""
    count = before.shape[2]
    share = (torch.arange(count, device=after.device, dtype=after.dtype) / count).view(1, 1, -1, 1, 1)
    return before * (1 - share) + after * share


def _pixels(video: torch.Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Pixels:
    """Return shape (frames, height, width, 3) of a decoded (1, 3, frames, height, width)."""
    shape = (1, -1, 1, 1, 1)
    on = video.device
    colours = video.float() * torch.tensor(std, device=on).view(shape) + torch.tensor(mean, device=on).view(shape)
    levels = colours.clamp_(0, 1).mul_(LEVELS).round_().to(torch.uint8)
    pixels: Pixels = levels[0].permute(1, 2, 3, 0).contiguous().cpu().numpy()
    return pixels
