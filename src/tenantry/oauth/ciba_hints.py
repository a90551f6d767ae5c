"""CIBA Core §7.1: of whom a request speaks.

Law: exactly one hint, and what it names is one user of the application or nobody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.core.clock import timestamp
from tenantry.core.credentials import CredentialUse
from tenantry.core.facts import ApplicationFacts, UserFacts
from tenantry.keys.client_keys import BadSignature, read_jwt, verify_with_keys
from tenantry.keys.signing import KeyRing
from tenantry.oauth.errors import OAuthError, invalid_request
from tenantry.oauth.parameters import Parameters
from tenantry.rules.client_keys import ASYMMETRIC
from tenantry.rules.numeric_date import NotATime, numeric_date
from tenantry.services.client_keys import keys_for
from tenantry.services.client_secrets import shared_secret
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.subjects import subject_of, user_of
from tenantry.store import applications, users
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens.verify import InvalidToken, verify_id_token_hint

_HINTS = ("login_hint", "login_hint_token", "id_token_hint")


@dataclass(frozen=True, slots=True)
class Hint:
    """A name of a user. `subject` is a `sub`."""

    subject: str | None = None
    identifier: str | None = None


async def read_hint(
    runtime: Runtime,
    context: RequestContext,
    application: ApplicationFacts,
    parameters: Parameters,
    ring: KeyRing,
) -> Hint:
    """§7.1: "it is REQUIRED that the Client provides one (and only one) of the hints"."""
    given = [name for name in _HINTS if parameters.get(name) is not None]
    if len(given) != 1:
        text = "Exactly one of login_hint, login_hint_token and id_token_hint is needed."
        raise invalid_request(text)
    value = parameters.require(given[0])
    issuer = context.address.issuer
    if given[0] == "login_hint":
        return _named(value, issuer)
    if given[0] == "login_hint_token":
        return await _signed(runtime, context, application, value)
    shared = shared_secret(runtime.vault, context.address.tenant_id, application)
    try:
        verified = verify_id_token_hint(value, ring, issuer, shared)
    except InvalidToken:
        raise invalid_request("The id_token_hint is not one of ours.") from None
    # "An ID Token previously issued to the Client".
    if verified.audiences != (application.client_id,) or verified.client_id:
        raise invalid_request("The id_token_hint is not for this application.")
    return Hint(subject=verified.subject)


def _named(value: str, issuer: str) -> Hint:
    """A user id, an email or a username; or a subject identifier (RFC 9493) as JSON."""
    if not value.startswith("{"):
        return Hint(subject=value, identifier=value)
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        raise invalid_request("The login_hint is no JSON object.") from None
    return _identified(found, issuer, "login_hint")


def _identified(found: Any, issuer: str, name: str) -> Hint:
    """RFC 9493 §3.2.1 and §3.2.3."""
    if isinstance(found, dict):
        kind, subject, email = (found.get(part) for part in ("format", "sub", "email"))
        if kind == "iss_sub" and found.get("iss") == issuer and isinstance(subject, str):
            return Hint(subject=subject)
        if kind == "email" and isinstance(email, str):
            return Hint(identifier=email)
    raise invalid_request(f"The {name} is no subject identifier in the format iss_sub or email.")


async def _signed(
    runtime: Runtime, context: RequestContext, application: ApplicationFacts, token: str
) -> Hint:
    """A JWT by the application, whose `sub_id` (RFC 9493 §4.1) names the user."""
    try:
        message = read_jwt(token)
        if message.alg not in ASYMMETRIC:
            raise BadSignature("an algorithm that is not allowed")
        use = CredentialUse.REQUEST_OBJECTS
        keys = await keys_for(runtime, context.address.tenant_id, application, use, message.kid)
        claims = verify_with_keys(message, keys, ASYMMETRIC)
    except BadSignature as error:
        text = "The login_hint_token is not signed by the application."
        raise OAuthError("invalid_request", text, cause=str(error)) from None
    _check(claims, application.client_id, context.address.issuer, runtime)
    return _identified(claims.get("sub_id"), context.address.issuer, "login_hint_token")


def _check(claims: Mapping[str, Any], client_id: str, issuer: str, runtime: Runtime) -> None:
    named = claims.get("aud")
    if claims.get("iss") != client_id:
        raise invalid_request("The iss of the login_hint_token is not the client_id.")
    if issuer not in (named if isinstance(named, list) else [named]):
        raise invalid_request("The aud of the login_hint_token is not this server.")
    try:
        expires_at = numeric_date(claims, "exp")
    except NotATime:
        expires_at = None
    if expires_at is None:
        raise invalid_request("The login_hint_token has no exp.")
    if expires_at <= timestamp(runtime.clock.now()):
        raise OAuthError("expired_login_hint_token", "The login_hint_token has expired.")


def find_user(
    db: TenantSession, application: ApplicationFacts, hint: Hint
) -> tuple[UserFacts | None, bool]:
    """Who is meant, and whether the application's connections have them."""
    enabled = applications.connection_ids(db, application.id)
    found = _by_subject(db, application, hint)
    if found is None and hint.identifier is not None:
        logins = users.find_logins(db, enabled, hint.identifier) if enabled else ()
        found = logins[0].user if len(logins) == 1 else None
    return found, found is not None and found.connection_id in enabled


def _by_subject(db: TenantSession, application: ApplicationFacts, hint: Hint) -> UserFacts | None:
    if hint.subject is None:
        return None
    user = users.find(db, user_of(db, application, hint.subject))
    if user is None or subject_of(db.vault, application, user.id) != hint.subject:
        return None
    return user
