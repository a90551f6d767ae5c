"""CIBA Core §7.1 and §7.1.1: signed requests, login hints that are signed, user codes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from anyio.from_thread import BlockingPortal

from tenantry.core.facts import UserFacts
from tenantry.services import user_codes
from tenantry.services.commands import Patch
from tests.support.ciba import EMAIL, ask, asked, asking, claims_for, send
from tests.support.client_keys import ec_key, public_jwk, rsa_key, signed
from tests.support.databases import Databases
from tests.support.flow import refused
from tests.support.server import Client, Server, Tenant, begun


@pytest.fixture(scope="module")
def server(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    """A development server, which keeps its mail."""
    with databases.url("sqlite") as url, begun(url, portal) as made:
        yield made


@pytest.fixture
def user(tenant: Tenant) -> UserFacts:
    return tenant.user(EMAIL, email_verified=True)


@pytest.fixture
def client(tenant: Tenant, user: UserFacts) -> Client:
    keys = {"keys": [public_jwk(rsa_key()), public_jwk(ec_key(), "k2")]}
    return asking(tenant, jwks=keys)


def test_a_signed_request(tenant: Tenant, client: Client) -> None:
    """§7.1.1: everything inside. Each JWT counts once."""
    token = signed(claims_for(tenant, client), rsa_key(), kid="k1")
    response = send(tenant, client, token)
    assert response.status_code == 200, response.text
    assert response.json()["expires_in"] == 30
    refused(send(tenant, client, token), 400, "invalid_request")


def test_nothing_stands_beside_a_signed_request(tenant: Tenant, client: Client) -> None:
    """§7.1.1: parameters "MUST NOT be present outside of the JWT"."""
    token = signed(claims_for(tenant, client), rsa_key(), kid="k1")
    refused(send(tenant, client, token, scope="openid"), 400, "invalid_request")
    refused(send(tenant, client, token, binding_message="9"), 400, "invalid_request")
    refused(send(tenant, client, token, resource="https://x.example"), 400, "invalid_request")
    # §7.2: "OpenID Providers MUST ignore unrecognized request parameters".
    assert send(tenant, client, token, state="x", purpose="none").status_code == 200


WRONG: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "somebody"},
    "another audience": {"aud": "https://x.example/"},
    "no audience": {"aud": None},
    "no exp": {"exp": None},
    "no iat": {"iat": None},
    "no nbf": {"nbf": None},
    "no jti": {"jti": None},
    "an end that is over": {"exp": 1},
    "an end that is no time": {"exp": "soon"},
    "a long life": {"exp": int(time.time()) + 9_000},
    "an old beginning": {"nbf": int(time.time()) - 9_000},
    "the future": {"nbf": int(time.time()) + 900, "exp": int(time.time()) + 960},
    "a subject like an assertion's": {"sub": "SELF"},
    "another request": {"request": "x"},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_a_wrong_request_object(tenant: Tenant, client: Client, changes: dict[str, Any]) -> None:
    """§7.1.1 and RFC 8725 §3.10, §3.11."""
    given = {name: client.id if value == "SELF" else value for name, value in changes.items()}
    token = signed(claims_for(tenant, client, **given), rsa_key(), kid="k1")
    refused(send(tenant, client, token), 400, "invalid_request")


def test_who_signs_and_how(tenant: Tenant, client: Client) -> None:
    """§4: the registered algorithm, by a registered key; then unsigned requests are refused."""
    forged = signed(claims_for(tenant, client), rsa_key("another"), kid="k1")
    refused(send(tenant, client, forged), 400, "invalid_request")
    refused(send(tenant, client, "a.b.c"), 400, "invalid_request")
    strict = tenant.change_application(
        client, backchannel_authentication_request_signing_alg="ES256"
    )
    refused(ask(tenant, strict), 400, "invalid_request")
    by_rsa = signed(claims_for(tenant, client), rsa_key(), kid="k1")
    refused(send(tenant, strict, by_rsa), 400, "invalid_request")
    by_ec = signed(claims_for(tenant, client), ec_key(), alg="ES256", kid="k2")
    assert send(tenant, strict, by_ec).status_code == 200


def test_a_signed_hint(tenant: Tenant, client: Client, user: UserFacts) -> None:
    """§7.1: login_hint_token. §13: expired_login_hint_token."""
    now = int(time.time())
    hint = {
        "iss": client.id,
        "aud": tenant.issuer,
        "exp": now + 60,
        "sub_id": {"format": "iss_sub", "iss": tenant.issuer, "sub": user.id},
    }

    def answer(**changes: Any) -> httpx2.Response:
        token = signed(hint | changes, rsa_key(), kid="k1")
        return ask(tenant, client, login_hint="", login_hint_token=token)

    assert answer().status_code == 200
    assert answer(sub_id={"format": "email", "email": EMAIL}).status_code == 200
    refused(answer(exp=now - 1), 400, "expired_login_hint_token")
    refused(answer(iss="somebody"), 400, "invalid_request")
    refused(answer(aud="https://x.example/"), 400, "invalid_request")
    refused(answer(sub_id={"format": "phone_number"}), 400, "invalid_request")
    nobody = {"format": "email", "email": "nobody@example.com"}
    refused(answer(sub_id=nobody), 400, "unknown_user_id")


def test_a_user_code(tenant: Tenant, client: Client, user: UserFacts) -> None:
    """§7.1: only who knows the person's code makes the device ring, and guessing ends."""
    strict = tenant.change_application(client, backchannel_user_code_parameter=True)
    refused(ask(tenant, strict), 400, "missing_user_code")
    refused(ask(tenant, strict, user_code="4711"), 400, "invalid_user_code")
    tenant.write(user_codes.set_code, Patch(user.id), "4711")
    asked(tenant, strict, user_code="4711")
    for _ in range(5):
        refused(ask(tenant, strict, user_code="0000"), 400, "invalid_user_code")
    refused(ask(tenant, strict, user_code="4711"), 400, "invalid_user_code")
    tenant.server.clock.advance(901)
    asked(tenant, strict, user_code="4711")
    assert "4711" not in str([event.details for event in tenant.events()])
