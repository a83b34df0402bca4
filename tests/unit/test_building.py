"""What the composition root puts together, where only the whole shows what is wrong."""

import os
from pathlib import Path

from understudy.bootstrap import build
from understudy.server.app import build_app
from understudy.settings import Settings

LONG_AGO_S = 1_000_000_000
"""A day in 2001, in epoch seconds."""


async def test_a_server_that_had_no_large_body_for_a_day_still_has_a_place_for_them(tmp_path: Path):
    house, _ = await build(Settings(data_dir=str(tmp_path)), tmp_path)
    build_app(house)
    service = house.start.__self__  # type: ignore[attr-defined]
    for path in tmp_path.rglob("*"):
        os.utime(path, (LONG_AGO_S, LONG_AGO_S))
    await service.reaper.round()
    await service.stores.tasks.close()
    assert house.spool_dir is not None
    assert house.spool_dir.is_dir()
