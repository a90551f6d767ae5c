"""Every list of the tenant has an order and a filter, both typed; what each filter finds."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    get_named_type,
)

from tenantry.management.schema import build_schema
from tests.support.management import Api, Json

LISTS: dict[str, GraphQLField] = {
    name: field
    for name, field in build_schema()._schema.query_type.fields.items()  # type: ignore[union-attr]
    if "first" in field.args
}


@pytest.mark.parametrize("name", LISTS)
def test_every_list_has_a_typed_filter_and_order(name: str) -> None:
    field = LISTS[name]
    assert {"first", "last", "after", "before"} <= field.args.keys()
    filtering = get_named_type(field.args["filter"].type)
    assert isinstance(filtering, GraphQLInputObjectType)
    assert filtering.fields
    order = get_named_type(field.args["orderBy"].type)
    assert isinstance(order, GraphQLEnumType)
    assert {"CREATED_AT_ASC", "CREATED_AT_DESC"} <= order.values.keys()
    connection = get_named_type(field.type)
    assert isinstance(connection, GraphQLObjectType)
    assert {"nodes", "edges", "pageInfo", "totalCount"} == connection.fields.keys()


def count(api: Api, field: str, **criteria: Any) -> int:
    """How many there are; the page agrees."""
    type_ = get_named_type(LISTS[field].args["filter"].type).name
    query = (
        f"query($f: {type_}) {{ {field}(first: 9, filter: $f) {{ totalCount nodes {{ id }} }} }}"
    )
    found: Json = api.data(query, f=criteria)[field]
    assert len(found["nodes"]) == found["totalCount"]
    return int(found["totalCount"])


def test_connections_by_name(api: Api) -> None:
    api.do("connectionCreate", "__typename", {"name": "Staff-only"})
    assert count(api, "connections") == 2
    assert count(api, "connections", nameContains="staff-") == 1
    assert count(api, "connections", nameContains="f_o") == 0


def test_custom_domains_by_domain_and_status(api: Api) -> None:
    for domain in ("login", "sign-in"):
        values = {"domain": f"{domain}.{api.tenant.name}.example.org", "type": "MANAGED_CERTS"}
        api.do("customDomainCreate", "__typename", values)
    assert count(api, "customDomains", domainContains="LOGIN.") == 1
    assert count(api, "customDomains", status="PENDING") == 2
    assert count(api, "customDomains", status="READY") == 0
    assert count(api, "customDomains", domainContains="sign", status="PENDING") == 1


def test_log_streams_by_name_and_status(api: Api) -> None:
    made: Json = {}
    for name in ("first", "second"):
        values = {"name": name, "url": f"https://{name}.example.com/"}
        made = api.do("logStreamCreate", "logStream { id }", values)["logStream"]
    api.do("logStreamUpdate", "__typename", {"id": made["id"], "status": "PAUSED"})
    assert count(api, "logStreams") == 2
    assert count(api, "logStreams", nameContains="IR") == 1
    assert count(api, "logStreams", status="PAUSED") == 1
    assert count(api, "logStreams", nameContains="first", status="PAUSED") == 0


def test_trusted_documents_by_name(api: Api) -> None:
    for number, name in enumerate(("viewer", "tenant")):
        document = f"query Q{number} {{ viewer {{ __typename }} }}"
        api.do("trustedDocumentCreate", "__typename", {"name": name, "document": document})
    assert count(api, "trustedDocuments") == 2
    assert count(api, "trustedDocuments", nameContains="VIEW") == 1


def test_trusted_issuers_by_issuer(api: Api) -> None:
    for name in ("idp", "other"):
        values = {
            "issuer": f"https://{name}.example.com",
            "jwksUri": f"https://{name}.example.com/keys",
            "allowedAudiences": ["https://api.example.com"],
            "subject": "USER_ID",
        }
        api.do("trustedIssuerCreate", "__typename", values)
    assert count(api, "trustedIssuers") == 2
    assert count(api, "trustedIssuers", issuerContains="idp.") == 1
    assert count(api, "trustedIssuers", issuerContains="idp_") == 0


@pytest.mark.parametrize("order", ["CREATED_AT_ASC", "NAME_ASC", "NAME_DESC"])
def test_a_walk_neither_repeats_nor_skips_while_rows_come_and_go(api: Api, order: str) -> None:
    made = {name: api.application(name=name)["id"] for name in "fedcba"}
    query = f"""query($after: String) {{ applications(first: 2, after: $after, orderBy: {order},
        filter: {{applicationType: MACHINE_TO_MACHINE}}) {{
        nodes {{ id name }} pageInfo {{ hasNextPage endCursor }} }} }}"""

    def walk(after: str | None) -> Json:
        found: Json = api.data(query, after=after)["applications"]
        return found

    first = walk(None)
    read = [node["name"] for node in first["nodes"]]
    unread = [name for name in sorted(made) if name not in read]
    # The last that was read, on which the cursor stands, and one that was not read yet are gone;
    # one comes before what was read, and one after all.
    for name in (read[1], unread[1]):
        api.do("applicationDelete", "__typename", {"id": made.pop(name)})
    api.application(name="0" if order != "NAME_DESC" else "z")
    api.application(name="z" if order != "NAME_DESC" else "0")
    page = first
    while page["pageInfo"]["hasNextPage"]:
        page = walk(page["pageInfo"]["endCursor"])
        read += [node["name"] for node in page["nodes"]]
    assert len(read) == len(set(read))
    assert made.keys() <= set(read)
    assert unread[1] not in read
    # By the time of creation both are new; by name only one lies ahead.
    assert len({"0", "z"} & set(read)) == (2 if order == "CREATED_AT_ASC" else 1)
