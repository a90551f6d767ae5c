"""RFC 7591 and OpenID Connect Dynamic Client Registration 1.0, and RFC 7592 §2.1 and §2.3."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from tenantry.services import applications
from tenantry.services.commands import Patch
from tests.support.client_keys import public_jwk, rsa_key, signed
from tests.support.databases import Databases
from tests.support.flow import refused
from tests.support.registration import ask, client_of, read, register
from tests.support.remote import Remote, serving
from tests.support.server import CALLBACK, Server, Tenant, begun, both_databases

KEYS = {"keys": [public_jwk(rsa_key())]}


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, databases: Databases, portal: BlockingPortal
) -> Iterator[Server]:
    """A server whose operator lets it ask addresses on this machine."""
    with (
        databases.url(getattr(request, "param", "sqlite")) as url,
        begun(url, portal, outbound_allow_private=True) as made,
    ):
        yield made


@pytest.fixture
def tenant(server: Server) -> Tenant:
    return server.tenant(enable_dynamic_client_registration=True)


@pytest.fixture
def remote() -> Iterator[Remote]:
    with serving() as made:
        yield made


# --- what is answered ------------------------------------------------------------------------


@both_databases
def test_the_smallest_registration(server: Server, tenant: Tenant) -> None:
    """RFC 7591 §3.2.1: 201, no-store, the credentials, every default that was chosen."""
    response = ask(tenant)
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/json"
    assert "no-store" in response.headers["cache-control"]
    answer = response.json()
    assert len(answer.pop("client_secret")) >= 32
    assert len(answer.pop("registration_access_token")) >= 32
    assert abs(answer.pop("client_id_issued_at") - time.time()) < 60
    client_id = answer.pop("client_id")
    assert answer == {
        "client_secret_expires_at": 0,
        "registration_client_uri": tenant.url(f"oidc/register/{client_id}"),
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "application_type": "web",
        "token_endpoint_auth_method": "client_secret_basic",
        "subject_type": "public",
        "id_token_signed_response_alg": "RS256",
        "require_auth_time": False,
        "backchannel_logout_session_required": False,
        "frontchannel_logout_session_required": False,
        "require_pushed_authorization_requests": False,
        "require_signed_request_object": False,
        "tls_client_certificate_bound_access_tokens": False,
        "dpop_bound_access_tokens": False,
        "authorization_signed_response_alg": "RS256",
    }


METADATA: dict[str, Any] = {
    "redirect_uris": [CALLBACK, "https://app.example.com/other"],
    "response_types": ["code", "code id_token"],
    "grant_types": ["authorization_code", "implicit", "refresh_token"],
    "application_type": "web",
    "contacts": ["ann@example.com", "bob@example.com"],
    "client_name": "A program of somebody else",
    "logo_uri": "https://app.example.com/logo.png",
    "client_uri": "https://app.example.com/",
    "policy_uri": "https://app.example.com/privacy",
    "tos_uri": "https://app.example.com/terms",
    "scope": "openid profile offline_access",
    "jwks": KEYS,
    "software_id": "4NRB1-0XZABZI9E6-5SM3R",
    "software_version": "2.1",
    "subject_type": "pairwise",
    "id_token_signed_response_alg": "RS256",
    "userinfo_signed_response_alg": "RS256",
    "request_object_signing_alg": "PS256",
    "token_endpoint_auth_method": "private_key_jwt",
    "token_endpoint_auth_signing_alg": "ES256",
    "default_max_age": 3600,
    "require_auth_time": True,
    "default_acr_values": ["silver"],
    "initiate_login_uri": "https://app.example.com/login",
    "request_uris": ["https://app.example.com/request#abc"],
    "post_logout_redirect_uris": ["https://app.example.com/bye"],
    "backchannel_logout_uri": "https://app.example.com/backchannel",
    "backchannel_logout_session_required": True,
    "frontchannel_logout_uri": "https://app.example.com/frontchannel",
    "frontchannel_logout_session_required": True,
    "require_pushed_authorization_requests": True,
    "require_signed_request_object": True,
    "tls_client_certificate_bound_access_tokens": True,
    "dpop_bound_access_tokens": True,
    "authorization_signed_response_alg": "RS256",
    "authorization_encrypted_response_alg": "RSA-OAEP-256",
    "authorization_encrypted_response_enc": "A256GCM",
}


@both_databases
def test_all_metadata_is_echoed_and_read(server: Server, tenant: Tenant) -> None:
    """RFC 7591 §3.2.1: "all registered metadata about this client"; RFC 7592 §2.1 the same."""
    answer = register(tenant, **METADATA)
    assert {name: answer.get(name) for name in METADATA} == METADATA
    assert not {"client_secret", "client_secret_expires_at"} & answer.keys()
    response = read(tenant, answer)
    assert response.status_code == 200
    assert "no-store" in response.headers["cache-control"]
    assert response.json() == answer


def test_what_is_not_understood_is_ignored(tenant: Tenant) -> None:
    """RFC 7591 §2: "MUST ignore any client metadata … that it does not understand"."""
    answer = register(
        tenant, **{"client_name#ja-Jpan-JP": "クライアント名", "x": {"y": [1]}, "tos_uri": None}
    )
    assert not {"client_name#ja-Jpan-JP", "x", "tos_uri"} & answer.keys()
    chosen = {
        "client_id": "chosen",
        "client_secret": "a secret of somebody's own choice, long enough",
        "registration_access_token": "chosen",
        "name": "chosen",
        "is_first_party": True,
        "is_system": True,
        "token_exchange_audiences": ["https://api.example.com"],
        "web_origins": ["https://evil.example.com"],
        "oidc_conformant": False,
    }
    answer = register(tenant, **chosen)
    facts = client_of(tenant, answer).facts
    assert not {"chosen", chosen["client_secret"]} & {str(value) for value in answer.values()}
    assert not {"chosen", chosen["client_secret"]} & {facts.client_id, facts.name}
    assert (facts.is_first_party, facts.is_system, facts.oidc_conformant) == (False, False, True)
    assert (facts.token_exchange_audiences, facts.web_origins) == ((), ())


def test_reading_shows_what_holds_now_and_no_secret(tenant: Tenant) -> None:
    """RFC 7592 §2.1: the current metadata. Only a digest of the secret is kept."""
    answer = register(tenant, client_name="Before")
    client = client_of(tenant, answer)
    tenant.change_application(client, name="After")
    found = read(tenant, answer).json()
    assert found["client_name"] == "After"
    assert "client_secret" not in found
    assert found["client_secret_expires_at"] == 0
    assert found["registration_access_token"] == answer["registration_access_token"]
    # Reading has changed no secret.
    token = tenant.token(client, grant_type="refresh_token", refresh_token="x")
    refused(token, 400, "unauthorized_client")
    assert client.facts.registration_token_digest not in {None, answer["registration_access_token"]}


@both_databases
def test_whose_token_reads(server: Server, tenant: Tenant) -> None:
    """RFC 7592 §2.1: another client's token, none, after the deletion, at another tenant: 401."""
    answer, other = register(tenant), register(tenant)
    foreign = server.tenant(enable_dynamic_client_registration=True)
    for token in (other["registration_access_token"], "x", answer["client_secret"], "\u00e9"):
        found = server.client.get(
            answer["registration_client_uri"],
            headers=[(b"authorization", b"Bearer " + token.encode())],
        )
        refused(found, 401, "invalid_token")
        assert 'error="invalid_token"' in found.headers["www-authenticate"]
    without = read(tenant, answer, "")
    assert (without.status_code, without.headers["www-authenticate"]) == (401, "Bearer")
    elsewhere = answer | {
        "registration_client_uri": foreign.url(f"oidc/register/{answer['client_id']}")
    }
    refused(read(foreign, elsewhere), 401, "invalid_token")
    for odd in ("nobody", "a%00b", "%C3%A9", "x" * 3000, ""):
        unknown = answer | {"registration_client_uri": tenant.url(f"oidc/register/{odd}")}
        refused(read(tenant, unknown), 401, "invalid_token")
    own = tenant.application()
    unknown = answer | {"registration_client_uri": tenant.url(f"oidc/register/{own.id}")}
    refused(read(tenant, unknown), 401, "invalid_token")
    url = f"{answer['registration_client_uri']}?access_token={answer['registration_access_token']}"
    refused(server.client.get(url), 400, "invalid_request")
    tenant.write(applications.delete, Patch(client_of(tenant, answer).facts.id))
    refused(read(tenant, answer), 401, "invalid_token")


