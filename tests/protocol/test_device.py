"""RFC 8628: a device shows a code, a person answers elsewhere, the device gets tokens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tenantry.core.facts import GrantType
from tenantry.services import users
from tenantry.services.commands import Patch
from tenantry.store import consents
from tests.support.browser import Browser, Page
from tests.support.flow import log_in, refused
from tests.support.server import Client, Server, Tenant, both_databases

DEVICE = GrantType.DEVICE_CODE


def native(tenant: Tenant, **values: Any) -> Client:
    return tenant.application("native", grant_types=(DEVICE,), **values)


def ask(tenant: Tenant, client: Client, **fields: str) -> httpx2.Response:
    given = client.body | {"scope": "openid"} | fields
    return tenant.server.client.post(tenant.url("oauth/device/code"), data=given)


def codes(tenant: Tenant, client: Client, **fields: str) -> dict[str, Any]:
    response = ask(tenant, client, **fields)
    assert response.status_code == 200, response.text
    made: dict[str, Any] = response.json()
    return made


def poll(tenant: Tenant, client: Client, made: dict[str, Any]) -> httpx2.Response:
    return tenant.token(client, grant_type=DEVICE.value, device_code=made["device_code"])


def type_code(browser: Browser, tenant: Tenant, user_code: str) -> Page:
    page = browser.get(tenant.url("u/device"))
    assert page.title == "Connect a device"
    return browser.submit(page, "device-form", user_code=user_code)


def connect(browser: Browser, tenant: Tenant, user_code: str) -> Page:
    page = type_code(browser, tenant, user_code)
    if page.title == "Log in":
        page = log_in(browser, page)
    assert page.title == "Allow access"
    return browser.submit(page, "consent-form", press="consent-allow")


@both_databases
def test_a_device_gets_tokens_once_the_person_has_answered(
    tenant: Tenant, browser: Browser
) -> None:
    """§3.1 to §3.5."""
    client, user = native(tenant), tenant.user()
    response = ask(tenant, client, scope="openid profile")
    assert response.headers["cache-control"] == "no-store"
    made = response.json()
    assert set(made) == {
        "device_code",
        "user_code",
        "verification_uri",
        "verification_uri_complete",
        "expires_in",
        "interval",
    }
    assert (made["expires_in"], made["interval"]) == (900, 5)
    assert made["verification_uri"] == tenant.url("u/device")
    assert made["verification_uri_complete"] == tenant.url(
        f"u/device?user_code={made['user_code']}"
    )
    assert len(made["device_code"]) >= 43
    refused(poll(tenant, client, made), 400, "authorization_pending")
    page = connect(browser, tenant, made["user_code"])
    assert page.title == "Device connected"
    tokens = poll(tenant, client, made).json()
    assert tokens["scope"] == "openid profile"
    assert tenant.userinfo(tokens["access_token"]).json()["sub"] == user.id
    refused(poll(tenant, client, made), 400, "invalid_grant")
    assert tenant.events("token.issued")[0].details["grant_type"] == DEVICE.value


@both_databases
def test_of_many_polls_one_gets_the_tokens(tenant: Tenant, browser: Browser) -> None:
    """§3.5 and RFC 6749 §10.5."""
    client = native(tenant)
    tenant.user()
    made = codes(tenant, client)
    connect(browser, tenant, made["user_code"])
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: poll(tenant, client, made), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7


def test_a_device_that_asks_too_often_is_slowed_down(tenant: Tenant) -> None:
    """§3.5: five seconds more, for this and all later requests."""
    client = native(tenant)
    made, clock = codes(tenant, client), tenant.server.clock
    refused(poll(tenant, client, made), 400, "authorization_pending")
    refused(poll(tenant, client, made), 400, "slow_down")
    clock.advance(7)
    refused(poll(tenant, client, made), 400, "slow_down")
    clock.advance(16)
    refused(poll(tenant, client, made), 400, "authorization_pending")
    assert tenant.events("token.refused") == []


def test_a_refusal_reaches_the_device(tenant: Tenant, browser: Browser) -> None:
    """§3.5: access_denied."""
    client = native(tenant)
    tenant.user()
    made = codes(tenant, client)
    page = log_in(browser, type_code(browser, tenant, made["user_code"]))
    page = browser.submit(page, "consent-form", press="consent-deny")
    assert page.title == "Device not connected"
    refused(poll(tenant, client, made), 400, "access_denied")
    page = type_code(browser, tenant, made["user_code"])
    assert (page.status, page.title) == (400, "Connect a device")


def test_an_expired_code_serves_nobody(tenant: Tenant, browser: Browser) -> None:
    """§3.5: expired_token."""
    client = native(tenant)
    tenant.user()
    made = codes(tenant, client)
    page = log_in(browser, type_code(browser, tenant, made["user_code"]))
    tenant.server.clock.advance(901)
    page = browser.submit(page, "consent-form", press="consent-allow")
    assert page.title == "Device not connected"
    refused(poll(tenant, client, made), 400, "expired_token")
    assert type_code(browser, tenant, made["user_code"]).status == 400


def test_a_device_code_is_its_applications(tenant: Tenant, browser: Browser) -> None:
    client, other = native(tenant), native(tenant)
    tenant.user()
    made = codes(tenant, client)
    connect(browser, tenant, made["user_code"])
    refused(poll(tenant, other, made), 400, "invalid_grant")
    elsewhere = tenant.server.tenant()
    refused(poll(elsewhere, native(elsewhere), made), 400, "invalid_grant")
    assert type_code(tenant.server.browser(), elsewhere, made["user_code"]).status == 400
    assert poll(tenant, client, made).status_code == 200


def test_only_an_application_with_the_grant_asks(tenant: Tenant) -> None:
    client = tenant.application("native")
    refused(ask(tenant, client), 400, "unauthorized_client")
    refused(
        tenant.token(client, grant_type=DEVICE.value, device_code="x"), 400, "unauthorized_client"
    )
    refused(ask(tenant, Client(client.facts, "a-secret")), 401, "invalid_client")
    able = native(tenant)
    refused(ask(tenant, able, audience="https://nobody.example.com"), 400, "invalid_target")
    refused(ask(tenant, able, scope=""), 400, "invalid_scope")
    refused(tenant.token(able, grant_type=DEVICE.value), 400, "invalid_request")


def test_a_confidential_native_application_proves_itself(tenant: Tenant) -> None:
    client = native(tenant, token_endpoint_auth_method="client_secret_post")
    assert ask(tenant, client).status_code == 200
    refused(ask(tenant, Client(client.facts, "")), 401, "invalid_client")


@pytest.mark.parametrize("change", [str.lower, lambda code: code.replace("-", " "), "  {} ".format])
def test_case_and_separators_do_not_matter(tenant: Tenant, browser: Browser, change: Any) -> None:
    """§6.1."""
    made = codes(tenant, native(tenant))
    tenant.user()
    assert type_code(browser, tenant, change(made["user_code"])).title == "Log in"


def test_the_tenant_chooses_the_form_of_codes(tenant: Tenant, browser: Browser) -> None:
    """§6.1."""
    client = native(tenant)
    user_code = codes(tenant, client)["user_code"]
    assert len(user_code) == 9
    assert user_code[4] == "-"
    assert set(user_code) - {"-"} <= set("BCDFGHJKLMNPQRSTVWXZ")
    tenant.change(device_user_code_charset="digits", device_user_code_mask="*** *** ***")
    made = codes(tenant, client)
    groups = made["user_code"].split(" ")
    assert [len(group) for group in groups] == [3, 3, 3]
    assert "".join(groups).isdigit()
    assert " " not in made["verification_uri_complete"]
    page = browser.get(made["verification_uri_complete"])
    assert page.forms["device-form"].value("user_code") == made["user_code"]


def test_a_signed_in_person_is_still_asked(tenant: Tenant, browser: Browser) -> None:
    """§5.4: the person always confirms, a first-party application too."""
    client = native(tenant)
    tenant.user()
    connect(browser, tenant, codes(tenant, client)["user_code"])
    page = type_code(browser, tenant, codes(tenant, client)["user_code"])
    assert page.title == "Allow access"
    assert "device" in page.text_of("consent-device")


def test_no_page_leads_around_the_sign_in(tenant: Tenant, browser: Browser) -> None:
    made = codes(tenant, native(tenant))
    tenant.user()
    page = type_code(browser, tenant, made["user_code"])
    handle = page.url.partition("state=")[2]
    assert browser.get(tenant.url(f"u/consent?state={handle}")).title == "Log in"
    other = tenant.server.browser()
    assert other.get(tenant.url(f"u/consent?state={handle}")).title == "Something went wrong"


def test_the_form_needs_its_token(tenant: Tenant, browser: Browser) -> None:
    """RFC 6819 §4.4.1.8."""
    made = codes(tenant, native(tenant))
    url = tenant.url("u/device")
    assert browser.post(url, {"user_code": made["user_code"]}).status == 403
    token = browser.get(url).forms["device-form"].value("form_token")
    forged = {"user_code": made["user_code"], "form_token": token}
    assert tenant.server.browser().post(url, forged).status == 403


def test_guessing_codes_ends(tenant: Tenant, browser: Browser) -> None:
    """§5.1: a browser that forgets its cookies is counted all the same."""
    client = native(tenant)
    tenant.user()
    for _ in range(20):
        assert type_code(tenant.server.browser(), tenant, "BBBB-BBBB").status == 400
    made = codes(tenant, client)
    page = type_code(browser, tenant, made["user_code"])
    assert page.status == 429
    assert 0 < int(page.response.headers["retry-after"]) <= 900
    assert tenant.events("device.code_refused")
    tenant.server.clock.advance(901)
    made = codes(tenant, client)
    assert type_code(browser, tenant, made["user_code"]).title == "Log in"


def test_right_codes_are_no_guesses(tenant: Tenant, browser: Browser) -> None:
    client = native(tenant)
    tenant.user()
    for _ in range(25):
        assert type_code(browser, tenant, codes(tenant, client)["user_code"]).title == "Log in"


TAKEN_BACK: dict[str, Any] = {
    "a block": lambda tenant, client, user: tenant.block(user),
    "a new password": lambda tenant, client, user: tenant.set_password(user, "x" * 12),
    "a deletion": lambda tenant, client, user: tenant.write(users.delete, Patch(user.id)),
    "the consent": lambda tenant, client, user: tenant.write(
        consents.delete_for_client, user.id, client.id
    ),
}


@pytest.mark.parametrize("take_back", TAKEN_BACK.values(), ids=TAKEN_BACK)
def test_what_was_taken_back_before_the_device_asks(
    tenant: Tenant, browser: Browser, take_back: Any
) -> None:
    """§3.5 and RFC 6749 §10.5: the answer of a minute ago holds no longer."""
    client, user = native(tenant, is_first_party=False), tenant.user()
    made = codes(tenant, client)
    assert connect(browser, tenant, made["user_code"]).title == "Device connected"
    take_back(tenant, client, user)
    refused(poll(tenant, client, made), 400, "invalid_grant")


@pytest.mark.parametrize("take_back", TAKEN_BACK.values(), ids=TAKEN_BACK)
def test_what_is_taken_back_ends_the_device_s_tokens(
    tenant: Tenant, browser: Browser, take_back: Any
) -> None:
    """RFC 9700 §4.14.2: the device has no session of its own that could end."""
    grants = (DEVICE, GrantType.REFRESH_TOKEN)
    client = tenant.application("native", grant_types=grants, is_first_party=False)
    user = tenant.user()
    made = codes(tenant, client, scope="openid offline_access")
    connect(browser, tenant, made["user_code"])
    token = poll(tenant, client, made).json()["refresh_token"]
    take_back(tenant, client, user)
    answer = tenant.token(client, grant_type="refresh_token", refresh_token=token)
    refused(answer, 400, "invalid_grant")


def test_signing_out_of_the_browser_leaves_the_device_connected(
    tenant: Tenant, browser: Browser
) -> None:
    """§1: the browser only answers for the device, which has nothing of its session."""
    client = native(tenant)
    tenant.user()
    made = codes(tenant, client)
    connect(browser, tenant, made["user_code"])
    token = poll(tenant, client, made).json()["access_token"]
    assert browser.get(tenant.url("v2/logout")).title == "Signed out"
    assert tenant.userinfo(token).status_code == 200


def test_an_api_that_gives_users_nothing_refuses_the_device(
    tenant: Tenant, browser: Browser
) -> None:
    client = native(tenant)
    tenant.user()
    api = tenant.api(user_access_policy="deny_all")
    made = codes(tenant, client, audience=api.identifier)
    page = type_code(browser, tenant, made["user_code"])
    assert page.title == "Device not connected"
    refused(poll(tenant, client, made), 400, "access_denied")


def test_an_api_answers_with_its_own_audience(tenant: Tenant, browser: Browser) -> None:
    client = native(tenant)
    tenant.user()
    api = tenant.api("https://tv.example.com", "play")
    made = codes(tenant, client, audience=api.identifier, scope="openid play steal")
    connect(browser, tenant, made["user_code"])
    assert poll(tenant, client, made).json()["scope"] == "openid play"


def test_discovery_names_the_endpoint(server: Server, tenant: Tenant) -> None:
    """§4."""
    found = server.client.get(tenant.url(".well-known/openid-configuration")).json()
    assert found["device_authorization_endpoint"] == tenant.url("oauth/device/code")
    assert DEVICE.value in found["grant_types_supported"]


def test_the_page_cannot_be_framed_and_carries_no_referrer(
    tenant: Tenant, browser: Browser
) -> None:
    response = browser.get(tenant.url("u/device"), {"user_code": '"><script>'}).response
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "<script>" not in response.text
