"""Super-resolution, on tiny random networks that lie on the disk as those of the operator do."""

import itertools
import json
import pickle
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402

from understudy.core.render import RenderJob  # noqa: E402
from understudy.core.request import GenerationRequest  # noqa: E402
from understudy.engines.diffusion import enlarging  # noqa: E402
from understudy.engines.diffusion.enlarger_file import ENDING, check_enlarger  # noqa: E402
from understudy.engines.diffusion.enlarging import (  # noqa: E402
    ON_A_GPU,
    OVERLAP_PX,
    SuperResolution,
    Tiling,
    load_enlarger,
    spans_of,
)
from understudy.engines.diffusion.finishing import Film, finish  # noqa: E402
from understudy.engines.diffusion.order import Made, OutOfMemory, Pixels  # noqa: E402
from understudy.media.probe import probe_film  # noqa: E402

pytestmark = pytest.mark.full

WHOLE = Tiling(side_px=1 << 20, at_once=1)
TILES = Tiling(side_px=112, at_once=1)
WIDTH_PX, HEIGHT_PX = 200, 130


def compact(factor: int = 2, channels: int = 3) -> Mapping[str, Any]:
    from spandrel.architectures.Compact import Compact

    torch.manual_seed(3)
    return Compact(num_in_ch=channels, num_out_ch=channels, num_feat=8, num_conv=2, upscale=factor).state_dict()


def esrgan(factor: int = 4) -> Mapping[str, Any]:
    from spandrel.architectures.ESRGAN import ESRGAN

    torch.manual_seed(3)
    return ESRGAN(num_filters=8, num_blocks=1, scale=factor).state_dict()


def saved(folder: Path, state: Mapping[str, Any], name: str = "model.safetensors") -> Path:
    file = folder / name
    save_file({key: value.contiguous() for key, value in state.items()}, file)
    return file


def pictures(count: int = 1, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX) -> Pixels:
    noise = np.random.default_rng(5)
    return noise.integers(0, 256, (count, height_px, width_px, 3), dtype=np.uint8)


def enlarged_by(file: Path, given: Pixels) -> list[Pixels]:
    return list(load_enlarger(file, "cpu").enlarged(iter(given)))


def loaded(file: Path, *tilings: Tiling) -> SuperResolution:
    return SuperResolution(enlarging._network_in(file, "cpu"), "cpu", tilings)


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("network", [compact, esrgan])
def test_pictures_become_larger_by_the_factor_of_the_network(
    network: Callable[[int], Mapping[str, Any]], factor: int, tmp_path: Path
) -> None:
    larger = enlarged_by(saved(tmp_path, network(factor)), pictures(2, 40, 30))
    assert [(each.shape, each.dtype) for each in larger] == [((30 * factor, 40 * factor, 3), np.uint8)] * 2


def test_what_comes_out_is_what_the_network_says(tmp_path: Path) -> None:
    from spandrel.architectures.Compact import Compact

    network = Compact(num_in_ch=3, num_out_ch=3, num_feat=8, num_conv=2, upscale=2)
    network.load_state_dict(compact())
    given = pictures(1, 60, 40)
    with torch.inference_mode():
        told = network(torch.tensor(given).permute(0, 3, 1, 2).float() / 255)
    expected = (told * 255).round().clamp(0, 255)[0].permute(1, 2, 0).numpy()
    assert np.abs(enlarged_by(saved(tmp_path, compact()), given)[0] - expected).max() <= 1


def test_the_name_says_which_step_made_the_size(tmp_path: Path) -> None:
    assert load_enlarger(saved(tmp_path, esrgan()), "cpu").name == "super-resolution (ESRGAN, 4 times) and resampling"


