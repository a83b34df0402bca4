"""The library of assets: what can be registered, who finds it again, and what a request that names it becomes."""

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manual_clock import ManualClock, TestRandomness
from understudy.catalog.load import load_catalogue
from understudy.core.assets import AssetStatus, NewAsset, NewGroup
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.errors import NotFound, RateLimited, Rejected, Unavailable, Violation
from understudy.core.media import Origin
from understudy.dialects.naming import media_names
from understudy.dialects.octopus_assets import decode_asset, decode_group, decode_query
from understudy.service import assets as service
from understudy.service.assets import ID_TRIES_MAX, AssetLibrary
from understudy.service.judge import Judged
from understudy.storage.memory_assets import MemoryAssetStore
from understudy.testing.asset_stores import ended_as, sample_asset, sample_group, sample_medium
from understudy.testing.samples import sample_request

CATALOGUE = load_catalogue()
URL = "https://example.com/reference.webp"


def library(*, suffixes=(), unknown_pass=False, store=None):
    return AssetLibrary(
        store=store or MemoryAssetStore(),
        clock=ManualClock(),
        randomness=TestRandomness(suffixes),
        limits=CATALOGUE.assets,
        unknown_pass=unknown_pass,
    )


async def group_in(assets, owner="o"):
    return (await assets.create_group(owner, NewGroup(name="people", description=""))).id


async def asset_in(assets, owner="o", **said):
    group_id = said.pop("group_id", None) or await group_in(assets, owner)
    new = NewAsset(**{"group_id": group_id, "name": "child", "modality": Modality.IMAGE, "url": URL, **said})
    return await assets.create_asset(owner, new)


async def active_in(assets, owner="o", **said):
    asset = await asset_in(assets, owner, **said)
    await assets.store.settle(owner, asset.id, outcome=sample_medium(), now=ManualClock().now())
    return await assets.get(owner, asset.id)


def judged(*items, violations=()):
    content = tuple(
        ContentItem(modality=modality, value=value, role=Role.REFERENCE_IMAGE if modality is Modality.IMAGE else None)
        for modality, value in items
    )
    model = CATALOGUE.model("doubao-seedance-2-0-260128")
    return Judged(request=sample_request(content=content), model=model, violations=violations, warnings=())


def values(found):
    return [item.value for item in found.request.content]


def media(found):
    return [item.medium for item in found.request.content]


async def params_refused(work):
    with pytest.raises(Rejected) as caught:
        await work
    return [(each.code, each.param) for each in caught.value.violations]


async def test_ids_are_spelled_as_the_vendors():
    assets = library(suffixes=["aaaaa", "bbbbb"])
    asset = await asset_in(assets)
    assert (asset.group_id, asset.id) == ("group-20261121120000-aaaaa", "asset-20261121120000-bbbbb")


async def test_an_asset_is_processed_first_and_found_by_its_owner():
    assets = library()
    asset = await asset_in(assets)
    assert (asset.status, asset.url) == (AssetStatus.PROCESSING, URL)
    assert await assets.get("o", asset.id) == asset


@pytest.mark.parametrize("owner", ["o", "somebody"])
async def test_an_asset_that_is_not_there_and_one_of_another_owner_are_told_alike(owner):
    assets = library()
    asset = await asset_in(assets, "another")
    with pytest.raises(NotFound) as caught:
        await assets.get(owner, asset.id)
    message = f"The specified asset {asset.id} is not found."
    assert caught.value.violation == Violation("NotFound.Asset", "Id", message)


async def test_an_asset_needs_a_group_of_its_owner():
    assets = library()
    group_id = await group_in(assets, "another")
    with pytest.raises(NotFound, match=f"The specified asset group {group_id} is not found") as caught:
        await asset_in(assets, group_id=group_id)
    assert caught.value.violation.param == "GroupId"


