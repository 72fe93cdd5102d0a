import time
from pathlib import Path

from fastapi.testclient import TestClient

from tests.api.conftest import Serve
from tests.fakes import FakeEngine
from tests.live import wait_until

ROOT = Path(__file__).parents[2]


def test_health_when_ready(client: TestClient) -> None:
    response = client.get("/health")
    body = response.json()
    assert response.status_code == 200
    assert body["status"] == "ok"
    assert body["model_loaded"] is True
    assert body["processor_loaded"] is True
    assert body["device"] == "cpu"
    assert body["model_id"] == "kresnik/wav2vec2-large-xlsr-korean"
    assert body["cpu_threads"] >= 1
    assert body["cpu_cores"] >= 1
    assert body["memory_mb"] > 10
    assert body["demo"] is False
    assert [(each["language"], each["status"]) for each in body["models"]] == [
        ("KR", "ready"),
        ("EN", "ready"),
    ]


def test_health_while_a_model_loads(serve: Serve, wav: bytes) -> None:
    def slow() -> None:
        time.sleep(1.5)

    with serve(engine=FakeEngine(slow), ready=False) as client:
        wait_until(lambda: client.get("/health").json()["models"][0]["step"] == "warming")
        response = client.get("/health")
        assert response.status_code == 503
        assert response.json()["status"] == "loading"
        assert response.json()["device"] is None
        assert response.json()["models"][0]["step"] == "warming"
        assert client.get("/livez").status_code == 200
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"status": "loading"})
        answer = client.post("/transcribe", files={"file": ("a.wav", wav)})
        assert answer.status_code == 503
        assert answer.json()["code"] == "model_loading"
        assert int(answer.headers["retry-after"]) >= 1


def test_health_when_a_model_is_broken(serve: Serve, wav: bytes) -> None:
    with serve("--models", "KR=/no/such/folder", ready=False) as client:
        deadline = time.monotonic() + 30
        while (body := client.get("/health").json())["status"] == "loading":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert body["status"] == "failed"
        assert "does not exist. Check the path in STT_MODELS" in body["models"][0]["reason"]
        assert "/no/such" not in str(body)
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 503
        answer = client.post("/transcribe", files={"file": ("a.wav", wav)})
        assert (answer.status_code, answer.json()["code"]) == (503, "model_failed")
        assert "retry-after" not in answer.headers


def test_languages(client: TestClient) -> None:
    korean, english = client.get("/languages").json()["languages"]
    assert korean == {
        "code": "KR",
        "name": "Korean",
        "native_name": "한국어",
        "tag": "ko-KR",
        "aliases": ["ko", "ko-kr", "kor", "korean"],
        "model_id": "kresnik/wav2vec2-large-xlsr-korean",
        "revision": "main",
        "status": "ready",
        "default": True,
        "language_model": "none",
        "written": True,
        "spacing": True,
        "convention": "spoken",
        "evaluations": [],
    }
    assert (english["code"], english["default"]) == ("EN", False)
    assert english["written"] is True
    assert english["spacing"] is False


def test_the_root_is_a_summary_for_programs_and_a_page_for_browsers(client: TestClient) -> None:
    summary = client.get("/").json()
    assert summary["languages"] == ["KR", "EN"]
    assert summary["endpoints"]["transcribe"] == "POST /transcribe"
    page = client.get("/", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<html" in page.text


def test_every_route_of_the_summary_exists(client: TestClient) -> None:
    for entry in client.get("/").json()["endpoints"].values():
        method, path = entry.split()
        assert client.request(method, path).status_code not in (404, 405)


def test_the_page_loads_nothing_from_other_hosts(client: TestClient) -> None:
    page = client.get("/", headers={"accept": "text/html"})
    policy = dict(
        directive.strip().partition(" ")[::2]
        for directive in page.headers["content-security-policy"].split(";")
    )
    assert policy.pop("default-src") == "'none'"
    allowed = {name: value for name, value in policy.items() if name.endswith("-src")}
    assert allowed.pop("media-src") == "blob:"
    assert set(allowed.values()) == {"'self'"}
    assert page.headers["x-content-type-options"] == "nosniff"


def test_the_pages_modules_are_served_as_javascript(client: TestClient) -> None:
    for name in ("app.js", "pcm-worklet.js"):
        module = client.get(f"/static/{name}")
        assert module.status_code == 200
        assert module.headers["content-type"].startswith("text/javascript")


def test_browsers_revalidate_the_pages_files(client: TestClient) -> None:
    """An unchanged file is a 304 without a body."""
    assert client.get("/", headers={"accept": "text/html"}).headers["cache-control"] == "no-cache"
    names = [file.name for file in (ROOT / "stt" / "server" / "static").iterdir()]
    assert "app.js" in names
    for name in names:
        first = client.get(f"/static/{name}")
        assert first.headers["cache-control"] == "no-cache"
        again = client.get(f"/static/{name}", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["cache-control"] == "no-cache"
