"""Wan 2.2 with few random weights, in folders as the hub has the real ones: the pair of checkpoints, and the 5B.

The ratios are the real ones: 8 (5B: 16) pixels and 4 frames to a latent, 2 latents to a patch, two transformers that
take turns. What adapts them to few steps lies beside them.
"""

from pathlib import Path
from typing import Any

from tiny_models.tokens import byte_tokenizer

SEED = 22
WIDTH_PX, HEIGHT_PX = 48, 32
SMALL_WIDTH_PX, SMALL_HEIGHT_PX = 96, 64
ADAPTERS = {
    "t2v": {"transformer": "lightning/t2v_high.safetensors", "transformer_2": "lightning/t2v_low.safetensors"},
    "i2v": {"transformer": "lightning/i2v_high.safetensors", "transformer_2": "lightning/i2v_low.safetensors"},
}
_TEXT_WIDTH = 16
_PLAN = {"name": "cpu", "device_bytes_min": 0, "host_bytes_min": 1_000_000_000, "source": "tiny"}

ROWS: dict[str, Any] = {
    "models": {
        "tiny-wan": {"like": "wan-2-2", "repositories": [], "canvas_pixels_max": WIDTH_PX * HEIGHT_PX},
        "tiny-wan-5b": {
            "like": "wan-2-2-5b",
            "repositories": [],
            "canvas_pixels_max": SMALL_WIDTH_PX * SMALL_HEIGHT_PX,
        },
    },
    "recipes": {
        "tiny-wan": {
            "like": "wan-2-2",
            "model": "tiny-wan",
            "dtype": "float32",
            "options": [],
            "usual": {"steps": 3, "guidance": 4.0},
            "short_edge_px": {"480p": HEIGHT_PX, "720p": HEIGHT_PX, "1080p": HEIGHT_PX, "4k": HEIGHT_PX},
            "plans": [_PLAN],
            "settings": {
                "prompt_tokens": 64,
                "vae_dtype": "float32",
                "frames_learned": 81,
                "edit_noise": 0.9,
                "step_cache_threshold": 0.2,
                "t2v": {"flow_shift": 12.0, "guidance": 4.0, "guidance_second": 3.0},
                "i2v": {"flow_shift": 5.0, "guidance": 3.5, "guidance_second": 3.5},
                "adapters": ADAPTERS,
            },
        },
        "tiny-wan-5b": {
            "like": "wan-2-2-5b",
            "model": "tiny-wan-5b",
            "dtype": "float32",
            "options": [],
            "usual": {"steps": 2, "guidance": 5.0},
            "short_edge_px": {
                "480p": SMALL_HEIGHT_PX,
                "720p": SMALL_HEIGHT_PX,
                "1080p": SMALL_HEIGHT_PX,
                "4k": SMALL_HEIGHT_PX,
            },
            "plans": [_PLAN],
            "settings": {
                "prompt_tokens": 64,
                "flow_shift": 5.0,
                "edit_noise": 0.9,
                "step_cache_threshold": 0.2,
                "frames_learned": 121,
            },
        },
    },
}
"""An operator's own rows under which they are served."""


def save(folder: Path) -> None:
    """Build the pair for text and for pictures with their few-step adapters, and save them."""
    import torch

    import understudy.engines.diffusion.torchvision_ops  # noqa: F401

    # isort: split
    from diffusers import UniPCMultistepScheduler, WanImageToVideoPipeline, WanPipeline

    torch.manual_seed(SEED)
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    shared = {"tokenizer": tokenizer(), "text_encoder": text_encoder(_TEXT_WIDTH), "vae": autoencoder()}
    for part, cls, channels, boundary in (
        ("t2v", WanPipeline, 16, 0.875),
        ("i2v", WanImageToVideoPipeline, 36, 0.9),
    ):
        cls(
            **shared,
            scheduler=scheduler,
            transformer=transformer(in_channels=channels),
            transformer_2=transformer(in_channels=channels),
            boundary_ratio=boundary,
        ).save_pretrained(str(folder / part))
        for file in ADAPTERS[part].values():
            save_adapter(folder / file)


def save_small(folder: Path) -> None:
    """Build the one checkpoint that makes films from text and from a first frame, and save it."""
    import torch

    import understudy.engines.diffusion.torchvision_ops  # noqa: F401

    # isort: split
    from diffusers import UniPCMultistepScheduler, WanPipeline

    torch.manual_seed(SEED + 1)
    WanPipeline(
        tokenizer=tokenizer(),
        text_encoder=text_encoder(_TEXT_WIDTH),
        vae=wide_autoencoder(),
        scheduler=UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=5.0),
        transformer=transformer(in_channels=48, out_channels=48),
        expand_timesteps=True,
    ).save_pretrained(str(folder))


def tokenizer() -> Any:
    """Return a tokenizer of bytes that pads and ends as T5's does."""
    return byte_tokenizer(special=("<pad>", "</s>"), pad_token="<pad>", eos_token="</s>", model_max_length=512)


def text_encoder(width: int) -> Any:
    """Return a UMT5 of one layer."""
    from transformers import UMT5Config, UMT5EncoderModel

    return UMT5EncoderModel(
        UMT5Config(vocab_size=320, d_model=width, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    ).eval()


def autoencoder() -> Any:
    """Return an autoencoder of Wan 2.1's kind: 8 pixels and 4 frames to a latent of 16 channels."""
    from diffusers import AutoencoderKLWan

    return AutoencoderKLWan(
        base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
    ).eval()


def wide_autoencoder() -> Any:
    """Return an autoencoder of Wan 2.2 5B's kind: 16 pixels and 4 frames to a latent of 48 channels."""
    from diffusers import AutoencoderKLWan

    return AutoencoderKLWan(
        base_dim=4,
        decoder_base_dim=4,
        z_dim=48,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.1] * 48,
        latents_std=[1.5] * 48,
        is_residual=True,
        in_channels=12,
        out_channels=12,
        patch_size=2,
        scale_factor_spatial=16,
    ).eval()


def transformer(*, in_channels: int, out_channels: int = 16, layers: int = 2) -> Any:
    """Return a transformer of Wan's kind."""
    from diffusers import WanTransformer3DModel

    return WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=in_channels,
        out_channels=out_channels,
        text_dim=_TEXT_WIDTH,
        freq_dim=32,
        ffn_dim=32,
        num_layers=layers,
        cross_attn_norm=True,
        rope_max_seq_len=128,
    ).eval()


def save_adapter(path: Path, *, width: int = 24, rank: int = 2) -> None:
    """Save an adapter with the names that Wan's own code gives its layers, as few-step adapters have them."""
    import torch
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {}
    for name in ("q", "k", "v", "o"):
        layer = f"diffusion_model.blocks.0.self_attn.{name}"
        weights[f"{layer}.lora_down.weight"] = torch.randn(rank, width)
        weights[f"{layer}.lora_up.weight"] = torch.randn(width, rank)
        weights[f"{layer}.alpha"] = torch.tensor(float(rank))
    save_file(weights, str(path))
