"""The real server, started as anybody would start it, and its memory."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench_support.http import get

TENANTRY = Path(sys.executable).with_name("tenantry")
START_SECONDS = 60.0
STOP_SECONDS = 15.0


class BenchError(Exception):
    """The measurement cannot go on, and why."""


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: "subprocess.Popen[bytes]"
    port: int
    workers: int

    def memory(self) -> list[float]:
        """Resident MiB of each worker: the server's children, or itself if it has none."""
        children = _descendants(self.process.pid)
        resident = sorted((_resident(pid) for pid in children), reverse=True)
        workers = resident[: self.workers] if len(resident) >= self.workers > 1 else []
        return workers or [max([_resident(self.process.pid), *resident])]

    def cpu_seconds(self) -> float:
        """What all of its processes have computed until now."""
        return sum(_computed(pid) for pid in {self.process.pid, *_descendants(self.process.pid)})


@contextmanager
def running(environment: Mapping[str, str], port: int, workers: int, log: Path) -> Iterator[Server]:
    """Starts the server, waits until it is ready, and stops it in any case."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TENANTRY_")}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [TENANTRY, "serve", "--migrate"],
            env={**kept, **environment, "TENANTRY_WORKERS": str(workers)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, port, log)
        yield Server(process, port, workers)
    finally:
        _stop(process)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise BenchError(f"the server ended with {process.returncode}:\n{_tail(log)}")
        try:
            if get(port, "/readyz")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise BenchError(f"the server was not ready in {START_SECONDS:.0f} s:\n{_tail(log)}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        print("The server did not stop in time and is killed.", file=sys.stderr)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:])


def _descendants(pid: int) -> set[int]:
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(folder.name)] = int(fields[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def _resident(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _computed(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
