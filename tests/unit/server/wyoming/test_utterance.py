"""What a request for an utterance asks."""

import pytest

from stt.decoding.hotwords import parse_hotwords
from stt.server.wyoming.utterance import as_prompt


@pytest.mark.parametrize(
    ("names", "hotwords"),
    [
        ([], []),
        (["거실 조명", "안방"], ["거실 조명", "안방"]),
        (["거실 조명"], ["거실", "조명"]),
        (["부엌: 3", "a, b", "집!"], ["부엌 3", "a b", "집"]),
        (["", " \n", "a sentence that nobody calls a lamp", "등"], ["등"]),
    ],
)
def test_names_become_a_list_of_hotwords(names: list[str], hotwords: list[str]) -> None:
    assert [each.text for each in parse_hotwords(as_prompt(names))] == hotwords
