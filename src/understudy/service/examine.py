"""Examining a request before it is accepted or quoted: what it builds upon is looked up, then it is judged."""

from dataclasses import dataclass, replace

from understudy.core.errors import Violation
from understudy.core.task import Warned
from understudy.dialects.codec import Decoded
from understudy.service.assets import AssetLibrary
from understudy.service.drafts import Drafts
from understudy.service.judge import Judge, Judged
from understudy.service.rehearsal import rehearsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Examiner:
    """Drafts and films of tasks, then the judgement, then assets: the same way for every request."""

    judge: Judge
    drafts: Drafts
    assets: AssetLibrary

    async def examine(self, owner: str, dialect: str, decoded: Decoded, *, is_strict: bool) -> Judged:
        """Return the resolved request with all that is wrong. is_strict: what would only be told is wrong as well.

        Raises: Rejected for a draft or film that cannot be used; NotFound for a model this server does not have.
        """
        if decoded.request.needs_another_task:
            decoded = await self.drafts.finished(owner, dialect, decoded)
        judged = await self.assets.with_assets(owner, self.judge.judge(dialect, decoded), decoded.names)
        if is_strict and judged.warnings:
            judged = replace(judged, violations=judged.violations + unwanted(judged.warnings))
        # Last: what is told of a rehearsal is wanted, by the strict as well.
        return rehearsed(judged, self.judge.engine, decoded.names)


def unwanted(warnings: tuple[Warned, ...]) -> tuple[Violation, ...]:
    """Return warnings as what they are to a strict caller."""
    return tuple(
        Violation("InvalidParameter", warned.param, f"Refused, because the request is strict: {warned.message}")
        for warned in warnings
    )
