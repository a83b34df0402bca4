"""A submitter over a memory store, with everything in reach of a test."""

from dataclasses import replace
from datetime import timedelta

from manual_clock import ManualClock, TestRandomness
from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality
from understudy.core.ports import EngineOffer
from understudy.core.request import GenerationRequest
from understudy.core.scenario import Scenario
from understudy.dialects.codec import Decoded
from understudy.service.assets import AssetLibrary
from understudy.service.drafts import Drafts
from understudy.service.examine import Examiner
from understudy.service.judge import Judge
from understudy.service.retention import Retention
from understudy.service.submit import Submitter
from understudy.storage.memory import MemoryTaskStore
from understudy.storage.memory_assets import MemoryAssetStore
from understudy.testing.samples import success_of

ENGINE = EngineOffer(
    name="previz", reference="x:y", scenarios=frozenset({Scenario.TEXT}), ignored={"tools": "No web here."}
)
RETENTION = Retention(record_retention_s=7 * 86_400, cancelled_retention_s=86_400)
MODEL = "doubao-seedance-2-0-260128"


class Bench:
    """A submitter over a memory store, with everything in reach."""

    def __init__(self, suffixes=(), engine=ENGINE):
        self.store = MemoryTaskStore()
        self.clock = ManualClock()
        self.woken = 0
        catalogue = load_catalogue()
        self.examiner = Examiner(
            judge=Judge(catalogue=catalogue, engine=engine, book_id="ark-list"),
            drafts=Drafts(catalogue=catalogue, store=self.store, clock=self.clock, retention=RETENTION),
            assets=AssetLibrary(
                store=MemoryAssetStore(),
                clock=self.clock,
                randomness=TestRandomness(suffixes),
                limits=catalogue.assets,
                unknown_pass=True,
            ),
        )
        self.submitter = Submitter(
            examiner=self.examiner,
            store=self.store,
            clock=self.clock,
            randomness=TestRandomness(suffixes),
            wake=self.wake,
        )

    def wake(self):
        self.woken += 1

    async def submit(  # tidy: a request has that many sides
        self, *, warnings=(), owner="o", dialect="ark", is_strict=False, names=None, spooled=None, **fields
    ):
        decoded = Decoded(request=request_of(**fields), warnings=tuple(warnings), names=names or {})
        accepted = await self.submitter.submit(
            owner=owner, dialect=dialect, decoded=decoded, is_strict=is_strict, spooled=spooled or {}
        )
        return accepted.task

    async def film(self, task, **changes):
        """Let a task succeed with a film."""
        now = self.clock.now()
        claim = await self.store.claim("w", now, now + timedelta(seconds=30))
        assert claim.task.id == task.id
        outcome = success_of(claim)
        assert await self.store.finish(claim, replace(outcome, film=replace(outcome.film, **changes)), now)
        return await self.store.get("o", task.id)


def request_of(*, model=MODEL, **fields):
    text = ContentItem(modality=Modality.TEXT, value="a cat")
    return GenerationRequest(model=model, **{"content": (text,), "execution_expires_after_s": 172_800, **fields})
