"""OpenID Connect Core §8: how a user is named to an application.

Law: a sector is one host, and only applications whose redirect URIs it has or lists belong to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import (
    ApplicationFacts,
    GrantType,
    SubjectIdentifierType,
    TokenEndpointAuthMethod,
)
from tenantry.rules.fields import split_url


def sector_of(application: ApplicationFacts) -> str | None:
    """Who shares pairwise names with the application; None where its users have public ones."""
    if application.subject_type is SubjectIdentifierType.PUBLIC:
        return None
    redirect_uri = next(iter(application.redirect_uris), None)
    return _host(application.sector_identifier_uri or redirect_uri or application.jwks_uri or "")


def require_sector(values: Mapping[str, Any]) -> None:
    """§8.1: the sector is the host of the `sector_identifier_uri`, else of every redirect URI."""
    if values["subject_type"] is not SubjectIdentifierType.PAIRWISE:
        return
    if values["sector_identifier_uri"] is not None:
        return
    redirect_uris = values["redirect_uris"]
    if not redirect_uris and _proves_keys_of_its_host(values):
        return
    hosts = {_host(uri) for uri in redirect_uris}
    if not redirect_uris or "" in hosts or len(hosts) > 1:
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "Pairwise subjects need redirect URIs of one host, a sector_identifier_uri or, with "
            "CIBA alone, a jwks_uri whose keys the application proves.",
            "redirect_uris",
        )


def _proves_keys_of_its_host(values: Mapping[str, Any]) -> bool:
    """CIBA Core §4: "the jwks_uri is used in place of the redirect_uri", if its keys are used."""
    proves = values["token_endpoint_auth_method"] in {
        TokenEndpointAuthMethod.PRIVATE_KEY_JWT,
        TokenEndpointAuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH,
    }
    proves |= values["backchannel_authentication_request_signing_alg"] is not None
    return proves and GrantType.CIBA in values["grant_types"] and values["jwks_uri"] is not None


@dataclass(frozen=True, slots=True)
class SectorDocument:
    """What was fetched from a `sector_identifier_uri`."""

    uri: str
    listed: frozenset[str]


def read_sector_document(uri: str, text: str | None) -> SectorDocument | None:
    """Registration §5: "a file with a single JSON array of redirect_uri values"."""
    try:
        value = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        return None
    return SectorDocument(uri, frozenset(value))


def members_of(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The addresses of an application that the document of its sector lists.

    CIBA Core §4: the `jwks_uri` where there are no redirect URIs.
    """
    redirect_uris = tuple(values.get("redirect_uris") or ())
    asks_elsewhere = GrantType.CIBA in (values.get("grant_types") or ())
    jwks_uri = values.get("jwks_uri")
    return redirect_uris or ((jwks_uri,) if asks_elsewhere and jwks_uri else ())


def require_listed(
    before: Mapping[str, Any], values: Mapping[str, Any], document: SectorDocument | None
) -> None:
    """Registration §5: "The values of the registered redirect_uris MUST be included"."""
    uri, members = values["sector_identifier_uri"], members_of(values)
    unchanged = before.get("sector_identifier_uri") == uri and members_of(before) == members
    if uri is None or unchanged:
        return
    if document is None or document.uri != uri:
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "It could not be fetched, or is not a JSON array of URLs.",
            "sector_identifier_uri",
        )
    if not document.listed.issuperset(members):
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "Its document does not list every redirect URI, or without them the jwksUri.",
            "sector_identifier_uri",
        )


def _host(uri: str) -> str:
    parts = split_url(uri)
    return parts.host if parts and parts.scheme in {"http", "https"} else ""
