"""How people hear of a request, and how an app of the tenant's own answers for them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from tenantry.core.facts import UserFacts
from tests.support import jwt
from tests.support.browser import Browser
from tests.support.ciba import EMAIL, approve, ask, asked, asking, deliveries, poll
from tests.support.databases import Databases
from tests.support.flow import refused
from tests.support.listener import Listener, listening
from tests.support.mail import MailServer, receiving
from tests.support.management import Api, Json, root_api
from tests.support.server import Client, Server, Tenant, begun

FIELDS = "id state userId clientId bindingMessage channel requestedScopes scopes expiresAt"


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with receiving() as made:
        yield made


@pytest.fixture(scope="module")
def server(databases: Databases, portal: BlockingPortal, mail: MailServer) -> Iterator[Server]:
    with (
        databases.url("sqlite") as url,
        begun(
            url,
            portal,
            outbound_allow_private=True,
            **mail.settings,
        ) as made,
    ):
        yield made


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as made:
        yield made


@pytest.fixture
def api(tenant: Tenant) -> Api:
    return root_api(tenant)


@pytest.fixture
def user(tenant: Tenant) -> UserFacts:
    return tenant.user(EMAIL, email_verified=True)


@pytest.fixture
def client(tenant: Tenant, user: UserFacts) -> Client:
    return asking(tenant, async_approval_notification_channels=("push", "email"))


@pytest.fixture
def secret(api: Api, listener: Listener) -> str:
    """Sets the push service up."""
    api.do("tenantUpdate", "tenant { id }", {"pushNotificationUrl": f"{listener.origin}/push"})
    made: str = api.do("tenantPushSecretRotate", "tenant { id } secret", {})["secret"]
    return made


def pushed(listener: Listener, secret: str) -> Json:
    """What the push service was told, if it was signed as Standard Webhooks says."""
    (request,), (headers,) = listener.requests, listener.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{request[1].decode()}"
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, signed.encode(), hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    content: Json = json.loads(request[1])
    assert content["type"] == "backchannel_request.created"
    data: Json = content["data"]
    return data


@pytest.mark.parametrize("verb, state", [("Approve", "APPROVED"), ("Deny", "DENIED")])
def test_an_app_of_the_tenant_s_own_answers(
    tenant: Tenant,
    client: Client,
    user: UserFacts,
    api: Api,
    listener: Listener,
    secret: str,
    verb: str,
    state: str,
) -> None:
    """The push service is told, the app asks the person, the schema takes the answer."""
    made = asked(tenant, client, binding_message="W-1", scope="openid profile")
    assert deliveries(tenant.server) == 1
    told = pushed(listener, secret)
    assert (told["userId"], told["bindingMessage"]) == (user.id, "W-1")
    assert made["auth_req_id"] not in json.dumps(told)
    chosen = "first: 5, filter: {state: PENDING}"
    query = f"{{ backchannelRequests({chosen}) {{ nodes {{ {FIELDS} }} }} }}"
    listed = api.data(query)["backchannelRequests"]["nodes"]
    assert [(one["id"], one["channel"]) for one in listed] == [(told["id"], "PUSH")]
    mutation = f"backchannelRequest{verb}"
    how: dict[str, Any] = {"amr": ["pwd", "otp", "pwd"]} if verb == "Approve" else {}
    if how:
        odd = api.refused(mutation, {"id": told["id"], "amr": ["pwd", "magic"]})
        assert (odd["code"], odd["field"]) == ("INVALID", ["amr", "1"])
    answered = api.do(mutation, f"backchannelRequest {{ {FIELDS} }}", {"id": told["id"]} | how)
    assert answered["backchannelRequest"]["state"] == state
    assert api.refused(mutation, {"id": told["id"]})["code"] == "NOT_ALLOWED"
    answer = poll(tenant, client, made)
    if verb == "Deny":
        refused(answer, 400, "access_denied")
        return
    claims = jwt.claims_of(answer.json()["id_token"])
    assert claims["sub"] == user.id
    assert claims["amr"] == ["pwd", "otp"]
    assert claims["acr"].endswith(":Password")
    assert answer.json()["scope"] == "openid profile"


def test_the_expiry_chooses_the_channel(
    tenant: Tenant, client: Client, mail: MailServer, listener: Listener, secret: str
) -> None:
    """Up to 300 seconds by push, longer by mail."""
    mail.messages.clear()
    assert asked(tenant, client, requested_expiry="300")["expires_in"] == 300
    assert asked(tenant, client, requested_expiry="301")["expires_in"] == 301
    assert deliveries(tenant.server) == 2
    assert (len(listener.requests), len(mail.messages)) == (1, 1)
    alone = tenant.change_application(client, async_approval_notification_channels=("push",))
    assert asked(tenant, alone, requested_expiry="259200")["expires_in"] == 300
    alone = tenant.change_application(client, async_approval_notification_channels=("email",))
    assert asked(tenant, alone, requested_expiry="60")["expires_in"] == 60
    deliveries(tenant.server)


def test_who_has_no_device_gets_mail(
    tenant: Tenant,
    browser: Browser,
    client: Client,
    mail: MailServer,
    listener: Listener,
    secret: str,
) -> None:
    """The push service says 404; what it was told first does not count any more."""
    mail.messages.clear()
    made = asked(tenant, client)
    listener.statuses.append(404)
    deliveries(tenant.server)
    assert len(mail.messages) == 1
    assert approve(browser, mail.link()).title == "Request approved"
    assert poll(tenant, client, made).status_code == 200


def test_push_needs_a_service(tenant: Tenant, client: Client, api: Api, mail: MailServer) -> None:
    """Without address and secret the other channel serves, or none."""
    mail.messages.clear()
    asked(tenant, client)
    deliveries(tenant.server)
    assert len(mail.messages) == 1
    alone = tenant.change_application(client, async_approval_notification_channels=("push",))
    refused(ask(tenant, alone), 400, "invalid_request")


def test_who_may_answer_through_the_schema(tenant: Tenant, client: Client) -> None:
    """The scopes are those of the noun."""
    asked(tenant, client)
    deliveries(tenant.server)
    nobody = root_api(tenant, "read:users")
    for operation in (
        "{ backchannelRequests(first: 1) { totalCount } }",
        'mutation { backchannelRequestApprove(input: {id: "x"}) { errors { code } } }',
    ):
        answer: Any = nobody.answer(operation)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
