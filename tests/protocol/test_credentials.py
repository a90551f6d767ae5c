"""RFC 7523 §3, RFC 9101, RFC 8725 §3: applications that sign by uploaded credentials."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest

from tenantry.store import installation, resource_servers
from tests.support.browser import Browser
from tests.support.client_keys import (
    assertion_claims,
    certificate,
    certificate_pem,
    ec_key,
    ed_key,
    pem,
    proving,
    public_jwk,
    rsa_key,
    signed,
)
from tests.support.credentials import (
    Uploaded,
    change,
    enable,
    id_of,
    proving_by,
    sign_requests,
    upload,
)
from tests.support.flow import Asked, authorize, refused, request_for
from tests.support.management import Api, root_api
from tests.support.server import Client, Server, Tenant, both_databases

API = "https://api.example.com"
GRANT = {"grant_type": "client_credentials", "audience": API}
KEYS: dict[str, Callable[[], Any]] = {
    "RS256": rsa_key,
    "RS384": rsa_key,
    "PS256": rsa_key,
    "ES256": ec_key,
    "EdDSA": ed_key,
}


@pytest.fixture
def api(tenant: Tenant) -> Api:
    return root_api(tenant)


@pytest.fixture
def wait(server: Server) -> Iterator[Callable[[float], None]]:
    """Seconds pass for the server, for this test alone."""
    passed: list[float] = []

    def advance(seconds: float) -> None:
        passed.append(seconds)
        server.clock.advance(seconds)

    yield advance
    server.clock.advance(-sum(passed))


def machine(tenant: Tenant, name: str = "Machine") -> Client:
    """With a secret so far."""
    client = tenant.application("non_interactive", name=name)
    if tenant.read(resource_servers.find_by_identifier, API) is None:
        tenant.api(API, "read")
    tenant.grant(client, API, "read")
    return client


def enabled(tenant: Tenant, api: Api, key: Any = None) -> tuple[Client, Uploaded]:
    client = machine(tenant)
    credential = upload(api, client, rsa_key() if key is None else key)
    enable(api, client, credential)
    return client, credential


def ask(tenant: Tenant, assertion: str, **fields: str) -> httpx2.Response:
    return tenant.server.client.post(
        tenant.url("oauth/token"), data=GRANT | proving(assertion) | fields
    )


def prove(tenant: Tenant, client: Client, key: Any, alg: str = "RS256", **header: Any) -> int:
    claims = assertion_claims(tenant, client)
    return ask(tenant, signed(claims, key, alg, **header)).status_code


@both_databases
def test_an_uploaded_key_proves_the_application(server: Server, tenant: Tenant, api: Api) -> None:
    """RFC 7523 §3: by its `kid`, or without one; the secret counts no more."""
    client, credential = enabled(tenant, api)
    assert prove(tenant, client, rsa_key(), kid=credential.kid) == 200
    assert prove(tenant, client, rsa_key()) == 200
    refused(tenant.token(client, **GRANT), 401, "invalid_client")


@pytest.mark.parametrize("alg", KEYS)
def test_the_algorithm_is_that_of_the_credential(
    server: Server, tenant: Tenant, api: Api, alg: str
) -> None:
    """RFC 8725 §3.1: each that is advertised works where it was chosen, and no other does."""
    document = server.client.get(tenant.url(".well-known/openid-configuration")).json()
    assert alg in document["token_endpoint_auth_signing_alg_values_supported"]
    client, key = machine(tenant), KEYS[alg]()
    credential = upload(api, client, key, alg=alg.upper())
    enable(api, client, credential)
    assert prove(tenant, client, key, alg, kid=credential.kid) == 200
    for other in KEYS.keys() - {alg}:
        if KEYS[other]() is key:
            assert prove(tenant, client, key, other, kid=credential.kid) == 401


def test_a_certificate_is_a_key(tenant: Tenant, api: Api) -> None:
    """RFC 7515 §4.1.8: its thumbprint may name it, and another one names another key."""
    client = machine(tenant)
    credential = upload(api, client, pem=certificate_pem(certificate(rsa_key())))
    enable(api, client, credential)
    thumbprint = credential.shown["x5tS256"]
    assert prove(tenant, client, rsa_key(), kid=credential.kid) == 200
    assert prove(tenant, client, rsa_key(), **{"x5t#S256": thumbprint}) == 200
    assert prove(tenant, client, rsa_key(), **{"x5t#S256": "A" * 43}) == 401


BAD: dict[str, Callable[[Any, str], str]] = {
    "alg none": lambda claims, kid: signed(claims, None, "none", kid=kid),
    "HS256 with the public key": lambda claims, kid: signed(
        claims, pem(rsa_key()).encode(), "HS256", kid=kid
    ),
    "HS256 with the JWK": lambda claims, kid: signed(
        claims, json.dumps(public_jwk(rsa_key())).encode(), "HS256", kid=kid
    ),
    "RS384 with a key for RS256": lambda claims, kid: signed(claims, rsa_key(), "RS384", kid=kid),
    "an unknown kid": lambda claims, _: signed(claims, rsa_key(), kid="k1"),
    "another key by its kid": lambda claims, kid: signed(claims, rsa_key("evil"), kid=kid),
    "its own key in jwk": lambda claims, kid: signed(
        claims, rsa_key("evil"), kid=kid, jwk=public_jwk(rsa_key("evil"))
    ),
    "its own key at jku": lambda claims, kid: signed(
        claims, rsa_key("evil"), kid=kid, jku="https://attacker.example.com/jwks"
    ),
    "its own key at x5u": lambda claims, kid: signed(
        claims, rsa_key("evil"), kid=kid, x5u="https://attacker.example.com/cert"
    ),
    "its own certificate in x5c": lambda claims, kid: signed(
        claims, rsa_key("evil"), kid=kid, x5c=[certificate_pem(certificate(rsa_key("evil")))]
    ),
    "unknown crit": lambda claims, kid: signed(claims, rsa_key(), kid=kid, crit=["exp"], exp=1),
    "an ID token's typ": lambda claims, kid: signed(claims, rsa_key(), kid=kid, typ="at+jwt"),
}


@both_databases
@pytest.mark.parametrize("name", BAD)
def test_signatures(
    server: Server, tenant: Tenant, api: Api, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 8725 §3: only the credential counts, and no header is followed."""
    client, credential = enabled(tenant, api)

    async def fetched(*_: Any) -> bytes:
        raise AssertionError("a header was followed")

    monkeypatch.setattr(type(server.runtime.outbound), "get", fetched)
    bad = BAD[name](assertion_claims(tenant, client), credential.kid)
    with server.stores_nothing():
        refused(ask(tenant, bad), 401, "invalid_client")


