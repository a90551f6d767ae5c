"""RFC 9449: tokens, codes and refresh tokens that are bound to a key."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tenantry.core.facts import EncryptionFormat, KeyEncryptionAlgorithm, NewTokenEncryption
from tests.support import jwe, jwt
from tests.support.browser import Browser
from tests.support.client_keys import rsa_key
from tests.support.dpop import Prover
from tests.support.flow import Granted, authorize, refused, request_for, sign_in
from tests.support.pushing import follow, push
from tests.support.server import PASSWORD, Client, Server, Tenant, both_databases

API = "https://api.example.com"
OFFLINE = "openid profile offline_access"
ASK = {"grant_type": "client_credentials", "audience": API}
ALGS = 'algs="ES256 PS256 EdDSA"'


def redeemed(granted: Granted, prover: Prover, **changes: str | None) -> dict[str, Any]:
    response = prover.ask(granted.tenant, granted.client, **granted.fields(**changes))
    assert response.status_code == 200, response.text
    tokens: dict[str, Any] = response.json()
    return tokens


def refreshing(token: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": token}


def begin(
    browser: Browser, tenant: Tenant, client: Client, prover: Prover, **changes: str | None
) -> dict[str, Any]:
    """Signs in with offline access, and redeems the code with a proof."""
    return redeemed(sign_in(browser, tenant, client, **{"scope": OFFLINE} | changes), prover)


def challenge_of(response: httpx2.Response) -> str:
    assert response.status_code == 401
    told: str = response.headers["www-authenticate"]
    assert ALGS in told
    return told


# §5 and §6: tokens


@both_databases
def test_the_code_flow(tenant: Tenant, browser: Browser) -> None:
    """§5, §6.1 and §7.1: from the code to userinfo."""
    client, user, prover = tenant.application("spa"), tenant.user(), Prover()
    tokens = begin(browser, tenant, client, prover)
    assert tokens["token_type"] == "DPoP"
    assert jwt.claims_of(tokens["access_token"])["cnf"] == {"jkt": prover.jkt}
    assert "cnf" not in jwt.claims_of(tokens["id_token"])
    response = prover.get(tenant, "userinfo", tokens["access_token"])
    assert (response.status_code, response.json()["sub"]) == (200, user.id)
    response = prover.ask(tenant, client, **refreshing(tokens["refresh_token"]))
    again = response.json()
    assert (response.status_code, again["token_type"]) == (200, "DPoP")
    assert prover.get(tenant, "userinfo", again["access_token"]).status_code == 200


@pytest.mark.parametrize("dialect", ["access_token", "rfc9068_profile"])
def test_introspection(tenant: Tenant, browser: Browser, dialect: str) -> None:
    """§6.2: `token_type` and `cnf`, for whoever checks the proof itself."""
    api = tenant.api(API, "read", token_dialect=dialect, allow_offline_access=True)
    machine = tenant.application("non_interactive")
    tenant.grant(machine, API, "read")
    tenant.user()
    prover = Prover()
    of_machine = prover.ask(tenant, machine, **ASK).json()["access_token"]
    tokens = begin(browser, tenant, tenant.application("spa"), prover, audience=api.identifier)
    for token in (of_machine, tokens["access_token"]):
        found = tenant.server.client.post(
            tenant.url("oauth/introspect"), data=machine.body | {"token": token}
        ).json()
        assert (found["active"], found["token_type"]) == (True, "DPoP")
        assert found["cnf"] == {"jkt": prover.jkt}
    plain = tenant.token(machine, **ASK).json()["access_token"]
    found = tenant.server.client.post(
        tenant.url("oauth/introspect"), data=machine.body | {"token": plain}
    ).json()
    assert found["token_type"] == "Bearer"
    assert "cnf" not in found


def test_introspection_of_what_cannot_be_read(tenant: Tenant, browser: Browser) -> None:
    """§6.2: a token that is encrypted for its API has a `cnf` there as well."""
    encryption = NewTokenEncryption(
        format=EncryptionFormat.COMPACT_NESTED_JWE,
        name="The key",
        alg=KeyEncryptionAlgorithm.RSA_OAEP_256,
        kid=None,
        pem=jwe.public_pem(rsa_key()),
    )
    tenant.api(API, "read", token_encryption=encryption)
    client = tenant.application()
    tenant.user()
    prover = Prover()
    token = begin(browser, tenant, client, prover, scope="openid read", audience=API)
    found = tenant.server.client.post(
        tenant.url("oauth/introspect"), data=client.body | {"token": token["access_token"]}
    ).json()
    assert (found["token_type"], found["cnf"]) == ("DPoP", {"jkt": prover.jkt})


def test_a_refresh_token_tells_its_key(tenant: Tenant, browser: Browser) -> None:
    """§6.2: only where it is bound."""
    client, prover = tenant.application(), Prover()
    tenant.user()
    tokens = begin(browser, tenant, client, prover)
    found = tenant.server.client.post(
        tenant.url("oauth/introspect"), data=client.body | {"token": tokens["refresh_token"]}
    ).json()
    assert found["active"]
    assert "cnf" not in found


# §5: refresh tokens


@both_databases
def test_a_stolen_refresh_token(tenant: Tenant, browser: Browser) -> None:
    """§5: of a public application it is good with its key alone, and a thief ends nothing."""
    client, prover, thief = tenant.application("spa"), Prover(), Prover()
    tenant.user()
    first = begin(browser, tenant, client, prover)["refresh_token"]
    refused(tenant.token(client, **refreshing(first)), 400, "invalid_grant")
    refused(thief.ask(tenant, client, **refreshing(first)), 400, "invalid_grant")
    second = prover.ask(tenant, client, **refreshing(first)).json()["refresh_token"]
    tenant.server.clock.advance(60)
    # RFC 9700 §4.14.2: an older one would end the family, but not by who has not the key.
    refused(tenant.token(client, **refreshing(first)), 400, "invalid_grant")
    refused(thief.ask(tenant, client, **refreshing(first)), 400, "invalid_grant")
    tenant.server.clock.advance(-60)
    assert prover.ask(tenant, client, **refreshing(second)).status_code == 200


def test_a_replay_by_who_has_the_key(tenant: Tenant, browser: Browser) -> None:
    """RFC 9700 §4.14.2: reuse ends the family, if the key comes with it."""
    client, prover = tenant.application("spa"), Prover()
    tenant.user()
    first = begin(browser, tenant, client, prover)["refresh_token"]
    second = prover.ask(tenant, client, **refreshing(first)).json()["refresh_token"]
    tenant.server.clock.advance(20)
    refused(prover.ask(tenant, client, **refreshing(first)), 400, "invalid_grant")
    tenant.server.clock.advance(-20)
    refused(prover.ask(tenant, client, **refreshing(second)), 400, "invalid_grant")


def test_a_confidential_application_may_change_its_key(tenant: Tenant, browser: Browser) -> None:
    """§5: "refresh tokens are … sender-constrained by … client authentication"."""
    client, prover, other = tenant.application(), Prover(), Prover()
    tenant.user()
    token = begin(browser, tenant, client, prover)["refresh_token"]
    changed = other.ask(tenant, client, **refreshing(token)).json()
    assert jwt.claims_of(changed["access_token"])["cnf"] == {"jkt": other.jkt}
    plain = tenant.token(client, **refreshing(changed["refresh_token"])).json()
    assert plain["token_type"] == "Bearer"
    assert "cnf" not in jwt.claims_of(plain["access_token"])


def test_a_bad_proof_consumes_nothing(tenant: Tenant, browser: Browser) -> None:
    """§5: neither a code nor a refresh token, nor does the demand for a nonce."""
    client, prover = tenant.application("spa"), Prover()
    tenant.user()
    granted = sign_in(browser, tenant, client, scope=OFFLINE)
    url = tenant.url("oauth/token")
    headers = {"DPoP": prover.proof(tenant, "GET", "oauth/token")}
    answer = tenant.server.client.post(url, data=client.body | granted.fields(), headers=headers)
    refused(answer, 400, "invalid_dpop_proof")
    tenant.change(require_dpop_nonce=True)
    refused(prover.ask(tenant, client, **granted.fields()), 400, "use_dpop_nonce")
    token = redeemed(granted, prover)["refresh_token"]
    prover.nonce = None
    refused(prover.ask(tenant, client, **refreshing(token)), 400, "use_dpop_nonce")
    assert prover.ask(tenant, client, **refreshing(token)).status_code == 200
    assert "use_dpop_nonce" not in str(tenant.events("token.refused"))


# §7: protected resources


def test_the_schemes(tenant: Tenant, browser: Browser) -> None:
    """§7.1 and §7.2: a bound token is no bearer token, and a bearer token is not bound."""
    client, prover = tenant.application("spa"), Prover()
    tenant.user()
    bound = begin(browser, tenant, client, prover)["access_token"]
    plain = sign_in(browser, tenant, client).tokens()["access_token"]
    told = challenge_of(tenant.userinfo(bound))
    assert told.startswith('Bearer error="invalid_token"')
    assert f", DPoP {ALGS}" in told
    told = challenge_of(prover.get(tenant, "userinfo", plain))
    assert told.startswith('DPoP error="invalid_token"')
    assert "Bearer" not in told
    url = tenant.url("userinfo")
    proof = {"DPoP": prover.proof(tenant, "POST", "userinfo", bound)}
    in_body = tenant.server.client.post(url, data={"access_token": bound}, headers=proof)
    assert challenge_of(in_body).startswith("Bearer")
    # A proof that nobody asked for changes nothing.
    headers = {"authorization": f"Bearer {plain}", "DPoP": "x"}
    assert tenant.server.client.get(url, headers=headers).status_code == 200
    told = challenge_of(tenant.server.client.get(url))
    assert told == f"Bearer, DPoP {ALGS}"
    upper = {
        "authorization": f"DPOP {bound}",
        "DPOP": prover.proof(tenant, "GET", "userinfo", bound),
    }
    assert tenant.server.client.get(url, headers=upper).status_code == 200


BAD: dict[str, dict[str, Any]] = {
    "no ath": {"ath": None},
    "another ath": {"ath": "x" * 43},
    "another method": {"htm": "POST"},
    "another address": {"htu": "http://localhost:8000/oauth/token"},
    "no iat": {"iat": None},
}


@pytest.mark.parametrize("case", BAD)
def test_bad_proofs_at_userinfo(tenant: Tenant, browser: Browser, case: str) -> None:
    """§4.3 (12) and §7.1: the proof is for this token and this request."""
    client, prover = tenant.application("spa"), Prover()
    tenant.user()
    token = begin(browser, tenant, client, prover)["access_token"]
    url = tenant.url("userinfo")
    headers = {
        "authorization": f"DPoP {token}",
        "DPoP": prover.proof(tenant, "GET", "userinfo", token, **BAD[case]),
    }
    answer = tenant.server.client.get(url, headers=headers)
    assert challenge_of(answer).startswith('DPoP error="invalid_dpop_proof"')


def test_possession_at_userinfo(tenant: Tenant, browser: Browser) -> None:
    """§7.1: once, by the key of the token, and not without."""
    client, prover = tenant.application("spa"), Prover()
    tenant.user()
    token = begin(browser, tenant, client, prover)["access_token"]
    url = tenant.url("userinfo")
    get = tenant.server.client.get
    authorization = {"authorization": f"DPoP {token}"}
    assert 'error="invalid_dpop_proof"' in challenge_of(get(url, headers=authorization))
    headers = authorization | {"DPoP": prover.proof(tenant, "GET", "userinfo", token)}
    assert get(url, headers=headers).status_code == 200
    assert 'error="invalid_dpop_proof"' in challenge_of(get(url, headers=headers))
    assert 'error="invalid_token"' in challenge_of(Prover().get(tenant, "userinfo", token))
    of_another = prover.get(tenant, "userinfo", "x.y.z")
    assert challenge_of(of_another).startswith('DPoP error="invalid_token"')


def test_nonces_at_userinfo(tenant: Tenant, browser: Browser) -> None:
    """§9: a resource of ours asks for a nonce too, and scripts may read it (§8)."""
    client = tenant.application("spa", allowed_origins=["https://app.example.com"])
    prover = Prover()
    tenant.user()
    token = begin(browser, tenant, client, prover)["access_token"]
    tenant.change(require_dpop_nonce=True)
    url = tenant.url("userinfo")
    headers = {
        "authorization": f"DPoP {token}",
        "DPoP": prover.proof(tenant, "GET", "userinfo", token),
        "origin": "https://app.example.com",
    }
    answer = tenant.server.client.get(url, headers=headers)
    assert challenge_of(answer).startswith('DPoP error="use_dpop_nonce"')
    assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
    assert "DPoP-Nonce" in answer.headers["access-control-expose-headers"]
    prover.nonce = answer.headers["dpop-nonce"]
    assert prover.get(tenant, "userinfo", token).status_code == 200


def test_scripts_send_proofs(tenant: Tenant) -> None:
    """Fetch: the preflight allows the header `DPoP`."""
    tenant.application("spa", allowed_origins=["https://app.example.com"])
    answer = tenant.server.client.options(
        tenant.url("oauth/token"),
        headers={
            "origin": "https://app.example.com",
            "access-control-request-method": "POST",
            "access-control-request-headers": "dpop",
        },
    )
    assert "DPoP" in answer.headers["access-control-allow-headers"].split(", ")


def _administrator(server: Server) -> tuple[Tenant, Client]:
    root = server.root
    client = root.application("non_interactive")
    root.grant(client, root.url("graphql"), "read:applications")
    return root, client


def test_the_management_api(server: Server) -> None:
    """§7.1: a bound token administers with a proof for each request."""
    root, client = _administrator(server)
    prover = Prover()
    ask = {"grant_type": "client_credentials", "audience": root.url("graphql")}
    token = prover.ask(root, client, **ask).json()["access_token"]
    query = "{ viewer { clientId } }"
    answer = prover.administer(root, token, query)
    assert answer.json()["data"]["viewer"]["clientId"] == client.id, answer.text
    url, post = root.url("graphql"), server.client.post
    bearer = post(url, json={"query": query}, headers={"authorization": f"Bearer {token}"})
    assert challenge_of(bearer).startswith('Bearer error="invalid_token"')
    without = post(url, json={"query": query}, headers={"authorization": f"DPoP {token}"})
    assert challenge_of(without).startswith('DPoP error="invalid_dpop_proof"')
    headers = {
        "authorization": f"DPoP {token}",
        "DPoP": prover.proof(root, "POST", "graphql", token),
    }
    assert post(url, json={"query": query}, headers=headers).status_code == 200
    assert challenge_of(post(url, json={"query": query}, headers=headers)).startswith("DPoP")
    stolen = Prover().administer(root, token, query)
    assert challenge_of(stolen).startswith('DPoP error="invalid_token"')
    plain = root.token(client, **ask).json()["access_token"]
    assert challenge_of(prover.administer(root, plain, query)).startswith("DPoP")
    assert f"DPoP {ALGS}" in challenge_of(post(url, json={"query": query}))


def test_nonces_at_the_management_api(server: Server) -> None:
    """§9: `use_dpop_nonce` with the nonce to use."""
    root, client = _administrator(server)
    prover = Prover()
    ask = {"grant_type": "client_credentials", "audience": root.url("graphql")}
    token = prover.ask(root, client, **ask).json()["access_token"]
    root.change(require_dpop_nonce=True)
    try:
        answer = prover.administer(root, token, "{ viewer { clientId } }")
        assert 'error="use_dpop_nonce"' in challenge_of(answer)
        assert answer.headers["dpop-nonce"]
        assert prover.administer(root, token, "{ viewer { clientId } }").status_code == 200
    finally:
        root.change(require_dpop_nonce=False)


# §10: codes


@both_databases
def test_a_code_is_bound(tenant: Tenant, browser: Browser) -> None:
    """§10: `dpop_jkt` names the key of the token request; a wrong one consumes nothing."""
    client, prover = tenant.application("spa"), Prover()
    tenant.user()
    granted = sign_in(browser, tenant, client, dpop_jkt=prover.jkt)
    refused(granted.redeem(), 400, "invalid_grant")
    refused(Prover().ask(tenant, client, **granted.fields()), 400, "invalid_grant")
    assert redeemed(granted, prover)["token_type"] == "DPoP"


@pytest.mark.parametrize("value", ["x", "x" * 44, "=" * 43, "x" * 42 + " "])
def test_what_is_no_thumbprint(tenant: Tenant, browser: Browser, value: str) -> None:
    """§10: a SHA-256 in base64url."""
    client = tenant.application()
    page = authorize(browser, tenant, request_for(client, dpop_jkt=value).parameters)
    assert page.answer["error"] == "invalid_request"


def _push(tenant: Tenant, client: Client, prover: Prover, **changes: str) -> httpx2.Response:
    url = tenant.url("oauth/par")
    asked = request_for(client, **changes)
    return tenant.server.client.post(
        url,
        data=asked.parameters | client.body,
        headers={"DPoP": prover.proof(tenant, "POST", "oauth/par")},
    )


def test_a_pushed_request_is_bound(tenant: Tenant, browser: Browser) -> None:
    """§10.1: by its proof, by the parameter, or by both if they agree."""
    client, prover = tenant.application(), Prover()
    tenant.user()
    url = tenant.url("oauth/par")
    for changes in ({}, {"dpop_jkt": prover.jkt}):
        asked = request_for(client, **changes)
        answer = tenant.server.client.post(
            url,
            data=asked.parameters | client.body,
            headers={"DPoP": prover.proof(tenant, "POST", "oauth/par")},
        )
        assert answer.status_code == 201, answer.text
        page = follow(browser, tenant, client, answer.json()["request_uri"])
        if page.title == "Log in":
            page = browser.submit(page, "login-form", username="ann@example.com", password=PASSWORD)
        granted = Granted(tenant, client, asked, page.answer)
        refused(granted.redeem(), 400, "invalid_grant")
        refused(Prover().ask(tenant, client, **granted.fields()), 400, "invalid_grant")
        assert redeemed(granted, prover)["token_type"] == "DPoP"


def test_a_pushed_request_with_two_keys(tenant: Tenant) -> None:
    """§10.1: the server "MUST reject the request" if the parameter is not the proof's key."""
    client, prover = tenant.application(), Prover()
    answer = _push(tenant, client, prover, dpop_jkt=Prover().jkt)
    refused(answer, 400, "invalid_dpop_proof")
    asked = request_for(client)
    url = tenant.url("oauth/par")
    bad = {"DPoP": prover.proof(tenant, "POST", "oauth/token")}
    answer = tenant.server.client.post(url, data=asked.parameters | client.body, headers=bad)
    refused(answer, 400, "invalid_dpop_proof")
    assert push(tenant, client, asked.parameters | {"dpop_jkt": prover.jkt}).status_code == 201


