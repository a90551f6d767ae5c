"""RFC 7591 §3 and OpenID Connect Registration §3 and §4: applications that register themselves.

Law: whoever registers gets a third-party application, which a person must consent to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tenantry.core.clock import timestamp
from tenantry.core.context import Actor
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ApplicationFacts
from tenantry.core.ids import new_client_id, new_token
from tenantry.oauth import mtls
from tenantry.oauth.bearer import invalid_token
from tenantry.oauth.errors import OAuthError
from tenantry.rules.registration import MEMBERS, NAMES, application_values, wire_type
from tenantry.rules.subjects import SectorDocument
from tenantry.services import sectors
from tenantry.services.applications import ApplicationWithSecret, create
from tenantry.services.applications import delete as delete_application
from tenantry.services.commands import NewApplication, Patch
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.store import applications
from tenantry.store.unit_of_work import TenantSession

TOKEN_PURPOSE = "registration access token"
_MEMBER_OF = {setting: member for member, setting in NAMES.items()}
_MAX_CLIENT_ID = 128


def metadata(issuer: str) -> dict[str, str]:
    return {"registration_endpoint": f"{issuer}oidc/register"}


async def register(
    runtime: Runtime, context: RequestContext, document: Mapping[str, Any]
) -> dict[str, Any]:
    """The client information response (RFC 7591 §3.2.1)."""
    # §3.1.1: no issuer of software statements is trusted, so that none is approved.
    if document.get("software_statement") is not None:
        raise OAuthError(
            "unapproved_software_statement", "The software_statement is from no trusted issuer."
        )
    tenant_id = context.address.tenant_id
    token = new_token()
    try:
        values = application_values(document, await load_tenant(runtime, tenant_id))
        _require_certificates(context, values)
        sector = await sectors.fetch_for_new(runtime, tenant_id, values)
        made = await runtime.store.write(
            tenant_id, context.caller(), _register, values, sector, token
        )
    except DomainError as refusal:
        raise _refused(refusal) from None
    answer = _information(made.application, context.address.issuer, token)
    if made.client_secret is not None:
        answer["client_secret"] = made.client_secret
    return answer


async def require_enabled(runtime: Runtime, context: RequestContext) -> None:
    tenant = await load_tenant(runtime, context.address.tenant_id)
    if not tenant.enable_dynamic_client_registration:
        raise OAuthError(
            "access_denied", "The tenant has not switched on dynamic client registration.", 403
        )


async def read(
    runtime: Runtime, context: RequestContext, client_id: str, unverified_token: str
) -> dict[str, Any]:
    """RFC 7592 §2.1: what is registered now. The secret is shown once, when it is made."""
    application = await _require(runtime, context, client_id, unverified_token)
    return _information(application, context.address.issuer, unverified_token)


async def delete(
    runtime: Runtime, context: RequestContext, client_id: str, unverified_token: str
) -> None:
    """RFC 7592 §2.3: the application, its tokens and its registration end at once."""
    application = await _require(runtime, context, client_id, unverified_token)
    tenant_id = context.address.tenant_id
    actor = Actor("application", application.client_id, application.name, tenant_id)
    try:
        await runtime.store.write(
            tenant_id, context.caller(actor), delete_application, Patch(application.id)
        )
    except DomainError:
        raise invalid_token("the application is deleted already") from None


async def _require(
    runtime: Runtime, context: RequestContext, client_id: str, unverified_token: str
) -> ApplicationFacts:
    application = None
    if client_id.isascii() and client_id.isprintable() and len(client_id) <= _MAX_CLIENT_ID:
        application = await runtime.configuration.get(
            context.address.tenant_id, applications.find_by_client_id, client_id
        )
    digest = application.registration_token_digest if application else None
    readable = unverified_token.encode(errors="replace").decode()
    # RFC 7592 §2.1: an unknown client and a wrong token get the same answer.
    matched = runtime.vault.matches(readable, digest, TOKEN_PURPOSE)
    if application is None or not matched:
        raise invalid_token("not the registration access token of this application")
    return application


def _require_certificates(context: RequestContext, values: Mapping[str, Any]) -> None:
    """RFC 8705 §2: no method that nothing could ever authenticate by here."""
    method = values["token_endpoint_auth_method"]
    if method in mtls.METHODS and not context.address.takes_certificates:
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "No client certificates arrive at this address.",
            "token_endpoint_auth_method",
        )


def _register(
    db: TenantSession, values: Mapping[str, Any], sector: SectorDocument | None, token: str
) -> ApplicationWithSecret:
    client_id = new_client_id()
    # RFC 7591 §2: without a name "the authorization server MAY display the raw client_id".
    return create(
        db,
        NewApplication({"name": client_id, **values}, sector=sector),
        client_id,
        registration_token_digest=db.vault.digest(token, TOKEN_PURPOSE),
    )


def _information(application: ApplicationFacts, issuer: str, token: str) -> dict[str, Any]:
    """§3.2.1: "all registered metadata about this client"."""
    answer: dict[str, Any] = {
        "client_id": application.client_id,
        "client_id_issued_at": timestamp(application.created_at),
        "registration_client_uri": f"{issuer}oidc/register/{application.client_id}",
        "registration_access_token": token,
    }
    if application.secret_digest is not None:
        answer["client_secret_expires_at"] = 0
    for member in MEMBERS:
        value = getattr(application, NAMES.get(member, member))
        if value is not None and value != ():
            answer[member] = list(value) if isinstance(value, tuple) else value
    answer["application_type"] = wire_type(application.application_type)
    answer["response_types"] = list(application.response_types)
    if application.jwks is not None:
        answer["jwks"] = json.loads(application.jwks)
    if application.name == application.client_id:
        del answer["client_name"]
    return answer


def _refused(refusal: DomainError) -> OAuthError:
    """§3.2.2: the error says which member to mend."""
    setting, *inside = refusal.field or ("metadata",)
    error = "invalid_redirect_uri" if setting == "redirect_uris" else "invalid_client_metadata"
    member = ".".join([_MEMBER_OF.get(setting, setting), *inside])
    return OAuthError(error, f"{member}: {refusal.message}")
