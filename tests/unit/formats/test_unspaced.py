"""Every format joins the words of scripts without spaces as the transcript does."""

import json

import pytest

from stt.commands.outputs import render_json
from stt.commands.recognition import Recognition
from stt.formats.openai import logprob_entries
from stt.formats.verbose import segment_entries, word_entries
from stt.formats.whisper import OUTPUTS, Answer
from stt.languages import choose_languages
from stt.server.sse import delta_event
from stt.types import Transcript, Word, join_words

MIXED = tuple(
    Word(text, index, index + 0.5, 0.9, space_before=space)
    for index, (text, space) in enumerate(
        [("今", False), ("日", False), ("PC", False), ("が", False), ("OK", True)]
    )
)
TEXT = "今日PCが OK"
TRANSCRIPT = Transcript(MIXED, 6)


def test_words_are_joined_with_the_spaces_they_have() -> None:
    assert TRANSCRIPT.text == join_words(MIXED) == TEXT
    assert join_words(MIXED[4:]) == "OK"
    assert join_words([]) == ""
    assert [segment.text for segment in segment_entries(TRANSCRIPT)] == [TEXT]


def test_only_words_without_a_space_say_so() -> None:
    entries = [entry.model_dump(exclude_none=True) for entry in word_entries(TRANSCRIPT)]
    assert [entry.get("space_before", True) for entry in entries] == [False] * 4 + [True]
    assert "space_before" not in entries[4]
    recognition = Recognition(TEXT, TRANSCRIPT, "JA", "m")
    line = json.loads(render_json(recognition, "a.wav"))
    assert [entry.get("space_before") for entry in line["words"]] == [False] * 4 + [None]


def test_deltas_and_tokens_joined_are_the_text() -> None:
    deltas = [delta_event(word, begins_text=index == 0) for index, word in enumerate(MIXED)]
    shown = [json.loads(event.removeprefix("data: "))["delta"] for event in deltas]
    assert "".join(shown) == TEXT
    assert "".join(entry.token for entry in logprob_entries(MIXED)) == TEXT


@pytest.mark.parametrize("timestamps", [False, True])
def test_whispers_words_have_the_space_before_them(timestamps: bool) -> None:
    language = choose_languages((), {}, demo=True).default
    answer = json.loads(OUTPUTS["json"].render(Answer(TRANSCRIPT, language, timestamps)))
    assert answer["text"] == TEXT
    if timestamps:
        [segment] = answer["segments"]
        assert [each["word"] for each in segment["words"]] == ["今", "日", "PC", "が", " OK"]
