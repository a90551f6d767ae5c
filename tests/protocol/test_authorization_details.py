"""RFC 9396: rich authorization requests, from the push to the token."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tenantry.core.authorization_details import AuthorizationDetailsType, ConsentPolicy
from tenantry.core.facts import (
    AccessPolicy,
    EncryptionFormat,
    GrantType,
    KeyEncryptionAlgorithm,
    NewTokenEncryption,
    ResourceParameterProfile,
    SubjectType,
)
from tenantry.services import resource_servers
from tenantry.services.commands import Patch
from tests.support import jwe, jwt
from tests.support.browser import Browser, Page
from tests.support.client_keys import public_jwk, rsa_key, signed
from tests.support.flow import Granted, authorize, log_in, refused, request_for
from tests.support.pushing import follow, push, pushed, sign_in_pushed
from tests.support.server import Client, Server, Tenant, both_databases

API = "https://payments.example.com"
PAYMENT: dict[str, Any] = {
    "type": "payment_initiation",
    "locations": [API],
    "actions": ["initiate", "status", "cancel"],
    "instructedAmount": {"currency": "EUR", "amount": "123.50"},
    "creditorName": "Merchant A",
}
TYPES = ("payment_initiation", "account_information")
SCOPE = "openid pay offline_access"


def api(tenant: Tenant, *types: str, identifier: str = API, **values: Any) -> Any:
    given: dict[str, Any] = {
        "authorization_details": tuple(_type(name) for name in types or TYPES),
        "allow_offline_access": True,
    }
    return tenant.api(identifier, "pay", **given | values)


def _type(name: str) -> AuthorizationDetailsType:
    return AuthorizationDetailsType(name)


def text(*details: Any) -> str:
    return json.dumps(list(details))


def asking(*details: Any, **changes: str | None) -> dict[str, str | None]:
    return {
        "audience": API,
        "scope": SCOPE,
        "authorization_details": text(*details or (PAYMENT,)),
        **changes,
    }


@pytest.fixture
def client(tenant: Tenant) -> Client:
    tenant.user()
    return tenant.application()


def consent_page(browser: Browser, tenant: Tenant, client: Client, **changes: str | None) -> Page:
    reference = pushed(tenant, client, request_for(client, **asking() | changes).parameters)
    page = follow(browser, tenant, client, reference)
    return log_in(browser, page) if page.title == "Log in" else page


def introspected(tenant: Tenant, client: Client, token: str) -> dict[str, Any]:
    url = tenant.url("oauth/introspect")
    answer: dict[str, Any] = tenant.server.client.post(
        url, data=client.body | {"token": token}
    ).json()
    return answer


@both_databases
def test_what_is_asked_for_is_granted(
    server: Server, tenant: Tenant, client: Client, browser: Browser
) -> None:
    """§2, §7, §9.1 and §9.2: in the token response, in the token, at introspection, refreshed."""
    api(tenant)
    other = {"type": "account_information", "accounts": ["DE02", {"iban": "DE03"}], "live": True}
    granted = sign_in_pushed(browser, tenant, client, **asking(PAYMENT, other))
    tokens = granted.tokens()
    assert tokens["authorization_details"] == [PAYMENT, other]
    assert jwt.claims_of(tokens["access_token"])["authorization_details"] == [PAYMENT, other]
    for token in (tokens["access_token"], tokens["refresh_token"]):
        found = introspected(tenant, client, token)
        assert found["active"]
        assert found["authorization_details"] == [PAYMENT, other]
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    again = tenant.token(client, **refresh).json()
    assert again["authorization_details"] == [PAYMENT, other]
    assert jwt.claims_of(again["access_token"])["authorization_details"] == [PAYMENT, other]


@both_databases
def test_what_an_encrypted_token_grants_is_known_at_introspection(
    tenant: Tenant, client: Client, browser: Browser
) -> None:
    """§9.2: the API reads the token itself or asks; nobody else can read what was granted."""
    key = NewTokenEncryption(
        format=EncryptionFormat.COMPACT_NESTED_JWE,
        name="The key",
        alg=KeyEncryptionAlgorithm.RSA_OAEP_256,
        kid="k1",
        pem=jwe.public_pem(rsa_key()),
    )
    api(tenant, token_encryption=key)
    tokens = sign_in_pushed(browser, tenant, client, **asking()).tokens()
    _, inner = jwe.opened(tokens["access_token"], rsa_key())
    assert jwt.claims_of(inner)["authorization_details"] == [PAYMENT]
    itself = tenant.application("non_interactive", name="The API itself")
    assert introspected(tenant, itself, tokens["access_token"]) == {"active": False}
    tenant.grant(itself, API)
    for asker in (client, itself):
        found = introspected(tenant, asker, tokens["access_token"])
        assert found["authorization_details"] == [PAYMENT]
        assert (found["aud"], found["scope"]) == (API, SCOPE)
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    again = tenant.token(client, **refresh).json()
    assert introspected(tenant, itself, again["access_token"])["authorization_details"] == [PAYMENT]


def test_what_several_apis_share_is_known_at_introspection(
    tenant: Tenant, client: Client, browser: Browser
) -> None:
    """§9.2 with RFC 8707 §2: by each API, and of the refresh token with both names."""
    tenant.change(resource_parameter_profile=ResourceParameterProfile.SEVERAL)
    other = "https://other.example.com"
    api(tenant)
    api(tenant, identifier=other)
    asked = request_for(client, scope=SCOPE, authorization_details=text(PAYMENT))
    pushing = {**asked.parameters, **client.body, "resource": [API, other]}
    response = tenant.server.client.post(tenant.url("oauth/par"), data=pushing)
    page = log_in(browser, follow(browser, tenant, client, response.json()["request_uri"]))
    answer = browser.submit(page, "consent-form", press="consent-allow").answer
    tokens = Granted(tenant, client, asked, answer).tokens()
    for audience in (API, other):
        itself = tenant.application("non_interactive", name=audience)
        tenant.grant(itself, audience)
        found = introspected(tenant, itself, tokens["access_token"])
        assert found["authorization_details"] == [PAYMENT]
    found = introspected(tenant, client, tokens["refresh_token"])
    assert set(found["aud"]) == {API, other}
    assert found["authorization_details"] == [PAYMENT]


def test_without_details_nothing_is_said_of_them(
    tenant: Tenant, client: Client, browser: Browser
) -> None:
    """§7 and §9: the member is there where something was granted."""
    api(tenant)
    tokens = sign_in_pushed(browser, tenant, client, audience=API, scope=SCOPE).tokens()
    assert "authorization_details" not in tokens
    assert "authorization_details" not in jwt.claims_of(tokens["access_token"])
    assert "authorization_details" not in introspected(tenant, client, tokens["refresh_token"])


def nested(levels: int) -> dict[str, Any]:
    """An entry whose objects go so deep, itself counted."""
    value: dict[str, Any] = {"leaf": 1}
    for _ in range(levels - 2):
        value = {"inner": value}
    return {"type": TYPES[0], "inner": value}


GOOD = {
    "5,120 bytes": text(PAYMENT) + " " * (5120 - len(text(PAYMENT))),
    "5 entries": text(*({"type": TYPES[0], "number": n} for n in range(5))),
    "10 properties": text({"type": TYPES[0]} | {f"p{n}": n for n in range(9)}),
    "a name of 255": text({"type": TYPES[0], "n" * 255: 1}),
    "a value of 255": text({"type": TYPES[0], "value": "€" * 255}),
    "5 levels": text(nested(5)),
    "every character of a name": text({"type": TYPES[0], "azAZ09_.-": "x"}),
    "unknown members": text({"type": TYPES[0], "anything": None, "list": [1, 2.5, False]}),
}


@pytest.mark.parametrize("name", GOOD)
def test_within_the_ten_rules(tenant: Tenant, client: Client, name: str) -> None:
    """§2: what is just within the bounds is taken."""
    api(tenant)
    asked = request_for(client, **asking(authorization_details=GOOD[name]))
    assert push(tenant, client, asked.parameters).status_code == 201


BAD = {
    "more than 5 KB": text(PAYMENT) + " " * (5121 - len(text(PAYMENT))),
    "more than 5 KB in bytes": json.dumps(
        [{"type": TYPES[0]} | {f"p{n}": "€" * 250 for n in range(8)}], ensure_ascii=False
    ),
    "no JSON": "[{'type': 'payment_initiation'}]",
    "cut off": text(PAYMENT)[:-1],
    "NaN": '[{"type": "payment_initiation", "amount": NaN}]',
    "no finite number": '[{"type": "payment_initiation", "amount": 1e999}]',
    "a name twice": '[{"type": "payment_initiation", "amount": 1, "amount": 1000}]',
    "deep brackets": "[" * 5000,
    "an object": json.dumps(PAYMENT),
    "an array of texts": '["payment_initiation"]',
    "an array in it": text([PAYMENT]),
    "an empty array": "[]",
    "6 entries": text(*({"type": TYPES[0]} for _ in range(6))),
    "no type": text({"actions": ["read"]}),
    "an empty type": text({"type": ""}),
    "a type that is no text": text({"type": ["payment_initiation"]}),
    "an unknown type": text(PAYMENT, {"type": "unknown"}),
    "a type in another case": text({"type": "Payment_Initiation"}),
    "11 properties": text({"type": TYPES[0]} | {f"p{n}": n for n in range(10)}),
    "11 properties inside": text({"type": TYPES[0], "in": {f"p{n}": n for n in range(11)}}),
    "a name of 256": text({"type": TYPES[0], "n" * 256: 1}),
    "a value of 256": text({"type": TYPES[0], "value": "x" * 256}),
    "a number of 256": f'[{{"type": "payment_initiation", "value": {"9" * 256}}}]',
    "a value of 256 in a list": text({"type": TYPES[0], "values": ["x" * 256]}),
    "6 levels": text(nested(6)),
    "6 levels of lists": text({"type": TYPES[0], "in": [[[[[[1]]]]]]}),
    "a name with a space": text({"type": TYPES[0], "a b": 1}),
    "a name with an umlaut": text({"type": TYPES[0], "betr\u00e4ge": 1}),
    "an empty name": text({"type": TYPES[0], "": 1}),
    "half a character": '[{"type": "payment_initiation", "value": "\\ud800"}]',
    "NUL": '[{"type": "payment_initiation", "value": "\\u0000"}]',
}


@pytest.mark.parametrize("name", BAD)
def test_outside_of_the_ten_rules(tenant: Tenant, client: Client, name: str) -> None:
    """§5: `invalid_authorization_details`, where the request is pushed."""
    api(tenant)
    asked = request_for(client, **asking(authorization_details=BAD[name]))
    with tenant.server.stores_nothing():
        said = refused(push(tenant, client, asked.parameters), 400, "invalid_authorization_details")
    assert "authorization_details" in said


def test_refused_at_the_redirect_uri(tenant: Tenant, client: Client, browser: Browser) -> None:
    """§5: in the authorization error response, where the API takes requests of browsers."""
    api(tenant, require_pushed_authorization_details=False)
    for bad in ("[", text({"type": "unknown"})):
        asked = request_for(client, **asking(authorization_details=bad))
        answer = authorize(browser, tenant, asked.parameters).answer
        assert answer["error"] == "invalid_authorization_details"
        assert answer["state"] == asked.state


def test_only_pushed(tenant: Tenant, client: Client, browser: Browser) -> None:
    """§12: what nobody signed may be changed on its way; the API may take it all the same."""
    found = api(tenant)
    asked = request_for(client, **asking())
    assert authorize(browser, tenant, asked.parameters).answer["error"] == "invalid_request"
    change = Patch(found.id, {"require_pushed_authorization_details": False})
    tenant.write(resource_servers.update, change)
    assert authorize(browser, tenant, asked.parameters).title == "Log in"


def test_in_a_signed_request_object(tenant: Tenant, browser: Browser) -> None:
    """§3 and RFC 9101 §4: an array inside of the JWT is the parameter."""
    tenant.user()
    api(tenant, require_pushed_authorization_details=False)
    client = tenant.application(jwks={"keys": [public_jwk(rsa_key())]})
    asked = request_for(client, **asking())
    now = int(tenant.server.clock.now().timestamp())
    claims: dict[str, Any] = {
        **asked.parameters,
        "authorization_details": [PAYMENT],
        "iss": client.id,
        "aud": tenant.issuer,
        "exp": now + 60,
    }
    request = {"client_id": client.id, "request": signed(claims, rsa_key(), kid="k1")}
    page = log_in(browser, authorize(browser, tenant, request))
    assert page.title == "Allow access"
    answer = browser.submit(page, "consent-form", press="consent-allow").answer
    tokens = Granted(tenant, client, asked, answer).tokens()
    assert tokens["authorization_details"] == [PAYMENT]
    # The same inside of what is pushed.
    response = push(tenant, client, request)
    assert response.status_code == 201, response.text


@pytest.mark.parametrize("response_type", ["code token", "id_token token", "code id_token token"])
def test_not_where_a_token_is_in_the_url(tenant: Tenant, response_type: str) -> None:
    """§13: granted details are not sent through browsers."""
    api(tenant)
    client = tenant.application(grant_types=(GrantType.AUTHORIZATION_CODE, GrantType.IMPLICIT))
    asked = request_for(client, **asking(response_type=response_type))
    said = refused(push(tenant, client, asked.parameters), 400, "invalid_request")
    assert "authorization_details" in said


def test_no_api_no_types(tenant: Tenant, client: Client) -> None:
    """§5: types belong to an API, so that one must be meant."""
    api(tenant)
    asked = request_for(client, **asking(audience=None))
    refused(push(tenant, client, asked.parameters), 400, "invalid_authorization_details")


@pytest.mark.parametrize(
    "policy, types, allowed",
    [
        (AccessPolicy.ALLOW_ALL, None, True),
        (AccessPolicy.REQUIRE_CLIENT_GRANT, ("payment_initiation",), True),
        (AccessPolicy.REQUIRE_CLIENT_GRANT, ("account_information",), False),
        (AccessPolicy.REQUIRE_CLIENT_GRANT, (), False),
        (AccessPolicy.DENY_ALL, None, False),
    ],
)
def test_what_the_access_policy_gives(
    tenant: Tenant,
    client: Client,
    policy: AccessPolicy,
    types: tuple[str, ...] | None,
    allowed: bool,
) -> None:
    """§5 and §10: all types, those of the client grant, or none."""
    api(tenant, user_access_policy=policy)
    if types is not None:
        tenant.grant(
            client,
            API,
            "pay",
            subject_type=SubjectType.USER,
            allow_all_scopes=True,
            authorization_details_types=types,
        )
    response = push(tenant, client, request_for(client, **asking()).parameters)
    if allowed:
        assert response.status_code == 201
    elif policy is AccessPolicy.DENY_ALL:
        refused(response, 403, "access_denied")
    else:
        refused(response, 400, "invalid_authorization_details")


def test_what_the_application_has_registered(tenant: Tenant, client: Client) -> None:
    """§10: `authorization_details_types` of the application."""
    api(tenant)
    parameters = request_for(client, **asking()).parameters
    tenant.change_application(client, authorization_details_types=("account_information",))
    refused(push(tenant, client, parameters), 400, "invalid_authorization_details")
    tenant.change_application(client, authorization_details_types=TYPES)
    assert push(tenant, client, parameters).status_code == 201


def test_a_person_is_asked_each_time(tenant: Tenant, client: Client, browser: Browser) -> None:
    """§12: what was allowed once says nothing of the next time, for first parties neither."""
    api(tenant, skip_consent_for_first_party=True)
    for _ in range(2):
        page = consent_page(browser, tenant, client)
        assert page.title == "Allow access"
        assert "code" in browser.submit(page, "consent-form", press="consent-allow").answer
    silent = request_for(client, **asking(prompt="none"))
    page = follow(browser, tenant, client, pushed(tenant, client, silent.parameters))
    assert page.answer["error"] == "consent_required"


def test_a_person_refuses(tenant: Tenant, client: Client, browser: Browser) -> None:
    """§5 and RFC 6749 §4.1.2.1: `access_denied`, and the log knows of what."""
    api(tenant)
    page = consent_page(browser, tenant, client)
    assert browser.submit(page, "consent-form", press="consent-deny").answer["error"] == (
        "access_denied"
    )
    event = tenant.events("authorization.refused")[0]
    assert event.details["authorization_details"] == [PAYMENT]


def test_the_page_lists_everything(tenant: Tenant, client: Client, browser: Browser) -> None:
    """§12 and RFC 6819 §5.2.3.2: each value, escaped, as it is asked for."""
    api(tenant)
    odd = {
        "type": TYPES[1],
        "note": "<script>alert(1)</script>\u202egnp",
        "a": {"b": [{"c": True}]},
    }
    page = consent_page(browser, tenant, client, authorization_details=text(PAYMENT, odd))
    for shown in (
        "payment_initiation",
        "actions: initiate, status, cancel",
        "instructedAmount.amount: 123.50",
        "creditorName: Merchant A",
        "note: &lt;script&gt;alert(1)&lt;/script&gt;gnp",
        "a.b.1.c: yes",
    ):
        assert shown in page.response.text, shown
    assert "<script>alert" not in page.response.text


TEMPLATE = """
<h3>Payment</h3>
{% for detail in transaction.params.authorization_details %}
<p onclick="alert(1)">{{ detail.instructedAmount.amount }} {{ detail.instructedAmount.currency }}
to <strong>{{ detail.creditorName }}</strong></p>
{% endfor %}
<form action="https://evil.example"><input name="x"></form>
<a href="https://evil.example">here</a><img src="https://evil.example/p.png">
<style>#consent-deny { display: none }</style><script>alert(2)</script>
"""


def test_the_template_of_the_tenant(tenant: Tenant, client: Client, browser: Browser) -> None:
    """§12: in the tenant's words, with values that stay text and markup that does nothing."""
    api(tenant)
    tenant.change(customized_consent_template=TEMPLATE)
    evil = PAYMENT | {"creditorName": "<b>{{ user.name }}</b>{% raw %}"}
    page = consent_page(browser, tenant, client, authorization_details=text(evil))
    assert "<h3>Payment</h3>" in page.response.text
    assert "<p>123.50 EUR\nto <strong>&lt;b&gt;{{ user.name }}&lt;/b&gt;{% raw %}</strong>" in (
        page.response.text
    )
    for gone in ("evil.example", "onclick", "alert", "display: none", '<input name="x"'):
        assert gone not in page.response.text, gone
    assert "Everything that is asked for" in page.response.text
    assert "instructedAmount.amount: 123.50" in page.response.text


