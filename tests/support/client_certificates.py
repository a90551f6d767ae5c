"""Client certificates of applications, and the headers in which a proxy passes them on."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.client_keys import ec_key

SUBJECT = (
    (NameOID.COUNTRY_NAME, "DE"),
    (NameOID.ORGANIZATION_NAME, "Company, Inc."),
    (NameOID.COMMON_NAME, "client.example.com"),
)
LINES = "C=DE\nO=Company, Inc.\nCN=client.example.com"
RFC4514 = "CN=client.example.com, O=Company\\, Inc., C=DE"
SAN: dict[str, Any] = {
    "san_dns": x509.DNSName("client.example.com"),
    "san_uri": x509.UniformResourceIdentifier("https://client.example.com/id"),
    "san_ip": x509.IPAddress(ipaddress.ip_address("2001:db8::7")),
    "san_email": x509.RFC822Name("client@example.com"),
}


@dataclass(frozen=True)
class Made:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: Any

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        made: bytes = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return made.decode()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def thumbprint(self) -> str:
        """RFC 8705 §3.1, in other words than the server's."""
        digest = hashlib.sha256(self.der).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def headers(self, verified: str = "SUCCESS") -> dict[str, str]:
        return {
            "client-certificate": quote(self.pem, safe=""),
            "client-certificate-ca-verified": verified,
        }

    def rfc9440(self, verified: str = "SUCCESS") -> dict[str, str]:
        return {
            "client-cert": f":{base64.b64encode(self.der).decode()}:",
            "client-certificate-ca-verified": verified,
        }


SELF_SIGNED = "FAILED:self-signed certificate"


@cache
def made(
    name: str = "one",
    *,
    subject: tuple[tuple[Any, str], ...] = SUBJECT,
    days: int = 90,
    by_ca: bool = True,
    for_hosts: tuple[str, ...] = (),
) -> Made:
    """By our authority, or signed by itself; valid since yesterday, or not any more."""
    key = ec_key(f"certificate {name}")
    own = x509.Name([x509.NameAttribute(kind, value) for kind, value in subject])
    issuer, issuer_key = (authority().certificate.subject, authority().key) if by_ca else (own, key)
    now = datetime.now(UTC).replace(microsecond=0)
    names: list[Any] = [x509.DNSName(host) for host in for_hosts] or list(SAN.values())
    usage = ExtendedKeyUsageOID.SERVER_AUTH if for_hosts else ExtendedKeyUsageOID.CLIENT_AUTH
    certificate = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .sign(issuer_key, SHA256())
    )
    return Made(certificate, key)


@cache
def authority(name: str = "authority") -> Made:
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"The {name}")])
    now = datetime.now(UTC).replace(microsecond=0)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(own)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    return Made(certificate, key)


def foreign() -> Made:
    """With our subject, by another authority."""
    other = authority("impostor")
    key = ec_key("foreign certificate")
    now = datetime.now(UTC).replace(microsecond=0)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(made().certificate.subject)
        .issuer_name(other.certificate.subject)
        .public_key(key.public_key())
        .serial_number(2)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(other.key, SHA256())
    )
    return Made(certificate, key)
