"""CIBA Core 1.0 by mail in a real browser: the link of the message, the page, the answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_sign_in import PASSWORD, log_in
from tests.process.server import Server, environment, free_port, serving
from tests.support.mail import MailServer, receiving

pytestmark = pytest.mark.browser
CIBA = "urn:openid:params:grant-type:ciba"


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with receiving() as made:
        yield made


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, mail: MailServer) -> Iterator[Server]:
    """A server of its own, which hands its mail over."""
    env = environment(
        tmp_path_factory.mktemp("mail") / "data",
        free_port(),
        TENANTRY_SMTP_HOST=mail.host,
        TENANTRY_SMTP_PORT=str(mail.port),
        TENANTRY_SMTP_TLS="none",
    )
    with serving(env) as started:
        yield started


def _bank(server: Server) -> dict[str, str]:
    """The application, as it names itself in forms."""
    made = server.graphql(
        """mutation { applicationCreate(input: {name: "Call centre", applicationType: REGULAR_WEB,
        grantTypes: [CIBA]}) { application { clientId } clientSecret errors { message } } }"""
    )["applicationCreate"]
    return {
        "client_id": made["application"]["clientId"],
        "client_secret": made["clientSecret"],
    }


def _user(server: Server, email: str) -> None:
    server.graphql(
        """mutation($email: String!, $password: String!) {
        userCreate(input: {connection: "Username-Password-Authentication", email: $email,
          emailVerified: true, password: $password}) { user { id } errors { message } } }""",
        email=email,
        password=PASSWORD,
    )


def _poll(server: Server, bank: dict[str, str], asked: dict[str, Any]) -> httpx2.Response:
    fields = bank | {"grant_type": CIBA, "auth_req_id": asked["auth_req_id"]}
    return server.post("/oauth/token", data=fields)


def _wait(found: Callable[[], bool]) -> None:
    for _ in range(600):
        if found():
            return
        time.sleep(0.05)
    raise AssertionError("no mail came")


@pytest.mark.parametrize(
    "press, title, member",
    [
        ("#consent-allow", "Request approved", "access_token"),
        ("#consent-deny", "Request not approved", "error"),
    ],
)
def test_a_request_is_answered_by_mail(
    server: Server, visit: Visit, mail: MailServer, press: str, title: str, member: str
) -> None:
    """§7 to §11: the message, what it links to, and what becomes of the answer."""
    mail.messages.clear()
    email = f"joan-{member.replace('_', '-')}@example.com"
    _user(server, email)
    bank = _bank(server)
    fields = bank | {"scope": "openid", "login_hint": email, "binding_message": "W-4711"}
    asked: dict[str, Any] = server.post("/bc-authorize", data=fields).json()
    assert _poll(server, bank, asked).json()["error"] == "authorization_pending"
    assert _poll(server, bank, asked).json()["error"] == "slow_down"
    _wait(lambda: bool(mail.messages))
    assert mail.recipients[-1] == [email]
    assert "W-4711" in mail.text()
    page = visit.page
    page.goto(mail.link())
    expect(page).to_have_title("Approve a request")
    page.click("#approval-continue")
    log_in(page, email)
    expect(page).to_have_title("Allow access")
    expect(page.locator("#consent-binding-message")).to_have_text("W-4711")
    page.click(press)
    expect(page).to_have_title(title)
    answer = _poll(server, bank, asked).json()
    assert member in answer
    assert answer.get("error") in {None, "access_denied"}
    assert visit.complaints == []
