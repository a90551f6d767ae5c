"""RFC 6749 §4.1.3, RFC 7636 §4.5 and OpenID Connect Core §3.1.3: redeeming a code."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support import jwt
from tests.support.browser import Browser
from tests.support.flow import refused, sign_in
from tests.support.server import CALLBACK, Server, Tenant, both_databases

CONTENDERS = 20


@both_databases
def test_a_replay_ends_the_first_tokens_and_not_the_consent(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """RFC 6749 §4.1.2 and OpenID Connect Core §3.1.3.2."""
    client = tenant.application(is_first_party=False)
    tenant.user()
    granted = sign_in(browser, tenant, client)
    token = granted.tokens()["access_token"]
    assert tenant.userinfo(token).status_code == 200
    consents = server.stored()["consents"]
    refused(granted.redeem(), 400, "invalid_grant")
    refused(granted.redeem(), 400, "invalid_grant")
    assert tenant.userinfo(token).status_code == 401
    assert server.stored()["consents"] == consents
    ended = [event.details["reason"] for event in tenant.events("token_family.ended")]
    assert ended == ["code replayed"]
    again = sign_in(browser, tenant, client).tokens()["access_token"]
    assert tenant.userinfo(again).status_code == 200


def test_another_application_cannot_end_tokens_by_a_replay(
    tenant: Tenant, browser: Browser
) -> None:
    """RFC 6749 §4.1.2: only the authenticated application's own replay counts."""
    client, other = tenant.application(), tenant.application(name="Other")
    tenant.user()
    granted = sign_in(browser, tenant, client)
    token = granted.tokens()["access_token"]
    refused(tenant.token(other, **granted.fields()), 400, "invalid_grant")
    assert tenant.userinfo(token).status_code == 200


