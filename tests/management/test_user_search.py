"""Finding users by words and by values of their metadata, alike on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.management import Api, Json, root_api
from tests.support.server import Server, Tenant, both_databases

QUERY = """query($filter: UserFilter!, $first: Int!, $after: String) {
  users(first: $first, after: $after, filter: $filter) {
    totalCount nodes { id userId email } pageInfo { endCursor hasNextPage } } }"""
CONNECTION = "Username-Password-Authentication"


@pytest.fixture
def people(server: Server) -> Api:
    api = root_api(server.tenant())
    for values in (
        {"email": "ann.smith@example.com", "name": "Ann Smith", "appMetadata": {"plan": "pro"}},
        {"email": "bob@annex.example", "name": "Bob_Smithers", "nickname": "Anna-Lena"},
        {
            "email": "cl@example.org",
            "givenName": "Clément",
            "familyName": "Müller",
            "userMetadata": {"plan": "pro", "a": {"b": [1, True, "x", {"c": "deep"}]}},
        },
        {"username": "dora", "name": "Ἀθηνᾶ 日本 %_", "appMetadata": {"seats": 2, "plan": "PRO"}},
    ):
        api.do("userCreate", "__typename", {"connection": CONNECTION} | values)
    return api


def found(api: Api, **criteria: Any) -> list[str]:
    users = api.data(QUERY, filter=criteria, first=100)["users"]
    assert users["totalCount"] == len(users["nodes"])
    return [node["email"] or "dora" for node in users["nodes"]]


ANN, BOB, CLEMENT, DORA = "ann.smith@example.com", "bob@annex.example", "cl@example.org", "dora"


@both_databases
@pytest.mark.parametrize(
    "text, expected",
    [
        ("ann", [ANN, BOB]),
        ("ANN smi", [ANN, BOB]),
        ("smith ann", [ANN, BOB]),
        ("ann.smith@example.c", [ANN]),
        ("smithers", [BOB]),
        ("mith", []),
        ("lena", [BOB]),
        ("clement MULLER", [CLEMENT]),
        ("Clé Mü", [CLEMENT]),
        ("example", [ANN, BOB, CLEMENT]),
        ("αθ", [DORA]),
        ("日", [DORA]),
        ("本", []),
        ("dor", [DORA]),
        ("%", []),
        ("_", []),
        ("", []),
        (".*", []),
        ("(a+)+$", [ANN, BOB]),
        ("a" * 600, []),
        ("\u202eann", [ANN, BOB]),
        ("pro", []),
    ],
)
def test_each_word_begins_a_word_of_the_user(people: Api, text: str, expected: list[str]) -> None:
    assert found(people, search=text) == expected


@both_databases
@pytest.mark.parametrize(
    "criteria, expected",
    [
        ({"appMetadata": [{"path": ["plan"], "equals": "pro"}]}, [ANN]),
        ({"appMetadata": {"path": ["plan"], "equals": "PRO"}}, [DORA]),
        ({"appMetadata": [{"path": ["plan"], "equals": "pr"}]}, []),
        ({"userMetadata": [{"path": ["plan"], "equals": "pro"}]}, [CLEMENT]),
        ({"appMetadata": [{"path": ["seats"], "equals": 2}]}, [DORA]),
        ({"appMetadata": [{"path": ["seats"], "equals": 2.0}]}, [DORA]),
        ({"appMetadata": [{"path": ["seats"], "equals": "2"}]}, []),
        ({"userMetadata": [{"path": ["a", "b"], "equals": 1}]}, [CLEMENT]),
        ({"userMetadata": [{"path": ["a", "b"], "equals": True}]}, [CLEMENT]),
        ({"userMetadata": [{"path": ["a", "b", "c"], "equals": "deep"}]}, [CLEMENT]),
        ({"userMetadata": [{"path": ["a"], "equals": "x"}]}, []),
        ({"userMetadata": [{"path": ["a", "b"], "equals": "%"}]}, []),
        (
            {
                "appMetadata": [
                    {"path": ["plan"], "equals": "PRO"},
                    {"path": ["seats"], "equals": 2},
                ]
            },
            [DORA],
        ),
        (
            {
                "search": "ann",
                "appMetadata": [{"path": ["plan"], "equals": "PRO"}],
            },
            [],
        ),
        ({"search": "smith", "emailPrefix": "B"}, [BOB]),
        ({"search": "example", "blocked": True}, []),
    ],
)
def test_metadata_is_found_by_path_and_value(
    people: Api, criteria: Json, expected: list[str]
) -> None:
    assert found(people, **criteria) == expected


@both_databases
def test_what_changes_is_found_as_it_is_now(people: Api) -> None:
    (user,) = people.data(QUERY, filter={"search": "ann smith example"}, first=1)["users"]["nodes"]
    changed = {"id": user["id"], "name": "Eve Jones", "appMetadata": {"plan": None, "x": "y"}}
    people.do("userUpdate", "__typename", changed)
    assert found(people, search="jones") == [ANN]
    assert found(people, search="ann smith") == [ANN, BOB]
    people.do("userUpdate", "__typename", {"id": user["id"], "email": "eve@example.com"})
    assert found(people, search="ann smith") == [BOB]
    assert found(people, appMetadata=[{"path": ["plan"], "equals": "pro"}]) == []
    assert found(people, appMetadata=[{"path": ["x"], "equals": "y"}]) == ["eve@example.com"]
    people.do("userDelete", "deletedId", {"id": user["id"]})
    assert found(people, search="eve") == []


def test_users_by_their_ids(people: Api) -> None:
    everybody = people.data(QUERY, filter={}, first=100)["users"]["nodes"]
    ids = [everybody[0]["userId"], everybody[2]["userId"], "unknown"]
    assert found(people, userIds=ids) == [ANN, CLEMENT]
    assert found(people, userIds=[]) == []
    assert found(people, userIds=ids, search="ann") == [ANN]


@pytest.mark.parametrize(
    "criteria",
    [
        {"search": "x" * 601},
        {"search": " ".join("abcdefghijk")},
        {"userIds": ["x"] * 101},
        {"appMetadata": [{"path": ["a"], "equals": 1}] * 11},
        {"appMetadata": [{"path": [], "equals": 1}]},
        {"appMetadata": [{"path": ["a"] * 11, "equals": 1}]},
        {"appMetadata": [{"path": ["a"], "equals": {}}]},
        {"appMetadata": [{"path": ["a"], "equals": ["x"]}]},
    ],
)
def test_what_cannot_be_sought_is_refused(api: Api, criteria: Json) -> None:
    assert api.error(QUERY, filter=criteria, first=1)["code"] == "BAD_REQUEST"


@both_databases
def test_another_tenants_users_are_not_found(people: Api, server: Server) -> None:
    other: Tenant = server.tenant()
    other.user("ann@example.com", name="Ann", app_metadata={"plan": "pro"})
    api = root_api(other)
    assert found(api, search="ann") == ["ann@example.com"]
    assert found(api, appMetadata=[{"path": ["plan"], "equals": "pro"}]) == ["ann@example.com"]
    assert "ann@example.com" not in found(people, search="ann")


@both_databases
def test_many_matches_come_in_pages(
    people: Api, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the rarest word is listed, or those with one word or all users are asked in order."""
    for number in range(12):
        values = {"connection": CONNECTION, "email": f"p{number:02}@x.example", "name": "Pat Roe"}
        people.do("userCreate", "__typename", values)
    answers = []
    limits = ("_FEW", "_SOME", "_AHEAD", "_SPELLINGS")
    ways = (
        *((1, 1, 5_000, 16), (1, 1, 3, 16), (1, 1, 7, 1), (1, 1, 5_000, 0)),
        *((5, 4_000, 7, 16), (4_000, 1, 7, 16), (4_000, 4_000, 7, 16)),
    )
    for way in ways:
        for name, value in zip(limits, way, strict=True):
            monkeypatch.setattr(f"tenantry.store.user_search.{name}", value)
        seen: list[str] = []
        after = None
        while True:
            criteria = {"search": "roe pat p"}
            page = people.data(QUERY, filter=criteria, first=5, after=after)["users"]
            seen += [node["email"] for node in page["nodes"]]
            assert page["totalCount"] == 12
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        answers.append(seen)
    assert answers == [[f"p{number:02}@x.example" for number in range(12)]] * len(ways)