def test_nonces_at_par(tenant: Tenant) -> None:
    """§8 at the pushed authorization request endpoint."""
    tenant.change(require_dpop_nonce=True)
    client, prover = tenant.application(), Prover()
    answer = _push(tenant, client, prover)
    refused(answer, 400, "use_dpop_nonce")
    prover.nonce = answer.headers["dpop-nonce"]
    assert _push(tenant, client, prover).status_code == 201


# §5.2 and APIs: who must


def test_an_application_that_must_prove(tenant: Tenant, browser: Browser) -> None:
    """§5.2: "dpop_bound_access_tokens": no token without a proof, by any grant."""
    client = tenant.application(
        grant_types=["authorization_code", "refresh_token", "client_credentials", "implicit"],
        response_types=["code", "token", "id_token", "code token"],
        dpop_bound_access_tokens=True,
    )
    tenant.api(API, "read")
    tenant.grant(client, API, "read")
    tenant.user()
    prover = Prover()
    refused(tenant.token(client, **ASK), 400, "invalid_request")
    assert prover.ask(tenant, client, **ASK).json()["token_type"] == "DPoP"
    granted = sign_in(browser, tenant, client, scope=OFFLINE)
    refused(granted.redeem(), 400, "invalid_request")
    token = redeemed(granted, prover)["refresh_token"]
    refused(tenant.token(client, **refreshing(token)), 400, "invalid_request")
    for response_type in ("token", "code token"):
        asked = request_for(client, response_type=response_type)
        answer = authorize(browser, tenant, asked.parameters).answer
        assert answer["error"] == "unauthorized_client", response_type
        assert "access_token" not in answer


