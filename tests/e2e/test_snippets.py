"""Every code block of the documentation works, against a real server.

Code runs as written, with three substitutions:

- ``localhost:8400`` is the test's server, ``10300`` its port for Wyoming, and ``localhost:8000``
  serves the reader's page.
- ``pip install uv &&`` and ``uv run`` are removed: the tests run in that environment.
- ``STT_DEMO`` is set, so that commands use the demo models instead of real ones.

Output shown after the code is compared with the real output. `NOT_RUN` lists what cannot run here,
with the reason. New code in no list fails the test.
"""

import http.server
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from stt.types import SAMPLE_RATE
from tests.audio_files import with_libsndfile
from tests.e2e.browser import resembles
from tests.e2e.samples import TEXTS
from tests.e2e.server import Server
from tests.snippets import ROOT, SHELL, Snippet, all_snippets, snippets, without_comments
from tests.unit.activity.clips import clip

MEETING = "ko-library.m4a"
HUB = "needs the hub"
DATA_SET = "the reader's; test_layouts reads small ones like it"
NOT_RUN = {
    "uv run server_stt.py": HUB,
    "STT_LANGUAGES=KR,EN,JA,ZH uv run server_stt.py": HUB,
    "STT_LANGUAGES=KR,EN uv run server_stt.py": HUB,
    "STT_MODELS=KR=me/my-korean@v2 uv run server_stt.py": HUB,
    "STT_MODELS=KR=/models/my-korean uv run server_stt.py": "the folder is the reader's",
    "STT_LANGUAGES=KR,VI STT_MODELS=VI=owner/wav2vec2-vi uv run server_stt.py": HUB,
    "STT_LANGUAGES=KR,VI STT_MODELS=VI=/models/wav2vec2-vi uv run server_stt.py": "the reader's",
    "STT_LANGUAGES=KR,SW STT_MODELS=KR=facebook/mms-1b-all#kor,SW=facebook/mms-1b-all#swh "
    "uv run server_stt.py": HUB,
    "uv run uvicorn server_stt:app --host 0.0.0.0 --port 8400": "test_draining starts uvicorn",
    "pip install -e . && stt serve": "installs; test_cli runs the installed command",
    "uv venv && uv pip install --torch-backend cpu -e . && .venv/bin/stt serve": "installs",
    "uv venv && uv pip install --torch-backend cpu -e .": "needs PyTorch's own package index",
    "stt download": HUB,
    "stt download --languages KR,EN --cache-dir /models": HUB,
    "STT_LANGUAGES=KR,JA stt download": HUB,
    "uv run --group bench python -m benchmarks.simulation --hours 2500 --rtfx 4000": "installs",
    "pip install uv && uv run pytest -n 2": "would run itself",
    "bash .ci/run": "would run itself",
    "uv run --extra openvino stt optimize KR --calibration recordings/": "test_openvino converts",
    "stt optimize KR --calibration recordings": "test_openvino converts",
    "stt optimize KR --calibration recordings --to bf16": "test_openvino converts",
    'pip install "stt-ctc[openvino]"': "installs",
    "stt evaluate zeroth_korean/test_data_01 --report zeroth.html": DATA_SET,
    "stt evaluate KsponSpeech_scripts/eval_clean.trn --audio KsponSpeech_eval": DATA_SET,
    "ffmpeg -v error -i film.mkv -f flac - | stt transcribe -": "needs ffmpeg, the program",
    "stt transcribe recordings --url http://gpu-host:8400": "the host is the reader's",
    "stt transcribe recordings --url http://gpu-host:8400 --job": "test_jobs_cli runs it",
    "STT_API_KEY=... stt transcribe talk.mp3 --url https://host": "the host is the reader's",
}
"""Commands, and why they are not run."""
ELSEWHERE = ("docker ", "kubectl ", "helm ", "sudo ", "journalctl ")
"""Prefixes of commands that need Docker, a cluster or systemd; `test_kubernetes`, `test_compose`
and `test_systemd` check their inputs."""
TEXT_ONLY = {
    ("docs/architecture.md", "server_stt.py  "): "a picture",
    ("docs/architecture.md", "upload bytes -> blocks"): "a picture",
    ("docs/api.md", '{"warnings": ['): "keys; test_warnings holds the service to them",
    ("docs/api.md", "SPEAKER recording"): "a line; test_speakers reads some like it",
    ("docs/cli.md", '{"file": "a.wav"'): "keys; test_cli holds the command to them",
    ("docs/cli.md", "ko.arpa.gz: "): "test_lm reads lines like these",
    ("docs/cli.md", "engine   "): "test_openvino reads doctor's table",
    ("docs/cli.md", "file\ttext"): "a manifest; test_evaluate reads one like it",
    ("docs/cli.md", "CER   "): "test_evaluate reads lines like these",
    ("docs/deployment.md", "# my-stt/kustomization.yaml"): "test_kubernetes builds one like it",
    ("docs/operations.md", "rule_files:"): "Prometheus' own configuration",
    ("docs/operations.md", "sha256:"): "lines of a file; test_fairness reads some like them",
}
"""Blocks that are not code: document, prefix, and what they are."""
BENCHMARKS = "docs/benchmarks.md"
"""Its commands take hours; each one stands beside the figures that it produced."""

