"""The process that hashes passwords: each line that it reads is a question, each that it writes
the answer, in JSON. It ends with its standard input, so that none outlives who asks.

A process and not a thread: a thread of low priority that holds Python's lock holds up all others.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence

from tenantry.keys.passwords import hash_password, verify_password

IDLE = "idle"
NICE = "nice"


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _step_back(sys.argv[1])
    for line in sys.stdin.buffer:
        sys.stdout.write(f"{json.dumps(answer(json.loads(line)))}\n")
        sys.stdout.flush()


def _step_back(priority: str) -> None:
    if priority == NICE:
        os.nice(10)
    elif sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    else:
        os.nice(19)


def answer(question: Sequence[str | None]) -> str | bool:
    match question:
        case ["hash", str(password)]:
            return hash_password(password)
        case ["verify", str(password), stored]:
            return verify_password(password, stored)
        case _:
            raise ValueError("neither hash nor verify")


if __name__ == "__main__":
    main()
