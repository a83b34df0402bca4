"""Running out of memory: one error for every way, and what was held is given back."""

import weakref

import pytest

torch = pytest.importorskip("torch")

from understudy.engines.diffusion import memory  # noqa: E402
from understudy.engines.diffusion.order import OutOfMemory  # noqa: E402

pytestmark = pytest.mark.full

ABSURD = 2**50
"""More numbers than any machine holds."""


def test_an_allocation_that_the_host_cannot_make_is_a_lack_of_memory() -> None:
    with pytest.raises(OutOfMemory, match="memory"), memory.reporting_lack():
        torch.empty(ABSURD)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("no room"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_every_word_for_it_is_a_lack_of_memory(error: Exception) -> None:
    with pytest.raises(OutOfMemory), memory.reporting_lack():
        raise error


@pytest.mark.parametrize("is_told", [True, False])
def test_a_lack_of_memory_that_a_pipeline_wrapped_is_still_one(is_told: bool) -> None:
    def block() -> None:
        try:
            torch.empty(ABSURD)
        except RuntimeError as error:
            if is_told:
                raise ValueError("the block failed") from error
            raise ValueError("the block failed")  # noqa: B904 - pipelines do this

    with pytest.raises(OutOfMemory), memory.reporting_lack():
        block()


def test_another_error_leaves_as_it_is() -> None:
    with pytest.raises(RuntimeError, match="shapes differ"), memory.reporting_lack():
        raise RuntimeError("shapes differ")


def test_what_a_failing_model_held_is_freed_when_the_lack_is_told() -> None:
    held = []

    class Failing(torch.nn.Module):
        def forward(self, picture: torch.Tensor) -> torch.Tensor:
            grown = picture * 2
            held.append(weakref.ref(grown))
            return grown + torch.empty(ABSURD)

    with pytest.raises(OutOfMemory) as told, memory.reporting_lack():
        Failing()(torch.ones(8))
    assert held[0]() is None
    assert told.value is not None  # the error is still at hand, and holds nothing


def test_a_processor_has_no_memory_of_its_own_and_its_process_has_a_peak() -> None:
    assert memory.device_bytes("cpu") == 0
    assert memory.peak_bytes("cpu") > 0
    assert memory.free_bytes("cpu") > 0
