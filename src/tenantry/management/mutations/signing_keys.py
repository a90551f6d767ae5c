"""Signing keys: rotating and revoking."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.core.facts import SigningAlgorithm, SigningKeyFacts
from tenantry.keys.signing import PrivateKey
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.mutations.inputs import SENT
from tenantry.management.mutations.payloads import Payload
from tenantry.management.mutations.unit import Outcome, run
from tenantry.management.throttle import require_rotation_allowed
from tenantry.management.types.signing_key import SigningKey
from tenantry.services import encryption_keys, signing_keys
from tenantry.services.management_access import load_tenant

_Keys = tuple[SigningKeyFacts, ...]
_KEYS_ABOUT = (
    "The live keys and the last three that were revoked, as they are now; null if nothing was done."
)


@strawberry.input(description="How to rotate the signing keys.")
class SigningKeyRotateInput:
    revoke_previous: bool = strawberry.field(
        description=(
            "Whether the key that signed until now is revoked at once, so that its tokens fail, "
            "and not merely set aside as previous. Default false."
        ),
        default=False,
    )


@strawberry.input(description="Which signing keys to revoke: those that are set aside.")
class SigningKeyRevokePreviousInput:
    alg: SigningAlgorithm | None = strawberry.field(
        description="Only the previous key of this algorithm. Default null: of every algorithm.",
        default=None,
    )


@strawberry.type(description="The answer to `signingKeyRotate`.")
class SigningKeyRotatePayload(Payload):
    signing_keys: list[SigningKey] | None = strawberry.field(description=_KEYS_ABOUT)


@strawberry.type(description="The answer to `signingKeyRevokePrevious`.")
class SigningKeyRevokePreviousPayload(Payload):
    signing_keys: list[SigningKey] | None = strawberry.field(description=_KEYS_ABOUT)


def _published(
    info: Info, outcome: Outcome[tuple[SigningKeyFacts, ...]]
) -> list[SigningKey] | None:
    if outcome.value is None:
        return None
    return [SigningKey.of(key, info.context.tenant_id) for key in outcome.value]


async def _new_keys(
    info: Info,
) -> tuple[list[tuple[SigningAlgorithm, PrivateKey]], PrivateKey | None]:
    """A key for each algorithm of the tenant, made off the loop and outside the unit of work.

    And one for request objects, where these may be encrypted.
    """
    runtime = info.context.runtime
    tenant = await load_tenant(runtime, info.context.tenant_id)
    decrypts = tenant.request_object_encryption_supported
    return await runtime.store.in_thread(
        lambda: (
            [(alg, runtime.key_source(alg)) for alg in tenant.signing_algorithms],
            encryption_keys.new_key(runtime) if decrypts else None,
        )
    )


@strawberry.type
class SigningKeyMutations:
    @field(
        "Signs with the next key from now on, sets the current one aside and makes a new next "
        "one, for every algorithm. A key that was set aside before is revoked. The key that "
        "request objects are encrypted to changes with them. The limit of how "
        "often is far lower than any other: past it the error is THROTTLED, with `retryAfter` in "
        "seconds.",
        "update:signing_keys",
    )
    async def signing_key_rotate(
        self, info: Info, input: Annotated[SigningKeyRotateInput, SENT]
    ) -> SigningKeyRotatePayload | None:
        await require_rotation_allowed(info.context)
        following = await _new_keys(info)
        outcome = await run(
            info, _Keys, signing_keys.rotate, *following, revoke=input.revoke_previous
        )
        return SigningKeyRotatePayload(
            signing_keys=_published(info, outcome), errors=outcome.errors
        )

    @field(
        "Revokes the keys that were set aside; their tokens fail from now on.",
        "update:signing_keys",
        "delete:signing_keys",
    )
    async def signing_key_revoke_previous(
        self, info: Info, input: Annotated[SigningKeyRevokePreviousInput, SENT]
    ) -> SigningKeyRevokePreviousPayload | None:
        outcome = await run(info, _Keys, signing_keys.revoke_previous, input.alg)
        return SigningKeyRevokePreviousPayload(
            signing_keys=_published(info, outcome), errors=outcome.errors
        )
