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
from tenantry.store import applications
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
from tests.support.configuration import applied, changes, export
from tests.support.credentials import Uploaded, change, upload
from tests.support.custom_domains import MANAGED, SELF_MANAGED, Domain, ready
from tests.support.databases import Databases
from tests.support.flow import refused, sign_in
from tests.support.management import Api, root_api
from tests.support.registration import ask as register
from tests.support.server import HTTPS_URL, TENANT_URL, Client, Server, Tenant, begun

API = "https://api.example.com"
GRANT = {"grant_type": "client_credentials", "audience": API}
PROXIES = (ip_network("127.0.0.1/32"),)
DOCUMENT = ".well-known/openid-configuration"
Headers = dict[str, str]


@pytest.fixture(scope="module")
def server(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    """Behind a proxy that says in `client-certificate` what certificate a request came with."""
    with (
        databases.url("sqlite") as url,
        begun(
            url,
            portal,
            public_url=HTTPS_URL,
            tenant_url=TENANT_URL,
            trusted_proxies=PROXIES,
            client_certificate_header="client-certificate",
        ) as server,
    ):
        yield server


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
    again = api.refused(
        "credentialCreate", {"clientId": client.id, "name": "x", "subjectDn": LINES}
    )
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
    end = server.clock.now() + timedelta(seconds=60)
    api.do("credentialUpdate", "__typename", {"id": old.id, "expiresAt": end.isoformat()})
    server.clock.advance(61)
    try:
        refused(ask(tenant, client, OWN.headers(SELF_SIGNED)), 401, "invalid_client")
        assert ask(tenant, client, new_one.headers(SELF_SIGNED)).status_code == 200
    finally:
        server.clock.advance(-61)


def test_at_every_endpoint(tenant: Tenant, api: Api) -> None:
    """RFC 8705 §2: wherever an application authenticates itself."""
    client = by_name(api, tenant, subjectDn=LINES)
    token = ask(tenant, client, made().headers()).json()["access_token"]
    post = tenant.server.client.post
    for path in ("oauth/introspect", "oauth/revoke"):
        body = {"client_id": client.id, "token": token}
        refused(post(tenant.url(path), data=body), 401, "invalid_client")
        refused(post(tenant.url(path), data=body, headers=OTHER.headers()), 401, "invalid_client")
        answer = post(tenant.url(path), data=body, headers=made().headers())
        assert answer.status_code == 200
    web = tenant.application(
        token_endpoint_auth_method="tls_client_auth", tls_client_auth_subject_dn=RFC4514
    )
    asked = {"client_id": web.id, "response_type": "code", "scope": "openid"}
    asked["redirect_uri"] = web.redirect_uri
    refused(post(tenant.url("oauth/par"), data=asked), 401, "invalid_client")
    pushed = post(tenant.url("oauth/par"), data=asked, headers=made().headers())
    assert pushed.status_code == 201


def test_certificates_of_registered_applications(tenant: Tenant) -> None:
    """RFC 8705 §2.1.2, §3.4 and RFC 7591 §3.2.1: the metadata members."""
    tenant.change(enable_dynamic_client_registration=True)
    metadata = {
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_subject_dn": RFC4514,
        "tls_client_certificate_bound_access_tokens": True,
    }
    answer = register(tenant, **metadata)
    assert answer.status_code == 201, answer.text
    assert answer.json().items() >= metadata.items()
    assert "client_secret" not in answer.json()
    twice = register(tenant, **metadata, tls_client_auth_san_dns="client.example.com")
    refused(twice, 400, "invalid_client_metadata")


# --- the headers ----------------------------------------------------------------------------------


def raw(
    tenant: Tenant, client: Client, *headers: tuple[str, str], issuer: str = ""
) -> httpx2.Response:
    """The headers as they are, from the proxy."""
    body = {"client_id": client.id} | GRANT
    url = f"{issuer or tenant.issuer}oauth/token"
    return tenant.server.client.post(url, data=body, headers=list(headers))


def test_headers_that_are_refused(tenant: Tenant, api: Api) -> None:
    """RFC 9440 §2.2: one certificate, whole and small, or the request is refused."""
    client = by_name(api, tenant, subjectDn=LINES)
    good = made().headers()["client-certificate"]
    verified = ("client-certificate-ca-verified", "SUCCESS")
    chain = quote(made().pem + made("renewed").pem, safe="")
    body = made().pem.splitlines()
    bad = (
        "x",
        "%",
        good[:-60],
        quote(made().key_pem, safe=""),
        quote("\n".join([body[0], "AAAA", body[-1]]), safe=""),
        quote("\n".join([body[0], *body[2:]]), safe=""),
        quote(f"x{made().pem}", safe=""),
        chain,
        good + "%20" * 2000,
        quote(made().pem, safe="") + "," + good,
        made().rfc9440()["client-cert"],
    )
    for value in bad:
        answer = raw(tenant, client, ("client-certificate", value), verified)
        assert "client-certificate" in refused(answer, 400, "invalid_request")
    two = raw(tenant, client, ("client-certificate", good), ("client-certificate", good), verified)
    refused(two, 400, "invalid_request")
    for verdicts in (
        [verified, verified],
        [verified, ("client-certificate-ca-verified", "FAILED")],
        [("client-certificate-ca-verified", "success")],
        [("client-certificate-ca-verified", "NONE")],
        [("client-certificate-ca-verified", "SUCCESS, FAILED")],
        [("client-certificate-ca-verified", "")],
        [("client-certificate-ca-verified", "FAILED" + "x" * 1100)],
    ):
        refused(
            raw(tenant, client, ("client-certificate", good), *verdicts), 400, "invalid_request"
        )
    # What is empty is not there, and the other header is nothing that the settings name.
    refused(raw(tenant, client, ("client-certificate", ""), verified), 401, "invalid_client")
    refused(raw(tenant, client, *made().rfc9440().items()), 401, "invalid_client")
    assert raw(tenant, client, ("client-certificate", good), verified).status_code == 200
    # Nor is a page served to who sends nonsense.
    page = tenant.server.client.get(tenant.url(DOCUMENT), headers={"client-certificate": "x"})
    assert page.status_code == 400


def test_only_a_trusted_proxy_is_believed(server: Server, tenant: Tenant, api: Api) -> None:
    """RFC 9440 §4: who is no proxy of ours says nothing about certificates."""
    client = by_name(api, tenant, subjectDn=LINES)
    body = f"grant_type=client_credentials&audience={API}&client_id={client.id}".encode()
    for certificate in (made().headers(), made().rfc9440(), {"client-certificate": "x"}):
        headers = {**certificate, "content-type": "application/x-www-form-urlencoded"}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        with server.stores_nothing():
            answer = server.raw("POST", tenant.url("oauth/token"), headers=pairs, body=[body])
            refused(answer, 401, "invalid_client")


@pytest.fixture
def domain(tenant: Tenant) -> Domain:
    return ready(tenant, type=SELF_MANAGED)


def test_at_a_domain_with_an_edge(server: Server, tenant: Tenant, api: Api, domain: Domain) -> None:
    """RFC 9440 §4: the edge proves itself by its key, and comes through a proxy of ours."""
    client = by_name(api, tenant, subjectDn=LINES)
    assert domain.key is not None
    here, key = domain.tenant, {"cname-api-key": domain.key}
    good = made().headers()
    assert ask(here, client, good | key).status_code == 200
    with server.stores_nothing():
        for forged in (good, good | {"cname-api-key": "forged"}, good | {"cname-api-key": ""}):
            refused(ask(here, client, forged), 403, "access_denied")
        refused(ask(here, client, key), 401, "invalid_client")
        refused(ask(here, client, made().rfc9440() | key), 401, "invalid_client")
        # With the key but not through a proxy of ours.
        form = b"application/x-www-form-urlencoded"
        pairs = [(name.encode(), value.encode()) for name, value in (good | key).items()]
        body = f"grant_type=client_credentials&audience={API}&client_id={client.id}".encode()
        answer = server.raw(
            "POST",
            here.url("oauth/token"),
            headers=[*pairs, (b"content-type", form)],
            body=[body],
        )
        refused(answer, 401, "invalid_client")
    document = server.client.get(here.url(DOCUMENT), headers=key).json()
    assert "tls_client_auth" in document["token_endpoint_auth_methods_supported"]


def test_at_a_domain_without_an_edge(server: Server, tenant: Tenant, api: Api) -> None:
    """RFC 8705 §2: a domain whose certificates are managed has no edge that could ask for one."""
    domain = ready(tenant, f"managed.{tenant.name}.example.net", type=MANAGED)
    client = by_name(api, tenant, subjectDn=LINES)
    refused(ask(domain.tenant, client, made().headers()), 401, "invalid_client")
    document = server.client.get(domain.tenant.url(DOCUMENT)).json()
    assert "tls_client_auth" not in document["token_endpoint_auth_methods_supported"]


@pytest.fixture(scope="module")
def standard(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    """Behind a proxy that says it as RFC 9440 has it."""
    with (
        databases.url("sqlite") as url,
        begun(
            url, portal, trusted_proxies=PROXIES, client_certificate_header="client-cert"
        ) as server,
    ):
        yield server


def test_the_standard_header(standard: Server) -> None:
    """RFC 9440 §2.1 and §2.2: DER as a byte sequence."""
    tenant = standard.tenant()
    tenant.api(API, "read")
    client = machine(
        tenant, token_endpoint_auth_method="tls_client_auth", tls_client_auth_subject_dn=RFC4514
    )
    assert ask(tenant, client, made().rfc9440()).status_code == 200
    # Without a word of the authority only what is registered itself counts.
    alone = {"client-cert": made().rfc9440()["client-cert"]}
    refused(ask(tenant, client, alone), 401, "invalid_client")
    itself = machine(
        tenant,
        token_endpoint_auth_method="self_signed_tls_client_auth",
        jwks={"keys": [public_jwk(made().key) | {"x5t#S256": made().thumbprint}]},
    )
    assert ask(tenant, itself, alone).status_code == 200
    refused(ask(tenant, itself, made().headers()), 401, "invalid_client")
    value = alone["client-cert"]
    for bad in (
        value[1:-1],
        f"{value}, {value}",
        f"{value};x=1",
        "::",
        ":x:",
        ":AAAA:",
        value[:-3],
    ):
        refused(ask(tenant, client, {"client-cert": bad}), 400, "invalid_request")


def test_where_no_certificate_arrives(https_server: Server) -> None:
    """RFC 8705 §3.3: nothing is advertised, registered or believed there."""
    tenant = https_server.tenant(enable_dynamic_client_registration=True)
    tenant.change(enable_mtls_endpoint_aliases=True)
    document = https_server.client.get(tenant.url(DOCUMENT)).json()
    assert "tls_client_certificate_bound_access_tokens" not in document
    assert "mtls_endpoint_aliases" not in document
    for name, value in document.items():
        if name.endswith("_auth_methods_supported"):
            assert not {"tls_client_auth", "self_signed_tls_client_auth"} & set(value)
    metadata = {
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_subject_dn": RFC4514,
    }
    refused(register(tenant, **metadata), 400, "invalid_client_metadata")
    tenant.api(API, "read")
    client = machine(tenant, **metadata)
    refused(ask(tenant, client, made().headers()), 401, "invalid_client")
    host = tenant.issuer.replace("https://", "https://mtls.")
    assert https_server.client.post(f"{host}oauth/token").status_code == 421


# --- aliases --------------------------------------------------------------------------------------


def test_endpoint_aliases(server: Server, tenant: Tenant, api: Api, domain: Domain) -> None:
    """RFC 8705 §5: endpoints at a host of their own, where the tenant wants it."""
    assert domain.key is not None
    key = {"cname-api-key": domain.key}
    client = by_name(api, tenant, subjectDn=LINES)
    for here, headers in ((tenant, {}), (domain.tenant, key)):
        at = here.issuer.replace("https://", "https://mtls.")
        document = server.client.get(here.url(DOCUMENT), headers=headers).json()
        assert "mtls_endpoint_aliases" not in document
        off = raw(tenant, client, *(made().headers() | headers).items(), issuer=at)
        assert off.status_code == 421
    tenant.change(enable_mtls_endpoint_aliases=True)
    for here, headers in ((tenant, {}), (domain.tenant, key)):
        at = here.issuer.replace("https://", "https://mtls.")
        document = server.client.get(here.url(DOCUMENT), headers=headers).json()
        aliases = document["mtls_endpoint_aliases"]
        assert aliases["token_endpoint"] == f"{at}oauth/token"
        assert {
            "token_endpoint",
            "pushed_authorization_request_endpoint",
            "revocation_endpoint",
            "introspection_endpoint",
            "userinfo_endpoint",
            "device_authorization_endpoint",
        } <= aliases.keys()
        for name, url in aliases.items():
            assert document[name] == url.replace("https://mtls.", "https://")
            assert server.client.post(url, data={"a": "b"}, headers=headers).status_code == 401
        answer = raw(here, client, *(made().headers() | headers).items(), issuer=at)
        assert jwt.claims_of(answer.json()["access_token"])["iss"] == here.issuer
        for path in ("authorize", DOCUMENT, "graphql", "oidc/logout"):
            assert server.client.get(f"{at}{path}", headers=headers).status_code == 421
    signing = machine(tenant, token_endpoint_auth_method="private_key_jwt", jwks=_keys(rsa_key()))
    alias = f"{tenant.issuer.replace('https://', 'https://mtls.')}oauth/token"
    assertion = signed(assertion_claims(tenant, signing, aud=alias), rsa_key())
    assert server.client.post(alias, data=GRANT | proving(assertion)).status_code == 200
    forged = raw(
        tenant,
        client,
        *made().headers().items(),
        issuer=domain.tenant.issuer.replace("https://", "https://mtls."),
    )
    refused(forged, 403, "access_denied")


# --- bound tokens ---------------------------------------------------------------------------------

BOUND: dict[str, Any] = {"tls_client_certificate_bound_access_tokens": True}


def test_bound_tokens_of_a_machine(server: Server, tenant: Tenant, api: Api) -> None:
    """RFC 8705 §3.1 and §3.2: the thumbprint in the token and at introspection."""
    client = by_name(api, tenant, subjectDn=LINES)
    tenant.change_application(client, **BOUND)
    answer = ask(tenant, client, made().headers()).json()
    assert answer["token_type"] == "Bearer"
    bound = {"x5t#S256": made().thumbprint}
    assert jwt.claims_of(answer["access_token"])["cnf"] == bound
    told = server.client.post(
        tenant.url("oauth/introspect"),
        data={"client_id": client.id, "token": answer["access_token"]},
        headers=made().headers(),
    ).json()
    assert (told["active"], told["cnf"]) == (True, bound)
    # Whatever the method is that the application authenticates by.
    by_secret = machine(tenant, **BOUND)
    url, body = tenant.url("oauth/token"), by_secret.body | GRANT
    with server.stores_nothing():
        assert "certificate" in refused(server.client.post(url, data=body), 400, "invalid_request")
    token = server.client.post(url, data=body, headers=OWN.headers(SELF_SIGNED)).json()
    assert jwt.claims_of(token["access_token"])["cnf"] == {"x5t#S256": OWN.thumbprint}


def test_bound_tokens_at_userinfo(server: Server, tenant: Tenant) -> None:
    """RFC 8705 §3: "MUST verify that the certificate matches the certificate associated"."""
    client = tenant.application(**BOUND)
    tenant.user()
    granted = sign_in(server.browser(), tenant, client)
    url, body = tenant.url("oauth/token"), client.body | granted.fields()
    refused(server.client.post(url, data=body), 400, "invalid_request")
    tokens = server.client.post(url, data=body, headers=made().headers()).json()
    ask_userinfo = {"authorization": f"Bearer {tokens['access_token']}"}
    userinfo = tenant.url("userinfo")
    assert server.client.get(userinfo, headers=ask_userinfo | made().headers()).status_code == 200
    for headers in ({}, OTHER.headers(), made("renewed").headers(), made().rfc9440()):
        answer = server.client.get(userinfo, headers=ask_userinfo | headers)
        refused(answer, 401, "invalid_token")
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_bound_tokens_at_the_management_api(server: Server, tenant: Tenant) -> None:
    """RFC 8705 §3: our own API is a protected resource like others."""
    identifier = tenant.url("graphql")
    client = tenant.application("non_interactive", **BOUND)
    tenant.grant(client, identifier, "read:applications")
    body = client.body | {"grant_type": "client_credentials", "audience": identifier}
    url = tenant.url("oauth/token")
    token = server.client.post(url, data=body, headers=made().headers()).json()["access_token"]
    query = {"query": "{ applications(first: 1) { totalCount } }"}
    bearer = {"authorization": f"Bearer {token}"}
    good = server.client.post(identifier, json=query, headers=bearer | made().headers())
    assert good.status_code == 200
    assert "errors" not in good.json()
    for headers in ({}, OTHER.headers(), made("renewed").headers()):
        answer = server.client.post(identifier, json=query, headers=bearer | headers)
        assert answer.status_code == 401


def test_bound_refresh_tokens_of_a_public_application(server: Server, tenant: Tenant) -> None:
    """RFC 8705 §4: with the same certificate, and with no other."""
    client = tenant.application("native", **BOUND)
    tenant.api("https://offline.example.com", "read", allow_offline_access=True)
    tenant.permit(tenant.user(), "https://offline.example.com", "read")
    asked = {"scope": "openid offline_access read", "audience": "https://offline.example.com"}
    granted = sign_in(server.browser(), tenant, client, **asked)
    url = tenant.url("oauth/token")
    body = client.body | granted.fields()
    tokens = server.client.post(url, data=body, headers=OWN.headers(SELF_SIGNED)).json()
    refresh = client.body | {
        "grant_type": "refresh_token",
        "refresh_token": tokens["refresh_token"],
    }
    for headers in (OTHER.headers(), made().headers()):
        refused(server.client.post(url, data=refresh, headers=headers), 400, "invalid_grant")
    refused(server.client.post(url, data=refresh), 400, "invalid_request")
    # Nor does it help that the application is not bound any more.
    tenant.change_application(client, tls_client_certificate_bound_access_tokens=False)
    refused(server.client.post(url, data=refresh), 400, "invalid_grant")
    tenant.change_application(client, **BOUND)
    again = server.client.post(url, data=refresh, headers=OWN.headers(SELF_SIGNED))
    assert again.status_code == 200, again.text
    claims = jwt.claims_of(again.json()["access_token"])
    assert claims["cnf"] == {"x5t#S256": OWN.thumbprint}


def test_refresh_tokens_of_a_confidential_application(server: Server, tenant: Tenant) -> None:
    """RFC 8705 §7.1: bound by its authentication alone, so that certificates may be renewed."""
    client = tenant.application(**BOUND)
    tenant.api("https://offline.example.com", "read", allow_offline_access=True)
    tenant.permit(tenant.user(), "https://offline.example.com", "read")
    asked = {"scope": "openid offline_access read", "audience": "https://offline.example.com"}
    granted = sign_in(server.browser(), tenant, client, **asked)
    url = tenant.url("oauth/token")
    body = client.body | granted.fields()
    tokens = server.client.post(url, data=body, headers=made().headers()).json()
    refresh = client.body | {
        "grant_type": "refresh_token",
        "refresh_token": tokens["refresh_token"],
    }
    again = server.client.post(url, data=refresh, headers=made("renewed").headers()).json()
    claims = jwt.claims_of(again["access_token"])
    assert claims["cnf"] == {"x5t#S256": made("renewed").thumbprint}


def test_no_bound_tokens_in_the_front_channel(server: Server, tenant: Tenant) -> None:
    """RFC 8705 §3: nobody presents a certificate at the authorization endpoint."""
    client = tenant.application(**BOUND, grant_types=("implicit",))
    tenant.user()
    answer = sign_in(server.browser(), tenant, client, response_type="id_token token").answer
    assert answer["error"] == "unauthorized_client"


def test_in_a_document(server: Server, tenant: Tenant) -> None:
    """RFC 7517 §4.9: a certificate and a name work where a document was applied."""
    here, there = root_api(tenant), server.tenant()
    itself, named = by_itself(here, tenant, OWN), by_name(here, tenant, subjectDn=RFC4514)
    document = export(here)
    assert OWN.thumbprint in document
    other = root_api(there)
    applied(other, document)
    assert changes(other, document) == []
    for client, certificate, verdict in ((itself, OWN, SELF_SIGNED), (named, made(), "SUCCESS")):
        again = Client(there.read(applications.find_by_external_id, client.id), "")
        assert ask(there, again, certificate.headers(verdict)).status_code == 200
        refused(ask(there, again, OTHER.headers()), 401, "invalid_client")
