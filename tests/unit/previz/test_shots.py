"""Where the shots of a prompt begin and end, and what carries over from one to the next."""

from itertools import pairwise

import pytest

from understudy.engines.previz.plan import Action, CameraMove, Cut, FilmPlan, Framing, SettingKind, TimeOfDay, Weather
from understudy.engines.previz.planning.planner import plan_film
from understudy.reading.shots import PARTS_MAX, SHORTEST_S, Part, cutting_of, laid_out


def plan_of(prompt: str, *, duration_s: int = -1) -> FilmPlan:
    return plan_film(prompt, ratio="16:9", duration_s=duration_s, ratios=("16:9",), duration_range_s=(4, 15))


def times(prompt: str, *, duration_s: int = -1) -> list[tuple[float, float]]:
    return [(shot.start_s, shot.end_s) for shot in plan_of(prompt, duration_s=duration_s).shots]


@pytest.mark.parametrize(
    "prompt",
    [
        "0-2s: a cat sleeps. 2-5s: it wakes up.",
        "0s-2s a cat sleeps, 2s-5s it wakes up",
        "0:00-0:02 a cat sleeps. 0:02-0:05 it wakes up",
        "[00:00-00:02] A cat sleeps [00:02-00:05] it wakes up",
        "From 0 to 2 seconds, a cat sleeps. From 2 to 5 seconds, it wakes up",
        "Shot 1 (0-2s): a cat sleeps\nShot 2 (2-5s): it wakes up",
        "A cat sleeps (0-2s). It wakes up (2-5s).",
        "0.0-2.0s a cat sleeps | 2.0-5.0s it wakes up",
        "0-2秒：一只猫在睡觉。2-5秒：它醒来。",
        "第0-2秒，一只猫在睡觉；第2-5秒，它醒来",
        "第0秒到第2秒，一只猫在睡觉。第2秒到第5秒，它醒来",
        "0〜2秒：猫が眠る。2〜5秒：目を覚ます。",
        "0秒から2秒、猫が眠る。2秒から5秒、目を覚ます。",
        "De 0 a 2 s: un gato duerme. De 2 a 5 s: se despierta.",
        "De 0 a 2 segundos: um gato dorme. De 2 a 5 segundos: ele acorda.",
        "Detik 0-2: kucing tidur. Detik 2-5: ia bangun.",
    ],
)
def test_time_codes_cut_the_film(prompt: str) -> None:
    plan = plan_of(prompt)
    assert [(shot.start_s, shot.end_s) for shot in plan.shots] == [(0, 2), (2, 5)]
    assert plan.has_time_codes
    assert [subject.art for shot in plan.shots for subject in shot.subjects] == ["cat", "cat"]


@pytest.mark.parametrize(
    "prompt",
    [
        "Shot 1: a cat. Shot 2: a dog.",
        "Scene 1 - a cat\nScene 2 - a dog",
        "**Shot 1:** a cat **Shot 2:** a dog",
        "First shot: a cat. Second shot: a dog.",
        "镜头一：一只猫。镜头二：一只狗。",
        "分镜1：一只猫 分镜2：一只狗",
        "第一个镜头：一只猫。第二个镜头：一只狗。",
        "カット1：猫。カット2：犬。",
        "Plano 1: un gato. Plano 2: un perro.",
        "Cena 1: um gato. Cena 2: um cachorro.",
        "Adegan 1: kucing. Adegan 2: anjing.",
        "A cat. Cut to: a dog.",
        "A cat, then quick cut to a dog",
        "A cat. Smash cut to a dog.",
        "一只猫，镜头切到一只狗",
        "猫がいる。犬に切り替わる。",
        "Un gato. Corte a un perro.",
        "Um gato, corta para um cachorro",
        "Kucing, lalu beralih ke anjing",
    ],
)
def test_lists_and_words_of_cutting_cut_the_film(prompt: str) -> None:
    assert [[subject.art for subject in shot.subjects] for shot in plan_of(prompt).shots] == [["cat"], ["dog"]]


@pytest.mark.parametrize(
    "prompt",
    [
        "A man runs for 2-4 seconds",
        "a 5s video of a cat",
        "16:9 video, 4k, 24fps",
        "5-10 cats",
        "The sugar dissolves into the tea",
        "A girl with freshly cut hair",
        "A dancer moves, cut to the beat of audio 1",
        "镜头一转，猫来了",
        "A cat, no cuts",
        "A cat sleeps. Fade to black.",
    ],
)
def test_what_only_looks_like_a_cut_is_none(prompt: str) -> None:
    assert len(plan_of(prompt).shots) == 1


@pytest.mark.parametrize(
    ("prompt", "cut"),
    [
        ("A cat. Cut to a dog.", Cut.HARD),
        ("A cat. Dissolve to a dog.", Cut.DISSOLVE),
        ("A cat. Fade to black. A dog.", Cut.FADE),
        ("一只猫。叠化到一只狗。", Cut.DISSOLVE),
        ("猫。暗転。犬。", Cut.FADE),
        ("Un gato. Fundido a negro. Un perro.", Cut.FADE),
    ],
)
def test_a_cut_has_its_kind(prompt: str, cut: Cut) -> None:
    assert [shot.cut for shot in plan_of(prompt).shots] == [Cut.HARD, cut]


