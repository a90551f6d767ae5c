"""RFC 8705 §2: what an application says of the certificate that it authenticates with."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from tenantry.core.client_certificates import ClientCertificate
from tenantry.core.distinguished_names import NotAName, canonical
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ApplicationFacts, TokenEndpointAuthMethod
from tenantry.rules.fields import Field, clean_text, encodable

MAX_NAME = 2_048


def distinguished_name(value: Any, path: tuple[str, ...]) -> str:
    """As it was written, if it can be read."""
    result = str(value).strip()
    if not encodable(result) or "\x00" in result:
        raise DomainError(ErrorCode.INVALID, "Control characters are not allowed.", *path)
    if len(result) > MAX_NAME:
        raise DomainError(ErrorCode.TOO_LONG, f"At most {MAX_NAME} characters.", *path)
    try:
        canonical(result)
    except NotAName:
        raise DomainError(
            ErrorCode.INVALID, "Must be a distinguished name as RFC 4514 writes it.", *path
        ) from None
    return result


def _dns_name(value: Any, path: tuple[str, ...]) -> str:
    """Host names have no case (RFC 4343)."""
    return clean_text(value, path, 253, 1).lower()


def _uri(value: Any, path: tuple[str, ...]) -> str:
    return clean_text(value, path, MAX_NAME, 1)


def _address(value: Any, path: tuple[str, ...]) -> str:
    try:
        return str(ip_address(clean_text(value, path, 64, 1)))
    except ValueError:
        raise DomainError(ErrorCode.INVALID, "Must be an IP address.", *path) from None


def _email(value: Any, path: tuple[str, ...]) -> str:
    return clean_text(value, path, 254, 3)


# §2.1.2.
CERTIFICATE_FIELDS: Mapping[str, Field] = {
    "tls_client_auth_subject_dn": Field(distinguished_name, None),
    "tls_client_auth_san_dns": Field(_dns_name, None),
    "tls_client_auth_san_uri": Field(_uri, None),
    "tls_client_auth_san_ip": Field(_address, None),
    "tls_client_auth_san_email": Field(_email, None),
}


def require_agreeing_names(values: Mapping[str, Any]) -> None:
    """§2.1.2: "A client using the tls_client_auth authentication method MUST use exactly one"."""
    named = [name for name in CERTIFICATE_FIELDS if values[name] is not None]
    method = values["token_endpoint_auth_method"]
    if method is not TokenEndpointAuthMethod.TLS_CLIENT_AUTH:
        if named:
            raise DomainError(
                ErrorCode.NOT_ALLOWED,
                f"Only tls_client_auth, not {method.value}, uses it.",
                named[0],
            )
        return
    count = len(named) + bool(values["client_authentication_credentials"])
    if count == 0:
        raise DomainError(
            ErrorCode.REQUIRED,
            "tls_client_auth needs credentials, a subject or an alternative name.",
            "tls_client_auth_subject_dn",
        )
    if count > 1:
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "Exactly one of credentials, a subject and an alternative name.",
            named[-1],
        )


def names_certificate(application: ApplicationFacts, certificate: ClientCertificate) -> bool:
    """§2.1: whether the certificate has the name that the application registered."""
    subject = application.tls_client_auth_subject_dn
    if subject is not None:
        return canonical(subject) == certificate.subject_dn
    return (
        application.tls_client_auth_san_dns in certificate.san_dns
        or application.tls_client_auth_san_uri in certificate.san_uri
        or application.tls_client_auth_san_ip in certificate.san_ip
        or application.tls_client_auth_san_email in certificate.san_email
    )
