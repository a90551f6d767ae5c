"""RFC 7523 §2.2 and §3, OpenID Connect Core §9: applications that prove themselves by a JWT."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from anyio.from_thread import BlockingPortal
from authlib.oauth2.rfc7523 import client_secret_jwt_sign, private_key_jwt_sign
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support import jwt
from tests.support.client_keys import (
    assertion_claims,
    ec_key,
    ed_key,
    proving,
    public_jwk,
    rsa_key,
    signed,
)
from tests.support.databases import Databases
from tests.support.flow import authorize, refused, request_for, sign_in
from tests.support.remote import Remote, serving
from tests.support.server import Client, Server, Tenant, begun, both_databases

API = "https://api.example.com"
GRANT = {"grant_type": "client_credentials", "audience": API}


def key_set(*keys: Any) -> dict[str, Any]:
    return {"keys": list(keys)}


def machine(tenant: Tenant, **values: Any) -> Client:
    given = {"token_endpoint_auth_method": "private_key_jwt"} | values
    if given["token_endpoint_auth_method"] == "private_key_jwt" and "jwks_uri" not in given:
        given.setdefault("jwks", key_set(public_jwk(rsa_key())))
    client = tenant.application("non_interactive", **given)
    tenant.api(API, "read")
    tenant.grant(client, API, "read")
    return client


def ask(tenant: Tenant, assertion: str, **fields: str) -> httpx2.Response:
    return tenant.server.client.post(
        tenant.url("oauth/token"), data=GRANT | proving(assertion) | fields
    )


@both_databases
def test_private_key_jwt(server: Server, tenant: Tenant) -> None:
    """§9: the private key proves the application; no secret is made for it."""
    client = machine(tenant)
    assert client.secret == ""
    answer = ask(tenant, signed(assertion_claims(tenant, client), rsa_key(), kid="k1"))
    assert answer.status_code == 200, answer.text
    again = ask(tenant, signed(assertion_claims(tenant, client), rsa_key()), client_id=client.id)
    assert again.status_code == 200


@pytest.mark.parametrize("alg", ["RS256", "RS384", "PS256", "ES256", "EdDSA"])
def test_algorithms(tenant: Tenant, alg: str) -> None:
    """RFC 7518 §3.1: each that is advertised works, and a registered one is the only one."""
    key = {"ES256": ec_key(), "EdDSA": ed_key()}.get(alg, rsa_key())
    client = machine(tenant, jwks=key_set(public_jwk(key)))
    assert ask(tenant, signed(assertion_claims(tenant, client), key, alg)).status_code == 200
    other = "RS384" if alg == "RS256" else "RS256"
    tenant.change_application(client, token_endpoint_auth_signing_alg=other)
    answer = ask(tenant, signed(assertion_claims(tenant, client), key, alg))
    refused(answer, 401, "invalid_client")


def test_assertions_of_a_common_library(tenant: Tenant) -> None:
    """§9: what Authlib makes by default, for the token endpoint and an hour long."""
    url = tenant.url("oauth/token")
    by_key = machine(tenant)
    private = rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    made = private_key_jwt_sign(private.decode(), by_key.id, url)
    assert ask(tenant, made).status_code == 200
    by_secret = tenant.application(
        "non_interactive", token_endpoint_auth_method="client_secret_jwt"
    )
    tenant.grant(by_secret, API, "read")
    made = client_secret_jwt_sign(by_secret.secret, by_secret.id, url)
    assert ask(tenant, made).status_code == 200


@both_databases
def test_client_secret_jwt(server: Server, tenant: Tenant) -> None:
    """§9: the secret signs by HS256, and is not sent."""
    client = machine(tenant, token_endpoint_auth_method="client_secret_jwt")
    secret = client.secret.encode()
    assertion = signed(assertion_claims(tenant, client), secret, "HS256")
    assert ask(tenant, assertion).status_code == 200
    wrong = signed(assertion_claims(tenant, client), b"x" * 43, "HS256")
    refused(ask(tenant, wrong), 401, "invalid_client")
    # The secret itself does not count.
    refused(tenant.token(client, **GRANT), 401, "invalid_client")
    rotated = tenant.rotate_secret(client)
    old = signed(assertion_claims(tenant, client), secret, "HS256")
    refused(ask(tenant, old), 401, "invalid_client")
    new = signed(assertion_claims(tenant, client), rotated.secret.encode(), "HS256")
    assert ask(tenant, new).status_code == 200


def test_the_audience(server: Server, tenant: Tenant) -> None:
    """RFC 7523 §3 (3): the issuer, the token endpoint, and where it was sent; also in a list."""
    client = machine(tenant)
    url = tenant.url("oauth/token")
    for audience in (tenant.issuer, url, ["https://other.example.com", url]):
        claims = assertion_claims(tenant, client, aud=audience)
        assert ask(tenant, signed(claims, rsa_key())).status_code == 200, audience
    url = tenant.url("oauth/revoke")
    claims = assertion_claims(tenant, client, aud=url)
    form = {"token": "x"} | proving(signed(claims, rsa_key()))
    assert server.client.post(url, data=form).status_code == 200
    refused(
        ask(tenant, signed(assertion_claims(tenant, client, aud=url), rsa_key())),
        401,
        "invalid_client",
    )


NOW = int(time.time())
BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"iat": NOW - 300, "exp": NOW - 1},
    "no exp": {"exp": None},
    "exp is text": {"exp": str(NOW + 60)},
    "exp is true": {"exp": True},
    "exp is huge": {"exp": 1e300},
    "lives too long": {"exp": NOW + 2 * 3600},
    "lives too long without iat": {"iat": None, "exp": NOW + 2 * 3600},
    "from the future": {"iat": NOW + 3600},
    "not yet": {"nbf": NOW + 3600},
    "no sub": {"sub": None},
    "another sub": {"sub": "somebody"},
    "sub is a list": {"sub": ["x"]},
    "sub cannot be stored": {"sub": "x\ud800"},
    "sub has a NUL": {"sub": "x\0"},
    "exp is no number": {"exp": float("nan")},
    "exp is infinite": {"exp": float("inf")},
    "no iss": {"iss": None},
    "another iss": {"iss": "somebody"},
    "no aud": {"aud": None},
    "another aud": {"aud": "https://other.example.com/"},
    "no good aud": {"aud": ["https://other.example.com/", 1, None]},
    "aud is an object": {"aud": {"x": 1}},
    "no jti": {"jti": None},
    "jti is a number": {"jti": 7},
    "long jti": {"jti": "x" * 256},
    "odd jti": {"jti": "\ud800"},
}


@pytest.mark.parametrize("name", BAD_CLAIMS)
def test_claims(server: Server, tenant: Tenant, name: str) -> None:
    """RFC 7523 §3: each claim is checked, and nothing is remembered of a bad one."""
    client = machine(tenant)
    claims = assertion_claims(tenant, client, **BAD_CLAIMS[name])
    with server.stores_nothing():
        told = refused(ask(tenant, signed(claims, rsa_key())), 401, "invalid_client")
        # Whose signature is not good hears nothing of the claims.
        nothing = refused(ask(tenant, signed(claims, rsa_key("evil"))), 401, "invalid_client")
    assert nothing == "The application could not be authenticated."
    if claims.get("sub") == client.id:
        assert "client_assertion" in told


def _public_pem() -> bytes:
    return jwt.pem_of(public_jwk(rsa_key()))


BAD_SIGNATURES: dict[str, Callable[[Any], str]] = {
    "alg none": lambda claims: signed(claims, None, "none"),
    "no alg": lambda claims: signed(claims, rsa_key(), None),  # type: ignore[arg-type]
    "HS256 with the public key": lambda claims: signed(claims, _public_pem(), "HS256"),
    "HS256 with the JWK": lambda claims: signed(
        claims, json.dumps(public_jwk(rsa_key())).encode(), "HS256"
    ),
    "RS512": lambda claims: signed(claims, rsa_key(), "RS512"),
    "an alg that cannot be stored": lambda claims: signed(claims, None, "\ud800\0"),
    "a kid that cannot be stored": lambda claims: signed(claims, rsa_key(), kid="\ud800\0"),
    "a typ that cannot be stored": lambda claims: signed(claims, rsa_key(), typ="\ud800\0"),
    "another key": lambda claims: signed(claims, rsa_key("another")),
    "another kid": lambda claims: signed(claims, rsa_key(), kid="k2"),
    "its own key in jwk": lambda claims: signed(
        claims, rsa_key("another"), jwk=public_jwk(rsa_key("another"))
    ),
    "its own key at jku": lambda claims: signed(
        claims, rsa_key("another"), jku="https://attacker.example.com/jwks", kid="k1"
    ),
    "its own key at x5u": lambda claims: signed(
        claims, rsa_key("another"), x5u="https://attacker.example.com/cert"
    ),
    "unknown crit": lambda claims: signed(claims, rsa_key(), crit=["exp"], exp=1),
    "b64 false": lambda claims: signed(claims, rsa_key(), crit=["b64"], b64=False),
    "an access token's typ": lambda claims: signed(claims, rsa_key(), typ="at+jwt"),
    "five parts": lambda claims: signed(claims, rsa_key()) + ".e30.e30",
    "no parts": lambda _: "nonsense",
    "not base64": lambda _: "!!.!!.!!",
    "a list": lambda _: signed([], rsa_key()),  # type: ignore[arg-type]
    "nested": lambda _: f"{jwt.encode(b'[' * 2000)}.{jwt.encode(b'[' * 2000)}.x",
}


@both_databases
@pytest.mark.parametrize("name", BAD_SIGNATURES)
def test_signatures(server: Server, tenant: Tenant, name: str) -> None:
    """RFC 8725 §3: only a registered key, in the way that was registered."""
    client = machine(tenant)
    claims = assertion_claims(tenant, client)
    with server.stores_nothing():
        refused(ask(tenant, BAD_SIGNATURES[name](claims)), 401, "invalid_client")


def test_an_assertion_counts_once(server: Server, tenant: Tenant, databases: Databases) -> None:
    """RFC 7523 §3 (7): a `jti` is accepted once, until the assertion has expired."""
    client = machine(tenant)
    claims = assertion_claims(tenant, client)
    first = signed(claims, rsa_key())
    assert ask(tenant, first).status_code == 200
    with server.stores_nothing():
        refused(ask(tenant, first), 401, "invalid_client")
        refused(ask(tenant, signed(claims | {"exp": claims["exp"] + 1}, rsa_key())), 401,
                "invalid_client")  # fmt: skip
    # Another application's identifiers are its own.
    other = tenant.application(
        "non_interactive",
        token_endpoint_auth_method="private_key_jwt",
        jwks=key_set(public_jwk(rsa_key())),
    )
    tenant.grant(other, API, "read")
    answer = ask(tenant, signed(assertion_claims(tenant, other, jti=claims["jti"]), rsa_key()))
    assert answer.status_code == 200


@both_databases
def test_parallel_use_has_one_winner(server: Server, tenant: Tenant) -> None:
    """Of many requests with one assertion a single one is answered."""
    client = machine(tenant)
    assertion = signed(assertion_claims(tenant, client), rsa_key())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(tenant, assertion).status_code, range(8)))
    assert sorted(answers) == [200] + [401] * 7


def test_the_method_is_the_registered_one(server: Server, tenant: Tenant) -> None:
    """OpenID Connect Core §9: another way to authenticate is refused."""
    client = machine(tenant)
    with_secret = tenant.application("non_interactive", name="By secret")
    tenant.grant(with_secret, API, "read")
    by_secret = signed(assertion_claims(tenant, with_secret), with_secret.secret.encode(), "HS256")
    with server.stores_nothing():
        refused(ask(tenant, by_secret), 401, "invalid_client")
        refused(tenant.token(client, **GRANT), 401, "invalid_client")
        refused(tenant.token(client, auth=(client.id, "x" * 43), **GRANT), 401, "invalid_client")
        good = signed(assertion_claims(tenant, client), rsa_key())
        refused(ask(tenant, good, client_id=with_secret.id), 401, "invalid_client")
        refused(ask(tenant, good, client_secret="x" * 43), 400, "invalid_request")
        refused(ask(tenant, good, client_assertion_type="urn:x"), 401, "invalid_client")
    foreign = server.tenant()
    foreign.api(API, "read")
    with server.stores_nothing():
        refused(ask(foreign, good), 401, "invalid_client")
    assert ask(tenant, good).status_code == 200


def test_a_secret_is_kept_hidden_meanwhile(tenant: Tenant) -> None:
    """The secret works again when the method is set back; nothing else makes it work."""
    client = tenant.application("non_interactive")
    tenant.api(API, "read")
    tenant.grant(client, API, "read")
    keys = key_set(public_jwk(rsa_key()))
    tenant.change_application(client, token_endpoint_auth_method="private_key_jwt", jwks=keys)
    refused(tenant.token(client, **GRANT), 401, "invalid_client")
    tenant.change_application(client, token_endpoint_auth_method="client_secret_post")
    assert tenant.token(client, **GRANT).status_code == 200


def test_a_code_is_redeemed_by_assertion(server: Server, tenant: Tenant) -> None:
    """OpenID Connect Core §3.1.3.1: "the Client MUST authenticate", here by its key."""
    client = tenant.application(
        token_endpoint_auth_method="private_key_jwt", jwks=key_set(public_jwk(ec_key()))
    )
    tenant.user()
    granted = sign_in(server.browser(), tenant, client)
    assertion = signed(assertion_claims(tenant, client), ec_key(), "ES256")
    answer = server.client.post(
        tenant.url("oauth/token"), data=granted.fields() | proving(assertion)
    )
    assert answer.status_code == 200, answer.text


def test_id_tokens_by_the_secret(server: Server, tenant: Tenant) -> None:
    """OpenID Connect Core §10.1, §3.1.3.6: HS256 by the client secret, with its hash."""
    client = tenant.application(id_token_signed_response_alg="HS256")
    tenant.user()
    tokens = sign_in(server.browser(), tenant, client).tokens()
    token = tokens["id_token"]
    claims = jwt.claims_of(token)
    assert jwt.header_of(token) == {"alg": "HS256", "typ": "JWT"}
    assert token == signed_again(token, client.secret.encode())
    assert claims["at_hash"] == jwt.half_hash(tokens["access_token"])
    assert jwt.header_of(tokens["access_token"])["alg"] == "RS256"


def test_a_hint_by_the_secret(server: Server, tenant: Tenant) -> None:
    """OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2: for its own application alone."""
    browser = server.browser()
    back = "https://app.example.com/bye"
    values: dict[str, Any] = {
        "id_token_signed_response_alg": "HS256",
        "post_logout_redirect_uris": (back,),
    }
    client, other = tenant.application(**values), tenant.application(name="Other", **values)
    by_key = tenant.application(name="By key", post_logout_redirect_uris=(back,))
    tenant.user()
    hint = sign_in(browser, tenant, client).tokens()["id_token"]
    asked = request_for(client, prompt="none", id_token_hint=hint)
    assert "code" in authorize(browser, tenant, asked.parameters).answer
    forged = signed(jwt.claims_of(hint), other.secret.encode(), "HS256", typ="JWT")
    for wrong, target in ((forged, client), (forged, other), (hint, other), (hint, by_key)):
        asked = request_for(target, prompt="none", id_token_hint=wrong)
        page = authorize(browser, tenant, asked.parameters)
        assert page.answer["error"] == "invalid_request"
    logout = tenant.url("oidc/logout")
    leave = {"post_logout_redirect_uri": back, "id_token_hint": forged}
    assert browser.get(logout, leave).status == 400
    page = browser.get(logout, leave | {"id_token_hint": hint, "state": "s"})
    assert page.left_for == f"{back}?state=s"


def signed_again(token: str, secret: bytes) -> str:
    text = token.rpartition(".")[0]
    return f"{text}.{jwt.encode(hmac.digest(secret, text.encode(), 'sha256'))}"


@pytest.fixture(scope="module")
def remote() -> Iterator[Remote]:
    with serving() as made:
        yield made


@pytest.fixture(scope="module")
def fetching(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    """A server whose operator lets it ask loopback."""
    with (
        databases.url("sqlite") as url,
        begun(url, portal, outbound_allow_private=True) as made,
    ):
        yield made


def test_keys_are_fetched(fetching: Server, remote: Remote) -> None:
    """RFC 7517 §5: kept for five minutes; fetched again for an unknown kid, not too often."""
    tenant = fetching.tenant()
    client = machine(tenant, jwks_uri=remote.url("jwks"))
    remote.documents["/jwks"] = json.dumps(key_set(public_jwk(rsa_key("one")))).encode()

    def status(name: str, kid: str) -> int:
        now = int(fetching.clock.now().timestamp())
        claims = assertion_claims(tenant, client, iat=now, exp=now + 60)
        return ask(tenant, signed(claims, rsa_key(name), kid=kid)).status_code

    assert [status("one", "k1"), status("one", "k1")] == [200, 200]
    assert remote.asked == ["/jwks"]
    remote.documents["/jwks"] = json.dumps(key_set(public_jwk(rsa_key("two"), "k2"))).encode()
    assert status("two", "k2") == 401  # Asked a moment ago.
    fetching.clock.advance(11)
    assert [status("two", "k2"), status("one", "k1")] == [200, 401]
    assert remote.asked == ["/jwks"] * 2
    fetching.clock.advance(301)
    del remote.documents["/jwks"]
    assert [status("two", "k2"), status("two", "k2")] == [401, 401]
    assert remote.asked == ["/jwks"] * 3


def test_inner_addresses_are_not_asked(server: Server, tenant: Tenant, remote: Remote) -> None:
    """RFC 7591 §5: without the operator's word loopback is not asked at all."""
    before = len(remote.asked)
    client = machine(tenant, jwks_uri=remote.url("jwks"))
    claims = assertion_claims(tenant, client)
    refused(ask(tenant, signed(claims, rsa_key(), kid="k1")), 401, "invalid_client")
    assert len(remote.asked) == before
