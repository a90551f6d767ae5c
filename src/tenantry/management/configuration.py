"""What the fields about configuration share: scopes, documents, descriptions of settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tenantry.management.context import Info
from tenantry.management.permissions import Alternatives, require_scopes
from tenantry.management.trusting import refusal_of
from tenantry.management.types import (
    application_settings,
    client_grant,
    connection,
    custom_domain,
    log_stream,
    organization,
    resource_server,
    role,
    tenant,
    trusted_document,
    trusted_issuer,
    user,
)
from tenantry.management.types.configuration import ConfigurationPlanInput
from tenantry.services.configuration import documents
from tenantry.services.configuration.noun import Named, Work
from tenantry.services.configuration.nouns import NOUNS
from tenantry.services.configuration.plan import Asked
from tenantry.store.unit_of_work import TenantSession

ABOUTS: Mapping[str, Mapping[str, str]] = {
    "tenant": tenant.ABOUT,
    "connections": connection.ABOUT,
    "resourceServers": resource_server.ABOUT,
    "applications": {
        **application_settings.ABOUT,
        "client_authentication_credentials": (
            "What it proves itself by, at most two: a name, perhaps when it ends, and for "
            "`PRIVATE_KEY_JWT` a JWK, for `SELF_SIGNED_TLS_CLIENT_AUTH` a JWK with the `x5t#S256` "
            "of the certificate, for `TLS_CLIENT_AUTH` a `subjectDn`. What is taken off is not "
            "deleted."
        ),
        "require_signed_request_object": (
            "Whether a request must be a signed request object (RFC 9101 §10.5). Default false."
        ),
        "request_object_credentials": (
            "The public keys, at most two, that verify its request objects, written alike."
        ),
    },
    "organizations": {
        **organization.ABOUT,
        "connections": "Whose users may sign in to it, replaced as a whole: at most 50.",
    },
    "clientGrants": {
        **client_grant.ABOUT,
        "organizations": "The names of those it may be used for, replaced as a whole.",
        "application": "The `externalId` of the application.",
    },
    "roles": {
        **role.ABOUT,
        "permissions": "What its users may do, replaced as a whole: at most 1000 scopes.",
    },
    "users": {
        **user.ABOUT,
        "connection": "The name of the user's connection. Never changes.",
        "blocked": "Whether the user may not sign in. Default false.",
        "roles": "The names of the user's roles, replaced as a whole: at most 50.",
        "permissions": (
            "What the user may do without a role, replaced as a whole: at most 1000 scopes."
        ),
        "organizations": (
            "The names of the organizations that the user belongs to, each with the names of the "
            "user's roles there, replaced as a whole."
        ),
    },
    "trustedIssuers": trusted_issuer.ABOUT,
    "trustedDocuments": trusted_document.ABOUT,
    "customDomains": custom_domain.ABOUT,
    "logStreams": log_stream.ABOUT,
}
"""What the settings mean, for the JSON schema."""


def _alternatives(*actions: str) -> Alternatives:
    scopes = {scope for noun in NOUNS for action in actions for scope in noun.scopes(action)}
    return tuple((scope,) for scope in sorted(scopes))


READS = _alternatives("read")
"""A field asks for any of these first, and for those of the nouns that it concerns then."""
WRITES = _alternatives("create", "update", "delete")


def require_reading(info: Info, names: Iterable[str]) -> None:
    wanted = set(names)
    needed = {scope for noun in NOUNS if noun.name in wanted for scope in noun.scopes("read")}
    require_all(info, frozenset(needed))


def require_all(info: Info, scopes: frozenset[str]) -> None:
    require_scopes(info.context, (tuple(sorted(scopes)),))


async def asked_for(info: Info, input: ConfigurationPlanInput) -> Asked:
    """The document of a request, read on a thread of its own: it may be large."""
    issuer = canonical_issuer(info)
    deletes = [Named(one.noun, one.key) for one in input.deletes or ()]
    given: Any = input.keywords or None
    return await info.context.runtime.store.in_thread(
        lambda: documents.asked(input.document, given, deletes, issuer)
    )


def canonical_issuer(info: Info) -> str:
    address = info.context.request.address
    return info.context.runtime.addresses.issuer(address.name, is_root=address.is_root)


def work_of(info: Info, db: TenantSession) -> Work:
    return Work(
        db,
        info.context.runtime.addresses,
        canonical_issuer(info),
        lambda document: refusal_of(info, document),
    )
