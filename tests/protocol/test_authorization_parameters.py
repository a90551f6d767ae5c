"""OpenID Connect Core §3.1.2.1, §5.5 and §8: what an authorization request may ask for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tenantry.core.errors import DomainError
from tests.support import jwt
from tests.support.browser import Browser, Page
from tests.support.flow import authorize, log_in, request_for, sign_in
from tests.support.server import CALLBACK, Client, Server, Tenant, both_databases

PASSWORD_CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
PROTECTED = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"


def id_token(tenant: Tenant, browser: Browser, client: Client, **changes: Any) -> dict[str, Any]:
    if isinstance(changes.get("claims"), dict):
        changes["claims"] = json.dumps(changes["claims"])
    return jwt.claims_of(sign_in(browser, tenant, client, **changes).tokens()["id_token"])


def ask(tenant: Tenant, browser: Browser, client: Client, **changes: Any) -> Page:
    if isinstance(changes.get("claims"), dict):
        changes["claims"] = json.dumps(changes["claims"])
    return authorize(browser, tenant, request_for(client, **changes).parameters)


@both_databases
def test_select_account(server: Server, tenant: Tenant, browser: Browser) -> None:
    """§3.1.2.1: the person says which account answers, the present one or another."""
    client, ann = tenant.application(), tenant.user()
    bob = tenant.user("bob@example.com")
    assert ask(tenant, browser, client, prompt="select_account").title == "Log in"
    sign_in(browser, tenant, client)
    page = ask(tenant, browser, client, prompt="select_account")
    assert page.title == "Choose an account"
    assert "ann@example.com" in page.response.text
    asked = request_for(client, prompt="select_account")
    page = authorize(browser, tenant, asked.parameters)
    done = browser.submit(page, "select-account-form", press="select-account-continue")
    assert "code" in done.answer
    page = ask(tenant, browser, client, prompt="select_account", response_mode="form_post")
    page = browser.submit(page, "select-account-form", press="select-account-another")
    assert page.title == "Log in"
    assert browser.submit(
        log_in(browser, page, "bob@example.com"), "response-form"
    ).posted.keys() >= {"code"}
    claims = id_token(tenant, browser, client)
    assert (claims["sub"], claims["sub"] == ann.id) == (bob.id, False)


def test_select_account_with_others(tenant: Tenant, browser: Browser) -> None:
    """§3.1.2.1: prompts add up; a forged or skipped step is not an answer."""
    client = tenant.application()
    tenant.user()
    sign_in(browser, tenant, client)
    page = ask(tenant, browser, client, prompt="select_account login consent")
    assert page.title == "Choose an account"
    skipped = browser.get(page.url.replace("/u/account", "/u/login"))
    assert skipped.title == "Choose an account"
    forged = browser.post(page.url, {"decision": "continue"})
    assert forged.status == 403
    odd = browser.post(page.url, {
        "decision": "x", "form_token": page.forms["select-account-form"].value("form_token")
    })  # fmt: skip
    assert odd.status == 400
    page = browser.submit(page, "select-account-form", press="select-account-continue")
    page = log_in(browser, page)
    assert page.title == "Allow access"
    assert "code" in browser.submit(page, "consent-form", press="consent-allow").answer
    none = ask(tenant, browser, client, prompt="none select_account")
    assert none.answer["error"] == "invalid_request"


def test_default_max_age_and_auth_time(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Registration §2: `default_max_age`, `require_auth_time`; Core §2."""
    client = tenant.application(default_max_age=0, require_auth_time=False)
    tenant.user()
    assert "auth_time" in id_token(tenant, browser, client)
    tenant.server.clock.advance(2)
    assert ask(tenant, browser, client).title == "Log in"
    assert "code" in ask(tenant, browser, client, max_age="100").answer
    plain = tenant.application(require_auth_time=False)
    assert "auth_time" not in id_token(tenant, browser, plain)
    assert "auth_time" in id_token(tenant, browser, plain, max_age="1000")
    wanted = {"id_token": {"auth_time": {"essential": True}}}
    assert "auth_time" in id_token(tenant, browser, plain, claims=wanted)
    assert "auth_time" in id_token(tenant, browser, tenant.application())


