"""Loads what the readiness checks look at, and keeps which of them are dismissed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.facts import ApplicationFacts
from tenantry.core.readiness import OF_TENANT, ReadinessDismissalFacts
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.application_readiness import ApplicationReadinessFacts, check_application
from tenantry.rules.credentials import future
from tenantry.rules.fields import clean_text
from tenantry.rules.readiness import ReadinessCheck, TenantReadinessFacts, check_tenant
from tenantry.services.applications import require_tenant
from tenantry.services.changes import record_change
from tenantry.store import (
    applications,
    client_grants,
    connections,
    credentials,
    readiness_dismissals,
    resource_servers,
)
from tenantry.store.pages import PageRequest
from tenantry.store.unit_of_work import TenantSession

_LOOKED_AT = 1_000
MAX_REASON = 500


def tenant_readiness(db: TenantSession, address: TenantAddress) -> tuple[ReadinessCheck, ...]:
    """The oldest thousand APIs and connections are looked at."""
    request = PageRequest(_LOOKED_AT)
    return check_tenant(
        TenantReadinessFacts(
            tenant=require_tenant(db),
            is_https=address.is_https,
            connections=connections.page(db, request=request).items,
            apis=resource_servers.page(db, request=request).items,
        )
    )


def dismiss(
    db: TenantSession,
    address: TenantAddress,
    client_id: str | None,
    check: str,
    reason: str,
    until: datetime | None,
) -> ReadinessDismissalFacts:
    """The check need not be passed, until then or until `restore`."""
    application = _application(db, client_id)
    _require_check(db, address, application, check)
    made = ReadinessDismissalFacts(
        application_id=application.id if application else OF_TENANT,
        check_name=check,
        reason=clean_text(reason, ("reason",), MAX_REASON, 1),
        dismissed_by=db.caller.actor.id,
        dismissed_at=db.now,
        expires_at=future(until, db.now, "until") if until is not None else None,
    )
    readiness_dismissals.put(db, made)
    told = {"check_name": check, "reason": made.reason, "expires_at": made.expires_at}
    _record(db, "readiness_check.dismissed", application, told)
    return made


def restore(db: TenantSession, client_id: str | None, check: str) -> str:
    """The check is shown again. Returns its name."""
    application = _application(db, client_id)
    place = application.id if application else OF_TENANT
    if not readiness_dismissals.remove(db, place, check):
        raise DomainError(ErrorCode.NOT_FOUND, "This check is not dismissed.", "check")
    _record(db, "readiness_check.restored", application, {"check_name": check})
    return check


def _application(db: TenantSession, client_id: str | None) -> ApplicationFacts | None:
    if client_id is None:
        return None
    application = applications.find_by_client_id(db, client_id)
    if application is None:
        raise not_found("application", "client_id")
    return application


def _require_check(
    db: TenantSession, address: TenantAddress, application: ApplicationFacts | None, check: str
) -> None:
    """The rules themselves say which checks there are."""
    if application is None:
        known = tenant_readiness(db, address)
    else:
        granted = client_grants.count_of_each_client(db, [application.client_id])
        known = check_application(
            ApplicationReadinessFacts(
                tenant=require_tenant(db),
                application=application,
                number_of_client_grants=granted.get(application.client_id, 0),
                credentials=credentials.of_application(db, application.id),
                now=db.now,
            )
        )
    if check not in {one.check for one in known}:
        raise DomainError(ErrorCode.NOT_FOUND, "There is no such check.", "check")


def _record(
    db: TenantSession, type: str, application: ApplicationFacts | None, told: Mapping[str, object]
) -> None:
    if application is None:
        record_change(db, type, ("Tenant", db.tenant_id), after=told)
    else:
        target = ("Application", application.id)
        record_change(db, type, target, after=told, client_id=application.client_id)
