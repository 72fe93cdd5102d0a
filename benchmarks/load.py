"""Uploads, many at a time, and the probes that come meanwhile."""

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
"""From one probe to the next."""
FORMATS = {
    # Ending, rate, channels and soundfile's names of container and coding.
    "wav": ("wav", SAMPLE_RATE, 1, "WAV", "PCM_16"),
    "wav-44k-stereo": ("wav", 44_100, 2, "WAV", "PCM_16"),
    "flac": ("flac", 44_100, 1, "FLAC", "PCM_16"),
    "mp3": ("mp3", 44_100, 2, "MP3", "MPEG_LAYER_III"),
    "ogg": ("ogg", 44_100, 1, "OGG", "VORBIS"),
}


@dataclass(frozen=True)
class Upload:
    """A multipart body as a client would send it, made once, so that sending it costs little."""

    body: bytes
    content_type: str
    audio_seconds: float


def make_upload(format_name: str, audio_seconds: float, offset: int = 0) -> Upload:
    """A recording of speech in a format of `FORMATS`."""
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
    """What came of some uploads; runs of several rounds are added up."""

    latencies: list[float] = field(default_factory=list)
    """Seconds from sending to the whole answer, of those answered 200."""
    audio_seconds: float = 0.0
    """Of those answered 200."""
    wall_seconds: float = 0.0
    others: Counter[str] = field(default_factory=Counter)
    """Other statuses, and failures of the connection, by name."""
    probes: list[float] = field(default_factory=list)
    """Seconds that a liveness probe took."""
    failed_probes: int = 0
    forward_seconds: float = 0.0
    """That the service itself counted in its model meanwhile; 0 where it counts none."""

    def add(self, other: "Run") -> None:
        """Take another round's."""
        self.latencies += other.latencies
        self.audio_seconds += other.audio_seconds
        self.wall_seconds += other.wall_seconds
        self.others += other.others
        self.probes += other.probes
        self.failed_probes += other.failed_probes
        self.forward_seconds += other.forward_seconds

    @property
    def throughput(self) -> float:
        """Audio seconds for each second."""
        return self.audio_seconds / self.wall_seconds if self.wall_seconds else 0.0


def send(client: httpx.Client, upload: Upload) -> httpx.Response:
    """One upload; the answer."""
    headers = {"Content-Type": upload.content_type}
    return client.post("/transcribe", content=upload.body, headers=headers)


async def run_load(url: str, uploads: Sequence[Upload], count: int, at_once: int) -> Run:
    """Send ``count`` uploads in turn from ``at_once`` clients, each the next when it has its
    answer."""
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
    """Asks whether a service is alive, every `PROBE_SECONDS`, whether or not it has answered.

    Runs in a worker, so that the load's own process does not delay it. A probe has a connection of
    its own, as Kubernetes' have.
    """

    def start(self, url: str) -> None:
        """Begin."""
        self._url, self._stop = url, threading.Event()
        self._durations: list[float] = []
        self._failed = 0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._probe()))
        self._thread.start()

    def stop(self) -> tuple[list[float], int]:
        """End, once all have been answered: their seconds, and how many failed."""
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
