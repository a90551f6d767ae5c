"""RFC 8705 and RFC 9440: applications that prove who they are by TLS client certificates."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from anyio.from_thread import BlockingPortal
from cryptography.x509.oid import NameOID

from tenantry.core.errors import DomainError
from tests.support import jwt
from tests.support.client_certificates import (
    LINES,
    RFC4514,
    SELF_SIGNED,
    SUBJECT,
    Made,
    made,
)
from tests.support.client_keys import (
    assertion_claims,
    proving,
    public_jwk,
    rsa_key,
    signed,
)
from tests.support.credentials import Uploaded, change, upload
from tests.support.custom_domains import MANAGED, SELF_MANAGED, Domain, ready
from tests.support.databases import Databases
from tests.support.flow import refused, sign_in
from tests.support.management import Api, root_api
from tests.support.registration import ask as register
from tests.support.server import HTTPS_URL, TENANT_URL, Client, Server, Tenant

API = "https://api.example.com"
GRANT = {"grant_type": "client_credentials", "audience": API}
PROXIES = (ip_network("127.0.0.1/32"),)
DOCUMENT = ".well-known/openid-configuration"
Headers = dict[str, str]


@pytest.fixture(scope="module")
def server(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    """Behind a proxy that says in `client-certificate` what certificate a request came with."""
    with databases.url("sqlite") as url:
        server = Server(
            url,
            portal,
            public_url=HTTPS_URL,
            tenant_url=TENANT_URL,
            trusted_proxies=PROXIES,
            client_certificate_header="client-certificate",
        )
        server.begin()
        yield server
        server.close()


@pytest.fixture
def tenant(server: Server) -> Tenant:
    tenant = server.tenant()
    tenant.api(API, "read")
    return tenant


@pytest.fixture
def api(tenant: Tenant) -> Api:
    return root_api(tenant)


def machine(tenant: Tenant, **values: Any) -> Client:
    client = tenant.application("non_interactive", **values)
    tenant.grant(client, API, "read")
    return client


def ask(tenant: Tenant, client: Client, headers: Headers, **fields: str) -> httpx2.Response:
    """A token request of an application that only names itself, through the proxy."""
    named = {"client_id": client.id} | (fields or GRANT)
    return tenant.server.client.post(tenant.url("oauth/token"), data=named, headers=headers)


def enable(api: Api, client: Client, method: str, *credentials: Uploaded, **more: Any) -> None:
    way = {method: {"credentials": [each.id for each in credentials]}}
    assert change(api, client, clientAuthenticationMethods=way, **more)["errors"] == []


def by_name(api: Api, tenant: Tenant, **given: str) -> Client:
    client = machine(tenant)
    enable(api, client, "tlsClientAuth", upload(api, client, **given))
    return client


def by_itself(api: Api, tenant: Tenant, certificate: Made) -> Client:
    client = machine(tenant)
    credential = upload(api, client, pem=certificate.pem, credentialType="X509_CERT")
    assert credential.shown["x5tS256"] == certificate.thumbprint
    enable(api, client, "selfSignedTlsClientAuth", credential)
    return client


OTHER = made("other", subject=((NameOID.COMMON_NAME, "other.example.com"),))
OWN = made("own", by_ca=False)


@pytest.mark.parametrize(
    "given",
    [
        {"subjectDn": LINES},
        {"subjectDn": RFC4514},
        {"pem": made("uploaded").pem, "credentialType": "CERT_SUBJECT_DN"},
    ],
    ids=["lines", "RFC 4514", "PEM"],
)
def test_by_the_subject(tenant: Tenant, api: Api, given: Headers) -> None:
    """RFC 8705 §2.1: any certificate of the authority with the name, and no other."""
    client = by_name(api, tenant, **given)
    shown = ask(tenant, client, made().headers())
    assert shown.status_code == 200, shown.text
    assert "cnf" not in jwt.claims_of(shown.json()["access_token"])
    assert ask(tenant, client, made("renewed").headers()).status_code == 200
    with tenant.server.stores_nothing():
        for headers in (
            OTHER.headers(),
            made().headers("FAILED:unable to get local issuer certificate"),
            made().headers("FAILED"),
            {"client-certificate": made().headers()["client-certificate"]},
            made("over", days=-1).headers(),
            OWN.headers(SELF_SIGNED),
            made("reversed", subject=SUBJECT[::-1]).headers(),
            {},
        ):
            refused(ask(tenant, client, headers), 401, "invalid_client")


NAMES = {
    "tls_client_auth_subject_dn": (RFC4514, "CN=other.example.com"),
    "tls_client_auth_san_dns": ("Client.Example.com", "other.example.com"),
    "tls_client_auth_san_uri": ("https://client.example.com/id", "https://client.example.com/"),
    "tls_client_auth_san_ip": ("2001:DB8:0::7", "2001:db8::8"),
    "tls_client_auth_san_email": ("client@example.com", "other@example.com"),
}


@pytest.mark.parametrize("name", NAMES)
def test_by_a_registered_name(tenant: Tenant, name: str) -> None:
    """RFC 8705 §2.1.2: the subject or one kind of alternative name."""
    right, wrong = NAMES[name]
    client = machine(tenant, token_endpoint_auth_method="tls_client_auth", **{name: right})
    assert client.secret == ""
    assert ask(tenant, client, made().headers()).status_code == 200
    assert ask(tenant, client, made("renewed").headers()).status_code == 200
    refused(ask(tenant, client, made().headers(SELF_SIGNED)), 401, "invalid_client")
    tenant.change_application(client, **{name: wrong})
    refused(ask(tenant, client, made().headers()), 401, "invalid_client")


def test_exactly_one_name(tenant: Tenant, api: Api) -> None:
    """RFC 8705 §2.1.2: "MUST use exactly one of the below metadata parameters"."""
    method: dict[str, Any] = {"token_endpoint_auth_method": "tls_client_auth"}
    for values in (
        method,
        method | {"tls_client_auth_san_dns": "a.example", "tls_client_auth_san_ip": "192.0.2.7"},
        method | {"tls_client_auth_san_ip": "not an address"},
        method | {"tls_client_auth_subject_dn": "no name"},
        {"tls_client_auth_san_dns": "a.example"},
        {"token_endpoint_auth_method": "self_signed_tls_client_auth"},
    ):
        with pytest.raises(DomainError):
            machine(tenant, **values)
    client = by_name(api, tenant, subjectDn=LINES)
    both = change(api, client, tlsClientAuthSanDns="client.example.com")
    assert both["errors"][0]["field"] == ["tlsClientAuthSanDns"]


def test_by_the_very_certificate(server: Server, tenant: Tenant, api: Api) -> None:
    """RFC 8705 §2.2: the one that was uploaded, whoever signed it."""
    client = by_itself(api, tenant, OWN)
    for verdict in (SELF_SIGNED, "FAILED", "SUCCESS"):
        assert ask(tenant, client, OWN.headers(verdict)).status_code == 200
    with server.stores_nothing():
        for headers in (made().headers(), made("own too", by_ca=False).headers(SELF_SIGNED), {}):
            refused(ask(tenant, client, headers), 401, "invalid_client")
    over = made("own but over", by_ca=False, days=-1)
    client = by_itself(api, tenant, over)
    refused(ask(tenant, client, over.headers(SELF_SIGNED)), 401, "invalid_client")


def test_registered_by_a_key_set(tenant: Tenant) -> None:
    """RFC 8705 §2.2: `x5c` of the key set (RFC 7517 §4.7), or `x5t#S256`."""
    chain = [base64.b64encode(OWN.der).decode()]
    for jwk in (
        public_jwk(OWN.key) | {"x5c": chain},
        public_jwk(OWN.key) | {"x5t#S256": OWN.thumbprint},
    ):
        client = machine(
            tenant,
            token_endpoint_auth_method="self_signed_tls_client_auth",
            jwks={"keys": [jwk]},
        )
        assert ask(tenant, client, OWN.headers(SELF_SIGNED)).status_code == 200
        refused(ask(tenant, client, made().headers()), 401, "invalid_client")
    # The same key in another certificate is not the certificate.
    client = machine(
        tenant,
        token_endpoint_auth_method="self_signed_tls_client_auth",
        jwks={"keys": [public_jwk(OWN.key)]},
    )
    refused(ask(tenant, client, OWN.headers(SELF_SIGNED)), 401, "invalid_client")


def test_the_kinds_of_credentials(tenant: Tenant, api: Api) -> None:
    """RFC 8705 §2: a name proves nothing by itself, a key is no certificate."""
    client = machine(tenant)
    key = upload(api, client, rsa_key())
    name = upload(api, client, subjectDn=LINES)
    certificate = upload(api, client, pem=OWN.pem)
    assert (name.shown["credentialType"], name.shown["alg"]) == ("CERT_SUBJECT_DN", None)
    for method, wrong in (
        ("tlsClientAuth", key),
        ("tlsClientAuth", certificate),
        ("selfSignedTlsClientAuth", key),
        ("selfSignedTlsClientAuth", name),
        ("privateKeyJwt", name),
    ):
        way = {method: {"credentials": [wrong.id]}}
        payload = change(api, client, clientAuthenticationMethods=way)
        path = ["clientAuthenticationMethods", method, "credentials", "0"]
        assert (payload["errors"][0]["code"], payload["errors"][0]["field"]) == (
            "NOT_ALLOWED",
            path,
        )
    requests = change(api, client, signedRequestObject={"credentials": [name.id]})
    assert requests["errors"][0]["code"] == "NOT_ALLOWED"
    again = api.refused("credentialCreate", {"clientId": client.id, "name": "x", "subjectDn": LINES})
    assert again["code"] == "ALREADY_EXISTS"
    for given in (
        {"subjectDn": LINES, "pem": OWN.pem},
        {"subjectDn": LINES, "alg": "RS256"},
        {"subjectDn": LINES, "credentialType": "X509_CERT"},
        {"subjectDn": LINES, "parseExpiryFromCert": True},
        {"subjectDn": "x"},
        {"jwk": public_jwk(rsa_key("two")), "credentialType": "CERT_SUBJECT_DN"},
    ):
        assert api.refused("credentialCreate", {"clientId": client.id, "name": "x"} | given)


def test_a_change_to_another_method_needs_its_credentials(tenant: Tenant, api: Api) -> None:
    """RFC 8705 §2: what is enabled for one method is good for no other."""
    client = by_itself(api, tenant, OWN)
    payload = change(api, client, tokenEndpointAuthMethod="TLS_CLIENT_AUTH")
    assert payload["errors"][0]["code"] == "NOT_ALLOWED"
    back = {"tokenEndpointAuthMethod": "CLIENT_SECRET_POST", "clientAuthenticationMethods": None}
    assert change(api, client, **back)["errors"] == []
    assert tenant.token(client, **GRANT).status_code == 200
    refused(ask(tenant, client, OWN.headers(SELF_SIGNED)), 401, "invalid_client")


def test_one_method_at_a_time(server: Server, tenant: Tenant, api: Api) -> None:
    """OpenID Connect Core §9, RFC 6749 §2.3: only the registered method, and nothing beside it."""
    client = by_name(api, tenant, subjectDn=LINES)
    token = signed(assertion_claims(tenant, client), rsa_key())
    by_key = machine(tenant, token_endpoint_auth_method="private_key_jwt", jwks=_keys(rsa_key()))
    by_secret = machine(tenant)
    url = tenant.url("oauth/token")
    with server.stores_nothing():
        for fields in ({"client_secret": client.secret}, proving(token)):
            refused(ask(tenant, client, made().headers(), **GRANT, **fields), 401, "invalid_client")
        basic = server.client.post(url, data=GRANT, auth=client.basic, headers=made().headers())
        refused(basic, 401, "invalid_client")
        for other in (by_key, by_secret):
            refused(ask(tenant, other, made().headers()), 401, "invalid_client")
    # A certificate beside the method that is registered does no harm.
    headers = made().headers()
    body = by_secret.body | GRANT
    assert server.client.post(url, data=body, headers=headers).status_code == 200


def _keys(key: Any) -> Any:
    return {"keys": [public_jwk(key)]}


def test_an_expired_credential(server: Server, tenant: Tenant, api: Api) -> None:
    """RFC 8705 §6.3: names and certificates end when their credentials do; overlap is possible."""
    client = machine(tenant)
    old = upload(api, client, pem=OWN.pem)
    new_one = made("own and new", by_ca=False)
    new = upload(api, client, pem=new_one.pem, parseExpiryFromCert=True)
    assert new.shown["expiresAt"] is not None
    enable(api, client, "selfSignedTlsClientAuth", old, new)
    assert ask(tenant, client, OWN.headers(SELF_SIGNED)).status_code == 200
    assert ask(tenant, client, new_one.headers(SELF_SIGNED)).status_code == 200
    end = server.clock.now() + timedelta(seconds=2)
    api.do("credentialUpdate", "__typename", {"id": old.id, "expiresAt": end.isoformat()})
    clock, server.clock._now = server.clock, None  # type: ignore[attr-defined]
    del clock
