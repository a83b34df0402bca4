"""`make frame`: render the demo's film and save one frame of it as the README's picture.

The picture is of a real film, made by a server through the API like any other; nothing is retouched.
"""

import itertools
import tempfile
from pathlib import Path

import av
import cv2

from demo import PROMPT, REQUEST
from understudy import Client
from understudy.cli.private_server import private_server

PICTURE = Path(__file__).parent.parent / "docs/images/frame.jpg"
SECOND = 2.5
PICTURE_BYTES_MAX = 200_000
QUALITIES = range(92, 50, -4)


def frame_at(film: Path, second: float) -> cv2.typing.MatLike:
    """Return the frame of a film at a second, (height_px, width_px, 3) uint8 BGR."""
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        number = int(second * float(stream.average_rate or 1))
        frame = next(itertools.islice(container.decode(stream), number, None))
        return frame.to_ndarray(format="bgr24")


def main() -> None:
    """Render, pick, save."""
    with tempfile.TemporaryDirectory() as folder, private_server() as server:
        film = Path(folder) / "film.mp4"
        with Client(server.url, server.api_key) as client:
            client.generate(PROMPT, film, ratio="16:9", resolution="720p", duration_s=5, seed=int(str(REQUEST["seed"])))
        picture = frame_at(film, SECOND)
    for quality in QUALITIES:
        _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if encoded.size <= PICTURE_BYTES_MAX:
            PICTURE.parent.mkdir(parents=True, exist_ok=True)
            PICTURE.write_bytes(encoded.tobytes())
            print(f"{PICTURE}: {encoded.size} bytes at quality {quality}")
            return
    raise SystemExit(f"No quality gives at most {PICTURE_BYTES_MAX} bytes.")


if __name__ == "__main__":
    main()
