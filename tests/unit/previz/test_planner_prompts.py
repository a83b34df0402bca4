"""What a person would say each prompt names, and the plan that says the same.

A case asserts only what its words name. The list was written before the vocabulary was tuned to it.
"""

from typing import Any

import pytest

from understudy.engines.previz.plan import FINER, FilmPlan, Shot
from understudy.engines.previz.planning.planner import plan_film

RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")

FRUIT_TEA = (
    "Use video 1's first-person perspective throughout, and use audio 1 as the background music throughout. "
    "First-person POV fruit tea advertisement for seedance brand 'Peace Apple' apple fruit tea limited edition. First "
    "frame is image 1: your hand picks a dewy Aksu red apple with a crisp apple collision sound. 2-4s: quick cut, your "
    "hand drops apple chunks into a shaker cup, adds ice and tea base, shakes vigorously, ice collision and shaking "
    "sounds sync with upbeat drum beats, background voice: 'Fresh-cut, fresh-shaken'. 4-6s: first-person close-up of "
    "the finished product, layered fruit tea poured into a clear cup, your hand gently squeezes cream cap spreading on "
    "top, sticks a pink label on the cup, camera zooms in on the layered texture of cream cap and fruit tea. 6-8s: "
    "first-person handheld cup raise, you lift the fruit tea from image 2 toward the camera (simulating handing it to "
    "the viewer), cup label clearly visible, background voice 'Take a sip of freshness', final frame freezes on image "
    "2. Background voice consistently uses a female tone."
)
MOON_LINE = "Remember, you must never point your finger at the moon."

SEEDS: list[tuple[str, dict[str, Any]]] = [
    (  # seed 000, line 59
        "A cute baby sea otter wearing a beret, rolling in a spring courtyard with falling cherry blossoms",
        {"arts": ["otter"], "action": "roll", "wears": ["womans-hat"], "setting": "courtyard", "season": "spring",
         "particles": ["petals"], "camera": "static", "count": 1, "time": "day", "weather": "clear"},
    ),
    (  # seed 000, line 72
        "Camera pushes from the courtyard slowly into the room",
        {"arts": [], "camera": "push_in", "setting": "courtyard"},
    ),
    ("Camera pushes in slowly", {"arts": [], "camera": "push_in"}),  # seed 000, line 141
    ("@image1 and @image2 meet in the garden", {"setting": "garden"}),  # seed 000, line 85
    (  # seed 000, line 110
        "Harbor at dusk, seagulls gliding past",
        {"arts": ["dove"], "action": "fly", "setting": "harbor", "time": "dusk", "sounds": ["gulls"], "many": True},
    ),
    (  # seed 001, line 125
        "A cat yawning at the camera, soft lighting, close-up shot",
        {"arts": ["cat"], "action": "yawn", "framing": "close_up", "camera": "static"},
    ),
    (  # seed 001, line 147
        "The girl opens her eyes and looks at the camera gently",
        {"arts": ["girl"], "camera": "static", "action": "idle"},
    ),
    (  # seed 001, line 240
        "Extend video 1 forward, the car drives into a desert oasis",
        {"arts": ["automobile"], "action": "drive", "setting": "desert", "sounds": ["engine"]},
    ),
    ("A kitten yawning at the camera", {"arts": ["cat"], "action": "yawn", "camera": "static"}),  # seed 002, line 20
    ("The kitten stands up and walks toward the camera", {"arts": ["cat"], "action": "walk"}),  # seed 002, line 629
    ("Transition from day to night", {"arts": [], "time": "dusk"}),  # seed 002, line 640
    ("Convert the video style to anime style", {"arts": [], "style": "anime"}),  # seed 002, line 654
    ("A scene of a person speaking", {"arts": ["person"], "action": "speak"}),  # seed 002, line 664
    (  # seed 002, line 677
        f'A man stops a woman and says: "{MOON_LINE}"',
        {"arts": ["man", "woman"], "lines": [(MOON_LINE, 0, "en", "male")], "time": "day"},
    ),
    ("City nightscape timelapse photography", {"arts": [], "setting": "city", "time": "night"}),  # seed 002, line 698
    (  # seed 002, line 711
        FRUIT_TEA,
        {"has": ["red-apple"], "camera": "pov", "sounds": ["drums", "music"],
         "lines": [("Fresh-cut, fresh-shaken", None, "en", "female"),
                   ("Take a sip of freshness", None, "en", "female")]},
    ),
    (  # seed 002, line 731
        "The character walks naturally on a city street under bright sunshine",
        {"arts": ["person"], "action": "walk", "setting": "street", "weather": "clear", "time": "day"},
    ),
    (  # seed 002, line 743
        "Using the reference portrait, the character walks elegantly toward the camera",
        {"arts": ["person"], "action": "walk"},
    ),
    (  # seed 002, line 760
        "The character strolls in a park with a gentle breeze",
        {"arts": ["person"], "action": "walk", "setting": "garden", "weather": "wind"},
    ),
    (  # seed 002, line 774
        "The character dances to the rhythm of the reference video with smooth and natural movements",
        {"arts": ["person"], "action": "dance"},
    ),
]  # fmt: skip

