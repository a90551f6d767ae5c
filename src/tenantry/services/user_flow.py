"""What an application may get for a user now: the facts of the decision."""

from __future__ import annotations

from tenantry.core.facts import (
    AccessPolicy,
    ApplicationFacts,
    ClientGrantFacts,
    ResourceServerFacts,
    SubjectType,
    UserFacts,
)
from tenantry.rules.authorization import Granted, Refused, UserFlowFacts, decide_user_flow
from tenantry.rules.detail_admission import NO_DETAILS, AskedDetails
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
    details: AskedDetails = NO_DETAILS,
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
            details=details,
            detail_types=detail_types_for(db, application, api) if details.details else (),
        )
    )


def detail_types_for(
    db: TenantSession, application: ApplicationFacts, api: ResourceServerFacts | None
) -> tuple[str, ...]:
    """The types of authorization details that it may ask of the API for users now."""
    allowed = [
        name
        for part in (parts_of(api) if api else ())
        for name in _detail_types_alone(db, application.client_id, part)
    ]
    own = application.authorization_details_types
    return tuple(dict.fromkeys(name for name in allowed if not own or name in own))


def _detail_types_alone(
    db: TenantSession, client_id: str, api: ResourceServerFacts
) -> tuple[str, ...]:
    if api.user_access_policy is AccessPolicy.ALLOW_ALL:
        return api.detail_types
    if api.user_access_policy is AccessPolicy.DENY_ALL:
        return ()
    given = {
        name for grant in _grants(db, client_id, api) for name in grant.authorization_details_types
    }
    return tuple(name for name in api.detail_types if name in given)


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
    found = _grants(db, client_id, api)
    if not found:
        return None
    if any(grant.allow_all_scopes for grant in found):
        return api.scope_values
    return tuple(scope for grant in found for scope in grant.scopes)


def _grants(db: TenantSession, client_id: str, api: ResourceServerFacts) -> list[ClientGrantFacts]:
    return [
        grant
        for audience in grant_audiences(api.identifier, api)
        if (grant := recall(db, client_grants.find_for, (client_id, audience, SubjectType.USER)))
    ]
