"""Custom domains: registering, verifying, changing, removing, and their keys."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from tenantry.core.custom_domains import CustomDomainFacts, CustomDomainType
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.mutations.inputs import CHANGED, SENT, ExistingObject, given, patch
from tenantry.management.mutations.payloads import Payload, deleted_field, object_field
from tenantry.management.mutations.unit import Outcome, refused, run
from tenantry.management.types.common import described, setting
from tenantry.management.types.custom_domain import ABOUT, CustomDomain
from tenantry.outbound.dns import DnsUnavailable
from tenantry.services import custom_domains
from tenantry.services.custom_domains import DomainWithKey
from tenantry.store import custom_domains as stored

_KEY_ABOUT = (
    "What the tenant's own proxy sends in the header `cname-api-key` with each request. Shown now "
    "and never again; null if none was made."
)


@strawberry.input(description="A new custom domain, which is then to be verified.")
class CustomDomainCreateInput:
    domain: str = described(ABOUT, "domain")
    type: CustomDomainType = described(ABOUT, "type")
    custom_client_ip_header: str | None = setting(ABOUT, "custom_client_ip_header")
    domain_metadata: JSON | None = setting(ABOUT, "domain_metadata")


@strawberry.input(description="Changes of a custom domain.")
class CustomDomainUpdateInput(ExistingObject):
    custom_client_ip_header: str | None = setting(ABOUT, "custom_client_ip_header")
    domain_metadata: JSON | None = setting(ABOUT, "domain_metadata")


@strawberry.input(description="A custom domain to verify, for the first time or again.")
class CustomDomainVerifyInput(ExistingObject):
    pass


@strawberry.input(description="A custom domain whose edge key is replaced.")
class CustomDomainCnameApiKeyRotateInput(ExistingObject):
    pass


@strawberry.input(description="The public keys that a custom domain publishes, as a whole.")
class CustomDomainJwksSetInput(ExistingObject):
    jwks: JSON = described(ABOUT, "jwks")


@strawberry.input(description="A custom domain that publishes no keys but the tenant's.")
class CustomDomainJwksDeleteInput(ExistingObject):
    pass


@strawberry.input(description="A custom domain to remove.")
class CustomDomainDeleteInput(ExistingObject):
    pass


@strawberry.type(description="The answer to `customDomainCreate`.")
class CustomDomainCreatePayload(Payload):
    custom_domain: CustomDomain | None = object_field("custom domain")


@strawberry.type(description="The answer to `customDomainUpdate`.")
class CustomDomainUpdatePayload(Payload):
    custom_domain: CustomDomain | None = object_field("custom domain")


@strawberry.type(description="The answer to `customDomainVerify`.")
class CustomDomainVerifyPayload(Payload):
    custom_domain: CustomDomain | None = object_field("custom domain")
    cname_api_key: str | None = strawberry.field(
        description=f"{_KEY_ABOUT} The first verification makes one, with SELF_MANAGED_CERTS."
    )


@strawberry.type(description="The answer to `customDomainCnameApiKeyRotate`.")
class CustomDomainCnameApiKeyRotatePayload(Payload):
    custom_domain: CustomDomain | None = object_field("custom domain")
    cname_api_key: str | None = strawberry.field(description=_KEY_ABOUT)


@strawberry.type(description="The answer to `customDomainJwksSet`.")
class CustomDomainJwksSetPayload(Payload):
    custom_domain: CustomDomain | None = object_field("custom domain")


@strawberry.type(description="The answer to `customDomainJwksDelete`.")
class CustomDomainJwksDeletePayload(Payload):
    custom_domain: CustomDomain | None = object_field("custom domain")


@strawberry.type(description="The answer to `customDomainDelete`.")
class CustomDomainDeletePayload(Payload):
    deleted_id: strawberry.ID | None = deleted_field("custom domain")


def _published(info: Info, facts: CustomDomainFacts | None) -> CustomDomain | None:
    return CustomDomain.of(facts, info.context.tenant_id) if facts else None


def _local(info: Info, id: str) -> str:
    return local_id("CustomDomain", info.context.tenant_id, id)


async def _verify(info: Info, input: CustomDomainVerifyInput) -> Outcome[DomainWithKey]:
    """The DNS is asked before the unit of work, which waits for nothing."""
    command, context = patch(_local(info, input.id), input), info.context
    known: CustomDomainFacts | None = await context.read(stored.find, command.id)
    found: tuple[str, ...] = ()
    try:
        if known is not None:
            found = await context.runtime.txt_resolver.texts(known.verification_name)
    except DnsUnavailable:
        message = "The DNS did not say whether there is a TXT record: try again."
        return await run(
            info, DomainWithKey, refused, DomainError(ErrorCode.NOT_ALLOWED, message, "id")
        )
    return await run(info, DomainWithKey, custom_domains.verify, command, found)


@strawberry.type
class CustomDomainMutations:
    @field(
        "Registers a custom domain. It is served once `customDomainVerify` has found its TXT "
        "record.",
        "create:custom_domains",
    )
    async def custom_domain_create(
        self, info: Info, input: Annotated[CustomDomainCreateInput, SENT]
    ) -> CustomDomainCreatePayload | None:
        outcome = await run(
            info,
            CustomDomainFacts,
            custom_domains.create,
            info.context.runtime.addresses,
            given(input),
        )
        return CustomDomainCreatePayload(
            custom_domain=_published(info, outcome.value), errors=outcome.errors
        )

    @field("Changes a custom domain.", "update:custom_domains")
    async def custom_domain_update(
        self, info: Info, input: Annotated[CustomDomainUpdateInput, CHANGED]
    ) -> CustomDomainUpdatePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, CustomDomainFacts, custom_domains.update, command)
        return CustomDomainUpdatePayload(
            custom_domain=_published(info, outcome.value), errors=outcome.errors
        )

    @field(
        "Looks for the TXT record of a custom domain, and serves the domain from now on. If a "
        "ready domain is verified again and its record is gone, it is DISABLED at once.",
        "create:custom_domains",
        "update:custom_domains",
    )
    async def custom_domain_verify(
        self, info: Info, input: Annotated[CustomDomainVerifyInput, SENT]
    ) -> CustomDomainVerifyPayload | None:
        outcome = await _verify(info, input)
        made = outcome.value
        return CustomDomainVerifyPayload(
            custom_domain=_published(info, made.domain if made else None),
            cname_api_key=made.edge_key if made else None,
            errors=outcome.errors,
        )

    @field(
        "Makes a new edge key for a custom domain; the old one ends at once.",
        "update:custom_domains",
    )
    async def custom_domain_cname_api_key_rotate(
        self, info: Info, input: Annotated[CustomDomainCnameApiKeyRotateInput, SENT]
    ) -> CustomDomainCnameApiKeyRotatePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, DomainWithKey, custom_domains.rotate_edge_key, command)
        made = outcome.value
        return CustomDomainCnameApiKeyRotatePayload(
            custom_domain=_published(info, made.domain if made else None),
            cname_api_key=made.edge_key if made else None,
            errors=outcome.errors,
        )

    @field(
        "Publishes public keys of the tenant's own at a custom domain, in place of those before.",
        "update:custom_domains",
    )
    async def custom_domain_jwks_set(
        self, info: Info, input: Annotated[CustomDomainJwksSetInput, SENT]
    ) -> CustomDomainJwksSetPayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, CustomDomainFacts, custom_domains.set_keys, command)
        return CustomDomainJwksSetPayload(
            custom_domain=_published(info, outcome.value), errors=outcome.errors
        )

    @field("Publishes them no more.", "update:custom_domains")
    async def custom_domain_jwks_delete(
        self, info: Info, input: Annotated[CustomDomainJwksDeleteInput, SENT]
    ) -> CustomDomainJwksDeletePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, CustomDomainFacts, custom_domains.delete_keys, command)
        return CustomDomainJwksDeletePayload(
            custom_domain=_published(info, outcome.value), errors=outcome.errors
        )

    @field(
        "Removes a custom domain. Its requests are refused at once, and any tenant may verify it "
        "from now on.",
        "delete:custom_domains",
    )
    async def custom_domain_delete(
        self, info: Info, input: Annotated[CustomDomainDeleteInput, SENT]
    ) -> CustomDomainDeletePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, str, custom_domains.delete, command)
        return CustomDomainDeletePayload(
            deleted_id=input.id if outcome.value else None, errors=outcome.errors
        )
