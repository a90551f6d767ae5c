"""Administers a tenant through the client that was generated from `schema.graphql`.

Reads the address and a token from its input, and says in JSON what it saw.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime

from tenantry_client import (
    ApplicationCreateInput,
    ApplicationFilter,
    ApplicationOrder,
    ApplicationType,
    ApplicationUpdateInput,
    Client,
    ClientGrantCreateInput,
    GraphQLClientGraphQLMultiError,
    MetadataFilter,
    NodesNodesUser,
    ResourceServerCreateInput,
    ScopeInput,
    SubjectType,
    UserCreateInput,
    UserErrorCode,
    UserFilter,
)

AUDIENCE = "https://orders.example.com/"


def main() -> None:
    settings: dict[str, str] = json.load(sys.stdin)
    with Client(
        settings["url"], headers={"Authorization": f"Bearer {settings['token']}"}
    ) as client:
        json.dump(drive(client), sys.stdout)


def drive(client: Client) -> dict[str, object]:
    client_id, id = _application(client, "Orders")
    made = client.create_api(
        ResourceServerCreateInput(
            name="Orders",
            identifier=AUDIENCE,
            scopes=[ScopeInput(value="read:orders", description="Read orders")],
        )
    ).resource_server_create
    assert made is not None
    assert made.resource_server is not None
    assert [scope.value for scope in made.resource_server.scopes] == ["read:orders"]
    granted = client.create_client_grant(
        ClientGrantCreateInput(
            clientId=client_id,
            audience=AUDIENCE,
            scopes=["read:orders"],
            subjectType=SubjectType.CLIENT,
        )
    ).client_grant_create
    assert granted is not None
    assert granted.client_grant is not None
    assert granted.client_grant.subject_type is SubjectType.CLIENT
    user_id = _user(client)
    return {
        "applications": _all_applications(client),
        "users": _found(client),
        "nodes": _emails(client, [user_id, "unknown"]),
        "stale": _stale(client, id),
        "taken": _taken(client),
        "forbidden": _forbidden(client),
    }


def _application(client: Client, name: str) -> tuple[str, str]:
    payload = client.create_application(
        ApplicationCreateInput(name=name, applicationType=ApplicationType.MACHINE_TO_MACHINE)
    ).application_create
    assert payload is not None
    assert payload.errors == []
    assert payload.client_secret
    made = payload.application
    assert made is not None
    assert isinstance(made.created_at, datetime)
    return made.client_id, made.id


def _user(client: Client) -> str:
    payload = client.create_user(
        UserCreateInput(
            connection="Username-Password-Authentication",
            email="ann@example.com",
            name="Ann Smith",
            appMetadata={"plan": "pro"},
        )
    ).user_create
    assert payload is not None
    assert payload.user is not None
    return payload.user.id


def _all_applications(client: Client) -> list[tuple[str, list[str]]]:
    """Page by page."""
    for number in range(4):
        _application(client, f"More {number}")
    found: list[tuple[str, list[str]]] = []
    after: str | None = None
    while True:
        page = client.applications(
            first=2,
            order_by=ApplicationOrder.NAME_ASC,
            after=after,
            filter_=ApplicationFilter(applicationType=ApplicationType.MACHINE_TO_MACHINE),
        ).applications
        assert page is not None
        for node in page.nodes:
            grants = node.client_grants.nodes if node.client_grants else []
            found.append((node.name, [grant.audience for grant in grants]))
        if not page.page_info.has_next_page:
            assert len(found) == page.total_count
            return found
        after = page.page_info.end_cursor


def _found(client: Client) -> list[str | None]:
    wanted = MetadataFilter(path=["plan"], equals="pro")
    users = client.users(UserFilter(search="smi", appMetadata=[wanted])).users
    assert users is not None
    return [user.email for user in users.nodes]


def _emails(client: Client, ids: list[str]) -> list[str | None]:
    nodes = client.nodes(ids).nodes
    return [node.email if isinstance(node, NodesNodesUser) else None for node in nodes]


def _stale(client: Client, id: str) -> tuple[str, int | None]:
    """An update of a revision that is no more."""
    change = ApplicationUpdateInput(id=id, name="Orders", expectedRevision=1)
    first = client.update_application(change).application_update
    assert first is not None
    assert first.application is not None
    assert first.application.revision == 2
    second = client.update_application(change).application_update
    assert second is not None
    (error,) = second.errors
    assert error.code is UserErrorCode.CONFLICT
    return error.code.value, error.current_revision


def _taken(client: Client) -> tuple[str, list[str] | None]:
    payload = client.create_api(
        ResourceServerCreateInput(name="Again", identifier=AUDIENCE)
    ).resource_server_create
    assert payload is not None
    (error,) = payload.errors
    assert error.code is UserErrorCode.ALREADY_EXISTS
    return error.code.value, error.field


def _forbidden(client: Client) -> object:
    """A field that the token has no scope for."""
    try:
        client.sessions()
    except GraphQLClientGraphQLMultiError as refusal:
        (error,) = refusal.errors
        return error.extensions and error.extensions["requiredScopes"]
    raise AssertionError("nothing was refused")


if __name__ == "__main__":
    main()
