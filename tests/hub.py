"""A fake model hub with enough of the HTTP interface for the real hub client.

It serves local folders as repositories, and can fail, be slow, or cut connections.
"""

import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class FakeHub:
    """``with FakeHub({"owner/name": folder}) as hub:`` serves at ``hub.endpoint``."""

    def __init__(self, repositories: dict[str, Path], port: int = 0) -> None:
        self.repositories = repositories
        self.broken = False
        """Answer everything with 503."""
        self.cut_after: list[int] = []
        """Bytes after which to close the connection, for each of the next large downloads."""
        self.bytes_per_second: float | None = None
        self.requests: list[tuple[str, str, str | None]] = []
        """(method, path, Range header) of each request."""
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                hub._answer(self)

            def do_GET(self) -> None:
                hub._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "FakeHub":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def downloads(self, name: str) -> list[str | None]:
        """The Range headers of all GETs of a file."""
        return [r for method, path, r in self.requests if method == "GET" and path.endswith(name)]

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        path = unquote(urlsplit(request.path).path)
        self.requests.append((request.command, path, request.headers.get("Range")))
        if self.broken:
            self._send(request, 503, b"down for maintenance")
            return
        for repository, folder in self.repositories.items():
            if path.startswith(f"/api/models/{repository}/revision/"):
                self._send_info(request, repository, folder, path.rsplit("/", 1)[1])
                return
            prefix = f"/{repository}/resolve/"
            if path.startswith(prefix):
                _revision, name = path.removeprefix(prefix).split("/", 1)
                self._send_file(request, folder / name)
                return
        self._send(request, 404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def _send_info(
        self, request: BaseHTTPRequestHandler, repository: str, folder: Path, revision: str
    ) -> None:
        if revision not in ("main", COMMIT):
            self._send(request, 404, b"{}", {"X-Error-Code": "RevisionNotFound"})
            return
        siblings = [
            {"rfilename": file.name, "size": file.stat().st_size}
            for file in sorted(folder.iterdir())
            if file.is_file()
        ]
        info = {"id": repository, "modelId": repository, "sha": COMMIT, "siblings": siblings}
        body = json.dumps({**info, "private": False, "tags": [], "downloads": 0, "likes": 0})
        self._send(request, 200, body.encode(), {"Content-Type": "application/json"})

    def _send_file(self, request: BaseHTTPRequestHandler, file: Path) -> None:
        if not file.is_file():
            self._send(request, 404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        body = file.read_bytes()
        headers = {
            "ETag": f'"{hashlib.sha256(body).hexdigest()}"',
            "X-Repo-Commit": COMMIT,
            "Accept-Ranges": "bytes",
        }
        asked = request.headers.get("Range")
        if asked and request.command == "GET":
            start = int(asked.removeprefix("bytes=").partition("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            self._send(request, 206, body[start:], headers)
        else:
            self._send(request, 200, body, headers)

    def _send(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        body: bytes,
        headers: dict[str, str] | None = None,
    ) -> None:
        request.send_response(status)
        for name, value in (headers or {}).items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if request.command == "HEAD":
            return
        if self.cut_after and len(body) > 10_000:
            request.wfile.write(body[: self.cut_after.pop(0)])
            request.wfile.flush()
            request.close_connection = True
            return
        if self.bytes_per_second is None:
            request.wfile.write(body)
            return
        for start in range(0, len(body), 16384):
            piece = body[start : start + 16384]
            if self.bytes_per_second:  # tests change it meanwhile
                time.sleep(len(piece) / self.bytes_per_second)
            request.wfile.write(piece)
