"""OpenID Connect Core §15.2: what a provider does for applications that register themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from anyio.from_thread import BlockingPortal

from tests.support import jwt
from tests.support.browser import Browser, Page
from tests.support.client_keys import assertion_claims, proving, public_jwk, rsa_key, signed
from tests.support.databases import Databases
from tests.support.flow import Asked, Parameters, authorize, log_in, request_for
from tests.support.registration import ask, client_of, read, register
from tests.support.remote import Remote, serving
from tests.support.server import CALLBACK, HTTPS_URL, TENANT_URL, Client, Server, Tenant, begun

CODE, IMPLICIT, REFRESH = "authorization_code", "implicit", "refresh_token"
GRANTS = {
    "code": [CODE],
    "id_token": [IMPLICIT],
    "id_token token": [IMPLICIT],
    "code id_token": [CODE, IMPLICIT],
    "code token": [CODE, IMPLICIT],
    "code id_token token": [CODE, IMPLICIT],
}


@pytest.fixture(scope="module")
def server(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    """A server whose operator lets it ask addresses on this machine."""
    with (
        databases.url("sqlite") as url,
        begun(url, portal, outbound_allow_private=True) as made,
    ):
        yield made


@pytest.fixture
def tenant(server: Server) -> Tenant:
    made = server.tenant(enable_dynamic_client_registration=True)
    made.user(name="Ann")
    return made


@pytest.fixture
def remote() -> Iterator[Remote]:
    with serving() as made:
        yield made


def usual(response_type: str = "code", **more: Any) -> dict[str, Any]:
    """What a careful client sends, whatever it authenticates with: a key without a name."""
    return {
        "client_name": "A relying party",
        "contacts": ["ops@app.example.com"],
        "grant_types": GRANTS[response_type],
        "response_types": [response_type],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [public_jwk(rsa_key(), None, alg="RS256", use="sig")]},
    } | more


@dataclass(frozen=True)
class Party:
    tenant: Tenant
    browser: Browser
    client: Client

    def ask(self, **changes: str | None) -> tuple[Asked, Page]:
        plain: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}
        asked = request_for(self.client, **(plain | {"scope": "openid"} | changes))
        return asked, self.go(asked.parameters)

    def go(self, parameters: Parameters) -> Page:
        page = authorize(self.browser, self.tenant, parameters)
        if page.title == "Log in":
            page = log_in(self.browser, page)
        if page.title == "Allow access":
            page = self.browser.submit(page, "consent-form", press="consent-allow")
        return page

    def prove(self, key: Any = None, kid: str | None = None, **claims: Any) -> Parameters:
        header = {"kid": kid} if kid else {}
        given = {"aud": self.tenant.url("oauth/token")} | claims
        made = assertion_claims(self.tenant, self.client, **given)
        return proving(signed(made, key or rsa_key(), **header))

    def token(self, proof: Parameters, **fields: str) -> dict[str, Any]:
        answer = self.tenant.server.client.post(self.tenant.url("oauth/token"), data=fields | proof)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def redeem(self, code: str, proof: Parameters | None = None) -> dict[str, Any]:
        fields = {"grant_type": CODE, "code": code, "redirect_uri": self.client.redirect_uri}
        return self.token(self.prove() if proof is None else proof, **fields)


def party(tenant: Tenant, browser: Browser, **metadata: Any) -> Party:
    return Party(tenant, browser, client_of(tenant, register(tenant, **metadata)))


@pytest.mark.parametrize("response_type", GRANTS)
def test_response_types(tenant: Tenant, browser: Browser, response_type: str) -> None:
    """§15.2, and Core §9: assertions without a `kid`, for the token endpoint or the issuer."""
    made = party(tenant, browser, **usual(response_type))
    asked, page = made.ask(response_type=response_type)
    answer = page.answer
    if "code" in answer:
        answer = answer | made.redeem(answer["code"])
        # A sign-in that exists and a consent that was given: silently, with the other audience.
        _, page = made.ask(response_type=response_type, prompt="none")
        again = made.redeem(page.answer["code"], made.prove(aud=tenant.issuer))
        assert again["id_token"] != answer["id_token"]
    header, claims = jwt.verify(answer["id_token"], tenant.jwks())
    assert (header["alg"], claims["nonce"]) == ("RS256", asked.nonce)
    if "access_token" in answer:
        assert tenant.userinfo(answer["access_token"]).json() == {"sub": claims["sub"]}


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_key_beside_a_secret(tenant: Tenant, browser: Browser, method: str) -> None:
    """Registration §2: `jwks` may be there for other uses than the authentication."""
    metadata = usual(token_endpoint_auth_method=method)
    answer = register(tenant, **metadata)
    assert answer["client_secret_expires_at"] == 0
    assert metadata.items() <= answer.items()
    made = Party(tenant, browser, client_of(tenant, answer))
    _, page = made.ask()
    fields = {"grant_type": CODE, "code": page.answer["code"], "redirect_uri": CALLBACK}
    auth = made.client.basic if method == "client_secret_basic" else None
    assert tenant.token(made.client, auth, **fields).json()["id_token"]


def test_redirect_uris(tenant: Tenant, browser: Browser) -> None:
    """§3.1.2.1: the query is a part of it; of two, one must be named; a fragment is refused."""
    uri = f"{CALLBACK}?dummy1=lorem&dummy2=ipsum"
    made = party(tenant, browser, **usual(redirect_uris=[uri]))
    _, page = made.ask()
    assert page.left_for.startswith(f"{uri}&")
    assert page.answer.keys() >= {"dummy1", "dummy2", "code"}
    for other in (CALLBACK, f"{CALLBACK}?dummy1=lorem", f"{uri}&more=1", f"{uri}x"):
        _, page = made.ask(redirect_uri=other)
        assert page.error == "invalid_request", other
    second = "https://example.org/redirect"
    two = party(tenant, browser, **usual(redirect_uris=[CALLBACK, second]))
    _, page = two.ask(redirect_uri=None)
    assert page.error == "invalid_request"
    refused = ask(tenant, **usual(redirect_uris=[f"{CALLBACK}#foo"]))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_redirect_uri")


def test_signed_userinfo(tenant: Tenant, browser: Browser) -> None:
    """Core §5.3.2 and Registration §2: `application/jwt` with `iss` and `aud`, for this party."""
    made = party(tenant, browser, **usual(userinfo_signed_response_alg="RS256"))
    _, page = made.ask(scope="openid profile")
    answer = tenant.userinfo(made.redeem(page.answer["code"])["access_token"])
    assert answer.headers["content-type"].startswith("application/jwt")
    header, claims = jwt.verify(answer.text, tenant.jwks())
    assert header["alg"] == "RS256"
    assert (claims["iss"], claims["aud"], claims["name"]) == (tenant.issuer, made.client.id, "Ann")


def test_request_uri(tenant: Tenant, browser: Browser, remote: Remote) -> None:
    """§6.2: at a registered address, signed without a `kid`, its parameters repeated outside."""
    path = f"/requesturi/{uuid4().hex * 3}"
    made = party(
        tenant,
        browser,
        **usual(request_uris=[remote.url(path[1:])], request_object_signing_alg="RS256"),
    )
    asked = request_for(
        made.client, scope="openid", code_challenge=None, code_challenge_method=None
    )
    claims = asked.parameters | {"iss": made.client.id, "aud": tenant.issuer}
    remote.documents[path] = signed(claims, rsa_key()).encode()
    repeated = ("response_type", "client_id", "scope", "redirect_uri")
    outside = {name: asked.parameters[name] for name in repeated}
    page = made.go(outside | {"request_uri": remote.url(path[1:])})
    assert page.answer["state"] == asked.state
    assert jwt.claims_of(made.redeem(page.answer["code"])["id_token"])["nonce"] == asked.nonce


def test_a_party_rotates_its_key(tenant: Tenant, browser: Browser, remote: Remote) -> None:
    """§10.1.1: a key that appeared at the `jwks_uri` within a minute is found by its `kid`."""
    metadata = usual(jwks_uri=remote.url("jwks"), grant_types=[CODE, REFRESH])
    del metadata["jwks"]
    made = party(tenant, browser, **metadata)

    def publish(name: str) -> Parameters:
        keys = str({"keys": [public_jwk(rsa_key(name), name)]}).replace("'", '"')
        remote.documents["/jwks"] = keys.encode()
        now = int(tenant.server.clock.now().timestamp())
        return made.prove(rsa_key(name), name, iat=now, exp=now + 60)

    _, page = made.ask(scope="openid offline_access", prompt="consent")
    tokens = made.redeem(page.answer["code"], publish("one"))
    tenant.server.clock.advance(60)
    fields = {"grant_type": REFRESH, "refresh_token": tokens["refresh_token"]}
    again = made.token(publish("two"), **fields)
    assert tenant.userinfo(again["access_token"]).status_code == 200


def test_login_initiated_by_others(databases: Databases, portal: BlockingPortal) -> None:
    """§4 and Registration §2: `initiate_login_uri` is https, answered and read again."""
    with databases.url("sqlite") as url:
        server = Server(url, portal, public_url=HTTPS_URL, tenant_url=TENANT_URL)
        server.begin()
        tenant = server.tenant(enable_dynamic_client_registration=True)
        uri = "https://app.example.com/initiate"
        metadata = usual(token_endpoint_auth_method="client_secret_basic")
        answer = register(tenant, **metadata, initiate_login_uri=uri)
        assert answer["initiate_login_uri"] == uri
        assert answer["registration_client_uri"].startswith("https://")
        current = read(tenant, answer)
        assert (current.status_code, current.json()["initiate_login_uri"]) == (200, uri)
        assert current.headers["content-type"] == "application/json"
        for wrong in ("http://app.example.com/initiate", "http://localhost/initiate"):
            refused = ask(tenant, **metadata, initiate_login_uri=wrong)
            assert refused.status_code == 400
            assert refused.json()["error"] == "invalid_client_metadata"
        server.close()


def test_what_discovery_names(tenant: Tenant) -> None:
    """§15.2 and Discovery §3: the response types and grants of a dynamic provider."""
    get = tenant.server.client.get
    document = get(tenant.url(".well-known/openid-configuration")).json()
    assert document["registration_endpoint"] == tenant.url("oidc/register")
    assert {"code", "id_token", "id_token token"} <= set(document["response_types_supported"])
    assert {CODE, IMPLICIT} <= set(document["grant_types_supported"])
    assert document["request_uri_parameter_supported"] is True
    assert "RS256" in document["request_object_signing_alg_values_supported"]
