"""Faces in whole files, looked for behind the walls of the sandbox."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import av
import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from understudy.core.media import Unreadable
from understudy.core.modality import Modality
from understudy.media.faces_in_files import FACES, FACES_OPERATION, SandboxedFaceFinder
from understudy.media.sandbox import Sandbox
from understudy.media.sandbox_process import SandboxLimits

PICTURES = Path(__file__).parent.parent / "assets" / "pictures"
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def finder() -> AsyncIterator[SandboxedFaceFinder]:
    sandbox = Sandbox({FACES: FACES_OPERATION}, SandboxLimits(processes=1, timeout_s=30))
    yield SandboxedFaceFinder(sandbox)
    await sandbox.close()


def film(path: Path, *names: str, turned_deg: int = 0) -> Path:
    """A second of each photograph; stored turned, with the note that turns it back."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width = stream.height = 320
        stream.pix_fmt = "yuv420p"
        for index in range(24 * len(names)):
            with Image.open(PICTURES / f"{names[index // 24]}.jpg") as picture:
                square = picture.convert("RGB").resize((320, 320)).rotate(turned_deg)
            frame = av.VideoFrame.from_ndarray(np.asarray(square), format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("name", "found"), [("astronaut", True), ("chelsea", False), ("coffee", False)])
async def test_an_image_file_is_looked_at(finder: SandboxedFaceFinder, name: str, found: bool):
    assert await finder.has_face(PICTURES / f"{name}.jpg", Modality.IMAGE) is found


async def test_a_portrait_that_lies_on_its_side_is_turned_first(finder: SandboxedFaceFinder, tmp_path: Path):
    with Image.open(PICTURES / "astronaut.jpg") as picture:
        exif = Image.Exif()
        exif[0x0112] = 8
        picture.rotate(-90, expand=True).save(tmp_path / "a.jpg", exif=exif)
    assert await finder.has_face(tmp_path / "a.jpg", Modality.IMAGE)


async def test_a_transparent_picture_is_seen_on_white(finder: SandboxedFaceFinder, tmp_path: Path):
    with Image.open(PICTURES / "astronaut.jpg") as picture:
        hidden = picture.convert("RGBA")
    hidden.putalpha(0)
    hidden.save(tmp_path / "a.png")
    assert not await finder.has_face(tmp_path / "a.png", Modality.IMAGE)


async def test_a_face_anywhere_in_a_video_is_found(finder: SandboxedFaceFinder, tmp_path: Path):
    assert await finder.has_face(film(tmp_path / "a.mp4", "coffee", "chelsea", "astronaut"), Modality.VIDEO)
    assert not await finder.has_face(film(tmp_path / "b.mp4", "coffee", "chelsea"), Modality.VIDEO)


async def test_what_cannot_be_read_is_said_to_be_so(finder: SandboxedFaceFinder, tmp_path: Path):
    buffer = io.BytesIO()
    Image.new("RGB", (400, 400)).save(buffer, "JPEG")
    (tmp_path / "cut.jpg").write_bytes(buffer.getvalue()[:300])
    with pytest.raises(Unreadable):
        await finder.has_face(tmp_path / "cut.jpg", Modality.IMAGE)
    with pytest.raises(Unreadable):
        await finder.has_face(PICTURES / "chelsea.jpg", Modality.VIDEO)
