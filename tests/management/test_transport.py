"""What reaches the schema over HTTP, and what is refused before."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from graphql import get_introspection_query

from tenantry.core.errors import Overloaded
from tenantry.store import applications
from tests.support.management import Api, root_api, tenant_api
from tests.support.server import Server, Tenant

INTROSPECTION = get_introspection_query(input_value_deprecation=True)


def post(api: Api, body: bytes, content_type: str = "application/json") -> httpx2.Response:
    headers = {"authorization": f"Bearer {api.token}", "content-type": content_type}
    return api.tenant.server.client.post(api.url, content=body, headers=headers)


def code_of(response: httpx2.Response) -> str:
    """The code of the one error; nothing else is in the answer."""
    answer = response.json()
    assert set(answer) == {"errors"}
    (error,) = answer["errors"]
    return str(error["extensions"]["code"])


def test_a_browser_gets_the_explorer_without_signing_in(tenant: Tenant) -> None:
    response = tenant.server.client.get(tenant.url("graphql"), headers={"accept": "text/html,*/*"})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    policy = response.headers["content-security-policy"]
    assert "frame-ancestors 'self'" in policy
    assert "script-src 'self';" in policy
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "x-frame-options" not in response.headers


def test_the_explorer_offers_the_tenants_sign_in_and_that_of_operators(
    https_server: Server,
) -> None:
    def sign_ins(tenant: Tenant) -> list[dict[str, Any]]:
        page = https_server.client.get(tenant.url("graphql"), headers={"accept": "text/html"}).text
        config = page.partition('id="explorer-config">')[2].partition("</script>")[0]
        found: list[dict[str, Any]] = json.loads(config)["signIns"]
        return found

    tenant = https_server.tenant()
    own, operator = sign_ins(tenant)
    assert own["authorizeUrl"] == tenant.url("authorize")
    assert own["audience"] == own["redirectUri"] == tenant.url("graphql")
    assert operator["authorizeUrl"] == https_server.root.url("authorize")
    assert operator["issuer"] == https_server.root.issuer
    assert operator["audience"] == operator["redirectUri"] == tenant.url("graphql")
    assert "read:applications" in own["scope"].split()
    assert "read:tenants" not in own["scope"].split()
    (only,) = sign_ins(https_server.root)
    assert "create:tenants" in only["scope"].split()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_only_post_runs_operations(api: Api, method: str) -> None:
    """A link cannot change anything."""
    query = 'mutation { connectionCreate(input: {name: "new"}) { errors { code } } }'
    response = api.tenant.server.client.request(
        method,
        api.url,
        params={"query": query},
        headers={"authorization": f"Bearer {api.token}", "accept": "application/json"},
    )
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"
    assert code_of(response) == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json; charset=utf-16",
    ],
)
def test_other_bodies_than_json_are_refused(api: Api, content_type: str) -> None:
    response = post(api, b'{"query": "{ viewer { id } }"}', content_type)
    assert response.status_code == 415
    assert code_of(response) == "UNSUPPORTED_MEDIA_TYPE"


def test_a_charset_may_be_named(api: Api) -> None:
    body = b'{"query": "{ viewer { id } }"}'
    assert post(api, body, 'Application/JSON; charset="UTF-8"').status_code == 200


@pytest.mark.parametrize(
    "body, code",
    [
        (b"", "INVALID_JSON"),
        (b"{", "INVALID_JSON"),
        (b"\xff\xfe", "INVALID_JSON"),
        (b'{"query": "\xff"}', "INVALID_JSON"),
        (b'{"query": "{ viewer { id } }", "variables": {"a": NaN}}', "INVALID_JSON"),
        (b'{"query": ' + b"9" * 5000 + b"}", "INVALID_JSON"),
        (b"[" * 100_000, "INVALID_JSON"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "JSON_DEPTH"),
        (b'[{"query": "{ viewer { id } }"}]', "BATCH_REFUSED"),
        (b'"{ viewer { id } }"', "BAD_REQUEST"),
        (b"null", "BAD_REQUEST"),
        (b"{}", "BAD_REQUEST"),
        (b'{"query": 1}', "BAD_REQUEST"),
        (b'{"query": " "}', "BAD_REQUEST"),
        (b'{"query": "{ viewer { id } }", "variables": []}', "BAD_REQUEST"),
        (b'{"query": "{ viewer { id } }", "operationName": 1}', "BAD_REQUEST"),
        (b'{"query": "{ viewer { id } } \\u0000"}', "INVALID_TEXT"),
        (b'{"query": "{ viewer { id } }", "variables": {"a": ["\\u0000"]}}', "INVALID_TEXT"),
        (b'{"query": "{ viewer { id } }", "variables": {"a\\ud800": 1}}', "INVALID_TEXT"),
        (b'{"query": "{ viewer { id } }", "variables": {"a": "\\udfff"}}', "INVALID_TEXT"),
        (b'{"query": "{ node(id: \\"\\\\u0000\\") { id } }"}', "INVALID_TEXT"),
        (b'{"query": "#' + b"x" * 65536 + b'"}', "DOCUMENT_LIMIT"),
    ],
)
def test_malformed_bodies_are_refused(api: Api, body: bytes, code: str) -> None:
    """A clear refusal in the format of GraphQL, never a fault."""
    response = post(api, body)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert code_of(response) == code


def test_a_large_body_is_refused_whether_announced_or_not(api: Api) -> None:
    body = b'{"query": "{ viewer { id } }", "variables": {"a": "' + b"x" * 600_000 + b'"}}'
    assert post(api, body).status_code == 413
    response = api.tenant.server.raw(
        "POST",
        api.url,
        headers=[
            (b"authorization", f"Bearer {api.token}".encode()),
            (b"content-type", b"application/json"),
        ],
        body=[body[i : i + 65536] for i in range(0, len(body), 65536)],
    )
    assert response.status_code == 413
    assert code_of(response) == "BODY_TOO_LARGE"


def test_without_a_token_the_metadata_is_named(server: Server, https_server: Server) -> None:
    """RFC 9728 §5.1, with the path of a tenant moved behind the well-known one (§3.1)."""
    places = {
        server.root: "http://localhost:8000/.well-known/oauth-protected-resource/graphql",
        server.tenant("paths"): (
            "http://localhost:8000/.well-known/oauth-protected-resource/t/paths/graphql"
        ),
        https_server.tenant("hosts"): (
            "https://hosts.auth.example.com/.well-known/oauth-protected-resource/graphql"
        ),
    }
    for tenant, url in places.items():
        response = Api(tenant).post("{ viewer { id } }")
        assert response.status_code == 401
        offered = f'Bearer resource_metadata="{url}", DPoP algs="ES256 PS256 EdDSA"'
        assert response.headers["www-authenticate"] == offered
        assert code_of(response) == "UNAUTHENTICATED"
        metadata = tenant.server.client.get(url).json()
        assert metadata["resource"] == tenant.url("graphql")


@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Bearer x.y.z", "Basic eDp5", "DPoP x", ""])
def test_a_bad_token_is_said_to_be_one(tenant: Tenant, value: str) -> None:
    response = tenant.server.client.post(
        tenant.url("graphql"),
        json={"query": "{ viewer { id } }"},
        headers={"authorization": value},
    )
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]
    assert code_of(response) == "UNAUTHENTICATED"


def test_a_token_in_the_query_is_not_read(api: Api) -> None:
    response = api.tenant.server.client.post(
        api.url, params={"access_token": api.token}, json={"query": "{ viewer { id } }"}
    )
    assert response.status_code == 401


def test_anybody_may_introspect_in_development_and_do_nothing_else(tenant: Tenant) -> None:
    anonymous = Api(tenant)
    assert anonymous.data(INTROSPECTION)["__schema"]["queryType"]["name"] == "Query"
    fragment = '{ ...A } fragment A on Query { __type(name: "User") { name } ... { __typename } }'
    assert anonymous.data(fragment)["__type"] == {"name": "User"}
    for query in (
        "{ __typename viewer { id } }",
        "{ ...A } fragment A on Query { __typename viewer { id } }",
        "mutation { __typename }",
        "{ nonsense }",
        "{",
    ):
        assert anonymous.post(query).status_code == 401


def test_introspection_needs_a_token_in_production(https_server: Server) -> None:
    tenant = https_server.tenant()
    assert Api(tenant).post(INTROSPECTION).status_code == 401
    assert root_api(tenant).data(INTROSPECTION)["__schema"]


def test_introspection_needs_a_token_outside_development(server: Server) -> None:
    """The tenant's environment says what it is used for, wherever the server runs."""
    for environment in ("STAGING", "PRODUCTION"):
        tenant = server.tenant()
        assert Api(tenant).data(INTROSPECTION)["__schema"]
        api = root_api(tenant)
        api.do("tenantUpdate", "__typename", {"environment": environment})
        assert Api(tenant).post(INTROSPECTION).status_code == 401
        assert api.data(INTROSPECTION)["__schema"]
        page = server.client.get(tenant.url("graphql"), headers={"accept": "text/html"}).text
        assert '"introspectAnonymously":false' in page


