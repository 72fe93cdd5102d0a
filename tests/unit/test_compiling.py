from typing import Any

from stt.compiling import compiled


def test_loops_compile_where_no_cache_can_be_written() -> None:
    """As in a read-only installation: numba has no place for the cache of such a function."""
    namespace: dict[str, Any] = {}
    exec("def after(x):\n    return x + 1", namespace)
    assert compiled(namespace["after"])(1) == 2
