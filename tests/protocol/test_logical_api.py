"""RFC 6749 §3.3 and RFC 8707 §2: one API for several services, told apart by their scopes."""

from __future__ import annotations

from tests.support import jwt
from tests.support.browser import Browser
from tests.support.flow import authorize, log_in, request_for
from tests.support.server import Tenant, both_databases

AUDIENCE = "organize"
SERVICES = ("read:calendar", "read:contacts")


@both_databases
def test_one_token_serves_several_services(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §4.2 and §3.3: one identifier, scopes by service, those that are consented to."""
    tenant.user()
    tenant.api(AUDIENCE, *SERVICES)
    client = tenant.application(
        "spa",
        grant_types=("implicit",),
        redirect_uris=("http://localhost:3000/callback.html",),
    )
    asked = request_for(
        client,
        response_type="token",
        audience=AUDIENCE,
        scope=" ".join((*SERVICES, "read:mail")),
        redirect_uri="http://localhost:3000/callback.html",
        code_challenge=None,
        code_challenge_method=None,
    )
    page = log_in(browser, authorize(browser, tenant, asked.parameters))
    assert page.title == "Allow access", "any program of this machine may be behind localhost"
    assert "calendar" in page.response.text
    assert "mail" not in page.response.text
    answer = browser.submit(page, "consent-form", press="consent-allow").answer
    assert answer["scope"].split() == list(SERVICES)
    claims = jwt.claims_of(answer["access_token"])
    assert claims["aud"] == AUDIENCE
    assert claims["scope"].split() == list(SERVICES)
    # Silent authentication, by which an application polls whether the sign-in lasts.
    silent = authorize(browser, tenant, asked.parameters | {"prompt": "none"}).answer
    assert silent["scope"].split() == list(SERVICES)
    one = asked.parameters | {"prompt": "none", "scope": SERVICES[0]}
    assert authorize(browser, tenant, one).answer["scope"] == SERVICES[0]
    browser.get(tenant.url("v2/logout"))
    over = authorize(browser, tenant, asked.parameters | {"prompt": "none"}).answer
    assert over["error"] == "login_required"
