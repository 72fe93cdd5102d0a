"""The page's files agree with each other and the service; `tests/e2e` runs them in a browser."""

import re
from pathlib import Path

from stt.server.problems import CODES, STATUSES

WEB = Path(__file__).parents[3] / "stt" / "server" / "static"
SCRIPTS = {file.name: file.read_text(encoding="utf-8") for file in WEB.glob("*.js")}
HTML = (WEB / "index.html").read_text(encoding="utf-8")
TEXTS = dict(
    re.findall(r'^  "?([\w.]+)"?: \[(.+?)\],$', SCRIPTS["strings.js"], re.MULTILINE | re.DOTALL)
)
COMPOSED = {"files", "state", "work", "mic", "problem"}
"""Prefixes of names that scripts compose at run time."""


def test_every_text_exists_in_both_languages_and_is_used() -> None:
    assert len(TEXTS) == SCRIPTS["strings.js"].count(": [") > 50
    for name, pair in TEXTS.items():
        english, korean = re.findall(r'"((?:[^"\\]|\\.)*)"', pair)
        gaps = [sorted(re.findall(r"\{\w+\}", sentence)) for sentence in (english, korean)]
        assert gaps[0] == gaps[1], name
    used = set(re.findall(r'data-i18n(?:-label)?="([\w.]+)"', HTML))
    assert used <= set(TEXTS)
    code = "".join(text for name, text in SCRIPTS.items() if name != "strings.js")
    used |= {name for name in TEXTS if f'"{name}"' in code}
    assert {name for name in TEXTS if name.partition(".")[0] not in COMPOSED} <= used


def test_only_existing_errors_have_titles() -> None:
    titles = {name.partition(".")[2] for name in TEXTS if name.startswith("problem.")}
    own = {"title", "network", "network.detail", "microphone"}
    assert titles - own <= {error.code for error in STATUSES} | set(CODES.values())


def test_ids_and_imports_in_scripts_exist() -> None:
    ids = set(re.findall(r' id="([\w-]+)"', HTML))
    for name, text in SCRIPTS.items():
        assert set(re.findall(r'(?:\$|getElementById)\("([\w-]+)"\)', text)) <= ids, name
        assert set(re.findall(r'from "\./([\w.-]+)"', text)) <= set(SCRIPTS), name


def test_the_page_refers_to_no_other_host() -> None:
    assert not re.search(r'(?:src|href)="(?:https?:)?//', HTML)
    assert not re.search(r"url\(|@import", (WEB / "style.css").read_text(encoding="utf-8"))


def test_modules_are_short() -> None:
    assert {n: len(t.splitlines()) for n, t in SCRIPTS.items() if len(t.splitlines()) > 300} == {}
