"""What OpenID Connect asks for in passing, and no flow shows by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tenantry.core.facts import SubjectIdentifierType
from tenantry.services import users
from tenantry.services.commands import Patch
from tests.support import jwt
from tests.support.browser import Browser
from tests.support.flow import (
    authorize,
    log_in,
    refused,
    request_for,
    sign_in,
)
from tests.support.server import Tenant

API = "https://api.example.com"


def test_max_age_zero_is_a_login(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.1: `max_age=0` asks for what `prompt=login` asks for."""
    client = tenant.application()
    tenant.user()
    sign_in(browser, tenant, client)
    asked = request_for(client, max_age="0", prompt="none")
    assert authorize(browser, tenant, asked.parameters).answer["error"] == "login_required"
    asked = request_for(client, max_age="0")
    page = log_in(browser, authorize(browser, tenant, asked.parameters))
    assert "code" in page.answer


@pytest.mark.parametrize("kind", SubjectIdentifierType)
def test_a_subject_is_never_given_again(
    tenant: Tenant, browser: Browser, kind: SubjectIdentifierType
) -> None:
    """OpenID Connect Core §5.7 and §2: "never reassigned", at most 255 ASCII characters."""
    client = tenant.application(subject_type=kind)
    first = tenant.user()
    before = jwt.claims_of(sign_in(browser, tenant, client).tokens()["id_token"])["sub"]
    tenant.write(users.delete, Patch(first.id))
    tenant.user()
    after = jwt.claims_of(sign_in(browser, tenant, client).tokens()["id_token"])["sub"]
    assert before != after
    for subject in (before, after):
        assert 0 < len(subject) <= 255
        assert subject.isascii()


