"""Who may be told something now, and who must wait so that others need not."""

import pytest

from understudy.service.callback_places import QUICK_S, REMEMBERED_MOST, SHARES, Places

AT_ONCE = 64
SHARE = AT_ONCE // SHARES
QUICK, SLOW, NEVER = QUICK_S / 2, QUICK_S * 2, None


def places(*well: str, ailing: tuple[str, ...] = ()) -> Places:
    found = Places(AT_ONCE)
    for origin in well:
        found.begin(origin)
        found.end(origin, took_s=QUICK)
    for origin in ailing:
        found.begin(origin)
        found.end(origin, took_s=NEVER)
    return found


def held(found: Places, origin: str) -> int:
    """Take as many places for an origin as it gets, a take at a time; return how many that were."""
    count = 0
    while found.free and origin not in found.busy(min(found.taken_most, found.free), with_ailing=False):
        for _ in range(min(found.taken_most, found.free)):
            found.begin(origin)
            count += 1
    return count


def test_an_origin_that_nobody_knows_has_the_places_of_one_take() -> None:
    found = places()
    assert held(found, "https://new.example") == found.taken_most


def test_an_origin_that_answers_at_once_has_its_share_and_not_more() -> None:
    assert held(places("https://well.example"), "https://well.example") == SHARE


def test_an_origin_that_is_slow_has_few_places() -> None:
    found = places("https://slow.example")
    found.begin("https://slow.example")
    found.end("https://slow.example", took_s=SLOW)
    assert held(found, "https://slow.example") == found.taken_most


def test_ailing_origins_have_one_share_together() -> None:
    ailing = tuple(f"https://dead-{number}.example" for number in range(50))
    found = places(ailing=ailing)
    taken = 0
    while found.free_for_ailing > 0:
        origin = next(each for each in ailing if each not in found.busy(1, with_ailing=False))
        found.begin(origin)
        taken += 1
    assert taken == SHARE
    assert found.free == AT_ONCE - SHARE


def test_those_who_ail_are_left_out_where_it_is_asked() -> None:
    found = places("https://well.example", ailing=("https://dead.example",))
    assert found.busy(1, with_ailing=True) == {"https://dead.example"}
    assert found.busy(1, with_ailing=False) == frozenset()


def test_who_answers_at_once_is_well_again() -> None:
    found = places(ailing=("https://dead.example",))
    assert found.has_ailing
    found.begin("https://dead.example")
    found.end("https://dead.example", took_s=QUICK)
    assert not found.has_ailing
    assert held(found, "https://dead.example") == SHARE


def test_no_more_than_all_places_are_given() -> None:
    found = places(*(f"https://well-{number}.example" for number in range(10)))
    assert sum(held(found, f"https://well-{number}.example") for number in range(10)) == AT_ONCE
    assert found.free == 0


def test_what_ended_gives_its_place_back() -> None:
    found = places()
    found.begin("https://a.example")
    assert found.free == AT_ONCE - 1
    found.end("https://a.example", took_s=QUICK)
    assert found.free == AT_ONCE


def test_of_very_many_origins_the_latest_are_remembered() -> None:
    found = places(ailing=tuple(f"https://dead-{number}.example" for number in range(REMEMBERED_MOST + 5)))
    left_out = found.busy(1, with_ailing=True)
    assert len(left_out) == REMEMBERED_MOST
    assert "https://dead-4.example" not in left_out


@pytest.mark.parametrize("at_once", [1, 2, 3, 5])
def test_few_places_are_enough_to_go_on(at_once: int) -> None:
    found = Places(at_once)
    assert held(found, "https://new.example") >= 1
