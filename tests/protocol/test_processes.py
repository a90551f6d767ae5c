"""RFC 6749 §10.2 and §2.3.1, across processes: what one changes, the others follow."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tenantry.store import installation, kept_emails
from tests.support.browser import Browser, query_of
from tests.support.ciba import EMAIL, asked, asking, claims_for, deliveries, poll, send
from tests.support.client_keys import assertion_claims, proving, public_jwk, rsa_key, signed
from tests.support.flow import refused, request_for, sign_in
from tests.support.server import Client, Server, Tenant, both_databases

API = "https://api.example.com"
ASK = {"grant_type": "client_credentials", "audience": API}


@pytest.fixture
def second(server: Server) -> Iterator[Server]:
    """Another process on the same database."""
    url = server.runtime.store.database.url.render_as_string(hide_password=False)
    made = Server(url, server.portal, clock=server.clock)
    yield made
    made.close()


def there(tenant: Tenant, server: Server) -> Tenant:
    """The same tenant, asked of another process."""
    return Tenant(server, tenant.read(installation.find_tenant, tenant.id))


@both_databases
def test_a_rotated_secret_ends_at_once(server: Server, tenant: Tenant, second: Server) -> None:
    """RFC 6749 §10.2: the old one in no process for longer than a second, the new one in all."""
    client = tenant.application("non_interactive")
    tenant.api(API)
    tenant.grant(client, API)
    elsewhere = there(tenant, second)
    assert tenant.token(client, **ASK).status_code == 200
    assert elsewhere.token(client, **ASK).status_code == 200
    began = time.monotonic()
    rotated = tenant.rotate_secret(client)
    refused(tenant.token(client, **ASK), 401, "invalid_client")
    assert tenant.token(rotated, **ASK).status_code == 200
    while elsewhere.token(client, **ASK).status_code == 200:
        assert time.monotonic() - began < 1
        time.sleep(0.01)
    refused(elsewhere.token(client, **ASK), 401, "invalid_client")
    assert elsewhere.token(rotated, **ASK).status_code == 200


@both_databases
def test_what_was_missing_is_found(server: Server, tenant: Tenant, second: Server) -> None:
    """RFC 6749 §2.2: a process that remembers an application as unknown learns of it."""
    elsewhere = there(tenant, second)
    client = Client(tenant.application().facts, "x")
    refused(elsewhere.token(client, grant_type="x"), 401, "invalid_client")
    refused(elsewhere.token(client, **ASK), 401, "invalid_client")
    made = tenant.application("non_interactive", name="Later")
    tenant.api(API)
    refused_once = elsewhere.token(made, **ASK)
    assert refused_once.status_code in {401, 403}
    tenant.grant(made, API)
    began = time.monotonic()
    while elsewhere.token(made, **ASK).status_code != 200:
        assert time.monotonic() - began < 1
        time.sleep(0.01)


@both_databases
def test_a_flow_across_processes(
    server: Server, tenant: Tenant, second: Server, browser: Browser
) -> None:
    """RFC 6749 §4.1: nothing of a flow lives in the memory of one process."""
    client = tenant.application()
    tenant.user()
    granted = sign_in(browser, tenant, client)
    elsewhere = there(tenant, second)
    response = elsewhere.token(client, **granted.fields())
    assert response.status_code == 200
    token = response.json()["access_token"]
    assert tenant.userinfo(token).status_code == 200
    refused(tenant.token(client, **granted.fields()), 400, "invalid_grant")
    assert elsewhere.userinfo(token).status_code == 401


@both_databases
def test_what_counts_once_counts_once_everywhere(
    server: Server, tenant: Tenant, second: Server
) -> None:
    """RFC 7523 §3 and CIBA Core §7.1.1: an assertion and a signed request, at two processes."""
    keys: dict[str, Any] = {"jwks": {"keys": [public_jwk(rsa_key())]}}
    tenant.user(EMAIL, email_verified=True)
    machine = tenant.application(
        "non_interactive", token_endpoint_auth_method="private_key_jwt", **keys
    )
    tenant.api(API)
    tenant.grant(machine, API)
    asker, elsewhere = asking(tenant, **keys), there(tenant, second)
    proof = ASK | proving(signed(assertion_claims(tenant, machine), rsa_key()))
    request = signed(claims_for(tenant, asker), rsa_key(), kid="k1")
    for where, first in ((elsewhere, True), (tenant, False), (elsewhere, False)):
        answer = where.server.client.post(where.url("oauth/token"), data=proof)
        assert (answer.status_code, answer.json().get("error")) == (
            (200, None) if first else (401, "invalid_client")
        )
        answer = send(where, asker, request)
        assert (answer.status_code, answer.json().get("error")) == (
            (200, None) if first else (400, "invalid_request")
        )


@both_databases
def test_a_person_is_asked_across_processes(
    server: Server, tenant: Tenant, second: Server, browser: Browser
) -> None:
    """CIBA Core §10.1 and §11: asked at one, polled at both, answered at the other, once."""
    tenant.user(EMAIL, email_verified=True)
    tenant.change(require_login_for_approval_links=False)
    client, elsewhere = asking(tenant), there(tenant, second)
    made = asked(tenant, client)
    refused(poll(elsewhere, client, made), 400, "authorization_pending")
    refused(poll(tenant, client, made), 400, "slow_down")
    assert deliveries(second)
    (mail,) = tenant.read(kept_emails.latest, 1)
    (link,) = re.findall(r"http\S+", mail.text)
    page = browser.submit(browser.get(link), "approval-form")
    browser.submit(page, "consent-form", press="consent-allow")
    with ThreadPoolExecutor(8) as pool:
        turns = [tenant, elsewhere] * 4
        answers = list(pool.map(lambda where: poll(where, client, made), turns))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7


def test_what_begins_at_one_issuer_ends_at_it(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """RFC 9207 §1 and RFC 8414 §3.3: an installation that moved does not go on where it was."""
    client = tenant.application()
    tenant.user()
    granted = sign_in(browser, tenant, client)
    tokens = sign_in(browser, tenant, client).tokens()
    hint = {"id_token_hint": tokens["id_token"]}
    (cookie,) = browser.cookies("session").items()
    url = server.runtime.store.database.url.render_as_string(hide_password=False)
    moved = Server(url, server.portal, public_url="http://127.0.0.1:9000", clock=server.clock)
    elsewhere = there(tenant, moved)
    assert elsewhere.issuer != tenant.issuer
    with server.stores_nothing():
        refused(elsewhere.token(client, **granted.fields()), 400, "invalid_grant")
        refused(elsewhere.userinfo(tokens["access_token"]), 401, "invalid_token")
        page = moved.browser().get(elsewhere.url("oidc/logout"), hint)
        assert "id_token_hint" in page.response.text
        assert page.error == "invalid_request"
    asked = request_for(client, prompt="none")
    headers = {"cookie": "=".join(cookie)}
    answers = [
        query_of(
            at.server.client.get(
                at.url("authorize"), params=asked.parameters, headers=headers
            ).headers["location"]
        )
        for at in (elsewhere, tenant)
    ]
    assert answers[0]["error"] == "login_required"
    assert "code" in answers[1]
    assert granted.tokens()
    moved.close()
