"""FAPI 1.0 Advanced, FAPI 2.0 Security Profile and Message Signing: what each level demands.

Law: a level is a row of data. What a setting can say is in force whatever the setting says, and
what an application must bring itself is demanded when the level is set.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from tenantry.core.compliance import ComplianceLevel
from tenantry.core.facts import (
    ApplicationFacts,
    ClientSigningAlgorithm,
    GrantType,
    ProofOfPossession,
    ResponseTypeName,
    SigningAlgorithm,
    TenantFacts,
    TokenEndpointAuthMethod,
)
from tenantry.rules.admission import Admission, check, in_order

SETTING = "Application.complianceLevel"
_KEY = frozenset({TokenEndpointAuthMethod.PRIVATE_KEY_JWT})
_CERTIFICATE = frozenset(method for method in TokenEndpointAuthMethod if method.uses_certificate)
_PS256 = (ClientSigningAlgorithm.PS256,)
# FAPI 2.0 Security Profile §5.4.1, and FAPI 1.0 Advanced §8.6 without EdDSA.
_FAPI2_ALGORITHMS = (
    ClientSigningAlgorithm.PS256,
    ClientSigningAlgorithm.ES256,
    ClientSigningAlgorithm.EDDSA,
)
_FAPI1_ALGORITHMS = _FAPI2_ALGORITHMS[:2]
_HOUR = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One level. Lifetimes are seconds; None leaves them to the settings.

    `request_algorithms` are those of request objects, and empty where none is demanded.
    """

    title: str
    methods: frozenset[TokenEndpointAuthMethod]
    algorithms: tuple[ClientSigningAlgorithm, ...]
    bound_by: ProofOfPossession
    response_types: tuple[ResponseTypeName, ...]
    request_algorithms: tuple[ClientSigningAlgorithm, ...] = ()
    signed_response: bool = False
    code_needs_signed_response: bool = False
    assertion_for_issuer_alone: bool = False
    allows_wildcards: bool = True
    needs_interaction_id: bool = False
    needs_nonce: bool = False
    says_issuer: bool = False
    rotates: bool = True
    code_lifetime: int | None = None
    push_lifetime: int | None = None


_FAPI1 = Profile(
    title="FAPI 1.0 Advanced",
    methods=_KEY,
    algorithms=_FAPI1_ALGORITHMS,
    bound_by=ProofOfPossession.MTLS,
    response_types=(ResponseTypeName.CODE_ID_TOKEN, ResponseTypeName.CODE),
    request_algorithms=_PS256,
    code_needs_signed_response=True,
    allows_wildcards=False,
    needs_interaction_id=True,
    needs_nonce=True,
)
_FAPI2 = Profile(
    title="FAPI 2.0 Security Profile",
    methods=_KEY,
    algorithms=_FAPI2_ALGORITHMS,
    bound_by=ProofOfPossession.MTLS,
    response_types=(ResponseTypeName.CODE,),
    assertion_for_issuer_alone=True,
    says_issuer=True,
    rotates=False,
    code_lifetime=60,
    push_lifetime=30,
)
_SIGNING = replace(
    _FAPI2,
    title="FAPI 2.0 Message Signing",
    request_algorithms=_FAPI2_ALGORITHMS,
    signed_response=True,
)

LEVELS: Mapping[ComplianceLevel, Profile] = {
    ComplianceLevel.FAPI1_ADV_PKJ_PAR: _FAPI1,
    ComplianceLevel.FAPI1_ADV_MTLS_PAR: replace(_FAPI1, methods=_CERTIFICATE),
    ComplianceLevel.FAPI2_SP_PKJ_MTLS: _FAPI2,
    ComplianceLevel.FAPI2_SP_MTLS_MTLS: replace(_FAPI2, methods=_CERTIFICATE),
    ComplianceLevel.FAPI2_SP_PKJ_DPOP: replace(_FAPI2, bound_by=ProofOfPossession.DPOP),
    ComplianceLevel.FAPI2_SP_MTLS_DPOP: replace(
        _FAPI2, methods=_CERTIFICATE, bound_by=ProofOfPossession.DPOP
    ),
    ComplianceLevel.FAPI2_MS_PKJ_MTLS: _SIGNING,
    ComplianceLevel.FAPI2_MS_MTLS_MTLS: replace(_SIGNING, methods=_CERTIFICATE),
    ComplianceLevel.FAPI2_MS_PKJ_DPOP: replace(_SIGNING, bound_by=ProofOfPossession.DPOP),
    ComplianceLevel.FAPI2_MS_MTLS_DPOP: replace(
        _SIGNING, methods=_CERTIFICATE, bound_by=ProofOfPossession.DPOP
    ),
}


def profile_of(application: ApplicationFacts) -> Profile | None:
    level = application.compliance_level
    return LEVELS[level] if level else None


