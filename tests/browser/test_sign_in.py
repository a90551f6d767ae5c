"""A regular web application signs a person in, in a real browser."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.relying_party import Callback, callback
from tests.process.server import Server

pytestmark = pytest.mark.browser
PASSWORD = "a long enough password"


def _application(server: Server, target: Callback) -> tuple[str, str]:
    made = server.graphql(
        """mutation($redirect: [String!]!, $out: [String!]!) {
        applicationCreate(input: {name: "Wardrobe", applicationType: REGULAR_WEB,
          redirectUris: $redirect, postLogoutRedirectUris: $out}) {
          application { clientId } clientSecret errors { message } } }""",
        redirect=[target.url],
        out=[target.signed_out_url],
    )["applicationCreate"]
    return made["application"]["clientId"], made["clientSecret"]


def _user(server: Server, email: str) -> None:
    server.graphql(
        """mutation($email: String!, $password: String!) {
        userCreate(input: {connection: "Username-Password-Authentication", email: $email,
          password: $password, emailVerified: true, name: "Ada Lovelace"}) {
          user { id } errors { field message } } }""",
        email=email,
        password=PASSWORD,
    )


def log_in(page: Page, email: str, password: str = PASSWORD) -> None:
    expect(page).to_have_title("Log in")
    page.fill("#username", email)
    page.fill("#password", password)
    page.click("#login-submit")


def test_code_with_pkce_consent_once_userinfo_and_logout(server: Server, visit: Visit) -> None:
    """OpenID Connect Core §3.1, RFC 7636, RP-Initiated Logout §2, with Authlib's client."""
    metadata = httpx2.get(
        f"{server.local_url}/.well-known/openid-configuration",
        headers={"host": f"localhost:{server.port}"},
    ).json()
    _user(server, "ada@example.com")
    with callback() as target:
        client_id, client_secret = _application(server, target)
        client = OAuth2Client(
            client_id,
            client_secret,
            scope="openid profile email",
            redirect_uri=target.url,
            code_challenge_method="S256",
        )
        verifier = "v" * 64
        url, state = client.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=verifier, nonce="n-1"
        )
        page = visit.page
        page.goto(url)
        log_in(page, "ada@example.com", "a wrong password")
        expect(page.locator("#login-error")).to_be_visible()
        log_in(page, "ada@example.com")
        expect(page).to_have_title("Allow access")
        page.click("#consent-allow")
        expect(page.locator("#done")).to_be_visible()

        answer = target.visits[-1]
        assert parse_qs(urlsplit(answer).query)["iss"] == [metadata["issuer"]]
        token = client.fetch_token(
            metadata["token_endpoint"],
            authorization_response=answer,
            state=state,
            code_verifier=verifier,
        )
        claims = client.get(metadata["userinfo_endpoint"]).json()
        assert claims["email"] == "ada@example.com"
        assert claims["name"] == "Ada Lovelace"

        # Consent was asked once and the session is there: no page at all.
        again, _ = client.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=verifier
        )
        page.goto(again)
        expect(page.locator("#done")).to_be_visible()
        assert len(target.visits) == 2

        page.goto(
            f"{metadata['end_session_endpoint']}?id_token_hint={token['id_token']}"
            f"&post_logout_redirect_uri={target.signed_out_url}&state=bye"
        )
        expect(page.locator("#done")).to_be_visible()
        assert target.visits[-1] == f"{target.signed_out_url}?state=bye"
        page.goto(again)
        expect(page).to_have_title("Log in")
    assert visit.complaints == []


def test_a_second_application_shows_no_page(server: Server, visit: Visit) -> None:
    """OpenID Connect Core §3.1.2.3: the browser goes through, and nobody has to do anything."""
    _user(server, "annie@example.com")
    page = visit.page
    shown: list[str] = []
    page.on("domcontentloaded", lambda loaded: shown.append(loaded.title()))
    with callback("one.example.test") as first, callback("two.example.test") as second:
        for target, pages in ((first, ["Log in", "Application"]), (second, ["Application"])):
            client_id, _ = _application(server, target)
            shown.clear()
            page.goto(
                f"{server.public_url}/authorize?client_id={client_id}&response_type=code"
                f"&scope=openid%20profile&redirect_uri={target.url}&state=s"
            )
            if target is first:
                log_in(page, "annie@example.com")
            page.wait_for_url(f"{target.url}?**")
            expect(page.locator("#done")).to_be_visible()
            assert shown == pages
            assert len(parse_qs(urlsplit(target.visits[-1]).query)["code"][0]) >= 43
    assert visit.complaints == []


def test_form_post_submits_itself_under_its_policy(server: Server, visit: Visit) -> None:
    """OAuth 2.0 Form Post Response Mode §2."""
    _user(server, "grace@example.com")
    with callback() as target:
        client_id, _ = _application(server, target)
        visit.page.goto(
            f"{server.public_url}/authorize?client_id={client_id}&response_type=code"
            f"&response_mode=form_post&scope=openid&redirect_uri={target.url}&state=%3Cb%3E"
        )
        log_in(visit.page, "grace@example.com")
        visit.page.click("#consent-allow")
        expect(visit.page.locator("#done")).to_be_visible()
        fields = parse_qs(urlsplit(target.visits[-1]).query)
    assert fields["state"] == ["<b>"]
    assert len(fields["code"][0]) >= 43
    assert visit.complaints == []


def test_refused_consent_goes_back_to_the_application(server: Server, visit: Visit) -> None:
    """RFC 6749 §4.1.2.1."""
    _user(server, "joan@example.com")
    with callback() as target:
        client_id, _ = _application(server, target)
        visit.page.goto(
            f"{server.public_url}/authorize?client_id={client_id}&response_type=code"
            f"&scope=openid&redirect_uri={target.url}&state=s"
        )
        log_in(visit.page, "joan@example.com")
        visit.page.click("#consent-deny")
        expect(visit.page.locator("#done")).to_be_visible()
        fields = parse_qs(urlsplit(target.visits[-1]).query)
    assert fields["error"] == ["access_denied"]
    assert fields["state"] == ["s"]


def test_logging_out_without_a_hint_asks_first(server: Server, visit: Visit) -> None:
    """RP-Initiated Logout §2 and §6."""
    _user(server, "mary@example.com")
    page = visit.page
    with callback() as target:
        client_id, _ = _application(server, target)
        url = (
            f"{server.public_url}/authorize?client_id={client_id}&response_type=code"
            f"&scope=openid&redirect_uri={target.url}"
        )
        page.goto(url)
        log_in(page, "mary@example.com")
        page.click("#consent-allow")
        expect(page.locator("#done")).to_be_visible()
        page.goto(f"{server.public_url}/oidc/logout")
        expect(page).to_have_title("Do you want to sign out?")
        page.goto(url)
        expect(page.locator("#done")).to_be_visible()
        page.goto(f"{server.public_url}/oidc/logout")
        page.click("#logout-confirm")
        expect(page).to_have_title("Signed out")
        page.goto(url)
        expect(page).to_have_title("Log in")
