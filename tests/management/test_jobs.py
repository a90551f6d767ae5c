"""Bulk work: lines up by a secret address, carried out in the background, results down."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from tenantry.core.clock import Clock
from tenantry.core.context import SYSTEM, Caller
from tenantry.core.facts import LogEventFacts
from tenantry.core.ids import GlobalId
from tenantry.jobs import bulk
from tenantry.jobs.pruning import prune
from tenantry.store import consents, job_chunks, jobs, tables, users
from tenantry.store.pages import PageRequest
from tenantry.store.users import UserFilter
from tests.support.databases import Databases
from tests.support.jobs import (
    DATABASE,
    ask,
    done,
    download,
    lines,
    results_of,
    run_jobs,
    state,
    upload,
)
from tests.support.management import Api, Json, root_api, tenant_api
from tests.support.server import Server, Tenant, both_databases

LIMITED = Callable[..., Api]
API = "https://api.example.com"
PAGE = PageRequest(10)


class MovingClock(Clock):
    def __init__(self) -> None:
        super().__init__()
        self.ahead = timedelta()

    def now(self) -> Any:
        return super().now() + self.ahead


@pytest.fixture
def moving(databases: Databases, portal: Any) -> Iterator[tuple[Server, MovingClock]]:
    """A server whose time is moved, and which takes little."""
    with databases.url("sqlite") as url:
        clock = MovingClock()
        made = Server(url, portal, clock=clock, job_max_lines=300, job_max_bytes=100_000)
        made.begin()
        yield made, clock
        made.close()


def changed(event: LogEventFacts) -> set[str]:
    """The names of the fields."""
    changes = event.details["changes"]
    assert isinstance(changes, dict)
    return set(changes)


def people(number: int) -> list[Json]:
    return [{"email": f"person-{index}@example.com"} for index in range(number)]


def number_of_users(tenant: Tenant) -> int:
    found: int = tenant.read(users.count, UserFilter())
    return found


# --- every kind ------------------------------------------------------------------------------


def test_an_import_makes_users_with_their_roles_and_says_so_line_by_line(
    api: Api, tenant: Tenant
) -> None:
    tenant.role("Editors", tenant.url("graphql"), "read:users")
    given: list[Json] = [
        {
            "email": "Ann@example.com",
            "emailVerified": True,
            "givenName": "Ann",
            "address": {"country": "CH"},
            "appMetadata": {"plan": "gold"},
            "roles": ["Editors"],
        },
        {"username": "ben", "blocked": True},
        {"email": "ann@EXAMPLE.com"},
        {"givenName": "nobody"},
        {"email": "x@example.com", "roles": ["unknown"]},
    ]
    job = done(api, "USER_IMPORT", given)
    assert (job["state"], job["total"], job["done"], job["failed"]) == ("COMPLETED", 5, 2, 3)
    found = results_of(api, job)
    assert [(one["line"], one["status"]) for one in found] == [
        (1, "CREATED"), (2, "CREATED"), (3, "FAILED"), (4, "FAILED"), (5, "FAILED"),
    ]  # fmt: skip
    assert [one["errors"][0]["code"] for one in found[2:]] == [
        "ALREADY_EXISTS", "REQUIRED", "NOT_FOUND",
    ]  # fmt: skip
    assert found[4]["errors"][0]["field"] == ["roles", "0"]
    ann = api.data(
        "query($id: ID!) { node(id: $id) { ... on User { email emailVerified givenName blocked"
        " address { country } appMetadata roles { name } } } }",
        id=found[0]["id"],
    )["node"]
    assert ann == {
        "email": "Ann@example.com",
        "emailVerified": True,
        "givenName": "Ann",
        "blocked": False,
        "address": {"country": "CH"},
        "appMetadata": {"plan": "gold"},
        "roles": [{"name": "Editors"}],
    }
    assert api.data(
        "query($id: ID!) { node(id: $id) { ... on User { blocked } } }", id=found[1]["id"]
    )["node"] == {"blocked": True}


def test_imported_users_are_found_by_words_like_any_other(api: Api) -> None:
    done(api, "USER_IMPORT", [{"email": "z@example.com", "familyName": "Zwicky"}])
    nodes = api.data('{ users(first: 9, filter: {search: "zwi"}) { nodes { email } } }')
    assert nodes["users"]["nodes"] == [{"email": "z@example.com"}]


def test_an_upsert_changes_who_is_there(api: Api, tenant: Tenant) -> None:
    tenant.user("ann@example.com", given_name="Old", user_metadata={"kept": 1})
    given = [
        {"email": "ANN@example.com", "givenName": "New", "userMetadata": {"more": 2}},
        {"email": "new@example.com"},
        {"email": "ann@example.com", "blocked": True},
    ]
    job = done(api, "USER_IMPORT", given, upsert=True)
    assert [one["status"] for one in results_of(api, job)] == ["UPDATED", "CREATED", "UPDATED"]
    (ann,) = tenant.read(users.page, UserFilter(email="ann@example.com"), PAGE).items
    assert (ann.given_name, ann.blocked) == ("New", True)
    assert ann.user_metadata == {"kept": 1, "more": 2}


def test_users_are_changed_and_deleted(api: Api, tenant: Tenant) -> None:
    ids = [
        GlobalId("User", tenant.id, tenant.user(f"{name}@example.com").id).encode()
        for name in ("a", "b")
    ]
    changed = done(
        api,
        "USER_UPDATE",
        [
            {"id": ids[0], "givenName": "A", "expectedRevision": 1},
            {"id": ids[1], "givenName": "B", "expectedRevision": 7},
        ],
    )
    first, second = results_of(api, changed)
    assert first == {"line": 1, "status": "UPDATED", "id": ids[0]}
    assert second["errors"][0] == {
        "code": "CONFLICT",
        "field": ["expectedRevision"],
        "message": "The object has changed since: its revision is 1.",
        "currentRevision": 1,
    }
    gone = done(api, "USER_DELETE", [{"id": one} for one in (*ids, ids[0])])
    assert [one["status"] for one in results_of(api, gone)] == ["DELETED", "DELETED", "FAILED"]
    assert number_of_users(tenant) == 0


def test_applications_and_grants_are_made_changed_and_deleted(api: Api, tenant: Tenant) -> None:
    tenant.api(API, "read", "write")
    made = done(
        api,
        "APPLICATION_CREATE",
        [
            {"name": "One", "applicationType": "MACHINE_TO_MACHINE"},
            {"name": "Two", "applicationType": "NATIVE"},
            {"name": "Three", "applicationType": "TOASTER"},
        ],
    )
    shown = results_of(api, made)
    assert [one["status"] for one in shown] == ["CREATED", "CREATED", "FAILED"]
    assert len(shown[0]["clientSecret"]) >= 43
    assert "clientSecret" not in shown[1]
    assert all("clientSecret" not in one for one in results_of(api, made))
    query = "query($id: ID!) { node(id: $id) { ... on Application { clientId name } } }"
    client_id = api.data(query, id=shown[0]["id"])["node"]["clientId"]
    auth = (client_id, shown[0]["clientSecret"])
    asked = {"grant_type": "client_credentials", "audience": API}
    granted = done(
        api, "CLIENT_GRANT_CREATE", [{"clientId": client_id, "audience": API, "scopes": ["read"]}]
    )
    (grant,) = results_of(api, granted)
    token = tenant.server.client.post(tenant.url("oauth/token"), data=asked, auth=auth)
    assert token.json()["scope"] == "read"
    done(api, "CLIENT_GRANT_UPDATE", [{"id": grant["id"], "scopes": ["write"]}])
    token = tenant.server.client.post(tenant.url("oauth/token"), data=asked, auth=auth)
    assert token.json()["scope"] == "write"
    done(api, "CLIENT_GRANT_DELETE", [{"id": grant["id"]}])
    done(api, "APPLICATION_UPDATE", [{"id": shown[0]["id"], "name": "New"}])
    assert api.data(query, id=shown[0]["id"])["node"]["name"] == "New"
    done(api, "APPLICATION_DELETE", [{"id": shown[0]["id"]}])
    assert api.data(query, id=shown[0]["id"])["node"] is None


def test_user_grants_are_taken_back(api: Api, tenant: Tenant) -> None:
    user, client = tenant.user(), tenant.application()
    tenant.write(consents.add_scopes, user.id, client.id, API, ["read"])
    id_ = api.data("{ grants(first: 1) { nodes { id } } }")["grants"]["nodes"][0]["id"]
    assert done(api, "GRANT_DELETE", [{"id": id_}])["done"] == 1
    assert api.data("{ grants(first: 1) { nodes { id } } }")["grants"]["nodes"] == []


def test_an_export_has_every_user_without_the_password(api: Api, tenant: Tenant) -> None:
    done(api, "USER_IMPORT", people(203))
    tenant.connection("other")
    tenant.user("else@example.com", connection="other", address=None)
    job = ask(api, "USER_EXPORT")
    assert (job["uploadUrl"], job["state"]) == (None, "QUEUED")
    run_jobs(tenant.server)
    assert state(api, job)["total"] == 204
    found = results_of(api, job)
    assert len({one["email"] for one in found}) == 204
    assert not any("password" in name.lower() for one in found for name in one)
    some = ask(api, "USER_EXPORT", connection="other")
    run_jobs(tenant.server)
    (one,) = results_of(api, some)
    assert (one["email"], one["emailVerified"], one["roles"]) == ("else@example.com", False, [])
    read_only = tenant_api(tenant, "read:users")
    assert ask(read_only, "USER_EXPORT")["state"] == "QUEUED"


# --- all or nothing --------------------------------------------------------------------------


@both_databases
def test_one_bad_line_leaves_nothing_of_all(server: Server, pytestconfig: pytest.Config) -> None:
    number = 10_000 if pytestconfig.getoption("--full") else 400
    tenant = server.tenant()
    api = root_api(tenant)
    given = people(number)
    cases = [
        ({"email": "not an address"}, ("INVALID", ["email"])),
        ({"email": "PERSON-0@example.com"}, ("ALREADY_EXISTS", ["email"])),
    ]
    for bad, expected in cases:
        job = done(
            api, "USER_IMPORT", [*given[: number - 2], bad, given[-1]],
            errorPolicy="ALL_OR_NOTHING",
        )  # fmt: skip
        assert (job["state"], job["done"], job["failed"]) == ("FAILED", 0, 1)
        assert job["error"] == (
            f"Nothing was done. Lines that were refused: 1, at first {number - 1}."
        )
        found = results_of(api, job)
        assert len(found) == number
        refused = found[number - 2]
        assert (refused["line"], refused["status"]) == (number - 1, "FAILED")
        assert [(each["code"], each["field"]) for each in refused["errors"]] == [expected]
        assert {one["status"] for one in found if one["line"] != number - 1} == {"NOT_DONE"}
        assert number_of_users(tenant) == 0
        assert not tenant.events("user.created")
    good = done(api, "USER_IMPORT", given, errorPolicy="ALL_OR_NOTHING")
    assert (good["state"], good["done"]) == ("COMPLETED", number)
    assert number_of_users(tenant) == number


def test_line_9999_of_10000_is_named_and_nothing_is_done(api: Api, tenant: Tenant) -> None:
    given: list[Json] = [*people(9_998), {"email": "x" * 300}, {"email": "last@example.com"}]
    job = done(api, "USER_IMPORT", given, errorPolicy="ALL_OR_NOTHING")
    assert (job["state"], job["total"], job["failed"]) == ("FAILED", 10_000, 1)
    found = results_of(api, job)
    assert len(found) == 10_000
    (refused,) = [line for line in found if line["status"] != "NOT_DONE"]
    assert (refused["line"], refused["errors"][0]["field"]) == (9_999, ["email"])
    assert number_of_users(tenant) == 0


@both_databases
def test_the_others_are_there_where_one_is_skipped(
    server: Server, pytestconfig: pytest.Config
) -> None:
    number = 10_000 if pytestconfig.getoption("--full") else 300
    tenant = server.tenant()
    api = root_api(tenant)
    given: list[Json] = [*people(number - 2), {"email": "not one"}, {"email": "last@example.com"}]
    job = done(api, "USER_IMPORT", given)
    assert (job["state"], job["done"], job["failed"]) == ("COMPLETED", number - 1, 1)
    failed = [line for line in results_of(api, job) if line["status"] != "CREATED"]
    assert [(line["line"], line["errors"][0]["field"]) for line in failed] == [
        (number - 1, ["email"])
    ]
    assert number_of_users(tenant) == number - 1
    counted = '{ logEvents(first: 1, filter: {types: ["user.created"]}) { totalCount } }'
    assert api.data(counted)["logEvents"]["totalCount"] == number - 1


def test_the_other_kinds_are_all_or_nothing_too(api: Api, tenant: Tenant) -> None:
    tenant.user("ann@example.com")
    given = [{"email": "ben@example.com"}, {"email": "ann@example.com", "gender": "x" * 51}]
    job = done(api, "USER_IMPORT", given, errorPolicy="ALL_OR_NOTHING", upsert=True)
    assert (job["state"], number_of_users(tenant)) == ("FAILED", 1)
    two = [
        {"name": "One", "applicationType": "MACHINE_TO_MACHINE"},
        {"name": "Two", "applicationType": "REGULAR_WEB", "connections": ["unknown"]},
    ]
    before = tenant.server.stored()["applications"]
    refused = done(api, "APPLICATION_CREATE", two, errorPolicy="ALL_OR_NOTHING")
    assert (refused["state"], tenant.server.stored()["applications"]) == ("FAILED", before)
    assert [one["status"] for one in results_of(api, refused)] == ["NOT_DONE", "FAILED"]
    made = done(api, "APPLICATION_CREATE", two[:1], errorPolicy="ALL_OR_NOTHING")
    assert "clientSecret" in results_of(api, made)[0]


# --- the upload ------------------------------------------------------------------------------


@both_databases
def test_an_upload_is_taken_once_however_many_try(server: Server) -> None:
    api = root_api(server.tenant())
    job = ask(api, "USER_IMPORT")
    token = job["uploadUrl"].partition("token=")[2]
    id_ = GlobalId.decode(job["id"])
    assert id_ is not None

    async def contend() -> list[Any]:
        def claim() -> Any:
            return server.runtime.store.write(
                api.tenant.id, Caller(SYSTEM), jobs.claim_upload, id_.local_id, token, 60
            )

        return await asyncio.gather(*(claim() for _ in range(8)))

    assert sum(lease is not None for lease in server.portal.call(contend)) == 1
    assert upload(api, job, lines(people(1))).status_code == 404


@both_databases
def test_a_job_is_run_by_one_process_however_many_try(server: Server) -> None:
    api = root_api(server.tenant())
    job = ask(api, "USER_IMPORT")
    upload(api, job, lines(people(150)))

    async def contend() -> None:
        format_ = server.application.lines
        await asyncio.gather(*(bulk.run(server.runtime, format_) for _ in range(6)))

    server.portal.call(contend)
    assert state(api, job)["done"] == 150
    assert len(api.tenant.events("job.completed")) == 1


def test_an_upload_address_works_once_in_time_and_at_its_tenant(
    moving: tuple[Server, MovingClock],
) -> None:
    server, clock = moving
    api, other = root_api(server.tenant()), root_api(server.tenant())
    job = ask(api, "USER_IMPORT")
    wrong = {
        "token": {"uploadUrl": job["uploadUrl"] + "x"},
        "no token": {"uploadUrl": job["uploadUrl"].partition("?")[0]},
        "tenant": {"uploadUrl": job["uploadUrl"].replace(api.tenant.issuer, other.tenant.issuer)},
        "id": {"uploadUrl": job["uploadUrl"].replace(job["id"], "eA")},
    }
    for what, address in wrong.items():
        assert upload(api, address, b"{}").status_code == 404, what
    assert upload(api, job, lines(people(1))).status_code == 202
    assert upload(api, job, lines(people(2))).status_code == 404
    late = ask(api, "USER_IMPORT")
    clock.ahead = timedelta(hours=1, seconds=1)
    assert upload(api, late, lines(people(1))).status_code == 404
    run_jobs(server)
    api = root_api(api.tenant)
    assert state(api, job)["state"] == "COMPLETED"
    assert state(api, late)["error"] == "Nothing was uploaded in time."


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "There is no line."),
        (b"\n \r\n\n", "There is no line."),
        (b'{"email": "' + b"a" * 65_536, "A line has at most 65536 bytes."),
        (b'{"email": "' + b"a" * 65_536 + b"\n", "A line has at most 65536 bytes."),
        (b"{}\n" * 301, "This job takes at most 300 lines."),
        (b'{"a": "%s"}\n' % (b"x" * 1000) * 120, "This job takes at most 100000 bytes."),
    ],
)
def test_what_is_too_much_is_refused_and_fails_the_job(
    moving: tuple[Server, MovingClock], content: bytes, reason: str
) -> None:
    server, _ = moving
    api = root_api(server.tenant())
    job = ask(api, "USER_IMPORT")
    response = upload(api, job, content)
    assert response.status_code == 400
    assert response.json()["error_description"] == reason
    found = state(api, job)
    assert (found["state"], found["error"]) == ("FAILED", reason)
    assert upload(api, job, b"{}").status_code == 404
    assert server.stored()["job_chunks"] == 0


def test_a_million_lines_are_refused_as_they_come(server: Server) -> None:
    """In bounded memory: what is too much is never read to its end."""
    api = root_api(server.tenant())
    job = ask(api, "USER_IMPORT", errorPolicy="ALL_OR_NOTHING")
    sent = 0

    def million() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield b'{"email": "x@example.com"}\n' * 1000

    path, _, query = job["uploadUrl"].partition("?")
    response = server.raw("PUT", path, query=query.encode(), body=million())
    assert response.status_code == 400
    assert response.json()["error_description"] == "This job takes at most 10000 lines."


def test_lines_have_the_numbers_of_the_file(api: Api) -> None:
    """Blank lines count, whole chunks of them too."""
    good = people(120)
    content = b"\n" * 250 + lines(good[:3]) + b" \r\n" * 2 + lines(good[3:]) + b"{}" + b"\n" * 300
    job = done(api, "USER_IMPORT", content)
    assert (job["total"], job["done"], job["failed"]) == (121, 120, 1)
    numbers = [one["line"] for one in results_of(api, job)]
    assert numbers == [251, 252, 253, *range(256, 374)]
    whole = done(api, "USER_IMPORT", b"\n" + b"{}\n\n{}", errorPolicy="ALL_OR_NOTHING")
    assert whole["error"] == "Nothing was done. Lines that were refused: 2, at first 2."
    assert [one["line"] for one in results_of(api, whole)] == [2, 4]


def test_lines_are_posted_too_but_not_as_a_form(api: Api) -> None:
    job = ask(api, "USER_IMPORT")
    client = api.tenant.server.client
    form = client.post(job["uploadUrl"], files={"file": ("users.jsonl", lines(people(1)))})
    assert form.status_code == 415
    assert client.post(job["uploadUrl"], content=lines(people(1))).json() == {"lines": 1}


def test_asking_for_the_head_shows_no_secret_and_takes_none(api: Api) -> None:
    new = {"name": "One", "applicationType": "MACHINE_TO_MACHINE"}
    job = done(api, "APPLICATION_CREATE", [new])
    url = api.tenant.url(f"jobs/{job['id']}/results")
    head = api.tenant.server.client.head(url, headers={"authorization": f"Bearer {api.token}"})
    assert head.status_code == 200
    assert "clientSecret" in results_of(api, job)[0]


def test_compressed_lines_are_refused_and_leave_the_address_as_it_was(api: Api) -> None:
    job = ask(api, "USER_IMPORT")
    packed = gzip.compress(lines(people(1)))
    response = upload(api, job, packed[:-4], **{"content-encoding": "gzip"})
    assert response.status_code == 415
    assert upload(api, job, lines(people(1))).status_code == 202


def test_an_upload_that_breaks_off_fails_the_job(server: Server) -> None:
    api = root_api(server.tenant())
    job = ask(api, "USER_IMPORT")
    path, _, query = job["uploadUrl"].partition("?")

    async def cut() -> int:
        messages = [
            {"type": "http.request", "body": lines(people(150)), "more_body": True},
            {"type": "http.disconnect"},
        ]
        statuses: list[int] = []

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Any) -> None:
            statuses.append(message.get("status", 0))

        scope = {
            "type": "http",
            "method": "PUT",
            "path": urlsplit(path).path,
            "query_string": query.encode(),
            "headers": [(b"host", b"localhost:8000")],
            "client": ("192.0.2.1", 4711),
        }
        await server.application(scope, receive, send)
        return statuses[0]

    assert server.portal.call(cut) == 408
    found = state(api, job)
    assert (found["state"], found["error"]) == ("FAILED", "The upload broke off.")


@pytest.mark.parametrize(
    "line, code",
    [
        (b'{"email": "\xff@example.com"}', "INVALID"),
        (b'{"email": "a\\u0000@example.com"}', "INVALID"),
        (b'{"email": "a\\ud800@example.com"}', "INVALID"),
        (b'{"email": "a\\u0007@example.com"}', "INVALID"),
        (b'{"email": "a@example.com", "email": "b@example.com"}', "INVALID"),
        (b'{"email": 5}', "INVALID"),
        (b'{"email": "a@example.com", "unknown": 1}', "INVALID"),
        (b'{"email": "a@example.com", "password": "long enough"}', "INVALID"),
        (b'{"email": "a@example.com", "passwordHash": "plain"}', "INVALID"),
        (b'{"email": "a@example.com", "userMetadata": {"a": NaN}}', "INVALID"),
        (b'{"email": "a@example.com", "roles": 7}', "INVALID"),
        (b'["email"]', "INVALID"),
        (b"null", "INVALID"),
        (b"{" * 5000, "INVALID"),
        (b'{"email": "a@example.com", "givenName": "%s"}' % (b"x" * 151), "TOO_LONG"),
        (b'{"email": null, "username": null}', "REQUIRED"),
        (b"{}", "REQUIRED"),
        (b'{"email": "a@example.com", "userMetadata": {"a": 1e999}}', "INVALID"),
        (b'{"email": "a@example.com", "userMetadata": {"a": ' + b"9" * 5000 + b"}}", "INVALID"),
    ],
)
def test_a_bad_line_fails_alone(api: Api, line: bytes, code: str) -> None:
    job = done(api, "USER_IMPORT", b"\xef\xbb\xbf" + lines(people(1)) + line + b"\r\n\n{}")
    assert (job["state"], job["total"], job["done"]) == ("COMPLETED", 3, 1)
    found = results_of(api, job)
    assert found[1]["errors"][0]["code"] == code
    assert [one["line"] for one in found] == [1, 2, 4]


def test_a_refused_line_does_not_show_the_hash(api: Api) -> None:
    job = done(api, "USER_IMPORT", [{"email": "a@example.com", "passwordHash": "$2b$x", "z": 1}])
    assert "$2b$x" not in download(api, job).text


def test_ids_of_others_are_refused_like_unknown_ones(api: Api, server: Server) -> None:
    other = server.tenant()
    foreign = GlobalId("User", other.id, other.user().id).encode()
    mistyped = GlobalId("Application", api.tenant.id, "x").encode()
    job = done(api, "USER_DELETE", [{"id": id_} for id_ in (foreign, mistyped, "x", "é")])
    refusals = [one["errors"][0] for one in results_of(api, job)]
    assert {json.dumps(refusal) for refusal in refusals} == {
        '{"code": "NOT_FOUND", "field": ["id"], "message": "There is no such user."}'
    }
    assert number_of_users(other) == 1


# --- who may ---------------------------------------------------------------------------------


def test_a_job_needs_the_scopes_of_its_lines(tenant: Tenant, limited: LIMITED) -> None:
    create = """mutation($input: JobCreateInput!) {
      jobCreate(input: $input) { job { id } errors { code } } }"""
    given = {"kind": "USER_IMPORT", "errorPolicy": "SKIP_FAILED", "connection": DATABASE}
    error = limited("update:users").error(create, input=given)
    assert (error["code"], error["requiredScopes"]) == ("FORBIDDEN", ["create:users"])
    api = limited("create:users")
    error = api.error(create, input=given | {"upsert": True})
    assert error["requiredScopes"] == ["create:users", "update:users"]
    job = ask(api, "USER_IMPORT")
    tenant.role("Admins", tenant.url("graphql"), "read:users")
    given_lines = [{"email": "a@example.com", "roles": ["Admins"]}, {"email": "b@example.com"}]
    upload(api, job, lines(given_lines))
    run_jobs(tenant.server)
    first, second = results_of(api, job)
    assert (first["errors"][0]["code"], first["errors"][0]["field"]) == ("NOT_ALLOWED", ["roles"])
    assert second["status"] == "CREATED"


def test_a_scope_that_was_taken_back_ends_the_job(api: Api, tenant: Tenant) -> None:
    own = tenant_api(tenant, "create:users", "update:users")
    job = ask(own, "USER_IMPORT")
    upload(own, job, lines(people(1)))
    (grant,) = [
        node
        for node in api.data("{ clientGrants(first: 9) { nodes { id scopes } } }")["clientGrants"][
            "nodes"
        ]
        if node["scopes"] == ["create:users", "update:users"]
    ]
    api.do("clientGrantUpdate", "__typename", {"id": grant["id"], "scopes": ["update:users"]})
    run_jobs(tenant.server)
    found = state(api, job)
    assert found["error"] == "Whoever asked for the job may not do this any more."
    assert number_of_users(tenant) == 0
    assert download(own, job).status_code == 403


def test_jobs_are_shown_to_who_could_ask_for_them(
    api: Api, limited: LIMITED, server: Server
) -> None:
    job = done(api, "USER_IMPORT", people(1))
    query = "query($id: ID!) { job(id: $id) { id } node(id: $id) { id } }"
    assert api.data(query, id=job["id"])["node"] == {"id": job["id"]}
    other = limited("delete:grants")
    listed = "{ jobs(first: 9) { totalCount nodes { kind } } }"
    assert other.data(listed)["jobs"] == {"totalCount": 0, "nodes": []}
    assert other.error("query($id: ID!) { job(id: $id) { id } }", id=job["id"])["code"] == (
        "FORBIDDEN"
    )
    assert download(other, job).status_code == 403
    elsewhere = root_api(server.tenant())
    assert elsewhere.data(query, id=job["id"]) == {"job": None, "node": None}
    assert download(elsewhere, job).status_code == 404
    assert elsewhere.refused("jobCancel", {"id": job["id"]})["code"] == "NOT_FOUND"
    assert download(Api(api.tenant), job).status_code == 401
    assert download(Api(api.tenant, elsewhere.token), job).status_code == 401
    assert download(api, {"id": "x"}).status_code == 404
    filtered = api.data(
        "{ jobs(first: 9, filter: {kind: USER_IMPORT, state: COMPLETED}) { nodes { id } }"
        " none: jobs(first: 9, filter: {state: FAILED}) { nodes { id } } }"
    )
    assert filtered == {"jobs": {"nodes": [{"id": job["id"]}]}, "none": {"nodes": []}}


@pytest.mark.parametrize(
    "given, code, field",
    [
        ({"kind": "USER_IMPORT"}, "REQUIRED", ["connection"]),
        ({"kind": "USER_IMPORT", "connection": "unknown"}, "NOT_FOUND", ["connection"]),
        ({"kind": "USER_DELETE", "connection": DATABASE}, "NOT_ALLOWED", ["connection"]),
        ({"kind": "USER_UPDATE", "upsert": True}, "NOT_ALLOWED", ["upsert"]),
        ({"kind": "USER_EXPORT", "connection": "unknown"}, "NOT_FOUND", ["connection"]),
    ],
)
def test_options_that_mean_nothing_are_refused(
    api: Api, given: Json, code: str, field: list[str]
) -> None:
    refusal = api.refused("jobCreate", {"errorPolicy": "SKIP_FAILED"} | given)
    assert (refusal["code"], refusal["field"]) == (code, field)


def test_a_tenant_has_twenty_jobs_at_a_time(api: Api) -> None:
    made = [ask(api, "USER_DELETE") for _ in range(20)]
    asked = {"kind": "USER_DELETE", "errorPolicy": "SKIP_FAILED"}
    assert api.refused("jobCreate", asked)["code"] == "TOO_MANY"
    api.do("jobCancel", "job { state }", {"id": made[0]["id"]})
    assert ask(api, "USER_DELETE")["state"] == "WAITING"


# --- how it runs -----------------------------------------------------------------------------


def test_everything_is_in_the_audit_log(server: Server) -> None:
    tenant = server.tenant()
    api = root_api(tenant)
    job = done(api.sending(user_agent="importer/1"), "USER_IMPORT", people(2))
    events = tenant.events("user.created")
    assert [event.actor_id for event in events] == ["tenantry-bootstrap"] * 2
    assert {event.user_agent for event in events} == {"importer/1"}
    single = api.do(
        "userCreate", "user { id }", {"connection": DATABASE, "email": "single@example.com"}
    )
    one = tenant.events("user.created")[0]
    assert one.target_id == decoded(single["user"]["id"])
    assert changed(one) == changed(events[0]) != set()
    for type_ in ("job.created", "job.completed"):
        (event,) = tenant.events(type_)
        assert (event.target_type, event.target_id) == ("Job", decoded(job["id"]))


def decoded(id_: str) -> str:
    found = GlobalId.decode(id_)
    assert found is not None
    return found.local_id


def test_nothing_of_a_job_is_readable_in_the_database(api: Api, tenant: Tenant) -> None:
    job = ask(api, "USER_IMPORT")
    upload(api, job, lines([{"email": "hidden@example.com"}]))
    token = job["uploadUrl"].partition("token=")[2]
    with tenant.server.runtime.store.database.reading() as connection:
        dump = "".join(
            str(row)
            for table in (tables.jobs, tables.job_chunks)
            for row in connection.execute(table.select()).all()
        )
    assert token not in dump
    for text in ("hidden@example.com", base64.b64encode(b"hidden@example.com").decode()):
        assert text not in dump


def test_a_canceled_job_does_nothing_more(api: Api, tenant: Tenant) -> None:
    job = ask(api, "USER_IMPORT")
    upload(api, job, lines(people(1)))
    ended = api.do("jobCancel", "job { state finishedAt resultsUrl }", {"id": job["id"]})["job"]
    assert ended["state"] == "CANCELED"
    run_jobs(tenant.server)
    assert (number_of_users(tenant), results_of(api, job)) == (0, [])
    assert api.refused("jobCancel", {"id": job["id"]})["code"] == "NOT_ALLOWED"
    waiting = ask(api, "USER_IMPORT")
    api.do("jobCancel", "__typename", {"id": waiting["id"]})
    assert upload(api, waiting, lines(people(1))).status_code == 404


def test_results_are_there_at_the_end_and_not_before(api: Api) -> None:
    job = ask(api, "USER_IMPORT")
    upload(api, job, lines(people(1)))
    assert state(api, job)["resultsUrl"] is None
    assert download(api, job).status_code == 409
    run_jobs(api.tenant.server)
    assert state(api, job)["resultsUrl"] == api.tenant.url(f"jobs/{job['id']}/results")


class Killed(Exception):
    """The process is gone."""


def test_a_job_goes_on_where_a_killed_process_left_it(
    moving: tuple[Server, MovingClock], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, clock = moving
    tenant = server.tenant()
    api = root_api(tenant)
    job = ask(api, "USER_IMPORT")
    upload(api, job, lines(people(250)))
    keep, kept = job_chunks.keep_results, 0

    def dies(*args: Any) -> None:
        nonlocal kept
        kept += 1
        if kept == 2:
            raise Killed
        keep(*args)

    monkeypatch.setattr(job_chunks, "keep_results", dies)
    run_jobs(server)
    monkeypatch.undo()
    assert number_of_users(tenant) == 100
    run_jobs(server)
    found = state(api, job)
    assert (found["state"], found["done"]) == ("RUNNING", 100)
    clock.ahead += timedelta(minutes=3)
    run_jobs(server)
    found = state(api, job)
    assert (found["state"], found["done"], found["failed"]) == ("COMPLETED", 250, 0)
    assert [one["line"] for one in results_of(api, job)] == list(range(1, 251))
    assert len(tenant.events("job.completed")) == 1


def test_a_job_that_never_works_is_given_up(
    moving: tuple[Server, MovingClock], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, clock = moving
    api = root_api(server.tenant())
    job = ask(api, "USER_IMPORT")
    upload(api, job, lines(people(1)))

    def fails(*_: Any) -> None:
        raise RuntimeError("never")

    monkeypatch.setattr(job_chunks, "keep_results", fails)
    for _ in range(4):
        run_jobs(server)
        clock.ahead += timedelta(minutes=3)
    found = state(root_api(api.tenant), job)
    assert (found["state"], found["error"]) == ("FAILED", "The server could not carry it out.")


def test_old_jobs_are_pruned_with_their_lines(moving: tuple[Server, MovingClock]) -> None:
    server, clock = moving
    api = root_api(server.tenant())
    job = done(api, "USER_IMPORT", people(2))
    for days, left in ((6, 1), (9, 0)):
        clock.ahead = timedelta(days=days)
        server.portal.call(prune, server.runtime.store, "test", timedelta(days=90))
        assert (server.stored()["jobs"], server.stored()["job_chunks"]) == (left, left)
    assert download(root_api(api.tenant), job).status_code == 404


def test_asking_twice_with_one_key_is_one_job(api: Api) -> None:
    keyed = api.sending(idempotency_key="the-key")
    assert ask(keyed, "USER_DELETE") == ask(keyed, "USER_DELETE")
    assert api.data("{ jobs(first: 9) { totalCount } }")["jobs"]["totalCount"] == 1
