"""What audiences define, for many objects at once."""

from __future__ import annotations

from collections.abc import Collection

from tenantry.services.applications import require_tenant
from tenantry.services.configuration.apis import every_api
from tenantry.services.configuration.noun import Work
from tenantry.services.management_api import EVERY_MANAGEMENT_API, scopes_of


def defined_scopes(work: Work, audience: str) -> Collection[str]:
    """The scopes of an API; at the root the management APIs of other tenants are APIs too."""
    known: dict[str, frozenset[str]] = work.found.setdefault("scopes of audiences", {})
    if not known:
        known |= {api.identifier: frozenset(api.scope_values) for api in every_api(work)}
        known[""] = frozenset()
    if audience not in known:
        known[audience] = _of_management_api(work, audience)
    return known[audience]


def is_audience(work: Work, audience: str) -> bool:
    return bool(defined_scopes(work, audience)) or any(
        api.identifier == audience for api in every_api(work)
    )


def _of_management_api(work: Work, audience: str) -> frozenset[str]:
    named = work.addresses.tenant_of_management_identifier(audience) is not None
    if (named or audience == EVERY_MANAGEMENT_API) and require_tenant(work.db).is_root:
        every = audience == EVERY_MANAGEMENT_API
        return frozenset(scope.value for scope in scopes_of(is_root=every))
    return frozenset()
