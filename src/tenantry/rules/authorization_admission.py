"""RFC 6749 §4.1.1: what an application must have registered to send a person here.

Law: the endpoints and the explanation of a decision run these very functions, in one order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tenantry.core.facts import ApplicationFacts, UserFacts
from tenantry.core.organizations import OrganizationFacts, OrganizationUsage
from tenantry.rules.admission import (
    Admission,
    check,
    connection_setting,
    in_order,
    may_use,
    not_blocked,
)
from tenantry.rules.redirect_uris import for_organization, is_local, is_registered
from tenantry.rules.response_types import grants_of
from tenantry.rules.response_types import is_registered as is_response_type_registered


def organization_in_urls(
    application: ApplicationFacts, organization: OrganizationFacts | None
) -> str | None:
    """What `{organization_name}` stands for in the application's registered URLs."""
    denied = application.organization_usage is OrganizationUsage.DENY
    return None if denied or organization is None else organization.name


def redirects_to(
    application: ApplicationFacts, uri: str, organization: str | None = None, *, is_own_page: bool
) -> Admission:
    """RFC 6749 §3.1.2.3. `is_own_page`: the explorer of one of the root's tenants.

    `organization` is the name that `{organization_name}` stands for.
    """
    registered = for_organization(application.redirect_uris, organization)
    known = is_registered(uri, registered, application.application_type)
    return check(
        "redirect_uri",
        known or is_own_page,
        "Application.redirectUris",
        "invalid_request",
        "The redirect_uri is not registered for this application.",
    )


def names_scopes(application: ApplicationFacts, asked: Sequence[str]) -> Admission:
    """OpenID Connect Core §3.1.2.1: `scope` is required, but of older applications."""
    return check(
        "scope_given",
        bool(asked) or not application.oidc_conformant,
        "Application.oidcConformant",
        "invalid_scope",
        "The parameter scope is missing.",
    )


def registered_scopes(asked: Sequence[str]) -> Admission:
    """RFC 7591 §2: the `scope` values "that the client can use when requesting access tokens"."""
    return check(
        "scopes_registered",
        bool(asked),
        "Application.scope",
        "invalid_scope",
        "The application has registered other scopes.",
    )


def may_answer_with(application: ApplicationFacts, parts: frozenset[str]) -> Admission:
    """Each part of an answer needs the grant type that makes such parts."""
    needed = [may_use(application, grant_type) for grant_type in grants_of(parts)]
    # OpenID Connect Registration §2: "response_type values that the Client is declaring that it
    # will restrict itself to using".
    registered = check(
        "response_type",
        is_response_type_registered(application, parts),
        "Application.responseTypes",
        "unauthorized_client",
        "The application has not registered this response_type.",
    )
    return in_order(*needed, registered)


def names_openid(parts: Collection[str], asked: Collection[str]) -> Admission:
    return check(
        "openid",
        "id_token" not in parts or "openid" in asked,
        "The requested scopes",
        "invalid_request",
        "A response_type with id_token needs the scope openid.",
    )


def may_ask_for_details(parts: frozenset[str], *, asked: bool) -> Admission:
    """RFC 9396 §12: what is granted stays out of URLs, so that a code alone carries it."""
    return check(
        "details_answer",
        not asked or "token" not in parts,
        "The response type",
        "invalid_request",
        "The parameter authorization_details needs a response_type without token.",
    )


def details_well_formed(error: str | None) -> Admission:
    """RFC 9396 §2 and §5. `error` is what is wrong with them."""
    return check(
        "details_well_formed",
        error is None,
        "The parameter authorization_details",
        "invalid_authorization_details",
        f"The parameter authorization_details is refused. {error}",
    )


def may_carry_tokens(parts: frozenset[str], uri: str) -> Admission:
    """OpenID Connect Core §3.2.2.1: the redirect URI "MUST NOT use the http scheme"."""
    return check(
        "secure_redirect",
        parts == {"code"} or not uri.startswith("http://") or is_local(uri),
        "Application.redirectUris",
        "invalid_request",
        "A token is not sent to an http redirect_uri.",
    )


def names_organization(*, known: bool) -> Admission:
    return check(
        "organization_known",
        known,
        "Organization",
        "invalid_request",
        "The parameter organization names no organization.",
    )


def needs_no_organization(application: ApplicationFacts) -> Admission:
    """For flows that cannot name one."""
    return check(
        "organization_usage",
        application.organization_usage is not OrganizationUsage.REQUIRE,
        "Application.organizationUsage",
        "invalid_request",
        "The application requires an organization, which this flow has not.",
    )


def may_sign_in(
    application: ApplicationFacts, user: UserFacts, *, connection_enabled: bool
) -> Admission:
    """The login page looks for a person in the connections of the application alone."""
    error, text = "login_required", "The user cannot sign in to this application."
    setting = connection_setting(application)
    return in_order(
        check("connection_enabled", connection_enabled, setting, error, text),
        not_blocked(user, error, text),
    )
