"""Waiting for work that must not be left half done behind the back of whoever gave up on it."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def unbroken(work: Awaitable[T]) -> T:
    """Await to the end even when cancelled: a thread that stores a file goes on, and would finish behind our back."""
    storing = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(storing)
    finally:
        if not storing.done():
            await asyncio.wait({storing})
