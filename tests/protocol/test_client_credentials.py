"""RFC 6749 §4.4: tokens that an application gets for itself."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.core.facts import Scope, SubjectType
from tenantry.services import applications, client_grants, resource_servers
from tenantry.services.commands import Patch
from tenantry.store import client_grants as grant_rows
from tenantry.store import resource_servers as api_rows
from tests.support import jwt
from tests.support.flow import refused
from tests.support.server import Client, Server, Tenant, both_databases

API = "https://api.example.com"
GRANT = "client_credentials"


@pytest.fixture
def machine(tenant: Tenant) -> Client:
    return tenant.application("non_interactive")


@both_databases
@pytest.mark.parametrize("way", ["basic", "post", "json"])
def test_the_exact_token_of_the_default_dialect(
    server: Server, tenant: Tenant, machine: Client, way: str
) -> None:
    """RFC 6749 §4.4.2 and §5.1, RFC 7519 §4.1."""
    tenant.api(API, "read", "write", "delete", token_lifetime=600)
    tenant.grant(machine, API, "read", "write")
    fields = {"grant_type": GRANT, "audience": API}
    before = server.clock.now().timestamp()
    url = tenant.url("oauth/token")
    if way == "basic":
        response = tenant.token(machine, machine.basic, **fields)
    elif way == "post":
        response = server.client.post(url, data=fields | machine.body)
    else:
        response = server.client.post(url, json=fields | machine.body)
    assert response.status_code == 200
    answer = response.json()
    token = answer.pop("access_token")
    assert answer == {"token_type": "Bearer", "expires_in": 600, "scope": "read write"}
    header, claims = jwt.verify(token, tenant.jwks())
    assert header == {"alg": "RS256", "typ": "JWT", "kid": header["kid"]}
    issued_at = claims.pop("iat")
    assert int(before) <= issued_at <= server.clock.now().timestamp()
    assert claims == {
        "iss": tenant.issuer,
        "sub": f"{machine.id}@clients",
        "aud": API,
        "exp": issued_at + 600,
        "scope": "read write",
        "azp": machine.id,
        "gty": "client-credentials",
    }


def test_the_exact_token_of_rfc_9068(tenant: Tenant, machine: Client) -> None:
    """RFC 9068 §2.1 and §2.2; §2.2 has `sub` name the application itself."""
    tenant.api(API, "read", token_dialect="rfc9068_profile")
    tenant.grant(machine, API, "read")
    tokens = [
        tenant.token(machine, grant_type=GRANT, audience=API).json()["access_token"]
        for _ in range(2)
    ]
    header, claims = jwt.verify(tokens[0], tenant.jwks())
    assert header == {"alg": "RS256", "typ": "at+jwt", "kid": header["kid"]}
    issued_at, jti = claims.pop("iat"), claims.pop("jti")
    assert jti
    assert jti != jwt.claims_of(tokens[1])["jti"]
    assert claims == {
        "iss": tenant.issuer,
        "sub": f"{machine.id}@clients",
        "aud": API,
        "exp": issued_at + 86_400,
        "scope": "read",
        "client_id": machine.id,
    }


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
def test_other_algorithms(tenant: Tenant, machine: Client, alg: str) -> None:
    """RFC 7518 §3.4, §3.5 and RFC 8037 §3.1: once the tenant switched them on."""
    tenant.change(signing_algorithms=("RS256", alg))
    tenant.api(API, "read", signing_alg=alg)
    tenant.grant(machine, API, "read")
    token = tenant.token(machine, grant_type=GRANT, audience=API).json()["access_token"]
    header, _ = jwt.verify(token, tenant.jwks())
    assert header["alg"] == alg


CASES: dict[str, tuple[dict[str, str], int, str, str]] = {
    "unknown audience": (
        {"audience": "https://nowhere.example.com"},
        400,
        "invalid_target",
        "audience",
    ),
    "unknown resource": (
        {"resource": "https://nowhere.example.com"},
        400,
        "invalid_target",
        "audience",
    ),
    "no audience": ({}, 400, "invalid_request", "audience"),
    "no grant": ({"audience": f"{API}/ungranted"}, 403, "access_denied", "client grant"),
    "API denies all": ({"audience": f"{API}/closed"}, 403, "access_denied", "API"),
    "scope not granted": ({"audience": API, "scope": "write"}, 400, "invalid_scope", "write"),
    "one scope not granted": (
        {"audience": API, "scope": "read write"},
        400,
        "invalid_scope",
        "write",
    ),
    "scope unknown": ({"audience": API, "scope": "nothing"}, 400, "invalid_scope", "nothing"),
    "openid": ({"audience": API, "scope": "openid"}, 400, "invalid_scope", "openid"),
    "scope malformed": ({"audience": API, "scope": 'a"b'}, 400, "invalid_scope", "scope"),
    "management": ({"audience": "MANAGEMENT"}, 403, "access_denied", "client grant"),
    "userinfo": ({"audience": "USERINFO"}, 400, "invalid_target", "audience"),
}


@both_databases
@pytest.mark.parametrize("name", CASES)
def test_refused(server: Server, tenant: Tenant, machine: Client, name: str) -> None:
    """RFC 6749 §5.2, RFC 8707 §2 and the policies of the API."""
    fields, status, error, word = CASES[name]
    tenant.api(API, "read", "write")
    tenant.api(f"{API}/ungranted", "read")
    tenant.api(f"{API}/closed", "read", client_access_policy="deny_all")
    tenant.grant(machine, API, "read")
    tenant.grant(machine, f"{API}/closed", "read")
    addresses = {"MANAGEMENT": tenant.url("graphql"), "USERINFO": tenant.url("userinfo")}
    given = {name: addresses.get(value, value) for name, value in fields.items()}
    with server.stores_nothing():
        response = tenant.token(machine, grant_type=GRANT, **given)
        assert word in refused(response, status, error)


def test_scopes(tenant: Tenant, machine: Client) -> None:
    """RFC 6749 §3.3: what is asked, or all that is granted; in the order of the request."""
    tenant.api(API, "a", "b", "c")
    tenant.grant(machine, API, "a", "b")
    ask = {"grant_type": GRANT, "audience": API}
    assert tenant.token(machine, **ask).json()["scope"] == "a b"
    assert tenant.token(machine, **ask, scope="b").json()["scope"] == "b"
    assert tenant.token(machine, **ask, scope="b  a b").json()["scope"] == "b a"


def test_a_grant_of_all_scopes_includes_later_ones(tenant: Tenant, machine: Client) -> None:
    """RFC 6749 §3.3, with a client grant that names no scope."""
    api = tenant.api(API, "a")
    tenant.grant(machine, API, allow_all_scopes=True)
    ask = {"grant_type": GRANT, "audience": API}
    assert tenant.token(machine, **ask).json()["scope"] == "a"
    scopes = (Scope("a"), Scope("b"))
    tenant.write(resource_servers.update, Patch(api.id, {"scopes": scopes}))
    assert tenant.token(machine, **ask, scope="b").json()["scope"] == "b"


def test_a_scope_that_the_api_lost(server: Server, tenant: Tenant, machine: Client) -> None:
    """RFC 6749 §3.3: a grant gives nothing that the API does not define any more."""

    api = tenant.api(API, "a", "b")
    tenant.grant(machine, API, "a", "b")
    tenant.write(resource_servers.update, Patch(api.id, {"scopes": (Scope("a"),)}))
    ask = {"grant_type": GRANT, "audience": API}
    assert tenant.token(machine, **ask).json()["scope"] == "a"
    with server.stores_nothing():
        refused(tenant.token(machine, **ask, scope="b"), 400, "invalid_scope")


def test_default_audience(tenant: Tenant, machine: Client) -> None:
    """RFC 8707 §2: without audience or resource the tenant's default decides; it can be named."""
    other = tenant.api(f"{API}/other", "x")
    tenant.api(API, "read")
    tenant.change(default_audience=API)
    tenant.grant(machine, API, "read")
    tenant.grant(machine, other.identifier, "x")
    audience = [
        jwt.claims_of(tenant.token(machine, grant_type=GRANT, **fields).json()["access_token"])[
            "aud"
        ]
        for fields in ({}, {"audience": other.identifier}, {"resource": other.identifier})
    ]
    assert audience == [API, other.identifier, other.identifier]


