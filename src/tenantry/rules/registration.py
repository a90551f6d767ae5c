"""RFC 7591 §2 and OpenID Connect Registration §2: the metadata that an application sends.

Law: what is not understood is ignored, and what cannot be done as it says is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tenantry.core.encryption import REQUEST_OBJECT_ENCRYPTION, ContentEncryptionAlgorithm
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import (
    ApplicationType,
    GrantType,
    TenantFacts,
    TokenEndpointAuthMethod,
)
from tenantry.rules.redirect_uris import exact_uri, require_redirects_of
from tenantry.rules.response_types import CODE


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_Kind = tuple[Callable[[Any], bool], str]
_TEXT: _Kind = (_is_text, "a string")
_TEXTS: _Kind = (_is_texts, "an array of strings")
_FLAG: _Kind = (lambda value: isinstance(value, bool), "true or false")
_NUMBER: _Kind = (_is_number, "an integer")
_OBJECT: _Kind = (lambda value: isinstance(value, dict), "a JSON object")
MEMBERS: Mapping[str, _Kind] = {
    "redirect_uris": _TEXTS,
    "response_types": _TEXTS,
    "grant_types": _TEXTS,
    "application_type": _TEXT,
    "contacts": _TEXTS,
    "client_name": _TEXT,
    "logo_uri": _TEXT,
    "client_uri": _TEXT,
    "policy_uri": _TEXT,
    "tos_uri": _TEXT,
    "scope": _TEXT,
    "jwks_uri": _TEXT,
    "jwks": _OBJECT,
    "software_id": _TEXT,
    "software_version": _TEXT,
    "sector_identifier_uri": _TEXT,
    "subject_type": _TEXT,
    "id_token_signed_response_alg": _TEXT,
    "userinfo_signed_response_alg": _TEXT,
    "authorization_signed_response_alg": _TEXT,
    "authorization_encrypted_response_alg": _TEXT,
    "authorization_encrypted_response_enc": _TEXT,
    "request_object_signing_alg": _TEXT,
    "token_endpoint_auth_method": _TEXT,
    "token_endpoint_auth_signing_alg": _TEXT,
    "tls_client_certificate_bound_access_tokens": _FLAG,
    "tls_client_auth_subject_dn": _TEXT,
    "tls_client_auth_san_dns": _TEXT,
    "tls_client_auth_san_uri": _TEXT,
    "tls_client_auth_san_ip": _TEXT,
    "tls_client_auth_san_email": _TEXT,
    "default_max_age": _NUMBER,
    "require_auth_time": _FLAG,
    "dpop_bound_access_tokens": _FLAG,
    "default_acr_values": _TEXTS,
    "initiate_login_uri": _TEXT,
    "request_uris": _TEXTS,
    "require_pushed_authorization_requests": _FLAG,
    "require_signed_request_object": _FLAG,
    "authorization_details_types": _TEXTS,
    "post_logout_redirect_uris": _TEXTS,
    "backchannel_logout_uri": _TEXT,
    "backchannel_logout_session_required": _FLAG,
    "frontchannel_logout_uri": _TEXT,
    "frontchannel_logout_session_required": _FLAG,
}
# What would leave the application waiting for an encryption that never comes.
_ENCRYPTION = tuple(
    f"{name}_{part}"
    for name in (
        "id_token_encrypted_response",
        "userinfo_encrypted_response",
        "introspection_encrypted_response",
    )
    for part in ("alg", "enc")
)
_TYPES = {"web": ApplicationType.REGULAR_WEB, "native": ApplicationType.NATIVE}
# What an application that nobody vouches for may ask for; others are given by the tenant.
GRANT_TYPES = (
    GrantType.AUTHORIZATION_CODE,
    GrantType.IMPLICIT,
    GrantType.REFRESH_TOKEN,
    GrantType.CLIENT_CREDENTIALS,
    GrantType.DEVICE_CODE,
)
_WITH_REDIRECT = frozenset({GrantType.AUTHORIZATION_CODE, GrantType.IMPLICIT})
NAMES = {"client_name": "name"}
"""Members whose setting has another name."""


def application_values(document: Mapping[str, Any], tenant: TenantFacts) -> dict[str, Any]:
    """The settings of the new third-party application; `name` is missing if none was sent."""
    for member in _ENCRYPTION:
        if document.get(member) is not None:
            raise DomainError(ErrorCode.INVALID, "Encryption is not supported.", member)
    _check_request_encryption(document, tenant)
    sent = {name: document[name] for name in MEMBERS if document.get(name) is not None}
    for name, value in sent.items():
        is_kind, what = MEMBERS[name]
        if not is_kind(value):
            raise DomainError(ErrorCode.INVALID, f"Must be {what}.", name)
    # Registration §2: "The URI MUST use the https scheme"; nobody vouches for this machine here.
    if not sent.get("initiate_login_uri", "https://").startswith("https://"):
        raise DomainError(ErrorCode.INVALID, "Must be https.", "initiate_login_uri")
    # §2: "If unspecified or omitted, the default is client_secret_basic"; authorization_code.
    # Front-Channel Logout §2: "If omitted, the default value is false".
    values: dict[str, Any] = {
        "token_endpoint_auth_method": TokenEndpointAuthMethod.CLIENT_SECRET_BASIC,
        "grant_types": [GrantType.AUTHORIZATION_CODE.value],
        "require_auth_time": False,
        "frontchannel_logout_session_required": False,
        "is_first_party": False,
    } | {NAMES.get(name, name): value for name, value in sent.items()}
    values["application_type"] = _kind(values)
    _check_grants(values)
    _check_redirects(values)
    return values


def _check_request_encryption(document: Mapping[str, Any], tenant: TenantFacts) -> None:
    """Registration §2: what it "MAY use" must work; it binds nobody, so that none of it is kept."""
    alg, enc = "request_object_encryption_alg", "request_object_encryption_enc"
    possible: dict[str, tuple[str, ...]] = {
        alg: (REQUEST_OBJECT_ENCRYPTION,),
        enc: tuple(ContentEncryptionAlgorithm),
    }
    for member, values in possible.items():
        value = document.get(member)
        if value is None:
            continue
        if not tenant.request_object_encryption_supported:
            raise DomainError(ErrorCode.INVALID, "Encryption is not supported.", member)
        if not isinstance(value, str) or value not in values:
            raise DomainError(ErrorCode.INVALID, f"Must be among: {', '.join(values)}.", member)
        if document.get(alg) is None:
            raise DomainError(ErrorCode.REQUIRED, f"Needs {alg}.", member)


def wire_type(kind: ApplicationType) -> str:
    """`application_type` as the specification knows it."""
    return "native" if kind is ApplicationType.NATIVE else "web"


def _kind(values: Mapping[str, Any]) -> ApplicationType:
    """Registration §2: "The default, if omitted, is web". One without secret runs in a browser."""
    kind = _TYPES.get(values.get("application_type", "web"))
    if kind is None:
        raise DomainError(ErrorCode.INVALID, "Must be web or native.", "application_type")
    public = values["token_endpoint_auth_method"] == TokenEndpointAuthMethod.NONE
    is_browser = public and kind is ApplicationType.REGULAR_WEB
    return ApplicationType.SINGLE_PAGE if is_browser else kind


def _check_grants(values: dict[str, Any]) -> None:
    refused = next((name for name in values["grant_types"] if name not in GRANT_TYPES), None)
    if refused is not None:
        names = ", ".join(GRANT_TYPES)
        raise DomainError(ErrorCode.NOT_ALLOWED, f"Must be among: {names}.", "grant_types")
    redirected = not _WITH_REDIRECT.isdisjoint(values["grant_types"])
    # RFC 7591 §2: "If omitted, the default is that the client will use only the code response
    # type"; but it would not agree with grant types that have no answer at the redirect URI.
    values.setdefault("response_types", [CODE] if redirected else [])
    if redirected and not values["response_types"]:
        raise DomainError(
            ErrorCode.REQUIRED, "The grant types need a response type.", "response_types"
        )


def _check_redirects(values: Mapping[str, Any]) -> None:
    """Registration §2: `redirect_uris` is REQUIRED."""
    uris = values.get("redirect_uris")
    if not uris:
        raise DomainError(ErrorCode.REQUIRED, "At least one URL is required.", "redirect_uris")
    implicit = GrantType.IMPLICIT in values["grant_types"]
    require_redirects_of(values["application_type"], uris, implicit=implicit)
    for index, uri in enumerate(values.get("post_logout_redirect_uris", ())):
        exact_uri(uri, ("post_logout_redirect_uris", str(index)))
