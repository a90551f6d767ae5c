"""Credentials of applications: what is taken and refused, enabled, changed and removed."""

from __future__ import annotations

import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.management.test_statements import statements
from tests.support.client_keys import (
    certificate,
    certificate_pem,
    ec_key,
    ed_key,
    pem,
    public_jwk,
    rsa_key,
)
from tests.support.credentials import SHOWN
from tests.support.jwt import encode
from tests.support.management import Api, Json, root_api, tenant_api
from tests.support.server import Server, Tenant, both_databases


def thumbprint(key: Any) -> str:
    """RFC 7638 §3, in other words than the server's."""
    jwk = public_jwk(key, None)
    text = json.dumps(jwk, sort_keys=True, separators=(",", ":"))
    return encode(hashlib.sha256(text.encode()).digest())


def upload(api: Api, application: Json, **values: Any) -> Json:
    given = {"clientId": application["clientId"], "name": "A key"} | values
    return api.mutate("credentialCreate", SHOWN, given)


def uploaded(api: Api, application: Json, **values: Any) -> Json:
    payload = upload(api, application, **values)
    assert payload["errors"] == []
    made: Json = payload["credential"]
    return made


def update(api: Api, application: Json, **values: Any) -> Json:
    return api.mutate("applicationUpdate", "application { id }", {"id": application["id"]} | values)


def by_assertion(*credentials: Json) -> Json:
    ids = [credential["id"] for credential in credentials]
    return {"clientAuthenticationMethods": {"privateKeyJwt": {"credentials": ids}}}


def error_of(payload: Json) -> tuple[str, list[str]]:
    (error,) = payload["errors"]
    return error["code"], error["field"]


CREDENTIALS = """query($id: String!) { application(clientId: $id) {
  tokenEndpointAuthMethod
  credentials(first: 10) { totalCount nodes { id name kid } pageInfo { hasNextPage } }
  clientAuthenticationMethods { privateKeyJwt { credentials { id name } } }
  signedRequestObject { required credentials { id } } } }"""


def stored(api: Api, application: Json) -> Json:
    found: Json = api.data(CREDENTIALS, id=application["clientId"])["application"]
    return found


def test_every_kind_of_key(api: Api) -> None:
    """RFC 7638: the thumbprint names the key, whether it came as PEM or as JWK."""
    for key, alg in ((rsa_key(), "RS256"), (ec_key(), "ES256"), (ed_key(), "EDDSA")):
        one, other = api.application(), api.application()
        by_pem = uploaded(api, one, pem=pem(key))
        by_jwk = uploaded(api, other, jwk=public_jwk(key, "a name of its own"))
        for made in (by_pem, by_jwk):
            assert made["kid"] == thumbprint(key)
            assert (made["alg"], made["credentialType"]) == (alg, "PUBLIC_KEY")
            assert made["expiresAt"] is None
            assert made["x5tS256"] is None


def test_a_certificate(api: Api) -> None:
    """RFC 5280 §4.1.2.5: its end is taken over where that is asked for, and only then."""
    made = certificate(rsa_key())
    text, end = certificate_pem(made), made.not_valid_after_utc
    first = uploaded(api, api.application(), pem=text)
    digest = hashlib.sha256(made.public_bytes(Encoding.DER)).digest()
    assert first["x5tS256"] == encode(digest)
    assert (first["credentialType"], first["expiresAt"]) == ("X509_CERT", None)
    assert first["kid"] == thumbprint(rsa_key())
    second = uploaded(api, api.application(), pem=text, parseExpiryFromCert=True)
    assert datetime.fromisoformat(second["expiresAt"]) == end
    bare = uploaded(
        api,
        api.application(),
        pem=text,
        credentialType="PUBLIC_KEY",
        parseExpiryFromCert=True,
    )
    assert (bare["credentialType"], bare["x5tS256"]) == ("PUBLIC_KEY", None)
    assert datetime.fromisoformat(bare["expiresAt"]) == end