NOW = int(time.time())
BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"iat": NOW - 300, "exp": NOW - 1},
    "no exp": {"exp": None},
    "far future": {"exp": NOW + 2 * 3600},
    "iat in the future": {"iat": NOW + 3600},
    "nbf in the future": {"nbf": NOW + 3600},
    "no sub": {"sub": None},
    "another sub": {"sub": "somebody"},
    "another iss": {"iss": "somebody"},
    "another aud": {"aud": "https://other.example.com/"},
    "no aud": {"aud": None},
    "no jti": {"jti": None},
}


@pytest.mark.parametrize("name", BAD_CLAIMS)
def test_claims(server: Server, tenant: Tenant, api: Api, name: str) -> None:
    """RFC 7523 §3: the claims are checked whatever key signed them."""
    client, credential = enabled(tenant, api)
    claims = assertion_claims(tenant, client, **BAD_CLAIMS[name])
    with server.stores_nothing():
        refused(ask(tenant, signed(claims, rsa_key(), kid=credential.kid)), 401, "invalid_client")


def test_the_audience(tenant: Tenant, api: Api) -> None:
    """RFC 7523 §3 (3): the issuer or the token endpoint."""
    client, _ = enabled(tenant, api)
    for audience in (tenant.issuer, tenant.url("oauth/token")):
        claims = assertion_claims(tenant, client, aud=audience)
        assert ask(tenant, signed(claims, rsa_key())).status_code == 200


