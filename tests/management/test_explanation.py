"""`authorizationExplain`: what it takes, what it shows, and that it changes nothing."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tenantry.core.facts import DATABASE_CONNECTION, AccessPolicy, GrantType, ResponseTypeName
from tenantry.rules.rule_descriptions import DESCRIPTIONS
from tenantry.services import users
from tenantry.services.commands import Patch
from tests.management.test_explanation_agrees import EXPLAIN, compare, lasting
from tests.support import ciba, organizations
from tests.support.browser import Browser
from tests.support.flow import authorize, log_in, request_for, sign_in
from tests.support.jwt import claims_of
from tests.support.management import Api, root_api, tenant_api
from tests.support.server import CALLBACK, PASSWORD, Client, Server, Tenant, both_databases
from tests.support.worlds import make_world

API = "https://api.example.com"
RULES = Path(__file__).parents[2] / "src" / "tenantry" / "rules"


@pytest.fixture
def api(tenant: Tenant) -> Api:
    return root_api(tenant)


def explained(api: Api, client: Client, grant_type: GrantType, **variables: Any) -> Any:
    given = {"clientId": client.id, "grantType": grant_type.name} | variables
    with api.tenant.server.stores_nothing():
        return api.data(EXPLAIN, **given)["authorizationExplain"]


def failed(found: Any) -> tuple[str, str]:
    """The rule that decided, and the setting that did."""
    last = found["rules"][-1]
    assert not last["passed"]
    assert all(rule["passed"] for rule in found["rules"][:-1])
    return last["name"], last["setting"]


@both_databases
def test_a_machine_is_told_rule_by_rule(tenant: Tenant) -> None:
    """From the first refusal to the token, one setting at a time."""
    api, grant_type = root_api(tenant), GrantType.CLIENT_CREDENTIALS
    client = tenant.application("non_interactive", grant_types=())
    assert failed(explained(api, client, grant_type)) == ("grant_type", "Application.grantTypes")
    client = tenant.change_application(client, grant_types=(grant_type,))
    assert failed(explained(api, client, grant_type)) == (
        "audience_given",
        "Tenant.defaultAudience",
    )
    asked = {"audience": API, "scopes": ["read"]}
    assert failed(explained(api, client, grant_type, **asked))[0] == "audience_known"
    tenant.api(API, "read", "write", token_lifetime=777)
    found = explained(api, client, grant_type, **asked)
    assert failed(found) == ("client_grant", "ClientGrant")
    assert (found["issued"], found["error"]) == (False, "access_denied")
    tenant.grant(client, API, "write")
    assert failed(explained(api, client, grant_type, **asked))[0] == "scopes_granted"
    found = explained(api, client, grant_type, audience=API)
    assert (found["issued"], found["error"], found["scopes"]) == (True, None, ["write"])
    assert [rule["name"] for rule in found["rules"]] == [
        "grant_type",
        "confidential",
        "audience_given",
        "audience_known",
        "client_access_policy",
        "client_grant",
        "scopes_granted",
        "scopes_registered",
    ]
    assert all(rule["passed"] and len(rule["description"]) > 20 for rule in found["rules"])
    assert (found["audience"], found["accessTokenLifetime"]) == ([API], 777)
    assert (found["idToken"], found["userinfo"], found["refreshToken"]) == (None, None, False)
    assert found["accessToken"] == {
        "iss": tenant.issuer,
        "sub": f"{client.id}@clients",
        "aud": API,
        "azp": client.id,
        "gty": "client-credentials",
        "scope": "write",
    }


def test_every_rule_is_described() -> None:
    """In the table, and no other: a rule that is added needs its words."""
    used = set()
    for name in (
        "authorization",
        "admission",
        "authorization_admission",
        "backchannel",
        "detail_admission",
        "organizations",
        "possession",
        "pushed_requests",
    ):
        text = (RULES / f"{name}.py").read_text(encoding="utf-8")
        used |= set(re.findall(r'(?:_holds\(\s*trace,|Rule\(|Verdict\(|check\()\s*"(\w+)"', text))
    assert len(used) > 25
    assert used == set(DESCRIPTIONS)


def test_an_application_that_must_push(tenant: Tenant, api: Api) -> None:
    """RFC 9126 §6: the request is meant to be pushed, which the tenant may not take."""
    client, grant_type = tenant.application(), GrantType.AUTHORIZATION_CODE
    tenant.change_application(client, require_pushed_authorization_requests=True)
    found = explained(api, client, grant_type, scopes=["openid"])
    assert found["issued"]
    assert found["rules"][0]["name"] == "push_supported"
    tenant.change(pushed_authorization_requests_supported=False)
    found = explained(api, client, grant_type, scopes=["openid"])
    assert failed(found) == ("push_supported", "Tenant.pushedAuthorizationRequestsSupported")
    assert found["error"] == "invalid_request"


def test_proof_of_possession(tenant: Tenant, api: Api) -> None:
    """RFC 9449 §5.2: which setting demands it, and that a proof would do."""
    grants = ("authorization_code", "client_credentials", "implicit")
    types = ("code", "token", "id_token")
    client = tenant.application(grant_types=grants, response_types=types)
    tenant.api(API, "read")
    tenant.grant(client, API, "read")
    machine, code = GrantType.CLIENT_CREDENTIALS, GrantType.AUTHORIZATION_CODE
    asked = {"audience": API, "scopes": ["read"]}
    rule = "proof_of_possession"
    for grant_type in (machine, code):
        found = explained(api, client, grant_type, **asked)
        assert rule not in [each["name"] for each in found["rules"]]
    tenant.change_application(client, dpop_bound_access_tokens=True)
    for grant_type in (machine, code):
        found = explained(api, client, grant_type, **asked)
        assert failed(found) == (rule, "Application.dpopBoundAccessTokens")
        assert found["error"] == "invalid_request"
        for kind, issued in (("DPOP", True), ("MTLS", False)):
            found = explained(api, client, grant_type, **asked, proofOfPossession=kind)
            assert found["issued"] is issued
    front = {"responseType": "TOKEN"}
    found = explained(api, client, GrantType.IMPLICIT, **asked, **front)
    assert (failed(found)[0], found["error"]) == (rule, "unauthorized_client")
    tenant.change_application(client, dpop_bound_access_tokens=False)
    other = "https://other.example.com"
    tenant.api(other, "read", proof_of_possession="dpop")
    tenant.grant(client, other, "read")
    asked["audience"] = other
    for grant_type, more in ((machine, {}), (code, {}), (GrantType.IMPLICIT, front)):
        found = explained(api, client, grant_type, **asked, **more)
        assert failed(found) == (rule, "ResourceServer.proofOfPossession")
        assert found["error"] == "invalid_request"
    assert explained(api, client, code, **asked, proofOfPossession="DPOP")["issued"]


def test_nothing_is_known_of_strangers(tenant: Tenant, server: Server, api: Api) -> None:
    client, user = tenant.application(), tenant.user()
    other = server.tenant()
    grant_type = GrantType.PASSWORD
    foreign, somebody = other.application(), other.user()
    assert explained(api, foreign, grant_type, userId=user.id) is None
    assert explained(api, client, grant_type, userId=somebody.id) is None
    assert explained(api, client, grant_type, userId="unknown") is None


def test_it_needs_its_scopes(tenant: Tenant) -> None:
    """read:users only where a user is named."""
    client, user = tenant.application("non_interactive"), tenant.user()
    needed = ("read:applications", "read:resource_servers", "read:client_grants")
    asked = {"clientId": client.id, "grantType": "PASSWORD"}
    for missing in needed:
        held = tenant_api(tenant, *(scope for scope in needed if scope != missing))
        assert held.error(EXPLAIN, **asked)["code"] == "FORBIDDEN"
    api = tenant_api(tenant, *needed)
    assert api.data(EXPLAIN, **asked)["authorizationExplain"]["issued"] is False
    error = api.error(EXPLAIN, **asked, userId=user.id)
    assert (error["code"], error["requiredScopes"]) == ("FORBIDDEN", ["read:users"])
    error = api.error(EXPLAIN, **asked, organization="acme")
    assert (error["code"], error["requiredScopes"]) == ("FORBIDDEN", ["read:organizations"])


@pytest.mark.parametrize(
    "grant_type, argument",
    [
        ("CLIENT_CREDENTIALS", {"userId": "x"}),
        ("CLIENT_CREDENTIALS", {"responseType": "CODE"}),
        ("PASSWORD", {"connection": "x"}),
        ("PASSWORD", {"redirectUri": CALLBACK}),
        ("PASSWORD", {"presentedScopes": []}),
        ("TOKEN_EXCHANGE", {"assertionIssuer": "x"}),
        ("AUTHORIZATION_CODE", {"responseType": "ID_TOKEN"}),
        ("IMPLICIT", {"responseType": "CODE"}),
        ("PASSWORD", {"scopes": ["two words"]}),
        ("REFRESH_TOKEN", {"presentedScopes": [""]}),
    ],
)
def test_what_no_application_could_send(
    tenant: Tenant, api: Api, grant_type: str, argument: dict[str, Any]
) -> None:
    client = tenant.application()
    error = api.error(EXPLAIN, clientId=client.id, grantType=grant_type, **argument)
    assert error["code"] == "BAD_REQUEST"


def test_without_a_user_the_rules_are_told_alone(tenant: Tenant, api: Api) -> None:
    tenant.api(API, "read", enforce_policies=True)
    client = tenant.application()
    asked = {"audience": API, "scopes": ["openid", "read"]}
    found = explained(api, client, GrantType.AUTHORIZATION_CODE, **asked)
    assert (found["issued"], found["scopes"]) == (True, ["openid", "read"])
    assert (found["accessToken"], found["idToken"], found["userinfo"]) == (None, None, None)
    assert "permissions" not in {rule["name"] for rule in found["rules"]}
    user = tenant.user()
    found = explained(api, client, GrantType.AUTHORIZATION_CODE, userId=user.id, **asked)
    assert found["scopes"] == ["openid"]
    assert "permissions" in {rule["name"] for rule in found["rules"]}


def test_who_cannot_sign_in(tenant: Tenant, api: Api) -> None:
    """Blocked, or of a connection that the application does not let in."""
    client, user = tenant.application(), tenant.user()
    tenant.connection("partners")
    stranger = tenant.user("bob@example.com", connection="partners")
    code = GrantType.AUTHORIZATION_CODE
    found = explained(api, client, code, scopes=["openid"], userId=stranger.id)
    assert (found["error"], failed(found)) == (
        "login_required",
        ("connection_enabled", "Application.connections"),
    )
    third = tenant.application(is_first_party=False)
    found = explained(api, third, code, scopes=["openid"], userId=stranger.id)
    assert failed(found) == ("connection_enabled", "Connection.isDomainConnection")
    tenant.block(user)
    found = explained(api, client, code, scopes=["openid"], userId=user.id)
    assert failed(found) == ("user_not_blocked", "User.blocked")


def test_which_consent_a_page_would_ask(tenant: Tenant, browser: Browser, api: Api) -> None:
    """OpenID Connect Core §3.1.2.4: once for a third party, each time on the user's own machine."""
    tenant.api(API, "read", "write")
    client, user = tenant.application(is_first_party=False), tenant.user()
    code, asked = GrantType.AUTHORIZATION_CODE, {"audience": API, "userId": user.id}
    scopes = ["openid", "read"]
    assert explained(api, client, code, scopes=scopes, **asked)["consentScopes"] == scopes
    sign_in(browser, tenant, client, scope="openid read", audience=API)
    assert explained(api, client, code, scopes=scopes, **asked)["consentScopes"] == []
    more = [*scopes, "write"]
    assert explained(api, client, code, scopes=more, **asked)["consentScopes"] == more
    local = "http://localhost:3000/callback"
    own = tenant.application(redirect_uris=(CALLBACK, local))
    assert explained(api, own, code, scopes=scopes, **asked)["consentScopes"] == []
    found = explained(api, own, code, scopes=scopes, redirectUri=local, **asked)
    assert found["consentScopes"] == scopes
    found = explained(api, own, code, scopes=scopes, redirectUri="https://x.example", **asked)
    assert failed(found) == ("redirect_uri", "Application.redirectUris")