def _private(key: Any, form: PrivateFormat) -> str:
    made: bytes = key.private_bytes(Encoding.PEM, form, NoEncryption())
    return made.decode()


def _public(key: Any) -> str:
    made: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return made.decode()


def _point_off_the_curve() -> Json:
    return public_jwk(ec_key()) | {"y": encode(bytes(31) + b"\1")}


END = "2090-01-01T00:00:00Z"
REFUSED: dict[str, tuple[Any, str, str]] = {
    "nothing": (dict, "REQUIRED", "pem"),
    "both": (lambda: {"pem": pem(rsa_key()), "jwk": public_jwk(rsa_key())}, "REQUIRED", "pem"),
    "private PEM": (
        lambda: {"pem": _private(rsa_key(), PrivateFormat.PKCS8)}, "INVALID", "pem",
    ),
    "private RSA PEM": (
        lambda: {"pem": _private(rsa_key(), PrivateFormat.TraditionalOpenSSL)}, "INVALID", "pem",
    ),
    "private EC PEM": (
        lambda: {"pem": _private(ec_key(), PrivateFormat.TraditionalOpenSSL)}, "INVALID", "pem",
    ),
    "private beside public": (
        lambda: {"pem": pem(rsa_key()) + _private(rsa_key(), PrivateFormat.PKCS8)},
        "INVALID", "pem",
    ),
    "two keys": (lambda: {"pem": pem(rsa_key()) + pem(ec_key())}, "INVALID", "pem"),
    "no PEM": (lambda: {"pem": "nonsense"}, "INVALID", "pem"),
    "not base64": (
        lambda: {"pem": "-----BEGIN PUBLIC KEY-----\n!!!\n-----END PUBLIC KEY-----"},
        "INVALID", "pem",
    ),
    "a broken certificate": (
        lambda: {"pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"},
        "INVALID", "pem",
    ),
    "a PEM with odd characters": (lambda: {"pem": pem(rsa_key()) + "\u202e"}, "INVALID", "pem"),
    "a long PEM": (lambda: {"pem": pem(rsa_key()) + "x" * 16_384}, "TOO_LONG", "pem"),
    "short RSA": (lambda: {"pem": pem(rsa_key("short", 1024))}, "INVALID", "pem"),
    "long RSA": (lambda: {"pem": _public(_huge())}, "INVALID", "pem"),
    "P-384": (
        lambda: {"pem": _public(ec.generate_private_key(ec.SECP384R1()))}, "INVALID", "pem",
    ),
    "Ed448": (lambda: {"pem": _public(ed448.Ed448PrivateKey.generate())}, "INVALID", "pem"),
    "private JWK": (
        lambda: {"jwk": public_jwk(ec_key()) | {"d": "AA"}}, "INVALID", "jwk",
    ),
    "symmetric JWK": (lambda: {"jwk": {"kty": "oct", "k": encode(b"x" * 32)}}, "INVALID", "jwk"),
    "JWK for encryption": (lambda: {"jwk": public_jwk(ec_key(), use="enc")}, "INVALID", "jwk"),
    "JWK for another alg": (lambda: {"jwk": public_jwk(ec_key(), alg="RS256")}, "INVALID", "alg"),
    "JWK off the curve": (lambda: {"jwk": _point_off_the_curve()}, "INVALID", "jwk"),
    "JWK as a list": (lambda: {"jwk": []}, "INVALID", "jwk"),
    "JWK as a number": (lambda: {"jwk": 7}, "INVALID", "jwk"),
    "nested JWK": (lambda: {"jwk": "[" * 10_000}, "INVALID", "jwk"),
    "another alg": (lambda: {"pem": pem(ec_key()), "alg": "RS256"}, "INVALID", "alg"),
    "HS256": (lambda: {"pem": pem(rsa_key()), "alg": "HS256"}, "INVALID", "alg"),
    "no certificate": (
        lambda: {"pem": pem(rsa_key()), "credentialType": "X509_CERT"},
        "INVALID", "credentialType",
    ),
    "an end of no certificate": (
        lambda: {"pem": pem(rsa_key()), "parseExpiryFromCert": True},
        "REQUIRED", "parseExpiryFromCert",
    ),
    "two ends": (
        lambda: {
            "pem": certificate_pem(certificate(rsa_key())),
            "parseExpiryFromCert": True,
            "expiresAt": END,
        },
        "NOT_ALLOWED", "parseExpiryFromCert",
    ),
    "an end that is over": (
        lambda: {"pem": pem(rsa_key()), "expiresAt": "2020-01-01T00:00:00Z"},
        "OUT_OF_RANGE", "expiresAt",
    ),
    "a certificate that is over": (
        lambda: {
            "pem": certificate_pem(certificate(rsa_key(), days=-1)),
            "parseExpiryFromCert": True,
        },
        "OUT_OF_RANGE", "parseExpiryFromCert",
    ),
    "no name": (lambda: {"pem": pem(rsa_key()), "name": " "}, "REQUIRED", "name"),
    "an unknown application": (
        lambda: {"pem": pem(rsa_key()), "clientId": "nobody"}, "NOT_FOUND", "clientId",
    ),
}  # fmt: skip


