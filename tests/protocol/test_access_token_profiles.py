"""Access tokens as their API wants them: dialects, lifetimes, signatures, encryption."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tenantry.core.facts import (
    EncryptionFormat,
    KeyEncryptionAlgorithm,
    NewTokenEncryption,
    ResourceServerFacts,
    SigningAlgorithm,
    TokenDialect,
)
from tenantry.keys.signing import certificate_to_pem, self_signed_certificate
from tenantry.rules.lifetimes import access_token_lifetime
from tenantry.services import resource_servers
from tenantry.services.commands import Patch
from tests.support import jwe, jwt
from tests.support.browser import Browser
from tests.support.flow import refused, sign_in
from tests.support.management import root_api
from tests.support.server import Client, Server, Tenant, both_databases

API = "https://api.example.com"


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def encryption(
    alg: KeyEncryptionAlgorithm = KeyEncryptionAlgorithm.RSA_OAEP_256, kid: str | None = "the-kid"
) -> NewTokenEncryption:
    return NewTokenEncryption(
        format=EncryptionFormat.COMPACT_NESTED_JWE,
        name="The key",
        alg=alg,
        kid=kid,
        pem=jwe.public_pem(rsa_key()),
    )


def machine(tenant: Tenant, *scopes: str) -> Client:
    client = tenant.application("non_interactive")
    tenant.grant(client, API, *scopes)
    return client


def machine_token(tenant: Tenant, client: Client, **fields: str) -> str:
    answer = tenant.token(client, grant_type="client_credentials", audience=API, **fields)
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


# --- dialects ------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", TokenDialect)
def test_user_tokens_in_each_dialect(
    tenant: Tenant, browser: Browser, dialect: TokenDialect
) -> None:
    """RFC 9068 §2.1 and §2.2; `permissions` are all that the user has, asked for or not."""
    tenant.api(API, "read:x", "write:x", "delete:x", enforce_policies=True, token_dialect=dialect)
    client, user = tenant.application(), tenant.user()
    tenant.permit(user, API, "read:x", "write:x")
    granted = sign_in(browser, tenant, client, audience=API, scope="openid read:x delete:x")
    tokens = granted.tokens()
    header, claims = jwt.verify(tokens["access_token"], tenant.jwks())
    # RBAC: what was asked for and is assigned, whether permissions are listed or not.
    assert claims["scope"] == tokens["scope"] == "openid read:x"
    assert header["typ"] == ("at+jwt" if dialect.is_rfc9068 else "JWT")
    named = {"client_id"} if dialect.is_rfc9068 else {"azp"}
    assert {"client_id", "azp"} & claims.keys() == named
    if dialect.value.endswith("_authz"):
        assert claims["permissions"] == ["read:x", "write:x"]
    else:
        assert "permissions" not in claims


@pytest.mark.parametrize("dialect", [d for d in TokenDialect if d.has_permissions])
def test_machine_tokens_list_the_granted_scopes(tenant: Tenant, dialect: TokenDialect) -> None:
    """The permissions of an application that speaks for itself are the scopes of its grant."""
    tenant.api(API, "read:x", "write:x", enforce_policies=True, token_dialect=dialect)
    client = machine(tenant, "read:x")
    claims = jwt.claims_of(machine_token(tenant, client))
    assert (claims["scope"], claims["permissions"]) == ("read:x", ["read:x"])


def test_permissions_without_rbac(tenant: Tenant, browser: Browser) -> None:
    """Without RBAC every scope of the API may be asked for."""
    tenant.api(API, "read:x", "write:x")
    client, user = tenant.application(), tenant.user()
    tenant.permit(user, API, "read:x")
    tokens = sign_in(browser, tenant, client, audience=API, scope="openid write:x").tokens()
    assert tokens["scope"] == "openid write:x"
    assert "permissions" not in jwt.claims_of(tokens["access_token"])


def test_a_user_without_permissions_gets_an_empty_list(tenant: Tenant, browser: Browser) -> None:
    """The claim of the dialect is there, and says nothing."""
    dialect = TokenDialect.ACCESS_TOKEN_AUTHZ
    tenant.api(API, "read:x", enforce_policies=True, token_dialect=dialect)
    client, _ = tenant.application(), tenant.user()
    tokens = sign_in(browser, tenant, client, audience=API, scope="openid read:x").tokens()
    assert jwt.claims_of(tokens["access_token"])["permissions"] == []
    assert tokens["scope"] == "openid"


# --- lifetimes -----------------------------------------------------------------------------


def test_the_lifetime_in_the_front_channel_is_at_most_the_other(tenant: Tenant) -> None:
    """Tokens of the implicit and hybrid flows live at most as long as those of a code."""

    def lifetimes(api: ResourceServerFacts) -> tuple[int, int]:
        both = (access_token_lifetime(api, front_channel=in_front) for in_front in (True, False))
        in_front, behind = (int(lifetime.total_seconds()) for lifetime in both)
        return in_front, behind

    assert lifetimes(tenant.api("a")) == (86_400, 86_400)
    assert lifetimes(tenant.api("b", token_lifetime=2_592_000)) == (86_400, 2_592_000)
    assert lifetimes(tenant.api("c", token_lifetime=60)) == (60, 60)
    made = tenant.api("d", token_lifetime=600, token_lifetime_for_web=300)
    assert lifetimes(made) == (300, 600)
    lowered = tenant.write(resource_servers.update, Patch(made.id, {"token_lifetime": 100}))
    assert lifetimes(lowered) == (100, 100)


def test_tokens_of_the_front_channel_live_shorter(tenant: Tenant, browser: Browser) -> None:
    """OAuth 2.0 Security Best Current Practice §2.1.2: what passes the browser may end sooner."""
    tenant.api(API, "read:x", token_lifetime=600, token_lifetime_for_web=300)
    grants = ("authorization_code", "implicit")
    client, _ = tenant.application(grant_types=grants), tenant.user()
    asked = {"audience": API, "scope": "openid read:x"}
    answer = sign_in(browser, tenant, client, response_type="token", **asked).answer
    claims = jwt.claims_of(answer["access_token"])
    assert (answer["expires_in"], claims["exp"] - claims["iat"]) == ("300", 300)
    hybrid = sign_in(browser, tenant, client, response_type="code token", **asked)
    assert hybrid.answer["expires_in"] == "300"
    assert hybrid.tokens()["expires_in"] == 600


# --- HS256 ---------------------------------------------------------------------------------


@pytest.fixture
def shared(tenant: Tenant) -> bytes:
    """The secret of an API with HS256."""
    made = root_api(tenant).do(
        "resourceServerCreate",
        "signingSecret resourceServer { signingAlg }",
        {
            "name": "API",
            "identifier": API,
            "signingAlg": "HS256",
            "scopes": [{"value": "read:x"}],
        },
    )
    assert made["resourceServer"] == {"signingAlg": "HS256"}
    assert len(made["signingSecret"]) >= 43
    secret: str = made["signingSecret"]
    return secret.encode()


def signed_by(token: str, secret: bytes) -> bool:
    text, _, signature = token.rpartition(".")
    return hmac.compare_digest(jwt.decode(signature), hmac.digest(secret, text.encode(), "sha256"))


@both_databases
def test_an_api_signs_with_a_secret_of_its_own(
    server: Server, tenant: Tenant, browser: Browser, shared: bytes
) -> None:
    """RFC 7518 §3.2: HS256 for a machine and for a user, by the API's secret alone."""
    client = machine(tenant, "read:x")
    tenant.user()
    granted = sign_in(browser, tenant, tenant.application(), audience=API, scope="openid read:x")
    for token in (machine_token(tenant, client), granted.tokens()["access_token"]):
        assert jwt.header_of(token) == {"alg": "HS256", "typ": "JWT"}
        assert signed_by(token, shared)
        assert not signed_by(token, client.secret.encode())
        assert jwt.claims_of(token)["aud"] == API
    rows = server.runtime.store.database
    with rows.reading() as connection:
        text = repr(connection.exec_driver_sql("SELECT * FROM resource_servers").all())
    assert shared.decode() not in text


