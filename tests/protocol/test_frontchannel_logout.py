"""OpenID Connect Front-Channel Logout 1.0: the browser tells the applications."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tenantry.core.errors import DomainError
from tests.support import jwt
from tests.support.browser import Browser, Page, query_of
from tests.support.flow import sign_in
from tests.support.server import Client, Server, Tenant

AFTER = "https://app.example.com/signed-out"
FRAME = "https://app.example.com/forget-me?from=us"
OTHER = "https://second.example.com"


@pytest.fixture
def client(tenant: Tenant) -> Client:
    tenant.user()
    return tenant.application(
        post_logout_redirect_uris=(AFTER,),
        frontchannel_logout_uri=FRAME,
        frontchannel_logout_session_required=True,
    )


def frames(page: Page) -> list[str]:
    return [attributes["src"] for tag, attributes in page.tags if tag == "iframe"]


def policy(page: Page) -> dict[str, list[str]]:
    """The content security policy by directive."""
    directives = page.response.headers["content-security-policy"].split(";")
    return {words[0]: words[1:] for words in map(str.split, directives)}


def test_the_signed_out_page_frames_who_took_part(
    server: Server, tenant: Tenant, browser: Browser, client: Client
) -> None:
    """Front-Channel Logout §2 and §3: the registered addresses, with `iss` and `sid`."""
    second = tenant.application(
        name="Second",
        redirect_uris=(f"{OTHER}/callback",),
        frontchannel_logout_uri=f"{OTHER}/out",
    )
    tenant.application(name="Stranger", frontchannel_logout_uri=FRAME)
    sid = jwt.claims_of(sign_in(browser, tenant, client).tokens()["id_token"])["sid"]
    sign_in(browser, tenant, second).tokens()
    page = browser.get(tenant.url("v2/logout"))
    assert page.title == "Signed out"
    shown = frames(page)
    assert {url.partition("?")[0] for url in shown} == {FRAME.partition("?")[0], f"{OTHER}/out"}
    for url in shown:
        query = query_of(url)
        assert (query["iss"], query["sid"]) == (tenant.issuer, sid)
    assert query_of(next(url for url in shown if OTHER not in url))["from"] == "us"
    assert set(policy(page)["frame-src"]) == {"https://app.example.com", OTHER}
    assert policy(page)["script-src"] == ["'self'"]
    assert policy(page)["default-src"] == ["'none'"]
    assert page.response.headers["referrer-policy"] == "no-referrer"
    again = browser.get(tenant.url("v2/logout"))
    assert frames(again) == []
    assert "frame-src" not in policy(again)


@pytest.mark.parametrize("required", [True, False])
def test_iss_and_sid_are_both_there_or_both_not(
    tenant: Tenant, browser: Browser, client: Client, required: bool
) -> None:
    """Front-Channel Logout §2: `frontchannel_logout_session_required`; "if either is included,
    both MUST be".
    """
    tenant.change_application(client, frontchannel_logout_session_required=required)
    sid = jwt.claims_of(sign_in(browser, tenant, client).tokens()["id_token"])["sid"]
    (url,) = frames(browser.get(tenant.url("v2/logout")))
    if required:
        assert query_of(url) == {"from": "us", "iss": tenant.issuer, "sid": sid}
    else:
        assert url == FRAME


def test_the_frames_come_before_the_redirect(
    tenant: Tenant, browser: Browser, client: Client
) -> None:
    """RP-Initiated Logout §3 after Front-Channel Logout §3: frames, then the registered URL."""
    id_token = sign_in(browser, tenant, client).tokens()["id_token"]
    page = browser.get(
        tenant.url("oidc/logout"),
        {"id_token_hint": id_token, "post_logout_redirect_uri": AFTER, "state": 'a"b&c'},
    )
    assert (page.status, page.left_for) == (200, "")
    assert len(frames(page)) == 1
    target = f"{AFTER}?state=a%22b%26c"
    (refresh,) = (
        attributes["content"]
        for tag, attributes in page.tags
        if tag == "meta" and attributes.get("http-equiv") == "refresh"
    )
    assert refresh == f"3;url={target}"
    (link,) = (
        attributes["href"]
        for tag, attributes in page.tags
        if tag == "a" and attributes.get("id") == "logout-continue"
    )
    assert link == target
    assert not browser.cookies("session")


def test_without_frames_the_browser_is_sent_at_once(tenant: Tenant, browser: Browser) -> None:
    """RP-Initiated Logout §3."""
    tenant.user()
    client = tenant.application(post_logout_redirect_uris=(AFTER,))
    id_token = sign_in(browser, tenant, client).tokens()["id_token"]
    fields = {"id_token_hint": id_token, "post_logout_redirect_uri": AFTER}
    assert browser.get(tenant.url("oidc/logout"), fields).left_for == AFTER


def test_an_application_that_changed_is_framed_as_it_is_now(
    tenant: Tenant, browser: Browser, client: Client
) -> None:
    """Front-Channel Logout §2: the address that is registered."""
    sign_in(browser, tenant, client).tokens()
    tenant.change_application(client, frontchannel_logout_uri=None)
    assert frames(browser.get(tenant.url("v2/logout"))) == []


@pytest.mark.parametrize("uri", ["https://evil.example.com/out", "https://app.example.com:444/out"])
def test_the_address_is_at_the_origin_of_a_redirect_uri(tenant: Tenant, uri: str) -> None:
    """Front-Channel Logout §2: "domain, port, and scheme of this URL MUST be the same"."""
    with pytest.raises(DomainError, match="redirect URI"):
        tenant.application(frontchannel_logout_uri=uri)
    client = tenant.application(frontchannel_logout_uri=FRAME)
    with pytest.raises(DomainError, match="redirect URI"):
        tenant.change_application(client, redirect_uris=("https://elsewhere.example.com/",))


def test_discovery(tenant: Tenant) -> None:
    """Front-Channel Logout §3.1."""
    url = tenant.url(".well-known/openid-configuration")
    metadata = tenant.server.client.get(url).json()
    assert metadata["frontchannel_logout_supported"] is True
    assert metadata["frontchannel_logout_session_supported"] is True


def test_origins_only(tenant: Tenant, browser: Browser, client: Client) -> None:
    """Nothing of an address but its origin stands in the policy."""
    sign_in(browser, tenant, client).tokens()
    page = browser.get(tenant.url("v2/logout"))
    for source in policy(page)["frame-src"]:
        assert urlsplit(source).path == ""