def _huge() -> Any:
    """A key of 4,104 bits, made without looking for primes."""
    number = (1 << 4103) | 1

    class Made:
        def public_key(self) -> rsa.RSAPublicKey:
            return rsa.RSAPublicNumbers(65537, number).public_key()

    return Made()


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(api: Api, name: str) -> None:
    """RFC 7517 §4: public keys of a good kind and size, and nothing else."""
    make, code, field = REFUSED[name]
    application = api.application()
    assert error_of(upload(api, application, **make())) == (code, [field])
    assert stored(api, application)["credentials"]["nodes"] == []


def test_the_same_key_only_once(api: Api) -> None:
    """Per application, in whatever form it comes, also beside one that has expired."""
    application = api.application()
    uploaded(api, application, pem=pem(rsa_key()))
    for again in (
        {"pem": pem(rsa_key())},
        {"pem": certificate_pem(certificate(rsa_key()))},
    ):
        assert error_of(upload(api, application, **again)) == ("ALREADY_EXISTS", ["pem"])
    jwk = public_jwk(rsa_key())
    padded = base64.urlsafe_b64decode(jwk["n"] + "==")
    for n in (jwk["n"], encode(b"\0" + padded)):
        payload = upload(api, application, jwk=jwk | {"n": n})
        assert error_of(payload) == ("ALREADY_EXISTS", ["jwk"])
    uploaded(api, api.application(), pem=pem(rsa_key()))


def test_four_at_most_and_two_for_each_use(api: Api) -> None:
    application = api.application()
    made = [uploaded(api, application, pem=pem(ec_key(f"many {n}"))) for n in range(4)]
    payload = upload(api, application, pem=pem(ec_key("many 5")))
    assert error_of(payload) == ("TOO_MANY", ["clientId"])
    path = ["clientAuthenticationMethods", "privateKeyJwt", "credentials"]
    assert error_of(update(api, application, **by_assertion(*made[:3]))) == ("TOO_MANY", path)
    assert update(api, application, **by_assertion(*made[:2]))["errors"] == []
    requests = {"required": True, "credentials": [made[1]["id"]]}
    assert error_of(update(api, application, signedRequestObject=requests)) == (
        "NOT_ALLOWED", ["signedRequestObject", "credentials"],
    )  # fmt: skip
    requests["credentials"] = [credential["id"] for credential in made[2:]]
    assert update(api, application, signedRequestObject=requests)["errors"] == []
    shown = stored(api, application)
    assert shown["tokenEndpointAuthMethod"] == "PRIVATE_KEY_JWT"
    assert [one["id"] for one in shown["credentials"]["nodes"]] == [one["id"] for one in made]
    assert shown["credentials"]["totalCount"] == 4
    enabled = shown["clientAuthenticationMethods"]["privateKeyJwt"]["credentials"]
    assert [one["id"] for one in enabled] == [one["id"] for one in made[:2]]
    assert shown["signedRequestObject"]["required"] is True
    assert len(shown["signedRequestObject"]["credentials"]) == 2


