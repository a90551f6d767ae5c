"""Role-based access control, and what policies and client grants leave of a request."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.core.errors import DomainError
from tenantry.core.facts import AccessPolicy, Scope, SubjectType
from tenantry.services import resource_servers
from tenantry.services import roles as role_services
from tenantry.services.commands import Patch, Permissions
from tests.support.browser import Browser
from tests.support.flow import authorize, request_for, sign_in
from tests.support.management import Api
from tests.support.server import PASSWORD, Client, Server, Tenant, both_databases

API = "https://api.example.com"


def scope_of(browser: Browser, tenant: Tenant, client: Client, scope: str) -> str:
    given: str = sign_in(browser, tenant, client, audience=API, scope=scope).tokens()["scope"]
    return given


# --- roles ---------------------------------------------------------------------------------


@both_databases
def test_scopes_are_what_was_asked_for_and_is_assigned(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """RFC 6749 §3.3: narrowed to permissions, those of roles and those without, and told."""
    made = tenant.api(API, "read:x", "write:x", "delete:x", enforce_policies=True)
    client, user = tenant.application(), tenant.user()
    every = "openid read:x write:x delete:x"
    assert scope_of(browser, tenant, client, every) == "openid"
    tenant.permit(user, API, "delete:x")
    reader, writer = (tenant.role(f"{verb}r", API, f"{verb}:x") for verb in ("read", "write"))
    tenant.give_role(user, reader)
    tenant.give_role(user, writer)
    assert scope_of(browser, tenant, client, every) == every
    assert scope_of(browser, tenant, client, "openid write:x") == "openid write:x"
    tenant.take_role(user, reader)
    assert scope_of(browser, tenant, client, every) == "openid write:x delete:x"
    tenant.write(role_services.delete, Patch(writer.id))
    assert scope_of(browser, tenant, client, every) == "openid delete:x"
    tenant.write(resource_servers.update, Patch(made.id, {"enforce_policies": False}))
    assert scope_of(browser, tenant, client, every) == every


def test_a_role_of_another_tenant_gives_nothing(server: Server, tenant: Tenant) -> None:
    """The role of a neighbour is as unknown as one that never was."""
    other = server.tenant()
    role = other.role("reader", other.url("graphql"), "read:users")
    with pytest.raises(DomainError, match="no such role"):
        tenant.give_role(tenant.user(), role)


def explorer(browser: Browser, tenant: Tenant, scope: str) -> Api:
    """The tenant's management API, as a user who signed in through the explorer."""
    client = tenant.application("spa", grant_types=("authorization_code",))
    granted = sign_in(browser, tenant, client, audience=tenant.url("graphql"), scope=scope)
    return Api(tenant, granted.tokens()["access_token"])


