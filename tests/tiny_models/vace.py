"""Wan VACE with few random weights, in folders as the hub has the real ones: with one transformer, and with two.

The ratios are the real ones; see `wan`.
"""

from pathlib import Path
from typing import Any

from tiny_models.wan import autoencoder, text_encoder, tokenizer

SEED = 33
WIDTH_PX, HEIGHT_PX = 48, 32
CONTROL_GAIN = 30
_TEXT_WIDTH = 16

ROWS: dict[str, Any] = {
    "models": {"tiny-vace": {"like": "wan-vace", "repositories": [], "canvas_pixels_max": WIDTH_PX * HEIGHT_PX}},
    "recipes": {
        "tiny-vace": {
            "like": "wan-vace",
            "model": "tiny-vace",
            "dtype": "float32",
            "options": [],
            "usual": {"steps": 2, "guidance": 5.0},
            "short_edge_px": {"480p": HEIGHT_PX, "720p": HEIGHT_PX, "1080p": HEIGHT_PX, "4k": HEIGHT_PX},
            "plans": [{"name": "cpu", "device_bytes_min": 0, "host_bytes_min": 0, "source": "tiny"}],
            "settings": {
                "prompt_tokens": 64,
                "flow_shift": 16.0,
                "edit_noise": 0.9,
                "frames_at_once": 81,
                "frames_shared": 17,
            },
        }
    },
}
"""An operator's own rows under which it is served."""


def save(folder: Path, *, has_two: bool = False) -> None:
    """Build it, the same every time, and save it. has_two: with a second transformer, as VACE-Fun has."""
    import torch

    import understudy.engines.diffusion.torchvision_ops  # noqa: F401

    # isort: split
    from diffusers import UniPCMultistepScheduler, WanVACEPipeline

    torch.manual_seed(SEED)
    WanVACEPipeline(
        tokenizer=tokenizer(),
        text_encoder=text_encoder(_TEXT_WIDTH),
        vae=autoencoder(),
        scheduler=UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0),
        transformer=_transformer(),
        transformer_2=_transformer() if has_two else None,
        boundary_ratio=0.875 if has_two else None,
    ).save_pretrained(str(folder))


def _transformer() -> Any:
    from diffusers import WanVACETransformer3DModel

    made = WanVACETransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=16,
        out_channels=16,
        text_dim=_TEXT_WIDTH,
        freq_dim=32,
        ffn_dim=32,
        num_layers=3,
        cross_attn_norm=True,
        rope_max_seq_len=128,
        vace_layers=[0, 2],
        vace_in_channels=96,
    ).eval()
    for block in made.vace_blocks:
        # Of random weights hardly anything comes through: what is known would change no byte of the film.
        block.proj_out.weight.data *= CONTROL_GAIN
    return made
