"""What a prompt wants changed in a given video, and whether it is to go on from one."""

import pytest

from understudy.engines.previz.plan import EditKind, Extension, FilmPlan
from understudy.engines.previz.planning.planner import plan_film


def plan_of(prompt: str, **given: int) -> FilmPlan:
    return plan_film(prompt, ratio="16:9", duration_s=5, ratios=("16:9",), duration_range_s=(4, 15), **given)


def edits(prompt: str, **given: int) -> list[tuple[str, str, str]]:
    return [(edit.kind.value, edit.target, edit.value or edit.art) for edit in plan_of(prompt, **given).edits]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Replace the red car in video 1 with a horse", ("replace", "red car", "horse")),
        ("把视频1中的汽车换成一匹马", ("replace", "汽车", "horse")),
        ("動画1の車を馬に置き換える", ("replace", "車", "horse")),
        ("Sustituye el coche del video 1 por un caballo", ("replace", "coche", "horse")),
        ("Substitua o carro do vídeo 1 por um cavalo", ("replace", "carro", "horse")),
        ("Ganti mobil di video 1 dengan kuda", ("replace", "mobil", "horse")),
        ("Remove the man from video 1", ("remove", "man", "")),
        ("去掉视频1中的男人", ("remove", "男人", "")),
        ("動画1から男性を消して", ("remove", "男性", "")),
        ("Elimina el hombre del video 1", ("remove", "hombre", "")),
        ("Remova o homem do vídeo 1", ("remove", "homem", "")),
        ("Hapus pria di video 1", ("remove", "pria", "")),
        ("Add a dragon to video 1", ("insert", "", "dragon")),
        ("在视频1中添加一条龙", ("insert", "视频1", "dragon")),
        ("Añade un dragón en el video 1", ("insert", "", "dragon")),
        ("Tambahkan naga di video 1", ("insert", "", "dragon")),
        ("Turn the car in video 1 blue", ("recolour", "car", "blue")),
        ("Change the jacket in video 1 to green", ("recolour", "jacket", "green")),
        ("把视频1里的外套改成绿色", ("recolour", "外套", "green")),
        ("Change the background of video 1 to a beach", ("background", "", "beach")),
        ("把视频1的背景换成海边", ("background", "", "beach")),
        ("Turn video 1 into anime style", ("style", "", "anime")),
        ("把视频1变成水墨画风格", ("style", "", "watercolor")),
        ("Convierte el video 1 en estilo anime", ("style", "", "anime")),
        ("Make video 1 night", ("time", "", "night")),
        ("Add rain to video 1", ("weather", "", "rain")),
        ("Add fireflies to video 1", ("particles", "", "fireflies")),
        ('Add the text "SALE" to video 1', ("text", "", "SALE")),
    ],
)
def test_a_change_is_read(prompt: str, expected: tuple[str, str, str]) -> None:
    (found,) = edits(prompt)
    kind, target, value = expected
    assert (found[0], found[2]) == (kind, value)
    assert found[1] == target or kind == "insert"


def test_several_changes_are_read_in_order() -> None:
    assert [kind for kind, _, _ in edits("Remove the dog from video 1, make it night and add snow")] == [
        "remove",
        "time",
        "weather",
    ]


def test_an_image_can_show_what_comes_in() -> None:
    (edit,) = plan_of("Replace the man in video 1 with the robot from image 2").edits
    assert (edit.kind, edit.art, edit.image) == (EditKind.REPLACE, "robot", 2)


def test_each_change_has_its_video_and_place() -> None:
    first, second = plan_of("Remove the cat in video 1. Remove the man on the left in video 2.").edits
    assert (first.video, first.place) == (1, "")
    assert (second.video, second.place) == (2, "left")


def test_without_a_video_nothing_is_edited() -> None:
    assert edits("A man adds snow to the picture and replaces the cat with a dog") == []
    assert edits("Replace the cat with a dog", videos=0) == []
    assert edits("Replace the cat with a dog", videos=1) == [("replace", "cat", "dog")]


def test_a_video_that_lends_its_camera_is_not_edited() -> None:
    assert edits("Use the camera movement of video 1. A woman adds sugar to her tea.") == []


@pytest.mark.parametrize(
    "prompt",
    [
        "Extend video 1 forward, the car drives on",
        "Continue video 1: the car drives on",
        "向后延长视频1，汽车继续行驶",
        "接着视频1续写",
        "動画1の続きを作る",
        "Extiende el video 1, el coche sigue",
        "Continue o vídeo 1: o carro segue",
        "Lanjutkan video 1",
    ],
)
def test_a_video_is_gone_on_from(prompt: str) -> None:
    plan = plan_of(prompt)
    assert (plan.extension, plan.edits) == (Extension.FORWARD, ())


@pytest.mark.parametrize(
    "prompt",
    [
        "Extend video 1 backward: how the man arrived",
        "向前延长视频1，男孩在踢足球",
        "動画1の前を延長",
        "Extiende el video 1 hacia atrás",
        "Estenda o vídeo 1 para trás",
        "Perpanjang video 1 ke belakang",
    ],
)
def test_what_came_before_a_video_is_asked_for(prompt: str) -> None:
    assert plan_of(prompt).extension is Extension.BACKWARD


def test_somebody_who_goes_on_extends_no_video() -> None:
    assert plan_of("The man continues walking").extension is None
    assert plan_of("Join video 1 and video 2").extension is None