@both_databases
def test_a_user_of_the_tenant_administers_by_a_role(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """Scopes are the token's cut by today's roles: taking the role ends them at once."""
    user = tenant.user()
    role = tenant.role("auditor", tenant.url("graphql"), "read:users", "read:roles")
    tenant.give_role(user, role)
    api = explorer(browser, tenant, "openid read:users read:roles update:users")
    scopes = "{ viewer { scopes userId isOperator } }"
    viewer = api.data(scopes)["viewer"]
    assert viewer == {
        "scopes": ["read:roles", "read:users"],
        "userId": user.id,
        "isOperator": False,
    }
    assert api.data("{ users(first: 1) { nodes { userId } } }")
    tenant.write(
        role_services.remove_permissions,
        Patch(role.id),
        Permissions(tenant.url("graphql"), ("read:users",)),
    )
    assert api.data(scopes)["viewer"]["scopes"] == ["read:roles"]
    assert api.error("{ users(first: 1) { nodes { userId } } }")["code"] == "FORBIDDEN"
    tenant.take_role(user, role)
    assert api.data(scopes)["viewer"]["scopes"] == []
    tenant.give_role(user, role)
    assert api.data(scopes)["viewer"]["scopes"] == ["read:roles"]


def test_an_operator_by_a_role_at_the_root(server: Server, browser: Browser) -> None:
    """At the root a role may be for every tenant's management API."""
    root, other = server.root, server.tenant()
    user = root.user("operator@example.com")
    root.give_role(user, root.role("operator", "*", "read:tenants", "read:users"))
    client = root.application("spa", grant_types=("authorization_code",))
    asked = request_for(client, audience=other.url("graphql"), scope="openid read:users")
    page = authorize(browser, root, asked.parameters)
    page = browser.submit(page, "login-form", username="operator@example.com", password=PASSWORD)
    if page.title == "Allow access":
        page = browser.submit(page, "consent-form", press="consent-allow")
    answer = root.token(
        client,
        grant_type="authorization_code",
        code=page.answer["code"],
        redirect_uri=client.redirect_uri,
        code_verifier=asked.verifier,
    )
    viewer = Api(other, answer.json()["access_token"]).data("{ viewer { scopes isOperator } }")
    assert viewer["viewer"] == {"scopes": ["read:users"], "isOperator": True}


# --- policies and client grants ------------------------------------------------------------


def outcome(browser: Browser, tenant: Tenant, client: Client, scope: str) -> str:
    """The scope that was given, or the error."""
    granted = sign_in(browser, tenant, client, audience=API, scope=scope)
    error: str | None = granted.answer.get("error")
    return error or granted.tokens()["scope"]


def machine_outcome(tenant: Tenant, client: Client, **fields: str) -> str:
    answer = tenant.token(client, grant_type="client_credentials", audience=API, **fields).json()
    found: str = answer.get("error") or answer.get("scope", "")
    return found


@pytest.mark.parametrize(
    "policy, granted, expected",
    [
        (AccessPolicy.ALLOW_ALL, None, "openid read:x write:x"),
        (AccessPolicy.ALLOW_ALL, ("read:x",), "openid read:x write:x"),
        (AccessPolicy.REQUIRE_CLIENT_GRANT, None, "access_denied"),
        (AccessPolicy.REQUIRE_CLIENT_GRANT, ("read:x",), "openid read:x"),
        (AccessPolicy.REQUIRE_CLIENT_GRANT, "all", "openid read:x write:x"),
        (AccessPolicy.DENY_ALL, "all", "access_denied"),
    ],
)
def test_policies_for_users(
    tenant: Tenant, browser: Browser, policy: AccessPolicy, granted: Any, expected: str
) -> None:
    """RFC 6749 §3.3 and §4.1.2.1: which applications may act for users at an API."""
    made = tenant.api(API, "read:x", "write:x", user_access_policy=policy)
    client, _ = tenant.application(), tenant.user()
    # A grant for the application itself is none for its users.
    tenant.grant(client, API, "write:x")
    if granted is not None:
        every = granted == "all"
        scopes = () if every else granted
        tenant.grant(client, API, *scopes, subject_type=SubjectType.USER, allow_all_scopes=every)
    assert outcome(browser, tenant, client, "openid read:x write:x") == expected
    if expected == "openid read:x write:x" and granted == "all":
        more = (*made.scopes, Scope("later:x"))
        tenant.write(resource_servers.update, Patch(made.id, {"scopes": more}))
        assert outcome(browser, tenant, client, "openid later:x") == "openid later:x"


def test_user_flows_under_a_client_grant_name_their_scopes(
    tenant: Tenant, browser: Browser
) -> None:
    """RFC 6749 §3.3: what a user flow does not name it does not get, whatever is granted."""
    policy = AccessPolicy.REQUIRE_CLIENT_GRANT
    tenant.api(API, "read:x", "write:x", user_access_policy=policy)
    client, _ = tenant.application(), tenant.user()
    tenant.grant(client, API, subject_type=SubjectType.USER, allow_all_scopes=True)
    assert outcome(browser, tenant, client, "openid") == "openid"


@pytest.mark.parametrize(
    "policy, granted, expected",
    [
        (AccessPolicy.REQUIRE_CLIENT_GRANT, None, "access_denied"),
        (AccessPolicy.REQUIRE_CLIENT_GRANT, ("read:x",), "read:x"),
        (AccessPolicy.REQUIRE_CLIENT_GRANT, "all", "read:x write:x"),
        (AccessPolicy.DENY_ALL, "all", "access_denied"),
    ],
)
def test_policies_for_applications(
    tenant: Tenant, policy: AccessPolicy, granted: Any, expected: str
) -> None:
    """RFC 6749 §4.4: which applications may speak for themselves, and what they get unnamed."""
    made = tenant.api(API, "read:x", "write:x", client_access_policy=policy)
    client = tenant.application("non_interactive")
    # A grant for users is none for the application itself.
    tenant.grant(client, API, "read:x", subject_type=SubjectType.USER)
    if granted is not None:
        every = granted == "all"
        scopes = () if every else granted
        tenant.grant(client, API, *scopes, allow_all_scopes=every)
    assert machine_outcome(tenant, client) == expected
    if expected == "read:x":
        assert machine_outcome(tenant, client, scope="write:x") == "invalid_scope"
    if expected == "read:x write:x":
        more = (*made.scopes, Scope("later:x"))
        tenant.write(resource_servers.update, Patch(made.id, {"scopes": more}))
        assert machine_outcome(tenant, client) == "read:x write:x later:x"
