"""The results, as a table for people and as JSON for programs."""

import os
import platform
from dataclasses import asdict, dataclass, field
from typing import Any

from bench_support.load import Measured


@dataclass(frozen=True)
class Bound:
    """What a load is compared with: a rate of the machine, or of the same load undisturbed."""

    name: str
    rate: float


@dataclass(frozen=True)
class Run:
    """One measured load. `cpu_ms` is what the server computed for one request."""

    database: str
    endpoint: str
    algorithm: str | None
    workers: int
    connections: int
    seconds: int
    measured: Measured
    cpu_ms: float
    bound: Bound | None

    @property
    def ratio(self) -> float | None:
        """Of the rate that the machine could reach."""
        return self.measured.requests_per_second / self.bound.rate if self.bound else None

    def cells(self) -> list[str]:
        measured = self.measured
        return [
            self.database,
            self.endpoint,
            self.algorithm or "",
            str(self.workers),
            str(self.connections),
            f"{measured.requests_per_second:,.0f}",
            f"{measured.p50_ms:.2f}",
            f"{measured.p99_ms:.2f}",
            f"{self.cpu_ms:.2f}",
            f"{self.ratio:.2f} {self.bound.name}" if self.ratio and self.bound else "",
            str(measured.errors),
        ]


@dataclass(frozen=True)
class Memory:
    """Resident MiB of each worker, after its first request and after the load."""

    database: str
    workers: int
    idle: list[float]
    loaded: list[float]

    def cells(self) -> list[str]:
        return [self.database, str(self.workers), _figures(self.idle), _figures(self.loaded)]


@dataclass(frozen=True)
class Administered:
    """The middle of one kind of management request, in the server itself."""

    database: str
    request: str
    wall_ms: float
    cpu_ms: float
    statements: int | None

    def cells(self) -> list[str]:
        statements = "" if self.statements is None else str(self.statements)
        return [
            self.database,
            self.request,
            f"{self.wall_ms:.1f}",
            f"{self.cpu_ms:.1f}",
            statements,
        ]


@dataclass
class Report:
    """All that was measured in one go."""

    applications: int
    bare_rates: dict[str, float] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    administration: list[Administered] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def errors(self) -> int:
        return sum(run.measured.errors for run in self.runs)

    def text(self) -> str:
        rates = [f"{name} {rate:,.0f}" for name, rate in self.bare_rates.items()]
        run_heads = ["database", "endpoint", "alg", "workers", "connections"]
        run_heads += ["a second", "p50 ms", "p99 ms", "CPU ms", "ratio of", "errors"]
        memory_heads = ["database", "workers", "MiB a worker, idle", "after load"]
        machine = f"{os.cpu_count()} cores (wrk uses them too), Python {platform.python_version()}"
        administration_heads = ["database", "management request", "ms", "CPU ms", "statements"]
        parts = [
            f"{machine}, {self.applications} applications",
            f"A second of two processes that do nothing else: {', '.join(rates)}",
            table(run_heads, [run.cells() for run in self.runs], left=3),
            table(memory_heads, [one.cells() for one in self.memory], left=1),
            table(administration_heads, [one.cells() for one in self.administration], left=2),
            *self.notes,
        ]
        return "\n\n".join(parts)

    def json(self) -> dict[str, Any]:
        return {
            "machine": {
                "cores": os.cpu_count(),
                "architecture": platform.machine(),
                "python": platform.python_version(),
                "kernel": platform.release(),
            },
            "applications": self.applications,
            "bareRates": self.bare_rates,
            "runs": [{**asdict(run), "ratio": run.ratio} for run in self.runs],
            "memory": [asdict(one) for one in self.memory],
            "administration": [asdict(one) for one in self.administration],
            "errors": self.errors,
            "notes": self.notes,
        }


def table(heads: list[str], rows: list[list[str]], left: int) -> str:
    """Columns as wide as they need; the first ones begin at the left, figures end at the right."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index < left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [heads, ["-" * width for width in widths], *rows]
    )


def _figures(values: list[float]) -> str:
    return " + ".join(f"{value:.0f}" for value in values)
