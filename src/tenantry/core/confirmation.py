"""RFC 7800 §3.1: what the bearer of a token must prove possession of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Confirmation:
    """`jkt` is the thumbprint of a key (RFC 9449 §6), `x5t_s256` of a certificate (RFC 8705 §3)."""

    jkt: str | None = None
    x5t_s256: str | None = None

    def as_claim(self) -> dict[str, str]:
        """The value of `cnf`; empty where nothing is to be proven."""
        members = {"jkt": self.jkt, "x5t#S256": self.x5t_s256}
        return {name: value for name, value in members.items() if value is not None}