def test_claims_in_languages(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §5.2 and §5.5.2: a name with a language tag is no error, and the claim
    without one is not told for it."""
    client = tenant.application()
    tenant.user(given_name="Ann", family_name="Example")
    wanted = {"family_name#ja-Kana-JP": {"essential": True}, "given_name": None, "name#de": None}
    claims = json.dumps({"id_token": wanted, "userinfo": wanted})
    tokens = sign_in(
        browser, tenant, client, scope="openid", claims=claims, claims_locales="ja de"
    ).tokens()
    for said in (
        jwt.claims_of(tokens["id_token"]),
        tenant.userinfo(tokens["access_token"]).json(),
    ):
        assert said["given_name"] == "Ann"
        assert not [name for name in said if "#" in name or name == "family_name"]


def test_claims_without_a_value_are_left_out(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §5.3.2: "SHOULD be omitted", neither null nor an empty string."""
    client = tenant.application()
    tenant.user(given_name="Ann")
    scope = "openid profile email address phone"
    tokens = sign_in(browser, tenant, client, scope=scope).tokens()
    said = tenant.userinfo(tokens["access_token"]).json()
    assert all(value not in (None, "", {}, []) for value in said.values())
    assert not {"address", "phone_number", "phone_number_verified", "family_name"} & said.keys()
    assert said["given_name"] == "Ann"


def test_no_openid_no_id_token(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.1: without `openid` the request is plain OAuth 2.0."""
    client = tenant.application()
    tenant.user()
    tenant.api(API, "read")
    granted = sign_in(browser, tenant, client, scope="read", audience=API, nonce="n")
    tokens = granted.tokens()
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "scope"}
    refused(tenant.userinfo(tokens["access_token"]), 401, "invalid_token")


def metadata(tenant: Tenant) -> dict[str, Any]:
    found: dict[str, Any] = tenant.server.client.get(
        tenant.url(".well-known/openid-configuration")
    ).json()
    return found


def test_metadata_has_no_empty_member(tenant: Tenant) -> None:
    """RFC 8414 §3.2 and Discovery §4.2: "zero elements MUST be omitted"; §3: RS256 is always
    there, and nothing says that a client may leave its signature out."""
    tenant.change(acr_values_supported=(), signing_algorithms=("RS256",))
    document = metadata(tenant)
    assert all(value not in ([], "", None) for value in document.values())
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert "signed_metadata" not in document
    for name, values in document.items():
        if name.endswith("_alg_values_supported"):
            assert "none" not in values, name


def test_the_issuer_is_the_same_everywhere(tenant: Tenant, browser: Browser) -> None:
    """RFC 9207 §2 and §3, Discovery §4.3, RFC 8414 §3.3: one string, compared as it stands."""
    client = tenant.application(grant_types=("authorization_code", "implicit"))
    tenant.user()
    document = metadata(tenant)
    assert document["authorization_response_iss_parameter_supported"] is True
    issuer = document["issuer"]
    assert not {"?", "#"} & set(issuer)
    granted = sign_in(browser, tenant, client, response_type="code id_token")
    said = granted.tokens()
    tokens = (granted.answer["id_token"], said["id_token"], said["access_token"])
    assert {jwt.claims_of(token)["iss"] for token in tokens} == {issuer}
    for response_type in ("code", "code id_token", "id_token token"):
        for mode in (None, "fragment", "form_post"):
            asked = request_for(client, response_type=response_type, response_mode=mode)
            for parameters in (asked.parameters, asked.parameters | {"prompt": "none none x"}):
                page = authorize(browser, tenant, parameters)
                if mode == "form_post":
                    page = browser.submit(page, "response-form")
                assert page.answer["iss"] == issuer
                assert ("error" in page.answer) == ("prompt" in parameters)


def test_the_two_id_tokens_of_the_hybrid_flow_agree(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.3.3.6: the same issuer, subject and facts of the sign-in, but only
    the one of the front channel vouches for the code."""
    client = tenant.application(grant_types=("authorization_code", "implicit"))
    tenant.user()
    granted = sign_in(browser, tenant, client, response_type="code id_token token", max_age="100")
    front, back = (jwt.claims_of(said["id_token"]) for said in (granted.answer, granted.tokens()))
    for name in ("iss", "sub", "aud", "nonce", "auth_time", "acr", "amr", "sid"):
        assert front[name] == back[name], name
    assert {"at_hash", "c_hash"} <= front.keys()
    assert front["c_hash"] == jwt.half_hash(granted.code)
    assert front["at_hash"] == jwt.half_hash(granted.answer["access_token"])


def test_session_ids_cannot_be_guessed(tenant: Tenant) -> None:
    """Front-Channel Logout §5: "sufficient entropy in Session ID values"."""
    client = tenant.application()
    tenant.user()
    found = set()
    for _ in range(4):
        granted = sign_in(tenant.server.browser(), tenant, client)
        found.add(jwt.claims_of(granted.tokens()["id_token"])["sid"])
    assert len(found) == 4
    # The first 12 digits are the time; those behind them are random.
    endings = {sid[12:] for sid in found}
    assert len(endings) == 4
    assert all(len(ending) >= 20 for ending in endings)
    columns = list(zip(*endings, strict=True))
    assert sum(len(set(column)) > 1 for column in columns) >= len(columns) * 3 // 4


def test_the_form_of_an_id_token(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §2: the types of the claims, and nothing that has no value."""
    client = tenant.application()
    tenant.user()
    tokens = sign_in(browser, tenant, client, max_age="100").tokens()
    header, claims = jwt.verify(tokens["id_token"], tenant.jwks())
    assert not {"jku", "jwk", "x5u", "x5c", "crit"} & header.keys()
    for name in ("iat", "exp", "auth_time"):
        assert type(claims[name]) is int, name
    assert claims["auth_time"] <= claims["iat"] < claims["exp"]
    assert claims["aud"] == client.id
    assert "azp" not in claims
    assert isinstance(claims["amr"], list)
    assert type(claims["acr"]) is str
    assert None not in claims.values()
