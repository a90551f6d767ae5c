"""What tenants, APIs, client grants and connections may be: tables of checked fields."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import (
    AccessPolicy,
    DeviceUserCodeCharset,
    Environment,
    NewTokenEncryption,
    ProofOfPossession,
    ResourceParameterProfile,
    Scope,
    SigningAlgorithm,
    SubjectType,
    TokenDialect,
)
from tenantry.core.organizations import OrganizationUsage
from tenantry.rules import authorization_details, scopes, step_up
from tenantry.rules.access_control import access_control_list
from tenantry.rules.addresses import TENANT_NAME
from tenantry.rules.authentication import acr_value
from tenantry.rules.claim_mappings import claim_mappings
from tenantry.rules.client_keys import fetched_url
from tenantry.rules.consent_template import consent_template
from tenantry.rules.email_templates import email_templates
from tenantry.rules.fields import (
    Field,
    clean_text,
    email,
    flag,
    integer,
    list_of,
    matching,
    one_of,
    text,
    web_url,
)
from tenantry.rules.redirect_uris import exact_uri
from tenantry.rules.users import MIN_PASSWORD

MAX_SCOPES = 1000
_SLUG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,126}[A-Za-z0-9])?")
_KID = re.compile(r"[\x21-\x7e]{1,128}")
MAX_PEM = 16_384
DEFAULT_LIFETIME = 86_400
MINUTE = 60
# Ten years; the operator's own limits are lower.
MAX_LIFETIME = 315_360_000
MIN_USER_CODE = 8


def tenant_name(value: Any, path: tuple[str, ...]) -> str:
    """3 to 63 lower-case letters, digits and hyphens, no hyphen at either end."""
    if not isinstance(value, str) or not TENANT_NAME.fullmatch(value):
        raise DomainError(
            ErrorCode.INVALID,
            "A name has 3 to 63 lower-case letters, digits and hyphens, and begins and ends "
            "with a letter or a digit.",
            *path,
        )
    return value


def api_identifier(value: Any, path: tuple[str, ...]) -> str:
    """The audience of tokens, compared exactly. It may be any text, a URL by custom."""
    result = clean_text(value, path, 600, 1)
    if result != value or " " in result or not result.isascii():
        raise DomainError(
            ErrorCode.INVALID, "An identifier has visible ASCII characters only.", *path
        )
    return result


def api_scopes(value: Sequence[Scope], path: tuple[str, ...]) -> tuple[Scope, ...]:
    """The permissions of an API, each value once, none of the reserved names."""
    if len(value) > MAX_SCOPES:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_SCOPES} scopes.", *path)
    seen: dict[str, Scope] = {}
    for index, scope in enumerate(value):
        place = (*path, str(index))
        name = scope_token(scope.value, (*place, "value"))
        if name in scopes.RESERVED:
            raise DomainError(ErrorCode.INVALID, f"The name {name} is reserved.", *place, "value")
        if name in seen:
            raise DomainError(ErrorCode.INVALID, f"{name} is listed twice.", *place, "value")
        seen[name] = Scope(name, clean_text(scope.description, (*place, "description"), 500))
    return tuple(seen.values())


def scope_token(value: Any, path: tuple[str, ...]) -> str:
    if not isinstance(value, str) or not scopes.SCOPE_TOKEN.fullmatch(value):
        raise DomainError(
            ErrorCode.INVALID,
            "A scope is visible ASCII without spaces, quotes, backslashes.",
            *path,
        )
    return value


def user_code_mask(value: Any, path: tuple[str, ...]) -> str:
    """RFC 8628 §6.1: long enough not to be guessed, short enough to be typed."""
    result = clean_text(value, path, 20, 1)
    if set(result) - set("*- ") or result.count("*") < MIN_USER_CODE:
        raise DomainError(
            ErrorCode.INVALID,
            f"A mask has asterisks, at least {MIN_USER_CODE}, and spaces and hyphens.",
            *path,
        )
    return result


WITH_KEY_PAIRS = tuple(alg for alg in SigningAlgorithm if not alg.is_symmetric)


def token_encryption(value: NewTokenEncryption, path: tuple[str, ...]) -> NewTokenEncryption:
    """The texts alone; the key itself is read where keys are known."""
    inner = (*path, "encryption_key")
    if value.kid is not None and not _KID.fullmatch(value.kid):
        raise DomainError(
            ErrorCode.INVALID, "A kid has 1 to 128 visible ASCII characters.", *inner, "kid"
        )
    if value.name is not None:
        clean_text(value.name, (*inner, "name"), 128, 1)
    if len(value.pem) > MAX_PEM:
        raise DomainError(ErrorCode.TOO_LONG, f"At most {MAX_PEM} characters.", *inner, "pem")
    return value


TENANT_FIELDS: Mapping[str, Field] = {
    "environment": Field(one_of(Environment), Environment.DEVELOPMENT),
    "friendly_name": Field(text(100, forbidden="<>"), ""),
    "logo_uri": Field(web_url, None),
    "support_email": Field(email, None),
    "support_url": Field(web_url, None),
    "error_page_url": Field(web_url, None),
    "default_audience": Field(api_identifier, None),
    "default_directory": Field(text(128, 1), None),
    "allowed_logout_urls": Field(list_of(exact_uri, 100), ()),
    "session_idle_lifetime": Field(integer(MINUTE, MAX_LIFETIME), 4_320 * MINUTE),
    "session_lifetime": Field(integer(MINUTE, MAX_LIFETIME), 10_080 * MINUTE),
    "use_scope_descriptions_for_consent": Field(flag, False),
    "enable_application_connections": Field(flag, True),
    "end_session_endpoint_discovery": Field(flag, True),
    "logout_confirmation": Field(flag, True),
    "authorization_response_iss_parameter_supported": Field(flag, True),
    "remove_alg_from_jwks": Field(flag, False),
    "enable_mtls_endpoint_aliases": Field(flag, False),
    "refresh_token_revocation_deletes_grant": Field(flag, False),
    "acr_values_supported": Field(list_of(acr_value, 20), ()),
    "non_verifiable_callback_confirmation": Field(flag, True),
    "signing_algorithms": Field(
        list_of(one_of(SigningAlgorithm, WITH_KEY_PAIRS), 4), (SigningAlgorithm.RS256,)
    ),
    "claim_mappings": Field(claim_mappings, ()),
    "access_control_list": Field(access_control_list, ()),
    "device_user_code_charset": Field(one_of(DeviceUserCodeCharset), DeviceUserCodeCharset.BASE20),
    "device_user_code_mask": Field(user_code_mask, "****-****"),
    "enable_dynamic_client_registration": Field(flag, False),
    "initiate_login_uri": Field(web_url, None),
    "resource_parameter_profile": Field(
        one_of(ResourceParameterProfile), ResourceParameterProfile.ONE
    ),
    "trusted_documents_only": Field(flag, False),
    "require_dpop_nonce": Field(flag, False),
    "allow_organization_name_in_authentication_api": Field(flag, False),
    "pushed_authorization_requests_supported": Field(flag, True),
    "request_object_encryption_supported": Field(flag, False),
    "customized_consent_template": Field(consent_template, None),
    "management_max_age": Field(integer(step_up.MIN_AGE, step_up.MAX_AGE), None),
    "require_login_for_approval_links": Field(flag, True),
    "email_templates": Field(email_templates, ()),
    "push_notification_url": Field(fetched_url, None),
}

RESOURCE_SERVER_FIELDS: Mapping[str, Field] = {
    "name": Field(text(200, 1, forbidden="<>")),
    "identifier": Field(api_identifier),
    "scopes": Field(api_scopes, ()),
    "signing_alg": Field(one_of(SigningAlgorithm), SigningAlgorithm.RS256),
    "token_lifetime": Field(integer(1, 2_592_000), DEFAULT_LIFETIME),
    "token_lifetime_for_web": Field(integer(1, 2_592_000), None),
    "token_encryption": Field(token_encryption, None),
    "enforce_policies": Field(flag, False),
    "proof_of_possession": Field(one_of(ProofOfPossession), None),
    "token_dialect": Field(one_of(TokenDialect), TokenDialect.ACCESS_TOKEN),
    "skip_consent_for_first_party": Field(flag, True),
    "allow_offline_access": Field(flag, False),
    "authorization_details": authorization_details.TYPES,
    "require_pushed_authorization_details": authorization_details.ONLY_PUSHED,
    "consent_policy": authorization_details.POLICY,
    "user_access_policy": Field(one_of(AccessPolicy), AccessPolicy.ALLOW_ALL),
    "client_access_policy": Field(
        one_of(AccessPolicy, (AccessPolicy.REQUIRE_CLIENT_GRANT, AccessPolicy.DENY_ALL)),
        AccessPolicy.REQUIRE_CLIENT_GRANT,
    ),
}


def settled_api(values: Mapping[str, Any], sent: Collection[str]) -> dict[str, Any]:
    """What an API stores: settings that hang on another one follow it, unless they were `sent`."""
    settled = dict(values)
    lifetime, for_web = values["token_lifetime"], values["token_lifetime_for_web"]
    if for_web is not None and for_web > lifetime and "token_lifetime_for_web" in sent:
        raise DomainError(
            ErrorCode.OUT_OF_RANGE,
            f"Must not exceed the token lifetime, {lifetime}.",
            "token_lifetime_for_web",
        )
    settled["token_lifetime_for_web"] = min(for_web or DEFAULT_LIFETIME, lifetime)
    dialect: TokenDialect = values["token_dialect"]
    if dialect.has_permissions and not values["enforce_policies"]:
        if "token_dialect" in sent:
            raise DomainError(
                ErrorCode.NOT_ALLOWED,
                "Tokens list permissions only where the API enforces policies.",
                "token_dialect",
            )
        settled["token_dialect"] = dialect.without_permissions
    return settled


ROLE_FIELDS: Mapping[str, Field] = {
    "name": Field(text(100, 1, forbidden="<>")),
    "description": Field(text(300), ""),
}

CLIENT_GRANT_FIELDS: Mapping[str, Field] = {
    "client_id": Field(text(128, 1)),
    "audience": Field(text(600, 1)),
    "subject_type": Field(one_of(SubjectType), SubjectType.CLIENT),
    "scopes": Field(list_of(scope_token, MAX_SCOPES), ()),
    "allow_all_scopes": Field(flag, False),
    "organization_usage": Field(one_of(OrganizationUsage), OrganizationUsage.DENY),
    "allow_any_organization": Field(flag, False),
    "authorization_details_types": authorization_details.TYPE_NAMES,
}

CONNECTION_FIELDS: Mapping[str, Field] = {
    "name": Field(matching(_SLUG, "letters, digits and hyphens", 128)),
    "display_name": Field(text(100), ""),
    "password_minimum_length": Field(integer(MIN_PASSWORD, 72), MIN_PASSWORD),
    "is_domain_connection": Field(flag, False),
}
