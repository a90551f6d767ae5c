"""Configuration as a document: written out, planned, applied whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jsonschema
import pytest

from tenantry.core.ids import GlobalId
from tenantry.services.configuration import text
from tenantry.services.configuration.nouns import BY_NAME, NOUNS
from tests.management.test_statements import statements
from tests.support.client_keys import ec_key, public_jwk, rsa_key
from tests.support.configuration import (
    EXPORT,
    PLAN,
    applied,
    apply,
    changes,
    export,
    furnish,
    plan,
    planned,
    refusals,
    written,
)
from tests.support.management import Api, Json, root_api
from tests.support.server import Server, Tenant, both_databases

LIMITED = Callable[..., Api]
ORDERS = "https://orders.example.com"
APP: Json = {"externalId": "web", "name": "Web", "applicationType": "REGULAR_WEB"}


def schema(api: Api) -> Json:
    found: Json = api.data("{ configurationSchema { jsonSchema } }")["configurationSchema"][
        "jsonSchema"
    ]
    jsonschema.Draft202012Validator.check_schema(found)
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("form", ["YAML", "JSON"])
def test_what_is_written_out_makes_another_tenant_the_same(
    server: Server, seed: int, form: str
) -> None:
    rich, empty = server.tenant(), server.tenant()
    furnish(rich, seed)
    api, other = root_api(rich), root_api(empty)
    document = export(api, format=form)
    assert changes(api, document) == []
    found = text.read(document)
    assert set(found) == {"version", *BY_NAME} - {"users"}
    assert all(found.values())
    jsonschema.validate(found, schema(api))
    assert rich.issuer not in document
    made = applied(other, document)["made"]
    kinds = {noun.name for noun in NOUNS if noun.create} - {"users"}
    assert {one["noun"] for one in made} == kinds
    assert changes(other, document) == []
    assert text.read(export(other, format=form)) == found
    again = applied(other, document)
    assert (again["plan"]["changes"], again["made"]) == ([], [])


@both_databases
def test_a_plan_says_each_field_and_an_apply_does_it(server: Server) -> None:
    tenant = server.tenant()
    api = root_api(tenant)
    document: Json = {
        "tenant": {"friendlyName": "Acme"},
        "resourceServers": [
            {"identifier": ORDERS, "name": "Orders", "scopes": [{"value": "read:orders"}]}
        ],
        "applications": [APP | {"redirectUris": ["https://web.example.com/cb"]}],
        "clientGrants": [{"application": "web", "audience": ORDERS, "scopes": ["read:orders"]}],
        "roles": [
            {"name": "buyer", "permissions": [{"audience": ORDERS, "scopes": ["read:orders"]}]}
        ],
    }
    found = plan(api, document)
    assert changes(api, document) == [
        ("UPDATE", "tenant", ""),
        ("CREATE", "resourceServers", ORDERS),
        ("CREATE", "applications", "web"),
        ("CREATE", "clientGrants", f"web {ORDERS} CLIENT"),
        ("CREATE", "roles", "buyer"),
    ]
    assert found["changes"][0]["fields"] == [
        {"field": "friendlyName", "before": "", "after": "Acme"}
    ]
    shown = {one["field"]: one["after"] for one in found["changes"][2]["fields"]}
    assert shown == {
        "externalId": "web",
        "name": "Web",
        "applicationType": "REGULAR_WEB",
        "tokenEndpointAuthMethod": "CLIENT_SECRET_POST",
        "grantTypes": ["AUTHORIZATION_CODE", "REFRESH_TOKEN", "CLIENT_CREDENTIALS"],
        "redirectUris": ["https://web.example.com/cb"],
        "clientSecret": "********",
    }
    assert [one["noun"] for one in found["kept"]] == []
    payload = applied(api, document)
    assert payload["planHash"] == found["hash"]
    (made,) = (one for one in payload["made"] if one["noun"] == "applications")
    answer = server.client.post(
        tenant.url("oauth/token"),
        data={
            "grant_type": "client_credentials",
            "client_id": made["clientId"],
            "client_secret": made["secret"],
            "audience": ORDERS,
        },
    )
    assert answer.json()["scope"] == "read:orders"
    decoded = GlobalId.decode(made["id"])
    assert decoded is not None
    assert decoded.type == "Application"
    assert changes(api, document) == []
    (event,) = tenant.events("configuration.applied")
    assert event.details["changes"] == {"create": 4, "update": 1}
    assert event.actor_id == "tenantry-bootstrap"


def test_what_is_left_out_stays_and_null_sets_the_default(api: Api) -> None:
    settings = {"requirePkce": True, "idTokenLifetime": 60, "applicationMetadata": {"a": "1"}}
    applied(api, {"applications": [APP | settings]})
    assert changes(api, {"applications": [{"externalId": "web"}]}) == []
    change = {"externalId": "web", "idTokenLifetime": None, "applicationMetadata": {"b": "2"}}
    (found,) = plan(api, {"applications": [change]})["changes"]
    assert found["fields"] == [
        {"field": "applicationMetadata", "before": {"a": "1"}, "after": {"b": "2"}},
        {"field": "idTokenLifetime", "before": 60, "after": 36_000},
    ]
    applied(api, {"applications": [change]})
    (now,) = text.read(export(api, nouns=["applications"]))["applications"]
    assert (now["requirePkce"], now["idTokenLifetime"]) == (True, 36_000)
    assert now["applicationMetadata"] == {"b": "2"}


def test_nothing_is_deleted_unless_it_is_named(api: Api, tenant: Tenant) -> None:
    client = tenant.application("non_interactive", external_id="old")
    tenant.api(ORDERS, "read:orders")
    tenant.grant(client, ORDERS, "read:orders")
    document: Json = {"applications": [APP], "clientGrants": []}
    found = plan(api, document)
    assert [(one["noun"], one["key"]) for one in found["kept"]] == [
        ("applications", "old"),
        ("clientGrants", f"old {ORDERS} CLIENT"),
    ]
    gone = [{"noun": "applications", "key": "old"}]
    named = plan(api, document, deletes=gone)
    assert named["kept"] == []
    assert [(one["action"], one["noun"]) for one in named["changes"]] == [
        ("DELETE", "clientGrants"),
        ("DELETE", "applications"),
        ("CREATE", "applications"),
    ]
    before = {one["field"]: one["before"] for one in named["changes"][1]["fields"]}
    assert before["externalId"] == "old"
    applied(api, document, deletes=gone)
    assert changes(api, document, deletes=gone) == []
    assert len(tenant.events("application.deleted", "client_grant.deleted")) == 2
    # The key of what is gone may be used again.
    applied(api, {"applications": [APP | {"externalId": "old"}]})


@pytest.mark.parametrize(
    "document, deletes, path, code",
    [
        ({"applications": [APP]}, ("applications", "web"), "deletes.0.key", "NOT_ALLOWED"),
        ({}, ("people", "x"), "deletes.0.noun", "INVALID"),
        ({}, ("tenant", ""), "deletes.0.noun", "INVALID"),
    ],
)
def test_deletes_that_make_no_sense(
    api: Api, document: Json, deletes: tuple[str, str], path: str, code: str
) -> None:
    named = [{"noun": deletes[0], "key": deletes[1]}]
    assert refusals(planned(api, document, deletes=named)) == [(path, code)]


def test_a_document_that_takes_away_what_it_needs_is_refused(api: Api, tenant: Tenant) -> None:
    tenant.api(ORDERS, "read:orders")
    tenant.role("buyer", ORDERS, "read:orders")
    permissions = [{"audience": ORDERS, "scopes": ["read:orders"]}]
    document = {"roles": [{"name": "buyer", "permissions": permissions}]}
    payload = apply(api, document, deletes=[{"noun": "resourceServers", "key": ORDERS}])
    assert refusals(payload) == [("document.roles.0", "NOT_ALLOWED")]
    assert changes(api, document) == []


def test_an_apply_is_refused_if_anything_moved_since_the_plan(api: Api, tenant: Tenant) -> None:
    document = {"applications": [APP]}
    old = plan(api, document)["hash"]
    tenant.connection("meanwhile")
    payload = apply(api, document, planHash=old)
    (error,) = payload["errors"]
    new = plan(api, document)["hash"]
    assert (error["code"], error["field"]) == ("PLAN_STALE", ["planHash"])
    assert old in error["message"]
    assert new in error["message"]
    assert (payload["planHash"], payload["plan"], payload["made"]) == (new, None, None)
    other = {"applications": [APP | {"name": "Other"}]}
    assert apply(api, other, planHash=new)["errors"][0]["code"] == "PLAN_STALE"
    assert changes(api, document) == [("CREATE", "applications", "web")]
    assert apply(api, document, planHash=new)["errors"] == []


@both_databases
def test_of_many_who_apply_one_plan_one_succeeds(server: Server) -> None:
    tenant = server.tenant()
    api = root_api(tenant)
    document = {"connections": [{"name": "new"}], "applications": [APP]}
    hash_ = plan(api, document)["hash"]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: apply(api, document, planHash=hash_), range(6)))
    codes = [[error["code"] for error in answer["errors"]] for answer in answers]
    assert sorted(codes) == [[], *[["PLAN_STALE"]] * 5]
    assert len(tenant.events("application.created")) == 2  # With the explorer's.


def test_uploaded_keys_are_written_inside_their_application(api: Api, tenant: Tenant) -> None:
    key, other = public_jwk(rsa_key(), "a"), public_jwk(ec_key(), "b")

    def document(*keys: Json) -> Json:
        settings = {
            "tokenEndpointAuthMethod": "PRIVATE_KEY_JWT",
            "clientAuthenticationCredentials": list(keys),
        }
        return {"applications": [APP | settings]}

    first: Json = {"name": "one", "jwk": key, "expiresAt": "2100-01-01T01:00:00+01:00"}
    second: Json = {"name": "two", "jwk": other}
    found = plan(api, document(first))
    assert found["requiredScopes"] == [
        "create:applications",
        "create:credentials",
        "update:credentials",
    ]
    applied(api, document(first))
    assert changes(api, document(first)) == []
    (shown,) = text.read(export(api, nouns=["applications"]))["applications"]
    (written_out,) = shown["clientAuthenticationCredentials"]
    assert written_out["expiresAt"] == "2100-01-01T00:00:00Z"
    assert written_out["jwk"]["n"] == key["n"]
    # Rotation: both for a while, then the second alone; the first is not deleted.
    later = first | {"expiresAt": "2101-01-01T00:00:00Z"}
    for keys in ((later, second), (second,), (later,)):
        applied(api, document(*keys))
        assert changes(api, document(*keys)) == []
    assert len(tenant.events("credential.created")) == 2
    assert tenant.events("credential.deleted") == []
    path = "document.applications.0.clientAuthenticationCredentials"
    for bad, field in (
        ({"name": "x", "jwk": {"kty": "oct", "k": "AA"}}, f"{path}.0.jwk"),
        ({"name": "x", "jwk": key, "alg": "ES256"}, f"{path}.0.alg"),
        ({"name": "x", "jwk": key, "expiresAt": "tomorrow"}, f"{path}.0.expiresAt"),
        ({"name": "x", "jwk": key, "secret": "x"}, f"{path}.0.secret"),
    ):
        ((refused, _),) = refusals(planned(api, document(bad)))
        assert refused == field
    renamed = apply(api, document(later | {"name": "other"}))
    assert refusals(renamed) == [(f"{path}.0.name", "IMMUTABLE")]
    past = second | {"jwk": public_jwk(rsa_key("two"), "c"), "expiresAt": "2020-01-01T00:00:00Z"}
    ((refused, code),) = refusals(apply(api, document(past)))
    assert (refused, code) == (f"{path}.0.expiresAt", "OUT_OF_RANGE")


def test_all_or_nothing(api: Api, tenant: Tenant) -> None:
    document: Json = {
        "applications": [APP],
        "clientGrants": [{"application": "web", "audience": "https://nobody.example.com"}],
    }
    assert len(changes(api, document)) == 2
    with tenant.server.stores_nothing():
        payload = apply(api, document)
    assert refusals(payload) == [("document.clientGrants.0.audience", "NOT_FOUND")]
    assert payload["made"] is None
    assert len(changes(api, document)) == 2


def test_every_error_is_told_with_its_path(api: Api) -> None:
    document: Json = {
        "tenant": {"sessionLifetime": "long", "unknown": 1},
        "applications": [
            APP | {"redirectUris": ["https://ok.example.com", "no uri"]},
            APP | {"externalId": "b", "grantTypes": ["CLIENT_CREDENTIALS", "magic"]},
            APP | {"externalId": "c", "claimMappings": [{"claim": "x", "tokens": []}]},
            APP | {"externalId": "d", "idTokenLifetime": 0},
            APP | {"externalId": "e", "requirePkce": "yes"},
            {"externalId": "f"},
            APP,
        ],
        "roles": {"name": "x"},
        "connections": ["x"],
    }
    found = refusals(planned(api, document))
    assert found == [
        ("document.tenant.unknown", "INVALID"),
        ("document.connections.0", "INVALID"),
        ("document.applications.0.redirectUris.1", "INVALID"),
        ("document.applications.1.grantTypes.1", "INVALID"),
        ("document.applications.2.claimMappings.0.source", "REQUIRED"),
        ("document.applications.3.idTokenLifetime", "OUT_OF_RANGE"),
        ("document.applications.4.requirePkce", "INVALID"),
        ("document.applications.5.name", "REQUIRED"),
        ("document.applications.6.externalId", "INVALID"),
        ("document.roles", "INVALID"),
    ]
    invalid = jsonschema.Draft202012Validator(schema(api))
    assert len(list(invalid.iter_errors(document))) >= 4
    assert refusals(apply(api, document, planHash="x")) == found


def test_what_never_changes(api: Api, tenant: Tenant) -> None:
    tenant.api(ORDERS)
    change = {"identifier": ORDERS, "signingAlg": "HS256"}
    found = planned(api, {"resourceServers": [change]})
    assert refusals(found) == [("document.resourceServers.0.signingAlg", "IMMUTABLE")]


def test_no_secret_is_written_out_and_a_new_one_is_shown_once(api: Api, tenant: Tenant) -> None:
    document: Json = {
        "resourceServers": [{"identifier": ORDERS, "name": "O", "signingAlg": "HS256"}],
        "applications": [APP, APP | {"externalId": "spa", "applicationType": "SINGLE_PAGE"}],
        "logStreams": [{"name": "logs", "url": "https://logs.example.com"}],
    }
    keyed = api.sending(idempotency_key="once")
    hash_ = plan(api, document)["hash"]
    payload = apply(keyed, document, planHash=hash_)
    assert apply(keyed, document, planHash=hash_) == payload
    secrets = {one["key"]: one["secret"] for one in payload["made"]}
    assert {key for key, secret in secrets.items() if secret} == {ORDERS, "web", "logs"}
    exported = export(api)
    assert not [secret for secret in secrets.values() if secret and secret in exported]
    assert "ecret" not in exported.replace("CLIENT_SECRET_POST", "")
    # A secret that must sign from now on is made anew, and the plan says so.
    change = {"applications": [{"externalId": "web", "idTokenSignedResponseAlg": "HS256"}]}
    found = plan(api, change)
    assert found["changes"][0]["fields"][-1] == {
        "field": "clientSecret",
        "before": "********",
        "after": "********",
    }
    assert found["requiredScopes"] == ["update:application_keys", "update:applications"]
    (made,) = applied(api, change)["made"]
    assert made["secret"] not in {None, secrets["web"]}
    assert changes(api, change) == []


def test_what_the_server_needs_is_neither_shown_nor_touched(server: Server, root: Api) -> None:
    tenant = server.tenant()
    api = root_api(tenant)
    assert text.read(export(api, nouns=["applications", "resourceServers", "clientGrants"])) == {
        "version": 1,
        "resourceServers": [],
        "applications": [],
        "clientGrants": [],
    }
    of_root = text.read(export(root, nouns=["applications", "clientGrants"]))
    assert not [one for one in of_root["applications"] if "bootstrap" in one["externalId"]]
    assert not [one for one in of_root["clientGrants"] if one["audience"] == "*"]
    taken = apply(api, {"applications": [APP | {"externalId": "tenantry-explorer"}]})
    assert refusals(taken) == [("document.applications.0.externalId", "ALREADY_EXISTS")]
    grant = {"application": "tenantry-explorer", "audience": tenant.url("graphql")}
    payload = apply(api, {"clientGrants": [grant]})
    assert refusals(payload) == [("document.clientGrants.0.application", "NOT_FOUND")]
    identifier = tenant.url("graphql")
    named = apply(api, {"resourceServers": [{"identifier": identifier, "name": "Mine"}]})
    assert refusals(named) == [("document.resourceServers.0.identifier", "ALREADY_EXISTS")]
    gone = [{"noun": "resourceServers", "key": identifier}]
    assert changes(api, {}, deletes=gone) == []


def test_each_noun_needs_its_scopes(api: Api, limited: LIMITED) -> None:
    reader = limited("read:roles")
    assert text.read(export(reader, nouns=["roles"])) == {"version": 1, "roles": []}
    error = reader.error(EXPORT, nouns=["roles", "connections"])
    assert error["requiredScopes"] == ["read:connections", "read:roles"]
    assert plan(reader, {"roles": []})["changes"] == []
    asked = {"document": written({"roles": [], "connections": []})}
    assert reader.error(PLAN, input=asked)["code"] == "FORBIDDEN"
    document = {"roles": [{"name": "r"}], "connections": [{"name": "c"}]}
    found = plan(api, document)
    assert found["requiredScopes"] == ["create:connections", "create:roles"]
    writer = limited("create:roles", "update:connections")
    mutation = """mutation($input: ConfigurationApplyInput!) {
      configurationApply(input: $input) { planHash } }"""
    with api.tenant.server.stores_nothing():
        hash_ = plan(api, document)["hash"]
        given = {"document": written(document), "planHash": hash_}
        error = writer.error(mutation, input=given)
    assert (error["code"], error["requiredScopes"]) == ("FORBIDDEN", found["requiredScopes"])
    both = limited("create:roles", "create:connections")
    hash_ = plan(api, document)["hash"]
    assert apply(both, document, planHash=hash_)["errors"] == []


def test_a_plan_takes_a_constant_number_of_statements(api: Api, tenant: Tenant) -> None:
    counts = []
    for number in (1, 12):
        for each in range(number):
            client = tenant.application("non_interactive", name=f"{number}.{each}")
            tenant.api(f"https://{number}.example.com/{each}", "read:x")
            tenant.grant(client, f"https://{number}.example.com/{each}", "read:x")
            tenant.role(f"{number}.{each}", f"https://{number}.example.com/{each}", "read:x")
        document = export(api)
        with statements(tenant) as seen:
            assert changes(api, document) == []
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 20


def test_every_noun_is_what_the_registry_says() -> None:
    for noun in NOUNS:
        assert set(noun.key) <= set(noun.fields), noun.name
        assert noun.is_single == (noun.delete is None) == (not noun.key), noun.name
        for name in noun.fields:
            assert noun.hint(name) is not None


def test_the_external_id_is_the_client_id_unless_it_is_said(api: Api) -> None:
    made = api.application()
    shown = "application { externalId clientId }"

    def change(value: Any) -> Json:
        given = {"id": made["id"], "externalId": value}
        found: Json = api.do("applicationUpdate", shown, given)["application"]
        return found

    assert change("shop")["externalId"] == "shop"
    assert api.refused(
        "applicationCreate",
        {"name": "x", "applicationType": "NATIVE", "externalId": "shop"},
    )["field"] == ["externalId"]
    other = api.application()
    taken = {"id": other["id"], "externalId": "shop"}
    refusal = api.refused("applicationUpdate", taken)
    assert (refusal["field"], refusal["code"]) == (["externalId"], "ALREADY_EXISTS")
    assert change(None)["externalId"] == made["clientId"]
    odd = {"id": made["id"], "externalId": "with space"}
    assert api.refused("applicationUpdate", odd)["code"] == "INVALID"


def test_trusted_documents_are_found_by_their_digest(api: Api, tenant: Tenant) -> None:
    asked = {"document": "{ viewer { name } }", "name": "who asks"}
    given = {"tenant": {"trustedDocumentsOnly": False}, "trustedDocuments": [asked]}
    key = f"sha256:{hashlib.sha256(asked['document'].encode()).hexdigest()}"
    assert changes(api, given) == [("CREATE", "trustedDocuments", key)]
    (made,) = applied(api, given)["made"]
    assert (made["noun"], made["key"], made["secret"]) == ("trustedDocuments", key, None)
    listed = api.data("{ trustedDocuments(first: 9) { nodes { id documentId name } } }")
    assert listed["trustedDocuments"]["nodes"] == [
        {"id": made["id"], "documentId": key, "name": "who asks"}
    ]
    assert changes(api, given) == []
    assert changes(api, {"trustedDocuments": [{"document": asked["document"]}]}) == []
    renamed = {"trustedDocuments": [asked | {"name": "other"}]}
    assert refusals(planned(api, renamed)) == [("document.trustedDocuments.0.name", "IMMUTABLE")]
    deletes = [{"noun": "trustedDocuments", "key": key}]
    assert [one["action"] for one in plan(api, {}, deletes=deletes)["changes"]] == ["DELETE"]
    applied(api, {}, deletes=deletes)
    assert text.read(export(api, nouns=["trustedDocuments"]))["trustedDocuments"] == []
    assert tenant.events("trusted_document.deleted")


@pytest.mark.parametrize("document", ["{ nothingOfThisName }", "no document", "# " + "x" * 65_536])
def test_a_document_that_could_never_run_is_not_trusted(api: Api, document: str) -> None:
    given = {"trustedDocuments": [{"document": document}]}
    (refusal,) = apply(api, given)["errors"]
    assert refusal["field"] == ["document", "trustedDocuments", "0", "document"]
    assert text.read(export(api, nouns=["trustedDocuments"]))["trustedDocuments"] == []