def test_request_errors_have_the_status_of_their_media_type(api: Api) -> None:
    """An answer that never was data is 400 for clients that know the newer media type."""
    newer = api.sending(accept="application/graphql-response+json")
    for query, failing in (("{ viewer { id } }", 200), ("{ nonsense }", 400), ("{", 400)):
        assert api.post(query).status_code == 200
        response = newer.post(query)
        assert response.status_code == failing
        assert response.headers["content-type"].startswith("application/graphql-response+json")
    assert "data" not in api.post("{ nonsense }").json()


def test_the_operation_is_chosen_by_name(api: Api) -> None:
    query = "query A { a: __typename } query B { b: __typename }"
    assert api.send({"query": query, "operationName": "B"}).json()["data"] == {"b": "Query"}
    assert code_of(api.send({"query": query})) == "BAD_REQUEST"
    assert code_of(api.send({"query": query, "operationName": "C"})) == "BAD_REQUEST"


def test_variables_of_the_wrong_type_are_a_request_error(api: Api) -> None:
    query = "query($n: Int) { applications(first: $n) { totalCount } }"
    values: list[Any] = ["10", [], {}, 1.5, True, 2**40]
    for value in values:
        answer = api.answer(query, n=value)
        assert "data" not in answer
        assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_a_fault_is_masked_and_logged(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Errors carry no stack and no SQL; the other fields still answer."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("SELECT secret FROM applications")

    monkeypatch.setattr(applications, "page", broken)
    response = api.post("{ viewer { kind } applications(first: 1) { totalCount } }")
    assert response.status_code == 200
    answer = response.json()
    assert answer["data"] == {"viewer": {"kind": "APPLICATION"}, "applications": None}
    (error,) = answer["errors"]
    assert error["message"] == "Internal error"
    assert error["path"] == ["applications"]
    correlation_id = error["extensions"]["correlationId"]
    assert error["extensions"] == {"code": "INTERNAL", "correlationId": correlation_id}
    assert response.headers["x-request-id"] == correlation_id
    assert "SELECT" not in response.text
    assert "SELECT secret" in caplog.text
    assert correlation_id in caplog.text


def test_a_full_queue_is_said_with_503(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def overloaded(*_: object, **__: object) -> None:
        raise Overloaded(7)

    monkeypatch.setattr(applications, "page", overloaded)
    with pytest.raises(AssertionError, match="OVERLOADED"):
        api.post("{ applications(first: 1) { totalCount } }")


def test_origins_of_the_acting_application_may_read_the_answer(tenant: Tenant) -> None:
    """Its own lists decide, not those of other applications."""
    listed, elsewhere = "https://console.example.com", "https://elsewhere.example.com"
    tenant.application("spa", allowed_origins=(elsewhere,))
    api = tenant_api(tenant, "read:users", allowed_origins=(listed,))
    answers = {
        origin: api.sending(origin=origin).post("{ viewer { id } }").headers
        for origin in (listed, elsewhere)
    }
    assert answers[listed]["access-control-allow-origin"] == listed
    assert "access-control-allow-origin" not in answers[elsewhere]
