"""OpenID Connect Core §5.4: where the claims of scopes are, by the application's own switch."""

from __future__ import annotations

import pytest

from tests.support import jwt
from tests.support.browser import Browser
from tests.support.flow import authorize, refused, request_for, sign_in
from tests.support.server import Tenant

PROFILE = {"name", "email", "email_verified", "updated_at"}


@pytest.mark.parametrize(
    "conformant, first_party, richer",
    [(True, True, False), (False, True, True), (True, False, False), (False, False, False)],
)
@pytest.mark.parametrize("response_type", ["code", "code id_token token", "id_token token"])
def test_claims_of_scopes(
    tenant: Tenant,
    browser: Browser,
    conformant: bool,
    first_party: bool,
    richer: bool,
    response_type: str,
) -> None:
    """§5.4: at userinfo where there is an access token; an older application of one's own has
    them in the ID token too, a third party never.
    """
    client = tenant.application(
        oidc_conformant=conformant,
        is_first_party=first_party,
        grant_types=("authorization_code", "implicit"),
    )
    user = tenant.user(name="Ann")
    granted = sign_in(browser, tenant, client, response_type=response_type)
    found = [granted.answer] if "id_token" in granted.answer else []
    found += [granted.tokens()] if "code" in granted.answer else []
    for tokens in found:
        claims = jwt.claims_of(tokens["id_token"])
        assert PROFILE & claims.keys() == (PROFILE if richer else set())
        told = tenant.userinfo(tokens["access_token"]).json()
        assert told.keys() >= PROFILE
        if conformant:
            assert told["updated_at"] == int(user.updated_at.timestamp())
        else:
            assert told["updated_at"] == user.updated_at.isoformat()
    assert found


def test_an_id_token_alone_has_them(tenant: Tenant, browser: Browser) -> None:
    """§5.4: "the resulting Claims are returned in the ID Token" where nothing else is issued."""
    client = tenant.application(grant_types=("implicit",), is_first_party=False)
    tenant.user(name="Ann")
    answer = sign_in(browser, tenant, client, response_type="id_token").answer
    assert jwt.claims_of(answer["id_token"]).keys() >= PROFILE


@pytest.mark.parametrize("left_out", ["scope", "redirect_uri"])
def test_what_must_be_sent(tenant: Tenant, browser: Browser, left_out: str) -> None:
    """§3.1.2.1: both are REQUIRED of who follows it; others have defaults."""
    strict, older = tenant.application(), tenant.application(oidc_conformant=False, name="Older")
    assert (
        authorize(browser, tenant, request_for(older, **{left_out: None}).parameters).title
        == "Log in"
    )
    page = authorize(browser, tenant, request_for(strict, **{left_out: None}).parameters)
    told = page.answer["error_description"] if left_out == "scope" else page.response.text
    assert left_out in told
    assert page.title != "Log in"


def test_an_application_without_grant_types(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §5.2 and §4.1.2.1: an empty list refuses all, and the refusal names what it was."""
    client = tenant.application(grant_types=())
    fields = {"authorization_code": {"code": "x"}, "refresh_token": {"refresh_token": "x"}}
    for grant_type, values in fields.items():
        answer = tenant.token(client, grant_type=grant_type, **values)
        assert grant_type in refused(answer, 400, "unauthorized_client")
    for response_type, grant_type in {"code": "authorization_code", "token": "implicit"}.items():
        asked = request_for(client, response_type=response_type)
        told = authorize(browser, tenant, asked.parameters).answer
        assert told["error"] == "unauthorized_client"
        assert grant_type in told["error_description"]
