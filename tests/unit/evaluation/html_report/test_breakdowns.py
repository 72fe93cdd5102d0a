from stt.evaluation.html_report.breakdowns import MOST_SPEAKERS, UNKNOWN, Breakdown, breakdowns
from stt.evaluation.results import Result
from tests.unit.evaluation.html_report.results import result


def find(title: str, *results: Result) -> Breakdown | None:
    return next((each for each in breakdowns(results) if each.title == title), None)


def test_the_groups_by_length_share_the_errors_of_the_whole() -> None:
    found = find(
        "By length",
        result("가나", "가", seconds=1.9),
        result("다", "라", seconds=2),
        result(seconds=99),
    )
    assert found
    rates = [(each.name, each.n_recordings, each.errors.rate) for each in found.groups]
    assert rates == [("< 2 s", 1, 0.5), ("2–5 s", 1, 1.0), ("≥ 20 s", 1, 0.0)]


def test_a_group_of_several_recordings_has_an_interval() -> None:
    found = find("By length", result("가나", "가"), result())
    assert found
    (group,) = found.groups
    assert group.interval
    assert group.interval.low <= 0.25 <= group.interval.high


def test_recordings_without_speech_have_no_known_ratio() -> None:
    found = find("By SNR", result(snr_db=45.0), result(snr_db=3.0), result())
    assert found
    assert [each.name for each in found.groups] == ["< 10 dB", "≥ 40 dB", UNKNOWN]
    assert find("By SNR", result()) is None


def test_the_worst_speakers_come_first_and_the_best_are_left_out() -> None:
    many = [result("가나", "가나", speaker=str(number)) for number in range(MOST_SPEAKERS)]
    found = find("By speaker", *many, result("가나", "나가", speaker="last"))
    assert found
    assert (found.groups[0].name, found.n_left_out) == ("last", 1)
    assert find("By speaker", result(speaker="a"), result(speaker="a")) is None
