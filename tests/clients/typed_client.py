"""The environment of the generator of typed clients, if it was made as its lock says."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "typed"
PYTHON = FOLDER / ".venv" / "bin" / "python"


@cache
def typed_client_problem() -> str:
    """Why no client can be generated, or nothing."""
    if not PYTHON.exists():
        return "no environment in tests/clients/typed: tests/clients/typed/install"
    listed = subprocess.run(
        [PYTHON, "-m", "pip", "freeze"], capture_output=True, text=True, timeout=60
    ).stdout
    found = {line.lower().replace("_", "-") for line in listed.splitlines()}
    lock = (FOLDER / "requirements.txt").read_text()
    if set(re.findall(r"^[\w-]+==[\w.]+", lock.lower(), re.MULTILINE)) - found:
        return "something older in tests/clients/typed: tests/clients/typed/install"
    return ""
