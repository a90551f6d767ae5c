"""Trusted issuers: registering, changing, removing."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from tenantry.core.facts import TrustedIssuerFacts, TrustedSubject
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.mutations.inputs import CHANGED, SENT, ExistingObject, given, patch
from tenantry.management.mutations.payloads import Payload, deleted_field, object_field
from tenantry.management.mutations.unit import Outcome, run
from tenantry.management.types.common import described, setting
from tenantry.management.types.trusted_issuer import ABOUT, TrustedIssuer
from tenantry.services import trusted_issuers


@strawberry.input
class _Settings:
    jwks: JSON | None = setting(ABOUT, "jwks")
    jwks_uri: str | None = setting(ABOUT, "jwks_uri")
    allowed_audiences: list[str] | None = setting(ABOUT, "allowed_audiences")
    subject: TrustedSubject | None = setting(ABOUT, "subject")
    connection: str | None = setting(ABOUT, "connection")


@strawberry.input(description="A new trusted issuer.")
class TrustedIssuerCreateInput(_Settings):
    issuer: str = described(ABOUT, "issuer")


@strawberry.input(description="Changes of a trusted issuer. Lists are replaced as a whole.")
class TrustedIssuerUpdateInput(_Settings, ExistingObject):
    pass


@strawberry.input(description="An issuer to trust no more.")
class TrustedIssuerDeleteInput(ExistingObject):
    pass


@strawberry.type(description="The answer to `trustedIssuerCreate`.")
class TrustedIssuerCreatePayload(Payload):
    trusted_issuer: TrustedIssuer | None = object_field("trusted issuer")


@strawberry.type(description="The answer to `trustedIssuerUpdate`.")
class TrustedIssuerUpdatePayload(Payload):
    trusted_issuer: TrustedIssuer | None = object_field("trusted issuer")


@strawberry.type(description="The answer to `trustedIssuerDelete`.")
class TrustedIssuerDeletePayload(Payload):
    deleted_id: strawberry.ID | None = deleted_field("trusted issuer")


def _published(info: Info, outcome: Outcome[TrustedIssuerFacts]) -> TrustedIssuer | None:
    return TrustedIssuer.of(outcome.value, info.context.tenant_id) if outcome.value else None


def _local(info: Info, id: str) -> str:
    return local_id("TrustedIssuer", info.context.tenant_id, id)


@strawberry.type
class TrustedIssuerMutations:
    @field(
        "Registers an issuer whose assertions applications may trade for tokens.",
        "update:tenant_settings",
    )
    async def trusted_issuer_create(
        self, info: Info, input: Annotated[TrustedIssuerCreateInput, SENT]
    ) -> TrustedIssuerCreatePayload | None:
        outcome = await run(info, TrustedIssuerFacts, trusted_issuers.create, given(input))
        return TrustedIssuerCreatePayload(
            trusted_issuer=_published(info, outcome), errors=outcome.errors
        )

    @field(
        "Changes a trusted issuer.",
        "update:tenant_settings",
    )
    async def trusted_issuer_update(
        self, info: Info, input: Annotated[TrustedIssuerUpdateInput, CHANGED]
    ) -> TrustedIssuerUpdatePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, TrustedIssuerFacts, trusted_issuers.update, command)
        return TrustedIssuerUpdatePayload(
            trusted_issuer=_published(info, outcome), errors=outcome.errors
        )

    @field(
        "Trusts an issuer no more. Tokens that it led to live on.",
        "update:tenant_settings",
    )
    async def trusted_issuer_delete(
        self, info: Info, input: Annotated[TrustedIssuerDeleteInput, SENT]
    ) -> TrustedIssuerDeletePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, str, trusted_issuers.delete, command)
        return TrustedIssuerDeletePayload(
            deleted_id=input.id if outcome.value else None, errors=outcome.errors
        )
