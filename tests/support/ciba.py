"""CIBA as an application and a person see it: the request, the mail, the answer, the tokens."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import httpx2

from tenantry.core.backchannel import (
    BackchannelRequestFacts,
    BackchannelRequestState,
    NotificationChannel,
)
from tenantry.core.facts import GrantType
from tenantry.core.ids import GlobalId, new_id, new_token
from tenantry.jobs.outbox import deliver
from tenantry.store import backchannel_requests
from tenantry.store.unit_of_work import TenantSession
from tests.support.browser import Browser, Page
from tests.support.flow import log_in
from tests.support.mail import MailServer
from tests.support.server import Client, Server, Tenant

CIBA = GrantType.CIBA
EMAIL = "ann@example.com"


def asking(tenant: Tenant, **values: Any) -> Client:
    """An application that may ask people elsewhere."""
    given = {"grant_types": (CIBA,), "redirect_uris": ()} | values
    return tenant.application("regular_web", **given)


def ask(tenant: Tenant, client: Client, **fields: str) -> httpx2.Response:
    given = client.body | {"scope": "openid", "login_hint": EMAIL} | fields
    sent = {name: value for name, value in given.items() if value}
    return tenant.server.client.post(tenant.url("bc-authorize"), data=sent)


def asked(tenant: Tenant, client: Client, **fields: str) -> dict[str, Any]:
    response = ask(tenant, client, **fields)
    assert response.status_code == 200, response.text
    made: dict[str, Any] = response.json()
    return made


def poll(tenant: Tenant, client: Client, made: dict[str, Any]) -> httpx2.Response:
    return tenant.token(client, grant_type=CIBA.value, auth_req_id=made["auth_req_id"])


def deliveries(server: Server) -> int:
    """Sends what is due; how many attempts were made."""
    attempts: int = server.portal.call(deliver, server.runtime.store, server.application.deliveries)
    return attempts


def linked(tenant: Tenant, mail: MailServer) -> str:
    """The link that the person gets."""
    assert deliveries(tenant.server) == 1
    return mail.link()


def opened(browser: Browser, link: str) -> Page:
    """Opens the link, goes on and signs in where that is asked."""
    page = browser.get(link)
    assert page.title == "Approve a request"
    page = browser.submit(page, "approval-form")
    return log_in(browser, page) if page.title == "Log in" else page


def decide(browser: Browser, link: str, press: str) -> Page:
    page = opened(browser, link)
    assert page.title == "Allow access"
    return browser.submit(page, "consent-form", press=press)


def approve(browser: Browser, link: str) -> Page:
    return decide(browser, link, "consent-allow")


def deny(browser: Browser, link: str) -> Page:
    return decide(browser, link, "consent-deny")


def waiting(tenant: Tenant, client_id: str, user_id: str) -> str:
    """A request that waits, without mail. Its id in the schema."""

    def create(db: TenantSession) -> str:
        facts = BackchannelRequestFacts(
            id=new_id(),
            state=BackchannelRequestState.PENDING,
            issuer=tenant.issuer,
            client_id=client_id,
            user_id=user_id,
            organization_id=None,
            audience=None,
            requested_scopes=("openid",),
            scopes=(),
            acr_values=(),
            authorization_details=(),
            binding_message=None,
            channel=NotificationChannel.PUSH,
            ping_envelope=None,
            auth_time=None,
            amr=(),
            poll_interval=5,
            polled_at=None,
            created_at=db.now,
            expires_at=db.now + timedelta(minutes=5),
        )
        backchannel_requests.create(db, facts, new_token(), None)
        return GlobalId("BackchannelRequest", db.tenant_id, facts.id).encode()

    made: str = tenant.write(create)
    return made


def claims_for(tenant: Tenant, client: Client, **changes: Any) -> dict[str, Any]:
    """What a signed request says (CIBA Core §7.1.1)."""
    now = int(time.time())
    claims = {
        "iss": client.id,
        "aud": tenant.issuer,
        "iat": now,
        "nbf": now,
        "exp": now + 60,
        "jti": f"jti {time.time_ns()}",
        "scope": "openid",
        "login_hint": EMAIL,
        "binding_message": "1234",
        "requested_expiry": 30,
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def send(tenant: Tenant, client: Client, token: str, **more: str) -> httpx2.Response:
    fields = client.body | {"request": token} | more
    return tenant.server.client.post(tenant.url("bc-authorize"), data=fields)
