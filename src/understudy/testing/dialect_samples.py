"""Sample requests, tasks and addresses for the suite of dialects: one of every kind that a codec can meet."""

from dataclasses import fields, replace
from datetime import timedelta

from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.request import (
    DURATION_CHOSEN_BY_ENGINE,
    RATIO_CHOSEN_BY_ENGINE,
    SEED_CHOSEN_BY_SERVER,
    GenerationRequest,
)
from understudy.core.resolve import resolve
from understudy.core.task import Film, Status, Task, TaskError, Warned
from understudy.testing.samples import EXPIRY, NOW

MODEL = load_catalogue().default_model
TASK_ID = "20261121120000-ab123"
OTHER_ID = "20261121120001-00000"
REQUEST_ID = "0217631234567890123456789012345678901234567890"


class SampleLinks:
    """Addresses that tell their blob."""

    kept_s = 604_800
    expires_at_s = int(EXPIRY.timestamp())

    def url(self, blob_key: str) -> str:
        return f"https://films.example/{blob_key}?signature=a%2Bb&expires={self.expires_at_s}"


def text(value: str = 'A fox says "oui, 是 🦊" \\ in the rain.\nThe camera pans left.') -> ContentItem:
    """Return a text item."""
    return ContentItem(modality=Modality.TEXT, value=value)


def image(number: int, role: Role = Role.REFERENCE_IMAGE) -> ContentItem:
    """Return an image item."""
    return ContentItem(modality=Modality.IMAGE, value=f"https://media.example/{number}.png?size=2&name=é", role=role)


def video(number: int) -> ContentItem:
    """Return a video item."""
    return ContentItem(modality=Modality.VIDEO, value=f"https://media.example/{number}.mp4", role=Role.REFERENCE_VIDEO)


def audio(number: int) -> ContentItem:
    """Return an audio item."""
    return ContentItem(modality=Modality.AUDIO, value=f"https://media.example/{number}.mp3", role=Role.REFERENCE_AUDIO)


def asked(*content: ContentItem, **changes: object) -> GenerationRequest:
    """Return a request as a client makes it, every role said. Without content it is a plain text."""
    request = GenerationRequest(model=MODEL.id, content=content or (text(),))
    return replace(request, **changes)  # type: ignore[arg-type]


def meaning(request: GenerationRequest) -> tuple[object, ...]:
    """Return what the content means: the prompt, and the media in their order; dialects place the text differently."""
    return request.prompt, tuple(item for item in request.content if item.modality is not Modality.TEXT)


_DATA_URL = ContentItem(modality=Modality.IMAGE, value="data:image/png;base64,iVBORw0KGgo=", role=Role.FIRST_FRAME)
_LIBRARY = ContentItem(modality=Modality.IMAGE, value="asset://asset-20261121-abcde", role=Role.REFERENCE_IMAGE)
SCENARIOS: dict[str, GenerationRequest] = {
    "text": asked(),
    "first frame": asked(text(), image(1, Role.FIRST_FRAME)),
    "first frame as data": asked(text(), _DATA_URL),
    "first and last frame": asked(text(), image(1, Role.FIRST_FRAME), image(2, Role.LAST_FRAME)),
    "one reference image": asked(text(), image(1)),
    "two reference images": asked(text(), image(1), image(2)),
    "an image of the library": asked(text(), _LIBRARY),
    "nine reference images": asked(text(), *(image(number) for number in range(9))),
    "reference videos": asked(text(), video(1), video(2)),
    "a video and an audio": asked(text(), video(1), audio(1), generate_audio=True),
    "an image and audios": asked(text(), image(1), audio(1), audio(2), generate_audio=True),
    "all three": asked(text(), image(1), image(2), video(1), audio(1), generate_audio=True),
    "draft": asked(ContentItem(modality=Modality.DRAFT, value=f"cgt-{TASK_ID}")),
}
"""Scenario -> a request of it, in the order text, images, videos, audios, which every dialect can keep."""

