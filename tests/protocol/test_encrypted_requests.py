"""RFC 9101 §6.1: request objects that are signed, then encrypted to the server's own key."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import OctKey, RSAKey

from tests.support.browser import Browser
from tests.support.client_keys import public_jwk, rsa_key, signed
from tests.support.flow import authorize, log_in, refused, request_for
from tests.support.jwt import Json, encode
from tests.support.management import root_api
from tests.support.pushing import follow, push
from tests.support.server import Client, Server, Tenant, both_databases

QUICKLY = 0.5
ALG = "RSA-OAEP-256"
ENCS = ("A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM")


@pytest.fixture
def taking(tenant: Tenant) -> Tenant:
    """The tenant, with encryption switched on."""
    tenant.change(request_object_encryption_supported=True)
    return tenant


@pytest.fixture
def client(taking: Tenant) -> Client:
    taking.user()
    return taking.application(jwks={"keys": [public_jwk(rsa_key())]})


def published(tenant: Tenant) -> list[Json]:
    return [key for key in tenant.jwks()["keys"] if key["use"] == "enc"]


def encrypted(token: str, key: Json, enc: str = "A256GCM", **header: Any) -> str:
    given = {"alg": ALG, "enc": enc, "cty": "JWT", "kid": key["kid"]} | header
    given = {name: value for name, value in given.items() if value is not None}
    return jwe.encrypt_compact(
        given, token, RSAKey.import_key(key), algorithms=[ALG, "RSA-OAEP", "DEF", enc]
    )


def request_object(tenant: Tenant, client: Client, **changes: str | None) -> str:
    now = int(tenant.server.clock.now().timestamp())
    about = {"iss": client.id, "aud": tenant.issuer, "exp": now + 60}
    return signed(request_for(client, **changes).parameters | about, rsa_key())


def by_value(browser: Browser, tenant: Tenant, client: Client, token: str) -> Any:
    return authorize(browser, tenant, {"client_id": client.id, "request": token})


@both_databases
def test_the_flow(server: Server, tenant: Tenant, browser: Browser) -> None:
    """By value and pushed: what is inside counts, as if it had only been signed."""
    tenant.change(request_object_encryption_supported=True)
    tenant.user()
    client = tenant.application(jwks={"keys": [public_jwk(rsa_key())]})
    (key,) = published(tenant)
    token = encrypted(request_object(tenant, client, state="inside"), key)
    page = by_value(browser, tenant, client, token)
    answer = push(tenant, client, {"request": token})
    assert answer.status_code == 201, answer.text
    page = log_in(browser, page)
    if page.title == "Allow access":
        page = browser.submit(page, "consent-form", press="consent-allow")
    assert page.answer["state"] == "inside"
    page = follow(browser, tenant, client, answer.json()["request_uri"])
    assert page.answer["state"] == "inside"


@pytest.mark.parametrize("enc", ENCS)
def test_every_way_that_is_offered(
    taking: Tenant, client: Client, browser: Browser, enc: str
) -> None:
    """OpenID Connect Discovery §3: those that are advertised, with or without a `kid`."""
    document = taking.server.client.get(taking.url(".well-known/openid-configuration")).json()
    assert document["request_object_encryption_alg_values_supported"] == [ALG]
    assert document["request_object_encryption_enc_values_supported"] == list(ENCS)
    (key,) = published(taking)
    assert set(key) == {"kty", "n", "e", "use", "alg", "kid"}
    assert key["alg"] == ALG
    headers: list[dict[str, Any]] = [{}, {"kid": None}, {"cty": None}]
    for header in headers:
        token = encrypted(request_object(taking, client), key, enc, **header)
        assert by_value(browser, taking, client, token).title == "Log in"


def test_switched_off(tenant: Tenant, browser: Browser) -> None:
    """Nothing is published, nothing is decrypted; and again what was on before."""
    client = tenant.application(jwks={"keys": [public_jwk(rsa_key())]})
    tenant.change(request_object_encryption_supported=True)
    (key,) = published(tenant)
    token = encrypted(request_object(tenant, client), key)
    tenant.change(request_object_encryption_supported=False)
    assert not published(tenant)
    document = tenant.server.client.get(tenant.url(".well-known/openid-configuration")).json()
    assert not [name for name in document if name.startswith("request_object_encryption")]
    assert "invalid_request_object" in by_value(browser, tenant, client, token).error
    tenant.change(request_object_encryption_supported=True)
    assert by_value(browser, tenant, client, token).title == "Log in"


def test_of_another_tenant(server: Server, taking: Tenant, client: Client) -> None:
    """Each tenant has a key of its own, which no other opens."""
    other = server.tenant(request_object_encryption_supported=True)
    (key,) = published(other)
    headers: list[dict[str, Any]] = [{}, {"kid": None}]
    for header in headers:
        token = encrypted(request_object(taking, client), key, **header)
        refused(push(taking, client, {"request": token}), 400, "invalid_request_object")


def by_hand(header: Json, *parts: str) -> str:
    return ".".join([encode(json.dumps(header).encode()), *parts])


def test_what_is_refused_quickly(taking: Tenant, client: Client) -> None:
    """RFC 8725 §3.1, §3.2, §3.6 and §3.7: one answer, in no time, whatever is wrong."""
    (key,) = published(taking)
    good = request_object(taking, client)
    nested = encrypted(good, key)
    unsigned = ".".join([*by_hand({"alg": "none"}, good.split(".")[1]).split("."), ""])
    password = OctKey.import_key(b"x" * 32)
    cases = {
        "compressed": encrypted("x" * 3_000_000, key, zip="DEF"),
        "an extension": by_hand(
            {"alg": ALG, "enc": "A256GCM", "crit": ["x"], "x": 1}, "AA", "AA", "AA", "AA"
        ),
        "RSA-OAEP": encrypted(good, key, alg="RSA-OAEP"),
        "RSA1_5": by_hand({"alg": "RSA1_5", "enc": "A256GCM"}, "AA", "AA", "AA", "AA"),
        "work of a password": by_hand(
            {"alg": "PBES2-HS256+A128KW", "enc": "A256GCM", "p2c": 2**31 - 1, "p2s": "AAAA"},
            *["AA"] * 4,
        ),
        "a shared key": jwe.encrypt_compact(
            {"alg": "dir", "enc": "A256GCM"}, good, password, algorithms=["dir", "A256GCM"]
        ),
        "another key": encrypted(good, public_jwk(rsa_key("other"), key["kid"])),
        "an unknown kid": encrypted(good, key, kid="unknown"),
        "twice encrypted": encrypted(nested, key),
        "not signed inside": encrypted(unsigned, key),
        "text inside": encrypted("hello", key),
        "binary inside": encrypted("\u00ff\u0000.\u00ff.", key),
        "cut off": nested[:-3],
        "changed": nested[:-3] + ("AAA" if nested[-3:] != "AAA" else "BBB"),
        "empty": "....",
        "no header": f"AA{nested[nested.index('.') :]}",
        "a deep header": f"{encode(b'[' * 3000)}.AA.AA.AA.AA",
        "a kid that is no text": by_hand({"alg": ALG, "enc": "A256GCM", "kid": [1]}, *["AA"] * 4),
    }
    told = set()
    for name, token in cases.items():
        began = time.perf_counter()
        answer = push(taking, client, {"request": token})
        assert time.perf_counter() - began < QUICKLY, name
        told.add(refused(answer, 400, "invalid_request_object"))
    assert len(told) == 1
    # What is longer than any parameter may be is not looked at.
    began = time.perf_counter()
    refused(push(taking, client, {"request": f"{'A' * 60_000}.."}), 400, "invalid_request")
    assert time.perf_counter() - began < QUICKLY


def rotate(tenant: Tenant, **input: Any) -> None:
    root_api(tenant).do("signingKeyRotate", "signingKeys { kid }", input)


def test_rotation(taking: Tenant, client: Client) -> None:
    """The key changes with those that sign: the one before still opens, the one before that not."""
    (first,) = published(taking)
    token = encrypted(request_object(taking, client), first)
    unnamed = encrypted(request_object(taking, client), first, kid=None)
    rotate(taking)
    (second,) = published(taking)
    assert second["kid"] != first["kid"]
    for each in (token, unnamed):
        assert push(taking, client, {"request": each}).status_code == 201
    rotate(taking)
    assert published(taking)[0]["kid"] not in {first["kid"], second["kid"]}
    for each in (token, unnamed):
        refused(push(taking, client, {"request": each}), 400, "invalid_request_object")


def test_revocation(taking: Tenant, client: Client) -> None:
    """A key that is revoked opens nothing any more, at once or later."""
    (first,) = published(taking)
    token = encrypted(request_object(taking, client), first)
    rotate(taking, revokePrevious=True)
    refused(push(taking, client, {"request": token}), 400, "invalid_request_object")
    (second,) = published(taking)
    token = encrypted(request_object(taking, client), second)
    rotate(taking)
    assert push(taking, client, {"request": token}).status_code == 201
    root_api(taking).do("signingKeyRevokePrevious", "signingKeys { kid }", {})
    refused(push(taking, client, {"request": token}), 400, "invalid_request_object")
