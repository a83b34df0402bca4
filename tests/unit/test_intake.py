"""The intake: what becomes of the media of a request, from its first byte to the stored task."""

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from intake_bench import AUDIO, IMAGE, VIDEO, MediaBench, Operator, file_of, inline, item
from submit_bench import request_of
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.errors import Rejected, Unavailable
from understudy.core.media import NotFetched, Origin, TooLarge
from understudy.core.moderation import Stage
from understudy.dialects.codec import Decoded
from understudy.dialects.naming import media_names

FAILED = "The parameter `content[1].image_url` specified in the request is not valid: resource download failed."


async def refused(bench: MediaBench, *content, **fields) -> tuple[str, ...]:
    with pytest.raises(Rejected) as caught:
        await bench.bring(*content, **fields)
    return tuple(each.message for each in caught.value.violations)


async def test_an_address_becomes_a_stored_medium_and_stays_what_it_was(tmp_path: Path):
    bench = MediaBench(tmp_path)
    address = bench.page(file_of(IMAGE))
    task = await bench.bring(item(IMAGE, address))
    (medium,) = [each.medium for each in task.request.content[1:]]
    digest = hashlib.sha256(file_of(IMAGE)).hexdigest()
    assert (medium.sha256, medium.key, medium.origin) == (digest, f"media/{digest}.png", Origin.WEB)
    assert medium.facts == IMAGE
    assert task.request.content[1].value == address
    assert bench.blobs.local_path(medium.key).read_bytes() == file_of(IMAGE)
    assert task == await bench.store.get("o", task.id)


async def test_of_a_data_url_only_the_media_type_is_kept_in_the_task(tmp_path: Path):
    bench = MediaBench(tmp_path)
    task = await bench.bring(item(IMAGE, inline(file_of(IMAGE))))
    (_, image) = task.request.content
    assert (image.value, image.medium.origin) == ("data:image/png", Origin.INLINE)
    assert bench.blobs.local_path(image.medium.key).read_bytes() == file_of(IMAGE)
    assert bench.web.asked == []


async def test_bytes_that_were_spooled_are_taken_from_their_file_which_stays(tmp_path: Path):
    bench = MediaBench(tmp_path)
    spool, name = tmp_path / "spool", "spooled/0123456789abcdef0123456789abcdef/0"
    spool.write_bytes(file_of(AUDIO))
    image = item(IMAGE, bench.page(file_of(IMAGE)))
    sound = item(AUDIO, f"data:audio/mpeg;base64,{name}")
    task = await bench.bring(image, sound, spooled={name: spool})
    assert task.request.content[2].value == "data:audio/mpeg"
    assert bench.blobs.local_path(task.request.content[2].medium.key).read_bytes() == file_of(AUDIO)
    assert spool.read_bytes() == file_of(AUDIO)


@pytest.mark.parametrize("payload", ["spooled/0123456789abcdef0123456789abcdef/0", "abc", "ab=c", "YWJj YWJj"])
async def test_what_is_no_base64_is_refused_and_so_is_a_token_that_nobody_was_given(tmp_path: Path, payload: str):
    bench = MediaBench(tmp_path)
    (message,) = await refused(bench, item(IMAGE, f"data:image/png;base64,{payload}"))
    assert message.startswith("The parameter `content[1].image_url` specified in the request is not valid: ")
    assert message.endswith("what follows `;base64,` is not valid base64.")


async def test_the_same_address_is_fetched_once(tmp_path: Path):
    bench = MediaBench(tmp_path)
    image = item(IMAGE, bench.page(file_of(IMAGE)))
    task = await bench.bring(image, image, image)
    assert len(bench.web.asked) == 1
    assert len({each.medium for each in task.request.content[1:]}) == 1


async def test_the_same_bytes_are_stored_once_whatever_they_are_called(tmp_path: Path):
    bench = MediaBench(tmp_path)
    images = [item(IMAGE, bench.page(file_of(IMAGE), name)) for name in ("a", "b")]
    task = await bench.bring(*images, item(IMAGE, inline(file_of(IMAGE))))
    assert len(bench.blob_names()) == 1
    assert [each.medium.origin for each in task.request.content[1:]] == [Origin.WEB, Origin.WEB, Origin.INLINE]


async def test_known_bytes_are_not_measured_again_but_judged_again(tmp_path: Path):
    bench = MediaBench(tmp_path)
    uhd = replace(VIDEO, width_px=3840, height_px=2160)
    video = item(VIDEO, bench.page(file_of(uhd)))
    await bench.bring(video)
    await bench.bring(video)
    assert len(bench.prober.probed) == 1
    (message,) = await refused(bench, video, dialect="amux")
    assert "pixel count" in message