@pytest.mark.parametrize(
    ("name", "description", "refused"),
    [
        ("", "", [("MissingParameter", "Name")]),
        ("x" * 65, "", [("InvalidParameter", "Name")]),
        ("x", "y" * 301, [("InvalidParameter", "Description")]),
        ("人" * 65, "y" * 301, [("InvalidParameter", "Name"), ("InvalidParameter", "Description")]),
    ],
)
async def test_a_group_that_cannot_be_is_refused_with_all_that_is_wrong(name, description, refused):
    new = NewGroup(name=name, description=description)
    assert await params_refused(library().create_group("o", new)) == refused


async def test_a_group_may_be_as_long_as_its_limits():
    new = NewGroup(name="人" * 64, description="y" * 300)
    assert (await library().create_group("o", new)).name == "人" * 64


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/a.png",
        "data:image/png;base64,AAAA",
        "asset://asset-20261121120000-00000",
        "example.com/a.png",
        "https://",
        "https:///a.png",
        "https://[::1/a.png",
        "https://example.com/a b.png",
        "https://example.com/a\n.png",
        " https://example.com/a.png",
        "javascript://example.com/",
    ],
)
async def test_only_a_web_address_can_be_registered(url):
    assert await params_refused(asset_in(library(), url=url)) == [("InvalidParameter", "URL")]


@pytest.mark.parametrize(
    "url", [URL, "http://example.com:8080/a.png?x=1#y", "HTTPS://Example.com/是.png", "https://[::1]/a.png"]
)
async def test_every_web_address_can_be_registered_as_it_is(url):
    assert (await asset_in(library(), url=url)).url == url


async def test_everything_that_is_wrong_with_an_asset_is_told_at_once():
    new = NewAsset(group_id="", name="x" * 65, modality=Modality.IMAGE, url="")
    assert await params_refused(library().create_asset("o", new)) == [
        ("MissingParameter", "GroupId"),
        ("MissingParameter", "URL"),
        ("InvalidParameter", "Name"),
    ]


async def test_an_address_is_bounded():
    longest = URL + "?" + "x" * (CATALOGUE.assets.url_chars_max - len(URL) - 1)
    assert (await asset_in(library(), url=longest)).url == longest
    assert await params_refused(asset_in(library(), url=longest + "x")) == [("InvalidParameter", "URL")]


async def test_an_id_in_use_is_replaced():
    assets = library(suffixes=["aaaaa", "aaaaa", "bbbbb"])
    assert [await group_in(assets), await group_in(assets)] == [
        "group-20261121120000-aaaaa",
        "group-20261121120000-bbbbb",
    ]


async def test_a_library_without_free_ids_says_so():
    assets = library(suffixes=["aaaaa"] * (ID_TRIES_MAX + 1))
    await group_in(assets)
    with pytest.raises(Unavailable):
        await group_in(assets)


async def test_an_asset_brings_its_medium_and_the_rest_stays():
    assets = library()
    asset = await active_in(assets)
    request = judged(
        (Modality.TEXT, "asset:// is a scheme"),
        (Modality.IMAGE, "https://example.com/first.png"),
        (Modality.IMAGE, f"asset://{asset.id}"),
        (Modality.IMAGE, f"asset://{asset.id}"),
    )
    found = await assets.with_assets("o", request, {})
    assert values(found) == values(request)
    assert [item.medium for item in found.request.content] == [None, None, sample_medium(), sample_medium()]
    assert found.request.content[2].medium.origin is Origin.ASSET
    assert [item.role for item in found.request.content] == [item.role for item in request.request.content]
    assert found.violations == ()


async def test_a_request_without_assets_is_left_as_it_is():
    request = judged((Modality.TEXT, "asset://x"), (Modality.DRAFT, "asset://x"))
    assert await library().with_assets("o", request, {}) is request


@pytest.mark.parametrize("owner", ["o", "somebody"])
async def test_an_asset_of_nobody_or_of_another_owner_cannot_be_used(owner):
    assets = library()
    asset = await asset_in(assets, "another")
    found = await assets.with_assets(owner, judged((Modality.IMAGE, f"asset://{asset.id}")), {})
    message = (
        "The parameter `content[0].image_url.url` specified in the request is not valid: "
        f"The specified asset {asset.id} is not found."
    )
    assert found.violations == (Violation("InvalidParameter", "content[0].image_url.url", message),)


