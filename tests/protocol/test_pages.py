"""RFC 9700 §4.12, §4.16 and §4.2.4: the headers of pages, and text that stays text."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.support.browser import Browser, Page
from tests.support.flow import authorize, log_in, request_for, sign_in
from tests.support.server import Server, Tenant


def all_pages(server: Server, tenant: Tenant) -> dict[str, Page]:
    """One of each page that a person can see."""
    client = tenant.application(is_first_party=False)
    tenant.user()
    browser = server.browser()
    login = authorize(browser, tenant, request_for(client).parameters)
    wrong = log_in(browser, login, password="wrong")
    consent = log_in(browser, login)
    error = authorize(browser, tenant, request_for(client, client_id="nobody").parameters)
    posted = authorize(
        server.browser(),
        tenant,
        request_for(client, response_mode="form_post", prompt="none").parameters,
    )
    confirm = browser.get(tenant.url("oidc/logout"))
    signed_out = browser.submit(confirm, "logout-form")
    missing = browser.get(tenant.url("nowhere"))
    return {
        "login": login,
        "wrong password": wrong,
        "consent": consent,
        "error": error,
        "form_post": posted,
        "logout": confirm,
        "signed out": signed_out,
        "not found": missing,
    }


TITLES = {
    "login": "Log in",
    "wrong password": "Log in",
    "consent": "Allow access",
    "error": "Something went wrong",
    "form_post": "Continue",
    "logout": "Do you want to sign out?",
    "signed out": "Signed out",
    "not found": "Something went wrong",
}


def test_headers_of_every_page(server: Server, tenant: Tenant) -> None:
    """RFC 9700 §4.16 and §4.2.4: no frames, no referrer, a strict policy."""
    pages = all_pages(server, tenant)
    assert {name: page.title for name, page in pages.items()} == TITLES
    for name, page in pages.items():
        headers = page.response.headers
        policy = dict(
            part.strip().partition(" ")[::2]
            for part in headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == "'none'"
        assert policy["base-uri"] == "'none'"
        assert policy.get("script-src") == ("'self'" if name == "form_post" else None)
        assert "form-action" not in policy, "it would break the way back to the application"
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert not [tag for tag, attributes in page.tags if "style" in attributes]
        inline = [attributes for tag, attributes in page.tags if tag == "script"]
        assert all("src" in attributes for attributes in inline)
        assert not [
            key for _, attributes in page.tags for key in attributes if key.startswith("on")
        ]


def test_redirects(tenant: Tenant, browser: Browser) -> None:
    """RFC 9700 §4.12: 303 after credentials, without a referrer, uncached."""
    client = tenant.application(is_first_party=False)
    tenant.user()
    page = authorize(browser, tenant, request_for(client).parameters)
    consent = log_in(browser, page)
    done = browser.submit(consent, "consent-form", press="consent-allow")
    redirects = [page.hops[0], consent.hops[0], done.hops[0]]
    assert [redirect.status_code for redirect in redirects] == [303, 303, 303]
    for redirect in redirects:
        assert redirect.headers["referrer-policy"] == "no-referrer"
        assert redirect.headers["cache-control"] == "no-store"
        assert redirect.text == ""


NASTY = "\"'><script>alert(1)</script>&lt;{{7*7}}‮<img src=x onerror=alert(1)>"


@pytest.mark.parametrize("place", ["login_hint", "state", "username", "error"])
def test_text_of_the_request_stays_text(
    server: Server, tenant: Tenant, browser: Browser, place: str
) -> None:
    """RFC 6819 §5.1.5: nothing that a request says becomes markup."""
    client = tenant.application()
    tenant.user()
    if place == "login_hint":
        page = authorize(browser, tenant, request_for(client, login_hint=NASTY).parameters)
        assert page.forms["login-form"].value("username") == NASTY
    elif place == "username":
        page = authorize(browser, tenant, request_for(client).parameters)
        page = log_in(browser, page, username=NASTY)
        assert page.forms["login-form"].value("username") == NASTY
    elif place == "state":
        asked = request_for(client, response_mode="form_post", state=NASTY, prompt="none")
        page = authorize(browser, tenant, asked.parameters)
        assert page.forms["response-form"].value("state") == NASTY
    else:
        asked = request_for(client, client_id=NASTY, ui_locales=NASTY, redirect_uri=NASTY)
        page = authorize(browser, tenant, asked.parameters)
        assert page.error == "invalid_request"
    assert "<img src=x" not in page.response.text
    assert "<script>" not in page.response.text
    assert "49" not in page.text_of("login-error")


def test_text_of_the_configuration_stays_text(tenant: Tenant, browser: Browser) -> None:
    """Names and links of an application, names and claims of a user, and of the tenant."""
    quotes = "\"' onmouseover=alert(1) x='"
    tenant.change(friendly_name=quotes, support_email="a'b@example.com")
    client = tenant.application(
        is_first_party=False,
        name=quotes,
        policy_uri='https://app.example.com/?"onclick=alert(1)',
        logo_uri="http://internal.example.com/logo.png",
    )
    tenant.user(name="<script>alert(1)</script>")
    page = authorize(browser, tenant, request_for(client).parameters)
    consent = log_in(browser, page)
    assert consent.title == "Allow access"
    for seen in (page, consent):
        names = {key for _, attributes in seen.tags for key in attributes}
        assert not [name for name in names if name.startswith("on")]
        assert "<script>alert" not in seen.response.text
        images = [attributes["src"] for tag, attributes in seen.tags if tag == "img"]
        assert not images, "a logo over http is not shown"


def test_state_and_codes_come_back_as_they_were_sent(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §4.1.2: `state` is "the exact value received from the client"."""
    client = tenant.application()
    tenant.user()
    for state in ("a b+c%20&=#?/\\", "ü€😀", "line\nbreak\ttab", NASTY, "x" * 8000):
        granted = sign_in(browser, tenant, client, state=state)
        assert granted.answer["state"] == state


