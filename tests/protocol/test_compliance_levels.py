"""FAPI 1.0 Advanced, FAPI 2.0 Security Profile and Message Signing: the flow of each level, and
what each level refuses."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from tenantry.core.compliance import ComplianceLevel
from tenantry.core.errors import DomainError
from tenantry.rules.compliance import LEVELS
from tests.support import jwt
from tests.support.browser import Browser
from tests.support.client_certificates import made
from tests.support.client_keys import assertion_claims, proving, rsa_key, signed
from tests.support.compliance import INTERACTION, KEY, Compliant, settings
from tests.support.databases import Databases
from tests.support.flow import authorize, log_in, refused, request_for
from tests.support.management import root_api
from tests.support.server import CALLBACK, HTTPS_URL, Server, Tenant, begun

ALL = list(ComplianceLevel)
FAPI1 = [level for level in ALL if level.value.startswith("fapi1")]
FAPI2 = [level for level in ALL if level.value.startswith("fapi2")]
SIGNED = [level for level in ALL if LEVELS[level].request_algorithms]
BY_KEY = [level for level in ALL if "_pkj_" in level.value]
# One of each kind, for what does not hang on how keys are proven.
SOME = [
    ComplianceLevel.FAPI1_ADV_PKJ_PAR,
    ComplianceLevel.FAPI2_SP_MTLS_MTLS,
    ComplianceLevel.FAPI2_MS_PKJ_DPOP,
]
PLAIN = [level for level in ALL if not LEVELS[level].request_algorithms]
PLAIN_FAPI2 = [level for level in PLAIN if level in FAPI2]


@pytest.fixture(scope="module")
def server(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    with (
        databases.url("sqlite") as url,
        begun(
            url,
            portal,
            public_url=HTTPS_URL,
            trusted_proxies=(ip_network("127.0.0.1/32"),),
            client_certificate_header="client-certificate",
        ) as server,
    ):
        yield server


@pytest.fixture
def tenant(server: Server) -> Tenant:
    tenant = server.tenant()
    tenant.user()
    return tenant


def made_for(tenant: Tenant, level: ComplianceLevel, **changes: Any) -> Compliant:
    return Compliant(tenant, tenant.application(**settings(level, **changes)), level)


@pytest.fixture(params=ALL)
def compliant(request: pytest.FixtureRequest, tenant: Tenant) -> Compliant:
    return made_for(tenant, request.param)


def only(*levels: ComplianceLevel) -> Callable[..., Any]:
    return pytest.mark.parametrize("compliant", levels, indirect=True)


def test_the_flow(compliant: Compliant, browser: Browser) -> None:
    """FAPI 2.0 §5.3, FAPI 1.0 Advanced §5.2.2: pushed, answered, redeemed, refreshed, used."""
    tenant, asked = compliant.tenant, compliant.asked()
    answer = compliant.answer(compliant.sign_in(browser, asked))
    assert answer["state"] == asked.state
    assert answer["iss"] == tenant.issuer
    response = compliant.redeem(asked, answer["code"])
    assert response.status_code == 200, response.text
    tokens = response.json()
    assert tokens["token_type"] == ("DPoP" if compliant.binds_by_key else "Bearer")
    bound = jwt.claims_of(tokens["access_token"])["cnf"]
    thumbprint = {"x5t#S256": made().thumbprint}
    assert bound == ({"jkt": compliant.prover.jkt} if compliant.binds_by_key else thumbprint)
    assert jwt.header_of(tokens["id_token"])["alg"] == "PS256"
    refreshed = compliant.refresh(tokens["refresh_token"])
    assert refreshed.status_code == 200, refreshed.text
    same = refreshed.json()["refresh_token"] == tokens["refresh_token"]
    assert same is (compliant.level in FAPI2), "FAPI 2.0 §5.3.2.1: refresh tokens do not rotate"
    claims = compliant.userinfo(refreshed.json()["access_token"])
    assert claims.status_code == 200, claims.text
    assert claims.headers["x-fapi-interaction-id"] == INTERACTION


@only(*FAPI1)
def test_a_detached_signature(compliant: Compliant, browser: Browser) -> None:
    """FAPI 1.0 Advanced §5.1: `code id_token`, whose ID token has `s_hash` and `c_hash`."""
    asked = compliant.asked(response_type="code id_token", response_mode=None)
    answer = compliant.answer(compliant.sign_in(browser, asked))
    _, claims = jwt.verify(answer["id_token"], compliant.tenant.jwks())
    assert {"s_hash", "c_hash"} <= claims.keys()
    assert compliant.redeem(asked, answer["code"]).status_code == 200


def test_requests_are_pushed(compliant: Compliant, browser: Browser) -> None:
    """FAPI 2.0 §5.3.2.2: "shall require" pushed requests, whatever the setting says."""
    asked = compliant.asked()
    page = authorize(browser, compliant.tenant, compliant.parameters(asked) | {"scope": "openid"})
    told = page.answer["error_description"] if page.left_for else page.response.text
    assert "required by the configured compliance level" in told


@only(*SOME)
@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"response_type": "token id_token"},
        {"response_type": "id_token"},
    ],
)
def test_requests_that_no_level_takes(compliant: Compliant, changes: dict[str, Any]) -> None:
    """FAPI 2.0 §5.3.2.2: S256, and the response types of the profile."""
    response = compliant.push(compliant.parameters(compliant.asked(**changes)))
    assert response.status_code == 400
    assert response.json()["error"] in {
        "invalid_request",
        "unauthorized_client",
        "unsupported_response_type",
    }


@only(*SOME)
def test_the_redirect_uri_is_named(compliant: Compliant) -> None:
    """FAPI 2.0 §5.3.2.2: "shall require the redirect_uri parameter in pushed" requests."""
    asked = compliant.asked(redirect_uri=None, scope="email")
    text = refused(compliant.push(compliant.parameters(asked)), 400, "invalid_request")
    assert text == "The parameter redirect_uri is missing."


@only(*FAPI2)
def test_no_hybrid_answers(compliant: Compliant) -> None:
    """FAPI 2.0 §5.3.2.2: "shall support only the response_type value code"."""
    asked = compliant.asked(response_type="code id_token")
    assert compliant.push(compliant.parameters(asked)).status_code == 400


@only(*FAPI1, *(level for level in ALL if LEVELS[level].signed_response))
def test_codes_come_in_signed_answers(compliant: Compliant) -> None:
    """FAPI 1.0 Advanced §5.2.2 (2), FAPI 2.0 Message Signing §5.4."""
    asked = compliant.asked(response_mode=None)
    text = refused(compliant.push(compliant.parameters(asked)), 400, "invalid_request")
    assert "response_mode=jwt" in text


@only(*SIGNED)
@pytest.mark.parametrize(
    "alg, changes",
    [
        ("RS256", {}),
        ("PS256", {"nbf": None}),
        ("PS256", {"exp": None}),
        ("PS256", {"nbf": -3_700, "exp": 60}),
        ("PS256", {"nbf": 0, "exp": 3_700}),
        ("PS256", {"aud": "https://other.example.com/"}),
        ("PS256", {"aud": None}),
    ],
)
def test_request_objects(compliant: Compliant, alg: str, changes: dict[str, Any]) -> None:
    """FAPI 1.0 Advanced §5.2.2 (13) and (14), Message Signing §5.3.2: algorithm and times."""
    now = compliant.now()
    given = {
        name: now + value if isinstance(value, int) else value for name, value in changes.items()
    }
    token = compliant.request_object(compliant.asked(), alg, **given)
    response = compliant.push({"client_id": compliant.client.id, "request": token})
    refused(response, 400, "invalid_request_object")


@only(*SIGNED)
def test_requests_are_signed(compliant: Compliant) -> None:
    """FAPI 1.0 Advanced §5.2.2 (1), Message Signing §5.3.2."""
    refused(compliant.push(compliant.asked().parameters), 400, "invalid_request")


@only(*BY_KEY)
@pytest.mark.parametrize("alg", ["RS256", "RS384"])
def test_assertions_by_weak_algorithms(compliant: Compliant, alg: str) -> None:
    """FAPI 2.0 §5.4.1, FAPI 1.0 Advanced §8.6: PS256, ES256 (or EdDSA)."""
    parameters = compliant.parameters(compliant.asked())
    refused(compliant.push(parameters, compliant.proof(alg)), 401, "invalid_client")


@only(*(level for level in FAPI2 if level in BY_KEY))
@pytest.mark.parametrize("aud", ["{issuer}oauth/token", "{issuer}oauth/par", ["{issuer}"]])
def test_assertions_are_for_the_issuer(compliant: Compliant, aud: Any) -> None:
    """FAPI 2.0 §5.3.2.1: "its issuer identifier value … as a string"."""
    issuer = compliant.tenant.issuer
    named = [each.format(issuer=issuer) for each in ([aud] if isinstance(aud, str) else aud)]
    proof = compliant.proof(aud=named[0] if isinstance(aud, str) else named)
    response = compliant.push(compliant.parameters(compliant.asked()), proof)
    assert "aud" in refused(response, 401, "invalid_client")


@only(*(level for level in FAPI1 if level in BY_KEY))
def test_older_assertions_may_name_the_endpoint(compliant: Compliant) -> None:
    """OpenID Connect Core §9, which FAPI 1.0 leaves as it is."""
    proof = compliant.proof(aud=[f"{compliant.tenant.issuer}oauth/token"])
    assert compliant.push(compliant.parameters(compliant.asked()), proof).status_code == 201


def test_other_ways_to_authenticate(compliant: Compliant) -> None:
    """FAPI 2.0 §5.3.2.1: the one way of the level, nothing else."""
    parameters = compliant.parameters(compliant.asked())
    now = compliant.now()
    claims = assertion_claims(compliant.tenant, compliant.client, iat=now, exp=now + 60)
    by_key = compliant.level in BY_KEY
    other = {} if by_key else proving(signed(claims, KEY, "PS256", kid="k1"))
    proof = {"client_id": compliant.client.id, **other}
    headers = made().headers() if by_key else {}
    url = compliant.tenant.url("oauth/par")
    answer = compliant.tenant.server.client.post(url, data=parameters | proof, headers=headers)
    refused(answer, 401, "invalid_client")
    secret = {"client_id": compliant.client.id, "client_secret": "x" * 40}
    refused(compliant.push(parameters, secret), 401, "invalid_client")


def test_tokens_are_bound(compliant: Compliant, browser: Browser) -> None:
    """FAPI 2.0 §5.3.2.1: "shall only issue sender-constrained access tokens"."""
    tenant, asked = compliant.tenant, compliant.asked()
    answer = compliant.answer(compliant.sign_in(browser, asked))
    url = tenant.url("oauth/token")
    fields = {"grant_type": "authorization_code", "code": answer["code"]}
    fields |= {"redirect_uri": CALLBACK, "code_verifier": asked.verifier}
    bare = tenant.server.client.post(url, data=fields | compliant.proof())
    assert bare.status_code in {400, 401}
    response = compliant.redeem(asked, answer["code"])
    token = response.json()["access_token"]
    as_bearer = {"authorization": f"Bearer {token}", "x-fapi-interaction-id": INTERACTION}
    stolen = tenant.server.client.get(tenant.url("userinfo"), headers=as_bearer)
    assert stolen.status_code == 401
    # RFC 6750 §2.3 is nobody's way.
    query = tenant.server.client.get(tenant.url(f"userinfo?access_token={token}"))
    assert query.status_code in {400, 401}


@only(*FAPI1)
@pytest.mark.parametrize("interaction", [None, "1", f"{INTERACTION}0"])
def test_requests_can_be_told_apart(
    compliant: Compliant, browser: Browser, interaction: str | None
) -> None:
    """FAPI 1.0 Baseline §6.2.1 (11)."""
    asked = compliant.asked()
    answer = compliant.answer(compliant.sign_in(browser, asked))
    token = compliant.redeem(asked, answer["code"]).json()["access_token"]
    response = compliant.userinfo(token, interaction)
    assert "x-fapi-interaction-id" in refused(response, 400, "invalid_request")
    assert "x-fapi-interaction-id" not in response.headers


def test_how_long_codes_and_pushed_requests_live(compliant: Compliant, browser: Browser) -> None:
    """FAPI 2.0 §5.3.2.1: codes 60 seconds; pushed requests less than 600, here 30."""
    tenant, asked = compliant.tenant, compliant.asked()
    response = compliant.push(compliant.parameters(asked))
    short = compliant.level in FAPI2
    assert response.json()["expires_in"] == (30 if short else 60)
    answer = compliant.answer(compliant.sign_in(browser, asked))
    tenant.server.clock.advance(61)
    late = compliant.redeem(asked, answer["code"])
    expected = (400, "invalid_grant") if short else (200, None)
    assert (late.status_code, late.json().get("error")) == expected


@only(*PLAIN[:1])
def test_the_issuer_is_said_where_the_tenant_does_not(
    compliant: Compliant, browser: Browser
) -> None:
    """FAPI 2.0 §5.3.2.2 and RFC 9207 §3: in the answer, and discovery says so of every answer."""
    tenant = compliant.tenant
    tenant.change(authorization_response_iss_parameter_supported=False)
    page = compliant.sign_in(browser, compliant.asked())
    assert page.answer["iss"] == tenant.issuer
    member = "authorization_response_iss_parameter_supported"
    url = tenant.url(".well-known/openid-configuration")
    assert tenant.server.client.get(url).json()[member] is True
    other = tenant.application()
    query = authorize(browser, tenant, request_for(other).parameters)
    assert (query.answer if query.answer else log_in(browser, query).answer)["iss"] == tenant.issuer
    tenant.change_application(compliant.client, compliance_level=None)
    assert tenant.server.client.get(url).json()[member] is False


@only(*FAPI1)
@pytest.mark.parametrize(
    "changes, named",
    [
        ({"nonce": None}, "nonce"),
        ({"scope": None}, "scope"),
        ({"scope": "email", "state": None}, "state"),
        ({"scope": None, "response_type": "code id_token", "response_mode": None}, "scope"),
    ],
)
def test_what_binds_answers_is_said(
    compliant: Compliant, changes: dict[str, Any], named: str
) -> None:
    """FAPI 1.0 Baseline §5.2.2.2 and §5.2.2.3: `nonce`, or `state` without the scope openid.

    What stands beside the request object does not count.
    """
    asked = compliant.asked(**changes)
    beside = {name: "1" for name, value in changes.items() if value is None}
    response = compliant.push(beside | compliant.parameters(asked))
    text = refused(response, 400, "invalid_request")
    assert text.startswith(f"The parameter {named} ")
    unnamed = compliant.asked(scope="email", nonce=None)
    assert compliant.push(compliant.parameters(unnamed)).status_code == 201


@only(*SOME)
@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://app.example.com/callback/other"},
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"response_type": "code id_token", "response_mode": "query"},
    ],
)
def test_errors_where_requests_are_pushed(compliant: Compliant, changes: dict[str, Any]) -> None:
    """RFC 9126 §2.3: said at once, by the code that the parameter's specification has."""
    response = compliant.push(compliant.parameters(compliant.asked(**changes)))
    refused(response, 400, "invalid_request")


