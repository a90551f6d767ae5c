"""Discovery §3, RFC 8414 §2: each member is tried, and so is what it leaves out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any
from urllib.parse import urlsplit

import pytest
from joserfc import jwe
from joserfc.jwk import RSAKey

from tenantry.core.authorization_details import AuthorizationDetailsType
from tenantry.core.compliance import ComplianceLevel
from tenantry.core.errors import DomainError
from tenantry.core.facts import ClaimMapping, ClaimSource, ClaimTarget
from tenantry.edge.routes import ROUTES
from tests.protocol.test_client_assertion import ask as prove
from tests.protocol.test_client_assertion import key_set, machine
from tests.protocol.test_device import ask as ask_for_device
from tests.protocol.test_device import native
from tests.protocol.test_mandatory_features import FULL
from tests.protocol.test_request_object import claims_for, outside
from tests.support import ciba, jwt
from tests.support.browser import Browser, Page
from tests.support.client_keys import (
    assertion_claims,
    ec_key,
    ed_key,
    proving,
    public_jwk,
    rsa_key,
    signed,
)
from tests.support.compliance import Compliant, settings
from tests.support.dpop import Prover
from tests.support.flow import Granted, authorize, log_in, request_for, sign_in
from tests.support.pushing import push, sign_in_pushed
from tests.support.registration import register
from tests.support.server import Client, Server, Tenant

EVERY_KEY = ("RS256", "PS256", "ES256", "EdDSA")
JWS = (*EVERY_KEY, "RS384", "RS512", "PS384", "ES384", "ES512", "HS256", "HS384", "none")
METHODS = (
    "none",
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
)
# Pages, and what no specification gives a member to.
UNNAMED = {
    "/.well-known/assetlinks.json",
    "/.well-known/apple-app-site-association",
    "/apple-app-site-association",
    "/",
    "/healthz",
    "/readyz",
    "/v2/logout",
    "/u/login",
    "/u/account",
    "/u/consent",
    "/u/organization",
    "/u/confirm",
    "/u/approval",
    "/u/device",
    "/u/mailbox",
    "/u/logout",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource/graphql",
}


@dataclass(frozen=True)
class Scene:
    """A tenant with everything on, its document, and a signed-in person."""

    tenant: Tenant
    browser: Browser
    document: dict[str, Any]

    def application(self, **values: Any) -> Client:
        grants = ("authorization_code", "implicit", "refresh_token")
        origins = ("https://app.example.com",)
        given = {"grant_types": grants, "web_origins": origins} | values
        return self.tenant.application(**given)

    def ask(self, client: Client | None = None, **changes: str | None) -> Page:
        asked = request_for(client or self.application(), **changes)
        return authorize(self.browser, self.tenant, asked.parameters)

    def answer(self, client: Client | None = None, **changes: str | None) -> dict[str, str]:
        page = self.ask(client, **changes)
        return (log_in(self.browser, page) if page.title == "Log in" else page).answer

    def works(self, client: Client | None = None, **changes: str | None) -> bool:
        return "error" not in self.answer(client, **changes)

    def endpoint(self, name: str) -> str:
        return f"/{self.document[name].removeprefix(self.tenant.issuer)}"


Proof = Callable[[Scene], Any]
"""What the member should say, found out by trying."""


def _there(name: str, *methods: str) -> Callable[[Scene], str]:
    def proof(scene: Scene) -> str:
        found = ROUTES[scene.endpoint(name)]
        assert set(found) == set(methods)
        url = scene.tenant.url(scene.endpoint(name)[1:])
        for method in methods:
            answer = scene.tenant.server.client.request(method, url)
            assert answer.status_code not in {404, 405}
        return url

    return proof


def _response_types(scene: Scene) -> list[str]:
    client = scene.application()
    words = ("code", "id_token", "token", "none")
    said = scene.document["response_types_supported"]
    known = [
        " ".join(order)
        for count in (1, 2, 3)
        for order in permutations(words, count)
        if scene.works(client, response_type=" ".join(order))
    ]
    # RFC 6749 §3.1.1: the order is the same to the server, so each is named once.
    assert {frozenset(name.split()) for name in known} == {frozenset(n.split()) for n in said}
    return said if len({frozenset(n.split()) for n in said}) == len(said) else known


def _response_modes(scene: Scene) -> list[str]:
    plain = ("query", "fragment", "form_post", "web_message")
    client = scene.application()
    return [
        mode
        for mode in (*plain, "jwt", *(f"{way}.jwt" for way in plain))
        if not (page := scene.ask(client, response_mode=mode)).left_for
        or "error" not in page.answer
    ]


def _decrypts(member: str, *values: str) -> Proof:
    """RFC 9101 §6.1: which of these ways a request object may be encrypted in."""

    def proof(scene: Scene) -> list[str]:
        client = scene.application(jwks={"keys": [public_jwk(rsa_key())]})
        (key,) = (key for key in scene.tenant.jwks()["keys"] if key["use"] == "enc")
        found = []
        for value in values:
            header = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": key["kid"], member: value}
            about = {"iss": client.id, "aud": scene.tenant.issuer}
            inner = signed(request_for(client).parameters | about, rsa_key())
            ways = [header["alg"], header["enc"]]
            token = jwe.encrypt_compact(header, inner, RSAKey.import_key(key), algorithms=ways)
            asked = {"client_id": client.id, "request": token}
            page = authorize(scene.browser, scene.tenant, asked)
            found += [value] if page.left_for and "code" in page.answer else []
        return found

    return proof


def _secured_algorithms(scene: Scene) -> list[str]:
    """JARM §4: each signs the answer for an application that registered it."""
    found = []
    for alg in ("RS256", "PS256", "ES256", "EdDSA"):
        if alg in scene.document["id_token_signing_alg_values_supported"]:
            client = scene.application(authorization_signed_response_alg=alg)
            token = scene.answer(client, response_mode="jwt")["response"]
            found += [jwt.header_of(token)["alg"]]
    return found


def _secured_encryption(member: str, *values: str) -> Proof:
    def proof(scene: Scene) -> list[str]:
        keys = [public_jwk(rsa_key(), "r", use="enc"), public_jwk(ec_key(), "e", use="enc")]
        found = []
        for value in values:
            encrypted = {"alg": "ECDH-ES", member: value}
            client = scene.application(
                jwks={"keys": keys},
                authorization_encrypted_response_alg=encrypted["alg"],
                authorization_encrypted_response_enc=encrypted.get("enc"),
            )
            token = scene.answer(client, response_mode="jwt")["response"]
            found += [jwt.header_of(token)[member]]
        return found

    return proof


def _grant_types(scene: Scene) -> list[str]:
    client = scene.application()
    urn = "urn:ietf:params:oauth:grant-type:"
    others = [f"{urn}saml2-bearer", "urn:openid:params:grant-type:ciba", "password-realm"]
    known = [*scene.document["grant_types_supported"], *others]
    works = [
        name
        for name in known
        if scene.tenant.token(client, grant_type=name).json()["error"] != "unsupported_grant_type"
    ]
    # RFC 7591 §2: the grant of the authorization endpoint, which needs it.
    poor = scene.application(grant_types=("authorization_code",))
    assert scene.works(client, response_type="token")
    assert not scene.works(poor, response_type="token")
    return [*works, "implicit"]


def _candidates(scene: Scene) -> list[str]:
    """PS256 is switched on by whoever chooses it, so that trying it would make it true."""
    said = scene.document["id_token_signing_alg_values_supported"]
    return [alg for alg in JWS if alg != "PS256" or alg in said]


def _id_token_algorithms(scene: Scene) -> list[str]:
    def signs(alg: str) -> bool:
        try:
            client = scene.application(id_token_signed_response_alg=alg)
        except (DomainError, ValueError):
            return False
        tokens = sign_in(scene.browser, scene.tenant, client).tokens()
        return bool(jwt.header_of(tokens["id_token"])["alg"] == alg)

    return [alg for alg in _candidates(scene) if signs(alg)]


def _userinfo_algorithms(scene: Scene) -> list[str]:
    def signs(alg: str) -> bool:
        try:
            client = scene.application(userinfo_signed_response_alg=alg)
        except (DomainError, ValueError):
            return False
        token = sign_in(scene.browser, scene.tenant, client).tokens()["access_token"]
        header, _ = jwt.verify(scene.tenant.userinfo(token).text, scene.tenant.jwks())
        return bool(header["alg"] == alg)

    return [alg for alg in _candidates(scene) if signs(alg)]


def _key(alg: str) -> Any:
    return {"ES256": ec_key(), "EdDSA": ed_key()}.get(alg, rsa_key())


_SIGNABLE = ("RS256", "RS384", "RS512", "PS256", "ES256", "EdDSA", "none")


def _request_object_algorithms(scene: Scene) -> list[str]:
    keys = key_set(public_jwk(rsa_key()), public_jwk(ec_key(), "k2"), public_jwk(ed_key(), "k3"))
    client = scene.application(jwks=keys)

    def accepted(alg: str) -> bool:
        claims = claims_for(scene.tenant, client, request_for(client))
        token = signed(claims, _key(alg), alg)
        page = authorize(scene.browser, scene.tenant, outside(client, token))
        return bool(page.left_for)

    return [alg for alg in _SIGNABLE if accepted(alg)]


def _assertion_algorithms(scene: Scene) -> list[str]:
    keys = key_set(public_jwk(rsa_key()), public_jwk(ec_key(), "k2"), public_jwk(ed_key(), "k3"))
    client = machine(scene.tenant, jwks=keys)

    def accepted(alg: str) -> bool:
        assertion = signed(assertion_claims(scene.tenant, client), _key(alg), alg)
        return prove(scene.tenant, assertion).status_code == 200

    by_secret = scene.tenant.application(
        "non_interactive", token_endpoint_auth_method="client_secret_jwt"
    )
    scene.tenant.grant(by_secret, "https://api.example.com", "read")
    secret = by_secret.secret.encode()
    assertion = signed(assertion_claims(scene.tenant, by_secret), secret, "HS256")
    assert prove(scene.tenant, assertion).status_code == 200
    return [*(alg for alg in _SIGNABLE if accepted(alg)), "HS256"]


def _methods(name: str) -> Proof:
    """Who gets in at an endpoint, by each method."""

    def proof(scene: Scene) -> set[str]:
        return {method for method in METHODS if _gets_in(scene, scene.document[name], method)}

    return proof


def _gets_in(scene: Scene, url: str, method: str) -> bool:
    keys = {"jwks": key_set(public_jwk(rsa_key()))} if method == "private_key_jwt" else {}
    try:
        client = scene.application(token_endpoint_auth_method=method, **keys)
    except (DomainError, ValueError):
        return False
    fields = {"token": "x", "grant_type": "authorization_code", "code": "x"}
    if method == "client_secret_basic":
        answer = scene.tenant.server.client.post(url, data=fields, auth=client.basic)
    else:
        if method.endswith("_jwt"):
            by_key = method == "private_key_jwt"
            key, alg = (rsa_key(), "RS256") if by_key else (client.secret.encode(), "HS256")
            proof = proving(signed(assertion_claims(scene.tenant, client), key, alg))
        else:
            proof = client.body
        answer = scene.tenant.server.client.post(url, data=fields | proof)
    return answer.status_code != 401


def _claims(scene: Scene) -> set[str]:
    """Everything that the tokens of each flow and userinfo say."""
    scopes = " ".join(scene.document["scopes_supported"])
    found: set[str] = set()
    client = scene.application()
    for response_type in scene.document["response_types_supported"]:
        asked = request_for(client, response_type=response_type, scope=scopes)
        answer = authorize(scene.browser, scene.tenant, asked.parameters).answer
        said = dict(answer)
        if "code" in answer:
            said |= Granted(scene.tenant, client, asked, answer).tokens()
        for token in (answer.get("id_token"), said.get("id_token")):
            found |= set(jwt.claims_of(token)) if token else set()
        if "access_token" in said:
            found |= set(scene.tenant.userinfo(said["access_token"]).json())
    return found


def _contexts(scene: Scene) -> list[str]:
    named = scene.document["acr_values_supported"]
    met = []
    for value in [*named, "urn:example:other"]:
        tokens = sign_in(scene.browser, scene.tenant, scene.application(), acr_values=value)
        met += [value] if jwt.claims_of(tokens.tokens()["id_token"])["acr"] == value else []
    return met


def _asking(scene: Scene, **values: Any) -> Client:
    return ciba.asking(scene.tenant, **values)


def _backchannel(scene: Scene) -> str:
    answer = ciba.ask(scene.tenant, _asking(scene), login_hint="nobody@example.com")
    assert answer.json()["error"] == "unknown_user_id"
    return _there("backchannel_authentication_endpoint", "POST")(scene)


def _delivery_modes(scene: Scene) -> list[str]:
    taken = []
    for mode in ("poll", "ping", "push"):
        with suppress(DomainError):
            _asking(
                scene,
                backchannel_token_delivery_mode=mode,
                backchannel_client_notification_endpoint="https://app.example.com/ping",
            )
            taken.append(mode)
    return taken


def _backchannel_algorithms(scene: Scene) -> list[str]:
    keys = key_set(public_jwk(rsa_key()), public_jwk(ec_key(), "k2"), public_jwk(ed_key(), "k3"))
    client = _asking(scene, jwks=keys)

    def accepted(alg: str) -> bool:
        claims = ciba.claims_for(scene.tenant, client, login_hint="nobody@example.com")
        token = signed(claims, _key(alg), alg)
        answer = ciba.send(scene.tenant, client, token).json()
        return bool(answer["error"] == "unknown_user_id")

    return [alg for alg in _SIGNABLE if accepted(alg)]


def _user_code(scene: Scene) -> bool:
    email = "code@example.com"
    scene.tenant.user(email, email_verified=True)
    client = _asking(scene, backchannel_user_code_parameter=True)
    answer = ciba.ask(scene.tenant, client, login_hint=email)
    return bool(answer.json()["error"] == "missing_user_code")


def _device(scene: Scene) -> str:
    answer = ask_for_device(scene.tenant, native(scene.tenant))
    assert answer.json()["device_code"]
    return _there("device_authorization_endpoint", "POST")(scene)


def _registration(scene: Scene) -> str:
    assert register(scene.tenant)["client_id"]
    return _there("registration_endpoint", "POST")(scene)


def _pushed(scene: Scene) -> str:
    client = scene.application()
    assert sign_in_pushed(scene.browser, scene.tenant, client).redeem().status_code == 200
    return _there("pushed_authorization_request_endpoint", "POST")(scene)


def _dpop_algorithms(scene: Scene) -> list[str]:
    client = scene.application()

    def accepted(alg: str) -> bool:
        """RFC 9449 §5: the code is not looked for before the proof is good."""
        answer = Prover(_key(alg), alg).ask(
            scene.tenant, client, grant_type="authorization_code", code="unknown"
        )
        return bool(answer.json()["error"] == "invalid_grant")

    return [alg for alg in _SIGNABLE if accepted(alg)]


def _detail_types(scene: Scene) -> list[str]:
    """RFC 9396 §10: those of the tenant's API, and no others."""
    found = []
    for name in ("payment", "access"):
        client, details = scene.application(), f'[{{"type": "{name}"}}]'
        api = "https://payments.example.com"
        asked = request_for(client, audience=api, authorization_details=details)
        if push(scene.tenant, client, asked.parameters).status_code == 201:
            found.append(name)
    return found


