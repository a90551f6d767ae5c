"""The only module that crosses tenants: names, tenants, leases, pruning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import Environment, TenantFacts
from tenantry.store import pages, records, tables, verified_domains
from tenantry.store.epochs import bump
from tenantry.store.pages import Page, PageRequest
from tenantry.store.rows import to_facts, to_row
from tenantry.store.tables import applications, epochs, installation, leases, tenants
from tenantry.store.unit_of_work import INSTALLATION, TenantSession

_KEY_CHECK = b"tenantry"


def is_empty(db: TenantSession) -> bool:
    return db.connection.execute(select(func.count()).select_from(installation)).scalar_one() == 0


def begin(db: TenantSession) -> None:
    """Marks the installation as begun, under the encryption key of the settings."""
    db.connection.execute(
        insert(installation).values(
            id=1, key_check=db.vault.encrypt(_KEY_CHECK, "installation"), created_at=db.now
        )
    )


def check_key(db: TenantSession) -> None:
    """Raises `UndecryptableError` if the settings do not hold this installation's key."""
    envelope = db.connection.execute(select(installation.c.key_check)).scalar_one_or_none()
    if envelope is not None:
        db.vault.decrypt(envelope, "installation")


def create_tenant(db: TenantSession, tenant_id: str, values: Mapping[str, Any]) -> None:
    try:
        with db.connection.begin_nested():
            db.connection.execute(
                insert(tenants),
                [
                    {
                        **to_row(values),
                        "id": tenant_id,
                        "revision": 1,
                        "created_at": db.now,
                        "updated_at": db.now,
                        "deleted_at": None,
                        "pruned_at": None,
                    }
                ],
            )
    except IntegrityError:
        raise DomainError(
            ErrorCode.ALREADY_EXISTS, "This name is or was a tenant's.", "name"
        ) from None
    bump(db, INSTALLATION)
    bump(db, tenant_id)


def _find(db: TenantSession, condition: Any) -> TenantFacts | None:
    row = (
        db.connection.execute(select(tenants).where(condition, tenants.c.deleted_at.is_(None)))
        .mappings()
        .one_or_none()
    )
    return to_facts(TenantFacts, row) if row else None


def find_tenant(db: TenantSession, tenant_id: str) -> TenantFacts | None:
    return _find(db, tenants.c.id == tenant_id)


def find_tenant_by_name(db: TenantSession, name: str) -> TenantFacts | None:
    return _find(db, tenants.c.name == name)


def find_root(db: TenantSession, _: str = "") -> TenantFacts | None:
    return _find(db, tenants.c.is_root.is_(True))


def tenant_identity(db: TenantSession, name: str) -> tuple[str, str] | None:
    """The id and name of a tenant by its name, or of the root by the empty name."""
    facts = find_tenant_by_name(db, name) if name else find_root(db)
    return (facts.id, facts.name) if facts and (facts.is_root == (not name)) else None


def change_tenant(
    db: TenantSession,
    current: TenantFacts,
    values: Mapping[str, Any],
    expected_revision: int | None = None,
) -> None:
    records.require_revision(current, expected_revision)
    changed = db.connection.execute(
        update(tenants)
        .where(tenants.c.id == current.id, tenants.c.revision == current.revision)
        .values(**to_row(values), revision=current.revision + 1, updated_at=db.now)
    ).rowcount
    if not changed:
        raise DomainError(
            ErrorCode.CONFLICT,
            "The tenant has changed since.",
            "expected_revision",
            current_revision=current.revision + 1,
        )
    bump(db, current.id)


def mark_tenant_deleted(db: TenantSession, current: TenantFacts) -> None:
    """Ends the tenant's use at once; its name stays taken and its rows are pruned."""
    db.connection.execute(
        update(tenants).where(tenants.c.id == current.id).values(deleted_at=db.now)
    )
    verified_domains.release_all(db, current.id)
    bump(db, INSTALLATION)
    bump(db, current.id)


def tenant_page(
    db: TenantSession,
    request: PageRequest,
    name_contains: str | None = None,
    environment: Environment | None = None,
) -> Page[TenantFacts]:
    return pages.fetch_page(
        db, tenants, _conditions(name_contains, environment), request, TenantFacts
    )


def tenant_count(
    db: TenantSession,
    name_contains: str | None = None,
    environment: Environment | None = None,
) -> int:
    return pages.count(db, tenants, _conditions(name_contains, environment))


def _conditions(name_contains: str | None, environment: Environment | None) -> list[Any]:
    conditions: list[Any] = [tenants.c.deleted_at.is_(None)]
    if name_contains:
        conditions.append(tenants.c.name.contains(name_contains, autoescape=True))
    if environment:
        conditions.append(tenants.c.environment == environment.value)
    return conditions