def test_other_methods(tenant: Tenant) -> None:
    """RFC 9110 §15.5.6."""
    answer = register(tenant)
    for url, method, allowed in (
        (tenant.url("oidc/register"), "GET", "POST"),
        (answer["registration_client_uri"], "POST", "DELETE, GET"),
        (answer["registration_client_uri"], "PUT", "DELETE, GET"),
    ):
        found = tenant.server.client.request(method, url)
        assert (found.status_code, found.headers["allow"]) == (405, allowed)


def test_an_application_deletes_itself(server: Server, tenant: Tenant) -> None:
    """RFC 7592 §2.3: its tokens and the registration access token end with it."""
    answer = register(
        tenant, grant_types=["authorization_code", "client_credentials"], client_name="Leaver"
    )
    other = register(tenant)
    client = client_of(tenant, answer)
    tenant.api("https://api.example", "read:things")
    tenant.grant(client, "https://api.example", "read:things")
    asked = {"grant_type": "client_credentials", "audience": "https://api.example"}
    token = tenant.token(client, **asked).json()["access_token"]
    uri = answer["registration_client_uri"]
    for wrong in ("", "wrong", other["registration_access_token"]):
        headers = {"authorization": f"Bearer {wrong}"} if wrong else {}
        with server.stores_nothing():
            assert server.client.delete(uri, headers=headers).status_code == 401
    headers = {"authorization": f"Bearer {answer['registration_access_token']}"}
    deleted = server.client.delete(uri, headers=headers)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert deleted.headers["cache-control"] == "no-store"
    assert server.client.delete(uri, headers=headers).status_code == 401
    refused(read(tenant, answer), 401, "invalid_token")
    assert tenant.token(client, **asked).json()["error"] == "invalid_client"
    reader = tenant.application("non_interactive")
    tenant.grant(reader, "https://api.example", "read:things")
    found = server.client.post(
        tenant.url("oauth/introspect"), data={"token": token}, auth=reader.basic
    )
    assert found.json() == {"active": False}
    assert read(tenant, other).status_code == 200
    (event,) = tenant.events("application.deleted")
    assert (event.actor_kind, event.client_id) == ("application", answer["client_id"])


