"""Answers that a page of ours carries to the application: a hidden frame, and a form."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.relying_party import Callback, callback
from tests.browser.test_sign_in import PASSWORD, log_in
from tests.process.server import Server

pytestmark = pytest.mark.browser

_FRAME = """
([url, wait]) => new Promise((resolve) => {
  const timer = setTimeout(() => resolve(null), wait);
  window.addEventListener("message", (event) => {
    clearTimeout(timer);
    resolve({ origin: event.origin, data: event.data });
  }, { once: true });
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.src = url;
  document.body.append(frame);
})
"""


def _application(server: Server, target: Callback, kind: str, **more: object) -> str:
    settings: dict[str, object] = {
        "name": "Wardrobe",
        "applicationType": kind,
        "redirectUris": [target.url],
        **more,
    }
    made = server.graphql(
        """mutation($input: ApplicationCreateInput!) { applicationCreate(input: $input) {
        application { clientId } errors { field message } } }""",
        input=settings,
    )["applicationCreate"]
    client_id: str = made["application"]["clientId"]
    return client_id


def _user(server: Server, email: str) -> None:
    server.graphql(
        """mutation($email: String!, $password: String!) {
        userCreate(input: {connection: "Username-Password-Authentication", email: $email,
          password: $password}) { user { id } errors { field message } } }""",
        email=email,
        password=PASSWORD,
    )


def test_silent_sign_in_in_a_hidden_frame(server: Server, visit: Visit) -> None:
    """Web Message Response Mode §4 with prompt=none: the frame's parent reads it, no other."""
    _user(server, "silent@example.com")
    page = visit.page
    with callback() as target, callback() as stranger:
        client_id = _application(server, target, "SINGLE_PAGE", webOrigins=[target.origin])
        url = (
            f"{server.public_url}/authorize?client_id={client_id}&response_type=code&scope=openid"
            f"&redirect_uri={target.url}&code_challenge={'a' * 43}&code_challenge_method=S256"
            "&state=s"
        )
        silent = f"{url}&prompt=none&response_mode=web_message"
        page.goto(target.url)
        before = page.evaluate(_FRAME, [silent, 10_000])
        assert before["origin"] == server.public_url
        assert before["data"]["type"] == "authorization_response"
        assert before["data"]["response"]["error"] == "login_required"

        page.goto(url)
        log_in(page, "silent@example.com")
        page.click("#consent-allow")
        expect(page.locator("#done")).to_be_visible()
        after = page.evaluate(_FRAME, [silent, 10_000])
        assert after["data"]["response"]["state"] == "s"
        assert len(after["data"]["response"]["code"]) >= 43

        page.goto(stranger.url)
        assert page.evaluate(_FRAME, [silent, 2_000]) is None
    assert visit.complaints == []


def test_hybrid_answer_by_form(server: Server, visit: Visit) -> None:
    """Form Post Response Mode §2 and OpenID Connect Core §3.3: tokens in no URL."""
    _user(server, "radia@example.com")
    with callback() as target:
        client_id = _application(
            server, target, "REGULAR_WEB", grantTypes=["AUTHORIZATION_CODE", "IMPLICIT"]
        )
        visit.page.goto(
            f"{server.public_url}/authorize?client_id={client_id}&scope=openid&nonce=n&state=s"
            f"&response_type=code%20id_token%20token&response_mode=form_post"
            f"&redirect_uri={target.url}"
        )
        log_in(visit.page, "radia@example.com")
        visit.page.click("#consent-allow")
        expect(visit.page.locator("#done")).to_be_visible()
        fields = parse_qs(urlsplit(target.visits[-1]).query)
        assert fields.keys() >= {"code", "id_token", "access_token", "state", "iss"}
        assert "access_token" not in visit.page.url
    assert visit.complaints == []