def _sid(scene: Scene) -> bool:
    """Back-Channel Logout §2.1: an ID token names the session, as a logout token will."""
    return "sid" in jwt.claims_of(
        sign_in(scene.browser, scene.tenant, scene.application()).tokens()["id_token"]
    )


def _introspection_algorithms(scene: Scene) -> list[str]:
    """RFC 9701 §6: RS256, and at a level of FAPI 2.0 what signs the ID tokens."""
    tenant, level = scene.tenant, ComplianceLevel.FAPI2_SP_PKJ_DPOP
    proofs = [scene.application().body]
    # The default cannot be chosen where it is not allowed.
    for alg in scene.document["introspection_signing_alg_values_supported"][1:]:
        own = tenant.application(**settings(level, id_token_signed_response_alg=alg))
        proofs.append(Compliant(tenant, own, level).proof())
    found = []
    for proof in proofs:
        answer = tenant.server.client.post(
            tenant.url("oauth/introspect"),
            data=proof | {"token": "x"},
            headers={"accept": "application/token-introspection+jwt"},
        )
        found.append(str(jwt.verify(answer.text, tenant.jwks())[0]["alg"]))
    return found


def _scopes(scene: Scene) -> set[str]:
    asked = " ".join([*scene.document["scopes_supported"], "unheard:of"])
    granted = sign_in(scene.browser, scene.tenant, scene.application(), scope=asked)
    return set(granted.tokens()["scope"].split())


