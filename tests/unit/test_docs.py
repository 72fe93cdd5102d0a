"""The documentation says what the code does."""

import re
from pathlib import Path

from stt.conventions import KNOWN_CONVENTIONS
from stt.engines.families.table import FAMILIES
from stt.errors import InvalidParameter, SttError
from stt.formats.base import Granularity
from stt.formats.native import FORMATS
from stt.server.problems import CODES, STATUSES
from tests.deployment import OPERATIONS, ROOT

API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def test_the_table_of_errors_has_every_code_and_no_other() -> None:
    rows = re.findall(r"^\| (\d{3}) \| `(\w+)` \| .+ \|$", API, re.MULTILINE)
    documented = [(int(status), code) for status, code in rows]
    expected = {(status, error.code) for error, status in STATUSES.items()}
    expected |= set(CODES.items())
    # What validation refuses, and what nobody expected.
    expected |= {(422, InvalidParameter.code), (500, SttError.code)}
    assert len(documented) == len(set(documented))
    assert set(documented) == expected
    assert documented == sorted(documented, key=lambda row: row[0])


def test_every_format_and_granularity_is_explained() -> None:
    (formats,) = re.findall(r"^\| `response_format` \| (.+) \|$", API, re.MULTILINE)
    assert re.findall(r"`(\w+)`", formats) == list(FORMATS)
    (granularities,) = re.findall(r"^\| `timestamp_granularities` \| (.+) \|$", API, re.MULTILINE)
    assert set(Granularity) <= set(re.findall(r"`(\w+)`", granularities))
    headings = " ".join(re.findall(r"^### (.+)$", API, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", headings)) == set(FORMATS)


def test_every_promise_names_a_test_that_exists() -> None:
    table = OPERATIONS.partition("## Promises")[2]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert rows
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert named, row
        for file, test in named:
            assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), (file, test)


def test_every_family_of_checkpoints_is_listed() -> None:
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    table = text.partition("<!-- families -->")[2].partition("\n\n")[0]
    listed = set(re.findall(r"^\| (.+?) \| `(\w+)`", table, re.MULTILINE))
    for family in FAMILIES:
        assert any(
            name.startswith(family.name) and architecture == family.architecture
            for name, architecture in listed
        ), family.name
    assert {architecture for _, architecture in listed} == {
        family.architecture for family in FAMILIES
    }


def anchors(file: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", file.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


def test_every_known_convention_is_listed_with_its_source() -> None:
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    table = text.partition("<!-- conventions -->")[2].partition("\n\n")[0]
    listed = {}
    for names, convention, source in re.findall(r"^\| (`.+?) \| (\w+) \| (.+) \|$", table, re.M):
        assert "](" in source
        listed |= dict.fromkeys(re.findall(r"`([^`]+)`", names), convention)
    assert listed == KNOWN_CONVENTIONS


def test_links_between_documents_have_their_anchors() -> None:
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    links = [
        (file, path, anchor)
        for file in files
        for path, anchor in re.findall(
            r"\]\(([^)#\s:]*\.md|)#([^)\s]+)\)", file.read_text(encoding="utf-8")
        )
    ]
    assert len(links) > 50
    broken = [
        f"{file.name}: {path}#{anchor}"
        for file, path, anchor in links
        if anchor not in anchors(file.parent / path if path else file)
    ]
    assert broken == []
