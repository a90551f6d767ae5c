"""Whether a token would be issued, by which rules, and what it would say: nothing is written.

The rules, and their order, are those of the endpoints; what an endpoint has to be shown, such as
a code, a password or another token, is taken to be good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tenantry.core.clock import timestamp
from tenantry.core.context import Caller
from tenantry.core.facts import (
    ApplicationFacts,
    ClaimTarget,
    GrantType,
    TenantFacts,
)
from tenantry.core.organizations import OrganizationFacts
from tenantry.rules import possession
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.admission import one_target
from tenantry.rules.authorization import Refused, Rule
from tenantry.rules.compliance import in_force
from tenantry.rules.custom_claims import DroppedClaim
from tenantry.rules.lifetimes import access_token_lifetime
from tenantry.services import explained_backchannel, explained_grants
from tenantry.services.application_flow import decide_for_application
from tenantry.services.claims_preview import said
from tenantry.services.explanation_cases import Case, ExplanationRequest, Stopped, Trace, Would
from tenantry.services.management_access import load_tenant
from tenantry.services.organization_access import find_named
from tenantry.services.runtime import Runtime
from tenantry.services.token_claims import claims_for_application, claims_for_user
from tenantry.services.token_contents import UserTokenFacts, access_token_of_application
from tenantry.store import applications, users
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens.access_token import access_token_claims, token_audience

_FLOWS = {**explained_grants.FLOWS, GrantType.CIBA: explained_backchannel.ciba}
_AT_AUTHORIZE = frozenset({GrantType.AUTHORIZATION_CODE, GrantType.IMPLICIT})
OF_THE_MOMENT = frozenset({"iat", "exp", "jti"})
"""Claims that no two tokens share, and which are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Lifetimes are in seconds. Claims are None where there is no such token, or no user."""

    rules: tuple[Rule, ...]
    error: str | None = None
    error_description: str | None = None
    audience: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    consent_required: bool = False
    consent_scopes: tuple[str, ...] = ()
    access_token_lifetime: int | None = None
    id_token_lifetime: int | None = None
    refresh_token: bool = False
    refresh_token_lifetime: int | None = None
    access_token: Mapping[str, Any] | None = None
    id_token: Mapping[str, Any] | None = None
    userinfo: Mapping[str, Any] | None = None
    dropped: tuple[DroppedClaim, ...] = ()

    @property
    def issued(self) -> bool:
        return self.error is None


async def explain(
    runtime: Runtime, address: TenantAddress, caller: Caller, asked: ExplanationRequest
) -> Explanation | None:
    """None where the application or the user is not known."""
    tenant = await load_tenant(runtime, address.tenant_id)
    application = await runtime.configuration.get(
        tenant.id, applications.find_by_client_id, asked.client_id
    )
    if application is None:
        return None
    application = in_force(application)
    named = sorted({*(asked.audience or tenant.default_audience or "").split()})
    asked = replace(asked, audience=" ".join(named) or None)
    if isinstance(several := one_target(tenant, len(named)), Refused):
        return _refused(several, several.trace)
    organization = None
    if asked.organization is not None:
        organization = await find_named(runtime.configuration, tenant, asked.organization)
    if asked.grant_type is GrantType.CLIENT_CREDENTIALS:
        return await _explain_application(
            runtime, address, tenant, application, asked, organization
        )
    case = Case(runtime.addresses, address, tenant, application, organization, asked)
    return await runtime.store.read(tenant.id, caller, _explain_user, case)


async def _explain_application(
    runtime: Runtime,
    address: TenantAddress,
    tenant: TenantFacts,
    application: ApplicationFacts,
    asked: ExplanationRequest,
    organization: OrganizationFacts | None,
) -> Explanation:
    decision = await decide_for_application(
        runtime, tenant, application, (asked.audience, asked.scopes), asked.organization
    )
    asked_first = possession.proves_key(application, asked.confirmation)
    if isinstance(asked_first, Refused):
        return _refused(asked_first, asked_first.trace)
    if isinstance(decision, Refused):
        return _refused(decision, asked_first.trace + decision.trace)
    api = decision.api
    if api is None:
        raise LookupError("an application was granted no API")
    bound = possession.bound_for(api, asked.confirmation)
    rules = asked_first.trace + decision.trace + bound.trace
    if isinstance(bound, Refused):
        return _refused(bound, rules)
    now = timestamp(runtime.clock.now())
    content = access_token_of_application(
        address, tenant, application, api, decision.scopes, now, organization
    )
    told = claims_for_application(tenant, application, decision.scopes)
    return Explanation(
        rules=rules,
        audience=api.audiences,
        scopes=decision.scopes,
        access_token_lifetime=api.token_lifetime,
        access_token=_lasting(access_token_claims(content)),
        dropped=told.custom(ClaimTarget.ACCESS_TOKEN).dropped,
    )


def _explain_user(db: TenantSession, case: Case) -> Explanation | None:
    asked, trace = case.asked, Trace()
    user = users.find(db, asked.user_id) if asked.user_id is not None else None
    if asked.user_id is not None and user is None:
        return None
    case = replace(case, user=user)
    try:
        if asked.grant_type not in _AT_AUTHORIZE:
            trace.require(possession.proves_key(case.application, asked.confirmation))
        would = _FLOWS[asked.grant_type](db, case, trace)
        if asked.grant_type is GrantType.AUTHORIZATION_CODE:
            trace.require(possession.proves_key(case.application, asked.confirmation))
        if asked.grant_type is not GrantType.IMPLICIT:
            trace.require(possession.bound_for(would.api, asked.confirmation))
    except Stopped as stopped:
        return _refused(stopped.refused, trace.rules)
    return _issued(db, case, would, trace.rules)


def _issued(db: TenantSession, case: Case, would: Would, rules: tuple[Rule, ...]) -> Explanation:
    application, api, address = case.application, would.api, case.address
    lifetime = int(access_token_lifetime(api, front_channel=would.in_front).total_seconds())
    has_id_token = would.has_id_token and "openid" in would.scopes
    explained = Explanation(
        rules=rules,
        audience=tuple(token_audience(api, would.scopes, address.userinfo_audience))
        if would.has_access_token
        else (),
        scopes=would.scopes,
        consent_required=would.asks,
        consent_scopes=would.consent_scopes,
        access_token_lifetime=lifetime if would.has_access_token else None,
        id_token_lifetime=application.id_token_lifetime if has_id_token else None,
        refresh_token=would.refreshes,
        refresh_token_lifetime=application.refresh_token_lifetime if would.refreshes else None,
    )
    if case.user is None:
        return explained
    organization_id = case.organization.id if case.organization else None
    facts = UserTokenFacts(
        application=application,
        user=case.user,
        api=api,
        scopes=would.scopes,
        told=claims_for_user(db, case.user, application, api, organization_id),
        alone=would.alone,
        organization=case.organization,
        details=would.details,
    )
    found = said(db, address, facts, lifetime)
    return replace(
        explained,
        access_token=_lasting(found.access_token) if would.has_access_token else None,
        id_token=_lasting(found.id_token) if has_id_token else None,
        userinfo=found.userinfo if would.has_access_token else None,
        dropped=found.dropped,
    )


def _refused(refused: Refused, rules: tuple[Rule, ...]) -> Explanation:
    return Explanation(rules=rules, error=refused.error, error_description=refused.description)


def _lasting(claims: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if claims is None:
        return None
    return {name: value for name, value in claims.items() if name not in OF_THE_MOMENT}
