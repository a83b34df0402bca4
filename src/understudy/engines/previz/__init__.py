"""previz: a CPU engine that renders a previsualisation computed from the request, never a generative model.

This module holds only what the server must know of it; the engine itself is in `engine`, `rehearsing` around it.
"""

from understudy.core.ports import EngineOffer
from understudy.core.scenario import Scenario
from understudy.engines.previz.rehearsal import rehearse

MEMORY_BYTES = 6 * 1024**3
"""Twice what the hungriest film took: 4k in HEVC of nine images with 24 million pixels each, 2.5 GiB at its peak."""

OFFER = EngineOffer(
    name="previz",
    reference="understudy.engines.previz.rehearsing:RehearsingEngine",
    scenarios=frozenset(Scenario),
    ignored={
        "tools": "Web search has no effect: the previz engine reads the prompt only.",
        "omni_reference_task_type": "Only `extend` has an effect: what becomes of a video is read in the prompt.",
    },
    done_anyway={"omni_reference_task_type": ("auto", "extend")},
    changes_videos=False,
    memory_bytes=MEMORY_BYTES,
    rehearse=rehearse,
)
"""The engine's entry in group `understudy.engines`."""