ENGLISH: list[tuple[str, dict[str, Any]]] = [
    ("An old fisherman rowing a boat in a storm", {"main": "old-man", "weather": "storm", "setting": "sea"}),
    ("A samurai walks through a bamboo forest in the rain at night",
     {"arts": ["ninja"], "action": "walk", "setting": "forest", "weather": "rain", "time": "night"}),
    ("Two dogs running on the beach at sunset, tracking shot",
     {"arts": ["dog"], "count": 2, "action": "run", "setting": "beach", "time": "dusk", "camera": "track"}),
    ("A red car speeds down a mountain road, drone shot rising",
     {"arts": ["automobile"], "tint": "red", "action": "drive", "setting": "road", "camera": "crane_up"}),
    ("An astronaut floating in space, the camera slowly orbits around him",
     {"arts": ["astronaut"], "action": "float", "setting": "space", "camera": "orbit"}),
    ("A chef cooking in a busy kitchen, handheld camera, warm light",
     {"arts": ["cook"], "setting": "kitchen", "camera": "handheld"}),
    ("Fireflies over a misty meadow at midnight, no music",
     {"arts": [], "particles": ["fireflies"], "setting": "meadow", "time": "night", "weather": "fog", "sounds": []}),
    ("A penguin and a polar bear dancing on the ice while it snows",
     {"arts": ["penguin", "polar-bear"], "action": "dance", "setting": "snowfield", "weather": "snow"}),
    ("Cinematic wide shot of a lone wolf howling at the moon on a snowy mountain",
     {"arts": ["wolf"], "framing": "wide", "style": "cinematic", "setting": "mountains", "time": "night"}),
    ("A girl in a red dress sings on stage, applause",
     {"arts": ["girl"], "action": "sing", "wears": ["dress"], "setting": "stage", "sounds": ["applause"]}),
    ("A detective with a hat walks down a dark alley, film noir, rain, thunder",
     {"arts": ["detective"], "action": "walk", "setting": "street", "style": "noir", "weather": "rain",
      "sounds": ["thunder"]}),
    ("Dolly out from a sleeping baby in a cozy bedroom",
     {"arts": ["baby"], "action": "sleep", "setting": "room", "camera": "pull_out", "mood": "calm"}),
    ("Pan left across the office while a woman says “Good morning, everyone!”",
     {"arts": ["woman"], "setting": "office", "camera": "pan_left",
      "lines": [("Good morning, everyone!", 0, "en", "female")]}),
    ("Tilt up to a rocket rising into the sky at dawn",
     {"arts": ["rocket"], "action": "rise", "camera": "tilt_up", "time": "dawn"}),
    ("A school of tropical fish swimming among coral, bubbles rising, underwater",
     {"arts": ["tropical-fish"], "action": "swim", "setting": "underwater", "particles": ["bubbles"], "many": True}),
    ("A knight on a white horse gallops across the desert, dust flying",
     {"has": ["horse"], "setting": "desert", "particles": ["dust"]}),
    ("Tomatoes falling into a bowl, studio lighting, extreme close-up",
     {"main": "tomato", "action": "fall", "setting": "studio", "framing": "close_up", "many": True}),
    ("A robot waves at a little boy. The boy says \"Hi there!\"",
     {"arts": ["robot", "boy"], "action": "wave", "lines": [("Hi there!", 1, "en", "child")]}),
    ("A sailboat on a calm sea without wind, seagulls crying",
     {"main": "sailboat", "setting": "sea", "weather": "clear", "sounds": ["gulls"]}),
    ("A black cat with yellow eyes sits on a windowsill while rain falls outside",
     {"arts": ["black-cat"], "action": "sit", "weather": "rain", "setting": "room"}),
    ("Birthday party: children jumping, confetti everywhere, joyful music",
     {"main": "child", "action": "jump", "particles": ["confetti"], "sounds": ["music"], "mood": "joyful"}),
    ("A sign reading \"Rain\" hangs over a sunny farm where a cow eats grass",
     {"main": "cow", "action": "eat", "setting": "farm", "weather": "clear", "lines": []}),
    ("POV walking through autumn woods, leaves falling, footsteps",
     {"camera": "pov", "setting": "forest", "season": "autumn", "particles": ["leaves"], "sounds": ["footsteps"]}),
    ("A bear is not dancing but sleeping by a campfire, crickets chirping",
     {"arts": ["bear"], "action": "sleep", "sounds": ["fire", "crickets"]}),
    ("A grumblefoot dancing in the snow", {"main": "", "word": "grumblefoot", "action": "dance", "weather": "snow"}),
    ("The crane shot descends over a busy harbor with ships", {"camera": "crane_down", "setting": "harbor"}),
    ("Portrait phone video of a woman drinking bubble tea in the street",
     {"arts": ["woman"], "wears": ["bubble-tea"], "setting": "street", "ratio": "9:16"}),
    ("A butterfly lands on a sunflower in a watercolor garden",
     {"main": "butterfly", "setting": "garden", "style": "watercolor"}),
    ("A group of elephants walking across the savanna in the golden hour",
     {"arts": ["elephant"], "count": 5, "action": "walk", "setting": "meadow", "time": "dusk"}),
    ("A ghost floats through an abandoned castle, eerie atmosphere, fog",
     {"main": "ghost", "action": "float", "mood": "tense", "weather": "fog"}),
    ("The narrator says: \"Once upon a time.\" A dragon flies over the mountains.",
     {"arts": ["dragon"], "action": "fly", "setting": "mountains",
      "lines": [("Once upon a time.", None, "en", "")]}),
    ("A purple octopus playing the drums underwater",
     {"arts": ["octopus"], "tint": "purple", "setting": "underwater", "sounds": ["drums"]}),
    ("A tree grows from a seed, time lapse, static shot", {"action": "grow", "camera": "static"}),
    ("A dog barks at a train passing, church bells in the distance",
     {"main": "dog", "sounds": ["bark", "bell"]}),
    ("Three ducks swim on a quiet lake; ripples, birdsong",
     {"arts": ["duck"], "count": 3, "action": "swim", "setting": "river", "sounds": ["birds"]}),
    ("A ballerina spins on a stage under a spotlight, 360 degree camera",
     {"action": "spin", "setting": "stage", "camera": "orbit"}),
    ("A boy flying a kite on a windy hill", {"main": "boy", "weather": "wind", "setting": "meadow"}),
    ("Hot air balloons drift over the valley at sunrise",
     {"main": "hot-air-balloon", "action": "float", "time": "dawn"}),
    ("A cyberpunk city street at night, neon signs, heavy rain, a lone figure with an umbrella walks away",
     {"setting": "street", "time": "night", "weather": "rain", "style": "cyberpunk", "action": "walk"}),
    ("Slow motion shot of a horse jumping over a fence, medium shot",
     {"main": "horse", "action": "jump", "framing": "medium"}),
]  # fmt: skip