def test_only_what_is_enabled_works(server: Server, tenant: Tenant, api: Api) -> None:
    """Uploading enables nothing, disabling ends it, and both leave the credential where it is."""
    client, first = enabled(tenant, api)
    second = upload(api, client, ec_key())
    assert prove(tenant, client, ec_key(), "ES256", kid=second.kid) == 401
    enable(api, client, first, second)
    assert prove(tenant, client, ec_key(), "ES256", kid=second.kid) == 200
    enable(api, client, second)
    assert prove(tenant, client, rsa_key(), kid=first.kid) == 401
    enable(api, client, first)
    assert prove(tenant, client, rsa_key(), kid=first.kid) == 200


def test_an_expired_credential_stays_and_does_not_work(
    server: Server, tenant: Tenant, api: Api, wait: Callable[[float], None]
) -> None:
    """A later end makes it work again."""
    client, credential = enabled(tenant, api)
    end = server.clock.now() + timedelta(seconds=60)
    change_end(api, credential, end)
    assert prove(tenant, client, rsa_key()) == 200
    wait(61)
    late = assertion_claims(tenant, client, iat=None, exp=int(end.timestamp()) + 90)
    with server.stores_nothing():
        refused(ask(tenant, signed(late, rsa_key(), kid=credential.kid)), 401, "invalid_client")
    change_end(root_api(tenant), credential, None)
    assert ask(tenant, signed(late, rsa_key(), kid=credential.kid)).status_code == 200


def change_end(api: Api, credential: Uploaded, end: datetime | None) -> None:
    given = {"id": credential.id, "expiresAt": end.isoformat() if end else None}
    api.do("credentialUpdate", "__typename", given)


def test_another_applications_key(server: Server, tenant: Tenant, api: Api) -> None:
    """RFC 7523 §3: the key of one application proves no other, in no tenant."""
    client, credential = enabled(tenant, api)
    other = machine(tenant, "Other")
    enable(api, other, upload(api, other, ec_key()))
    foreign = server.tenant()
    stranger, _ = enabled(foreign, root_api(foreign), rsa_key("foreign"))
    with server.stores_nothing():
        for target, one, key in (
            (tenant, other, rsa_key()),
            (foreign, stranger, rsa_key()),
            (tenant, client, rsa_key("foreign")),
        ):
            claims = assertion_claims(target, one)
            for header in ({}, {"kid": credential.kid}):
                refused(ask(target, signed(claims, key, **header)), 401, "invalid_client")


def test_both_kinds_of_keys_count(tenant: Tenant, api: Api) -> None:
    """OpenID Connect Registration §2: a key set stands beside the credentials."""
    client = machine(tenant)
    credential = upload(api, client, ec_key())
    keys = {"jwks": {"keys": [public_jwk(rsa_key())]}}
    assert change(api, client, **proving_by(credential), **keys)["errors"] == []
    assert prove(tenant, client, ec_key(), "ES256", kid=credential.kid) == 200
    assert prove(tenant, client, rsa_key(), kid="k1") == 200
    assert prove(tenant, client, rsa_key("evil")) == 401


