"""Properties of the planner that hold for every prompt, and its single decisions."""

import random
from dataclasses import replace

import pytest

from understudy.engines.previz.art import art_ids
from understudy.engines.previz.plan import (
    Action,
    CameraMove,
    FilmPlan,
    Framing,
    SettingKind,
    SoundCue,
    TimeOfDay,
    Weather,
)
from understudy.engines.previz.planning.plan_rules import faults_of
from understudy.engines.previz.planning.planner import plan_film
from understudy.reading.lexicon import table

RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")

ODD = [
    "",
    " ",
    "\n\n",
    ".",
    "?!,;:",
    "😀😀",
    "👨‍👩‍👧",
    '"',
    '""',
    "'",
    "“",
    "「",
    "says:",
    'A man says: "',
    "男人说：",
    "1",
    "0 cats",
    "007",
    "②",
    "\x00",
    "\ud83d",
    "no",
    "没有",
    "なし",
    "-",
    "@image1",
    "of the in with",
    "wearing",
    "Привет, кот",
    "안녕",
    "مرحبا",
    "ß",
    "İ",
    "ﬁsh",
    "a" * 10_000,
    "猫" * 10_000,
    '"a" ' * 2_500,
    "no " * 3_000,
    "0-2s: a cat. " * 700,
    "@image1 " * 1_000,
    "作为" * 3_000 + "图1",
    "de " * 3_000,
    "video 1 " + "the  " * 2_000 + "to night",
    "cut to " * 1_000,
]


WORDS = (
    "role", "setting", "action", "art", "camera", "count", "colour", "voice", "sound", "weather", "medium", "use",
    "link", "cut", "shot_word", "text", "place", "mount", "extension",
)  # fmt: skip


def plan_of(prompt: str, *, ratio: str = "adaptive", duration_s: int = -1) -> FilmPlan:
    return plan_film(prompt, ratio=ratio, duration_s=duration_s, ratios=RATIOS, duration_range_s=(4, 15))


def is_sound(plan: FilmPlan) -> bool:
    """Whether a plan keeps the promises of plan.py."""
    return not list(faults_of(plan, arts=art_ids(), ratios=RATIOS, duration_range_s=(4, 15)))


@pytest.mark.parametrize("prompt", ODD, ids=lambda prompt: ascii(prompt)[:24])
def test_no_prompt_is_too_odd(prompt: str) -> None:
    assert is_sound(plan_of(prompt))


def test_any_words_in_any_order_make_a_sound_plan() -> None:
    words = sorted({word for name in WORDS for row in table(name) for listed in row.words.values() for word in listed})
    words += ["1", "2", "image 1", "@图2", "0-2s:", "3s", "Shot 1:", "镜头二：", "“你好”", '"Hi"', "'s", "."] * 40
    chance = random.Random(4)
    for _ in range(1500):
        prompt = chance.choice((" ", "", ", ", '"')).join(chance.choices(words, k=chance.randint(1, 9)))
        assert is_sound(plan_of(prompt)), prompt


def test_an_unsound_plan_is_found() -> None:
    plan = plan_of("a cat")
    many = replace(plan.main.subjects[0], count=6)
    for wrong in (replace(plan.main, props=("no-such-thing",)), replace(plan.main, subjects=(many,))):
        assert not is_sound(replace(plan, shots=(wrong,)))


def test_the_same_prompt_gives_the_same_plan() -> None:
    prompt = "Two red foxes and an owl run through the snowy woods at night, “Wait for me!”"
    assert plan_of(prompt) == plan_of(prompt)


def test_an_empty_prompt_is_an_empty_meadow_by_day() -> None:
    plan = plan_of("")
    assert (plan.main.subjects, plan.main.setting, plan.lines, plan.main.sounds) == ((), SettingKind.MEADOW, (), ())


def test_what_is_asked_for_is_not_chosen() -> None:
    plan = plan_of("A vertical video, 2-9s", ratio="4:3", duration_s=6)
    assert (plan.ratio, plan.duration_s) == ("4:3", 6)


@pytest.mark.parametrize(
    ("prompt", "ratio"),
    [
        ("A cat on a sofa", "16:9"),
        ("Vertical phone video of a cat", "9:16"),
        ("竖屏，一只猫", "9:16"),
        ("Fashion poster, a woman in a coat", "3:4"),
        ("A square album cover of a moon", "1:1"),
        ("Panorama of the desert", "21:9"),
        ("Cinematic wide shot of a train", "21:9"),
    ],
)
def test_an_adaptive_ratio_follows_the_words(prompt: str, ratio: str) -> None:
    assert plan_of(prompt).ratio == ratio


def test_an_adaptive_ratio_is_the_nearest_that_is_offered() -> None:
    plan = plan_film("vertical video", ratio="adaptive", duration_s=5, ratios=("16:9", "1:1"), duration_range_s=(4, 15))
    assert plan.ratio == "1:1"


