"""RFC 8707: `resource` at the authorization endpoint and at the token endpoint."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tenantry.core.facts import DATABASE_CONNECTION, GrantType, SubjectType
from tests.support import jwt
from tests.support.browser import Browser, Page
from tests.support.flow import (
    Asked,
    Granted,
    authorize,
    log_in,
    refused,
    request_for,
    sign_in,
)
from tests.support.management import root_api
from tests.support.server import PASSWORD, Client, Server, Tenant, both_databases

ONE, TWO, THREE = (f"https://{name}.example.com" for name in ("one", "two", "three"))
SCOPE = "openid offline_access read write"


def audiences(token: str) -> set[str]:
    named = jwt.claims_of(token)["aud"]
    return {named} if isinstance(named, str) else set(named)


def scopes(answer: Any) -> set[str]:
    return set(answer["scope"].split())


def apis(tenant: Tenant, **values: Any) -> None:
    tenant.api(ONE, "read", "write", allow_offline_access=True, **values)
    tenant.api(TWO, "read", "list", allow_offline_access=True, **values)


def ask(
    browser: Browser, tenant: Tenant, client: Client, *resources: str, **changes: str | None
) -> tuple[Asked, Page]:
    asked = request_for(client, **changes)
    pairs = [*asked.parameters.items(), *(("resource", resource) for resource in resources)]
    return asked, browser.post(tenant.url("authorize"), pairs)


def begin(
    browser: Browser, tenant: Tenant, client: Client, scope: str = SCOPE, **person: str
) -> Granted:
    """An authorization for two APIs."""
    asked, page = ask(browser, tenant, client, ONE, TWO, scope=scope)
    return Granted(tenant, client, asked, log_in(browser, page, **person).answer)


def post(tenant: Tenant, client: Client, **fields: Any) -> httpx2.Response:
    return tenant.server.client.post(tenant.url("oauth/token"), data=client.body | fields)


def refresh(tenant: Tenant, client: Client, token: str, **fields: Any) -> httpx2.Response:
    return post(tenant, client, grant_type="refresh_token", refresh_token=token, **fields)


@pytest.fixture
def several(tenant: Tenant) -> Tenant:
    """A tenant whose requests may name several APIs."""
    tenant.change(resource_parameter_profile="several")
    tenant.user()
    return tenant


def test_audience_comes_first(tenant: Tenant, browser: Browser) -> None:
    """§2: `resource` names the API where there is no `audience`, and is an absolute URI."""
    apis(tenant)
    tenant.user()
    client = tenant.application()
    both = sign_in(browser, tenant, client, audience=ONE, resource=TWO, scope="read").tokens()
    assert audiences(both["access_token"]) == {ONE}
    alone = sign_in(browser, tenant, client, resource=TWO, scope="read").tokens()
    assert audiences(alone["access_token"]) == {TWO}
    for resource in ("two", f"{TWO}#part", f"{ONE} {TWO}"):
        page = authorize(browser, tenant, request_for(client, resource=resource).parameters)
        assert page.answer["error"] == "invalid_target"
        assert "resource" in page.answer["error_description"]


def test_several_are_refused_by_default(tenant: Tenant, browser: Browser) -> None:
    """§2: an authorization server may take one at a time; not by a name with a space either."""
    apis(tenant)
    client = tenant.application("non_interactive")
    web = tenant.application(name="Web")
    tenant.grant(client, ONE)
    tenant.grant(client, TWO)
    machine = {"grant_type": "client_credentials"}
    refused(post(tenant, client, **machine, resource=[ONE, TWO]), 400, "invalid_target")
    refused(post(tenant, client, **machine, audience=f"{ONE} {TWO}"), 400, "invalid_target")
    _, page = ask(browser, tenant, web, ONE, TWO)
    assert page.answer["error"] == "invalid_target"
    page = authorize(browser, tenant, request_for(web, audience=f"{ONE} {TWO}").parameters)
    assert page.answer["error"] == "invalid_target"


@pytest.mark.parametrize("name", ["audience", "resource"])
def test_a_code_is_for_what_was_granted(tenant: Tenant, browser: Browser, name: str) -> None:
    """§2.2: another target than the authorization's is refused, and consumes nothing."""
    apis(tenant)
    tenant.user()
    client = tenant.application()
    granted = sign_in(browser, tenant, client, audience=ONE, scope="openid read")
    refused(granted.redeem(**{name: TWO}), 400, "invalid_target")
    answer = granted.redeem(**{name: ONE})
    assert answer.status_code == 200, answer.text
    assert audiences(answer.json()["access_token"]) == {ONE, tenant.url("userinfo")}
    without = sign_in(browser, tenant, client)
    refused(without.redeem(**{name: ONE}), 400, "invalid_target")
    assert without.redeem(**{name: tenant.url("userinfo")}).status_code == 200


