"""OpenID Connect CIBA Core 1.0: an application asks a person who is at another device.

Law: the person's answer is an authorization like any other; an `auth_req_id` is claimed once, by
the application that asked for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypedDict

from tenantry.core.authorization_details import ConsentPolicy, Details
from tenantry.core.backchannel import (
    BackchannelRequestFacts,
    BackchannelRequestState,
    BackchannelTokenDeliveryMode,
    NotificationChannel,
)
from tenantry.core.context import Actor
from tenantry.core.facts import ApplicationFacts, GrantType, ResourceServerFacts, TenantFacts
from tenantry.core.ids import new_id, new_token
from tenantry.core.organizations import OrganizationFacts
from tenantry.oauth import ciba_request, rar
from tenantry.oauth.ciba_hints import Hint, find_user, read_hint
from tenantry.oauth.claims_request import read_acr_values
from tenantry.oauth.client_authentication import AuthenticatedClient
from tenantry.oauth.errors import OAuthError, invalid_request, refusal, require
from tenantry.oauth.organizations import organization_of
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.resource_indicators import read_target
from tenantry.rules import backchannel
from tenantry.rules.admission import Admission, in_order, knows_audience, may_use
from tenantry.rules.authorization import Refused
from tenantry.rules.authorization_admission import registered_scopes
from tenantry.rules.custom_domain_urls import at_domain
from tenantry.rules.detail_admission import AskedDetails
from tenantry.rules.scopes import within_registered
from tenantry.services import backchannel_requests as answers
from tenantry.services import user_codes
from tenantry.services.apis import find_target
from tenantry.services.backchannel_requests import Ping, usable_channels
from tenantry.services.management_access import load_tenant
from tenantry.services.organization_access import Within
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.services.user_flow import decide_for
from tenantry.store import attempts, backchannel_requests
from tenantry.store.audit import Event, record
from tenantry.store.unit_of_work import TenantSession

REQUEST_PURPOSE = "auth_req_id"
INTERVAL = 5
ASKED, ASKED_WINDOW = 20, timedelta(minutes=15)
"""How often one application may ask one person, who does not approve, within the window."""


class AuthenticationResponse(TypedDict):
    """§7.3. Times are in seconds."""

    auth_req_id: str
    expires_in: int
    interval: int


def metadata(issuer: str) -> dict[str, Any]:
    """§4."""
    return {
        "backchannel_authentication_endpoint": f"{issuer}bc-authorize",
        "backchannel_token_delivery_modes_supported": [
            mode.value for mode in BackchannelTokenDeliveryMode
        ],
        "backchannel_authentication_request_signing_alg_values_supported": list(
            ciba_request.ALGORITHMS
        ),
        "backchannel_user_code_parameter_supported": True,
    }


@dataclass(frozen=True, slots=True)
class Asked:
    """A valid request, before it is known whether there is such a user."""

    application: ApplicationFacts
    issuer: str
    hint: Hint
    audience: str | None
    api: ResourceServerFacts | None
    scopes: tuple[str, ...]
    details: Details
    acr_values: tuple[str, ...]
    binding_message: str | None
    user_code: str | None
    notification_token: str | None
    seconds: int
    channels: tuple[NotificationChannel, ...]
    organization: OrganizationFacts | None


async def request_authentication(
    runtime: Runtime, context: RequestContext, client: AuthenticatedClient, parameters: Parameters
) -> AuthenticationResponse:
    """§7.1 to §7.3."""
    application = at_domain(client.application, context.address.domain)
    require(may_use(application, GrantType.CIBA))
    tenant = await load_tenant(runtime, context.address.tenant_id)
    counting = await ciba_request.opened(runtime, context, application, parameters)
    asked = await _read(runtime, context, tenant, application, counting)
    actor = Actor("application", application.client_id, application.name, tenant.id)
    made = await runtime.store.write(tenant.id, context.caller(actor), _ask, asked)
    if isinstance(made, OAuthError):
        raise made
    return made


async def _read(
    runtime: Runtime,
    context: RequestContext,
    tenant: TenantFacts,
    application: ApplicationFacts,
    parameters: Parameters,
) -> Asked:
    scopes = parameters.scopes()
    require(backchannel.names_openid(scopes))
    scopes = within_registered(scopes, application.scope)
    require(registered_scopes(scopes))
    token = parameters.get("client_notification_token")
    good = token is not None and backchannel.is_notification_token(token)
    if token is not None and not good:
        raise invalid_request("The parameter client_notification_token is malformed.")
    require(backchannel.can_ping(application, has_token=good))
    binding_message = parameters.get("binding_message")
    if binding_message is not None and not backchannel.is_binding_message(binding_message):
        text = "A binding_message has 1 to 64 letters, digits, spaces and the signs + - _ . , : #"
        raise OAuthError("invalid_binding_message", text)
    seconds = _read_expiry(parameters.get("requested_expiry"))
    channels = backchannel.channels_for(application, seconds, usable_channels(runtime, tenant))
    require(backchannel.has_channel(channels))
    audience = read_target(parameters, tenant) or tenant.default_audience
    api = None
    if audience is not None:
        api = await find_target(runtime.configuration, runtime.addresses, tenant.id, audience)
        require(knows_audience(api))
    ring = await key_ring(runtime, tenant)
    return Asked(
        application=application,
        issuer=context.address.issuer,
        hint=await read_hint(runtime, context, application, parameters, ring),
        audience=audience,
        api=api,
        scopes=scopes,
        details=_read_details(parameters, api),
        acr_values=read_acr_values(parameters.get("acr_values"), tenant.acr_values_supported)
        or application.default_acr_values,
        binding_message=binding_message,
        user_code=parameters.get("user_code"),
        notification_token=token,
        seconds=seconds,
        channels=channels,
        organization=await organization_of(runtime, tenant, parameters),
    )


def _read_expiry(value: str | None) -> int:
    """§7.1: "A positive integer"."""
    if value is None:
        return backchannel.DEFAULT_SECONDS
    if value.isascii() and value.isdigit() and len(value) <= 10:
        seconds = int(value)
        if 0 < seconds <= backchannel.EMAIL_SECONDS:
            return seconds
    raise invalid_request(f"The requested_expiry is not from 1 to {backchannel.EMAIL_SECONDS}.")


def _read_details(parameters: Parameters, api: ResourceServerFacts | None) -> Details:
    """RFC 9396, unless the API asks for consent to each transaction on a page of its own."""
    details = rar.read(parameters)
    if details and api is not None:
        transactional = ConsentPolicy.TRANSACTIONAL_AUTHORIZATION_WITH_MFA
        if api.consent_policy is transactional:
            rar.refuse(parameters)
    return details


def _ask(db: TenantSession, asked: Asked) -> AuthenticationResponse | OAuthError:
    """Finds the person, decides, stores the request and promises the message."""
    application, channels = asked.application, asked.channels
    user, enabled = find_user(db, application, asked.hint)
    known = backchannel.may_be_asked(application, user, connection_enabled=enabled)
    if isinstance(known, Refused) or user is None:
        return _refused(db, asked, known)
    told = backchannel.can_be_told(user, channels[0])
    if isinstance(told, Refused):
        return _refused(db, asked, told)
    made = attempts.add(db, answers.asked_of(application.client_id, user.id), ASKED_WINDOW)
    if made.count > ASKED:
        wait = max(1, int((made.expires_at - db.now).total_seconds()))
        text = f"The user was asked too often. Try again in {wait} s."
        return OAuthError("too_many_requests", text, 429, {"Retry-After": str(wait)})
    if application.backchannel_user_code_parameter:
        wrong = _check_user_code(db, user.id, asked.user_code)
        if wrong is not None:
            return wrong
    within = Within(asked.organization, at_login=True) if asked.organization else None
    target = (asked.audience, asked.scopes)
    details = AskedDetails(asked.details, is_pushed=True)
    decision = decide_for(db, application, asked.api, target, user, within, details)
    if isinstance(decision, Refused):
        return refusal(decision)
    auth_req_id, id_ = new_token(), new_id()
    ping = None
    if application.backchannel_token_delivery_mode is BackchannelTokenDeliveryMode.PING:
        ping = answers.sealed_ping(db, id_, Ping(auth_req_id, asked.notification_token or ""))
    lasts = backchannel.lifetime(channels[0], asked.seconds)
    facts = BackchannelRequestFacts(
        id=id_,
        state=BackchannelRequestState.PENDING,
        issuer=asked.issuer,
        client_id=application.client_id,
        user_id=user.id,
        organization_id=asked.organization.id if asked.organization else None,
        audience=asked.audience,
        requested_scopes=asked.scopes,
        scopes=(),
        acr_values=asked.acr_values,
        authorization_details=asked.details,
        binding_message=asked.binding_message,
        channel=channels[0],
        ping_envelope=ping,
        auth_time=None,
        amr=(),
        poll_interval=INTERVAL,
        polled_at=None,
        created_at=db.now,
        expires_at=db.now + timedelta(seconds=lasts),
    )
    ticket, ticket_digest = answers.new_ticket(db)
    request_digest = db.vault.digest(auth_req_id, REQUEST_PURPOSE)
    by_mail = facts.channel is NotificationChannel.EMAIL
    backchannel_requests.create(db, facts, request_digest, ticket_digest if by_mail else None)
    answers.tell(db, facts, application, user, ticket if by_mail else None)
    record(
        db,
        Event(
            "backchannel_request.created",
            client_id=application.client_id,
            user_id=user.id,
            target_type="BackchannelRequest",
            target_id=id_,
            details={"channel": facts.channel.value, "scope": " ".join(asked.scopes)},
        ),
    )
    return {"auth_req_id": auth_req_id, "expires_in": lasts, "interval": INTERVAL}


def _refused(db: TenantSession, asked: Asked, found: Admission) -> OAuthError:
    refused = in_order(found)
    if not isinstance(refused, Refused):
        raise TypeError("nothing was refused")
    record(
        db,
        Event(
            "backchannel_request.refused",
            client_id=asked.application.client_id,
            details={"error": refused.error},
        ),
    )
    return refusal(refused)


def _check_user_code(db: TenantSession, user_id: str, given: str | None) -> OAuthError | None:
    """§7.1: a secret of the person's, so that nobody else makes their device ring."""
    if given is None:
        return OAuthError("missing_user_code", "The parameter user_code is missing.")
    if not user_codes.matches(db, user_id, given):
        return OAuthError("invalid_user_code", "The user_code is wrong.")
    return None
