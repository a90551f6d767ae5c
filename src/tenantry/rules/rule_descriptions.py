"""What each rule of a decision asks for, in words for people who have not met it before."""

from __future__ import annotations

from collections.abc import Mapping

DESCRIPTIONS: Mapping[str, str] = {
    "grant_type": "The application must be allowed to ask for tokens in this way.",
    "first_party": (
        "Only an application of the tenant's own may send a user's password, or ask a user at "
        "another device."
    ),
    "confidential": "The application must be able to prove who it is, with a secret or a key.",
    "audience_given": "The request, or the tenant by default, must say which API a token is for.",
    "one_target": "A token is for one API, unless the tenant lets it be for several.",
    "audience_known": "The audience must be an API of the tenant.",
    "client_access_policy": "The API must give tokens to applications that speak for themselves.",
    "user_access_policy": "The API must give tokens to applications on behalf of users.",
    "client_grant": "The application must have a client grant, which lets it use the API.",
    "scopes_granted": "Each scope that is asked for must be in the client grant.",
    "scopes_registered": ("Where the application has registered scopes, it can ask for no others."),
    "refresh_token_grant": (
        "Offline access is given only to an application that may use refresh tokens."
    ),
    "offline_access": "Offline access is given only where the API allows it.",
    "details_well_formed": "Authorization details are a small JSON array of objects with types.",
    "details_answer": "Authorization details are for a code, whose tokens no browser sees.",
    "detail_types_known": "Each type of authorization details must be registered for the API.",
    "detail_types_granted": (
        "Where the API requires client grants, the one of the application must list each type."
    ),
    "detail_types_registered": (
        "Where the application has registered types of authorization details, it asks for these."
    ),
    "details_pushed": (
        "Where the API demands it, authorization details come only in requests that were pushed."
    ),
    "proof_of_possession": (
        "The application or the API may demand that a request proves a key or a certificate, to "
        "which its tokens are bound."
    ),
    "permissions": "Scopes are cut to the permissions that the user has at the API.",
    "push_supported": (
        "An application that must push its requests needs a tenant that takes pushed ones."
    ),
    "unpushed_request": "An application that must push its requests can begin in no other way.",
    "redirect_uri": "The answer may be sent only where the application has registered it.",
    "scope_given": "The request must say which scopes it is for.",
    "response_type": "The application must have registered this form of answer, if it chose any.",
    "openid": "An ID token is made only where the scope `openid` is asked for.",
    "secure_redirect": "A token is never sent to an address without encryption.",
    "connection_enabled": "Users of this connection must be let in to the application.",
    "user_known": "There must be such a user.",
    "user_not_blocked": "The user must not be blocked.",
    "user_of_connection": "The user must belong to the connection that is looked in.",
    "default_directory": "The tenant must say in which connection a password is looked up.",
    "oidc_conformant": "Only an OIDC-conformant application asks users at another device.",
    "client_notification_token": "An application that is pinged must say by which token.",
    "notification_channel": "There must be a way by which users hear of a request.",
    "email_verified": "Mail goes only to an address that the user has shown to be theirs.",
    "realm_given": "The request must name the connection that the user belongs to.",
    "exchange_audience": "The application must be allowed to exchange tokens for this API.",
    "trusted_issuer": "The tenant must trust whoever signed the assertion.",
    "trusted_audience": "The issuer of the assertion must be trusted for this API.",
    "some_scope": "At least one of the scopes that are asked for must be left.",
    "consent": "The user must have allowed it before, because no page can be shown here.",
    "consent_kept": "What the user allowed must not have been taken back.",
    "scopes_held": "A refresh can ask only for scopes that were granted at first.",
    "offline_access_kept": "The API and the application must still allow offline access.",
    "organization_known": "The organization that is named must exist.",
    "organization_usage": "Tokens may have to be, or cannot be, for an organization.",
    "organization_connection": "The organization must let users of the connection in.",
    "organization_member": "The user must be a member of the organization, or become one.",
    "organization_granted": "The client grant must cover the organization.",
}
