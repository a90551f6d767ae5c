"""Authlib's clients, unmodified: its web application for the sign-in, its session for the rest."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.integrations.starlette_client import OAuth
from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from joserfc.jwk import ECKey, RSAKey
from starlette.requests import Request

from tests.clients.furnish import (
    GRANTS,
    PROFILES,
    Profile,
    registered,
    registering,
    registration,
    require_echo,
)
from tests.clients.node import Person
from tests.support.loops import run_apart
from tests.support.server import CALLBACK, Tenant

# It reads userinfo as JSON.
JSON_PROFILES = [profile for profile in PROFILES if not profile.userinfo_alg]
EVERY = [Profile("none", "ES256", "native"), Profile("client_secret_post", "EdDSA", "native")]
EVERY += [*JSON_PROFILES, Profile("client_secret_jwt", "RS256", assertion_alg="HS256")]
SCOPE = "openid profile email offline_access"

Json = dict[str, Any]


def proof(tenant: Tenant, profile: Profile, given: Json, secret: str) -> tuple[Any, list[Any]]:
    """What it calls the secret, and how that is used."""
    endpoint = tenant.url("oauth/token")
    if profile.method == "private_key_jwt":
        kind = ECKey if profile.assertion_alg == "ES256" else RSAKey
        key = kind.import_key(given["key"])
        return key, [PrivateKeyJWT(endpoint, alg=profile.assertion_alg)]
    if profile.method == "client_secret_jwt":
        return secret, [ClientSecretJWT(endpoint)]
    return secret, []


def visited(session: Json, url: str = CALLBACK) -> Request:
    """What the application's own page is asked for, by a browser with this session."""
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": urlsplit(url).path,
            "query_string": urlsplit(url).query.encode(),
            "headers": [],
            "session": session,
        }
    )


def web_application(
    tenant: Tenant, client_id: str, secret: Any, method: str, methods: list[Any]
) -> Any:
    return OAuth().register(
        "tenantry",
        client_id=client_id,
        client_secret=secret or None,
        server_metadata_url=tenant.url(".well-known/openid-configuration"),
        client_auth_methods=methods,
        client_kwargs={
            "scope": SCOPE,
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": method,
        },
    )


async def sign_in(app: Any, person: Person, redirect_uri: str) -> Json:
    """Code with PKCE; the ID token is checked."""
    session: Json = {}
    sent = await app.authorize_redirect(visited(session), redirect_uri)
    answer = person.visit(sent.headers["location"])
    tokens: Json = await app.authorize_access_token(visited(session, answer))
    assert tokens["userinfo"]["nonce"]
    return tokens


async def log_out(app: Any, person: Person, given: Json, id_token: str) -> None:
    """Afterwards nobody is signed in."""
    session: Json = {}
    after = given["after"]
    sent = await app.logout_redirect(visited(session), after, id_token_hint=id_token)
    left = person.visit(sent.headers["location"])
    assert left.startswith(f"{after}?")
    kept = await app.validate_logout_response(visited(session, left))
    assert kept["post_logout_redirect_uri"] == after
    sent = await app.authorize_redirect(visited(session), given["redirect_uri"], prompt="none")
    with pytest.raises(OAuthError) as refused:
        await app.authorize_access_token(visited(session, person.visit(sent.headers["location"])))
    assert refused.value.error == "login_required"