@only(*SIGNED[:1], *SIGNED[-1:])
def test_request_objects_of_others(compliant: Compliant) -> None:
    """RFC 9101 §4 and §6.2: unsigned, signed by another, with a `request_uri` inside."""
    asked = compliant.asked()
    own = compliant.request_object(asked)
    claims = jwt.claims_of(own)
    unsigned = ".".join([jwt.encode(b'{"alg":"none"}'), own.split(".")[1], ""])
    forged = signed(claims, rsa_key("another"), "PS256", kid="k1")
    nested = compliant.request_object(asked, request_uri="https://app.example.com/request")
    for token in (unsigned, forged, nested):
        response = compliant.push({"client_id": compliant.client.id, "request": token})
        refused(response, 400, "invalid_request_object")
    both = compliant.push(compliant.parameters(asked) | {"request_uri": "urn:example:1"})
    refused(both, 400, "invalid_request")


@only(*SOME)
def test_what_is_another_applications(compliant: Compliant, browser: Browser) -> None:
    """RFC 6749 §5.2 and §4.1.2, RFC 9126 §2.2: codes, refresh tokens and pushed requests."""
    other = made_for(compliant.tenant, compliant.level)
    other.prover = compliant.prover
    reference = compliant.push(compliant.parameters(compliant.asked())).json()["request_uri"]
    stolen = {"client_id": other.client.id, "request_uri": reference}
    page = authorize(browser, compliant.tenant, stolen)
    assert (page.status, page.left_for) == (400, "")
    asked = compliant.asked()
    answer = compliant.answer(compliant.sign_in(browser, asked))
    tokens = compliant.redeem(asked, answer["code"]).json()
    refused(other.refresh(tokens["refresh_token"]), 400, "invalid_grant")
    assert compliant.userinfo(tokens["access_token"]).status_code == 200
    refused(compliant.redeem(asked, answer["code"]), 400, "invalid_grant")
    assert compliant.userinfo(tokens["access_token"]).status_code == 401
    again = compliant.asked()
    answer = compliant.answer(compliant.sign_in(browser, again))
    refused(other.redeem(again, answer["code"]), 400, "invalid_grant")


