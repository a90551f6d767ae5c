"""RFC 9126 as an application does it: it pushes its request, and sends the browser after it."""

from __future__ import annotations

from typing import Any

import httpx2

from tests.support.browser import Browser, Page
from tests.support.flow import Asked, Granted, Parameters, authorize, log_in, request_for
from tests.support.server import Client, Tenant

PREFIX = "urn:ietf:params:oauth:request_uri:"


def push(tenant: Tenant, client: Client, parameters: Parameters, **more: str) -> httpx2.Response:
    """With the secret in the body; a public application only names itself."""
    return tenant.server.client.post(tenant.url("oauth/par"), data=parameters | client.body | more)


def pushed(tenant: Tenant, client: Client, parameters: Parameters, **more: str) -> str:
    """The `request_uri` of a good request."""
    response = push(tenant, client, parameters, **more)
    assert response.status_code == 201, response.text
    answer: dict[str, Any] = response.json()
    reference: str = answer["request_uri"]
    return reference


def follow(browser: Browser, tenant: Tenant, client: Client, reference: str) -> Page:
    """What the browser brings: nothing but the two."""
    return authorize(browser, tenant, {"client_id": client.id, "request_uri": reference})


def sign_in_pushed(
    browser: Browser, tenant: Tenant, client: Client, **changes: str | None
) -> Granted:
    asked: Asked = request_for(client, **changes)
    page = follow(browser, tenant, client, pushed(tenant, client, asked.parameters))
    if page.title == "Log in":
        page = log_in(browser, page)
    if page.title == "Allow access":
        page = browser.submit(page, "consent-form", press="consent-allow")
    return Granted(tenant, client, asked, page.answer)