def test_the_switch(server: Server) -> None:
    """Off by default; Discovery §3: `registration_endpoint` is there only where it works."""
    tenant = server.tenant()
    discovery = tenant.url(".well-known/openid-configuration")
    assert "registration_endpoint" not in server.client.get(discovery).json()
    with server.stores_nothing():
        refused(ask(tenant), 403, "access_denied")
    tenant.change(enable_dynamic_client_registration=True)
    assert server.client.get(discovery).json()["registration_endpoint"] == tenant.url(
        "oidc/register"
    )
    register(tenant)


def test_it_is_in_the_log(tenant: Tenant) -> None:
    answer = register(tenant, client_name="Logged")
    (event,) = tenant.events("application.registered")
    assert event.client_id == answer["client_id"]
    text = json.dumps(event.details)
    assert "Logged" in text
    assert answer["client_secret"] not in text
    assert answer["registration_access_token"] not in text
    changes = event.details["changes"]
    assert isinstance(changes, dict)
    assert changes["registration_token_digest"] == {"changed": True}
    assert changes["secret_digest"] == {"changed": True}


# --- what is refused -------------------------------------------------------------------------

IMPLICIT = {"grant_types": ["implicit"], "response_types": ["id_token"]}
REDIRECTS: list[dict[str, Any]] = [
    {"redirect_uris": None},
    {"redirect_uris": []},
    {"redirect_uris": ["http://app.example.com/cb"]},
    {"redirect_uris": ["https://app.example.com/cb#fragment"]},
    {"redirect_uris": ["https://app.example.com/cb#"]},
    {"redirect_uris": ["javascript:alert(1)"]},
    {"redirect_uris": ["data:text/html,x"]},
    {"redirect_uris": ["/cb"]},
    {"redirect_uris": ["https://*.example.com/cb"]},
    {"redirect_uris": ["https://{organization_name}.example.com/cb"]},
    {"redirect_uris": ["https://user:secret@app.example.com/cb"]},
    {"redirect_uris": [CALLBACK, "https://"]},
    {"redirect_uris": ["com.example.app:/cb"]},
    {"redirect_uris": ["http://localhost/cb"]} | IMPLICIT,
    {"redirect_uris": ["https://localhost/cb"]} | IMPLICIT,
    {"redirect_uris": ["http://127.0.0.1/cb"]} | IMPLICIT,
    {"redirect_uris": ["https://app.localhost/cb"]} | IMPLICIT,
    {"redirect_uris": ["http://app.example.com/cb"], "application_type": "native"},
    {"redirect_uris": ["myapp:/cb"], "application_type": "native"},
    {"redirect_uris": [f"https://app.example.com/{n}" for n in range(101)]},
    {"redirect_uris": ["https://app.example.com/" + "x" * 2048]},
]


