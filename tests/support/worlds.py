"""Tenants made at random: applications, APIs, grants, users and what they may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from tenantry.core.facts import (
    DATABASE_CONNECTION,
    AccessPolicy,
    ClaimMapping,
    ClaimSource,
    ClaimTarget,
    GrantType,
    ResourceServerFacts,
    SigningAlgorithm,
    SubjectType,
    TokenDialect,
    TrustedSubject,
    UserFacts,
)
from tenantry.core.organizations import OrganizationFacts, OrganizationUsage
from tenantry.services import applications, trusted_issuers
from tenantry.services.commands import ApplicationPatch, Patch
from tests.support.client_keys import public_jwk, rsa_key
from tests.support.organizations import LOGIN_URI, give_role, join, organization
from tests.support.server import Client, Server, Tenant

SCOPES = ("read", "write", "admin")
IDENTITY = ("openid", "profile", "email", "offline_access")
OTHER_CONNECTION = "partners"
ISSUERS = ("https://one.example.com", "https://two.example.com")
_GRANT_TYPES = (
    GrantType.CLIENT_CREDENTIALS,
    GrantType.AUTHORIZATION_CODE,
    GrantType.IMPLICIT,
    GrantType.PASSWORD,
    GrantType.PASSWORD_REALM,
    GrantType.REFRESH_TOKEN,
    GrantType.TOKEN_EXCHANGE,
    GrantType.JWT_BEARER,
)
_NS = "https://claims.example.com/"


@dataclass
class World:
    """A tenant with all that requests can be about."""

    tenant: Tenant
    clients: list[Client] = field(default_factory=list)
    apis: list[ResourceServerFacts] = field(default_factory=list)
    users: list[UserFacts] = field(default_factory=list)
    organizations: list[OrganizationFacts] = field(default_factory=list)

    @property
    def audiences(self) -> list[str]:
        return [api.identifier for api in self.apis]


def some(random: Random, values: Any, chance: float = 0.5) -> tuple[Any, ...]:
    return tuple(value for value in values if random.random() < chance)


def make_world(server: Server, random: Random) -> World:
    tenant = server.tenant()
    tenant.connection(OTHER_CONNECTION)
    world = World(tenant)
    for number in range(3):
        world.apis.append(_api(tenant, random, number))
    tenant.change(
        default_audience=random.choice((None, *world.audiences)),
        default_directory=random.choice((None, DATABASE_CONNECTION, DATABASE_CONNECTION)),
        claim_mappings=_mappings(random),
        allow_organization_name_in_authentication_api=random.random() < 0.5,
    )
    for number in range(3):
        world.users.append(_user(world, random, number))
    for name in ("acme", "umbrella"):
        world.organizations.append(_organization(world, random, name))
    for _ in range(5):
        world.clients.append(_client(world, random))
    for issuer, subject in zip(ISSUERS, TrustedSubject, strict=True):
        values = {
            "issuer": issuer,
            "jwks": {"keys": [public_jwk(rsa_key())]},
            "allowed_audiences": some(random, world.audiences, 0.7) or tuple(world.audiences[:1]),
            "subject": subject,
        }
        if subject is TrustedSubject.EMAIL:
            values["connection"] = DATABASE_CONNECTION
        tenant.write(trusted_issuers.create, values)
    return world


def _api(tenant: Tenant, random: Random, number: int) -> ResourceServerFacts:
    policies = (AccessPolicy.ALLOW_ALL, AccessPolicy.REQUIRE_CLIENT_GRANT, AccessPolicy.DENY_ALL)
    symmetric, enforces = random.random() < 0.2, random.random() < 0.4
    dialects = [each for each in TokenDialect if enforces or not each.has_permissions]
    return tenant.api(
        f"https://api-{number}.example.com",
        *SCOPES[: random.randint(1, 3)],
        user_access_policy=random.choices(policies, (5, 4, 1))[0],
        client_access_policy=random.choices(policies[1:], (6, 1))[0],
        enforce_policies=enforces,
        allow_offline_access=random.random() < 0.7,
        skip_consent_for_first_party=random.random() < 0.7,
        token_dialect=random.choice(dialects),
        token_lifetime=random.randint(60, 90_000),
        signing_alg=SigningAlgorithm.HS256 if symmetric else SigningAlgorithm.RS256,
    )


def _mappings(random: Random) -> tuple[ClaimMapping, ...]:
    found = (
        ClaimMapping(
            claim=f"{_NS}colour",
            source=ClaimSource.USER_METADATA,
            path="colour",
            tokens=tuple(ClaimTarget),
        ),
        ClaimMapping(claim=f"{_NS}roles", source=ClaimSource.ROLES, tokens=tuple(ClaimTarget)),
        ClaimMapping(
            claim=f"{_NS}can", source=ClaimSource.PERMISSIONS, tokens=(ClaimTarget.ACCESS_TOKEN,)
        ),
    )
    return some(random, found)


def _user(world: World, random: Random, number: int) -> UserFacts:
    tenant = world.tenant
    elsewhere = number > 0 and random.random() < 0.2
    user = tenant.user(
        f"user-{number}@example.com",
        connection=OTHER_CONNECTION if elsewhere else DATABASE_CONNECTION,
        name=f"User {number}",
        user_metadata={"colour": random.choice(("red", "blue"))},
    )
    for api in world.apis:
        if given := some(random, api.scope_values):
            tenant.permit(user, api.identifier, *given)
    if random.random() < 0.4:
        api = random.choice(world.apis)
        tenant.give_role(user, tenant.role(f"role-{number}", api.identifier, *api.scope_values[:1]))
    if number > 0 and random.random() < 0.3:
        tenant.block(user)
    return user


def _organization(world: World, random: Random, name: str) -> OrganizationFacts:
    made = organization(
        world.tenant,
        name,
        *some(random, world.users),
        connection=random.choice((DATABASE_CONNECTION, DATABASE_CONNECTION, OTHER_CONNECTION)),
        assigns=random.random() < 0.3,
    )
    user, api = world.users[0], random.choice(world.apis)
    if random.random() < 0.5:
        join(world.tenant, made, user)
        role = world.tenant.role(f"role-at-{name}", api.identifier, *api.scope_values)
        give_role(world.tenant, made, user, role)
    return made


def allowed(
    grant_types: tuple[GrantType, ...], *, public: bool = False, first_party: bool = True
) -> tuple[GrantType, ...]:
    """Those that such an application may have registered."""
    barred = set() if first_party else {GrantType.PASSWORD, GrantType.PASSWORD_REALM}
    if public:
        barred |= {GrantType.CLIENT_CREDENTIALS, GrantType.TOKEN_EXCHANGE, GrantType.JWT_BEARER}
    return tuple(each for each in grant_types if each not in barred)


def _client(world: World, random: Random) -> Client:
    tenant = world.tenant
    public, first_party = random.random() < 0.15, random.random() < 0.75
    grant_types = some(random, _GRANT_TYPES, 0.85)
    client = tenant.application(
        "spa" if public else "regular_web",
        grant_types=allowed(grant_types, public=public, first_party=first_party),
        is_first_party=first_party,
        oidc_conformant=random.random() < 0.7,
        scope=random.choice((None, None, "read openid profile offline_access")),
        token_exchange_audiences=some(random, world.audiences, 0.8),
        id_token_lifetime=random.randint(60, 90_000),
        organization_usage=random.choices(list(OrganizationUsage), (5, 4, 1))[0],
        initiate_login_uri=LOGIN_URI,
    )
    connections = some(random, (DATABASE_CONNECTION, OTHER_CONNECTION), 0.85)
    patch = ApplicationPatch(Patch(client.facts.id), connections=connections)
    tenant.write(applications.update, patch)
    for api in world.apis:
        for subject_type in SubjectType:
            if random.random() < 0.8:
                given = some(random, api.scope_values, 0.7)
                tenant.grant(
                    client,
                    api.identifier,
                    *given,
                    subject_type=subject_type,
                    **_of_organizations(random, subject_type),
                )
    return client


def _of_organizations(random: Random, subject_type: SubjectType) -> dict[str, Any]:
    if subject_type is SubjectType.USER:
        return {}
    usage = random.choices(list(OrganizationUsage), (6, 4, 1))[0]
    any_of_them = usage is not OrganizationUsage.DENY and random.random() < 0.8
    return {"organization_usage": usage, "allow_any_organization": any_of_them}
