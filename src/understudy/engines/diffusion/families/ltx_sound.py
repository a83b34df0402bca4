"""LTX and sound: given sound as latents that are held while the rest is denoised, and latents as sound.

The sound of a part of the film is held as its pictures are: its latents stay clean, and the model is told so by their
own time step. Where all of it is held, it is told that there is nothing left to hear.
Source: Lightricks/LTX-2, ltx-pipelines a2vid_two_stage.py (frozen audio) and ltx-core (masks of conditioned tokens).
"""

import understudy.engines.diffusion.torchvision_ops  # noqa: F401

# isort: split
# What follows imports transformers, and that torchvision.

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from transformers.audio_utils import mel_filter_bank

from understudy.engines.diffusion.families.ltx_scene import Held
from understudy.engines.diffusion.given import in_channels
from understudy.engines.diffusion.order import Samples, Sound

FFT_LENGTH = 1024
"""Of the spectra that the audio encoder was trained on. Source: Lightricks/LTX-2, ltx-core, the audio processor."""

LEAST = 1e-5
"""Spectra are clamped here before their logarithm is taken. Same source."""

FADE_S = 0.02


def sound_of(audio_latents: Any, *, audio_vae: Any, vocoder: Any) -> Sound:
    """Decode latents (1, channels, length, mel bins), as the pipeline returns them, into sound."""
    mel = audio_vae.decode(audio_latents.to(audio_vae.dtype), return_dict=False)[0]
    samples = vocoder(mel.to(vocoder.dtype))[0]
    whole = samples.float().clamp(-1.0, 1.0).cpu().numpy()
    return Sound(samples=np.ascontiguousarray(whole), sample_rate_hz=int(vocoder.config.output_sampling_rate))


def latents_of(sound: Sound, *, audio_vae: Any, device: Any) -> Any:
    """Encode sound into packed and normalised latents, shape (1, length, features)."""
    rate_hz = audio_vae.config.sample_rate
    samples = resampled(in_channels(sound.samples, audio_vae.config.in_channels), sound.sample_rate_hz, rate_hz)
    mel = log_mel(torch.from_numpy(samples), audio_vae.config)
    mode = audio_vae.encode(mel.to(device, audio_vae.dtype)).latent_dist.mode()
    packed = mode.transpose(1, 2).flatten(2, 3).float()
    mean, std = audio_vae.latents_mean.to(packed), audio_vae.latents_std.to(packed)
    return (packed - mean) / std


def log_mel(samples: Any, config: Any) -> Any:
    """Return the logarithm of the mel spectrum, shape (1, channels, frames, mel bins)."""
    rate_hz = config.sample_rate
    # Shorter than this, its ends cannot be mirrored.
    short = FFT_LENGTH - samples.shape[-1]
    samples = torch.nn.functional.pad(samples, (0, max(0, short)))
    spectrum = torch.stft(
        samples,
        FFT_LENGTH,
        hop_length=config.mel_hop_length,
        window=torch.hann_window(FFT_LENGTH),
        center=True,
        pad_mode="reflect",
        return_complex=True,
    ).abs()
    bank = mel_filter_bank(
        FFT_LENGTH // 2 + 1,
        config.mel_bins,
        min_frequency=0.0,
        max_frequency=rate_hz / 2,
        sampling_rate=rate_hz,
        norm="slaney",
        mel_scale="slaney",
    )
    mel = spectrum.transpose(1, 2) @ torch.from_numpy(bank).to(spectrum)
    return mel.clamp(min=LEAST).log()[None]


def resampled(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Change the rate of whole sound, shape (channels, samples), in the frequency domain."""
    given = np.ascontiguousarray(samples, np.float32)
    if from_hz == to_hz or not given.shape[1]:
        return given
    unit = int(np.gcd(from_hz, to_hz))
    # A twentieth of a second of silence keeps the end from ringing into the beginning.
    units = -(-(given.shape[1] + from_hz // 20) // (from_hz // unit))
    length_from, length_to = units * (from_hz // unit), units * (to_hz // unit)
    spectrum = torch.fft.rfft(torch.from_numpy(given), n=length_from)
    shared = min(spectrum.shape[-1], length_to // 2 + 1)
    made = torch.fft.irfft(spectrum[..., :shared], n=length_to) * (length_to / length_from)
    return np.asarray(made[:, : round(given.shape[1] * to_hz / from_hz)].numpy(), np.float32)


def with_track(made: Sound, track: Sound) -> Sound:
    """Put a track over the beginning of the made sound, as it was given; a short fade leads from one to the other."""
    rate_hz, samples = made.sample_rate_hz, made.samples.copy()
    own = resampled(in_channels(track.samples, len(samples)), track.sample_rate_hz, rate_hz)[:, : samples.shape[1]]
    count = own.shape[1]
    faded = min(round(FADE_S * rate_hz), count) if count < samples.shape[1] else 0
    share = np.ones(count, np.float32)
    share[count - faded :] = np.linspace(1.0, 0.0, faded, dtype=np.float32)
    samples[:, :count] = own * share + samples[:, :count] * (1 - share)
    return Sound(samples=np.clip(samples, -1.0, 1.0), sample_rate_hz=rate_hz)


@contextmanager
def holding(transformer: Any, held: Sequence[Held], *, num_latents: int, audio_vae: Any, device: Any) -> Iterator[None]:
    """Let every forward of the transformer hear the held sound, clean, where the film has it.

    num_latents: of the film's sound. The hook goes with the block, however it is left.
    """
    if not held:
        yield
        return
    parts = [(each, latents_of(each.sound, audio_vae=audio_vae, device=device)) for each in held]
    kept = torch.zeros(1, num_latents, parts[0][1].shape[-1], device=device)
    is_kept = torch.zeros(num_latents, dtype=torch.bool, device=device)
    per_second = _latents_per_second(audio_vae)
    for each, latents in parts:
        at = min(round(each.from_s * per_second), num_latents)
        # The last frame of a spectrum looks beyond the sound, and the latent of it is not of this sound alone.
        count = round(each.sound.samples.shape[1] / each.sound.sample_rate_hz * per_second)
        count = min(count, latents.shape[1], num_latents - at)
        kept[:, at : at + count], is_kept[at : at + count] = latents[:, :count], True
    hook = transformer.register_forward_pre_hook(_hook(kept, is_kept), with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()


def _hook(kept: Any, is_kept: Any) -> Any:
    is_whole = bool(is_kept.all())

    def before(_module: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        heard, step = kwargs["audio_hidden_states"], kwargs["audio_timestep"]
        changed = {"audio_hidden_states": torch.where(is_kept[None, :, None], kept.to(heard), heard)}
        if is_whole:
            changed |= {"audio_timestep": torch.zeros_like(step), "audio_sigma": torch.zeros_like(step)}
        else:
            changed["audio_timestep"] = step[:, None] * ~is_kept
        return args, {**kwargs, **changed}

    return before


def num_latents_of(num_frames: int, fps: float, audio_vae: Any) -> int:
    """Return how many latents the sound of so many frames has; rounded as the pipelines do."""
    return round(num_frames / fps * _latents_per_second(audio_vae))


def _latents_per_second(audio_vae: Any) -> float:
    config = audio_vae.config
    return float(config.sample_rate / config.mel_hop_length / audio_vae.temporal_compression_ratio)