@pytest.mark.parametrize("network", [compact, esrgan])
@pytest.mark.parametrize("at_once", [1, 3])
def test_tiles_leave_no_trace(network: Callable[[], Mapping[str, Any]], at_once: int, tmp_path: Path) -> None:
    resolution = loaded(saved(tmp_path, network()))
    given = pictures()[0]
    whole = resolution.picture(given, WHOLE).astype(int)
    tiled = resolution.picture(given, Tiling(side_px=TILES.side_px, at_once=at_once)).astype(int)
    assert np.abs(whole - tiled).max() <= 1
    assert whole.std() > 1, "an even picture would show no seams"


def test_a_picture_in_tiles_goes_through_the_network_tile_by_tile(tmp_path: Path) -> None:
    resolution = loaded(saved(tmp_path, compact()))
    seen: list[tuple[int, ...]] = []
    resolution._network.model.register_forward_pre_hook(lambda _, given: seen.append(tuple(given[0].shape)))
    resolution.picture(pictures()[0], Tiling(side_px=112, at_once=4))
    assert sum(shape[0] for shape in seen) == len(spans_of(WIDTH_PX, 112)) * len(spans_of(HEIGHT_PX, 112))
    assert all(max(shape[2:]) <= 112 for shape in seen)
    assert seen[0][0] == 4


@pytest.mark.parametrize("length_px", [1, 111, 112, 113, 200, 1088, 1344, 3840])
@pytest.mark.parametrize("side_px", [112, 160, 512])
def test_spans_cover_a_side_evenly_and_overlap(length_px: int, side_px: int) -> None:
    spans = spans_of(length_px, side_px)
    assert (spans[0].start, spans[-1].stop) == (0, length_px)
    assert len({span.stop - span.start for span in spans}) == 1
    assert spans[0].stop <= max(side_px, 1)
    assert all(one.stop - other.start >= OVERLAP_PX - 1 for one, other in itertools.pairwise(spans))


def test_equal_pictures_are_enlarged_equally(tmp_path: Path) -> None:
    file, given = saved(tmp_path, esrgan()), pictures(1, 300, 40)
    first, second = enlarged_by(file, given)[0], enlarged_by(file, np.concatenate([pictures(1, 300, 40), given]))[1]
    assert np.array_equal(first, second)


def test_no_picture_is_made_that_is_not_asked_for(tmp_path: Path) -> None:
    asked: list[int] = []

    def given() -> Iterator[Pixels]:
        for index, picture in enumerate(pictures(5, 20, 20)):
            asked.append(index)
            yield picture

    larger = load_enlarger(saved(tmp_path, compact()), "cpu").enlarged(given())
    next(larger)
    next(larger)
    assert asked == [0, 1]


def lacking_above(resolution: SuperResolution, side_px: int) -> None:
    """Let the network run out of memory for what is larger, as a device does."""

    def lack(_: Any, given: tuple[Any, ...]) -> None:
        if max(given[0].shape[2:]) > side_px:
            raise torch.OutOfMemoryError("out of memory")

    resolution._network.model.register_forward_pre_hook(lack)


@pytest.mark.parametrize(("network", "factor"), [(compact, 2), (esrgan, 4)])
def test_a_film_has_the_ordered_size_whatever_the_factor_of_the_network(
    network: Callable[[int], Mapping[str, Any]], factor: int, tmp_path: Path
) -> None:
    enlarger = load_enlarger(saved(tmp_path, network(factor)), "cpu")
    job = RenderJob(
        request=GenerationRequest(model="any", content=(), generate_audio=False),
        seed=1,
        sizes={"16:9": (192, 108)},
        duration_range_s=(4, 15),
        fps=24,
        num_frames=5,
        audio_channels=2,
        output_dir=str(tmp_path),
    )
    film = Film(ratio="16:9", num_frames=5, model="any")
    result = finish(Made(frames=pictures(5, 64, 36), fps=24), job, film, enlarger=enlarger)
    facts = probe_film(tmp_path / result.video)
    assert (facts.width_px, facts.height_px, facts.num_frames) == (192, 108, 5)
    assert result.notes == (f"The film was made at 64 x 36 and enlarged to 192 x 108 by {enlarger.name}.",)


