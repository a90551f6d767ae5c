"""RFC 9449 §4, §8, §9 and §11: what is a proof, and what is none."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tenantry.core.clock import timestamp
from tenantry.store import installation
from tests.support import jwt
from tests.support.client_keys import ec_key, ed_key, rsa_key, signed
from tests.support.custom_domains import at, ready
from tests.support.dpop import Prover
from tests.support.flow import refused
from tests.support.server import Client, Server, Tenant, both_databases

API = "https://api.example.com"
ASK = {"grant_type": "client_credentials", "audience": API}
ALGS = 'algs="ES256 PS256 EdDSA"'


@pytest.fixture
def client(tenant: Tenant) -> Client:
    made = tenant.application("non_interactive")
    tenant.api(API, "read")
    tenant.grant(made, API, "read")
    return made


def send(tenant: Tenant, client: Client, *proofs: str | bytes, **headers: str) -> httpx2.Response:
    """A token request with these headers `DPoP`, in this order."""
    sent: list[tuple[str, str | bytes]] = [("DPoP", proof) for proof in proofs]
    return tenant.server.client.post(
        tenant.url("oauth/token"),
        data=client.body | ASK,
        headers=httpx2.Headers([*sent, *headers.items()]),  # type: ignore[arg-type]
    )


def good(tenant: Tenant, prover: Prover, **changes: Any) -> str:
    return prover.proof(tenant, "POST", "oauth/token", **changes)


KEYS: dict[str, Callable[[], Prover]] = {
    "ES256": lambda: Prover(ec_key(), "ES256"),
    "PS256": lambda: Prover(rsa_key(), "PS256"),
    "EdDSA": lambda: Prover(ed_key(), "EdDSA"),
}


@both_databases
@pytest.mark.parametrize("alg", KEYS)
def test_a_proof(tenant: Tenant, client: Client, alg: str) -> None:
    """§5: the token is bound to the key that signed the proof."""
    prover = KEYS[alg]()
    response = send(tenant, client, good(tenant, prover))
    assert response.status_code == 200, response.text
    assert response.json()["token_type"] == "DPoP"
    claims = jwt.claims_of(response.json()["access_token"])
    assert claims["cnf"] == {"jkt": prover.jkt}
    assert "dpop-nonce" not in response.headers


def _private(prover: Prover) -> dict[str, Any]:
    number = prover.key.private_numbers().private_value
    secret = base64.urlsafe_b64encode(number.to_bytes(32)).decode().rstrip("=")
    return prover.jwk | {"d": secret}


def _with_header(tenant: Tenant, prover: Prover, alg: str = "ES256", **header: Any) -> str:
    claims = prover.claims(tenant, "POST", "oauth/token")
    given = {"typ": "dpop+jwt", "jwk": prover.jwk} | header
    kept = {name: value for name, value in given.items() if value is not None}
    return signed(claims, prover.key, alg, **kept)


def _tampered(tenant: Tenant, prover: Prover) -> str:
    head, body, signature = good(tenant, prover).split(".")
    other = good(tenant, prover).split(".")[1]
    return ".".join((head, other, signature)) if other != body else ""


def _by_another_key(tenant: Tenant, prover: Prover) -> str:
    return _with_header(tenant, prover, jwk=Prover().jwk)


def _without_alg(tenant: Tenant, prover: Prover) -> str:
    _, body, signature = good(tenant, prover).split(".")
    head = jwt.encode(json.dumps({"typ": "dpop+jwt", "jwk": prover.jwk}).encode())
    return ".".join((head, body, signature))


HEADERS: dict[str, Callable[[Tenant, Prover], str]] = {
    "not a JWT": lambda tenant, prover: "proof",
    "two parts": lambda tenant, prover: good(tenant, prover).rpartition(".")[0],
    "no typ": lambda tenant, prover: _with_header(tenant, prover, typ=None),
    "another typ": lambda tenant, prover: _with_header(tenant, prover, typ="JWT"),
    "no jwk": lambda tenant, prover: _with_header(tenant, prover, jwk=None),
    "a jwk that is a text": lambda tenant, prover: _with_header(tenant, prover, jwk="key"),
    "a jwk of nothing": lambda tenant, prover: _with_header(tenant, prover, jwk={}),
    "a point off the curve": lambda tenant, prover: _with_header(
        tenant, prover, jwk=prover.jwk | {"y": prover.jwk["x"]}
    ),
    "a private key": lambda tenant, prover: _with_header(tenant, prover, jwk=_private(prover)),
    "an empty private member": lambda tenant, prover: _with_header(
        tenant, prover, jwk=prover.jwk | {"d": ""}
    ),
    "only a kid": lambda tenant, prover: _with_header(tenant, prover, jwk=None, kid="k1"),
    "a key elsewhere": lambda tenant, prover: _with_header(
        tenant, prover, jwk=None, jku="https://keys.example.com/", x5u="https://keys.example.com/"
    ),
    "none": lambda tenant, prover: _with_header(tenant, prover, alg="none"),
    "no alg": _without_alg,
    "a shared secret": lambda tenant, prover: signed(
        prover.claims(tenant, "POST", "oauth/token"),
        b"a" * 32,
        "HS256",
        typ="dpop+jwt",
        jwk={"kty": "oct", "k": base64.urlsafe_b64encode(b"a" * 32).decode().rstrip("=")},
    ),
    "RS256": lambda tenant, prover: Prover(rsa_key(), "RS256").proof(tenant, "POST", "oauth/token"),
    "the algorithm of another key": lambda tenant, prover: _with_header(
        tenant, Prover(ed_key()), "EdDSA", jwk=prover.jwk
    ),
    "a short key": lambda tenant, prover: Prover(rsa_key("short", 1024), "PS256").proof(
        tenant, "POST", "oauth/token"
    ),
    "another curve": lambda tenant, prover: _with_header(
        tenant, prover, jwk=prover.jwk | {"crv": "P-384"}
    ),
    "an extension": lambda tenant, prover: _with_header(tenant, prover, crit=["exp"]),
    "a signature of other claims": _tampered,
    "another key's signature": _by_another_key,
    "too long": lambda tenant, prover: good(tenant, prover, more="x" * 8_192),
    "a list for claims": lambda tenant, prover: signed(
        [1],  # type: ignore[arg-type]
        prover.key,
        "ES256",
        typ="dpop+jwt",
        jwk=prover.jwk,
    ),
    "two": lambda tenant, prover: f"{good(tenant, prover)}, {good(tenant, prover)}",
}


@pytest.mark.parametrize("case", HEADERS)
def test_bad_form(tenant: Tenant, client: Client, case: str) -> None:
    """§4.3 (2) to (7): what is no proof, in milliseconds and without any look elsewhere."""
    began = time.process_time()
    response = send(tenant, client, HEADERS[case](tenant, Prover()))
    assert time.process_time() - began < 0.5
    assert "DPoP" in refused(response, 400, "invalid_dpop_proof")


CLAIMS: dict[str, dict[str, Any]] = {
    "no jti": {"jti": None},
    "an empty jti": {"jti": ""},
    "a jti that is a number": {"jti": 7},
    "a jti of 256 characters": {"jti": "x" * 256},
    "a jti with half a character": {"jti": "\ud800"},
    "no htm": {"htm": None},
    "another htm": {"htm": "GET"},
    "a htm in lower case": {"htm": "post"},
    "no htu": {"htu": None},
    "a list of htu": {"htu": ["https://example.com/"]},
    "another host": {"htu": "https://evil.example.com/oauth/token"},
    "no address": {"htu": "oauth/token"},
    "a port that is none": {"htu": "http://localhost:x/oauth/token"},
    "no iat": {"iat": None},
    "an iat that is a text": {"iat": "now"},
    "an iat that is true": {"iat": True},
    "five minutes old": {"iat": -300},
    "in five minutes": {"iat": 300},
    "an hour old": {"iat": -3600},
    "not yet": {"nbf": 300},
    "ended": {"exp": -1},
}
_TIMES = ("iat", "nbf", "exp")


@pytest.mark.parametrize("case", CLAIMS)
def test_bad_claims(tenant: Tenant, client: Client, case: str) -> None:
    """§4.3 (8), (9) and (11)."""
    now = timestamp(tenant.server.clock.now())
    changes = {
        name: now + value if name in _TIMES and type(value) is int else value
        for name, value in CLAIMS[case].items()
    }
    refused(send(tenant, client, good(tenant, Prover(), **changes)), 400, "invalid_dpop_proof")


def test_of_another_endpoint(server: Server, tenant: Tenant, client: Client) -> None:
    """§4.3 (9): the path is the tenant's and the endpoint's."""
    prover, root = Prover(), server.root
    for url in (tenant.url("oauth/par"), root.url("oauth/token"), tenant.url("oauth/token/")):
        answer = send(tenant, client, good(tenant, prover, htu=url))
        refused(answer, 400, "invalid_dpop_proof")


@pytest.mark.parametrize(
    "change",
    [
        lambda url: f"{url}?a=1#b",
        lambda url: url.replace("http://localhost", "HTTP://LOCALHOST"),
        lambda url: url.replace("/oauth/token", "/%6fauth/token"),
    ],
)
def test_addresses_are_normalized(
    tenant: Tenant, client: Client, change: Callable[[str], str]
) -> None:
    """§4.3 (9): "ignoring any query and fragment parts", and RFC 3986 §6.2.2."""
    htu = change(tenant.url("oauth/token"))
    assert htu != tenant.url("oauth/token")
    assert send(tenant, client, good(tenant, Prover(), htu=htu)).status_code == 200


def test_the_default_port(https_server: Server) -> None:
    """RFC 3986 §6.2.3: a port that goes without saying may be said."""
    tenant = https_server.tenant()
    client = tenant.application("non_interactive")
    tenant.api(API, "read")
    tenant.grant(client, API, "read")
    url = tenant.url("oauth/token")
    htu = (
        url.replace("/oauth", ":443/oauth")
        if ".com/oauth" in url
        else url.replace(".example.com/", ".example.com:443/")
    )
    assert ":443" in htu
    assert send(tenant, client, good(tenant, Prover(), htu=htu)).status_code == 200
    other = htu.replace(":443", ":8443")
    refused(send(tenant, client, good(tenant, Prover(), htu=other)), 400, "invalid_dpop_proof")


def test_custom_domains(server: Server, tenant: Tenant, client: Client) -> None:
    """§4.3 (9): a proof is for the domain that was asked, and for no other of the tenant's."""
    here = at(tenant, ready(tenant).tenant.issuer)
    prover = Prover()
    assert send(here, client, good(here, prover)).status_code == 200
    refused(send(here, client, good(tenant, prover)), 400, "invalid_dpop_proof")
    refused(send(tenant, client, good(here, prover)), 400, "invalid_dpop_proof")


