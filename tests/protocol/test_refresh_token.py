"""RFC 6749 §6, RFC 9700 §4.14.2, OpenID Connect Core §11 and §12: refresh tokens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tenantry.core.facts import SubjectType
from tenantry.services import applications, resource_servers, users
from tenantry.services.commands import Patch
from tenantry.store import resource_servers as store
from tests.support import jwt
from tests.support.browser import Browser
from tests.support.flow import refused, sign_in
from tests.support.server import Client, Server, Tenant, both_databases

API = "https://api.example.com"
OFFLINE = "openid profile offline_access"


def begin(
    browser: Browser, tenant: Tenant, client: Client, **changes: str | None
) -> dict[str, Any]:
    """Signs in with offline access, and redeems the code."""
    return sign_in(browser, tenant, client, **{"scope": OFFLINE} | changes).tokens()


def refresh(tenant: Tenant, client: Client, token: str, **fields: str) -> Any:
    return tenant.token(client, grant_type="refresh_token", refresh_token=token, **fields)


def refreshed(tenant: Tenant, client: Client, token: str, **fields: str) -> dict[str, Any]:
    response = refresh(tenant, client, token, **fields)
    assert response.status_code == 200, response.text
    tokens: dict[str, Any] = response.json()
    return tokens


@both_databases
def test_a_refresh(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §12.1 and §12.2: new tokens for the same person and sign-in."""
    client = tenant.application("spa")
    user = tenant.user()
    first = begin(browser, tenant, client)
    assert first["scope"].split() == OFFLINE.split()
    tenant.server.clock.advance(60)
    second = refreshed(tenant, client, first["refresh_token"])
    assert set(second) == set(first)
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert second["scope"] == first["scope"]
    assert tenant.userinfo(second["access_token"]).json()["sub"] == user.id
    assert tenant.userinfo(first["access_token"]).status_code == 200
    old, new = (jwt.claims_of(tokens["id_token"]) for tokens in (first, second))
    same = ("iss", "sub", "aud", "auth_time", "sid")
    assert {name: old[name] for name in same} == {name: new[name] for name in same}
    assert new["iat"] >= old["iat"] + 60
    assert "nonce" not in new


