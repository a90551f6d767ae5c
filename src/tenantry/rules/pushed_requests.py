"""RFC 9126: which applications push their requests, and how long these wait for the browser."""

from __future__ import annotations

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ApplicationFacts, TenantFacts
from tenantry.rules.admission import Admission, check

# RFC 9126 §2.2 finds "between 5 and 600 seconds" usual.
MIN_LIFETIME, MAX_LIFETIME = 10, 599
DEFAULT_LIFETIME = 60


def lifetime(application: ApplicationFacts) -> int:
    """How long a pushed request waits for its first use, in seconds."""
    chosen = application.pushed_authorization_request_lifetime
    return DEFAULT_LIFETIME if chosen is None else chosen


def may_push(tenant: TenantFacts) -> Admission:
    return check(
        "push_supported",
        tenant.pushed_authorization_requests_supported,
        "Tenant.pushedAuthorizationRequestsSupported",
        "invalid_request",
        "The tenant has not switched on pushed authorization requests.",
    )


def may_come_unpushed(application: ApplicationFacts) -> Admission:
    """§5 and §6: of a client that must push, other requests "MUST" be refused."""
    by_level = application.compliance_level is not None
    return check(
        "unpushed_request",
        not application.require_pushed_authorization_requests,
        "Application.complianceLevel"
        if by_level
        else "Application.requirePushedAuthorizationRequests",
        "invalid_request",
        "Pushed authorization requests are required by the configured compliance level."
        if by_level
        else "The application must push its authorization requests.",
    )


def require_push_switched_on(tenant: TenantFacts, *, required: bool) -> None:
    """An application that must push where nobody can could not sign anybody in."""
    if required and not tenant.pushed_authorization_requests_supported:
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "The tenant has not switched on pushed authorization requests.",
            "require_pushed_authorization_requests",
        )
