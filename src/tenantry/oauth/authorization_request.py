"""RFC 6749 §4.1.1 and OpenID Connect Core §3.1.2.1: what an application asks of a person.

Law: the redirect URI is decided before anything else is read; until then every error is a
page, after it a redirect.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from tenantry.core.authorization_details import Details
from tenantry.core.facts import ApplicationFacts, TenantFacts
from tenantry.keys.signing import KeyRing
from tenantry.oauth import claims_request, dpop, pkce, rar, response_types
from tenantry.oauth.claims_request import ClaimsRequest, WantedClaims
from tenantry.oauth.errors import OAuthError, invalid_request, require
from tenantry.oauth.organizations import NOTHING_ASKED, AskedOrganization
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.resource_indicators import read_target
from tenantry.oauth.response_target import PageError, RedirectError, ResponseTarget
from tenantry.oauth.response_types import CODE, ResponseType
from tenantry.rules import compliance
from tenantry.rules.authorization import Refused
from tenantry.rules.authorization_admission import names_scopes, redirects_to, registered_scopes
from tenantry.rules.client_metadata import MAX_AGE
from tenantry.rules.interaction import PROMPTS
from tenantry.rules.redirect_uris import is_pattern
from tenantry.rules.scopes import within_registered
from tenantry.rules.step_up import default_max_age
from tenantry.tokens.verify import ApplicationSecret, InvalidToken, verify_id_token_hint

_UNSUPPORTED = {
    "registration": "registration_not_supported",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A valid request. `redirect_uri_given` says whether the request named it (§4.1.3).

    `is_pushed` says that the application itself handed it in. `linking_id` names a transaction.
    `expected_user_id` is the subject of the `id_token_hint`. `linked_user_id` is whom a link in
    mail stands for, where the tenant asks for no sign-in. `device_id` is the device that the
    answer is for, instead of a redirect URI.
    """

    client_id: str
    redirect_uri: str
    redirect_uri_given: bool
    response_mode: str
    state: str | None
    nonce: str | None
    scopes: tuple[str, ...]
    audience: str | None
    code_challenge: str | None
    prompt: tuple[str, ...]
    max_age: int | None
    login_hint: str | None
    expected_user_id: str | None = None
    linked_user_id: str | None = None
    response_type: str = CODE
    acr_values: tuple[str, ...] = ()
    claims: ClaimsRequest = claims_request.NOTHING
    device_id: str | None = None
    backchannel_id: str | None = None
    binding_message: str | None = None
    organization_id: str | None = None
    invitation_id: str | None = None
    authorization_details: Details = ()
    is_pushed: bool = False
    linking_id: str | None = None
    dpop_jkt: str | None = None

    @property
    def target(self) -> ResponseTarget:
        openid_client_id = self.client_id if "openid" in self.scopes else None
        return ResponseTarget(
            self.client_id, self.redirect_uri, self.response_mode, self.state, openid_client_id
        )

    @property
    def is_answered_elsewhere(self) -> bool:
        """Whether a device or an application at the back waits, and no redirect URI."""
        return self.device_id is not None or self.backchannel_id is not None

    @property
    def answer(self) -> ResponseType:
        return ResponseType(frozenset(self.response_type.split()))

    @property
    def wanted(self) -> WantedClaims:
        """What its ID tokens and userinfo tell beside the claims of scopes (§2, §5.5)."""
        asks_for_time = self.max_age is not None or self.claims.auth_time
        preferred = (*self.claims.acr_values, *self.acr_values)
        return WantedClaims(self.claims, preferred, asks_for_time)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> AuthorizationRequest:
        return cls(
            **{
                **stored,
                "scopes": tuple(stored["scopes"]),
                "prompt": tuple(stored["prompt"]),
                "acr_values": tuple(stored.get("acr_values", ())),
                "authorization_details": tuple(stored.get("authorization_details", ())),
                "claims": ClaimsRequest.from_json(stored["claims"])
                if "claims" in stored
                else claims_request.NOTHING,
            }
        )


def read_client_id(parameters: Parameters) -> str:
    try:
        return parameters.require("client_id")
    except OAuthError as error:
        raise PageError(error.error, error.description) from None


def decide_redirect_uri(
    application: ApplicationFacts | None,
    parameters: Parameters,
    *,
    is_own_page: bool,
    within: AskedOrganization = NOTHING_ASKED,
) -> tuple[str, bool]:
    """The redirect URI, and whether the request named it. `is_own_page`: the explorer's."""
    if application is None:
        raise PageError("invalid_request", "No application has this client_id.")
    try:
        asked = parameters.get("redirect_uri")
    except OAuthError as error:
        raise PageError(error.error, error.description) from None
    if asked is None:
        registered = application.redirect_uris
        if application.oidc_conformant or len(registered) != 1 or is_pattern(registered[0]):
            raise PageError("invalid_request", "The parameter redirect_uri is missing.")
        return registered[0], False
    named = within.name_in_urls(application)
    known = redirects_to(application, asked, named, is_own_page=is_own_page)
    if isinstance(known, Refused):
        raise PageError(known.error, known.description)
    return asked, True


