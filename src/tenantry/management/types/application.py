"""Applications as the schema shows them."""

from __future__ import annotations

import json
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from tenantry.core.backchannel import BackchannelTokenDeliveryMode, NotificationChannel
from tenantry.core.compliance import ComplianceLevel
from tenantry.core.credentials import CredentialUse
from tenantry.core.facts import (
    ApplicationFacts,
    ApplicationType,
    ClientSigningAlgorithm,
    GrantType,
    ResponseTypeName,
    SigningAlgorithm,
    SubjectIdentifierType,
    TokenEndpointAuthMethod,
)
from tenantry.core.organizations import OrganizationRequireBehavior, OrganizationUsage
from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import global_id
from tenantry.management.orders import ClientGrantOrder, ConnectionOrder, CredentialOrder
from tenantry.management.types.application_settings import ABOUT
from tenantry.management.types.claim_mapping import ClaimMapping
from tenantry.management.types.client_grant import ClientGrant
from tenantry.management.types.common import StoredObject, described, publish
from tenantry.management.types.connection import Connection
from tenantry.management.types.credential import (
    METHODS_ABOUT,
    REQUESTS_ABOUT,
    ClientAuthenticationMethods,
    Credential,
    SignedRequestObject,
    enabled_for,
)
from tenantry.management.types.message_encryption import (
    ContentEncryptionAlgorithm,
    MessageEncryptionAlgorithm,
)
from tenantry.management.types.readiness import (
    DISMISSED,
    PASSED,
    ReadinessCheck,
    readiness_of,
)


