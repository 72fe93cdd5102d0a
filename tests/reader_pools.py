"""One pool of reader processes for all tests, since their imports take seconds."""

import atexit
from functools import cache

from stt.audio.pool import ReaderPool
from stt.settings import load_settings


@cache
def shared_readers() -> ReaderPool:
    """A pool with the default settings."""
    pool = ReaderPool(load_settings())
    atexit.register(pool.close)
    return pool
