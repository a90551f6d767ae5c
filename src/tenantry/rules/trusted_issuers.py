"""What a trusted issuer may be (RFC 7523 §3): its fields, and how they agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import TrustedSubject
from tenantry.rules.client_keys import fetched_url, public_jwks
from tenantry.rules.fields import Field, list_of, one_of, text
from tenantry.rules.nouns import api_identifier

TRUSTED_ISSUER_FIELDS: Mapping[str, Field] = {
    "issuer": Field(text(600, 1)),
    "jwks": Field(public_jwks, None),
    "jwks_uri": Field(fetched_url, None),
    "allowed_audiences": Field(list_of(api_identifier, 100), ()),
    "subject": Field(one_of(TrustedSubject), TrustedSubject.USER_ID),
    "connection": Field(text(128, 1), None),
}


def agreeing(values: dict[str, Any]) -> dict[str, Any]:
    """One source of keys, and a connection exactly where an email needs one."""
    if (values["jwks"] is None) == (values["jwks_uri"] is None):
        raise DomainError(ErrorCode.REQUIRED, "Either jwks or jwksUri.", "jwks")
    by_email = values["subject"] is TrustedSubject.EMAIL
    if by_email and values["connection"] is None:
        raise DomainError(ErrorCode.REQUIRED, "An email is one of a connection.", "connection")
    if not by_email and values["connection"] is not None:
        raise DomainError(ErrorCode.NOT_ALLOWED, "A user id needs no connection.", "connection")
    return values
