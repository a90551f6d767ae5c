"""A tenant's configuration written out: without secrets and what the server itself needs.

Users are in it only if they are named.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tenantry.services.configuration import plan as plans
from tenantry.services.configuration.keywords import with_keywords
from tenantry.services.configuration.noun import Noun, Work


def document_of(work: Work, nouns: Sequence[Noun]) -> dict[str, Any]:
    """Every setting of every object, so that the document says all and depends on no default."""
    document: dict[str, Any] = {"version": plans.VERSION}
    for noun in nouns:
        shown = {noun.key_of(one.values): noun.shown(one.values) for one in noun.load(work)}
        objects = [with_keywords(shown[key], work.issuer) for key in sorted(shown)]
        document[noun.name] = objects[0] if noun.is_single else objects
    return document
