"""The management API as an API of each tenant: its scopes, and who may use it."""

from __future__ import annotations

from tenantry.core.authorization_details import ConsentPolicy
from tenantry.core.facts import (
    AccessPolicy,
    ResourceServerFacts,
    Scope,
    SigningAlgorithm,
    TokenDialect,
)

_NOUNS = (
    "applications",
    "client_grants",
    "connections",
    "credentials",
    "custom_domains",
    "log_streams",
    "organization_invitations",
    "organization_members",
    "organizations",
    "resource_servers",
    "roles",
    "signing_keys",
    "users",
)
_VERBS = ("read", "create", "update", "delete")
_OTHERS = (
    "read:tenant_settings",
    "update:tenant_settings",
    "read:backchannel_requests",
    "update:backchannel_requests",
    "read:grants",
    "delete:grants",
    "read:logs",
    "read:sessions",
    "delete:sessions",
    "update:application_keys",
)
ROOT_SCOPES = ("read:tenants", "create:tenants", "delete:tenants")
"""What only the root tenant's own management API has."""

MANAGEMENT_SCOPES = (
    tuple(
        f"{verb}:{noun}"
        for noun in _NOUNS
        for verb in _VERBS
        if (noun, verb) not in {("signing_keys", "create"), ("organization_invitations", "update")}
    )
    + _OTHERS
)

EVERY_MANAGEMENT_API = "*"


def scopes_of(*, is_root: bool) -> tuple[Scope, ...]:
    names = MANAGEMENT_SCOPES + (ROOT_SCOPES if is_root else ())
    return tuple(Scope(name, _description(name)) for name in sorted(names))


def _description(name: str) -> str:
    verb, _, noun = name.partition(":")
    return f"{verb.capitalize()} {noun.replace('_', ' ')}"


def api_values(identifier: str, *, is_root: bool) -> dict[str, object]:
    """What is stored of a tenant's management API."""
    return {
        "identifier": identifier,
        "name": "Tenantry Management API",
        "scopes": scopes_of(is_root=is_root),
        "signing_alg": SigningAlgorithm.RS256,
        "token_lifetime": 86_400,
        "token_lifetime_for_web": 86_400,
        "token_dialect": TokenDialect.ACCESS_TOKEN,
        "skip_consent_for_first_party": True,
        "allow_offline_access": False,
        "user_access_policy": AccessPolicy.ALLOW_ALL,
        "client_access_policy": AccessPolicy.REQUIRE_CLIENT_GRANT,
        "enforce_policies": True,
        "authorization_details": (),
        "require_pushed_authorization_details": True,
        "consent_policy": ConsentPolicy.STANDARD,
        "is_system": True,
    }


def derived_api(root_api: ResourceServerFacts, identifier: str) -> ResourceServerFacts:
    """Another tenant's management API as the root sees it: never stored."""
    return ResourceServerFacts(
        id="",
        revision=0,
        created_at=root_api.created_at,
        updated_at=root_api.updated_at,
        identifier=identifier,
        name=root_api.name,
        scopes=scopes_of(is_root=False),
        signing_alg=root_api.signing_alg,
        token_lifetime=root_api.token_lifetime,
        token_lifetime_for_web=root_api.token_lifetime_for_web,
        token_dialect=root_api.token_dialect,
        token_encryption=None,
        skip_consent_for_first_party=True,
        allow_offline_access=False,
        user_access_policy=root_api.user_access_policy,
        client_access_policy=root_api.client_access_policy,
        enforce_policies=True,
        proof_of_possession=None,
        authorization_details=(),
        require_pushed_authorization_details=True,
        consent_policy=ConsentPolicy.STANDARD,
        is_system=True,
    )