def test_the_secret_is_hidden_meanwhile(tenant: Tenant, api: Api) -> None:
    """It works again when the method is set back; then the assertion does not."""
    client, _ = enabled(tenant, api)
    refused(tenant.token(client, **GRANT), 401, "invalid_client")
    payload = change(api, client, tokenEndpointAuthMethod="CLIENT_SECRET_POST")
    assert payload["errors"][0]["field"] == ["clientAuthenticationMethods"]
    back = {"tokenEndpointAuthMethod": "CLIENT_SECRET_POST", "clientAuthenticationMethods": None}
    assert change(api, client, **back)["errors"] == []
    assert tenant.token(client, **GRANT).status_code == 200
    assert prove(tenant, client, rsa_key()) == 401


# --- a second process ---------------------------------------------------------------------------


@pytest.fixture
def second(server: Server) -> Iterator[Server]:
    """Another process on the same database."""
    url = server.runtime.store.database.url.render_as_string(hide_password=False)
    made = Server(url, server.portal, clock=server.clock)
    yield made
    made.close()


def there(tenant: Tenant, server: Server) -> Tenant:
    return Tenant(server, tenant.read(installation.find_tenant, tenant.id))


@both_databases
def test_replay_in_another_process(
    server: Server, tenant: Tenant, api: Api, second: Server
) -> None:
    """RFC 7523 §3 (7): of many requests at two processes one is answered."""
    client, credential = enabled(tenant, api)
    elsewhere = there(tenant, second)
    token = signed(assertion_claims(tenant, client), rsa_key(), kid=credential.kid)
    assert ask(tenant, token).status_code == 200
    refused(ask(elsewhere, token), 401, "invalid_client")
    token = signed(assertion_claims(tenant, client), rsa_key(), kid=credential.kid)
    with ThreadPoolExecutor(8) as pool:
        asked = [tenant, elsewhere] * 4
        answers = list(pool.map(lambda one: ask(one, token).status_code, asked))
    assert sorted(answers) == [200] + [401] * 7


@both_databases
def test_disabling_ends_it_in_every_process(
    server: Server,
    tenant: Tenant,
    api: Api,
    second: Server,
    wait: Callable[[float], None],
) -> None:
    """RFC 7523 §3: within a second, like a rotated secret; so does an end that comes nearer."""
    client, first = enabled(tenant, api)
    other = upload(api, client, ec_key())
    elsewhere = there(tenant, second)
    assert prove(elsewhere, client, rsa_key(), kid=first.kid) == 200
    enable(api, client, other)
    assert prove(tenant, client, rsa_key(), kid=first.kid) == 401
    _soon(lambda: prove(elsewhere, client, rsa_key(), kid=first.kid) == 401)
    _soon(lambda: prove(elsewhere, client, ec_key(), "ES256", kid=other.kid) == 200)
    change_end(api, other, server.clock.now() + timedelta(seconds=1))
    wait(2)
    assert prove(elsewhere, client, ec_key(), "ES256", kid=other.kid) == 401


