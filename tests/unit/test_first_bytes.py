"""What a file without a declared kind is taken for."""

import pytest

from understudy.core.first_bytes import modality_of
from understudy.core.modality import Modality


@pytest.mark.parametrize(
    ("head", "modality"),
    [
        (b"\xff\xd8\xff\xe0", Modality.IMAGE),
        (b"\0\0\0\x18ftypmp42", Modality.VIDEO),
        (b"\0\0\0\x18ftypM4A ", Modality.AUDIO),
        (b"ID3\x04", Modality.AUDIO),
        (b"of no kind at all", Modality.IMAGE),
        (b"", Modality.IMAGE),
    ],
)
def test_the_first_bytes_speak_for_a_modality_and_where_they_say_nothing_for_an_image(head: bytes, modality: Modality):
    assert modality_of(head) is modality
