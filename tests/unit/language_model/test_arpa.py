"""ARPA files of both toolkits, and what a damaged one is told."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from stt.errors import ConfigurationError, ModelBroken
from stt.language_model.arpa import ALWAYS_ALLOWED, read_arpa, write_arpa
from stt.language_model.ngram import LEAST_LOG_PROB, LOG_10, NgramModel

KENLM = """\\data\\
ngram 1=5
ngram 2=3

\\1-grams:
-1.5\t<unk>\t0
0\t<s>\t-0.25
-0.5\t</s>\t0
-1\t한\t-0.75
-1.25\t글\t-0.125

\\2-grams:
-0.3\t<s> 한
-0.2\t한 글
-0.1\t글 </s>

\\end\\
"""
SRILM = """
a comment

\\data\\
ngram  1=5
ngram 2=3

\\1-grams:
-0.5 </s>
-99 <s> -0.25
-1.5 <UNK>
-1 한 -0.75
-1.25 글 -0.125

\\2-grams:
-0.2 한 글
-0.3 <s> 한
-0.1 글 </s>

\\end\\
"""


def listed(path: Path) -> dict[str, tuple[float, float]]:
    """Log-prob and back-off of each n-gram, base 10."""
    units, ngrams = read_arpa(path)
    return {
        " ".join(units[unit] for unit in row): (
            round(float(log_prob) / LOG_10, 4),
            round(float(backoff) / LOG_10, 4),
        )
        for each in ngrams
        for row, log_prob, backoff in zip(each.units, each.log_probs, each.backoffs, strict=True)
    }


def written(path: Path, text: str | bytes) -> Path:
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_both_dialects_read_alike(tmp_path: Path) -> None:
    kenlm = listed(written(tmp_path / "a.arpa", KENLM))
    srilm = listed(written(tmp_path / "b.arpa.gz", SRILM.replace("\n", "\r\n")))
    assert kenlm.pop("<s>") == (0, -0.25)
    assert srilm.pop("<s>") == (-99, -0.25)
    assert kenlm == srilm
    assert kenlm["한"] == (-1, -0.75)
    assert kenlm["한 글"] == (-0.2, 0)


def test_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a.arpa"
    path.write_bytes(gzip.compress(KENLM.encode()))
    assert listed(path)["글"] == (-1.25, -0.125)


@pytest.mark.parametrize("name", ["a.arpa", "a.arpa.gz"])
def test_a_written_model_reads_the_same_and_has_the_same_bytes(tmp_path: Path, name: str) -> None:
    units, ngrams = read_arpa(written(tmp_path / "in.arpa", SRILM))
    write_arpa(tmp_path / name, units, ngrams)
    again_units, again = read_arpa(tmp_path / name)
    assert again_units == units
    for each, other in zip(ngrams, again, strict=True):
        assert (each.units == other.units).all()
        np.testing.assert_allclose(each.log_probs, other.log_probs, atol=2e-4)
        np.testing.assert_allclose(each.backoffs, other.backoffs, atol=2e-4)
    first = (tmp_path / name).read_bytes()
    write_arpa(tmp_path / name, units, ngrams)
    assert (tmp_path / name).read_bytes() == first


def test_the_logarithm_of_zero_is_finite(tmp_path: Path) -> None:
    _, (first, _) = read_arpa(written(tmp_path / "a.arpa", KENLM.replace("-1.25", "-inf")))
    assert first.log_probs.min() == np.float32(LEAST_LOG_PROB)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("\\data\\", "\\date\\"), "line 17: this is no ARPA file"),
        (("ngram 2=3", "ngram 3=3"), "line 3: expected ngram 2=COUNT, got 'ngram 3=3'"),
        (("ngram 1=5", "ngram 1=" + "9" * 5000), "line 2: expected ngram 1=COUNT"),
        (("ngram 1=5", "ngram 1=4"), "line 10: expected .2-grams: after the 1-grams"),
        (("ngram 1=5", "ngram 1=6"), "line 11: expected a logarithm, 1 unit and"),
        (("ngram 2=3", "ngram 2=" + "9" * 12), "line 16: expected a logarithm, 2 units"),
        (("\\1-grams", "\\2-grams"), "line 5: expected the counts and .1-grams:"),
        (("-1.25", "one"), "line 10: 'one' is not a logarithm of a probability"),
        (("-1.25", "0.5"), "line 10: '0.5' is not a logarithm"),
        (("-1.25", "nan"), "line 10: 'nan' is not a logarithm"),
        (("-0.125", "1e300"), "line 10: '1e300' is not a back-off weight"),
        (("-0.125", "?"), "line 10: '\\?' is not a back-off weight"),
        (("한 글", "한 말"), "line 14: '말' has no 1-gram"),
        (("한 글", "한 글 글 글"), "line 14: expected a logarithm, 2 units"),
        (("\t글\t-0", "\t한\t-0"), "line 10: the 1-gram '한' is listed twice"),
        (("글 </s>", "한 글"), "order 2 twice"),
        (("\\end\\", ""), "expected .end. after the last n-gram, got nothing"),
    ],
)
def test_a_malformed_file_is_told_where(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    path = written(tmp_path / "a.arpa", KENLM.replace(*change))
    with pytest.raises(ModelBroken, match=message):
        NgramModel.of(*read_arpa(path))


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match=r"a\.bin is a binary of KenLM"):
        read_arpa(written(tmp_path / "a.bin", b"mmap lm http://kheafield.com/code" + bytes(99)))
    with pytest.raises(ModelBroken, match=r"line 9: .* is not UTF-8"):
        read_arpa(written(tmp_path / "b.arpa", KENLM.encode("euc-kr")))
    with pytest.raises(ModelBroken, match="no ARPA file"):
        read_arpa(written(tmp_path / "c.arpa", b""))
    whole = written(tmp_path / "d.arpa.gz", KENLM).read_bytes()
    (tmp_path / "d.arpa.gz").write_bytes(whole[:-20])
    with pytest.raises(ModelBroken, match="cut off or damaged"):
        read_arpa(tmp_path / "d.arpa.gz")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_arpa(tmp_path / "missing.arpa")


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    bomb = written(tmp_path / "bomb.arpa.gz", b"\\data\\\n" + bytes(ALWAYS_ALLOWED + (1 << 20)))
    with pytest.raises(ModelBroken, match="unpacks to more than 100 times its size"):
        read_arpa(bomb)