def test_acr_and_amr(tenant: Tenant, https_server: Server, browser: Browser) -> None:
    """Core §2 and §3.1.2.1, RFC 8176 §2: how the sign-in was made, in the words asked for."""
    client = tenant.application()
    tenant.user()
    claims = id_token(tenant, browser, client)
    assert (claims["acr"], claims["amr"]) == (PASSWORD_CONTEXT, ["pwd"])
    assert id_token(tenant, browser, client, acr_values="gold")["acr"] == PASSWORD_CONTEXT
    safe = https_server.tenant()
    client = safe.application()
    safe.user()
    other = https_server.browser()
    assert id_token(safe, other, client)["acr"] == PROTECTED
    assert id_token(safe, other, client, acr_values=f"gold {PASSWORD_CONTEXT}")["acr"] == (
        PASSWORD_CONTEXT
    )
    client = safe.application(default_acr_values=(PASSWORD_CONTEXT,))
    assert id_token(safe, other, client)["acr"] == PASSWORD_CONTEXT
    assert id_token(safe, other, client, acr_values=PROTECTED)["acr"] == PROTECTED


def test_acr_values_of_the_tenant(tenant: Tenant, browser: Browser) -> None:
    """Core §3.1.2.1: values outside the tenant's list are refused, and so are defaults."""
    client = tenant.application()
    tenant.user()
    tenant.change(acr_values_supported=("gold", PASSWORD_CONTEXT))
    assert ask(tenant, browser, client, acr_values="silver").answer["error"] == "invalid_request"
    wanted = {"id_token": {"acr": {"values": ["silver"]}}}
    assert ask(tenant, browser, client, claims=wanted).answer["error"] == "invalid_request"
    assert ask(tenant, browser, client, acr_values="gold").title == "Log in"
    with pytest.raises(DomainError):
        tenant.change_application(client, default_acr_values=("silver",))
    document = tenant.server.client.get(tenant.url(".well-known/openid-configuration")).json()
    assert document["acr_values_supported"] == ["gold", PASSWORD_CONTEXT]


def test_essential_acr(tenant: Tenant, browser: Browser) -> None:
    """Core §5.5.1.1: an essential `acr` that is not met is a failed authentication."""
    client = tenant.application()
    tenant.user()
    unmet = {"id_token": {"acr": {"essential": True, "values": ["gold"]}}}
    page = ask(tenant, browser, client, claims=unmet)
    assert page.answer["error"] == "unmet_authentication_requirements"
    met = {"id_token": {"acr": {"essential": True, "values": ["gold", PASSWORD_CONTEXT]}}}
    assert id_token(tenant, browser, client, claims=met)["acr"] == PASSWORD_CONTEXT
    voluntary = {"id_token": {"acr": {"values": ["gold"]}}}
    assert id_token(tenant, browser, client, claims=voluntary)["acr"] == PASSWORD_CONTEXT


@both_databases
def test_claims_one_by_one(server: Server, tenant: Tenant, browser: Browser) -> None:
    """Core §5.5: in the ID token and at userinfo, each where it was asked for."""
    client, user = tenant.application(), tenant.user(name="Ann", nickname="annie")
    wanted = {
        "userinfo": {"nickname": None, "email": {"essential": True}, "http://x/y": None},
        "id_token": {
            "name": None,
            "nickname": {"value": "bob"},
            "email_verified": {"values": [False]},
        },
        "other": {"sub": 1},
    }
    asked = {"scope": "openid", "claims": json.dumps(wanted)}
    tokens = sign_in(browser, tenant, client, **asked).tokens()
    claims = jwt.claims_of(tokens["id_token"])
    assert claims["name"] == "Ann"
    assert "nickname" not in claims
    assert claims["email_verified"] is False
    said = tenant.userinfo(tokens["access_token"]).json()
    assert said == {"sub": user.id, "nickname": "annie", "email": "ann@example.com"}


