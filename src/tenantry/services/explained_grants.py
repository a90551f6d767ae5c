"""The rules of each grant type in the order of its endpoints, for who presents what is good."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tenantry.core.authorization_details import Details
from tenantry.core.facts import (
    ConsentFacts,
    GrantType,
    ResourceServerFacts,
    TrustedIssuerFacts,
    TrustedSubject,
    UserFacts,
)
from tenantry.rules import admission, scopes
from tenantry.rules import authorization_admission as at_authorize
from tenantry.rules.authorization import OFFLINE_ACCESS, Decision, Granted, Refused
from tenantry.rules.authorization_details import MalformedDetails, parse
from tenantry.rules.custom_domain_urls import at_domain
from tenantry.rules.detail_admission import AskedDetails
from tenantry.rules.interaction import needs_consent
from tenantry.rules.lifetimes import starts_refreshing
from tenantry.rules.possession import may_come_in_front
from tenantry.rules.pushed_requests import may_push
from tenantry.rules.redirect_uris import for_organization
from tenantry.services import logins
from tenantry.services.apis import find_target_in
from tenantry.services.explanation_cases import Case, Trace, Would
from tenantry.services.organization_access import Within, is_member
from tenantry.services.user_flow import decide_for
from tenantry.store import applications, connections, consents, trusted_issuers
from tenantry.store.unit_of_work import TenantSession


def decide(
    db: TenantSession,
    case: Case,
    requested: tuple[str, ...],
    *,
    api: ResourceServerFacts | None = None,
    at_login: bool = False,
    details: Details = (),
) -> Decision:
    """`api` is the audience's, which may have been loaded already."""
    audience = case.asked.audience
    if audience is not None and api is None:
        api = find_target_in(db, case.addresses, audience)
    within = Within(case.organization, at_login=at_login) if case.organization else None
    asked = AskedDetails(details, is_pushed=True)
    return decide_for(db, case.application, api, (audience, requested), case.user, within, asked)


def _consent(db: TenantSession, case: Case) -> ConsentFacts | None:
    """What the user has allowed before."""
    if case.user is None:
        return None
    audience = case.asked.audience or case.address.userinfo_audience
    return consents.find(db, case.user.id, case.application.client_id, audience)


def _sign_in(db: TenantSession, case: Case, trace: Trace) -> None:
    if case.user is not None:
        enabled = applications.connection_ids(db, case.application.id)
        trace.require(
            at_authorize.may_sign_in(
                case.application, case.user, connection_enabled=case.user.connection_id in enabled
            )
        )


def authorization_code(db: TenantSession, case: Case, trace: Trace) -> Would:
    """RFC 6749 §4.1, and §4.2 for what the authorization endpoint answers itself."""
    asked, application, parts = case.asked, case.application, case.parts
    application = at_domain(application, case.address.domain)
    named = at_authorize.organization_in_urls(application, case.organization)
    registered = for_organization(application.redirect_uris, named)
    uri = asked.redirect_uri or next(iter(registered), "")
    if application.require_pushed_authorization_requests:
        trace.require(may_push(case.tenant))  # The request is meant to come as it must.
    trace.require(at_authorize.redirects_to(application, uri, named, is_own_page=False))
    trace.require(at_authorize.names_scopes(application, asked.scopes))
    requested = scopes.within_registered(asked.scopes or ("openid",), application.scope)
    trace.require(at_authorize.registered_scopes(requested))
    trace.require(at_authorize.may_answer_with(application, parts))
    trace.require(at_authorize.names_openid(parts, requested))
    trace.require(at_authorize.may_carry_tokens(parts, uri))
    names_organization(case, trace)
    if "code" not in parts:
        requested = tuple(scope for scope in requested if scope != OFFLINE_ACCESS)
    details = _details(asked.authorization_details, trace)
    trace.require(at_authorize.may_ask_for_details(parts, asked=bool(details)))
    granted = _signed_in(db, case, trace, requested, details)
    trace.require(may_come_in_front(application, granted.api, parts))
    stored = _consent(db, case)
    asks = bool(details) or needs_consent(application, granted.api, uri, granted.scopes, stored)
    in_front = asked.grant_type is GrantType.IMPLICIT
    given = granted.scopes
    if in_front:
        given = tuple(scope for scope in given if scope != OFFLINE_ACCESS)
    return Would(
        api=granted.api,
        scopes=given,
        refreshes=not in_front and starts_refreshing(application, granted.api, given),
        asks=asks,
        consent_scopes=granted.scopes if asks else (),
        in_front=in_front,
        has_access_token=not in_front or "token" in parts,
        has_id_token=not in_front or "id_token" in parts,
        details=details,
        alone=parts == {"id_token"},
    )


