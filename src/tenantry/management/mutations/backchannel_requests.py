"""Answers of people who were asked in an app of the tenant's own, and what goes with it."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.core.backchannel import BackchannelRequestFacts
from tenantry.core.facts import UserFacts
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.mutations.inputs import SENT, ExistingObject, patch, sent
from tenantry.management.mutations.payloads import Payload, object_field
from tenantry.management.mutations.unit import Outcome, run
from tenantry.management.types.backchannel_request import BackchannelRequest
from tenantry.management.types.tenant import Tenant
from tenantry.management.types.user import User
from tenantry.services import backchannel_requests, push_service, user_codes
from tenantry.services.commands import Patch
from tenantry.services.push_service import TenantWithSecret


@strawberry.input(description="A request that its user has approved.")
class BackchannelRequestApproveInput:
    id: strawberry.ID = strawberry.field(description="The id of the request.")
    amr: list[str] | None = strawberry.field(
        description=(
            "How the user signed in to the app, for `amr` and `acr` in the ID token: names of "
            "RFC 8176, such as `pwd`. Default none."
        ),
        default=strawberry.UNSET,
    )


@strawberry.input(description="A request that its user has refused.")
class BackchannelRequestDenyInput:
    id: strawberry.ID = strawberry.field(description="The id of the request.")


@strawberry.input(description="The tenant whose push service gets a new secret.")
class TenantPushSecretRotateInput:
    expected_revision: int | None = strawberry.field(
        description="The revision that the tenant is expected to have; another one is a CONFLICT.",
        default=strawberry.UNSET,
    )


@strawberry.input(description="A user and the new code.")
class UserCodeSetInput(ExistingObject):
    user_code: str | None = strawberry.field(
        description="4 to 64 visible ASCII characters, or null for none.",
    )


@strawberry.type(description="The answer to `backchannelRequestApprove`.")
class BackchannelRequestApprovePayload(Payload):
    backchannel_request: BackchannelRequest | None = object_field("backchannel request")


@strawberry.type(description="The answer to `backchannelRequestDeny`.")
class BackchannelRequestDenyPayload(Payload):
    backchannel_request: BackchannelRequest | None = object_field("backchannel request")


@strawberry.type(description="The answer to `tenantPushSecretRotate`.")
class TenantPushSecretRotatePayload(Payload):
    tenant: Tenant | None = object_field("tenant")
    secret: str | None = strawberry.field(
        description=(
            "The new secret, shown this once, in the form that libraries for Standard Webhooks "
            "take."
        )
    )


@strawberry.type(description="The answer to `userCodeSet`.")
class UserCodeSetPayload(Payload):
    user: User | None = object_field("user")


def _published(info: Info, outcome: Outcome[BackchannelRequestFacts]) -> BackchannelRequest | None:
    facts = outcome.value
    return BackchannelRequest.of(facts, info.context.tenant_id) if facts else None


def _command(info: Info, id: str) -> Patch:
    return Patch(local_id("BackchannelRequest", info.context.tenant_id, id))


@strawberry.type
class BackchannelMutations:
    @field(
        "Answers a request for its user, who approved it in an app of the tenant's own: the app "
        "must have made sure that it is the user who answers.",
        "update:backchannel_requests",
    )
    async def backchannel_request_approve(
        self, info: Info, input: Annotated[BackchannelRequestApproveInput, SENT]
    ) -> BackchannelRequestApprovePayload | None:
        outcome = await run(
            info,
            BackchannelRequestFacts,
            backchannel_requests.answer_approved,
            info.context.runtime.addresses,
            _command(info, input.id),
            sent(input.amr) or (),
        )
        return BackchannelRequestApprovePayload(
            backchannel_request=_published(info, outcome), errors=outcome.errors
        )

    @field(
        "Answers a request for its user, who refused it in an app of the tenant's own.",
        "update:backchannel_requests",
    )
    async def backchannel_request_deny(
        self, info: Info, input: Annotated[BackchannelRequestDenyInput, SENT]
    ) -> BackchannelRequestDenyPayload | None:
        outcome = await run(
            info,
            BackchannelRequestFacts,
            backchannel_requests.answer_denied,
            _command(info, input.id),
        )
        return BackchannelRequestDenyPayload(
            backchannel_request=_published(info, outcome), errors=outcome.errors
        )

    @field(
        "Signs what the tenant's push service is sent with a new secret from now on, shown once. "
        "Without a secret nothing is sent.",
        "update:tenant_settings",
    )
    async def tenant_push_secret_rotate(
        self, info: Info, input: Annotated[TenantPushSecretRotateInput, SENT]
    ) -> TenantPushSecretRotatePayload | None:
        command = Patch(info.context.tenant_id, {}, sent(input.expected_revision))
        outcome = await run(info, TenantWithSecret, push_service.rotate_secret, command)
        made, addresses = outcome.value, info.context.runtime.addresses
        return TenantPushSecretRotatePayload(
            tenant=Tenant.of(made.tenant, addresses) if made else None,
            secret=made.secret if made else None,
            errors=outcome.errors,
        )

    @field(
        "Sets the code that applications must know to ask the user by CIBA, where their "
        "`backchannelUserCodeParameter` says so. It is never shown.",
        "update:users",
    )
    async def user_code_set(
        self, info: Info, input: Annotated[UserCodeSetInput, SENT]
    ) -> UserCodeSetPayload | None:
        command = patch(local_id("User", info.context.tenant_id, input.id), input, "user_code")
        outcome = await run(info, UserFacts, user_codes.set_code, command, input.user_code)
        user = User.of(outcome.value, info.context.tenant_id) if outcome.value else None
        return UserCodeSetPayload(user=user, errors=outcome.errors)
