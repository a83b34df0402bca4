"""Quoting: what would become of a request, and what it would cost at most. Nothing is stored or spent."""

from dataclasses import dataclass

from understudy.core.errors import NotFound, Rejected, Violation
from understudy.core.request import GenerationRequest
from understudy.core.task import LedgerEntry, Warned
from understudy.dialects.codec import Decoded
from understudy.service.drafts import Drafts
from understudy.service.judge import Judge
from understudy.service.submit import unwanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a request would come to.

    request: resolved; None when it could not be read so far. cost: the hold, None while something is wrong.
    engine: who would serve it.
    """

    request: GenerationRequest | None
    violations: tuple[Violation, ...]
    warnings: tuple[Warned, ...]
    cost: LedgerEntry | None
    engine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoter:
    """Quotes requests with the same judgement that a submission meets."""

    judge: Judge
    drafts: Drafts

    async def quote(self, *, owner: str, dialect: str, decoded: Decoded, is_strict: bool = False) -> Quote:
        """Return what the request would come to; what is wrong with it is part of the answer."""
        engine = self.judge.engine.name
        try:
            if decoded.request.needs_another_task:
                decoded = await self.drafts.finished(owner, dialect, decoded)
            judged = self.judge.judge(dialect, decoded)
        except Rejected as error:
            return refused(error.violations, engine, warnings=decoded.warnings)
        except NotFound as error:
            return refused((error.violation,), engine, warnings=decoded.warnings)
        broken = judged.violations + unwanted(judged.warnings) if is_strict else judged.violations
        return Quote(
            request=judged.request,
            violations=broken,
            warnings=judged.warnings,
            cost=None if judged.violations else self.judge.hold(judged, ""),
            engine=engine,
        )


def refused(violations: tuple[Violation, ...], engine: str, *, warnings: tuple[Warned, ...] = ()) -> Quote:
    """Return the quote of a request that cannot even be resolved."""
    return Quote(request=None, violations=violations, warnings=warnings, cost=None, engine=engine)
