"""What is given up of mapped files, and what is not."""

import re
import sys
from mmap import ACCESS_COPY, ACCESS_READ, mmap
from pathlib import Path

import pytest

from stt.engines.memory import forget_mapped

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is given up")


def mapped_mb(file: Path) -> float:
    text = Path("/proc/self/smaps").read_text()
    found = re.search(rf"{file}\n(?:.*\n)*?Rss: +(\d+) kB", text)
    return int(found[1]) / 1000 if found else 0.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "weights.bin"
    path.write_bytes(bytes(range(256)) * 40_000)
    return path


def test_what_was_mapped_is_given_up_and_can_be_read_again(file: Path) -> None:
    with file.open("rb") as opened, mmap(opened.fileno(), 0, access=ACCESS_READ) as mapped:
        assert sum(mapped[::4096]) == 0
        assert mapped_mb(file) > 9
        forget_mapped(file.parent / "elsewhere")
        assert mapped_mb(file) > 9
        forget_mapped(file.parent)
        assert mapped_mb(file) == 0
        assert mapped[-1] == 255


def test_what_was_written_to_is_kept(file: Path) -> None:
    """As a library is when it is linked."""
    with file.open("rb") as opened, mmap(opened.fileno(), 0, access=ACCESS_COPY) as mapped:
        mapped[5000] = 7
        forget_mapped(file.parent)
        assert mapped[5000] == 7
        assert mapped_mb(file) > 0
