"""Every kind of token, decoded by jose of the npm registry."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from tenantry.core.facts import (
    EncryptionFormat,
    KeyEncryptionAlgorithm,
    NewTokenEncryption,
    SigningAlgorithm,
    TokenDialect,
)
from tenantry.services import resource_servers
from tests.clients import node
from tests.clients.furnish import private_pem
from tests.clients.node import Person
from tests.support import jwe
from tests.support.client_keys import rsa_key
from tests.support.flow import sign_in
from tests.support.server import Client, Tenant

pytestmark = pytest.mark.node

Json = dict[str, Any]


def decoded(tenant: Tenant, tokens: list[Json]) -> list[Json]:
    settings = {
        "issuer": tenant.issuer,
        "jwks_uri": tenant.url(".well-known/jwks.json"),
        "key": private_pem(rsa_key("api")),
        "tokens": tokens,
    }
    answers: list[Json] = node.run("decode.mjs", settings)["answers"]
    assert len(answers) == len(tokens)
    return answers


def api(
    tenant: Tenant, alg: SigningAlgorithm, dialect: TokenDialect, **values: Any
) -> tuple[str, str | None]:
    """The identifier of a new API and its secret, if it has one."""
    identifier = f"https://{alg}.{dialect}.example.com/{values.get('name', '')}"
    given = {"name": "API", "identifier": identifier, "signing_alg": alg, "token_dialect": dialect}
    made = tenant.write(resource_servers.create, given | {"enforce_policies": True} | values)
    return identifier, made.signing_secret


def machine_token(tenant: Tenant, client: Client, audience: str) -> str:
    tenant.grant(client, audience)
    answer = tenant.token(client, grant_type="client_credentials", audience=audience)
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


@pytest.mark.parametrize("encryption", [None, *KeyEncryptionAlgorithm])
def test_access_tokens(tenant: Tenant, encryption: KeyEncryptionAlgorithm | None) -> None:
    """RFC 7515, 7516 and 7518: each dialect, signed by each algorithm, in each encryption."""
    client = tenant.application("non_interactive")
    values: Json = {}
    if encryption is not None:
        values["token_encryption"] = NewTokenEncryption(
            format=EncryptionFormat.COMPACT_NESTED_JWE,
            name="The key",
            alg=encryption,
            kid="the-kid",
            pem=jwe.public_pem(rsa_key("api")),
        )
    tokens: list[Json] = []
    for alg, dialect in product(SigningAlgorithm, TokenDialect):
        audience, secret = api(tenant, alg, dialect, **values)
        tokens.append(
            {
                "token": machine_token(tenant, client, audience),
                "alg": alg,
                "audience": audience,
                "secret": secret,
                "encrypted_with": encryption,
                "rfc9068": dialect.is_rfc9068,
                "dialect": dialect,
            }
        )
    assert len(tokens) == 20
    for token, answer in zip(tokens, decoded(tenant, tokens), strict=True):
        dialect = TokenDialect(token["dialect"])
        assert answer["header"]["alg"] == token["alg"]
        assert answer["claims"]["aud"] == token["audience"]
        named = "client_id" if dialect.is_rfc9068 else "azp"
        assert answer["claims"][named] == client.id
        assert ("permissions" in answer["claims"]) == dialect.has_permissions
        assert answer.get("agreed", True)
        outer = answer.get("outer", {})
        assert (outer.get("alg"), outer.get("cty")) == (encryption, encryption and "JWT")


def test_tokens_of_a_user(tenant: Tenant, person: Person) -> None:
    """OpenID Connect Core §2, RFC 9068 §2.2: ID tokens by each algorithm, access tokens too."""
    user = tenant.user()
    tokens: list[Json] = []
    for alg, dialect in zip(
        SigningAlgorithm, [*TokenDialect, TokenDialect.ACCESS_TOKEN], strict=True
    ):
        audience, secret = api(tenant, alg, dialect, name="User")
        client = tenant.application(
            id_token_signed_response_alg=alg, token_endpoint_auth_method="client_secret_basic"
        )
        granted = sign_in(person.browser, tenant, client, audience=audience, scope="openid")
        answer = tenant.token(client, auth=client.basic, **granted.fields()).json()
        tokens.append(
            {
                "token": answer["id_token"],
                "alg": alg,
                "audience": client.id,
                "secret": client.secret if alg.is_symmetric else None,
            }
        )
        access = {"token": answer["access_token"], "alg": alg, "secret": secret}
        tokens.append(access | {"audience": audience, "rfc9068": dialect.is_rfc9068})
    for token, found in zip(tokens, decoded(tenant, tokens), strict=True):
        assert found["header"]["alg"] == token["alg"]
        assert found["claims"]["sub"] == user.id
        assert found.get("agreed", True)