def test_a_template_that_fails_leaves_the_list(
    tenant: Tenant, client: Client, browser: Browser
) -> None:
    """§12: a person sees what they allow, whatever the template does with it."""
    api(tenant)
    loops = "{% for a in transaction.params.authorization_details %}" * 5
    tenant.change(customized_consent_template=f"{loops}x{'{% endfor %}' * 5}")
    many = text(*({"type": TYPES[0], "number": n} for n in range(5)))
    page = consent_page(browser, tenant, client, authorization_details=many)
    assert page.title == "Allow access"
    assert "number: 4" in page.response.text
    assert "worded" not in page.response.text


def test_transactions_have_a_name_and_stay_out_of_the_log(
    tenant: Tenant, client: Client, browser: Browser
) -> None:
    """§13: under the transactional policy the log knows the name and the types alone."""
    api(tenant, consent_policy=ConsentPolicy.TRANSACTIONAL_AUTHORIZATION_WITH_MFA)
    tenant.change(customized_consent_template="<p>Number {{ transaction.linking_id }}.</p>")
    names = set()
    for _ in range(2):
        page = consent_page(browser, tenant, client)
        assert page.title == "Allow access"
        assert "code" in browser.submit(page, "consent-form", press="consent-allow").answer
        for kind in ("consent.given", "authorization.granted"):
            event = tenant.events(kind)[0]
            assert "authorization_details" not in event.details
            assert event.details["authorization_details_types"] == ["payment_initiation"]
            assert f"Number {event.details['linking_id']}." in page.response.text
            names.add(event.details["linking_id"])
    assert len(names) == 2


