"""FAPI-CIBA: people are asked elsewhere by applications that prove who they are, and their tokens
are bound to certificates."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import httpx2
import pytest
from anyio.from_thread import BlockingPortal

from tenantry.core.backchannel import BackchannelRequestState
from tenantry.core.compliance import ComplianceLevel
from tenantry.core.facts import GrantType, UserFacts
from tenantry.services import backchannel_requests as answers
from tenantry.store import backchannel_requests
from tenantry.store.backchannel_requests import BackchannelRequestFilter
from tenantry.store.pages import PageRequest
from tenantry.store.unit_of_work import TenantSession
from tests.support import jwt
from tests.support.browser import Browser
from tests.support.ciba import CIBA, EMAIL, approve, deliveries, linked
from tests.support.client_certificates import made
from tests.support.client_keys import rsa_key, signed
from tests.support.compliance import KEY, Compliant, settings
from tests.support.databases import Databases
from tests.support.dpop import Prover
from tests.support.flow import refused
from tests.support.listener import Listener, listening
from tests.support.mail import MailServer, receiving
from tests.support.server import HTTPS_URL, Server, Tenant, begun

BY_KEY, BY_CERTIFICATE = ComplianceLevel.FAPI1_ADV_PKJ_PAR, ComplianceLevel.FAPI1_ADV_MTLS_PAR
TYPED = "oauth-authz-req+jwt"
CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with receiving() as made_:
        yield made_


@pytest.fixture(scope="module")
def server(databases: Databases, portal: BlockingPortal, mail: MailServer) -> Iterator[Server]:
    with (
        databases.url("sqlite") as url,
        begun(
            url,
            portal,
            public_url=HTTPS_URL,
            trusted_proxies=(ip_network("127.0.0.1/32"),),
            client_certificate_header="client-certificate",
            outbound_allow_private=True,
            **mail.settings,
        ) as server,
    ):
        yield server


@pytest.fixture(autouse=True)
def nothing_waits(server: Server, mail: MailServer) -> None:
    deliveries(server)
    mail.messages.clear()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as made_:
        yield made_


@pytest.fixture
def user(tenant: Tenant) -> UserFacts:
    tenant.change(signing_algorithms=("RS256", "PS256"))
    return tenant.user(EMAIL, email_verified=True)


class Asking(Compliant):
    """An application that asks as FAPI-CIBA says."""

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = self.now()
        claims: dict[str, Any] = {
            "iss": self.client.id,
            "aud": self.tenant.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": secrets.token_urlsafe(8),
            "scope": "openid",
            "login_hint": EMAIL,
            "binding_message": "1234",
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def ask(
        self, alg: str = "PS256", proof: dict[str, str] | None = None, **changes: Any
    ) -> httpx2.Response:
        token = signed(self.claims(**changes), KEY, alg, kid="k1")
        return self.send(token, proof)

    def send(self, token: str, proof: dict[str, str] | None = None) -> httpx2.Response:
        given = self.proof() if proof is None else proof
        return self.post("bc-authorize", given | {"request": token})

    def asked(self, **changes: Any) -> str:  # type: ignore[override]
        response = self.ask(**changes)
        assert response.status_code == 200, response.text
        return str(response.json()["auth_req_id"])

    def poll(self, auth_req_id: str, **headers: str) -> httpx2.Response:
        fields = {"grant_type": CIBA.value, "auth_req_id": auth_req_id}
        return self.post("oauth/token", fields | self.proof(), **headers)

    def approve(self) -> None:
        """The person goes along, in an app of the tenant's own."""

        def decide(db: TenantSession) -> None:
            waiting = BackchannelRequestFilter(
                client_id=self.client.id, state=BackchannelRequestState.PENDING
            )
            found = backchannel_requests.page(db, PageRequest(1), waiting).items[0]
            assert answers.approve(db, found, db.now, ("pwd",), found.requested_scopes)

        self.tenant.write(decide)