def test_an_api_that_wants_keys(tenant: Tenant, browser: Browser) -> None:
    """§7: none of its tokens is a bearer token, whoever asks and however."""
    client = tenant.application(
        grant_types=["authorization_code", "client_credentials", "implicit"],
        response_types=["code", "token"],
    )
    tenant.api(API, "read", proof_of_possession="dpop")
    tenant.api("https://other.example.com", "read")
    tenant.grant(client, API, "read")
    tenant.grant(client, "https://other.example.com", "read")
    tenant.user()
    prover = Prover()
    refused(tenant.token(client, **ASK), 400, "invalid_request")
    assert prover.ask(tenant, client, **ASK).status_code == 200
    other = ASK | {"audience": "https://other.example.com"}
    assert tenant.token(client, **other).status_code == 200
    granted = sign_in(browser, tenant, client, audience=API, scope="openid read")
    refused(granted.redeem(), 400, "invalid_request")
    assert redeemed(granted, prover)["token_type"] == "DPoP"
    asked = request_for(client, response_type="token", audience=API, scope="openid read")
    answer = authorize(browser, tenant, asked.parameters).answer
    assert answer["error"] == "invalid_request"


def test_an_api_that_wants_certificates(tenant: Tenant) -> None:
    """RFC 8705 §3: a DPoP key is no certificate."""
    client = tenant.application("non_interactive")
    tenant.api(API, "read", proof_of_possession="mtls")
    tenant.grant(client, API, "read")
    refused(tenant.token(client, **ASK), 400, "invalid_request")
    refused(Prover().ask(tenant, client, **ASK), 400, "invalid_request")


