"""A list of a hundred objects takes as many statements as a list of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from tests.support.management import Api
from tests.support.server import Tenant

QUERY = """
query($first: Int!) {
  applications(first: $first) {
    totalCount
    nodes {
      name
      clientGrants(first: 5) {
        totalCount
        nodes { audience application { name } resourceServer { name } }
      }
      connections(first: 5) { totalCount nodes { name } }
    }
  }
  users(first: $first) { nodes { email connection { name } } }
}
"""


@contextmanager
def statements(tenant: Tenant) -> Iterator[list[str]]:
    """The statements that the server runs meanwhile, but for whether the token was revoked."""
    seen: list[str] = []
    engine = tenant.server.runtime.store.database.engine

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT") and "FROM revoked_tokens" not in statement:
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_nested_objects_take_a_constant_number_of_statements(api: Api, tenant: Tenant) -> None:
    for number in range(2):
        tenant.api(f"https://{number}.example.com", "read:things")
    for number in range(30):
        client = tenant.application("non_interactive", name=f"application {number}")
        tenant.grant(client, f"https://{number % 2}.example.com", "read:things")
        tenant.user(f"user{number}@example.com")
    api.data("{ viewer { id } }")
    counts = []
    for first in (1, 5, 31):
        with statements(tenant) as seen:
            data = api.data(QUERY, first=first)
        assert len(data["applications"]["nodes"]) == first
        counts.append(len(seen))
    # The page without a grant asks for no application and no API.
    assert counts[1] == counts[2]
    assert counts[2] <= 10


def test_roles_take_a_constant_number_of_statements(api: Api, tenant: Tenant) -> None:
    tenant.api("https://api.example.com", "read:x", "write:x")
    for number in range(12):
        role = tenant.role(f"role {number}", "https://api.example.com", "read:x")
        user = tenant.user(f"user{number}@example.com")
        tenant.give_role(user, role)
        tenant.permit(user, "https://api.example.com", "write:x")
    query = """query($first: Int!) {
      roles(first: $first) { nodes {
        permissions { scope } users(first: 2) { totalCount nodes { email } } } }
      users(first: $first) { nodes {
        roles { name } permissions { scope isDirect roles { name } } } } }"""
    api.data("{ viewer { id } }")
    counts = []
    for first in (1, 12):
        with statements(tenant) as seen:
            api.data(query, first=first)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 9


def test_aliases_of_a_nested_list_share_the_unit_of_work(api: Api, tenant: Tenant) -> None:
    for number in range(3):
        tenant.application("non_interactive", name=f"application {number}")
    query = """{ applications(first: 10) { nodes {
      a: clientGrants(first: 1) { nodes { id } } b: clientGrants(last: 2) { nodes { id } } } } }"""
    api.data("{ viewer { id } }")
    with statements(tenant) as seen:
        api.data(query)
    assert len(seen) == 3


def test_nothing_is_counted_unless_asked(api: Api, tenant: Tenant) -> None:
    api.data("{ viewer { id } }")
    with statements(tenant) as seen:
        api.data("{ applications(first: 10) { nodes { name } } }")
    assert len(seen) == 1
    assert "count(" not in seen[0]
