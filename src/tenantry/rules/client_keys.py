"""RFC 7517 and RFC 7518 §6: the public keys that an application registers.

Law: what is secret is refused here, so that it is never stored.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import (
    ClientSigningAlgorithm,
    SigningAlgorithm,
    TokenEndpointAuthMethod,
)
from tenantry.rules.fields import encodable, one_of, split_url, web_url

MAX_KEYS = 20
MAX_JWKS = 32_768
MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192
MAX_EXPONENT = 2**32
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "r", "t"})
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "RSA": ("n", "e"),
    "EC": ("crv", "x", "y"),
    "OKP": ("crv", "x"),
}


def public_jwks(value: Any, path: tuple[str, ...]) -> str:
    """The JSON text of a key set: an object with `keys`, or its text, of public keys only."""
    if isinstance(value, str) and len(value) <= 2 * MAX_JWKS:
        value = parsed_object(value)
    keys = value.get("keys") if isinstance(value, Mapping) else None
    if not isinstance(keys, list | tuple) or not keys:
        raise DomainError(ErrorCode.INVALID, "Must be a JWK set: an object with keys.", *path)
    if len(keys) > MAX_KEYS:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_KEYS} keys.", *path, "keys")
    for index, key in enumerate(keys):
        reason = why_not_public(key)
        if reason is not None:
            raise DomainError(ErrorCode.INVALID, reason, *path, "keys", str(index))
    names = [key["kid"] for key in keys if "kid" in key]
    if len(names) != len(set(names)):
        raise DomainError(ErrorCode.INVALID, "Two keys have the same kid.", *path, "keys")
    try:
        text = json.dumps(
            {"keys": keys}, separators=(",", ":"), allow_nan=False, ensure_ascii=False
        )
    except (TypeError, ValueError, RecursionError):
        raise DomainError(ErrorCode.INVALID, "Must be JSON.", *path) from None
    if not encodable(text) or "\\u0000" in text:
        raise DomainError(ErrorCode.INVALID, "Control characters are not allowed.", *path)
    if len(text) > MAX_JWKS:
        raise DomainError(ErrorCode.TOO_LONG, f"At most {MAX_JWKS} characters.", *path)
    return text


def parsed_object(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def why_not_public(key: Any) -> str | None:
    """Why a JWK is not a public key that may be registered; None where it is."""
    if not isinstance(key, Mapping):
        return "A key is a JSON object."
    kind = key.get("kty")
    if kind == "oct" or not _PRIVATE.isdisjoint(key):
        return "Only public keys may be registered."
    required = _REQUIRED.get(kind) if isinstance(kind, str) else None
    if required is None:
        return "The kty must be RSA, EC or OKP."
    if not all(_is_text(key.get(name)) for name in required):
        return f"A key of the kty {kind} has the members {', '.join(required)}."
    if any(name in key and not _is_text(key[name]) for name in ("kid", "alg", "use")):
        return "The members kid, alg and use are texts."
    return _why_not_rsa(key) if kind == "RSA" else None


def _why_not_rsa(key: Mapping[str, Any]) -> str | None:
    modulus, exponent = _number(key["n"]), _number(key["e"])
    if not MIN_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS:
        return f"An RSA key has {MIN_RSA_BITS} to {MAX_RSA_BITS} bits."
    if not 2 < exponent < MAX_EXPONENT or exponent % 2 == 0:
        return "The exponent of an RSA key is a small odd number."
    return None


def _number(text: str) -> int:
    try:
        return int.from_bytes(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
    except (ValueError, binascii.Error):
        return 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 2048 and encodable(value)


def fetched_url(value: Any, path: tuple[str, ...]) -> str:
    """A URL that the server itself will ask: https, or http on loopback for development."""
    result = web_url(value, path)
    parts = split_url(result)
    if parts is None or (parts.scheme != "https" and not _is_loopback(parts.host)):
        raise DomainError(ErrorCode.INVALID, "Must be an https URL.", *path)
    return result


ASYMMETRIC = tuple(alg for alg in ClientSigningAlgorithm if alg is not ClientSigningAlgorithm.HS256)
client_jwt_alg = one_of(ClientSigningAlgorithm, ASYMMETRIC)


def needs_readable_secret(values: Mapping[str, Any]) -> bool:
    """Whether the application's secret signs, so that it must be kept and not only compared."""
    return (
        values["token_endpoint_auth_method"] is TokenEndpointAuthMethod.CLIENT_SECRET_JWT
        or values["id_token_signed_response_alg"] is SigningAlgorithm.HS256
    )


def require_agreeing_keys(values: Mapping[str, Any]) -> None:
    """How the method, the keys and the algorithms of an application go together."""
    method = values["token_endpoint_auth_method"]
    has_keys = (
        values["jwks"] is not None
        or values["jwks_uri"] is not None
        or values["client_authentication_credentials"]
    )
    if values["jwks"] is not None and values["jwks_uri"] is not None:
        # OpenID Connect Registration §2: "The jwks_uri and jwks parameters MUST NOT be used
        # together."
        raise DomainError(ErrorCode.NOT_ALLOWED, "Either jwks or jwksUri, not both.", "jwks_uri")
    if method is TokenEndpointAuthMethod.PRIVATE_KEY_JWT and not has_keys:
        raise DomainError(
            ErrorCode.REQUIRED, "private_key_jwt needs jwks, jwksUri or credentials.", "jwks"
        )
    by_certificate = TokenEndpointAuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH
    if method is by_certificate and not has_keys:
        # RFC 8705 §2.2: certificates are registered by the key set, or uploaded.
        raise DomainError(
            ErrorCode.REQUIRED, f"{method.value} needs jwks, jwksUri or credentials.", "jwks"
        )
    by_secret = values["id_token_signed_response_alg"] is SigningAlgorithm.HS256
    if by_secret and not method.uses_secret:
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            f"HS256 needs a client secret, which {method.value} does not use.",
            "id_token_signed_response_alg",
        )
    alg = values["token_endpoint_auth_signing_alg"]
    if alg is not None and alg not in assertion_algorithms(method):
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            f"An application with {method.value} does not authenticate by {alg.value}.",
            "token_endpoint_auth_signing_alg",
        )


def assertion_algorithms(method: TokenEndpointAuthMethod) -> tuple[ClientSigningAlgorithm, ...]:
    """How an application with this method may sign what it proves itself with."""
    if method is TokenEndpointAuthMethod.PRIVATE_KEY_JWT:
        return ASYMMETRIC
    if method is TokenEndpointAuthMethod.CLIENT_SECRET_JWT:
        return (ClientSigningAlgorithm.HS256,)
    return ()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
