"""What OAuth 2.0 and its extensions ask for in passing, and no flow shows by itself."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.core.errors import DomainError
from tenantry.core.facts import GrantType
from tests.support import jwt
from tests.support.browser import Browser
from tests.support.flow import (
    authorize,
    challenge_of,
    refused,
    request_for,
    sign_in,
)
from tests.support.server import Client, Server, Tenant

API = "https://api.example.com"


# RFC 7636 §4.1: unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~".
UNRESERVED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"


VERIFIERS = {
    "43 characters": ("~" * 43, True),
    "128 characters": ((UNRESERVED * 2)[:128], True),
    "42 characters": ("a" * 42, False),
    "129 characters": ("a" * 129, False),
    "a reserved character": ("a" * 42 + "+", False),
    "a line feed": ("a" * 43 + "\n", False),
}


@pytest.mark.parametrize("name", VERIFIERS)
def test_the_form_of_a_code_verifier(tenant: Tenant, browser: Browser, name: str) -> None:
    """RFC 7636 §4.1 and §4.6: 43 to 128 unreserved characters, and only those."""
    verifier, good = VERIFIERS[name]
    client = tenant.application("spa")
    tenant.user()
    granted = sign_in(browser, tenant, client, code_challenge=challenge_of(verifier))
    response = granted.redeem(code_verifier=verifier)
    if good:
        assert response.status_code == 200, response.text
    else:
        refused(response, 400, "invalid_grant")


def test_unknown_parameters_are_ignored(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §3.2, RFC 7009 §2.1, RFC 7662 §2.1 and RFC 8628 §3.1: also the extensions of
    specifications that this server does not know."""
    client = tenant.application()
    tenant.user()
    odd = {"foo": "bar", "transaction_challenge": "x", "ui_locales": "", "display": "\u20ac"}
    granted = sign_in(browser, tenant, client, **odd)
    tokens = granted.redeem(**odd)
    assert tokens.status_code == 200, tokens.text
    token = tokens.json()["access_token"]
    post = tenant.server.client.post
    fields = client.body | odd | {"token": token, "token_type_hint": "urn:unknown"}
    assert post(tenant.url("oauth/introspect"), data=fields).json()["active"] is True
    assert post(tenant.url("oauth/revoke"), data=fields).status_code == 200
    assert post(tenant.url("oauth/introspect"), data=fields).json() == {"active": False}
    device = tenant.application("native", grant_types=(GrantType.DEVICE_CODE,))
    made = post(tenant.url("oauth/device/code"), data=device.body | odd | {"scope": "openid"})
    assert made.status_code == 200, made.text


def test_a_device_asks_with_each_parameter_once(tenant: Tenant) -> None:
    """RFC 8628 §3.1: "MUST NOT be included more than once", an empty one is left out."""
    device = tenant.application("native", grant_types=(GrantType.DEVICE_CODE,))
    url, post = tenant.url("oauth/device/code"), tenant.server.client.post
    for name in ("client_id", "scope", "foo"):
        pairs = {"client_id": device.id, "scope": "openid", name: ["x", "x"]}
        assert name in refused(post(url, data=pairs), 400, "invalid_request")
    empty = post(url, data=device.body | {"scope": ""})
    assert "scope" in refused(empty, 400, "invalid_scope")


