"""OpenID Connect Core §11: who gets a refresh token, and what the person says to it."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.core.facts import DATABASE_CONNECTION
from tenantry.store import consents
from tests.support.browser import Browser
from tests.support.flow import refused, request_for, sign_in
from tests.support.server import PASSWORD, Client, Tenant

API = "https://api.example.com"
OFFLINE = "openid profile offline_access"


def begin(
    browser: Browser, tenant: Tenant, client: Client, **changes: str | None
) -> dict[str, Any]:
    """Signs in with offline access, and redeems the code."""
    return sign_in(browser, tenant, client, **{"scope": OFFLINE} | changes).tokens()


def refresh(tenant: Tenant, client: Client, token: str, **fields: str) -> Any:
    return tenant.token(client, grant_type="refresh_token", refresh_token=token, **fields)


def refreshed(tenant: Tenant, client: Client, token: str, **fields: str) -> dict[str, Any]:
    response = refresh(tenant, client, token, **fields)
    assert response.status_code == 200, response.text
    tokens: dict[str, Any] = response.json()
    return tokens


@pytest.mark.parametrize(
    "application, api, audience",
    [
        ({"grant_types": ("authorization_code",)}, None, None),
        ({}, {"allow_offline_access": False}, API),
        ({}, {}, API),
    ],
)
def test_offline_access_is_ignored(
    tenant: Tenant,
    browser: Browser,
    application: dict[str, Any],
    api: dict[str, Any] | None,
    audience: str | None,
) -> None:
    """OpenID Connect Core §11: without the grant type or against the API's switch."""
    client = tenant.application("spa", **application)
    tenant.user()
    if api is not None:
        tenant.api(API, "read:a", **api)
    tokens = begin(browser, tenant, client, audience=audience)
    assert tokens["scope"] == "openid profile"
    assert "refresh_token" not in tokens


def test_no_refresh_token_unasked(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §11: offline access is asked for by its scope."""
    client = tenant.application("spa")
    tenant.user()
    assert "refresh_token" not in begin(browser, tenant, client, scope="openid")


def test_offline_access_is_consented_to(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §11: the person is asked, and told, unless the application is trusted."""
    client = tenant.application("spa", is_first_party=False)
    tenant.user()
    sign_in(browser, tenant, client, scope="openid profile").tokens()
    asked = request_for(client, scope=OFFLINE)
    page = browser.get(tenant.url("authorize"), asked.parameters)
    assert page.title == "Allow access"
    assert "Keep this access while you are away" in page.response.text
    silent = request_for(client, scope=OFFLINE, prompt="none")
    answer = browser.get(tenant.url("authorize"), silent.parameters).answer
    assert answer["error"] == "consent_required"
    assert begin(browser, tenant, client)["refresh_token"]


def test_signing_out_keeps_offline_access(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §11: access "when the End-User is not present"."""
    client = tenant.application("spa")
    tenant.user()
    tokens = begin(browser, tenant, client)
    browser.get(tenant.url("oidc/logout"), {"id_token_hint": tokens["id_token"]})
    silent = request_for(client, prompt="none")
    answer = browser.get(tenant.url("authorize"), silent.parameters).answer
    assert answer["error"] == "login_required"
    assert refreshed(tenant, client, tokens["refresh_token"])


def test_a_replayed_code_ends_refreshing(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §4.1.2: also long after the access token is over."""
    client = tenant.application("spa")
    tenant.user()
    granted = sign_in(browser, tenant, client, scope=OFFLINE)
    token = granted.tokens()["refresh_token"]
    tenant.server.clock.advance(10 * 86_400)
    token = refreshed(tenant, client, token)["refresh_token"]
    refused(granted.redeem(), 400, "invalid_grant")
    refused(refresh(tenant, client, token), 400, "invalid_grant")


@pytest.mark.parametrize("response_type", ["token", "id_token token"])
def test_no_offline_access_without_a_code(
    tenant: Tenant, browser: Browser, response_type: str
) -> None:
    """OpenID Connect Core §11: ignored where no authorization code is answered."""
    grants = ("implicit", "authorization_code", "refresh_token")
    client = tenant.application("spa", grant_types=grants)
    tenant.user()
    granted = sign_in(browser, tenant, client, scope=OFFLINE, response_type=response_type)
    assert granted.answer["scope"] == "openid profile"
    assert "refresh_token" not in granted.answer


def test_the_hybrid_flow(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.3.3.3: the refresh token comes with the code, never before."""
    grants = ("implicit", "authorization_code", "refresh_token")
    client = tenant.application("spa", grant_types=grants)
    tenant.user()
    granted = sign_in(browser, tenant, client, scope=OFFLINE, response_type="code token")
    assert "refresh_token" not in granted.answer
    assert refreshed(tenant, client, granted.tokens()["refresh_token"])


def test_the_password_grant(tenant: Tenant) -> None:
    """RFC 6749 §4.3.3: the answer may hold a refresh token."""
    client = tenant.application(grant_types=("password", "refresh_token"))
    user = tenant.user()
    tenant.change(default_directory=DATABASE_CONNECTION)
    fields = {"grant_type": "password", "username": str(user.email), "password": PASSWORD}
    tokens = tenant.token(client, scope=OFFLINE, **fields).json()
    again = refreshed(tenant, client, tokens["refresh_token"])
    assert tenant.userinfo(again["access_token"]).json()["sub"] == user.id
    tenant.set_password(user, "another password")
    refused(refresh(tenant, client, again["refresh_token"]), 400, "invalid_grant")


def test_a_consent_that_is_gone(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §11: what the person took back is not had by refreshing."""
    client = tenant.application("spa", is_first_party=False)
    user = tenant.user()
    token = begin(browser, tenant, client)["refresh_token"]
    token = refreshed(tenant, client, token)["refresh_token"]
    tenant.write(consents.delete_for_client, user.id, client.id)
    refused(refresh(tenant, client, token), 400, "invalid_grant")
