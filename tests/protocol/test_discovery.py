"""OpenID Connect Discovery 1.0 §3 and §4, RFC 8414 §3, RFC 9728 §3, RFC 7517 §5."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata

from tenantry.core.facts import SigningAlgorithm
from tenantry.services import signing_keys
from tests.support import jwt
from tests.support.browser import Browser
from tests.support.flow import request_for, sign_in
from tests.support.keys import key_source
from tests.support.server import Server, Tenant, both_databases

API = "https://api.example.com"
PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k", "r", "t"}
WELL_KNOWN = (
    ".well-known/openid-configuration",
    ".well-known/oauth-authorization-server",
    ".well-known/jwks.json",
    ".well-known/oauth-protected-resource/graphql",
)


def metadata(tenant: Tenant) -> dict[str, Any]:
    response = tenant.server.client.get(tenant.url(".well-known/openid-configuration"))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    document: dict[str, Any] = response.json()
    return document


@pytest.mark.parametrize("kind", ["path", "host", "root"])
def test_valid_by_authlib(server: Server, https_server: Server, kind: str) -> None:
    """Discovery §3 and RFC 8414 §2: every member is what the specifications say."""
    tenant = {"path": server.tenant, "host": https_server.tenant}.get(kind, lambda: server.root)()
    document = metadata(tenant)
    assert document["issuer"] == tenant.issuer
    validated = dict(document)
    if not tenant.issuer.startswith("https://"):
        # The validators rightly ask for https; on loopback it is http.
        validated = {
            name: value.replace("http://", "https://") if isinstance(value, str) else value
            for name, value in document.items()
        }
    OpenIDProviderMetadata(validated).validate()
    AuthorizationServerMetadata(validated).validate()
    for name, value in document.items():
        if name.endswith(("_endpoint", "_uri")):
            assert value.startswith(tenant.issuer), name


@both_databases
def test_what_is_said_is_what_works(server: Server, tenant: Tenant, browser: Browser) -> None:
    """Discovery §3: each endpoint is there, and the flow runs by the document alone."""
    client = tenant.application()
    tenant.user()
    document = metadata(tenant)
    get, post = server.client.get, server.client.post
    asked = request_for(client)
    page = browser.get(document["authorization_endpoint"], asked.parameters)
    assert page.title == "Log in"
    assert post(document["token_endpoint"], data={"x": "y"}).status_code == 401
    assert get(document["userinfo_endpoint"]).status_code == 401
    assert get(document["jwks_uri"]).json()["keys"]
    assert browser.get(document["end_session_endpoint"]).title == "Signed out"
    granted = sign_in(browser, tenant, client)
    claims = jwt.claims_of(granted.tokens()["id_token"])
    assert claims.keys() <= set(document["claims_supported"])
    assert set(document["response_types_supported"]) == {
        "code", "token", "id_token", "id_token token",
        "code id_token", "code token", "code id_token token",
    }  # fmt: skip
    assert {"query", "fragment", "form_post", "web_message"} <= set(
        document["response_modes_supported"]
    )
    assert "implicit" in document["grant_types_supported"]
    assert document["subject_types_supported"] == ["public", "pairwise"]
    assert document["claims_parameter_supported"] is True
    assert document["userinfo_signing_alg_values_supported"] == ["RS256"]
    assert document["display_values_supported"] == ["page", "popup", "touch"]
    assert document["ui_locales_supported"] == ["en"]
    assert claims["acr"] in document["acr_values_supported"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    grant_types = {"authorization_code", "client_credentials", "refresh_token"}
    assert grant_types <= set(document["grant_types_supported"])
    assert "offline_access" in document["scopes_supported"]
    for name in ("revocation_endpoint", "introspection_endpoint"):
        assert post(document[name], data={"token": "x"}).status_code == 401
        for method in document[f"{name}_auth_methods_supported"]:
            assert method in document["token_endpoint_auth_methods_supported"]
    assert "none" in document["revocation_endpoint_auth_methods_supported"]
    assert "none" not in document["introspection_endpoint_auth_methods_supported"]
    assert document["introspection_signing_alg_values_supported"] == ["RS256"]
    assert set(document["token_endpoint_auth_methods_supported"]) == {
        "client_secret_basic", "client_secret_jwt", "client_secret_post", "none", "private_key_jwt"
    }  # fmt: skip
    by_key = ["RS256", "RS384", "PS256", "ES256", "EdDSA"]
    for name in ("token", "revocation", "introspection"):
        values = document[f"{name}_endpoint_auth_signing_alg_values_supported"]
        assert values == [*by_key, "HS256"]
    assert document["request_object_signing_alg_values_supported"] == by_key
    assert document["request_parameter_supported"] is True
    assert document["request_uri_parameter_supported"] is True
    assert document["require_request_uri_registration"] is True
    assert document["id_token_signing_alg_values_supported"] == ["RS256", "HS256"]


def test_the_inserted_path(server: Server, tenant: Tenant) -> None:
    """RFC 8414 §3.1: the well-known string stands before the issuer's path."""
    path = urlsplit(tenant.issuer).path.rstrip("/")
    for name in ("oauth-authorization-server", "openid-configuration"):
        inserted = server.client.get(f"{server.public_url}/.well-known/{name}{path}")
        assert inserted.json() == metadata(tenant)
    appended = server.client.get(tenant.url(".well-known/oauth-authorization-server"))
    assert appended.json() == metadata(tenant)


