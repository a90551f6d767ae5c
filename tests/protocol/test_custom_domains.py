"""A tenant at a host of its own: RFC 8414 §2 and RFC 9207 for a further issuer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from urllib.parse import parse_qs

import httpx2
import pytest
from anyio.from_thread import BlockingPortal
from sqlalchemy import Connection

from tenantry.jobs.outbox import deliver
from tenantry.services import custom_domains, tenants
from tenantry.services.commands import Patch
from tests.support import jwt
from tests.support.browser import query_of
from tests.support.client_keys import ec_key, public_jwk, rsa_key
from tests.support.custom_domains import SELF_MANAGED, at, name_for, pending, ready
from tests.support.databases import Databases
from tests.support.flow import authorize, refused, request_for, sign_in
from tests.support.listener import listening
from tests.support.management import Api, tenant_api
from tests.support.server import (
    CALLBACK,
    HTTPS_URL,
    ROOT_SECRET,
    TENANT_URL,
    Client,
    Server,
    Tenant,
    both_databases,
)

API = "https://api.example.com"
DOCUMENT = ".well-known/openid-configuration"
KEYS = ".well-known/jwks.json"
MISDIRECTED = (421, {"error": "misdirected_request"})


def seen(response: httpx2.Response) -> tuple[int, object]:
    return response.status_code, response.json()


def ask(server: Server, host: bytes, path: str = DOCUMENT, **headers: bytes) -> httpx2.Response:
    """A request with this very Host header."""
    named = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    return server.raw("GET", f"https://other.example/{path}", headers=[(b"host", host), *named])


@both_databases
def test_it_is_served_from_its_verification_on(server: Server, tenant: Tenant) -> None:
    """RFC 9110 §15.5.20 until then; RFC 8414 §3.3: the document is of the issuer that was asked."""
    domain = pending(tenant)
    get = server.client.get
    assert seen(get(domain.tenant.url(DOCUMENT))) == MISDIRECTED
    domain.verify()
    document = get(domain.tenant.url(DOCUMENT)).json()
    assert document["issuer"] == f"https://{domain.name}/"
    addresses = {
        name: value
        for name, value in document.items()
        if isinstance(value, str) and value.startswith("http")
    }
    assert all(value.startswith(document["issuer"]) for value in addresses.values())
    assert {"jwks_uri", "token_endpoint", "authorization_endpoint"} < addresses.keys()
    assert get(tenant.url(DOCUMENT)).json()["issuer"] == tenant.issuer
    inserted = get(f"https://{domain.name}/.well-known/oauth-authorization-server")
    assert inserted.json() == document
    assert domain.tenant.jwks() == tenant.jwks()


@both_databases
def test_a_sign_in_at_a_domain(server: Server, tenant: Tenant) -> None:
    """RFC 9207 §2, OpenID Connect Core §2: the domain issues, and the domain is left again."""
    domain = ready(tenant)
    here = domain.tenant
    client = tenant.application()
    tenant.api(API, "read", allow_offline_access=True)
    user = tenant.user()
    tenant.permit(user, API, "read")
    browser = domain.browser
    asked = {"audience": API, "scope": "openid offline_access read"}
    granted = sign_in(browser, here, client, **asked)
    assert granted.answer["iss"] == here.issuer
    assert granted.answer["session_state"]
    tokens = granted.tokens()
    for name in ("access_token", "id_token"):
        assert jwt.claims_of(tokens[name])["iss"] == here.issuer
    assert jwt.claims_of(tokens["access_token"])["aud"] == [API, here.url("userinfo")]
    assert here.userinfo(tokens["access_token"]).json()["sub"] == user.id
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    again = here.token(client, **refresh)
    assert jwt.claims_of(again.json()["access_token"])["iss"] == here.issuer
    silent = authorize(browser, here, request_for(client, prompt="none").parameters)
    assert silent.answer["code"]
    out = browser.get(here.url("oidc/logout"), {"id_token_hint": tokens["id_token"]})
    assert out.title == "Signed out"
    silent = authorize(browser, here, request_for(client, prompt="none").parameters)
    assert silent.answer["error"] == "login_required"


def test_what_begins_at_one_issuer_ends_at_it(server: Server, tenant: Tenant) -> None:
    """RFC 9700 §4.4: neither codes, tokens, sessions nor hints go from one issuer to another."""
    first, second = ready(tenant), ready(tenant, f"other.{name_for(tenant)}")
    client = tenant.application()
    tenant.api(API, "read", allow_offline_access=True)
    tenant.permit(tenant.user(), API, "read")
    issuers = (tenant, first.tenant, second.tenant)
    asked = {"audience": API, "scope": "openid offline_access read"}
    for here in issuers:
        browser = first.browser if here is issuers[1] else second.browser
        granted = sign_in(browser, here, client, **asked)
        tokens = sign_in(browser, here, client, **asked).tokens()
        ((name, value),) = browser.cookies("session").items()
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        for there in issuers:
            if there.issuer == here.issuer:
                continue
            with server.stores_nothing():
                refused(there.token(client, **granted.fields()), 400, "invalid_grant")
                refused(there.token(client, **refresh), 400, "invalid_grant")
                refused(there.userinfo(tokens["access_token"]), 401, "invalid_token")
                told = server.client.post(
                    there.url("oauth/introspect"),
                    data=client.body | {"token": tokens["access_token"]},
                )
                assert told.json() == {"active": False}
                hint = {"id_token_hint": tokens["id_token"]}
                assert server.client.get(there.url("oidc/logout"), params=hint).status_code == 400
            silent = server.client.get(
                there.url("authorize"),
                params=request_for(client, prompt="none").parameters,
                headers={"cookie": f"{name}={value}"},
            )
            answer = query_of(silent.headers["location"])
            assert (answer["error"], answer["iss"]) == ("login_required", there.issuer)
        assert granted.tokens()
        assert here.token(client, **refresh).status_code == 200


def test_device_codes_stay_at_their_issuer(server: Server, tenant: Tenant) -> None:
    """RFC 8628 §3.2: the page is the issuer's, and so is the code."""
    domain = ready(tenant)
    here = domain.tenant
    device_code = "urn:ietf:params:oauth:grant-type:device_code"
    client = tenant.application("native", grant_types=(device_code,))
    fields = client.body | {"scope": "openid"}
    answer = server.client.post(here.url("oauth/device/code"), data=fields).json()
    assert answer["verification_uri"] == here.url("u/device")
    poll = {"grant_type": device_code, "device_code": answer["device_code"]}
    refused(tenant.token(client, **poll), 400, "invalid_grant")
    refused(here.token(client, **poll), 400, "authorization_pending")


