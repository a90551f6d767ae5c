"""RFC 7009: an application gives its tokens back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tenantry.core.facts import SubjectType
from tenantry.store import consents, installation
from tests.support.browser import Browser
from tests.support.flow import refused, request_for, sign_in
from tests.support.server import Client, Server, Tenant, both_databases

API = "https://api.example.com"
OFFLINE = "openid profile offline_access"


@pytest.fixture
def second(server: Server) -> Iterator[Server]:
    """Another process on the same database."""
    url = server.runtime.store.database.url.render_as_string(hide_password=False)
    made = Server(url, server.portal, clock=server.clock)
    yield made
    made.close()


def revoke(tenant: Tenant, client: Client, token: str, **fields: str) -> httpx2.Response:
    return tenant.server.client.post(
        tenant.url("oauth/revoke"), data=client.body | {"token": token} | fields
    )


def revoked(tenant: Tenant, client: Client, token: str, **fields: str) -> None:
    response = revoke(tenant, client, token, **fields)
    assert (response.status_code, response.content) == (200, b""), response.text
    assert "no-store" in response.headers["cache-control"]


def introspect(tenant: Tenant, client: Client, token: str) -> dict[str, Any]:
    response = tenant.server.client.post(
        tenant.url("oauth/introspect"), data={"token": token}, auth=client.basic
    )
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def refresh(tenant: Tenant, client: Client, token: str) -> httpx2.Response:
    return tenant.token(client, grant_type="refresh_token", refresh_token=token)


def graphql(tenant: Tenant, token: str) -> int:
    return tenant.server.client.post(
        tenant.url("graphql"),
        json={"query": "{ viewer { scopes } }"},
        headers={"authorization": f"Bearer {token}"},
    ).status_code


@both_databases
def test_a_refresh_token(server: Server, tenant: Tenant, browser: Browser, second: Server) -> None:
    """RFC 7009 §2.1: with it go the access tokens of the same grant, in every process at once."""
    client = tenant.application()
    tenant.user()
    elsewhere = Tenant(second, tenant.read(installation.find_tenant, tenant.id))
    kept = sign_in(browser, tenant, client, scope=OFFLINE).tokens()
    tokens = sign_in(browser, tenant, client, scope=OFFLINE).tokens()
    later = refresh(tenant, client, tokens["refresh_token"]).json()
    for place in (tenant, elsewhere):
        assert place.userinfo(later["access_token"]).status_code == 200
        assert introspect(place, client, later["access_token"])["active"]
    revoked(tenant, client, later["refresh_token"])
    for place in (tenant, elsewhere):
        for made in (tokens, later):
            refused(refresh(place, client, made["refresh_token"]), 400, "invalid_grant")
            assert place.userinfo(made["access_token"]).status_code == 401
            assert introspect(place, client, made["access_token"]) == {"active": False}
            assert introspect(place, client, made["refresh_token"]) == {"active": False}
        assert place.userinfo(kept["access_token"]).status_code == 200
    assert refresh(tenant, client, kept["refresh_token"]).status_code == 200
    (event,) = tenant.events("token_family.ended")
    assert event.details["reason"] == "revoked"


def test_a_users_access_token(tenant: Tenant, browser: Browser) -> None:
    """RFC 7009 §2.1: an access token goes alone."""
    client = tenant.application("spa")
    tenant.user()
    tokens = sign_in(browser, tenant, client, scope=OFFLINE).tokens()
    revoked(tenant, client, tokens["access_token"], token_type_hint="access_token")
    assert tenant.userinfo(tokens["access_token"]).status_code == 401
    later = refresh(tenant, client, tokens["refresh_token"]).json()
    assert tenant.userinfo(later["access_token"]).status_code == 200
    assert len(tenant.events("token.revoked")) == 1


@both_databases
def test_an_applications_own_token(server: Server, tenant: Tenant, second: Server) -> None:
    """RFC 7009 §2.1: a JWT that nobody stores is remembered as revoked until it ends."""
    client = tenant.application("non_interactive")
    tenant.grant(client, tenant.url("graphql"), "read:applications")
    elsewhere = Tenant(second, tenant.read(installation.find_tenant, tenant.id))
    ask = {"grant_type": "client_credentials", "audience": tenant.url("graphql")}
    token = tenant.token(client, **ask).json()["access_token"]
    for place in (tenant, elsewhere):
        assert graphql(place, token) == 200
        assert introspect(place, client, token)["active"]
    revoked(tenant, client, token)
    head, _, signature = token.rpartition(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # The last character of an RSA signature of 256 bytes holds four bits that mean nothing.
    variant = f"{head}.{signature[:-1]}{alphabet[alphabet.index(signature[-1]) ^ 1]}"
    for place in (tenant, elsewhere):
        for presented in (token, variant):
            assert graphql(place, presented) == 401
            assert introspect(place, client, presented) == {"active": False}
    revoked(tenant, client, token)
    tenant.server.clock.advance(1)
    another = tenant.token(client, **ask).json()["access_token"]
    assert graphql(tenant, another) == 200
    assert len(tenant.events("token.revoked")) == 1


def test_tokens_of_others(tenant: Tenant, browser: Browser) -> None:
    """RFC 7009 §2.1 and §2.2: another application's and unknown tokens: 200, and nothing ends."""
    client, other = tenant.application("spa"), tenant.application(name="Other")
    machine = tenant.application("non_interactive")
    tenant.user()
    tenant.api(API)
    tenant.grant(machine, API)
    tokens = sign_in(browser, tenant, client, scope=OFFLINE).tokens()
    own = tenant.token(machine, grant_type="client_credentials", audience=API).json()
    elsewhere = tenant.server.tenant()
    theirs = elsewhere.application()
    with tenant.server.stores_nothing():
        for token in (tokens["access_token"], tokens["refresh_token"], own["access_token"]):
            revoked(tenant, other, token)
            revoked(elsewhere, theirs, token)
        for token in ("unknown", "a.b.c", "é", tokens["id_token"], f"{'0' * 32}.1.{'0' * 64}"):
            revoked(tenant, client, token)
    assert tenant.userinfo(tokens["access_token"]).status_code == 200
    assert introspect(tenant, machine, own["access_token"])["active"]
    assert refresh(tenant, client, tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("hint", ["refresh_token", "access_token", "unknown"])
def test_the_hint_is_a_hint(tenant: Tenant, browser: Browser, hint: str) -> None:
    """RFC 7009 §2.1: "it MUST extend its search across all of its supported token types"."""
    client = tenant.application("spa")
    tenant.user()
    tokens = sign_in(browser, tenant, client, scope=OFFLINE).tokens()
    revoked(tenant, client, tokens["access_token"], token_type_hint=hint)
    revoked(tenant, client, tokens["refresh_token"], token_type_hint=hint)
    assert tenant.userinfo(tokens["access_token"]).status_code == 401
    refused(refresh(tenant, client, tokens["refresh_token"]), 400, "invalid_grant")


def test_requests(tenant: Tenant, browser: Browser) -> None:
    """RFC 7009 §2.1 and §2.2.1: authentication, the token, form or JSON."""
    client = tenant.application()
    tenant.user()
    tokens = sign_in(browser, tenant, client, scope=OFFLINE).tokens()
    token = tokens["refresh_token"]
    url, http = tenant.url("oauth/revoke"), tenant.server.client
    refused(http.post(url, data={"token": token}), 401, "invalid_client")
    wrong = Client(client.facts, "wrong")
    refused(revoke(tenant, wrong, token), 401, "invalid_client")
    refused(http.post(url, data=client.body), 400, "invalid_request")
    refused(revoke(tenant, client, ""), 400, "invalid_request")
    twice = {"token": [token, token], **client.body}
    refused(http.post(url, data=twice), 400, "invalid_request")
    assert http.get(url, params={"token": token}).status_code == 405
    refused(http.post(url, params={"token": token}, data=client.body), 400, "invalid_request")
    assert tenant.userinfo(tokens["access_token"]).status_code == 200
    answer = http.post(url, json=client.body | {"token": token})
    assert answer.status_code == 200
    refused(refresh(tenant, client, token), 400, "invalid_grant")


@pytest.mark.parametrize("deletes", [False, True])
def test_the_consent(tenant: Tenant, browser: Browser, deletes: bool) -> None:
    """RFC 7009 §2.1: "the authorization server … may revoke the … authorization grant as well"."""
    tenant.change(refresh_token_revocation_deletes_grant=deletes)
    client = tenant.application("spa", is_first_party=False)
    other = tenant.application("spa", is_first_party=False, name="Other")
    user = tenant.user()
    tenant.api(API, "read:a", allow_offline_access=True)
    kept = sign_in(browser, tenant, client, scope=f"{OFFLINE} read:a", audience=API).tokens()
    others = sign_in(browser, tenant, other, scope=OFFLINE).tokens()
    tokens = sign_in(browser, tenant, client, scope=OFFLINE).tokens()
    revoked(tenant, client, tokens["refresh_token"])
    gone = tenant.read(consents.find, user.id, client.id, API) is None
    assert gone is deletes
    assert (refresh(tenant, client, kept["refresh_token"]).status_code == 400) is deletes
    assert refresh(tenant, other, others["refresh_token"]).status_code == 200
    asked = request_for(client, scope=OFFLINE, prompt="none")
    answer = browser.get(tenant.url("authorize"), asked.parameters).answer
    assert answer.get("error") == ("consent_required" if deletes else None)


def test_cors(tenant: Tenant, browser: Browser) -> None:
    """Fetch §3.2: scripts of the application's origins may revoke, those of others may not see."""
    client = tenant.application("spa", web_origins=("https://spa.example.com",))
    for origin, allowed in (("https://spa.example.com", True), ("https://evil.example", False)):
        answer = tenant.server.client.post(
            tenant.url("oauth/revoke"),
            data=client.body | {"token": "x"},
            headers={"origin": origin},
        )
        seen = answer.headers.get("access-control-allow-origin")
        assert seen == (origin if allowed else None)


def test_a_machine_token_of_a_user_grant(tenant: Tenant) -> None:
    """RFC 9068 §2.2: the other dialect has no `gty`, and is known by its subject."""
    machine = tenant.application("non_interactive")
    tenant.api(API, token_dialect="rfc9068_profile")
    tenant.grant(machine, API, subject_type=SubjectType.CLIENT)
    token = tenant.token(machine, grant_type="client_credentials", audience=API).json()
    assert introspect(tenant, machine, token["access_token"])["active"]
    revoked(tenant, machine, token["access_token"])
    assert introspect(tenant, machine, token["access_token"]) == {"active": False}
