"""Where a browser may be sent: registered URLs, compared as text (RFC 9700 §2.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ApplicationType
from tenantry.rules.fields import MAX_URL, UrlParts, clean_text, origin, split_url, web_url

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
# Schemes that a browser runs, reads or shows itself.
_FORBIDDEN_SCHEMES = frozenset(
    {"javascript", "data", "vbscript", "file", "about", "blob", "filesystem", "view-source", "ws"}
)
# What one `*` stands for: part of one label of a host.
_LABEL_PART = re.compile(r"[a-z0-9-]{1,63}")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
ORGANIZATION = "{organization_name}"
"""Stands in registered URLs for the name of the organization that a request is for."""
_LOOPBACK_LITERALS = frozenset({"127.0.0.1", "::1"})


def registered_uri(value: Any, path: tuple[str, ...]) -> str:
    """A URL that an application may register; `*` may stand in the leftmost label of its host."""
    uri = clean_text(value, path, MAX_URL, 1)
    if "*" in uri:
        _check_pattern(uri, path)
        exact_uri(uri.replace("*", "x", 1), path)
        return uri
    return exact_uri(uri, path)


def callback_uri(value: Any, path: tuple[str, ...]) -> str:
    """The same or, as the leftmost label of its host, the name of the request's organization."""
    uri = clean_text(value, path, MAX_URL, 1)
    if ORGANIZATION not in uri:
        return registered_uri(uri, path)
    _check_organization(uri, path)
    exact_uri(uri.replace(ORGANIZATION, "x", 1), path)
    return uri


def cors_origin(value: Any, path: tuple[str, ...]) -> str:
    """An origin with either placeholder."""
    if isinstance(value, str) and ORGANIZATION in value:
        result = origin(value, path)
        _check_organization(result, path)
        return result
    return registered_origin(value, path)


def _check_organization(uri: str, path: tuple[str, ...]) -> None:
    parts = split_url(uri)
    if parts is None or parts.scheme not in {"http", "https"}:
        raise DomainError(
            ErrorCode.INVALID, f"{ORGANIZATION} needs an absolute http or https URL.", *path
        )
    label, _, rest = parts.host.partition(".")
    if uri.count(ORGANIZATION) != 1 or label != ORGANIZATION or "*" in uri:
        raise DomainError(
            ErrorCode.INVALID,
            f"One {ORGANIZATION} may be the leftmost label of the host, without a *.",
            *path,
        )
    if "." not in rest or not all(map(_LABEL.fullmatch, rest.split("."))):
        raise DomainError(
            ErrorCode.INVALID, f"{ORGANIZATION} needs a domain of two labels below it.", *path
        )
    if not uri.startswith(f"{parts.scheme}://{parts.host}"):
        raise DomainError(ErrorCode.INVALID, "A host with a placeholder is in lower case.", *path)


def for_organization(registered: Iterable[str], name: str | None) -> tuple[str, ...]:
    """The URLs as they are for requests of an organization; without one no placeholder counts."""
    label = name if name is not None and _LABEL.fullmatch(name) else None
    return tuple(
        entry.replace(ORGANIZATION, label) if label else entry
        for entry in registered
        if label or ORGANIZATION not in entry
    )


def organization_of(asked: str, registered: Iterable[str]) -> str | None:
    """The organization whose name would make an origin one of the registered ones."""
    label = asked.partition("://")[2].partition(".")[0]
    named = tuple(entry for entry in registered if ORGANIZATION in entry)
    return label if label and asked in for_organization(named, label) else None


def registered_origin(value: Any, path: tuple[str, ...]) -> str:
    """An origin with the same placeholder `*`."""
    result = origin(value, path)
    if "{" in result:
        raise DomainError(ErrorCode.INVALID, "Only a * may stand in this origin.", *path)
    if "*" in result:
        _check_pattern(result, path)
    return result


def _check_pattern(uri: str, path: tuple[str, ...]) -> None:
    parts = split_url(uri)
    if parts is None or parts.scheme not in {"http", "https"}:
        raise DomainError(ErrorCode.INVALID, "A * needs an absolute http or https URL.", *path)
    label, _, rest = parts.host.partition(".")
    if uri.count("*") != 1 or "*" not in label or "{" in uri:
        raise DomainError(
            ErrorCode.INVALID, "One * may stand in the leftmost label of the host.", *path
        )
    if "." not in rest or not all(map(_LABEL.fullmatch, rest.split("."))):
        raise DomainError(ErrorCode.INVALID, "A * needs a domain of two labels below it.", *path)
    if not _LABEL.fullmatch(label.replace("*", "x")):
        raise DomainError(ErrorCode.INVALID, "Around the * is no valid host name.", *path)
    if not uri.startswith(f"{parts.scheme}://{parts.host}"):
        raise DomainError(ErrorCode.INVALID, "A host with * is in lower case.", *path)


def has_wildcard(registered: str) -> bool:
    return "*" in registered


def is_pattern(registered: str) -> bool:
    """Whether it stands for more than one URL, or for one that only a request can tell."""
    return has_wildcard(registered) or "{" in registered


def matches(asked: str, registered: str) -> bool:
    """Equal as text or, where one `*` stands in the host, in all but a part of that one label."""
    if "{" in registered:  # What a placeholder stands for is not known here.
        return False
    if "*" not in registered:
        return asked == registered
    before, after = registered.split("*")
    inner = asked[len(before) : len(asked) - len(after)]
    if asked != before + inner + after or not _LABEL_PART.fullmatch(inner):
        return False
    label = asked.partition("://")[2].partition(".")[0]
    return _LABEL.fullmatch(label) is not None and split_url(asked) is not None


