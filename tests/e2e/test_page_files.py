"""The page in a real browser: several recordings at once."""

from pathlib import Path

from playwright.sync_api import Route, expect

from tests.e2e.browser import words
from tests.e2e.conftest import Open
from tests.e2e.samples import SAMPLES, TEXTS

FILES = [SAMPLES / "ko-weather.flac", SAMPLES / "ko-class-telephone.wav"]


def test_files_are_transcribed_one_after_the_other(visit: Open, tmp_path: Path) -> None:
    broken = tmp_path / "notes.txt"
    broken.write_text("no recording")
    visitor = visit()
    page = visitor.open()
    page.locator("#lang").select_option("KR")
    page.locator("#file").set_input_files([FILES[0], broken, FILES[1]])
    items = page.locator("#files-list button")
    expect(page.locator("#files-title")).to_have_text("3 recordings")
    expect(items.nth(2)).to_have_attribute("data-state", "done")
    assert [item.get_attribute("data-state") for item in items.all()] == ["done", "failed", "done"]
    expect(items.nth(2)).to_have_attribute("aria-current", "true")
    assert words(page) == TEXTS[FILES[1].name]
    items.nth(1).click()
    expect(page.locator("#problem-title")).to_have_text("The service cannot read this file")
    expect(page.locator("#transcript")).to_be_hidden()
    items.nth(0).click()
    expect(page.locator("#problem")).to_be_hidden()
    assert words(page) == TEXTS[FILES[0].name]
    assert FILES[0].name in page.locator("#curl").inner_text()
    assert "415" in visitor.complaints.pop()


def test_files_that_wait_can_be_skipped_and_another_be_read_meanwhile(visit: Open) -> None:
    held: list[Route] = []
    page = visit().open()
    page.locator("#lang").select_option("KR")
    page.locator("#file").set_input_files(FILES[0])
    expect(page.locator("#tools")).to_be_visible()
    page.route("**/transcribe", lambda route: held.append(route))
    page.locator("#file").set_input_files([*FILES, *FILES])
    items = page.locator("#files-list button")
    expect(items.nth(1).locator(".file-state")).to_have_text("Transcribing…")
    expect(page.locator("#work")).to_be_visible()
    items.nth(0).click()
    assert words(page) == TEXTS[FILES[0].name]
    expect(page.locator("#work")).to_be_hidden()
    page.locator("#file").set_input_files(FILES[1])  # joins the others
    expect(page.locator("#files-title")).to_have_text("6 recordings")
    page.locator("#files-stop").click()
    expect(items.nth(5)).to_have_attribute("data-state", "cancelled")
    expect(page.locator("#files-stop")).to_be_hidden()
    held[0].continue_()
    expect(items.nth(1)).to_have_attribute("data-state", "done")
    assert len(held) == 1
