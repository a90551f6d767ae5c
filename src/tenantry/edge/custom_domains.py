"""Requests to a custom domain: what their edge proves, and what it may say."""

from __future__ import annotations

from collections.abc import Mapping

from tenantry.core.custom_domains import CustomDomainFacts
from tenantry.keys.vault import Vault
from tenantry.rules.custom_domains import EDGE_KEY_HEADER, named_client_ip
from tenantry.services.custom_domains import is_edge_key

# RFC 9728 §2: the management API is one resource, at the address that is its identifier.
CANONICAL_ONLY = frozenset({"/graphql", "/.well-known/oauth-protected-resource/graphql"})


def came_through_edge(
    vault: Vault, domain: CustomDomainFacts, headers: Mapping[bytes, bytes]
) -> bool:
    """Whether the request may be served: a tenant's own edge sends its key with each."""
    if not domain.is_behind_own_edge:
        return True
    presented = headers.get(EDGE_KEY_HEADER.encode(), b"").decode("latin-1")
    return is_edge_key(vault, domain, presented)


def client_ip_of(domain: CustomDomainFacts, headers: Mapping[bytes, bytes]) -> str | None:
    """The person's address by the word of an edge that has proven itself; None if it says none."""
    if domain.custom_client_ip_header is None:
        return None
    value = headers.get(domain.custom_client_ip_header.encode(), b"")
    return named_client_ip(value.decode("latin-1"))