async def test_all_media_of_a_request_are_fetched_side_by_side(tmp_path: Path):
    bench = MediaBench(tmp_path)
    bench.web.together = asyncio.Barrier(9)
    await bench.bring(*(item(IMAGE, bench.page(file_of(IMAGE), f"{at}")) for at in range(9)))
    assert bench.web.most_under_way == 9


async def test_no_more_files_are_on_their_way_than_there_are_places(tmp_path: Path):
    bench = MediaBench(tmp_path, places=4)
    bench.web.together = asyncio.Barrier(2)
    requests = [
        bench.bring(*(item(IMAGE, bench.page(file_of(IMAGE), f"{number}/{at}")) for at in range(4)))
        for number in range(3)
    ]
    await asyncio.gather(*requests)
    assert len(bench.web.asked) == 12
    assert bench.web.most_under_way == 2


async def test_one_owners_slow_hosts_leave_room_for_anothers(tmp_path: Path):
    bench = MediaBench(tmp_path, places=2)
    stuck = [item(IMAGE, bench.page(None, f"{at}")) for at in range(5)]
    slow = asyncio.create_task(bench.bring(*stuck))
    await bench.web.began.wait()
    quick = item(IMAGE, bench.page(file_of(IMAGE), "quick"))
    judged = bench.examiner.judge.judge("ark", Decoded(request=request_of(content=(quick,))))
    taken = await bench.intake.take_in(judged, owner="another", dialect="ark", names={}, spooled={})
    assert taken.request.content[0].medium is not None
    assert bench.web.under_way == 1
    slow.cancel()
    await asyncio.wait({slow})


async def test_whoever_waits_in_vain_for_a_place_is_told_to_come_back(tmp_path: Path):
    bench = MediaBench(tmp_path, places=1, deadline_s=0.02)
    with pytest.raises(Unavailable):
        await bench.bring(item(IMAGE, bench.page(None, "a")), item(IMAGE, bench.page(None, "b")))


@pytest.mark.parametrize("page", [NotFetched("HTTP 403"), NotFetched("127.0.0.1 is not allowed"), None])
async def test_a_download_that_fails_is_told_in_arks_words_whatever_went_wrong(tmp_path: Path, page):
    bench = MediaBench(tmp_path, deadline_s=0.02)
    assert await refused(bench, item(IMAGE, bench.page(page))) == (FAILED,)


async def test_a_file_that_is_too_large_to_be_fetched_is_told_with_what_is_allowed(tmp_path: Path):
    bench = MediaBench(tmp_path)
    (message,) = await refused(bench, item(IMAGE, bench.page(TooLarge("31457281 bytes"))))
    assert "content[1]` specified" in message
    assert "image file size (bytes) specified in the request must be less than or equal to 31457280 for" in message


async def test_every_medium_that_is_wrong_is_told_in_the_order_of_the_content(tmp_path: Path):
    bench = MediaBench(tmp_path)
    told = await refused(
        bench,
        item(IMAGE, bench.page(b"no picture", "1")),
        item(IMAGE, bench.page(file_of(IMAGE), "2")),
        item(VIDEO, bench.page(file_of(replace(VIDEO, duration_s=15.3)), "3")),
        item(AUDIO, bench.page(NotFetched("gone"), "4")),
        item(VIDEO, bench.page(file_of(AUDIO), "5")),
    )
    frame = "The parameter `content[{}]{}` specified in the request is not valid: "
    assert told == (
        frame.format(1, ".image_url") + "the file is damaged.",
        frame.format(3, "") + "video duration (seconds) specified in the request must be less than or equal to 15.2 "
        "for model doubao-seedance-2-0 in r2v.",
        frame.format(4, ".audio_url") + "resource download failed.",
        frame.format(5, ".video_url") + "the file is not of the kind video, it is of the kind audio.",
    )


async def test_the_tenth_item_comes_after_the_ninth(tmp_path: Path):
    bench = MediaBench(tmp_path)
    images = [item(IMAGE, bench.page(file_of(IMAGE), f"{at}")) for at in range(8)]
    bad = [item(IMAGE, bench.page(b"broken", "8")), item(VIDEO, bench.page(b"broken", "9"))]
    assert ["content[9]" in each for each in await refused(bench, *images, *bad)] == [True, False]


async def test_an_address_that_fails_is_told_for_each_item_that_has_it(tmp_path: Path):
    bench = MediaBench(tmp_path)
    image = item(IMAGE, bench.page(NotFetched("gone")))
    assert len(await refused(bench, image, image)) == 2


