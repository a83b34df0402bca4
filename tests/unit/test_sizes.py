"""Sizes in pixels: what is read as one, and which of a model's sizes is meant."""

import pytest

from understudy.catalog.load import load_catalogue
from understudy.dialects.sizes import nearest, read_size_px

MODELS = {model.id: model for model in load_catalogue().models.values()}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_size_that_the_model_makes_is_its_own_nearest(model):
    for resolution, table in model.sizes.items():
        for ratio, size_px in table.items():
            assert nearest(model, *size_px) == (resolution, ratio)


def test_the_shape_counts_before_the_area():
    model = MODELS["doubao-seedance-2-0-260128"]
    assert nearest(model, 99, 100) == ("480p", "1:1")
    assert nearest(model, 9000, 90000) == ("4k", "9:16")


@pytest.mark.parametrize("text", ["1280x720", "1280X720", "1280*720", "1280×720"])
def test_a_size_is_width_and_height_however_the_cross_is_written(text):
    assert read_size_px(text) == (1280, 720)


@pytest.mark.parametrize("text", ["", "720", "0x720", "1280x", "１280x720", "123456x720", "16:9", " 1280x720"])
def test_other_texts_are_no_size(text):
    assert read_size_px(text) is None
