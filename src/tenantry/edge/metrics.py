"""Prometheus metrics, counted only where the setting turns them on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


@dataclass(frozen=True, slots=True)
class _Meters:
    requests: Counter
    seconds: Histogram


_meters: _Meters | None = None
_METHODS = frozenset({"GET", "POST", "OPTIONS", "HEAD", "PUT", "PATCH", "DELETE"})


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Counts one request; the labels come from tables of ours, never from the request."""
    if _meters is not None:
        label = method if method in _METHODS else "other"
        _meters.requests.labels(label, route, str(status)).inc()
        _meters.seconds.labels(route).observe(seconds)


def prepare(folder: Path) -> None:
    """Turns counting on, in this process and those that it forks."""
    folder.mkdir(parents=True, exist_ok=True)
    for left_behind in folder.glob("*.db"):
        left_behind.unlink(missing_ok=True)
    # The library looks at the variable when it is imported, which is why that happens here.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    from prometheus_client import Counter, Histogram

    global _meters
    _meters = _Meters(
        Counter("tenantry_http_requests_total", "Answers.", ["method", "route", "status"]),
        Histogram(
            "tenantry_http_request_seconds",
            "Seconds from a request to the end of its answer.",
            ["route"],
            buckets=_BUCKETS,
        ),
    )


def serve(host: str, port: int) -> None:
    """Serves the sum over all processes, in a thread of the parent."""
    from prometheus_client import CollectorRegistry, start_http_server
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    # The library leaves this one without types.
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    start_http_server(port, host, registry)
