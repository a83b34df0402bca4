"""Given media in the words of a model: tags and their numbers, roles, and plain words where there are no tags."""

import pytest

from prompting_orders import H3, LTX, WAN, adapted, field, frames, references
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.media import MediaFacts, Medium, Origin
from understudy.core.request import GenerationRequest
from understudy.engines.diffusion.prompting import GivenMedium, given_media
from understudy.engines.diffusion.prompting.given import tags_of

BODY = "detailed_description"
CONTINUED = "[video continuation + reference generation + audio reference] The target video"


@pytest.mark.parametrize(
    ("prompt", "media", "body"),
    [
        ("The girl of image 1 waves", (1, 0, 0), "[Shot 1] The girl of <Picture 1> waves."),
        ("@Image1 walks", (1, 0, 0), "[Shot 1] <Picture 1> walks."),
        ("[图1]中的女孩跳舞", (1, 0, 0), "[Shot 1] <Picture 1>中的女孩跳舞。"),
        ("图片2里的狗跑", (2, 0, 0), "<Picture 2>里的狗跑。"),
        ("@图片1、@图片2 meet", (2, 0, 0), "[Shot 1] <Picture 1>、<Picture 2> meet."),
        ("Images 1-3 dance", (3, 0, 0), "[Shot 1] <Picture 1>, <Picture 2>, <Picture 3> dance."),
        ("The second image is the hero", (2, 0, 0), "The <Picture 2> is the hero."),
        ("画像1の女の子が走る", (1, 0, 0), "[Shot 1] <Picture 1>の女の子が走る。"),
        ("La chica de la imagen 1 baila", (1, 0, 0), "[Shot 1] La chica de la <Picture 1> baila."),
        ("A garota da imagem 1 canta", (1, 0, 0), "[Shot 1] A garota da <Picture 1> canta."),
        ("Gadis di gambar 1 menari", (1, 0, 0), "[Shot 1] Gadis di <Picture 1> menari."),
        ("Gadis di gambar pertama menari", (1, 0, 0), "[Shot 1] Gadis di <Picture 1> menari."),
        ("Follow the camera of Video 2", (0, 2, 0), "Follow the camera of <Video 2>."),
        ("A cat plays to Audio 1", (1, 0, 1), "A cat plays to <Audio 1>."),
        ("The hero of the reference image runs", (1, 0, 0), "The hero of <Picture 1> runs."),
    ],
)
def test_a_naming_becomes_the_tag_of_its_medium(prompt: str, media: tuple[int, int, int], body: str) -> None:
    assert field(adapted(prompt, media=references(*media)).prompt, BODY).endswith(body)


def test_the_sound_of_a_video_takes_an_audio_number_before_the_audios() -> None:
    told = adapted("Video 1 lends its camera, audio 1 plays", media=references(0, 1, 1)).prompt
    assert "<Audio 1> is the synchronized audio track of <Video 1>." in told
    assert field(told, BODY) == "[Shot 1] <Video 1> lends its camera, <Audio 2> plays."


def test_a_muted_video_takes_no_audio_number() -> None:
    told = adapted("Video 1 lends its camera, audio 1 plays", media=references(0, 1, 1, muted=True)).prompt
    assert field(told, BODY) == "[Shot 1] <Video 1> lends its camera, <Audio 1> plays."


def test_numbers_follow_the_order_in_which_the_model_is_given_the_media() -> None:
    audio = GivenMedium(modality=Modality.AUDIO, number=1)
    videos = [GivenMedium(modality=Modality.VIDEO, number=number, with_sound=True) for number in (1, 2)]
    tags = tags_of((videos[0], audio, videos[1]))
    assert tags.tracks == {1: "<Audio 1>", 2: "<Audio 3>"}
    assert tags.of(Modality.AUDIO, 1) == "<Audio 2>"


