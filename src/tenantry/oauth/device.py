"""RFC 8628: a device without a browser gets tokens while a person answers somewhere else.

Law: the person's answer is an authorization like any other, with login and consent as its
steps; the device code is claimed once, by the application that asked for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TypedDict

from tenantry.core.context import Actor
from tenantry.core.facts import GrantType, TenantFacts
from tenantry.core.ids import new_id, new_token
from tenantry.keys.signing import KeyRing
from tenantry.oauth import authorize, rar, user_tokens
from tenantry.oauth.authorization_request import AuthorizationRequest
from tenantry.oauth.client_authentication import AuthenticatedClient
from tenantry.oauth.errors import OAuthError, invalid_grant, require
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.redemption import Promised, due
from tenantry.oauth.resource_indicators import Granted, read_target
from tenantry.oauth.standing import Subject
from tenantry.oauth.token_response import TokenResponse
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.admission import knows_audience, may_use
from tenantry.rules.authorization_admission import names_scopes, needs_no_organization
from tenantry.rules.user_codes import new_user_code, plain
from tenantry.services import sessions
from tenantry.services.apis import find_target
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.store import attempts, device_codes, users
from tenantry.store.audit import Event, record
from tenantry.store.device_codes import DeviceCodeFacts, DeviceState
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens import issue

GRANT_TYPE = GrantType.DEVICE_CODE.value
DEVICE_PURPOSE, USER_PURPOSE = "device code", "user code"
LIFETIME = timedelta(seconds=900)
INTERVAL = 5
GUESSES, GUESS_WINDOW = 20, timedelta(minutes=15)
"""How many wrong user codes one network address may type within the window (§5.1)."""
_WRONG_CODE = "The device code is unknown, used or another application's."
_TRIES = 8


class DeviceAuthorizationResponse(TypedDict):
    """§3.2. Times are in seconds."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


def metadata(issuer: str) -> dict[str, str]:
    """§4."""
    return {"device_authorization_endpoint": f"{issuer}oauth/device/code"}


async def request_codes(
    runtime: Runtime, context: RequestContext, client: AuthenticatedClient, parameters: Parameters
) -> DeviceAuthorizationResponse:
    """§3.1 and §3.2: the device asks for its codes."""
    application = client.application
    require(may_use(application, GrantType.DEVICE_CODE))
    require(needs_no_organization(application))
    rar.refuse(parameters)
    tenant = await load_tenant(runtime, context.address.tenant_id)
    scopes = parameters.scopes()
    require(names_scopes(application, scopes))
    audience = read_target(parameters, tenant) or tenant.default_audience
    if audience is not None:
        api = await find_target(runtime.configuration, runtime.addresses, tenant.id, audience)
        require(knows_audience(api))
    actor = Actor("application", application.client_id, application.name, tenant.id)
    return await runtime.store.write(
        tenant.id,
        context.caller(actor),
        _make_codes,
        tenant,
        context.address.issuer,
        application.client_id,
        audience,
        scopes or ("openid",),
    )


def _make_codes(
    db: TenantSession,
    tenant: TenantFacts,
    issuer: str,
    client_id: str,
    audience: str | None,
    scopes: tuple[str, ...],
) -> DeviceAuthorizationResponse:
    facts = DeviceCodeFacts(
        id=new_id(),
        state=DeviceState.PENDING,
        issuer=issuer,
        client_id=client_id,
        audience=audience,
        requested_scopes=scopes,
        scopes=(),
        user_id=None,
        auth_time=None,
        poll_interval=INTERVAL,
        polled_at=None,
        created_at=db.now,
        expires_at=db.now + LIFETIME,
    )
    device_code = new_token()
    device_digest = db.vault.digest(device_code, DEVICE_PURPOSE)
    for _ in range(_TRIES):
        user_code = new_user_code(tenant.device_user_code_charset, tenant.device_user_code_mask)
        user_digest = db.vault.digest(plain(user_code), USER_PURPOSE)
        if device_codes.create(db, facts, device_digest, user_digest):
            break
    else:
        raise OAuthError("temporarily_unavailable", "No user code is free. Try again.", 503)
    page = f"{issuer}u/device"
    return {
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={user_code.replace(' ', '%20')}",
        "expires_in": int(LIFETIME.total_seconds()),
        "interval": INTERVAL,
    }


