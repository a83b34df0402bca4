"""Which given media a prompt names, in every spelling, and what for."""

import pytest

from understudy.core.content import Modality
from understudy.engines.previz.plan import FilmPlan, ReferenceUse, SettingKind
from understudy.engines.previz.planning.planner import plan_film
from understudy.reading.references import Given, namings_in, with_marks


def plan_of(prompt: str, **given: int) -> FilmPlan:
    return plan_film(prompt, ratio="16:9", duration_s=5, ratios=("16:9",), duration_range_s=(4, 15), **given)


def named(prompt: str, given: Given | None = None) -> list[tuple[str, int]]:
    return [(naming.modality.value, number) for naming in namings_in(prompt, given) for number in naming.numbers]


def uses(prompt: str, **given: int) -> dict[tuple[str, int], str]:
    references = plan_of(prompt, **given).references
    return {(reference.modality.value, reference.number): reference.use.value for reference in references}


def shown(prompt: str, **given: int) -> list[tuple[str, tuple[int, ...]]]:
    return [(subject.art, subject.images) for subject in plan_of(prompt, **given).main.subjects]


@pytest.mark.parametrize(
    "spelling",
    [
        "@image1", "@Image1", "@image 1", "@图1", "@图片1", "＠图片1", "@image_file_1", "@1", "[image 1]", "[Image1]",
        "[图1]", "【图1】", "image 1", "Image #1", "picture 1", "image one", "the first image", "the 1st picture",
        "第一张图", "第1张图片", "图片1", "图一", "图片一", "画像1", "一枚目の画像", "1枚目の画像", "imagen 1",
        "la primera imagen", "imagem 1", "a primeira imagem", "gambar 1", "gambar pertama", "gambar ke-1", "@gambar1",
        "the reference image", "参考图1",
    ],
)  # fmt: skip
def test_an_image_is_named_in_every_spelling(spelling: str) -> None:
    assert named(f"{spelling} , 花")[:1] == [("image", 1)]


@pytest.mark.parametrize(
    ("spelling", "modality"),
    [
        ("video 2", "video"), ("@Video2", "video"), ("视频2", "video"), ("第二个视频", "video"), ("動画2", "video"),
        ("vídeo 2", "video"), ("the second video", "video"), ("video kedua", "video"), ("audio 2", "audio"),
        ("@音频2", "audio"), ("音声2", "audio"), ("áudio 2", "audio"), ("第二段音频", "audio"),
        ("el segundo audio", "audio"),
    ],
)  # fmt: skip
def test_videos_and_sounds_are_counted_for_themselves(spelling: str, modality: str) -> None:
    assert named(f"as in {spelling} now") == [(modality, 2)]


@pytest.mark.parametrize(
    ("prompt", "numbers"),
    [
        ("images 1-3", [1, 2, 3]),
        ("images 1 to 3", [1, 2, 3]),
        ("image 1, 2 and 3", [1, 2, 3]),
        ("图1-图3", [1, 2, 3]),
        ("图1和图2", [1, 2]),
        ("图片1、2、3", [1, 2, 3]),
        ("imágenes 1 y 2", [1, 2]),
        ("imagens 1 e 2", [1, 2]),
        ("gambar 1 dan 2", [1, 2]),
        ("画像1と画像2", [1, 2]),
        ("image 1, 2 dogs run", [1]),
        ("image 1, 2-4s: a dog", [1]),
    ],
)
def test_ranges_and_lists_name_each_of_them(prompt: str, numbers: list[int]) -> None:
    assert [number for _, number in named(prompt)] == numbers


@pytest.mark.parametrize("prompt", ["image 1080", "a 4k image", "视频一开始是海", "a video of 2 dogs", "imagine 1 cat"])
def test_other_numbers_name_nothing(prompt: str) -> None:
    assert named(prompt) == []


def test_what_is_not_given_is_not_named() -> None:
    assert named("image 1, image 3 and video 1", Given(images=2, videos=0)) == [("image", 1)]
    assert uses("@image3 waves beside @image1", images=2) == {("image", 1): "subject"}
    assert shown("@image3 waves beside @image1", images=2) == [("", (1,))]


def test_the_last_image_is_the_last_that_is_given() -> None:
    assert named("the last image", Given(images=4)) == [("image", 4)]


def test_the_video_is_the_only_one_given_when_none_is_numbered() -> None:
    assert named("Make the video brighter", Given(videos=1)) == [("video", 1)]
    assert named("Make the video brighter", Given(videos=0)) == []