@both_databases
def test_parallel_redemptions_leave_at_most_one_with_tokens(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """RFC 6749 §10.5: of twenty at once at most one is left with tokens that work."""
    client = tenant.application()
    tenant.user()
    granted = sign_in(browser, tenant, client)
    with ThreadPoolExecutor(CONTENDERS) as pool:
        answers = list(pool.map(lambda _: granted.redeem(), range(CONTENDERS)))
    won = [answer.json()["access_token"] for answer in answers if answer.status_code == 200]
    lost = [answer for answer in answers if answer.status_code != 200]
    assert len(won) == 1
    for answer in lost:
        refused(answer, 400, "invalid_grant")
    working = [token for token in won if tenant.userinfo(token).status_code == 200]
    assert len(working) <= 1
    assert server.stored()["token_families"] == server.stored()["access_tokens"]


WRONG: dict[str, tuple[dict[str, str | None], str]] = {
    "other redirect_uri": ({"redirect_uri": f"{CALLBACK}2"}, "redirect_uri"),
    "omitted redirect_uri": ({"redirect_uri": None}, "redirect_uri"),
    "wrong verifier": ({"code_verifier": "w" * 43}, "code_verifier"),
    "missing verifier": ({"code_verifier": None}, "code_verifier"),
    "verifier too short": ({"code_verifier": "w" * 42}, "code_verifier"),
    "verifier too long": ({"code_verifier": "w" * 129}, "code_verifier"),
    "verifier of other characters": ({"code_verifier": "ü" * 43}, "code_verifier"),
    "unknown code": ({"code": "x" * 43}, "code"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_failed_redemption_consumes_nothing(
    server: Server, tenant: Tenant, browser: Browser, name: str
) -> None:
    """RFC 6749 §4.1.3, RFC 7636 §4.6: invalid_grant, and the code still works."""
    client = tenant.application(redirect_uris=(CALLBACK, f"{CALLBACK}2"))
    tenant.user()
    granted = sign_in(browser, tenant, client)
    changes, parameter = WRONG[name]
    with server.stores_nothing():
        assert parameter in refused(granted.redeem(**changes), 400, "invalid_grant")
    assert tenant.userinfo(granted.tokens()["access_token"]).status_code == 200


def test_a_code_of_another_application(server: Server, tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §4.1.3: "issued to the authenticated confidential client"."""
    client, other = tenant.application(), tenant.application(name="Other")
    public = tenant.application("spa", name="Public")
    tenant.user()
    granted = sign_in(browser, tenant, client)
    with server.stores_nothing():
        for thief in (other, public):
            refused(tenant.token(thief, **granted.fields()), 400, "invalid_grant")
    assert granted.tokens()


def test_missing_code(server: Server, tenant: Tenant) -> None:
    """RFC 6749 §4.1.3: `code` is REQUIRED."""
    client = tenant.application()
    with server.stores_nothing():
        response = tenant.token(client, grant_type="authorization_code")
        assert "code" in refused(response, 400, "invalid_request")


def test_an_old_code(server: Server, tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §4.1.2: at most ten minutes; ours live five."""
    client = tenant.application()
    tenant.user()
    late, early = sign_in(browser, tenant, client), sign_in(browser, tenant, client)
    server.clock.advance(295)
    assert early.tokens()
    server.clock.advance(6)
    with server.stores_nothing():
        refused(late.redeem(), 400, "invalid_grant")


def test_a_verifier_where_no_challenge_was(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """RFC 9700 §4.8.2: the challenge may have been cut out on the way."""
    client = tenant.application()
    tenant.user()
    granted = sign_in(browser, tenant, client, code_challenge=None, code_challenge_method=None)
    with server.stores_nothing():
        response = granted.redeem(code_verifier="v" * 43)
        assert "code_challenge" in refused(response, 400, "invalid_grant")
    assert granted.tokens()


def test_a_blocked_user(server: Server, tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §5.2: the grant ends with the user's right to sign in; so do live tokens."""
    client = tenant.application()
    user = tenant.user()
    token = sign_in(browser, tenant, client).tokens()["access_token"]
    granted = sign_in(browser, tenant, client)
    tenant.block(user)
    with server.stores_nothing():
        refused(granted.redeem(), 400, "invalid_grant")
        assert tenant.userinfo(token).status_code == 401


def test_a_new_password_ends_codes_and_tokens(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """RFC 6819 §5.1.4.2.3: what the old password made does not outlive it."""
    client = tenant.application()
    user = tenant.user()
    token = sign_in(browser, tenant, client).tokens()["access_token"]
    granted = sign_in(browser, tenant, client)
    server.clock.advance(1)
    tenant.set_password(user, "another password entirely")
    with server.stores_nothing():
        refused(granted.redeem(), 400, "invalid_grant")
        assert tenant.userinfo(token).status_code == 401


def test_an_application_that_lost_the_grant(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """RFC 6749 §5.2: unauthorized_client, named."""
    client = tenant.application()
    tenant.user()
    granted = sign_in(browser, tenant, client)
    tenant.change_application(client, grant_types=("client_credentials",))
    with server.stores_nothing():
        response = granted.redeem()
        assert "authorization_code" in refused(response, 400, "unauthorized_client")


def test_scopes_are_narrowed_and_returned(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §3.3: what the API does not define is cut, and the answer says so."""
    client = tenant.application()
    tenant.user()
    api = tenant.api("https://orders.example.com", "read:orders", "write:orders")
    granted = sign_in(
        browser,
        tenant,
        client,
        audience=api.identifier,
        scope="openid read:orders delete:orders offline_access",
    )
    tokens = granted.tokens()
    assert tokens["scope"] == "openid read:orders"
    claims = jwt.claims_of(tokens["access_token"])
    assert claims["scope"] == "openid read:orders"
    assert claims["aud"] == [api.identifier, tenant.url("userinfo")]
    assert claims["azp"] == client.id


def test_the_dialect_of_rfc_9068(tenant: Tenant, browser: Browser) -> None:
    """RFC 9068 §2.1 and §2.2: header and claims, exactly."""
    client = tenant.application()
    user = tenant.user()
    api = tenant.api("https://api.example.com", "read", token_dialect="rfc9068_profile")
    tokens = sign_in(browser, tenant, client, audience=api.identifier, scope="read").tokens()
    header, claims = jwt.verify(tokens["access_token"], tenant.jwks())
    assert header.keys() == {"alg", "typ", "kid"}
    assert (header["alg"], header["typ"]) == ("RS256", "at+jwt")
    assert claims.keys() == {
        "iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "auth_time", "acr"
    }  # fmt: skip
    assert (claims["iss"], claims["sub"]) == (tenant.issuer, user.id)
    assert (claims["aud"], claims["client_id"]) == (api.identifier, client.id)
    assert claims["exp"] - claims["iat"] == tokens["expires_in"] == api.token_lifetime
    assert "id_token" not in tokens


def test_lifetimes(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §2 and RFC 6749 §5.1: `exp` and `expires_in` are as configured."""
    client = tenant.application(id_token_lifetime=77)
    tenant.user()
    api = tenant.api("https://api.example.com", "read", token_lifetime=33)
    tokens = sign_in(browser, tenant, client, audience=api.identifier).tokens()
    access = jwt.claims_of(tokens["access_token"])
    identity = jwt.claims_of(tokens["id_token"])
    assert access["exp"] - access["iat"] == tokens["expires_in"] == 33
    assert identity["exp"] - identity["iat"] == 77
    assert identity["aud"] == client.id


def test_codes_and_tokens_are_not_kept(server: Server, tenant: Tenant, browser: Browser) -> None:
    """RFC 6819 §5.1.4.1.3: the database holds digests of what a bearer presents."""
    client = tenant.application()
    tenant.user()
    granted = sign_in(browser, tenant, client)
    tokens = granted.tokens()
    path = server.runtime.store.database.path
    assert path is not None
    with server.runtime.store.database.writing() as connection:
        connection.exec_driver_sql("SELECT 1")
    held = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert granted.asked.state.encode() in held
    (cookie,) = browser.cookies("session").values()
    secrets = (granted.code, tokens["access_token"], tokens["id_token"], client.secret, cookie)
    assert not [secret for secret in secrets if secret.encode() in held]
