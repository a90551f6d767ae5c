"""Signing keys as the schema shows them: the public half only."""

from __future__ import annotations

from datetime import datetime

import strawberry

from tenantry.core.facts import KeyState, SigningAlgorithm, SigningKeyFacts
from tenantry.keys.signing import certificate_forms
from tenantry.management.fields import field
from tenantry.management.ids import global_id
from tenantry.management.types.common import Node, publish


@strawberry.type(description="A self-signed certificate in the forms that other software asks for.")
class Certificate:
    pem: str = strawberry.field(description="PEM: base64 between BEGIN and END lines.")
    cer: str = strawberry.field(description="DER, in base64.")
    pkcs7: str = strawberry.field(description="A PKCS #7 bundle, in PEM.")
    fingerprint: str = strawberry.field(description="The SHA-1 of the DER, in hexadecimal.")
    thumbprint: str = strawberry.field(description="The SHA-256 of the DER, in hexadecimal.")


@strawberry.type(description="A key that signs tokens: its public half and its certificate.")
class SigningKey(Node):
    kid: str = strawberry.field(description="The `kid` of its tokens: the thumbprint of RFC 7638.")
    alg: SigningAlgorithm = strawberry.field(description="The algorithm that it signs with.")
    state: KeyState = strawberry.field(description="Where it is in its life.")
    public_key: str = strawberry.field(description="The public key, in PEM.")
    created_at: datetime = strawberry.field(description="When it was made.")
    current_since: datetime | None = strawberry.field(
        description="When it began to sign; null if it has not yet."
    )
    revoked_at: datetime | None = strawberry.field(
        description="When it was revoked; null if it was not."
    )
    certificate_pem: strawberry.Private[str]

    @classmethod
    def of(cls, facts: SigningKeyFacts, tenant_id: str) -> SigningKey:
        return publish(
            cls,
            facts,
            id=global_id("SigningKey", tenant_id, facts.kid),
            certificate_pem=facts.certificate,
        )

    @field("The key's self-signed certificate.")
    def certificate(self) -> Certificate:
        return publish(Certificate, certificate_forms(self.certificate_pem))
