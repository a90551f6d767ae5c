"""What an application may be: its fields, its defaults by type, and how they agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import (
    ApplicationType,
    GrantType,
    SigningAlgorithm,
    TokenEndpointAuthMethod,
)
from tenantry.rules.fields import (
    Field,
    checked,
    flag,
    integer,
    list_of,
    one_of,
    origin,
    text,
    web_url,
    with_defaults,
)
from tenantry.rules.redirect_uris import registered_uri

MAX_URLS = 100
MIN_SECRET = 32
MAX_SECRET = 512

APPLICATION_FIELDS: Mapping[str, Field] = {
    "name": Field(text(100, 1, forbidden="<>")),
    "description": Field(text(140), ""),
    "application_type": Field(one_of(ApplicationType)),
    "token_endpoint_auth_method": Field(one_of(TokenEndpointAuthMethod), None),
    "grant_types": Field(list_of(one_of(GrantType), 20), None),
    "redirect_uris": Field(list_of(registered_uri, MAX_URLS), ()),
    "post_logout_redirect_uris": Field(list_of(registered_uri, MAX_URLS), ()),
    "web_origins": Field(list_of(origin, MAX_URLS), ()),
    "allowed_origins": Field(list_of(origin, MAX_URLS), ()),
    "initiate_login_uri": Field(web_url, None),
    "logo_uri": Field(web_url, None),
    "policy_uri": Field(web_url, None),
    "tos_uri": Field(web_url, None),
    "is_first_party": Field(flag, True),
    "oidc_conformant": Field(flag, True),
    "require_pkce": Field(flag, False),
    "id_token_lifetime": Field(integer(1, 2_592_000), 36_000),
    "id_token_signed_response_alg": Field(one_of(SigningAlgorithm), SigningAlgorithm.RS256),
}

_PUBLIC_TYPES = frozenset({ApplicationType.NATIVE, ApplicationType.SINGLE_PAGE})
_DEFAULT_GRANTS: Mapping[ApplicationType, tuple[GrantType, ...]] = {
    ApplicationType.NATIVE: (GrantType.AUTHORIZATION_CODE,),
    ApplicationType.SINGLE_PAGE: (GrantType.AUTHORIZATION_CODE,),
    ApplicationType.REGULAR_WEB: (GrantType.AUTHORIZATION_CODE, GrantType.CLIENT_CREDENTIALS),
    ApplicationType.MACHINE_TO_MACHINE: (GrantType.CLIENT_CREDENTIALS,),
}


def new_application(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a new application stores."""
    return _agreeing(_by_type(with_defaults(APPLICATION_FIELDS, values)))


def changed_application(current: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What an application stores after `values`; fields cleared to null fall to defaults."""
    return _agreeing(_by_type({**current, **checked(APPLICATION_FIELDS, values)}))


def _by_type(values: dict[str, Any]) -> dict[str, Any]:
    kind = values["application_type"]
    if values["token_endpoint_auth_method"] is None:
        values["token_endpoint_auth_method"] = (
            TokenEndpointAuthMethod.NONE
            if kind in _PUBLIC_TYPES
            else TokenEndpointAuthMethod.CLIENT_SECRET_POST
        )
    if values["grant_types"] is None:
        values["grant_types"] = _DEFAULT_GRANTS[kind]
    return values


def _agreeing(values: dict[str, Any]) -> dict[str, Any]:
    public = values["token_endpoint_auth_method"] is TokenEndpointAuthMethod.NONE
    if public and GrantType.CLIENT_CREDENTIALS in values["grant_types"]:
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "A public application cannot use the client_credentials grant.",
            "grant_types",
        )
    return values


def custom_secret(value: str) -> str:
    """A secret that an operator sets: 32 to 512 visible ASCII characters (RFC 6749 A.2)."""
    if not MIN_SECRET <= len(value) <= MAX_SECRET:
        raise DomainError(
            ErrorCode.OUT_OF_RANGE,
            f"A client secret has {MIN_SECRET} to {MAX_SECRET} characters.",
            "client_secret",
        )
    if not all(0x20 < ord(character) < 0x7F for character in value):
        raise DomainError(
            ErrorCode.INVALID, "Only visible ASCII characters are allowed.", "client_secret"
        )
    return value
