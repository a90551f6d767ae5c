"""What the store says of an object, as frozen values that rules, services and caches share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

DATABASE_CONNECTION = "Username-Password-Authentication"


class Environment(StrEnum):
    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


class ApplicationType(StrEnum):
    NATIVE = "native"
    SINGLE_PAGE = "spa"
    REGULAR_WEB = "regular_web"
    MACHINE_TO_MACHINE = "non_interactive"


class TokenEndpointAuthMethod(StrEnum):
    NONE = "none"
    CLIENT_SECRET_BASIC = "client_secret_basic"
    CLIENT_SECRET_POST = "client_secret_post"


class GrantType(StrEnum):
    AUTHORIZATION_CODE = "authorization_code"
    CLIENT_CREDENTIALS = "client_credentials"


class SigningAlgorithm(StrEnum):
    RS256 = "RS256"
    PS256 = "PS256"
    ES256 = "ES256"
    EDDSA = "EdDSA"


class TokenDialect(StrEnum):
    ACCESS_TOKEN = "access_token"
    RFC9068_PROFILE = "rfc9068_profile"


class AccessPolicy(StrEnum):
    ALLOW_ALL = "allow_all"
    REQUIRE_CLIENT_GRANT = "require_client_grant"
    DENY_ALL = "deny_all"


class SubjectType(StrEnum):
    CLIENT = "client"
    USER = "user"


class KeyState(StrEnum):
    NEXT = "next"
    CURRENT = "current"
    PREVIOUS = "previous"
    REVOKED = "revoked"


class ConnectionStrategy(StrEnum):
    DATABASE = "database"


@dataclass(frozen=True, slots=True)
class Scope:
    """A permission of an API."""

    value: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What every stored object has."""

    id: str
    revision: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantFacts(Stored):
    """Lifetimes are in seconds."""

    name: str
    is_root: bool
    environment: Environment
    friendly_name: str
    logo_uri: str | None
    support_email: str | None
    support_url: str | None
    default_audience: str | None
    default_directory: str | None
    allowed_logout_urls: tuple[str, ...]
    session_idle_lifetime: int
    session_lifetime: int
    use_scope_descriptions_for_consent: bool
    enable_application_connections: bool
    end_session_endpoint_discovery: bool
    logout_confirmation: bool
    authorization_response_iss_parameter_supported: bool
    remove_alg_from_jwks: bool
    signing_algorithms: tuple[SigningAlgorithm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationFacts(Stored):
    """An OAuth client. `secret_digest` is a keyed hash; the secret itself is not kept."""

    client_id: str
    name: str
    description: str
    application_type: ApplicationType
    token_endpoint_auth_method: TokenEndpointAuthMethod
    grant_types: tuple[GrantType, ...]
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    web_origins: tuple[str, ...]
    allowed_origins: tuple[str, ...]
    initiate_login_uri: str | None
    logo_uri: str | None
    policy_uri: str | None
    tos_uri: str | None
    is_first_party: bool
    oidc_conformant: bool
    require_pkce: bool
    id_token_lifetime: int
    id_token_signed_response_alg: SigningAlgorithm
    secret_digest: str | None
    is_system: bool

    @property
    def is_public(self) -> bool:
        return self.token_endpoint_auth_method is TokenEndpointAuthMethod.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceServerFacts(Stored):
    """An API. Lifetimes are in seconds."""

    identifier: str
    name: str
    scopes: tuple[Scope, ...]
    signing_alg: SigningAlgorithm
    token_lifetime: int
    token_dialect: TokenDialect
    skip_consent_for_first_party: bool
    user_access_policy: AccessPolicy
    client_access_policy: AccessPolicy
    enforce_policies: bool
    is_system: bool

    @property
    def scope_values(self) -> tuple[str, ...]:
        return tuple(scope.value for scope in self.scopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientGrantFacts(Stored):
    """What an application may ask of an API."""

    client_id: str
    audience: str
    subject_type: SubjectType
    scopes: tuple[str, ...]
    allow_all_scopes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFacts(Stored):
    """A source of users."""

    name: str
    display_name: str
    strategy: ConnectionStrategy
    password_minimum_length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The `address` claim (OpenID Connect Core §5.1.1)."""

    formatted: str | None = None
    street_address: str | None = None
    locality: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFacts(Stored):
    """A person. `id` is the `sub` of tokens; the claims are those of OpenID Connect Core §5.1."""

    connection_id: str
    email: str | None
    email_verified: bool
    username: str | None
    blocked: bool
    last_login_at: datetime | None
    password_changed_at: datetime | None
    name: str | None
    given_name: str | None
    family_name: str | None
    middle_name: str | None
    nickname: str | None
    preferred_username: str | None
    profile: str | None
    picture: str | None
    website: str | None
    gender: str | None
    birthdate: str | None
    zoneinfo: str | None
    locale: str | None
    phone_number: str | None
    phone_number_verified: bool
    address: Address | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeyFacts:
    """The public half of a signing key and its self-signed certificate, both PEM."""

    kid: str
    alg: SigningAlgorithm
    state: KeyState
    public_key: str
    certificate: str
    created_at: datetime
    current_since: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentFacts(Stored):
    """A user grant: what a user allowed an application to do at an API."""

    user_id: str
    client_id: str
    audience: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """A sign-in of a browser. `id` is the `sid` of ID tokens."""

    id: str
    user_id: str
    connection_id: str
    auth_time: datetime
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEventFacts:
    """One row of the audit log."""

    id: str
    type: str
    created_at: datetime
    actor_kind: str
    actor_id: str
    actor_tenant_id: str
    client_id: str | None
    user_id: str | None
    target_type: str | None
    target_id: str | None
    ip: str
    user_agent: str
    request_id: str
    details: dict[str, object]
