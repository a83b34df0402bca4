"""Loading components: from files alone, no pickles, whole, and in 8 bits where a plan asks for it."""

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import understudy.engines.diffusion.torchvision_ops  # noqa: E402, F401

# isort: split
from diffusers import WanTransformer3DModel  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from transformers import UMT5EncoderModel  # noqa: E402

from tiny_models import wan  # noqa: E402
from understudy.engines.diffusion import loading  # noqa: E402
from understudy.engines.diffusion.recipe import Quantisation  # noqa: E402

pytestmark = pytest.mark.full

WEIGHTS = "diffusion_pytorch_model.safetensors"
TEXT_WIDTH = 16


def built(width: int = 16) -> torch.nn.Module:
    """A transformer whose layers are wide enough for matrix units of 8 bits."""
    torch.manual_seed(5)
    return WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=width,
        in_channels=16,
        out_channels=16,
        text_dim=TEXT_WIDTH,
        freq_dim=32,
        ffn_dim=64,
        num_layers=2,
        cross_attn_norm=True,
        rope_max_seq_len=64,
    ).eval()


def denoised(transformer: torch.nn.Module) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    with torch.inference_mode():
        return transformer(
            hidden_states=torch.randn(1, 16, 3, 8, 8, generator=generator).to(transformer.dtype),
            timestep=torch.tensor([500]),
            encoder_hidden_states=torch.randn(1, 7, TEXT_WIDTH, generator=generator).to(transformer.dtype),
            return_dict=False,
        )[0].float()


def load(folder: Path, *, quantisation: Quantisation = Quantisation.NONE, dtype: str = "float32") -> torch.nn.Module:
    return loading.load_component(WanTransformer3DModel, folder, "transformer", dtype=dtype, quantisation=quantisation)


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Weights that are mapped from a file are aligned differently, and sums then round differently."""
    return torch.allclose(one, other, atol=1e-5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    built().save_pretrained(tmp_path / "transformer")
    return tmp_path


def test_a_component_computes_what_it_did_when_it_was_saved(folder: Path) -> None:
    assert same(denoised(load(folder)), denoised(built()))


def test_a_component_is_loaded_for_inference_only(folder: Path) -> None:
    transformer = load(folder)
    assert not transformer.training
    assert not any(weight.requires_grad for weight in transformer.parameters())


def test_a_recipe_with_an_unknown_type_of_numbers_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="'int4'; it can be float32, float16, bfloat16"):
        load(folder, dtype="int4")


def test_a_folder_without_the_component_is_told(folder: Path) -> None:
    with pytest.raises(OSError, match=r"no config\.json"):
        loading.load_component(WanTransformer3DModel, folder, "transformer_2", dtype="float32")


def test_pickled_weights_are_not_read(folder: Path) -> None:
    weights = folder / "transformer" / WEIGHTS
    torch.save(load_file(weights), folder / "transformer" / "diffusion_pytorch_model.bin")
    weights.unlink()
    with pytest.raises(OSError, match="pickled"):
        load(folder)


def test_a_file_that_the_index_names_and_is_not_there_is_named(tmp_path: Path) -> None:
    built().save_pretrained(tmp_path / "transformer", max_shard_size="40KB")
    lost = sorted((tmp_path / "transformer").glob("*.safetensors"))[1]
    lost.unlink()
    with pytest.raises(OSError, match=lost.name):
        load(tmp_path)


def test_weights_in_several_files_are_loaded(tmp_path: Path) -> None:
    built().save_pretrained(tmp_path / "transformer", max_shard_size="40KB")
    assert len(list((tmp_path / "transformer").glob("*.safetensors"))) > 1
    assert same(denoised(load(tmp_path)), denoised(built()))


def test_weights_that_are_cut_short_are_told(folder: Path) -> None:
    weights = folder / "transformer" / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-4000])
    with pytest.raises(ValueError, match="cut short"):
        load(folder)


def test_a_component_with_a_weight_too_few_is_not_run(folder: Path) -> None:
    weights = folder / "transformer" / WEIGHTS
    kept = load_file(weights)
    del kept["blocks.1.ffn.net.2.weight"]
    save_file(kept, weights, metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"blocks\.1\.ffn\.net\.2\.weight"):
        load(folder)


def test_an_encoder_with_a_weight_too_few_is_not_run(tmp_path: Path) -> None:
    wan.text_encoder(TEXT_WIDTH).save_pretrained(tmp_path / "text_encoder")
    weights = tmp_path / "text_encoder" / "model.safetensors"
    kept = load_file(weights)
    del kept["encoder.final_layer_norm.weight"]
    save_file(kept, weights, metadata={"format": "pt"})
    with pytest.raises(ValueError, match="final_layer_norm"):
        loading.load_component(UMT5EncoderModel, tmp_path, "text_encoder", dtype="float32")


def test_an_encoder_of_other_sizes_than_its_weights_is_not_run(tmp_path: Path) -> None:
    wan.text_encoder(TEXT_WIDTH).save_pretrained(tmp_path / "text_encoder")
    config = tmp_path / "text_encoder" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "d_model": 2 * TEXT_WIDTH}))
    with pytest.raises(ValueError, match="other sizes"):
        loading.load_component(UMT5EncoderModel, tmp_path, "text_encoder", dtype="float32")


@pytest.mark.parametrize("quantisation", [Quantisation.INT8, Quantisation.FP8])
def test_weights_in_8_bits_are_smaller_and_nearly_the_same(folder: Path, quantisation: Quantisation) -> None:
    whole = load(folder, dtype="bfloat16")
    small = load(folder, dtype="bfloat16", quantisation=quantisation)
    wanted = denoised(built())
    off = (denoised(small) - wanted).abs().max() / wanted.abs().max()
    assert 0 < off < 0.03
    assert loading.size_bytes(small) < 0.8 * loading.size_bytes(whole)


def test_what_is_outside_the_repeated_layers_keeps_its_bits(folder: Path) -> None:
    small = load(folder, quantisation=Quantisation.INT8)
    outside = [name for name, weight in small.named_parameters() if not name.startswith("blocks.")]
    kept = dict(small.named_parameters())
    assert outside
    assert not any(loading.is_in_8_bits(kept[name]) for name in outside)
    assert loading.is_in_8_bits(kept["blocks.0.attn1.to_q.weight"])


def test_layers_that_are_no_multiple_of_16_wide_keep_their_bits() -> None:
    narrow = built(width=12)
    loading.quantise(narrow, Quantisation.INT8)
    assert not loading.is_quantised(narrow)


def test_an_encoder_of_transformers_is_quantised_as_well(tmp_path: Path) -> None:
    wan.text_encoder(32).save_pretrained(tmp_path / "text_encoder")
    words = torch.arange(3, 9)[None]
    with torch.inference_mode():
        encoders = [
            loading.load_component(UMT5EncoderModel, tmp_path, "text_encoder", dtype="float32", quantisation=each)
            for each in (Quantisation.NONE, Quantisation.INT8)
        ]
        whole, small = (encoder(words).last_hidden_state for encoder in encoders)
    assert loading.is_quantised(encoders[1])
    assert 0 < (whole - small).abs().max() / whole.abs().max() < 0.05


def test_an_adapter_can_be_switched_on_and_off_over_quantised_weights(folder: Path) -> None:
    from peft import LoraConfig

    small = load(folder, quantisation=Quantisation.INT8)
    usual = denoised(small)
    small.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_k"], init_lora_weights=False), "draft")
    assert not torch.equal(denoised(small), usual)
    small.disable_adapters()
    assert torch.equal(denoised(small), usual)
