"""Requests that the tenant's access control list keeps out, asked once for each request."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from tenantry.core.access_control import EndpointGroup
from tenantry.edge.errors import error_response_page
from tenantry.edge.render import NO_STORE, json_response
from tenantry.rules.access_control import group_of
from tenantry.services.access_control import is_refused
from tenantry.services.request import request_context
from tenantry.services.throttle import Sample

_ERROR = "access_denied"
_DESCRIPTION = "The access control list of this tenant does not let this address in."


class AccessControl:
    """Knows which refusals were written down lately."""

    def __init__(self) -> None:
        self._sample = Sample()

    async def refusal(self, scope: Scope) -> Response | None:
        """The answer to who is kept out; None for everybody else."""
        group = group_of(scope["path"])
        if group is None:
            return None
        context = request_context(scope)
        if not await is_refused(scope["tenantry.runtime"], self._sample, context, group):
            return None
        return _refusal(scope, group)


def _refusal(scope: Scope, group: EndpointGroup) -> Response:
    """RFC 9110 §15.5.4, in the format of the endpoint that was asked."""
    accept = Headers(scope=scope).get("accept", "")
    if scope["type"] == "http" and "text/html" in accept:
        return error_response_page(Request(scope), None, _ERROR, _DESCRIPTION, 403)
    if group is EndpointGroup.MANAGEMENT:
        error = {"message": _DESCRIPTION, "extensions": {"code": "ACCESS_DENIED"}}
        return json_response({"errors": [error]}, 403, NO_STORE)
    return json_response({"error": _ERROR, "error_description": _DESCRIPTION}, 403, NO_STORE)
