"""diffusion: open-weight models on the user's own GPUs, in a process of their own per device.

What this module imports stays free of torch: the server and the command line read it.
"""

from understudy.engines.diffusion.offering import OFFER as OFFER