def _registered_request_uri(scene: Scene) -> bool:
    page = scene.ask(request_uri="https://app.example.com/request.jwt")
    return page.answer["error"] == "invalid_request_uri"


def _claims_parameter(scene: Scene) -> bool:
    claims = '{"id_token": {"zoneinfo": null}}'
    tokens = sign_in(scene.browser, scene.tenant, scene.application(), claims=claims).tokens()
    return "zoneinfo" in jwt.claims_of(tokens["id_token"])


def _prompts(scene: Scene) -> list[str]:
    known = ("none", "login", "consent", "select_account", "create")
    client = scene.application()
    pages = {name: scene.ask(client, prompt=name) for name in known}
    return [name for name in known if not pages[name].left_for or "code" in pages[name].answer]


def _challenges(scene: Scene) -> list[str]:
    client = scene.application()
    return [name for name in ("S256", "plain") if scene.works(client, code_challenge_method=name)]


def _locales(scene: Scene) -> list[str]:
    said = scene.document["ui_locales_supported"]
    pages = [scene.ask(prompt="login", ui_locales=name).response.text for name in said]
    return [name for name, html in zip(said, pages, strict=True) if f'lang="{name}"' in html]


def _displays(scene: Scene) -> list[str]:
    said = scene.document["display_values_supported"]
    return [name for name in said if scene.ask(prompt="login", display=name).status == 200]


