"""RFC 8628 in a real browser: the code is typed, or comes with the complete URI."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_sign_in import PASSWORD, log_in
from tests.process.server import Server

pytestmark = pytest.mark.browser
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def _television(server: Server) -> str:
    made = server.graphql(
        """mutation { applicationCreate(input: {name: "Television", applicationType: NATIVE,
        grantTypes: [DEVICE_CODE]}) { application { clientId } errors { message } } }"""
    )["applicationCreate"]
    client_id: str = made["application"]["clientId"]
    return client_id


def _user(server: Server, email: str) -> None:
    server.graphql(
        """mutation($email: String!, $password: String!) {
        userCreate(input: {connection: "Username-Password-Authentication", email: $email,
          password: $password}) { user { id } errors { message } } }""",
        email=email,
        password=PASSWORD,
    )


def _codes(server: Server, client_id: str) -> dict[str, Any]:
    fields = {"client_id": client_id, "scope": "openid profile"}
    made: dict[str, Any] = server.post("/oauth/device/code", data=fields).json()
    return made


def _poll(server: Server, client_id: str, codes: dict[str, Any]) -> httpx2.Response:
    return server.post(
        "/oauth/token",
        data={
            "client_id": client_id,
            "grant_type": DEVICE,
            "device_code": codes["device_code"],
        },
    )


def test_a_code_that_is_typed_connects_the_device(server: Server, visit: Visit) -> None:
    """§3.3."""
    _user(server, "hedy@example.com")
    client_id = _television(server)
    codes = _codes(server, client_id)
    page = visit.page
    page.goto(codes["verification_uri"])
    expect(page).to_have_title("Connect a device")
    page.fill("#user_code", "wrong")
    page.press("#user_code", "Enter")
    expect(page.locator("#device-error")).to_be_visible()
    page.fill("#user_code", codes["user_code"].replace("-", "").lower())
    page.click("#device-submit")
    log_in(page, "hedy@example.com")
    expect(page).to_have_title("Allow access")
    expect(page.locator("#consent-device")).to_be_visible()
    expect(page.get_by_text("Television")).to_be_visible()
    assert _poll(server, client_id, codes).json()["error"] == "authorization_pending"
    page.click("#consent-allow")
    expect(page).to_have_title("Device connected")
    assert "access_token" in _poll(server, client_id, codes).json()
    # The browser logs that the wrong code was answered with 400.
    assert [said for said in visit.complaints if "400" not in said] == []


@pytest.mark.parametrize(
    "press, title, member",
    [
        ("#consent-allow", "Device connected", "access_token"),
        ("#consent-deny", "Device not connected", "error"),
    ],
)
def test_a_code_that_comes_with_the_link_is_shown_first(
    server: Server, visit: Visit, press: str, title: str, member: str
) -> None:
    """§3.3.1."""
    email = f"emmy-{member}@example.com"
    _user(server, email)
    client_id = _television(server)
    codes = _codes(server, client_id)
    page = visit.page
    page.goto(codes["verification_uri_complete"])
    expect(page.locator("#user_code")).to_have_value(codes["user_code"])
    page.click("#device-submit")
    log_in(page, email)
    page.click(press)
    expect(page).to_have_title(title)
    answer = _poll(server, client_id, codes).json()
    assert member in answer
    assert answer.get("error") in {None, "access_denied"}
    assert visit.complaints == []