def use_tokens(tenant: Tenant, app: Any, session: OAuth2Client, tokens: Json) -> None:
    """Refresh, introspection and revocation."""
    endpoint = tenant.url("oauth/token")
    refreshed = session.refresh_token(endpoint, refresh_token=tokens["refresh_token"])
    assert refreshed["access_token"] != tokens["access_token"]
    renewed = run_apart(app.parse_id_token(refreshed, nonce=None))
    assert renewed["sub"] == tokens["userinfo"]["sub"]
    claims = session.get(tenant.url("userinfo")).json()
    assert claims["sub"] == tokens["userinfo"]["sub"]
    introspection = tenant.url("oauth/introspect")
    if session.token_endpoint_auth_method == "none":
        assert session.introspect_token(introspection, "x").status_code == 401
    else:
        answer = session.introspect_token(introspection, refreshed["access_token"]).json()
        assert (answer["active"], answer["client_id"]) == (True, session.client_id)
    revocation = tenant.url("oauth/revoke")
    refresh_token = refreshed["refresh_token"]
    assert session.revoke_token(revocation, refresh_token, "refresh_token").status_code == 200
    with pytest.raises(OAuthError) as refused:
        session.refresh_token(endpoint, refresh_token=refresh_token)
    assert refused.value.error == "invalid_grant"
    assert session.get(tenant.url("userinfo")).status_code == 401


def connect_device(tenant: Tenant, session: OAuth2Client, person: Person, sub: str) -> None:
    endpoint = tenant.url("oauth/token")
    made = session.post(
        tenant.url("oauth/device/code"),
        data={"scope": "openid"},
        auth=session.client_auth(session.token_endpoint_auth_method),
    ).json()
    asked = {"grant_type": GRANTS[2], "device_code": made["device_code"]}
    with pytest.raises(OAuthError) as refused:
        session.fetch_token(endpoint, **asked)
    assert refused.value.error == "authorization_pending"
    person.visit(made["verification_uri_complete"])
    assert session.fetch_token(endpoint, **asked)["access_token"]
    assert session.get(tenant.url("userinfo")).json() == {"sub": sub}


def go_through(
    tenant: Tenant, person: Person, profile: Profile, client_id: str, client_secret: str
) -> str:
    """Every flow, as an application that is registered by now; whose tokens it got."""
    given = registering(tenant, profile)
    secret, methods = proof(tenant, profile, given, client_secret)
    app = web_application(tenant, client_id, secret, profile.method, methods)
    tokens = run_apart(sign_in(app, person, given["redirect_uri"]))
    told = run_apart(app.userinfo(token=tokens))
    assert told["email"] == "ann@example.com"
    session = OAuth2Client(
        client_id,
        secret,
        token_endpoint_auth_method=profile.method,
        revocation_endpoint_auth_method=profile.method,
    )
    for method in methods:
        session.register_client_auth_method(method)
    sub: str = tokens["userinfo"]["sub"]
    with session:
        use_tokens(tenant, app, session, tokens)
        if profile.has_device:
            connect_device(tenant, session, person, sub)
    run_apart(log_out(app, person, given, tokens["id_token"]))
    return sub


@pytest.mark.parametrize("profile", EVERY, ids=lambda profile: profile.id)
def test_every_flow(tenant: Tenant, person: Person, profile: Profile) -> None:
    """OpenID Connect Core §3.1, §5.3, §9 and §12, RFC 6749 §6, 7009, 7636, 7662, 8628,
    RP-Initiated Logout §2.
    """
    user = tenant.user()
    client = registered(tenant, profile)
    assert go_through(tenant, person, profile, client.id, client.secret) == user.id


@pytest.mark.parametrize("profile", EVERY[1::2], ids=lambda profile: profile.id)
def test_every_flow_of_an_application_that_registers_itself(
    tenant: Tenant, person: Person, profile: Profile
) -> None:
    """OpenID Connect Registration §3 and §4, RFC 7591 §3."""
    tenant.change(enable_dynamic_client_registration=True)
    user = tenant.user()
    asked = registration(profile)
    with OAuth2Client() as session:
        answer = session.request(
            "POST", tenant.url("oidc/register"), json=asked, withhold_token=True
        )
        assert answer.status_code == 201
        made = answer.json()
        session.token = {"access_token": made["registration_access_token"], "token_type": "bearer"}
        read = session.get(made["registration_client_uri"]).json()
    require_echo(asked, {"client": made, "read": read})
    secret = made.get("client_secret", "")
    assert go_through(tenant, person, profile, made["client_id"], secret) == user.id
