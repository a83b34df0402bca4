"""Quoting: what would become of a request, and what it would cost at most. Nothing is stored or spent."""

from dataclasses import dataclass, replace

from understudy.core.errors import NotFound, Rejected, Violation
from understudy.core.media import SPOOLED
from understudy.core.media_rules import media_violations
from understudy.core.request import GenerationRequest
from understudy.core.task import LedgerEntry, Warned, told_in_brief
from understudy.dialects.codec import Decoded
from understudy.dialects.naming import renamed, renamed_warnings
from understudy.service.examine import Examiner
from understudy.service.intake import is_medium
from understudy.service.judge import Judged
from understudy.service.sources import BASE64

NOT_FETCHED = Warned(
    param="content", message="Nothing is fetched for a quote: whether the media can be used is found out on submission."
)


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

    examiner: Examiner

    @property
    def engine(self) -> str:
        """Who would serve."""
        return self.examiner.judge.engine.name

    async def quote(self, *, owner: str, dialect: str, decoded: Decoded, is_strict: bool = False) -> Quote:
        """Return what the request would come to; what is wrong with it is part of the answer."""
        engine = self.engine
        try:
            judged = await self.examiner.examine(owner, dialect, decoded, is_strict=is_strict)
        except Rejected as error:
            return refused(error.violations, engine, warnings=decoded.warnings)
        except NotFound as error:
            return refused((error.violation,), engine, warnings=decoded.warnings)
        judged = self._with_stored_media(judged, dialect, decoded)
        has_media = any(is_medium(item) and item.medium is None for item in judged.request.content)
        told = (NOT_FETCHED,) if has_media and not judged.violations else ()
        return Quote(
            request=_without_spooled(judged.request),
            violations=judged.violations,
            warnings=told_in_brief(judged.warnings + renamed_warnings(told, decoded.names)),
            cost=None if judged.violations else self.examiner.judge.hold(judged, ""),
            engine=engine,
        )

    def _with_stored_media(self, judged: Judged, dialect: str, decoded: Decoded) -> Judged:
        """Judge what was measured before: assets, and the media of a draft, which was judged when it was one."""
        facts = {index: item.medium.facts for index, item in enumerate(judged.request.content) if item.medium}
        if not facts or judged.violations or judged.request.draft_task_id is not None:
            return judged
        case = self.examiner.judge.case(dialect, judged.request, judged.model)
        broken = tuple(renamed(each, decoded.names) for each in media_violations(case, facts))
        return replace(judged, violations=broken)


def refused(violations: tuple[Violation, ...], engine: str, *, warnings: tuple[Warned, ...] = ()) -> Quote:
    """Return the quote of a request that cannot even be resolved."""
    return Quote(request=None, violations=violations, warnings=told_in_brief(warnings), cost=None, engine=engine)


def _without_spooled(request: GenerationRequest) -> GenerationRequest:
    """Cut data URLs whose bytes went to a file: where that was is nobody's business, and it is gone by then."""
    mark = BASE64 + SPOOLED
    if not any(mark in item.value for item in request.content):
        return request
    content = tuple(replace(item, value=item.value.partition(mark)[0]) for item in request.content)
    return replace(request, content=content)
