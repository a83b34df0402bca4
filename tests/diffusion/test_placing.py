"""Where components lie. A device without numbers ("meta") stands in for a GPU: what came there, and what came back."""

import weakref
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import understudy.engines.diffusion.torchvision_ops  # noqa: E402, F401

# isort: split
from accelerate.hooks import remove_hook_from_module  # noqa: E402

from tiny_models import wan  # noqa: E402
from understudy.engines.diffusion import loading, placing  # noqa: E402
from understudy.engines.diffusion.recipe import Offload, Plan, Quantisation  # noqa: E402

pytestmark = pytest.mark.full


class Layers(torch.nn.Module):
    """Layers one after the other, named as diffusers' models name theirs."""

    _repeated_blocks = ("Linear",)

    def __init__(self) -> None:
        super().__init__()
        self.enter = torch.nn.Linear(4, 16)
        self.blocks = torch.nn.ModuleList([torch.nn.Linear(16, 16) for _ in range(3)])
        self.register_buffer("shift", torch.ones(16))

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        numbers = self.enter(numbers) + self.shift
        for block in self.blocks:
            numbers = block(numbers).relu()
        return numbers


class Encoder(torch.nn.Module):
    """An encoder that is called at its inner model, as H3 calls its own."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Layers()
        self.head = torch.nn.Linear(16, 2)


def plan(offload: Offload) -> Plan:
    return Plan(name="test", device_bytes_min=0, host_bytes_min=0, source="test", offload=offload)


def layers(*, quantised: bool = False) -> Layers:
    torch.manual_seed(3)
    made = Layers().eval()
    if quantised:
        loading.quantise(made, Quantisation.INT8)
    return made


def devices_of(module: torch.nn.Module) -> set[str]:
    return {weight.device.type for weight in (*module.parameters(), *module.buffers())}


def computed(module: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        return module(torch.linspace(-1, 1, 8).reshape(2, 4))


@pytest.mark.parametrize("quantised", [False, True])
def test_one_component_is_on_the_device_at_a_time(quantised: bool) -> None:
    parts = {"first": layers(), "second": layers(quantised=quantised)}
    placing.place(parts, plan(Offload.MODEL), "meta", large=tuple(parts))
    for turn in ("first", "second", "second", "first"):
        computed(parts[turn])
        assert {name: devices_of(part) for name, part in parts.items()} == {
            name: {"meta"} if name == turn else {"cpu"} for name in parts
        }


def test_components_that_are_placed_later_push_out_those_before() -> None:
    part, later = layers(), layers()
    placing.place({"part": part}, plan(Offload.MODEL), "meta", large=())
    computed(part)
    placing.place({"later": later}, plan(Offload.MODEL), "meta", large=())
    computed(later)
    assert devices_of(part) == {"cpu"}


@pytest.mark.parametrize("quantised", [False, True])
def test_weights_come_back_as_they_left(quantised: bool) -> None:
    part, other = layers(quantised=quantised), layers()
    before = computed(part)
    placing.place({"part": part, "other": other}, plan(Offload.MODEL), "meta", large=())
    computed(part)
    computed(other)
    remove_hook_from_module(part)
    assert devices_of(part) == {"cpu"}
    assert torch.equal(computed(part), before)


def test_the_results_of_a_component_are_on_the_device() -> None:
    part = layers()
    placing.place({"part": part}, plan(Offload.MODEL), "meta", large=())
    assert computed(part).device.type == "meta"


def test_weights_that_two_layers_share_are_shared_on_the_device() -> None:
    part = layers()
    part.blocks[2].weight = part.blocks[0].weight
    placing.place({"part": part}, plan(Offload.MODEL), "meta", large=())
    computed(part)
    assert part.blocks[2].weight is part.blocks[0].weight


def test_a_component_that_failed_leaves_all_the_same() -> None:
    part, other = layers(), layers()
    placing.place({"part": part, "other": other}, plan(Offload.MODEL), "meta", large=())
    with pytest.raises(RuntimeError):
        part(torch.ones(3, 3))
    computed(other)
    assert devices_of(part) == {"cpu"}


def test_an_autoencoder_comes_when_it_decodes() -> None:
    autoencoder = wan.autoencoder()
    placing.place({"vae": autoencoder}, plan(Offload.MODEL), "meta", large=())
    with torch.inference_mode():
        shown = autoencoder.decode(torch.zeros(1, 16, 1, 2, 2, device="meta"), return_dict=False)[0]
    assert shown.device.type == "meta"
    assert devices_of(autoencoder) == {"meta"}


def test_a_pipeline_makes_its_own_tensors_on_the_device(tmp_path: Path) -> None:
    from diffusers import WanPipeline

    wan.save(tmp_path)
    pipe = WanPipeline.from_pretrained(tmp_path / "t2v", local_files_only=True)
    parts = {name: part for name, part in pipe.components.items() if isinstance(part, torch.nn.Module)}
    placing.place(parts, plan(Offload.MODEL), "meta", large=("transformer",))
    assert pipe._execution_device.type == "meta"


@pytest.mark.parametrize("offload", Offload)
def test_on_the_processor_every_plan_leaves_all_where_it_is(offload: Offload) -> None:
    part = layers()
    weights = [weight.data_ptr() for weight in part.parameters()]
    before = computed(part)
    placing.place({"part": part}, plan(offload), "cpu", large=("part",))
    assert [weight.data_ptr() for weight in part.parameters()] == weights
    assert torch.equal(computed(part), before)


def test_placed_components_are_for_inference() -> None:
    part = Layers().train()
    placing.place({"part": part}, plan(Offload.NONE), "cpu", large=())
    assert not part.training
    assert not any(weight.requires_grad for weight in part.parameters())


@pytest.mark.parametrize("quantised", [False, True])
def test_streamed_layers_compute_the_same(quantised: bool) -> None:
    part = layers(quantised=quantised)
    before = computed(part)
    placing.stream(part, torch.device("cpu"))
    assert torch.equal(computed(part), before)


def test_streamed_weights_are_moved_outside_inference_mode() -> None:
    part = layers(quantised=True)
    placing.stream(part, torch.device("cpu"))
    group = part.blocks[0]._diffusers_hook.get_hook("group_offloading").group
    modes = []
    group._onload_from_memory = lambda: modes.append(torch.is_inference_mode_enabled())
    computed(part)
    assert modes == [False]


def test_an_encoder_that_is_called_at_its_inner_model_is_streamed_there() -> None:
    encoder = Encoder().eval()
    before = computed(encoder.model)
    placing.stream(encoder, torch.device("cpu"))
    assert hasattr(encoder.model, "_diffusers_hook")
    assert torch.equal(computed(encoder.model), before)


@pytest.mark.parametrize("offload", ["turns", "streamed", "placed"])
def test_released_components_hold_no_memory(offload: str) -> None:
    part, other = layers(), layers()
    if offload == "turns":
        placing.place({"part": part, "other": other}, plan(Offload.MODEL), "meta", large=())
    elif offload == "streamed":
        placing.stream(part, torch.device("cpu"))
    computed(part)
    held = [weakref.ref(weight) for weight in part.parameters()]
    placing.release({"part": part, "other": other})
    assert [each() for each in held] == [None] * len(held)
