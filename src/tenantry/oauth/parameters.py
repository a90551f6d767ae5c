"""RFC 6749 §3.1 and §3.2: parameters appear once, an empty one is absent.

Law: what a client sent is read here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tenantry.oauth.errors import OAuthError, invalid_request
from tenantry.rules import scopes

MAX_PARAMETERS = 64
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
MAX_VALUE = 8_192
MAX_RESOURCES = 10
# RFC 8707 §2 lets a request name several resources; no other parameter may repeat.
_REPEATABLE = frozenset({"resource"})
# RFC 8693 §2.1 lets both repeat.
_TARGETS = frozenset({"audience", "resource"})
_TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


class Parameters:
    """The parameters of one request. A repeated one is remembered and refused when read."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        self.repeated: set[str] = set()
        self._targets: list[tuple[str, str]] = []
        seen: set[str] = set()
        for number, (name, value) in enumerate(pairs):
            if number >= MAX_PARAMETERS:
                raise invalid_request("The request has too many parameters.")
            if name in seen:
                self.repeated.add(name)
            seen.add(name)
            if value:
                self._values.setdefault(name, value)
                if name in _TARGETS:
                    _require_text(name, value)
                    self._targets.append((name, value))
        for name, value in self._values.items():
            _require_text(name, value)

    def get(self, name: str) -> str | None:
        if name in self.repeated:
            raise invalid_request(f"The parameter {name} is repeated.")
        return self._values.get(name)

    def require(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise invalid_request(f"The parameter {name} is missing.")
        return value

    def refuse_repetition(self) -> None:
        """RFC 6749 §3.1: "Request and response parameters MUST NOT be included more than once"."""
        exchange = self._values.get("grant_type") == _TOKEN_EXCHANGE
        repeated = sorted(self.repeated - (_TARGETS if exchange else _REPEATABLE))
        if repeated:
            name = _printable(repeated[0])
            raise invalid_request(f"The parameter {name} is repeated.")

    def scopes(self) -> tuple[str, ...]:
        value = self.get("scope")
        try:
            return scopes.parse(value) if value else ()
        except scopes.MalformedScope:
            raise OAuthError(
                "invalid_scope", "The parameter scope is not a list of scope tokens."
            ) from None

    def audience(self, *, several: bool = False) -> str | None:
        """`audience`, or else `resource` (RFC 8707 §2): `several`, if allowed, as one text."""
        audience = self.get("audience")
        if audience is not None:
            if " " in audience:
                raise OAuthError("invalid_target", "The parameter audience names one API.")
            return audience
        resources = {value for name, value in self._targets if name == "resource"}
        if "resource" in self.repeated and not several:
            raise OAuthError("invalid_target", "A token is for one resource at a time.")
        if len(resources) > MAX_RESOURCES:
            raise OAuthError("invalid_target", f"At most {MAX_RESOURCES} resources at a time.")
        # §2: "an absolute URI", which "MUST NOT include a fragment component".
        if any(":" not in value or "#" in value or " " in value for value in resources):
            raise OAuthError("invalid_target", "The parameter resource is not an absolute URI.")
        return " ".join(sorted(resources)) or None

    def targets(self) -> tuple[str, ...]:
        """RFC 8693 §2.1: every `audience` and `resource`, each once."""
        targets = tuple(dict.fromkeys(value for _, value in self._targets))
        if any(" " in target for target in targets):
            raise OAuthError("invalid_target", "The parameter audience names one API.")
        return targets

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """What was sent, to be kept and read again."""
        once = [(name, value) for name, value in self._values.items() if name not in _TARGETS]
        return once + self._targets

    def as_mapping(self) -> Mapping[str, str]:
        return self._values


def _require_text(name: str, value: str) -> None:
    # "state" and "nonce" are echoed: what cannot be printed is refused where it comes in.
    if len(value) > MAX_VALUE or len(name) > MAX_VALUE:
        raise invalid_request(f"The parameter {_printable(name)} is too long.")
    try:
        (name + value).encode()
    except UnicodeEncodeError:
        raise invalid_request("The request is not valid UTF-8.") from None
    if _CONTROL.search(name) or _CONTROL.search(value):
        raise invalid_request(f"The parameter {_printable(name)} contains a control character.")


def _printable(name: str) -> str:
    # RFC 6749 §5.2: a description has neither quotes nor backslashes.
    return "".join(c for c in name if c.isascii() and c.isprintable() and c not in '"\\')[:64]