def test_our_endpoints_take_no_hs256_tokens(
    tenant: Tenant, browser: Browser, shared: bytes
) -> None:
    """RFC 8725 §3.1: not at userinfo and not at the management API, even rightly signed."""
    tenant.user()
    granted = sign_in(browser, tenant, tenant.application(), audience=API, scope="openid read:x")
    token = granted.tokens()["access_token"]
    refused_at_userinfo(tenant, token)
    claims = jwt.claims_of(token)
    for audience in (tenant.url("userinfo"), tenant.url("graphql")):
        forged = jwt.forged({"alg": "HS256", "typ": "JWT"}, claims | {"aud": audience}, shared)
        refused_at_userinfo(tenant, forged)
        headers = {"authorization": f"Bearer {forged}"}
        answer = tenant.server.client.post(
            tenant.url("graphql"), json={"query": "{ viewer { id } }"}, headers=headers
        )
        assert answer.status_code == 401


def test_a_new_secret_ends_the_old_one(tenant: Tenant, browser: Browser, shared: bytes) -> None:
    """RFC 7518 §3.2: the very next token is by the new secret; the others are worth nothing."""
    client = machine(tenant, "read:x")
    tenant.user()
    granted = sign_in(browser, tenant, tenant.application(), audience=API, scope="openid read:x")
    old = [machine_token(tenant, client), granted.tokens()["access_token"]]
    assert [introspected(tenant, client, token) for token in old] == [True, True]
    manager = root_api(tenant)
    found = manager.data(f'{{ resourceServer(identifier: "{API}") {{ id revision }} }}')
    id_ = found["resourceServer"]["id"]
    stale = manager.refused("resourceServerSecretRotate", {"id": id_, "expectedRevision": 9})
    assert stale["code"] == "CONFLICT"
    done = manager.do(
        "resourceServerSecretRotate", "resourceServer { revision } signingSecret", {"id": id_}
    )
    assert done["resourceServer"]["revision"] == found["resourceServer"]["revision"] + 1
    fresh = machine_token(tenant, client)
    assert signed_by(fresh, done["signingSecret"].encode())
    assert not signed_by(fresh, shared)
    assert introspected(tenant, client, fresh)
    assert [introspected(tenant, client, token) for token in old] == [False, False]
    assert done["signingSecret"] not in repr(tenant.events())
    (event,) = tenant.events("resource_server.secret_rotated")
    assert event.target_type == "ResourceServer"
    other = manager.do(
        "resourceServerCreate", "resourceServer { id }", {"name": "RSA", "identifier": "rsa"}
    )
    refusal = manager.refused("resourceServerSecretRotate", {"id": other["resourceServer"]["id"]})
    assert (refusal["code"], refusal["field"]) == ("NOT_ALLOWED", ["id"])


