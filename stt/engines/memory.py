"""Gives back resident memory that loading a model leaves behind."""

import ctypes
import mmap
import re
from collections.abc import Iterator
from pathlib import Path

# First address, end, permissions, and file, which may be empty.
_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)")


def release_mapped_pages(folder: Path) -> None:
    """Drop the resident pages of read-only mappings of a folder's files (Linux only).

    The kernel reads a dropped page from its file again when it is needed. OpenVINO keeps its own
    copy of the weights, so the mapped file counts a second time; loading torch touches 240 MB of
    its libraries, of which a CPU forward needs a fifth.
    """
    regions = list(_droppable(folder))
    if not regions:
        return
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for begin, end in regions:
        libc.madvise(begin, end - begin, mmap.MADV_DONTNEED)


def _droppable(folder: Path) -> Iterator[tuple[int, int]]:
    """Address ranges whose every page equals the file and cannot be written by another thread."""
    smaps = Path("/proc/self/smaps")
    if not smaps.exists():
        return
    inside = f"{folder.resolve()}/"
    droppable, addresses = False, (0, 0)
    for line in smaps.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        if mapping := _MAPPING.match(line):
            droppable = "w" not in mapping[3] and mapping[4].startswith(inside)
            addresses = int(mapping[1], 16), int(mapping[2], 16)
        elif line.startswith("Rss:"):
            # A library that the linker is still laying out has touched none of its pages.
            droppable = droppable and line.split()[1] != "0"
        elif line.startswith(("Anonymous:", "Swap:")):
            # Written before it became read-only, as relocated parts of a library are.
            droppable = droppable and line.split()[1] == "0"
        elif line.startswith("VmFlags:") and droppable:  # the last line of each mapping
            yield addresses
