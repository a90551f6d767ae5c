"""What a process holds: made once by `tenantry.app`, handed down, never looked up."""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.clock import Clock
from tenantry.keys.password_workers import PasswordWorkers
from tenantry.keys.signing import KeySource
from tenantry.keys.vault import Vault
from tenantry.outbound.cache import DocumentCache
from tenantry.outbound.dns import TxtResolver
from tenantry.outbound.http import OutboundClient
from tenantry.outbound.smtp import MailServer
from tenantry.rules.addresses import Addresses
from tenantry.services.log_feed import LogFeed
from tenantry.services.throttle import Throttle
from tenantry.store.audit_queue import AuditQueue
from tenantry.store.cache import Configuration
from tenantry.store.replay_queue import ReplayQueue
from tenantry.store.unit_of_work import Store


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts that requests share."""

    addresses: Addresses
    store: Store
    configuration: Configuration
    audit: AuditQueue
    replays: ReplayQueue
    vault: Vault
    clock: Clock
    passwords: PasswordWorkers
    key_source: KeySource
    outbound: OutboundClient
    mail_server: MailServer | None
    feed: LogFeed
    documents: DocumentCache
    txt_resolver: TxtResolver
    throttle: Throttle
    max_graphql_cost: int
    is_development: bool

    def close(self) -> None:
        self.audit.close()
        self.replays.close()
        self.configuration.close()
        self.passwords.close()
        self.store.close()
