"""``stt download`` with the real hub client against a fake hub."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stt.languages import BUNDLED_FOLDER, SUPPORTED_LANGUAGES
from tests.hub import COMMIT, FakeHub

COMMAND = [sys.executable, "-c", "from stt.cli import main; main()", "download"]
KOREAN, JAPANESE = (SUPPORTED_LANGUAGES[code].model.id for code in ("KR", "JA"))
CHECKPOINT = BUNDLED_FOLDER / "ko-mini"


def download(
    home: Path, endpoint: str, *flags: str, **more: str
) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STT_")}
    env = {**inherited, "HF_HOME": str(home), "HF_ENDPOINT": endpoint, "HF_HUB_OFFLINE": "0"}
    done = subprocess.run(
        [*COMMAND, *flags], env={**env, **more}, capture_output=True, text=True, check=False,
        timeout=120, cwd=home,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done


def rows(done: subprocess.CompletedProcess[str]) -> list[list[str]]:
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_models_download_once_and_then_need_no_hub(tmp_path: Path) -> None:
    with FakeHub({KOREAN: CHECKPOINT, JAPANESE: CHECKPOINT}) as hub:
        first = download(tmp_path, hub.endpoint, "--languages", "ko,JA")
        assert first.returncode == 0, first.stderr
        assert [row[:2] for row in rows(first)] == [["KR", KOREAN], ["JA", JAPANESE]]
        for _, _, folder in rows(first):
            assert Path(folder).name == COMMIT
            assert Path(folder).is_relative_to(tmp_path)
            weights = (Path(folder) / "model.safetensors").read_bytes()
            assert weights == (CHECKPOINT / "model.safetensors").read_bytes()
        asked = len(hub.requests)
        # Without the flag, the service's setting decides.
        again = download(tmp_path, hub.endpoint, STT_LANGUAGES="KR,JA")
        assert again.stdout == first.stdout
        assert len(hub.requests) == asked
    alone = download(tmp_path, "http://127.0.0.1:9")
    assert (alone.returncode, [row[0] for row in rows(alone)]) == (0, ["KR"])


def test_a_failed_download_is_reported_and_the_others_continue(tmp_path: Path) -> None:
    with FakeHub({JAPANESE: CHECKPOINT}) as hub:
        done = download(tmp_path, hub.endpoint, "--languages", "KR,JA")
    assert done.returncode == 1
    assert [row[0] for row in rows(done)] == ["JA"]
    assert f"'{KOREAN}' does not exist on the hub" in done.stderr


def test_a_download_resumes_and_a_silent_hub_is_reported(tmp_path: Path) -> None:
    with FakeHub({KOREAN: CHECKPOINT}) as hub:
        hub.cut_after = [50_000]  # the client resumes from there
        done = download(tmp_path, hub.endpoint, "--cache-dir", str(tmp_path / "cache"))
        assert done.returncode == 0, done.stderr
        (row,) = rows(done)
        assert Path(row[2]).is_relative_to(tmp_path / "cache")
        hub.broken = True
        down = download(tmp_path / "cache", hub.endpoint)
        assert down.returncode == 1
        assert "the hub does not answer" in down.stderr


@pytest.mark.parametrize("flags", [("--languages", "xx"), ("--port", "1"), ("--cpu-threads", "-1")])
def test_wrong_usage_is_status_2(tmp_path: Path, flags: tuple[str, str]) -> None:
    assert download(tmp_path, "http://127.0.0.1:9", *flags).returncode == 2


def test_bundled_models_need_no_download(tmp_path: Path) -> None:
    done = download(tmp_path, "http://127.0.0.1:9", "--demo")
    assert (done.returncode, [row[0] for row in rows(done)]) == (0, ["KR", "EN"])
