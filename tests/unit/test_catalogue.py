"""The catalogue's rows against the documents they were taken from, and against each other."""

import tomllib
from datetime import date
from importlib.resources import files

import pytest

from understudy.catalog.load import load_catalogue

CATALOGUE = load_catalogue()

SEED_004 = """
16:9 864×496 1280×720 1920×1080
4:3 752×560 1112×834 1664×1248
1:1 640×640 960×960 1440×1440
3:4 560×752 834×1112 1248×1664
9:16 496×864 720×1280 1080×1920
21:9 992×432 1470×630 2206×946
"""


def rows(name):
    raw = tomllib.loads(files("understudy.catalog").joinpath(name).read_text())
    found = []
    for key, value in raw.items():
        if isinstance(value, list):
            found += [(f"{name} {key} {row.get('id')}", row) for row in value]
        elif "source" in value or key in ("ark", "tokens"):
            found.append((f"{name} {key}", value))
        else:
            found += [(f"{name} {key}.{inner}", row) for inner, row in value.items()]
    return found


@pytest.mark.parametrize(
    ("name", "row"),
    [
        pytest.param(*each, id=each[0])
        for file in ("models", "dialects", "prices", "assets")
        for each in rows(f"{file}.toml")
    ],
)
def test_every_row_names_its_source_and_the_day_it_was_read(name, row):
    assert row["source"].strip(), name
    assert date.fromisoformat(row["date"]), name


def test_sizes_are_those_printed_in_seed_004():
    model = CATALOGUE.model("doubao-seedance-2-0-260128")
    for line in SEED_004.split("\n"):
        if line:
            ratio, *sizes = line.split()
            for resolution, size in zip(("480p", "720p", "1080p"), sizes, strict=True):
                assert model.sizes[resolution][ratio] == tuple(map(int, size.split("×"))), (ratio, resolution)


@pytest.mark.parametrize("suffix", ["", "-fast", "-mini"])
def test_every_spelling_of_a_model_means_the_same_model(suffix):
    dated = {"": "260128", "-fast": "260128", "-mini": "260615"}[suffix]
    names = [
        f"doubao-seedance-2-0{suffix}-{dated}",
        f"doubao-seedance-2.0{suffix}",
        f"dreamina-seedance-2-0{suffix}-{dated}",
        f"seedance-2.0{suffix}",
    ]
    assert {CATALOGUE.model(name).id for name in names} == {names[0]}


def test_every_size_is_even_because_video_stores_colour_at_half_size():
    for model in CATALOGUE.models.values():
        for resolution, sizes in model.sizes.items():
            for ratio, (width_px, height_px) in sizes.items():
                assert width_px % 2 == height_px % 2 == 0, (model.id, resolution, ratio)


def test_a_models_defaults_are_values_it_allows():
    for model in CATALOGUE.models.values():
        assert model.defaults["resolution"] in model.resolutions
        assert model.defaults["ratio"] in (*model.ratios, "adaptive")
        assert model.takes_duration(model.defaults["duration_s"])
        assert model.seed.holds(model.defaults["seed"])
        assert model.defaults["service_tier"] in model.service_tiers
