"""APIs as the schema shows them."""

from __future__ import annotations

from collections.abc import Mapping

import strawberry

from tenantry.core import authorization_details as details
from tenantry.core import facts as core
from tenantry.core.authorization_details import ConsentPolicy
from tenantry.core.facts import (
    AccessPolicy,
    EncryptionFormat,
    KeyEncryptionAlgorithm,
    ProofOfPossession,
    ResourceServerFacts,
    SigningAlgorithm,
    TokenDialect,
)
from tenantry.management.ids import global_id
from tenantry.management.types.common import StoredObject, described, publish, setting

ABOUT: Mapping[str, str] = {
    "identifier": (
        "What applications send as `audience` to get its tokens, compared exactly. A URL by "
        "custom, which need not exist: 1 to 600 visible ASCII characters. Never changes."
    ),
    "name": "The name that people see. 1 to 200 characters, without < and >.",
    "scopes": (
        "Its permissions, such as `read:orders`, replaced as a whole: at most 1000, each value "
        "once. Default none."
    ),
    "signing_alg": (
        "How its access tokens are signed: by a key that the tenant has switched on, or `HS256` "
        "with a secret of the API's own. Never changes. Default `RS256`."
    ),
    "token_lifetime": "How long access tokens are valid, in seconds: 1 to 2592000. Default 86400.",
    "token_dialect": (
        "How the claims of access tokens are named; with `permissions` only where policies are "
        "enforced. Default `ACCESS_TOKEN`."
    ),
    "skip_consent_for_first_party": (
        "Whether users of first-party applications are not asked for consent. Default true."
    ),
    "allow_offline_access": (
        "Whether applications may keep access while the user is away: get refresh tokens by the "
        "scope `offline_access`. Default false."
    ),
    "user_access_policy": (
        "Which applications may ask for tokens on behalf of users. Default `ALLOW_ALL`."
    ),
    "client_access_policy": (
        "Which applications may ask for tokens for themselves: `REQUIRE_CLIENT_GRANT`, the "
        "default, or `DENY_ALL`."
    ),
    "token_lifetime_for_web": (
        "The same for tokens of the implicit and hybrid flows, in seconds: 1 to `tokenLifetime`, "
        "which lowers it too. Default 86400, or `tokenLifetime` if that is less."
    ),
    "token_encryption": (
        "The public key that access tokens are encrypted for. Default null: they are only "
        "signed. This server's own userinfo does not accept encrypted tokens."
    ),
    "authorization_details": (
        "The types of authorization details (RFC 9396) that it understands, replaced as a whole: "
        "at most 100. Default none."
    ),
    "require_pushed_authorization_details": (
        "Whether authorization details are taken only in authorization requests that were pushed "
        "(RFC 9126), where no browser sees or changes them. Default true."
    ),
    "consent_policy": (
        "How users are asked for authorization details: always, and each time anew. Default "
        "`STANDARD`."
    ),
    "enforce_policies": (
        "Whether users get only those scopes that they have as permissions, directly or by "
        "roles. Switched off, a dialect with permissions falls back to its twin. Default false."
    ),
    "proof_of_possession": (
        "How its access tokens must be bound to a key; a request that proves none in that way is "
        "refused. Default null: they may be bearer tokens, and are bound where the application "
        "proves a key."
    ),
    "is_system": "Whether it is the management API, which cannot be changed or deleted.",
}
DETAILS_ABOUT: Mapping[str, str] = {
    "type": (
        "The `type` of such an object, compared exactly: 1 to 255 visible ASCII characters, as in "
        "`payment_initiation`."
    ),
}
SCOPE_ABOUT: Mapping[str, str] = {
    "value": (
        "The name that tokens carry: 1 to 280 visible ASCII characters without quotes and "
        "backslashes, none of the names that OpenID Connect reserves."
    ),
    "description": "What it permits, for consent pages. At most 500 characters; default empty.",
}


@strawberry.type(description="A permission of an API.")
class Scope:
    value: str = described(SCOPE_ABOUT, "value")
    description: str = described(SCOPE_ABOUT, "description")


@strawberry.input(description="A permission of an API.")
class ScopeInput:
    value: str = described(SCOPE_ABOUT, "value")
    description: str = strawberry.field(description=SCOPE_ABOUT["description"], default="")

    def facts(self) -> core.Scope:
        return core.Scope(self.value, self.description)


@strawberry.type(description="A type of authorization details that an API understands.")
class AuthorizationDetailsType:
    type: str = described(DETAILS_ABOUT, "type")


@strawberry.input(description="A type of authorization details that an API understands.")
class AuthorizationDetailsTypeInput:
    type: str = described(DETAILS_ABOUT, "type")

    def facts(self) -> details.AuthorizationDetailsType:
        return details.AuthorizationDetailsType(self.type)