def test_method_and_list_go_together(api: Api) -> None:
    application = api.application()
    credential = uploaded(api, application, pem=pem(ec_key()))
    other = {"tokenEndpointAuthMethod": "CLIENT_SECRET_POST"}
    refused = error_of(update(api, application, **other, **by_assertion(credential)))
    assert refused == ("NOT_ALLOWED", ["clientAuthenticationMethods"])
    assert update(api, application, **by_assertion(credential))["errors"] == []
    assert error_of(update(api, application, **other)) == refused
    hs256 = {"idTokenSignedResponseAlg": "HS256"}
    assert error_of(update(api, application, **hs256)) == (
        "NOT_ALLOWED", ["idTokenSignedResponseAlg"],
    )  # fmt: skip
    alone = update(api, application, clientAuthenticationMethods=None)
    assert error_of(alone) == ("REQUIRED", ["jwks"])
    done = update(api, application, **other, clientAuthenticationMethods=None)
    assert done["errors"] == []
    assert stored(api, application)["clientAuthenticationMethods"] is None
    required = {"signedRequestObject": {"required": True}}
    assert error_of(update(api, application, **required)) == (
        "REQUIRED", ["signedRequestObject", "credentials"],
    )  # fmt: skip


def test_only_the_end_changes(api: Api, tenant: Tenant) -> None:
    """`null` clears it, an absent one is unchanged, and a stale revision is a conflict."""
    application = api.application()
    credential = uploaded(api, application, pem=pem(ec_key()), expiresAt=END)
    fields = api.data('{ __type(name: "CredentialUpdateInput") { inputFields { name } } }')
    assert {field["name"] for field in fields["__type"]["inputFields"]} == {
        "id", "expectedRevision", "expiresAt",
    }  # fmt: skip
    id_ = {"id": credential["id"]}
    same = api.do("credentialUpdate", SHOWN, id_)["credential"]
    assert (same["expiresAt"], same["revision"]) == (END, 2)
    stale = id_ | {"expiresAt": None, "expectedRevision": 1}
    assert api.refused("credentialUpdate", stale)["currentRevision"] == 2
    past = id_ | {"expiresAt": "2020-01-01T00:00:00Z"}
    refusal = api.refused("credentialUpdate", past)
    assert (refusal["code"], refusal["field"]) == ("OUT_OF_RANGE", ["expiresAt"])
    assert api.do("credentialUpdate", SHOWN, stale | {"expectedRevision": 2})["credential"][
        "expiresAt"
    ] is None  # fmt: skip


def test_an_upload_that_is_sent_again_is_done_once(api: Api) -> None:
    application = api.application()
    keyed = api.sending(idempotency_key="upload")
    first = uploaded(keyed, application, pem=pem(ec_key()), expiresAt=END)
    assert uploaded(keyed, application, pem=pem(ec_key()), expiresAt=END) == first
    assert stored(api, application)["credentials"]["totalCount"] == 1
    assert len(api.tenant.events("credential.created")) == 1


def test_a_list_of_applications_reads_them_together(api: Api, tenant: Tenant) -> None:
    """As many statements for many applications as for one."""
    query = """query($first: Int!) { applications(first: $first) { nodes {
      credentials(first: 5) { totalCount nodes { kid } }
      clientAuthenticationMethods { privateKeyJwt { credentials { kid } } }
      signedRequestObject { required credentials { kid } } } } }"""
    for number in range(5):
        application = api.application()
        credential = uploaded(api, application, pem=pem(ec_key(f"list {number}")))
        update(api, application, **by_assertion(credential))
    api.data(query, first=1)
    counts = []
    for first in (1, 7):
        with statements(tenant) as seen:
            api.data(query, first=first)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 5