def test_what_stands_before_a_list_is_said_of_every_shot() -> None:
    plan = plan_of("Noir style, rain at night in Tokyo. Shot 1: a man walks. Shot 2: a woman waits.")
    assert [(shot.style, shot.weather, shot.time_of_day) for shot in plan.shots] == [
        ("noir", Weather.RAIN, TimeOfDay.NIGHT)
    ] * 2
    assert [shot.subjects[0].art for shot in plan.shots] == ["man", "woman"]


def test_what_stands_before_a_later_time_code_is_the_first_shot() -> None:
    plan = plan_of("A hand picks an apple. 2-4s: a cup. 4-6s: a table.")
    assert [shot.start_s for shot in plan.shots] == [0, 2, 4]


def test_somebody_named_again_keeps_looks_and_images() -> None:
    plan = plan_of(
        "Shot 1: the girl from image 1 in a red coat walks. Shot 2: she jumps. Shot 3: close-up of her face."
    )
    assert [(shot.subjects[0].art, shot.subjects[0].images, shot.subjects[0].wears_tint) for shot in plan.shots] == [
        ("girl", (1,), "red")
    ] * 3
    assert [shot.subjects[0].action for shot in plan.shots[:2]] == [Action.WALK, Action.JUMP]


def test_a_shot_of_another_place_without_anybody_is_empty() -> None:
    plan = plan_of("Shot 1: a man walks in a forest. Shot 2: the beach at sunset.")
    assert plan.shots[1].subjects == ()
    assert plan.shots[1].setting is SettingKind.BEACH


def test_place_and_light_last_until_they_change() -> None:
    plan = plan_of(
        "0-2s: a dog runs on the beach at sunset. 2-4s: close-up, it barks. 4-6s: at night it sleeps at home."
    )
    assert [shot.setting for shot in plan.shots] == [SettingKind.BEACH, SettingKind.BEACH, SettingKind.ROOM]
    assert [shot.time_of_day for shot in plan.shots] == [TimeOfDay.DUSK, TimeOfDay.DUSK, TimeOfDay.NIGHT]
    assert plan.shots[1].framing is Framing.CLOSE_UP


def test_each_shot_has_its_own_camera() -> None:
    plan = plan_of("Shot 1: pan left over a city. Shot 2: the camera pushes in on a man. Shot 3: a cat.")
    assert [shot.camera for shot in plan.shots] == [CameraMove.PAN_LEFT, CameraMove.PUSH_IN, CameraMove.STATIC]


def test_lines_belong_to_their_shot_and_its_subjects() -> None:
    plan = plan_of('Shot 1: a man says "Hi". Shot 2: a dog and a woman. The woman says "Bye".')
    assert [(line.text, line.shot, line.speaker) for line in plan.lines] == [("Hi", 0, 0), ("Bye", 1, 1)]


def test_a_shot_in_which_somebody_speaks_is_longer() -> None:
    first, second = plan_of('A cat. Cut to a man who says "I have waited for you all these years, my friend."').shots
    assert first.duration_s < second.duration_s


def test_shots_lie_one_after_the_other_and_fill_the_film() -> None:
    shots = plan_of("1-3s: a cat. 4-6s: a dog. 9s: a bird.", duration_s=10).shots
    assert shots[0].start_s == 0
    assert all(one.end_s == pytest.approx(other.start_s) for one, other in pairwise(shots))
    assert shots[-1].end_s == pytest.approx(10)


def test_codes_beyond_the_end_are_scaled_down() -> None:
    assert times("0-5s: a cat. 5-10s: a dog.", duration_s=5) == [(0, 2.5), (2.5, 5)]


def test_codes_that_do_not_rise_are_left_out() -> None:
    assert times("3-5s: a cat. 1-2s: a dog.", duration_s=6) == [(0, 5), (5, 6)]


def test_every_shot_can_be_seen() -> None:
    parts = [Part(start=0, end=0, start_s=0.0, end_s=0.1), Part(start=0, end=0), Part(start=0, end=0)]
    lengths = [length for _, length in laid_out(parts, duration_s=4.0, weights=[1, 1, 1])]
    assert min(lengths) >= SHORTEST_S
    assert sum(lengths) == pytest.approx(4)


def test_there_are_no_more_shots_than_can_be_seen() -> None:
    many = " ".join(f"Shot {number}: a cat." for number in range(1, 40))
    assert len(plan_of(many, duration_s=15).shots) == PARTS_MAX
    assert len(plan_of(many, duration_s=4).shots) == 5


def test_a_text_without_marks_is_one_part() -> None:
    (part,) = cutting_of("A cat sleeps").parts
    assert (part.start, part.end) == (0, len("A cat sleeps"))
