import re
from collections.abc import Iterator

import stt.errors
from stt.errors import SttError, errors_by_code
from stt.server.problems import STATUSES


def below(base: type[SttError]) -> Iterator[type[SttError]]:
    for error in base.__subclasses__():
        yield error
        yield from below(error)


def test_every_error_has_a_status_and_a_code_of_its_own() -> None:
    leaves = {error for error in below(SttError) if not error.__subclasses__()}
    assert set(STATUSES) == leaves == set(errors_by_code(SttError).values())
    codes = [each.code for each in STATUSES]
    assert len(set(codes)) == len(codes)
    assert SttError.code not in codes


def test_the_docstring_draws_the_tree() -> None:
    assert stt.errors.__doc__
    drawn, path = set(), ["SttError"]
    for branch, name in re.findall(r"^    ([│ ]*)[├└]── (\w+)", stt.errors.__doc__, re.MULTILINE):
        path = [*path[: len(branch) // 4 + 1], name]
        drawn.add((path[-2], name))
    assert drawn == {(each.__bases__[0].__name__, each.__name__) for each in below(SttError)}
