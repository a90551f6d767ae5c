"""What an application and its tenant may ask of authorization requests, set and read again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.management import Api
from tests.support.server import both_databases

SETTINGS = """userinfoSignedResponseAlg defaultMaxAge requireAuthTime defaultAcrValues subjectType
  nonVerifiableCallbackConfirmation grantTypes webOrigins"""
NEW: dict[str, Any] = {
    "name": "Wardrobe",
    "applicationType": "REGULAR_WEB",
    "redirectUris": ["https://app.example.com/cb"],
}


@both_databases
def test_settings_of_an_application(api: Api) -> None:
    made = api.do("applicationCreate", f"application {{ id {SETTINGS} }}", NEW)["application"]
    defaults = {name: value for name, value in made.items() if name != "id"}
    assert defaults == {
        "userinfoSignedResponseAlg": None,
        "defaultMaxAge": None,
        "requireAuthTime": True,
        "defaultAcrValues": [],
        "subjectType": "PUBLIC",
        "nonVerifiableCallbackConfirmation": None,
        "grantTypes": defaults["grantTypes"],
        "webOrigins": [],
    }
    changes = {
        "userinfoSignedResponseAlg": "RS256",
        "defaultMaxAge": 0,
        "requireAuthTime": False,
        "defaultAcrValues": ["gold", "silver"],
        "subjectType": "PAIRWISE",
        "nonVerifiableCallbackConfirmation": False,
        "grantTypes": ["AUTHORIZATION_CODE", "IMPLICIT"],
        "webOrigins": ["https://*.example.com"],
    }
    changed = api.do(
        "applicationUpdate", f"application {{ {SETTINGS} }}", {"id": made["id"], **changes}
    )["application"]
    assert changed == changes
    cleared = api.do(
        "applicationUpdate",
        f"application {{ {SETTINGS} }}",
        {"id": made["id"], **dict.fromkeys(changes)},
    )["application"]
    assert cleared == defaults


def test_settings_of_a_tenant(api: Api) -> None:
    selection = "tenant { acrValuesSupported nonVerifiableCallbackConfirmation }"
    changes = {"acrValuesSupported": ["gold"], "nonVerifiableCallbackConfirmation": False}
    assert api.do("tenantUpdate", selection, changes)["tenant"] == changes
    cleared = api.do("tenantUpdate", selection, dict.fromkeys(changes))["tenant"]
    assert cleared == {"acrValuesSupported": [], "nonVerifiableCallbackConfirmation": True}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"userinfoSignedResponseAlg": "ES256"}, "userinfoSignedResponseAlg"),
    ({"defaultMaxAge": -1}, "defaultMaxAge"),
    ({"defaultMaxAge": 315_360_001}, "defaultMaxAge"),
    ({"defaultAcrValues": ["two words"]}, "defaultAcrValues"),
    ({"defaultAcrValues": [f"v{n}" for n in range(21)]}, "defaultAcrValues"),
    ({"subjectType": "PAIRWISE", "redirectUris": []}, "redirectUris"),
    ({"sectorIdentifierUri": "http://app.example.com/"}, "sectorIdentifierUri"),
    ({"redirectUris": ["https://*.com/"]}, "redirectUris"),
    ({"webOrigins": ["https://*.com"]}, "webOrigins"),
    ({"allowedOrigins": ["https://a.*.example.com"]}, "allowedOrigins"),
]


@pytest.mark.parametrize("changes, field", REFUSED)
def test_refusals_name_the_field(api: Api, changes: dict[str, Any], field: str) -> None:
    payload = api.mutate("applicationCreate", "application { id }", NEW | changes)
    assert payload["application"] is None
    assert payload["errors"][0]["field"][0] == field
