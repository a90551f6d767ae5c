"""No function of the store shows or changes what is another tenant's.

Tenants A and B hold rows with the same ids, names and digests, told apart by a mark in their
texts; B holds more, whose ids end in `-b`. Every public function runs as A: once on the ids that
both have, which must do its work and leave B as it was, and once on the ids that B alone has,
which must find nothing.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

import tenantry.store
from tenantry.core.activity import ActivityDayFacts, Totals
from tenantry.core.compliance import ComplianceLevel
from tenantry.core.context import ANONYMOUS, SYSTEM, Caller
from tenantry.core.errors import DomainError
from tenantry.core.facts import (
    KeyState,
    SessionClientFacts,
    SessionFacts,
    SigningAlgorithm,
    SubjectType,
)
from tenantry.core.jobs import JobKind, JobState
from tenantry.core.organizations import (
    OrganizationConnectionFacts,
    OrganizationInvitationFacts,
    OrganizationMemberFacts,
)
from tenantry.keys.signing import (
    certificate_to_pem,
    private_key_to_der,
    self_signed_certificate,
)
from tenantry.keys.vault import Vault
from tenantry.store import (
    activity,
    applications,
    attempts,
    audit,
    authorizations,
    backchannel_requests,
    client_grants,
    connections,
    consents,
    credentials,
    custom_domains,
    device_codes,
    encryption_keys,
    job_chunks,
    jobs,
    kept_emails,
    log_feed,
    log_stream_failures,
    log_streams,
    mutation_records,
    new_users,
    objects,
    organization_grants,
    organization_invitations,
    organization_members,
    organizations,
    outbox,
    pairwise_subjects,
    presented_tokens,
    pushed_requests,
    readiness_dismissals,
    redeeming,
    refresh_tokens,
    refreshing,
    replay_identifiers,
    resource_servers,
    roles,
    session_clients,
    sessions,
    signing_keys,
    tables,
    tokens,
    trusted_documents,
    trusted_issuers,
    user_search,
    users,
)
from tenantry.store.backchannel_requests import BackchannelRequestFilter
from tenantry.store.client_grants import ClientGrantFilter
from tenantry.store.consents import ConsentFilter
from tenantry.store.database import Database
from tenantry.store.job_chunks import Chunk
from tenantry.store.log_stream_failures import Batch
from tenantry.store.mutation_records import Recorded, RecordKey
from tenantry.store.outbox import DeliveryFacts, DeliveryState
from tenantry.store.pages import Page, PageRequest
from tenantry.store.sessions import SessionFilter
from tenantry.store.unit_of_work import TenantSession
from tenantry.store.users import UserFilter
from tests.store.seeds import LATER, NOW, add, row
from tests.support.databases import Databases, Kind
from tests.support.keys import key_source

TENANT_BOUND = {
    "activity",
    "log_feed",
    "log_stream_failures",
    "log_streams",
    "applications",
    "attempts",
    "audit",
    "authorizations",
    "client_grants",
    "connections",
    "consents",
    "credentials",
    "custom_domains",
    "backchannel_requests",
    "kept_emails",
    "device_codes",
    "encryption_keys",
    "job_chunks",
    "jobs",
    "new_users",
    "mutation_records",
    "organization_grants",
    "organization_invitations",
    "organization_members",
    "organizations",
    "replay_identifiers",
    "outbox",
    "pairwise_subjects",
    "presented_tokens",
    "pushed_requests",
    "readiness_dismissals",
    "redeeming",
    "refreshing",
    "refresh_tokens",
    "resource_servers",
    "roles",
    "session_clients",
    "sessions",
    "signing_keys",
    "tokens",
    "trusted_documents",
    "trusted_issuers",
    "user_search",
    "objects",
    "users",
}
OTHERS = {
    "activity_counts": "counts a day of all tenants at once",
    "audit_queue": "writes rows that audit makes",
    "cache": "keeps what these functions find",
    "database": "connections",
    "dispatch": "says which messages of all tenants are due",
    "epochs": "counts of all tenants",
    "fast_insert": "how audit_queue writes its rows",
    "group_commit": "lets requests share commits",
    "installation": "the one module that crosses tenants",
    "joined": "columns and values for these functions",
    "log_positions": "conditions and expressions for these functions",
    "migrate": "the schema",
    "migrations": "the schema",
    "pages": "takes the conditions of these functions",
    "postgresql": "how database reads results",
    "records": "what these functions share",
    "replay_queue": "claims what replay_identifiers claims",
    "rows": "values only",
    "system_apis": "writes what every tenant's own API has",
    "tables": "names only",
    "unit_of_work": "makes the sessions",
    "verified_domains": "says which tenant a host is",
}
WITHOUT_SESSION = {
    "audit.of_types",
    "audit.event_row",
    "users.taken",
    "users.with_keys",
    "resource_servers.envelope_row",
    "encryption_keys.envelope_row",
    "signing_keys.envelope_row",
    "user_search.beginning",
}

A, B = "tenant-a", "tenant-b"
EVEN_LATER = LATER + timedelta(hours=1)
OF_A, OF_B = "of-a", "of-b"
VAULT = Vault([bytes(range(32))])
PAGE = PageRequest(size=10)
RS256, ES256 = SigningAlgorithm.RS256, SigningAlgorithm.ES256
RECORD = RecordKey("caller", "digest", "path")
RECORD_OF_B = RecordKey("caller", "digest-b", "path")

Step = Callable[[TenantSession, TenantSession], Any]


@dataclass(frozen=True)
class Case:
    """Calls of one function. Both steps get a session of A and one of B, to read with.

    `on_shared` uses ids that both tenants have. Its result is `result`, or shows A's mark.
    `on_foreign` uses ids that B alone has. It leaves A's rows too as they were, and answers
    `nothing`; `DomainError` as `nothing` is a refusal. None where a function takes no id.
    """

    on_shared: Step
    on_foreign: Step | None
    nothing: Any = None
    writes: bool = False
    result: Any = OF_A


def reads(on_shared: Step, on_foreign: Step | None, nothing: Any = None, **more: Any) -> Case:
    return Case(on_shared, on_foreign, nothing, **more)


def writes(on_shared: Step, on_foreign: Step | None, nothing: Any = None, **more: Any) -> Case:
    return Case(on_shared, on_foreign, nothing, writes=True, **{"result": None, **more})


ANY = object()
"""Any result: an id that was made."""


def without_key(table: str, **given: Any) -> dict[str, Any]:
    """Values of a command whose row B has already."""
    values = row(tables.metadata.tables[table], OF_A, **given)
    own = {"tenant_id", "id", "revision", "created_at", "updated_at", "deleted_at"}
    return {name: value for name, value in values.items() if name not in own}


def delivery_of(tenant: str, end: str) -> DeliveryFacts:
    """A message as it was leased. The payload names the tenant, and is sealed for it."""
    id_, mark = f"delivery{end}", OF_A if tenant == A else OF_B
    sealed = VAULT.encrypt(json.dumps({"mark": mark}).encode(), f"delivery {tenant} {id_}")
    return DeliveryFacts(tenant_id=tenant, id=id_, kind="kind", payload=sealed, attempts=1)


def session_facts(id: str) -> SessionFacts:
    return SessionFacts(
        id=id,
        issuer=OF_A,
        user_id="user",
        connection_id="conn",
        auth_time=NOW,
        created_at=NOW,
        last_seen_at=NOW,
        expires_at=LATER,
        ended_at=None,
    )


def batch_of(end: str, lease: str) -> Batch:
    """A batch of a log stream, as it was leased."""
    return Batch(
        stream_id=f"stream{end}",
        lease=lease,
        id=f"new{end}",
        end=(1, "~"),
        events=(),
        url="url",
        secret="secret",
        attempts=1,
        failed_batches=0,
    )


ENABLED = OrganizationConnectionFacts(
    organization_id="org", connection_id="conn", assign_membership_on_login=False
)
MEMBER = OrganizationMemberFacts(id="member", organization_id="org", user_id="user", created_at=NOW)
INVITATION = OrganizationInvitationFacts(
    id="invitation-new",
    organization_id="org",
    client_id="client",
    inviter_name=OF_A,
    invitee_email=OF_A,
    role_ids=(),
    created_at=NOW,
    expires_at=LATER,
    accepted_at=None,
    accepted_by=None,
)


DUE = datetime(2020, 1, 1, tzinfo=UTC)
KINDS = list(JobKind)


def new_user(name: str) -> dict[str, Any]:
    """The row of a user whose email is one of B's, or nobody's."""
    values = without_key("users", connection_id="conn", email=f"{name}.example", name=OF_A)
    return {name: value for name, value in values.items() if not name.endswith("_key")}


def chunk_rows(tenant: str, end: str, mark: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Two chunks of a running job, of which one is done; a job that waits, and one that is over."""
    running = {"kind": "user_import", "error_policy": "skip_failed", "connection": mark}
    for id_, state, values in (
        (f"waiting{end}", "waiting", {"upload_digest": VAULT.digest("token", "job upload"),
                                      "upload_expires_at": LATER}),
        (f"receiving{end}", "uploading", {"lease": mark}),
        (f"over{end}", "completed", {"finished_at": NOW}),
    ):  # fmt: skip
        given = {**running, "id": id_, "state": state, "due_at": DUE, **values}
        yield "jobs", row(tables.jobs, mark, tenant_id=tenant, **given)
    sealed = {
        name: VAULT.encrypt(mark.encode(), f"job {tenant} job{end} 1 {name}")
        for name in ("results", "secrets")
    }
    done = {"job_id": f"job{end}", "number": 1, "first_line": 101, **sealed}
    yield "job_chunks", row(tables.job_chunks, mark, tenant_id=tenant, **done)


def must(found: Any) -> Any:
    """The object of B that a step hands to A's call."""
    assert OF_B in repr(found)
    return found


