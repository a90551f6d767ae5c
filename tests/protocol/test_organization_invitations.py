"""Invitations to an organization: the link, the ticket in it, and who may use it, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from tenantry.core.clock import Clock
from tenantry.core.errors import DomainError
from tenantry.core.organizations import OrganizationFacts
from tenantry.services import organization_invitations
from tenantry.services import roles as role_services
from tenantry.services.commands import Patch
from tests.support.browser import Browser, Page
from tests.support.flow import Granted, authorize, log_in, request_for
from tests.support.jwt import claims_of
from tests.support.organizations import LOGIN_URI, application, delete, invite, organization
from tests.support.server import Client, Server, Tenant, both_databases

API = "https://api.example.com"
ANN = "ann@example.com"


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return application(tenant)


@pytest.fixture
def acme(tenant: Tenant) -> OrganizationFacts:
    return organization(tenant)


def ticket_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["invitation"][0]


def follow(browser: Browser, tenant: Tenant, client: Client, url: str, **changes: str) -> Page:
    """The link as the person opens it, and what the application makes of it."""
    parameters = dict(parse_qsl(urlsplit(url).query))
    named = {name: parameters[name] for name in ("invitation", "organization")}
    return authorize(browser, tenant, request_for(client, **(named | changes)).parameters)


@both_databases
def test_who_was_invited_becomes_a_member(server: Server, tenant: Tenant, browser: Browser) -> None:
    """The address is filled in; the roles of the invitation count in the first token."""
    tenant.api(API, "read:x", enforce_policies=True)
    client, user = application(tenant, "require"), tenant.user()
    acme = organization(tenant)
    reader, gone = tenant.role("reader", API, "read:x"), tenant.role("gone", API)
    made = invite(tenant, acme, client, "Ann@Example.com", role_ids=(reader.id, gone.id))
    tenant.write(role_services.delete, Patch(gone.id))
    parts = urlsplit(made.invitation_url)
    assert made.invitation_url.startswith(f"{LOGIN_URI}?")
    shown = dict(parse_qsl(parts.query))
    assert shown.pop("invitation")
    assert shown == {
        "iss": tenant.issuer,
        "organization": acme.id,
        "organization_name": "acme",
    }
    asked = request_for(
        client,
        invitation=ticket_of(made.invitation_url),
        organization=acme.id,
        audience=API,
        scope="openid read:x",
    )
    page = authorize(browser, tenant, asked.parameters)
    assert page.forms["login-form"].value("username") == "Ann@Example.com"
    answer = log_in(browser, page).answer
    tokens = Granted(tenant, client, asked, answer).tokens()
    assert claims_of(tokens["id_token"])["org_id"] == acme.id
    assert claims_of(tokens["access_token"])["scope"] == "openid read:x"
    (event,) = tenant.events("organization.member_invited")
    assert (event.user_id, event.client_id) == (user.id, client.id)
    again = authorize(browser, tenant, request_for(client, organization=acme.id).parameters)
    assert "code" in again.answer


def test_a_ticket_counts_once(
    server: Server, tenant: Tenant, browser: Browser, client: Client, acme: OrganizationFacts
) -> None:
    tenant.user()
    url = invite(tenant, acme, client, ANN).invitation_url
    assert "code" in log_in(browser, follow(browser, tenant, client, url)).answer
    for another in (browser, server.browser()):
        page = follow(another, tenant, client, url)
        assert page.answer["error"] == "invalid_request"
    assert len(tenant.events("organization.member_invited")) == 1


def test_of_two_windows_one_accepts(
    server: Server, tenant: Tenant, client: Client, acme: OrganizationFacts
) -> None:
    """The same person in both: the second finds a member, and the ticket counted once."""
    tenant.user()
    url = invite(tenant, acme, client, ANN).invitation_url
    browsers = [server.browser() for _ in range(4)]
    pages = [follow(each, tenant, client, url) for each in browsers]
    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(log_in, browsers, pages))
    assert all("code" in end.answer for end in ends)
    assert len(tenant.events("organization.member_invited")) == 1


def test_nobody_else_accepts(
    server: Server, tenant: Tenant, browser: Browser, client: Client, acme: OrganizationFacts
) -> None:
    """Another user who holds the link signs in and is refused; the ticket stays good."""
    tenant.user()
    tenant.user("bob@example.com")
    tenant.user(None, username="nobody")
    url = invite(tenant, acme, client, ANN).invitation_url
    for name in ("bob@example.com", "nobody"):
        other = server.browser()
        page = log_in(other, follow(other, tenant, client, url), name)
        assert page.answer["error"] == "access_denied"
    assert "code" in log_in(browser, follow(browser, tenant, client, url)).answer


def test_somebody_else_is_signed_in(
    tenant: Tenant, browser: Browser, client: Client, acme: OrganizationFacts
) -> None:
    """OpenID Connect Core §3.1.2.1: the invited person is asked for, or `login_required`."""
    tenant.user()
    tenant.user("bob@example.com")
    page = authorize(browser, tenant, request_for(client).parameters)
    log_in(browser, page, "bob@example.com")
    url = invite(tenant, acme, client, ANN).invitation_url
    silent = follow(browser, tenant, client, url, prompt="none")
    assert silent.answer["error"] == "login_required"
    assert "code" in log_in(browser, follow(browser, tenant, client, url)).answer


def test_who_is_signed_in_already_joins_at_once(
    tenant: Tenant, browser: Browser, client: Client, acme: OrganizationFacts
) -> None:
    tenant.user()
    log_in(browser, authorize(browser, tenant, request_for(client).parameters))
    url = invite(tenant, acme, client, ANN).invitation_url
    assert "code" in follow(browser, tenant, client, url).answer
    assert (
        "code"
        in authorize(browser, tenant, request_for(client, organization=acme.id).parameters).answer
    )


def test_a_ticket_is_good_for_one_organization_and_application(
    server: Server, tenant: Tenant, browser: Browser, client: Client, acme: OrganizationFacts
) -> None:
    tenant.user()
    other, another = organization(tenant, "other"), application(tenant)
    url = invite(tenant, acme, client, ANN).invitation_url
    ticket = ticket_of(url)
    for changes in (
        {"organization": other.id},
        {"organization": None},
        {"invitation": ticket[:-1]},
        {"invitation": "тест"},
    ):
        given = {"invitation": ticket, "organization": acme.id} | changes
        page = authorize(browser, tenant, request_for(client, **given).parameters)
        assert page.answer["error"] == "invalid_request", changes
    assert follow(browser, tenant, another, url).answer["error"] == "invalid_request"
    neighbour = server.tenant()
    theirs = application(neighbour)
    their_acme = organization(neighbour)
    page = follow(browser, neighbour, theirs, url, organization=their_acme.id)
    assert page.answer["error"] == "invalid_request"
    assert follow(browser, tenant, client, url).title == "Log in"


@pytest.mark.parametrize("late", [False, True])
def test_an_invitation_expires(
    tenant: Tenant,
    browser: Browser,
    client: Client,
    acme: OrganizationFacts,
    late: bool,
) -> None:
    """After seven days, or what was said; also while the person looks at the page."""
    tenant.user()
    clock = tenant.server.clock
    made = invite(tenant, acme, client, ANN)
    assert (made.invitation.expires_at - made.invitation.created_at).days == 7
    short = invite(tenant, acme, client, ANN, lifetime=60)
    page = follow(browser, tenant, client, short.invitation_url)
    assert isinstance(clock, Clock)
    clock.advance(61)
    if late:
        assert log_in(browser, page).answer["error"] == "access_denied"
    else:
        page = follow(browser, tenant, client, short.invitation_url)
        assert page.answer["error"] == "invalid_request"


def test_an_invitation_that_was_taken_back(
    server: Server, tenant: Tenant, browser: Browser, client: Client, acme: OrganizationFacts
) -> None:
    tenant.user()
    made = invite(tenant, acme, client, ANN)
    page = follow(browser, tenant, client, made.invitation_url)
    tenant.write(organization_invitations.delete, made.invitation.id)
    assert log_in(browser, page).answer["error"] == "access_denied"
    gone = invite(tenant, acme, client, ANN)
    another = server.browser()
    page = follow(another, tenant, client, gone.invitation_url)
    delete(tenant, acme)
    assert log_in(another, page).answer["error"] == "access_denied"


def test_an_invitation_opens_no_other_connection(
    tenant: Tenant, browser: Browser, client: Client
) -> None:
    """The organization's connections hold for whoever is invited too."""
    tenant.user()
    tenant.connection("partners")
    acme = organization(tenant, connection="partners")
    url = invite(tenant, acme, client, ANN).invitation_url
    page = log_in(browser, follow(browser, tenant, client, url))
    assert (page.title, page.status) == ("Log in", 400)


def test_where_the_link_leads(server: Server, tenant: Tenant, acme: OrganizationFacts) -> None:
    """What the sign-in URI has stays; without one, or without organizations, nobody is invited."""
    client = application(tenant, initiate_login_uri="https://app.example.com/login?x=1#top")
    url = invite(tenant, acme, client, ANN).invitation_url
    assert url.startswith("https://app.example.com/login?x=1&iss=")
    assert url.endswith("#top")
    theirs = application(server.tenant())
    for refused in (
        application(tenant, "deny"),
        application(tenant, initiate_login_uri=None),
        theirs,
    ):
        with pytest.raises(DomainError) as error:
            invite(tenant, acme, refused, ANN)
        assert error.value.field == ("client_id",)
