"""Errors fall to the clip that they are in."""

from benchmarks.cuts import errors_by_clip, kind_of


def test_edits_are_counted_where_they_are() -> None:
    texts = ["one two", "three", "four"]
    assert errors_by_clip(texts, "one two three four").tolist() == [0, 0, 0]
    assert errors_by_clip(texts, "ono two three for").tolist() == [1, 0, 1]
    assert errors_by_clip(texts, "one twothree four").tolist() == [1, 0, 0]
    assert errors_by_clip(texts, "one two three fourth").tolist() == [0, 0, 2]
    assert errors_by_clip(texts, "").sum() == len("one two three four")


def test_a_clip_is_cut_through_or_cut_beside_or_neither() -> None:
    assert kind_of(16_000, 32_000, [20_000]) == 0
    assert kind_of(16_000, 32_000, [39_000]) == 1
    assert kind_of(16_000, 32_000, [9_000, 48_000]) == 1
    assert kind_of(16_000, 32_000, [48_000]) == 2
