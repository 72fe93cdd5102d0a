"""OpenAPI has an example of every answer and every error, and real answers match them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from stt.errors import InvalidParameter, SttError
from stt.languages import ModelSource
from stt.models.card import add_evaluation, card_file
from stt.server.app import create_app
from stt.server.openapi.client_secrets import CLIENT_SECRETS
from stt.server.openapi.errors import DETAILS, IN_JOBS
from stt.server.openapi.service import EVALUATION
from stt.server.problems import CODES, STATUSES
from stt.settings import load_settings
from tests.api.conftest import Serve, serve_app
from tests.fakes import FakeEngine, save_random_checkpoint

SPEC = create_app(load_settings(()), engine=FakeEngine()).openapi()
NO_OPERATION = {"not_found", "method_not_allowed", "head_too_large"} | IN_JOBS
"""Errors of requests that OpenAPI does not describe."""
DOCUMENTED = {(status, error.code) for error, status in STATUSES.items()}
DOCUMENTED |= set(CODES.items()) | {(422, InvalidParameter.code), (500, SttError.code)}
"""The same set as in docs/api.md; see `tests/unit/test_docs.py`."""


def bodies() -> Iterator[tuple[str, int, str, dict[str, Any]]]:
    """Path, status, media type and description of every answer."""
    for path, item in SPEC["paths"].items():
        for operation in item.values():
            for status, response in operation["responses"].items():
                if status == "204":
                    continue  # it has no body
                assert response["content"], (path, status)
                for media_type, body in response["content"].items():
                    yield path, int(status), media_type, body


def values(body: dict[str, Any]) -> list[Any]:
    return [example["value"] for example in body["examples"].values()]


def test_every_answer_has_examples_that_match_its_schema() -> None:
    n_checked = 0
    for path, status, media_type, body in bodies():
        assert values(body), (path, status, media_type)
        validator = Draft202012Validator(body["schema"] | {"components": SPEC["components"]})
        for value in values(body):
            validator.validate(value)
            n_checked += 1
    assert n_checked > 100


def test_every_error_has_an_example_under_its_status() -> None:
    found = set()
    for path, status, media_type, body in bodies():
        if "json" not in media_type or path == "/health" or status < 400:
            continue
        for value in values(body):
            if path.startswith("/v1/"):
                assert media_type == "application/json"
                found.add((status, value["error"]["code"]))
            elif "code" in value:
                assert media_type == "application/problem+json"
                assert value["status"] == status
                found.add((status, value["code"]))
    assert found == {each for each in DOCUMENTED if each[1] not in NO_OPERATION}
    assert set(DETAILS) == {code for _, code in DOCUMENTED} - NO_OPERATION


def described(path: str, status: int, content_type: str) -> dict[str, Any]:
    """The description of an answer; ignores the charset."""
    media_type = content_type.partition(";")[0]
    (body,) = (
        body for *of, body in bodies() if of == [path, status, media_type]
    )  # raises if it is not described
    return body


def shape(value: Any) -> Any:
    """Keys and types, recursively; for a list, those of its elements."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return sorted({repr(shape(each)) for each in value})
    return type(value).__name__


