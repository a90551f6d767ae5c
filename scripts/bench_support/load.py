"""Load by wrk, and what it measured."""

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench_support.server import BenchError

# Each of wrk's threads is another Lua state and starts at another line.
FORM_SCRIPT = """\
local threads = 0
function setup(thread)
  thread:set("first", threads)
  threads = threads + 1
end
function init()
  requests = {}
  local headers = {["Content-Type"] = "application/x-www-form-urlencoded"}
  for form in io.lines(LINES) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, form)
  end
  position = first * 37
end
function request()
  position = position + 1
  return requests[position % #requests + 1]
end
"""

BEARER_SCRIPT = """\
function init()
  requests = {}
  for token in io.lines(LINES) do
    requests[#requests + 1] = wrk.format("GET", nil, {["Authorization"] = "Bearer " .. token})
  end
  position = 0
end
function request()
  position = position + 1
  return requests[position % #requests + 1]
end
"""

# A refresh token is on its way or it waits here: the next request takes the longest waiting.
REFRESH_SCRIPT = """\
function init()
  forms, oldest, newest = {}, 1, 0
  for form in io.lines(LINES) do
    local before, token = form:match("^(.*refresh_token=)(.*)$")
    newest = newest + 1
    prefix, forms[newest] = before, token
  end
  headers = {["Content-Type"] = "application/x-www-form-urlencoded"}
end
function request()
  local token = forms[oldest]
  forms[oldest], oldest = nil, oldest + 1
  return wrk.format("POST", nil, headers, prefix .. (token or "none-left"))
end
function response(status, headers, body)
  local token = body:match('"refresh_token":"([^"]+)"')
  if token then
    newest = newest + 1
    forms[newest] = token
  end
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
    """One run. Latencies are those of a closed loop."""

    requests: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    errors: int


def script(folder: Path, name: str, lua: str, lines: Iterable[str]) -> Path:
    """A script for wrk, `name`, that runs `lua` over `lines`, which only we may read."""
    kept = folder / f"{name}.txt"
    kept.touch(mode=0o600)
    kept.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    written = folder / f"{name}.lua"
    written.write_text(f"local LINES = {json.dumps(str(kept))}\n{lua}{REPORT_SCRIPT}")
    return written


def get_script(folder: Path) -> Path:
    script = folder / "get.lua"
    script.write_text(REPORT_SCRIPT)
    return script


def drive(url: str, script: Path, connections: int, seconds: int) -> Measured:
    """Keeps so many connections busy for so long."""
    with driving(url, script, connections, seconds) as finish:
        return finish()


@contextmanager
def driving(
    url: str, script: Path, connections: int, seconds: int
) -> Iterator[Callable[[], Measured]]:
    """Load in the background of the block; what it yields waits for the end of it."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    process = subprocess.Popen(
        [*command, "-s", str(script), url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def finish() -> Measured:
        return _measured(*process.communicate(timeout=seconds + 60))

    try:
        yield finish
    finally:
        process.kill()
        process.wait()


def _measured(output: str, errors: str) -> Measured:
    for line in output.splitlines():
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
    raise BenchError(f"wrk measured nothing:\n{output}{errors}")