ENCRYPTION_ABOUT: Mapping[str, str] = {
    "format": "The form of the encrypted tokens.",
    "encryption_key": "The key that they are encrypted for.",
    "name": "A name for the key, at most 128 characters. Default null.",
    "alg": "How the key of a token's content is encrypted.",
    "kid": (
        "What the header of the tokens calls the key: 1 to 128 visible ASCII characters. Default "
        "the thumbprint."
    ),
    "pem": (
        "A public RSA key of 2048 to 4096 bits, or a certificate of one, as PEM; at most 16384 "
        "characters. It is not shown again."
    ),
    "thumbprint_sha256": "The SHA-256 thumbprint of the key as a JWK (RFC 7638).",
    "x5t_s256": "The SHA-256 of the certificate in base64url; null if none was sent.",
}


@strawberry.type(description="The public key that access tokens are encrypted for.")
class EncryptionKey:
    name: str | None = described(ENCRYPTION_ABOUT, "name")
    alg: KeyEncryptionAlgorithm = described(ENCRYPTION_ABOUT, "alg")
    kid: str = described(ENCRYPTION_ABOUT, "kid")
    thumbprint_sha256: str = described(ENCRYPTION_ABOUT, "thumbprint_sha256")
    x5t_s256: str | None = described(ENCRYPTION_ABOUT, "x5t_s256")


@strawberry.type(description="How the access tokens of an API are encrypted.")
class TokenEncryption:
    format: EncryptionFormat = described(ENCRYPTION_ABOUT, "format")
    encryption_key: EncryptionKey = described(ENCRYPTION_ABOUT, "encryption_key")


@strawberry.input(description="The public key that access tokens are encrypted for.")
class EncryptionKeyInput:
    name: str | None = setting(ENCRYPTION_ABOUT, "name")
    alg: KeyEncryptionAlgorithm = described(ENCRYPTION_ABOUT, "alg")
    kid: str | None = setting(ENCRYPTION_ABOUT, "kid")
    pem: str = described(ENCRYPTION_ABOUT, "pem")


@strawberry.input(description="How the access tokens of an API are encrypted.")
class TokenEncryptionInput:
    format: EncryptionFormat = strawberry.field(
        description=f"{ENCRYPTION_ABOUT['format']} Default `COMPACT_NESTED_JWE`.",
        default=EncryptionFormat.COMPACT_NESTED_JWE,
    )
    encryption_key: EncryptionKeyInput = described(ENCRYPTION_ABOUT, "encryption_key")

    def facts(self) -> core.NewTokenEncryption:
        key = self.encryption_key
        return core.NewTokenEncryption(
            format=self.format, name=key.name or None, alg=key.alg, kid=key.kid or None, pem=key.pem
        )


@strawberry.type(description="An API: a resource server that accepts access tokens.")
class ResourceServer(StoredObject):
    identifier: str = described(ABOUT, "identifier")
    name: str = described(ABOUT, "name")
    scopes: list[Scope] = described(ABOUT, "scopes")
    signing_alg: SigningAlgorithm = described(ABOUT, "signing_alg")
    token_lifetime: int = described(ABOUT, "token_lifetime")
    token_lifetime_for_web: int = described(ABOUT, "token_lifetime_for_web")
    token_dialect: TokenDialect = described(ABOUT, "token_dialect")
    token_encryption: TokenEncryption | None = described(ABOUT, "token_encryption")
    skip_consent_for_first_party: bool = described(ABOUT, "skip_consent_for_first_party")
    allow_offline_access: bool = described(ABOUT, "allow_offline_access")
    proof_of_possession: ProofOfPossession | None = described(ABOUT, "proof_of_possession")
    user_access_policy: AccessPolicy = described(ABOUT, "user_access_policy")
    client_access_policy: AccessPolicy = described(ABOUT, "client_access_policy")
    enforce_policies: bool = described(ABOUT, "enforce_policies")
    authorization_details: list[AuthorizationDetailsType] = described(
        ABOUT, "authorization_details"
    )
    require_pushed_authorization_details: bool = described(
        ABOUT, "require_pushed_authorization_details"
    )
    consent_policy: ConsentPolicy = described(ABOUT, "consent_policy")
    is_system: bool = described(ABOUT, "is_system")

    @classmethod
    def of(cls, facts: ResourceServerFacts, tenant_id: str) -> ResourceServer:
        return publish(
            cls,
            facts,
            id=global_id("ResourceServer", tenant_id, facts.id),
            scopes=[publish(Scope, scope) for scope in facts.scopes],
            authorization_details=[
                publish(AuthorizationDetailsType, one) for one in facts.authorization_details
            ],
            token_encryption=facts.token_encryption
            and TokenEncryption(
                format=facts.token_encryption.format,
                encryption_key=publish(EncryptionKey, facts.token_encryption.encryption_key),
            ),
        )
