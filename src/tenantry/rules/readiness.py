"""What stands between a tenant and its real users: checks of its settings, each with its remedy.

Pure, like every rule. A check that failed says why, and which mutation mends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from tenantry.core.facts import (
    ConnectionFacts,
    Environment,
    ResourceServerFacts,
    TenantFacts,
)

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


_E, _W, _N = ReadinessSeverity.ERROR, ReadinessSeverity.WARNING, ReadinessSeverity.NOTICE


def check_tenant(facts: TenantReadinessFacts) -> tuple[ReadinessCheck, ...]:
    """The tenant's own settings and what it shares: APIs and connections."""
    return tuple(_tenant_checks(facts))


def _tenant_checks(facts: TenantReadinessFacts) -> Iterator[ReadinessCheck]:
    tenant = facts.tenant

    def check(
        name: str, severity: ReadinessSeverity, fault: str | None, *settings: str
    ) -> ReadinessCheck:
        return result(name, severity, fault, "tenantUpdate", settings)

    yield check(
        "environment",
        _N,
        fault_unless(
            tenant.environment is Environment.PRODUCTION,
            f"The tenant is marked {tenant.environment.value}.",
        ),
        "environment",
    )
    yield result(
        "https",
        in_production(tenant, _E),
        fault_unless(facts.is_https, "The issuer is not https: cookies and tokens can be read."),
        "tenantUpdate",
        (),
    )
    has_support = tenant.support_email is not None or tenant.support_url is not None
    yield check(
        "support_address",
        _W,
        fault_unless(has_support, "Users who meet an error are told nowhere to turn to."),
        "supportEmail",
        "supportUrl",
    )
    yield check(
        "logo",
        _N,
        fault_unless(tenant.logo_uri is not None, "Pages for users show no logo."),
        "logoUri",
    )
    yield check(
        "issuer_in_responses",
        _W,
        fault_unless(
            tenant.authorization_response_iss_parameter_supported,
            "Authorization responses do not say who sent them (RFC 9207), which lets an "
            "application with several providers be confused.",
        ),
        "authorizationResponseIssParameterSupported",
    )
    yield check(
        "logout_confirmation",
        _N,
        fault_unless(tenant.logout_confirmation, "Any page can log users out without their word."),
        "logoutConfirmation",
    )
    weak = [api.identifier for api in facts.apis if api.signing_alg.is_symmetric]
    yield result(
        "weak_algorithms",
        _W,
        fault_of("Access tokens that whoever checks them could make (HS256): ", weak),
        "resourceServerUpdate",
        ("signingAlg",),
    )
    long = [api.identifier for api in facts.apis if api.token_lifetime > _LONGEST_TOKEN]
    yield result(
        "long_access_tokens",
        _W,
        fault_of("Access tokens that live longer than a day: ", long),
        "resourceServerUpdate",
        ("tokenLifetime",),
    )
    short = [
        each.name for each in facts.connections if each.password_minimum_length < _SHORTEST_PASSWORD
    ]
    yield result(
        "short_passwords",
        _W,
        fault_of(
            f"Passwords of fewer than {_SHORTEST_PASSWORD} characters are allowed by: ", short
        ),
        "connectionUpdate",
        ("passwordMinimumLength",),
    )
    serves_third_parties = any(each.is_domain_connection for each in facts.connections)
    yield result(
        "domain_connections",
        _W,
        fault_if(
            tenant.enable_dynamic_client_registration and not serves_third_parties,
            "Anybody may register an application, and nobody could sign in to it: no connection "
            "is at domain level.",
        ),
        "connectionUpdate",
        ("isDomainConnection",),
    )


def in_production(tenant: TenantFacts, severity: ReadinessSeverity) -> ReadinessSeverity:
    return severity if tenant.environment is Environment.PRODUCTION else ReadinessSeverity.NOTICE


def fault_if(failed: object, reason: str) -> str | None:
    return reason if failed else None


def fault_unless(passed: object, reason: str) -> str | None:
    return None if passed else reason


def fault_of(reason: str, found: Iterable[str]) -> str | None:
    names = list(found)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{reason}{', '.join(names[:_SHOWN])}{more}." if names else None


def result(
    check: str,
    severity: ReadinessSeverity,
    fault: str | None,
    mutation: str,
    settings: tuple[str, ...],
) -> ReadinessCheck:
    return ReadinessCheck(check, severity, fault is None, fault or "In order.", mutation, settings)