def _subjects(scene: Scene) -> set[str]:
    """§8: one is the user's own id, the other is not."""
    found = set()
    for kind in ("public", "pairwise"):
        tokens = sign_in(scene.browser, scene.tenant, scene.application(subject_type=kind)).tokens()
        found.add(jwt.claims_of(tokens["id_token"])["sub"])
    return {"public", "pairwise"} if len(found) == 2 else {"public"}


PROOFS: Mapping[str, Proof] = {
    "issuer": lambda scene: scene.answer(scene.application())["iss"],
    "authorization_endpoint": _there("authorization_endpoint", "GET", "POST"),
    "token_endpoint": _there("token_endpoint", "POST"),
    "userinfo_endpoint": _there("userinfo_endpoint", "GET", "POST"),
    "jwks_uri": _there("jwks_uri", "GET"),
    "revocation_endpoint": _there("revocation_endpoint", "POST"),
    "introspection_endpoint": _there("introspection_endpoint", "POST"),
    "device_authorization_endpoint": _device,
    "backchannel_authentication_endpoint": _backchannel,
    "backchannel_token_delivery_modes_supported": _delivery_modes,
    "backchannel_authentication_request_signing_alg_values_supported": _backchannel_algorithms,
    "backchannel_user_code_parameter_supported": _user_code,
    "registration_endpoint": _registration,
    "pushed_authorization_request_endpoint": _pushed,
    "dpop_signing_alg_values_supported": _dpop_algorithms,
    "authorization_details_types_supported": _detail_types,
    "end_session_endpoint": _there("end_session_endpoint", "GET", "POST"),
    "check_session_iframe": _there("check_session_iframe", "GET"),
    "service_documentation": lambda _: "https://help.example.com/",
    "scopes_supported": _scopes,
    "response_types_supported": _response_types,
    "response_modes_supported": _response_modes,
    "grant_types_supported": _grant_types,
    "subject_types_supported": _subjects,
    "id_token_signing_alg_values_supported": _id_token_algorithms,
    "userinfo_signing_alg_values_supported": _userinfo_algorithms,
    "request_object_signing_alg_values_supported": _request_object_algorithms,
    "introspection_signing_alg_values_supported": _introspection_algorithms,
    "token_endpoint_auth_methods_supported": _methods("token_endpoint"),
    "revocation_endpoint_auth_methods_supported": _methods("revocation_endpoint"),
    "introspection_endpoint_auth_methods_supported": _methods("introspection_endpoint"),
    "token_endpoint_auth_signing_alg_values_supported": _assertion_algorithms,
    "revocation_endpoint_auth_signing_alg_values_supported": _assertion_algorithms,
    "introspection_endpoint_auth_signing_alg_values_supported": _assertion_algorithms,
    "request_object_encryption_alg_values_supported": _decrypts(
        "alg", "RSA-OAEP", "RSA-OAEP-256", "RSA1_5"
    ),
    "request_object_encryption_enc_values_supported": _decrypts(
        "enc", "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM"
    ),
    "authorization_signing_alg_values_supported": _secured_algorithms,
    "authorization_encryption_alg_values_supported": _secured_encryption(
        "alg", "RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW"
    ),
    "authorization_encryption_enc_values_supported": _secured_encryption(
        "enc", "A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"
    ),
    "code_challenge_methods_supported": _challenges,
    "prompt_values_supported": _prompts,
    "claim_types_supported": lambda _: ["normal"],
    "claims_supported": _claims,
    "claims_parameter_supported": _claims_parameter,
    "request_parameter_supported": lambda scene: bool(_request_object_algorithms(scene)),
    "request_uri_parameter_supported": _registered_request_uri,
    "require_request_uri_registration": _registered_request_uri,
    "acr_values_supported": _contexts,
    "display_values_supported": _displays,
    "ui_locales_supported": _locales,
    "authorization_response_iss_parameter_supported": lambda scene: (
        "iss" in scene.answer(scene.application())
    ),
    "backchannel_logout_supported": _sid,
    "backchannel_logout_session_supported": _sid,
    "frontchannel_logout_supported": _sid,
    "frontchannel_logout_session_supported": _sid,
}