def made_for(tenant: Tenant, level: ComplianceLevel, *, is_set: bool, **changes: Any) -> Asking:
    """With a level, or by the settings alone that FAPI-CIBA needs."""
    values = settings(level, grant_types=(CIBA, "authorization_code", "refresh_token"))
    if not is_set:
        values |= {
            "compliance_level": None,
            "token_endpoint_auth_signing_alg": "PS256",
            "tls_client_certificate_bound_access_tokens": True,
            "grant_types": (CIBA, "refresh_token"),
        }
        if level is BY_CERTIFICATE:
            del values["token_endpoint_auth_signing_alg"]
    values |= {"backchannel_authentication_request_signing_alg": "PS256"}
    return Asking(tenant, tenant.application(**values | changes), level, Prover())


KINDS = [(BY_KEY, True), (BY_KEY, False), (BY_CERTIFICATE, True), (BY_CERTIFICATE, False)]


@pytest.fixture(params=KINDS, ids=[f"{level.value}-{set_}" for level, set_ in KINDS])
def kind(request: pytest.FixtureRequest) -> tuple[ComplianceLevel, bool]:
    found: tuple[ComplianceLevel, bool] = request.param
    return found


@pytest.fixture
def asking(tenant: Tenant, user: UserFacts, kind: tuple[ComplianceLevel, bool]) -> Asking:
    return made_for(tenant, kind[0], is_set=kind[1])


@pytest.fixture
def keyed(tenant: Tenant, user: UserFacts) -> Asking:
    return made_for(tenant, BY_KEY, is_set=False)


def test_the_flow(asking: Asking, browser: Browser, user: UserFacts, mail: MailServer) -> None:
    """FAPI-CIBA §5.2.2: asked, polled, approved by mail, redeemed once, used with the certificate.

    FAPI 1.0 Baseline §6.2.1 (11): the answer has an interaction id where the request had none.
    """
    tenant = asking.tenant
    token = signed(
        asking.claims(requested_expiry=300, scope="profile openid", acr_values=CONTEXT),
        KEY,
        "PS256",
        kid="k1",
        typ=TYPED,
    )
    response = asking.send(token)
    assert response.status_code == 200, response.text
    made_ = response.json()
    assert response.headers["content-type"].startswith("application/json")
    assert (made_["expires_in"], made_["interval"]) == (300, 5)
    auth_req_id = made_["auth_req_id"]
    refused(asking.poll(auth_req_id), 400, "authorization_pending")
    tenant.server.clock.advance(5)
    refused(asking.poll(auth_req_id), 400, "authorization_pending")
    approve(browser, linked(tenant, mail))
    answer = asking.poll(auth_req_id)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    tokens = answer.json()
    header, claims = jwt.verify(tokens["id_token"], tenant.jwks())
    assert (header["alg"], claims["sub"], claims["aud"]) == ("PS256", user.id, asking.client.id)
    # §7.1: "highly RECOMMENDED that the resulting ID Token contains an acr".
    assert claims["acr"] == CONTEXT
    # §10.3.1 has these for push alone, and the hashes of a code are nobody's here.
    absent = {"urn:openid:params:jwt:claim:auth_req_id", "c_hash", "s_hash", "nonce"}
    assert not absent & set(claims)
    bound = jwt.claims_of(tokens["access_token"])["cnf"]
    assert bound == {"x5t#S256": made().thumbprint}
    used = asking.userinfo(tokens["access_token"], None)
    assert used.status_code == 200, used.text
    assert used.headers["x-fapi-interaction-id"]
    stolen = {"authorization": f"Bearer {tokens['access_token']}"} | made("two").headers()
    refused_at = tenant.server.client.get(tenant.url("userinfo"), headers=stolen)
    refused(refused_at, 401, "invalid_token")
    refused(asking.poll(auth_req_id), 400, "invalid_grant")


