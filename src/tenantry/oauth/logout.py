"""OpenID Connect RP-Initiated Logout 1.0, and the older `/v2/logout` of existing clients.

Law: a browser is sent only to a registered URL, and nobody is signed out unasked by a request
that does not prove that it comes from an application that the person uses.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.facts import ApplicationFacts, SessionFacts, TenantFacts
from tenantry.keys.signing import KeyRing
from tenantry.keys.vault import Vault
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.response_target import PageError
from tenantry.rules.fields import encodable
from tenantry.rules.logout import asks_for_confirmation
from tenantry.rules.redirect_uris import is_registered
from tenantry.services.subjects import subject_of
from tenantry.tokens.verify import (
    ApplicationSecret,
    InvalidToken,
    VerifiedClaims,
    is_signed_by_secret,
    unverified_claims,
    verify_id_token_hint,
)


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A valid request. `hint` is the ID token that it proves itself with, if any."""

    application: ApplicationFacts | None
    hint: VerifiedClaims | None
    redirect_uri: str | None
    state: str | None


def unverified_client_id(parameters: Parameters) -> str:
    """Whose secret a hint by HS256 claims to be signed with; empty for every other hint."""
    unverified_hint = parameters.get("id_token_hint")
    if unverified_hint is None or not is_signed_by_secret(unverified_hint):
        return ""
    audience = unverified_claims(unverified_hint).get("aud")
    return audience if isinstance(audience, str) and encodable(audience) else ""


def read_hint(
    parameters: Parameters, ring: KeyRing, issuer: str, shared: ApplicationSecret | None = None
) -> VerifiedClaims | None:
    """§2: the ID token that was issued to the application, expired or not."""
    unverified_hint = parameters.get("id_token_hint")
    if unverified_hint is None:
        return None
    try:
        return verify_id_token_hint(unverified_hint, ring, issuer, shared)
    except InvalidToken:
        raise PageError("invalid_request", "The id_token_hint is not one of ours.") from None


def client_id_of(parameters: Parameters, hint: VerifiedClaims | None) -> str | None:
    """§2: the client_id of the request "MUST" be that of the hint."""
    named = parameters.get("client_id")
    if hint is None:
        return named
    if named is not None and named != hint.audiences[0]:
        raise PageError("invalid_request", "The id_token_hint is another application's.")
    return hint.audiences[0]


def read_request(
    parameters: Parameters,
    tenant: TenantFacts,
    application: ApplicationFacts | None,
    hint: VerifiedClaims | None,
    redirect_parameter: str,
) -> LogoutRequest:
    """§3: the target must be registered, with the application or, without one, the tenant."""
    redirect_uri = parameters.get(redirect_parameter)
    if redirect_uri is not None and not _may_redirect(redirect_uri, tenant, application):
        raise PageError("invalid_request", f"The {redirect_parameter} is not registered.")
    return LogoutRequest(application, hint, redirect_uri, parameters.get("state"))


def _may_redirect(uri: str, tenant: TenantFacts, application: ApplicationFacts | None) -> bool:
    if application is None:
        return uri in tenant.allowed_logout_urls
    return is_registered(uri, application.post_logout_redirect_uris, application.application_type)


def needs_confirmation(
    vault: Vault, request: LogoutRequest, tenant: TenantFacts, session: SessionFacts | None
) -> bool:
    """§2 and §6: a hint of this very session proves enough; anything less is asked."""
    if session is None:
        return False
    if request.hint is not None:
        person = session.user_id
        if request.application is not None:
            person = subject_of(vault, request.application, person)
        return request.hint.text("sid") != session.id and request.hint.subject != person
    return asks_for_confirmation(tenant, request.application)
