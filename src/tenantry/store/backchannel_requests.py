"""Requests to people at another device (CIBA Core), found by digests. Never cached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from tenantry.core.backchannel import BackchannelRequestFacts, BackchannelRequestState
from tenantry.store import pages
from tenantry.store.pages import Page, PageRequest
from tenantry.store.rows import to_facts, to_row
from tenantry.store.tables import backchannel_requests
from tenantry.store.unit_of_work import TenantSession

_PENDING, _APPROVED = BackchannelRequestState.PENDING, BackchannelRequestState.APPROVED


@dataclass(frozen=True, slots=True)
class BackchannelRequestFilter:
    """What narrows a list; None stands for all."""

    user_id: str | None = None
    client_id: str | None = None
    state: BackchannelRequestState | None = None


def create(
    db: TenantSession,
    facts: BackchannelRequestFacts,
    request_digest: str,
    ticket_digest: str | None,
) -> None:
    names = BackchannelRequestFacts.__dataclass_fields__
    values = to_row({name: getattr(facts, name) for name in names})
    db.connection.execute(
        insert(backchannel_requests).values(
            **values,
            tenant_id=db.tenant_id,
            request_digest=request_digest,
            ticket_digest=ticket_digest,
        )
    )


def find(db: TenantSession, id: str) -> BackchannelRequestFacts | None:
    return _find(db, backchannel_requests.c.id == id)


def find_by_request(db: TenantSession, digests: Sequence[str]) -> BackchannelRequestFacts | None:
    """By what the application was given."""
    return _find(db, backchannel_requests.c.request_digest.in_(digests))


def find_by_ticket(db: TenantSession, digests: Sequence[str]) -> BackchannelRequestFacts | None:
    """By what the person was sent."""
    return _find(db, backchannel_requests.c.ticket_digest.in_(digests))


def _find(db: TenantSession, condition: Any) -> BackchannelRequestFacts | None:
    row = (
        db.connection.execute(
            select(backchannel_requests).where(
                backchannel_requests.c.tenant_id == db.tenant_id, condition
            )
        )
        .mappings()
        .one_or_none()
    )
    return to_facts(BackchannelRequestFacts, row) if row else None


def page(
    db: TenantSession, request: PageRequest, criteria: BackchannelRequestFilter
) -> Page[BackchannelRequestFacts]:
    return pages.fetch_page(
        db, backchannel_requests, _conditions(db, criteria), request, BackchannelRequestFacts
    )


def count(db: TenantSession, criteria: BackchannelRequestFilter) -> int:
    return pages.count(db, backchannel_requests, _conditions(db, criteria))


def _conditions(db: TenantSession, criteria: BackchannelRequestFilter) -> list[Any]:
    conditions: list[Any] = [backchannel_requests.c.tenant_id == db.tenant_id]
    for name in ("user_id", "client_id", "state"):
        value = getattr(criteria, name)
        if value is not None:
            conditions.append(backchannel_requests.c[name] == str(value))
    return conditions


def note_poll(db: TenantSession, id: str, poll_interval: int) -> None:
    """Remembers when the application asked, and how long it must wait from now on."""
    db.connection.execute(
        update(backchannel_requests)
        .where(backchannel_requests.c.tenant_id == db.tenant_id, backchannel_requests.c.id == id)
        .values(polled_at=db.now, poll_interval=poll_interval)
    )


def set_ticket(db: TenantSession, id: str, channel: str, ticket_digest: str) -> bool:
    """Lets the person be sent a link after all; False where nobody waits any more."""
    return _advance(db, id, _PENDING, {"channel": channel, "ticket_digest": ticket_digest})


def approve(
    db: TenantSession,
    id: str,
    auth_time: datetime,
    amr: Sequence[str],
    scopes: Sequence[str],
) -> bool:
    """Whether the request still waited; of several answers one counts."""
    values = {
        "state": _APPROVED.value,
        "auth_time": auth_time,
        "amr": list(amr),
        "scopes": list(scopes),
    }
    return _advance(db, id, _PENDING, values)


def deny(db: TenantSession, id: str) -> bool:
    """Whether the request still waited."""
    return _advance(db, id, _PENDING, {"state": BackchannelRequestState.DENIED.value})


def claim(db: TenantSession, id: str) -> bool:
    """Consumes an approved request. Of any number of contenders one gets True."""
    return _advance(db, id, _APPROVED, {"state": BackchannelRequestState.REDEEMED.value})


def _advance(
    db: TenantSession, id: str, state: BackchannelRequestState, values: dict[str, Any]
) -> bool:
    return bool(
        db.connection.execute(
            update(backchannel_requests)
            .where(
                backchannel_requests.c.tenant_id == db.tenant_id,
                backchannel_requests.c.id == id,
                backchannel_requests.c.state == state.value,
                backchannel_requests.c.expires_at > db.now,
            )
            .values(**values)
        ).rowcount
    )