SAYS = {
    'data={"lang": "KR"}': TEXTS[MEETING],
    'open("samples/ko-hello.wav", "rb")': TEXTS["ko-hello.wav"],
    "import wave\nfrom websockets": TEXTS["ko-hello.wav"],
    'open("samples/en-library.wav", "rb")': TEXTS["en-library.wav"],
    "stream=True": TEXTS[MEETING],
    "segment['text']": TEXTS[MEETING],
    "response_format=text localhost": TEXTS[MEETING],
    "hotwords='서울, 비가:0.5' localhost": TEXTS["ko-weather.flac"],
    "-o meeting.srt": TEXTS[MEETING],
    "--fail-with-body": TEXTS[MEETING],
    "audio_file=@meeting.m4a": TEXTS[MEETING],
    "localhost:8400/v1/jobs": '"state":"queued"',
    "include[]=logprobs": '"token":"W"',
    "localhost:8400/v1/realtime/client_secrets": '"value":"ek_',
    "stt transcribe samples/ko-*.wav": TEXTS["ko-thanks-44k-stereo.wav"],
    "stt transcribe samples/ko-hello.wav": TEXTS["ko-hello.wav"],
    "stt transcribe recordings/ --format srt --output-dir": TEXTS[MEETING],
    "stt transcribe recordings --output-dir texts": TEXTS[MEETING],
    "stt transcribe recordings --format json | jq": TEXTS[MEETING],
    "stt transcribe interview.m4a": TEXTS[MEETING],
    "stt transcribe call.wav --lang EN --format srt": TEXTS["en-library.wav"],
    "talk.m4a --url": TEXTS[MEETING],
    "-F text=@meeting.txt": TEXTS[MEETING],
    "stt align meeting.m4a": TEXTS[MEETING],
    "stt align recordings texts": TEXTS[MEETING],
    "stt evaluate manifest.tsv": "CER",
    "stt evaluate test.tsv": "CER",
    "stt doctor": "right",
    "stt lm build": "n-grams by order: ",
    "Prints WRONG on processors with AMX": "bf16, 16 channels a group: right",
    "Prints the cost of a new length": "without: ",
    "Prints how far later results are off": "first length 16: off by 0.0",
}
"""Code without shown output: a part of it, and what it must print or write."""
VOLATILE = {"processing_time_seconds", "cpu_threads", "request_id", "device"}

