"""Where components lie on a real device, and what they compute there. Skipped without one."""

import pytest

torch = pytest.importorskip("torch")

import understudy.engines.diffusion.torchvision_ops  # noqa: E402, F401

# isort: split
from tiny_models import wan  # noqa: E402
from understudy.engines.diffusion import loading, memory, placing, speeding  # noqa: E402
from understudy.engines.diffusion.order import OutOfMemory  # noqa: E402
from understudy.engines.diffusion.recipe import Family, Offload, Option, Plan, Quantisation  # noqa: E402

pytestmark = [pytest.mark.full, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")]


def built(*, quantised: bool = False) -> torch.nn.Module:
    torch.manual_seed(5)
    transformer = wan.transformer(in_channels=16).to(torch.bfloat16)
    if quantised:
        loading.quantise(transformer, Quantisation.INT8, device="cuda")
    return transformer


def denoised(transformer: torch.nn.Module) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    with torch.inference_mode():
        return transformer(
            hidden_states=torch.randn(1, 16, 3, 4, 4, generator=generator).to("cuda", torch.bfloat16),
            timestep=torch.tensor([500], device="cuda"),
            encoder_hidden_states=torch.randn(1, 7, 16, generator=generator).to("cuda", torch.bfloat16),
            return_dict=False,
        )[0].float()


@pytest.mark.parametrize("quantised", [False, True])
@pytest.mark.parametrize("offload", Offload)
def test_every_plan_computes_the_same_film_twice(offload: Offload, quantised: bool) -> None:
    plan = Plan(name="test", device_bytes_min=0, host_bytes_min=0, source="test", offload=offload)
    wanted = denoised(built(quantised=quantised).to("cuda"))
    transformer = built(quantised=quantised)
    placing.place({"transformer": transformer}, plan, "cuda", large=("transformer",))
    for _ in range(2):
        assert torch.allclose(denoised(transformer), wanted, atol=0.05)


def test_released_components_leave_the_device_empty() -> None:
    memory.give_back()
    before = torch.cuda.memory_allocated()
    plan = Plan(name="test", device_bytes_min=0, host_bytes_min=0, source="test")
    transformer = built()
    placing.place({"transformer": transformer}, plan, "cuda", large=())
    assert torch.cuda.memory_allocated() > before
    placing.release({"transformer": transformer})
    assert torch.cuda.memory_allocated() == before


def test_a_full_device_is_a_lack_of_memory() -> None:
    with pytest.raises(OutOfMemory), memory.reporting_lack():
        torch.empty(2**45, device="cuda")


@pytest.mark.parametrize("option", [Option.COMPILE, Option.CUDNN])
def test_what_is_exact_changes_rounding_only(option: Option) -> None:
    transformer = built().to("cuda")
    notes = speeding.speed_up(transformer, (option,), "cuda", family=Family.WAN)
    assert notes or torch.allclose(denoised(transformer), denoised(built().to("cuda")), atol=0.05)
