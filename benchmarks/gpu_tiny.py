"""Networks of the same classes with few weights, for a run of `gpu.py` that takes seconds on a processor.

Heads are 64 wide, as the released ones are or wider: programs for attention on GPUs take no narrower ones.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from understudy.catalog.open_architectures import Component

_WAN = {
    "num_attention_heads": 2,
    "attention_head_dim": 64,
    "text_dim": 16,
    "freq_dim": 32,
    "ffn_dim": 32,
    "num_layers": 2,
    "rope_max_seq_len": 128,
}
_WAN_VAE = {"base_dim": 4, "decoder_base_dim": 4, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1}
_CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "WanTransformer3DModel": _WAN,
    "WanVACETransformer3DModel": {**_WAN, "vace_layers": [0], "vace_in_channels": 96},
    "AutoencoderKLWan": _WAN_VAE,
    "MiniMaxH3Transformer3DModel": {
        "num_attention_heads": 2,
        "attention_head_dim": 64,
        "hidden_size": 32,
        "num_layers": 2,
        "num_refiner_layers": 1,
        "ffn_dim": 32,
        "in_channels": 4,
        "audio_in_channels": 8,
        "text_dim": 8,
        "freq_dim": 8,
        "time_embed_hidden_dim": 24,
        "time_embed_dim": 16,
        "rope_freq_dim": 8,
    },
    "AutoencoderKLMiniMaxH3": {
        "latent_channels": 4,
        "block_out_channels": (8, 8, 16, 16),
        "layers_per_block": 1,
        "norm_num_groups": 8,
        "decoder_num_layers": 2,
        "decoder_num_attention_heads": 2,
        "decoder_attention_head_dim": 8,
        "decoder_num_register_tokens": 2,
        "decoder_ffn_mult": 2,
        "latents_mean": (0.0,) * 4,
        "latents_std": (1.0,) * 4,
    },
    "AutoencoderKLMiniMaxH3Audio": {
        "encoder_dim": 4,
        "latent_dim": 32,
        "latent_channels": 8,
        "num_attention_heads": 2,
        "decoder_dim": 16,
        "encoder_rates": (2, 4, 5, 20),
        "decoder_rates": (20, 5, 4, 2),
        "decoder_kernel_sizes": (40, 10, 8, 4),
        "resblock_kernel_sizes": (3, 7),
        "resblock_dilation_sizes": ((1, 3), (1, 3)),
        "latents_mean": [0.0] * 8,
        "latents_std": [1.0] * 8,
    },
    "LTX2VideoTransformer3DModel": {
        "in_channels": 8,
        "out_channels": 8,
        "num_attention_heads": 2,
        "attention_head_dim": 64,
        "cross_attention_dim": 128,
        "audio_in_channels": 16,
        "audio_out_channels": 16,
        "audio_num_attention_heads": 2,
        "audio_attention_head_dim": 64,
        "audio_cross_attention_dim": 128,
        "num_layers": 2,
        "caption_channels": 16,
        "rope_double_precision": False,
    },
    "AutoencoderKLLTX2Video": {
        "latent_channels": 8,
        "block_out_channels": (8, 16, 32, 64),
        "decoder_block_out_channels": (8, 16, 32),
        "layers_per_block": (1, 1, 1, 1, 1),
        "decoder_layers_per_block": (1, 1, 1, 1),
        "decoder_spatio_temporal_scaling": (True, True, True),
        "decoder_inject_noise": (False,) * 4,
        "upsample_type": ("spatiotemporal",) * 3,
        "upsample_residual": (True, True, True),
        "upsample_factor": (2, 2, 2),
    },
    "AutoencoderKLLTX2Audio": {
        "base_channels": 16,
        "ch_mult": (1, 2, 2),
        "num_res_blocks": 1,
        "resolution": 32,
        "latent_channels": 4,
        "mel_bins": 16,
    },
    "LTX2VocoderWithBWE": {
        "in_channels": 32,
        "hidden_channels": 32,
        "upsample_kernel_sizes": [16, 11, 8],
        "upsample_factors": [8, 5, 4],
        "resnet_kernel_sizes": [3],
        "resnet_dilations": [[1, 3, 5]],
        "bwe_in_channels": 32,
        "bwe_hidden_channels": 32,
        "bwe_upsample_kernel_sizes": [12, 11, 16],
        "bwe_upsample_factors": [6, 5, 8],
        "bwe_resnet_kernel_sizes": [3],
        "bwe_resnet_dilations": [[1, 3, 5]],
        "filter_length": 160,
        "window_length": 160,
        "num_mel_channels": 16,
    },
    "UMT5EncoderModel": {"vocab_size": 320, "d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2},
}


def tiny(parts: Mapping[str, Component]) -> dict[str, Component]:
    """Return those components of a model that there are few weights for; the others are left out."""
    made = {}
    for name, component in parts.items():
        small = _CONFIGS.get(component.class_path.rpartition(".")[2])
        if small is not None:
            made[name] = replace(component, config={**component.config, **small})
    return made
