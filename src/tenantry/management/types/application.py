"""Applications as the schema shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import strawberry
from strawberry.scalars import JSON

from tenantry.core.facts import (
    ApplicationFacts,
    ApplicationType,
    ClientSigningAlgorithm,
    GrantType,
    SigningAlgorithm,
    SubjectIdentifierType,
    TokenEndpointAuthMethod,
)
from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import global_id
from tenantry.management.orders import ClientGrantOrder, ConnectionOrder
from tenantry.management.types.claim_mapping import MAPPINGS_ABOUT, ClaimMapping
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
        "applications, else `CLIENT_SECRET_POST`. The two secret methods are interchangeable. "
        "`CLIENT_SECRET_JWT` needs a secret that was made for it, `PRIVATE_KEY_JWT` needs `jwks` "
        "or `jwksUri`."
    ),
    "grant_types": (
        "How it may get tokens, at most 20. Default by type: code and refresh for native and "
        "single-page, these and client credentials for web, client credentials for "
        "machine-to-machine applications."
    ),
    "redirect_uris": (
        "Where users may be sent with a code: at most 100 URLs, compared exactly, without "
        "fragment; loopback addresses of native applications on any port. One `*` may stand in "
        "the leftmost label of a host, for development. Default none."
    ),
    "post_logout_redirect_uris": (
        "Where users may be sent after signing out: at most 100 URLs, with `*` as in the redirect "
        "URIs. Default none."
    ),
    "web_origins": (
        "Origins that may use silent sign-in and call the endpoints by script: at most 100, with "
        "`*` as in the redirect URIs. Default none."
    ),
    "allowed_origins": (
        "Further origins whose scripts may call the endpoints: at most 100, with `*` as in the "
        "redirect URIs. Default none; those of the redirect URIs are always allowed."
    ),
    "initiate_login_uri": "The address at the application that begins a sign-in. Default null.",
    "logo_uri": "A picture for the pages that users see, https by custom. Default null.",
    "policy_uri": "The application's privacy policy. Default null.",
    "tos_uri": "The application's terms of service. Default null.",
    "backchannel_logout_uri": (
        "Where the server sends a logout token when a sign-in ends that the application took part "
        "in (Back-Channel Logout 1.0): https, or http on this machine, without fragment. Default "
        "null."
    ),
    "backchannel_logout_session_required": (
        "Whether the application needs `sid` in logout tokens, which all carry it. Default false."
    ),
    "frontchannel_logout_uri": (
        "A page of the application that the sign-out page loads in a hidden frame, with `iss` and "
        "`sid` (Front-Channel Logout 1.0): https, or http on this machine, at the origin of a "
        "redirect URI, without fragment. Default null."
    ),
    "frontchannel_logout_session_required": (
        "Whether the application needs `iss` and `sid` at that page, which gets both anyway. "
        "Default false."
    ),
    "logout_confirmation": (
        "Whether users confirm a sign-out that this application asks for without an ID token. "
        "Default null: as the tenant's setting says."
    ),
    "application_metadata": (
        "A JSON object of texts: at most ten pairs, keys and values of at most 255 characters. A "
        "change replaces the keys that are sent and removes those that are null. Default empty."
    ),
    "claim_mappings": MAPPINGS_ABOUT,
    "is_first_party": (
        "Whether it belongs to the tenant's owner; only then may consent be skipped. Default true."
    ),
    "oidc_conformant": "Whether it follows OpenID Connect strictly. Default true.",
    "require_pkce": (
        "Whether a code needs a proof key (RFC 7636) though the application is confidential; "
        "public ones always need it. Default false."
    ),
    "token_exchange_audiences": (
        "The identifiers of the APIs that it may exchange a user's token for (RFC 8693), at most "
        "100. Default none: no exchange."
    ),
    "id_token_lifetime": "How long ID tokens are valid, in seconds: 1 to 2592000. Default 36000.",
    "refresh_token_rotation": (
        "Whether each refresh replaces the refresh token, and using a replaced one again ends "
        "it; public applications always rotate. Default true."
    ),
    "refresh_token_overlap": (
        "For how long the replaced refresh token still answers, with the same successor, in "
        "seconds: 0 to 60. Default 10."
    ),
    "refresh_token_lifetime": (
        "After how long refreshing ends at the latest, in seconds from the sign-in: 1 to "
        "31536000. Default 2592000. A change holds for later sign-ins."
    ),
    "refresh_token_idle_lifetime": (
        "After how long without a refresh it ends, in seconds: 1 to 31536000. Default 1296000. "
        "A change holds from the next refresh."
    ),
    "id_token_signed_response_alg": (
        "How ID tokens are signed: by a key of the tenant, which must have switched it on, or by "
        "`HS256` with the client secret, which is refused for applications that are public or use "
        "`PRIVATE_KEY_JWT`. Default `RS256`."
    ),
    "jwks": (
        "Public keys of the application, as a JWK set (RFC 7517), an object or its text: at most "
        "20, RSA of 2048 to 8192 bits, EC or OKP, without private members. They verify its "
        "assertions and request objects. Not together with `jwksUri`. Default null."
    ),
    "jwks_uri": (
        "Where the application publishes the same, by https. It is fetched when it is needed, "
        "kept for five minutes, and fetched again for an unknown `kid`. Default null."
    ),
    "token_endpoint_auth_signing_alg": (
        "The only algorithm of its assertions, `HS256` with `CLIENT_SECRET_JWT` and another one "
        "with `PRIVATE_KEY_JWT`. By default null: every algorithm that the method allows."
    ),
    "request_object_signing_alg": (
        "The only algorithm of its request objects, not `HS256`. By default null: every algorithm "
        "that its keys allow. Unsigned ones are always refused."
    ),
    "request_uris": (
        "Where its request objects may be fetched from: at most 100 https URLs. Default none."
    ),
    "userinfo_signed_response_alg": (
        "How answers of the userinfo endpoint are signed, as JWTs. The tenant must have switched "
        "it on. Default null: plain JSON."
    ),
    "default_max_age": (
        "After how long a sign-in is done again where a request has no `max_age`, in seconds: 0 to "
        "315360000. Default null: no limit."
    ),
    "require_auth_time": (
        "Whether ID tokens always say when the user signed in (`auth_time`), not only where "
        "`max_age` or `claims` ask for it. Default true."
    ),
    "default_acr_values": (
        "The authentication context classes that are meant where a request has no `acr_values`, "
        "the best first: at most 20, within the tenant's list if it has one. Default none."
    ),
    "subject_type": (
        "How users are named to it in `sub`. Default `PUBLIC`. `PAIRWISE` needs redirect URIs of "
        "one host."
    ),
    "sector_identifier_uri": (
        "An https URL whose host is the sector that shares pairwise names; the redirect URIs must "
        "have the same host. Default null: their host."
    ),
    "non_verifiable_callback_confirmation": (
        "Whether users confirm before they are sent to a private-use scheme, which any program on "
        "their device could claim. Default null: as the tenant's setting says."
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
    backchannel_logout_uri: str | None = described(ABOUT, "backchannel_logout_uri")
    backchannel_logout_session_required: bool = described(
        ABOUT, "backchannel_logout_session_required"
    )
    frontchannel_logout_uri: str | None = described(ABOUT, "frontchannel_logout_uri")
    frontchannel_logout_session_required: bool = described(
        ABOUT, "frontchannel_logout_session_required"
    )
    logout_confirmation: bool | None = described(ABOUT, "logout_confirmation")
    application_metadata: JSON = described(ABOUT, "application_metadata")
    claim_mappings: list[ClaimMapping] = described(ABOUT, "claim_mappings")
    is_first_party: bool = described(ABOUT, "is_first_party")
    oidc_conformant: bool = described(ABOUT, "oidc_conformant")
    require_pkce: bool = described(ABOUT, "require_pkce")
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
    request_object_signing_alg: ClientSigningAlgorithm | None = described(
        ABOUT, "request_object_signing_alg"
    )
    request_uris: list[str] = described(ABOUT, "request_uris")
    userinfo_signed_response_alg: SigningAlgorithm | None = described(
        ABOUT, "userinfo_signed_response_alg"
    )
    default_max_age: int | None = described(ABOUT, "default_max_age")
    require_auth_time: bool = described(ABOUT, "require_auth_time")
    default_acr_values: list[str] = described(ABOUT, "default_acr_values")
    subject_type: SubjectIdentifierType = described(ABOUT, "subject_type")
    sector_identifier_uri: str | None = described(ABOUT, "sector_identifier_uri")
    non_verifiable_callback_confirmation: bool | None = described(
        ABOUT, "non_verifiable_callback_confirmation"
    )
    is_system: bool = described(ABOUT, "is_system")
    row_id: strawberry.Private[str]

    @classmethod
    def of(cls, facts: ApplicationFacts, tenant_id: str) -> Application:
        id_ = global_id("Application", tenant_id, facts.id)
        jwks = json.loads(facts.jwks) if facts.jwks is not None else None
        mappings = [ClaimMapping.of(mapping) for mapping in facts.claim_mappings]
        return publish(cls, facts, id=id_, row_id=facts.id, jwks=jwks, claim_mappings=mappings)

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
