"""OpenID Connect RP-Initiated Logout 1.0, and the older `/v2/logout`."""

from __future__ import annotations

import pytest

from tenantry.core.facts import SigningAlgorithm
from tests.support import jwt
from tests.support.browser import Browser, Page
from tests.support.flow import authorize, request_for, sign_in
from tests.support.keys import key_source
from tests.support.server import Client, Server, Tenant, both_databases

AFTER = "https://app.example.com/signed-out"
CONFIRM = "Do you want to sign out?"


@pytest.fixture
def client(tenant: Tenant) -> Client:
    tenant.user()
    return tenant.application(post_logout_redirect_uris=(AFTER,))


def id_token(browser: Browser, tenant: Tenant, client: Client) -> str:
    token: str = sign_in(browser, tenant, client).tokens()["id_token"]
    return token


def is_signed_in(browser: Browser, tenant: Tenant, client: Client) -> bool:
    asked = request_for(client, prompt="none")
    return "code" in authorize(browser, tenant, asked.parameters).answer


def logout(browser: Browser, tenant: Tenant, **parameters: str) -> Page:
    return browser.get(tenant.url("oidc/logout"), parameters)


def refused_on_a_page(page: Page) -> str:
    assert (page.status, page.error) == (400, "invalid_request")
    assert "location" not in page.response.headers
    return page.response.text


@both_databases
def test_with_a_hint(server: Server, tenant: Tenant, browser: Browser, client: Client) -> None:
    """RP-Initiated Logout §2 and §3: at once, to the registered URL, with state."""
    hint = id_token(browser, tenant, client)
    cookie = dict(browser.cookies("session"))
    page = logout(
        browser, tenant, id_token_hint=hint, post_logout_redirect_uri=AFTER, state="a b&c"
    )
    assert page.left_for == f"{AFTER}?state=a%20b%26c"
    assert not browser.cookies("session")
    header = {"cookie": "; ".join(f"{name}={value}" for name, value in cookie.items())}
    asked = request_for(client, prompt="none")
    again = server.client.get(tenant.url("authorize"), params=asked.parameters, headers=header)
    assert "error=login_required" in again.headers["location"], "the session itself is over"
    (event,) = tenant.events("session.ended")
    assert event.client_id == client.id


def test_by_post(tenant: Tenant, browser: Browser, client: Client) -> None:
    """RP-Initiated Logout §2: "OpenID Providers MUST support [...] GET and POST"."""
    hint = id_token(browser, tenant, client)
    fields = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER}
    assert browser.post(tenant.url("oidc/logout"), fields).left_for == AFTER
    assert not is_signed_in(browser, tenant, client)


def test_an_expired_hint_still_proves(
    server: Server, tenant: Tenant, browser: Browser, client: Client
) -> None:
    """RP-Initiated Logout §2: ID tokens are accepted "even when [...] exp time has passed"."""
    hint = id_token(browser, tenant, client)
    server.clock.advance(36_001)
    assert logout(browser, tenant, id_token_hint=hint).title == "Signed out"
    assert not is_signed_in(browser, tenant, client)


@both_databases
def test_without_a_hint_the_person_is_asked(
    tenant: Tenant, browser: Browser, client: Client
) -> None:
    """RP-Initiated Logout §6: a link alone signs nobody out."""
    sign_in(browser, tenant, client)
    page = logout(browser, tenant, client_id=client.id, post_logout_redirect_uri=AFTER, state="xyz")
    assert page.title == CONFIRM
    assert is_signed_in(browser, tenant, client)
    assert browser.submit(page, "logout-form").left_for == f"{AFTER}?state=xyz"
    assert not is_signed_in(browser, tenant, client)


def test_without_anything(tenant: Tenant, browser: Browser, client: Client) -> None:
    """RP-Initiated Logout §2: every parameter is optional; the end is a page of ours."""
    sign_in(browser, tenant, client)
    page = logout(browser, tenant)
    assert page.title == CONFIRM
    assert browser.submit(page, "logout-form").title == "Signed out"
    assert not is_signed_in(browser, tenant, client)
    assert logout(browser, tenant).title == "Signed out", "nobody is signed in: nothing to ask"


def test_the_confirmation_is_the_tenants_to_switch_off(
    tenant: Tenant, browser: Browser, client: Client
) -> None:
    """RP-Initiated Logout §6 leaves the question to the provider."""
    tenant.change(logout_confirmation=False)
    sign_in(browser, tenant, client)
    assert logout(browser, tenant, client_id=client.id).title == "Signed out"
    assert not is_signed_in(browser, tenant, client)


