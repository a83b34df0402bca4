"""Roles that were left out: which are assumed, and which of these are told."""

import pytest

from understudy.core.content import ContentItem, Modality, Role
from understudy.core.roles import with_roles, with_sole_roles

TEXT = ContentItem(modality=Modality.TEXT, value="x")
IMAGE = ContentItem(modality=Modality.IMAGE, value="https://e.com/a.png")
VIDEO = ContentItem(modality=Modality.VIDEO, value="https://e.com/a.mp4")
AUDIO = ContentItem(modality=Modality.AUDIO, value="https://e.com/a.mp3")
REF = (Role.REFERENCE_IMAGE, Role.REFERENCE_VIDEO, Role.REFERENCE_AUDIO)


@pytest.mark.parametrize(
    ("content", "sole", "every"),
    [
        ((TEXT,), [None], [None]),
        ((TEXT, IMAGE), [None, Role.FIRST_FRAME], [None, Role.FIRST_FRAME]),
        ((IMAGE, IMAGE), [None, None], [REF[0], REF[0]]),
        ((VIDEO, AUDIO, TEXT), [REF[1], REF[2], None], [REF[1], REF[2], None]),
        ((IMAGE, VIDEO), [None, REF[1]], [REF[0], REF[1]]),
    ],
)
def test_a_role_is_assumed_where_only_one_can_be_meant_and_for_several_images_where_the_dialect_does(
    content, sole, every
):
    assert [item.role for item in with_sole_roles(content)[0]] == sole
    assert [item.role for item in with_roles(content)[0]] == every


def test_what_was_assumed_is_told_but_not_of_a_lone_image():
    assert [each.param for each in with_sole_roles((IMAGE, VIDEO))[1]] == ["content[1].role"]
    assert [each.param for each in with_roles((IMAGE, VIDEO))[1]] == ["content[0].role", "content[1].role"]
    assert with_roles((TEXT, IMAGE))[1] == ()


def test_a_role_that_was_given_stays():
    last = ContentItem(modality=Modality.IMAGE, value="https://e.com/a.png", role=Role.LAST_FRAME)
    assert with_roles((last, VIDEO))[0][0].role is Role.LAST_FRAME
