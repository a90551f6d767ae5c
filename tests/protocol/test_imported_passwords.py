"""Passwords that other systems hashed: taken in, checked at the next login, and made anew."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import bcrypt
import pytest
from argon2 import PasswordHasher, Type
from argon2.low_level import hash_secret_raw

from tenantry.keys.exported_passwords import kept_form, keycloak_form
from tenantry.keys.imported_passwords import UnusableHash, check_hash, verify_hash
from tenantry.keys.password_workers import PasswordWorkers
from tenantry.store import connections, users
from tests.support.jobs import DATABASE, done, results_of
from tests.support.management import Api, root_api
from tests.support.server import Client, Tenant

SECRET = "correct höhe battery"
SALT = b"sixteen bytes ok"


def b64(value: bytes) -> str:
    return base64.b64encode(value).decode().rstrip("=")


def argon2(type_: Type = Type.ID, **values: Any) -> str:
    options = {"time_cost": 1, "memory_cost": 64, "parallelism": 1} | values
    return PasswordHasher(type=type_, **options).hash(SECRET)


def pbkdf2(name: str, digest: str, parameters: str = "i=1000") -> str:
    key = hashlib.pbkdf2_hmac(digest, SECRET.encode(), SALT, 1000)
    return f"${name}${parameters}${b64(SALT)}${b64(key)}"


def scrypt(ln: int = 4, r: int = 8, p: int = 1) -> str:
    key = hashlib.scrypt(SECRET.encode(), salt=SALT, n=2**ln, r=r, p=p, dklen=32)
    return f"$scrypt$ln={ln},r={r},p={p}${b64(SALT)}${b64(key)}"


def bcrypt_hash(kind: str = "2b", cost: int = 4) -> str:
    made = bcrypt.hashpw(SECRET.encode(), bcrypt.gensalt(cost)).decode()
    return made.replace("$2b$", f"${kind}$")


FORMS = {
    "argon2id": argon2(),
    "argon2id-as-ours-but-weaker": argon2(memory_cost=1024),
    "argon2i": argon2(Type.I),
    "argon2d": argon2(Type.D, parallelism=2),
    "bcrypt-2a": bcrypt_hash("2a"),
    "bcrypt-2b": bcrypt_hash("2b"),
    "bcrypt-2y": bcrypt_hash("2y"),
    "pbkdf2-sha1": pbkdf2("pbkdf2-sha1", "sha1"),
    "pbkdf2-sha256": pbkdf2("pbkdf2-sha256", "sha256"),
    "pbkdf2-sha256-with-length": pbkdf2("pbkdf2-sha256", "sha256", "i=1000,l=32"),
    "pbkdf2-sha512-bare": pbkdf2("pbkdf2-sha512", "sha512", "1000").replace("+", "."),
    "scrypt": scrypt(),
}

EXPORTED = {
    "django-pbkdf2": (
        "pbkdf2_sha256$1000$saltsaltsalt12$kg+ZrsVbSkMzmQR2dygNUPB/YfuwM21V5a3WbiIDXSY="
    ),
    "django-pbkdf2-sha1": "pbkdf2_sha1$1000$saltsaltsalt12$8a810Ht6zVq5oTtboYeQdyFQNPQ=",
    "django-argon2": (
        "argon2$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYW"
        "x0MTI$N4a8VCSnwrwZ5PJwHcfq06APbjcwhasknTh+7Px8pbY"
    ),
    "django-bcrypt-sha256": (
        "bcrypt_sha256$$2b$04$SqzqfPS/OxOs03MwZZGWz.qOqrOnCB3kC78aDJU7LW25l3UcLM6tG"
    ),
    "django-bcrypt": "bcrypt$$2b$04$JCdoKUbWZdkRYQZp3YrM1uVol2UYHKRq5Dfk3zXZHLqmJO1LTVnMi",
    "django-scrypt": (
        "scrypt$16$saltsaltsalt12$8$5$tZGzpZbVB6zaHWCGGldWBJVYbbCcA"
        "CRdUATub8o+b1TBDWautHILvBfFwzqk4RLDU3JAOTbKcKT1bdzTRmCfSg=="
    ),
    "passlib-pbkdf2": "$pbkdf2$1000$i1HqnTOmlJLSujeGsBYCQA$hQ12yxe/ouuwAyS8X44Yc7QUdF4",
    "passlib-pbkdf2-sha256": (
        "$pbkdf2-sha256$1000$pvQ.59zbuxeCMOY8pxTinA$DbZdssgSRC72DQ8l7elZ.bzU6r5zqn4yUcRYunnckyg"
    ),
    "passlib-pbkdf2-sha512": (
        "$pbkdf2-sha512$1000$791bS0nJee/dW.s955xzbg$nXVmAGb80s.L6FUBO3oj0"
        "sWmbyjE7iaEx4yk5Sf.pglbyRXlz4pEF1F7M9uYW4Zrlx71BW1OCADy0kfpV61vOQ"
    ),
    "passlib-scrypt": (
        "$scrypt$ln=4,r=8,p=1$u9caoxTCWEvJOQfgfE9JqQ$/Ow927N4QjZHhr46DsXp/8IXjnNFNsairlOH0NmqcF8"
    ),
    "passlib-bcrypt-sha256": (
        "$bcrypt-sha256$v=2,t=2b,r=4$DWXvM3s40lexDJwgI.VHP.$I94h4HwAaOYkNm75Z3JtQdldiFJQAGu"
    ),
    "passlib-bcrypt-sha256-old": (
        "$bcrypt-sha256$2b,4$sTrtatHOiM2CcinMw4h9LO$w23iRxgvtIpMpVFjWruwVVTVesq.YJO"
    ),
}
"""Of the same secret, as these libraries write it."""


def keycloak(algorithm: str, salt: bytes, key: bytes, passes: int, **more: str) -> dict[str, str]:
    """A credential in the realm export of Keycloak."""
    parameters = {name: [value] for name, value in more.items()}
    data = {"hashIterations": passes, "algorithm": algorithm, "additionalParameters": parameters}
    texts = {"value": base64.b64encode(key).decode(), "salt": base64.b64encode(salt).decode()}
    secret: dict[str, Any] = {**texts, "additionalParameters": {}}
    return {"credentialData": json.dumps(data), "secretData": json.dumps(secret)}


def keycloak_argon2(**more: str) -> dict[str, str]:
    given = {"type": "id", "version": "1.3", "memory": "64", "parallelism": "1"} | more
    key = hash_secret_raw(SECRET.encode(), SALT, 2, 64, 1, 32, Type.ID)
    return keycloak("argon2", SALT, key, 2, hashLength="32", **given)


def keycloak_pbkdf2(name: str, digest: str, passes: int = 1000) -> dict[str, str]:
    key = hashlib.pbkdf2_hmac(digest, SECRET.encode(), SALT, passes, 64)
    return keycloak(name, SALT, key, passes)


CREDENTIALS = {
    "keycloak-argon2": keycloak_argon2(),
    "keycloak-pbkdf2": keycloak_pbkdf2("pbkdf2", "sha1"),
    "keycloak-pbkdf2-sha256": keycloak_pbkdf2("pbkdf2-sha256", "sha256"),
    "keycloak-pbkdf2-sha512": keycloak_pbkdf2("pbkdf2-sha512", "sha512"),
}


@pytest.fixture
def api(tenant: Tenant) -> Api:
    return root_api(tenant)


@pytest.fixture
def client(tenant: Tenant) -> Client:
    """An application that may send passwords (RFC 6749 §4.3)."""
    tenant.change(default_directory=DATABASE)
    return tenant.application(grant_types=("password",))


def logs_in(tenant: Tenant, client: Client, username: str, password: str) -> bool:
    answer = tenant.token(
        client, grant_type="password", username=username, password=password, scope="openid"
    )
    return answer.status_code == 200


def stored_hash(tenant: Tenant, email: str) -> str:
    def find(db: Any) -> str:
        connection = connections.find_by_name(db, DATABASE)
        assert connection is not None
        (login,) = users.find_logins(db, [connection.id], email)
        return login.password_hash or ""

    found: str = tenant.read(find)
    return found


def test_every_form_signs_in_and_is_made_anew(tenant: Tenant, client: Client) -> None:
    given = [
        {"email": f"{name}@example.com", "passwordHash": hashed} for name, hashed in FORMS.items()
    ]
    job = done(root_api(tenant), "USER_IMPORT", given)
    assert job["done"] == len(FORMS), results_of(root_api(tenant), job)
    for name, hashed in FORMS.items():
        email = f"{name}@example.com"
        assert stored_hash(tenant, email) == hashed
        assert not logs_in(tenant, client, email, "wrong"), name
        assert stored_hash(tenant, email) == hashed
        assert logs_in(tenant, client, email, SECRET), name
        made_anew = stored_hash(tenant, email)
        assert made_anew.startswith("$argon2id$v=19$m=19456,t=2,p=1$"), name
        assert logs_in(tenant, client, email, SECRET), name
        assert stored_hash(tenant, email) == made_anew


@pytest.mark.parametrize("name", EXPORTED)
def test_what_django_and_passlib_wrote_is_verified(name: str) -> None:
    kept = kept_form(EXPORTED[name])
    assert verify_hash(SECRET, kept)
    assert not verify_hash("wrong", kept)
    assert kept_form(kept) == kept


@pytest.mark.parametrize("name", CREDENTIALS)
def test_what_keycloak_exported_is_verified(name: str) -> None:
    credential = CREDENTIALS[name]
    kept = keycloak_form(credential["credentialData"], credential["secretData"])
    assert verify_hash(SECRET, kept)
    assert not verify_hash("wrong", kept)


def test_exported_users_sign_in_and_their_passwords_are_made_anew(
    tenant: Tenant, client: Client
) -> None:
    given: list[dict[str, Any]] = [
        {"email": "django@example.com", "passwordHash": EXPORTED["django-pbkdf2"]},
        {"email": "passlib@example.com", "passwordHash": EXPORTED["passlib-bcrypt-sha256"]},
        {"email": "keycloak@example.com", "passwordCredential": CREDENTIALS["keycloak-argon2"]},
    ]
    job = done(root_api(tenant), "USER_IMPORT", given)
    assert job["done"] == len(given), results_of(root_api(tenant), job)
    for line in given:
        assert not logs_in(tenant, client, line["email"], "wrong")
        assert logs_in(tenant, client, line["email"], SECRET)
        assert stored_hash(tenant, line["email"]).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_bad_credential_is_refused_by_its_name(tenant: Tenant) -> None:
    good = CREDENTIALS["keycloak-argon2"]
    given: list[dict[str, Any]] = [
        {"passwordCredential": {**good, "secretData": "{}"}},
        {"passwordCredential": good, "passwordHash": bcrypt_hash()},
        {"passwordCredential": {"secretData": "{}"}},
    ]
    named = [line | {"email": f"{index}@example.com"} for index, line in enumerate(given)]
    job = done(root_api(tenant), "USER_IMPORT", named)
    refusals = [line["errors"][0] for line in results_of(root_api(tenant), job)]
    assert [(each["code"], each["field"]) for each in refusals] == [
        ("INVALID", ["passwordCredential"]),
        ("NOT_ALLOWED", ["passwordCredential"]),
        ("INVALID", ["passwordCredential"]),
    ]


@pytest.mark.parametrize(
    "hashed",
    [
        EXPORTED["django-pbkdf2"].replace("$1000$", "$2000001$"),
        EXPORTED["django-pbkdf2"].replace("saltsaltsalt12", "short"),
        EXPORTED["django-pbkdf2"].replace("pbkdf2_sha256", "pbkdf2_md5"),
        EXPORTED["django-pbkdf2"] + "$more",
        EXPORTED["django-scrypt"].replace("$16$", "$17$"),
        EXPORTED["django-scrypt"].replace("$16$", "$0$"),
        EXPORTED["django-scrypt"].replace("$16$", f"${2**25}$"),
        EXPORTED["django-scrypt"].replace("$8$5$", "$8$x$"),
        EXPORTED["django-bcrypt-sha256"].replace("$04$", "$15$"),
        EXPORTED["django-bcrypt-sha256"][:-1],
        EXPORTED["django-argon2"].replace("m=64", "m=9999999"),
        EXPORTED["passlib-bcrypt-sha256"].replace("r=4", "r=15"),
        EXPORTED["passlib-bcrypt-sha256"].replace("v=2", "v=3"),
        EXPORTED["passlib-bcrypt-sha256-old"].replace(",4", ",31"),
        "argon2$",
        "bcrypt$$",
        "scrypt$$$$$",
        "md5$salt$hash",
        "!",
    ],
)
def test_an_exported_hash_has_the_same_bounds(hashed: str) -> None:
    with pytest.raises(UnusableHash):
        kept_form(hashed)


@pytest.mark.parametrize(
    "credential",
    [
        keycloak_argon2(memory="262145"),
        keycloak_argon2(memory="x"),
        keycloak_argon2(version="2.0"),
        keycloak_argon2(type="zz"),
        keycloak("argon2", SALT, SALT, 1),
        keycloak("md5", SALT, SALT, 1),
        keycloak("pbkdf2-sha256", SALT, SALT, 2_000_001),
        keycloak("pbkdf2-sha256", SALT, SALT, -1),
        keycloak("pbkdf2-sha256", b"", SALT, 1000),
        {"credentialData": "[]", "secretData": "{}"},
        {"credentialData": "{" * 2000, "secretData": "{}"},
        {"credentialData": "x" * 5000, "secretData": "{}"},
        keycloak("pbkdf2-sha256", SALT, SALT, 1000) | {"secretData": '{"value": 1, "salt": 2}'},
    ],
)
def test_a_credential_that_would_cost_too_much_or_is_none_is_refused(
    credential: dict[str, str],
) -> None:
    with pytest.raises(UnusableHash):
        keycloak_form(credential["credentialData"], credential["secretData"])


def test_a_single_user_may_come_with_a_hash(api: Api, tenant: Tenant, client: Client) -> None:
    given = {"connection": DATABASE, "email": "ann@example.com"}
    hashed = bcrypt_hash()
    user = api.do("userCreate", "user { passwordChangedAt }", given | {"passwordHash": hashed})
    assert user["user"]["passwordChangedAt"]
    assert logs_in(tenant, client, "ann@example.com", SECRET)
    (event,) = tenant.events("user.created")
    assert hashed not in str(event.details)
    both = {"passwordHash": hashed, "password": "long enough"}
    refusal = api.refused("userCreate", given | both)
    assert (refusal["code"], refusal["field"]) == ("NOT_ALLOWED", ["passwordHash"])
    refusal = api.refused("userCreate", given | {"passwordHash": "plain text"})
    assert (refusal["code"], refusal["field"]) == ("INVALID", ["passwordHash"])


def test_an_upsert_with_a_hash_replaces_the_password(
    api: Api, tenant: Tenant, client: Client
) -> None:
    tenant.user("ann@example.com")
    given = [{"email": "ann@example.com", "passwordHash": scrypt()}]
    assert done(api, "USER_IMPORT", given, upsert=True)["done"] == 1
    assert logs_in(tenant, client, "ann@example.com", SECRET)
    assert tenant.events("user.password_set")


@pytest.mark.parametrize(
    "hashed",
    [
        "",
        "plain text",
        "$1$salt$abcdefgh",
        "$argon2id$v=19$m=262145,t=1,p=1$" + b64(SALT) + "$" + b64(bytes(32)),
        "$argon2id$v=19$m=262144,t=5,p=1$" + b64(SALT) + "$" + b64(bytes(32)),
        "$argon2id$v=19$m=65536,t=0,p=1$" + b64(SALT) + "$" + b64(bytes(32)),
        "$argon2id$v=19$m=65536,t=1,p=17$" + b64(SALT) + "$" + b64(bytes(32)),
        "$argon2id$v=99$m=65536,t=1,p=1$" + b64(SALT) + "$" + b64(bytes(32)),
        "$argon2id$v=19$m=65536,t=1,p=1$" + b64(SALT),
        "$argon2id$v=19$m=x,t=1,p=1$" + b64(SALT) + "$" + b64(bytes(32)),
        "$argon2id$v=19$m=65536,t=1,p=1$" + b64(b"short") + "$" + b64(bytes(32)),
        "$argon2zz$v=19$m=65536,t=1,p=1$" + b64(SALT) + "$" + b64(bytes(32)),
        "$2b$15$" + "a" * 53,
        "$2b$03$" + "a" * 53,
        "$2b$31$" + "a" * 53,
        "$2b$04$" + "a" * 52,
        "$2x$04$" + "a" * 53,
        "$2b$04$" + "é" * 53,
        pbkdf2("pbkdf2-md5", "sha256"),
        pbkdf2("pbkdf2-sha256", "sha256", "i=2000001"),
        pbkdf2("pbkdf2-sha256", "sha256", "i=0"),
        pbkdf2("pbkdf2-sha256", "sha256", "i=1000,l=16"),
        pbkdf2("pbkdf2-sha256", "sha256", "i=1000,i=2"),
        pbkdf2("pbkdf2-sha256", "sha256", "i=1000,x=2"),
        pbkdf2("pbkdf2-sha256", "sha256", "99999999999999999999"),
        pbkdf2("pbkdf2-sha256", "sha256", "-1"),
        pbkdf2("pbkdf2-sha256", "sha256", "٣"),
        f"$pbkdf2-sha256$i=1000${b64(SALT)}$" + "!" * 40,
        f"$pbkdf2-sha256$i=1000${b64(SALT)}$" + b64(bytes(65)),
        scrypt().replace("ln=4", "ln=21"),
        scrypt().replace("ln=4", "ln=20"),
        scrypt().replace("r=8", "r=9999999"),
        scrypt().replace("p=1", "p=9999999999"),
        scrypt().replace(",p=1", ""),
        "$scrypt$ln=4,r=8,p=1$" + b64(SALT),
        "$" * 500,
        argon2() + "x" * 500,
    ],
)
def test_what_would_cost_too_much_or_is_no_hash_is_refused(hashed: str) -> None:
    with pytest.raises(UnusableHash):
        check_hash(hashed)
    assert not verify_hash(SECRET, hashed[:400])


def test_a_password_beyond_what_bcrypt_sees(api: Api, tenant: Tenant, client: Client) -> None:
    long = "x" * 80
    hashed = bcrypt.hashpw(long[:72].encode(), bcrypt.gensalt(4)).decode()
    done(api, "USER_IMPORT", [{"email": "long@example.com", "passwordHash": hashed}])
    assert logs_in(tenant, client, "long@example.com", long)
    assert not logs_in(tenant, client, "long@example.com", "x" * 71)
    assert not verify_hash("nul\0", hashed)
    assert not verify_hash("\ud800", hashed)
    assert logs_in(tenant, client, "long@example.com", long)


@pytest.mark.parametrize("name", ["bcrypt-2a", "pbkdf2-sha512-bare", "scrypt", "argon2d"])
def test_a_hash_that_was_replaced_meanwhile_is_not_made_anew(tenant: Tenant, name: str) -> None:
    """The update names the hash that was checked."""
    email = f"{name}@example.com"
    done(root_api(tenant), "USER_IMPORT", [{"email": email, "passwordHash": FORMS[name]}])
    (user,) = tenant.events("user.created")
    tenant.write(users.rehash_password, user.target_id, "another hash", "new")
    assert stored_hash(tenant, email) == FORMS[name]
    tenant.write(users.rehash_password, user.target_id, FORMS[name], "new")
    assert stored_hash(tenant, email) == "new"


def test_a_name_that_nobody_has_costs_what_its_neighbour_does(
    tenant: Tenant, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the time would tell whose password came from elsewhere; and it is checked in vain."""
    given = [
        {"email": "d@example.com", "passwordHash": FORMS["bcrypt-2b"]},
        {"email": "m@example.com", "passwordHash": FORMS["scrypt"]},
    ]
    done(root_api(tenant), "USER_IMPORT", given)
    checked: list[str | None] = []
    verify = PasswordWorkers.verify

    async def noted(self: PasswordWorkers, password: str, stored: str | None) -> bool:
        checked.append(stored)
        return await verify(self, password, stored)

    monkeypatch.setattr(PasswordWorkers, "verify", noted)
    for unknown in ("a@example.com", "e@example.com", "z@example.com"):
        assert not logs_in(tenant, client, unknown, SECRET)
    assert checked == [FORMS["bcrypt-2b"], FORMS["scrypt"], None]
    assert stored_hash(tenant, "d@example.com") == FORMS["bcrypt-2b"]
    assert [event.user_id for event in tenant.events("login.failed")][-3:] == [None] * 3