ALL = all_snippets()
STARTS = [each for each in ALL if re.search(r"server_stt\.py --demo", each.code)]
RUN = [
    each
    for each in ALL
    if each.language in (SHELL, "python")
    and each.code not in NOT_RUN
    and not each.code.startswith(ELSEWHERE)
    and each not in STARTS
    and each.document != BENCHMARKS
]
PAGES = [each for each in ALL if each.language == "html"]
SCRIPTS = [each for each in ALL if each.language == "js"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder served as by ``python -m http.server``, and its address."""
    folder = tmp_path_factory.mktemp("pages")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    handler = partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def server(pages: tuple[Path, str]) -> Iterator[Server]:
    (start,) = (each for each in STARTS if "--cors-origins" in each.code)
    with Server(*flags_of(start, pages[1]), "--wyoming-port", "0") as server:
        server.wait_until_ready()
        yield server


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the files that the documents mention."""
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    (tmp_path / "recordings").mkdir()
    for name in ("meeting.m4a", "talk.m4a", "interview.m4a", "recordings/a.m4a"):
        shutil.copy(ROOT / "samples" / MEETING, tmp_path / name)
    shutil.copy(ROOT / "samples" / "en-library.wav", tmp_path / "call.wav")
    (tmp_path / "phone-call.wav").write_bytes(phone_call())
    (tmp_path / "texts").mkdir()
    for name in ("meeting.txt", "texts/a.txt"):
        (tmp_path / name).write_text(TEXTS[MEETING], encoding="utf-8")
    (tmp_path / "archive").mkdir()
    for name in ("calls.txt", "archive/calls.txt"):
        (tmp_path / name).write_text("\n".join(TEXTS.values()), encoding="utf-8")
    manifest = f"path\ttext\nmeeting.m4a\t{TEXTS[MEETING]}\n"
    for name in ("manifest.tsv", "test.tsv"):
        (tmp_path / name).write_text(manifest, encoding="utf-8")
    return tmp_path


def phone_call() -> bytes:
    """One speaks on the first channel, then another on the second."""
    first, second = clip("ko-hello.wav"), clip("ko-coffee.ogg")
    call = np.zeros((len(first) + len(second), 2), np.float32)
    call[: len(first), 0], call[len(first) :, 1] = first, second
    return with_libsndfile(call, SAMPLE_RATE, "WAV")


def flags_of(start: Snippet, origin: str) -> list[str]:
    """The flags of a command that starts the demo, with a free port."""
    *_, command = start.code.split("&& ")
    words = shlex.split(command.replace("http://localhost:8000", origin))
    assert words[:3] == ["uv", "run", "server_stt.py"], start.code
    return [*words[3:], "--port", "0"]


def localised(code: str, server: Server) -> str:
    """The code with this run's addresses."""
    if '"localhost", 10300' in code:
        code = code.replace('"localhost", 10300', f'"127.0.0.1", {server.wyoming_port}')
    return code.replace("localhost:8400", server.url.removeprefix("http://"))


def run(snippet: Snippet, server: Server, desk: Path) -> str:
    """Run it; return its output and the content of the files it creates."""
    code = localised(snippet.code, server)
    before = {file for file in desk.rglob("*") if file.is_file()}
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "STT_DEMO": "true",
        "HF_HUB_OFFLINE": "1",
        "STT_CACHE_DIR": str(desk / "cache"),  # where `--save-card` writes
        "PYTHONUTF8": "1",
    }
    # Readers run the scripts on oneDNN's faults without a cap: AVX2's int8 products saturate.
    environment.pop("ONEDNN_MAX_CPU_ISA", None)
    if snippet.language == SHELL:
        command = ["bash", "-euo", "pipefail", "-c", code.replace("uv run ", "")]
    else:
        (desk / "pasted.py").write_text(code, encoding="utf-8")
        before.add(desk / "pasted.py")
        command = [sys.executable, "pasted.py"]
    done = subprocess.run(
        command, cwd=desk, env=environment, capture_output=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr.decode()
    new = sorted(file for file in desk.rglob("*") if file.is_file() and file not in before)
    return done.stdout.decode() + "".join(file.read_text("utf-8", "replace") for file in new)


@pytest.mark.parametrize("snippet", RUN, ids=str)
def test_code_produces_the_shown_output(snippet: Snippet, server: Server, desk: Path) -> None:
    if "jq" in snippet.code and shutil.which("jq") is None:
        pytest.skip("no jq is installed")
    printed = run(snippet, server, desk)
    if snippet.answer:
        assert_same(printed, snippet.answer)
        return
    (expected,) = {text for part, text in SAYS.items() if part in snippet.code}
    assert expected in joined(printed)


def joined(printed: str) -> str:
    """The text, without the line breaks of subtitles."""
    return re.sub(r"[\s\n]+", " ", printed)


def assert_same(printed: str, shown: str) -> None:
    """Compare JSON without `VOLATILE` keys, and text without digits."""
    if not shown.lstrip().startswith("{"):
        assert re.sub(r"\d", "0", printed.strip()) == re.sub(r"\d", "0", shown.strip())
        return
    try:
        expected = [json.loads(shown)]
    except ValueError:  # several lines, a selection of the output
        expected = [json.loads(line) for line in shown.splitlines()]
    try:
        found = [json.loads(printed)]
    except ValueError:
        found = [json.loads(line) for line in printed.splitlines()]
    for each in expected:
        assert any(alike(each, other) for other in found), (each, found)


def alike(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = set(one) - VOLATILE
        return set(one) == set(other) and all(alike(one[key], other[key]) for key in keys)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and isinstance(other, float | int):
        return abs(one - other) < 0.05
    return bool(one == other)


@pytest.mark.parametrize(
    "start", [each for each in STARTS if "--cors-origins" not in each.code], ids=str
)
def test_the_demo_starts(start: Snippet) -> None:
    with Server(*flags_of(start, "")) as server:
        assert server.wait_until_ready()["demo"] is True


def choose_file(page: Page) -> None:
    page.locator("#file").set_input_files(ROOT / "samples" / MEETING)
    expect(page.locator("#text")).to_have_text(TEXTS[MEETING])


def choose_something_else(page: Page) -> None:
    page.locator("#file").set_input_files(ROOT / "README.md")
    expect(page.locator("#text")).to_contain_text("no accepted audio format")


def speak(page: Page) -> None:
    """Record from the fake microphone, which plays a sample."""
    page.locator("#record").click()
    expect(page.locator("#record")).to_have_text("Stop")
    page.wait_for_timeout(5_000)  # a little longer than the sample
    with page.expect_response("**/transcribe") as answer:
        page.locator("#record").click()
    text = answer.value.json()["text"]
    expect(page.locator("#text")).to_have_text(text)
    assert resembles(text, TEXTS["ko-hello.wav"])


USES: dict[str, tuple[Callable[[Page], None], ...]] = {
    '<input type="file" id="file">': (choose_file, choose_something_else),
    '<button id="record">': (speak,),
}
"""Actions for each element that a page contains."""


@pytest.mark.parametrize("snippet", PAGES, ids=str)
def test_pages_show_the_text(
    snippet: Snippet, server: Server, pages: tuple[Path, str], browser: Browser
) -> None:
    folder, origin = pages
    (folder / "page.html").write_text(localised(snippet.code, server), encoding="utf-8")
    (uses,) = (uses for part, uses in USES.items() if part in snippet.code)
    page = browser.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{origin}/page.html")
    for use in uses:
        use(page)
    page.close()
    assert faults == []


def test_scripts_open_a_stream_with_a_key(browser: Browser) -> None:
    assert SCRIPTS
    with Server("--demo", "--languages", "EN", "--port", "0", "--api-keys", "KEY") as server:
        server.wait_until_ready()
        page = browser.new_page()
        page.goto(server.url)
        for snippet in SCRIPTS:
            for key, opened in (("KEY", True), ("ANOTHER", False)):
                state = page.evaluate(
                    "(code) => { const socket = Function(code + '; return socket;')();"
                    " return new Promise((resolve) => { socket.onopen = () => resolve(true);"
                    " socket.onerror = () => resolve(false); }); }",
                    localised(snippet.code, server).replace("KEY", key),
                )
                assert state is opened, snippet
        page.close()


def test_every_snippet_is_run_or_listed() -> None:
    done = {each.code for each in (*RUN, *STARTS, *PAGES, *SCRIPTS)}
    left = [
        f"{each}: {each.code}"
        for each in ALL
        if each.code not in done
        and each.code not in NOT_RUN
        and not each.code.startswith(ELSEWHERE)
        and each.document != BENCHMARKS
        and not any(
            each.document == document and each.code.startswith(prefix)
            for document, prefix in TEXT_ONLY
        )
    ]
    assert left == []
    assert set(NOT_RUN) <= {each.code for each in ALL}, "no document contains it any more"
    prefixes = {
        (each.document, prefix)
        for each in ALL
        for _, prefix in TEXT_ONLY
        if each.code.startswith(prefix)
    }
    assert prefixes == set(TEXT_ONLY)


def test_both_readmes_have_the_same_code() -> None:
    english, korean = (
        [
            (each.language, without_comments(each.code), each.answer)
            for each in snippets(ROOT / name)
        ]
        for name in ("README.md", "README.ko.md")
    )
    assert english == korean
