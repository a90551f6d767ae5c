"""Readiness checks: each fault of a tenant or an application is found, and its remedy mends it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.support.management import Api, tenant_api
from tests.support.server import Tenant

CHECKS = "check severity passed reason mutation settings"
OF_TENANT = f"{{ readinessChecks {{ {CHECKS} }} }}"
OF_APPLICATION = (
    f"query($clientId: String!) {{ application(clientId: $clientId) {{ id readinessChecks {{"
    f" {CHECKS} }} }} }}"
)
UPDATE_TENANT = """
mutation($input: TenantUpdateInput!) { tenantUpdate(input: $input) { errors { message } } }
"""
UPDATE = """
mutation($input: ApplicationUpdateInput!) {
  applicationUpdate(input: $input) { errors { code field message } }
}
"""


def by_name(checks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    assert len({check["check"] for check in checks}) == len(checks)
    return {check["check"]: check for check in checks}


def of_tenant(api: Api) -> dict[str, dict[str, Any]]:
    return by_name(api.data(OF_TENANT)["readinessChecks"])


def of_application(api: Api, client_id: str) -> dict[str, dict[str, Any]]:
    return by_name(api.data(OF_APPLICATION, clientId=client_id)["application"]["readinessChecks"])


def update_tenant(api: Api, **settings: Any) -> None:
    id_ = api.data("{ tenant { id } }")["tenant"]["id"]
    done = api.data(UPDATE_TENANT, input={"id": id_, **settings})
    assert done["tenantUpdate"]["errors"] == []


def update(api: Api, client_id: str, **settings: Any) -> None:
    id_ = api.data(OF_APPLICATION, clientId=client_id)["application"]["id"]
    done = api.data(UPDATE, input={"id": id_, **settings})
    assert done["applicationUpdate"]["errors"] == []


@pytest.mark.parametrize(
    "check, fault, remedy",
    [
        ("environment", {"environment": "STAGING"}, {"environment": "PRODUCTION"}),
        ("support_address", {"supportEmail": None}, {"supportEmail": "help@example.com"}),
        ("logo", {"logoUri": None}, {"logoUri": "https://example.com/logo.png"}),
        (
            "issuer_in_responses",
            {"authorizationResponseIssParameterSupported": False},
            {"authorizationResponseIssParameterSupported": True},
        ),
        ("logout_confirmation", {"logoutConfirmation": False}, {"logoutConfirmation": True}),
    ],
)
def test_a_tenants_faults_are_found_and_mended_by_what_the_check_names(
    api: Api, check: str, fault: dict[str, Any], remedy: dict[str, Any]
) -> None:
    update_tenant(api, **fault)
    found = of_tenant(api)[check]
    assert not found["passed"]
    assert found["mutation"] == "tenantUpdate"
    assert set(remedy) <= set(found["settings"])
    update_tenant(api, **remedy)
    assert of_tenant(api)[check] == found | {"passed": True, "reason": "In order."}


def test_apis_and_connections_count_for_the_tenant(api: Api, tenant: Tenant) -> None:
    before = of_tenant(api)
    assert before["weak_algorithms"]["passed"]
    assert before["long_access_tokens"]["passed"]
    for number in range(5):
        tenant.api(f"https://{number}.weak.example", signing_alg="HS256", token_lifetime=90_000)
    after = of_tenant(api)
    assert after["weak_algorithms"]["mutation"] == "resourceServerUpdate"
    assert "https://2.weak.example and 2 more." in after["weak_algorithms"]["reason"]
    assert not after["long_access_tokens"]["passed"]


def test_registration_needs_a_connection_at_domain_level(api: Api) -> None:
    nodes = api.data("{ connections(first: 9) { nodes { id } } }")["connections"]["nodes"]
    (id_,) = (node["id"] for node in nodes)
    update_tenant(api, enableDynamicClientRegistration=True)
    assert of_tenant(api)["domain_connections"]["passed"]
    api.do("connectionUpdate", "connection { id }", {"id": id_, "isDomainConnection": False})
    found = of_tenant(api)["domain_connections"]
    assert (found["passed"], found["mutation"]) == (False, "connectionUpdate")
    assert found["settings"] == ["isDomainConnection"]
    update_tenant(api, enableDynamicClientRegistration=False)
    assert of_tenant(api)["domain_connections"]["passed"]


@pytest.mark.parametrize(
    "check, fault, remedy",
    [
        ("local_callbacks", {"redirectUris": ["http://localhost:3000/cb"]}, {"redirectUris": []}),
        (
            "local_logout_urls",
            {"postLogoutRedirectUris": ["http://127.0.0.1/out"]},
            {"postLogoutRedirectUris": []},
        ),
        ("local_web_origins", {"webOrigins": ["http://localhost"]}, {"webOrigins": []}),
        ("local_allowed_origins", {"allowedOrigins": ["http://localhost"]}, {"allowedOrigins": []}),
        (
            "wildcard_callbacks",
            {"redirectUris": ["https://*.app.example.com/cb"]},
            {"redirectUris": ["https://app.example.com/cb"]},
        ),
        (
            "implicit_grant",
            {"grantTypes": ["AUTHORIZATION_CODE", "IMPLICIT"]},
            {"grantTypes": ["AUTHORIZATION_CODE"]},
        ),
        (
            "password_grant",
            {"grantTypes": ["PASSWORD_REALM"]},
            {"grantTypes": ["AUTHORIZATION_CODE"]},
        ),
        (
            "unused_grants",
            {"grantTypes": ["CLIENT_CREDENTIALS"]},
            {"grantTypes": ["REFRESH_TOKEN"]},
        ),
    ],
)
def test_an_applications_faults_are_found_and_mended_by_what_the_check_names(
    api: Api, tenant: Tenant, check: str, fault: dict[str, Any], remedy: dict[str, Any]
) -> None:
    client = tenant.application("regular_web")
    update(api, client.id, **fault)
    found = of_application(api, client.id)[check]
    assert not found["passed"]
    assert found["mutation"] == "applicationUpdate"
    assert set(remedy) == set(found["settings"])
    update(api, client.id, **remedy)
    assert of_application(api, client.id)[check] == found | {
        "passed": True,
        "reason": "In order.",
    }


def test_an_application_that_must_push_needs_a_tenant_that_takes_it(
    api: Api, tenant: Tenant
) -> None:
    """RFC 9126 §5 and §6: by its own setting or by its compliance level."""
    client = tenant.application("regular_web")
    update(api, client.id, requirePushedAuthorizationRequests=True)
    assert of_application(api, client.id)["pushed_requests"]["passed"]
    update_tenant(api, pushedAuthorizationRequestsSupported=False)
    found = of_application(api, client.id)["pushed_requests"]
    assert (found["passed"], found["severity"]) == (False, "ERROR")
    assert (found["mutation"], found["settings"]) == (
        "tenantUpdate",
        ["pushedAuthorizationRequestsSupported"],
    )
    assert of_application(api, tenant.application().id)["pushed_requests"]["passed"]
    update_tenant(api, pushedAuthorizationRequestsSupported=True)
    assert of_application(api, client.id)["pushed_requests"]["passed"]


def test_what_only_matters_in_production_is_a_notice_elsewhere(api: Api, tenant: Tenant) -> None:
    client = tenant.application("spa", redirect_uris=["http://localhost:3000/cb"])
    severities = {}
    for environment in ("DEVELOPMENT", "STAGING", "PRODUCTION"):
        update_tenant(api, environment=environment)
        found = of_application(api, client.id)["local_callbacks"]
        assert "http://localhost:3000/cb" in found["reason"]
        severities[environment] = found["severity"]
    assert severities == {"DEVELOPMENT": "NOTICE", "STAGING": "NOTICE", "PRODUCTION": "ERROR"}


def test_a_native_application_belongs_on_the_users_machine(api: Api, tenant: Tenant) -> None:
    client = tenant.application("native", redirect_uris=["http://127.0.0.1/cb"])
    assert of_application(api, client.id)["local_callbacks"]["passed"]


def test_a_test_application_is_remembered_as_one(api: Api, tenant: Tenant) -> None:
    tenant.api("https://tried.example", "read:things")
    update_tenant(api, environment="PRODUCTION")
    made = api.data(
        "mutation($input: TestApplicationCreateInput!) { testApplicationCreate(input: $input) {"
        " application { id clientId } errors { message } } }",
        input={"audience": "https://tried.example"},
    )["testApplicationCreate"]
    found = of_application(api, made["application"]["clientId"])["test_application"]
    assert (found["passed"], found["severity"]) == (False, "WARNING")
    assert found["mutation"] == "applicationDelete"
    update(api, made["application"]["clientId"], name="Renamed")
    assert not of_application(api, made["application"]["clientId"])["test_application"]["passed"]


# --- dismissals ----------------------------------------------------------------------------

SHOWN = "check passed dismissal { reason dismissedBy dismissedAt until }"
WHERE = ["tenant", "application"]


class Place:
    """The checks of a tenant or of one application."""

    def __init__(self, api: Api, where: str) -> None:
        self.api = api
        client = api.tenant.application("regular_web") if where == "application" else None
        self.named = {"clientId": client.id} if client else {}
        self.check = "unused_grants" if client else "logo"

    def checks(self, arguments: str = "") -> dict[str, dict[str, Any]]:
        field = f"readinessChecks{arguments} {{ {SHOWN} }}"
        if not self.named:
            return by_name(self.api.data(f"{{ {field} }}")["readinessChecks"])
        document = (
            f"query($clientId: String!) {{ application(clientId: $clientId) {{ id {field} }} }}"
        )
        return by_name(self.api.data(document, **self.named)["application"]["readinessChecks"])

    def dismiss(self, **given: Any) -> dict[str, Any]:
        sent = {"check": self.check, "reason": "It is meant.", **self.named, **given}
        done = self.api.do("readinessCheckDismiss", "dismissal { reason dismissedBy until }", sent)
        dismissal: dict[str, Any] = done["dismissal"]
        return dismissal


@pytest.fixture(params=WHERE)
def place(request: pytest.FixtureRequest, api: Api) -> Place:
    return Place(api, request.param)


def test_a_dismissed_check_is_left_out_until_it_is_restored(api: Api, place: Place) -> None:
    before = place.checks()
    assert place.check in before
    made = place.dismiss()
    assert made == {
        "reason": "It is meant.",
        "dismissedBy": "tenantry-bootstrap",
        "until": None,
    }
    assert set(place.checks()) == set(before) - {place.check}
    dismissed = place.checks("(dismissed: true)")
    assert set(dismissed) == {place.check}
    assert dismissed[place.check]["dismissal"]["reason"] == "It is meant."
    assert set(place.checks("(dismissed: null)")) == set(before)
    restored = {"check": place.check, **place.named}
    assert api.do("readinessCheckRestore", "check", restored) == {
        "check": place.check,
        "errors": [],
    }
    assert place.checks() == before
    assert api.refused("readinessCheckRestore", restored)["field"] == ["check"]


def test_the_last_dismissal_of_a_check_counts(place: Place) -> None:
    place.dismiss(reason="First.")
    until = "2999-01-01T00:00:00Z"
    assert place.dismiss(reason="Second.", until=until)["until"].startswith("2999-01-01T00:00:00")
    (one,) = place.checks("(dismissed: true)").values()
    assert one["dismissal"]["reason"] == "Second."


def test_a_dismissal_ends_at_its_time(api: Api, place: Place) -> None:
    clock = api.tenant.server.clock
    until = clock.now() + timedelta(hours=1)
    place.dismiss(until=until.isoformat())
    assert place.check not in place.checks()
    clock.advance(3601)
    try:
        found = place.checks()
    finally:
        clock.advance(-3601)
    assert found[place.check]["dismissal"] is None


def test_checks_by_whether_they_passed(place: Place) -> None:
    every = place.checks()
    for passed in (True, False):
        found = place.checks(f"(passed: {str(passed).lower()})")
        assert found == {name: one for name, one in every.items() if one["passed"] is passed}
        assert found


def test_a_dismissal_is_of_one_place_alone(api: Api, tenant: Tenant) -> None:
    """`weak_algorithms` is a check of the tenant and of each application."""
    first, second = Place(api, "application"), Place(api, "application")
    first.dismiss(check="weak_algorithms")
    assert "weak_algorithms" not in first.checks()
    assert "weak_algorithms" in second.checks()
    assert "weak_algorithms" in Place(api, "tenant").checks()


@pytest.mark.parametrize(
    "given, code, field",
    [
        ({"check": "no_such_check"}, "NOT_FOUND", ["check"]),
        ({"check": "local_callbacks"}, "NOT_FOUND", ["check"]),
        ({"clientId": "nobody"}, "NOT_FOUND", ["clientId"]),
        ({"reason": "  "}, "REQUIRED", ["reason"]),
        ({"reason": "x" * 501}, "TOO_LONG", ["reason"]),
        ({"until": "2001-01-01T00:00:00Z"}, "OUT_OF_RANGE", ["until"]),
    ],
)
def test_a_dismissal_that_says_nothing_is_refused(
    api: Api, given: dict[str, Any], code: str, field: list[str]
) -> None:
    refusal = api.refused("readinessCheckDismiss", {"check": "logo", "reason": "So."} | given)
    assert (refusal["code"], refusal["field"]) == (code, field)
    assert Place(api, "tenant").checks("(dismissed: true)") == {}


def test_the_checks_of_chosen_applications(api: Api, tenant: Tenant) -> None:
    """Each says whose it is; they are those that the applications have themselves."""
    clients = [tenant.application(), tenant.application("spa")]
    document = f"""query($ids: [String!]) {{
      readinessChecks(clientIds: $ids) {{ clientId {CHECKS} }} }}"""
    found = api.data(document, ids=[one.id for one in clients])["readinessChecks"]
    assert list(dict.fromkeys(one["clientId"] for one in found)) == [one.id for one in clients]
    for client in clients:
        of_client = [one for one in found if one["clientId"] == client.id]
        own = of_application(api, client.id)
        assert by_name(of_client) == {n: one | {"clientId": client.id} for n, one in own.items()}
    assert api.data(document, ids=[])["readinessChecks"] == []
    ours = api.data("{ readinessChecks { clientId } }")["readinessChecks"]
    assert {one["clientId"] for one in ours} == {None}


def test_checks_of_applications_that_cannot_be_shown(api: Api, tenant: Tenant) -> None:
    """Unknown ones, too many, and a token that may not read applications."""
    document = "query($ids: [String!]) { readinessChecks(clientIds: $ids) { check } }"
    client = tenant.application()
    for ids in (["nobody"], [client.id, "nobody"], [f"client-{n}" for n in range(101)]):
        (error,) = api.answer(document, ids=ids)["errors"]
        assert error["extensions"]["code"] == "BAD_REQUEST"
    scopes = ("read:tenant_settings", "read:resource_servers", "read:connections")
    weak = tenant_api(tenant, *scopes)
    (error,) = weak.answer(document, ids=[client.id])["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert "read:applications" in error["extensions"]["requiredScopes"]
    assert weak.data("{ readinessChecks { check } }")["readinessChecks"]
