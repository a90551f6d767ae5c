"""Client certificates, by the word of the proxy that terminated TLS: RFC 9440.

Law: a header is read only where the address says that a certificate arrives in it, and then it is
believed whole or the request is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tenantry.core.client_certificates import ClientCertificate
from tenantry.keys.client_certificates import (
    BadCertificate,
    from_byte_sequence,
    from_escaped_pem,
)
from tenantry.rules.addresses import TenantAddress

ESCAPED_PEM = "client-certificate"
BYTE_SEQUENCE = "client-cert"
_VERIFIED = b"client-certificate-ca-verified"
_MAX_REASON = 1_024


def presented(
    address: TenantAddress, headers: Iterable[tuple[bytes, bytes]]
) -> ClientCertificate | None:
    """None without one; BadCertificate for what is not exactly one."""
    if address.client_certificate_header is None:
        return None
    name = address.client_certificate_header.encode()
    values, verdicts = [], []
    for header, value in headers:
        if header == name:
            values.append(value)
        elif header == _VERIFIED:
            verdicts.append(value)
    if not values or values == [b""]:
        return None
    # RFC 9440 §2.2: it "MUST NOT have a list of values or occur multiple times".
    if len(values) > 1 or len(verdicts) > 1:
        raise BadCertificate("there is more than one")
    verified = _is_verified(verdicts[0]) if verdicts else False
    read = from_byte_sequence if name == BYTE_SEQUENCE.encode() else from_escaped_pem
    return replace(read(values[0]), verified_by_ca=verified)


def _is_verified(verdict: bytes) -> bool:
    """`SUCCESS`, or `FAILED` with an optional reason."""
    if verdict == b"SUCCESS":
        return True
    if verdict.startswith(b"FAILED") and len(verdict) <= _MAX_REASON:
        return False
    raise BadCertificate("nobody says whether it was verified")
