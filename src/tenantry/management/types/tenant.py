"""Tenants as the schema shows them."""

from __future__ import annotations

from collections.abc import Mapping

import strawberry

from tenantry.core.facts import (
    DeviceUserCodeCharset,
    Environment,
    ResourceParameterProfile,
    SigningAlgorithm,
    TenantFacts,
)
from tenantry.management.ids import global_id
from tenantry.management.types.access_rule import LIST_ABOUT, AccessRule
from tenantry.management.types.claim_mapping import MAPPINGS_ABOUT, ClaimMapping
from tenantry.management.types.common import StoredObject, described, publish
from tenantry.management.types.email_template import TEMPLATES_ABOUT, EmailTemplate
from tenantry.rules.addresses import Addresses

ABOUT: Mapping[str, str] = {
    "name": (
        "The name in its addresses: 3 to 63 lower-case letters, digits and hyphens. Never changes, "
        "and is never given away again."
    ),
    "issuer": "The `iss` of its tokens and the beginning of its addresses.",
    "management_identifier": (
        "The address of its management API and explorer, and the audience of tokens for them."
    ),
    "is_root": "Whether it is the first tenant, whose operators administer the installation.",
    "environment": "What it is used for. Default `DEVELOPMENT`.",
    "friendly_name": "The name that people see. At most 100 characters, without < and >.",
    "logo_uri": "A picture for its pages. Default null.",
    "support_email": "Where users write for help. Default null.",
    "support_url": "Where users read for help. Default null.",
    "error_page_url": (
        "Your own page for errors: where a browser is sent with `error`, `error_description` and "
        "`correlation_id` in the query when a request cannot be answered at the application. "
        "Default null: the server shows a page of its own."
    ),
    "default_audience": (
        "The identifier of the API that a request without an audience means. Default null: none."
    ),
    "default_directory": (
        "The name of the connection that signs users in unless another is asked for. Default null."
    ),
    "allowed_logout_urls": (
        "Where users may be sent after signing out, whatever the application: at most 100 URLs."
    ),
    "session_idle_lifetime": (
        "After how long without use a sign-in ends, in seconds: 60 to 8640000, or to what the "
        "operator allows instead. Default 259200."
    ),
    "session_lifetime": (
        "After how long a sign-in ends at the latest, in seconds: 60 to 31536000, or to what the "
        "operator allows instead. Default 604800."
    ),
    "use_scope_descriptions_for_consent": (
        "Whether consent pages show the descriptions of scopes, not their names. Default false."
    ),
    "enable_application_connections": (
        "Whether a new application gets every connection. A third-party one is served by those "
        "with `isDomainConnection` all the same. Default true."
    ),
    "end_session_endpoint_discovery": (
        "Whether discovery names the end-session endpoint. Default true."
    ),
    "logout_confirmation": (
        "Whether users confirm a sign-out that carries no ID token. Default true."
    ),
    "authorization_response_iss_parameter_supported": (
        "Whether authorization responses carry `iss` (RFC 9207). Default true. They carry it "
        "in any case while an application of the tenant has a FAPI 2 compliance level."
    ),
    "pushed_authorization_requests_supported": (
        "Whether applications may push their authorization requests to `/oauth/par` (RFC 9126). "
        "Default true. Applications that must push cannot sign users in while it is false."
    ),
    "management_max_age": (
        "How long ago a user who administers the tenant may have signed in, in seconds: 60 to "
        "315360000. An older sign-in is answered by a challenge with `max_age` (RFC 9470), and "
        "the explorer's sign-in asks for a new one. Default null: as long as the token is valid. "
        "It does not concern applications that speak for themselves."
    ),
    "customized_consent_template": (
        "How the consent page shows authorization details: Liquid of 1 to 16384 characters, such "
        "as `{{ transaction.params.authorization_details[0].type }}`, with `transaction.linking_id`"
        ", `application.name` and `user.name`. The tags `case`, `comment`, `for`, `if` and "
        "`unless` and plain markup work; links, images, styles, scripts and forms are left out. "
        "Below it people can always see all that is asked for. Default null: that list alone."
    ),
    "request_object_encryption_supported": (
        "Whether applications may encrypt their request objects to a key of the server (RFC 9101 "
        "§6.1), which is published with the `use` `enc` and rotated together with those that "
        "sign. Default false: some libraries fail on keys that do not sign."
    ),
    "require_login_for_approval_links": (
        "Whether the links in mail about requests of applications at the back (CIBA) ask for a "
        "sign-in before the person can answer. Default true. While it is false, whoever can read "
        "the person's mail can answer for them; the tokens then name no way of signing in."
    ),
    "remove_alg_from_jwks": (
        "Whether the published keys leave out `alg`, for libraries that dislike it. Default false."
    ),
    "enable_mtls_endpoint_aliases": (
        "Whether discovery names endpoints at the host with `mtls.` before it, so that only they "
        "ask for a client certificate (RFC 8705 §5), and requests to that host are served, where "
        "client certificates can arrive at all. Default false."
    ),
    "refresh_token_revocation_deletes_grant": (
        "Whether revoking a refresh token also deletes what the user allowed the application, "
        "and with it all its other tokens of that user. Default false."
    ),
    "claim_mappings": MAPPINGS_ABOUT,
    "access_control_list": LIST_ABOUT,
    "signing_algorithms": (
        "The algorithms that have keys: one to four, `RS256` always among them. Default `RS256` "
        "alone, because some libraries fail on keys that are not RSA. `PS256` comes with the first "
        "API or application that chooses it."
    ),
    "acr_values_supported": (
        "The authentication context classes that requests may ask for, at most 20, published in "
        "discovery; others are refused. Default none: any may be asked for."
    ),
    "non_verifiable_callback_confirmation": (
        "Whether users confirm before they are sent to a private-use scheme of a native "
        "application. An application's own setting outranks it. Default true."
    ),
    "device_user_code_charset": (
        "The characters of the codes that people type in to connect a device. Default `BASE20`."
    ),
    "device_user_code_mask": (
        "The form of these codes: 8 to 20 asterisks, each one character, spaces and hyphens, at "
        "most 20 in all. Default `****-****`."
    ),
    "enable_dynamic_client_registration": (
        "Whether anyone may register a third-party application at `/oidc/register` (RFC 7591). "
        "Default false."
    ),
    "initiate_login_uri": (
        "Where a sign-in begins that no application of its own address can begin: people are sent "
        "there, with `iss`, from a page that is over. Default null."
    ),
    "allow_organization_name_in_authentication_api": (
        "Whether requests may name an organization by its name as well as by its id, and tokens "
        "say `org_name` beside `org_id`. Default false."
    ),
    "resource_parameter_profile": (
        "What requests without `audience` may name by `resource` (RFC 8707). Default `ONE`."
    ),
    "require_dpop_nonce": (
        "Whether DPoP proofs (RFC 9449) must carry a nonce that this server gave out some minutes "
        "ago at most, so that none can be made in advance; the clock of the application does not "
        "matter then. Default false."
    ),
    "email_templates": TEMPLATES_ABOUT,
    "push_notification_url": (
        "The https address of the push service that asks users by CIBA, sent to by POST and "
        "signed with the secret of `tenantPushSecretRotate`; it must lead to a public address. "
        "Default null: there is none."
    ),
    "trusted_documents_only": (
        "Whether only trusted documents run here: neither the explorer nor introspection then, and "
        "of all others `tenantUpdate`, `trustedDocumentCreate` and `trustedDocumentDelete` alone, "
        "so that nobody is locked out. Default false."
    ),
}


