"""The media that the examples of the documents name: which examples have any, and a real file at each address.

No two addresses have the same bytes, so that a test can tell what came from where. Images are 3:4 and videos 16:9, so
that the shape of a film tells which of them it was taken from.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from media_host import MediaHost, file, media_host
from odd_media import box, film, picture, sound
from understudy.dialects.registry import CODECS

GOLDEN = Path(__file__).parent / "golden"
ASSET = "asset://"
SHAPES = {"image": "3:4", "video": "16:9"}
KINDS = {"jpg": "jpeg"}
NAMED_RATIO = re.compile(r'"(?:ratio|size)\\*": *\\*"(\d+:\d+)\\*"')
DATA = re.compile(r"data:([a-z]+/[a-z]+);base64,(.*)")


@dataclass(frozen=True)
class Example:
    """One accepted example with media. given: (modality, address, role) of each content item in its order."""

    name: str
    dialect: str
    path: str
    body: str
    headers: Mapping[str, str]
    given: Sequence[tuple[str, str, str | None]]

    @property
    def ratio(self) -> str:
        """The ratio that it names, or the one that its dialect's document gives as its default."""
        named = NAMED_RATIO.search(self.body)
        return named[1] if named else str(CODECS[self.dialect].profile.defaults.get("ratio", "adaptive"))

    @property
    def media(self) -> Sequence[tuple[str, str]]:
        """(modality, address) of each medium in its order."""
        return [(modality, address) for modality, address, _ in self.given if modality != "text"]

    @property
    def encoding(self) -> str:
        return "latin-1" if self.headers else "utf-8"


def examples() -> Mapping[str, Example]:
    """Return every example of the documents that is accepted and has media, by dialect and name."""
    found = {}
    for path in sorted(GOLDEN.glob("*/*.json")):
        case = json.loads(path.read_text("utf-8"))
        given = case["expect"].get("request", {}).get("content", [])
        if case["method"] != "POST" or case["expect"]["status"] != 200 or all(item[0] == "text" for item in given):
            continue
        name = f"{path.parent.name}/{path.stem}"
        found[name] = Example(
            name=name,
            dialect=path.parent.name,
            path=case["path"],
            body=case["body"],
            headers=case.get("headers") or {},
            given=[tuple(item) for item in given],
        )
    return found


EXAMPLES = examples()
PLACES = sorted({medium for example in EXAMPLES.values() for medium in example.media})
"""Every medium that any example names, once."""


@cache
def content_of(modality: str, address: str) -> bytes:
    """Return the file at an address of the examples: of the kind that its end or its media type names."""
    number = PLACES.index((modality, address))
    if modality == "image":
        kind = _kind_of(address, "png")
        # Within a thirtieth of 3:4, each of a size of its own.
        return picture(kind, width_px=600, height_px=800 + number % 30, mode="P" if kind == "gif" else "RGB")
    if modality == "video":
        # Of one film and many sizes: the box says that it is to be passed over.
        return film() + box(b"free", bytes(number))
    return sound(_kind_of(address, "mp3"), duration_s=2 + number / 100)


def _kind_of(address: str, otherwise: str) -> str:
    data = DATA.match(address)
    end = data[1].partition("/")[2] if data else Path(urlsplit(address).path).suffix.removeprefix(".")
    return KINDS.get(end, end) or otherwise


def sha256_of(modality: str, address: str) -> str:
    return hashlib.sha256(content_of(modality, address)).hexdigest()


class SeedHost:
    """Serves what the examples name at the paths that they name it at."""

    def __init__(self, host: MediaHost) -> None:
        self.host = host
        for modality, address in PLACES:
            if address.startswith("http"):
                host.on(urlsplit(address).path, file(content_of(modality, address)))

    def asset(self, modality: str, address: str) -> str:
        """Return where the file of an asset is."""
        return self.host.on(f"/{modality}/{address.removeprefix(ASSET)}", file(content_of(modality, address)))

    def put_in(self, address: str, modality: str) -> str:
        """Return what is to be sent in place of an address of an example."""
        data = DATA.match(address)
        if data:
            return f"data:{data[1]};base64,{base64.b64encode(content_of(modality, address)).decode('ascii')}"
        return address if address.startswith(ASSET) else self.host.at(address)

    def body_of(self, example: Example) -> bytes:
        """Return the example's body with our host, and whole files where it shows the beginning of one."""
        body = example.body.encode(example.encoding)
        for modality, address in set(example.media):
            body = body.replace(address.encode(), self.put_in(address, modality).encode())
            data = DATA.match(address)
            if data:
                # In a form the file stands as it is.
                body = body.replace(base64.b64decode(data[2]), content_of(modality, address))
        return body

    @property
    def asked(self) -> list[str]:
        """The paths that were asked for so far."""
        return [request.path for request in self.host.requests]


@contextmanager
def seed_host() -> Iterator[SeedHost]:
    with media_host() as host:
        yield SeedHost(host)
