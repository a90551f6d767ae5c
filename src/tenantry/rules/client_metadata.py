"""What an application may be: its fields, its defaults by type, and how they agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenantry.core.backchannel import BackchannelTokenDeliveryMode, NotificationChannel
from tenantry.core.compliance import ComplianceLevel
from tenantry.core.credentials import CredentialUse
from tenantry.core.encryption import ContentEncryptionAlgorithm, MessageEncryptionAlgorithm
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import (
    ApplicationType,
    ClientSigningAlgorithm,
    GrantType,
    ResponseTypeName,
    SigningAlgorithm,
    SubjectIdentifierType,
    TokenEndpointAuthMethod,
)
from tenantry.core.organizations import OrganizationRequireBehavior, OrganizationUsage
from tenantry.rules import request_objects
from tenantry.rules.app_links import (
    MAX_FINGERPRINTS,
    bundle_identifier,
    fingerprint,
    package_name,
    require_whole_links,
    team_id,
)
from tenantry.rules.authentication import acr_value
from tenantry.rules.authorization_details import TYPE_NAMES
from tenantry.rules.authorization_responses import require_encryptable
from tenantry.rules.backchannel import require_agreeing_backchannel
from tenantry.rules.claim_mappings import claim_mappings
from tenantry.rules.client_address import require_on_server
from tenantry.rules.client_certificates import CERTIFICATE_FIELDS, require_agreeing_names
from tenantry.rules.client_keys import (
    client_jwt_alg,
    fetched_url,
    public_jwks,
    require_agreeing_keys,
)
from tenantry.rules.credentials import attached, require_agreeing_lists
from tenantry.rules.custom_domain_urls import placed, require_first_party
from tenantry.rules.fields import (
    Field,
    checked,
    clean_text,
    flag,
    integer,
    list_of,
    one_of,
    text,
    web_url,
    with_defaults,
)
from tenantry.rules.logout import logout_uri, require_frontchannel_origin
from tenantry.rules.metadata import application_metadata, merged_pairs
from tenantry.rules.nouns import api_identifier
from tenantry.rules.pushed_requests import MAX_LIFETIME, MIN_LIFETIME
from tenantry.rules.redirect_uris import (
    callback_uri,
    cors_origin,
    login_uri,
    registered_origin,
    registered_uri,
    require_protected,
)
from tenantry.rules.response_types import require_grants, response_type
from tenantry.rules.scopes import scope_list
from tenantry.rules.subjects import require_sector

MAX_URLS = 100
MAX_AGE = 10 * 365 * 24 * 3600
# Those with a key of the tenant.
TENANT_ALGORITHMS = (
    SigningAlgorithm.RS256,
    SigningAlgorithm.PS256,
    SigningAlgorithm.ES256,
    SigningAlgorithm.EDDSA,
)
MIN_SECRET = 32
MAX_SECRET = 512


def external_id(value: Any, path: tuple[str, ...]) -> str:
    """What an application is called in every environment."""
    result = clean_text(value, path, 128, 1)
    if not result.isascii() or " " in result:
        raise DomainError(
            ErrorCode.INVALID, "An external id has visible ASCII characters only.", *path
        )
    return result


APPLICATION_FIELDS: Mapping[str, Field] = {
    "name": Field(text(100, 1, forbidden="<>")),
    "external_id": Field(external_id, None),
    "description": Field(text(140), ""),
    "application_type": Field(one_of(ApplicationType)),
    "token_endpoint_auth_method": Field(one_of(TokenEndpointAuthMethod), None),
    "grant_types": Field(list_of(one_of(GrantType), 20), None),
    "response_types": Field(list_of(response_type, len(ResponseTypeName)), ()),
    "scope": Field(scope_list, None),
    "redirect_uris": Field(list_of(placed(callback_uri), MAX_URLS), ()),
    "post_logout_redirect_uris": Field(list_of(placed(registered_uri), MAX_URLS), ()),
    "web_origins": Field(list_of(placed(registered_origin), MAX_URLS), ()),
    "allowed_origins": Field(list_of(placed(cors_origin), MAX_URLS), ()),
    "initiate_login_uri": Field(login_uri, None),
    "is_token_endpoint_ip_header_trusted": Field(flag, False),
    "contacts": Field(list_of(text(254, 1), 20), ()),
    "client_uri": Field(web_url, None),
    "software_id": Field(text(255, 1), None),
    "software_version": Field(text(255, 1), None),
    "android_app_package_name": Field(package_name, None),
    "android_sha256_cert_fingerprints": Field(list_of(fingerprint, MAX_FINGERPRINTS), ()),
    "ios_team_id": Field(team_id, None),
    "ios_app_bundle_identifier": Field(bundle_identifier, None),
    "logo_uri": Field(web_url, None),
    "policy_uri": Field(web_url, None),
    "tos_uri": Field(web_url, None),
    "backchannel_logout_uri": Field(logout_uri, None),
    "backchannel_logout_session_required": Field(flag, False),
    "frontchannel_logout_uri": Field(logout_uri, None),
    "frontchannel_logout_session_required": Field(flag, True),
    "async_approval_notification_channels": Field(
        list_of(one_of(NotificationChannel), 2), (NotificationChannel.EMAIL,)
    ),
    "backchannel_token_delivery_mode": Field(
        one_of(BackchannelTokenDeliveryMode), BackchannelTokenDeliveryMode.POLL
    ),
    "backchannel_client_notification_endpoint": Field(fetched_url, None),
    "backchannel_authentication_request_signing_alg": Field(client_jwt_alg, None),
    "backchannel_user_code_parameter": Field(flag, False),
    "logout_confirmation": Field(flag, None),
    "application_metadata": Field(application_metadata, {}),
    "claim_mappings": Field(claim_mappings, ()),
    "is_first_party": Field(flag, True),
    "oidc_conformant": Field(flag, True),
    "require_pkce": Field(flag, False),
    "compliance_level": Field(one_of(ComplianceLevel), None),
    "dpop_bound_access_tokens": Field(flag, False),
    "organization_usage": Field(one_of(OrganizationUsage), OrganizationUsage.DENY),
    "organization_require_behavior": Field(
        one_of(OrganizationRequireBehavior), OrganizationRequireBehavior.NO_PROMPT
    ),
    "token_exchange_audiences": Field(list_of(api_identifier, MAX_URLS), ()),
    "id_token_lifetime": Field(integer(1, 2_592_000), 36_000),
    "refresh_token_rotation": Field(flag, True),
    "refresh_token_overlap": Field(integer(0, 60), 10),
    "refresh_token_lifetime": Field(integer(1, 31_536_000), 2_592_000),
    "refresh_token_idle_lifetime": Field(integer(1, 31_536_000), 1_296_000),
    "id_token_signed_response_alg": Field(one_of(SigningAlgorithm), SigningAlgorithm.RS256),
    "jwks": Field(public_jwks, None),
    "jwks_uri": Field(fetched_url, None),
    "token_endpoint_auth_signing_alg": Field(one_of(ClientSigningAlgorithm), None),
    "request_object_signing_alg": Field(client_jwt_alg, None),
    "tls_client_certificate_bound_access_tokens": Field(flag, False),
    **CERTIFICATE_FIELDS,
    "client_authentication_credentials": Field(attached(CredentialUse.CLIENT_AUTHENTICATION), ()),
    "request_object_credentials": Field(attached(CredentialUse.REQUEST_OBJECTS), ()),
    "require_signed_request_object": Field(flag, False),
    "authorization_details_types": TYPE_NAMES,
    "request_object_lifetime": Field(
        integer(request_objects.MIN_LIFETIME, request_objects.MAX_LIFETIME), None
    ),
    "require_pushed_authorization_requests": Field(flag, False),
    "pushed_authorization_request_lifetime": Field(integer(MIN_LIFETIME, MAX_LIFETIME), None),
    "request_uris": Field(list_of(fetched_url, MAX_URLS), ()),
    "userinfo_signed_response_alg": Field(one_of(SigningAlgorithm, TENANT_ALGORITHMS), None),
    "authorization_signed_response_alg": Field(
        one_of(SigningAlgorithm, TENANT_ALGORITHMS), SigningAlgorithm.RS256
    ),
    "authorization_encrypted_response_alg": Field(one_of(MessageEncryptionAlgorithm), None),
    "authorization_encrypted_response_enc": Field(one_of(ContentEncryptionAlgorithm), None),
    "default_max_age": Field(integer(0, MAX_AGE), None),
    "require_auth_time": Field(flag, True),
    "default_acr_values": Field(list_of(acr_value, 20), ()),
    "subject_type": Field(one_of(SubjectIdentifierType), SubjectIdentifierType.PUBLIC),
    "sector_identifier_uri": Field(fetched_url, None),
    "non_verifiable_callback_confirmation": Field(flag, None),
}

_PUBLIC_TYPES = frozenset({ApplicationType.NATIVE, ApplicationType.SINGLE_PAGE})
_DEFAULT_GRANTS: Mapping[ApplicationType, tuple[GrantType, ...]] = {
    ApplicationType.NATIVE: (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN),
    ApplicationType.SINGLE_PAGE: (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN),
    ApplicationType.REGULAR_WEB: (
        GrantType.AUTHORIZATION_CODE,
        GrantType.REFRESH_TOKEN,
        GrantType.CLIENT_CREDENTIALS,
    ),
    ApplicationType.MACHINE_TO_MACHINE: (GrantType.CLIENT_CREDENTIALS,),
}


def new_application(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a new application stores."""
    stored = with_defaults(APPLICATION_FIELDS, values)
    stored["application_metadata"] = merged_pairs(
        {}, stored["application_metadata"], "application_metadata"
    )
    return _agreeing(_by_type(stored))


