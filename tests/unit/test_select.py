"""Which dialect is meant at which path: one test per cell of the table."""

from collections import defaultdict
from itertools import combinations

import pytest

from understudy.catalog.load import load_catalogue
from understudy.dialects.codec import RecordsCodec
from understudy.dialects.registry import CODECS
from understudy.dialects.select import (
    DOORS,
    MOUNTS,
    Operation,
    dialect_of_answer,
    dialect_of_request,
    mounted_doors,
    narrowed,
)

ARK = "/api/v3/contents/generations/tasks"
AT = {(door.method, door.path): door for door in mounted_doors()}
BODIES = {
    "content": {"model", "content"},
    "prompt": {"model", "prompt"},
    "both": {"model", "prompt", "content"},
    "neither": {"model"},
    "prompt and metadata": {"model", "prompt", "metadata"},
    "prompt and size": {"model", "prompt", "size", "seconds"},
    "size and metadata": {"model", "prompt", "size", "metadata"},
    "images": {"model", "prompt", "size", "images"},
    "content and metadata": {"model", "content", "metadata"},
}
CELLS = [
    # path, body, unmounted, and below which mount another
    (ARK, "content", "ark", {"ark": "ark", "amux": "amux-native"}),
    (ARK, "prompt", "ark", {"ark": "ark", "amux": "amux"}),
    (ARK, "both", "ark", {"ark": "ark", "amux": "amux"}),
    (ARK, "neither", "ark", {"ark": "ark", "amux": "amux"}),
    ("/v1/video/generations", "content", "octopus", {"amux": "amux", "newapi": "newapi", "octopus": "octopus"}),
    ("/v1/video/generations", "prompt", "amux", {"amux": "amux", "newapi": "newapi", "octopus": "octopus"}),
    ("/v1/video/generations", "both", "amux", {"amux": "amux", "newapi": "newapi", "octopus": "octopus"}),
    ("/v1/video/generations", "neither", "amux", {"amux": "amux", "newapi": "newapi", "octopus": "octopus"}),
    ("/v1/video/generations", "prompt and metadata", "amux", {"newapi": "newapi", "octopus": "octopus"}),
    ("/v1/video/generations", "content and metadata", "octopus", {"newapi": "newapi", "octopus": "octopus"}),
    ("/v1/videos", "prompt", "openai", {"openai": "openai", "newapi": "newapi", "amux": "amux"}),
    ("/v1/videos", "prompt and size", "openai", {"openai": "openai", "newapi": "newapi", "amux": "amux"}),
    ("/v1/videos", "neither", "openai", {"openai": "openai", "newapi": "newapi"}),
    ("/v1/videos", "prompt and metadata", "amux", {"openai": "openai", "newapi": "newapi", "amux": "amux"}),
    ("/v1/videos", "size and metadata", "openai", {"openai": "openai", "newapi": "newapi"}),
    ("/v1/videos", "images", "amux", {"openai": "openai", "newapi": "newapi"}),
    ("/v1/videos", "content", "octopus", {"openai": "openai", "octopus": "octopus"}),
    ("/v1/videos/generations", "prompt", "apimart", {"apimart": "apimart"}),
    (f"/seedance{ARK}", "content", "apiyi", {"apiyi": "apiyi"}),
]


@pytest.mark.parametrize(("path", "body", "unmounted", "mounted"), CELLS)
def test_a_request_is_in_the_dialect_of_its_path_and_its_body(path, body, unmounted, mounted):
    keys = BODIES[body]
    assert dialect_of_request(AT["POST", path].dialects, keys) == unmounted
    assert {mount: dialect_of_request(AT["POST", f"/{mount}{path}"].dialects, keys) for mount in mounted} == mounted


def test_every_path_that_takes_requests_has_a_cell():
    taking = {door.path for door in DOORS if door.operation is Operation.CREATE}
    assert taking == {cell[0] for cell in CELLS}


@pytest.mark.parametrize(
    ("path", "created_in", "answer"),
    [
        (f"{ARK}/{{task_id}}", "ark", "ark"),
        (f"{ARK}/{{task_id}}", "amux-native", "amux-native"),
        (f"{ARK}/{{task_id}}", "openai", "ark"),
        ("/v1/video/generations/{task_id}", "amux", "amux"),
        ("/v1/video/generations/{task_id}", "newapi", "newapi"),
        ("/v1/video/generations/{task_id}", "octopus", "octopus"),
        ("/v1/video/generations/{task_id}", "ark", "amux"),
        ("/v1/videos/{task_id}", "newapi", "openai"),
        ("/v1/tasks/{task_id}", "ark", "apimart"),
        (f"/seedance{ARK}/{{task_id}}", "ark", "apiyi"),
    ],
)
def test_an_answer_is_in_the_dialect_that_made_the_task_where_that_one_owns_the_path(path, created_in, answer):
    assert dialect_of_answer(AT["GET", path].dialects, created_in) == answer


def test_a_named_dialect_overrides_the_path():
    shared = AT["POST", "/v1/video/generations"].dialects
    assert narrowed(shared, named="newapi", preferred=None) == ("newapi",)
    assert narrowed(shared, named="apimart", preferred="newapi") == ("apimart",), "even one that does not own the path"


def test_a_preferred_dialect_counts_only_where_the_path_leaves_it_open():
    assert narrowed(("amux", "newapi", "octopus"), named=None, preferred="newapi") == ("newapi",)
    assert narrowed(("ark",), named=None, preferred="newapi") == ("ark",)
    native = narrowed(AT["POST", ARK].dialects, named=None, preferred="amux")
    assert dialect_of_request(native, BODIES["content"]) == "amux-native"


def test_below_a_mount_only_its_own_dialects_are_meant():
    for mount, own in MOUNTS.items():
        for (_, path), door in AT.items():
            if path.startswith(f"/{mount}/") and path.removeprefix(f"/{mount}") not in ("",):
                assert set(door.dialects) <= set(own) or not set(door.dialects) & set(own), (path, door)


def test_every_dialect_of_the_table_has_a_codec_and_a_profile_and_each_of_these_is_in_the_table():
    named = {dialect for door in DOORS for dialect in door.dialects}
    assert named == CODECS.keys() == {dialect for own in MOUNTS.values() for dialect in own}
    assert named == load_catalogue().profiles.keys()
    assert all(codec.name == name and codec.profile.name == name for name, codec in CODECS.items())


def test_listings_and_deletions_are_given_to_dialects_that_have_them():
    for door in mounted_doors():
        if door.operation in (Operation.LIST, Operation.DELETE):
            assert all(isinstance(CODECS[dialect], RecordsCodec) for dialect in door.dialects), door


def test_a_plain_path_stands_before_a_variable_one_that_would_swallow_it():
    seen = defaultdict(list)
    for door in DOORS:
        seen[door.path.count("/")].append(door.path)
    for paths in seen.values():
        for earlier, later in combinations(paths, 2):
            if "{" in earlier and "{" not in later:
                assert not later.startswith(earlier.partition("{")[0]), (earlier, later)


def test_every_request_path_also_quotes():
    creates = {door.path for door in mounted_doors() if door.operation is Operation.CREATE}
    quotes = {door.path for door in mounted_doors() if door.operation is Operation.QUOTE}
    assert quotes == {f"{path}/quote" for path in creates}


def test_every_task_that_can_be_read_can_be_watched_by_whoever_reads_it():
    gets = {door.path: door.dialects for door in mounted_doors() if door.operation is Operation.GET}
    events = {door.path: door.dialects for door in mounted_doors() if door.operation is Operation.EVENTS}
    assert events == {f"{path}/events": dialects for path, dialects in gets.items()}
