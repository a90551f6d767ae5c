"""OpenID Connect Core §8: how a user is named to an application.

Law: a sector is one host, and only applications of that host belong to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ApplicationFacts, SubjectIdentifierType
from tenantry.rules.fields import split_url


def sector_of(application: ApplicationFacts) -> str | None:
    """Who shares pairwise names with the application; None where its users have public ones."""
    if application.subject_type is SubjectIdentifierType.PUBLIC:
        return None
    return _host(application.sector_identifier_uri or application.redirect_uris[0])


def require_sector(values: Mapping[str, Any]) -> None:
    """§8.1: the sector is one host, which every redirect URI shares."""
    sector_uri = values["sector_identifier_uri"]
    if sector_uri is not None and not sector_uri.startswith("https://"):
        raise DomainError(ErrorCode.INVALID, "Must be an https URL.", "sector_identifier_uri")
    if values["subject_type"] is not SubjectIdentifierType.PAIRWISE:
        return
    redirect_uris = values["redirect_uris"]
    hosts = {_host(uri) for uri in redirect_uris}
    if not redirect_uris or "" in hosts or len(hosts) > 1:
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "Pairwise subjects need redirect URIs of one host.",
            "redirect_uris",
        )
    if sector_uri is not None and _host(sector_uri) not in hosts:
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "The redirect URIs have another host.",
            "sector_identifier_uri",
        )


def _host(uri: str) -> str:
    parts = split_url(uri)
    return parts.host if parts and parts.scheme in {"http", "https"} else ""
