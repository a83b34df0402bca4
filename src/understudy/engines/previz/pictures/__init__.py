"""Previz pictures: a film shot drawn as frames, in a lit world with depth and a camera that moves through it."""

from understudy.engines.previz.pictures.canvas import Canvas
from understudy.engines.previz.pictures.painter import FilmPainter

__all__ = ["Canvas", "FilmPainter"]