def test_the_log_of_the_standard_policy(tenant: Tenant, client: Client, browser: Browser) -> None:
    """§12: what was allowed can be proven later."""
    api(tenant)
    sign_in_pushed(browser, tenant, client, **asking()).tokens()
    for kind in ("consent.given", "authorization.granted"):
        assert tenant.events(kind)[0].details["authorization_details"] == [PAYMENT]
    issued = tenant.events("token.issued")[0]
    assert issued.details["authorization_details_types"] == ["payment_initiation"]


@both_databases
def test_a_token_for_less(server: Server, tenant: Tenant, client: Client, browser: Browser) -> None:
    """§6: fewer objects, or fewer members of a common list; the refresh token keeps the whole."""
    api(tenant)
    other = {"type": "account_information", "live": True}
    less = PAYMENT | {"actions": ["status"]}
    granted = sign_in_pushed(browser, tenant, client, **asking(PAYMENT, other))
    tokens = granted.redeem(authorization_details=text(less)).json()
    assert tokens["authorization_details"] == [less]
    assert jwt.claims_of(tokens["access_token"])["authorization_details"] == [less]
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    second = tenant.token(client, **refresh, authorization_details=text(other)).json()
    assert second["authorization_details"] == [other]
    refresh["refresh_token"] = second["refresh_token"]
    assert tenant.token(client, **refresh).json()["authorization_details"] == [PAYMENT, other]