@pytest.mark.parametrize("asks", [True, False])
def test_the_application_s_own_setting_comes_first(
    tenant: Tenant, browser: Browser, client: Client, asks: bool
) -> None:
    """RP-Initiated Logout §6: the application's setting outranks the tenant's."""
    tenant.change(logout_confirmation=not asks)
    tenant.change_application(client, logout_confirmation=asks)
    sign_in(browser, tenant, client)
    title = logout(browser, tenant, client_id=client.id).title
    assert title == (CONFIRM if asks else "Signed out")
    tenant.change_application(client, logout_confirmation=None)
    sign_in(browser, tenant, client)
    title = logout(browser, tenant, client_id=client.id).title
    assert title == ("Signed out" if asks else CONFIRM)


def test_a_pairwise_hint_of_an_earlier_sign_in(
    tenant: Tenant, browser: Browser, client: Client
) -> None:
    """RP-Initiated Logout §2, Core §8.1: the person by the name that the application knows."""
    tenant.change_application(client, subject_type="pairwise")
    hint = id_token(browser, tenant, client)
    page = authorize(browser, tenant, request_for(client, prompt="login").parameters)
    browser.submit(
        page, "login-form", username="ann@example.com", password="correct horse battery staple"
    )
    assert logout(browser, tenant, id_token_hint=hint).title == "Signed out"


def test_ui_locales(tenant: Tenant, browser: Browser, client: Client) -> None:
    """RP-Initiated Logout §2: languages that the provider lacks are no error."""
    hint = id_token(browser, tenant, client)
    page = logout(
        browser, tenant, id_token_hint=hint, post_logout_redirect_uri=AFTER, ui_locales="fr-CA xx"
    )
    assert page.left_for == AFTER


def test_a_hint_of_somebody_else_is_asked(tenant: Tenant, browser: Browser, client: Client) -> None:
    """RP-Initiated Logout §2: the hint must be of the person who is signed in."""
    tenant.user("bob@example.com")
    other = tenant.server.browser()
    asked = request_for(client)
    page = authorize(other, tenant, asked.parameters)
    page = other.submit(page, "login-form", username="bob@example.com",
                        password="correct horse battery staple")  # fmt: skip
    bobs = tenant.token(
        client,
        grant_type="authorization_code",
        code=page.answer["code"],
        redirect_uri=client.redirect_uri,
        code_verifier=asked.verifier,
    ).json()["id_token"]
    sign_in(browser, tenant, client)
    assert logout(browser, tenant, id_token_hint=bobs).title == CONFIRM
    assert is_signed_in(browser, tenant, client)


def test_forged_hints(server: Server, tenant: Tenant, browser: Browser, client: Client) -> None:
    """RP-Initiated Logout §2 and §4: a page, no redirect, nobody signed out."""
    tokens = sign_in(browser, tenant, client).tokens()
    hint = tokens["id_token"]
    header, claims = jwt.header_of(hint), jwt.claims_of(hint)
    key = key_source(SigningAlgorithm.RS256)
    (published, *_) = tenant.jwks()["keys"]
    elsewhere = server.tenant()
    elsewhere.user()
    foreign = elsewhere.application(post_logout_redirect_uris=(AFTER,))
    forged = [
        "rubbish",
        jwt.forged({"alg": "none"}, claims),
        jwt.forged(header | {"alg": "none"}, claims),
        jwt.forged(header, claims, key),
        jwt.forged(header | {"alg": "HS256"}, claims, jwt.pem_of(published)),
        jwt.forged(header | {"alg": "HS256"}, claims, client.secret.encode()),
        hint[:-5],
        tokens["access_token"],
        id_token(browser, elsewhere, foreign),
    ]
    with server.stores_nothing():
        for value in forged:
            page = logout(browser, tenant, id_token_hint=value, post_logout_redirect_uri=AFTER)
            assert "id_token_hint" in refused_on_a_page(page)
    assert is_signed_in(browser, tenant, client)


def test_a_hint_of_another_application(tenant: Tenant, browser: Browser, client: Client) -> None:
    """RP-Initiated Logout §2: `client_id` must be the hint's audience."""
    other = tenant.application(name="Other", post_logout_redirect_uris=(AFTER,))
    hint = id_token(browser, tenant, client)
    page = logout(browser, tenant, id_token_hint=hint, client_id=other.id)
    assert "id_token_hint" in refused_on_a_page(page)
    assert logout(browser, tenant, id_token_hint=hint, client_id=client.id).title == "Signed out"


WRONG_TARGETS = (
    "https://evil.example.com/",
    f"{AFTER}/",
    f"{AFTER}?next=https://evil.example.com/",
    f"{AFTER}#x",
    "https://app.example.com/callback",
    "https://app.example.com@evil.example.com/signed-out",
    "//evil.example.com",
    "javascript:alert(1)",
    "/oidc/logout",
)


