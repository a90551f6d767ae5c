"""Load by wrk, and what it measured."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench_support.management import Credentials
from bench_support.server import BenchError

# Each of wrk's threads is another Lua state and starts at another application.
TOKEN_SCRIPT = """\
local threads = 0
function setup(thread)
  thread:set("first", threads)
  threads = threads + 1
end
function init()
  requests = {}
  local headers = {["Content-Type"] = "application/x-www-form-urlencoded"}
  for form in io.lines(FORMS) do
    requests[#requests + 1] = wrk.format("POST", "/oauth/token", headers, form)
  end
  position = first * 37
end
function request()
  position = position + 1
  return requests[position % #requests + 1]
end
"""

REPORT_SCRIPT = """\
function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    'RESULT {"requests": %d, "microseconds": %d, "p50": %f, "p99": %f, "max": %f, '
      .. '"refused": %d, "failed": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    latency.max, errors.status, failed))
end
"""


@dataclass(frozen=True)
class Measured:
    """One run of wrk. Latencies are those of a closed loop, as wrk has them."""

    requests: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    errors: int


def token_script(folder: Path, name: str, applications: Sequence[Credentials]) -> Path:
    """A script for wrk, `name`, that asks for a token as each application in turn."""
    forms = folder / f"forms-{name}.txt"
    forms.touch(mode=0o600)
    forms.write_text("".join(f"{one.form()}\n" for one in applications), encoding="utf-8")
    script = folder / f"token-{name}.lua"
    script.write_text(f"local FORMS = {json.dumps(str(forms))}\n{TOKEN_SCRIPT}{REPORT_SCRIPT}")
    return script


def get_script(folder: Path) -> Path:
    script = folder / "get.lua"
    script.write_text(REPORT_SCRIPT)
    return script


def drive(url: str, script: Path, connections: int, seconds: int) -> Measured:
    """Keeps so many connections busy for so long."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    done = subprocess.run(
        [*command, "-s", str(script), url],
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        check=False,
    )
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            result = json.loads(line.removeprefix("RESULT "))
            return Measured(
                requests=result["requests"],
                requests_per_second=result["requests"] / (result["microseconds"] / 1e6),
                p50_ms=result["p50"] / 1000,
                p99_ms=result["p99"] / 1000,
                max_ms=result["max"] / 1000,
                errors=result["refused"] + result["failed"],
            )
    raise BenchError(f"wrk measured nothing:\n{done.stdout}{done.stderr}")
