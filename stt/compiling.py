"""Compiles inner loops with numba.

Modules with compiled functions import numba, which takes half a second; so import them where their
functions are used, not at start.
"""

from collections.abc import Callable
from typing import Any


def compiled(function: Callable[..., Any]) -> Any:
    """Compile without the GIL; keep the result on disk if there is a folder for it."""
    from numba import njit

    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # "cannot cache function": no folder is writable
        return njit(nogil=True)(function)
