"""The media that a film is made from, as a prompt names them: by modality and number, and what a model calls them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from understudy.core.content import Modality, Role
from understudy.core.request import GenerationRequest
from understudy.reading.references import Given

_TAGS = {Modality.IMAGE: "Picture", Modality.VIDEO: "Video", Modality.AUDIO: "Audio"}
_FRAMES = (Role.FIRST_FRAME, Role.LAST_FRAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenMedium:
    """One medium that the model is given, in the order in which the model is given them.

    number: from 1, among the media of its modality in the order of the request: "image 2" of the prompt.
    with_sound: of a video, that the model is given its sound track too.
    """

    modality: Modality
    number: int
    role: Role | None = None
    with_sound: bool = False


def given_media(request: GenerationRequest, *, with_sound: bool = True) -> tuple[GivenMedium, ...]:
    """Return the media of a request in its order, frames in the film's. with_sound: give videos with their sound."""
    counts: dict[Modality, int] = {}
    found = []
    for item in request.content:
        if item.modality not in _TAGS:
            continue
        counts[item.modality] = number = counts.get(item.modality, 0) + 1
        is_heard = with_sound and item.medium is not None and item.medium.facts.audio_tracks > 0
        found.append(
            GivenMedium(
                modality=item.modality,
                number=number,
                role=item.role,
                with_sound=item.modality is Modality.VIDEO and is_heard,
            )
        )
    return tuple(sorted(found, key=lambda medium: medium.role is Role.LAST_FRAME))


def counted(media: Sequence[GivenMedium]) -> Given:
    """How many there are of each modality, as the reading of references wants it."""
    images, videos, audios = (sum(medium.modality is modality for medium in media) for modality in _TAGS)
    return Given(images=images, videos=videos, audios=audios)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What MiniMax-H3 calls each medium. tracks: number of a video -> the tag of its sound track."""

    media: Mapping[tuple[Modality, int], str]
    tracks: Mapping[int, str]

    def of(self, modality: Modality, number: int) -> str:
        """Return the tag of a medium that is there: "<Picture 2>"."""
        return self.media[modality, number]

    @property
    def all(self) -> tuple[str, ...]:
        """Every tag there is."""
        return (*self.media.values(), *self.tracks.values())


def tags_of(media: Sequence[GivenMedium]) -> Tags:
    """Number the media as the pipeline does: by kind, from 1, and the sound of a video before the video itself.

    Source: diffusers 0.42.1, modular_pipelines/minimax_h3/encoders.py, `_build_presentation`.
    """
    counts = dict.fromkeys(_TAGS, 0)
    tags: dict[tuple[Modality, int], str] = {}
    tracks: dict[int, str] = {}

    def next_tag(modality: Modality) -> str:
        counts[modality] += 1
        return f"<{_TAGS[modality]} {counts[modality]}>"

    for medium in media:
        if medium.modality is Modality.VIDEO and medium.with_sound:
            tracks[medium.number] = next_tag(Modality.AUDIO)
        tags[medium.modality, medium.number] = next_tag(medium.modality)
    return Tags(media=tags, tracks=tracks)


def frames_in(media: Sequence[GivenMedium]) -> Mapping[Role, GivenMedium]:
    """The first and the last frame, as far as they are given."""
    return {medium.role: medium for medium in media if medium.role in _FRAMES and medium.role is not None}
