"""Tiny LTX models with random weights and the real ratios: a latent has 8 frames, 32 pixels, 0.04 seconds of sound.

Two generations: "2.5" as its repository is (Gemma 4, projections per modality, sound of 48 kHz by a second stage), and
"2.0" (Gemma 3, one projection, 24 kHz).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tiny_models.tokens import byte_tokenizer

WIDTH = 16
"""Of the video stream: two heads of 8."""

AUDIO_WIDTH = 8
TEXT_WIDTH = 32
TEXT_LAYERS = 2
MEL_BINS = 16
LATENT_CHANNELS = 8
AUDIO_CHANNELS = 4
HOP = 160

FEW_STEPS = "loras/few-steps.safetensors"
INGREDIENTS = "ic-lora/ingredients.safetensors"
EDITS = "ic-lora/edits.safetensors"

ROWS: Mapping[str, Any] = {
    "models": {"tiny-ltx": {"like": "ltx-2-5", "name": "Tiny LTX", "repositories": []}},
    "recipes": {
        "tiny-ltx": {
            "like": "ltx-2-5",
            "model": "tiny-ltx",
            "dtype": "float32",
            "usual": {"steps": 2, "guidance": 3.0},
            "draft": {"steps": 2, "sigmas": [1.0, 0.725], "adapter": {"file": FEW_STEPS}},
            "short_edge_px": {"480p": 64, "720p": 64, "1080p": 96, "4k": 96},
            "native": [],
            "upscale_from_px": 64,
            "options": [],
            "plans": [{"name": "resident", "device_bytes_min": 0, "host_bytes_min": 0, "source": "tiny"}],
            "settings": {
                "transformer": "transformer_full",
                "max_sequence_length": 64,
                "context_frames": 17,
                "call": {"use_cross_timestep": True},
                "scheduler": {"use_dynamic_shifting": True, "shift_terminal": 0.1},
                "guided": {
                    "stg_scale": 1.0,
                    "modality_scale": 3.0,
                    "guidance_rescale": 0.7,
                    "audio_guidance_scale": 7.0,
                    "audio_stg_scale": 1.0,
                    "audio_modality_scale": 3.0,
                    "audio_guidance_rescale": 0.7,
                    "spatio_temporal_guidance_blocks": [1],
                },
                "in_context": {"references": {"file": INGREDIENTS}, "edit": {"file": EDITS}},
                "refine": {"steps": 2, "sigmas": [0.725, 0.421875], "adapter": {"file": FEW_STEPS}},
            },
        }
    },
}
"""An operator's own rows that serve the model of ``save``."""


def save(folder: Path, *, generation: str = "2.5") -> None:
    """Write a model of a generation as its repository is laid out: full transformer, upsampler and adapters."""
    import understudy.engines.diffusion.torchvision_ops  # noqa: F401

    # isort: split
    import torch
    from diffusers import FlowMatchEulerDiscreteScheduler, LTX2InContextPipeline

    state = torch.random.get_rng_state()
    torch.manual_seed(1)
    try:
        parts = _parts(generation)
        tokenizer = byte_tokenizer(
            special=("<pad>", "<eos>", "<bos>"),
            padding_side="left",
            pad_token="<pad>",
            eos_token="<eos>",
            bos_token="<bos>",
        )
        # The repository's own scheduler is the distilled model's.
        scheduler = FlowMatchEulerDiscreteScheduler(
            base_shift=0.95, max_shift=2.05, base_image_seq_len=1024, max_image_seq_len=4096
        )
        pipeline = LTX2InContextPipeline(tokenizer=tokenizer, scheduler=scheduler, **parts)
        pipeline.save_pretrained(folder)
        (folder / "transformer").rename(folder / "transformer_full")
        _upsampler().save_pretrained(folder / "latent_upsampler")
        for file in (FEW_STEPS, INGREDIENTS, EDITS):
            _save_adapter(folder / file)
    finally:
        torch.random.set_rng_state(state)