def test_deleting_needs_disabling(api: Api) -> None:
    application = api.application()
    first = uploaded(api, application, pem=pem(ec_key()))
    second = uploaded(api, application, pem=pem(rsa_key()))
    update(api, application, **by_assertion(first))
    update(api, application, signedRequestObject={"credentials": [second["id"]]})
    for credential in (first, second):
        refusal = api.refused("credentialDelete", {"id": credential["id"]})
        assert (refusal["code"], refusal["field"]) == ("IN_USE", ["id"])
    update(api, application, signedRequestObject=None)
    gone = api.do("credentialDelete", "deletedId", {"id": second["id"]})
    assert gone["deletedId"] == second["id"]
    assert [one["id"] for one in stored(api, application)["credentials"]["nodes"]] == [first["id"]]
    assert api.refused("credentialDelete", {"id": second["id"]})["code"] == "NOT_FOUND"
    # What is gone, or another application's, cannot be enabled.
    foreign = uploaded(api, api.application(), pem=pem(ec_key()))
    for wrong in (second, foreign, {"id": "nonsense"}):
        code, field = error_of(update(api, application, **by_assertion(first, wrong)))
        assert code == "NOT_FOUND"
        assert field == ["clientAuthenticationMethods", "privateKeyJwt", "credentials", "1"]


def test_with_the_application(api: Api) -> None:
    """A new application begins with its keys enabled, or is not made at all."""
    keys = [{"name": "first", "pem": pem(rsa_key()), "alg": "PS256"}]
    given = {
        "name": "Bank",
        "applicationType": "REGULAR_WEB",
        "clientAuthenticationMethods": {"privateKeyJwt": {"credentials": keys}},
        "signedRequestObject": {
            "required": True,
            "credentials": [{"name": "requests", "jwk": public_jwk(ec_key())}],
        },
    }
    selection = "application { id clientId revision tokenEndpointAuthMethod } clientSecret"
    made = api.do("applicationCreate", selection, given)
    assert made["clientSecret"] is None
    assert made["application"]["revision"] == 1
    assert made["application"]["tokenEndpointAuthMethod"] == "PRIVATE_KEY_JWT"
    shown = stored(api, made["application"])
    (enabled,) = shown["clientAuthenticationMethods"]["privateKeyJwt"]["credentials"]
    assert enabled["name"] == "first"
    assert len(shown["signedRequestObject"]["credentials"]) == 1
    number = "{ applications(first: 1) { totalCount } }"
    before = api.data(number)["applications"]["totalCount"]
    for wrong, code, field in (
        (keys + keys, "ALREADY_EXISTS", ["1", "pem"]),
        ([{"name": "x", "pem": "x"}], "INVALID", ["0", "pem"]),
        ([{"name": "x", "pem": pem(ec_key(f"{n}"))} for n in range(3)], "TOO_MANY", []),
    ):
        methods = {"privateKeyJwt": {"credentials": wrong}}
        payload = api.mutate(
            "applicationCreate", selection, given | {"clientAuthenticationMethods": methods}
        )
        path = ["clientAuthenticationMethods", "privateKeyJwt", "credentials"]
        assert error_of(payload) == (code, path + field)
    assert api.data(number)["applications"]["totalCount"] == before


def test_scopes(tenant: Tenant, api: Api) -> None:
    """Enabling needs the scope for credentials besides that for applications."""
    application = api.application()
    credential = uploaded(api, application, pem=pem(ec_key()))
    own = tenant_api(tenant, "update:applications", "create:applications")
    changes = {"id": application["id"]} | by_assertion(credential)
    mutation = """mutation($input: ApplicationUpdateInput!) {
      applicationUpdate(input: $input) { errors { code } } }"""
    error = own.error(mutation, input=changes)
    assert (error["code"], error["requiredScopes"]) == ("FORBIDDEN", ["update:credentials"])
    create = """mutation($input: ApplicationCreateInput!) {
      applicationCreate(input: $input) { errors { code } } }"""
    given = {"name": "x", "applicationType": "REGULAR_WEB", "signedRequestObject": None}
    error = own.error(create, input=given)
    assert (error["code"], error["requiredScopes"]) == ("FORBIDDEN", ["create:credentials"])


