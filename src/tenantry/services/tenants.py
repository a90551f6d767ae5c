"""Tenants: making them with all that a new one has, changing and deleting them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.facts import DATABASE_CONNECTION, SigningAlgorithm, TenantFacts
from tenantry.core.ids import new_id
from tenantry.rules.access_control import require_reachable
from tenantry.rules.addresses import Addresses
from tenantry.rules.fields import checked, with_defaults
from tenantry.rules.nouns import TENANT_FIELDS, tenant_name
from tenantry.services import applications
from tenantry.services import connections as connection_services
from tenantry.services.apis import find_api_in
from tenantry.services.changes import record_change
from tenantry.services.commands import NewApplication, Patch, Values
from tenantry.services.management_api import api_values, scopes_of
from tenantry.store import connections, installation, resource_servers, system_apis
from tenantry.store.unit_of_work import INSTALLATION, TenantSession

EXPLORER_CLIENT_ID = "tenantry-explorer"
ROOT_NAME = "root"


def create(
    db: TenantSession, addresses: Addresses, name: str, command: Values, *, is_root: bool = False
) -> TenantFacts:
    """A tenant with its database connection, its management API and its explorer."""
    values: dict[str, Any] = with_defaults(TENANT_FIELDS, command)
    values |= {"name": tenant_name(name, ("name",)), "is_root": is_root}
    _require_rs256(values)
    _require_within_limits(db, command)
    _require_reachable(db, values)
    tenant_id = new_id()
    installation.create_tenant(db, tenant_id, values)
    _furnish(db.for_tenant(tenant_id), addresses.issuer(name, is_root=is_root), is_root=is_root)
    tenant = installation.find_tenant(db, tenant_id)
    if tenant is None:
        raise not_found("tenant")
    # In its own log and, where an operator made it, in the root's.
    for log in {tenant_id, db.tenant_id} - {INSTALLATION}:
        record_change(db.for_tenant(log), "tenant.created", ("Tenant", tenant_id), after=values)
    return tenant


def _furnish(db: TenantSession, issuer: str, *, is_root: bool) -> None:
    connection_services.create(db, {"name": DATABASE_CONNECTION, "is_domain_connection": True})
    resource_servers.create(db, api_values(f"{issuer}graphql", is_root=is_root))
    applications.create(
        db,
        NewApplication(
            {
                "name": "GraphQL explorer",
                "application_type": "spa",
                "redirect_uris": (f"{issuer}graphql",),
                "post_logout_redirect_uris": (f"{issuer}graphql",),
            },
            connections=(DATABASE_CONNECTION,),
        ),
        EXPLORER_CLIENT_ID,
        is_system=True,
    )


def renew_management_apis(db: TenantSession) -> int:
    """Gives the management APIs of all tenants the scopes of this release. Returns how many."""
    return system_apis.write_scopes(
        db,
        [asdict(scope) for scope in scopes_of(is_root=True)],
        [asdict(scope) for scope in scopes_of(is_root=False)],
    )


def update(db: TenantSession, addresses: Addresses, patch: Patch) -> TenantFacts:
    """`patch.id` is the tenant of the session."""
    current = applications.require_tenant(db)
    if patch.id != current.id:
        raise not_found("tenant")
    values = checked(TENANT_FIELDS, patch.values)
    _require_rs256(values)
    _require_within_limits(db, values)
    _require_reachable(db, values)
    _require_audience(db, addresses, values.get("default_audience"))
    directory = values.get("default_directory")
    if directory is not None and connections.find_by_name(db, directory) is None:
        raise not_found("connection", "default_directory")
    installation.change_tenant(db, current, values, patch.expected_revision)
    record_change(db, "tenant.updated", ("Tenant", current.id), before=current, after=values)
    return applications.require_tenant(db)


def clear_access_control(db: TenantSession, name: str) -> bool:
    """The operator's way back into a tenant of this name. False: there is none."""
    found = installation.find_tenant_by_name(db, name)
    if found is None:
        return False
    own, values = db.for_tenant(found.id), {"access_control_list": ()}
    installation.change_tenant(own, found, values, None)
    record_change(own, "tenant.updated", ("Tenant", found.id), before=found, after=values)
    return True


def delete(db: TenantSession, patch: Patch) -> str:
    """Ends the tenant at once and for good; its name stays taken. Returns the id."""
    current = installation.find_tenant(db, patch.id)
    if current is None:
        raise not_found("tenant")
    if current.is_root:
        raise DomainError(ErrorCode.NOT_ALLOWED, "The root tenant cannot be deleted.", "id")
    if patch.expected_revision not in {None, current.revision}:
        raise DomainError(
            ErrorCode.CONFLICT,
            "The tenant has changed since.",
            "expected_revision",
            current_revision=current.revision,
        )
    installation.mark_tenant_deleted(db, current)
    record_change(
        db, "tenant.deleted", ("Tenant", current.id), before=None, after={"name": current.name}
    )
    return current.id


def _require_audience(db: TenantSession, addresses: Addresses, audience: str | None) -> None:
    if audience is not None and find_api_in(db, addresses, audience) is None:
        raise not_found("API", "default_audience")


def _require_within_limits(db: TenantSession, given: Values) -> None:
    for name in ("session_idle_lifetime", "session_lifetime"):
        asked, most = given.get(name), getattr(db.limits, name)
        if asked is not None and asked > most:
            raise DomainError(
                ErrorCode.OUT_OF_RANGE, f"The operator allows at most {most} seconds.", name
            )


def _require_reachable(db: TenantSession, given: Values) -> None:
    if db.caller.actor.kind != "system":
        require_reachable(given.get("access_control_list", ()), db.caller.request.ip)


def _require_rs256(values: dict[str, Any]) -> None:
    chosen = values.get("signing_algorithms")
    if chosen is not None and SigningAlgorithm.RS256 not in chosen:
        raise DomainError(ErrorCode.REQUIRED, "RS256 cannot be switched off.", "signing_algorithms")