def test_the_endpoint_itself_may_be_the_audience(keyed: Asking) -> None:
    """CIBA §7.1: the issuer, the token endpoint or the backchannel endpoint, as assertions say."""
    tenant = keyed.tenant
    for audience in (
        tenant.issuer,
        tenant.url("oauth/token"),
        tenant.url("bc-authorize"),
        [tenant.issuer, "https://x.example/"],
    ):
        assert keyed.ask(proof=keyed.proof(aud=audience)).status_code == 200
    assert keyed.ask(aud=[tenant.issuer, "https://x.example/"]).status_code == 200


@pytest.mark.parametrize("level", [BY_KEY, BY_CERTIFICATE])
def test_a_ping(tenant: Tenant, user: UserFacts, listener: Listener, level: Any) -> None:
    """§10.2, with the longest token of §7.1; a body in the answer is nobody's business."""
    asking = made_for(
        tenant,
        level,
        is_set=False,
        backchannel_token_delivery_mode="ping",
        backchannel_client_notification_endpoint=f"{listener.origin}/ping",
    )
    refused(asking.ask(), 400, "invalid_request")
    for bad in ("a b", "x" * 1025, "ü", ""):
        refused(asking.ask(client_notification_token=bad), 400, "invalid_request")
    token = "aA0-._~+/" + "x" * 1013 + "=="
    auth_req_id = asking.asked(client_notification_token=token)
    deliveries(tenant.server)
    refused(asking.poll(auth_req_id), 400, "authorization_pending")
    asking.approve()
    assert deliveries(tenant.server) == 1
    ((path, body),) = listener.requests
    assert (path, json.loads(body)) == ("/ping", {"auth_req_id": auth_req_id})
    assert listener.headers[0]["authorization"] == f"Bearer {token}"
    assert asking.poll(auth_req_id).status_code == 200


def test_nobody_answers_in_time(asking: Asking) -> None:
    """§11: expired_token."""
    response = asking.ask(requested_expiry=30)
    assert response.json()["expires_in"] == 30
    asking.tenant.server.clock.advance(31)
    refused(asking.poll(response.json()["auth_req_id"]), 400, "expired_token")


def test_many_polls_at_once(keyed: Asking) -> None:
    """§11: pending first, then slower; when the person has answered the tokens are there."""
    auth_req_id = keyed.asked()
    refused(keyed.poll(auth_req_id), 400, "authorization_pending")
    for _ in range(20):
        refused(keyed.poll(auth_req_id), 400, "slow_down")
    keyed.approve()
    assert keyed.poll(auth_req_id).status_code == 200


def test_of_another_application(asking: Asking, kind: tuple[ComplianceLevel, bool]) -> None:
    """§11: "the auth_req_id is invalid or was issued to another Client": invalid_grant."""
    other = made_for(asking.tenant, kind[0], is_set=kind[1])
    auth_req_id = asking.asked()
    asking.approve()
    refused(other.poll(auth_req_id), 400, "invalid_grant")
    assert asking.poll(auth_req_id).status_code == 200


def test_the_certificate_of_another(tenant: Tenant, user: UserFacts) -> None:
    """RFC 8705 §2: another client_id beside the certificate is another application: 401."""
    asking = made_for(tenant, BY_CERTIFICATE, is_set=False)
    distinct = "CN=somebody.example.com, O=Company\\, Inc., C=DE"
    other = made_for(tenant, BY_CERTIFICATE, is_set=False, tls_client_auth_subject_dn=distinct)
    auth_req_id = asking.asked()
    stolen = {"client_id": other.client.id}
    refused(asking.ask(proof=stolen), 401, "invalid_client")
    fields = {"grant_type": CIBA.value, "auth_req_id": auth_req_id}
    refused(asking.post("oauth/token", fields | stolen), 401, "invalid_client")


