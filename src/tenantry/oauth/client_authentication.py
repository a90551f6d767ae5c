"""RFC 6749 §2.3: who the application is: by its secret, an assertion, a certificate, or by name.

Law: only this module makes an `AuthenticatedClient`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote_plus

from tenantry.core.confirmation import Confirmation
from tenantry.core.facts import ApplicationFacts, TokenEndpointAuthMethod
from tenantry.keys.client_keys import UnverifiedJwt
from tenantry.keys.vault import Vault
from tenantry.oauth import client_assertion
from tenantry.oauth.client_assertion import VerifiedAssertion
from tenantry.oauth.errors import InvalidClient, invalid_request
from tenantry.oauth.mtls import ProvenCertificate
from tenantry.oauth.parameters import Parameters
from tenantry.services.client_secrets import SECRET_PURPOSE

_BY_ASSERTION = frozenset(
    {TokenEndpointAuthMethod.PRIVATE_KEY_JWT, TokenEndpointAuthMethod.CLIENT_SECRET_JWT}
)
Proof = VerifiedAssertion | ProvenCertificate
METHODS = tuple(method.value for method in TokenEndpointAuthMethod)
SIGNING_ALGORITHMS = client_assertion.ALGORITHMS
METADATA: Mapping[str, Any] = {
    "token_endpoint_auth_methods_supported": list(METHODS),
    "token_endpoint_auth_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
}
_MAX_HEADER = 4_096


@dataclass(frozen=True, slots=True)
class AuthenticatedClient:
    """An application that proved who it is, or a public one that named itself.

    `confirmation` is what it proved to possess in this request: its tokens are bound to that.
    """

    application: ApplicationFacts
    confirmation: Confirmation | None = None


@dataclass(frozen=True, slots=True)
class UnverifiedCredentials:
    """What a request claims. `unverified_secrets` are the readings of one secret."""

    client_id: str
    unverified_secrets: tuple[str, ...]
    assertion: UnverifiedJwt | None = None


def read_credentials(authorization: str | None, parameters: Parameters) -> UnverifiedCredentials:
    """The one method that the request uses (§2.3: "MUST NOT use more than one")."""
    body_id, body_secret = parameters.get("client_id"), parameters.get("client_secret")
    if parameters.get("client_assertion") or parameters.get("client_assertion_type"):
        if authorization is not None or body_secret is not None:
            raise invalid_request("The request uses more than one way to authenticate.")
        return _read_assertion(parameters, body_id)
    if authorization is None:
        if body_id is None:
            raise InvalidClient("no client_id")
        return UnverifiedCredentials(body_id, (body_secret,) if body_secret else ())
    client_id, secrets = _read_basic(authorization)
    if body_secret is not None:
        raise invalid_request("The request uses more than one way to authenticate.")
    if body_id is not None and body_id != client_id:
        raise invalid_request("The parameter client_id differs from the Authorization header.")
    return UnverifiedCredentials(client_id, secrets)


def _read_assertion(parameters: Parameters, body_id: str | None) -> UnverifiedCredentials:
    assertion = client_assertion.read_assertion(
        parameters.get("client_assertion_type"), parameters.get("client_assertion")
    )
    client_id = client_assertion.unverified_client_id(assertion)
    # RFC 7523 §3: a client_id beside the assertion "MUST identify the same client".
    if body_id is not None and body_id != client_id:
        raise InvalidClient("the client_id differs from the assertion's")
    return UnverifiedCredentials(client_id, (), assertion)


def _read_basic(authorization: str) -> tuple[str, tuple[str, ...]]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic" or len(authorization) > _MAX_HEADER:
        raise InvalidClient("the Authorization header is not Basic")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise InvalidClient("the Basic credentials are not base64 of UTF-8") from None
    encoded_id, colon, secret = text.partition(":")
    client_id = unquote_plus(encoded_id)
    if not colon or not client_id or "\x00" in client_id:
        raise InvalidClient("the Basic credentials are malformed")
    # §2.3.1 has both parts form-encoded, but many clients send them as they are.
    secrets = tuple(dict.fromkeys((unquote_plus(secret), secret))) if secret else ()
    return client_id, secrets


def authenticate(
    application: ApplicationFacts | None,
    credentials: UnverifiedCredentials,
    vault: Vault,
    proof: Proof | None = None,
) -> AuthenticatedClient:
    """Basic, body and JSON secrets are one kind; a public application sends none."""
    digest = application.secret_digest if application else None
    matched = False
    for secret in credentials.unverified_secrets or ("",):
        matched |= vault.matches(_encodable(secret), digest, SECRET_PURPOSE)
    if application is None:
        raise InvalidClient("unknown client_id")
    if proof is not None and proof.client_id == application.client_id:
        return AuthenticatedClient(application)
    # OpenID Connect Core §9: only the registered method counts.
    if application.token_endpoint_auth_method in _BY_ASSERTION:
        raise InvalidClient("the application must use an assertion")
    if application.token_endpoint_auth_method.uses_certificate:
        raise InvalidClient("the application must use its client certificate")
    if application.is_public:
        if credentials.unverified_secrets:
            raise InvalidClient("a public application sent a secret")
        return AuthenticatedClient(application)
    if not matched:
        raise InvalidClient("wrong or missing secret")
    return AuthenticatedClient(application)


def bound_to(client: AuthenticatedClient, confirmation: Confirmation | None) -> AuthenticatedClient:
    """The same application with what it proved to possess besides."""
    known = client.confirmation
    if known is None or confirmation is None:
        return replace(client, confirmation=confirmation or known)
    both = Confirmation(confirmation.jkt or known.jkt, confirmation.x5t_s256 or known.x5t_s256)
    return replace(client, confirmation=both)


def _encodable(secret: str) -> str:
    return secret.encode(errors="replace").decode()