MORE = {
    "another amount": text(PAYMENT | {"instructedAmount": {"currency": "EUR", "amount": "9"}}),
    "a further action": text(PAYMENT | {"actions": ["initiate", "refund"]}),
    "no actions at all": text({k: v for k, v in PAYMENT.items() if k != "actions"}),
    "an empty list": text(PAYMENT | {"actions": []}),
    "a further member": text(PAYMENT | {"more": 1}),
    "1 for true": text({"type": "account_information", "live": 1}),
    "another type": text({"type": "unknown"}),
    "one too many": text(PAYMENT, PAYMENT | {"creditorName": "Merchant B"}),
    "no JSON": "{",
}


def test_a_token_for_more(tenant: Tenant, client: Client, browser: Browser) -> None:
    """§6: what nobody granted is refused to the code and the refresh token, and uses neither."""
    api(tenant)
    other = {"type": "account_information", "live": True}
    granted = sign_in_pushed(browser, tenant, client, **asking(PAYMENT, other))
    for more in MORE.values():
        response = granted.redeem(authorization_details=more)
        refused(response, 400, "invalid_authorization_details")
    tokens = granted.tokens()
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    for more in MORE.values():
        response = tenant.token(client, **refresh, authorization_details=more)
        refused(response, 400, "invalid_authorization_details")
    assert tenant.token(client, **refresh).status_code == 200


