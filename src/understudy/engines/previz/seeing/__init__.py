"""What previz sees in given pictures: how far things are, what the picture is of, and what may be behind it.

Three small networks run on one thread of the CPU, so that equal pictures give equal values. Where they come from:
assets/seeing/MANIFEST.toml.
"""

from understudy.engines.previz.seeing.cutting import CutOut, cut_out, fault_of
from understudy.engines.previz.seeing.depth import depth_of
from understudy.engines.previz.seeing.matte import components, matte_of
from understudy.engines.previz.seeing.plate import outpainted, without

__all__ = ["CutOut", "components", "cut_out", "depth_of", "fault_of", "matte_of", "outpainted", "without"]
