"""RFC 7523 §2.1: the assertion of an issuer that the tenant trusts becomes a user's token."""

from __future__ import annotations

import json
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from anyio.from_thread import BlockingPortal

from tenantry.core.facts import DATABASE_CONNECTION, GrantType, TrustedSubject
from tenantry.services import trusted_issuers
from tenantry.services.commands import Patch
from tests.support.client_keys import ec_key, public_jwk, rsa_key, signed
from tests.support.databases import Databases
from tests.support.flow import refused
from tests.support.jwt import claims_of
from tests.support.remote import serving
from tests.support.server import Client, Server, Tenant, both_databases

BEARER = GrantType.JWT_BEARER
IDP, API = "https://idp.example.com", "https://api.example.com"


@pytest.fixture
def tenant(server: Server) -> Tenant:
    """It trusts one issuer to name users of the database by their email."""
    made = server.tenant()
    made.api(API, "read")
    made.user()
    trust(made)
    return made


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return tenant.application("non_interactive", grant_types=(BEARER, "refresh_token"))


def trust(tenant: Tenant, **changes: Any) -> Any:
    values: dict[str, Any] = {
        "issuer": IDP,
        "jwks": {"keys": [public_jwk(rsa_key())]},
        "allowed_audiences": (API,),
        "subject": TrustedSubject.EMAIL,
        "connection": DATABASE_CONNECTION,
    }
    return tenant.write(trusted_issuers.create, values | changes)


def claims(tenant: Tenant, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    given = {
        "iss": IDP,
        "sub": "ann@example.com",
        "aud": tenant.issuer,
        "iat": now,
        "exp": now + 300,
        "jti": secrets.token_urlsafe(16),
    } | changes
    return {name: value for name, value in given.items() if value is not None}


def ask(tenant: Tenant, client: Client, assertion: str, **changes: str) -> httpx2.Response:
    fields = {
        "grant_type": BEARER.value,
        "assertion": assertion,
        "audience": API,
        "scope": "read offline_access",
    }
    return tenant.token(client, **fields | changes)


@both_databases
def test_a_good_assertion_gets_a_token(tenant: Tenant, client: Client) -> None:
    assertion = signed(claims(tenant), rsa_key())
    response = ask(tenant, client, assertion)
    assert response.status_code == 200, response.text
    made = response.json()
    assert made["scope"] == "read"
    assert "refresh_token" not in made
    token = claims_of(made["access_token"])
    assert (token["aud"], token["azp"]) == (API, client.id)
    refused(ask(tenant, client, assertion), 400, "invalid_grant")


@both_databases
def test_an_assertion_counts_once(tenant: Tenant, client: Client) -> None:
    """§3 (7)."""
    assertion = signed(claims(tenant), rsa_key())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(tenant, client, assertion), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example.com"},
        {"iss": None},
        {"sub": "nobody@example.com"},
        {"sub": None},
        {"sub": 7},
        {"aud": "https://other.example.com"},
        {"aud": None},
        {"aud": [{"x": 1}]},
        {"exp": None},
        {"exp": 1},
        {"exp": 2**39},
        {"exp": "soon"},
        {"iat": None},
        {"iat": 2**39},
        {"nbf": 2**39},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 300},
        {"sub": "\ud800"},
    ],
)
def test_a_claim_that_is_wrong(tenant: Tenant, client: Client, changes: dict[str, Any]) -> None:
    """§3 and §3.1: invalid_grant, with one text."""
    response = ask(tenant, client, signed(claims(tenant, **changes), rsa_key()))
    assert "trusted" in refused(response, 400, "invalid_grant")


def test_signatures_that_do_not_count(tenant: Tenant, client: Client) -> None:
    """RFC 8725 §3.1 and §3.10."""
    for assertion in (
        signed(claims(tenant), rsa_key("another")),
        signed(claims(tenant), b"x" * 32, "HS256"),
        signed(claims(tenant), ec_key(), "ES256"),
        signed(claims(tenant), rsa_key("another"), jwk=public_jwk(rsa_key("another"))),
        signed(claims(tenant), rsa_key(), typ="logout+jwt"),
        signed(claims(tenant), rsa_key(), crit=["x"]),
        "not.a.jwt",
        "é",
    ):
        refused(ask(tenant, client, assertion), 400, "invalid_grant")
    good = ask(tenant, client, signed(claims(tenant, aud=[tenant.url("oauth/token")]), rsa_key()))
    assert good.status_code == 200


def test_where_the_issuer_counts(tenant: Tenant, client: Client) -> None:
    tenant.api("https://other.example.com", "read")
    good = signed(claims(tenant), rsa_key())
    refused(ask(tenant, client, good, audience="https://other.example.com"), 400, "invalid_target")
    refused(ask(tenant, client, good, audience=""), 400, "invalid_request")
    refused(ask(tenant, client, ""), 400, "invalid_request")
    refused(ask(tenant, tenant.application(), good), 400, "unauthorized_client")
    other = tenant.server.tenant()
    elsewhere = other.application("non_interactive", grant_types=(BEARER,))
    refused(ask(other, elsewhere, good), 400, "invalid_grant")
    assert ask(tenant, client, good).status_code == 200


def test_a_user_by_id(tenant: Tenant, client: Client) -> None:
    other = "https://ids.example.com"
    made = trust(tenant, issuer=other, subject=TrustedSubject.USER_ID, connection=None)
    user = tenant.user("bob@example.com")
    by_email = claims(tenant, iss=other, sub="bob@example.com")
    refused(ask(tenant, client, signed(by_email, rsa_key())), 400, "invalid_grant")
    by_id = signed(claims(tenant, iss=other, sub=user.id), rsa_key())
    assert claims_of(ask(tenant, client, by_id).json()["access_token"])["sub"] == user.id
    tenant.block(user)
    again = signed(claims(tenant, iss=other, sub=user.id), rsa_key())
    refused(ask(tenant, client, again), 400, "invalid_grant")
    tenant.write(trusted_issuers.delete, Patch(made.id))
    refused(ask(tenant, client, again), 400, "invalid_grant")


def test_keys_are_fetched(databases: Databases, portal: BlockingPortal) -> None:
    """RFC 7517 §5: from the issuer's `jwks_uri`, by the guarded client."""
    with databases.url("sqlite") as url, serving() as remote:
        server = Server(url, portal, outbound_allow_private=True)
        server.begin()
        tenant = server.tenant()
        tenant.api(API, "read")
        tenant.user()
        trust(tenant, jwks=None, jwks_uri=remote.url("jwks"))
        able = tenant.application("non_interactive", grant_types=(BEARER,))
        refused(ask(tenant, able, signed(claims(tenant), rsa_key())), 400, "invalid_grant")
        remote.documents["/jwks"] = json.dumps({"keys": [public_jwk(rsa_key())]}).encode()
        server.clock.advance(3600)
        now = int(time.time()) + 3600
        later = claims(tenant, iat=now, exp=now + 60)
        assert ask(tenant, able, signed(later, rsa_key())).status_code == 200
        server.close()


def test_a_third_party_needs_consent(tenant: Tenant, client: Client) -> None:
    third = tenant.change_application(client, is_first_party=False)
    refused(ask(tenant, third, signed(claims(tenant), rsa_key())), 400, "invalid_target")
