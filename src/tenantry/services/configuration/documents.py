"""What a request asks for: its document read, its keywords replaced, before any transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.services.configuration import keywords, text
from tenantry.services.configuration.noun import Named
from tenantry.services.configuration.plan import Asked

MAX_DELETES = 10_000


def asked(document: str, given: Any, deletes: Sequence[Named], issuer: str) -> Asked:
    words = keywords.known(given, issuer)
    if len(deletes) > MAX_DELETES:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_DELETES} entries.", "deletes")
    named = tuple(
        Named(
            one.noun,
            keywords.replaced(one.key, words, ("deletes", str(index), "key")),
        )
        for index, one in enumerate(deletes)
    )
    return Asked(keywords.replaced(text.read(document), words, (text.PATH,)), named)
