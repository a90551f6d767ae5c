"""Refusals and faults as answers, in the format of the endpoint that was asked."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tenantry.core.errors import Overloaded
from tenantry.core.facts import TenantFacts
from tenantry.edge.branding import branding_of
from tenantry.edge.render import NO_STORE, json_response, page, see_other, with_query
from tenantry.edge.throttle import TooManyRequests
from tenantry.oauth.errors import OAuthError
from tenantry.pages import ErrorView, error_page


def oauth_error(error: OAuthError) -> Response:
    """RFC 6749 §5.2."""
    return json_response(
        {"error": error.error, "error_description": error.description},
        error.status,
        {**NO_STORE, **error.headers},
    )


def overloaded(error: Overloaded) -> Response:
    return json_response(
        {"error": "temporarily_unavailable", "error_description": "The server is overloaded."},
        503,
        {**NO_STORE, "Retry-After": str(error.retry_after)},
    )


def too_many_requests(request: Request, error: TooManyRequests) -> Response:
    """RFC 6585 §4, as a page for people."""
    if "text/html" not in request.headers.get("accept", ""):
        return oauth_error(error)
    response = error_response_page(request, None, error.error, error.description, error.status)
    response.headers.update(error.headers)
    return response


def error_response_page(
    request: Request, tenant: TenantFacts | None, error: str, description: str, status: int = 400
) -> Response:
    """For people; at the tenant's own page where it has one."""
    correlation_id = str(request.scope.get("tenantry.request_id", ""))
    if tenant is not None and tenant.error_page_url is not None:
        told = {
            "error": error,
            "error_description": description,
            "correlation_id": correlation_id,
        }
        return see_other(with_query(tenant.error_page_url, told))
    branding = branding_of(tenant) if tenant is not None else None
    return page(error_page(ErrorView(branding, error, description, correlation_id)), status)
