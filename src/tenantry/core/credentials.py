"""Credentials: keys, certificates and names of an application, and what it may use them for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tenantry.core.stored import Stored
from tenantry.core.values import ClientSigningAlgorithm

MAX_PER_USE = 2
"""As many as a rotation needs."""
MAX_CREDENTIALS = 4


class CredentialType(StrEnum):
    PUBLIC_KEY = "public_key"
    X509_CERT = "x509_cert"
    CERT_SUBJECT_DN = "cert_subject_dn"


class CredentialUse(StrEnum):
    """The setting of the application that lists the credentials of this use."""

    CLIENT_AUTHENTICATION = "client_authentication_credentials"
    REQUEST_OBJECTS = "request_object_credentials"


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFacts(Stored):
    """`kid` is the thumbprint of the key (RFC 7638) or the name, `x5t_s256` of the certificate.

    `jwk` is the JSON text of the public key, with its `kid` and its `alg`. A name has no key:
    `subject_dn` is in the form of `core.distinguished_names`.
    """

    application_id: str
    name: str
    credential_type: CredentialType
    alg: ClientSigningAlgorithm | None
    kid: str
    x5t_s256: str | None
    jwk: str | None
    subject_dn: str | None
    expires_at: datetime | None

    def works_at(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at
