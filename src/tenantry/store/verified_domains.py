"""Which tenant a host is: a domain is at most one tenant's of the installation."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.core.custom_domains import CustomDomainFacts, VerifiedDomain
from tenantry.store.rows import to_facts
from tenantry.store.tables import custom_domains, tenants, verified_domains
from tenantry.store.unit_of_work import TenantSession


def claim(db: TenantSession, current: CustomDomainFacts) -> bool:
    """Whether the domain is the tenant's from now on, or has been. The first one has it."""
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    claimed = db.connection.execute(
        insert(verified_domains)
        .values(domain=current.domain, owner_id=db.tenant_id, custom_domain_id=current.id)
        .on_conflict_do_nothing()
    ).rowcount
    if claimed:
        return True
    own = select(verified_domains.c.domain).where(
        verified_domains.c.domain == current.domain,
        verified_domains.c.owner_id == db.tenant_id,
        verified_domains.c.custom_domain_id == current.id,
    )
    return db.connection.execute(own).one_or_none() is not None


def release(db: TenantSession, current: CustomDomainFacts) -> None:
    """Leaves the domain to whoever proves it next."""
    db.connection.execute(
        delete(verified_domains).where(
            verified_domains.c.domain == current.domain,
            verified_domains.c.owner_id == db.tenant_id,
            verified_domains.c.custom_domain_id == current.id,
        )
    )


def release_all(db: TenantSession, tenant_id: str) -> None:
    """The domains of a tenant that is deleted."""
    db.connection.execute(delete(verified_domains).where(verified_domains.c.owner_id == tenant_id))


def _verified() -> Select[Any]:
    return (
        select(
            custom_domains, tenants.c.name.label("tenant_name"), tenants.c.is_root.label("is_root")
        )
        .select_from(verified_domains)
        .join(
            custom_domains,
            (custom_domains.c.tenant_id == verified_domains.c.owner_id)
            & (custom_domains.c.id == verified_domains.c.custom_domain_id),
        )
        .join(tenants, tenants.c.id == verified_domains.c.owner_id)
        .where(tenants.c.deleted_at.is_(None))
    )


def _facts(row: Any) -> VerifiedDomain:
    facts = to_facts(CustomDomainFacts, row)
    return VerifiedDomain(row["tenant_id"], row["tenant_name"], row["is_root"], facts)


def of_host(db: TenantSession, domain: str) -> VerifiedDomain | None:
    """The tenant that has proven a host."""
    statement = _verified().where(verified_domains.c.domain == domain)
    row = db.connection.execute(statement).mappings().one_or_none()
    return _facts(row) if row else None


def some(db: TenantSession, limit: int) -> tuple[VerifiedDomain, ...]:
    """At most `limit` of them, for an examination."""
    statement = _verified().order_by(verified_domains.c.domain).limit(limit)
    return tuple(map(_facts, db.connection.execute(statement).mappings()))