def test_what_a_bearer_presents_cannot_be_guessed(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §10.10: at most 2^-128, better 2^-160; RFC 8628 §5.2 for device codes."""
    client = tenant.application()
    tenant.user()
    device = tenant.application("native", grant_types=(GrantType.DEVICE_CODE,))
    codes, devices, tokens = set(), set(), set()
    for _ in range(8):
        granted = sign_in(browser, tenant, client, scope="openid offline_access")
        codes.add(granted.code)
        tokens.add(granted.tokens()["refresh_token"].rpartition(".")[2])
        fields = device.body | {"scope": "openid"}
        made = tenant.server.client.post(tenant.url("oauth/device/code"), data=fields)
        devices.add(made.json()["device_code"])
    (session,) = browser.cookies("session").values()
    # 160 bits are 27 characters of base64url, or 40 of hexadecimal.
    for values in (codes, devices, {session}):
        assert all(len(value) >= 27 for value in values)
    assert all(len(value) >= 40 for value in tokens)
    assert len(codes) == len(devices) == len(tokens) == 8


def test_a_machine_is_never_taken_for_a_user(server: Server, tenant: Tenant) -> None:
    """RFC 9068 §5 and RFC 9700 §4.15: a subject of client credentials is no user's, and a token
    of an application is not good where a user's is asked for."""
    user = tenant.user()
    machine = tenant.application("non_interactive", name=user.id)
    tenant.api(API, "openid:x", token_dialect="rfc9068_profile")
    tenant.grant(machine, API, "openid:x")
    made = tenant.token(machine, grant_type="client_credentials", audience=API).json()
    assert made.keys() == {"access_token", "token_type", "expires_in", "scope"}
    header, claims = jwt.verify(made["access_token"], tenant.jwks())
    assert header["typ"] == "at+jwt"
    assert claims["sub"] == f"{machine.id}@clients"
    assert claims["client_id"] == machine.id != user.id
    assert not {"auth_time", "acr", "amr"} & claims.keys()
    refused(tenant.userinfo(made["access_token"]), 401, "invalid_token")


def test_authorization_is_for_top_level_pages(tenant: Tenant) -> None:
    """RFC 9700 §2.6: "MUST NOT support CORS at the authorization endpoint"."""
    client = tenant.application("spa", web_origins=("https://app.example.com",))
    headers = {"origin": "https://app.example.com"}
    http = tenant.server.client
    asked = request_for(client, prompt="none").parameters
    answer = http.get(tenant.url("authorize"), params=asked, headers=headers)
    assert answer.status_code == 303
    preflight = headers | {"access-control-request-method": "GET"}
    options = http.options(tenant.url("authorize"), headers=preflight)
    for response in (answer, options):
        assert not [name for name in response.headers if name.startswith("access-control")]


def test_post_is_the_method_of_tokens(tenant: Tenant) -> None:
    """RFC 6749 §3.2, RFC 7009 §2.1, RFC 7662 §2.1 and RFC 8628 §3.1: never GET, where tokens and
    secrets would stand in addresses."""
    client: Client = tenant.application()
    for path in ("oauth/token", "oauth/revoke", "oauth/introspect", "oauth/device/code"):
        response = tenant.server.client.get(tenant.url(path), params=client.body | {"token": "x"})
        assert (response.status_code, response.headers["allow"]) == (405, "POST"), path
        assert client.secret not in response.text


def test_a_signed_answer_is_no_token(tenant: Tenant, browser: Browser) -> None:
    """RFC 9701 §8.1: the signed answer is neither an access token nor an ID token here."""
    client = tenant.application()
    tenant.user()
    token = sign_in(browser, tenant, client, scope="openid").tokens()["access_token"]
    answer = tenant.server.client.post(
        tenant.url("oauth/introspect"),
        data=client.body | {"token": token},
        headers={"accept": "application/token-introspection+jwt"},
    ).text
    refused(tenant.userinfo(answer), 401, "invalid_token")
    asked = request_for(client, id_token_hint=answer, prompt="none")
    assert authorize(browser, tenant, asked.parameters).answer["error"] == "invalid_request"
    again = tenant.server.client.post(
        tenant.url("oauth/introspect"), data=client.body | {"token": answer}
    )
    assert again.json() == {"active": False}


def test_auth_time_stays_over_a_refresh(tenant: Tenant, browser: Browser) -> None:
    """RFC 9068 §2.2.1: refreshed tokens tell of the same sign-in, each with a `jti` of its own."""
    client = tenant.application()
    tenant.user()
    tenant.api(API, "read", token_dialect="rfc9068_profile", allow_offline_access=True)
    first = sign_in(browser, tenant, client, audience=API, scope="offline_access read").tokens()
    tenant.server.clock.advance(60)
    fields = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = tenant.token(client, **fields).json()
    before, after = (jwt.claims_of(each["access_token"]) for each in (first, second))
    assert before["auth_time"] == after["auth_time"] < after["iat"]
    assert before["jti"] != after["jti"]
    assert (before["aud"], before["scope"]) == (after["aud"], after["scope"])


SCHEMES = {
    "com.example.app:/callback": True,
    "com.example.app:/": True,
    "com.example.app:///callback": True,
    "myapp:/callback": False,
    "com.example.app:/callback#fragment": False,
    "javascript:alert(1)": False,
    "data:text/html,x": False,
    "file:///etc/passwd": False,
    "//app.example.com/callback": False,
    "/callback": False,
}


@pytest.mark.parametrize("uri", SCHEMES)
def test_schemes_of_native_applications(tenant: Tenant, uri: str) -> None:
    """RFC 8252 §7.1 and §8.4: a scheme is a domain name in reverse, "at least one period"; RFC
    6749 §3.1.2: absolute and without a fragment."""
    if SCHEMES[uri]:
        assert tenant.application("native", redirect_uris=(uri,)).redirect_uri == uri
    else:
        with pytest.raises(DomainError) as error:
            tenant.application("native", redirect_uris=(uri,))
        assert error.value.field[0] == "redirect_uris"


def test_refresh_tokens_of_public_applications_rotate(tenant: Tenant) -> None:
    """RFC 9700 §2.2.2: "MUST be sender-constrained or use refresh token rotation"."""
    with pytest.raises(DomainError) as error:
        tenant.application("spa", refresh_token_rotation=False)
    assert error.value.field == ("refresh_token_rotation",)
    confidential = tenant.application(
        refresh_token_rotation=False, grant_types=("authorization_code", "refresh_token")
    )
    public = tenant.change_application(confidential, token_endpoint_auth_method="none")
    assert public.facts.refresh_token_rotation


def test_public_applications_are_answered_over_https(tenant: Tenant) -> None:
    """OpenID Connect Core §3.1.2.1 and RP-Initiated Logout §3.1: http is for confidential
    applications, and for loopback."""
    plain, local = "http://app.example.com/callback", "http://localhost:3000/callback"
    for kind in ("spa", "native"):
        assert tenant.application(kind, redirect_uris=(local,)).redirect_uri == local
        for own in ("http://127.0.0.2/cb", "http://[::1]:80/cb", "http://app.localhost/cb"):
            assert tenant.application(kind, redirect_uris=(own,)).redirect_uri == own
        for uri in (plain, "http://*.example.com/callback", "http://127.0.0.1.example.com/"):
            with pytest.raises(DomainError) as error:
                tenant.application(kind, redirect_uris=(local, uri))
            assert error.value.field == ("redirect_uris", "1")
        with pytest.raises(DomainError) as error:
            tenant.application(kind, post_logout_redirect_uris=(plain,))
        assert error.value.field == ("post_logout_redirect_uris", "0")
    confidential = tenant.application(
        redirect_uris=(plain,), grant_types=("authorization_code",), is_first_party=False
    )
    with pytest.raises(DomainError):
        tenant.change_application(confidential, token_endpoint_auth_method="none")


@pytest.mark.parametrize("registered", [(), ("https://app.example.com/callback",)])
@pytest.mark.parametrize("kind", ["spa", "native", "regular_web"])
def test_nobody_is_sent_to_an_unregistered_address(
    tenant: Tenant, browser: Browser, kind: str, registered: tuple[str, ...]
) -> None:
    """RFC 6749 §3.1.2.2 and §3.1.2.4: not even with an error, nor where none is registered."""
    values: dict[str, Any] = {"grant_types": ("authorization_code", "implicit")}
    asked = request_for(tenant.application("spa"), redirect_uri="https://evil.example.com/")
    client = tenant.application(kind, redirect_uris=registered, oidc_conformant=False, **values)
    asked.parameters.update(client_id=client.id, response_type="token")
    for changes in ({}, {"prompt": "none x"}, {"redirect_uri": "/"}):
        assert authorize(browser, tenant, asked.parameters | changes).error == "invalid_request"
    if not registered:
        del asked.parameters["redirect_uri"]
        assert authorize(browser, tenant, asked.parameters).error == "invalid_request"


def test_scopes_mean_something_to_the_audience(tenant: Tenant, browser: Browser) -> None:
    """RFC 9068 §2.2.3: "MUST have meaning for the resources indicated in the aud claim"."""
    client = tenant.application()
    tenant.user()
    tenant.api(API, "read", token_dialect="rfc9068_profile", allow_offline_access=True)
    asked = {"audience": API, "scope": "read profile offline_access"}
    tokens = sign_in(browser, tenant, client, **asked).tokens()
    claims = jwt.claims_of(tokens["access_token"])
    assert (claims["aud"], claims["scope"]) == (API, "read")
    assert set(tokens["scope"].split()) == {"read", "profile", "offline_access"}
    asked["scope"] += " openid"
    tokens = sign_in(browser, tenant, client, **asked).tokens()
    claims = jwt.claims_of(tokens["access_token"])
    assert claims["aud"] == [API, tenant.url("userinfo")]
    assert set(claims["scope"].split()) == {"read", "profile", "openid"}
    assert tenant.userinfo(tokens["access_token"]).status_code == 200
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    again = tenant.token(client, **fields).json()
    assert jwt.claims_of(again["access_token"])["scope"] == claims["scope"]
    assert again["scope"] == tokens["scope"]
