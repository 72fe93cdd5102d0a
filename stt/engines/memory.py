"""Resident memory that a model leaves behind when it has been loaded."""

import ctypes
import mmap
import re
from collections.abc import Iterator
from pathlib import Path

# Begin, end and file, which is empty where there is none.
_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+\s*(.*)")


def forget_mapped(folder: Path) -> None:
    """Give up the pages of a folder's files that are mapped and were only read (Linux; else none).

    OpenVINO keeps its own rearranged copy of the weights and, mapped, the file that they came from:
    as much again, counted as this process's. Of torch's libraries 240 MB are read while they load,
    a fifth of which is needed again on a CPU. What is read again comes from the file again.
    """
    regions = list(_only_read(folder))
    if not regions:
        return
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for begin, end in regions:
        libc.madvise(begin, end - begin, mmap.MADV_DONTNEED)


def _only_read(folder: Path) -> Iterator[tuple[int, int]]:
    """Addresses of what is mapped from a folder's files and is as in the file, page for page."""
    maps = Path("/proc/self/smaps")
    if not maps.exists():
        return
    inside = f"{folder.resolve()}/"
    # What was written to, as a library is when it is linked, would be lost: "Anonymous", "Swap".
    clean, addresses = False, (0, 0)
    for line in maps.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        if mapping := _MAPPING.match(line):
            clean = mapping[3].startswith(inside)
            addresses = int(mapping[1], 16), int(mapping[2], 16)
        elif line.startswith(("Anonymous:", "Swap:")):
            clean = clean and line.split()[1] == "0"
        elif line.startswith("VmFlags:") and clean:  # the last of each
            yield addresses
