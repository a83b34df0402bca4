"""Keys that nobody reads: told at every depth, wherever they stand."""

import pytest

from understudy.dialects.ark import ARK


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"tools": [{"type": "web_search", "limit": 3}]}, "tools[0].limit"),
        ({"content": [{"type": "text", "text": "a", "image_url": {"url": "u"}}]}, "content[0].image_url"),
        ({"content": [{"type": "text", "text": "a", "role": "first_frame"}]}, "content[0].role"),
        ({"content": [{"type": "draft_task", "draft_task": {"id": "i", "x": 1}}]}, "content[0].draft_task.x"),
        (
            {"content": [{"type": "image_url", "image_url": {"url": "u", "detail": "low"}}]},
            "content[0].image_url.detail",
        ),
        ({"content": [{"type": "text", "text": "a", "weight": None, "image_url": None}]}, None),
    ],
)
def test_what_nobody_reads_is_told_at_every_depth_and_null_is_absent(fields, told):
    body = {"model": "m", "content": [{"type": "text", "text": "a"}], **fields}
    assert [each.param for each in ARK.decode_request(body).warnings] == ([told] if told else [])
