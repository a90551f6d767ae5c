"""`tenantry doctor`: what an operator wants to know before anybody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import stat
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from tenantry.core.context import SYSTEM, Caller
from tenantry.core.custom_domains import VerifiedDomain
from tenantry.keys.vault import UndecryptableError
from tenantry.outbound.dns import DnsUnavailable, TxtResolver
from tenantry.rules.addresses import Addresses
from tenantry.rules.custom_domains import proves
from tenantry.settings import Settings, SettingsError, complete, load_settings
from tenantry.store import installation, signing_keys, verified_domains
from tenantry.store import migrate as migrations
from tenantry.store.database import Database
from tenantry.store.unit_of_work import INSTALLATION, Store

Level = Literal["ok", "warning", "failure"]
_MAX_SKEW = 5
_TIMEOUT = 5
_MAX_DOMAINS = 1000
_DNS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination."""

    level: Level
    subject: str
    message: str


def examine() -> list[Finding]:
    """Every check that can be made; one that fails does not hide the others."""
    try:
        settings = complete(load_settings())
    except SettingsError as error:
        return [Finding("failure", "settings", line) for line in str(error).splitlines()]
    findings = [Finding("ok", "settings", f"public URL {settings.public_url}")]
    findings.extend(_isolation(settings))
    findings.extend(_files(settings))
    findings.extend(_mail(settings))
    database = Database(settings.database_url)
    try:
        findings.extend(_database(settings, database))
    finally:
        database.close()
    findings.extend(_address(settings))
    return findings


def _isolation(settings: Settings) -> Iterator[Finding]:
    if settings.tenant_url is None:
        yield Finding(
            "warning",
            "isolation",
            "tenants share one origin; those that distrust one another need hosts of their "
            "own (TENANTRY_TENANT_URL)",
        )


def _files(settings: Settings) -> Iterator[Finding]:
    for name in ("encryption.key", "bootstrap-credentials.env"):
        path = settings.data_dir / name
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield Finding("failure", "secrets", f"{path} can be read by others")


def _mail(settings: Settings) -> Iterator[Finding]:
    if settings.smtp_host is None and not settings.is_development:
        yield Finding("warning", "mail", "no mail is sent: TENANTRY_SMTP_HOST is not set")


def _database(settings: Settings, database: Database) -> Iterator[Finding]:
    kind = "embedded SQLite" if settings.is_embedded else "PostgreSQL"
    if not database.answers():
        yield Finding("failure", "database", f"the {kind} does not answer")
        return
    yield Finding("ok", "database", f"the {kind} answers")
    state = migrations.state(database)
    if state != "current":
        yield Finding("failure", "migrations", f"the database is {state}; run `tenantry migrate`")
        return
    yield Finding("ok", "migrations", f"at revision {migrations.head_revision()}")
    from tenantry.core.clock import Clock

    store = Store(database, Clock(), settings.vault)
    try:
        yield _keys(store)
    except UndecryptableError as error:
        yield Finding("failure", "keys", str(error))
        return
    yield from _domains(settings, store)


def _domains(settings: Settings, store: Store) -> Iterator[Finding]:
    """Custom domains: whose TXT record is gone, and which the settings have taken away."""
    caller = Caller(SYSTEM)
    known = store.read_now(INSTALLATION, caller, verified_domains.some, _MAX_DOMAINS)
    if not known:
        return
    addresses = Addresses(settings.public_url, settings.tenant_url)
    problems = []
    for domain, found in zip(known, asyncio.run(_records(settings, known)), strict=True):
        facts = domain.facts
        if addresses.locate(facts.domain, "/") is not None:
            text = f"{facts.domain} of {domain.tenant_name} is a host of the settings' own"
            problems.append(Finding("failure", "domains", text))
        elif found is None:
            text = f"the DNS does not say whether {facts.verification_name} has its TXT record"
            problems.append(Finding("warning", "domains", text))
        elif not proves(facts, found):
            text = f"{facts.domain} of {domain.tenant_name}: the TXT record of "
            text += f"{facts.verification_name} is gone"
            problems.append(Finding("warning", "domains", text))
    yield from problems
    right = len(known) - len(problems)
    yield Finding("ok", "domains", f"{right} of {len(known)} custom domains are in order")


async def _records(
    settings: Settings, domains: Sequence[VerifiedDomain]
) -> list[tuple[str, ...] | None]:
    """The TXT records of each; None where nobody says."""
    resolver, places = TxtResolver(settings.dns_servers), asyncio.Semaphore(_DNS_AT_ONCE)

    async def texts(name: str) -> tuple[str, ...] | None:
        async with places:
            try:
                return await resolver.texts(name)
            except DnsUnavailable:
                return None

    return await asyncio.gather(*(texts(each.facts.verification_name) for each in domains))


def _keys(store: Store) -> Finding:
    caller = Caller(SYSTEM)
    if store.read_now(INSTALLATION, caller, installation.is_empty):
        return Finding("warning", "keys", "the installation is empty; its first start makes them")
    store.read_now(INSTALLATION, caller, installation.check_key)
    root = store.read_now(INSTALLATION, caller, installation.find_root)
    if root is None:
        return Finding("failure", "keys", "there is no root tenant")
    ring = store.read_now(root.id, caller, signing_keys.ring)
    return Finding("ok", "keys", f"the encryption key fits; {len(ring.published)} signing keys")


def _address(settings: Settings) -> Iterator[Finding]:
    url = f"{settings.public_url}/.well-known/openid-configuration"
    before = datetime.now(UTC)
    try:
        # The scheme is http or https: the settings see to it.
        with contextlib.closing(urllib.request.urlopen(url, timeout=_TIMEOUT)) as answer:  # noqa: S310
            date = answer.headers.get("Date")
    except (urllib.error.URLError, OSError) as error:
        yield Finding("failure", "address", f"{url} cannot be reached: {error}")
        yield Finding("warning", "clock", "not compared: no answer to compare it with")
        return
    yield Finding("ok", "address", f"{url} answers")
    skew = abs((parsedate_to_datetime(date) - before).total_seconds()) if date else 0
    level: Level = "ok" if skew <= _MAX_SKEW else "failure"
    yield Finding(level, "clock", f"{skew:.0f} s apart from the server at the public URL")