def test_a_grant_for_users_is_none_for_the_application(
    server: Server, tenant: Tenant, machine: Client
) -> None:
    """RFC 6749 §4.4: the subject type of the grant decides."""

    tenant.api(API, "read")
    tenant.grant(machine, API, "read", subject_type=SubjectType.USER)
    with server.stores_nothing():
        refused(tenant.token(machine, grant_type=GRANT, audience=API), 403, "access_denied")


def test_the_audit_row_names_the_public_client_id(tenant: Tenant, machine: Client) -> None:
    """RFC 9700 practice: who got a token for what is in the log, durable before the answer."""
    tenant.api(API, "read")
    tenant.grant(machine, API, "read")
    response = tenant.token(machine, grant_type=GRANT, audience=API)
    token = response.json()["access_token"]
    (event,) = tenant.events("token.issued")
    assert event.client_id == event.actor_id == machine.id
    assert (event.actor_kind, event.actor_tenant_id) == ("application", tenant.id)
    assert event.details == {"grant_type": GRANT, "audience": API, "scope": "read"}
    assert event.request_id == response.headers["x-request-id"]
    assert token not in str(event)
    assert machine.secret not in str(event)


def test_the_token_is_not_for_userinfo(tenant: Tenant, machine: Client) -> None:
    """OpenID Connect Core §5.3: userinfo is about people."""
    tenant.api(API, "read")
    tenant.grant(machine, API, "read")
    token = tenant.token(machine, grant_type=GRANT, audience=API).json()["access_token"]
    assert tenant.userinfo(token).status_code == 401


def changed_away(tenant: Tenant, machine: Client, how: str) -> None:

    if how == "application":
        tenant.write(applications.delete, Patch(machine.facts.id))
    elif how == "grant":
        found: Any = tenant.read(grant_rows.find_for, (machine.id, API, SubjectType.CLIENT))
        tenant.write(client_grants.delete, Patch(found.id))
    else:
        api: Any = tenant.read(api_rows.find_by_identifier, API)
        tenant.write(resource_servers.delete, Patch(api.id))


@both_databases
@pytest.mark.parametrize(
    "how, status, error",
    [
        ("application", 401, "invalid_client"),
        ("grant", 403, "access_denied"),
        ("api", 400, "invalid_target"),
    ],
)
def test_what_is_deleted_ends_at_once(
    server: Server, tenant: Tenant, machine: Client, how: str, status: int, error: str
) -> None:
    """RFC 6749 §5.2: the next request sees it."""
    tenant.api(API, "read")
    tenant.grant(machine, API, "read")
    assert tenant.token(machine, grant_type=GRANT, audience=API).status_code == 200
    changed_away(tenant, machine, how)
    with server.stores_nothing():
        refused(tenant.token(machine, grant_type=GRANT, audience=API), status, error)