LANGUAGES: list[tuple[str, dict[str, Any]]] = [
    ("一只戴着贝雷帽的可爱小海獭在春天的庭院里打滚，樱花飘落",
     {"arts": ["otter"], "wears": ["womans-hat"], "action": "roll", "setting": "courtyard", "season": "spring",
      "particles": ["petals"]}),
    ("黄昏的港口，海鸥飞过", {"arts": ["dove"], "action": "fly", "setting": "harbor", "time": "dusk",
                        "sounds": ["gulls"]}),
    ("一只小猫对着镜头打哈欠，特写", {"arts": ["cat"], "action": "yawn", "framing": "close_up", "camera": "static"}),
    ("夜晚的城市街道，下着大雨，一个男人撑着雨伞走路", {"main": "man", "action": "walk", "setting": "street",
                                      "time": "night", "weather": "rain"}),
    ("镜头缓缓推进，一个女孩在房间里唱歌", {"arts": ["girl"], "action": "sing", "setting": "room",
                            "camera": "push_in"}),
    ("男人对女人说：“你好，欢迎来到北京！”", {"arts": ["man", "woman"],
                               "lines": [("你好，欢迎来到北京！", 0, "zh", "male")]}),
    ("两只狗在海滩上奔跑，跟拍镜头，没有音乐", {"arts": ["dog"], "count": 2, "action": "run", "setting": "beach",
                                "camera": "track", "sounds": []}),
    ("宇航员在太空中漂浮，镜头环绕", {"arts": ["astronaut"], "action": "float", "setting": "space", "camera": "orbit"}),
    ("一辆红色的汽车在沙漠公路上行驶，航拍", {"arts": ["automobile"], "tint": "red", "action": "drive",
                              "setting": "road"}),
    ("雪山上的狼，暴风雪，远景", {"arts": ["wolf"], "setting": "mountains", "weather": "snow", "framing": "wide"}),
    ("森林里的萤火虫，夜晚，神秘的气氛", {"particles": ["fireflies"], "setting": "forest", "time": "night",
                            "mood": "mysterious"}),
    ("水果茶广告，第一人称视角，欢快的音乐", {"camera": "pov", "sounds": ["music"], "mood": "joyful"}),
    ("一条金鱼在水下游泳", {"main": "fish", "action": "swim", "setting": "underwater"}),
    ("雪の中で踊る猫", {"arts": ["cat"], "action": "dance", "weather": "snow"}),
    ("ベレー帽をかぶったラッコが春の庭で転がる。桜の花びらが舞い散る",
     {"arts": ["otter"], "wears": ["womans-hat"], "action": "roll", "setting": "garden", "season": "spring",
      "particles": ["petals"]}),
    ("夜の街を歩く男、雨、カメラが近づく", {"arts": ["man"], "action": "walk", "setting": "street", "time": "night",
                             "weather": "rain", "camera": "push_in"}),
    ("女の子が「こんにちは」と言う", {"arts": ["girl"], "lines": [("こんにちは", 0, "ja", "female")]}),
    ("夕暮れの海、カモメが飛ぶ、波の音", {"arts": ["dove"], "action": "fly", "setting": "sea", "time": "dusk",
                            "sounds": ["waves", "gulls"]}),
    ("Un gato duerme en la cocina por la noche, plano general",
     {"arts": ["cat"], "action": "sleep", "setting": "kitchen", "time": "night", "framing": "wide"}),
    ("Una niña con sombrero camina por el bosque bajo la lluvia, primer plano",
     {"main": "girl", "wears": ["womans-hat"], "action": "walk", "setting": "forest", "weather": "rain",
      "framing": "close_up"}),
    ("Dos perros corren en la playa al atardecer, sin música",
     {"arts": ["dog"], "count": 2, "action": "run", "setting": "beach", "time": "dusk", "sounds": []}),
    ("El hombre dice: «Hola, bienvenidos»", {"arts": ["man"], "lines": [("Hola, bienvenidos", 0, "es", "male")]}),
    ("Um cachorro corre na praia ao pôr do sol, câmera acompanha",
     {"arts": ["dog"], "action": "run", "setting": "beach", "time": "dusk", "camera": "track"}),
    ("Uma menina dança na chuva na rua à noite",
     {"arts": ["girl"], "action": "dance", "setting": "street", "weather": "rain", "time": "night"}),
    ("Um carro vermelho na estrada, neblina, tomada aérea",
     {"arts": ["automobile"], "tint": "red", "setting": "road", "weather": "fog"}),
    ("Seekor kucing tidur di dapur pada malam hari", {"arts": ["cat"], "action": "sleep", "setting": "kitchen",
                                                    "time": "night"}),
    ("Dua anjing berlari di pantai saat matahari terbenam",
     {"arts": ["dog"], "count": 2, "action": "run", "setting": "beach", "time": "dusk"}),
    ("Seorang pria berjalan di jalan kota saat hujan", {"arts": ["man"], "action": "walk", "setting": "street",
                                                       "weather": "rain"}),
    ("一只 cat 在 beach 上奔跑", {"arts": ["cat"], "action": "run", "setting": "beach"}),
    ("🦊🌧️", {"arts": ["fox"], "weather": "rain"}),
]  # fmt: skip


