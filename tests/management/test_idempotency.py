"""A mutation that is sent twice with one key is done once and answered alike."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tenantry.management.mutations import unit
from tenantry.services import connections
from tenantry.store import tables
from tests.support.management import Api, root_api, tenant_api
from tests.support.server import Server, both_databases

NEW = {"name": "once", "applicationType": "MACHINE_TO_MACHINE"}
SHOWN = "application { id clientId revision createdAt } clientSecret"
COUNT = '{ applications(first: 1, filter: {nameContains: "once"}) { totalCount } }'


def count(api: Api) -> int:
    number: int = api.data(COUNT)["applications"]["totalCount"]
    return number


def test_a_repetition_gets_the_first_answer_with_its_secret(api: Api) -> None:
    keyed = api.sending(idempotency_key="key-1")
    first = keyed.do("applicationCreate", SHOWN, NEW)
    assert first["clientSecret"]
    api.do("applicationUpdate", "__typename", {"id": first["application"]["id"], "name": "once 2"})
    assert keyed.do("applicationCreate", SHOWN, NEW) == first
    assert count(api) == 1
    assert len(api.tenant.events("application.created")) == 2
    assert api.sending(idempotency_key="key-2").do("applicationCreate", SHOWN, NEW) != first
    assert count(api) == 2


def test_the_key_with_another_body_is_refused(api: Api) -> None:
    keyed = api.sending(idempotency_key="key")
    keyed.do("applicationCreate", SHOWN, NEW)
    for selection, input in ((SHOWN, NEW | {"name": "other"}), ("__typename", NEW)):
        payload = keyed.mutate("applicationCreate", selection, input)
        (refusal,) = payload["errors"]
        assert (refusal["code"], refusal["field"]) == ("IDEMPOTENCY_KEY_REUSED", [])
    assert count(api) == 1


def test_the_order_of_members_does_not_make_another_body(api: Api) -> None:
    keyed = api.sending(idempotency_key="key")
    first = keyed.do("applicationCreate", SHOWN, NEW)
    assert keyed.do("applicationCreate", SHOWN, dict(reversed(NEW.items()))) == first


def test_a_refusal_is_repeated_too(api: Api) -> None:
    keyed = api.sending(idempotency_key="key")
    new = {"name": "later"}
    api.do("connectionCreate", "__typename", new)
    first = keyed.refused("connectionCreate", new)
    assert first["code"] == "ALREADY_EXISTS"
    listed = api.data("{ connections(last: 1) { nodes { id } } }")["connections"]["nodes"]
    api.do("connectionDelete", "__typename", {"id": listed[0]["id"]})
    assert keyed.refused("connectionCreate", new) == first
    stale = {"id": api.application()["id"], "expectedRevision": 7}
    conflict = keyed.refused("applicationUpdate", stale | {"name": "x"})
    assert conflict["currentRevision"] == 1
    assert conflict == keyed.refused("applicationUpdate", stale | {"name": "x"})


def test_a_password_is_checked_before_and_answered_alike(api: Api) -> None:
    keyed = api.sending(idempotency_key="key")
    connection = "Username-Password-Authentication"
    new = {"connection": connection, "email": "a@example.com", "password": "short"}
    assert keyed.refused("userCreate", new) == keyed.refused("userCreate", new)
    good = api.sending(idempotency_key="other")
    new["password"] = "long enough"
    first = good.do("userCreate", "user { id email passwordChangedAt address { region } }", new)
    found = api.data("{ connections(first: 1) { nodes { id } } }")["connections"]["nodes"][0]
    api.do("connectionUpdate", "__typename", {"id": found["id"], "passwordMinimumLength": 20})
    again = good.do("userCreate", "user { id email passwordChangedAt address { region } }", new)
    assert again == first


def test_every_field_of_a_document_has_its_own_record(api: Api) -> None:
    document = """mutation {
      a: connectionCreate(input: {name: "a"}) { connection { id } errors { code } }
      b: connectionCreate(input: {name: "b"}) { connection { id } errors { code } }
      c: connectionCreate(input: {name: "a"}) { connection { id } errors { code } } }"""
    keyed = api.sending(idempotency_key="key")
    first = keyed.data(document)
    assert first["a"]["connection"] != first["b"]["connection"]
    assert first["c"]["errors"] == [{"code": "ALREADY_EXISTS"}]
    assert keyed.data(document) == first


def test_keys_rotate_once(api: Api) -> None:
    keyed = api.sending(idempotency_key="key")
    first = keyed.do("signingKeyRotate", "signingKeys { kid state }", {})
    assert keyed.do("signingKeyRotate", "signingKeys { kid state }", {}) == first
    assert api.data("{ signingKeys { kid state } }") == {"signingKeys": first["signingKeys"]}


def test_a_key_is_its_callers_and_tenants_own(server: Server) -> None:
    first, second = server.tenant(), server.tenant()
    names = {
        api.sending(idempotency_key="key").do("applicationCreate", SHOWN, NEW)["clientSecret"]
        for api in (
            root_api(first),
            tenant_api(first, "create:applications"),
            tenant_api(first, "create:applications"),
            root_api(second),
        )
    }
    assert len(names) == 4


def test_a_missing_permission_is_not_recorded(api: Api, server: Server) -> None:
    own = tenant_api(api.tenant, "create:connections").sending(idempotency_key="key")
    query = 'mutation { applicationDelete(input: {id: "x"}) { errors { code } } }'
    assert own.error(query)["code"] == "FORBIDDEN"
    assert server.stored()["mutation_records"] == len(records(server))


def records(server: Server) -> list[object]:
    with server.runtime.store.database.reading() as connection:
        found = connection.execute(tables.mutation_records.select()).all()
    assert all(row.answer for row in found)
    return list(found)


def test_a_fault_is_not_recorded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    keyed = api.sending(idempotency_key="key")
    new = {"name": "faulty"}

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(connections, "create", broken)
        query = 'mutation { connectionCreate(input: {name: "faulty"}) { __typename } }'
        assert keyed.error(query)["code"] == "INTERNAL"
    assert keyed.do("connectionCreate", "connection { name }", new)["connection"] == new


def test_after_a_day_the_key_is_free_again(server: Server) -> None:
    tenant = server.tenant()
    keyed = root_api(tenant).sending(idempotency_key="key")
    first = keyed.do("applicationCreate", SHOWN, NEW)
    server.clock.advance(24 * 3600 + 1)
    renewed = root_api(tenant).sending(idempotency_key="key")
    assert renewed.do("applicationCreate", SHOWN, NEW) != first


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "é"])
def test_a_malformed_key_is_refused(api: Api, key: str) -> None:
    response = api.tenant.server.raw(
        "POST",
        api.url,
        headers=[
            (b"authorization", f"Bearer {api.token}".encode()),
            (b"content-type", b"application/json"),
            (b"idempotency-key", key.encode()),
        ],
        body=[b'{"query": "mutation { __typename }"}'],
    )
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_two_keys_are_refused(api: Api) -> None:
    response = api.tenant.server.raw(
        "POST",
        api.url,
        headers=[
            (b"authorization", f"Bearer {api.token}".encode()),
            (b"content-type", b"application/json"),
            (b"idempotency-key", b"a"),
            (b"idempotency-key", b"b"),
        ],
        body=[b'{"query": "mutation { __typename }"}'],
    )
    assert response.status_code == 400


@both_databases
def test_of_concurrent_repetitions_one_is_done(server: Server) -> None:
    api = root_api(server.tenant())
    keyed = api.sending(idempotency_key="key")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: keyed.do("applicationCreate", SHOWN, NEW), range(16)))
    assert answers == answers[:1] * 16
    assert answers[0]["clientSecret"]
    assert count(api) == 1


@pytest.mark.parametrize("lacking", [["name"], []])
def test_what_an_older_release_recorded_is_answered(
    api: Api, monkeypatch: pytest.MonkeyPatch, lacking: list[str]
) -> None:
    """Settings that are new since count as unset; where more is lacking it is refused."""
    keyed = api.sending(idempotency_key="key")
    write = unit._written
    new = ["is_token_endpoint_ip_header_trusted", "contacts", "application_metadata", "tos_uri"]
    new += lacking

    def older(result: Any, record: Any) -> bytes:
        value, refusal = json.loads(write(result, record))
        kept = {k: v for k, v in value["application"].items() if k not in new}
        return json.dumps([value | {"application": kept}, refusal]).encode()

    monkeypatch.setattr(unit, "_written", older)
    first = keyed.do("applicationCreate", SHOWN, NEW)
    if lacking:
        assert keyed.refused("applicationCreate", NEW)["code"] == "IDEMPOTENCY_KEY_REUSED"
    else:
        assert keyed.do("applicationCreate", SHOWN, NEW) == first
    assert count(api) == 1