def test_without_a_certificate(asking: Asking) -> None:
    """FAPI 1.0 Advanced §5.2.2: tokens are bound to the certificate, so there must be one."""
    tenant, auth_req_id = asking.tenant, asking.asked()
    asking.approve()
    fields = {"grant_type": CIBA.value, "auth_req_id": auth_req_id} | asking.proof()
    bare = tenant.server.client.post(tenant.url("oauth/token"), data=fields)
    found = (bare.status_code, bare.json()["error"])
    assert found == (
        (400, "invalid_request") if asking.level is BY_KEY else (401, "invalid_client")
    )
    assert asking.poll(auth_req_id).status_code == 200


def broken(proof: dict[str, str]) -> dict[str, str]:
    head, body, _ = proof["client_assertion"].split(".")
    return proof | {"client_assertion": f"{head}.{body}.{'A' * 342}"}


ASSERTIONS: dict[str, Any] = {
    "none": lambda one: {"client_id": one.client.id},
    "no type": lambda one: {
        name: value for name, value in one.proof().items() if name != "client_assertion_type"
    },
    "another type": lambda one: one.proof() | {"client_assertion_type": "urn:x"},
    "no sub": lambda one: one.proof(sub=None),
    "another sub": lambda one: one.proof(sub="x"),
    "no iss": lambda one: one.proof(iss=None),
    "another iss": lambda one: one.proof(iss="x"),
    "no aud": lambda one: one.proof(aud=None),
    "another aud": lambda one: one.proof(aud="https://x.example/"),
    "over": lambda one: one.proof(exp=one.now() - 300, iat=one.now() - 600),
    "RS256": lambda one: one.proof("RS256"),
    "a broken signature": lambda one: broken(one.proof()),
    "another key": lambda one: (
        one.proof()
        | {
            "client_assertion": signed(
                {"iss": one.client.id, "sub": one.client.id, "aud": one.tenant.issuer},
                rsa_key("another"),
                "PS256",
                kid="k1",
            )
        }
    ),
}


@pytest.mark.parametrize("name", ASSERTIONS)
def test_assertions_that_are_refused(keyed: Asking, name: str) -> None:
    """RFC 7523 §3 and FAPI-CIBA §7.10: 401 invalid_client, at both endpoints."""
    proof = ASSERTIONS[name]
    refused(keyed.ask(proof=proof(keyed)), 401, "invalid_client")
    fields = {"grant_type": CIBA.value, "auth_req_id": keyed.asked()}
    refused(keyed.post("oauth/token", fields | proof(keyed)), 401, "invalid_client")


OBJECTS: dict[str, dict[str, Any]] = {
    "RS256": {"alg": "RS256"},
    "another issuer": {"iss": "x"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "https://x.example/"},
    "no audience": {"aud": None},
    "no exp": {"exp": None},
    "no iat": {"iat": None},
    "no nbf": {"nbf": None},
    "no jti": {"jti": None},
    "over": {"exp": -300},
    "70 minutes": {"exp": 70 * 60},
    "70 minutes old": {"nbf": -70 * 60},
    "10 minutes ahead": {"nbf": 600, "exp": 900},
    "two hints": {"id_token_hint": "x"},
    "no hint": {"login_hint": None},
    "no openid": {"scope": "profile"},
    "a negative expiry": {"requested_expiry": -1},
}


@pytest.mark.parametrize("name", OBJECTS)
def test_requests_that_are_refused(asking: Asking, name: str) -> None:
    """§7.1.1 and §13: 400, before anybody is asked."""
    changes = dict(OBJECTS[name])
    for time in ("exp", "nbf"):
        if changes.get(time) is not None:
            changes[time] += asking.now()
    error = "invalid_scope" if name == "no openid" else "invalid_request"
    refused(asking.ask(**changes), 400, error)
    assert deliveries(asking.tenant.server) == 0


