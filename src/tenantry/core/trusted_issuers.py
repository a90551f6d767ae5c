"""Trusted issuers: others whose assertions about users count."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tenantry.core.stored import Stored


class TrustedSubject(StrEnum):
    USER_ID = "user_id"
    EMAIL = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedIssuerFacts(Stored):
    """Whose assertions about users count. `jwks` is the JSON text of public keys."""

    issuer: str
    jwks: str | None
    jwks_uri: str | None
    allowed_audiences: tuple[str, ...]
    subject: TrustedSubject
    connection: str | None
