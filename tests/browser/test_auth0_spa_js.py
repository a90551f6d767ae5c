"""auth0-spa-js of the npm registry, unmodified: silent sign-in by `web_message`."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_oidc_client_ts import answer_the_pages, application
from tests.process.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.node]

_MAKE = """async ([domain, clientId, page]) => {
  window.client = new auth0.Auth0Client({domain, clientId,
    authorizationParams: {redirect_uri: page, scope: "openid profile email"}});
}"""


def test_sign_in_silently_renewed_and_out(server: Server, visit: Visit) -> None:
    """Web Message Response Mode §4, OpenID Connect Core §3.1.2.1, RFC 7636."""
    with application(server, visit.page, "openid") as app:
        page, address = app.page, f"{app.origin}/auth0"
        given = [server.public_url, app.client_id, address]

        def opened() -> None:
            expect(page).to_have_title("Ready")
            page.evaluate(_MAKE, given)

        page.goto(address)
        opened()
        page.evaluate("() => { client.loginWithRedirect(); }")
        answer_the_pages(page)
        page.wait_for_url(f"{address}?**")
        opened()
        page.evaluate("client.handleRedirectCallback()")
        assert page.evaluate("client.getUser()")["sub"]
        first = page.evaluate("client.getTokenSilently()")
        assert page.evaluate("client.getTokenSilently({cacheMode: 'off'})") != first
        page.evaluate(
            "page => { client.logout({logoutParams: {returnTo: page}}); }",
            address,
        )
        page.wait_for_url(address)
        opened()
        refusal = page.evaluate("client.getTokenSilently().catch((error) => error.error)")
        assert refusal == "login_required"
    assert visit.complaints == []