def read_request(
    parameters: Parameters,
    application: ApplicationFacts,
    tenant: TenantFacts,
    redirect_uri: tuple[str, bool],
    ring: KeyRing,
    issuer: str,
    shared: ApplicationSecret | None = None,
    within: AskedOrganization = NOTHING_ASKED,
) -> AuthorizationRequest:
    """The rest of the request; whatever is wrong with it goes to the redirect URI."""
    uri, given = redirect_uri
    target, response_type = response_target(parameters, application, uri)
    try:
        request = _read(parameters, application, tenant, target, response_type, given=given)
        request = _within(request, within, application)
        return replace(request, expected_user_id=_read_hint(parameters, ring, issuer, shared))
    except OAuthError as error:
        raise RedirectError(target, error.error, error.description) from None


def _within(
    request: AuthorizationRequest, asked: AskedOrganization, application: ApplicationFacts
) -> AuthorizationRequest:
    """An invitation says for whom the sign-in is."""
    asked.require_known(application)
    organization, invitation = asked.organization, asked.invitation
    return replace(
        request,
        organization_id=organization.id if organization else None,
        invitation_id=invitation.id if invitation else None,
        login_hint=request.login_hint or (invitation.invitee_email if invitation else None),
    )


def response_target(
    parameters: Parameters, application: ApplicationFacts, uri: str
) -> tuple[ResponseTarget, ResponseType | None]:
    """Where every answer goes from here on, and the response type if it is one."""
    state = None if "state" in parameters.repeated else parameters.get("state")
    asked_mode = None if "response_mode" in parameters.repeated else parameters.get("response_mode")
    asked_type = None if "response_type" in parameters.repeated else parameters.get("response_type")
    response_type = response_types.parse(asked_type) if asked_type else None
    mode = response_types.usable_mode(asked_mode, response_type, application, uri)
    return ResponseTarget(application.client_id, uri, mode, state), response_type


def _read(
    parameters: Parameters,
    application: ApplicationFacts,
    tenant: TenantFacts,
    target: ResponseTarget,
    response_type: ResponseType | None,
    *,
    given: bool,
) -> AuthorizationRequest:
    parameters.refuse_repetition()
    for name, error in _UNSUPPORTED.items():
        if parameters.get(name) is not None:
            raise OAuthError(error, f"The parameter {name} is not supported.")
    parameters.require("response_type")
    if response_type is None:
        raise OAuthError("unsupported_response_type", "The response_type is not supported.")
    response_types.require_mode(parameters.get("response_mode"), target.response_mode)
    require(compliance.may_ask(application, response_type.parts, signed_response=target.is_secured))
    scopes, nonce = parameters.scopes(), parameters.get("nonce")
    has_state = target.state is not None
    require(
        compliance.says_enough(
            application, scopes, has_nonce=nonce is not None, has_state=has_state
        )
    )
    require(names_scopes(application, scopes))
    scopes = within_registered(scopes or ("openid",), application.scope)
    require(registered_scopes(scopes))
    response_types.require_allowed(response_type, application, target.redirect_uri, scopes, nonce)
    claims = claims_request.read(parameters.get("claims"))
    claims_request.require_supported(claims.acr_values, tenant.acr_values_supported)
    return AuthorizationRequest(
        client_id=application.client_id,
        redirect_uri=target.redirect_uri,
        redirect_uri_given=given,
        response_mode=target.response_mode,
        state=target.state,
        nonce=nonce,
        scopes=scopes,
        audience=read_target(parameters, tenant) or tenant.default_audience,
        code_challenge=pkce.read_challenge(
            parameters.get("code_challenge"),
            parameters.get("code_challenge_method"),
            required=response_type.has_code and (application.is_public or application.require_pkce),
        ),
        prompt=_read_prompt(parameters),
        max_age=_read_max_age(parameters, default_max_age(application, tenant)),
        login_hint=parameters.get("login_hint"),
        response_type=" ".join(sorted(response_type.parts)),
        acr_values=claims_request.read_acr_values(
            parameters.get("acr_values"), tenant.acr_values_supported
        )
        or application.default_acr_values,
        claims=claims,
        authorization_details=rar.read_for(parameters, response_type.parts),
        dpop_jkt=dpop.read_thumbprint(parameters),
    )


def _read_hint(
    parameters: Parameters, ring: KeyRing, issuer: str, shared: ApplicationSecret | None
) -> str | None:
    """OpenID Connect Core §3.1.2.1: whom an ID token of ours, expired or not, speaks of."""
    unverified_hint = parameters.get("id_token_hint")
    if unverified_hint is None:
        return None
    try:
        return verify_id_token_hint(unverified_hint, ring, issuer, shared).subject
    except InvalidToken:
        raise invalid_request("The id_token_hint is not one of ours.") from None


def _read_prompt(parameters: Parameters) -> tuple[str, ...]:
    values = tuple(dict.fromkeys((parameters.get("prompt") or "").split()))
    if not set(values) <= PROMPTS:
        raise invalid_request("The parameter prompt has an unknown value.")
    # OpenID Connect Core §3.1.2.1: "If this parameter contains none with any other value, an
    # error is returned."
    if "none" in values and len(values) > 1:
        raise invalid_request("The prompt none stands alone.")
    return values


def _read_max_age(parameters: Parameters, default: int | None) -> int | None:
    value = parameters.get("max_age")
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) <= 10):
        raise invalid_request("The parameter max_age is not a number of seconds.")
    return min(int(value), MAX_AGE)
