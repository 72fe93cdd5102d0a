"""The page in a real browser: keyboard, languages, small screens, accessibility."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.browser import give
from tests.e2e.conftest import Open
from tests.e2e.samples import SAMPLES, TEXTS


def test_everything_works_from_the_keyboard(visit: Open) -> None:
    page = visit().open()
    page.on("filechooser", lambda chooser: chooser.set_files(SAMPLES / "ko-weather.flac"))
    tab_to(page, "choose")
    page.keyboard.press("Enter")
    expect(page.locator("#tools")).to_be_visible()
    tab_to(page, "seek")
    page.keyboard.press("End")
    expect(page.locator("#now")).not_to_have_text("0:00")
    page.keyboard.press("Home")
    length = page.locator("#length").inner_text()
    expect(page.locator("#seek")).to_have_attribute("aria-valuetext", f"0:00 of {length}")
    tab_to(page, "transcript")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    second = TEXTS["ko-weather.flac"].split()[1]
    expect(page.locator(".word.cursor")).to_have_text(second)
    expect(page.locator("#spoken")).to_have_text(re.compile(second + r", 0:0\d, \d+% confidence"))
    page.keyboard.press("Enter")
    expect(page.locator("#play")).to_have_accessible_name("Pause")
    expect(page.locator(".word.now")).to_be_visible()
    page.keyboard.press(" ")
    expect(page.locator("#play")).to_have_accessible_name("Play")
    tab_to(page, "copy-text")
    page.keyboard.press("Tab")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "ko-weather.txt"
    tab_to(page, "ui-ko")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("음성을 텍스트로")


def test_the_interface_language_follows_the_browser_and_is_remembered(visit: Open) -> None:
    page = visit(locale="ko-KR").open()
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.locator("h1")).to_have_text("음성을 텍스트로")
    give(page, SAMPLES / "en-doctor.mp3", "EN")
    page.locator("#options summary").click()
    # Speech, names and codes are not translated.
    page.locator("#transcript, #curl, #lang, #name, .brand, .switch").evaluate_all(
        "elements => elements.forEach((element) => element.remove())"
    )
    seen = re.sub(
        r"TXT|SRT|VTT|JSON|API|Enter|English|en-mini|[\d:./×]", "", page.inner_text("body")
    )
    assert re.findall(r"[A-Za-z]+", seen) == []
    page.reload()
    page.locator("#ui-en").click()
    expect(page).to_have_title("Speech to text")
    expect(page.locator("#state")).to_have_text("Ready")
    page.reload()
    expect(page.locator("h1")).to_have_text("Speech to text")
    expect(page.locator("#lang")).to_have_value("EN")


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_nothing_is_wider_than_a_phone(visit: Open, width: int, locale: str) -> None:
    page = visit(viewport={"width": width, "height": 800}, locale=locale).open()
    page.locator("#options summary").click()
    assert not sideways(page)
    give(page, SAMPLES / "ko-library.m4a")
    assert not sideways(page)
    page.route_web_socket("**/stream?*", lambda socket: None)
    page.locator("#record").click()
    expect(page.locator("#stop")).to_be_visible()
    assert not sideways(page)
    page.locator("#discard").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violations(visit: Open, scheme: str, tmp_path: Path) -> None:
    visitor = visit(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    page = visitor.open()
    page.locator("#options summary").click()
    expect(page.locator("#use-model")).to_be_visible()
    check(page)
    give(page, SAMPLES / "ko-weather.flac")
    page.locator(".word").nth(1).click()
    expect(page.locator(".word.now")).to_be_visible()
    page.locator("#play").click()
    check(page)
    page.locator("#lang").select_option("EN")  # offers another transcription
    expect(page.locator("#again")).to_have_text("Transcribe as English")
    (tmp_path / "notes.txt").write_text("not audio")
    page.locator("#file").set_input_files(tmp_path / "notes.txt")
    expect(page.locator("#problem")).to_be_visible()
    check(page)
    visitor.complaints.clear()
    page.route_web_socket("**/stream?*", lambda socket: None)
    page.locator("#record").click()
    expect(page.locator("#stop")).to_be_visible()
    check(page)
    page.locator("#discard").click()


def tab_to(page: Page, target: str) -> None:
    for _ in range(40):
        if page.evaluate("document.activeElement.id") == target:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach #{target}")


def sideways(page: Page) -> bool:
    """Whether the page scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def check(page: Page) -> None:
    faults = Axe().run(page).response["violations"]
    told = [(each["id"], [node["html"] for node in each["nodes"]]) for each in faults]
    assert told == []
