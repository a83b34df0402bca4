"""What a job brings besides its words, and where each video stands in the film: plain values, nothing is read here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from itertools import pairwise
from pathlib import Path

from understudy.core.content import ContentItem, Modality, Role
from understudy.core.errors import TaskFailed, Violation
from understudy.core.render import RenderJob
from understudy.core.scenario import Scenario, scenario_of
from understudy.engines.previz.plan import Extension, FilmPlan, ReferenceUse
from understudy.reading.lexicon import table
from understudy.reading.lexicon.inflect import fold

EXTENSION = "extend"
NEW_SHARE = 0.5
"""How much of an extension, at least, is new: who asks for one wants to see what follows."""

EXTENSION_S = 5
"""What an extension adds when the engine chooses; as long as a film usually is."""


JOIN_S = 1 / 3
SMOOTH_JOIN_S = 0.5
"""How long one video takes to become the next: eight frames of a usual film, more where it is asked for."""


class Join(StrEnum):
    """How one given video is followed by the next."""

    CUT = "cut"
    USUAL = "usual"
    SMOOTH = "smooth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """A given video. duration_s: as it was measured. number: from 1, in the request's order; 0 = by its place."""

    path: Path
    duration_s: float
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The media of a job by what they are for, each kind in the request's order.

    is_extension: the film goes on where the videos end, or, is_backward, leads to where they begin. is_still: the
    camera is to stand. join: how the videos follow each other. camera: a video that is not shown, but whose camera
    the film's follows. closer: how much nearer the first frame is seen than it was given.
    """

    first: Path | None = None
    last: Path | None = None
    images: tuple[Path, ...] = ()
    videos: tuple[Footage, ...] = ()
    sounds: tuple[Path, ...] = ()
    is_extension: bool = False
    is_backward: bool = False
    is_still: bool = False
    join: Join = Join.USUAL
    camera: Footage | None = None
    closer: float = 1.0

    @property
    def has_pictures(self) -> bool:
        """Whether there is anything to look at."""
        return bool(self.first or self.last or self.images or self.videos)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A stretch of a given video in the film, in frames of the film.

    video: index into `Given.videos`. starts_at: in the film. begins_with: the video's own picture that comes first.
    """

    video: int
    starts_at: int
    begins_with: int
    num_frames: int


def given_in(job: RenderJob) -> Given:
    """Sort the job's media.

    Raises: TaskFailed for an item without a file, which the server owes each of them.
    """
    request = job.request
    found: dict[Role, list[tuple[ContentItem, Path]]] = {role: [] for role in Role}
    scenario = scenario_of(request)
    for index, item in enumerate(request.content):
        if item.modality not in _REFERENCE_ROLES:
            continue
        usual = Role.FIRST_FRAME if scenario is Scenario.FIRST_FRAME else _REFERENCE_ROLES[item.modality]
        found[item.role or usual].append((item, _file_of(job, index)))
    videos = tuple(
        Footage(path=path, duration_s=_duration_s(item), number=number)
        for number, (item, path) in enumerate(found[Role.REFERENCE_VIDEO], 1)
    )
    is_extension = request.omni_reference_task_type == EXTENSION or (
        request.omni_reference_task_type in (None, "auto") and _says(request.prompt, "continuation", EXTENSION)
    )
    return Given(
        first=next((path for _, path in found[Role.FIRST_FRAME]), None),
        last=next((path for _, path in found[Role.LAST_FRAME]), None),
        images=tuple(path for _, path in found[Role.REFERENCE_IMAGE]),
        videos=videos,
        sounds=tuple(path for _, path in found[Role.REFERENCE_AUDIO]),
        is_extension=bool(videos) and is_extension,
        is_still=bool(request.camera_fixed) or _says(request.prompt, "camera", "static"),
        join=next((join for join in (Join.CUT, Join.SMOOTH) if _says(request.prompt, "join", join)), Join.USUAL),
    )


def as_told(given: Given, plan: FilmPlan) -> Given:
    """Bring the videos into the order in which the plan tells of them, and leave out those that are not to be seen.

    The videos that the plan does not name follow those it does, in their own order.
    """
    told = [reference for reference in plan.references if reference.modality is Modality.VIDEO]
    told = [reference for reference in told if 1 <= reference.number <= len(given.videos)]
    unseen = {reference.number for reference in told if reference.use is ReferenceUse.CAMERA}
    unseen -= {reference.number for reference in told if reference.use is ReferenceUse.SOURCE}
    named = [reference.number for reference in sorted(told, key=lambda reference: reference.shot)]
    order = dict.fromkeys([*named, *range(1, len(given.videos) + 1)])
    videos = tuple(given.videos[number - 1] for number in order if number not in unseen)
    return replace(
        given,
        videos=videos,
        camera=next((given.videos[number - 1] for number in order if number in unseen), None),
        is_extension=given.is_extension and bool(videos),
        is_backward=given.is_extension and bool(videos) and plan.extension is Extension.BACKWARD,
    )


