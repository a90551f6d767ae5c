"""Connections as the schema shows them: sources of users, not pages of lists."""

from __future__ import annotations

from collections.abc import Mapping

import strawberry

from tenantry.core.facts import ConnectionFacts, ConnectionStrategy
from tenantry.management.ids import global_id
from tenantry.management.types.common import StoredObject, described, publish

ABOUT: Mapping[str, str] = {
    "name": (
        "The name that programs send: 1 to 128 letters, digits and hyphens, no hyphen at either "
        "end. Never changes."
    ),
    "display_name": "The name that people see. At most 100 characters; default empty.",
    "strategy": "Where its users come from.",
    "password_minimum_length": "The fewest characters of a new password: 8 to 72. Default 8.",
    "is_domain_connection": (
        "Whether it is a connection at domain level: its users may sign in to every third-party "
        "application, among them those that registered themselves, and a third-party application "
        "has no other connections. First-party applications list theirs. Default false; true for "
        "the connection that a new tenant has from the start."
    ),
}


@strawberry.type(description="A source of users.")
class Connection(StoredObject):
    name: str = described(ABOUT, "name")
    display_name: str = described(ABOUT, "display_name")
    strategy: ConnectionStrategy = described(ABOUT, "strategy")
    password_minimum_length: int = described(ABOUT, "password_minimum_length")
    is_domain_connection: bool = described(ABOUT, "is_domain_connection")

    @classmethod
    def of(cls, facts: ConnectionFacts, tenant_id: str) -> Connection:
        return publish(cls, facts, id=global_id("Connection", tenant_id, facts.id))