def test_who_a_host_is(server: Server, tenant: Tenant) -> None:
    """RFC 9110 §7.2, RFC 6454 §4: the host is compared as a whole, whatever its case."""
    name = name_for(tenant)
    ready(tenant, name)
    ready(tenant, f"bücher.{name}".encode("idna").decode())
    good = (name, name.upper(), f"{name}:443", f"xn--bcher-kva.{name}", f"XN--BCHER-KVA.{name}")
    for host in good:
        issuer = ask(server, host.encode()).json()["issuer"]
        assert issuer == f"https://{host.lower().removesuffix(':443')}/"
    for host in (
        f"{name}.",
        f"{name}.:443",
        f"{name}:8443",
        f"{name}:80",
        f"{name}:",
        f"{name}:443:443",
        f"a.{name}",
        name.partition(".")[2],
        f"{name}.evil.example",
        f"{name}@evil.example",
        f"evil.example@{name}",
        f"{name}/",
        f" {name}",
        f"{name},{name}",
        f"{name}\x00",
        "",
        "[::1]:443",
        "192.0.2.1",
        "x" * 3000,
        f"bücher.{name}",
    ):
        assert seen(ask(server, host.encode())) == MISDIRECTED, host
        assert seen(ask(server, host.encode(), "authorize")) == MISDIRECTED
    # Nobody but a proxy of the operator says for which host a request is.
    assert seen(ask(server, b"evil.example", x_forwarded_host=name.encode())) == MISDIRECTED
    with_other = ask(
        server, name.encode(), x_forwarded_host=b"evil.example", forwarded=b"host=evil"
    )
    assert with_other.json()["issuer"] == f"https://{name}/"


def test_a_proxy_of_the_operator_names_the_host(
    databases: Databases, portal: BlockingPortal
) -> None:
    """RFC 7239 §8.1: what a proxy forwards counts from those that the settings name."""
    with databases.url("sqlite") as url:
        server = Server(url, portal, trusted_proxies="192.0.2.0/24")
        server.begin()
        domain = ready(server.tenant())
        name = domain.name.encode()
        assert ask(server, b"inner", x_forwarded_host=name).json()["issuer"] == domain.facts.issuer
        assert seen(ask(server, name, x_forwarded_host=b"evil.example")) == MISDIRECTED
        assert seen(ask(server, name, x_forwarded_host=name + b", " + name)) == MISDIRECTED
        server.close()


