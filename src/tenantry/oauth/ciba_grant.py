"""CIBA Core §10.1 and §11: the application asks whether the person has answered.

Law: find, check, claim, issue; a poll that comes too early is remembered.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tenantry.core.backchannel import BackchannelRequestFacts, BackchannelRequestState
from tenantry.core.context import Actor
from tenantry.core.facts import GrantType
from tenantry.keys.signing import KeyRing
from tenantry.oauth import user_tokens
from tenantry.oauth.ciba import INTERVAL, REQUEST_PURPOSE
from tenantry.oauth.claims_request import NOTHING_WANTED
from tenantry.oauth.client_authentication import AuthenticatedClient
from tenantry.oauth.errors import OAuthError, invalid_grant, require
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.redemption import Promised, due
from tenantry.oauth.resource_indicators import Granted, read_target
from tenantry.oauth.token_response import TokenResponse
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.admission import may_use
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.store import backchannel_requests, users
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens import issue

GRANT_TYPE = GrantType.CIBA.value
_WRONG = "The auth_req_id is unknown, used or another application's."


async def grant(
    runtime: Runtime,
    context: RequestContext,
    client: AuthenticatedClient,
    parameters: Parameters,
) -> TokenResponse:
    application, tenant_id = client.application, context.address.tenant_id
    require(may_use(application, GrantType.CIBA))
    auth_req_id = parameters.require("auth_req_id")
    tenant = await load_tenant(runtime, tenant_id)
    ring = await key_ring(runtime, tenant)
    actor = Actor("application", application.client_id, application.name, tenant_id)
    result = await runtime.store.write(
        tenant_id,
        context.caller(actor),
        redeem,
        runtime,
        context.address,
        client,
        auth_req_id,
        read_target(parameters, tenant),
        ring,
    )
    if isinstance(result, OAuthError):
        raise result
    return result


def redeem(
    db: TenantSession,
    runtime: Runtime,
    address: TenantAddress,
    client: AuthenticatedClient,
    auth_req_id: str,
    audience: str | None,
    ring: KeyRing,
) -> TokenResponse | OAuthError:
    """A refusal is returned, so that the poll is remembered."""
    found = backchannel_requests.find_by_request(db, db.vault.digests(auth_req_id, REQUEST_PURPOSE))
    wrong = _not_ready(db, found, address.issuer, client.application.client_id)
    if wrong is not None or found is None:
        return wrong or invalid_grant(_WRONG)
    auth_time = found.auth_time or db.now
    granted = Granted(found.audience, found.scopes, found.authorization_details)
    user = users.find(db, found.user_id)
    promised = Promised(user, auth_time, granted, found.organization_id)
    left = due(db, runtime.addresses, address, client.application, promised, audience)
    if isinstance(left, OAuthError):
        return left
    if not backchannel_requests.claim(db, found.id):
        return invalid_grant(_WRONG, "used auth_req_id")
    return user_tokens.issue_tokens(
        db,
        address,
        user_tokens.UserGrant(
            grant_type=GRANT_TYPE,
            client=client,
            user=left.user,
            api=left.api,
            scopes=left.scopes,
            whole=granted,
            # The browser in which the person answered is not the application's.
            session_id=None,
            auth_time=auth_time,
            nonce=None,
            family_id=issue.new_family_id(),
            wanted=replace(NOTHING_WANTED, acr_values=found.acr_values),
            amr=found.amr,
            details=left.details,
            organization=left.organization,
        ),
        ring,
    )


def _not_ready(
    db: TenantSession, found: BackchannelRequestFacts | None, issuer: str, client_id: str
) -> OAuthError | None:
    """§11: why there are no tokens now."""
    if found is None or found.issuer != issuer:
        return invalid_grant(_WRONG, "unknown auth_req_id")
    # "the auth_req_id is invalid or was issued to another Client".
    if found.client_id != client_id:
        return invalid_grant(_WRONG, "another application's auth_req_id")
    if found.state is BackchannelRequestState.REDEEMED:
        return invalid_grant(_WRONG, "used auth_req_id")
    if found.expires_at <= db.now:
        return OAuthError("expired_token", "The auth_req_id has expired.")
    if found.state is BackchannelRequestState.DENIED:
        return OAuthError("access_denied", "The person refused.")
    return _not_yet(db, found) if found.state is BackchannelRequestState.PENDING else None


def _not_yet(db: TenantSession, found: BackchannelRequestFacts) -> OAuthError:
    soonest = found.polled_at and found.polled_at + timedelta(seconds=found.poll_interval)
    if soonest is None or db.now >= soonest:
        backchannel_requests.note_poll(db, found.id, found.poll_interval)
        return OAuthError("authorization_pending", "The person has not answered yet.")
    # "the interval MUST be increased by at least 5 seconds for this and all subsequent requests".
    longer = found.poll_interval + INTERVAL
    backchannel_requests.note_poll(db, found.id, longer)
    return OAuthError("slow_down", f"Ask each {longer} seconds.")
