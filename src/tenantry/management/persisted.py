"""Documents that a request names by their digest, and tenants at which no other runs.

GraphQL over HTTP, "Persisted Documents", and the `persistedQuery` extension as its clients send
it. Nothing is registered by being asked for.
"""

from __future__ import annotations

from dataclasses import replace

from graphql import DocumentNode, FieldNode, OperationDefinitionNode, OperationType

from tenantry.core.trusted_documents import document_digest
from tenantry.management.body import Parameters
from tenantry.management.errors import request_error
from tenantry.services.management_access import load_tenant
from tenantry.services.runtime import Runtime
from tenantry.services.trusted_documents import trusted_text

# Whoever may switch it on may switch it off, and may say what is trusted.
ALWAYS = frozenset({"tenantUpdate", "trustedDocumentCreate", "trustedDocumentDelete"})


async def with_document(runtime: Runtime, tenant_id: str, parameters: Parameters) -> Parameters:
    """The request with its document. A GraphQLError where the digest is nobody's, or another's."""
    digest = parameters.digest
    if digest is None:
        return parameters
    if parameters.query:
        if document_digest(parameters.query) != digest:
            raise request_error("BAD_REQUEST", "The digest is that of another document.")
        return parameters
    text = await trusted_text(runtime, tenant_id, digest)
    if text is None:
        raise request_error("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
    return replace(parameters, query=text)


async def require_trusted(
    runtime: Runtime,
    tenant_id: str,
    parameters: Parameters,
    document: DocumentNode | None,
) -> None:
    """A GraphQLError where the tenant runs trusted documents only and this is none.

    What is wrong with a document that is not trusted is not said: it would tell the schema.
    """
    tenant = await load_tenant(runtime, tenant_id)
    if not tenant.trusted_documents_only or (document and _always_runs(document)):
        return
    if await trusted_text(runtime, tenant_id, document_digest(parameters.query)) is None:
        raise request_error("UNTRUSTED_DOCUMENT", "This tenant runs trusted documents only.")


def _always_runs(document: DocumentNode) -> bool:
    """Whether it is nothing but those mutations, plainly written."""
    return all(
        isinstance(definition, OperationDefinitionNode)
        and definition.operation is OperationType.MUTATION
        and all(
            isinstance(node, FieldNode) and node.name.value in ALWAYS
            for node in definition.selection_set.selections
        )
        for definition in document.definitions
    )
