"""Filters that decide what supplied text may become: a link, an image, a line."""

import re
import unicodedata
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

# Directional marks could make a name read as another; isolation in the markup does not stop
# an override inside the name itself.
_DIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_URI = re.compile(r"[!#-;=?-\[\]_a-z~%]+", re.IGNORECASE | re.ASCII)
_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(\.[\w-]+)*", re.ASCII)


def web_uri(value: str | None) -> str | None:
    """The URI if it is https, or http on this machine; otherwise None."""
    if value is None or not _URI.fullmatch(value):
        return None
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or "@" in parts.netloc:
        return None
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return value
    return None


def mail_uri(value: str | None) -> str | None:
    if value is None or not _EMAIL.fullmatch(value):
        return None
    return "mailto:" + quote(value, safe="@")


def text(value: str, limit: int = 120) -> str:
    """One run of visible characters, cut at `limit`."""
    visible = "".join(
        " " if unicodedata.category(character) in {"Cc", "Zl", "Zp"} else character
        for character in value
        if character not in _DIRECTIONAL and unicodedata.category(character) != "Cs"
    )
    line = " ".join(visible.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def initial(value: str) -> str:
    """The letter that stands in for a missing logo."""
    return next((character.upper() for character in value if character.isalnum()), "•")


def is_web_address(value: str) -> bool:
    return value.lower().startswith(("https://", "http://"))


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