@pytest.fixture
def scene(server: Server, tenant: Tenant, browser: Browser) -> Scene:
    tenant.change(
        signing_algorithms=EVERY_KEY,
        request_object_encryption_supported=True,
        support_url="https://help.example.com/",
        enable_dynamic_client_registration=True,
        claim_mappings=(
            ClaimMapping(
                claim="https://example.com/level",
                source=ClaimSource.USER_METADATA,
                path="level",
                tokens=(ClaimTarget.ID_TOKEN, ClaimTarget.ACCESS_TOKEN),
            ),
        ),
    )
    tenant.user(**FULL, user_metadata={"level": 3})
    payments = (AuthorizationDetailsType("payment"),)
    tenant.api("https://payments.example.com", authorization_details=payments)
    document = server.client.get(tenant.url(".well-known/openid-configuration")).json()
    sign_in(browser, tenant, tenant.application())
    return Scene(tenant, browser, document)


def test_no_member_without_a_proof(scene: Scene) -> None:
    """§3: a member that nobody tried is not said."""
    assert set(scene.document) == set(PROOFS)
    # §4.2: "Claims with zero elements MUST be omitted from the response."
    assert all(value not in ([], None, "") for value in scene.document.values())


SWITCHED_OFF = (
    "end_session_endpoint",
    "service_documentation",
    "registration_endpoint",
    "pushed_authorization_request_endpoint",
    "request_object_encryption_alg_values_supported",
    "request_object_encryption_enc_values_supported",
)
FOLLOWS_SETTINGS = (
    "authorization_signing_alg_values_supported",
    "authorization_response_iss_parameter_supported",
    "claims_supported",
    "id_token_signing_alg_values_supported",
    "userinfo_signing_alg_values_supported",
)


