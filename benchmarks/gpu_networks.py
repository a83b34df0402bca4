"""The networks that `gpu.py` measures: of their full size, with random weights that are drawn on the device itself.

Weights are drawn so that signals neither vanish nor overflow: matrices with a deviation of one over the root of their
inputs, scales one, shifts zero. The same seed gives the same weights on the same kind of device. What the library keeps
in 32 bits is kept so here.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import understudy.engines.diffusion.torchvision_ops  # noqa: F401 - before anything that imports torchvision

# isort: split
import accelerate
import diffusers
import torch

from gpu_rows import Size
from understudy.catalog.open_architectures import Component

SEED = 20
PROMPT_TOKENS = 512
"""Of a prompt as H3's and Wan's encoders give it; Wan pads to so many."""

LTX_PROMPT_TOKENS = 1024
"""The length to which LTX-2's pipeline pads."""

H3_CHANNELS = 2
H3_TEXT, H3_AUDIO, H3_VIDEO = 1, 2, 0
"""Tags of rows. Source: diffusers 0.42.1, transformer_minimax_h3.py, `token_tags`."""

H3_SHIFTS = (12.0, 3.0)
"""Of the released schedulers, for pictures and for sound."""

THOUSAND = 1000.0
"""Wan and LTX count noise in thousandths."""

