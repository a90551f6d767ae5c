"""What a document must be to be trusted: one that could run if it were sent."""

from __future__ import annotations

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.management.context import Info
from tenantry.management.documents import Documents
from tenantry.management.limits import MAX_DOCUMENT, has_nul


def refusal_of(info: Info, document: str) -> DomainError | None:
    """Why the document could never run."""
    size = len(document.encode())
    if size > MAX_DOCUMENT:
        message = f"At most {MAX_DOCUMENT} bytes; these are {size}."
        return DomainError(ErrorCode.TOO_LONG, message, "document")
    if has_nul(document):
        message = "The character U+0000 is not allowed."
        return DomainError(ErrorCode.INVALID, message, "document")
    errors = Documents(info.schema._schema).prepare(document).errors
    return DomainError(ErrorCode.INVALID, errors[0].message, "document") if errors else None