def test_tokens_without_proof(compliant: Compliant, browser: Browser) -> None:
    """RFC 9449 §5.2, RFC 8705 §3.4: a code and a refresh token, without what they need."""
    asked = compliant.asked()
    answer = compliant.answer(compliant.sign_in(browser, asked))
    by_key = compliant.level in BY_KEY
    keeps_certificate = compliant.binds_by_key and not by_key
    headers = made().headers() if keeps_certificate else {}
    # Who proves itself by the certificate is nobody without it.
    expected = (400, "invalid_request") if by_key or keeps_certificate else (401, "invalid_client")
    code = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": CALLBACK}
    code["code_verifier"] = asked.verifier
    client, url = compliant.tenant.server.client, compliant.tenant.url("oauth/token")
    refused(client.post(url, data=code | compliant.proof(), headers=headers), *expected)
    token = compliant.redeem(asked, answer["code"]).json()["refresh_token"]
    fields = {"grant_type": "refresh_token", "refresh_token": token}
    refused(client.post(url, data=fields | compliant.proof(), headers=headers), *expected)
    assert compliant.refresh(token).status_code == 200


@only(*(level for level in ALL if "_dpop" in level.value))
def test_proofs_at_the_alias(compliant: Compliant) -> None:
    """RFC 9449 §4.3 (9) and RFC 8705 §5: the address that was asked may be the alias."""
    tenant, prover = compliant.tenant, compliant.prover
    tenant.change(enable_mtls_endpoint_aliases=True)
    alias = tenant.url("oauth/par").replace("https://", "https://mtls.")
    other = tenant.url("oauth/par").replace("https://", "https://x.")
    for htu, status in ((alias, 201), (other, 400), (tenant.url("oauth/par"), 201)):
        headers = made().headers() | {"DPoP": prover.proof(tenant, "POST", "", htu=htu)}
        fields = compliant.parameters(compliant.asked()) | compliant.proof()
        answer = tenant.server.client.post(alias, data=fields, headers=headers)
        assert answer.status_code == status, answer.text


