"""JARM: JWT Secured Authorization Response Mode for OAuth 2.0.

Law: an answer in such a mode, good or bad, leaves this server signed for the one application that
asked, and encrypted where that application has registered so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tenantry.core.clock import timestamp
from tenantry.core.encryption import ContentEncryptionAlgorithm, MessageEncryptionAlgorithm
from tenantry.core.facts import ApplicationFacts, TenantFacts
from tenantry.keys.client_encryption import encrypt_for
from tenantry.oauth.errors import OAuthError
from tenantry.oauth.response_target import ResponseTarget
from tenantry.oauth.response_types import JWT
from tenantry.rules.authorization_responses import LIFETIME, content_encryption
from tenantry.services.client_encryption import encryption_key
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.store import applications
from tenantry.tokens import issue


def metadata(tenant: TenantFacts) -> dict[str, list[str]]:
    """§4."""
    return {
        "authorization_signing_alg_values_supported": [
            alg.value for alg in tenant.signing_algorithms
        ],
        "authorization_encryption_alg_values_supported": [
            alg.value for alg in MessageEncryptionAlgorithm
        ],
        "authorization_encryption_enc_values_supported": [
            enc.value for enc in ContentEncryptionAlgorithm
        ],
    }


async def secured(
    runtime: Runtime,
    context: RequestContext,
    tenant: TenantFacts,
    target: ResponseTarget,
    parameters: Mapping[str, str],
) -> tuple[ResponseTarget, dict[str, str]]:
    """§2.3: the same answer as one parameter, and the plain mode that carries it."""
    application = await runtime.configuration.get(
        tenant.id, applications.find_by_client_id, target.client_id
    )
    if application is None:
        raise OAuthError("invalid_request", "The application is gone.")
    now = timestamp(runtime.clock.now())
    # §2.1: "state" is inside, and "iss", "aud" and "exp" are required.
    state = {"state": target.state} if target.state is not None else {}
    claims = {
        **parameters,
        **state,
        "iss": context.address.issuer,
        "aud": application.client_id,
        "iat": now,
        "exp": now + LIFETIME,
    }
    ring = await key_ring(runtime, tenant)
    alg = application.authorization_signed_response_alg
    token = issue.authorization_response(claims, ring, alg)
    token = await _encrypted(runtime, tenant.id, application, token)
    mode = target.response_mode.removesuffix(f".{JWT}")
    return replace(target, response_mode=mode, state=None), {"response": token}


async def _encrypted(
    runtime: Runtime, tenant_id: str, application: ApplicationFacts, token: str
) -> str:
    """§2.2: signed, then encrypted; what cannot be encrypted is not sent."""
    alg = application.authorization_encrypted_response_alg
    if alg is None:
        return token
    key = await encryption_key(runtime, tenant_id, application, alg)
    if key is None:
        raise OAuthError(
            "server_error", "The application has no key that its answer can be encrypted to."
        )
    return encrypt_for(token, key, alg, content_encryption(application))
