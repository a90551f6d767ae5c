"""The settings that an application may register of itself, and the tenant's switch for that."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.management import Api
from tests.support.registration import register
from tests.support.server import both_databases

SETTINGS = "responseTypes scope contacts clientUri softwareId softwareVersion initiateLoginUri"
NEW: dict[str, Any] = {
    "name": "Wardrobe",
    "applicationType": "REGULAR_WEB",
    "redirectUris": ["https://app.example.com/cb"],
}


@both_databases
def test_settings_of_an_application(api: Api) -> None:
    selection = f"application {{ id isDynamicallyRegistered {SETTINGS} }}"
    made = api.do("applicationCreate", selection, NEW)["application"]
    assert made.pop("isDynamicallyRegistered") is False
    id_ = {"id": made.pop("id")}
    assert made == {
        "responseTypes": [],
        "scope": None,
        "contacts": [],
        "clientUri": None,
        "softwareId": None,
        "softwareVersion": None,
        "initiateLoginUri": None,
    }
    changes = {
        "responseTypes": ["CODE", "CODE_ID_TOKEN_TOKEN"],
        "scope": "openid profile",
        "contacts": ["ann@example.com"],
        "clientUri": "https://app.example.com/",
        "softwareId": "wardrobe",
        "softwareVersion": "1.2",
        "initiateLoginUri": "http://localhost:3000/login",
    }
    grants = {"grantTypes": ["AUTHORIZATION_CODE", "IMPLICIT"]}
    selection = f"application {{ {SETTINGS} }}"
    changed = api.do("applicationUpdate", selection, id_ | grants | changes)["application"]
    assert changed == changes
    cleared = api.do("applicationUpdate", selection, id_ | dict.fromkeys(changes))["application"]
    assert cleared == made


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"responseTypes": ["TOKEN"]}, "responseTypes"),
    ({"responseTypes": ["CODE"], "grantTypes": ["IMPLICIT"]}, "responseTypes"),
    ({"scope": ""}, "scope"),
    ({"scope": 'a "b"'}, "scope"),
    ({"scope": "x" * 4097}, "scope"),
    ({"contacts": [""]}, "contacts"),
    ({"contacts": [f"{n}@example.com" for n in range(21)]}, "contacts"),
    ({"clientUri": "javascript:alert(1)"}, "clientUri"),
    ({"softwareId": "x" * 256}, "softwareId"),
    ({"softwareVersion": "a\nb"}, "softwareVersion"),
    ({"initiateLoginUri": "http://app.example.com/login"}, "initiateLoginUri"),
]


@pytest.mark.parametrize("changes, field", REFUSED)
def test_refusals_name_the_field(api: Api, changes: dict[str, Any], field: str) -> None:
    payload = api.mutate("applicationCreate", "application { id }", NEW | changes)
    assert payload["application"] is None
    assert payload["errors"][0]["field"][0] == field


def test_an_administrator_sees_who_registered(api: Api) -> None:
    """RFC 7591: a third-party application, marked as such, that no grant has been given."""
    selection = "tenant { enableDynamicClientRegistration }"
    switch = {"enableDynamicClientRegistration": True}
    assert api.do("tenantUpdate", selection, switch)["tenant"] == switch
    client_id = register(api.tenant)["client_id"]
    found = api.data(
        "query($id: String!) { application(clientId: $id) { name isFirstParty "
        "isDynamicallyRegistered clientGrants(first: 1) { totalCount } } }",
        id=client_id,
    )["application"]
    assert found == {
        "name": client_id,
        "isFirstParty": False,
        "isDynamicallyRegistered": True,
        "clientGrants": {"totalCount": 0},
    }
    cleared = api.do("tenantUpdate", selection, {"enableDynamicClientRegistration": None})
    assert cleared["tenant"] == {"enableDynamicClientRegistration": False}
