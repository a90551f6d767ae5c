"""RFC 8725: what no place that reads a JWT may take, however it is dressed.

Every place gets every trick. None may be slow, none may fetch anything, none may store anything.
"""

from __future__ import annotations

import json
import secrets
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tenantry.core.facts import DATABASE_CONNECTION, GrantType, TrustedSubject
from tenantry.services import trusted_issuers
from tests.support import jwt
from tests.support.browser import Browser
from tests.support.client_keys import assertion_claims, proving, public_jwk, rsa_key, signed
from tests.support.flow import authorize, refused, request_for, sign_in
from tests.support.jwt import encode
from tests.support.server import Server

EVIL = "https://evil.example.com/keys"
IDP = "https://idp.example.com"
API = "https://api.example.com"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"


def encrypted(header: dict[str, Any], plaintext: bytes) -> str:
    """A JWE in form alone: nobody could decrypt it, and nobody should try."""
    parts = (
        json.dumps(header).encode(),
        secrets.token_bytes(40),
        secrets.token_bytes(12),
        plaintext,
        secrets.token_bytes(16),
    )
    return ".".join(map(encode, parts))


def deflated(size: int) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compressor.compress(b"\0" * size) + compressor.flush()


class Placed:
    """A tenant with everything that reads a JWT, and good tokens to start from."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.tenant = tenant = server.tenant()
        tenant.api(API, "read")
        tenant.user()
        self.client = tenant.application(
            token_endpoint_auth_method="private_key_jwt",
            jwks={"keys": [public_jwk(rsa_key())]},
            grant_types=(
                "authorization_code",
                "client_credentials",
                GrantType.TOKEN_EXCHANGE,
                GrantType.JWT_BEARER,
            ),
            token_exchange_audiences=(API,),
            post_logout_redirect_uris=("https://app.example.com/out",),
        )
        self.asking = tenant.application("non_interactive", name="Asking")
        tenant.grant(self.asking, API, "read")
        tenant.write(
            trusted_issuers.create,
            {
                "issuer": IDP,
                "jwks": {"keys": [public_jwk(rsa_key())]},
                "allowed_audiences": (API,),
                "subject": TrustedSubject.EMAIL,
                "connection": DATABASE_CONNECTION,
            },
        )
        self.elsewhere = tenant.application(
            name="Elsewhere",
            grant_types=(GrantType.CIBA,),
            redirect_uris=(),
            jwks={"keys": [public_jwk(rsa_key())]},
        )
        own = tenant.application(name="Own")
        tokens = sign_in(server.browser(), tenant, own, scope="openid read", audience=API).tokens()
        self.access_token, self.id_token = tokens["access_token"], tokens["id_token"]
        (self.published, *_) = tenant.jwks()["keys"]

    def token(self, **fields: str) -> Any:
        proof = proving(signed(assertion_claims(self.tenant, self.client), rsa_key()))
        return self.server.client.post(self.tenant.url("oauth/token"), data=proof | fields)


@pytest.fixture(scope="module")
def placed(server: Server) -> Placed:
    return Placed(server)


def at_userinfo(placed: Placed, token: str) -> None:
    refused(placed.tenant.userinfo(token), 401, "invalid_token")


def at_the_management_api(placed: Placed, token: str) -> None:
    answer = placed.server.client.post(
        placed.tenant.url("graphql"),
        json={"query": "{ viewer { __typename } }"},
        headers={"authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 401


def at_introspection(placed: Placed, token: str) -> None:
    answer = placed.server.client.post(
        placed.tenant.url("oauth/introspect"), data=placed.asking.body | {"token": token}
    )
    assert answer.json() == {"active": False}


def at_revocation(placed: Placed, token: str) -> None:
    answer = placed.server.client.post(
        placed.tenant.url("oauth/revoke"), data=placed.asking.body | {"token": token}
    )
    assert answer.status_code == 200


def as_client_assertion(placed: Placed, token: str) -> None:
    fields = {"grant_type": "client_credentials", "audience": API}
    answer = placed.server.client.post(
        placed.tenant.url("oauth/token"), data=fields | proving(token)
    )
    refused(answer, 401, "invalid_client")


def as_grant(placed: Placed, token: str) -> None:
    answer = placed.token(grant_type=GrantType.JWT_BEARER, assertion=token, audience=API)
    refused(answer, 400, "invalid_grant")


def as_subject(placed: Placed, token: str) -> None:
    for kind in (ACCESS_TOKEN, ID_TOKEN):
        answer = placed.token(
            grant_type=GrantType.TOKEN_EXCHANGE,
            audience=API,
            subject_token=token,
            subject_token_type=kind,
        )
        refused(answer, 400, "invalid_request")


def as_actor(placed: Placed, token: str) -> None:
    answer = placed.token(
        grant_type=GrantType.TOKEN_EXCHANGE,
        audience=API,
        subject_token=placed.access_token,
        subject_token_type=ACCESS_TOKEN,
        actor_token=token,
        actor_token_type=ACCESS_TOKEN,
    )
    refused(answer, 400, "invalid_request")


def as_request_object(placed: Placed, token: str) -> None:
    asked = request_for(placed.client, request=token)
    page = authorize(placed.server.browser(), placed.tenant, asked.parameters)
    assert page.answer["error"] == "invalid_request_object"


def as_hint(placed: Placed, token: str) -> None:
    asked = request_for(placed.client, id_token_hint=token, prompt="none")
    page = authorize(placed.server.browser(), placed.tenant, asked.parameters)
    assert page.answer["error"] == "invalid_request"


def as_logout_hint(placed: Placed, token: str) -> None:
    page = placed.server.browser().get(
        placed.tenant.url("oidc/logout"),
        {"id_token_hint": token, "post_logout_redirect_uri": "https://app.example.com/out"},
    )
    assert page.status == 400
    assert page.title == "Something went wrong"


def as_pushed_request(placed: Placed, token: str) -> None:
    proof = proving(signed(assertion_claims(placed.tenant, placed.client), rsa_key()))
    fields = {"client_id": placed.client.id, "request": token}
    answer = placed.server.client.post(placed.tenant.url("oauth/par"), data=proof | fields)
    refused(answer, 400, "invalid_request_object")


def _at_the_back(placed: Placed, **fields: str) -> None:
    answer = placed.server.client.post(
        placed.tenant.url("bc-authorize"), data=placed.elsewhere.body | fields
    )
    refused(answer, 400, "invalid_request")


def as_backchannel_request(placed: Placed, token: str) -> None:
    _at_the_back(placed, request=token)


def as_login_hint_token(placed: Placed, token: str) -> None:
    _at_the_back(placed, scope="openid", login_hint_token=token)


def as_backchannel_hint(placed: Placed, token: str) -> None:
    _at_the_back(placed, scope="openid", id_token_hint=token)


PLACES: tuple[Callable[[Placed, str], None], ...] = (
    at_userinfo,
    at_the_management_api,
    at_introspection,
    at_revocation,
    as_client_assertion,
    as_grant,
    as_subject,
    as_actor,
    as_request_object,
    as_pushed_request,
    as_hint,
    as_logout_hint,
    as_backchannel_request,
    as_login_hint_token,
    as_backchannel_hint,
)


def wanted(placed: Placed, place: Callable[[Placed, str], None]) -> tuple[dict[str, Any], str]:
    """The claims that a good token would have there, and the name of its key."""
    if place is as_client_assertion:
        return assertion_claims(placed.tenant, placed.client), "k1"
    if place is as_grant:
        now = int(time.time())
        times = {"iat": now, "exp": now + 60, "jti": secrets.token_hex(8)}
        return times | {"iss": IDP, "sub": "ann@example.com", "aud": placed.tenant.issuer}, "k1"
    if place in {as_backchannel_request, as_login_hint_token}:
        now = int(time.time())
        times = {"iat": now, "nbf": now, "exp": now + 60, "jti": secrets.token_hex(8)}
        named = {"format": "email", "email": "ann@example.com"}
        asked = {"scope": "openid", "login_hint": "ann@example.com", "sub_id": named}
        return times | asked | {"iss": placed.elsewhere.id, "aud": placed.tenant.issuer}, "k1"
    if place in {as_request_object, as_pushed_request}:
        parameters = request_for(placed.client).parameters
        return parameters | {"iss": placed.client.id, "aud": placed.tenant.issuer}, "k1"
    by_id_token = place in {as_hint, as_logout_hint, as_backchannel_hint}
    token = placed.id_token if by_id_token else placed.access_token
    return jwt.claims_of(token), placed.published["kid"]


TRICKS: dict[str, Callable[[Placed, dict[str, Any], str], str]] = {
    "alg none": lambda placed, claims, kid: signed(claims, None, "none", kid=kid),
    "alg NONE": lambda placed, claims, kid: signed(claims, None, "NONE", kid=kid),
    "HS256 by the server's public key": lambda placed, claims, kid: signed(
        claims, jwt.pem_of(placed.published), "HS256", kid=kid
    ),
    "HS256 by the application's public key": lambda placed, claims, kid: signed(
        claims, jwt.pem_of(public_jwk(rsa_key())), "HS256", kid=kid
    ),
    "HS256 by nothing": lambda placed, claims, kid: signed(claims, b"", "HS256", kid=kid),
    "a key of its own in jwk": lambda placed, claims, kid: signed(
        claims, rsa_key("evil"), kid=kid, jwk=public_jwk(rsa_key("evil"))
    ),
    "a key of its own at jku": lambda placed, claims, kid: signed(
        claims, rsa_key("evil"), kid="evil", jku=EVIL
    ),
    "a key of its own at x5u": lambda placed, claims, kid: signed(
        claims, rsa_key("evil"), kid=kid, x5u=EVIL
    ),
    "a certificate of its own": lambda placed, claims, kid: signed(
        claims, rsa_key("evil"), kid=kid, x5c=["MIIB"]
    ),
    "a path for a kid": lambda placed, claims, kid: signed(
        claims, rsa_key("evil"), kid="../../../../dev/null"
    ),
    "an extension that is critical": lambda placed, claims, kid: signed(
        claims, rsa_key("evil"), kid=kid, crit=["exp"], exp=1
    ),
    "b64 false": lambda placed, claims, kid: signed(
        claims, rsa_key("evil"), kid=kid, crit=["b64"], b64=False
    ),
    "a compressed bomb": lambda placed, claims, kid: encrypted(
        {"alg": "dir", "enc": "A256GCM", "zip": "DEF", "kid": kid}, deflated(5_000_000)
    ),
    "a password with endless iterations": lambda placed, claims, kid: encrypted(
        {
            "alg": "PBES2-HS256+A128KW",
            "enc": "A128GCM",
            "p2c": 2**31 - 1,
            "p2s": encode(b"x" * 16),
            "kid": kid,
        },
        b"x",
    ),
    "encrypted for us": lambda placed, claims, kid: encrypted(
        {"alg": "RSA1_5", "enc": "A256GCM", "kid": kid}, b"x"
    ),
    "JSON instead of the compact form": lambda placed, claims, kid: json.dumps(
        {"payload": encode(json.dumps(claims).encode()), "signatures": []}
    ),
}


@pytest.mark.parametrize("name", TRICKS)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_tricks(placed: Placed, place: Callable[[Placed, str], None], name: str) -> None:
    """RFC 8725 §3.1, §3.2, §3.5, §3.10: one algorithm, our own keys, nothing compressed."""
    claims, kid = wanted(placed, place)
    token = TRICKS[name](placed, claims, kid)
    begun = time.monotonic()
    if place in {
        as_grant,
        as_subject,
        as_actor,
        as_pushed_request,
    }:  # Who asks there leaves its own `jti`.
        place(placed, token)
    else:
        with placed.server.stores_nothing():
            place(placed, token)
    assert time.monotonic() - begun < 2


def test_what_the_tricks_begin_with_is_good(placed: Placed, browser: Browser) -> None:
    """Signed as it should be, each of the claims above is taken."""
    tenant, client = placed.tenant, placed.client
    claims, kid = wanted(placed, as_client_assertion)
    fields = {"grant_type": GrantType.JWT_BEARER.value, "audience": API, "scope": "read"}
    asserted = signed(wanted(placed, as_grant)[0], rsa_key(), kid=kid)
    answer = placed.server.client.post(
        tenant.url("oauth/token"),
        data=fields | {"assertion": asserted} | proving(signed(claims, rsa_key(), kid=kid)),
    )
    assert answer.status_code == 200, answer.text
    request = signed(wanted(placed, as_request_object)[0], rsa_key(), kid=kid)
    page = authorize(browser, tenant, request_for(client, request=request).parameters)
    assert page.title == "Log in"
    for name, place in (("request", as_backchannel_request), ("hint", as_login_hint_token)):
        told = signed(wanted(placed, place)[0], rsa_key(), kid=kid)
        hint = {"scope": "openid", "login_hint_token": told}
        fields = placed.elsewhere.body | ({"request": told} if name == "request" else hint)
        answer = placed.server.client.post(tenant.url("bc-authorize"), data=fields)
        # Everything is in order but her address, which nobody has verified.
        refused(answer, 403, "access_denied")
    answer = placed.token(
        grant_type=GrantType.TOKEN_EXCHANGE,
        audience=API,
        subject_token=placed.access_token,
        subject_token_type=ACCESS_TOKEN,
    )
    assert answer.status_code == 200, answer.text
    assert tenant.userinfo(placed.access_token).status_code == 200


def test_one_kind_of_token_is_not_another(placed: Placed) -> None:
    """RFC 8725 §3.11 and §3.12, RFC 9068 §4: by type, audience and claims."""
    tenant, asking = placed.tenant, placed.asking
    userinfo = tenant.application(name="Signed", userinfo_signed_response_alg="RS256")
    tokens = sign_in(placed.server.browser(), tenant, userinfo).tokens()
    told = tenant.userinfo(tokens["access_token"]).text
    answer = placed.server.client.post(
        tenant.url("oauth/introspect"),
        data=asking.body | {"token": placed.access_token},
        headers={"accept": "application/token-introspection+jwt"},
    ).text
    machine = tenant.token(asking, grant_type="client_credentials", audience=API).json()
    for token in (told, answer, placed.id_token):
        at_userinfo(placed, token)
        at_the_management_api(placed, token)
        at_introspection(placed, token)
        as_client_assertion(placed, token)
        as_grant(placed, token)
        as_subject(placed, token)
        as_actor(placed, token)
        as_request_object(placed, token)
    for token in (told, answer, placed.access_token, machine["access_token"]):
        as_hint(placed, token)
        as_logout_hint(placed, token)
        as_client_assertion(placed, token)
    assertion = signed(assertion_claims(tenant, placed.client), rsa_key())
    for place in (at_userinfo, at_introspection, as_subject, as_request_object, as_hint, as_grant):
        place(placed, assertion)
    at_userinfo(placed, machine["access_token"])
    as_subject(placed, machine["access_token"])
