"""Who and what a grant type takes, before and after the scopes are decided: pure, with a trace.

Law: the endpoints and the explanation of a decision run these very functions, in one order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from tenantry.core.facts import (
    ApplicationFacts,
    ConsentFacts,
    GrantType,
    ResourceParameterProfile,
    ResourceServerFacts,
    TenantFacts,
    TrustedIssuerFacts,
    UserFacts,
)
from tenantry.rules import scopes
from tenantry.rules.authorization import OFFLINE_ACCESS, Decision, Refused, Rule
from tenantry.rules.interaction import needs_consent

_FIRST_PARTY = frozenset({GrantType.CIBA, GrantType.PASSWORD, GrantType.PASSWORD_REALM})
_CONFIDENTIAL = frozenset({GrantType.CIBA, GrantType.TOKEN_EXCHANGE, GrantType.JWT_BEARER})
WRONG_PASSWORD = "The username or the password is wrong."
WRONG_ASSERTION = (
    "The assertion is malformed, expired, used before, or not one that is trusted here."
)
WRONG_TOKEN = "The {name} is malformed, expired, revoked or not for this exchange."
NO_MEMBER = "The user is not a member of the organization any more."
LEFT_ORGANIZATION = "The user has left the organization of the subject_token."
SIGN_IN_AGAIN = "The user must sign in again."
API_GONE = "The API of this authorization is gone."
UNKNOWN_AUDIENCE = "The audience is not an API of this tenant."


@dataclass(frozen=True, slots=True)
class Admitted:
    """Every rule passed."""

    trace: tuple[Rule, ...] = ()


Admission = Admitted | Refused


def in_order(*checks: Admission) -> Admission:
    """The first refusal, with the rules up to it; else all of them."""
    trace: tuple[Rule, ...] = ()
    for each in checks:
        trace += each.trace
        if isinstance(each, Refused):
            return replace(each, trace=trace)
    return Admitted(trace)


def check(
    name: str, passed: bool, setting: str, error: str, description: str, status: int = 400
) -> Admission:
    """One rule: `setting` decides, the rest is the refusal."""
    rule = Rule(name, passed, setting)
    return Admitted((rule,)) if passed else Refused(error, description, status, (rule,))


def may_use(application: ApplicationFacts, grant_type: GrantType) -> Admission:
    """RFC 6749 §5.2, `unauthorized_client`: one text, whatever the application lacks."""
    error = "unauthorized_client"
    text = f"The application is not allowed to use the grant type {grant_type.value}."
    listed = grant_type in application.grant_types
    found = check("grant_type", listed, "Application.grantTypes", error, text)
    if grant_type in _FIRST_PARTY:
        own, setting = application.is_first_party, "Application.isFirstParty"
        found = in_order(found, check("first_party", own, setting, error, text))
    if grant_type in _CONFIDENTIAL:
        secret, setting = not application.is_public, "Application.tokenEndpointAuthMethod"
        found = in_order(found, check("confidential", secret, setting, error, text))
    if grant_type is GrantType.CIBA:
        strict, setting = application.oidc_conformant, "Application.oidcConformant"
        found = in_order(found, check("oidc_conformant", strict, setting, error, text))
    return found


def has_directory(tenant: TenantFacts) -> Admission:
    return check(
        "default_directory",
        tenant.default_directory is not None,
        "Tenant.defaultDirectory",
        "invalid_request",
        "The tenant has no default directory for this grant type.",
    )


def names_realm(realm: str | None) -> Admission:
    return check(
        "realm_given",
        realm is not None,
        "The parameter realm",
        "invalid_request",
        "The parameter realm is missing.",
    )


def connection_setting(application: ApplicationFacts) -> str:
    """What says whose users may sign in."""
    if application.is_first_party:
        return "Application.connections"
    return "Connection.isDomainConnection"


def realm_enabled(enabled: bool) -> Admission:
    """Only first-party applications have the grants that name one."""
    return check(
        "connection_enabled",
        enabled,
        "Application.connections",
        "invalid_request",
        "The realm is not a connection of this application.",
    )


def is_of_realm(user: UserFacts, connection_id: str) -> Admission:
    """Whom the password could have been right for."""
    mine = user.connection_id == connection_id
    return in_order(
        check("user_of_connection", mine, "User.connection", "invalid_grant", WRONG_PASSWORD),
        not_blocked(user, "invalid_grant", WRONG_PASSWORD),
    )


def not_blocked(user: UserFacts | None, error: str, description: str) -> Admission:
    """One text for a user who is blocked and one who is gone."""
    known = check("user_known", user is not None, "User", error, description)
    free = user is None or not user.blocked
    return in_order(known, check("user_not_blocked", free, "User.blocked", error, description))


def has_audience(audience: str | None) -> Admission:
    return check(
        "audience_given",
        audience is not None,
        "Tenant.defaultAudience",
        "invalid_request",
        "The parameter audience is missing.",
    )


def knows_audience(api: ResourceServerFacts | None) -> Admission:
    return check(
        "audience_known",
        api is not None,
        "ResourceServer.identifier",
        "invalid_target",
        UNKNOWN_AUDIENCE,
    )


def may_exchange_for(application: ApplicationFacts, audience: str) -> Admission:
    """RFC 8693 §2.2.2: a target that the server is unwilling to serve is `invalid_target`."""
    return check(
        "exchange_audience",
        set(audience.split()) <= set(application.token_exchange_audiences),
        "Application.tokenExchangeAudiences",
        "invalid_target",
        "The application may not exchange for this audience.",
    )


def is_trusted_for(issuer: TrustedIssuerFacts, audience: str) -> Admission:
    return check(
        "trusted_audience",
        set(audience.split()) <= set(issuer.allowed_audiences),
        "TrustedIssuer.allowedAudiences",
        "invalid_target",
        "The issuer is not trusted for this audience.",
    )


def consented_before(
    application: ApplicationFacts,
    api: ResourceServerFacts,
    granted: Sequence[str],
    stored: ConsentFacts | None,
) -> Admission:
    """OpenID Connect Core §3.1.2.4 where no page can be shown: it must have been answered."""
    return check(
        "consent",
        not needs_consent(application, api, "", granted, stored),
        "Consent",
        "invalid_target",
        "The user has not allowed this application the API.",
    )


def not_withdrawn(application: ApplicationFacts, stored: ConsentFacts | None) -> Admission:
    """What a third party was allowed a moment ago, the person may take back."""
    return check(
        "consent_kept",
        application.is_first_party or stored is not None,
        "Consent",
        "invalid_grant",
        "The user has taken the consent back.",
    )


def may_stay(application: ApplicationFacts, stored: ConsentFacts | None) -> Admission:
    """What a third party has, the person allowed on the consent page, and may take back."""
    kept = stored is not None and OFFLINE_ACCESS in stored.scopes
    return check(
        "consent_kept",
        application.is_first_party or kept,
        "Consent",
        "invalid_grant",
        "The user must allow it again.",
    )


def still_member(error: str, description: str, *, member: bool) -> Admission:
    return check("organization_member", member, "Organization.members", error, description)


def one_target(tenant: TenantFacts, targets: int) -> Admission:
    """RFC 8707 §2 lets a request name several resources, if the tenant takes that."""
    several = tenant.resource_parameter_profile is ResourceParameterProfile.SEVERAL
    return check(
        "one_target",
        several or targets < 2,
        "Tenant.resourceParameterProfile",
        "invalid_target",
        "A token is for one resource at a time.",
    )


def within_granted(asked: Sequence[str], held: Collection[str]) -> Admission:
    """RFC 6749 §6: no "scope not originally granted by the resource owner"."""
    excess = [scope for scope in asked if scope not in held]
    return check(
        "scopes_held",
        not excess,
        "RefreshToken",
        "invalid_scope",
        f"The scope {excess[0]} was not granted." if excess else "",
    )


def refreshed(decision: Decision) -> Admission:
    """A refresh answers only while the API and the application would still get such a token."""
    if isinstance(decision, Refused):
        text = "The API gives the application no tokens any more."
        return Refused("invalid_grant", text, 400, decision.trace)
    return check(
        "offline_access_kept",
        OFFLINE_ACCESS in decision.scopes,
        "ResourceServer.allowOfflineAccess",
        "invalid_grant",
        "The API does not allow offline access any more.",
    )


def exchangeable(
    api: ResourceServerFacts, asked: Sequence[str], held: Sequence[str] | None
) -> tuple[str, ...]:
    """What the old token and the API know of what was asked; all that they know by default."""
    possible = api.scope_values if held is None else scopes.cut(api.scope_values, held)
    return scopes.cut(asked, possible) if asked else possible


def exchanged(asked: Sequence[str], granted: Sequence[str]) -> Admission:
    return check(
        "some_scope",
        not asked or bool(granted),
        "ResourceServer.scopes",
        "invalid_scope",
        "None of the scopes can be granted.",
    )


def knows_issuer(issuer: TrustedIssuerFacts | None) -> Admission:
    return check(
        "trusted_issuer", issuer is not None, "TrustedIssuer", "invalid_grant", WRONG_ASSERTION
    )


def may_be_named(*, named: bool) -> Admission:
    """An assertion names users by their id, or by their email in one connection."""
    return check(
        "user_of_connection", named, "TrustedIssuer.connection", "invalid_grant", WRONG_ASSERTION
    )