def is_listed(origin: str, registered: Iterable[str]) -> bool:
    """Whether an origin is one of the registered ones."""
    return any(matches(origin, entry) for entry in registered)


def is_private_use(uri: str) -> bool:
    """Whether any program on the user's device may claim a URL's scheme (RFC 8252 §8.6)."""
    return bool(uri) and not uri.startswith(("http://", "https://"))


def exact_uri(value: Any, path: tuple[str, ...]) -> str:
    """A URL that may be registered: absolute, no fragment (RFC 6749 §3.1.2), no credentials.

    A native application may register a private-use scheme (RFC 8252 §7.1).
    """
    uri = clean_text(value, path, MAX_URL, 1)
    scheme = uri.partition(":")[0]
    if not _SCHEME.fullmatch(scheme) or scheme in _FORBIDDEN_SCHEMES:
        raise DomainError(ErrorCode.INVALID, "This scheme is not allowed.", *path)
    if "#" in uri:
        raise DomainError(ErrorCode.INVALID, "A fragment is not allowed.", *path)
    if "*" in uri or "{" in uri:
        raise DomainError(ErrorCode.INVALID, "Placeholders are not allowed.", *path)
    if scheme in {"http", "https"}:
        if split_url(uri) is None:
            raise DomainError(ErrorCode.INVALID, "Must be an absolute URL.", *path)
    elif "." not in scheme or not uri.isascii() or not uri.isprintable():
        raise DomainError(
            ErrorCode.INVALID, "A private-use scheme must be a reversed domain name.", *path
        )
    return uri


def is_registered(uri: str, registered: Iterable[str], application_type: ApplicationType) -> bool:
    """Exact match; for native applications a loopback literal matches on any port."""
    registered = tuple(registered)
    if is_listed(uri, registered):
        return True
    # RFC 8252 §7.3: "MUST allow any port to be specified at the time of the request".
    if application_type is not ApplicationType.NATIVE:
        return False
    asked = split_url(uri)
    if asked is None or not _is_loopback_redirect(asked):
        return False
    return any(
        entry is not None
        and _is_loopback_redirect(entry)
        and (entry.host, entry.path, entry.query) == (asked.host, asked.path, asked.query)
        and not asked.has_fragment
        for entry in map(split_url, registered)
    )


def _is_loopback_redirect(parts: UrlParts) -> bool:
    return parts.scheme == "http" and parts.host in _LOOPBACK_LITERALS


def is_local(uri: str) -> bool:
    """Whether any program on the user's own machine may be behind this URL."""
    parts = split_url(uri)
    return parts is not None and (_is_loopback_address(parts.host) or _is_localhost(parts.host))


def _is_loopback_address(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def login_uri(value: Any, path: tuple[str, ...]) -> str:
    """OpenID Connect Registration §2: initiate_login_uri "MUST use the https scheme"; plain http
    is for this machine.
    """
    uri = web_url(value, path)
    if not (uri.startswith("https://") or is_local(uri)):
        raise DomainError(ErrorCode.INVALID, "Must be https, or http on this machine.", *path)
    return uri


def require_redirects_of(kind: ApplicationType, uris: Iterable[str], *, implicit: bool) -> None:
    """OpenID Connect Registration §2: what an application that nobody vouches for may register.

    A web application uses https, or http on this machine if no token passes through the browser;
    a native one its own scheme, loopback over http, or https (RFC 8252 §7).
    """
    for index, uri in enumerate(uris):
        path = ("redirect_uris", str(index))
        exact_uri(uri, path)
        plain, parts = uri.startswith("http://"), split_url(uri)
        if plain and not is_local(uri):
            raise DomainError(ErrorCode.INVALID, "Must be https.", *path)
        if kind is ApplicationType.NATIVE:
            continue
        if is_private_use(uri):
            raise DomainError(
                ErrorCode.INVALID, "Only a native application has a scheme of its own.", *path
            )
        # "MUST only register URLs using the https scheme … MUST NOT use localhost as the hostname".
        if implicit and (plain or parts is None or _is_localhost(parts.host)):
            raise DomainError(
                ErrorCode.INVALID, "The grant type implicit needs https, not at localhost.", *path
            )


def _is_localhost(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")


def require_protected(name: str, uris: Iterable[str]) -> None:
    """OpenID Connect Core §3.1.2.1, RP-Initiated Logout §3.1: http is for confidential
    applications, but for what listens on the person's own machine (RFC 9700 §2.6).
    """
    for index, uri in enumerate(uris):
        if uri.startswith("http://") and not is_local(uri):
            raise DomainError(
                ErrorCode.NOT_ALLOWED,
                "A public application uses https, or http on this machine.",
                name,
                str(index),
            )


def origin_of(uri: str) -> str | None:
    """The web origin of an http or https URL (RFC 6454 §4), default ports left out."""
    parts = split_url(uri)
    if parts is None or parts.scheme not in {"http", "https"}:
        return None
    default = 443 if parts.scheme == "https" else 80
    host = f"[{parts.host}]" if ":" in parts.host else parts.host
    port = f":{parts.port}" if parts.port and parts.port != default else ""
    return f"{parts.scheme}://{host}{port}"


def allowed_origins(
    redirect_uris: Iterable[str], allowed: Iterable[str], web_origins: Iterable[str] = ()
) -> frozenset[str]:
    """The origins whose scripts may read answers: the lists, and those of the callbacks."""
    origins = {origin_of(uri) for uri in (*redirect_uris, *allowed, *web_origins)}
    return frozenset(origin for origin in origins if origin)