@only(*PLAIN[:1])
def test_answers_can_be_told_apart(compliant: Compliant, browser: Browser) -> None:
    """FAPI 1.0 Baseline §6.2.1 (11): a UUID of the server's where the request has none."""
    asked = compliant.asked()
    answer = compliant.answer(compliant.sign_in(browser, asked))
    token = compliant.redeem(asked, answer["code"]).json()["access_token"]
    given = {compliant.userinfo(token, None).headers["x-fapi-interaction-id"] for _ in range(2)}
    assert len({str(uuid.UUID(each)) for each in given}) == 2


@pytest.mark.parametrize(
    "level", [ComplianceLevel.FAPI1_ADV_PKJ_PAR, ComplianceLevel.FAPI2_SP_PKJ_MTLS]
)
def test_requests_at_the_back_channel(tenant: Tenant, level: ComplianceLevel) -> None:
    """FAPI-CIBA §5.2.2 and FAPI 1.0 Advanced §8.6: signed, and not by RS256."""
    types = ("authorization_code", "urn:openid:params:grant-type:ciba")
    compliant = made_for(tenant, level, grant_types=types)
    now = compliant.now()
    claims: dict[str, Any] = {"iss": compliant.client.id, "aud": tenant.issuer}
    claims |= {"scope": "openid", "login_hint": "nobody@example.com"}
    claims |= {"iat": now, "nbf": now, "exp": now + 60}

    def told(alg: str) -> str:
        token = signed(claims | {"jti": alg}, KEY, alg, kid="k1")
        response = compliant.post("bc-authorize", compliant.proof() | {"request": token})
        return refused(response, 400, "invalid_request")

    assert "not signed as registered" in told("RS256")
    assert "notification channel" in told("PS256")


