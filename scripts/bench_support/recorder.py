"""One load after the other, each kept in the report with what the server computed for it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench_support.load import Measured, drive
from bench_support.report import Bound, Report, Run
from bench_support.server import Server


@dataclass(frozen=True)
class Load:
    """What is measured: its name, what signs, and how many connections are busy."""

    endpoint: str
    algorithm: str | None
    connections: int


@dataclass(frozen=True)
class Recorder:
    """Measures on one running server."""

    report: Report
    database: str
    server: Server
    seconds: int
    warm_up: int

    def drive(self, load: Load, path: str, script: Path, bound: Bound | None) -> Measured:
        """Load by wrk."""
        url = f"http://127.0.0.1:{self.server.port}{path}"
        return self.record(load, bound, lambda: drive(url, script, load.connections, self.seconds))

    def record(self, load: Load, bound: Bound | None, run: Callable[[], Measured]) -> Measured:
        computed = self.server.cpu_seconds()
        measured = run()
        computed = self.server.cpu_seconds() - computed
        self.report.runs.append(
            Run(
                database=self.database,
                endpoint=load.endpoint,
                algorithm=load.algorithm,
                workers=self.server.workers,
                connections=load.connections,
                seconds=self.seconds,
                measured=measured,
                cpu_ms=computed * 1000 / max(1, measured.requests),
                bound=bound,
            )
        )
        ratio = self.report.runs[-1].ratio
        say(
            f"{self.database} {load.endpoint} {load.algorithm or ''} {self.server.workers} "
            f"workers, {load.connections} connections: {measured.requests_per_second:,.0f} a "
            f"second{f' ({ratio:.2f} of {bound.name})' if bound and ratio else ''}, "
            f"p99 {measured.p99_ms:.1f} ms, {self.report.runs[-1].cpu_ms:.2f} CPU ms each, "
            f"{measured.errors} errors"
        )
        return measured


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
