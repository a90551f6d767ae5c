"""JARM: JWT Secured Authorization Response Mode for OAuth 2.0 (final)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from anyio.from_thread import BlockingPortal
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwe
from joserfc.jwk import ECKey, RSAKey

from tenantry.core.facts import SigningAlgorithm
from tests.support import jwt
from tests.support.browser import Browser, Page
from tests.support.client_keys import ec_key, public_jwk, rsa_key
from tests.support.databases import Databases
from tests.support.flow import Asked, Parameters, authorize, log_in, request_for
from tests.support.pushing import follow, pushed
from tests.support.remote import Remote, serving
from tests.support.server import CALLBACK, Client, Server, Tenant, begun, both_databases

HYBRID = ("authorization_code", "implicit")


def allowed(browser: Browser, page: Page) -> Page:
    """The person signs in and allows whatever is asked."""
    if page.title == "Log in":
        page = log_in(browser, page)
    if page.title == "Allow access":
        page = browser.submit(page, "consent-form", press="consent-allow")
    return posting(browser, page)


def posting(browser: Browser, page: Page) -> Page:
    """§2.3.3: the page that posts by itself where script runs."""
    return browser.submit(page, "response-form") if "response-form" in page.forms else page


def read(tenant: Tenant, client: Client, page: Page) -> dict[str, Any]:
    """§2.4: the claims, once signature, issuer, audience and time are good."""
    assert page.answer.keys() == {"response"}
    return opened(tenant, client, page.answer["response"])


def opened(tenant: Tenant, client: Client, token: str) -> dict[str, Any]:
    _, claims = jwt.verify(token, tenant.jwks())
    now = tenant.server.clock.now().timestamp()
    assert (claims.pop("iss"), claims.pop("aud")) == (tenant.issuer, client.id)
    assert now - 5 <= claims.pop("iat") <= now
    assert now < claims.pop("exp") <= now + 600
    return claims


@both_databases
def test_the_flow(server: Server, tenant: Tenant, browser: Browser) -> None:
    """§2.3 and §2.4: the code, the state and the issuer inside one signed parameter."""
    client = tenant.application()
    tenant.user()
    asked = request_for(client, response_mode="jwt")
    page = allowed(browser, authorize(browser, tenant, asked.parameters))
    assert page.left_for.startswith(f"{CALLBACK}?response=")
    claims = read(tenant, client, page)
    assert claims.keys() == {"code", "state", "session_state"}
    assert claims["state"] == asked.state
    answer = tenant.token(
        client,
        grant_type="authorization_code",
        code=claims["code"],
        redirect_uri=CALLBACK,
        code_verifier=asked.verifier,
    )
    assert answer.status_code == 200, answer.text


MODES = [
    ("code", "query.jwt", "query"),
    ("code", "fragment.jwt", "fragment"),
    ("code", "form_post.jwt", "form_post"),
    ("code", "jwt", "query"),
    ("code id_token", "jwt", "fragment"),
    ("code id_token", "fragment.jwt", "fragment"),
    ("id_token token", "form_post.jwt", "form_post"),
]


def way_of(page: Page) -> str:
    if page.posted:
        return "form_post"
    return "fragment" if urlsplit(page.left_for).fragment else "query"


@pytest.mark.parametrize("response_type, mode, way", MODES)
def test_modes(tenant: Tenant, browser: Browser, response_type: str, mode: str, way: str) -> None:
    """§2.3.1 to §2.3.4: how the one parameter travels, good answer or bad."""
    tenant.user()
    client = tenant.application(grant_types=HYBRID)
    asked = request_for(client, response_type=response_type, response_mode=mode)
    page = allowed(browser, authorize(browser, tenant, asked.parameters))
    claims = read(tenant, client, page)
    assert way_of(page) == way
    assert ("code" in claims, "id_token" in claims) == (
        "code" in response_type.split(),
        "id_token" in response_type.split(),
    )
    refused = request_for(
        client, response_type=response_type, response_mode=mode, prompt="none login"
    )
    page = posting(browser, authorize(browser, tenant, refused.parameters))
    claims = read(tenant, client, page)
    assert way_of(page) == way
    assert (claims["error"], claims["state"]) == ("invalid_request", refused.state)


def test_every_refusal_is_signed(tenant: Tenant, browser: Browser) -> None:
    """§2.1: errors too: before the person came, by the person, and of what is pushed."""
    tenant.user()
    client = tenant.application(is_first_party=False)

    def told(page: Page) -> str:
        error: str = read(tenant, client, page)["error"]
        return error

    def ask(**changes: str | None) -> Asked:
        return request_for(client, response_mode="jwt", **changes)

    silent = authorize(browser, tenant, ask(prompt="none").parameters)
    assert told(silent) == "login_required"
    unknown = authorize(browser, tenant, ask(response_type="x").parameters)
    assert told(unknown) == "unsupported_response_type"
    page = log_in(browser, authorize(browser, tenant, ask().parameters))
    assert page.title == "Allow access"
    denied = browser.submit(page, "consent-form", press="consent-deny")
    assert told(denied) == "access_denied"
    reference = pushed(tenant, client, ask(prompt="none").parameters)
    assert told(follow(browser, tenant, client, reference)) == "consent_required"


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_signing_algorithms(tenant: Tenant, browser: Browser, alg: str) -> None:
    """§3: by the algorithm that the application registered."""
    tenant.change(signing_algorithms=tuple(SigningAlgorithm)[:4])
    client = tenant.application(authorization_signed_response_alg=alg)
    asked = request_for(client, response_mode="jwt", prompt="none")
    page = authorize(browser, tenant, asked.parameters)
    assert jwt.header_of(page.answer["response"])["alg"] == alg
    assert read(tenant, client, page)["error"] == "login_required"


def private_pem(key: Any) -> bytes:
    made: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made


def decrypted(token: str, key: Any, alg: str, enc: str) -> str:
    """As an application does it that knows beforehand how it is to be encrypted."""
    kind = RSAKey if alg.startswith("RSA") else ECKey
    found = jwe.decrypt_compact(token, kind.import_key(private_pem(key)), algorithms=[alg, enc])
    assert found.plaintext is not None
    header = found.headers()
    assert (header["alg"], header["enc"], header["cty"]) == (alg, enc, "JWT")
    assert header["kid"] == ("r" if kind is RSAKey else "e")
    return found.plaintext.decode()


KEYS = {
    "keys": [
        public_jwk(rsa_key("signing"), "s", use="sig"),
        public_jwk(rsa_key("encryption"), "r", use="enc"),
        public_jwk(ec_key("encryption"), "e", use="enc"),
    ]
}
PRIVATE = {"RSA": rsa_key("encryption"), "EC": ec_key("encryption")}
ENCRYPTIONS = [
    ("RSA-OAEP", "A128CBC-HS256"),
    ("RSA-OAEP-256", "A256CBC-HS512"),
    ("ECDH-ES", "A128GCM"),
    ("ECDH-ES+A256KW", "A256GCM"),
    ("RSA-OAEP-256", None),
]


@pytest.mark.parametrize("alg, enc", ENCRYPTIONS)
def test_encryption(tenant: Tenant, browser: Browser, alg: str, enc: str | None) -> None:
    """§2.2 and §3: signed, then encrypted; errors as well; by A128CBC-HS256 unless it says so."""
    client = tenant.application(
        jwks=KEYS,
        authorization_encrypted_response_alg=alg,
        authorization_encrypted_response_enc=enc,
    )
    asked = request_for(client, response_mode="jwt", prompt="none")
    page = authorize(browser, tenant, asked.parameters)
    key = PRIVATE["RSA" if alg.startswith("RSA") else "EC"]
    token = decrypted(page.answer["response"], key, alg, enc or "A128CBC-HS256")
    assert opened(tenant, client, token)["state"] == asked.state


def test_tokens_in_a_query(tenant: Tenant, browser: Browser) -> None:
    """§2.3.1: never, "unless the response JWT is encrypted"."""
    tenant.user()
    client = tenant.application(grant_types=HYBRID, jwks=KEYS)
    asked = request_for(client, response_type="code id_token", response_mode="query.jwt")
    page = authorize(browser, tenant, asked.parameters)
    assert way_of(page) == "fragment"
    assert read(tenant, client, page)["error"] == "invalid_request"
    tenant.change_application(client, authorization_encrypted_response_alg="RSA-OAEP-256")
    page = allowed(browser, authorize(browser, tenant, asked.parameters))
    assert way_of(page) == "query"
    key = PRIVATE["RSA"]
    token = decrypted(page.answer["response"], key, "RSA-OAEP-256", "A128CBC-HS256")
    assert opened(tenant, client, token).keys() >= {"code", "id_token"}


def test_a_private_use_scheme_is_not_posted_to(tenant: Tenant, browser: Browser) -> None:
    """§2.3.3: a form goes to a page."""
    uri = "com.example.app:/callback"
    client = tenant.application("native", redirect_uris=(uri,))
    asked = request_for(client, redirect_uri=uri, response_mode="form_post.jwt")
    page = authorize(browser, tenant, asked.parameters)
    assert page.left_for.startswith(f"{uri}?response=")
    assert read(tenant, client, page)["error"] == "invalid_request"


def test_unknown_modes(tenant: Tenant, browser: Browser) -> None:
    """§2.3: what is no mode is refused in the plain way."""
    client = tenant.application()
    for mode in ("web_message.jwt", "JWT", ".jwt", "query.JWT"):
        page = authorize(browser, tenant, request_for(client, response_mode=mode).parameters)
        assert page.answer["error"] == "invalid_request", mode


def test_an_answer_is_no_token(tenant: Tenant, browser: Browser) -> None:
    """RFC 8725 §3.11: what was signed for one purpose serves no other."""
    tenant.user()
    client = tenant.application()
    asked = request_for(client, response_mode="jwt")
    page = allowed(browser, authorize(browser, tenant, asked.parameters))
    token = page.answer["response"]
    http, bearer = tenant.server.client, {"Authorization": f"Bearer {token}"}
    assert http.get(tenant.url("userinfo"), headers=bearer).status_code == 401
    hinted: Parameters = request_for(client, id_token_hint=token).parameters
    assert authorize(browser, tenant, hinted).answer["error"] == "invalid_request"
    asks = client.body | {"token": token}
    answer = http.post(tenant.url("oauth/introspect"), data=asks)
    assert answer.json() == {"active": False}


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


def test_keys_that_are_fetched(fetching: Server, remote: Remote) -> None:
    """§3: by `jwks_uri`; what cannot be encrypted is told to nobody but the person."""
    tenant, browser = fetching.tenant(), fetching.browser()
    remote.documents["/good"] = json.dumps(KEYS).encode()
    remote.documents["/none"] = json.dumps({"keys": KEYS["keys"][:1]}).encode()
    for path, good in (("good", True), ("none", False), ("missing", False)):
        client = tenant.application(
            jwks_uri=remote.url(path), authorization_encrypted_response_alg="ECDH-ES"
        )
        asked = request_for(client, response_mode="jwt", prompt="none")
        began = time.monotonic()
        page = authorize(browser, tenant, asked.parameters)
        assert time.monotonic() - began < 5
        if good:
            key = PRIVATE["EC"]
            token = decrypted(page.answer["response"], key, "ECDH-ES", "A128CBC-HS256")
            assert opened(tenant, client, token)["error"] == "login_required"
        else:
            assert (page.status, page.left_for) == (400, "")
            assert "server_error" in page.error
