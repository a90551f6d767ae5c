"""The enums of the facts, with what each value means and how it is written on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, cast

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from tenantry.core.authorization_details import ConsentPolicy
from tenantry.core.facts import (
    AccessPolicy,
    ApplicationType,
    ClaimSource,
    ClaimTarget,
    ClientSigningAlgorithm,
    ConnectionStrategy,
    DeviceUserCodeCharset,
    EncryptionFormat,
    Environment,
    GrantType,
    KeyEncryptionAlgorithm,
    KeyState,
    ProofOfPossession,
    ResourceParameterProfile,
    ResponseTypeName,
    SigningAlgorithm,
    SubjectIdentifierType,
    SubjectType,
    TokenDialect,
    TrustedSubject,
)
from tenantry.core.organizations import OrganizationRequireBehavior, OrganizationUsage


def describe_enum(
    enum: type[Enum], description: str, values: Mapping[Any, str], name: str | None = None
) -> None:
    """Publishes an enum that a lower layer defines. KeyError if a value is not described."""
    strawberry.enum(enum, name=name or enum.__name__, description=description)
    definition = cast("Any", enum).__strawberry_definition__
    if not isinstance(definition, StrawberryEnumDefinition):
        raise TypeError(enum.__name__)
    for member, value in zip(enum, definition.values, strict=True):
        value.description = values[member]


def _wire(member: Enum, text: str) -> str:
    return f"{text} On the wire: `{member.value}`."


def describe_on_wire(enum: type[Enum], description: str, values: Mapping[Any, str]) -> None:
    describe_enum(
        enum, description, {member: _wire(member, text) for member, text in values.items()}
    )


describe_on_wire(
    Environment,
    "What a tenant is used for.",
    {
        Environment.DEVELOPMENT: "Programs are being written against it.",
        Environment.STAGING: "A release is being tried.",
        Environment.PRODUCTION: "Real users sign in.",
    },
)
describe_on_wire(
    ApplicationType,
    "What kind of program an application is. It decides the defaults of other settings.",
    {
        ApplicationType.NATIVE: "Runs on a user's device, and cannot keep a secret.",
        ApplicationType.SINGLE_PAGE: "Runs in a browser, and cannot keep a secret.",
        ApplicationType.REGULAR_WEB: "Runs on a server, and signs users in.",
        ApplicationType.MACHINE_TO_MACHINE: "A service, script or job that calls APIs for itself.",
    },
)
describe_on_wire(
    ClientSigningAlgorithm,
    "How an application signs what it sends.",
    {
        ClientSigningAlgorithm.RS256: "RSA with PKCS #1 padding and SHA-256.",
        ClientSigningAlgorithm.RS384: "RSA with PKCS #1 padding and SHA-384.",
        ClientSigningAlgorithm.PS256: "RSA with PSS padding and SHA-256.",
        ClientSigningAlgorithm.ES256: "ECDSA on the curve P-256 with SHA-256.",
        ClientSigningAlgorithm.EDDSA: "Ed25519 (RFC 8037).",
        ClientSigningAlgorithm.HS256: "HMAC with SHA-256, by the client secret.",
    },
)
describe_on_wire(
    ResponseTypeName,
    "What the authorization endpoint answers with.",
    {
        ResponseTypeName.CODE: "A code.",
        ResponseTypeName.TOKEN: "An access token.",
        ResponseTypeName.ID_TOKEN: "An ID token.",
        ResponseTypeName.ID_TOKEN_TOKEN: "An ID token and an access token.",
        ResponseTypeName.CODE_ID_TOKEN: "A code and an ID token.",
        ResponseTypeName.CODE_TOKEN: "A code and an access token.",
        ResponseTypeName.CODE_ID_TOKEN_TOKEN: "A code, an ID token and an access token.",
    },
)
describe_on_wire(
    GrantType,
    "How an application may get tokens.",
    {
        GrantType.AUTHORIZATION_CODE: "A user signs in and a code is redeemed.",
        GrantType.IMPLICIT: "Tokens in the answer of the authorization endpoint; best avoided.",
        GrantType.CLIENT_CREDENTIALS: "The application asks for itself.",
        GrantType.REFRESH_TOKEN: "A refresh token from before is exchanged for new tokens.",
        GrantType.DEVICE_CODE: "A user types a device's code in elsewhere. Native only.",
        GrantType.CIBA: "A user is asked elsewhere. First-party and confidential only.",
        GrantType.PASSWORD: "It sends a user's password. First-party only; best avoided.",
        GrantType.PASSWORD_REALM: "The same, and it names the connection as `realm`.",
        GrantType.TOKEN_EXCHANGE: "It trades a user's token for one of another API.",
        GrantType.JWT_BEARER: "It trades a trusted issuer's assertion for a user's token.",
    },
)
describe_on_wire(
    TrustedSubject,
    "What the subject of a trusted issuer's assertion means.",
    {
        TrustedSubject.USER_ID: "The `userId` of a user.",
        TrustedSubject.EMAIL: "The email of a user of one connection.",
    },
)
describe_on_wire(
    DeviceUserCodeCharset,
    "The characters of the codes that connect devices.",
    {
        DeviceUserCodeCharset.BASE20: "Twenty consonants, which spell no words.",
        DeviceUserCodeCharset.DIGITS: "The ten digits.",
    },
)
describe_on_wire(
    ResourceParameterProfile,
    "What requests may name by `resource` (RFC 8707); `audience` always comes first.",
    {
        ResourceParameterProfile.ONE: "One API. Several are refused.",
        ResourceParameterProfile.SEVERAL: (
            "One to ten APIs, if one token can be for all: they have the same algorithm, a key of "
            "the tenant's, and dialect, and no encryption. A scope is given where each API that "
            "has it allows it."
        ),
    },
)
describe_on_wire(
    SigningAlgorithm,
    "How tokens are signed.",
    {
        SigningAlgorithm.RS256: "RSA with PKCS #1 padding and SHA-256; every library knows it.",
        SigningAlgorithm.PS256: "RSA with PSS padding and SHA-256.",
        SigningAlgorithm.ES256: "ECDSA on the curve P-256 with SHA-256.",
        SigningAlgorithm.EDDSA: "Ed25519.",
        SigningAlgorithm.HS256: "HMAC with SHA-256, by a secret that both sides know.",
    },
)
describe_on_wire(
    TokenDialect,
    "How the claims of an access token are named.",
    {
        TokenDialect.ACCESS_TOKEN: "Claims `azp` and `gty`, type `JWT`.",
        TokenDialect.ACCESS_TOKEN_AUTHZ: "The same with the claim `permissions`.",
        TokenDialect.RFC9068_PROFILE: "The profile of RFC 9068: `client_id`, type `at+jwt`.",
        TokenDialect.RFC9068_PROFILE_AUTHZ: "The same with the claim `permissions`.",
    },
)
describe_on_wire(
    EncryptionFormat,
    "How access tokens are encrypted.",
    {
        EncryptionFormat.COMPACT_NESTED_JWE: (
            "The signed token inside a JWE in compact form, its content by A256GCM."
        ),
    },
)
describe_on_wire(
    KeyEncryptionAlgorithm,
    "How the key of an encrypted token is encrypted.",
    {
        KeyEncryptionAlgorithm.RSA_OAEP_256: "RSA-OAEP with SHA-256.",
        KeyEncryptionAlgorithm.RSA_OAEP_384: "RSA-OAEP with SHA-384.",
        KeyEncryptionAlgorithm.RSA_OAEP_512: "RSA-OAEP with SHA-512.",
    },
)
describe_on_wire(
    ClaimSource,
    "Where the value of a custom claim comes from.",
    {
        ClaimSource.USER_METADATA: "The user's `userMetadata`.",
        ClaimSource.APP_METADATA: "The user's `appMetadata`.",
        ClaimSource.APPLICATION_METADATA: "The `applicationMetadata` of the application.",
        ClaimSource.ROLES: "The names of the user's roles, a list.",
        ClaimSource.PERMISSIONS: (
            "All permissions at the API of the token, a list; for an application that speaks for "
            "itself the granted scopes."
        ),
    },
)
describe_on_wire(
    ClaimTarget,
    "What carries a custom claim.",
    {
        ClaimTarget.ID_TOKEN: "The ID token.",
        ClaimTarget.ACCESS_TOKEN: "The access token, also that of client credentials.",
        ClaimTarget.USERINFO: "The answer of userinfo.",
    },
)
describe_on_wire(
    AccessPolicy,
    "Which applications may have tokens for an API.",
    {
        AccessPolicy.ALLOW_ALL: "Every application of the tenant.",
        AccessPolicy.REQUIRE_CLIENT_GRANT: "Those with a client grant, within its scopes.",
        AccessPolicy.DENY_ALL: "None.",
    },
)
describe_on_wire(
    ProofOfPossession,
    "How whoever has a token shows that it may use it.",
    {
        ProofOfPossession.MTLS: "By the client certificate of the TLS connection (RFC 8705).",
        ProofOfPossession.DPOP: "By a proof that a key signs for each request (RFC 9449).",
    },
)
describe_on_wire(
    SubjectType,
    "For whom a client grant gives access.",
    {
        SubjectType.CLIENT: "The application itself, by client credentials.",
        SubjectType.USER: "A user who signed in through the application.",
    },
)
describe_on_wire(
    SubjectIdentifierType,
    "How users are named in `sub`.",
    {
        SubjectIdentifierType.PUBLIC: "By the user's id, the same to every application.",
        SubjectIdentifierType.PAIRWISE: "By a name that no other sector knows.",
    },
)
describe_on_wire(
    KeyState,
    "Where a signing key is in its life.",
    {
        KeyState.NEXT: "Published, and signs after the next rotation.",
        KeyState.CURRENT: "Signs now.",
        KeyState.PREVIOUS: "Signed until the last rotation, and is still trusted.",
        KeyState.REVOKED: "Trusted no more. Its private half is gone.",
    },
)
describe_on_wire(
    ConnectionStrategy,
    "Where the users of a connection come from.",
    {ConnectionStrategy.DATABASE: "They are kept here, with their passwords."},
)
describe_on_wire(
    OrganizationUsage,
    "Whether tokens are for an organization.",
    {
        OrganizationUsage.DENY: "Never: a request that names one is refused.",
        OrganizationUsage.ALLOW: "Where a request names one.",
        OrganizationUsage.REQUIRE: "Always: a request that names none is refused.",
    },
)
describe_on_wire(
    OrganizationRequireBehavior,
    "What becomes of a sign-in without an organization where one is required.",
    {
        OrganizationRequireBehavior.NO_PROMPT: "It is refused.",
        OrganizationRequireBehavior.PRE_LOGIN_PROMPT: (
            "The person is asked for the name of the organization before anything else."
        ),
    },
)
describe_on_wire(
    ConsentPolicy,
    "How users are asked for authorization details of an API. They are asked each time.",
    {
        ConsentPolicy.STANDARD: "The log keeps what was asked for and granted.",
        ConsentPolicy.TRANSACTIONAL_AUTHORIZATION_WITH_MFA: (
            "Each request is a transaction with an id of its own, `linking_id`, which the consent "
            "template and the log know; the log keeps the types and nothing more of the details. "
            "A second factor is up to the API: this server asks for none."
        ),
    },
)
