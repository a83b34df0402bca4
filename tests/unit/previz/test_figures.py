"""Drawn figures: what they do is seen, feet stay where they are planted, and clothes have the colour of the prompt."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from understudy.engines.previz.pictures.actors import cast_of
from understudy.engines.previz.pictures.canvas import Bitmap
from understudy.engines.previz.pictures.figures import beast_poses, person_poses
from understudy.engines.previz.pictures.figures.breeds import breed_of
from understudy.engines.previz.pictures.figures.figure import Figure, PersonFigure, Scene, figure_of
from understudy.engines.previz.pictures.figures.ink import Ink
from understudy.engines.previz.pictures.figures.people import dressing_of
from understudy.engines.previz.pictures.figures.person_poses import Instant
from understudy.engines.previz.pictures.figures.tile import Spot, tile_of
from understudy.engines.previz.pictures.light import look_of
from understudy.engines.previz.pictures.raster import Raster
from understudy.engines.previz.pictures.rigs import rig_of
from understudy.engines.previz.plan import Action, Framing, SettingKind, Subject, TimeOfDay, Weather
from unit.previz.watching import frames_of, hue_share, in_hues, shot_of

LOOK = look_of(SettingKind.MEADOW, TimeOfDay.DAY, Weather.CLEAR)
RED, BLUE = (340, 16), (205, 245)


def figure(art: str, seed: int = 1, **changes: Any) -> Figure:
    subject = Subject(art=art, word=str(changes.pop("word", art)), **changes)
    drawn = figure_of(art, rig_of(art), subject, look=LOOK, rng=np.random.default_rng(seed))
    assert drawn is not None
    return drawn


def picture(
    drawn: Figure, action: Action = Action.IDLE, *, time_s: float = 0.7, voice: float = 0.0, rolled: float = 0.0,
    scale_px: float = 150.0,
) -> Bitmap:  # fmt: skip
    """The figure alone on a clear frame: (300, 420, 4)."""
    scene = Scene(action=action, now=Instant(time_s=time_s, speed=0.6, voice=voice), rolled=rolled)
    spot = Spot(x_px=210, y_px=270, scale_px=scale_px, facing=1.0)
    frame = np.zeros((300, 420, 4), np.uint8)
    tile = tile_of(Raster(420, 300), Ink(LOOK), spot, drawn=drawn.drawn(scene))
    assert tile is not None
    part = tile.pixels[: 300 - tile.top_px, : 420 - tile.left_px]
    frame[tile.top_px : tile.top_px + part.shape[0], tile.left_px : tile.left_px + part.shape[1]] = part
    return frame


def outline(drawn: Figure, action: Action, **changes: Any) -> np.ndarray:
    return np.asarray(picture(drawn, action, **changes)[..., 3] > 128)


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


_TOLD_APART = [Action.IDLE, Action.RUN, Action.JUMP, Action.SIT, Action.SLEEP, Action.DANCE]


@pytest.mark.parametrize("art", ["man", "girl", "old-woman", "cat", "dog"])
def test_each_action_has_an_outline_of_its_own(art: str) -> None:
    drawn = figure(art)
    seen = {action: outline(drawn, action, time_s=0.75) for action in _TOLD_APART}
    alike = [(a, b) for a in seen for b in seen if a < b and overlap(seen[a], seen[b]) > 0.85]
    assert not alike


@pytest.mark.parametrize(("art", "action"), [("man", Action.WAVE), ("bird", Action.FLY), ("horse", Action.EAT)])
def test_other_actions_differ_from_standing(art: str, action: Action) -> None:
    drawn = figure(art)
    assert overlap(outline(drawn, Action.IDLE), outline(drawn, action, time_s=0.9)) < 0.9


def test_who_sleeps_lies() -> None:
    for art in ("man", "girl", "cat", "dog"):
        rows, columns = np.nonzero(outline(figure(art), Action.SLEEP))
        assert np.ptp(columns) > 1.5 * np.ptp(rows)


def planted(feet: list[tuple[float, float, float]]) -> list[float]:
    """How far in the world a foot moves between two instants at both of which it is on the ground."""
    return [abs(b[0] - a[0]) for a, b in pairwise(feet) if a[1] <= 1e-9 and b[1] <= 1e-9]


@pytest.mark.parametrize("speed", [0.2, 0.6, 1.1])
@pytest.mark.parametrize("action", [Action.WALK, Action.RUN])
def test_a_planted_foot_of_a_person_stays_where_it_is(action: Action, speed: float) -> None:
    speed = speed if action is Action.WALK else speed + 1.0
    feet = []
    for time_s in np.arange(0, 3, 1 / 24):
        foot = person_poses.pose_of(action, Instant(time_s=float(time_s), speed=speed)).near_foot
        feet.append((float(time_s) * speed + foot.forward, foot.up, 0.0))
    slips = planted(feet)
    assert len(slips) > 6
    assert max(slips) < 1e-6


@pytest.mark.parametrize("art", ["cat", "dog", "horse", "panda", "deer"])
@pytest.mark.parametrize("action", [Action.WALK, Action.RUN])
def test_the_planted_feet_of_a_beast_stay_where_they_are(art: str, action: Action) -> None:
    breed, speed = breed_of(art, "", tint=None, choice=0.0), 0.8
    for index in range(4):
        feet = []
        for time_s in np.arange(0, 3, 1 / 24):
            foot = beast_poses.stance_of(action, Instant(time_s=float(time_s), speed=speed), breed).feet[index]
            feet.append((float(time_s) * speed + foot.forward, foot.up, 0.0))
        slips = planted(feet)
        assert len(slips) > 6
        assert max(slips) < 1e-6


def test_a_foot_is_lifted_on_its_way_forward() -> None:
    ups = [person_poses.pose_of(Action.WALK, Instant(time_s=t / 24, speed=0.6)).near_foot.up for t in range(48)]
    assert max(ups) > 0.03


def test_a_red_coat_is_red_and_a_blue_one_is_not() -> None:
    red, blue = (picture(figure("woman", wears=("coat",), wears_tint=tint))[..., :3] for tint in ("red", "blue"))
    assert hue_share(red, RED) > 0.02
    assert hue_share(blue, BLUE) > 0.02
    assert hue_share(blue, RED) < 0.2 * hue_share(red, RED)


def test_the_coat_has_its_colour_in_the_film() -> None:
    def shown(tint: str) -> float:
        subject = Subject(art="woman", word="woman", action=Action.WALK, wears=("coat",), wears_tint=tint)
        shot = shot_of(subjects=(subject,), setting=SettingKind.SNOWFIELD)
        return float(hue_share(frames_of(shot, (30,), size_px=(640, 360))[0], RED))

    assert shown("red") > 4 * shown("green") + 0.005


def test_a_black_cat_is_black() -> None:
    cat = picture(figure("cat", tint="black"))
    body = cat[cat[..., 3] > 250][:, :3]
    assert np.median(body.max(axis=1)) < 70


def test_a_hat_takes_the_tint_when_nothing_else_is_worn() -> None:
    capped = picture(figure("boy", wears=("billed-cap",), wears_tint="red"))
    rows = np.nonzero(in_hues(capped[..., :3], RED).sum(axis=1) > 3)[0]
    top = np.nonzero(capped[..., 3].any(axis=1))[0][0]
    assert rows.min() < top + 30


def test_who_speaks_opens_the_mouth_as_loud_as_the_voice() -> None:
    mouths = [person_poses.pose_of(Action.SPEAK, Instant(time_s=0.9, voice=voice)).mouth for voice in (0.0, 0.3, 0.9)]
    assert mouths[0] == 0
    assert mouths[0] < mouths[1] < mouths[2]


@pytest.mark.parametrize("art", ["man", "cat", "dog", "bird"])
def test_without_a_voice_the_mouth_rests(art: str) -> None:
    drawn = figure(art)
    quiet, loud = (picture(drawn, Action.IDLE, voice=voice) for voice in (0.0, 0.9))
    assert np.array_equal(quiet, picture(drawn, Action.IDLE))
    assert (np.abs(quiet.astype(int) - loud).max(axis=2) > 30).sum() > 40


def test_equal_seeds_draw_the_same_person_and_others_another() -> None:
    first, again, other = (picture(figure("man", seed)) for seed in (3, 3, 5))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_wheel_turns_as_far_as_the_road_goes_by() -> None:
    car = figure("automobile")
    # Five spokes: a fifth of a turn looks like none, a tenth does not.
    tyre = 0.30
    still, fifth, tenth = (picture(car, Action.DRIVE, rolled=2 * np.pi * tyre * part) for part in (0.0, 0.2, 0.1))
    same, turned = (np.abs(still.astype(int) - other).sum() for other in (fifth, tenth))
    assert turned > 10 * same + 1000


@pytest.mark.parametrize(
    ("word", "hat"), [("knight", "great-helm"), ("骑士", "great-helm"), ("samurai", "kabuto"), ("a chef", "toque")]
)
def test_the_word_of_a_job_dresses_a_person(word: str, hat: str) -> None:
    dressing = dressing_of("man", word)
    assert dressing is not None
    assert dressing.skull["hat"] == hat


def test_a_word_within_a_word_is_no_job() -> None:
    assert dressing_of("man", "cookery monkey") is None


def test_a_child_is_smaller_than_a_man() -> None:
    subjects = (Subject(art="man", word="man"), Subject(art="boy", word="boy"))
    man, boy = cast_of(shot_of(subjects=subjects))[0]
    assert boy.height < 0.85 * man.height


def test_a_rider_is_on_what_it_rides() -> None:
    subjects = (
        Subject(art="man", word="man", action=Action.DRIVE, rides=1, tint="red"),
        Subject(art="horse", word="horse", action=Action.RUN, tint="white"),
    )
    roles, _ = cast_of(shot_of(subjects=subjects))
    assert [role.art for role in roles] == ["horse"]
    shot = shot_of(subjects=subjects, setting=SettingKind.SNOWFIELD, framing=Framing.WIDE)
    alone = shot_of(subjects=subjects[1:], setting=SettingKind.SNOWFIELD, framing=Framing.WIDE)
    ridden, bare = (frames_of(which, (20,), size_px=(640, 360))[0] for which in (shot, alone))
    rows, columns = np.nonzero(in_hues(ridden[..., :3], RED))
    assert len(rows) > 60
    assert not in_hues(bare[..., :3], RED)[rows, columns].any()


def test_two_who_are_said_to_ride_each_other_stand_side_by_side() -> None:
    subjects = (
        Subject(art="man", word="man", rides=1),
        Subject(art="woman", word="woman", rides=0),
    )
    assert len(cast_of(shot_of(subjects=subjects))[0]) == 2


def test_a_side_that_the_prompt_names_is_taken() -> None:
    subjects = (Subject(art="man", word="man", place="right"), Subject(art="woman", word="woman", place="left"))
    roles, _ = cast_of(shot_of(subjects=subjects))
    by_art = {role.art: role.x for role in roles}
    assert by_art["woman"] < by_art["man"]


def test_two_who_stand_together_look_at_each_other() -> None:
    roles, _ = cast_of(shot_of(subjects=(Subject(art="man", word="man"), Subject(art="woman", word="woman"))))
    assert all(role.looks == (1 if role.x < 0 else -1) for role in roles)


def test_a_large_figure_is_shaded_like_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = figure("woman", wears=("coat",), wears_tint="red")
    whole = picture(drawn, scale_px=230)
    monkeypatch.setattr("understudy.engines.previz.pictures.figures.tile._SHADED_PX", 100)
    parted = picture(drawn, scale_px=230)
    both = (whole[..., 3] > 250) & (parted[..., 3] > 250)
    assert both.sum() > 5000
    assert np.abs(whole.astype(int) - parted)[both].mean() < 5


def test_children_and_beasts_are_drawn_and_monsters_keep_their_pictures() -> None:
    def is_made(art: str) -> bool:
        subject = Subject(art=art, word=art)
        return figure_of(art, rig_of(art), subject, look=LOOK, rng=np.random.default_rng(1)) is not None

    assert all(is_made(art) for art in ("boy", "horse", "panda", "deer", "eagle", "taxi", "bicycle", ""))
    assert not any(is_made(art) for art in ("zombie", "otter", "koala", "robot"))


def test_a_person_turns_round_when_it_spins() -> None:
    dancer = figure("man", wears=(), tint="blue")
    assert isinstance(dancer, PersonFigure)
    views = [picture(dancer, Action.SPIN, time_s=time_s) for time_s in np.arange(0, 1.8, 0.3)]
    assert all(not np.array_equal(a, b) for a, b in pairwise(views))


def test_a_panda_sits_up_and_holds_bamboo_while_a_bear_eats_from_the_ground() -> None:
    leaf = (75, 130)
    panda, bear = (picture(figure(art), Action.EAT, scale_px=200) for art in ("panda", "bear"))
    assert in_hues(panda, leaf).sum() > 60
    assert in_hues(bear, leaf).sum() == 0
    tops = [int(np.flatnonzero(frame[:, 230:, 3].any(axis=1))[0]) for frame in (panda, bear)]
    assert tops[0] < tops[1] - 20


def test_only_a_deer_has_antlers_above_its_ears() -> None:
    heights = [int(outline(figure(art), Action.IDLE).any(axis=1).sum()) for art in ("deer", "cow")]
    assert heights[0] > heights[1] + 25


def test_an_otter_stands_on_its_feet_ashore_and_floats_on_its_back_in_water() -> None:
    def art(**changes: Any) -> str:
        return cast_of(shot_of("otter", **changes))[0][0].art

    assert art(setting=SettingKind.COURTYARD) == "otter-on-land"
    assert art(setting=SettingKind.SEA) == "otter"
    assert art(action=Action.FLOAT) == "otter"
    assert art(wears=("top-hat",)) == "otter"


def test_who_rides_a_boat_rows_it_unless_it_is_called_a_sailing_boat() -> None:
    def art(word: str) -> str:
        rower = Subject(art="man", word="man", rides=1)
        boat = Subject(art="sailboat", word=word, action=Action.FLOAT)
        roles, _ = cast_of(shot_of(subjects=(rower, boat), setting=SettingKind.RIVER))
        assert roles[0].rider is not None
        assert roles[0].action is not Action.FLOAT
        return roles[0].art

    assert art("boat") == "rowing-boat"
    assert art("sailing boat") == "sailboat"
