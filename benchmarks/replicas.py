"""What the processes of a cluster use, and what goes between them."""

import pickle
import re
from collections import Counter

import numpy as np
import psutil

from stt.cluster.wire import Reply
from stt.types import SAMPLE_RATE, FrameGrid, Frames

PARTS = {
    "engine": r"^ray::ServeReplica:stt:Engine",
    "ingress": r"^ray::ServeReplica:stt:Ingress",
    "decoding": r"stt\.decoding",
    "ledger": r"^ray::ServeReplica:stt:Ledger",
    "proxy": r"^ray::ProxyActor",
    "controller": r"^ray::ServeController",
    "raylet, GCS": r"raylet/raylet|gcs_server",
    "agents": r"dashboard|runtime_env|log_monitor|monitor\.py",
    "stt serve": r"--cluster",
    "service": r"server_stt\.py",
}
"""Processes by what their command lines say; the first that matches. *Service* is all of it in one
process, without a cluster."""
OTHERS = "others"
GRID = FrameGrid(320, 400)


def processor_seconds(root: int) -> Counter[str]:
    """Used so far by each part, of a process and all below it."""
    used: Counter[str] = Counter()
    top = psutil.Process(root)
    for process in [top, *top.children(recursive=True)]:
        try:
            line, times = " ".join(process.cmdline()), process.cpu_times()
        except psutil.Error:
            continue  # it has just ended
        part = next((name for name, sign in PARTS.items() if re.search(sign, line)), OTHERS)
        used[part] += times.user + times.system
    return used


def wire_bytes(audio_seconds: float) -> tuple[int, int]:
    """A window's bytes to an engine, and its frames' back."""
    n_samples = round(audio_seconds * SAMPLE_RATE)
    n_frames = GRID.n_frames(n_samples)
    frames = Frames(
        np.zeros(n_frames, np.int32), np.zeros(n_frames, np.float32), np.zeros(n_frames, np.float32)
    )
    sent = np.zeros(n_samples, np.float32), Reply.of(frames, 0.1, 0.2)
    there, back = (len(pickle.dumps(each, protocol=5)) for each in sent)
    return there, back
