"""Keys, signing algorithms and readable secrets of applications: what is taken and refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tenantry.core.ids import GlobalId
from tenantry.store import applications
from tests.support.client_keys import ec_key, public_jwk, rsa_key
from tests.support.jwt import encode
from tests.support.management import Api, Json

SHOWN = """application { id revision jwks jwksUri tokenEndpointAuthMethod requestUris
  tokenEndpointAuthSigningAlg requestObjectSigningAlg idTokenSignedResponseAlg } clientSecret"""


def create(api: Api, **values: Any) -> Json:
    given = {"name": "x", "applicationType": "REGULAR_WEB"} | values
    return api.mutate("applicationCreate", SHOWN, given)


def update(api: Api, application: Json, **values: Any) -> Json:
    return api.mutate("applicationUpdate", SHOWN, {"id": application["id"]} | values)


def error_of(payload: Json) -> tuple[str, list[str]]:
    assert payload["application"] is None
    (error,) = payload["errors"]
    return error["code"], error["field"]


def jwks(*keys: Any) -> Json:
    return {"keys": list(keys)}


def test_every_setting(api: Api) -> None:
    """They come back as they were sent; the keys as an object, from an object or its text."""
    keys = jwks(public_jwk(rsa_key()), public_jwk(ec_key(), "k2", alg="ES256", use="sig"))
    values = {
        "tokenEndpointAuthMethod": "PRIVATE_KEY_JWT",
        "jwks": keys,
        "jwksUri": None,
        "tokenEndpointAuthSigningAlg": "RS384",
        "requestObjectSigningAlg": "PS256",
        "requestUris": ["https://app.example.com/request#x"],
        "idTokenSignedResponseAlg": "RS256",
    }
    made = create(api, **values)
    assert made["errors"] == []
    assert made["clientSecret"] is None
    shown = dict(made["application"])
    assert {name: shown[name] for name in values} == values
    changed = update(api, made["application"], jwks=json.dumps(keys))
    assert changed["application"]["jwks"] == keys
    changed = update(api, made["application"], jwks=None, jwksUri="https://app.example.com/jwks")
    assert changed["application"]["jwksUri"] == "https://app.example.com/jwks"
    cleared = update(
        api,
        made["application"],
        tokenEndpointAuthMethod=None,
        jwksUri=None,
        tokenEndpointAuthSigningAlg=None,
        requestObjectSigningAlg=None,
        requestUris=None,
    )
    assert cleared["application"]["tokenEndpointAuthMethod"] == "CLIENT_SECRET_POST"
    assert cleared["application"]["requestUris"] == []
    assert cleared["clientSecret"]


def _private() -> Json:
    numbers = rsa_key().private_numbers()
    return public_jwk(rsa_key()) | {"d": encode(numbers.d.to_bytes(256))}


def _text_with(escape: str) -> str:
    return json.dumps(jwks(public_jwk(rsa_key()) | {"note": "x"})).replace('"x"', f'"{escape}"')


BAD_KEYS: dict[str, Any] = {
    "private": lambda: jwks(_private()),
    "private EC": lambda: jwks(public_jwk(ec_key()) | {"d": "AA"}),
    "symmetric": lambda: jwks({"kty": "oct", "k": encode(b"x" * 32)}),
    "short RSA": lambda: jwks(public_jwk(rsa_key("short", 1024))),
    "even exponent": lambda: jwks(public_jwk(rsa_key()) | {"e": "Ag"}),
    "not base64": lambda: jwks(public_jwk(rsa_key()) | {"n": "!" * 400}),
    "without members": lambda: jwks({"kty": "RSA"}),
    "without kty": lambda: jwks({"n": "AQAB"}),
    "kty is a list": lambda: jwks({"kty": ["RSA"]}),
    "kid is a number": lambda: jwks(public_jwk(rsa_key()) | {"kid": 1}),
    "twice the same kid": lambda: jwks(public_jwk(rsa_key()), public_jwk(ec_key())),
    "a lone surrogate": lambda: _text_with("\\ud800"),
    "a NUL": lambda: _text_with("\\u0000"),
    "no object": lambda: jwks("x"),
    "no keys": dict,
    "empty": jwks,
    "a list": list,
    "a number": lambda: 1,
    "text": lambda: "nonsense",
    "nested text": lambda: "[" * 20_000,
}


@pytest.mark.parametrize("name", BAD_KEYS)
def test_keys_that_are_refused(api: Api, name: str) -> None:
    """RFC 7517: public keys of a good size, and nothing else."""
    code, field = error_of(create(api, jwks=BAD_KEYS[name]()))
    assert code == "INVALID"
    assert field[:2] == ["input", "jwks"] or field[0] == "jwks"


def test_too_many_keys(api: Api) -> None:
    keys = [public_jwk(rsa_key(), f"k{number}") for number in range(21)]
    assert error_of(create(api, jwks=jwks(*keys)))[0] == "TOO_MANY"
    assert create(api, jwks=jwks(*keys[:20]))["errors"] == []


GOOD = {"tokenEndpointAuthMethod": "PRIVATE_KEY_JWT", "jwksUri": "https://app.example.com/jwks"}
REFUSED: list[tuple[Json, str, str]] = [
    ({"tokenEndpointAuthMethod": "PRIVATE_KEY_JWT"}, "REQUIRED", "jwks"),
    (GOOD | {"clientSecret": "x" * 40}, "NOT_ALLOWED", "clientSecret"),
    (GOOD | {"idTokenSignedResponseAlg": "HS256"}, "NOT_ALLOWED", "idTokenSignedResponseAlg"),
    (GOOD | {"tokenEndpointAuthSigningAlg": "HS256"}, "NOT_ALLOWED", "tokenEndpointAuthSigningAlg"),
    (GOOD | {"jwksUri": "http://app.example.com/jwks"}, "INVALID", "jwksUri"),
    (GOOD | {"jwksUri": "ftp://app.example.com/jwks"}, "INVALID", "jwksUri"),
    (GOOD | {"requestUris": ["http://app.example.com/r"]}, "INVALID", "requestUris"),
    (GOOD | {"requestObjectSigningAlg": "HS256"}, "INVALID", "requestObjectSigningAlg"),
    (
        {"applicationType": "NATIVE", "idTokenSignedResponseAlg": "HS256"},
        "NOT_ALLOWED",
        "idTokenSignedResponseAlg",
    ),
    ({"tokenEndpointAuthSigningAlg": "RS256"}, "NOT_ALLOWED", "tokenEndpointAuthSigningAlg"),
    (
        {"tokenEndpointAuthMethod": "CLIENT_SECRET_JWT", "tokenEndpointAuthSigningAlg": "RS256"},
        "NOT_ALLOWED",
        "tokenEndpointAuthSigningAlg",
    ),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_does_not_agree(api: Api, number: int) -> None:
    """OpenID Connect Registration §2: method, keys, algorithms and secret go together."""
    values, code, name = REFUSED[number]
    refused, field = error_of(create(api, **values))
    assert refused == code
    assert name in field


def test_keys_by_value_or_by_reference(api: Api) -> None:
    """Registration §2: jwks and jwks_uri "MUST NOT be used together"."""
    refused = create(api, **(GOOD | {"jwks": jwks(public_jwk(rsa_key()))}))
    assert error_of(refused)[0] == "NOT_ALLOWED"


@pytest.mark.parametrize(
    "values",
    [{"tokenEndpointAuthMethod": "CLIENT_SECRET_JWT"}, {"idTokenSignedResponseAlg": "HS256"}],
)
def test_a_secret_that_signs_is_a_new_one(api: Api, values: Json) -> None:
    """A hash cannot sign: the same mutation brings a new secret, which is kept encrypted."""
    made = create(api)
    code, field = error_of(update(api, made["application"], **values))
    assert (code, field[-1]) == ("REQUIRED", "clientSecret")
    changed = update(api, made["application"], clientSecret="x" * 40, **values)
    assert changed["errors"] == []
    assert changed["clientSecret"] is None
    facts = api.tenant.read(_find, changed["application"]["id"])
    assert "x" * 40 not in str(facts)
    assert facts.secret_envelope.startswith("v1.")
    assert update(api, made["application"], name="y")["errors"] == []
    # It is read no more, and forgotten as such.
    update(
        api,
        made["application"],
        tokenEndpointAuthMethod="CLIENT_SECRET_POST",
        idTokenSignedResponseAlg="RS256",
    )
    assert api.tenant.read(_find, changed["application"]["id"]).secret_envelope is None
    assert error_of(update(api, made["application"], **values))[0] == "REQUIRED"


def _find(db: Any, id: str) -> Any:
    found = GlobalId.decode(id)
    assert found
    return applications.find(db, found.local_id)


def test_the_audit_log_has_no_secret(api: Api) -> None:
    """That it changed, and nothing of what it is."""
    made = create(api, tokenEndpointAuthMethod="CLIENT_SECRET_JWT")
    (event,) = api.tenant.events("application.created")[:1]
    changes: Any = event.details["changes"]
    assert changes["secret_envelope"] == {"changed": True}
    assert made["clientSecret"] not in str(event.details)


def test_rotation_needs_a_secret(api: Api) -> None:
    made = create(api, **GOOD)
    payload = api.mutate(
        "applicationSecretRotate", "clientSecret", {"id": made["application"]["id"]}
    )
    assert payload["errors"][0]["code"] == "NOT_ALLOWED"
