"""Documents that run by their digest, and tenants at which no other runs."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.support.management import Api, Json, root_api, tenant_api
from tests.support.server import Server, both_databases

QUERY = "query($first: Int = 1) { applications(first: $first) { nodes { name } } }"
SHOWN = "trustedDocument { id name document documentId revision }"


def digest(document: str) -> str:
    return hashlib.sha256(document.encode()).hexdigest()


def trust(api: Api, document: str, **values: Any) -> Json:
    made: Json = api.do("trustedDocumentCreate", SHOWN, {"document": document} | values)[
        "trustedDocument"
    ]
    return made


def code_of(answer: Json) -> str:
    (error,) = answer["errors"]
    code: str = error["extensions"]["code"]
    return code


@both_databases
def test_a_document_runs_by_its_digest(server: Server) -> None:
    api = root_api(server.tenant())
    made = trust(api, QUERY, name="first")
    assert made["document"] == QUERY
    assert made["documentId"] == f"sha256:{digest(QUERY)}"
    assert (made["name"], made["revision"]) == ("first", 1)
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": digest(QUERY)}}
    answers = [
        api.send(body | {"variables": {"first": 2}}).json()["data"]
        for body in (
            {"documentId": made["documentId"]},
            {"extensions": persisted},
            {"query": QUERY, "extensions": persisted},
            {"query": QUERY},
        )
    ]
    assert answers == answers[:1] * 4
    assert len(answers[0]["applications"]["nodes"]) == 1
    listed = api.data("{ trustedDocuments(first: 9) { totalCount nodes { id documentId } } }")
    assert listed["trustedDocuments"] == {
        "totalCount": 1,
        "nodes": [{"id": made["id"], "documentId": made["documentId"]}],
    }
    api.do("trustedDocumentDelete", "deletedId", {"id": made["id"], "expectedRevision": 1})
    answer = api.send({"documentId": made["documentId"]}).json()
    assert code_of(answer) == "PERSISTED_QUERY_NOT_FOUND"


def test_nothing_is_registered_by_being_asked_for(api: Api) -> None:
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": digest(QUERY)}}
    unknown = api.send({"extensions": persisted}).json()
    assert "data" not in unknown
    (error,) = unknown["errors"]
    assert error["message"] == "PersistedQueryNotFound"
    assert error["extensions"] == {"code": "PERSISTED_QUERY_NOT_FOUND"}
    assert "errors" not in api.send({"query": QUERY, "extensions": persisted}).json()
    assert code_of(api.send({"extensions": persisted}).json()) == "PERSISTED_QUERY_NOT_FOUND"


def test_a_document_is_the_tenants_own(server: Server) -> None:
    first, second = root_api(server.tenant()), root_api(server.tenant())
    made = trust(first, QUERY)
    assert code_of(second.send({"documentId": made["documentId"]}).json()) == (
        "PERSISTED_QUERY_NOT_FOUND"
    )
    trust(second, QUERY)


def test_scopes_count_as_ever(server: Server) -> None:
    """Who trusts a document lends nobody the right to what it asks for."""
    tenant = server.tenant()
    made = trust(root_api(tenant), QUERY)
    answer = tenant_api(tenant, "read:users").send({"documentId": made["documentId"]}).json()
    assert code_of(answer) == "FORBIDDEN"
    assert Api(tenant).send({"documentId": made["documentId"]}).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"documentId": digest(QUERY)},
        {"documentId": f"sha256:{digest(QUERY).upper()}"},
        {"documentId": "sha256:abc"},
        {"documentId": f"md5:{digest(QUERY)}"},
        {"documentId": 7},
        {"documentId": f"sha256:{digest(QUERY)}\n"},
        {"extensions": {"persistedQuery": {"sha256Hash": digest(QUERY)}}},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": digest(QUERY)}}},
        {"extensions": {"persistedQuery": {"version": 1}}},
        {"extensions": {"persistedQuery": "x"}},
        {"extensions": []},
        {"query": "", "documentId": f"sha256:{digest('')}"},
        {},
    ],
)
def test_malformed_digests_are_refused(api: Api, body: Json) -> None:
    response = api.send(body)
    assert response.status_code == 400
    assert code_of(response.json()) == "BAD_REQUEST"


def test_a_digest_beside_another_document_is_refused(api: Api) -> None:
    body = {"query": "{ viewer { id } }", "documentId": f"sha256:{digest(QUERY)}"}
    assert code_of(api.send(body).json()) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "document, code",
    [
        ("", "INVALID"),
        ("{", "INVALID"),
        ("{ nonsense }", "INVALID"),
        ("{ viewer { id " + "tenant { " * 20 + "id" + " }" * 21 + " }", "INVALID"),
        ('{ node(id: "\\u0000") { id } }', "INVALID"),
        ("{ __typename }" + " " * 65_536, "TOO_LONG"),
    ],
)
def test_a_document_that_could_never_run_is_refused(api: Api, document: str, code: str) -> None:
    refusal = api.refused("trustedDocumentCreate", {"document": document})
    assert (refusal["code"], refusal["field"]) == (code, ["document"])


def test_a_document_is_trusted_once(api: Api) -> None:
    made = trust(api, QUERY)
    refusal = api.refused("trustedDocumentCreate", {"document": QUERY, "name": "again"})
    assert (refusal["code"], refusal["field"]) == ("ALREADY_EXISTS", ["document"])
    trust(api, f"{QUERY} ")
    stale = api.refused("trustedDocumentDelete", {"id": made["id"], "expectedRevision": 7})
    assert (stale["code"], stale["currentRevision"]) == ("CONFLICT", 1)


def switch(api: Api, on: bool) -> None:
    shown = "tenant { trustedDocumentsOnly }"
    done = api.do("tenantUpdate", shown, {"trustedDocumentsOnly": on})
    assert done["tenant"] == {"trustedDocumentsOnly": on}


def test_a_tenant_may_allow_nothing_else(api: Api) -> None:
    made = trust(api, QUERY)
    html = {"accept": "text/html"}
    get = api.tenant.server.client.get
    assert get(api.url, headers=html).status_code == 200
    switch(api, True)
    assert "errors" not in api.send({"documentId": made["documentId"]}).json()
    assert "errors" not in api.answer(QUERY)
    for refused in (
        "{ viewer { id } }",
        "{ __schema { types { name } } }",
        "{ nonsense }",
        "{",
        f"{QUERY} ",
        'mutation { roleCreate(input: {name: "x"}) { errors { code } } }',
        (
            "mutation { tenantUpdate(input: {}) { __typename } "
            'roleCreate(input: {name: "x"}) { __typename } }'
        ),
        (
            "mutation A { ...B } fragment B on Mutation "
            '{ roleCreate(input: {name: "x"}) { __typename } }'
        ),
        "mutation A { tenantUpdate(input: {}) { __typename } } query B { viewer { id } }",
    ):
        answer = api.send({"query": refused, "operationName": None}).json()
        assert "data" not in answer
        assert code_of(answer) == "UNTRUSTED_DOCUMENT", refused
    assert code_of(Api(api.tenant).answer("{ __schema { types { name } } }")) == (
        "UNTRUSTED_DOCUMENT"
    )
    events = api.sending(accept="text/event-stream")
    answer = events.send({"query": "subscription { logEvents { cursor } }"}).json()
    assert code_of(answer) == "UNTRUSTED_DOCUMENT"
    explorer = get(api.url, headers=html)
    assert explorer.status_code == 403
    assert "trusted documents only" in explorer.text


def test_nobody_is_locked_out(server: Server) -> None:
    """Whoever could switch it on can still say what is trusted, and switch it off."""
    tenant = server.tenant()
    api = tenant_api(tenant, "update:tenant_settings", "read:roles")
    switch(api, True)
    roles = "{ roles(first: 1) { totalCount } }"
    assert api.error(roles)["code"] == "UNTRUSTED_DOCUMENT"
    made = trust(api, roles)
    assert api.data(roles) == {"roles": {"totalCount": 0}}
    api.do("trustedDocumentDelete", "deletedId", {"id": made["id"]})
    assert api.error(roles)["code"] == "UNTRUSTED_DOCUMENT"
    switch(api, False)
    assert api.data(roles) == {"roles": {"totalCount": 0}}


def test_an_idempotency_key_counts_for_the_document_however_it_was_named(api: Api) -> None:
    document = 'mutation { roleCreate(input: {name: "once"}) { role { id } errors { code } } }'
    made = trust(api, document)
    keyed = api.sending(idempotency_key="key")
    first = keyed.send({"documentId": made["documentId"]}).json()["data"]
    assert first["roleCreate"]["role"]
    assert keyed.send({"query": document}).json()["data"] == first
