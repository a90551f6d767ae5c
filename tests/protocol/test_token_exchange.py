"""RFC 8693: a user's token is traded for one of another API, never for more than it was."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import (
    DATABASE_CONNECTION,
    GrantType,
    SigningAlgorithm,
    SubjectType,
    TokenDialect,
)
from tenantry.services.applications import require_tenant
from tenantry.services.signing_keys import key_ring
from tenantry.store import tokens, users
from tenantry.tokens import issue
from tenantry.tokens.access_token import AccessTokenContent
from tenantry.tokens.verify import token_digest
from tests.support.browser import Browser
from tests.support.flow import refused, sign_in
from tests.support.jwt import claims_of
from tests.support.server import PASSWORD, Client, Server, Tenant, both_databases

EXCHANGE = GrantType.TOKEN_EXCHANGE
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
FRONT, BACK = "https://front.example.com", "https://back.example.com"


@pytest.fixture
def tenant(server: Server) -> Tenant:
    """Two APIs and a user."""
    made = server.tenant()
    made.change(default_directory=DATABASE_CONNECTION)
    made.api(FRONT, "read", "write")
    made.api(BACK, "read", "delete")
    made.user()
    return made


@pytest.fixture
def exchanger(tenant: Tenant) -> Client:
    """The service behind the first API, which calls the second."""
    client = tenant.application(
        "non_interactive",
        grant_types=("client_credentials", EXCHANGE),
        token_exchange_audiences=(BACK,),
    )
    tenant.grant(client, BACK, "read")
    return client


@pytest.fixture
def subject(tenant: Tenant) -> dict[str, Any]:
    """What the user's own application holds."""
    app = tenant.application(grant_types=("password",), name="App")
    response = tenant.token(
        app,
        grant_type="password",
        username="ann@example.com",
        password=PASSWORD,
        audience=FRONT,
        scope="openid read write",
    )
    made: dict[str, Any] = response.json()
    return made


def exchange(tenant: Tenant, client: Client, token: str, **changes: Any) -> httpx2.Response:
    fields = {
        "grant_type": EXCHANGE.value,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
        "audience": BACK,
    }
    given = {name: value for name, value in (fields | changes).items() if value is not None}
    return tenant.server.client.post(tenant.url("oauth/token"), data=client.body | given)


def is_live(tenant: Tenant, token: str) -> bool:
    family = tenant.read(tokens.family_of_access_token, token_digest(token))
    return family is not None and family.ended_at is None


@both_databases
def test_a_token_is_traded(tenant: Tenant, exchanger: Client, subject: dict[str, Any]) -> None:
    """§2.2.1."""
    response = exchange(tenant, exchanger, subject["access_token"])
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    made = response.json()
    assert made["issued_token_type"] == ACCESS_TOKEN
    assert made["token_type"] == "Bearer"
    assert not {"refresh_token", "id_token"} & made.keys()
    old, new = claims_of(subject["access_token"]), claims_of(made["access_token"])
    assert (new["aud"], new["sub"], new["azp"]) == (BACK, old["sub"], exchanger.id)
    # Only what the old token, the new API and the policies have in common.
    assert made["scope"] == new["scope"] == "read"
    assert new["exp"] <= old["exp"]
    assert "act" not in new
    assert tenant.events("token.issued")[0].details["grant_type"] == EXCHANGE.value


def test_a_traded_token_lives_no_longer(
    tenant: Tenant, exchanger: Client, subject: dict[str, Any]
) -> None:
    tenant.server.clock.advance(86_000)
    made = exchange(tenant, exchanger, subject["access_token"]).json()
    assert made["expires_in"] <= 400
    tenant.server.clock.advance(500)
    refused(exchange(tenant, exchanger, subject["access_token"]), 400, "invalid_request")


def test_scopes_are_never_wider(tenant: Tenant, exchanger: Client, subject: dict[str, Any]) -> None:
    token = subject["access_token"]
    response = exchange(tenant, exchanger, token, scope="read delete openid")
    assert response.json()["scope"] == "read"
    refused(exchange(tenant, exchanger, token, scope="delete"), 400, "invalid_scope")


def test_the_apis_own_policy_holds(
    tenant: Tenant, exchanger: Client, subject: dict[str, Any]
) -> None:
    strict = "https://strict.example.com"
    tenant.api(strict, "read", user_access_policy="require_client_grant")
    client = tenant.change_application(exchanger, token_exchange_audiences=(strict, BACK))
    token = subject["access_token"]
    refused(exchange(tenant, client, token, audience=strict), 403, "access_denied")
    tenant.grant(client, strict, "read", subject_type=SubjectType.USER)
    assert exchange(tenant, client, token, audience=strict).status_code == 200


def test_a_third_party_needs_the_consent_that_it_cannot_ask_for(
    tenant: Tenant, exchanger: Client, subject: dict[str, Any]
) -> None:
    client = tenant.change_application(exchanger, is_first_party=False)
    refused(exchange(tenant, client, subject["access_token"]), 400, "invalid_target")


