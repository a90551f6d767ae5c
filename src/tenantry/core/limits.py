"""What the operator allows tenants at most."""

from __future__ import annotations

from dataclasses import dataclass

MAX_SESSION_IDLE_LIFETIME = 144_000 * 60
MAX_SESSION_LIFETIME = 525_600 * 60
JOB_BYTES = 128 * 1024 * 1024
JOB_LINES = 100_000
JOB_LINE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Limits:
    """Lifetimes are in seconds. A tenant's own setting counts up to these.

    Of an upload to a job: its bytes, its lines, the bytes of a line.
    """

    session_idle_lifetime: int = MAX_SESSION_IDLE_LIFETIME
    session_lifetime: int = MAX_SESSION_LIFETIME
    job_bytes: int = JOB_BYTES
    job_lines: int = JOB_LINES
    job_line_bytes: int = JOB_LINE_BYTES