def test_claims_need_consent(tenant: Tenant, browser: Browser) -> None:
    """Core §5.5 and §3.1.2.4: a claim is released only with the consent of its scope."""
    client = tenant.application(is_first_party=False)
    tenant.user()
    page = log_in(browser, ask(tenant, browser, client, scope="openid"))
    browser.submit(page, "consent-form", press="consent-allow")
    assert "code" in ask(tenant, browser, client, scope="openid").answer
    page = ask(tenant, browser, client, scope="openid", claims={"userinfo": {"email": None}})
    assert page.title == "Allow access"
    assert "email" in page.response.text
    assert "code" in browser.submit(page, "consent-form", press="consent-allow").answer
    again = ask(tenant, browser, client, scope="openid", claims={"id_token": {"email": None}})
    assert "code" in again.answer


def test_requested_subject(tenant: Tenant, browser: Browser) -> None:
    """Core §5.5.1: a `sub` with a value is for that person alone."""
    client, user = tenant.application(), tenant.user()
    sign_in(browser, tenant, client)
    for where in ("userinfo", "id_token"):
        mine = {where: {"sub": {"value": user.id}}}
        assert "code" in ask(tenant, browser, client, claims=mine, prompt="none").answer
        other = {where: {"sub": {"value": "somebody"}}}
        page = ask(tenant, browser, client, claims=other, prompt="none")
        assert page.answer["error"] == "login_required"
        page = log_in(browser, ask(tenant, browser, client, claims=other))
        assert page.answer["error"] == "login_required"


MALFORMED = [
    "x", "[]", "1", '"a"', '{"userinfo": []}', '{"id_token": 1}', '{"userinfo": {"email": 1}}',
    '{"userinfo": {"email": {"essential": 1}}}', '{"userinfo": {"email": {"values": 1}}}',
    "[" * 4000, '{"a": NaN}',
    '{"userinfo": {' + ",".join(f'"c{n}": null' for n in range(65)) + "}}",
    '{"x": "' + "a" * 4_100 + '"}',
]  # fmt: skip


@pytest.mark.parametrize("claims", MALFORMED)
def test_malformed_claims(server: Server, tenant: Tenant, browser: Browser, claims: str) -> None:
    """Core §5.5: bounded, and refused at the redirect URI."""
    client = tenant.application()
    with server.stores_nothing():
        page = ask(tenant, browser, client, claims=claims)
    assert page.answer["error"] == "invalid_request"


@both_databases
@pytest.mark.parametrize(
    "claims",
    [
        r'{"userinfo": {"name": {"value": "\u0000"}, "email": {"values": ["\ud800"]}}}',
        '{"id_token": {"sub": {"value": null}, "acr": {"values": [{}, [], 1e400]}}}',
        '{"userinfo": {"name": {"value": 99999999999999999999999999999999}}}',
        '{"userinfo": null, "id_token": {}}',
    ],
)
def test_odd_claims(server: Server, tenant: Tenant, browser: Browser, claims: str) -> None:
    """Core §5.5: what cannot be a value is no value, and never a fault."""
    tenant.user()
    page = ask(tenant, browser, tenant.application(), claims=claims)
    assert log_in(browser, page).answer.keys() & {"code", "error"}


def test_parameters_that_change_nothing(tenant: Tenant, browser: Browser) -> None:
    """Core §3.1.2.1: `display`, `ui_locales` and `claims_locales` never cause an error."""
    client = tenant.application()
    tenant.user()
    changes = {"display": "popup", "ui_locales": "<b> fr-CA fr", "claims_locales": "de"}
    page = ask(tenant, browser, client, **changes)
    assert page.title == "Log in"
    assert '<html lang="en">' in page.response.text
    assert "code" in log_in(browser, page).answer


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_signed_userinfo(tenant: Tenant, browser: Browser, alg: str) -> None:
    """Core §5.3.2: a JWT with `iss` and `aud`, signed by the tenant."""
    tenant.change(signing_algorithms=("RS256", "ES256"))
    client, user = tenant.application(userinfo_signed_response_alg=alg), tenant.user()
    tokens = sign_in(browser, tenant, client).tokens()
    response = tenant.userinfo(tokens["access_token"])
    assert response.headers["content-type"].startswith("application/jwt")
    header, claims = jwt.verify(response.text, tenant.jwks())
    assert header["alg"] == alg
    assert (claims["iss"], claims["aud"], claims["sub"]) == (tenant.issuer, client.id, user.id)
    assert claims["email"] == "ann@example.com"
    # RFC 8725 §3.12: it is no ID token.
    hinted = ask(tenant, browser, client, id_token_hint=response.text, prompt="none")
    assert hinted.answer["error"] == "invalid_request"
    with pytest.raises(DomainError):
        tenant.change_application(client, userinfo_signed_response_alg="EdDSA")
    with pytest.raises(DomainError):
        tenant.change_application(client, userinfo_signed_response_alg="HS256")