@pytest.mark.parametrize("level", PLAIN_FAPI2)
def test_one_half_of_message_signing(
    tenant: Tenant, browser: Browser, level: ComplianceLevel
) -> None:
    """FAPI 2.0 Message Signing §5.3 and §5.4 apart: signed requests, or signed responses."""
    own = settings(level, require_signed_request_object=True, request_object_lifetime=3600)
    signing = Compliant(tenant, tenant.application(**own), level)
    asked = signing.asked()
    refused(signing.push(asked.parameters), 400, "invalid_request")
    for alg, changes in (("RS256", {}), ("PS256", {"exp": None}), ("PS256", {"nbf": None})):
        token = signing.request_object(asked, alg, **changes)
        response = signing.push({"client_id": signing.client.id, "request": token})
        refused(response, 400, "invalid_request_object")
    token = signing.request_object(asked)
    response = signing.push({"client_id": signing.client.id, "request": token})
    named = {"client_id": signing.client.id, "request_uri": response.json()["request_uri"]}
    answer = log_in(browser, authorize(browser, tenant, named)).answer
    assert answer["iss"] == tenant.issuer
    assert signing.redeem(asked, answer["code"]).status_code == 200
    answered = made_for(tenant, level)
    asked = answered.asked(response_mode="jwt")
    page = answered.sign_in(browser, asked)
    assert set(page.answer) == {"response"}
    assert jwt.header_of(page.answer["response"])["alg"] == "PS256"
    assert answered.redeem(asked, answered.answer(page)["code"]).status_code == 200


