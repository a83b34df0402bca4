"""Who does what when a prompt has many clauses, what lasts from shot to shot, and what the camera is by itself."""

import pytest

from understudy.engines.previz.plan import Action, CameraMove, FilmPlan, SettingKind, TimeOfDay, Weather
from understudy.engines.previz.planning.planner import plan_film

RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")

HARBOUR = (
    "0-2s: wide shot, a lighthouse in a storm at night, thunder. 2-4s: quick cut to an old sailor in a yellow coat who "
    'says "She is coming." 4-7s: dissolve to a small boat on a calm sea at dawn, slow pull out, title card: "THE '
    'HARBOUR".'
)


def plan_of(prompt: str, **given: int) -> FilmPlan:
    return plan_film(prompt, ratio="adaptive", duration_s=-1, ratios=RATIOS, duration_range_s=(4, 15), **given)


@pytest.mark.parametrize(
    ("prompt", "action"),
    [
        ("A sea otter stands in a courtyard, cherry blossoms are falling", Action.IDLE),
        ("A boy sleeps on a bench while leaves fall around him", Action.SLEEP),
        ("A cat sits on a roof, lights flicker and spin", Action.SIT),
        ("A cat sits on a roof, lights flicker and it jumps", Action.JUMP),
        ("Snow is falling, a man runs", Action.RUN),
        ("雨中奔跑的马", Action.RUN),
    ],
)
def test_a_clause_about_things_moves_nobody(prompt: str, action: Action) -> None:
    assert plan_of(prompt).main.subjects[0].action is action


def test_weather_does_not_outlast_its_place_and_hour() -> None:
    shots = plan_of(HARBOUR).shots
    assert [shot.weather for shot in shots] == [Weather.STORM, Weather.STORM, Weather.CLEAR]
    assert (shots[2].setting, shots[2].time_of_day) == (SettingKind.SEA, TimeOfDay.DAWN)


def test_weather_of_the_whole_film_is_in_every_place() -> None:
    shots = plan_of("Rain all day long. Shot 1: a street at night. Shot 2: a beach at dawn.").shots
    assert [shot.weather for shot in shots] == [Weather.RAIN, Weather.RAIN]


def test_a_mood_does_not_reach_back() -> None:
    assert [shot.mood for shot in plan_of(HARBOUR).shots] == ["", "", "calm"]


def test_a_mood_of_the_music_is_that_of_the_whole_film() -> None:
    shots = plan_of("Shot 1: a street at night. Shot 2: a beach at dawn, sad piano music.").shots
    assert shots[0].mood == shots[1].mood != ""


@pytest.mark.parametrize(
    ("prompt", "ratio"),
    [
        (HARBOUR, "16:9"),
        ("A tall lighthouse above a waterfall, a giraffe and a tower", "16:9"),
        ("A boy in shorts stands before an old television set", "16:9"),
        ("A vertical video of a lighthouse", "9:16"),
    ],
)
def test_only_words_of_shape_choose_the_ratio(prompt: str, ratio: str) -> None:
    assert plan_of(prompt).ratio == ratio


@pytest.mark.parametrize(
    "prompt",
    [
        "Aerial shot flying over snowy mountains",
        "A drone flies over a canyon",
        "drone over the coast",
        "航拍雪山",
        "无人机飞过峡谷",
        "山の空撮",
        "El dron sobrevuela la costa",
        "O drone sobrevoa a costa",
        "Drone terbang di atas pantai",
    ],
)
def test_from_the_air_the_camera_flies_on_and_is_not_seen(prompt: str) -> None:
    shot = plan_of(prompt).main
    assert (shot.camera, shot.subjects) == (CameraMove.TRACK, ())


@pytest.mark.parametrize(
    ("prompt", "camera"),
    [
        ("Drone shot rising over a city at night", CameraMove.CRANE_UP),
        ("Aerial view of a city, static camera", CameraMove.STATIC),
        ("Aerial view, a woman stands on a roof", CameraMove.STATIC),
    ],
)
def test_a_view_from_the_air_gives_way_to_what_is_said(prompt: str, camera: CameraMove) -> None:
    assert plan_of(prompt).main.camera is camera


def test_a_drone_that_brings_something_is_seen() -> None:
    assert [subject.art for subject in plan_of("A delivery drone lands on a table").main.subjects] == ["helicopter"]


@pytest.mark.parametrize(
    ("prompt", "art", "tint"),
    [
        ("A knight rides a white horse", "horse", "white"),
        ("A boy and his black dog", "dog", "black"),
        ("一匹白马", "horse", "white"),
    ],
)
def test_things_keep_their_colours(prompt: str, art: str, tint: str) -> None:
    assert (art, tint) in [(subject.art, subject.tint) for subject in plan_of(prompt).main.subjects]


@pytest.mark.parametrize(
    ("prompt", "action"),
    [
        ("A dancer on a stage", Action.DANCE),
        ("A runner on a road", Action.RUN),
        ("A singer on a stage", Action.SING),
        ("A dancer sleeps on a stage", Action.SLEEP),
    ],
)
def test_who_is_known_by_a_doing_does_it(prompt: str, action: Action) -> None:
    assert plan_of(prompt).main.subjects[0].action is action


def test_they_are_all_who_were_named() -> None:
    shot = plan_of("A boy stands on the left, a girl on the right, behind them a red car. They wave.").main
    assert [(each.art, each.action, each.place) for each in shot.subjects] == [
        ("boy", Action.WAVE, "left"),
        ("girl", Action.WAVE, "right"),
        ("automobile", Action.IDLE, "back"),
    ]


@pytest.mark.parametrize(
    ("prompt", "places"),
    [
        ("A dog runs behind a cat", ["back", ""]),
        ("A red car drives in front of a blue truck", ["front", ""]),
        ("男孩后面有一辆红色汽车", ["", "back"]),
        ("女孩站在马的左边", ["left", ""]),
        ("猫在左边，狗在右边", ["left", "right"]),
        ("女の子の後ろに犬がいる", ["", "back"]),
        ("Un gato detrás de un perro", ["back", ""]),
        ("Um gato atrás de um cachorro", ["back", ""]),
        ("Seekor kucing di belakang seekor anjing", ["back", ""]),
    ],
)
def test_who_stands_behind_whom_is_read(prompt: str, places: list[str]) -> None:
    assert [subject.place for subject in plan_of(prompt).main.subjects] == places


def test_between_a_noun_and_an_article_stands_a_verb() -> None:
    shot = plan_of("Fruit tea, your hand picks a red apple, adds ice").main
    assert "pick" not in [subject.art for subject in shot.subjects]
    assert shot.setting is not SettingKind.SNOWFIELD


@pytest.mark.parametrize(
    ("prompt", "actions"),
    [
        ("A boy runs and his dog jumps", [Action.RUN, Action.JUMP]),
        ("Un niño corre por la playa y su perro salta", [Action.RUN, Action.JUMP]),
        ("Um homem canta e uma mulher dança", [Action.SING, Action.DANCE]),
        ("Seorang pria bernyanyi dan seorang wanita menari", [Action.SING, Action.DANCE]),
        ("A man with a dog runs", [Action.RUN, Action.IDLE]),
        ("The girl next to the boy waves", [Action.WAVE, Action.IDLE]),
    ],
)
def test_each_does_what_stands_beside_his_name(prompt: str, actions: list[Action]) -> None:
    assert [subject.action for subject in plan_of(prompt).main.subjects] == actions


def test_an_indonesian_noun_said_twice_means_several() -> None:
    (birds,) = plan_of("Burung-burung terbang di atas laut").main.subjects
    assert birds.count > 1
