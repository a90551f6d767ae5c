"""Signing in to an organization of a tenant: who may, and what tokens say of it.

RFC 6749 §3.3 and OpenID Connect Core §5.1.2 for scopes and claims beyond the standard ones.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tenantry.core.facts import (
    DATABASE_CONNECTION,
    ClaimMapping,
    ClaimSource,
    ClaimTarget,
    SubjectType,
)
from tenantry.services import organizations as organization_services
from tenantry.services.commands import Patch
from tenantry.store import client_grants
from tests.support.browser import Browser, Page
from tests.support.flow import Granted, authorize, log_in, refused, request_for, sign_in
from tests.support.jwt import claims_of
from tests.support.management import Api
from tests.support.organizations import (
    application,
    delete,
    give_role,
    join,
    leave,
    organization,
)
from tests.support.server import PASSWORD, Client, Server, Tenant, both_databases

API = "https://api.example.com"
OFFLINE = "openid offline_access"


def introspected(tenant: Tenant, client: Any, token: str) -> dict[str, Any]:
    answer = tenant.server.client.post(
        tenant.url("oauth/introspect"), data=client.body | {"token": token}
    )
    found: dict[str, Any] = answer.json()
    return found


# --- who may enter -------------------------------------------------------------------------


@both_databases
def test_a_member_gets_tokens_for_the_organization(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """`org_id` in both tokens, at userinfo, at introspection, and again after a refresh."""
    client, user = application(tenant), tenant.user()
    acme = organization(tenant, "acme", user)
    granted = sign_in(browser, tenant, client, organization=acme.id, scope=OFFLINE)
    tokens = granted.tokens()
    refreshed = tenant.token(
        client, grant_type="refresh_token", refresh_token=tokens["refresh_token"]
    ).json()
    for answer in (tokens, refreshed):
        for name in ("access_token", "id_token"):
            claims = claims_of(answer[name])
            assert claims["org_id"] == acme.id
            assert "org_name" not in claims
        assert tenant.userinfo(answer["access_token"]).json()["org_id"] == acme.id
        for name in ("access_token", "refresh_token"):
            assert introspected(tenant, client, answer[name])["org_id"] == acme.id


def test_without_organization_nothing_is_said_of_one(tenant: Tenant, browser: Browser) -> None:
    client, user = application(tenant), tenant.user()
    organization(tenant, "acme", user)
    tokens = sign_in(browser, tenant, client, scope=OFFLINE).tokens()
    assert "org_id" not in claims_of(tokens["access_token"]) | claims_of(tokens["id_token"])
    assert "org_id" not in tenant.userinfo(tokens["access_token"]).json()


def test_names_where_the_tenant_allows_them(tenant: Tenant, browser: Browser) -> None:
    """With the switch a name is as good as an id, and tokens say both."""
    client, user = application(tenant), tenant.user()
    acme = organization(tenant, "acme", user)
    answer = authorize(browser, tenant, request_for(client, organization="acme").parameters)
    assert answer.answer["error"] == "invalid_request"
    tenant.change(allow_organization_name_in_authentication_api=True)
    tokens: dict[str, Any] = {}
    for reference in ("acme", "ACME", acme.id):
        tokens = sign_in(browser, tenant, client, organization=reference).tokens()
        for name in ("access_token", "id_token"):
            claims = claims_of(tokens[name])
            assert (claims["org_id"], claims["org_name"]) == (acme.id, "acme")
    tenant.write(organization_services.update, Patch(acme.id, {"name": "acme-2"}))
    assert tenant.userinfo(tokens["access_token"]).json()["org_name"] == "acme-2"


@pytest.mark.parametrize(
    "usage, asked, expected",
    [
        ("deny", False, None),
        ("deny", True, "invalid_request"),
        ("allow", False, None),
        ("allow", True, None),
        ("require", False, "invalid_request"),
        ("require", True, None),
    ],
)
def test_what_the_application_says(
    tenant: Tenant, browser: Browser, usage: str, asked: bool, expected: str | None
) -> None:
    client, user = application(tenant, usage), tenant.user()
    acme = organization(tenant, "acme", user)
    granted = sign_in(browser, tenant, client, organization=acme.id if asked else None)
    assert granted.answer.get("error") == expected
    if expected is None:
        assert ("org_id" in claims_of(granted.tokens()["access_token"])) is asked


def test_only_members_may_enter(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §4.1.2.1: a member of another organization is refused, signed in or not."""
    client, user = application(tenant), tenant.user()
    acme, other = organization(tenant, "acme"), organization(tenant, "other", user)
    refusal = sign_in(browser, tenant, client, organization=acme.id).answer
    assert refusal["error"] == "access_denied"
    assert refusal["state"]
    again = authorize(browser, tenant, request_for(client, organization=acme.id).parameters)
    assert again.answer["error"] == "access_denied"
    silent = request_for(client, organization=acme.id, prompt="none")
    assert authorize(browser, tenant, silent.parameters).answer["error"] == "access_denied"
    assert "code" in sign_in(browser, tenant, client, organization=other.id).answer