def changed_application(current: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What an application stores after `values`; fields cleared to null fall to defaults."""
    changed = _by_type({**current, **checked(APPLICATION_FIELDS, values)})
    if values.get("application_metadata") is not None:
        changed["application_metadata"] = merged_pairs(
            current["application_metadata"], changed["application_metadata"], "application_metadata"
        )
    if changed["token_endpoint_auth_method"] is TokenEndpointAuthMethod.NONE:
        changed["refresh_token_rotation"] |= "refresh_token_rotation" not in values
    return _agreeing(changed)


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


_FIRST_PARTY_GRANTS = frozenset({GrantType.PASSWORD, GrantType.PASSWORD_REALM})
_NO_PUBLIC_GRANTS = (GrantType.CLIENT_CREDENTIALS, GrantType.TOKEN_EXCHANGE, GrantType.JWT_BEARER)


def _agreeing(values: dict[str, Any]) -> dict[str, Any]:
    require_sector(values)
    require_grants(values)
    require_agreeing_keys(values)
    require_encryptable(values)
    require_agreeing_lists(values)
    require_agreeing_names(values)
    require_frontchannel_origin(values)
    require_whole_links(values)
    require_agreeing_backchannel(values)
    require_first_party(values)
    require_on_server(values)
    if not values["is_first_party"] and _FIRST_PARTY_GRANTS & set(values["grant_types"]):
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "Only a first-party application may see a user's password.",
            "grant_types",
        )
    native = values["application_type"] is ApplicationType.NATIVE
    if GrantType.DEVICE_CODE in values["grant_types"] and not native:
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "Only a native application can use the device_code grant.",
            "grant_types",
        )
    public = values["token_endpoint_auth_method"] is TokenEndpointAuthMethod.NONE
    refused = next((name for name in _NO_PUBLIC_GRANTS if name in values["grant_types"]), None)
    if public and refused is not None:
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            f"A public application cannot use the {refused.value} grant.",
            "grant_types",
        )
    if public:
        for name in ("redirect_uris", "post_logout_redirect_uris"):
            require_protected(name, values[name])
    # RFC 9700 §2.2.2: "Refresh tokens for public clients MUST be sender-constrained or use
    # refresh token rotation".
    if public and not values["refresh_token_rotation"]:
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "The refresh tokens of a public application always rotate.",
            "refresh_token_rotation",
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
