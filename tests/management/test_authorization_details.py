"""Authorization details as they are administered: types, grants, policies, the template."""

from __future__ import annotations

import json

import pytest

from tests.support.management import Api

IDENTIFIER = "https://payments.example.com"
FIELDS = "authorizationDetails { type } requirePushedAuthorizationDetails consentPolicy"


def api_with(api: Api, *types: str, **values: object) -> str:
    """The id of an API that knows these types."""
    new = {
        "name": "Payments",
        "identifier": IDENTIFIER,
        "authorizationDetails": [{"type": name} for name in types],
    }
    made = api.do("resourceServerCreate", "resourceServer { id }", new | values)
    found: str = made["resourceServer"]["id"]
    return found


def test_the_settings_of_an_api(api: Api) -> None:
    """RFC 9396 §2.1: nothing by default, replaced as a whole, each type once."""
    new = {"name": "Payments", "identifier": IDENTIFIER}
    made = api.do("resourceServerCreate", f"resourceServer {{ id {FIELDS} }}", new)
    found = made["resourceServer"]
    assert found == {
        "id": found["id"],
        "authorizationDetails": [],
        "requirePushedAuthorizationDetails": True,
        "consentPolicy": "STANDARD",
    }
    changed = {
        "id": found["id"],
        "authorizationDetails": [{"type": name} for name in ("a", "urn:example:b", "a")],
        "requirePushedAuthorizationDetails": False,
        "consentPolicy": "TRANSACTIONAL_AUTHORIZATION_WITH_MFA",
    }
    done = api.do("resourceServerUpdate", f"resourceServer {{ {FIELDS} }}", changed)
    assert done["resourceServer"] == {
        "authorizationDetails": [{"type": "a"}, {"type": "urn:example:b"}],
        "requirePushedAuthorizationDetails": False,
        "consentPolicy": "TRANSACTIONAL_AUTHORIZATION_WITH_MFA",
    }


@pytest.mark.parametrize("name", ["", "a b", "é", "x" * 256, "a\u202e"])
def test_names_of_types(api: Api, name: str) -> None:
    """Visible ASCII of 1 to 255 characters."""
    new = {"name": "P", "identifier": IDENTIFIER, "authorizationDetails": [{"type": name}]}
    refusal = api.refused("resourceServerCreate", new)
    assert refusal["field"] == ["authorizationDetails", "0", "type"]


def test_the_types_of_a_client_grant(api: Api) -> None:
    """Defined by the API, and for users alone."""
    api_with(api, "payment")
    made = api.do(
        "applicationCreate",
        "application { clientId }",
        {"name": "Shop", "applicationType": "REGULAR_WEB"},
    )
    new = {"clientId": made["application"]["clientId"], "audience": IDENTIFIER}
    unknown = new | {"subjectType": "USER", "authorizationDetailsTypes": ["payment", "other"]}
    refusal = api.refused("clientGrantCreate", unknown)
    assert (refusal["code"], refusal["field"]) == ("INVALID", ["authorizationDetailsTypes"])
    machine = new | {"subjectType": "CLIENT", "authorizationDetailsTypes": ["payment"]}
    refusal = api.refused("clientGrantCreate", machine)
    assert (refusal["code"], refusal["field"]) == ("NOT_ALLOWED", ["authorizationDetailsTypes"])
    good = new | {"subjectType": "USER", "authorizationDetailsTypes": ["payment"]}
    wanted = "clientGrant { id authorizationDetailsTypes }"
    done = api.do("clientGrantCreate", wanted, good)["clientGrant"]
    assert done["authorizationDetailsTypes"] == ["payment"]
    refusal = api.refused(
        "clientGrantUpdate", {"id": done["id"], "authorizationDetailsTypes": ["other"]}
    )
    assert refusal["field"] == ["authorizationDetailsTypes"]
    cleared = {"id": done["id"], "authorizationDetailsTypes": None}
    assert api.do("clientGrantUpdate", wanted, cleared)["clientGrant"] == {
        "id": done["id"],
        "authorizationDetailsTypes": [],
    }


