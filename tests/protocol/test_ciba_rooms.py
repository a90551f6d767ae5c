"""CIBA with what other grants know: authorization details, organizations, pairwise names."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from anyio.from_thread import BlockingPortal

from tenantry.core.authorization_details import AuthorizationDetailsType, ConsentPolicy
from tenantry.core.facts import GrantType, UserFacts
from tests.support import jwt
from tests.support.browser import Browser
from tests.support.ciba import EMAIL, approve, ask, asked, asking, linked, opened, poll
from tests.support.databases import Databases
from tests.support.flow import refused
from tests.support.mail import MailServer, receiving
from tests.support.organizations import organization
from tests.support.server import Server, Tenant, begun

API = "https://payments.example.com"
PAYMENT = {"type": "payment", "creditorName": "Merchant A", "amount": "123.50"}


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with receiving() as made:
        yield made


@pytest.fixture(scope="module")
def server(databases: Databases, portal: BlockingPortal, mail: MailServer) -> Iterator[Server]:
    with databases.url("sqlite") as url, begun(url, portal, **mail.settings) as made:
        yield made


@pytest.fixture
def user(tenant: Tenant) -> UserFacts:
    return tenant.user(EMAIL, email_verified=True)


def test_authorization_details_are_shown_and_granted(
    tenant: Tenant, browser: Browser, user: UserFacts, mail: MailServer
) -> None:
    """RFC 9396 §3 and §7: an authenticated request like one that was pushed."""
    types = (AuthorizationDetailsType("payment"),)
    tenant.api(API, "pay", authorization_details=types)
    client = asking(tenant)
    fields = {"audience": API, "scope": "openid pay"}
    made = asked(tenant, client, authorization_details=json.dumps([PAYMENT]), **fields)
    page = opened(browser, linked(tenant, mail))
    assert "Merchant A" in page.response.text
    page = browser.submit(page, "consent-form", press="consent-allow")
    tokens = poll(tenant, client, made).json()
    assert tokens["authorization_details"] == [PAYMENT]
    assert jwt.claims_of(tokens["access_token"])["authorization_details"] == [PAYMENT]
    for wrong in ("[", json.dumps([{"type": "unknown"}])):
        answer = ask(tenant, client, authorization_details=wrong, **fields)
        refused(answer, 400, "invalid_authorization_details")


def test_transactions_are_not_asked_for_here(tenant: Tenant, user: UserFacts) -> None:
    """An API that wants consent to each transaction on a page of its own gets none by CIBA."""
    types = (AuthorizationDetailsType("payment"),)
    policy = ConsentPolicy.TRANSACTIONAL_AUTHORIZATION_WITH_MFA
    tenant.api(API, "pay", authorization_details=types, consent_policy=policy)
    given = {"audience": API, "authorization_details": json.dumps([PAYMENT])}
    answer = ask(tenant, asking(tenant), **given)
    refused(answer, 400, "invalid_authorization_details")


def test_an_organization_is_asked_for(
    tenant: Tenant, browser: Browser, user: UserFacts, mail: MailServer
) -> None:
    """The tokens are for it, and nobody gets them who is no member."""
    acme = organization(tenant, "acme", user)
    other = organization(tenant, "other")
    client = asking(tenant, organization_usage="require")
    made = asked(tenant, client, organization=acme.id)
    approve(browser, linked(tenant, mail))
    assert jwt.claims_of(poll(tenant, client, made).json()["id_token"])["org_id"] == acme.id
    refused(ask(tenant, client, organization=other.id), 403, "access_denied")
    refused(ask(tenant, client), 400, "invalid_request")


def test_a_pairwise_name_and_a_refresh_token(
    tenant: Tenant, browser: Browser, user: UserFacts, mail: MailServer
) -> None:
    """OpenID Connect Core §8 and §11: the rooms of every grant that speaks for a user."""
    client = asking(
        tenant,
        grant_types=(GrantType.CIBA, GrantType.REFRESH_TOKEN),
        subject_type="pairwise",
        redirect_uris=("https://app.example.com/callback",),
    )
    tenant.api("https://notes.example.com", "read", allow_offline_access=True)
    fields = {"scope": "openid offline_access read", "audience": "https://notes.example.com"}
    made = asked(tenant, client, **fields)
    approve(browser, linked(tenant, mail))
    tokens = poll(tenant, client, made).json()
    name = jwt.claims_of(tokens["id_token"])["sub"]
    assert name != user.id
    # §7.1: the name that the application knows is a hint, however old the ID token is.
    tenant.server.clock.advance(90 * 86_400)
    made_for_name = {"format": "iss_sub", "iss": tenant.issuer, "sub": name}
    for hint in (
        {"id_token_hint": tokens["id_token"]},
        {"login_hint": name},
        {"login_hint": json.dumps(made_for_name)},
    ):
        asked(tenant, client, **{"login_hint": ""} | hint)
    refused(ask(tenant, client, login_hint=user.id), 400, "unknown_user_id")
    stranger = asking(
        tenant, subject_type="pairwise", redirect_uris=("https://other.example.com/callback",)
    )
    refused(ask(tenant, stranger, login_hint=name), 400, "unknown_user_id")
    tenant.server.clock.advance(-90 * 86_400)
    answer = tenant.token(client, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert answer.status_code == 200
    tenant.block(user)
    again = answer.json()["refresh_token"]
    answer = tenant.token(client, grant_type="refresh_token", refresh_token=again)
    refused(answer, 400, "invalid_grant")
