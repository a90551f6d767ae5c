"""The four logout specifications for an application that registered itself, step by step.

Each goes the whole way: registration, sign-in, logout, what is heard of it, and a silent
request that must find nobody signed in.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from anyio.from_thread import BlockingPortal

from tenantry.jobs.outbox import deliver
from tests.support import jwt
from tests.support.browser import Browser, Page, query_of
from tests.support.databases import Databases
from tests.support.flow import Granted, authorize, request_for, sign_in
from tests.support.listener import Listener, listening
from tests.support.registration import client_of, register
from tests.support.server import Client, Server, Tenant, begun

AFTER = "https://app.example.com/post_logout_redirect"
NEEDS_A_PAGE = {"login_required", "interaction_required", "account_selection_required"}


@pytest.fixture(scope="module")
def server(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    """A server whose operator lets it ask addresses on this machine."""
    with (
        databases.url("sqlite") as url,
        begun(url, portal, outbound_allow_private=True) as made,
    ):
        yield made


@pytest.fixture
def tenant(server: Server) -> Tenant:
    made = server.tenant(enable_dynamic_client_registration=True)
    made.user()
    return made


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as made:
        yield made


def application(tenant: Tenant, **metadata: Any) -> Client:
    answer = register(tenant, post_logout_redirect_uris=[AFTER], **metadata)
    for name, value in metadata.items():
        assert answer[name] == value
    return client_of(tenant, answer)


def end_session(tenant: Tenant, browser: Browser, **parameters: str) -> Page:
    return browser.get(tenant.url("oidc/logout"), parameters)


def full(granted: Granted, **changes: str | None) -> dict[str, str]:
    """A whole request, with a state that is longer than most."""
    parameters = {
        "id_token_hint": granted.tokens()["id_token"],
        "post_logout_redirect_uri": AFTER,
        "state": secrets.token_urlsafe(96),
    } | changes
    return {name: value for name, value in parameters.items() if value is not None}


def is_over(tenant: Tenant, browser: Browser, client: Client) -> bool:
    answer = authorize(browser, tenant, request_for(client, prompt="none").parameters).answer
    return answer.get("error") in NEEDS_A_PAGE and "code" not in answer


@pytest.mark.parametrize("state", ["~-._" * 32, None])
def test_the_browser_comes_back(tenant: Tenant, browser: Browser, state: str | None) -> None:
    """RP-Initiated Logout §2 and §3: with the state unchanged, and with nothing else."""
    client = application(tenant)
    asked = full(sign_in(browser, tenant, client), state=state)
    page = end_session(tenant, browser, **asked)
    assert page.left_for.partition("?")[0] == AFTER
    expected = {} if state is None else {"state": [state]}
    assert parse_qs(urlsplit(page.left_for).query) == expected
    assert is_over(tenant, browser, client)


def test_without_a_place_to_go_the_person_is_told(tenant: Tenant, browser: Browser) -> None:
    """RP-Initiated Logout §2: signed out, on a page of ours."""
    client = application(tenant)
    asked = full(sign_in(browser, tenant, client), post_logout_redirect_uri=None)
    page = end_session(tenant, browser, **asked)
    assert (page.status, page.title, page.left_for) == (200, "Signed out", "")
    assert is_over(tenant, browser, client)


def unsigned(token: str) -> str:
    return jwt.forged({"alg": "none"}, jwt.claims_of(token))


NO_WAY_BACK: dict[str, Any] = {
    "an unregistered address": {"post_logout_redirect_uri": f"{AFTER}/bad"},
    "a query that was added": {"post_logout_redirect_uri": f"{AFTER}?foo=bar"},
    "no hint": {"id_token_hint": None},
    "an unsigned hint": {"id_token_hint": unsigned},
    "a hint that is none": {"id_token_hint": "bad"},
    "nothing but a state": {"id_token_hint": None, "post_logout_redirect_uri": None},
    "nothing": {"id_token_hint": None, "post_logout_redirect_uri": None, "state": None},
}


@pytest.mark.parametrize("changes", NO_WAY_BACK.values(), ids=NO_WAY_BACK)
def test_no_way_back(tenant: Tenant, browser: Browser, changes: dict[str, Any]) -> None:
    """RP-Initiated Logout §2 to §4 and §6: an error or a question, on a page; nobody signed out."""
    client = application(tenant)
    granted = sign_in(browser, tenant, client)
    whole = full(granted)
    changed = {
        name: value(whole[name]) if callable(value) else value for name, value in changes.items()
    }
    asked = {name: value for name, value in (whole | changed).items() if value is not None}
    page = end_session(tenant, browser, **asked)
    assert not page.left_for
    assert "location" not in page.response.headers
    assert page.title in {"Something went wrong", "Do you want to sign out?"}
    assert not is_over(tenant, browser, client)


def test_the_back_channel(
    server: Server, tenant: Tenant, browser: Browser, listener: Listener
) -> None:
    """Back-Channel Logout §2.2 to §2.5: one form field, the names of the ID token, no nonce."""
    client = application(
        tenant,
        backchannel_logout_uri=f"{listener.origin}/backchannel_logout",
        backchannel_logout_session_required=True,
    )
    granted = sign_in(browser, tenant, client)
    asked = full(granted)
    page = end_session(tenant, browser, **asked)
    assert query_of(page.left_for) == {"state": asked["state"]}
    assert server.portal.call(deliver, server.runtime.store, server.application.deliveries) == 1
    ((path, body),) = listener.requests
    assert path == "/backchannel_logout"
    fields = parse_qs(body.decode(), strict_parsing=True)
    assert fields.keys() == {"logout_token"}
    (token,) = fields["logout_token"]
    jwt.verify(token, tenant.jwks())
    claims, named = jwt.claims_of(token), jwt.claims_of(asked["id_token_hint"])
    assert (claims["iss"], claims["aud"]) == (tenant.issuer, client.id)
    assert (claims["sub"], claims["sid"]) == (named["sub"], named["sid"])
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert isinstance(claims["iat"], int)
    assert claims["jti"]
    assert "nonce" not in claims
    assert is_over(tenant, browser, client)


@pytest.mark.parametrize("required", [True, False, None])
def test_the_front_channel(tenant: Tenant, browser: Browser, required: bool | None) -> None:
    """Front-Channel Logout §2 and §3: `iss` and `sid`, nothing else; "If omitted, the default
    value is false".
    """
    uri = "https://app.example.com/frontchannel_logout"
    more = {} if required is None else {"frontchannel_logout_session_required": required}
    client = application(tenant, frontchannel_logout_uri=uri, **more)
    asked = full(sign_in(browser, tenant, client))
    page = end_session(tenant, browser, **asked)
    (frame,) = (given["src"] for tag, given in page.tags if tag == "iframe")
    sid = jwt.claims_of(asked["id_token_hint"])["sid"]
    if required:
        assert frame.partition("?")[0] == uri
        assert query_of(frame) == {"iss": tenant.issuer, "sid": sid}
    else:
        assert frame == uri
    (onward,) = (given["href"] for tag, given in page.tags if given.get("id") == "logout-continue")
    assert onward == f"{AFTER}?state={asked['state']}"
    assert is_over(tenant, browser, client)


def test_session_management(tenant: Tenant, browser: Browser) -> None:
    """Session Management §2 and §3.2: a state of the session, which another sign-in changes."""
    client = application(tenant)
    granted = sign_in(browser, tenant, client)
    assert " " not in granted.answer["session_state"]
    frame = browser.get(tenant.url("oidc/check_session"))
    assert frame.status == 200
    policy = frame.response.headers["content-security-policy"]
    assert "frame-ancestors" in policy
    assert "https://app.example.com" in policy
    end_session(tenant, browser, **full(granted))
    assert is_over(tenant, browser, client)


def test_discovery(https_server: Server) -> None:
    """RP-Initiated Logout §2.1, Back-Channel §2.1, Front-Channel §3, Session Management §3.3."""
    tenant = https_server.tenant()
    url = tenant.url(".well-known/openid-configuration")
    metadata = tenant.server.client.get(url).json()
    for name in ("backchannel", "frontchannel"):
        assert metadata[f"{name}_logout_supported"] is True
        assert metadata[f"{name}_logout_session_supported"] is True
    endpoints = {name: value for name, value in metadata.items() if name.endswith("_endpoint")}
    endpoints["check_session_iframe"] = metadata["check_session_iframe"]
    assert "end_session_endpoint" in endpoints
    assert all(value.startswith("https://") for value in endpoints.values())
