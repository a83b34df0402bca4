"""Understudy: a self-hosted, open implementation of the Seedance 2.0 video generation API, with engines behind it.

The whole public surface is `Client`, `AsyncClient` and `__version__`. They are loaded when first asked for, so that
the server and its render processes, which import this package too, do not pay for the client's HTTP library.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from understudy.client import AsyncClient, Client

    __version__: str

__all__ = ["AsyncClient", "Client", "__version__"]


def __getattr__(name: str) -> object:
    """Load a public name on its first use."""
    if name == "__version__":
        return version("understudy")
    if name in __all__:
        return getattr(import_module("understudy.client"), name)
    raise AttributeError(f"module 'understudy' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