def _parts(generation: str) -> dict[str, Any]:
    is_first = generation == "2.0"
    return {
        "text_encoder": _gemma_3() if is_first else _gemma_4(),
        "connectors": _connectors(is_first=is_first),
        "transformer": _transformer(is_first=is_first),
        "vae": _vae(),
        "audio_vae": _audio_vae(),
        "vocoder": _vocoder() if is_first else _vocoder_with_bandwidth(),
    }


def _gemma_3() -> Any:
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration

    config = Gemma3Config(
        text_config={
            "vocab_size": 512,
            "hidden_size": TEXT_WIDTH,
            "intermediate_size": 64,
            "num_hidden_layers": TEXT_LAYERS,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 16,
            "sliding_window": 64,
            "max_position_embeddings": 2048,
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 16,
        },
        mm_tokens_per_image=4,
        image_token_index=400,
        boi_token_index=401,
        eoi_token_index=402,
    )
    return Gemma3ForConditionalGeneration(config).eval()


def _gemma_4() -> Any:
    from transformers import Gemma4UnifiedConfig, Gemma4UnifiedForConditionalGeneration

    config = Gemma4UnifiedConfig(
        text_config={
            "vocab_size": 512,
            "hidden_size": TEXT_WIDTH,
            "intermediate_size": 64,
            "num_hidden_layers": TEXT_LAYERS,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "num_global_key_value_heads": 1,
            "head_dim": 16,
            "global_head_dim": 16,
            "sliding_window": 64,
            "max_position_embeddings": 2048,
        },
        image_token_id=400,
        video_token_id=401,
        audio_token_id=402,
        boi_token_id=403,
        eoi_token_id=404,
        boa_token_id=405,
        eoa_token_index=406,
    )
    return Gemma4UnifiedForConditionalGeneration(config).eval()


def _connectors(*, is_first: bool) -> Any:
    from diffusers.pipelines.ltx2 import LTX2TextConnectors

    # The first generation projects to the text's width, and the transformer from there to its own.
    heads, audio_heads = (4, 4) if is_first else (2, 1)
    return LTX2TextConnectors(
        caption_channels=TEXT_WIDTH,
        text_proj_in_factor=TEXT_LAYERS + 1,
        video_connector_num_attention_heads=heads,
        video_connector_attention_head_dim=8,
        video_connector_num_layers=1,
        video_connector_num_learnable_registers=None if is_first else 8,
        audio_connector_num_attention_heads=audio_heads,
        audio_connector_attention_head_dim=8,
        audio_connector_num_layers=1,
        audio_connector_num_learnable_registers=None if is_first else 8,
        connector_rope_base_seq_len=32,
        rope_double_precision=False,
        rope_type="split",
        per_modality_projections=not is_first,
        video_hidden_dim=WIDTH,
        audio_hidden_dim=AUDIO_WIDTH,
        proj_bias=not is_first,
    )


def _transformer(*, is_first: bool) -> Any:
    from diffusers import LTX2VideoTransformer3DModel

    return LTX2VideoTransformer3DModel(
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        num_attention_heads=2,
        attention_head_dim=WIDTH // 2,
        cross_attention_dim=WIDTH,
        audio_in_channels=AUDIO_CHANNELS * MEL_BINS // 4,
        audio_out_channels=AUDIO_CHANNELS * MEL_BINS // 4,
        audio_num_attention_heads=2,
        audio_attention_head_dim=AUDIO_WIDTH // 2,
        audio_cross_attention_dim=AUDIO_WIDTH,
        num_layers=2,
        qk_norm="rms_norm_across_heads",
        caption_channels=TEXT_WIDTH,
        rope_double_precision=False,
        rope_type="split",
        gated_attn=not is_first,
        audio_gated_attn=not is_first,
        cross_attn_mod=not is_first,
        audio_cross_attn_mod=not is_first,
        use_prompt_embeddings=is_first,
        perturbed_attn=True,
        use_keyframes_abs_pos_embedding=not is_first,
    )


