"""Fixtures for the end-to-end tests."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import Visit, chromium, find_chromium, microphone_wav
from tests.e2e.server import Server

Open = Callable[..., Visit]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One demo server for all tests that do not change its state."""
    home = tmp_path_factory.mktemp("home")
    env = {"HOME": str(home), "HF_HUB_OFFLINE": "1", "HF_HOME": str(home)}
    with Server("--demo", "--port", "0", "--wyoming-port", "0", env=env) as server:
        server.wait_until_ready()
        yield server


# Not session-scoped: while Playwright runs, no test can start its own event loop.
@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if find_chromium() is None:
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    file = tmp_path_factory.mktemp("microphone") / "microphone.wav"
    with chromium(microphone_wav(file, "ko-hello.wav")) as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser, demo: Server) -> Iterator[Open]:
    """``visit(locale="ko-KR")`` opens the page in a fresh profile; fails the test on any complaint.

    A test removes the ``complaints`` that it expects.
    """
    visits: list[Visit] = []

    def open_page(url: str = demo.url, **options: Any) -> Visit:
        visits.append(Visit(browser, url, accept_downloads=True, **options))
        return visits[-1]

    yield open_page
    for each in visits:
        each.context.close()
    assert [complaint for each in visits for complaint in each.complaints] == []
