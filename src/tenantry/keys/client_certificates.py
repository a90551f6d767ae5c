"""RFC 5280 certificates, as they arrive in a header: URL-encoded PEM, or RFC 9440 §2.1.

Law: one certificate and nothing beside it, or none.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tenantry.core.client_certificates import ClientCertificate
from tenantry.core.distinguished_names import rendered

MAX_CERTIFICATE_HEADER = 4_096
MAX_KEYS = 20
_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
_BYTE_SEQUENCE = re.compile(rb":([A-Za-z0-9+/]*={0,2}):")


class BadCertificate(Exception):
    """Why the header holds no certificate."""


@lru_cache(maxsize=1024)
def from_escaped_pem(value: bytes) -> ClientCertificate:
    """A PEM certificate, percent-encoded because headers have no lines."""
    _require_small(value)
    pem = unquote_to_bytes(value).strip()
    if not (pem.startswith(_BEGIN) and pem.endswith(_END)) or pem.count(b"-----BEGIN ") != 1:
        raise BadCertificate("it is not one certificate as URL-encoded PEM")
    try:
        return _facts(x509.load_pem_x509_certificate(pem))
    except (ValueError, TypeError, OverflowError) as error:
        raise BadCertificate("the certificate cannot be read") from error


@lru_cache(maxsize=1024)
def from_byte_sequence(value: bytes) -> ClientCertificate:
    """RFC 9440 §2.2: the DER certificate as a Byte Sequence (RFC 8941 §3.3.5)."""
    _require_small(value)
    match = _BYTE_SEQUENCE.fullmatch(value.strip(b" "))
    if match is None:
        raise BadCertificate("it is not a byte sequence")
    try:
        return _facts(x509.load_der_x509_certificate(base64.b64decode(match[1], validate=True)))
    except (binascii.Error, ValueError, TypeError, OverflowError) as error:
        raise BadCertificate("the certificate cannot be read") from error


def thumbprint(der: bytes) -> str:
    """`x5t#S256` (RFC 7515 §4.1.8)."""
    return urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


@lru_cache(maxsize=1024)
def thumbprints_in(jwks: str) -> frozenset[str]:
    """Of the certificate of each key of a set: the first of its `x5c`, or what `x5t#S256` says."""
    try:
        keys = [key for key in json.loads(jwks)["keys"][:MAX_KEYS] if isinstance(key, dict)]
    except (ValueError, TypeError, KeyError, RecursionError):
        return frozenset()
    return frozenset(found for key in keys if (found := _thumbprint_of(key)) is not None)


def _thumbprint_of(key: Mapping[str, Any]) -> str | None:
    chain = key.get("x5c")
    if isinstance(chain, list) and chain and isinstance(chain[0], str):
        try:
            return thumbprint(base64.b64decode(chain[0], validate=True))
        except (binascii.Error, ValueError):
            return None
    named = key.get("x5t#S256")
    return named if isinstance(named, str) else None


def _require_small(value: bytes) -> None:
    if len(value) > MAX_CERTIFICATE_HEADER:
        raise BadCertificate(f"it has more than {MAX_CERTIFICATE_HEADER} bytes")


def _facts(certificate: x509.Certificate) -> ClientCertificate:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = x509.SubjectAlternativeName([])
    except x509.DuplicateExtension as error:
        raise BadCertificate("an extension stands in it twice") from error
    return ClientCertificate(
        x5t_s256=thumbprint(certificate.public_bytes(Encoding.DER)),
        subject_dn=rendered(certificate.subject),
        san_dns=frozenset(name.lower() for name in names.get_values_for_type(x509.DNSName)),
        san_uri=frozenset(names.get_values_for_type(x509.UniformResourceIdentifier)),
        san_ip=frozenset(str(name) for name in names.get_values_for_type(x509.IPAddress)),
        san_email=frozenset(names.get_values_for_type(x509.RFC822Name)),
        begins_at=certificate.not_valid_before_utc,
        ends_at=certificate.not_valid_after_utc,
    )
