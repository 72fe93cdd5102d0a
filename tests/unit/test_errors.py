from stt.errors import SttError
from stt.server.problems import STATUSES


def leaves(of: type[SttError]) -> set[type[SttError]]:
    below = of.__subclasses__()
    return {of} if not below else {leaf for each in below for leaf in leaves(each)}


def test_every_error_has_a_status_and_a_code_of_its_own() -> None:
    assert set(STATUSES) == leaves(SttError)
    codes = [each.code for each in STATUSES]
    assert len(set(codes)) == len(codes)
    assert SttError.code not in codes


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    import stt.errors

    assert stt.errors.__doc__
    for name in [each.__name__ for each in leaves(SttError)]:
        assert f"── {name}" in stt.errors.__doc__