@pytest.mark.parametrize("level", ALL)
def test_machines(tenant: Tenant, level: ComplianceLevel) -> None:
    """FAPI 2.0 §5.3.2.1 for client credentials: authenticated, bound, and not by RS256."""
    own = settings(level, grant_types=("client_credentials",))
    for name in ("id_token_signed_response_alg", "authorization_signed_response_alg"):
        del own[name]
    client = tenant.application("non_interactive", **own)
    compliant = Compliant(tenant, client, level)
    tenant.api("https://api.example.com", "read")
    tenant.grant(client, "https://api.example.com", "read")
    fields = {"grant_type": "client_credentials", "audience": "https://api.example.com"}
    response = compliant.post("oauth/token", fields | compliant.proof())
    assert response.status_code == 200, response.text
    bound = jwt.claims_of(response.json()["access_token"])["cnf"]
    thumbprint = {"x5t#S256": made().thumbprint}
    assert bound == ({"jkt": compliant.prover.jkt} if compliant.binds_by_key else thumbprint)
    bare = tenant.server.client.post(tenant.url("oauth/token"), data=fields | compliant.proof())
    assert bare.status_code in {400, 401}
    # FAPI 2.0 §5.4.1: no RS256 either where it asks what a token is worth (RFC 9701).
    tenant.change(signing_algorithms=("RS256", "PS256"))
    asked = {"token": response.json()["access_token"]} | compliant.proof()
    signed_ = "application/token-introspection+jwt"
    told = compliant.post("oauth/introspect", asked, accept=signed_)
    header, claims = jwt.verify(told.text, tenant.jwks())
    assert header["alg"] == "PS256"
    assert claims["token_introspection"]["cnf"] == bound
    if level in BY_KEY:
        weak = compliant.post("oauth/token", fields | compliant.proof("RS256"))
        refused(weak, 401, "invalid_client")


