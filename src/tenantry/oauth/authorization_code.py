"""RFC 6749 §4.1.3 and OpenID Connect Core §3.1.3: the code becomes tokens.

Law: check, then claim by one conditional statement. A replay ends the tokens of the first use;
a failed redemption consumes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.authorization_details import Details
from tenantry.core.confirmation import Confirmation
from tenantry.core.context import Actor
from tenantry.core.facts import GrantType
from tenantry.keys.signing import KeyRing
from tenantry.oauth import dpop, pkce, rar, resource_indicators, user_tokens
from tenantry.oauth.authorization_request import AuthorizationRequest
from tenantry.oauth.authorize import CODE_PURPOSE
from tenantry.oauth.client_authentication import AuthenticatedClient
from tenantry.oauth.errors import OAuthError, invalid_grant, require
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.redemption import Promised, due
from tenantry.oauth.resource_indicators import Granted
from tenantry.oauth.token_response import TokenResponse
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.admission import may_use
from tenantry.rules.lifetimes import family_lifetime
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.store import authorizations, redeeming
from tenantry.store.authorizations import AuthorizationFacts
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens import issue, revoke

GRANT_TYPE = "authorization_code"
_WRONG_CODE = "The authorization code is unknown, expired, used or another application's."


async def grant(
    runtime: Runtime,
    context: RequestContext,
    client: AuthenticatedClient,
    parameters: Parameters,
) -> TokenResponse:
    application = client.application
    require(may_use(application, GrantType.AUTHORIZATION_CODE))
    tenant = await load_tenant(runtime, context.address.tenant_id)
    presented = Presented(
        code=parameters.require("code"),
        redirect_uri=parameters.get("redirect_uri"),
        code_verifier=parameters.get("code_verifier"),
        audience=resource_indicators.read_target(parameters, tenant),
        details=rar.read(parameters),
    )
    ring = await key_ring(runtime, tenant)
    actor = Actor("application", application.client_id, application.name, context.address.tenant_id)
    result = await runtime.store.write(
        context.address.tenant_id,
        context.caller(actor),
        redeem,
        runtime,
        context.address,
        client,
        presented,
        ring,
    )
    if isinstance(result, OAuthError):
        raise result
    return result


@dataclass(frozen=True, slots=True)
class Presented:
    """What the token request says of the code."""

    code: str
    redirect_uri: str | None
    code_verifier: str | None
    audience: str | None
    details: Details = ()


def redeem(
    db: TenantSession,
    runtime: Runtime,
    address: TenantAddress,
    client: AuthenticatedClient,
    presented: Presented,
    ring: KeyRing,
) -> TokenResponse | OAuthError:
    """Find, check, claim, issue. A refusal is returned, so that its mark is kept."""
    digests = db.vault.digests(presented.code, CODE_PURPOSE)
    known = redeeming.find(db, digests)
    if known is None or known.authorization.issuer != address.issuer:
        return invalid_grant(_WRONG_CODE, "unknown code")
    found = known.authorization
    if found.client_id != client.application.client_id:
        return invalid_grant(_WRONG_CODE, "another application's code")
    if found.consumed_at is not None:
        return _replayed(db, found)
    request = AuthorizationRequest.from_json(found.request)
    wrong = _check(db, found, request, presented, client.confirmation)
    if wrong is not None:
        return wrong
    auth_time = found.auth_time or db.now
    granted = Granted(request.audience, found.scopes, request.authorization_details)
    left = due(
        db,
        runtime.addresses,
        address,
        client.application,
        Promised(known.user, auth_time, granted, request.organization_id),
        presented.audience,
        presented.details,
    )
    if isinstance(left, OAuthError):
        return left
    family_id = issue.new_family_id()
    lifetime = family_lifetime(client.application, left.api, left.scopes)
    if not authorizations.claim_code(db, found.id, family_id, db.now + lifetime):
        winner = redeeming.find(db, digests)
        return _replayed(db, winner.authorization if winner else found)
    return user_tokens.issue_tokens(
        db,
        address,
        user_tokens.UserGrant(
            grant_type=GRANT_TYPE,
            client=client,
            user=left.user,
            api=left.api,
            scopes=left.scopes,
            details=left.details,
            whole=granted,
            session_id=found.session_id,
            session=known.session,
            auth_time=auth_time,
            nonce=request.nonce,
            family_id=family_id,
            wanted=request.wanted,
            organization=left.organization,
        ),
        ring,
    )


def _replayed(db: TenantSession, found: AuthorizationFacts) -> OAuthError:
    # §4.1.2: "If an authorization code is used more than once, the authorization server MUST
    # deny the request and SHOULD revoke […] all tokens previously issued".
    if found.family_id is not None:
        revoke.end_family(db, found.family_id, "code replayed", found.client_id)
    return invalid_grant(_WRONG_CODE, "replayed code")


def _check(
    db: TenantSession,
    found: AuthorizationFacts,
    request: AuthorizationRequest,
    presented: Presented,
    confirmation: Confirmation | None,
) -> OAuthError | None:
    if found.code_expires_at is None or found.code_expires_at <= db.now:
        return invalid_grant(_WRONG_CODE, "expired code")
    # §4.1.3: if the request named a redirect URI, the values "MUST be identical".
    expected = request.redirect_uri if request.redirect_uri_given else None
    if presented.redirect_uri != expected and not (
        expected is None and presented.redirect_uri == request.redirect_uri
    ):
        return invalid_grant("The redirect_uri differs from the authorization request's.")
    return pkce.verify(request.code_challenge, presented.code_verifier) or dpop.require_key_of_code(
        request.dpop_jkt, confirmation
    )
