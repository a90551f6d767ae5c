"""OpenID Connect Core §3.1.2.4: who is asked what, and what is done with the answer."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.core.facts import SubjectType
from tests.support import jwt
from tests.support.browser import Browser, Page
from tests.support.flow import Asked, authorize, log_in, request_for, sign_in
from tests.support.server import CALLBACK, Client, Server, Tenant, both_databases

API = "https://api.example.com"


def ask(browser: Browser, tenant: Tenant, client: Client, **changes: str | None) -> Page:
    """What the browser shows for a request, after the login if it is asked for."""
    page = authorize(browser, tenant, request_for(client, **changes).parameters)
    return log_in(browser, page) if page.title == "Log in" else page


ASKED: dict[str, tuple[dict[str, Any], dict[str, Any] | None, bool]] = {
    "first party": ({}, None, False),
    "first party, API": ({}, {}, False),
    "first party, an API that asks": ({}, {"skip_consent_for_first_party": False}, True),
    "third party": ({"is_first_party": False}, None, True),
    "third party, API": ({"is_first_party": False}, {}, True),
    "localhost": ({"redirect_uris": ("http://localhost:3000/cb",)}, None, True),
    "127.0.0.1": ({"redirect_uris": ("http://127.0.0.1:3000/cb",)}, None, True),
    "::1": ({"redirect_uris": ("http://[::1]:3000/cb",)}, {}, True),
    "app.localhost": ({"redirect_uris": ("http://app.localhost/cb",)}, None, True),
    "localhost over https": ({"redirect_uris": ("https://localhost/cb",)}, None, True),
    "no localhost at all": ({"redirect_uris": ("https://localhost.example.com/cb",)}, None, False),
}


@pytest.mark.parametrize("name", ASKED)
def test_who_is_asked_and_once(tenant: Tenant, browser: Browser, name: str) -> None:
    """OpenID Connect Core §3.1.2.4; what was allowed is not asked again."""
    values, api, asked = ASKED[name]
    client = tenant.application(**values)
    tenant.user()
    changes: dict[str, str | None] = {}
    if api is not None:
        tenant.api(API, "read", **api)
        changes = {"audience": API, "scope": "openid read"}
    page = ask(browser, tenant, client, **changes)
    if not asked:
        assert "code" in page.answer
        return
    assert page.title == "Allow access"
    page = browser.submit(page, "consent-form", press="consent-allow")
    assert "code" in page.answer
    assert "code" in ask(browser, tenant, client, **changes).answer


@both_databases
def test_a_denied_consent(server: Server, tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §4.1.2.1: access_denied, with state and iss; nothing is remembered."""
    client = tenant.application(is_first_party=False)
    tenant.user()
    asked = request_for(client)
    page = log_in(browser, authorize(browser, tenant, asked.parameters))
    with server.stores_nothing():
        denied = browser.submit(page, "consent-form", press="consent-deny")
    assert denied.answer == {
        "error": "access_denied",
        "error_description": denied.answer["error_description"],
        "state": asked.state,
        "iss": tenant.issuer,
        "session_state": denied.answer["session_state"],
    }
    assert denied.hops[0].status_code == 303
    again = browser.submit(page, "consent-form", press="consent-allow")
    assert again.error == "invalid_request"
    assert ask(browser, tenant, client).title == "Allow access"


