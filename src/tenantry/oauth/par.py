"""RFC 9126: an application hands in its authorization request before the browser comes with it.

Law: a `request_uri` is for the application that pushed, and begins one sign-in. The browser that
began may load the page again while the person is still there; nobody else may begin with it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TypedDict

from tenantry.core.facts import ApplicationFacts, SessionFacts, TenantFacts
from tenantry.core.ids import new_token
from tenantry.keys.vault import Vault
from tenantry.oauth import authorize, dpop, request_object
from tenantry.oauth.admitted_request import admitted, subject_of
from tenantry.oauth.authorization_request import AuthorizationRequest
from tenantry.oauth.client_authentication import AuthenticatedClient
from tenantry.oauth.errors import OAuthError, invalid_request, refusal, require
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.response_target import PageError, RedirectError
from tenantry.oauth.standing import Subject, stand
from tenantry.rules.authorization import Refused
from tenantry.rules.custom_domain_urls import at_domain
from tenantry.rules.pushed_requests import lifetime, may_come_unpushed, may_push
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.store import pushed_requests
from tenantry.store.audit import Event, record
from tenantry.store.pushed_requests import PushedRequestFacts
from tenantry.store.unit_of_work import TenantSession

PREFIX = "urn:ietf:params:oauth:request_uri:"
_PURPOSE = "pushed request"
_HANDLE_PURPOSE = "handle of a pushed request"
# §2.1: what authenticates the application is no part of the request.
_AUTHENTICATING = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


class PushResponse(TypedDict):
    """§2.2."""

    request_uri: str
    expires_in: int


def metadata(issuer: str) -> dict[str, str]:
    return {"pushed_authorization_request_endpoint": f"{issuer}oauth/par"}


async def push(
    runtime: Runtime, context: RequestContext, client: AuthenticatedClient, parameters: Parameters
) -> PushResponse:
    """§2.1: read as at the authorization endpoint, then kept for it."""
    tenant = await load_tenant(runtime, context.address.tenant_id)
    require(may_push(tenant))
    # §2.1: "The request_uri authorization request parameter MUST NOT be provided in this case".
    if parameters.get("request_uri") is not None:
        raise invalid_request("The parameter request_uri has no place in a request that is pushed.")
    application = at_domain(client.application, context.address.domain)
    counting = await request_object.opened(runtime, context, application, parameters)
    counting = dpop.with_proven_key(counting, client.confirmation)
    try:
        asked = await admitted(runtime, context, tenant, application, counting)
    except (PageError, RedirectError) as error:
        raise OAuthError(error.error, error.description) from None
    asked = replace(asked, is_pushed=True)
    subject = await subject_of(runtime, context.address, application, asked.audience)
    reference = f"{PREFIX}{new_token()}"
    pairs = tuple(pair for pair in counting.pairs if pair[0] not in _AUTHENTICATING)
    await runtime.store.write(
        tenant.id, context.caller(), _keep, subject, asked, pairs, runtime.vault, reference
    )
    return {"request_uri": reference, "expires_in": lifetime(application)}


def _keep(
    db: TenantSession,
    subject: Subject,
    asked: AuthorizationRequest,
    pairs: tuple[tuple[str, str], ...],
    vault: Vault,
    reference: str,
) -> None:
    standing = stand(db, subject, asked, authorize.unanswered(db, subject, asked))
    if isinstance(standing.decision, Refused):
        raise refusal(standing.decision)
    ends_at = db.now + timedelta(seconds=lifetime(subject.application))
    pushed_requests.create(
        db,
        PushedRequestFacts(
            digest=vault.digest(reference, _PURPOSE),
            issuer=subject.issuer,
            client_id=asked.client_id,
            parameters=pairs,
            consumed_at=None,
            created_at=db.now,
            expires_at=ends_at,
        ),
    )
    record(db, Event("authorization.pushed", client_id=asked.client_id))


def is_pushed(parameters: Parameters) -> bool:
    return (parameters.get("request_uri") or "").startswith(PREFIX)


async def opened(
    runtime: Runtime,
    context: RequestContext,
    tenant: TenantFacts,
    application: ApplicationFacts,
    parameters: Parameters,
) -> Parameters:
    """§4: what was pushed, as the parameters that count."""
    require(may_push(tenant))
    if parameters.get("request") is not None:
        raise invalid_request("The parameters request and request_uri exclude each other.")
    reference = parameters.require("request_uri")
    digests = runtime.vault.digests(reference, _PURPOSE)
    found = await runtime.store.read(tenant.id, context.caller(), _find, digests)
    # §2.2: the request_uri "MUST be bound to the client that posted the authorization request".
    if (
        found is None
        or found.client_id != application.client_id
        or found.issuer != context.address.issuer
    ):
        raise _invalid()
    return Parameters(found.parameters)


def require_pushed(application: ApplicationFacts) -> None:
    require(may_come_unpushed(application))


def _find(db: TenantSession, digests: list[str]) -> PushedRequestFacts | None:
    found = pushed_requests.find(db, digests)
    return found if found is not None and found.expires_at > db.now else None


def begin(
    db: TenantSession,
    subject: Subject,
    request: AuthorizationRequest,
    session: SessionFacts | None,
    browser: str,
    reference: str,
) -> authorize.Outcome:
    """§7.3: one sign-in. Its handle follows from the reference, so that a reload finds it."""
    handle = db.vault.lasting_digest(reference, _HANDLE_PURPOSE)
    keep_until = db.now + authorize.PENDING_LIFETIME
    for digest in db.vault.digests(reference, _PURPOSE):
        if pushed_requests.claim(db, digest, keep_until):
            pushed = replace(request, is_pushed=True)
            return authorize.begin(db, subject, pushed, session, browser, handle)
    begun = authorize.find_pending(db, handle, browser)
    if begun is None:
        raise _invalid()
    return authorize.resume(db, subject, begun, handle)


def _invalid() -> OAuthError:
    return OAuthError("invalid_request_uri", "The request_uri is unknown, expired or used.")
