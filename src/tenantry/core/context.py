"""Who asks, from where, of which tenant. Frozen; handed down, never looked up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ActorKind = Literal["application", "user", "system", "anonymous"]


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What an audit row says of the request. `ip` is believed only as far as the proxies are."""

    request_id: str = ""
    ip: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """`id` is a client id or a user id; `tenant_id` is where that application or user lives."""

    kind: ActorKind
    id: str = ""
    name: str = ""
    tenant_id: str = ""


ANONYMOUS = Actor("anonymous")
SYSTEM = Actor("system", "tenantry", "Tenantry")


@dataclass(frozen=True, slots=True)
class Caller:
    """The actor and the request that it sent."""

    actor: Actor = ANONYMOUS
    request: RequestFacts = field(default_factory=RequestFacts)
