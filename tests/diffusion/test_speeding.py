"""What makes a transformer faster, and what is told where it cannot be had."""

import pytest

torch = pytest.importorskip("torch")

import understudy.engines.diffusion.torchvision_ops  # noqa: E402, F401

# isort: split
import torch._dynamo.utils as dynamo  # noqa: E402
from diffusers.models import attention_dispatch  # noqa: E402
from diffusers.models.attention_dispatch import (  # noqa: E402
    AttentionBackendName,
    _AttentionBackendRegistry,
    dispatch_attention_fn,
)

from tiny_models import wan  # noqa: E402
from understudy.engines.diffusion import loading, placing, speeding  # noqa: E402
from understudy.engines.diffusion.recipe import Family, Option  # noqa: E402

pytestmark = pytest.mark.full


def built() -> torch.nn.Module:
    torch.manual_seed(5)
    return wan.transformer(in_channels=16).requires_grad_(False)


def denoised(transformer: torch.nn.Module, *, frames: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    with torch.inference_mode():
        return transformer(
            hidden_states=torch.randn(1, 16, frames, 4, 4, generator=generator),
            timestep=torch.tensor([500]),
            encoder_hidden_states=torch.randn(1, 7, 16, generator=generator),
            return_dict=False,
        )[0]


def graphs() -> int:
    return dynamo.counters["stats"]["unique_graphs"]


@pytest.fixture
def uncompiled() -> None:
    torch.compiler.reset()
    dynamo.counters.clear()


def test_every_option_says_what_it_needs_and_what_it_does() -> None:
    assert set(speeding.OPTIONS) == set(Option)
    assert all(need.says.endswith(".") for need in speeding.OPTIONS.values())


def test_what_a_processor_cannot_have_is_told_and_changes_nothing() -> None:
    transformer = built()
    notes = speeding.speed_up(transformer, tuple(Option), "cpu", family=Family.WAN)
    own = {Option.STEP_CACHE, Option.MODULATION_TABLE}
    assert [note.split("'")[1] for note in notes] == [option for option in Option if option not in own]
    assert torch.equal(denoised(transformer), denoised(built()))


def test_compiled_layers_compute_the_same_and_are_one_graph(uncompiled: None) -> None:
    transformer = built()
    speeding.compile_layers(transformer, Family.WAN, backend="eager")
    assert torch.allclose(denoised(transformer), denoised(built()), atol=1e-6)
    assert graphs() == 1


def test_layers_are_not_compiled_anew_for_weights_that_left_and_came_back(uncompiled: None) -> None:
    transformer = built()
    speeding.compile_layers(transformer, Family.WAN, backend="eager")
    denoised(transformer)
    for part in transformer.modules():
        for name, weight in part._parameters.items():
            if weight is not None:
                part._parameters[name] = torch.nn.Parameter(weight.detach().clone(), requires_grad=False)
    denoised(transformer)
    assert graphs() == 1


def test_a_second_length_is_compiled_for_all_further_ones(uncompiled: None) -> None:
    transformer = built()
    speeding.compile_layers(transformer, Family.WAN, backend="eager")
    for frames in (3, 4, 5, 6):
        denoised(transformer, frames=frames)
    assert graphs() == 2


def test_streamed_layers_can_be_compiled(uncompiled: None) -> None:
    transformer = built()
    placing.stream(transformer, torch.device("cpu"))
    speeding.compile_layers(transformer, Family.WAN, backend="eager")
    assert torch.allclose(denoised(transformer), denoised(built()), atol=1e-6)


def test_another_attention_computes_the_same_and_stays_the_transformers_own() -> None:
    transformer = built()
    speeding.attend_with(transformer, "_native_math")
    used = {part.processor._attention_backend for part in transformer.modules() if hasattr(part, "processor")}
    assert used == {AttentionBackendName._NATIVE_MATH}
    assert _AttentionBackendRegistry.get_active_backend()[0] is AttentionBackendName.NATIVE
    assert torch.allclose(denoised(transformer), denoised(built()), atol=1e-5)


def test_attention_with_a_mask_is_computed_by_torch_where_the_fast_one_refuses_it() -> None:
    query, key, value = torch.randn(3, 1, 5, 2, 8, generator=torch.Generator().manual_seed(2))
    mask = torch.zeros(1, 1, 5, 5)
    mask[..., 3:] = -10_000
    with pytest.raises(ValueError, match="mask"):
        attention_dispatch._native_flash_attention(query, key, value, mask)
    speeding.attend_with(built(), "_native_flash")
    found = dispatch_attention_fn(query, key, value, mask, backend=AttentionBackendName._NATIVE_FLASH)
    assert torch.equal(found, dispatch_attention_fn(query, key, value, mask, backend=AttentionBackendName.NATIVE))


def test_layers_that_multiply_in_8_bits_are_nearly_right() -> None:
    torch.manual_seed(5)
    transformer = wide()
    wanted = transformer(torch.ones(32, 32))
    assert speeding.speed_up(transformer, (Option.INT8,), "cpu", family=Family.WAN, is_forced=True) == ()
    assert loading.is_quantised(transformer)
    found = transformer(torch.ones(32, 32))
    assert 0 < (found - wanted).abs().max() < 0.05 * wanted.abs().max()


def test_streamed_weights_are_not_quantised_any_more() -> None:
    transformer = built()
    placing.stream(transformer, torch.device("cpu"))
    notes = speeding.speed_up(transformer, (Option.INT8,), "cpu", family=Family.WAN, is_forced=True)
    assert "streams the weights" in notes[0]
    assert not loading.is_quantised(transformer)


class Wide(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = torch.nn.ModuleList([torch.nn.Linear(32, 32) for _ in range(2)])

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            numbers = block(numbers)
        return numbers


def wide() -> Wide:
    return Wide().eval().requires_grad_(False)
