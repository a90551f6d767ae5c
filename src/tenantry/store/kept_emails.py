"""Messages that a development server keeps: sealed, and not for long."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select

from tenantry.core.emails import KeptEmail
from tenantry.core.ids import new_id
from tenantry.store.tables import kept_emails, tenants
from tenantry.store.unit_of_work import TenantSession

KEEP = timedelta(days=1)


def _row(tenant_id: str, id: str) -> str:
    return f"kept email {tenant_id} {id}"


def add(db: TenantSession, content: Mapping[str, str]) -> None:
    """`content` has the recipient, subject, text and html."""
    id_ = new_id()
    db.connection.execute(
        insert(kept_emails).values(
            tenant_id=db.tenant_id,
            id=id_,
            content=db.vault.encrypt(json.dumps(content).encode(), _row(db.tenant_id, id_)),
            created_at=db.now,
            expires_at=db.now + KEEP,
        )
    )


def latest(db: TenantSession, limit: int) -> tuple[KeptEmail, ...]:
    """Those of the tenant, the newest first."""
    rows = db.connection.execute(
        select(kept_emails, tenants.c.name.label("tenant_name"))
        .join(tenants, tenants.c.id == kept_emails.c.tenant_id)
        .where(kept_emails.c.tenant_id == db.tenant_id, kept_emails.c.expires_at > db.now)
        .order_by(kept_emails.c.id.desc())
        .limit(limit)
    ).mappings()
    return tuple(_opened(db, row) for row in rows)


def _opened(db: TenantSession, row: Mapping[Any, Any]) -> KeptEmail:
    content = json.loads(db.vault.decrypt(row["content"], _row(row["tenant_id"], row["id"])))
    return KeptEmail(
        id=row["id"],
        tenant_name=row["tenant_name"],
        created_at=row["created_at"],
        **content,
    )
