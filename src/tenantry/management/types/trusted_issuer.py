"""Trusted issuers as the schema shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import strawberry
from strawberry.scalars import JSON

from tenantry.core.facts import TrustedIssuerFacts, TrustedSubject
from tenantry.management.ids import global_id
from tenantry.management.types.common import StoredObject, described, publish

ABOUT: Mapping[str, str] = {
    "issuer": "The `iss` of its assertions, compared exactly. 1 to 600 characters; never changes.",
    "jwks": (
        "Its public keys, as a JSON Web Key Set (RFC 7517 §5). Private and symmetric keys are "
        "refused. Either this or `jwksUri`. Default null."
    ),
    "jwks_uri": "The https address of its public keys. Either this or `jwks`. Default null.",
    "allowed_audiences": (
        "The identifiers of the APIs that its assertions give tokens for, at most 100. Default "
        "none."
    ),
    "subject": "What the `sub` of its assertions means. Default `USER_ID`.",
    "connection": (
        "The name of the connection whose users its emails name; needed with `EMAIL`, else null."
    ),
}


@strawberry.type(
    description="Somebody whose signed assertions about users are traded for tokens (RFC 7523)."
)
class TrustedIssuer(StoredObject):
    issuer: str = described(ABOUT, "issuer")
    jwks: JSON | None = described(ABOUT, "jwks")
    jwks_uri: str | None = described(ABOUT, "jwks_uri")
    allowed_audiences: list[str] = described(ABOUT, "allowed_audiences")
    subject: TrustedSubject = described(ABOUT, "subject")
    connection: str | None = described(ABOUT, "connection")

    @classmethod
    def of(cls, facts: TrustedIssuerFacts, tenant_id: str) -> TrustedIssuer:
        jwks = json.loads(facts.jwks) if facts.jwks is not None else None
        id_ = global_id("TrustedIssuer", tenant_id, facts.id)
        return publish(cls, facts, id=id_, jwks=jwks)
