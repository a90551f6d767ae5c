"""`{custom_domain.metadata.KEY}` in registered URLs; RFC 9700 §2.1 for what it stands for."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.core.errors import DomainError
from tests.support.browser import Browser
from tests.support.custom_domains import Domain, name_for, ready
from tests.support.flow import authorize, log_in, request_for
from tests.support.organizations import application, organization
from tests.support.server import CALLBACK, Client, Server, Tenant

KEY = "{custom_domain.metadata.public_app}"
LISTS = ("redirect_uris", "post_logout_redirect_uris", "web_origins", "allowed_origins")
GOOD = [
    f"https://{KEY}",
    f"http://{KEY}:8080",
    f"https://{KEY}.example.com",
    f"https://app-{KEY}-1.example.com",
    f"https://app.{KEY}.com",
    f"https://{KEY}.{KEY}.example.com",
    "https://{custom_domain.metadata.PUBLIC_App-1}.example.com",
]
BAD = [
    "https://{custom_domain.metadata.app}.example.com",
    "https://{custom_domain.metadata.Public_app}.example.com",
    "https://{custom_domain.metadata.public_}.example.com",
    "https://{custom_domain.metadata.public_a.b}.example.com",
    "https://{custom_domain.metadata.}.example.com",
    "https://{custom_domain.public_app}.example.com",
    "https://{custom.domain.metadata.public_app}.example.com",
    f"https://*.{KEY}",
    f"https://*.{KEY}.example.com",
    f"https://{KEY}.Example.com",
    f"https://-{KEY}.example.com",
    f"https://{KEY}_x.example.com",
    f"https://user@{KEY}.example.com",
    f"https://user:{KEY}@example.com",
    f"https://example.com:{KEY}",
    f"{KEY}.example.com",
    f"com.example.app://{KEY}.example.com",
]
ELSEWHERE = [
    f"https://example.com/{KEY}",
    f"https://example.com/?x={KEY}",
    f"https://{KEY}.example.com/{KEY}",
    f"https://{KEY}.example.com/*",
    f"https://{KEY}.example.com/#x",
]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("url", GOOD + BAD)
def test_where_it_may_stand(tenant: Tenant, name: str, url: str) -> None:
    """In the host, with a key that is public, once or more, never beside a `*`."""
    values: dict[str, Any] = {name: (url,)}
    if url in GOOD:
        assert getattr(tenant.application(**values).facts, name) == (url,)
        return
    with pytest.raises(DomainError) as refused:
        tenant.application(**values)
    assert refused.value.field[0] == name


@pytest.mark.parametrize("name", LISTS[:2])
@pytest.mark.parametrize("url", ELSEWHERE)
def test_not_in_the_path(tenant: Tenant, name: str, url: str) -> None:
    values: dict[str, Any] = {name: (url,)}
    with pytest.raises(DomainError) as refused:
        tenant.application(**values)
    assert refused.value.field == (name, "0")


@pytest.mark.parametrize("name", LISTS)
def test_not_for_third_parties(tenant: Tenant, name: str) -> None:
    """Nor when it becomes one."""
    values: dict[str, Any] = {name: (CALLBACK[:23], f"https://{KEY}.example.com")}
    with pytest.raises(DomainError) as refused:
        tenant.application(is_first_party=False, **values)
    assert refused.value.field == (name, "1")
    made = tenant.application(**values)
    with pytest.raises(DomainError):
        tenant.change_application(made, is_first_party=False)


def asks(browser: Browser, at: Tenant, client: Client, uri: str, **more: str) -> bool:
    """Whether the redirect URI is one of the application's: else there is only a page."""
    page = authorize(browser, at, request_for(client, redirect_uri=uri, **more).parameters)
    if page.title == "Log in":
        return True
    assert "redirect_uri" in page.response.text
    return False


