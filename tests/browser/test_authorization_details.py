"""A payment that a person sees, allows and finds in the token, in a real browser."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.relying_party import callback
from tests.browser.test_sign_in import PASSWORD, log_in
from tests.process.server import Server

pytestmark = pytest.mark.browser
API = "https://payments.example.test"
PAYMENT = {
    "type": "payment_initiation",
    "instructedAmount": {"currency": "EUR", "amount": "123.50"},
    "creditorName": "Merchant <b>A</b>",
}
TEMPLATE = """<h3>Payment</h3>
<dl>{% for payment in transaction.params.authorization_details %}
<dt>Amount</dt>
<dd>{{ payment.instructedAmount.amount }} {{ payment.instructedAmount.currency }}</dd>
<dt>To</dt><dd>{{ payment.creditorName }}</dd>
{% endfor %}</dl>"""


def _furnish(server: Server, callback_url: str) -> tuple[str, str]:
    """An API with a type, a template, a user and an application; its id and its secret."""
    done = server.graphql(
        """mutation($api: String!, $template: String!, $password: String!, $uri: String!) {
        resourceServerCreate(input: {name: "Payments", identifier: $api,
          authorizationDetails: [{type: "payment_initiation"}]}) { errors { message } }
        tenantUpdate(input: {customizedConsentTemplate: $template}) { errors { message } }
        userCreate(input: {connection: "Username-Password-Authentication",
          email: "payer@example.com", password: $password, emailVerified: true}) {
          errors { message } }
        applicationCreate(input: {name: "Shop", applicationType: REGULAR_WEB,
          redirectUris: [$uri]}) {
          application { clientId } clientSecret errors { message } } }""",
        api=API,
        template=TEMPLATE,
        password=PASSWORD,
        uri=callback_url,
    )
    assert not [error for payload in done.values() for error in payload["errors"]], done
    made = done["applicationCreate"]
    return made["application"]["clientId"], made["clientSecret"]


def test_a_payment_is_seen_and_allowed(server: Server, visit: Visit) -> None:
    """RFC 9396 §2, §7 and §9: pushed, shown in the tenant's words, granted, introspected."""
    host = {"host": f"localhost:{server.port}"}

    def post(path: str, **fields: str) -> dict[str, Any]:
        url = f"{server.local_url}{path}"
        answer = httpx2.post(url, headers=host, data={**credentials, **fields})
        assert answer.status_code in {200, 201}, answer.text
        found: dict[str, Any] = answer.json()
        return found

    with callback() as target:
        client_id, client_secret = _furnish(server, target.url)
        credentials = {"client_id": client_id, "client_secret": client_secret}
        pushed = post(
            "/oauth/par",
            response_type="code",
            redirect_uri=target.url,
            scope="openid",
            audience=API,
            state="s-1",
            authorization_details=json.dumps([PAYMENT]),
        )
        page = visit.page
        page.goto(
            f"{server.public_url}/authorize?client_id={client_id}"
            f"&request_uri={pushed['request_uri']}"
        )
        log_in(page, "payer@example.com")
        expect(page).to_have_title("Allow access")
        details = page.locator("#consent-details")
        expect(details.locator("h3")).to_have_text("Payment")
        expect(details.locator("dd")).to_have_text(["123.50 EUR", "Merchant <b>A</b>"])
        everything = details.get_by_text("instructedAmount.amount: 123.50")
        expect(everything).to_be_hidden()
        details.get_by_text("Everything that is asked for").click()
        expect(everything).to_be_visible()
        page.click("#consent-allow")
        expect(page.locator("#done")).to_be_visible()
        answer = parse_qs(urlsplit(target.visits[-1]).query)
        assert answer["state"] == ["s-1"]
        tokens = post(
            "/oauth/token",
            grant_type="authorization_code",
            code=answer["code"][0],
            redirect_uri=target.url,
        )
        assert tokens["authorization_details"] == [PAYMENT]
        claims = json.loads(base64.urlsafe_b64decode(tokens["access_token"].split(".")[1] + "=="))
        assert claims["authorization_details"] == [PAYMENT]
        found = post("/oauth/introspect", token=tokens["access_token"])
        assert (found["active"], found["authorization_details"]) == (True, [PAYMENT])
    server.graphql(
        "mutation { tenantUpdate(input: {customizedConsentTemplate: null}) { errors { message } } }"
    )
    assert visit.complaints == []
