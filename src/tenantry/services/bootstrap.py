"""The first start: the root tenant, its administrator and the bootstrap application."""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.facts import DATABASE_CONNECTION, SigningAlgorithm, SubjectType
from tenantry.keys.passwords import hash_password
from tenantry.keys.signing import KeySource
from tenantry.rules.addresses import Addresses
from tenantry.services import applications, signing_keys, tenants, users
from tenantry.services.commands import NewApplication, NewUser
from tenantry.services.management_api import EVERY_MANAGEMENT_API
from tenantry.store import client_grants, installation
from tenantry.store import users as user_rows
from tenantry.store.unit_of_work import TenantSession


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """The values of an empty installation."""

    admin_email: str
    admin_password: str
    client_id: str
    client_secret: str


def bootstrap(
    db: TenantSession, addresses: Addresses, values: Bootstrap, key_source: KeySource
) -> bool:
    """Furnishes an empty installation; False where there is one already."""
    if not installation.is_empty(db):
        return False
    installation.begin(db)
    root = tenants.create(
        db,
        addresses,
        tenants.ROOT_NAME,
        {"friendly_name": "Tenantry"},
        is_root=True,
    )
    own = db.for_tenant(root.id)
    pairs = signing_keys.make_pairs(key_source, [SigningAlgorithm.RS256])
    signing_keys.store_pairs(own, root.name, pairs)
    user = users.create(
        own,
        NewUser(
            DATABASE_CONNECTION,
            {"email": values.admin_email, "email_verified": True, "name": "Administrator"},
            password_hash=hash_password(values.admin_password),
        ),
    )
    user_rows.give_permissions(own, user.id, EVERY_MANAGEMENT_API, ["*"])
    applications.create(
        own,
        NewApplication(
            {"name": "Bootstrap", "application_type": "non_interactive"},
            client_secret=values.client_secret,
        ),
        values.client_id,
    )
    client_grants.create(
        own,
        {
            "client_id": values.client_id,
            "audience": EVERY_MANAGEMENT_API,
            "subject_type": SubjectType.CLIENT,
            "scopes": (),
            "allow_all_scopes": True,
        },
    )
    return True
