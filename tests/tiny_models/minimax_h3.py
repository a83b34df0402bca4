"""A MiniMax-H3 of 0.4 million random weights, in folders as the hub has the real one.

The ratios are the real ones (32 pixels to a patch, 17 frames to a clip, 800 samples to a latent of sound), so frames,
seconds and samples come out as of the real model. The conditioner has 52 layers, as its 50th is what is read.
"""

from pathlib import Path
from typing import Any

from tiny_models.tokens import byte_vocabulary

SEED = 6
WIDTH_PX, HEIGHT_PX = 96, 64
ADAPTER = "turbo/frames.safetensors"
REFERENCE_ADAPTER = "turbo/references.safetensors"
ADAPTER_RANK = 2

ROWS: dict[str, Any] = {
    "models": {"tiny-h3": {"like": "minimax-h3", "repositories": [], "canvas_pixels_max": WIDTH_PX * HEIGHT_PX}},
    "recipes": {
        "tiny-h3": {
            "like": "minimax-h3",
            "model": "tiny-h3",
            "dtype": "float32",
            "options": [],
            "usual": {"steps": 3},
            "draft": {"steps": 2, "adapter": {"file": ADAPTER}},
            "short_edge_px": {"480p": HEIGHT_PX, "720p": HEIGHT_PX, "1080p": HEIGHT_PX, "4k": HEIGHT_PX},
            "plans": [{"name": "cpu", "device_bytes_min": 0, "host_bytes_min": 0, "source": "tiny"}],
            "settings": {
                "reference_image_short_edge": "match",
                "draft_references": {"file": REFERENCE_ADAPTER, "video_shift": 6.0, "audio_shift": 3.0},
            },
        }
    },
}
"""An operator's own rows under which it is served."""

_SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)


def save(folder: Path) -> None:
    """Build it, the same every time, and save it with its two few-step adapters."""
    import torch

    import understudy.engines.diffusion.torchvision_ops  # noqa: F401

    torch.manual_seed(SEED)
    for name, component in _components().items():
        component.save_pretrained(folder / name)
    _save_adapter(folder / ADAPTER, layers=("attn.to_q", "adaln_proj.linear"))
    _save_adapter(folder / REFERENCE_ADAPTER, layers=("attn.to_q",))


def _components() -> dict[str, Any]:
    from diffusers import (
        AutoencoderKLMiniMaxH3,
        AutoencoderKLMiniMaxH3Audio,
        MiniMaxH3Scheduler,
        MiniMaxH3Transformer3DModel,
    )

    tokenizer = _tokenizer()
    return {
        "tokenizer": tokenizer,
        "processor": _processor(tokenizer),
        "text_encoder": _text_encoder(tokenizer),
        "transformer": MiniMaxH3Transformer3DModel(**_TRANSFORMER),
        "transformer_ref": MiniMaxH3Transformer3DModel(**_TRANSFORMER),
        "vae": _vae(AutoencoderKLMiniMaxH3(**_VAE)),
        "audio_vae": AutoencoderKLMiniMaxH3Audio(**_AUDIO_VAE),
        "scheduler": MiniMaxH3Scheduler(shift=12.0),
        "audio_scheduler": MiniMaxH3Scheduler(shift=3.0),
    }


_TRANSFORMER = {
    "num_attention_heads": 2,
    "attention_head_dim": 16,
    "hidden_size": 24,
    "num_layers": 2,
    "num_refiner_layers": 2,
    "ffn_dim": 32,
    "in_channels": 4,
    "audio_in_channels": 8,
    "patch_size": (1, 2, 2),
    "text_dim": 8,
    "freq_dim": 8,
    "time_embed_hidden_dim": 24,
    "time_embed_dim": 16,
    "rope_freq_dim": 2,
}

_VAE = {
    "in_channels": 3,
    "out_channels": 3,
    "latent_channels": 4,
    "block_out_channels": (8, 8, 16, 16),
    "layers_per_block": 1,
    "spatial_downsample_factors": (2, 2, 2, 2),
    "temporal_downsample_factors": (1, 1, 2, 2),
    "norm_num_groups": 8,
    "decoder_num_layers": 2,
    "decoder_num_attention_heads": 2,
    "decoder_attention_head_dim": 8,
    "decoder_num_register_tokens": 2,
    "decoder_ffn_mult": 2,
    "clip_length": 17,
    "token_drop": 3,
    "latents_mean": (0.0,) * 4,
    "latents_std": (1.0,) * 4,
}

