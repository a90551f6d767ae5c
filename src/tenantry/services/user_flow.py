"""What an application may get for a user now: the facts of the decision."""

from __future__ import annotations

from tenantry.core.facts import (
    AccessPolicy,
    ApplicationFacts,
    ResourceServerFacts,
    SubjectType,
    UserFacts,
)
from tenantry.rules.authorization import Granted, Refused, UserFlowFacts, decide_user_flow
from tenantry.rules.resources import parts_of, shared_scopes
from tenantry.services.apis import grant_audiences, permitted_to_user
from tenantry.services.organization_access import Within, access_of
from tenantry.store import client_grants
from tenantry.store.unit_of_work import TenantSession, recall


def decide_for(
    db: TenantSession,
    application: ApplicationFacts,
    api: ResourceServerFacts | None,
    asked: tuple[str | None, tuple[str, ...]],
    user: UserFacts | None,
    within: Within | None = None,
) -> Granted | Refused:
    """What the application may get for the user now; `asked` is an audience and its scopes."""
    audience, requested = asked
    granted: tuple[str, ...] | None = None
    permitted: tuple[str, ...] | None = None
    if api is not None:
        granted = _granted(db, application.client_id, api)
        if user is not None and api.enforce_policies:
            permitted = _permitted(db, user.id, api, within.organization.id if within else None)
    return decide_user_flow(
        UserFlowFacts(
            application=application,
            audience=audience,
            api=api,
            granted=granted,
            permitted=permitted,
            requested=requested,
            organization=access_of(db, within, user.id if user else None) if within else None,
        )
    )


def _permitted(
    db: TenantSession, user_id: str, api: ResourceServerFacts, organization_id: str | None
) -> tuple[str, ...]:
    parts = parts_of(api)
    if len(parts) == 1:
        return permitted_to_user(db, user_id, api, organization_id)
    allowed = [
        (
            part,
            permitted_to_user(db, user_id, part, organization_id)
            if part.enforce_policies
            else part.scope_values,
        )
        for part in parts
    ]
    return shared_scopes(allowed) or ()


def _granted(db: TenantSession, client_id: str, api: ResourceServerFacts) -> tuple[str, ...] | None:
    parts = parts_of(api)
    if len(parts) == 1:
        return _granted_alone(db, client_id, api)
    return shared_scopes(
        [
            (
                part,
                part.scope_values
                if part.user_access_policy is AccessPolicy.ALLOW_ALL
                else _granted_alone(db, client_id, part),
            )
            for part in parts
        ]
    )


def _granted_alone(
    db: TenantSession, client_id: str, api: ResourceServerFacts
) -> tuple[str, ...] | None:
    found = [
        grant
        for audience in grant_audiences(api.identifier, api)
        if (grant := recall(db, client_grants.find_for, (client_id, audience, SubjectType.USER)))
    ]
    if not found:
        return None
    if any(grant.allow_all_scopes for grant in found):
        return api.scope_values
    return tuple(scope for grant in found for scope in grant.scopes)
