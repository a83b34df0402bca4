"""Rehearsals: what an engine's own words in a prompt ask of the server, so that error paths can be tried."""

from dataclasses import dataclass

from understudy.core.errors import Violation
from understudy.core.moderation import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer instead of a task, ``times`` in a row for the same prompt. retry_after_s: None = nothing is said."""

    violation: Violation
    times: int
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What is to be rehearsed before the engine has the job; what happens in the render is the engine's own affair.

    violations: what is wrong with the words. findings: refused as if a moderator had found them. expires_at_once: the
    task's time is over when it is created. told: sentences for the caller, each with the place of the text it is of.
    """

    violations: tuple[Violation, ...] = ()
    findings: tuple[Finding, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    expires_at_once: bool = False
    told: tuple[tuple[int, str], ...] = ()