def _details(text: str | None, trace: Trace) -> Details:
    try:
        return parse(text) if text else ()
    except MalformedDetails as error:
        trace.require(at_authorize.details_well_formed(str(error)))
        raise


def names_organization(case: Case, trace: Trace) -> None:
    if case.asked.organization is not None:
        trace.require(at_authorize.names_organization(known=case.organization is not None))


def _signed_in(
    db: TenantSession,
    case: Case,
    trace: Trace,
    requested: tuple[str, ...],
    details: Details = (),
) -> Granted:
    """What does not depend on the person is decided before anybody signs in."""
    if case.user is not None:
        nobody = decide(db, _without_user(case), requested, at_login=True, details=details)
        if isinstance(nobody, Refused):
            trace.require(nobody)
        _sign_in(db, case, trace)
    return trace.granted(decide(db, case, requested, at_login=True, details=details))


def _without_user(case: Case) -> Case:
    return Case(
        case.addresses, case.address, case.tenant, case.application, case.organization, case.asked
    )


def device_code(db: TenantSession, case: Case, trace: Trace) -> Would:
    """RFC 8628 §3.3: the person is always asked."""
    application = case.application
    trace.require(admission.may_use(application, GrantType.DEVICE_CODE))
    trace.require(at_authorize.needs_no_organization(application))
    trace.require(at_authorize.names_scopes(application, case.asked.scopes))
    granted = _signed_in(db, case, trace, case.asked.scopes or ("openid",))
    return Would(
        api=granted.api,
        scopes=granted.scopes,
        refreshes=starts_refreshing(application, granted.api, granted.scopes),
        asks=True,
        consent_scopes=granted.scopes,
    )


def password(db: TenantSession, case: Case, trace: Trace) -> Would:
    """RFC 6749 §4.3, with a realm or in the tenant's default directory."""
    application, asked = case.application, case.asked
    trace.require(admission.may_use(application, asked.grant_type))
    if asked.grant_type is GrantType.PASSWORD:
        trace.require(admission.has_directory(case.tenant))
        name = case.tenant.default_directory or ""
    else:
        trace.require(admission.names_realm(asked.connection))
        name = asked.connection or ""
    names_organization(case, trace)
    enabled = logins.is_connection_of(db, application.id, name)
    trace.require(admission.realm_enabled(enabled))
    connection = connections.find_by_name(db, name)
    if case.user is not None and connection is not None:
        trace.require(admission.is_of_realm(case.user, connection.id))
    granted = trace.granted(decide(db, case, asked.scopes))
    return Would(
        api=granted.api,
        scopes=granted.scopes,
        refreshes=starts_refreshing(application, granted.api, granted.scopes),
    )


def refresh_token(db: TenantSession, case: Case, trace: Trace) -> Would:
    """RFC 6749 §6: the token holds what was asked for once, and offline access in any case."""
    application, asked = case.application, case.asked
    trace.require(admission.may_use(application, GrantType.REFRESH_TOKEN))
    names_organization(case, trace)
    wanted = asked.scopes if asked.presented_scopes is not None else ()
    presented = asked.scopes if asked.presented_scopes is None else asked.presented_scopes
    held = tuple(dict.fromkeys((*presented, OFFLINE_ACCESS)))
    if case.user is not None:
        again = admission.SIGN_IN_AGAIN
        trace.require(admission.not_blocked(case.user, "invalid_grant", again))
        trace.require(admission.may_stay(application, _consent(db, case)))
        _stays_member(db, case, trace, "invalid_grant", admission.NO_MEMBER)
    trace.require(admission.within_granted(wanted, held))
    decision = decide(db, case, held)
    if isinstance(decision, Granted):
        trace.rules += decision.trace
    trace.require(admission.refreshed(decision))
    granted = decision.scopes if isinstance(decision, Granted) else ()
    api = decision.api if isinstance(decision, Granted) else None
    return Would(api=api, scopes=scopes.cut(wanted or held, granted), refreshes=True)