def test_requests_that_nobody_signed(asking: Asking) -> None:
    """FAPI-CIBA §5.2.2: "shall require signed authentication requests", by the very client."""
    plain = {"scope": "openid", "login_hint": EMAIL}
    refused(asking.post("bc-authorize", plain | asking.proof()), 400, "invalid_request")
    claims = asking.claims()
    forged = signed(claims, rsa_key("another"), "PS256", kid="k1")
    refused(asking.send(forged), 400, "invalid_request")
    unsigned = signed(claims, None, "none")
    refused(asking.send(unsigned), 400, "invalid_request")


def test_an_odd_message(asking: Asking) -> None:
    """§13: invalid_binding_message, for what a device might not show."""
    message = "1234 👍🏿 品川 " + "long " * 30
    refused(asking.ask(binding_message=message), 400, "invalid_binding_message")
    assert asking.ask(requested_expiry="300").status_code == 200


def test_who_goes_along_is_not_counted(keyed: Asking) -> None:
    """§14: the bound is for people who do not answer, or refuse."""
    for _ in range(25):
        keyed.asked()
        keyed.approve()


def test_refresh_tokens(tenant: Tenant, user: UserFacts) -> None:
    """RFC 8705 §4 and RFC 6749 §6: for the application alone, each time with its certificate."""
    tenant.api("https://notes.example.com", "read", allow_offline_access=True)
    asking, other = (made_for(tenant, BY_KEY, is_set=False) for _ in range(2))
    fields = {"scope": "openid offline_access read", "audience": "https://notes.example.com"}
    auth_req_id = asking.asked(**fields)
    asking.approve()
    token = asking.poll(auth_req_id).json()["refresh_token"]
    refused(other.refresh(token), 400, "invalid_grant")
    body = {"grant_type": GrantType.REFRESH_TOKEN.value, "refresh_token": token}
    bare = tenant.server.client.post(tenant.url("oauth/token"), data=body | asking.proof())
    refused(bare, 400, "invalid_request")
    again = asking.refresh(token)
    assert again.status_code == 200, again.text
    assert jwt.claims_of(again.json()["access_token"])["cnf"] == {"x5t#S256": made().thumbprint}


def test_tokens_bound_to_a_key(tenant: Tenant, user: UserFacts) -> None:
    """RFC 9449 §5 with FAPI 2.0 §5.3.2.1: by DPoP; assertions are for the issuer alone."""
    level = ComplianceLevel.FAPI2_SP_PKJ_DPOP
    asking = made_for(tenant, level, is_set=True)
    elsewhere = asking.proof(aud=tenant.url("bc-authorize"))
    refused(asking.ask(proof=elsewhere), 401, "invalid_client")
    auth_req_id = asking.asked()
    asking.approve()
    fields = {"grant_type": CIBA.value, "auth_req_id": auth_req_id} | asking.proof()
    bare = tenant.server.client.post(tenant.url("oauth/token"), data=fields)
    refused(bare, 400, "invalid_request")
    tokens = asking.poll(auth_req_id).json()
    assert tokens["token_type"] == "DPoP"
    assert jwt.claims_of(tokens["access_token"])["cnf"] == {"jkt": asking.prover.jkt}
    assert asking.userinfo(tokens["access_token"]).status_code == 200


def test_metadata(tenant: Tenant, user: UserFacts) -> None:
    """CIBA §4, FAPI 1.0 Advanced §8.6: what a relying party looks for before it begins."""
    told = tenant.server.client.get(tenant.url(".well-known/openid-configuration")).json()
    assert told["tls_client_certificate_bound_access_tokens"] is True
    assert {"poll", "ping"} == set(told["backchannel_token_delivery_modes_supported"])
    for member in (
        "id_token_signing_alg_values_supported",
        "userinfo_signing_alg_values_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "backchannel_authentication_request_signing_alg_values_supported",
    ):
        assert "PS256" in told[member], member
    methods = set(told["token_endpoint_auth_methods_supported"])
    assert {"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"} <= methods
    assert CIBA.value in told["grant_types_supported"]
    assert told["backchannel_user_code_parameter_supported"] is True
