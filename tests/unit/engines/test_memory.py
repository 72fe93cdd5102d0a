"""Which pages of mapped files are released, and which are kept."""

import ctypes
import re
import sys
from collections.abc import Iterator
from mmap import ACCESS_COPY, ACCESS_READ, mmap
from pathlib import Path

import pytest

from stt.engines.memory import release_mapped_pages

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux releases pages")

PROT_READ, PROT_WRITE = 1, 2


def mapped_mb(file: Path) -> float:
    text = Path("/proc/self/smaps").read_text()
    found = re.search(rf"{file}\n(?:.*\n)*?Rss: +(\d+) kB", text)
    return int(found[1]) / 1000 if found else 0.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "weights.bin"
    path.write_bytes(bytes(range(256)) * 40_000)
    return path


@pytest.fixture
def private(file: Path) -> Iterator[mmap]:
    """The file, mapped private and writable, with every page read."""
    with file.open("rb") as opened, mmap(opened.fileno(), 0, access=ACCESS_COPY) as mapped:
        assert sum(mapped[::4096]) == 0
        yield mapped


def protect(mapped: mmap, permissions: int) -> None:
    libc = ctypes.CDLL(None)
    libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    libc.mprotect.restype = ctypes.c_int
    first = ctypes.c_char.from_buffer(mapped)
    result = libc.mprotect(ctypes.addressof(first), len(mapped), permissions)
    del first
    assert result == 0


def test_read_only_pages_are_released_and_read_again_on_access(file: Path) -> None:
    with file.open("rb") as opened, mmap(opened.fileno(), 0, access=ACCESS_READ) as mapped:
        assert sum(mapped[::4096]) == 0
        assert mapped_mb(file) > 9
        release_mapped_pages(file.parent / "elsewhere")
        assert mapped_mb(file) > 9
        release_mapped_pages(file.parent)
        assert mapped_mb(file) == 0
        assert mapped[-1] == 255


def test_writable_mappings_are_kept_even_when_nothing_was_written(
    file: Path, private: mmap
) -> None:
    """Another thread may write to one before its pages are dropped."""
    release_mapped_pages(file.parent)
    assert mapped_mb(file) > 9


def test_pages_written_before_they_became_read_only_are_kept(file: Path, private: mmap) -> None:
    """The dynamic linker relocates parts of a library, and then protects them."""
    private[5000] = 7
    protect(private, PROT_READ)
    release_mapped_pages(file.parent)
    assert private[5000] == 7
    assert mapped_mb(file) > 0
    protect(private, PROT_READ | PROT_WRITE)


def test_private_mappings_that_became_read_only_unwritten_are_released(
    file: Path, private: mmap
) -> None:
    protect(private, PROT_READ)
    release_mapped_pages(file.parent)
    assert mapped_mb(file) == 0
    assert private[-1] == 255
    protect(private, PROT_READ | PROT_WRITE)
