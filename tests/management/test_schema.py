"""What holds over the whole schema, whatever is added to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, cast, get_args

import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
)

from tenantry.core import facts, organizations
from tenantry.core.backchannel import BackchannelRequestFacts
from tenantry.core.credentials import CredentialFacts
from tenantry.core.custom_domains import CustomDomainFacts
from tenantry.core.facts import KeyState
from tenantry.core.jobs import JobFacts
from tenantry.core.log_streams import LogStreamFacts, LogStreamFailureFacts
from tenantry.core.trusted_documents import TrustedDocumentFacts
from tenantry.keys.signing import CertificateForms
from tenantry.management import fields as guarded
from tenantry.management.codes import RequestCode
from tenantry.management.nodes import NODE_TYPES
from tenantry.management.permissions import RequiresScopes, ScopesDirective
from tenantry.management.schema import build_schema, sdl
from tenantry.services.management_api import MANAGEMENT_SCOPES, ROOT_SCOPES

SCHEMA: GraphQLSchema = build_schema()._schema
QUERY = cast("GraphQLObjectType", SCHEMA.query_type)
MUTATION = cast("GraphQLObjectType", SCHEMA.mutation_type)
SOURCES: dict[str, type[Any]] = {
    "Address": facts.Address,
    "Application": facts.ApplicationFacts,
    "BackchannelRequest": BackchannelRequestFacts,
    "Certificate": CertificateForms,
    "ClientGrant": facts.ClientGrantFacts,
    "Connection": facts.ConnectionFacts,
    "CustomDomain": CustomDomainFacts,
    "Credential": CredentialFacts,
    "Grant": facts.ConsentFacts,
    "Job": JobFacts,
    "LogEvent": facts.LogEventFacts,
    "LogStream": LogStreamFacts,
    "LogStreamFailure": LogStreamFailureFacts,
    "Organization": organizations.OrganizationFacts,
    "OrganizationInvitation": organizations.OrganizationInvitationFacts,
    "OrganizationMember": organizations.OrganizationMemberFacts,
    "ResourceServer": facts.ResourceServerFacts,
    "Role": facts.RoleFacts,
    "Scope": facts.Scope,
    "Session": facts.SessionFacts,
    "SigningKey": facts.SigningKeyFacts,
    "Tenant": facts.TenantFacts,
    "TrustedDocument": TrustedDocumentFacts,
    "TrustedIssuer": facts.TrustedIssuerFacts,
    "User": facts.UserFacts,
}
# What is published and no column: derived from the address or loaded from another noun.
DERIVED = {
    "LogStream": {"failures"},
    "Job": {"results_url"},
    "LogStreamFailure": {"message_id"},
    "Application": {
        "client_authentication_methods",
        "client_grants",
        "connections",
        "credentials",
        "readiness_checks",
        "signed_request_object",
    },
    "CustomDomain": {
        "issuer",
        "verification_method",
        "verification_name",
    },
    "ClientGrant": {"application", "organizations", "resource_server"},
    "Grant": {"user", "application", "resource_server"},
    "Organization": {"organization_id", "connections", "members", "invitations"},
    "OrganizationInvitation": {"organization", "roles"},
    "OrganizationMember": {"user", "roles"},
    "Role": {"permissions", "users"},
    "Session": {"session_id", "user", "client_ids"},
    "SigningKey": {"id"},
    "Tenant": {"issuer", "management_identifier"},
    "TrustedDocument": {"document_id"},
    "User": {
        "user_id",
        "connection",
        "sessions",
        "grants",
        "organizations",
        "roles",
        "permissions",
    },
}


def own_types() -> Iterator[Any]:
    for name, type_ in SCHEMA.type_map.items():
        if not name.startswith("__"):
            yield type_


def all_fields() -> Iterator[tuple[str, GraphQLField]]:
    for type_ in own_types():
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in type_.fields.items():
                yield f"{type_.name}.{name}", field


def definition(field: Any) -> Any:
    return field.extensions["strawberry-definition"]


def scopes_of(field: Any) -> list[list[str]] | None:
    for directive in definition(field).directives:
        if isinstance(directive, ScopesDirective):
            return directive.scopes
    return None


def test_the_file_is_the_exact_export() -> None:
    assert (Path(__file__).parents[2] / "schema.graphql").read_text(encoding="utf-8") == sdl()


def test_everything_is_described() -> None:
    missing = []
    for type_ in own_types():
        described: list[tuple[str, Any]] = [(type_.name, type_)]
        if isinstance(type_, GraphQLEnumType):
            described += [(f"{type_.name}.{name}", value) for name, value in type_.values.items()]
        elif hasattr(type_, "fields"):
            for name, field in type_.fields.items():
                described.append((f"{type_.name}.{name}", field))
                for argument, value in getattr(field, "args", {}).items():
                    described.append((f"{type_.name}.{name}({argument})", value))
        missing += [path for path, item in described if not item.description]
    assert missing == []


def test_guarded_fields_are_nullable_and_guarded_as_they_say() -> None:
    guarded = 0
    for path, field in all_fields():
        extensions = [e for e in definition(field).extensions if isinstance(e, RequiresScopes)]
        scopes = scopes_of(field)
        assert bool(extensions) == (scopes is not None), path
        if extensions:
            guarded += 1
            assert not isinstance(field.type, GraphQLNonNull), path
            assert [list(inner) for inner in extensions[0].alternatives] == scopes, path
    assert guarded > 30


def test_every_root_field_is_guarded_but_those_that_say_who_asks_and_find_nodes() -> None:
    for root in (QUERY, MUTATION):
        for name, field in root.fields.items():
            assert (scopes_of(field) is None) == (name in {"viewer", "node", "nodes"}), name


def test_a_guard_on_a_field_that_cannot_be_null_is_refused() -> None:
    @strawberry.type
    class Query:
        @guarded.field("The name.", "read:users")
        def name(self) -> str:
            return ""

    with pytest.raises(TypeError, match="not nullable"):
        strawberry.Schema(Query)


def test_the_scopes_are_those_that_something_needs() -> None:
    used = {scope for node in NODE_TYPES.values() for scope in [node.scope]}
    items: list[Any] = [field for _, field in all_fields()]
    for type_ in own_types():
        if isinstance(type_, GraphQLInputObjectType):
            items += type_.fields.values()
    for item in items:
        used |= {scope for inner in scopes_of(item) or [] for scope in inner}
    assert used == {*MANAGEMENT_SCOPES, *ROOT_SCOPES}


def test_mutations_take_one_input_and_give_their_payload() -> None:
    for name, field in MUTATION.fields.items():
        noun = name[0].upper() + name[1:]
        assert list(field.args) == ["input"]
        assert str(field.args["input"].type) == f"{noun}Input!"
        assert str(field.type) == f"{noun}Payload"
        payload = field.type
        assert isinstance(payload, GraphQLObjectType)
        for member, value in payload.fields.items():
            nullable = not isinstance(value.type, GraphQLNonNull)
            assert nullable == (member != "errors"), f"{name}.{member}"
        assert str(payload.fields["errors"].type) == "[UserError!]!"


def test_lists_are_connections() -> None:
    pages = 0
    for path, field in all_fields():
        type_ = get_named_type(field.type)
        if not isinstance(type_, GraphQLObjectType) or "pageInfo" not in type_.fields:
            continue
        pages += 1
        assert {"first", "last", "after", "before"} <= set(field.args), path
        assert set(type_.fields) == {"nodes", "edges", "pageInfo", "totalCount"}
        assert type_.name.endswith("Connection")
        assert type_.name.removesuffix("Connection") in SOURCES
    assert pages >= 27


def test_no_secret_is_in_the_schema() -> None:
    hidden = ("digest", "hash", "private", "secret", "password", "envelope")
    shown = {
        f"{type_.name}.{name}"
        for type_ in own_types()
        if isinstance(type_, GraphQLObjectType)
        for name in type_.fields
        if any(word in name.lower() for word in hidden)
    }
    assert shown == {
        "ApplicationCreatePayload.clientSecret",
        "ApplicationSecretRotatePayload.clientSecret",
        "ApplicationUpdatePayload.clientSecret",
        "ClientAuthenticationMethods.privateKeyJwt",
        "ConfigurationApplyPayload.planHash",
        "ConfigurationMade.secret",
        "ConfigurationPlan.hash",
        "Connection.passwordMinimumLength",
        "LogStreamCreatePayload.secret",
        "LogStreamSecretRotatePayload.secret",
        "Mutation.applicationSecretRotate",
        "Mutation.logStreamSecretRotate",
        "Mutation.resourceServerSecretRotate",
        "Mutation.tenantPushSecretRotate",
        "Mutation.userPasswordSet",
        "ResourceServerCreatePayload.signingSecret",
        "ResourceServerSecretRotatePayload.signingSecret",
        "TenantPushSecretRotatePayload.secret",
        "TestApplicationCreatePayload.clientSecret",
        "User.passwordChangedAt",
    }


@pytest.mark.parametrize("name", SOURCES)
def test_each_published_field_has_a_source(name: str) -> None:
    source = {field.name for field in fields(SOURCES[name])}
    type_ = SCHEMA.type_map[name]
    assert isinstance(type_, GraphQLObjectType)
    for field in type_.fields.values():
        python_name = definition(field).python_name
        assert python_name in source | DERIVED.get(name, set())


def test_enum_values_tell_the_wire_value() -> None:
    for enum in (facts.ApplicationType, facts.GrantType, facts.SigningAlgorithm, KeyState):
        type_ = SCHEMA.type_map[enum.__name__]
        assert isinstance(type_, GraphQLEnumType)
        for member in enum:
            assert f"`{member.value}`" in (type_.values[member.name].description or "")
    for type_ in own_types():
        if isinstance(type_, GraphQLEnumType):
            assert all(value.isupper() for value in type_.values)


def test_every_code_of_an_error_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs/management.md").read_text(encoding="utf-8")
    assert [code for code in get_args(RequestCode) if f"`{code}`" not in text] == []
