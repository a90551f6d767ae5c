"""RFC 9126: pushed authorization requests."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tenantry.store import installation
from tests.support.browser import Browser
from tests.support.client_keys import assertion_claims, proving, public_jwk, rsa_key, signed
from tests.support.flow import authorize, log_in, refused, request_for
from tests.support.pushing import PREFIX, follow, push, pushed, sign_in_pushed
from tests.support.server import CALLBACK, Client, Server, Tenant, both_databases

LIFETIME = 60
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def client(tenant: Tenant) -> Client:
    tenant.user()
    return tenant.application()


def now_of(tenant: Tenant) -> int:
    """The server's clock, which tests move."""
    return int(tenant.server.clock.now().timestamp())


def refused_page(page: Any) -> None:
    """A page that sends nobody anywhere."""
    assert (page.status, page.left_for) == (400, "")
    assert "invalid_request_uri" in page.error


@both_databases
def test_the_flow(server: Server, tenant: Tenant, client: Client, browser: Browser) -> None:
    """§1.1 and §2.2: pushed, begun by the browser with two parameters, answered as any other."""
    asked = request_for(client)
    response = push(tenant, client, asked.parameters)
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/json"
    assert "no-store" in response.headers["cache-control"]
    answer = response.json()
    assert answer == {"request_uri": answer["request_uri"], "expires_in": LIFETIME}
    assert answer["request_uri"].startswith(PREFIX)
    granted = sign_in_pushed(browser, tenant, client)
    assert granted.answer.keys() >= {"code", "state", "iss"}
    assert granted.answer["state"] == granted.asked.state
    assert granted.tokens()["scope"] == "openid profile email"
    assert [event.client_id for event in tenant.events("authorization.pushed")] == [client.id] * 2


