"""Changes of a given video in the many ways in which people order them, in six languages."""

import pytest

from understudy.core.content import Modality
from understudy.engines.previz.plan import Extension, FilmPlan, ReferenceUse
from understudy.engines.previz.planning.planner import plan_film


def plan_of(prompt: str, **given: int) -> FilmPlan:
    return plan_film(prompt, ratio="16:9", duration_s=5, ratios=("16:9",), duration_range_s=(4, 15), **given)


def edits(prompt: str) -> list[tuple[str, str]]:
    return [(edit.kind.value, edit.value or edit.art) for edit in plan_of(prompt).edits]


@pytest.mark.parametrize(
    ("prompt", "kind", "value"),
    [
        ("Video 1: the dog becomes a cat", "replace", "cat"),
        ("In video 1, instead of the dog show a cat", "replace", "cat"),
        ("用一匹马代替视频1里的汽车", "replace", "horse"),
        ("動画1の犬の代わりに猫を出して", "replace", "cat"),
        ("En lugar del perro del video 1 pon un gato", "replace", "cat"),
        ("No vídeo 1, o cachorro vira um gato", "replace", "cat"),
        ("Anjing di video 1 menjadi kucing", "replace", "cat"),
        ("Take the car out of video 1", "remove", ""),
        ("不要视频1里的路人", "remove", ""),
        ("動画1の右側の人を取り除いて", "remove", ""),
        ("Tire a mulher do vídeo 1", "remove", ""),
        ("Have a dragon fly across the sky of video 1", "insert", "dragon"),
        ("在视频1的天空中飞过一条龙", "insert", "dragon"),
        ("動画1の空にドラゴンを飛ばして", "insert", "dragon"),
        ("Haz que aparezca un dragón en el video 1", "insert", "dragon"),
        ("Faça aparecer um dragão no vídeo 1", "insert", "dragon"),
        ("Munculkan seekor naga di video 1", "insert", "dragon"),
        ("Give the woman in video 1 a blue dress", "insert", "dress"),
        ("The car in video 1 should be red", "recolour", "red"),
        ("把视频1里的车涂成红色", "recolour", "red"),
        ("動画1の車を赤くして", "recolour", "red"),
        ("Pinta de rojo el coche del video 1", "recolour", "red"),
        ("Deixe o vestido do vídeo 1 azul", "recolour", "blue"),
        ("Buat mobil di video 1 berwarna biru", "recolour", "blue"),
        ("Place video 1 on a beach", "background", "beach"),
        ("Lleva el video 1 a una playa", "background", "beach"),
        ("Pindahkan video 1 ke pantai", "background", "beach"),
        ("Apply a cyberpunk style to video 1", "style", "cyberpunk"),
        ("视频1套用赛博朋克风格", "style", "cyberpunk"),
        ("動画1に水彩画のスタイルを適用", "style", "watercolor"),
        ("Dale al video 1 un estilo noir", "style", "noir"),
        ("Terapkan gaya cat air pada video 1", "style", "watercolor"),
        ("Video 1 but at night", "time", "night"),
        ("Turn video 1 from day to night", "time", "night"),
        ("Pon el video 1 de noche", "time", "night"),
        ("Let it snow in video 1", "weather", "snow"),
        ("動画1に雪を降らせて", "weather", "snow"),
        ("Haz que nieve en el video 1", "weather", "snow"),
        ("Faça chover no vídeo 1", "weather", "rain"),
        ("Buat hujan turun di video 1", "weather", "rain"),
        ("Sprinkle confetti over video 1", "particles", "confetti"),
        ("動画1に桜を舞わせて", "particles", "petals"),
        ("Beri video 1 kelopak bunga yang berjatuhan", "particles", "petals"),
        ('Change the sign in video 1 to say "OPEN"', "text", "OPEN"),
        ("在视频1上方写上“你好”", "text", "你好"),
        ("動画1の上に「こんにちは」と表示して", "text", "こんにちは"),
        ('Escreva "OLÁ" no topo do vídeo 1', "text", "OLÁ"),
    ],
)
def test_a_change_may_be_ordered_in_many_ways(prompt: str, kind: str, value: str) -> None:
    assert edits(prompt) == [(kind, value)]


@pytest.mark.parametrize(
    ("prompt", "weather", "time"),
    [
        ("Make video 1 a snowy night", "snow", "night"),
        ("Turn the day in video 1 into a rainy evening", "rain", "dusk"),
        ("Make video 1 winter at dusk", "snow", "dusk"),
        ("视频1变成冬天的黄昏", "snow", "dusk"),
        ("動画1を雪の夜に変えて", "snow", "night"),
        ("Convierte el día del video 1 en una noche lluviosa", "rain", "night"),
        ("Transforme o dia do vídeo 1 em uma noite chuvosa", "rain", "night"),
        ("Jadikan video 1 malam bersalju", "snow", "night"),
    ],
)
def test_a_night_of_snow_changes_hour_and_weather(prompt: str, weather: str, time: str) -> None:
    assert edits(prompt) == [("weather", weather), ("time", time)]


@pytest.mark.parametrize(
    "prompt",
    [
        "In video 1 everything stays as it is",
        "Keep video 1 as it is, add more tension",
        "Remove everything except the car from video 1",
        "Use the camera movement of video 1. It is night and a boy becomes a man.",
    ],
)
def test_what_is_no_order_changes_nothing(prompt: str) -> None:
    assert edits(prompt) == []


@pytest.mark.parametrize(
    "prompt",
    [
        "Extend video 1: the camera goes on.",
        "Continue video 1 with a slow camera move",
        "延长视频1，镜头继续推进",
        "動画1を延長、カメラは前進",
        "Extiende el video 1 con la cámara hacia delante",
    ],
)
def test_a_video_that_is_gone_on_from_lends_no_camera(prompt: str) -> None:
    plan = plan_of(prompt)
    assert [reference.use for reference in plan.references] == [ReferenceUse.SOURCE]
    assert plan.extension is Extension.FORWARD


@pytest.mark.parametrize(
    ("prompt", "uses"),
    [
        ("Stitch video 1 and video 2 with a smooth camera transition", [ReferenceUse.SOURCE] * 2),
        ("Edit video 1 so that the camera shakes", [ReferenceUse.SOURCE]),
        ("Make video 1 a snowy night, keep the camera of video 1", [ReferenceUse.SOURCE]),
        ("Replace the dog in video 1 with a cat, same camera movement as video 1", [ReferenceUse.SOURCE]),
        ("Follow video 1's camera through a forest", [ReferenceUse.CAMERA]),
        ("The camera moves like in video 1", [ReferenceUse.CAMERA]),
        ("A girl dances with the choreography of video 1", [ReferenceUse.MOTION]),
    ],
)
def test_a_video_is_worked_on_or_lends_something(prompt: str, uses: list[ReferenceUse]) -> None:
    assert [each.use for each in plan_of(prompt).references if each.modality is Modality.VIDEO] == uses


def test_wide_gaps_between_words_change_nothing() -> None:
    gap = " " * 100
    (edit,) = plan_of(f'Write{gap}"SALE"{gap}on video 1').edits
    assert edit.value == "SALE"
    (edit,) = plan_of(f"Replace the man in video 1{gap}with the robot{gap}from image 2").edits
    assert edit.image == 2
    assert plan_of(("make" + " " * 290 + ".") * 34, videos=1).edits == ()
