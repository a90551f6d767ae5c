"""What the settings of an application mean: their units, defaults and limits."""

from __future__ import annotations

from collections.abc import Mapping

from tenantry.management.types.backchannel import SETTINGS_ABOUT
from tenantry.management.types.claim_mapping import MAPPINGS_ABOUT
from tenantry.management.types.client_address import CLIENT_ADDRESS_ABOUT

ABOUT: Mapping[str, str] = {
    "client_id": "The public identifier that the application sends as `client_id`.",
    "external_id": (
        "What the application is called in every environment, so that a configuration document "
        "finds it: 1 to 128 visible ASCII characters, unique in the tenant. Default the client id."
    ),
    "name": "The name that people see. 1 to 100 characters, without < and >.",
    "description": "A note for administrators. At most 140 characters; default empty.",
    "application_type": "The kind of program, which decides the defaults of other settings.",
    "token_endpoint_auth_method": (
        "How the application authenticates. Default `NONE` for native and single-page "
        "applications, else `CLIENT_SECRET_POST`. The two secret methods are interchangeable. "
        "`CLIENT_SECRET_JWT` needs a secret that was made for it, `PRIVATE_KEY_JWT` and "
        "`SELF_SIGNED_TLS_CLIENT_AUTH` need credentials, `jwks` or `jwksUri`, `TLS_CLIENT_AUTH` "
        "credentials or a `tlsClientAuth…` name."
    ),
    "grant_types": (
        "How it may get tokens, at most 20. Default by type: code and refresh for native and "
        "single-page, these and client credentials for web, client credentials for "
        "machine-to-machine applications."
    ),
    "response_types": (
        "The only response types that it may ask for, each within its grant types. Default none: "
        "every one that the grant types allow."
    ),
    "scope": (
        "The only scopes that it may ask for, with spaces between, at most 4096 characters; others "
        "are left out of what users allow. Default null: no limit."
    ),
    "redirect_uris": (
        "Where users may be sent with a code: at most 100 URLs, compared exactly, without "
        "fragment; loopback addresses of native applications on any port. One `*` may stand in "
        "the leftmost label of a host, for development. Or `{organization_name}` is that label, "
        "for the name of the organization that a request is for. `{custom_domain.metadata.KEY}` "
        "may stand in the host of a first-party application, without `*`, for what the request's "
        "custom domain says under a KEY that begins with `public_` or `PUBLIC_`. A public "
        "application's are https, or on this machine. Default none."
    ),
    "post_logout_redirect_uris": (
        "Where users may be sent after signing out: at most 100 URLs, with `*` and "
        "`{custom_domain.metadata.KEY}` as in the redirect URIs. Default none."
    ),
    "web_origins": (
        "Origins that may use silent sign-in and call the endpoints by script: at most 100, with "
        "`*` and `{custom_domain.metadata.KEY}` as in the redirect URIs. Default none."
    ),
    "allowed_origins": (
        "Further origins whose scripts may call the endpoints: at most 100, with `*`, "
        "`{organization_name}` and `{custom_domain.metadata.KEY}` as in the redirect URIs. Default "
        "none; those of the redirect URIs are always allowed."
    ),
    "initiate_login_uri": (
        "The address at the application that begins a sign-in: https, or http on this machine. "
        "Default null."
    ),
    "contacts": (
        "Who is responsible for the application, as email addresses by custom: at most 20 of at "
        "most 254 characters. Default none."
    ),
    "client_uri": "The application's home page, shown to users as a link. Default null.",
    "software_id": (
        "Names the program, whatever copy of it runs: at most 255 characters. Default null."
    ),
    "software_version": "The version of that program: at most 255 characters. Default null.",
    "android_app_package_name": (
        "The Android package that opens the tenant's links, listed in "
        "`/.well-known/assetlinks.json`. Default null."
    ),
    "android_sha256_cert_fingerprints": (
        "The SHA-256 fingerprints of the certificates that sign that package, as keytool prints "
        "them: at most 10. Default none; needed with `androidAppPackageName`."
    ),
    "ios_team_id": (
        "The Apple team of the program that opens the tenant's links, listed in "
        "`/apple-app-site-association`: 10 letters and digits. Default null."
    ),
    "ios_app_bundle_identifier": (
        "The bundle identifier of that program. Default null; needed with `iosTeamId`."
    ),
    "logo_uri": "A picture for the pages that users see, https by custom. Default null.",
    "policy_uri": "The application's privacy policy. Default null.",
    "tos_uri": "The application's terms of service. Default null.",
    "backchannel_logout_uri": (
        "Where the server sends a logout token when a sign-in ends that the application took part "
        "in (Back-Channel Logout 1.0): https, or http on this machine, without fragment. Default "
        "null."
    ),
    "backchannel_logout_session_required": (
        "Whether the application needs `sid` in each logout token. Without it, one token without "
        "`sid` says that a user was signed out everywhere, as by a new password or a block; with "
        "it there is one for each session. The end of a single session always names it. Default "
        "false."
    ),
    "frontchannel_logout_uri": (
        "A page of the application that the sign-out page loads in a hidden frame "
        "(Front-Channel Logout 1.0): https, or http on this machine, at the origin of a redirect "
        "URI, without fragment. Default null."
    ),
    "frontchannel_logout_session_required": (
        "Whether that page gets `iss` and `sid`. Default true; an application that registers "
        "itself without saying so gets neither."
    ),
    **SETTINGS_ABOUT,
    "logout_confirmation": (
        "Whether users confirm a sign-out that this application asks for without an ID token. "
        "Default null: as the tenant's setting says."
    ),
    "application_metadata": (
        "A JSON object of texts: at most ten pairs, keys and values of at most 255 characters. A "
        "change replaces the keys that are sent and removes those that are null. Default empty."
    ),
    "claim_mappings": MAPPINGS_ABOUT,
    "is_token_endpoint_ip_header_trusted": CLIENT_ADDRESS_ABOUT,
    "is_first_party": (
        "Whether it belongs to the tenant's owner; only then may consent be skipped. Default true."
    ),
    "oidc_conformant": "Whether it follows OpenID Connect strictly. Default true.",
    "dpop_bound_access_tokens": (
        "Whether its token requests must carry a DPoP proof (RFC 9449), so that each access token "
        "is bound to a key; none comes from the authorization endpoint then. Without it a proof "
        "binds the tokens of that one request. Default false."
    ),
    "require_pkce": (
        "Whether a code needs a proof key (RFC 7636) though the application is confidential; "
        "public ones always need it. Default false."
    ),
    "organization_usage": (
        "Whether users sign in to an organization, by the parameter `organization`. Default `DENY`."
    ),
    "organization_require_behavior": (
        "What becomes of a sign-in that names no organization where `organizationUsage` is "
        "`REQUIRE`. Default `NO_PROMPT`."
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
    "tls_client_certificate_bound_access_tokens": (
        "Whether its access tokens are bound to the client certificate that it presents where it "
        "gets them (RFC 8705 §3), so that requests for tokens need one; so are the refresh tokens "
        "of a public application. Default false."
    ),
    "tls_client_auth_subject_dn": (
        "The subject of the certificate that it authenticates with by `TLS_CLIENT_AUTH`, as RFC "
        "4514 writes it: at most 2048 characters. Default null; that method needs exactly one of "
        "this, the four alternative names and credentials."
    ),
    "tls_client_auth_san_dns": (
        "Instead of the subject, a DNS name among the certificate's alternative names: at most 253 "
        "characters. Default null."
    ),
    "tls_client_auth_san_uri": (
        "Instead of the subject, a URI among the certificate's alternative names: at most 2048 "
        "characters. Default null."
    ),
    "tls_client_auth_san_ip": (
        "Instead of the subject, an IPv4 or IPv6 address among the certificate's alternative "
        "names. Default null."
    ),
    "tls_client_auth_san_email": (
        "Instead of the subject, an email address among the certificate's alternative names: at "
        "most 254 characters. Default null."
    ),
    "request_object_signing_alg": (
        "The only algorithm of its request objects, not `HS256`. By default null: every algorithm "
        "that its keys allow. Unsigned ones are always refused."
    ),
    "client_authentication_methods": (
        "Which of its credentials verify its assertions: at most 2. Sets `tokenEndpointAuthMethod` "
        "to `PRIVATE_KEY_JWT`; another method needs null here. Default null."
    ),
    "signed_request_object": (
        "Whether its authorization requests must be signed (RFC 9101), and which of its "
        "credentials verify them: at most 2, none of which also verifies assertions. `jwks` and "
        "`jwksUri` verify them too. Default null: not required, and no credentials."
    ),
    "request_object_lifetime": (
        "For how long a request object may be good, in seconds: 60 to 3600. Then each must have "
        "`iss`, `aud`, `nbf` and `exp`, the last two at most so far apart, and `nbf` at most so "
        "long ago. Default null: a request object says of its times what it likes."
    ),
    "compliance_level": (
        "The FAPI profile that it is held to. Setting it checks the other settings and says what "
        "is missing; what a setting could say is then in force whatever the setting says. See "
        "`complianceReport`. Default null: none."
    ),
    "require_pushed_authorization_requests": (
        "Whether its authorization requests must be pushed first (RFC 9126). The tenant must have "
        "switched that on. Default false."
    ),
    "pushed_authorization_request_lifetime": (
        "For how long a request that it pushed waits for the browser, in seconds: 10 to 599. "
        "Default null: 60. A sign-in that has begun is not hurried."
    ),
    "authorization_details_types": (
        "The types of authorization details that it restricts itself to (RFC 9396 §10): at most "
        "100. Default none: all that it is granted."
    ),
    "request_uris": (
        "Where its request objects may be fetched from: at most 100 https URLs. Default none."
    ),
    "userinfo_signed_response_alg": (
        "How answers of the userinfo endpoint are signed, as JWTs. The tenant must have switched "
        "it on. Default null: plain JSON."
    ),
    "authorization_signed_response_alg": (
        "How its authorization responses are signed where it asks for them as JWTs (JARM), by a "
        "`response_mode` that ends in `jwt`. The tenant must have switched it on. Default `RS256`."
    ),
    "authorization_encrypted_response_alg": (
        "How these are encrypted besides, to a key in its `jwks` or at its `jwksUri` that is not "
        "for signatures. Default null: they are signed only."
    ),
    "authorization_encrypted_response_enc": (
        "How the content of these is encrypted. Default null: `A128CBC_HS256`. Needs "
        "`authorizationEncryptedResponseAlg`."
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
        "one host, a `sectorIdentifierUri` or, with CIBA alone, keys of its own at a `jwksUri`."
    ),
    "sector_identifier_uri": (
        "An https URL, or http on loopback, whose host is the sector that shares pairwise names. "
        "Its document, a JSON array, must list the redirect URIs; it is fetched when either "
        "changes. Default null: the host of the redirect URIs."
    ),
    "non_verifiable_callback_confirmation": (
        "Whether users confirm before they are sent to a private-use scheme, which any program on "
        "their device could claim. Default null: as the tenant's setting says."
    ),
    "is_dynamically_registered": "Whether it registered itself at `/oidc/register` (RFC 7591).",
    "is_system": "Whether the server itself needs it; then it cannot be changed or deleted.",
    "connections": (
        "Names of the connections whose users may sign in, replaced as a whole; they count while "
        "it is first-party, and for a third-party application those with `isDomainConnection`. "
        "On creation the default is all or none, as the tenant's `enableApplicationConnections` "
        "says."
    ),
    "client_secret": (
        "A secret of your own, 32 to 512 visible ASCII characters; it is not shown again. By "
        "default confidential applications get one of 256 random bits. Public ones have none."
    ),
}
