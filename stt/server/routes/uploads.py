"""What the routes that take an upload have in common."""

from collections.abc import Awaitable, Callable

from fastapi import Request

from stt.errors import InvalidParameter


def only_one(name: str) -> Callable[[Request], Awaitable[None]]:
    """FastAPI dependency that refuses several files: which one was meant is not ours to guess."""

    async def check(request: Request) -> None:
        count = len((await request.form()).getlist(name))
        if count > 1:
            raise InvalidParameter(
                f"The form has {count} parts named {name!r}; send one a request."
            )

    return check