def tenants_with_mail(db: TenantSession, limit: int) -> tuple[str, ...]:
    """Tenants whose mail a development server has kept."""
    kept = tables.kept_emails
    return tuple(db.connection.execute(select(kept.c.tenant_id).distinct().limit(limit)).scalars())


def take_lease(db: TenantSession, name: str, holder: str, seconds: int) -> bool:
    """Whether this process runs the job until the lease ends."""
    insert_ = sqlite.insert if db.is_sqlite else postgresql.insert
    expires_at = db.now + timedelta(seconds=seconds)
    return bool(
        db.connection.execute(
            insert_(leases)
            .values(name=name, holder=holder, expires_at=expires_at)
            .on_conflict_do_update(
                index_elements=[leases.c.name],
                set_={"holder": holder, "expires_at": expires_at},
                where=or_(leases.c.holder == holder, leases.c.expires_at < db.now),
            )
        ).rowcount
    )


def prune_expired(db: TenantSession, limit: int) -> int:
    """Deletes at most `limit` rows of each table whose time is over."""
    return sum(
        _delete_some(db, table, [table.c.expires_at < db.now], limit)
        for table in (
            tables.attempts,
            tables.authorizations,
            tables.backchannel_requests,
            tables.deliveries,
            tables.device_codes,
            tables.job_chunks,
            tables.jobs,
            tables.kept_emails,
            tables.log_stream_failures,
            tables.organization_invitations,
            tables.pushed_requests,
            tables.readiness_dismissals,
            tables.session_clients,
            tables.sessions,
            tables.access_tokens,
            tables.active_users,
            tables.activity_days,
            tables.refresh_tokens,
            tables.revoked_tokens,
            tables.token_families,
            tables.mutation_records,
            tables.replay_identifiers,
        )
    )


def prune_log_events(db: TenantSession, before: datetime, limit: int) -> int:
    """Deletes at most `limit` events that are older than `before`."""
    return _delete_some(db, tables.log_events, [tables.log_events.c.created_at < before], limit)


_OF_A_TENANT = tuple(
    table for table in tables.metadata.sorted_tables if "tenant_id" in table.columns
)


def prune_deleted_tenant(db: TenantSession, limit: int) -> int:
    """Deletes at most `limit` rows of one deleted tenant; audit rows go last."""
    tenant_id = db.connection.execute(
        select(tenants.c.id)
        .where(tenants.c.deleted_at.is_not(None), tenants.c.pruned_at.is_(None))
        .limit(1)
    ).scalar_one_or_none()
    if tenant_id is None:
        return 0
    for table in sorted(_OF_A_TENANT, key=lambda table: table is tables.log_events):
        deleted = _delete_some(db, table, [table.c.tenant_id == tenant_id], limit)
        if deleted:
            return deleted
    verified_domains.release_all(db, tenant_id)
    db.connection.execute(delete(epochs).where(epochs.c.scope == tenant_id))
    db.connection.execute(update(tenants).where(tenants.c.id == tenant_id).values(pruned_at=db.now))
    return 1


def prune_deleted_application(db: TenantSession, limit: int) -> int:
    """Deletes what hangs on one deleted application, and then its row.

    Its authorizations and tokens have an end of their own.
    """
    row = db.connection.execute(
        select(applications.c.tenant_id, applications.c.id, applications.c.client_id)
        .where(applications.c.deleted_at.is_not(None))
        .limit(1)
    ).one_or_none()
    if row is None:
        return 0
    tenant_id, application_id, client_id = row
    grants, covered = tables.client_grants, tables.organization_grants
    held = select(grants.c.id).where(
        grants.c.tenant_id == tenant_id, grants.c.client_id == client_id
    )
    of_it = [covered.c.tenant_id == tenant_id, covered.c.client_grant_id.in_(held)]
    if deleted := _delete_some(db, covered, of_it, limit):
        return deleted
    for table, column, value in (
        (tables.client_grants, "client_id", client_id),
        (tables.consents, "client_id", client_id),
        (tables.organization_invitations, "client_id", client_id),
        (tables.connection_applications, "application_id", application_id),
        (tables.credentials, "application_id", application_id),
        (tables.readiness_dismissals, "application_id", application_id),
        (applications, "id", application_id),
    ):
        conditions = [table.c.tenant_id == tenant_id, table.c[column] == value]
        deleted = _delete_some(db, table, conditions, limit)
        if deleted:
            return deleted
    return 0


def _delete_some(db: TenantSession, table: Table, conditions: Sequence[Any], limit: int) -> int:
    # The conditions stand twice: PostgreSQL looks at them again where another transaction
    # changed a row meanwhile, such as a session that was used after all.
    key = list(table.primary_key.columns)
    batch = select(*key).where(*conditions).limit(limit)
    return db.connection.execute(delete(table).where(*conditions, tuple_(*key).in_(batch))).rowcount
