"""Words with times: given ones, and random ones from Hypothesis."""

from hypothesis import strategies as st

from stt.types import Word

LETTER = st.sampled_from("abc")


def spoken(*parts: tuple[str, float, float]) -> tuple[Word, ...]:
    """Words from (text, start, end) in seconds."""
    return tuple(Word(text, start, end, 0.9) for text, start, end in parts)


@st.composite
def words(
    draw: st.DrawFn,
    text: st.SearchStrategy[str] = LETTER,
    shortest_ms: int = 0,
    longest_ms: int = 9_000,
) -> tuple[Word, ...]:
    """Words in order, often touching or close, at times in whole milliseconds."""
    gap = st.sampled_from([0, 0, 0, 20, 40, 300, 599, 600, 5_000]) | st.integers(0, 2_000)
    length = st.integers(shortest_ms, 900) | st.integers(shortest_ms, longest_ms)
    found, now = [], draw(st.integers(0, 5_000))
    for each in draw(st.lists(st.tuples(gap, length, text, st.floats(0, 1)), max_size=40)):
        start = now + each[0]
        now = start + each[1]
        found.append(Word(each[2], start / 1000, now / 1000, each[3]))
    return tuple(found)
