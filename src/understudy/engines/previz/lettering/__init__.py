"""Words in the picture: titles, captions, subtitles, speech bubbles and signs.

`cards` draws a text of each kind, `overlay` says when each is seen. The letters are those of `media.letters`.
"""

from understudy.engines.previz.lettering.overlay import Lettering

__all__ = ["Lettering"]
