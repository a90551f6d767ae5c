"""Global ids: one that is foreign, unknown or malformed names nothing, and nobody can tell why."""

from __future__ import annotations

from datetime import timedelta

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_named_type

from tenantry.core.backchannel import (
    BackchannelRequestFacts,
    BackchannelRequestState,
    NotificationChannel,
)
from tenantry.core.ids import GlobalId, new_id
from tenantry.management.nodes import NODE_TYPES
from tenantry.management.schema import build_schema
from tenantry.services import sessions
from tenantry.store import backchannel_requests, consents
from tests.support.client_keys import ec_key, public_jwk
from tests.support.management import Api, Json, root_api, value_of
from tests.support.server import Server

SCHEMA = build_schema()._schema
NOUNS = (
    "Application",
    "BackchannelRequest",
    "ResourceServer",
    "ClientGrant",
    "Connection",
    "Credential",
    "CustomDomain",
    "Grant",
    "Job",
    "LogStream",
    "LogStreamFailure",
    "Organization",
    "OrganizationInvitation",
    "Role",
    "Session",
    "User",
    "Tenant",
    "TrustedDocument",
    "TrustedIssuer",
)
UNKNOWN = "01m7y000000000000000000000"


def everything(api: Api) -> dict[str, str]:
    """The id of one object of each type."""
    audience = "https://api.example.com"
    client_id = api.application()["clientId"]
    data = api.data(
        """mutation($client: String!, $audience: String!, $jwk: JSON!) {
          resourceServerCreate(input: {name: "API", identifier: $audience}) {
            resourceServer { id } }
          clientGrantCreate(input: {clientId: $client, audience: $audience}) {
            clientGrant { id application { id } } }
          connectionCreate(input: {name: "users"}) { connection { id } }
          userCreate(input: {connection: "users", username: "ann"}) { user { id } }
          roleCreate(input: {name: "editor"}) { role { id } }
          trustedIssuerCreate(input: {issuer: "https://idp", jwksUri: "https://idp.example/k"}) {
            trustedIssuer { id } }
          customDomainCreate(input: {domain: "login.example.com", type: MANAGED_CERTS}) {
            customDomain { id } }
          credentialCreate(input: {clientId: $client, name: "key", jwk: $jwk}) {
            credential { id } }
          trustedDocumentCreate(input: {document: "{ __typename }"}) { trustedDocument { id } }
        }""",
        client=client_id,
        audience=audience,
        jwk=public_jwk(ec_key()),
    )
    read = api.data("{ logEvents(first: 1) { nodes { id } } signingKeys { id } tenant { id } }")
    grant = data["clientGrantCreate"]["clientGrant"]
    tenant = api.tenant
    user = tenant.user()
    session, _ = tenant.write(sessions.begin, user, tenant.issuer, None)
    tenant.write(consents.add_scopes, user.id, client_id, audience, ["openid"])
    allowed = api.data("{ grants(first: 1) { nodes { id } } }")["grants"]["nodes"][0]
    stream = {"name": "stream", "url": "https://logs.example.com"}
    return {
        **_organization(api),
        "BackchannelRequest": _backchannel_request(api, user.id, client_id),
        "Job": api.do(
            "jobCreate", "job { id }", {"kind": "USER_DELETE", "errorPolicy": "SKIP_FAILED"}
        )["job"]["id"],
        "LogStream": api.do("logStreamCreate", "logStream { id }", stream)["logStream"]["id"],
        "Application": grant["application"]["id"],
        "ResourceServer": data["resourceServerCreate"]["resourceServer"]["id"],
        "ClientGrant": grant["id"],
        "Grant": allowed["id"],
        "Connection": data["connectionCreate"]["connection"]["id"],
        "CustomDomain": data["customDomainCreate"]["customDomain"]["id"],
        "Credential": data["credentialCreate"]["credential"]["id"],
        "User": data["userCreate"]["user"]["id"],
        "Role": data["roleCreate"]["role"]["id"],
        "Session": GlobalId("Session", tenant.id, session.id).encode(),
        "TrustedDocument": data["trustedDocumentCreate"]["trustedDocument"]["id"],
        "TrustedIssuer": data["trustedIssuerCreate"]["trustedIssuer"]["id"],
        "LogEvent": read["logEvents"]["nodes"][0]["id"],
        "SigningKey": read["signingKeys"][0]["id"],
        "Tenant": read["tenant"]["id"],
    }


def _backchannel_request(api: Api, user_id: str, client_id: str) -> str:
    """One that waits for its person."""
    now = api.tenant.server.clock.now()
    facts = BackchannelRequestFacts(
        id=new_id(now),
        state=BackchannelRequestState.PENDING,
        issuer=api.tenant.issuer,
        client_id=client_id,
        user_id=user_id,
        organization_id=None,
        audience=None,
        requested_scopes=("openid",),
        scopes=(),
        acr_values=(),
        authorization_details=(),
        binding_message=None,
        channel=next(iter(NotificationChannel)),
        ping_envelope=None,
        auth_time=None,
        amr=(),
        poll_interval=5,
        polled_at=None,
        created_at=now,
        expires_at=now + timedelta(minutes=5),
    )
    api.tenant.write(backchannel_requests.create, facts, facts.id, None)
    return GlobalId("BackchannelRequest", api.tenant.id, facts.id).encode()


