"""Signing out of several applications at once, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.relying_party import Callback, callback
from tests.process.server import EMAIL, PASSWORD, Server
from tests.support.jwt import claims_of

pytestmark = pytest.mark.browser

ASK_THE_FRAME = """([url, message]) => new Promise((resolve) => {
  const frame = document.createElement("iframe");
  addEventListener("message", (event) => resolve([event.data, event.origin]), {once: true});
  frame.onload = () => frame.contentWindow.postMessage(message, new URL(url).origin);
  frame.src = url;
  document.body.append(frame);
})"""


@dataclass
class Application:
    server: Server
    target: Callback
    client_id: str
    client_secret: str

    def sign_in(self, page: Page) -> tuple[str, str]:
        """The ID token and the session state."""
        query = {
            "client_id": self.client_id,
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": self.target.url,
            "state": "s",
        }
        page.goto(f"{self.server.public_url}/authorize?{urlencode(query)}")
        if page.title() == "Log in":
            page.fill("#username", EMAIL)
            page.fill("#password", PASSWORD)
            page.click("#login-submit")
            expect(page).not_to_have_title("Log in")
        if page.title() == "Allow access":
            page.click("#consent-allow")
        expect(page.locator("#done")).to_be_visible()
        answer = parse_qs(urlsplit(self.target.visits[-1]).query)
        tokens = httpx2.post(
            f"{self.server.local_url}/oauth/token",
            headers={"host": f"localhost:{self.server.port}"},
            data={
                "grant_type": "authorization_code",
                "code": answer["code"][0],
                "redirect_uri": self.target.url,
                "client_id": self.client_id,
                "client_secret": self.client_secret,
            },
        ).json()
        return tokens["id_token"], answer["session_state"][0]


@pytest.fixture
def two(server: Server) -> Iterator[tuple[Application, Application]]:
    with ExitStack() as stack:
        made = []
        for name in ("First", "Second"):
            target = stack.enter_context(callback())
            answer = server.graphql(
                """mutation($name: String!, $in: [String!]!, $out: [String!]!, $frame: String!) {
                applicationCreate(input: {name: $name, applicationType: REGULAR_WEB,
                  redirectUris: $in, postLogoutRedirectUris: $out,
                  frontchannelLogoutUri: $frame}) {
                  application { clientId } clientSecret errors { field message } } }""",
                **{
                    "name": name,
                    "in": [target.url],
                    "out": [target.signed_out_url],
                    "frame": f"{target.origin}/forget",
                },
            )["applicationCreate"]
            assert answer["errors"] == []
            client_id = answer["application"]["clientId"]
            made.append(Application(server, target, client_id, answer["clientSecret"]))
        yield made[0], made[1]


def test_the_frames_reach_the_other_application_and_the_browser_goes_on(
    server: Server, visit: Visit, two: tuple[Application, Application]
) -> None:
    """Front-Channel Logout §3, RP-Initiated Logout §3."""
    first, second = two
    page = visit.page
    id_token, _ = first.sign_in(page)
    other_id_token, _ = second.sign_in(page)
    query = {
        "id_token_hint": id_token,
        "post_logout_redirect_uri": first.target.signed_out_url,
        "state": "bye",
    }
    page.goto(f"{server.public_url}/oidc/logout?{urlencode(query)}")
    page.wait_for_url(f"{first.target.signed_out_url}?state=bye")
    for application, token in ((first, id_token), (second, other_id_token)):
        frames = [url for url in application.target.visits if "/forget?" in url]
        fields = parse_qs(urlsplit(frames[-1]).query)
        assert len(frames) == 1
        assert fields == {"iss": [f"{server.public_url}/"], "sid": [claims_of(token)["sid"]]}
    assert visit.complaints == []


def test_the_other_application_is_told_by_the_back_channel(
    server: Server, visit: Visit, two: tuple[Application, Application]
) -> None:
    """Back-Channel Logout §2.5: the server itself tells it, whatever becomes of the browser."""
    first, second = two
    heard = f"{second.target.origin}/heard"
    node = server.graphql(
        "query($id: String!) { application(clientId: $id) { id } }", id=second.client_id
    )
    server.graphql(
        """mutation($id: ID!, $uri: String!) {
        applicationUpdate(input: {id: $id, backchannelLogoutUri: $uri}) {
          errors { field message } } }""",
        id=node["application"]["id"],
        uri=heard,
    )
    page = visit.page
    id_token, _ = first.sign_in(page)
    other = claims_of(second.sign_in(page)[0])
    page.goto(f"{server.public_url}/oidc/logout?id_token_hint={id_token}")
    expect(page).to_have_title("Signed out")

    def tokens() -> list[str]:
        return [url for url in list(second.target.visits) if url.startswith(heard)]

    deadline = time.monotonic() + 20
    while not tokens() and time.monotonic() < deadline:
        time.sleep(0.1)
    (url,) = tokens()
    (token,) = parse_qs(urlsplit(url).query)["logout_token"]
    claims = claims_of(token)
    assert (claims["iss"], claims["aud"]) == (f"{server.public_url}/", second.client_id)
    assert (claims["sub"], claims["sid"]) == (other["sub"], other["sid"])
    assert visit.complaints == []


def test_the_frame_tells_whether_the_sign_in_has_changed(
    server: Server, visit: Visit, two: tuple[Application, Application]
) -> None:
    """Session Management §3.2: unchanged, then changed after a logout; errors are told."""
    first, second = two
    page = visit.page
    _, state = first.sign_in(page)
    frame = f"{server.public_url}/oidc/check_session"

    def asked(message: str) -> str:
        page.goto(f"{first.target.origin}/page")
        answer, origin = page.evaluate(ASK_THE_FRAME, [frame, message])
        assert origin == server.public_url
        found: str = answer
        return found

    assert asked(f"{first.client_id} {state}") == "unchanged"
    second.sign_in(page)
    assert asked(f"{first.client_id} {state}") == "unchanged"
    assert asked(f"{second.client_id} {state}") == "changed", "another application's"
    assert asked("nonsense") == "error"
    page.goto(f"{server.public_url}/v2/logout")
    expect(page).to_have_title("Signed out")
    assert asked(f"{first.client_id} {state}") == "changed"
    _, state = first.sign_in(page)
    assert asked(f"{first.client_id} {state}") == "unchanged"
    assert visit.complaints == []
