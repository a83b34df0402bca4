"""What the description shows as examples: one request and one task, spelled by each dialect's own codec."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from understudy.core.content import ContentItem, Modality
from understudy.core.errors import CODES, Violation
from understudy.core.model_spec import ModelSpec
from understudy.core.request import GenerationRequest
from understudy.core.resolve import resolve
from understudy.core.task import Film, Status, Task
from understudy.dialects.codec import Codec

REQUEST_ID = "0217631234567890123456789012345678901234567890"
_WHEN = datetime(2026, 11, 21, 3, 13, 9, tzinfo=UTC)
_ID = "20261121031309-abcde"
_TOKENS = 108900


class _SampleLinks:
    """Addresses as they look, of a server that nobody runs."""

    kept_s = 604_800
    expires_at_s = int((_WHEN + timedelta(days=1)).timestamp())

    def url(self, blob_key: str) -> str:
        return f"http://127.0.0.1:8484/files/{blob_key}?expires={self.expires_at_s}&signature=0123456789abcdef"


def sample_request(codec: Codec, model: ModelSpec) -> dict[str, Any]:
    """Return the body of a plain request."""
    return _object(codec.encode_request(_request(model)).body)


def sample_created(codec: Codec, model: ModelSpec) -> dict[str, Any]:
    """Return the answer to a create."""
    return _object(codec.encode_created(_queued(codec, model)))


def sample_task(codec: Codec, model: ModelSpec) -> dict[str, Any]:
    """Return the answer to a get of a task that has succeeded."""
    queued = _queued(codec, model)
    ratio, resolution = str(queued.request.ratio), str(queued.request.resolution)
    width_px, height_px = model.sizes[resolution][ratio]
    duration_s = int(queued.request.duration_s or 0)
    film = Film(
        video_blob=f"{_ID}-1/video.mp4",
        last_frame_blob=None,
        ratio=ratio,
        width_px=width_px,
        height_px=height_px,
        duration_s=duration_s,
        fps=model.fps,
        num_frames=duration_s * model.fps,
        has_sound=True,
    )
    ended = replace(
        queued,
        status=Status.SUCCEEDED,
        attempt=1,
        progress=1.0,
        film=film,
        completion_tokens=_TOKENS,
        updated_at=_WHEN + timedelta(seconds=30),
    )
    return _object(codec.encode_task(ended, _SampleLinks()))


def error_statuses(codec: Codec) -> dict[str, int]:
    """Return code -> the HTTP status that the dialect gives it."""
    return {code: codec.encode_error(Violation(code, "", ""), REQUEST_ID).status for code in CODES}


def sample_error(codec: Codec, code: str) -> dict[str, Any]:
    """Return an error answer."""
    message = "The parameter `seed` specified in the request is not valid: it must be a whole number."
    param = "seed" if CODES[code].type == "BadRequest" else ""
    violation = Violation(code, param, message if param else "One sentence that says what is wrong.")
    return _object(codec.encode_error(violation, REQUEST_ID).body)


def _object(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body)
    return found


def _request(model: ModelSpec) -> GenerationRequest:
    return GenerationRequest(
        model=model.id,
        content=(ContentItem(modality=Modality.TEXT, value="A cat yawning at the camera, soft lighting"),),
        ratio="16:9",
        resolution="720p",
        duration_s=5,
        generate_audio=True,
        seed=7,
    )


def _queued(codec: Codec, model: ModelSpec) -> Task:
    request = codec.decode_request(_object(codec.encode_request(_request(model)).body)).request
    return Task(
        id=_ID,
        owner="",
        dialect=codec.name,
        engine="previz",
        request=resolve(request, model),
        seed=7,
        status=Status.QUEUED,
        created_at=_WHEN,
        updated_at=_WHEN,
        expires_at=_WHEN + timedelta(days=2),
    )