def in_force(application: ApplicationFacts) -> ApplicationFacts:
    """The application as its level makes it, for whoever acts on its settings."""
    profile = profile_of(application)
    if profile is None:
        return application
    by_key = profile.bound_by is ProofOfPossession.DPOP
    signed = bool(profile.request_algorithms)
    chosen = application.pushed_authorization_request_lifetime
    types = [name for name in profile.response_types if name in application.response_types]
    return replace(
        application,
        require_pkce=True,
        require_pushed_authorization_requests=True,
        pushed_authorization_request_lifetime=chosen or profile.push_lifetime,
        require_signed_request_object=signed or application.require_signed_request_object,
        request_object_lifetime=(
            min(application.request_object_lifetime or _HOUR, _HOUR)
            if signed
            else application.request_object_lifetime
        ),
        response_types=tuple(types) or profile.response_types,
        dpop_bound_access_tokens=by_key or application.dpop_bound_access_tokens,
        tls_client_certificate_bound_access_tokens=(
            not by_key or application.tls_client_certificate_bound_access_tokens
        ),
        refresh_token_rotation=profile.rotates and application.refresh_token_rotation,
    )


def code_lifetime(application: ApplicationFacts, otherwise: timedelta) -> timedelta:
    """FAPI 2.0 §5.3.2.1: "shall issue authorization codes with a maximum lifetime of 60"."""
    profile = profile_of(application)
    if profile is None or profile.code_lifetime is None:
        return otherwise
    return min(otherwise, timedelta(seconds=profile.code_lifetime))


def assertion_algorithms(
    application: ApplicationFacts, allowed: Collection[ClientSigningAlgorithm]
) -> tuple[ClientSigningAlgorithm, ...]:
    profile = profile_of(application)
    return tuple(alg for alg in allowed if profile is None or alg in profile.algorithms)


def request_algorithms(
    application: ApplicationFacts, allowed: Collection[ClientSigningAlgorithm]
) -> tuple[ClientSigningAlgorithm, ...]:
    profile = profile_of(application)
    if profile is None:
        return tuple(allowed)
    own = profile.request_algorithms or profile.algorithms
    return tuple(alg for alg in allowed if alg in own)


def introspection_algorithm(application: ApplicationFacts, tenant: TenantFacts) -> SigningAlgorithm:
    """RFC 9701 §6: "the default […] is RS256", which FAPI 2.0 §5.4.1 does not allow.

    At a level it is that of the ID tokens, or for who gets none another that is allowed.
    """
    profile = profile_of(application)
    allowed = {alg.value for alg in profile.algorithms} if profile else set()
    wanted = (application.id_token_signed_response_alg, *tenant.signing_algorithms)
    found = (alg for alg in wanted if alg.value in allowed and alg in tenant.signing_algorithms)
    return next(found, SigningAlgorithm.RS256)


def wants_assertion_for_issuer_alone(application: ApplicationFacts) -> bool:
    """FAPI 2.0 §5.3.2.1: the issuer "as a string", not the URL of an endpoint, no list."""
    profile = profile_of(application)
    return profile is not None and profile.assertion_for_issuer_alone


def says_issuer(in_use: Collection[ComplianceLevel]) -> bool:
    """FAPI 2.0 §5.3.2.2: `iss` in the answer, whatever the tenant's switch says.

    RFC 9207 §3: what discovery says of it holds for every answer, so one application decides.
    """
    return any(LEVELS[level].says_issuer for level in in_use)


def _demanded(name: str, passed: bool, what: str) -> Admission:
    text = f"{what} by the configured compliance level."
    return check(name, passed, SETTING, "invalid_request", text)


def may_ask(
    application: ApplicationFacts, parts: Collection[str], *, signed_response: bool
) -> Admission:
    """What an authorization request says beside what settings demand."""
    profile = profile_of(application)
    if profile is None:
        return in_order()
    needs_signed = profile.signed_response or (
        profile.code_needs_signed_response and set(parts) == {"code"}
    )
    return _demanded(
        "compliance_response_mode",
        signed_response or not needs_signed,
        "Signed authorization responses, as response_mode=jwt asks for them, are required",
    )


def says_enough(
    application: ApplicationFacts, scopes: Collection[str], *, has_nonce: bool, has_state: bool
) -> Admission:
    """FAPI 1.0 Baseline §5.2.2.2 and §5.2.2.3: `nonce` with the scope openid, else `state`."""
    profile = profile_of(application)
    if profile is None or not profile.needs_nonce:
        return in_order()
    with_openid = "openid" in scopes
    return in_order(
        _demanded("compliance_scope", bool(scopes), "The parameter scope is required"),
        _demanded(
            "compliance_nonce",
            has_nonce or not with_openid,
            "The parameter nonce beside the scope openid is required",
        ),
        _demanded(
            "compliance_state",
            has_state or with_openid,
            "The parameter state without the scope openid is required",
        ),
    )


def may_call(application: ApplicationFacts, *, has_interaction_id: bool) -> Admission:
    """FAPI 1.0 Baseline §6.2.1: requests at protected resources can be told apart.

    FAPI-CIBA leaves the header to the application, and a request without it gets one.
    """
    profile = profile_of(application)
    asks_elsewhere = GrantType.CIBA in application.grant_types
    needed = profile is not None and profile.needs_interaction_id and not asks_elsewhere
    return _demanded(
        "compliance_interaction_id",
        has_interaction_id or not needed,
        "The header x-fapi-interaction-id with a UUID is required",
    )
