"""The first schema."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def columns(type_: Any, names: str, nullable: bool) -> list[sa.Column[Any]]:
    return [sa.Column(name, type_, nullable=nullable) for name in names.split()]


def texts(names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return columns(sa.String(), names, nullable)


def times(names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return columns(UTCDateTime(), names, nullable)


def numbers(names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return columns(sa.Integer(), names, nullable)


def flags(names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return columns(sa.Boolean(), names, nullable)


def jsons(names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return columns(sa.JSON().with_variant(JSONB(), "postgresql"), names, nullable)


def blobs(names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return columns(sa.LargeBinary(), names, nullable)


def index(
    name: str, table: str, names: str, unique: bool = False, where: str = "", on_sqlite: str = ""
) -> None:
    only: dict[str, Any] = {}
    if where:
        only = {"postgresql_where": sa.text(where), "sqlite_where": sa.text(on_sqlite or where)}
    op.create_index(name, table, names.split(), unique=unique, **only)


def upgrade() -> None:
    op.create_table(
        "access_tokens",
        *texts("tenant_id digest family_id"),
        *times("expires_at"),
        sa.PrimaryKeyConstraint("tenant_id", "digest"),
    )
    index("access_tokens_expiry", "access_tokens", "expires_at")
    op.create_table(
        "applications",
        *texts("tenant_id id"),
        *numbers("revision"),
        *times("created_at updated_at"),
        *texts("client_id name description application_type token_endpoint_auth_method"),
        *jsons("grant_types redirect_uris post_logout_redirect_uris web_origins"),
        *jsons("allowed_origins"),
        *texts("initiate_login_uri logo_uri policy_uri tos_uri", nullable=True),
        *flags("is_first_party oidc_conformant require_pkce"),
        *numbers("id_token_lifetime"),
        *texts("id_token_signed_response_alg"),
        *texts("secret_digest", nullable=True),
        *flags("is_system"),
        *times("deleted_at", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    index("applications_client_id", "applications", "tenant_id client_id", unique=True)
    index("applications_deleted", "applications", "tenant_id id", where="deleted_at IS NOT NULL")
    index("applications_name", "applications", "tenant_id name id")
    op.create_table(
        "authorizations",
        *texts("tenant_id id state issuer client_id"),
        *jsons("request"),
        *texts("handle_digest browser_digest session_id user_id", nullable=True),
        *times("auth_time authenticated_at", nullable=True),
        *flags("consented"),
        *jsons("scopes"),
        *texts("code_digest", nullable=True),
        *times("code_expires_at consumed_at", nullable=True),
        *texts("family_id", nullable=True),
        *times("created_at expires_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    index("authorizations_code", "authorizations", "tenant_id code_digest", unique=True)
    index("authorizations_expiry", "authorizations", "expires_at")
    index("authorizations_handle", "authorizations", "tenant_id handle_digest", unique=True)
    op.create_table(
        "client_grants",
        *texts("tenant_id id"),
        *numbers("revision"),
        *times("created_at updated_at"),
        *texts("client_id audience subject_type"),
        *jsons("scopes"),
        *flags("allow_all_scopes"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    index("client_grants_audience", "client_grants", "tenant_id audience id")
    index(
        "client_grants_pair",
        "client_grants",
        "tenant_id client_id audience subject_type",
        unique=True,
    )
    op.create_table(
        "connection_applications",
        *texts("tenant_id application_id connection_id"),
        sa.PrimaryKeyConstraint("tenant_id", "application_id", "connection_id"),
    )
    index(
        "connection_applications_connection", "connection_applications", "tenant_id connection_id"
    )
    op.create_table(
        "connections",
        *texts("tenant_id id"),
        *numbers("revision"),
        *times("created_at updated_at"),
        *texts("name display_name strategy"),
        *numbers("password_minimum_length"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    index("connections_name", "connections", "tenant_id name", unique=True)
    op.create_table(
        "consents",
        *texts("tenant_id id"),
        *numbers("revision"),
        *times("created_at updated_at"),
        *texts("user_id client_id audience"),
        *jsons("scopes"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    index("consents_client", "consents", "tenant_id client_id")
    index("consents_triple", "consents", "tenant_id user_id client_id audience", unique=True)
    op.create_table(
        "epochs",
        *texts("scope"),
        *numbers("value"),
        sa.PrimaryKeyConstraint("scope"),
    )
    op.create_table(
        "installation",
        *numbers("id"),
        *texts("key_check"),
        *times("created_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "leases",
        *texts("name holder"),
        *times("expires_at"),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "log_events",
        *texts("tenant_id id type"),
        *times("created_at"),
        *texts("actor_kind actor_id actor_tenant_id"),
        *texts("client_id user_id target_type target_id", nullable=True),
        *texts("ip user_agent request_id"),
        *jsons("details"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    index("log_events_expiry", "log_events", "created_at")
    index("log_events_type", "log_events", "tenant_id type id")
    op.create_table(
        "mutation_records",
        *texts("tenant_id caller key_digest path body_digest"),
        *blobs("answer", nullable=True),
        *times("expires_at"),
        sa.PrimaryKeyConstraint("tenant_id", "caller", "key_digest", "path"),
    )
    index("mutation_records_expiry", "mutation_records", "expires_at")
    op.create_table(
        "resource_servers",
        *texts("tenant_id id"),
        *numbers("revision"),
        *times("created_at updated_at"),
        *texts("identifier name"),
        *jsons("scopes"),
        *texts("signing_alg"),
        *numbers("token_lifetime"),
        *texts("token_dialect"),
        *flags("skip_consent_for_first_party"),
        *texts("user_access_policy client_access_policy"),
        *flags("enforce_policies is_system"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    index("resource_servers_identifier", "resource_servers", "tenant_id identifier", unique=True)
    index("resource_servers_name", "resource_servers", "tenant_id name id")
    op.create_table(
        "sessions",
        *texts("tenant_id id digest issuer user_id connection_id"),
        *times("auth_time created_at last_seen_at expires_at"),
        *times("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    index("sessions_digest", "sessions", "tenant_id digest", unique=True)
    index("sessions_expiry", "sessions", "expires_at")
    index("sessions_user", "sessions", "tenant_id user_id")
    op.create_table(
        "signing_keys",
        *texts("tenant_id kid alg state slot public_key certificate"),
        *texts("private_key", nullable=True),
        *times("created_at"),
        *times("current_since revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "kid"),
    )
    index("signing_keys_slot", "signing_keys", "tenant_id alg slot", unique=True)
    op.create_table(
        "tenants",
        *texts("id name"),
        *flags("is_root"),
        *texts("environment friendly_name"),
        *texts(
            "logo_uri support_email support_url default_audience default_directory", nullable=True
        ),
        *jsons("allowed_logout_urls"),
        *numbers("session_idle_lifetime session_lifetime"),
        *flags("use_scope_descriptions_for_consent enable_application_connections"),
        *flags("end_session_endpoint_discovery logout_confirmation"),
        *flags("authorization_response_iss_parameter_supported remove_alg_from_jwks"),
        *jsons("signing_algorithms"),
        *numbers("revision"),
        *times("created_at updated_at"),
        *times("deleted_at pruned_at", nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    index(
        "tenants_root",
        "tenants",
        "is_root",
        unique=True,
        where="is_root IS TRUE",
        on_sqlite="is_root IS 1",
    )
    index(
        "tenants_to_prune",
        "tenants",
        "deleted_at",
        where="deleted_at IS NOT NULL AND pruned_at IS NULL",
    )
    op.create_table(
        "token_families",
        *texts("tenant_id id client_id user_id"),
        *texts("session_id", nullable=True),
        *times("created_at expires_at"),
        *times("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    index("token_families_expiry", "token_families", "expires_at")
    index("token_families_user", "token_families", "tenant_id user_id")
    op.create_table(
        "user_permissions",
        *texts("tenant_id user_id audience scope"),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", "audience", "scope"),
    )
    op.create_table(
        "users",
        *texts("tenant_id id"),
        *numbers("revision"),
        *times("created_at updated_at"),
        *texts("connection_id"),
        *texts("email email_key", nullable=True),
        *flags("email_verified"),
        *texts("username username_key password_hash", nullable=True),
        *times("password_changed_at", nullable=True),
        *flags("blocked"),
        *times("last_login_at", nullable=True),
        *texts(
            "name given_name family_name middle_name nickname preferred_username", nullable=True
        ),
        *texts(
            "profile picture website gender birthdate zoneinfo locale phone_number", nullable=True
        ),
        *flags("phone_number_verified"),
        *jsons("address", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    index("users_email", "users", "tenant_id connection_id email_key", unique=True)
    index("users_email_search", "users", "tenant_id email_key id")
    index("users_username", "users", "tenant_id connection_id username_key", unique=True)