def test_the_policy_is_off_by_default(
    tenant: Tenant, exchanger: Client, subject: dict[str, Any]
) -> None:
    """§2.2.2: invalid_target."""
    token = subject["access_token"]
    client = tenant.application("non_interactive", grant_types=(EXCHANGE,))
    refused(exchange(tenant, client, token), 400, "invalid_target")
    refused(exchange(tenant, exchanger, token, audience=FRONT), 400, "invalid_target")
    plain = tenant.application("non_interactive", token_exchange_audiences=(BACK,))
    refused(exchange(tenant, plain, token), 400, "unauthorized_client")


def test_a_public_application_cannot_trade(tenant: Tenant) -> None:
    with pytest.raises(DomainError) as error:
        tenant.application("native", grant_types=(EXCHANGE,))
    assert error.value.code is ErrorCode.NOT_ALLOWED


def test_one_target_at_a_time(tenant: Tenant, exchanger: Client, subject: dict[str, Any]) -> None:
    """§2.1: both may repeat; we serve one."""
    token = subject["access_token"]
    twice = exchange(tenant, exchanger, token, audience=[BACK, BACK], resource=BACK)
    assert twice.status_code == 200, twice.text
    several = exchange(tenant, exchanger, token, audience=[BACK, FRONT])
    refused(several, 400, "invalid_target")
    refused(exchange(tenant, exchanger, token, resource=FRONT), 400, "invalid_target")
    refused(exchange(tenant, exchanger, token, audience=None), 400, "invalid_request")
    assert exchange(tenant, exchanger, token, audience=None, resource=BACK).status_code == 200
    refused(exchange(tenant, exchanger, token, scope=["read", "read"]), 400, "invalid_request")


@pytest.mark.parametrize(
    "changes",
    [
        {"subject_token": None},
        {"subject_token_type": None},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"subject_token_type": ID_TOKEN},
        {"requested_token_type": ID_TOKEN},
        {"actor_token_type": ACCESS_TOKEN},
        {"actor_token": "x"},
        {"actor_token": "x", "actor_token_type": ACCESS_TOKEN},
        {"subject_token": "not a token"},
    ],
)
def test_a_malformed_request(
    tenant: Tenant, exchanger: Client, subject: dict[str, Any], changes: dict[str, Any]
) -> None:
    """§2.2.2: invalid_request."""
    response = exchange(tenant, exchanger, subject["access_token"], **changes)
    refused(response, 400, "invalid_request")


def test_foreign_tokens_are_refused(
    server: Server, tenant: Tenant, exchanger: Client, subject: dict[str, Any]
) -> None:
    other = server.tenant()
    other.api(BACK, "read")
    other.user()
    client = other.application(
        "non_interactive", grant_types=(EXCHANGE,), token_exchange_audiences=(BACK,)
    )
    refused(exchange(other, client, subject["access_token"]), 400, "invalid_request")
    forged = subject["access_token"][:-4] + "AAAA"
    refused(exchange(tenant, exchanger, forged), 400, "invalid_request")


def test_a_machines_token_is_no_subject(tenant: Tenant, exchanger: Client) -> None:
    own = tenant.token(exchanger, grant_type="client_credentials", audience=BACK).json()
    refused(exchange(tenant, exchanger, own["access_token"]), 400, "invalid_request")


def test_it_ends_with_the_token_that_it_came_from(
    tenant: Tenant, exchanger: Client, subject: dict[str, Any]
) -> None:
    made = exchange(tenant, exchanger, subject["access_token"]).json()
    assert is_live(tenant, made["access_token"])
    family = tenant.read(tokens.family_of_access_token, token_digest(subject["access_token"]))
    tenant.write(tokens.end_family, family.id)
    assert not is_live(tenant, made["access_token"])
    refused(exchange(tenant, exchanger, subject["access_token"]), 400, "invalid_request")
    refused(exchange(tenant, exchanger, made["access_token"]), 400, "invalid_request")


def test_a_blocked_user_ends_it(
    server: Server, tenant: Tenant, exchanger: Client, subject: dict[str, Any]
) -> None:
    made = exchange(tenant, exchanger, subject["access_token"]).json()
    ann = tenant.read(users.find, claims_of(made["access_token"])["sub"])
    tenant.block(ann)
    assert not is_live(tenant, made["access_token"])
    refused(exchange(tenant, exchanger, subject["access_token"]), 400, "invalid_request")


