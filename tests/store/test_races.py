"""Of any number of contenders one wins, on both databases."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from sqlalchemy.exc import IntegrityError

from tenantry.core.clock import Clock
from tenantry.core.context import SYSTEM, Caller
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import KeyState, SigningAlgorithm, SigningKeyFacts, TenantFacts
from tenantry.jobs.pruning import prune_batch
from tenantry.keys.signing import private_key_to_der
from tenantry.services import custom_domains as services
from tenantry.services.commands import Patch
from tenantry.store import (
    attempts,
    authorizations,
    backchannel_requests,
    consents,
    device_codes,
    encryption_keys,
    installation,
    mutation_records,
    organization_invitations,
    organization_members,
    pushed_requests,
    replay_identifiers,
    session_clients,
    sessions,
    signing_keys,
    tables,
    users,
)
from tenantry.store.mutation_records import Recorded, RecordKey
from tenantry.store.replay_queue import ReplayQueue
from tenantry.store.unit_of_work import INSTALLATION, Store, TenantSession, savepoint
from tests.store.seeds import NOW, fill, number_of, row, tenant_values, writing
from tests.support.keys import key_source
from tests.support.loops import run_apart

T = TypeVar("T")
TENANT = "tenant"
CONTENDERS = 20


def contend(store: Store, function: Callable[[TenantSession, int], T]) -> list[T]:
    """What each of many contenders gets that run `function` at the same moment."""
    barrier = threading.Barrier(CONTENDERS)

    def one(number: int) -> T:
        barrier.wait()
        return store.write_now(TENANT, Caller(SYSTEM), function, number)

    with ThreadPoolExecutor(CONTENDERS) as pool:
        return list(pool.map(one, range(CONTENDERS)))


def test_a_code_is_claimed_once(store: Store) -> None:
    waiting = row(tables.authorizations, tenant_id=TENANT, id="one", state="issued")
    fill(store.database, tables.authorizations, waiting)

    def claim(db: TenantSession, number: int) -> str | None:
        return str(number) if authorizations.claim_code(db, "one", str(number), db.now) else None

    winners = [winner for winner in contend(store, claim) if winner is not None]
    assert len(winners) == 1
    with store.database.reading() as connection:
        found = connection.execute(tables.authorizations.select()).one()
    assert (found.family_id, found.state) == (winners[0], "redeemed")


def test_a_code_that_is_claimed_and_rolled_back_can_be_claimed(store: Store) -> None:
    waiting = row(tables.authorizations, tenant_id=TENANT, id="one", state="issued")
    fill(store.database, tables.authorizations, waiting)

    def refused(db: TenantSession) -> None:
        assert authorizations.claim_code(db, "one", "family", db.now)
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        writing(store, TENANT, refused)
    assert writing(store, TENANT, lambda db: authorizations.claim_code(db, "one", "family", db.now))


def test_a_device_code_is_claimed_once(store: Store) -> None:
    approved = row(tables.device_codes, tenant_id=TENANT, id="one", state="approved")
    fill(store.database, tables.device_codes, approved)
    assert contend(store, lambda db, _: device_codes.claim(db, "one")).count(True) == 1


def test_a_backchannel_request_is_claimed_once(store: Store) -> None:
    approved = row(tables.backchannel_requests, tenant_id=TENANT, id="one", state="approved")
    fill(store.database, tables.backchannel_requests, approved)
    assert contend(store, lambda db, _: backchannel_requests.claim(db, "one")).count(True) == 1


def test_a_backchannel_request_is_answered_once(store: Store) -> None:
    waiting = row(tables.backchannel_requests, tenant_id=TENANT, id="one", state="pending")
    fill(store.database, tables.backchannel_requests, waiting)

    def answer(db: TenantSession, number: int) -> bool:
        if number % 2:
            return backchannel_requests.deny(db, "one")
        return backchannel_requests.approve(db, "one", db.now, (), ())

    assert contend(store, answer).count(True) == 1


def test_a_tenant_has_one_key_to_encrypt_to(store: Store) -> None:
    keys = [private_key_to_der(key_source(SigningAlgorithm.RS256)) for _ in range(CONTENDERS)]

    def put(db: TenantSession, number: int) -> bool:
        return encryption_keys.insert_if_free(db, str(number), keys[number])

    assert contend(store, put).count(True) == 1
    kept = writing(store, TENANT, encryption_keys.ring)
    assert [key.state for key in kept.keys] == [KeyState.CURRENT]


def test_a_pushed_request_begins_once(store: Store) -> None:
    waiting = row(tables.pushed_requests, tenant_id=TENANT, digest="one")
    fill(store.database, tables.pushed_requests, waiting)
    claimed = contend(store, lambda db, _: pushed_requests.claim(db, "one", db.now))
    assert claimed.count(True) == 1


def test_a_ticket_makes_one_member(store: Store) -> None:
    waiting = row(tables.organization_invitations, tenant_id=TENANT, id="one")
    fill(store.database, tables.organization_invitations, waiting)

    def claim(db: TenantSession, number: int) -> str | None:
        return str(number) if organization_invitations.claim(db, "one", str(number)) else None

    winners = [winner for winner in contend(store, claim) if winner is not None]
    assert len(winners) == 1
    with store.database.reading() as connection:
        found = connection.execute(tables.organization_invitations.select()).one()
    assert found.accepted_by == winners[0]


def test_a_user_becomes_a_member_once(store: Store) -> None:
    added = contend(store, lambda db, _: organization_members.add(db, "org", ["user"]))
    assert sorted(added) == [0] * (CONTENDERS - 1) + [1]
    assert number_of(store.database, "organization_members") == [1]


def test_an_identifier_counts_once(store: Store) -> None:
    claimed = contend(store, lambda db, _: replay_identifiers.claim(db, "jti", db.now))
    assert claimed.count(True) == 1


def test_an_identifier_counts_once_in_shared_commits(store: Store) -> None:
    """As if by two processes, and several times in one batch."""
    queues = [ReplayQueue(store.database) for _ in range(2)]
    until = datetime.now(UTC) + timedelta(hours=1)

    async def claim() -> list[bool]:
        names = [f"jti{number % 40}" for number in range(120)]
        names[:40] = reversed(names[:40])
        return await asyncio.gather(
            *(queue.claim(TENANT, name, until) for name in names for queue in queues)
        )

    claimed = run_apart(claim())
    for queue in queues:
        queue.close()
    assert claimed.count(True) == 40
    assert number_of(store.database, "replay_identifiers") == [40]


def test_a_device_is_answered_once(store: Store) -> None:
    waiting = row(tables.device_codes, tenant_id=TENANT, id="one", state="pending")
    fill(store.database, tables.device_codes, waiting)

    def answer(db: TenantSession, number: int) -> bool:
        if number % 2:
            return device_codes.deny(db, "one")
        return device_codes.approve(db, "one", str(number), db.now, ())

    assert contend(store, answer).count(True) == 1


def test_attempts_at_once_are_all_counted(store: Store, clock: Clock) -> None:
    def attempt(db: TenantSession, number: int) -> int:
        return attempts.add(db, "one", timedelta(minutes=1)).count

    assert sorted(contend(store, attempt)) == list(range(1, CONTENDERS + 1))
    clock.advance(61)
    assert writing(store, TENANT, lambda db: attempt(db, 0)) == 1


def test_whoever_joins_a_session_hears_of_its_end(store: Store) -> None:
    """Joined before the end and told, or refused: nobody takes part in what is over."""
    table = tables.sessions
    fill(store.database, table, row(table, tenant_id=TENANT, id="one", amr=[], ended_at=None))

    def join_or_end(db: TenantSession, number: int) -> list[str]:
        if number == CONTENDERS // 2:
            assert sessions.end(db, "one")
            return [told.client_id for told in session_clients.take(db, ["one"])]
        session_clients.join(db, "one", f"client {number}")
        return []

    told = {client_id for found in contend(store, join_or_end) for client_id in found}
    assert number_of(store.database, "session_clients") == [0]
    assert told <= {f"client {number}" for number in range(CONTENDERS)}


def test_an_idempotency_key_is_claimed_once_and_the_others_wait(store: Store) -> None:
    key = RecordKey("caller", "digest", "path")

    def mutate(db: TenantSession, number: int) -> Recorded | None:
        recorded = mutation_records.claim(db, key, "body")
        if recorded is None:
            time.sleep(0.1)
            mutation_records.save(db, key, b"answer")
        return recorded

    answers = contend(store, mutate)
    assert answers.count(None) == 1
    assert answers.count(Recorded("body", b"answer")) == CONTENDERS - 1


def test_an_idempotency_key_of_a_mutation_that_failed_is_free(store: Store) -> None:
    key = RecordKey("caller", "digest", "path")
    first = threading.Event()

    def mutate(db: TenantSession, number: int) -> Recorded | None:
        recorded = mutation_records.claim(db, key, "body")
        if recorded is None and not first.is_set():
            first.set()
            time.sleep(0.1)
            raise ArithmeticError
        return recorded

    def attempt(number: int) -> str:
        try:
            recorded = store.write_now(TENANT, Caller(SYSTEM), mutate, number)
        except ArithmeticError:
            return "failed"
        return "first" if recorded is None else "later"

    with ThreadPoolExecutor(CONTENDERS) as pool:
        answers = list(pool.map(attempt, range(CONTENDERS)))
    assert answers.count("failed") == 1
    assert answers.count("first") == 1


def test_an_idempotency_key_is_free_again_after_its_life(store: Store, clock: Clock) -> None:
    key = RecordKey("caller", "digest", "path")
    assert writing(store, TENANT, lambda db: mutation_records.claim(db, key, "body")) is None
    clock.advance(mutation_records.LIFETIME.total_seconds() - 60)
    assert writing(store, TENANT, lambda db: mutation_records.claim(db, key, "new")) is not None
    clock.advance(120)
    assert writing(store, TENANT, lambda db: mutation_records.claim(db, key, "new")) is None
    assert writing(store, TENANT, lambda db: mutation_records.claim(db, key, "new")) is not None


def _key(kid: str) -> SigningKeyFacts:
    return SigningKeyFacts(
        kid=kid,
        alg=SigningAlgorithm.RS256,
        state=KeyState.CURRENT,
        public_key="",
        certificate="",
        created_at=NOW,
        current_since=NOW,
        revoked_at=None,
    )


def test_a_slot_takes_one_signing_key(store: Store) -> None:
    def insert(db: TenantSession, number: int) -> str | None:
        free = signing_keys.insert_if_free(db, _key(str(number)), b"private")
        return str(number) if free else None

    winners = [winner for winner in contend(store, insert) if winner is not None]
    assert len(winners) == 1
    live = writing(store, TENANT, signing_keys.live)
    assert [key.kid for key in live] == winners


def _create(db: TenantSession, number: int) -> bool:
    try:
        installation.create_tenant(db, f"id{number}", tenant_values("acme"))
    except DomainError as error:
        return error.code is not ErrorCode.ALREADY_EXISTS
    return True


def _waiting_domain(tenant_id: str) -> dict[str, Any]:
    return row(
        tables.custom_domains,
        tenant_id=tenant_id,
        id="one",
        domain="login.example.com",
        type="managed_certs",
        status="pending",
        domain_metadata={},
    )


def test_a_domain_is_one_tenants(store: Store) -> None:
    """Of tenants that have proven one domain at the same moment the first has it."""
    for number in range(CONTENDERS):
        fill(store.database, tables.custom_domains, _waiting_domain(f"tenant{number}"))

    def verify(db: TenantSession, number: int) -> ErrorCode | None:
        own = db.for_tenant(f"tenant{number}")
        try:
            with savepoint(own):
                services.verify(own, Patch("one"), ("text",))
        except DomainError as error:
            return error.code
        return None

    outcomes = contend(store, verify)
    assert outcomes.count(None) == 1
    assert outcomes.count(ErrorCode.ALREADY_EXISTS) == CONTENDERS - 1
    winner = f"tenant{outcomes.index(None)}"
    domains = tables.custom_domains
    with store.database.reading() as connection:
        (claimed,) = connection.execute(tables.verified_domains.select()).all()
        (ready,) = connection.execute(domains.select().where(domains.c.status == "ready")).all()
    assert claimed.owner_id == ready.tenant_id == winner


def test_a_domain_that_is_deleted_while_it_is_verified(store: Store) -> None:
    """Whatever comes first: nobody is left with a domain that does not exist."""
    for _ in range(5):
        fill(store.database, tables.custom_domains, _waiting_domain(TENANT))

        def change(db: TenantSession, number: int) -> None:
            with contextlib.suppress(DomainError), savepoint(db):
                if number % 2:
                    services.verify(db, Patch("one"), ("text",))
                else:
                    services.delete(db, Patch("one"))

        contend(store, change)
        with store.database.reading() as connection:
            assert connection.execute(tables.custom_domains.select()).all() == []
            assert connection.execute(tables.verified_domains.select()).all() == []


def test_a_name_is_one_tenants(store: Store) -> None:
    assert contend(store, _create).count(True) == 1
    assert number_of(store.database, "tenants") == [1]


def test_a_name_is_never_used_again(store: Store, clock: Clock) -> None:
    assert writing(store, INSTALLATION, lambda db: _create(db, 1))
    found: TenantFacts = writing(
        store, INSTALLATION, lambda db: installation.find_tenant(db, "id1")
    )
    writing(store, INSTALLATION, lambda db: installation.mark_tenant_deleted(db, found))
    assert writing(store, INSTALLATION, lambda db: installation.find_tenant(db, "id1")) is None
    assert not writing(store, INSTALLATION, lambda db: _create(db, 2))
    clock.advance(60)
    retention = NOW - NOW
    while writing(store, INSTALLATION, lambda db: prune_batch(db, "me", retention)):
        pass
    with store.database.reading() as connection:
        assert connection.execute(tables.tenants.select()).one().pruned_at is not None
    assert not writing(store, INSTALLATION, lambda db: _create(db, 3))


def test_there_is_one_root(store: Store) -> None:
    def create(db: TenantSession, number: int) -> bool:
        values = tenant_values(f"root{number}", is_root=True)
        try:
            installation.create_tenant(db, f"id{number}", values)
        except DomainError:
            return False
        return True

    assert contend(store, create).count(True) == 1


def test_a_lease_has_one_holder(store: Store, clock: Clock) -> None:
    def take(db: TenantSession, number: int) -> bool:
        return installation.take_lease(db, "job", f"holder{number}", 60)

    taken = contend(store, take)
    assert taken.count(True) == 1
    holder = taken.index(True)
    other = (holder + 1) % CONTENDERS
    clock.advance(30)
    assert not writing(store, INSTALLATION, lambda db: take(db, other))
    assert writing(store, INSTALLATION, lambda db: take(db, holder))
    clock.advance(45)
    assert not writing(store, INSTALLATION, lambda db: take(db, other))
    clock.advance(30)
    assert writing(store, INSTALLATION, lambda db: take(db, other))
    assert not writing(store, INSTALLATION, lambda db: take(db, holder))


def test_leases_of_other_jobs_are_free(store: Store) -> None:
    def take(name: str, holder: str) -> object:
        return writing(
            store, INSTALLATION, lambda db: installation.take_lease(db, name, holder, 60)
        )

    assert take("one", "me")
    assert take("other", "you")
    assert not take("one", "you")


def test_a_consent_and_a_permission_are_stored_once(store: Store) -> None:
    def allow(db: TenantSession, number: int) -> None:
        consents.add_scopes(db, "user", "client", "api", [f"scope{number % 3}"])
        users.give_permissions(db, "user", "api", ["read"])

    contend(store, allow)
    found = writing(store, TENANT, lambda db: consents.find(db, "user", "client", "api"))
    assert sorted(found.scopes) == ["scope0", "scope1", "scope2"]
    assert number_of(store.database, "consents", "user_permissions") == [1, 1]


def test_the_installation_begins_once(store: Store) -> None:
    def begin(db: TenantSession, number: int) -> bool:
        if not installation.is_empty(db):
            return False
        installation.begin(db)
        return True

    def attempt(number: int) -> bool:
        try:
            return store.write_now(INSTALLATION, Caller(SYSTEM), begin, number)
        except IntegrityError:
            return False

    with ThreadPoolExecutor(CONTENDERS) as pool:
        assert list(pool.map(attempt, range(CONTENDERS))).count(True) == 1
    writing(store, INSTALLATION, installation.check_key)
