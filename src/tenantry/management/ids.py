"""Global identifiers. One that names nothing here becomes a local id that nobody has."""

from __future__ import annotations

import strawberry

from tenantry.core.ids import GlobalId

NOBODY = ""


def global_id(type_name: str, tenant_id: str, local_id: str) -> strawberry.ID:
    return strawberry.ID(GlobalId(type_name, tenant_id, local_id).encode())


def local_id(type_name: str, tenant_id: str, id: str) -> str:
    """`NOBODY` for an id that is malformed, of another type or of another tenant.

    The look-up then fails as it does for an unknown id, so the three cannot be told apart.
    """
    decoded = GlobalId.decode(id)
    if decoded is None or decoded.type != type_name or decoded.tenant_id != tenant_id:
        return NOBODY
    return decoded.local_id


def tenant_local_id(id: str) -> str:
    """The tenant that an id names, for the root, which may name any."""
    decoded = GlobalId.decode(id)
    if decoded is None or decoded.type != "Tenant" or decoded.tenant_id != decoded.local_id:
        return NOBODY
    return decoded.local_id
