"""Answers that are given again: the key of a request, and what is recorded under it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.core.context import Actor
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.keys.vault import open_under, seal_under
from tenantry.store import mutation_records
from tenantry.store.mutation_records import RecordKey
from tenantry.store.unit_of_work import TenantSession

MAX_KEY = 255
_PURPOSE = "idempotency key"


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The key as it was sent, and the digest of what came with it."""

    value: str
    body_digest: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The place of one mutation field of one caller in the records."""

    key: IdempotencyKey
    record: RecordKey
    row: str


def is_key(value: str) -> bool:
    return 1 <= len(value) <= MAX_KEY and all(0x21 <= ord(char) <= 0x7E for char in value)


def body_digest(query: str, operation: str | None, variables: Mapping[str, Any]) -> str:
    """The same for the same document and variables, however their JSON was written."""
    canonical = json.dumps([query, operation, variables], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def claim_of(db: TenantSession, key: IdempotencyKey, actor: Actor, path: str) -> Claim:
    record = RecordKey(
        caller=f"{actor.tenant_id}/{actor.kind}/{actor.id}",
        key_digest=db.vault.digest(key.value, _PURPOSE),
        path=path,
    )
    row = f"mutation_records/{db.tenant_id}/{record.caller}/{record.key_digest}/{record.path}"
    return Claim(key, record, row)


def take(db: TenantSession, claim: Claim) -> bytes | None:
    """None: the mutation is ours to do. Otherwise its first answer."""
    recorded = mutation_records.claim(db, claim.record, claim.key.body_digest)
    if recorded is None:
        return None
    if recorded.body_digest != claim.key.body_digest or recorded.answer is None:
        raise DomainError(
            ErrorCode.IDEMPOTENCY_KEY_REUSED,
            "This Idempotency-Key was sent before with another body.",
        )
    return open_under(claim.key.value, recorded.answer, claim.row)


def keep(db: TenantSession, claim: Claim, answer: bytes) -> None:
    sealed = seal_under(claim.key.value, answer, claim.row)
    mutation_records.save(db, claim.record, sealed)
