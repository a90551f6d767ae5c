"""Credentials: uploading, changing when they end, removing, and enabling at an application."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from tenantry.core.credentials import CredentialFacts, CredentialType, CredentialUse
from tenantry.core.facts import ClientSigningAlgorithm, TokenEndpointAuthMethod
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.mutations.inputs import CHANGED, SENT, ExistingObject, given, patch
from tenantry.management.mutations.payloads import Payload, deleted_field, object_field
from tenantry.management.mutations.unit import Outcome, run
from tenantry.management.types.common import described, setting
from tenantry.management.types.credential import (
    ABOUT,
    CREDENTIALS_ABOUT,
    METHOD_ABOUT,
    REQUIRED_ABOUT,
    Credential,
)
from tenantry.services import credentials
from tenantry.services.commands import NewCredential, Values


@strawberry.input
class _Key:
    name: str = described(ABOUT, "name")
    credential_type: CredentialType | None = setting(ABOUT, "credential_type")
    pem: str | None = setting(ABOUT, "pem")
    jwk: JSON | None = setting(ABOUT, "jwk")
    subject_dn: str | None = setting(ABOUT, "subject_dn")
    alg: ClientSigningAlgorithm | None = setting(ABOUT, "alg")
    expires_at: datetime | None = setting(ABOUT, "expires_at")
    parse_expiry_from_cert: bool | None = setting(ABOUT, "parse_expiry_from_cert")


@strawberry.input(description="A credential of an application; it is not used until enabled.")
class CredentialCreateInput(_Key):
    client_id: str = described(ABOUT, "client_id")


@strawberry.input(description="When a credential expires; nothing else of it ever changes.")
class CredentialUpdateInput(ExistingObject):
    expires_at: datetime | None = setting(ABOUT, "expires_at")


@strawberry.input(description="A credential to delete, which no setting of its application names.")
class CredentialDeleteInput(ExistingObject):
    pass


@strawberry.type(description="The answer to `credentialCreate`.")
class CredentialCreatePayload(Payload):
    credential: Credential | None = object_field("credential")


@strawberry.type(description="The answer to `credentialUpdate`.")
class CredentialUpdatePayload(Payload):
    credential: Credential | None = object_field("credential")


@strawberry.type(description="The answer to `credentialDelete`.")
class CredentialDeletePayload(Payload):
    deleted_id: strawberry.ID | None = deleted_field("credential")


@strawberry.input(description="A credential that a new application begins with, enabled.")
class NewCredentialInput(_Key):
    pass


@strawberry.input(description="Keys that verify the assertions of a new application.")
class NewPrivateKeyJwtInput:
    credentials: list[NewCredentialInput] = strawberry.field(description=CREDENTIALS_ABOUT)


@strawberry.input(description="Subjects of the certificates of a new application.")
class NewTlsClientAuthInput:
    credentials: list[NewCredentialInput] = strawberry.field(description=CREDENTIALS_ABOUT)


@strawberry.input(description="Certificates of a new application.")
class NewSelfSignedTlsClientAuthInput:
    credentials: list[NewCredentialInput] = strawberry.field(description=CREDENTIALS_ABOUT)


@strawberry.input(
    one_of=True,
    description=(
        "How a new application proves who it is by credentials: exactly one way, which also sets "
        "`tokenEndpointAuthMethod`."
    ),
)
class NewClientAuthenticationMethodsInput:
    private_key_jwt: NewPrivateKeyJwtInput | None = setting(METHOD_ABOUT, "private_key_jwt")
    tls_client_auth: NewTlsClientAuthInput | None = setting(METHOD_ABOUT, "tls_client_auth")
    self_signed_tls_client_auth: NewSelfSignedTlsClientAuthInput | None = setting(
        METHOD_ABOUT, "self_signed_tls_client_auth"
    )


@strawberry.input(description="Signed authorization requests of a new application.")
class NewSignedRequestObjectInput:
    required: bool = strawberry.field(description=REQUIRED_ABOUT, default=False)
    credentials: list[NewCredentialInput] = strawberry.field(
        description=CREDENTIALS_ABOUT, default_factory=list
    )


@strawberry.input(description="Which credentials verify the assertions of an application.")
class PrivateKeyJwtInput:
    credentials: list[strawberry.ID] = strawberry.field(description=CREDENTIALS_ABOUT)


@strawberry.input(description="Which subjects the certificates of an application may have.")
class TlsClientAuthInput:
    credentials: list[strawberry.ID] = strawberry.field(description=CREDENTIALS_ABOUT)


@strawberry.input(description="Which certificates authenticate an application.")
class SelfSignedTlsClientAuthInput:
    credentials: list[strawberry.ID] = strawberry.field(description=CREDENTIALS_ABOUT)


@strawberry.input(
    one_of=True,
    description=(
        "How an application proves who it is by its credentials: exactly one way, which also sets "
        "`tokenEndpointAuthMethod`."
    ),
)
class ClientAuthenticationMethodsInput:
    private_key_jwt: PrivateKeyJwtInput | None = setting(METHOD_ABOUT, "private_key_jwt")
    tls_client_auth: TlsClientAuthInput | None = setting(METHOD_ABOUT, "tls_client_auth")
    self_signed_tls_client_auth: SelfSignedTlsClientAuthInput | None = setting(
        METHOD_ABOUT, "self_signed_tls_client_auth"
    )


@strawberry.input(description="Signed authorization requests of an application, set as a whole.")
class SignedRequestObjectInput:
    required: bool = strawberry.field(description=REQUIRED_ABOUT, default=False)
    credentials: list[strawberry.ID] = strawberry.field(
        description=CREDENTIALS_ABOUT, default_factory=list
    )


def enabled(input: Any, tenant_id: str) -> dict[str, Any]:
    """What an update of an application says of its credentials, as settings."""

    def ids(listed: list[strawberry.ID]) -> tuple[str, ...]:
        return tuple(local_id("Credential", tenant_id, id_) for id_ in listed)

    values = _method(input)
    methods, requests = input.client_authentication_methods, input.signed_request_object
    if methods is not strawberry.UNSET:
        listed = _chosen(methods)[1] if methods else []
        values[CredentialUse.CLIENT_AUTHENTICATION] = ids(listed)
    if requests is not strawberry.UNSET:
        values["require_signed_request_object"] = requests.required if requests else False
        values[CredentialUse.REQUEST_OBJECTS] = ids(requests.credentials if requests else [])
    return values


def first_keys(
    input: Any,
) -> tuple[dict[str, Any], dict[CredentialUse, tuple[Values, ...]]]:
    """What a new application begins with: settings, and keys by their use."""
    values, keys = _method(input), {}
    methods, requests = input.client_authentication_methods, input.signed_request_object
    if methods:
        keys[CredentialUse.CLIENT_AUTHENTICATION] = _chosen(methods)[1]
    if requests:
        values["require_signed_request_object"] = requests.required
        keys[CredentialUse.REQUEST_OBJECTS] = requests.credentials
    return values, {use: tuple(given(key) for key in listed) for use, listed in keys.items()}


def _chosen(methods: Any) -> tuple[TokenEndpointAuthMethod, list[Any]]:
    """The one method that an input names, and its credentials."""
    ((name, way),) = (
        (name, way)
        for name in METHOD_ABOUT
        if (way := getattr(methods, name)) is not strawberry.UNSET and way is not None
    )
    return TokenEndpointAuthMethod(name), way.credentials


def _method(input: Any) -> dict[str, Any]:
    """Naming credentials for it is choosing the method."""
    methods, stated = input.client_authentication_methods, input.token_endpoint_auth_method
    if methods and stated in {strawberry.UNSET, None}:
        return {"token_endpoint_auth_method": _chosen(methods)[0]}
    return {}


def _published(info: Info, outcome: Outcome[CredentialFacts]) -> Credential | None:
    return Credential.of(outcome.value, info.context.tenant_id) if outcome.value else None


def _local(info: Info, id: str) -> str:
    return local_id("Credential", info.context.tenant_id, id)


@strawberry.type
class CredentialMutations:
    @field(
        "Uploads a public key of an application; `applicationUpdate` enables it.",
        "create:credentials",
    )
    async def credential_create(
        self, info: Info, input: Annotated[CredentialCreateInput, SENT]
    ) -> CredentialCreatePayload | None:
        command = NewCredential(input.client_id, given(input, "client_id"))
        outcome = await run(info, CredentialFacts, credentials.create, command)
        return CredentialCreatePayload(credential=_published(info, outcome), errors=outcome.errors)

    @field(
        "Changes when a credential expires.",
        "update:credentials",
    )
    async def credential_update(
        self, info: Info, input: Annotated[CredentialUpdateInput, CHANGED]
    ) -> CredentialUpdatePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, CredentialFacts, credentials.update, command)
        return CredentialUpdatePayload(credential=_published(info, outcome), errors=outcome.errors)

    @field(
        "Deletes a credential for good. One that the application uses must be disabled before.",
        "delete:credentials",
    )
    async def credential_delete(
        self, info: Info, input: Annotated[CredentialDeleteInput, SENT]
    ) -> CredentialDeletePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, str, credentials.delete, command)
        return CredentialDeletePayload(
            deleted_id=input.id if outcome.value else None, errors=outcome.errors
        )