@strawberry.type(description="An OAuth client: a program that asks for tokens.")
class Application(StoredObject):
    client_id: str = described(ABOUT, "client_id")
    external_id: str = described(ABOUT, "external_id")
    name: str = described(ABOUT, "name")
    description: str = described(ABOUT, "description")
    application_type: ApplicationType = described(ABOUT, "application_type")
    token_endpoint_auth_method: TokenEndpointAuthMethod = described(
        ABOUT, "token_endpoint_auth_method"
    )
    grant_types: list[GrantType] = described(ABOUT, "grant_types")
    response_types: list[ResponseTypeName] = described(ABOUT, "response_types")
    scope: str | None = described(ABOUT, "scope")
    redirect_uris: list[str] = described(ABOUT, "redirect_uris")
    post_logout_redirect_uris: list[str] = described(ABOUT, "post_logout_redirect_uris")
    web_origins: list[str] = described(ABOUT, "web_origins")
    allowed_origins: list[str] = described(ABOUT, "allowed_origins")
    initiate_login_uri: str | None = described(ABOUT, "initiate_login_uri")
    is_token_endpoint_ip_header_trusted: bool = described(
        ABOUT, "is_token_endpoint_ip_header_trusted"
    )
    contacts: list[str] = described(ABOUT, "contacts")
    client_uri: str | None = described(ABOUT, "client_uri")
    software_id: str | None = described(ABOUT, "software_id")
    software_version: str | None = described(ABOUT, "software_version")
    android_app_package_name: str | None = described(ABOUT, "android_app_package_name")
    android_sha256_cert_fingerprints: list[str] = described(
        ABOUT, "android_sha256_cert_fingerprints"
    )
    ios_team_id: str | None = described(ABOUT, "ios_team_id")
    ios_app_bundle_identifier: str | None = described(ABOUT, "ios_app_bundle_identifier")
    logo_uri: str | None = described(ABOUT, "logo_uri")
    policy_uri: str | None = described(ABOUT, "policy_uri")
    tos_uri: str | None = described(ABOUT, "tos_uri")
    backchannel_logout_uri: str | None = described(ABOUT, "backchannel_logout_uri")
    backchannel_logout_session_required: bool = described(
        ABOUT, "backchannel_logout_session_required"
    )
    frontchannel_logout_uri: str | None = described(ABOUT, "frontchannel_logout_uri")
    frontchannel_logout_session_required: bool = described(
        ABOUT, "frontchannel_logout_session_required"
    )
    async_approval_notification_channels: list[NotificationChannel] = described(
        ABOUT, "async_approval_notification_channels"
    )
    backchannel_token_delivery_mode: BackchannelTokenDeliveryMode = described(
        ABOUT, "backchannel_token_delivery_mode"
    )
    backchannel_client_notification_endpoint: str | None = described(
        ABOUT, "backchannel_client_notification_endpoint"
    )
    backchannel_authentication_request_signing_alg: ClientSigningAlgorithm | None = described(
        ABOUT, "backchannel_authentication_request_signing_alg"
    )
    backchannel_user_code_parameter: bool = described(ABOUT, "backchannel_user_code_parameter")
    logout_confirmation: bool | None = described(ABOUT, "logout_confirmation")
    application_metadata: JSON = described(ABOUT, "application_metadata")
    claim_mappings: list[ClaimMapping] = described(ABOUT, "claim_mappings")
    is_first_party: bool = described(ABOUT, "is_first_party")
    oidc_conformant: bool = described(ABOUT, "oidc_conformant")
    compliance_level: ComplianceLevel | None = described(ABOUT, "compliance_level")
    require_pkce: bool = described(ABOUT, "require_pkce")
    dpop_bound_access_tokens: bool = described(ABOUT, "dpop_bound_access_tokens")
    organization_usage: OrganizationUsage = described(ABOUT, "organization_usage")
    organization_require_behavior: OrganizationRequireBehavior = described(
        ABOUT, "organization_require_behavior"
    )
    token_exchange_audiences: list[str] = described(ABOUT, "token_exchange_audiences")
    id_token_lifetime: int = described(ABOUT, "id_token_lifetime")
    refresh_token_rotation: bool = described(ABOUT, "refresh_token_rotation")
    refresh_token_overlap: int = described(ABOUT, "refresh_token_overlap")
    refresh_token_lifetime: int = described(ABOUT, "refresh_token_lifetime")
    refresh_token_idle_lifetime: int = described(ABOUT, "refresh_token_idle_lifetime")
    id_token_signed_response_alg: SigningAlgorithm = described(
        ABOUT, "id_token_signed_response_alg"
    )
    jwks: JSON | None = described(ABOUT, "jwks")
    jwks_uri: str | None = described(ABOUT, "jwks_uri")
    token_endpoint_auth_signing_alg: ClientSigningAlgorithm | None = described(
        ABOUT, "token_endpoint_auth_signing_alg"
    )
    tls_client_certificate_bound_access_tokens: bool = described(
        ABOUT, "tls_client_certificate_bound_access_tokens"
    )
    tls_client_auth_subject_dn: str | None = described(ABOUT, "tls_client_auth_subject_dn")
    tls_client_auth_san_dns: str | None = described(ABOUT, "tls_client_auth_san_dns")
    tls_client_auth_san_uri: str | None = described(ABOUT, "tls_client_auth_san_uri")
    tls_client_auth_san_ip: str | None = described(ABOUT, "tls_client_auth_san_ip")
    tls_client_auth_san_email: str | None = described(ABOUT, "tls_client_auth_san_email")
    request_object_signing_alg: ClientSigningAlgorithm | None = described(
        ABOUT, "request_object_signing_alg"
    )
    request_object_lifetime: int | None = described(ABOUT, "request_object_lifetime")
    require_pushed_authorization_requests: bool = described(
        ABOUT, "require_pushed_authorization_requests"
    )
    pushed_authorization_request_lifetime: int | None = described(
        ABOUT, "pushed_authorization_request_lifetime"
    )
    authorization_details_types: list[str] = described(ABOUT, "authorization_details_types")
    request_uris: list[str] = described(ABOUT, "request_uris")
    userinfo_signed_response_alg: SigningAlgorithm | None = described(
        ABOUT, "userinfo_signed_response_alg"
    )
    authorization_signed_response_alg: SigningAlgorithm = described(
        ABOUT, "authorization_signed_response_alg"
    )
    authorization_encrypted_response_alg: MessageEncryptionAlgorithm | None = described(
        ABOUT, "authorization_encrypted_response_alg"
    )
    authorization_encrypted_response_enc: ContentEncryptionAlgorithm | None = described(
        ABOUT, "authorization_encrypted_response_enc"
    )
    default_max_age: int | None = described(ABOUT, "default_max_age")
    require_auth_time: bool = described(ABOUT, "require_auth_time")
    default_acr_values: list[str] = described(ABOUT, "default_acr_values")
    subject_type: SubjectIdentifierType = described(ABOUT, "subject_type")
    sector_identifier_uri: str | None = described(ABOUT, "sector_identifier_uri")
    non_verifiable_callback_confirmation: bool | None = described(
        ABOUT, "non_verifiable_callback_confirmation"
    )
    is_dynamically_registered: bool = described(ABOUT, "is_dynamically_registered")
    is_system: bool = described(ABOUT, "is_system")
    row_id: strawberry.Private[str]
    stored: strawberry.Private[ApplicationFacts]

    @classmethod
    def of(cls, facts: ApplicationFacts, tenant_id: str) -> Application:
        id_ = global_id("Application", tenant_id, facts.id)
        jwks = json.loads(facts.jwks) if facts.jwks is not None else None
        mappings = [ClaimMapping.of(mapping) for mapping in facts.claim_mappings]
        return publish(
            cls, facts, stored=facts, id=id_, row_id=facts.id, jwks=jwks, claim_mappings=mappings
        )

    @field(
        "What it may ask of APIs, the oldest grant first.",
        "read:client_grants",
    )
    async def client_grants(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
    ) -> ListOf[ClientGrant] | None:
        asked = PageArguments(ClientGrantOrder.CREATED_AT_ASC, first, last, after, before)
        loaders, tenant_id = info.context.loaders, info.context.tenant_id
        page = await loaders.client_grants.load((self.client_id, asked.request()))
        return asked.page(
            page,
            lambda facts: ClientGrant.of(facts, tenant_id),
            lambda: loaders.client_grant_count.load(self.client_id),
        )

    @field(
        "The connections that are enabled for it, the oldest first. Their users may sign in while "
        "it is first-party; to a third-party application those of `isDomainConnection` may.",
        "read:connections",
    )
    async def connections(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
    ) -> ListOf[Connection] | None:
        asked = PageArguments(ConnectionOrder.CREATED_AT_ASC, first, last, after, before)
        loaders, tenant_id = info.context.loaders, info.context.tenant_id
        page = await loaders.connections.load((self.row_id, asked.request()))
        return asked.page(
            page,
            lambda facts: Connection.of(facts, tenant_id),
            lambda: loaders.connection_count.load(self.row_id),
        )

    @field(
        "Its uploaded keys, enabled or not, the oldest first: at most 4.",
        "read:credentials",
    )
    async def credentials(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
    ) -> ListOf[Credential] | None:
        asked = PageArguments(CredentialOrder.CREATED_AT_ASC, first, last, after, before)
        loaders, tenant_id = info.context.loaders, info.context.tenant_id
        page = await loaders.credentials.load((self.row_id, asked.request()))
        return asked.page(
            page,
            lambda facts: Credential.of(facts, tenant_id),
            lambda: loaders.credential_count.load(self.row_id),
        )

    @field(METHODS_ABOUT, "read:credentials")
    async def client_authentication_methods(self, info: Info) -> ClientAuthenticationMethods | None:
        enabled = await self._enabled(info, CredentialUse.CLIENT_AUTHENTICATION)
        return (
            ClientAuthenticationMethods.of(self.token_endpoint_auth_method, enabled)
            if enabled
            else None
        )

    @field(REQUESTS_ABOUT, "read:credentials")
    async def signed_request_object(self, info: Info) -> SignedRequestObject | None:
        return SignedRequestObject(
            required=self.stored.require_signed_request_object,
            credentials=await self._enabled(info, CredentialUse.REQUEST_OBJECTS),
        )

    async def _enabled(self, info: Info, use: CredentialUse) -> list[Credential]:
        stored = await info.context.loaders.every_credential.load(self.row_id)
        return enabled_for(use, self.stored, stored, info.context.tenant_id)

    @field(
        "What to look at before real users come. Checks that only matter in production are "
        "notices elsewhere.",
        ("read:client_grants", "read:credentials", "read:tenant_settings"),
    )
    async def readiness_checks(
        self,
        info: Info,
        passed: Annotated[bool | None, PASSED] = None,
        dismissed: Annotated[bool | None, DISMISSED] = False,
    ) -> list[ReadinessCheck] | None:
        return await readiness_of(info.context, self.stored, passed, dismissed)
