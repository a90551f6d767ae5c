"""What is known of the certificate that an application presented in the TLS handshake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """That the application has its private key was seen by who terminates TLS.

    `x5t_s256` is its thumbprint (RFC 8705 §3.1), `subject_dn` in the form of
    `core.distinguished_names`, the lists are its subject alternative names.
    """

    x5t_s256: str
    subject_dn: str
    san_dns: frozenset[str]
    san_uri: frozenset[str]
    san_ip: frozenset[str]
    san_email: frozenset[str]
    begins_at: datetime
    ends_at: datetime
    verified_by_ca: bool = False

    def is_current(self, now: datetime) -> bool:
        return self.begins_at <= now <= self.ends_at
