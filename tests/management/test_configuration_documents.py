"""Configuration documents as they come in: keywords, bad texts, large ones, and their schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from anyio.from_thread import BlockingPortal

from tenantry.core.errors import DomainError
from tenantry.services.configuration import keywords, text
from tenantry.services.configuration.nouns import NOUNS
from tests.support.configuration import (
    ODD_TEXTS,
    PLAN,
    applied,
    apply,
    changes,
    export,
    plan,
    planned,
    refusals,
)
from tests.support.databases import Databases
from tests.support.management import Api, Json, root_api
from tests.support.remote import Remote, serving
from tests.support.server import Server, Tenant, begun

WEB: Json = {"externalId": "web", "name": "Web", "applicationType": "REGULAR_WEB"}


# --- keywords ------------------------------------------------------------------------------


def test_keywords_stand_for_texts_and_values(api: Api, tenant: Tenant) -> None:
    document = """
tenant:
  friendlyName: "##NAME## ##HASHES##1 (##LIFETIME##)"
  sessionLifetime: '@@LIFETIME@@'
  allowedLogoutUrls: '@@URLS@@'
  supportUrl: "##TENANT_ISSUER##support"
applications:
- externalId: web
  name: "##AT_SIGNS##NAME@@"
  applicationType: REGULAR_WEB
  redirectUris: ["##BASE##/cb"]
"""
    words = {
        "NAME": "##OTHER##",
        "LIFETIME": 4000,
        "URLS": ["https://a.example.com/out"],
        "BASE": "https://web.example.com",
    }
    applied(api, document, keywords=words)
    found = text.read(export(api))
    # What a keyword brings is not looked through again, and is written out as it is.
    shown = found["tenant"]["friendlyName"].replace("##HASHES##", "##")
    assert shown == "##OTHER## ##1 (4000)"
    assert found["tenant"]["sessionLifetime"] == 4000
    assert found["tenant"]["allowedLogoutUrls"] == ["https://a.example.com/out"]
    assert found["tenant"]["supportUrl"] == "##TENANT_ISSUER##support"
    assert found["applications"][0]["redirectUris"] == ["https://web.example.com/cb"]
    assert found["applications"][0]["name"] == "##AT_SIGNS##NAME@@"
    assert changes(api, document, keywords=words) == []
    moved = plan(api, document, keywords=words | {"LIFETIME": 5000})["changes"]
    assert [one["field"] for one in moved[0]["fields"]] == ["friendlyName", "sessionLifetime"]


@pytest.mark.parametrize(
    "document, words, path",
    [
        ({"tenant": {"friendlyName": "a ##B## c"}}, {}, "document.tenant.friendlyName"),
        (
            {"applications": [WEB | {"contacts": ["@@B@@"]}]},
            {},
            "document.applications.0.contacts.0",
        ),
        ({}, {"lower": 1}, "keywords"),
        ({}, {"TENANT_ISSUER": "https://evil.example.com/"}, "keywords"),
        ({}, ["x"], "keywords"),
        ({}, {f"K{number}": 1 for number in range(501)}, "keywords"),
    ],
)
def test_keywords_that_are_refused(api: Api, document: Json, words: Any, path: str) -> None:
    ((found, _),) = refusals(planned(api, document, keywords=words))
    assert found == path


@pytest.mark.parametrize("value", [*ODD_TEXTS, "#", "####", "a##", "##A####B##", "##HASHES##"])
@pytest.mark.parametrize("before", ["", "https://auth.example.com/"])
def test_any_text_comes_back_as_it_was(before: str, value: str) -> None:
    issuer = "https://auth.example.com/"
    stored = {"x": [before + value]}
    words = keywords.known({}, issuer)
    for write in (text.write_yaml, text.write_json):
        document = text.read(write(keywords.with_keywords(stored, issuer)))
        assert keywords.replaced(document, words, ()) == stored


# --- texts that are no documents -----------------------------------------------------------

BOMB = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10))


@pytest.mark.parametrize(
    "document, says",
    [
        ("", "mapping"),
        ("[]", "mapping"),
        ("just a text", "mapping"),
        ("{", "YAML"),
        ("tenant: {", "line 2"),
        ("a: 1\na: 2", "member a is there twice (line 2"),
        ('{"a": 1, "a": 2}', "member a is there twice"),
        ('{"a": NaN}', "NaN"),
        ('{"a": ' + "9" * 5000 + "}", "no end"),
        ("tenant: &x {}\nroles: *x", "Anchors"),
        ("tenant: *x", "Aliases"),
        ("a0: &a0 [x]\n" + BOMB, "Anchors"),
        ("tenant: !!python/object/apply:os.system ['true']", "Tags"),
        ("tenant: !!str x", "Tags"),
        ("!x y: 1", "Tags"),
        ("? [a]\n: 1", "name of a member"),
        ("a: 1\n---\nb: 2", "more than one document"),
        ("x: " + "[" * 40 + "]" * 40, "levels"),
        ('{"x": ' + "[" * 40 + "]" * 40 + "}", "levels"),
        ('{"x": ' + "[" * 200_000, ""),
        ("x: " + "[" * 200_000, "levels"),
        ("x: [" + "1," * 1_000_001 + "]", "values"),
        ('{"x": [' + "1," * 1_000_001 + "1]}", "values"),
        ("x: '" + "a" * text.MAX_BYTES + "'", "bytes"),
    ],
)  # fmt: skip
def test_texts_that_are_no_documents(document: str, says: str) -> None:
    with pytest.raises(DomainError) as refused:
        text.read(document)
    assert refused.value.field == ("document",)
    assert says in refused.value.message


def test_only_plain_words_and_numbers_are_no_texts() -> None:
    document = """
