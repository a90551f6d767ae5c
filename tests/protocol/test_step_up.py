"""RFC 9470: a resource asks for a newer or a stronger sign-in, and gets it."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tenantry.core.facts import TokenDialect
from tenantry.store import applications
from tenantry.store.pages import PageRequest
from tests.support import jwt
from tests.support.browser import Browser
from tests.support.flow import Granted, authorize, log_in, request_for, sign_in
from tests.support.management import tenant_api
from tests.support.server import Client, Server, Tenant, both_databases

API = "https://api.example.com"
PASSWORD_CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
RFC9068 = [dialect for dialect in TokenDialect if dialect.is_rfc9068]
AGE = 300


def ask(tenant: Tenant, token: str) -> httpx2.Response:
    """A query of somebody who administers."""
    return tenant.server.client.post(
        tenant.url("graphql"),
        json={"query": "{ viewer { __typename } }"},
        headers={"authorization": f"Bearer {token}"},
    )


def challenge_of(response: httpx2.Response) -> str:
    challenge: str = response.headers["www-authenticate"]
    return challenge


def administering(tenant: Tenant) -> tuple[Client, dict[str, str | None]]:
    """An application for a user who may read applications, and what it asks for."""
    user = tenant.user()
    tenant.permit(user, tenant.url("graphql"), "read:applications")
    asked = {"audience": tenant.url("graphql"), "scope": "openid read:applications"}
    return tenant.application(), {**asked}


@both_databases
def test_an_old_sign_in_is_challenged(server: Server, tenant: Tenant, browser: Browser) -> None:
    """§3 to §5: the challenge names `max_age`; a request with it brings a token that is good."""
    client, asked = administering(tenant)
    tokens = sign_in(browser, tenant, client, **asked).tokens()
    tenant.change(management_max_age=AGE)
    assert ask(tenant, tokens["access_token"]).status_code == 200
    server.clock.advance(AGE + 1)
    refused = ask(tenant, tokens["access_token"])
    assert refused.status_code == 401
    challenge = challenge_of(refused)
    assert challenge.startswith('Bearer error="insufficient_user_authentication", ')
    assert f'max_age="{AGE}"' in challenge
    assert "resource_metadata=" in challenge
    # A new token of the same sign-in is no better.
    again = sign_in(browser, tenant, client, **asked)
    assert "insufficient_user_authentication" in challenge_of(
        ask(tenant, again.tokens()["access_token"])
    )
    stepped = request_for(client, **asked, max_age=str(AGE))
    page = authorize(browser, tenant, stepped.parameters)
    assert page.title == "Log in"
    answer = log_in(browser, page).answer
    better = Granted(tenant, client, stepped, answer).tokens()
    assert ask(tenant, better["access_token"]).status_code == 200


def test_the_age_is_that_of_the_sign_in(tenant: Tenant, browser: Browser) -> None:
    """§3: a token that came later by the same session is no younger than the session."""
    client, asked = administering(tenant)
    assert "code" in sign_in(browser, tenant, client, **asked).answer
    tenant.change(management_max_age=AGE)
    tenant.server.clock.advance(AGE - 1)
    token = sign_in(browser, tenant, client, **asked).tokens()["access_token"]
    assert ask(tenant, token).status_code == 200
    tenant.server.clock.advance(2)
    assert ask(tenant, token).status_code == 401


def test_machines_do_not_sign_in(tenant: Tenant) -> None:
    """§3: the requirement is for people."""
    api = tenant_api(tenant, "read:applications")
    tenant.change(management_max_age=60)
    tenant.server.clock.advance(61)
    assert ask(tenant, api.token).status_code == 200


def test_a_token_that_is_not_good_gets_the_other_challenge(tenant: Tenant) -> None:
    """§3 and RFC 6750 §3.1: signing in again mends the sign-in, not the token."""
    tenant.change(management_max_age=60)
    challenge = challenge_of(ask(tenant, "none"))
    assert 'error="invalid_token"' in challenge
    assert "max_age" not in challenge


def test_our_own_pages_ask_as_their_api_demands(tenant: Tenant, browser: Browser) -> None:
    """§4: the explorer's sign-in is as young as the management API wants it."""
    user = tenant.user()
    tenant.permit(user, tenant.url("graphql"), "read:applications")
    found = tenant.read(applications.page, PageRequest(100)).items
    explorer = Client(next(each for each in found if each.is_system), "")
    asked = {"audience": tenant.url("graphql"), "scope": "openid", "nonce": None}
    log_in(browser, authorize(browser, tenant, request_for(explorer, **asked).parameters))
    tenant.server.clock.advance(AGE + 1)
    parameters = request_for(explorer, **asked).parameters
    assert "code=" in authorize(browser, tenant, parameters).url
    tenant.change(management_max_age=AGE)
    assert authorize(browser, tenant, parameters).title == "Log in"


@pytest.mark.parametrize("dialect", RFC9068)
def test_tokens_say_how_a_person_signed_in(
    tenant: Tenant, browser: Browser, dialect: TokenDialect
) -> None:
    """§6.1 and §6.2: `acr` and `auth_time` in tokens and at introspection, refreshed ones too."""
    tenant.api(
        API,
        "read",
        token_dialect=dialect,
        allow_offline_access=True,
        enforce_policies=dialect.has_permissions,
    )
    tenant.user()
    client = tenant.application()
    now = int(tenant.server.clock.now().timestamp())
    tokens = sign_in(browser, tenant, client, audience=API, scope="openid offline_access").tokens()
    url = tenant.url("oauth/introspect")
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    tenant.server.clock.advance(60)
    later = tenant.token(client, **refresh).json()
    for made in (tokens, later):
        token = made["access_token"]
        found: dict[str, Any] = tenant.server.client.post(
            url, data=client.body | {"token": token}
        ).json()
        for claims in (jwt.claims_of(token), found):
            assert claims["acr"] == PASSWORD_CONTEXT
            assert now <= claims["auth_time"] <= now + 30


def test_what_was_asked_for_and_is_satisfied(tenant: Tenant, browser: Browser) -> None:
    """§4 and §5: `acr_values` in order of preference; the answer says which one it was."""
    tenant.api(API, "read", token_dialect=TokenDialect.RFC9068_PROFILE)
    tenant.user()
    client = tenant.application()
    asked = {"audience": API, "scope": "openid", "acr_values": f"strong {PASSWORD_CONTEXT}"}
    tokens = sign_in(browser, tenant, client, **asked).tokens()
    assert jwt.claims_of(tokens["access_token"])["acr"] == PASSWORD_CONTEXT
    assert jwt.claims_of(tokens["id_token"])["acr"] == PASSWORD_CONTEXT
