"""Applications as the schema shows them."""

from __future__ import annotations

from collections.abc import Mapping

import strawberry

from tenantry.core.facts import (
    ApplicationFacts,
    ApplicationType,
    GrantType,
    SigningAlgorithm,
    TokenEndpointAuthMethod,
)
from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import global_id
from tenantry.management.orders import ClientGrantOrder, ConnectionOrder
from tenantry.management.types.client_grant import ClientGrant
from tenantry.management.types.common import StoredObject, described, publish
from tenantry.management.types.connection import Connection

ABOUT: Mapping[str, str] = {
    "client_id": "The public identifier that the application sends as `client_id`.",
    "name": "The name that people see. 1 to 100 characters, without < and >.",
    "description": "A note for administrators. At most 140 characters; default empty.",
    "application_type": "The kind of program, which decides the defaults of other settings.",
    "token_endpoint_auth_method": (
        "How the application authenticates. Default `NONE` for native and single-page "
        "applications, else `CLIENT_SECRET_POST`. The two secret methods are interchangeable."
    ),
    "grant_types": (
        "How it may get tokens, at most 20. Default by type: code for native and single-page, code "
        "and client credentials for web, client credentials for machine-to-machine applications."
    ),
    "redirect_uris": (
        "Where users may be sent with a code: at most 100 URLs, compared exactly, without "
        "fragment; loopback addresses of native applications on any port. Default none."
    ),
    "post_logout_redirect_uris": (
        "Where users may be sent after signing out: at most 100 URLs. Default none."
    ),
    "web_origins": (
        "Origins that may use silent sign-in and call the endpoints by script: at most 100. "
        "Default none."
    ),
    "allowed_origins": (
        "Further origins whose scripts may call the endpoints: at most 100. Default none; those "
        "of the redirect URIs are always allowed."
    ),
    "initiate_login_uri": "The address at the application that begins a sign-in. Default null.",
    "logo_uri": "A picture for the pages that users see, https by custom. Default null.",
    "policy_uri": "The application's privacy policy. Default null.",
    "tos_uri": "The application's terms of service. Default null.",
    "is_first_party": (
        "Whether it belongs to the tenant's owner; only then may consent be skipped. Default true."
    ),
    "oidc_conformant": "Whether it follows OpenID Connect strictly. Default true.",
    "require_pkce": (
        "Whether a code needs a proof key (RFC 7636) though the application is confidential; "
        "public ones always need it. Default false."
    ),
    "id_token_lifetime": "How long ID tokens are valid, in seconds: 1 to 2592000. Default 36000.",
    "id_token_signed_response_alg": (
        "How ID tokens are signed. The tenant must have switched it on. Default `RS256`."
    ),
    "is_system": "Whether the server itself needs it; then it cannot be changed or deleted.",
    "connections": (
        "Names of the connections whose users may sign in, replaced as a whole. On creation the "
        "default is all or none, as the tenant's `enableApplicationConnections` says."
    ),
    "client_secret": (
        "A secret of your own, 32 to 512 visible ASCII characters; it is not shown again. By "
        "default confidential applications get one of 256 random bits. Public ones have none."
    ),
}


@strawberry.type(description="An OAuth client: a program that asks for tokens.")
class Application(StoredObject):
    client_id: str = described(ABOUT, "client_id")
    name: str = described(ABOUT, "name")
    description: str = described(ABOUT, "description")
    application_type: ApplicationType = described(ABOUT, "application_type")
    token_endpoint_auth_method: TokenEndpointAuthMethod = described(
        ABOUT, "token_endpoint_auth_method"
    )
    grant_types: list[GrantType] = described(ABOUT, "grant_types")
    redirect_uris: list[str] = described(ABOUT, "redirect_uris")
    post_logout_redirect_uris: list[str] = described(ABOUT, "post_logout_redirect_uris")
    web_origins: list[str] = described(ABOUT, "web_origins")
    allowed_origins: list[str] = described(ABOUT, "allowed_origins")
    initiate_login_uri: str | None = described(ABOUT, "initiate_login_uri")
    logo_uri: str | None = described(ABOUT, "logo_uri")
    policy_uri: str | None = described(ABOUT, "policy_uri")
    tos_uri: str | None = described(ABOUT, "tos_uri")
    is_first_party: bool = described(ABOUT, "is_first_party")
    oidc_conformant: bool = described(ABOUT, "oidc_conformant")
    require_pkce: bool = described(ABOUT, "require_pkce")
    id_token_lifetime: int = described(ABOUT, "id_token_lifetime")
    id_token_signed_response_alg: SigningAlgorithm = described(
        ABOUT, "id_token_signed_response_alg"
    )
    is_system: bool = described(ABOUT, "is_system")
    row_id: strawberry.Private[str]

    @classmethod
    def of(cls, facts: ApplicationFacts, tenant_id: str) -> Application:
        id_ = global_id("Application", tenant_id, facts.id)
        return publish(cls, facts, id=id_, row_id=facts.id)

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
        "The connections whose users may sign in to it, the oldest first.",
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