def test_half_precision_that_overflows_is_noticed(tmp_path: Path) -> None:
    state = {key: value * 1e4 for key, value in compact().items()}
    network = enlarging._network_in(saved(tmp_path, state), "cpu")
    assert enlarging._is_sound(network, "cpu") is not None
    assert enlarging._is_sound(network.half(), "cpu") is None


def test_where_memory_runs_out_tiles_become_smaller(tmp_path: Path) -> None:
    file, given = saved(tmp_path, compact()), pictures(2)
    resolution = loaded(file, WHOLE, TILES)
    expected = [resolution.picture(each, TILES) for each in given]
    lacking_above(resolution, 150)
    assert np.array_equal(list(resolution.enlarged(iter(given))), expected)


def test_where_the_smallest_tiles_do_not_fit_memory_has_run_out(tmp_path: Path) -> None:
    resolution = loaded(saved(tmp_path, compact()), WHOLE, TILES)
    lacking_above(resolution, 50)
    with pytest.raises(OutOfMemory):
        next(iter(resolution.enlarged(iter(pictures()))))


def test_a_gpu_is_tried_with_ever_smaller_tiles_that_overlap() -> None:
    tiles = [(each.side_px**2 * each.at_once, each.side_px) for each in ON_A_GPU]
    assert tiles == sorted(tiles, reverse=True)
    assert ON_A_GPU[-1].side_px >= 2 * OVERLAP_PX


def test_a_pickle_is_not_opened_whatever_it_is_called(tmp_path: Path) -> None:
    harmful = pickle.dumps({"weight": Path})
    for name in ("model.pth", "model.safetensors"):
        (tmp_path / name).write_bytes(harmful)
        with pytest.raises(ValueError, match="safetensors file"):
            load_enlarger(tmp_path / name, "cpu")


def test_files_that_are_no_model_are_refused_with_a_sentence(tmp_path: Path) -> None:
    whole = saved(tmp_path, compact()).read_bytes()
    (tmp_path / "half.safetensors").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.safetensors").write_bytes(b"")
    (tmp_path / "words.safetensors").write_bytes(b"\xff" * 400)
    lists = json.dumps([1]).encode()
    (tmp_path / "list.safetensors").write_bytes(len(lists).to_bytes(8, "little") + lists)
    for name in ("half", "empty", "words", "list"):
        with pytest.raises(ValueError, match=r"is no whole \.safetensors file\.$"):
            check_enlarger(tmp_path / f"{name}{ENDING}")
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        load_enlarger(tmp_path / "none.safetensors", "cpu")


def test_a_file_larger_than_any_such_model_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "huge.safetensors"
    with file.open("wb") as opened:
        opened.truncate(5 << 30)
    with pytest.raises(ValueError, match=r"has 5\.4 GB"):
        check_enlarger(file)


def test_networks_that_enlarge_no_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no architecture that is known"):
        load_enlarger(saved(tmp_path, {"weight": torch.zeros(3)}), "cpu")
    with pytest.raises(ValueError, match="not made for making pictures larger"):
        load_enlarger(saved(tmp_path, compact(1)), "cpu")
    with pytest.raises(ValueError, match="three colours"):
        load_enlarger(saved(tmp_path, compact(2, channels=1)), "cpu")


def test_weights_that_do_not_fit_their_architecture_are_refused(tmp_path: Path) -> None:
    state = dict(compact())
    state["body.2.weight"] = torch.zeros((4, 4, 3, 3))
    with pytest.raises(ValueError, match="cannot be loaded"):
        load_enlarger(saved(tmp_path, state), "cpu")


def test_weights_that_make_no_numbers_are_refused(tmp_path: Path) -> None:
    state = dict(compact())
    state["body.0.weight"] = torch.full_like(state["body.0.weight"], torch.nan)
    with pytest.raises(ValueError, match="its weights are broken"):
        load_enlarger(saved(tmp_path, state), "cpu")
