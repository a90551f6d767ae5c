"""Configuration documents as an administrator uses them, and tenants that have something of all."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

from tenantry.core.authorization_details import AuthorizationDetailsType, ConsentPolicy
from tenantry.core.credentials import CredentialUse
from tenantry.core.facts import ClaimMapping, ClaimSource, ClaimTarget, SubjectType
from tenantry.services import (
    applications,
    custom_domains,
    log_streams,
    organizations,
    roles,
    trusted_documents,
    trusted_issuers,
)
from tenantry.services.commands import NewApplication, Patch, Permissions
from tests.support.client_certificates import LINES, made
from tests.support.client_keys import ec_key, public_jwk, rsa_key
from tests.support.management import Api, Json
from tests.support.server import Client, Tenant

PLAN = """query($input: ConfigurationPlanInput!) { configurationPlan(input: $input) {
  plan { hash requiredScopes kept { noun key }
    changes { action noun key fields { field before after } } }
  errors { code field message } } }"""
APPLIED = """planHash plan { changes { action noun key } }
  made { noun key id clientId secret }"""
EXPORT = """query($format: ConfigurationFormat = YAML, $nouns: [String!], $users: [String!]) {
  configurationExport(format: $format, nouns: $nouns, users: $users) { document } }"""
Changes = list[tuple[str, str, str]]


def export(api: Api, **arguments: Any) -> str:
    document: str = api.data(EXPORT, **arguments)["configurationExport"]["document"]
    return document


def written(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def planned(api: Api, document: Any, **more: Any) -> Json:
    """The payload of a plan; a document that is no text is written as JSON."""
    given = {"document": written(document)} | more
    payload: Json = api.data(PLAN, input=given)["configurationPlan"]
    return payload


def plan(api: Api, document: Any, **more: Any) -> Json:
    payload = planned(api, document, **more)
    assert payload["errors"] == []
    found: Json = payload["plan"]
    return found


def changes(api: Api, document: Any, **more: Any) -> Changes:
    """What a plan does, without the fields."""
    return [(c["action"], c["noun"], c["key"]) for c in plan(api, document, **more)["changes"]]


def apply(api: Api, document: Any, **more: Any) -> Json:
    """Plans, unless a hash is given, and applies; the payload."""
    hash_ = more.pop("planHash", None) or plan(api, document, **more)["hash"]
    given = {"document": written(document), "planHash": hash_} | more
    return api.mutate("configurationApply", APPLIED, given)


def applied(api: Api, document: Any, **more: Any) -> Json:
    payload = apply(api, document, **more)
    assert payload["errors"] == []
    return payload


def refusals(payload: Json) -> list[tuple[str, str]]:
    """Where a document was refused, and why."""
    assert payload["plan"] is None
    return [(".".join(error["field"]), error["code"]) for error in payload["errors"]]


KEY = {"kty": "OKP", "crv": "Ed25519", "x": "abc", "kid": "1"}
MAPPING = ClaimMapping(
    claim="https://example.com/tier",
    source=ClaimSource.APP_METADATA,
    path="tier",
    tokens=(ClaimTarget.ACCESS_TOKEN,),
)
# What YAML or keywords could take for something else.
ODD_TEXTS = (
    "",
    "null",
    "no",
    "~",
    "1e5",
    "0x1F",
    "1_000",
    "2030-01-01",
    "12:30",
    "1.5",
    "a: b # c",
    "- x",
    "##FOO##",
    "###FOO###",
    "@@FOO@@",
    "Zoë 🦉",
    "&a *a !x",
)


def furnish(tenant: Tenant, seed: int) -> None:
    """Something of every noun, with settings that are not the defaults, as chance has it."""
    chance = random.Random(seed)
    tenant.change(
        friendly_name=chance.choice(ODD_TEXTS),
        signing_algorithms=("RS256", "ES256"),
        session_lifetime=chance.randint(60, 900_000),
        allowed_logout_urls=("https://a.example.com/out",),
        logout_confirmation=chance.random() < 0.5,
        claim_mappings=(MAPPING,),
        customized_consent_template="<p>{{ transaction.linking_id }}</p>",
    )
    for name in ("staff", "partners"):
        tenant.connection(name)
    apis = [f"https://{number}.example.com/{chance.randint(0, 9)}" for number in range(3)]
    for api in apis:
        tenant.api(
            api,
            "read:x",
            "write:x",
            enforce_policies=chance.random() < 0.5,
            token_lifetime=chance.randint(1, 80_000),
            signing_alg=chance.choice(["RS256", "ES256", "HS256"]),
            authorization_details=(AuthorizationDetailsType("payment"),),
            consent_policy=chance.choice(list(ConsentPolicy)),
            require_pushed_authorization_details=chance.random() < 0.5,
        )
    for name in ("acme", "zenith"):
        made = tenant.write(
            organizations.create, {"name": name, "organization_metadata": {"tier": name}}
        )
        tenant.write(
            organizations.set_connection,
            Patch(made.id),
            "staff",
            assign_membership_on_login=chance.random() < 0.5,
        )
    _keyed_application(tenant)
    _certified_applications(tenant)
    clients = [_application(tenant, chance, number) for number in range(4)]
    for client in clients:
        for audience in chance.sample([*apis, tenant.url("graphql")], 2):
            _grant(tenant, chance, client, audience)
    for number in range(3):
        role = tenant.role(f"role {number}", apis[number], "write:x")
        given = Permissions(tenant.url("graphql"), ("read:users", "read:logs"))
        tenant.write(roles.add_permissions, tenant.server.runtime.addresses, Patch(role.id), given)
    _others(tenant, apis)
    tenant.change(default_audience=apis[0], default_directory="partners")


def _application(tenant: Tenant, chance: random.Random, number: int) -> Client:
    kind = chance.choice(["regular_web", "spa", "native", "non_interactive"])
    return tenant.application(
        kind,
        name=f"App {number}",
        external_id=chance.choice([None, f"app-{number}"]),
        description=chance.choice(ODD_TEXTS),
        application_metadata=chance.choice([{}, {"a": "1", "##B##": "##B##"}]),
        claim_mappings=chance.choice([(), (MAPPING,)]),
        client_uri=tenant.url("welcome"),
        contacts=("a@example.com", "b@example.com"),
        default_max_age=chance.choice([None, 0, 60]),
        jwks=chance.choice([None, {"keys": [KEY]}]),
        authorization_details_types=chance.choice([(), ("payment",)]),
    )


def _keyed_application(tenant: Tenant) -> None:
    """One that authenticates by an uploaded key, and signs its requests by another."""
    proving = {"name": "2030", "jwk": public_jwk(rsa_key(), "x"), "alg": "PS256"}
    ends = datetime(2100, 1, 1, tzinfo=UTC)
    requesting = {"name": "requests", "jwk": public_jwk(ec_key(), "y"), "expires_at": ends}
    settings = {
        "name": "Keyed",
        "application_type": "regular_web",
        "external_id": "keyed",
        "token_endpoint_auth_method": "private_key_jwt",
        "require_signed_request_object": True,
    }
    keys: dict[CredentialUse, tuple[Json, ...]] = {
        CredentialUse.CLIENT_AUTHENTICATION: (proving,),
        CredentialUse.REQUEST_OBJECTS: (requesting,),
    }
    tenant.write(applications.create, NewApplication(settings, credentials=keys))


def _certified_applications(tenant: Tenant) -> None:
    """They authenticate by TLS client certificates: one by the name, one by itself."""
    ends = datetime(2100, 1, 1, tzinfo=UTC)
    for method, key in (
        ("tls_client_auth", {"subject_dn": LINES, "expires_at": ends}),
        ("self_signed_tls_client_auth", {"pem": made().pem}),
    ):
        settings = {
            "name": "Certified",
            "application_type": "non_interactive",
            "external_id": method,
            "token_endpoint_auth_method": method,
            "tls_client_certificate_bound_access_tokens": True,
        }
        keys = {CredentialUse.CLIENT_AUTHENTICATION: ({"name": "2030"} | key,)}
        tenant.write(applications.create, NewApplication(settings, credentials=keys))


def _grant(tenant: Tenant, chance: random.Random, client: Client, audience: str) -> None:
    scope = "read:users" if audience == tenant.url("graphql") else "read:x"
    kind = chance.choice(list(SubjectType))
    types = ("payment",) if kind is SubjectType.USER and scope == "read:x" else ()
    tenant.grant(client, audience, scope, subject_type=kind, authorization_details_types=types)


def _others(tenant: Tenant, apis: list[str]) -> None:
    tenant.write(
        trusted_issuers.create,
        {
            "issuer": "https://other.example.com",
            "jwks": {"keys": [KEY]},
            "subject": "email",
            "connection": "staff",
            "allowed_audiences": tuple(apis[:2]),
        },
    )
    for name, document in (
        ("who asks", "{\n\tviewer { name } # ##NAME##\n}\n"),
        ("", "{ __typename }"),
    ):
        tenant.write(trusted_documents.create, name, document, None)
    tenant.write(
        log_streams.create,
        {"name": "audit", "url": "https://logs.example.com/in", "event_types": ("user.*",)},
    )
    tenant.write(
        custom_domains.create,
        tenant.server.runtime.addresses,
        {
            "domain": "login.example.org",
            "type": "self_managed_certs",
            "custom_client_ip_header": "x-client",
            "domain_metadata": {"stage": ["a", 1.5, None]},
        },
    )
