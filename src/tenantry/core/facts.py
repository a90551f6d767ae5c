"""What the store says of an object, as frozen values that rules, services and caches share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tenantry.core.authentication_methods import TokenEndpointAuthMethod
from tenantry.core.authorization_details import AuthorizationDetailsType, ConsentPolicy
from tenantry.core.backchannel import BackchannelTokenDeliveryMode, NotificationChannel
from tenantry.core.compliance import ComplianceLevel
from tenantry.core.encryption import ContentEncryptionAlgorithm, MessageEncryptionAlgorithm
from tenantry.core.organizations import OrganizationRequireBehavior, OrganizationUsage
from tenantry.core.stored import Stored
from tenantry.core.tenants import TenantFacts
from tenantry.core.trusted_issuers import TrustedIssuerFacts, TrustedSubject
from tenantry.core.values import (
    AccessPolicy,
    Address,
    ApplicationType,
    ClaimMapping,
    ClaimSource,
    ClaimTarget,
    ClientSigningAlgorithm,
    ConnectionStrategy,
    DeviceUserCodeCharset,
    EncryptionFormat,
    EncryptionKey,
    Environment,
    GrantType,
    KeyEncryptionAlgorithm,
    KeyState,
    LogEventFacts,
    NewTokenEncryption,
    ProofOfPossession,
    ResourceParameterProfile,
    ResponseTypeName,
    Scope,
    SessionClientFacts,
    SessionFacts,
    SigningAlgorithm,
    SigningKeyFacts,
    SubjectIdentifierType,
    SubjectType,
    TokenDialect,
    TokenEncryption,
)

# The rest is defined beside this module and asked for here.
__all__ = [
    "AccessPolicy",
    "Address",
    "ApplicationType",
    "ClaimMapping",
    "ClaimSource",
    "ClaimTarget",
    "ClientSigningAlgorithm",
    "ConnectionStrategy",
    "DeviceUserCodeCharset",
    "EncryptionFormat",
    "EncryptionKey",
    "Environment",
    "GrantType",
    "KeyEncryptionAlgorithm",
    "KeyState",
    "LogEventFacts",
    "NewTokenEncryption",
    "ProofOfPossession",
    "ResourceParameterProfile",
    "ResponseTypeName",
    "Scope",
    "SessionClientFacts",
    "SessionFacts",
    "SigningAlgorithm",
    "SigningKeyFacts",
    "Stored",
    "SubjectIdentifierType",
    "SubjectType",
    "TenantFacts",
    "TokenDialect",
    "TokenEncryption",
    "TokenEndpointAuthMethod",
    "TrustedIssuerFacts",
    "TrustedSubject",
]

DATABASE_CONNECTION = "Username-Password-Authentication"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationFacts(Stored):
    """An OAuth client. `secret_digest` is a keyed hash; the secret itself is kept, as
    `secret_envelope`, only where it signs. `jwks` is the JSON text of public keys.
    """

    client_id: str
    external_id: str
    name: str
    description: str
    application_type: ApplicationType
    token_endpoint_auth_method: TokenEndpointAuthMethod
    grant_types: tuple[GrantType, ...]
    response_types: tuple[ResponseTypeName, ...]
    scope: str | None
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    web_origins: tuple[str, ...]
    allowed_origins: tuple[str, ...]
    initiate_login_uri: str | None
    is_token_endpoint_ip_header_trusted: bool
    contacts: tuple[str, ...]
    client_uri: str | None
    software_id: str | None
    software_version: str | None
    android_app_package_name: str | None
    android_sha256_cert_fingerprints: tuple[str, ...]
    ios_team_id: str | None
    ios_app_bundle_identifier: str | None
    logo_uri: str | None
    policy_uri: str | None
    tos_uri: str | None
    backchannel_logout_uri: str | None
    backchannel_logout_session_required: bool
    frontchannel_logout_uri: str | None
    frontchannel_logout_session_required: bool
    async_approval_notification_channels: tuple[NotificationChannel, ...]
    backchannel_token_delivery_mode: BackchannelTokenDeliveryMode
    backchannel_client_notification_endpoint: str | None
    backchannel_authentication_request_signing_alg: ClientSigningAlgorithm | None
    backchannel_user_code_parameter: bool
    logout_confirmation: bool | None
    is_first_party: bool
    oidc_conformant: bool
    require_pkce: bool
    dpop_bound_access_tokens: bool
    compliance_level: ComplianceLevel | None
    id_token_lifetime: int
    refresh_token_rotation: bool
    refresh_token_overlap: int
    refresh_token_lifetime: int
    refresh_token_idle_lifetime: int
    id_token_signed_response_alg: SigningAlgorithm
    userinfo_signed_response_alg: SigningAlgorithm | None
    authorization_signed_response_alg: SigningAlgorithm
    authorization_encrypted_response_alg: MessageEncryptionAlgorithm | None
    authorization_encrypted_response_enc: ContentEncryptionAlgorithm | None
    default_max_age: int | None
    require_auth_time: bool
    default_acr_values: tuple[str, ...]
    subject_type: SubjectIdentifierType
    sector_identifier_uri: str | None
    non_verifiable_callback_confirmation: bool | None
    application_metadata: dict[str, str]
    claim_mappings: tuple[ClaimMapping, ...]
    jwks: str | None
    jwks_uri: str | None
    token_endpoint_auth_signing_alg: ClientSigningAlgorithm | None
    request_object_signing_alg: ClientSigningAlgorithm | None
    tls_client_certificate_bound_access_tokens: bool
    tls_client_auth_subject_dn: str | None
    tls_client_auth_san_dns: str | None
    tls_client_auth_san_uri: str | None
    tls_client_auth_san_ip: str | None
    tls_client_auth_san_email: str | None
    client_authentication_credentials: tuple[str, ...]
    request_object_credentials: tuple[str, ...]
    require_signed_request_object: bool
    request_object_lifetime: int | None
    authorization_details_types: tuple[str, ...]
    require_pushed_authorization_requests: bool
    pushed_authorization_request_lifetime: int | None
    request_uris: tuple[str, ...]
    secret_digest: str | None
    secret_envelope: str | None
    token_exchange_audiences: tuple[str, ...]
    organization_usage: OrganizationUsage
    organization_require_behavior: OrganizationRequireBehavior
    is_dynamically_registered: bool
    registration_token_digest: str | None
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
    token_lifetime_for_web: int
    token_dialect: TokenDialect
    token_encryption: TokenEncryption | None
    skip_consent_for_first_party: bool
    allow_offline_access: bool
    user_access_policy: AccessPolicy
    client_access_policy: AccessPolicy
    enforce_policies: bool
    proof_of_possession: ProofOfPossession | None
    authorization_details: tuple[AuthorizationDetailsType, ...]
    require_pushed_authorization_details: bool
    consent_policy: ConsentPolicy
    is_system: bool

    @property
    def tokens_are_ours_to_read(self) -> bool:
        """Whether this server's own endpoints can take the API's access tokens."""
        return not self.signing_alg.is_symmetric and self.token_encryption is None

    @property
    def audiences(self) -> tuple[str, ...]:
        """More than one where several APIs stand as one (RFC 8707 §2)."""
        return tuple(self.identifier.split(" "))

    @property
    def detail_types(self) -> tuple[str, ...]:
        return tuple(each.type for each in self.authorization_details)

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
    organization_usage: OrganizationUsage
    allow_any_organization: bool
    authorization_details_types: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFacts(Stored):
    """A source of users."""

    name: str
    display_name: str
    strategy: ConnectionStrategy
    password_minimum_length: int
    is_domain_connection: bool


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
    user_metadata: dict[str, object]
    app_metadata: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleFacts(Stored):
    """A named set of permissions that users are given."""

    name: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentFacts(Stored):
    """A user grant: what a user allowed an application to do at an API."""

    user_id: str
    client_id: str
    audience: str
    scopes: tuple[str, ...]
