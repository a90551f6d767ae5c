"""OpenID Connect Registration §5: the document behind a `sector_identifier_uri`.

Law: it is fetched before the unit of work that needs it, never inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tenantry.core.context import Caller
from tenantry.core.errors import DomainError
from tenantry.rules.client_keys import fetched_url
from tenantry.rules.subjects import SectorDocument, members_of, read_sector_document
from tenantry.services.runtime import Runtime
from tenantry.store import applications

_ACCEPT = "application/json"
_NAMES = ("sector_identifier_uri", "redirect_uris", "jwks_uri", "grant_types")


async def fetch_for_new(
    runtime: Runtime, tenant_id: str, values: Mapping[str, Any]
) -> SectorDocument | None:
    """What a new application's sector lists; None where it names none or it cannot be had."""
    try:
        uri = fetched_url(values.get("sector_identifier_uri") or "", ())
    except DomainError:
        return None
    return await _fetch(runtime, tenant_id, uri, members_of(values))


async def fetch_for_change(
    runtime: Runtime, tenant_id: str, caller: Caller, id: str, values: Mapping[str, Any]
) -> SectorDocument | None:
    """The same for a change of an application, where it concerns the sector."""
    if values.keys().isdisjoint(_NAMES):
        return None
    current = await runtime.store.read(tenant_id, caller, applications.find, id)
    if current is None:
        return None
    return await fetch_for_new(
        runtime, tenant_id, {name: getattr(current, name) for name in _NAMES} | dict(values)
    )


async def _fetch(
    runtime: Runtime, tenant_id: str, uri: str, members: Iterable[str]
) -> SectorDocument | None:
    """A document that lacks something may have changed: it is fetched again, but not often."""
    documents = runtime.documents
    document = read_sector_document(uri, await documents.get(tenant_id, uri, _ACCEPT))
    if document is None or not document.listed.issuperset(members):
        document = read_sector_document(uri, await documents.get_again(tenant_id, uri, _ACCEPT))
    return document