def _organization(api: Api) -> dict[str, str]:
    """An organization with a member and an invitation."""
    organization = api.do(
        "organizationCreate", "organization { id organizationId }", {"name": "acme"}
    )["organization"]
    application = api.application(
        applicationType="REGULAR_WEB",
        organizationUsage="ALLOW",
        initiateLoginUri="https://app.example.com/login",
    )
    user = api.tenant.user("member@example.com")
    members = {"id": organization["id"], "userIds": [user.id]}
    api.do("organizationMembersAdd", "__typename", members)
    invitation = api.do(
        "organizationInvitationCreate",
        "organizationInvitation { id }",
        {
            "organizationId": organization["organizationId"],
            "clientId": application["clientId"],
            "inviterName": "Bob",
            "inviteeEmail": "new@example.com",
        },
    )["organizationInvitation"]
    return {"Organization": organization["id"], "OrganizationInvitation": invitation["id"]}


def local(id_: str) -> str:
    decoded = GlobalId.decode(id_)
    assert decoded is not None
    return decoded.local_id


def input_type(mutation: str) -> GraphQLInputObjectType:
    assert SCHEMA.mutation_type is not None
    found = get_named_type(SCHEMA.mutation_type.fields[mutation].args["input"].type)
    assert isinstance(found, GraphQLInputObjectType)
    return found


def mutations_by_id() -> list[str]:
    assert SCHEMA.mutation_type is not None
    return [name for name in SCHEMA.mutation_type.fields if "id" in input_type(name).fields]


NODE = "query($id: ID!) { node(id: $id) { id __typename } }"


def test_ids_of_another_tenant_are_like_unknown_ones(server: Server, root: Api) -> None:
    """Law 1: nothing of one tenant is reachable through another."""
    first, second = root_api(server.tenant()), root_api(server.tenant())
    for type_name, id_ in everything(first).items():
        assert first.data(NODE, id=id_)["node"] == {"id": id_, "__typename": type_name}
        swapped = GlobalId(type_name, second.tenant.id, local(id_)).encode()
        for tried in (id_, swapped):
            assert second.data(NODE, id=tried) == {"node": None}
            if type_name != "Tenant":
                assert root.data(NODE, id=tried) == {"node": None}


def test_what_is_found_by_a_natural_key_is_the_tenants_own(server: Server) -> None:
    first, second = root_api(server.tenant()), root_api(server.tenant())
    ids = everything(first)
    query = """query($client: String!, $user: String!) {
      application(clientId: $client) { id } user(userId: $user) { id }
      resourceServer(identifier: "https://api.example.com") { id } }"""
    client = first.data(
        "query($id: ID!) { node(id: $id) { ... on Application { clientId } } }",
        id=ids["Application"],
    )
    keys = {"client": client["node"]["clientId"], "user": local(ids["User"])}
    assert None not in first.data(query, **keys).values()
    assert set(second.data(query, **keys).values()) == {None}


@pytest.fixture(scope="module")
def neighbours(server: Server) -> tuple[Api, dict[str, str], dict[str, str]]:
    """A tenant, its ids, and those of another tenant."""
    api, elsewhere = root_api(server.tenant()), root_api(server.tenant())
    return api, everything(api), everything(elsewhere)


@pytest.mark.parametrize("mutation", mutations_by_id())
def test_a_mutation_of_a_foreign_id_is_like_one_of_an_unknown_id(
    server: Server,
    neighbours: tuple[Api, dict[str, str], dict[str, str]],
    mutation: str,
) -> None:
    api, own, foreign = neighbours
    noun = max((name for name in NOUNS if mutation.startswith(name[0].lower() + name[1:])), key=len)
    if noun == "LogStreamFailure":  # It has no field of its own, and none has failed here.
        own = own | {noun: GlobalId(noun, api.tenant.id, "batch").encode()}
        foreign = foreign | {noun: GlobalId(noun, "another", "batch").encode()}
    if mutation == "tenantDelete":
        api = root_api(server.root)
        foreign = own | {"Tenant": GlobalId("Tenant", own["Tenant"], local(own["Tenant"])).encode()}
    input: Json = value_of(input_type(mutation))
    if "password" in input:
        input["password"] = "long enough"
    ids = [
        foreign[noun],
        GlobalId(noun, api.tenant.id, UNKNOWN).encode(),
        GlobalId("LogEvent", api.tenant.id, local(own[noun])).encode(),
        own[noun][:-2],
        f"{own[noun]}=",
        "é",
        "x" * 600,
        "-",
        "",
    ]
    refusals = [api.refused(mutation, input | {"id": id_}) for id_ in ids]
    assert refusals[0]["code"] == "NOT_FOUND"
    assert refusals[0]["field"] == ["id"]
    assert refusals == refusals[:1] * len(ids)


def test_malformed_ids_are_null(api: Api) -> None:
    for id_ in ("", "x", "é", "A" * 1000, "VXNlcjo6", 7):
        assert api.data(NODE, id=id_) == {"node": None}
    unknown = GlobalId("Secret", api.tenant.id, "x").encode()
    assert api.data(NODE, id=unknown) == {"node": None}


def test_the_root_finds_every_tenant_by_id(server: Server, root: Api, api: Api) -> None:
    own = api.data("{ tenant { id } }")["tenant"]["id"]
    query = "query($id: ID!) { node(id: $id) { ... on Tenant { name } } }"
    assert root.data(query, id=own)["node"] == {"name": api.tenant.name}
    without = root_api(server.root, "read:tenant_settings")
    assert without.error(query, id=own)["requiredScopes"] == ["read:tenants"]


def test_every_node_has_a_scope_of_its_own() -> None:
    nodes = {
        type_.name
        for type_ in SCHEMA.type_map.values()
        if isinstance(type_, GraphQLObjectType)
        and any(interface.name == "Node" for interface in type_.interfaces)
    }
    assert nodes == {*NODE_TYPES, "Job", "Tenant"}
