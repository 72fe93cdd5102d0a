"""The systemd unit is valid, and everything it sets exists."""

import shutil
import subprocess
from pathlib import Path

import pytest

from stt.server.graceful_shutdown import CLOSING_SECONDS
from stt.settings import Settings, load_settings
from tests.deployment import DEPLOY

UNIT = DEPLOY / "systemd" / "stt.service"
ANALYZE = shutil.which("systemd-analyze")


def values(name: str) -> list[str]:
    """What the unit says under a name, in order."""
    pairs = (line.partition("=") for line in UNIT.read_text(encoding="utf-8").splitlines())
    return [value for key, _, value in pairs if key == name]


def value(name: str) -> str:
    (found,) = values(name)
    return found


def environment() -> dict[str, str]:
    pairs = (pair.partition("=") for line in values("Environment") for pair in line.split())
    return {name: content for name, _, content in pairs}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, content in environment().items():
        if name.startswith("STT_"):
            monkeypatch.setenv(name, content)
    return load_settings()


def test_settings_exist_and_are_valid(settings: Settings) -> None:
    known = {f"STT_{name.upper()}" for name in Settings.model_fields}
    assert {name for name in environment() if name.startswith("STT_")} <= known
    assert settings.log_format == "json"


def test_the_service_writes_only_where_the_unit_lets_it() -> None:
    assert environment()["STT_STATE_DIR"] == f"%S/{value('StateDirectory')}"
    caches = [environment()[name] for name in ("STT_CACHE_DIR", "HF_HOME", "NUMBA_CACHE_DIR")]
    for cache in (*caches, environment()["HOME"]):
        assert cache.startswith(f"%C/{value('CacheDirectory')}")
    assert value("ProtectSystem") == "strict"


def test_there_is_time_to_drain_and_decoders_are_not_stopped_first(settings: Settings) -> None:
    needed = settings.drain_delay_seconds + settings.drain_timeout_seconds + CLOSING_SECONDS
    assert int(value("TimeoutStopSec")) > needed
    assert value("KillMode") == "mixed"


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
def test_systemd_understands_and_confines_it(tmp_path: Path) -> None:
    copy = tmp_path / "stt.service"

    def analyse(text: str, *command: str) -> subprocess.CompletedProcess[str]:
        copy.write_text(text.replace("/opt/stt/bin/stt", "/bin/true"), encoding="utf-8")
        return subprocess.run(
            [str(ANALYZE), *command, str(copy)], capture_output=True, text=True, check=False
        )

    text = UNIT.read_text(encoding="utf-8")
    verified = analyse(text, "verify")
    assert (verified.returncode, verified.stderr) == (0, "")
    assert "Unknown key" in analyse(text.replace("KillMode", "KilMode"), "verify").stderr
    exposure = ("security", "--offline=true", "--threshold=20")  # of 100
    assert analyse(text, *exposure).returncode == 0
    assert analyse(text.replace("DynamicUser=yes", ""), *exposure).returncode != 0