def _vae() -> Any:
    from diffusers import AutoencoderKLLTX2Video

    return AutoencoderKLLTX2Video(
        latent_channels=LATENT_CHANNELS,
        block_out_channels=(8, 16, 32, 64),
        decoder_block_out_channels=(8, 16, 32),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1),
        spatio_temporal_scaling=(True, True, True, True),
        decoder_spatio_temporal_scaling=(True, True, True),
        decoder_inject_noise=(False,) * 4,
        downsample_type=("spatial", "temporal", "spatiotemporal", "spatiotemporal"),
        upsample_residual=(True, True, True),
        upsample_factor=(2, 2, 2),
        timestep_conditioning=False,
        patch_size=4,
        patch_size_t=1,
        encoder_causal=True,
        decoder_causal=False,
        spatial_compression_ratio=32,
        temporal_compression_ratio=8,
    )


def _audio_vae() -> Any:
    from diffusers import AutoencoderKLLTX2Audio

    return AutoencoderKLLTX2Audio(
        # What comes of a latent is normalised per channel and mel bin, and the table of that is as long as this.
        base_channels=AUDIO_CHANNELS * MEL_BINS // 4,
        output_channels=2,
        ch_mult=(1, 2, 2),
        num_res_blocks=1,
        in_channels=2,
        resolution=32,
        latent_channels=AUDIO_CHANNELS,
        sample_rate=16_000,
        mel_hop_length=HOP,
        mel_bins=MEL_BINS,
    )


def _vocoder() -> Any:
    from diffusers.pipelines.ltx2 import LTX2Vocoder

    return LTX2Vocoder(
        in_channels=2 * MEL_BINS,
        hidden_channels=32,
        upsample_kernel_sizes=[16, 11, 10],
        upsample_factors=[8, 5, 6],
        resnet_kernel_sizes=[3],
        resnet_dilations=[[1, 3, 5]],
        output_sampling_rate=24_000,
    )


def _vocoder_with_bandwidth() -> Any:
    import torch
    from diffusers.pipelines.ltx2 import LTX2VocoderWithBWE

    vocoder = LTX2VocoderWithBWE(
        in_channels=2 * MEL_BINS,
        hidden_channels=32,
        upsample_kernel_sizes=[16, 11, 8],
        upsample_factors=[8, 5, 4],
        resnet_kernel_sizes=[3],
        resnet_dilations=[[1, 3, 5]],
        bwe_in_channels=2 * MEL_BINS,
        bwe_hidden_channels=32,
        bwe_upsample_kernel_sizes=[12, 11, 16],
        bwe_upsample_factors=[6, 5, 8],
        bwe_resnet_kernel_sizes=[3],
        bwe_resnet_dilations=[[1, 3, 5]],
        filter_length=160,
        window_length=160,
        num_mel_channels=MEL_BINS,
    )
    for table in vocoder.mel_stft.buffers():
        table.copy_(torch.randn_like(table) / 16)
    return vocoder


def _upsampler() -> Any:
    from diffusers.pipelines.ltx2 import LTX2LatentUpsamplerModel

    return LTX2LatentUpsamplerModel(in_channels=LATENT_CHANNELS, mid_channels=32, num_blocks_per_stage=1)


def _save_adapter(path: Path) -> None:
    """Write an adapter in the layout of Lightricks' files."""
    import torch
    from safetensors.torch import save_file

    weights = {}
    for layer in range(2):
        for name in ("to_q", "to_v"):
            key = f"diffusion_model.transformer_blocks.{layer}.attn1.{name}"
            weights[f"{key}.lora_A.weight"] = torch.randn(2, WIDTH)
            weights[f"{key}.lora_B.weight"] = torch.randn(WIDTH, 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, path)
