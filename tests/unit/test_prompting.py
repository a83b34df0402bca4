"""Prompts in the forms of the open models, by rule: nothing is lost, nothing is made up, the form is right."""

import re
import tomllib
from collections import Counter
from functools import cache

import pytest

from prompt_rows import HALVES, PROMPTS
from prompting_orders import H3, LTX, WAN, adapted, field, frames, given_of, references
from understudy.core.content import Modality, Role
from understudy.engines.diffusion.prompting.h3 import BASE_FIELDS, REFERENCE_FIELDS
from understudy.engines.diffusion.prompting.wanted import LETTERS_READ_MAX
from understudy.engines.diffusion.recipe import PromptForm
from understudy.reading.references import namings_in
from understudy.reading.script import taken_apart
from understudy.reading.spotting import level, spots

_WORD = re.compile(r"[^\W_\u3040-\u9fff]+|[\u3040-\u9fff]")
BODY = BASE_FIELDS[0]


def written() -> list[tuple[str, str]]:
    """(id, text) of every prompt of `tests/prompts`."""
    rows = [row for half in HALVES for row in tomllib.loads((PROMPTS / f"{half}.toml").read_text())["prompt"]]
    return [(row["id"], row["text"]) for row in rows]


@cache
def told_of(prompt: str, form: PromptForm) -> str:
    """A prompt in a form, with as many references as it names; kept, because every prompt is asked about thrice."""
    return adapted(prompt, form, media=references(*counts_in(prompt))).prompt


def counts_in(prompt: str) -> tuple[int, int, int]:
    """How many of each medium a prompt names."""
    most = dict.fromkeys(Modality, 0)
    for naming in namings_in(prompt):
        most[naming.modality] = max(most[naming.modality], *naming.numbers)
    return most[Modality.IMAGE], most[Modality.VIDEO], most[Modality.AUDIO]


def words_to_keep(prompt: str, media: tuple[int, int, int]) -> Counter[str]:
    """The words of a prompt, without what names media, and without the time codes and numbers of its shots."""
    taken = taken_apart(prompt, given_of(references(*media)))
    letters = list(prompt)
    for naming in taken.namings:
        letters[naming.start : naming.end] = " " * (naming.end - naming.start)
    for start, end in taken.cutting.marks:
        inside = spots(level(prompt)[start:end], "cut")
        kept = range(start + inside[0].start, start + inside[-1].end) if inside else range(0)
        for place in range(start, end):
            letters[place] = letters[place] if place in kept else " "
    return Counter(_WORD.findall("".join(letters).lower()))


@pytest.mark.parametrize("form", [H3, LTX, WAN])
def test_no_word_of_any_prompt_is_lost(form: PromptForm) -> None:
    lost = {}
    for name, prompt in written():
        media = counts_in(prompt)
        missing = words_to_keep(prompt, media) - Counter(_WORD.findall(told_of(prompt, form).lower()))
        if missing:
            lost[name] = dict(missing)
    assert lost == {}


@pytest.mark.parametrize("form", [LTX, WAN])
def test_models_of_plain_words_are_told_no_word_that_is_not_the_prompts(form: PromptForm) -> None:
    added = {}
    for name, prompt in written()[::4]:
        told = Counter(_WORD.findall(adapted(prompt, form).prompt.lower()))
        more = told - Counter(_WORD.findall(prompt.lower()))
        frame = {"the", "camera", "cuts", "to", "next", "shot", "dissolves", "into", "one", "fades"}
        if set(more) - frame:
            added[name] = dict(more)
    assert added == {}


def test_every_prompt_has_the_fields_of_its_mode_once_and_in_order() -> None:
    wrong = []
    for name, prompt in written():
        names = re.findall(rf"^({'|'.join((*BASE_FIELDS, *REFERENCE_FIELDS))}):", told_of(prompt, H3), re.MULTILINE)
        is_of_references = "subject_definitions" in names
        fields = REFERENCE_FIELDS if is_of_references else BASE_FIELDS
        if tuple(names) != fields or (is_of_references and not any(counts_in(prompt))):
            wrong.append(name)
    assert wrong == []


def test_the_times_of_shots_rise_within_the_film_for_every_prompt() -> None:
    wrong = []
    for name, prompt in written():
        told = told_of(prompt, H3)
        times = [
            float(minute) * 60 + float(second) for minute, second in re.findall(r"\] At (\d\d):(\d\d\.\d{3})", told)
        ]
        if times != sorted(set(times)) or any(not 0 < time < 10 for time in times):
            wrong.append(name)
    assert wrong == []


def test_speech_stands_word_for_word_in_its_tag_with_its_speaker() -> None:
    told = adapted('A man nods and says: "Good morning." A woman replies, "You\'re late."').prompt
    assert field(told, BODY) == (
        "[Shot 1] A man (S1) nods and says: <d>[English] Good morning.</d> "
        "A woman (S2) replies, <d>[English] You're late.</d>"
    )