def _soon(true: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < 5  # One second, on a machine with time for it.
        time.sleep(0.02)


# --- rotation -----------------------------------------------------------------------------------


@both_databases
def test_rotation_without_downtime(server: Server, tenant: Tenant, api: Api) -> None:
    """RFC 7517 §5: new key beside the old one, then instead of it; at no step is a key refused
    that the application may still use.
    """
    client, old = enabled(tenant, api, rsa_key("old"))

    def works(name: str, credential: Uploaded) -> bool:
        return prove(tenant, client, rsa_key(name), kid=credential.kid) == 200

    assert works("old", old)
    new = upload(api, client, rsa_key("new"), name="credential2")
    assert works("old", old)
    enable(api, client, old, new)
    assert works("old", old)
    assert works("new", new)
    # One that is in use cannot be deleted.
    refusal = api.refused("credentialDelete", {"id": old.id})
    assert (refusal["code"], refusal["field"]) == ("IN_USE", ["id"])
    assert works("old", old)
    enable(api, client, new)
    assert not works("old", old)
    assert works("new", new)
    assert api.do("credentialDelete", "deletedId", {"id": old.id})["deletedId"] == old.id
    assert works("new", new)
    # And again, with room for the next one.
    third = upload(api, client, rsa_key("third"))
    enable(api, client, new, third)
    assert works("third", third)


# --- request objects ----------------------------------------------------------------------------


def web(tenant: Tenant) -> Client:
    return tenant.application("regular_web")


def inside(tenant: Tenant, client: Client, asked: Asked) -> dict[str, Any]:
    return {"iss": client.id, "aud": tenant.issuer, **asked.parameters}


def outside(client: Client, token: str) -> dict[str, str]:
    return {
        "client_id": client.id,
        "response_type": "code",
        "scope": "openid",
        "redirect_uri": client.redirect_uri,
        "request": token,
    }


@both_databases
def test_request_objects(server: Server, tenant: Tenant, api: Api, browser: Browser) -> None:
    """RFC 9101 §6.2: verified by the credentials for that use, and by no others."""
    client = web(tenant)
    requests, proofs = upload(api, client, rsa_key("r")), upload(api, client, rsa_key("p"))
    enable(api, client, proofs)
    sign_requests(api, client, requests)
    claims = inside(tenant, client, request_for(client))
    good = signed(claims, rsa_key("r"), kid=requests.kid)
    assert authorize(browser, tenant, outside(client, good)).title == "Log in"
    bad = (
        signed(claims, rsa_key("p"), kid=proofs.kid),
        signed(claims, rsa_key("p")),
        signed(claims, rsa_key("evil"), kid=requests.kid, jwk=public_jwk(rsa_key("evil"))),
        signed(claims, rsa_key("evil"), kid=requests.kid, jku="https://attacker.example.com/k"),
        signed(claims, rsa_key("r"), kid="unknown"),
        signed(claims, rsa_key("r"), "PS256", kid=requests.kid),
        signed(claims, None, "none", kid=requests.kid),
        signed(claims, pem(rsa_key("r")).encode(), "HS256", kid=requests.kid),
    )
    for token in bad:
        page = authorize(browser, tenant, outside(client, token))
        assert page.answer["error"] == "invalid_request_object"
    # Nor does a key for requests prove who the application is.
    assert prove(tenant, client, rsa_key("r"), kid=requests.kid) == 401


def test_signed_requests_may_be_required(tenant: Tenant, api: Api, browser: Browser) -> None:
    """RFC 9101 §10.5: then a request that is not signed is refused."""
    client = web(tenant)
    credential = upload(api, client, ec_key())
    sign_requests(api, client, credential)
    asked = request_for(client)
    page = authorize(browser, tenant, asked.parameters)
    assert page.answer["error"] == "invalid_request"
    token = signed(inside(tenant, client, asked), ec_key(), "ES256", kid=credential.kid)
    assert authorize(browser, tenant, outside(client, token)).title == "Log in"
    sign_requests(api, client, credential, required=False)
    assert authorize(browser, tenant, asked.parameters).title == "Log in"
    assert authorize(browser, tenant, outside(client, token)).title == "Log in"
    assert change(api, client, signedRequestObject=None)["errors"] == []
    assert id_of(api, client)
    page = authorize(browser, tenant, outside(client, token))
    assert page.answer["error"] == "invalid_request_object"


def test_an_expired_credential_signs_no_request(
    server: Server,
    tenant: Tenant,
    api: Api,
    browser: Browser,
    wait: Callable[[float], None],
) -> None:
    """RFC 9101 §6.2: its end holds for every use."""
    client = web(tenant)
    credential = upload(api, client, ec_key())
    sign_requests(api, client, credential)
    change_end(api, credential, server.clock.now() + timedelta(seconds=60))
    token = signed(inside(tenant, client, request_for(client)), ec_key(), "ES256")
    assert authorize(browser, tenant, outside(client, token)).title == "Log in"
    wait(61)
    page = authorize(browser, tenant, outside(client, token))
    assert page.answer["error"] == "invalid_request_object"