# Prompts that were read only after the vocabulary was tuned to the lists above: main drawing, its action, the place,
# the time of day and the weather.
LATER: list[tuple[str, str]] = [
    ("A woman running on the beach at dawn", "woman run beach dawn clear"),
    ("A little girl with a red balloon walks down an empty street", "girl walk street day clear"),
    ("An elderly couple sitting on a park bench feeding pigeons", "person sit garden day clear"),
    ("A golden retriever puppy chasing a butterfly through a field of sunflowers", "dog run meadow day clear"),
    ("Neon-lit Tokyo street at night, rain reflections, a taxi drives by", "taxi drive street night rain"),
    ("Two samurai face each other in a field of tall grass, wind blowing", "ninja idle meadow day wind"),
    ("A whale leaps out of the ocean at sunset, splash, seagulls", "whale jump sea dusk clear"),
    ("An owl sits on a branch under a full moon, crickets", "owl sit forest night clear"),
    ('"I\'m late!" says the white rabbit, running through the forest.', "rabbit run forest day clear"),
    ("A pirate ship in a storm, lightning strikes the mast", "sailboat float sea day storm"),
    ("A businessman walks through a crowd without an umbrella in heavy rain", "office-worker walk street day rain"),
    ("A monkey wearing sunglasses and a red hat plays the guitar on a stage", "monkey sing stage day clear"),
    ("Santa Claus flies over the city in his sleigh, snow falling, bells ringing", "santa-claus fly city day snow"),
    ("A boy and his dog walk along a country road at sunset.", "boy walk road dusk clear"),
    ("A dog is running. The dog is brown. It is raining.", "dog run meadow day rain"),
    ("Grandpa tells a story to his grandchildren around a campfire under the stars",
     "old-man speak forest night clear"),
    ("She walks slowly into the sea", "woman walk sea day clear"),
    ("A mother bear and her two cubs crossing a stream", "bear walk river day clear"),
    ("Zebra crossing, pedestrians walking in the rain with umbrellas, timelapse", "person walk street day rain"),
    ("Seagulls fly over a stormy sea, waves crash against the rocks", "dove fly sea day storm"),
    ("A spaceship glides past a ringed planet, stars twinkling", "flying-saucer fly space night clear"),
    ("Cherry blossoms fall as a girl in a kimono walks past a temple", "girl walk courtyard day clear"),
    ("Pouring hot coffee into a white cup, steam, close up, ASMR", "hot-beverage idle studio day clear"),
    ("一只橘猫趴在窗台上睡觉，窗外下着雪", "cat sleep room day snow"),
    ("水墨画风格，一叶小舟在江面上漂流", "sailboat float river day clear"),
    ("一只戴着墨镜的狗开着红色跑车在沙漠公路上飞驰", "dog drive road day clear"),
    ("森林深处，没有风也没有雨，一只小鹿静静地喝水", "deer eat forest day clear"),
    ("赤い車が海岸沿いの道路を走る、空撮", "automobile drive road day clear"),
    ("おばあさんが公園のベンチに座って本を読む、音楽なし", "old-woman sit garden day clear"),
    ("Tres delfines saltan en el mar, gaviotas", "dolphin jump sea day clear"),
    ("Um gato preto dorme no sofá, close-up", "black-cat sleep room day clear"),
    ("Seekor burung elang terbang di atas gunung saat matahari terbit", "eagle fly mountains dawn clear"),
]  # fmt: skip