CASES: dict[str, Case] = {
    "applications.create": writes(
        lambda a, _: applications.create(a, without_key("applications", client_id="client-b")),
        None,
        result=ANY,
    ),
    "applications.find": reads(
        lambda a, _: applications.find(a, "app"), lambda a, _: applications.find(a, "app-b")
    ),
    "applications.lock": reads(
        lambda a, _: applications.lock(a, "app"), lambda a, _: applications.lock(a, "app-b")
    ),
    "applications.find_by_client_id": reads(
        lambda a, _: applications.find_by_client_id(a, "client"),
        lambda a, _: applications.find_by_client_id(a, "client-b"),
    ),
    "applications.find_by_external_id": reads(
        lambda a, _: applications.find_by_external_id(a, "external"),
        lambda a, _: applications.find_by_external_id(a, "external-b"),
    ),
    "applications.connection_names": reads(
        lambda a, _: applications.connection_names(a), None, result={"app": ("conn",)}
    ),
    "applications.find_by_client_ids": reads(
        lambda a, _: applications.find_by_client_ids(a, ["client", "client-b"]),
        lambda a, _: applications.find_by_client_ids(a, ["client-b"]),
        {},
    ),
    "applications.change": writes(
        lambda a, b: applications.change(a, must(applications.find(b, "app")), {"name": "new"}),
        lambda a, b: applications.change(a, must(applications.find(b, "app-b")), {"name": "new"}),
        DomainError,
    ),
    "applications.mark_deleted": writes(
        lambda a, b: applications.mark_deleted(a, must(applications.find(b, "app"))),
        lambda a, b: applications.mark_deleted(a, must(applications.find(b, "app-b"))),
        nothing=DomainError,
    ),
    "applications.compliance_levels": reads(
        lambda a, _: applications.compliance_levels(a, ""),
        None,
        result=(ComplianceLevel.FAPI2_SP_PKJ_MTLS,),
    ),
    "applications.on_devices": reads(
        lambda a, _: applications.on_devices(a, "android"), None, result=()
    ),
    "applications.page": reads(lambda a, _: applications.page(a, PAGE), None),
    "applications.count": reads(lambda a, _: applications.count(a), None, result=1),
    "applications.origins": reads(
        lambda a, _: applications.origins(a), None, result=frozenset({"https://of-a.example"})
    ),
    "applications.connection_ids": reads(
        lambda a, _: applications.connection_ids(a, "app"),
        lambda a, _: applications.connection_ids(a, "app-b"),
        (),
        result=("conn",),
    ),
    "applications.set_connections": writes(
        lambda a, _: applications.set_connections(a, "app", []),
        lambda a, _: applications.set_connections(a, "app-b", []),
    ),
    "resource_servers.create": writes(
        lambda a, _: resource_servers.create(
            a, without_key("resource_servers", identifier="https://api-b")
        ),
        None,
        result=ANY,
    ),
    "resource_servers.find": reads(
        lambda a, _: resource_servers.find(a, "api"),
        lambda a, _: resource_servers.find(a, "api-b"),
    ),
    "resource_servers.detail_types": reads(
        lambda a, _: resource_servers.detail_types(a, ""), None, result=(OF_A,)
    ),
    "resource_servers.find_by_identifier": reads(
        lambda a, _: resource_servers.find_by_identifier(a, "https://api"),
        lambda a, _: resource_servers.find_by_identifier(a, "https://api-b"),
    ),
    "resource_servers.find_by_identifiers": reads(
        lambda a, _: resource_servers.find_by_identifiers(a, ["https://api", "https://api-b"]),
        lambda a, _: resource_servers.find_by_identifiers(a, ["https://api-b"]),
        {},
    ),
    "resource_servers.signing_secret": reads(
        lambda a, _: resource_servers.signing_secret(a, "api"),
        lambda a, _: resource_servers.signing_secret(a, "api-b"),
        result=OF_A.encode(),
    ),
    "resource_servers.set_signing_secret": writes(
        lambda a, b: resource_servers.set_signing_secret(
            a, must(resource_servers.find(b, "api")), b"new"
        ),
        lambda a, b: resource_servers.set_signing_secret(
            a, must(resource_servers.find(b, "api-b")), b"new"
        ),
        DomainError,
    ),
    "resource_servers.change": writes(
        lambda a, b: resource_servers.change(
            a, must(resource_servers.find(b, "api")), {"name": "new"}
        ),
        lambda a, b: resource_servers.change(
            a, must(resource_servers.find(b, "api-b")), {"name": "new"}
        ),
        DomainError,
    ),
    "resource_servers.delete": writes(
        lambda a, b: resource_servers.delete(a, must(resource_servers.find(b, "api"))),
        lambda a, b: resource_servers.delete(a, must(resource_servers.find(b, "api-b"))),
        nothing=DomainError,
    ),
    "resource_servers.page": reads(lambda a, _: resource_servers.page(a, PAGE), None),
    "resource_servers.count": reads(lambda a, _: resource_servers.count(a), None, result=1),
    "client_grants.create": writes(
        lambda a, _: client_grants.create(
            a, without_key("client_grants", client_id="client-b", audience="https://api-b")
        ),
        None,
        result=ANY,
    ),
    "client_grants.find": reads(
        lambda a, _: client_grants.find(a, "grant"), lambda a, _: client_grants.find(a, "grant-b")
    ),
    "client_grants.find_for": reads(
        lambda a, _: client_grants.find_for(a, ("client", "https://api", SubjectType.CLIENT)),
        lambda a, _: client_grants.find_for(a, ("client-b", "https://api-b", SubjectType.CLIENT)),
    ),
    "client_grants.change": writes(
        lambda a, b: client_grants.change(
            a, must(client_grants.find(b, "grant")), {"scopes": ("new",)}
        ),
        lambda a, b: client_grants.change(
            a, must(client_grants.find(b, "grant-b")), {"scopes": ("new",)}
        ),
        DomainError,
    ),
    "client_grants.delete": writes(
        lambda a, b: client_grants.delete(a, must(client_grants.find(b, "grant"))),
        lambda a, b: client_grants.delete(a, must(client_grants.find(b, "grant-b"))),
        nothing=DomainError,
    ),
    "client_grants.delete_for_audience": writes(
        lambda a, _: client_grants.delete_for_audience(a, "https://api"),
        lambda a, _: client_grants.delete_for_audience(a, "https://api-b"),
    ),
    "client_grants.delete_for_client": writes(
        lambda a, _: client_grants.delete_for_client(a, "client"),
        lambda a, _: client_grants.delete_for_client(a, "client-b"),
    ),
    "client_grants.page": reads(
        lambda a, _: client_grants.page(a, ClientGrantFilter(), PAGE),
        lambda a, _: client_grants.page(a, ClientGrantFilter(client_id="client-b"), PAGE).items,
        (),
    ),
    "client_grants.count": reads(
        lambda a, _: client_grants.count(a, ClientGrantFilter()),
        lambda a, _: client_grants.count(a, ClientGrantFilter(audience="https://api-b")),
        0,
        result=1,
    ),
    "client_grants.first_of_each_client": reads(
        lambda a, _: client_grants.first_of_each_client(a, ["client", "client-b"], PAGE),
        lambda a, _: client_grants.first_of_each_client(a, ["client-b"], PAGE),
        {},
    ),
    "client_grants.count_of_each_client": reads(
        lambda a, _: client_grants.count_of_each_client(a, ["client", "client-b"]),
        lambda a, _: client_grants.count_of_each_client(a, ["client-b"]),
        {},
        result={"client": 1},
    ),
    "connections.create": writes(
        lambda a, _: connections.create(a, without_key("connections", name="conn-b")),
        None,
        result=ANY,
    ),
    "connections.find": reads(
        lambda a, _: connections.find(a, "conn"), lambda a, _: connections.find(a, "conn-b")
    ),
    "connections.find_by_name": reads(
        lambda a, _: connections.find_by_name(a, "conn"),
        lambda a, _: connections.find_by_name(a, "conn-b"),
    ),
    "connections.find_by_ids": reads(
        lambda a, _: connections.find_by_ids(a, ["conn", "conn-b"]),
        lambda a, _: connections.find_by_ids(a, ["conn-b"]),
        {},
    ),
    "connections.change": writes(
        lambda a, b: connections.change(
            a, must(connections.find(b, "conn")), {"display_name": "new"}
        ),
        lambda a, b: connections.change(
            a, must(connections.find(b, "conn-b")), {"display_name": "new"}
        ),
        DomainError,
    ),
    "connections.delete": writes(
        lambda a, b: connections.delete(a, must(connections.find(b, "conn"))),
        lambda a, b: connections.delete(a, must(connections.find(b, "conn-b"))),
        nothing=DomainError,
    ),
    "connections.has_users": reads(
        lambda a, _: connections.has_users(a, "conn"),
        lambda a, _: connections.has_users(a, "conn-b"),
        False,
        result=True,
    ),
    "connections.all_ids": reads(lambda a, _: connections.all_ids(a), None, result=("conn",)),
    "connections.page": reads(lambda a, _: connections.page(a, PAGE), None),
    "connections.count": reads(lambda a, _: connections.count(a), None, result=1),
    "connections.first_of_each_application": reads(
        lambda a, _: connections.first_of_each_application(a, ["app", "app-b"], PAGE),
        lambda a, _: connections.first_of_each_application(a, ["app-b"], PAGE),
        {},
    ),
    "connections.count_of_each_application": reads(
        lambda a, _: connections.count_of_each_application(a, ["app", "app-b"]),
        lambda a, _: connections.count_of_each_application(a, ["app-b"]),
        {},
        result={"app": 1},
    ),
    "users.create": writes(
        lambda a, _: users.create(
            a, without_key("users", connection_id="conn-b", email="b@b.example")
        ),
        None,
        result=ANY,
    ),
    "users.find": reads(lambda a, _: users.find(a, "user"), lambda a, _: users.find(a, "user-b")),
    "users.find_by_ids": reads(
        lambda a, _: users.find_by_ids(a, ["user", "user-b"]),
        lambda a, _: users.find_by_ids(a, ["user-b"]),
        {},
    ),
    "users.decoy": reads(
        lambda a, _: users.decoy(a, "conn", ""),
        lambda a, _: users.decoy(a, "conn-b", ""),
        result="hash",
    ),
    "users.find_logins": reads(
        lambda a, _: users.find_logins(a, ["conn", "conn-b"], "x@x.example"),
        lambda a, _: users.find_logins(a, ["conn", "conn-b"], "b@b.example"),
        (),
    ),
    "users.change": writes(
        lambda a, b: users.change(a, must(users.find(b, "user")), {"name": "new"}),
        lambda a, b: users.change(a, must(users.find(b, "user-b")), {"name": "new"}),
        DomainError,
    ),
    "users.set_password": writes(
        lambda a, _: users.set_password(a, "user", "new"),
        lambda a, _: users.set_password(a, "user-b", "new"),
    ),
    "users.rehash_password": writes(
        lambda a, _: users.rehash_password(a, "user", "hash", "new"),
        lambda a, _: users.rehash_password(a, "user-b", "hash", "new"),
    ),
    "users.note_login": writes(
        lambda a, _: users.note_login(a, "user"), lambda a, _: users.note_login(a, "user-b")
    ),
    "users.delete": writes(
        lambda a, b: users.delete(a, must(users.find(b, "user"))),
        lambda a, b: users.delete(a, must(users.find(b, "user-b"))),
        nothing=DomainError,
    ),
    "users.page": reads(
        lambda a, _: users.page(a, UserFilter(), PAGE),
        lambda a, _: users.page(a, UserFilter(email_prefix="b@"), PAGE).items,
        (),
    ),
    "users.count": reads(
        lambda a, _: users.count(a, UserFilter()),
        lambda a, _: users.count(a, UserFilter(email="b@b.example")),
        0,
        result=1,
    ),
    "objects.find_many": reads(
        lambda a, _: objects.find_many(a, "User", ["user", "user-b"]),
        lambda a, _: objects.find_many(a, "User", ["user-b"]),
        {},
    ),
    "organizations.create": writes(
        lambda a, _: organizations.create(a, without_key("organizations", name="acme-b")),
        None,
        result=ANY,
    ),
    "organizations.find": reads(
        lambda a, _: organizations.find(a, "org"), lambda a, _: organizations.find(a, "org-b")
    ),
    "organizations.find_by_name": reads(
        lambda a, _: organizations.find_by_name(a, "acme"),
        lambda a, _: organizations.find_by_name(a, "acme-b"),
    ),
    "organizations.find_by_ids": reads(
        lambda a, _: organizations.find_by_ids(a, ["org", "org-b"]),
        lambda a, _: organizations.find_by_ids(a, ["org-b"]),
        {},
    ),
    "organizations.change": writes(
        lambda a, b: organizations.change(a, must(organizations.find(b, "org")), {"name": "new"}),
        lambda a, b: organizations.change(a, must(organizations.find(b, "org-b")), {"name": "new"}),
        DomainError,
    ),
    "organizations.delete": writes(
        lambda a, b: organizations.delete(a, must(organizations.find(b, "org"))),
        lambda a, b: organizations.delete(a, must(organizations.find(b, "org-b"))),
        nothing=DomainError,
    ),
    "organizations.page": reads(lambda a, _: organizations.page(a, PAGE), None),
    "organizations.count": reads(lambda a, _: organizations.count(a), None, result=1),
    "organizations.first_of_each_user": reads(
        lambda a, _: organizations.first_of_each_user(a, ["user", "user-b"], PAGE),
        lambda a, _: organizations.first_of_each_user(a, ["user-b"], PAGE),
        {},
    ),
    "organizations.count_of_each_user": reads(
        lambda a, _: organizations.count_of_each_user(a, ["user", "user-b"]),
        lambda a, _: organizations.count_of_each_user(a, ["user-b"]),
        {},
        result={"user": 1},
    ),
    "organizations.enable_connection": writes(
        lambda a, _: organizations.enable_connection(
            a, "org", "conn", assign_membership_on_login=True
        ),
        None,
    ),
    "organizations.disable_connection": writes(
        lambda a, _: organizations.disable_connection(a, "org", "conn"),
        lambda a, _: organizations.disable_connection(a, "org-b", "conn-b"),
        False,
        result=True,
    ),
    "organizations.connections_of_each": reads(
        lambda a, _: organizations.connections_of_each(a, ["org", "org-b"]),
        lambda a, _: organizations.connections_of_each(a, ["org-b"]),
        {},
        result={"org": (ENABLED,)},
    ),
    "organization_grants.add": writes(
        lambda a, _: organization_grants.add(a, "grant", ["org", "new"]), None
    ),
    "organization_grants.remove": writes(
        lambda a, _: organization_grants.remove(a, "grant", ["org"]),
        lambda a, _: organization_grants.remove(a, "grant-b", ["org-b"]),
    ),
    "organization_grants.covers": reads(
        lambda a, _: organization_grants.covers(a, ("grant", "org")),
        lambda a, _: organization_grants.covers(a, ("grant-b", "org-b")),
        result=True,
    ),
    "organization_grants.names_of_all": reads(
        lambda a, _: organization_grants.names_of_all(a), None, result={"grant": ("acme",)}
    ),
    "organization_grants.first_of_each": reads(
        lambda a, _: organization_grants.first_of_each(a, ["grant", "grant-b"], PAGE),
        lambda a, _: organization_grants.first_of_each(a, ["grant-b"], PAGE),
        {},
    ),
    "organization_grants.count_of_each": reads(
        lambda a, _: organization_grants.count_of_each(a, ["grant", "grant-b"]),
        lambda a, _: organization_grants.count_of_each(a, ["grant-b"]),
        {},
        result={"grant": 1},
    ),
    "organization_members.add": writes(
        lambda a, _: organization_members.add(a, "org", ["user", "user-b"]), None, result=1
    ),
    "organization_members.remove": writes(
        lambda a, _: organization_members.remove(a, "org", ["user"]),
        lambda a, _: organization_members.remove(a, "org-b", ["user-b"]),
    ),
    "organization_members.remove_everywhere": writes(
        lambda a, _: organization_members.remove_everywhere(a, "user"),
        lambda a, _: organization_members.remove_everywhere(a, "user-b"),
    ),
    "organization_members.find": reads(
        lambda a, _: organization_members.find(a, "org", "user"),
        lambda a, _: organization_members.find(a, "org-b", "user-b"),
        result=MEMBER,
    ),
    "organization_members.of_each_user": reads(
        lambda a, _: organization_members.of_each_user(a, ["user", "user-b"]),
        lambda a, _: organization_members.of_each_user(a, ["user-b"]),
        {},
        result={"user": (organization_members.Membership("member", "acme"),)},
    ),
    "organization_members.first_of_each_organization": reads(
        lambda a, _: organization_members.first_of_each_organization(a, ["org", "org-b"], PAGE),
        lambda a, _: organization_members.first_of_each_organization(a, ["org-b"], PAGE),
        {},
        result={"org": Page((MEMBER,), (("member", "member"),), False, False)},
    ),
    "organization_members.count_of_each_organization": reads(
        lambda a, _: organization_members.count_of_each_organization(a, ["org", "org-b"]),
        lambda a, _: organization_members.count_of_each_organization(a, ["org-b"]),
        {},
        result={"org": 1},
    ),
    "organization_members.give_roles": writes(
        lambda a, _: organization_members.give_roles(a, "org", "user", ["role", "new"]), None
    ),
    "organization_members.take_roles": writes(
        lambda a, _: organization_members.take_roles(a, "org", "user", ["role"]),
        lambda a, _: organization_members.take_roles(a, "org-b", "user-b", ["role-b"]),
    ),
    "organization_members.roles_of_each": reads(
        lambda a, _: organization_members.roles_of_each(a, ["member", "member-b"]),
        lambda a, _: organization_members.roles_of_each(a, ["member-b"]),
        {},
    ),
    "organization_members.permissions": reads(
        lambda a, _: organization_members.permissions(a, "org", "user", "https://api"),
        lambda a, _: organization_members.permissions(a, "org-b", "user-b", "https://api-b"),
        (),
        result=("do:of-a",),
    ),
    "organization_invitations.create": writes(
        lambda a, _: organization_invitations.create(a, INVITATION, "new"), None
    ),
    "organization_invitations.find": reads(
        lambda a, _: organization_invitations.find(a, "invitation"),
        lambda a, _: organization_invitations.find(a, "invitation-b"),
    ),
    "organization_invitations.find_by_ticket": reads(
        lambda a, _: organization_invitations.find_by_ticket(a, ["ticket", "ticket-b"]),
        lambda a, _: organization_invitations.find_by_ticket(a, ["ticket-b"]),
    ),
    "organization_invitations.claim": writes(
        lambda a, _: organization_invitations.claim(a, "invitation", "user"),
        lambda a, _: organization_invitations.claim(a, "invitation-b", "user-b"),
        False,
        result=True,
    ),
    "organization_invitations.delete": writes(
        lambda a, _: organization_invitations.delete(a, "invitation"),
        lambda a, _: organization_invitations.delete(a, "invitation-b"),
        False,
        result=True,
    ),
    "organization_invitations.first_of_each_organization": reads(
        lambda a, _: organization_invitations.first_of_each_organization(a, ["org", "org-b"], PAGE),
        lambda a, _: organization_invitations.first_of_each_organization(a, ["org-b"], PAGE),
        {},
    ),
    "organization_invitations.count_of_each_organization": reads(
        lambda a, _: organization_invitations.count_of_each_organization(a, ["org", "org-b"]),
        lambda a, _: organization_invitations.count_of_each_organization(a, ["org-b"]),
        {},
        result={"org": 1},
    ),
    "user_search.index": writes(lambda a, _: user_search.index(a, "user", {"name": "new"}), None),
    "user_search.reindex": writes(
        lambda a, b: user_search.reindex(a, must(users.find(b, "user")), {"name": "new"}), None
    ),
    "user_search.remove": writes(
        lambda a, _: user_search.remove(a, "user"), lambda a, _: user_search.remove(a, "user-b")
    ),
    "user_search.matching": reads(
        lambda a, _: users.page(a, UserFilter(words=("term", "te")), PAGE),
        lambda a, _: users.page(a, UserFilter(words=("term-b",)), PAGE).items,
        (),
    ),
    "users.give_permissions": writes(
        lambda a, _: users.give_permissions(a, "user", "https://api", ["read:of-b", "new"]), None
    ),
    "users.take_permissions": writes(
        lambda a, _: users.take_permissions(a, "user", "https://api", ["read:of-a"]),
        lambda a, _: users.take_permissions(a, "user-b", "https://api-b", ["read:of-b"]),
    ),
    "users.delete_permissions_for_audience": writes(
        lambda a, _: users.delete_permissions_for_audience(a, "https://api"),
        lambda a, _: users.delete_permissions_for_audience(a, "https://api-b"),
    ),
    "users.permissions_of_each": reads(
        lambda a, _: users.permissions_of_each(a, ["user", "user-b"]),
        lambda a, _: users.permissions_of_each(a, ["user-b"]),
        {},
        result={"user": (("https://api", "read:of-a"),)},
    ),
    "roles.create": writes(
        lambda a, _: roles.create(a, {"name": "name-b", "description": ""}), None, result=ANY
    ),
    "roles.find": reads(lambda a, _: roles.find(a, "role"), lambda a, _: roles.find(a, "role-b")),
    "roles.find_by_ids": reads(
        lambda a, _: roles.find_by_ids(a, ["role", "role-b"]),
        lambda a, _: roles.find_by_ids(a, ["role-b"]),
        {},
    ),
    "roles.change": writes(
        lambda a, b: roles.change(a, must(roles.find(b, "role")), {"name": "new"}),
        lambda a, b: roles.change(a, must(roles.find(b, "role-b")), {"name": "new"}),
        DomainError,
    ),
    "roles.delete": writes(
        lambda a, b: roles.delete(a, must(roles.find(b, "role"))),
        lambda a, b: roles.delete(a, must(roles.find(b, "role-b"))),
        nothing=DomainError,
    ),
    "roles.page": reads(lambda a, _: roles.page(a, PAGE), None),
    "roles.count": reads(lambda a, _: roles.count(a), None, result=1),
    "roles.add_permissions": writes(
        lambda a, _: roles.add_permissions(a, "role", "https://api", ["do:of-b", "new"]), None
    ),
    "roles.remove_permissions": writes(
        lambda a, _: roles.remove_permissions(a, "role", "https://api", ["do:of-a"]),
        lambda a, _: roles.remove_permissions(a, "role-b", "https://api-b", ["do:of-b"]),
    ),
    "roles.delete_permissions_for_audience": writes(
        lambda a, _: roles.delete_permissions_for_audience(a, "https://api"),
        lambda a, _: roles.delete_permissions_for_audience(a, "https://api-b"),
    ),
    "roles.permissions_of_all": reads(
        lambda a, _: roles.permissions_of_all(a),
        None,
        result={"role": (("https://api", f"do:{OF_A}"),)},
    ),
    "roles.permissions_of_each": reads(
        lambda a, _: roles.permissions_of_each(a, ["role", "role-b"]),
        lambda a, _: roles.permissions_of_each(a, ["role-b"]),
        {},
        result={"role": (("https://api", "do:of-a"),)},
    ),
    "roles.permissions_of_user": reads(
        lambda a, _: roles.permissions_of_user(a, "user", "https://api", "https://api-b"),
        lambda a, _: roles.permissions_of_user(a, "user-b", "https://api", "https://api-b"),
        (),
        result=("do:of-a",),
    ),
    "roles.give": writes(lambda a, _: roles.give(a, "user", ["role", "role-b"]), None),
    "roles.take": writes(
        lambda a, _: roles.take(a, "user", ["role"]),
        lambda a, _: roles.take(a, "user-b", ["role-b"]),
    ),
    "roles.take_all": writes(
        lambda a, _: roles.take_all(a, "user"), lambda a, _: roles.take_all(a, "user-b")
    ),
    "roles.of_each_user": reads(
        lambda a, _: roles.of_each_user(a, ["user", "user-b"]),
        lambda a, _: roles.of_each_user(a, ["user-b"]),
        {},
    ),
    "roles.users_of_each": reads(
        lambda a, _: roles.users_of_each(a, ["role", "role-b"], PAGE),
        lambda a, _: roles.users_of_each(a, ["role-b"], PAGE),
        {},
    ),
    "roles.count_users_of_each": reads(
        lambda a, _: roles.count_users_of_each(a, ["role", "role-b"]),
        lambda a, _: roles.count_users_of_each(a, ["role-b"]),
        {},
        result={"role": 1},
    ),
    "users.permissions": reads(
        lambda a, _: users.permissions(a, "user", "https://api", "https://api-b"),
        lambda a, _: users.permissions(a, "user-b", "https://api", "https://api-b"),
        (),
        result=("read:of-a",),
    ),
    "signing_keys.insert_if_free": writes(
        lambda a, b: signing_keys.insert_if_free(
            a,
            replace(must(signing_keys.find(b, "kid-b")), state=KeyState.CURRENT),
            private_key_to_der(key_source(ES256)),
        ),
        None,
        result=True,
    ),
    "signing_keys.ring": reads(
        lambda a, _: [(key.facts, key.jwk["n"]) for key in signing_keys.ring(a).published], None
    ),
    "signing_keys.find": reads(
        lambda a, _: signing_keys.find(a, "kid"), lambda a, _: signing_keys.find(a, "kid-b")
    ),
    "signing_keys.live": reads(lambda a, _: signing_keys.live(a), None),
    "signing_keys.last_revoked": reads(lambda a, _: signing_keys.last_revoked(a, 5), None),
    "signing_keys.move": writes(
        lambda a, _: signing_keys.move(a, RS256, KeyState.CURRENT, KeyState.PREVIOUS),
        lambda a, _: signing_keys.move(a, ES256, KeyState.CURRENT, KeyState.PREVIOUS),
        False,
        result=True,
    ),
    "encryption_keys.insert_if_free": writes(
        lambda a, _: [
            encryption_keys.remove(a, KeyState.CURRENT),
            encryption_keys.insert_if_free(a, "kid-b", private_key_to_der(key_source(RS256))),
        ],
        None,
        result=[True, True],
    ),
    "encryption_keys.ring": reads(
        # Opened by the envelope, which is bound to the tenant.
        lambda a, _: [(key.kid, key.state) for key in encryption_keys.ring(a).keys],
        None,
        result=[("kid", KeyState.CURRENT)],
    ),
    "encryption_keys.set_aside": writes(
        lambda a, _: encryption_keys.set_aside(a), None, result=True
    ),
    "encryption_keys.remove": writes(
        lambda a, _: encryption_keys.remove(a, KeyState.CURRENT),
        lambda a, _: encryption_keys.remove(a, KeyState.PREVIOUS),
        False,
        result=True,
    ),
    "consents.find": reads(
        lambda a, _: consents.find(a, "user", "client", "https://api"),
        lambda a, _: consents.find(a, "user-b", "client-b", "https://api-b"),
    ),
    "consents.add_scopes": writes(
        lambda a, _: consents.add_scopes(a, "user", "client", "https://api", ["new"]), None
    ),
    "consents.find_by_id": reads(
        lambda a, _: consents.find_by_id(a, "consent"),
        lambda a, _: consents.find_by_id(a, "consent-b"),
    ),
    "consents.delete": writes(
        lambda a, b: consents.delete(a, must(consents.find_by_id(b, "consent")), None),
        lambda a, b: consents.delete(a, must(consents.find_by_id(b, "consent-b")), None),
        nothing=DomainError,
    ),
    "consents.page": reads(
        lambda a, _: consents.page(a, ConsentFilter(), PAGE).items[0].scopes[0],
        lambda a, _: consents.page(a, ConsentFilter(user_id="user-b"), PAGE).items,
        (),
    ),
    "consents.count": reads(
        lambda a, _: consents.count(a, ConsentFilter()),
        lambda a, _: consents.count(a, ConsentFilter(user_id="user-b")),
        0,
        result=1,
    ),
    "consents.first_of_each_user": reads(
        lambda a, _: consents.first_of_each_user(a, ["user", "user-b"], PAGE),
        lambda a, _: consents.first_of_each_user(a, ["user-b"], PAGE),
        {},
    ),
    "consents.count_of_each_user": reads(
        lambda a, _: consents.count_of_each_user(a, ["user", "user-b"]),
        lambda a, _: consents.count_of_each_user(a, ["user-b"]),
        {},
        result={"user": 1},
    ),
    "consents.delete_for_user": writes(
        lambda a, _: consents.delete_for_user(a, "user"),
        lambda a, _: consents.delete_for_user(a, "user-b"),
    ),
    "consents.delete_for_client": writes(
        lambda a, _: consents.delete_for_client(a, "user", "client"),
        lambda a, _: consents.delete_for_client(a, "user-b", "client-b"),
        0,
        result=1,
    ),
    "sessions.create": writes(
        lambda a, _: sessions.create(a, session_facts("session-b"), "digest-b"), None
    ),
    "sessions.find_by_digest": reads(
        lambda a, _: sessions.find_by_digest(a, ["digest", "digest-b"], "issuer"),
        lambda a, _: sessions.find_by_digest(a, ["digest-b"], "issuer"),
    ),
    "sessions.find": reads(
        lambda a, _: sessions.find(a, "session"), lambda a, _: sessions.find(a, "session-b")
    ),
    "sessions.touch": writes(
        lambda a, _: sessions.touch(a, "session", LATER),
        lambda a, _: sessions.touch(a, "session-b", LATER),
    ),
    "sessions.end": writes(
        lambda a, _: sessions.end(a, "session"),
        lambda a, _: sessions.end(a, "session-b"),
        False,
        result=True,
    ),
    "sessions.end_for_user": writes(
        lambda a, _: [session.id for session in sessions.end_for_user(a, "user")],
        lambda a, _: sessions.end_for_user(a, "user-b"),
        (),
        result=["session"],
    ),
    "sessions.page": reads(
        lambda a, _: sessions.page(a, SessionFilter(), PAGE).items[0].connection_id,
        lambda a, _: sessions.page(a, SessionFilter(user_id="user-b"), PAGE).items,
        (),
    ),
    "sessions.count": reads(
        lambda a, _: sessions.count(a, SessionFilter()),
        lambda a, _: sessions.count(a, SessionFilter(user_id="user-b")),
        0,
        result=1,
    ),
    "sessions.first_of_each_user": reads(
        lambda a, _: sessions.first_of_each_user(a, ["user", "user-b"], PAGE),
        lambda a, _: sessions.first_of_each_user(a, ["user-b"], PAGE),
        {},
    ),
    "sessions.count_of_each_user": reads(
        lambda a, _: sessions.count_of_each_user(a, ["user", "user-b"]),
        lambda a, _: sessions.count_of_each_user(a, ["user-b"]),
        {},
        result={"user": 1},
    ),
    "session_clients.join": writes(
        lambda a, _: session_clients.join(a, "session", "client-b"),
        lambda a, _: session_clients.join(a, "session-b", "client-b"),
    ),
    "session_clients.keep_until": writes(
        lambda a, _: session_clients.keep_until(a, "session", NOW),
        lambda a, _: session_clients.keep_until(a, "session-b", NOW),
    ),
    "session_clients.move": writes(
        lambda a, _: session_clients.move(a, "session", "new", NOW),
        lambda a, _: session_clients.move(a, "session-b", "new", NOW),
    ),
    "session_clients.take": writes(
        lambda a, _: session_clients.take(a, ["session", "session-b"]),
        lambda a, _: session_clients.take(a, ["session-b"]),
        (),
        result=(SessionClientFacts("session", "client", OF_A),),
    ),
    "session_clients.of_each": reads(
        lambda a, _: session_clients.of_each(a, ["session", "session-b"]),
        lambda a, _: session_clients.of_each(a, ["session-b"]),
        {},
        result={"session": ("client",)},
    ),
    "outbox.enqueue": writes(lambda a, _: outbox.enqueue(a, "kind", {}), None, result=ANY),
    "outbox.opened": reads(
        lambda a, _: outbox.opened(a, delivery_of(A, "")), None, result={"mark": OF_A}
    ),
    "outbox.finish": writes(
        lambda a, _: outbox.finish(a, delivery_of(B, ""), DeliveryState.DEAD, "x"),
        lambda a, _: outbox.finish(a, delivery_of(B, "-b"), DeliveryState.DEAD, "x"),
        False,
        result=True,
    ),
    "outbox.postpone": writes(
        lambda a, _: outbox.postpone(a, delivery_of(B, ""), LATER, "x"),
        lambda a, _: outbox.postpone(a, delivery_of(B, "-b"), LATER, "x"),
        False,
        result=True,
    ),
    "authorizations.create": writes(
        lambda a, b: authorizations.create(
            a, must(authorizations.find_by_handle(b, ["handle-b"])), "handle-b"
        ),
        None,
    ),
    "authorizations.find_by_handle": reads(
        lambda a, _: authorizations.find_by_handle(a, ["handle", "handle-b"]),
        lambda a, _: authorizations.find_by_handle(a, ["handle-b"]),
    ),
    "redeeming.find": reads(
        lambda a, _: redeeming.find(a, ["code", "code-b"]),
        lambda a, _: redeeming.find(a, ["code-b"]),
    ),
    "authorizations.advance": writes(
        lambda a, _: authorizations.advance(a, "auth", {"consented": True}, "new"),
        lambda a, _: authorizations.advance(a, "auth-b", {"consented": True}, "new"),
        False,
        result=True,
    ),
    "authorizations.claim_code": writes(
        lambda a, _: authorizations.claim_code(a, "auth", "family", a.now),
        lambda a, _: authorizations.claim_code(a, "auth-b", "family", a.now),
        False,
        result=True,
    ),
    "tokens.create_family": writes(
        lambda a, b: tokens.create_family(a, must(tokens.family_of_access_token(b, "digest-b"))),
        None,
    ),
    "tokens.add_access_token": writes(
        lambda a, _: tokens.add_access_token(a, "family", "digest-b", LATER), None
    ),
    "tokens.note_claims": writes(
        lambda a, _: tokens.note_claims(a, "family", {"email": None}),
        lambda a, _: tokens.note_claims(a, "family-b", {"email": None}),
    ),
    "tokens.family_of_access_token": reads(
        lambda a, _: tokens.family_of_access_token(a, "digest"),
        lambda a, _: tokens.family_of_access_token(a, "digest-b"),
    ),
    "tokens.family_of_half_digest": reads(
        lambda a, _: tokens.family_of_half_digest(a, "ab" * 16),
        lambda a, _: tokens.family_of_half_digest(a, "cd" * 16),
    ),
    "tokens.end_family": writes(
        lambda a, _: tokens.end_family(a, "family"),
        lambda a, _: tokens.end_family(a, "family-b"),
        False,
        result=True,
    ),
    "tokens.end_families_of_user": writes(
        lambda a, _: tokens.end_families_of_user(a, "user"),
        lambda a, _: tokens.end_families_of_user(a, "user-b"),
        0,
        result=1,
    ),
    "tokens.end_families_of_client": writes(
        lambda a, _: tokens.end_families_of_client(a, "user", "client"),
        lambda a, _: tokens.end_families_of_client(a, "user-b", "client-b"),
        0,
        result=1,
    ),
    "tokens.find_family": reads(
        lambda a, _: tokens.find_family(a, "family"),
        lambda a, _: tokens.find_family(a, "family-b"),
    ),
    "tokens.keep_family": writes(
        lambda a, _: tokens.keep_family(a, "family", EVEN_LATER),
        lambda a, _: tokens.keep_family(a, "family-b", EVEN_LATER),
    ),
    "tokens.note_content": writes(
        lambda a, _: tokens.note_content(a, "digest", {"scope": "new"}),
        lambda a, _: tokens.note_content(a, "digest-b", {"scope": "new"}),
    ),
    "presented_tokens.find": reads(
        lambda a, _: presented_tokens.find(a, "digest"),
        lambda a, _: presented_tokens.find(a, "digest-b"),
    ),
    "tokens.forget_access_token": writes(
        lambda a, _: tokens.forget_access_token(a, "digest"),
        lambda a, _: tokens.forget_access_token(a, "digest-b"),
        False,
        result=True,
    ),
    "tokens.revoke": writes(
        lambda a, _: [
            tokens.revoke(a, "digest-b", LATER),
            tokens.revoke(a, "digest", LATER),
        ],
        None,
        result=[True, False],
    ),
    "tokens.is_revoked": reads(
        lambda a, _: tokens.is_revoked(a, "digest"),
        lambda a, _: tokens.is_revoked(a, "digest-b"),
        False,
        result=True,
    ),
    "refresh_tokens.create": writes(
        lambda a, b: refresh_tokens.create(a, must(refresh_tokens.find(b, "family-b"))), None
    ),
    "refresh_tokens.find": reads(
        lambda a, _: refresh_tokens.find(a, "family"),
        lambda a, _: refresh_tokens.find(a, "family-b"),
    ),
    "refresh_tokens.find_with_family": reads(
        lambda a, _: refresh_tokens.find_with_family(a, "family"),
        lambda a, _: refresh_tokens.find_with_family(a, "family-b"),
    ),
    "refreshing.find": reads(
        lambda a, _: refreshing.find(a, "family"),
        lambda a, _: refreshing.find(a, "family-b"),
    ),
    "refresh_tokens.use": writes(
        lambda a, _: refresh_tokens.use(a, "family", 1, LATER, rotate=True),
        lambda a, _: refresh_tokens.use(a, "family-b", 1, LATER, rotate=True),
        False,
        result=True,
    ),
    "pairwise_subjects.remember": writes(
        lambda a, _: pairwise_subjects.remember(a, "new", "user"), None
    ),
    "pairwise_subjects.find_user": reads(
        lambda a, _: pairwise_subjects.find_user(a, "subject"),
        lambda a, _: pairwise_subjects.find_user(a, "subject-b"),
        result=OF_A,
    ),
    "pairwise_subjects.forget_user": writes(
        lambda a, _: pairwise_subjects.forget_user(a, OF_A),
        lambda a, _: pairwise_subjects.forget_user(a, OF_B),
    ),
    "readiness_dismissals.put": writes(
        lambda a, b: readiness_dismissals.put(
            a, must(readiness_dismissals.of_each(b, ["app"])["app"][0])
        ),
        None,
    ),
    "readiness_dismissals.remove": writes(
        lambda a, _: readiness_dismissals.remove(a, "app", "check"),
        lambda a, _: readiness_dismissals.remove(a, "app-b", "check-b"),
        result=True,
        nothing=False,
    ),
    "readiness_dismissals.of_each": reads(
        lambda a, _: readiness_dismissals.of_each(a, ["app", "app-b"]),
        lambda a, _: readiness_dismissals.of_each(a, ["app-b"]),
        nothing={},
    ),
    "trusted_documents.create": writes(
        lambda a, _: trusted_documents.create(
            a, without_key("trusted_documents", digest="digest-b")
        ),
        None,
        result=ANY,
    ),
    "trusted_documents.find": reads(
        lambda a, _: trusted_documents.find(a, "document"),
        lambda a, _: trusted_documents.find(a, "document-b"),
    ),
    "trusted_documents.find_by_digest": reads(
        lambda a, _: trusted_documents.find_by_digest(a, "digest"),
        lambda a, _: trusted_documents.find_by_digest(a, "digest-b"),
    ),
    "trusted_documents.delete": writes(
        lambda a, b: trusted_documents.delete(a, must(trusted_documents.find(b, "document"))),
        lambda a, b: trusted_documents.delete(a, must(trusted_documents.find(b, "document-b"))),
        nothing=DomainError,
    ),
    "trusted_documents.page": reads(lambda a, _: trusted_documents.page(a, PAGE), None),
    "trusted_documents.count": reads(lambda a, _: trusted_documents.count(a), None, result=1),
    "custom_domains.create": writes(
        lambda a, _: custom_domains.create(
            a, without_key("custom_domains", domain="domain-b.example")
        ),
        None,
        result=ANY,
    ),
    "custom_domains.find": reads(
        lambda a, _: custom_domains.find(a, "domain"),
        lambda a, _: custom_domains.find(a, "domain-b"),
    ),
    "custom_domains.change": writes(
        lambda a, b: custom_domains.change(
            a, must(custom_domains.find(b, "domain")), {"jwks": "new"}
        ),
        lambda a, b: custom_domains.change(
            a, must(custom_domains.find(b, "domain-b")), {"jwks": "new"}
        ),
        DomainError,
    ),
    "custom_domains.delete": writes(
        lambda a, b: custom_domains.delete(a, must(custom_domains.find(b, "domain"))),
        lambda a, b: custom_domains.delete(a, must(custom_domains.find(b, "domain-b"))),
        nothing=DomainError,
    ),
    "custom_domains.page": reads(lambda a, _: custom_domains.page(a, PAGE), None),
    "custom_domains.count": reads(lambda a, _: custom_domains.count(a), None, result=1),
    "credentials.create": writes(
        lambda a, _: credentials.create(
            a, without_key("credentials", application_id="app-b", kid="kid-b")
        ),
        None,
        result=ANY,
    ),
    "credentials.find": reads(
        lambda a, _: credentials.find(a, "credential"),
        lambda a, _: credentials.find(a, "credential-b"),
    ),
    "credentials.of_application": reads(
        lambda a, _: credentials.of_application(a, "app"),
        lambda a, _: credentials.of_application(a, "app-b"),
        (),
    ),
    "credentials.of_each_application": reads(
        lambda a, _: credentials.of_each_application(a, ["app", "app-b"]),
        lambda a, _: credentials.of_each_application(a, ["app-b"]),
        {},
    ),
    "credentials.change": writes(
        lambda a, b: credentials.change(
            a, must(credentials.find(b, "credential")), {"expires_at": None}
        ),
        lambda a, b: credentials.change(
            a, must(credentials.find(b, "credential-b")), {"expires_at": None}
        ),
        DomainError,
    ),
    "credentials.delete": writes(
        lambda a, b: credentials.delete(a, must(credentials.find(b, "credential"))),
        lambda a, b: credentials.delete(a, must(credentials.find(b, "credential-b"))),
        nothing=DomainError,
    ),
    "credentials.first_of_each_application": reads(
        lambda a, _: credentials.first_of_each_application(a, ["app", "app-b"], PAGE),
        lambda a, _: credentials.first_of_each_application(a, ["app-b"], PAGE),
        {},
    ),
    "credentials.count_of_each_application": reads(
        lambda a, _: credentials.count_of_each_application(a, ["app", "app-b"]),
        lambda a, _: credentials.count_of_each_application(a, ["app-b"]),
        {},
        result={"app": 1},
    ),
    "trusted_issuers.create": writes(
        lambda a, _: trusted_issuers.create(a, without_key("trusted_issuers", issuer="issuer-b")),
        None,
        result=ANY,
    ),
    "trusted_issuers.find": reads(
        lambda a, _: trusted_issuers.find(a, "trusted"),
        lambda a, _: trusted_issuers.find(a, "trusted-b"),
    ),
    "trusted_issuers.find_by_issuer": reads(
        lambda a, _: trusted_issuers.find_by_issuer(a, "issuer"),
        lambda a, _: trusted_issuers.find_by_issuer(a, "issuer-b"),
    ),
    "trusted_issuers.change": writes(
        lambda a, b: trusted_issuers.change(
            a, must(trusted_issuers.find(b, "trusted")), {"jwks": "new"}
        ),
        lambda a, b: trusted_issuers.change(
            a, must(trusted_issuers.find(b, "trusted-b")), {"jwks": "new"}
        ),
        DomainError,
    ),
    "trusted_issuers.delete": writes(
        lambda a, b: trusted_issuers.delete(a, must(trusted_issuers.find(b, "trusted"))),
        lambda a, b: trusted_issuers.delete(a, must(trusted_issuers.find(b, "trusted-b"))),
        nothing=DomainError,
    ),
    "trusted_issuers.page": reads(lambda a, _: trusted_issuers.page(a, PAGE), None),
    "trusted_issuers.count": reads(lambda a, _: trusted_issuers.count(a), None, result=1),
    "attempts.add": writes(
        lambda a, _: attempts.add(a, "subject", LATER - NOW),
        None,
        result=attempts.Attempts(2, LATER),
    ),
    "attempts.take_back": writes(
        lambda a, _: attempts.take_back(a, "subject"),
        lambda a, _: attempts.take_back(a, "subject-b"),
    ),
    "attempts.forget": writes(
        lambda a, _: attempts.forget(a, "subject"),
        lambda a, _: attempts.forget(a, "subject-b"),
    ),
    "device_codes.create": writes(
        lambda a, b: device_codes.create(
            a, must(device_codes.find_by_user_code(b, ["user-code-b"])), "new", "user-code-b"
        ),
        None,
        result=True,
    ),
    "device_codes.find_by_device_code": reads(
        lambda a, _: device_codes.find_by_device_code(a, ["device-code", "device-code-b"]),
        lambda a, _: device_codes.find_by_device_code(a, ["device-code-b"]),
    ),
    "device_codes.find_by_user_code": reads(
        lambda a, _: device_codes.find_by_user_code(a, ["user-code", "user-code-b"]),
        lambda a, _: device_codes.find_by_user_code(a, ["user-code-b"]),
    ),
    "device_codes.note_poll": writes(
        lambda a, _: device_codes.note_poll(a, "device", 9),
        lambda a, _: device_codes.note_poll(a, "device-b", 9),
    ),
    "device_codes.approve": writes(
        lambda a, _: device_codes.approve(a, "device", "user", a.now, ()),
        lambda a, _: device_codes.approve(a, "device-b", "user", a.now, ()),
        False,
        result=True,
    ),
    "device_codes.deny": writes(
        lambda a, _: device_codes.deny(a, "device"),
        lambda a, _: device_codes.deny(a, "device-b"),
        False,
        result=True,
    ),
    "device_codes.claim": writes(
        lambda a, _: [
            device_codes.approve(a, "device", "user", a.now, ()),
            device_codes.claim(a, "device"),
        ],
        lambda a, _: device_codes.claim(a, "device-b"),
        False,
        result=[True, True],
    ),
    "backchannel_requests.create": writes(
        lambda a, b: backchannel_requests.create(
            a, must(backchannel_requests.find(b, "asked-b")), "new", "new"
        ),
        None,
    ),
    "backchannel_requests.find": reads(
        lambda a, _: backchannel_requests.find(a, "asked"),
        lambda a, _: backchannel_requests.find(a, "asked-b"),
    ),
    "backchannel_requests.find_by_request": reads(
        lambda a, _: backchannel_requests.find_by_request(a, ["request", "request-b"]),
        lambda a, _: backchannel_requests.find_by_request(a, ["request-b"]),
    ),
    "backchannel_requests.find_by_ticket": reads(
        lambda a, _: backchannel_requests.find_by_ticket(a, ["ticket", "ticket-b"]),
        lambda a, _: backchannel_requests.find_by_ticket(a, ["ticket-b"]),
    ),
    "backchannel_requests.page": reads(
        lambda a, _: backchannel_requests.page(a, PAGE, BackchannelRequestFilter()), None
    ),
    "backchannel_requests.count": reads(
        lambda a, _: backchannel_requests.count(a, BackchannelRequestFilter()), None, result=1
    ),
    "backchannel_requests.note_poll": writes(
        lambda a, _: backchannel_requests.note_poll(a, "asked", 9),
        lambda a, _: backchannel_requests.note_poll(a, "asked-b", 9),
    ),
    "backchannel_requests.set_ticket": writes(
        lambda a, _: backchannel_requests.set_ticket(a, "asked", "email", "new"),
        lambda a, _: backchannel_requests.set_ticket(a, "asked-b", "email", "new"),
        False,
        result=True,
    ),
    "backchannel_requests.approve": writes(
        lambda a, _: backchannel_requests.approve(a, "asked", a.now, (), ()),
        lambda a, _: backchannel_requests.approve(a, "asked-b", a.now, (), ()),
        False,
        result=True,
    ),
    "backchannel_requests.deny": writes(
        lambda a, _: backchannel_requests.deny(a, "asked"),
        lambda a, _: backchannel_requests.deny(a, "asked-b"),
        False,
        result=True,
    ),
    "backchannel_requests.claim": writes(
        lambda a, _: [
            backchannel_requests.approve(a, "asked", a.now, (), ()),
            backchannel_requests.claim(a, "asked"),
        ],
        lambda a, _: backchannel_requests.claim(a, "asked-b"),
        False,
        result=[True, True],
    ),
    "kept_emails.add": writes(lambda a, _: kept_emails.add(a, {"subject": "new"}), None),
    "kept_emails.latest": reads(lambda a, _: kept_emails.latest(a, 9), None, result=()),
    "users.user_code_digest": reads(
        lambda a, _: users.user_code_digest(a, "user"),
        lambda a, _: users.user_code_digest(a, "user-b"),
    ),
    "pushed_requests.create": writes(
        lambda a, b: pushed_requests.create(a, must(pushed_requests.find(b, ["pushed-b"]))),
        None,
    ),
    "pushed_requests.find": reads(
        lambda a, _: pushed_requests.find(a, ["pushed", "pushed-b"]),
        lambda a, _: pushed_requests.find(a, ["pushed-b"]),
    ),
    "pushed_requests.claim": writes(
        lambda a, _: pushed_requests.claim(a, "pushed", LATER),
        lambda a, _: pushed_requests.claim(a, "pushed-b", LATER),
        False,
        result=True,
    ),
    "replay_identifiers.claim": writes(
        lambda a, _: [
            replay_identifiers.claim(a, "digest-b", LATER),
            replay_identifiers.claim(a, "digest", LATER),
        ],
        None,
        result=[True, False],
    ),
    "mutation_records.claim": writes(
        lambda a, _: [
            mutation_records.claim(a, RECORD_OF_B, "body"),
            mutation_records.claim(a, RECORD, "body"),
        ],
        None,
        result=[None, Recorded(OF_A, OF_A.encode())],
    ),
    "mutation_records.save": writes(
        lambda a, _: mutation_records.save(a, RECORD, b"new"),
        lambda a, _: mutation_records.save(a, RECORD_OF_B, b"new"),
    ),
    "activity.days": reads(
        lambda a, _: activity.days(a, "2030-01-01", "2030-12-31"),
        lambda a, _: activity.days(a, "2031-01-01", "2031-12-31"),
        (),
        result=(
            ActivityDayFacts(
                id="2030-01-01", active_users=1, sign_ups=1, logins=5, failed_logins=1
            ),
        ),
    ),
    "activity.users_active": reads(
        lambda a, _: activity.users_active(a, "2030-01-01", "2031-12-31"),
        lambda a, _: activity.users_active(a, "2031-01-01", "2031-12-31"),
        0,
        result=1,
    ),
    "activity.totals": reads(
        lambda a, _: activity.totals(a),
        None,
        result=Totals(users=1, applications=1, resource_servers=1, connections=1),
    ),
    "log_feed.head": reads(lambda a, _: log_feed.head(a), None, result=ANY),
    "log_feed.read": reads(
        lambda a, _: log_feed.read(a, (0, ""), (), 10),
        lambda a, _: log_feed.read(a, (1, "event"), (), 10),
        (),
    ),
    "log_streams.create": writes(
        lambda a, _: log_streams.create(a, without_key("log_streams", name="stream-b"), "x"),
        None,
        result=ANY,
    ),
    "log_streams.envelope": reads(
        lambda a, _: log_streams.envelope(a, "stream", "x"), None, result=ANY
    ),
    "log_streams.find": reads(
        lambda a, _: log_streams.find(a, "stream"), lambda a, _: log_streams.find(a, "stream-b")
    ),
    "log_streams.change": writes(
        lambda a, b: log_streams.change(a, must(log_streams.find(b, "stream")), {"url": "new"}),
        lambda a, b: log_streams.change(a, must(log_streams.find(b, "stream-b")), {"url": "new"}),
        DomainError,
    ),
    "log_streams.delete": writes(
        lambda a, b: log_streams.delete(a, must(log_streams.find(b, "stream"))),
        lambda a, b: log_streams.delete(a, must(log_streams.find(b, "stream-b"))),
        nothing=DomainError,
    ),
    "log_streams.page": reads(lambda a, _: log_streams.page(a, PAGE), None),
    "log_streams.count": reads(lambda a, _: log_streams.count(a), None, result=1),
    "log_streams.address": reads(
        lambda a, _: log_streams.address(a, "stream"),
        lambda a, _: log_streams.address(a, "stream-b"),
        result=(OF_A, OF_A),
    ),
    "log_streams.claim": writes(
        lambda a, _: log_streams.claim(a, "stream", 60, 10),
        lambda a, _: log_streams.claim(a, "stream-b", 60, 10),
        result=OF_A,
    ),
    "log_streams.pass_over": writes(
        lambda a, _: log_streams.pass_over(a, batch_of("", OF_A)),
        lambda a, _: log_streams.pass_over(a, batch_of("-b", OF_B)),
        False,
        result=True,
    ),
    "log_streams.delivered": writes(
        lambda a, _: log_streams.delivered(a, batch_of("", OF_A)),
        lambda a, _: log_streams.delivered(a, batch_of("-b", OF_B)),
        False,
        result=True,
    ),
    "log_streams.postpone": writes(
        lambda a, _: log_streams.postpone(a, batch_of("", OF_A), LATER, "x"),
        lambda a, _: log_streams.postpone(a, batch_of("-b", OF_B), LATER, "x"),
        False,
        result=True,
    ),
    "log_streams.suspend": writes(
        lambda a, _: log_streams.suspend(a, batch_of("", OF_A), "x"),
        lambda a, _: log_streams.suspend(a, batch_of("-b", OF_B), "x"),
        False,
        result=True,
    ),
    "log_streams.give_up": writes(
        lambda a, _: log_streams.give_up(a, batch_of("", OF_A), "payload", "x"),
        lambda a, _: log_streams.give_up(a, batch_of("-b", OF_B), "payload", "x"),
        False,
        result=True,
    ),
    "log_stream_failures.add": writes(
        lambda a, _: log_stream_failures.add(a, batch_of("", OF_A), "payload", "x"), None
    ),
    "log_stream_failures.delete_of": writes(
        lambda a, _: log_stream_failures.delete_of(a, "stream"),
        lambda a, _: log_stream_failures.delete_of(a, "stream-b"),
    ),
    "log_stream_failures.find": reads(
        lambda a, _: log_stream_failures.find(a, "failure"),
        lambda a, _: log_stream_failures.find(a, "failure-b"),
    ),
    "log_stream_failures.page": reads(
        lambda a, _: log_stream_failures.page(a, PAGE, "stream"),
        lambda a, _: log_stream_failures.page(a, PAGE, "stream-b").items,
        (),
    ),
    "log_stream_failures.count": reads(
        lambda a, _: log_stream_failures.count(a, "stream"),
        lambda a, _: log_stream_failures.count(a, "stream-b"),
        0,
        result=1,
    ),
    "log_stream_failures.begin_redelivery": writes(
        lambda a, _: log_stream_failures.begin_redelivery(a, "failure", LATER),
        lambda a, _: log_stream_failures.begin_redelivery(a, "failure-b", LATER),
        False,
        result=True,
    ),
    "log_stream_failures.delete": writes(
        lambda a, _: log_stream_failures.delete(a, "failure"),
        lambda a, _: log_stream_failures.delete(a, "failure-b"),
        False,
        result=True,
    ),
    "jobs.create": writes(
        lambda a, _: jobs.create(
            a,
            {
                name: value
                for name, value in without_key("jobs", state="waiting").items()
                if name not in {"attempts", "done", "failed", "due_at", "expires_at"}
            },
        ),
        None,
        result=ANY,
    ),
    "jobs.find": reads(lambda a, _: jobs.find(a, "job"), lambda a, _: jobs.find(a, "job-b")),
    "jobs.page": reads(lambda a, _: jobs.page(a, PAGE, KINDS), None),
    "jobs.count": reads(lambda a, _: jobs.count(a, KINDS), None, result=4),
    "jobs.count_unfinished": reads(lambda a, _: jobs.count_unfinished(a), None, result=3),
    "jobs.claim_upload": writes(
        lambda a, _: jobs.claim_upload(a, "waiting", "token", 60),
        lambda a, _: jobs.claim_upload(a, "waiting-b", "token", 60),
        result=ANY,
    ),
    "jobs.enqueue": writes(
        lambda a, _: jobs.enqueue(a, "receiving", OF_A, 7),
        lambda a, _: jobs.enqueue(a, "receiving-b", OF_B, 7),
        nothing=False,
        result=True,
    ),
    "jobs.claim_run": writes(
        lambda a, _: jobs.claim_run(a, "job", 60),
        lambda a, _: jobs.claim_run(a, "job-b", 60),
        result=OF_A,
    ),
    "jobs.hold": writes(
        lambda a, _: jobs.hold(a, "job", OF_A, 60),
        lambda a, _: jobs.hold(a, "job-b", OF_B, 60),
        nothing=False,
        result=True,
    ),
    "jobs.advance": writes(
        lambda a, _: jobs.advance(a, "job", OF_A, 5, 1),
        lambda a, _: jobs.advance(a, "job-b", OF_B, 5, 1),
        nothing=False,
        result=True,
    ),
    "jobs.finish": writes(
        lambda a, _: jobs.finish(a, "job", OF_A, JobState.COMPLETED),
        lambda a, _: jobs.finish(a, "job-b", OF_B, JobState.COMPLETED),
        nothing=False,
        result=True,
    ),
    "jobs.expire": writes(
        lambda a, _: jobs.expire(a, "waiting", "late"),
        lambda a, _: jobs.expire(a, "waiting-b", "late"),
        nothing=False,
        result=True,
    ),
    "jobs.cancel": writes(
        lambda a, _: jobs.cancel(a, "job"),
        lambda a, _: jobs.cancel(a, "job-b"),
        nothing=False,
        result=True,
    ),
    "jobs.claim_secrets": writes(
        lambda a, _: jobs.claim_secrets(a, "over"),
        lambda a, _: jobs.claim_secrets(a, "over-b"),
        nothing=False,
        result=True,
    ),
    "job_chunks.add": writes(
        lambda a, _: job_chunks.add(a, "job", Chunk(2, 201, (b"line",))), None
    ),
    "job_chunks.add_results": writes(
        lambda a, _: job_chunks.add_results(a, "job", 2, 201, b"line"), None
    ),
    "job_chunks.waiting": reads(
        lambda a, _: job_chunks.waiting(a, "job"),
        lambda a, _: job_chunks.waiting(a, "job-b"),
        (),
        result=(0,),
    ),
    "job_chunks.find": reads(
        lambda a, _: job_chunks.find(a, "job", 0), lambda a, _: job_chunks.find(a, "job-b", 0)
    ),
    "job_chunks.keep_results": writes(
        lambda a, _: job_chunks.keep_results(a, "job", 0, b"results", b"secrets"),
        lambda a, _: job_chunks.keep_results(a, "job-b", 0, b"results", b"secrets"),
    ),
    "job_chunks.results": reads(
        lambda a, _: job_chunks.results(a, "job", -1),
        lambda a, _: job_chunks.results(a, "job-b", -1),
    ),
    "job_chunks.take_secrets": writes(
        lambda a, _: job_chunks.take_secrets(a, "job", 1),
        lambda a, _: job_chunks.take_secrets(a, "job-b", 1),
        nothing=b"",
        result=OF_A,
    ),
    "job_chunks.forget_lines": writes(
        lambda a, _: job_chunks.forget_lines(a, "job"),
        lambda a, _: job_chunks.forget_lines(a, "job-b"),
    ),
    "new_users.create_each": writes(
        lambda a, _: new_users.create_each(a, [new_user("b@b"), new_user("c@c")]),
        None,
        result=ANY,
    ),
    "new_users.find_by_identifiers": reads(
        lambda a, _: new_users.find_by_identifiers(a, ["conn", "conn-b"], ["x@x.example"]),
        lambda a, _: new_users.find_by_identifiers(a, ["conn", "conn-b"], ["b@b.example"]),
        (),
    ),
    "new_users.find_by_identifier": reads(
        lambda a, _: new_users.find_by_identifier(a, "conn", "x@x.example", None),
        lambda a, _: new_users.find_by_identifier(a, "conn-b", "b@b.example", None),
    ),
    "user_search.index_all": writes(
        lambda a, _: user_search.index_all(a, {"user": {"name": "new"}}), None
    ),
    "roles.ids_of_names": reads(
        lambda a, _: roles.ids_of_names(a, ["name", "name-b"]),
        lambda a, _: roles.ids_of_names(a, ["name-b"]),
        {},
        result={"name": "role"},
    ),
    "audit.record_all": writes(
        lambda a, _: audit.record_all(a, [audit.Event("x"), audit.Event("y")]), None
    ),
    "audit.record": writes(lambda a, _: audit.record(a, audit.Event("x")), None),
    "audit.find": reads(lambda a, _: audit.find(a, "event"), lambda a, _: audit.find(a, "event-b")),
    "audit.page": reads(
        lambda a, _: audit.page(a, audit.EventFilter(), PAGE),
        lambda a, _: audit.page(a, audit.EventFilter(user_id="user-b"), PAGE).items,
        (),
    ),
    "audit.count": reads(
        lambda a, _: audit.count(a, audit.EventFilter()),
        lambda a, _: audit.count(a, audit.EventFilter(user_id="user-b")),
        0,
        result=1,
    ),
}


