"""Messages that people get by email, and how a tenant words them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EmailTemplateName(StrEnum):
    """Which message a template is for."""

    ASYNC_APPROVAL = "async_approval"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailTemplate:
    """A tenant's own wording of a message, in Liquid."""

    template: EmailTemplateName
    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """A message as it is read. The subject is one line."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEmail:
    """A message that the mailbox of a development server shows in the place of sending it."""

    id: str
    tenant_name: str
    recipient: str
    subject: str
    text: str
    html: str
    created_at: datetime
