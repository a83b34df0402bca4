"""Jobs with media for previz: files made on the spot, what was measured of them, and the films' pictures."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

import odd_media
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.media import MediaFacts, Medium, Origin
from understudy.core.render import RenderJob
from understudy.core.request import GenerationRequest
from understudy.engines.previz.engine import PrevizEngine, open_film, plan_job
from understudy.media.encode import write_png

Picture = NDArray[np.uint8]
FPS = 24
SIZES = {
    "480p": {"16:9": (864, 496), "1:1": (640, 640), "9:16": (496, 864)},
    "1080p": {"16:9": (1920, 1080), "1:1": (1440, 1440), "9:16": (1080, 1920)},
}
KINDS = {
    Role.FIRST_FRAME: Modality.IMAGE,
    Role.LAST_FRAME: Modality.IMAGE,
    Role.REFERENCE_IMAGE: Modality.IMAGE,
    Role.REFERENCE_VIDEO: Modality.VIDEO,
    Role.REFERENCE_AUDIO: Modality.AUDIO,
}
Item = tuple[Role, Path, MediaFacts]


def scenery(width_px: int = 864, height_px: int = 496, seed: int = 1) -> Picture:
    """A picture with much to see at every scale, and no two parts alike."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height_px, width_px, 3), dtype=np.float32)
    rows, columns = np.mgrid[0:height_px, 0:width_px]
    for _ in range(60):
        x, y = rng.uniform(0, width_px), rng.uniform(0, height_px)
        wide = rng.uniform(0.01, 0.12) * width_px
        picture[(columns - x) ** 2 + (rows - y) ** 2 < wide**2] = rng.uniform(20, 235, 3)
    return picture.astype(np.uint8)


def image_item(folder: Path, picture: Picture, role: Role = Role.FIRST_FRAME, name: str = "image") -> Item:
    """A picture as a medium. The file's name says nothing of its kind."""
    path = folder / name
    write_png(path, np.dstack([picture, np.full(picture.shape[:2], 255, dtype=np.uint8)]))
    return role, path, facts_of(role, path, width_px=picture.shape[1], height_px=picture.shape[0])


def video_item(folder: Path, name: str = "video", *, duration_s: float = 2.0, fps: int = FPS, **wants: object) -> Item:
    """Moving gradients with a tone, as a medium. wants: as `odd_media.film`."""
    path = folder / name
    size = {"width_px": 432, "height_px": 248, **wants}
    path.write_bytes(odd_media.film(num_frames=round(duration_s * fps), fps=fps, **size))
    return (
        Role.REFERENCE_VIDEO,
        path,
        facts_of(
            Role.REFERENCE_VIDEO,
            path,
            width_px=size["width_px"],
            height_px=size["height_px"],
            duration_s=duration_s,
        ),
    )


def sound_item(folder: Path, name: str = "sound", *, duration_s: float = 2.0) -> Item:
    """A tone of 440 Hz, as a medium."""
    path = folder / name
    path.write_bytes(odd_media.sound("wav", duration_s=duration_s))
    return Role.REFERENCE_AUDIO, path, facts_of(Role.REFERENCE_AUDIO, path, duration_s=duration_s)


def facts_of(role: Role, path: Path, **measured: float) -> MediaFacts:
    """What the server knows of a file, as far as engines ask."""
    plain = MediaFacts(modality=KINDS[role], container="", media_type="", size_bytes=path.stat().st_size)
    return replace(plain, **measured)


def job_of(folder: Path, *items: Item, prompt: str = "", num_frames: int | None = FPS, **wants: object) -> RenderJob:
    """A silent job of one second in 480p, if nothing else is wanted."""
    content = [ContentItem(modality=Modality.TEXT, value=prompt)]
    for role, path, facts in items:
        medium = Medium(key=f"media/{path.name}", sha256="0", origin=Origin.WEB, facts=facts)
        content.append(ContentItem(modality=facts.modality, value="", role=role, medium=medium))
    plain = {"ratio": "adaptive", "resolution": "480p", "duration_s": -1, "generate_audio": False}
    request = GenerationRequest(model="any", content=tuple(content), **{**plain, **wants})
    return RenderJob(
        request=request,
        seed=5,
        sizes=SIZES[str(request.resolution)],
        duration_range_s=(4, 15),
        fps=FPS,
        num_frames=num_frames,
        audio_channels=2,
        output_dir=str(folder),
        media={place: str(path) for place, (_, path, _) in enumerate(items, start=1)},
    )


def frames_of(job: RenderJob, *indices: int) -> list[Picture]:
    """Copies of some painted frames, (height_px, width_px, 3)."""
    painter = open_film(plan_job(job), job, None).painter
    return [painter.paint(index)[:, :, :3].copy() for index in indices]


def decoded(path: Path) -> list[Picture]:
    """All pictures of a film that was made here."""
    with av.open(str(path)) as container:
        return [
            frame.reformat(format="rgb24", src_colorspace="ITU709", src_color_range="MPEG").to_ndarray()
            for frame in container.decode(video=0)
        ]


def rendered(job: RenderJob) -> tuple[object, Path]:
    """Render the job; its result and the film's path."""
    Path(job.output_dir).mkdir(exist_ok=True)
    result = PrevizEngine().render(job, lambda done, total: None)
    return result, Path(job.output_dir) / result.video


def apart(first: Picture, second: Picture) -> float:
    """How far two pictures are from each other, in levels on average."""
    return float(np.abs(first.astype(int) - second).mean())