@pytest.mark.parametrize("response_type", list(ResponseTypeName))
def test_each_answer_of_the_authorization_endpoint(
    tenant: Tenant, browser: Browser, api: Api, response_type: ResponseTypeName
) -> None:
    """Its own tokens, and those that its code is redeemed for."""
    tenant.api(
        API, "read", allow_offline_access=True, token_lifetime=900, token_lifetime_for_web=60
    )
    grant_types = ("authorization_code", "implicit", "refresh_token")
    client = tenant.application(grant_types=grant_types, response_types=(response_type,))
    user = tenant.user(name="Ann")
    scope = "openid profile offline_access read"
    made = sign_in(
        browser, tenant, client, response_type=response_type.value, scope=scope, audience=API
    )
    asked = {"audience": API, "userId": user.id, "scopes": scope.split()}
    asked["responseType"] = response_type.name
    if response_type is not ResponseTypeName.CODE:
        found = explained(api, client, GrantType.IMPLICIT, **asked)
        assert found["refreshToken"] is False
        assert (found["accessToken"] is None) == ("access_token" not in made.answer)
        assert (found["idToken"] is None) == ("id_token" not in made.answer)
        if "access_token" in made.answer:
            assert lasting(found["accessToken"]) == lasting(claims_of(made.answer["access_token"]))
            assert found["accessTokenLifetime"] == int(made.answer["expires_in"]) == 60
        if "id_token" in made.answer:
            assert lasting(found["idToken"]) == lasting(claims_of(made.answer["id_token"]))
    if "code" in response_type.parts:
        found = explained(api, client, GrantType.AUTHORIZATION_CODE, **asked)
        given = compare(found, made.redeem(), asked)
        assert given is not None
        assert given["refresh_token"]
        told = tenant.userinfo(given["access_token"]).json()
        assert lasting(found["userinfo"]) == lasting(told)


