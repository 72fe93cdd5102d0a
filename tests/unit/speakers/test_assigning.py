"""Words get their speakers, by examples read by eye."""

from stt.speakers.assigning import speaker_name, with_speakers
from stt.speakers.turns import SpeakerTurn
from tests.words import spoken


def test_words_have_the_speaker_whom_they_share_most_time_with() -> None:
    said = spoken(("a", 0, 1), ("b", 1, 2), ("c", 1.9, 3), ("d", 9, 10))
    turns = (SpeakerTurn(0, 1.4, 7), SpeakerTurn(1.3, 3, 2), SpeakerTurn(5, 6, 7))
    assert [word.speaker for word in with_speakers(said, turns)] == ["A", "B", "B", "A"]


def test_names_follow_the_first_words_and_not_the_models_numbers() -> None:
    said = spoken(("a", 0, 1), ("b", 1, 2), ("c", 2, 3))
    turns = (SpeakerTurn(0, 1, 9), SpeakerTurn(1, 2, 0), SpeakerTurn(2, 3, 9))
    assert [word.speaker for word in with_speakers(said, turns)] == ["A", "B", "A"]


def test_without_turns_nobody_is_named() -> None:
    said = spoken(("a", 0, 1))
    assert with_speakers(said, ()) == list(said)
    assert with_speakers((), (SpeakerTurn(0, 1, 0),)) == []


def test_there_are_names_for_any_number() -> None:
    names = [speaker_name(index) for index in (0, 25, 26, 27, 51, 52, 701, 702)]
    assert names == ["A", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA"]