@pytest.mark.parametrize(
    ("prompt", "use"),
    [
        ("First frame is image 1: a hand picks an apple", "first_frame"),
        ("Start with image 1, a hand picks an apple", "first_frame"),
        ("首帧为图片1", "first_frame"),
        ("以图片1作为首帧", "first_frame"),
        ("最初のフレームは画像1", "first_frame"),
        ("la imagen 1 como primer fotograma", "first_frame"),
        ("o primeiro quadro é a imagem 1", "first_frame"),
        ("gambar 1 sebagai frame pertama", "first_frame"),
        ("final frame freezes on image 1", "last_frame"),
        ("The film ends on image 1", "last_frame"),
        ("定格在图片1", "last_frame"),
        ("最後のフレームは画像1", "last_frame"),
        ("termina con la imagen 1", "last_frame"),
        ("quadro final é a imagem 1", "last_frame"),
        ("diakhiri dengan gambar 1", "last_frame"),
        ("A cat in the style of image 1", "style"),
        ("图1的风格，一只猫", "style"),
        ("A cat sits, image 1 as the background", "setting"),
        ("一只猫，背景用图1", "setting"),
        ("A cat runs in the room of image 1", "setting"),
        ("a woman wearing the jacket from image 1", "worn"),
        ("a man holding the sword from image 1", "prop"),
        ("the girl from image 1 dances", "subject"),
        ("image 1's girl dances", "subject"),
        ("图1中的女孩跳舞", "subject"),
        ("画像1の女の子が踊る", "subject"),
        ("la chica de la imagen 1 baila", "subject"),
        ("a menina da imagem 1 dança", "subject"),
        ("gadis dari gambar 1 menari", "subject"),
        ("@image1 dances", "subject"),
    ],
)
def test_the_words_around_an_image_say_what_it_is_for(prompt: str, use: str) -> None:
    assert uses(prompt) == {("image", 1): use}


@pytest.mark.parametrize(
    ("prompt", "key", "use"),
    [
        ("Use video 1's first-person perspective throughout", ("video", 1), "camera"),
        ("参考视频1的运镜", ("video", 1), "camera"),
        ("動画1のカメラワークを参考に", ("video", 1), "camera"),
        ("A man dances with the moves of video 1", ("video", 1), "motion"),
        ("Extend video 1 forward", ("video", 1), "source"),
        ("Turn video 1 into anime style", ("video", 1), "source"),
        ("use audio 1 as the background music", ("audio", 1), "music"),
        ("音声1をBGMとして使用", ("audio", 1), "music"),
        ("cut to the beat of audio 1", ("audio", 1), "rhythm"),
        ("he speaks with the voice of audio 1", ("audio", 1), "voice"),
        ("用音频1的音色说话", ("audio", 1), "voice"),
        ("rain falls, audio 1", ("audio", 1), "sound"),
    ],
)
def test_videos_and_sounds_have_uses(prompt: str, key: tuple[str, int], use: str) -> None:
    assert uses(prompt)[key] == use


def test_a_change_from_one_image_to_another_has_two_ends() -> None:
    assert uses("Transition from image 1 to image 2") == {("image", 1): "first_frame", ("image", 2): "last_frame"}
    assert uses("从图1过渡到图2") == {("image", 1): "first_frame", ("image", 2): "last_frame"}


def test_a_nominated_frame_outweighs_what_else_is_said_of_the_image() -> None:
    assert uses("You lift the tea from image 1, final frame freezes on image 1")["image", 1] == "last_frame"


def test_a_thing_that_appears_in_a_frame_is_not_that_frame() -> None:
    assert uses("The logo from image 1 appears in the final frame") == {("image", 1): "subject"}


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("@image1 and @image2 meet in the garden", [("", (1,)), ("", (2,))]),
        ("[image 1] a girl in red, [image 2] a cat. The girl holds the cat.", [("girl", (1,)), ("cat", (2,))]),
        ("[图1]是女孩，[图2]是她的猫。女孩抱着猫", [("girl", (1,)), ("cat", (2,))]),
        ("image 1 and 2 show the same girl. She dances.", [("girl", (1, 2))]),
        ("The girl (image 1) hugs the dog (image 2)", [("girl", (1,)), ("dog", (2,))]),
        ("画像1の女の子と画像2の犬が遊ぶ", [("girl", (1,)), ("dog", (2,))]),
        ("[image 1] front view of the robot, [image 2] side view of the robot", [("robot", (1, 2))]),
    ],
)
def test_images_belong_to_the_subjects_they_show(prompt: str, expected: list[tuple[str, tuple[int, ...]]]) -> None:
    assert shown(prompt) == expected


def test_one_image_is_one_subject_however_often_it_is_named() -> None:
    assert shown("@image1 waves. Then @image1 jumps.") == [("", (1,))]


def test_nine_images_are_nine_subjects() -> None:
    prompt = ", ".join(f"@image{number}" for number in range(1, 10)) + " dance"
    assert [images for _, images in shown(prompt)] == [(number,) for number in range(1, 10)]


def test_an_image_of_a_place_is_the_backdrop() -> None:
    shot = plan_of("The cat sleeps in the kitchen of image 2").main
    assert (shot.setting, shot.setting_image) == (SettingKind.KITCHEN, 2)


def test_a_voice_says_the_line_beside_it() -> None:
    lines = plan_of('A man says "Hi" with the voice of audio 2. A woman says "Bye".').lines
    assert [line.audio for line in lines] == [2, 0]


def test_marks_keep_every_place_of_the_text() -> None:
    prompt = "The girl from image 1 meets @图2"
    marked = with_marks(prompt, namings_in(prompt))
    assert len(marked) == len(prompt)
    assert marked.index(" meets") == prompt.index(" meets")
    assert "image" not in marked


def test_an_image_of_which_nothing_is_said_is_still_in_the_plan() -> None:
    (reference,) = plan_of("image 1").references
    assert (reference.modality, reference.use) == (Modality.IMAGE, ReferenceUse.SUBJECT)
