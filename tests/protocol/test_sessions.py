"""OpenID Connect Core §3.1.2.1 and §3.1.2.3: sessions, prompts, cookies."""

from __future__ import annotations

from http.cookies import Morsel, SimpleCookie

import httpx2
import pytest
from anyio.from_thread import BlockingPortal

from tenantry.core.clock import timestamp
from tenantry.core.facts import SigningAlgorithm
from tenantry.services import applications
from tenantry.services.commands import Patch
from tests.support import jwt
from tests.support.browser import Browser, query_of
from tests.support.databases import Databases
from tests.support.flow import Granted, authorize, log_in, request_for, sign_in
from tests.support.keys import key_source
from tests.support.management import root_api
from tests.support.server import Server, Tenant, both_databases


def cookies_of(responses: list[httpx2.Response]) -> dict[str, Morsel[str]]:
    """The cookies that answers set, by name."""
    found: SimpleCookie = SimpleCookie()
    for response in responses:
        for header in response.headers.get_list("set-cookie"):
            found.load(header)
    return dict(found)


@both_databases
def test_one_sign_in_serves_two_applications(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.3: no second login, one session, one time of it."""
    first, second = tenant.application(), tenant.application("spa", name="Second")
    tenant.user()
    tokens = [sign_in(browser, tenant, first).tokens()]
    page = authorize(browser, tenant, request_for(second).parameters)
    assert "code" in page.answer
    tokens.append(sign_in(browser, tenant, second, prompt="none").tokens())
    claims = [jwt.claims_of(token["id_token"]) for token in tokens]
    assert claims[0]["sid"] == claims[1]["sid"]
    assert claims[0]["auth_time"] == claims[1]["auth_time"]
    assert claims[0]["aud"] != claims[1]["aud"]


def test_a_session_counts_where_its_connection_is_enabled(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.3: whoever may not sign in to an application is not signed in."""
    tenant.user("ann@example.com")
    first, other = tenant.application(), tenant.application()
    tenant.disconnect(other)
    sign_in(browser, tenant, first)
    assert authorize(browser, tenant, request_for(other).parameters).title == "Log in"
    silent = authorize(browser, tenant, request_for(other, prompt="none").parameters)
    assert silent.answer["error"] == "login_required"
    again = authorize(browser, tenant, request_for(first, prompt="none").parameters)
    assert "code" in again.answer


@pytest.mark.parametrize("path", [True, False])
def test_cookies(server: Server, https_server: Server, path: bool) -> None:
    """RFC 6265 §4.1.2, OWASP ASVS 3.4: name, path and attributes of each cookie."""
    tenant = (server if path else https_server).tenant()
    client = tenant.application()
    tenant.user()
    browser = tenant.server.browser()
    page = authorize(browser, tenant, request_for(client).parameters)
    done = log_in(browser, page)
    cookies = cookies_of([*page.hops, *done.hops])
    scripted = f"tenantry_state_{tenant.id}"
    names = {f"tenantry_session_{tenant.id}", f"tenantry_browser_{tenant.id}", scripted}
    assert cookies.keys() == names
    for name, cookie in cookies.items():
        assert bool(cookie["httponly"]) is (name != scripted)
        assert cookie["path"] == (f"/t/{tenant.name}/" if path else "/")
        assert cookie["domain"] == ""
        assert bool(cookie["secure"]) is not path
        assert cookie["samesite"] == ("lax" if path else "none")
        assert int(cookie["max-age"]) > 0
        assert len(cookie.value) >= 43, "256 random bits"


def test_the_session_changes_at_login(tenant: Tenant, browser: Browser) -> None:
    """OWASP ASVS 3.2.1: a value that was there before is not the one after, and is over."""
    client = tenant.application()
    tenant.user()
    silent = request_for(client, prompt="none")
    name = f"tenantry_session_{tenant.id}"

    def answer_to_cookie(value: str) -> dict[str, str]:
        """What somebody who knows the value of a session cookie gets."""
        headers = {"cookie": f"{name}={value}"}
        response = tenant.server.client.get(
            tenant.url("authorize"), params=silent.parameters, headers=headers
        )
        return query_of(response.headers["location"])

    fixed = "fixed-by-an-attacker" * 3
    page = authorize(browser, tenant, request_for(client).parameters)
    path = f"/t/{tenant.name}/"
    browser.client.cookies.set(name, fixed, "localhost.local", path)
    done = log_in(browser, page)
    assert f"{name}={fixed}" in done.hops[0].request.headers["cookie"]
    (first,) = browser.cookies("session").values()
    assert first != fixed
    assert answer_to_cookie(fixed)["error"] == "login_required"
    assert "code" in answer_to_cookie(first)
    log_in(browser, authorize(browser, tenant, request_for(client, prompt="login").parameters))
    (second,) = browser.cookies("session").values()
    assert second != first
    assert answer_to_cookie(first)["error"] == "login_required"
    assert "code" in answer_to_cookie(second)


def test_prompt_none(server: Server, tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.6: login_required, consent_required, or a code; no page."""
    client = tenant.application()
    third = tenant.application(is_first_party=False, name="Third")
    tenant.user()
    silent = request_for(client, prompt="none")
    answer = authorize(browser, tenant, silent.parameters).answer
    assert (answer["error"], answer["state"]) == ("login_required", silent.state)
    assert answer["iss"] == tenant.issuer
    sign_in(browser, tenant, client)
    assert "code" in authorize(browser, tenant, silent.parameters).answer
    silent_third = request_for(third, prompt="none")
    answer = authorize(browser, tenant, silent_third.parameters).answer
    assert (answer["error"], answer["state"]) == ("consent_required", silent_third.state)
    assert answer["iss"] == tenant.issuer
    server.clock.advance(11)
    old = request_for(client, prompt="none", max_age="10")
    assert authorize(browser, tenant, old.parameters).answer["error"] == "login_required"


@pytest.mark.parametrize("prompt", ["login", "login consent"])
def test_prompt_login(server: Server, tenant: Tenant, browser: Browser, prompt: str) -> None:
    """OpenID Connect Core §3.1.2.1: a real login with a new `auth_time`."""
    client = tenant.application()
    tenant.user()
    first = jwt.claims_of(sign_in(browser, tenant, client).tokens()["id_token"])
    server.clock.advance(30)
    asked = request_for(client, prompt=prompt)
    page = authorize(browser, tenant, asked.parameters)
    assert page.title == "Log in"
    again = browser.get(page.url)
    assert again.title == "Log in", "reloading does not get around it"
    second = jwt.claims_of(sign_in(browser, tenant, client, prompt=prompt).tokens()["id_token"])
    assert second["auth_time"] >= first["auth_time"] + 30
    assert second["sid"] != first["sid"]


def test_max_age(server: Server, tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.1: too old a login is done again; `auth_time` is told."""
    client = tenant.application()
    tenant.user()
    first = jwt.claims_of(sign_in(browser, tenant, client, max_age="60").tokens()["id_token"])
    now = timestamp(server.clock.now())
    assert now - 5 <= first["auth_time"] <= now
    server.clock.advance(50)
    young = authorize(browser, tenant, request_for(client, max_age="60").parameters)
    assert "code" in young.answer
    server.clock.advance(11)
    old = authorize(browser, tenant, request_for(client, max_age="60").parameters)
    assert old.title == "Log in"
    assert "code" in log_in(browser, old).answer
    assert authorize(browser, tenant, request_for(client, max_age="0").parameters).title == "Log in"
    huge = request_for(client, max_age="9999999999")
    assert "code" in authorize(browser, tenant, huge.parameters).answer


def test_id_token_hint(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.1: an answer for the hint's person, or login_required."""
    client = tenant.application()
    tenant.user()
    bob = tenant.user("bob@example.com")
    bobs_browser = tenant.server.browser()
    asked = request_for(client)
    page = authorize(bobs_browser, tenant, asked.parameters)
    granted = Granted(tenant, client, asked, log_in(bobs_browser, page, bob.email or "").answer)
    bobs = granted.tokens()["id_token"]
    anns = sign_in(browser, tenant, client).tokens()["id_token"]
    for hint, expected in ((anns, "code"), (bobs, "error")):
        for prompt in ("none", None):
            asked = request_for(client, prompt=prompt, id_token_hint=hint)
            page = authorize(browser, tenant, asked.parameters)
            if prompt is None and expected == "error":
                assert page.title == "Log in"
                answer = log_in(browser, page).answer
            else:
                answer = page.answer
            assert expected in answer
            assert answer.get("error") in {None, "login_required"}
            assert answer["state"] == asked.state
    page = authorize(browser, tenant, request_for(client, id_token_hint=bobs).parameters)
    done = log_in(browser, page, bob.email or "")
    assert "code" in done.answer, "it was Bob who was expected"


def test_forged_id_token_hints(server: Server, tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.2: the hint must be one that this issuer made."""
    client = tenant.application()
    tenant.user()
    tokens = sign_in(browser, tenant, client).tokens()
    hint = tokens["id_token"]
    header, claims = jwt.header_of(hint), jwt.claims_of(hint)
    elsewhere = server.tenant()
    elsewhere.user()
    foreign = sign_in(server.browser(), elsewhere, elsewhere.application()).tokens()["id_token"]
    forged = jwt.forged(header, claims, key_source(SigningAlgorithm.RS256))
    unsigned = jwt.forged({"alg": "none"}, claims)
    with server.stores_nothing():
        for value in ("rubbish", forged, unsigned, foreign, tokens["access_token"]):
            asked = request_for(client, prompt="none", id_token_hint=value)
            answer = authorize(browser, tenant, asked.parameters).answer
            assert answer["error"] == "invalid_request"
            assert "id_token_hint" in answer["error_description"]


def test_login_hint(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.1: the hint stands in the field, escaped."""
    client = tenant.application()
    hint = "\"><script>alert(1)</script>'&amp;"
    page = authorize(browser, tenant, request_for(client, login_hint=hint).parameters)
    assert page.forms["login-form"].value("username") == hint
    assert "<script" not in page.response.text


def test_sessions_end(server: Server, tenant: Tenant, browser: Browser) -> None:
    """OWASP ASVS 3.3: after the idle time, and after the whole time however busy."""
    tenant.change(session_idle_lifetime=600, session_lifetime=1500)
    client = tenant.application()
    tenant.user()
    sign_in(browser, tenant, client)
    silent = request_for(client, prompt="none")
    for _ in range(2):
        server.clock.advance(590)
        assert "code" in authorize(browser, tenant, silent.parameters).answer
    server.clock.advance(330)
    assert authorize(browser, tenant, silent.parameters).answer["error"] == "login_required"
    sign_in(browser, tenant, client)
    server.clock.advance(601)
    assert authorize(browser, tenant, silent.parameters).answer["error"] == "login_required"


def test_sessions_of_a_blocked_user(tenant: Tenant, browser: Browser) -> None:
    """RFC 6819 §5.1.5: the next request needs a login."""
    client = tenant.application()
    user = tenant.user()
    sign_in(browser, tenant, client)
    tenant.block(user)
    asked = request_for(client)
    page = authorize(browser, tenant, asked.parameters)
    assert page.title == "Log in"
    assert log_in(browser, page).status == 400


def test_sessions_after_a_new_password(tenant: Tenant, browser: Browser) -> None:
    """OWASP ASVS 3.3.3: a new password ends the sessions of the old one."""
    client = tenant.application()
    user = tenant.user()
    sign_in(browser, tenant, client)
    tenant.set_password(user, "another password entirely")
    page = authorize(browser, tenant, request_for(client).parameters)
    assert log_in(browser, page).status == 400
    assert "code" in log_in(browser, page, password="another password entirely").answer


def test_an_authorization_is_of_one_browser(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """RFC 6819 §4.4.1.8: the address of a page is worth nothing in another browser."""
    client = tenant.application()
    tenant.user()
    page = authorize(browser, tenant, request_for(client).parameters)
    other = server.browser()
    with server.stores_nothing():
        assert other.get(page.url).error == "invalid_request"
        form = page.forms["login-form"]
        fields = [*form.fields[:1], ("username", "ann@example.com"), ("password", "x")]
        assert other.post(form.action, fields).error == "invalid_request"
    authorize(other, tenant, request_for(client).parameters)
    assert other.get(page.url).error == "invalid_request"


def test_an_authorization_expires(server: Server, tenant: Tenant, browser: Browser) -> None:
    """RFC 6819 §5.1.5.3: a login page that was left open for hours starts nothing."""
    client = tenant.application()
    tenant.user()
    page = authorize(browser, tenant, request_for(client).parameters)
    server.clock.advance(3601)
    assert log_in(browser, page).error == "invalid_request"


def test_a_finished_authorization_gives_no_second_code(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """RFC 6749 §4.1.2: one authorization, one code, however often the form is sent."""
    client = tenant.application()
    tenant.user()
    page = authorize(browser, tenant, request_for(client).parameters)
    assert "code" in log_in(browser, page).answer
    with server.stores_nothing():
        assert log_in(browser, page).error == "invalid_request"
        assert browser.get(page.url).error == "invalid_request"


def test_a_page_that_is_over_leads_back_to_the_application(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """OpenID Connect Core §4: the application's login URI begins again, and says who asks."""
    client = tenant.application(initiate_login_uri="https://app.example.com/login?from=us")
    tenant.user()
    page = authorize(browser, tenant, request_for(client).parameters)
    server.clock.advance(2 * 3600)
    expired = browser.get(page.url)
    assert expired.left_for.startswith("https://app.example.com/login?from=us&")
    assert query_of(expired.left_for)["iss"] == tenant.issuer
    assert browser.get(page.url.replace("state=", "state=x")).title == "Something went wrong"


def test_a_page_that_is_over_leads_to_the_tenants_login(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """OpenID Connect Core §4: where the application has no login URI, or is gone."""
    client = tenant.application()
    page = authorize(browser, tenant, request_for(client).parameters)
    server.clock.advance(2 * 3600)
    assert browser.get(page.url).title == "Something went wrong"
    tenant.change(initiate_login_uri="https://tenant.example.com/login")
    expired = browser.get(page.url)
    assert expired.left_for.partition("?")[0] == "https://tenant.example.com/login"
    assert query_of(expired.left_for) == {"iss": tenant.issuer}
    tenant.change_application(client, initiate_login_uri="https://app.example.com/login")
    assert browser.get(page.url).left_for.startswith("https://app.example.com/login?")
    tenant.write(applications.delete, Patch(client.facts.id))
    assert browser.get(page.url).left_for.startswith("https://tenant.example.com/login?")
    assert browser.get(page.url.replace("state=", "state=x")).title == "Something went wrong"


def test_the_operators_limits(databases: Databases, portal: BlockingPortal) -> None:
    """OWASP ASVS 3.3: longer settings of a tenant are refused, or count as the operator's."""
    with databases.url("sqlite") as url:
        server = Server(url, portal, max_session_idle_lifetime=600, max_session_lifetime=1500)
        server.begin()
        tenant, browser = server.tenant(), server.browser()
        client = tenant.application()
        tenant.user()
        sign_in(browser, tenant, client)
        silent = request_for(client, prompt="none").parameters
        for seconds, works in ((590, True), (590, True), (330, False)):
            server.clock.advance(seconds)
            assert ("code" in authorize(browser, tenant, silent).answer) == works
        api = root_api(tenant)
        for name, most in (("sessionIdleLifetime", 600), ("sessionLifetime", 1500)):
            refusal = api.refused("tenantUpdate", {name: most + 1})
            assert (refusal["code"], refusal["field"]) == ("OUT_OF_RANGE", [name])
            assert str(most) in refusal["message"]
            assert api.do("tenantUpdate", f"tenant {{ {name} }}", {name: most})
        new = {"name": "too-long", "sessionLifetime": 1501}
        assert root_api(server.root).refused("tenantCreate", new)["code"] == "OUT_OF_RANGE"
        server.close()
