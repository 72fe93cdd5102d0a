"""The page that ``stt evaluate --report`` writes, in a real browser, from its file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from stt.commands import evaluate
from tests.e2e.browser import Visit
from tests.e2e.reports import noisy_set
from tests.unit.evaluation.manifests.layouts import HELLO, write

HOSTILE = "<img src=x onerror=alert(1)>.wav"
# Not `wait_for_function`, which the page's Content-Security-Policy forbids.
HEARD = "audio => new Promise(done => { audio.ontimeupdate = () => done(audio.currentTime); })"
OpenReport = Callable[..., Page]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the samples with noise, and of a file with a bad name and a raw one."""
    folder = tmp_path_factory.mktemp("set")
    manifest = noisy_set(folder)
    write(folder / HOSTILE, HELLO)
    write(folder / "raw.pcm", HELLO)
    with manifest.open("a", encoding="utf-8") as table:
        table.write(f"{HOSTILE}\t</script><script>alert(2)</script>\t<b>\nraw.pcm\t안녕\t\n")
    report = ["--report", str(folder / "report.html")]
    assert evaluate.main([str(manifest), "--demo", *report]) == 0
    raw = folder / "raw.tsv"
    raw.write_text("path\ttext\nraw.pcm\t안녕\n", encoding="utf-8")
    copies = ["--report", str(folder / "copies.html"), "--embed-audio"]
    assert evaluate.main([str(raw), "--demo", *copies]) == 0
    return folder


@pytest.fixture
def opened(folder: Path, browser: Browser) -> Iterator[OpenReport]:
    """Opens a report; fails the test on any complaint or dialog."""
    visits: list[Visit] = []

    def open_report(name: str = "report.html", **options: Any) -> Page:
        visit = Visit(browser, folder.as_uri(), **{"locale": "en-US", **options})
        visits.append(visit)
        visit.page.on("dialog", lambda dialog: visit.complaints.append(dialog.message))
        visit.page.goto(f"{folder.as_uri()}/{name}")
        expect(visit.page.locator(".utterance").first).to_be_visible()
        return visit.page

    yield open_report
    for each in visits:
        each.context.close()
    assert [complaint for each in visits for complaint in each.complaints] == []


def names(page: Page) -> list[str]:
    return page.locator(".utterance .name").all_inner_texts()


def rates(page: Page) -> list[float]:
    texts = page.locator(".utterance .cer").all_inner_texts()
    return [float(text.removesuffix(" %")) for text in texts]


def test_the_list_is_worst_first_and_can_be_sorted_and_searched(opened: OpenReport) -> None:
    page = opened()
    assert rates(page) == sorted(rates(page), reverse=True)
    page.get_by_role("button", name="File").press("Enter")
    assert names(page)[0] == HOSTILE
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("File")
    page.get_by_label("Search").fill("KO-COFFEE")
    assert all("coffee" in name for name in names(page))
    expect(page.locator("#count")).to_have_text("3 of 3")
    page.get_by_label("Show").select_option("correct")
    expect(page.locator("#count")).to_have_text("0 of 0")


def test_errors_are_marked_in_both_texts_and_readable_without_colour(opened: OpenReport) -> None:
    page = opened()
    page.get_by_label("Search").fill("ko-class-telephone.wav")
    row = page.locator(".utterance")
    assert row.locator(".replace .ref").all_inner_texts() == ["9"]
    unseen = row.locator(".compare .unseen")
    expect(unseen).to_have_text(
        "Reference: 수업은 오전 9시에 시작합니다. Recognised: 수업은 오전 아홉 시에 시작합니다."
    )
    style = "element => getComputedStyle(element).textDecorationLine"
    assert row.locator(".replace .ref").evaluate(style) == "underline"


def test_recordings_play_from_their_files_and_from_the_page(opened: OpenReport) -> None:
    for name, search in (("report.html", "ko-hello.wav"), ("copies.html", "raw.pcm")):
        page = opened(name)
        page.get_by_label("Search").fill(search)
        page.get_by_role("button", name=f"Play: {search}").click()
        assert page.locator("audio").evaluate(HEARD) > 0
    page = opened()
    page.get_by_label("Search").fill("raw.pcm")
    expect(page.locator(".foot")).to_contain_text("--embed-audio puts copies into the page")


def test_a_substitution_finds_its_recordings(opened: OpenReport) -> None:
    page = opened()
    page.locator(".find").first.click()
    expect(page.get_by_label("Search")).not_to_have_value("")
    expect(page.locator(".utterance").first).to_be_visible()


def test_the_page_speaks_korean_and_fits_a_phone(opened: OpenReport) -> None:
    page = opened(locale="ko-KR", viewport={"width": 360, "height": 800})
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.get_by_role("heading", name="오류 종류")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Kinds of errors")).to_be_visible()


def test_hostile_names_and_texts_stay_texts(opened: OpenReport) -> None:
    page = opened()
    page.get_by_label("Search").fill("onerror")
    expect(page.locator(".utterance .name")).to_have_text(HOSTILE)
    expect(page.locator(".utterance .speaker")).to_have_text("<b>")
    assert page.locator("img").count() == 0
