"""Films of the default engine begin with what was given, in whichever way it came; their decoded pictures say so."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest

import odd_media
from beginnings import NEAR, Picture, apart, first_picture, last_picture
from media_host import MediaHost, file, media_host
from serving_media import ARK, LOOPBACK, Served, data_url, served
from understudy.media.decode import fitted
from understudy.media.probe import probe_film

M20 = "doubao-seedance-2-0-260128"

PHOTO = odd_media.picture("jpeg", width_px=800, height_px=600, orientation=6)
"""Stored lying on its side, as phones store what was photographed upright."""


@dataclass(frozen=True)
class Place:
    """A server with the default engine, and a host that it may fetch from."""

    server: Served
    host: MediaHost

    def film(self, folder: Path, *content: dict[str, Any]) -> Path:
        """Return a silent film, of the shortest length and the smallest size, of what is given."""
        body = {"model": M20, "content": [{"type": "text", "text": "Slow push in"}, *content]}
        body |= {"resolution": "480p", "duration": 4, "generate_audio": False, "seed": 7}
        return self.server.film(self.server.ended(self.server.call(ARK, body)["id"]), folder / "film.mp4")

    def first_frame(self, folder: Path, address: str) -> Path:
        return self.film(folder, {"type": "image_url", "image_url": {"url": address}, "role": "first_frame"})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    data_dir = tmp_path_factory.mktemp("given") / "data"
    with media_host() as host, served(data_dir, UNDERSTUDY_FETCH_NETWORKS=LOOPBACK) as server:
        yield Place(server, host)


def pixels(width_px: int, height_px: int, *, turned: int = 0) -> Picture:
    """Return what the files of these tests show, turned anticlockwise by so many quarters."""
    return np.ascontiguousarray(np.rot90(odd_media.pixels(width_px, height_px), turned))


def shows(shown: Picture, given: Picture) -> bool:
    """Say whether a picture of a film is what was given, cut to its size."""
    return apart(shown, fitted(given, shown.shape[1], shown.shape[0])) < NEAR


def begins_with(film: Path, given: Picture) -> bool:
    return shows(first_picture(film), given)


def size_px(film: Path) -> tuple[int, int]:
    facts = probe_film(film)
    return facts.width_px, facts.height_px


def by_address(place: Place, content: bytes) -> str:
    return place.host.on("/photo", file(content))


def by_data_url(_: Place, content: bytes, media_type: str = "image/jpeg") -> str:
    return data_url(media_type, content)


def by_asset(place: Place, content: bytes) -> str:
    place.server.register("photo-of-a-phone", "image", by_address(place, content))
    return "asset://photo-of-a-phone"


def test_a_film_begins_with_the_photo_that_was_given_upright(place: Place, tmp_path: Path) -> None:
    film = place.first_frame(tmp_path, by_address(place, PHOTO))
    assert size_px(film) == (560, 752)
    assert begins_with(film, pixels(800, 600, turned=-1))
    assert not begins_with(film, pixels(800, 600, turned=1))


@pytest.mark.full
def test_a_photo_makes_the_same_film_in_whichever_way_it_comes(place: Place, tmp_path: Path) -> None:
    films = {place.first_frame(tmp_path, way(place, PHOTO)).read_bytes() for way in (by_address, by_data_url, by_asset)}
    assert len(films) == 1


def test_a_film_begins_and_ends_with_the_two_images_that_were_given(place: Place, tmp_path: Path) -> None:
    start = odd_media.picture("png", width_px=864, height_px=496)
    end = odd_media.picture("webp", width_px=496, height_px=864, quality=95)
    items = [
        {"type": "image_url", "image_url": {"url": place.host.on(f"/{role}", file(content))}, "role": role}
        for role, content in (("last_frame", end), ("first_frame", start))
    ]
    film = place.film(tmp_path, *items)
    assert size_px(film) == (864, 496)
    assert begins_with(film, pixels(864, 496))
    assert shows(last_picture(film), pixels(496, 864))


def test_a_film_begins_with_the_heic_of_a_phone_as_it_was_turned(place: Place, tmp_path: Path) -> None:
    photo = odd_media.heic(width_px=864, height_px=496, turned=1)
    film = place.first_frame(tmp_path, by_data_url(place, photo, "image/heic"))
    assert size_px(film) == (496, 864)
    assert begins_with(film, pixels(864, 496, turned=1))


def test_a_video_that_was_filmed_upright_is_seen_upright(place: Place, tmp_path: Path) -> None:
    address = place.host.on("/v.mov", file(odd_media.film(container="mov", rotation_deg=90, num_frames=60)))
    film = place.film(tmp_path, {"type": "video_url", "video_url": {"url": address}, "role": "reference_video"})
    assert size_px(film) == (496, 864)
    assert begins_with(film, pixels(864, 480, turned=-1))


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
def test_a_file_that_is_uploaded_with_openais_sdk_is_how_the_film_begins(place: Place, tmp_path: Path) -> None:
    photo, film = tmp_path / "start.png", tmp_path / "film.mp4"
    photo.write_bytes(odd_media.picture("png", width_px=720, height_px=1280))
    with openai.OpenAI(base_url=f"{place.server.url}/v1", api_key=place.server.api_key) as client:
        with photo.open("rb") as opened:
            video = client.videos.create_and_poll(
                prompt="She turns", input_reference=opened, seconds="4", size="720x1280", poll_interval_ms=200
            )
        assert (video.status, video.error) == ("completed", None)
        film.write_bytes(client.videos.download_content(video.id).read())
    assert begins_with(film, pixels(720, 1280))
