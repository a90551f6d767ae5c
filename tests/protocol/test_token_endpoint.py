"""RFC 6749 §2.3, §3.2 and §5: who asks at the token endpoint, and how it answers."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote_plus

import pytest

from tenantry.oauth.grants import GRANTS
from tests.support.browser import Browser
from tests.support.flow import refused, sign_in
from tests.support.server import Server, Tenant, both_databases

API = "https://api.example.com"
GRANT = {"grant_type": "client_credentials", "audience": API}


def basic(client_id: str, secret: str) -> bytes:
    return b"Basic " + base64.b64encode(f"{client_id}:{secret}".encode())


@pytest.fixture
def machine(tenant: Tenant) -> Any:
    client = tenant.application("non_interactive")
    tenant.api(API, "read")
    tenant.grant(client, API, "read")
    return client


def test_the_ways_to_send_a_secret_are_one_kind(tenant: Tenant, machine: Any) -> None:
    """OpenID Connect Core §9: Basic, body and JSON, whichever of them is registered."""
    post = tenant.server.client.post
    url = tenant.url("oauth/token")
    named = {"client_id": machine.id, "client_secret": machine.secret}
    for method in ("client_secret_post", "client_secret_basic"):
        client = tenant.change_application(machine, token_endpoint_auth_method=method)
        assert client.secret == machine.secret
        answers = [
            post(url, data=GRANT | named),
            post(url, data=GRANT, auth=machine.basic),
            post(url, data=GRANT | {"client_id": machine.id}, auth=machine.basic),
            post(url, json=GRANT | named),
            post(url, json=GRANT, auth=machine.basic),
        ]
        assert [answer.status_code for answer in answers] == [200] * 5


def test_a_secret_may_be_form_encoded_in_basic(tenant: Tenant) -> None:
    """RFC 6749 §2.3.1: form-encoded by the letter, and as it is by custom."""
    secret = "a+b/c%d=e:f&g" * 3
    client = tenant.application("non_interactive", secret)
    tenant.api(API, "read")
    tenant.grant(client, API, "read")
    for text in (secret, quote_plus(secret)):
        headers = {"authorization": basic(client.id, text).decode()}
        response = tenant.server.client.post(tenant.url("oauth/token"), data=GRANT, headers=headers)
        assert response.status_code == 200, text


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"client_id": "nobody"},
        {"client_id": "nobody", "client_secret": "x" * 43},
        {"client_id": "CLIENT"},
        {"client_id": "CLIENT", "client_secret": ""},
        {"client_id": "CLIENT", "client_secret": "wrong"},
        {"client_id": "CLIENT", "client_secret": "SECRET "},
        {"client_secret": "SECRET"},
        {
            "client_id": "CLIENT",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": "e30.e30.e30",
        },
    ],
)
def test_no_or_wrong_client_authentication(
    server: Server, tenant: Tenant, machine: Any, fields: dict[str, str]
) -> None:
    """RFC 6749 §5.2: 401 invalid_client with a Basic challenge, and one text for all."""
    words = {"CLIENT": machine.id, "SECRET": machine.secret, "SECRET ": f"{machine.secret} "}
    given = {name: words.get(value, value) for name, value in fields.items()}
    with server.stores_nothing():
        response = server.client.post(tenant.url("oauth/token"), data=GRANT | given)
    description = refused(response, 401, "invalid_client")
    assert description == "The application could not be authenticated."
    assert response.headers["www-authenticate"].startswith("Basic realm=")


BROKEN_BASIC = {
    "another scheme": b"Bearer abc",
    "no credentials": b"Basic",
    "not base64": b"Basic !!!!",
    "not UTF-8": b"Basic " + base64.b64encode(b"\xff\xfe:\xff"),
    "no colon": b"Basic " + base64.b64encode(b"client"),
    "no client": b"Basic " + base64.b64encode(b":secret"),
    "NUL": b"Basic " + base64.b64encode(b"cli\0ent:secret"),
    "encoded NUL": b"Basic " + base64.b64encode(b"cli%00ent:secret"),
    "encoded broken UTF-8": b"Basic " + base64.b64encode(b"cli%ff:%ff%00"),
    "encoded surrogate": b"Basic " + base64.b64encode(b"cli%ed%a0%80:%ed%a0%80"),
    "control characters": b"Basic " + base64.b64encode(b"cli%01%0d%0aent:secret"),
    "odd bytes": b"Basic \xff\xfe",
    "very long": b"Basic " + base64.b64encode(b"a" * 60_000 + b":b"),
}


@both_databases
@pytest.mark.parametrize("name", BROKEN_BASIC)
def test_broken_basic_credentials(server: Server, tenant: Tenant, name: str) -> None:
    """RFC 7617 §2: 401, whatever the bytes are."""
    headers = [
        (b"authorization", BROKEN_BASIC[name]),
        (b"content-type", b"application/x-www-form-urlencoded"),
    ]
    with server.stores_nothing():
        response = server.raw(
            "POST",
            tenant.url("oauth/token"),
            headers=headers,
            body=[b"grant_type=client_credentials"],
        )
    refused(response, 401, "invalid_client")
    assert "Basic" in response.headers["www-authenticate"]


def test_two_ways_at_once(server: Server, tenant: Tenant, machine: Any) -> None:
    """RFC 6749 §2.3: "MUST NOT use more than one authentication method"."""
    other = tenant.application("non_interactive", name="Other")
    post, url = server.client.post, tenant.url("oauth/token")
    with server.stores_nothing():
        both = post(url, data=GRANT | machine.body, auth=machine.basic)
        refused(both, 400, "invalid_request")
        mixed = post(url, data=GRANT | {"client_id": other.id}, auth=machine.basic)
        assert "client_id" in refused(mixed, 400, "invalid_request")
        assertion = {"client_assertion": "e30.e30.e30", "client_assertion_type": "x"}
        refused(post(url, data=GRANT | assertion, auth=machine.basic), 400, "invalid_request")


@pytest.mark.parametrize("way", ["body", "basic", "json"])
def test_a_secret_where_the_method_is_none(server: Server, tenant: Tenant, way: str) -> None:
    """RFC 7591 §2: `none` has no secret; one that was dropped is not accepted either."""
    confidential = tenant.application()
    secret = confidential.secret
    public = tenant.change_application(confidential, token_endpoint_auth_method="none",
                                       grant_types=("authorization_code",))  # fmt: skip
    fields = {"grant_type": "authorization_code", "code": "x" * 43}
    named = {"client_id": public.id, "client_secret": secret}
    url = tenant.url("oauth/token")
    with server.stores_nothing():
        if way == "body":
            response = server.client.post(url, data=fields | named)
        elif way == "json":
            response = server.client.post(url, json=fields | named)
        else:
            response = server.client.post(url, data=fields, auth=(public.id, secret))
        refused(response, 401, "invalid_client")


def test_a_public_application_cannot_use_client_credentials(server: Server, tenant: Tenant) -> None:
    """RFC 6749 §4.4: "MUST only be used by confidential clients"."""
    public = tenant.application("spa")
    with server.stores_nothing():
        response = tenant.token(public, **GRANT)
        assert "client_credentials" in refused(response, 400, "unauthorized_client")


def test_grant_types(server: Server, tenant: Tenant, machine: Any) -> None:
    """RFC 6749 §5.2: missing, unknown, known but not allowed."""
    with server.stores_nothing():
        assert "grant_type" in refused(tenant.token(machine), 400, "invalid_request")
        for grant_type in ("implicit", "Client_Credentials", "x" * 5000, "ü"):
            response = tenant.token(machine, grant_type=grant_type)
            assert "grant_type" in refused(response, 400, "unsupported_grant_type")
        for known in GRANTS:
            if known != "client_credentials":
                response = tenant.token(machine, grant_type=known)
                assert known in refused(response, 400, "unauthorized_client")


@pytest.mark.parametrize("name", ["grant_type", "client_id", "client_secret", "scope", "audience"])
def test_repeated_parameter(server: Server, tenant: Tenant, machine: Any, name: str) -> None:
    """RFC 6749 §3.2: "MUST NOT be included more than once", in a form and in JSON."""
    pairs = [*(GRANT | machine.body | {"scope": "read"}).items()]
    value = dict(pairs)[name]
    url = tenant.url("oauth/token")
    form = "&".join(f"{key}={text}" for key, text in [*pairs, (name, value)])
    json = ",".join(f'"{key}":"{text}"' for key, text in [*pairs, (name, value)])
    with server.stores_nothing():
        for content, media_type in (
            (form, "application/x-www-form-urlencoded"),
            (f"{{{json}}}", "application/json"),
        ):
            headers = {"content-type": media_type}
            response = server.client.post(url, content=content, headers=headers)
            assert name in refused(response, 400, "invalid_request")


def test_repeated_resource(server: Server, tenant: Tenant, machine: Any) -> None:
    """RFC 8707 §2: `resource` may repeat, but a token here is for one of them."""
    url = tenant.url("oauth/token")
    fields = {"grant_type": "client_credentials", "resource": [API, f"{API}/2"]} | machine.body
    with server.stores_nothing():
        refused(server.client.post(url, data=fields), 400, "invalid_target")
        refused(server.client.post(url, json=fields), 400, "invalid_target")
    answer = server.client.post(url, data=fields | {"resource": API})
    assert answer.status_code == 200


def test_an_empty_parameter_is_absent(tenant: Tenant, machine: Any) -> None:
    """RFC 6749 §3.2: "Parameters sent without a value MUST be treated as if they were omitted"."""
    fields = GRANT | {"scope": "", "resource": "", "client_assertion": "", "foo": ""}
    response = tenant.token(machine, **fields)
    assert response.json()["scope"] == "read"


def test_parameters_in_the_query(server: Server, tenant: Tenant, machine: Any) -> None:
    """RFC 6749 §2.3.1: "MUST NOT be included in the request URI"."""
    with server.stores_nothing():
        for query in (GRANT | machine.body, {"foo": "bar"}):
            response = server.client.post(
                tenant.url("oauth/token"), params=query, data=GRANT | machine.body
            )
            assert "query" in refused(response, 400, "invalid_request")


def test_success_and_refusal_are_not_cached(tenant: Tenant, machine: Any) -> None:
    """RFC 6749 §5.1: Cache-Control: no-store and Pragma: no-cache."""
    answers = [tenant.token(machine, **GRANT), tenant.token(machine, grant_type="x")]
    assert [answer.status_code for answer in answers] == [200, 400]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["pragma"] == "no-cache"
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_refusals_are_audited_without_secrets(tenant: Tenant, machine: Any) -> None:
    """RFC 9700 §2.1 practice: the log names the application and the error, never a secret."""
    tenant.token(machine, grant_type="client_credentials", audience=API, scope="write")
    wrong = tenant.server.client.post(
        tenant.url("oauth/token"), data=GRANT | {"client_id": machine.id, "client_secret": "guess"}
    )
    assert wrong.status_code == 401
    events = tenant.events("token.refused")
    assert [event.client_id for event in events] == [machine.id, machine.id]
    assert {event.details["error"] for event in events} == {"invalid_scope", "invalid_client"}
    assert "guess" not in str(events)
    assert machine.secret not in str(events)


def test_no_answer_about_tokens_is_cached(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §5.1, RFC 7009 §2.2, RFC 7662 §2.2: also beside the token endpoint."""
    client = tenant.application()
    tenant.user()
    tokens = sign_in(browser, tenant, client).tokens()
    post, token = tenant.server.client.post, {"token": tokens["access_token"]}
    answers = [
        post(tenant.url("oauth/introspect"), data=client.body | token),
        post(tenant.url("oauth/introspect"), data=token),
        tenant.userinfo(tokens["access_token"]),
        tenant.userinfo("x"),
        post(tenant.url("oauth/revoke"), data=client.body | token),
        post(tenant.url("oauth/revoke"), data=token),
        post(tenant.url("oauth/device/code"), data=client.body),
    ]
    assert [answer.status_code for answer in answers] == [200, 401, 200, 401, 200, 401, 400]
    for answer in answers:
        assert "no-store" in answer.headers["cache-control"], answer.url
