"""The catalogue's rows against the documents they were taken from, and against each other."""

import dataclasses
import tomllib
from datetime import date
from importlib.resources import files

import pytest

from understudy.catalog.load import load_catalogue
from understudy.core.errors import CODES
from understudy.core.request import GenerationRequest
from understudy.core.scenario import Scenario

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
        for file in ("models", "dialects", "prices", "assets", "media")
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


SEEDANCE_1_0 = """
16:9 864×480 1248×704 1920×1088
4:3 736×544 1120×832 1664×1248
1:1 640×640 960×960 1440×1440
3:4 544×736 832×1120 1248×1664
9:16 480×864 704×1248 1088×1920
21:9 960×416 1504×640 2176×928
"""


@pytest.mark.parametrize("name", ["doubao-seedance-1.0-pro", "doubao-seedance-1.0-pro-fast"])
def test_sizes_of_1_0_are_those_of_its_own_table(name):
    for line in SEEDANCE_1_0.strip().split("\n"):
        ratio, *sizes = line.split()
        for resolution, size in zip(("480p", "720p", "1080p"), sizes, strict=True):
            assert CATALOGUE.model(name).sizes[resolution][ratio] == tuple(map(int, size.split("×")))


def test_2_5_differs_from_2_0_in_two_sizes_only():
    new, old = CATALOGUE.model("doubao-seedance-2.5"), CATALOGUE.model("doubao-seedance-2.0")
    differing = {
        (resolution, ratio): size
        for resolution, sizes in new.sizes.items()
        for ratio, size in sizes.items()
        if size != old.sizes[resolution][ratio]
    }
    assert differing == {("480p", "16:9"): (854, 480), ("480p", "9:16"): (480, 854)}


@pytest.mark.parametrize(
    ("name", "model_id"),
    [
        ("doubao-seedance-2.5", "doubao-seedance-2-5-260628"),
        ("dreamina-seedance-2-5-260628", "doubao-seedance-2-5-260628"),
        ("seedance-1-5-pro-251215", "doubao-seedance-1-5-pro-251215"),
        ("seedance-1-0-pro-250528", "doubao-seedance-1-0-pro-250528"),
        ("seedance-1-0-pro-fast-251015", "doubao-seedance-1-0-pro-fast-251015"),
        ("sora-2", "doubao-seedance-2-0-fast-260128"),
        ("sora-2-pro", "doubao-seedance-2-0-260128"),
    ],
)
def test_other_vendors_names_mean_the_model_they_stand_for(name, model_id):
    assert CATALOGUE.model(name).id == model_id


def test_the_models_for_faces_have_the_resolutions_of_seed_002():
    assert CATALOGUE.model("doubao-seedance-2.0-face").resolutions == ("480p", "720p", "1080p")
    assert CATALOGUE.model("doubao-seedance-2.0-fast-face").resolutions == ("480p", "720p")


def test_facts_name_only_what_there_is():
    fields = {each.name for each in dataclasses.fields(GenerationRequest)}
    for model in CATALOGUE.models.values():
        assert set(model.refused) | set(model.defaults) | set(model.draft_refuses) <= fields
        assert model.draft_resolution in model.resolutions
        assert set(model.final_resolutions) <= set(model.resolutions)
        assert (Scenario.REFERENCE in model.scenarios) is (model.reference_images_max > 0)
    for profile in CATALOGUE.profiles.values():
        assert set(profile.refuses) | set(profile.offers) | set(profile.defaults) <= fields
        assert set(profile.error_statuses) | set(profile.error_words) <= set(CODES)
        assert {CATALOGUE.model(each).id for each in profile.asset_models or ()} == set(profile.asset_models or ())


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
