"""RFC 6749 §4.3, and the extension that names a realm: the application sends the password.

Law: only applications of the tenant's owner may, whom nobody knows gets the same answer and
costs the same, and the attempts for one name are bounded together with those of the login page.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.context import Actor, Caller
from tenantry.core.facts import GrantType, UserFacts
from tenantry.core.organizations import OrganizationFacts
from tenantry.keys.signing import KeyRing
from tenantry.oauth import user_tokens
from tenantry.oauth.client_authentication import AuthenticatedClient
from tenantry.oauth.errors import OAuthError, invalid_grant, refusal, require
from tenantry.oauth.organizations import organization_of
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.resource_indicators import read_target
from tenantry.oauth.token_response import TokenResponse
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.admission import (
    WRONG_PASSWORD,
    has_directory,
    may_use,
    names_realm,
    realm_enabled,
)
from tenantry.rules.authorization import Refused
from tenantry.services import logins
from tenantry.services.apis import find_target_in
from tenantry.services.logins import Proven, TooManyAttempts
from tenantry.services.management_access import load_tenant
from tenantry.services.organization_access import Within
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.services.user_flow import decide_for
from tenantry.store import users
from tenantry.store.audit import Event, record
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens import issue

GRANT_TYPE = GrantType.PASSWORD.value
REALM_GRANT_TYPE = GrantType.PASSWORD_REALM.value


@dataclass(frozen=True, slots=True)
class _Asked:
    """The request, with the tenant's own defaults filled in."""

    grant_type: str
    username: str
    scopes: tuple[str, ...]
    audience: str | None
    organization: OrganizationFacts | None


async def grant(
    runtime: Runtime,
    context: RequestContext,
    client: AuthenticatedClient,
    parameters: Parameters,
) -> TokenResponse:
    """§4.3: the users of the tenant's default directory."""
    require(may_use(client.application, GrantType.PASSWORD))
    tenant = await load_tenant(runtime, context.address.tenant_id)
    require(has_directory(tenant))
    directory = tenant.default_directory or ""
    return await _grant(runtime, context, client, parameters, GRANT_TYPE, directory)


async def grant_in_realm(
    runtime: Runtime,
    context: RequestContext,
    client: AuthenticatedClient,
    parameters: Parameters,
) -> TokenResponse:
    """The same for the users of the connection that `realm` names."""
    require(may_use(client.application, GrantType.PASSWORD_REALM))
    realm = parameters.get("realm")
    require(names_realm(realm))
    return await _grant(runtime, context, client, parameters, REALM_GRANT_TYPE, realm or "")


async def _grant(
    runtime: Runtime,
    context: RequestContext,
    client: AuthenticatedClient,
    parameters: Parameters,
    grant_type: str,
    connection: str,
) -> TokenResponse:
    application, address = client.application, context.address
    password = parameters.require("password")
    tenant = await load_tenant(runtime, address.tenant_id)
    asked = _Asked(
        grant_type,
        parameters.require("username"),
        parameters.scopes(),
        read_target(parameters, tenant) or tenant.default_audience,
        await organization_of(runtime, tenant, parameters),
    )
    caller = context.caller(
        Actor("application", application.client_id, application.name, tenant.id)
    )
    store = runtime.store
    enabled = await store.read(
        tenant.id, caller, logins.is_connection_of, application.id, connection
    )
    require(realm_enabled(enabled))
    found = await store.write(
        tenant.id, caller, logins.attempt, tenant, application.id, asked.username, connection
    )
    if isinstance(found, TooManyAttempts):
        raise _too_many(found)
    proven = await logins.prove(runtime, found, password)
    if proven is None:
        await _note_failure(runtime, caller, tenant.id, client, logins.meant(found))
        raise invalid_grant(WRONG_PASSWORD)
    ring = await key_ring(runtime, tenant)
    result = await store.write(
        tenant.id, caller, _issue, runtime, address, client, asked, proven, ring
    )
    if isinstance(result, OAuthError):
        raise result
    return result


def _too_many(found: TooManyAttempts) -> OAuthError:
    return OAuthError(
        "too_many_attempts",
        "There were too many attempts for this username. Try again later.",
        429,
        {"Retry-After": str(found.retry_after)},
    )


async def _note_failure(
    runtime: Runtime,
    caller: Caller,
    tenant_id: str,
    client: AuthenticatedClient,
    user: UserFacts | None,
) -> None:
    client_id = client.application.client_id
    event = Event("login.failed", client_id=client_id, user_id=user.id if user else None)
    await runtime.audit.submit(tenant_id, caller, event)


def _issue(
    db: TenantSession,
    runtime: Runtime,
    address: TenantAddress,
    client: AuthenticatedClient,
    asked: _Asked,
    proven: Proven,
    ring: KeyRing,
) -> TokenResponse | OAuthError:
    """The password was right: decide, issue. No page is shown, so nobody is asked for consent."""
    user = logins.confirm(db, proven, asked.username)
    if user is None:
        return invalid_grant(WRONG_PASSWORD)
    api = find_target_in(db, runtime.addresses, asked.audience) if asked.audience else None
    within = Within(asked.organization) if asked.organization else None
    wanted = (asked.audience, asked.scopes)
    decision = decide_for(db, client.application, api, wanted, user, within)
    if isinstance(decision, Refused):
        return refusal(decision)
    users.note_login(db, user.id)
    client_id = client.application.client_id
    record(db, Event("login.succeeded", client_id=client_id, user_id=user.id))
    return user_tokens.issue_tokens(
        db,
        address,
        user_tokens.UserGrant(
            grant_type=asked.grant_type,
            client=client,
            user=user,
            api=api,
            scopes=decision.scopes,
            session_id=None,
            auth_time=db.now,
            nonce=None,
            organization=asked.organization,
            family_id=issue.new_family_id(),
        ),
        ring,
    )
