"""The access control list of a tenant: which addresses may ask which of its endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AccessAction(StrEnum):
    ALLOW = "allow"
    BLOCK = "block"


class EndpointGroup(StrEnum):
    """What a rule is about. What everybody may read, such as keys and metadata, is in none."""

    AUTHENTICATION = "authentication"
    TOKENS = "tokens"
    DCR = "dcr"
    MANAGEMENT = "management"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRule:
    """One rule of the list. Without `cidrs` it is about every address."""

    action: AccessAction
    endpoint_groups: tuple[EndpointGroup, ...]
    cidrs: tuple[str, ...] = ()
    description: str = ""
