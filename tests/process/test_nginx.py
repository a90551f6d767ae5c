"""RFC 8705 through a real nginx, with the configuration of `scripts/nginx`."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx2
import pytest
from anyio.from_thread import BlockingPortal
from cryptography.x509.oid import NameOID

from tests.process.server import free_port
from tests.support import jwt
from tests.support.client_certificates import (
    LINES,
    SELF_SIGNED,
    Made,
    authority,
    foreign,
    made,
)
from tests.support.custom_domains import SELF_MANAGED, ready
from tests.support.databases import Databases
from tests.support.flow import Granted, authorize, log_in, request_for
from tests.support.listening import listening_server
from tests.support.server import Client, Server, Tenant

pytestmark = pytest.mark.nginx

CONFIGURATION = Path(__file__).parents[2] / "scripts" / "nginx" / "tenantry.conf"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin") or "nginx"
HOST, DOMAIN = "auth.example.com", "login.example.net"
API = "https://api.example.com"
GRANT = {"grant_type": "client_credentials", "audience": API}
OWN = made("own", by_ca=False)


@dataclass(frozen=True)
class Edge:
    """An nginx, as clients on the network see it."""

    port: int
    host: str
    folder: Path
    server: Server

    def ask(
        self,
        method: str,
        path: str,
        by: Made | None = None,
        *,
        host: str = "",
        **arguments: Any,
    ) -> httpx2.Response:
        """By TLS to the host with `mtls.` before it, with a client certificate if there is one."""
        host = host or f"mtls.{self.host}"
        context = ssl.create_default_context(cadata=authority().pem)
        if by is not None:
            chain = self.folder / f"{by.thumbprint}.pem"
            chain.write_text(by.pem + by.key_pem)
            context.load_cert_chain(chain)
        headers = {"host": host} | arguments.pop("headers", {})
        with httpx2.Client(verify=context, timeout=30) as client:
            return client.request(
                method,
                f"https://127.0.0.1:{self.port}{path}",
                headers=headers,
                extensions={"sni_hostname": host},
                **arguments,
            )

    def token(self, client: Client, by: Made | None = None, **arguments: Any) -> httpx2.Response:
        body = {"client_id": client.id} | arguments.pop("data", GRANT)
        return self.ask("POST", "/oauth/token", by, data=body, **arguments)


def configured(folder: Path, host: str, upstream: int, port: int) -> str:
    """The configuration as an operator changes it."""
    text = CONFIGURATION.read_text()
    for name, value in (
        ("auth.example.com", host),
        ("/etc/nginx/tenantry", str(folder)),
        ("127.0.0.1:8000", f"127.0.0.1:{upstream}"),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
    ):
        assert name in text
        text = text.replace(name, value)
    (folder / "tenantry.conf").write_text(text)
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")
    )
    return f"""daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    {temporary}
    include {folder}/tenantry.conf;
}}
"""


def running(folder: Path, host: str, upstream: int) -> Iterator[int]:
    port = free_port()
    host_certificate = made(
        f"host {host}",
        subject=((NameOID.COMMON_NAME, host),),
        for_hosts=(host, f"mtls.{host}"),
    )
    (folder / "auth.crt").write_text(host_certificate.pem)
    (folder / "auth.key").write_text(host_certificate.key_pem)
    (folder / "client-ca.crt").write_text(authority().pem)
    main = folder / "nginx.conf"
    main.write_text(configured(folder, host, upstream, port))
    arguments = [NGINX, "-p", str(folder), "-c", str(main)]
    with (folder / "output.log").open("w") as output:
        process = subprocess.Popen(arguments, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 20
        while True:
            assert process.poll() is None, (folder / "output.log").read_text()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "nginx does not listen"
                time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def server(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    with (
        databases.url("sqlite") as url,
        listening_server(
            url,
            portal,
            public_url=f"https://{HOST}",
            trusted_proxies=(ip_network("127.0.0.1/32"),),
            client_certificate_header="client-certificate",
        ) as made_server,
    ):
        yield made_server


@pytest.fixture(scope="module")
def tenant(server: Server) -> Tenant:
    tenant = server.root
    tenant.change(enable_mtls_endpoint_aliases=True)
    tenant.api(API, "read", allow_offline_access=True)
    return tenant


@pytest.fixture(scope="module")
def edge(server: Any, tenant: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Before the server's own host."""
    folder = tmp_path_factory.mktemp("nginx")
    for port in running(folder, HOST, server.port):
        yield Edge(port, HOST, folder, server)


@pytest.fixture(scope="module")
def domain_edge(
    server: Any, tenant: Tenant, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Edge]:
    """Before a custom domain, with its key."""
    domain = ready(tenant, DOMAIN, type=SELF_MANAGED)
    folder = tmp_path_factory.mktemp("nginx-domain")
    (folder / "edge-key.conf").write_text(f'proxy_set_header cname-api-key "{domain.key}";\n')
    for port in running(folder, DOMAIN, server.port):
        yield Edge(port, DOMAIN, folder, server)


@pytest.fixture(scope="module")
def keyless_edge(
    server: Any, domain_edge: Edge, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Edge]:
    """Before the same domain, by somebody who has not its key."""
    folder = tmp_path_factory.mktemp("nginx-keyless")
    for port in running(folder, DOMAIN, server.port):
        yield Edge(port, DOMAIN, folder, server)


def machine(tenant: Tenant, **values: Any) -> Client:
    client = tenant.application("non_interactive", **values)
    tenant.grant(client, API, "read")
    return client


def by_name(tenant: Tenant, **values: Any) -> Client:
    subject = {"tls_client_auth_subject_dn": LINES}
    return machine(tenant, token_endpoint_auth_method="tls_client_auth", **subject, **values)