def test_static_files(server: Server, tenant: Tenant, browser: Browser) -> None:
    """The style sheet of a page is served, and nothing outside its folder is."""
    page = authorize(browser, tenant, request_for(tenant.application()).parameters)
    (sheet,) = [a["href"] for tag, a in page.tags if tag == "link" and a["rel"] == "stylesheet"]
    found = server.client.get(f"{server.public_url}{sheet}")
    assert found.status_code == 200
    assert found.headers["content-type"].startswith("text/css")
    assert "immutable" in found.headers["cache-control"]
    for path in ("/assets/pages/../render.py", "/assets/pages/%2e%2e/render.py", "/assets/x"):
        assert server.raw("GET", f"{server.public_url}{path}").status_code == 404


def test_errors_are_shown_on_the_page_of_the_tenant(tenant: Tenant, browser: Browser) -> None:
    """Where it names one: with what happened, and nothing that would answer the application."""
    client = tenant.application()
    wrong = request_for(client, redirect_uri="https://evil.example.com/").parameters
    assert authorize(browser, tenant, wrong).error == "invalid_request"
    tenant.change(error_page_url="https://help.example.com/oops?lang=en")
    page = authorize(browser, tenant, wrong)
    assert page.hops[-1].status_code == 303
    parts = urlsplit(page.left_for)
    assert (parts.netloc, parts.path) == ("help.example.com", "/oops")
    told = dict(parse_qsl(parts.query))
    assert (told.pop("lang"), told.pop("error")) == ("en", "invalid_request")
    assert told.pop("error_description")
    assert told.pop("correlation_id") == page.hops[-1].headers["x-request-id"]
    assert told == {}
    denied = authorize(browser, tenant, request_for(client, response_type="magic").parameters)
    assert denied.answer["error"] == "unsupported_response_type"
