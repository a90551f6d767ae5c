"""Lists: pages by key, cursors, filters, orders, counts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.management import Api, Json
from tests.support.registration import register
from tests.support.server import Tenant

PAGE = """
query($first: Int, $last: Int, $after: String, $before: String, $order: ApplicationOrder!,
      $filter: ApplicationFilter) {
  applications(first: $first, last: $last, after: $after, before: $before, orderBy: $order,
               filter: $filter) {
    totalCount
    nodes { name }
    edges { cursor node { name } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
NAMED = {"applicationType": "MACHINE_TO_MACHINE"}


def page(api: Api, order: str = "CREATED_AT_ASC", **arguments: Any) -> Json:
    arguments.setdefault("filter", NAMED)
    found: Json = api.data(PAGE, order=order, **arguments)["applications"]
    return found


def names(found: Json) -> list[str]:
    listed = [node["name"] for node in found["nodes"]]
    assert [edge["node"]["name"] for edge in found["edges"]] == listed
    return listed


@pytest.fixture
def filled(api: Api) -> Api:
    """Five applications, two of one name, not made in the order of their names."""
    for name in ("c", "a", "b", "a", "d"):
        api.application(name=name)
    return api


@pytest.mark.parametrize(
    "order, expected",
    [
        ("CREATED_AT_ASC", ["c", "a", "b", "a", "d"]),
        ("CREATED_AT_DESC", ["d", "a", "b", "a", "c"]),
        ("NAME_ASC", ["a", "a", "b", "c", "d"]),
        ("NAME_DESC", ["d", "c", "b", "a", "a"]),
    ],
)
def test_pages_forwards_and_backwards_give_the_whole_list(
    filled: Api, order: str, expected: list[str]
) -> None:
    assert names(page(filled, order, first=100)) == expected
    forwards: list[str] = []
    after = None
    while True:
        found = page(filled, order, first=2, after=after)
        forwards += names(found)
        info = found["pageInfo"]
        assert info["hasPreviousPage"] == (after is not None)
        assert info["endCursor"] == found["edges"][-1]["cursor"]
        if not info["hasNextPage"]:
            break
        after = info["endCursor"]
    assert forwards == expected
    backwards: list[str] = []
    before = None
    while True:
        found = page(filled, order, last=2, before=before)
        backwards = names(found) + backwards
        info = found["pageInfo"]
        assert info["hasNextPage"] == (before is not None)
        if not info["hasPreviousPage"]:
            break
        before = info["startCursor"]
    assert backwards == expected


def test_a_cursor_keeps_its_place_while_rows_are_added(filled: Api) -> None:
    first = page(filled, "NAME_ASC", first=2)
    filled.application(name="0")
    filled.application(name="bb")
    after = first["pageInfo"]["endCursor"]
    assert names(page(filled, "NAME_ASC", first=10, after=after)) == ["b", "bb", "c", "d"]


def test_a_page_may_lie_between_two_cursors(filled: Api) -> None:
    edges = page(filled, "NAME_ASC", first=100)["edges"]
    between = page(
        filled, "NAME_ASC", first=10, after=edges[0]["cursor"], before=edges[4]["cursor"]
    )
    assert names(between) == ["a", "b", "c"]


def test_names_of_any_script_make_good_cursors(api: Api) -> None:
    for name in ("\u3000é", "😀", "\u00a0x", "ß"):
        api.application(name=f"{name}.")
    found = page(api, "NAME_ASC", first=1)
    seen = 1
    while found["pageInfo"]["hasNextPage"]:
        found = page(api, "NAME_ASC", first=1, after=found["pageInfo"]["endCursor"])
        seen += 1
    assert seen == 4


def test_counting_and_filtering(filled: Api) -> None:
    assert page(filled, first=1)["totalCount"] == 5
    assert page(filled, first=1, filter=NAMED | {"nameContains": "A"})["totalCount"] == 2
    assert page(filled, first=1, filter={"nameContains": "%"})["totalCount"] == 0
    assert page(filled, first=1, filter=None)["totalCount"] == 6
    empty = page(filled, first=1, filter=NAMED | {"nameContains": "nothing"})
    assert empty["nodes"] == empty["edges"] == []
    assert empty["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }


def test_applications_by_whose_they_are(api: Api, tenant: Tenant) -> None:
    """First-party or not, and those that registered themselves."""
    tenant.change(enable_dynamic_client_registration=True)
    own, other = tenant.application(name="own"), tenant.application(is_first_party=False, name="x")
    registered = register(tenant)["client_id"]
    query = """query($filter: ApplicationFilter) { applications(first: 50, filter: $filter) {
      totalCount nodes { clientId } } }"""

    def found(**criteria: bool) -> set[str]:
        answer = api.data(query, filter=criteria)["applications"]
        assert answer["totalCount"] == len(answer["nodes"])
        return {node["clientId"] for node in answer["nodes"]}

    assert found(isFirstParty=False) == {other.id, registered}
    assert own.id in found(isFirstParty=True)
    assert not {other.id, registered} & found(isFirstParty=True)
    assert found(isDynamicallyRegistered=True) == {registered}
    assert found(isDynamicallyRegistered=False, isFirstParty=False) == {other.id}
    assert found(isDynamicallyRegistered=True, isFirstParty=True) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"first": 1, "last": 1},
        {"first": 0},
        {"first": -1},
        {"first": 101},
        {"last": 0},
        {"last": 101},
        {"first": None, "last": None},
    ],
)
def test_first_or_last_from_1_to_100_is_required(api: Api, arguments: Json) -> None:
    answer = api.answer(PAGE, order="NAME_ASC", **arguments)
    (error,) = answer["errors"]
    assert answer["data"] == {"applications": None}
    assert error["extensions"]["code"] == "BAD_REQUEST"
    assert "1 to 100" in error["message"]


def test_a_cursor_of_another_order_or_list_is_refused(filled: Api) -> None:
    cursor = page(filled, "NAME_ASC", first=1)["pageInfo"]["endCursor"]
    users = filled.error(
        "query($c: String) { users(first: 1, after: $c) { totalCount } }", c=cursor
    )
    assert users["code"] == "BAD_CURSOR"
    for name in ("after", "before"):
        for order in ("NAME_DESC", "CREATED_AT_ASC"):
            error = filled.error(PAGE, order=order, first=1, **{name: cursor})
            assert error["code"] == "BAD_CURSOR"
            assert name in error["message"]


@pytest.mark.parametrize(
    "cursor", ["", "x", "é", "e30", "W10", "W1sxXV0", "A" * 5000, "bnVsbA", "Wzk5LDEsMV0", "==="]
)
def test_a_cursor_that_is_none_is_refused(api: Api, cursor: str) -> None:
    assert api.error(PAGE, order="NAME_ASC", first=1, after=cursor)["code"] == "BAD_CURSOR"


def test_nested_lists_page_alike(api: Api) -> None:
    application = api.application()
    for number in range(3):
        identifier = f"https://{number}.example.com"
        api.do("resourceServerCreate", "__typename", {"name": "API", "identifier": identifier})
        api.do(
            "clientGrantCreate",
            "__typename",
            {"clientId": application["clientId"], "audience": identifier, "scopes": []},
        )
        api.do("connectionCreate", "__typename", {"name": f"c{number}"})
    api.do(
        "applicationUpdate",
        "__typename",
        {"id": application["id"], "connections": ["c2", "c0", "c1"]},
    )
    for field, member in (("clientGrants", "audience"), ("connections", "name")):
        query = (
            "query($id: String!, $first: Int, $last: Int, $after: String, $before: String)"
            f"{{ application(clientId: $id) {{ {field}(first: $first, last: $last, after: $after,"
            f" before: $before) {{ totalCount nodes {{ value: {member} }} pageInfo "
            "{ startCursor endCursor hasNextPage hasPreviousPage } } } }"
        )

        def ask(query: str = query, field: str = field, **arguments: Any) -> Json:
            data = api.data(query, id=application["clientId"], **arguments)
            found: Json = data["application"][field]
            return found

        everything = [node["value"] for node in ask(first=10)["nodes"]]
        assert len(everything) == 3
        start = ask(first=2)
        assert start["totalCount"] == 3
        assert start["pageInfo"]["hasNextPage"]
        rest = ask(first=2, after=start["pageInfo"]["endCursor"])
        assert rest["pageInfo"]["hasPreviousPage"]
        assert not rest["pageInfo"]["hasNextPage"]
        assert [node["value"] for node in start["nodes"] + rest["nodes"]] == everything
        end = ask(last=2)
        assert [node["value"] for node in end["nodes"]] == everything[1:]
        before = ask(last=2, before=end["pageInfo"]["startCursor"])
        assert [node["value"] for node in before["nodes"]] == everything[:1]


def test_other_lists_filter(api: Api) -> None:
    for name in ("first", "second"):
        api.do("connectionCreate", "__typename", {"name": name})
    made: Json = {}
    for connection, email in (("first", "Ann@example.com"), ("second", "anton@example.com")):
        values = {"connection": connection, "email": email}
        made = api.do("userCreate", "user { id }", values)["user"]
    api.do("userBlock", "__typename", {"id": made["id"]})

    def count(field: str, **criteria: Any) -> int:
        noun = field[0].upper() + field[1:-1]
        query = f"query($f: {noun}Filter) {{ {field}(first: 1, filter: $f) {{ totalCount }} }}"
        number: int = api.data(query, f=criteria)[field]["totalCount"]
        return number

    assert count("users") == 2
    assert count("users", email="ANN@example.com") == 1
    assert count("users", email="ann@example") == 0
    assert count("users", emailPrefix="AN") == 2
    assert count("users", emailPrefix="%") == 0
    assert count("users", connection="second") == 1
    assert count("users", connection="third") == 0
    assert count("users", blocked=True) == 1
    assert count("users", blocked=False, emailPrefix="ant") == 0
    assert count("resourceServers", nameContains="management") == 1
    assert count("clientGrants", audience="nothing") == 0
    assert count("clientGrants", subjectType="CLIENT") == 0


def test_the_log_filters(api: Api) -> None:
    made = api.application(name="logged")
    api.do("applicationDelete", "__typename", {"id": made["id"]})
    query = """query($f: LogEventFilter!) {
      logEvents(first: 100, orderBy: CREATED_AT_DESC, filter: $f) {
        nodes { id type createdAt clientId } totalCount } }"""

    def events(**criteria: Any) -> list[str]:
        found = api.data(query, f=criteria)["logEvents"]
        assert found["totalCount"] == len(found["nodes"])
        return [node["type"] for node in found["nodes"]]

    assert events(clientId=made["clientId"]) == ["application.deleted", "application.created"]
    assert events(types=["application.deleted"]) == ["application.deleted"]
    assert set(events(types=["connection.*", "tenant.created"])) == {
        "connection.created",
        "tenant.created",
    }
    newest = api.data(query, f={})["logEvents"]["nodes"][0]
    moment = newest["createdAt"]
    assert moment.endswith("Z")
    assert events(since=moment) == ["application.deleted"]
    assert "application.deleted" not in events(until=moment)
    assert events(userId="nobody") == []
    assert api.error(query, f={"types": ["x"] * 51})["code"] == "BAD_REQUEST"
    for bad in ("2030-01-31", "2030-01-31T08:00:00", "tomorrow", ""):
        assert api.error(query, f={"since": bad})["code"] == "BAD_REQUEST"
    assert events(since="2030-01-31T08:00:00+01:00") == []
    node = api.data("query($i: ID!) { node(id: $i) { ... on LogEvent { type } } }", i=newest["id"])
    assert node["node"] == {"type": "application.deleted"}
