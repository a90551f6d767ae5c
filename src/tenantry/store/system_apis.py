"""The server's own API of every tenant, whose scopes a release may change."""

from __future__ import annotations

from sqlalchemy import select, update

from tenantry.store.epochs import bump
from tenantry.store.tables import resource_servers, tenants
from tenantry.store.unit_of_work import TenantSession


def write_scopes(
    db: TenantSession, of_root: list[dict[str, str]], of_others: list[dict[str, str]]
) -> int:
    """Writes the scopes of the server's own APIs where they are others. Returns how many."""
    rows = db.connection.execute(
        select(
            resource_servers.c.tenant_id,
            resource_servers.c.id,
            resource_servers.c.scopes,
            tenants.c.is_root,
        )
        .join(tenants, tenants.c.id == resource_servers.c.tenant_id)
        .where(resource_servers.c.is_system.is_(True))
    ).all()
    changed = 0
    for tenant_id, id_, scopes, is_root in rows:
        wanted = of_root if is_root else of_others
        if scopes != wanted:
            key = (resource_servers.c.tenant_id == tenant_id, resource_servers.c.id == id_)
            db.connection.execute(update(resource_servers).where(*key).values(scopes=wanted))
            bump(db, tenant_id)
            changed += 1
    return changed