@pytest.fixture(scope="module")
def measured(runtime: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service whose models have a card."""
    folder = save_random_checkpoint(tmp_path_factory.mktemp("models") / "mine", norm="layer")
    source = ModelSource.parse(str(folder))
    content = add_evaluation(source, folder, None, EVALUATION)
    card_file(source, folder, None).write_text(content, encoding="utf-8")
    flags = ("--languages", "KR,EN", "--models", f"KR={folder},EN={folder}")
    with serve_app(*flags, "--conventions", "KR=spoken,EN=spoken", engine=FakeEngine()) as client:
        yield client


FORMATS = ("json", "text", "srt", "vtt", "verbose_json")
TEXT = {"text": "ab cb\nab"}
"""To align; the fake engine hears only the first word."""
BOTH = {"timestamp_granularities[]": ["word", "segment"]}


@pytest.mark.parametrize(
    ("path", "name", "form", "query"),
    [
        *(("/transcribe", each, {"response_format": each}, "") for each in FORMATS),
        *(
            ("/v1/audio/transcriptions", each, {"response_format": each, **BOTH}, "")
            for each in FORMATS
        ),
        ("/v1/audio/transcriptions", "json, include[]=logprobs", {"include[]": "logprobs"}, ""),
        ("/v1/audio/transcriptions", "stream=true", {"stream": "true"}, ""),
        *(("/asr", each, {}, f"?output={each}") for each in ("txt", "srt", "vtt", "tsv", "json")),
        ("/asr", "json, word_timestamps=true", {}, "?output=json&word_timestamps=true"),
        *(
            (path, each, {"response_format": each, **TEXT}, "")
            for path in ("/align", "/v1/audio/alignments")
            for each in ("json", "srt", "vtt", "textgrid")
        ),
        ("/align", "json, characters=true", {"characters": "true", **TEXT}, ""),
    ],
)
def test_real_answers_have_the_shape_of_their_examples(
    client: TestClient, wav: bytes, path: str, name: str, form: dict[str, Any], query: str
) -> None:
    part = "audio_file" if path == "/asr" else "file"
    answer = client.post(path + query, files={part: ("a.wav", wav)}, data=form)
    assert answer.status_code == 200
    example = described(path, 200, answer.headers["content-type"])["examples"][name]["value"]
    if isinstance(example, str):
        assert answer.text
        assert answer.text.split("\n")[0][:6] == example.split("\n")[0][:6] or name in (
            "text", "txt",
        )  # fmt: skip
    else:
        assert shape(answer.json()) == shape(example)


@pytest.mark.parametrize(
    "path", ["/", "/livez", "/readyz", "/health", "/languages", "/v1/models", "/v1/models/KR",
             "/v2/health/live", "/v2/health/ready"],
)  # fmt: skip
def test_answers_about_the_service_have_the_shape_of_their_examples(
    measured: TestClient, path: str
) -> None:
    answer = measured.get(path)
    template = path.replace("/KR", "/{model}")
    (example,) = values(described(template, 200, answer.headers["content-type"]))
    assert shape(answer.json()) == shape(example)


@pytest.mark.parametrize("path", CLIENT_SECRETS)
def test_secrets_have_the_shape_of_their_examples(client: TestClient, path: str) -> None:
    answer = client.post(path, json={})
    assert answer.status_code == 200
    (example,) = values(described(path, 200, answer.headers["content-type"]))
    assert shape(answer.json()) == shape(example)


@pytest.mark.parametrize("path", ["/transcribe", "/v1/audio/transcriptions", "/asr"])
@pytest.mark.parametrize(
    ("content", "fields", "code"),
    [
        (b"hello" * 99, {}, "unsupported_format"),
        (b"fLaC" + b"x" * 99, {}, "invalid_audio"),
        (b"", {"language": "xx"}, "unsupported_language"),
        (None, {}, "invalid_parameter"),
    ],
)
def test_errors_have_the_shape_of_their_examples(
    client: TestClient, path: str, content: bytes | None, fields: dict[str, str], code: str
) -> None:
    part = "audio_file" if path == "/asr" else "file"
    files = None if content is None else {part: ("a.wav", content)}
    if path == "/transcribe" and "language" in fields:
        fields = {"lang": fields["language"]}
    query = fields if path == "/asr" else None
    answer = client.post(path, files=files, data=fields, params=query)
    examples = described(path, answer.status_code, answer.headers["content-type"])["examples"]
    assert shape(answer.json()) == shape(examples[code]["value"])
    assert code in answer.text


def test_readiness_failures_have_the_keys_of_their_examples(serve: Serve) -> None:
    with serve("--models", "KR=/nowhere", ready=False) as client:
        for path in ("/readyz", "/health", "/v2/health/ready"):
            answer = client.get(path)
            assert answer.status_code == 503
            example = values(described(path, 503, answer.headers["content-type"]))[0]
            assert set(answer.json()) == set(example)


def test_generators_of_clients_find_files_and_short_names() -> None:
    operations = [each for item in SPEC["paths"].values() for each in item.values()]
    names = [each["operationId"] for each in operations]
    assert len(set(names)) == len(names)
    assert {"transcribe", "create_transcription", "asr"} <= set(names)
    for name, field in (("transcribe", "file"), ("asr", "audio_file")):
        schema = SPEC["components"]["schemas"][f"Body_{name}"]["properties"][field]
        assert (schema["type"], schema["format"]) == ("string", "binary")
    for schema in SPEC["components"]["schemas"].values():
        names = schema.get("properties", ())
        identifiers = [re.sub(r"\W+", "_", each).strip("_") for each in names]
        assert len(set(identifiers)) == len(identifiers)