def _stays_member(db: TenantSession, case: Case, trace: Trace, error: str, text: str) -> None:
    if case.organization is not None and case.user is not None:
        member = is_member(db, case.organization.id, case.user.id)
        trace.require(admission.still_member(error, text, member=member))


def token_exchange(db: TenantSession, case: Case, trace: Trace) -> Would:
    """RFC 8693: the new token lives no longer than what is left of the old one."""
    application, asked = case.application, case.asked
    trace.require(admission.may_use(application, GrantType.TOKEN_EXCHANGE))
    names_organization(case, trace)
    trace.require(admission.has_audience(asked.audience))
    trace.require(admission.may_exchange_for(application, asked.audience or ""))
    if case.user is not None:
        wrong = admission.WRONG_TOKEN.format(name="subject_token")
        trace.require(admission.not_blocked(case.user, "invalid_request", wrong))
    api = find_target_in(db, case.addresses, asked.audience or "")
    trace.require(admission.knows_audience(api))
    if api is None:
        raise LookupError("an audience that is known has no API")
    _stays_member(db, case, trace, "invalid_request", admission.LEFT_ORGANIZATION)
    requested = admission.exchangeable(api, asked.scopes, asked.presented_scopes)
    granted = trace.granted(decide(db, case, requested, api=api))
    trace.require(admission.exchanged(asked.scopes, granted.scopes))
    if case.user is not None:
        stored = _consent(db, case)
        trace.require(admission.consented_before(application, api, granted.scopes, stored))
    return Would(api=api, scopes=granted.scopes)


def jwt_bearer(db: TenantSession, case: Case, trace: Trace) -> Would:
    """RFC 7523 §2.1: the assertion is good if its issuer is trusted."""
    application, asked = case.application, case.asked
    trace.require(admission.may_use(application, GrantType.JWT_BEARER))
    trace.require(admission.has_audience(asked.audience))
    issuer = trusted_issuers.find_by_issuer(db, asked.assertion_issuer or "")
    trace.require(admission.knows_issuer(issuer))
    if issuer is None:
        raise LookupError("a trusted issuer has no facts")
    trace.require(admission.is_trusted_for(issuer, asked.audience or ""))
    if case.user is not None:
        trace.require(admission.may_be_named(named=_is_named(db, issuer, case.user)))
        wrong = admission.WRONG_ASSERTION
        trace.require(admission.not_blocked(case.user, "invalid_grant", wrong))
    requested = tuple(scope for scope in asked.scopes if scope != OFFLINE_ACCESS)
    granted = trace.granted(decide(db, case, requested))
    if case.user is not None and granted.api is not None:
        stored = _consent(db, case)
        trace.require(admission.consented_before(application, granted.api, granted.scopes, stored))
    return Would(api=granted.api, scopes=granted.scopes)


def _is_named(db: TenantSession, issuer: TrustedIssuerFacts, user: UserFacts) -> bool:
    """Whether an assertion of the issuer could name the user."""
    if issuer.subject is TrustedSubject.USER_ID:
        return True
    connection = connections.find_by_name(db, issuer.connection or "")
    return connection is not None and user.connection_id == connection.id and bool(user.email)


FLOWS: Mapping[GrantType, Callable[[TenantSession, Case, Trace], Would]] = {
    GrantType.AUTHORIZATION_CODE: authorization_code,
    GrantType.IMPLICIT: authorization_code,
    GrantType.DEVICE_CODE: device_code,
    GrantType.PASSWORD: password,
    GrantType.PASSWORD_REALM: password,
    GrantType.REFRESH_TOKEN: refresh_token,
    GrantType.TOKEN_EXCHANGE: token_exchange,
    GrantType.JWT_BEARER: jwt_bearer,
}
