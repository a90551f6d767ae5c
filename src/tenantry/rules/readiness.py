"""What stands between a tenant and its real users: checks of its settings, each with its remedy.

Pure, like every rule. A check that failed says why, and which mutation mends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from tenantry.core.facts import (
    ApplicationFacts,
    ApplicationType,
    ConnectionFacts,
    Environment,
    GrantType,
    ResourceServerFacts,
    TenantFacts,
)
from tenantry.rules.redirect_uris import has_wildcard, is_local
from tenantry.rules.trial import is_trial

_SHOWN = 3
_SHORTEST_PASSWORD = 8
_LONGEST_TOKEN = 86_400


class ReadinessSeverity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class ReadinessCheck:
    """One check. `settings` are the fields of the mutation's input that mend it."""

    check: str
    severity: ReadinessSeverity
    passed: bool
    reason: str
    mutation: str
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TenantReadinessFacts:
    tenant: TenantFacts
    is_https: bool
    connections: tuple[ConnectionFacts, ...]
    apis: tuple[ResourceServerFacts, ...]


@dataclass(frozen=True, slots=True)
class ApplicationReadinessFacts:
    tenant: TenantFacts
    application: ApplicationFacts
    number_of_client_grants: int


_E, _W, _N = ReadinessSeverity.ERROR, ReadinessSeverity.WARNING, ReadinessSeverity.NOTICE


def check_tenant(facts: TenantReadinessFacts) -> tuple[ReadinessCheck, ...]:
    """The tenant's own settings and what it shares: APIs and connections."""
    return tuple(_tenant_checks(facts))


def check_application(facts: ApplicationReadinessFacts) -> tuple[ReadinessCheck, ...]:
    """One application. What only matters there is milder before production."""
    return tuple(_application_checks(facts))


def _tenant_checks(facts: TenantReadinessFacts) -> Iterator[ReadinessCheck]:
    tenant = facts.tenant

    def check(
        name: str, severity: ReadinessSeverity, fault: str | None, *settings: str
    ) -> ReadinessCheck:
        return _result(name, severity, fault, "tenantUpdate", settings)

    yield check(
        "environment",
        _N,
        _unless(
            tenant.environment is Environment.PRODUCTION,
            f"The tenant is marked {tenant.environment.value}.",
        ),
        "environment",
    )
    yield _result(
        "https",
        _severity(tenant, _E),
        _unless(facts.is_https, "The issuer is not https: cookies and tokens can be read."),
        "tenantUpdate",
        (),
    )
    has_support = tenant.support_email is not None or tenant.support_url is not None
    yield check(
        "support_address",
        _W,
        _unless(has_support, "Users who meet an error are told nowhere to turn to."),
        "supportEmail",
        "supportUrl",
    )
    yield check(
        "logo",
        _N,
        _unless(tenant.logo_uri is not None, "Pages for users show no logo."),
        "logoUri",
    )
    yield check(
        "issuer_in_responses",
        _W,
        _unless(
            tenant.authorization_response_iss_parameter_supported,
            "Authorization responses do not say who sent them (RFC 9207), which lets an "
            "application with several providers be confused.",
        ),
        "authorizationResponseIssParameterSupported",
    )
    yield check(
        "logout_confirmation",
        _N,
        _unless(tenant.logout_confirmation, "Any page can log users out without their word."),
        "logoutConfirmation",
    )
    weak = [api.identifier for api in facts.apis if api.signing_alg.is_symmetric]
    yield _result(
        "weak_algorithms",
        _W,
        _listed("Access tokens that whoever checks them could make (HS256): ", weak),
        "resourceServerUpdate",
        ("signingAlg",),
    )
    long = [api.identifier for api in facts.apis if api.token_lifetime > _LONGEST_TOKEN]
    yield _result(
        "long_access_tokens",
        _W,
        _listed("Access tokens that live longer than a day: ", long),
        "resourceServerUpdate",
        ("tokenLifetime",),
    )
    short = [
        each.name for each in facts.connections if each.password_minimum_length < _SHORTEST_PASSWORD
    ]
    yield _result(
        "short_passwords",
        _W,
        _listed(f"Passwords of fewer than {_SHORTEST_PASSWORD} characters are allowed by: ", short),
        "connectionUpdate",
        ("passwordMinimumLength",),
    )


