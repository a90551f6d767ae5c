"""Inputs as commands: what was sent, and nothing else."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import strawberry

from tenantry.management.types.access_rule import AccessRuleInput
from tenantry.management.types.claim_mapping import ClaimMappingInput
from tenantry.management.types.email_template import EmailTemplateInput
from tenantry.management.types.resource_server import (
    AuthorizationDetailsTypeInput,
    ScopeInput,
    TokenEncryptionInput,
)
from tenantry.management.types.user import AddressInput
from tenantry.services.commands import Patch

ID_ABOUT = "The id of the object."
REVISION_ABOUT = (
    "The revision that the object is expected to have; another one is a CONFLICT. By default the "
    "change is made whatever the revision."
)
SENT = strawberry.argument(description="What to do. A field that is left out keeps its default.")
CHANGED = strawberry.argument(
    description="What to change. A field that is left out is unchanged; null clears."
)

_OBJECTS = (
    AccessRuleInput,
    AddressInput,
    AuthorizationDetailsTypeInput,
    ClaimMappingInput,
    EmailTemplateInput,
    ScopeInput,
    TokenEncryptionInput,
)


@strawberry.input
class ExistingObject:
    id: strawberry.ID = strawberry.field(description=ID_ABOUT)
    expected_revision: int | None = strawberry.field(
        description=REVISION_ABOUT, default=strawberry.UNSET
    )


def sent(value: Any) -> Any:
    """None for a field that was left out."""
    return None if value is strawberry.UNSET else value


def given(input: Any, *besides: str) -> dict[str, Any]:
    """The fields that were sent, in the words of the facts."""
    skipped = {"id", "expected_revision", *besides}
    return {
        field.name: _facts(getattr(input, field.name))
        for field in fields(input)
        if field.name not in skipped and getattr(input, field.name) is not strawberry.UNSET
    }


def _facts(value: Any) -> Any:
    if isinstance(value, _OBJECTS):
        return value.facts()
    if isinstance(value, list):
        return tuple(_facts(item) for item in value)
    return value


def patch(local_id: str, input: Any, *besides: str) -> Patch:
    return Patch(local_id, given(input, *besides), sent(input.expected_revision))


def names(value: list[str] | None) -> tuple[str, ...] | None:
    """A list of names; None where it was left out, and for null nothing at all."""
    if value is strawberry.UNSET:
        return None
    return tuple(value or ())
