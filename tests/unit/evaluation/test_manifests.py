from pathlib import Path

import pytest

from stt.errors import ConfigurationError
from stt.evaluation.manifests import Utterance, read_manifest


def test_a_tsv_manifest(tmp_path: Path) -> None:
    file = tmp_path / "m.TSV"
    file.write_bytes(
        '\ufefffile\tlang\ttext\r\nsub/a.wav\tKR\t그는 "네" 했다\r\n/b.wav\tKR\t\r\n'.encode()
    )
    assert read_manifest(file) == [
        Utterance("sub/a.wav", tmp_path / "sub" / "a.wav", '그는 "네" 했다'),
        Utterance("/b.wav", Path("/b.wav"), ""),
    ]


def test_a_jsonl_manifest(tmp_path: Path) -> None:
    file = tmp_path / "m.jsonl"
    file.write_text(
        '{"path": "a.wav", "text": "가"}\n\n{"audio_filepath": "b.wav", "text": "나"}\n'
    )
    assert [each.name for each in read_manifest(file)] == ["a.wav", "b.wav"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("m.csv", "path,text\n", "named .tsv or .jsonl"),
        ("m.tsv", "path\ttext\n", "lists no recordings"),
        ("m.tsv", "path\ttext\na.wav\tb\nc.wav\n", "line 3: expected a path"),
        ("m.tsv", "name\ttext\na.wav\tb\n", "line 2: expected a path"),
        ("m.jsonl", '{"path": "a.wav", "text": "a"}\n[1]\n', "line 2: expected a JSON object"),
        ("m.jsonl", '{"path": "a.wav", "text": 3}\n', "line 1: expected a path"),
        ("m.jsonl", "{", "line 1: expected a JSON object"),
    ],
)
def test_a_malformed_manifest_is_reported_with_its_line(
    tmp_path: Path, name: str, content: str, sentence: str
) -> None:
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=sentence):
        read_manifest(file)


def test_an_unreadable_manifest_is_reported(tmp_path: Path) -> None:
    (tmp_path / "m.tsv").write_bytes("path\ttext\n가\t나\n".encode("euc-kr"))
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_manifest(tmp_path / "m.tsv")
    with pytest.raises(ConfigurationError, match="No such file"):
        read_manifest(tmp_path / "none.tsv")
