"""Fields with a resolver, typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import strawberry

from tenantry.management.permissions import RequiresScopes

R = TypeVar("R", bound=Callable[..., Any])


def field(description: str, *scopes: str | tuple[str, ...]) -> Callable[[R], R]:
    """Publishes a resolver. With scopes the field is guarded by them, and must be nullable."""
    guards = [RequiresScopes(*scopes)] if scopes else []
    published: Callable[[R], R] = strawberry.field(description=description, extensions=[*guards])
    return published


def subscription(description: str, *scopes: str) -> Callable[[R], R]:
    """Publishes a source of events that is guarded by scopes."""
    published: Callable[[R], R] = strawberry.subscription(
        description=description, extensions=[RequiresScopes(*scopes)]
    )
    return published
