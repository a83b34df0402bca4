"""One file of the corpus, and what its bytes may try to lure a reader to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from understudy.core.modality import Modality

IMAGE, VIDEO, AUDIO = Modality.IMAGE, Modality.VIDEO, Modality.AUDIO


@dataclass(frozen=True, slots=True, kw_only=True)
class Lure:
    """What must not be touched. path: of a local file. url: of a listener, without a path."""

    path: str = "/etc/passwd"
    url: str = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """See the package. reason: its parts, divided by " | ", are alternatives."""

    content: Callable[[Lure], bytes]
    modality: Modality
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    lures: bool = False

    @property
    def is_read(self) -> bool:
        return not self.reason


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the corpus while it is written down."""

    files: dict[str, Hostile] = field(default_factory=dict)

    def refused(self, name: str, modality: Modality, content: Callable[[], bytes], *, reason: str) -> None:
        """Note a file that must be refused for a reason with these words."""
        self._add(name, Hostile(content=lambda _: content(), modality=modality, reason=reason))

    def read(self, name: str, modality: Modality, content: Callable[[], bytes], **facts: Any) -> None:
        """Note a file that must be read, with these facts."""
        assert facts, f"{name}: what must be measured?"
        self._add(name, Hostile(content=lambda _: content(), modality=modality, facts=facts))

    def luring(self, name: str, modality: Modality, content: Callable[[Lure], bytes], **verdict: Any) -> None:
        """Note a file that names what must not be touched. verdict: `reason` or facts."""
        reason = verdict.pop("reason", "")
        assert reason or verdict, f"{name}: what must become of it?"
        self._add(name, Hostile(content=content, modality=modality, reason=reason, facts=verdict, lures=True))

    def _add(self, name: str, hostile: Hostile) -> None:
        assert name not in self.files, name
        self.files[name] = hostile