def test_every_medium_is_defined_though_the_prompt_names_none() -> None:
    told = adapted("A quiet street at night", media=references(2, 1, 1)).prompt
    for tag in ("<Picture 1>", "<Picture 2>", "<Video 1>", "<Audio 1>", "<Audio 2>"):
        assert tag in field(told, "subject_definitions")
    assert "<Subject 2> is seen as <Picture 2> shows it." in field(told, BODY)
    assert "<Video 1> is followed as it is." in field(told, BODY)


def test_what_the_prompt_names_needs_no_sentence_besides() -> None:
    told = adapted("The girl of image 1 waves", media=references(1)).prompt
    assert field(told, BODY) == "[Shot 1] The girl of <Picture 1> waves."


@pytest.mark.parametrize(
    ("prompt", "media", "line"),
    [
        ("The girl from image 1 dances", (1, 0, 0), "<Subject 1> is the girl in <Picture 1>."),
        ("图片1中的女孩跳舞", (1, 0, 0), "<Subject 1> is 女孩 in <Picture 1>."),
        ("A dog runs in the style of image 1", (1, 0, 0), "<Subject 1> is the visual style of <Picture 1>."),
        ("Use image 1 as the background, a dog runs", (1, 0, 0), "<Subject 1> is the place shown in <Picture 1>."),
        ("The first frame is image 1, a dog runs", (1, 0, 0), "<Picture 1> is the first frame of [Shot 1]."),
        (
            "A dog runs, the camera movement of video 1",
            (0, 1, 0),
            "<Video 1> is the reference for the camera movement.",
        ),
        ("A man dances with the moves of video 1", (0, 1, 0), "<Video 1> is the reference for the movements."),
        ("Use audio 1 as background music, image 1", (1, 0, 1), "<Audio 1> is the background music that is reused"),
        ("Cut on the beats of audio 1, image 1", (1, 0, 1), "<Audio 1> is the reference for beat and rhythm."),
        ('She says "Hi" with the voice of audio 1', (1, 0, 1), "<Audio 1> is the voice-timbre reference for (S1)."),
    ],
)
def test_what_a_medium_is_for_is_its_definition(prompt: str, media: tuple[int, int, int], line: str) -> None:
    assert line in field(adapted(prompt, media=references(*media, muted=True)).prompt, "subject_definitions")


def test_every_label_that_is_defined_says_what_is_kept_of_it() -> None:
    told = adapted("The girl of image 1 dances like video 1 to audio 1", media=references(2, 1, 1)).prompt
    defined = [line.partition(" is ")[0] for line in field(told, "subject_definitions").splitlines()]
    kept = [line.partition(">")[0] + ">" for line in field(told, "retention_analysis").splitlines()]
    assert kept == defined


@pytest.mark.parametrize(
    ("prompt", "tasks"),
    [
        (
            "Replace the cat in video 1 with a dog",
            "[video editing + audio reuse] The target video is an edited version",
        ),
        (
            "Extend video 1 forward, image 1 comes",
            f"{CONTINUED} continues <Video 1>.",
        ),
        (
            "Extend video 1 backward: image 1 comes",
            f"{CONTINUED} leads up to the beginning of <Video 1>.",
        ),
        ("A girl dances with the moves of video 1", "[reference generation] The target video uses <Video 1>"),
    ],
)
def test_the_summary_begins_with_the_tasks(prompt: str, tasks: str) -> None:
    media = references(int("image 1" in prompt), 1)
    assert field(adapted(prompt, media=media).prompt, "summary").startswith(tasks)


@pytest.mark.parametrize(
    ("prompt", "videos", "line", "body"),
    [
        (
            "Extend video 1 forward, the car stops",
            1,
            "For the target video, at 0.00 seconds",
            "Extend the reference video",
        ),
        ("Extend video 1 backward: a car comes", 1, "<Picture 1> (from [Shot 1]) aligns with the 10.00", "Extend the"),
        ("Stitch video 1 and video 2 together", 2, "Picture 2 (from Shot 1) aligns", "Stitch reference video 1 and"),
    ],
)
def test_a_video_that_alone_is_gone_on_from_lends_its_frames(prompt: str, videos: int, line: str, body: str) -> None:
    told = adapted(prompt, media=references(0, videos)).prompt
    assert line in told.splitlines()[0]
    assert field(told, "integrated_multimodal_description").startswith(f"[Shot 1] {body}")
    assert "<Video" not in told