async def test_parameters_are_named_as_the_caller_named_them(tmp_path: Path):
    bench = MediaBench(tmp_path)
    names = media_names(1, "image_url", "image_urls[0]") | media_names(2, "video_url", "video_urls[0]")
    told = await refused(
        bench,
        item(IMAGE, bench.page(NotFetched("gone"))),
        item(VIDEO, bench.page(file_of(replace(VIDEO, fps=12.0)), "b")),
        names=names,
    )
    assert [each.split("` ")[0] for each in told] == ["The parameter `image_urls[0]", "The parameter `video_urls[0]"]


async def test_nothing_is_stored_when_one_of_several_is_refused(tmp_path: Path):
    bench = MediaBench(tmp_path)
    await refused(bench, item(IMAGE, bench.page(file_of(IMAGE))), item(IMAGE, bench.page(b"broken", "b")))
    assert bench.blob_names() == set()
    assert list(bench.work_dir.iterdir()) == []
    assert bench.woken == 0


async def test_no_file_is_left_in_the_work_directory(tmp_path: Path):
    bench = MediaBench(tmp_path)
    await bench.bring(item(IMAGE, bench.page(file_of(IMAGE))), item(IMAGE, inline(file_of(replace(IMAGE, fps=1.0)))))
    assert list(bench.work_dir.iterdir()) == []


async def test_a_caller_who_leaves_takes_the_work_with_him(tmp_path: Path):
    bench = MediaBench(tmp_path)
    request = asyncio.create_task(bench.bring(item(IMAGE, bench.page(None))))
    await bench.web.began.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert (bench.web.under_way, list(bench.work_dir.iterdir())) == (0, [])


async def test_nothing_is_fetched_for_a_request_that_is_wrong_anyway(tmp_path: Path):
    bench = MediaBench(tmp_path)
    await refused(bench, item(IMAGE, bench.page(file_of(IMAGE))), duration_s=99)
    assert bench.web.asked == []


async def test_a_measurement_that_does_not_end_is_the_servers_fault_not_the_callers(tmp_path: Path):
    bench = MediaBench(tmp_path, deadline_s=0.02)
    bench.prober.is_stuck = True
    with pytest.raises(Unavailable):
        await bench.bring(item(IMAGE, inline(file_of(IMAGE))))


async def test_a_full_disk_is_told_as_such(tmp_path: Path):
    bench = MediaBench(tmp_path)
    with pytest.raises(Unavailable, match="cannot store media"):
        await bench.bring(item(IMAGE, bench.page(OSError(28, "No space left on device"))))


async def test_a_link_of_our_own_is_followed_without_the_network(tmp_path: Path):
    bench = MediaBench(tmp_path)
    frame = tmp_path / "frame.png"
    frame.write_bytes(file_of(IMAGE))
    await bench.blobs.put(frame, "20261121120000-00000-1/last_frame.png")
    address = "http://127.0.0.1:8484/files/20261121120000-00000-1/last_frame.png?signature=genuine"
    bench.links.known[address] = "20261121120000-00000-1/last_frame.png"
    task = await bench.bring(item(IMAGE, address, role=Role.FIRST_FRAME))
    assert task.request.content[1].medium.origin is Origin.OWN_FILM
    assert bench.web.asked == []
    assert bench.blobs.local_path("20261121120000-00000-1/last_frame.png").read_bytes() == file_of(IMAGE)
    assert bench.blobs.local_path(task.request.content[1].medium.key).read_bytes() == file_of(IMAGE)


async def test_a_link_to_a_picture_of_a_film_is_good_before_the_picture_is_made(tmp_path: Path):
    bench = MediaBench(tmp_path)
    key, made = "20261121000000-abcde-1/thumbnail.webp", list[str]()

    async def make(wanted: str) -> bool:
        made.append(wanted)
        picture = tmp_path / "picture.webp"
        picture.write_bytes(file_of(IMAGE))
        await bench.blobs.put(picture, wanted)
        return True

    object.__setattr__(bench.intake.sources, "make", make)
    bench.links.known["http://here/files/poster"] = key
    task = await bench.bring(item(IMAGE, "http://here/files/poster"))
    assert (made, task.request.content[1].medium.origin) == ([key], Origin.OWN_FILM)


async def test_a_link_of_our_own_to_what_is_gone_is_a_failed_download(tmp_path: Path):
    bench = MediaBench(tmp_path)
    bench.links.known["http://here/files/x"] = "20261121120000-00000-1/last_frame.png"
    assert await refused(bench, item(IMAGE, "http://here/files/x")) == (FAILED,)


async def test_a_link_to_a_medium_that_somebody_gave_us_does_not_make_it_ours(tmp_path: Path):
    bench = MediaBench(tmp_path)
    first = await bench.bring(item(IMAGE, bench.page(file_of(IMAGE))))
    bench.links.known["http://here/files/y"] = first.request.content[1].medium.key
    task = await bench.bring(item(IMAGE, "http://here/files/y"))
    assert task.request.content[1].medium.origin is Origin.WEB