@pytest.mark.parametrize(("prompt", "expected"), LATER, ids=lambda value: str(value)[:60])
def test_a_plan_says_what_later_prompts_name(prompt: str, expected: str) -> None:
    plan = plan_of(prompt)
    main = plan.main.subjects[0]
    assert f"{main.art} {main.action} {seen(plan)['setting']} {plan.main.time_of_day} {plan.main.weather}" == expected


def plan_of(prompt: str, *, ratio: str = "adaptive", duration_s: int = -1) -> FilmPlan:
    return plan_film(prompt, ratio=ratio, duration_s=duration_s, ratios=RATIOS, duration_range_s=(4, 15))


def lines_of(plan: FilmPlan) -> list[tuple[str, int | None, str, str]]:
    return [(line.text, line.speaker, line.language, line.voice) for line in plan.lines]


def seen(plan: FilmPlan) -> dict[str, Any]:
    """The plan in the words of the cases. ``has`` and ``particles`` and ``sounds`` are judged as parts."""
    main = plan.main.subjects[0] if plan.main.subjects else None
    return {
        "arts": [subject.art for subject in plan.main.subjects],
        "main": main.art if main else None,
        "word": main.word if main else None,
        "action": str(main.action) if main else None,
        "wears": list(main.wears) if main else None,
        "tint": main.tint if main else None,
        "count": main.count if main else None,
        "many": main is not None and main.count >= 3,
        "setting": str(FINER.get(plan.main.setting, plan.main.setting)),
        "time": str(plan.main.time_of_day),
        "weather": str(plan.main.weather),
        "camera": str(plan.main.camera),
        "framing": str(plan.main.framing),
        "season": plan.main.season,
        "mood": plan.main.mood,
        "style": plan.main.style,
        "ratio": plan.ratio,
        "lines": lines_of(plan),
    }