def test_unknown_members_are_ignored(tenant: Tenant, client: Client) -> None:
    """§4.2: "a DPoP proof … MAY contain other JOSE Header Parameters or claims"."""
    prover = Prover()
    claims = prover.claims(tenant, "POST", "oauth/token", None, color="blue", nonce="x")
    header = {
        "jku": "https://keys.example.com/",
        "x5u": "https://keys.example.com/",
        "kid": "z",
        "x": 1,
    }
    jwk = prover.jwk | {"kid": "other", "use": "sig"}
    proof = signed(claims, prover.key, "ES256", typ="DPoP+jwt", jwk=jwk, **header)
    response = send(tenant, client, proof)
    assert response.status_code == 200, response.text
    assert jwt.claims_of(response.json()["access_token"])["cnf"] == {"jkt": prover.jkt}


def test_more_than_one_header(tenant: Tenant, client: Client) -> None:
    """§4.3 (1): "not more than one DPoP HTTP request header field"."""
    prover = Prover()
    proofs = good(tenant, prover), good(tenant, prover)
    refused(send(tenant, client, *proofs), 400, "invalid_dpop_proof")
    refused(send(tenant, client, proofs[0], ""), 400, "invalid_dpop_proof")
    refused(send(tenant, client, ""), 400, "invalid_dpop_proof")
    refused(send(tenant, client, b"\xff\xfe"), 400, "invalid_dpop_proof")


