"""Log lines: one a request, as text or JSON, never with a secret or a query."""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import sys
import threading
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

_FLUSH_SECONDS = 0.1
_MAX_BUFFERED = 1000


class JsonFormatter(logging.Formatter):
    """One JSON object a line; control characters are escaped by JSON itself."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_facts(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str, separators=(",", ":"))


class TextFormatter(logging.Formatter):
    """Readable lines; what came from outside is quoted, so that it cannot forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        clock = _clock(int(record.created))
        pairs = " ".join([f"{name}={_quoted(value)}" for name, value in _facts(record).items()])
        line = f"{clock} {record.levelname.lower():7} {record.getMessage()} {pairs}".rstrip()
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def _facts(record: logging.LogRecord) -> dict[str, object]:
    facts: dict[str, object] = record.__dict__.get("facts", {})
    return facts


@lru_cache(maxsize=2)
def _clock(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%H:%M:%S")


def _quoted(value: object) -> str:
    text = str(value)
    return (
        text if text and text.isascii() and text.isprintable() and " " not in text else repr(text)
    )


class BufferedHandler(logging.Handler):
    """Writes lines in batches, ten times a second; warnings and worse at once."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []
        threading.Thread(target=self._flush_often, name="log", daemon=True).start()
        atexit.register(self.flush)

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))
        if record.levelno >= logging.WARNING or len(self._lines) >= _MAX_BUFFERED:
            self.flush()

    def flush(self) -> None:
        with self.lock or contextlib.nullcontext():
            lines, self._lines = self._lines, []
            if lines:
                sys.stderr.write("\n".join(lines) + "\n")
                sys.stderr.flush()

    def _flush_often(self) -> None:
        while True:
            time.sleep(_FLUSH_SECONDS)
            self.flush()


def configure(style: Literal["text", "json"], level: str) -> None:
    # Who called, and from which thread, is in no line: it need not be found out for each.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = BufferedHandler()
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("uvicorn.access").disabled = True
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
