from benchmarks.normalisers import is_right, ours, pairs


def test_texts_that_are_said_alike_are_the_same_and_no_others() -> None:
    library = ours()
    assert [pair for pair in pairs() if not is_right(library, pair)] == []