@pytest.mark.parametrize("target", WRONG_TARGETS)
def test_targets_that_are_not_registered(
    server: Server, tenant: Tenant, browser: Browser, client: Client, target: str
) -> None:
    """RP-Initiated Logout §3 and RFC 9700 §4.11: a page, no redirect, no logout."""
    hint = id_token(browser, tenant, client)
    with server.stores_nothing():
        for parameters in ({"id_token_hint": hint}, {"client_id": client.id}, {}):
            page = logout(browser, tenant, post_logout_redirect_uri=target, **parameters)
            assert "post_logout_redirect_uri" in refused_on_a_page(page)
        page = browser.get(tenant.url("v2/logout"), {"client_id": client.id, "returnTo": target})
        assert "returnTo" in refused_on_a_page(page)
        page = browser.get(tenant.url("v2/logout"), {"returnTo": target})
        assert "returnTo" in refused_on_a_page(page)
    assert is_signed_in(browser, tenant, client)


def test_an_unknown_application(tenant: Tenant, browser: Browser, client: Client) -> None:
    """RP-Initiated Logout §4: named on a page."""
    sign_in(browser, tenant, client)
    assert "client_id" in refused_on_a_page(logout(browser, tenant, client_id="nobody"))
    assert is_signed_in(browser, tenant, client)


@pytest.mark.parametrize("name", ["id_token_hint", "post_logout_redirect_uri", "state"])
def test_repeated_parameters(tenant: Tenant, browser: Browser, client: Client, name: str) -> None:
    """RFC 6749 §3.1, as everywhere."""
    sign_in(browser, tenant, client)
    page = browser.post(tenant.url("oidc/logout"), [(name, AFTER), (name, AFTER)])
    assert name in refused_on_a_page(page)
    assert is_signed_in(browser, tenant, client)


@pytest.mark.parametrize("token", [None, "", "x", "OTHER"])
def test_a_confirmation_that_was_not_asked_for(
    server: Server, tenant: Tenant, browser: Browser, client: Client, token: str | None
) -> None:
    """RFC 6819 §4.4.1.9: 403 without the form's own token."""
    sign_in(browser, tenant, client)
    other = server.browser()
    sign_in(other, tenant, client)
    theirs = logout(other, tenant).forms["logout-form"].value("form_token")
    fields = {} if token is None else {"form_token": theirs if token == "OTHER" else token}
    with server.stores_nothing():
        page = browser.post(tenant.url("u/logout"), fields)
    assert (page.status, page.error) == (403, "invalid_request")
    assert is_signed_in(browser, tenant, client)


def test_the_confirmation_cannot_be_sent_elsewhere(
    tenant: Tenant, browser: Browser, client: Client
) -> None:
    """RFC 9700 §4.11: the form's own fields are checked again."""
    sign_in(browser, tenant, client)
    page = logout(browser, tenant, client_id=client.id, post_logout_redirect_uri=AFTER)
    sent = browser.submit(page, "logout-form", post_logout_redirect_uri="https://evil.example.com/")
    assert "post_logout_redirect_uri" in refused_on_a_page(sent)
    assert is_signed_in(browser, tenant, client)


def test_the_older_address(tenant: Tenant, browser: Browser, client: Client) -> None:
    """`/v2/logout`: no question; `returnTo` is the application's or, unnamed, the tenant's."""
    tenant.change(allowed_logout_urls=("https://www.example.com/",))
    url = tenant.url("v2/logout")
    for parameters, target in (
        ({}, ""),
        ({"client_id": client.id}, ""),
        ({"client_id": client.id, "returnTo": AFTER}, AFTER),
        ({"returnTo": "https://www.example.com/"}, "https://www.example.com/"),
    ):
        sign_in(browser, tenant, client)
        page = browser.get(url, parameters)
        assert page.left_for == target
        assert target or page.title == "Signed out"
        assert not is_signed_in(browser, tenant, client)
    page = browser.get(url, {"client_id": client.id, "returnTo": "https://www.example.com/"})
    assert "returnTo" in refused_on_a_page(page)
    page = browser.get(url, {"returnTo": AFTER})
    assert "returnTo" in refused_on_a_page(page)


def test_tokens_outlive_a_logout(tenant: Tenant, browser: Browser, client: Client) -> None:
    """RP-Initiated Logout §2 ends the session; tokens that were issued have their own end."""
    token = sign_in(browser, tenant, client).tokens()["access_token"]
    browser.get(tenant.url("v2/logout"))
    assert tenant.userinfo(token).status_code == 200
