"""What a request wants of its videos: edited, gone on from, joined, or looked at."""

import tomllib

import pytest

from prompt_rows import HALVES, PROMPTS
from understudy.engines.diffusion.order import Workflow
from understudy.engines.diffusion.prompting import Wish, wanted_of_videos
from understudy.engines.diffusion.prompting.wanted import LETTERS_READ_MAX
from understudy.reading.references import Given

ONE, TWO = Given(images=2, videos=1, audios=1), Given(images=2, videos=2, audios=1)


@pytest.mark.parametrize(
    ("prompt", "given", "wish"),
    [
        ("Replace the red car in video 1 with a horse", ONE, Wish(workflow=Workflow.EDIT, videos=(1,))),
        ("将视频2中的香水替换成图片1中的面霜", TWO, Wish(workflow=Workflow.EDIT, videos=(2,))),
        ("動画1の赤い車を白い馬に置き換えて", ONE, Wish(workflow=Workflow.EDIT, videos=(1,))),
        ("Convierte el video 1 en estilo anime", ONE, Wish(workflow=Workflow.EDIT, videos=(1,))),
        ("Extend video 1 forward, the car stops", ONE, Wish(workflow=Workflow.EXTEND, videos=(1,))),
        ("向前延长视频1，男孩在踢足球", ONE, Wish(workflow=Workflow.EXTEND, is_forward=False, videos=(1,))),
        ("Estenda o vídeo 1 para trás", ONE, Wish(workflow=Workflow.EXTEND, is_forward=False, videos=(1,))),
        ("Lanjutkan video 1: peselancar jatuh", ONE, Wish(workflow=Workflow.EXTEND, videos=(1,))),
        ("Stitch video 2 and video 1 together", TWO, Wish(workflow=Workflow.JOIN, videos=(2, 1))),
        ("将视频1、视频2拼接成一段视频", TWO, Wish(workflow=Workflow.JOIN, videos=(1, 2))),
        ("Une el video 1 y el video 2", TWO, Wish(workflow=Workflow.JOIN, videos=(1, 2))),
        ("Video 1, a plane crosses the sky, followed by video 2", TWO, Wish(workflow=Workflow.JOIN, videos=(1, 2))),
        ("Combine the style of video 1 with the moves of video 2", TWO, Wish(workflow=Workflow.REFERENCES)),
        ("A girl dances with the moves of video 1", ONE, Wish(workflow=Workflow.REFERENCES)),
        ("Keep the camera movement of video 1, a dog runs", ONE, Wish(workflow=Workflow.REFERENCES)),
        ("A quiet street at night", ONE, Wish(workflow=Workflow.REFERENCES)),
        ("Extend the video", Given(images=1, videos=0, audios=0), Wish(workflow=Workflow.REFERENCES)),
    ],
)
def test_the_prompt_says_what_becomes_of_the_videos(prompt: str, given: Given, wish: Wish) -> None:
    assert wanted_of_videos(prompt, given) == wish


@pytest.mark.parametrize(
    ("task_type", "workflow"),
    [("edit", "edit"), ("extend", "extend"), ("reference", "references"), ("auto", "edit"), (None, "edit")],
)
def test_the_task_type_of_the_request_wins(task_type: str | None, workflow: str) -> None:
    wish = wanted_of_videos("Replace the cat in video 1 with a dog", ONE, task_type=task_type)
    assert wish.workflow == workflow


def test_an_extension_that_only_the_task_type_asks_for_goes_forward_from_the_first_video() -> None:
    wish = wanted_of_videos("A car drives into the desert", ONE, task_type="extend")
    assert wish == Wish(workflow=Workflow.EXTEND, videos=(1,))


def test_what_a_director_reads_is_read() -> None:
    """Of the prompts that people wrote without a look at the words known here; two of them are told by name."""
    wrong = []
    for half in HALVES:
        for row in tomllib.loads((PROMPTS / f"{half}.toml").read_text())["prompt"]:
            videos = [one["number"] for one in row.get("references", ()) if one["modality"] == "video"]
            if not (videos or row.get("edits") or row.get("extension")):
                continue
            count = max(videos, default=1)
            expected = Workflow.JOIN if count > 1 else Workflow.REFERENCES
            expected = Workflow.EXTEND if row.get("extension") else expected
            expected = Workflow.EDIT if row.get("edits") else expected
            wish = wanted_of_videos(row["text"], Given(images=9, videos=count, audios=3))
            if (wish.workflow, wish.is_forward) != (expected, row.get("extension") != "backward"):
                wrong.append(row["id"])
    # "Continue video 1, then video 2 follows" leads from one to the other; "pela" is not read as what takes a place.
    assert wrong == ["en-60", "pt-46"]


def test_what_stands_beyond_the_end_of_what_is_read_is_no_order() -> None:
    far = "A man runs. " * (LETTERS_READ_MAX // 12 + 1)
    assert wanted_of_videos(f"{far} Extend video 1.", ONE).workflow is Workflow.REFERENCES
    assert wanted_of_videos(f"Extend video 1. {far}", ONE).workflow is Workflow.EXTEND
