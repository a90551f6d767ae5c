"""The lines of jobs in chunks, and what became of them. All of it is sealed for its place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy import insert, select, update

from tenantry.core.jobs import RETENTION
from tenantry.store.tables import job_chunks
from tenantry.store.unit_of_work import TenantSession

_KEPT = RETENTION + timedelta(days=1)
"""So long after its lines; the job itself is not over before that."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines as they were sent, without their ends; the first is line `first_line` of all.

    Blank ones are empty, and count.
    """

    number: int
    first_line: int
    lines: tuple[bytes, ...]


def _place(db: TenantSession, job_id: str, number: int, what: str) -> str:
    return f"job {db.tenant_id} {job_id} {number} {what}"


def _sealed(db: TenantSession, job_id: str, number: int, what: str, text: bytes) -> str:
    return db.vault.encrypt(text, _place(db, job_id, number, what))


def _opened(db: TenantSession, job_id: str, number: int, what: str, sealed: str | None) -> bytes:
    return db.vault.decrypt(sealed, _place(db, job_id, number, what)) if sealed else b""


def add(db: TenantSession, job_id: str, chunk: Chunk) -> None:
    """Lines that wait to be done."""
    text = b"\n".join(chunk.lines)
    _insert(db, job_id, chunk, lines=_sealed(db, job_id, chunk.number, "lines", text))


def add_results(db: TenantSession, job_id: str, number: int, first_line: int, text: bytes) -> None:
    """Lines that nobody sent: those of an export."""
    sealed = _sealed(db, job_id, number, "results", text)
    chunk = Chunk(number, first_line, ())
    _insert(db, job_id, chunk, results=sealed, expires_at=db.now + _KEPT)


def _insert(db: TenantSession, job_id: str, chunk: Chunk, **values: Any) -> None:
    row = {
        "tenant_id": db.tenant_id,
        "job_id": job_id,
        "number": chunk.number,
        "first_line": chunk.first_line,
        "lines": None,
        "results": None,
        "secrets": None,
        "expires_at": db.now + 2 * RETENTION,
    }
    db.connection.execute(insert(job_chunks), [row | values])


def waiting(db: TenantSession, job_id: str) -> tuple[int, ...]:
    """The numbers of the chunks that are not done yet, in order."""
    rows = db.connection.execute(
        select(job_chunks.c.number)
        .where(*_of(db, job_id), job_chunks.c.results.is_(None))
        .order_by(job_chunks.c.number)
    )
    return tuple(rows.scalars())


def find(db: TenantSession, job_id: str, number: int) -> Chunk | None:
    row = db.connection.execute(
        select(job_chunks.c.first_line, job_chunks.c.lines).where(
            *_of(db, job_id), job_chunks.c.number == number
        )
    ).one_or_none()
    if row is None or row.lines is None:
        return None
    text = _opened(db, job_id, number, "lines", row.lines)
    return Chunk(number, row.first_line, tuple(text.split(b"\n")))


def keep_results(
    db: TenantSession, job_id: str, number: int, results: bytes, secrets: bytes
) -> None:
    """What became of the lines, which are forgotten themselves."""
    db.connection.execute(
        update(job_chunks)
        .where(*_of(db, job_id), job_chunks.c.number == number)
        .values(
            lines=None,
            results=_sealed(db, job_id, number, "results", results),
            secrets=_sealed(db, job_id, number, "secrets", secrets) if secrets else None,
            expires_at=db.now + _KEPT,
        )
    )


def results(db: TenantSession, job_id: str, after: int) -> tuple[int, bytes] | None:
    """The next chunk that is done: its number, and what became of its lines."""
    row = db.connection.execute(
        select(job_chunks.c.number, job_chunks.c.results)
        .where(*_of(db, job_id), job_chunks.c.number > after, job_chunks.c.results.is_not(None))
        .order_by(job_chunks.c.number)
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return row.number, _opened(db, job_id, row.number, "results", row.results)


def take_secrets(db: TenantSession, job_id: str, number: int) -> bytes:
    """The secrets that its lines made, which are forgotten by that."""
    here = [*_of(db, job_id), job_chunks.c.number == number]
    sealed = db.connection.execute(select(job_chunks.c.secrets).where(*here)).scalar_one_or_none()
    if sealed is None:
        return b""
    db.connection.execute(update(job_chunks).where(*here).values(secrets=None))
    return _opened(db, job_id, number, "secrets", sealed)


def forget_lines(db: TenantSession, job_id: str) -> None:
    """Removes what was not done and never will be."""
    db.connection.execute(
        sql_delete(job_chunks).where(*_of(db, job_id), job_chunks.c.results.is_(None))
    )


def _of(db: TenantSession, job_id: str) -> list[Any]:
    return [job_chunks.c.tenant_id == db.tenant_id, job_chunks.c.job_id == job_id]
