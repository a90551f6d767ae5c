"""What each mutation does, refuses and writes into the audit log."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tenantry.core.context import SYSTEM, Caller
from tenantry.core.ids import GlobalId
from tenantry.management.schema import build_schema
from tenantry.services import sessions
from tenantry.store import consents, installation, log_stream_failures, tables
from tenantry.store.log_stream_failures import Batch
from tenantry.store.unit_of_work import INSTALLATION
from tests.support.ciba import waiting
from tests.support.client_keys import ec_key, public_jwk, rsa_key
from tests.support.dns import name_server
from tests.support.management import Api, Json, root_api
from tests.support.server import Server, Tenant

SCHEMA = build_schema()._schema
API = "https://api.example.com"
API2 = "https://other.example.com"


def decoded(id_: str) -> GlobalId:
    found = GlobalId.decode(id_)
    assert found is not None
    return found


# --- every mutation ------------------------------------------------------------------------


def give_up(api: Api, stream_id: str) -> str:
    """A batch of a log stream that could not be delivered; its id."""
    batch = Batch(stream_id, "", "batch", (0, ""), (), "", "", 10, 0)
    api.tenant.write(log_stream_failures.add, batch, "{}", "nobody there")
    return GlobalId("LogStreamFailure", api.tenant.id, "batch").encode()


def walk(api: Api, root: Api) -> list[tuple[str, Json, str]]:
    """Every mutation with an input that it accepts, and the event that it must write."""
    made: dict[str, str] = {}

    def create(mutation: str, noun: str, input: Json) -> str:
        member = noun[0].lower() + noun[1:]
        made[noun] = api.do(mutation, f"{member} {{ id }}", input)[member]["id"]
        return made[noun]

    client_id, other_client = api.application()["clientId"], api.application()["clientId"]
    create("resourceServerCreate", "ResourceServer", {"name": "Other", "identifier": API2})
    create("resourceServerCreate", "ResourceServer", {"name": "API", "identifier": API})
    grant = create("clientGrantCreate", "ClientGrant", {"clientId": client_id, "audience": API})
    create("connectionCreate", "Connection", {"name": "empty"})
    user = create("userCreate", "User", {"connection": "empty", "username": "ann"})
    api.do("userDelete", "__typename", {"id": user})
    user = create("userCreate", "User", {"connection": DATABASE, "username": "ann"})
    tenant = root.do("tenantCreate", "tenant { id }", {"name": f"{api.tenant.name}-walk"})
    application = api.application(name="walked")["id"]
    symmetric = api.do(
        "resourceServerCreate",
        "resourceServer { id }",
        {"name": "Shared", "identifier": "shared", "signingAlg": "HS256"},
    )["resourceServer"]["id"]
    credential = create(
        "credentialCreate",
        "Credential",
        {"clientId": other_client, "name": "walked", "jwk": public_jwk(ec_key())},
    )
    trusted = api.do(
        "trustedIssuerCreate",
        "trustedIssuer { id }",
        {"issuer": "https://old.example.com", "jwksUri": "https://old.example.com/jwks"},
    )["trustedIssuer"]["id"]
    trusted_document = api.do(
        "trustedDocumentCreate", "trustedDocument { id }", {"document": "{ viewer { id } }"}
    )["trustedDocument"]["id"]
    walker = api.tenant.user("walker@example.com")
    session, _ = api.tenant.write(sessions.begin, walker, api.tenant.issuer, None)
    session_id = GlobalId("Session", api.tenant.id, session.id).encode()
    api.tenant.write(consents.add_scopes, walker.id, client_id, API, ["read:users"])
    consent = api.data("{ grants(first: 1) { nodes { id } } }")["grants"]["nodes"][0]["id"]
    role = create("roleCreate", "Role", {"name": "walked"})
    stream = create(
        "logStreamCreate", "LogStream", {"name": "walked", "url": "https://logs.example.com"}
    )
    failure = give_up(api, decoded(stream).local_id)
    job = create("jobCreate", "Job", {"kind": "USER_DELETE", "errorPolicy": "SKIP_FAILED"})
    edge = {"domain": f"{api.tenant.name}.example.com", "type": "SELF_MANAGED_CERTS"}
    domain = api.do("customDomainCreate", f"customDomain {{ {DOMAIN} }}", edge)["customDomain"]
    name_server().say(domain["verificationName"], domain["verificationValue"])
    keys = {"keys": [public_jwk(rsa_key(), "theirs")]}
    permission: Json = {"audience": api.url, "scopes": ["read:users"]}
    organization = create("organizationCreate", "Organization", {"name": "walked"})
    member: Json = {"id": organization, "userIds": [decoded(user).local_id]}
    given: Json = {"id": organization, "userId": decoded(user).local_id, "roleIds": [role]}
    api.do("organizationMembersAdd", "__typename", member)
    asking = api.application(
        applicationType="REGULAR_WEB",
        organizationUsage="ALLOW",
        initiateLoginUri="https://app.example.com/login",
    )
    invitation: Json = {
        "organizationId": decoded(organization).local_id,
        "clientId": asking["clientId"],
        "inviterName": "Bob",
        "inviteeEmail": "ann@example.com",
    }
    invited = create("organizationInvitationCreate", "OrganizationInvitation", invitation)
    covering: Json = {"id": grant, "organizationIds": [decoded(organization).local_id]}
    enabled: Json = {"id": organization, "connection": DATABASE}
    approved = waiting(api.tenant, asking["clientId"], walker.id)
    denied = waiting(api.tenant, asking["clientId"], walker.id)
    document = json.dumps({"connections": [{"name": "configured"}]})
    plan = "query($i: ConfigurationPlanInput!) { configurationPlan(input: $i) { plan { hash } } }"
    hash_ = api.data(plan, i={"document": document})["configurationPlan"]["plan"]["hash"]
    return [
        # First, since it is refused when anything else has changed.
        (
            "configurationApply",
            {"document": document, "planHash": hash_},
            "configuration.applied",
        ),
        (
            "clientGrantOrganizationsAdd",
            covering,
            "client_grant.organizations_added",
        ),
        (
            "clientGrantOrganizationsRemove",
            covering,
            "client_grant.organizations_removed",
        ),
        ("organizationConnectionSet", enabled, "organization.connection_set"),
        ("organizationConnectionRemove", enabled, "organization.connection_removed"),
        ("organizationMemberRolesAdd", given, "organization.member_roles_added"),
        ("organizationMemberRolesRemove", given, "organization.member_roles_removed"),
        ("organizationMembersRemove", member, "organization.members_removed"),
        ("organizationMembersAdd", member, "organization.members_added"),
        ("organizationInvitationDelete", {"id": invited}, "organization_invitation.deleted"),
        ("organizationInvitationCreate", invitation, "organization_invitation.created"),
        ("organizationUpdate", {"id": organization, "displayName": "W"}, "organization.updated"),
        ("organizationDelete", {"id": organization}, "organization.deleted"),
        ("organizationCreate", {"name": "made"}, "organization.created"),
        ("applicationCreate", {"name": "x", "applicationType": "NATIVE"}, "application.created"),
        ("applicationUpdate", {"id": application, "name": "y"}, "application.updated"),
        ("applicationSecretRotate", {"id": application}, "application.secret_rotated"),
        ("applicationDelete", {"id": application}, "application.deleted"),
        ("clientGrantUpdate", {"id": grant, "allowAllScopes": True}, "client_grant.updated"),
        ("clientGrantDelete", {"id": grant}, "client_grant.deleted"),
        ("clientGrantCreate", {"clientId": client_id, "audience": API}, "client_grant.created"),
        ("connectionCreate", {"name": "new"}, "connection.created"),
        ("connectionUpdate", {"id": made["Connection"], "displayName": "E"}, "connection.updated"),
        ("connectionDelete", {"id": made["Connection"]}, "connection.deleted"),
        (
            "customDomainCreate",
            {"domain": f"new.{api.tenant.name}.example.com", "type": "MANAGED_CERTS"},
            "custom_domain.created",
        ),
        (
            "customDomainUpdate",
            {"id": domain["id"], "customClientIpHeader": "true-client-ip"},
            "custom_domain.updated",
        ),
        ("customDomainVerify", {"id": domain["id"]}, "custom_domain.verified"),
        (
            "customDomainCnameApiKeyRotate",
            {"id": domain["id"]},
            "custom_domain.cname_api_key_rotated",
        ),
        ("customDomainJwksSet", {"id": domain["id"], "jwks": keys}, "custom_domain.jwks_set"),
        ("customDomainJwksDelete", {"id": domain["id"]}, "custom_domain.jwks_deleted"),
        ("customDomainDelete", {"id": domain["id"]}, "custom_domain.deleted"),
        (
            "credentialCreate",
            {"clientId": client_id, "name": "new", "jwk": public_jwk(ec_key("new"))},
            "credential.created",
        ),
        (
            "credentialUpdate",
            {"id": credential, "expiresAt": "2090-01-01T00:00:00Z"},
            "credential.updated",
        ),
        ("credentialDelete", {"id": credential}, "credential.deleted"),
        ("grantDelete", {"id": consent}, "consent.deleted"),
        ("resourceServerCreate", {"name": "x", "identifier": "x"}, "resource_server.created"),
        (
            "resourceServerUpdate",
            {"id": made["ResourceServer"], "name": "y"},
            "resource_server.updated",
        ),
        (
            "readinessCheckDismiss",
            {"check": "logo", "reason": "None."},
            "readiness_check.dismissed",
        ),
        ("readinessCheckRestore", {"check": "logo"}, "readiness_check.restored"),
        ("resourceServerSecretRotate", {"id": symmetric}, "resource_server.secret_rotated"),
        ("resourceServerDelete", {"id": made["ResourceServer"]}, "resource_server.deleted"),
        ("sessionRevoke", {"id": session_id}, "session.revoked"),
        ("userSessionsRevoke", {"userId": walker.id}, "user.sessions_revoked"),
        ("signingKeyRotate", {}, "signing_key.rotated"),
        ("signingKeyRevokePrevious", {}, "signing_key.revoked"),
        ("tenantCreate", {"name": f"{api.tenant.name}-new"}, "tenant.created"),
        ("tenantDelete", {"id": tenant["tenant"]["id"]}, "tenant.deleted"),
        ("tenantUpdate", {"friendlyName": "Friends"}, "tenant.updated"),
        ("testApplicationCreate", {"audience": API2}, "client_grant.created"),
        (
            "trustedIssuerCreate",
            {"issuer": "https://new.example.com", "jwksUri": "https://new.example.com/jwks"},
            "trusted_issuer.created",
        ),
        (
            "trustedIssuerUpdate",
            {"id": trusted, "allowedAudiences": [API]},
            "trusted_issuer.updated",
        ),
        ("trustedIssuerDelete", {"id": trusted}, "trusted_issuer.deleted"),
        ("trustedDocumentCreate", {"document": "{ __typename }"}, "trusted_document.created"),
        ("trustedDocumentDelete", {"id": trusted_document}, "trusted_document.deleted"),
        ("logStreamCreate", {"name": "n", "url": "https://x.example.com"}, "log_stream.created"),
        ("logStreamUpdate", {"id": stream, "status": "PAUSED"}, "log_stream.updated"),
        ("logStreamSecretRotate", {"id": stream}, "log_stream.secret_rotated"),
        ("userCreate", {"connection": DATABASE, "email": "b@example.com"}, "user.created"),
        ("userUpdate", {"id": user, "name": "Ann"}, "user.updated"),
        ("userPasswordSet", {"id": user, "password": "long enough"}, "user.password_set"),
        ("userCodeSet", {"id": user, "userCode": "4711"}, "user.user_code_set"),
        ("backchannelRequestApprove", {"id": approved}, "backchannel_request.approved"),
        ("backchannelRequestDeny", {"id": denied}, "backchannel_request.denied"),
        ("tenantPushSecretRotate", {}, "tenant.push_secret_rotated"),
        ("userBlock", {"id": user}, "user.blocked"),
        ("userUnblock", {"id": user}, "user.unblocked"),
        ("roleCreate", {"name": "new"}, "role.created"),
        ("roleUpdate", {"id": role, "name": "renamed"}, "role.updated"),
        ("rolePermissionsAdd", {"id": role} | permission, "role.permissions_added"),
        ("rolePermissionsRemove", {"id": role} | permission, "role.permissions_removed"),
        ("userRolesAdd", {"id": user, "roleIds": [role]}, "user.roles_added"),
        ("userRolesRemove", {"id": user, "roleIds": [role]}, "user.roles_removed"),
        ("userPermissionsAdd", {"id": user} | permission, "user.permissions_added"),
        ("userPermissionsRemove", {"id": user} | permission, "user.permissions_removed"),
        ("roleDelete", {"id": role}, "role.deleted"),
        ("logStreamFailureRedeliver", {"id": failure}, "log_stream.redelivery_requested"),
        ("logStreamDelete", {"id": stream}, "log_stream.deleted"),
        ("jobCreate", {"kind": "USER_DELETE", "errorPolicy": "SKIP_FAILED"}, "job.created"),
        ("jobCancel", {"id": job}, "job.canceled"),
        ("userDelete", {"id": user}, "user.deleted"),
    ]


DATABASE = "Username-Password-Authentication"
DOMAIN = "id verificationName verificationValue"
EVENTS = """query($type: String!) {
  logEvents(first: 1, orderBy: CREATED_AT_DESC, filter: {types: [$type]}) {
    nodes { actorKind actorId actorTenantId targetId targetType ip requestId userAgent details }
  } }"""


def test_each_mutation_writes_who_did_what(server: Server, api: Api, root: Api) -> None:
    """An audit entry for each mutation."""
    done = walk(api, root)
    assert SCHEMA.mutation_type is not None
    assert {name for name, _, _ in done} == set(SCHEMA.mutation_type.fields)
    for mutation, input, event in done:
        where = root if mutation in {"tenantCreate", "tenantDelete"} else api
        where.sending(user_agent="walker/1").do(mutation, "__typename", input)
        (entry,) = where.data(EVENTS, type=event)["logEvents"]["nodes"]
        assert entry["actorKind"] == "APPLICATION", mutation
        assert entry["actorId"] == "tenantry-bootstrap"
        assert entry["actorTenantId"] == server.root.id
        assert entry["userAgent"] == "walker/1"
        assert entry["requestId"]
        assert decoded(entry["targetId"]).type == entry["targetType"]
        if "id" in input and mutation != "logStreamFailureRedeliver":
            assert entry["targetId"] == input["id"], mutation


def test_a_refused_mutation_writes_nothing(api: Api) -> None:
    with api.tenant.server.stores_nothing():
        refusal = api.refused(
            "applicationCreate",
            {"name": "x", "applicationType": "REGULAR_WEB", "connections": ["unknown"]},
        )
        assert refusal["code"] == "NOT_FOUND"
        assert refusal["field"] == ["connections", "0"]
    assert "application.created" not in {
        event.type for event in api.tenant.events() if event.client_id != "tenantry-explorer"
    }


# --- applications --------------------------------------------------------------------------


def test_an_application_shows_its_secret_once(api: Api) -> None:
    made = api.application()
    assert len(made["clientSecret"]) >= 43
    rotated = api.do(
        "applicationSecretRotate", "application { id revision } clientSecret", {"id": made["id"]}
    )
    assert rotated["application"] == {"id": made["id"], "revision": 2}
    assert rotated["clientSecret"] != made["clientSecret"]
    chosen = api.application(clientSecret="s" * 32)
    assert chosen["clientSecret"] is None
    public = api.application(applicationType="SINGLE_PAGE")
    assert public["clientSecret"] is None
    refusal = api.refused("applicationSecretRotate", {"id": public["id"]})
    assert refusal["code"] == "NOT_ALLOWED"


def test_a_public_application_that_becomes_confidential_gets_a_secret(api: Api) -> None:
    made = api.application(applicationType="NATIVE")
    change = {"id": made["id"], "tokenEndpointAuthMethod": "CLIENT_SECRET_POST"}
    payload = api.do("applicationUpdate", "clientSecret", change)
    assert len(payload["clientSecret"]) >= 43


def test_a_public_application_always_rotates(api: Api) -> None:
    keeps = {"refreshTokenRotation": False}
    refusal = api.refused(
        "applicationCreate", {"name": "x", "applicationType": "SINGLE_PAGE"} | keeps
    )
    assert (refusal["code"], refusal["field"]) == ("NOT_ALLOWED", ["refreshTokenRotation"])
    made = api.application(applicationType="REGULAR_WEB", **keeps)
    public = {
        "id": made["id"],
        "tokenEndpointAuthMethod": "NONE",
        "grantTypes": ["AUTHORIZATION_CODE", "REFRESH_TOKEN"],
    }
    assert api.refused("applicationUpdate", public | keeps)["code"] == "NOT_ALLOWED"
    changed = api.do("applicationUpdate", "application { refreshTokenRotation }", public)
    assert changed["application"]["refreshTokenRotation"] is True


def test_absent_is_unchanged_and_null_clears(api: Api) -> None:
    made = api.do(
        "applicationCreate",
        "application { id }",
        {
            "name": "one",
            "applicationType": "REGULAR_WEB",
            "redirectUris": ["https://a.example.com/cb"],
            "logoUri": "https://a.example.com/logo.png",
            "idTokenLifetime": 60,
            "grantTypes": ["AUTHORIZATION_CODE"],
            "isFirstParty": False,
        },
    )
    id_ = made["application"]["id"]
    settings = "application { name redirectUris logoUri idTokenLifetime grantTypes isFirstParty }"
    unchanged = api.do("applicationUpdate", settings, {"id": id_, "name": "two"})["application"]
    assert unchanged == {
        "name": "two",
        "redirectUris": ["https://a.example.com/cb"],
        "logoUri": "https://a.example.com/logo.png",
        "idTokenLifetime": 60,
        "grantTypes": ["AUTHORIZATION_CODE"],
        "isFirstParty": False,
    }
    cleared = dict.fromkeys(unchanged) | {"id": id_, "name": "two"}
    assert api.do("applicationUpdate", settings, cleared)["application"] == {
        "name": "two",
        "redirectUris": [],
        "logoUri": None,
        "idTokenLifetime": 36_000,
        "grantTypes": ["AUTHORIZATION_CODE", "REFRESH_TOKEN", "CLIENT_CREDENTIALS"],
        "isFirstParty": True,
    }
    refusal = api.refused("applicationUpdate", {"id": id_, "name": None})
    assert (refusal["code"], refusal["field"]) == ("REQUIRED", ["name"])


@pytest.mark.parametrize(
    "changes, code, field",
    [
        ({"name": ""}, "REQUIRED", ["name"]),
        ({"name": "x" * 101}, "TOO_LONG", ["name"]),
        ({"name": "<script>"}, "INVALID", ["name"]),
        ({"redirectUris": ["https://ok.example.com", "javascript:alert(1)"]},
         "INVALID", ["redirectUris", "1"]),
        ({"redirectUris": ["https://a.example.com/#x"]}, "INVALID", ["redirectUris", "0"]),
        ({"redirectUris": [f"https://a.example.com/{n}" for n in range(101)]},
         "TOO_MANY", ["redirectUris"]),
        ({"idTokenLifetime": 0}, "OUT_OF_RANGE", ["idTokenLifetime"]),
        ({"refreshTokenOverlap": 61}, "OUT_OF_RANGE", ["refreshTokenOverlap"]),
        ({"refreshTokenLifetime": 0}, "OUT_OF_RANGE", ["refreshTokenLifetime"]),
        ({"refreshTokenIdleLifetime": 31_536_001}, "OUT_OF_RANGE", ["refreshTokenIdleLifetime"]),
        ({"webOrigins": ["https://a.example.com/path"]}, "INVALID", ["webOrigins", "0"]),
        ({"clientSecret": "short"}, "OUT_OF_RANGE", ["clientSecret"]),
        ({"tokenEndpointAuthMethod": "NONE"}, "NOT_ALLOWED", ["grantTypes"]),
        ({"idTokenSignedResponseAlg": "ES256"}, "NOT_ALLOWED", ["idTokenSignedResponseAlg"]),
        ({"connections": ["unknown"]}, "NOT_FOUND", ["connections", "0"]),
    ],
)  # fmt: skip
def test_refusals_name_the_field(api: Api, changes: Json, code: str, field: list[str]) -> None:
    new = {"name": "x", "applicationType": "MACHINE_TO_MACHINE"}
    made = api.application()
    for refusal in (
        api.refused("applicationCreate", new | changes),
        api.refused("applicationUpdate", {"id": made["id"]} | changes),
    ):
        assert (refusal["code"], refusal["field"]) == (code, field)
        assert refusal["message"]


def test_what_the_server_needs_is_protected(api: Api) -> None:
    found = api.data(
        """{ application(clientId: "tenantry-explorer") { id isSystem }
        resourceServers(first: 1) { nodes { id isSystem identifier } } }"""
    )
    explorer, own = found["application"], found["resourceServers"]["nodes"][0]
    assert explorer["isSystem"]
    assert own["isSystem"]
    assert own["identifier"] == api.url
    for mutation, id_ in (
        ("applicationUpdate", explorer["id"]),
        ("applicationDelete", explorer["id"]),
        ("resourceServerUpdate", own["id"]),
        ("resourceServerDelete", own["id"]),
    ):
        assert api.refused(mutation, {"id": id_})["code"] == "NOT_ALLOWED"


# --- revisions -----------------------------------------------------------------------------


def objects(api: Api, root: Api) -> dict[str, str]:
    """An object of each noun that has revisions, at revision 1."""
    data = api.data(
        """mutation($client: String!) {
          resourceServerCreate(input: {name: "API", identifier: "https://api.example.com"}) {
            resourceServer { id } }
          clientGrantCreate(input: {clientId: $client, audience: "https://api.example.com"}) {
            clientGrant { id application { id } } }
          connectionCreate(input: {name: "users"}) { connection { id } }
          userCreate(input: {connection: "Username-Password-Authentication", username: "ann"}) {
            user { id } }
          roleCreate(input: {name: "editor"}) { role { id } }
        }""",
        client=api.application()["clientId"],
    )
    tenant = root.do("tenantCreate", "tenant { id }", {"name": f"{api.tenant.name}-revised"})
    grant = data["clientGrantCreate"]["clientGrant"]
    return {
        "application": grant["application"]["id"],
        "clientGrant": grant["id"],
        "connection": data["connectionCreate"]["connection"]["id"],
        "resourceServer": data["resourceServerCreate"]["resourceServer"]["id"],
        "role": data["roleCreate"]["role"]["id"],
        "tenant": tenant["tenant"]["id"],
        "user": data["userCreate"]["user"]["id"],
    }


def test_a_stale_revision_is_a_conflict_with_the_current_one(api: Api, root: Api) -> None:
    ids = objects(api, root)
    for noun, id_ in ids.items():
        if noun != "tenant":
            update = f"{noun}Update"
            done = api.do(
                update,
                f"{noun} {{ revision updatedAt createdAt }}",
                {"id": id_, "expectedRevision": 1},
            )[noun]
            assert done["revision"] == 2
            assert done["updatedAt"] > done["createdAt"]
            refusal = api.refused(update, {"id": id_, "expectedRevision": 1})
            assert refusal["code"] == "CONFLICT"
            assert refusal["field"] == ["expectedRevision"]
            assert refusal["currentRevision"] == 2
    for mutation in ("applicationSecretRotate", "userBlock", "userUnblock"):
        noun = "user" if "user" in mutation else "application"
        refusal = api.refused(mutation, {"id": ids[noun], "expectedRevision": 1})
        assert (refusal["code"], refusal["currentRevision"]) == ("CONFLICT", 2)
    stale = {"id": ids["user"], "password": "long enough", "expectedRevision": 1}
    assert api.refused("userPasswordSet", stale)["code"] == "CONFLICT"
    own = api.data("{ tenant { revision } }")["tenant"]["revision"]
    refusal = api.refused("tenantUpdate", {"friendlyName": "x", "expectedRevision": own + 1})
    assert (refusal["code"], refusal["currentRevision"]) == ("CONFLICT", own)
    # The grant goes first: it goes with its application and with its API.
    for noun, id_ in {"clientGrant": ids.pop("clientGrant"), **ids}.items():
        where = root if noun == "tenant" else api
        revision = 1 if noun == "tenant" else 2
        stale = {"id": id_, "expectedRevision": revision + 1}
        refusal = where.refused(f"{noun}Delete", stale)
        assert (refusal["code"], refusal["currentRevision"]) == ("CONFLICT", revision), noun
        payload = where.do(f"{noun}Delete", "deletedId", {"id": id_, "expectedRevision": revision})
        assert payload["deletedId"] == id_
        assert where.refused(f"{noun}Delete", {"id": id_})["code"] == "NOT_FOUND"


# --- other nouns ---------------------------------------------------------------------------


def test_an_api_keeps_its_identifier(api: Api) -> None:
    scopes = [{"value": "read:x", "description": "To read"}, {"value": "write:x"}]
    new = {"name": "API", "identifier": API, "scopes": scopes, "tokenLifetime": 60}
    made = api.do(
        "resourceServerCreate",
        "resourceServer { id identifier scopes { value description } tokenLifetime tokenDialect }",
        new,
    )["resourceServer"]
    assert made["scopes"] == [scopes[0], {"value": "write:x", "description": ""}]
    assert (made["tokenLifetime"], made["tokenDialect"]) == (60, "ACCESS_TOKEN")
    assert api.refused("resourceServerCreate", new)["code"] == "ALREADY_EXISTS"
    refusal = api.refused(
        "resourceServerUpdate", {"id": made["id"], "scopes": [{"value": "a"}, {"value": "a b"}]}
    )
    assert (refusal["code"], refusal["field"]) == ("INVALID", ["scopes", "1", "value"])
    updated = api.do(
        "resourceServerUpdate",
        "resourceServer { scopes { value } tokenDialect }",
        {"id": made["id"], "scopes": None, "tokenDialect": "RFC9068_PROFILE"},
    )["resourceServer"]
    assert updated == {"scopes": [], "tokenDialect": "RFC9068_PROFILE"}
    # The identifier is not in the input at all.
    answer = api.answer(
        'mutation { resourceServerUpdate(input: {id: "x", identifier: "y"}) { __typename } }'
    )
    assert answer["errors"][0]["extensions"]["code"] == "INVALID_DOCUMENT"


def test_a_client_grant_holds_what_the_api_defines(api: Api, tenant: Tenant) -> None:
    tenant.api(API, "read:x", "write:x")
    client_id = api.application()["clientId"]
    new = {"clientId": client_id, "audience": API, "scopes": ["read:x"]}
    made = api.do(
        "clientGrantCreate",
        "clientGrant { id subjectType scopes application { clientId } resourceServer { name } }",
        new,
    )["clientGrant"]
    assert made["subjectType"] == "CLIENT"
    assert made["application"] == {"clientId": client_id}
    assert made["resourceServer"] == {"name": "The API"}
    assert api.refused("clientGrantCreate", new)["code"] == "ALREADY_EXISTS"
    api.do("clientGrantCreate", "__typename", new | {"subjectType": "USER"})
    for changes, field in (
        ({"clientId": "unknown"}, ["clientId"]),
        ({"audience": "https://unknown.example.com"}, ["audience"]),
        ({"audience": "*"}, ["audience"]),
    ):
        refusal = api.refused("clientGrantCreate", new | changes)
        assert (refusal["code"], refusal["field"]) == ("NOT_FOUND", field)
    refusal = api.refused("clientGrantUpdate", {"id": made["id"], "scopes": ["other"]})
    assert (refusal["code"], refusal["field"]) == ("INVALID", ["scopes"])


def test_a_connection_with_users_stays(api: Api) -> None:
    made = api.do(
        "connectionCreate",
        "connection { id strategy passwordMinimumLength }",
        {"name": "people", "passwordMinimumLength": 12},
    )["connection"]
    assert (made["strategy"], made["passwordMinimumLength"]) == ("DATABASE", 12)
    assert api.refused("connectionCreate", {"name": "people"})["code"] == "ALREADY_EXISTS"
    new = {"connection": "people", "email": "a@example.com", "password": "elevenchars"}
    refusal = api.refused("userCreate", new)
    assert (refusal["code"], refusal["field"]) == ("OUT_OF_RANGE", ["password"])
    user = api.do("userCreate", "user { id }", new | {"password": "twelve chars"})["user"]
    refusal = api.refused("userPasswordSet", {"id": user["id"], "password": "elevenchars"})
    assert (refusal["code"], refusal["field"]) == ("OUT_OF_RANGE", ["password"])
    assert api.refused("connectionDelete", {"id": made["id"]})["code"] == "IN_USE"
    api.do("userDelete", "__typename", {"id": user["id"]})
    api.do("connectionDelete", "__typename", {"id": made["id"]})
    unknown = new | {"password": "twelve chars"}
    refusal = api.refused("userCreate", unknown)
    assert (refusal["code"], refusal["field"]) == ("NOT_FOUND", ["connection"])


def test_a_user_has_claims(api: Api) -> None:
    claims = {
        "email": "Ann@Example.com",
        "emailVerified": True,
        "givenName": "Ann",
        "birthdate": "1990-02-03",
        "phoneNumber": "+41441234567",
        "address": {"locality": "Bern", "country": "CH"},
    }
    shown = """user { id userId email emailVerified givenName birthdate phoneNumber blocked
      address { locality country region } connection { name } passwordChangedAt }"""
    made = api.do(
        "userCreate", shown, {"connection": DATABASE, "password": "long enough"} | claims
    )["user"]
    assert made["address"] == {"locality": "Bern", "country": "CH", "region": None}
    assert made["connection"] == {"name": DATABASE}
    assert made["passwordChangedAt"].endswith("Z")
    assert {name: made[name] for name in claims if name != "address"} == {
        name: value for name, value in claims.items() if name != "address"
    }
    assert decoded(made["id"]).local_id == made["userId"]
    taken = {"connection": DATABASE, "email": "ann@example.COM"}
    assert api.refused("userCreate", taken)["code"] == "ALREADY_EXISTS"
    refusal = api.refused("userUpdate", {"id": made["id"], "email": None})
    assert (refusal["code"], refusal["field"]) == ("REQUIRED", ["email"])
    updated = api.do("userUpdate", shown, {"id": made["id"], "address": None, "givenName": None})
    assert updated["user"]["address"] is None
    assert updated["user"]["givenName"] is None
    assert updated["user"]["birthdate"] == "1990-02-03"
    blocked = api.do("userBlock", "user { blocked }", {"id": made["id"]})
    assert blocked["user"] == {"blocked": True}
    assert api.do("userUnblock", "user { blocked }", {"id": made["id"]})["user"] == {
        "blocked": False
    }
    refusal = api.refused("userCreate", {"connection": DATABASE})
    assert (refusal["code"], refusal["field"]) == ("REQUIRED", ["email"])


def test_signing_keys_rotate(api: Api) -> None:
    shown = "signingKeys { id kid state currentSince revokedAt certificate { pem thumbprint } }"

    def states(keys: list[Json]) -> dict[str, str]:
        return {key["kid"]: key["state"] for key in keys}

    before = states(api.data("{ signingKeys { kid state } }")["signingKeys"])
    assert sorted(before.values()) == ["CURRENT", "NEXT"]
    current, following = sorted(before, key=lambda kid: before[kid])
    after = states(api.do("signingKeyRotate", shown, {})["signingKeys"])
    assert (after[current], after[following]) == ("PREVIOUS", "CURRENT")
    assert states(api.do("signingKeyRevokePrevious", shown, {})["signingKeys"])[current] == (
        "REVOKED"
    )
    refusal = api.refused("signingKeyRevokePrevious", {"alg": "RS256"})
    assert refusal["code"] == "NOT_FOUND"
    ended = states(api.do("signingKeyRotate", shown, {"revokePrevious": True})["signingKeys"])
    assert ended[following] == "REVOKED"


def test_a_tenant_is_made_changed_and_deleted(server: Server, root: Api) -> None:
    name = "made-by-graphql"
    made = root.do(
        "tenantCreate",
        "tenant { id name issuer managementIdentifier environment friendlyName isRoot }",
        {"name": name, "friendlyName": "Made", "environment": "STAGING"},
    )["tenant"]
    issuer = f"{server.public_url}/t/{name}/"
    assert made | {"id": ""} == {
        "id": "",
        "name": name,
        "issuer": issuer,
        "managementIdentifier": f"{issuer}graphql",
        "environment": "STAGING",
        "friendlyName": "Made",
        "isRoot": False,
    }
    assert root.refused("tenantCreate", {"name": name})["code"] == "ALREADY_EXISTS"
    for bad in ("x", "-abc", "Upper", "a" * 64):
        assert root.refused("tenantCreate", {"name": bad})["field"] == ["name"]
    api = root_api(found_tenant(server, name))
    changed = api.do(
        "tenantUpdate",
        "tenant { id sessionLifetime signingAlgorithms defaultDirectory }",
        {
            "id": made["id"],
            "sessionLifetime": 3600,
            "signingAlgorithms": ["RS256", "ES256"],
            "defaultDirectory": DATABASE,
        },
    )["tenant"]
    assert changed == {
        "id": made["id"],
        "sessionLifetime": 3600,
        "signingAlgorithms": ["RS256", "ES256"],
        "defaultDirectory": DATABASE,
    }
    keys = api.data("{ signingKeys { alg state } }")["signingKeys"]
    assert {"alg": "ES256", "state": "CURRENT"} in keys
    for changes, field in (
        ({"signingAlgorithms": ["ES256"]}, "signingAlgorithms"),
        ({"defaultAudience": "https://unknown.example.com"}, "defaultAudience"),
        ({"defaultDirectory": "unknown"}, "defaultDirectory"),
        ({"sessionLifetime": 1}, "sessionLifetime"),
    ):
        assert api.refused("tenantUpdate", changes)["field"] == [field]
    assert root.do("tenantDelete", "deletedId", {"id": made["id"]})["deletedId"] == made["id"]
    assert api.post("{ viewer { id } }").status_code in {401, 404}
    assert root.refused("tenantCreate", {"name": name})["code"] == "ALREADY_EXISTS"
    own = root.data("{ tenant { id } }")["tenant"]["id"]
    assert root.refused("tenantDelete", {"id": own})["code"] == "NOT_ALLOWED"


def found_tenant(server: Server, name: str) -> Tenant:
    facts = server.runtime.store.read_now(
        INSTALLATION, Caller(SYSTEM), installation.find_tenant_by_name, name
    )
    assert facts is not None
    return Tenant(server, facts)


def test_mutations_of_one_request_see_each_other_and_fail_alone(api: Api) -> None:
    data = api.data(
        """mutation {
          a: connectionCreate(input: {name: "one"}) { connection { name } errors { code } }
          b: connectionCreate(input: {name: "one"}) { connection { name } errors { code } }
          c: userCreate(input: {connection: "one", username: "ann"}) {
            user { connection { name } } errors { code } }
        }"""
    )
    assert data["a"] == {"connection": {"name": "one"}, "errors": []}
    assert data["b"] == {"connection": None, "errors": [{"code": "ALREADY_EXISTS"}]}
    assert data["c"]["user"] == {"connection": {"name": "one"}}


def test_what_was_read_before_a_write_is_read_again(api: Api) -> None:
    made = api.do("connectionCreate", "connection { id }", {"name": "old"})["connection"]
    user = api.do("userCreate", "user { id }", {"connection": "old", "username": "a"})["user"]
    rename = """mutation($c: ID!, $u: ID!) {
      a: userUpdate(input: {id: $u}) { user { connection { displayName } } }
      b: connectionUpdate(input: {id: $c, displayName: "new"}) { errors { code } }
      c: userUpdate(input: {id: $u}) { user { connection { displayName } } } }"""
    data = api.data(rename, c=made["id"], u=user["id"])
    assert data["a"]["user"]["connection"] == {"displayName": ""}
    assert data["c"]["user"]["connection"] == {"displayName": "new"}


@pytest.fixture
def secrets_of(api: Api) -> Callable[[], list[str]]:
    """Makes one of every secret and gives them."""

    def make() -> list[str]:
        made = api.application()
        new = {"connection": DATABASE, "email": "s@example.com", "password": "open sesame 42"}
        api.do("userCreate", "__typename", new)
        api.application(clientSecret="my-own-secret-of-at-least-32-chars")
        return [made["clientSecret"], "open sesame 42", "my-own-secret-of-at-least-32-chars"]

    return make


def test_no_secret_reaches_the_database_or_the_log(
    api: Api, secrets_of: Callable[[], list[str]]
) -> None:
    keyed = api.sending(idempotency_key="a-key")
    kept = keyed.application()["clientSecret"]
    secrets = [*secrets_of(), kept, "a-key"]
    with api.tenant.server.runtime.store.database.reading() as connection:
        dump = "".join(
            str(row)
            for table in tables.metadata.sorted_tables
            for row in connection.execute(table.select()).all()
        )
    for secret in secrets:
        assert secret not in dump
    details: list[Any] = api.data("{ logEvents(first: 100) { nodes { type details } } }")[
        "logEvents"
    ]["nodes"]
    created = [e["details"]["changes"] for e in details if e["type"] == "application.created"]
    assert created[-1]["clientSecret"] == {"changed": True}
    assert "clientSecret" not in created[0]
    assert "secretDigest" not in str(details)


def test_a_test_application_has_every_scope_of_its_api_at_once(api: Api) -> None:
    scopes = [{"value": "read:things"}, {"value": "write:things"}]
    api.do(
        "resourceServerCreate", "__typename", {"name": "T", "identifier": API2, "scopes": scopes}
    )
    made = api.do(
        "testApplicationCreate",
        "application { clientId applicationType } clientGrant { audience allowAllScopes }"
        " clientSecret",
        {"audience": API2},
    )
    assert made["application"]["applicationType"] == "MACHINE_TO_MACHINE"
    assert made["clientGrant"] == {"audience": API2, "allowAllScopes": True}
    assert len(made["clientSecret"]) >= 43
    refusal = api.refused("testApplicationCreate", {"audience": "https://nowhere.example.com"})
    assert (refusal["code"], refusal["field"]) == ("NOT_FOUND", ["audience"])