def test_several_apis(tenant: Tenant) -> None:
    """RFC 8707 §2: a token for several is as bound as the strictest wants."""
    tenant.change(resource_parameter_profile="several")
    client = tenant.application("non_interactive")
    names = ("https://a.example.com", "https://b.example.com")
    for name, wanted in zip(names, (None, "dpop"), strict=True):
        tenant.api(name, "read", proof_of_possession=wanted)
        tenant.grant(client, name, "read")
    url = tenant.url("oauth/token")
    fields = {**client.body, "grant_type": "client_credentials", "resource": list(names)}
    refused(tenant.server.client.post(url, data=fields), 400, "invalid_request")
    headers = {"DPoP": Prover().proof(tenant, "POST", "oauth/token")}
    answer = tenant.server.client.post(url, data=fields, headers=headers)
    assert (answer.status_code, answer.json()["token_type"]) == (200, "DPoP")


# The other grants


def test_an_exchange_keeps_the_key(tenant: Tenant, browser: Browser) -> None:
    """RFC 8693 §2.1 with §7.1: a bound token is exchanged by who has its key."""
    exchange = "urn:ietf:params:oauth:grant-type:token-exchange"
    client = tenant.application(
        grant_types=["authorization_code", exchange], token_exchange_audiences=[API]
    )
    tenant.api(API, "read")
    tenant.user()
    prover = Prover()
    token = begin(browser, tenant, client, prover, scope="openid")["access_token"]
    fields = {
        "grant_type": exchange,
        "audience": API,
        "subject_token": token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
    }
    refused(tenant.token(client, **fields), 400, "invalid_request")
    refused(Prover().ask(tenant, client, **fields), 400, "invalid_request")
    answer = prover.ask(tenant, client, **fields)
    assert answer.status_code == 200, answer.text
    assert answer.json()["token_type"] == "DPoP"
    assert jwt.claims_of(answer.json()["access_token"])["cnf"] == {"jkt": prover.jkt}


def test_passwords(tenant: Tenant) -> None:
    """§5: proofs work with any grant."""
    client = tenant.application(grant_types=["password"])
    tenant.change(default_directory="Username-Password-Authentication")
    tenant.user()
    answer = Prover().ask(
        tenant,
        client,
        grant_type="password",
        username="ann@example.com",
        password=PASSWORD,
        scope="openid",
    )
    assert (answer.status_code, answer.json()["token_type"]) == (200, "DPoP"), answer.text


def test_registration(tenant: Tenant) -> None:
    """§5.2: client metadata."""
    tenant.change(enable_dynamic_client_registration=True)
    document = {
        "redirect_uris": ["https://app.example.com/callback"],
        "dpop_bound_access_tokens": True,
    }
    answer = tenant.server.client.post(tenant.url("oidc/register"), json=document)
    assert (answer.status_code, answer.json()["dpop_bound_access_tokens"]) == (201, True)
