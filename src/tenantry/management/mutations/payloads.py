"""What payloads share."""

from __future__ import annotations

from typing import Any

import strawberry

from tenantry.management.errors import UserError


@strawberry.type
class Payload:
    errors: list[UserError] = strawberry.field(description="Why nothing was done; empty if it was.")


def object_field(noun: str) -> Any:
    return strawberry.field(description=f"The {noun} as it is now; null if nothing was done.")


def deleted_field(noun: str) -> Any:
    return strawberry.field(description=f"The id that the {noun} had; null if nothing was done.")