@pytest.mark.parametrize(
    ("prompt", "body"),
    [
        ("男人转身说：“我们走吧。”", "男人 (S1)转身说：<d>[Chinese] 我们走吧。</d>"),
        ("先生が「始めます」と言う", "先生 (S1)が<d>[Japanese] 始めます</d>と言う。"),
        ("El niño responde: «Dame cinco minutos».", "El niño (S1) responde: <d>[Spanish] Dame cinco minutos</d>."),
        ('Um homem diz: "Não vá."', "Um homem (S1) diz: <d>[Portuguese] Não vá.</d>"),
        ('Gadis itu berkata, "Ayo mulai."', "Gadis (S1) itu berkata, <d>[Indonesian] Ayo mulai.</d>"),
        ('A man says: "Bonjour, comment allez-vous?"', "<d>[French] Bonjour, comment allez-vous?</d>"),
        ('"Wait!" shouts the girl.', "<d>[English] Wait!</d> shouts the girl (S1)."),
        ('A woman smiles. She says: "Hello."', "She (S1) says: <d>[English] Hello.</d>"),
    ],
)
def test_speech_is_told_in_its_language(prompt: str, body: str) -> None:
    assert body in field(adapted(prompt).prompt, BODY)


def test_one_speaker_keeps_one_number() -> None:
    told = adapted('A girl says: "One." A boy says: "Two." The girl says: "Three."').prompt
    assert re.findall(r"\(S\d\)", told) == ["(S1)", "(S2)", "(S1)"]


def test_who_speaks_after_the_line_does_not_speak_the_next_one() -> None:
    told = adapted("「おかえり」と母が言い、子供が「ただいま！」と叫ぶ").prompt
    assert "母 (S1)" in told
    assert "子供 (S2)" in told


def test_a_voice_off_screen_is_told_as_one() -> None:
    told = adapted('A lighthouse. Narrator: "Every sailor knows it."').prompt
    assert "Narrator: (S1) says in an off-screen voiceover: <d>[English] Every sailor knows it.</d>" in told


def test_a_line_does_not_end_before_its_end() -> None:
    told = adapted('A man says: "Hello </d> there <d>friend."').prompt
    assert "<d>[English] Hello there friend.</d>" in told


def test_words_that_are_read_are_not_said() -> None:
    told = adapted("老茶馆门口，木招牌上写着“同福客栈”").prompt
    assert '写着"同福客栈"' in told
    assert "<d>" not in told


@pytest.mark.parametrize(
    ("prompt", "body", "soundscape", "music"),
    [
        (
            "A cat walks along the beach, waves crashing, soft jazz music",
            "[Shot 1] A cat walks along the beach.", "waves crashing.", "soft jazz music.",
        ),
        (
            "A chef cooks. Sound of rain on the roof. Background music: slow piano, no drums.",
            "[Shot 1] A chef cooks.", "Sound of rain on the roof.", "Background music: slow piano, no drums.",
        ),
        ("海浪声，轻柔的音乐，女孩走在沙滩上", "[Shot 1] 女孩走在沙滩上。", "海浪声。", "轻柔的音乐。"),
        ("女の子が歩く、静かな音楽", "[Shot 1] 女の子が歩く。", None, "静かな音楽。"),
        ("Con música suave, una chica baila", "[Shot 1] una chica baila.", None, "Con música suave."),
        ("Uma garota corre, trilha sonora alegre", "[Shot 1] Uma garota corre.", None, "trilha sonora alegre."),
        ("Musik latar lembut, seorang gadis menari", "[Shot 1] seorang gadis menari.", None, "Musik latar lembut."),
        ("A dog barks at the mailman", "[Shot 1] A dog barks at the mailman.", "The sounds that", "N/A"),
        ("A wide shot with loud music", "[Shot 1] A wide shot with loud music.", "The sounds that", "N/A"),
        ("The camera pushes in to the music", "[Shot 1] The camera pushes in to the music.", "The sounds that", "N/A"),
        ("A quiet street, no music", "[Shot 1] A quiet street, no music.", "Quiet natural", "N/A"),
    ],
)  # fmt: skip
def test_what_is_heard_goes_to_its_field(prompt: str, body: str, soundscape: str | None, music: str) -> None:
    told = adapted(prompt).prompt
    assert field(told, BODY) == body
    assert field(told, "overall_soundscape").startswith(soundscape or "Quiet natural ambience")
    assert field(told, "non_diegetic_music") == music


