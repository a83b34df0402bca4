"""What reading a prompt yields: subjects as they are read, values that are named, and what is left out as negated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from understudy.engines.previz.kinds import Kind, kind_of
from understudy.engines.previz.plan import Action, CameraMove, ReferenceUse, Subject

WEAK_ACTIONS = (Action.SPEAK, Action.SIT)
"""What a subject does beside something that moves it more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A value of a property that the prompt names. weight: how plainly, for settings."""

    table: str
    value: str
    place: int
    weight: int = 1


class Draft:
    """A subject while it is read. at, ends: where its noun stands in the text; -1 = it is only meant by others."""

    __slots__ = (
        "action", "art", "at", "count", "ends", "images", "is_vague", "place", "rides", "tint",
        "wears", "wears_tint", "word",
    )  # fmt: skip

    def __init__(self, art: str, word: str) -> None:
        self.art, self.word = art, word
        self.action, self.count, self.tint = Action.IDLE, 1, ""
        self.wears: list[str] = []
        self.wears_tint = self.place = ""
        self.images: list[int] = []
        self.rides: Draft | None = None
        self.at = self.ends = -1
        self.is_vague = True

    def again(self) -> "Draft":
        """The same one in a later shot, where it does something else."""
        other = Draft(self.art, self.word)
        other.count, other.tint, other.wears_tint = self.count, self.tint, self.wears_tint
        other.wears, other.images = list(self.wears), list(self.images)
        return other

    def is_shown_by(self, numbers: Sequence[int]) -> None:
        """Take reference images, in the order in which they are named."""
        self.images += [number for number in numbers if number not in self.images]

    @property
    def kind(self) -> Kind:
        """The sort of its drawing."""
        return kind_of(self.art)

    def acts(self, action: Action) -> None:
        """Take the first motion that is named; speaking and sitting give way to a motion, nothing to standing still."""
        if action is Action.IDLE or not self.is_vague:
            return
        if self.action is Action.IDLE or action not in WEAK_ACTIONS:
            self.action = action
        self.is_vague = self.action in WEAK_ACTIONS

    def settled(self, rides: int | None = None) -> Subject:
        """The finished subject: its action as its sort does it. rides: index of the subject it sits on or in."""
        action = self.kind.turns.get(self.action, self.action)
        if action is Action.IDLE and self.is_vague:
            action = self.kind.rest
        return Subject(
            art=self.art,
            word=self.word,
            action=action,
            count=self.count,
            wears=tuple(dict.fromkeys(self.wears)),
            tint=self.tint,
            wears_tint=self.wears_tint,
            rides=rides,
            images=tuple(self.images),
            place=self.place,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read. props: art ids of things that are named but are no subjects. speakers: per quotation.

    drafts: the subjects as they were read, for a later shot that names them again. uses: number of a reference image ->
    what the nouns around it make of it. setting_image: as of `Shot`. refers_back: a pronoun or a motion without anyone.
    unclaimed: the quotations that nobody named here says, though no voice off screen does.
    """

    subjects: tuple[Subject, ...] = ()
    mentions: tuple[Mention, ...] = ()
    props: tuple[str, ...] = ()
    speakers: tuple[int | None, ...] = ()
    unclaimed: frozenset[int] = frozenset()
    camera: CameraMove | None = None
    drafts: tuple[Draft, ...] = ()
    uses: Mapping[int, ReferenceUse] = field(default_factory=dict)
    setting_image: int = 0
    refers_back: bool = False
