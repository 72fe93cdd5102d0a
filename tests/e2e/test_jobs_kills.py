"""Whatever the service has accepted ends once, with the text of an undisturbed run."""

import pytest

from tests.e2e.kills import kill_while_running


def test_jobs_survive_being_killed() -> None:
    outcome = kill_while_running(n_jobs=3, n_kills=1, n_samples=8)
    assert outcome.n_accepted == 3
    assert not outcome.lost
    assert not outcome.twice
    assert not outcome.different
    assert max(outcome.n_stored_at_kills) > 0
    assert outcome.n_resumed > 0


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_50_jobs_survive_20_kills() -> None:
    outcome = kill_while_running(n_jobs=50, n_kills=20, n_samples=10)
    print(outcome)
    assert outcome.n_accepted == 50
    assert not outcome.lost
    assert not outcome.twice
    assert not outcome.different
    assert sum(n > 0 for n in outcome.n_stored_at_kills) > 15