def test_refreshing_goes_on(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §6: each refresh leads to another."""
    client = tenant.application()
    tenant.user()
    token = begin(browser, tenant, client)["refresh_token"]
    seen = {token}
    for _ in range(5):
        tenant.server.clock.advance(3600)
        token = refreshed(tenant, client, token)["refresh_token"]
        seen.add(token)
    assert len(seen) == 6


@both_databases
def test_a_hundred_refreshes_at_once(server: Server, tenant: Tenant, browser: Browser) -> None:
    """RFC 9700 §4.14.2: one successor for all, and nobody is signed out."""
    client = tenant.application("spa")
    tenant.user()
    token = begin(browser, tenant, client)["refresh_token"]
    url = server.runtime.store.database.url.render_as_string(hide_password=False)
    second = Server(url, server.portal, clock=server.clock)  # Another process.
    clients = [(server, second)[number % 2].new_client() for number in range(20)]
    fields = client.body | {"grant_type": "refresh_token", "refresh_token": token}

    def ask(number: int) -> Any:
        return clients[number % 20].post(tenant.url("oauth/token"), data=fields)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(ask, range(100)))
    assert {answer.status_code for answer in answers} == {200}
    (successor,) = {answer.json()["refresh_token"] for answer in answers}
    access = {answer.json()["access_token"] for answer in answers}
    assert len(access) == 100
    assert all(tenant.userinfo(token).status_code == 200 for token in list(access)[:5])
    assert refreshed(tenant, client, successor)
    assert not tenant.events("token_family.ended")
    second.close()


@both_databases
def test_a_replay_after_the_overlap(tenant: Tenant, browser: Browser) -> None:
    """RFC 9700 §4.14.2: a replaced token that comes back ends its family, and only it."""
    client = tenant.application("spa")
    tenant.user()
    other = begin(browser, tenant, client)
    first = begin(browser, tenant, client)
    second = refreshed(tenant, client, first["refresh_token"])
    tenant.server.clock.advance(9)
    again = refreshed(tenant, client, first["refresh_token"])
    assert again["refresh_token"] == second["refresh_token"]
    tenant.server.clock.advance(2)
    refused(refresh(tenant, client, first["refresh_token"]), 400, "invalid_grant")
    refused(refresh(tenant, client, second["refresh_token"]), 400, "invalid_grant")
    for tokens in (first, second, again):
        assert tenant.userinfo(tokens["access_token"]).status_code == 401
    assert tenant.userinfo(other["access_token"]).status_code == 200
    assert refreshed(tenant, client, other["refresh_token"])
    (event,) = tenant.events("token_family.ended")
    assert event.details["reason"] == "refresh token replayed"


def test_an_older_generation(tenant: Tenant, browser: Browser) -> None:
    """RFC 9700 §4.14.2: the overlap is for the immediate predecessor alone."""
    client = tenant.application("spa")
    tenant.user()
    first = begin(browser, tenant, client)["refresh_token"]
    second = refreshed(tenant, client, first)["refresh_token"]
    third = refreshed(tenant, client, second)["refresh_token"]
    refused(refresh(tenant, client, first), 400, "invalid_grant")
    refused(refresh(tenant, client, third), 400, "invalid_grant")


@pytest.mark.parametrize("overlap, after, good", [(0, 0, False), (60, 59, True)])
def test_the_overlap_is_a_setting(
    tenant: Tenant, browser: Browser, overlap: int, after: int, good: bool
) -> None:
    """RFC 9700 §4.14.2: how long a predecessor answers is the application's choice."""
    client = tenant.application("spa", refresh_token_overlap=overlap)
    tenant.user()
    first = begin(browser, tenant, client)["refresh_token"]
    refreshed(tenant, client, first)
    tenant.server.clock.advance(after)
    assert (refresh(tenant, client, first).status_code == 200) is good


def test_without_rotation(tenant: Tenant, browser: Browser) -> None:
    """RFC 9700 §2.2.2: a confidential application may keep one token."""
    client = tenant.application(refresh_token_rotation=False)
    tenant.user()
    token = begin(browser, tenant, client)["refresh_token"]
    for _ in range(3):
        tenant.server.clock.advance(100)
        assert refreshed(tenant, client, token)["refresh_token"] == token


@both_databases
def test_the_lifetimes(tenant: Tenant, browser: Browser) -> None:
    """RFC 9700 §4.14.2: refresh tokens end after inactivity, and at the latest after a while."""
    client = tenant.application("spa", refresh_token_lifetime=1000, refresh_token_idle_lifetime=400)
    tenant.user()
    idle = begin(browser, tenant, client)["refresh_token"]
    used = begin(browser, tenant, client)["refresh_token"]
    for _ in range(3):
        tenant.server.clock.advance(300)
        used = refreshed(tenant, client, used)["refresh_token"]
    refused(refresh(tenant, client, idle), 400, "invalid_grant")
    tenant.server.clock.advance(101)
    refused(refresh(tenant, client, used), 400, "invalid_grant")


def test_narrower_scopes(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §6: an answer may be narrower; the next refresh has the original scopes again."""
    client = tenant.application("spa")
    tenant.user()
    tenant.api(API, "read:a", "write:a", allow_offline_access=True)
    first = begin(browser, tenant, client, audience=API, scope=f"{OFFLINE} read:a write:a")
    narrow = refreshed(tenant, client, first["refresh_token"], scope="read:a", audience=API)
    assert narrow["scope"] == "read:a"
    assert "id_token" not in narrow
    assert jwt.claims_of(narrow["access_token"])["scope"] == "read:a"
    assert jwt.claims_of(narrow["access_token"])["aud"] == API
    whole = refreshed(tenant, client, narrow["refresh_token"], resource=API)
    assert whole["scope"] == first["scope"]


@pytest.mark.parametrize(
    "fields, error",
    [
        ({"scope": "openid email"}, "invalid_scope"),
        ({"scope": "read:a"}, "invalid_scope"),
        ({"scope": '"'}, "invalid_scope"),
        ({"audience": "https://other.example.com"}, "invalid_target"),
        ({"resource": API}, "invalid_target"),
    ],
)
def test_wider_requests(
    tenant: Tenant, browser: Browser, fields: dict[str, str], error: str
) -> None:
    """RFC 6749 §6 and RFC 8707 §2: nothing that was not granted; the refusal consumes nothing."""
    client = tenant.application("spa")
    tenant.user()
    tenant.api(API, "read:a", allow_offline_access=True)
    token = begin(browser, tenant, client)["refresh_token"]
    refused(refresh(tenant, client, token, **fields), 400, error)
    tenant.server.clock.advance(60)
    assert refreshed(tenant, client, token)


def test_what_is_not_a_refresh_token(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §10.4 and RFC 9700 §4.14.2: another application's, another tenant's, altered."""
    client = tenant.application("spa")
    other = tenant.application("spa", name="Other")
    tenant.user()
    tokens = begin(browser, tenant, client)
    token = tokens["refresh_token"]
    elsewhere = tenant.server.tenant()
    theirs = elsewhere.application("spa")
    family, generation, digest = token.split(".")
    wrong = [
        f"{family}.{int(generation) + 1}.{digest}",
        f"{family}.{generation}.{digest[:-1]}{'0' if digest[-1] != '0' else '1'}",
        f"{family}.0{generation}.{digest}",
        f"{family}.{generation}.{digest.upper()}",
        f"{token} ",
        "x",
        tokens["access_token"],
        "é",
    ]
    for presented in wrong:
        refused(refresh(tenant, client, presented), 400, "invalid_grant")
    refused(refresh(tenant, other, token), 400, "invalid_grant")
    refused(refresh(elsewhere, theirs, token), 400, "invalid_grant")
    refused(refresh(tenant, client, ""), 400, "invalid_request")
    refused(tenant.userinfo(token), 401, "invalid_token")
    tenant.server.clock.advance(60)
    assert refreshed(tenant, client, token)


def test_authentication(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §6: a confidential application must authenticate."""
    client = tenant.application()
    tenant.user()
    token = begin(browser, tenant, client)["refresh_token"]
    refused(refresh(tenant, Client(client.facts, "wrong"), token), 401, "invalid_client")
    changed = tenant.change_application(client, grant_types=("authorization_code",))
    refused(refresh(tenant, changed, token), 400, "unauthorized_client")


ENDS: dict[str, Any] = {
    "a new password": lambda tenant, client, user, api: tenant.set_password(user, "x" * 12),
    "a block": lambda tenant, client, user, api: tenant.block(user),
    "a deleted user": lambda tenant, client, user, api: tenant.write(users.delete, Patch(user.id)),
    "an API without offline access": lambda tenant, client, user, api: tenant.write(
        resource_servers.update, Patch(api.id, {"allow_offline_access": False})
    ),
    "an API that is gone": lambda tenant, client, user, api: tenant.write(
        resource_servers.delete, Patch(api.id)
    ),
    "an API that wants a grant": lambda tenant, client, user, api: tenant.write(
        resource_servers.update, Patch(api.id, {"user_access_policy": "require_client_grant"})
    ),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_what_ends_refreshing(tenant: Tenant, browser: Browser, end: Any) -> None:
    """RFC 9700 §4.14.2: what the person or the owner took back is not had by refreshing."""
    client = tenant.application("spa")
    user = tenant.user()
    api = tenant.api(API, "read:a", allow_offline_access=True)
    token = begin(browser, tenant, client, audience=API)["refresh_token"]
    end(tenant, client, user, api)
    refused(refresh(tenant, client, token), 400, "invalid_grant")


def test_a_deleted_application(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §6: there is nobody left to authenticate."""
    client = tenant.application("spa")
    tenant.user()
    token = begin(browser, tenant, client)["refresh_token"]
    tenant.write(applications.delete, Patch(client.facts.id))
    refused(refresh(tenant, client, token), 401, "invalid_client")


def test_what_was_narrowed_since(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §6: the scopes are those that are still granted."""
    client = tenant.application("spa")
    tenant.user()
    tenant.api(API, "a", "b", allow_offline_access=True, user_access_policy="require_client_grant")
    tenant.grant(client, API, "a", "b", subject_type=SubjectType.USER)
    first = begin(browser, tenant, client, audience=API, scope="offline_access a b")
    assert first["scope"] == "offline_access a b"
    api = tenant.read(store.find_by_identifier, API)
    tenant.write(resource_servers.update, Patch(api.id, {"scopes": api.scopes[:1]}))
    assert refreshed(tenant, client, first["refresh_token"])["scope"] == "offline_access a"
