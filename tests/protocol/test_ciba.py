"""OpenID Connect CIBA Core 1.0: an application asks a person who is at another device."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from tenantry.core.facts import GrantType, UserFacts
from tenantry.services import users
from tenantry.services.commands import Patch
from tests.support import jwt
from tests.support.browser import Browser
from tests.support.ciba import (
    CIBA,
    EMAIL,
    approve,
    ask,
    asked,
    asking,
    deliveries,
    deny,
    linked,
    opened,
    poll,
)
from tests.support.databases import Databases
from tests.support.flow import authorize, log_in, refused, request_for, sign_in
from tests.support.listener import Listener, listening
from tests.support.mail import MailServer, receiving
from tests.support.server import Client, Server, Tenant, begun, both_databases


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with receiving() as made:
        yield made


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, databases: Databases, portal: BlockingPortal, mail: MailServer
) -> Iterator[Server]:
    """A server with a mail server, whose operator lets it ask addresses on this machine."""
    with (
        databases.url(getattr(request, "param", "sqlite")) as url,
        begun(
            url,
            portal,
            outbound_allow_private=True,
            **mail.settings,
        ) as made,
    ):
        yield made


@pytest.fixture(autouse=True)
def nothing_waits(server: Server, mail: MailServer) -> None:
    """What another test has left is sent before this one begins."""
    deliveries(server)
    mail.messages.clear()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as made:
        yield made


@pytest.fixture
def user(tenant: Tenant) -> UserFacts:
    return tenant.user(EMAIL, email_verified=True)


@pytest.fixture
def client(tenant: Tenant, user: UserFacts) -> Client:
    return asking(tenant)


@both_databases
def test_an_application_gets_tokens_once_the_person_has_approved(
    tenant: Tenant, browser: Browser, mail: MailServer
) -> None:
    """§7 to §11, from the request to the tokens."""
    user, client = tenant.user(EMAIL, email_verified=True), asking(tenant)
    response = ask(tenant, client, scope="openid profile", binding_message="W-12 #4")
    assert response.headers["cache-control"] == "no-store"
    made = response.json()
    assert set(made) == {"auth_req_id", "expires_in", "interval"}
    assert (made["expires_in"], made["interval"]) == (300, 5)
    assert len(made["auth_req_id"]) >= 43
    refused(poll(tenant, client, made), 400, "authorization_pending")
    link = linked(tenant, mail)
    assert mail.recipients[-1] == [EMAIL]
    assert "W-12 #4" in mail.text()
    page = opened(browser, link)
    assert page.text_of("consent-binding-message") == "W-12 #4"
    page = browser.submit(page, "consent-form", press="consent-allow")
    assert page.title == "Request approved"
    tokens = poll(tenant, client, made).json()
    assert tokens["scope"] == "openid profile"
    claims = jwt.claims_of(tokens["id_token"])
    assert (claims["sub"], claims["aud"]) == (user.id, client.id)
    assert claims["amr"] == ["pwd"]
    assert "sid" not in claims
    assert tenant.userinfo(tokens["access_token"]).json()["sub"] == user.id
    refused(poll(tenant, client, made), 400, "invalid_grant")
    assert tenant.events("token.issued")[0].details["grant_type"] == CIBA.value


@both_databases
def test_of_many_polls_one_gets_the_tokens(
    tenant: Tenant, browser: Browser, mail: MailServer
) -> None:
    """§10.1 and RFC 6749 §10.5."""
    tenant.user(EMAIL, email_verified=True)
    client = asking(tenant)
    made = asked(tenant, client)
    approve(browser, linked(tenant, mail))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: poll(tenant, client, made), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7


def test_a_refusal_reaches_the_application(
    tenant: Tenant, browser: Browser, client: Client, mail: MailServer
) -> None:
    """§11: access_denied. The link has served."""
    made = asked(tenant, client)
    link = linked(tenant, mail)
    page = deny(browser, link)
    assert page.title == "Request not approved"
    refused(poll(tenant, client, made), 400, "access_denied")
    assert browser.get(link).status == 400
    assert [event.type for event in tenant.events("backchannel_request.denied")]


def test_who_asks_too_often_is_slowed_down(tenant: Tenant, client: Client) -> None:
    """§11: "the interval MUST be increased by at least 5 seconds"."""
    made, clock = asked(tenant, client), tenant.server.clock
    refused(poll(tenant, client, made), 400, "authorization_pending")
    refused(poll(tenant, client, made), 400, "slow_down")
    clock.advance(7)
    refused(poll(tenant, client, made), 400, "slow_down")
    clock.advance(16)
    refused(poll(tenant, client, made), 400, "authorization_pending")


def test_an_expired_request_serves_nobody(
    tenant: Tenant, browser: Browser, client: Client, mail: MailServer
) -> None:
    """§11: expired_token, whether or not the person has answered."""
    made = asked(tenant, client, requested_expiry="60")
    assert made["expires_in"] == 60
    link = linked(tenant, mail)
    page = opened(browser, link)
    tenant.server.clock.advance(61)
    page = browser.submit(page, "consent-form", press="consent-allow")
    assert page.title == "Request not approved"
    refused(poll(tenant, client, made), 400, "expired_token")
    assert browser.get(link).status == 400
    late = asked(tenant, client, requested_expiry="60")
    approve(tenant.server.browser(), linked(tenant, mail))
    tenant.server.clock.advance(61)
    refused(poll(tenant, client, late), 400, "expired_token")


def test_an_auth_req_id_is_its_application_s(
    tenant: Tenant, browser: Browser, client: Client, mail: MailServer
) -> None:
    """§11: "was issued to another Client"."""
    made = asked(tenant, client)
    approve(browser, linked(tenant, mail))
    refused(poll(tenant, asking(tenant), made), 400, "invalid_grant")
    elsewhere = tenant.server.tenant()
    elsewhere.user(EMAIL, email_verified=True)
    refused(poll(elsewhere, asking(elsewhere), made), 400, "invalid_grant")
    assert poll(tenant, client, made).status_code == 200


def test_opening_the_link_changes_nothing(
    tenant: Tenant, browser: Browser, client: Client, mail: MailServer
) -> None:
    """§8: what looks through mail for people opens links too."""
    made = asked(tenant, client)
    link = linked(tenant, mail)
    with tenant.server.stores_nothing():
        for _ in range(3):
            page = browser.get(link)
            assert page.title == "Approve a request"
            assert page.response.headers["referrer-policy"] == "no-referrer"
    refused(poll(tenant, client, made), 400, "authorization_pending")


def test_nobody_but_the_person_who_is_asked_answers(
    tenant: Tenant, browser: Browser, client: Client, mail: MailServer
) -> None:
    """§8: the link alone is not enough, whoever signs in with it."""
    tenant.user("eve@example.com", email_verified=True)
    made = asked(tenant, client)
    link = linked(tenant, mail)
    page = browser.submit(browser.get(link), "approval-form")
    page = log_in(browser, page, "eve@example.com")
    assert page.title == "Request not approved"
    assert "somebody else" in page.text_of("approval-reason")
    refused(poll(tenant, client, made), 400, "authorization_pending")
    assert approve(browser, link).title == "Request approved"


def test_a_tenant_that_asks_for_no_sign_in(
    tenant: Tenant, browser: Browser, client: Client, mail: MailServer, user: UserFacts
) -> None:
    """§8: the mail alone stands for the person; a POST decides, once, whoever else is signed in."""
    tenant.change(require_login_for_approval_links=False)
    tenant.user("eve@example.com", email_verified=True)
    page = authorize(browser, tenant, request_for(tenant.application()).parameters)
    assert log_in(browser, page, "eve@example.com").left_for
    made = asked(tenant, client, binding_message="W-12")
    link = linked(tenant, mail)
    with tenant.server.stores_nothing():
        assert browser.get(link).title == "Approve a request"
    page = browser.submit(browser.get(link), "approval-form")
    assert page.title == "Allow access"
    assert page.text_of("consent-binding-message") == "W-12"
    assert EMAIL in page.response.text
    page = browser.submit(page, "consent-form", press="consent-allow")
    assert page.title == "Request approved"
    tokens = poll(tenant, client, made).json()
    claims = jwt.claims_of(tokens["id_token"])
    assert claims["sub"] == user.id
    assert not {"amr", "acr", "sid"} & set(claims)
    assert browser.get(link).status == 400
    made = asked(tenant, client)
    link = linked(tenant, mail)
    page = browser.submit(browser.get(link), "approval-form")
    browser.submit(page, "consent-form", press="consent-deny")
    refused(poll(tenant, client, made), 400, "access_denied")


@pytest.mark.parametrize("closed", ["the setting", "a block"])
def test_a_link_alone_no_longer_stands_for_the_person(
    tenant: Tenant,
    browser: Browser,
    client: Client,
    mail: MailServer,
    user: UserFacts,
    closed: str,
) -> None:
    """§8: what holds is what the tenant says when the person answers."""
    tenant.change(require_login_for_approval_links=False)
    made = asked(tenant, client)
    page = browser.submit(browser.get(linked(tenant, mail)), "approval-form")
    if closed == "a block":
        tenant.block(user)
    else:
        tenant.change(require_login_for_approval_links=True)
    assert browser.submit(page, "consent-form", press="consent-allow").title == "Log in"
    refused(poll(tenant, client, made), 400, "authorization_pending")


def test_the_form_needs_its_token(
    tenant: Tenant, browser: Browser, client: Client, mail: MailServer
) -> None:
    """RFC 6819 §4.4.1.8."""
    asked(tenant, client)
    link = linked(tenant, mail)
    ticket = link.partition("ticket=")[2]
    url = tenant.url("u/approval")
    assert browser.post(url, {"ticket": ticket}).status == 403
    token = browser.get(link).forms["approval-form"].value("form_token")
    other = tenant.server.browser()
    assert other.post(url, {"ticket": ticket, "form_token": token}).status == 403
    assert browser.post(url, {"ticket": "x" + ticket, "form_token": token}).status == 403
    assert browser.get(f"{url}?ticket=x").status == 400


@pytest.mark.parametrize(
    "message", ["x" * 65, "pay <b>now</b>", "line\u2028break", "\u202eright", " led", "👍", '"']
)
def test_an_odd_binding_message_is_refused(tenant: Tenant, client: Client, message: str) -> None:
    """§13: invalid_binding_message."""
    refused(ask(tenant, client, binding_message=message), 400, "invalid_binding_message")


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "ten", "259201", "9" * 30])
def test_an_odd_requested_expiry_is_refused(tenant: Tenant, client: Client, value: str) -> None:
    """§7.1: "A positive integer"."""
    refused(ask(tenant, client, requested_expiry=value), 400, "invalid_request")


REFUSED: dict[str, tuple[dict[str, str], int, str]] = {
    "no hint": ({"login_hint": ""}, 400, "invalid_request"),
    "two hints": ({"id_token_hint": "x"}, 400, "invalid_request"),
    "no openid": ({"scope": "profile"}, 400, "invalid_scope"),
    "no scope": ({"scope": ""}, 400, "invalid_scope"),
    "somebody unknown": ({"login_hint": "nobody@example.com"}, 400, "unknown_user_id"),
    "a subject of another issuer": (
        {"login_hint": '{"format":"iss_sub","iss":"https://x.example","sub":"1"}'},
        400,
        "invalid_request",
    ),
    "a login_hint that is half JSON": ({"login_hint": '{"format"'}, 400, "invalid_request"),
    "a forged ID token": ({"login_hint": "", "id_token_hint": "a.b.c"}, 400, "invalid_request"),
    "a forged token": ({"login_hint": "", "login_hint_token": "a.b.c"}, 400, "invalid_request"),
    "an unknown API": ({"audience": "https://no.example.com"}, 400, "invalid_target"),
    "a request_uri": ({"request_uri": "https://x.example/r"}, 400, "invalid_request"),
    "an odd notification token": ({"client_notification_token": "a b"}, 400, "invalid_request"),
    "a long notification token": (
        {"client_notification_token": "a" * 1025},
        400,
        "invalid_request",
    ),
    "an unknown organization": ({"organization": "org_nobody"}, 400, "invalid_request"),
}


@pytest.mark.parametrize("fields, status, error", REFUSED.values(), ids=REFUSED)
def test_what_a_request_must_be(
    tenant: Tenant, client: Client, fields: dict[str, str], status: int, error: str
) -> None:
    """§7.1, §7.2 and §13."""
    refused(ask(tenant, client, **fields), status, error)
    assert deliveries(tenant.server) == 0


def test_only_an_application_that_may_asks(tenant: Tenant, user: UserFacts) -> None:
    """§7.1: it authenticates, and has the grant."""
    client = tenant.application()
    refused(ask(tenant, client), 400, "unauthorized_client")
    answer = tenant.token(client, grant_type=CIBA.value, auth_req_id="x")
    refused(answer, 400, "unauthorized_client")
    able = asking(tenant)
    refused(ask(tenant, Client(able.facts, "wrong" * 8)), 401, "invalid_client")
    refused(tenant.token(able, grant_type=CIBA.value), 400, "invalid_request")
    sent = able.body | {"scope": "openid", "login_hint": EMAIL}
    assert tenant.server.client.get(tenant.url("bc-authorize"), params=sent).status_code == 405


@pytest.mark.parametrize(
    "hint",
    [
        lambda tenant, user: user.id,
        lambda tenant, user: EMAIL.upper(),
        lambda tenant, user: json.dumps({"format": "email", "email": EMAIL}),
        lambda tenant, user: json.dumps(
            {"format": "iss_sub", "iss": tenant.issuer, "sub": user.id}
        ),
    ],
)
def test_ways_to_name_a_person(tenant: Tenant, client: Client, user: UserFacts, hint: Any) -> None:
    """§7.1: login_hint."""
    asked(tenant, client, login_hint=hint(tenant, user))
    assert tenant.events("backchannel_request.created")[0].user_id == user.id


@pytest.mark.parametrize("subject_type", ["public", "pairwise"])
def test_an_id_token_names_its_person(
    tenant: Tenant, browser: Browser, user: UserFacts, subject_type: str
) -> None:
    """§7.1: id_token_hint, for the application that it was issued to."""
    grants = (CIBA, GrantType.AUTHORIZATION_CODE)
    client = tenant.application(grant_types=grants, subject_type=subject_type)
    other = tenant.application(grant_types=grants)
    token = sign_in(browser, tenant, client).tokens()["id_token"]
    fields = {"login_hint": "", "id_token_hint": token}
    asked(tenant, client, **fields)
    assert tenant.events("backchannel_request.created")[0].user_id == user.id
    refused(ask(tenant, other, **fields), 400, "invalid_request")


def test_a_person_who_cannot_be_asked(tenant: Tenant, client: Client) -> None:
    """§13: one answer for whoever is unknown, blocked or of another connection."""
    blocked = tenant.user("blocked@example.com", email_verified=True)
    tenant.block(blocked)
    refused(ask(tenant, client, login_hint="blocked@example.com"), 400, "unknown_user_id")
    tenant.disconnect(client)
    refused(ask(tenant, client), 400, "unknown_user_id")


def test_mail_goes_to_verified_addresses_alone(tenant: Tenant, client: Client) -> None:
    """§13: access_denied."""
    tenant.user("new@example.com")
    refused(ask(tenant, client, login_hint="new@example.com"), 403, "access_denied")
    assert deliveries(tenant.server) == 0


def test_nobody_is_asked_without_end(tenant: Tenant, client: Client) -> None:
    """§14: a person who is asked again and again allows it in the end."""
    for _ in range(20):
        asked(tenant, client)
    response = ask(tenant, client)
    refused(response, 429, "too_many_requests")
    assert 0 < int(response.headers["retry-after"]) <= 900
    deliveries(tenant.server)


def test_an_application_without_channel_asks_nobody(tenant: Tenant, user: UserFacts) -> None:
    for channels in ((), ("push",)):
        client = asking(tenant, async_approval_notification_channels=channels)
        refused(ask(tenant, client), 400, "invalid_request")


def test_an_api_that_gives_users_nothing(tenant: Tenant, client: Client) -> None:
    api = tenant.api("https://closed.example.com", user_access_policy="deny_all")
    refused(ask(tenant, client, audience=api.identifier), 403, "access_denied")


def test_an_api_answers_with_its_own_scopes(
    tenant: Tenant, browser: Browser, client: Client, mail: MailServer
) -> None:
    api = tenant.api("https://bank.example.com", "pay")
    made = asked(tenant, client, audience=api.identifier, scope="openid pay steal")
    approve(browser, linked(tenant, mail))
    tokens = poll(tenant, client, made).json()
    assert tokens["scope"] == "openid pay"
    assert api.identifier in jwt.claims_of(tokens["access_token"])["aud"]


TAKEN_BACK: dict[str, Any] = {
    "a block": lambda tenant, user: tenant.block(user),
    "a new password": lambda tenant, user: tenant.set_password(user, "x" * 12),
    "a deletion": lambda tenant, user: tenant.write(users.delete, Patch(user.id)),
}


@pytest.mark.parametrize("take_back", TAKEN_BACK.values(), ids=TAKEN_BACK)
def test_what_was_taken_back_before_the_poll(
    tenant: Tenant,
    browser: Browser,
    client: Client,
    user: UserFacts,
    mail: MailServer,
    take_back: Any,
) -> None:
    """RFC 6749 §10.5: the answer of a minute ago holds no longer."""
    made = asked(tenant, client)
    approve(browser, linked(tenant, mail))
    take_back(tenant, user)
    refused(poll(tenant, client, made), 400, "invalid_grant")


@pytest.mark.parametrize("decide, state", [(approve, 200), (deny, 400)])
def test_a_ping_says_that_there_is_an_answer(
    tenant: Tenant,
    browser: Browser,
    user: UserFacts,
    mail: MailServer,
    listener: Listener,
    decide: Any,
    state: int,
) -> None:
    """§10.2: which request, by the application's own token; after a refusal too."""
    client = asking(
        tenant,
        backchannel_token_delivery_mode="ping",
        backchannel_client_notification_endpoint=f"{listener.origin}/ping",
    )
    refused(ask(tenant, client), 400, "invalid_request")
    token = "8d67dc78-7faa-4d41-aabd-67707b374255"
    made = asked(tenant, client, client_notification_token=token)
    link = linked(tenant, mail)
    decide(browser, link)
    listener.statuses.append(503)
    assert deliveries(tenant.server) == 1
    tenant.server.clock.advance(20)
    assert deliveries(tenant.server) == 1
    for (path, body), headers in zip(listener.requests, listener.headers, strict=True):
        assert path == "/ping"
        assert json.loads(body) == {"auth_req_id": made["auth_req_id"]}
        assert headers["authorization"] == f"Bearer {token}"
        assert headers["content-type"] == "application/json"
    assert len(listener.requests) == 2
    assert poll(tenant, client, made).status_code == state


