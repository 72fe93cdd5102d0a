"""The page in a real browser: several recordings at once."""

import subprocess
from pathlib import Path

import requests
from playwright.sync_api import Route, expect

from tests.e2e.browser import expect_words
from tests.e2e.conftest import Open
from tests.e2e.samples import SAMPLES, TEXTS
from tests.e2e.server import Server

FILES = [SAMPLES / "ko-weather.flac", SAMPLES / "ko-class-telephone.wav"]


def test_files_are_transcribed_one_after_the_other(visit: Open, tmp_path: Path) -> None:
    broken = tmp_path / "notes.txt"
    broken.write_text("no recording")
    visitor = visit()
    page = visitor.open()
    page.locator("#lang").select_option("KR")
    page.locator("#file").set_input_files([FILES[0], broken, FILES[1]])
    items = page.locator("#files-list button.choose")
    expect(page.locator("#files-title")).to_have_text("3 recordings")
    expect(items.nth(2)).to_have_attribute("data-state", "done")
    assert [item.get_attribute("data-state") for item in items.all()] == ["done", "failed", "done"]
    expect(items.nth(2)).to_have_attribute("aria-current", "true")
    expect_words(page, TEXTS[FILES[1].name])
    items.nth(1).click()
    expect(page.locator("#problem-title")).to_have_text("The service cannot read this file")
    expect(page.locator("#transcript")).to_be_hidden()
    items.nth(0).click()
    expect(page.locator("#problem")).to_be_hidden()
    expect_words(page, TEXTS[FILES[0].name])
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
    items = page.locator("#files-list button.choose")
    expect(items.nth(1).locator(".file-state")).to_have_text("Transcribing…")
    expect(page.locator("#work")).to_be_visible()
    items.nth(0).click()
    expect_words(page, TEXTS[FILES[0].name])
    expect(page.locator("#work")).to_be_hidden()
    page.locator("#file").set_input_files(FILES[1])  # joins the others
    expect(page.locator("#files-title")).to_have_text("6 recordings")
    page.locator("#files-stop").click()
    expect(items.nth(5)).to_have_attribute("data-state", "cancelled")
    expect(page.locator("#files-stop")).to_be_hidden()
    held[0].continue_()
    expect(items.nth(1)).to_have_attribute("data-state", "done")
    assert len(held) == 1


def test_a_job_survives_a_reload_of_the_page(visit: Open, demo: Server) -> None:
    page = visit().open()
    page.locator("#lang").select_option("KR")
    page.locator("#options summary").click()
    page.locator("#as-job").check()
    page.locator("#file").set_input_files(FILES[0])
    item = page.locator("#files-list button.choose")
    expect(item).to_be_visible()
    page.reload()
    expect(page.locator("#as-job")).to_be_checked()
    expect(item).to_have_attribute("data-state", "done")
    item.click()
    expect(page.locator("#tools")).to_be_visible()
    expect_words(page, TEXTS[FILES[0].name])
    expect(page.locator("#player")).to_be_hidden()
    with page.expect_download() as download:
        page.locator("[data-format=srt]").click()
    expected = demo.transcribe(FILES[0], lang="KR", response_format="srt").text
    assert download.value.path().read_text(encoding="utf-8") == expected
    line = page.locator("#curl").inner_text()
    answer = subprocess.run(line.replace(" -o ko-weather.srt", ""), shell=True, capture_output=True)
    assert answer.stdout.decode() == expected
    page.locator("#files-list .remove").click()
    expect(page.locator("#files")).to_be_hidden()
    expect(page.locator("#result")).to_be_hidden()
    page.reload()
    expect(page.locator("#choose")).to_be_enabled()
    expect(page.locator("#files")).to_be_hidden()


def test_jobs_of_other_browsers_are_not_shown(visit: Open, demo: Server) -> None:
    with FILES[0].open("rb") as file:
        created = requests.post(f"{demo.url}/v1/jobs", files={"file": file}, timeout=60)
    assert created.status_code == 202
    page = visit().open()
    expect(page.locator("#job-option")).to_be_attached()
    page.wait_for_function("!document.getElementById('job-option').hidden")
    expect(page.locator("#files")).to_be_hidden()