def differences(plan: FilmPlan, expected: dict[str, Any]) -> list[str]:
    """What the plan says otherwise; sounds: each named one is there, and [] means none of music and drums."""
    got = seen(plan)
    wrong = [
        f"{key}: {got[key]!r}, not {value!r}" for key, value in expected.items() if key in got and got[key] != value
    ]
    for key, present in (
        ("has", [subject.art for shot in plan.shots for subject in shot.subjects]),
        ("particles", [str(particle) for particle in plan.main.particles]),
        ("sounds", [str(sound) for shot in plan.shots for sound in shot.sounds]),
    ):
        wrong += [f"{key}: no {part} in {present}" for part in expected.get(key, []) if part not in present]
    if expected.get("sounds") == []:
        wrong += [f"sounds: {sound}" for sound in plan.main.sounds if sound in ("music", "drums")]
    return wrong


@pytest.mark.parametrize(("prompt", "expected"), SEEDS + ENGLISH + LANGUAGES, ids=lambda value: str(value)[:60])
def test_a_plan_says_what_the_prompt_names(prompt: str, expected: dict[str, Any]) -> None:
    assert differences(plan_of(prompt), expected) == []


def test_the_judge_of_plans_finds_a_wrong_plan() -> None:
    plan = plan_of("A cat walks in the rain")
    swapped = {"arts": ["dog"], "action": "run", "weather": "clear", "sounds": ["drums"], "particles": ["petals"]}
    assert len(differences(plan, swapped)) == len(swapped)


PAIRS = [
    ("A {} walks in the forest at night", "cat", "dog", {"subjects", "prompt", "title"}),
    ("A cat walks in the {} at night", "forest", "desert", {"setting", "props", "prompt", "title"}),
    ("A cat walks in the forest at {}", "night", "dawn", {"time_of_day", "prompt"}),
    ("A cat {} in the forest at night", "walks", "sleeps", {"subjects", "prompt"}),
    ("A cat walks in the forest at night, {}", "rain", "snow", {"weather", "prompt"}),
    ("A cat walks in the forest, camera pans {}", "left", "right", {"camera", "prompt"}),
    ("A cat walks in the forest, {} music", "calm", "tense", {"mood", "prompt"}),
    ("A {} car on a road", "red", "blue", {"subjects", "prompt"}),
    ("{} cats walk in the forest", "two", "four", {"subjects", "prompt"}),
    ("A cat walks in the forest, {} shot", "close-up", "wide", {"framing", "prompt"}),
    ("A cat walks in the forest, {} style", "anime", "noir", {"style", "prompt"}),
    ('A man says "Good {}"', "morning", "night", {"lines", "prompt"}),
    ("A cat walks in the forest, {}", "thunder", "crickets", {"sounds", "prompt"}),
    ("Falling {} in the garden", "petals", "leaves", {"particles", "prompt"}),
    ("一只{}在森林里走路", "猫", "狗", {"subjects", "prompt", "title"}),
]


@pytest.mark.parametrize(
    ("frame", "word", "swapped", "changed"),
    PAIRS,
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value)[:40],
)
def test_one_word_changes_only_what_it_names(frame: str, word: str, swapped: str, changed: set[str]) -> None:
    first, second = plan_of(frame.format(word)), plan_of(frame.format(swapped))
    pairs = {FilmPlan: (first, second), Shot: (first.main, second.main)}
    names = {(kind, name) for kind in pairs for name in kind.__dataclass_fields__ if name != "shots"}
    different = {name for kind, name in names if getattr(pairs[kind][0], name) != getattr(pairs[kind][1], name)}
    assert different == changed