@pytest.mark.parametrize("status", [401, 403, 301])
def test_a_ping_that_is_refused_is_not_sent_again(
    tenant: Tenant,
    browser: Browser,
    user: UserFacts,
    mail: MailServer,
    listener: Listener,
    status: int,
) -> None:
    """§10.2: that is left to people; "the OP MUST NOT follow" redirects. The tokens still wait."""
    client = asking(
        tenant,
        backchannel_token_delivery_mode="ping",
        backchannel_client_notification_endpoint=f"{listener.origin}/ping",
    )
    made = asked(tenant, client, client_notification_token="one")
    approve(browser, linked(tenant, mail))
    listener.statuses.append(status)
    assert deliveries(tenant.server) == 1
    tenant.server.clock.advance(60)
    assert deliveries(tenant.server) == 0
    assert [path for path, _ in listener.requests] == ["/ping"]
    assert tenant.events("delivery.failed")[0].details["attempts"] == 1
    assert poll(tenant, client, made).status_code == 200


def test_ping_needs_an_address(tenant: Tenant) -> None:
    """§4: backchannel_client_notification_endpoint."""
    with pytest.raises(Exception, match="Ping needs"):
        asking(tenant, backchannel_token_delivery_mode="ping")


@pytest.mark.parametrize(
    "values",
    [
        {"is_first_party": False},
        {"token_endpoint_auth_method": "none"},
        {"oidc_conformant": False},
    ],
)
def test_who_may_have_the_grant(tenant: Tenant, values: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="can use the urn:openid:params:grant-type:ciba grant"):
        asking(tenant, **values)


def test_discovery_names_what_there_is(server: Server, tenant: Tenant) -> None:
    """§4."""
    found = server.client.get(tenant.url(".well-known/openid-configuration")).json()
    assert found["backchannel_authentication_endpoint"] == tenant.url("bc-authorize")
    assert found["backchannel_token_delivery_modes_supported"] == ["poll", "ping"]
    assert found["backchannel_user_code_parameter_supported"] is True
    assert CIBA.value in found["grant_types_supported"]
