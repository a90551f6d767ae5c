"""Configuration as a document: written out, planned, applied whole or not at all."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tenantry.core.facts import SubjectType
from tenantry.services import log_streams, trusted_issuers
from tenantry.services.commands import Permissions, Patch
from tenantry.services import roles
from tenantry.services.configuration import text
from tenantry.services.configuration.nouns import NOUNS
from tests.management.test_statements import statements
from tests.support.management import Api, Json, root_api
from tests.support.server import Server, Tenant, both_databases

PLAN = """query($input: ConfigurationPlanInput!) { configurationPlan(input: $input) {
  plan { hash requiredScopes kept { noun key }
    changes { action noun key fields { field before after } } }
  errors { code field message } } }"""
APPLIED = """planHash plan { changes { action noun key } }
  made { noun key id clientId secret }"""
LIMITED = Callable[..., Api]


def export(api: Api, **arguments: Any) -> str:
    query = """query($format: ConfigurationFormat = YAML, $nouns: [String!]) {
      configurationExport(format: $format, nouns: $nouns) { document } }"""
    document: str = api.data(query, **arguments)["configurationExport"]["document"]
    return document


def planned(api: Api, document: Any, **more: Any) -> Json:
    """The payload of a plan; a document that is no text is written as JSON."""
    given = document if isinstance(document, str) else json.dumps(document)
    payload: Json = api.data(PLAN, input={"document": given} | more)["configurationPlan"]
    return payload


def plan(api: Api, document: Any, **more: Any) -> Json:
    payload = planned(api, document, **more)
    assert payload["errors"] == []
    found: Json = payload["plan"]
    return found


def changes(api: Api, document: Any, **more: Any) -> list[tuple[str, str, str]]:
    return [(c["action"], c["noun"], c["key"]) for c in plan(api, document, **more)["changes"]]


def apply(api: Api, document: Any, **more: Any) -> Json:
    """Plans and applies; the payload."""
    given = document if isinstance(document, str) else json.dumps(document)
    hash_ = more.pop("planHash", None) or plan(api, given, **more)["hash"]
    input = {"document": given, "planHash": hash_} | more
    return api.mutate("configurationApply", APPLIED, input)


def applied(api: Api, document: Any, **more: Any) -> Json:
    payload = apply(api, document, **more)
    assert payload["errors"] == []
    return payload


def refusals(api: Api, document: Any, **more: Any) -> list[tuple[str, str]]:
    payload = planned(api, document, **more)
    assert payload["plan"] is None
    return [(".".join(error["field"]), error["code"]) for error in payload["errors"]]


# --- rich tenants --------------------------------------------------------------------------


def furnish(tenant: Tenant, seed: int) -> None:
    """Something of every noun, with settings that are not the defaults, as chance has it."""
    chance = random.Random(seed)
    flag = lambda: chance.random() < 0.5  # noqa: E731
    tenant.change(
        friendly_name=chance.choice(["Acmé <no>".replace("<no>", "co"), "##FOO##", "@@FOO@@", "no"]),
        signing_algorithms=("RS256", "ES256"),
        session_lifetime=chance.randint(60, 900_000),
        allowed_logout_urls=("https://a.example.com/out",),
        device_user_code_mask="****-****-**",
        enable_dynamic_client_registration=flag(),
        logout_confirmation=flag(),
    )
    names = ["staff", "partners"]
    for name in names:
        tenant.connection(name)
    apis = [f"https://{n}.example.com/{chance.randint(0, 9)}" for n in range(3)]
    for api in apis:
        tenant.api(
            api,
            "read:x",
            "write:x",
            enforce_policies=flag(),
            token_lifetime=chance.randint(1, 80_000),
            signing_alg=chance.choice(["RS256", "ES256", "HS256"]),
            allow_offline_access=flag(),
        )
    audiences = [*apis, tenant.url("graphql")]
    for number in range(4):
        kind = chance.choice(["regular_web", "spa", "native", "non_interactive"])
        client = tenant.application(
            kind,
            name=f"App {number}",
            external_id=chance.choice([None, f"app-{number}"]),
            description=chance.choice(["", "null", "1e5", "0x1F", "2030-01-01", "a: b # c", "~"]),
            application_metadata={"a": "1", "##B##": "##B##"} if flag() else {},
            claim_mappings=(
                [mapping] if flag() and (mapping := MAPPING) else ()
            ),
            initiate_login_uri=tenant.url("start") if tenant.issuer.startswith("https") else None,
            require_auth_time=flag(),
            contacts=("a@example.com", "b@example.com"),
            default_max_age=chance.choice([None, 0, 60]),
            jwks={"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "abc", "kid": "1"}]}
            if flag()
            else None,
        )
        for audience in chance.sample(audiences, 2):
            scope = "read:users" if audience.endswith("graphql") else "read:x"
            subject = chance.choice(list(SubjectType))
            tenant.grant(client, audience, scope, subject_type=subject)
    for number in range(3):
        role = tenant.role(f"role {number}", apis[number], "write:x")
        given = Permissions(tenant.url("graphql"), ("read:users", "read:logs"))
        tenant.write(roles.add_permissions, tenant.server.runtime.addresses, Patch(role.id), given)
    tenant.write(
        trusted_issuers.create,
        {
            "issuer": "https://other.example.com",
            "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "abc"}]},
            "subject": "email",
            "connection": "staff",
            "allowed_audiences": tuple(apis[:2]),
        },
    )
    tenant.write(
        log_streams.create,
        {"name": "audit", "url": "https://logs.example.com/in", "event_types": ("user.*",)},
    )
    tenant.change(default_audience=apis[0], default_directory="partners")


from tenantry.core.facts import ClaimMapping, ClaimSource, ClaimTarget  # noqa: E402

MAPPING = ClaimMapping(
    claim="https://example.com/tier",
    source=ClaimSource.APP_METADATA,
    path="tier",
    tokens=(ClaimTarget.ACCESS_TOKEN,),
)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("format", ["YAML", "JSON"])
def test_what_is_written_out_makes_another_tenant_the_same(
    server: Server, seed: int, format: str
) -> None:
    rich, empty = server.tenant(), server.tenant()
    furnish(rich, seed)
    api, other = root_api(rich), root_api(empty)
    document = export(api, format=format)
    assert changes(api, document) == []
    found = text.read(document)
    assert set(found) == {"version", *(noun.name for noun in NOUNS)}
    assert all(found.values())
    jsonschema.validate(found, schema(api))
    made = applied(other, document)["made"]
    assert {one["noun"] for one in made} >= {noun.name for noun in NOUNS[2:]}
    assert changes(other, document) == []
    assert changes(other, export(other)) == []
    # Nothing names the first tenant any more, and a second time there is nothing to do.
    assert rich.issuer not in document
    again = apply(other, document)
    assert (again["errors"], again["plan"]["changes"], again["made"]) == ([], [], [])
    theirs = text.read(export(other, format=format))
    names = lambda one: {k: v for k, v in one.items()}  # noqa: E731
    assert [names(one) for one in theirs["applications"]] == found["applications"]
    assert theirs == found


def schema(api: Api) -> Json:
    found: Json = api.data("{ configurationSchema }")["configurationSchema"]
    jsonschema.Draft202012Validator.check_schema(found)
    return found
