"""Each requirement of a compliance level: whether an application meets it, and by what setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.core.compliance import ComplianceLevel
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import (
    GrantType,
    ProofOfPossession,
    SigningAlgorithm,
    TenantFacts,
    TokenEndpointAuthMethod,
)
from tenantry.rules.compliance import LEVELS, SETTING, Profile
from tenantry.rules.redirect_uris import has_wildcard

_FORBIDDEN_GRANTS = (GrantType.PASSWORD, GrantType.PASSWORD_REALM)
_OF_REQUESTS = frozenset(
    {"request_object_signing_alg", "backchannel_authentication_request_signing_alg"}
)
# With it alone there is neither an ID token nor an authorization response.
_OF_MACHINES = frozenset({GrantType.CLIENT_CREDENTIALS})
_METHOD = "Application.tokenEndpointAuthMethod"
_TOKEN_ALGORITHMS = (SigningAlgorithm.PS256, SigningAlgorithm.ES256, SigningAlgorithm.EDDSA)


@dataclass(frozen=True, slots=True)
class ComplianceRequirement:
    """`setting` decides it; the level itself where every request is held to it."""

    requirement: str
    description: str
    setting: str
    is_met: bool


def requirements(
    level: ComplianceLevel, settings: Mapping[str, Any], tenant: TenantFacts
) -> tuple[ComplianceRequirement, ...]:
    """All of a level's, in a fixed order; `settings` are those of an application."""
    profile = LEVELS[level]
    return (*_brought(profile, settings, tenant), *_in_force(profile))


def require_met(settings: Mapping[str, Any], tenant: TenantFacts) -> None:
    """Says at once all that an application lacks for its level."""
    level = settings["compliance_level"]
    if level is None:
        return
    missing = [each for each in requirements(level, settings, tenant) if not each.is_met]
    if missing:
        lines = " ".join(f"{each.setting}: {each.description}" for each in missing)
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            f"The application does not meet {LEVELS[level].title} yet. {lines}",
            "compliance_level",
        )


def _brought(
    profile: Profile, settings: Mapping[str, Any], tenant: TenantFacts
) -> Iterator[ComplianceRequirement]:
    """What the level cannot bring about itself."""
    by_key = TokenEndpointAuthMethod.PRIVATE_KEY_JWT in profile.methods
    yield ComplianceRequirement(
        "client_authentication",
        "The application proves itself by a signed JWT (private_key_jwt)."
        if by_key
        else "The application proves itself by its certificate (mutual TLS).",
        _METHOD,
        settings["token_endpoint_auth_method"] in profile.methods,
    )
    names = ", ".join(alg.value for alg in profile.algorithms)
    for name, setting in (
        ("token_endpoint_auth_signing_alg", "tokenEndpointAuthSigningAlg"),
        ("request_object_signing_alg", "requestObjectSigningAlg"),
        (
            "backchannel_authentication_request_signing_alg",
            "backchannelAuthenticationRequestSigningAlg",
        ),
        ("userinfo_signed_response_alg", "userinfoSignedResponseAlg"),
    ):
        of_requests = name in _OF_REQUESTS and profile.request_algorithms
        allowed = profile.request_algorithms if of_requests else profile.algorithms
        text = ", ".join(alg.value for alg in allowed)
        yield ComplianceRequirement(
            name,
            f"If an algorithm is named, it is one of {text}.",
            f"Application.{setting}",
            settings[name] is None or settings[name] in allowed,
        )
    speaks_for_users = bool(set(settings["grant_types"]) - _OF_MACHINES)
    for name, setting in (
        ("id_token_signed_response_alg", "idTokenSignedResponseAlg"),
        ("authorization_signed_response_alg", "authorizationSignedResponseAlg"),
    ):
        if name.startswith("authorization") and not (
            profile.signed_response or profile.code_needs_signed_response
        ):
            continue
        yield ComplianceRequirement(
            name,
            f"What the tenant signs for the application is signed with one of {names}.",
            f"Application.{setting}",
            not speaks_for_users
            or (settings[name] in _TOKEN_ALGORITHMS and settings[name].value in names.split(", ")),
        )
    yield ComplianceRequirement(
        "oidc_conformant",
        "The application works to the letter of OpenID Connect.",
        "Application.oidcConformant",
        settings["oidc_conformant"],
    )
    yield ComplianceRequirement(
        "grant_types",
        "The application never sees a user's password.",
        "Application.grantTypes",
        not set(_FORBIDDEN_GRANTS) & set(settings["grant_types"]),
    )
    if settings["response_types"]:
        types = ", ".join(each.value for each in profile.response_types)
        yield ComplianceRequirement(
            "response_types",
            f"Of response types there is one of: {types}.",
            "Application.responseTypes",
            bool(set(profile.response_types) & set(settings["response_types"])),
        )
    if not profile.allows_wildcards:
        yield ComplianceRequirement(
            "exact_callbacks",
            "No callback has a wildcard.",
            "Application.redirectUris",
            not any(map(has_wildcard, settings["redirect_uris"])),
        )
    yield ComplianceRequirement(
        "pushed_requests_supported",
        "The tenant takes pushed authorization requests.",
        "Tenant.pushedAuthorizationRequestsSupported",
        tenant.pushed_authorization_requests_supported or not speaks_for_users,
    )


