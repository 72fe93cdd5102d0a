"""The processes that decode, for all applications of a test run: their imports take seconds."""

import atexit
from functools import cache

from stt.audio.pool import DecodePool
from stt.settings import load_settings


@cache
def shared_decoders() -> DecodePool:
    """One pool with the default settings."""
    pool = DecodePool(load_settings())
    atexit.register(pool.close)
    return pool