def test_other_response_types_than_the_registered_ones(tenant: Tenant, api: Api) -> None:
    client = tenant.application(
        grant_types=("authorization_code", "implicit"), response_types=(ResponseTypeName.CODE,)
    )
    found = explained(api, client, GrantType.IMPLICIT, scopes=["openid"])
    assert failed(found) == ("response_type", "Application.responseTypes")
    plain = tenant.application(grant_types=("authorization_code",))
    found = explained(api, plain, GrantType.IMPLICIT, scopes=["openid"])
    assert failed(found) == ("grant_type", "Application.grantTypes")
    found = explained(api, plain, GrantType.AUTHORIZATION_CODE)
    assert failed(found) == ("scope_given", "Application.oidcConformant")


def test_a_device(tenant: Tenant, server: Server, api: Api) -> None:
    """RFC 8628 §3.3: the person is always asked, and the tokens are those that were explained."""
    tenant.api(API, "read", allow_offline_access=True)
    device = GrantType.DEVICE_CODE
    client = tenant.application("native", grant_types=(device, "refresh_token"))
    user, scope = tenant.user(), "openid offline_access read"
    asked = {"audience": API, "userId": user.id, "scopes": scope.split()}
    found = explained(api, client, device, **asked)
    assert (found["consentRequired"], found["consentScopes"]) == (True, scope.split())
    codes = server.client.post(
        tenant.url("oauth/device/code"), data=client.body | {"audience": API, "scope": scope}
    ).json()
    browser = server.browser()
    page = browser.get(codes["verification_uri_complete"])
    page = browser.submit(page, "device-form")
    page = browser.submit(log_in(browser, page), "consent-form", press="consent-allow")
    answer = tenant.token(client, grant_type=device.value, device_code=codes["device_code"])
    assert compare(found, answer, asked) is not None


