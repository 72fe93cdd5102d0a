"""The manifests: built by kustomize, checked against the published schemas and the code."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import kubernetes_validate
import promql_parser
import pytest
import yaml
from ray.serve.schema import ServeDeploySchema

from stt.engines.limits import CPU, GPU
from stt.errors import ConfigurationError
from stt.server.app import create_app
from stt.server.graceful_shutdown import CLOSING_SECONDS
from stt.settings import Settings, load_settings
from tests.deployment import DEPLOY, series

KUSTOMIZE = (str(Path(sys.executable).parent / "kubectl"), "kustomize")
FOLDER = DEPLOY / "kubernetes"
COMPONENTS = sorted(path.name for path in (FOLDER / "components").iterdir())
OURS = {"cpu": "stt-ctc:latest", "gpu": "stt-ctc:cuda", "rayservice": "stt-ctc:cluster"}
"""The image of each overlay."""
VERSIONS = ("1.32.0", kubernetes_validate.latest_version())
CUSTOM = {"RayService", "PodMonitor"}
UNITS = {"Mi": 2**20, "Gi": 2**30}

Manifest = dict[str, Any]


def build(folder: Path) -> list[Manifest]:
    done = subprocess.run([*KUSTOMIZE, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "deprecated" not in done.stderr.lower(), done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def with_components(overlay: str, components: list[str], folder: Path) -> list[Manifest]:
    """Build an overlay with components, as in a user's own kustomization."""
    base = os.path.relpath(FOLDER, folder)
    own = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"{base}/overlays/{overlay}"],
        "components": [f"{base}/components/{name}" for name in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(own))
    return build(folder)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Manifest]]:
    """Every overlay, and ``cpu`` and ``gpu`` with all components."""
    found = {name: build(FOLDER / "overlays" / name) for name in OURS}
    found["cpu, all"] = with_components("cpu", COMPONENTS, tmp_path_factory.mktemp("cpu"))
    others = [name for name in COMPONENTS if name != "queue-autoscaling"]
    found["gpu, all"] = with_components("gpu", others, tmp_path_factory.mktemp("gpu"))
    found["rayservice, all"] = with_components(
        "rayservice", COMPONENTS, tmp_path_factory.mktemp("rayservice")
    )
    return found


def one(manifests: list[Manifest], kind: str) -> Manifest:
    (found,) = (each for each in manifests if each["kind"] == kind)
    return found


def pods(manifests: list[Manifest]) -> Iterator[Manifest]:
    """The specs of all pods."""
    for each in manifests:
        if each["kind"] == "Deployment":
            yield each["spec"]["template"]["spec"]
        elif each["kind"] == "RayService":
            cluster = each["spec"]["rayClusterConfig"]
            for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
                yield group["template"]["spec"]


def containers(manifests: list[Manifest]) -> Iterator[Manifest]:
    for pod in pods(manifests):
        yield from pod["containers"] + pod.get("initContainers", [])


def environment(manifests: list[Manifest]) -> dict[str, str]:
    values: dict[str, str] = one(manifests, "ConfigMap")["data"]
    return values