@pytest.mark.parametrize("metadata", REDIRECTS)
def test_redirect_uris_that_are_refused(tenant: Tenant, metadata: dict[str, Any]) -> None:
    """RFC 7591 §3.2.2, Registration §2: invalid_redirect_uri, and nothing is stored."""
    with tenant.server.stores_nothing():
        description = refused(ask(tenant, **metadata), 400, "invalid_redirect_uri")
    assert description.startswith("redirect_uris")


@pytest.mark.parametrize(
    "metadata",
    [
        {"redirect_uris": ["http://localhost:3000/cb"]},
        {"redirect_uris": ["https://127.0.0.1:8443/cb"]} | IMPLICIT,
        {"redirect_uris": ["com.example.app:/cb"], "application_type": "native"},
        {"redirect_uris": ["http://127.0.0.1/cb"], "application_type": "native"},
        {"redirect_uris": [CALLBACK], "application_type": "native"},
    ],
)
def test_redirect_uris_that_are_not(tenant: Tenant, metadata: dict[str, Any]) -> None:
    """Registration §2, RFC 8252 §7."""
    assert register(tenant, **metadata)["redirect_uris"] == metadata["redirect_uris"]


SYMMETRIC = {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}
PRIVATE = {"keys": [KEYS["keys"][0] | {"d": "AQAB"}]}
BAD: list[tuple[dict[str, Any], str]] = [
    ({"redirect_uris": CALLBACK}, "redirect_uris"),
    ({"redirect_uris": [1]}, "redirect_uris"),
    ({"grant_types": ["authorization_code"], "response_types": ["token"]}, "response_types"),
    ({"grant_types": ["implicit"], "response_types": ["code"]}, "response_types"),
    ({"grant_types": ["authorization_code"], "response_types": []}, "response_types"),
    ({"response_types": ["code id_token"]}, "response_types"),
    ({"response_types": ["code code"]}, "response_types.0"),
    ({"response_types": ["none"]}, "response_types.0"),
    ({"grant_types": ["password"]}, "grant_types"),
    ({"grant_types": ["urn:ietf:params:oauth:grant-type:token-exchange"]}, "grant_types"),
    ({"grant_types": ["magic"]}, "grant_types"),
    ({"grant_types": "implicit"}, "grant_types"),
    ({"application_type": "spa"}, "application_type"),
    ({"contacts": "ann@example.com"}, "contacts"),
    ({"contacts": ["x" * 255]}, "contacts.0"),
    ({"client_name": ["x"]}, "client_name"),
    ({"client_name": "x" * 101}, "client_name"),
    ({"client_name": "<script>"}, "client_name"),
    ({"logo_uri": "javascript:alert(1)"}, "logo_uri"),
    ({"client_uri": "app.example.com"}, "client_uri"),
    ({"policy_uri": "data:text/html,x"}, "policy_uri"),
    ({"tos_uri": "ftp://app.example.com"}, "tos_uri"),
    ({"scope": 'a "b"'}, "scope"),
    ({"scope": ["openid"]}, "scope"),
    ({"jwks_uri": "http://app.example.com/jwks"}, "jwks_uri"),
    ({"jwks_uri": "file:///etc/passwd"}, "jwks_uri"),
    ({"jwks_uri": "https://app.example.com/jwks", "jwks": KEYS}, "jwks_uri"),
    ({"jwks": SYMMETRIC}, "jwks.keys.0"),
    ({"jwks": PRIVATE}, "jwks.keys.0"),
    ({"jwks": {"keys": []}}, "jwks"),
    ({"jwks": json.dumps(KEYS)}, "jwks"),
    ({"sector_identifier_uri": "http://app.example.com/s.json"}, "sector_identifier_uri"),
    ({"subject_type": "private"}, "subject_type"),
    ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
    ({"id_token_signed_response_alg": "ES256"}, "id_token_signed_response_alg"),
    ({"userinfo_signed_response_alg": "HS256"}, "userinfo_signed_response_alg"),
    ({"userinfo_signed_response_alg": "PS256"}, "userinfo_signed_response_alg"),
    ({"request_object_signing_alg": "none"}, "request_object_signing_alg"),
    ({"id_token_encrypted_response_alg": "RSA-OAEP"}, "id_token_encrypted_response_alg"),
    ({"userinfo_encrypted_response_enc": "A128GCM"}, "userinfo_encrypted_response_enc"),
    ({"request_object_encryption_alg": "RSA-OAEP"}, "request_object_encryption_alg"),
    ({"token_endpoint_auth_method": "tls_client_auth"}, "token_endpoint_auth_method"),
    ({"token_endpoint_auth_method": "private_key_jwt"}, "jwks"),
    ({"token_endpoint_auth_signing_alg": "RS256"}, "token_endpoint_auth_signing_alg"),
    ({"default_max_age": "3600"}, "default_max_age"),
    ({"default_max_age": True}, "default_max_age"),
    ({"default_max_age": -1}, "default_max_age"),
    ({"default_max_age": 10**400}, "default_max_age"),
    ({"require_auth_time": "true"}, "require_auth_time"),
    ({"default_acr_values": ["two words"]}, "default_acr_values.0"),
    ({"initiate_login_uri": "http://app.example.com/login"}, "initiate_login_uri"),
    ({"request_uris": ["http://169.254.169.254/"]}, "request_uris.0"),
    ({"post_logout_redirect_uris": ["https://*.example.com/"]}, "post_logout_redirect_uris.0"),
    ({"backchannel_logout_uri": "http://app.example.com/"}, "backchannel_logout_uri"),
    ({"frontchannel_logout_uri": "https://other.example.com/"}, "frontchannel_logout_uri"),
    ({"software_id": 1}, "software_id"),
]