@strawberry.type(description="A tenant and its settings: users, applications and keys of its own.")
class Tenant(StoredObject):
    name: str = described(ABOUT, "name")
    issuer: str = described(ABOUT, "issuer")
    management_identifier: str = described(ABOUT, "management_identifier")
    is_root: bool = described(ABOUT, "is_root")
    environment: Environment = described(ABOUT, "environment")
    friendly_name: str = described(ABOUT, "friendly_name")
    logo_uri: str | None = described(ABOUT, "logo_uri")
    support_email: str | None = described(ABOUT, "support_email")
    support_url: str | None = described(ABOUT, "support_url")
    error_page_url: str | None = described(ABOUT, "error_page_url")
    default_audience: str | None = described(ABOUT, "default_audience")
    default_directory: str | None = described(ABOUT, "default_directory")
    allowed_logout_urls: list[str] = described(ABOUT, "allowed_logout_urls")
    session_idle_lifetime: int = described(ABOUT, "session_idle_lifetime")
    session_lifetime: int = described(ABOUT, "session_lifetime")
    use_scope_descriptions_for_consent: bool = described(
        ABOUT, "use_scope_descriptions_for_consent"
    )
    enable_application_connections: bool = described(ABOUT, "enable_application_connections")
    end_session_endpoint_discovery: bool = described(ABOUT, "end_session_endpoint_discovery")
    logout_confirmation: bool = described(ABOUT, "logout_confirmation")
    authorization_response_iss_parameter_supported: bool = described(
        ABOUT, "authorization_response_iss_parameter_supported"
    )
    management_max_age: int | None = described(ABOUT, "management_max_age")
    customized_consent_template: str | None = described(ABOUT, "customized_consent_template")
    pushed_authorization_requests_supported: bool = described(
        ABOUT, "pushed_authorization_requests_supported"
    )
    request_object_encryption_supported: bool = described(
        ABOUT, "request_object_encryption_supported"
    )
    require_login_for_approval_links: bool = described(ABOUT, "require_login_for_approval_links")
    remove_alg_from_jwks: bool = described(ABOUT, "remove_alg_from_jwks")
    enable_mtls_endpoint_aliases: bool = described(ABOUT, "enable_mtls_endpoint_aliases")
    refresh_token_revocation_deletes_grant: bool = described(
        ABOUT, "refresh_token_revocation_deletes_grant"
    )
    signing_algorithms: list[SigningAlgorithm] = described(ABOUT, "signing_algorithms")
    claim_mappings: list[ClaimMapping] = described(ABOUT, "claim_mappings")
    acr_values_supported: list[str] = described(ABOUT, "acr_values_supported")
    non_verifiable_callback_confirmation: bool = described(
        ABOUT, "non_verifiable_callback_confirmation"
    )
    device_user_code_charset: DeviceUserCodeCharset = described(ABOUT, "device_user_code_charset")
    device_user_code_mask: str = described(ABOUT, "device_user_code_mask")
    enable_dynamic_client_registration: bool = described(
        ABOUT, "enable_dynamic_client_registration"
    )
    initiate_login_uri: str | None = described(ABOUT, "initiate_login_uri")
    allow_organization_name_in_authentication_api: bool = described(
        ABOUT, "allow_organization_name_in_authentication_api"
    )
    resource_parameter_profile: ResourceParameterProfile = described(
        ABOUT, "resource_parameter_profile"
    )
    require_dpop_nonce: bool = described(ABOUT, "require_dpop_nonce")
    trusted_documents_only: bool = described(ABOUT, "trusted_documents_only")
    email_templates: list[EmailTemplate] = described(ABOUT, "email_templates")
    push_notification_url: str | None = described(ABOUT, "push_notification_url")
    access_control_list: list[AccessRule] = described(ABOUT, "access_control_list")

    @classmethod
    def of(cls, facts: TenantFacts, addresses: Addresses) -> Tenant:
        issuer = addresses.issuer(facts.name, is_root=facts.is_root)
        return publish(
            cls,
            facts,
            id=global_id("Tenant", facts.id, facts.id),
            issuer=issuer,
            management_identifier=f"{issuer}graphql",
            claim_mappings=[ClaimMapping.of(mapping) for mapping in facts.claim_mappings],
            email_templates=[EmailTemplate.of(each) for each in facts.email_templates],
            access_control_list=[AccessRule.of(rule) for rule in facts.access_control_list],
        )
