"""Helpers for the cluster tests: replica processes and aggregated metrics."""

import re
from collections import Counter

import psutil

from tests.e2e.server import Server

START_SECONDS = 180
"""Ray alone takes ten seconds on an idle machine."""


def replicas(server: Server, deployment: str) -> list[psutil.Process]:
    """The processes of ``Engine``, ``Ingress`` or ``Ledger``."""
    found = []
    for process in psutil.Process(server.process.pid).children(recursive=True):
        try:
            if "".join(process.cmdline()[:1]).startswith(f"ray::ServeReplica:stt:{deployment}"):
                found.append(process)
        except psutil.Error:
            continue  # it has just ended
    return found


def engines(server: Server) -> list[psutil.Process]:
    """The processes of the engine replicas."""
    return replicas(server, "Engine")


def ready_engines(server: Server, n_models: int) -> list[psutil.Process]:
    """The engine replicas that have logged all their models as ready."""
    said: Counter[int] = Counter()
    for line in tuple(server.log):
        if found := re.search(r"stt:Engine pid=(\d+)\).* is ready: ", line):
            said[int(found[1])] += 1
    return [process for process in engines(server) if said[process.pid] == n_models]


def metric(server: Server, name: str) -> float:
    """A metric without labels, aggregated over the cluster."""
    lines = server.get("/metrics").text.splitlines()
    (value,) = [line.split()[-1] for line in lines if line.startswith(name + " ")]
    return float(value)


def listening(server: Server) -> set[tuple[str, int]]:
    """Address and port of every listening socket of the server's processes."""
    root = psutil.Process(server.process.pid)
    found = set()
    for process in (root, *root.children(recursive=True)):
        try:
            sockets = process.net_connections("inet")
        except psutil.Error:
            continue  # it has just ended
        found |= {tuple(each.laddr) for each in sockets if each.status == psutil.CONN_LISTEN}
    return found
