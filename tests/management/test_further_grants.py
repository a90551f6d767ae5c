"""The settings of the device, password and token exchange grants."""

from __future__ import annotations

import pytest

from tests.support.management import Api

APPLICATION = "application { id grantTypes tokenExchangeAudiences }"


def test_the_form_of_user_codes(api: Api) -> None:
    """RFC 8628 §6.1."""
    fields = "tenant { deviceUserCodeCharset deviceUserCodeMask }"
    assert api.do("tenantUpdate", fields, {})["tenant"] == {
        "deviceUserCodeCharset": "BASE20",
        "deviceUserCodeMask": "****-****",
    }
    changes = {"deviceUserCodeCharset": "DIGITS", "deviceUserCodeMask": "*** *** ***"}
    assert api.do("tenantUpdate", fields, changes)["tenant"] == changes
    cleared = {"deviceUserCodeCharset": None, "deviceUserCodeMask": None}
    assert api.do("tenantUpdate", fields, cleared)["tenant"]["deviceUserCodeMask"] == "****-****"


@pytest.mark.parametrize("mask", ["", "****", "****-***x", "*" * 21, "********\u2022", "--------"])
def test_a_mask_has_asterisks_spaces_and_hyphens(api: Api, mask: str) -> None:
    refusal = api.refused("tenantUpdate", {"deviceUserCodeMask": mask})
    assert refusal["field"] == ["deviceUserCodeMask"]


@pytest.mark.parametrize(
    "input",
    [
        {"applicationType": "REGULAR_WEB", "grantTypes": ["DEVICE_CODE"]},
        {"applicationType": "NATIVE", "grantTypes": ["TOKEN_EXCHANGE"]},
        {"applicationType": "REGULAR_WEB", "grantTypes": ["PASSWORD"], "isFirstParty": False},
        {
            "applicationType": "REGULAR_WEB",
            "grantTypes": ["PASSWORD_REALM"],
            "isFirstParty": False,
        },
    ],
)
def test_grants_that_an_application_cannot_have(api: Api, input: dict[str, object]) -> None:
    refusal = api.refused("applicationCreate", {"name": "x", **input})
    assert (refusal["code"], refusal["field"]) == ("NOT_ALLOWED", ["grantTypes"])


TRUSTED = "trustedIssuer { id issuer jwks jwksUri allowedAudiences subject connection revision }"
KEYS = {
    "keys": [
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        }
    ]
}


def test_a_trusted_issuer_is_made_changed_and_removed(api: Api) -> None:
    """RFC 7523 §3."""
    input = {
        "issuer": "https://idp.example.com",
        "jwks": KEYS,
        "allowedAudiences": ["https://api.example.com"],
        "subject": "EMAIL",
        "connection": "Username-Password-Authentication",
    }
    made = api.do("trustedIssuerCreate", TRUSTED, input)["trustedIssuer"]
    assert made == input | {"id": made["id"], "jwksUri": None, "revision": 1}
    assert api.refused("trustedIssuerCreate", input)["code"] == "ALREADY_EXISTS"
    changed = api.do(
        "trustedIssuerUpdate",
        TRUSTED,
        {"id": made["id"], "subject": "USER_ID", "connection": None},
    )["trustedIssuer"]
    assert (changed["subject"], changed["connection"], changed["revision"]) == ("USER_ID", None, 2)
    listed = api.data("{ trustedIssuers(first: 1) { totalCount nodes { issuer } } }")
    assert listed["trustedIssuers"] == {
        "totalCount": 1,
        "nodes": [{"issuer": "https://idp.example.com"}],
    }
    assert api.do("trustedIssuerDelete", "deletedId", {"id": made["id"]})["deletedId"] == made["id"]


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"issuer": ""}, "issuer"),
        ({"jwks": None}, "jwks"),
        ({"jwksUri": "https://idp.example.com/keys"}, "jwks"),
        ({"jwks": {"keys": [{**KEYS["keys"][0], "d": "AQ"}]}}, "jwks"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AQ"}]}}, "jwks"),
        ({"subject": "EMAIL"}, "connection"),
        ({"connection": "Username-Password-Authentication"}, "connection"),
        ({"subject": "EMAIL", "connection": "unknown"}, "connection"),
        ({"allowedAudiences": ["with space"]}, "allowedAudiences"),
    ],
)
def test_what_a_trusted_issuer_cannot_be(api: Api, changes: dict[str, object], field: str) -> None:
    input = {"issuer": "https://idp.example.com", "jwks": KEYS, **changes}
    assert api.refused("trustedIssuerCreate", input)["field"][0] == field


def test_a_stale_change_of_a_trusted_issuer(api: Api) -> None:
    input = {"issuer": "https://idp.example.com", "jwks": KEYS}
    made = api.do("trustedIssuerCreate", TRUSTED, input)["trustedIssuer"]
    stale = {"id": made["id"], "expectedRevision": 7, "allowedAudiences": []}
    assert api.refused("trustedIssuerUpdate", stale)["code"] == "CONFLICT"


def test_the_audiences_of_exchange(api: Api) -> None:
    input = {"name": "x", "applicationType": "MACHINE_TO_MACHINE"}
    made = api.do("applicationCreate", APPLICATION, input)["application"]
    assert made["tokenExchangeAudiences"] == []
    audiences = ["https://api.example.com"]
    changed = api.do(
        "applicationUpdate",
        APPLICATION,
        {
            "id": made["id"],
            "grantTypes": ["CLIENT_CREDENTIALS", "TOKEN_EXCHANGE"],
            "tokenExchangeAudiences": audiences,
        },
    )["application"]
    assert changed["tokenExchangeAudiences"] == audiences
    refusal = api.refused(
        "applicationUpdate", {"id": made["id"], "tokenExchangeAudiences": ["with space"]}
    )
    assert refusal["field"] == ["tokenExchangeAudiences", "0"]
