"""Custom claims as the schema shows them."""

from __future__ import annotations

from collections.abc import Mapping

import strawberry

from tenantry.core import facts as core
from tenantry.core.facts import ClaimSource, ClaimTarget
from tenantry.management.types.common import described, publish, setting

ABOUT: Mapping[str, str] = {
    "claim": (
        "The name in the token: an http or https URL by custom, or a letter with up to 99 "
        "letters, digits and the signs . _ : - that no standard gives a meaning."
    ),
    "source": "Where the value comes from.",
    "path": (
        "Which part of a metadata object: up to ten keys with a dot between two. Default null: "
        "the whole object. Lists have no path."
    ),
    "tokens": "What carries the claim: at least one.",
}
MAPPINGS_ABOUT = (
    "Custom claims, replaced as a whole: at most 20, each claim once for each kind of token. What "
    "has no value is left out, as is what would bring the custom claims of one token over 4096 "
    "bytes. An application's count before the tenant's of the same name. Default none."
)


@strawberry.type(description="A custom claim: where its value comes from, and what carries it.")
class ClaimMapping:
    claim: str = described(ABOUT, "claim")
    source: ClaimSource = described(ABOUT, "source")
    path: str | None = described(ABOUT, "path")
    tokens: list[ClaimTarget] = described(ABOUT, "tokens")

    @classmethod
    def of(cls, facts: core.ClaimMapping) -> ClaimMapping:
        return publish(cls, facts)


@strawberry.input(description="A custom claim: where its value comes from, and what carries it.")
class ClaimMappingInput:
    claim: str = described(ABOUT, "claim")
    source: ClaimSource = described(ABOUT, "source")
    path: str | None = setting(ABOUT, "path")
    tokens: list[ClaimTarget] = described(ABOUT, "tokens")

    def facts(self) -> core.ClaimMapping:
        return core.ClaimMapping(
            claim=self.claim,
            source=self.source,
            path=self.path or None,
            tokens=tuple(self.tokens),
        )