def introspected(tenant: Tenant, client: Client, token: str) -> bool:
    fields = client.body | {"token": token}
    active: bool = tenant.server.client.post(tenant.url("oauth/introspect"), data=fields).json()[
        "active"
    ]
    return active


def refused_at_userinfo(tenant: Tenant, token: str) -> None:
    refused(tenant.userinfo(token), 401, "invalid_token")


def test_the_secret_is_not_shown_again(tenant: Tenant, shared: bytes) -> None:
    api = root_api(tenant)
    found = api.answer(f'{{ resourceServer(identifier: "{API}") {{ signingAlg name }} }}')
    assert shared.decode() not in json.dumps(found)
    assert shared.decode() not in repr(tenant.events())
    tenant.change(signing_algorithms=(SigningAlgorithm.RS256, SigningAlgorithm.ES256))
    refusal = api.refused("tenantUpdate", {"signingAlgorithms": ["RS256", "HS256"]})
    assert refusal["field"] == ["signingAlgorithms", "1"]


# --- encryption ----------------------------------------------------------------------------


@pytest.mark.parametrize("alg", KeyEncryptionAlgorithm)
def test_tokens_are_nested(tenant: Tenant, browser: Browser, alg: KeyEncryptionAlgorithm) -> None:
    """RFC 7519 §5.2 and §11.2: signed, then encrypted; the header names the key, `cty` the JWT."""
    tenant.api(API, "read:x", token_encryption=encryption(alg))
    client = machine(tenant, "read:x")
    tenant.user()
    granted = sign_in(browser, tenant, tenant.application(), audience=API, scope="openid read:x")
    for token in (machine_token(tenant, client), granted.tokens()["access_token"]):
        header, inner = jwe.opened(token, rsa_key())
        assert header["alg"] == alg.value
        assert (header["kid"], header["cty"]) == ("the-kid", "JWT")
        _, claims = jwt.verify(inner, tenant.jwks())
        assert (claims["aud"], claims["iss"]) == (API, tenant.issuer)
        refused_at_userinfo(tenant, token)
        refused_at_userinfo(tenant, inner)


