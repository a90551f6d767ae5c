"""`/healthz`, `/readyz`, `/` and the static files of pages."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from tenantry.edge.render import NO_STORE, json_response, see_other
from tenantry.services.request import request_context
from tenantry.services.runtime import Runtime

_TYPES = {".js": "text/javascript", ".css": "text/css"}


async def healthz(request: Request) -> Response:
    """The process answers."""
    return json_response({"status": "ok"}, 200, NO_STORE)


async def readyz(request: Request) -> Response:
    """The process can serve: the database answers."""
    runtime: Runtime = request.scope["tenantry.runtime"]
    if not await runtime.store.is_available():
        return json_response({"status": "database unavailable"}, 503, NO_STORE)
    return json_response({"status": "ok"}, 200, NO_STORE)


async def home(request: Request) -> Response:
    """A newcomer's first address leads to the explorer."""
    return see_other(request_context(request.scope).address.management_identifier)


class Assets:
    """Files of the package, found by their names in folders that were listed at start."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._files = {
            f"/assets/{name}/{path.relative_to(folder).as_posix()}": path
            for name, folder in folders.items()
            for path in folder.rglob("*")
            if path.is_file()
        }

    async def serve(self, request: Request) -> Response:
        path = self._files.get(request.scope["path"])
        if path is None:
            return json_response({"error": "not_found"}, 404)
        media_type = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
        return FileResponse(
            path,
            media_type=media_type,
            headers={
                "Cache-Control": "public, max-age=31536000, immutable",
                "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": "default-src 'none'",
            },
        )
