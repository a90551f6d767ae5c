"""OpenID Connect Discovery 1.0 §3, RFC 8414 §2 and RFC 9728 §2: what a tenant says of itself.

Law: nothing is advertised that does not work, and nothing that works is left out.
"""

from __future__ import annotations

from typing import Any

from tenantry.core.facts import TenantFacts
from tenantry.keys.signing import KeyRing
from tenantry.oauth import client_authentication, pkce
from tenantry.oauth.authorization_request import RESPONSE_MODES, RESPONSE_TYPES
from tenantry.oauth.grants import GRANTS
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.authorization import IDENTITY_SCOPES
from tenantry.rules.claims import CLAIMS_OF_SCOPE
from tenantry.rules.interaction import PROMPTS


def provider_metadata(address: TenantAddress, tenant: TenantFacts) -> dict[str, Any]:
    issuer = address.issuer
    metadata: dict[str, Any] = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}authorize",
        "token_endpoint": f"{issuer}oauth/token",
        "userinfo_endpoint": f"{issuer}userinfo",
        "jwks_uri": f"{issuer}.well-known/jwks.json",
        "scopes_supported": list(IDENTITY_SCOPES),
        "response_types_supported": list(RESPONSE_TYPES),
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": list(GRANTS),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [alg.value for alg in tenant.signing_algorithms],
        "token_endpoint_auth_methods_supported": list(client_authentication.METHODS),
        "code_challenge_methods_supported": list(pkce.METHODS),
        "prompt_values_supported": sorted(PROMPTS),
        "claim_types_supported": ["normal"],
        "claims_supported": _claims_supported(),
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": (
            tenant.authorization_response_iss_parameter_supported
        ),
    }
    if tenant.end_session_endpoint_discovery:
        metadata["end_session_endpoint"] = f"{issuer}oidc/logout"
    if tenant.support_url:
        metadata["service_documentation"] = tenant.support_url
    return metadata


def _claims_supported() -> list[str]:
    protocol = ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid"]
    return protocol + [name for names in CLAIMS_OF_SCOPE.values() for name in names]


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
        "resource_name": "Tenantry Management API",
    }


def jwks(ring: KeyRing, tenant: TenantFacts) -> dict[str, Any]:
    """RFC 7517 §5: current, next and previous, of the algorithms that are switched on."""
    keys = [key.jwk for key in ring.published if key.facts.alg in tenant.signing_algorithms]
    if tenant.remove_alg_from_jwks:
        keys = [{name: value for name, value in key.items() if name != "alg"} for key in keys]
    return {"keys": keys}
