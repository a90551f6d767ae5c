"""OpenID Connect Session Management 1.0: `session_state` and the frame that checks it."""

from __future__ import annotations

import hashlib

import pytest

from tenantry.services import sessions
from tests.support.browser import Browser, Page
from tests.support.flow import authorize, log_in, request_for, sign_in
from tests.support.server import Client, Server, Tenant


@pytest.fixture
def client(tenant: Tenant) -> Client:
    tenant.user()
    return tenant.application()


def browser_state(browser: Browser) -> str:
    """What a script of the server's may read; empty where there is nothing."""
    return "".join(browser.cookies("state").values())


def is_unchanged(browser: Browser, client: Client, session_state: str) -> bool:
    """§3.2: what the frame computes for a message from the application's origin."""
    _, salt = session_state.split(".")
    text = f"{client.id} https://app.example.com {browser_state(browser)} {salt}"
    return session_state == f"{hashlib.sha256(text.encode()).hexdigest()}.{salt}"


def check_session(browser: Browser, tenant: Tenant) -> Page:
    return browser.get(tenant.url("oidc/check_session"))


def test_it_changes_at_login_and_at_logout(
    tenant: Tenant, browser: Browser, client: Client
) -> None:
    """§2 and §3.2: the value holds until the next login or logout of this browser."""
    first = sign_in(browser, tenant, client).answer["session_state"]
    assert is_unchanged(browser, client, first)
    again = authorize(browser, tenant, request_for(client, prompt="none").parameters)
    second = again.answer["session_state"]
    assert second != first, "each has a salt of its own"
    assert is_unchanged(browser, client, first)
    assert is_unchanged(browser, client, second)
    page = authorize(browser, tenant, request_for(client, prompt="login").parameters)
    third = log_in(browser, page).answer["session_state"]
    assert not is_unchanged(browser, client, first)
    assert is_unchanged(browser, client, third)
    browser.get(tenant.url("v2/logout"))
    assert not is_unchanged(browser, client, third)


def test_it_is_told_with_errors_too(tenant: Tenant, browser: Browser, client: Client) -> None:
    """§2: an application learns of a later login even where nobody is signed in."""
    answer = authorize(browser, tenant, request_for(client, prompt="none").parameters).answer
    assert answer["error"] == "login_required"
    assert is_unchanged(browser, client, answer["session_state"])
    sign_in(browser, tenant, client)
    assert not is_unchanged(browser, client, answer["session_state"])


def test_after_consent(tenant: Tenant, browser: Browser) -> None:
    """§2: whichever page the answer comes from."""
    tenant.user()
    third = tenant.application(is_first_party=False)
    assert is_unchanged(browser, third, sign_in(browser, tenant, third).answer["session_state"])


def test_only_for_openid_and_web_pages(tenant: Tenant, browser: Browser) -> None:
    """§2: a parameter of the OpenID Connect authentication response."""
    tenant.user()
    older = tenant.application(oidc_conformant=False)
    assert "session_state" not in sign_in(browser, tenant, older, scope="profile").answer
    native = tenant.application(
        "native",
        redirect_uris=("com.example.app:/callback",),
        non_verifiable_callback_confirmation=False,
    )
    assert "session_state" not in sign_in(browser, tenant, native).answer


def test_it_says_nothing_of_the_session(tenant: Tenant, browser: Browser, client: Client) -> None:
    """§4: the value that scripts may read is not the session's."""
    sign_in(browser, tenant, client)
    (session,) = browser.cookies("session").values()
    (state,) = browser.cookies("state").values()
    assert session not in state
    assert state not in session
    stored = tenant.server.client.get(
        tenant.url("authorize"),
        params=request_for(client, prompt="none").parameters,
        headers={"cookie": f"tenantry_session_{tenant.id}={state}"},
    )
    assert "error=login_required" in stored.headers["location"]


def test_the_frame(server: Server, tenant: Tenant, browser: Browser, client: Client) -> None:
    """§3.2 and §5: for the registered origins alone, with one static script."""
    tenant.application(name="Second", web_origins=("https://spa.example.com",))
    page = check_session(browser, tenant)
    assert page.status == 200
    headers = page.response.headers
    assert "x-frame-options" not in headers
    directives = {words[0]: words[1:] for words in map(str.split, headers[
        "content-security-policy"].split(";"))}  # fmt: skip
    assert set(directives["frame-ancestors"]) == {
        "https://app.example.com",
        "https://spa.example.com",
        server.public_url,
    }
    assert directives["script-src"] == ["'self'"]
    assert directives["default-src"] == ["'none'"]
    (script,) = (attributes for tag, attributes in page.tags if tag == "script")
    assert script["data-cookie"] == f"tenantry_state_{tenant.id}"
    source = server.client.get(server.public_url + script["src"])
    assert "javascript" in source.headers["content-type"]
    assert "crypto.subtle" in source.text


def test_a_session_that_ended_elsewhere_is_noticed(
    tenant: Tenant, browser: Browser, client: Client
) -> None:
    """§3.2: the frame learns when it is loaded that an administrator has ended the session."""
    state = sign_in(browser, tenant, client).answer["session_state"]
    check_session(browser, tenant)
    assert is_unchanged(browser, client, state)
    (session,) = tenant.events("login.succeeded")
    tenant.write(sessions.revoke, session.target_id)
    check_session(browser, tenant)
    assert not is_unchanged(browser, client, state)


def test_nobody_may_frame_where_nothing_is_registered(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """§5: its own explorer's origin at most."""
    policy = check_session(browser, tenant).response.headers["content-security-policy"]
    assert f"frame-ancestors {server.public_url}" in policy


def test_of_very_many_origins_only_the_framing_one_is_named(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """§5: a header has an end, whatever applications register."""
    for number in range(3):
        hosts = [f"https://app-{number}-{index}.example.com" for index in range(100)]
        tenant.application(name=f"{number}", web_origins=tuple(hosts))

    def ancestors(referer: str) -> str:
        headers = {"referer": referer} if referer else {}
        response = server.client.get(tenant.url("oidc/check_session"), headers=headers)
        policy: str = response.headers["content-security-policy"]
        return policy.partition("frame-ancestors ")[2].partition(";")[0]

    assert ancestors("https://app-1-7.example.com/page") == "https://app-1-7.example.com"
    for referer in ("", "https://evil.example.com/", "https://a;b/", "rubbish"):
        assert ancestors(referer) == "'none'"


def test_discovery(tenant: Tenant) -> None:
    """§3.3."""
    url = tenant.url(".well-known/openid-configuration")
    metadata = tenant.server.client.get(url).json()
    assert metadata["check_session_iframe"] == tenant.url("oidc/check_session")
