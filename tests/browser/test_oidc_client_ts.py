"""oidc-client-ts of the npm registry, unmodified, in a real browser."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.clients.node import FOLDER
from tests.process.server import EMAIL, PASSWORD, Server

pytestmark = [pytest.mark.browser, pytest.mark.node]

_LIBRARY = FOLDER / "node_modules" / "oidc-client-ts" / "dist" / "browser" / "oidc-client-ts.js"
_AUTH0 = FOLDER / "node_modules" / "@auth0" / "auth0-spa-js" / "dist" / "auth0-spa-js.production.js"
_FILES = {
    "/auth0": (FOLDER / "single_page" / "auth0.html", "text/html"),
    "/auth0-spa-js.js": (_AUTH0, "text/javascript"),
    "/app.js": (FOLDER / "single_page" / "app.js", "text/javascript"),
    "/oidc-client-ts.js": (_LIBRARY, "text/javascript"),
}
_PAGE = (FOLDER / "single_page" / "index.html", "text/html")


@dataclass
class Application:
    """A single-page application on an origin of its own."""

    origin: str
    page: Page
    server: Server
    client_id: str

    def open(self) -> None:
        self.page.goto(self.origin)
        self._is_ready()

    def sign_in(self) -> dict[str, Any]:
        self.open()
        self.page.evaluate("() => { manager.signinRedirect(); }")
        answer_the_pages(self.page)
        self._is_ready()
        return self.user()

    def user(self) -> dict[str, Any]:
        """What the library keeps, in its own words."""
        user: dict[str, Any] = self.page.evaluate(
            "async () => JSON.parse((await manager.getUser())?.toStorageString() ?? '{}')"
        )
        return user

    def _is_ready(self) -> None:
        self.page.wait_for_url(f"{self.origin}/**")
        expect(self.page).to_have_title("Ready")


def answer_the_pages(page: Page) -> None:
    """The person signs in, and allows what is asked."""
    expect(page).to_have_title("Log in")
    page.fill("#username", EMAIL)
    page.fill("#password", PASSWORD)
    page.click("#login-submit")
    expect(page).to_have_title("Allow access")
    page.click("#consent-allow")


@contextmanager
def application(server: Server, page: Page, scope: str, **more: Any) -> Iterator[Application]:
    settings: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path == "/settings.json":
                body, kind = json.dumps(settings).encode(), "application/json"
            else:
                file, kind = _FILES.get(path, _PAGE)
                body = file.read_bytes()
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    origin = f"http://localhost:{listener.server_port}"
    settings |= {
        "authority": f"{server.public_url}/",
        "client_id": _register(server, origin),
        "redirect_uri": f"{origin}/callback",
        "post_logout_redirect_uri": f"{origin}/signed-out",
        "scope": scope,
        "automaticSilentRenew": False,
        "loadUserInfo": True,
        **more,
    }
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Application(origin, page, server, settings["client_id"])
    finally:
        listener.shutdown()
        listener.server_close()


def _register(server: Server, origin: str) -> str:
    made = server.graphql(
        """mutation($input: ApplicationCreateInput!) { applicationCreate(input: $input) {
        application { clientId } errors { field message } } }""",
        input={
            "name": "Wardrobe",
            "applicationType": "SINGLE_PAGE",
            "redirectUris": [f"{origin}/callback", f"{origin}/auth0"],
            "postLogoutRedirectUris": [f"{origin}/signed-out", f"{origin}/auth0"],
            "webOrigins": [origin],
        },
    )["applicationCreate"]
    client_id: str = made["application"]["clientId"]
    return client_id


def test_sign_in_and_out_with_a_renewal_in_a_hidden_frame(server: Server, visit: Visit) -> None:
    """OpenID Connect Core §3.1 and §5.3, RFC 7636, RP-Initiated Logout §2."""
    with application(server, visit.page, "openid profile email") as app:
        first = app.sign_in()
        assert first["profile"]["email"] == EMAIL
        assert "refresh_token" not in first
        # OpenID Connect Core §3.1.2.1: `prompt=none` shows no page, so it works in a frame.
        app.page.evaluate("manager.signinSilent()")
        renewed = app.user()
        assert renewed["access_token"] != first["access_token"]
        assert renewed["profile"]["sub"] == first["profile"]["sub"]
        app.page.evaluate("manager.revokeTokens(['access_token'])")
        app.page.evaluate("() => { manager.signoutRedirect({state: 'bye'}); }")
        app.page.wait_for_url(f"{app.origin}/signed-out?state=*")
        expect(app.page).to_have_title("Ready")
        assert app.page.evaluate("answer.userState") == "bye"
        refusal = app.page.evaluate("manager.signinSilent().catch((error) => error.error)")
        assert refusal == "login_required"
    assert visit.complaints == []


def test_renewal_with_a_refresh_token(server: Server, visit: Visit) -> None:
    """RFC 6749 §6 and RFC 7009: refreshed from the browser, then revoked there."""
    with application(server, visit.page, "openid offline_access") as app:
        first = app.sign_in()
        app.page.evaluate("manager.signinSilent()")
        renewed = app.user()
        assert renewed["refresh_token"] != first["refresh_token"]
        refusal = app.page.evaluate(
            """async () => {
              const kept = await manager.getUser();
              await manager.revokeTokens(["refresh_token"]);
              await manager.storeUser(kept);
              return manager.signinSilent().catch((error) => error.error);
            }"""
        )
        assert refusal == "invalid_grant"
    assert visit.complaints == []


def test_sign_in_in_a_popup(server: Server, visit: Visit) -> None:
    """OpenID Connect Core §3.1.2.1: the pages keep their opener, which waits for the answer."""
    with application(server, visit.page, "openid") as app:
        app.open()
        with app.page.expect_popup() as opened:
            app.page.evaluate("() => { window.waiting = manager.signinPopup(); }")
        answer_the_pages(opened.value)
        sub = app.page.evaluate("async () => (await waiting).profile.sub")
        assert sub == app.user()["profile"]["sub"]
    assert visit.complaints == []


def test_the_monitor_tells_of_a_sign_out(server: Server, visit: Visit) -> None:
    """Session Management §3: the frame of the server is asked until the session ends."""
    more = {"monitorSession": True, "checkSessionIntervalInSeconds": 1}
    with application(server, visit.page, "openid", **more) as app:
        assert app.sign_in()["session_state"]
        # Two questions are answered before anything happens.
        app.page.wait_for_timeout(2_500)
        assert app.page.evaluate("told") == []
        elsewhere = app.page.context.new_page()
        elsewhere.goto(f"{server.public_url}/v2/logout")
        expect(elsewhere).to_have_title("Signed out")
        app.page.wait_for_function("told.length > 0")
        assert app.page.evaluate("told") == ["signed out"]
    assert visit.complaints == []