@pytest.fixture
def elsewhere(server: Server, tenant: Tenant) -> Any:
    """The same tenant, asked of another process."""
    url = server.runtime.store.database.url.render_as_string(hide_password=False)
    second = Server(url, server.portal, clock=server.clock)
    yield Tenant(second, tenant.read(installation.find_tenant, tenant.id))
    second.close()


@both_databases
def test_a_proof_counts_once(tenant: Tenant, client: Client, elsewhere: Tenant) -> None:
    """§11.1: in no process a second time, while the time of the first lasts."""
    prover = Prover()
    proof = good(tenant, prover, jti="one")
    assert send(tenant, client, proof).status_code == 200
    for there in (tenant, elsewhere):
        text = refused(send(there, client, proof), 400, "invalid_dpop_proof")
        assert "before" in text
    refused(send(tenant, client, good(tenant, prover, jti="one")), 400, "invalid_dpop_proof")
    assert send(tenant, client, good(tenant, Prover(), jti="one")).status_code == 200


@both_databases
def test_a_proof_counts_once_at_the_same_moment(
    tenant: Tenant, client: Client, elsewhere: Tenant
) -> None:
    """§11.1: of many, in two processes, one gets a token."""
    proof = good(tenant, Prover())
    places = [tenant, elsewhere] * 8
    with ThreadPoolExecutor(len(places)) as pool:
        answers = list(pool.map(lambda there: send(there, client, proof), places))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 15


