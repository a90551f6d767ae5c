"""What a credential may be, and how an application's lists of them agree with its methods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from tenantry.core.credentials import (
    MAX_PER_USE,
    CredentialFacts,
    CredentialType,
    CredentialUse,
)
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ClientSigningAlgorithm, TokenEndpointAuthMethod
from tenantry.rules.client_certificates import distinguished_name
from tenantry.rules.client_keys import client_jwt_alg, parsed_object, why_not_public
from tenantry.rules.fields import Check, Field, encodable, flag, one_of, text

MAX_KEY = 16_384
_ALGORITHMS: Mapping[str, tuple[ClientSigningAlgorithm, ...]] = {
    "RSA": (
        ClientSigningAlgorithm.RS256,
        ClientSigningAlgorithm.RS384,
        ClientSigningAlgorithm.PS256,
    ),
    "EC": (ClientSigningAlgorithm.ES256,),
    "OKP": (ClientSigningAlgorithm.EDDSA,),
}
_KEYS = frozenset({CredentialType.PUBLIC_KEY, CredentialType.X509_CERT})
KINDS: Mapping[TokenEndpointAuthMethod, frozenset[CredentialType]] = {
    TokenEndpointAuthMethod.PRIVATE_KEY_JWT: _KEYS,
    TokenEndpointAuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH: frozenset({CredentialType.X509_CERT}),
    TokenEndpointAuthMethod.TLS_CLIENT_AUTH: frozenset({CredentialType.CERT_SUBJECT_DN}),
}
"""By which credentials an application may prove itself with each method."""
PATHS: Mapping[CredentialUse, tuple[str, ...]] = {
    CredentialUse.CLIENT_AUTHENTICATION: ("client_authentication_methods", "credentials"),
    CredentialUse.REQUEST_OBJECTS: ("signed_request_object", "credentials"),
}
"""Where the schema has the lists."""


def _pem(value: Any, path: tuple[str, ...]) -> str:
    result = str(value).strip()
    if not encodable(result) or not result.isascii():
        raise DomainError(ErrorCode.INVALID, "Must be PEM.", *path)
    if len(result) > MAX_KEY:
        raise DomainError(ErrorCode.TOO_LONG, f"At most {MAX_KEY} characters.", *path)
    return result


def _jwk(value: Any, path: tuple[str, ...]) -> Mapping[str, Any]:
    if isinstance(value, str) and len(value) <= MAX_KEY:
        value = parsed_object(value)
    reason = why_not_public(value)
    if reason is None and value.get("use", "sig") != "sig":
        reason = "The key is not for signatures."
    if reason is not None:
        raise DomainError(ErrorCode.INVALID, reason, *path)
    result: Mapping[str, Any] = value
    return result


def _moment(value: Any, path: tuple[str, ...]) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise DomainError(ErrorCode.INVALID, "Must be a moment.", *path)
    return value


CREDENTIAL_FIELDS: Mapping[str, Field] = {
    "name": Field(text(128, 1)),
    "credential_type": Field(one_of(CredentialType), None),
    "pem": Field(_pem, None),
    "jwk": Field(_jwk, None),
    "subject_dn": Field(distinguished_name, None),
    "alg": Field(client_jwt_alg, None),
    "expires_at": Field(_moment, None),
    "parse_expiry_from_cert": Field(flag, False),
}


def attached(use: CredentialUse) -> Check:
    """A list of ids of credentials."""

    def check(value: Any, path: tuple[str, ...]) -> tuple[str, ...]:
        ids = tuple(dict.fromkeys(str(item) for item in value))
        if len(ids) > MAX_PER_USE:
            raise DomainError(
                ErrorCode.TOO_MANY, f"At most {MAX_PER_USE} credentials.", *PATHS[use]
            )
        return ids

    return check


def signing_alg(
    kty: str, given: ClientSigningAlgorithm | None, of_key: object
) -> ClientSigningAlgorithm:
    """The only algorithm of a credential: what was asked for, or the first of its kind."""
    possible = _ALGORITHMS[kty]
    if of_key is not None:
        if of_key not in possible or given not in {None, of_key}:
            raise DomainError(ErrorCode.INVALID, "The key is for another algorithm.", "alg")
        return ClientSigningAlgorithm(str(of_key))
    if given is None:
        return possible[0]
    if given not in possible:
        names = ", ".join(possible)
        raise DomainError(ErrorCode.INVALID, f"This key signs by: {names}.", "alg")
    return given


def require_one_key(values: Mapping[str, Any]) -> None:
    sources = [name for name in ("pem", "jwk", "subject_dn") if values[name] is not None]
    if len(sources) != 1:
        raise DomainError(ErrorCode.REQUIRED, "Exactly one of pem, jwk and subjectDn.", "pem")
    kind = values["credential_type"]
    if (sources == ["subject_dn"] and kind is None) or kind is CredentialType.CERT_SUBJECT_DN:
        if sources == ["jwk"]:
            raise DomainError(ErrorCode.NOT_ALLOWED, "A key has no subject.", "jwk")
        if values["alg"] is not None:
            raise DomainError(ErrorCode.NOT_ALLOWED, "A subject signs nothing.", "alg")
    elif sources == ["subject_dn"]:
        raise DomainError(
            ErrorCode.NOT_ALLOWED, "A subject is kept as CERT_SUBJECT_DN.", "credential_type"
        )


def credential_type(given: CredentialType | None, *, is_certificate: bool) -> CredentialType:
    """What it is kept as. Of a certificate the key alone, or the name, may be kept."""
    of_certificates = {CredentialType.X509_CERT, CredentialType.CERT_SUBJECT_DN}
    if given in of_certificates and not is_certificate:
        raise DomainError(ErrorCode.INVALID, "This is no certificate.", "credential_type")
    if given is not None:
        return given
    return CredentialType.X509_CERT if is_certificate else CredentialType.PUBLIC_KEY


def expiry(values: Mapping[str, Any], ends_at: datetime | None, now: datetime) -> datetime | None:
    """When a new credential stops working: as it was said, or as its certificate says."""
    if not values["parse_expiry_from_cert"]:
        return future(values["expires_at"], now, "expires_at")
    if values["expires_at"] is not None:
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "Either expiresAt or parseExpiryFromCert, not both.",
            "parse_expiry_from_cert",
        )
    if ends_at is None:
        raise DomainError(
            ErrorCode.REQUIRED, "There is no certificate to read it from.", "parse_expiry_from_cert"
        )
    return future(ends_at, now, "parse_expiry_from_cert")


def future(moment: datetime | None, now: datetime, name: str) -> datetime | None:
    if moment is not None and moment <= now:
        raise DomainError(ErrorCode.OUT_OF_RANGE, "Must be in the future.", name)
    return moment


def require_agreeing_lists(values: Mapping[str, Any]) -> None:
    """Method and list are set together, and no credential serves both uses."""
    proving = values[CredentialUse.CLIENT_AUTHENTICATION]
    requesting = values[CredentialUse.REQUEST_OBJECTS]
    method = values["token_endpoint_auth_method"]
    if proving and method not in KINDS:
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            f"With {method.value} no credentials are enabled: set clientAuthenticationMethods to "
            "null together with the method.",
            "client_authentication_methods",
        )
    if not set(proving).isdisjoint(requesting):
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "A credential that authenticates the application signs no requests.",
            *PATHS[CredentialUse.REQUEST_OBJECTS],
        )
    has_keys = requesting or values["jwks"] is not None or values["jwks_uri"] is not None
    if values["require_signed_request_object"] and not has_keys:
        raise DomainError(
            ErrorCode.REQUIRED,
            "Signed requests need credentials, jwks or jwksUri.",
            *PATHS[CredentialUse.REQUEST_OBJECTS],
        )


def require_fitting(values: Mapping[str, Any], own: Iterable[CredentialFacts]) -> None:
    """Each enabled credential is of a kind that its use has something to do with."""
    kinds = {credential.id: credential.credential_type for credential in own}
    possible = {
        CredentialUse.CLIENT_AUTHENTICATION: KINDS.get(values["token_endpoint_auth_method"], _KEYS),
        CredentialUse.REQUEST_OBJECTS: _KEYS,
    }
    for use, allowed in possible.items():
        for index, id_ in enumerate(values[use]):
            if id_ in kinds and kinds[id_] not in allowed:
                names = " or ".join(sorted(kind.name for kind in allowed))
                raise DomainError(
                    ErrorCode.NOT_ALLOWED, f"Must be of the type {names}.", *PATHS[use], str(index)
                )