def test_references_cannot_be_guessed(tenant: Tenant, client: Client) -> None:
    """§7.1: at least 128 bits of chance, and kept as a digest only."""
    parameters = request_for(client).parameters
    references = {pushed(tenant, client, parameters) for _ in range(20)}
    assert len(references) == 20
    for reference in references:
        assert len(base64.urlsafe_b64decode(reference.removeprefix(PREFIX) + "==")) >= 16
    with tenant.server.runtime.store.database.reading() as connection:
        kept = connection.exec_driver_sql("SELECT * FROM pushed_requests").all()
    assert not any(reference in str(row) for row in kept for reference in references)


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
def test_the_application_proves_itself(tenant: Tenant, method: str) -> None:
    """§2: as at the token endpoint."""
    client = tenant.application(token_endpoint_auth_method=method)
    parameters, url = request_for(client).parameters, tenant.url("oauth/par")
    http = tenant.server.client
    assert http.post(url, data=parameters, auth=(client.id, client.secret)).status_code == 201
    del parameters["client_id"]
    assert http.post(url, data=parameters, auth=(client.id, client.secret)).status_code == 201
    for answer in (
        http.post(url, data=parameters | {"client_id": client.id}),
        http.post(url, data=parameters | {"client_id": client.id, "client_secret": "wrong"}),
        http.post(url, data=parameters, auth=(client.id, "wrong")),
        http.post(url, data=parameters),
    ):
        refused(answer, 401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic")
    both = {"client_secret": client.secret}
    twice = http.post(url, data=parameters | both, auth=(client.id, client.secret))
    refused(twice, 400, "invalid_request")


@pytest.mark.parametrize("audience", ["{issuer}", "{issuer}oauth/token", "{issuer}oauth/par"])
def test_an_assertion(tenant: Tenant, browser: Browser, audience: str) -> None:
    """§2: the issuer, the token endpoint and this one are all good as the `aud`."""
    tenant.user()
    client = tenant.application(
        token_endpoint_auth_method="private_key_jwt", jwks={"keys": [public_jwk(rsa_key())]}
    )
    now = now_of(tenant)
    audience = audience.format(issuer=tenant.issuer)
    claims = assertion_claims(tenant, client, aud=audience, iat=now, exp=now + 60)
    proof = proving(signed(claims, rsa_key()))
    parameters = request_for(client).parameters
    response = push(tenant, client, parameters, **proof)
    assert response.status_code == 201, response.text
    assert follow(browser, tenant, client, response.json()["request_uri"]).title == "Log in"
    # The same `jti` a second time, at whichever endpoint.
    refused(push(tenant, client, parameters, **proof), 401, "invalid_client")
    refused(push(tenant, client, parameters), 401, "invalid_client")


def test_a_public_application_pushes_too(tenant: Tenant, browser: Browser) -> None:
    """§2: without a secret, and with a proof key as everywhere."""
    tenant.user()
    client = tenant.application("spa")
    assert sign_in_pushed(browser, tenant, client).redeem().status_code == 200
    asked = request_for(client, code_challenge=None, code_challenge_method=None)
    refused(push(tenant, client, asked.parameters), 400, "invalid_request")


def test_scripts_push(tenant: Tenant) -> None:
    """§2: a script of a registered origin may, another may not read the answer."""
    client = tenant.application("spa", allowed_origins=("https://web.example.com",))
    http, url = tenant.server.client, tenant.url("oauth/par")
    for origin, allowed in (("https://web.example.com", True), ("https://e.example.com", False)):
        parameters = request_for(client).parameters
        response = http.post(url, data=parameters, headers={"Origin": origin})
        assert (response.headers.get("access-control-allow-origin") == origin) is allowed


def test_one_sign_in(server: Server, tenant: Tenant, client: Client, browser: Browser) -> None:
    """§7.3: the browser that began may reload; nobody else begins; after the end nobody does."""
    asked = request_for(client)
    reference = pushed(tenant, client, asked.parameters)
    first = follow(browser, tenant, client, reference)
    assert first.title == "Log in"
    stranger = server.browser()
    with server.stores_nothing():
        refused_page(follow(stranger, tenant, client, reference))
        again = follow(browser, tenant, client, reference)
    assert (again.title, again.url) == ("Log in", first.url)
    # The life of the reference is over, that of the sign-in is not.
    server.clock.advance(LIFETIME + 1)
    assert follow(browser, tenant, client, reference).title == "Log in"
    page = log_in(browser, first)
    if page.title == "Allow access":
        page = browser.submit(page, "consent-form", press="consent-allow")
    assert page.answer["state"] == asked.state
    for late in (browser, stranger):
        refused_page(follow(late, tenant, client, reference))


def test_a_signed_in_person_uses_it_up(tenant: Tenant, client: Client, browser: Browser) -> None:
    """§7.3: where nobody needs to be asked, the first use is the last."""
    sign_in_pushed(browser, tenant, client)
    reference = pushed(tenant, client, request_for(client).parameters)
    assert "code" in follow(browser, tenant, client, reference).answer
    refused_page(follow(browser, tenant, client, reference))


@both_databases
def test_it_expires(server: Server, tenant: Tenant, client: Client, browser: Browser) -> None:
    """§2.2: after `expires_in` seconds, as the application has set them."""
    tenant.change_application(client, pushed_authorization_request_lifetime=30)
    for passed, title in ((29, "Log in"), (30, "Something went wrong")):
        response = push(tenant, client, request_for(client).parameters)
        assert response.json()["expires_in"] == 30
        server.clock.advance(passed)
        page = follow(server.browser(), tenant, client, response.json()["request_uri"])
        assert page.title == title


def test_of_another(server: Server, tenant: Tenant, client: Client, browser: Browser) -> None:
    """§2.2 and §7.2: bound to the application that pushed, and to its tenant."""
    other = tenant.application(name="Other")
    reference = pushed(tenant, client, request_for(client).parameters)
    refused_page(follow(browser, tenant, other, reference))
    elsewhere = server.tenant()
    foreign = elsewhere.application()
    refused_page(follow(browser, elsewhere, foreign, reference))
    refused_page(follow(browser, tenant, client, f"{reference}x"))
    refused_page(follow(browser, tenant, client, PREFIX))
    assert follow(browser, tenant, client, reference).title == "Log in"


def test_what_the_browser_adds_counts_for_nothing(
    tenant: Tenant, client: Client, browser: Browser
) -> None:
    """§4 and RFC 9101 §6.3: only what was pushed."""
    asked = request_for(client, scope="openid")
    reference = pushed(tenant, client, asked.parameters)
    outside = {
        "client_id": client.id,
        "request_uri": reference,
        "state": "forged",
        "scope": "openid email",
        "redirect_uri": "https://attacker.example.com/",
        "prompt": "none",
        "response_mode": "fragment",
    }
    page = log_in(browser, authorize(browser, tenant, outside))
    if page.title == "Allow access":
        page = browser.submit(page, "consent-form", press="consent-allow")
    assert page.left_for.startswith(f"{CALLBACK}?")
    assert page.answer["state"] == asked.state


BAD: dict[str, tuple[dict[str, str | None], str]] = {
    "no redirect_uri": ({"redirect_uri": None}, "invalid_request"),
    "another redirect_uri": ({"redirect_uri": "https://e.example.com/"}, "invalid_request"),
    "no response_type": ({"response_type": None}, "invalid_request"),
    "unknown response_type": ({"response_type": "x"}, "unsupported_response_type"),
    "no scope": ({"scope": None}, "invalid_scope"),
    "plain challenge": ({"code_challenge_method": "plain"}, "invalid_request"),
    "a short challenge": ({"code_challenge": "x"}, "invalid_request"),
    "odd prompt": ({"prompt": "none login"}, "invalid_request"),
    "odd max_age": ({"max_age": "soon"}, "invalid_request"),
    "odd claims": ({"claims": "x"}, "invalid_request"),
    "odd response_mode": ({"response_mode": "x"}, "invalid_request"),
    "unknown audience": ({"audience": "https://unknown.example.com"}, "invalid_target"),
    "a forged hint": ({"id_token_hint": "e30.e30."}, "invalid_request"),
    "unknown organization": ({"organization": "org_x"}, "invalid_request"),
    "request_uri": ({"request_uri": "https://app.example.com/r"}, "invalid_request"),
    "a pushed request_uri": ({"request_uri": f"{PREFIX}x"}, "invalid_request"),
    "another client_id": ({"client_id": "somebody"}, "invalid_client"),
    "a broken request": ({"request": "x.y.z"}, "invalid_request_object"),
    "registration": ({"registration": "{}"}, "registration_not_supported"),
}


@pytest.mark.parametrize("name", BAD)
def test_it_is_read_when_it_is_pushed(
    server: Server, tenant: Tenant, client: Client, name: str
) -> None:
    """§2.1 (3) and §2.3: as at the authorization endpoint, told as the token endpoint tells."""
    changes, error = BAD[name]
    parameters = request_for(client, **changes).parameters
    pushes = tenant.server.client.post(tenant.url("oauth/par"), data=client.body | parameters)
    status = 401 if error == "invalid_client" else pushes.status_code
    refused(pushes, status, error)
    assert 400 <= status < 500
    if error != "invalid_client":
        event = tenant.events("authorization.refused")[0]
        assert (event.client_id, event.details["error"]) == (client.id, error)
    with server.runtime.store.database.reading() as connection:
        count = "SELECT count(*) FROM pushed_requests WHERE client_id = ?"
        assert connection.exec_driver_sql(count, (client.id,)).scalar() == 0


def test_repeated_and_misplaced(tenant: Tenant, client: Client) -> None:
    """§2.1 and §2.3: each parameter once, in a body, by POST."""
    parameters, url = request_for(client).parameters, tenant.url("oauth/par")
    http = tenant.server.client
    assert http.get(url).status_code == 405
    body = client.body | parameters
    refused(http.post(f"{url}?scope=openid", data=body), 400, "invalid_request")
    refused(http.post(url, data=body | {"state": ["a", "b"]}), 400, "invalid_request")
    for content, kind, status in (("x" * 70_000, FORM, 413), ("x", "text/plain", 415)):
        response = http.post(url, content=content, headers={"content-type": kind})
        refused(response, status, "invalid_request")


def test_both_ways_at_once(tenant: Tenant, client: Client, browser: Browser) -> None:
    """RFC 9101 §5: request and request_uri exclude each other, pushed or not."""
    reference = pushed(tenant, client, request_for(client).parameters)
    both = {"client_id": client.id, "request_uri": reference, "request": "x.y.z"}
    assert "invalid_request" in authorize(browser, tenant, both).error


def test_an_application_that_must_push(tenant: Tenant, client: Client, browser: Browser) -> None:
    """§5 and §6: another request is refused, where it can be at its own address."""
    tenant.change_application(client, require_pushed_authorization_requests=True)
    asked = request_for(client)
    page = authorize(browser, tenant, asked.parameters)
    assert (page.answer["error"], page.answer["state"]) == ("invalid_request", asked.state)
    assert "push" in page.answer["error_description"]
    assert page.answer["iss"] == tenant.issuer
    page = authorize(browser, tenant, {"client_id": client.id, "scope": "openid"})
    assert (page.status, "invalid_request" in page.error) == (400, True)
    assert sign_in_pushed(browser, tenant, client).redeem().status_code == 200


def test_a_tenant_without(tenant: Tenant, client: Client, browser: Browser) -> None:
    """§5: switched off it is not advertised, takes nothing, and begins with nothing."""
    reference = pushed(tenant, client, request_for(client).parameters)
    tenant.change(pushed_authorization_requests_supported=False)
    document = tenant.server.client.get(tenant.url(".well-known/openid-configuration")).json()
    assert "pushed_authorization_request_endpoint" not in document
    refused(push(tenant, client, request_for(client).parameters), 400, "invalid_request")
    page = follow(browser, tenant, client, reference)
    assert (page.status, "invalid_request" in page.error) == (400, True)


def test_what_changed_since_counts(tenant: Tenant, client: Client, browser: Browser) -> None:
    """§4 and §7.4: what was pushed is read again by the settings of now."""
    reference = pushed(tenant, client, request_for(client).parameters)
    tenant.change_application(client, redirect_uris=("https://app.example.com/other",))
    page = follow(browser, tenant, client, reference)
    assert (page.status, page.left_for) == (400, "")
    assert "invalid_request" in page.error


def signed_request(tenant: Tenant, client: Client, **changes: Any) -> tuple[Any, str]:
    asked = request_for(client)
    claims = asked.parameters | {
        "iss": client.id,
        "aud": tenant.issuer,
        "exp": now_of(tenant) + 60,
    }
    claims |= changes
    return asked, signed(claims, rsa_key(), "PS256")


def test_with_a_request_object(tenant: Tenant, browser: Browser) -> None:
    """§3: the signed one counts, what stands beside it in the body does not."""
    tenant.user()
    client = tenant.application(
        jwks={"keys": [public_jwk(rsa_key())]},
        require_signed_request_object=True,
        require_pushed_authorization_requests=True,
    )
    asked, token = signed_request(tenant, client)
    reference = pushed(tenant, client, {"request": token, "state": "forged", "scope": "openid"})
    page = log_in(browser, follow(browser, tenant, client, reference))
    if page.title == "Allow access":
        page = browser.submit(page, "consent-form", press="consent-allow")
    assert page.answer["state"] == asked.state
    # RFC 9101 §10.5: such an application cannot push what nobody signed.
    refused(push(tenant, client, request_for(client).parameters), 400, "invalid_request")
    # §3: the client_id of the request object is the one that was authenticated.
    for changes in ({"client_id": "other"}, {"iss": "other"}, {"exp": 1}, {"request_uri": "x"}):
        _, bad = signed_request(tenant, client, **changes)
        refused(push(tenant, client, {"request": bad}), 400, "invalid_request_object")


@pytest.fixture
def second(server: Server) -> Iterator[Server]:
    """Another process on the same database."""
    url = server.runtime.store.database.url.render_as_string(hide_password=False)
    made = Server(url, server.portal, clock=server.clock)
    yield made
    made.close()


@both_databases
def test_two_processes(
    server: Server, tenant: Tenant, client: Client, second: Server, browser: Browser
) -> None:
    """§7.3: pushed at one, begun at the other, and not once more at the first."""
    reference = pushed(tenant, client, request_for(client).parameters)
    there = Tenant(second, tenant.read(installation.find_tenant, tenant.id))
    elsewhere = second.browser()
    page = follow(elsewhere, there, client, reference)
    assert page.title == "Log in"
    refused_page(follow(browser, tenant, client, reference))
    assert "code" in log_in(elsewhere, page).answer
    refused_page(follow(elsewhere, there, client, reference))
    refused_page(follow(browser, tenant, client, reference))