a: [1, -5, 1.5, true, false, null, ~, ]
b: [yes, No, on, 0x10, 010, 1_000, 12:30, 2030-01-01, True, .inf, 1e5, "1", 'true', <<]
<<: text
"""
    assert text.read(document) == {
        "a": [1, -5, 1.5, True, False, None, None],
        "b": ["yes", "No", "on", "0x10", "010", "1_000", "12:30", "2030-01-01", "True", ".inf",
              "1e5", "1", "true", "<<"],
        "<<": "text",
    }  # fmt: skip
    assert text.read("{a: 1, b: [x]}") == {"a": 1, "b": ["x"]}


@pytest.mark.parametrize(
    "document, path",
    [
        ({"people": []}, "document.people"),
        ({"version": 2}, "document.version"),
        ({"version": True}, "document.version"),
        ({"roles": [{"name": "x", "members": []}]}, "document.roles.0.members"),
        ({"roles": [{"name": None}]}, "document.roles.0.name"),
        ({"roles": None}, "document.roles"),
        ({"tenant": []}, "document.tenant"),
        ({"clientGrants": [{"audience": "x"}]}, "document.clientGrants.0.application"),
        (
            {"applications": [WEB | {"applicationMetadata": {"a": {"b": 1}}}]},
            "document.applications.0.applicationMetadata",
        ),
        ({"applications": [WEB | {"jwks": {"keys": [{"kty": "oct"}]}}]},
         "document.applications.0.jwks.keys.0"),
        ({"applications": [WEB | {"idTokenLifetime": 10**30}]},
         "document.applications.0.idTokenLifetime"),
        ({"applications": [WEB | {"name": "\u0000"}]}, "document"),
        ({"applications": [WEB | {"\ud800": 1}]}, "document"),
    ],
)  # fmt: skip
def test_members_that_are_refused(api: Api, document: Json, path: str) -> None:
    found = refusals(planned(api, json.dumps(document, ensure_ascii=True)))
    assert [place for place, _ in found] == [path]


# --- size ----------------------------------------------------------------------------------


def test_only_a_configuration_document_may_be_large(api: Api) -> None:
    large = "# " + "x" * 1_000_000 + "\nroles: []"
    assert plan(api, large)["changes"] == []
    both = f"query($input: ConfigurationPlanInput!) {{ viewer {{ id }} {PLAN.partition('{')[2]}"
    for query in (both, "query($x: ID!) { node(id: $x) { id } }"):
        answer = api.post(query, input={"document": large}, x="x" * 600_000)
        assert answer.status_code == 413, answer.text
        assert answer.json()["errors"][0]["extensions"]["code"] == "BODY_TOO_LARGE"
    huge = api.post(PLAN, input={"document": "x" * 16_800_000})
    assert huge.status_code == 413
    nobody = Api(api.tenant, "").post(PLAN, input={"document": large})
    assert nobody.status_code in {401, 413}
    forged = Api(api.tenant, "forged").post(PLAN, input={"document": large})
    assert forged.status_code == 401


# --- what must be fetched ------------------------------------------------------------------


@pytest.fixture
def inner_server(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    """One whose own requests may go to loopback."""
    with (
        databases.url("sqlite") as url,
        begun(url, portal, outbound_allow_private=True) as made,
    ):
        yield made


@pytest.fixture
def remote() -> Iterator[Remote]:
    with serving() as found:
        yield found


def test_the_document_of_a_sector_is_fetched(inner_server: Server, remote: Remote) -> None:
    api = root_api(inner_server.tenant())
    uris = ["https://one.example.com/cb", "https://two.example.com/cb"]
    sector = {
        "subjectType": "PAIRWISE",
        "sectorIdentifierUri": remote.url("sector.json"),
        "redirectUris": uris,
    }
    document = {"applications": [WEB | sector]}
    path = "document.applications.0.sectorIdentifierUri"
    assert refusals(apply(api, document)) == [(path, "NOT_ALLOWED")]
    remote.documents["/sector.json"] = json.dumps(uris).encode()
    inner_server.clock.advance(60)
    applied(api, document)
    assert changes(api, document) == []


# --- the schema ----------------------------------------------------------------------------


def test_the_schema_says_what_a_document_may_hold(api: Api) -> None:
    answer = api.data("{ configurationSchema { jsonSchema } }")
    schema = answer["configurationSchema"]["jsonSchema"]
    found = jsonschema.Draft202012Validator(schema)
    good = {
        "version": 1,
        "tenant": {"sessionLifetime": "@@LIFETIME@@", "friendlyName": None},
        "applications": [WEB | {"idTokenLifetime": 60, "grantTypes": ["@@GRANT@@"]}],
        "resourceServers": "@@APIS@@",
    }
    assert list(found.iter_errors(good)) == []
    bad: Json
    for bad in (
        {"people": []},
        {"tenant": {"sessionLifetime": 1}},
        {"tenant": {"sessionLifetime": "long"}},
        {"tenant": {"secret": "x"}},
        {"applications": [{"name": "x"}]},
        {"applications": [WEB | {"grantTypes": ["magic"]}]},
        {"applications": [WEB | {"name": "x" * 101}]},
        {"roles": [{"name": "x", "permissions": [{"scopes": []}]}]},
        {"version": 2},
    ):
        assert list(found.iter_errors(bad)), bad
    for noun in NOUNS:
        told = schema["properties"][noun.name]
        settings = (told if noun.is_single else told["anyOf"][0]["items"])["properties"]
        silent = [name for name, setting in settings.items() if not setting.get("description")]
        assert silent == [], noun.name
