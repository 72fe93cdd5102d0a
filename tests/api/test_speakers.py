"""Speakers on one channel, on every route: the real library with models made for the test."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from openai.types.audio import TranscriptionDiarized

from stt.types import SAMPLE_RATE
from tests.api.conftest import post_recording, serve_app
from tests.audio_files import with_libsndfile
from tests.fakes import FakeEngine
from tests.speaker_models import save_speaker_models, tone

LOW, HIGH = tone(300, 6), tone(6_000, 6)
TALK = np.concatenate([LOW, HIGH, LOW])
WAV = with_libsndfile(TALK[:, None], SAMPLE_RATE, "WAV")
WAYS = ("/transcribe", "/v1/audio/transcriptions", "/asr")
# The fake says "ab" at the start of every window.
WINDOWS = ("--window-seconds", "2", "--context-seconds", "0", "--cut-search-seconds", "0")


@pytest.fixture(scope="module")
def client(runtime: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    segmentation, embedding = save_speaker_models(tmp_path_factory.mktemp("models"))
    with serve_app(
        *WINDOWS, "--speaker-segmentation", str(segmentation),
        "--speaker-embedding", str(embedding), "--max-speaker-seconds", "20", engine=FakeEngine(),
    ) as client:  # fmt: skip
        yield client


def post(client: TestClient, path: str, wav: bytes = WAV, **fields: str) -> Any:
    if path == "/asr":
        fields["output"] = fields.pop("response_format", "json")
        return client.post(path, params=fields, files={"audio_file": ("a.wav", wav)})
    return post_recording(client, path, wav, **fields)


@pytest.mark.parametrize("path", WAYS)
def test_words_and_segments_have_their_speaker(client: TestClient, path: str) -> None:
    verbose = {} if path == "/asr" else {"response_format": "verbose_json"}
    more = {"word_timestamps": "true"} if path == "/asr" else {"timestamp_granularities": "word"}
    answer = post(client, path, diarize="true", **verbose, **more)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    words = body.get("words") or [word for each in body["segments"] for word in each["words"]]
    assert [each["speaker"] for each in words] == ["A"] * 3 + ["B"] * 3 + ["A"] * 3
    assert [each["speaker"] for each in body["segments"]] == [each["speaker"] for each in words]
    assert body["text"] == "ab ab ab\nab ab ab\nab ab ab"
    assert "warnings" not in body


def test_texts_and_subtitles_say_who_speaks(client: TestClient) -> None:
    text = post(client, "/transcribe", diarize="true", response_format="text").text
    assert text == "[A] ab ab ab\n[B] ab ab ab\n[A] ab ab ab"
    assert "\n[B] ab\n" in post(client, "/transcribe", diarize="true", response_format="srt").text
    vtt = post(client, "/v1/audio/transcriptions", diarize="true", response_format="vtt").text
    assert "\n<v Speaker B>ab\n" in vtt


def test_rttm_has_a_line_for_each_segment(client: TestClient) -> None:
    for query in ("", "?diarize=true"):
        more = {} if query else {"diarize": "true"}
        rows = post(client, f"/transcribe{query}", response_format="rttm", **more).text.splitlines()
        assert [row.split()[7] for row in rows] == ["Speaker_A"] * 3 + ["Speaker_B"] * 3 + [
            "Speaker_A"
        ] * 3
        kind, file, channel, start, length, *rest = rows[0].split()
        assert (kind, file, channel, start, length) == (
            "SPEAKER", "recording", "1", "0.020", "0.040",
        )  # fmt: skip
        assert rest == ["<NA>", "<NA>", "Speaker_A", "<NA>", "<NA>"]


def test_diarized_json_asks_by_itself_as_in_openais_api(client: TestClient) -> None:
    answer = post(
        client,
        "/v1/audio/transcriptions",
        model="gpt-4o-transcribe-diarize",
        response_format="diarized_json",
        chunking_strategy="auto",
    )
    body = TranscriptionDiarized.model_validate_json(answer.text, strict=True)
    assert [each.speaker for each in body.segments] == ["A"] * 3 + ["B"] * 3 + ["A"] * 3
    assert {each.type for each in body.segments} == {"transcript.text.segment"}
    assert len({each.id for each in body.segments}) == 9


def test_channels_are_speakers_to_these_formats(client: TestClient) -> None:
    call = with_libsndfile(np.stack([LOW, HIGH], 1), SAMPLE_RATE, "WAV")
    path = "/v1/audio/transcriptions"
    body = post(client, path, call, channels="split", response_format="diarized_json").json()
    assert {each["speaker"] for each in body["segments"]} == {"1", "2"}
    rttm = post(client, path, call, channels="split", response_format="rttm").text
    assert {tuple(row.split()[i] for i in (2, 7)) for row in rttm.splitlines()} == {
        ("1", "Channel_1"),
        ("2", "Channel_2"),
    }


def test_the_number_of_speakers_may_be_known(client: TestClient) -> None:
    fields = {"diarize": "true", "num_speakers": "1", "response_format": "text"}
    assert post(client, "/transcribe", **fields).text == "[A] " + " ".join(["ab"] * 9)


def test_silence_has_nobody(client: TestClient) -> None:
    quiet = with_libsndfile(np.zeros((3 * SAMPLE_RATE, 1), np.float32), SAMPLE_RATE, "WAV")
    body = post(client, "/transcribe", quiet, diarize="true").json()
    assert (body["text"], [each["code"] for each in body["warnings"]]) == ("ab ab", ["no_speakers"])


def test_a_longer_recording_is_refused(client: TestClient) -> None:
    long = with_libsndfile(np.concatenate([TALK, LOW])[:, None], SAMPLE_RATE, "WAV")
    answer = post(client, "/transcribe", long, diarize="true")
    assert (answer.status_code, answer.json()["code"]) == (413, "audio_too_long")
    assert "up to 20 s" in answer.json()["detail"]
    assert post(client, "/transcribe", long).status_code == 200


@pytest.mark.parametrize("path", WAYS)
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"diarize": "true", "channels": "split"}, "exclude each other"),
        ({"num_speakers": "2"}, "needs diarize=true"),
        ({"diarize": "true", "num_speakers": "0"}, "greater than or equal to 1"),
        ({"diarize": "true", "num_speakers": "51"}, "less than or equal to 50"),
        ({"diarize": "perhaps"}, "valid boolean"),
    ],
)
def test_contradictions_are_said(
    client: TestClient, path: str, fields: dict[str, str], expected: str
) -> None:
    answer = post(client, path, **fields)
    assert answer.status_code in (400, 422)
    assert "invalid_parameter" in answer.text
    assert expected in answer.text


def test_what_cannot_be_said_is_refused(client: TestClient) -> None:
    path = "/v1/audio/transcriptions"
    answer = post(client, path, response_format="rttm")
    assert (answer.status_code, "so it needs diarize=true" in answer.text) == (400, True)
    answer = post(client, path, diarize="true", stream="true")
    assert (answer.status_code, "cannot be streamed: who speaks" in answer.text) == (400, True)


@pytest.mark.parametrize("path", WAYS)
def test_without_models_the_answer_says_what_is_missing(path: str) -> None:
    with serve_app(engine=FakeEngine()) as client:
        answer = post(client, path, diarize="true")
        assert answer.status_code == 400
        assert "not_supported" in answer.text
        assert "set STT_SPEAKER_SEGMENTATION and STT_SPEAKER_EMBEDDING" in answer.text
