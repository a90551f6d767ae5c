"""The management API as an administrator calls it, over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx2
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNonNull,
    get_nullable_type,
    is_list_type,
)

from tests.support.server import ROOT_SECRET, Client, Tenant

Json = dict[str, Any]


@dataclass(frozen=True)
class Api:
    """One tenant's management API with one access token; an empty token is not sent."""

    tenant: Tenant
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.tenant.url("graphql")

    def sending(self, **headers: str) -> Api:
        """The same with further headers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Api(self.tenant, self.token, self.headers | named)

    def post(self, query: str, **variables: Any) -> httpx2.Response:
        return self.send({"query": query, "variables": variables})

    def send(self, body: Any) -> httpx2.Response:
        authorization = {"authorization": f"Bearer {self.token}"} if self.token else {}
        return self.tenant.server.client.post(
            self.url, json=body, headers=authorization | self.headers
        )

    def answer(self, query: str, **variables: Any) -> Json:
        """The whole answer; it was given with status 200."""
        response = self.post(query, **variables)
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        return answer

    def data(self, query: str, **variables: Any) -> Json:
        """The data of an answer without errors."""
        answer = self.answer(query, **variables)
        assert "errors" not in answer, answer["errors"]
        data: Json = answer["data"]
        return data

    def error(self, query: str, **variables: Any) -> Json:
        """The one error of an answer, with its code as `code`."""
        (error,) = self.answer(query, **variables)["errors"]
        found: Json = error | error["extensions"]
        return found

    def mutate(self, mutation: str, selection: str, input: Json) -> Json:
        """The payload of one mutation, with its `errors`."""
        name = mutation[0].upper() + mutation[1:]
        errors = "errors { code field message currentRevision }"
        data = self.data(
            f"mutation($input: {name}Input!) {{ {mutation}(input: $input)"
            f" {{ {selection} {errors} }} }}",
            input=input,
        )
        payload: Json = data[mutation]
        return payload

    def do(self, mutation: str, selection: str, input: Json) -> Json:
        """The payload of a mutation that was not refused."""
        payload = self.mutate(mutation, selection, input)
        assert payload["errors"] == []
        return payload

    def refused(self, mutation: str, input: Json) -> Json:
        """The one refusal of a mutation."""
        (refusal,) = self.mutate(mutation, "__typename", input)["errors"]
        found: Json = refusal
        return found

    def application(self, **values: Any) -> Json:
        """A new application, with the secret that was shown."""
        given = {"name": "The application", "applicationType": "MACHINE_TO_MACHINE"} | values
        payload = self.do(
            "applicationCreate", "application { id clientId name revision } clientSecret", given
        )
        made: Json = payload["application"] | {"clientSecret": payload["clientSecret"]}
        return made


def is_one_of(type_: Any) -> bool:
    """Whether exactly one member of the input object is given; only Strawberry knows."""
    definition = getattr(type_, "extensions", {}).get("strawberry-definition")
    return definition is not None and bool(getattr(definition, "is_one_of", False))


def value_of(type_: Any) -> Any:
    """Something that a required argument or input field accepts."""
    type_ = get_nullable_type(type_)
    if is_list_type(type_):
        return []
    if is_one_of(type_):
        name, field = next(iter(type_.fields.items()))
        return {name: value_of(field.type)}
    if isinstance(type_, GraphQLInputObjectType):
        return {
            name: value_of(field.type)
            for name, field in type_.fields.items()
            if isinstance(field.type, GraphQLNonNull)
        }
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    return {"Int": 1, "Boolean": True}.get(type_.name, "x")


def root_api(tenant: Tenant, *scopes: str) -> Api:
    """As the bootstrap application: with the scopes that are named, or with all."""
    root = tenant.server.root
    answer = tenant.server.client.post(
        root.url("oauth/token"),
        data={
            "grant_type": "client_credentials",
            "client_id": "tenantry-bootstrap",
            "client_secret": ROOT_SECRET,
            "audience": tenant.url("graphql"),
        }
        | ({"scope": " ".join(scopes)} if scopes else {}),
    )
    assert answer.status_code == 200, answer.text
    return Api(tenant, answer.json()["access_token"])


def tenant_api(tenant: Tenant, *scopes: str, **values: Any) -> Api:
    """As an application of the tenant itself that has these scopes and no others."""
    client: Client = tenant.application("non_interactive", **values)
    tenant.grant(client, tenant.url("graphql"), *scopes)
    answer = tenant.token(client, grant_type="client_credentials", audience=tenant.url("graphql"))
    assert answer.status_code == 200, answer.text
    return Api(tenant, answer.json()["access_token"])