def test_protected_resource(server: Server, https_server: Server, tenant: Tenant) -> None:
    """RFC 9728 §2 and §3.1: at the inserted path; the resource is the management identifier."""
    path = urlsplit(tenant.issuer).path
    well_known = f"{server.public_url}/.well-known/oauth-protected-resource"
    document = server.client.get(f"{well_known}{path}graphql").json()
    assert document["resource"] == tenant.url("graphql")
    assert document["authorization_servers"] == [tenant.issuer, f"{server.public_url}/"]
    assert document["jwks_uri"] == tenant.url(".well-known/jwks.json")
    assert "read:applications" in document["scopes_supported"]
    assert "create:tenants" not in document["scopes_supported"]
    root = server.client.get(f"{well_known}/graphql").json()
    assert root["resource"] == f"{server.public_url}/graphql"
    assert root["authorization_servers"] == [f"{server.public_url}/"]
    assert "create:tenants" in root["scopes_supported"]
    hosted = https_server.tenant()
    found = https_server.client.get(hosted.url(".well-known/oauth-protected-resource/graphql"))
    assert found.json()["resource"] == hosted.url("graphql")
    assert server.client.get(well_known).status_code == 404


def test_members_follow_the_settings(tenant: Tenant) -> None:
    """Discovery §3 and RP-Initiated Logout §2.1: what is switched off is not advertised."""
    assert "end_session_endpoint" in metadata(tenant)
    assert "service_documentation" not in metadata(tenant)
    tenant.change(
        end_session_endpoint_discovery=False,
        support_url="https://help.example.com/",
        signing_algorithms=("RS256", "ES256"),
    )
    document = metadata(tenant)
    assert "end_session_endpoint" not in document
    assert document["service_documentation"] == "https://help.example.com/"
    assert document["id_token_signing_alg_values_supported"] == ["RS256", "ES256", "HS256"]


@pytest.mark.parametrize("path", WELL_KNOWN)
def test_caching_and_cors(tenant: Tenant, path: str) -> None:
    """RFC 9110 §13.1.2 and decision of the public documents: ETag, 304, any origin."""
    get, url = tenant.server.client.get, tenant.url(path)
    first = get(url, headers={"origin": "https://anywhere.example.com"})
    assert first.status_code == 200
    assert first.headers["access-control-allow-origin"] == "*"
    assert first.headers["cache-control"].startswith("public, max-age=")
    assert int(first.headers["cache-control"].partition("max-age=")[2].partition(",")[0]) <= 300
    etag = first.headers["etag"]
    for condition in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again = get(url, headers={"if-none-match": condition, "origin": "https://x.example.com"})
        assert again.status_code == 304, condition
        assert again.content == b""
        assert again.headers["etag"] == etag
        assert again.headers["cache-control"] == first.headers["cache-control"]
        assert again.headers["access-control-allow-origin"] == "*"
    assert get(url, headers={"if-none-match": '"other"'}).status_code == 200
    assert tenant.server.raw("HEAD", url).status_code == 200


HOSTS = ("evil.example.com", "localhost:8000.evil.example.com", "localhost", "localhost:8001",
         "evil.example.com:8000", "", "localhost:8000@evil.example.com", "[::1")  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_the_host_is_never_echoed(server: Server, tenant: Tenant, host: str) -> None:
    """RFC 9110 §15.5.20: 421 for a host that is not ours, whatever else is asked."""
    for path in (*WELL_KNOWN, "authorize", "oauth/token", "nowhere"):
        response = server.raw("GET", tenant.url(path), headers=[(b"host", host.encode())])
        assert response.status_code == 421, path
        assert response.json() == {"error": "misdirected_request"}
        assert "evil" not in response.text + str(response.headers)


def test_forwarded_hosts_of_strangers(server: Server, tenant: Tenant) -> None:
    """Forwarded headers of a peer that no setting names change nothing."""
    headers = [
        (b"x-forwarded-host", b"evil.example.com"),
        (b"forwarded", b"host=evil.example.com"),
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-prefix", b"/evil"),
        (b"x-original-host", b"evil.example.com"),
    ]
    response = server.raw("GET", tenant.url(WELL_KNOWN[0]), headers=headers)
    assert response.json() == metadata(tenant)
    assert "evil" not in str(response.headers)


def test_health_does_not_look_at_the_host(server: Server) -> None:
    """Probes come by address."""
    for path in ("healthz", "readyz"):
        url = f"{server.public_url}/{path}"
        response = server.raw("GET", url, headers=[(b"host", b"10.0.0.7:8000")])
        assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("algs", [("RS256",), ("RS256", "PS256", "ES256", "EdDSA")])
