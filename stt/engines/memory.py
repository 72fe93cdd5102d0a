"""Gives back resident memory that loading or unloading a model leaves behind."""

import atexit
import ctypes
import gc
import mmap
import re
import sys
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


def release_freed() -> None:
    """Return what has been freed, and what only collected cycles held, to the system and the GPU.

    Takes up to half a second, in which Python runs nothing else.
    """
    gc.unfreeze()
    freeze_collected()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
        if trim is not None:
            trim(0)


def freeze_collected() -> None:
    """Collect garbage, and have later collections skip all that is left.

    They would look at each of the libraries' million objects, for up to 0.4 s.
    """
    gc.collect()
    gc.freeze()
    atexit.unregister(gc.unfreeze)
    atexit.register(gc.unfreeze)  # else nanobind reports its libraries' objects as leaks


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
