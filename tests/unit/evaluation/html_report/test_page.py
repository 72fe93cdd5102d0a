import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

from stt.evaluation import html_report
from stt.evaluation.html_report import render_html
from stt.evaluation.html_report.phrases import korean
from stt.evaluation.report import Report
from tests.unit.evaluation.html_report.results import report_of, result

HOSTILE = '</script><script>alert(1)</script><img src=x onerror="alert(2)">&lt; $style \u2028'


class Page(HTMLParser):
    """The elements, the phrases to translate and the data of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.phrases: set[str] = set()
        self.data: dict[str, str] = {}
        self._open: tuple[str, dict[str, str | None]] = "", {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self._open = tag, dict(attrs)
        if phrase := dict(attrs).get("data-say"):
            self.phrases.add(phrase)

    def handle_data(self, data: str) -> None:
        _, attributes = self._open
        if identity := attributes.get("id"):
            self.data[identity] = data
        if "data-say" in attributes and not attributes["data-say"]:
            self.phrases.add(data)
        self._open = "", {}


def page(report: Report) -> Page:
    return Page(render_html(report, Path("/set/report.html")))


def test_rows_are_worst_first_and_complete() -> None:
    right, wrong = result(name="right.wav"), result("가나", "가 다", name="wrong.wav", snr_db=20.04)
    rows = json.loads(page(report_of(right, wrong)).data["rows"])
    assert [row["name"] for row in rows] == ["wrong.wav", "right.wav"]
    assert rows[0]["snr"] == 20.0
    assert (rows[0]["cer"], rows[0]["url"]) == (1.0, "./wrong.wav")


def test_hostile_texts_stay_texts() -> None:
    plain = page(report_of(result()))
    bad = report_of(
        result(HOSTILE, HOSTILE[::-1], name=HOSTILE + ".wav", speaker=HOSTILE),
        result("가 나", "다 나", speaker="<b>"),
    )
    found = page(bad)
    assert found.handlers == []
    assert found.tags.count("script") == plain.tags.count("script") == 3
    assert not {"img", "iframe"} & set(found.tags)
    rows = json.loads(found.data["rows"])
    assert HOSTILE in {row["speaker"] for row in rows}


def test_all_phrases_are_translated() -> None:
    found = page(report_of(*(result("가 나", "다 나", snr_db=5.0, speaker=each) for each in "ab")))
    script = files(html_report).joinpath("report.js").read_text(encoding="utf-8")
    said = set(re.findall(r'\bsay\("([^"]+)"', script)) | set(re.findall(r'title: "(\w+)"', script))
    names = {"WER", "CER", "SNR"}
    groups = {phrase for phrase in found.phrases if re.search(r"\d (s|dB)$", phrase)} | {"a", "b"}
    assert (found.phrases | said) - names - groups <= set(korean())


def test_translations_have_the_same_values() -> None:
    for english, translated in korean().items():
        values = [set(re.findall(r"\{\w+\}", text)) for text in (english, translated)]
        assert values[0] == values[1], english


def test_a_report_without_results() -> None:
    found = page(report_of())
    assert json.loads(found.data["rows"]) == []
    assert "No errors." in found.phrases


def test_the_page_may_only_run_its_own_script() -> None:
    html = render_html(report_of(result()), Path("/set/report.html"))
    assert "script-src 'sha256-" in html
    assert "default-src 'none'" in html
    assert not re.findall(r"https?://", html)