async def test_the_film_of_a_task_is_given_as_its_bytes(tmp_path: Path):
    bench = MediaBench(tmp_path)
    source = await bench.submit()
    film = tmp_path / "film.mp4"
    film.write_bytes(file_of(VIDEO))
    await bench.blobs.put(film, f"{source.id}-1/video.mp4")
    await bench.film(source)
    task = await bench.bring(item(VIDEO, f"task://{source.id}"))
    video = task.request.content[1]
    assert (video.value, video.medium.origin) == (f"task://{source.id}", Origin.OWN_FILM)
    assert bench.blobs.local_path(video.medium.key).read_bytes() == file_of(VIDEO)


async def test_a_medium_that_was_stored_before_is_judged_and_not_brought_again(tmp_path: Path):
    bench = MediaBench(tmp_path)
    first = await bench.bring(item(IMAGE, inline(file_of(IMAGE))))
    (_, image) = first.request.content
    again = await bench.bring(image)
    assert again.request.content == first.request.content
    medium = replace(image.medium, facts=replace(IMAGE, width_px=9000))
    (message,) = await refused(bench, replace(image, medium=medium))
    assert "image width" in message


async def test_the_final_of_a_draft_is_made_from_the_drafts_media(tmp_path: Path):
    bench = MediaBench(tmp_path)
    model = "doubao-seedance-2.5"
    draft = await bench.bring(item(IMAGE, inline(file_of(IMAGE))), model=model, draft=True, resolution="480p")
    await bench.film(draft)
    named = ContentItem(modality=Modality.DRAFT, value=f"cgt-{draft.id}")
    final = await bench.submit(content=(named,), model=model, resolution="1080p")
    assert final.request.content == draft.request.content
    assert final.request.content[1].medium.sha256 == hashlib.sha256(file_of(IMAGE)).hexdigest()
    assert len(bench.prober.probed) == 1


async def test_a_task_needs_its_media_until_it_is_gone(tmp_path: Path):
    bench = MediaBench(tmp_path)
    task = await bench.bring(item(IMAGE, bench.page(file_of(IMAGE))))
    bench.clock.advance(days=30)
    assert await bench.media.take_unused(bench.clock.now(), 10) == {}
    await bench.store.withdraw("o", task.id, bench.clock.now())
    await bench.store.purge(created_before=bench.clock.now(), cancelled_before=bench.clock.now())
    assert len(await bench.media.take_unused(bench.clock.now(), 10)) == 1


async def test_a_text_that_nobody_moderates_is_none_of_the_intakes_business(tmp_path: Path):
    bench = MediaBench(tmp_path)
    judged = bench.examiner.judge.judge("ark", Decoded(request=request_of()))
    assert not bench.intake.concerns(judged)
    moderated = replace(bench.intake, screen=replace(bench.intake.screen, moderator=Operator()))
    assert moderated.concerns(judged)


async def test_without_media_only_the_moderator_is_asked(tmp_path: Path):
    operator = Operator()
    await MediaBench(tmp_path, moderator=operator).submit()
    ((stage, owner, shown),) = operator.asked
    assert (stage, owner, [each.text for each in shown]) == (Stage.INPUT, "o", ["a cat"])


async def test_a_file_that_takes_long_to_measure_lets_the_next_turn_go_to_another_owner(tmp_path: Path):
    began, leave = list[str](), {}

    class WaitsToBeLet:
        async def probe(self, path, modality):
            name = msgspec.json.decode(path.read_bytes())["pix_fmt"]
            began.append(name)
            leave[name] = asyncio.Event()
            await leave[name].wait()
            return IMAGE

    bench = MediaBench(tmp_path)
    object.__setattr__(bench.intake.shelf, "prober", WaitsToBeLet())
    mine = [item(IMAGE, inline(file_of(replace(IMAGE, pix_fmt=f"a{number}")))) for number in range(4)]
    slow = asyncio.create_task(bench.bring(*mine))
    async with asyncio.timeout(10):
        while len(began) < 2:  # noqa: ASYNC110 - the intake has no event for it
            await asyncio.sleep(0)
        late = asyncio.create_task(bench.bring(item(IMAGE, inline(file_of(replace(IMAGE, pix_fmt="b")))), owner="p"))
        while len(bench.intake.shelf.turns._waiting) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0)
        leave[began[0]].set()
        while len(began) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert began[2] == "b"
    for task in (slow, late):
        task.cancel()
    await asyncio.gather(slow, late, return_exceptions=True)
