"""The page in a real browser, on a real server that requires a key."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import LATER, expect_words, live_words, resembles, words
from tests.e2e.conftest import Open
from tests.e2e.samples import SAMPLES, TEXTS
from tests.e2e.server import Server

KEY = "open/sesame+??>"
"""Contains bytes that base64url and base64 encode differently."""
HELLO = TEXTS["ko-hello.wav"]


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    flags = ("--demo", "--languages", "KR", "--port", "0")
    with Server(*flags, env={"STT_API_KEYS": KEY, "HF_HUB_OFFLINE": "1"}) as server:
        server.wait_until_ready()
        yield server
        assert KEY not in "\n".join(server.log)


def test_the_page_asks_for_a_required_key(visit: Open, guarded: Server) -> None:
    visitor = visit(guarded.url)
    page = visitor.open()
    expect(page.locator("#key")).to_be_hidden()
    page.locator("#file").set_input_files(SAMPLES / "ko-hello.wav")
    expect(page.locator("#key-value")).to_be_focused()
    give_key(page, "wrong")
    expect(page.locator("#key-hint")).to_have_text("That key was not accepted.")
    give_key(page, KEY)
    expect(page.locator("#tools")).to_be_visible()
    expect(page.locator("#key")).to_be_hidden()
    expect_words(page, HELLO)
    # Stored for this tab only, and not in the curl line.
    assert KEY in page.evaluate("Object.values(sessionStorage)")
    assert KEY not in page.evaluate("Object.values(localStorage)")
    line = page.locator("#curl").inner_text()
    assert '-H "Authorization: Bearer $STT_API_KEY"' in line
    assert KEY not in line
    complained_of_refusals(visitor.complaints, 2)


def test_live_text_needs_the_key_too(visit: Open, guarded: Server) -> None:
    visitor = visit(guarded.url)
    page = visitor.open()
    for wrong in (None, "wrong"):
        page.evaluate("key => key && sessionStorage.setItem('stt-ctc.key', key)", wrong)
        page.locator("#record").click()
        expect(page.locator("#recording-note")).to_have_text(
            "Live text is not available. The recording is transcribed when you stop."
        )
        page.locator("#stop").click()
        expect(page.locator("#key-value")).to_be_focused()
        page.locator("#key-cancel").click()
        expect(page.locator("#problem")).to_be_visible()
    page.locator("#retry").click()
    give_key(page, KEY)
    expect(page.locator("#key")).to_be_hidden()
    expect(page.locator("#work")).to_be_hidden()
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.post_data else None)
    answered = live_words(page)
    page.locator("#record").click()
    expect(page.locator("#recording-time")).to_have_text(LATER)
    page.locator("#stop").click()
    expect(page.locator("#tools")).to_be_visible()
    assert words(page).split() == answered
    assert resembles(words(page), HELLO)
    assert posts == []  # the live text was complete
    complained_of_refusals(visitor.complaints, 5)


def give_key(page: Page, key: str) -> None:
    page.locator("#key-value").fill(key)
    page.keyboard.press("Enter")


def complained_of_refusals(complaints: list[str], count: int) -> None:
    """Remove the console's 401 messages and expect no others."""
    assert [each for each in complaints if not re.search("401|WebSocket", each)] == []
    assert len(complaints) == count
    complaints.clear()
