"""What LTX is shown and hears, as values: the sheet of references, sound at another rate, the recipe's settings."""

from dataclasses import replace

import numpy as np
import pytest

from tiny_models import ltx as tiny
from understudy.engines.diffusion.families.ltx_files import settings_of
from understudy.engines.diffusion.families.ltx_scene import sheet_of
from understudy.engines.diffusion.recipe import recipes_of

pytestmark = pytest.mark.full

pytest.importorskip("torch")


def test_every_reference_is_on_the_sheet_whole() -> None:
    for count in range(1, 10):
        colours = [(20 * number + 40, 250 - 20 * number, 128) for number in range(count)]
        shapes = [(30 + 10 * number, 90 - 8 * number) for number in range(count)]
        given = [np.full((*shape, 3), colour, np.uint8) for shape, colour in zip(shapes, colours, strict=True)]
        sheet = sheet_of(given, width_px=192, height_px=128)
        for (height, width), colour in zip(shapes, colours, strict=True):
            rows, columns = np.nonzero((sheet == colour).all(-1))
            shown = (np.ptp(columns) + 1) / (np.ptp(rows) + 1)
            assert shown == pytest.approx(width / height, rel=0.15)


def test_a_tone_stays_the_tone_it_was_at_another_rate() -> None:
    from understudy.engines.diffusion.families.ltx_sound import resampled

    times_s = np.arange(44_100) / 44_100
    tone = np.sin(2 * np.pi * 440 * times_s, dtype=np.float64)[None].astype(np.float32)
    made = resampled(tone, 44_100, 16_000)
    wanted = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    assert made.shape == (1, 16_000)
    assert np.abs(made[0, 500:-500] - wanted[500:-500]).max() < 0.01


def test_settings_that_are_none_are_told_with_the_recipes_name() -> None:
    with pytest.raises(ValueError, match="tiny-ltx"):
        settings_of(replace(recipes_of(tiny.ROWS)["tiny-ltx"], settings={"context_frames": "many"}))
