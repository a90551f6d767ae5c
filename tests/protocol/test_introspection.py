"""RFC 7662, and RFC 9701 for the signed answer: what a token is worth now."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tenantry.services import applications
from tenantry.services.commands import Patch
from tests.support import jwt
from tests.support.browser import Browser
from tests.support.flow import refused, sign_in
from tests.support.management import root_api
from tests.support.server import Client, Tenant, both_databases

API = "https://api.example.com"
OFFLINE = "openid profile offline_access"
SIGNED = "application/token-introspection+jwt"
INACTIVE = {"active": False}


def ask(tenant: Tenant, client: Client, token: str, **options: Any) -> httpx2.Response:
    fields = {"token": token} | options.pop("fields", {})
    return tenant.server.client.post(
        tenant.url("oauth/introspect"), data=fields, auth=client.basic, **options
    )


def introspect(tenant: Tenant, client: Client, token: str, **fields: str) -> dict[str, Any]:
    response = ask(tenant, client, token, fields=fields)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    assert "no-store" in response.headers["cache-control"]
    answer: dict[str, Any] = response.json()
    return answer


def resource(tenant: Tenant, audience: str) -> Client:
    """The application that stands for an API: it has a client grant there."""
    client = tenant.application("non_interactive", name="The API itself")
    tenant.grant(client, audience)
    return client


@both_databases
@pytest.mark.parametrize("dialect", ["access_token", "rfc9068_profile"])
def test_a_users_access_token(tenant: Tenant, browser: Browser, dialect: str) -> None:
    """RFC 7662 §2.2: what the protected resource needs to know."""
    client = tenant.application("spa")
    user = tenant.user()
    tenant.api(API, "read:a", token_dialect=dialect)
    tokens = sign_in(browser, tenant, client, audience=API, scope="openid read:a").tokens()
    answer = introspect(tenant, resource(tenant, API), tokens["access_token"])
    said = jwt.claims_of(tokens["access_token"])
    assert answer["active"] is True
    for name in ("iss", "sub", "aud", "scope", "iat", "exp", "jti"):
        assert answer[name] == said[name]
    assert answer["sub"] == user.id
    assert answer["client_id"] == client.id
    assert answer["token_type"] == "Bearer"
    assert "azp" not in answer


@pytest.mark.parametrize("dialect", ["access_token", "rfc9068_profile"])
def test_an_applications_access_token(tenant: Tenant, dialect: str) -> None:
    """RFC 7662 §2.2: also of an application that speaks for itself."""
    client = tenant.application("non_interactive")
    tenant.api(API, "read:a", token_dialect=dialect)
    tenant.grant(client, API, "read:a")
    token = tenant.token(client, grant_type="client_credentials", audience=API).json()
    answer = introspect(tenant, client, token["access_token"], token_type_hint="refresh_token")
    assert answer["active"] is True
    assert (answer["client_id"], answer["scope"], answer["aud"]) == (client.id, "read:a", API)
    tenant.server.clock.advance(86_401)
    assert introspect(tenant, client, token["access_token"]) == INACTIVE


@both_databases
def test_a_refresh_token(tenant: Tenant, browser: Browser) -> None:
    """RFC 7662 §2.2: to the application that it was made for; asking uses nothing up."""
    client = tenant.application(refresh_token_lifetime=1000)
    user = tenant.user()
    tenant.api(API, "read:a", allow_offline_access=True)
    first = sign_in(browser, tenant, client, audience=API, scope=OFFLINE).tokens()
    answer = introspect(tenant, client, first["refresh_token"])
    assert answer["active"] is True
    assert (answer["sub"], answer["client_id"]) == (user.id, client.id)
    assert (answer["aud"], answer["scope"]) == (API, OFFLINE)
    assert answer["exp"] == answer["iat"] + 1000
    assert "token_type" not in answer
    assert introspect(tenant, resource(tenant, API), first["refresh_token"]) == INACTIVE
    fields = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = tenant.token(client, **fields).json()["refresh_token"]
    assert introspect(tenant, client, first["refresh_token"])["active"]
    tenant.server.clock.advance(11)
    assert introspect(tenant, client, first["refresh_token"]) == INACTIVE
    assert introspect(tenant, client, second)["active"]
    tenant.server.clock.advance(1000)
    assert introspect(tenant, client, second) == INACTIVE


def test_who_may_know(tenant: Tenant, browser: Browser) -> None:
    """RFC 7662 §4: an application without part in the token learns nothing of it."""
    client = tenant.application()
    tenant.user()
    tenant.api(API, "read:a")
    tenant.api("https://other.example.com")
    tokens = sign_in(browser, tenant, client, audience=API, scope="openid read:a").tokens()
    token = tokens["access_token"]
    assert introspect(tenant, client, token)["active"]
    assert introspect(tenant, resource(tenant, API), token)["active"]
    stranger = tenant.application(name="Stranger")
    assert introspect(tenant, stranger, token) == INACTIVE
    assert introspect(tenant, resource(tenant, "https://other.example.com"), token) == INACTIVE
    elsewhere = tenant.server.tenant()
    elsewhere.api(API, "read:a")
    assert introspect(elsewhere, resource(elsewhere, API), token) == INACTIVE
    for unknown in ("x", "a.b.c", "é", tokens["id_token"], f"{token}x", f"{'0' * 32}.1.{'0' * 64}"):
        assert introspect(tenant, client, unknown) == INACTIVE


def test_authentication(tenant: Tenant) -> None:
    """RFC 7662 §2.1: nobody asks without proving who they are; public applications cannot."""
    client, public = tenant.application(), tenant.application("spa")
    url, http = tenant.url("oauth/introspect"), tenant.server.client
    refused(http.post(url, data={"token": "x"}), 401, "invalid_client")
    refused(ask(tenant, Client(client.facts, "wrong"), "x"), 401, "invalid_client")
    refused(http.post(url, data={"token": "x"} | public.body), 401, "invalid_client")
    refused(ask(tenant, client, ""), 400, "invalid_request")
    assert http.get(url, params={"token": "x"}).status_code == 405
    answer = http.post(url, json={"token": "x"} | client.body)
    assert (answer.status_code, answer.json()) == (200, INACTIVE)


@pytest.mark.parametrize("end", ["block", "delete application"])
def test_what_ended(tenant: Tenant, browser: Browser, end: str) -> None:
    """RFC 7662 §4: "determine whether … the token has been revoked"."""
    client = tenant.application("spa")
    user = tenant.user()
    tenant.api(API, "read:a")
    tokens = sign_in(browser, tenant, client, audience=API, scope="openid read:a").tokens()
    asking = resource(tenant, API)
    assert introspect(tenant, asking, tokens["access_token"])["active"]
    if end == "block":
        tenant.block(user)
    else:
        tenant.write(applications.delete, Patch(client.facts.id))
    assert introspect(tenant, asking, tokens["access_token"]) == INACTIVE


def test_tokens_by_a_revoked_key(tenant: Tenant, browser: Browser) -> None:
    """RFC 7662 §4: "has been signed" with a key that counts; a rotated one counts still."""
    client = tenant.application("spa")
    tenant.user()
    tenant.api(API, "read:a")
    asking = resource(tenant, API)
    ask_own = {"grant_type": "client_credentials", "audience": API}
    old = [
        sign_in(browser, tenant, client, audience=API, scope="openid read:a").tokens(),
        tenant.token(asking, **ask_own).json(),
    ]
    manager = root_api(tenant)
    manager.do("signingKeyRotate", "__typename", {})
    for tokens in old:
        assert introspect(tenant, asking, tokens["access_token"])["active"]
    manager.do("signingKeyRevokePrevious", "__typename", {})
    for tokens in old:
        assert introspect(tenant, asking, tokens["access_token"]) == INACTIVE
    fresh = sign_in(browser, tenant, client, audience=API, scope="openid read:a").tokens()
    assert introspect(tenant, asking, fresh["access_token"])["active"]


@pytest.mark.parametrize(
    "accept, signed",
    [
        (SIGNED, True),
        (f"application/json;q=0.5, {SIGNED.upper()}; q=0.9", True),
        (f"{SIGNED};q=0, */*", False),
        ("*/*", False),
        ("application/json", False),
    ],
)
def test_a_signed_answer(tenant: Tenant, browser: Browser, accept: str, signed: bool) -> None:
    """RFC 9701 §4 and §5: on request, as a JWT for the application that asked."""
    client = tenant.application()
    tenant.user()
    token = sign_in(browser, tenant, client, scope="openid").tokens()["access_token"]
    answer = ask(tenant, client, token, headers={"accept": accept})
    assert answer.status_code == 200
    if not signed:
        assert answer.json()["active"]
        return
    assert answer.headers["content-type"] == SIGNED
    assert jwt.header_of(answer.text)["typ"] == "token-introspection+jwt"
    _, claims = jwt.verify(answer.text, tenant.jwks())
    assert set(claims) == {"iss", "aud", "iat", "token_introspection"}
    assert (claims["iss"], claims["aud"]) == (tenant.issuer, client.id)
    assert claims["token_introspection"] == introspect(tenant, client, token)
    refused(tenant.userinfo(answer.text), 401, "invalid_token")
    stranger = tenant.application(name="Stranger")
    nothing = ask(tenant, stranger, token, headers={"accept": accept})
    assert jwt.claims_of(nothing.text)["token_introspection"] == INACTIVE


def test_what_the_api_alone_verifies(tenant: Tenant, browser: Browser) -> None:
    """RFC 7662 §2.2: also tokens that are signed with the secret of their API."""
    tenant.api(API, "read:a", signing_alg="HS256")
    asking = resource(tenant, API)
    client = tenant.application("spa")
    tenant.user()
    users = sign_in(browser, tenant, client, audience=API, scope="openid read:a").tokens()
    assert introspect(tenant, asking, users["access_token"])["scope"] == "openid read:a"
    own = tenant.token(asking, grant_type="client_credentials", audience=API).json()
    token = own["access_token"]
    assert jwt.header_of(token)["alg"] == "HS256"
    assert introspect(tenant, asking, token)["active"]
    assert introspect(tenant, asking, f"{token[:-2]}AA") == INACTIVE
    fields = asking.body | {"token": token}
    assert tenant.server.client.post(tenant.url("oauth/revoke"), data=fields).status_code == 200
    assert introspect(tenant, asking, token) == INACTIVE
    tenant.server.clock.advance(86_401)
    assert introspect(tenant, asking, users["access_token"]) == INACTIVE