def test_a_medium_that_is_not_there_stays_in_words_and_is_told() -> None:
    result = adapted("The girl of image 1 meets the boy of image 3", media=references(1))
    assert "the boy of image 3" in result.prompt
    assert result.notes == ("The prompt names image 3, which is not given: its words were left as they are.",)


def test_the_video_may_be_the_film_itself() -> None:
    told = adapted("Make the video cinematic", media=references(0, 1)).prompt
    assert "Make the video cinematic." in field(told, BODY)


def test_what_somebody_says_of_an_image_is_no_naming() -> None:
    told = adapted('A man says: "Look at image 1!"', media=references(1)).prompt
    assert "<d>[English] Look at image 1!</d>" in told


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("The girl from image 1 waves", "The girl from the reference image waves."),
        ("图片1中的女孩跳舞", "参考图中的女孩跳舞。"),
        ("画像1の女の子が走る", "参考画像の女の子が走る。"),
        ("La chica de la imagen 1 baila en la playa", "La chica de la imagen de referencia baila en la playa."),
        ("A garota da imagem 1 dança na praia", "A garota da imagem de referência dança na praia."),
        ("Gadis di gambar 1 menari di pantai", "Gadis di gambar referensi menari di pantai."),
    ],
)
def test_a_model_without_tags_is_told_in_plain_words_of_the_language(prompt: str, expected: str) -> None:
    assert adapted(prompt, LTX, media=references(1)).prompt == expected


def test_of_several_images_the_plain_words_keep_the_number() -> None:
    told = adapted("The girl from image 1 and the dog from image 2", WAN, media=references(2)).prompt
    assert told == "The girl from reference image 1 and the dog from reference image 2"


@pytest.mark.parametrize(("form", "name"), [(LTX, "the first frame"), (H3, "<Picture 1>")])
def test_a_frame_is_named_as_a_frame(form: object, name: str) -> None:
    told = adapted("The cat of image 1 wakes up", form, media=frames(Role.FIRST_FRAME)).prompt  # type: ignore[arg-type]
    assert f"The cat of {name} wakes up." in told


def test_the_last_frame_is_the_second_picture_wherever_it_stood_in_the_request() -> None:
    facts = MediaFacts(modality=Modality.IMAGE, container="png", media_type="image/png", size_bytes=1)
    medium = Medium(key="k", sha256="s", origin=Origin.WEB, facts=facts)
    items = [
        ContentItem(modality=Modality.IMAGE, value="", role=role, medium=medium)
        for role in (Role.LAST_FRAME, Role.FIRST_FRAME)
    ]
    media = given_media(GenerationRequest(model="any", content=tuple(items)))
    tags = tags_of(media)
    # "Image 1" of the prompt is the first of the request, which is the last frame.
    assert tags.of(Modality.IMAGE, 1) == "<Picture 2>"
    assert [one.role for one in media] == [Role.FIRST_FRAME, Role.LAST_FRAME]


@pytest.mark.parametrize(("tracks", "wanted", "expected"), [(1, True, True), (0, True, False), (1, False, False)])
def test_a_video_is_given_with_its_sound_where_it_has_one_and_that_is_wanted(
    *, tracks: int, wanted: bool, expected: bool
) -> None:
    facts = MediaFacts(
        modality=Modality.VIDEO, container="mp4", media_type="video/mp4", size_bytes=1, audio_tracks=tracks
    )
    item = ContentItem(
        modality=Modality.VIDEO, value="", medium=Medium(key="k", sha256="s", origin=Origin.WEB, facts=facts)
    )
    (medium,) = given_media(GenerationRequest(model="any", content=(item,)), with_sound=wanted)
    assert medium.with_sound is expected