def test_what_it_stands_for(server: Server, tenant: Tenant) -> None:
    """At each domain what its own metadata say; at the canonical address nothing."""
    first = ready(tenant, domain_metadata={"public_app": "one", "private": "two"})
    second = ready(tenant, f"two.{name_for(tenant)}", domain_metadata={"public_app": "shop.two"})
    client = tenant.application(redirect_uris=(f"https://{KEY}.example.com/cb", CALLBACK))
    one, two = "https://one.example.com/cb", "https://shop.two.example.com/cb"
    assert asks(first.browser, first.tenant, client, one)
    assert asks(second.browser, second.tenant, client, two)
    for domain in (first, second):
        assert asks(domain.browser, domain.tenant, client, CALLBACK)
    for at, uri in (
        (first, two),
        (second, one),
        (first, f"https://{KEY}.example.com/cb"),
        (first, "https://one.example.com/cb/"),
        (first, "https://one.example.com:443/cb"),
        (first, "https://two.example.com/cb"),
    ):
        assert not asks(at.browser, at.tenant, client, uri)
    for uri in (one, two, f"https://{KEY}.example.com/cb"):
        assert not asks(server.browser(), tenant, client, uri)
    first.change(domain_metadata={"public_app": "three"})
    assert not asks(first.browser, first.tenant, client, one)
    assert asks(first.browser, first.tenant, client, "https://three.example.com/cb")


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        True,
        ["one"],
        {"public_app": "one"},
        "",
        "-one",
        "one.",
        ".one",
        "one..two",
        "one/",
        "evil.example/",
        "evil.example#",
        "evil.example?",
        "evil.example:443",
        "evil.example\\",
        "a@evil",
        "*",
        KEY,
        "{organization_name}",
        "bücher",
        "one two",
        "x" * 64,
        "a." * 121 + "b",
    ],
)
def test_a_value_that_is_no_part_of_a_host(tenant: Tenant, value: object) -> None:
    """The URL is ignored, whatever the request says; the others count."""
    metadata = {"public_app": value} if value is not None else {"other": "x"}
    domain = ready(tenant, domain_metadata=metadata)
    client = tenant.application(redirect_uris=(f"https://{KEY}.example.com/cb", CALLBACK))
    for asked in (
        f"https://{value}.example.com/cb",
        f"https://{KEY}.example.com/cb",
        "https://.example.com/cb",
        "https://one.example.com/cb",
    ):
        page = authorize(
            domain.browser, domain.tenant, request_for(client, redirect_uri=asked).parameters
        )
        assert page.error == "invalid_request"
    assert asks(domain.browser, domain.tenant, client, CALLBACK)


@pytest.fixture
def domain(tenant: Tenant) -> Domain:
    return ready(tenant, domain_metadata={"public_app": "one", "public_top": "com"})


def test_signing_in_and_out(tenant: Tenant, domain: Domain) -> None:
    """The code and the person go where the placeholder leads."""
    url = f"https://{KEY}.example.com/cb"
    client = tenant.application(redirect_uris=(url,), post_logout_redirect_uris=(url,))
    tenant.user()
    browser = domain.browser
    uri = "https://one.example.com/cb"
    asked = request_for(client, redirect_uri=uri)
    page = log_in(browser, authorize(browser, domain.tenant, asked.parameters))
    assert page.left_for.startswith(f"{uri}?")
    fields = {
        "grant_type": "authorization_code",
        "code": page.answer["code"],
        "redirect_uri": uri,
        "code_verifier": asked.verifier,
    }
    tokens = domain.tenant.token(client, **fields).json()
    hint = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": uri}
    assert browser.get(domain.tenant.url("oidc/logout"), hint).left_for == uri
    wrong = hint | {"post_logout_redirect_uri": "https://two.example.com/cb"}
    assert browser.get(domain.tenant.url("oidc/logout"), wrong).error == "invalid_request"


