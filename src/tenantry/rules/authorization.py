"""Whether a token is issued, for what and with which scopes: pure decisions with their trace.

A decision is `Granted` or `Refused`; both name each rule that took part, in order, with the
setting that decided it, so that explaining a decision runs the same code as making it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tenantry.core.facts import (
    AccessPolicy,
    ApplicationFacts,
    GrantType,
    ResourceServerFacts,
    SubjectType,
)
from tenantry.rules import scopes
from tenantry.rules.detail_admission import NO_DETAILS, AskedDetails, detail_verdicts
from tenantry.rules.organizations import (
    OrganizationAccess,
    OrganizationRequest,
    Verdict,
    machine_verdicts,
    user_verdicts,
)

IDENTITY_SCOPES = ("openid", "profile", "email", "address", "phone")
OFFLINE_ACCESS = "offline_access"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule that took part: its name, its result, the setting that decided."""

    name: str
    passed: bool
    setting: str


@dataclass(frozen=True, slots=True)
class Granted:
    """What may be issued. `api` is None for a token that only `/userinfo` accepts."""

    api: ResourceServerFacts | None
    scopes: tuple[str, ...]
    trace: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The OAuth error (RFC 6749 §5.2, RFC 8707 §2) and its description for the developer."""

    error: str
    description: str
    status: int
    trace: tuple[Rule, ...]


Decision = Granted | Refused


@dataclass(frozen=True, slots=True)
class ClientCredentialsFacts:
    """`granted` are the scopes of the client grant now; None where there is none."""

    application: ApplicationFacts
    audience: str | None
    api: ResourceServerFacts | None
    granted: tuple[str, ...] | None
    requested: tuple[str, ...]
    organization: OrganizationRequest | None = None


def decide_client_credentials(facts: ClientCredentialsFacts) -> Decision:
    """RFC 6749 §4.4 under the client grants and the API's policy for applications."""
    trace: list[Rule] = []
    application, api = facts.application, facts.api

    def refused(error: str, description: str, status: int = 400) -> Refused:
        return Refused(error, description, status, tuple(trace))

    if not _holds(trace, "grant_type", _allows(application), "Application.grantTypes"):
        return refused(
            "unauthorized_client",
            "The application is not allowed to use the grant type client_credentials.",
        )
    if not _holds(
        trace, "confidential", not application.is_public, "Application.tokenEndpointAuthMethod"
    ):
        return refused("unauthorized_client", "A public application cannot use this grant type.")
    if not _holds(trace, "audience_given", facts.audience is not None, "Tenant.defaultAudience"):
        return refused("invalid_request", "The parameter audience is missing.")
    if not _holds(trace, "audience_known", api is not None, "ResourceServer.identifier"):
        return refused("invalid_target", "The audience is not an API of this tenant.")
    policy = api.client_access_policy if api else AccessPolicy.DENY_ALL
    if not _holds(
        trace,
        "client_access_policy",
        policy is not AccessPolicy.DENY_ALL,
        "ResourceServer.clientAccessPolicy",
    ):
        return refused("access_denied", "The API gives no tokens to applications.", 403)
    granted = facts.granted
    if not _holds(trace, "client_grant", granted is not None, "ClientGrant") or granted is None:
        return refused(
            "access_denied", "The application has no client grant for this audience.", 403
        )
    if facts.organization is not None:
        failed = _failed(trace, machine_verdicts(facts.organization))
        if failed is not None:
            return refused(failed.error, failed.description, failed.status)
    excess = [scope for scope in facts.requested if scope not in granted]
    if not _holds(trace, "scopes_granted", not excess, "ClientGrant.scopes"):
        return refused("invalid_scope", f"The scope {excess[0]} is not granted.")
    granted = scopes.within_registered(granted, application.scope)
    excess = [scope for scope in facts.requested if scope not in granted]
    if not _holds(trace, "scopes_registered", not excess, "Application.scope"):
        return refused("invalid_scope", f"The scope {excess[0]} is not registered.")
    return Granted(api, facts.requested or granted, tuple(trace))


def _allows(application: ApplicationFacts) -> bool:
    return GrantType.CLIENT_CREDENTIALS in application.grant_types


