"""What a film takes beside its transformer: reading the prompt, decoding pictures and sound, writing the file.

Also a whole pipeline of the library, which shows that the forwards of `gpu_trials` are what a film is made of.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

import gpu_measuring as measuring
from gpu_networks import H3_CHANNELS, PROMPT_TOKENS, network, seeded_noise
from gpu_rows import Part, Size
from gpu_trials import Bench, give_back, told
from understudy.engines.diffusion.order import Pixels
from understudy.engines.diffusion.recipe import Family

WHOLE_STEPS = 3
FPS = 24
SOUND_LATENTS_PER_SECOND = {Family.MINIMAX_H3: 40.0, Family.LTX: 25.0}
"""Source: diffusers 0.42.1, minimax_h3/modular_pipeline.py; LTX-2's 16 kHz, in hops of 160, four to a latent."""

HALF = (0.5, 0.5, 0.5)


def parts_of(bench: Bench, seconds_per_forward: float) -> Iterator[Part]:
    """Measure all that this machine has the packages for, at the first size; what fails says so in its row.

    seconds_per_forward: of the plain run, which the whole pipeline is compared with.
    """
    size = bench.subject.sizes[0]
    tries: list[tuple[str, Callable[[], float]]] = [
        ("decoding pictures, the library's call", lambda: _decoded(bench, size, is_ours=False)),
        ("decoding pictures, as the engine does", lambda: _decoded(bench, size, is_ours=True)),
    ]
    if bench.recipe.family in SOUND_LATENTS_PER_SECOND:
        tries.append(("decoding sound", lambda: _sounded(bench, size)))
    if "text_encoder" in bench.parts:
        tries.append((f"reading a prompt of {PROMPT_TOKENS} tokens", lambda: _read(bench)))
    tries.append(("writing the MP4", lambda: _written(size)))
    if bench.recipe.family is Family.WAN and "transformer_2" not in bench.parts:
        name = f"WanPipeline, per forward; alone one takes {seconds_per_forward:.3f} s"
        tries.append((name, lambda: _piped(bench, size)))
    for name, call in tries:
        if not bench.has_time(0.0 if bench.is_tiny else 20.0):
            yield Part(recipe=bench.recipe.id, name=name, note="no time was left")
            continue
        measuring.forget_peaks(bench.device)
        try:
            with torch.inference_mode():
                took_s = call()
            yield Part(recipe=bench.recipe.id, name=name, seconds=took_s, peak_bytes=measuring.peaks(bench.device)[1])
        except Exception as error:  # boundary: one part's failure is one row's
            yield Part(recipe=bench.recipe.id, name=name, note=told(error))
        give_back(bench.device)


def _decoded(bench: Bench, size: Size, *, is_ours: bool) -> float:
    is_wan = bench.recipe.family in (Family.WAN, Family.VACE)
    dtype = torch.float32 if is_wan else bench.number_type
    vae = network(bench.parts["vae"], dtype=dtype, device=bench.device)
    latents = _picture_latents(vae, bench.recipe.family, size, bench.device).to(dtype)
    decode = _ours(vae, bench.recipe.family) if is_ours else lambda each: vae.decode(each, return_dict=False)[0]
    # A first call loads programs, and its time is not that of a film.
    few = vae.tokens_chunk_size + vae.token_overlap if bench.recipe.family is Family.MINIMAX_H3 else 2
    decode(latents[:, :, :few])
    measuring.forget_peaks(bench.device)
    return measuring.wall_seconds(lambda: decode(latents), bench.device)[0]


def _ours(vae: Any, family: Family) -> Callable[[torch.Tensor], Any]:
    if family is Family.MINIMAX_H3:
        from understudy.engines.diffusion.families.minimax_h3_decoding import decode_frames

        return lambda latents: decode_frames(vae, latents.float(), mean=HALF, std=HALF)
    if family is Family.LTX:
        from understudy.engines.diffusion.families.ltx_parts import _tile

        _tile(vae)
        return lambda latents: vae.decode(latents, return_dict=False)[0].float().cpu()
    from understudy.engines.diffusion.families.wan_pictures import Pictures

    class Decoder(Pictures):
        """The engine's own, around a network that comes from no folder."""

        def __init__(self) -> None:
            self.vae, self.device = vae, next(vae.parameters()).device

    decoder = Decoder()
    return decoder.frames


