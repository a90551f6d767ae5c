"""Credentials as the schema shows them: what is known of a key, without the key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import strawberry

from tenantry.core.credentials import CredentialFacts, CredentialType, CredentialUse
from tenantry.core.facts import (
    ApplicationFacts,
    ClientSigningAlgorithm,
    TokenEndpointAuthMethod,
)
from tenantry.management.ids import global_id
from tenantry.management.types.common import StoredObject, described, publish
from tenantry.management.types.enums import describe_enum

describe_enum(
    CredentialType,
    "What was uploaded as a credential.",
    {
        CredentialType.PUBLIC_KEY: "A public key.",
        CredentialType.X509_CERT: (
            "An X.509 certificate: for assertions its key counts, for TLS the certificate itself."
        ),
        CredentialType.CERT_SUBJECT_DN: (
            "The subject's name, which certificates of an authority have in common."
        ),
    },
)

ABOUT: Mapping[str, str] = {
    "name": "What administrators call it: 1 to 128 characters.",
    "credential_type": (
        "What it is kept as. By default what was sent; `PUBLIC_KEY` keeps of a certificate its key "
        "alone, `CERT_SUBJECT_DN` its subject alone."
    ),
    "alg": (
        "The only algorithm that the key signs with: `RS256`, `RS384` or `PS256` for RSA, `ES256` "
        "for EC, `EDDSA` for Ed25519. Default the first of its kind, or what the JWK says; null "
        "for a subject."
    ),
    "kid": (
        "Names the key in the header of what it signs: its JWK thumbprint with SHA-256 (RFC 7638); "
        "the SHA-256 of a subject."
    ),
    "x5t_s256": (
        "The SHA-256 thumbprint of the certificate that was uploaded (`x5t#S256`, RFC 7515 "
        "§4.1.8); null for a bare key."
    ),
    "subject_dn": (
        "The subject of certificates: its relative names on lines, in the certificate's order, "
        "or one text as RFC 4514 writes it; at most 2048 characters. The surest way to have it "
        "right is to send a certificate as `pem` with the type `CERT_SUBJECT_DN`."
    ),
    "expires_at": (
        "From when it does not work, though it stays: a moment in the future when it is set. "
        "Default null: it does not expire."
    ),
    "pem": (
        "The public key or the X.509 certificate as PEM, at most 16384 characters: RSA of 2048 to "
        "4096 bits, EC on the curve P-256, or Ed25519. Private keys are refused. Exactly one of "
        "this, `jwk` and `subjectDn`."
    ),
    "jwk": (
        "The public key as a JWK (RFC 7517), an object or its text, without private members. Its "
        "`kid` does not count; with the thumbprint of its certificate (`x5t#S256`) it stands for "
        "that certificate."
    ),
    "parse_expiry_from_cert": (
        "Whether it expires when the certificate does; an error without a certificate or beside "
        "`expiresAt`. Default false."
    ),
    "client_id": "The `clientId` of the application.",
}
METHODS_ABOUT = (
    "How it proves who it is, by which credentials; null where it has no credentials for that."
)
REQUESTS_ABOUT = "Signed authorization requests (RFC 9101): whether they must be, and by what."
CREDENTIALS_ABOUT = "The enabled credentials, at most 2, in the order in which they were listed."
REQUIRED_ABOUT = "Whether its authorization requests must be signed request objects. Default false."


@strawberry.type(
    description="A public key, a certificate or a subject that was uploaded for an application."
)
class Credential(StoredObject):
    name: str = described(ABOUT, "name")
    credential_type: CredentialType = described(ABOUT, "credential_type")
    alg: ClientSigningAlgorithm | None = described(ABOUT, "alg")
    kid: str = described(ABOUT, "kid")
    x5t_s256: str | None = described(ABOUT, "x5t_s256")
    subject_dn: str | None = described(ABOUT, "subject_dn")
    expires_at: datetime | None = described(ABOUT, "expires_at")

    @classmethod
    def of(cls, facts: CredentialFacts, tenant_id: str) -> Credential:
        return publish(cls, facts, id=global_id("Credential", tenant_id, facts.id))


@strawberry.type(description="Authentication by assertions that the application signs (RFC 7523).")
class PrivateKeyJwt:
    credentials: list[Credential] = strawberry.field(description=CREDENTIALS_ABOUT)


@strawberry.type(
    description="Authentication by a TLS client certificate of an authority (RFC 8705 §2.1)."
)
class TlsClientAuth:
    credentials: list[Credential] = strawberry.field(description=CREDENTIALS_ABOUT)


@strawberry.type(
    description="Authentication by a TLS client certificate that was uploaded (RFC 8705 §2.2)."
)
class SelfSignedTlsClientAuth:
    credentials: list[Credential] = strawberry.field(description=CREDENTIALS_ABOUT)


METHOD_ABOUT: Mapping[str, str] = {
    "private_key_jwt": "By signed assertions.",
    "tls_client_auth": "By a certificate of an authority, which has the subject of a credential.",
    "self_signed_tls_client_auth": "By a certificate that is one of the credentials.",
}


@strawberry.type(
    description="How an application proves who it is by its credentials: in exactly one way."
)
class ClientAuthenticationMethods:
    private_key_jwt: PrivateKeyJwt | None = described(METHOD_ABOUT, "private_key_jwt")
    tls_client_auth: TlsClientAuth | None = described(METHOD_ABOUT, "tls_client_auth")
    self_signed_tls_client_auth: SelfSignedTlsClientAuth | None = described(
        METHOD_ABOUT, "self_signed_tls_client_auth"
    )

    @classmethod
    def of(
        cls, method: TokenEndpointAuthMethod, credentials: list[Credential]
    ) -> ClientAuthenticationMethods:
        by_key = method is TokenEndpointAuthMethod.PRIVATE_KEY_JWT
        by_name = method is TokenEndpointAuthMethod.TLS_CLIENT_AUTH
        by_itself = method is TokenEndpointAuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH
        return cls(
            private_key_jwt=PrivateKeyJwt(credentials=credentials) if by_key else None,
            tls_client_auth=TlsClientAuth(credentials=credentials) if by_name else None,
            self_signed_tls_client_auth=(
                SelfSignedTlsClientAuth(credentials=credentials) if by_itself else None
            ),
        )


@strawberry.type(description="Signed authorization requests of an application (RFC 9101).")
class SignedRequestObject:
    required: bool = strawberry.field(description=REQUIRED_ABOUT)
    credentials: list[Credential] = strawberry.field(description=CREDENTIALS_ABOUT)


def enabled_for(
    use: CredentialUse,
    application: ApplicationFacts,
    stored: Iterable[CredentialFacts],
    tenant_id: str,
) -> list[Credential]:
    by_id = {facts.id: facts for facts in stored}
    listed: tuple[str, ...] = getattr(application, use)
    return [Credential.of(by_id[id_], tenant_id) for id_ in listed if id_ in by_id]
