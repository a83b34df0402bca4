"""Open a container of films or sounds with one demuxer and few decoders, and follow its packets.

FFmpeg is given the open file and nothing else: no name, no address, and no leave to open another.
"""

import contextlib
import importlib
import itertools
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn

import av

from understudy.core.media import Unreadable

DECODERS = (
    *("h264", "hevc", "aac", "mp3", "mp3float"),
    *("pcm_u8", "pcm_s8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be"),
    *("pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be", "pcm_alaw", "pcm_mulaw", "adpcm_ms", "adpcm_ima_wav"),
)
"""The decoders that may meet a stranger's bytes. Of another codec only the name is told."""

BUFFER_BYTES = 1 << 18

CLOCK_TICKS = 2
UNEVEN_SHARE = 0.1
"""Steps that differ by less are a phone's clock, and no editor would call the film's rate variable."""


STREAMS_OPENED_MAX = 200
"""FFmpeg's own bound, far above ours: beyond it, it says that memory is out."""

AV_LEAVES_OUT = ("av.__main__", "av.datasets")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerBounds:
    """Our own bounds on the work that one container may make.

    streams: a phone writes up to about ten. probed_bytes: read to learn what the streams are, though an index is read
    whole. packets: an hour of 60 pictures a second with a track of sound is 400 000. pixels: of one picture, as of
    images. checked_moments: spread over a film, where its pictures are decoded; checked_pictures: at each of them.
    decoded_s: so much sound is decoded, which is several times what any service takes; behind it packets are counted.
    """

    streams: int = 32
    probed_bytes: int = 5_000_000
    probed_s: float = 5.0
    packets: int = 500_000
    pixels: int = 36_000_000
    checked_moments: int = 8
    checked_pictures: int = 3
    decoded_s: float = 120.0


def prepare_containers() -> None:
    """Load all of PyAV, which imports its modules when it meets a stream that needs them: too late behind walls."""
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if module.name not in AV_LEAVES_OUT:
            importlib.import_module(module.name)


def _open_nothing(*_: object) -> NoReturn:
    raise PermissionError("a file of this house opens no other file")


@contextlib.contextmanager
def opened(file: BinaryIO, demuxer: str, bounds: ContainerBounds) -> Iterator[Any]:
    """Give the open container; what FFmpeg raises inside becomes one reason.

    Raises: Unreadable; MemoryError.
    """
    options = {
        "enable_drefs": "0",
        "protocol_whitelist": "none",
        "format_whitelist": demuxer,
        "codec_whitelist": ",".join(DECODERS),
        "max_streams": str(STREAMS_OPENED_MAX),
        "probesize": str(bounds.probed_bytes),
        "analyzeduration": str(round(bounds.probed_s * 1_000_000)),
    }
    try:
        with av.open(
            file, format=demuxer, container_options=options, buffer_size=BUFFER_BYTES, io_open=_open_nothing
        ) as container:
            if len(container.streams) > bounds.streams:
                raise Unreadable(f"the file has {len(container.streams)} tracks, at most {bounds.streams} are read")
            yield container
    except MemoryError:
        raise
    except (av.FFmpegError, OSError, ValueError) as error:
        # PyAV tells of a bad file as ValueError as well.
        message = str(getattr(error, "strerror", None) or error)
        raise Unreadable(f"the file is damaged: {message}") from error


class Span:
    """What the packets of one track say when they are shown or heard. Times are in ticks of the track."""

    def __init__(self, tick_s: float) -> None:
        self.tick_s = tick_s
        self.starts: list[int] = []
        self._latest = 0
        self._last_step = 0

    def add(self, packet: Any) -> None:
        """Take the packet's time; those that are only there to be decoded are not shown."""
        if packet.is_discard or packet.pts is None:
            return
        if not self.starts or packet.pts >= self._latest:
            self._latest = packet.pts
            self._last_step = packet.duration or 0
        self.starts.append(packet.pts)

    def is_variable(self) -> bool:
        """Say whether the steps differ by more than a coarse clock makes them."""
        steps = self._steps()
        return bool(steps) and max(steps) - min(steps) > max(CLOCK_TICKS, sum(steps) / len(steps) * UNEVEN_SHARE)

    def _steps(self) -> list[int]:
        ordered = sorted(self.starts)
        return [after - before for before, after in itertools.pairwise(ordered)]

    @property
    def between_ticks(self) -> int:
        """From the first start to the last."""
        return max(self.starts) - min(self.starts) if self.starts else 0

    @property
    def duration_s(self) -> float:
        """From the first start to the last end; a last packet without a length is as long as the others."""
        if not self.starts:
            return 0.0
        steps = len(self.starts) - 1
        last = self._last_step or (self.between_ticks / steps if steps else 0)
        return (self.between_ticks + last) * self.tick_s


def packets_of(container: Any, bounds: ContainerBounds) -> Iterator[Any]:
    """Yield the packets of all streams, without the empty ones that end them.

    Raises: Unreadable for more of them than the bounds allow.
    """
    count = 0
    for packet in container.demux():
        if not packet.size:
            continue
        count += 1
        if count > bounds.packets:
            raise Unreadable(f"the file has more than {bounds.packets} packets")
        yield packet


def prepared_decoder(stream: Any) -> Any | None:
    """Return the decoder of a stream on one thread, or None for a codec that is not decoded here."""
    if stream.codec_context is None or stream.codec_context.codec.name not in DECODERS:
        return None
    stream.codec_context.thread_count = 1
    return stream.codec_context


def codec_name(stream: Any) -> str:
    """Return FFmpeg's name of the codec; "mp3" whichever of its two decoders there is."""
    name = str(stream.codec_context.codec.canonical_name) if stream.codec_context is not None else "unknown"
    return name.removesuffix("float")