@dataclass(frozen=True, slots=True)
class UserFlowFacts:
    """`granted` as above for the subject type user; `permitted` are the user's permissions.

    `permitted` is None while the user is not known: then what depends on it is not decided.
    `detail_types` are the types of authorization details that are granted.
    """

    application: ApplicationFacts
    audience: str | None
    api: ResourceServerFacts | None
    granted: tuple[str, ...] | None
    permitted: tuple[str, ...] | None
    requested: tuple[str, ...]
    organization: OrganizationAccess | None = None
    details: AskedDetails = NO_DETAILS
    detail_types: tuple[str, ...] = ()


def decide_user_flow(facts: UserFlowFacts) -> Decision:
    """What an application may get on a user's behalf: narrowed, never refused for a scope."""
    trace: list[Rule] = []
    usage = facts.application.organization_usage
    failed = _failed(trace, user_verdicts(usage, facts.organization))
    if failed is not None:
        return Refused(failed.error, failed.description, failed.status, tuple(trace))
    requested = scopes.within_registered(facts.requested, facts.application.scope)
    identity = scopes.cut(requested, IDENTITY_SCOPES)
    if OFFLINE_ACCESS in requested and _may_stay(trace, facts.application, facts.api):
        identity = scopes.cut(requested, (*identity, OFFLINE_ACCESS))
    if facts.audience is None:
        return _with_details(facts, trace, Granted(None, identity, ()))
    api = facts.api
    known = _holds(trace, "audience_known", api is not None, "ResourceServer.identifier")
    if not known or api is None:
        return Refused(
            "invalid_target", "The audience is not an API of this tenant.", 400, tuple(trace)
        )
    policy = api.user_access_policy
    setting = "ResourceServer.userAccessPolicy"
    if not _holds(trace, "user_access_policy", policy is not AccessPolicy.DENY_ALL, setting):
        return Refused(
            "access_denied", "The API gives no tokens on behalf of users.", 403, tuple(trace)
        )
    allowed: Iterable[str] = api.scope_values
    if policy is AccessPolicy.REQUIRE_CLIENT_GRANT:
        if not _holds(trace, "client_grant", facts.granted is not None, "ClientGrant"):
            return Refused(
                "access_denied",
                f"The application has no client grant for {SubjectType.USER.value} access to "
                "this audience.",
                403,
                tuple(trace),
            )
        allowed = scopes.cut(allowed, facts.granted or ())
    if api.enforce_policies and facts.permitted is not None:
        allowed = scopes.cut(allowed, facts.permitted)
        trace.append(Rule("permissions", True, "User permissions"))
    granted = {*identity, *allowed}
    return _with_details(facts, trace, Granted(api, scopes.cut(requested, granted), ()))


def _with_details(facts: UserFlowFacts, trace: list[Rule], granted: Granted) -> Decision:
    """RFC 9396 §5: refused, never narrowed, where one of its types is not allowed."""
    verdicts = detail_verdicts(facts.details, facts.application, facts.api, facts.detail_types)
    failed = _failed(trace, verdicts)
    if failed is not None:
        return Refused(failed.error, failed.description, failed.status, tuple(trace))
    return replace(granted, trace=tuple(trace))


def may_keep_access(application: ApplicationFacts, api: ResourceServerFacts | None) -> bool:
    """Whether refresh tokens may be made: by the application's grant types and the API's switch."""
    return _may_stay([], application, api)


def _may_stay(
    trace: list[Rule], application: ApplicationFacts, api: ResourceServerFacts | None
) -> bool:
    refreshes = GrantType.REFRESH_TOKEN in application.grant_types
    return _holds(trace, "refresh_token_grant", refreshes, "Application.grantTypes") and _holds(
        trace,
        "offline_access",
        api is None or api.allow_offline_access,
        "ResourceServer.allowOfflineAccess",
    )


def _failed(trace: list[Rule], verdicts: Iterable[Verdict]) -> Verdict | None:
    """The first rule that did not pass; those after it take no part."""
    for verdict in verdicts:
        if not _holds(trace, verdict.rule, verdict.passed, verdict.setting):
            return verdict
    return None


def _holds(trace: list[Rule], name: str, passed: bool, setting: str) -> bool:
    trace.append(Rule(name, passed, setting))
    return passed
