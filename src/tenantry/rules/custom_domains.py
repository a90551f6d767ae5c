"""What a custom domain may be, and what proves it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from ipaddress import ip_address
from typing import Any

import idna

from tenantry.core.custom_domains import CustomDomainFacts, CustomDomainType
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.rules.addresses import Addresses
from tenantry.rules.client_keys import public_jwks
from tenantry.rules.fields import Field, clean_text, one_of
from tenantry.rules.metadata import json_object

MAX_DOMAIN = 253 - len("_tenantry.")
MAX_KEYS = 10
EDGE_KEY_HEADER = "cname-api-key"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?!\d+$){_LABEL}")
# RFC 6761, RFC 6762 §3, RFC 8375, RFC 7686: names that the public DNS does not give away.
_SPECIAL = frozenset({"alt", "arpa", "internal", "invalid", "local", "localhost", "onion"})
_HEADER = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
# What the server itself reads, or what a proxy may not decide.
_OTHER_HEADERS = frozenset(
    {
        EDGE_KEY_HEADER,
        "authorization",
        "client-cert",
        "client-cert-chain",
        "client-certificate",
        "client-certificate-ca-verified",
        "cookie",
        "dpop",
        "host",
        "origin",
        "referer",
        "user-agent",
        "x-forwarded-host",
    }
)
_HTTPS_PORT = ":443"


def domain_name(value: Any, path: tuple[str, ...]) -> str:
    """A host name of two labels at least, in lower-case ASCII (RFC 5891 §4 for what is not)."""
    text = clean_text(value, path, MAX_DOMAIN, 1)
    try:
        name = text.lower() if text.isascii() else idna.encode(text, uts46=True).decode()
        for label in name.split("."):
            if label.startswith("xn--"):
                idna.decode(label)
    except (idna.IDNAError, UnicodeError):
        raise DomainError(ErrorCode.INVALID, "Must be a valid host name.", *path) from None
    if len(name) > MAX_DOMAIN:
        raise DomainError(ErrorCode.TOO_LONG, f"At most {MAX_DOMAIN} characters.", *path)
    if not _DOMAIN.fullmatch(name):
        raise DomainError(
            ErrorCode.INVALID,
            "Must be a host name of at least two labels, without scheme, port, path or final dot.",
            *path,
        )
    if name.rpartition(".")[2] in _SPECIAL:
        raise DomainError(ErrorCode.INVALID, "The public DNS has no such names.", *path)
    return name


def client_ip_header(value: Any, path: tuple[str, ...]) -> str:
    """The name of a header, in lower case."""
    name = clean_text(value, path, 64, 1).lower()
    if not _HEADER.fullmatch(name):
        raise DomainError(ErrorCode.INVALID, "Must be the name of a header.", *path)
    if name in _OTHER_HEADERS:
        raise DomainError(ErrorCode.NOT_ALLOWED, "This header says something else.", *path)
    return name


CUSTOM_DOMAIN_FIELDS: Mapping[str, Field] = {
    "domain": Field(domain_name),
    "type": Field(one_of(CustomDomainType)),
    "custom_client_ip_header": Field(client_ip_header, None),
    "domain_metadata": Field(json_object, {}),
}


def agreeing(values: dict[str, Any]) -> dict[str, Any]:
    """A header is believed from the tenant's own edge only, which proves itself."""
    managed = values["type"] is CustomDomainType.MANAGED_CERTS
    if managed and values["custom_client_ip_header"] is not None:
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "Only a domain with self_managed_certs has an edge that may name the address.",
            "custom_client_ip_header",
        )
    return values


def require_not_ours(addresses: Addresses, name: str) -> None:
    """The hosts of the installation itself are no tenant's to take."""
    if addresses.locate(name, "/") is not None:
        raise DomainError(ErrorCode.NOT_ALLOWED, "This host belongs to the installation.", "domain")


def domain_of_host(host: str) -> str | None:
    """The domain that a Host header names; None for what can be none.

    It is compared as text: another port or a final dot makes another origin.
    """
    name = host.lower().removesuffix(_HTTPS_PORT)
    return name if len(name) <= MAX_DOMAIN and _DOMAIN.fullmatch(name) else None


def proves(domain: CustomDomainFacts, found: Collection[str]) -> bool:
    """Whether one of the TXT records that were found is the domain's own."""
    return domain.verification_value in found


def named_client_ip(value: str) -> str | None:
    """The address that the edge saw: the last one of its header."""
    last = value.rpartition(",")[2].strip()
    try:
        return str(ip_address(last))
    except ValueError:
        return None


def customer_keys(value: Any, path: tuple[str, ...], own: Iterable[str]) -> str:
    """The JSON text of at most ten public keys, each with a `kid` that is none of `own`."""
    text = public_jwks(value, path)
    keys = json.loads(text)["keys"]
    if len(keys) > MAX_KEYS:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_KEYS} keys.", *path, "keys")
    taken = frozenset(own)
    for index, key in enumerate(keys):
        place = (*path, "keys", str(index))
        if "kid" not in key:
            raise DomainError(ErrorCode.REQUIRED, "A key is found by its kid.", *place, "kid")
        if key["kid"] in taken:
            raise DomainError(
                ErrorCode.ALREADY_EXISTS, "A key of the tenant has this kid.", *place, "kid"
            )
        if key.get("use", "sig") != "sig":
            raise DomainError(ErrorCode.INVALID, "These keys sign.", *place, "use")
    return text