@pytest.mark.parametrize("level", SOME)
@pytest.mark.parametrize(
    "changes, setting",
    [
        (
            {
                "token_endpoint_auth_method": "client_secret_basic",
                "tls_client_auth_subject_dn": None,
            },
            "tokenEndpointAuthMethod",
        ),
        ({"id_token_signed_response_alg": "RS256"}, "idTokenSignedResponseAlg"),
        ({"userinfo_signed_response_alg": "RS256"}, "userinfoSignedResponseAlg"),
        (
            {"backchannel_authentication_request_signing_alg": "RS256"},
            "backchannelAuthenticationRequestSigningAlg",
        ),
        ({"oidc_conformant": False}, "oidcConformant"),
        ({"grant_types": ("authorization_code", "password"), "is_first_party": True}, "grantTypes"),
        ({"response_types": ("id_token",)}, "responseTypes"),
    ],
)
def test_what_an_application_lacks(
    tenant: Tenant, level: ComplianceLevel, changes: dict[str, Any], setting: str
) -> None:
    """Each is named when the level is set, and when the setting would fall below it later."""
    with pytest.raises(DomainError) as told:
        made_for(tenant, level, **changes)
    assert f"Application.{setting}: " in str(told.value)
    compliant = made_for(tenant, level)
    with pytest.raises(DomainError):
        tenant.change_application(compliant.client, **changes)


@pytest.mark.parametrize("level", ALL)
def test_wildcards(tenant: Tenant, level: ComplianceLevel) -> None:
    """FAPI 1.0 Advanced §5.2.2: exact callbacks."""
    uris = {"redirect_uris": ("https://*.app.example.com/callback",)}
    if level in FAPI1:
        with pytest.raises(DomainError, match="wildcard"):
            made_for(tenant, level, **uris)
    else:
        assert made_for(tenant, level, **uris).client.id


def test_the_report(compliant: Compliant) -> None:
    """Each requirement with the setting that decides it."""
    api = root_api(compliant.tenant)
    query = (
        "query($id: String!, $level: ComplianceLevel) { complianceReport(clientId: $id, "
        "level: $level) { level isMet requirements { requirement description setting isMet } } }"
    )
    own = api.answer(query, id=compliant.client.id)["data"]["complianceReport"]
    assert (own["level"], own["isMet"]) == (compliant.level.name, True)
    names = [each["requirement"] for each in own["requirements"]]
    assert len(names) == len(set(names)) >= 15
    other = compliant.tenant.application()
    assert api.answer(query, id=other.id)["data"]["complianceReport"] is None
    asked = api.answer(query, id=other.id, level=compliant.level.name)["data"]["complianceReport"]
    lacking = {each["setting"] for each in asked["requirements"] if not each["isMet"]}
    assert lacking >= {"Application.tokenEndpointAuthMethod"}
    assert not asked["isMet"]
