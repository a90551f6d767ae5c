"""RFC 6749 §4.3 and its extension by a realm; the bound on attempts that the login page shares."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import DATABASE_CONNECTION, GrantType
from tests.support.browser import Browser
from tests.support.flow import authorize, log_in, refused, request_for
from tests.support.jwt import claims_of
from tests.support.server import PASSWORD, Client, Server, Tenant, both_databases

REALM = GrantType.PASSWORD_REALM.value


@pytest.fixture
def tenant(server: Server) -> Tenant:
    """A tenant with a default directory and a user in it."""
    made = server.tenant()
    made.change(default_directory=DATABASE_CONNECTION)
    made.user()
    return made


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return tenant.application(
        grant_types=("authorization_code", "password", GrantType.PASSWORD_REALM)
    )


def ask(tenant: Tenant, client: Client, **changes: str) -> httpx2.Response:
    fields = {
        "grant_type": "password",
        "username": "ann@example.com",
        "password": PASSWORD,
        "scope": "openid email",
    }
    return tenant.token(client, **fields | changes)


@both_databases
def test_a_right_password_gets_tokens(tenant: Tenant, client: Client) -> None:
    """§4.3.3."""
    response = ask(tenant, client)
    assert response.status_code == 200, response.text
    tokens = response.json()
    assert tokens["scope"] == "openid email"
    assert "sid" not in claims_of(tokens["id_token"])
    claims = tenant.userinfo(tokens["access_token"]).json()
    assert claims["email"] == "ann@example.com"
    assert tenant.events("login.succeeded")


def test_the_api_decides_the_scopes(tenant: Tenant, client: Client) -> None:
    """§3.3: narrowed, and the scope is returned."""
    api = tenant.api("https://api.example.com", "read")
    response = ask(tenant, client, audience=api.identifier, scope="read write")
    assert response.json()["scope"] == "read"
    closed = tenant.api("https://closed.example.com", user_access_policy="deny_all")
    refused(ask(tenant, client, audience=closed.identifier), 403, "access_denied")
    refused(ask(tenant, client, audience="https://nobody.example.com"), 400, "invalid_target")


def test_a_realm_names_the_connection(tenant: Tenant, client: Client) -> None:
    tenant.connection("staff")
    tenant.user("eve@example.com", connection="staff")
    able = tenant.change_application(client, name="Able")
    refused(ask(tenant, client, grant_type=REALM), 400, "invalid_request")
    refused(
        ask(tenant, client, grant_type=REALM, realm="staff", username="eve@example.com"),
        400,
        "invalid_request",
    )
    made = tenant.application(grant_types=(GrantType.PASSWORD_REALM,), name="Both")
    good = ask(tenant, made, grant_type=REALM, realm="staff", username="eve@example.com")
    assert good.status_code == 200
    refused(ask(tenant, made, grant_type=REALM, realm="staff"), 400, "invalid_grant")
    refused(ask(tenant, made), 400, "unauthorized_client")
    assert ask(tenant, able, grant_type=REALM, realm=DATABASE_CONNECTION).status_code == 200


def test_the_default_directory_serves_the_password_grant(tenant: Tenant, client: Client) -> None:
    tenant.change(default_directory=None)
    refused(ask(tenant, client), 400, "invalid_request")


def test_only_first_party_applications_see_passwords(tenant: Tenant, client: Client) -> None:
    refused(ask(tenant, tenant.application()), 400, "unauthorized_client")
    for change in ({"is_first_party": False},):
        with pytest.raises(DomainError) as error:
            tenant.change_application(client, **change)
        assert (error.value.code, error.value.field) == (ErrorCode.NOT_ALLOWED, ("grant_types",))


def test_unknown_wrong_and_blocked_get_one_answer(tenant: Tenant, client: Client) -> None:
    """RFC 6749 §10.10."""
    tenant.block(tenant.user("bob@example.com"))
    texts = {
        refused(ask(tenant, client, **change), 400, "invalid_grant")
        for change in (
            {"password": "wrong"},
            {"username": "nobody@example.com"},
            {"username": "bob@example.com"},
        )
    }
    assert len(texts) == 1
    assert len(tenant.events("login.failed")) == 3


@pytest.mark.parametrize("missing", ["username", "password"])
def test_every_parameter_is_needed(tenant: Tenant, client: Client, missing: str) -> None:
    """§4.3.2."""
    refused(ask(tenant, client, **{missing: ""}), 400, "invalid_request")


@pytest.mark.parametrize("name", ["ann@example.com", "nobody@example.com"])
def test_attempts_are_bounded_for_known_and_unknown_names(
    tenant: Tenant, client: Client, name: str
) -> None:
    """RFC 6819 §4.4.3."""
    for _ in range(10):
        refused(ask(tenant, client, username=name, password="wrong"), 400, "invalid_grant")
    response = ask(tenant, client, username=name.upper())
    refused(response, 429, "too_many_attempts")
    assert 0 < int(response.headers["retry-after"]) <= 900
    other = tenant.user("other@example.com")
    assert ask(tenant, client, username=other.email or "").status_code == 200
    tenant.server.clock.advance(901)
    assert ask(tenant, client).status_code == 200


def test_a_success_forgets_the_failures(tenant: Tenant, client: Client) -> None:
    for _ in range(3):
        for _ in range(9):
            refused(ask(tenant, client, password="wrong"), 400, "invalid_grant")
        assert ask(tenant, client).status_code == 200


@both_databases
def test_attempts_at_once_are_counted_too(tenant: Tenant, client: Client) -> None:
    def wrong(_: Any) -> int:
        return ask(tenant, client, password="wrong").status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(wrong, range(16)))
    assert sorted(statuses) == [400] * 10 + [429] * 6


def test_the_login_page_shares_the_bound(tenant: Tenant, client: Client, browser: Browser) -> None:
    for _ in range(5):
        refused(ask(tenant, client, password="wrong"), 400, "invalid_grant")
    page = authorize(browser, tenant, request_for(client).parameters)
    for _ in range(5):
        page = log_in(browser, page, password="wrong")
        assert page.status == 400
    page = log_in(browser, page)
    assert (page.status, page.title) == (429, "Log in")
    assert int(page.response.headers["retry-after"]) > 0
    refused(ask(tenant, client), 429, "too_many_attempts")
    elsewhere = tenant.server.tenant()
    elsewhere.change(default_directory=DATABASE_CONNECTION)
    elsewhere.user()
    able = elsewhere.application(grant_types=("password",))
    assert ask(elsewhere, able).status_code == 200