_AUDIO_VAE = {
    "encoder_dim": 4,
    "encoder_rates": (2, 4, 5, 20),
    "latent_dim": 32,
    "latent_channels": 8,
    "num_attention_heads": 2,
    "decoder_dim": 16,
    "decoder_rates": (20, 5, 4, 2),
    "decoder_kernel_sizes": (40, 10, 8, 4),
    "resblock_kernel_sizes": (3, 7),
    "resblock_dilation_sizes": ((1, 3), (1, 3)),
    "sampling_rate": 32_000,
    "latents_mean": [0.0] * 8,
    "latents_std": [1.0] * 8,
}


def _vae(vae: Any) -> Any:
    """Let the decoder's layers take part: they begin with a weight of zero, and each picture would stand for itself."""
    import torch

    for name, weight in vae.decoder.named_parameters():
        if "scale" in name:
            torch.nn.init.ones_(weight)
    return vae


def _tokenizer() -> Any:
    from transformers import Qwen2TokenizerFast

    end = _SPECIAL[0]
    tokenizer = Qwen2TokenizerFast(vocab=byte_vocabulary(), merges=[], unk_token=end, eos_token=end, pad_token=end)
    tokenizer.add_tokens(list(_SPECIAL[1:]), special_tokens=True)
    tokenizer.image_token, tokenizer.video_token = "<|image_pad|>", "<|video_pad|>"
    tokenizer.vision_start_token, tokenizer.vision_end_token = "<|vision_start|>", "<|vision_end|>"
    tokenizer.image_token_id = tokenizer.convert_tokens_to_ids(tokenizer.image_token)
    tokenizer.video_token_id = tokenizer.convert_tokens_to_ids(tokenizer.video_token)
    return tokenizer


def _processor(tokenizer: Any) -> Any:
    from transformers import Qwen2VLImageProcessorPil, Qwen3VLProcessor, Qwen3VLVideoProcessor

    patches = {"patch_size": 16, "merge_size": 2, "temporal_patch_size": 2}
    # Small pictures, so that a reference is a few tokens.
    least, most = 32 * 32, 64 * 64
    images = Qwen2VLImageProcessorPil(**patches, size={"shortest_edge": least, "longest_edge": most})
    videos = Qwen3VLVideoProcessor(**patches, size={"shortest_edge": least, "longest_edge": most * 8})
    return Qwen3VLProcessor(image_processor=images, tokenizer=tokenizer, video_processor=videos)


def _text_encoder(tokenizer: Any) -> Any:
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    numbers = {token: tokenizer.convert_tokens_to_ids(token) for token in _SPECIAL}
    rope = {"rope_type": "default", "mrope_section": [2, 1, 1], "mrope_interleaved": True}
    config = Qwen3VLConfig(
        text_config={
            "vocab_size": 512,
            "hidden_size": 8,
            "intermediate_size": 16,
            "num_hidden_layers": 52,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 8,
            "max_position_embeddings": 8192,
            "rope_scaling": rope,
            "rope_parameters": {**rope, "rope_theta": 5e6},
        },
        vision_config={
            "depth": 2,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_heads": 2,
            "out_hidden_size": 8,
            "patch_size": 16,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "num_position_embeddings": 16,
            "deepstack_visual_indexes": [0],
        },
        image_token_id=numbers["<|image_pad|>"],
        video_token_id=numbers["<|video_pad|>"],
        vision_start_token_id=numbers["<|vision_start|>"],
        vision_end_token_id=numbers["<|vision_end|>"],
    )
    return Qwen3VLForConditionalGeneration(config).eval()


def _save_adapter(path: Path, *, layers: tuple[str, ...]) -> None:
    """Save an adapter in the layout of the published ones: names without a prefix, an alpha beside the weights."""
    import torch
    from safetensors.torch import save_file

    sides = {"attn.to_q": (24, 32), "adaln_proj.linear": (16, 6 * 24 * 3)}
    weights = {}
    for layer in layers:
        given, made = sides[layer]
        name = f"transformer_blocks.0.{layer}"
        weights[f"{name}.lora_A.default.weight"] = torch.randn(ADAPTER_RANK, given)
        weights[f"{name}.lora_B.default.weight"] = torch.randn(made, ADAPTER_RANK)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, str(path), metadata={"alpha": str(ADAPTER_RANK)})
