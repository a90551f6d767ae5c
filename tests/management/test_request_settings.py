"""How authorization requests of an application arrive: pushed, for how long, and who may say so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.client_keys import public_jwk, rsa_key
from tests.support.management import Api
from tests.support.server import both_databases

SETTINGS = """requestObjectLifetime requirePushedAuthorizationRequests
  pushedAuthorizationRequestLifetime
  authorizationSignedResponseAlg authorizationEncryptedResponseAlg
  authorizationEncryptedResponseEnc"""
KEYS = {"jwks": {"keys": [public_jwk(rsa_key(), use="enc")]}}
NEW: dict[str, Any] = {
    "name": "Wardrobe",
    "applicationType": "REGULAR_WEB",
    "redirectUris": ["https://app.example.com/cb"],
}
DEFAULTS: dict[str, Any] = {
    "requestObjectLifetime": None,
    "requirePushedAuthorizationRequests": False,
    "pushedAuthorizationRequestLifetime": None,
    "authorizationSignedResponseAlg": "RS256",
    "authorizationEncryptedResponseAlg": None,
    "authorizationEncryptedResponseEnc": None,
}
CHANGES: dict[str, Any] = {
    "requestObjectLifetime": 3600,
    "requirePushedAuthorizationRequests": True,
    "pushedAuthorizationRequestLifetime": 599,
    "authorizationSignedResponseAlg": "PS256",
    "authorizationEncryptedResponseAlg": "RSA_OAEP_256",
    "authorizationEncryptedResponseEnc": "A256GCM",
}


@both_databases
def test_settings_of_an_application(api: Api) -> None:
    made = api.do("applicationCreate", f"application {{ id {SETTINGS} }}", NEW)["application"]
    id_ = {"id": made.pop("id")}
    assert made == DEFAULTS
    selection = f"application {{ {SETTINGS} }}"
    changed = api.do("applicationUpdate", selection, id_ | KEYS | CHANGES)["application"]
    assert changed == CHANGES
    cleared = api.do("applicationUpdate", selection, id_ | dict.fromkeys(CHANGES))["application"]
    assert cleared == DEFAULTS


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (
        {"pushedAuthorizationRequestLifetime": 9},
        "OUT_OF_RANGE",
        "pushedAuthorizationRequestLifetime",
    ),
    (
        {"pushedAuthorizationRequestLifetime": 600},
        "OUT_OF_RANGE",
        "pushedAuthorizationRequestLifetime",
    ),
    ({"requestObjectLifetime": 59}, "OUT_OF_RANGE", "requestObjectLifetime"),
    ({"requestObjectLifetime": 3601}, "OUT_OF_RANGE", "requestObjectLifetime"),
    (
        {"authorizationSignedResponseAlg": "ES256"},
        "NOT_ALLOWED",
        "authorizationSignedResponseAlg",
    ),
    (
        {"authorizationSignedResponseAlg": "HS256"},
        "INVALID",
        "authorizationSignedResponseAlg",
    ),
    (
        {"authorizationEncryptedResponseAlg": "RSA_OAEP"},
        "REQUIRED",
        "authorizationEncryptedResponseAlg",
    ),
    (
        KEYS | {"authorizationEncryptedResponseAlg": "ECDH_ES"},
        "REQUIRED",
        "authorizationEncryptedResponseAlg",
    ),
    (
        {
            "jwks": {"keys": [public_jwk(rsa_key(), use="sig")]},
            "authorizationEncryptedResponseAlg": "RSA_OAEP",
        },
        "REQUIRED",
        "authorizationEncryptedResponseAlg",
    ),
    (
        {"authorizationEncryptedResponseEnc": "A256GCM"},
        "REQUIRED",
        "authorizationEncryptedResponseEnc",
    ),
]


@pytest.mark.parametrize("changes, code, field", REFUSED)
def test_refusals_name_the_field(api: Api, changes: dict[str, Any], code: str, field: str) -> None:
    payload = api.mutate("applicationCreate", "application { id }", NEW | changes)
    assert payload["application"] is None
    assert (payload["errors"][0]["code"], payload["errors"][0]["field"]) == (code, [field])


def test_an_application_pushes_where_the_tenant_lets_it(api: Api) -> None:
    """RFC 9126 §6: nobody must do what cannot be done."""
    selection = "tenant { pushedAuthorizationRequestsSupported }"
    off = {"pushedAuthorizationRequestsSupported": False}
    assert api.do("tenantUpdate", selection, off)["tenant"] == off
    wanted = NEW | {"requirePushedAuthorizationRequests": True}
    payload = api.mutate("applicationCreate", "application { id }", wanted)
    error = payload["errors"][0]
    assert (error["code"], error["field"]) == (
        "NOT_ALLOWED",
        ["requirePushedAuthorizationRequests"],
    )
    on = {"pushedAuthorizationRequestsSupported": True}
    cleared = {"pushedAuthorizationRequestsSupported": None}
    assert api.do("tenantUpdate", selection, cleared)["tenant"] == on
    assert api.do("applicationCreate", "application { id }", wanted)["application"]


def test_a_tenant_takes_encrypted_requests(api: Api) -> None:
    """RFC 9101 §6.1: its key is there while the setting is on, beside those that sign."""
    selection = "tenant { requestObjectEncryptionSupported }"

    def uses() -> list[str]:
        return sorted(key["use"] for key in api.tenant.jwks()["keys"])

    assert set(uses()) == {"sig"}
    for on in (True, None):
        change = {"requestObjectEncryptionSupported": on}
        done = api.do("tenantUpdate", selection, change)["tenant"]
        assert done == {"requestObjectEncryptionSupported": bool(on)}
        assert uses().count("enc") == int(bool(on))


def test_a_tenant_waives_the_sign_in_of_approval_links(api: Api) -> None:
    """CIBA Core §8: on by default, and again when the setting is cleared."""
    selection = "tenant { requireLoginForApprovalLinks }"
    for given, now in ((False, False), (None, True), (False, False), (True, True)):
        done = api.do("tenantUpdate", selection, {"requireLoginForApprovalLinks": given})["tenant"]
        assert done == {"requireLoginForApprovalLinks": now}
