"""RFC 7591 §2 and OpenID Connect Registration §2: what a registered application can do."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from anyio.from_thread import BlockingPortal

from tenantry.core.facts import DATABASE_CONNECTION
from tenantry.services import applications
from tenantry.services.commands import ApplicationPatch, Patch
from tenantry.services.connections import update as change_connection
from tenantry.store import connections
from tests.support import jwt
from tests.support.browser import Browser
from tests.support.client_keys import assertion_claims, proving, public_jwk, rsa_key, signed
from tests.support.databases import Databases
from tests.support.flow import authorize, log_in, refused, request_for, sign_in
from tests.support.registration import client_of, register
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


@both_databases
def test_code_refresh_userinfo_with_keys_at_a_uri(
    server: Server, tenant: Tenant, browser: Browser, remote: Remote
) -> None:
    """Registration §2, Core §9: the whole way of an application with `private_key_jwt`."""
    remote.documents["/jwks"] = json.dumps(KEYS).encode()
    answer = register(
        tenant,
        jwks_uri=remote.url("jwks"),
        token_endpoint_auth_method="private_key_jwt",
        grant_types=["authorization_code", "refresh_token"],
        client_name="Dynamic",
        logo_uri="https://app.example.com/logo.png",
        client_uri="https://app.example.com/home",
        policy_uri="https://app.example.com/privacy",
        tos_uri="https://app.example.com/terms",
    )
    client = client_of(tenant, answer)
    user = tenant.user()
    asked = request_for(client, scope="openid email offline_access")
    page = authorize(browser, tenant, asked.parameters)
    links = [values.get("href") for name, values in page.tags if name == "a"]
    for path in ("home", "privacy", "terms"):
        assert f"https://app.example.com/{path}" in links
    page = log_in(browser, page)
    # It is a third party: a person consents.
    assert page.title == "Allow access"
    page = browser.submit(page, "consent-form", press="consent-allow")

    def tokens(**fields: str) -> dict[str, Any]:
        proof = proving(signed(assertion_claims(tenant, client), rsa_key(), kid="k1"))
        made: httpx2.Response = server.client.post(tenant.url("oauth/token"), data=fields | proof)
        assert made.status_code == 200, made.text
        body: dict[str, Any] = made.json()
        return body

    first = tokens(
        grant_type="authorization_code",
        code=page.answer["code"],
        redirect_uri=CALLBACK,
        code_verifier=asked.verifier,
    )
    claims = jwt.claims_of(first["id_token"])
    assert (claims["aud"], claims["sub"]) == (client.id, user.id)
    assert not {"auth_time", "email"} & claims.keys()
    second = tokens(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert tenant.userinfo(second["access_token"]).json()["email"] == "ann@example.com"
    assert remote.asked == ["/jwks"]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_code_with_each_other_method(tenant: Tenant, browser: Browser, method: str) -> None:
    """RFC 7591 §2: a secret is made only where the method needs one."""
    answer = register(tenant, token_endpoint_auth_method=method)
    assert ("client_secret" in answer) == (method != "none")
    assert answer["application_type"] == "web"
    tenant.user()
    assert "access_token" in sign_in(browser, tenant, client_of(tenant, answer)).tokens()


def test_id_tokens_signed_with_the_secret(tenant: Tenant, browser: Browser) -> None:
    """Registration §2: HS256 uses the `client_secret` that was answered."""
    answer = register(tenant, id_token_signed_response_alg="HS256")
    tenant.user()
    client = client_of(tenant, answer)
    token = sign_in(browser, tenant, client).tokens()["id_token"]
    signing_input, _, _ = token.rpartition(".")
    claims = jwt.claims_of(token)
    header = jwt.header_of(token)
    assert (header["alg"], claims["aud"]) == ("HS256", client.id)
    digest = hmac.digest(client.secret.encode(), signing_input.encode(), "sha256")
    assert jwt.encode(digest) == token.rpartition(".")[2]


def test_response_types_are_a_restriction(tenant: Tenant, browser: Browser) -> None:
    """Registration §2: "will restrict itself to using"; the words may come in any order."""
    answer = register(
        tenant,
        grant_types=["authorization_code", "implicit"],
        response_types=["token id_token"],
    )
    assert answer["response_types"] == ["id_token token"]
    client = client_of(tenant, answer)
    tenant.user()
    for response_type in ("code", "id_token", "code id_token"):
        asked = request_for(client, response_type=response_type)
        page = authorize(browser, tenant, asked.parameters)
        assert page.answer["error"] == "unauthorized_client"
    found = sign_in(browser, tenant, client, response_type="id_token token").answer
    assert {"id_token", "access_token"} <= found.keys()


def test_scope_is_a_restriction(tenant: Tenant, browser: Browser) -> None:
    """RFC 7591 §2: the scopes "that the client can use when requesting access tokens"."""
    tenant.user()
    client = client_of(
        tenant,
        register(
            tenant,
            scope="openid email",
            grant_types=["authorization_code", "refresh_token"],
        ),
    )
    granted = sign_in(browser, tenant, client, scope="openid profile email offline_access")
    tokens = granted.tokens()
    assert tokens["scope"] == "openid email"
    assert "refresh_token" not in tokens
    page = authorize(browser, tenant, request_for(client, scope="profile").parameters)
    assert page.answer["error"] == "invalid_scope"


def test_scope_restricts_the_application_itself(tenant: Tenant) -> None:
    """RFC 7591 §2 with RFC 6749 §4.4: neither asked for nor given by default."""
    tenant.api("https://api.example.com", "read", "write")
    answer = register(tenant, grant_types=["client_credentials"], scope="read")
    assert answer["response_types"] == []
    client = client_of(tenant, answer)
    fields = {"grant_type": "client_credentials", "audience": "https://api.example.com"}
    # Whatever it registers, the tenant decides what it gets.
    refused(tenant.token(client, **fields), 403, "access_denied")
    tenant.grant(client, "https://api.example.com", "read", "write")
    assert tenant.token(client, **fields).json()["scope"] == "read"
    refused(tenant.token(client, **fields, scope="write"), 400, "invalid_scope")


def test_defaults_of_requests_take_effect(tenant: Tenant, browser: Browser) -> None:
    """Registration §2: default_max_age, require_auth_time, default_acr_values."""
    tenant.user()
    password = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
    answer = register(tenant, default_max_age=60, default_acr_values=[password])
    client = client_of(tenant, answer)
    claims = jwt.claims_of(sign_in(browser, tenant, client).tokens()["id_token"])
    assert claims["acr"] == password
    # Core §2: auth_time is REQUIRED where max_age was asked for.
    assert "auth_time" in claims
    tenant.server.clock.advance(61)
    page = authorize(browser, tenant, request_for(client).parameters)
    assert page.title == "Log in"
    told = client_of(tenant, register(tenant, require_auth_time=True))
    log = sign_in(tenant.server.browser(), tenant, told)
    assert "auth_time" in jwt.claims_of(log.tokens()["id_token"])


def test_connections_are_those_at_domain_level(tenant: Tenant, browser: Browser) -> None:
    """They are third-party: neither the tenant's default nor a list of their own opens others."""
    tenant.user()
    tenant.change(enable_application_connections=False)
    client = client_of(tenant, register(tenant))
    page = authorize(browser, tenant, request_for(client).parameters)
    assert log_in(browser, page).title == "Allow access"
    only = tenant.read(connections.find_by_name, DATABASE_CONNECTION)
    tenant.write(change_connection, Patch(only.id, {"is_domain_connection": False}))
    patch = ApplicationPatch(Patch(client.facts.id), connections=(DATABASE_CONNECTION,))
    tenant.write(applications.update, patch)
    page = authorize(browser, tenant, request_for(client).parameters)
    assert log_in(browser, page).title == "Log in"