def test_requests_may_be_encrypted(tenant: Tenant) -> None:
    """OpenID Connect Registration §2: a way that works is taken; it binds nobody."""
    alg, enc = "request_object_encryption_alg", "request_object_encryption_enc"
    good = {alg: "RSA-OAEP-256", enc: "A256GCM"}
    refused(ask(tenant, **good), 400, "invalid_client_metadata")
    tenant.change(request_object_encryption_supported=True)
    for metadata in (good, {alg: "RSA-OAEP-256"}):
        assert not {alg, enc} & register(tenant, **metadata).keys()
    bad: list[tuple[dict[str, Any], str]] = [
        ({alg: "RSA1_5"}, alg),
        ({alg: ["RSA-OAEP-256"]}, alg),
        (good | {enc: "A192GCM"}, enc),
        ({enc: "A256GCM"}, enc),
    ]
    for wrong, member in bad:
        said = refused(ask(tenant, **wrong), 400, "invalid_client_metadata")
        assert said.startswith(f"{member}: ")


@pytest.mark.parametrize("metadata, member", BAD)
def test_metadata_that_is_refused(tenant: Tenant, metadata: dict[str, Any], member: str) -> None:
    """RFC 7591 §3.2.2: invalid_client_metadata, the description names the member."""
    error = "invalid_redirect_uri" if member == "redirect_uris" else "invalid_client_metadata"
    with tenant.server.stores_nothing():
        description = refused(ask(tenant, **metadata), 400, error)
    assert description.startswith(f"{member}: ")