@pytest.mark.parametrize(
    ("used_as", "said"),
    [
        (Modality.IMAGE, "the specified asset is not an image."),
        (Modality.VIDEO, "the specified asset is not a video."),
        (Modality.AUDIO, "the specified asset is not an audio."),
    ],
)
@pytest.mark.parametrize("modality", [Modality.IMAGE, Modality.VIDEO, Modality.AUDIO])
async def test_an_asset_is_used_as_what_it_is(modality, used_as, said):
    assets = library()
    asset = await active_in(assets, modality=modality)
    found = await assets.with_assets("o", judged((used_as, f"asset://{asset.id}")), {})
    if modality is used_as:
        assert (media(found), found.violations) == ([sample_medium()], ())
    else:
        (violation,) = found.violations
        assert violation.param == f"content[0].{used_as}_url.url"
        assert violation.message.endswith(said)


@pytest.mark.parametrize("status", [AssetStatus.PROCESSING, AssetStatus.FAILED])
async def test_only_an_active_asset_can_be_used(status):
    store = MemoryAssetStore()
    await store.add_group(sample_group(owner="o"))
    await store.add_asset(sample_asset(owner="o", **ended_as(status)))
    found = await library(store=store).with_assets("o", judged((Modality.IMAGE, f"asset://{sample_asset().id}")), {})
    assert found.violations[0].message.endswith(f"is not active, it is {status}.")


async def test_every_asset_that_cannot_be_used_is_told_after_what_was_wrong_before():
    before = Violation("InvalidParameter", "ratio", "no")
    request = judged((Modality.IMAGE, "asset://a"), (Modality.VIDEO, "asset://b"), violations=(before,))
    found = await library().with_assets("o", request, {})
    assert [each.param for each in found.violations] == [
        "ratio",
        "content[0].image_url.url",
        "content[1].video_url.url",
    ]


async def test_a_violation_names_the_parameter_as_the_dialect_does():
    names = media_names(1, "image_url", "image_urls[0]")
    request = judged((Modality.TEXT, "a cat"), (Modality.IMAGE, "asset://a"))
    (violation,) = (await library().with_assets("o", request, names)).violations
    assert violation.param == "image_urls[0]"
    assert "`image_urls[0]`" in violation.message


async def test_an_asset_that_an_upstream_may_know_passes_as_it_is_where_that_is_wanted():
    assets = library(unknown_pass=True)
    asset = await active_in(assets)
    request = judged((Modality.IMAGE, "asset://asset-of-an-upstream"), (Modality.IMAGE, f"asset://{asset.id}"))
    found = await assets.with_assets("o", request, {})
    assert (media(found), found.violations) == ([None, sample_medium()], ())


async def test_a_known_asset_is_judged_even_where_unknown_ones_pass():
    assets = library(unknown_pass=True)
    asset = await active_in(assets, modality=Modality.AUDIO)
    found = await assets.with_assets("o", judged((Modality.IMAGE, f"asset://{asset.id}")), {})
    assert [each.param for each in found.violations] == ["content[0].image_url.url"]


async def test_a_request_names_a_bounded_number_of_assets():
    most = CATALOGUE.assets.references_max
    items = [(Modality.IMAGE, f"asset://{number}") for number in range(most + 1)]
    few = await library(unknown_pass=True).with_assets("o", judged(*items[:most], *items[:most]), {})
    many = await library(unknown_pass=True).with_assets("o", judged(*items), {})
    assert few.violations == ()
    assert [each.param for each in many.violations] == ["content"]
    assert f"at most {most} different assets" in many.violations[0].message


async def test_what_is_shown_of_an_id_is_short_and_printable():
    found = await library().with_assets("o", judged((Modality.IMAGE, "asset://\n" + "x" * 5000)), {})
    message = found.violations[0].message
    assert message.isprintable()
    assert len(message) < 250


