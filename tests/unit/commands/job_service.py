"""A stand-in for a service with jobs, on a real socket. It can be stopped and started again."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass
class StandInJob:
    name: str | None
    content: bytes
    form: dict[str, str]
    looks: int = 0


def openai_error(status: int, message: str, **headers: str) -> JSONResponse:
    body = {"error": {"message": message, "type": "t", "param": None, "code": "c"}}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse(body, status, headers=names)


@dataclass
class JobStandIn:
    """Jobs end after a number of looks; their text is what was uploaded."""

    looks_until_end: int = 2
    fails: set[str] = field(default_factory=set)
    """Names of recordings whose jobs fail."""
    most: int = 100
    """Jobs that it takes at a time."""
    before: Callable[[Request], Response | None] = lambda request: None
    """Called first; may answer instead."""
    jobs: dict[str, StandInJob] = field(default_factory=dict)
    n_submitted: int = 0
    requests: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    @contextmanager
    def listening(self) -> Iterator["JobStandIn"]:
        """Serve until the block ends; a second time at the same port."""
        with socket.create_server(("127.0.0.1", self.port)) as listener:
            self.port = listener.getsockname()[1]
            server = uvicorn.Server(uvicorn.Config(self._app(), log_config=None, lifespan="off"))
            thread = threading.Thread(target=server.run, args=([listener],))
            log = logging.getLogger("uvicorn.error")
            level = log.level
            log.setLevel(logging.CRITICAL)  # the test may have closed its standard error by then
            thread.start()
            while not server.started:
                time.sleep(0.005)
            try:
                yield self
            finally:
                server.should_exit = True
                thread.join(20)
                log.setLevel(level)

    def _app(self) -> Starlette:
        routes = [
            ("/livez", "GET", self._live),
            ("/v1/jobs", "POST", self._submit),
            ("/v1/jobs/{id}", "GET", self._look),
            ("/v1/jobs/{id}", "DELETE", self._remove),
            ("/v1/jobs/{id}/result", "GET", self._result),
        ]
        return Starlette(
            routes=[
                Route("/api" + path, self._counted(handler), methods=[method])
                for path, method, handler in routes
            ]
        )

    def _counted(self, handler: Any) -> Any:
        async def handle(request: Request) -> Response:
            self.requests.append(f"{request.method} {request.url.path.removeprefix('/api')}")
            if (answer := self.before(request)) is not None:
                return answer
            found: Response = await handler(request)
            return found

        return handle

    async def _live(self, request: Request) -> Response:
        return Response()

    async def _submit(self, request: Request) -> Response:
        form = await request.form()
        file: Any = form["file"]
        if len(self.jobs) >= self.most:
            return openai_error(429, "Too many jobs.", Retry_After="1")
        fields = {name: str(value) for name, value in form.items() if name != "file"}
        self.n_submitted += 1
        job_id = f"job{self.n_submitted}"
        self.jobs[job_id] = StandInJob(file.filename, await file.read(), fields)
        return JSONResponse(
            self._describe(job_id, "queued"), 202, headers={"Location": f"/api/v1/jobs/{job_id}"}
        )

    async def _look(self, request: Request) -> Response:
        job_id = request.path_params["id"]
        if job_id not in self.jobs:
            return openai_error(404, "No such job.")
        job = self.jobs[job_id]
        job.looks += 1
        state = "running"
        if job.looks > self.looks_until_end:
            state = "failed" if job.name in self.fails else "succeeded"
        return JSONResponse(self._describe(job_id, state))

    def _describe(self, job_id: str, state: str) -> dict[str, Any]:
        error = {"status": 415, "code": "unsupported_format", "detail": "It is no audio."}
        return {
            "id": job_id,
            "state": state,
            "progress_seconds": 1.0,
            "duration_seconds": 2.0,
            "remaining_seconds": None,
            "text": "",
            "error": error if state == "failed" else None,
        }

    async def _result(self, request: Request) -> Response:
        assert request.query_params["response_format"] == "verbose_json"
        text = self.jobs[request.path_params["id"]].content.decode()
        word = {"word": text, "start": 0.1, "end": 1.9, "confidence": 0.9}
        return JSONResponse(
            {
                "text": text,
                "language": "KR",
                "model": "m",
                "duration_seconds": 2.0,
                "words": [word],
            }
        )

    async def _remove(self, request: Request) -> Response:
        del self.jobs[request.path_params["id"]]
        return Response(status_code=204)
