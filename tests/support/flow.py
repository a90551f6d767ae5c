"""The code flow as an application sees it: the request, the answer, the redemption."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.support.browser import Browser, Page
from tests.support.server import PASSWORD, Client, Tenant

Parameters = dict[str, str]


def challenge_of(verifier: str) -> str:
    """RFC 7636 §4.2, in other words than the server's."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True)
class Asked:
    """An authorization request with what the application keeps of it."""

    parameters: Parameters
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def state(self) -> str:
        return self.parameters["state"]

    @property
    def nonce(self) -> str:
        return self.parameters["nonce"]


def request_for(client: Client, **changes: str | None) -> Asked:
    """A good request; a change to None leaves the parameter out."""
    verifier = secrets.token_urlsafe(32)
    parameters: dict[str, str | None] = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": client.redirect_uri,
        "scope": "openid profile email",
        "state": secrets.token_urlsafe(8),
        "nonce": secrets.token_urlsafe(8),
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    parameters |= changes
    given = {name: value for name, value in parameters.items() if value is not None}
    return Asked(given, verifier)


def authorize(browser: Browser, tenant: Tenant, parameters: Parameters) -> Page:
    return browser.get(tenant.url("authorize"), parameters)


def log_in(
    browser: Browser, page: Page, username: str = "ann@example.com", password: str = PASSWORD
) -> Page:
    """Fills in the login page."""
    assert page.title == "Log in", (page.status, page.title, page.left_for)
    return browser.submit(page, "login-form", username=username, password=password)


def sign_in(browser: Browser, tenant: Tenant, client: Client, **changes: str | None) -> Granted:
    """The whole way to the code, with the person allowing whatever is asked."""
    asked = request_for(client, **changes)
    page = authorize(browser, tenant, asked.parameters)
    if page.title == "Log in":
        page = log_in(browser, page)
    if page.title == "Allow access":
        page = browser.submit(page, "consent-form", press="consent-allow")
    return Granted(tenant, client, asked, page.answer)


@dataclass(frozen=True)
class Granted:
    """The answer to an authorization request; `redeem` makes tokens of its code."""

    tenant: Tenant
    client: Client
    asked: Asked
    answer: Parameters

    @property
    def code(self) -> str:
        return self.answer["code"]

    def fields(self, **changes: str | None) -> Parameters:
        """The token request, but for who sends it."""
        fields: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": self.code,
            "redirect_uri": self.asked.parameters.get("redirect_uri"),
            "code_verifier": self.asked.verifier
            if "code_challenge" in self.asked.parameters
            else None,
        }
        fields |= changes
        return {name: value for name, value in fields.items() if value is not None}

    def redeem(self, **changes: str | None) -> httpx2.Response:
        return self.tenant.token(self.client, **self.fields(**changes))

    def tokens(self) -> dict[str, Any]:
        response = self.redeem()
        assert response.status_code == 200, response.text
        tokens: dict[str, Any] = response.json()
        return tokens


def refused(response: httpx2.Response, status: int, error: str) -> str:
    """Checks a refusal of RFC 6749 §5.2 and returns its description."""
    assert (response.status_code, response.json().get("error")) == (status, error), response.text
    assert response.headers["content-type"] == "application/json"
    assert "no-store" in response.headers["cache-control"]
    assert set(response.json()) == {"error", "error_description"}
    description: str = response.json()["error_description"]
    # §5.2: "MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E".
    assert all(" " <= c <= "~" and c not in '"\\' for c in description)
    return description
