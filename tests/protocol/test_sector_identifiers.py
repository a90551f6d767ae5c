"""OpenID Connect Registration §5 and Core §8.1: sectors of several hosts, and who is in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from tenantry.core.errors import DomainError
from tenantry.services.subjects import subject_of
from tests.support import jwt
from tests.support.browser import Browser
from tests.support.ciba import EMAIL, asking
from tests.support.client_keys import public_jwk, rsa_key
from tests.support.databases import Databases
from tests.support.flow import refused, sign_in
from tests.support.management import root_api
from tests.support.registration import ask, client_of, register
from tests.support.remote import Remote, serving
from tests.support.server import Server, Tenant, begun, both_databases

ONE, TWO = "https://one.example.com/cb", "https://two.example.net/cb"
THREE = "https://three.example.org/cb"


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, databases: Databases, portal: BlockingPortal
) -> Iterator[Server]:
    """A server whose operator lets it ask addresses on this machine."""
    with (
        databases.url(getattr(request, "param", "sqlite")) as url,
        begun(url, portal, outbound_allow_private=True) as made,
    ):
        yield made


@pytest.fixture
def tenant(server: Server) -> Tenant:
    return server.tenant(enable_dynamic_client_registration=True)


@pytest.fixture
def remote() -> Iterator[Remote]:
    with serving() as made:
        yield made


def listing(remote: Remote, *uris: Any) -> str:
    """A sector whose document lists the URIs."""
    remote.documents["/sector.json"] = json.dumps(list(uris)).encode()
    return remote.url("sector.json")


@both_databases
def test_one_name_in_a_sector(
    server: Server, tenant: Tenant, browser: Browser, remote: Remote
) -> None:
    """Core §8.1: its host is the sector, for redirect URIs of several hosts."""
    user = tenant.user()
    sector = listing(remote, ONE, TWO, THREE)
    shared = {"subject_type": "pairwise", "sector_identifier_uri": sector}
    both = client_of(tenant, register(tenant, redirect_uris=[ONE, TWO], **shared))
    third = client_of(tenant, register(tenant, redirect_uris=[THREE], **shared))
    alone = client_of(tenant, register(tenant, redirect_uris=[THREE], subject_type="pairwise"))
    names = []
    for client in (both, third, alone):
        tokens = sign_in(browser, tenant, client).tokens()
        names.append(jwt.claims_of(tokens["id_token"])["sub"])
        assert tenant.userinfo(tokens["access_token"]).json()["sub"] == names[-1]
    assert names[0] == names[1]
    assert len({*names, user.id}) == 3


@pytest.mark.parametrize(
    "document",
    [
        None,
        b"",
        b"{}",
        b'"https://one.example.com/cb"',
        b"[",
        b"\xff",
        b'["https://one.example.com/cb", 1]',
        b'["https://one.example.com/cb/"]',
        b'["https://one.example.com/cb"]' + b" " * 65_536,
        b"[" * 20_000 + b"]" * 20_000,
    ],
)
def test_documents_that_do_not_list(tenant: Tenant, remote: Remote, document: bytes | None) -> None:
    """Registration §5: absent, no array, of something else, too large, another spelling."""
    if document is not None:
        remote.documents["/sector.json"] = document
    uri = remote.url("sector.json")
    with tenant.server.stores_nothing():
        answer = ask(tenant, redirect_uris=[ONE], sector_identifier_uri=uri)
        description = refused(answer, 400, "invalid_client_metadata")
    assert description.startswith("sector_identifier_uri: ")
    assert set(remote.asked) == {"/sector.json"}


def test_an_application_without_redirect_uris(tenant: Tenant, remote: Remote) -> None:
    """CIBA Core §4: its `jwks_uri` stands for them, if it proves that it has the keys."""
    user = tenant.user(EMAIL, email_verified=True)
    remote.documents["/jwks.json"] = json.dumps({"keys": [public_jwk(rsa_key())]}).encode()
    own: dict[str, Any] = {"subject_type": "pairwise", "jwks_uri": remote.url("jwks.json")}
    proving = {"token_endpoint_auth_method": "private_key_jwt"}
    with pytest.raises(DomainError, match="a jwks_uri whose keys the application proves"):
        asking(tenant, **own)
    with pytest.raises(DomainError, match="Pairwise subjects need"):
        asking(
            tenant, subject_type="pairwise", backchannel_authentication_request_signing_alg="RS256"
        )
    names = set()
    for changes in (proving, {"backchannel_authentication_request_signing_alg": "RS256"}):
        client = asking(tenant, **own | changes)
        names.add(subject_of(tenant.server.runtime.vault, client.facts, user.id))
    redirected = tenant.application(subject_type="pairwise", redirect_uris=["http://127.0.0.1/cb"])
    names.add(subject_of(tenant.server.runtime.vault, redirected.facts, user.id))
    assert len(names) == 1
    assert user.id not in names
    api, selection = root_api(tenant), "application { id }"
    new = {
        "name": "x",
        "applicationType": "REGULAR_WEB",
        "subjectType": "PAIRWISE",
        "grantTypes": ["CIBA"],
        "tokenEndpointAuthMethod": "PRIVATE_KEY_JWT",
        "jwksUri": own["jwks_uri"],
        "sectorIdentifierUri": listing(remote, ONE),
    }
    refusal = api.mutate("applicationCreate", selection, new)["errors"][0]
    assert refusal["field"] == ["sectorIdentifierUri"]
    tenant.server.clock.advance(11)
    listing(remote, ONE, own["jwks_uri"])
    assert api.do("applicationCreate", selection, new)["application"]


def test_redirects_are_not_followed(tenant: Tenant, remote: Remote) -> None:
    """Registration §5: the document is at that very address."""
    listing(remote, ONE)
    remote.redirects["/moved"] = "/sector.json"
    answer = ask(tenant, redirect_uris=[ONE], sector_identifier_uri=remote.url("moved"))
    refused(answer, 400, "invalid_client_metadata")
    assert set(remote.asked) == {"/moved"}


def test_every_redirect_uri_is_listed(tenant: Tenant, remote: Remote) -> None:
    """Registration §5, whatever the subject type."""
    uri = listing(remote, ONE)
    for subject_type in ("public", "pairwise"):
        answer = ask(
            tenant,
            redirect_uris=[ONE, TWO],
            sector_identifier_uri=uri,
            subject_type=subject_type,
        )
        refused(answer, 400, "invalid_client_metadata")


def test_several_hosts_need_a_sector(tenant: Tenant) -> None:
    """Core §8.1: "the Client MUST register a sector_identifier_uri"."""
    answer = ask(tenant, redirect_uris=[ONE, TWO], subject_type="pairwise")
    assert "sector_identifier_uri" in refused(answer, 400, "invalid_redirect_uri")


def test_addresses_inside_are_not_asked(
    databases: Databases, portal: BlockingPortal, remote: Remote
) -> None:
    """RFC 7591 §5: by default only public addresses are asked."""
    with databases.url("sqlite") as url:
        made = Server(url, portal)
        made.begin()
        tenant = made.tenant(enable_dynamic_client_registration=True)
        answer = ask(tenant, redirect_uris=[ONE], sector_identifier_uri=listing(remote, ONE))
        refused(answer, 400, "invalid_client_metadata")
        assert remote.asked == []
        made.close()


def test_changes_by_administrators(tenant: Tenant, remote: Remote) -> None:
    """Registration §5 on each change of the sector or of the redirect URIs, and on no other."""
    api, selection = root_api(tenant), "application { id sectorIdentifierUri redirectUris }"
    sector = listing(remote, ONE, TWO)
    new = {"name": "x", "applicationType": "REGULAR_WEB", "subjectType": "PAIRWISE"}
    given = new | {"redirectUris": [ONE, TWO], "sectorIdentifierUri": sector}
    made = api.do("applicationCreate", selection, given)["application"]
    assert made["sectorIdentifierUri"] == sector

    def refusal(mutation: str, input: dict[str, Any]) -> list[str]:
        payload = api.mutate(mutation, selection, input)
        assert payload["application"] is None
        path: list[str] = payload["errors"][0]["field"]
        return path

    wrong = {"redirectUris": [ONE, THREE], "sectorIdentifierUri": sector}
    assert refusal("applicationCreate", new | wrong) == ["sectorIdentifierUri"]
    id_ = {"id": made["id"]}
    assert refusal("applicationUpdate", id_ | {"redirectUris": [THREE]}) == ["sectorIdentifierUri"]
    elsewhere = {"sectorIdentifierUri": remote.url("nothing")}
    assert refusal("applicationUpdate", id_ | elsewhere) == ["sectorIdentifierUri"]
    insecure = {"sectorIdentifierUri": "http://app.example.com/s.json"}
    assert refusal("applicationUpdate", id_ | insecure) == ["sectorIdentifierUri"]
    # The document has grown: it is fetched again for what was missing.
    tenant.server.clock.advance(11)
    listing(remote, ONE, TWO, THREE)
    changed = api.do("applicationUpdate", selection, id_ | {"redirectUris": [THREE]})
    assert changed["application"]["redirectUris"] == [THREE]
    # It is gone: what does not concern it can still be changed.
    remote.documents.clear()
    asked = list(remote.asked)
    api.do("applicationUpdate", selection, id_ | {"name": "y"})
    assert remote.asked == asked
    cleared = {"sectorIdentifierUri": None, "redirectUris": [TWO]}
    answer = api.do("applicationUpdate", selection, id_ | cleared)["application"]
    assert answer["sectorIdentifierUri"] is None
