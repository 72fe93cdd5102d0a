import unicodedata
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
        ("m.csv", "path,text\n", "not in any format"),
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
    (tmp_path / "m.tsv").write_text("path\ttext\n가\t나\n", encoding="utf-16")
    with pytest.raises(ConfigurationError, match="neither UTF-8 nor CP949"):
        read_manifest(tmp_path / "m.tsv")
    with pytest.raises(ConfigurationError, match="No such file"):
        read_manifest(tmp_path / "none.tsv")


def test_cp949_is_read_too(tmp_path: Path) -> None:
    (tmp_path / "m.tsv").write_bytes("path\ttext\n가.wav\t나\n".encode("cp949"))
    assert read_manifest(tmp_path / "m.tsv")[0].reference == "나"


def test_texts_become_nfc_and_files_named_in_nfd_are_found(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "가.wav")
    (tmp_path / decomposed).write_bytes(b"")
    (tmp_path / "m.tsv").write_text(f"path\ttext\n{decomposed}\t{decomposed[:2]}\n")
    (found,) = read_manifest(tmp_path / "m.tsv")
    assert (found.name, found.reference) == ("가.wav", "가")
    assert found.path.is_file()


def test_a_part_of_a_file_is_refused(tmp_path: Path) -> None:
    row = '{"audio_filepath": "a.wav", "text": "가", "offset": %s, "duration": 2}\n'
    (tmp_path / "m.json").write_text(row % 0.0 + row % 2.5)
    with pytest.raises(ConfigurationError, match=r"line 2: .*part of a.wav \(offset 2.5\)"):
        read_manifest(tmp_path / "m.json")


@pytest.mark.parametrize("written", ["'1'", "-1", "NaN", "long"])
def test_an_impossible_duration_is_refused(tmp_path: Path, written: str) -> None:
    (tmp_path / "m.tsv").write_text(f"path\ttext\tduration\na.wav\t가\t{written}\n")
    with pytest.raises(ConfigurationError, match="line 2: expected a duration in seconds"):
        read_manifest(tmp_path / "m.tsv")
