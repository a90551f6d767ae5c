"""`{custom_domain.metadata.KEY}` in an application's URLs: what the request's domain says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from tenantry.core.custom_domains import CustomDomainFacts
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ApplicationFacts
from tenantry.rules.fields import MAX_URL, Check, clean_text
from tenantry.rules.redirect_uris import ORGANIZATION

_BEGINNING = "{custom_domain."
_PLACEHOLDER = re.compile(r"\{custom_domain\.metadata\.((?:public_|PUBLIC_)[A-Za-z0-9_-]{1,248})\}")
_HOST = re.compile(r"(https?)://([^/?#]*)")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# What a value may be: labels of a host. No port, no path, nothing that ends the host.
_LABELS = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_MAX_HOST = 253
LISTS = ("redirect_uris", "post_logout_redirect_uris", "web_origins", "allowed_origins")
"""The settings in which the placeholder may stand."""


def is_placed(url: str) -> bool:
    return _BEGINNING in url


def placed(check: Check) -> Check:
    """The check of a URL in whose host the placeholder may stand."""

    def with_placeholder(value: Any, path: tuple[str, ...]) -> str:
        if not isinstance(value, str) or not is_placed(value):
            return str(check(value, path))
        url = clean_text(value, path, MAX_URL, 1)
        _check_placeholder(url, path)
        checked = str(check(_PLACEHOLDER.sub("x.x", url), path))
        return url if checked.endswith("/") or not url.endswith("/") else url.rstrip("/")

    return with_placeholder


def _check_placeholder(url: str, path: tuple[str, ...]) -> None:
    beginning = _HOST.match(url)
    if beginning is None:
        raise DomainError(
            ErrorCode.INVALID,
            "{custom_domain.metadata.KEY} needs an absolute http or https URL.",
            *path,
        )
    if "*" in url:
        raise DomainError(
            ErrorCode.INVALID, "{custom_domain.metadata.KEY} does not go with a *.", *path
        )
    host = beginning[2]
    inside = len(_PLACEHOLDER.findall(host))
    if inside != url.count(_BEGINNING):
        raise DomainError(
            ErrorCode.INVALID,
            "{custom_domain.metadata.KEY} stands in the host, and its KEY begins with public_ or "
            "PUBLIC_.",
            *path,
        )
    around = _PLACEHOLDER.sub("", host).replace(ORGANIZATION, "")
    if around != around.lower() or not _LABELS.fullmatch(
        _PLACEHOLDER.sub("x", host).replace(ORGANIZATION, "x").partition(":")[0]
    ):
        raise DomainError(
            ErrorCode.INVALID, "Around the placeholder is no host name in lower case.", *path
        )


def require_first_party(values: Mapping[str, Any]) -> None:
    """Whoever is not trusted with the tenant's own pages has exact URLs only."""
    if values["is_first_party"]:
        return
    for name in LISTS:
        for index, url in enumerate(values[name]):
            if is_placed(url):
                raise DomainError(
                    ErrorCode.NOT_ALLOWED,
                    "Only a first-party application has {custom_domain.metadata.KEY} in its URLs.",
                    name,
                    str(index),
                )


def at_domain(application: ApplicationFacts, domain: CustomDomainFacts | None) -> ApplicationFacts:
    """The application as it is for requests to `domain`, which is None at the canonical address."""
    lists: dict[str, Any] = {
        name: urls_at(urls, domain if application.is_first_party else None)
        for name in LISTS
        if any(map(is_placed, urls := getattr(application, name)))
    }
    return replace(application, **lists) if lists else application


def urls_at(urls: Iterable[str], domain: CustomDomainFacts | None) -> tuple[str, ...]:
    """The URLs with what the domain's metadata say; one without its value is left out."""
    metadata: Mapping[str, object] = domain.domain_metadata if domain else {}
    found = (_filled(url, metadata) if is_placed(url) else url for url in urls)
    return tuple(url for url in found if url is not None)


def _filled(url: str, metadata: Mapping[str, object]) -> str | None:
    values = {key: metadata.get(key) for key in _PLACEHOLDER.findall(url)}
    if not values or not all(map(_is_label, values.values())):
        return None
    filled = _PLACEHOLDER.sub(lambda match: str(values[match[1]]), url)
    beginning = _HOST.match(filled)
    if is_placed(filled) or beginning is None:
        return None
    host = beginning[2].partition(":")[0]
    whole = host.replace(ORGANIZATION, "x")
    if len(whole) > _MAX_HOST or not _LABELS.fullmatch(whole):
        return None
    # The name of an organization is never put directly under a top-level domain.
    return None if ORGANIZATION in host and host.count(".") < 2 else filled


def _is_label(value: object) -> bool:
    return isinstance(value, str) and _LABELS.fullmatch(value) is not None
