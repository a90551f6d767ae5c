"""OpenID Connect Discovery 1.0 §3, RFC 8414 §2 and RFC 9728 §2: what a tenant says of itself.

Law: nothing is advertised that does not work, and nothing that works is left out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tenantry.core.custom_domains import CustomDomainFacts
from tenantry.core.facts import (
    ClaimTarget,
    SigningAlgorithm,
    SubjectIdentifierType,
    TenantFacts,
)
from tenantry.keys.server_encryption import DecryptionKeys
from tenantry.keys.signing import KeyRing
from tenantry.oauth import (
    backchannel_logout,
    ciba,
    client_authentication,
    device,
    dpop,
    front_channel,
    frontchannel_logout,
    introspection,
    jarm,
    mtls,
    par,
    pkce,
    rar,
    registration,
    request_object,
    revocation,
    session_management,
)
from tenantry.oauth.grants import GRANTS
from tenantry.oauth.response_types import RESPONSE_MODES, RESPONSE_TYPES
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.authentication import PASSWORD, contexts_of
from tenantry.rules.authorization import IDENTITY_SCOPES, OFFLINE_ACCESS
from tenantry.rules.claims import CLAIMS_OF_SCOPE
from tenantry.rules.interaction import PROMPTS
from tenantry.services.encryption_keys import NO_KEYS

# OpenID Connect Core §3.1.2.1: one page serves each of these, in English whatever is asked for.
DISPLAYS = ("page", "popup", "touch")
LOCALES = ("en",)


def provider_metadata(
    address: TenantAddress, tenant: TenantFacts, detail_types: Sequence[str], *, says_issuer: bool
) -> dict[str, Any]:
    issuer = address.issuer
    metadata: dict[str, Any] = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}authorize",
        "token_endpoint": f"{issuer}oauth/token",
        "userinfo_endpoint": f"{issuer}userinfo",
        "jwks_uri": f"{issuer}.well-known/jwks.json",
        "scopes_supported": [*IDENTITY_SCOPES, OFFLINE_ACCESS],
        "response_types_supported": list(RESPONSE_TYPES),
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": [*GRANTS, front_channel.GRANT_TYPE],
        "subject_types_supported": [kind.value for kind in SubjectIdentifierType],
        "id_token_signing_alg_values_supported": [
            *(alg.value for alg in tenant.signing_algorithms),
            SigningAlgorithm.HS256.value,
        ],
        "userinfo_signing_alg_values_supported": [alg.value for alg in tenant.signing_algorithms],
        "code_challenge_methods_supported": list(pkce.METHODS),
        "prompt_values_supported": sorted(PROMPTS),
        "claim_types_supported": ["normal"],
        "claims_supported": _claims_supported(tenant),
        "claims_parameter_supported": True,
        "acr_values_supported": list(tenant.acr_values_supported)
        or list(contexts_of((PASSWORD,), protected=address.is_https)),
        "display_values_supported": list(DISPLAYS),
        "ui_locales_supported": list(LOCALES),
        "authorization_response_iss_parameter_supported": says_issuer,
    }
    metadata |= device.metadata(issuer)
    metadata |= ciba.metadata(issuer)
    metadata |= client_authentication.METADATA
    metadata |= request_object.METADATA
    metadata |= dpop.METADATA
    metadata |= revocation.metadata(issuer) | introspection.metadata(issuer, tenant)
    metadata |= rar.metadata(detail_types)
    metadata |= backchannel_logout.METADATA | frontchannel_logout.METADATA
    metadata |= session_management.metadata(issuer) | jarm.metadata(tenant)
    if tenant.request_object_encryption_supported:
        metadata |= request_object.ENCRYPTION_METADATA
    if tenant.pushed_authorization_requests_supported:
        metadata |= par.metadata(issuer)
    if tenant.enable_dynamic_client_registration:
        metadata |= registration.metadata(issuer)
    if tenant.end_session_endpoint_discovery:
        metadata["end_session_endpoint"] = f"{issuer}oidc/logout"
    if tenant.support_url:
        metadata["service_documentation"] = tenant.support_url
    return mtls.described(metadata, address, tenant)


def _claims_supported(tenant: TenantFacts) -> list[str]:
    """Of applications' own mappings only they know."""
    told = {ClaimTarget.ID_TOKEN, ClaimTarget.USERINFO}
    mapped = [each.claim for each in tenant.claim_mappings if told & set(each.tokens)]
    protocol = ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "sid", "acr", "amr"]
    protocol += ["at_hash", "c_hash", "s_hash"]
    standard = [name for names in CLAIMS_OF_SCOPE.values() for name in names]
    return list(dict.fromkeys([*protocol, *standard, *mapped]))


def protected_resource_metadata(
    address: TenantAddress, root_issuer: str, scopes: list[str]
) -> dict[str, Any]:
    """RFC 9728 §2 of the management API; the root may issue tokens for it as well."""
    return {
        "resource": address.management_identifier,
        "authorization_servers": list(dict.fromkeys([address.issuer, root_issuer])),
        "jwks_uri": f"{address.issuer}.well-known/jwks.json",
        "scopes_supported": scopes,
        "bearer_methods_supported": ["header"],
        **dpop.METADATA,
        "resource_name": "Tenantry Management API",
    }


def jwks(
    ring: KeyRing,
    tenant: TenantFacts,
    domain: CustomDomainFacts | None = None,
    decrypting: DecryptionKeys = NO_KEYS,
) -> dict[str, Any]:
    """RFC 7517 §5: current, next and previous, of the algorithms that are switched on.

    Before them, at a custom domain, those that were given to it: they sign what is not ours.
    """
    keys: list[dict[str, Any]] = []
    if domain and domain.jwks:
        keys += json.loads(domain.jwks)["keys"]
    keys += [key.jwk for key in ring.published if key.facts.alg in tenant.signing_algorithms]
    keys += list(decrypting.published)
    if tenant.remove_alg_from_jwks:
        keys = [{name: value for name, value in key.items() if name != "alg"} for key in keys]
    return {"keys": keys}
