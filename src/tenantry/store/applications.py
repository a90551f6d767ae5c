"""Applications. A deleted one is marked, so that its use ends at once, and pruned later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import case, delete, exists, insert, select, update

from tenantry.core.compliance import ComplianceLevel
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ApplicationFacts, ApplicationType
from tenantry.rules.custom_domain_urls import urls_at
from tenantry.rules.redirect_uris import allowed_origins
from tenantry.store import custom_domains, pages, records
from tenantry.store.epochs import bump
from tenantry.store.pages import Page, PageRequest
from tenantry.store.rows import to_facts
from tenantry.store.tables import applications, connection_applications, connections
from tenantry.store.unit_of_work import TenantSession

_MAX_LINKED = 1_000
SETTINGS = tuple(
    field.name
    for field in fields(ApplicationFacts)
    if field.name not in {"id", "revision", "created_at", "updated_at"}
)


def _taken() -> DomainError:
    return DomainError(ErrorCode.ALREADY_EXISTS, "This external id is taken.", "external_id")


def create(db: TenantSession, values: Mapping[str, Any]) -> str:
    """`values` name every setting. Returns the id."""
    row_id = records.create(db, applications, values, _taken())
    bump(db)
    return row_id


def find(db: TenantSession, id: str) -> ApplicationFacts | None:
    return records.find(db, applications, ApplicationFacts, id=id, deleted_at=None)


def lock(db: TenantSession, id: str) -> ApplicationFacts | None:
    """The same, kept from others until the commit."""
    return records.find(db, applications, ApplicationFacts, for_update=True, id=id, deleted_at=None)


def find_by_client_id(db: TenantSession, client_id: str) -> ApplicationFacts | None:
    return records.find(db, applications, ApplicationFacts, client_id=client_id, deleted_at=None)


def find_by_external_id(db: TenantSession, external_id: str) -> ApplicationFacts | None:
    return records.find(
        db, applications, ApplicationFacts, external_id=external_id, deleted_at=None
    )


def find_by_client_ids(db: TenantSession, client_ids: Sequence[str]) -> dict[str, ApplicationFacts]:
    rows = db.connection.execute(
        select(applications).where(
            applications.c.tenant_id == db.tenant_id,
            applications.c.client_id.in_(client_ids),
            applications.c.deleted_at.is_(None),
        )
    ).mappings()
    return {row["client_id"]: to_facts(ApplicationFacts, row) for row in rows}


def change(
    db: TenantSession,
    current: ApplicationFacts,
    values: Mapping[str, Any],
    expected_revision: int | None = None,
) -> None:
    records.change(db, applications, current, values, expected_revision, _taken())
    bump(db)


def on_devices(db: TenantSession, platform: str) -> tuple[ApplicationFacts, ...]:
    """Those that open links on `android` or `ios`, the oldest first; a thousand at most."""
    named = {"android": "android_app_package_name", "ios": "ios_app_bundle_identifier"}
    rows = db.connection.execute(
        select(applications)
        .where(
            applications.c.tenant_id == db.tenant_id,
            applications.c.deleted_at.is_(None),
            applications.c[named[platform]].is_not(None),
        )
        .order_by(applications.c.id)
        .limit(_MAX_LINKED)
    ).mappings()
    return tuple(to_facts(ApplicationFacts, row) for row in rows)


def compliance_levels(db: TenantSession, _: str) -> tuple[ComplianceLevel, ...]:
    """Every compliance level that an application of the tenant has."""
    found = db.connection.execute(
        select(applications.c.compliance_level)
        .where(
            applications.c.tenant_id == db.tenant_id,
            applications.c.deleted_at.is_(None),
            applications.c.compliance_level.is_not(None),
        )
        .distinct()
    ).scalars()
    return tuple(ComplianceLevel(level) for level in sorted(found))


def mark_deleted(
    db: TenantSession, current: ApplicationFacts, expected_revision: int | None = None
) -> None:
    """Ends its use; what hangs on it is pruned in batches."""
    records.require_revision(current, expected_revision)
    expected = [] if expected_revision is None else [applications.c.revision == expected_revision]
    ended = db.connection.execute(
        update(applications)
        .where(
            applications.c.tenant_id == db.tenant_id,
            applications.c.id == current.id,
            applications.c.deleted_at.is_(None),
            *expected,
        )
        .values(
            deleted_at=db.now,
            secret_digest=None,
            secret_envelope=None,
            registration_token_digest=None,
        )
    ).rowcount
    if not ended:
        raise records.overtaken(db, applications, current, deleted_at=None)
    bump(db)


@dataclass(frozen=True, slots=True)
class ApplicationFilter:
    """Each that is not None narrows a list."""

    name_contains: str | None = None
    application_type: ApplicationType | None = None
    is_first_party: bool | None = None
    is_dynamically_registered: bool | None = None


EVERY = ApplicationFilter()


def page(
    db: TenantSession, request: PageRequest, criteria: ApplicationFilter = EVERY
) -> Page[ApplicationFacts]:
    conditions = _conditions(db, criteria)
    return pages.fetch_page(db, applications, conditions, request, ApplicationFacts)


def count(db: TenantSession, criteria: ApplicationFilter = EVERY) -> int:
    return pages.count(db, applications, _conditions(db, criteria))


def _conditions(db: TenantSession, criteria: ApplicationFilter) -> list[Any]:
    conditions: list[Any] = [
        applications.c.tenant_id == db.tenant_id,
        applications.c.deleted_at.is_(None),
    ]
    if criteria.name_contains:
        conditions.append(applications.c.name.icontains(criteria.name_contains, autoescape=True))
    if criteria.application_type:
        conditions.append(applications.c.application_type == criteria.application_type.value)
    for name in ("is_first_party", "is_dynamically_registered"):
        wanted: bool | None = getattr(criteria, name)
        if wanted is not None:
            conditions.append(applications.c[name].is_(wanted))
    return conditions


def origins(db: TenantSession, domain_id: str = "") -> frozenset[str]:
    """Every origin that some application of the tenant lists: what a preflight may pass.

    `domain_id` is that of the custom domain which was asked.
    """
    domain = custom_domains.find(db, domain_id) if domain_id else None
    rows = db.connection.execute(
        select(
            applications.c.is_first_party,
            applications.c.redirect_uris,
            applications.c.allowed_origins,
            applications.c.web_origins,
        ).where(applications.c.tenant_id == db.tenant_id, applications.c.deleted_at.is_(None))
    )
    return frozenset(
        origin
        for is_first_party, *lists in rows
        for origin in allowed_origins(
            *(urls_at(urls, domain if is_first_party else None) for urls in lists)
        )
    )


def connection_ids(db: TenantSession, application_id: str) -> tuple[str, ...]:
    """The connections whose users may sign in to an application, in order of their names.

    Of a first-party application those that are enabled for it, of a third-party one those at
    domain level.
    """
    enabled = exists().where(
        connection_applications.c.tenant_id == connections.c.tenant_id,
        connection_applications.c.connection_id == connections.c.id,
        connection_applications.c.application_id == applications.c.id,
    )
    rows = db.connection.execute(
        select(connections.c.id)
        .join(applications, applications.c.tenant_id == connections.c.tenant_id)
        .where(
            connections.c.tenant_id == db.tenant_id,
            applications.c.id == application_id,
            case(
                (applications.c.is_first_party, enabled),
                else_=connections.c.is_domain_connection,
            ),
        )
        .order_by(connections.c.name)
    )
    return tuple(rows.scalars())


def connection_names(db: TenantSession) -> dict[str, tuple[str, ...]]:
    """The names of the connections of every application, in order, by one statement."""
    rows = db.connection.execute(
        select(connection_applications.c.application_id, connections.c.name)
        .join(
            connections,
            (connection_applications.c.tenant_id == connections.c.tenant_id)
            & (connection_applications.c.connection_id == connections.c.id),
        )
        .where(connection_applications.c.tenant_id == db.tenant_id)
    )
    found: dict[str, list[str]] = {}
    for application_id, name in rows:
        found.setdefault(application_id, []).append(name)
    return {application_id: tuple(sorted(names)) for application_id, names in found.items()}


def set_connections(db: TenantSession, application_id: str, connection_ids: Sequence[str]) -> None:
    """Replaces the enabled connections as a whole."""
    db.connection.execute(
        delete(connection_applications).where(
            connection_applications.c.tenant_id == db.tenant_id,
            connection_applications.c.application_id == application_id,
        )
    )
    if connection_ids:
        db.connection.execute(
            insert(connection_applications),
            [
                {
                    "tenant_id": db.tenant_id,
                    "application_id": application_id,
                    "connection_id": connection_id,
                }
                for connection_id in connection_ids
            ],
        )
    bump(db)