def test_none_were_granted(tenant: Tenant, client: Client, browser: Browser) -> None:
    """§6: the token request cannot begin what the authorization request did not ask for."""
    api(tenant)
    granted = sign_in_pushed(browser, tenant, client, audience=API, scope=SCOPE)
    response = granted.redeem(authorization_details=text(PAYMENT))
    refused(response, 400, "invalid_authorization_details")


def test_a_type_that_is_taken_away(tenant: Tenant, client: Client, browser: Browser) -> None:
    """§6 and §10: what is not allowed any more is in no further token."""
    found = api(tenant)
    other = {"type": "account_information", "live": True}
    tokens = sign_in_pushed(browser, tenant, client, **asking(PAYMENT, other)).tokens()
    left = (_type("account_information"),)
    tenant.write(resource_servers.update, Patch(found.id, {"authorization_details": left}))
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert tenant.token(client, **refresh).json()["authorization_details"] == [other]


def test_each_api_gets_its_own(tenant: Tenant, client: Client, browser: Browser) -> None:
    """§7.1 and RFC 8707 §2.2: a token for one of two APIs has what that one understands."""
    tenant.change(resource_parameter_profile=ResourceParameterProfile.SEVERAL)
    api(tenant, "payment_initiation")
    second = "https://accounts.example.com"
    api(tenant, "account_information", identifier=second)
    other = {"type": "account_information", "live": True}
    asked = request_for(client, **asking(PAYMENT, other, audience=None, resource=API))
    pushing = {**asked.parameters, **client.body, "resource": [API, second]}
    response = tenant.server.client.post(tenant.url("oauth/par"), data=pushing)
    assert response.status_code == 201, response.text
    page = log_in(browser, follow(browser, tenant, client, response.json()["request_uri"]))
    answer = browser.submit(page, "consent-form", press="consent-allow").answer
    tokens = Granted(tenant, client, asked, answer).tokens()
    assert tokens["authorization_details"] == [PAYMENT, other]
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    one = tenant.token(client, **refresh, resource=second).json()
    assert one["authorization_details"] == [other]