@pytest.mark.parametrize(
    ("prompt", "duration_s"),
    [
        ("A cat", 5),
        ("0-3s: a cat sleeps. 3-8s: it wakes up.", 8),
        ("0-3s a cat, 3-20s a dog", 15),
        ("0-2秒：一只猫。2到9秒：一只狗。", 9),
    ],
)
def test_a_chosen_duration_follows_time_codes(prompt: str, duration_s: int) -> None:
    assert plan_of(prompt).duration_s == duration_s


def test_a_longer_line_takes_a_longer_film() -> None:
    short, long = 'A man says "Hello."', f'A man says "{"Hello to all of you. " * 6}"'
    assert plan_of(short).duration_s < plan_of(long).duration_s


@pytest.mark.parametrize(
    "prompt",
    [
        "A cat in a street, no rain",
        "A cat in a street without rain or snow",
        "A cat, it is not raining",
        "一只猫在街道上，没有雨",
        "街の猫、雨は降っていない",
        "Un gato en la calle, sin lluvia",
        "Um gato na rua, sem chuva",
        "Kucing di jalan kota tanpa hujan",
    ],
)
def test_a_negated_weather_is_not_there(prompt: str) -> None:
    assert plan_of(prompt).main.weather is Weather.CLEAR


def test_a_negation_reaches_no_further_than_its_clause() -> None:
    plan = plan_of("No music, heavy rain, a dog without a hat running in the forest")
    assert plan.main.weather is Weather.RAIN
    assert plan.main.setting is SettingKind.FOREST
    assert [(subject.art, subject.wears, subject.action) for subject in plan.main.subjects] == [("dog", (), Action.RUN)]
    assert SoundCue.MUSIC not in plan.main.sounds


def test_no_music_leaves_no_mood_to_play() -> None:
    assert plan_of("A calm forest").main.mood == "calm"
    assert plan_of("A calm forest, no music").main.mood == ""


def test_words_of_a_quoted_line_drive_no_picture() -> None:
    plan = plan_of('A man in an office says: "A dragon flies over the snowy beach at night, zoom in, thunder!"')
    assert [subject.art for subject in plan.main.subjects] == ["man"]
    assert plan.main.setting is SettingKind.OFFICE
    assert (plan.main.weather, plan.main.camera, plan.main.sounds) == (Weather.CLEAR, CameraMove.STATIC, ())


@pytest.mark.parametrize(
    "prompt",
    [
        'A man says: "Hello, welcome!"',
        "A man says: “Hello, welcome!”",
        "A man says: 「Hello, welcome!」",
        "A man says: 『Hello, welcome!』",
        "A man says: «Hello, welcome!»",
        "A man says: 'Hello, welcome!'",
        "A man says: Hello, welcome!",
        '"Hello, welcome!" says a man.',
        'A man says: "Hello, welcome!',
    ],
)
def test_a_line_is_found_between_any_quotation_marks(prompt: str) -> None:
    plan = plan_of(prompt)
    assert [(line.text, line.speaker, line.voice) for line in plan.lines] == [("Hello, welcome!", 0, "male")]


@pytest.mark.parametrize(
    "prompt",
    ['A shop sign reading "OPEN"', "A drink of the brand 'Peace Apple'", 'A film titled "Rain"', "招牌上写着“欢迎”"],
)
def test_a_quoted_name_is_not_spoken(prompt: str) -> None:
    assert plan_of(prompt).lines == ()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Good morning to you", "en"),
        ("你好，欢迎", "zh"),
        ("こんにちは", "ja"),
        ("Hola, ¿cómo estás?", "es"),
        ("Bom dia, você está bem?", "pt"),
        ("Selamat pagi, apa kabar?", "id"),
        ("Bonjour, vous êtes très belle", "fr"),
        ("안녕하세요", "ko"),
        ("Привет", "ru"),
    ],
)
def test_a_line_has_its_own_language(text: str, language: str) -> None:
    assert plan_of(f'A woman says "{text}"').lines[0].language == language


def test_voices_follow_the_words() -> None:
    prompt = 'A woman says "Hi" in a cafe. A boy answers: "Hello". A narrator in a deep male voice: "The end."'
    plan = plan_of(prompt)
    assert [(line.speaker, line.voice) for line in plan.lines] == [(0, "female"), (1, "child"), (None, "male")]


def test_at_most_five_subjects_are_kept_in_order() -> None:
    plan = plan_of("A cat, a dog, a horse, a cow, a pig and a duck walk on a farm")
    assert [subject.art for subject in plan.main.subjects] == ["cat", "dog", "horse", "cow", "pig"]


def test_the_camera_is_no_subject_and_its_verbs_move_no_subject() -> None:
    plan = plan_of("A fox sits on a rock while the camera circles around it and rises")
    assert [(subject.art, subject.action) for subject in plan.main.subjects] == [("fox", Action.SIT)]
    assert plan.main.camera is CameraMove.ORBIT


def test_a_verb_of_a_subject_moves_no_camera() -> None:
    assert plan_of("A dog follows a man through the park").main.camera is CameraMove.STATIC


def test_a_film_without_subjects_is_wide() -> None:
    assert plan_of("Snowy mountains").main.framing is Framing.WIDE
    assert plan_of("A cat").main.framing is Framing.MEDIUM


