"""The person's address, as an application on a server tells it at the token endpoint."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import DATABASE_CONNECTION
from tests.support.server import PASSWORD, Client, Server, Tenant

HEADER = "auth0-forwarded-for"
PERSON = "203.0.113.9"
TRUSTED = "is_token_endpoint_ip_header_trusted"


@pytest.fixture
def tenant(server: Server) -> Tenant:
    made = server.tenant()
    made.change(default_directory=DATABASE_CONNECTION)
    made.user()
    return made


def web(tenant: Tenant, **values: Any) -> Client:
    return tenant.application(grant_types=("password",), **values)


def ask(
    tenant: Tenant, client: Client, address: str, secret: str = "", **fields: str
) -> httpx2.Response:
    sent = {
        "grant_type": "password",
        "client_id": client.id,
        "client_secret": secret or client.secret or "",
        "username": "ann@example.com",
        "password": PASSWORD,
        "scope": "openid",
    }
    return tenant.server.client.post(
        tenant.url("oauth/token"), data=sent | fields, headers={HEADER: address}
    )


def logged(tenant: Tenant, *types: str) -> str:
    return tenant.events(*types)[0].ip


@pytest.mark.parametrize(
    "sent, ip", [(PERSON, PERSON), (f"{PERSON}, 10.0.0.1", PERSON), ("2001:DB8::1", "2001:db8::1")]
)
def test_the_log_has_the_address_of_the_person(tenant: Tenant, sent: str, ip: str) -> None:
    """Of what was done and of what was refused."""
    client = web(tenant, **{TRUSTED: True})
    assert ask(tenant, client, sent).status_code == 200
    assert logged(tenant, "login.succeeded") == ip
    assert ask(tenant, client, sent, password="wrong").status_code == 400
    assert logged(tenant, "login.failed") == ip


@pytest.mark.parametrize("sent", ["", "unknown", "1.2.3", "'; --"])
def test_an_address_that_cannot_be_read_is_none(tenant: Tenant, sent: str) -> None:
    client = web(tenant, **{TRUSTED: True})
    assert ask(tenant, client, sent).status_code == 200
    unknown = logged(tenant, "login.succeeded")
    assert ask(tenant, web(tenant), PERSON).status_code == 200
    assert logged(tenant, "login.succeeded") == unknown


def test_who_is_not_believed(tenant: Tenant) -> None:
    """An application without the setting, and one that has not proven itself."""
    plain, trusted = web(tenant), web(tenant, **{TRUSTED: True})
    assert ask(tenant, plain, PERSON).status_code == 200
    assert logged(tenant, "login.succeeded") != PERSON
    assert ask(tenant, trusted, PERSON, secret="wrong").status_code == 401
    assert logged(tenant, "token.refused") != PERSON


@pytest.mark.parametrize("kind", ["spa", "native"])
def test_only_servers_can_be_believed(tenant: Tenant, kind: str) -> None:
    with pytest.raises(DomainError) as refusal:
        tenant.application(kind, is_token_endpoint_ip_header_trusted=True)
    assert (refusal.value.code, refusal.value.field) == (ErrorCode.NOT_ALLOWED, (TRUSTED,))