@both_databases
def test_pairwise_subjects(server: Server, tenant: Tenant, browser: Browser) -> None:
    """Core §8.1: one name in a sector, another elsewhere; userinfo finds the person again."""
    user = tenant.user()
    one = tenant.application(subject_type="pairwise")
    two = tenant.application(
        subject_type="pairwise", redirect_uris=("https://app.example.com/two",)
    )
    other = tenant.application(
        subject_type="pairwise", redirect_uris=("https://other.example.net/cb",)
    )
    names = []
    for client in (one, two, other):
        tokens = sign_in(browser, tenant, client).tokens()
        sub = jwt.claims_of(tokens["id_token"])["sub"]
        assert jwt.claims_of(tokens["access_token"])["sub"] == sub
        assert tenant.userinfo(tokens["access_token"]).json()["sub"] == sub
        assert user.id not in json.dumps(jwt.claims_of(tokens["id_token"]))
        names.append(sub)
    assert names[0] == names[1]
    assert len({*names, user.id}) == 3
    hint = sign_in(browser, tenant, one).tokens()["id_token"]
    assert "code" in ask(tenant, browser, one, id_token_hint=hint, prompt="none").answer
    mine = {"id_token": {"sub": {"value": names[0]}}}
    assert "code" in ask(tenant, browser, one, claims=mine, prompt="none").answer
    assert ask(tenant, browser, other, claims=mine, prompt="none").answer["error"] == (
        "login_required"
    )


@pytest.mark.parametrize(
    "values",
    [
        {"redirect_uris": (CALLBACK, "https://b.example.com/cb")},
        {"redirect_uris": ()},
        {"redirect_uris": ("com.example.app:/cb",)},
    ],
)
def test_pairwise_needs_one_host(tenant: Tenant, values: dict[str, Any]) -> None:
    """Core §8.1."""
    with pytest.raises(DomainError):
        tenant.application(subject_type="pairwise", **values)


def test_private_use_scheme_is_confirmed(tenant: Tenant, browser: Browser) -> None:
    """RFC 8252 §8.6: a person looks before a program that any other could stand in for."""
    client = tenant.application("native", redirect_uris=("com.example.app:/cb",))
    tenant.user()
    page = log_in(browser, ask(tenant, browser, client))
    assert page.title == "Continue to the application?"
    cancelled = browser.submit(page, "confirm-form", press="confirm-cancel")
    assert cancelled.answer["error"] == "access_denied"
    page = ask(tenant, browser, client)
    done = browser.submit(page, "confirm-form", press="confirm-continue")
    assert done.left_for.startswith("com.example.app:/cb?code=")
    # Each time anew, and never silently.
    assert ask(tenant, browser, client).title == "Continue to the application?"
    silent = ask(tenant, browser, client, prompt="none")
    assert silent.answer["error"] == "interaction_required"
    consented = ask(tenant, browser, client, prompt="consent")
    assert "code" in browser.submit(consented, "consent-form", press="consent-allow").answer
    tenant.change(non_verifiable_callback_confirmation=False)
    assert "code" in ask(tenant, browser, client, prompt="none").answer
    tenant.change_application(client, non_verifiable_callback_confirmation=True)
    assert ask(tenant, browser, client).title == "Continue to the application?"
    tenant.change(non_verifiable_callback_confirmation=True)
    tenant.change_application(client, non_verifiable_callback_confirmation=False)
    assert "code" in ask(tenant, browser, client).answer
