"""The installed command as a user runs it: real processes and the bundled model."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stt.commands import transcribe
from tests.e2e.server import ROOT, Server

SAMPLE, TEXT = ROOT / "samples" / "ko-hello.wav", "안녕하세요 만나서 반가워요"
OTHER, OTHER_TEXT = ROOT / "samples" / "ko-thanks-44k-stereo.wav", "고마워요"
COMMAND = [sys.executable, "-c", "from stt.cli import main; main()"]
# Output is UTF-8 also where Python would write a Windows code page.
ENV = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"}


def stt(*flags: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *map(str, flags)], cwd=ROOT, env=ENV, input=stdin, capture_output=True,
        check=False, timeout=200,
    )  # fmt: skip
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in err
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two recordings with a broken one between them."""
    folder = tmp_path / "recordings"
    (folder / "sub").mkdir(parents=True)
    shutil.copy(SAMPLE, folder / "a.wav")
    (folder / "broken.wav").write_bytes(b"RIFF\0\0\0\0WAVEjunk")
    shutil.copy(OTHER, folder / "sub" / "c.wav")
    return folder


def test_a_second_run_resumes_and_a_broken_file_does_not_stop_it(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "texts"
    flags = ["transcribe", folder, "--demo", "--lang", "ko", "--output-dir", out]
    first = stt(*flags)
    assert first.returncode == 1
    assert first.stdout == ""
    assert "2 transcribed, 1 failed" in first.stderr
    assert f"{folder}/broken.wav: The file starts like WAV audio" in first.stderr
    files = {str(file.relative_to(out)): file for file in out.rglob("*") if file.is_file()}
    assert {name: file.read_text("utf-8") for name, file in files.items()} == {
        "a.wav.txt": TEXT + "\n",
        "sub/c.wav.txt": OTHER_TEXT + "\n",
    }

    (folder / "broken.wav").unlink()
    files["sub/c.wav.txt"].write_text("mine")
    files["a.wav.txt"].unlink()
    second = stt(*flags)
    assert second.returncode == 0
    assert "1 transcribed, 1 skipped" in second.stderr
    assert files["sub/c.wav.txt"].read_text() == "mine"

    third = stt(*flags)
    assert third.returncode == 0
    assert "nothing to do: all 2 results exist already" in third.stderr


def test_standard_input() -> None:
    done = stt("transcribe", "-", "--demo", stdin=SAMPLE.read_bytes())
    assert (done.returncode, done.stdout) == (0, TEXT + "\n")


def test_interrupted(tmp_path: Path) -> None:
    # An endless pipe keeps the command busy until the signal.
    process = subprocess.Popen(
        [*COMMAND, "transcribe", str(SAMPLE), "-", "--demo", "--output-dir", str(tmp_path)],
        cwd=ROOT, env=ENV, stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        # Background jobs of a shell ignore Ctrl-C, and the tests may be one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    deadline = time.monotonic() + 150
    while not (tmp_path / "ko-hello.wav.txt").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert process.stderr
    assert b"Traceback" not in process.stderr.read()
    assert [file.name for file in tmp_path.iterdir()] == ["ko-hello.wav.txt"]
    process.stderr.close()
    assert process.stdin
    process.stdin.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(
        "--demo", "--languages", "KR", "--port", "0", env={"HF_HUB_OFFLINE": "1"}
    ) as server:
        yield server  # not waited for, so that the first command gets 503 and retries


def test_a_service_gives_the_same_results(
    server: Server, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = stt("transcribe", folder, "--url", server.url, "--lang", "ko", "--format", "json")
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["text"] for line in lines] == [TEXT, OTHER_TEXT]
    assert f"{folder}/broken.wav: The file starts like WAV audio" in done.stderr

    assert transcribe.main([str(folder), "--demo", "--lang", "ko", "--format", "json"]) == 1
    here = map(json.loads, capsys.readouterr().out.splitlines())
    for line, local in zip(lines, here, strict=True):
        assert line.keys() == local.keys()
        for key in ("file", "text", "language", "model", "duration_seconds"):
            assert line[key] == local[key]
        assert len(line["words"]) == len(local["words"])


def test_the_service_s_error_message_is_shown(server: Server) -> None:
    done = stt("transcribe", SAMPLE, "--url", server.url, "--lang", "EN")
    assert done.returncode == 1
    assert f"{SAMPLE}: Language 'EN' is not served here." in done.stderr
