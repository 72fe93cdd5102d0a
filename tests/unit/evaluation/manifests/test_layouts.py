"""Every layout of a data set, with real recordings."""

import json
import re
from pathlib import Path

import pytest

from stt.commands import evaluate
from stt.evaluation.manifests import FORMATS, find_format, read_manifest
from stt.evaluation.transcriptions import TRANSCRIPTIONS
from tests.unit.evaluation.manifests.layouts import (
    HELLO,
    HELLO_TEXT,
    LAYOUTS,
    THANKS_TEXT,
    Layout,
    samples,
)

ALL = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.build.__name__)


@ALL
def test_a_layout_is_recognised_and_read(layout: Layout, tmp_path: Path) -> None:
    manifest = layout.build(tmp_path)
    found = find_format(manifest)
    assert found.name == layout.name
    utterances = read_manifest(manifest)
    texts = [TRANSCRIPTIONS[found.transcription](each.reference).text for each in utterances]
    assert [text.rstrip('".') for text in texts] == [HELLO_TEXT, THANKS_TEXT]
    assert all(each.path.is_file() for each in utterances)
    assert tuple(each.speaker for each in utterances) == layout.speakers
    assert tuple(each.gender for each in utterances) == layout.genders
    assert read_manifest(manifest, layout.name) == utterances


def test_every_format_has_a_layout_here() -> None:
    assert {layout.name for layout in LAYOUTS} == set(FORMATS)


@pytest.mark.parametrize(
    "layout",
    [
        pytest.param(each, marks=[] if each.name in ("tsv", "ksponspeech") else pytest.mark.slow)
        for each in LAYOUTS
    ],
    ids=lambda layout: layout.name,
)
def test_the_bundled_model_is_right_about_every_layout(layout: Layout, tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    manifest = layout.build(tmp_path / "set")
    assert evaluate.main([str(manifest), "--demo", "--json", str(out)]) == 0
    report = json.loads(out.read_text(encoding="utf-8"))
    assert (report["n_files"], report["cer"]) == (2, 0.0)
    seconds = report["files"][0]["audio_seconds"]
    assert seconds == pytest.approx(len(samples(HELLO)) / 16_000, abs=0.1)


def test_the_docs_list_every_format() -> None:
    text = (Path(__file__).parents[4] / "docs" / "cli.md").read_text(encoding="utf-8")
    table = text.partition("### Manifests")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w[\w-]*)` \|", table, re.MULTILINE)) == set(FORMATS)