@dataclass(frozen=True, slots=True)
class TooManyGuesses:
    """Nobody at this address may type a code for so many seconds."""

    retry_after: int


def find_waiting(
    db: TenantSession, typed: str, issuer: str
) -> DeviceCodeFacts | TooManyGuesses | None:
    """The device that shows a code. §5.1: wrong codes are counted for each network address."""
    guesser = f"user code {db.caller.request.ip}"
    made = attempts.add(db, guesser, GUESS_WINDOW)
    if made.count > GUESSES:
        return TooManyGuesses(max(1, int((made.expires_at - db.now).total_seconds())))
    found = device_codes.find_by_user_code(db, db.vault.digests(plain(typed), USER_PURPOSE))
    if found and found.issuer == issuer and found.expires_at > db.now and _waits(found):
        attempts.take_back(db, guesser)
        return found
    record(db, Event("device.code_refused"))
    return None


def _waits(found: DeviceCodeFacts) -> bool:
    return found.state is DeviceState.PENDING


def begin(
    db: TenantSession,
    subject: Subject,
    device: DeviceCodeFacts,
    session_cookie: str | None,
    browser: str,
) -> authorize.Outcome:
    """§3.3: the person who typed the code signs in and is always asked."""
    session = sessions.find_live(db, session_cookie, subject.issuer)
    if session is not None:
        sessions.touch(db, session)
    request = AuthorizationRequest(
        client_id=device.client_id,
        redirect_uri="",
        redirect_uri_given=False,
        response_mode="query",
        state=None,
        nonce=None,
        scopes=device.requested_scopes,
        audience=device.audience,
        code_challenge=None,
        prompt=("consent",),
        max_age=None,
        login_hint=None,
        device_id=device.id,
    )
    return authorize.begin(db, subject, request, session, browser)


async def grant(
    runtime: Runtime,
    context: RequestContext,
    client: AuthenticatedClient,
    parameters: Parameters,
) -> TokenResponse:
    """§3.4: the device asks whether the person has answered."""
    require(may_use(client.application, GrantType.DEVICE_CODE))
    device_code = parameters.require("device_code")
    application, tenant_id = client.application, context.address.tenant_id
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
        device_code,
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
    device_code: str,
    audience: str | None,
    ring: KeyRing,
) -> TokenResponse | OAuthError:
    """Find, check, claim, issue. A refusal is returned, so that the poll is remembered."""
    found = device_codes.find_by_device_code(db, db.vault.digests(device_code, DEVICE_PURPOSE))
    if found is None or found.issuer != address.issuer:
        return invalid_grant(_WRONG_CODE, "unknown device code")
    if found.client_id != client.application.client_id:
        return invalid_grant(_WRONG_CODE, "another application's device code")
    if found.state is DeviceState.REDEEMED:
        return invalid_grant(_WRONG_CODE, "used device code")
    if found.expires_at <= db.now:
        return OAuthError("expired_token", "The device code has expired.")
    if found.state is DeviceState.DENIED:
        return OAuthError("access_denied", "The person refused.")
    if found.state is DeviceState.PENDING:
        return _not_yet(db, found)
    auth_time = found.auth_time or db.now
    granted = Granted(found.audience, found.scopes)
    user = users.find(db, found.user_id) if found.user_id else None
    promised = Promised(user, auth_time, granted)
    left = due(db, runtime.addresses, address, client.application, promised, audience)
    if isinstance(left, OAuthError):
        return left
    if not device_codes.claim(db, found.id):
        return invalid_grant(_WRONG_CODE, "used device code")
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
            # The browser's session is not the device's: signing out there leaves it connected.
            session_id=None,
            auth_time=auth_time,
            nonce=None,
            family_id=issue.new_family_id(),
        ),
        ring,
    )


def _not_yet(db: TenantSession, found: DeviceCodeFacts) -> OAuthError:
    soonest = found.polled_at and found.polled_at + timedelta(seconds=found.poll_interval)
    if soonest is None or db.now >= soonest:
        device_codes.note_poll(db, found.id, found.poll_interval)
        return OAuthError("authorization_pending", "The person has not answered yet.")
    # §3.5: "the interval MUST be increased by 5 seconds for this and all subsequent requests".
    device_codes.note_poll(db, found.id, found.poll_interval + INTERVAL)
    return OAuthError("slow_down", f"Ask each {found.poll_interval + INTERVAL} seconds.")