ELSEWHERE = {
    "client_credentials": {"audience": API},
    "password": {"username": "ann@example.com", "password": "x"},
    "urn:ietf:params:oauth:grant-type:device_code": {"device_code": "x"},
    "urn:ietf:params:oauth:grant-type:token-exchange": {"subject_token": "x"},
    "urn:ietf:params:oauth:grant-type:jwt-bearer": {"assertion": "x"},
}


@pytest.mark.parametrize("grant_type", ELSEWHERE)
def test_not_with_grants_that_show_no_page(tenant: Tenant, client: Client, grant_type: str) -> None:
    """§5: refused, not ignored; the types are for users alone."""
    api(tenant)
    fields = ELSEWHERE[grant_type] | {"authorization_details": text(PAYMENT)}
    response = tenant.token(client, grant_type=grant_type, **fields)
    refused(response, 400, "invalid_authorization_details")


def test_not_with_a_device(tenant: Tenant) -> None:
    """§5 and RFC 8628 §3.1."""
    api(tenant)
    device = tenant.application("native", grant_types=(GrantType.DEVICE_CODE,))
    fields = {"client_id": device.id, "scope": "openid", "authorization_details": text(PAYMENT)}
    response = tenant.server.client.post(tenant.url("oauth/device/code"), data=fields)
    refused(response, 400, "invalid_authorization_details")


def test_discovery(tenant: Tenant) -> None:
    """§10: the types of all APIs of this tenant, at once when they change."""
    url = tenant.url(".well-known/openid-configuration")
    member = "authorization_details_types_supported"
    assert member not in tenant.server.client.get(url).json()
    api(tenant)
    api(tenant, "payment_initiation", "access", identifier="https://doors.example.com")
    found = tenant.server.client.get(url).json()[member]
    assert found == ["access", "account_information", "payment_initiation"]
    other = tenant.server.tenant()
    elsewhere = tenant.server.client.get(other.url(".well-known/openid-configuration")).json()
    assert member not in elsewhere


def test_registration_metadata(tenant: Tenant) -> None:
    """§10 and RFC 7591 §2."""
    tenant.change(enable_dynamic_client_registration=True)
    http, url = tenant.server.client, tenant.url("oidc/register")
    document = {"redirect_uris": ["https://a.example.com/cb"]}
    sent = document | {"authorization_details_types": ["payment_initiation"]}
    made = http.post(url, json=sent)
    assert made.status_code == 201, made.text
    assert made.json()["authorization_details_types"] == ["payment_initiation"]
    wrong = http.post(url, json=document | {"authorization_details_types": "payment_initiation"})
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_client_metadata")