def test_a_software_statement(tenant: Tenant) -> None:
    """RFC 7591 §3.2.2: no issuer of statements is trusted, so that none is approved."""
    statement = signed({"client_name": "x"}, rsa_key())
    refused(ask(tenant, software_statement=statement), 400, "unapproved_software_statement")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"x"',
        b"{",
        b'{"redirect_uris": ["https://a.example/cb"], "redirect_uris": ["https://b.example/cb"]}',
        b'{"redirect_uris": ["https://a.example/cb"], "jwks": {"keys": [], "keys": []}}',
        b'{"redirect_uris": ["https://a.example/cb"], "default_max_age": NaN}',
        b'{"redirect_uris": ["https://a.example/cb"], "default_max_age": ' + b"9" * 5000 + b"}",
        b'{"redirect_uris": ["https://a.example/cb"], "client_name": "a\\u0000b"}',
        b'{"redirect_uris": ["https://a.example/cb"], "client_name": "\\ud800"}',
        b'{"redirect_uris": ["https://a.example/cb"], "x\\u0000": 1}',
        b'{"redirect_uris": ["https://a.example/cb"], "client_name": "\xff"}',
        b'{"x": ' + b"[" * 17 + b"]" * 17 + b"}",
        b'{"x": ' + b"[" * 30000 + b"]" * 30000 + b"}",
        b'{"x": ' * 5000 + b"1" + b"}" * 5000,
    ],
)
def test_bodies_that_are_no_document(tenant: Tenant, body: bytes) -> None:
    """RFC 7591 §3.1: one JSON object; nothing that two readers could read in two ways."""
    with tenant.server.stores_nothing():
        answer = tenant.server.raw(
            "POST",
            tenant.url("oidc/register"),
            headers=[(b"content-type", b"application/json")],
            body=[body],
        )
        refused(answer, 400, "invalid_client_metadata")


def test_bodies_that_are_not_read(tenant: Tenant) -> None:
    """RFC 7591 §3.1: application/json; at most 64 KiB."""
    url, client = tenant.url("oidc/register"), tenant.server.client
    refused(client.post(url, data={"client_name": "x"}), 415, "invalid_request")
    refused(client.post(url, content=b"{}"), 415, "invalid_request")
    big = json.dumps({"redirect_uris": [CALLBACK], "x": "y" * 65_536})
    headers = {"content-type": "application/json"}
    refused(client.post(url, content=big, headers=headers), 413, "invalid_request")


def test_nothing_is_fetched_for_a_registration(tenant: Tenant, remote: Remote) -> None:
    """RFC 7591 §5: the URLs that name pictures, keys and requests are only stored."""
    register(
        tenant,
        logo_uri=remote.url("logo"),
        client_uri=remote.url("home"),
        policy_uri=remote.url("policy"),
        tos_uri=remote.url("tos"),
        jwks_uri=remote.url("jwks"),
        request_uris=[remote.url("request")],
        initiate_login_uri=remote.url("login").replace("http", "https", 1),
        backchannel_logout_uri=remote.url("logout"),
    )
    assert remote.asked == []
