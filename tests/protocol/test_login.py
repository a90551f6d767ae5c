"""RFC 6749 §10.10 and RFC 6819 §4.4: what a login page tells a guesser, what a forger gets."""

from __future__ import annotations

import argon2
import pytest

from tenantry.core.facts import DATABASE_CONNECTION
from tenantry.keys.password_process import answer
from tenantry.keys.password_workers import PasswordWorkers
from tenantry.services import applications, users
from tenantry.services.commands import ApplicationPatch, NewUser, Patch
from tests.support.browser import Browser, Page
from tests.support.flow import authorize, log_in, request_for, sign_in
from tests.support.server import PASSWORD, Client, Server, Tenant, both_databases


def failed(server: Server, tenant: Tenant, client: Client, username: str, password: str) -> Page:
    """The page that a failed login ends on, in a browser of its own."""
    browser = server.browser()
    page = authorize(browser, tenant, request_for(client).parameters)
    page = log_in(browser, page, username, password)
    assert not browser.cookies("session")
    return page


def without_what_differs(page: Page, username: str) -> str:
    """The page's text without the handle, the form's token and the name that was typed."""
    form = page.forms["login-form"]
    text = page.response.text
    for changing in (form.action, form.value("form_token"), username):
        text = text.replace(changing, "…")
    return text


WHO: dict[str, tuple[str, str]] = {
    "wrong password": ("ann@example.com", "wrong"),
    "unknown": ("nobody@example.com", PASSWORD),
    "blocked": ("blocked@example.com", PASSWORD),
    "no password": ("passwordless@example.com", PASSWORD),
    "other connection": ("elsewhere@example.com", PASSWORD),
    "long password": ("ann@example.com", "x" * 8000),
    "not a name at all": ("' OR 1=1 --", PASSWORD),
}


@pytest.mark.parametrize("name", WHO)
def test_the_same_answer_for_whom_nobody_knows(
    server: Server, tenant: Tenant, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 6819 §4.4.3: same page, same status, and one password check's work for all."""
    client = tenant.application()
    tenant.user()
    tenant.block(tenant.user("blocked@example.com"))
    tenant.connection("Elsewhere")
    tenant.user("elsewhere@example.com", connection="Elsewhere")
    tenant.write(users.create, NewUser(DATABASE_CONNECTION, {"email": "passwordless@example.com"}))
    expected = failed(server, tenant, client, "ann@example.com", "wrong")
    checks: list[str] = []
    verify = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, stored: str, password: str) -> bool:
        checks.append(stored.rpartition("$")[0].rpartition("$")[0])
        return bool(verify(self, stored, password))

    async def asked(self: PasswordWorkers, *question: str | None) -> str | bool:
        return answer(question)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    monkeypatch.setattr(PasswordWorkers, "_ask", asked)
    username, password = WHO[name]
    page = failed(server, tenant, client, username, password)
    assert checks == ["$argon2id$v=19$m=19456,t=2,p=1"]
    assert page.status == expected.status == 400
    assert "location" not in page.response.headers
    assert page.forms["login-form"].value("username") == username
    assert page.text_of("login-error") == "The username or the password is wrong."
    if name != "not a name at all":
        same = without_what_differs(expected, "ann@example.com")
        assert without_what_differs(page, username) == same


@both_databases
def test_a_failed_login_is_audited_and_changes_nothing(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """RFC 6819 §5.1.4.2: the log says that it failed, never with what."""
    client = tenant.application()
    user = tenant.user()
    page = authorize(browser, tenant, request_for(client).parameters)
    with server.stores_nothing():
        page = log_in(browser, page, password="my-secret-guess")
        page = log_in(browser, page, "nobody@example.com", "my-secret-guess")
    events = tenant.events("login.failed")
    assert [event.user_id for event in events] == [None, user.id]
    assert {event.client_id for event in events} == {client.id}
    assert "my-secret-guess" not in str(events)
    assert "code" in log_in(browser, page).answer
    (event,) = tenant.events("login.succeeded")
    assert (event.user_id, event.client_id) == (user.id, client.id)


@pytest.mark.parametrize("typed", ["Ann@Example.COM", " ann@example.com ", "ANN", "ann"])
def test_names_are_compared_without_case(tenant: Tenant, browser: Browser, typed: str) -> None:
    """OpenID Connect Core §5.1 leaves names to the provider: email or username, any case."""
    client = tenant.application()
    tenant.user(username="Ann")
    page = authorize(browser, tenant, request_for(client).parameters)
    assert "code" in log_in(browser, page, typed).answer


def test_connections_of_the_application(tenant: Tenant, browser: Browser) -> None:
    """Only users of a connection that the application has can sign in; the default comes first."""
    tenant.connection("Staff")
    client = tenant.application()
    guest = tenant.user()
    staff = tenant.user(connection="Staff")
    enabled = ApplicationPatch(Patch(client.facts.id), connections=("Staff", DATABASE_CONNECTION))
    tenant.write(applications.update, enabled)
    for directory, user in (("Staff", staff), (DATABASE_CONNECTION, guest)):
        tenant.change(default_directory=directory)
        fresh = tenant.server.browser()
        token = sign_in(fresh, tenant, client).tokens()["access_token"]
        assert tenant.userinfo(token).json()["sub"] == user.id
    tenant.write(applications.update, ApplicationPatch(Patch(client.facts.id), connections=()))
    page = authorize(browser, tenant, request_for(client).parameters)
    assert log_in(browser, page).status == 400


FORGED: dict[str, list[tuple[str, str]]] = {
    "none": [],
    "empty": [("form_token", "")],
    "wrong": [("form_token", "0" * 64)],
    "not ASCII": [("form_token", "ü")],
    "of another browser": [("form_token", "OTHER")],
    "of another page": [("form_token", "PAGE")],
}


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("form_id", ["login-form", "consent-form"])
def test_a_form_without_its_token(
    server: Server, tenant: Tenant, browser: Browser, name: str, form_id: str
) -> None:
    """RFC 6819 §4.4.1.8 and §4.4.1.9: 403, and nothing happens."""
    client = tenant.application(is_first_party=False)
    tenant.user()
    other = server.browser()
    words = {
        "OTHER": authorize(other, tenant, request_for(client).parameters),
        "PAGE": authorize(browser, tenant, request_for(client).parameters),
    }
    page = authorize(browser, tenant, request_for(client).parameters)
    fields = [("username", "ann@example.com"), ("password", PASSWORD)]
    if form_id == "consent-form":
        page = log_in(browser, page)
        fields = [("decision", "allow")]
    token = [
        (key, words[value].forms["login-form"].value("form_token") if value in words else value)
        for key, value in FORGED[name]
    ]
    with server.stores_nothing():
        answer = browser.post(page.forms[form_id].action, [*token, *fields])
    assert (answer.status, answer.error) == (403, "invalid_request")
    good = page.forms[form_id].value("form_token")
    assert browser.post(page.forms[form_id].action, [("form_token", good), *fields]).status in {
        200,
        303,
    }


def test_a_doubled_form_token(server: Server, tenant: Tenant, browser: Browser) -> None:
    """A good token beside a bad one is no token."""
    client = tenant.application()
    page = authorize(browser, tenant, request_for(client).parameters)
    form = page.forms["login-form"]
    with server.stores_nothing():
        answer = browser.post(form.action, [*form.fields, ("form_token", "x")])
    assert (answer.status, answer.error) == (400, "invalid_request")
