"""What is refused, and what the message says."""

from pathlib import Path

import pytest

from stt.errors import ConfigurationError
from stt.evaluation.manifests import FORMATS, read_manifest
from tests.unit.evaluation.manifests import layouts
from tests.unit.evaluation.manifests.layouts import HELLO, put, write

FLEURS = "1\t{name}\t가.\t가\t가 |\t16000\tFEMALE"
COMMON_VOICE = "client_id\tpath\tsentence"


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["a.pcm :: 가", "b.pcm 나"], "line 2: expected PATH :: TEXT"),
        (["../a.pcm :: 가"], "line 1: expected a path inside the data set, not '../a.pcm'"),
        (["a.pcm :: 가"], "lists 1 recordings, and none of them is in .*--audio"),
        ([FLEURS.format(name="a.wav"), "2\tb.wav\t나"], r"line 2: expected 7 columns.*are 3\)"),
        ([FLEURS.format(name="../a.wav")], "line 1: expected a path inside the data set"),
        ([COMMON_VOICE, "c\ta.mp3"], r"line 2: expected 3 columns as in the header \(there are 2"),
        ([COMMON_VOICE, "c\t..\\a.mp3\t가"], "line 2: expected a path inside the data set"),
        (['[{"wav": "a.wav", "text": "가"}, {"wav": "b.wav"}]'], "entry 2: expected"),
        (["[{"], "not valid JSON"),
        (["[]"], "lists no recordings"),
        (["[" * 100_000], "not valid JSON"),
        (['{"path":' * 100_000], "line 1: expected a JSON object"),
        (['{"path": "a.wav", "text": "\\ud800"}'], "half of a pair"),
        (['{"path": "a\\u0000.wav", "text": "가"}'], "NUL"),
        (["/a.pcm :: 가"], "line 1: expected a path inside the data set, not '/a.pcm'"),
        ([COMMON_VOICE, "c\t/etc/a.mp3\t가"], "line 2: expected a path inside the data set"),
        (["a" * 300 + ".pcm :: 가"], "lists 1 recordings, and none of them is in"),
        ([FLEURS.format(name="a.wav"), FLEURS.replace("16000", "9" * 400)], "line 2: expected 7"),
        (["안녕하세요"], "not in any format that is known.*--format(.|\n)*ksponspeech"),
    ],
)
def test_a_malformed_list_is_reported(lines: list[str], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        read_manifest(put(tmp_path / "list", *lines))


@pytest.mark.parametrize("content", ["", "5", '{"a": 1}'])
@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"librispeech"}))  # any line is an id there
def test_what_is_in_another_format_is_reported(name: str, content: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        read_manifest(put(tmp_path / "list", content), name)


def test_texts_of_a_table_may_be_long_and_have_any_sign(tmp_path: Path) -> None:
    text = 'a "b' + "가" * 200_000 + "\r다"
    [one] = read_manifest(put(tmp_path / "a.tsv", "path\ttext", f"{'a' * 300}.wav\t{text}"))
    assert one.reference == text


def test_clovacall_in_two_folders_is_ambiguous(tmp_path: Path) -> None:
    for folder in ("raw", "clean"):
        write(tmp_path / folder / "a.wav", HELLO)
    manifest = put(tmp_path / "test.json", '[{"wav": "a.wav", "text": "가"}]')
    with pytest.raises(ConfigurationError, match=r"a.wav is in .*clean, .*raw.*--audio"):
        read_manifest(manifest)
    (found,) = read_manifest(manifest, audio=tmp_path / "raw")
    assert found.path == tmp_path / "raw" / "a.wav"
    with pytest.raises(ConfigurationError, match="no such folder"):
        read_manifest(manifest, audio=tmp_path / "gone")


def test_the_recordings_of_ksponspeech_may_be_elsewhere_and_converted(tmp_path: Path) -> None:
    manifest = layouts.ksponspeech(tmp_path / "data")
    write(tmp_path / "flac" / "KsponSpeech_E00001.flac", HELLO)
    found, missing = read_manifest(manifest, audio=tmp_path / "flac")
    assert found.path == tmp_path / "flac" / "KsponSpeech_E00001.flac"
    assert not missing.path.exists()


def test_all_sets_of_zeroth_at_once_are_refused(tmp_path: Path) -> None:
    layouts.zeroth(tmp_path)
    put(tmp_path / "train_data_01" / "001" / "101" / "101_001.trans.txt", "101_001_0001 가")
    with pytest.raises(
        ConfigurationError, match=r"several data sets \(test_data_01, train_data_01"
    ):
        read_manifest(tmp_path)


def test_an_id_that_is_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="line 1: expected the id of a recording"):
        read_manifest(put(tmp_path / "a.trans.txt", "../a 가"))


def test_commands_and_segments_of_kaldi_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "text", "a 가")
    put(tmp_path / "wav.scp", "a touch owned |")
    with pytest.raises(ConfigurationError, match=r"line 1: expected ID PATH.*commands are not run"):
        read_manifest(tmp_path)
    put(tmp_path / "wav.scp", "b b.wav")
    with pytest.raises(ConfigurationError, match="text has no line for b"):
        read_manifest(tmp_path)
    put(tmp_path / "segments", "a b 0 1")
    with pytest.raises(ConfigurationError, match="segments of longer recordings"):
        read_manifest(tmp_path)


def test_a_folder_that_holds_a_table_names_it(tmp_path: Path) -> None:
    put(tmp_path / "test.tsv", COMMON_VOICE)
    with pytest.raises(ConfigurationError, match=r"Name a file in it, such as .*test.tsv"):
        read_manifest(tmp_path)