ODD = (
    st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers(), max_size=2) | st.just({"url": "x"})
)
KEYS = st.sampled_from(["Name", "Description", "GroupId", "URL", "AssetType", "task_id", "Id", "Other"])
KNOWN = st.sampled_from(["Image", "Video", URL, "http://", "task_20261121120000-00000", "asset-20261121120000-00000"])


@given(st.dictionaries(KEYS, KNOWN | ODD))
async def test_no_object_is_more_than_refused(fields):
    assets = library()
    for decode, done in (
        (decode_group, assets.create_group),
        (decode_asset, assets.create_asset),
        (decode_query, assets.get),
    ):
        with contextlib.suppress(Rejected, NotFound):
            await done("o", decode(fields)[0])


async def test_an_asset_may_have_an_id_of_its_owners_choice():
    assets = library()
    asset = await asset_in(assets, chosen_id="asset_a")
    assert asset.id == "asset_a"
    assert await params_refused(asset_in(assets, chosen_id="asset_a")) == [("InvalidParameter", "id")]
    assert (await asset_in(assets, "another", chosen_id="asset_a")).owner == "another"


@pytest.mark.parametrize("chosen", ["-a", "a/b", "a b", "a" * 81, "a\n", "\0", "人"])
async def test_an_id_that_is_no_plain_word_is_refused(chosen):
    assert await params_refused(asset_in(library(), chosen_id=chosen)) == [("InvalidParameter", "id")]


async def test_whoever_takes_assets_in_is_told_of_new_ones():
    told = []
    assets = replace(library(), wake=lambda: told.append("woken"))
    await asset_in(assets)
    assert told == ["woken"]


async def test_only_so_many_assets_of_an_owner_are_processed_at_a_time(monkeypatch):
    monkeypatch.setattr(service, "PROCESSING_MOST", 2)
    assets = library()
    for _ in range(2):
        await asset_in(assets)
    with pytest.raises(RateLimited):
        await asset_in(assets)
    assert await asset_in(assets, "another")


async def test_an_asset_is_renamed_by_its_owner_alone():
    assets = library()
    asset = await asset_in(assets)
    assert (await assets.rename("o", asset.id, "x")).name == "x"
    with pytest.raises(NotFound):
        await assets.rename("another", asset.id, "y")
    assert await params_refused(assets.rename("o", asset.id, "")) == [("MissingParameter", "Name")]
    assert await params_refused(assets.rename("o", asset.id, "x" * 65)) == [("InvalidParameter", "Name")]


async def test_an_asset_is_removed_by_its_owner_alone():
    assets = library()
    asset = await asset_in(assets)
    with pytest.raises(NotFound):
        await assets.remove("another", asset.id)
    await assets.remove("o", asset.id)
    with pytest.raises(NotFound):
        await assets.get("o", asset.id)


async def test_a_group_is_changed_as_far_as_is_said():
    assets = library()
    group_id = await group_in(assets)
    assert (await assets.change_group("o", group_id, name=None, description="d")).description == "d"
    changed = await assets.change_group("o", group_id, name="n", description=None)
    assert (changed.name, changed.description) == ("n", "d")
    assert await assets.group("o", group_id) == changed
    for owner, wanted in (("another", group_id), ("o", "group-unknown"), ("o", "")):
        with pytest.raises(NotFound):
            await assets.change_group(owner, wanted, name="x", description=None)


async def test_a_group_is_removed_with_its_assets():
    assets = library()
    asset = await asset_in(assets)
    with pytest.raises(NotFound):
        await assets.remove_group("another", asset.group_id)
    await assets.remove_group("o", asset.group_id)
    with pytest.raises(NotFound):
        await assets.get("o", asset.id)


async def test_a_group_is_found_by_its_name_or_its_id_or_made():
    assets = library()
    made = await assets.group_named("o", "people of the film")
    await assets.create_group("o", NewGroup(name="people", description=""))
    assert await assets.group_named("o", "people of the film") == made
    assert await assets.group_named("o", made.id) == made
    assert (await assets.group_named("o", "people")).name == "people"
    assert (await assets.group_named("another", "people of the film")).id != made.id
    with pytest.raises(NotFound):
        await assets.group_named("another", made.id)