def by_itself(tenant: Tenant, **values: Any) -> Client:
    jwks = {"keys": [{"kty": "EC", "crv": "P-256", **_point(OWN), "x5t#S256": OWN.thumbprint}]}
    method = "self_signed_tls_client_auth"
    return machine(tenant, token_endpoint_auth_method=method, jwks=jwks, **values)


def _point(certificate: Made) -> dict[str, str]:
    numbers = certificate.key.public_key().public_numbers()
    return {"x": jwt.encode(numbers.x.to_bytes(32)), "y": jwt.encode(numbers.y.to_bytes(32))}


@pytest.mark.parametrize("which", ["edge", "domain_edge"])
def test_both_methods(tenant: Tenant, which: str, request: pytest.FixtureRequest) -> None:
    """RFC 8705 §2.1 and §2.2, at the host of the settings and at a custom domain."""
    edge: Edge = request.getfixturevalue(which)
    named, itself = by_name(tenant), by_itself(tenant)
    answer = edge.token(named, made())
    assert answer.status_code == 200, answer.text
    assert jwt.claims_of(answer.json()["access_token"])["iss"] == f"https://{edge.host}/"
    assert edge.token(itself, OWN).status_code == 200
    for client, certificate in (
        (named, None),
        (named, OWN),
        (named, foreign()),
        (named, made("other", subject=((NameOID.COMMON_NAME, "other.example.com"),))),
        (itself, None),
        (itself, made()),
    ):
        refused = edge.token(client, certificate)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    # nginx refuses what has expired; so would the server.
    assert edge.token(named, made("over", days=-1)).status_code == 400


@pytest.mark.parametrize("which", ["edge", "domain_edge"])
def test_forged_headers(tenant: Tenant, which: str, request: pytest.FixtureRequest) -> None:
    """RFC 9440 §4: whatever a client says of certificates, nginx says what is true."""
    edge: Edge = request.getfixturevalue(which)
    named = by_name(tenant)
    forged = made().headers() | made().rfc9440()
    for host in (edge.host, f"mtls.{edge.host}"):
        for certificate in (None, OWN):
            refused = edge.token(named, certificate, host=host, headers=forged)
            assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    itself = by_itself(tenant)
    refused = edge.token(itself, made(), headers=OWN.headers(SELF_SIGNED))
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def test_without_the_edge_key(tenant: Tenant, keyless_edge: Edge) -> None:
    """RFC 9440 §4: a proxy without the key of the domain is not its edge."""
    named = by_name(tenant)
    for headers in (
        {},
        made().headers(),
        made().headers() | {"cname-api-key": "a guess"},
    ):
        for host in (keyless_edge.host, f"mtls.{keyless_edge.host}"):
            for certificate in (None, made()):
                refused = keyless_edge.token(named, certificate, host=host, headers=headers)
                assert (refused.status_code, refused.json()["error"]) == (403, "access_denied")


def test_aliases(edge: Edge) -> None:
    """RFC 8705 §5: the document names what nginx serves, and nothing else is served there."""
    document = edge.ask("GET", "/.well-known/openid-configuration", host=HOST).json()
    assert document["tls_client_certificate_bound_access_tokens"] is True
    for name, url in document["mtls_endpoint_aliases"].items():
        path = url.removeprefix(f"https://mtls.{HOST}")
        assert path != url
        answer = edge.ask("POST", path, data={"client_id": "nobody"})
        assert answer.status_code in {400, 401}, name
    assert edge.ask("GET", "/authorize").status_code == 404
    assert edge.ask("GET", "/.well-known/openid-configuration").status_code == 404


@pytest.mark.parametrize("which", ["edge", "domain_edge"])
def test_bound_tokens(tenant: Tenant, which: str, request: pytest.FixtureRequest) -> None:
    """RFC 8705 §3: at the token endpoint, at introspection and at userinfo."""
    edge: Edge = request.getfixturevalue(which)
    bound = {"tls_client_certificate_bound_access_tokens": True}
    named = by_name(tenant, **bound)
    token = edge.token(named, made()).json()["access_token"]
    assert jwt.claims_of(token)["cnf"] == {"x5t#S256": made().thumbprint}
    body = {"client_id": named.id, "token": token}
    told = edge.ask("POST", "/oauth/introspect", made(), data=body).json()
    assert (told["active"], told["cnf"]) == (True, {"x5t#S256": made().thumbprint})


def test_a_bound_sign_in(server: Server, tenant: Tenant, edge: Edge) -> None:
    """RFC 8705 §3 and §4: the tokens of a public application are good with its certificate only."""
    client = tenant.application("native", tls_client_certificate_bound_access_tokens=True)
    tenant.permit(tenant.user("bound@example.com"), API, "read")
    asked = request_for(client, audience=API, scope="openid offline_access read")
    browser = server.browser()
    page = log_in(browser, authorize(browser, tenant, asked.parameters), "bound@example.com")
    if page.title == "Allow access":
        page = browser.submit(page, "consent-form", press="consent-allow")
    granted = Granted(tenant, client, asked, page.answer)
    tokens = edge.token(client, OWN, data=granted.fields()).json()
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    assert edge.ask("GET", "/userinfo", OWN, headers=bearer).status_code == 200
    for certificate in (None, made()):
        refused = edge.ask("GET", "/userinfo", certificate, headers=bearer)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    forged = edge.ask("GET", "/userinfo", host=HOST, headers=bearer | OWN.headers(SELF_SIGNED))
    assert forged.status_code == 401
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    refused = edge.token(client, made(), data=refresh)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert edge.token(client, OWN, data=refresh).status_code == 200
