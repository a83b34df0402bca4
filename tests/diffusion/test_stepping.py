"""Progress and stopping: a call before each forward, and hooks that are gone afterwards."""

import pytest

torch = pytest.importorskip("torch")

from understudy.engines.diffusion.stepping import seeded, watched  # noqa: E402

pytestmark = pytest.mark.full


class Stop(Exception):
    pass


@pytest.fixture
def pair() -> list:
    return [torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)]


def test_every_forward_of_all_transformers_is_counted_before_it_is_done(pair: list) -> None:
    told = []
    with watched(pair, 3, lambda done, total: told.append((done, total))):
        for transformer in (pair[0], pair[0], pair[1]):
            transformer(torch.ones(2))
    assert told == [(0, 3), (1, 3), (2, 3)]


def test_more_forwards_than_were_said_are_told_as_the_last(pair: list) -> None:
    told = []
    with watched(pair, 1, lambda done, total: told.append((done, total))):
        for _ in range(3):
            pair[0](torch.ones(2))
    assert told == [(0, 1), (1, 1), (1, 1)]


def test_what_the_watcher_raises_leaves_before_the_forward_computes(pair: list) -> None:
    computed = []
    pair[0].register_forward_pre_hook(lambda *_: computed.append(True))

    def stop(_done: int, _total: int) -> None:
        raise Stop

    with pytest.raises(Stop), watched(pair, 2, stop):
        pair[0](torch.ones(2))
    assert not computed


@pytest.mark.parametrize("ends", [None, Stop, KeyboardInterrupt])
def test_nothing_is_watched_after_the_block_however_it_was_left(pair: list, ends: type | None) -> None:
    told = []
    try:
        with watched(pair, 1, lambda done, total: told.append(done)):
            if ends:
                raise ends
    except (Stop, KeyboardInterrupt):
        pass
    pair[0](torch.ones(2))
    assert told == []


def test_the_same_seed_draws_the_same_noise_and_another_seed_other_noise() -> None:
    drawn = [torch.randn(4, generator=seeded(seed)) for seed in (7, 7, 8)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


@pytest.mark.parametrize("seed", [-1, 0, 2**32 - 1, 2**64 - 1])
def test_every_seed_of_the_api_can_be_drawn_from(seed: int) -> None:
    assert torch.randn(1, generator=seeded(seed)).isfinite()