def settings_of(manifests: list[Manifest], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in environment(manifests).items():
        monkeypatch.setenv(name, value)
    return load_settings()


def n_bytes(quantity: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", quantity).groups()  # type: ignore[union-attr]
    return int(number) * UNITS[unit]


def test_every_folder_is_tested() -> None:
    folders = {path.parent for path in FOLDER.rglob("kustomization.yaml")}
    expected = {FOLDER / "overlays" / name for name in OURS} | {FOLDER / "base", FOLDER / "models"}
    assert folders == expected | {FOLDER / "components" / name for name in COMPONENTS}


def test_overlays_and_components_are_documented() -> None:
    page = (DEPLOY.parent / "docs" / "deployment.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)
    assert sorted(rows) == sorted([*OURS, *COMPONENTS])


@pytest.mark.parametrize("desired", VERSIONS)
def test_manifests_match_the_published_schemas(
    built: dict[str, list[Manifest]], desired: str
) -> None:
    for manifests in built.values():
        for each in manifests:
            if each["kind"] not in CUSTOM:
                kubernetes_validate.validate(each, desired, strict=True)
        for pod in pods(manifests):
            whole = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": pod}
            kubernetes_validate.validate(whole, desired, strict=True)


def test_a_misspelt_field_is_invalid(built: dict[str, list[Manifest]]) -> None:
    deployment = one(build(FOLDER / "overlays" / "cpu"), "Deployment")
    deployment["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, VERSIONS[-1], strict=True)


def test_settings_exist_and_are_valid(
    built: dict[str, list[Manifest]], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {f"STT_{name.upper()}" for name in Settings.model_fields}
    for name, manifests in built.items():
        with monkeypatch.context() as patch:
            ours = {key for key in environment(manifests) if key.startswith("STT_")}
            assert ours <= known, name
            settings_of(manifests, patch)
        for container in containers(manifests):
            # The generated name, which changes with the content.
            ours = one(manifests, "ConfigMap")["metadata"]["name"]
            assert container["envFrom"] == [{"configMapRef": {"name": ours}}], name


def test_service_addresses_do_not_become_settings(
    built: dict[str, list[Manifest]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default pods get ``<SERVICE>_PORT=tcp://...`` for every Service in their namespace."""
    service = one(built["cpu"], "Service")["metadata"]["name"]
    with monkeypatch.context() as patch:
        patch.setenv(f"{service.upper()}_PORT", "tcp://10.0.0.1:8400")
        with pytest.raises(ConfigurationError):
            load_settings()
    for name, manifests in built.items():
        for pod in pods(manifests):
            assert pod.get("enableServiceLinks") is False, name


def test_images_match_the_overlay(built: dict[str, list[Manifest]]) -> None:
    for overlay, image in OURS.items():
        assert {each["image"] for each in containers(built[overlay])} == {image}


def test_probes_use_existing_routes(built: dict[str, list[Manifest]]) -> None:
    routes = set(create_app(load_settings(demo=True)).openapi()["paths"])
    for name, manifests in built.items():
        if name.startswith("rayservice"):
            continue
        (container,) = one(manifests, "Deployment")["spec"]["template"]["spec"]["containers"]
        asked = {
            kind: container[f"{kind}Probe"]["httpGet"]["path"]
            for kind in ("startup", "liveness", "readiness")
        }
        assert set(asked.values()) <= routes
        # A slow model load must not get the pod killed.
        assert asked == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}
        names = {port["name"] for port in container["ports"]}
        for kind in asked:
            assert container[f"{kind}Probe"]["httpGet"]["port"] in names


def test_ports_agree(built: dict[str, list[Manifest]]) -> None:
    default = Settings.model_fields["port"].default
    for name, manifests in built.items():
        ports = {
            port["containerPort"]
            for container in containers(manifests)
            for port in container.get("ports", [])
            if port["name"] in ("http", "serve")
        }
        assert ports == {default}, name
        if not name.startswith("rayservice"):
            (port,) = one(manifests, "Service")["spec"]["ports"]
            assert (port["port"], port["targetPort"]) == (default, "http")


def test_there_is_time_to_drain(
    built: dict[str, list[Manifest]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, manifests in built.items():
        with monkeypatch.context() as patch:
            settings = settings_of(manifests, patch)
        *_, pod = pods(manifests)  # in a RayService the workers, which take requests
        needed = settings.drain_delay_seconds + settings.drain_timeout_seconds + CLOSING_SECONDS
        assert pod["terminationGracePeriodSeconds"] > needed, name
        if not name.startswith("rayservice"):
            readiness = pod["containers"][0]["readinessProbe"]
            assert settings.drain_delay_seconds >= 2 * readiness["periodSeconds"]


def test_uploads_have_room(
    built: dict[str, list[Manifest]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for manifests in built.values():
        with monkeypatch.context() as patch:
            settings = settings_of(manifests, patch)
        n_open = settings.max_uploads + settings.max_queue_requests
        most = settings.max_upload_mb * 1e6 * n_open
        for pod in pods(manifests):
            (tmp,) = (each for each in pod["volumes"] if each["name"] == "tmp")
            assert n_bytes(tmp["emptyDir"]["sizeLimit"]) > most


def test_pods_are_confined(built: dict[str, list[Manifest]]) -> None:
    dockerfile = (FOLDER.parents[1] / "Dockerfile").read_text()
    (user,) = re.findall(r"^USER (\d+)$", dockerfile, re.MULTILINE)
    for manifests in built.values():
        for pod in pods(manifests):
            context = pod["securityContext"]
            assert context["runAsNonRoot"]
            assert context["runAsUser"] == context["fsGroup"] == int(user)
            assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(manifests):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]
            mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
            assert {"/models", "/tmp"} <= mounts  # everything that the image writes to


def test_models_are_downloaded_into_the_mounted_cache_first(
    built: dict[str, list[Manifest]],
) -> None:
    for name, manifests in built.items():
        *_, pod = pods(manifests)
        (download,) = pod["initContainers"]
        assert download["args"] == ["stt", "download"]
        (models,) = (each for each in pod["volumes"] if each["name"] == "models")
        claims = [
            each
            for each in manifests
            if each["kind"] == "PersistentVolumeClaim" and each["metadata"]["name"] != "stt-jobs"
        ]
        if "all" in name:  # one cache per pod
            assert not claims
            assert set(models) == {"name", "ephemeral"}
        else:
            assert models["persistentVolumeClaim"]["claimName"] == claims[0]["metadata"]["name"]
        mount = next(m for m in download["volumeMounts"] if m["name"] == "models")
        assert mount["mountPath"] == environment(manifests)["STT_CACHE_DIR"]


def test_the_autoscalers_metric_exists(built: dict[str, list[Manifest]]) -> None:
    values = FOLDER / "components" / "queue-autoscaling" / "adapter-values.yaml"
    (rule,) = yaml.safe_load(values.read_text())["rules"]["custom"]
    asked = promql_parser.parse(rule["seriesQuery"])
    kinds = {}
    for name, manifests in built.items():
        if name.startswith("rayservice"):
            continue  # Ray scales by itself
        autoscaler = one(manifests, "HorizontalPodAutoscaler")["spec"]
        assert (
            autoscaler["scaleTargetRef"]["name"] == one(manifests, "Deployment")["metadata"]["name"]
        )
        kinds[name] = [each["type"] for each in autoscaler["metrics"]]
        for metric in autoscaler["metrics"]:
            if metric["type"] == "Pods":
                assert metric["pods"]["metric"]["name"] == asked.name
                assert asked.name in series()
                target = float(metric["pods"]["target"]["averageValue"])
                limits = GPU if name.startswith("gpu") else CPU
                assert target == limits.max_queue_seconds / 10
    assert kinds == {
        "cpu": ["Resource"],
        "gpu": ["Pods"],  # CPU load does not show how busy a GPU is
        "cpu, all": ["Resource", "Pods"],
        "gpu, all": ["Pods"],
    }
    # The adapter's template expands to a valid query.
    query = rule["metricsQuery"].replace("<<.GroupBy>>", "pod")
    promql_parser.parse(
        query.replace("<<.Series>>", asked.name).replace("<<.LabelMatchers>>", 'pod="x"')
    )


def test_the_api_keys_are_mounted_where_the_setting_says(built: dict[str, list[Manifest]]) -> None:
    for name in ("cpu, all", "gpu, all"):
        (pod,) = pods(built[name])
        (mount,) = (m for m in pod["containers"][0]["volumeMounts"] if m["name"] == "api-keys")
        file = Path(environment(built[name])["STT_API_KEYS_FILE"])
        assert file == Path(mount["mountPath"]) / "api-keys"
        assert {
            "name": "api-keys",
            "secret": {"secretName": "stt-api-keys", "defaultMode": 0o440},
        } in (pod["volumes"])


def test_jobs_have_a_volume_and_a_database_or_are_off(
    built: dict[str, list[Manifest]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, manifests in built.items():
        with monkeypatch.context() as patch:
            settings = settings_of(manifests, patch)
        *_, pod = pods(manifests)
        (container,) = pod["containers"]
        paths = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert settings.jobs == ("all" in name) == ("jobs" in paths), name
        if not settings.jobs:
            continue
        assert str(settings.state_dir) == paths["jobs"]
        (variable,) = container["env"]
        assert variable["name"].removeprefix("STT_").lower() in Settings.model_fields
        assert variable["valueFrom"] == {
            "secretKeyRef": {"name": "stt-jobs-database", "key": "url"}
        }
        (volume,) = (each for each in pod["volumes"] if each["name"] == "jobs")
        (claim,) = (
            each["spec"]
            for each in manifests
            if each["kind"] == "PersistentVolumeClaim"
            and each["metadata"]["name"] == volume["persistentVolumeClaim"]["claimName"]
        )
        assert claim["accessModes"] == ["ReadWriteMany"]


def test_all_selectors_match_the_pods(built: dict[str, list[Manifest]]) -> None:
    manifests = built["cpu, all"]
    labels = one(manifests, "Deployment")["spec"]["template"]["metadata"]["labels"]
    selectors = {
        "Service": one(manifests, "Service")["spec"]["selector"],
        **{
            kind: one(manifests, kind)["spec"]["selector"]["matchLabels"]
            for kind in ("Deployment", "PodDisruptionBudget", "PodMonitor")
        },
        "NetworkPolicy": one(manifests, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    }
    for kind, selector in selectors.items():
        assert selector.items() <= labels.items(), kind
    (endpoint,) = one(manifests, "PodMonitor")["spec"]["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("http", "/metrics")


def test_the_ray_service_is_valid(built: dict[str, list[Manifest]]) -> None:
    """Field names as in KubeRay's v1 types; Ray itself parses its part."""
    spec = one(built["rayservice"], "RayService")["spec"]
    assert set(spec) == {"serveConfigV2", "rayClusterConfig"}
    cluster = spec["rayClusterConfig"]
    assert set(cluster) == {
        "rayVersion", "authOptions", "enableInTreeAutoscaling", "autoscalerOptions",
        "headGroupSpec", "workerGroupSpecs",
    }  # fmt: skip
    assert cluster["rayVersion"] == version("ray")
    assert set(cluster["headGroupSpec"]) == {"rayStartParams", "template"}
    (workers,) = cluster["workerGroupSpecs"]
    assert set(workers) == {
        "groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template",
    }  # fmt: skip
    for group in (workers, cluster["headGroupSpec"]):
        for value in group["rayStartParams"].values():
            assert isinstance(value, str)
    serve = ServeDeploySchema.model_validate(yaml.safe_load(spec["serveConfigV2"]))
    (application,) = serve.applications
    assert application.import_path == "stt.cluster:app"
    load_settings(**application.args)
    assert serve.http_options.port == Settings.model_fields["port"].default


def test_a_worker_has_the_cores_that_its_replicas_need(
    built: dict[str, list[Manifest]], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(built["rayservice"], monkeypatch)
    *_, worker = pods(built["rayservice"])
    cores = float(worker["containers"][0]["resources"]["limits"]["cpu"])
    assert cores >= settings.cpu_threads + settings.cluster_ingress_cpus
    (group,) = one(built["rayservice"], "RayService")["spec"]["rayClusterConfig"][
        "workerGroupSpecs"
    ]
    assert settings.cluster_engines == f"{group['minReplicas']}-{group['maxReplicas']}"


def test_ray_needs_a_token_and_its_ports_are_closed(built: dict[str, list[Manifest]]) -> None:
    manifests = built["rayservice"]
    cluster = one(manifests, "RayService")["spec"]["rayClusterConfig"]
    assert cluster["authOptions"] == {"mode": "token"}
    (policy,) = (each for each in manifests if each["kind"] == "NetworkPolicy")
    selected = policy["spec"]["podSelector"]["matchLabels"]
    groups = (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])
    for group in groups:
        assert selected.items() <= group["template"]["metadata"]["labels"].items()
    ports = [
        {port["port"] for port in rule["ports"]}
        for rule in policy["spec"]["ingress"]
        if "from" not in rule
    ]
    assert ports == [{Settings.model_fields["port"].default}]


def test_only_rays_autoscaler_has_a_token_for_kubernetes(
    built: dict[str, list[Manifest]],
) -> None:
    for name, manifests in built.items():
        for pod in pods(manifests):
            assert pod["automountServiceAccountToken"] is False, name
        mounted = {
            mount["name"] for each in containers(manifests) for mount in each["volumeMounts"]
        }
        assert "kubernetes-token" not in mounted
    cluster = one(built["rayservice"], "RayService")["spec"]["rayClusterConfig"]
    (mount,) = cluster["autoscalerOptions"]["volumeMounts"]
    volumes = cluster["headGroupSpec"]["template"]["spec"]["volumes"]
    (token,) = (each for each in volumes if each["name"] == mount["name"])
    assert "serviceAccountToken" in token["projected"]["sources"][0]


def test_the_workers_of_a_ray_cluster_get_the_keys(built: dict[str, list[Manifest]]) -> None:
    manifests = built["rayservice, all"]
    *_, worker = pods(manifests)
    file = Path(environment(manifests)["STT_API_KEYS_FILE"])
    (container,) = worker["containers"]
    paths = {mount["name"]: Path(mount["mountPath"]) for mount in container["volumeMounts"]}
    assert paths["api-keys"] == file.parent
    (volume,) = (each for each in worker["volumes"] if each["name"] == "api-keys")
    assert volume["secret"]["secretName"] == "stt-api-keys"
    assert {"ephemeral"} == {*worker["volumes"][0]} - {"name"}
