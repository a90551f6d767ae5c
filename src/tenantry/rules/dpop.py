"""RFC 9449 §4.3: whether a DPoP proof whose signature is good fits the request that carries it.

Law: it is for this method, this address and this moment, and for this access token if there is
one.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from tenantry.rules.fields import encodable
from tenantry.rules.numeric_date import NotATime, numeric_date

MAX_AGE = 60
"""Seconds from `iat` to now, without a nonce."""
LEEWAY = 30
"""Seconds by which the application's clock may be ahead."""
NONCE_WINDOW = 120
"""Seconds for which one nonce is given out; it is good for as long again."""
MAX_JTI = 255
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset("-._~")
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


class BadProof(ValueError):
    """The proof is not for this request. The reason may be told: who hears it has the key."""


def is_thumbprint(value: str) -> bool:
    """Whether it has the form of a SHA-256 in base64url (§10: `dpop_jkt`)."""
    return _THUMBPRINT.fullmatch(value) is not None


def require_fit(
    claims: Mapping[str, Any], method: str, urls: Sequence[str], access_token: str | None
) -> str:
    """The `jti` of a proof that is for this request, whose endpoint has these addresses."""
    # §4.3 (8) and (9): "ignoring any query and fragment parts".
    if claims.get("htm") != method:
        raise BadProof("its htm is not the method of the request")
    target = claims.get("htu")
    if not isinstance(target, str) or normalized(target) not in map(normalized, urls):
        raise BadProof("its htu is not the address of the request")
    # §4.3 (12): "the value of the ath claim equals the hash of that access token".
    if access_token is not None and claims.get("ath") != access_token_hash(access_token):
        raise BadProof("its ath is not the hash of the access token")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI or not encodable(jti):
        raise BadProof("it has no jti")
    return jti


def until_when(claims: Mapping[str, Any], now: int, nonce_ends_at: int | None) -> int:
    """The moment from which the proof is too old, in epoch seconds.

    §4.3 (11): its age is told by `iat`, or by the nonce of this server that it carries.
    """
    try:
        issued_at, not_before, expires_at = (
            numeric_date(claims, name) for name in ("iat", "nbf", "exp")
        )
    except NotATime as error:
        raise BadProof(f"its {error}") from None
    if issued_at is None:
        raise BadProof("it has no iat")
    if nonce_ends_at is not None:
        return nonce_ends_at
    if max(issued_at, not_before or 0) > now + LEEWAY:
        raise BadProof("it is from the future")
    if issued_at + MAX_AGE <= now or (expires_at is not None and expires_at <= now):
        raise BadProof("it is too old")
    return issued_at + MAX_AGE


def access_token_hash(access_token: str) -> str:
    """§4.2: `ath`."""
    digest = hashlib.sha256(access_token.encode("ascii", "replace")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def normalized(url: str) -> str | None:
    """RFC 3986 §6.2.2 and §6.2.3, without query and fragment; None for what is no web address."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    named = "" if port in {None, _DEFAULT_PORTS[scheme]} else f":{port}"
    return f"{scheme}://{host}{named}{_path(parts)}"


def _path(parts: SplitResult) -> str:
    return _ESCAPE.sub(_plain, parts.path) or "/"


def _plain(escape: re.Match[str]) -> str:
    """§6.2.2.2: an escape of an unreserved character is the character."""
    text = unquote(escape[0])
    is_plain = text.isascii() and (text.isalnum() or text in _UNRESERVED)
    return text if is_plain else escape[0].upper()
