"""What a user may be: the claims of OpenID Connect Core §5.1, and passwords."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import Address
from tenantry.rules.fields import Field, clean_text, email, flag, matching, text, web_url
from tenantry.rules.metadata import json_object

_MULTIPLE_LINES = frozenset({"formatted", "street_address"})
_BIRTHDATE = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))?")
_PHONE = re.compile(r"\+[1-9]\d{1,14}(?:;ext=\d{1,15})?")
_USERNAME = re.compile(r"[A-Za-z0-9._+@!#$'^`~-]{1,128}")
MIN_PASSWORD, MAX_PASSWORD = 8, 256


def address(value: Address, path: tuple[str, ...]) -> Address:
    """OpenID Connect Core §5.1.1: two of its parts "MAY contain multiple lines"."""
    parts: dict[str, str | None] = {}
    for name in ("formatted", "street_address", "locality", "region", "postal_code", "country"):
        part: str | None = getattr(value, name)
        if part is not None:
            lines = part.replace("\r\n", "\n").strip()
            shown = lines.replace("\n", " ") if name in _MULTIPLE_LINES else lines
            clean_text(shown, (*path, name), 500)
            part = lines
        parts[name] = part
    return Address(**parts)


def password(value: str, minimum: int) -> str:
    if not minimum <= len(value) <= MAX_PASSWORD:
        raise DomainError(
            ErrorCode.OUT_OF_RANGE,
            f"A password has {minimum} to {MAX_PASSWORD} characters.",
            "password",
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise DomainError(
            ErrorCode.INVALID, "The password is not valid text.", "password"
        ) from None
    return value


USER_FIELDS: Mapping[str, Field] = {
    "email": Field(email, None),
    "email_verified": Field(flag, False),
    "username": Field(matching(_USERNAME, "a username", 128), None),
    "name": Field(text(300), None),
    "given_name": Field(text(150), None),
    "family_name": Field(text(150), None),
    "middle_name": Field(text(150), None),
    "nickname": Field(text(300), None),
    "preferred_username": Field(text(300), None),
    "profile": Field(web_url, None),
    "picture": Field(web_url, None),
    "website": Field(web_url, None),
    "gender": Field(text(50), None),
    "birthdate": Field(matching(_BIRTHDATE, "YYYY-MM-DD or YYYY", 10), None),
    "zoneinfo": Field(text(64), None),
    "locale": Field(text(35), None),
    "phone_number": Field(matching(_PHONE, "a number in E.164 form", 40), None),
    "phone_number_verified": Field(flag, False),
    "address": Field(address, None),
    "user_metadata": Field(json_object, {}),
    "app_metadata": Field(json_object, {}),
}
