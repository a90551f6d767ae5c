"""What stands between one application and its real users."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenantry.core.credentials import CredentialFacts, CredentialUse
from tenantry.core.facts import ApplicationFacts, ApplicationType, GrantType, TenantFacts
from tenantry.rules.compliance import in_force
from tenantry.rules.readiness import (
    ReadinessCheck,
    ReadinessSeverity,
    fault_if,
    fault_of,
    in_production,
    result,
)
from tenantry.rules.redirect_uris import has_wildcard, is_local
from tenantry.rules.trial import is_trial

_SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class ApplicationReadinessFacts:
    """`credentials` are all that it has, enabled or not."""

    tenant: TenantFacts
    application: ApplicationFacts
    number_of_client_grants: int
    credentials: tuple[CredentialFacts, ...]
    now: datetime


_E, _W, _N = ReadinessSeverity.ERROR, ReadinessSeverity.WARNING, ReadinessSeverity.NOTICE


def check_application(facts: ApplicationReadinessFacts) -> tuple[ReadinessCheck, ...]:
    """One application. What only matters there is milder before production."""
    return tuple(_checks(facts))


def _checks(facts: ApplicationReadinessFacts) -> Iterator[ReadinessCheck]:
    tenant, application = facts.tenant, facts.application

    def check(
        name: str, severity: ReadinessSeverity, fault: str | None, *settings: str
    ) -> ReadinessCheck:
        return result(name, severity, fault, "applicationUpdate", settings)

    native = application.application_type is ApplicationType.NATIVE
    for name, setting, uris in (
        ("callbacks", "redirectUris", application.redirect_uris),
        ("logout_urls", "postLogoutRedirectUris", application.post_logout_redirect_uris),
        ("web_origins", "webOrigins", application.web_origins),
        ("allowed_origins", "allowedOrigins", application.allowed_origins),
    ):
        local = [] if native else [uri for uri in uris if is_local(uri)]
        yield check(
            f"local_{name}",
            in_production(tenant, _E),
            fault_of("Any program on a user's own machine may be behind: ", local),
            setting,
        )
        yield check(
            f"wildcard_{name}",
            in_production(tenant, _E),
            fault_of(
                "Whoever holds one matching host gets the answers: ", filter(has_wildcard, uris)
            ),
            setting,
        )
    yield check(
        "implicit_grant",
        _W,
        fault_if(
            GrantType.IMPLICIT in application.grant_types,
            "The implicit grant puts tokens into the browser's address (RFC 9700 §2.1.2).",
        ),
        "grantTypes",
    )
    yield check(
        "password_grant",
        _W,
        fault_if(
            {GrantType.PASSWORD, GrantType.PASSWORD_REALM} & set(application.grant_types),
            "The password grant shows passwords to the application (RFC 9700 §2.4).",
        ),
        "grantTypes",
    )
    yield check(
        "unused_grants",
        _N,
        fault_of("Grant types that cannot succeed yet: ", _idle_grants(facts)),
        "grantTypes",
    )
    signs_in = GrantType.AUTHORIZATION_CODE in application.grant_types
    yield check(
        "pkce",
        _W,
        fault_if(
            signs_in and application.is_public and not application.require_pkce,
            "A public application without PKCE loses its codes to whoever reads the redirect "
            "(RFC 9700 §2.1.1).",
        ),
        "requirePkce",
    )
    must_push = signs_in and in_force(application).require_pushed_authorization_requests
    yield result(
        "pushed_requests",
        _E,
        fault_if(
            must_push and not tenant.pushed_authorization_requests_supported,
            "It must push its authorization requests, and the tenant takes none (RFC 9126): nobody "
            "can sign in.",
        ),
        "tenantUpdate",
        ("pushedAuthorizationRequestsSupported",),
    )
    yield check(
        "weak_algorithms",
        _W,
        fault_if(
            application.id_token_signed_response_alg.is_symmetric,
            "Whoever checks its ID tokens could make them (HS256).",
        ),
        "idTokenSignedResponseAlg",
    )
    yield check(
        "refresh_token_rotation",
        _W,
        fault_if(
            GrantType.REFRESH_TOKEN in application.grant_types
            and application.is_public
            and not application.refresh_token_rotation,
            "A stolen refresh token of a public application stays unnoticed (RFC 9700 §2.2.2).",
        ),
        "refreshTokenRotation",
    )
    third = not application.is_first_party and signs_in
    yield check(
        "consent_page",
        _N,
        fault_if(
            third and not (application.policy_uri and application.tos_uri),
            "Users are asked for consent without its privacy policy and terms of service.",
        ),
        "policyUri",
        "tosUri",
    )
    yield _expiring_credentials(facts)
    yield result(
        "test_application",
        in_production(tenant, _W),
        fault_if(is_trial(application), "It was made for a trial, and has every scope of an API."),
        "applicationDelete",
        (),
    )


def _expiring_credentials(facts: ApplicationReadinessFacts) -> ReadinessCheck:
    application = facts.application
    enabled = {id_ for use in CredentialUse for id_ in getattr(application, use)}
    ending = [
        f"{credential.name} ({'expired' if facts.now >= end else end.date().isoformat()})"
        for credential in facts.credentials
        if credential.id in enabled
        and (end := credential.expires_at) is not None
        and end <= facts.now + _SOON
    ]
    return result(
        "expiring_credentials",
        _W,
        fault_of("Enabled credentials that have expired, or will within 30 days: ", ending),
        "credentialUpdate",
        ("expiresAt",),
    )


def _idle_grants(facts: ApplicationReadinessFacts) -> Iterator[str]:
    application = facts.application
    for grant in application.grant_types:
        by_browser = grant in {GrantType.AUTHORIZATION_CODE, GrantType.IMPLICIT}
        if by_browser and not application.redirect_uris:
            yield f"{grant.value} (no redirect URI)"
        if grant is GrantType.CLIENT_CREDENTIALS and facts.number_of_client_grants == 0:
            yield f"{grant.value} (no client grant)"