_REFERENCE_ROLES = {
    Modality.IMAGE: Role.REFERENCE_IMAGE,
    Modality.VIDEO: Role.REFERENCE_VIDEO,
    Modality.AUDIO: Role.REFERENCE_AUDIO,
}


def _file_of(job: RenderJob, index: int) -> Path:
    path = job.media.get(index)
    if path is None:
        message = f"The file of `content[{index}]` was not given to the engine."
        raise TaskFailed(Violation("InternalServiceError", f"content[{index}]", message), is_retryable=True)
    return Path(path)


def _duration_s(item: ContentItem) -> float:
    return item.medium.facts.duration_s if item.medium is not None else 0.0


@cache
def _pattern_of(name: str, value: str) -> re.Pattern[str]:
    """What finds any phrase of a row of the vocabulary, whole words only where the script has words."""
    row = next(row for row in table(name) if row.value == value)
    phrases = [fold(phrase) for phrases in row.words.values() for phrase in phrases]
    return re.compile("|".join(_spelled(phrase) for phrase in phrases))


def _spelled(phrase: str) -> str:
    stem = phrase.rstrip("*")
    if not stem.isascii():
        return re.escape(stem)
    return rf"(?<!\w){re.escape(stem)}" + (r"\w*" if phrase.endswith("*") else r"(?!\w)")


def _says(prompt: str, name: str, value: str) -> bool:
    return _pattern_of(name, value).search(fold(prompt)) is not None


def chosen_duration_s(given: Given, range_s: tuple[int, int]) -> int | None:
    """Choose the whole seconds of a film whose length is left open: that of the videos; None = they do not say."""
    if not given.videos:
        return None
    wanted_s = round(sum(video.duration_s for video in given.videos)) + (EXTENSION_S if given.is_extension else 0)
    return min(max(wanted_s, range_s[0]), range_s[1])


def cuts_of(given: Given, *, num_frames: int, fps: int) -> tuple[Cut, ...]:
    """Lay the videos out one after the other, as far as the film has room for them.

    An edit begins with their beginning. An extension leaves room for what is new: one that goes on begins later in them
    where it must, and one that leads to them ends earlier.
    """
    lengths = [max(1, round(video.duration_s * fps)) for video in given.videos]
    room = num_frames - round(num_frames * NEW_SHARE) if given.is_extension else num_frames
    if given.is_backward:
        starts_at = num_frames - min(room, sum(lengths))
        return _laid_out(lengths, skipped=0, starts_at=starts_at, ends_at=num_frames)
    skipped = max(0, sum(lengths) - room) if given.is_extension else 0
    return _laid_out(lengths, skipped=skipped, starts_at=0, ends_at=room)


def _laid_out(lengths: Sequence[int], *, skipped: int, starts_at: int, ends_at: int) -> tuple[Cut, ...]:
    cuts: list[Cut] = []
    for video, length in enumerate(lengths):
        begins_with = min(skipped, length)
        skipped -= begins_with
        count = min(length - begins_with, ends_at - starts_at)
        if count > 0:
            cuts.append(Cut(video=video, starts_at=starts_at, begins_with=begins_with, num_frames=count))
            starts_at += count
    return tuple(cuts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """Frames of the film, from starts_at on to before ends_at, that lead from one video to the next."""

    starts_at: int
    ends_at: int

    @property
    def num_frames(self) -> int:
        """How many they are."""
        return self.ends_at - self.starts_at


def bridges_of(cuts: Sequence[Cut], join: Join, *, fps: int) -> tuple[Bridge, ...]:
    """Say where one video becomes the next; of a short one no more than a third is given up at each end."""
    half = round({Join.CUT: 0.0, Join.USUAL: JOIN_S, Join.SMOOTH: SMOOTH_JOIN_S}[join] * fps / 2)
    found: list[Bridge] = []
    for before, after in pairwise(cuts):
        reach = min(half, before.num_frames // 3, after.num_frames // 3)
        if reach:
            found.append(Bridge(starts_at=after.starts_at - reach, ends_at=after.starts_at + reach))
    return tuple(found)
