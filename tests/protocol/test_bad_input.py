"""RFC 6749 §3.1 and §3.2: whatever bytes arrive, the answer is a refusal in the right form.

No case may end in a fault (the harness fails on any 5xx), and none may store anything.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx2
import pytest

from tests.support.browser import Browser, Page
from tests.support.flow import authorize, log_in, refused, request_for
from tests.support.server import Client, Server, Tenant, both_databases

FORM = b"application/x-www-form-urlencoded"
JSON = b"application/json"
LIMIT = 65_536
# The endpoints that read a body, and whether they answer people with a page.
ENDPOINTS = {
    "oauth/token": False,
    "oauth/introspect": False,
    "oauth/revoke": False,
    "oauth/device/code": False,
    "userinfo": False,
    "authorize": True,
    "u/login": True,
    "u/consent": True,
    "u/account": True,
    "u/confirm": True,
    "u/device": True,
    "u/logout": True,
    "oidc/logout": True,
}
WELL_MEANT = b"grant_type=client_credentials&client_id=x&client_secret=y&response_type=code"


def refused_here(endpoint: str, response: httpx2.Response) -> None:
    """A 4xx in the endpoint's own format that shows nothing of the server's insides."""
    assert 400 <= response.status_code < 500, response.status_code
    assert "Traceback" not in response.text
    assert "no-store" in response.headers["cache-control"]
    if ENDPOINTS[endpoint]:
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert Page("", response).title == "Something went wrong"
        assert "location" not in response.headers
    else:
        refused(response, response.status_code, response.json()["error"])


def too_many() -> bytes:
    return WELL_MEANT + b"".join(b"&p%d=1" % number for number in range(10_000))


BODIES: dict[str, tuple[list[tuple[bytes, bytes]], Callable[[], list[bytes]]]] = {
    "declared over 64 KiB": (
        [(b"content-type", FORM), (b"content-length", str(LIMIT + 1).encode())],
        lambda: [WELL_MEANT],
    ),
    "sent over 64 KiB": (
        [(b"content-type", FORM)],
        lambda: [b"x=" + b"a" * LIMIT],
    ),
    "over 64 KiB in chunks": (
        [(b"content-type", FORM)],
        lambda: [b"a" * 1000] * 1000,
    ),
    "10,000 parameters": ([(b"content-type", FORM)], lambda: [too_many()]),
    "one long value": ([(b"content-type", FORM)], lambda: [b"client_id=" + b"a" * 60_000]),
    "NUL": ([(b"content-type", FORM)], lambda: [WELL_MEANT + b"&scope=%00&username=%00"]),
    "raw NUL": ([(b"content-type", FORM)], lambda: [WELL_MEANT + b"&scope=\0"]),
    "NUL in a name": ([(b"content-type", FORM)], lambda: [WELL_MEANT + b"&sc%00pe=x"]),
    "quotes in a name": ([(b"content-type", FORM)], lambda: [b'%22%5C"=%01&' + WELL_MEANT]),
    "control character": ([(b"content-type", FORM)], lambda: [WELL_MEANT + b"&state=%1b"]),
    "lone surrogate": ([(b"content-type", FORM)], lambda: [WELL_MEANT + b"&state=%ED%A0%80"]),
    "broken UTF-8": ([(b"content-type", FORM)], lambda: [WELL_MEANT + b"&state=%FF%FE"]),
    "raw bytes": ([(b"content-type", FORM)], lambda: [WELL_MEANT + b"&state=\xff\xfe"]),
    "text": ([(b"content-type", b"text/plain")], lambda: [WELL_MEANT]),
    "multipart": (
        [(b"content-type", b"multipart/form-data; boundary=x")],
        lambda: [b'--x\r\nContent-Disposition: form-data; name="client_id"\r\n\r\nx\r\n--x--'],
    ),
    "odd media type": ([(b"content-type", b"\xff/\xfe; charset=\xff")], lambda: [WELL_MEANT]),
    "Content-Length of words": (
        [(b"content-type", FORM), (b"content-length", b"many")],
        lambda: [WELL_MEANT],
    ),
    "negative Content-Length": (
        [(b"content-type", FORM), (b"content-length", b"-1")],
        lambda: [WELL_MEANT],
    ),
    "Content-Length in other digits": (
        [(b"content-type", FORM), (b"content-length", b"\xb2")],
        lambda: [WELL_MEANT],
    ),
    "endless Content-Length": (
        [(b"content-type", FORM), (b"content-length", b"9" * 5000)],
        lambda: [WELL_MEANT],
    ),
}


@both_databases
@pytest.mark.parametrize("name", BODIES)
def test_bodies_of_every_endpoint(server: Server, tenant: Tenant, name: str) -> None:
    """RFC 6749 §3.2, RFC 9110 §8: size, number, encoding and media type."""
    headers, body = BODIES[name]
    with server.stores_nothing():
        for endpoint in ENDPOINTS:
            response = server.raw("POST", tenant.url(endpoint), headers=headers, body=body())
            refused_here(endpoint, response)
            if "64 KiB" in name and not endpoint.startswith("u/"):
                assert response.status_code == 413, endpoint


def test_no_body_at_all(server: Server, tenant: Tenant) -> None:
    """Neither a body nor a media type."""
    with server.stores_nothing():
        for endpoint in ("oauth/token", "userinfo", "authorize", "u/login", "u/logout"):
            refused_here(endpoint, server.raw("POST", tenant.url(endpoint)))


BAD_JSON: dict[str, bytes] = {
    "not JSON": b"{",
    "empty": b"",
    "a list": b"[]",
    "a string": b'"grant_type"',
    "a number": b"1",
    "null": b"null",
    "deep list": b"[" * 30_000 + b"]" * 30_000,
    "deep object": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep value": b'{"grant_type":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "endless number": b'{"grant_type":' + b"9" * 60_000 + b"}",
    "a number for text": b'{"grant_type":1}',
    "an object for text": b'{"grant_type":{}}',
    "a list for text": b'{"grant_type":["client_credentials"]}',
    "a list of objects": b'{"resource":[{}]}',
    "NaN": b'{"grant_type":NaN}',
    "lone surrogate": b'{"grant_type":"\\ud800"}',
    "lone surrogate in a name": b'{"\\ud800":"x","grant_type":"x"}',
    "lone surrogate twice": b'{"\\ud800":"","\\ud800":""}',
    "NUL": b'{"grant_type":"\\u0000"}',
    "NUL in client_id": b'{"grant_type":"client_credentials","client_id":"a\\u0000b"}',
    "broken UTF-8": b'{"grant_type":"\xff"}',
    "UTF-16": json.dumps({"grant_type": "client_credentials"}).encode("utf-16"),
    "UTF-32": json.dumps({"grant_type": "client_credentials"}).encode("utf-32"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "10,000 members": json.dumps({f"p{number}": "" for number in range(3000)}).encode(),
    "repeated": b'{"grant_type":"a","grant_type":"b"}',
}


@both_databases
@pytest.mark.parametrize("name", BAD_JSON)
def test_json_of_the_token_endpoint(server: Server, tenant: Tenant, name: str) -> None:
    """RFC 8259 §8 and RFC 6749 §5.2: invalid_request, or an unknown application."""
    with server.stores_nothing():
        response = server.raw(
            "POST",
            tenant.url("oauth/token"),
            headers=[(b"content-type", JSON)],
            body=[BAD_JSON[name]],
        )
    if name in {"UTF-16", "UTF-32", "byte order mark"}:
        assert response.status_code in {400, 401}
    else:
        refused(response, 400, "invalid_request")


QUERIES: dict[str, bytes] = {
    "broken UTF-8": b"client_id=%ff",
    "lone surrogate": b"client_id=%ED%A0%80",
    "NUL": b"client_id=%00",
    "NUL in redirect_uri": b"client_id=CLIENT&redirect_uri=%00",
    "NUL in the handle": b"state=%00",
    "raw bytes": b"client_id=\xff",
    "10,000 parameters": b"&".join(b"p%d=" % number for number in range(2000)),
    "very long": b"client_id=" + b"a" * 20_000,
    "invalid percent-encoding": b"client_id=%zz&%&=&%=",
    "nothing but separators": b"&&&&====;;;",
    "handle too long": b"state=" + b"a" * 10_000,
}


@both_databases
@pytest.mark.parametrize("name", QUERIES)
def test_queries_of_every_page(server: Server, tenant: Tenant, name: str) -> None:
    """RFC 6749 §3.1: no page breaks on a query."""
    client = tenant.application()
    query = QUERIES[name].replace(b"CLIENT", client.id.encode())
    with server.stores_nothing():
        for endpoint in ("authorize", "u/login", "u/consent", "u/account", "u/confirm"):
            refused_here(endpoint, server.raw("GET", tenant.url(endpoint), query=query))
        for endpoint in ("oidc/logout", "v2/logout"):
            response = server.raw("GET", tenant.url(endpoint), query=query)
            assert "location" not in response.headers
        response = server.raw("GET", tenant.url("userinfo"), query=query)
        refused(response, response.status_code, response.json()["error"])
        for endpoint in ("oauth/token", "oauth/introspect", "oauth/revoke", "oauth/device/code"):
            response = server.raw("POST", tenant.url(endpoint), query=query)
            assert "query" in refused(response, 400, "invalid_request")


AFTER_THE_REDIRECT_URI: dict[str, bytes] = {
    "NUL in state": b"state=a%00b",
    "control character": b"nonce=%1b",
    "surrogate in state": b"state=%ED%A0%80",
    "too long": b"state=" + b"a" * 9_000,
}


@pytest.mark.parametrize("name", AFTER_THE_REDIRECT_URI)
def test_what_cannot_be_echoed_is_refused_on_a_page(
    server: Server, tenant: Tenant, name: str
) -> None:
    """RFC 6749 §4.1.2.1: a request that cannot be read is not answered by redirect."""
    client = tenant.application()
    query = f"client_id={client.id}&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback&"
    with server.stores_nothing():
        response = server.raw(
            "GET", tenant.url("authorize"), query=query.encode() + AFTER_THE_REDIRECT_URI[name]
        )
    refused_here("authorize", response)


METHODS = {
    "oauth/token": "POST",
    "oauth/introspect": "POST",
    "oauth/revoke": "POST",
    "oauth/device/code": "POST",
    "u/account": "GET, POST",
    "u/confirm": "GET, POST",
    "u/device": "GET, POST",
    "oidc/check_session": "GET",
    "userinfo": "GET, POST",
    ".well-known/jwks.json": "GET",
    ".well-known/openid-configuration": "GET",
    "authorize": "GET, POST",
    "u/login": "GET, POST",
    "u/consent": "GET, POST",
    "u/logout": "POST",
    "oidc/logout": "GET, POST",
    "v2/logout": "GET",
}


@pytest.mark.parametrize("endpoint", METHODS)
def test_wrong_methods(server: Server, tenant: Tenant, endpoint: str) -> None:
    """RFC 9110 §15.5.6: 405 with Allow; RFC 6749 §3.2: the token endpoint takes POST."""
    allowed = METHODS[endpoint].split(", ")
    with server.stores_nothing():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "FOO"} - {*allowed}:
            response = server.raw(method, tenant.url(endpoint))
            assert response.status_code == 405, method
            assert response.headers["allow"] == METHODS[endpoint]
            assert response.json()["error"] == "invalid_request"
        if "GET" not in allowed:
            assert server.raw("HEAD", tenant.url(endpoint)).status_code == 405


@both_databases
def test_odd_paths(server: Server, tenant: Tenant) -> None:
    """RFC 9110 §15.5.5: an address that names no tenant is not found, whatever is in it."""
    for path in (
        "/t/%00/authorize",
        "/t/%ff/authorize",
        "/t/%ED%A0%80/oauth/token",
        "/t/UPPER/authorize",
        "/t/a/authorize",
        f"/t/{'a' * 5000}/authorize",
        "/t/",
        "/t/root/",
        "/t",
        "/t//authorize",
        "/t//.well-known/openid-configuration",
        "/t/../authorize",
        "/.well-known/openid-configuration/t/%00",
        "/.well-known/oauth-authorization-server/t/",
        "/%00",
        f"/t/{tenant.name}/%00",
        f"/t/{tenant.name}//authorize",
        f"/t/{tenant.name}/authorize/",
        f"/t/{tenant.name}/AUTHORIZE",
        f"/t/{tenant.name}/t/{tenant.name}/authorize",
    ):
        response = server.raw("GET", f"{server.public_url}{path}")
        assert response.status_code == 404, path
        assert response.json() == {"error": "not_found"}


@both_databases
def test_odd_headers(server: Server, tenant: Tenant, browser: Browser) -> None:
    """RFC 9110 §5.5: bytes in cookies, languages and agents do no harm, and the log takes them."""
    client = tenant.application()
    asked = request_for(client)
    headers = [
        (b"cookie", f"tenantry_session_{tenant.id}=".encode() + b"\xff\xfe; a=\0"),
        (b"cookie", f"tenantry_browser_{tenant.id}={'x' * 5000}".encode()),
        (b"user-agent", b"\xff\xfe\x01" * 200),
        (b"x-request-id", b"\r\nforged"),
        (b"x-forwarded-for", b"not an address"),
        (b"accept", b"\xff"),
        (b"if-none-match", b"\xff"),
        (b"origin", b"\xff"),
    ]
    query = str(httpx2.QueryParams(asked.parameters | {"prompt": "none"})).encode()
    response = server.raw("GET", tenant.url("authorize"), query=query, headers=headers)
    assert "error=login_required" in response.headers["location"]
    (event,) = tenant.events("authorization.refused")
    assert len(event.user_agent) <= 256
    assert event.ip == "192.0.2.1"
    assert event.request_id == response.headers["x-request-id"] != "forged"
    keys = server.raw("GET", tenant.url(".well-known/jwks.json"), headers=headers)
    assert keys.status_code == 200


@both_databases
@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.parametrize("value", [b"%00", b"%ED%A0%80", b"%FF", b"a" * 9000, b""])
def test_what_is_typed_into_the_login_form(
    server: Server, tenant: Tenant, browser: Browser, field: str, value: bytes
) -> None:
    """RFC 6819 §5.1: a page, no fault, no session."""
    client: Client = tenant.application()
    tenant.user()
    page = authorize(browser, tenant, request_for(client).parameters)
    form = page.forms["login-form"]
    good = {"username": b"ann%40example.com", "password": b"wrong"} | {field: value}
    pairs = {"form_token": form.value("form_token").encode()} | good
    body = b"&".join(name.encode() + b"=" + text for name, text in pairs.items())
    with server.stores_nothing():
        response = browser.client.post(
            form.action, content=body, headers={"content-type": FORM.decode()}
        )
    assert response.status_code == 400
    assert "set-cookie" not in response.headers
    assert "code" in log_in(browser, page).answer


def test_odd_text_that_is_fine(server: Server, tenant: Tenant) -> None:
    """RFC 3629: characters beyond the first plane are text as any other."""
    client = tenant.application("non_interactive")
    tenant.api("https://api.example.com")
    tenant.grant(client, "https://api.example.com")
    response = tenant.token(
        client,
        grant_type="client_credentials",
        audience="https://api.example.com",
        foo="😀\u2028\u202e",
    )
    assert response.status_code == 200
    assert response.json()["scope"] == ""
