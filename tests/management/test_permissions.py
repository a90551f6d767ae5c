"""Who may read and change what: scopes, operators, users with permissions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from graphql import GraphQLNonNull

from tenantry.core.facts import SigningAlgorithm, TokenDialect
from tenantry.core.ids import GlobalId
from tenantry.management.permissions import RequiresScopes
from tenantry.management.schema import build_schema
from tenantry.services.management_access import load_tenant
from tenantry.services.signing_keys import key_ring
from tenantry.store import users
from tenantry.tokens import issue
from tenantry.tokens.access_token import AccessTokenContent
from tenantry.tokens.issue import FamilyOwner
from tests.support.management import Api, root_api, tenant_api, value_of
from tests.support.server import Server, Tenant

SCHEMA = build_schema()._schema
LIMITED = Callable[..., Api]


def root_fields() -> list[Any]:
    assert SCHEMA.query_type is not None
    assert SCHEMA.mutation_type is not None
    return [
        pytest.param(kind, name, field, id=f"{kind}.{name}")
        for kind, root in (("query", SCHEMA.query_type), ("mutation", SCHEMA.mutation_type))
        for name, field in root.fields.items()
        if name not in {"viewer", "node", "nodes"}
    ]


@pytest.mark.parametrize("kind, name, field", root_fields())
def test_without_its_scope_a_field_is_null_and_the_others_answer(
    server: Server, kind: str, name: str, field: Any
) -> None:
    if server not in SCOPELESS:
        SCOPELESS[server] = tenant_api(server.tenant(), "read:logs")
    api = SCOPELESS[server]
    if name in OF_THE_LOG:
        api = tenant_api(server.tenant(), "read:users")
    given = {
        argument: value_of(definition.type)
        for argument, definition in field.args.items()
        if isinstance(definition.type, GraphQLNonNull) or argument == "first"
    }
    declared = ", ".join(f"${n}: {field.args[n].type}" for n in given)
    passed = ", ".join(f"{n}: ${n}" for n in given)
    query = (
        f"{kind}{f'({declared})' if given else ''} "
        f"{{ {name}{f'({passed})' if given else ''} {{ __typename }} __typename }}"
    )
    answer = api.answer(query, **given)
    (error,) = answer["errors"]
    assert answer["data"] == {name: None, "__typename": kind.title()}
    assert error["path"] == [name]
    guard = next(
        extension
        for extension in field.extensions["strawberry-definition"].extensions
        if isinstance(extension, RequiresScopes)
    )
    assert error["extensions"] == {
        "code": "FORBIDDEN",
        "requiredScopes": list(guard.alternatives[0]),
    }


OF_THE_LOG = {"activity", "logEvent", "logEventTypes", "logEvents"}
SCOPELESS: dict[Server, Api] = {}


def test_a_field_that_crosses_nouns_needs_the_other_nouns_scope(
    tenant: Tenant, limited: LIMITED
) -> None:
    api = limited("read:applications")
    query = """{ applications(first: 10) { nodes { name clientGrants(first: 1) { nodes { id } }
      connections(first: 1) { nodes { id } } } } }"""
    answer = api.answer(query)
    nodes = answer["data"]["applications"]["nodes"]
    assert len(nodes) == 2
    assert all(node["clientGrants"] is None and node["connections"] is None for node in nodes)
    assert {error["extensions"]["requiredScopes"][0] for error in answer["errors"]} == {
        "read:client_grants",
        "read:connections",
    }


def test_node_needs_the_scope_of_the_type(api: Api, limited: LIMITED) -> None:
    application = api.application()
    query = "query($id: ID!) { node(id: $id) { id } }"
    assert limited("read:applications").data(query, id=application["id"])["node"]
    error = limited("read:users").error(query, id=application["id"])
    assert (error["code"], error["requiredScopes"]) == ("FORBIDDEN", ["read:applications"])


def test_either_scope_may_revoke_the_previous_key(tenant: Tenant, limited: LIMITED) -> None:
    for scope in ("update:signing_keys", "delete:signing_keys"):
        refusal = limited(scope).refused("signingKeyRevokePrevious", {})
        assert refusal["code"] == "NOT_FOUND"


def test_a_secret_of_ones_own_needs_a_scope_of_its_own(api: Api, limited: LIMITED) -> None:
    made = api.application()
    changes = {"id": made["id"], "clientSecret": "x" * 40}
    mutation = """mutation($input: ApplicationUpdateInput!) {
      applicationUpdate(input: $input) { errors { code } } }"""
    update = limited("update:applications")
    error = update.error(mutation, input=changes)
    assert (error["code"], error["requiredScopes"]) == ("FORBIDDEN", ["update:application_keys"])
    assert update.do("applicationUpdate", "__typename", {"id": made["id"], "name": "new"})
    both = limited("update:applications", "update:application_keys")
    assert both.do("applicationUpdate", "clientSecret", changes)["clientSecret"] is None


def test_a_grant_that_was_taken_back_ends_at_once(tenant: Tenant, api: Api) -> None:
    """The token's scopes are cut by today's grants."""
    own = tenant_api(tenant, "read:applications", "read:users")
    viewer = "{ viewer { kind clientId scopes isOperator } }"
    assert own.data(viewer)["viewer"]["scopes"] == ["read:applications", "read:users"]
    client_id = own.data(viewer)["viewer"]["clientId"]
    grants = api.data(
        "query($id: String!) { clientGrants(first: 1, filter: {clientId: $id}) { nodes { id } } }",
        id=client_id,
    )
    id_ = grants["clientGrants"]["nodes"][0]["id"]
    api.do("clientGrantUpdate", "__typename", {"id": id_, "scopes": ["read:users"]})
    assert own.data(viewer)["viewer"]["scopes"] == ["read:users"]
    assert own.data(viewer)["viewer"]["isOperator"] is False
    api.do("clientGrantDelete", "__typename", {"id": id_})
    assert own.data(viewer)["viewer"]["scopes"] == []
    application = api.data(
        "query($id: String!) { application(clientId: $id) { id } }", id=client_id
    )
    api.do("applicationDelete", "__typename", {"id": application["application"]["id"]})
    assert own.post(viewer).status_code == 401


def test_an_operator_acts_only_where_the_token_is_for(server: Server) -> None:
    first, second = server.tenant(), server.tenant()
    query = "{ tenant { name } viewer { isOperator } }"
    operator = root_api(first)
    data = operator.data(query)
    assert data == {"tenant": {"name": first.name}, "viewer": {"isOperator": True}}
    for elsewhere in (second, server.root):
        assert Api(elsewhere, operator.token).post(query).status_code == 401
    at_root = root_api(server.root)
    for tenant in (first, second):
        assert Api(tenant, at_root.token).post(query).status_code == 401
    own = tenant_api(first, "read:tenant_settings")
    for elsewhere in (second, server.root):
        assert Api(elsewhere, own.token).post(query).status_code == 401


def test_tenants_are_the_roots_alone(server: Server, root: Api, api: Api) -> None:
    names = {node["name"] for node in root.data("{ tenants(first: 100) { nodes { name } } }")
             ["tenants"]["nodes"]}  # fmt: skip
    assert {"root", api.tenant.name} <= names
    assert "read:tenants" not in api.data("{ viewer { scopes } }")["viewer"]["scopes"]
    for query in (
        "{ tenants(first: 1) { totalCount } }",
        'mutation { tenantCreate(input: {name: "never"}) { errors { code } } }',
        'mutation { tenantDelete(input: {id: "x"}) { errors { code } } }',
    ):
        assert api.error(query)["code"] == "FORBIDDEN"


def test_a_root_grant_of_one_tenant_gives_no_other(server: Server) -> None:
    first, second = server.tenant(), server.tenant()
    client = server.root.application("non_interactive")
    server.root.grant(client, first.url("graphql"), "read:users")
    asked = {"grant_type": "client_credentials"}
    token = server.root.token(client, **asked, audience=first.url("graphql"))
    assert Api(first, token.json()["access_token"]).data("{ viewer { scopes } }") == {
        "viewer": {"scopes": ["read:users"]}
    }
    for audience in (second.url("graphql"), server.root.url("graphql")):
        assert server.root.token(client, **asked, audience=audience).status_code >= 400


def test_a_user_of_the_tenant_has_the_permissions_that_were_given(server: Server) -> None:
    tenant = server.tenant()
    user = tenant.user("admin@example.com")
    audience = tenant.url("graphql")
    tenant.write(users.give_permissions, user.id, audience, ["read:users", "read:logs"])
    token = user_token(tenant, user.id, "read:users read:applications")
    tenant.write(
        issue.start_family, "family", FamilyOwner("tenantry-explorer", user.id, None), token, 600
    )
    api = Api(tenant, token)
    viewer = api.data("{ viewer { kind id userId clientId name scopes } }")["viewer"]
    assert viewer == {
        "kind": "USER",
        "id": GlobalId("User", tenant.id, user.id).encode(),
        "userId": user.id,
        "clientId": "tenantry-explorer",
        "name": "admin@example.com",
        "scopes": ["read:users"],
    }
    tenant.block(user)
    assert api.post("{ viewer { id } }").status_code == 401


def user_token(tenant: Tenant, user_id: str, scope: str) -> str:
    runtime = tenant.server.runtime

    async def ring() -> Any:
        return await key_ring(runtime, await load_tenant(runtime, tenant.id))

    content = AccessTokenContent(
        issuer=tenant.issuer,
        subject=user_id,
        audience=[tenant.url("graphql")],
        scopes=scope.split(),
        client_id="tenantry-explorer",
        issued_at=int(runtime.clock.now().timestamp()),
        lifetime=600,
        dialect=TokenDialect.ACCESS_TOKEN,
        is_machine=False,
    )
    return issue.access_token(content, tenant.server.portal.call(ring), SigningAlgorithm.RS256)
