"""Prometheus metrics, counted only where the setting turns them on."""

from __future__ import annotations

import os
from pathlib import Path

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_counting = _VARIABLE in os.environ

if _counting:
    from prometheus_client import Counter, Histogram

    _requests = Counter(
        "tenantry_http_requests_total", "Answered requests.", ["method", "route", "status"]
    )
    _seconds = Histogram(
        "tenantry_http_request_seconds",
        "Seconds from a request to the end of its answer.",
        ["route"],
        buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    )

_METHODS = frozenset({"GET", "POST", "OPTIONS", "HEAD", "PUT", "PATCH", "DELETE"})


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Counts one request; the labels come from tables of ours, never from the request."""
    if _counting:
        _requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        _seconds.labels(route).observe(seconds)


def serve(host: str, port: int, folder: Path) -> None:
    """Serves the sum over all processes. Called before they start, in the parent."""
    folder.mkdir(parents=True, exist_ok=True)
    for left_behind in folder.glob("*.db"):
        left_behind.unlink(missing_ok=True)
    os.environ[_VARIABLE] = str(folder)
    from prometheus_client import CollectorRegistry, start_http_server
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    start_http_server(port, host, registry)
