"""Applications that register themselves (RFC 7591), as they see it."""

from __future__ import annotations

from typing import Any

import httpx2

from tenantry.store import applications
from tests.support.server import CALLBACK, Client, Tenant

Json = dict[str, Any]


def ask(tenant: Tenant, **metadata: Any) -> httpx2.Response:
    """A registration request; the redirect URI is sent unless it is changed."""
    body = {"redirect_uris": [CALLBACK]} | metadata
    return tenant.server.client.post(tenant.url("oidc/register"), json=body)


def register(tenant: Tenant, **metadata: Any) -> Json:
    """The answer to a registration that is accepted."""
    response = ask(tenant, **metadata)
    assert response.status_code == 201, response.text
    answer: Json = response.json()
    return answer


def client_of(tenant: Tenant, answer: Json) -> Client:
    """The application of an answer, for the other means of the tests."""
    facts = tenant.read(applications.find_by_client_id, answer["client_id"])
    return Client(facts, answer.get("client_secret", ""))


def read(tenant: Tenant, answer: Json, token: str | None = None) -> httpx2.Response:
    """A client read request; `token` instead of the registration access token."""
    value = answer["registration_access_token"] if token is None else token
    headers = {"authorization": f"Bearer {value}"} if value else {}
    return tenant.server.client.get(answer["registration_client_uri"], headers=headers)
