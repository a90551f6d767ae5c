"""What tokens would say, as the schema shows it."""

from __future__ import annotations

import strawberry
from strawberry.scalars import JSON

from tenantry.management.types.common import publish
from tenantry.services.claims_preview import PreviewedClaims


@strawberry.type(description="A custom claim that was left out.")
class DroppedClaim:
    claim: str = strawberry.field(description="Its name.")
    reason: str = strawberry.field(description="Why it was left out.")


@strawberry.type(description="What the tokens of a user would say, or why there would be none.")
class ClaimsPreview:
    access_token: JSON | None = strawberry.field(
        description="The claims of the access token; null if it were refused."
    )
    id_token: JSON | None = strawberry.field(
        description=(
            "The claims of the ID token without those of the sign-in itself, such as `sid`, "
            "`nonce` and `at_hash`; null without the scope `openid`."
        )
    )
    userinfo: JSON | None = strawberry.field(
        description=("What userinfo would answer; null if the access token were not good for it.")
    )
    dropped: list[DroppedClaim] = strawberry.field(
        description="The custom claims that were left out of one of them."
    )
    error: str | None = strawberry.field(
        description="The OAuth error of a refusal, as in `access_denied`; null if there is none."
    )
    error_description: str | None = strawberry.field(description="What the refusal means.")

    @classmethod
    def of(cls, found: PreviewedClaims) -> ClaimsPreview:
        dropped = [publish(DroppedClaim, claim) for claim in found.dropped]
        return publish(cls, found, dropped=dropped)