def test_a_host_without_a_path_of_tenants(server: Server, tenant: Tenant) -> None:
    """RFC 8414 §3.1: at a domain the paths of other tenants are paths that it does not have."""
    domain, other = ready(tenant), server.tenant()
    for path in (f"t/{other.name}/{DOCUMENT}", f"{DOCUMENT}/t/{other.name}", f"t/{tenant.name}/"):
        assert server.client.get(domain.tenant.url(path)).status_code == 404


def test_hosts_are_remembered(
    server: Server, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which tenant a host is comes from memory, and so does that it is none's."""
    domain = ready(tenant)
    for host in (domain.name, f"none.{domain.name}"):
        ask(server, host.encode(), KEYS)
    counted: list[object] = []
    database = server.runtime.store.database
    reading = database.reading

    def counting() -> AbstractContextManager[Connection]:
        counted.append(None)
        return reading()

    monkeypatch.setattr(database, "reading", counting)
    for host in (domain.name, f"none.{domain.name}"):
        for _ in range(3):
            ask(server, host.encode(), KEYS)
    assert counted == []
    ask(server, f"other.{domain.name}".encode(), KEYS)
    assert counted


def test_another_tenants_applications_are_strangers(server: Server, tenant: Tenant) -> None:
    """RFC 6749 §2.2: at a domain only its own tenant's applications, users and keys count."""
    other = server.tenant()
    domain = ready(tenant)
    client = other.application()
    other.user()
    refused(domain.tenant.token(client, grant_type="client_credentials"), 401, "invalid_client")
    page = authorize(domain.browser, domain.tenant, request_for(client).parameters)
    assert page.error == "invalid_request"
    tokens = sign_in(server.browser(), other, client).tokens()
    refused(domain.tenant.userinfo(tokens["access_token"]), 401, "invalid_token")
    theirs = {key["kid"] for key in other.jwks()["keys"]}
    assert not theirs & {key["kid"] for key in domain.tenant.jwks()["keys"]}


@pytest.fixture
def second(server: Server) -> Iterator[Server]:
    """Another process on the same database."""
    url = server.runtime.store.database.url.render_as_string(hide_password=False)
    made = Server(url, server.portal, clock=server.clock)
    yield made
    made.close()


@both_databases
def test_a_deleted_domain_stops_in_every_process(
    server: Server, tenant: Tenant, second: Server
) -> None:
    """RFC 9110 §15.5.20: at once where it was deleted, within a second elsewhere."""
    domain = ready(tenant)
    host = domain.name.encode()
    client = tenant.application("non_interactive")
    tenant.api(API)
    tenant.grant(client, API)
    fields = {"grant_type": "client_credentials", "audience": API}
    assert domain.tenant.token(client, **fields).status_code == 200
    began = time.monotonic()
    while ask(second, host).status_code != 200:
        assert time.monotonic() - began < 1
        time.sleep(0.01)
    domain.delete()
    began = time.monotonic()
    assert seen(domain.tenant.token(client, **fields)) == MISDIRECTED
    while ask(second, host).status_code != 421:
        assert time.monotonic() - began < 1
        time.sleep(0.01)
    assert tenant.token(client, **fields).status_code == 200


def test_a_deleted_tenant_leaves_its_domain(server: Server) -> None:
    """Its requests are refused at once, and another tenant may have the domain."""
    tenant, other = server.tenant(), server.tenant()
    domain = ready(tenant)
    assert ask(server, domain.name.encode()).status_code == 200
    tenant.write(tenants.delete, Patch(tenant.id))
    assert seen(ask(server, domain.name.encode())) == MISDIRECTED
    assert ready(other, domain.name).tenant.jwks() == other.jwks()


def test_a_tenants_own_edge_proves_itself(server: Server, tenant: Tenant) -> None:
    """With certificates of its own, what does not come through the tenant's edge is refused."""
    domain = ready(tenant, type=SELF_MANAGED)
    host, key = domain.name.encode(), (domain.key or "").encode()
    assert len(key) >= 43
    for wrong in (b"", b"x", key[:-1], key + b"x", key.upper(), key + b"," + key):
        answer = ask(server, host, cname_api_key=wrong)
        assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
        assert key.decode() not in answer.text
    assert ask(server, host).status_code == 403
    assert ask(server, host, cname_api_key=key).json()["issuer"] == domain.tenant.issuer
    other = ready(tenant, f"other.{domain.name}", SELF_MANAGED)
    assert ask(server, other.name.encode(), cname_api_key=key).status_code == 403
    made = tenant.write(custom_domains.rotate_edge_key, Patch(domain.id))
    assert ask(server, host, cname_api_key=key).status_code == 403
    assert ask(server, host, cname_api_key=made.edge_key.encode()).status_code == 200


def test_the_edge_names_the_persons_address(server: Server, tenant: Tenant) -> None:
    """The header of the setting counts with the edge key, and nowhere else."""
    domain = ready(tenant, type=SELF_MANAGED, custom_client_ip_header="True-Client-IP")
    host, key = domain.name.encode(), (domain.key or "").encode()
    canonical = tenant.issuer.removeprefix("http://").partition("/")[0].encode()

    def ip_of(host: bytes, path: str, **headers: bytes) -> str:
        before = len(tenant.events("token.refused"))
        named = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
        form = (b"content-type", b"application/x-www-form-urlencoded")
        server.raw(
            "POST",
            f"https://x.example/{path}",
            headers=[(b"host", host), form, *named],
            body=[f"grant_type=client_credentials&client_id={client.id}".encode()],
        )
        events = tenant.events("token.refused")
        assert len(events) == before + 1
        return events[0].ip

    client = tenant.application("non_interactive")
    spoofed = {"true_client_ip": b"198.51.100.7"}
    assert ip_of(host, "oauth/token", cname_api_key=key, **spoofed) == "198.51.100.7"
    last = {"true_client_ip": b"203.0.113.9, 2001:db8::7"}
    assert ip_of(host, "oauth/token", cname_api_key=key, **last) == "2001:db8::7"
    odd = {"true_client_ip": b"198.51.100.7<script>"}
    assert ip_of(host, "oauth/token", cname_api_key=key, **odd) == "192.0.2.1"
    other = {"x_forwarded_for": b"198.51.100.7"}
    assert ip_of(host, "oauth/token", cname_api_key=key, **other) == "192.0.2.1"
    path = f"t/{tenant.name}/oauth/token"
    assert ip_of(canonical, path, cname_api_key=key, **spoofed) == "192.0.2.1"


def test_the_management_api_has_one_address(server: Server, tenant: Tenant) -> None:
    """RFC 9728 §3.3: a resource is where its identifier says. A token of a domain counts there."""
    domain = ready(tenant)
    for path in ("graphql", ".well-known/oauth-protected-resource/graphql"):
        assert server.client.get(domain.tenant.url(path)).status_code == 404
    home = server.client.get(domain.tenant.url(""))
    assert home.headers["location"] == tenant.url("graphql")
    own = tenant_api(tenant, "read:custom_domains")
    query = "{ customDomains(first: 1) { nodes { domain } } }"
    assert own.data(query)["customDomains"]["nodes"] == [{"domain": domain.name}]
    client = tenant.application("non_interactive")
    tenant.grant(client, tenant.url("graphql"), "read:custom_domains")
    fields = {"grant_type": "client_credentials", "audience": tenant.url("graphql")}
    token = domain.tenant.token(client, **fields).json()["access_token"]
    assert jwt.claims_of(token)["iss"] == domain.tenant.issuer
    there = Api(tenant, token)
    assert there.data(query)["customDomains"]["nodes"] == [{"domain": domain.name}]
    foreign = Api(server.tenant(), token)
    assert foreign.post(query).status_code == 401
    domain.delete()
    assert there.post(query).status_code == 401
    ready(server.tenant(), domain.name)
    assert there.post(query).status_code == 401


def test_beside_hosts_of_tenants(databases: Databases, portal: BlockingPortal) -> None:
    """Custom domains stand beside a template of hosts, for the root as well."""
    with databases.url("sqlite") as url:
        server = Server(url, portal, public_url=HTTPS_URL, tenant_url=TENANT_URL)
        server.begin()
        tenant, root = server.tenant(), server.root
        domain, of_root = ready(tenant), ready(root, "login.example.org")
        assert ask(server, domain.name.encode()).json()["issuer"] == domain.tenant.issuer
        assert ask(server, b"login.example.org").json()["issuer"] == "https://login.example.org/"
        assert of_root.tenant.jwks() == root.jwks() != tenant.jwks()
        server.close()


def test_customer_keys_are_published_first(server: Server, tenant: Tenant) -> None:
    """RFC 7517 §5: at that domain alone, before the tenant's keys; none of ours believes them."""
    domain, other = ready(tenant), ready(tenant, f"other.{name_for(tenant)}")
    client = tenant.application()
    tenant.user()
    tokens = sign_in(domain.browser, domain.tenant, client).tokens()
    jwks = {"keys": [public_jwk(rsa_key(), "theirs", alg="RS256"), public_jwk(ec_key(), "spare")]}
    tenant.write(custom_domains.set_keys, Patch(domain.id, {"jwks": jwks}))
    keys = domain.tenant.jwks()["keys"]
    assert [key["kid"] for key in keys[:2]] == ["theirs", "spare"]
    assert keys[2:] == tenant.jwks()["keys"] == other.tenant.jwks()["keys"]
    claims = jwt.claims_of(tokens["access_token"])
    header = jwt.header_of(tokens["access_token"]) | {"kid": "theirs"}
    forged = jwt.forged(header, claims, rsa_key())
    assert domain.tenant.userinfo(tokens["access_token"]).status_code == 200
    refused(domain.tenant.userinfo(forged), 401, "invalid_token")
    tenant.change(remove_alg_from_jwks=True)
    assert not any("alg" in key for key in domain.tenant.jwks()["keys"])
    tenant.write(custom_domains.delete_keys, Patch(domain.id))
    assert domain.tenant.jwks() == tenant.jwks()


def test_the_roots_domain_speaks_for_the_root_alone(server: Server) -> None:
    """RFC 8707 §2: a token that the root issued at its domain is for the tenant that it names."""
    tenant, root = server.tenant(), server.root
    domain = ready(root, "root.example.org")
    client = Client(tenant.application().facts, "")
    fields = {"grant_type": "client_credentials", "audience": tenant.url("graphql")}
    answer = at(root, domain.tenant.issuer).token(
        client, ("tenantry-bootstrap", ROOT_SECRET), **fields
    )
    token = answer.json()["access_token"]
    assert Api(tenant, token).data("{ viewer { issuer } }")["viewer"]["issuer"] == tenant.issuer
    assert Api(server.tenant(), token).post("{ viewer { issuer } }").status_code == 401


def test_the_end_of_a_session_names_its_issuer(
    databases: Databases, portal: BlockingPortal
) -> None:
    """Back-Channel Logout §2.4, Front-Channel Logout §3: `iss` is that of the ID token."""
    with databases.url("sqlite") as url, listening() as listener:
        server = Server(url, portal, outbound_allow_private=True)
        server.begin()
        tenant = server.tenant()
        domain = ready(tenant)
        client = tenant.application(
            backchannel_logout_uri=f"{listener.origin}/logout",
            frontchannel_logout_uri=f"{CALLBACK.removesuffix('/callback')}/out",
        )
        tenant.user()
        browser = domain.browser
        hint = sign_in(browser, domain.tenant, client).tokens()["id_token"]
        page = browser.get(domain.tenant.url("oidc/logout"), {"id_token_hint": hint})
        frames = [attributes["src"] for tag, attributes in page.tags if tag == "iframe"]
        assert [query_of(frame)["iss"] for frame in frames] == [domain.tenant.issuer]
        server.portal.call(deliver, server.runtime.store, server.application.deliveries)
        ((_, body),) = listener.requests
        token = parse_qs(body.decode())["logout_token"][0]
        jwt.verify(token, domain.tenant.jwks())
        assert jwt.claims_of(token)["iss"] == domain.tenant.issuer
        server.close()


def test_a_registration_at_a_domain(server: Server, tenant: Tenant) -> None:
    """RFC 7592 §3: it is read where it was made, or at any issuer of the tenant."""
    tenant.change(enable_dynamic_client_registration=True)
    domain = ready(tenant)
    document = server.client.get(domain.tenant.url(DOCUMENT)).json()
    assert document["registration_endpoint"] == domain.tenant.url("oidc/register")
    made = server.client.post(
        document["registration_endpoint"], json={"redirect_uris": [CALLBACK]}
    ).json()
    assert made["registration_client_uri"].startswith(domain.tenant.url("oidc/register/"))
    headers = {"authorization": f"Bearer {made['registration_access_token']}"}
    for issuer in (domain.tenant, tenant):
        address = issuer.url(f"oidc/register/{made['client_id']}")
        assert server.client.get(address, headers=headers).status_code == 200