def test_members_of_a_tenant_with_little(scene: Scene) -> None:
    """§3: the same members are as true where settings are off."""
    scene.tenant.change(
        signing_algorithms=("RS256",),
        authorization_response_iss_parameter_supported=False,
        end_session_endpoint_discovery=False,
        enable_dynamic_client_registration=False,
        pushed_authorization_requests_supported=False,
        request_object_encryption_supported=False,
        support_url=None,
        claim_mappings=(),
    )
    url = scene.tenant.url(".well-known/openid-configuration")
    least = replace(scene, document=scene.tenant.server.client.get(url).json())
    assert set(least.document) == set(PROOFS) - set(SWITCHED_OFF)
    for name in FOLLOWS_SETTINGS:
        assert least.document[name] != scene.document[name]
        test_member(least, name)


@pytest.mark.parametrize("name", PROOFS)
def test_member(scene: Scene, name: str) -> None:
    """§3: what is named works, and what is not named does not."""
    said, found = scene.document[name], PROOFS[name](scene)
    if isinstance(said, list):
        assert len(said) == len(set(said))
        assert set(said) == set(found)
    else:
        assert said == found


def test_every_endpoint_is_named(scene: Scene) -> None:
    """RFC 8414 §2: whatever a specification gives a member to has it."""
    named = {
        urlsplit(value).path.removeprefix(urlsplit(scene.tenant.issuer).path[:-1])
        for value in scene.document.values()
        if isinstance(value, str) and value.startswith(scene.tenant.issuer)
    }
    assert set(ROUTES) - UNNAMED == named - {"/"}