def test_a_person_who_is_asked_elsewhere(tenant: Tenant, server: Server, api: Api) -> None:
    """CIBA Core §7.1: the rules of the endpoint, and the tokens that were explained."""
    tenant.api(API, "read", allow_offline_access=True)
    grants = (GrantType.CIBA, GrantType.REFRESH_TOKEN)
    client = ciba.asking(tenant, grant_types=grants)
    user, scope = tenant.user(ciba.EMAIL), "openid offline_access read"
    asked = {"audience": API, "userId": user.id, "scopes": scope.split()}

    def both() -> tuple[dict[str, Any], Any]:
        answer = ciba.ask(tenant, client, audience=API, scope=scope)
        return explained(api, client, GrantType.CIBA, **asked), answer

    found, answer = both()
    assert failed(found) == ("email_verified", "User.emailVerified")
    assert found["error"] == answer.json()["error"]
    tenant.write(users.update, Patch(user.id, {"email_verified": True}))
    found, answer = both()
    assert (found["consentRequired"], found["consentScopes"]) == (True, scope.split())
    listed = api.data("{ backchannelRequests(first: 1) { nodes { id } } }")
    request = {"id": listed["backchannelRequests"]["nodes"][0]["id"]}
    api.do("backchannelRequestApprove", "__typename", request)
    assert compare(found, ciba.poll(tenant, client, answer.json()), asked) is not None
    tenant.block(user)
    found, answer = both()
    assert failed(found) == ("user_not_blocked", "User.blocked")
    assert found["error"] == answer.json()["error"]
    client = ciba.asking(tenant, async_approval_notification_channels=("push",))
    found, answer = both()
    assert failed(found)[0] == "notification_channel"
    assert found["error"] == answer.json()["error"]
    client = tenant.application()
    found, answer = both()
    assert found["error"] == answer.json()["error"] == "unauthorized_client"


def test_several_apis_at_once(tenant: Tenant, api: Api) -> None:
    """RFC 8707 §2: only where the tenant takes that."""
    other = "https://other.example.com"
    tenant.api(API, "read")
    tenant.api(other, "read")
    client, user = tenant.application(), tenant.user()
    asked = {"audience": f"{other} {API}", "scopes": ["read"], "userId": user.id}
    found = explained(api, client, GrantType.AUTHORIZATION_CODE, **asked)
    assert failed(found) == ("one_target", "Tenant.resourceParameterProfile")
    tenant.change(resource_parameter_profile="several")
    found = explained(api, client, GrantType.AUTHORIZATION_CODE, **asked)
    assert found["audience"] == [API, other]