SETTINGS: dict[str, tuple[object, ...]] = {
    "ratio": ("9:16", "16:9", RATIO_CHOSEN_BY_ENGINE),
    "resolution": ("480p", "720p", "1080p"),
    "duration_s": (4, 5, 8, 12, DURATION_CHOSEN_BY_ENGINE),
    "frames": (57, 121),
    "seed": (0, 42, 2**32 - 1, SEED_CHOSEN_BY_SERVER),
    "generate_audio": (True, False),
    "watermark": (True, False),
    "return_last_frame": (True, False),
    "camera_fixed": (True, False),
    "draft": (True, False),
    "tools": (("web_search",),),
    "service_tier": ("default", "flex"),
    "priority": (0, 9),
    "execution_expires_after_s": (3600, 7200),
    "callback_url": ("https://client.example/done?task=1",),
    "safety_identifier": ("user-é",),
    "output_format": ("mp4", "mov"),
    "omni_reference_task_type": ("auto", "extend"),
    "trace_id": ("trace 1",),
}
"""Field of the request -> values that a client may give it."""

OF_THE_SERVER = frozenset({"model", "content", "model_asked", "draft_task_id", "remixed_from"})
"""Fields of the request that are no settings of the caller's."""

assert SETTINGS.keys() | OF_THE_SERVER == {field.name for field in fields(GenerationRequest)}, "a field has no sample"

FILM = Film(
    video_blob=f"{TASK_ID}-1/video.mp4",
    last_frame_blob=None,
    ratio="16:9",
    width_px=1280,
    height_px=720,
    duration_s=5,
    fps=24,
    num_frames=121,
    has_sound=True,
)
WARNINGS = (
    Warned(param="seed", message="The engine's films are alike whatever the seed."),
    Warned(param="content[1].role", message='The role was left out; "reference_image" was assumed.'),
)
ERROR = TaskError(code="InternalServiceError", message="The renderer stopped; nothing is billed.")
_COMPLETION_TOKENS = 108_900


def task_in(status: Status, *, dialect: str, **changes: object) -> Task:
    """Return a task that has come to a status."""
    request = resolve(asked(resolution="720p", seed=7), MODEL)
    has_film, is_queued = status is Status.SUCCEEDED, status is Status.QUEUED
    task = Task(
        id=TASK_ID,
        owner="project-a",
        dialect=dialect,
        engine="scripted",
        request=replace(request, execution_expires_after_s=172_800),
        seed=7,
        status=status,
        created_at=NOW,
        updated_at=NOW if is_queued else NOW + timedelta(seconds=30),
        expires_at=EXPIRY,
        attempt=0 if status in (Status.QUEUED, Status.CANCELLED) else 1,
        progress=1.0 if has_film else 0.25 if status is Status.RUNNING else 0.0,
        film=FILM if has_film else None,
        completion_tokens=_COMPLETION_TOKENS if has_film else None,
        error=ERROR if status is Status.FAILED else None,
    )
    return replace(task, **changes)  # type: ignore[arg-type]


def _tasks() -> dict[str, Task]:
    found = {str(status): task_in(status, dialect="") for status in Status}
    for status in Status:
        found[f"{status} with warnings"] = replace(found[status], warnings=WARNINGS)
    last_frame = replace(FILM, last_frame_blob=f"{TASK_ID}-1/last_frame.png")
    found["succeeded with last frame"] = replace(found["succeeded"], film=last_frame)
    found["succeeded in silence, by frames"] = replace(
        found["succeeded"],
        film=replace(FILM, has_sound=False, tool_usage={"web_search": 2}),
        request=replace(found["succeeded"].request, frames=121, duration_s=None, tools=("web_search",)),
    )
    found["failed after a refusal"] = replace(
        found["failed"], error=TaskError(code="InvalidParameter", message="The media at content[1] cannot be read.")
    )
    return found


TASKS: dict[str, Task] = _tasks()
"""Status, with what may come with it -> a task; whoever uses one says in which dialect it was created."""
