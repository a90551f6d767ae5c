"""Where `*` may stand in a registered URL, and what it matches (RFC 9700 §2.1 for all others)."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.core.errors import DomainError
from tests.support.browser import Browser
from tests.support.flow import authorize, log_in, request_for
from tests.support.organizations import application, organization
from tests.support.server import Server, Tenant

GOOD = [
    "https://*.example.com/cb",
    "http://*.example.com:8080/cb?x=1",
    "https://prefix-*-suffix.example.com/cb",
]
BAD = [
    "https://*.com/cb",
    "https://*/cb",
    "https://*.localhost/cb",
    "https://sub.*.example.com/cb",
    "https://*.*.example.com/cb",
    "https://**.example.com/cb",
    "https://-*.example.com/cb",
    "https://example.com/*",
    "https://example.com/cb?x=*",
    "https://*@app.example.com/cb",
    "https://*.example.com:*/cb",
    "https://*.Example.com/cb",
    "https://*_x.example.com/cb",
    "com.example.*:/cb",
    "com.example.app://*.example.com/cb",
    "https://*.{organization_name}.example.com/cb",
    "https://{organization_name}.*.example.com/cb",
    "https://{organization_name}-*.example.com/cb",
    "https://{organization_name}",
    "https://{organization_name}/cb",
    "https://{organization_name}.com/cb",
    "https://example.com/{organization_name}",
    "https://example.com/cb?x={organization_name}",
    "https://sub.{organization_name}.example.com/cb",
    "https://{organization_name}.{organization_name}.example.com/cb",
    "https://{organization_name}.example.com/{organization_name}",
    "https://prefix-{organization_name}-suffix.example.com/cb",
    "https://{organization_name}x.example.com/cb",
    "https://{organization_name}.Example.com/cb",
    "https://{Organization_Name}.example.com/cb",
    "https://{organization_id}.example.com/cb",
    "https://{organization_name}@app.example.com/cb",
    "https://{organization_name}.example.com:{organization_name}/cb",
    "https://{organization_name}.example.com/cb#x",
    "com.example.app://{organization_name}.example.com/cb",
]
WITHIN = "https://{organization_name}.example.com/cb"


@pytest.mark.parametrize("name", ["redirect_uris", "post_logout_redirect_uris"])
@pytest.mark.parametrize("uri", GOOD + BAD)
def test_registration(tenant: Tenant, name: str, uri: str) -> None:
    values: dict[str, Any] = {name: (uri,)}
    if uri in GOOD:
        assert getattr(tenant.application(**values).facts, name) == (uri,)
        return
    with pytest.raises(DomainError) as refused:
        tenant.application(**values)
    assert refused.value.field[0] == name


@pytest.mark.parametrize("name", ["web_origins", "allowed_origins"])
def test_origins(tenant: Tenant, name: str) -> None:
    good: dict[str, Any] = {name: ("https://*.example.com", "https://a-*.example.com:8443")}
    tenant.application(**good)
    for origin in ("https://*.com", "https://a.*.example.com", "https://*.*.example.com"):
        bad: dict[str, Any] = {name: (origin,)}
        with pytest.raises(DomainError):
            tenant.application(**bad)


def test_where_the_name_of_an_organization_may_stand(tenant: Tenant) -> None:
    """In callbacks and in origins for scripts; in no other list."""
    origin = "https://{organization_name}.example.com"
    made = tenant.application(redirect_uris=(WITHIN,), allowed_origins=(origin,))
    assert made.facts.redirect_uris == (WITHIN,)
    assert made.facts.allowed_origins == (origin,)
    for name, uri in {"post_logout_redirect_uris": WITHIN, "web_origins": origin}.items():
        bad: dict[str, Any] = {name: (uri,)}
        with pytest.raises(DomainError) as refused:
            tenant.application(**bad)
        assert refused.value.field == (name, "0")
    for wrong in ("https://*.{organization_name}.example.com", "https://{organization_name}"):
        with pytest.raises(DomainError):
            tenant.application(allowed_origins=(wrong,))


@pytest.mark.parametrize("usage", ["allow", "require", "deny"])
def test_the_name_of_the_organization(tenant: Tenant, browser: Browser, usage: str) -> None:
    """It stands for the organization of the request, where the application takes any."""
    user = tenant.user()
    acme, other = organization(tenant, "acme", user), organization(tenant, "other", user)
    client = application(tenant, usage, redirect_uris=(WITHIN,))
    allowed = usage != "deny"
    for reference, label, known in (
        (acme.id, "acme", allowed),
        (acme.id, "other", False),
        (other.id, "other", allowed),
        (None, "acme", False),
        ("org_unknown", "acme", False),
        (acme.id, "{organization_name}", False),
        (acme.id, "ACME", False),
        (acme.id, "x.acme", False),
    ):
        uri = f"https://{label}.example.com/cb"
        asked = request_for(client, redirect_uri=uri, organization=reference)
        page = authorize(browser, tenant, asked.parameters)
        if page.title == "Log in":
            page = log_in(browser, page)
        if known:
            assert page.left_for.startswith(f"{uri}?code=")
        else:
            assert page.error == "invalid_request"


def test_a_name_that_is_no_label_stands_for_nothing(tenant: Tenant, browser: Browser) -> None:
    """What is good in a request may not be a part of a host."""
    user = tenant.user()
    client = application(tenant, redirect_uris=(WITHIN,))
    for name in ("under_score", "ends-"):
        made = organization(tenant, name, user)
        uri = f"https://{name}.example.com/cb"
        asked = request_for(client, redirect_uri=uri, organization=made.id)
        assert authorize(browser, tenant, asked.parameters).error == "invalid_request"


def test_scripts_of_an_organization(server: Server, tenant: Tenant) -> None:
    """Where an organization of this tenant has its page, for applications that take any."""
    organization(tenant, "acme")
    organization(server.tenant(), "theirs")
    origins: dict[str, Any] = {"allowed_origins": ("https://{organization_name}.example.org",)}
    takes, denies = application(tenant, **origins), application(tenant, "deny", **origins)
    for label, known in {"acme": True, "theirs": False, "{organization_name}": False}.items():
        origin = f"https://{label}.example.org"
        response = tenant.server.client.options(
            tenant.url("oauth/token"),
            headers={"origin": origin, "access-control-request-method": "POST"},
        )
        assert response.status_code == (204 if known else 403)
        for client in (takes, denies):
            response = tenant.server.client.post(
                tenant.url("oauth/token"),
                data=client.body | {"grant_type": "refresh_token", "refresh_token": "x"},
                headers={"origin": origin},
            )
            shown = response.headers.get("access-control-allow-origin")
            assert shown == (origin if known and client is takes else None)


def test_the_tenants_own_list_is_exact(tenant: Tenant) -> None:
    with pytest.raises(DomainError):
        tenant.change(allowed_logout_urls=("https://*.example.com/out",))


ASKED = {
    "https://a.example.com/cb": True,
    "https://a-1.example.com/cb": True,
    "https://xn--bcher-kva.example.com/cb": True,
    "https://sub1.sub2.example.com/cb": False,
    "https://example.com/cb": False,
    "https://.example.com/cb": False,
    "https://-.example.com/cb": False,
    "https://*.example.com/cb": False,
    "https://A.example.com/cb": False,
    "https://a_b.example.com/cb": False,
    "https://a.example.com/cb/more": False,
    "https://a.example.com/cb?x=1": False,
    "https://a.example.com/cb#x": False,
    "https://a.example.com:8443/cb": False,
    "http://a.example.com/cb": False,
    "https://evil.test/.example.com/cb": False,
    "https://evil.test#.example.com/cb": False,
    "https://evil.test?.example.com/cb": False,
    "https://evil.test\\.example.com/cb": False,
    "https://user@a.example.com/cb": False,
    "https://evil.test%2f.example.com/cb": False,
    "https://" + "a" * 64 + ".example.com/cb": False,
}


@pytest.mark.parametrize("uri", ASKED)
def test_matching(tenant: Tenant, browser: Browser, uri: str) -> None:
    """One label, and everything else as text."""
    client = tenant.application(redirect_uris=("https://*.example.com/cb",))
    tenant.user()
    page = authorize(browser, tenant, request_for(client, redirect_uri=uri).parameters)
    if ASKED[uri]:
        assert log_in(browser, page).left_for.startswith(f"{uri}?code=")
    else:
        assert page.error == "invalid_request"


def test_prefix_and_suffix(tenant: Tenant, browser: Browser) -> None:
    client = tenant.application(redirect_uris=("https://pre-*-post.example.com/cb",))
    for host, known in {"pre-7-post": True, "pre--post": False, "pre-post": False}.items():
        asked = request_for(client, redirect_uri=f"https://{host}.example.com/cb")
        page = authorize(browser, tenant, asked.parameters)
        assert (page.title == "Log in") is known, host


def test_a_pattern_is_no_default_redirect_uri(tenant: Tenant, browser: Browser) -> None:
    client = tenant.application(redirect_uris=("https://*.example.com/cb",), oidc_conformant=False)
    asked = request_for(client, redirect_uri=None)
    assert authorize(browser, tenant, asked.parameters).error == "invalid_request"
    tenant.change_application(client, redirect_uris=(WITHIN,))
    assert authorize(browser, tenant, asked.parameters).error == "invalid_request"


def test_logout(tenant: Tenant, browser: Browser) -> None:
    """RP-Initiated Logout §3."""
    client = tenant.application(post_logout_redirect_uris=("https://*.example.com/out",))
    for uri, known in {
        "https://a.example.com/out": True,
        "https://a.b.example.com/out": False,
    }.items():
        page = browser.get(
            tenant.url("oidc/logout"), {"client_id": client.id, "post_logout_redirect_uri": uri}
        )
        assert (page.left_for == uri) is known


def test_cross_origin(tenant: Tenant) -> None:
    tenant.application("spa", allowed_origins=("https://*.example.org",))
    for origin, known in {"https://a.example.org": 204, "https://a.b.example.org": 403}.items():
        response = tenant.server.client.options(
            tenant.url("oauth/token"),
            headers={"origin": origin, "access-control-request-method": "POST"},
        )
        assert response.status_code == known
