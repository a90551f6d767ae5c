"""The explanation of a token request, as the schema shows it."""

from __future__ import annotations

import strawberry
from strawberry.scalars import JSON

from tenantry.management.types.claims_preview import DroppedClaim
from tenantry.management.types.common import publish
from tenantry.rules.authorization import Rule
from tenantry.rules.rule_descriptions import DESCRIPTIONS
from tenantry.services.explanations import Explanation


@strawberry.type(description="One rule that took part in a decision.")
class AuthorizationRule:
    name: str = strawberry.field(description="Its name, as in `client_grant`; it stays.")
    passed: bool = strawberry.field(
        description="Whether the request passed it. The last rule decides if it did not, but "
        "for offline access, which is only left out then."
    )
    setting: str = strawberry.field(
        description="What decided it, as in `Application.grantTypes`: the type and its field."
    )
    description: str = strawberry.field(description="What it asks for, in plain words.")

    @classmethod
    def of(cls, rule: Rule) -> AuthorizationRule:
        return publish(cls, rule, description=DESCRIPTIONS[rule.name])


@strawberry.type(description="Whether a token would be issued, why, and what it would say.")
class AuthorizationExplanation:
    issued: bool = strawberry.field(
        description="Whether a token would be issued, given that a person who is asked on a page "
        "signs in and allows it."
    )
    error: str | None = strawberry.field(
        description="The OAuth error of a refusal, as in `access_denied`; null if there is none."
    )
    error_description: str | None = strawberry.field(description="What the refusal means.")
    rules: list[AuthorizationRule] = strawberry.field(
        description="The rules that took part, in the order in which they were looked at."
    )
    audience: list[str] = strawberry.field(
        description="What the access token would be for; empty if there were none."
    )
    scopes: list[str] = strawberry.field(
        description="The scopes that would be granted, which may be fewer than were asked for."
    )
    consent_required: bool = strawberry.field(
        description="Whether a page would ask the user to allow it first. Until then a request "
        "that shows no page, with `prompt=none`, is refused."
    )
    consent_scopes: list[str] = strawberry.field(
        description="The scopes that a page would ask the user to allow; empty if none would."
    )
    access_token_lifetime: int | None = strawberry.field(
        description="In seconds; null if there were no access token. A token of an exchange "
        "ends with the token that it was made of, if that is sooner."
    )
    id_token_lifetime: int | None = strawberry.field(
        description="In seconds; null if there were no ID token."
    )
    refresh_token: bool = strawberry.field(
        description="Whether the answer would have a refresh token."
    )
    refresh_token_lifetime: int | None = strawberry.field(
        description="In seconds from the first of its family; null if there were none."
    )
    access_token: JSON | None = strawberry.field(
        description="Its claims without those of the moment: `iat`, `exp`, `jti`, `auth_time`, "
        "`acr`, and `act` of an exchange. Null if there were none, and for a user flow without "
        "a user."
    )
    id_token: JSON | None = strawberry.field(
        description="Its claims without those of the moment: `iat`, `exp`, `auth_time`, `sid`, "
        "`nonce`, `acr`, `amr`, `at_hash`, `c_hash` and `s_hash`. Null as above."
    )
    userinfo: JSON | None = strawberry.field(
        description="What userinfo would answer, but for `iss` and `aud` of a signed answer; null "
        "if the access token were not good for it."
    )
    dropped: list[DroppedClaim] = strawberry.field(
        description="The custom claims that would be left out of one of them."
    )

    @classmethod
    def of(cls, found: Explanation) -> AuthorizationExplanation:
        return publish(
            cls,
            found,
            rules=[AuthorizationRule.of(rule) for rule in found.rules],
            dropped=[publish(DroppedClaim, claim) for claim in found.dropped],
        )
