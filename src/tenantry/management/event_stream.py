"""GraphQL over Server-Sent Events, "distinct connections mode": one POST, one subscription.

Events are `next` with a result, and `complete`. A comment goes out where nothing happens, so that
whoever stands between keeps the connection and both ends notice when it is gone.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from starlette.responses import StreamingResponse

from tenantry.management.body import EVENT_STREAM
from tenantry.management.errors import request_error
from tenantry.management.streaming import RefusedError, with_pauses
from tenantry.tokens.verify import InvalidToken

PAUSE_SECONDS = 12.0


def event_stream(results: AsyncGenerator[dict[str, Any], None]) -> StreamingResponse:
    headers = {
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(_events(results), 200, headers, EVENT_STREAM)


async def _events(results: AsyncGenerator[dict[str, Any], None]) -> AsyncIterator[bytes]:
    yield b":\n\n"
    try:
        async for result in with_pauses(results, PAUSE_SECONDS):
            yield b":\n\n" if result is None else _next(result)
    except RefusedError as refusal:
        yield _next({"errors": [error.formatted for error in refusal.errors]})
    except InvalidToken:
        ended = request_error("UNAUTHENTICATED", "The access token has ended.")
        yield _next({"errors": [ended.formatted]})
    yield b"event: complete\ndata: \n\n"


def _next(result: dict[str, Any]) -> bytes:
    text = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    return b"event: next\ndata: " + text.encode(errors="replace") + b"\n\n"