def test_what_is_remembered_ends(tenant: Tenant, client: Client) -> None:
    """§11.1: as long as the proof would be good, and no longer."""
    before = tenant.server.stored()["replay_identifiers"]
    assert send(tenant, client, good(tenant, Prover())).status_code == 200
    assert tenant.server.stored()["replay_identifiers"] == before + 1
    refused(send(tenant, client, "x.y.z"), 400, "invalid_dpop_proof")
    assert tenant.server.stored()["replay_identifiers"] == before + 1


def test_who_does_not_authenticate_leaves_nothing(tenant: Tenant, client: Client) -> None:
    """§11.1: proofs of strangers are not remembered."""
    wrong = Client(client.facts, "wrong")
    with tenant.server.stores_nothing():
        refused(send(tenant, wrong, good(tenant, Prover())), 401, "invalid_client")


# §8 and §9: nonces


def test_nonces(tenant: Tenant, client: Client) -> None:
    """§8: asked for with `use_dpop_nonce`, given in `DPoP-Nonce`, good for some minutes."""
    tenant.change(require_dpop_nonce=True)
    prover = Prover()
    answer = prover.ask(tenant, client, **ASK)
    refused(answer, 400, "use_dpop_nonce")
    first = answer.headers["dpop-nonce"]
    assert first
    # §8: the nonce "MUST NOT" have what a quoted string cannot carry.
    assert first.isascii()
    assert first.isalnum()
    assert prover.ask(tenant, client, **ASK).status_code == 200
    # §8.2: "a new nonce" comes with any answer; the old one is good for a while.
    tenant.server.clock.advance(120)
    answer = prover.ask(tenant, client, **ASK)
    assert answer.status_code == 200
    assert answer.headers["dpop-nonce"] != first
    assert prover.ask(tenant, client, **ASK).status_code == 200
    prover.nonce = first
    tenant.server.clock.advance(120)
    refused(prover.ask(tenant, client, **ASK), 400, "use_dpop_nonce")
    assert prover.ask(tenant, client, **ASK).status_code == 200


@pytest.mark.parametrize("nonce", ["x", "", 7, ["x"], "x" * 256, "\ud800", "é"])
def test_a_nonce_of_somebody_else(tenant: Tenant, client: Client, nonce: Any) -> None:
    """§8: only a nonce of this server, and of this tenant."""
    tenant.change(require_dpop_nonce=True)
    proof = good(tenant, Prover(), nonce=nonce)
    refused(send(tenant, client, proof), 400, "use_dpop_nonce")


def test_a_nonce_of_another_tenant(server: Server, tenant: Tenant, client: Client) -> None:
    tenant.change(require_dpop_nonce=True)
    other = server.tenant(require_dpop_nonce=True)
    stranger = other.application("non_interactive")
    prover = Prover()
    refused(prover.ask(other, stranger, **ASK), 400, "use_dpop_nonce")
    refused(send(tenant, client, good(tenant, prover)), 400, "use_dpop_nonce")


def test_a_nonce_tells_the_time(tenant: Tenant, client: Client) -> None:
    """§4.3 (11): the time is "a server managed timestamp via the nonce claim" then."""
    tenant.change(require_dpop_nonce=True)
    prover = Prover()
    prover.ask(tenant, client, **ASK)
    proof = good(tenant, prover, iat=timestamp(tenant.server.clock.now()) - 86_400, jti="late")
    assert send(tenant, client, proof).status_code == 200
    refused(send(tenant, client, proof), 400, "invalid_dpop_proof")
    refused(send(tenant, client, good(tenant, prover, iat=None)), 400, "invalid_dpop_proof")


def test_nonces_across_processes(tenant: Tenant, client: Client, elsewhere: Tenant) -> None:
    """§8: no process has to remember what another has given."""
    tenant.change(require_dpop_nonce=True)
    prover = Prover()
    refused(prover.ask(elsewhere, client, **ASK), 400, "use_dpop_nonce")
    assert prover.ask(tenant, client, **ASK).status_code == 200


def test_nobody_needs_a_nonce_without_a_proof(tenant: Tenant, client: Client) -> None:
    """§8: the switch asks nothing of requests without a proof."""
    tenant.change(require_dpop_nonce=True)
    response = tenant.token(client, **ASK)
    assert response.status_code == 200
    assert "dpop-nonce" not in response.headers


def test_metadata(tenant: Tenant) -> None:
    """§5.1: asymmetric algorithms only."""
    document = tenant.server.client.get(tenant.url(".well-known/openid-configuration")).json()
    assert document["dpop_signing_alg_values_supported"] == ["ES256", "PS256", "EdDSA"]
    path = ".well-known/oauth-protected-resource/graphql"
    resource = tenant.server.client.get(tenant.url(path))
    if resource.status_code == 200:
        assert resource.json()["dpop_signing_alg_values_supported"] == ["ES256", "PS256", "EdDSA"]