def test_a_change_of_policy_is_told_at_once(tenant: Tenant, api: Api) -> None:
    """As the token endpoint does: nothing is remembered."""
    tenant.api(API, "read", user_access_policy=AccessPolicy.REQUIRE_CLIENT_GRANT)
    tenant.change(default_directory=DATABASE_CONNECTION)
    client, user = tenant.application(grant_types=("password",)), tenant.user()
    asked = {"audience": API, "scopes": ["read"], "userId": user.id}
    found = explained(api, client, GrantType.PASSWORD, **asked)
    assert failed(found) == ("client_grant", "ClientGrant")
    answer = tenant.token(
        client,
        grant_type="password",
        audience=API,
        scope="read",
        username="ann@example.com",
        password=PASSWORD,
    )
    assert compare(found, answer, asked) is None


NOT_LET_IN = {"connection_enabled", "user_not_blocked", "organization_connection"}


def test_an_organization(tenant: Tenant, api: Api) -> None:
    """Who is let in, who becomes a member by signing in, and who is one no more."""
    client, user = organizations.application(tenant), tenant.user()
    acme = organizations.organization(tenant, "acme", connection=None)
    code, asked = GrantType.AUTHORIZATION_CODE, {"scopes": ["openid"], "userId": user.id}
    asked |= {"organization": acme.id}
    assert failed(explained(api, client, code, **asked)) == (
        "organization_connection",
        "Organization.connections",
    )
    open_to_all = organizations.organization(tenant, "open", assigns=True)
    found = explained(api, client, code, **(asked | {"organization": open_to_all.id}))
    assert found["idToken"]["org_id"] == found["userinfo"]["org_id"] == open_to_all.id
    asked |= {"organization": organizations.organization(tenant, "closed").id}
    assert failed(explained(api, client, code, **asked))[0] == "organization_member"
    named = asked | {"organization": "closed"}
    assert failed(explained(api, client, code, **named)) == ("organization_known", "Organization")
    refresh = GrantType.REFRESH_TOKEN
    client = tenant.change_application(client, grant_types=(code, refresh))
    assert failed(explained(api, client, refresh, **asked))[0] == "organization_member"
    client = tenant.change_application(client, organization_usage="deny")
    assert failed(explained(api, client, code, **asked))[0] == "organization_usage"


def code_flow(server: Server, seed: int, times: int) -> int:
    """Signs in at random worlds; how often an answer came. Who cannot sign in stays at the page."""
    random, issued = Random(seed), 0
    world = make_world(server, random)
    tenant, api = world.tenant, root_api(world.tenant)
    for _ in range(times):
        client, user = random.choice(world.clients), random.choice(world.users)
        audience = random.choice((None, *world.audiences))
        scope = random.choice(("openid", "openid profile offline_access read write", "read"))
        organization = random.choice(
            (None, None, "org_x", *(each.id for each in world.organizations))
        )
        asked = {"audience": audience, "userId": user.id, "scopes": scope.split()}
        asked |= {"organization": organization}
        found = explained(api, client, GrantType.AUTHORIZATION_CODE, **asked)
        browser = server.browser()
        request = request_for(client, scope=scope, audience=audience, organization=organization)
        page = authorize(browser, tenant, request.parameters)
        if page.title == "Log in":
            page = log_in(browser, page, user.email or "")
        if page.title == "Log in":
            assert failed(found)[0] in NOT_LET_IN, (found, asked)
            continue
        assert (page.title == "Allow access") == found["consentRequired"], (found, asked)
        if page.title == "Allow access":
            page = browser.submit(page, "consent-form", press="consent-allow")
        if "code" not in page.answer:
            assert found["error"] == page.answer["error"], (found, asked)
            assert found["errorDescription"] == page.answer["error_description"]
            continue
        fields = {"code": page.answer["code"], "redirect_uri": client.redirect_uri}
        answer = tenant.token(
            client,
            grant_type="authorization_code",
            code_verifier=request.verifier,
            **fields,
        )
        issued += compare(found, answer, {"found": found, "asked": asked}) is not None
    return issued


def test_the_code_flow_is_what_is_explained(server: Server) -> None:
    assert sum(code_flow(server, seed, 9) for seed in (200, 201, 202)) > 2


@pytest.mark.full
def test_many_code_flows_are_what_is_explained(server: Server) -> None:
    assert sum(code_flow(server, seed, 20) for seed in range(200, 215)) > 50