def rows_of(tenant: str, end: str, mark: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A row of every table that is bound to a tenant."""
    user, client, api, conn = f"user{end}", f"client{end}", f"https://api{end}", f"conn{end}"
    email = "b@b.example" if end else "x@x.example"
    key = key_source(RS256)
    kid = f"kid{end}"
    given: dict[str, dict[str, Any]] = {
        "access_tokens": {
            "digest": f"digest{end}",
            "family_id": f"family{end}",
            "confirmation": {"jkt": f"jkt{end}", "x5t_s256": None},
            "content": {"scope": mark},
        },
        "applications": {
            "id": f"app{end}",
            "client_id": client,
            "external_id": f"external{end}",
            "redirect_uris": [f"https://{mark}.example/callback"],
            "compliance_level": "fapi2_sp_mtls_mtls" if end else "fapi2_sp_pkj_mtls",
        },
        "attempts": {"subject": f"subject{end}"},
        "pairwise_subjects": {"subject": f"subject{end}", "user_id": mark},
        "readiness_dismissals": {"application_id": f"app{end}", "check_name": f"check{end}"},
        "trusted_documents": {"id": f"document{end}", "digest": f"digest{end}"},
        "credentials": {
            "id": f"credential{end}",
            "application_id": f"app{end}",
            "credential_type": "public_key",
            "kid": f"kid{end}",
        },
        "trusted_issuers": {
            "id": f"trusted{end}",
            "issuer": f"issuer{end}",
            "allowed_audiences": [mark],
            "subject": "email",
        },
        "custom_domains": {
            "id": f"domain{end}",
            "domain": f"domain{end}.example",
            "type": "managed_certs",
            "status": "ready",
            "domain_metadata": {},
        },
        "backchannel_requests": {
            "id": f"asked{end}",
            "state": "pending",
            "channel": "email",
            "request_digest": f"request{end}",
            "ticket_digest": f"ticket{end}",
        },
        # What is over is not listed, and need not be sealed.
        "kept_emails": {"id": f"kept{end}", "expires_at": NOW},
        "device_codes": {
            "id": f"device{end}",
            "device_code_digest": f"device-code{end}",
            "user_code_digest": f"user-code{end}",
        },
        "authorizations": {
            "id": f"auth{end}",
            "handle_digest": f"handle{end}",
            "code_digest": f"code{end}",
        },
        "client_grants": {
            "id": f"grant{end}",
            "client_id": client,
            "audience": api,
            "scopes": [mark],
        },
        "connection_applications": {"application_id": f"app{end}", "connection_id": conn},
        "connections": {"id": conn, "name": conn, "is_domain_connection": True},
        "deliveries": {"id": f"delivery{end}", "state": "waiting"},
        "session_clients": {
            "session_id": f"session{end}",
            "client_id": client,
            "sid": mark,
        },
        "consents": {
            "id": f"consent{end}",
            "user_id": user,
            "client_id": client,
            "audience": api,
            "scopes": [mark],
        },
        "active_users": {"day": f"203{len(end) and 1}-01-01", "user_id": user},
        "activity_days": {
            "id": f"203{len(end) and 1}-01-01",
            "logins": 5 if tenant == A else 6,
        },
        "jobs": {
            "id": f"job{end}",
            "kind": "user_import",
            "state": "running",
            "error_policy": "skip_failed",
            "connection": mark,
            "lease": mark,
            "due_at": DUE,
        },
        "job_chunks": {
            "job_id": f"job{end}",
            "number": 0,
            "lines": VAULT.encrypt(mark.encode(), f"job {tenant} job{end} 0 lines"),
        },
        "log_events": {"id": f"event{end}", "user_id": user},
        "log_streams": {
            "id": f"stream{end}",
            "name": f"stream{end}",
            "status": "active",
            "secret": VAULT.encrypt(mark.encode(), f"log stream {tenant} stream{end}"),
            "position": 0,
            "event_id": "",
            "batch_id": f"batch{end}",
            "batch_position": 1,
            "batch_event_id": "~",
            "lease": mark,
            "due_at": datetime(2020, 1, 1, tzinfo=UTC),
        },
        "log_stream_failures": {"id": f"failure{end}", "stream_id": f"stream{end}"},
        "pushed_requests": {"digest": f"pushed{end}", "client_id": mark},
        "replay_identifiers": {"digest": f"digest{end}"},
        "mutation_records": {
            "caller": RECORD.caller,
            "key_digest": f"digest{end}",
            "path": RECORD.path,
            "answer": mark.encode(),
        },
        "resource_servers": {
            "id": f"api{end}",
            "identifier": api,
            "authorization_details": [{"type": mark}],
            "signing_secret": VAULT.encrypt(
                mark.encode(), resource_servers.envelope_row(tenant, f"api{end}")
            ),
        },
        "organizations": {"id": f"org{end}", "name": f"acme{end}", "organization_metadata": {}},
        "organization_connections": {"organization_id": f"org{end}", "connection_id": conn},
        "organization_grants": {"client_grant_id": f"grant{end}", "organization_id": f"org{end}"},
        "organization_invitations": {
            "id": f"invitation{end}",
            "organization_id": f"org{end}",
            "ticket_digest": f"ticket{end}",
        },
        "organization_member_roles": {
            "organization_id": f"org{end}",
            "user_id": user,
            "role_id": f"role{end}",
        },
        "organization_members": {
            "id": f"member{end}",
            "organization_id": f"org{end}",
            "user_id": user,
        },
        "roles": {"id": f"role{end}", "name": f"name{end}"},
        "role_permissions": {"role_id": f"role{end}", "audience": api, "scope": f"do:{mark}"},
        "user_roles": {"user_id": user, "role_id": f"role{end}"},
        "sessions": {
            "id": f"session{end}",
            "digest": f"digest{end}",
            "issuer": "issuer",
            "user_id": user,
        },
        "signing_keys": {
            "kid": kid,
            "alg": "ES256" if end else "RS256",
            "state": "current",
            "slot": "current",
            "public_key": mark,
            "certificate": certificate_to_pem(self_signed_certificate(key, mark, NOW)),
            "private_key": VAULT.encrypt(
                private_key_to_der(key), signing_keys.envelope_row(tenant, kid)
            ),
        },
        "encryption_keys": {
            "kid": kid,
            "state": "previous" if end else "current",
            "private_key": VAULT.encrypt(
                private_key_to_der(key), encryption_keys.envelope_row(tenant, kid)
            ),
        },
        "token_families": {
            "id": f"family{end}",
            "user_id": user,
            "client_id": client,
            "session_id": mark,
        },
        "refresh_tokens": {"family_id": f"family{end}", "scopes": [mark]},
        "revoked_tokens": {"digest": f"digest{end}"},
        "user_search_terms": {"user_id": user, "term": f"wterm{end}"},
        "user_permissions": {"user_id": user, "audience": api, "scope": f"read:{mark}"},
        "users": {
            "id": user,
            "connection_id": conn,
            "email": email,
            "email_key": email,
            "password_hash": "hash",
            "user_code_digest": mark,
            "name": mark,
        },
    }
    assert given.keys() == {table.name for table in BOUND}
    for name, values in given.items():
        yield name, row(tables.metadata.tables[name], mark, tenant_id=tenant, **values)
    yield from chunk_rows(tenant, end, mark)
    whole = {"digest": ("cd" if end else "ab") * 32, "family_id": f"family{end}"}
    yield "access_tokens", row(tables.access_tokens, mark, tenant_id=tenant, **whole)
    revoked = {**given["signing_keys"], "kid": f"revoked{end}", "private_key": None}
    revoked |= {"state": "revoked", "slot": revoked["kid"], "revoked_at": NOW}
    yield "signing_keys", row(tables.signing_keys, mark, tenant_id=tenant, **revoked)


BOUND = [table for table in tables.metadata.sorted_tables if "tenant_id" in table.columns]


ALL_ROWS = [(table.name, select(table)) for table in BOUND]
Dump = Mapping[str, Mapping[str, list[str]]]


def dump(connection: Connection) -> Dump:
    """The rows of each tenant, by table."""
    found: dict[str, dict[str, list[str]]] = {A: {}, B: {}}
    for name, statement in ALL_ROWS:
        for rows in found.values():
            rows[name] = []
        for one in connection.execute(statement):
            found[one.tenant_id][name].append(repr(one))
        for rows in found.values():
            rows[name].sort()
    return found


def epoch(connection: Connection, tenant: str) -> int:
    value = tables.epochs.c.value
    found = select(value).where(tables.epochs.c.scope == tenant)
    return int(connection.execute(found).scalar_one())


@pytest.fixture(scope="module")
def two_tenants(kind: Kind, databases: Databases) -> Iterator[Database]:
    with databases.database(kind) as database:
        with database.writing() as connection:
            for tenant, end, mark in ((A, "", OF_A), (B, "", OF_B), (B, "-b", OF_B)):
                for name, values in rows_of(tenant, end, mark):
                    add(connection, tables.metadata.tables[name], values)
            for tenant in (A, B):
                add(connection, tables.epochs, {"scope": tenant, "value": 7})
        yield database


@pytest.fixture(scope="module")
def before(two_tenants: Database) -> Dump:
    with two_tenants.reading() as connection:
        return dump(connection)


class Undone(Exception):
    """Rolls a unit back, so that the next case finds the same rows."""


@pytest.fixture
def connection(two_tenants: Database) -> Iterator[Connection]:
    with contextlib.suppress(Undone), two_tenants.writing() as made:
        yield made
        raise Undone


def sessions_of(connection: Connection, database: Database) -> tuple[TenantSession, TenantSession]:
    now = datetime.now(UTC)
    a = TenantSession(connection, A, Caller(ANONYMOUS), now, VAULT, database.is_sqlite)
    b = TenantSession(connection, B, Caller(SYSTEM), now, VAULT, database.is_sqlite)
    return a, b


@pytest.mark.parametrize("name", CASES)
def test_what_both_have(
    name: str, two_tenants: Database, before: Dump, connection: Connection
) -> None:
    case = CASES[name]
    a, b = sessions_of(connection, two_tenants)
    result = case.on_shared(a, b)
    after = dump(connection)
    assert after[B] == before[B]
    assert epoch(connection, B) == 7
    assert B not in a.changed_scopes
    assert (after[A] != before[A]) == case.writes
    assert OF_B not in repr(result)
    if isinstance(case.result, str):
        assert case.result in repr(result)
    elif case.result is not ANY:
        assert result == case.result


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name].on_foreign])
def test_what_only_the_other_has(
    name: str, two_tenants: Database, before: Dump, connection: Connection
) -> None:
    case = CASES[name]
    assert case.on_foreign
    a, b = sessions_of(connection, two_tenants)
    if case.nothing is DomainError:
        with pytest.raises(DomainError):
            case.on_foreign(a, b)
    else:
        assert case.on_foreign(a, b) == case.nothing
    assert dump(connection) == before
    assert epoch(connection, B) == 7


@pytest.mark.parametrize("tenant", [A, B])
def test_both_have_rows_everywhere(tenant: str, before: Dump) -> None:
    assert all(before[tenant].values())


def test_every_module_is_bound_or_named() -> None:
    found = {module.name for module in pkgutil.iter_modules(tenantry.store.__path__)}
    assert found | {"migrations"} == TENANT_BOUND | OTHERS.keys()


def test_every_function_has_a_case() -> None:
    bound: set[str] = set()
    others: set[str] = set()
    for module_name in TENANT_BOUND:
        module = importlib.import_module(f"tenantry.store.{module_name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("_") or function.__module__ != module.__name__:
                continue
            parameters = list(inspect.signature(function).parameters.values())
            takes_session = bool(parameters) and parameters[0].annotation == "TenantSession"
            (bound if takes_session else others).add(f"{module_name}.{name}")
    assert bound == CASES.keys()
    assert others == WITHOUT_SESSION