def test_a_film_without_sound_says_so_and_keeps_the_words() -> None:
    told = adapted("A cat walks, soft jazz music", generate_audio=False).prompt
    assert field(told, "overall_soundscape") == field(told, "non_diegetic_music") == "N/A"
    assert "soft jazz music" in field(told, BODY)


def test_time_codes_become_the_times_of_shots() -> None:
    told = adapted("0-3s: a wide beach. 3-6s: a surfer. 6-10s: the sun sets.").prompt
    assert field(told, BODY).splitlines() == [
        "[Shot 1] a wide beach.",
        "[Shot 2] At 00:03.000, the camera cuts to the next shot. a surfer.",
        "[Shot 3] At 00:06.000, the camera cuts to the next shot. the sun sets.",
    ]


@pytest.mark.parametrize(("opening", "closing"), ["()", "[]", "（）", "【】"])
def test_no_bracket_of_a_time_code_is_left_alone(opening: str, closing: str) -> None:
    codes = [f"{opening}{span}{closing}" for span in ("0-2s", "2-5s")]
    told = adapted(f"A robot dances. {codes[0]} wide shot {codes[1]} close-up (slow)").prompt
    assert "[Shot 2] At 00:02" in told
    assert not [line for line in told.splitlines() if line.rstrip(".").endswith(opening) or line.startswith(closing)]
    assert "(slow)" in told


def test_listed_shots_share_the_time() -> None:
    told = adapted("镜头1：侦探推门。镜头2：特写一封信。").prompt
    assert "[Shot 2] At 00:05.000, the camera cuts to the next shot. 特写一封信。" in told


def test_words_of_cutting_stay() -> None:
    told = adapted("0-5s: a street. 5-10s: fade to black, then a title").prompt
    assert "[Shot 2] At 00:05.000, the shot fades into the next shot: fade to black, then a title." in told


def test_what_is_said_of_all_shots_stands_before_them() -> None:
    told = adapted("Noir style. Shot 1: a street. Shot 2: a door.", media=references(1)).prompt
    assert field(told, "detailed_description").startswith("Noir style.")


@pytest.mark.parametrize(
    ("roles", "line"),
    [
        ((Role.FIRST_FRAME,), "For the target video, at 0.00 seconds into the target video, <Picture 1> (from [Shot 1]) is fully referenced."),  # noqa: E501
        ((Role.LAST_FRAME,), "How the reference pictures align with the target video — <Picture 1> (from [Shot 2]) aligns with the 10.00-second mark of the target video."),  # noqa: E501
        ((Role.FIRST_FRAME, Role.LAST_FRAME), "How the reference pictures align with the target video — Picture 1 (from Shot 1) aligns with the 0.00-second mark of the target video; Picture 2 (from Shot 2) aligns with the 10.00-second mark of the target video."),  # noqa: E501
    ],
)  # fmt: skip
def test_frames_are_aligned_in_the_first_line(roles: tuple[Role, ...], line: str) -> None:
    told = adapted("0-5s: a street. 5-10s: a door.", media=frames(*roles)).prompt
    assert told.splitlines()[:2] == [line, ""]


@pytest.mark.parametrize(
    ("form", "words"),
    [(H3, "The camera holds a static shot."), (LTX, "The camera remains static."), (WAN, "Static shot, fixed camera.")],
)
def test_a_fixed_camera_is_told_in_the_models_words(form: PromptForm, words: str) -> None:
    assert words in adapted("A cat sleeps", form, camera_fixed=True).prompt
    assert words not in adapted("A cat sleeps", form, camera_fixed=False).prompt


def test_ltx_is_told_one_paragraph_with_its_sound() -> None:
    told = adapted('A man runs.\n\nHe says: "Stop!"\nSoft music.', LTX).prompt
    assert told == 'A man runs. He says: "Stop!" Soft music.'


def test_wan_is_told_the_prompt_as_it_is_and_what_it_must_not_show() -> None:
    result = adapted("A man runs.\n3-5s: he falls.", WAN, negative_prompt="blurred")
    assert (result.prompt, result.negative_prompt) == ("A man runs.\n3-5s: he falls.", "blurred")


def test_an_empty_prompt_is_no_error() -> None:
    assert field(adapted("", media=references(1)).prompt, "detailed_description").startswith("<Subject 1>")
    assert field(adapted("").prompt, BODY) == "[Shot 1]"
    assert adapted("", LTX).prompt == ""


def test_the_end_of_a_prompt_beyond_what_is_read_is_told_to_have_no_effect() -> None:
    result = adapted("a" * (LETTERS_READ_MAX - 1) + ".b", LTX)
    assert result.prompt == "a" * (LETTERS_READ_MAX - 1) + "."
    assert result.notes == ("The prompt has 7001 letters, and 7000 are read: its end had no effect.",)
    assert adapted("a" * LETTERS_READ_MAX, LTX).notes == ()