def test_an_encrypted_token_with_a_secret_inside(tenant: Tenant) -> None:
    """Both at once: HS256 inside."""
    values = {"name": "API", "identifier": API, "signing_alg": "HS256"}
    values |= {"token_encryption": encryption(kid=None)}  # type: ignore[dict-item]
    made = tenant.write(resource_servers.create, values)
    header, inner = jwe.opened(machine_token(tenant, machine(tenant)), rsa_key())
    assert signed_by(inner, made.signing_secret.encode())
    key = made.resource_server.token_encryption.encryption_key
    assert header["kid"] == key.kid == key.thumbprint_sha256


def test_the_thumbprint_is_that_of_the_key(tenant: Tenant) -> None:
    """RFC 7638 §3, and for a certificate RFC 7515 §4.1.8."""
    api, key = root_api(tenant), rsa_key()
    numbers = key.public_key().public_numbers()
    number = jwt.encode(numbers.n.to_bytes(256))
    text = f'{{"e":"AQAB","kty":"RSA","n":"{number}"}}'
    expected = jwt.encode(hashlib.sha256(text.encode()).digest())
    now = datetime.now(UTC) - timedelta(days=1)
    certificate = certificate_to_pem(self_signed_certificate(key, "api", now))
    der = base64.b64decode("".join(certificate.splitlines()[1:-1]))
    x5t = jwt.encode(hashlib.sha256(der).digest())
    for number_, (pem, x5t_s256) in enumerate(((jwe.public_pem(key), None), (certificate, x5t))):
        made = api.do(
            "resourceServerCreate",
            "resourceServer { tokenEncryption { format encryptionKey"
            " { name alg kid thumbprintSha256 x5tS256 } } }",
            {
                "name": "API",
                "identifier": f"{API}/{number_}",
                "tokenEncryption": {
                    "encryptionKey": {"name": "mine", "alg": "RSA_OAEP_384", "pem": pem}
                },
            },
        )
        assert made["resourceServer"]["tokenEncryption"] == {
            "format": "COMPACT_NESTED_JWE",
            "encryptionKey": {
                "name": "mine",
                "alg": "RSA_OAEP_384",
                "kid": expected,
                "thumbprintSha256": expected,
                "x5tS256": x5t_s256,
            },
        }
    assert "BEGIN" not in repr(tenant.events())


def test_keys_that_nothing_can_be_encrypted_for(tenant: Tenant) -> None:
    """RFC 7518 §4.3: an RSA key of 2048 bits or more, and only its public half."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    private = rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    small = jwe.public_pem(rsa.generate_private_key(65537, 1024))  # noqa: S505
    elliptic = jwe.public_pem(ec.generate_private_key(ec.SECP256R1()))
    api = root_api(tenant)
    for pem in ("", "x", private, small, elliptic, "-----BEGIN CERTIFICATE-----\n", "é"):
        key = {"alg": "RSA_OAEP_256", "pem": pem}
        refusal = api.refused(
            "resourceServerCreate",
            {"name": "API", "identifier": API, "tokenEncryption": {"encryptionKey": key}},
        )
        assert refusal["code"] == "INVALID"
        assert refusal["field"] == ["tokenEncryption", "encryptionKey", "pem"]
    key = {"alg": "RSA_OAEP_256", "pem": "x" * 16_385}
    too_long = {"name": "API", "identifier": API, "tokenEncryption": {"encryptionKey": key}}
    assert api.refused("resourceServerCreate", too_long)["code"] == "TOO_LONG"


def test_encryption_switched_off(tenant: Tenant) -> None:
    """Null clears: the next token is only signed."""
    made = tenant.api(API, "read:x", token_encryption=encryption())
    client = machine(tenant, "read:x")
    assert machine_token(tenant, client).count(".") == 4
    tenant.write(resource_servers.update, Patch(made.id, {"token_encryption": None}))
    jwt.verify(machine_token(tenant, client), tenant.jwks())
