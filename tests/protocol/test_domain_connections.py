"""Connections at domain level: open to every third-party application, which has no others."""

from __future__ import annotations

import pytest

from tenantry.core.facts import DATABASE_CONNECTION
from tenantry.services import connections
from tenantry.services.commands import Patch
from tenantry.store import connections as rows
from tests.support.browser import Browser
from tests.support.flow import authorize, log_in, request_for, sign_in
from tests.support.server import Client, Server, Tenant, both_databases

PARTNERS = "partners"


@pytest.fixture
def tenant(server: Server) -> Tenant:
    """A tenant with a user in its first connection, and one in a connection that was added."""
    made = server.tenant()
    made.user()
    made.connection(PARTNERS)
    made.user("bob@example.com", connection=PARTNERS)
    return made


def promote(tenant: Tenant, name: str, *, is_domain: bool = True) -> None:
    found = tenant.read(rows.find_by_name, name)
    given = {"is_domain_connection": is_domain}
    tenant.write(connections.update, Patch(found.id, given))


def is_let_in(browser: Browser, tenant: Tenant, client: Client, email: str) -> bool:
    """Whether the login page takes a right password."""
    page = log_in(browser, authorize(browser, tenant, request_for(client).parameters), email)
    return page.title != "Log in"


@both_databases
def test_only_domain_connections_serve_third_parties(tenant: Tenant, browser: Browser) -> None:
    """From the start the tenant's own connection is one; others are when they are promoted."""
    third = tenant.application(is_first_party=False)
    assert not is_let_in(browser, tenant, third, "bob@example.com")
    promote(tenant, PARTNERS)
    assert is_let_in(browser, tenant, third, "bob@example.com")
    browser.client.cookies.clear()
    promote(tenant, DATABASE_CONNECTION, is_domain=False)
    assert not is_let_in(browser, tenant, third, "ann@example.com")


def test_a_domain_connection_is_open_to_all_third_parties(tenant: Tenant, browser: Browser) -> None:
    """It need not be enabled for them; for first parties it must be."""
    promote(tenant, PARTNERS)
    first, third = tenant.application(), tenant.application(is_first_party=False)
    tenant.disconnect(first)
    tenant.disconnect(third)
    assert not is_let_in(browser, tenant, first, "bob@example.com")
    assert is_let_in(browser, tenant, third, "bob@example.com")


def test_a_session_does_not_count_for_third_parties(tenant: Tenant, browser: Browser) -> None:
    """Who is signed in through another connection is asked again."""
    first, third = tenant.application(), tenant.application(is_first_party=False)
    promote(tenant, DATABASE_CONNECTION, is_domain=False)
    sign_in(browser, tenant, first)
    page = authorize(browser, tenant, request_for(third, prompt="none").parameters)
    assert page.answer["error"] == "login_required"
