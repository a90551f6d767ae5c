"""RFC 9101 and OpenID Connect Core §6: authorization requests that the application signed."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Iterator
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.browser import Browser
from tests.support.client_keys import (
    assertion_claims,
    certificate,
    ec_key,
    ed_key,
    public_jwk,
    rsa_key,
    signed,
)
from tests.support.databases import Databases
from tests.support.flow import Asked, Granted, authorize, log_in, refused, request_for
from tests.support.jwt import encode
from tests.support.pushing import push
from tests.support.remote import Remote, serving
from tests.support.server import Client, Server, Tenant, begun, both_databases


def application(tenant: Tenant, **values: Any) -> Client:
    keys = {
        "keys": [
            public_jwk(rsa_key()),
            public_jwk(ec_key(), "k2"),
            public_jwk(ed_key(), "k3"),
        ]
    }
    return tenant.application(**({"jwks": keys} | values))


def claims_for(tenant: Tenant, client: Client, asked: Asked, **changes: Any) -> dict[str, Any]:
    claims = asked.parameters | {
        "iss": client.id,
        "aud": tenant.issuer,
        "exp": int(time.time()) + 60,
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def outside(client: Client, token: str, **more: str) -> dict[str, str]:
    """What OpenID Connect Core §6.1 wants beside the request object."""
    required = {"client_id": client.id, "response_type": "code", "scope": "openid"}
    return required | {"request": token} | more


def finish(browser: Browser, tenant: Tenant, client: Client, asked: Asked, page: Any) -> Granted:
    if page.title == "Log in":
        page = log_in(browser, page)
    if page.title == "Allow access":
        page = browser.submit(page, "consent-form", press="consent-allow")
    return Granted(tenant, client, asked, page.answer)


@both_databases
def test_the_flow(server: Server, tenant: Tenant, browser: Browser) -> None:
    """§6.1: everything inside; the code flow runs as without it."""
    client = application(tenant)
    tenant.user()
    asked = request_for(client)
    token = signed(claims_for(tenant, client, asked), rsa_key(), kid="k1")
    granted = finish(
        browser, tenant, client, asked, authorize(browser, tenant, outside(client, token))
    )
    assert granted.answer["state"] == asked.state
    assert granted.tokens()["scope"] == "openid profile email"


@pytest.mark.parametrize("alg", ["RS256", "RS384", "PS256", "ES256", "EdDSA"])
def test_algorithms(tenant: Tenant, browser: Browser, alg: str) -> None:
    """Discovery §3: each that is advertised works, and a registered one is the only one."""
    client = application(tenant, request_object_signing_alg=alg)
    token = signed(
        claims_for(tenant, client, request_for(client)),
        {"ES256": ec_key(), "EdDSA": ed_key()}.get(alg, rsa_key()),
        alg,
        typ="oauth-authz-req+jwt",
    )
    assert authorize(browser, tenant, outside(client, token)).title == "Log in"
    other = "RS384" if alg == "RS256" else "RS256"
    tenant.change_application(client, request_object_signing_alg=other)
    assert "invalid_request_object" in authorize(browser, tenant, outside(client, token)).error


def test_what_is_outside_counts_for_nothing(tenant: Tenant, browser: Browser) -> None:
    """RFC 9101 §6.3: "MUST only use the parameters included in the Request Object"."""
    client = application(tenant)
    tenant.user()
    asked = request_for(client, scope="openid")
    token = signed(claims_for(tenant, client, asked), rsa_key())
    more = {
        "state": "forged",
        "redirect_uri": "https://attacker.example.com/",
        "scope": "openid profile email",
        "nonce": "forged",
        "prompt": "none",
        "code_challenge": "x" * 43,
        "code_challenge_method": "plain",
    }
    page = authorize(browser, tenant, outside(client, token) | more)
    granted = finish(browser, tenant, client, asked, page)
    assert granted.answer["state"] == asked.state
    assert granted.tokens()["scope"] == "openid"


def test_a_parameter_that_is_only_outside_is_missing(tenant: Tenant, browser: Browser) -> None:
    """A challenge that nobody signed is no challenge, a state neither."""
    client = application(tenant, require_pkce=True)
    asked = request_for(client)
    claims = claims_for(tenant, client, asked, code_challenge=None, code_challenge_method=None)
    page = authorize(browser, tenant, asked.parameters | {"request": signed(claims, rsa_key())})
    assert page.answer["error"] == "invalid_request"
    assert "code_challenge" in page.answer["error_description"]


BAD: dict[str, dict[str, Any]] = {
    "expired": {"exp": int(time.time()) - 1},
    "exp is text": {"exp": "tomorrow"},
    "exp is no number": {"exp": float("nan")},
    "not yet": {"nbf": int(time.time()) + 3600},
    "from the future": {"iat": int(time.time()) + 3600},
    "another iss": {"iss": "somebody"},
    "another client_id": {"client_id": "somebody"},
    "another aud": {"aud": "https://other.example.com/"},
    "no good aud": {"aud": [1, "https://other.example.com/"]},
    "a request inside": {"request": "x"},
    "a request_uri inside": {"request_uri": "https://app.example.com/r"},
}


@pytest.mark.parametrize("name", BAD)
def test_claims(server: Server, tenant: Tenant, browser: Browser, name: str) -> None:
    """RFC 9101 §4 and §10: told at the registered address where there is one outside."""
    client = application(tenant)
    asked = request_for(client)
    token = signed(claims_for(tenant, client, asked, **BAD[name]), rsa_key())
    with server.stores_nothing():
        page = authorize(browser, tenant, outside(client, token))
        assert (page.status, "invalid_request_object" in page.error) == (400, True)
        page = authorize(
            browser, tenant, outside(client, token, redirect_uri=client.redirect_uri, state="s")
        )
        assert page.answer["error"] == "invalid_request_object"
        assert page.answer["state"] == "s"
        assert page.answer["iss"] == tenant.issuer


# Times are seconds from now.
LIMITED: dict[str, tuple[dict[str, Any], bool]] = {
    "good": ({}, True),
    "the longest": ({"nbf": -3500, "exp": 99}, True),
    "a list of audiences": ({"aud": ["x", "ISSUER"]}, True),
    "no nbf": ({"nbf": None}, False),
    "no exp": ({"exp": None}, False),
    "no aud": ({"aud": None}, False),
    "no iss": ({"iss": None}, False),
    "an old nbf": ({"nbf": -3700, "exp": 60}, False),
    "a late exp": ({"nbf": -10, "exp": 3700}, False),
    "from the future": ({"nbf": 60, "exp": 90}, False),
    "ended before it began": ({"nbf": 0, "exp": -60}, False),
    "no time": ({"nbf": "now"}, False),
}


@pytest.mark.parametrize("name", LIMITED)
def test_a_limited_life(tenant: Tenant, browser: Browser, name: str) -> None:
    """FAPI 1.0 Advanced §5.2.2 (13), (15) and (17): "no longer than 60 minutes"."""
    client = application(tenant, request_object_lifetime=3600)
    changes, good = LIMITED[name]
    if isinstance(changes.get("aud"), list):
        changes = {"aud": ["x", tenant.issuer]}
    now = int(time.time())
    changes = {key: now + of if isinstance(of, int) else of for key, of in changes.items()}
    claims = claims_for(tenant, client, request_for(client)) | {"nbf": now}
    claims = {key: value for key, value in (claims | changes).items() if value is not None}
    page = authorize(browser, tenant, outside(client, signed(claims, rsa_key())))
    if good:
        assert page.title == "Log in"
    else:
        assert "invalid_request_object" in page.error
    # Without the limit only what has ended or has not begun is refused.
    tenant.change_application(client, request_object_lifetime=None)
    again = authorize(browser, tenant, outside(client, signed(claims, rsa_key())))
    bad = name in {"from the future", "ended before it began", "no time"}
    assert (again.title == "Log in") is not bad


def test_signatures(server: Server, tenant: Tenant, browser: Browser) -> None:
    """Unsigned, by another key, by a key of its own header, by a secret."""
    client = application(tenant)
    without_keys = tenant.application(name="Without keys")
    claims = claims_for(tenant, client, request_for(client))
    other = rsa_key("another")
    tokens = [
        signed(claims, None, "none"),
        signed(claims, other),
        signed(claims, other, kid="k1"),
        signed(claims, other, jwk=public_jwk(other)),
        signed(claims, rsa_key(), kid="k9"),
        signed(claims, client.secret.encode(), "HS256"),
        signed(claims, rsa_key(), crit=["x"], x=1),
        signed(claims, rsa_key(), typ="at+jwt"),
        signed(claims, rsa_key())[:-8],
        "e30.e30.",
        "nonsense",
    ]
    with server.stores_nothing():
        for token in tokens:
            page = authorize(browser, tenant, outside(client, token))
            assert "invalid_request_object" in page.error, token
        own = claims_for(tenant, without_keys, request_for(without_keys))
        page = authorize(browser, tenant, outside(without_keys, signed(own, rsa_key())))
        assert "invalid_request_object" in page.error


def test_a_request_that_nobody_signed(tenant: Tenant, browser: Browser) -> None:
    """RFC 9101 §10.5: of an application that must sign, it is refused where it was to go."""
    client = application(tenant, require_signed_request_object=True)
    asked = request_for(client)
    page = authorize(browser, tenant, asked.parameters)
    assert (page.answer["error"], page.answer["state"]) == ("invalid_request", asked.state)
    assert "signed" in page.answer["error_description"]
    token = signed(claims_for(tenant, client, asked), rsa_key())
    assert authorize(browser, tenant, outside(client, token)).title == "Log in"
    unsigned = signed(claims_for(tenant, client, asked), None, "none")
    assert "invalid_request_object" in authorize(browser, tenant, outside(client, unsigned)).error


def test_an_assertion_is_no_request(tenant: Tenant, browser: Browser) -> None:
    """RFC 9101 §10.8: a client assertion must not pass as a request object."""
    client = application(tenant)
    token = signed(assertion_claims(tenant, client), rsa_key())
    assert "invalid_request_object" in authorize(browser, tenant, outside(client, token)).error


def test_the_redirect_uri_inside_is_checked(tenant: Tenant, browser: Browser) -> None:
    """A signature does not register an address."""
    client = application(tenant)
    asked = request_for(client, redirect_uri="https://attacker.example.com/")
    token = signed(claims_for(tenant, client, asked), rsa_key())
    page = authorize(browser, tenant, outside(client, token))
    assert (page.status, "invalid_request" in page.error) == (400, True)


def test_the_response_type_outside_must_match(tenant: Tenant, browser: Browser) -> None:
    """§6.1: the values of response_type and client_id "MUST match"."""
    client = application(tenant)
    token = signed(claims_for(tenant, client, request_for(client)), rsa_key())
    parameters = outside(client, token) | {"response_type": "id_token"}
    assert "invalid_request" in authorize(browser, tenant, parameters).error


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


def by_reference(client: Client, uri: str, **more: str) -> dict[str, str]:
    return {"client_id": client.id, "request_uri": uri} | more


def test_by_reference(fetching: Server, remote: Remote) -> None:
    """§6.2: fetched from a registered address, whose fragment may change."""
    tenant, browser = fetching.tenant(), fetching.browser()
    path = f"/{secrets.token_hex(8)}"
    uri = remote.url(path[1:])
    client = application(tenant, request_uris=(uri,))
    tenant.user()
    asked = request_for(client)
    remote.documents[path] = signed(claims_for(tenant, client, asked), rsa_key()).encode()
    page = authorize(browser, tenant, by_reference(client, f"{uri}#hash"))
    assert finish(browser, tenant, client, asked, page).tokens()["scope"] == "openid profile email"
    assert remote.asked.count(path) == 1


def test_what_is_not_fetched(fetching: Server, remote: Remote) -> None:
    """RFC 9101 §10.4: only what is registered; a redirect, a failure, a flood are refused."""
    tenant, browser = fetching.tenant(), fetching.browser()
    good, flood, away, gone = (f"/{secrets.token_hex(8)}" for _ in range(4))
    registered = tuple(remote.url(path[1:]) for path in (flood, away, gone))
    client = application(tenant, request_uris=registered)
    token = signed(claims_for(tenant, client, request_for(client)), rsa_key()).encode()
    remote.documents[good] = token
    remote.documents[flood] = b"x" * 70_000
    remote.redirects[away] = remote.url(good[1:])
    unregistered = [
        remote.url(good[1:]),
        f"{registered[0]}/",
        f"{registered[0]}?x=1",
        "file:///etc/passwd",
        "http://169.254.169.254/latest/meta-data/",
        "urn:ietf:params:oauth:request_uri:x",
        "nonsense",
    ]
    before = len(remote.asked)
    for uri in unregistered:
        page = authorize(browser, tenant, by_reference(client, uri))
        assert (page.status, "invalid_request_uri" in page.error) == (400, True), uri
    assert len(remote.asked) == before
    for uri in registered:
        page = authorize(
            browser, tenant, by_reference(client, uri, redirect_uri=client.redirect_uri, state="s")
        )
        assert page.answer["error"] == "invalid_request_uri", uri
    assert good not in remote.asked


def test_headers_are_not_followed(fetching: Server, remote: Remote) -> None:
    """RFC 8725 §3.10: no key comes from a header, nor from where a header says it is."""
    tenant, browser = fetching.tenant(), fetching.browser()
    client, attacker = application(tenant), rsa_key("attacker")
    path = f"/{secrets.token_hex(8)}"
    remote.documents[path] = json.dumps({"keys": [public_jwk(attacker, "k1")]}).encode()
    url = remote.url(path[1:])
    der = certificate(attacker).public_bytes(Encoding.DER)
    headers: list[dict[str, Any]] = [
        {"jku": url},
        {"x5u": url},
        {"jwk": public_jwk(attacker, "k1")},
        {"x5c": [base64.b64encode(der).decode()]},
        {"jku": url, "kid": "k1"},
        {"jku": "http://169.254.169.254/latest/meta-data/", "kid": "unknown"},
        {"kid": "../../etc/passwd"},
        {"kid": "k1' OR '1'='1"},
        {"kid": 7},
        {"kid": ["k1"]},
    ]
    claims = claims_for(tenant, client, request_for(client))
    for header in headers:
        page = authorize(browser, tenant, outside(client, signed(claims, attacker, **header)))
        assert "invalid_request_object" in page.error, header
    assert path not in remote.asked
    # The same headers beside a good signature change nothing.
    good = signed(claims, rsa_key(), jku=url, x5u=url, jwk=public_jwk(attacker))
    assert authorize(browser, tenant, outside(client, good)).title == "Log in"
    assert path not in remote.asked


def test_odd_objects_end_quickly(server: Server, tenant: Tenant) -> None:
    """RFC 8725 §3.1: deep, broken and swollen objects get an answer in no time."""
    client = application(tenant)
    head = encode(b'{"alg":"RS256"}')
    payloads = {
        "deep": b"[" * 3000,
        "deep objects": b'{"a":' * 900,
        "a list": b"[1,2]",
        "text": b'"claims"',
        "a number": b"7",
        "a long number": b'{"exp":' + b"9" * 4000 + b"}",
        "infinite": b'{"exp":Infinity}',
        "nothing": b"",
        "not UTF-8": b'{"a":"\xff\xfe"}',
        "a lone surrogate": b'{"state":"\\ud800"}',
        "NUL": b'{"state":"a\\u0000b"}',
    }
    tokens = {name: f"{head}.{encode(payload)}.AAAA" for name, payload in payloads.items()}
    tokens |= {
        "a deep header": f"{encode(b'[' * 3000)}.e30.AAAA",
        "no base64": f"{head}.%%%%.AAAA",
        "one part": "A" * 8000,
        "many parts": "." * 8000,
        "b64 false": signed({"iss": client.id}, rsa_key(), b64=False, crit=["b64"]),
    }
    with server.stores_nothing():
        for name, token in tokens.items():
            began = time.process_time()
            answer = push(tenant, client, {"request": token})
            assert time.process_time() - began < 0.5, name
            refused(answer, 400, "invalid_request_object")


def test_values_behind_a_good_signature(tenant: Tenant) -> None:
    """RFC 9101 §4: what the application signed is held to the rules of any parameter."""
    client = application(tenant)
    many = {f"p{number}": "x" for number in range(70)}
    cases: list[dict[str, Any]] = [{"state": "a\u0000b"}, {"state": "\ud800"}, many]
    for changes in cases:
        token = signed(claims_for(tenant, client, request_for(client), **changes), rsa_key())
        refused(push(tenant, client, {"request": token}), 400, "invalid_request")


def test_inner_addresses_are_not_asked(
    server: Server, tenant: Tenant, browser: Browser, remote: Remote
) -> None:
    """Without the operator's word loopback is not asked, though it is registered."""
    path = f"/{secrets.token_hex(8)}"
    client = application(tenant, request_uris=(remote.url(path[1:]),))
    page = authorize(browser, tenant, by_reference(client, remote.url(path[1:])))
    assert "invalid_request_uri" in page.error
    assert path not in remote.asked


def test_both_ways_at_once(tenant: Tenant, browser: Browser) -> None:
    """RFC 9101 §5: request and request_uri "MUST NOT be used together"."""
    client = application(tenant)
    page = authorize(browser, tenant, outside(client, "x.y.z", request_uri="https://a.example.com"))
    assert "invalid_request" in page.error
