"""OpenID Connect Core §5.3 and RFC 6750: the userinfo endpoint."""

from __future__ import annotations

import httpx2
import pytest

from tenantry.core.facts import Address, SigningAlgorithm
from tenantry.services import applications, users
from tenantry.services.commands import Patch
from tests.support import jwt
from tests.support.browser import Browser
from tests.support.flow import refused, sign_in
from tests.support.keys import key_source
from tests.support.server import Server, Tenant, both_databases


def get(tenant: Tenant, authorization: str | None = None, **options: object) -> httpx2.Response:
    headers = {} if authorization is None else {"authorization": authorization}
    return tenant.server.client.get(tenant.url("userinfo"), headers=headers, **options)  # type: ignore[arg-type]


@both_databases
def test_claims_by_scope(server: Server, tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §5.3.2, §5.4 and §5.1: each scope its claims, absent ones left out."""
    client = tenant.application()
    user = tenant.user(
        name="Ann",
        phone_number="+4930123456",
        email_verified=True,
        address=Address(country="DE", locality="Berlin"),
    )
    claims: dict[str, dict[str, object]] = {
        "openid": {},
        "profile": {"name": "Ann", "updated_at": int(user.updated_at.timestamp())},
        "email": {"email": "ann@example.com", "email_verified": True},
        "phone": {"phone_number": "+4930123456", "phone_number_verified": False},
        "address": {"address": {"country": "DE", "locality": "Berlin"}},
    }
    every: dict[str, object] = {"sub": user.id}
    for scope, expected in claims.items():
        tokens = sign_in(browser, tenant, client, scope=f"openid {scope}").tokens()
        response = tenant.userinfo(tokens["access_token"])
        assert response.json() == {"sub": user.id, **expected}
        every |= expected
    tokens = sign_in(browser, tenant, client, scope=" ".join(claims)).tokens()
    response = tenant.userinfo(tokens["access_token"])
    assert response.json() == every
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"


def test_ways_to_send_the_token(tenant: Tenant, browser: Browser) -> None:
    """RFC 6750 §2.1 and §2.2, OpenID Connect Core §5.3.1: the header, or a form by POST."""
    client = tenant.application()
    user = tenant.user()
    token = sign_in(browser, tenant, client).tokens()["access_token"]
    post, url = tenant.server.client.post, tenant.url("userinfo")
    answers = [
        get(tenant, f"Bearer {token}"),
        get(tenant, f"bearer {token}"),
        post(url, headers={"authorization": f"Bearer {token}"}),
        post(url, data={"access_token": token}),
        # A body that is no form is none of the ways, and takes none away.
        post(url, headers={"authorization": f"Bearer {token}"}, json={"access_token": "other"}),
    ]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert {answer.json()["sub"] for answer in answers} == {user.id}


def test_requests_without_a_token(server: Server, tenant: Tenant) -> None:
    """RFC 6750 §3 and §3.1: 401 with a bare challenge."""
    for response in (
        get(tenant),
        get(tenant, "Basic abc"),
        get(tenant, "Bearer"),
        get(tenant, "DPoP"),
        server.client.post(tenant.url("userinfo")),
        server.client.post(tenant.url("userinfo"), data={"x": "y"}),
        server.client.post(tenant.url("userinfo"), json={"access_token": "y"}),
    ):
        refused(response, 401, "invalid_token")
        assert response.headers["www-authenticate"] == 'Bearer, DPoP algs="ES256 PS256 EdDSA"'


def test_a_token_in_the_query(tenant: Tenant, browser: Browser) -> None:
    """RFC 6750 §2.3 and RFC 9700 §4.3.2: never, not even beside a good one."""
    client = tenant.application()
    tenant.user()
    token = sign_in(browser, tenant, client).tokens()["access_token"]
    for authorization in (None, f"Bearer {token}"):
        response = get(tenant, authorization, params={"access_token": token})
        refused(response, 400, "invalid_request")
        assert 'error="invalid_request"' in response.headers["www-authenticate"]


def test_two_tokens(tenant: Tenant, browser: Browser) -> None:
    """RFC 6750 §2: "MUST NOT use more than one method"."""
    client = tenant.application()
    tenant.user()
    token = sign_in(browser, tenant, client).tokens()["access_token"]
    url, headers = tenant.url("userinfo"), {"authorization": f"Bearer {token}"}
    both = tenant.server.client.post(url, headers=headers, data={"access_token": token})
    twice = tenant.server.client.post(url, data={"access_token": [token, token]})
    for response in (both, twice):
        refused(response, 400, "invalid_request")
        assert 'error="invalid_request"' in response.headers["www-authenticate"]


def test_tokens_that_are_not_good(server: Server, tenant: Tenant, browser: Browser) -> None:
    """RFC 6750 §3.1, RFC 8725 §2 and §3: 401 invalid_token, one text for all."""
    client = tenant.application()
    tenant.user()
    tokens = sign_in(browser, tenant, client).tokens()
    token = tokens["access_token"]
    header, claims = jwt.verify(token, tenant.jwks())
    (key, *_) = tenant.jwks()["keys"]

    own_key = key_source(SigningAlgorithm.RS256)
    evil = "https://evil.example.com/jwks.json"
    text, _, signature = token.rpartition(".")
    other = {"sub": "somebody-else"}
    bad = {
        "rubbish": "rubbish",
        "dots": "..",
        "many dots": "a.b.c.d.e",
        "very long": "a" * 20_000,
        "cut": token[:-4],
        "signature of another text": f"{jwt.forged(header, claims | other).rpartition('.')[0]}."
        f"{signature}",
        "alg none": jwt.forged({"alg": "none", "typ": "JWT"}, claims),
        "alg none with kid": jwt.forged(header | {"alg": "none"}, claims),
        "alg None": jwt.forged(header | {"alg": "None"}, claims),
        "no signature": f"{text}.",
        "HS256 with the public key": jwt.forged(header | {"alg": "HS256"}, claims, jwt.pem_of(key)),
        "HS256 with the secret": jwt.forged(
            header | {"alg": "HS256"}, claims, client.secret.encode()
        ),
        "another key": jwt.forged(header, claims, own_key),
        "another key, its own kid": jwt.forged(header | {"kid": "mine"}, claims, own_key),
        "jku": jwt.forged(header | {"jku": evil, "kid": "mine"}, claims, own_key),
        "jwk": jwt.forged(header | {"jwk": key, "kid": "mine"}, claims, own_key),
        "crit": jwt.forged(header | {"crit": ["x"], "x": 1}, claims, own_key),
        "kid of another type": jwt.forged(header | {"kid": {"a": 1}}, claims, own_key),
        "no kid": jwt.forged({"alg": "RS256", "typ": "JWT"}, claims, own_key),
        "header is a list": f"{jwt.encode(b'[]')}.{jwt.encode(b'{}')}.{signature}",
        "header is deep": f"{jwt.encode(b'[' * 5000)}.{jwt.encode(b'{}')}.{signature}",
        "NUL": f"{jwt.encode(bytes([0]))}.{jwt.encode(bytes([0]))}.{signature}",
        "ID token": tokens["id_token"],
    }
    refusals = set()
    for name, value in bad.items():
        response = get(tenant, f"Bearer {value}")
        refusals.add(refused(response, 401, "invalid_token"))
        assert 'error="invalid_token"' in response.headers["www-authenticate"], name
    assert len(refusals) == 1
    assert tenant.userinfo(token).status_code == 200


def test_an_expired_token(server: Server, tenant: Tenant, browser: Browser) -> None:
    """RFC 6750 §3.1: at `exp` it is over."""
    client = tenant.application()
    tenant.user()
    tenant.api("https://api.example.com", token_lifetime=60)
    granted = sign_in(browser, tenant, client, audience="https://api.example.com")
    token = granted.tokens()["access_token"]
    server.clock.advance(50)
    assert tenant.userinfo(token).status_code == 200
    server.clock.advance(11)
    refused(tenant.userinfo(token), 401, "invalid_token")


def test_a_token_for_an_api_alone(tenant: Tenant, browser: Browser) -> None:
    """RFC 9068 §4: without `openid` the userinfo endpoint is not in its audience."""
    client = tenant.application()
    tenant.user()
    tenant.api("https://api.example.com", "read")
    granted = sign_in(
        browser, tenant, client, audience="https://api.example.com", scope="read profile"
    )
    refused(tenant.userinfo(granted.tokens()["access_token"]), 401, "invalid_token")


def test_a_token_without_openid(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §5.3.3 and RFC 6750 §3.1: 403 insufficient_scope."""
    client = tenant.application()
    tenant.user()
    tokens = sign_in(browser, tenant, client, scope="profile").tokens()
    assert "id_token" not in tokens
    response = tenant.userinfo(tokens["access_token"])
    assert "openid" in refused(response, 403, "insufficient_scope")
    challenge = response.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="openid"' in challenge


@pytest.mark.parametrize("gone", ["user", "application"])
def test_a_token_of_somebody_who_is_gone(tenant: Tenant, browser: Browser, gone: str) -> None:
    """RFC 6750 §3.1: a deleted user or application ends its tokens here at once."""

    client = tenant.application()
    user = tenant.user()
    token = sign_in(browser, tenant, client).tokens()["access_token"]
    if gone == "user":
        tenant.write(users.delete, Patch(user.id))
    else:
        tenant.write(applications.delete, Patch(client.facts.id))
    refused(tenant.userinfo(token), 401, "invalid_token")


def test_an_older_application_gets_text_for_updated_at(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §5.1 has a number; applications from before it expect text."""
    client = tenant.application(oidc_conformant=False)
    user = tenant.user(name="Ann")
    tokens = sign_in(browser, tenant, client).tokens()
    claims = tenant.userinfo(tokens["access_token"]).json()
    assert claims["updated_at"] == user.updated_at.isoformat()
    assert jwt.claims_of(tokens["id_token"])["email"] == "ann@example.com"
