"""Concurrent uploads, and liveness probes meanwhile."""

import asyncio
import io
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import numpy as np

from benchmarks.timed_engine import recording
from stt.types import SAMPLE_RATE

TIMEOUT_SECONDS = 1800
PROBE_SECONDS = 0.1
"""Between probes."""
FORMATS = {
    # Extension, rate, channels, and soundfile's names of container and encoding.
    "wav": ("wav", SAMPLE_RATE, 1, "WAV", "PCM_16"),
    "wav-44k-stereo": ("wav", 44_100, 2, "WAV", "PCM_16"),
    "flac": ("flac", 44_100, 1, "FLAC", "PCM_16"),
    "mp3": ("mp3", 44_100, 2, "MP3", "MPEG_LAYER_III"),
    "ogg": ("ogg", 44_100, 1, "OGG", "VORBIS"),
}


@dataclass(frozen=True)
class Upload:
    """A multipart body, built once so that sending it is cheap."""

    body: bytes
    content_type: str
    audio_seconds: float


def make_upload(format_name: str, audio_seconds: float, offset: int = 0) -> Upload:
    """Encode speech in a format of `FORMATS`."""
    import soundfile
    import soxr

    ending, rate, channels, container, coding = FORMATS[format_name]
    samples = recording(round(audio_seconds * SAMPLE_RATE), offset)
    samples = soxr.resample(samples, SAMPLE_RATE, rate) if rate != SAMPLE_RATE else samples
    file = io.BytesIO()
    channels_first = np.repeat(samples[:, None], channels, axis=1)
    soundfile.write(file, channels_first, rate, format=container, subtype=coding)
    request = httpx.Request(
        "POST",
        "http://localhost/transcribe",
        files={"file": (f"clip.{ending}", file.getvalue())},
        data={"lang": "KR"},
    )
    return Upload(request.read(), request.headers["Content-Type"], audio_seconds)


@dataclass
class Run:
    """Results of uploads; rounds are added up."""

    latencies: list[float] = field(default_factory=list)
    """Seconds from sending to the full response, of uploads answered 200."""
    audio_seconds: float = 0.0
    """Of uploads answered 200."""
    wall_seconds: float = 0.0
    others: Counter[str] = field(default_factory=Counter)
    """Other statuses, and connection errors by name."""
    probes: list[float] = field(default_factory=list)
    """Seconds of each liveness probe."""
    failed_probes: int = 0
    forward_seconds: float = 0.0
    """Seconds in the model by the service's own metric; 0 without metrics."""

    def add(self, other: "Run") -> None:
        """Add another round."""
        self.latencies += other.latencies
        self.audio_seconds += other.audio_seconds
        self.wall_seconds += other.wall_seconds
        self.others += other.others
        self.probes += other.probes
        self.failed_probes += other.failed_probes
        self.forward_seconds += other.forward_seconds

    @property
    def throughput(self) -> float:
        """Audio seconds per second."""
        return self.audio_seconds / self.wall_seconds if self.wall_seconds else 0.0


def send(client: httpx.Client, upload: Upload) -> httpx.Response:
    """Send one upload."""
    headers = {"Content-Type": upload.content_type}
    return client.post("/transcribe", content=upload.body, headers=headers)


async def run_load(url: str, uploads: Sequence[Upload], count: int, at_once: int) -> Run:
    """Send ``count`` uploads from ``at_once`` clients, each waiting for its response."""
    run = Run()
    numbers = iter(range(count))
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=TIMEOUT_SECONDS) as client:

        async def one_client() -> None:
            for number in numbers:
                upload = uploads[number % len(uploads)]
                headers = {"Content-Type": upload.content_type}
                started = time.perf_counter()
                try:
                    response = await client.post(
                        "/transcribe", content=upload.body, headers=headers
                    )
                except httpx.HTTPError as error:
                    run.others[type(error).__name__] += 1
                    continue
                if response.status_code == 200 and "text" in response.json():
                    run.latencies.append(time.perf_counter() - started)
                    run.audio_seconds += upload.audio_seconds
                else:
                    run.others[str(response.status_code)] += 1

        began = time.perf_counter()
        await asyncio.gather(*(one_client() for _ in range(at_once)))
        run.wall_seconds = time.perf_counter() - began
    return run


class Prober:
    """Sends a liveness probe every `PROBE_SECONDS` without waiting for earlier ones.

    Runs in a worker so that the load does not delay it. Each probe opens its own connection, as
    Kubernetes does.
    """

    def start(self, url: str) -> None:
        """Start probing."""
        self._url, self._stop = url, threading.Event()
        self._durations: list[float] = []
        self._failed = 0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._probe()))
        self._thread.start()

    def stop(self) -> tuple[list[float], int]:
        """Wait for all probes; return their seconds and the number of failures."""
        self._stop.set()
        self._thread.join()
        return self._durations, self._failed

    async def _probe(self) -> None:
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(limits=limits, timeout=TIMEOUT_SECONDS) as client:

            async def once() -> None:
                started = time.perf_counter()
                try:
                    response = await client.get(self._url)
                except httpx.HTTPError:
                    self._failed += 1
                    return
                self._failed += response.status_code != 200
                self._durations.append(time.perf_counter() - started)

            async with asyncio.TaskGroup() as group:
                while not self._stop.is_set():
                    group.create_task(once())
                    await asyncio.sleep(PROBE_SECONDS)