def test_more_scopes_are_asked_again(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.4: consent covers what was shown, and grows."""
    client = tenant.application(is_first_party=False)
    tenant.user()
    tenant.api(API, "read", "write")
    sign_in(browser, tenant, client, audience=API, scope="openid read")
    page = ask(browser, tenant, client, audience=API, scope="openid read write")
    assert page.title == "Allow access"
    browser.submit(page, "consent-form", press="consent-allow")
    assert "code" in ask(browser, tenant, client, audience=API, scope="write").answer
    assert ask(browser, tenant, client, scope="openid").title == "Allow access", "another audience"


def test_consents_are_of_one_user_and_one_application(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.4: between this user and this application."""
    client = tenant.application(is_first_party=False)
    other = tenant.application(is_first_party=False, name="Other")
    tenant.user()
    tenant.user("bob@example.com")
    sign_in(browser, tenant, client)
    assert ask(browser, tenant, other).title == "Allow access"
    second = tenant.server.browser()
    page = authorize(second, tenant, request_for(client).parameters)
    assert log_in(second, page, "bob@example.com").title == "Allow access"


def test_prompt_consent(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.1: `consent` asks although nobody would have to."""
    client = tenant.application()
    tenant.user()
    for _ in range(2):
        page = ask(browser, tenant, client, prompt="consent")
        assert page.title == "Allow access"
        assert "code" in browser.submit(page, "consent-form", press="consent-allow").answer


def test_the_page_shows_who_asks_for_what(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §10.2 and RFC 6819 §5.2.3.2: the application, the user and the scopes."""
    tenant.change(use_scope_descriptions_for_consent=True)
    client = tenant.application(is_first_party=False, name="Photo & print")
    tenant.user(name="Ann Example")
    tenant.api(API, "read:photos")
    page = ask(browser, tenant, client, audience=API, scope="openid read:photos email")
    for text in ("Photo &amp; print", "Ann Example", "To read:photos", "email"):
        assert text in page.response.text


@pytest.mark.parametrize("decision", ["", "maybe", "ALLOW"])
def test_neither_allow_nor_deny(
    server: Server, tenant: Tenant, browser: Browser, decision: str
) -> None:
    """RFC 6749 §4.1.1: no decision is no consent."""
    client = tenant.application(is_first_party=False)
    tenant.user()
    page = ask(browser, tenant, client)
    form = page.forms["consent-form"]
    with server.stores_nothing():
        answer = browser.post(form.action, [*form.fields, ("decision", decision)])
        assert answer.error == "invalid_request"
        twice = [("decision", "allow"), ("decision", "deny")]
        assert browser.post(form.action, [*form.fields, *twice]).error == "invalid_request"


def test_consent_cannot_skip_the_login(server: Server, tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.3: another step's address leads back to the login."""
    client = tenant.application(is_first_party=False)
    tenant.user()
    page = authorize(browser, tenant, request_for(client).parameters)
    form = page.forms["login-form"]
    url = form.action.replace("/u/login", "/u/consent")
    assert browser.get(url).title == "Log in"
    with server.stores_nothing():
        forced = browser.post(
            url, [("form_token", form.value("form_token")), ("decision", "allow")]
        )
    assert forced.title == "Log in"


def test_who_is_blocked_while_being_asked(server: Server, tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §10: no code for a user who may not sign in any more."""
    client = tenant.application(is_first_party=False)
    user = tenant.user()
    page = ask(browser, tenant, client)
    tenant.block(user)
    with server.stores_nothing():
        page = browser.submit(page, "consent-form", press="consent-allow")
    assert page.title == "Log in"


@pytest.mark.parametrize("how", ["logout", "password"])
def test_who_is_signed_out_while_being_asked(
    server: Server, tenant: Tenant, browser: Browser, how: str
) -> None:
    """OpenID Connect Core §3.1.2.3: a code needs a person who is signed in now."""
    client = tenant.application(is_first_party=False)
    user = tenant.user()
    page = ask(browser, tenant, client)
    if how == "logout":
        browser.get(tenant.url("v2/logout"))
    else:
        tenant.set_password(user, "another password entirely")
    with server.stores_nothing():
        page = browser.submit(page, "consent-form", press="consent-allow")
    assert page.title == "Log in"


POLICIES: dict[str, tuple[str, tuple[str, ...] | None, str]] = {
    "allow all": ("allow_all", None, "openid read write"),
    "grant": ("require_client_grant", ("read",), "openid read"),
    "grant of nothing": ("require_client_grant", (), "openid"),
    "no grant": ("require_client_grant", None, ""),
    "deny": ("deny_all", None, ""),
}


@pytest.mark.parametrize("name", POLICIES)
def test_user_access_policies(tenant: Tenant, browser: Browser, name: str) -> None:
    """RFC 6749 §3.3 and §4.1.2.1: all, what a client grant says, or access_denied."""
    policy, granted, scope = POLICIES[name]
    client = tenant.application()
    tenant.user()
    tenant.api(API, "read", "write", user_access_policy=policy)
    if granted is not None:
        tenant.grant(client, API, *granted, subject_type=SubjectType.USER)
    asked = request_for(client, audience=API, scope="openid read write")
    page = authorize(browser, tenant, asked.parameters)
    if not scope:
        assert page.answer["error"] == "access_denied"
        assert page.answer["state"] == asked.state
        return
    page = log_in(browser, page)
    tokens = tenant.token(
        client,
        grant_type="authorization_code",
        code=page.answer["code"],
        redirect_uri=CALLBACK,
        code_verifier=asked.verifier,
    ).json()
    assert tokens["scope"] == scope
    assert jwt.claims_of(tokens["access_token"])["scope"] == scope


def test_default_audience(tenant: Tenant, browser: Browser) -> None:
    """RFC 8707 §2: it acts as if it were sent with every authorization request."""
    client = tenant.application()
    tenant.user()
    tenant.api(API, "read")
    tenant.change(default_audience=API)
    tokens = sign_in(browser, tenant, client, scope="openid read").tokens()
    assert jwt.claims_of(tokens["access_token"])["aud"] == [API, tenant.url("userinfo")]


def test_the_kept_request_is_the_one_that_was_shown(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §10.2: parameters beside the form change nothing."""
    client = tenant.application(is_first_party=False)
    tenant.user()
    asked: Asked = request_for(client)
    page = log_in(browser, authorize(browser, tenant, asked.parameters))
    form = page.forms["consent-form"]
    url = f"{form.action}&redirect_uri=https://evil.example.com/&scope=openid+phone"
    sent = browser.post(
        url,
        [
            *form.fields,
            ("decision", "allow"),
            ("redirect_uri", "https://evil.example.com/"),
            ("scope", "openid phone"),
        ],
    )
    assert sent.left_for.startswith(f"{CALLBACK}?code=")
    assert sent.answer["state"] == asked.state