def _application_checks(facts: ApplicationReadinessFacts) -> Iterator[ReadinessCheck]:
    tenant, application = facts.tenant, facts.application

    def check(
        name: str, severity: ReadinessSeverity, fault: str | None, *settings: str
    ) -> ReadinessCheck:
        return _result(name, severity, fault, "applicationUpdate", settings)

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
            _severity(tenant, _E),
            _listed("Any program on a user's own machine may be behind: ", local),
            setting,
        )
        yield check(
            f"wildcard_{name}",
            _severity(tenant, _E),
            _listed(
                "Whoever holds one matching host gets the answers: ", filter(has_wildcard, uris)
            ),
            setting,
        )
    yield check(
        "implicit_grant",
        _W,
        _if(
            GrantType.IMPLICIT in application.grant_types,
            "The implicit grant puts tokens into the browser's address (RFC 9700 §2.1.2).",
        ),
        "grantTypes",
    )
    yield check(
        "password_grant",
        _W,
        _if(
            {GrantType.PASSWORD, GrantType.PASSWORD_REALM} & set(application.grant_types),
            "The password grant shows passwords to the application (RFC 9700 §2.4).",
        ),
        "grantTypes",
    )
    yield check(
        "unused_grants",
        _N,
        _listed("Grant types that cannot succeed yet: ", _idle_grants(facts)),
        "grantTypes",
    )
    signs_in = GrantType.AUTHORIZATION_CODE in application.grant_types
    yield check(
        "pkce",
        _W,
        _if(
            signs_in and application.is_public and not application.require_pkce,
            "A public application without PKCE loses its codes to whoever reads the redirect "
            "(RFC 9700 §2.1.1).",
        ),
        "requirePkce",
    )
    yield check(
        "weak_algorithms",
        _W,
        _if(
            application.id_token_signed_response_alg.is_symmetric,
            "Whoever checks its ID tokens could make them (HS256).",
        ),
        "idTokenSignedResponseAlg",
    )
    yield check(
        "refresh_token_rotation",
        _W,
        _if(
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
        _if(
            third and not (application.policy_uri and application.tos_uri),
            "Users are asked for consent without its privacy policy and terms of service.",
        ),
        "policyUri",
        "tosUri",
    )
    yield _result(
        "test_application",
        _severity(tenant, _W),
        _if(is_trial(application), "It was made for a trial, and has every scope of an API."),
        "applicationDelete",
        (),
    )


def _idle_grants(facts: ApplicationReadinessFacts) -> Iterator[str]:
    application = facts.application
    for grant in application.grant_types:
        by_browser = grant in {GrantType.AUTHORIZATION_CODE, GrantType.IMPLICIT}
        if by_browser and not application.redirect_uris:
            yield f"{grant.value} (no redirect URI)"
        if grant is GrantType.CLIENT_CREDENTIALS and facts.number_of_client_grants == 0:
            yield f"{grant.value} (no client grant)"


def _severity(tenant: TenantFacts, severity: ReadinessSeverity) -> ReadinessSeverity:
    return severity if tenant.environment is Environment.PRODUCTION else ReadinessSeverity.NOTICE


def _if(failed: object, reason: str) -> str | None:
    return reason if failed else None


def _unless(passed: object, reason: str) -> str | None:
    return None if passed else reason


def _listed(reason: str, found: Iterable[str]) -> str | None:
    names = list(found)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{reason}{', '.join(names[:_SHOWN])}{more}." if names else None


def _result(
    check: str,
    severity: ReadinessSeverity,
    fault: str | None,
    mutation: str,
    settings: tuple[str, ...],
) -> ReadinessCheck:
    return ReadinessCheck(check, severity, fault is None, fault or "In order.", mutation, settings)
