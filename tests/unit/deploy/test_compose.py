"""compose.yaml is valid, and everything it names exists."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from stt.server.graceful_shutdown import CLOSING_SECONDS
from stt.settings import Settings, load_settings
from tests.deployment import DASHBOARD, DEPLOY, ROOT

FILE = ROOT / "compose.yaml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("stt", "stt-gpu")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def check(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", file],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def read(*parts: str) -> Any:
    return yaml.safe_load(DEPLOY.joinpath(*parts).read_text(encoding="utf-8"))


def test_it_matches_the_published_schema(tmp_path: Path) -> None:
    assert check(FILE).returncode == 0, check(FILE).stdout
    slip = tmp_path / "compose.yaml"
    slip.write_text(FILE.read_text().replace("stop_grace_period", "stop_grace_time"))
    assert check(slip).returncode == 1


@pytest.mark.parametrize("name", OURS)
def test_settings_exist_and_fit_together(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service = SERVICES[name]
    assert set(service["environment"]) <= {f"STT_{each.upper()}" for each in Settings.model_fields}
    for variable, value in service["environment"].items():
        monkeypatch.setenv(variable, value)
    settings = load_settings()
    (port,) = service["ports"]
    default = Settings.model_fields["port"].default
    assert settings.port == default == int(port.rpartition(":")[2])
    needed = settings.drain_delay_seconds + settings.drain_timeout_seconds + CLOSING_SECONDS
    assert int(service["stop_grace_period"].removesuffix("s")) > needed
    assert service["volumes"] == [f"models:{settings.cache_dir}", f"state:{settings.state_dir}"]
    assert re.search(rf"^VOLUME {settings.cache_dir} {settings.state_dir}$", DOCKERFILE, re.M)
    assert service["read_only"]
    assert port == "${STT_PUBLISH:-127.0.0.1:8400}:8400"
    memory = int(service["mem_limit"].removesuffix("g"))
    assert service["pids_limit"] > 0
    (size,) = re.findall(r"size=(\d+)g$", service["tmpfs"][0])
    n_open = settings.max_uploads + settings.max_queue_requests
    assert memory > int(size)
    assert int(size) * 1e9 > n_open * settings.max_upload_mb * 1e6


def test_images_are_built_as_in_the_dockerfile() -> None:
    for name in OURS:
        build = SERVICES[name]["build"]
        for argument, value in (build.get("args", {}) if isinstance(build, dict) else {}).items():
            assert re.search(rf"^ARG {argument}=", DOCKERFILE, re.MULTILINE)
            image = SERVICES[name]["image"]
            assert f"docker build -t {image} --build-arg {argument}={value} ." in DOCKERFILE
    for name in set(SERVICES) - set(OURS):  # third-party images are pinned
        assert re.search(r":v?\d+\.\d+\.\d+$", SERVICES[name]["image"]), name


def test_mounted_files_and_volumes_exist() -> None:
    named = set()
    for service in SERVICES.values():
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), source
            else:
                named.add(source)
    assert named == set(COMPOSE["volumes"])


def test_only_the_service_runs_without_a_profile() -> None:
    assert [name for name, each in SERVICES.items() if "profiles" not in each] == ["stt"]


def test_prometheus_scrapes_the_services_and_loads_the_rules() -> None:
    config = read("prometheus", "prometheus.yaml")
    (job,) = config["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    assert found["names"] == list(OURS)
    assert found["port"] == Settings.model_fields["port"].default
    assert job.get("metrics_path", "/metrics") == "/metrics"
    for file in config["rule_files"]:
        assert (DEPLOY / "prometheus" / file).is_file()
    inside = f"/etc/prometheus/{DEPLOY.joinpath('prometheus', 'prometheus.yaml').name}"
    assert f"--config.file={inside}" in SERVICES["prometheus"]["command"]
    assert "./deploy/prometheus:/etc/prometheus:ro" in SERVICES["prometheus"]["volumes"]


def test_grafana_finds_the_dashboard_and_its_data_source() -> None:
    (source,) = read("grafana", "provisioning", "datasources", "prometheus.yaml")["datasources"]
    assert source["isDefault"]
    wanted = {
        each["query"] for each in DASHBOARD["templating"]["list"] if each["type"] == "datasource"
    }
    assert wanted == {source["type"]}
    service, _, port = source["url"].removeprefix("http://").partition(":")
    assert SERVICES[service]["ports"][0].endswith(f":{port}")
    (provider,) = read("grafana", "provisioning", "dashboards", "stt.yaml")["providers"]
    targets = {v.split(":")[1]: v.split(":")[0] for v in SERVICES["grafana"]["volumes"]}
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert str(Path(home).parent) == provider["options"]["path"]
    assert json.loads((ROOT / targets[home]).read_text(encoding="utf-8")) == DASHBOARD