def test_jwks_are_public(tenant: Tenant, algs: tuple[str, ...]) -> None:
    """RFC 7517 §4 and §5: public members only, for signatures, each kid once."""
    tenant.change(signing_algorithms=algs)
    keys = tenant.jwks()["keys"]
    assert {key["alg"] for key in keys} == set(algs)
    assert len(keys) == 2 * len(algs), "current and next"
    assert len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        assert not key.keys() & PRIVATE_MEMBERS
        assert key["use"] == "sig"
        assert key["x5c"]
        assert key["kty"] in {"RSA", "EC", "OKP"}


def test_an_algorithm_that_is_switched_off(tenant: Tenant, browser: Browser) -> None:
    """RFC 7517 §5 and Discovery §3: its keys are not published; RS256 signs instead."""
    tenant.change(signing_algorithms=("RS256", "ES256"))
    client = tenant.application(id_token_signed_response_alg="ES256")
    tenant.user()
    assert {key["alg"] for key in tenant.jwks()["keys"]} == {"RS256", "ES256"}
    tenant.change(signing_algorithms=("RS256",))
    assert {key["alg"] for key in tenant.jwks()["keys"]} == {"RS256"}
    header, _ = jwt.verify(sign_in(browser, tenant, client).tokens()["id_token"], tenant.jwks())
    assert header["alg"] == "RS256"
    tenant.change(signing_algorithms=("RS256", "ES256"))
    header, _ = jwt.verify(sign_in(browser, tenant, client).tokens()["id_token"], tenant.jwks())
    assert header["alg"] == "ES256"


def test_default_jwks_hold_rsa_alone(tenant: Tenant) -> None:
    """RFC 7518 §3.1: several libraries fail at a key set with a key that is not RSA."""
    assert {key["kty"] for key in tenant.jwks()["keys"]} == {"RSA"}


def test_alg_can_be_left_out(tenant: Tenant) -> None:
    """RFC 7517 §4.4: `alg` is optional, and a switch removes it."""
    tenant.change(remove_alg_from_jwks=True)
    assert not any("alg" in key for key in tenant.jwks()["keys"])


@both_databases
def test_rotated_keys(server: Server, tenant: Tenant, browser: Browser) -> None:
    """RFC 7517 §5, OpenID Connect Core §10.1.1: next signs, previous stays until revoked."""
    client = tenant.application()
    tenant.user()
    before = tenant.jwks()["keys"]
    old = sign_in(browser, tenant, client).tokens()
    assert jwt.header_of(old["id_token"])["kid"] == before[0]["kid"]
    rotated = [(SigningAlgorithm.RS256, key_source(SigningAlgorithm.RS256))]
    tenant.write(signing_keys.rotate, rotated, revoke=False)
    after = tenant.jwks()["keys"]
    assert [key["kid"] for key in after][::2] == [key["kid"] for key in before][::-1]
    new = sign_in(browser, tenant, client).tokens()
    assert jwt.header_of(new["id_token"])["kid"] == before[1]["kid"]
    for tokens in (old, new):
        jwt.verify(tokens["id_token"], tenant.jwks())
        assert tenant.userinfo(tokens["access_token"]).status_code == 200
    tenant.write(signing_keys.revoke_previous)
    assert before[0]["kid"] not in {key["kid"] for key in tenant.jwks()["keys"]}
    assert tenant.userinfo(old["access_token"]).status_code == 401
    assert tenant.userinfo(new["access_token"]).status_code == 200


def test_keys_that_are_revoked_by_the_rotation(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §10.1.1, in an emergency: the old key ends at once."""
    client = tenant.application()
    tenant.user()
    tokens = sign_in(browser, tenant, client).tokens()
    rotated = [(SigningAlgorithm.RS256, key_source(SigningAlgorithm.RS256))]
    tenant.write(signing_keys.rotate, rotated, revoke=True)
    assert len(tenant.jwks()["keys"]) == 2
    assert tenant.userinfo(tokens["access_token"]).status_code == 401


@pytest.mark.parametrize("alg", ["PS256", "ES256", "EdDSA"])
def test_id_tokens_of_other_algorithms(tenant: Tenant, browser: Browser, alg: str) -> None:
    """OpenID Connect Core §3.1.3.6 and §10.1: signed as registered; `at_hash` by its hash."""
    tenant.change(signing_algorithms=("RS256", alg))
    client = tenant.application(id_token_signed_response_alg=alg)
    tenant.user()
    tokens = sign_in(browser, tenant, client).tokens()
    header, claims = jwt.verify(tokens["id_token"], tenant.jwks())
    assert header["alg"] == alg
    if alg == "EdDSA":
        assert len(jwt.decode(claims["at_hash"])) == 32, "Ed25519 hashes with SHA-512"
    else:
        assert claims["at_hash"] == jwt.half_hash(tokens["access_token"])
    assert jwt.header_of(tokens["access_token"])["alg"] == "RS256"