BAD_TEMPLATES = {
    "no Liquid": "{% if %}",
    "an open tag": "{{ transaction",
    "a tag that loads": "{% include 'other' %}",
    "a tag that assigns": "{% assign a = 'x' %}",
    "a filter that lets markup through": "{{ application.name | safe }}",
    "a filter that grows": "{{ 'a' | replace: 'a', 'aaaaaaaa' }}",
    "a range": "{% for i in (1..1000000000) %}x{% endfor %}",
    "a range in a condition": "{% if (1..1000000000000) contains 'x' %}x{% endif %}",
    "a range behind a quoted end": "{% if a contains '}}' and (1..99999999999) contains 'x' %}",
    "nothing": "  ",
    "too much": "x" * 16_385,
    "a character that turns the order": "a\u202eb",
    "deep": "{% if a %}" * 20 + "{% endif %}" * 20,
}


@pytest.mark.parametrize("name", BAD_TEMPLATES)
def test_templates_that_are_refused(api: Api, name: str) -> None:
    """At once, so that no consent page has to find it out."""
    refusal = api.refused("tenantUpdate", {"customizedConsentTemplate": BAD_TEMPLATES[name]})
    assert refusal["field"] == ["customizedConsentTemplate"]


def test_a_template_is_set_and_cleared(api: Api) -> None:
    template = "<p>{{ transaction.params.authorization_details[0].type }}</p>"
    wanted = "tenant { customizedConsentTemplate }"
    for sent in (template, None):
        done = api.do("tenantUpdate", wanted, {"customizedConsentTemplate": sent})
        assert done["tenant"]["customizedConsentTemplate"] == sent


EXPLAIN = """query($client: String!, $details: String, $user: String) {
  authorizationExplain(clientId: $client, grantType: AUTHORIZATION_CODE, userId: $user,
    audience: "https://payments.example.com", scopes: ["openid"],
    authorizationDetails: $details) {
    issued error errorDescription consentRequired accessToken
    rules { name passed setting description } } }"""


def test_why_details_are_granted_or_not(api: Api) -> None:
    """RFC 9396 §5: the rules of the endpoint, with the settings that decide."""
    api_with(api, "payment", "access", userAccessPolicy="REQUIRE_CLIENT_GRANT")
    new = {
        "name": "Shop",
        "applicationType": "REGULAR_WEB",
        "redirectUris": ["https://shop.example.com/cb"],
    }
    client = api.do("applicationCreate", "application { clientId }", new)["application"]["clientId"]
    api.do(
        "clientGrantCreate",
        "clientGrant { id }",
        {
            "clientId": client,
            "audience": IDENTIFIER,
            "subjectType": "USER",
            "authorizationDetailsTypes": ["payment"],
        },
    )
    user = api.do(
        "userCreate",
        "user { userId }",
        {
            "connection": "Username-Password-Authentication",
            "email": "ann@example.com",
            "password": "a long enough password",
        },
    )["user"]["userId"]

    def explained(details: str | None) -> dict[str, object]:
        found: dict[str, object] = api.data(EXPLAIN, client=client, details=details, user=user)[
            "authorizationExplain"
        ]
        return found

    payment = {"type": "payment", "amount": "1.00"}
    good = explained(json.dumps([payment]))
    assert (good["issued"], good["consentRequired"]) == (True, True)
    claims = good["accessToken"]
    assert isinstance(claims, dict)
    assert claims["authorization_details"] == [payment]
    assert (explained(None)["issued"], explained(None)["consentRequired"]) == (True, False)
    for details, name, setting in (
        ("[", "details_well_formed", "The parameter authorization_details"),
        ('[{"type": "other"}]', "detail_types_known", "ResourceServer.authorizationDetails"),
        ('[{"type": "access"}]', "detail_types_granted", "ClientGrant.authorizationDetailsTypes"),
    ):
        bad = explained(details)
        assert (bad["issued"], bad["error"]) == (False, "invalid_authorization_details")
        rules = bad["rules"]
        assert isinstance(rules, list)
        assert (rules[-1]["name"], rules[-1]["passed"]) == (name, False)
        assert rules[-1]["setting"] == setting