def test_an_actor_is_named(tenant: Tenant, exchanger: Client, subject: dict[str, Any]) -> None:
    """§4.1: the application's own token says who acts; earlier actors stay within."""
    actor = tenant.token(exchanger, grant_type="client_credentials", audience=BACK).json()
    with_actor = {"actor_token": actor["access_token"], "actor_token_type": ACCESS_TOKEN}
    first = exchange(tenant, exchanger, subject["access_token"], **with_actor).json()
    assert claims_of(first["access_token"])["act"] == {"sub": f"{exchanger.id}@clients"}
    second = exchange(tenant, exchanger, first["access_token"], **with_actor).json()
    assert claims_of(second["access_token"])["act"] == {
        "sub": f"{exchanger.id}@clients",
        "act": {"sub": f"{exchanger.id}@clients"},
    }
    silent = exchange(tenant, exchanger, second["access_token"]).json()
    assert "act" in claims_of(silent["access_token"])


def test_another_actor_needs_may_act(
    tenant: Tenant, exchanger: Client, subject: dict[str, Any]
) -> None:
    """§4.4: who is not named in `may_act` does not act."""
    other = tenant.application("non_interactive", name="Other")
    tenant.grant(other, BACK, "read")
    actor = tenant.token(other, grant_type="client_credentials", audience=BACK).json()
    with_actor = {"actor_token": actor["access_token"], "actor_token_type": ACCESS_TOKEN}
    response = exchange(tenant, exchanger, subject["access_token"], **with_actor)
    assert "may_act" in refused(response, 400, "invalid_request")


def test_may_act_is_honoured(tenant: Tenant, exchanger: Client, subject: dict[str, Any]) -> None:
    """§4.4: the claim names who alone may act, the application itself where no token says who."""
    other = tenant.application("non_interactive", name="Other")
    tenant.grant(other, BACK, "read")
    actor = tenant.token(other, grant_type="client_credentials", audience=BACK).json()
    with_actor = {"actor_token": actor["access_token"], "actor_token_type": ACCESS_TOKEN}
    named = naming(tenant, subject["access_token"], {"sub": f"{other.id}@clients"})
    refused(exchange(tenant, exchanger, named), 400, "invalid_request")
    made = exchange(tenant, exchanger, named, **with_actor)
    assert made.status_code == 200, made.text
    assert claims_of(made.json()["access_token"])["act"] == {"sub": f"{other.id}@clients"}
    own = naming(tenant, subject["access_token"], {"client_id": exchanger.id})
    assert exchange(tenant, exchanger, own).status_code == 200
    refused(exchange(tenant, exchanger, own, **with_actor), 400, "invalid_request")
    for nobody in ({}, "x", {"iss": tenant.issuer}, {"sub": f"{other.id}@clients", "x": "y"}):
        token = naming(tenant, subject["access_token"], nobody)
        refused(exchange(tenant, exchanger, token, **with_actor), 400, "invalid_request")


def naming(tenant: Tenant, token: str, may_act: Any) -> str:
    """The same token with a `may_act`, signed by the tenant and of the same family."""
    runtime = tenant.server.runtime
    facts = tenant.read(require_tenant)
    ring = tenant.server.portal.call(key_ring, runtime, facts)
    old = claims_of(token)
    content = AccessTokenContent(
        issuer=tenant.issuer,
        subject=old["sub"],
        audience=old["aud"],
        scopes=old["scope"].split(),
        client_id=old["azp"],
        issued_at=old["iat"],
        lifetime=old["exp"] - old["iat"],
        dialect=TokenDialect.ACCESS_TOKEN,
        is_machine=False,
        custom={"may_act": may_act},
    )
    made = issue.access_token(content, ring, SigningAlgorithm.RS256)
    family = tenant.read(tokens.family_of_access_token, token_digest(token))
    tenant.write(tokens.add_access_token, family.id, token_digest(made), family.expires_at)
    return made


def test_an_id_token_of_the_application_itself(tenant: Tenant, browser: Browser) -> None:
    """§3: the type id_token, and only who it was made for may trade it."""
    client = tenant.application(
        grant_types=("authorization_code", EXCHANGE), token_exchange_audiences=(BACK,)
    )
    granted = sign_in(browser, tenant, client, scope="openid").tokens()
    made = exchange(
        tenant,
        client,
        granted["id_token"],
        subject_token_type=ID_TOKEN,
        requested_token_type=ACCESS_TOKEN,
        scope="read",
    )
    assert made.status_code == 200, made.text
    assert made.json()["scope"] == "read"
    other = tenant.application(
        "non_interactive", grant_types=(EXCHANGE,), token_exchange_audiences=(BACK,)
    )
    stolen = exchange(tenant, other, granted["id_token"], subject_token_type=ID_TOKEN)
    refused(stolen, 400, "invalid_request")
    swapped = exchange(tenant, client, granted["id_token"])
    refused(swapped, 400, "invalid_request")
    family = tenant.read(tokens.family_of_access_token, token_digest(granted["access_token"]))
    tenant.write(tokens.end_family, family.id)
    assert not is_live(tenant, made.json()["access_token"])
    ended = exchange(tenant, client, granted["id_token"], subject_token_type=ID_TOKEN)
    refused(ended, 400, "invalid_request")
