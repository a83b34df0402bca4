"""Words in the picture: titles, captions, subtitles, speech bubbles, signs, and the marks of a film.

`font` knows the letters, `cards` draws a text of each kind, `overlay` says when each is seen.
"""

from understudy.engines.previz.lettering.overlay import Lettering

__all__ = ["Lettering"]