@both_databases
def test_one_token_for_several(server: Server, several: Tenant, browser: Browser) -> None:
    """§2: "the requested token is intended to be used at multiple resources"."""
    apis(several, token_lifetime=1000)
    client = several.application("spa")
    tokens = begin(browser, several, client).tokens()
    claims, _ = (
        jwt.claims_of(tokens["access_token"]),
        jwt.verify(tokens["access_token"], several.jwks()),
    )
    assert set(claims["aud"]) == {ONE, TWO, several.url("userinfo")}
    assert scopes(tokens) == set(SCOPE.split())
    assert tokens["expires_in"] == 1000
    assert several.userinfo(tokens["access_token"]).status_code == 200


def test_the_preview_of_one_token_for_several(tenant: Tenant, browser: Browser) -> None:
    """§2: what the management API foretells is what is issued."""
    apis(tenant)
    user = tenant.user()
    client = tenant.application("spa")
    query = """query($user: String!, $client: String!, $audience: String!, $scopes: [String!]!) {
      claimsPreview(userId: $user, clientId: $client, audience: $audience, scopes: $scopes) {
        accessToken error errorDescription } }"""

    def preview() -> Any:
        named = {"user": user.id, "client": client.id, "audience": f"{TWO} {ONE}"}
        found = root_api(tenant).data(query, **named, scopes=SCOPE.split())
        return found["claimsPreview"]

    assert preview()["error"] == "invalid_target"
    assert preview()["accessToken"] is None
    tenant.change(resource_parameter_profile="several")
    foretold = preview()["accessToken"]
    issued = jwt.claims_of(begin(browser, tenant, client).tokens()["access_token"])
    for name in ("aud", "scope", "sub", "iss", "azp"):
        assert sorted(foretold[name]) == sorted(issued[name]), name
    assert set(foretold["aud"]) == {ONE, TWO, tenant.url("userinfo")}


def test_a_token_for_one_of_several(several: Tenant, browser: Browser) -> None:
    """§2.2: a token request narrows the target, a refresh reaches all that was granted."""
    apis(several)
    several.api(THREE, "read", allow_offline_access=True)
    client = several.application("spa")
    granted = begin(browser, several, client)
    refused(granted.redeem(resource=THREE), 400, "invalid_target")
    first = granted.redeem(resource=TWO).json()
    assert audiences(first["access_token"]) == {TWO, several.url("userinfo")}
    # `write` is no scope of the second API.
    assert scopes(first) == {"openid", "offline_access", "read"}
    other = refresh(several, client, first["refresh_token"], resource=ONE).json()
    assert audiences(other["access_token"]) == {ONE, several.url("userinfo")}
    assert scopes(other) == set(SCOPE.split())
    both = refresh(several, client, other["refresh_token"]).json()
    assert audiences(both["access_token"]) == {ONE, TWO, several.url("userinfo")}
    answer = refresh(several, client, both["refresh_token"], resource=[ONE, THREE])
    refused(answer, 400, "invalid_target")
    assert refresh(several, client, both["refresh_token"]).status_code == 200


def test_scopes_are_what_each_would_have_given(several: Tenant, browser: Browser) -> None:
    """§2 and RFC 9700 §2.3: no API lends another one its scopes."""
    several.api(ONE, "read", "write", enforce_policies=True)
    several.api(TWO, "read", "list", user_access_policy="require_client_grant")
    user = several.user("bob@example.com")
    client = several.application()
    scope = "openid read write list"
    _, page = ask(browser, several, client, ONE, TWO, scope=scope)
    assert page.answer["error"] == "access_denied"
    several.grant(client, TWO, "read", "list", subject_type=SubjectType.USER)
    several.permit(user, ONE, "write")
    granted = begin(browser, several, client, scope, username="bob@example.com")
    # The first gives no `read`; so the token has none that the second would honour.
    assert scopes(granted.tokens()) == {"openid", "write", "list"}


def test_an_application_for_itself(several: Tenant) -> None:
    """§2 in the client credentials grant: a client grant for each, and its scopes."""
    apis(several)
    client = several.application("non_interactive")
    ask = {"grant_type": "client_credentials", "resource": [ONE, TWO]}
    several.grant(client, ONE, "read", "write")
    refused(post(several, client, **ask), 403, "access_denied")
    several.grant(client, TWO, "list")
    tokens = post(several, client, **ask).json()
    assert audiences(tokens["access_token"]) == {ONE, TWO}
    assert scopes(tokens) == {"write", "list"}
    refused(post(several, client, **ask, scope="read"), 400, "invalid_scope")