def test_another_account_may_enter_where_the_first_may_not(
    tenant: Tenant, browser: Browser
) -> None:
    """OpenID Connect Core §3.1.2.1, `prompt=login`: whoever was there before is not judged."""
    client, _ = application(tenant), tenant.user()
    bob = tenant.user("bob@example.com")
    acme = organization(tenant, "acme", bob)
    sign_in(browser, tenant, client)
    asked = request_for(client, organization=acme.id, prompt="login")
    page = authorize(browser, tenant, asked.parameters)
    assert "code" in log_in(browser, page, "bob@example.com").answer


@pytest.mark.parametrize("reference", ["org_unknown", "acme", "org_", "x" * 300, "тест", "*"])
def test_an_organization_that_nobody_knows(
    tenant: Tenant, browser: Browser, reference: str
) -> None:
    client, user = application(tenant), tenant.user()
    organization(tenant, "acme", user)
    asked = request_for(client, organization=reference)
    assert authorize(browser, tenant, asked.parameters).answer["error"] == "invalid_request"


def test_an_organization_of_another_tenant(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """A neighbour's id is as unknown as one that never was, whatever the members are called."""
    other = server.tenant()
    theirs = organization(other, "acme", other.user())
    client, user = application(tenant), tenant.user()
    organization(tenant, "ours", user)
    tenant.change(allow_organization_name_in_authentication_api=True)
    for reference in (theirs.id, theirs.name):
        asked = request_for(client, organization=reference)
        assert authorize(browser, tenant, asked.parameters).answer["error"] == "invalid_request"


def test_a_repeated_organization_is_refused(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §3.1: no parameter "more than once"."""
    client, user = application(tenant), tenant.user()
    acme = organization(tenant, "acme", user)
    query = [*request_for(client).parameters.items(), ("organization", acme.id)]
    both = urlencode([*query, ("organization", acme.id)])
    page = browser.get(f"{tenant.url('authorize')}?{both}")
    assert page.answer["error"] == "invalid_request"


def test_only_the_connections_of_the_organization(tenant: Tenant, browser: Browser) -> None:
    """A user of another connection cannot sign in, and is refused if signed in already."""
    tenant.connection("partners")
    client, user = application(tenant), tenant.user()
    acme = organization(tenant, "acme", user, connection="partners")
    asked = request_for(client, organization=acme.id)
    page = log_in(browser, authorize(browser, tenant, asked.parameters))
    assert (page.title, page.status) == ("Log in", 400)
    sign_in(browser, tenant, client)
    page = authorize(browser, tenant, asked.parameters)
    assert page.answer["error"] == "access_denied"
    tenant.write(
        organization_services.set_connection,
        Patch(acme.id),
        DATABASE_CONNECTION,
        assign_membership_on_login=False,
    )
    assert "code" in authorize(browser, tenant, asked.parameters).answer
    tenant.write(organization_services.remove_connection, Patch(acme.id), DATABASE_CONNECTION)
    assert authorize(browser, tenant, asked.parameters).answer["error"] == "access_denied"


@both_databases
def test_a_connection_may_make_members(server: Server, tenant: Tenant, browser: Browser) -> None:
    client, user = application(tenant), tenant.user()
    acme = organization(tenant, "acme", assigns=True)
    tokens = sign_in(browser, tenant, client, organization=acme.id, scope=OFFLINE).tokens()
    assert claims_of(tokens["id_token"])["org_id"] == acme.id
    (event,) = tenant.events("organization.member_joined")
    assert (event.user_id, event.target_id) == (user.id, acme.id)
    # Without a sign-in nobody becomes a member again.
    leave(tenant, acme, user)
    answer = tenant.token(client, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    refused(answer, 400, "invalid_grant")
    assert "code" in sign_in(browser, tenant, client, organization=acme.id).answer


def test_the_page_shows_the_organization(tenant: Tenant, browser: Browser) -> None:
    client = application(tenant)
    logo = "https://acme.example.com/logo.png"
    acme = organization(tenant, "acme", display_name="Acme & Sons", logo_uri=logo)
    page = authorize(browser, tenant, request_for(client, organization=acme.id).parameters)
    assert "Acme &amp; Sons" in page.response.text
    assert logo in page.response.text
    page = authorize(browser, tenant, request_for(client).parameters)
    assert "Acme" not in page.response.text


# --- where the person says it ---------------------------------------------------------------


@pytest.fixture
def asking(tenant: Tenant) -> Client:
    """An application that lets people name the organization themselves."""
    return application(tenant, "require", organization_require_behavior="pre_login_prompt")


def named(browser: Browser, page: Page, name: str) -> Page:
    assert page.title == "Name your organization"
    return browser.submit(page, "organization-form", organization=name)


def test_the_person_names_the_organization(
    tenant: Tenant, browser: Browser, asking: Client
) -> None:
    """Before the login, or after it where the person is signed in already."""
    user = tenant.user()
    acme, other = organization(tenant, "acme", user), organization(tenant, "other")
    asked = request_for(asking)
    page = named(browser, authorize(browser, tenant, asked.parameters), "unknown")
    assert (page.title, page.status) == ("Name your organization", 400)
    assert page.text_of("organization-error") == "There is no organization of this name."
    page = named(browser, page, " ACME ")
    answer = log_in(browser, page).answer
    claims = claims_of(Granted(tenant, asking, asked, answer).tokens()["id_token"])
    assert claims["org_id"] == acme.id
    page = authorize(browser, tenant, request_for(asking).parameters)
    assert "code" in named(browser, page, "acme").answer
    page = authorize(browser, tenant, request_for(asking).parameters)
    assert named(browser, page, other.name).answer["error"] == "access_denied"


def test_who_names_the_organization_in_the_request_is_not_asked(
    tenant: Tenant, browser: Browser, asking: Client
) -> None:
    acme = organization(tenant, "acme", tenant.user())
    page = authorize(browser, tenant, request_for(asking, organization=acme.id).parameters)
    assert page.title == "Log in"
    silent = authorize(browser, tenant, request_for(asking, prompt="none").parameters)
    assert silent.answer["error"] == "interaction_required"


def test_the_question_cannot_be_skipped(
    server: Server, tenant: Tenant, browser: Browser, asking: Client
) -> None:
    """Another page of the same sign-in leads back; so does a neighbour's name nowhere."""
    organization(tenant, "acme", tenant.user())
    organization(server.tenant(), "theirs")
    page = authorize(browser, tenant, request_for(asking).parameters)
    skipped = browser.get(page.url.replace("/u/organization", "/u/login"))
    assert skipped.title == "Name your organization"
    assert named(browser, skipped, "theirs").status == 400
    assert named(browser, skipped, "").status == 400
    forged = browser.submit(page, "organization-form", organization="acme", form_token="x")
    assert forged.status == 403
    page = named(browser, page, "acme")
    again = browser.get(page.url.replace("/u/login", "/u/organization"))
    assert again.title == "Log in"
    twice = browser.submit(skipped, "organization-form", organization="acme")
    assert twice.title == "Log in"


# --- what ends ------------------------------------------------------------------------------


def test_a_member_who_was_removed_refreshes_no_more(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §6: membership is looked at again at each refresh."""
    client, user = application(tenant), tenant.user()
    acme = organization(tenant, "acme", user)
    tokens = sign_in(browser, tenant, client, organization=acme.id, scope=OFFLINE).tokens()
    leave(tenant, acme, user)
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    refused(tenant.token(client, **fields), 400, "invalid_grant")
    assert introspected(tenant, client, tokens["refresh_token"]) == {"active": False}
    join(tenant, acme, user)
    assert tenant.token(client, **fields).status_code == 200
    delete(tenant, acme)
    refused(tenant.token(client, **fields), 400, "invalid_grant")


def test_a_member_who_was_removed_redeems_no_code(tenant: Tenant, browser: Browser) -> None:
    client, user = application(tenant), tenant.user()
    acme = organization(tenant, "acme", user)
    granted = sign_in(browser, tenant, client, organization=acme.id)
    leave(tenant, acme, user)
    refused(granted.redeem(), 400, "invalid_grant")


def test_an_application_that_takes_no_organizations_any_more(
    tenant: Tenant, browser: Browser
) -> None:
    client, user = application(tenant), tenant.user()
    acme = organization(tenant, "acme", user)
    within = sign_in(browser, tenant, client, organization=acme.id, scope=OFFLINE).tokens()
    without = sign_in(browser, tenant, client, scope=OFFLINE).tokens()
    for usage, ended, kept in (("deny", within, without), ("require", without, within)):
        tenant.change_application(client, organization_usage=usage)
        fields = {"grant_type": "refresh_token"}
        answer = tenant.token(client, **fields, refresh_token=ended["refresh_token"])
        refused(answer, 400, "invalid_grant")
        answer = tenant.token(client, **fields, refresh_token=kept["refresh_token"])
        assert answer.status_code == 200
        kept["refresh_token"] = answer.json()["refresh_token"]


def test_a_refresh_names_no_other_organization(tenant: Tenant, browser: Browser) -> None:
    client, user = application(tenant), tenant.user()
    acme, other = organization(tenant, "acme", user), organization(tenant, "other", user)
    tokens = sign_in(browser, tenant, client, organization=acme.id, scope=OFFLINE).tokens()
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    refused(tenant.token(client, **fields, organization=other.id), 400, "invalid_grant")
    refused(tenant.token(client, **fields, organization="org_unknown"), 400, "invalid_request")
    assert tenant.token(client, **fields, organization=acme.id).status_code == 200
    plain = sign_in(browser, tenant, client, scope=OFFLINE).tokens()
    fields["refresh_token"] = plain["refresh_token"]
    refused(tenant.token(client, **fields, organization=acme.id), 400, "invalid_grant")


# --- roles ----------------------------------------------------------------------------------


def test_roles_within_the_organization(tenant: Tenant, browser: Browser) -> None:
    """They count for tokens of that organization alone, beside those of the whole tenant."""
    tenant.api(
        API, "read:x", "write:x", "delete:x",
        enforce_policies=True, token_dialect="access_token_authz",
    )  # fmt: skip
    client, user = application(tenant), tenant.user()
    tenant.permit(user, API, "read:x")
    acme, other = organization(tenant, "acme", user), organization(tenant, "other", user)
    writer = tenant.role("writer", API, "write:x")
    give_role(tenant, acme, user, writer)
    scope = f"{OFFLINE} read:x write:x delete:x"
    expected = {acme.id: ["read:x", "write:x"], other.id: ["read:x"], None: ["read:x"]}
    for reference, permissions in expected.items():
        granted = sign_in(
            browser, tenant, client, organization=reference, audience=API, scope=scope
        )
        claims = claims_of(granted.tokens()["access_token"])
        assert claims["permissions"] == permissions
        assert claims["scope"] == " ".join(["openid", *permissions])


def test_claims_of_roles_within_the_organization(tenant: Tenant, browser: Browser) -> None:
    """A mapping of role names tells those of the organization too, at userinfo as well."""
    targets = (ClaimTarget.ACCESS_TOKEN, ClaimTarget.ID_TOKEN, ClaimTarget.USERINFO)
    mapping = ClaimMapping(claim="roles", source=ClaimSource.ROLES, tokens=targets)
    tenant.change(claim_mappings=(mapping,))
    client, user = application(tenant), tenant.user()
    acme = organization(tenant, "acme", user)
    tenant.api(API, "read:x")
    reader, writer = tenant.role("reader", API, "read:x"), tenant.role("writer", API, "read:x")
    tenant.give_role(user, reader)
    give_role(tenant, acme, user, reader)
    give_role(tenant, acme, user, writer)
    for reference, names in ((acme.id, ["reader", "writer"]), (None, ["reader"])):
        tokens = sign_in(browser, tenant, client, organization=reference).tokens()
        assert claims_of(tokens["access_token"])["roles"] == names
        assert claims_of(tokens["id_token"])["roles"] == names
        assert tenant.userinfo(tokens["access_token"]).json()["roles"] == names
    (event, *_) = tenant.events("token.issued")
    assert "organization" not in event.details
    assert tenant.events("token.issued")[1].details["organization"] == acme.id


def test_another_account_of_the_same_browser(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.1, `select_account`: the choice decides who is judged."""
    client, _ = application(tenant), tenant.user()
    bob = tenant.user("bob@example.com")
    acme = organization(tenant, "acme", bob)
    sign_in(browser, tenant, client)
    asked = request_for(client, organization=acme.id, prompt="select_account")
    page = authorize(browser, tenant, asked.parameters)
    assert not page.left_for
    other = browser.submit(page, "select-account-form", press="select-account-another")
    assert "code" in log_in(browser, other, "bob@example.com").answer


def test_roles_within_the_organization_administer(tenant: Tenant, browser: Browser) -> None:
    """The management API looks at the same roles at each request."""
    client, user = application(tenant), tenant.user()
    acme = organization(tenant, "acme", user)
    auditor = tenant.role("auditor", tenant.url("graphql"), "read:users")
    give_role(tenant, acme, user, auditor)
    asked = {"audience": tenant.url("graphql"), "scope": "openid read:users"}
    within = sign_in(browser, tenant, client, organization=acme.id, **asked).tokens()
    without = sign_in(browser, tenant, client, **asked).tokens()
    scopes = "{ viewer { scopes } }"
    assert Api(tenant, within["access_token"]).data(scopes) == {
        "viewer": {"scopes": ["read:users"]}
    }
    assert Api(tenant, without["access_token"]).data(scopes) == {"viewer": {"scopes": []}}
    leave(tenant, acme, user)
    assert Api(tenant, within["access_token"]).data(scopes) == {"viewer": {"scopes": []}}


# --- other grants ---------------------------------------------------------------------------


def test_password(tenant: Tenant) -> None:
    """RFC 6749 §4.3 for an organization; where one is required there is no way around it."""
    tenant.change(default_directory=DATABASE_CONNECTION)
    client = application(tenant, grant_types=("password",))
    user = tenant.user()
    acme, other = organization(tenant, "acme", user), organization(tenant, "other")
    fields = {
        "grant_type": "password",
        "username": "ann@example.com",
        "password": PASSWORD,
        "scope": "openid",
    }
    tokens = tenant.token(client, **fields, organization=acme.id).json()
    assert claims_of(tokens["id_token"])["org_id"] == acme.id
    refused(tenant.token(client, **fields, organization=other.id), 403, "access_denied")
    client = tenant.change_application(client, organization_usage="require")
    refused(tenant.token(client, **fields), 400, "invalid_request")


def test_device_flow_has_no_organization(tenant: Tenant, browser: Browser) -> None:
    """RFC 8628 §3.1: an application that requires one is told before anybody types a code."""
    client = application(
        tenant,
        "require",
        "native",
        grant_types=("urn:ietf:params:oauth:grant-type:device_code",),
    )
    answer = tenant.server.client.post(
        tenant.url("oauth/device/code"), data=client.body | {"scope": "openid"}
    )
    refused(answer, 400, "invalid_request")


def test_an_exchanged_token_stays_within_the_organization(tenant: Tenant, browser: Browser) -> None:
    """RFC 8693 §2: what the old token was for, the new one is for."""
    exchange = "urn:ietf:params:oauth:grant-type:token-exchange"
    tenant.api(API, "read:x")
    tenant.api("https://other.example.com", "read:y")
    client = application(
        tenant,
        grant_types=("authorization_code", exchange),
        token_exchange_audiences=("https://other.example.com",),
    )
    user = tenant.user()
    acme = organization(tenant, "acme", user)
    tokens = sign_in(
        browser, tenant, client, organization=acme.id, audience=API, scope="openid read:x"
    ).tokens()
    fields = {
        "grant_type": exchange,
        "audience": "https://other.example.com",
        "subject_token": tokens["access_token"],
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
    }
    made = tenant.token(client, **fields).json()
    assert claims_of(made["access_token"])["org_id"] == acme.id
    leave(tenant, acme, user)
    refused(tenant.token(client, **fields), 400, "invalid_request")


def test_tokens_in_front(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.2.2.5: what comes from the authorization endpoint says it too."""
    client = application(tenant, grant_types=("implicit",))
    user = tenant.user()
    acme = organization(tenant, "acme", user)
    answer = sign_in(
        browser, tenant, client, organization=acme.id, response_type="id_token token"
    ).answer
    assert claims_of(answer["id_token"])["org_id"] == acme.id
    assert claims_of(answer["access_token"])["org_id"] == acme.id


# --- client credentials ---------------------------------------------------------------------


def machine(tenant: Tenant, client: Any, **fields: str) -> Any:
    return tenant.token(client, grant_type="client_credentials", audience=API, **fields)


@pytest.mark.parametrize(
    "usage, reference, expected",
    [
        ("deny", None, ""),
        ("deny", "granted", "invalid_request"),
        ("allow", None, ""),
        ("allow", "granted", "org"),
        ("allow", "other", "access_denied"),
        ("allow", "unknown", "invalid_request"),
        ("require", None, "invalid_request"),
        ("require", "granted", "org"),
    ],
)
def test_an_application_for_an_organization(
    tenant: Tenant, usage: str, reference: str | None, expected: str
) -> None:
    """RFC 6749 §4.4: as the client grant says, for the organizations that it covers."""
    tenant.api(API, "read:x")
    client = tenant.application("non_interactive")
    tenant.grant(client, API, "read:x", organization_usage=usage)
    acme, other = organization(tenant, "acme"), organization(tenant, "other")
    cover(tenant, client, acme.id)
    named = {"granted": acme.id, "other": other.id, "unknown": "org_unknown"}
    fields = {"organization": named[reference]} if reference else {}
    answer = machine(tenant, client, **fields)
    if expected in {"", "org"}:
        claims = claims_of(answer.json()["access_token"])
        assert claims.get("org_id") == (acme.id if expected else None)
        shown = introspected(tenant, client, answer.json()["access_token"])
        assert shown.get("org_id") == (acme.id if expected else None)
    else:
        refused(answer, 403 if expected == "access_denied" else 400, expected)


def cover(tenant: Tenant, client: Any, *ids: str) -> None:
    grant = tenant.read(client_grants.find_for, (client.id, API, SubjectType.CLIENT))
    tenant.write(organization_services.cover, Patch(grant.id), ids)


def test_an_application_for_any_organization(server: Server, tenant: Tenant) -> None:
    tenant.api(API, "read:x")
    client = tenant.application("non_interactive")
    tenant.grant(client, API, "read:x", organization_usage="allow", allow_any_organization=True)
    acme = organization(tenant, "acme")
    theirs = organization(server.tenant(), "theirs")
    token = machine(tenant, client, organization=acme.id).json()["access_token"]
    assert claims_of(token)["org_id"] == acme.id
    refused(machine(tenant, client, organization=theirs.id), 400, "invalid_request")
    refused(machine(tenant, client, organization="acme"), 400, "invalid_request")
    tenant.change(allow_organization_name_in_authentication_api=True)
    claims = claims_of(machine(tenant, client, organization="acme").json()["access_token"])
    assert (claims["org_id"], claims["org_name"]) == (acme.id, "acme")
    delete(tenant, acme)
    refused(machine(tenant, client, organization=acme.id), 400, "invalid_request")


def test_a_grant_that_covers_less_at_once(tenant: Tenant) -> None:
    tenant.api(API, "read:x")
    client = tenant.application("non_interactive")
    tenant.grant(client, API, "read:x", organization_usage="allow")
    acme = organization(tenant, "acme")
    refused(machine(tenant, client, organization=acme.id), 403, "access_denied")
    cover(tenant, client, acme.id)
    assert machine(tenant, client, organization=acme.id).status_code == 200
    grant = tenant.read(client_grants.find_for, (client.id, API, SubjectType.CLIENT))
    tenant.write(organization_services.uncover, Patch(grant.id), [acme.id])
    refused(machine(tenant, client, organization=acme.id), 403, "access_denied")