def _picture_latents(vae: Any, family: Family, size: Size, device: str) -> torch.Tensor:
    if family is Family.MINIMAX_H3:
        clips = (size.num_frames - vae.frame_overlap) // vae.config.clip_length
        frames, space = clips * vae.tokens_chunk_size + vae.token_overlap, vae.spatial_compression_ratio
        channels = vae.config.latent_channels
    elif family is Family.LTX:
        frames, space = (size.num_frames - 1) // vae.temporal_compression_ratio + 1, vae.spatial_compression_ratio
        channels = vae.config.latent_channels
    else:
        frames = (size.num_frames - 1) // vae.config.scale_factor_temporal + 1
        space, channels = vae.config.scale_factor_spatial, vae.config.z_dim
    return seeded_noise([(1, channels, frames, size.height_px // space, size.width_px // space)], device)[0]


def _sounded(bench: Bench, size: Size) -> float:
    """Decode the sound of a film, after one that is not counted."""
    family = bench.recipe.family
    length = round(size.num_frames / FPS * SOUND_LATENTS_PER_SECOND[family])
    if family is Family.MINIMAX_H3:
        from understudy.engines.diffusion.families.minimax_h3_decoding import decode_sound

        vae = network(bench.parts["audio_vae"], dtype=torch.float32, device=bench.device)
        latents = seeded_noise([(H3_CHANNELS, vae.config.latent_channels, length)], bench.device)[0]
        return measuring.median_seconds(lambda: decode_sound(vae, latents), bench.device, runs=1)
    from understudy.engines.diffusion.families.ltx_sound import sound_of

    vae = network(bench.parts["audio_vae"], dtype=bench.number_type, device=bench.device)
    vocoder = network(bench.parts["vocoder"], dtype=bench.number_type, device=bench.device)
    shape = (1, vae.config.latent_channels, length, vae.config.mel_bins // 4)
    sound = seeded_noise([shape], bench.device)[0]
    return measuring.median_seconds(lambda: sound_of(sound, audio_vae=vae, vocoder=vocoder), bench.device, runs=1)


def _read(bench: Bench) -> float:
    """Encode a prompt of random words, after one that is not counted."""
    encoder = network(bench.parts["text_encoder"], dtype=bench.number_type, device=bench.device)
    inner = getattr(encoder, "model", encoder)
    words = torch.arange(PROMPT_TOKENS, device=bench.device)[None] % 300 + 2
    # Only text: ids that stand for pictures or sounds are far above these.
    return measuring.median_seconds(lambda: inner(input_ids=words, attention_mask=torch.ones_like(words)), bench.device)


def _written(size: Size) -> float:
    """Write a film of soft moving shades: noise would be the worst of all films, and one colour the best."""
    from understudy.media.encode import FilmEncoder, FilmFormat

    frames = _shades(size)
    with tempfile.TemporaryDirectory() as folder:
        wanted = FilmFormat(width_px=size.width_px, height_px=size.height_px, fps=FPS)

        def write() -> None:
            with FilmEncoder(Path(folder) / "film.mp4", wanted) as encoder:
                for frame in frames:
                    encoder.add_frame(frame)

        return measuring.wall_seconds(write, "cpu")[0]


def _shades(size: Size) -> Iterator[Pixels]:
    down, across = np.mgrid[: size.height_px, : size.width_px].astype(np.float32)
    frame = np.full((size.height_px, size.width_px, 4), 255, np.uint8)
    for number in range(size.num_frames):
        wave = np.sin((across + 7 * number) / 90) + np.cos((down - 3 * number) / 70)
        for channel in range(3):
            frame[..., channel] = (wave * (30 + 10 * channel) + 128).astype(np.uint8)
        yield frame


def _piped(bench: Bench, size: Size) -> float:
    """Run the library's pipeline as it comes, and return its time per forward: two a step, with guidance."""
    from diffusers import UniPCMultistepScheduler, WanPipeline

    transformer = network(bench.parts["transformer"], dtype=bench.number_type, device=bench.device)
    vae = network(bench.parts["vae"], dtype=torch.float32, device=bench.device)
    pipeline = WanPipeline(
        tokenizer=None,
        text_encoder=None,
        vae=vae,
        scheduler=UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=5.0),
        transformer=transformer,
        expand_timesteps=bool(vae.config.is_residual),
    )
    pipeline.set_progress_bar_config(disable=True)
    shape = (1, PROMPT_TOKENS, transformer.config.text_dim)
    words, others = (seeded_noise([shape], bench.device, seed=seed)[0].to(bench.number_type) for seed in (1, 2))

    def film(steps: int) -> Any:
        return pipeline(
            prompt_embeds=words,
            negative_prompt_embeds=others,
            width=size.width_px,
            height=size.height_px,
            num_frames=size.num_frames,
            num_inference_steps=steps,
            guidance_scale=5.0,
            output_type="latent",
        )

    film(1)
    return measuring.wall_seconds(lambda: film(WHOLE_STEPS), bench.device)[0] / (2 * WHOLE_STEPS)