UNLIKE: dict[str, dict[str, Any]] = {
    "a secret of its own": {"signing_alg": "HS256"},
    "another dialect": {"token_dialect": "rfc9068_profile"},
    "no tokens for users": {"user_access_policy": "deny_all"},
}


@pytest.mark.parametrize("name", [*UNLIKE, "an unknown one", "the management API", "too many"])
def test_what_cannot_share_a_token(several: Tenant, browser: Browser, name: str) -> None:
    """§2: invalid_target where no one token would do."""
    several.api(ONE, "read")
    others = [THREE]
    if name in UNLIKE:
        several.api(THREE, "read", **UNLIKE[name])
    elif name == "the management API":
        others = [several.url("graphql")]
    elif name == "too many":
        others = [f"{THREE}/{number}" for number in range(10)]
    client = several.application()
    _, page = ask(browser, several, client, ONE, *others)
    expected = "access_denied" if name == "no tokens for users" else "invalid_target"
    assert page.answer["error"] == expected


def test_consent_is_for_all_of_them(several: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.4: a consent to one API is none to two."""
    apis(several)
    client = several.application(is_first_party=False)
    sign_in(browser, several, client, audience=ONE, scope="openid read")
    _, page = ask(browser, several, client, ONE, TWO, scope="openid read list")
    assert page.title == "Allow access"
    browser.submit(page, "consent-form", press="consent-allow")
    _, page = ask(browser, several, client, TWO, ONE, scope="openid read list")
    assert "code" in page.answer


def test_a_password_for_several(several: Tenant) -> None:
    """§2 in a grant that shows no page."""
    apis(several)
    several.change(default_directory=DATABASE_CONNECTION)
    client = several.application(grant_types=("password", "refresh_token"))
    who = {"grant_type": "password", "username": "ann@example.com", "password": PASSWORD}
    tokens = post(several, client, **who, resource=[ONE, TWO], scope=SCOPE).json()
    assert audiences(tokens["access_token"]) == {ONE, TWO, several.url("userinfo")}
    one = refresh(several, client, tokens["refresh_token"], resource=ONE).json()
    assert audiences(one["access_token"]) == {ONE, several.url("userinfo")}


def test_an_exchange_for_several(several: Tenant, browser: Browser) -> None:
    """RFC 8693 §2.1: `audience` and `resource` "MAY be used together", each allowed by itself."""
    apis(several)
    several.api(THREE, "read")
    token = begin(browser, several, several.application()).tokens()["access_token"]
    values: dict[str, Any] = {"grant_types": (GrantType.TOKEN_EXCHANGE,)}
    client = several.application("non_interactive", token_exchange_audiences=(ONE, TWO), **values)
    fields = {
        "grant_type": GrantType.TOKEN_EXCHANGE.value,
        "subject_token": token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
    }
    answer = post(several, client, **fields, audience=ONE, resource=TWO)
    assert answer.status_code == 200, answer.text
    assert audiences(answer.json()["access_token"]) == {ONE, TWO}
    for targets in ([ONE, THREE], [f"{ONE} {TWO}"]):
        refused(post(several, client, **fields, resource=targets), 400, "invalid_target")
    several.change(resource_parameter_profile="one")
    refused(post(several, client, **fields, resource=[ONE, TWO]), 400, "invalid_target")


def test_a_device_for_one_of_several(several: Tenant, browser: Browser) -> None:
    """§2.2: the device's token request names what the person allowed, or less."""
    apis(several)
    client = several.application("native", grant_types=(GrantType.DEVICE_CODE, "refresh_token"))
    ask = client.body | {"scope": SCOPE, "resource": [ONE, TWO]}
    codes = several.server.client.post(several.url("oauth/device/code"), data=ask).json()
    page = browser.get(codes["verification_uri_complete"])
    page = log_in(browser, browser.submit(page, "device-form"))
    browser.submit(page, "consent-form", press="consent-allow")
    poll = {"grant_type": GrantType.DEVICE_CODE.value, "device_code": codes["device_code"]}
    refused(post(several, client, **poll, resource=THREE), 400, "invalid_target")
    first = post(several, client, **poll, resource=TWO)
    assert first.status_code == 200, first.text
    assert audiences(first.json()["access_token"]) == {TWO, several.url("userinfo")}
    both = refresh(several, client, first.json()["refresh_token"]).json()
    assert audiences(both["access_token"]) == {ONE, TWO, several.url("userinfo")}
