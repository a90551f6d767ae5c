"""What facts are made of: enums, small values, and facts that have no revision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Environment(StrEnum):
    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


class ApplicationType(StrEnum):
    NATIVE = "native"
    SINGLE_PAGE = "spa"
    REGULAR_WEB = "regular_web"
    MACHINE_TO_MACHINE = "non_interactive"


class GrantType(StrEnum):
    AUTHORIZATION_CODE = "authorization_code"
    IMPLICIT = "implicit"
    CLIENT_CREDENTIALS = "client_credentials"
    REFRESH_TOKEN = "refresh_token"
    DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
    CIBA = "urn:openid:params:grant-type:ciba"
    PASSWORD = "password"
    PASSWORD_REALM = "http://auth0.com/oauth/grant-type/password-realm"
    TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
    JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class ResponseTypeName(StrEnum):
    """The parts of an answer, in the order in which they are advertised."""

    CODE = "code"
    TOKEN = "token"
    ID_TOKEN = "id_token"
    ID_TOKEN_TOKEN = "id_token token"
    CODE_ID_TOKEN = "code id_token"
    CODE_TOKEN = "code token"
    CODE_ID_TOKEN_TOKEN = "code id_token token"

    @property
    def parts(self) -> frozenset[str]:
        return frozenset(self.value.split())


class ProofOfPossession(StrEnum):
    """How the bearer of a token shows that it may use it: by a certificate or by a key."""

    MTLS = "mtls"
    DPOP = "dpop"


class ResourceParameterProfile(StrEnum):
    """What the parameter `resource` (RFC 8707) may say where there is no `audience`."""

    ONE = "one"
    SEVERAL = "several"


class DeviceUserCodeCharset(StrEnum):
    BASE20 = "base20"
    DIGITS = "digits"


class SigningAlgorithm(StrEnum):
    RS256 = "RS256"
    PS256 = "PS256"
    ES256 = "ES256"
    EDDSA = "EdDSA"
    HS256 = "HS256"

    @property
    def is_symmetric(self) -> bool:
        """Whether who can check a signature can make one too."""
        return self is SigningAlgorithm.HS256


class ClientSigningAlgorithm(StrEnum):
    RS256 = "RS256"
    RS384 = "RS384"
    PS256 = "PS256"
    ES256 = "ES256"
    EDDSA = "EdDSA"
    HS256 = "HS256"


class TokenDialect(StrEnum):
    """The `_authz` dialects add the claim `permissions` to their twins."""

    ACCESS_TOKEN = "access_token"
    ACCESS_TOKEN_AUTHZ = "access_token_authz"
    RFC9068_PROFILE = "rfc9068_profile"
    RFC9068_PROFILE_AUTHZ = "rfc9068_profile_authz"

    @property
    def has_permissions(self) -> bool:
        return self.value.endswith("_authz")

    @property
    def is_rfc9068(self) -> bool:
        return self.value.startswith("rfc9068")

    @property
    def without_permissions(self) -> TokenDialect:
        return TokenDialect(self.value.removesuffix("_authz"))


class EncryptionFormat(StrEnum):
    COMPACT_NESTED_JWE = "compact-nested-jwe"


class KeyEncryptionAlgorithm(StrEnum):
    RSA_OAEP_256 = "RSA-OAEP-256"
    RSA_OAEP_384 = "RSA-OAEP-384"
    RSA_OAEP_512 = "RSA-OAEP-512"


class ClaimSource(StrEnum):
    USER_METADATA = "user_metadata"
    APP_METADATA = "app_metadata"
    APPLICATION_METADATA = "application_metadata"
    ROLES = "roles"
    PERMISSIONS = "permissions"


class ClaimTarget(StrEnum):
    ID_TOKEN = "id_token"
    ACCESS_TOKEN = "access_token"
    USERINFO = "userinfo"


class AccessPolicy(StrEnum):
    ALLOW_ALL = "allow_all"
    REQUIRE_CLIENT_GRANT = "require_client_grant"
    DENY_ALL = "deny_all"


class SubjectType(StrEnum):
    CLIENT = "client"
    USER = "user"


class SubjectIdentifierType(StrEnum):
    PUBLIC = "public"
    PAIRWISE = "pairwise"


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
class ClaimMapping:
    """A custom claim: where its value comes from, and what carries it."""

    claim: str
    source: ClaimSource
    path: str | None = None
    tokens: tuple[ClaimTarget, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionKey:
    """A public RSA key that access tokens are encrypted for; `public_key` is PEM.

    `thumbprint_sha256` is that of the JWK (RFC 7638), `x5t_s256` that of a certificate.
    """

    name: str | None = None
    alg: KeyEncryptionAlgorithm
    kid: str
    public_key: str
    thumbprint_sha256: str
    x5t_s256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTokenEncryption:
    """The same as it is asked for: `pem` is a public key or a certificate."""

    format: EncryptionFormat
    name: str | None
    alg: KeyEncryptionAlgorithm
    kid: str | None
    pem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEncryption:
    """How the access tokens of an API are encrypted."""

    format: EncryptionFormat
    encryption_key: EncryptionKey


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
class SessionFacts:
    """A sign-in of a browser. `id` is the `sid` of ID tokens; `amr` says how (RFC 8176)."""

    id: str
    issuer: str
    user_id: str
    connection_id: str
    auth_time: datetime
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    amr: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionClientFacts:
    """An application that took part in a session, and the `sid` of its ID token."""

    session_id: str
    client_id: str
    sid: str


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