Latents = tuple[torch.Tensor, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Work:
    """One film before a transformer.

    noise: what is denoised, 32 bits, drawn on the processor, so that it is the same everywhere. arguments: of one
    forward, of the latents and of a step. direction: the sign of what a transformer returns against the noise.
    times: of each step, where the modulation is a table; otherwise empty. sigmas: of the steps, their end included.
    """

    noise: Latents
    arguments: Callable[[Latents, int], dict[str, Any]]
    sigmas: tuple[tuple[float, ...], ...]
    direction: float
    times: tuple[torch.Tensor, ...] = ()

    def stepped(self, latents: Latents, velocity: Latents, step: int) -> Latents:
        """Return the latents after one step of Euler's method."""
        return tuple(
            part + self.direction * (along[step] - along[step + 1]) * speed.float()
            for part, speed, along in zip(latents, velocity, self.sigmas, strict=True)
        )


def named(path: str) -> Any:
    """Import what a dotted path names."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def skeleton(component: Component) -> Any:
    """Return the network without weights, its tables of constants filled."""
    made_of = dict(component.config)
    with accelerate.init_empty_weights(include_buffers=False):
        cls = named(component.class_path)
        made = cls(named(component.config_path)(**made_of)) if component.config_path else cls(**made_of)
    return made.eval().requires_grad_(requires_grad=False)


def network(component: Component, *, dtype: torch.dtype, device: str, seed: int = SEED) -> Any:
    """Return the network with random weights on the device, each drawn there; nothing passes through the host."""
    made = skeleton(component)
    kept = tuple(getattr(made, "_keep_in_fp32_modules", None) or ())
    random = torch.Generator(device if torch.device(device).type != "meta" else "cpu").manual_seed(seed)
    shared: dict[int, torch.nn.Parameter] = {}
    for path, part in made.named_modules():
        for name, empty in part._parameters.items():
            if empty is None:
                continue
            if id(empty) not in shared:
                is_kept = any(word in kept for word in (*path.split("."), name))
                drawn = torch.empty(empty.shape, dtype=torch.float32 if is_kept else dtype, device=device)
                shared[id(empty)] = torch.nn.Parameter(_drawn(drawn, name, random), requires_grad=False)
            part._parameters[name] = shared[id(empty)]
    _place_tables(made, kept, dtype=dtype, device=device)
    return made


def _place_tables(made: Any, kept: tuple[str, ...], *, dtype: torch.dtype, device: str) -> None:
    """Bring tables of constants to the device, of the type that the library's loader leaves them in.

    Those that are saved with the weights are changed with them; the others only by diffusers, and only in networks
    that keep nothing in 32 bits. Source: diffusers 0.42.1, models/modeling_utils.py, `from_pretrained`.
    """
    changes_all = isinstance(made, diffusers.ModelMixin) and not kept
    for path, part in made.named_modules():
        for name, table in part._buffers.items():
            if table is None:
                continue
            is_kept = any(word in kept for word in (*path.split("."), name))
            is_saved = name not in part._non_persistent_buffers_set
            changes = table.is_floating_point() and not is_kept and (is_saved or changes_all)
            part._buffers[name] = table.to(device, dtype if changes else table.dtype)


def _drawn(weight: torch.Tensor, name: str, random: torch.Generator) -> torch.Tensor:
    if weight.device.type == "meta":
        return weight
    if weight.ndim >= 2:
        return weight.normal_(0.0, max(1, weight[0].numel()) ** -0.5, generator=random)
    return weight.fill_(1.0 if name.startswith(("weight", "gamma", "alpha", "beta", "scale")) else 0.0)


def seeded_noise(shapes: Sequence[tuple[int, ...]], device: str, *, seed: int = SEED) -> Latents:
    """Draw noise on the processor and bring it to the device. On "meta" there is nothing to draw."""
    if torch.device(device).type == "meta":
        return tuple(torch.empty(shape, device=device) for shape in shapes)
    random = torch.Generator("cpu").manual_seed(seed)
    return tuple(torch.randn(shape, generator=random).to(device) for shape in shapes)


def shifted(base: Sequence[float], shift: float) -> tuple[float, ...]:
    """Shift a schedule towards its noisy end."""
    return tuple(shift * each / (1 + (shift - 1) * each) for each in base)


def work_of(
    family: str,
    transformer: Any,
    film: Size,
    *,
    parts: Mapping[str, Component],
    dtype: torch.dtype,
    steps: int,
    device: str = "",
) -> Work:
    """Return a film before a transformer; prompts are random numbers of the right shape.

    device: where it is computed; "" = where the transformer is.
    """
    device = device or str(next(transformer.parameters()).device)
    base = tuple(1.0 - step / steps for step in range(steps + 1))
    made: Work = _WORKS[family](transformer, film, base, parts, Place(device, dtype))
    return made


@dataclass(frozen=True, slots=True)
class Place:
    """Where numbers lie, and of which type those are that stand for a prompt."""

    device: str
    dtype: torch.dtype

    def prompt(self, *shape: int) -> torch.Tensor:
        """Return random numbers of a shape in place of an encoded prompt."""
        return seeded_noise([shape], self.device, seed=SEED + 1)[0].to(self.dtype)


def _h3_work(
    transformer: Any, film: Size, base: tuple[float, ...], parts: Mapping[str, Component], place: Place
) -> Work:
    from diffusers.modular_pipelines.minimax_h3.before_denoise import (
        MiniMaxH3PrepareLayoutStep,
        MiniMaxH3SetTimestepsStep,
        audio_latent_num_frames,
    )

    config, vae = transformer.config, skeleton(parts["vae"])
    clips = (film.num_frames - vae.frame_overlap) // vae.config.clip_length
    audio_latents = audio_latent_num_frames(film.num_frames)
    layout = MiniMaxH3PrepareLayoutStep.build_packed_sequence(
        torch.full((PROMPT_TOKENS,), H3_TEXT),
        clips * vae.tokens_chunk_size + vae.token_overlap,
        film.height_px // vae.spatial_compression_ratio,
        film.width_px // vae.spatial_compression_ratio,
        audio_latents,
        tuple(config.patch_size),
        H3_CHANNELS,
        H3_AUDIO,
        H3_VIDEO,
    )
    positions, tags, video, audio, text = layout[:5]
    sigmas = tuple(shifted(base, shift) for shift in H3_SHIFTS)
    rows = [
        MiniMaxH3SetTimestepsStep.build_row_timesteps(
            video, audio, 0, 0, PROMPT_TOKENS, 1.0 - sigmas[0][step], 1.0 - sigmas[1][step], 0.0, 0.0
        )
        for step in range(len(base) - 1)
    ]
    plan = [tuple(each.to(place.device) for each in row) for row in rows]
    fixed = {
        "encoder_hidden_states": place.prompt(1, PROMPT_TOKENS, config.text_dim),
        "token_tags": tags.to(place.device),
        "position_ids": positions.to(place.device),
        "video_indices": video.to(place.device),
        "audio_indices": audio.to(place.device),
        "text_indices": text.to(place.device),
        "return_dict": False,
    }
    patch = config.in_channels * config.patch_size[0] * config.patch_size[1] * config.patch_size[2]

    def arguments(latents: Latents, step: int) -> dict[str, Any]:
        times, indices = plan[step]
        return {
            "hidden_states": latents[0],
            "audio_hidden_states": latents[1],
            "timestep": times,
            "timestep_indices": indices,
            **fixed,
        }

    return Work(
        noise=seeded_noise([(1, len(video), patch), (1, len(audio), config.audio_in_channels)], place.device),
        arguments=arguments,
        sigmas=sigmas,
        # Its velocity leads to the data, where the others' leads to the noise.
        direction=1.0,
        times=tuple(times for times, _ in rows),
    )


def _ltx_work(
    transformer: Any, film: Size, base: tuple[float, ...], parts: Mapping[str, Component], place: Place
) -> Work:
    config, vae, audio = transformer.config, skeleton(parts["vae"]), skeleton(parts["audio_vae"])
    frames = (film.num_frames - 1) // vae.temporal_compression_ratio + 1
    height, width = (
        side_px // vae.spatial_compression_ratio // config.patch_size for side_px in (film.height_px, film.width_px)
    )
    per_second = audio.config.sample_rate / audio.config.mel_hop_length / float(audio.temporal_compression_ratio)
    sounds = round(film.num_frames / 24.0 * per_second)
    first = transformer.transformer_blocks[0]
    widths = [each.to_k.in_features for each in (first.attn2, first.audio_attn2)]
    if config.use_prompt_embeddings:
        widths = [config.caption_channels] * 2
    ones = torch.ones(1, LTX_PROMPT_TOKENS, device=place.device, dtype=torch.int64)
    fixed = {
        "encoder_hidden_states": place.prompt(1, LTX_PROMPT_TOKENS, widths[0]),
        "audio_encoder_hidden_states": place.prompt(1, LTX_PROMPT_TOKENS, widths[1]),
        "encoder_attention_mask": ones,
        "audio_encoder_attention_mask": ones,
        "num_frames": frames,
        "height": height,
        "width": width,
        "fps": 24.0,
        "audio_num_frames": sounds,
        "use_cross_timestep": True,
        "return_dict": False,
    }
    sigmas = shifted(base, 3.0)

    def arguments(latents: Latents, step: int) -> dict[str, Any]:
        time = torch.full((1,), sigmas[step] * THOUSAND, device=place.device)
        rows = {"hidden_states": latents[0].to(place.dtype), "audio_hidden_states": latents[1].to(place.dtype)}
        return {**rows, "timestep": time, "sigma": time, **fixed}

    shapes = [(1, frames * height * width, config.in_channels), (1, sounds, config.audio_in_channels)]
    return Work(noise=seeded_noise(shapes, place.device), arguments=arguments, sigmas=(sigmas, sigmas), direction=-1.0)


def _wan_work(
    transformer: Any, film: Size, base: tuple[float, ...], parts: Mapping[str, Component], place: Place
) -> Work:
    config, vae = transformer.config, skeleton(parts["vae"])
    space, time_ratio = vae.config.scale_factor_spatial, vae.config.scale_factor_temporal
    frames = (film.num_frames - 1) // time_ratio + 1
    height, width = film.height_px // space, film.width_px // space
    sigmas = shifted(base, 5.0)
    fixed: dict[str, Any] = {
        "encoder_hidden_states": place.prompt(1, PROMPT_TOKENS, config.text_dim),
        "return_dict": False,
    }
    if "vace_in_channels" in config:
        shape = (1, config.vace_in_channels, frames, height, width)
        fixed["control_hidden_states"] = seeded_noise([shape], place.device, seed=SEED + 2)[0].to(place.dtype)
    patches = frames * (height // config.patch_size[1]) * (width // config.patch_size[2])
    # As the small model's pipeline has it: every place of the film has a time of its own.
    times = (1, patches) if bool(vae.config.is_residual) else (1,)

    def arguments(latents: Latents, step: int) -> dict[str, Any]:
        time = torch.full(times, sigmas[step] * THOUSAND, device=place.device)
        return {"hidden_states": latents[0].to(place.dtype), "timestep": time, **fixed}

    shape = (1, config.out_channels, frames, height, width)
    return Work(noise=seeded_noise([shape], place.device), arguments=arguments, sigmas=(sigmas,), direction=-1.0)


_WORKS: Mapping[str, Callable[..., Work]] = {
    "minimax_h3": _h3_work,
    "ltx": _ltx_work,
    "wan": _wan_work,
    "vace": _wan_work,
}