def _in_force(profile: Profile) -> Iterator[ComplianceRequirement]:
    """What the level brings about: every request is held to it."""

    def in_force(name: str, description: str) -> ComplianceRequirement:
        return ComplianceRequirement(name, description, SETTING, is_met=True)

    yield in_force("pushed_requests", "Authorization requests are pushed (RFC 9126).")
    yield in_force("pkce", "Codes are protected by PKCE with S256 (RFC 7636).")
    yield in_force("token_in_header", "No access token is taken from a query.")
    yield in_force("updated_at", "The claim updated_at is a number of seconds.")
    yield in_force("error_codes", "Errors have codes of the standards only.")
    kind = "a DPoP key" if profile.bound_by is ProofOfPossession.DPOP else "a client certificate"
    yield in_force("sender_constrained_tokens", f"Access tokens are bound to {kind}.")
    names = ", ".join(alg.value for alg in profile.algorithms)
    yield in_force("assertion_algorithms", f"Client assertions are signed with {names}.")
    if profile.request_algorithms:
        names = ", ".join(alg.value for alg in profile.request_algorithms)
        yield in_force(
            "signed_requests",
            f"Requests are signed with {names}, their nbf at most an hour old and their exp at "
            "most an hour after it (RFC 9101).",
        )
    if profile.needs_interaction_id:
        yield in_force(
            "interaction_id",
            "Requests at /userinfo carry x-fapi-interaction-id, unless the application has the "
            "CIBA grant.",
        )
        yield in_force("nonce", "Requests carry nonce with the scope openid, else state.")
        yield in_force("state_hash", "ID tokens with a code carry s_hash.")
    if profile.signed_response:
        yield in_force("signed_responses", "Authorization responses are signed (JARM).")
    elif profile.code_needs_signed_response:
        yield in_force(
            "response_type", "The response type is code id_token, or code in a signed response."
        )
    if profile.response_types == ("code",):
        yield in_force("response_type", "The response type is code.")
    if profile.assertion_for_issuer_alone:
        yield in_force("assertion_audience", "Client assertions are for the issuer, by its name.")
    yield in_force("redirect_uri", "Each request names its redirect_uri.")
    if profile.says_issuer:
        yield in_force("issuer", "Answers carry iss (RFC 9207).")
    if not profile.rotates:
        yield in_force("refresh_tokens", "Refresh tokens stay as they are; they do not rotate.")
    if profile.code_lifetime is not None:
        yield in_force("code_lifetime", f"A code lives {profile.code_lifetime} seconds.")
    if profile.push_lifetime is not None:
        yield in_force(
            "pushed_request_lifetime",
            f"A pushed request waits {profile.push_lifetime} seconds unless another time below "
            "600 is chosen.",
        )