def test_the_one_that_a_request_leaves_out(tenant: Tenant, domain: Domain) -> None:
    """RFC 6749 §3.1.2.3: the only registered URI, as it is at this domain."""
    client = tenant.application(
        oidc_conformant=False, redirect_uris=(f"https://{KEY}.example.com/cb",)
    )
    tenant.user()
    browser = domain.browser
    asked = request_for(client, redirect_uri=None).parameters
    page = log_in(browser, authorize(browser, domain.tenant, asked))
    assert page.left_for.startswith("https://one.example.com/cb?")
    page = authorize(tenant.server.browser(), tenant, asked)
    assert page.error == "invalid_request"


def preflight(at: Tenant, origin: str) -> bool:
    headers = {"origin": origin, "access-control-request-method": "POST"}
    answer = at.server.client.options(at.url("oauth/token"), headers=headers)
    return answer.status_code == 204


def test_scripts_of_other_origins(tenant: Tenant, domain: Domain) -> None:
    """Fetch §3.2: the lists are read as they are at the domain, for answers and preflights."""
    origin = "https://one.example.com"
    client = tenant.application(allowed_origins=(f"https://{KEY}.example.com",))
    for at, expected in ((domain.tenant, True), (tenant, False)):
        answer = tenant.server.client.post(
            at.url("oauth/token"),
            data=client.body | {"grant_type": "refresh_token", "refresh_token": "x"},
            headers={"origin": origin},
        )
        shown = answer.headers.get("access-control-allow-origin")
        assert shown == (origin if expected else None)
        assert preflight(at, origin) is expected
    domain.change(domain_metadata={"public_app": "two"})
    assert not preflight(domain.tenant, origin)
    assert preflight(domain.tenant, "https://two.example.com")


def test_web_messages_and_frames(tenant: Tenant, domain: Domain) -> None:
    """The origins that `web_message` answers and `check_session_iframe` is framed by."""
    origin = "https://one.example.com"
    client = tenant.application(
        redirect_uris=(f"{origin}/cb",), web_origins=(f"https://{KEY}.example.com",)
    )
    message = request_for(client, response_mode="web_message", prompt="none").parameters
    browser = domain.browser
    page = browser.get(domain.tenant.url("authorize"), message)
    assert (page.status, page.left_for) == (200, "")
    page = tenant.server.browser().get(tenant.url("authorize"), message)
    assert page.answer["error"] == "invalid_request"
    other = tenant.server.tenant()
    other.application(redirect_uris=(CALLBACK,), web_origins=(f"https://{KEY}.example.com",))
    framed = ready(other, domain_metadata={"public_app": "framing"})
    for at, expected in ((framed.tenant, True), (other, False)):
        answer = tenant.server.client.get(at.url("oidc/check_session"))
        policy = answer.headers["content-security-policy"]
        assert ("https://framing.example.com" in policy) is expected


def test_beside_an_organization(tenant: Tenant, domain: Domain) -> None:
    """Both may stand in one URL; neither counts without its value, nor under a top-level domain."""
    url = "https://{organization_name}." + KEY + ".example.com/cb"
    top = "https://{organization_name}.{custom_domain.metadata.public_top}/cb"
    client = application(tenant, redirect_uris=(url, top))
    assert client.facts.redirect_uris == (url, top)
    acme, other = organization(tenant, "acme"), organization(tenant, "other")
    browser, here, uri = domain.browser, domain.tenant, "https://acme.one.example.com/cb"
    assert asks(browser, here, client, uri, organization=acme.id)
    assert not asks(browser, here, client, uri)
    assert not asks(browser, here, client, uri, organization=other.id)
    assert not asks(tenant.server.browser(), tenant, client, uri, organization=acme.id)
    for foreign in (
        "https://acme.com/cb",
        "https://{organization_name}.one.example.com/cb",
        "https://{organization_name}.com/cb",
    ):
        assert not asks(browser, here, client, foreign, organization=acme.id)
