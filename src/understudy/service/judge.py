"""Judging a request before anything is stored: resolved, with all that is wrong, all that is told, and its price."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from understudy.billing.rating import most_tokens, price_micros, priced
from understudy.catalog.load import Catalogue
from understudy.core.errors import NotFound, Violation
from understudy.core.model_spec import ModelSpec, Profile
from understudy.core.ports import EngineOffer, Review
from understudy.core.rehearsal import Rehearsal
from understudy.core.request import RATIO_CHOSEN_BY_ENGINE, GenerationRequest
from understudy.core.resolve import resolve
from understudy.core.rules import Case, advice, violations
from understudy.core.scenario import FRAME_SCENARIOS, scenario_of
from understudy.core.task import EntryKind, LedgerEntry, Warned, told_in_brief
from understudy.dialects.codec import Decoded
from understudy.dialects.naming import renamed, renamed_warnings

CallbackRefusal = Callable[[str], Violation | None]
"""Says why nothing would ever be sent to an address, as far as that can be known without contacting anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A resolved request, what is wrong with it and what its caller is told; parameters as its dialect spells them.

    rehearsal: what the engine's own words in its prompt ask for.
    """

    request: GenerationRequest
    model: ModelSpec
    violations: tuple[Violation, ...]
    warnings: tuple[Warned, ...]
    rehearsal: Rehearsal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Judges requests for one engine. book_id: the price book that tasks are rated with.

    callback_refusal: None = any address is taken, and judged when something is sent there.
    """

    catalogue: Catalogue
    engine: EngineOffer
    book_id: str
    callback_refusal: CallbackRefusal | None = None

    def judge(self, dialect: str, decoded: Decoded) -> Judged:
        """Resolve the request and judge it against its model, its dialect and the engine.

        Raises: NotFound for a model this server does not answer for.
        """
        model = self.catalogue.model(decoded.request.model)
        if model is None:
            raise NotFound(_no_such_model(decoded.request.model))
        profile = self.catalogue.profiles[dialect]
        asked, fitted = _fitted(decoded.request, model, profile)
        request = resolve(asked, model)
        case = self.case(dialect, request, model)
        broken = violations(case)
        if request.callback_url is not None and self.callback_refusal is not None:
            broken += self._callback_refused(request.callback_url, broken)
        # An engine reads only what keeps the rules, as its render process does.
        review = self.engine.review(request, model) if self.engine.review is not None and not broken else Review()
        told = (
            fitted + self._without_effect(request) + advice(case) + _overruled(decoded.request, case) + review.warnings
        )
        return Judged(
            request=request,
            model=model,
            violations=tuple([renamed(each, decoded.names) for each in (*broken, *review.violations)]),
            warnings=told_in_brief(decoded.warnings + renamed_warnings(told, decoded.names)),
        )

    def case(self, dialect: str, request: GenerationRequest, model: ModelSpec) -> Case:
        """Return what rules judge of a resolved request."""
        profile = self.catalogue.profiles[dialect]
        return Case(
            request=request, model=model, profile=profile, engine=self.engine.name, served=self.engine.scenarios
        )

    def hold(self, judged: Judged, task_id: str) -> LedgerEntry:
        """Return the most that the request can cost. It must have no violations."""
        book = self.catalogue.books[self.book_id]
        price = price_micros(book, judged.request, judged.model)
        tokens = most_tokens(self.catalogue.tokens, judged.request, judged.model)
        return priced(EntryKind.HOLD, task_id=task_id, tokens=tokens, price_micros=price, currency=book.currency)

    def _callback_refused(self, url: str, broken: tuple[Violation, ...]) -> tuple[Violation, ...]:
        """Return what is wrong with where callbacks would go, unless a rule said it already."""
        is_said = any(each.param == "callback_url" for each in broken)
        refusal = self.callback_refusal(url) if url and self.callback_refusal is not None and not is_said else None
        return () if refusal is None else (refusal,)

    def _without_effect(self, request: GenerationRequest) -> tuple[Warned, ...]:
        return tuple(
            [
                Warned(param=param, message=why)
                for param, why in self.engine.ignored.items()
                if _is_set(request, param) and getattr(request, param) not in self.engine.done_anyway.get(param, ())
            ]
        )


def _fitted(
    request: GenerationRequest, model: ModelSpec, profile: Profile
) -> tuple[GenerationRequest, tuple[Warned, ...]]:
    """Leave the ratio open where the model must follow a frame and the dialect's own default would fix it."""
    default = profile.defaults.get("ratio")
    if not model.adaptive_only_with_frames or default is None or request.ratio != default:
        return request, ()
    if scenario_of(request) not in FRAME_SCENARIOS:
        return request, ()
    message = f"{model.name} follows the ratio of the frame; the default {default} was not used."
    return replace(request, ratio=RATIO_CHOSEN_BY_ENGINE), (Warned(param="ratio", message=message),)


def _overruled(asked: GenerationRequest, case: Case) -> tuple[Warned, ...]:
    """Tell of a duration that lost against frames; the dialect's own default was not asked for."""
    if asked.frames is None or asked.duration_s in (None, case.profile.defaults.get("duration_s")):
        return ()
    return (Warned(param="duration", message="`frames` was given as well and takes precedence."),)


def _is_set(request: GenerationRequest, param: str) -> bool:
    value: object = getattr(request, param)
    return value not in (None, (), "")


def _no_such_model(name: str) -> Violation:
    message = f"The model or endpoint {name[:200]} does not exist or you do not have access to it."
    return Violation("InvalidEndpointOrModel.NotFound", "model", message)