def test_a_deleted_application_has_none(api: Api) -> None:
    application = api.application()
    credential = uploaded(api, application, pem=pem(ec_key()))
    api.do("applicationDelete", "deletedId", {"id": application["id"]})
    update_ = {"id": credential["id"], "expiresAt": END}
    assert api.refused("credentialUpdate", update_)["code"] == "NOT_FOUND"
    assert error_of(upload(api, application, pem=pem(rsa_key()))) == ("NOT_FOUND", ["clientId"])


def test_the_log_says_what_was_done_but_not_the_server_application(api: Api) -> None:
    """The explorer of a tenant takes no keys."""
    found = api.data("{ applications(first: 50) { nodes { clientId isSystem } } }")
    system = [one for one in found["applications"]["nodes"] if one["isSystem"]]
    for application in system:
        code, field = error_of(upload(api, application, pem=pem(ec_key())))
        assert (code, field) == ("NOT_ALLOWED", ["clientId"])
    assert system


@both_databases
def test_enabling_and_deleting_at_once(server: Server, tenant: Tenant) -> None:
    """An application never lists a credential that is gone."""
    api = root_api(tenant)
    for turn in range(4):
        application = api.application()
        credential = uploaded(api, application, pem=pem(ec_key(f"race {turn}")))
        with ThreadPoolExecutor(2) as pool:
            enabling = pool.submit(update, api, application, **by_assertion(credential))
            deleting = pool.submit(
                api.mutate, "credentialDelete", "deletedId", {"id": credential["id"]}
            )
            enabled, deleted = enabling.result(), deleting.result()
        assert bool(enabled["errors"]) != bool(deleted["errors"])
        shown = stored(api, application)
        listed = (shown["clientAuthenticationMethods"] or {}).get("privateKeyJwt")
        assert (listed is not None) == (len(shown["credentials"]["nodes"]) == 1)


@both_databases
def test_the_same_key_at_once(server: Server, tenant: Tenant) -> None:
    api = root_api(tenant)
    application = api.application()
    text = pem(ec_key("at once"))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: upload(api, application, pem=text), range(4)))
    refused = [answer["errors"][0]["code"] for answer in answers if answer["errors"]]
    assert refused == ["ALREADY_EXISTS"] * 3


def test_expiring_credentials_are_told(server: Server, api: Api) -> None:
    """Those that are enabled and end within 30 days, or have ended."""
    application = api.application()
    soon = (server.clock.now() + timedelta(days=29)).isoformat()
    late = (server.clock.now() + timedelta(days=31)).isoformat()
    query = """query($id: String!) { application(clientId: $id) {
      readinessChecks { check passed reason mutation severity } } }"""

    def check() -> Json:
        found = api.data(query, id=application["clientId"])["application"]["readinessChecks"]
        (one,) = [each for each in found if each["check"] == "expiring_credentials"]
        answer: Json = one
        return answer

    credential = uploaded(api, application, name="ending", pem=pem(ec_key()), expiresAt=soon)
    assert check()["passed"] is True
    update(api, application, **by_assertion(credential))
    told = check()
    assert (told["passed"], told["severity"]) == (False, "WARNING")
    assert "ending" in told["reason"]
    assert told["mutation"] == "credentialUpdate"
    api.do("credentialUpdate", "__typename", {"id": credential["id"], "expiresAt": late})
    assert check()["passed"] is True


@pytest.mark.parametrize("ways", [[], ["privateKeyJwt", "tlsClientAuth"]])
def test_exactly_one_way(api: Api, ways: list[str]) -> None:
    """An application authenticates by one method at a time."""
    application = api.application()
    methods: dict[str, Any] = {way: {"credentials": []} for way in ways}
    given = {"id": application["id"], "clientAuthenticationMethods": methods}
    answer = api.post(
        "mutation($input: ApplicationUpdateInput!) { applicationUpdate(input: $input) "
        "{ errors { code } } }",
        input=given,
    ).json()
    assert answer["errors"]
    assert "INTERNAL" not in json.dumps(answer)
