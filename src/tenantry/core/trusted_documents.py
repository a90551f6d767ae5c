"""What is known of trusted documents."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from tenantry.core.facts import Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedDocumentFacts(Stored):
    """A GraphQL document that may be run by its digest, SHA-256 in hexadecimal."""

    name: str
    digest: str
    document: str


def document_digest(document: str) -> str:
    return hashlib.sha256(document.encode()).hexdigest()
