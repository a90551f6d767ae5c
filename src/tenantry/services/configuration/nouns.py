"""The nouns of a document, in the order in which one needs the other."""

from __future__ import annotations

from collections.abc import Mapping

from tenantry.core.facts import (
    ApplicationFacts,
    ClientGrantFacts,
    ConnectionFacts,
    ResourceServerFacts,
    RoleFacts,
    TenantFacts,
    TrustedIssuerFacts,
)
from tenantry.core.log_streams import LogStreamFacts
from tenantry.rules.log_streams import LOG_STREAM_FIELDS
from tenantry.rules.nouns import CONNECTION_FIELDS, RESOURCE_SERVER_FIELDS, TENANT_FIELDS
from tenantry.rules.trusted_issuers import TRUSTED_ISSUER_FIELDS
from tenantry.services.configuration import apis, applications, grants, others, roles
from tenantry.services.configuration.noun import Noun

NOUNS: tuple[Noun, ...] = (
    Noun(
        name="tenant",
        type_name="Tenant",
        scope="tenant_settings",
        facts=TenantFacts,
        fields=TENANT_FIELDS,
        load=others.load_tenant,
        update=others.update_tenant,
        late=frozenset({"default_audience", "default_directory"}),
    ),
    Noun(
        name="connections",
        type_name="Connection",
        scope="connections",
        facts=ConnectionFacts,
        fields=CONNECTION_FIELDS,
        key=("name",),
        load=others.load_connections,
        create=others.create_connection,
        update=others.update_connection,
        delete=others.delete_connection,
    ),
    Noun(
        name="resourceServers",
        type_name="ResourceServer",
        scope="resource_servers",
        facts=ResourceServerFacts,
        fields=RESOURCE_SERVER_FIELDS,
        key=("identifier",),
        immutable=frozenset({"signing_alg"}),
        shapes=apis.SHAPES,
        load=apis.load,
        create=apis.create,
        update=apis.update,
        delete=apis.delete,
        settle=apis.settle,
        secret_of=apis.secret_of,
    ),
    Noun(
        name="applications",
        type_name="Application",
        scope="applications",
        facts=ApplicationFacts,
        fields=applications.FIELDS,
        key=("external_id",),
        shapes=applications.SHAPES,
        further_scopes={"clientSecret": "update:application_keys"},
        load=applications.load,
        create=applications.create,
        update=applications.update,
        delete=applications.delete,
        settle=applications.settle,
        secret_of=applications.secret_of,
    ),
    Noun(
        name="clientGrants",
        type_name="ClientGrant",
        scope="client_grants",
        facts=ClientGrantFacts,
        fields=grants.FIELDS,
        key=("application", "audience", "subject_type"),
        shapes=grants.SHAPES,
        load=grants.load,
        create=grants.create,
        update=grants.update,
        delete=grants.delete,
    ),
    Noun(
        name="roles",
        type_name="Role",
        scope="roles",
        facts=RoleFacts,
        fields=roles.FIELDS,
        key=("name",),
        shapes=roles.SHAPES,
        further_scopes={"permissions": "update:roles"},
        load=roles.load,
        create=roles.create,
        update=roles.update,
        delete=roles.delete,
        settle=roles.settle,
    ),
    Noun(
        name="trustedIssuers",
        type_name="TrustedIssuer",
        scope="tenant_settings",
        facts=TrustedIssuerFacts,
        fields=TRUSTED_ISSUER_FIELDS,
        key=("issuer",),
        shapes=others.TRUSTED_ISSUER_SHAPES,
        load=others.load_trusted_issuers,
        create=others.create_trusted_issuer,
        update=others.update_trusted_issuer,
        delete=others.delete_trusted_issuer,
        settle=others.settle_trusted_issuer,
    ),
    Noun(
        name="logStreams",
        type_name="LogStream",
        scope="log_streams",
        facts=LogStreamFacts,
        fields=LOG_STREAM_FIELDS,
        key=("name",),
        load=others.load_log_streams,
        create=others.create_log_stream,
        update=others.update_log_stream,
        delete=others.delete_log_stream,
        secret_of=others.secret_of_log_stream,
    ),
)
BY_NAME: Mapping[str, Noun] = {noun.name: noun for noun in NOUNS}
