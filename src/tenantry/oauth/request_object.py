"""RFC 9101 and OpenID Connect Core §6: an authorization request as a signed JWT.

Law: the signature is by the application's registered keys, and what is outside of a signed
request counts for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urldefrag

from tenantry.core.clock import timestamp
from tenantry.core.credentials import CredentialUse
from tenantry.core.facts import ApplicationFacts, ClientSigningAlgorithm
from tenantry.keys import server_encryption
from tenantry.keys.client_keys import BadSignature, UnverifiedJwt, read_jwt, verify_with_keys
from tenantry.keys.server_encryption import decrypted, is_encrypted
from tenantry.oauth.errors import OAuthError, invalid_request
from tenantry.oauth.parameters import Parameters
from tenantry.outbound.http import OutboundError
from tenantry.rules import compliance
from tenantry.rules.client_keys import ASYMMETRIC
from tenantry.rules.request_objects import why_not_claims
from tenantry.services.client_keys import keys_for
from tenantry.services.encryption_keys import decryption_keys
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime

ALGORITHMS = tuple(alg.value for alg in ASYMMETRIC)
METADATA: Mapping[str, Any] = {
    "request_parameter_supported": True,
    "request_uri_parameter_supported": True,
    "require_request_uri_registration": True,
    "request_object_signing_alg_values_supported": list(ALGORITHMS),
}
ENCRYPTION_METADATA: Mapping[str, Any] = {
    "request_object_encryption_alg_values_supported": [server_encryption.ALGORITHM.value],
    "request_object_encryption_enc_values_supported": [
        enc.value for enc in server_encryption.CONTENT
    ],
}
_TYPES = frozenset({"", "jwt", "oauth-authz-req+jwt"})
_ACCEPT = "application/oauth-authz-req+jwt, application/jwt"
# RFC 9101 §4: claims about the JWT itself, which are no parameters.
_ABOUT = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti", "sub"})


async def opened(
    runtime: Runtime,
    context: RequestContext,
    application: ApplicationFacts,
    parameters: Parameters,
) -> Parameters:
    """The parameters that count: those inside where there is a request object."""
    token = await _token(runtime, application, parameters)
    if token is None:
        # RFC 9101 §10.5: then a request that nobody signed is rejected.
        if application.require_signed_request_object:
            raise invalid_request("The application must send a signed request object.")
        return parameters
    try:
        message = read_jwt(await _decrypted(runtime, context, token))
        claims = await _signed(runtime, context, application, message)
    except BadSignature as error:
        # RFC 8725 §3.7: one text, whether it could not be decrypted or not be verified.
        raise _refused("The request object is not signed as registered.", str(error)) from None
    now = timestamp(runtime.clock.now())
    reason = why_not_claims(claims, application, context.address.issuer, now)
    if reason is not None:
        raise _refused(reason)
    inner = Parameters(_pairs(claims))
    # §6.1: "The values for the response_type and client_id parameters MUST match".
    outer_type = parameters.get("response_type")
    if outer_type is not None and outer_type != inner.get("response_type"):
        raise invalid_request("The response_type differs from the one in the request object.")
    return Parameters([("client_id", application.client_id), *_pairs(claims)])


async def _token(
    runtime: Runtime, application: ApplicationFacts, parameters: Parameters
) -> str | None:
    by_value, by_reference = parameters.get("request"), parameters.get("request_uri")
    if by_value is not None and by_reference is not None:
        # §6.1 and RFC 9101 §5: "MUST NOT be used together".
        raise invalid_request("The parameters request and request_uri exclude each other.")
    if by_reference is None:
        return by_value
    # §6.2: registered in advance; its fragment may change with the contents.
    registered = {urldefrag(uri).url for uri in application.request_uris}
    uri = urldefrag(by_reference).url
    if uri not in registered:
        raise OAuthError("invalid_request_uri", "The request_uri is not registered.")
    try:
        body = await runtime.outbound.get(uri, _ACCEPT)
        return body.decode("ascii").strip()
    except (OutboundError, UnicodeDecodeError) as error:
        raise OAuthError(
            "invalid_request_uri", "The request_uri could not be fetched.", cause=str(error)
        ) from None


async def _decrypted(runtime: Runtime, context: RequestContext, token: str) -> str:
    """RFC 9101 §6.1: the signed one inside, if the tenant takes encrypted ones."""
    if not is_encrypted(token):
        return token
    tenant = await load_tenant(runtime, context.address.tenant_id)
    keys = await decryption_keys(runtime, tenant)
    return await runtime.store.in_thread(lambda: decrypted(token, keys))


async def _signed(
    runtime: Runtime,
    context: RequestContext,
    application: ApplicationFacts,
    message: UnverifiedJwt,
) -> Mapping[str, Any]:
    if message.typ not in _TYPES:
        raise BadSignature("another typ")
    required = application.request_object_signing_alg
    allowed: tuple[ClientSigningAlgorithm, ...] = ASYMMETRIC if required is None else (required,)
    allowed = compliance.request_algorithms(application, allowed)
    if message.alg not in allowed:
        raise BadSignature("an algorithm that is not allowed")
    use = CredentialUse.REQUEST_OBJECTS
    keys = await keys_for(runtime, context.address.tenant_id, application, use, message.kid)
    return verify_with_keys(message, keys, allowed)


def _pairs(claims: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Claims as parameters: numbers and objects as their JSON (RFC 9101 §4)."""
    for name, value in claims.items():
        if name in _ABOUT or name == "client_id" or value is None:
            continue
        if name == "resource" and isinstance(value, list):
            yield from ((name, _written(item)) for item in value)
        else:
            yield name, _written(value)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _refused(description: str, cause: str = "") -> OAuthError:
    return OAuthError("invalid_request_object", description, cause=cause)
