"""``stt lm build`` as a user runs it."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from stt.language_model.arpa import read_arpa
from stt.language_model.ngram import NgramModel

COMMAND = [sys.executable, "-c", "from stt.cli import main; main()", "lm"]
ROOT = Path(__file__).parents[3]

NOUNS, VERBS = ["밥을", "물을", "책을", "차를", "옷을", "꽃을"], ["먹어요.", "봐요!", "사요?"]
LINES = [f"{who} {noun} {verb}" for who in ("나는", "너는") for noun in NOUNS for verb in VERBS]


def lm(*flags: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *map(str, flags)], cwd=ROOT, input=stdin, capture_output=True, check=False,
        timeout=120,
    )  # fmt: skip
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in err
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(LINES), encoding="utf-8-sig")
    return path


def test_a_model_of_syllables(text: Path, tmp_path: Path) -> None:
    output = tmp_path / "ko.arpa.gz"
    done = lm("build", text, "--order", "3", "--held-out", "-o", output)
    assert done.returncode == 0, done.stderr
    assert f"{output}: 0.00 MB, order 3" in done.stdout
    assert "n-grams by order: " in done.stdout
    assert "perplexity" in done.stdout and "bits per character" in done.stdout
    model = NgramModel.of(*read_arpa(output))
    assert (model.order, model.kind) == (3, "character")
    assert {"|", "밥", "요"} < set(model.units)
    assert not {".", "!", "\ufeff"} & set(model.units)


def test_a_model_of_words_from_compressed_and_standard_input(text: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed.txt"
    packed.write_bytes(gzip.compress("Don't GO’s ‘now’\n".encode()))
    output = tmp_path / "en.arpa"
    done = lm("build", packed, "-", "--unit", "word", "-o", output, stdin=b"GO now")
    assert done.returncode == 0, done.stderr
    model = NgramModel.of(*read_arpa(output))
    assert (model.order, model.kind) == (5, "word")
    assert set(model.units) == {"<unk>", "<s>", "</s>", "don't", "go's", "now", "go"}
    assert lm("build", packed, "--unit", "word", "--keep-case", "-o", output).returncode == 0
    assert {"Don't", "GO's"} < set(read_arpa(output)[0])


def test_a_model_no_larger_than_asked_for(text: Path, tmp_path: Path) -> None:
    whole, small = tmp_path / "whole.arpa", tmp_path / "small.arpa"
    assert lm("build", text, "-o", whole).returncode == 0
    size = whole.stat().st_size
    done = lm("build", text, "--max-size", f"{size // 2000}kB", "-o", small)
    assert done.returncode == 0, done.stderr
    assert 0.3 * size < small.stat().st_size <= size // 2000 * 1000
    tiny = lm("build", text, "--max-size", "100B", "-o", small)
    assert tiny.returncode == 2
    assert "units alone need" in tiny.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "small.arpa", "text.txt", "whole.arpa",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["build", "-o", "a.arpa"], "required: TEXT"),
        (["build", "-"], "required: -o"),
        (["build", "-", "-o", "a.bin"], "ends with neither .arpa nor .arpa.gz"),
        (["build", "-", "-o", "a.arpa", "--order", "11"], "not a number from 1 to 10"),
        (["build", "-", "-o", "a.arpa", "--max-size", "big"], "not a size such as 500kB"),
        (["build", "-", "-o", "a.arpa", "--prune", "-1"], "not a number from 0 on"),
        (["build", "-", "-o", "a.arpa"], "There is no text"),
        (["build", "missing.txt", "-o", "a.arpa"], "missing.txt cannot be read: No such file"),
        (["build", "docs", "-o", "a.arpa"], "docs cannot be read: Is a directory"),
        (["build", "-", "-o", "no/a.arpa"], "the folder of 'no/a.arpa' does not exist"),
        ([], "required: build"),
    ],
)
def test_wrong_usage_is_status_2(flags: list[str], message: str) -> None:
    done = lm(*flags)
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr


def test_a_text_that_is_not_utf_8_is_told_where(tmp_path: Path) -> None:
    done = lm("build", "-", "-o", tmp_path / "a.arpa", stdin="ok\n한글\n".encode("euc-kr"))
    assert done.returncode == 2
    assert "standard input, line 2: this is not UTF-8" in done.stderr
