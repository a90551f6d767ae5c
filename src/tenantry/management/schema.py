"""The schema, put together once. It needs no runtime, so that it can be exported."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.types import ExecutionContext

from tenantry.management.executor import Executor, mark_attributes
from tenantry.management.mutations.applications import ApplicationMutations
from tenantry.management.mutations.backchannel_requests import BackchannelMutations
from tenantry.management.mutations.client_grants import ClientGrantMutations
from tenantry.management.mutations.configuration import ConfigurationMutations
from tenantry.management.mutations.connections import ConnectionMutations
from tenantry.management.mutations.credentials import CredentialMutations
from tenantry.management.mutations.custom_domains import CustomDomainMutations
from tenantry.management.mutations.grants import GrantMutations
from tenantry.management.mutations.jobs import JobMutations
from tenantry.management.mutations.log_streams import LogStreamMutations
from tenantry.management.mutations.organization_members import OrganizationMemberMutations
from tenantry.management.mutations.organizations import OrganizationMutations
from tenantry.management.mutations.readiness import ReadinessMutations
from tenantry.management.mutations.resource_servers import ResourceServerMutations
from tenantry.management.mutations.roles import RoleMutations
from tenantry.management.mutations.sessions import SessionMutations
from tenantry.management.mutations.signing_keys import SigningKeyMutations
from tenantry.management.mutations.tenants import TenantMutations
from tenantry.management.mutations.test_applications import TestApplicationMutations
from tenantry.management.mutations.trusted_documents import TrustedDocumentMutations
from tenantry.management.mutations.trusted_issuers import TrustedIssuerMutations
from tenantry.management.mutations.users import UserImportInput, UserMutations
from tenantry.management.queries import Query
from tenantry.management.scalars import DATE_TIME
from tenantry.management.subscriptions import Subscription


@strawberry.type(
    description=(
        "What can be changed. Each field is one transaction; a refusal that can be mended is in "
        "the payload's `errors`. With an `Idempotency-Key` header a repetition within 24 hours "
        "gets the first answer and does nothing again. To let a machine call an API, use "
        "`resourceServerCreate`, `applicationCreate` and `clientGrantCreate`."
    )
)
class Mutation(
    ApplicationMutations,
    BackchannelMutations,
    ClientGrantMutations,
    ConfigurationMutations,
    ConnectionMutations,
    CredentialMutations,
    CustomDomainMutations,
    GrantMutations,
    JobMutations,
    LogStreamMutations,
    OrganizationMemberMutations,
    OrganizationMutations,
    ReadinessMutations,
    ResourceServerMutations,
    RoleMutations,
    SessionMutations,
    SigningKeyMutations,
    TenantMutations,
    TestApplicationMutations,
    TrustedDocumentMutations,
    TrustedIssuerMutations,
    UserMutations,
):
    pass


class _PreparedDocument(SchemaExtension):
    """Runs the document that was parsed, limited and validated before."""

    def on_parse(self) -> Any:
        self.execution_context.graphql_document = self.execution_context.context.document
        self.execution_context.pre_execution_errors = []
        yield


class _Schema(strawberry.Schema):
    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Faults are logged where they are masked, and refusals are no faults."""


class _Names(NameConverter):
    # Strawberry asks for the name of each argument whenever a field is resolved.
    apply_naming_config = cache(NameConverter.apply_naming_config)


@cache
def build_schema() -> strawberry.Schema:
    schema = _Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[UserImportInput],
        extensions=[_PreparedDocument],
        execution_context_class=Executor,
        config=StrawberryConfig(scalar_map={datetime: DATE_TIME}, name_converter=_Names()),
    )
    mark_attributes(schema._schema)
    return schema


def sdl() -> str:
    """The text of `schema.graphql`."""
    return f"{build_schema().as_str()}\n"
