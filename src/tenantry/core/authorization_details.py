"""RFC 9396: what an application asks for in more words than scopes have, and who consents how."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Detail = dict[str, Any]
"""One object of `authorization_details`, with its `type`."""
Details = tuple[Detail, ...]


@dataclass(frozen=True, slots=True)
class AuthorizationDetailsType:
    """A `type` that an API understands."""

    type: str


class ConsentPolicy(StrEnum):
    """How people are asked for authorization details of an API."""

    STANDARD = "standard"
    TRANSACTIONAL_AUTHORIZATION_WITH_MFA = "transactional-authorization-with-mfa"


def types_of(details: Details) -> tuple[str, ...]:
    """The types in them, each once."""
    return tuple(dict.fromkeys(str(detail["type"]) for detail in details))
