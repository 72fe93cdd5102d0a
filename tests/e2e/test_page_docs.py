"""``/docs`` in a browser: complete, without requests to other hosts."""

from playwright.sync_api import expect

from tests.e2e.conftest import Open


def test_the_description_is_shown_without_other_hosts(visit: Open) -> None:
    here = visit()  # fails on requests to other hosts, errors, and blocked scripts and styles
    page = here.page
    page.goto(here.url + "/docs")
    expect(page.locator("#operations-transcription-transcribe")).to_be_visible()
    page.locator("#operations-transcription-transcribe .opblock-summary").click()
    problems = page.locator("tr.response[data-code='400']")
    expect(problems).to_contain_text("bad_request")
    problems.locator("select.examples-select-element, .examples-select select").select_option(
        "unsupported_language"
    )
    expect(problems).to_contain_text("is not served here")
