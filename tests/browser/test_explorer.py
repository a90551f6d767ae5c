"""The explorer in a real browser: signed in, it asks nobody but its own server."""

from __future__ import annotations

from contextlib import suppress

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.process.server import EMAIL, PASSWORD, Server

pytestmark = pytest.mark.browser


def _sign_in(page: Page, button: str = "#explorer-sign-in") -> None:
    page.click(button)
    expect(page).to_have_title("Log in")
    page.fill("#username", EMAIL)
    page.fill("#password", PASSWORD)
    page.click("#login-submit")
    expect(page.locator("#explorer-sign-out")).to_be_visible()


def _wait_for_the_editor(page: Page) -> None:
    """Tabs and buttons do nothing before the editor has its first operation."""
    expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("viewer")


def _run(page: Page) -> str:
    _wait_for_the_editor(page)
    with page.expect_response(
        lambda answer: "issuer" in (answer.request.post_data or "")
    ) as answer:
        page.click("button.graphiql-execute-button")
    expect(page.locator(".graphiql-response .view-lines")).to_contain_text('"data"')
    return answer.value.text()


def test_sign_in_run_a_query_and_see_its_result(server: Server, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{server.public_url}/graphql")
    expect(page.locator("#explorer-sign-in")).to_be_visible()
    expect(page.locator("[role=tab]", has_text="CreateApplication")).to_be_visible()
    _sign_in(page)
    expect(page.locator("#explorer-viewer")).to_contain_text(EMAIL)
    assert "viewer" in _run(page)
    assert visit.origins == {server.public_url}
    assert visit.complaints == []
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "eyJ" not in stored


def test_a_reload_signs_in_again_without_a_page(server: Server, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{server.public_url}/graphql")
    _sign_in(page)
    page.reload()
    expect(page.locator("#explorer-sign-out")).to_be_visible()
    expect(page.locator("#explorer-viewer")).to_contain_text(EMAIL)
    assert visit.origins == {server.public_url}


def test_an_operator_signs_in_at_the_root_for_a_tenant(server: Server, visit: Visit) -> None:
    server.graphql(
        'mutation { tenantCreate(input: {name: "globex", friendlyName: "Globex"}) {'
        " tenant { id } errors { message } } }"
    )
    page = visit.page
    page.goto(f"{server.public_url}/t/globex/graphql")
    _sign_in(page, "#explorer-sign-in-operator")
    result = _run(page)
    assert "globex" in result
    assert visit.origins == {server.public_url}


def test_a_subscription_shows_what_happens(server: Server, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{server.public_url}/graphql")
    _sign_in(page)
    _wait_for_the_editor(page)
    result = page.locator(".graphiql-response .view-lines")
    for _ in range(5):
        page.locator("[role=tab]", has_text="Follow").click()
        expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("subscription")
        # The editor reads the operation's name a moment after it shows its text.
        page.wait_for_timeout(300)
        page.click("button.graphiql-execute-button")
        with suppress(AssertionError):
            expect(result).to_contain_text("cursor", timeout=4000)
            break
    server.graphql(
        'mutation { userCreate(input: {connection: "Username-Password-Authentication",'
        ' email: "followed@example.com"}) { user { id } errors { message } } }'
    )
    expect(result).to_contain_text("user.created")
    assert visit.complaints == []