def test_the_strongest_weather_is_drawn() -> None:
    assert plan_of("A street in the rain and a light wind").main.weather is Weather.RAIN
    assert plan_of("A street in the wind and a thunderstorm").main.weather is Weather.STORM


def test_a_voice_that_is_named_beats_the_voice_of_the_speaker() -> None:
    assert plan_of('A man says in a female voice: "Hello"').lines[0].voice == "female"


def test_a_voice_off_screen_has_no_speaker() -> None:
    assert plan_of('A man walks home, background voice: "It was late"').lines[0].speaker is None


def test_adverbs_part_no_phrase() -> None:
    assert plan_of("A cat, dolly very slowly out").main.camera is CameraMove.PULL_OUT


def test_the_person_is_who_was_named_before() -> None:
    plan = plan_of("A detective stands in the street. The person walks away. The man jumps.")
    assert [(subject.art, subject.action) for subject in plan.main.subjects] == [("detective", Action.WALK)]


def test_the_stronger_shape_wins() -> None:
    assert plan_of("A poster, vertical video").ratio == plan_of("A vertical video, poster").ratio == "9:16"


def test_a_vessel_is_a_prop_of_what_it_holds() -> None:
    plan = plan_of("A basket of strawberries on a table")
    assert [subject.art for subject in plan.main.subjects] == ["strawberry"]
    assert plan.main.props[0] == "basket"


def test_a_verb_after_an_article_is_a_noun() -> None:
    assert plan_of("A fox after a run").main.subjects[0].action is Action.IDLE
    assert plan_of("A running fox").main.subjects[0].action is Action.RUN


def test_what_is_driven_or_ridden_moves() -> None:
    assert [subject.action for subject in plan_of("A dog drives a car").main.subjects] == [Action.DRIVE] * 2
    assert [subject.action for subject in plan_of("A man rides a horse").main.subjects] == [Action.DRIVE, Action.RUN]


@pytest.mark.parametrize(("prompt", "weather"), [("雨夜的街道", Weather.RAIN), ("雪夜的街道", Weather.SNOW)])
def test_a_night_of_rain_is_a_night_too(prompt: str, weather: Weather) -> None:
    seen = plan_of(prompt)
    assert (seen.main.weather, seen.main.time_of_day) == (weather, TimeOfDay.NIGHT)


def test_a_flight_over_mountains_is_seen_by_who_flies() -> None:
    plan = plan_of("Flying over snowy mountains, aerial FPV")
    assert (plan.main.setting, plan.main.camera, plan.main.subjects) == (SettingKind.MOUNTAINS, CameraMove.POV, ())


@pytest.mark.parametrize(
    "prompt",
    [
        "A boy on a bicycle",
        "A boy rides a bicycle in a park",
        "男孩骑着自行车",
        "男の子が自転車に乗って走る",
        "Un niño monta en bicicleta",
        "Um menino anda de bicicleta",
        "Anak laki-laki naik sepeda",
    ],
)
def test_who_rides_is_told_from_what_is_ridden(prompt: str) -> None:
    rider, ridden = plan_of(prompt).main.subjects
    assert (rider.art, rider.rides, rider.action) == ("boy", 1, Action.DRIVE)
    assert (ridden.art, ridden.rides, ridden.action) == ("bicycle", None, Action.DRIVE)


def test_a_man_in_a_boat_sits() -> None:
    man, boat = plan_of("A man in a boat on a lake").main.subjects
    assert (man.rides, man.action, boat.art) == (1, Action.SIT, "sailboat")


def test_nobody_rides_what_he_only_stands_by() -> None:
    for prompt in ("A man in front of a car", "A man sits on a bench feeding a horse", "A boy runs. A bicycle."):
        assert [subject.rides for subject in plan_of(prompt).main.subjects] == [None, None]


@pytest.mark.parametrize(
    "prompt",
    [
        "A girl in a red dress",
        "A girl wearing a red dress",
        "穿红裙的女孩",
        "赤いドレスの少女",
        "Una niña con vestido rojo",
        "Uma menina de vestido vermelho",
        "Gadis bergaun merah",
    ],
)
def test_the_dress_has_the_colour_and_not_the_girl(prompt: str) -> None:
    (girl,) = plan_of(prompt).main.subjects
    assert (girl.art, girl.wears, girl.wears_tint, girl.tint) == ("girl", ("dress",), "red", "")


def test_each_stands_on_the_side_that_is_said_of_it() -> None:
    subjects = plan_of("A cat on the left and a dog on the right. The camera pans to the left.").main.subjects
    assert [(subject.art, subject.place) for subject in subjects] == [("cat", "left"), ("dog", "right")]


@pytest.mark.parametrize("prompt", ["A cat sits, petals fall", "Un gato duerme mientras caen pétalos"])
def test_petals_fall_by_themselves(prompt: str) -> None:
    assert plan_of(prompt).main.subjects[0].action is not Action.FALL


def test_what_follows_who_or_that_is_said_of_the_noun() -> None:
    assert plan_of("The camera pushes in on a woman sitting by a window").main.subjects[0].action is Action.SIT
    assert plan_of("Crane turun ke taksi yang melaju").main.subjects[0].action is Action.DRIVE
