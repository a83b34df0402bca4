"""A submitter over a memory store, with everything in reach of a test."""

from manual_clock import ManualClock, TestRandomness
from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality
from understudy.core.ports import EngineOffer
from understudy.core.request import GenerationRequest
from understudy.core.scenario import Scenario
from understudy.dialects.codec import Decoded
from understudy.service.submit import Submitter
from understudy.storage.memory import MemoryTaskStore

MODEL = "doubao-seedance-2-0-260128"


class Bench:
    """A submitter over a memory store, with everything in reach."""

    def __init__(self, suffixes=()):
        self.store = MemoryTaskStore()
        self.clock = ManualClock()
        self.woken = 0
        self.submitter = Submitter(
            catalogue=load_catalogue(),
            store=self.store,
            clock=self.clock,
            randomness=TestRandomness(suffixes),
            engine=EngineOffer(
                name="previz", reference="x:y", scenarios=frozenset({Scenario.TEXT}), ignored={"tools": "No web here."}
            ),
            book_id="ark-list",
            wake=self.wake,
        )

    def wake(self):
        self.woken += 1

    async def submit(self, *, warnings=(), model=MODEL, **fields):
        text = ContentItem(modality=Modality.TEXT, value="a cat")
        request = GenerationRequest(model=model, **{"content": (text,), "execution_expires_after_s": 172_800, **fields})
        return await self.submitter.submit(
            owner="o", dialect="ark", decoded=Decoded(request=request, warnings=tuple(warnings))
        )
