"""RFC 8628 §6.1: codes that people read from one screen and type at another."""

from __future__ import annotations

import secrets

from tenantry.core.facts import DeviceUserCodeCharset

_ALPHABETS = {
    # Twenty consonants, so that no code spells a word.
    DeviceUserCodeCharset.BASE20: "BCDFGHJKLMNPQRSTVWXZ",
    DeviceUserCodeCharset.DIGITS: "0123456789",
}
_MAX_TYPED = 64


def new_user_code(charset: DeviceUserCodeCharset, mask: str) -> str:
    alphabet = _ALPHABETS[charset]
    return "".join(secrets.choice(alphabet) if place == "*" else place for place in mask)


def plain(typed: str) -> str:
    """What a person typed, without case, separators and other marks."""
    return "".join(c for c in typed[:_MAX_TYPED].upper() if c.isascii() and c.isalnum())
